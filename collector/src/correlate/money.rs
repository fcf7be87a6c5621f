//! Where the shopper's money is, as far as one payment's facts tell. Pure; the slip is no concern of it.

use super::case::{Case, What};
use super::timeline::StreamTime;
use super::verdict::NotExpected;
use slipwatch_shared::event::{ExchangePhase, ReversalPhase};

/// Where the money is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Money {
    /// Nobody asked for it.
    Untouched,
    /// The host was asked and has not answered.
    Asked {
        /// When.
        at: StreamTime,
    },
    /// No sound answer: it may be gone.
    Open {
        /// Since when.
        since: StreamTime,
    },
    /// The host took it.
    Debited {
        /// When.
        at: StreamTime,
    },
    /// It went back.
    Undone {
        /// When it had been taken, where it had.
        debited: Option<StreamTime>,
        /// When it went back.
        at: StreamTime,
        /// How.
        how: NotExpected,
    },
    /// The host refused.
    Refused,
    /// It ended before an answer.
    Aborted,
}

/// How far the technical undo is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undo {
    /// None is due.
    None,
    /// Due or under way since then, and not acknowledged.
    Pending {
        /// Since when.
        since: StreamTime,
    },
    /// The host acknowledged it.
    Acknowledged,
    /// Attempts used up.
    Failed {
        /// When.
        at: StreamTime,
    },
}

impl Money {
    /// When the host took it; also of money that went back since.
    pub fn debited(&self) -> Option<StreamTime> {
        match *self {
            Money::Debited { at } => Some(at),
            Money::Undone { debited, .. } => debited,
            _ => None,
        }
    }

    /// Taken, or perhaps taken, and not back.
    pub fn may_be_gone(&self) -> bool {
        matches!(self, Money::Debited { .. } | Money::Open { .. })
    }
}

/// Folds a payment's facts, in the order of the stream.
pub fn trace(case: &Case) -> (Money, Undo) {
    let (mut money, mut undo) = (Money::Untouched, Undo::None);
    for fact in case.facts.iter() {
        let at = fact.at;
        money = match (money, fact.what) {
            // What went back stays back: an answer that comes after the undo was acknowledged is the undone one.
            (Money::Undone { .. }, _) => money,
            (Money::Untouched, What::Requested) => Money::Asked { at },
            (Money::Debited { .. }, what) if what.is_success() => money,
            (_, What::Approved | What::ApprovedOffline) => Money::Debited { at },
            (Money::Untouched, What::Uploaded(ExchangePhase::Declined)) => Money::Refused,
            (_, What::Uploaded(ExchangePhase::Declined)) => money,
            (_, What::Uploaded(_)) => Money::Debited { at },
            (Money::Refused, What::Completed) => money,
            (_, What::Completed) => Money::Debited { at },
            (Money::Debited { .. }, What::Refused | What::Unsound(_) | What::TimedOut) => money,
            (_, What::Refused) => Money::Refused,
            (Money::Open { .. }, What::Unsound(_) | What::TimedOut) => money,
            (_, What::Unsound(_) | What::TimedOut) => Money::Open { since: at },
            (Money::Untouched | Money::Asked { .. }, What::Aborted(_)) => Money::Aborted,
            // What was cancelled while it waited, and has to be undone, may have been taken.
            (
                Money::Untouched | Money::Aborted,
                What::Reversal(ReversalPhase::Pending | ReversalPhase::Sent),
            ) => Money::Open { since: at },
            (
                Money::Untouched | Money::Asked { .. } | Money::Aborted,
                What::Reversal(ReversalPhase::Failed),
            ) => Money::Open { since: at },
            (_, What::Reversal(ReversalPhase::Acknowledged)) => {
                Money::Undone { debited: money.debited(), at, how: NotExpected::Reversed }
            }
            (_, What::Voided) => {
                Money::Undone { debited: money.debited(), at, how: NotExpected::Voided }
            }
            (_, What::Refunded) => {
                Money::Undone { debited: money.debited(), at, how: NotExpected::Refunded }
            }
            _ => money,
        };
        undo = step(undo, fact.what, at);
    }
    (money, undo)
}

fn step(undo: Undo, what: What, at: StreamTime) -> Undo {
    match (undo, what) {
        (Undo::Acknowledged, _) => undo,
        (_, What::Reversal(ReversalPhase::Acknowledged)) => Undo::Acknowledged,
        (_, What::Reversal(ReversalPhase::Failed)) => Undo::Failed { at },
        (Undo::Failed { .. }, What::Reversal(_)) => undo,
        (Undo::Pending { .. }, What::Unsound(_) | What::TimedOut | What::Reversal(_)) => undo,
        (_, What::Unsound(_) | What::TimedOut | What::Reversal(_)) => Undo::Pending { since: at },
        // The record of the undo is written around sending and deleted after a sound answer.
        (
            Undo::Pending { .. },
            What::Approved | What::ApprovedOffline | What::Refused | What::Completed,
        ) => Undo::None,
        _ => undo,
    }
}
