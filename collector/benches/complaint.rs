//! A shopper's memory against a store of many payments: what a search of the complaint desk costs, in time and in questions
//! put to indexes.
//!
//! ```text
//! TMPDIR=/var/tmp SLIPWATCH_PAYMENTS=1000000 cargo bench -p slipwatch-collector --bench complaint
//! ```
//!
//! Prints the median and the slowest of each way of asking, over shoppers that are drawn over the whole store.
#![allow(clippy::print_stdout)] // Figures that divan does not show: percentiles and probes.

use rusqlite::{Connection, params};
use slipwatch_collector::complaint::matching::Source;
use slipwatch_collector::complaint::said::Typed;
use slipwatch_collector::config::Config;
use slipwatch_collector::correlate::case::{Case, EventRef, Fact, What};
use slipwatch_collector::correlate::shape;
use slipwatch_collector::correlate::timeline::{Due, StreamTime};
use slipwatch_collector::correlate::verdict::{Unknown, Verdict};
use slipwatch_collector::edge::clock;
use slipwatch_collector::edge::store::sqlite::SqliteStore;
use slipwatch_collector::run::STORE_FILE;
use slipwatch_collector::run::complaint::ComplaintDesk;
use slipwatch_shared::card::{Card, MaskedPan};
use slipwatch_shared::event::{Epoch, Keys, Kind, Seq, SourceId};
use slipwatch_shared::money::{Amount, Currency};
use slipwatch_shared::times::ArrivalTime;
use std::fmt::Write as _;
use std::path::Path;

const WALL_MS: i64 = 1_763_913_600_000;
const DAY_MS: i64 = 86_400_000;
const DAYS: u64 = 30;
const SHOPS: u64 = 1_000;
const SHOPPERS: u64 = 200;

fn wanted(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

struct Paid {
    shop: u64,
    wall: i64,
    minor: i64,
    four: u16,
    order: String,
}

fn paid(id: u64, payments: u64) -> Paid {
    let scattered = id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let wall = WALL_MS + (id as i64 * (DAYS as i64 * DAY_MS)) / payments as i64;
    Paid {
        shop: scattered % SHOPS,
        wall,
        // Round amounts come again and again, as in a shop.
        minor: 100 * (1 + (scattered / 7 % 400) as i64)
            + if scattered.is_multiple_of(3) { 50 } else { 0 },
        four: (scattered / 11 % 10_000) as u16,
        order: format!("4200{:08}2025{id:012}", scattered % 100_000_000),
    }
}

fn case(id: u64, paid: &Paid) -> Case {
    let event = EventRef { epoch: Epoch(1), seq: Seq(id + 1) };
    let pan = MaskedPan::from_parts(None, &format!("{:04}", paid.four)).ok();
    Case {
        first: event,
        opened: StreamTime(paid.wall),
        wall_ahead_ms: 0,
        synchronised: true,
        historical: false,
        kind: Kind::Sale,
        common_amount: false,
        keys: Keys {
            amount: Some(Amount::new(paid.minor, Currency::CNY)),
            channel_transaction_id: paid.order.parse().ok().map(Box::new),
            card: Some(Card { pan, ..Card::default() }),
            ..Keys::default()
        },
        facts: vec![Fact {
            at: StreamTime(paid.wall),
            event,
            source: SourceId(1),
            what: What::Approved,
        }]
        .into(),
        slip_window: None,
        reversal_due: Due::NEVER,
        reversal_window: None,
        verdict: Verdict::Unknown { why: Unknown::NoSlipSource },
        told: Default::default(),
        numbering: 0,
    }
}

fn fill(path: &Path, payments: u64) {
    drop(SqliteStore::open(path).expect("a store"));
    let mut connection = Connection::open(path).expect("the same store");
    connection.pragma_update(None, "synchronous", "OFF").expect("a setting");
    connection.pragma_update(None, "cache_size", -400_000).expect("a setting");
    for shop in 0..SHOPS {
        connection
            .execute(
                "INSERT INTO agents VALUES (?1, ?2, ?3, 1, 1, x'', 0, 0, 0, '', 0, x'')",
                params![shop as i64 + 1, format!("shop-{shop}"), format!("till-{shop}")],
            )
            .expect("an agent");
    }
    for from in (0..payments).step_by(100_000) {
        let transaction = connection.transaction().expect("a transaction");
        for id in from..(from + 100_000).min(payments) {
            let paid = paid(id, payments);
            let store = format!("shop-{}", paid.shop);
            transaction
                .prepare_cached(
                    "INSERT INTO transactions (id, agent, epoch, seq, store, terminal, opened, wall, kind, minor,
                        currency, channel_transaction_id, last_four)
                     VALUES (?1, ?2, 1, ?1, ?3, '10000001', ?4, ?4, 0, ?5, 'CNY', ?6, ?7)",
                )
                .and_then(|mut insert| {
                    let agent = paid.shop as i64 + 1;
                    let id = id as i64 + 1;
                    insert.execute(params![id, agent, store, paid.wall, paid.minor, paid.order, paid.four])
                })
                .and_then(|_| {
                    let sql = "INSERT INTO cases (id, verdict, open_findings, rest_at, state, money)
                         VALUES (?1, 'unknown', 0, 0, ?2, 4)";
                    let state = shape::to_bytes(&case(id, &paid));
                    transaction.prepare_cached(sql)?.execute(params![id as i64 + 1, state])
                })
                .expect("a payment");
        }
        transaction.commit().expect("room on the disk");
    }
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("a checkpoint");
}

fn time(at_ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at_ms).expect("a time");
    at.to_zoned_datetime(jiff::tz::TimeZone::UTC).strftime("%Y-%m-%d %H:%M").to_string()
}

fn yuan(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

fn main() {
    let payments = wanted("SLIPWATCH_PAYMENTS", 100_000);
    let directory = tempfile::tempdir().expect("a directory");
    let begun = clock::instant();
    fill(&directory.path().join(STORE_FILE), payments);
    println!(
        "{payments} payments of {SHOPS} shops over {DAYS} days, filled in {:?}",
        begun.elapsed()
    );
    let mut text = format!("[store]\npath = {:?}\n", directory.path().display().to_string());
    for shop in 0..SHOPS {
        write!(
            text,
            "[[shop]]\nname = \"shop-{shop}\"\ntime_zone = \"+00:00\"\nagents = [\"till-{shop}\"]\n"
        )
        .expect("memory takes it");
    }
    let config = Config::parse(Path::new("collector.toml"), &text).expect("sound settings");
    let mut desk = ComplaintDesk::open(config).expect("the store");
    type Way = (&'static str, fn(&Paid) -> Typed);
    let ways: [Way; 5] = [
        ("shop, time, amount, last four", |paid| Typed {
            shop: format!("shop-{}", paid.shop),
            time: time(paid.wall),
            amount: yuan(paid.minor),
            last_four: format!("{:04}", paid.four),
            ..Typed::default()
        }),
        ("the same, an hour beside", |paid| Typed {
            shop: format!("shop-{}", paid.shop),
            time: time(paid.wall + 3_600_000),
            amount: yuan(paid.minor),
            last_four: format!("{:04}", paid.four),
            ..Typed::default()
        }),
        ("no shop: time, amount, last four a digit wrong", |paid| Typed {
            time: time(paid.wall),
            amount: yuan(paid.minor),
            last_four: format!("{:04}", (paid.four + 1) % 10_000),
            ..Typed::default()
        }),
        ("order number alone", |paid| Typed { order: paid.order.clone(), ..Typed::default() }),
        ("order number alone, two digits swapped", |paid| {
            let mut signs: Vec<char> = paid.order.chars().collect();
            let last = signs.len() - 1;
            let at = (0..last).rev().find(|&at| signs[at] != signs[at + 1]).unwrap_or(0);
            signs.swap(at, at + 1);
            Typed { order: signs.into_iter().collect(), ..Typed::default() }
        }),
    ];
    for (name, way) in ways {
        let (mut took, mut probes, mut found) = (Vec::new(), 0_u64, 0_u64);
        for shopper in 0..SHOPPERS {
            let id = shopper * (payments / SHOPPERS) + 17;
            let paid = paid(id, payments);
            let begun = clock::instant();
            let now = ArrivalTime(WALL_MS + (DAYS as i64 + 2) * DAY_MS);
            let search = desk.search_at(&way(&paid), now).expect("the store");
            took.push(begun.elapsed());
            probes += u64::from(search.probes);
            let meant = format!("shop-{0}.till-{0}.1.{1}", paid.shop, id + 1);
            let meant = meant.parse().map(Source::Payment).expect("a payment's name");
            found += u64::from(search.matches.iter().any(|found| found.candidate.source == meant));
        }
        took.sort();
        println!(
            "{name}: median {:?}, slowest {:?}, {} probes a search, {found} of {SHOPPERS} found",
            took[took.len() / 2],
            took[took.len() - 1],
            probes / SHOPPERS
        );
    }
}
