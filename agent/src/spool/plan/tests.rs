//! The plan against a storage that keeps everything in memory and a collector that is played by hand.

use super::*;
use crate::spool::storage::{Append, Refusal};
use slipwatch_shared::event::{Body, SourceId};
use slipwatch_shared::times::{BootId, EventTime};
use slipwatch_shared::wire::envelope::{EventBatch, GROUP_BYTES_MAX, Group};
use slipwatch_shared::wire::seal::Chain;

const WALL_MS: i64 = 1_700_000_000_000;

/// A plan, a clock, and a storage that obeys when told to.
struct Rig {
    plan: Plan,
    now: Observed,
    stored: Vec<Group>,
    orders: VecDeque<StorageOrder>,
    sent: Vec<EventBatch>,
    reports: Vec<Report>,
}

fn settings() -> SpoolSettings {
    SpoolSettings {
        send: SendSettings {
            store: "shop-1".parse().expect("a store"),
            agent: "till-1".parse().expect("an agent"),
            window: 1,
            resend_ms: 15_000,
            historical_after_ms: 600_000,
        },
        commit_ms: 100,
        quota_bytes: 64 << 20,
        sealer: None,
    }
}

fn start_at(next: u64, committed: u64) -> Start {
    Start {
        epoch: Epoch(7),
        next: Seq(next),
        committed_through: Seq(committed),
        lost: None,
        chain: Chain::default(),
    }
}

impl Rig {
    fn new(start: Start) -> Rig {
        Rig::with(settings(), start, Vec::new())
    }

    fn with(settings: SpoolSettings, start: Start, stored: Vec<Group>) -> Rig {
        let now = Observed {
            boot: BootId([1; 16]),
            uptime: Uptime(1_000),
            wall: EventTime(WALL_MS + 1_000),
            synchronised: true,
        };
        let held = held(&stored, start.next);
        let plan = Plan::new(settings, start, held, now);
        let (orders, sent, reports) = (VecDeque::new(), Vec::new(), Vec::new());
        Rig { plan, now, stored, orders, sent, reports }
    }

    fn say(&mut self, count: usize) {
        for _ in 0..count {
            let said = Utterance::own(SourceId(1), None, self.now.uptime, Body::NetworkUp);
            self.plan.say(said, &[]);
        }
        self.pump();
    }

    fn wait(&mut self, ms: u64) {
        self.now.uptime = self.now.uptime.plus_ms(ms);
        self.now.wall.0 += ms as i64;
        self.plan.clock_read(self.now, &[]);
        self.pump();
    }

    fn pump(&mut self) {
        self.plan.pump(self.now, &[]);
        while let Some(effect) = self.plan.next_effect() {
            match effect {
                Effect::Storage(order) => self.orders.push_back(order),
                Effect::Publish(batch) => {
                    let opened = EventBatch::open(&batch.frame).expect("what was packed");
                    assert_eq!(batch.through, opened.group.last_seq());
                    self.sent.push(opened);
                }
                Effect::Report(report) => self.reports.push(report),
            }
        }
    }

    /// The storage carries out everything that was ordered, and what is ordered thereupon.
    fn store(&mut self) {
        while let Some(order) = self.orders.pop_front() {
            let answer = self.obey(order);
            self.plan.answered(answer);
            self.pump();
        }
    }

    fn obey(&mut self, order: StorageOrder) -> StorageAnswer {
        match order {
            StorageOrder::Append(appends) => {
                let through = appends.last().expect("never empty").group.last_seq();
                self.stored.extend(appends.into_iter().map(|append| append.group));
                StorageAnswer::Stored { through, held: held(&self.stored, through.next()) }
            }
            StorageOrder::Fetch { from, bytes_max } => {
                let mut bytes = 0;
                let wanted = self.stored.iter().filter(|group| group.end_seq() > from);
                let groups = wanted.take_while(|group| {
                    let fits = bytes < bytes_max;
                    bytes += group.frame_bytes();
                    fits
                });
                StorageAnswer::Fetched { from, groups: groups.cloned().collect() }
            }
            StorageOrder::Remove { through } => {
                self.stored.retain(|group| group.last_seq() > through);
                StorageAnswer::Holds(held(&self.stored, self.plan.numbers().2))
            }
            StorageOrder::Evict { .. } | StorageOrder::BeginEpoch { .. } => {
                StorageAnswer::Holds(held(&self.stored, self.plan.numbers().2))
            }
        }
    }

    fn connect(&mut self) {
        self.plan.connected();
        self.pump();
        self.store();
    }

    fn commit(&mut self, epoch: u64, through: u64) {
        self.plan.committed_by_collector(Commit { epoch, through }, self.now);
        self.pump();
        self.store();
    }

    fn request(&mut self, epoch: u64, from: u64) {
        self.plan.requested(Request { epoch, from });
        self.pump();
        self.store();
    }

    /// First and last number of each batch sent since this was last asked.
    #[track_caller]
    fn expect_sent(&mut self, expected: &[(u64, u64)]) {
        let numbers = |batch: &EventBatch| (batch.group.first_seq.0, batch.group.last_seq().0);
        assert_eq!(self.sent.drain(..).map(|batch| numbers(&batch)).collect::<Vec<_>>(), expected);
    }
}

fn held(stored: &[Group], next: Seq) -> Held {
    Held {
        first: stored.first().map_or(next, |group| group.first_seq),
        groups: stored.len() as u64,
        bytes: stored.iter().map(|group| group.frame_bytes() as u64).sum(),
    }
}

#[test]
fn nothing_is_published_before_it_is_durable() {
    let mut rig = Rig::new(start_at(1, 0));
    rig.connect();
    rig.say(3);
    rig.wait(99);
    assert!(rig.orders.is_empty(), "the group is still open");
    rig.wait(1);
    assert_eq!(rig.orders.len(), 1);
    rig.expect_sent(&[]);
    rig.store();
    rig.expect_sent(&[(1, 3)]);
}

#[test]
fn a_stream_without_a_pause_is_stored_less_often_than_a_single_word() {
    let mut rig = Rig::new(start_at(1, 0));
    for _ in 0..100 {
        rig.say(1);
        rig.wait(20);
        rig.store();
    }
    assert_eq!(rig.stored.len(), 4, "after 100, 600, 1,100 and 1,600 ms");
    rig.wait(500);
    rig.wait(500);
    rig.say(1);
    rig.wait(100);
    rig.store();
    assert_eq!(rig.stored.len(), 6, "after a quiet while the first word is stored soon");
}

#[test]
fn a_full_group_is_closed_at_once_and_fits_into_the_bound() {
    let mut rig = Rig::new(start_at(1, 0));
    rig.say(2_000);
    rig.store();
    assert!(rig.stored.len() > 1);
    assert!(rig.stored.iter().all(|group| group.to_frame().len() <= GROUP_BYTES_MAX));
    let contiguous = rig.stored.windows(2).all(|pair| pair[0].end_seq() == pair[1].first_seq);
    assert!(contiguous);
}

#[test]
fn one_batch_is_in_flight_until_the_collector_commits_it() {
    let mut rig = Rig::new(start_at(1, 0));
    rig.connect();
    rig.say(1);
    rig.wait(500);
    rig.store();
    rig.say(1);
    rig.wait(500);
    rig.store();
    rig.expect_sent(&[(1, 1)]);
    rig.commit(7, 1);
    rig.expect_sent(&[(2, 2)]);
    assert_eq!(rig.stored.len(), 1, "what is committed is removed");
    rig.commit(7, 2);
    assert!(rig.plan.is_drained() && rig.stored.is_empty());
}

#[test]
fn everything_not_committed_is_sent_again_after_a_reconnect_and_after_silence() {
    let mut rig = Rig::new(start_at(1, 0));
    rig.connect();
    rig.say(2);
    rig.wait(500);
    rig.store();
    rig.expect_sent(&[(1, 2)]);
    rig.plan.disconnected();
    rig.say(2);
    rig.wait(500);
    rig.store();
    rig.expect_sent(&[]);
    rig.connect();
    rig.expect_sent(&[(1, 4)]);
    rig.wait(14_999);
    rig.expect_sent(&[]);
    rig.wait(1);
    rig.store();
    rig.expect_sent(&[(1, 4)]);
    assert!(rig.reports.contains(&Report::Resending { from: Seq(1) }));
}

#[test]
fn a_commit_inside_a_group_keeps_the_group() {
    let mut rig = Rig::new(start_at(1, 0));
    rig.connect();
    rig.say(4);
    rig.wait(500);
    rig.store();
    rig.commit(7, 2);
    assert_eq!(rig.stored.len(), 1);
    rig.plan.disconnected();
    rig.sent.clear();
    rig.connect();
    rig.expect_sent(&[(1, 4)]);
}

#[test]
fn commits_that_are_behind_or_foreign_change_nothing() {
    let mut rig = Rig::new(start_at(1, 0));
    rig.connect();
    rig.say(4);
    rig.wait(500);
    rig.store();
    rig.commit(7, 4);
    rig.commit(7, 2);
    rig.commit(6, 9_999);
    assert_eq!(rig.plan.committed(), Seq(4));
    assert_eq!(rig.reports, [Report::ForeignEpoch { epoch: 6 }]);
}

#[test]
fn a_commit_for_numbers_never_sent_begins_a_new_epoch_and_loses_nothing() {
    let mut rig = Rig::new(start_at(51, 50));
    rig.say(3);
    rig.wait(500);
    rig.store();
    rig.commit(7, 400);
    assert_eq!(rig.reports.len(), 1, "{:?}", rig.reports);
    assert_eq!(rig.stored.len(), 1, "what this life was told is kept");
    rig.connect();
    let first = &rig.sent[0];
    assert!(first.epoch > Epoch(7));
    let events: Vec<_> = first.group.events().map(|(_, event)| event.unwrap().body).collect();
    let (from, through) = (Seq(1), Seq(50));
    assert_eq!(events[0], Body::Lost { from, through, reason: LossReason::AlreadyDelivered });
    assert_eq!((first.group.first_seq, events.len()), (Seq(50), 4));
}

#[test]
fn a_request_below_the_spool_is_answered_with_what_will_not_come() {
    let mut rig = Rig::new(start_at(11, 10));
    rig.connect();
    rig.say(2);
    rig.wait(500);
    rig.store();
    rig.expect_sent(&[(11, 12)]);
    rig.wait(1_000);
    rig.request(7, 3);
    let first = rig.sent[0].group.events().next().unwrap().1.unwrap().body;
    let (from, through) = (Seq(3), Seq(10));
    assert_eq!(first, Body::Lost { from, through, reason: LossReason::AlreadyDelivered });
    rig.expect_sent(&[(10, 12)]);
}

#[test]
fn a_request_is_answered_also_when_nothing_is_held() {
    let mut rig = Rig::new(start_at(11, 10));
    rig.connect();
    rig.request(7, 3);
    rig.expect_sent(&[(10, 10)]);
    rig.commit(7, 10);
    rig.say(1);
    rig.wait(500);
    rig.store();
    rig.expect_sent(&[(11, 11)]);
}

#[test]
fn a_request_inside_the_spool_sends_from_there_and_repeats_of_it_do_not() {
    let mut rig = Rig::new(start_at(1, 0));
    for _ in 0..3 {
        rig.say(1);
        rig.wait(500);
        rig.store();
    }
    rig.connect();
    rig.expect_sent(&[(1, 3)]);
    rig.wait(1_000);
    rig.request(7, 2);
    rig.request(7, 2);
    rig.expect_sent(&[(2, 3)]);
}

#[test]
fn a_refusal_is_tried_again_with_everything_and_sources_wait_meanwhile() {
    let mut rig = Rig::new(start_at(1, 0));
    rig.say(1);
    rig.wait(500);
    assert!(matches!(rig.orders.pop_front(), Some(StorageOrder::Append(_))));
    rig.plan.answered(StorageAnswer::Refused { reason: Refusal::DiskFull });
    rig.say(1);
    rig.wait(500);
    assert!(rig.orders.is_empty(), "not before the wait is over");
    while rig.plan.has_room() {
        rig.say(100);
    }
    rig.wait(600);
    let Some(StorageOrder::Append(appends)) = rig.orders.front() else { panic!("an append") };
    let firsts: Vec<Append> = appends.clone();
    assert_eq!(firsts[0].group.first_seq, Seq(1));
    rig.store();
    assert!(rig.plan.has_room());
    let next = rig.plan.numbers().2;
    rig.wait(500);
    rig.store();
    assert_eq!(rig.stored.last().unwrap().end_seq(), next, "nothing was lost");
    assert_eq!(rig.reports.len(), 2, "{:?}", rig.reports);
}

#[test]
fn a_stepped_clock_is_said_and_begins_a_new_group() {
    let mut rig = Rig::new(start_at(1, 0));
    rig.say(1);
    rig.now.wall.0 += 60_000;
    rig.wait(10);
    rig.say(1);
    rig.now.wall.0 += 15;
    rig.wait(600);
    rig.store();
    let offsets: Vec<i64> = rig.stored.iter().map(|group| group.clock.wall_offset_ms).collect();
    assert_eq!(offsets, [WALL_MS, WALL_MS + 60_000], "drift of a few ms is no new clock");
    let said = rig.stored[1].events().next().unwrap().1.unwrap().body;
    assert_eq!(said, Body::ClockStepped { by_ms: 60_000 });
}

#[test]
fn what_waited_too_long_is_sent_as_historical() {
    let mut rig = Rig::new(start_at(1, 0));
    rig.say(1);
    rig.wait(500);
    rig.store();
    rig.wait(600_000);
    rig.connect();
    assert!(rig.sent[0].historical);
    rig.commit(7, 1);
    rig.say(1);
    rig.wait(500);
    rig.store();
    assert!(!rig.sent[1].historical);
}

#[test]
fn a_quota_evicts_until_it_is_answered() {
    let mut small = settings();
    small.quota_bytes = 16 * 1024;
    let mut rig = Rig::with(small, start_at(1, 0), Vec::new());
    rig.say(5_000);
    rig.wait(500);
    while rig.reports.is_empty() {
        let order = rig.orders.pop_front().expect("an order");
        let answer = rig.obey(order);
        rig.plan.answered(answer);
        rig.pump();
    }
    assert!(matches!(rig.reports[..], [Report::Evicting { .. }]));
    assert!(rig.orders.iter().any(|order| matches!(order, StorageOrder::Evict { .. })));
}

#[test]
fn a_loss_found_at_the_start_is_the_first_thing_said() {
    let lost = Some((Seq(11), Seq(2_000)));
    let mut rig = Rig::new(Start { lost, ..start_at(2_000, 10) });
    rig.connect();
    rig.say(1);
    rig.wait(500);
    rig.store();
    let first = rig.sent[0].group.events().next().unwrap().1.unwrap();
    let (from, through) = (Seq(11), Seq(2_000));
    assert_eq!(first.body, Body::Lost { from, through, reason: LossReason::SpoolDamaged });
    rig.expect_sent(&[(2_000, 2_001)]);
}

#[test]
fn a_large_backlog_goes_out_in_order_and_within_memory() {
    let mut rig = Rig::new(start_at(1, 0));
    for _ in 0..200 {
        rig.say(500);
        rig.wait(500);
        rig.store();
    }
    rig.connect();
    let mut expected = 1;
    while expected < 100_001 {
        let batch = rig.sent.pop().expect("one batch in flight");
        assert_eq!(batch.group.first_seq, Seq(expected));
        expected = batch.group.end_seq().0;
        rig.commit(7, expected - 1);
    }
    assert!(rig.plan.is_drained() && rig.stored.is_empty());
}
