//! One source that speaks text: bytes to lines, to text, to scrubbed text, to what was said.

use super::Profile;
use super::reader::Reader as SayingReader;
use crate::decode::dialect::{Direction, Reader, Sink};
use crate::decode::framer::lines::{Cut, LineFramer};
use crate::decode::plain::plain;
use crate::decode::scrub::{Scrubbed, Scrubber};
use slipwatch_shared::event::DecodeFailure;
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::Uptime;
use std::sync::Arc;

/// Reads the lines of one source. Both directions of a line are one text.
#[derive(Debug)]
pub(crate) struct TextReader {
    framer: LineFramer,
    lines: LineReader,
}

/// All behind the framer.
#[derive(Debug)]
struct LineReader {
    profile: Arc<Profile>,
    scrubber: Scrubber,
    reader: SayingReader,
}

impl TextReader {
    /// At the start of a source.
    pub fn new(profile: Arc<Profile>, terminal: Option<TerminalId>) -> TextReader {
        let scrubber = Scrubber::new(profile.labels());
        let reader = SayingReader::new(&profile, terminal);
        TextReader {
            framer: LineFramer::default(),
            lines: LineReader { profile, scrubber, reader },
        }
    }

    fn waiting(&self) -> Option<Uptime> {
        let waiting = [self.lines.scrubber.held_since(), self.lines.reader.open_since()];
        waiting.into_iter().flatten().min()
    }
}

impl Reader for TextReader {
    fn push(&mut self, _: Direction, bytes: &[u8], at: Uptime, sink: &mut Sink<'_>) {
        let TextReader { framer, lines } = self;
        framer.push(bytes);
        while let Some(cut) = framer.next_cut() {
            match cut {
                Cut::Line(line) => lines.take(line, at, sink),
                Cut::Overlong(_) => lines.take_unseen(at, sink),
            }
        }
    }

    /// A held line or slip that waited longer than the profile's gap is let go.
    fn settle(&mut self, now: Uptime, sink: &mut Sink<'_>) {
        let gap_ms = self.lines.profile.gap_ms;
        let is_over =
            |since: Option<Uptime>| since.is_some_and(|since| since.plus_ms(gap_ms) <= now);
        if is_over(self.lines.scrubber.held_since()) {
            self.lines.scrubber.let_go();
            self.lines.take_ready(sink);
        }
        if is_over(self.lines.reader.open_since()) {
            self.lines.close(sink);
        }
    }

    fn finish(&mut self, at: Uptime, sink: &mut Sink<'_>) {
        self.lines.scrubber.let_go();
        self.lines.take_ready(sink);
        let TextReader { framer, lines } = self;
        let torn = framer.finish();
        if let Some(Cut::Line(torn)) = torn {
            let (text, _) = lines.profile.encoding.decode(torn);
            lines.scrubber.torn(&plain(text));
            sink.counts.lines += 1;
        }
        lines.close(sink);
        if torn.is_some() {
            sink.fail(at, DecodeFailure::Torn);
        }
    }

    fn held_since(&self) -> Option<Uptime> {
        self.waiting()
    }

    fn wake_at(&self) -> Option<Uptime> {
        Some(self.waiting()?.plus_ms(self.lines.profile.gap_ms))
    }
}

impl LineReader {
    #[inline]
    fn take(&mut self, line: &[u8], at: Uptime, sink: &mut Sink<'_>) {
        if line.is_empty() {
            return;
        }
        sink.counts.lines += 1;
        let (text, is_sound) = self.profile.encoding.decode(line);
        let text = plain(text);
        let rest = self.profile.head_end(&text);
        let unmatched = sink.counts.unmatched;
        match self.scrubber.line(&text, rest, at) {
            Scrubbed::Clean => self.reader.take(&self.profile, &text, at, sink),
            Scrubbed::Ready => self.take_ready(sink),
        }
        if !is_sound && sink.counts.unmatched > unmatched {
            sink.counts.unmatched -= 1;
            sink.fail_again(at, DecodeFailure::Encoding);
        }
    }

    /// Takes the lines that the scrubber has let go.
    fn take_ready(&mut self, sink: &mut Sink<'_>) {
        while let Some((line, at)) = self.scrubber.next_line() {
            self.reader.take(&self.profile, &line, at, sink);
        }
    }

    /// A part of an overlong line went by.
    fn take_unseen(&mut self, at: Uptime, sink: &mut Sink<'_>) {
        self.scrubber.unseen();
        self.take_ready(sink);
        sink.counts.lines += 1;
        sink.fail_again(at, DecodeFailure::TooLong);
    }

    fn close(&mut self, sink: &mut Sink<'_>) {
        self.reader.close(&self.profile, sink);
    }
}
