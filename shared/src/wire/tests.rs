//! What is written is read back, and damage costs no more than what was damaged.

use super::envelope::{
    AgentState, AgentStatus, ClockState, Commit, Covered, EnvelopeError, EventBatch, Group,
};
use super::json::Line;
use crate::card::{Card, EntryMode, MaskedPan};
use crate::event::*;
use crate::money::{Amount, Currency};
use crate::times::{BootId, DeviceTime, EventTime, Observed, Uptime};

const BOOT: BootId = BootId([7; 16]);

fn keys() -> Keys {
    Keys {
        kind: Some(Kind::Sale),
        instrument: Some(Instrument::Card),
        amount: Some(Amount::new(1_250, Currency::CNY)),
        stan: "000123".parse().ok(),
        batch_number: "000001".parse().ok(),
        rrn: "123456789012".parse().ok(),
        authorization_code: "A1B2C3".parse().ok(),
        order_number: "ORDER-1".parse().ok().map(Box::new),
        channel_transaction_id: "4200001234".parse().ok().map(Box::new),
        merchant: "898310148160568".parse().ok(),
        card: Some(Card {
            pan: MaskedPan::from_masked("622576******6691").ok(),
            brand: "CUP".parse().ok(),
            entry_mode: Some(EntryMode::Inserted),
            chip_counter: Some(77),
            token: None,
        }),
        operator: "01".parse().ok(),
        host_time: Some(DeviceTime { month_day: Some((11, 24)), hour: 9, ..DeviceTime::default() }),
        original: Some(OriginalKeys { stan: "000122".parse().ok(), ..OriginalKeys::default() }),
    }
}

fn event(seq: u64, body: Body) -> Event {
    Event {
        seq: Seq(seq),
        source: SourceId(1),
        terminal: "10000001".parse().ok(),
        observed: Observed {
            boot: BOOT,
            uptime: Uptime(1_000 + seq),
            wall: EventTime(1_700_000_001_000 + seq as i64),
            synchronised: true,
        },
        device_time: Some(DeviceTime { hour: 9, minute: 30, ..DeviceTime::default() }),
        body,
        evidence: Evidence::Text("凭证号 000123".into()),
    }
}

fn group(events: &[Event]) -> Group {
    let clock = ClockState { wall_offset_ms: 1_700_000_000_000, synchronised: true };
    let mut group = Group::begin(BOOT, clock, events[0].seq);
    events.iter().for_each(|event| group.push(event));
    group.covered.push(Covered { source: SourceId(1), until: Uptime(2_000) });
    group
}

fn sale() -> Vec<Event> {
    let slip = Slip { copy: Some(Copy::Customer), reprint: false, keys: keys() };
    vec![
        event(1, Body::AuthorizationRequested(keys())),
        event(
            2,
            Body::AuthorizationAnswered { keys: keys(), response_code: "00".parse().unwrap() },
        ),
        event(3, Body::SlipPrinted { slip, grade: SlipGrade::Claimed }),
        event(4, Body::Pulse(LineCounts { bytes: 1, lines: 2, unmatched: 3, rejected: 4 })),
    ]
}

#[test]
fn a_group_and_a_batch_are_read_back_as_they_were_written() {
    let group = group(&sale());
    assert_eq!(Group::from_frame(&group.to_frame()), Ok(group.clone()));
    let (store, agent) = ("shop-1".parse().unwrap(), "till-1".parse().unwrap());
    let (frame, taken) =
        EventBatch::pack(&store, &agent, Epoch(1), false, std::slice::from_ref(&group));
    let batch = EventBatch::open(&frame).unwrap();
    assert_eq!((taken, &batch.group), (1, &group));
    let events: Vec<Event> = batch.group.events().map(|(_, event)| event.unwrap()).collect();
    assert_eq!(events, sale());
    assert!(
        batch
            .group
            .events_without_evidence()
            .all(|(_, event)| event.unwrap().evidence == Evidence::None)
    );
}

#[test]
fn groups_join_only_under_one_boot_and_clock_and_within_the_bound() {
    let many: Vec<Group> = (0..200)
        .map(|at| {
            group(
                &(0..20)
                    .map(|n| event(1 + at * 20 + n, sale()[1].body.clone()))
                    .collect::<Vec<_>>(),
            )
        })
        .collect();
    let (store, agent) = ("shop-1".parse().unwrap(), "till-1".parse().unwrap());
    let (frame, taken) = EventBatch::pack(&store, &agent, Epoch(1), false, &many);
    assert!(
        frame.len() <= super::envelope::FRAME_BYTES_MAX && taken > 1,
        "{} bytes of {taken}",
        frame.len()
    );
    assert_eq!(EventBatch::open(&frame).unwrap().group.count as usize, taken * 20);
    let mut stepped = many[..3].to_vec();
    stepped[1].clock.wall_offset_ms += 1;
    assert_eq!(EventBatch::pack(&store, &agent, Epoch(1), false, &stepped).1, 1);
}

#[test]
fn damage_is_seen_wherever_it_is() {
    let frame = group(&sale()).to_frame();
    for at in 0..frame.len() {
        let mut damaged = frame.clone();
        damaged[at] ^= 0x40;
        assert!(Group::from_frame(&damaged).is_err(), "byte {at}");
        assert!(Group::from_frame(&frame[..at]).is_err(), "cut at {at}");
    }
    let mut foreign = frame;
    foreign[0] = 2;
    assert_eq!(Group::from_frame(&foreign), Err(EnvelopeError::ForeignVersion { found: 2 }));
}

#[test]
fn an_unknown_body_costs_its_own_record_alone() {
    let mut group = group(&sale());
    let first = 2 + usize::from(group.records[0] & 0x7f) + (usize::from(group.records[1]) << 7);
    // The second record's body number: behind length (2), source (1), uptime (2), terminal (1+1+8), device time (6).
    let at = first + 2 + 1 + 2 + 10 + 7;
    assert_eq!(group.records[at], 1, "the body number of AuthorizationAnswered");
    group.records[at] = 99;
    let read: Vec<bool> = group.events().map(|(_, event)| event.is_ok()).collect();
    assert_eq!(read, [true, false, true, true]);
}

#[test]
fn a_line_of_json_is_read_back_as_it_was_written() {
    for event in sale() {
        let (store, agent) = ("shop-1".parse().unwrap(), "till-1".parse().unwrap());
        let line = Line { store, agent, epoch: Epoch(1), event };
        assert_eq!(Line::from_json(&line.to_json()).unwrap(), line);
    }
}

#[test]
fn small_messages_are_read_back() {
    let state = AgentState {
        session: 9,
        status: AgentStatus::Online,
        version: "0.1.0".to_owned(),
        epoch: 1,
        first_seq: 5,
        next_seq: 9,
    };
    assert_eq!(AgentState::from_frame(&state.to_frame()), Ok(state));
    let commit = Commit { epoch: 1, through: 42 };
    assert_eq!(Commit::from_frame(&commit.to_frame()), Ok(commit));
    assert!(matches!(
        AgentState::from_frame(&commit.to_frame()),
        Err(EnvelopeError::WrongKind { .. })
    ));
}
