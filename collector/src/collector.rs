//! The whole collector without a world: what arrived goes in, what is to be stored and published comes out. Touches no
//! clock, no store and no network itself.

use crate::admit::{self, Admission, Admitted, Refusal};
use crate::alert::policy::{LetterPolicy, LetterSettings};
use crate::commit::{
    AgentRow, Commit, JournalBatch, Presence, QUARANTINE_BYTES_MAX, QuarantineRow, Reply, Snapshot,
};
use crate::correlate::case::{CaseId, EventRef};
use crate::correlate::correlator::{self, Correlator};
use crate::correlate::finding::{Change, FindingChange, FindingKind};
use crate::correlate::policy::{AgentName, Policies};
use crate::correlate::recall::Recall;
use slipwatch_shared::event::{Body, Epoch, LineCounts, Seq};
use slipwatch_shared::times::ArrivalTime;
use slipwatch_shared::wire::envelope::{self, AgentState, AgentStatus, EventBatch};
use slipwatch_shared::wire::topic::{Channel, Topic};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// All that the collector is set to.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Who is known and what each terminal is judged by.
    pub policies: Policies,
    /// Who gets letters, and how.
    pub letters: LetterSettings,
}

/// All that can happen to the collector.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// Something came on an agent's batch topic.
    Batch {
        /// The topic it came on.
        topic: &'a Topic,
        /// Its bytes.
        payload: &'a [u8],
    },
    /// Something came on an agent's state topic.
    State {
        /// The topic it came on.
        topic: &'a Topic,
        /// Its bytes.
        payload: &'a [u8],
    },
    /// Time passed on the collector's clock; sent about once a second.
    Tick,
    /// A settlement file raised, changed or ended a finding, and wrote it down; it is told from here.
    FoundInStatement {
        /// Its number among the news.
        number: i64,
        /// What changed.
        change: &'a FindingChange,
    },
    /// A settlement file has a payment of which something is open.
    Settled {
        /// Its number among the news.
        number: i64,
        /// Which payment; absent where it is not kept any more.
        case: Option<&'a CaseId>,
    },
}

/// What was counted since the start; the loop copies it into the metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Batches admitted.
    pub batches: u64,
    /// Events admitted.
    pub events: u64,
    /// Events that came again and were dropped.
    pub repeats: u64,
    /// Batches that came too early; what is missing was asked for.
    pub gaps: u64,
    /// Numbers that agents gave up as lost.
    pub numbers_lost: u64,
    /// Records inside sound batches that could not be read.
    pub records_unread: u64,
    /// Card numbers seen in what agents sent, and dropped.
    pub card_numbers: u64,
    /// Things put aside, by reason, in the order of [`Counts::QUARANTINE`].
    pub quarantined: [u64; Counts::QUARANTINE.len()],
    /// Verdicts that were reached or changed, in the order of [`crate::correlate::verdict::Verdict::LABELS`].
    pub verdicts: [u64; 6],
    /// Findings raised, in the order of [`FindingKind::ALL`].
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

impl Counts {
    /// Every reason for putting aside, for series that must exist at zero.
    pub const QUARANTINE: [&'static str; 9] = Refusal::LABELS;
}

/// What stands now; the loop copies it into the metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Payments in memory.
    pub cases: u64,
    /// Payments whose verdict is pending.
    pub pending: u64,
    /// Letters that wait for a cool-down or for room in their shop's hour.
    pub held_letters: u64,
    /// Agents by presence, in the order of [`Presence::ALL`].
    pub agents: [u64; 4],
}

/// The same number is asked for again only after so long, however many batches come too early meanwhile.
const ASK_AGAIN_MS: i64 = 1_000;
/// Earlier lives of an agent's numbering that are remembered.
const OUTLIVED_MAX: usize = 16;
/// Things put aside of late that are known again: what is sent again and again is kept once.
const ASIDE_MAX: usize = 64;
/// Agents of no settings that are told by name.
const UNKNOWN_AGENTS_MAX: usize = 64;

/// What the collector itself knows of an agent, beside the correlator; by the correlator's places.
#[derive(Clone, Debug, Default)]
struct Desk {
    admission: Option<Admission>,
    outlived: Vec<Admission>,
    heard: Option<ArrivalTime>,
    session: u64,
    presence: Presence,
    version: Box<str>,
    /// What was last asked for, and when.
    asked: Option<(Epoch, Seq, ArrivalTime)>,
    /// To be told how far its stream is stored.
    acknowledge: Option<Admission>,
    dirty: bool,
}

/// The whole collector without a world.
#[derive(Debug)]
pub struct Collector {
    settings: Settings,
    correlator: Correlator,
    desks: Vec<Desk>,
    letters: LetterPolicy,
    commit: Commit,
    counts: Counts,
    aside: VecDeque<(Topic, u32)>,
    /// What agents counted on their lines, since it was last taken.
    lines: BTreeMap<AgentName, LineCounts>,
    /// Agents that spoke and are not in the settings; and those of them that nobody was told of yet.
    unknown: BTreeSet<AgentName>,
    unknown_untold: Vec<AgentName>,
    /// Findings that settlement files raised and wrote down: only told from here.
    foreign: Vec<FindingChange>,
    /// When the first thing happened: an agent is not silent for the time in which nobody listened.
    started: Option<ArrivalTime>,
}

impl Collector {
    /// A collector that goes on where the store stands. A row that cannot be read is left out: its agent begins anew,
    /// and says so by asking for all that it still has.
    pub fn restore(settings: Settings, snapshot: Snapshot) -> Collector {
        let letters =
            LetterPolicy::restore(settings.letters.clone(), snapshot.alert_state.as_deref());
        let mut collector = Collector {
            correlator: Correlator::new(settings.policies.clone()),
            settings,
            desks: Vec::new(),
            letters,
            commit: Commit::default(),
            counts: Counts::default(),
            aside: VecDeque::new(),
            lines: BTreeMap::new(),
            unknown: BTreeSet::new(),
            unknown_untold: Vec::new(),
            foreign: Vec::new(),
            started: None,
        };
        for row in snapshot.agents {
            collector.restore_agent(row);
        }
        for row in snapshot.open {
            collector.correlator.restore_case(row);
        }
        collector
    }

    fn restore_agent(&mut self, row: AgentRow) {
        if self.correlator.restore_agent(&row.name, &row.state).is_err() {
            self.counts.records_unread += 1;
        }
        let at = self.desk(&row.name);
        self.desks[at] = Desk {
            admission: (row.admission != Admission::default()).then_some(row.admission),
            outlived: row.outlived,
            heard: Some(row.heard),
            session: row.session,
            presence: row.presence,
            version: row.version,
            ..Desk::default()
        };
        let gone = matches!(row.presence, Presence::Stopped | Presence::Offline);
        self.correlator.restore_offline(at, gone);
    }

    fn desk(&mut self, name: &AgentName) -> usize {
        let at = self.correlator.agent(name);
        if at >= self.desks.len() {
            self.desks.resize_with(at + 1, Desk::default);
        }
        at
    }

    /// Other settings from now on; payments in memory are judged again by them.
    pub fn reload(&mut self, settings: Settings) {
        self.correlator.reload(settings.policies.clone());
        self.letters.reload(settings.letters.clone());
        self.unknown.retain(|name| !settings.policies.agents.contains(name));
        self.settings = settings;
    }

    /// Takes in one thing that happened. `recall` reads payments that left memory; it must see every commit taken
    /// before.
    pub fn handle(&mut self, now: ArrivalTime, input: Input<'_>, recall: &mut dyn Recall) {
        self.started.get_or_insert(now);
        match input {
            Input::Batch { topic, payload } => self.batch(now, topic, payload, recall),
            Input::State { topic, payload } => self.state(now, topic, payload, recall),
            Input::Tick => self.tick(now, recall),
            Input::FoundInStatement { number, change } => {
                self.commit.news_through = Some(number);
                self.count_foreign(change);
                self.foreign.push(change.clone());
            }
            Input::Settled { number, case } => {
                self.commit.news_through = Some(number);
                if let Some(case) = case {
                    self.correlator.settled(case, now, recall);
                }
            }
        }
    }

    fn known_agent(&self, topic: &Topic) -> Result<AgentName, Refusal> {
        let name = AgentName { store: topic.store.clone(), agent: topic.agent.clone() };
        match self.settings.policies.agents.contains(&name) {
            true => Ok(name),
            false => Err(Refusal::UnknownAgent {
                store: topic.store.to_string(),
                agent: topic.agent.to_string(),
            }),
        }
    }

    fn batch(&mut self, now: ArrivalTime, topic: &Topic, payload: &[u8], recall: &mut dyn Recall) {
        let opened =
            self.known_agent(topic).and_then(|name| Ok((name, admit::open(topic, payload)?)));
        let (name, batch) = match opened {
            Ok(opened) => opened,
            Err(refusal) => return self.put_aside(now, topic, payload, &refusal),
        };
        let at = self.desk(&name);
        self.heard(at, now, recall);
        let desk = &self.desks[at];
        let stands = desk.admission.filter(|stands| stands.epoch == batch.epoch);
        let outlived = desk.outlived.iter().find(|stands| stands.epoch == batch.epoch);
        let stands = stands.or(outlived.copied());
        match admit::admit(stands, batch.epoch, &batch.group) {
            Admitted::Repeat => {
                self.counts.repeats += u64::from(batch.group.count);
                self.desks[at].acknowledge = stands;
            }
            Admitted::Gap { from } => {
                self.counts.gaps += 1;
                self.ask(now, at, &name, batch.epoch, from);
            }
            Admitted::New { first, then, lost } => {
                self.counts.numbers_lost += lost;
                self.admit(now, at, name, &batch, payload, (first, then), recall);
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn admit(
        &mut self,
        now: ArrivalTime,
        at: usize,
        name: AgentName,
        batch: &EventBatch,
        payload: &[u8],
        (first, then): (Seq, Admission),
        recall: &mut dyn Recall,
    ) {
        let desk = &mut self.desks[at];
        if let Some(before) = desk.admission.filter(|before| before.epoch != then.epoch) {
            // The numbering began anew: whatever was heard and not delivered before is gone.
            self.correlator.numbers_lost(at);
            desk.outlived.retain(|known| known.epoch != then.epoch);
            desk.outlived.push(before);
            let over = desk.outlived.len().saturating_sub(OUTLIVED_MAX);
            desk.outlived.drain(..over);
        }
        desk.admission = Some(then);
        desk.acknowledge = Some(then);
        desk.asked = None;
        desk.dirty = true;
        self.counts.batches += 1;
        self.counts.repeats += first.0.saturating_sub(batch.group.first_seq.0);
        let mut dropped = Vec::new();
        for record in admit::records(&batch.group, first) {
            self.counts.events += 1;
            if record.card_number {
                dropped.push(record.seq);
                self.counts.card_numbers += 1;
                let reference = EventRef { epoch: then.epoch, seq: record.seq };
                self.correlator.tell_card_number(at, reference, now);
            }
            match record.event {
                Ok(event) => {
                    if let Body::Pulse(counts) = &event.body {
                        self.count_lines(&name, counts);
                    }
                    self.correlator.event(at, then.epoch, &event, now, recall);
                }
                Err(_) => {
                    // What a later agent said and this program cannot read may have been a slip.
                    self.counts.records_unread += 1;
                    self.correlator.numbers_lost(at);
                }
            }
        }
        let frame = match dropped.is_empty() {
            true => payload.to_vec(),
            false => admit::without_evidence(batch, &dropped),
        };
        self.commit.journal.push(JournalBatch {
            agent: name,
            epoch: then.epoch,
            first_seq: first,
            last_seq: then.through,
            arrived: now,
            frame,
        });
    }

    fn count_lines(&mut self, name: &AgentName, counts: &LineCounts) {
        if !self.lines.contains_key(name) {
            self.lines.insert(name.clone(), LineCounts::default());
        }
        let sum = self.lines.get_mut(name).expect("it was just put there");
        sum.bytes = sum.bytes.saturating_add(counts.bytes);
        sum.lines = sum.lines.saturating_add(counts.lines);
        sum.unmatched = sum.unmatched.saturating_add(counts.unmatched);
        sum.rejected = sum.rejected.saturating_add(counts.rejected);
    }

    /// What agents counted on their lines since the last call: one entry an agent of the settings at most.
    pub fn take_lines(&mut self) -> BTreeMap<AgentName, LineCounts> {
        std::mem::take(&mut self.lines)
    }

    fn heard(&mut self, at: usize, now: ArrivalTime, recall: &mut dyn Recall) {
        let desk = &mut self.desks[at];
        desk.heard = Some(now);
        desk.presence = Presence::Online;
        self.correlator.set_offline(at, false, now, recall);
        self.correlator.tell_agent_heard(at, now);
    }

    fn ask(&mut self, now: ArrivalTime, at: usize, name: &AgentName, epoch: Epoch, from: Seq) {
        let desk = &mut self.desks[at];
        let asked_just_now = desk.asked.is_some_and(|(of, number, when)| {
            (of, number) == (epoch, from) && now.0.saturating_sub(when.0) < ASK_AGAIN_MS
        });
        if asked_just_now {
            return;
        }
        desk.asked = Some((epoch, from, now));
        let request = envelope::Request { epoch: epoch.0, from: from.0 };
        self.commit.replies.push(Reply {
            topic: Topic::new(&name.store, &name.agent, Channel::Request),
            payload: request.to_frame(),
            retain: false,
        });
    }

    /// Agents that spoke and are not in the settings, at most as many as are kept.
    pub fn unknown_agents(&self) -> &BTreeSet<AgentName> {
        &self.unknown
    }

    /// Those of them that came since this was last asked: each is told once.
    pub fn take_unknown_agents(&mut self) -> Vec<AgentName> {
        std::mem::take(&mut self.unknown_untold)
    }

    fn put_aside(&mut self, now: ArrivalTime, topic: &Topic, payload: &[u8], refusal: &Refusal) {
        // Whoever may reach the broker names a topic: one that shows a card number is told and kept nowhere.
        let shows_name = [topic.store.as_str(), topic.agent.as_str()]
            .iter()
            .any(|name| admit::card::has_card_number(name.as_bytes()));
        if matches!(refusal, Refusal::UnknownAgent { .. })
            && self.unknown.len() < UNKNOWN_AGENTS_MAX
            && !shows_name
        {
            let name = AgentName { store: topic.store.clone(), agent: topic.agent.clone() };
            if self.unknown.insert(name.clone()) {
                self.unknown_untold.push(name);
            }
        }
        let reason = refusal.label();
        let place = Counts::QUARANTINE.iter().position(|label| *label == reason);
        self.counts.quarantined[place.expect("every reason is listed")] += 1;
        let mark = (topic.clone(), admit::mark_of(payload));
        if !self.aside.contains(&mark) && !shows_name {
            self.aside.push_back(mark);
            if self.aside.len() > ASIDE_MAX {
                self.aside.pop_front();
            }
            let kept = &payload[..payload.len().min(QUARANTINE_BYTES_MAX)];
            let shows = admit::may_show_card_number(kept);
            self.commit.quarantine.push(QuarantineRow {
                topic: topic.clone(),
                reason,
                detail: admit::card::without_card_numbers(&admit::detail_of(refusal)),
                arrived: now,
                bytes: payload.len(),
                payload: if shows { Vec::new() } else { kept.to_vec() },
            });
        }
        // What a known agent sent came out damaged: it has it still.
        let damaged = matches!(refusal, Refusal::Frame(_)) && topic.channel == Channel::Batch;
        if let (true, Ok(name)) = (damaged, self.known_agent(topic)) {
            let at = self.desk(&name);
            if let Some(Admission { epoch, through }) = self.desks[at].admission {
                self.ask(now, at, &name, epoch, through.next());
            }
        }
    }

    fn state(&mut self, now: ArrivalTime, topic: &Topic, payload: &[u8], recall: &mut dyn Recall) {
        let opened =
            self.known_agent(topic).and_then(|name| Ok((name, AgentState::from_frame(payload)?)));
        let (name, state) = match opened {
            Ok(opened) => opened,
            Err(refusal) => return self.put_aside(now, topic, payload, &refusal),
        };
        let at = self.desk(&name);
        let desk = &mut self.desks[at];
        // A will of an older connection says nothing about a newer one.
        if state.session < desk.session {
            return;
        }
        desk.session = state.session;
        desk.version = state.version.chars().take(64).collect::<String>().into();
        desk.dirty = true;
        match state.status {
            AgentStatus::Online => {
                self.heard(at, now, recall);
                self.desks[at].acknowledge = self.desks[at].admission;
            }
            AgentStatus::Stopped | AgentStatus::Lost => {
                let lost = state.status == AgentStatus::Lost;
                desk.presence = if lost { Presence::Offline } else { Presence::Stopped };
                let last = *desk.heard.get_or_insert(now);
                self.correlator.set_offline(at, true, now, recall);
                if lost {
                    self.correlator.tell_agent_silent(at, last, now);
                }
            }
        }
    }

    fn tick(&mut self, now: ArrivalTime, recall: &mut dyn Recall) {
        let limit_ms = self.settings.policies.agent_offline_ms;
        for at in 0..self.desks.len() {
            let desk = &mut self.desks[at];
            let Some(heard) = desk.heard.filter(|_| desk.presence == Presence::Online) else {
                continue;
            };
            let listened = self.started.map_or(heard, |started| started.max(heard));
            if now.0.saturating_sub(listened.0) > limit_ms {
                desk.presence = Presence::Offline;
                desk.dirty = true;
                self.correlator.set_offline(at, true, now, recall);
                self.correlator.tell_agent_silent(at, heard, now);
            }
        }
    }

    /// All that is to be stored since the last one; nothing when there is nothing. The caller keeps it until the store
    /// took it, then publishes its replies, and only then takes the next.
    pub fn take_commit(&mut self, now: ArrivalTime) -> Option<Commit> {
        for at in 0..self.desks.len() {
            let touched = self.correlator.agents()[at].touched;
            let desk = &mut self.desks[at];
            if !touched && !desk.dirty && desk.acknowledge.is_none() {
                continue;
            }
            if touched || desk.dirty {
                self.correlator.take_rows(at, &mut self.commit.transactions);
                self.commit.agents.push(AgentRow {
                    name: self.correlator.agents()[at].name.clone(),
                    admission: desk.admission.unwrap_or_default(),
                    outlived: desk.outlived.clone(),
                    heard: desk.heard.unwrap_or(now),
                    session: desk.session,
                    presence: desk.presence,
                    version: desk.version.clone(),
                    latest: self.correlator.agents()[at].timeline.latest,
                    state: self.correlator.state_of(at),
                });
                desk.dirty = false;
            }
            if let Some(Admission { epoch, through }) = desk.acknowledge.take() {
                let AgentName { store, agent } = &self.correlator.agents()[at].name;
                let stored = envelope::Commit { epoch: epoch.0, through: through.0 };
                self.commit.replies.push(Reply {
                    topic: Topic::new(store, agent, Channel::Commit),
                    payload: stored.to_frame(),
                    retain: true,
                });
            }
        }
        self.commit.findings = self.correlator.take_findings();
        self.commit.told = std::mem::take(&mut self.foreign);
        let told: Vec<FindingChange> =
            self.commit.told.iter().chain(&self.commit.findings).cloned().collect();
        self.commit.outbox = self.letters.letters(now, &told);
        self.commit.alert_state = self.letters.state();
        let commit = std::mem::take(&mut self.commit);
        (!commit.is_empty()).then_some(commit)
    }

    fn count_foreign(&mut self, change: &FindingChange) {
        let place = FindingKind::ALL.iter().position(|kind| *kind == change.finding.id.kind);
        let place = place.expect("the catalogue is whole");
        match change.change {
            Change::Raised => self.counts.raised[place] += 1,
            Change::Resolved => self.counts.resolved[place] += 1,
            Change::Changed => {}
        }
    }

    /// What was counted since the start.
    pub fn counts(&self) -> Counts {
        let filed = self.correlator.counts().clone();
        let correlator::Counts {
            verdicts,
            mut raised,
            mut resolved,
            unfiled,
            over_bound,
            recalled,
        } = filed;
        let own = self.counts.clone();
        // Those of settlement files are raised elsewhere.
        raised.iter_mut().zip(own.raised).for_each(|(sum, more)| *sum += more);
        resolved.iter_mut().zip(own.resolved).for_each(|(sum, more)| *sum += more);
        Counts { verdicts, raised, resolved, unfiled, over_bound, recalled, ..own }
    }

    /// What stands now.
    pub fn gauges(&self) -> Gauges {
        let (cases, pending) = self.correlator.cases_in_memory();
        let held_letters = self.letters.held();
        let mut gauges = Gauges { cases, pending, held_letters, ..Gauges::default() };
        for desk in &self.desks {
            let place = Presence::ALL.iter().position(|presence| *presence == desk.presence);
            gauges.agents[place.expect("all are listed")] += 1;
        }
        gauges
    }
}

#[cfg(test)]
mod tests;
