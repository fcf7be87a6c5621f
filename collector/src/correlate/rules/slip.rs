//! The slip of a debit: printed, late, not due, pending, missing, or not known. A01 rests on it.

use super::{Held, Say};
use crate::correlate::case::{Case, What, Window};
use crate::correlate::cause;
use crate::correlate::coverage::{Heard, Needs};
use crate::correlate::facts::Sorts;
use crate::correlate::finding::{FindingKind, Resolution, Stage};
use crate::correlate::money::Money;
use crate::correlate::policy::{Deadlines, TerminalPolicy, WhoPrints};
use crate::correlate::timeline::StreamTime;
use crate::correlate::verdict::{NotExpected, Unknown, Verdict};
use slipwatch_shared::card::EntryMode;
use slipwatch_shared::event::{Copy, SlipGrade};
use slipwatch_shared::money::Amount;

/// The slip that satisfies, when it came first, and the best grade of all that do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Satisfied {
    /// When the first one came.
    pub at: StreamTime,
    /// The surest of them.
    pub grade: SlipGrade,
}

/// What in a case satisfies the policy: with two copies the shopper's, a reprint, or one that does not say whose it
/// is (it gets the benefit of the doubt); with one copy any.
pub fn satisfied(case: &Case, copies: u8) -> Option<Satisfied> {
    let mut found: Option<Satisfied> = None;
    if !case.facts.have(Sorts::PRINTED) {
        return found;
    }
    for fact in case.facts.iter() {
        let What::SlipPrinted { copy, reprint, grade } = fact.what else { continue };
        if copies > 1 && copy == Some(Copy::Merchant) && !reprint {
            continue;
        }
        let first = found.get_or_insert(Satisfied { at: fact.at, grade });
        first.at = first.at.min(fact.at);
        first.grade = first.grade.max(grade);
    }
    found
}

/// From when on a slip of a debit may have come. Terminals close a payment behind its slip: where that is the first that
/// was heard of its success, the slip came between request and close, and the request itself may not have been heard.
pub fn may_come_from(case: &Case, debited: StreamTime) -> StreamTime {
    const PRINTED_BEFORE_MS: i64 = 120_000;
    if case.first_fact(What::is_success).is_none_or(|fact| fact.what != What::Completed) {
        return debited;
    }
    let asked = case.first_fact(|what| *what == What::Requested).map(|fact| fact.at);
    asked.unwrap_or(debited.plus_ms(-PRINTED_BEFORE_MS)).min(debited)
}

/// Whether the time from `from` to `due` was heard, where that is settled: kept once it is.
fn window(
    kept: Option<Window>,
    from: StreamTime,
    due: StreamTime,
    heard: &Heard<'_>,
) -> Option<Window> {
    kept.or_else(|| {
        if heard.watermark <= due {
            return None;
        }
        if !heard.hears_slips() {
            return Some(Window::Holed(Unknown::NoSlipSource));
        }
        let hole = heard.hole_in(Needs::All, from, due);
        Some(hole.map_or(Window::Whole, |hole| Window::Holed(hole.unknown())))
    })
}

/// What is said of the slip, and whether its window is settled.
pub fn verdict(
    case: &Case,
    money: Money,
    heard: &Heard<'_>,
    policy: Option<&TerminalPolicy>,
    deadlines: &Deadlines,
) -> (Verdict, Option<Window>) {
    let not = |why| (Verdict::NotExpected { why }, case.slip_window);
    let Some(policy) = policy else {
        return (Verdict::Unknown { why: Unknown::NotJudged }, case.slip_window);
    };
    if !case.kind.is_debit() {
        return not(NotExpected::NotADebit);
    }
    let debited = match money {
        Money::Untouched | Money::Open { .. } => return not(NotExpected::Unanswered),
        Money::Refused => return not(NotExpected::Declined),
        Money::Aborted => return not(NotExpected::Aborted),
        Money::Undone { debited: None, how, .. } => return not(how),
        Money::Asked { at } => {
            let due = at.plus_ms(deadlines.answer_wait_ms);
            if heard.watermark > due {
                return not(NotExpected::Unanswered);
            }
            return (pending(due, heard), case.slip_window);
        }
        Money::Undone { debited: Some(at), .. } | Money::Debited { at } => at,
    };
    let due = debited.plus_ms(deadlines.slip_alert_ms);
    if let Some(Satisfied { at, grade }) = satisfied(case, policy.copies) {
        let late = at > due;
        let verdict =
            if late { Verdict::PrintedLate { grade } } else { Verdict::Printed { grade } };
        return (verdict, case.slip_window);
    }
    if let Some(why) = excused(case, policy) {
        return not(why);
    }
    if let Money::Undone { how, .. } = money {
        return not(how);
    }
    if case.was_made_unheard() {
        return (Verdict::Unknown { why: Unknown::MadeOffline }, case.slip_window);
    }
    let window = window(case.slip_window, may_come_from(case, debited), due, heard);
    let verdict = match window {
        None => pending(due, heard),
        Some(Window::Holed(why)) => Verdict::Unknown { why },
        Some(Window::Whole) => {
            let cause = cause::of_missing_slip(case, debited, due);
            Verdict::NoSlip { cause: cause.class, confidence: cause.confidence }
        }
    };
    (verdict, window)
}

fn pending(due: StreamTime, heard: &Heard<'_>) -> Verdict {
    match heard.offline {
        true => Verdict::Unknown { why: Unknown::AgentOffline },
        false => Verdict::Pending { due },
    }
}

/// Whether something is still awaited of a verdict.
pub fn waits(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Pending { .. } | Verdict::Unknown { why: Unknown::AgentOffline })
}

/// Why no paper is due for a debit that has none.
fn excused(case: &Case, policy: &TerminalPolicy) -> Option<NotExpected> {
    if case.facts.have(Sorts::ISSUED) {
        return Some(NotExpected::IssuedElectronically);
    }
    if case.facts.have(Sorts::DECLINED) {
        return Some(NotExpected::DeclinedByShopper);
    }
    if policy.who_prints == WhoPrints::None {
        return Some(NotExpected::NobodyPrints);
    }
    let amount = case.keys.amount?;
    let tapped = case.keys.card.and_then(|card| card.entry_mode) == Some(EntryMode::Contactless);
    let due_from = [policy.slip_due_from, policy.contactless_due_from.filter(|_| tapped)];
    let below =
        |due_from: &Amount| amount.currency == due_from.currency && amount.minor < due_from.minor;
    due_from.iter().flatten().any(below).then_some(NotExpected::BelowAmount)
}

/// When the verdict must be looked at next, if nothing is said meanwhile.
pub fn next_look(
    case: &Case,
    money: Money,
    verdict: &Verdict,
    watermark: StreamTime,
    deadlines: &Deadlines,
) -> Option<StreamTime> {
    if !waits(verdict) {
        return None;
    }
    match money {
        Money::Asked { at } => Some(at.plus_ms(deadlines.answer_wait_ms)),
        Money::Debited { at } => {
            let alert = at.plus_ms(deadlines.slip_alert_ms);
            let suspect = at.plus_ms(deadlines.slip_suspect_ms).min(alert);
            Some(if watermark <= suspect { suspect } else { alert })
        }
        _ => Some(case.opened),
    }
}

/// A01: approved, a slip is due, and none came. `print_failed`: A02 holds, so the suspicion is told already.
pub fn no_receipt_debit(
    case: &Case,
    money: Money,
    verdict: &Verdict,
    heard: &Heard<'_>,
    deadlines: &Deadlines,
    print_failed: bool,
) -> Say {
    let Some(debited) = money.debited() else { return Say::Not(Resolution::NotBorneOut) };
    let held = |stage, due: i64| {
        let due_at = debited.plus_ms(due);
        let cause = cause::of_missing_slip(case, debited, due_at);
        Say::Holds(Held::plain(FindingKind::NoReceiptDebit, stage, due_at, cause))
    };
    match verdict {
        Verdict::NoSlip { .. } => held(Stage::Alerting, deadlines.slip_alert_ms),
        Verdict::Pending { .. } if !print_failed => {
            let due = debited.plus_ms(deadlines.slip_suspect_ms);
            let suspected = heard.watermark > due
                && heard.hears_slips()
                && heard.hole_in(Needs::All, may_come_from(case, debited), due).is_none();
            match suspected {
                true => held(Stage::Suspected, deadlines.slip_suspect_ms),
                false => Say::Not(Resolution::NotBorneOut),
            }
        }
        Verdict::Pending { .. } => Say::Not(Resolution::GrewInto(FindingKind::PrintFailed)),
        _ => Say::Not(ended(verdict)),
    }
}

/// How a finding about a missing slip ends by this verdict.
pub fn ended(verdict: &Verdict) -> Resolution {
    match verdict {
        Verdict::Printed { .. } | Verdict::PrintedLate { .. } => Resolution::SlipPrinted,
        Verdict::NotExpected { why } => match why {
            NotExpected::Reversed => Resolution::Reversed,
            NotExpected::Voided => Resolution::Voided,
            NotExpected::Refunded => Resolution::Refunded,
            NotExpected::IssuedElectronically => Resolution::SlipIssued,
            NotExpected::DeclinedByShopper => Resolution::SlipDeclined,
            _ => Resolution::NotBorneOut,
        },
        Verdict::Unknown { .. } => Resolution::NotKnown,
        Verdict::Pending { .. } | Verdict::NoSlip { .. } => Resolution::NotBorneOut,
    }
}
