//! What a terminal is judged by: who prints there, from which amount a slip is due, and the deadlines. Plain values;
//! the settings file is read elsewhere. All durations are milliseconds of stream time unless said otherwise.

use slipwatch_shared::money::Amount;
use slipwatch_shared::terminal::{AgentId, StoreId, TerminalId};
use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

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
    /// Nobody: no slip is expected.
    None,
    /// Nobody on paper: each debit's slip goes out electronically, and one that does not is missing.
    Electronic,
    /// The settings do not say, and nobody has confirmed what was learned: the terminal is not judged.
    Unsaid,
}

impl WhoPrints {
    /// All of them.
    pub const ALL: [WhoPrints; 6] = [
        WhoPrints::Terminal,
        WhoPrints::TillFromTerminalText,
        WhoPrints::TillOwnLayout,
        WhoPrints::None,
        WhoPrints::Electronic,
        WhoPrints::Unsaid,
    ];

    /// Its word in the settings.
    pub fn label(self) -> &'static str {
        match self {
            WhoPrints::Terminal => "terminal",
            WhoPrints::TillFromTerminalText => "till_from_terminal_text",
            WhoPrints::TillOwnLayout => "till_own_layout",
            WhoPrints::None => "none",
            WhoPrints::Electronic => "electronic",
            WhoPrints::Unsaid => "unsaid",
        }
    }
}

/// Why a text says nobody who prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected \"terminal\", \"till_from_terminal_text\", \"till_own_layout\", \"electronic\" or \"none\""
)]
pub struct WhoPrintsError;

impl FromStr for WhoPrints {
    type Err = WhoPrintsError;

    fn from_str(text: &str) -> Result<WhoPrints, WhoPrintsError> {
        let said = |who: &WhoPrints| who.label() == text && *who != WhoPrints::Unsaid;
        WhoPrints::ALL.into_iter().find(said).ok_or(WhoPrintsError)
    }
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
    /// Its slips show no number that can be read (pictures): one that is printed while a slip is due is taken for it.
    pub slips_without_keys: bool,
    /// From which amount a slip is due; absent: from any.
    pub slip_due_from: Option<Amount>,
    /// The same of payments by a contactless card, where it differs: taps of small amounts often print nothing.
    pub contactless_due_from: Option<Amount>,
    /// When the shop is open; absent: a silent terminal is not judged.
    pub opening: Option<OpeningHours>,
    /// Deadlines that differ from those of all; absent: those of all.
    pub deadlines: Option<Box<Deadlines>>,
    /// Thresholds that differ from those of all; absent: those of all.
    pub thresholds: Option<Box<Thresholds>>,
    /// The acquirer whose host it calls; absent: told by the merchant number of its payments.
    pub acquirer: Option<Acquirer>,
}

impl Default for TerminalPolicy {
    /// The terminal prints two copies of each debit; its opening hours are not known.
    fn default() -> TerminalPolicy {
        TerminalPolicy {
            who_prints: WhoPrints::Terminal,
            copies: 2,
            two_way: false,
            slips_without_keys: false,
            slip_due_from: None,
            contactless_due_from: None,
            opening: None,
            deadlines: None,
            thresholds: None,
            acquirer: None,
        }
    }
}

/// When a shop is open: the same hours each day but those on which it is closed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpeningHours {
    /// Minute of the local day it opens, 0 to 1439.
    pub from_minute: u16,
    /// Minute of the local day it closes; at or below `from_minute`: on the next day.
    pub to_minute: u16,
    /// Minutes that local time is ahead of UTC.
    pub utc_offset_minutes: i16,
    /// Days of the week on which it is closed, a bit each, Monday the lowest.
    pub closed_weekdays: u8,
    /// Days on which it is closed, in days since 1970-01-01 by the local clock.
    pub closed_days: Vec<i64>,
}

impl OpeningHours {
    /// Closes it on a day of each week, Monday being 0.
    pub fn closes_on(&mut self, weekday: u8) {
        self.closed_weekdays |= 1 << (weekday % 7);
    }

    /// Whether it does not open on a day, in days since 1970-01-01, a Thursday.
    pub fn is_closed_on(&self, day: i64) -> bool {
        let weekday = (day + 3).rem_euclid(7);
        self.closed_weekdays >> weekday & 1 == 1 || self.closed_days.contains(&day)
    }
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

/// From when on a terminal's own state is told, and when that is over. Asked only when something of the kind happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// An offline approval that was not uploaded is told after this (A15).
    pub upload_ms: i64,
    /// So many reversals of one terminal within [`Thresholds::storm_window_ms`] are a storm (A16).
    pub storm_reversals: u32,
    /// The time in which they are counted.
    pub storm_window_ms: i64,
    /// A terminal without a reversal this long is calm again; an acquirer's share is counted over as long.
    pub storm_calm_ms: i64,
    /// So many of a hundred requests to one acquirer that end in a reversal are a storm.
    pub route_percent: u32,
    /// Fewer requests than this prove nothing.
    pub route_requests: u32,
    /// A printer in trouble this long is out (A17).
    pub printer_out_ms: i64,
    /// So is one when so many sales in a row had no slip.
    pub printer_sales: u32,
    /// A clock further off than this is told (A19).
    pub skew_ms: i64,
    /// Further than this it is told the same day.
    pub skew_grave_ms: i64,
    /// Nearer than this it is right again.
    pub skew_clear_ms: i64,
    /// A trace that jumps further than this is told (A20).
    pub trace_jump: u32,
    /// So many prints cancelled by one operator in a week are a habit (A21).
    pub operator_cancels: u32,
    /// So many payments run again after a time-out.
    pub operator_reruns: u32,
    /// So many cards typed by hand.
    pub operator_manual: u32,
    /// So many voids of a hundred sales.
    pub operator_void_percent: u32,
    /// Fewer sales than this prove nothing.
    pub operator_sales: u32,
    /// A batch that is not closed this long is overdue.
    pub close_overdue_ms: i64,
    /// So many payments of one card within [`Thresholds::card_window_ms`] are told (A22); zero: never, for fares and
    /// vending.
    pub card_repeats: u32,
    /// The time in which they are counted.
    pub card_window_ms: i64,
}

impl Default for Thresholds {
    fn default() -> Thresholds {
        const SECOND: i64 = 1000;
        const MINUTE: i64 = 60 * SECOND;
        const HOUR: i64 = 60 * MINUTE;
        Thresholds {
            upload_ms: 24 * HOUR,
            storm_reversals: 3,
            storm_window_ms: 10 * MINUTE,
            storm_calm_ms: 15 * MINUTE,
            route_percent: 5,
            route_requests: 20,
            printer_out_ms: 10 * MINUTE,
            printer_sales: 2,
            skew_ms: MINUTE,
            skew_grave_ms: 5 * MINUTE,
            skew_clear_ms: 30 * SECOND,
            trace_jump: 50,
            operator_cancels: 5,
            operator_reruns: 3,
            operator_manual: 10,
            operator_void_percent: 10,
            operator_sales: 30,
            close_overdue_ms: 48 * HOUR,
            card_repeats: 5,
            card_window_ms: HOUR,
        }
    }
}

/// An acquirer, or the route to one: three digits at the head of a merchant number, or a name of the settings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Acquirer(Box<str>);

/// Longest name of an acquirer.
pub const ACQUIRER_CHARS_MAX: usize = 32;

impl Acquirer {
    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is no acquirer's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to 32 letters, digits and dashes")]
pub struct AcquirerError;

impl Borrow<str> for Acquirer {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for Acquirer {
    type Err = AcquirerError;

    fn from_str(text: &str) -> Result<Acquirer, AcquirerError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let sound = (1..=ACQUIRER_CHARS_MAX).contains(&text.len()) && text.bytes().all(plain);
        if sound { Ok(Acquirer(text.into())) } else { Err(AcquirerError) }
    }
}

impl fmt::Display for Acquirer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// All that the correlator is set to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    /// The agents that are known; what any other sends is put aside.
    pub agents: BTreeSet<AgentName>,
    /// The terminals that are judged.
    pub terminals: BTreeMap<TerminalName, TerminalPolicy>,
    /// What any other terminal is judged by; absent: it is not judged. Recordings without settings need it.
    pub otherwise: Option<TerminalPolicy>,
    /// The deadlines of all.
    pub deadlines: Deadlines,
    /// The thresholds of all.
    pub thresholds: Thresholds,
    /// An agent that was not heard this long, on the collector's clock, is offline (A18).
    pub agent_offline_ms: i64,
}

impl Policies {
    /// What a terminal is judged by, where that is known.
    pub fn of(&self, store: &StoreId, terminal: TerminalId) -> Option<&TerminalPolicy> {
        let name = TerminalName { store: store.clone(), terminal };
        self.terminals.get(&name).or(self.otherwise.as_ref())
    }

    /// The terminals of one shop.
    pub fn terminals_of<'a>(&'a self, store: &'a StoreId) -> impl Iterator<Item = TerminalId> + 'a {
        let least = "!".parse().expect("the least of all numbers");
        let from = TerminalName { store: store.clone(), terminal: least };
        let rest = self.terminals.range(from..);
        rest.take_while(move |(name, _)| name.store == *store).map(|(name, _)| name.terminal)
    }

    /// [`Policies::agent_offline_ms`] where nothing else is set.
    pub const AGENT_OFFLINE_MS: i64 = 300_000;
}
