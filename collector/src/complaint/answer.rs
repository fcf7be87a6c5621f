//! What a shopper is told: one of six outcomes, derived from where the money and the slip stand, with the reason behind it
//! and the date that is promised. Says "no such debit" only of a time that was wholly heard; anything else is an inquiry.

use super::deadline::Calendar;
use super::said::Trouble;
use crate::correlate::case::{Case, What};
use crate::correlate::finding::FindingKind;
use crate::correlate::money::{self, Money, Undo};
use crate::correlate::verdict::{NotExpected, Verdict};
use crate::settlement::row::worded;
use slipwatch_shared::event::{Instrument, Kind};
use slipwatch_shared::times::EventTime;

worded! {
    /// The six things that a shopper can be told.
    Outcome {
        /// The payment stands, and its slip is there, or this answer stands in its place.
        SlipReprinted = "slip_reprinted",
        /// The debit was undone: nothing is taken.
        ReversalDone = "reversal_done",
        /// The money was taken and given back; it is on its way.
        MoneyBackExpected = "money_back_expected",
        /// A refund was begun.
        RefundStarted = "refund_started",
        /// It is looked into, under the complaint's number.
        UnderInquiry = "under_inquiry",
        /// No such debit was seen.
        NoSuchDebit = "no_such_debit",
    }
}

worded! {
    /// Why that is the outcome.
    Reason {
        /// The slip was printed again.
        Reprinted = "reprinted",
        /// The slip was printed when it was paid.
        PrintedThen = "printed_then",
        /// The slip went out without paper.
        SentElectronically = "sent_electronically",
        /// No slip is due there; this answer stands in its place.
        NoSlipDue = "no_slip_due",
        /// The technical undo was acknowledged.
        Reversed = "reversed",
        /// The cashier's undo was approved.
        Voided = "voided",
        /// A settlement file gives it back.
        Credited = "credited",
        /// The refund was approved at the terminal; no file has it yet.
        RefundApproved = "refund_approved",
        /// The other one of two debits was given back.
        OtherOneUndone = "other_one_undone",
        /// Paid, and the slip is still owed.
        SlipOwed = "slip_owed",
        /// Paid, and the line was not heard: whether a slip came is not known.
        SlipNotHeard = "slip_not_heard",
        /// The undo waits.
        ReversalWaits = "reversal_waits",
        /// The undo failed for good.
        ReversalFailed = "reversal_failed",
        /// The host did not answer: nobody knows yet.
        NoAnswer = "no_answer",
        /// It was undone, and a settlement file has it all the same.
        UndoneButSettled = "undone_but_settled",
        /// The shop's screen said unpaid, and the money came.
        PaidAfterClose = "paid_after_close",
        /// Two debits were seen.
        TwoDebits = "two_debits",
        /// The settlement file has another amount.
        AmountDiffers = "amount_differs",
        /// A settlement file has it; no terminal of ours made it.
        OnlyInFile = "only_in_file",
        /// The host refused it.
        Declined = "declined",
        /// It ended before it was paid.
        Cancelled = "cancelled",
        /// Nothing fits, and the shop was heard all the time.
        NothingFits = "nothing_fits",
        /// Nothing fits, and the shop was not heard all the time.
        NotHeard = "not_heard",
        /// Nothing fits, and which shop it was is not known.
        WhichShop = "which_shop",
        /// Nothing fits, and when it was is not known.
        WhichDay = "which_day",
        /// More than one payment fits.
        SeveralFit = "several_fit",
        /// Paid a moment ago, and the slip may still come.
        SlipAwaited = "slip_awaited",
        /// One payment comes near to what was said, and does not agree in all.
        OneComesNear = "one_comes_near",
    }
}

impl Reason {
    /// Which of the six it comes to.
    pub fn outcome(self) -> Outcome {
        match self {
            Reason::Reprinted
            | Reason::PrintedThen
            | Reason::SentElectronically
            | Reason::NoSlipDue => Outcome::SlipReprinted,
            Reason::Reversed | Reason::Voided => Outcome::ReversalDone,
            Reason::Credited => Outcome::MoneyBackExpected,
            Reason::RefundApproved => Outcome::RefundStarted,
            Reason::OtherOneUndone => Outcome::MoneyBackExpected,
            Reason::SlipOwed
            | Reason::SlipAwaited
            | Reason::SlipNotHeard
            | Reason::ReversalWaits
            | Reason::ReversalFailed
            | Reason::NoAnswer
            | Reason::UndoneButSettled
            | Reason::PaidAfterClose
            | Reason::TwoDebits
            | Reason::AmountDiffers
            | Reason::OnlyInFile
            | Reason::NotHeard
            | Reason::WhichShop
            | Reason::WhichDay
            | Reason::SeveralFit
            | Reason::OneComesNear => Outcome::UnderInquiry,
            Reason::Declined | Reason::Cancelled | Reason::NothingFits => Outcome::NoSuchDebit,
        }
    }
}

worded! {
    /// What is promised with a date.
    Promise {
        /// The slip is printed, or this answer is signed in its place.
        Slip = "slip",
        /// The money is back on the card or in the wallet.
        MoneyBack = "money_back",
        /// The shopper is told more.
        Word = "word",
    }
}

/// What a shopper is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Why.
    pub reason: Reason,
    /// When the fact behind it was, where it is one.
    pub fact_at: Option<EventTime>,
    /// What is promised, until when.
    pub promise: Option<(Promise, EventTime)>,
}

impl Answer {
    /// Which of the six.
    pub fn outcome(&self) -> Outcome {
        self.reason.outcome()
    }
}

/// What settlement files say of a payment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Booked {
    /// A row settles it, surely.
    pub settled: bool,
    /// When a row gave it back.
    pub credited: Option<EventTime>,
}

/// How far the shop was heard over the time in question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Every terminal of the shop, without a gap.
    Whole,
    /// Not wholly.
    Not,
    /// The shopper named no shop.
    WhichShop,
    /// The shopper named no day.
    WhichDay,
}

/// What was found.
#[derive(Clone, Copy, Debug)]
pub enum Found<'a> {
    /// A payment.
    Payment {
        /// All that is known of it.
        case: &'a Case,
        /// What files say.
        booked: Booked,
        /// The other one of two debits, with what files say of it.
        partner: Option<(&'a Case, Booked)>,
    },
    /// A row of a settlement file that no terminal is behind.
    Row {
        /// It gives money back.
        gives_back: bool,
        /// When it is booked.
        at: EventTime,
    },
    /// Several that may be meant.
    Several,
    /// One that may be meant, and is not sure.
    OneNear,
    /// Nothing that fits.
    Nothing(Heard),
}

/// Derives the answer. `now` is when it is given: what is promised counts from there.
pub fn answer(found: Found<'_>, trouble: Trouble, now: EventTime, calendar: &Calendar) -> Answer {
    let (reason, fact_at, by_wallet) = match found {
        Found::Payment { case, booked, partner } => {
            let by_wallet =
                case.keys.instrument.is_some_and(|instrument| instrument != Instrument::Card);
            let (reason, at) = of_payment(case, booked, partner, trouble);
            (reason, at, by_wallet)
        }
        Found::Row { gives_back: true, at } => (Reason::Credited, Some(at), false),
        Found::Row { gives_back: false, at } => (Reason::OnlyInFile, Some(at), false),
        Found::Several => (Reason::SeveralFit, None, false),
        Found::OneNear => (Reason::OneComesNear, None, false),
        Found::Nothing(heard) => {
            let reason = match heard {
                Heard::Whole => Reason::NothingFits,
                Heard::Not => Reason::NotHeard,
                Heard::WhichShop => Reason::WhichShop,
                Heard::WhichDay => Reason::WhichDay,
            };
            (reason, None, false)
        }
    };
    let back_days = calendar.money_back_days(by_wallet);
    let promise = match (reason.outcome(), reason) {
        (Outcome::SlipReprinted | Outcome::NoSuchDebit, _) => None,
        (Outcome::ReversalDone | Outcome::MoneyBackExpected | Outcome::RefundStarted, _) => {
            let from = fact_at.unwrap_or(now);
            Some((Promise::MoneyBack, calendar.business_days_after(from, back_days)))
        }
        (_, Reason::SlipOwed | Reason::SlipAwaited | Reason::SlipNotHeard) => {
            Some((Promise::Slip, calendar.business_days_after(now, calendar.first_answer_days)))
        }
        (Outcome::UnderInquiry, _) => {
            Some((Promise::Word, calendar.business_days_after(now, calendar.inquiry_days)))
        }
    };
    Answer { reason, fact_at, promise }
}

fn of_payment(
    case: &Case,
    booked: Booked,
    partner: Option<(&Case, Booked)>,
    trouble: Trouble,
) -> (Reason, Option<EventTime>) {
    let wall = |at| Some(case.wall(at));
    let (money, undo) = money::trace(case);
    if matches!(case.kind, Kind::Refund | Kind::Void) {
        return match booked.credited {
            Some(at) => (Reason::Credited, Some(at)),
            None => (Reason::RefundApproved, wall(case.opened)),
        };
    }
    match money {
        Money::Undone { at, how, .. } => match (how, booked) {
            (_, Booked { credited: Some(at), .. }) => (Reason::Credited, Some(at)),
            (NotExpected::Refunded, _) => (Reason::RefundApproved, wall(at)),
            (_, Booked { settled: true, .. }) => (Reason::UndoneButSettled, wall(at)),
            (NotExpected::Voided, _) => (Reason::Voided, wall(at)),
            _ => (Reason::Reversed, wall(at)),
        },
        _ if booked.credited.is_some() => (Reason::Credited, booked.credited),
        Money::Debited { at } => debited(case, at, partner, trouble),
        Money::Refused | Money::Aborted if booked.settled => (Reason::PaidAfterClose, None),
        Money::Refused => (Reason::Declined, wall(case.last_heard())),
        Money::Aborted => (Reason::Cancelled, wall(case.last_heard())),
        Money::Asked { at } | Money::Open { since: at } => match undo {
            Undo::Failed { at } => (Reason::ReversalFailed, wall(at)),
            Undo::Pending { since } => (Reason::ReversalWaits, wall(since)),
            Undo::None | Undo::Acknowledged => (Reason::NoAnswer, wall(at)),
        },
        Money::Untouched => (Reason::NoAnswer, wall(case.opened)),
    }
}

fn debited(
    case: &Case,
    at: crate::correlate::timeline::StreamTime,
    partner: Option<(&Case, Booked)>,
    trouble: Trouble,
) -> (Reason, Option<EventTime>) {
    let wall = |at| Some(case.wall(at));
    let is_open = |kind| case.told(kind).is_some_and(|told| told.resolved.is_none());
    if let Some((other, booked)) = partner {
        match money::trace(other).0 {
            Money::Undone { at, .. } => return (Reason::OtherOneUndone, Some(other.wall(at))),
            _ if booked.credited.is_some() => return (Reason::OtherOneUndone, booked.credited),
            _ if trouble == Trouble::ChargedTwice || is_open(FindingKind::DuplicateDebit) => {
                return (Reason::TwoDebits, Some(other.wall(other.opened)));
            }
            _ => {}
        }
    }
    if is_open(FindingKind::LateSuccess) {
        return (Reason::PaidAfterClose, wall(at));
    }
    if is_open(FindingKind::AmountMismatch) {
        return (Reason::AmountDiffers, wall(at));
    }
    let printed = case.last_fact(|what| matches!(what, What::SlipPrinted { .. }));
    let printed_at = printed.map_or(at, |fact| fact.at);
    let reprint =
        matches!(printed.map(|fact| fact.what), Some(What::SlipPrinted { reprint: true, .. }));
    match case.verdict {
        Verdict::PrintedLate { .. } => (Reason::Reprinted, wall(printed_at)),
        Verdict::Printed { .. } if reprint => (Reason::Reprinted, wall(printed_at)),
        Verdict::Printed { .. } => (Reason::PrintedThen, wall(printed_at)),
        Verdict::NotExpected { why: NotExpected::IssuedElectronically } => {
            (Reason::SentElectronically, wall(at))
        }
        Verdict::NotExpected { .. } => (Reason::NoSlipDue, wall(at)),
        Verdict::NoSlip { .. } => (Reason::SlipOwed, wall(at)),
        Verdict::Pending { .. } => (Reason::SlipAwaited, wall(at)),
        Verdict::Unknown { .. } => (Reason::SlipNotHeard, wall(at)),
    }
}

#[cfg(test)]
mod tests;
