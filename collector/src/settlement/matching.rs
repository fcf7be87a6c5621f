//! Rows of settlement files against payments of terminals: which row settles which payment, by which rule, and how
//! surely. Exact numbers first, then numbers that leave a single candidate, then a score over what is left, assigned so
//! that the sum is best. One row settles one payment. Pure: rows and candidates in, links out; asks no store.

mod assign;
mod exact;
mod score;

use super::row::{MerchantName, SettlementRow, worded};
use super::standing::Standing;
use slipwatch_shared::event::Kind;
use slipwatch_shared::money::Amount;
use slipwatch_shared::terminal::{MerchantId, TerminalId};
use slipwatch_shared::times::EventTime;
use slipwatch_shared::trace::{
    AuthorizationCode, BatchNumber, ChannelTransactionId, OrderNumber, Rrn, Stan,
};
use std::collections::{BTreeMap, BTreeSet};

pub use exact::match_exactly;
pub use score::match_the_rest;

worded! {
    /// By which rule a row was linked, the surest first.
    Tier {
        /// Channel transaction id and kind.
        E1 = "E1",
        /// Merchant, terminal, batch, trace and kind, within three days.
        E2 = "E2",
        /// Merchant, terminal and reference number, within three days.
        E3 = "E3",
        /// Merchant, order number and kind, within seven days.
        E4 = "E4",
        /// Terminal, trace and amount without a batch, within twelve hours, the only candidate.
        P1 = "P1",
        /// The reference number's tail is the trace; same amount, within a day, the only candidate.
        P2 = "P2",
        /// Authorization code, last four and amount, within a day, the only candidate.
        P3 = "P3",
        /// Trace, first six, last four and amount, within a day, the only candidate.
        P4 = "P4",
        /// By score, clearly ahead of any other: probable.
        Scored = "F",
        /// By score, not clearly: a suggestion to a person, which links nothing.
        Suggested = "S",
    }
}

impl Tier {
    /// Only probable: closes nothing and rings nobody.
    pub fn is_probable(self) -> bool {
        matches!(self, Tier::Scored | Tier::Suggested)
    }
}

worded! {
    /// What a row is to the payment that it is linked with.
    Role {
        /// It settles it.
        Settles = "settles",
        /// It gives it back: the other half of a payment that was undone.
        Offsets = "offsets",
        /// It repeats a row that settles it already: debited twice in the file.
        Repeats = "repeats",
        /// It may settle it: shown to a person.
        Suggested = "suggested",
    }
}

/// A payment that may stand behind a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its number in the store.
    pub id: i64,
    /// Its shop, by its place in the [`Grouping`].
    pub shop: u32,
    /// What kind of business.
    pub kind: Kind,
    /// When it began, by the agent's clock.
    pub at: EventTime,
    /// What the terminal says was approved.
    pub amount: Option<Amount>,
    /// Field 41.
    pub terminal: Option<TerminalId>,
    /// Field 42.
    pub merchant: Option<MerchantId>,
    /// 凭证号
    pub stan: Option<Stan>,
    /// 批次号
    pub batch_number: Option<BatchNumber>,
    /// 参考号
    pub rrn: Option<Rrn>,
    /// 授权码
    pub authorization_code: Option<AuthorizationCode>,
    /// The shop's order number.
    pub order_number: Option<Box<OrderNumber>>,
    /// The wallet's or processor's number.
    pub channel_transaction_id: Option<Box<ChannelTransactionId>>,
    /// The card's first six digits, where the store was asked for them.
    pub first_six: Option<u32>,
    /// The card's last four digits.
    pub last_four: Option<u16>,
    /// Where its money stands.
    pub standing: Standing,
    /// Something is open about it that a settled row confirms.
    pub has_open_findings: bool,
}

/// A row and the payment it was linked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The row's place among those given.
    pub row: usize,
    /// The payment's place among the candidates.
    pub candidate: usize,
    /// What the row is to it.
    pub role: Role,
    /// By which rule.
    pub tier: Tier,
    /// How surely, in thousandths.
    pub score: u16,
}

/// Which shops a merchant's account and a terminal belong to, as the settings say. A merchant that no setting names is
/// taken for that of the payments which carry its number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grouping {
    /// Shops of a merchant's account.
    pub merchants: BTreeMap<MerchantName, BTreeSet<u32>>,
    /// Shops of a terminal's number.
    pub terminals: BTreeMap<TerminalId, BTreeSet<u32>>,
    /// Shops of the whole file, where its statement names them.
    pub shops: BTreeSet<u32>,
}

/// Field 42 is fifteen characters; accounts at wallets and processors are not, and are another word for the same shop.
const MERCHANT_CHARS: usize = 15;

impl Grouping {
    /// Whether a payment may be of the account that a row is of.
    pub fn holds(&self, row: &SettlementRow, candidate: &Candidate) -> bool {
        if let (Some(left), Some(right)) = (row.merchant.as_deref(), &candidate.merchant) {
            if left == right.as_str() {
                return true;
            }
            if left.len() == MERCHANT_CHARS && right.as_str().len() == MERCHANT_CHARS {
                return false;
            }
        }
        match self.shops_of(row) {
            Some(shops) => shops.contains(&candidate.shop),
            // Nothing in the settings narrows it: the numbers must do.
            None => true,
        }
    }

    /// The shops that a row may be of; absent where no setting tells.
    pub fn shops_of(&self, row: &SettlementRow) -> Option<&BTreeSet<u32>> {
        let of_terminal = row.terminal.and_then(|terminal| self.terminals.get(&terminal));
        let of_merchant = || row.merchant.as_deref().and_then(|name| self.merchants.get(name));
        of_terminal
            .or_else(of_merchant)
            .or_else(|| Some(&self.shops).filter(|shops| !shops.is_empty()))
    }

    /// The one shop that a row is of, where that is clear.
    pub fn shop_of(&self, row: &SettlementRow) -> Option<u32> {
        let shops = self.shops_of(row)?;
        shops.first().copied().filter(|_| shops.len() == 1)
    }
}

/// What an amount may differ by and still be the same payment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tolerance {
    /// A tip of at most so many hundredths of the approved amount may have been added (20 where tips are on).
    pub tip_percent_max: u8,
}

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Milliseconds between a row and a payment; of a row that tells its day alone, zero anywhere in it.
pub fn apart_ms(row: &SettlementRow, candidate: &Candidate) -> i64 {
    let Some(time) = row.time else { return 0 };
    let span_ms = match time.precision {
        super::row::Precision::Second => 0,
        super::row::Precision::Minute => 60_000,
        super::row::Precision::Day => DAY_MS,
    };
    let ahead = candidate.at.0.saturating_sub(time.at.0);
    if ahead < 0 { -ahead } else { (ahead - span_ms).max(0) }
}

/// How the amounts of a row and of the payment behind it stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// The same.
    Equal,
    /// More by no more than a tip.
    Tip,
    /// In two currencies: the shopper chose his own (DCC). Both are kept, none is judged.
    OtherCurrency,
    /// The terminal told none.
    Untold,
    /// Another.
    Differs {
        /// What the terminal knows, in minor units.
        terminal_minor: i64,
        /// What was settled, in minor units.
        settled_minor: i64,
    },
}

/// Compares what a row settles with what the terminal approved, signs aside.
pub fn compare(row: &SettlementRow, candidate: &Candidate, tolerance: Tolerance) -> Compared {
    let Some(known) = candidate.amount else { return Compared::Untold };
    if known.currency != row.amount.currency {
        return Compared::OtherCurrency;
    }
    let (terminal_minor, settled_minor) = (known.minor.abs(), row.amount.minor.abs());
    let tip = settled_minor - terminal_minor;
    let tip_max = terminal_minor.saturating_mul(i64::from(tolerance.tip_percent_max)) / 100;
    match tip {
        0 => Compared::Equal,
        1.. if tip <= tip_max => Compared::Tip,
        _ => Compared::Differs { terminal_minor, settled_minor },
    }
}

#[cfg(test)]
mod tests;
