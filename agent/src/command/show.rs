//! What was said, as a person reads it on a screen: one line an event, coloured by what it means where there are colours.

use super::chinese::TONGUE;
use crate::decode::decoder::Decoded;
use crate::decode::guess::kind_of;
use jiff::tz::TimeZone;
use serde_json::Value;
use slipwatch_shared::event::{
    Body, Epoch, Event, Evidence, ExchangePhase, LineCounts, ReversalPhase, Seq, SourceId,
};
use slipwatch_shared::times::{BootId, EventTime, Observed, Uptime};
use slipwatch_shared::wire::json::Line;
use std::fmt::Write as _;

/// How events are written.
#[derive(Clone, Debug)]
pub struct Screen {
    /// With colours.
    pub colours: bool,
    zone: TimeZone,
}

/// What a line means, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Good,
    Doubtful,
    Bad,
    Paper,
    Plain,
}

impl Tone {
    /// Of a terminal's sixteen colours.
    fn code(self) -> u8 {
        match self {
            Tone::Good => 32,
            Tone::Doubtful => 33,
            Tone::Bad => 31,
            Tone::Paper => 36,
            Tone::Plain => 0,
        }
    }
}

impl Screen {
    /// A screen in the machine's own time zone; `colours` where it has them and `NO_COLOR` is not set.
    pub fn new(is_terminal: bool) -> Screen {
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Screen { colours: is_terminal && !no_colour, zone: TimeZone::system() }
    }

    /// A line of text about something that was decoded just now.
    pub fn line(&self, wall: EventTime, decoded: &Decoded) -> String {
        let (kind, tone, rest) = match decoded {
            Decoded::Said { body, terminal, evidence, .. } => {
                let mut rest = fields(body);
                if let Some(terminal) = terminal {
                    let _ = write!(rest, " terminal={terminal}");
                }
                if let Evidence::Text(text) = evidence {
                    let first = text.lines().next().unwrap_or_default();
                    let _ = write!(rest, "  {}", self.painted(2, &format!("{first:.100}")));
                }
                (kind_of(body), tone(body), rest)
            }
            Decoded::Failed { reason, .. } => {
                (TONGUE.say("not understood"), Tone::Bad, format!(" {reason:?}").to_lowercase())
            }
        };
        let time = self.painted(2, &self.time(wall));
        format!("{time} {}{rest}\n", self.painted(tone.code(), &format!("{kind:<24}")))
    }

    /// A line about the source itself.
    pub fn note(&self, wall: EventTime, what: &str) -> String {
        let what = &TONGUE.say(what);
        format!("{} {}\n", self.painted(2, &self.time(wall)), self.painted(33, what))
    }

    fn time(&self, wall: EventTime) -> String {
        let Ok(at) = jiff::Timestamp::from_millisecond(wall.0) else { return "?".to_owned() };
        self.zone.to_datetime(at).strftime("%H:%M:%S%.3f").to_string()
    }

    fn painted(&self, code: u8, text: &str) -> String {
        match (self.colours, code) {
            (false, _) | (_, 0) => text.to_owned(),
            (true, code) => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }
}

/// What was counted, in words.
pub fn counted(counts: LineCounts, events: u64) -> String {
    let LineCounts { bytes, lines, unmatched, rejected } = counts;
    TONGUE.say(&format!(
        "{bytes} bytes, {lines} lines or frames: {events} events, {unmatched} not understood, {rejected} damaged"
    ))
}

fn tone(body: &Body) -> Tone {
    match body {
        Body::AuthorizationAnswered { response_code, .. } if response_code.is_approval() => {
            Tone::Good
        }
        Body::AuthorizationAnswered { .. }
        | Body::AuthorizationTimedOut(_)
        | Body::NetworkDown
        | Body::SlipFailed { .. }
        | Body::SlipLost { .. }
        | Body::DecodeFailed { .. }
        | Body::Reversal { phase: ReversalPhase::Failed, .. } => Tone::Bad,
        Body::TransactionCompleted(_)
        | Body::OfflineUpload { phase: ExchangePhase::Approved, .. }
        | Body::Reversal { phase: ReversalPhase::Acknowledged, .. }
        | Body::Void { phase: ExchangePhase::Approved, .. } => Tone::Good,
        Body::Reversal { .. }
        | Body::Void { .. }
        | Body::Refund { .. }
        | Body::TransactionAborted { .. } => Tone::Doubtful,
        Body::SlipStarted(_)
        | Body::SlipPrinted { .. }
        | Body::SlipIssuedElectronically { .. }
        | Body::SlipDeclined(_)
        | Body::PrinterStatus(_) => Tone::Paper,
        _ => Tone::Plain,
    }
}

/// Every field of a body that has a value: the interchange form, flat.
fn fields(body: &Body) -> String {
    let mut text = String::new();
    if let Some(amount) = body.keys().and_then(|keys| keys.amount) {
        let _ = write!(text, " {amount}");
    }
    let event = Event {
        seq: Seq(1),
        source: SourceId(1),
        terminal: None,
        observed: Observed {
            boot: BootId::default(),
            uptime: Uptime(0),
            wall: EventTime(0),
            synchronised: false,
        },
        device_time: None,
        body: body.clone(),
        evidence: Evidence::None,
    };
    let line = Line {
        store: "x".parse().expect("a store's name"),
        agent: "x".parse().expect("an agent's name"),
        epoch: Epoch(1),
        event,
    };
    let value: Value = serde_json::from_str(&line.to_json()).expect("it was just written");
    for (_, inner) in value["body"].as_object().into_iter().flatten() {
        flatten("", inner, &mut text);
    }
    text
}

fn flatten(name: &str, value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                // Shown already, as an amount of money.
                if field == "amount" {
                    continue;
                }
                let is_plain = matches!(field.as_str(), "keys" | "slip");
                let inner = match (name, is_plain) {
                    (name, true) => name.to_owned(),
                    ("", false) => field.clone(),
                    (name, false) => format!("{name}.{field}"),
                };
                flatten(&inner, value, text);
            }
        }
        Value::Null | Value::Bool(false) => {}
        Value::String(value) => drop(write!(text, " {name}={value}")),
        other => drop(write!(text, " {name}={other}")),
    }
}
