//! The road from a fleet's agents to a collector: straight, or with every delay, repetition and disorder that a broker
//! and a restart can bring. The agents here only send; what they say was settled before. Loses nothing for good.

use super::WALL_MS_AT_MIDNIGHT;
use super::form;
use super::judge::{self, PaymentName};
use super::script::Numbers;
use super::shop::{Shop, Told};
use super::stream::Fleet;
use super::truth::{CauseTruth, Incident, Truth};
use crate::dice::Dice;
use crate::store::MemoryStore;
use crate::terminal::Word;
use slipwatch_collector::collector::{Collector, Input, Settings};
use slipwatch_collector::commit::Commit;
use slipwatch_collector::correlate::policy::AgentName;
use slipwatch_collector::correlate::verdict::Verdict;
use slipwatch_shared::event::{Epoch, Event, Seq};
use slipwatch_shared::times::ArrivalTime;
use slipwatch_shared::wire::envelope::{self, ClockState, EventBatch, Group};
use slipwatch_shared::wire::json::Line;
use slipwatch_shared::wire::topic::{Channel, Topic};
use std::collections::{BTreeMap, BTreeSet};

const EPOCH: Epoch = Epoch(1);
/// Longest that a message is under way, in milliseconds of the collector's clock.
const DELAY_MS_MAX: i64 = 900_000;
/// An agent sends again what was not committed after this.
const RESEND_MS: i64 = 60_000;
/// When the first agent that is away goes, after midnight.
const AWAY_FROM_MS: i64 = 14 * 3_600_000;
/// So many messages for one world are no road but a loop.
const MESSAGES_MAX: usize = 200_000;

/// All that a small fleet says, by agent, and what is true of it.
#[derive(Clone, Debug)]
pub struct Said {
    /// Each agent's stream.
    pub streams: Vec<(AgentName, Vec<Event>)>,
    /// What is true of payments.
    pub truths: Vec<Truth>,
    /// What is true of terminals, agents and acquirers.
    pub incidents: Vec<Incident>,
    /// Shops in which something was lost: what is said of their terminals may differ.
    pub unsure: BTreeSet<String>,
    /// What the collector is set to.
    pub settings: Settings,
}

impl Said {
    /// Plays a fleet to its end.
    pub fn of(fleet: Fleet) -> Said {
        Said::heard(fleet, |_, event, _| vec![event])
    }

    /// Plays a fleet that its devices have words for, as real decoders hear it from their bytes; the events come out
    /// in the order of the bytes, numbered anew.
    pub fn from_device_bytes(fleet: Fleet) -> Said {
        let mut ears = form::Ears::default();
        let mut said = Said::heard(fleet, |shop, event, word| ears.hear(shop, event, word));
        for (_, stream) in &mut said.streams {
            stream.iter_mut().zip(1..).for_each(|(event, seq)| event.seq = Seq(seq));
        }
        said
    }

    fn heard(
        mut fleet: Fleet,
        mut hear: impl FnMut(&Shop, Event, Option<(Word, Box<Numbers>)>) -> Vec<Event>,
    ) -> Said {
        let names = fleet.shops.iter().map(|shop| shop.name.clone());
        let mut streams: Vec<(AgentName, Vec<Event>)> =
            names.map(|name| (name, Vec::new())).collect();
        let (mut truths, mut incidents) = (Vec::new(), Vec::new());
        while let Some((place, told)) = fleet.next() {
            match told {
                Told::Event(event, word) => {
                    let heard = hear(&fleet.shops[place], event, word);
                    streams[place].1.extend(heard);
                }
                Told::Truth(truth) => truths.push(*truth),
                Told::Incident(incident) => incidents.push(*incident),
                Told::Row(_) => {}
            }
        }
        let unsure = fleet.shops.iter().filter(|shop| shop.mishaps > 0);
        let unsure = unsure.map(|shop| shop.name.store.to_string()).collect();
        let settings = Settings { policies: fleet.policies(), ..Settings::default() };
        Said { streams, truths, incidents, unsure, settings }
    }

    /// Some agents are away for so long in the middle of the day: nobody hears them, and the truth says so.
    pub fn sends_away(&mut self, count: usize, lasts_ms: i64) -> Vec<Away> {
        let mut away = Vec::new();
        let step = (self.streams.len() / count.max(1)).max(1);
        for (agent, (name, _)) in self.streams.iter().enumerate().step_by(step).take(count) {
            let from = WALL_MS_AT_MIDNIGHT + AWAY_FROM_MS + 600_000 * agent as i64;
            away.push(Away { agent, from, to: from + lasts_ms });
            self.incidents.push(Incident {
                finding: "A18".into(),
                plot: "agent_away".into(),
                store: name.store.to_string(),
                agent: name.agent.to_string(),
                terminal: None,
                acquirer: None,
                from_ms: from,
                open: false,
                cause: CauseTruth { class: "unknown".into(), detail: "agent_silent".into() },
                clouded: false,
            });
        }
        away
    }

    /// All of it as JSON lines, every agent's words by time, as a recording of the whole fleet has them.
    pub fn recording(&self) -> Vec<u8> {
        let of_agent = |(name, events): &(AgentName, Vec<Event>)| {
            let name = name.clone();
            events.iter().map(move |event| (name.clone(), event.clone())).collect::<Vec<_>>()
        };
        let mut all: Vec<(AgentName, Event)> = self.streams.iter().flat_map(of_agent).collect();
        // Stable, so that each agent's own order stays.
        all.sort_by_key(|(_, event)| event.observed.wall);
        let mut lines = Vec::new();
        for (AgentName { store, agent }, event) in all {
            Line { store, agent, epoch: EPOCH, event }.append_json(&mut lines);
            lines.push(b'\n');
        }
        lines
    }

    /// Payments of which "no slip" may never be said.
    fn innocent(&self) -> BTreeMap<PaymentName, &Truth> {
        let innocent = self.truths.iter().filter(|truth| truth.is_innocent());
        innocent.map(|truth| (judge::name_of(truth), truth)).collect()
    }
}

/// A collector over its store, as a process that may die.
struct Process<'a> {
    said: &'a Said,
    collector: Collector,
    store: MemoryStore,
    innocent: BTreeMap<PaymentName, &'a Truth>,
    complaints: Vec<String>,
}

/// What came out at the end of a road.
#[derive(Debug)]
pub struct Arrived {
    /// What the collector stored.
    pub store: MemoryStore,
    /// What it said that may never be said, and what is wrong with its journal.
    pub complaints: Vec<String>,
    /// How often it was started anew.
    pub restarts: usize,
    /// How many commits it made.
    pub commits: usize,
}

impl<'a> Process<'a> {
    fn new(said: &'a Said) -> Process<'a> {
        let store = MemoryStore::default();
        let collector = Collector::restore(said.settings.clone(), store.load());
        Process { said, collector, store, innocent: said.innocent(), complaints: Vec::new() }
    }

    fn restart(&mut self) {
        self.collector = Collector::restore(self.said.settings.clone(), self.store.load());
    }

    fn batch(&mut self, now: i64, agent: usize, frame: &[u8]) {
        let name = &self.said.streams[agent].0;
        let topic = Topic::new(&name.store, &name.agent, Channel::Batch);
        let input = Input::Batch { topic: &topic, payload: frame };
        self.collector.handle(ArrivalTime(now), input, &mut self.store);
    }

    fn take_commit(&mut self, now: i64) -> Option<Commit> {
        self.collector.take_commit(ArrivalTime(now))
    }

    fn store(&mut self, commit: &Commit) {
        for row in &commit.transactions {
            let missing = matches!(row.case.verdict, Verdict::NoSlip { .. });
            let name = judge::name_of_row(row).filter(|_| missing);
            if let Some(truth) = name.and_then(|name| self.innocent.get(&name)) {
                let plot = &truth.plot;
                self.complaints.push(format!("no slip was said of {} ({plot})", row.id));
            }
        }
        if let Err(complaint) = self.store.commit(commit) {
            self.complaints.push(complaint);
        }
    }
}

/// Everything in order, an agent after the other, in batches of at most so many events; `restart` says after which
/// commits the collector is started anew.
pub fn straight(
    said: &Said,
    batch_events: usize,
    mut restart: impl FnMut(usize) -> bool,
) -> Arrived {
    let mut process = Process::new(said);
    let (mut commits, mut restarts) = (0, 0);
    for (agent, (_, events)) in said.streams.iter().enumerate() {
        let mut rest = events.as_slice();
        while !rest.is_empty() {
            let (frame, taken) = pack(&said.streams[agent].0, rest, batch_events);
            let now = rest[taken - 1].observed.wall.0;
            rest = &rest[taken..];
            process.batch(now, agent, &frame);
            if let Some(commit) = process.take_commit(now) {
                process.store(&commit);
                commits += 1;
                if restart(commits) {
                    process.restart();
                    restarts += 1;
                }
            }
        }
    }
    Arrived { store: process.store, complaints: process.complaints, restarts, commits }
}

/// All agents side by side, as a collector hears a fleet that is never late: what is a matter of now (an acquirer's
/// outage, an agent that is not heard) can be seen only so. `away` is heard by nobody from when until when; then its
/// spool drains.
pub fn side_by_side(said: &Said, away: &[Away]) -> Arrived {
    const SLICE_MS: i64 = 30_000;
    let mut process = Process::new(said);
    let mut commits = 0;
    let mut rest: Vec<&[Event]> =
        said.streams.iter().map(|(_, events)| events.as_slice()).collect();
    let begins = rest.iter().filter_map(|events| events.first()).filter(|event| {
        // An agent whose clock nobody has set tells no time.
        event.observed.synchronised
    });
    let mut now = begins.map(|event| event.observed.wall.0).min().unwrap_or(0);
    while rest.iter().any(|events| !events.is_empty()) {
        now += SLICE_MS;
        for (agent, rest) in rest.iter_mut().enumerate() {
            let gone = |away: &Away| away.agent == agent && (away.from..away.to).contains(&now);
            while !rest.is_empty() && !away.iter().any(gone) {
                let ready =
                    |event: &&Event| !event.observed.synchronised || event.observed.wall.0 <= now;
                let ready = rest.iter().take_while(ready).count();
                if ready == 0 {
                    break;
                }
                let (frame, taken) = pack(&said.streams[agent].0, &rest[..ready], 500);
                *rest = &rest[taken..];
                process.batch(now, agent, &frame);
            }
        }
        process.collector.handle(ArrivalTime(now), Input::Tick, &mut process.store);
        if let Some(commit) = process.take_commit(now) {
            process.store(&commit);
            commits += 1;
        }
    }
    Arrived { store: process.store, complaints: process.complaints, restarts: 0, commits }
}

/// An agent that is not heard for a while, by the collector's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Away {
    /// Which, by its place.
    pub agent: usize,
    /// From when.
    pub from: i64,
    /// Until when.
    pub to: i64,
}

/// Seals as many of `events` as fit into one batch of at most `batch_events`; gives the frame and how many went in.
fn pack(name: &AgentName, events: &[Event], batch_events: usize) -> (Vec<u8>, usize) {
    let clock = |event: &Event| ClockState {
        wall_offset_ms: event.observed.wall.0.saturating_sub(event.observed.uptime.0 as i64),
        synchronised: event.observed.synchronised,
    };
    let head = &events[0];
    let mut group = Group::begin(head.observed.boot, clock(head), head.seq);
    let mut taken = 0;
    for event in events.iter().take(batch_events.max(1)) {
        let continues = event.seq == group.end_seq()
            && event.observed.boot == head.observed.boot
            && clock(event) == clock(head)
            && group.has_room(1_024, 8);
        if taken > 0 && !continues {
            break;
        }
        group.push(event);
        taken += 1;
    }
    let (frame, _) = EventBatch::pack(&name.store, &name.agent, EPOCH, false, &[group]);
    (frame, taken)
}

/// What is under way.
enum Message {
    Batch { agent: usize, frame: Vec<u8> },
    Told { agent: usize, through: Seq },
    Asked { agent: usize, from: Seq },
    Send { agent: usize },
    Tick,
}

struct Rough<'a> {
    process: Process<'a>,
    dice: Dice,
    agenda: BTreeMap<(i64, usize), Message>,
    entered: usize,
    /// How far each agent knows that its stream is stored.
    committed: Vec<Seq>,
    commits: usize,
    restarts: usize,
}

/// Random delay, repetition, disorder over agents, batches split anew at each sending, a collector that is killed
/// before, between and after its commits. Each agent sends until all of it is committed.
///
/// # Panics
/// When it never comes to an end.
pub fn rough(said: &Said, seed: u64) -> Arrived {
    let mut rough = Rough {
        process: Process::new(said),
        dice: Dice::new(seed),
        agenda: BTreeMap::new(),
        entered: 0,
        committed: vec![Seq(0); said.streams.len()],
        commits: 0,
        restarts: 0,
    };
    let start = said.streams.iter().filter_map(|(_, events)| events.first());
    let start = start.map(|event| event.observed.wall.0).min().unwrap_or(0);
    for agent in 0..said.streams.len() {
        let at = start + rough.dice.between(0, DELAY_MS_MAX);
        rough.enter(at, Message::Send { agent });
    }
    rough.enter(start, Message::Tick);
    while let Some(((now, _), message)) = rough.agenda.pop_first() {
        assert!(rough.entered < MESSAGES_MAX, "seed {seed}: the road never comes to an end");
        rough.arrive(now, message);
    }
    let Process { store, complaints, .. } = rough.process;
    Arrived { store, complaints, restarts: rough.restarts, commits: rough.commits }
}

impl Rough<'_> {
    fn enter(&mut self, at: i64, message: Message) {
        self.entered += 1;
        self.agenda.insert((at, self.entered), message);
    }

    fn is_done(&self, agent: usize) -> bool {
        let last = self.process.said.streams[agent].1.last();
        last.is_none_or(|last| self.committed[agent] >= last.seq)
    }

    fn arrive(&mut self, now: i64, message: Message) {
        match message {
            Message::Send { agent } if !self.is_done(agent) => {
                self.send(now, agent, self.committed[agent].next());
                self.enter(now + RESEND_MS, Message::Send { agent });
            }
            Message::Send { .. } => {}
            Message::Told { agent, through } => {
                self.committed[agent] = self.committed[agent].max(through);
                self.enter(now, Message::Send { agent });
            }
            Message::Asked { agent, from } => self.send(now, agent, from),
            Message::Batch { agent, frame } => {
                self.process.batch(now, agent, &frame);
                self.turn(now);
            }
            Message::Tick => {
                self.process.collector.handle(
                    ArrivalTime(now),
                    Input::Tick,
                    &mut self.process.store,
                );
                self.turn(now);
                if (0..self.committed.len()).any(|agent| !self.is_done(agent)) {
                    self.enter(now + 120_000, Message::Tick);
                }
            }
        }
    }

    /// Some batches from a number on, split at random, some of them twice, each with a delay of its own.
    fn send(&mut self, now: i64, agent: usize, from: Seq) {
        let said = self.process.said;
        let (name, events) = &said.streams[agent];
        let mut at = events.partition_point(|event| event.seq < from);
        for _ in 0..self.dice.between(1, 4) {
            if at >= events.len() {
                return;
            }
            let size = self.dice.between(1, 120) as usize;
            let (frame, taken) = pack(name, &events[at..], size);
            // Now and then the next batch begins inside this one.
            at += if self.dice.percent(80) { taken } else { taken.div_ceil(2) };
            for _ in 0..if self.dice.percent(15) { 2 } else { 1 } {
                let delay = match self.dice.below(10) {
                    0 => self.dice.between(0, DELAY_MS_MAX),
                    _ => self.dice.between(0, 3_000),
                };
                self.enter(now + delay, Message::Batch { agent, frame: frame.clone() });
            }
        }
    }

    /// Commits, or waits for more, or dies.
    fn turn(&mut self, now: i64) {
        match self.dice.below(20) {
            // Killed with all that was not stored.
            0 => return self.restart(),
            1..=6 => return,
            _ => {}
        }
        let Some(commit) = self.process.take_commit(now) else { return };
        if self.dice.percent(4) {
            // Killed while storing: nothing of it is stored.
            return self.restart();
        }
        self.process.store(&commit);
        self.commits += 1;
        let dies = self.dice.percent(4);
        if dies {
            // Killed before the agents were told.
            return self.restart();
        }
        for reply in &commit.replies {
            let agent = self.process.said.streams.iter().position(|(name, _)| {
                (&name.store, &name.agent) == (&reply.topic.store, &reply.topic.agent)
            });
            let agent = agent.expect("a reply to an agent that spoke");
            let delay = self.dice.between(0, 2_000);
            match reply.topic.channel {
                Channel::Commit => {
                    let told = envelope::Commit::from_frame(&reply.payload).expect("sealed here");
                    self.enter(now + delay, Message::Told { agent, through: Seq(told.through) });
                }
                _ => {
                    let asked = envelope::Request::from_frame(&reply.payload).expect("sealed here");
                    self.enter(now + delay, Message::Asked { agent, from: Seq(asked.from) });
                }
            }
        }
    }

    fn restart(&mut self) {
        self.process.restart();
        self.restarts += 1;
    }
}

/// Where two ends of a road differ, in a line each: payments with all that is known of them, and findings.
pub fn differences(left: &MemoryStore, right: &MemoryStore) -> Vec<String> {
    let mut found = Vec::new();
    let ids: BTreeSet<_> = left.transactions.keys().chain(right.transactions.keys()).collect();
    for id in ids {
        match (left.transactions.get(id), right.transactions.get(id)) {
            (Some(left), Some(right)) if left.case == right.case => {}
            (Some(left), Some(right)) => {
                let (verdicts, told) =
                    ((left.case.verdict, right.case.verdict), (&left.case.told, &right.case.told));
                found.push(format!("{id}: {verdicts:?}\n    {:?}\n    {:?}", told.0, told.1));
                if verdicts.0 == verdicts.1 && told.0 == told.1 {
                    found.push(format!("    {:?}\n    {:?}", left.case, right.case));
                }
            }
            (left, right) => {
                found.push(format!("{id}: {} against {}", left.is_some(), right.is_some()));
            }
        }
    }
    let of_agent = |id: &&slipwatch_collector::correlate::finding::FindingId| {
        // Whether an agent was heard is a matter of the road.
        !matches!(id.subject, slipwatch_collector::correlate::finding::Subject::Agent(_))
    };
    let ids: BTreeSet<_> =
        left.findings.keys().chain(right.findings.keys()).filter(of_agent).collect();
    for id in ids {
        let (left, right) = (left.findings.get(id), right.findings.get(id));
        if left != right {
            found.push(format!("{id}:\n    {left:?}\n    {right:?}"));
        }
    }
    found
}
