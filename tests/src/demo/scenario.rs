//! What the demonstration plays: one story a till, all at the same time. What is to be found is not written here: the
//! ledger says it from what happens.

use crate::ledger::House;
use crate::terminal::{Pace, Story};
use crate::voice::Voice;

/// When a debit without slip is suspected, in milliseconds. In a shop: 120,000.
pub const SUSPECT_MS: i64 = 3_000;
/// When it is rung about. In a shop: 300,000.
pub const ALERT_MS: i64 = 6_000;
/// When a reversal that is not acknowledged is told. In a shop: 600,000.
pub const REVERSAL_PENDING_MS: i64 = 8_000;

/// How fast the demonstration is played.
pub const PACE: Pace =
    Pace { step_ms: 250, alert_ms: ALERT_MS, reversal_pending_ms: REVERSAL_PENDING_MS };

/// What the ledger knows of the demonstration's house.
pub const HOUSE: House = House {
    alert_ms: ALERT_MS,
    due_from: 0,
    reversal_pending_ms: REVERSAL_PENDING_MS,
    slack_ms: 1_000,
};

/// One till and what happens at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// The terminal's number (field 41).
    pub terminal: &'static str,
    /// How it writes.
    pub voice: Voice,
    /// What happens.
    pub story: Story,
    /// Its agent is cut off from the collector in mid-sale.
    pub cut_off: bool,
}

/// All of them, in the order of the table.
pub const SCENARIOS: [Scenario; 8] = [
    till("DEMO0001", Voice::KeyValue, Story::Sale),
    till("DEMO0002", Voice::Chinese, Story::Sale),
    till("DEMO0003", Voice::Chinese, Story::LateReprint),
    till("DEMO0004", Voice::KeyValue, Story::TimeoutReversed),
    till("DEMO0005", Voice::Chinese, Story::TimeoutReversalLost),
    till("DEMO0006", Voice::KeyValue, Story::NoSlip),
    till("DEMO0007", Voice::KeyValue, Story::FirstOfTwo),
    Scenario { cut_off: true, ..till("DEMO0008", Voice::KeyValue, Story::Sale) },
];

const fn till(terminal: &'static str, voice: Voice, story: Story) -> Scenario {
    Scenario { terminal, voice, story, cut_off: false }
}
