//! On real files.

use super::*;
use std::io::Write;

fn written(path: &Path, text: &str) {
    let mut file = fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[track_caller]
fn check(tail: &mut Tail, expected: &str) {
    let mut read = Vec::new();
    while let Look::Lines(bytes) = tail.look().unwrap() {
        read.extend_from_slice(&bytes);
    }
    assert_eq!(String::from_utf8(read).unwrap(), expected);
}

#[test]
fn only_whole_lines_are_given() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pos.log");
    written(&path, "one\ntw");
    let mut tail = Tail::open(&path).unwrap();
    check(&mut tail, "one\n");
    assert_eq!(tail.place().offset, 4);
    check(&mut tail, "");
    written(&path, "o\nthree\n");
    check(&mut tail, "two\nthree\n");
    assert_eq!(tail.place().offset, 14);
}

#[test]
fn a_line_longer_than_a_chunk_is_given_in_parts() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pos.log");
    let long = "x".repeat(5 * CHUNK_BYTES_MAX);
    written(&path, &format!("{long}\nshort\n"));
    let mut tail = Tail::open(&path).unwrap();
    check(&mut tail, &format!("{long}\nshort\n"));
}

#[test]
fn reading_goes_on_where_it_ended_also_when_the_file_was_rotated_meanwhile() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pos.log");
    written(&path, "one\ntwo\n");
    let mut tail = Tail::open(&path).unwrap();
    check(&mut tail, "one\ntwo\n");
    let place = tail.place();
    written(&path, "three\n");
    check(&mut Tail::resume(&path, place).unwrap(), "three\n");
    fs::rename(&path, directory.path().join("pos.log.1")).unwrap();
    written(&path, "four\n");
    let mut old = Tail::resume(&path, place).unwrap();
    check(&mut old, "three\n");
    assert!(old.was_replaced(&path));
}

#[test]
fn a_log_that_was_rotated_twice_meanwhile_is_read_part_by_part() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pos.log");
    let named = |name: &str| directory.path().join(name);
    // Times are set, not waited for: parts of a log are minutes apart.
    let part = |name: &str, text: &str, minutes: u64| {
        written(&named(name), text);
        let at = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(minutes * 60);
        File::options().write(true).open(named(name)).unwrap().set_modified(at).unwrap();
    };
    part("pos.log", "one\n", 10);
    let mut tail = Tail::open(&path).unwrap();
    check(&mut tail, "one\n");
    fs::rename(&path, named("pos.log.2")).unwrap();
    part("pos.log.3", "older\n", 5);
    part("pos.log.1", "two\n", 20);
    part("pos.log-errors", "no part of it\n", 15);
    part("pos.log", "three\n", 30);
    let mut tail = tail.next_after(&path).unwrap();
    check(&mut tail, "two\n");
    let mut tail = tail.next_after(&path).unwrap();
    check(&mut tail, "three\n");
    assert!(!tail.was_replaced(&path));
}

#[test]
fn another_file_on_the_same_inode_is_not_taken_for_the_old_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pos.log");
    written(&path, "one\ntwo\n");
    let mut tail = Tail::open(&path).unwrap();
    check(&mut tail, "one\ntwo\n");
    fs::write(&path, "something else, and longer than before\n").unwrap();
    assert!(Tail::resume(&path, tail.place()).is_none());
}

#[test]
fn an_emptied_file_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pos.log");
    written(&path, "one\ntwo\n");
    let mut tail = Tail::open(&path).unwrap();
    check(&mut tail, "one\ntwo\n");
    fs::write(&path, "a\n").unwrap();
    assert_eq!(tail.look().unwrap(), Look::Truncated);
}
