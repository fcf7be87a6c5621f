//! An ext4 disk in a file: mounted, filled, copied as a power cut would leave it. Needs root. Unmounted when dropped.
//!
//! What a copy holds is what the kernel had handed to the disk when it was taken; what only stood in the page cache is
//! not in it. That is a power cut, but for a cache inside the drive.

use anyhow::{Context, Result, ensure};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted disk.
pub struct DiskImage {
    image: PathBuf,
    mount: PathBuf,
}

impl DiskImage {
    /// Makes an empty disk of `bytes` as `name` in `directory`, and mounts it.
    pub fn make(directory: &Path, name: &str, bytes: u64) -> Result<DiskImage> {
        let image = directory.join(format!("{name}.img"));
        File::create(&image)?.set_len(bytes)?;
        // All that belongs to the disk is written now: a copy in the first second must be mountable, too.
        run(Command::new("mkfs.ext4")
            .args(["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"])
            .arg(&image))?;
        DiskImage::mount(directory, name)
    }

    /// Mounts a disk that is there; its journal is played back as after a power cut.
    pub fn mount(directory: &Path, name: &str) -> Result<DiskImage> {
        // SAFETY: geteuid has no preconditions.
        ensure!(
            unsafe { libc::geteuid() } == 0,
            "mounting a disk needs root; run the tests as root"
        );
        let (image, mount) = (directory.join(format!("{name}.img")), directory.join(name));
        std::fs::create_dir_all(&mount)?;
        run(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&mount))?;
        Ok(DiskImage { image, mount })
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.mount
    }

    /// Copies the disk as it is now, as `name` in `directory`: pull the plug here.
    pub fn cut(&self, directory: &Path, name: &str) -> Result<()> {
        let copy = directory.join(format!("{name}.img"));
        io::copy(&mut File::open(&self.image)?, &mut File::create(copy)?)?;
        Ok(())
    }
}

impl Drop for DiskImage {
    fn drop(&mut self) {
        let _ = run(Command::new("umount").arg("--lazy").arg(&self.mount));
    }
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("{command:?} does not start"))?;
    ensure!(
        output.status.success(),
        "{command:?} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
