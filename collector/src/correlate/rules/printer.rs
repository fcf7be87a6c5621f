//! A17: a printer that cannot be used: its trouble lasts, or one sale after the other has no slip. It explains the
//! missing slips of the debits that are made while it lasts, so it is told once for all of them.

use super::{Stand, Standing};
use crate::correlate::case::{Case, EventRef, Fact, Trouble, What};
use crate::correlate::cause::{CITED_MAX, Cause, CauseClass, CauseDetail};
use crate::correlate::coverage::{Heard, Needs};
use crate::correlate::finding::Severity;
use crate::correlate::money;
use crate::correlate::policy::Thresholds;
use crate::correlate::shape::shape_struct;
use crate::correlate::timeline::StreamTime;
use slipwatch_shared::event::SlipLoss;

/// When a trouble that lasts is told.
pub fn state_due(trouble: &Fact, thresholds: &Thresholds) -> StreamTime {
    trouble.at.plus_ms(thresholds.printer_out_ms)
}

/// A17 by the printer's state, asked when the watermark has passed [`state_due`] and the trouble still stands. That it
/// ended may have been said in a hole.
pub fn state_out(trouble: &Fact, heard: &Heard<'_>, thresholds: &Thresholds) -> Stand {
    if heard.hole_in(Needs::Slips, trouble.at, state_due(trouble, thresholds)).is_some() {
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

/// A debit whose missing slip is told, and that the printer may be to blame for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slipless {
    /// When the money went.
    pub debited: StreamTime,
    /// The payment.
    pub first: EventRef,
    /// What tells that nothing came.
    pub event: EventRef,
}

/// Most debits without slip that are remembered of one printer.
pub const ROW_MAX: usize = CITED_MAX;

/// Whether the missing slip of a payment speaks against the printer. The shop's copy alone does not, nor does a print that
/// was cancelled, unless the printer was in trouble, too.
pub fn blames(case: &Case) -> Option<(StreamTime, EventRef)> {
    let (money, _) = money::trace(case);
    let debited = money.debited()?;
    let printed = case.first_fact(|what| matches!(what, What::SlipPrinted { .. }));
    let cancelled = case.first_fact(|what| {
        matches!(what, What::PrintCancelled | What::SlipLost(SlipLoss::Cancelled))
    });
    let trouble = case.first_fact(|what| matches!(what, What::Trouble(_) | What::SlipFailed(_)));
    if printed.is_some() || (cancelled.is_some() && trouble.is_none()) {
        return None;
    }
    Some((debited, trouble.map_or(case.first, |fact| fact.event)))
}

/// A17 by sales in a row: those without slip since paper last came out, in the order of their debits.
pub fn sales_out(row: &[Slipless], thresholds: &Thresholds) -> Stand {
    let count = (thresholds.printer_sales as usize).clamp(1, ROW_MAX);
    let Some(from) = row.len().checked_sub(count) else { return Stand::AsItWas };
    let row = &row[from..];
    let cited = row.iter().map(|slipless| slipless.event);
    let cause = Cause::of(CauseClass::TerminalFault, CauseDetail::SalesWithoutSlip, 75, cited);
    let (since, measure) = (row[0].debited, row.len() as i64);
    Stand::Holds(Standing { severity: Severity::P2, since, cause, measure })
}

shape_struct!(Slipless { debited, first, event });
