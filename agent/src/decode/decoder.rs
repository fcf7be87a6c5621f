//! One source's bytes to what was said, in whatever its device speaks. Reads no clock and no port; the caller tells
//! both.

use crate::decode::dialect::{Dialect, Direction, Reader, Sink};
pub use crate::decode::record::Decoded;
use slipwatch_shared::event::LineCounts;
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::Uptime;
use std::collections::VecDeque;
use std::sync::Arc;

/// Most bytes that are read at once, so that a large push needs no more memory than a small one.
const PUSH_BYTES_MAX: usize = 64 * 1024;

/// Turns the bytes of one source into what was said. Never panics on any input; holds a bounded amount of it.
#[derive(Debug)]
pub struct Decoder {
    reader: Box<dyn Reader>,
    decoded: VecDeque<Decoded>,
    counts: LineCounts,
    /// When a failure was last said.
    failed_at: Option<Uptime>,
}

impl Decoder {
    /// A decoder at the start of a stream. `terminal` is the one of the source's settings, used where nothing that is
    /// said names one.
    pub fn new(dialect: Arc<dyn Dialect>, terminal: Option<TerminalId>) -> Decoder {
        Decoder {
            reader: dialect.reader(terminal),
            decoded: VecDeque::new(),
            counts: LineCounts::default(),
            failed_at: None,
        }
    }

    /// Takes the next bytes of the source, read at `at`.
    pub fn push(&mut self, direction: Direction, bytes: &[u8], at: Uptime) {
        self.counts.bytes += bytes.len() as u64;
        let (reader, mut sink) = self.parts();
        for part in bytes.chunks(PUSH_BYTES_MAX) {
            reader.push(direction, part, at, &mut sink);
        }
    }

    /// Time passed: what waited inside long enough is let go.
    pub fn settle(&mut self, now: Uptime) {
        let (reader, mut sink) = self.parts();
        reader.settle(now, &mut sink);
    }

    /// The link was lost or the file ended: everything is let go, what is unfinished is torn.
    pub fn finish(&mut self, at: Uptime) {
        let (reader, mut sink) = self.parts();
        reader.finish(at, &mut sink);
    }

    /// The next thing that came out.
    pub fn next_decoded(&mut self) -> Option<Decoded> {
        self.decoded.pop_front()
    }

    /// Nothing that was said before this is still inside. What was decoded and not yet taken is the caller's matter;
    /// an unfinished line or frame is said when its last byte comes.
    pub fn settled_until(&self, now: Uptime) -> Uptime {
        self.reader.held_since().map_or(now, |since| since.min(now))
    }

    /// When [`Decoder::settle`] would let something go.
    pub fn wake_at(&self) -> Option<Uptime> {
        self.reader.wake_at()
    }

    /// What was counted since this was last called.
    pub fn take_counts(&mut self) -> LineCounts {
        std::mem::take(&mut self.counts)
    }

    fn parts(&mut self) -> (&mut dyn Reader, Sink<'_>) {
        let Decoder { reader, decoded, counts, failed_at } = self;
        (reader.as_mut(), Sink { decoded, counts, failed_at })
    }
}
