//! Scrubbed lines to what was said: the state of one source's dialect, an open block and room to match in.

use super::Profile;
use super::block::{Closed, Line, OpenBlock, Step};
use super::rule::{Matched, Room};
use crate::decode::dialect::Sink;
use crate::decode::record::{Decoded, evidence};
use slipwatch_shared::event::DecodeFailure;
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::Uptime;

/// Reads the lines of one source.
#[derive(Debug)]
pub(crate) struct Reader {
    room: Room,
    open: Option<OpenBlock>,
    /// The terminal of the source's settings.
    terminal: Option<TerminalId>,
}

impl Reader {
    /// A reader at the start of a source.
    pub fn new(profile: &Profile, terminal: Option<TerminalId>) -> Reader {
        Reader { room: profile.rules.room(), open: None, terminal }
    }

    /// Takes a scrubbed line, read at `at`.
    pub fn take(&mut self, profile: &Profile, line: &str, at: Uptime, sink: &mut Sink<'_>) {
        let head = profile.vocabulary.heads.read_head(line);
        let rest = head.map_or(line, |(_, from)| &line[from..]);
        let parts = Line { whole: line, rest, timed: head.is_some() };
        if self.open.is_some() && self.take_inside(profile, parts, at, sink) {
            return;
        }
        match profile.rules.apply(rest, &mut self.room, &profile.vocabulary) {
            Matched::Unmatched => sink.counts.unmatched += 1,
            Matched::Ignored => {}
            Matched::Begins(index) => self.begin(profile, index, parts, at, sink),
            Matched::Says(None, _) => sink.fail(at, DecodeFailure::Field),
            Matched::Says(Some(body), draft) => sink.decoded.push_back(Decoded::Said {
                at,
                terminal: draft.terminal.or(self.terminal),
                device_time: draft.time.or(head.map(|head| head.0)),
                body,
                evidence: evidence(line),
            }),
        }
    }

    /// Ends the open block, if any: nothing more belongs to it.
    pub fn close(&mut self, profile: &Profile, sink: &mut Sink<'_>) {
        let Some(open) = self.open.take() else { return };
        let at = open.at;
        match profile.blocks[open.index].close(&open, &profile.vocabulary) {
            Closed::Ignored => {}
            Closed::Foreign => sink.counts.unmatched += open.lines,
            Closed::Torn => sink.fail(at, DecodeFailure::Torn),
            Closed::Says(body, draft) => sink.decoded.push_back(Decoded::Said {
                at,
                terminal: draft.terminal.or(self.terminal),
                device_time: draft.time,
                body,
                evidence: evidence(&open.evidence),
            }),
        }
    }

    /// When the last line of the open block was read.
    pub fn open_since(&self) -> Option<Uptime> {
        self.open.as_ref().map(|open| open.at)
    }

    fn begin(
        &mut self,
        profile: &Profile,
        index: usize,
        line: Line<'_>,
        at: Uptime,
        sink: &mut Sink<'_>,
    ) {
        self.close(profile, sink);
        let mut open = OpenBlock::new(index, at);
        profile.blocks[index].take(&mut open, line, at);
        self.open = Some(open);
    }

    /// Whether the line belonged to the open block or ended it and means nothing else.
    fn take_inside(
        &mut self,
        profile: &Profile,
        line: Line<'_>,
        at: Uptime,
        sink: &mut Sink<'_>,
    ) -> bool {
        let Some(open) = &mut self.open else { return false };
        let block = &profile.blocks[open.index];
        let step = block.step(open, line);
        if matches!(step, Step::Inside | Step::Last) {
            block.take(open, line, at);
        }
        if !matches!(step, Step::Inside | Step::Beside) {
            self.close(profile, sink);
        }
        !matches!(step, Step::Behind | Step::Beside)
    }
}
