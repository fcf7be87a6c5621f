//! A02: the printer failed, or only the shop's copy came. At the alert deadline it becomes A01.

use super::slip::{ended, may_come_from, satisfied};
use super::{Held, Say};
use crate::correlate::case::{Case, What};
use crate::correlate::cause;
use crate::correlate::coverage::{Heard, Needs};
use crate::correlate::finding::{FindingKind, Resolution, Stage};
use crate::correlate::money::Money;
use crate::correlate::policy::{Deadlines, TerminalPolicy};
use crate::correlate::verdict::Verdict;

/// A printer error holds at once; a slip begun and not ended, or the shop's copy alone, once a slip is suspected
/// missing: the shopper's copy waits for a key.
pub fn print_failed(
    case: &Case,
    money: Money,
    verdict: &Verdict,
    heard: &Heard<'_>,
    policy: &TerminalPolicy,
    deadlines: &Deadlines,
) -> Say {
    let Some(debited) = money.debited() else { return Say::Not(Resolution::NotBorneOut) };
    match verdict {
        Verdict::Pending { .. } => {}
        Verdict::NoSlip { .. } => {
            return Say::Not(Resolution::GrewInto(FindingKind::NoReceiptDebit));
        }
        _ => return Say::Not(ended(verdict)),
    }
    let failed = |what: &What| matches!(what, What::SlipFailed(_) | What::SlipLost(_));
    let partly = |what: &What| matches!(what, What::SlipStarted(_) | What::SlipPrinted { .. });
    let suspect = debited.plus_ms(deadlines.slip_suspect_ms);
    let told = case.told(FindingKind::PrintFailed).is_some_and(|told| told.resolved.is_none());
    let from = may_come_from(case, debited);
    let incomplete =
        || told || heard.watermark > suspect && heard.hole_in(Needs::All, from, suspect).is_none();
    let since = match (case.first_fact(failed), case.first_fact(partly)) {
        (Some(failed), _) => failed.at,
        (None, Some(_)) if satisfied(case, policy.copies).is_none() && incomplete() => suspect,
        _ => return Say::Not(Resolution::NotBorneOut),
    };
    let cause = cause::of_missing_slip(case, debited, debited.plus_ms(deadlines.slip_alert_ms));
    Say::Holds(Held::plain(FindingKind::PrintFailed, Stage::Suspected, since, cause))
}
