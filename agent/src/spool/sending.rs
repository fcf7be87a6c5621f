//! Durable groups into batches: what is in flight, what is sent again, what the collector has. Never publishes what is
//! not durable, and never forgets what is not committed.

use super::storage::{Held, StorageOrder};
use super::tombstone::{Moment, lost_group};
use super::writing::RETRY_MS;
use slipwatch_shared::event::{Epoch, LossReason, Seq};
use slipwatch_shared::terminal::{AgentId, StoreId};
use slipwatch_shared::times::{EventTime, Observed, Uptime};
use slipwatch_shared::wire::envelope::{
    BODY_BYTES_MAX, Commit, EventBatch, FRAME_BYTES_MAX, GROUP_BYTES_MAX, Group, Request,
};
use std::collections::VecDeque;

/// Most bytes of groups that wait in memory to be published.
pub const READY_BYTES_MAX: usize = 512 * 1024;
/// Most batches in flight, whatever the settings say.
pub const WINDOW_MAX: usize = 64;
/// How long after sending a number a request for it is taken to have crossed it on the way.
pub const REQUEST_QUIET_MS: u64 = 500;
/// More groups than this are never joined: their records would not fit.
const PACK_GROUPS_MAX: usize = BODY_BYTES_MAX / GROUP_BYTES_MAX * 8;

/// How batches are sent.
#[derive(Clone, Debug)]
pub struct SendSettings {
    /// Whose shop.
    pub store: StoreId,
    /// Which agent.
    pub agent: AgentId,
    /// Batches in flight.
    pub window: usize,
    /// A batch that is not committed by then is sent again, and all behind it.
    pub resend_ms: u64,
    /// A batch whose first event is older than this when it is sent says that it is historical.
    pub historical_after_ms: u64,
}

/// A batch to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The sealed envelope.
    pub frame: Vec<u8>,
    /// Its first number.
    pub first: Seq,
    /// Its last number.
    pub through: Seq,
}

/// What a commit said to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitMeaning {
    /// The collector has more than before: the spool may forget.
    Progress,
    /// Nothing that was not known.
    Behind,
    /// Of another life of the numbering: not ours to act upon.
    Foreign,
    /// It names numbers that this life never sent: they were given twice, so a new epoch must begin.
    Ahead,
}

#[derive(Debug)]
struct Flight {
    first: Seq,
    through: Seq,
    sent_at: Uptime,
}

/// The sending half of the spool.
#[derive(Debug)]
pub struct Sending {
    settings: SendSettings,
    epoch: Epoch,
    connected: bool,
    committed: Seq,
    published_max: Seq,
    /// First number given in this life of the process.
    life_first: Seq,
    held: Held,
    durable_end: Seq,
    ready: VecDeque<Group>,
    ready_bytes: usize,
    /// The number after all that is published or ready.
    ready_end: Seq,
    fetching: Option<Seq>,
    fetch_again_at: Option<Uptime>,
    flights: VecDeque<Flight>,
    pack_groups: usize,
    /// The collector misses what is before the first group: it is told that this will not come.
    missing_from: Option<Seq>,
}

impl Sending {
    /// Begins to send what is held.
    pub fn new(
        settings: SendSettings,
        epoch: Epoch,
        committed: Seq,
        next: Seq,
        held: Held,
    ) -> Sending {
        let durable_end = if held.groups == 0 { committed.next() } else { next };
        Sending {
            settings,
            epoch,
            connected: false,
            committed,
            published_max: Seq(next.0 - 1),
            life_first: next,
            held,
            durable_end,
            ready: VecDeque::new(),
            ready_bytes: 0,
            ready_end: committed.next(),
            fetching: None,
            fetch_again_at: None,
            flights: VecDeque::new(),
            pack_groups: 8,
            missing_from: None,
        }
    }

    /// Which life of the numbering.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The collector has everything through this number.
    pub fn committed(&self) -> Seq {
        self.committed
    }

    /// What the storage holds.
    pub fn held(&self) -> Held {
        self.held
    }

    /// First number that can still be sent.
    pub fn first(&self) -> Seq {
        if self.held.groups == 0 { self.durable_end } else { self.held.first }
    }

    /// First number that was given in this life of the process.
    pub fn life_first(&self) -> Seq {
        self.life_first
    }

    /// The storage said what it holds.
    pub fn holds(&mut self, held: Held) {
        self.held = held;
    }

    /// These became durable, in order; they go out straight from memory when nothing before them waits.
    pub fn stored(&mut self, group: Group) {
        let caught_up = self.ready_end >= self.durable_end && self.fetching.is_none();
        self.durable_end = group.end_seq();
        if self.connected && caught_up && self.ready_bytes < READY_BYTES_MAX {
            self.make_ready(group);
        }
    }

    fn make_ready(&mut self, group: Group) {
        self.ready_end = group.end_seq();
        self.ready_bytes += group.frame_bytes();
        self.ready.push_back(group);
    }

    /// A connection stands and answers can be heard: everything that is not committed is sent (again).
    pub fn connected(&mut self) {
        self.connected = true;
        self.go_back();
    }

    /// The connection is gone, and with it all that was in flight.
    pub fn disconnected(&mut self) {
        self.connected = false;
        self.missing_from = None;
        self.go_back();
    }

    fn go_back(&mut self) {
        self.flights.clear();
        self.ready.clear();
        self.ready_bytes = 0;
        self.fetching = None;
        self.ready_end = self.committed.next();
    }

    /// The storage gave what was asked for.
    pub fn fetched(&mut self, from: Seq, groups: Vec<Group>) {
        if self.fetching != Some(from) {
            return;
        }
        self.fetching = None;
        if groups.is_empty() {
            // Nothing is held from there on: what remains will come as it is stored.
            self.ready_end = self.durable_end.max(from);
        }
        groups.into_iter().for_each(|group| self.make_ready(group));
    }

    /// A fetch failed: it is asked again a little later.
    pub fn fetch_failed(&mut self, now: Uptime) {
        if self.fetching.take().is_some() {
            self.fetch_again_at = Some(now.plus_ms(RETRY_MS));
        }
    }

    /// The collector has stored numbers.
    pub fn commit(&mut self, commit: Commit) -> CommitMeaning {
        if commit.epoch != self.epoch.0 {
            return CommitMeaning::Foreign;
        }
        let through = Seq(commit.through);
        if through > self.published_max {
            return CommitMeaning::Ahead;
        }
        while self.flights.front().is_some_and(|flight| flight.through <= through) {
            self.flights.pop_front();
        }
        if through <= self.committed {
            return CommitMeaning::Behind;
        }
        self.committed = through;
        while self.ready.front().is_some_and(|group| group.last_seq() <= through) {
            let group = self.ready.pop_front().expect("it was just looked at");
            self.ready_bytes -= group.frame_bytes();
        }
        if self.ready.is_empty() && self.ready_end <= through {
            (self.ready_end, self.fetching) = (through.next(), None);
        }
        CommitMeaning::Progress
    }

    /// The collector asks for numbers again. False when it means another life of the numbering.
    pub fn requested(&mut self, request: Request, now: Uptime) -> bool {
        let from = Seq(request.from);
        if request.epoch != self.epoch.0 || !self.connected || from > self.published_max.next() {
            return false;
        }
        // With several batches in flight one hole is asked for several times; it is on its way already.
        if self.flights.front().is_some_and(|flight| {
            (flight.first..=flight.through).contains(&from)
                && now.ms_since(flight.sent_at) < REQUEST_QUIET_MS
        }) {
            return true;
        }
        self.go_back();
        let first = self.first();
        if from < first {
            self.missing_from = Some(from.max(Seq(1)));
        }
        self.ready_end = from.max(first);
        true
    }

    /// A new life of the numbering begins; the groups keep their numbers, and the collector is told that those before
    /// the first one will not come.
    pub fn begin_epoch(&mut self, epoch: Epoch) {
        self.epoch = epoch;
        self.committed = Seq(0);
        self.published_max = Seq(self.durable_end.0.saturating_sub(1));
        self.life_first = self.durable_end;
        self.go_back();
        self.ready_end = self.first();
        self.missing_from = (self.first() > Seq(1)).then_some(Seq(1));
    }

    /// Whether everything durable is committed.
    pub fn is_drained(&self) -> bool {
        self.committed.next() >= self.durable_end
    }

    /// Goes back when an answer is overdue; says so.
    pub fn resend_when_due(&mut self, now: Uptime) -> bool {
        let due = self.resend_at().is_some_and(|at| at <= now);
        if due {
            let missing = self.missing_from;
            self.go_back();
            self.missing_from = missing;
        }
        due
    }

    fn resend_at(&self) -> Option<Uptime> {
        self.flights.front().map(|flight| flight.sent_at.plus_ms(self.settings.resend_ms))
    }

    /// When something is to be done.
    pub fn wake_at(&self) -> Option<Uptime> {
        self.resend_at().into_iter().chain(self.fetch_again_at).min()
    }

    /// The order that brings the next groups into memory.
    pub fn next_order(&mut self, now: Uptime) -> Option<StorageOrder> {
        if self.fetch_again_at.is_some_and(|at| at > now) {
            return None;
        }
        self.fetch_again_at = None;
        let wanted = self.connected
            && self.fetching.is_none()
            && self.ready_bytes < READY_BYTES_MAX / 2
            && self.ready_end < self.durable_end;
        wanted.then(|| {
            self.fetching = Some(self.ready_end);
            let bytes_max = READY_BYTES_MAX - self.ready_bytes;
            StorageOrder::Fetch { from: self.ready_end, bytes_max }
        })
    }

    /// The next batch, when one may be in flight.
    pub fn next_batch(&mut self, now: Observed) -> Option<Batch> {
        let window = self.settings.window.clamp(1, WINDOW_MAX);
        if !self.connected || self.flights.len() >= window {
            return None;
        }
        self.say_missing(now);
        if self.ready.is_empty() {
            return None;
        }
        let offered = self.pack_groups.min(self.ready.len());
        let historical = self.is_historical(now);
        let SendSettings { store, agent, .. } = &self.settings;
        let groups = &self.ready.make_contiguous()[..offered];
        let (frame, taken) = EventBatch::pack(store, agent, self.epoch, historical, groups);
        let (first, through) = (groups[0].first_seq, groups[taken - 1].last_seq());
        // What fits into a frame depends on how well it compresses: the next one is offered about as much.
        if taken < offered {
            self.pack_groups = taken.max(2);
        } else if frame.len() < FRAME_BYTES_MAX / 2 {
            self.pack_groups = (offered * 2).clamp(8, PACK_GROUPS_MAX);
        }
        for group in self.ready.drain(..taken) {
            self.ready_bytes = self.ready_bytes.saturating_sub(group.frame_bytes());
        }
        self.flights.push_back(Flight { first, through, sent_at: now.uptime });
        self.published_max = self.published_max.max(through);
        Some(Batch { frame, first, through })
    }

    /// Puts the word that numbers will not come before the first group that will.
    fn say_missing(&mut self, now: Observed) {
        let Some(from) = self.missing_from else { return };
        let nothing_held = self.ready_end >= self.durable_end && self.fetching.is_none();
        let (before, moment) = match self.ready.front() {
            Some(group) => (group.first_seq, Moment::of_first_event(group)),
            None if nothing_held => (self.durable_end, moment_of(now)),
            None => return,
        };
        self.missing_from = None;
        if from < before {
            let through = Seq(before.0 - 1);
            let group = lost_group(from, through, LossReason::AlreadyDelivered, moment);
            self.ready_bytes += group.frame_bytes();
            self.ready.push_front(group);
        }
    }

    fn is_historical(&self, now: Observed) -> bool {
        let Some(group) = self.ready.front() else { return false };
        let moment = Moment::of_first_event(group);
        let age_ms = match moment.boot == now.boot {
            true => now.uptime.ms_since(moment.uptime),
            false => {
                let EventTime(then) = moment.observed().wall;
                u64::try_from(now.wall.0.saturating_sub(then)).unwrap_or(0)
            }
        };
        age_ms > self.settings.historical_after_ms
    }
}

fn moment_of(now: Observed) -> Moment {
    use slipwatch_shared::wire::envelope::ClockState;
    let uptime = i64::try_from(now.uptime.0).unwrap_or(i64::MAX);
    let wall_offset_ms = now.wall.0.saturating_sub(uptime);
    let clock = ClockState { wall_offset_ms, synchronised: now.synchronised };
    Moment { boot: now.boot, clock, uptime: now.uptime }
}
