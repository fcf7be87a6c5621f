//! A17: a printer that cannot be used: its trouble lasts, or one sale after the other has no slip. It explains the
//! missing slips of the debits that are made while it lasts, so it is told once for all of them.

use super::{Stand, Standing};
use crate::correlate::case::{Case, EventRef, Fact, Trouble, What};
use crate::correlate::cause::{CITED_MAX, Cause, CauseClass, CauseDetail};
use crate::correlate::coverage::Heard;
use crate::correlate::finding::{FindingKind, Severity};
use crate::correlate::money::{self, Money};
use crate::correlate::policy::Thresholds;
use crate::correlate::rules::slip;
use crate::correlate::timeline::StreamTime;
use slipwatch_shared::event::SlipLoss;

/// When a trouble that lasts is told.
pub fn state_due(trouble: &Fact, thresholds: &Thresholds) -> StreamTime {
    trouble.at.plus_ms(thresholds.printer_out_ms)
}

/// A17 by the printer's state, asked when the watermark has passed [`state_due`] and the trouble still stands. That it
/// ended may have been said in a hole.
pub fn state_out(trouble: &Fact, heard: &Heard<'_>, thresholds: &Thresholds) -> Stand {
    if heard.hole_in(trouble.at, state_due(trouble, thresholds)).is_some() {
        return Stand::AsItWas;
    }
    let What::Trouble(kind) = trouble.what else { return Stand::AsItWas };
    let detail = match kind {
        Trouble::PaperOut => CauseDetail::PaperOut,
        Trouble::CoverOpen => CauseDetail::CoverOpen,
        Trouble::Cutter => CauseDetail::Cutter,
        Trouble::Offline => CauseDetail::PrinterOffline,
        Trouble::Error => CauseDetail::PrinterError,
    };
    let cause = Cause::of(CauseClass::TerminalFault, detail, 95, [trouble.event]);
    Stand::Holds(Standing { severity: Severity::P2, since: trouble.at, cause, measure: 0 })
}

/// How the print of one debit came out, as far as it tells of the printer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Print {
    /// Paper came, or nothing was to come.
    Fine,
    /// Nothing came, and that is told.
    Missing { debited: StreamTime, event: EventRef },
    /// Not known yet.
    Open,
}

fn print_of(case: &Case) -> Print {
    let (money, _) = money::trace(case);
    let Some(debited) = money.debited().filter(|_| case.kind.is_debit()) else {
        return Print::Fine;
    };
    let cancelled =
        |what: &What| matches!(what, What::PrintCancelled | What::SlipLost(SlipLoss::Cancelled));
    let printed = |what: &What| matches!(what, What::SlipPrinted { .. });
    // The shop's copy alone, or a cancelled one: the printer is not to blame.
    if case.first_fact(printed).is_some() || case.first_fact(cancelled).is_some() {
        return Print::Fine;
    }
    let open = |kind| case.told(kind).is_some_and(|told| told.resolved.is_none());
    if open(FindingKind::NoReceiptDebit) || open(FindingKind::PrintFailed) {
        let cited = case.told(FindingKind::PrintFailed).or(case.told(FindingKind::NoReceiptDebit));
        let event = cited.and_then(|told| told.cause.cited.last().copied()).unwrap_or(case.first);
        return Print::Missing { debited, event };
    }
    let waits = matches!(money, Money::Debited { .. }) && slip::waits(&case.verdict);
    if waits { Print::Open } else { Print::Fine }
}

/// A17 by sales in a row, asked when a missing slip is told of one of these payments (in their order). `printed` is when
/// paper last came out, of whatever: what was sold before that is no word against the printer now.
pub fn sales_out<'a>(
    cases: impl DoubleEndedIterator<Item = &'a Case>,
    printed: Option<StreamTime>,
    thresholds: &Thresholds,
) -> Stand {
    let count = (thresholds.printer_sales as usize).clamp(1, CITED_MAX);
    let mut missing: Vec<(StreamTime, EventRef)> = Vec::new();
    for case in cases.rev().filter(|case| case.kind.is_debit()) {
        match print_of(case) {
            Print::Open => {}
            Print::Fine if money::trace(case).0.debited().is_none() => {}
            Print::Fine => break,
            Print::Missing { debited, .. } if printed.is_some_and(|at| at >= debited) => break,
            Print::Missing { debited, event } => missing.push((debited, event)),
        }
        if missing.len() == count {
            break;
        }
    }
    if missing.len() < count {
        return Stand::AsItWas;
    }
    let since = missing.iter().map(|(at, _)| *at).min().expect("there are some");
    let cited = missing.iter().rev().map(|(_, event)| *event);
    let cause = Cause::of(CauseClass::TerminalFault, CauseDetail::SalesWithoutSlip, 75, cited);
    let measure = missing.len() as i64;
    Stand::Holds(Standing { severity: Severity::P2, since, cause, measure })
}
