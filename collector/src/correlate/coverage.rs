//! How far each line of an agent was heard: spans, holes with their reasons, and the watermark that deadlines wait
//! for. Silence is not absence: a window with a hole in it proves nothing.

use super::shape::{Shape, ShapeError, shape_enum, shape_struct};
use super::timeline::StreamTime;
use super::verdict::Unknown;
use slipwatch_shared::event::{PrintedBy, SourceDescription, SourceId, SourceLoss};
use slipwatch_shared::terminal::TerminalId;
use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;

/// Most holes that are kept of one source; beyond that the two oldest become one that spans both.
pub const HOLES_MAX: usize = 32;

/// An open source that stands still this long, while its agent goes on, is taken for lost: it was taken out of the
/// agent's settings, and nobody said so.
pub const STALLED_MS_MAX: i64 = 3_600_000;

/// A stretch in which a source may have said something that is not in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hole {
    /// Heard up to here.
    pub from: StreamTime,
    /// Heard again from here on.
    pub to: StreamTime,
    /// Why.
    pub why: HoleReason,
}

/// Why a source was not heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HoleReason {
    /// The line went away, or was not open yet.
    SourceLost,
    /// The agent was down.
    AgentRestarted,
    /// Numbers of the stream were lost.
    NumbersLost,
    /// Something was said and could not be read.
    DecodeFailed,
}

impl HoleReason {
    /// What a verdict says of it.
    pub fn unknown(self) -> Unknown {
        match self {
            HoleReason::SourceLost => Unknown::SourceLost,
            HoleReason::AgentRestarted => Unknown::AgentRestarted,
            HoleReason::NumbersLost => Unknown::NumbersLost,
            HoleReason::DecodeFailed => Unknown::DecodeFailed,
        }
    }

    /// A word for pages.
    pub fn label(self) -> &'static str {
        self.unknown().label()
    }
}

/// What changes seldom of a source: what its opening told, and its holes. Most sources of a fleet are alike in this, and
/// share it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// Its name in the agent's settings; empty when its opening was not heard.
    pub name: Box<str>,
    /// Its dialect or profile.
    pub dialect: Box<str>,
    /// It carries debits, reversals and voids.
    pub hears_money: bool,
    /// It carries slips.
    pub hears_slips: bool,
    /// It plays a recording.
    pub historical: bool,
    /// The last holes, oldest first.
    pub holes: Vec<Hole>,
}

/// Most kinds of lines that are shared; one of any other kind has its own.
const LINES_MAX: usize = 1024;

/// The kinds of lines that a fleet has.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    known: BTreeSet<Arc<Line>>,
}

impl Lines {
    /// Has a source share its line with those that are alike; one with holes is like no other.
    pub fn share(&mut self, source: &mut Source) {
        if !source.holes.is_empty() {
            return;
        }
        match self.known.get(&source.line) {
            Some(known) => source.line = known.clone(),
            None if self.known.len() < LINES_MAX => _ = self.known.insert(source.line.clone()),
            None => {}
        }
    }
}

/// One source of an agent and how far it was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its place in the agent's settings.
    pub id: SourceId,
    /// Why it is not heard since then; absent while it is open.
    pub closed: Option<HoleReason>,
    /// A hole that began at `covered_until` and ends with the next thing it says.
    pub breaking: Option<HoleReason>,
    /// The terminal of its settings; absent: it may speak for any terminal of the agent.
    pub terminal: Option<TerminalId>,
    /// Nothing of it is known before this.
    pub begun: StreamTime,
    /// Whatever it said up to here is in the stream, but for the holes.
    pub covered_until: StreamTime,
    line: Arc<Line>,
}

impl Deref for Source {
    type Target = Line;

    fn deref(&self) -> &Line {
        &self.line
    }
}

impl Source {
    fn new(id: SourceId, at: StreamTime) -> Source {
        let (begun, covered_until, line) = (at, at, Arc::default());
        Source { id, closed: None, breaking: None, terminal: None, begun, covered_until, line }
    }

    /// Its opening was lost: what it carries is learned from what it says.
    pub(super) fn learn(&mut self, hears_money: bool, hears_slips: bool) {
        if hears_money && !self.hears_money || hears_slips && !self.hears_slips {
            let line = Arc::make_mut(&mut self.line);
            line.hears_money |= hears_money;
            line.hears_slips |= hears_slips;
        }
    }

    fn hole(&mut self, to: StreamTime, why: HoleReason) {
        let from = self.covered_until;
        let holes = &mut Arc::make_mut(&mut self.line).holes;
        holes.push(Hole { from, to: to.max(from), why });
        if holes.len() > HOLES_MAX {
            let oldest = holes.remove(0);
            holes[0].from = oldest.from.min(holes[0].from);
        }
    }

    /// It said something at `at`: all before is in the stream.
    fn hear(&mut self, at: StreamTime) {
        if let Some(why) = self.closed.take().or(self.breaking.take()) {
            self.breaking = None;
            self.hole(at, why);
        }
        self.covered_until = self.covered_until.max(at);
    }

    /// Up to where it is settled what was heard of it, be it by hearing or by a hole.
    pub fn settled_until(&self, latest: StreamTime) -> StreamTime {
        let stalled = latest.ms_since(self.covered_until) > STALLED_MS_MAX;
        if self.closed.is_some() || stalled { latest } else { self.covered_until }
    }

    /// Why `from..=to` was not wholly heard; absent when it was.
    pub fn hole_in(&self, from: StreamTime, to: StreamTime) -> Option<HoleReason> {
        if self.begun > from {
            return Some(HoleReason::SourceLost);
        }
        let touches = |hole: &&Hole| hole.from < to && hole.to > from;
        // One right behind what was said at `from`: a box without a clock boots to the time of its last word.
        let point = |hole: &&Hole| hole.from == hole.to && (from..=to).contains(&hole.from);
        let known = self.holes.iter().find(|hole| touches(hole) || point(hole));
        let open_end = || {
            let why = self.closed.or(self.breaking).unwrap_or(HoleReason::SourceLost);
            (self.covered_until < to).then_some(why)
        };
        known.map(|hole| hole.why).or_else(open_end)
    }

    /// Whether it speaks for a terminal.
    pub fn serves(&self, terminal: Option<TerminalId>) -> bool {
        self.terminal.is_none() || self.terminal == terminal
    }
}

/// All sources of one agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// In the order of their places; at most as many as an agent may have.
    pub sources: Vec<Source>,
    /// Those of them whose own line said that no slip passes over it, whatever the settings say.
    pub slipless: Vec<SourceId>,
}

impl Coverage {
    /// A source by its place.
    pub fn source(&self, id: SourceId) -> Option<&Source> {
        self.sources.iter().find(|source| source.id == id)
    }

    fn source_or_new(&mut self, id: SourceId, at: StreamTime) -> &mut Source {
        let place = self.sources.partition_point(|source| source.id < id);
        if self.sources.get(place).is_none_or(|source| source.id != id) {
            // A line or two, and never another.
            self.sources.reserve_exact(1);
            self.sources.insert(place, Source::new(id, at));
        }
        &mut self.sources[place]
    }

    /// A source said something.
    pub fn hear(&mut self, id: SourceId, at: StreamTime) -> &mut Source {
        let source = self.source_or_new(id, at);
        source.hear(at);
        source
    }

    /// A source opened. One that was open already was cut off with its agent.
    pub fn open(
        &mut self,
        id: SourceId,
        at: StreamTime,
        terminal: Option<TerminalId>,
        description: &SourceDescription,
        lines: &mut Lines,
    ) {
        let known = self.source(id).is_some();
        let source = self.source_or_new(id, at);
        if known {
            source.closed.get_or_insert(HoleReason::AgentRestarted);
        }
        source.hear(at);
        source.terminal = terminal;
        let line = Arc::make_mut(&mut source.line);
        line.name = description.name.clone();
        line.dialect = description.dialect.clone();
        line.hears_money = description.hears_money;
        line.hears_slips = description.hears_slips;
        line.historical = description.historical;
        lines.share(source);
    }

    /// A line said who prints. It is believed until it says otherwise, also over a restart of its agent.
    pub fn assign(&mut self, id: SourceId, to: PrintedBy) {
        self.slipless.retain(|known| *known != id);
        if to != PrintedBy::TillFromTerminalText {
            self.slipless.push(id);
        }
    }

    /// Whether slips are heard on a source: its settings say so, and its line did not say otherwise.
    pub fn carries_slips(&self, source: &Source) -> bool {
        source.hears_slips && !self.slipless.contains(&source.id)
    }

    /// A source is not heard from now on.
    pub fn lose(&mut self, id: SourceId, at: StreamTime, reason: SourceLoss) {
        let source = self.source_or_new(id, at);
        // Read to its end in good order: heard up to now. A line that broke was heard up to its last word.
        if matches!(reason, SourceLoss::AgentStopped | SourceLoss::EndOfFile) {
            source.hear(at);
        }
        source.closed = Some(match reason {
            SourceLoss::AgentStopped => HoleReason::AgentRestarted,
            _ => HoleReason::SourceLost,
        });
    }

    /// Something was said and could not be read.
    pub fn unread(&mut self, id: SourceId, at: StreamTime) {
        let source = self.source_or_new(id, at);
        source.hole(at, HoleReason::DecodeFailed);
        source.hear(at);
    }

    /// Numbers of the stream are gone: whatever any source said since it was last heard may be among them.
    pub fn numbers_lost(&mut self) {
        for source in &mut self.sources {
            if source.closed.is_none() {
                source.breaking = Some(HoleReason::NumbersLost);
            }
        }
    }

    /// The machine started anew: no source is heard until it opens again.
    pub fn rebooted(&mut self) {
        for source in &mut self.sources {
            source.closed.get_or_insert(HoleReason::AgentRestarted);
        }
    }

    /// A source's text names a terminal that its settings do not: it may speak for any.
    pub fn spoke_for(&mut self, id: SourceId, terminal: Option<TerminalId>) {
        let Some(source) = self.sources.iter_mut().find(|source| source.id == id) else { return };
        if terminal.is_some() && source.terminal.is_some() && terminal != source.terminal {
            source.terminal = None;
        }
    }

    /// The sources that a verdict about a terminal needs.
    pub fn of(&self, terminal: Option<TerminalId>) -> impl Iterator<Item = &Source> {
        self.sources.iter().filter(move |source| {
            source.serves(terminal) && (source.hears_money || source.hears_slips)
        })
    }
}

/// Which lines a verdict rests on: only their silence means something to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Those that carry debits, reversals and closes.
    Money,
    /// Those that carry slips and the printer's state.
    Slips,
    /// All of them.
    All,
}

impl Needs {
    fn takes(self, coverage: &Coverage, source: &Source) -> bool {
        match self {
            Needs::Money => source.hears_money,
            Needs::Slips => coverage.carries_slips(source),
            Needs::All => true,
        }
    }
}

/// What was heard of one terminal: all that a rule may know of time and silence.
#[derive(Clone, Copy, Debug)]
pub struct Heard<'a> {
    /// Its agent's sources.
    pub coverage: &'a Coverage,
    /// Which terminal.
    pub terminal: Option<TerminalId>,
    /// The latest time of its agent's stream.
    pub latest: StreamTime,
    /// Its agent is not heard now, on the collector's clock.
    pub offline: bool,
    /// Whatever the terminal's sources said up to here is in the stream, or known to be missing. Deadlines fire when
    /// it passes them.
    pub watermark: StreamTime,
}

impl<'a> Heard<'a> {
    /// What was heard of a terminal of an agent, whose stream's latest time is `latest`.
    pub fn of(
        coverage: &'a Coverage,
        terminal: Option<TerminalId>,
        latest: StreamTime,
        offline: bool,
    ) -> Heard<'a> {
        let mut watermark = None;
        for source in coverage.of(terminal) {
            let settled = source.settled_until(latest);
            watermark = Some(watermark.map_or(settled, |least: StreamTime| least.min(settled)));
        }
        let watermark = watermark.unwrap_or(latest);
        Heard { coverage, terminal, latest, offline, watermark }
    }

    /// Whether any source of the terminal carries slips.
    pub fn hears_slips(&self) -> bool {
        self.coverage.of(self.terminal).any(|source| self.coverage.carries_slips(source))
    }

    /// Why `from..=to` was not wholly heard by the lines that a verdict needs; absent when it was.
    pub fn hole_in(&self, needs: Needs, from: StreamTime, to: StreamTime) -> Option<HoleReason> {
        let of = self.coverage.of(self.terminal);
        let mut needed = of.filter(|source| needs.takes(self.coverage, source));
        needed.find_map(|source| source.hole_in(from, to))
    }
}

shape_enum!(HoleReason { SourceLost, AgentRestarted, NumbersLost, DecodeFailed });
shape_struct!(Hole { from, to, why });
impl Shape for Source {
    fn put(&self, out: &mut Vec<u8>) {
        self.id.put(out);
        self.name.put(out);
        self.dialect.put(out);
        self.terminal.put(out);
        self.hears_money.put(out);
        self.hears_slips.put(out);
        self.historical.put(out);
        self.begun.put(out);
        self.covered_until.put(out);
        self.closed.put(out);
        self.breaking.put(out);
        self.holes.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Source, ShapeError> {
        let mut source = Source::new(Shape::take(bytes)?, StreamTime::default());
        let (name, dialect) = (Shape::take(bytes)?, Shape::take(bytes)?);
        source.terminal = Shape::take(bytes)?;
        let (hears_money, hears_slips) = (Shape::take(bytes)?, Shape::take(bytes)?);
        let historical = Shape::take(bytes)?;
        (source.begun, source.covered_until) = (Shape::take(bytes)?, Shape::take(bytes)?);
        (source.closed, source.breaking) = (Shape::take(bytes)?, Shape::take(bytes)?);
        let holes = Shape::take(bytes)?;
        let line = Line { name, dialect, hears_money, hears_slips, historical, holes };
        source.line = Arc::new(line);
        Ok(source)
    }
}

impl Shape for Coverage {
    /// Its sources alone: what came later is written where its agent's row ends.
    fn put(&self, out: &mut Vec<u8>) {
        self.sources.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Coverage, ShapeError> {
        Ok(Coverage { sources: Shape::take(bytes)?, slipless: Vec::new() })
    }
}
