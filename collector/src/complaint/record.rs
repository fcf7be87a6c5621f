//! A complaint from its opening to its end, and what time makes of it: pure, so that every reminder can be tested without
//! a clock. What was said is never changed; what is known of it is.

use super::answer::{Answer, Outcome, Promise, Reason};
use super::deadline::{Calendar, Due, DueKind};
use super::matching::Source;
use super::said::Said;
use crate::settlement::row::worded;
use slipwatch_shared::times::EventTime;

worded! {
    /// What happened to a complaint.
    Step {
        /// It was written down.
        Opened = "opened",
        /// A payment was found to be the one, by the desk itself.
        Matched = "matched",
        /// A person chose the payment.
        Chosen = "chosen",
        /// Nothing fits (A25).
        Unmatched = "unmatched",
        /// The shopper was answered.
        Answered = "answered",
        /// A date was reminded of.
        Reminded = "reminded",
        /// A date passed.
        Passed = "passed",
        /// What was promised was done.
        Kept = "kept",
        /// What was promised was not done in time.
        Broken = "broken",
        /// It was closed.
        Closed = "closed",
        /// The payment that was chosen is not the one.
        Unchosen = "unchosen",
    }
}

worded! {
    /// How far A25 is.
    Unmatched {
        /// Something fits, or somebody chose.
        No = "no",
        /// Nothing fits yet: shown, not told.
        Suspected = "suspected",
        /// Nothing fits, and it was told.
        Told = "told",
    }
}

/// An answer as it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    /// What was said.
    pub answer: Answer,
    /// When.
    pub at: EventTime,
    /// Whether the promise in it was kept; absent while that is open.
    pub kept: Option<bool>,
}

/// What was told of a date that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToldDue {
    /// Of what.
    pub kind: DueKind,
    /// Which date.
    pub at: EventTime,
    /// That it passed, too.
    pub passed: bool,
}

/// A complaint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Its number: what the shopper is told.
    pub number: u64,
    /// What the shopper says.
    pub said: Said,
    /// When it came in.
    pub received: EventTime,
    /// What it is about, once that is known.
    pub chosen: Option<Source>,
    /// A person chose, or took a choice back: the desk chooses no more.
    pub by_hand: bool,
    /// How far A25 is.
    pub unmatched: Unmatched,
    /// The last answer.
    pub given: Option<Given>,
    /// What was last told of a date.
    pub told: Option<ToldDue>,
    /// The scheme's limit was warned of.
    pub scheme_told: bool,
    /// When it was closed.
    pub closed: Option<EventTime>,
}

/// Most complaints that are open at once; a desk with more has another problem.
pub const OPEN_MAX: usize = 100_000;
/// Most lines of history that one complaint has; what comes behind them is not written down.
pub const HISTORY_MAX: usize = 200;
/// Most characters of a line of history.
pub const HISTORY_CHARS_MAX: usize = 300;

/// How a complaint stands against what is known now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Something fits what was said.
    pub fits: bool,
    /// The answer that is true now.
    pub answer: Answer,
    /// When the payment was, where it is known.
    pub paid_at: Option<EventTime>,
}

/// What time, or news, makes of a complaint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A25 is raised, to be shown.
    Suspect,
    /// A25 is told.
    TellUnmatched,
    /// Something fits: A25 ends.
    Fits,
    /// What was promised was done.
    Kept,
    /// What was promised was not done in time.
    Broken,
    /// A date comes near.
    Remind(Due),
    /// A date passed.
    Passed(Due),
}

impl Complaint {
    /// The promise that is still owed.
    pub fn promised(&self) -> Option<(Promise, EventTime)> {
        let given = self.given.filter(|given| given.kept.is_none())?;
        given.answer.promise
    }

    /// What is next due; nothing of a closed one.
    pub fn due(&self, calendar: &Calendar, paid_at: Option<EventTime>) -> Option<Due> {
        if self.closed.is_some() {
            return None;
        }
        let answered = self.given.is_some();
        let promised = self.promised();
        // What was promised and not done stays due until the shopper is answered anew.
        let broken = self.given.filter(|given| given.kept == Some(false));
        let promised = promised.or(broken.and_then(|given| given.answer.promise));
        Some(calendar.next_due(self.received, answered, promised, paid_at, self.scheme_told))
    }

    /// Whether a date of it passed.
    pub fn is_overdue(&self, calendar: &Calendar, now: EventTime) -> bool {
        self.due(calendar, None).is_some_and(|due| due.at <= now)
    }

    /// What `now`, and what is known now, make of it. Each change comes once.
    pub fn changes(&self, calendar: &Calendar, standing: &Standing, now: EventTime) -> Vec<Change> {
        let mut changes = Vec::new();
        if self.closed.is_some() {
            return changes;
        }
        let told_from = self.received.0.saturating_add(calendar.unmatched_ms);
        match (self.unmatched, self.chosen.is_some() || standing.fits) {
            (Unmatched::Suspected | Unmatched::Told, true) => changes.push(Change::Fits),
            (Unmatched::No | Unmatched::Suspected, false) if now.0 >= told_from => {
                changes.push(Change::TellUnmatched)
            }
            (Unmatched::No, false) => changes.push(Change::Suspect),
            _ => {}
        }
        if let (Some((promise, until)), Some(given)) = (self.promised(), self.given) {
            if is_kept(promise, &given.answer, &standing.answer, until, now) {
                changes.push(Change::Kept);
                return changes;
            }
            if now >= until {
                changes.push(Change::Broken);
            }
        }
        changes.extend(self.date(calendar, standing, now));
        changes
    }

    fn date(&self, calendar: &Calendar, standing: &Standing, now: EventTime) -> Option<Change> {
        let due = self.due(calendar, standing.paid_at)?;
        // Money that a file gives back needs no reminder: it is on its way.
        let on_its_way = self.given.is_some_and(|given| {
            let reasons = [given.answer.reason, standing.answer.reason];
            due.kind == DueKind::Promised && reasons.into_iter().all(is_on_its_way)
        });
        if on_its_way {
            return None;
        }
        let told = self.told.filter(|told| told.kind == due.kind && told.at == due.at);
        match told {
            None if now >= due.at && due.kind != DueKind::Scheme => Some(Change::Passed(due)),
            None if now >= due.remind_at => Some(Change::Remind(due)),
            Some(told) if !told.passed && now >= due.at && due.kind != DueKind::Scheme => {
                Some(Change::Passed(due))
            }
            _ => None,
        }
    }
}

fn is_on_its_way(reason: Reason) -> bool {
    matches!(reason, Reason::Credited | Reason::OtherOneUndone | Reason::Reversed | Reason::Voided)
}

/// Whether what is true now is what was promised.
fn is_kept(
    promise: Promise,
    given: &Answer,
    current: &Answer,
    until: EventTime,
    now: EventTime,
) -> bool {
    match promise {
        Promise::Slip => {
            let there = current.outcome() == Outcome::SlipReprinted;
            // Money that went back needs no slip.
            there || matches!(current.outcome(), Outcome::ReversalDone | Outcome::MoneyBackExpected)
        }
        Promise::MoneyBack => {
            let booked = matches!(current.reason, Reason::Credited | Reason::OtherOneUndone);
            // What was undone before it was settled never left the account; what a file gave back is there by then.
            let is_there =
                is_on_its_way(given.reason) && is_on_its_way(current.reason) && now >= until;
            is_there || booked && given.reason == Reason::RefundApproved
        }
        // A person gives it.
        Promise::Word => false,
    }
}

#[cfg(test)]
mod tests;
