//! A serial line: open, read, lose, find again; one port that hears it, or one for each way. It only listens: nothing is
//! written, modem lines stay as they are. Joins the two ways into one source and decides nothing about what belongs
//! together: closer than an adapter's own delay, which of two bytes came first is not known to anybody.

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
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, ReadBuf};
use tokio_serial::SerialStream;

/// Most bytes that wait in memory while the loop is behind; what comes then is gone, and said to be.
pub const WAITING_BYTES_MAX: usize = 256 * 1024;
/// A read that gave less than this is followed by a pause, so that a slow line does not wake the machine for each byte.
const PAUSE_BELOW_BYTES: usize = 2_048;
/// Longest pause.
const PAUSE_MS_MAX: u64 = 100;
/// Longest pause where a line has two ports: as long as an adapter may keep bytes to itself, so that it adds no doubt about
/// which way spoke first.
const PAUSE_OF_TWO_MS_MAX: u64 = 16;
/// Bytes of one read of a port.
const READ_BYTES: usize = 4096;
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

/// Reads a line for ever: opens its ports, and opens them again when one of them went away. The line is open while all of
/// them are: with half of it heard, silence proves nothing.
pub async fn run(
    receivers: Vec<(Direction, Serial)>,
    idle_ms: u64,
    outlet: Outlet,
    clock: Clock,
) -> Result<(), Ended> {
    let mut backoff = Backoff::new(REOPEN_MS.0, REOPEN_MS.1, STABLE_MS);
    let mut told = String::new();
    loop {
        match Port::open_all(&receivers) {
            Ok(ports) => {
                told.clear();
                let names: Vec<String> =
                    receivers.iter().map(|(_, port)| port.port.display().to_string()).collect();
                tracing::info!(port = names.join(" and "), "listening");
                backoff.succeeded(clock.uptime());
                outlet.say(Word::Opened { bookmark: None }).await?;
                let reason = listen(ports, idle_ms, &outlet).await?;
                outlet.say(Word::Lost { reason }).await?;
            }
            // Said once, not with every try.
            Err(error) if told != error.port => {
                tracing::warn!(%error, "the port cannot be opened; trying on");
                told = error.port;
            }
            Err(_) => {}
        }
        let wait_ms = backoff.failed(clock.uptime(), jitter());
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
    }
}

/// An open port and what it gave last.
struct Port {
    name: String,
    direction: Direction,
    stream: SerialStream,
    pause: Duration,
    buffer: Vec<u8>,
    read: Option<io::Result<usize>>,
}

impl Port {
    /// All of a line's ports, or none.
    fn open_all(receivers: &[(Direction, Serial)]) -> Result<Vec<Port>, PortError> {
        let opened = receivers.iter().map(|(direction, settings)| {
            Ok(Port {
                name: settings.port.display().to_string(),
                direction: *direction,
                stream: open(settings)?,
                pause: pause_of(settings.baud),
                buffer: vec![0; READ_BYTES],
                read: None,
            })
        });
        opened.collect()
    }

    fn poll(&mut self, context: &mut Context<'_>) -> bool {
        let mut buffer = ReadBuf::new(&mut self.buffer);
        self.read = match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
            Poll::Ready(done) => Some(done.map(|()| buffer.filled().len())),
            Poll::Pending => None,
        };
        self.read.is_some()
    }
}

/// Waits until a port has something, and reads every one that has. They stand in the order of cause: what was said to a
/// device comes before its answer when both are there.
async fn read_all(ports: &mut [Port]) {
    std::future::poll_fn(|context| {
        let ready = ports.iter_mut().map(|port| port.poll(context)).filter(|&ready| ready).count();
        if ready > 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Bytes that were read and wait for the loop.
#[derive(Debug, Default)]
struct Waiting {
    chunks: VecDeque<(Direction, Vec<u8>)>,
    bytes: usize,
    overrun: bool,
}

impl Waiting {
    /// Takes what was read, or drops it when too much waits.
    fn push(&mut self, direction: Direction, bytes: &[u8]) {
        // While a loss waits to be said, what follows it is lost too: it must not be taken for the rest of the line
        // before it.
        if self.overrun {
            return;
        }
        if self.bytes + bytes.len() > WAITING_BYTES_MAX {
            self.overrun = true;
            return;
        }
        self.bytes += bytes.len();
        match self.chunks.back_mut() {
            Some((way, last))
                if *way == direction && last.len() + bytes.len() <= CHUNK_BYTES_MAX =>
            {
                last.extend_from_slice(bytes);
            }
            _ => self.chunks.push_back((direction, bytes.to_vec())),
        }
    }

    fn is_empty(&self) -> bool {
        self.chunks.is_empty() && !self.overrun
    }

    /// What is to be said next; a loss once all that came before it is said.
    fn pop(&mut self) -> Option<Word> {
        match self.chunks.pop_front() {
            Some((direction, bytes)) => {
                self.bytes -= bytes.len();
                Some(Word::Bytes { direction, bytes, place: None })
            }
            None => std::mem::take(&mut self.overrun).then_some(Word::Overrun),
        }
    }
}

/// Reads open ports until one of them is gone.
async fn listen(mut ports: Vec<Port>, idle_ms: u64, outlet: &Outlet) -> Result<SourceLoss, Ended> {
    let mut waiting = Waiting::default();
    let mut quiet = false;
    let mut pause = ports.iter().map(|port| port.pause).min().unwrap_or_default();
    if ports.len() > 1 {
        pause = pause.min(Duration::from_millis(PAUSE_OF_TWO_MS_MAX));
    }
    let mut next_idle = tokio::time::Instant::now() + Duration::from_millis(idle_ms);
    let mut paused_until = None;
    loop {
        let wake = paused_until.unwrap_or(next_idle);
        tokio::select! {
            // Reading comes first: "nothing to say" is said only when reading had nothing.
            biased;
            () = read_all(&mut ports), if paused_until.is_none() => {
                quiet = false;
                match take_all(&mut ports, &mut waiting) {
                    Ok(most) if most < PAUSE_BELOW_BYTES => {
                        paused_until = Some(tokio::time::Instant::now() + pause);
                    }
                    Ok(_) => {}
                    Err(reason) => {
                        while let Some(word) = waiting.pop() {
                            outlet.say(word).await?;
                        }
                        return Ok(reason);
                    }
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

/// Takes what was read from all ports; the most that one of them gave, or why one is gone.
fn take_all(ports: &mut [Port], waiting: &mut Waiting) -> Result<usize, SourceLoss> {
    let mut most = 0;
    let mut lost = None;
    for port in ports {
        match port.read.take().map(gone) {
            None => {}
            Some(Ok(count)) => {
                waiting.push(port.direction, &port.buffer[..count]);
                most = most.max(count);
            }
            Some(Err(reason)) => {
                tracing::warn!(port = port.name, ?reason, "the port went away");
                lost = Some(reason);
            }
        }
    }
    lost.map_or(Ok(most), Err)
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
