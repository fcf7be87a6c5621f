//! Events into groups, groups into the storage. Numbers events; never publishes one.

use super::bookmark::Bookmark;
use super::seal::{SEAL_MS, SEAL_QUIET_MS, Sealer};
use super::storage::{Append, Refusal, StorageOrder};
use super::tombstone::{Moment, lost_event};
use slipwatch_shared::event::{
    Body, DecodeFailure, EVIDENCE_BYTES_MAX, Event, Evidence, LossReason, Seq, SourceId,
};
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::{DeviceTime, Observed, Uptime};
use slipwatch_shared::wire::envelope::{ClockState, Covered, GROUP_BYTES_MAX, Group};
use slipwatch_shared::wire::seal::{Chain, Digest};
use slipwatch_shared::wire::v1::next_record;
use std::collections::VecDeque;

/// Most bytes that wait for the storage; beyond it the sources have to wait.
pub const UNSTORED_BYTES_MAX: usize = 1024 * 1024;
/// How long after a refusal the storage is asked again.
pub const RETRY_MS: u64 = 1_000;
/// While events come without a pause, a group is closed no sooner than this many times the commit time after the one
/// before it, unless it is full: each commit costs a write to the disk, and most of the CPU that the agent needs.
pub const BUSY_COMMITS: u64 = 5;
/// A wall clock that moves by no more than this between readings is the same clock.
pub const CLOCK_DRIFT_MS_MAX: u64 = 20;
/// A wall clock that moves by more than this was stepped, and the stream says so.
pub const CLOCK_STEP_MS: u64 = 500;

/// What is to be said, not yet numbered.
#[derive(Clone, Debug)]
pub struct Utterance {
    /// Who.
    pub source: SourceId,
    /// Which terminal it concerns.
    pub terminal: Option<TerminalId>,
    /// When.
    pub at: Uptime,
    /// When, by the device.
    pub device_time: Option<DeviceTime>,
    /// What.
    pub body: Body,
    /// The line or frame.
    pub evidence: Evidence,
}

impl Utterance {
    /// Words of the agent about a source, without evidence.
    pub fn own(
        source: SourceId,
        terminal: Option<TerminalId>,
        at: Uptime,
        body: Body,
    ) -> Utterance {
        Utterance { source, terminal, at, device_time: None, body, evidence: Evidence::None }
    }

    /// Something was said and not understood.
    pub fn failed(
        source: SourceId,
        terminal: Option<TerminalId>,
        at: Uptime,
        reason: DecodeFailure,
    ) -> Utterance {
        Utterance::own(source, terminal, at, Body::DecodeFailed { reason })
    }
}

/// The open group and those that wait for the storage.
#[derive(Debug)]
pub struct Writing {
    commit_ms: u64,
    moment: Moment,
    next: Seq,
    open: Option<(Group, Uptime)>,
    last_close: Option<Uptime>,
    bookmarks: Vec<(Box<str>, Bookmark)>,
    unstored: VecDeque<Append>,
    unstored_bytes: usize,
    /// How many of `unstored` the storage was told.
    ordered: usize,
    retry_at: Option<Uptime>,
    sealer: Option<Sealer>,
    chain: Chain,
    /// When the next seal is due; absent when all is signed.
    seal_at: Option<Uptime>,
}

impl Writing {
    /// Begins to write at `next`, behind everything that `chain` stands for.
    pub fn new(
        commit_ms: u64,
        sealer: Option<Sealer>,
        next: Seq,
        chain: Chain,
        now: Observed,
    ) -> Writing {
        let unsealed = chain.unsealed_from.map(|_| now.uptime.plus_ms(SEAL_MS));
        Writing {
            commit_ms,
            seal_at: unsealed.filter(|_| sealer.is_some()),
            sealer,
            chain,
            moment: Moment { boot: now.boot, clock: clock_of(now), uptime: now.uptime },
            next,
            open: None,
            last_close: None,
            bookmarks: Vec::new(),
            unstored: VecDeque::new(),
            unstored_bytes: 0,
            ordered: 0,
            retry_at: None,
        }
    }

    /// Number of the next event.
    pub fn next(&self) -> Seq {
        self.next
    }

    /// Boot, clock and time of the last reading.
    pub fn moment(&self) -> Moment {
        self.moment
    }

    /// Whether more may be said; when not, sources have to wait.
    pub fn has_room(&self) -> bool {
        self.unstored_bytes < UNSTORED_BYTES_MAX
    }

    /// Whether all that was said is durable.
    pub fn is_settled(&self) -> bool {
        self.open.is_none() && self.unstored.is_empty()
    }

    /// A reading of the clocks. When the wall clock was stepped the step is said first, under the new clock.
    pub fn clock_read(&mut self, now: Observed, covered: &[Covered]) -> Option<i64> {
        self.moment.uptime = now.uptime;
        let clock = clock_of(now);
        let by_ms = clock.wall_offset_ms.saturating_sub(self.moment.clock.wall_offset_ms);
        let same = by_ms.unsigned_abs() <= CLOCK_DRIFT_MS_MAX
            && clock.synchronised == self.moment.clock.synchronised;
        if same {
            return None;
        }
        self.close(covered);
        self.moment.clock = clock;
        if by_ms.unsigned_abs() <= CLOCK_STEP_MS {
            return None;
        }
        let body = Body::ClockStepped { by_ms };
        self.say(Utterance::own(SourceId::AGENT, None, now.uptime, body), covered);
        Some(by_ms)
    }

    /// Numbers what was said and puts it into the open group; closes that first when it is full.
    pub fn say(&mut self, utterance: Utterance, covered: &[Covered]) {
        let Utterance { source, terminal, at, device_time, body, evidence } = utterance;
        let event = Event {
            seq: self.next,
            source,
            terminal,
            observed: Moment { uptime: at, ..self.moment }.observed(),
            device_time,
            body,
            evidence: bounded(evidence),
        };
        self.put(&event, covered);
    }

    /// Says that numbers are gone; the event carries the last of them, and numbering goes on behind it.
    pub fn say_lost(&mut self, from: Seq, through: Seq, reason: LossReason, covered: &[Covered]) {
        self.close(covered);
        self.next = through;
        self.put(&lost_event(from, through, reason, self.moment), covered);
    }

    fn put(&mut self, event: &Event, covered: &[Covered]) {
        let Moment { boot, clock, uptime } = self.moment;
        let next = self.next;
        let begin = || (Group::begin(boot, clock, next), uptime);
        let (group, _) = self.open.get_or_insert_with(begin);
        let record_start = group.records.len();
        group.push(event);
        self.next = self.next.next();
        let record =
            next_record(&mut &group.records[record_start..]).expect("it was just put there");
        let digest = Digest::of_record(boot, clock, record);
        let bytes = group.frame_bytes() + covered.len() * COVERED_BYTES_MAX;
        if bytes > GROUP_BYTES_MAX && group.count > 1 {
            // The event that did not fit begins the next group.
            let record = group.records.split_off(record_start);
            group.count -= 1;
            self.close(covered);
            let mut group = Group::begin(boot, clock, event.seq);
            (group.records, group.count) = (record, 1);
            self.open = Some((group, uptime));
        }
        // Not before: the chain beside a group stands for the records up to its end.
        self.chain.add(event.seq, digest);
        self.note_unsealed(&event.body);
    }

    fn note_unsealed(&mut self, body: &Body) {
        if self.sealer.is_none() || matches!(body, Body::Sealed(_)) {
            return;
        }
        let wait_ms = if matches!(body, Body::Pulse(_)) { SEAL_QUIET_MS } else { SEAL_MS };
        let due = self.moment.uptime.plus_ms(wait_ms);
        self.seal_at = Some(self.seal_at.map_or(due, |at| at.min(due)));
    }

    /// Signs all that was said so far, unless it is signed.
    pub fn seal(&mut self, covered: &[Covered]) {
        // A seal alone is not signed again: it would go on for ever.
        if self.seal_at.take().is_none() {
            return;
        }
        let Some(sealer) = &self.sealer else { return };
        let Some(body) = sealer.seal(&self.chain, self.next) else { return };
        self.chain.seal();
        self.say(Utterance::own(SourceId::AGENT, None, self.moment.uptime, body), covered);
    }

    /// A file was read so far, as of all that was said by now; kept with the group that is open.
    pub fn bookmark(&mut self, name: &str, bookmark: Bookmark) {
        match self.bookmarks.iter_mut().find(|(known, _)| known.as_ref() == name) {
            Some((_, known)) => *known = bookmark,
            None => self.bookmarks.push((name.into(), bookmark)),
        }
    }

    /// Closes the open group, if there is one.
    pub fn close(&mut self, covered: &[Covered]) {
        let Some((mut group, _)) = self.open.take() else { return };
        group.covered = covered.to_vec();
        self.last_close = Some(self.moment.uptime);
        self.unstored_bytes += group.frame_bytes();
        let bookmarks = std::mem::take(&mut self.bookmarks);
        self.unstored.push_back(Append { group, bookmarks, chain: self.chain });
    }

    /// Closes the open group when its time has come.
    pub fn close_when_due(&mut self, covered: &[Covered]) {
        if self.open.is_some() && self.seal_at.is_some_and(|at| at <= self.moment.uptime) {
            self.seal(covered);
        }
        if self.close_at().is_some_and(|at| at <= self.moment.uptime) {
            self.close(covered);
        }
    }

    fn close_at(&self) -> Option<Uptime> {
        let (_, since) = self.open.as_ref()?;
        let when_quiet = since.plus_ms(self.commit_ms);
        let busy_ms = self.commit_ms.saturating_mul(BUSY_COMMITS);
        let when_busy = self.last_close.map(|last| last.plus_ms(busy_ms));
        Some(when_busy.map_or(when_quiet, |at| at.max(when_quiet)))
    }

    /// When something is to be done.
    pub fn wake_at(&self) -> Option<Uptime> {
        self.close_at().into_iter().chain(self.retry_at).min()
    }

    /// The order that keeps what was not ordered yet; after a refusal all of it again, once the wait is over.
    pub fn next_order(&mut self) -> Option<StorageOrder> {
        match self.retry_at {
            Some(at) if at > self.moment.uptime => return None,
            _ => self.retry_at = None,
        }
        let fresh: Vec<Append> = self.unstored.iter().skip(self.ordered).cloned().collect();
        self.ordered = self.unstored.len();
        (!fresh.is_empty()).then_some(StorageOrder::Append(fresh))
    }

    /// Everything through this number is durable; gives the groups that became so.
    pub fn stored(&mut self, through: Seq) -> impl Iterator<Item = Group> {
        let durable = |append: &Append| append.group.last_seq() <= through;
        let count = self.unstored.iter().take_while(|append| durable(append)).count();
        self.ordered = self.ordered.saturating_sub(count);
        let bytes = |append: &Append| append.group.frame_bytes();
        self.unstored_bytes -= self.unstored.iter().take(count).map(bytes).sum::<usize>();
        self.unstored.drain(..count).map(|append| append.group)
    }

    /// The storage refused: everything is ordered again, later.
    pub fn refused(&mut self, _: Refusal) {
        self.ordered = 0;
        self.retry_at = Some(self.moment.uptime.plus_ms(RETRY_MS));
    }
}

/// Most bytes that one [`Covered`] takes in a frame.
const COVERED_BYTES_MAX: usize = 13;

fn clock_of(now: Observed) -> ClockState {
    let uptime = i64::try_from(now.uptime.0).unwrap_or(i64::MAX);
    let wall_offset_ms = now.wall.0.saturating_sub(uptime);
    ClockState { wall_offset_ms, synchronised: now.synchronised }
}

fn bounded(evidence: Evidence) -> Evidence {
    match evidence {
        Evidence::Text(text) if text.len() > EVIDENCE_BYTES_MAX => {
            let mut text = String::from(text);
            let mut end = EVIDENCE_BYTES_MAX - '…'.len_utf8();
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
            text.push('…');
            Evidence::Text(text.into())
        }
        Evidence::Frame(bytes) if bytes.len() > EVIDENCE_BYTES_MAX => {
            Evidence::Frame(bytes[..EVIDENCE_BYTES_MAX].into())
        }
        evidence => evidence,
    }
}
