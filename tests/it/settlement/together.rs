//! Two imports into one store at the same time: of the console, the inbox and a terminal none knows of the others.

use super::{made, settings};
use slipwatch_collector::config::Config;
use slipwatch_collector::run::settlement::Desk;
use slipwatch_collector::run::settlement::import::Progress;
use slipwatch_collector::settlement::report::{Outcome, Report};
use slipwatch_shared::times::ArrivalTime;
use std::path::Path;
use std::sync::mpsc;

const NOW: ArrivalTime = ArrivalTime(1_764_050_400_000);

fn desk(directory: &Path) -> Desk {
    let path = directory.join("collector.toml");
    Desk::open(&Config::parse(&path, &settings("", "")).expect("sound settings")).expect("a store")
}

fn import(directory: &Path, name: &str, progress: &mut dyn FnMut(Progress<'_>)) -> Report {
    let path = directory.join(name);
    std::fs::write(&path, made(name)).expect("room on the disk");
    let mut reports = desk(directory).import(&path, None, NOW, progress).expect("the store works");
    assert_eq!(reports.len(), 1, "{reports:?}");
    reports.remove(0)
}

#[test]
fn an_import_that_begins_while_another_one_is_at_work_takes_nothing_of_it() {
    let place = tempfile::tempdir().expect("a directory");
    let directory = place.path();
    let (first, second) = std::thread::scope(|scope| {
        let mut other = None;
        let first = import(directory, "allinpay.csv", &mut |made| {
            // The first rows are written.
            let Progress::Read(_) = made else { return };
            other.get_or_insert_with(|| {
                let (goes_on, told) = mpsc::channel();
                let second = scope.spawn(move || {
                    let waits = |made: Progress<'_>| {
                        if made == Progress::Waits {
                            goes_on.send(()).expect("the first one listens");
                        }
                    };
                    import(directory, "wechat-trade.csv", &mut { waits })
                });
                // Either the other one waits, or it came to its end and its sender is gone.
                let _ = told.recv();
                second
            });
        });
        (first, other.expect("rows were written").join().expect("it works"))
    });
    let connection =
        rusqlite::Connection::open(directory.join("store/collector.sqlite")).expect("a store");
    for report in [first, second] {
        assert_eq!(report.outcome, Outcome::Loaded, "{report:?}");
        let rows: i64 = connection
            .query_row(
                "SELECT count(*) FROM settlement_rows r JOIN settlement_files f ON r.file = f.id
                 WHERE f.name = ?1 AND r.id BETWEEN f.first_row AND f.last_row",
                [&report.file],
                |row| row.get(0),
            )
            .expect("a count");
        assert_eq!(rows, report.rows as i64, "{report:?}");
    }
}
