//! The frozen bytes of version 1, and what damage may cost. `tests/fixtures/wire/` is only ever added to: agents in the
//! field and batches in journals were written in these bytes.

mod damage;
mod samples;

use samples::{all_keys, events, few_keys, group, name};
use slipwatch_shared::event::{Epoch, Event};
use slipwatch_shared::terminal::{AgentId, StoreId};
use slipwatch_shared::wire::envelope::{
    AgentState, AgentStatus, Commit, EventBatch, Group, Request,
};
use slipwatch_shared::wire::json::Line;
use slipwatch_shared::wire::v1;
use std::collections::BTreeMap;
use std::path::Path;

fn store() -> StoreId {
    samples::value("shop-1")
}

fn agent() -> AgentId {
    samples::value("till-1")
}

/// A fixture: `name value` a line, `#` before a remark.
fn fixture(file: &str) -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/wire/v1").join(file);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let pairs: Vec<(String, String)> = lines
        .map(|line| line.split_once(' ').unwrap_or_else(|| panic!("{file}: no value in {line}")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let count = pairs.len();
    let map: BTreeMap<String, String> = pairs.into_iter().collect();
    assert_eq!(map.len(), count, "{file} holds a name twice");
    map
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.map(|pair| byte(pair).expect("pairs of hexadecimal digits")).collect()
}

/// Holds what is written today against what is frozen, name by name.
#[track_caller]
fn check_frozen(file: &str, written: &[(String, String)]) {
    let frozen = fixture(file);
    let mut missing = String::new();
    for (name, value) in written {
        match frozen.get(name) {
            Some(frozen) => assert_eq!(
                value, frozen,
                "{file}: {name} is written otherwise than agents in the field write it. Change the code, never the fixture; \
                 a new shape is a new version."
            ),
            None => missing += &format!("{name} {value}\n"),
        }
    }
    assert!(missing.is_empty(), "read these lines, then append them to {file}:\n{missing}");
    for name in frozen.keys() {
        assert!(
            written.iter().any(|(written, _)| written == name),
            "{file}: {name} is frozen and nothing writes it any more"
        );
    }
}

fn record(event: &Event) -> Vec<u8> {
    let mut bytes = Vec::new();
    v1::append_record(&mut bytes, event);
    bytes
}

/// How many bodies there were when the frozen group was written; those that came later have records of their own.
const FIRST_BODIES: usize = 31;

fn first_events() -> Vec<Event> {
    events()[..FIRST_BODIES].to_vec()
}

/// A long group, so that it pays to compress it.
fn long_group() -> Group {
    let bodies = (1..=40).map(|seq| {
        samples::event(seq, samples::bodies()[1].clone(), samples::events()[0].evidence.clone())
    });
    group(&bodies.collect::<Vec<_>>())
}

fn batch(historical: bool, group: Group) -> Vec<u8> {
    EventBatch::pack(&store(), &agent(), Epoch(3), historical, &[group]).0
}

fn state(status: AgentStatus) -> AgentState {
    AgentState {
        session: 1_795_478_400_000,
        status,
        version: "0.1.0".to_owned(),
        epoch: 3,
        first_seq: 5,
        next_seq: 900,
    }
}

/// The frames that are written byte for byte; a compressed one is not, since the compressor may choose otherwise.
fn plain_frames() -> Vec<(String, Vec<u8>)> {
    let short = group(&events()[20..22]);
    vec![
        ("group".to_owned(), group(&first_events()).to_frame()),
        ("batch_plain".to_owned(), batch(false, short.clone())),
        ("batch_plain_historical".to_owned(), batch(true, short)),
        ("state_online".to_owned(), state(AgentStatus::Online).to_frame()),
        ("state_stopped".to_owned(), state(AgentStatus::Stopped).to_frame()),
        ("state_lost".to_owned(), state(AgentStatus::Lost).to_frame()),
        ("commit".to_owned(), Commit { epoch: 3, through: 42 }.to_frame()),
        ("request".to_owned(), Request { epoch: 3, from: 43 }.to_frame()),
    ]
}

#[test]
fn each_body_is_written_in_the_bytes_of_version_1() {
    let written: Vec<(String, String)> =
        events().iter().map(|event| (name(&event.body).to_owned(), hex(&record(event)))).collect();
    check_frozen("records.txt", &written);
}

#[test]
fn each_frozen_record_is_read_as_what_it_was() {
    let frozen = fixture("records.txt");
    for event in events() {
        let mut group = Group { count: 1, first_seq: event.seq, ..group(&events()[..1]) };
        group.records = unhex(&frozen[name(&event.body)]);
        let read: Vec<Event> =
            group.events().map(|(_, event)| event.expect("a sound record")).collect();
        assert_eq!(read, [event]);
    }
}

#[test]
fn the_samples_leave_no_body_and_no_number_out() {
    let numbers: Vec<u8> =
        events().iter().map(|event| postcard_number(&v1::Body::from(&event.body))).collect();
    let expected: Vec<u8> = (0..numbers.len() as u8).collect();
    assert_eq!(
        numbers, expected,
        "bodies are appended to the wire, never moved; one sample each, in the wire's order"
    );
    assert_ne!(all_keys(), few_keys());
}

/// The wire's number of a body: where it stands in a record, behind fields of known length.
fn postcard_number(body: &v1::Body<'_>) -> u8 {
    let head = |body| v1::Head { source: 0, uptime_ms: 0, terminal: None, device_time: None, body };
    let event = head(body.clone()).to_event(
        slipwatch_shared::event::Seq(1),
        |_| {
            samples::event(1, slipwatch_shared::event::Body::NetworkUp, Default::default()).observed
        },
        Default::default(),
    );
    let mut event = event.expect("a sample is sound");
    event.observed.uptime = slipwatch_shared::times::Uptime(0);
    // length (2), source (1), uptime (1), no terminal (1), no device time (1)
    record(&event)[6]
}

#[test]
fn each_frame_is_written_and_read_in_the_bytes_of_version_1() {
    let mut written: Vec<(String, String)> =
        plain_frames().into_iter().map(|(name, frame)| (name, hex(&frame))).collect();
    // Frozen bytes of a compressed batch are read, not written: see below.
    written.push((
        "batch_compressed".to_owned(),
        frozen_or_new("batch_compressed", &batch(false, long_group())),
    ));
    check_frozen("frames.txt", &written);
}

fn frozen_or_new(name: &str, new: &[u8]) -> String {
    fixture("frames.txt").remove(name).unwrap_or_else(|| hex(new))
}

#[test]
fn each_frozen_frame_is_read_as_what_it_was() {
    let frozen = fixture("frames.txt");
    let frame = |name: &str| unhex(&frozen[name]);
    assert_eq!(Group::from_frame(&frame("group")), Ok(group(&first_events())));
    for (name, historical, group) in [
        ("batch_plain", false, group(&events()[20..22])),
        ("batch_plain_historical", true, group(&events()[20..22])),
        ("batch_compressed", false, long_group()),
    ] {
        let expected =
            EventBatch { store: store(), agent: agent(), epoch: Epoch(3), historical, group };
        assert_eq!(EventBatch::open(&frame(name)), Ok(expected), "{name}");
    }
    assert_eq!(frame("batch_compressed")[2], 1, "its flag says compressed");
    for (name, status) in [
        ("state_online", AgentStatus::Online),
        ("state_stopped", AgentStatus::Stopped),
        ("state_lost", AgentStatus::Lost),
    ] {
        assert_eq!(AgentState::from_frame(&frame(name)), Ok(state(status)));
    }
    assert_eq!(Commit::from_frame(&frame("commit")), Ok(Commit { epoch: 3, through: 42 }));
    assert_eq!(Request::from_frame(&frame("request")), Ok(Request { epoch: 3, from: 43 }));
}

fn line(event: Event) -> Line {
    Line { store: store(), agent: agent(), epoch: Epoch(3), event }
}

#[test]
fn each_event_is_written_and_read_in_the_json_of_version_1() {
    let written: Vec<(String, String)> = events()
        .into_iter()
        .map(|event| (name(&event.body).to_owned(), line(event).to_json()))
        .collect();
    check_frozen("lines.txt", &written);
    let frozen = fixture("lines.txt");
    for event in events() {
        let read = Line::from_json(&frozen[name(&event.body)]).expect("a frozen line is read");
        assert_eq!(read, line(event));
    }
}

#[test]
fn a_misspelt_key_of_a_line_is_refused_by_name() {
    for (key, misspelt) in
        [("uptime_ms", "uptime"), ("stan", "stann"), ("minor", "minors"), ("keys", "key")]
    {
        let sound = line(events()[1].clone()).to_json();
        let text = sound.replace(&format!("\"{key}\""), &format!("\"{misspelt}\""));
        assert_ne!(text, sound, "{key} is in the sample");
        let error = Line::from_json(&text).expect_err(misspelt).to_string();
        assert!(error.contains(misspelt), "{error}");
    }
}
