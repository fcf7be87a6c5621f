//! The collector as a whole: what an agent sends, in whatever batches and however often, and a collector that was
//! stopped in between, end in the same rows.

use super::*;
use crate::correlate::tests::{Speaker, agent_name, policies, said};
use crate::edge::store::memory::MemoryStore;
use slipwatch_shared::event::{Event, Evidence};
use slipwatch_shared::wire::envelope::{ClockState, Group};

const NOW: ArrivalTime = ArrivalTime(1_763_971_200_000);

fn settings() -> Settings {
    Settings { policies: policies(), ..Settings::default() }
}

fn topic(agent: &str) -> Topic {
    let name = agent_name(agent);
    Topic::new(&name.store, &name.agent, Channel::Batch)
}

fn frame_of(agent: &str, epoch: u64, events: &[Event]) -> Vec<u8> {
    let name = agent_name(agent);
    let clock = ClockState { wall_offset_ms: crate::correlate::tests::WALL_MS, synchronised: true };
    let mut group = Group::begin(events[0].observed.boot, clock, events[0].seq);
    events.iter().for_each(|event| group.push(event));
    EventBatch::pack(&name.store, &name.agent, Epoch(epoch), false, &[group]).0
}

/// A collector and what it stored.
struct House {
    collector: Collector,
    store: MemoryStore,
    replies: Vec<Reply>,
    journal: Vec<JournalBatch>,
    quarantine: Vec<QuarantineRow>,
}

impl House {
    fn new() -> House {
        House {
            collector: Collector::restore(settings(), Snapshot::default()),
            store: MemoryStore::default(),
            replies: Vec::new(),
            journal: Vec::new(),
            quarantine: Vec::new(),
        }
    }

    fn send(&mut self, agent: &str, frame: &[u8]) {
        let topic = topic(agent);
        let input = Input::Batch { topic: &topic, payload: frame };
        self.collector.handle(NOW, input, &mut self.store);
    }

    fn store(&mut self) {
        let Some(commit) = self.collector.take_commit(NOW) else { return };
        self.store.commit(&commit);
        self.replies.extend(commit.replies);
        self.journal.extend(commit.journal);
        self.quarantine.extend(commit.quarantine);
    }

    fn restart(&mut self) {
        self.collector = Collector::restore(settings(), self.store.load());
    }

    fn said(&self) -> Vec<String> {
        self.store.transactions.values().map(|row| said(&row.case)).collect()
    }

    fn through(&self, agent: &str) -> u64 {
        self.store.agents.get(&agent_name(agent)).map_or(0, |row| row.admission.through.0)
    }
}

const DAY: &str = "0 open; 10 ask n=1 yuan=88 card=6691; 12 ok n=1 rrn=100000000001; 14 fail n=1;
    60 ask n=2 yuan=88 card=6691; 61 ok n=2; 62 slip n=2 copy=m; 65 slip n=2 copy=c;
    70 ask n=3 yuan=5; 100 pulse; 130 timeout n=3; 130 reversal n=3 is=pending; 200 pulse; 320 pulse;
    400 pulse; 500 ask n=4 yuan=7; 501 ok n=4; 502 slip n=4; 900 pulse; 1000 pulse; 1200 garbled;
    1300 ask n=5 yuan=9; 1301 ok n=5; 1310 unplug; 1350 replug; 1700 pulse; 2600 pulse; 4000 pulse;
    5000 slip n=1 copy=c reprint; 5010 void n=9 of=2 yuan=88; 5100 pulse; 6000 pulse";

fn said_of_the_day() -> Vec<String> {
    let mut house = House::new();
    house.send("till-1", &frame_of("till-1", 1, &Speaker::new("T1").speak(DAY)));
    house.store();
    house.said()
}

#[test]
fn a_day_is_judged() {
    let said = said_of_the_day();
    assert_eq!(
        said,
        [
            "1 printed_late (A02) (A01)",
            "2 printed (A09)",
            "3 not_expected unanswered A04",
            "4 printed",
            "5 unknown source_lost",
            "9 not_expected not_a_debit",
        ]
    );
}

#[test]
fn batches_may_be_cut_anywhere_and_the_collector_stopped_between_any_two() {
    let expected = said_of_the_day();
    let events = Speaker::new("T1").speak(DAY);
    for size in [1, 2, 3, 7, 13] {
        let mut house = House::new();
        for stretch in events.chunks(size) {
            house.send("till-1", &frame_of("till-1", 1, stretch));
            house.store();
            house.restart();
        }
        assert_eq!(house.said(), expected, "in batches of {size}");
    }
    for stop in 1..events.len() {
        let mut house = House::new();
        let (before, after) = events.split_at(stop);
        house.send("till-1", &frame_of("till-1", 1, before));
        house.store();
        house.restart();
        house.send("till-1", &frame_of("till-1", 1, after));
        house.store();
        assert_eq!(house.said(), expected, "stopped behind {stop}");
    }
}

#[test]
fn a_restart_that_stored_nothing_takes_in_again_what_was_not_acknowledged() {
    let events = Speaker::new("T1").speak(DAY);
    let mut house = House::new();
    for stretch in events.chunks(5) {
        let frame = frame_of("till-1", 1, stretch);
        house.send("till-1", &frame);
        house.restart();
        house.send("till-1", &frame);
        house.store();
    }
    assert_eq!(house.said(), said_of_the_day());
}

#[test]
fn repeats_and_overlaps_are_taken_in_once() {
    let events = Speaker::new("T1").speak(DAY);
    let mut house = House::new();
    for (at, _) in events.iter().enumerate().step_by(4) {
        let from = at.saturating_sub(3);
        let until = (at + 4).min(events.len());
        let frame = frame_of("till-1", 1, &events[from..until]);
        house.send("till-1", &frame);
        house.send("till-1", &frame);
        house.store();
    }
    assert_eq!(house.said(), said_of_the_day());
    let numbers: Vec<u64> =
        house.journal.iter().flat_map(|batch| batch.first_seq.0..=batch.last_seq.0).collect();
    assert_eq!(numbers, (1..=events.len() as u64).collect::<Vec<u64>>());
}

#[test]
fn what_is_missing_is_asked_for_and_nothing_behind_it_is_taken() {
    let events = Speaker::new("T1").speak(DAY);
    let mut house = House::new();
    house.send("till-1", &frame_of("till-1", 1, &events[..4]));
    house.send("till-1", &frame_of("till-1", 1, &events[6..9]));
    house.store();
    assert_eq!(house.through("till-1"), 4);
    let asked: Vec<_> = house
        .replies
        .iter()
        .filter(|reply| reply.topic.channel == Channel::Request)
        .map(|reply| envelope::Request::from_frame(&reply.payload).expect("a request"))
        .collect();
    assert_eq!(asked, [envelope::Request { epoch: 1, from: 5 }]);
}

#[test]
fn numbers_that_are_given_up_open_a_hole_and_let_the_rest_in() {
    let mut speaker = Speaker::new("T1");
    let before = speaker.speak("0 open; 10 ask n=1 yuan=88; 12 ok n=1");
    let after = speaker.speak("20 lost; 21 pulse; 400 pulse");
    let mut house = House::new();
    house.send("till-1", &frame_of("till-1", 1, &before));
    house.send("till-1", &frame_of("till-1", 1, &after));
    house.store();
    assert_eq!(house.said(), ["1 unknown numbers_lost"]);
    assert_eq!(house.through("till-1"), after.last().map_or(0, |event| event.seq.0));
}

#[test]
fn a_new_life_of_the_numbering_begins_at_one_and_late_copies_of_the_old_are_known() {
    let old = Speaker::new("T1").speak("0 open; 10 ask n=1 yuan=88; 12 ok n=1");
    let new = Speaker::new("T1").speak("20 open; 21 slip n=1 copy=c; 400 pulse");
    let mut house = House::new();
    house.send("till-1", &frame_of("till-1", 1, &old));
    house.send("till-1", &frame_of("till-1", 77, &new[1..]));
    house.store();
    assert_eq!(house.through("till-1"), old.len() as u64, "number one is missing");
    house.send("till-1", &frame_of("till-1", 77, &new));
    house.send("till-1", &frame_of("till-1", 1, &old));
    house.store();
    assert_eq!(house.said(), ["1 printed"]);
    assert_eq!(house.store.agents[&agent_name("till-1")].admission.epoch, Epoch(77));
}

#[track_caller]
fn check_put_aside(agent: &str, payload: &[u8], reason: &str) {
    let mut house = House::new();
    house.send(agent, payload);
    house.send(agent, payload);
    house.store();
    let reasons: Vec<&str> = house.quarantine.iter().map(|row| row.reason).collect();
    assert_eq!(reasons, [reason], "once, however often it is sent");
    let acknowledged = house.replies.iter().any(|reply| reply.topic.channel == Channel::Commit);
    assert!(!acknowledged, "the agent must keep it");
}

#[test]
fn bad_input_is_put_aside_and_not_acknowledged() {
    let frame = frame_of("till-1", 1, &Speaker::new("T1").speak("0 open; 1 pulse"));
    check_put_aside("till-9", &frame, "unknown_agent");
    check_put_aside("till-2", &frame, "identity");
    check_put_aside("till-1", &frame[..3], "cut");
    check_put_aside("till-1", &[&[9], &frame[1..]].concat(), "foreign_version");
    let mut broken = frame;
    let last = broken.len() - 1;
    broken[last] ^= 1;
    check_put_aside("till-1", &broken, "checksum");
}

#[test]
fn an_agent_that_is_not_in_the_settings_is_told_once_until_it_is() {
    let frame = frame_of("till-9", 1, &Speaker::new("T1").speak("0 open; 1 pulse"));
    let mut house = House::new();
    let names = |names: Vec<AgentName>| -> Vec<String> {
        names.iter().map(|name| format!("{}/{}", name.store, name.agent)).collect()
    };
    house.send("till-9", &frame);
    house.send("till-9", &frame);
    assert_eq!(names(house.collector.take_unknown_agents()), ["shop-1/till-9"]);
    house.send("till-9", &frame);
    assert!(house.collector.take_unknown_agents().is_empty());
    let mut settings = house.collector.settings.clone();
    let listed = house.collector.unknown_agents().first().expect("it came").clone();
    settings.policies.agents.insert(listed);
    house.collector.reload(settings);
    assert!(house.collector.unknown_agents().is_empty());
    for number in 0..2 * UNKNOWN_AGENTS_MAX {
        house.send(&format!("stranger-{number}"), &frame);
    }
    assert_eq!(house.collector.take_unknown_agents().len(), UNKNOWN_AGENTS_MAX);
}

#[test]
fn a_topic_that_shows_a_card_number_is_kept_and_told_nowhere() {
    let frame = frame_of("till-9", 1, &Speaker::new("T1").speak("0 open; 1 pulse"));
    let mut house = House::new();
    house.send("6225760000006697", &frame);
    house.send("6225-7600-0000-6697", &frame);
    house.send("till-9", &frame);
    let unknown: Vec<String> = house
        .collector
        .take_unknown_agents()
        .iter()
        .map(|name| name.agent.as_str().to_owned())
        .collect();
    assert_eq!(unknown, ["till-9"]);
    let aside = house.collector.commit.quarantine.iter().map(|row| row.topic.agent.as_str());
    assert_eq!(aside.collect::<Vec<_>>(), ["till-9"]);
}

#[test]
fn a_card_number_in_the_evidence_is_told_and_dropped() {
    let mut events = Speaker::new("T1").speak("0 open; 10 ask n=1 yuan=88; 12 ok n=1");
    events[2].evidence = Evidence::Text("PAN 6225 7600 0000 0005 OK".into());
    let mut house = House::new();
    house.send("till-1", &frame_of("till-1", 1, &events));
    house.store();
    assert_eq!(house.collector.counts().card_numbers, 1);
    let kept = EventBatch::open(&house.journal[0].frame).expect("a sound frame");
    let evidence: Vec<Evidence> =
        kept.group.events().map(|(_, event)| event.expect("sound").evidence).collect();
    assert_eq!(evidence, vec![Evidence::None; events.len()]);
    let codes: Vec<&str> = house.store.findings.keys().map(|id| id.kind.code()).collect();
    assert_eq!(codes, ["S01"]);
}

#[test]
fn an_agent_that_falls_silent_leaves_its_open_payments_unknown_until_it_is_back() {
    let mut speaker = Speaker::new("T1");
    let before = speaker.speak("0 open; 10 ask n=1 yuan=88; 12 ok n=1");
    let after = speaker.speak("14 slip n=1; 400 pulse");
    let mut house = House::new();
    house.send("till-1", &frame_of("till-1", 1, &before));
    house.store();
    house.collector.handle(ArrivalTime(NOW.0 + 301_000), Input::Tick, &mut house.store);
    house.store();
    assert_eq!(house.said(), ["1 unknown agent_offline"]);
    house.restart();
    house.send("till-1", &frame_of("till-1", 1, &after));
    house.store();
    assert_eq!(house.said(), ["1 printed"]);
    let open = house.store.findings.values().filter(|finding| finding.is_open()).count();
    assert_eq!(open, 0, "its silence ended");
}
