//! The technical undo of a payment without a sound answer: A04 while it is pending, A03 when it is lost.

use super::{Held, Say};
use crate::correlate::case::{Case, Window};
use crate::correlate::cause;
use crate::correlate::coverage::{Heard, Needs};
use crate::correlate::finding::{FindingKind, Resolution, Stage};
use crate::correlate::money::{Money, Undo};
use crate::correlate::policy::Deadlines;
use crate::correlate::timeline::StreamTime;
use crate::correlate::verdict::NotExpected;

fn over(money: Money) -> Resolution {
    match money {
        Money::Undone { how: NotExpected::Voided, .. } => Resolution::Voided,
        Money::Undone { how: NotExpected::Refunded, .. } => Resolution::Refunded,
        Money::Undone { .. } => Resolution::Reversed,
        Money::Debited { .. } | Money::Refused => Resolution::Answered,
        _ => Resolution::NotBorneOut,
    }
}

/// A03: the attempts to undo a debit are used up, or perhaps-debit: the shopper's money likely stays.
pub fn lost_reversal(case: &Case, money: Money, undo: Undo) -> Say {
    let Undo::Failed { at } = undo else { return Say::Not(over(money)) };
    if !case.kind.is_debit() || !money.may_be_gone() {
        return Say::Not(over(money));
    }
    let cause = cause::of_lost_answer(case);
    Say::Holds(Held::plain(FindingKind::TimeoutDebitLostReversal, Stage::Alerting, at, cause))
}

/// When a pending undo is told: lazy terminals send it along with their next message, so it is due some time after it
/// was written down, and sooner when no sale follows that would carry it.
pub fn due(since: StreamTime, last_sale: StreamTime, deadlines: &Deadlines) -> StreamTime {
    let at_last = since.plus_ms(deadlines.reversal_pending_ms);
    at_last.min(last_sale.max(since).plus_ms(deadlines.reversal_after_last_sale_ms))
}

/// Whether the time until a pending undo is told was heard, where that is settled.
pub fn window(case: &Case, undo: Undo, heard: &Heard<'_>) -> Option<Window> {
    let (Undo::Pending { since }, Some(due)) = (undo, case.reversal_due.get()) else {
        return case.reversal_window;
    };
    case.reversal_window.or_else(|| {
        if heard.watermark <= due {
            return None;
        }
        let hole = heard.hole_in(Needs::Money, since, due);
        Some(hole.map_or(Window::Whole, |hole| Window::Holed(hole.unknown())))
    })
}

/// A04: an undo is due and not acknowledged. `window` is that of [`window`].
pub fn reversal_pending(case: &Case, money: Money, undo: Undo, window: Option<Window>) -> Say {
    match undo {
        Undo::Failed { .. } if case.kind.is_debit() => {
            Say::Not(Resolution::GrewInto(FindingKind::TimeoutDebitLostReversal))
        }
        Undo::Pending { .. } | Undo::Failed { .. } if matches!(money, Money::Undone { .. }) => {
            Say::Not(over(money))
        }
        Undo::Pending { .. } => match (window, case.reversal_due.get()) {
            (Some(Window::Whole), Some(due)) => {
                let cause = cause::of_lost_answer(case);
                Say::Holds(Held::plain(FindingKind::ReversalPending, Stage::Alerting, due, cause))
            }
            _ => Say::Not(Resolution::NotBorneOut),
        },
        _ => Say::Not(over(money)),
    }
}
