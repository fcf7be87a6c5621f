//! What a payment of a fleet really is and what is to be said of it, and what is to be said of a terminal beside its
//! payments: each one line of a truth file. Written by the script
//! that played it; shares no line with the collector's rules.

use super::money::SettledRow;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A word of the collector's vocabulary, as its labels spell it.
pub type Label = Cow<'static, str>;

/// A finding that is due.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingTruth {
    /// Its number in the catalogue.
    pub code: Label,
    /// Whether it still stands in the end.
    pub open: bool,
    /// The number of the finding that explains it, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Label>,
}

/// Why it happened, where that left a trace that an agent can hear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CauseTruth {
    /// One of the six classes.
    pub class: Label,
    /// What it rests on.
    pub detail: Label,
}

/// A finding about a terminal, an agent or the way to an acquirer that is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// Its number in the catalogue.
    pub finding: Label,
    /// What happens.
    pub plot: Label,
    /// Whose shop; empty of an acquirer's, which is no shop's.
    pub store: String,
    /// Which agent hears it; empty as well.
    pub agent: String,
    /// At which terminal; absent where it is the agent's or an acquirer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<String>,
    /// On the way to which acquirer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acquirer: Option<String>,
    /// When it begins, wall time, UTC.
    pub from_ms: i64,
    /// Whether it still stands in the end.
    pub open: bool,
    /// Why.
    pub cause: CauseTruth,
    /// Its shop could not be heard all the time: it may go untold.
    pub clouded: bool,
}

impl Incident {
    /// A line of a truth file, without its end.
    ///
    /// # Panics
    /// Never: every key is a text.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("every key is a text")
    }
}

/// A payment, void, refund or hold as it really is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truth {
    /// What happens to it.
    pub plot: Label,
    /// Whose shop.
    pub store: String,
    /// Which agent hears it.
    pub agent: String,
    /// At which terminal.
    pub terminal: String,
    /// Of which make.
    pub make: Label,
    /// What kind of business.
    pub kind: Label,
    /// Minor units.
    pub amount_minor: i64,
    /// Its trace, field 11.
    pub stan: u32,
    /// Its batch.
    pub batch: u32,
    /// Its order number, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// When its first word is said, wall time, UTC.
    pub begun_ms: i64,
    /// When it was debited, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debited_ms: Option<i64>,
    /// The verdict that is due.
    pub verdict: Label,
    /// Its reason, where the verdict alone does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Label>,
    /// The findings that are due, in the order of the catalogue.
    pub findings: Vec<FindingTruth>,
    /// Why; absent where nothing that can be heard tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<CauseTruth>,
    /// Its terminal could not be heard all the time: `unknown` may be said instead.
    pub clouded: bool,
    /// What the acquirer's files will hold of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<SettledRow>,
}

impl Truth {
    /// Whether "no slip" may never be said of it, not even for a moment.
    pub fn is_innocent(&self) -> bool {
        !matches!(self.verdict.as_ref(), "no_slip" | "printed_late")
    }

    /// Whether this verdict, in the collector's words, is the one that is due.
    pub fn is(&self, verdict: &str, reason: Option<&str>) -> bool {
        let says = self.verdict == verdict;
        // The class behind a missing slip is the cause's matter.
        let why = self.reason.is_none() || self.reason.as_deref() == reason;
        says && why || self.clouded && verdict == "unknown"
    }

    /// A line of a truth file, without its end.
    ///
    /// # Panics
    /// Never: every key is a text.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("every key is a text")
    }
}
