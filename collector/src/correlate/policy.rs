//! What a terminal is judged by: who prints there, from which amount a slip is due, and the deadlines. Plain values;
//! the settings file is read elsewhere. All durations are milliseconds of stream time unless said otherwise.

use slipwatch_shared::money::Amount;
use slipwatch_shared::terminal::{AgentId, StoreId, TerminalId};
use std::collections::{BTreeMap, BTreeSet};

/// An agent by its shop and its own name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentName {
    /// Its shop.
    pub store: StoreId,
    /// Its name.
    pub agent: AgentId,
}

/// A terminal by its shop and its number (field 41).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TerminalName {
    /// Its shop.
    pub store: StoreId,
    /// Its number.
    pub terminal: TerminalId,
}

/// Who prints the slip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WhoPrints {
    /// The terminal itself.
    Terminal,
    /// The till, with the text the terminal hands it.
    TillFromTerminalText,
    /// The till, in a layout of its own.
    TillOwnLayout,
    /// Nobody: slips go out without paper.
    None,
}

/// What one terminal is judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerminalPolicy {
    /// Who prints.
    pub who_prints: WhoPrints,
    /// How many copies a debit prints: with 2 the shopper's copy must come, with 1 any copy will do.
    pub copies: u8,
    /// The printer's answers are heard, not only what is sent to it.
    pub two_way: bool,
    /// From which amount a slip is due; absent: from any.
    pub slip_due_from: Option<Amount>,
    /// When the shop is open; absent: a silent terminal is not judged.
    pub opening: Option<OpeningHours>,
    /// Deadlines that differ from those of all; absent: those of all.
    pub deadlines: Option<Deadlines>,
}

impl Default for TerminalPolicy {
    /// The terminal prints two copies of each debit; its opening hours are not known.
    fn default() -> TerminalPolicy {
        TerminalPolicy {
            who_prints: WhoPrints::Terminal,
            copies: 2,
            two_way: false,
            slip_due_from: None,
            opening: None,
            deadlines: None,
        }
    }
}

/// When a shop is open, the same each day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpeningHours {
    /// Minute of the local day it opens, 0 to 1439.
    pub from_minute: u16,
    /// Minute of the local day it closes; at or below `from_minute`: on the next day.
    pub to_minute: u16,
    /// Minutes that local time is ahead of UTC.
    pub utc_offset_minutes: i16,
}

/// After how long something is said. Each can be made small for a demonstration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// A debit without slip is suspected (A01).
    pub slip_suspect_ms: i64,
    /// A debit without slip is rung about (A01).
    pub slip_alert_ms: i64,
    /// How long a terminal waits for an answer at most; a request older than this is a time-out.
    pub answer_wait_ms: i64,
    /// A reversal that is not acknowledged is told (A04).
    pub reversal_pending_ms: i64,
    /// The same when nothing is sold any more, so that nothing carries the reversal along (A04).
    pub reversal_after_last_sale_ms: i64,
    /// Two debits of one card and amount this close may be one purchase (A09).
    pub duplicate_window_ms: i64,
    /// The same for wallets.
    pub duplicate_window_qr_ms: i64,
    /// A terminal that says nothing this long while its shop is open is told (A18).
    pub silent_ms: i64,
}

impl Default for Deadlines {
    fn default() -> Deadlines {
        const SECOND: i64 = 1000;
        const MINUTE: i64 = 60 * SECOND;
        Deadlines {
            slip_suspect_ms: 120 * SECOND,
            slip_alert_ms: 300 * SECOND,
            answer_wait_ms: 120 * SECOND,
            reversal_pending_ms: 15 * MINUTE,
            reversal_after_last_sale_ms: 10 * MINUTE,
            duplicate_window_ms: 10 * MINUTE,
            duplicate_window_qr_ms: 30 * MINUTE,
            silent_ms: 30 * MINUTE,
        }
    }
}

/// All that the correlator is set to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    /// The agents that are known; what any other sends is put aside.
    pub agents: BTreeSet<AgentName>,
    /// The terminals that are judged.
    pub terminals: BTreeMap<TerminalName, TerminalPolicy>,
    /// The deadlines of all.
    pub deadlines: Deadlines,
    /// An agent that was not heard this long, on the collector's clock, is offline (A18).
    pub agent_offline_ms: i64,
}

impl Policies {
    /// [`Policies::agent_offline_ms`] where nothing else is set.
    pub const AGENT_OFFLINE_MS: i64 = 300_000;
}
