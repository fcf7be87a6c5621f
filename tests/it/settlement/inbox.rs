//! The watched directory, look by look: what lies there is imported whole, once, and is lost nowhere.

use super::{made, made_text, settings};
use slipwatch_collector::config::Config;
use slipwatch_collector::run::settlement::Desk;
use slipwatch_collector::run::settlement::inbox::Inbox;
use slipwatch_collector::settlement::report::{Outcome, Report};
use slipwatch_shared::times::ArrivalTime;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

const NOW: ArrivalTime = ArrivalTime(1_764_050_400_000);

struct Place {
    directory: tempfile::TempDir,
    desk: Desk,
    inbox: Inbox,
}

impl Place {
    fn new() -> Place {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("collector.toml");
        let config = Config::parse(&path, &settings("", "")).expect("sound settings");
        let desk = Desk::open(&config).expect("a store");
        let inbox = Inbox::open(&directory.path().join("inbox")).expect("a directory");
        Place { directory, desk, inbox }
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join("inbox").join(name)
    }

    fn put(&self, name: impl AsRef<Path>, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).expect("room on the disk");
    }

    /// One look; what was imported by it.
    fn look(&mut self) -> Vec<Report> {
        let settled = self.inbox.settled().expect("the directory is there");
        let take = |path: PathBuf| self.inbox.take(&mut self.desk, &path, NOW).expect("a store");
        settled.into_iter().flat_map(take).collect()
    }

    /// The names below one of its places.
    fn names(&self, place: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(place)).expect("a directory");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().expect("UTF-8")).collect();
        names.sort();
        names
    }
}

fn outcomes(reports: &[Report]) -> Vec<Outcome> {
    reports.iter().map(|report| report.outcome).collect()
}

#[test]
fn a_file_that_is_still_written_when_it_is_imported_stays_until_it_is_whole() {
    let mut place = Place::new();
    let text = made_text("allinpay.csv");
    let half: String = text.split_inclusive('\n').take(3).collect();
    place.put("day.csv", half.as_bytes());
    assert_eq!(place.look(), []);
    let settled = place.inbox.settled().expect("the directory is there");
    // Its sender had paused, and goes on.
    place.put("day.csv", text.as_bytes());
    let first = place.inbox.take(&mut place.desk, &settled[0], NOW).expect("a store");
    assert_eq!(outcomes(&first), [Outcome::Loaded]);
    assert_eq!(place.names("done"), [""; 0], "its sender still writes it");
    assert_eq!(place.look(), [], "it changed since the last look");
    assert_eq!(outcomes(&place.look()), [Outcome::Known]);
    assert_eq!(place.names("done"), ["day.csv"]);
}

#[test]
fn what_programs_call_unfinished_is_not_taken() {
    let mut place = Place::new();
    for name in ["a.filepart", "b.PART", "c.crdownload", ".hidden.csv"] {
        place.put(name, &made("allinpay.csv"));
    }
    assert_eq!(place.look(), []);
    assert_eq!(place.look(), []);
}

#[test]
fn a_thousand_files_that_are_not_taken_hide_none_that_is() {
    let mut place = Place::new();
    place.put("day.csv", &made("allinpay.csv"));
    for number in 0..1_000 {
        place.put(format!("{number}.tmp"), b"");
    }
    assert_eq!(place.look(), []);
    assert_eq!(outcomes(&place.look()), [Outcome::Loaded]);
    assert_eq!(place.names("done"), ["day.csv"]);
    assert_eq!(place.look(), []);
}

#[test]
fn a_file_that_cannot_be_put_away_is_imported_once_and_put_away_later() {
    let mut place = Place::new();
    std::fs::remove_dir(place.path("refused")).expect("it is empty");
    place.put("refused", b"");
    place.put("day.csv", b"no file of an acquirer\n");
    // What stands in the place's way is a file itself, and is refused as one.
    place.look();
    let refused =
        |reports: Vec<Report>| reports.iter().filter(|report| report.file == "day.csv").count();
    assert_eq!(refused(place.look()), 1);
    for _ in 0..5 {
        assert_eq!(refused(place.look()), 0, "refused again and again");
    }
    std::fs::remove_file(place.path("refused")).expect("it is there");
    std::fs::create_dir(place.path("refused")).expect("its place is free");
    assert_eq!(place.look(), []);
    assert_eq!(place.names("refused"), ["day.csv", "day.csv.reason.txt"]);
    let reason = std::fs::read_to_string(place.path("refused/day.csv.reason.txt"));
    assert!(reason.expect("text").contains("no profile knows"));
}

#[test]
fn no_file_that_was_put_away_is_ever_written_over() {
    let mut place = Place::new();
    let lies_there = |number: usize| match number {
        0 => "day.csv".to_owned(),
        _ => format!("{number}-day.csv"),
    };
    for number in 0..1_001 {
        place.put(format!("done/{}", lies_there(number)), b"kept");
    }
    place.put("day.csv", &made("allinpay.csv"));
    place.look();
    assert_eq!(outcomes(&place.look()), [Outcome::Loaded]);
    for number in 0..1_001 {
        let kept = std::fs::read(place.path(format!("done/{}", lies_there(number))));
        assert_eq!(kept.expect("it lies there"), b"kept", "{number}");
    }
    let taken = std::fs::read(place.path("done/1001-day.csv")).expect("the new one");
    assert_eq!(taken, made("allinpay.csv"));
}

/// A file of this name is taken, and lies in `done` under the expected one.
#[track_caller]
fn check(name: &[u8], expected: &str) {
    let mut place = Place::new();
    for again in [expected.to_owned(), format!("1-{expected}")] {
        place.put(OsStr::from_bytes(name), &made("allinpay.csv"));
        place.look();
        let reports = place.look();
        let [report] = reports.as_slice() else { panic!("{reports:?}") };
        assert!(!report.file.chars().any(char::is_control), "{:?}", report.file);
        assert!(place.names("done").contains(&again), "{again:?} {:?}", place.names("done"));
        assert_eq!(place.names("").len(), 2, "it stays in the inbox");
    }
}

#[test]
fn a_file_is_put_away_whatever_it_is_called() {
    check(b"day.csv", "day.csv");
    check(b"a\nb\x1b[31m.csv", "a b [31m.csv");
    check("对账单 24.csv".as_bytes(), "对账单 24.csv");
    // The same in GBK, as Windows programs send it.
    check(b"\xb6\xd4\xd5\xcb\xb5\xa5 24.csv", "对账单 24.csv");
    check(b"x\\..\\y.csv", "x\\..\\y.csv");
    check(&[b'a'; 255], &"a".repeat(160));
    check("账".repeat(85).as_bytes(), &"账".repeat(66));
    check(&[0xff; 255], &"\u{fffd}".repeat(66));
}
