//! The whole agent without a world: [`Input`] in, [`Effect`]s out. Reads no clock and no port, writes no file.
//!
//! The loop around it reads the clocks, calls [`Agent::handle`], carries out every [`Agent::next_effect`], and calls
//! again at [`Agent::wake_at`] at the latest.

use crate::decode::decoder::{Decoded, Decoder};
use crate::decode::dialect::{Dialect, Direction};
use crate::spool::bookmark::{Bookmark, Place, Reading};
use crate::spool::numbering::Start;
pub use crate::spool::plan::{Effect, Report};
use crate::spool::plan::{Plan, SpoolSettings};
use crate::spool::pulse::Coverage;
use crate::spool::storage::{Held, StorageAnswer};
use crate::spool::tombstone::Moment;
use crate::spool::writing::Utterance;
use slipwatch_shared::event::{
    Body, DecodeFailure, Epoch, Seq, SourceDescription, SourceId, SourceLoss,
};
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::{Observed, Uptime};
use slipwatch_shared::wire::envelope::{Commit, Request};
use std::sync::Arc;

/// What one source is.
#[derive(Clone, Debug)]
pub struct SourceSettings {
    /// Its number: its place in the settings, from 1.
    pub id: SourceId,
    /// What the stream says of it when it opens; its name is the key of its bookmark.
    pub description: SourceDescription,
    /// The terminal behind it, where its text shows none.
    pub terminal: Option<TerminalId>,
    /// What it speaks.
    pub dialect: Arc<dyn Dialect>,
}

/// What the agent needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What is kept and sent, and how.
    pub spool: SpoolSettings,
    /// Each open source pulses this often.
    pub pulse_ms: u64,
    /// All sources.
    pub sources: Vec<SourceSettings>,
}

/// All that can happen to an agent.
#[derive(Debug)]
pub enum Input<'a> {
    /// The source is read from now on; a file from where its bookmark says.
    SourceOpened {
        /// Which.
        source: SourceId,
        /// Where reading goes on: for a file always, also at its start; for anything else never.
        bookmark: Option<Bookmark>,
    },
    /// The source said something. Bytes of a file are whole lines where that can be.
    Bytes {
        /// Which.
        source: SourceId,
        /// Which way they went.
        direction: Direction,
        /// What.
        bytes: &'a [u8],
        /// Where in the file they end; only for files.
        place: Option<Place>,
    },
    /// The source was looked at and had nothing more to say: it is covered until now. Say it at least every pulse.
    SourceIdle {
        /// Which.
        source: SourceId,
    },
    /// The source said more than could be taken; some of it is gone.
    SourceOverrun {
        /// Which.
        source: SourceId,
    },
    /// The source is not read from now on.
    SourceLost {
        /// Which.
        source: SourceId,
        /// Why.
        reason: SourceLoss,
    },
    /// Time passed.
    Tick,
    /// The storage answered an order.
    Storage(StorageAnswer),
    /// A connection stands, commits and requests can be heard, and the birth was said.
    Connected,
    /// The connection is gone.
    Disconnected,
    /// The collector has stored numbers.
    Committed(Commit),
    /// The collector asks for numbers again.
    Requested(Request),
    /// The agent ends in good order: everything held goes to the storage at once.
    Stop,
}

struct Source {
    settings: SourceSettings,
    /// Present while the source is open.
    decoder: Option<Decoder>,
    /// Until when the source is known to have been read empty.
    heard: Uptime,
    reading: Reading,
    is_file: bool,
    /// Where in the file the bytes taken last ended.
    place: Option<Place>,
}

/// The agent.
pub struct Agent {
    plan: Plan,
    coverage: Coverage,
    sources: Vec<Source>,
    now: Observed,
}

impl Agent {
    /// Goes on where the last life ended, with what the storage says that it holds.
    pub fn start(settings: Settings, start: Start, held: Held, now: Observed) -> Agent {
        let source = |settings| Source {
            settings,
            decoder: None,
            heard: now.uptime,
            reading: Reading::default(),
            is_file: false,
            place: None,
        };
        Agent {
            plan: Plan::new(settings.spool, start, held, now),
            coverage: Coverage::new(settings.pulse_ms),
            sources: settings.sources.into_iter().map(source).collect(),
            now,
        }
    }

    /// Which life of the numbering, the first number that can still be sent, and the next one given.
    pub fn numbers(&self) -> (Epoch, Seq, Seq) {
        self.plan.numbers()
    }

    /// What is kept, sent and dropped.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Whether sources may be read; when not, they have to wait.
    pub fn has_room(&self) -> bool {
        self.plan.has_room()
    }

    /// What is to be done next; all of it is to be done before the next input.
    pub fn next_effect(&mut self) -> Option<Effect> {
        self.plan.next_effect()
    }

    /// When to come again at the latest.
    pub fn wake_at(&self) -> Option<Uptime> {
        let decoders = self.sources.iter().filter_map(|source| source.decoder.as_ref()?.wake_at());
        let others = [self.plan.wake_at(), self.coverage.due()];
        decoders.chain(others.into_iter().flatten()).min()
    }

    /// One thing happened, now.
    pub fn handle(&mut self, now: Observed, input: Input<'_>) {
        // The uptime never goes back; a caller's mistake in that is not carried into the stream.
        self.now = Observed { uptime: now.uptime.max(self.now.uptime), ..now };
        let now = self.now;
        self.plan.clock_read(now, self.coverage.summary());
        match input {
            Input::SourceOpened { source, bookmark } => self.open(source, bookmark),
            Input::Bytes { source, direction, bytes, place } => {
                self.push(source, direction, bytes, place)
            }
            Input::SourceIdle { source } => self.idle(source),
            Input::SourceOverrun { source } => self.overrun(source),
            Input::SourceLost { source, reason } => self.lose(source, reason),
            Input::Tick => {}
            Input::Storage(answer) => self.plan.answered(answer),
            Input::Connected => self.plan.connected(),
            Input::Disconnected => self.plan.disconnected(),
            Input::Committed(commit) => self.plan.committed_by_collector(commit, now),
            Input::Requested(request) => self.plan.requested(request),
            Input::Stop => self.stop(),
        }
        self.settle();
        self.pulse();
        self.plan.pump(now, self.coverage.summary());
    }

    fn source(&mut self, id: SourceId) -> Option<usize> {
        self.sources.iter().position(|source| source.settings.id == id)
    }

    fn open(&mut self, id: SourceId, bookmark: Option<Bookmark>) {
        let Some(at) = self.source(id) else { return };
        if self.sources[at].decoder.is_some() {
            self.lose(id, SourceLoss::ReadError);
        }
        let now = self.now.uptime;
        let source = &mut self.sources[at];
        let SourceSettings { dialect, terminal, description, .. } = &source.settings;
        source.decoder = Some(Decoder::new(dialect.clone(), *terminal));
        source.heard = now;
        source.reading = Reading::resumed(bookmark);
        source.is_file = bookmark.is_some();
        source.place = bookmark.map(|bookmark| bookmark.place);
        if let Some(bookmark) = bookmark {
            // Kept with the word that it was opened: what is written while the agent is down is not passed over.
            self.plan.bookmark(&description.name, bookmark);
        }
        self.coverage.opened(id, now);
        let body = Body::SourceOpened(description.clone());
        self.plan.say(Utterance::own(id, *terminal, now, body), self.coverage.summary());
    }

    fn push(&mut self, id: SourceId, direction: Direction, bytes: &[u8], place: Option<Place>) {
        let Some(at) = self.source(id) else { return };
        let now = self.now.uptime;
        let source = &mut self.sources[at];
        let Some(decoder) = &mut source.decoder else { return };
        source.is_file |= place.is_some();
        source.place = place;
        decoder.push(direction, bytes, now);
        source.heard = now;
        self.take_decoded(at);
        self.mark_when_empty(at);
        self.note_coverage(at);
    }

    fn idle(&mut self, id: SourceId) {
        let Some(at) = self.source(id) else { return };
        self.sources[at].heard = self.now.uptime;
        self.note_coverage(at);
    }

    fn overrun(&mut self, id: SourceId) {
        let Some(at) = self.source(id) else { return };
        let SourceSettings { terminal, .. } = self.sources[at].settings;
        let said = Utterance::failed(id, terminal, self.now.uptime, DecodeFailure::Overrun);
        self.plan.say(said, self.coverage.summary());
    }

    fn lose(&mut self, id: SourceId, reason: SourceLoss) {
        let Some(at) = self.source(id) else { return };
        let now = self.now.uptime;
        let source = &mut self.sources[at];
        let terminal = source.settings.terminal;
        let Some(decoder) = &mut source.decoder else { return };
        // Of a file nothing is torn when the agent stops: what the decoder holds is read again after the next start.
        let is_read_again = source.is_file && reason == SourceLoss::AgentStopped;
        if !is_read_again {
            decoder.finish(now);
            self.take_decoded(at);
            self.mark_when_empty(at);
        }
        self.note_coverage(at);
        self.pulse_of(at);
        self.sources[at].decoder = None;
        let said = Utterance::own(id, terminal, now, Body::SourceLost { reason });
        self.plan.say(said, self.coverage.summary());
        self.coverage.closed(id);
    }

    fn stop(&mut self) {
        let ids: Vec<SourceId> = self.sources.iter().map(|source| source.settings.id).collect();
        ids.into_iter().for_each(|id| self.lose(id, SourceLoss::AgentStopped));
        self.plan.close(self.coverage.summary());
    }

    /// What waited inside a decoder long enough is let go.
    fn settle(&mut self) {
        let now = self.now.uptime;
        for at in 0..self.sources.len() {
            let Some(decoder) = &mut self.sources[at].decoder else { continue };
            if decoder.wake_at().is_some_and(|due| due <= now) {
                decoder.settle(now);
                self.take_decoded(at);
                self.mark_when_empty(at);
                self.note_coverage(at);
            }
        }
    }

    fn pulse(&mut self) {
        if self.coverage.take_due(self.now.uptime) {
            (0..self.sources.len()).for_each(|at| self.pulse_of(at));
        }
    }

    fn pulse_of(&mut self, at: usize) {
        let source = &mut self.sources[at];
        let (id, terminal) = (source.settings.id, source.settings.terminal);
        let (Some(decoder), Some(until)) = (&mut source.decoder, self.coverage.until(id)) else {
            return;
        };
        let body = Body::Pulse(decoder.take_counts());
        self.plan.say(Utterance::own(id, terminal, until, body), self.coverage.summary());
    }

    /// Everything that came out of a decoder is said, but for what was kept before a restart.
    fn take_decoded(&mut self, at: usize) {
        let source = &mut self.sources[at];
        let SourceSettings { id, terminal: own_terminal, ref description, .. } = source.settings;
        let Some(decoder) = &mut source.decoder else { return };
        while let Some(decoded) = decoder.next_decoded() {
            let utterance = match decoded {
                Decoded::Said { at, terminal, device_time, body, evidence } => {
                    Utterance { source: id, terminal, at, device_time, body, evidence }
                }
                Decoded::Failed { at, reason } => Utterance::failed(id, own_terminal, at, reason),
            };
            if source.reading.take() || !source.is_file {
                self.plan.say(utterance, self.coverage.summary());
            }
            if source.is_file
                && let Some(bookmark) = source.reading.bookmark()
            {
                self.plan.bookmark(&description.name, bookmark);
            }
        }
    }

    /// Where the decoder holds nothing any more is a place to read on from.
    fn mark_when_empty(&mut self, at: usize) {
        let source = &mut self.sources[at];
        let (Some(decoder), Some(place)) = (&source.decoder, source.place) else { return };
        // Asked for a moment later: what was taken in just now and is still held would otherwise look settled.
        let later = self.now.uptime.plus_ms(1);
        if decoder.settled_until(later) >= later {
            source.reading.emptied_at(place);
            let bookmark = Bookmark { place, skip: 0 };
            self.plan.bookmark(&source.settings.description.name, bookmark);
        }
    }

    fn note_coverage(&mut self, at: usize) {
        let source = &self.sources[at];
        if let Some(decoder) = &source.decoder {
            self.coverage.heard(source.settings.id, decoder.settled_until(source.heard));
        }
    }

    /// Boot, clock and time of the last reading.
    pub fn moment(&self) -> Moment {
        self.plan.moment()
    }
}

#[cfg(test)]
mod tests;
