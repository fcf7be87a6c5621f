//! A scene in the words of a till's own log: what each line says, second by second, read by the shipped profile, sent
//! over the lossy road, judged and stored. The stories of `terminal.rs` tell single payments; this tells a day.

use slipwatch_collector::alert::language::Language;
use slipwatch_collector::alert::policy::ShopLetters;
use slipwatch_collector::correlate::finding::{Finding, Subject};
use slipwatch_collector::correlate::policy::{TerminalPolicy, Thresholds};
use slipwatch_tests::voice::{Voice, key_value};
use slipwatch_tests::world::World;
use slipwatch_tests::world::agent_node::WALL_MS_AT_START;
use slipwatch_tests::world::proof::prove;
use slipwatch_tests::world::recipe::{Recipe, Till};

/// A world of these shops, each with one till that writes `kv-en` lines.
pub struct Day {
    recipe: Recipe,
}

impl Day {
    /// Shops that say nothing yet.
    pub fn of_shops(count: usize) -> Day {
        let till = || vec![Till { voice: Voice::KeyValue, two_lines: false, stories: Vec::new() }];
        let shops: Vec<Vec<Till>> = (0..count).map(|_| till()).collect();
        Day { recipe: Recipe::of_shops(&shops) }
    }

    /// One shop that says these lines, each `second evt=… key=value …`.
    pub fn of(script: &str) -> Day {
        Day::of_shops(1).says(0, script)
    }

    /// A shop says these lines.
    pub fn says(mut self, shop: usize, script: &str) -> Day {
        let number = format!("T{:03}0001", shop + 1);
        for step in script.lines().map(str::trim).filter(|step| !step.is_empty()) {
            let (second, said) = step.split_once(' ').expect("a second and a word");
            let second: f64 = second.parse().expect("a second");
            let at = (second * 1000.0) as i64;
            // A device that is set otherwise says so: `clock=-120`, in seconds.
            let off = said.split("clock=").nth(1).and_then(|rest| rest.split(' ').next());
            let off: i64 = off.map_or(0, |off| off.parse().expect("seconds"));
            let line = key_value::plain_line(said, &number, WALL_MS_AT_START + at + off * 1000);
            self.recipe.writing.push((at, shop, 0, line.into_bytes()));
        }
        self
    }

    /// Thresholds of all.
    pub fn with(mut self, change: impl Fn(&mut Thresholds)) -> Day {
        change(&mut self.recipe.collector.policies.thresholds);
        self
    }

    /// What each till is judged by.
    pub fn judged_by(mut self, change: impl Fn(&mut TerminalPolicy)) -> Day {
        self.recipe.collector.policies.terminals.values_mut().for_each(change);
        self
    }

    /// Letters are written.
    pub fn with_letters(mut self) -> Day {
        let shops = self.recipe.collector.policies.agents.iter().map(|name| {
            let letters = ShopLetters {
                title: name.store.to_string(),
                language: Language::English,
                recipients: vec!["owner@example.com".to_owned()],
                time_zone: jiff::tz::TimeZone::UTC,
                terminals: Default::default(),
            };
            (name.store.clone(), letters)
        });
        self.recipe.collector.letters.shops = shops.collect();
        self
    }

    /// Plays the day to its end.
    #[track_caller]
    pub fn play(self) -> World {
        let settings = self.recipe.collector.clone();
        let mut world = World::new(self.recipe);
        assert!(world.run(), "the world came to rest");
        let proof = prove(&world, &settings);
        assert!(proof.wrong.is_empty(), "{}", proof.wrong.join("\n"));
        world
    }

    /// What is said in the end: payments by their traces, then terminals and acquirers.
    #[track_caller]
    pub fn check(self, expected: &[&str]) {
        assert_eq!(said(&self.play()), expected);
    }
}

/// `000001 printed, A02 grew`, then `T0010001 A17 paper_out`, in the order of names.
pub fn said(world: &World) -> Vec<String> {
    let store = &world.collector.store;
    let told = |finding: &Finding| {
        let code = finding.id.kind.code();
        let parent = finding.parent.as_ref().map(|parent| format!("<{}", parent.kind.code()));
        let how = finding.resolved.map_or(finding.stage.label(), |how| how.label());
        format!("{code}{} {how}", parent.unwrap_or_default())
    };
    let mut said: Vec<String> = Vec::new();
    for row in store.transactions.values() {
        let stan = row.case.keys.stan.map(|stan| stan.to_string());
        let order = row.case.keys.order_number.as_deref().map(ToString::to_string);
        let name = stan.or(order).unwrap_or_default();
        let verdict = store.said[&row.id].last().cloned().unwrap_or_default();
        let of = |finding: &&Finding| finding.id.subject == Subject::Case(row.id.clone());
        let findings = store.findings.values().filter(of).map(told);
        said.push(
            [format!("{name} {verdict}")]
                .into_iter()
                .chain(findings)
                .collect::<Vec<_>>()
                .join(", "),
        );
    }
    for finding in store.findings.values() {
        let whom = match &finding.id.subject {
            Subject::Case(_) | Subject::Agent(_) => continue,
            Subject::Terminal(name) => name.terminal.to_string(),
            Subject::Route(acquirer) => format!("acquirer {acquirer}"),
            Subject::Row(row) => format!("row of {}", row.source),
            Subject::Statement(statement) => format!("statement of {}", statement.source),
            Subject::Complaint(complaint) => format!("complaint {}", complaint.number),
        };
        said.push(format!("{whom} {} {}", told(finding), finding.cause.detail.label()));
    }
    said
}

/// A sale that goes through, with both slips; `more` stands in its request and answer.
pub fn sale(second: i64, stan: u32, yuan: i64, more: &str) -> String {
    format!(
        "{}{second}.7 print_done copy=merchant stan={stan:06} amt={yuan}00\n\
         {second}.9 print_done copy=customer stan={stan:06} amt={yuan}00\n",
        debit(second, stan, yuan, more)
    )
}

/// A debit of which no slip is told.
pub fn debit(second: i64, stan: u32, yuan: i64, more: &str) -> String {
    format!(
        "{second} auth_request kind=SALE amt={yuan}00 cur=CNY stan={stan:06} batch=000001 {more}\n\
         {second}.4 auth_response kind=SALE amt={yuan}00 cur=CNY stan={stan:06} batch=000001 rc=00 {more}\n"
    )
}

/// A request that is never answered.
pub fn unanswered(second: i64, stan: u32, yuan: i64, more: &str) -> String {
    format!(
        "{second} auth_request kind=SALE amt={yuan}00 cur=CNY stan={stan:06} batch=000001 {more}\n\
         {}.2 auth_timeout kind=SALE amt={yuan}00 cur=CNY stan={stan:06} batch=000001 {more}\n",
        second + 30
    )
}
