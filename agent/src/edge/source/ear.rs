//! A port that is listened to at one speed after another, with every byte that came in badly counted. It only listens:
//! nothing is written, modem lines stay as they are.

use super::serial::PortError;
use crate::config::Parity;
use serialport::{ClearBuffer, DataBits, FlowControl, SerialPort, StopBits, TTYPort};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;
use std::time::Duration;

/// Bytes of one read.
const READ_BYTES: usize = 4096;
/// How long a read waits for the first byte.
const WAIT_MS: u64 = 50;
/// What stands before a byte that came in badly, and before itself.
const MARK: u8 = 0xff;

/// A port that is tried.
pub struct Ear {
    port: TTYPort,
    buffer: Vec<u8>,
    marks: Marks,
}

/// What came in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// The bytes, good and bad.
    pub bytes: Vec<u8>,
    /// How many of them lacked their stop bit or had the wrong check bit.
    pub bad: usize,
}

impl Ear {
    /// Opens a port, exclusively.
    pub fn open(port: &Path) -> Result<Ear, PortError> {
        let failed = |what: String| PortError { port: port.display().to_string(), what };
        let path = std::fs::canonicalize(port).map_err(|error| failed(error.to_string()))?;
        let builder = serialport::new(path.to_string_lossy(), 9_600)
            .data_bits(DataBits::Eight)
            .stop_bits(StopBits::One)
            .flow_control(FlowControl::None)
            .timeout(Duration::from_millis(WAIT_MS))
            .preserve_dtr_on_open();
        let port = builder.open_native().map_err(|error| failed(error.to_string()))?;
        Ok(Ear { port, buffer: vec![0; READ_BYTES], marks: Marks::default() })
    }

    /// Listens with another speed and check bit from now on; what came in before is dropped.
    pub fn tune(&mut self, baud: u32, parity: Parity) -> io::Result<()> {
        self.port.set_baud_rate(baud)?;
        self.port.set_parity(match parity {
            Parity::None => serialport::Parity::None,
            Parity::Even => serialport::Parity::Even,
            Parity::Odd => serialport::Parity::Odd,
        })?;
        mark_bad_bytes(self.port.as_raw_fd())?;
        self.port.clear(ClearBuffer::Input)?;
        self.marks = Marks::default();
        Ok(())
    }

    /// What comes in within a moment; nothing where nothing does.
    pub fn listen(&mut self) -> io::Result<Heard> {
        match self.port.read(&mut self.buffer) {
            Ok(0) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the port went away")),
            Ok(count) => Ok(self.marks.take(&self.buffer[..count])),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Ok(Heard::default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Heard::default()),
            Err(error) => Err(error),
        }
    }
}

/// Has the kernel hand over every byte that came in badly, with a mark before it, instead of dropping it (PARMRK).
fn mark_bad_bytes(port: RawFd) -> io::Result<()> {
    // SAFETY: termios is plain data; the descriptor is open for as long as the caller holds the port.
    unsafe {
        let mut modes: libc::termios = std::mem::zeroed();
        if libc::tcgetattr(port, &raw mut modes) != 0 {
            return Err(io::Error::last_os_error());
        }
        modes.c_iflag |= libc::INPCK | libc::PARMRK;
        modes.c_iflag &= !(libc::IGNPAR | libc::ISTRIP | libc::IGNBRK | libc::BRKINT);
        match libc::tcsetattr(port, libc::TCSANOW, &raw const modes) {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

/// Takes the marks out: `FF 00 x` is a bad byte x, `FF FF` a good FF.
#[derive(Debug, Default)]
struct Marks {
    seen: Seen,
}

#[derive(Clone, Copy, Debug, Default)]
enum Seen {
    #[default]
    Nothing,
    Mark,
    Bad,
}

impl Marks {
    fn take(&mut self, read: &[u8]) -> Heard {
        let mut heard = Heard::default();
        for &byte in read {
            self.seen = match (self.seen, byte) {
                (Seen::Nothing, MARK) => Seen::Mark,
                (Seen::Mark, 0) => Seen::Bad,
                (Seen::Bad, byte) => {
                    heard.bad += 1;
                    heard.bytes.push(byte);
                    Seen::Nothing
                }
                (Seen::Mark | Seen::Nothing, byte) => {
                    heard.bytes.push(byte);
                    Seen::Nothing
                }
            };
        }
        heard
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_taken_out_wherever_a_read_ended() {
        let read = [1, 0xff, 0xff, 2, 0xff, 0, 0x80, 0xff, 0, 0xff, 3];
        for size in 1..=read.len() {
            let (mut marks, mut all) = (Marks::default(), Heard::default());
            for part in read.chunks(size) {
                let Heard { bytes, bad } = marks.take(part);
                all.bytes.extend(bytes);
                all.bad += bad;
            }
            assert_eq!(all, Heard { bytes: vec![1, 0xff, 2, 0x80, 0xff, 3], bad: 2 }, "{size}");
        }
    }
}
