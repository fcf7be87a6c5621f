//! What time and settings decide behind an import: payouts against the bank's own statement, rates and deductions that are agreed,
//! files that are due.

use super::{made_text, settings};
use slipwatch_collector::config::Config;
use slipwatch_collector::correlate::finding::{Change, FindingKind};
use slipwatch_collector::edge::store::settlement::Detail;
use slipwatch_collector::edge::store::sqlite::SqliteStore;
use slipwatch_collector::run::settlement::Desk;
use slipwatch_collector::settlement::report::Outcome;
use slipwatch_shared::times::ArrivalTime;

/// 2025-11-25 06:00 UTC.
const NOW: ArrivalTime = ArrivalTime(1_764_050_400_000);
const DAY_MS: i64 = 86_400_000;

/// Besides the acquirer.
const OTHERS: &str = r#"
[[settlement.statement]]
name = "processor"
profile = "adyen-settlement-detail"
merchants = ["ExampleShopPOS"]
shops = ["shop-1"]
[[settlement.statement]]
name = "bank"
profile = "mt940"
bank = true
"#;

struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        Place { directory: tempfile::tempdir().expect("a directory") }
    }

    fn desk(&self, more: &str) -> Desk {
        let text = settings(&format!("{more}{OTHERS}"), "");
        let path = self.directory.path().join("collector.toml");
        Desk::open(&Config::parse(&path, &text).expect("sound settings")).expect("a store")
    }

    fn import(&self, desk: &mut Desk, name: &str, text: &str) {
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).expect("room on the disk");
        let reports = desk.import(&path, None, NOW, &mut |_| {}).expect("the store works");
        assert_eq!(reports[0].outcome, Outcome::Loaded, "{reports:?}");
    }

    fn open(&self, kind: FindingKind) -> Vec<Detail> {
        let path = self.directory.path().join("store/collector.sqlite");
        let open = SqliteStore::open_reader(&path).and_then(|reader| reader.open_findings());
        let of_kind =
            open.expect("a store").into_iter().filter(|open| open.view.finding.id.kind == kind);
        of_kind.map(|open| open.detail.expect("a file says it")).collect()
    }
}

/// The bank's statement of 24 November with one credit, and one of a day before that changes nothing.
fn bank(cents: i64, memo: &str) -> String {
    let euro = |cents: i64| format!("{},{:02}", cents / 100, cents % 100);
    format!(
        ":20:STATEMENT\r\n:25:NL26VAYB8060476890\r\n:28C:27/1\r\n:60F:C251121EUR{}\r\n\
         :61:2511241124C{}NTRFNONREF\r\n:86:{memo}\r\n:62F:C251124EUR{}\r\n-\r\n",
        euro(10_000),
        euro(cents),
        euro(10_000 + cents)
    )
}

/// The processor pays out 88.85 by batch 73; the bank books this. What is told of it.
fn payout(cents: i64, memo: &str) -> Vec<(Option<i64>, Option<i64>)> {
    let place = Place::new();
    let mut desk = place.desk("");
    place.import(&mut desk, "settlement.csv", &made_text("adyen-settlement-detail.csv"));
    place.import(&mut desk, "bank.sta", &bank(cents, memo));
    desk.review(NOW).expect("a store");
    let open = place.open(FindingKind::PayoutMismatch);
    open.iter().map(|detail| (detail.expected_minor, detail.amount_minor)).collect()
}

#[test]
fn a_payout_is_the_banks_credit_by_its_number_and_amount() {
    assert_eq!(payout(8_885, "ADYEN BATCH 73 EXAMPLESHOP"), []);
    assert_eq!(payout(8_885, "ADYEN"), [], "the amount alone will do");
    let less = [(Some(8_885), Some(8_000))];
    assert_eq!(payout(8_000, "ADYEN BATCH 73 EXAMPLESHOP"), less, "A23: booked with less");
    let nothing = [(Some(8_885), Some(0))];
    assert_eq!(payout(8_000, "RENT INVOICE 1273"), nothing, "another number that ends alike");
}

#[test]
fn a_payout_waits_for_the_banks_file_and_is_taken_back_by_a_corrected_one() {
    let place = Place::new();
    let mut desk = place.desk("");
    place.import(&mut desk, "settlement.csv", &made_text("adyen-settlement-detail.csv"));
    desk.review(NOW).expect("a store");
    assert_eq!(place.open(FindingKind::PayoutMismatch), [], "the bank has not spoken yet");
    place.import(&mut desk, "bank.sta", &bank(8_000, "ADYEN BATCH 73"));
    let said = desk.review(NOW).expect("a store");
    assert_eq!(said.0, [(FindingKind::PayoutMismatch, Change::Raised)]);
    place.import(&mut desk, "corrected.sta", &bank(8_885, "ADYEN BATCH 73"));
    let said = desk.review(NOW).expect("a store");
    assert_eq!(said.0, [(FindingKind::PayoutMismatch, Change::Resolved)]);
}

const CONTRACT: &str = "[[settlement.contract]]\nmerchant = \"821330154110001\"\nclass = \"debit\"\n\
     rate_percent = \"0.38\"\nuntil = \"2025-11-23\"\n\
     [[settlement.contract]]\nmerchant = \"821330154110001\"\nclass = \"debit\"\n\
     rate_percent = \"0.60\"\nfrom = \"2025-11-24\"\n";

/// A day of the acquirer's with fifty debit sales of 100 yuan, each at this fee in fen.
fn day(date: &str, fee_fen: i64) -> String {
    let text = made_text("allinpay.csv");
    let header = text.lines().next().expect("a header");
    let rows = (1..=50).map(|number| {
        format!(
            "821330154110001,示例门店,10000001,10:{number:02}:00,消费,000012,{number:06},2532810{number:05},\
             622576******6691,借记卡,01020000,示例银行,100.00,0.{fee_fen:02},{date},1120931209{number:08},,,,\
             100.00,99.{:02},收单,0.00,{date} 10:{number:02}:00",
            100 - fee_fen
        )
    });
    let rows: Vec<String> = rows.collect();
    format!("{header}\r\n{}\r\n", rows.join("\r\n"))
}

#[test]
fn a_new_rate_is_told_unless_the_contract_has_it_with_its_date() {
    let place = Place::new();
    let mut desk = place.desk("");
    place.import(&mut desk, "a.csv", &day("2025-11-23", 38));
    assert_eq!(place.open(FindingKind::RateChanged), []);
    place.import(&mut desk, "b.csv", &day("2025-11-24", 60));
    let told = place.open(FindingKind::RateChanged);
    let [detail] = told.as_slice() else { panic!("one rate moved: {told:?}") };
    let moved = detail.rate.as_ref().expect("it says which");
    assert_eq!((moved.from_ppm, moved.to_ppm), (3_800, 6_000));
    assert_eq!(moved.since, jiff::civil::date(2025, 11, 24));
    assert_eq!(detail.day.as_deref(), Some("2025-11-24"), "no time of it is told");
    // The operator writes the new contract down: it is explained.
    let mut desk = place.desk(CONTRACT);
    desk.review(NOW).expect("a store");
    assert_eq!(place.open(FindingKind::RateChanged), []);

    let agreed = Place::new();
    let mut desk = agreed.desk(CONTRACT);
    agreed.import(&mut desk, "a.csv", &day("2025-11-23", 38));
    agreed.import(&mut desk, "b.csv", &day("2025-11-24", 60));
    assert_eq!(agreed.open(FindingKind::RateChanged), [], "it was agreed before");
    assert_eq!(agreed.open(FindingKind::FeeMismatch), []);
}

#[test]
fn a_deduction_is_settled_once_the_operator_accepts_it() {
    let place = Place::new();
    let mut desk = place.desk("");
    place.import(&mut desk, "a.csv", &made_text("allinpay.csv"));
    assert_eq!(place.open(FindingKind::UnexplainedDeduction).len(), 1);
    let accepted = |most: &str| {
        format!(
            "[[settlement.deduction]]\nname = \"data_fee\"\nwords = [\"流量费\"]\naccept_up_to = \"{most} CNY\"\n"
        )
    };
    let mut desk = place.desk(&accepted("50.00"));
    desk.review(NOW).expect("a store");
    assert_eq!(place.open(FindingKind::UnexplainedDeduction).len(), 1, "it took more");
    let mut desk = place.desk(&accepted("99.00"));
    desk.review(NOW).expect("a store");
    assert_eq!(place.open(FindingKind::UnexplainedDeduction), []);
}

#[test]
fn a_file_is_missing_from_its_hour_on_and_until_it_is_loaded() {
    let place = Place::new();
    let due = "[[settlement.statement]]\nname = \"daily\"\nprofile = \"wechat-trade\"\ndue = \"12:00\"\n\
               since = \"2025-11-24\"\nshops = [\"shop-1\"]\n";
    let mut desk = place.desk(due);
    // 25 November, 11:59 by the shop's clock.
    let before = ArrivalTime(NOW.0 - 2 * 3_600_000 - 60_000);
    desk.review(before).expect("a store");
    assert_eq!(place.open(FindingKind::StatementMissing), []);
    let said = desk.review(ArrivalTime(before.0 + 60_000)).expect("a store");
    assert_eq!(said.0, [(FindingKind::StatementMissing, Change::Raised)]);
    place.import(&mut desk, "wechat.csv", &made_text("wechat-trade.csv"));
    let said = desk.review(NOW).expect("a store");
    assert_eq!(said.0, [(FindingKind::StatementMissing, Change::Resolved)]);
    let said = desk.review(ArrivalTime(NOW.0 + DAY_MS)).expect("a store");
    assert_eq!(said.0, [(FindingKind::StatementMissing, Change::Raised)], "the next day's");
}
