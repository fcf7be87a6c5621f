//! The JSON-lines form of an event, one a line: what `decode` and `export` write and `replay` reads. The shape is
//! that of [`v1`], with the group's clock written out on each line. Fields that are absent are left out; fields that
//! this version does not know are refused, so that a misspelt one is not taken for an absent one.

pub mod quick;

use super::v1;
use crate::event::{Epoch, Event, Evidence, Seq};
use crate::field::FieldError;
use crate::terminal::{AgentId, StoreId};
use crate::times::{BootId, EventTime, Observed};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Why a line is no event.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// Not JSON, or not of the shape.
    #[error("not an event: {0}")]
    Shape(#[from] serde_json::Error),
    /// A field in it is malformed.
    #[error("a field is malformed")]
    Field(#[from] FieldError),
}

/// An event with the names around it: one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Whose shop.
    pub store: StoreId,
    /// Which agent.
    pub agent: AgentId,
    /// Which life of its numbering.
    pub epoch: Epoch,
    /// What was said.
    pub event: Event,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape<'a> {
    #[serde(borrow)]
    store: Cow<'a, str>,
    #[serde(borrow)]
    agent: Cow<'a, str>,
    #[serde(default = "one")]
    epoch: u64,
    seq: u64,
    #[serde(borrow, default = "no_boot")]
    boot: Cow<'a, str>,
    uptime_ms: u64,
    wall_ms: i64,
    #[serde(default)]
    synchronised: bool,
    source: u16,
    #[serde(borrow, default)]
    terminal: Option<Cow<'a, str>>,
    #[serde(default)]
    device_time: Option<v1::DeviceTime>,
    #[serde(borrow)]
    body: v1::Body<'a>,
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    frame: Option<Cow<'a, str>>,
}

fn one() -> u64 {
    1
}

fn no_boot() -> Cow<'static, str> {
    Cow::Borrowed("00000000000000000000000000000000")
}

impl Line {
    /// The line, without its end, its fields by name.
    pub fn to_json(&self) -> String {
        // The shared derives may not skip what is absent (postcard could not read it back), so it goes here.
        let mut value = serde_json::to_value(self.shape()).expect("every key is a string");
        drop_nulls(&mut value);
        value.to_string()
    }

    /// Appends the line, without its end, its fields in the order in which they are declared: the same to any reader,
    /// and ten times as fast as [`Line::to_json`].
    pub fn append_json(&self, out: &mut Vec<u8>) {
        let begun = out.len();
        serde_json::to_writer(&mut *out, &self.shape()).expect("memory takes any line");
        strip_nulls(out, begun);
    }

    fn shape(&self) -> Shape<'_> {
        let head = v1::Head::from(&self.event);
        let (text, frame) = match &self.event.evidence {
            Evidence::None => (None, None),
            Evidence::Text(text) => (Some(Cow::Borrowed(text.as_ref())), None),
            Evidence::Frame(bytes) => (None, Some(Cow::Owned(hex(bytes)))),
        };
        Shape {
            store: Cow::Borrowed(self.store.as_str()),
            agent: Cow::Borrowed(self.agent.as_str()),
            epoch: self.epoch.0,
            seq: self.event.seq.0,
            boot: Cow::Owned(hex(&self.event.observed.boot.0)),
            uptime_ms: self.event.observed.uptime.0,
            wall_ms: self.event.observed.wall.0,
            synchronised: self.event.observed.synchronised,
            source: head.source,
            terminal: head.terminal,
            device_time: head.device_time,
            body: head.body,
            text,
            frame,
        }
    }

    /// Reads a line. Unknown evidence is kept as text.
    pub fn from_json(line: &str) -> Result<Line, LineError> {
        let shape: Shape<'_> = serde_json::from_str(line)?;
        let evidence = match (shape.text, shape.frame) {
            (Some(text), _) => Evidence::Text(text.into()),
            (None, Some(frame)) => Evidence::Frame(unhex(&frame)?.into()),
            (None, None) => Evidence::None,
        };
        let boot = unhex(&shape.boot)?;
        let boot =
            boot.try_into().map_err(|_| FieldError::new("32 hexadecimal digits", &shape.boot))?;
        let (wall, synchronised) = (EventTime(shape.wall_ms), shape.synchronised);
        let head = v1::Head {
            source: shape.source,
            uptime_ms: shape.uptime_ms,
            terminal: shape.terminal,
            device_time: shape.device_time,
            body: shape.body,
        };
        let observed = |uptime| Observed { boot: BootId(boot), uptime, wall, synchronised };
        Ok(Line {
            store: shape.store.parse()?,
            agent: shape.agent.parse()?,
            epoch: Epoch(shape.epoch),
            event: head.to_event(Seq(shape.seq), observed, evidence)?,
        })
    }
}

fn drop_nulls(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// Takes the fields that are null out of compact JSON, where it lies. Arrays of these shapes hold none.
fn strip_nulls(text: &mut Vec<u8>, from: usize) {
    let (mut read, mut kept) = (from, from);
    // Where the last text outside of a value began, and whether the comma behind a dropped first field must go.
    let (mut name_at, mut comma) = (from, false);
    while read < text.len() {
        match text[read] {
            b'"' => {
                name_at = kept;
                let begun = read;
                read += 1;
                while text[read] != b'"' {
                    read += if text[read] == b'\\' { 2 } else { 1 };
                }
                read += 1;
                text.copy_within(begun..read, kept);
                kept += read - begun;
                comma = false;
                continue;
            }
            b'n' => {
                read += 4;
                kept = name_at;
                if text[kept - 1] == b',' {
                    kept -= 1;
                } else {
                    comma = true;
                }
                continue;
            }
            b',' if comma => comma = false,
            byte => {
                text[kept] = byte;
                kept += 1;
                comma = false;
            }
        }
        read += 1;
    }
    text.truncate(kept);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Result<Vec<u8>, FieldError> {
    let wrong = || FieldError::new("pairs of hexadecimal digits", text);
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return Err(wrong());
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| wrong()))
        .collect()
}
