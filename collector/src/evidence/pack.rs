//! The evidence of one payment as data: what a dispute clerk sends, and what [`super::verify`] reads again. Says openly
//! what was not heard. The shape is this program's own, told in `FORMAT`; fields are added, never changed.

use serde::{Deserialize, Serialize};

/// Name and version of the shape.
pub const FORMAT: &str = "slipwatch-evidence-1";

/// All that is known of one payment, without the records themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pack {
    /// [`FORMAT`].
    pub format: String,
    /// Program and version that made it.
    pub tool: String,
    /// When it was made, UTC, milliseconds since 1970.
    pub made_ms: i64,
    /// The payment that it is about.
    pub payment: Payment,
    /// The payment before it and the one after it at the same terminal, where they are known.
    pub neighbours: Vec<Payment>,
    /// Whose stream it is from.
    pub agent: Agent,
    /// Each line that was listened to, and whether it was heard throughout.
    pub coverage: Vec<Coverage>,
    /// What was raised about it.
    pub findings: Vec<Finding>,
    /// What was raised, changed and taken back, in order.
    pub actions: Vec<Action>,
    /// Rows of settlement files that settle or offset it.
    pub settlement: Vec<Settlement>,
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The case's name.
    pub case: String,
    /// Before, this, or after.
    pub place: Place,
    /// At which terminal (field 41).
    pub terminal: Option<String>,
    /// When it was first heard of, by the agent's clock, UTC milliseconds.
    pub opened_ms: i64,
    /// Whether that clock was synchronised.
    pub clock_synchronised: bool,
    /// Its kind, amount and numbers, as in `events.jsonl`.
    pub keys: serde_json::Value,
    /// The verdict on its slip.
    pub verdict: String,
    /// Why, where the verdict has a reason.
    pub reason: Option<String>,
    /// How surely the slip is on paper, 0 (the host claims it) to 4 (the printer's own answer).
    pub slip_grade: Option<u8>,
    /// The numbers of its events in the agent's stream.
    pub events: Vec<u64>,
}

/// Where a payment stands to the one that the evidence is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The last one before it.
    Before,
    /// The one.
    This,
    /// The first one after it.
    After,
}

/// The agent that heard it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Its shop.
    pub store: String,
    /// Its name.
    pub agent: String,
    /// Which life of its numbering.
    pub epoch: u64,
    /// Its version, as it told.
    pub version: String,
    /// Its public key (Ed25519), 64 hexadecimal digits; absent when none of it is signed yet.
    pub key: Option<String>,
}

/// One line that was listened to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Its name in the agent's settings.
    pub source: String,
    /// What was spoken on it.
    pub dialect: String,
    /// It carries debits.
    pub hears_money: bool,
    /// It carries slips.
    pub hears_slips: bool,
    /// Heard up to here, UTC milliseconds by the agent's clock.
    pub heard_until_ms: i64,
    /// The times around the payment in which it was not heard.
    pub gaps: Vec<Gap>,
}

/// A time in which a line was not heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// From, UTC milliseconds.
    pub from_ms: i64,
    /// To, UTC milliseconds.
    pub to_ms: i64,
    /// Why, in a word.
    pub why: String,
}

/// What was raised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Its number in the catalogue.
    pub code: String,
    /// How soon a person must look.
    pub severity: String,
    /// How far it is.
    pub stage: String,
    /// The class of what most likely caused it.
    pub cause: String,
    /// How sure that is, 0 to 100.
    pub confidence: u8,
    /// Since when it holds, UTC milliseconds by the agent's clock.
    pub since_ms: i64,
    /// How it ended; absent while it is open.
    pub resolved: Option<String>,
}

/// One line of the record of what was said and done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// When, UTC milliseconds by the collector's clock.
    pub at_ms: i64,
    /// About which finding.
    pub finding: String,
    /// Raised, changed or resolved.
    pub change: String,
    /// How it stood then.
    pub note: String,
}

/// A row of a settlement file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// The file's name.
    pub file: String,
    /// SHA-256 of the file, 64 hexadecimal digits.
    pub sha256: String,
    /// Which version of that day it is.
    pub revision: u32,
    /// The day that the row is booked on.
    pub day: String,
    /// The row's line in the file.
    pub line: u32,
    /// Settles, offsets, or may settle.
    pub role: String,
    /// The rule that links it.
    pub tier: String,
    /// How surely, in thousandths.
    pub score: u16,
    /// The kind as the file words it.
    pub word: String,
    /// Minor units, positive when taken from the shopper.
    pub minor: i64,
    /// ISO 4217.
    pub currency: String,
}
