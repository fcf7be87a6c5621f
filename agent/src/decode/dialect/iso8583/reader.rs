//! One source that speaks ISO 8583: its bytes or its log's lines to messages, and those to what was said.

use super::Iso8583;
use super::dump::{Dump, Row};
use super::message::{Message, Outcome};
use super::stream::{Cut, Stream};
use super::teller::{Moment, Teller};
use super::values::Values;
use crate::decode::dialect::{Direction, Reader, Sink};
use crate::decode::framer::lines::{Cut as LineCut, LineFramer};
use slipwatch_shared::event::DecodeFailure;
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::Uptime;
use std::sync::Arc;

/// What both kinds of source do with a message.
#[derive(Debug)]
struct Messages {
    iso: Arc<Iso8583>,
    values: Values,
    teller: Teller,
}

impl Messages {
    fn new(iso: Arc<Iso8583>, terminal: Option<TerminalId>) -> Messages {
        Messages { iso, values: Values::default(), teller: Teller::new(terminal) }
    }

    /// Takes a message as far as it was read. `bytes` begin with its type.
    fn take(&mut self, message: &Message, bytes: &[u8], moment: Moment, sink: &mut Sink<'_>) {
        let Messages { iso, values, teller } = self;
        values.read(&iso.layout, message, bytes);
        let sum = match message.outcome {
            Outcome::Complete => crc32fast::hash(&bytes[..message.end]),
            _ => 0,
        };
        // Without its trace nobody can say what a piece of a message is about.
        if message.outcome == Outcome::Complete || super::reading::stan(values).is_some() {
            teller.take(&iso.grammar, values, sum, moment, sink);
        }
    }
}

/// Reads a line's bytes, each direction by itself.
#[derive(Debug)]
pub(super) struct StreamReader {
    messages: Messages,
    streams: [Incoming; 3],
}

/// One direction.
#[derive(Debug, Default)]
struct Incoming {
    stream: Stream,
    /// When the first and the last of the bytes that wait were read.
    waiting: Option<(Uptime, Uptime)>,
}

impl StreamReader {
    /// At the start of a source.
    pub fn new(iso: Arc<Iso8583>, terminal: Option<TerminalId>) -> StreamReader {
        StreamReader { messages: Messages::new(iso, terminal), streams: Default::default() }
    }

    fn cut(&mut self, direction: usize, at: Uptime, is_over: bool, sink: &mut Sink<'_>) {
        let StreamReader { messages, streams } = self;
        let Incoming { stream, waiting } = &mut streams[direction];
        let mut cuts = 0;
        let iso = messages.iso.clone();
        while let Some(Cut { message, from, damage }) = stream.next_cut(&iso.layout, is_over) {
            cuts += 1;
            sink.counts.lines += 1;
            if let Some(message) = message {
                messages.take(&message, &stream.bytes()[from..], Moment { at, shown: None }, sink);
            }
            if let Some(damage) = damage {
                sink.fail_again(at, damage);
            }
        }
        *waiting = match (stream.is_waiting(), *waiting) {
            (false, _) => None,
            // What waits now came with the bytes that were read last.
            (true, Some((_, last))) if cuts > 0 => Some((last, last)),
            (true, waiting) => waiting,
        };
    }
}

impl Reader for StreamReader {
    fn push(&mut self, direction: Direction, bytes: &[u8], at: Uptime, sink: &mut Sink<'_>) {
        let direction = direction as usize;
        let incoming = &mut self.streams[direction];
        incoming.stream.push(bytes);
        let since = incoming.waiting.map_or(at, |(since, _)| since);
        incoming.waiting = Some((since, at));
        self.cut(direction, at, false, sink);
    }

    fn settle(&mut self, now: Uptime, sink: &mut Sink<'_>) {
        let gap_ms = self.messages.iso.gap_ms;
        for direction in 0..self.streams.len() {
            let waiting = self.streams[direction].waiting;
            if let Some((_, last)) = waiting.filter(|(_, last)| last.plus_ms(gap_ms) <= now) {
                self.cut(direction, last, true, sink);
            }
        }
        let Messages { iso, teller, .. } = &mut self.messages;
        teller.settle(&iso.grammar, now, sink);
    }

    fn finish(&mut self, at: Uptime, sink: &mut Sink<'_>) {
        for direction in 0..self.streams.len() {
            if self.streams[direction].waiting.is_some() {
                self.cut(direction, at, true, sink);
            }
        }
    }

    fn held_since(&self) -> Option<Uptime> {
        self.streams.iter().filter_map(|incoming| incoming.waiting).map(|waiting| waiting.0).min()
    }

    fn wake_at(&self) -> Option<Uptime> {
        let Messages { iso, teller, .. } = &self.messages;
        let gaps = self.streams.iter().filter_map(|incoming| incoming.waiting);
        let gaps = gaps.map(|(_, last)| last.plus_ms(iso.gap_ms));
        gaps.chain(teller.wake_at(&iso.grammar)).min()
    }
}

/// Reads a log's lines.
#[derive(Debug)]
pub(super) struct DumpReader {
    framer: LineFramer,
    lines: DumpLines,
}

/// All behind the framer.
#[derive(Debug)]
struct DumpLines {
    messages: Messages,
    dump: Dump,
    row: Row,
}

impl DumpReader {
    /// At the start of a source.
    pub fn new(iso: Arc<Iso8583>, terminal: Option<TerminalId>) -> DumpReader {
        let messages = Messages::new(iso, terminal);
        let lines = DumpLines { messages, dump: Dump::default(), row: Row::default() };
        DumpReader { framer: LineFramer::default(), lines }
    }
}

impl Reader for DumpReader {
    fn push(&mut self, _: Direction, bytes: &[u8], at: Uptime, sink: &mut Sink<'_>) {
        let DumpReader { framer, lines } = self;
        framer.push(bytes);
        while let Some(cut) = framer.next_cut() {
            match cut {
                LineCut::Line([]) => {}
                LineCut::Line(line) => lines.take(line, at, sink),
                LineCut::Overlong(_) => {
                    lines.close(sink);
                    sink.counts.lines += 1;
                    sink.fail_again(at, DecodeFailure::TooLong);
                }
            }
        }
    }

    fn settle(&mut self, now: Uptime, sink: &mut Sink<'_>) {
        let gap_ms = self.lines.messages.iso.gap_ms;
        if self.lines.dump.last_at().is_some_and(|last| last.plus_ms(gap_ms) <= now) {
            self.lines.close(sink);
        }
        let Messages { iso, teller, .. } = &mut self.lines.messages;
        teller.settle(&iso.grammar, now, sink);
    }

    fn finish(&mut self, at: Uptime, sink: &mut Sink<'_>) {
        let DumpReader { framer, lines } = self;
        // A log's last line may lack its end and be whole all the same.
        if let Some(LineCut::Line(line)) = framer.finish() {
            lines.take(line, at, sink);
        }
        lines.close(sink);
    }

    fn held_since(&self) -> Option<Uptime> {
        self.lines.dump.since()
    }

    fn wake_at(&self) -> Option<Uptime> {
        let Messages { iso, teller, .. } = &self.lines.messages;
        let gap = self.lines.dump.last_at().map(|last| last.plus_ms(iso.gap_ms));
        gap.into_iter().chain(teller.wake_at(&iso.grammar)).min()
    }
}

impl DumpLines {
    fn take(&mut self, line: &[u8], at: Uptime, sink: &mut Sink<'_>) {
        sink.counts.lines += 1;
        let iso = self.messages.iso.clone();
        let text = String::from_utf8_lossy(line);
        let (shown, rest) = match iso.clock.read_head(&text) {
            Some((time, from)) => (Some(time), &text[from..]),
            None => (None, text.as_ref()),
        };
        if !self.row.read(rest, self.dump.lead()) {
            sink.counts.unmatched += 1;
            self.close(sink);
            return;
        }
        if !self.dump.goes_on(&self.row) {
            self.close(sink);
        }
        if !self.dump.take(&self.row, Moment { at, shown }) {
            sink.fail_again(at, DecodeFailure::TooLong);
        }
        if self.dump.is_whole(&iso.layout) {
            self.close(sink);
        }
    }

    /// Nothing more belongs to the open dump.
    fn close(&mut self, sink: &mut Sink<'_>) {
        let DumpLines { messages, dump, .. } = self;
        let Some((moment, bytes, lines)) = dump.close() else { return };
        let iso = messages.iso.clone();
        let mut rest = bytes;
        let mut found = false;
        while let Some((from, message)) = super::dump::find(&iso.layout, rest) {
            found = true;
            messages.take(&message, &rest[from..], moment, sink);
            match message.outcome {
                Outcome::Complete => rest = &rest[from + message.end..],
                Outcome::Short(_) => {
                    sink.fail_again(moment.at, DecodeFailure::Torn);
                    break;
                }
                Outcome::Bad(_) => {
                    sink.fail_again(moment.at, DecodeFailure::Field);
                    break;
                }
            }
        }
        if !found {
            // A dump of something else.
            sink.counts.unmatched += lines;
        }
    }
}
