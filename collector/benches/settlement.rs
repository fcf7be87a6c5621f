//! A settlement file against stored payments: matching alone, and a whole import into SQLite.
//!
//! ```text
//! cargo bench -p slipwatch-collector --bench settlement                       # matching alone, and a small import
//! TMPDIR=/var/tmp SLIPWATCH_PAYMENTS=10000000 SLIPWATCH_ROWS=1000000 \
//!     cargo bench -p slipwatch-collector --bench settlement -- import         # the size that is promised
//! ```
//!
//! Items are rows. The import prints its peak of resident memory beside the time.
#![allow(clippy::print_stdout)] // A figure that divan does not show.

use divan::Bencher;
use divan::counter::ItemsCount;
use rusqlite::{Connection, params};
use slipwatch_collector::config::Config;
use slipwatch_collector::edge::store::sqlite::SqliteStore;
use slipwatch_collector::run::settlement::Desk;
use slipwatch_collector::settlement::matching::{Candidate, Grouping, match_exactly};
use slipwatch_collector::settlement::report::Outcome;
use slipwatch_collector::settlement::row::{Precision, RowKind, RowTime, SettlementRow};
use slipwatch_collector::settlement::standing::Standing;
use slipwatch_shared::event::Kind;
use slipwatch_shared::money::{Amount, Currency};
use slipwatch_shared::times::{ArrivalTime, EventTime};
use slipwatch_shared::trace::{BatchNumber, Stan};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

const WALL_MS: i64 = 1_763_913_600_000;
const DAY_MS: i64 = 86_400_000;
const TERMINALS: u64 = 5_000;

fn main() {
    divan::main();
}

fn wanted(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn terminal(number: u64) -> String {
    format!("{}", 10_000_000 + number % TERMINALS)
}

/// Trace and batch of the payment with this number of a day.
fn numbers(day: u64, number: u64) -> (u32, u32) {
    ((number / TERMINALS % 999_999 + 1) as u32, (day % 999_999 + 1) as u32)
}

fn chunk() -> (Vec<SettlementRow>, Vec<Candidate>) {
    let day = jiff::civil::date(2025, 11, 24);
    let rows = (0..4_096_u64).map(|number| {
        let amount = Amount::new(100 + (number * 37 % 90_000) as i64, Currency::CNY);
        let mut row = SettlementRow::plain(number as u32, RowKind::Sale, day, amount);
        let (stan, batch) = numbers(1, number * 7);
        row.terminal = terminal(number * 7).parse().ok();
        row.stan = Stan::from_number(stan).ok();
        row.batch_number = BatchNumber::from_number(batch).ok();
        row.rrn = format!("{number:012}").parse().ok();
        row.time = Some(RowTime { at: EventTime(WALL_MS), precision: Precision::Second });
        row
    });
    let rows: Vec<SettlementRow> = rows.collect();
    let candidates = rows.iter().enumerate().map(|(at, row)| Candidate {
        id: at as i64,
        shop: 0,
        kind: Kind::Sale,
        at: EventTime(WALL_MS + 1_000),
        amount: Some(row.amount),
        terminal: row.terminal,
        merchant: None,
        stan: row.stan,
        batch_number: row.batch_number,
        rrn: row.rrn,
        authorization_code: None,
        order_number: None,
        channel_transaction_id: None,
        first_six: None,
        last_four: Some((at % 10_000) as u16),
        standing: Standing::Debited,
        has_open_findings: false,
    });
    let candidates = candidates.collect();
    (rows, candidates)
}

/// The exact tiers over one chunk of rows and their candidates.
#[divan::bench]
fn matching_alone(bencher: Bencher) {
    let (rows, candidates) = chunk();
    let (taken, grouping) = (BTreeSet::new(), Grouping::default());
    bencher
        .counter(ItemsCount::new(rows.len()))
        .bench_local(|| match_exactly(&rows, &candidates, &taken, &grouping));
}

/// Payments over ten days, as the collector stores them, but with cases that hold no facts.
fn fill(path: &Path, payments: u64) {
    drop(SqliteStore::open(path).expect("a store"));
    let mut connection = Connection::open(path).expect("the same store");
    connection.pragma_update(None, "synchronous", "OFF").expect("a setting");
    connection.pragma_update(None, "cache_size", -400_000).expect("a setting");
    connection
        .execute(
            "INSERT INTO agents VALUES (1, 'shop-1', 'till-1', 1, 1, x'', 0, 0, 0, '', 0, x'')",
            [],
        )
        .expect("an agent");
    let state = vec![7_u8; 220];
    let a_day = payments.div_ceil(10);
    for from in (0..payments).step_by(100_000) {
        let transaction = connection.transaction().expect("a transaction");
        {
            let mut payment = transaction
                .prepare_cached(
                    "INSERT INTO transactions (id, agent, epoch, seq, store, terminal, opened, wall, kind, minor,
                        currency, stan, batch_number, rrn, last_four)
                     VALUES (?1, 1, 1, ?1, 'shop-1', ?2, ?3, ?3, 0, ?4, 'CNY', ?5, ?6, ?7, ?8)",
                )
                .expect("a statement");
            let mut case = transaction
                .prepare_cached(
                    "INSERT INTO cases (id, verdict, open_findings, rest_at, state, money)
                     VALUES (?1, 'printed', 0, 0, ?2, ?3)",
                )
                .expect("a statement");
            for id in from..(from + 100_000).min(payments) {
                let (day, number) = (id / a_day, id % a_day);
                let (stan, batch) = numbers(day, number);
                let wall = WALL_MS + day as i64 * DAY_MS + (number as i64 * DAY_MS / a_day as i64);
                payment
                    .execute(params![
                        id as i64 + 1,
                        terminal(number),
                        wall,
                        100 + (number * 37 % 90_000) as i64,
                        stan,
                        batch,
                        format!("{:02}{number:010}", day % 100),
                        (number % 10_000) as i64
                    ])
                    .and_then(|_| {
                        case.execute(params![id as i64 + 1, state, Standing::Debited as i64])
                    })
                    .expect("a payment");
            }
        }
        transaction.commit().expect("room on the disk");
    }
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("a checkpoint");
}

/// The acquirer's file of the last day.
fn write_file(path: &Path, payments: u64, rows: u64) {
    let mut out = std::io::BufWriter::new(std::fs::File::create(path).expect("a file"));
    writeln!(out, "商户号,终端号,交易日期,交易时间,交易类型,交易批次号,凭证号,参考号,卡号,卡类别,交易金额,手续费")
        .expect("room on the disk");
    let a_day = payments.div_ceil(10);
    for number in 0..rows.min(a_day) {
        let (stan, batch) = numbers(9, number);
        let clock = number * 86_400 / a_day;
        let fen = 100 + (number * 37 % 90_000);
        writeln!(
            out,
            "821330154110001,{},2025-12-03,{:02}:{:02}:{:02},消费,{batch:06},{stan:06},{:02}{number:010},622576******{:04},借记卡,{}.{:02},0.10",
            terminal(number),
            clock / 3_600,
            clock / 60 % 60,
            clock % 60,
            9,
            number % 10_000,
            fen / 100,
            fen % 100
        )
        .expect("room on the disk");
    }
    out.flush().expect("room on the disk");
}

fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// A file into a store of payments: read, checked, matched, written, made to count.
#[divan::bench(sample_count = 1, sample_size = 1)]
fn import_and_match(bencher: Bencher) {
    let payments = wanted("SLIPWATCH_PAYMENTS", 200_000);
    let rows = wanted("SLIPWATCH_ROWS", 20_000);
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(directory.path().join("store")).expect("a directory");
    fill(&directory.path().join("store/collector.sqlite"), payments);
    let file = directory.path().join("detail.csv");
    write_file(&file, payments, rows);
    let text = "[store]\npath = \"store\"\n[[shop]]\nname = \"shop-1\"\ntime_zone = \"+08:00\"\n";
    let config =
        Config::parse(&directory.path().join("collector.toml"), text).expect("sound settings");
    // What filling took is not what importing takes.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    bencher.counter(ItemsCount::new(rows)).bench_local(|| {
        let mut desk = Desk::open(&config).expect("the store");
        let now = ArrivalTime(WALL_MS + 11 * DAY_MS);
        let reports = desk.import(&file, None, now, &mut |_| {}).expect("the store takes it");
        assert_eq!(reports[0].outcome, Outcome::Loaded, "{:?}", reports[0]);
        assert_eq!(reports[0].linked.get("E2"), Some(&rows), "{:?}", reports[0]);
    });
    println!("peak resident: {} MiB", peak_mib());
}
