//! What damage, lies and later versions may cost: an error or one record, never a panic, never more memory than the bounds.

use super::samples::{self, all_keys, bodies, event, few_keys, group};
use super::{agent, hex, record, store};
use proptest::prelude::*;
use slipwatch_shared::event::{Body, Epoch, Event, Evidence, Keys, Seq};
use slipwatch_shared::terminal::{AgentId, StoreId};
use slipwatch_shared::wire::envelope::*;
use slipwatch_shared::wire::json::{Line, quick};
use slipwatch_shared::wire::v1;

fn keys() -> impl Strategy<Value = Keys> {
    let parts =
        (any::<[bool; 8]>(), 0u32..1_000_000, 0i64..=999_999_999_999, "[A-Za-z0-9]{1,20}", 0u8..6);
    parts.prop_map(|(kept, number, minor, order, _)| {
        let all = all_keys();
        Keys {
            kind: all.kind.filter(|_| kept[0]),
            amount: all
                .amount
                .filter(|_| kept[1])
                .map(|amount| slipwatch_shared::money::Amount { minor, ..amount }),
            stan: format!("{number:06}").parse().ok().filter(|_| kept[2]),
            rrn: all.rrn.filter(|_| kept[3]),
            order_number: order.parse().ok().filter(|_| kept[4]).map(Box::new),
            card: all.card.filter(|_| kept[5]),
            host_time: all.host_time.filter(|_| kept[6]),
            original: all.original.filter(|_| kept[7]),
            ..few_keys()
        }
    })
}

fn body() -> impl Strategy<Value = Body> {
    (prop::sample::select(bodies()), keys()).prop_map(|(mut body, new)| {
        match &mut body {
            Body::AuthorizationRequested(keys) | Body::AuthorizationTimedOut(keys) => *keys = new,
            Body::AuthorizationAnswered { keys, .. } | Body::Reversal { keys, .. } => *keys = new,
            Body::SlipPrinted { slip, .. } => slip.keys = new,
            _ => {}
        }
        body
    })
}

fn evidence() -> impl Strategy<Value = Evidence> {
    prop_oneof![
        Just(Evidence::None),
        "\\PC{0,200}".prop_map(|text| Evidence::Text(text.into())),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(|bytes| Evidence::Frame(bytes.into())),
    ]
}

fn stream() -> impl Strategy<Value = Vec<Event>> {
    let one = (body(), evidence());
    (1u64..1 << 40, prop::collection::vec(one, 1..40)).prop_map(|(first, bodies)| {
        (first..).zip(bodies).map(|(seq, (body, evidence))| event(seq, body, evidence)).collect()
    })
}

fn pack(group: &Group) -> Vec<u8> {
    EventBatch::pack(&store(), &agent(), Epoch(1), false, std::slice::from_ref(group)).0
}

/// Whether the quick reader read it; then serde reads the same.
fn agrees(text: &str) -> Result<bool, TestCaseError> {
    let Some(quick) = quick::read(text) else { return Ok(false) };
    match Line::from_json(text) {
        Ok(Line { store, agent, epoch, event }) => {
            let event = Event { evidence: Evidence::None, ..event };
            prop_assert_eq!((quick.store, quick.agent), (store.as_str(), agent.as_str()));
            prop_assert_eq!((quick.epoch, quick.event), (epoch, event));
        }
        // Names of shops and agents are looked at by who knows them.
        Err(error) => {
            let names = quick.store.parse::<StoreId>().and(Ok(())).is_err()
                || quick.agent.parse::<AgentId>().and(Ok(())).is_err();
            prop_assert!(names, "{error}: {text}");
        }
    }
    Ok(true)
}

/// Every order and every repetition of fields is read alike, or not at all.
#[test]
fn the_quick_reader_hands_back_what_is_unusual() {
    let plain = r#"{"store":"s","agent":"a","seq":1,"uptime_ms":5,"wall_ms":-7,"source":1,"body":{"network_up":{}}}"#;
    assert_eq!(agrees(plain).ok(), Some(true));
    for unusual in [
        plain.replace(",\"source\":1", ""),
        plain.replace("\"source\":1", "\"source\":1,\"source\":1"),
        plain.replace("\"source\":1", "\"source\":1,\"other\":1"),
        plain.replace(":1,", ": 1,"),
        plain.replace(":5,", ":05,"),
        plain.replace(":5,", ":5.0,"),
        plain.replace(":5,", ":-5,"),
        plain.replace(":-7,", ":-0,"),
        plain.replace(":5,", ":18446744073709551616,"),
        plain.replace("\"s\"", "\"\\u0073\""),
        plain.replace("network_up", "network_sideways"),
        plain.replace("{}", "{\"why\":1}"),
        format!("{plain} "),
        format!("{plain}}}"),
    ] {
        assert_ne!(unusual, plain);
        assert_eq!(agrees(&unusual).ok(), Some(false), "{unusual}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_was_said_is_read_back(events in stream()) {
        let group = group(&events);
        prop_assert_eq!(Group::from_frame(&group.to_frame()), Ok(group.clone()));
        let batch = EventBatch::open(&pack(&group)).expect("a sound frame");
        let read: Vec<Event> = batch.group.events().map(|(_, event)| event.expect("a sound record")).collect();
        prop_assert_eq!(&read, &events);
        for event in events {
            let line = Line { store: store(), agent: agent(), epoch: Epoch(1), event };
            let mut appended = Vec::new();
            line.append_json(&mut appended);
            let appended = std::str::from_utf8(&appended).expect("JSON is UTF-8");
            prop_assert_eq!(&Line::from_json(appended).expect("a sound line"), &line);
            prop_assert_eq!(Line::from_json(&line.to_json()).expect("a sound line"), line);
        }
    }

    /// The quick reader reads what this house writes, and reads nothing otherwise than serde does, however damaged.
    #[test]
    fn the_quick_reader_agrees_with_serde(events in stream(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in 0usize..4) {
        for event in events {
            let line = Line { store: store(), agent: agent(), epoch: Epoch(1), event };
            let mut appended = Vec::new();
            line.append_json(&mut appended);
            for text in [String::from_utf8(appended).expect("JSON is UTF-8"), line.to_json()] {
                let read = agrees(&text)?;
                // Seals are few, and left to serde.
                let left = text.contains("\\u") || text.contains("\"sealed\"");
                prop_assert!(read || left, "not read: {text}");
                let mut damaged = text.into_bytes();
                let place = at.index(damaged.len());
                let until = (place + cut).min(damaged.len());
                damaged.splice(place..until, [byte]);
                if let Ok(damaged) = String::from_utf8(damaged) {
                    agrees(&damaged)?;
                }
            }
        }
    }

    #[test]
    fn a_cut_or_flipped_frame_is_refused(events in stream(), at in any::<prop::sample::Index>(), bit in 0u8..8) {
        for frame in [pack(&group(&events)), group(&events).to_frame(), Commit { epoch: 1, through: 9 }.to_frame()] {
            let at = at.index(frame.len());
            prop_assert!(opens_nothing(&frame[..at]));
            let mut flipped = frame.clone();
            flipped[at] ^= 1u8 << bit;
            prop_assert!(opens_nothing(&flipped), "bit {bit} of byte {at} of {}", hex(&frame));
        }
    }

    #[test]
    fn noise_is_refused_and_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000), kind in 1u8..6) {
        prop_assert!(opens_nothing(&bytes));
        // The same behind a sound head: what an enemy or a fault of ours would send.
        let frame = seal(FrameKind::Batch, &bytes, false);
        if let Ok(batch) = EventBatch::open(&frame) {
            batch.group.events().for_each(|(_, event)| drop(event));
        }
        let mut compressed = vec![VERSION, kind, 1];
        compressed.extend_from_slice(&bytes);
        opens_nothing(&compressed);
    }

    #[test]
    fn noise_in_one_record_costs_no_other(events in stream(), at in any::<prop::sample::Index>(), noise in any::<[u8; 8]>()) {
        let mut group = group(&events);
        let damaged = at.index(events.len());
        let start: usize = events[..damaged].iter().map(|event| record(event).len()).sum();
        let end = start + record(&events[damaged]).len();
        for (place, byte) in group.records[start + 2..end].iter_mut().zip(noise) {
            *place ^= byte;
        }
        let read: Vec<_> = group.events().map(|(_, event)| event).collect();
        prop_assert_eq!(read.len(), events.len());
        for (at, event) in events.into_iter().enumerate().filter(|(at, _)| *at != damaged) {
            prop_assert_eq!(read[at].as_ref().ok(), Some(&event));
        }
    }
}

/// Whether no reader takes the bytes for a frame.
fn opens_nothing(frame: &[u8]) -> bool {
    EventBatch::open(frame).is_err()
        && Group::from_frame(frame).is_err()
        && AgentState::from_frame(frame).is_err()
        && Commit::from_frame(frame).is_err()
        && Request::from_frame(frame).is_err()
}

#[test]
fn a_foreign_version_is_named_and_not_guessed_at() {
    for version in (0..=255).filter(|version| *version != VERSION) {
        let mut frame = pack(&group(&samples::events()));
        frame[0] = version;
        assert_eq!(EventBatch::open(&frame), Err(EnvelopeError::ForeignVersion { found: version }));
    }
}

#[test]
fn a_frame_is_not_taken_for_another_kind() {
    let group = group(&samples::events()).to_frame();
    assert!(matches!(EventBatch::open(&group), Err(EnvelopeError::WrongKind { .. })));
    let request = Request { epoch: 1, from: 1 }.to_frame();
    assert!(matches!(Commit::from_frame(&request), Err(EnvelopeError::WrongKind { .. })));
}

#[test]
fn a_body_of_a_later_version_costs_its_record_alone() {
    let events = samples::events();
    for (at, later) in events.iter().enumerate() {
        let mut group = group(&events);
        let start: usize = events[..at].iter().map(|event| record(event).len()).sum();
        let end = start + record(later).len();
        let v1_head = v1::read_head(&group.records[start + 2..end]).expect("a sound record").0;
        // Body number 200 (two bytes of varint), then what no version 1 reader knows.
        let mut unknown = vec![0; 2];
        unknown.extend(head_before_body(&v1_head));
        unknown.extend([0xc8, 0x01, 0xde, 0xad]);
        let length = unknown.len() - 2;
        (unknown[0], unknown[1]) = (0x80 | (length & 0x7f) as u8, (length >> 7) as u8);
        group.records.splice(start..end, unknown);
        let read: Vec<_> = Group::from_frame(&group.to_frame())
            .expect("a sound frame")
            .events()
            .map(|(_, event)| event.ok())
            .collect();
        let expected: Vec<_> =
            events.iter().map(|event| (event.seq != later.seq).then(|| event.clone())).collect();
        assert_eq!(read, expected);
    }
}

/// The bytes of a head up to its body number.
fn head_before_body(head: &v1::Head<'_>) -> Vec<u8> {
    let without = v1::Head { body: v1::Body::NetworkUp {}, ..head.clone() };
    let mut event = without.to_event(
        Seq(1),
        |uptime| slipwatch_shared::times::Observed { uptime, ..samples::events()[0].observed },
        Evidence::None,
    );
    let event = event.as_mut().expect("a sound head");
    let bytes = record(event);
    // Behind the length (2); before the body number and the evidence's (1 each).
    bytes[2..bytes.len() - 2].to_vec()
}

/// A frame around any body with a sound check sum and any flag.
fn forge(kind: FrameKind, flags: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = vec![VERSION, kind as u8, flags];
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&frame);
    hasher.update(body);
    frame.extend_from_slice(&hasher.finalize().to_le_bytes());
    frame.extend_from_slice(body);
    frame
}

fn packed(size: u32, block: &[u8]) -> Vec<u8> {
    let mut body = size.to_le_bytes().to_vec();
    body.extend_from_slice(block);
    forge(FrameKind::Batch, 1, &body)
}

#[test]
fn a_size_beyond_the_bound_is_refused_before_memory_is_taken() {
    let block = lz4_flex::block::compress(&vec![0; BODY_BYTES_MAX + 1]);
    let bytes = BODY_BYTES_MAX + 1;
    assert_eq!(
        EventBatch::open(&packed(bytes as u32, &block)),
        Err(EnvelopeError::TooLarge { bytes })
    );
    assert_eq!(
        EventBatch::open(&packed(u32::MAX, &block)),
        Err(EnvelopeError::TooLarge { bytes: u32::MAX as usize })
    );
}

#[test]
fn a_block_that_grows_beyond_what_it_says_is_refused() {
    let block = lz4_flex::block::compress(&vec![0; 8 * BODY_BYTES_MAX]);
    for said in [0, 1, 100, BODY_BYTES_MAX as u32] {
        assert!(EventBatch::open(&packed(said, &block)).is_err(), "said {said}");
    }
    assert!(EventBatch::open(&packed(64, b"")).is_err());
    assert!(EventBatch::open(&forge(FrameKind::Batch, 1, b"abc")).is_err());
}

#[test]
fn a_frame_beyond_the_bound_is_refused() {
    let frame = forge(FrameKind::Batch, 0, &vec![0; FRAME_BYTES_MAX]);
    assert_eq!(EventBatch::open(&frame), Err(EnvelopeError::TooLarge { bytes: frame.len() }));
}

/// A group's header with a count of its own, and records behind it.
fn counted(count: u32, first_seq: u64, records: &[u8]) -> Vec<u8> {
    let group =
        Group { count, first_seq: Seq(first_seq), records: records.to_vec(), ..Group::default() };
    group.to_frame()
}

#[test]
fn a_lying_count_costs_no_memory_and_no_panic() {
    let one = record(&samples::events()[0]);
    for count in [u32::MAX, 1 << 20, one.len() as u32] {
        assert_eq!(
            Group::from_frame(&counted(count, 1, &one)),
            Err(EnvelopeError::Header),
            "count {count}"
        );
    }
    assert_eq!(
        Group::from_frame(&counted(2, u64::MAX, &one)),
        Err(EnvelopeError::Header),
        "numbers past the end"
    );
    // More than there are, yet possible: each number that is not there is an error of its own.
    let group = Group::from_frame(&counted(3, 1, &one)).expect("a possible count");
    let read: Vec<bool> = group.events().map(|(_, event)| event.is_ok()).collect();
    assert_eq!(read, [true, false, false]);
}

#[test]
fn a_lying_length_ends_its_group_and_no_more() {
    let mut records = record(&samples::events()[0]);
    let sound = records.len();
    records.extend_from_slice(&record(&samples::events()[1]));
    for length in [[0xff, 0x7f], [0xff, 0xff]] {
        records[sound..sound + 2].copy_from_slice(&length);
        let group = Group::from_frame(&counted(2, 1, &records)).expect("a sound frame");
        let read: Vec<bool> = group.events().map(|(_, event)| event.is_ok()).collect();
        assert_eq!(read, [true, false], "length {length:?}");
    }
}

#[test]
fn too_many_sources_in_a_header_are_refused() {
    let mut group = group(&samples::events()[..1]);
    group.covered = vec![group.covered[0]; SOURCES_MAX + 1];
    assert_eq!(Group::from_frame(&group.to_frame()), Err(EnvelopeError::Header));
}
