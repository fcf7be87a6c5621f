//! The suite of the store, written against the traits, and what SQLite alone must hold. Another implementation runs the
//! same `suite`.

use super::super::suite;
use super::{SqliteStore, schema, settlement};
use crate::correlate::shape;
use crate::edge::store::{Store, StoreError};
use crate::settlement::row::{RowKind, SettlementRow};
use crate::settlement::standing::Standing;
use rusqlite::params;
use slipwatch_shared::event::Kind;
use slipwatch_shared::money::{Amount, Currency};
use std::collections::BTreeMap;
use std::path::Path;
use tempfile::TempDir;

/// A store in a directory of its own, and the way to open it again.
struct Place {
    directory: TempDir,
}

impl suite::Place for Place {
    fn open(&self) -> Box<dyn Store> {
        Box::new(open(self.directory.path()))
    }
}

fn place() -> Place {
    Place { directory: tempfile::tempdir().expect("a directory") }
}

fn open(directory: &Path) -> SqliteStore {
    SqliteStore::open(&directory.join("collector.db")).expect("a store")
}

#[test]
fn what_is_committed_is_there_after_opening_again() {
    suite::what_is_committed_is_there_after_opening_again(&place());
}

#[test]
fn a_collector_over_it_may_be_stopped_between_any_two_commits() {
    suite::a_collector_over_it_may_be_stopped_between_any_two_commits(&place());
}

#[test]
fn payments_are_brought_back_by_each_of_their_numbers() {
    suite::payments_are_brought_back_by_each_of_their_numbers(&place());
}

#[test]
fn pages_see_the_day_and_one_payment_with_its_events() {
    suite::pages_see_the_day_and_one_payment_with_its_events(&place());
}

#[test]
fn letters_wait_until_they_are_sent_or_given_up() {
    suite::letters_wait_until_they_are_sent_or_given_up(&place());
}

#[test]
fn a_commit_that_fails_stores_nothing_and_may_be_tried_again() {
    suite::a_commit_that_fails_stores_nothing_and_may_be_tried_again(&place());
}

#[test]
fn a_store_of_a_later_program_is_left_alone() {
    let place = place();
    let path = place.directory.path().join("collector.db");
    drop(open(place.directory.path()));
    let connection = rusqlite::Connection::open(&path).expect("a file");
    connection.pragma_update(None, "user_version", 99).expect("a number");
    let refused = SqliteStore::open(&path).expect_err("it is newer");
    assert!(matches!(refused, StoreError::Newer { found: 99, .. }), "{refused}");
}

#[test]
fn a_store_of_the_first_release_goes_on_and_tells_where_its_money_stands() {
    let place = place();
    let path = place.directory.path().join("collector.db");
    let (first, rest) = suite::day_in_commits();
    let rows: BTreeMap<_, _> = [&first]
        .into_iter()
        .chain(&rest)
        .flat_map(|commit| &commit.transactions)
        .map(|row| (row.id.clone(), row))
        .collect();
    let mut connection = rusqlite::Connection::open(&path).expect("a file");
    schema::migrate_to(&mut connection, 1).expect("the schema of the first release");
    connection
        .execute_batch(
            "INSERT INTO agents VALUES (1, 'shop-1', 'till-1', 1, 9, x'', 0, 0, 0, '', 0, x'');",
        )
        .expect("an agent");
    for (number, row) in rows.values().enumerate() {
        let keys = &row.case.keys;
        connection
            .execute(
                "INSERT INTO transactions (id, agent, epoch, seq, store, terminal, opened, wall, kind, stan)
                 VALUES (?1, 1, 1, ?2, 'shop-1', ?3, ?4, ?4, ?5, ?6)",
                params![
                    number as i64,
                    row.id.first.seq.0 as i64,
                    row.terminal.map(|terminal| terminal.to_string()),
                    row.case.opened.0,
                    row.case.kind as i64,
                    keys.stan.map(|stan| stan.number()),
                ],
            )
            .and_then(|_| {
                connection.execute(
                    "INSERT INTO cases (id, verdict, open_findings, rest_at, state) VALUES (?1, 'x', 0, 0, ?2)",
                    params![number as i64, shape::to_bytes(&row.case)],
                )
            })
            .expect("a payment");
    }
    drop(connection);
    let mut statements = settlement::SqliteStatements::open(&path).expect("the next release");
    let day = "2025-11-24".parse().expect("a day");
    let amount = Amount::new(8_800, Currency::CNY);
    let mut wanted = SettlementRow::plain(1, RowKind::Sale, day, amount);
    let standings = |statements: &mut settlement::SqliteStatements, wanted: SettlementRow| {
        let found = statements.candidates(&[wanted]).expect("candidates");
        found.candidates.into_iter().map(|found| (found.kind, found.standing)).collect::<Vec<_>>()
    };
    assert_eq!(standings(&mut statements, wanted.clone()), [], "it names nothing");
    wanted.original.stan = "000001".parse().ok();
    wanted.terminal = "T1".parse().ok();
    assert_eq!(standings(&mut statements, wanted), [(Kind::Sale, Standing::Debited)]);
}

#[test]
fn a_full_store_is_told_as_full_and_goes_on_when_there_is_room() {
    let place = place();
    let mut store = open(place.directory.path());
    let (first, rest) = suite::day_in_commits();
    store.commit(&first).expect("the first one fits");
    let pages: i64 =
        store.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).expect("a count");
    let limit = |store: &SqliteStore, pages: i64| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        store.connection.query_row(&sql, [], |_| Ok(())).expect("a limit");
    };
    limit(&store, pages);
    let mut large = rest[0].clone();
    large.alert_state = Some(vec![7; 100_000]);
    let refused = store.commit(&large).expect_err("there is no room");
    assert!(matches!(refused, StoreError::Full) && refused.is_retryable(), "{refused}");
    limit(&store, 1_000_000);
    store.commit(&large).expect("the same commit, once there is room");
    assert_eq!(store.load().expect("a snapshot").alert_state, large.alert_state);
}
