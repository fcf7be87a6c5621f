//! A recording, and the journal of a store, judged again: the same answers as live, and under other settings the answers
//! that a live collector would have given under them.

use indicatif::ProgressBar;
use slipwatch_collector::collector::{Collector, Input, Settings};
use slipwatch_collector::command::replay::difference;
use slipwatch_collector::command::replay::judging::Judging;
use slipwatch_collector::command::replay::reading::Reading;
use slipwatch_collector::commit::Snapshot;
use slipwatch_collector::correlate::case::{Case, CaseId};
use slipwatch_collector::correlate::policy::Policies;
use slipwatch_collector::edge::store::Store;
use slipwatch_collector::edge::store::sqlite::SqliteStore;
use slipwatch_shared::times::ArrivalTime;
use slipwatch_shared::wire::topic::{Channel, Topic};
use slipwatch_tests::fleet::FleetSettings;
use slipwatch_tests::fleet::road::{self, Said};
use slipwatch_tests::fleet::stream::Fleet;
use slipwatch_tests::store::MemoryStore;
use std::collections::BTreeMap;
use std::path::Path;

fn fleet(seed: u64) -> Said {
    let settings = FleetSettings { mishaps: true, ..FleetSettings::troubled(6, seed) };
    Said::of(Fleet::new(settings))
}

fn cases(store: &MemoryStore) -> BTreeMap<CaseId, Case> {
    store.transactions.iter().map(|(id, row)| (id.clone(), row.case.clone())).collect()
}

fn replayed(policies: Policies, recording: &Path) -> BTreeMap<CaseId, Case> {
    let mut judging = Judging::new(Some(policies)).expect("a place for what came to rest");
    let mut reading = Reading::default();
    let mut hand = |mut parcel| {
        judging.parcel(&mut parcel);
        Some(parcel)
    };
    reading.file(recording, &ProgressBar::hidden(), &mut hand).expect("a file");
    reading.hand_over(&mut hand);
    assert_eq!(reading.wrong, 0, "every line was read");
    let mut found = BTreeMap::new();
    for agent in judging.finish() {
        let rows = judging.payments(agent).expect("what was put by");
        found.extend(rows.into_iter().map(|row| (row.id, row.case)));
    }
    found
}

#[test]
fn a_recording_comes_to_what_was_said_live() {
    for seed in 1..=4 {
        let said = fleet(seed);
        let live = road::straight(&said, 200, |_| false);
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), said.recording()).expect("room for it");
        let again = replayed(said.settings.policies.clone(), file.path());
        let live = cases(&live.store);
        let differ = live.iter().find(|(id, case)| again.get(*id) != Some(*case));
        assert_eq!(differ.map(|(id, case)| (case, again.get(id))), None, "seed {seed}");
        assert_eq!(live.len(), again.len(), "seed {seed}");
    }
}

/// A store as a collector leaves it that heard these batches.
fn stored(directory: &Path, settings: &Settings, frames: &MemoryStore) {
    let mut store = SqliteStore::open(&directory.join("collector.sqlite")).expect("a store");
    let mut collector = Collector::restore(settings.clone(), Snapshot::default());
    for (place, (agent, frame)) in frames.frames.iter().enumerate() {
        let topic = Topic::new(&agent.store, &agent.agent, Channel::Batch);
        let now = ArrivalTime(1_795_500_000_000 + place as i64);
        collector.handle(now, Input::Batch { topic: &topic, payload: frame }, &mut store);
        if place % 16 == 0 || place + 1 == frames.frames.len() {
            let commit = collector.take_commit(now).expect("something was admitted");
            store.commit(&commit).expect("a disk with room");
        }
    }
}

fn told(directory: &Path, policies: Policies) -> Vec<serde_json::Value> {
    let mut out = Vec::new();
    let unread = difference::tell(directory, Some(policies), true, &mut out).expect("a store");
    assert_eq!(unread, 0, "every batch was opened");
    let lines = String::from_utf8(out).expect("text");
    lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn a_journal_judged_again_says_what_was_said_and_under_other_settings_what_they_would_say() {
    let said = fleet(9);
    let live = road::straight(&said, 60, |_| false);
    let directory = tempfile::tempdir().expect("a directory");
    stored(directory.path(), &said.settings, &live.store);
    let same = told(directory.path(), said.settings.policies.clone());
    assert_eq!(same.len(), 1, "nothing differs: {same:?}");
    assert_eq!(same[0]["same"].as_u64(), Some(live.store.transactions.len() as u64));

    // The shop's copy is enough, and ten seconds are late.
    let mut other = said.clone();
    other.settings.policies.deadlines.slip_alert_ms = 10_000;
    other.settings.policies.terminals.values_mut().for_each(|policy| policy.copies = 1);
    let would = road::straight(&other, 60, |_| false);
    let verdicts = |store: &MemoryStore| -> BTreeMap<String, String> {
        let word = |case: &Case| case.verdict.label().to_owned();
        cases(store).iter().map(|(id, case)| (id.to_string(), word(case))).collect()
    };
    let (was, would) = (verdicts(&live.store), verdicts(&would.store));
    let mut again = was.clone();
    let lines = told(directory.path(), other.settings.policies);
    let (sum, lines) = lines.split_last().expect("a sum");
    for line in lines {
        let case = line["case"].as_str().expect("a name");
        assert_eq!(line["was"]["verdict"].as_str(), was.get(case).map(String::as_str), "{line}");
        again
            .insert(case.to_owned(), line["is"]["verdict"].as_str().expect("a verdict").to_owned());
    }
    assert_eq!(again, would);
    assert_ne!(was, would, "the other settings say something else");
    assert_eq!(sum["differ"].as_u64(), Some(lines.len() as u64));
}
