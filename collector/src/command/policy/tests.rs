//! From a terminal of which nobody said who prints, over what is learned and tried, to a policy in force.

use super::*;
use crate::collector::{Collector, Input, Settings};
use crate::commit::Snapshot;
use crate::correlate::tests::{Speaker, WALL_MS, agent_name};
use crate::edge::store::Store;
use slipwatch_shared::event::{Epoch, Event};
use slipwatch_shared::times::ArrivalTime;
use slipwatch_shared::wire::envelope::{ClockState, EventBatch, Group};
use slipwatch_shared::wire::topic::{Channel, Topic};
use std::path::PathBuf;

const SETTINGS: &str = "store.path = \"store\"\n[[shop]]\nname = \"shop-1\"\nagents = [\"till-1\"]\n\
     [[shop.terminal]]\nnumber = \"T1\"\n";

/// A store of what a terminal said, and the settings beside it.
struct House {
    directory: tempfile::TempDir,
}

impl House {
    fn new(payments: u32) -> House {
        let directory = tempfile::tempdir().expect("a directory");
        let house = House { directory };
        std::fs::write(house.settings(), SETTINGS).expect("the settings are written");
        std::fs::create_dir(house.directory.path().join("store")).expect("it is made");
        let path = house.directory.path().join("store").join(STORE_FILE);
        let mut store = SqliteStore::open(&path).expect("a store");
        let settings = Settings { policies: house.config().policies(), ..Settings::default() };
        let mut collector = Collector::restore(settings, Snapshot::default());
        let now = ArrivalTime(WALL_MS);
        for stretch in Speaker::new("T1").speak(&script(payments)).chunks(50) {
            let name = agent_name("till-1");
            let topic = Topic::new(&name.store, &name.agent, Channel::Batch);
            let payload = frame_of(stretch);
            collector.handle(now, Input::Batch { topic: &topic, payload: &payload }, &mut store);
            let commit = collector.take_commit(now).expect("something happened");
            store.commit(&commit).expect("the store takes it");
        }
        house
    }

    fn settings(&self) -> PathBuf {
        self.directory.path().join("collector.toml")
    }

    fn config(&self) -> Config {
        Config::load(&self.settings()).expect("the settings are sound")
    }

    fn show(&self, as_json: bool) -> String {
        let mut out = Vec::new();
        show(&self.config(), None, None, as_json, &mut out).expect("it is shown");
        String::from_utf8(out).expect("text")
    }

    fn confirm(&self, yes: bool) -> Result<String, PolicyError> {
        let (store, terminal) = ("shop-1".parse().expect("a shop"), "T1".parse().expect("one"));
        let mut out = Vec::new();
        let name = TerminalName { store, terminal };
        confirm(&self.config(), name, yes, false, &mut out)?;
        Ok(String::from_utf8(out).expect("text"))
    }
}

/// Payments with both copies, but for those below ten yuan, and for the thirtieth.
fn script(payments: u32) -> String {
    let payment = |n: u32| {
        let (at, yuan) = (n * 20, n % 20 + 1);
        let slips = match n {
            30 => String::new(),
            _ if yuan < 10 => String::new(),
            _ => format!("{at}.7 slip n={n} copy=m; {at}.9 slip n={n} copy=c"),
        };
        format!("{at} ask n={n} yuan={yuan}; {at}.5 ok n={n}; {slips}")
    };
    let payments: Vec<String> = (1..=payments).map(payment).collect();
    format!("0 open; {}; 9000 pulse", payments.join("; "))
}

fn frame_of(events: &[Event]) -> Vec<u8> {
    let name = agent_name("till-1");
    let clock = ClockState { wall_offset_ms: WALL_MS, synchronised: true };
    let mut group = Group::begin(events[0].observed.boot, clock, events[0].seq);
    events.iter().for_each(|event| group.push(event));
    EventBatch::pack(&name.store, &name.agent, Epoch(1), false, &[group]).0
}

#[test]
fn what_was_learned_is_shown_tried_and_in_force_only_when_confirmed() {
    let house = House::new(100);
    let shown = house.show(false);
    assert!(shown.contains("shop-1 T1: proposed, from 100 debits, of which 99 % fit"), "{shown}");
    assert!(
        shown.contains(
            "who_prints = \"till_from_terminal_text\", copies = 2, slip due from CNY 10.00"
        ),
        "{shown}"
    );
    let tried = house.confirm(false).expect("it is tried");
    assert!(tried.contains("100 debits: printed 54, not_expected 45, no_slip 1"), "{tried}");
    assert!(tried.contains("000030  CNY 11.00"), "{tried}");
    assert!(tried.contains("Nothing was written"), "{tried}");
    let of = |config: Config| config.policies().terminals.into_values().next().expect("one");
    assert_eq!(of(house.config()).who_prints, WhoPrints::Unsaid);
    assert!(house.confirm(true).expect("it is written").contains("confirmed.toml"));
    let policy = of(house.config());
    assert_eq!((policy.who_prints, policy.copies), (WhoPrints::TillFromTerminalText, 2));
    assert_eq!(policy.slip_due_from.map(|amount| amount.minor), Some(1000));
    assert!(house.show(false).contains("learned from 100 debits"), "{}", house.show(false));
    let line: Value = serde_json::from_str(&house.show(true)).expect("one line of JSON");
    assert_eq!(line["state"], "confirmed");
    assert_eq!(line["policy"]["slip_due_from"], "CNY 10.00");
}

#[test]
fn little_was_heard_and_nothing_is_proposed() {
    let house = House::new(5);
    assert!(house.show(false).contains("not judged; only 5 debits"), "{}", house.show(false));
    assert!(matches!(house.confirm(true), Err(PolicyError::TooEarly { .. })));
    assert!(!confirmed::path_beside(&house.settings()).exists());
}

#[test]
fn what_the_settings_say_goes_before_what_was_learned() {
    let house = House::new(100);
    house.confirm(true).expect("it is written");
    let said = format!("{SETTINGS}who_prints = \"none\"\n");
    std::fs::write(house.settings(), said).expect("the settings are written");
    let policies = house.config().policies();
    assert!(policies.terminals.values().all(|policy| policy.who_prints == WhoPrints::None));
    assert!(house.show(false).contains("by the settings"), "{}", house.show(false));
    std::fs::remove_file(confirmed::path_beside(&house.settings())).expect("it was there");
    assert!(matches!(house.confirm(true), Err(PolicyError::Said { .. })));
}
