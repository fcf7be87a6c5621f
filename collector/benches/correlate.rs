//! How fast one core files and judges the events of a fleet, and what an open payment costs in memory.
//!
//! ```text
//! cargo bench -p slipwatch-collector --bench correlate
//! ```
//!
//! Items are events; the fleet is [`TERMINALS`] terminals of as many agents, each with a terminal's line and a
//! printer's line. Bytes of state are printed first.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use slipwatch_collector::correlate::case::CaseId;
use slipwatch_collector::correlate::correlator::Correlator;
use slipwatch_collector::correlate::policy::{AgentName, Policies, TerminalName, TerminalPolicy};
use slipwatch_collector::correlate::recall::{Recall, TransactionRow};
use slipwatch_collector::correlate::timeline::StreamTime;
use slipwatch_shared::card::{Card, MaskedPan};
use slipwatch_shared::event::{
    Body, Copy, Epoch, Event, Evidence, Keys, LineCounts, Seq, Slip, SlipGrade, SourceDescription,
    SourceId,
};
use slipwatch_shared::money::{Amount, Currency};
use slipwatch_shared::terminal::{StoreId, TerminalId};
use slipwatch_shared::times::{ArrivalTime, BootId, EventTime, Observed, Uptime};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Terminals, and agents.
const TERMINALS: usize = 10_000;
/// Payments of each terminal in one call.
const PAYMENTS: usize = 2;
/// Events of a payment, a pulse of each line among them.
const EVENTS_A_PAYMENT: usize = 7;
const MONEY: SourceId = SourceId(1);
const SLIPS: SourceId = SourceId(2);

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

struct NoStore;

impl Recall for NoStore {
    fn by_keys(&mut self, _: &StoreId, _: Option<TerminalId>, _: &Keys) -> Vec<TransactionRow> {
        Vec::new()
    }

    fn by_card(
        &mut self,
        _: &StoreId,
        _: Amount,
        _: u16,
        _: StreamTime,
        _: StreamTime,
    ) -> Vec<TransactionRow> {
        Vec::new()
    }

    fn by_id(&mut self, _: &CaseId) -> Option<TransactionRow> {
        None
    }
}

fn agent(place: usize) -> AgentName {
    AgentName {
        store: format!("shop-{}", place / 4).parse().expect("a store"),
        agent: format!("till-{place}").parse().expect("an agent"),
    }
}

fn terminal(place: usize) -> TerminalId {
    format!("{place:08}").parse().expect("a terminal")
}

/// A fleet that is known and listens.
fn fleet() -> Correlator {
    let mut policies = Policies::default();
    for place in 0..TERMINALS {
        let name = TerminalName { store: agent(place).store, terminal: terminal(place) };
        policies.terminals.insert(name, TerminalPolicy::default());
        policies.agents.insert(agent(place));
    }
    let mut correlator = Correlator::new(policies);
    for place in 0..TERMINALS {
        let at = correlator.agent(&agent(place));
        for (number, source) in [MONEY, SLIPS].into_iter().enumerate() {
            let description = SourceDescription {
                name: "line".into(),
                dialect: "bench".into(),
                hears_money: source == MONEY,
                hears_slips: source == SLIPS,
                two_way: false,
                historical: false,
            };
            let body = Body::SourceOpened(description);
            let opened = event(place, number as u64 + 1, 0, source, body);
            correlator.event(at, Epoch(1), &opened, ArrivalTime(0), &mut NoStore);
        }
    }
    correlator
}

fn event(place: usize, seq: u64, ms: u64, source: SourceId, body: Body) -> Event {
    Event {
        seq: Seq(seq),
        source,
        terminal: Some(terminal(place)),
        observed: Observed {
            boot: BootId([1; 16]),
            uptime: Uptime(ms),
            wall: EventTime(1_763_971_200_000 + ms as i64),
            synchronised: true,
        },
        device_time: None,
        body,
        evidence: Evidence::None,
    }
}

/// One payment of a terminal: asked, approved, done, two copies, and a pulse of each line.
fn payment(place: usize, number: usize) -> Vec<Event> {
    let last_four = format!("{:04}", (place * 7 + number) % 10_000);
    let keys = Keys {
        amount: Some(Amount::new(100 + ((place * 31 + number * 17) % 9_000) as i64, Currency::CNY)),
        stan: format!("{:06}", number + 1).parse().ok(),
        batch_number: "000001".parse().ok(),
        card: Some(Card {
            pan: MaskedPan::from_parts(Some("622576"), &last_four).ok(),
            ..Card::default()
        }),
        ..Keys::default()
    };
    let answered = Keys { rrn: format!("{place:06}{number:06}").parse().ok(), ..keys.clone() };
    let printed = |copy| Body::SlipPrinted {
        slip: Slip { copy: Some(copy), reprint: false, keys: keys.clone() },
        grade: SlipGrade::Sent,
    };
    let response_code = "00".parse().expect("a code");
    let bodies = [
        (0, MONEY, Body::AuthorizationRequested(keys.clone())),
        (1_500, MONEY, Body::AuthorizationAnswered { keys: answered, response_code }),
        (1_600, MONEY, Body::TransactionCompleted(keys.clone())),
        (3_000, SLIPS, printed(Copy::Merchant)),
        (6_000, SLIPS, printed(Copy::Customer)),
        (10_000, MONEY, Body::Pulse(LineCounts::default())),
        (10_000, SLIPS, Body::Pulse(LineCounts::default())),
    ];
    let begun = 10_000 + number as u64 * 180_000;
    let first = 3 + (number * EVENTS_A_PAYMENT) as u64;
    let speak = |(at, (after, source, body)): (usize, (u64, SourceId, Body))| {
        event(place, first + at as u64, begun + after, source, body)
    };
    bodies.into_iter().enumerate().map(speak).collect()
}

fn main() {
    let mut correlator = fleet();
    let before = LIVE_BYTES.load(Ordering::Relaxed);
    for place in 0..TERMINALS {
        for event in payment(place, 0).into_iter().take(3) {
            correlator.event(place, Epoch(1), &event, ArrivalTime(0), &mut NoStore);
        }
    }
    let open = LIVE_BYTES.load(Ordering::Relaxed) - before;
    let (cases, _) = correlator.cases_in_memory();
    assert_eq!(cases as usize, TERMINALS, "each terminal has one open payment");
    divan::black_box(&correlator);
    println(&format!("state of an open payment: {} bytes", open / TERMINALS));
    divan::main();
}

#[allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]
fn println(text: &str) {
    println!("{text}");
}

/// Filing and judging, each terminal's events in the batches in which an agent sends them.
#[divan::bench(sample_count = 10)]
fn fleet_of_10_000_terminals(bencher: Bencher) {
    let events: Vec<Vec<Event>> = (0..TERMINALS)
        .map(|place| (0..PAYMENTS).flat_map(|number| payment(place, number)).collect())
        .collect();
    let count = TERMINALS * PAYMENTS * EVENTS_A_PAYMENT;
    let idle = fleet();
    bencher.counter(ItemsCount::new(count)).with_inputs(|| idle.clone()).bench_local_values(
        |mut correlator| {
            for (place, events) in events.iter().enumerate() {
                for event in events {
                    correlator.event(place, Epoch(1), event, ArrivalTime(0), &mut NoStore);
                }
            }
            black_box(correlator)
        },
    );
}
