//! Where the money of a payment stands, in one number of its row: what matching and judging ask of ten million payments
//! without reading each one's facts.

use super::row::worded;
use crate::correlate::case::Case;
use crate::correlate::money::{self, Money};
use crate::correlate::verdict::NotExpected;

worded! {
    /// Where the money of a payment stands, as the terminal told it.
    Standing {
        /// Stored by a version that did not write it down: its facts tell.
        Untold = "untold",
        /// Nobody asked for it.
        Untouched = "untouched",
        /// The host was asked and did not answer.
        Asked = "asked",
        /// No sound answer: it may be gone.
        Open = "open",
        /// The host took it.
        Debited = "debited",
        /// Undone by a reversal that was acknowledged.
        Reversed = "reversed",
        /// Undone by the cashier's void.
        Voided = "voided",
        /// Given back.
        Refunded = "refunded",
        /// The host refused.
        Refused = "refused",
        /// Ended before an answer: closed or cancelled on the screen.
        Aborted = "aborted",
    }
}

impl Standing {
    /// Folds a payment's facts.
    pub fn of(case: &Case) -> Standing {
        match money::trace(case).0 {
            Money::Untouched => Standing::Untouched,
            Money::Asked { .. } => Standing::Asked,
            Money::Open { .. } => Standing::Open,
            Money::Debited { .. } => Standing::Debited,
            Money::Undone { how: NotExpected::Voided, .. } => Standing::Voided,
            Money::Undone { how: NotExpected::Refunded, .. } => Standing::Refunded,
            Money::Undone { .. } => Standing::Reversed,
            Money::Refused => Standing::Refused,
            Money::Aborted => Standing::Aborted,
        }
    }

    /// The debit was undone, and the terminal holds the acknowledgement.
    pub fn is_undone(self) -> bool {
        matches!(self, Standing::Reversed | Standing::Voided | Standing::Refunded)
    }

    /// The shop's screen said that no money was taken.
    pub fn is_closed_unpaid(self) -> bool {
        matches!(self, Standing::Refused | Standing::Aborted)
    }
}
