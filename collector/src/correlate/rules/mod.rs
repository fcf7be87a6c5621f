//! The rules: pure functions of a case, of what was heard, and of the policy. One file a family. They say what holds;
//! what changed since it was last told is the correlator's to find out.

pub mod clock;
pub mod duplicate;
pub mod habit;
pub mod late;
pub mod offline;
pub mod print;
pub mod printer;
pub mod reversal;
pub mod sequence;
pub mod silent;
pub mod slip;
pub mod storm;
pub mod totals;

#[cfg(test)]
mod tests;

use super::case::CaseId;
use super::cause::Cause;
use super::finding::{FindingKind, Resolution, Severity, Stage};
use super::timeline::StreamTime;

/// What a rule says of one kind of finding about one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Say {
    /// It does not hold, and if it was told, it ended so.
    Not(Resolution),
    /// It holds.
    Holds(Held),
}

/// A finding that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Which.
    pub kind: FindingKind,
    /// How far it is.
    pub stage: Stage,
    /// Since when.
    pub since: StreamTime,
    /// Why, most likely.
    pub cause: Cause,
    /// The other payment (A09).
    pub partner: Option<CaseId>,
    /// Points (A09).
    pub measure: i64,
}

impl Held {
    /// One without partner and measure.
    pub fn plain(kind: FindingKind, stage: Stage, since: StreamTime, cause: Cause) -> Held {
        Held { kind, stage, since, cause, partner: None, measure: 0 }
    }
}

/// What a rule says of one kind of finding about a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stand {
    /// Nothing that was heard changes it.
    AsItWas,
    /// It does not hold, and if it was told, it ended so.
    Not(Resolution),
    /// It holds.
    Holds(Standing),
}

/// A finding about a terminal that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How soon a person must look.
    pub severity: Severity,
    /// Since when.
    pub since: StreamTime,
    /// Why, most likely.
    pub cause: Cause,
    /// A count or a difference behind it.
    pub measure: i64,
}

/// How soon a person must look at a finding of this kind and stage.
pub fn severity(kind: FindingKind, stage: Stage) -> Severity {
    match (kind, stage) {
        (FindingKind::NoReceiptDebit, Stage::Suspected) => Severity::P3,
        (FindingKind::NoReceiptDebit | FindingKind::TimeoutDebitLostReversal, _) => Severity::P1,
        (FindingKind::LateSuccess, _) => Severity::P1,
        (FindingKind::PrintFailed | FindingKind::ConsumerPattern, _) => Severity::P3,
        (FindingKind::DuplicateDebit, Stage::Confirmed) => Severity::P1,
        (FindingKind::CardNumberSeen, _) => Severity::P1,
        _ => Severity::P2,
    }
}
