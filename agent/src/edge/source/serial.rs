//! A serial port: open, read, lose, find again. It only listens: nothing is written, modem lines stay as they are.

use super::{CHUNK_BYTES_MAX, Ended, Outlet, Word};
use crate::config::{Parity, Serial};
use crate::decode::dialect::Direction;
use crate::edge::clock::{Clock, jitter};
use serialport::{DataBits, FlowControl, StopBits};
use slipwatch_shared::backoff::Backoff;
use slipwatch_shared::event::SourceLoss;
use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio_serial::SerialStream;

/// Most bytes that wait in memory while the loop is behind; what comes then is gone, and said to be.
pub const WAITING_BYTES_MAX: usize = 256 * 1024;
/// A read that gave less than this is followed by a pause, so that a slow line does not wake the machine for each byte.
const PAUSE_BELOW_BYTES: usize = 2_048;
/// Longest pause.
const PAUSE_MS_MAX: u64 = 100;
/// How the wait for a port grows that is not there.
const REOPEN_MS: (u64, u64) = (250, 5_000);
/// A port that was open for this long was a good one.
const STABLE_MS: u64 = 10_000;

/// Why a port cannot be opened, in words that help.
#[derive(Debug, thiserror::Error)]
#[error("{port}: {what}")]
pub struct PortError {
    /// Which port, as in the settings.
    pub port: String,
    /// What is wrong.
    pub what: String,
}

/// Opens a port: raw, no flow control, exclusive, modem lines left alone.
pub fn open(settings: &Serial) -> Result<SerialStream, PortError> {
    // The name is resolved each time: an adapter that comes back may have another number.
    let path = std::fs::canonicalize(&settings.port);
    let path = path.map_err(|error| port_error(&settings.port, &error.to_string()))?;
    let builder = tokio_serial::new(path.to_string_lossy(), settings.baud)
        .data_bits(match settings.data_bits {
            5 => DataBits::Five,
            6 => DataBits::Six,
            7 => DataBits::Seven,
            _ => DataBits::Eight,
        })
        .parity(match settings.parity {
            Parity::None => serialport::Parity::None,
            Parity::Even => serialport::Parity::Even,
            Parity::Odd => serialport::Parity::Odd,
        })
        .stop_bits(if settings.stop_bits == 2 { StopBits::Two } else { StopBits::One })
        .flow_control(FlowControl::None)
        .preserve_dtr_on_open();
    SerialStream::open(&builder).map_err(|error| port_error(&settings.port, &error.to_string()))
}

fn port_error(port: &Path, what: &str) -> PortError {
    PortError { port: port.display().to_string(), what: what.to_owned() }
}

/// Reads a port for ever: opens it, and opens it again when it went away.
pub async fn run(
    settings: Serial,
    idle_ms: u64,
    outlet: Outlet,
    clock: Clock,
) -> Result<(), Ended> {
    let mut backoff = Backoff::new(REOPEN_MS.0, REOPEN_MS.1, STABLE_MS);
    let mut told = false;
    loop {
        match open(&settings) {
            Ok(port) => {
                told = false;
                tracing::info!(port = %settings.port.display(), "listening");
                backoff.succeeded(clock.uptime());
                outlet.say(Word::Opened { bookmark: None }).await?;
                let reason = listen(port, &settings, idle_ms, &outlet).await?;
                tracing::warn!(port = %settings.port.display(), ?reason, "the port went away");
                outlet.say(Word::Lost { reason }).await?;
            }
            // Said once, not with every try.
            Err(error) if !std::mem::replace(&mut told, true) => {
                tracing::warn!(%error, "the port cannot be opened; trying on");
            }
            Err(_) => {}
        }
        let wait_ms = backoff.failed(clock.uptime(), jitter());
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
    }
}

/// Bytes that were read and wait for the loop.
#[derive(Debug, Default)]
struct Waiting {
    chunks: VecDeque<Vec<u8>>,
    bytes: usize,
    overrun: bool,
}

impl Waiting {
    /// Takes what was read, or drops it when too much waits.
    fn push(&mut self, bytes: &[u8]) {
        if self.bytes + bytes.len() > WAITING_BYTES_MAX {
            self.overrun = true;
            return;
        }
        self.bytes += bytes.len();
        match self.chunks.back_mut() {
            // What comes after a loss must not be taken for the rest of the line before it: the loss is said first.
            Some(last) if last.len() + bytes.len() <= CHUNK_BYTES_MAX => {
                last.extend_from_slice(bytes);
            }
            _ => self.chunks.push_back(bytes.to_vec()),
        }
    }

    fn is_empty(&self) -> bool {
        self.chunks.is_empty() && !self.overrun
    }

    /// What is to be said next; a loss once all that came before it is said.
    fn pop(&mut self) -> Option<Word> {
        match self.chunks.pop_front() {
            Some(bytes) => {
                self.bytes -= bytes.len();
                Some(Word::Bytes { direction: Direction::Either, bytes, place: None })
            }
            None => std::mem::take(&mut self.overrun).then_some(Word::Overrun),
        }
    }
}

/// Reads an open port until it is gone.
async fn listen(
    mut port: SerialStream,
    settings: &Serial,
    idle_ms: u64,
    outlet: &Outlet,
) -> Result<SourceLoss, Ended> {
    let mut buffer = vec![0; 4096];
    let mut waiting = Waiting::default();
    let mut quiet = false;
    let pause = pause_of(settings.baud);
    let mut next_idle = tokio::time::Instant::now() + Duration::from_millis(idle_ms);
    let mut paused_until = None;
    loop {
        let wake = paused_until.unwrap_or(next_idle);
        tokio::select! {
            // Reading comes first: "nothing to say" is said only when reading had nothing.
            biased;
            read = port.read(&mut buffer), if paused_until.is_none() => match gone(read) {
                Ok(count) => {
                    quiet = false;
                    // While a loss waits to be said, what follows it is lost too.
                    if !waiting.overrun {
                        waiting.push(&buffer[..count]);
                    }
                    if count < PAUSE_BELOW_BYTES {
                        paused_until = Some(tokio::time::Instant::now() + pause);
                    }
                }
                Err(reason) => {
                    while let Some(word) = waiting.pop() {
                        outlet.say(word).await?;
                    }
                    return Ok(reason);
                }
            },
            room = outlet.room(), if !waiting.is_empty() => {
                if let Some(word) = waiting.pop() {
                    room?.say(word);
                }
            }
            () = tokio::time::sleep_until(wake) => {
                if paused_until.take().is_none() {
                    next_idle += Duration::from_millis(idle_ms);
                    quiet = true;
                }
            }
            room = outlet.room(), if quiet && waiting.is_empty() => {
                quiet = false;
                room?.say(Word::Idle);
            }
        }
    }
}

/// No bytes, or an error, means that the device is gone: a read would say so for ever.
fn gone(read: io::Result<usize>) -> Result<usize, SourceLoss> {
    match read {
        Ok(0) => Err(SourceLoss::Unplugged),
        Ok(count) => Ok(count),
        Err(error) => match error.raw_os_error() {
            Some(libc::EIO | libc::ENXIO | libc::ENODEV) => Err(SourceLoss::Unplugged),
            _ => Err(SourceLoss::ReadError),
        },
    }
}

/// Long enough for a slow line, short enough that the kernel's buffer of 4 KB is never half full at the line's speed.
fn pause_of(baud: u32) -> Duration {
    let bytes_a_second = u64::from(baud / 10).max(1);
    Duration::from_millis((1_024 * 1_000 / bytes_a_second).clamp(1, PAUSE_MS_MAX))
}

#[cfg(test)]
mod tests;
