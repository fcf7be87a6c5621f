//! The parts joined: bytes to lines, to text, to scrubbed text, to what was said. Reads no clock and no port; the
//! caller tells both.

use crate::decode::dialect::profile::Profile;
use crate::decode::dialect::profile::reader::{Reader, Sink};
use crate::decode::framer::lines::{Cut, LineFramer};
pub use crate::decode::record::Decoded;
use slipwatch_shared::event::{DecodeFailure, LineCounts};
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::Uptime;
use std::collections::VecDeque;
use std::sync::Arc;

/// Turns the bytes of one source into what was said. Never panics on any input; holds a bounded amount of it.
#[derive(Debug)]
pub struct Decoder {
    framer: LineFramer,
    lines: LineReader,
}

/// All behind the framer.
#[derive(Debug)]
struct LineReader {
    profile: Arc<Profile>,
    reader: Reader,
    decoded: VecDeque<Decoded>,
    counts: LineCounts,
}

impl Decoder {
    /// A decoder at the start of a stream. `terminal` is the one of the source's settings, used where the text
    /// names none.
    pub fn new(profile: Arc<Profile>, terminal: Option<TerminalId>) -> Decoder {
        let reader = Reader::new(&profile, terminal);
        let (decoded, counts) = (VecDeque::new(), LineCounts::default());
        Decoder {
            framer: LineFramer::default(),
            lines: LineReader { profile, reader, decoded, counts },
        }
    }

    /// Takes the next bytes of the source, read at `at`.
    pub fn push(&mut self, bytes: &[u8], at: Uptime) {
        let Decoder { framer, lines } = self;
        lines.counts.bytes += bytes.len() as u64;
        framer.push(bytes);
        while let Some(cut) = framer.next_cut() {
            match cut {
                Cut::Line(line) => lines.take(line, at),
                Cut::Overlong(_) => lines.fail(at, DecodeFailure::TooLong),
            }
        }
    }

    /// Time passed: a held line or slip that waited longer than the profile's gap is let go.
    pub fn settle(&mut self, now: Uptime) {
        if self.wake_at().is_some_and(|at| at <= now) {
            self.lines.close();
        }
    }

    /// The link was lost or the file ended: everything is let go, an unfinished line is torn.
    pub fn finish(&mut self, at: Uptime) {
        self.lines.close();
        if self.framer.finish().is_some() {
            self.lines.counts.lines += 1;
            self.lines.fail(at, DecodeFailure::Torn);
        }
    }

    /// The next thing that came out.
    pub fn next_decoded(&mut self) -> Option<Decoded> {
        self.lines.decoded.pop_front()
    }

    /// Nothing that was said before this is still inside. What was decoded and not yet taken is the caller's matter.
    pub fn settled_until(&self, now: Uptime) -> Uptime {
        self.lines.reader.open_since().map_or(now, |since| since.min(now))
    }

    /// When [`Decoder::settle`] would let something go.
    pub fn wake_at(&self) -> Option<Uptime> {
        Some(self.lines.reader.open_since()?.plus_ms(self.lines.profile.gap_ms))
    }

    /// What the lines came to since this was last called.
    pub fn take_counts(&mut self) -> LineCounts {
        std::mem::take(&mut self.lines.counts)
    }
}

impl LineReader {
    fn take(&mut self, line: &[u8], at: Uptime) {
        if line.is_empty() {
            return;
        }
        self.counts.lines += 1;
        let (text, _sound) = self.profile.encoding.decode(line);
        let mut sink = Sink { decoded: &mut self.decoded, counts: &mut self.counts };
        self.reader.take(&self.profile, &text, at, &mut sink);
    }

    fn close(&mut self) {
        let mut sink = Sink { decoded: &mut self.decoded, counts: &mut self.counts };
        self.reader.close(&self.profile, &mut sink);
    }

    fn fail(&mut self, at: Uptime, reason: DecodeFailure) {
        Sink { decoded: &mut self.decoded, counts: &mut self.counts }.fail(at, reason);
    }
}
