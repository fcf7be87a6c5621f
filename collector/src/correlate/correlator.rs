//! Files events into payments, has them judged, and forgets what came to rest. Deterministic: one agent's stream is a
//! fold over its events, whatever batches they came in; two debits of a shop are judged by when they happened, not by
//! which was heard first. Knows no clock: the arrival times it is given only date what is told.

use super::case::{Case, EventRef, Fact, Place, What};
use super::coverage::{Coverage, Heard, Lines};
use super::facts::Facts;
use super::finding::{Finding, FindingKind};
use super::lean::{Shared, Terminals};
use super::pairs::Pairs;
use super::policy::{AgentName, Policies};
use super::recall::Recall;
use super::review::Out;
use super::route::{Routes, Share};
use super::terminal::{Kept, Terminal};
use super::timeline::{Due, StreamTime, Timeline};
use super::verdict::{Unknown, Verdict};
use slipwatch_shared::event::{Body, Epoch, Event, Kind, PrintedBy, SourceId};
use slipwatch_shared::terminal::{StoreId, TerminalId};
use slipwatch_shared::times::ArrivalTime;
use std::collections::BTreeMap;
use thin_vec::ThinVec;

/// Most terminals of one agent that are told apart; what more there are is one terminal without a number.
pub const TERMINALS_MAX: usize = 64;

/// What was counted since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Verdicts that were reached or changed, in the order of [`Verdict::LABELS`].
    pub verdicts: [u64; 6],
    /// Findings raised, in the order of [`super::finding::FindingKind::ALL`].
    pub raised: [u64; 27],
    /// Findings resolved, in the same order.
    pub resolved: [u64; 27],
    /// Words that fitted no payment.
    pub unfiled: u64,
    /// Payments that were let go because a terminal had too many.
    pub over_bound: u64,
    /// Payments brought back from the store.
    pub recalled: u64,
}

/// One agent: its stream's time, its lines, its terminals.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Its name.
    pub name: AgentName,
    /// Its stream time.
    pub timeline: Timeline,
    /// How far its lines were heard.
    pub coverage: Coverage,
    /// Its terminals, in the order in which they were first heard.
    pub terminals: Terminals,
    /// How often its silence was told.
    pub silences: u32,
    /// Its silence as it was told, while it lasts.
    pub silence: Option<Box<Finding>>,
    /// How often card numbers were seen in what it sent.
    pub card_numbers: u32,
    /// It is not heard now, on the collector's clock.
    pub offline: bool,
    /// Nobody has set its clock since it booted: no hour of the day is known. Stored behind its other parts.
    pub clock_unset: bool,
    /// Something of it changed since it was last stored.
    pub touched: bool,
    /// No payment of it must be looked at before.
    pub(super) look_at: StreamTime,
    /// Its share of what goes to acquirers.
    pub(super) share: Option<Box<Share>>,
    /// Its shop's place.
    pub(super) shop: usize,
    /// The terminal that words without one are of, where the settings know only one of its shop.
    pub(super) sole: Option<TerminalId>,
}

impl Agent {
    /// The wall clock was set. Payments that this boot opened by a clock nobody had set are dated by the right one;
    /// what is judged rests on uptime and stays as it is.
    fn date_anew(&mut self, by_ms: i64, synchronised: bool) {
        let booted = StreamTime(self.timeline.base);
        let awake = self.terminals.awake_mut();
        for kept in awake.flat_map(|(_, terminal)| &mut terminal.cases) {
            let case = &mut kept.case;
            if !case.synchronised && case.opened >= booted {
                case.wall_ahead_ms = case.wall_ahead_ms.saturating_add(by_ms);
                case.synchronised = synchronised;
                (kept.dirty, kept.keys_changed) = (true, true);
            }
        }
    }
}

/// All agents, their payments in memory, and what is to be told.
#[derive(Clone, Debug)]
pub struct Correlator {
    pub(super) agents: Vec<Agent>,
    pub(super) shops: Vec<Pairs>,
    pub(super) policies: Policies,
    pub(super) routes: Routes,
    /// Findings about terminals that were raised just now: what they explain is not told so yet.
    pub(super) absorbing: Vec<(usize, usize, FindingKind)>,
    pub(super) out: Out,
    /// The policies that its terminals have.
    pub(super) shared: Shared,
    /// The kinds of lines that its agents have.
    pub(super) lines: Lines,
    /// Room to write in.
    pub(super) room: Vec<u8>,
    names: BTreeMap<AgentName, usize>,
    shop_names: BTreeMap<StoreId, usize>,
}

impl Correlator {
    /// One that heard nothing yet.
    pub fn new(policies: Policies) -> Correlator {
        Correlator {
            agents: Vec::new(),
            shops: Vec::new(),
            policies,
            routes: Routes::default(),
            absorbing: Vec::new(),
            out: Out::default(),
            shared: Shared::default(),
            lines: Lines::default(),
            room: Vec::new(),
            names: BTreeMap::new(),
            shop_names: BTreeMap::new(),
        }
    }

    /// Other policies from now on; payments in memory are judged again by them.
    pub fn reload(&mut self, policies: Policies) {
        self.policies = policies;
        self.shared.forget();
        for at in 0..self.agents.len() {
            let sole = self.sole_terminal(&self.agents[at].name.store);
            let agent = &mut self.agents[at];
            agent.sole = sole;
            agent.look_at = StreamTime(i64::MIN);
            agent.terminals.reload(&agent.name.store, &self.policies, &mut self.shared);
        }
    }

    fn sole_terminal(&self, store: &StoreId) -> Option<TerminalId> {
        let mut of_store = self.policies.terminals_of(store);
        let first = of_store.next()?;
        of_store.next().is_none().then_some(first)
    }

    /// The place of an agent, made where there is none.
    pub fn agent(&mut self, name: &AgentName) -> usize {
        if let Some(&at) = self.names.get(name) {
            return at;
        }
        let shops = self.shops.len();
        let shop = *self.shop_names.entry(name.store.clone()).or_insert(shops);
        if shop == shops {
            self.shops.push(Pairs::default());
        }
        let at = self.agents.len();
        self.agents.push(Agent {
            name: name.clone(),
            timeline: Timeline::default(),
            coverage: Coverage::default(),
            terminals: Terminals::default(),
            silences: 0,
            silence: None,
            card_numbers: 0,
            offline: false,
            clock_unset: false,
            touched: true,
            look_at: StreamTime(i64::MIN),
            share: None,
            shop,
            sole: self.sole_terminal(&name.store),
        });
        self.names.insert(name.clone(), at);
        at
    }

    /// The agents, by their places.
    pub fn agents(&self) -> &[Agent] {
        &self.agents
    }

    /// An agent's place, where it has one.
    pub fn place_of(&self, name: &AgentName) -> Option<usize> {
        self.names.get(name).copied()
    }

    /// What is to be told since this was last called.
    pub fn take_findings(&mut self) -> Vec<super::finding::FindingChange> {
        std::mem::take(&mut self.out.findings)
    }

    /// What was counted since the start.
    pub fn counts(&self) -> &Counts {
        &self.out.counts
    }

    /// The place of a terminal of an agent, made where there is none; it is awake then.
    pub(super) fn terminal(&mut self, agent: usize, id: Option<TerminalId>) -> usize {
        let Agent { terminals, name, sole, .. } = &mut self.agents[agent];
        let mut id = id.or(*sole);
        let mut known = terminals.ids().position(|known| known == id);
        if known.is_none() && terminals.len() >= TERMINALS_MAX {
            id = None;
            known = terminals.ids().position(|known| known.is_none());
        }
        if let Some(at) = known {
            terminals.wake(at);
            return at;
        }
        let policy = self.shared.policy_of(&self.policies, &name.store, id);
        let found = &mut self.agents[agent];
        if self.policies.otherwise.is_some() {
            // No settings tell how many there are: it is the only one while no other is heard.
            let alone = !found.terminals.ids().any(|id| id.is_some());
            found.sole = id.filter(|_| alone);
        }
        found.terminals.push(Terminal::new(id, policy));
        found.terminals.len() - 1
    }

    pub(super) fn kept(&self, place: Place) -> Option<&Kept> {
        let terminal = self.agents.get(place.agent)?.terminals.get(place.terminal)?;
        terminal.position(place.first).map(|at| terminal.cases[at].as_ref())
    }

    /// Takes in one event, the next of its agent's stream.
    pub fn event(
        &mut self,
        agent: usize,
        epoch: Epoch,
        event: &Event,
        now: ArrivalTime,
        recall: &mut dyn Recall,
    ) {
        let reference = EventRef { epoch, seq: event.seq };
        let found = &mut self.agents[agent];
        let (at, new_boot) = found.timeline.observe(&event.observed);
        found.touched = true;
        found.clock_unset = !event.observed.synchronised;
        if new_boot {
            found.coverage.rebooted();
        }
        if event.source == SourceId::AGENT {
            match event.body {
                Body::Lost { .. } => found.coverage.numbers_lost(),
                Body::ClockStepped { by_ms } => {
                    found.date_anew(by_ms, event.observed.synchronised);
                }
                _ => {}
            }
        } else {
            self.cover(agent, event, at);
        }
        if at > self.agents[agent].look_at {
            self.look(agent, now, recall);
        }
        self.file(agent, reference, event, at, now, recall);
        if !self.absorbing.is_empty() {
            self.absorb(now, recall);
        }
    }

    /// Notes how far a source was heard by one of its events.
    fn cover(&mut self, agent: usize, event: &Event, at: StreamTime) {
        let Correlator { agents, lines, .. } = self;
        let coverage = &mut agents[agent].coverage;
        match &event.body {
            Body::SourceOpened(description) => {
                coverage.open(event.source, at, event.terminal, description, lines);
                if event.terminal.is_some() || self.agents[agent].sole.is_some() {
                    let terminal = self.terminal(agent, event.terminal);
                    self.agents[agent].terminals[terminal].last_word.get_or_insert(at);
                }
            }
            Body::SourceLost { reason } => coverage.lose(event.source, at, *reason),
            Body::DecodeFailed { .. } => coverage.unread(event.source, at),
            Body::PrintingAssigned { to } => {
                coverage.hear(event.source, at);
                coverage.assign(event.source, *to);
            }
            body => {
                let slip = super::word::is_of_slip(body);
                if slip && coverage.slipless.contains(&event.source) {
                    // The till was told anew while nobody listened.
                    coverage.assign(event.source, PrintedBy::TillFromTerminalText);
                }
                let source = coverage.hear(event.source, at);
                // Its opening was lost: what it carries is learned from what it says.
                if source.name.is_empty() {
                    source.learn(!slip && body.keys().is_some(), slip);
                }
                coverage.spoke_for(event.source, event.terminal);
            }
        }
    }

    /// Looks at all that became due: deadlines that the watermark passed.
    pub(super) fn look(&mut self, agent: usize, now: ArrivalTime, recall: &mut dyn Recall) {
        let mut next = StreamTime(i64::MAX);
        for at in 0..self.agents[agent].terminals.len() {
            let Agent { timeline, coverage, terminals, offline, .. } = &mut self.agents[agent];
            // No watermark is ahead of its stream.
            if terminals.look_at(at) >= timeline.latest {
                next = next.min(terminals.look_at(at));
                continue;
            }
            let heard = Heard::of(coverage, terminals.id(at), timeline.latest, *offline);
            let watermark = heard.watermark;
            if watermark > terminals.look_at(at) {
                let terminal = terminals.wake(at);
                let due = terminal
                    .cases
                    .iter()
                    .filter(|kept| kept.look_at.get().is_some_and(|look_at| look_at < watermark));
                let due: Vec<EventRef> = due.map(|kept| kept.case.first).collect();
                self.agents[agent].terminals[at].look_at = StreamTime(i64::MAX);
                for first in due {
                    self.review(Place { agent, terminal: at, first }, now, recall);
                }
                let silence_due = self.judge_silence(agent, at, watermark, now);
                let watch_due = self.judge_watch(agent, at, watermark, now);
                let terminal = &mut self.agents[agent].terminals[at];
                let looks = terminal.cases.iter().filter_map(|kept| kept.look_at.get());
                terminal.look_at =
                    looks.chain(silence_due).chain(watch_due).min().unwrap_or(StreamTime(i64::MAX));
            }
            next = next.min(self.agents[agent].terminals.look_at(at));
        }
        self.agents[agent].look_at = next;
    }

    /// The agent is heard again, or not any more, on the collector's clock.
    pub fn set_offline(
        &mut self,
        agent: usize,
        offline: bool,
        now: ArrivalTime,
        recall: &mut dyn Recall,
    ) {
        if self.agents[agent].offline == offline {
            return;
        }
        self.agents[agent].offline = offline;
        for terminal in 0..self.agents[agent].terminals.len() {
            // One that rests has no payment that waits.
            let Some(found) = self.agents[agent].terminals.get(terminal) else { continue };
            let waits = |kept: &&Kept| {
                let verdict = kept.case.verdict;
                matches!(verdict, Verdict::Pending { .. })
                    || verdict == Verdict::Unknown { why: Unknown::AgentOffline }
            };
            let cases = found.cases.iter().map(AsRef::as_ref);
            let waiting: Vec<EventRef> = cases.filter(waits).map(|kept| kept.case.first).collect();
            for first in waiting {
                self.review(Place { agent, terminal, first }, now, recall);
            }
        }
    }

    /// Opens a payment.
    pub(super) fn open(
        &mut self,
        agent: usize,
        terminal: usize,
        fact: Fact,
        kind: Kind,
        numbering: u16,
        event: &Event,
    ) -> usize {
        let found = &mut self.agents[agent];
        let source = found.coverage.source(fact.source);
        let historical = source.is_some_and(|source| source.historical);
        let wall_ahead_ms = event.observed.wall.0.saturating_sub(fact.at.0);
        let terminal = &mut found.terminals[terminal];
        let case = Case {
            first: fact.event,
            opened: fact.at,
            wall_ahead_ms,
            synchronised: event.observed.synchronised,
            historical,
            kind,
            common_amount: false,
            keys: slipwatch_shared::event::Keys::default(),
            facts: Facts::with_room(),
            slip_window: None,
            reversal_due: Due::NEVER,
            reversal_window: None,
            verdict: Verdict::Pending { due: fact.at },
            told: ThinVec::new(),
            numbering,
        };
        terminal.insert(Kept::new(case))
    }

    /// Numbers of an agent's stream are gone without a word about them.
    pub fn numbers_lost(&mut self, agent: usize) {
        self.agents[agent].coverage.numbers_lost();
        self.agents[agent].touched = true;
    }

    /// As [`Correlator::set_offline`], of an agent that was so when it was stored: nothing is news.
    pub fn restore_offline(&mut self, agent: usize, offline: bool) {
        self.agents[agent].offline = offline;
    }

    /// Payments in memory, and those of them whose verdict is pending.
    pub fn cases_in_memory(&self) -> (u64, u64) {
        let kept = self.agents.iter().flat_map(|agent| agent.terminals.iter());
        let kept = kept.flat_map(|terminal| &terminal.cases).map(AsRef::as_ref);
        let pending = |kept: &&Kept| matches!(kept.case.verdict, Verdict::Pending { .. });
        (kept.clone().count() as u64, kept.filter(pending).count() as u64)
    }
}

/// Whether a fact takes money or says that it may have been taken.
pub(super) fn is_sale(what: What) -> bool {
    matches!(what, What::Requested | What::Approved | What::ApprovedOffline | What::Completed)
}
