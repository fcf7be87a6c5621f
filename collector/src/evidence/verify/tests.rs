//! A stream signed as an agent signs it, a pack of it, and what becomes of it when anything is changed.

use super::*;
use crate::evidence::pack::{Agent, FORMAT, Payment, Place};
use ring::signature::{Ed25519KeyPair, KeyPair};
use slipwatch_shared::event::{Epoch, Evidence, SourceId};
use slipwatch_shared::times::{EventTime, Observed, Uptime};
use slipwatch_shared::wire::seal::{Chain, message};

const BOOT: BootId = BootId([5; 16]);
const CLOCK: ClockState = ClockState { wall_offset_ms: 1_700_000_000_000, synchronised: true };
const SECRET: [u8; 32] = [8; 32];

fn event(seq: u64, source: SourceId, body: Body, text: &str) -> Event {
    Event {
        seq: Seq(seq),
        source,
        terminal: "10000001".parse().ok(),
        observed: Observed {
            boot: BOOT,
            uptime: Uptime(seq * 10),
            wall: EventTime(CLOCK.wall_offset_ms + seq as i64 * 10),
            synchronised: true,
        },
        device_time: None,
        body,
        evidence: Evidence::Text(text.into()),
    }
}

/// Six events and the seal behind them, as one group.
fn stream() -> Group {
    let mut group = Group::begin(BOOT, CLOCK, Seq(1));
    for seq in 1..=6 {
        group.push(&event(seq, SourceId(1), Body::NetworkUp, &format!("line {seq}")));
    }
    sealed(group, Seq(1), [0; 32])
}

/// The group with a seal behind it, over what it holds from a number on.
fn sealed(mut group: Group, from: Seq, previous: [u8; 32]) -> Group {
    let key = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).expect("a secret");
    let (store, agent) = ("shop-1".parse().expect("a shop"), "till-1".parse().expect("an agent"));
    let mut chain = Chain { link: Digest(previous), ..Chain::default() };
    let records = group.records().filter(|(seq, _)| *seq >= from);
    records.for_each(|(seq, record)| chain.add(seq, Digest::of_record(BOOT, CLOCK, record)));
    let public = key.public_key().as_ref().try_into().expect("32 bytes");
    let mut seal =
        Seal { from, previous, chain: chain.link.0, key: public, signature: [[0; 32]; 2] };
    let through = group.last_seq();
    let signature = key.sign(&message(&store, &agent, through, &seal));
    let (first, second) = signature.as_ref().split_at(32);
    seal.signature = [first.try_into().expect("half"), second.try_into().expect("half")];
    group.push(&event(through.next().0, SourceId::AGENT, Body::Sealed(seal), ""));
    group
}

/// The stream, and a second stretch behind it: it begins with the seal of the first.
fn longer() -> Group {
    let first = stream();
    let link = first.events().find_map(|(_, event)| match event.ok()?.body {
        Body::Sealed(seal) => Some(seal.chain),
        _ => None,
    });
    let mut group = first;
    for seq in 8..=9 {
        group.push(&event(seq, SourceId(1), Body::NetworkUp, &format!("line {seq}")));
    }
    sealed(group, Seq(7), link.expect("it is sealed"))
}

fn pack() -> Pack {
    Pack {
        format: FORMAT.to_owned(),
        tool: "test".to_owned(),
        made_ms: 0,
        payment: Payment {
            case: "shop-1.till-1.3.2".to_owned(),
            place: Place::This,
            terminal: Some("10000001".to_owned()),
            opened_ms: 0,
            clock_synchronised: true,
            keys: serde_json::Value::Null,
            verdict: "no_slip".to_owned(),
            reason: None,
            slip_grade: None,
            events: vec![2, 3],
        },
        neighbours: Vec::new(),
        agent: Agent {
            store: "shop-1".to_owned(),
            agent: "till-1".to_owned(),
            epoch: 3,
            version: "0".to_owned(),
            key: None,
        },
        coverage: Vec::new(),
        findings: Vec::new(),
        actions: Vec::new(),
        settlement: Vec::new(),
    }
}

fn files() -> Files {
    files_of(&stream(), Seq(1), &[2, 3])
}

/// What is there of a stream from a number on; these events are the payment's.
fn files_of(group: &Group, from: Seq, payment: &[u64]) -> Files {
    let shows = |seq: Seq| payment.contains(&seq.0) || matches!(seq.0, 7 | 10);
    let mut records = String::new();
    for (seq, record) in group.records().filter(|(seq, _)| *seq >= from) {
        let line = match shows(seq) {
            true => RecordLine::shown(seq, BOOT, CLOCK, record),
            false => RecordLine::hidden(seq, Digest::of_record(BOOT, CLOCK, record)),
        };
        records += &(serde_json::to_string(&line).expect("JSON") + "\n");
    }
    let mut events = String::new();
    for (seq, event) in group.events() {
        if payment.contains(&seq.0) {
            let line = Line {
                store: "shop-1".parse().expect("a shop"),
                agent: "till-1".parse().expect("an agent"),
                epoch: Epoch(3),
                event: event.expect("it was just written"),
            };
            events += &(line.to_json() + "\n");
        }
    }
    let mut pack = pack();
    pack.payment.events = payment.to_vec();
    let case = serde_json::to_string(&pack).expect("JSON");
    let named = [(CASE, case), (EVENTS, events), (RECORDS, records)];
    named.into_iter().map(|(name, text)| (name.to_owned(), text.into_bytes())).collect()
}

/// What is wrong when a file is changed and the archive is signed again by somebody who holds the collector's key.
#[track_caller]
fn wrong_after(name: &str, from: &str, to: &str) -> Vec<String> {
    let mut files = files();
    let text = String::from_utf8(files[name].clone()).expect("text");
    assert!(text.contains(from), "{from:?} is not in {name}");
    files.insert(name.to_owned(), text.replacen(from, to, 1).into_bytes());
    verify(&archive::write(&files, &SECRET)).expect("it is signed").wrong
}

#[test]
fn what_was_signed_holds() {
    let report = verify(&archive::write(&files(), &SECRET)).expect("it is sound");
    assert_eq!(report.wrong, Vec::<String>::new());
    assert_eq!((report.events, report.unsigned.len()), (2, 0));
    assert_eq!(report.agent_keys.values().collect::<Vec<_>>(), [&vec![(1, 6)]]);
}

#[test]
fn a_later_stretch_holds_without_what_lies_before_the_seal_that_it_begins_with() {
    let check = |from: u64, payment: &[u64], unsigned: &[u64], stretches: &[(u64, u64)]| {
        let files = files_of(&longer(), Seq(from), payment);
        let report = verify(&archive::write(&files, &SECRET)).expect("it is sound");
        assert_eq!(report.wrong, Vec::<String>::new(), "from {from}");
        assert_eq!(report.unsigned, unsigned, "from {from}");
        assert_eq!(
            report.agent_keys.values().flatten().collect::<Vec<_>>(),
            stretches.iter().collect::<Vec<_>>()
        );
    };
    check(1, &[2, 8], &[], &[(1, 6), (7, 9)]);
    check(7, &[8, 9], &[], &[(7, 9)]);
    // Of a stretch that is shown in part nothing is signed.
    check(2, &[2, 8], &[2], &[(7, 9)]);
    check(8, &[8, 9], &[8, 9], &[]);
    let mut files = files_of(&longer(), Seq(7), &[8, 9]);
    let records = String::from_utf8(files[RECORDS].clone()).expect("text");
    let without: String = records
        .lines()
        .filter(|line| !line.contains("\"seq\":9,"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_ne!(without, records);
    files.insert(RECORDS.to_owned(), without.into_bytes());
    let cut = verify(&archive::write(&files, &SECRET));
    assert!(cut.is_err() || !cut.expect("a report").wrong.is_empty(), "a record is missing");
}

#[test]
fn the_same_files_give_the_same_bytes() {
    assert_eq!(archive::write(&files(), &SECRET), archive::write(&files(), &SECRET));
}

#[test]
fn one_changed_byte_anywhere_is_found() {
    let bytes = archive::write(&files(), &SECRET);
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(verify(&changed).is_err(), "byte {at} may be changed unseen");
    }
    assert!(verify(&bytes[..bytes.len() - 1]).is_err());
    assert!(verify(&[&bytes[..], &[0]].concat()).is_err());
}

#[test]
fn not_even_the_collector_can_change_what_the_agent_signed() {
    let changed = wrong_after(EVENTS, "line 2", "LINE 2");
    assert_eq!(changed, ["event 2 is not what its record says"]);
    let hex_of = |text: &str| hex(text.as_bytes());
    let changed = wrong_after(RECORDS, &hex_of("line 3"), &hex_of("LINE 3"));
    assert_eq!(changed, ["record 3 is not the one of its digest"]);
    let group = stream();
    let (_, record) = group.records().nth(3).expect("number 4");
    let digest = Digest::of_record(BOOT, CLOCK, record).to_string();
    let other = Digest::of(b"other").to_string();
    let changed = wrong_after(RECORDS, &digest, &other);
    assert_eq!(changed, ["numbers 1 to 6: the records are not those that were signed"]);
    let changed = wrong_after(CASE, "\"agent\":\"till-1\"", "\"agent\":\"till-9\"");
    assert!(!changed.is_empty());
}

#[test]
fn an_event_that_is_not_shown_is_missed() {
    assert_eq!(wrong_after(CASE, "[2,3]", "[2,3,4]"), ["event 4 of a payment is not shown"]);
}

#[test]
fn no_bytes_whatsoever_are_an_archive() {
    for bytes in [&b""[..], b"PK\x05\x06", b"PK\x03\x04nonsense", &[0xff; 200]] {
        assert!(matches!(verify(bytes), Err(ArchiveError::Form(_))), "{bytes:?}");
    }
}
