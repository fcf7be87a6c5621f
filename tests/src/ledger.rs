//! A second, naive opinion: from what really happened, and from when the agent could not listen, it says what is to be
//! said of each payment. It shares no line and no type with the collector's rules, and is meant to be believed by
//! reading it once.

use crate::terminal::{Copy, Payment, Word};

/// What is to be said of a payment's slip. The words are the collector's labels, so that the two can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// The shopper has the slip, in time.
    Printed,
    /// The shopper has it, late.
    PrintedLate,
    /// The shopper was debited and has none.
    NoSlip,
    /// None is due, and why.
    NotExpected(&'static str),
    /// Nobody can tell.
    Unknown,
}

impl Due {
    /// The collector's label for it.
    pub fn label(self) -> &'static str {
        match self {
            Due::Printed => "printed",
            Due::PrintedLate => "printed_late",
            Due::NoSlip => "no_slip",
            Due::NotExpected(_) => "not_expected",
            Due::Unknown => "unknown",
        }
    }

    /// Whether this verdict, in the collector's words, says the same.
    pub fn is(self, label: &str, reason: Option<&str>) -> bool {
        match self {
            Due::NotExpected(why) => label == self.label() && reason == Some(why),
            _ => label == self.label(),
        }
    }
}

/// A time in which an agent could not hear a terminal's line, in the world's milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deaf {
    /// Which terminal.
    pub terminal: String,
    /// Whether only one of its lines was deaf, and whether that was the printer's.
    pub line: DeafLine,
    /// From when.
    pub from: i64,
    /// Until when.
    pub until: i64,
}

/// Which of a terminal's lines was deaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeafLine {
    /// All of them.
    Both,
    /// The terminal's own.
    Terminal,
    /// The printer's.
    Printer,
}

/// What the ledger has to know of the house.
#[derive(Clone, Copy, Debug)]
pub struct House {
    /// A slip that comes later than this after the approval is late.
    pub alert_ms: i64,
    /// From which amount a slip is due, in minor units.
    pub due_from: i64,
    /// A reversal that is not acknowledged so long is told.
    pub reversal_pending_ms: i64,
    /// An agent can say what it heard only so much later: a deaf time reaches back by as much, since what was heard
    /// just before may be lost with it.
    pub slack_ms: i64,
}

/// The ledger's opinion of one payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opinion {
    /// One of these, and nothing else.
    OneOf(Vec<Due>),
    /// Words of it may have gone unheard, so much can be said; but not that there is no slip.
    AnythingButNoSlip,
    /// Words of it may have gone unheard, and there is no slip, so anything may be said.
    Anything,
}

/// What really is to be said, by one who saw everything.
pub fn truth(payment: &Payment, house: &House) -> Due {
    let said = |wanted: Word| payment.when(|word| word == wanted);
    if let (Some(approved), Some(printed)) = (said(Word::Approved), shoppers_slip(payment)) {
        let in_time = printed - approved <= house.alert_ms;
        return if in_time { Due::Printed } else { Due::PrintedLate };
    }
    if said(Word::SlipOnScreen).is_some() {
        return Due::NotExpected("issued_electronically");
    }
    if said(Word::SlipUnwanted).is_some() {
        return Due::NotExpected("declined_by_shopper");
    }
    if said(Word::VoidApproved).is_some() {
        return Due::NotExpected("voided");
    }
    if said(Word::ReversalAcknowledged).is_some() {
        return Due::NotExpected("reversed");
    }
    if said(Word::Approved).is_none() {
        if payment.when(|word| matches!(word, Word::Refused(_))).is_some() {
            return Due::NotExpected("declined");
        }
        let asked = said(Word::Requested).is_some();
        return Due::NotExpected(if asked { "unanswered" } else { "aborted" });
    }
    if payment.amount < house.due_from {
        return Due::NotExpected("below_amount");
    }
    Due::NoSlip
}

fn shoppers_slip(payment: &Payment) -> Option<i64> {
    payment.when(|word| matches!(word, Word::SlipPrinted { copy: Copy::Customer, .. }))
}

/// What may be said by one who could not listen at these times.
pub fn opinion(payment: &Payment, house: &House, deaf: &[Deaf]) -> Opinion {
    let due = truth(payment, house);
    let deaf: Vec<&Deaf> = deaf.iter().filter(|deaf| deaf.terminal == payment.terminal).collect();
    let approved = payment.when(|word| word == Word::Approved);
    let deadline = approved.unwrap_or(payment.began()) + house.alert_ms;
    let life = (payment.began(), payment.ended().max(deadline));
    let touches = |deaf: &Deaf, (from, until): (i64, i64)| {
        deaf.from - house.slack_ms <= until && deaf.until + house.slack_ms >= from
    };
    if !deaf.iter().any(|deaf| touches(deaf, life)) {
        return Opinion::OneOf(vec![due]);
    }
    let all_heard = payment.spoken.iter().all(|spoken| {
        let line_of = |deaf: &Deaf| match deaf.line {
            DeafLine::Both => true,
            DeafLine::Terminal => !spoken.word.is_printers(),
            DeafLine::Printer => spoken.word.is_printers(),
        };
        !deaf.iter().any(|deaf| line_of(deaf) && touches(deaf, (spoken.at, spoken.at)))
    });
    match (due, all_heard) {
        // All was heard, and what was heard needs no silence to be believed.
        (Due::Printed | Due::PrintedLate | Due::NotExpected(_), true) => Opinion::OneOf(vec![due]),
        (Due::NoSlip, true) => {
            let surely = |deaf: &&Deaf| {
                deaf.from < deadline && approved.is_some_and(|approved| deaf.until > approved)
            };
            match deaf.iter().any(surely) {
                true => Opinion::OneOf(vec![Due::Unknown]),
                false => Opinion::OneOf(vec![Due::NoSlip, Due::Unknown]),
            }
        }
        (Due::NoSlip | Due::PrintedLate, false) => Opinion::Anything,
        (_, _) => Opinion::AnythingButNoSlip,
    }
}

/// Whether it may ever be said, even for a moment, that there is no slip.
pub fn may_ever_be_missed(payment: &Payment, house: &House) -> bool {
    matches!(truth(payment, house), Due::NoSlip | Due::PrintedLate)
}

/// A finding that is due about a payment: its number in the catalogue, and whether it still stands in the end.
pub type FindingDue = (&'static str, Standing);

/// How a finding stands in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It still holds.
    Open,
    /// It ended.
    Over,
}

/// The findings that are due about a payment, by one who saw everything. A09 is due about two payments and is not
/// among them: see [`pays_twice`].
pub fn findings(payment: &Payment, house: &House) -> Vec<FindingDue> {
    let said = |wanted: Word| payment.when(|word| word == wanted);
    let mut due = Vec::new();
    let truth = truth(payment, house);
    match truth {
        Due::NoSlip => due.push(("A01", Standing::Open)),
        Due::PrintedLate => due.push(("A01", Standing::Over)),
        _ => {}
    }
    let failed = |word| matches!(word, Word::SlipFailed(_) | Word::PrintCancelled);
    let printer_failed = payment.when(failed).is_some();
    let shop_copy = payment.when(|word| matches!(word, Word::SlipPrinted { .. })).is_some();
    if printer_failed || (truth == Due::NoSlip && shop_copy) {
        due.push(("A02", Standing::Over));
    }
    if said(Word::ReversalFailed).is_some() {
        due.push(("A03", Standing::Open));
    }
    let (pending, undone) = (said(Word::ReversalPending), said(Word::ReversalAcknowledged));
    if let (Some(pending), Some(undone)) = (pending, undone)
        && undone - pending > house.reversal_pending_ms
    {
        due.push(("A04", Standing::Over));
    }
    due
}

/// Whether this is the payment that another one repeats.
pub fn pays_twice(first: &Payment, second: &Payment) -> bool {
    first.terminal == second.terminal
        && first.amount == second.amount
        && (first.first_six, first.last_four) == (second.first_six, second.last_four)
        && first.stan != second.stan
}
