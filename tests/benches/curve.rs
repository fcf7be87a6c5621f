//! Time and memory of the correlator over the size of a fleet: a generated day of 1 k, 10 k, 100 k and, when asked for,
//! 1 M terminals, judged in this process. What comes to rest is let go, as a collector that stores it would. Each fleet is
//! judged twice: event by event in the order of time, where each comes from another agent than the one before, which is
//! the worst that caches can meet; and in batches, as agents send them that were away for a while or tell a payment at
//! once, [`EVENTS_A_BATCH`] of an agent on the average.
//!
//! ```text
//! cargo bench -p slipwatch-tests --bench curve -- 1000 10000 100000 1000000
//! ```
//!
//! Events are thrown in parcels before they are judged and not counted into the time, which is that of this thread on
//! its core, so that other work on the machine is left out as far as it can be. Bytes are those asked of the allocator.

#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use slipwatch_collector::correlate::correlator::Correlator;
use slipwatch_collector::correlate::recall::NoStore;
use slipwatch_collector::correlate::timeline::StreamTime;
use slipwatch_shared::event::{Epoch, Event};
use slipwatch_shared::times::ArrivalTime;
use slipwatch_tests::fleet::FleetSettings;
use slipwatch_tests::fleet::shop::Told;
use slipwatch_tests::fleet::stream::Fleet;
use std::alloc::{GlobalAlloc, Layout, System};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Events of an agent in a batch, on the average.
const EVENTS_A_BATCH: usize = 8;
/// Events that are judged between two looks at the clock, at least and at most: room for them is not counted.
const PARCEL: RangeInclusive<usize> = 65_536..=2_097_152;
/// At most so many events of a fleet: ten million of 100,000 terminals are their day.
const EVENTS_A_TERMINAL: usize = 100;
/// After so much of an agent's time what came to rest is let go.
const PUT_BY_MS: i64 = 15 * 60_000;

struct Counted;

static LIVE_BYTES: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on to the system's allocator as it came; only sizes are summed on the way.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE_BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's own promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE_BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's own promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counted = Counted;

/// This thread's time on its core, in seconds.
fn core_seconds() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a value of ours that outlives the call.
    let done = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(done, 0, "Linux has a clock for each thread");
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

struct Judge {
    correlator: Correlator,
    /// When what came to rest was last let go, by agent.
    put_by: Vec<StreamTime>,
    findings: usize,
}

impl Judge {
    fn parcel(&mut self, events: &[(usize, Event)]) {
        for (agent, event) in events {
            let now = ArrivalTime(event.observed.wall.0);
            self.correlator.event(*agent, Epoch(1), event, now, &mut NoStore);
            let latest = self.correlator.agents()[*agent].timeline.latest;
            if latest.ms_since(self.put_by[*agent]) > PUT_BY_MS {
                self.put_by[*agent] = latest;
                self.correlator.take_rested(*agent, false, &mut |_, _| ());
                self.correlator.rest(*agent);
            }
        }
        self.findings += self.correlator.take_findings().len();
    }
}

fn measure(terminals: usize, in_batches: bool) {
    let mut fleet = Fleet::new(FleetSettings::day(terminals, 1));
    let policies = fleet.policies();
    let before = LIVE_BYTES.load(Ordering::Relaxed);
    let mut correlator = Correlator::new(policies);
    fleet.shops.iter().for_each(|shop| _ = correlator.agent(&shop.name));
    let put_by = vec![StreamTime(i64::MIN); fleet.shops.len()];
    let mut judge = Judge { correlator, put_by, findings: 0 };
    let named = LIVE_BYTES.load(Ordering::Relaxed) - before;
    let (mut seconds, mut count, mut most) = (0.0, 0, (0, 0));
    let mut held = 0;
    let limit = terminals * EVENTS_A_TERMINAL;
    let wanted = judge.put_by.len() * EVENTS_A_BATCH;
    let parcel = wanted.clamp(*PARCEL.start(), *PARCEL.end());
    let mut events = Vec::with_capacity(parcel);
    while count < limit {
        events.clear();
        while events.len() < parcel.min(limit - count) {
            match fleet.next() {
                Some((shop, Told::Event(event, _))) => events.push((shop, event)),
                Some(_) => {}
                None => break,
            }
        }
        if events.is_empty() {
            break;
        }
        if in_batches {
            events.sort_by_key(|(agent, _)| *agent);
        }
        let (begun, bytes) = (core_seconds(), LIVE_BYTES.load(Ordering::Relaxed));
        judge.parcel(&events);
        seconds += core_seconds() - begun;
        held += LIVE_BYTES.load(Ordering::Relaxed) as i64 - bytes as i64;
        count += events.len();
        let (open, _) = judge.correlator.cases_in_memory();
        most = most.max((open, held));
    }
    let open_before = judge.correlator.cases_in_memory().0;
    let with_open = LIVE_BYTES.load(Ordering::Relaxed);
    for agent in 0..judge.put_by.len() {
        judge.correlator.take_rested(agent, true, &mut |_, _| ());
    }
    let let_go = with_open - LIVE_BYTES.load(Ordering::Relaxed);
    (0..judge.put_by.len()).for_each(|agent| judge.correlator.rest(agent));
    let rested = with_open - LIVE_BYTES.load(Ordering::Relaxed);
    let idle = (held - rested as i64).max(0) as usize / terminals;
    let per_open = let_go as u64 / open_before.max(1);
    println!(
        "{terminals:>9} terminals {count:>10} events {:>10.0} events/s a core {}; bytes: {idle} an idle terminal, \
         {per_open} an open payment, {} a terminal of settings and names; at most {} payments and {} MiB at once; {} \
         changes of findings",
        count as f64 / seconds,
        if in_batches { "in batches" } else { "by time" },
        named / terminals,
        most.0,
        most.1 >> 20,
        judge.findings,
    );
}

fn main() {
    let sizes: Vec<usize> = std::env::args().filter_map(|size| size.parse().ok()).collect();
    let usual = vec![1_000, 10_000, 100_000];
    for terminals in if sizes.is_empty() { usual } else { sizes } {
        measure(terminals, false);
        measure(terminals, true);
    }
}
