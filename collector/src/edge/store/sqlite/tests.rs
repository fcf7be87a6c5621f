//! The suite of the store, written against the traits, and what SQLite alone must hold. Another implementation runs the
//! same `suite`.

use super::super::suite;
use super::SqliteStore;
use crate::edge::store::{Store, StoreError};
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
