use super::super::{SqliteStore, settlement::SqliteStatements};
use super::*;
use crate::alert::language::Language;
use crate::complaint::answer::{Answer, Promise, Reason};
use crate::complaint::deadline::DueKind;
use crate::complaint::matching::{Agreement, Aspect, Source, rank};
use crate::complaint::record::{Given, ToldDue, Unmatched};
use crate::complaint::said::{SaidAmount, Trouble};
use crate::correlate::tests::WALL_MS;
use crate::edge::store::Store;
use crate::edge::store::suite::in_commits;
use slipwatch_shared::money::Currency;
use std::collections::BTreeSet;
use tempfile::TempDir;

const NOW: ArrivalTime = ArrivalTime(WALL_MS + 3_600_000);
const ORDER: &str = "4200001234202511241234567890";

fn day() -> (TempDir, SqliteComplaints) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("store");
    let mut store = SqliteStore::open(&path).expect("a store");
    let script = format!(
        "0 open; 10 ask n=1 yuan=88 card=6691; 12 ok n=1; 60 ask n=2 yuan=12.50 card=1234; 61 ok n=2; 62 slip n=2 copy=m;
         65 slip n=2 copy=c; 200 pulse; 400 pulse; 500 ask n=4 yuan=7 order={ORDER}; 501 ok n=4; 900 pulse; 3000 pulse"
    );
    for commit in in_commits(&script) {
        store.commit(&commit).expect("a commit");
    }
    let complaints = SqliteComplaints::open(&path).expect("the same store");
    (directory, complaints)
}

fn said() -> Said {
    Said {
        store: Some("shop-1".parse().expect("a shop")),
        when: Some(When { from_ms: WALL_MS - 1_800_000, to_ms: WALL_MS + 1_800_000 }),
        amount: Some(SaidAmount { hundredths: 8_800, currency: None }),
        last_four: Some(6691),
        order: None,
        trouble: Trouble::NoSlip,
        note: Some("没有凭条".into()),
        contact: Some("138****0000".into()),
        language: Language::Chinese,
    }
}

#[test]
fn a_complaint_is_there_as_it_was_written() {
    let (_directory, mut store) = day();
    let number = store.open(&said(), EventTime(WALL_MS), NOW).expect("room");
    let before = store.complaint(number).expect("a store").expect("a complaint");
    assert_eq!((&before.said, before.received, before.closed), (&said(), EventTime(WALL_MS), None));
    let after = Complaint {
        chosen: "shop-1.till-1.1.2".parse().ok().map(Source::Payment),
        by_hand: true,
        unmatched: Unmatched::Told,
        given: Some(Given {
            answer: Answer {
                reason: Reason::SlipOwed,
                fact_at: Some(EventTime(5)),
                promise: Some((Promise::Slip, EventTime(9))),
            },
            at: EventTime(7),
            kept: Some(false),
        }),
        told: Some(ToldDue { kind: DueKind::Promised, at: EventTime(9), passed: true }),
        scheme_told: true,
        closed: Some(EventTime(11)),
        ..before.clone()
    };
    let steps = vec![(Step::Answered, "under_inquiry slip_owed".to_owned())];
    let written = Written { complaint: Some((&before, &after)), steps, ..Written::default() };
    store.write(&written, NOW).expect("room");
    assert_eq!(store.complaint(number).expect("a store"), Some(after.clone()));
    let steps: Vec<Step> =
        store.history(number).expect("lines").iter().map(|line| line.step).collect();
    assert_eq!(steps, [Step::Opened, Step::Answered]);
    // What somebody else changed meanwhile is not written over.
    let refused = store.write(&written, NOW).expect_err("it changed");
    assert!(matches!(refused, StoreError::Busy), "{refused}");
    assert_eq!(store.history(number).expect("lines").len(), 2);
}

#[track_caller]
fn check(change: impl FnOnce(&mut Said), expected: &[u64]) -> Sought {
    let (_directory, mut store) = day();
    let mut said = said();
    change(&mut said);
    let sought = store.seek(&said).expect("a store");
    let found: Vec<u64> = rank(&said, sought.candidates.clone())
        .iter()
        .filter(|found| found.fits())
        .filter_map(|found| match &found.candidate.source {
            Source::Payment(id) => Some(id.first.seq.0),
            Source::Row(_) => None,
        })
        .collect();
    assert_eq!(found, expected, "{:?}", sought.candidates);
    sought
}

/// Numbers of the first events of the three payments.
const FIRST: u64 = 3;

#[test]
fn a_payment_is_found_with_and_without_its_shop_in_spite_of_one_slip() {
    let amount = |hundredths| Some(SaidAmount { hundredths, currency: Some(Currency::CNY) });
    let hour =
        |by: i64| Some(When { from_ms: WALL_MS + by - 600_000, to_ms: WALL_MS + by + 600_000 });
    let slips: [fn(&mut Said); 5] = [
        |_| {},
        |said| said.last_four = Some(6619),
        |said| said.last_four = Some(6692),
        |said| said.amount = Some(SaidAmount { hundredths: 88, currency: None }),
        |said| said.amount = Some(SaidAmount { hundredths: 8_900, currency: None }),
    ];
    for slip in slips {
        check(slip, &[FIRST]);
        check(
            |said| {
                said.store = None;
                slip(said);
            },
            &[FIRST],
        );
    }
    for by in [3_600_000, -12 * 3_600_000, 86_400_000] {
        check(|said| said.when = hour(by), &[FIRST]);
        check(|said| (said.store, said.when) = (None, hour(by)), &[FIRST]);
    }
    check(|said| (said.amount, said.last_four) = (amount(5_678), Some(1)), &[]);
    check(|said| said.when = hour(5 * 86_400_000), &[]);
}

#[test]
fn a_number_off_the_phone_needs_nothing_else() {
    for order in [
        ORDER,
        "4200001234202511241234567809",
        "42OO001234202511241234567890",
        "420000123420251124123456789",
    ] {
        let sought = check(
            |said| {
                said.order = Some(order.into());
                (said.store, said.when, said.amount, said.last_four) = (None, None, None, None);
            },
            &[FIRST + 10],
        );
        assert!(sought.probes < 4_000, "{} probes", sought.probes);
    }
}

#[test]
fn no_slack_becomes_a_scan() {
    let (_directory, store) = day();
    let mut statements = BTreeSet::new();
    let mut watch = |sql: &str| {
        statements.insert(sql.to_owned());
    };
    let everything: [fn(&mut Said); 4] = [
        |_| {},
        |said| said.order = Some(ORDER.into()),
        |said| said.store = None,
        |said| (said.store, said.amount) = (None, None),
    ];
    for change in everything {
        let mut said = said();
        change(&mut said);
        seek::seek_watched(&store.connection, &said, &mut watch).expect("a store");
    }
    assert!(statements.len() >= 8, "{statements:?}");
    for sql in &statements {
        let mut plan =
            store.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a plan");
        let count = plan.parameter_count();
        let values = vec![rusqlite::types::Value::Null; count];
        let rows = plan
            .query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>(3))
            .expect("a plan");
        for line in rows {
            let line = line.expect("a line");
            assert!(line.starts_with("SEARCH"), "{line} of {sql}");
        }
    }
}

#[test]
fn a_shop_is_heard_only_where_every_terminal_was() {
    let (_directory, mut store) = day();
    let shop: StoreId = "shop-1".parse().expect("a shop");
    let terminals = |names: &[&str]| -> Vec<TerminalId> {
        names.iter().map(|name| name.parse().expect("a terminal")).collect()
    };
    let span =
        |from: i64, to: i64| When { from_ms: WALL_MS + from * 1_000, to_ms: WALL_MS + to * 1_000 };
    let mut check = |names: &[&str], when: When, expected: bool| {
        let found = store.was_heard(&shop, &terminals(names), when).expect("a store");
        assert_eq!(found, expected, "{names:?} {when:?}");
    };
    check(&["T1"], span(10, 2_900), true);
    check(&[], span(10, 2_900), true);
    // Before it was first heard, and past its last word.
    check(&["T1"], span(-60, 100), false);
    check(&["T1"], span(10, 4_000), false);
    let nowhere: StoreId = "shop-9".parse().expect("a shop");
    assert!(!store.was_heard(&nowhere, &[], span(10, 20)).expect("a store"));
}

#[test]
fn a_row_without_a_payment_is_found_and_answers_for_itself() {
    let (directory, mut store) = day();
    drop(SqliteStatements::open(&directory.path().join("store")).expect("the same store"));
    let day = "2025-11-24";
    store
        .connection
        .execute_batch(&format!(
            "INSERT INTO settlement_files (id, source, period, revision, state, profile, name, hash, bytes, first_day,
                last_day, rows, arrived, summary) VALUES (1, 's', 'd', 1, 1, 'p', 'n', x'', 1, '{day}', '{day}', 2, 1, '');
             INSERT INTO settlement_rows (id, file, line, kind, state, at, precise, day, minor, currency, order_number, word)
                VALUES (1, 1, 1, 0, 0, {}, 0, '{day}', 4321, 'CNY', 'WX77001122', ''),
                       (2, 1, 2, 0, 0, NULL, NULL, '{day}', 5555, 'CNY', NULL, ''),
                       (3, 1, 3, 0, 1, {}, 0, '{day}', 4321, 'CNY', NULL, ''),
                       (4, 1, 4, 0, 0, {}, 2, '{day}', 7777, 'CNY', NULL, '');",
            WALL_MS + 60_000,
            WALL_MS + 60_000,
            WALL_MS - 14 * 3_600_000,
        ))
        .expect("rows");
    let rows = |store: &mut SqliteComplaints, hundredths: i64, order: Option<&str>| -> Vec<i64> {
        let mut said = Said { last_four: None, ..said() };
        said.amount = Some(SaidAmount { hundredths, currency: None });
        said.order = order.map(Box::from);
        let sought = store.seek(&said).expect("a store");
        let found = rank(&said, sought.candidates);
        let fits = found.iter().filter(|found| found.fits());
        fits.filter_map(|found| match found.candidate.source {
            Source::Row(row) => Some(row),
            Source::Payment(_) => None,
        })
        .collect()
    };
    assert_eq!(rows(&mut store, 4_321, None), [1]);
    assert_eq!(rows(&mut store, 4_320, Some("WX77001122")), [1]);
    assert_eq!(rows(&mut store, 5_555, None), [2]);
    assert_eq!(rows(&mut store, 7_777, None), [4]);
    for (hundredths, told) in [(4_321, false), (5_555, true), (7_777, true)] {
        let mut said = Said { last_four: None, ..said() };
        said.amount = Some(SaidAmount { hundredths, currency: None });
        let found = rank(&said, store.seek(&said).expect("a store").candidates);
        let row = found.iter().find(|found| matches!(found.candidate.source, Source::Row(_)));
        let row = row.expect("a row");
        assert_eq!(row.candidate.day.is_some(), told, "the day alone, of {hundredths}");
        // The time that the shopper tells lies in that day, and not half a day off.
        let time = row.whys.iter().find(|why| why.aspect == Aspect::Time).expect("it is compared");
        assert_eq!(time.agreement, Agreement::Same, "{hundredths}");
    }
    assert!(rows(&mut store, 9_999, None).is_empty());
    assert_eq!(store.loose_row(1).expect("a store").map(|row| row.gives_back), Some(false));
    assert_eq!(store.loose_row(3).expect("a store"), None, "a payment is behind it");
}
