//! Rows that are alike in every number: each finding is about one of them, keeps its name, and ends with what becomes of
//! that one.

use super::month::Chain;
use slipwatch_collector::correlate::finding::{Change, FindingKind};
use slipwatch_collector::settlement::report::Outcome;
use slipwatch_shared::times::ArrivalTime;

const HOUR_MS: i64 = 3_600_000;
const SHOPS: usize = 20;
/// No terminal made it; its row stands in the file of the third day.
const PHANTOM: &str = "900002";

/// The chain on the noon of its fifth day, with the row of the third day twice in its file.
struct Doubled {
    chain: Chain,
    day: i64,
    noon: ArrivalTime,
    text: String,
}

impl Doubled {
    /// `edit` is made of the row first.
    fn new(edit: fn(&str) -> String) -> Doubled {
        let mut chain = Chain::new(7, SHOPS);
        let holds =
            |day: &i64| chain.month.file(*day, false).is_some_and(|text| text.contains(PHANTOM));
        let day = (0..5).find(holds).expect("a file has it");
        let text = doubled(&chain.month.file(day, false).expect("a file"), edit);
        let mut noon = ArrivalTime(0);
        for of in 0..5 {
            let night = ArrivalTime(chain.month.utc_ms((of + 1) * 86_400 + 60));
            noon = ArrivalTime(night.0 + 12 * HOUR_MS);
            chain.hear(of, 0..SHOPS, night);
            if of != day {
                chain.import(of, false, ArrivalTime(night.0 + 10 * HOUR_MS));
            } else {
                import(&mut chain, &text, 1, ArrivalTime(night.0 + 10 * HOUR_MS));
            }
        }
        Doubled { chain, day, noon, text }
    }

    fn review(&mut self) -> Vec<Change> {
        let changes = self.review_whole().into_iter();
        let phantoms = changes.filter(|(kind, _)| *kind == FindingKind::PhantomSettlement);
        phantoms.map(|(_, change)| change).collect()
    }

    fn review_whole(&mut self) -> Vec<(FindingKind, Change)> {
        self.chain.desk.review(self.noon).expect("a store").0
    }

    /// What is open of the row: names, and the revision of the file that each rests on.
    fn open(&self) -> Vec<(String, i64)> {
        let connection = self.chain.connection();
        let of_row = |row: i64| {
            let sql =
                "SELECT f.revision FROM settlement_rows r JOIN settlement_files f ON f.id = r.file
                 WHERE r.id = ?1";
            connection.query_row(sql, [row], |found| found.get(0)).expect("its row")
        };
        let open = self.chain.open_findings().into_iter().filter_map(|open| {
            let detail = open.detail.filter(|detail| detail.stan.as_deref() == Some(PHANTOM))?;
            Some((open.view.finding.id.to_string(), of_row(detail.row?)))
        });
        let mut open: Vec<(String, i64)> = open.collect();
        open.sort();
        open
    }

    /// A late spool brings a payment with the numbers of the rows.
    fn payment_comes(&self) {
        let sql = "INSERT INTO transactions (agent, epoch, seq, store, terminal, opened, wall, kind, minor,
                currency, stan, batch_number, merchant)
             SELECT t.agent, t.epoch, (SELECT max(seq) + 1 FROM transactions), t.store, t.terminal, t.opened,
                r.at, t.kind, r.minor, t.currency, r.stan, r.batch_number, t.merchant
             FROM transactions t JOIN settlement_rows r ON r.terminal = t.terminal AND r.stan = 900002
             WHERE t.kind = 0 ORDER BY t.id LIMIT 1;
             INSERT INTO cases (id, verdict, open_findings, rest_at, state, money)
             SELECT (SELECT max(id) FROM transactions), c.verdict, 0, c.rest_at, c.state, c.money
             FROM cases c ORDER BY c.id LIMIT 1;";
        self.chain.connection().execute_batch(sql).expect("a payment");
    }
}

fn doubled(text: &str, edit: fn(&str) -> String) -> String {
    let line = text.lines().find(|line| line.contains(PHANTOM)).expect("its row");
    let edited = edit(line);
    text.replace(line, &format!("{edited}\n{edited}"))
}

/// Without the batch's number: such a row has any payment of its trace and amount that no other row has.
fn without_batch(line: &str) -> String {
    line.replacen(",000001,", ",,", 1)
}

fn import(chain: &mut Chain, text: &str, revision: u32, now: ArrivalTime) {
    let path = chain.write(&format!("version-{revision}.csv"), text);
    let reports = chain.desk.import(&path, None, now, &mut |_| {}).expect("the store takes it");
    assert_eq!(reports[0].outcome, Outcome::Loaded, "{:?}", reports[0]);
    assert_eq!(reports[0].revision, Some(revision));
}

#[test]
fn of_two_rows_alike_each_ends_with_a_payment_of_its_own() {
    let mut doubled = Doubled::new(without_batch);
    assert_eq!(doubled.review(), [Change::Raised, Change::Raised]);
    let names = doubled.open();
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(doubled.review(), [], "nothing is new");
    doubled.payment_comes();
    assert_eq!(doubled.review(), [Change::Resolved]);
    assert_eq!(doubled.open(), names[1..]);
    doubled.payment_comes();
    assert_eq!(doubled.review(), [Change::Resolved]);
    assert_eq!(doubled.open(), []);
}

#[test]
fn where_the_one_payment_of_two_rows_comes_late_one_settles_it_and_the_other_repeats_it() {
    let mut doubled = Doubled::new(str::to_owned);
    assert_eq!(doubled.review(), [Change::Raised, Change::Raised]);
    doubled.payment_comes();
    let phantom = (FindingKind::PhantomSettlement, Change::Resolved);
    let twice = (FindingKind::DuplicateDebit, Change::Raised);
    let mut changes = doubled.review_whole();
    changes.sort();
    assert_eq!(changes, [phantom, phantom, twice]);
    let open = doubled.open();
    assert!(open.len() == 1 && open[0].0.starts_with("A09:row:"), "{open:?}");
    assert_eq!(doubled.review_whole(), [], "nothing is new");
    let links = "SELECT count(*) FILTER (WHERE role = 0), count(*) FILTER (WHERE role = 2)
         FROM settlement_links WHERE transaction_id = (SELECT max(id) FROM transactions)";
    let connection = doubled.chain.connection();
    let counted = connection.query_row(links, [], |row| Ok((row.get(0)?, row.get(1)?)));
    assert_eq!(counted.expect("links"), (1_i64, 1_i64));
}

#[test]
fn a_corrected_file_takes_the_names_of_its_rows_over_and_ends_what_it_has_no_row_for() {
    let mut doubled = Doubled::new(str::to_owned);
    assert_eq!(doubled.review(), [Change::Raised, Change::Raised]);
    let names: Vec<String> = doubled.open().into_iter().map(|(name, _)| name).collect();
    let now = doubled.noon;
    let corrected = doubled.text.replace("正常", "更正");
    import(&mut doubled.chain, &corrected, 2, now);
    assert_eq!(doubled.review(), [], "the same rows");
    let open = doubled.open();
    assert_eq!(open, [(names[0].clone(), 2), (names[1].clone(), 2)]);
    // One of the two is taken back.
    let single = doubled.chain.month.file(doubled.day, false).expect("a file");
    import(&mut doubled.chain, &single, 3, now);
    assert_eq!(doubled.review(), [Change::Resolved]);
    assert_eq!(doubled.open(), [(names[0].clone(), 3)]);
    // And the other one has a payment now, which the next version finds when it is imported.
    doubled.payment_comes();
    let again = single.replace("正常", "再次更正");
    import(&mut doubled.chain, &again, 4, now);
    assert_eq!(doubled.review(), [Change::Resolved]);
    assert_eq!(doubled.open(), []);
}
