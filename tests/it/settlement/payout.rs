//! What an acquirer's file says was paid out against what came in at the bank (A23): nothing is told while the bank's own
//! file is not there, another sum is told at once, and the right one takes it back.

use slipwatch_collector::config::Config;
use slipwatch_collector::correlate::finding::FindingKind;
use slipwatch_collector::edge::store::sqlite::SqliteStore;
use slipwatch_collector::run::settlement::Desk;
use slipwatch_shared::times::ArrivalTime;

/// 28 November 2025, noon UTC: the payout of the 22nd was due at the bank on the 24th.
const NOW: ArrivalTime = ArrivalTime(1_764_331_200_000);

/// A bank's file of 21 to 27 November with these bookings between others, each a line `:61:` and what it says.
fn statement(bookings: &[(&str, &str)]) -> Vec<u8> {
    let (first, last) = (("2511211121C9,00NTRFTIPS", "Tips"), ("2511271127C7,00NTRFRENT", "Rent"));
    let between = bookings.iter().copied();
    let bookings: Vec<(&str, &str)> = [first].into_iter().chain(between).chain([last]).collect();
    let line = |(booking, memo): &(&str, &str)| format!(":61:{booking}\r\n:86:{memo}\r\n");
    let lines: String = bookings.iter().map(line).collect();
    let sum: i64 = 10_000 + bookings.iter().map(|(booking, _)| minor(booking)).sum::<i64>();
    format!(
        ":20:STATEMENT\r\n:25:12345678/0001234500\r\n:28C:47/1\r\n:60F:C251121EUR100,00\r\n{lines}\
         :62F:C251127EUR{},{:02}\r\n",
        sum / 100,
        sum % 100
    )
    .into_bytes()
}

/// `2511241124C88,85NTRF…` in cents.
fn minor(booking: &str) -> i64 {
    let amount = booking.split_once('C').expect("a credit").1;
    let digits: String =
        amount.chars().take_while(|sign| *sign != 'N').filter(char::is_ascii_digit).collect();
    digits.parse().expect("an amount with its cents")
}

/// What is told after the acquirer's file and this file of the bank, as `expected/found` in cents.
#[track_caller]
fn check(banks: &[Vec<u8>], expected: &[&str]) {
    let directory = tempfile::tempdir().expect("a directory");
    let text = "[store]\npath = \"store\"\n[settlement]\n[[settlement.statement]]\nname = \"acquirer\"\n\
        profile = \"adyen-settlement-detail\"\nmerchants = [\"ExampleShopPOS\"]\nshops = [\"shop-1\"]\n\
        [[settlement.statement]]\nname = \"bank\"\nprofile = \"mt940\"\nbank = true\n\
        [[shop]]\nname = \"shop-1\"\ntime_zone = \"+01:00\"\n";
    let config =
        Config::parse(&directory.path().join("collector.toml"), text).expect("sound settings");
    let mut desk = Desk::open(&config).expect("a store");
    let mut import = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        std::fs::write(&path, bytes).expect("room on the disk");
        let reports = desk.import(&path, None, NOW, &mut |_| {}).expect("the store works");
        assert_eq!(reports[0].outcome, "loaded", "{:?}", reports[0].lines());
    };
    let acquirers = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/settlement/profiles/adyen-settlement-detail.csv");
    import("settlement.csv", &std::fs::read(acquirers).expect("a fixture"));
    for (at, bank) in banks.iter().enumerate() {
        import(&format!("bank-{at}.sta"), bank);
    }
    desk.review(NOW).expect("the store works");
    let path = directory.path().join("store").join("collector.sqlite");
    let open = SqliteStore::open_reader(&path).and_then(|reader| reader.open_findings());
    let told: Vec<String> = open
        .expect("a store")
        .iter()
        .filter(|open| open.view.finding.id.kind == FindingKind::PayoutMismatch)
        .map(|open| {
            let detail = open.detail.clone().unwrap_or_default();
            let minor = |minor: Option<i64>| minor.unwrap_or_default();
            format!("{}/{}", minor(detail.expected_minor), minor(detail.amount_minor))
        })
        .collect();
    assert_eq!(told, expected);
}

#[test]
fn a_payout_that_the_bank_does_not_know_is_told_until_it_is_booked() {
    // Silence is not absence: the bank's file is not there.
    check(&[], &[]);
    check(&[statement(&[])], &["8885/0"]);
    let short = ("2511241124C80,00NTRFTX73", "TX2200XT batch 73");
    check(&[statement(&[short])], &["8885/8000"]);
    let whole = ("2511241124C88,85NTRFTX73", "TX2200XT batch 73");
    check(&[statement(&[whole])], &[]);
    check(&[statement(&[short]), statement(&[whole])], &[]);
}
