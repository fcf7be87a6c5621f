//! A11: the sums of a batch. The host's answer to the close, its sums beside the terminal's, and what was heard of the
//! batch, where all of it was. Voids stand on both sides or on none, as the acquirer has it: either is equal.

use super::{Stand, Standing};
use crate::correlate::case::EventRef;
use crate::correlate::cause::{Cause, CauseClass, CauseDetail};
use crate::correlate::coverage::{Heard, Needs};
use crate::correlate::finding::{Resolution, Severity};
use crate::correlate::policy::Thresholds;
use crate::correlate::shape::{Shape, ShapeError, shape_struct};
use crate::correlate::timeline::StreamTime;
use slipwatch_shared::event::{Kind, SettlementResult, SettlementTotals, TotalsBy};
use slipwatch_shared::money::{Amount, Currency};

/// A count and a sum, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    count: u32,
    minor: i64,
}

impl Sum {
    fn add(&mut self, minor: i64, sign: i64) {
        self.count = self.count.saturating_add_signed(sign as i32);
        self.minor = self.minor.saturating_add(minor.saturating_mul(sign));
    }

    fn less(self, other: Sum) -> Sum {
        Sum {
            count: self.count.saturating_sub(other.count),
            minor: self.minor.saturating_sub(other.minor),
        }
    }
}

/// The sums of a close, as one side names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Named {
    debit: Sum,
    credit: Sum,
    event: EventRef,
}

/// What was heard of the batch that is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// When the last close was heard; absent: nobody knows what went before.
    begun: Option<StreamTime>,
    /// The first payment since.
    first: Option<StreamTime>,
    debit: Sum,
    credit: Sum,
    /// Of the credit: voids, whose sales are in the debit.
    voided: Sum,
    currency: Option<Currency>,
    /// A payment without amount, or of another currency: sums of it prove nothing.
    unclear: bool,
    terminal: Option<Named>,
    host: Option<Named>,
}

impl Day {
    /// A payment became one of this batch.
    pub fn take(&mut self, kind: Kind, amount: Option<Amount>, at: StreamTime) {
        self.first.get_or_insert(at);
        self.count(kind, amount, 1);
    }

    /// A payment of this batch was reversed: no trace of it is left in the sums.
    pub fn give_back(&mut self, kind: Kind, amount: Option<Amount>, at: StreamTime) {
        if self.first.is_some_and(|first| at >= first) {
            self.count(kind, amount, -1);
        }
    }

    fn count(&mut self, kind: Kind, amount: Option<Amount>, sign: i64) {
        let Some(amount) = amount else {
            self.unclear |= kind != Kind::BalanceInquiry && kind != Kind::Preauthorization;
            return;
        };
        let minor = amount.minor.abs();
        match kind {
            Kind::Sale | Kind::Completion => self.debit.add(minor, sign),
            Kind::Refund => self.credit.add(minor, sign),
            Kind::Void => {
                self.credit.add(minor, sign);
                self.voided.add(minor, sign);
            }
            Kind::Preauthorization | Kind::BalanceInquiry => return,
        }
        let currency = *self.currency.get_or_insert(amount.currency);
        self.unclear |= currency != amount.currency;
    }

    /// When the batch is overdue, if it is not closed (A21); absent where no close of this terminal was ever heard.
    pub fn overdue(&self, thresholds: &Thresholds) -> Option<(StreamTime, StreamTime)> {
        self.begun?;
        self.first.map(|first| (first, first.plus_ms(thresholds.close_overdue_ms)))
    }

    /// Whether the sums that were heard are those that are named, voids on both sides or on none.
    fn agrees(&self, named: &Named) -> bool {
        let gross = (self.debit, self.credit);
        let net = (self.debit.less(self.voided), self.credit.less(self.voided));
        [gross, net].contains(&(named.debit, named.credit))
    }

    /// The day's sums as one side names them. Tells whether the two sides differ.
    pub fn named(&mut self, totals: &SettlementTotals, at: StreamTime, event: EventRef) -> Stand {
        let minor = |amount: Option<Amount>| amount.map_or(0, |amount| amount.minor.abs());
        let named = Named {
            debit: Sum { count: totals.debit_count, minor: minor(totals.debit) },
            credit: Sum { count: totals.credit_count, minor: minor(totals.credit) },
            event,
        };
        match totals.by {
            TotalsBy::Terminal => self.terminal = Some(named),
            TotalsBy::Host => self.host = Some(named),
        }
        let (Some(terminal), Some(host)) = (self.terminal, self.host) else {
            return Stand::AsItWas;
        };
        match (terminal.debit, terminal.credit) == (host.debit, host.credit) {
            true => Stand::AsItWas,
            false => differs(&terminal, &host, at),
        }
    }

    /// A11, asked when the close ended; `heard` is what was heard of the terminal. The next batch begins with it.
    pub fn close(
        &mut self,
        result: SettlementResult,
        at: StreamTime,
        event: EventRef,
        heard: &Heard<'_>,
    ) -> Stand {
        let holds = |class, detail, confidence, measure, cited: &[EventRef]| {
            let cited = cited.iter().copied().chain([event]);
            let cause = Cause::of(class, detail, confidence, cited);
            Stand::Holds(Standing { severity: Severity::P2, since: at, cause, measure })
        };
        if result == SettlementResult::Error {
            // The batch is still open.
            return holds(CauseClass::Institution, CauseDetail::HostError, 70, 0, &[]);
        }
        let whole =
            self.begun.is_some_and(|begun| heard.hole_in(Needs::Money, begun, at).is_none());
        let own = self.terminal.filter(|_| whole && !self.unclear);
        let missing = own.filter(|named| !self.agrees(named));
        let stand = match (missing, self.terminal, self.host, result) {
            (Some(named), ..) => {
                let measure = self.debit.minor - named.debit.minor;
                let (class, detail) = (CauseClass::TerminalFault, CauseDetail::RowsMissing);
                holds(class, detail, 75, measure, &[named.event])
            }
            (None, Some(terminal), Some(host), SettlementResult::Unbalanced) => {
                differs(&terminal, &host, at)
            }
            (None, _, _, SettlementResult::Unbalanced) => {
                holds(CauseClass::Unknown, CauseDetail::TotalsDiffer, 0, 0, &[])
            }
            _ => Stand::Not(Resolution::Balanced),
        };
        *self = Day { begun: Some(at), ..Day::default() };
        stand
    }
}

/// The two sides name different sums. What was heard does not contradict the terminal's, so the host's are the likelier
/// to lack something.
fn differs(terminal: &Named, host: &Named, since: StreamTime) -> Stand {
    let measure = host.debit.minor - terminal.debit.minor;
    let cited = [terminal.event, host.event];
    let cause = Cause::of(CauseClass::Institution, CauseDetail::TotalsDiffer, 55, cited);
    Stand::Holds(Standing { severity: Severity::P2, since, cause, measure })
}

impl Shape for Currency {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_str().bytes().for_each(|byte| out.push(byte));
    }

    fn take(bytes: &mut &[u8]) -> Result<Currency, ShapeError> {
        let (code, rest) = bytes.split_first_chunk::<3>().ok_or(ShapeError)?;
        *bytes = rest;
        std::str::from_utf8(code).ok().and_then(|code| code.parse().ok()).ok_or(ShapeError)
    }
}

shape_struct!(Sum { count, minor });
shape_struct!(Named { debit, credit, event });
shape_struct!(Day { begun, first, debit, credit, voided, currency, unclear, terminal, host });
