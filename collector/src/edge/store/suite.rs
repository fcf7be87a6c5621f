//! What every store must hold, written against the traits alone.

use super::{CaseQuery, OutboxMark, Store};
use crate::admit::Admission;
use crate::alert::outbox::{OutboxRow, Road};
use crate::collector::{Collector, Input, Settings};
use crate::commit::{AgentRow, Commit, JournalBatch, Presence, Snapshot};
use crate::correlate::case::CaseId;
use crate::correlate::tests::{Speaker, WALL_MS, agent_name, policies, said};
use crate::edge::store::memory::MemoryStore;
use slipwatch_shared::event::{Epoch, Event, Keys, Seq};
use slipwatch_shared::money::{Amount, Currency};
use slipwatch_shared::times::{ArrivalTime, EventTime};
use slipwatch_shared::wire::envelope::{ClockState, EventBatch, Group};
use slipwatch_shared::wire::topic::{Channel, Topic};

/// Where a store lies, so that it can be opened again.
pub trait Place {
    fn open(&self) -> Box<dyn Store>;
}

const NOW: ArrivalTime = ArrivalTime(WALL_MS);

const DAY: &str = "0 open; 10 ask n=1 yuan=88 card=6691; 12 ok n=1 rrn=100000000001; 14 fail n=1;
    60 ask n=2 yuan=88 card=6691; 61 ok n=2; 62 slip n=2 copy=m; 65 slip n=2 copy=c; 200 pulse;
    320 pulse; 400 pulse; 500 ask n=4 yuan=7 order=A-17; 501 ok n=4; 502 slip n=4; 900 pulse; 3000 pulse;
    5000 slip n=1 copy=c reprint; 5010 void n=9 of=2 yuan=88; 5100 pulse; 6000 pulse";

fn frame_of(events: &[Event]) -> Vec<u8> {
    let name = agent_name("till-1");
    let clock = ClockState { wall_offset_ms: WALL_MS, synchronised: true };
    let mut group = Group::begin(events[0].observed.boot, clock, events[0].seq);
    events.iter().for_each(|event| group.push(event));
    EventBatch::pack(&name.store, &name.agent, Epoch(1), false, &[group]).0
}

fn settings() -> Settings {
    Settings { policies: policies(), ..Settings::default() }
}

fn topic() -> Topic {
    let name = agent_name("till-1");
    Topic::new(&name.store, &name.agent, Channel::Batch)
}

/// A day in commits of four events, by a collector that is never stopped.
pub fn day_in_commits() -> (Commit, Vec<Commit>) {
    let mut commits = in_commits(DAY);
    let rest = commits.split_off(1);
    (commits.remove(0), rest)
}

/// What one terminal says, in commits of four events.
pub fn in_commits(script: &str) -> Vec<Commit> {
    let mut store = MemoryStore::default();
    let mut collector = Collector::restore(settings(), Snapshot::default());
    let mut commits: Vec<Commit> = Vec::new();
    for stretch in Speaker::new("T1").speak(script).chunks(4) {
        let (topic, payload) = (topic(), frame_of(stretch));
        let input = Input::Batch { topic: &topic, payload: &payload };
        collector.handle(NOW, input, &mut store);
        let commit = collector.take_commit(NOW).expect("a commit");
        store.commit(&commit);
        commits.push(commit);
    }
    commits
}

fn filled(place: &dyn Place) -> Box<dyn Store> {
    let mut store = place.open();
    let (first, rest) = day_in_commits();
    for commit in std::iter::once(&first).chain(&rest) {
        store.commit(commit).expect("a commit");
    }
    store
}

fn verdicts(store: &dyn Store) -> Vec<String> {
    let mut reader = store.reader().expect("a reader");
    let mut cases = reader.cases(&CaseQuery::default()).expect("payments");
    cases.sort_by(|left, right| left.id.cmp(&right.id));
    cases.iter().map(|view| said(&view.case)).collect()
}

const SAID: [&str; 4] =
    ["1 printed_late (A02) (A01)", "2 printed (A09)", "4 printed", "9 not_expected not_a_debit"];

pub fn what_is_committed_is_there_after_opening_again(place: &dyn Place) {
    let before = filled(place).load().expect("a snapshot");
    let mut store = place.open();
    let snapshot = store.load().expect("a snapshot");
    assert_eq!(snapshot, before);
    assert_eq!(snapshot.agents.len(), 1);
    assert_eq!(snapshot.agents[0].admission.epoch, Epoch(1));
    assert_eq!(verdicts(store.as_ref()), SAID);
}

pub fn a_collector_over_it_may_be_stopped_between_any_two_commits(place: &dyn Place) {
    for stretch in Speaker::new("T1").speak(DAY).chunks(3) {
        let mut store = place.open();
        let snapshot = store.load().expect("a snapshot");
        let mut collector = Collector::restore(settings(), snapshot);
        let (topic, payload) = (topic(), frame_of(stretch));
        let input = Input::Batch { topic: &topic, payload: &payload };
        collector.handle(NOW, input, store.as_mut());
        store.commit(&collector.take_commit(NOW).expect("a commit")).expect("a commit");
    }
    assert_eq!(verdicts(place.open().as_ref()), SAID);
}

pub fn payments_are_brought_back_by_each_of_their_numbers(place: &dyn Place) {
    let mut store = filled(place);
    let name = agent_name("till-1");
    let terminal = "T1".parse().ok();
    let mut found = |keys: Keys| -> Vec<u64> {
        let rows = store.by_keys(&name.store, terminal, &keys);
        rows.iter().map(|row| row.id.first.seq.0).collect()
    };
    assert_eq!(found(Keys { stan: "000001".parse().ok(), ..Keys::default() }), [3]);
    assert_eq!(found(Keys { rrn: "100000000001".parse().ok(), ..Keys::default() }), [3]);
    let order = "A-17".parse().ok().map(Box::new);
    assert_eq!(found(Keys { order_number: order, ..Keys::default() }).len(), 1);
    assert_eq!(found(Keys { stan: "000077".parse().ok(), ..Keys::default() }), [0; 0]);
    let snapshot = store.load().expect("a snapshot");
    let opened = snapshot.open.iter().map(|row| row.case.opened).min().expect("payments");
    let amount = Amount::new(8_800, Currency::CNY);
    let of_card = store.by_card(&name.store, amount, 6691, opened, opened.plus_ms(600_000));
    assert_eq!(of_card.len(), 2);
    let id = of_card[0].id.clone();
    assert_eq!(store.by_id(&id).map(|row| row.id), Some(id.clone()));
    let unknown = CaseId { agent: agent_name("till-2"), ..id };
    assert_eq!(store.by_id(&unknown), None);
}

pub fn pages_see_the_day_and_one_payment_with_its_events(place: &dyn Place) {
    let store = filled(place);
    let mut reader = store.reader().expect("a reader");
    let open = CaseQuery { only_with_findings: true, ..CaseQuery::default() };
    assert_eq!(reader.cases(&open).expect("payments").len(), 0, "all findings ended");
    let late = CaseQuery { since: Some(EventTime(WALL_MS + 400_000)), ..CaseQuery::default() };
    assert_eq!(reader.cases(&late).expect("payments").len(), 2);
    let first = reader.cases(&CaseQuery::default()).expect("payments").pop().expect("the oldest");
    let file = reader.case(&first.id).expect("a file").expect("it is there");
    let numbers: Vec<u64> = file.events.iter().map(|(_, event)| event.seq.0).collect();
    let mut facts: Vec<u64> = first.case.facts.iter().map(|fact| fact.event.seq.0).collect();
    facts.sort_unstable();
    assert_eq!(numbers, facts, "each event that it rests on, once");
    let codes: Vec<&str> = file.findings.iter().map(|view| view.finding.id.kind.code()).collect();
    assert_eq!(codes, ["A01", "A02"]);
    let paid = Some(first.case.wall(first.case.opened));
    assert!(file.findings.iter().all(|view| view.paid == paid), "{:?}", file.findings);
    assert_eq!(file.actions.len(), 4, "two raised, two resolved: {:?}", file.actions);
    let agents = reader.agents().expect("agents");
    assert_eq!(agents.len(), 1);
    assert_eq!((agents[0].presence, agents[0].sources.len()), (Presence::Online, 2));
    let name = agent_name("till-1");
    let all = reader.journal(&name, Epoch(1), Seq(3), agents[0].through).expect("the journal");
    let numbers: Vec<u64> = all.iter().map(|event| event.seq.0).collect();
    assert_eq!(numbers, (3..=agents[0].through.0).collect::<Vec<u64>>());
    assert!(reader.findings(NOW, true, 10).expect("findings").is_empty());
    assert_eq!(reader.findings(NOW, false, 10).expect("findings").len(), 3);
}

fn letter(number: u32) -> OutboxRow {
    OutboxRow {
        message_id: format!("{number}@slipwatch"),
        in_reply_to: (number > 1).then(|| "1@slipwatch".to_owned()),
        road: Road::Mail,
        recipient: "shop@example.org".to_owned(),
        subject: "一笔交易没有签购单".to_owned(),
        text: "…".to_owned(),
        html: None,
        created: NOW,
        not_before: ArrivalTime(NOW.0 + i64::from(number)),
        findings: vec!["A01:a".to_owned(), "A02:a".to_owned()],
    }
}

pub fn letters_wait_until_they_are_sent_or_given_up(place: &dyn Place) {
    let mut store = place.open();
    let outbox = vec![letter(1), letter(2), letter(3), letter(1)];
    store.commit(&Commit { outbox, ..Commit::default() }).expect("a commit");
    let mut reader = store.reader().expect("a reader");
    let later = ArrivalTime(NOW.0 + 10);
    let due = reader.outbox_due(later, 10).expect("letters");
    let rows: Vec<OutboxRow> = due.iter().map(|due| due.row.clone()).collect();
    assert_eq!(rows, [letter(1), letter(2), letter(3)], "a name is stored once");
    let again = ArrivalTime(NOW.0 + 60_000);
    let error = "451 try later".to_owned();
    let marks = [
        OutboxMark::Sent { id: due[0].id, at: later },
        OutboxMark::Retry { id: due[1].id, not_before: again, error: error.clone() },
        OutboxMark::GivenUp { id: due[2].id, at: later, error },
    ];
    store.mark_outbox(&marks).expect("marks");
    assert!(reader.outbox_due(later, 10).expect("letters").is_empty());
    let due = reader.outbox_due(again, 10).expect("letters");
    assert_eq!(due.iter().map(|due| due.attempts).collect::<Vec<u32>>(), [1]);
    let counts = reader.outbox_counts().expect("counts");
    assert_eq!((counts.waiting, counts.given_up, counts.oldest_waiting), (1, 1, Some(NOW)));
}

pub fn a_commit_that_fails_stores_nothing_and_may_be_tried_again(place: &dyn Place) {
    let mut store = filled(place);
    let before = store.load().expect("a snapshot");
    let name = agent_name("till-1");
    let batch = JournalBatch {
        agent: name.clone(),
        epoch: Epoch(1),
        first_seq: Seq(1),
        last_seq: Seq(1),
        arrived: NOW,
        frame: Vec::new(),
    };
    let row = AgentRow { admission: Admission::default(), ..before.agents[0].clone() };
    // Number one is in the journal already: a second one is our own fault, and must not get in.
    let twice = Commit { journal: vec![batch], agents: vec![row], ..Commit::default() };
    assert!(store.commit(&twice).is_err());
    assert_eq!(store.load().expect("a snapshot"), before);
    let agents = before.agents.clone();
    store.commit(&Commit { agents, ..Commit::default() }).expect("the store goes on");
}
