//! A05: the money came after the shop had closed the order ("debit first, order later"). What was heard proves it, so
//! no silence has to be believed; only an undo of the order ends it.

use super::{Held, Say};
use crate::correlate::case::{Case, Fact, What};
use crate::correlate::cause::{Cause, CauseClass, CauseDetail};
use crate::correlate::facts::Sorts;
use crate::correlate::finding::{FindingKind, Resolution, Stage};
use crate::correlate::money::Money;
use crate::correlate::verdict::NotExpected;
use slipwatch_shared::event::{AbortedBy, Instrument};

/// A success that came after the order was closed, as the close and the success.
fn late(case: &Case) -> Option<(&Fact, &Fact)> {
    if !case.facts.have(Sorts::ABORTED) {
        return None;
    }
    let mut closed: Option<&Fact> = None;
    let mut taken = false;
    for fact in case.facts.iter() {
        match fact.what {
            // Asked anew, after a close or not: the order is open again.
            What::Requested => closed = None,
            What::Aborted(_) if !taken => closed = closed.or(Some(fact)),
            What::Approved | What::ApprovedOffline | What::Completed => match closed {
                Some(closed) => return Some((closed, fact)),
                None => taken = true,
            },
            _ => {}
        }
    }
    None
}

/// A05: a success behind the close of its order, and the debit stands.
pub fn late_success(case: &Case, money: Money) -> Say {
    let Some((closed, success)) = late(case).filter(|_| case.kind.is_debit()) else {
        return Say::Not(Resolution::NotBorneOut);
    };
    match money {
        Money::Undone { how: NotExpected::Voided, .. } => return Say::Not(Resolution::Voided),
        Money::Undone { how: NotExpected::Refunded, .. } => return Say::Not(Resolution::Refunded),
        Money::Undone { .. } => return Say::Not(Resolution::Reversed),
        _ => {}
    }
    let wallet = !matches!(case.keys.instrument, None | Some(Instrument::Card));
    let (class, confidence) = match closed.what {
        // A shopper confirms on the phone when it suits; a cashier who does not wait for it closed too soon.
        _ if wallet => (CauseClass::Consumer, 70),
        What::Aborted(AbortedBy::Operator) => (CauseClass::Operator, 60),
        What::Aborted(AbortedBy::Customer) => (CauseClass::Consumer, 60),
        What::Aborted(AbortedBy::Host) => (CauseClass::Institution, 60),
        _ => (CauseClass::TerminalFault, 40),
    };
    let cited = [closed.event, success.event];
    let cause = Cause::of(class, CauseDetail::LateConfirmation, confidence, cited);
    Say::Holds(Held::plain(FindingKind::LateSuccess, Stage::Alerting, success.at, cause))
}
