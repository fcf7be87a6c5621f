//! Recorded devices: every file of a family in `tests/fixtures` is decoded and compared with a snapshot that was read
//! before it was accepted; what nobody recorded is made here from the specification, and says so.

mod escpos;
mod framed;
mod iso8583;
mod judged;
mod slip_text;
mod zvt;

use slipwatch_agent::decode::decoder::{Decoded, Decoder};
use slipwatch_agent::decode::dialect::{Dialect, Direction, shipped};
use slipwatch_shared::event::{Body, Epoch, Event, LineCounts, Seq, SourceId};
use slipwatch_shared::times::{BootId, EventTime, Observed, Uptime};
use slipwatch_shared::wire::json::Line;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// A shipped dialect, read once: reading one builds its patterns.
fn dialect(name: &str) -> Arc<dyn Dialect> {
    static READ: Mutex<BTreeMap<String, Arc<dyn Dialect>>> = Mutex::new(BTreeMap::new());
    let mut read = READ.lock().expect("no test panics while it reads a profile");
    let sound = || shipped::dialect(name).expect("a shipped dialect");
    Arc::clone(read.entry(name.to_owned()).or_insert_with(sound))
}

/// A shipped dialect's decoder at the start of a source.
fn decoder(name: &str) -> Decoder {
    Decoder::new(dialect(name), None)
}

/// All that has come out.
fn drain(decoder: &mut Decoder) -> Vec<Decoded> {
    std::iter::from_fn(|| decoder.next_decoded()).collect()
}

/// Decodes what each side sent, one after the other, a second apart; the source ends behind it.
fn decode(dialect: &str, said: &[(Direction, &[u8])]) -> (Vec<Decoded>, LineCounts) {
    let mut decoder = decoder(dialect);
    let mut now = 0;
    for (direction, bytes) in said {
        decoder.push(*direction, bytes, Uptime(now));
        now += 1_000;
    }
    decoder.finish(Uptime(now));
    let counts = decoder.take_counts();
    (drain(&mut decoder), counts)
}

/// What was decoded as people read it: body, terminal, device's time and evidence, as in an event's JSON.
fn told(decoded: &Decoded) -> String {
    let (at, terminal, device_time, body, evidence) = match decoded.clone() {
        Decoded::Said { at, terminal, device_time, body, evidence } => {
            (at, terminal, device_time, body, evidence)
        }
        Decoded::Failed { at, reason } => {
            (at, None, None, Body::DecodeFailed { reason }, Default::default())
        }
    };
    let observed =
        Observed { boot: BootId::default(), uptime: at, wall: EventTime(0), synchronised: false };
    let event =
        Event { seq: Seq(1), source: SourceId(1), terminal, observed, device_time, body, evidence };
    let line = Line {
        store: "s".parse().expect("a store's name"),
        agent: "a".parse().expect("an agent's name"),
        epoch: Epoch(1),
        event,
    };
    let json: serde_json::Value = serde_json::from_str(&line.to_json()).expect("its own JSON");
    let mut out = String::new();
    for name in ["body", "terminal", "frame", "text"] {
        match (name, &json[name]) {
            (_, serde_json::Value::Null) => {}
            ("body", body) => out.push_str(&format!("{body}\n")),
            (_, value) => {
                let text = value.as_str().expect("text").replace('\n', "\n    | ");
                out.push_str(&format!("    {name}: {text}\n"));
            }
        }
        if let ("terminal", Some(time)) = (name, device_time) {
            out.push_str(&format!("    device time: {time}\n"));
        }
    }
    out
}

fn fixtures(family: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(family)
}

/// Compares a text with the snapshot of this name beside the family's recordings.
#[track_caller]
pub fn assert_snapshot(family: &str, name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(fixtures(family));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// When it was heard, in milliseconds.
fn at(decoded: &Decoded) -> u64 {
    match decoded {
        Decoded::Said { at, .. } | Decoded::Failed { at, .. } => at.0,
    }
}
