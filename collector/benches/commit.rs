//! From batches as they arrive to a durable commit in SQLite: admission, correlation, rows, one transaction.
//!
//! ```text
//! cargo bench -p slipwatch-collector --bench commit
//! TMPDIR=/var/tmp cargo bench …   # a directory on a disk, where /tmp is not
//! ```
//!
//! Items are events. Each call takes in what [`AGENTS`] agents send in one turn of the loop and stores it.

use divan::Bencher;
use divan::counter::ItemsCount;
use slipwatch_collector::collector::{Collector, Input, Settings};
use slipwatch_collector::correlate::policy::{AgentName, Policies, TerminalName, TerminalPolicy};
use slipwatch_collector::edge::store::Store;
use slipwatch_collector::edge::store::sqlite::SqliteStore;
use slipwatch_shared::card::{Card, MaskedPan};
use slipwatch_shared::event::{
    Body, Copy, Epoch, Event, Evidence, Keys, Seq, Slip, SlipGrade, SourceDescription, SourceId,
};
use slipwatch_shared::money::{Amount, Currency};
use slipwatch_shared::times::{ArrivalTime, BootId, EventTime, Observed, Uptime};
use slipwatch_shared::wire::envelope::{ClockState, EventBatch, Group};
use slipwatch_shared::wire::topic::{Channel, Topic};

/// Agents that send in one turn.
const AGENTS: usize = 64;
/// Payments in a batch.
const PAYMENTS: usize = 16;
/// Events of a payment.
const EVENTS_A_PAYMENT: usize = 5;
/// Turns, so that the store grows as it does in a day.
const TURNS: usize = 40;

const WALL_MS: i64 = 1_763_971_200_000;
const BOOT: BootId = BootId([1; 16]);

fn main() {
    divan::main();
}

fn agent(place: usize) -> AgentName {
    AgentName {
        store: format!("shop-{place}").parse().expect("a store"),
        agent: format!("till-{place}").parse().expect("an agent"),
    }
}

fn policies() -> Policies {
    let mut policies = Policies { agent_offline_ms: 300_000, ..Policies::default() };
    for place in 0..AGENTS {
        let terminal = format!("{place:08}").parse().expect("a terminal");
        let name = TerminalName { store: agent(place).store, terminal };
        policies.terminals.insert(name, TerminalPolicy::default());
        policies.agents.insert(agent(place));
    }
    policies
}

fn bodies(place: usize, number: usize) -> [(u64, SourceId, Body, &'static str); EVENTS_A_PAYMENT] {
    let last_four = format!("{:04}", (place * 7 + number * 13) % 10_000);
    let keys = Keys {
        amount: Some(Amount::new(100 + ((place * 31 + number * 17) % 9_000) as i64, Currency::CNY)),
        stan: format!("{:06}", number % 999_999 + 1).parse().ok(),
        batch_number: "000001".parse().ok(),
        card: Some(Card {
            pan: MaskedPan::from_parts(Some("622576"), &last_four).ok(),
            ..Card::default()
        }),
        ..Keys::default()
    };
    let answered = Keys { rrn: format!("{place:05}{number:07}").parse().ok(), ..keys.clone() };
    let printed = |copy| Body::SlipPrinted {
        slip: Slip { copy: Some(copy), reprint: false, keys: keys.clone() },
        grade: SlipGrade::Sent,
    };
    let response_code = "00".parse().expect("a code");
    let (money, slips) = (SourceId(1), SourceId(2));
    [
        (
            0,
            money,
            Body::AuthorizationRequested(keys.clone()),
            "evt=auth_request kind=SALE tid=T0000001",
        ),
        (
            1_500,
            money,
            Body::AuthorizationAnswered { keys: answered, response_code },
            "evt=auth_response rc=00",
        ),
        (1_600, money, Body::TransactionCompleted(keys.clone()), "evt=transaction_done result=ok"),
        (
            3_000,
            slips,
            printed(Copy::Merchant),
            "evt=print_done copy=merchant card=622576******6691",
        ),
        (
            6_000,
            slips,
            printed(Copy::Customer),
            "evt=print_done copy=customer card=622576******6691",
        ),
    ]
}

fn description(money: bool) -> SourceDescription {
    SourceDescription {
        name: "line".into(),
        dialect: "bench".into(),
        hears_money: money,
        hears_slips: !money,
        two_way: false,
        historical: false,
    }
}

/// The frame of one agent's turn.
fn frame(place: usize, turn: usize) -> Vec<u8> {
    let name = agent(place);
    let clock = ClockState { wall_offset_ms: WALL_MS, synchronised: true };
    let first = if turn == 0 { 1 } else { 3 + (turn * PAYMENTS * EVENTS_A_PAYMENT) as u64 };
    let mut group = Group::begin(BOOT, clock, Seq(first));
    let push = |group: &mut Group, ms: u64, source: SourceId, body: Body, text: &str| {
        let event = Event {
            seq: group.end_seq(),
            source,
            terminal: format!("{place:08}").parse().ok(),
            observed: Observed {
                boot: BOOT,
                uptime: Uptime(ms),
                wall: EventTime(WALL_MS + ms as i64),
                synchronised: true,
            },
            device_time: None,
            body,
            evidence: Evidence::Text(text.into()),
        };
        group.push(&event);
    };
    if turn == 0 {
        for (source, money) in [(SourceId(1), true), (SourceId(2), false)] {
            push(&mut group, 0, source, Body::SourceOpened(description(money)), "");
        }
    }
    for number in turn * PAYMENTS..(turn + 1) * PAYMENTS {
        let begun = 10_000 + number as u64 * 30_000;
        for (after, source, body, text) in bodies(place, number) {
            push(&mut group, begun + after, source, body, text);
        }
    }
    EventBatch::pack(&name.store, &name.agent, Epoch(1), false, &[group]).0
}

/// Admission to durable commit, [`TURNS`] commits to a call.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn admission_to_durable_commit(bencher: Bencher) {
    let turns: Vec<Vec<(Topic, Vec<u8>)>> = (0..TURNS)
        .map(|turn| {
            let sent = |place| {
                let name = agent(place);
                (Topic::new(&name.store, &name.agent, Channel::Batch), frame(place, turn))
            };
            (0..AGENTS).map(sent).collect()
        })
        .collect();
    let count = TURNS * AGENTS * PAYMENTS * EVENTS_A_PAYMENT;
    let settings = Settings { policies: policies(), ..Settings::default() };
    bencher
        .counter(ItemsCount::new(count))
        .with_inputs(|| {
            let directory = tempfile::tempdir().expect("a directory");
            let mut store =
                SqliteStore::open(&directory.path().join("collector.db")).expect("a store");
            let snapshot = store.load().expect("an empty store");
            (directory, store, Collector::restore(settings.clone(), snapshot))
        })
        .bench_local_values(|(directory, mut store, mut collector)| {
            for (number, turn) in turns.iter().enumerate() {
                let now = ArrivalTime(WALL_MS + number as i64 * 1_000);
                for (topic, payload) in turn {
                    collector.handle(now, Input::Batch { topic, payload }, &mut store);
                }
                let commit = collector.take_commit(now).expect("there is something to store");
                store.commit(&commit).expect("the disk takes it");
            }
            (directory, store, collector)
        });
}
