//! The parts joined: bytes to lines, to text, to scrubbed text, to what was said. Reads no clock and no port; the
//! caller tells both.

use crate::decode::dialect::profile::Profile;
use crate::decode::dialect::profile::reader::{Reader, Sink};
use crate::decode::framer::lines::{Cut, LineFramer};
use crate::decode::plain::plain;
pub use crate::decode::record::Decoded;
use crate::decode::scrub::{Scrubbed, Scrubber};
use slipwatch_shared::event::{DecodeFailure, LineCounts};
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::Uptime;
use std::collections::VecDeque;
use std::sync::Arc;

/// Most bytes that are framed at once, so that a large push needs no more memory than a small one.
const PUSH_BYTES_MAX: usize = 64 * 1024;

/// How long after a failure the next one of its kind is only counted: a line at the wrong speed fails a hundred times
/// a second and says the same thing each time.
const FAILURE_AGAIN_MS: u64 = 1_000;

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
    scrubber: Scrubber,
    reader: Reader,
    decoded: VecDeque<Decoded>,
    counts: LineCounts,
    /// When a line was last too long or not of the encoding.
    failed_at: Option<Uptime>,
}

impl Decoder {
    /// A decoder at the start of a stream. `terminal` is the one of the source's settings, used where the text
    /// names none.
    pub fn new(profile: Arc<Profile>, terminal: Option<TerminalId>) -> Decoder {
        let lines = LineReader {
            scrubber: Scrubber::new(profile.labels()),
            reader: Reader::new(&profile, terminal),
            decoded: VecDeque::new(),
            counts: LineCounts::default(),
            failed_at: None,
            profile,
        };
        Decoder { framer: LineFramer::default(), lines }
    }

    /// Takes the next bytes of the source, read at `at`.
    pub fn push(&mut self, bytes: &[u8], at: Uptime) {
        let Decoder { framer, lines } = self;
        lines.counts.bytes += bytes.len() as u64;
        for part in bytes.chunks(PUSH_BYTES_MAX) {
            framer.push(part);
            while let Some(cut) = framer.next_cut() {
                match cut {
                    Cut::Line(line) => lines.take(line, at),
                    Cut::Overlong(_) => lines.take_unseen(at),
                }
            }
        }
    }

    /// Time passed: a held line or slip that waited longer than the profile's gap is let go.
    pub fn settle(&mut self, now: Uptime) {
        let gap_ms = self.lines.profile.gap_ms;
        let is_over =
            |since: Option<Uptime>| since.is_some_and(|since| since.plus_ms(gap_ms) <= now);
        if is_over(self.lines.scrubber.held_since()) {
            self.lines.scrubber.let_go();
            self.lines.take_ready();
        }
        if is_over(self.lines.reader.open_since()) {
            self.lines.close();
        }
    }

    /// The link was lost or the file ended: everything is let go, an unfinished line is torn.
    pub fn finish(&mut self, at: Uptime) {
        self.lines.scrubber.let_go();
        self.lines.take_ready();
        let Decoder { framer, lines } = self;
        let torn = framer.finish();
        if let Some(Cut::Line(torn)) = torn {
            let (text, _) = lines.profile.encoding.decode(torn);
            lines.scrubber.torn(&plain(text));
            lines.counts.lines += 1;
        }
        lines.close();
        if torn.is_some() {
            lines.fail(at, DecodeFailure::Torn);
        }
    }

    /// The next thing that came out.
    pub fn next_decoded(&mut self) -> Option<Decoded> {
        self.lines.decoded.pop_front()
    }

    /// Nothing that was said before this is still inside. What was decoded and not yet taken is the caller's matter;
    /// an unfinished line is said when its last byte comes.
    pub fn settled_until(&self, now: Uptime) -> Uptime {
        let waiting = [self.lines.scrubber.held_since(), self.lines.reader.open_since()];
        waiting.into_iter().flatten().fold(now, Uptime::min)
    }

    /// When [`Decoder::settle`] would let something go.
    pub fn wake_at(&self) -> Option<Uptime> {
        let waiting = [self.lines.scrubber.held_since(), self.lines.reader.open_since()];
        let first = waiting.into_iter().flatten().min()?;
        Some(first.plus_ms(self.lines.profile.gap_ms))
    }

    /// What the lines came to since this was last called.
    pub fn take_counts(&mut self) -> LineCounts {
        std::mem::take(&mut self.lines.counts)
    }
}

impl LineReader {
    #[inline]
    fn take(&mut self, line: &[u8], at: Uptime) {
        if line.is_empty() {
            return;
        }
        self.counts.lines += 1;
        let (text, is_sound) = self.profile.encoding.decode(line);
        let text = plain(text);
        let rest = self.profile.head_end(&text);
        let unmatched = self.counts.unmatched;
        match self.scrubber.line(&text, rest, at) {
            Scrubbed::Clean => {
                let mut sink = Sink { decoded: &mut self.decoded, counts: &mut self.counts };
                self.reader.take(&self.profile, &text, at, &mut sink);
            }
            Scrubbed::Ready => self.take_ready(),
        }
        if !is_sound && self.counts.unmatched > unmatched {
            self.counts.unmatched -= 1;
            self.fail_again(at, DecodeFailure::Encoding);
        }
    }

    /// Takes the lines that the scrubber has let go.
    fn take_ready(&mut self) {
        while let Some((line, at)) = self.scrubber.next_line() {
            let mut sink = Sink { decoded: &mut self.decoded, counts: &mut self.counts };
            self.reader.take(&self.profile, &line, at, &mut sink);
        }
    }

    /// A part of an overlong line went by.
    fn take_unseen(&mut self, at: Uptime) {
        self.scrubber.unseen();
        self.take_ready();
        self.counts.lines += 1;
        self.fail_again(at, DecodeFailure::TooLong);
    }

    fn close(&mut self) {
        let mut sink = Sink { decoded: &mut self.decoded, counts: &mut self.counts };
        self.reader.close(&self.profile, &mut sink);
    }

    /// Counts a rejected line, and says so unless it was said just before.
    fn fail_again(&mut self, at: Uptime, reason: DecodeFailure) {
        if self.failed_at.is_some_and(|last| at.ms_since(last) < FAILURE_AGAIN_MS) {
            self.counts.rejected += 1;
            return;
        }
        self.failed_at = Some(at);
        self.fail(at, reason);
    }

    fn fail(&mut self, at: Uptime, reason: DecodeFailure) {
        Sink { decoded: &mut self.decoded, counts: &mut self.counts }.fail(at, reason);
    }
}
