//! Rows that book one payment more than once (A09): the earliest by its own time settles it and the others are told, in
//! whichever order their files come, and however they are corrected.

use super::month::Chain;
use jiff::ToSpan;
use jiff::civil::Time;
use slipwatch_collector::correlate::finding::FindingKind;
use slipwatch_collector::settlement::report::Outcome;
use slipwatch_shared::times::ArrivalTime;

const SHOPS: usize = 20;
const TERMINAL: &str = "10000015";

/// The chain after two days, and one sale of the first with the files of both days.
struct Booked {
    chain: Chain,
    sale: String,
    files: [String; 2],
    now: ArrivalTime,
    imports: u32,
}

impl Booked {
    fn new() -> Booked {
        let mut chain = Chain::new(7, SHOPS);
        let mut now = ArrivalTime(0);
        for day in 0..2 {
            now = ArrivalTime(chain.month.utc_ms((day + 1) * 86_400 + 60));
            chain.hear(day, 0..SHOPS, now);
        }
        let files = [0, 1].map(|day| chain.month.file(day, false).expect("a file"));
        let is_ours = |line: &&str| line.contains(TERMINAL) && line.contains(",消费,");
        let sale = files[0].lines().find(is_ours).expect("a sale").to_owned();
        Booked { chain, sale, files, now, imports: 0 }
    }

    /// The row of the sale once more, so many minutes later.
    fn later(&self, minutes: i64) -> String {
        let time = self.sale.split(',').nth(3).expect("a time");
        let moved: Time = time.parse().expect("a time of day");
        let moved = moved.checked_add(minutes.minutes()).expect("the same day");
        self.sale.replacen(time, &moved.to_string(), 1)
    }

    fn import(&mut self, text: &str) {
        self.imports += 1;
        let path = self.chain.write(&format!("{}.csv", self.imports), text);
        let desk = &mut self.chain.desk;
        let reports = desk.import(&path, None, self.now, &mut |_| {}).expect("the store works");
        assert_eq!(reports[0].outcome, Outcome::Loaded, "{:?}", reports[0]);
    }

    /// Minutes behind the sale of each row that books it, in their order, and whether it settles it.
    fn rows(&self) -> Vec<(i64, bool)> {
        let stan = self.sale.split(',').nth(6).expect("a number");
        let connection = self.chain.connection();
        let sql = "SELECT (r.at - min(r.at) OVER ()) / 60000, l.role = 0 FROM settlement_links l
             JOIN settlement_rows r ON r.id = l.row JOIN settlement_files f ON f.id = r.file
             WHERE f.state = 1 AND r.terminal = ?1 AND r.stan = ?2 AND l.role IN (0, 2) ORDER BY r.at";
        let mut statement = connection.prepare(sql).expect("the schema");
        let rows = statement.query_map([TERMINAL, stan], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.expect("rows").map(|row| row.expect("a row")).collect()
    }

    /// Of the rows that are told: seconds of the day by the shop's clock, in their order.
    fn told(&self) -> Vec<i64> {
        let connection = self.chain.connection();
        let at = |row: i64| -> i64 {
            let sql = "SELECT at FROM settlement_rows WHERE id = ?1";
            connection.query_row(sql, [row], |found| found.get(0)).expect("its row")
        };
        let open = self.chain.open_findings().into_iter();
        let open = open.filter(|open| open.view.finding.id.kind == FindingKind::DuplicateDebit);
        let mut told: Vec<i64> = open
            .map(|open| {
                assert!(open.view.finding.partner.is_some(), "it says which payment");
                let row = open.detail.and_then(|detail| detail.row).expect("a row says it");
                assert_eq!(open.view.finding.since.0, at(row), "since that row");
                (at(row) - self.chain.month.utc_ms(0)) / 1_000
            })
            .collect();
        told.sort_unstable();
        told
    }

    /// Seconds of the day at which the sale's row was, and so many minutes later.
    fn second(&self, minutes: i64) -> i64 {
        let time: Time = self.sale.split(',').nth(3).expect("a time").parse().expect("a time");
        i64::from(time.hour()) * 3_600
            + i64::from(time.minute()) * 60
            + i64::from(time.second())
            + minutes * 60
    }
}

#[test]
fn the_earlier_row_settles_and_the_later_one_is_told_whichever_file_comes_first() {
    for order in [[0, 1], [1, 0]] {
        let mut booked = Booked::new();
        let mut files = booked.files.clone();
        files[1] += &(booked.later(5) + "\n");
        for day in order {
            booked.import(&files[day]);
        }
        assert_eq!(booked.rows(), [(0, true), (5, false)], "{order:?}");
        assert_eq!(booked.told(), [booked.second(5)], "{order:?}");
    }
}

#[test]
fn rows_of_one_file_are_taken_by_their_times_and_not_by_their_lines() {
    let mut booked = Booked::new();
    let later = booked.later(5);
    let text = booked.files[0].replacen(&booked.sale, &format!("{later}\n{}", booked.sale), 1);
    booked.import(&text);
    assert_eq!(booked.rows(), [(0, true), (5, false)]);
    assert_eq!(booked.told(), [booked.second(5)]);
}

#[test]
fn each_further_row_is_told_by_itself_and_a_corrected_file_leaves_the_payment_to_what_is_left() {
    let mut booked = Booked::new();
    let second = booked.later(5);
    let third = booked.later(9);
    let [first_day, next_day] = booked.files.clone();
    booked.import(&format!("{next_day}{third}\n"));
    assert_eq!(booked.rows(), [(0, true)]);
    booked.import(&format!("{first_day}{second}\n"));
    assert_eq!(booked.rows(), [(0, true), (5, false), (9, false)]);
    assert_eq!(booked.told(), [booked.second(5), booked.second(9)]);
    // The first day's file is corrected: the payment is not in it.
    let without = first_day.replacen(&format!("{}\n", booked.sale), "", 1);
    booked.import(&without);
    assert_eq!(booked.rows(), [(0, true)], "the row of the next day's file is the one");
    assert_eq!(booked.told(), [] as [i64; 0]);
}
