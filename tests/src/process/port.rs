//! A pseudo-terminal that stands for a device on a serial line: it is written to as the device would, and can be pulled
//! out and plugged in again under the same name. Cannot show parity or flow control: the kernel keeps none for it.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A device's end of a serial line.
pub struct Device {
    link: PathBuf,
    line: Option<File>,
    /// The other end, held open as a cable holds it: what was sent while nobody read stays on the line.
    cable: Option<File>,
}

impl Device {
    /// Plugs a device in; programs find it at `link`, as they would under `/dev/serial/by-id`.
    ///
    /// # Panics
    /// When the system gives no pseudo-terminal.
    pub fn plug_in(link: &Path) -> Device {
        let mut device = Device { link: link.to_owned(), line: None, cable: None };
        device.plug_in_again();
        device
    }

    /// The path under which programs find it.
    pub fn path(&self) -> &Path {
        &self.link
    }

    /// Plugs it in again: the same name, another line behind it.
    pub fn plug_in_again(&mut self) {
        let (line, path) = open();
        drop(std::fs::remove_file(&self.link));
        let cable = File::options().read(true).write(true).custom_flags(libc::O_NOCTTY).open(&path);
        self.cable = Some(cable.expect("the other end can be opened"));
        std::os::unix::fs::symlink(path, &self.link).expect("the name is free");
        self.line = Some(line);
    }

    /// Pulls the plug: the name is gone, and who has the line open is hung up.
    pub fn pull_out(&mut self) {
        drop(std::fs::remove_file(&self.link));
        self.cable = None;
        self.line = None;
    }

    /// Sends bytes down the line; waits while nobody reads them and the line is full (it holds about 4 KiB).
    ///
    /// # Panics
    /// When it is pulled out.
    pub fn write(&mut self, bytes: &[u8]) {
        let line = self.line.as_mut().expect("the device is plugged in");
        line.write_all(bytes).expect("the line takes bytes");
    }

    /// The speed that whoever reads the line has set: 0 while nobody has.
    ///
    /// # Panics
    /// When it is pulled out.
    pub fn speed(&self) -> u32 {
        let line = self.line.as_ref().expect("the device is plugged in");
        // SAFETY: TCGETS2 fills one termios2, which is ours and plain data; of a device's end it is the other end's.
        unsafe {
            let mut modes: libc::termios2 = std::mem::zeroed();
            let asked = libc::ioctl(line.as_raw_fd(), libc::TCGETS2, &raw mut modes);
            assert_eq!(asked, 0, "TCGETS2: {}", std::io::Error::last_os_error());
            modes.c_ospeed
        }
    }

    /// Whether nothing of what was written is left on the line.
    ///
    /// # Panics
    /// When it is pulled out.
    pub fn is_read(&self) -> bool {
        let cable = self.cable.as_ref().expect("the device is plugged in");
        let mut waiting: libc::c_int = 0;
        // SAFETY: FIONREAD writes one int, which is ours.
        let asked = unsafe { libc::ioctl(cable.as_raw_fd(), libc::FIONREAD, &raw mut waiting) };
        asked == 0 && waiting == 0
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.link));
    }
}

fn open() -> (File, PathBuf) {
    let mut name = [0u8; 64];
    // SAFETY: plain system calls on a descriptor that is ours; the buffer is as long as we say.
    let line = unsafe {
        let line = libc::posix_openpt(libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC);
        assert!(line >= 0, "no pseudo-terminal: {}", std::io::Error::last_os_error());
        let line = File::from_raw_fd(line);
        let descriptor = line.as_raw_fd();
        assert_eq!(libc::grantpt(descriptor), 0, "grantpt: {}", std::io::Error::last_os_error());
        assert_eq!(libc::unlockpt(descriptor), 0, "unlockpt: {}", std::io::Error::last_os_error());
        assert_eq!(libc::ptsname_r(descriptor, name.as_mut_ptr().cast(), name.len()), 0, "ptsname");
        // Raw from the start: what is written before the reader comes must not be echoed or edited.
        let mut modes: libc::termios = std::mem::zeroed();
        assert_eq!(libc::tcgetattr(descriptor, &raw mut modes), 0, "tcgetattr");
        libc::cfmakeraw(&raw mut modes);
        assert_eq!(libc::tcsetattr(descriptor, libc::TCSANOW, &raw const modes), 0, "tcsetattr");
        line
    };
    let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
    (line, PathBuf::from(String::from_utf8_lossy(&name[..end]).into_owned()))
}
