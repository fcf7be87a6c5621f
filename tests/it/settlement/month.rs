//! A month of 200 shops with every money fault planted: imported day by day beside the collector that heard the tills,
//! it must come out with all planted cases and none else.

use slipwatch_collector::collector::{Collector, Input, Settings};
use slipwatch_collector::config::Config;
use slipwatch_collector::correlate::finding::{FindingKind, Stage, Subject};
use slipwatch_collector::edge::store::settlement::NewsOf;
use slipwatch_collector::edge::store::sqlite::SqliteStore;
use slipwatch_collector::edge::store::{OpenFinding, Reader, Store};
use slipwatch_collector::run::settlement::Desk;
use slipwatch_collector::settlement::report::Outcome;
use slipwatch_shared::times::ArrivalTime;
use slipwatch_tests::month::{Month, RATE_SHOP};
use std::collections::BTreeSet;
use std::path::PathBuf;

const SHOPS: usize = 200;
const HOUR_MS: i64 = 3_600_000;
/// Its agent is cut off on some days.
const LATE_SHOP: usize = 50;

/// A chain of shops, the collector that hears it, and the desk beside it.
pub(super) struct Chain {
    pub(super) month: Month,
    directory: tempfile::TempDir,
    store: SqliteStore,
    collector: Collector,
    pub(super) desk: Desk,
}

impl Chain {
    pub(super) fn new(seed: u64, shops: usize) -> Chain {
        let month = Month::new(seed, shops);
        let directory = tempfile::tempdir().expect("a directory");
        let text = month.settings(&directory.path().join("store").display().to_string());
        let config =
            Config::parse(&directory.path().join("collector.toml"), &text).expect("sound settings");
        let desk = Desk::open(&config).expect("a store");
        let path = directory.path().join("store").join("collector.sqlite");
        let mut store = SqliteStore::open(&path).expect("the same store");
        let settings = Settings { policies: config.policies(), letters: config.letters() };
        let collector = Collector::restore(settings, store.load().expect("an empty store"));
        Chain { month, directory, store, collector, desk }
    }

    fn commit(&mut self, now: ArrivalTime) {
        if let Some(commit) = self.collector.take_commit(now) {
            self.store.commit(&commit).expect("room on the disk");
        }
    }

    pub(super) fn hear(&mut self, day: i64, shops: impl Iterator<Item = usize>, now: ArrivalTime) {
        for shop in shops {
            let (topic, payload) = self.month.batch(day, shop);
            let input = Input::Batch { topic: &topic, payload: &payload };
            self.collector.handle(now, input, &mut self.store);
        }
        self.commit(now);
    }

    /// As the collector does each second.
    fn take_news(&mut self, now: ArrivalTime) {
        loop {
            let news = self.store.news(256).expect("news");
            if news.is_empty() {
                return;
            }
            for item in &news {
                let number = item.number;
                let input = match &item.what {
                    NewsOf::Finding(change) => Input::FoundInStatement { number, change },
                    NewsOf::Settled(case) => Input::Settled { number, case: Some(case) },
                    NewsOf::Gone => Input::Settled { number, case: None },
                };
                self.collector.handle(now, input, &mut self.store);
            }
            self.commit(now);
        }
    }

    /// The store, as another program may open it.
    pub(super) fn connection(&self) -> rusqlite::Connection {
        let path = self.directory.path().join("store").join("collector.sqlite");
        rusqlite::Connection::open(path).expect("the same store")
    }

    pub(super) fn import(&mut self, day: i64, corrected: bool, now: ArrivalTime) {
        let Some(text) = self.month.file(day, corrected) else { return };
        let path = self.write(&format!("detail-{}.csv", self.month.date(day)), &text);
        let reports = self.desk.import(&path, None, now, &mut |_| {}).expect("the store takes it");
        assert_eq!(reports.len(), 1);
        assert_eq!(reports[0].outcome, Outcome::Loaded, "{:?}", reports[0]);
        assert_eq!(reports[0].revision, Some(if corrected { 2 } else { 1 }));
        if day % 10 == 0 {
            let again =
                self.desk.import(&path, None, now, &mut |_| {}).expect("the store takes it");
            assert_eq!(again[0].outcome, Outcome::Known, "the same file twice changes nothing");
        }
    }

    pub(super) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).expect("room on the disk");
        path
    }

    pub(super) fn open_findings(&self) -> Vec<OpenFinding> {
        let path = self.directory.path().join("store").join("collector.sqlite");
        SqliteStore::open_reader(&path).and_then(|reader| reader.open_findings()).expect("a store")
    }

    fn names(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let path = self.directory.path().join("store").join("collector.sqlite");
        let mut reader = SqliteStore::open_reader(&path).expect("a store");
        let (mut of_money, mut confirmed) = (BTreeSet::new(), BTreeSet::new());
        for open in self.open_findings() {
            let name = named(&mut reader, &open);
            let told_live = matches!(
                open.view.finding.id.kind,
                FindingKind::NoReceiptDebit | FindingKind::TimeoutDebitLostReversal
            );
            match told_live {
                false => drop(of_money.insert(name)),
                true if open.view.finding.stage == Stage::Confirmed => drop(confirmed.insert(name)),
                true => panic!("{name} is in a file and not confirmed"),
            }
        }
        (of_money, confirmed)
    }
}

/// As the truth calls it: the code, the place, and a number.
fn named(reader: &mut dyn Reader, open: &OpenFinding) -> String {
    let finding = &open.view.finding;
    let code = finding.id.kind.code();
    let detail = open.detail.clone().unwrap_or_default();
    let shop = finding.id.subject.store().map_or("", |store| store.as_str());
    match (&finding.id.subject, finding.id.kind) {
        (Subject::Case(id), _) => {
            let file = reader.case(id).expect("a store").expect("the payment");
            let terminal =
                file.view.terminal.map_or_else(String::new, |terminal| terminal.to_string());
            let stan = file.view.case.keys.stan.map_or_else(String::new, |stan| stan.to_string());
            format!("{code} {terminal} {stan}")
        }
        (_, FindingKind::UnexplainedDeduction) => {
            let word = detail.word.split(' ').next().unwrap_or_default().to_owned();
            format!("{code} {word} {}", detail.amount_minor.unwrap_or_default())
        }
        (_, FindingKind::FeeMismatch) => {
            format!("{code} {shop} {}", detail.period)
        }
        (_, FindingKind::RateChanged) => format!("{code} {shop}"),
        (Subject::Statement(statement), _) => {
            format!("{code} {} {}", statement.source, statement.part)
        }
        _ => format!(
            "{code} {} {}",
            detail.terminal.unwrap_or_default(),
            detail.stan.unwrap_or_default()
        ),
    }
}

#[test]
fn a_month_of_two_hundred_shops_comes_out_with_all_planted_faults_and_none_else() {
    let mut chain = Chain::new(7, SHOPS);
    let days = chain.month.days;
    for day in 0..days {
        let night = ArrivalTime(chain.month.utc_ms((day + 1) * 86_400 + 60));
        // One shop's spool is late now and then: what its terminal made must not be taken for phantoms.
        let is_late = day % 5 == 3;
        if day % 5 == 4 {
            chain.hear(day - 1, LATE_SHOP..=LATE_SHOP, night);
        }
        chain.hear(day, (0..SHOPS).filter(|shop| *shop != LATE_SHOP || !is_late), night);
        let morning = ArrivalTime(night.0 + 10 * HOUR_MS);
        chain.import(day, false, morning);
        if day == Month::corrected_day() {
            chain.import(day, true, ArrivalTime(morning.0 + HOUR_MS));
        }
        chain.desk.review(ArrivalTime(morning.0 + 2 * HOUR_MS)).expect("a store");
        chain.take_news(ArrivalTime(morning.0 + 2 * HOUR_MS));
    }
    // Two quiet days, so that everything that waits falls due.
    for day in days..days + 2 {
        let noon = ArrivalTime(chain.month.utc_ms((day + 1) * 86_400 + 43_200));
        chain.desk.review(noon).expect("a store");
        chain.take_news(noon);
    }
    let (found, confirmed) = chain.names();
    let mut due = chain.month.truth.clone();
    due.insert(format!("A13 shop-{RATE_SHOP}"));
    // The days behind the month have no file either.
    let behind = |name: &String| {
        name.strip_prefix("A24 acquirer ")
            .is_some_and(|day| day >= chain.month.date(days).to_string().as_str())
    };
    let found: BTreeSet<String> = found.into_iter().filter(|name| !behind(name)).collect();
    let missed: Vec<&String> = due.difference(&found).collect();
    let beyond: Vec<&String> = found.difference(&due).collect();
    assert!(missed.is_empty() && beyond.is_empty(), "missed {missed:?}\nbeyond {beyond:?}");
    assert_eq!(confirmed, chain.month.confirmed);
}

#[test]
fn a_row_that_no_terminal_made_is_told_though_the_store_failed_when_it_was_found() {
    let shops = 20;
    let mut chain = Chain::new(7, shops);
    let mut now = ArrivalTime(0);
    for day in 0..5 {
        now = ArrivalTime(chain.month.utc_ms((day + 1) * 86_400 + 60));
        chain.hear(day, 0..shops, now);
        chain.import(day, false, ArrivalTime(now.0 + 10 * HOUR_MS));
    }
    let noon = ArrivalTime(now.0 + 12 * HOUR_MS);
    let connection = chain.connection();
    let fails = "CREATE TRIGGER fails BEFORE INSERT ON findings WHEN NEW.kind = 'A06'
                 BEGIN SELECT RAISE(ABORT, 'no'); END";
    connection.execute_batch(fails).expect("the schema");
    chain.desk.review(noon).expect_err("the store fails");
    connection.execute_batch("DROP TRIGGER fails").expect("the schema");
    chain.desk.review(noon).expect("a store");
    let told = chain.open_findings().into_iter();
    let told = told.filter(|open| open.view.finding.id.kind == FindingKind::PhantomSettlement);
    let numbers: Vec<Option<String>> =
        told.map(|open| open.detail.and_then(|it| it.stan)).collect();
    // That of the third day; the fifth day's file came too lately.
    assert_eq!(numbers, [Some("900002".to_owned())]);
}
