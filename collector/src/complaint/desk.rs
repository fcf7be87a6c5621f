//! What the desk hands over to whoever asks: what a search found, and one complaint with all that is known of it now. Plain
//! values; reads nothing itself.

use super::answer::{Answer, Heard};
use super::deadline::Due;
use super::matching::Match;
use super::record::{Complaint, Step};
use super::said::Said;
use crate::correlate::case::{Case, CaseId};
use slipwatch_shared::terminal::{StoreId, TerminalId};
use slipwatch_shared::times::{ArrivalTime, EventTime};

/// What a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// What was asked for.
    pub said: Said,
    /// When the complaint came in.
    pub received: EventTime,
    /// What may be meant, the best first.
    pub matches: Vec<Match>,
    /// The first of them is the one, and nobody needs to choose.
    pub is_chosen: bool,
    /// How far the shop was heard over that time.
    pub heard: Heard,
    /// What the shopper can be told.
    pub answer: Answer,
    /// How often the store was asked.
    pub probes: u32,
}

/// A payment as the desk shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Payment {
    /// Its name.
    pub id: CaseId,
    /// Its terminal.
    pub terminal: Option<TerminalId>,
    /// All that is known of it.
    pub case: Case,
}

/// One line of a complaint's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number in the store.
    pub number: i64,
    /// Of which complaint.
    pub complaint: u64,
    /// When.
    pub at: ArrivalTime,
    /// What.
    pub step: Step,
    /// More of it, in words of the rows: no card, no text that was typed.
    pub note: String,
}

/// A complaint with all that is known of it now.
#[derive(Clone, Debug, PartialEq)]
pub struct Looked {
    /// The complaint.
    pub complaint: Complaint,
    /// What happened to it, in order.
    pub history: Vec<Line>,
    /// What may be meant, the best first; empty once something was chosen.
    pub matches: Vec<Match>,
    /// The payment that it is about.
    pub payment: Option<Payment>,
    /// What is true now.
    pub answer: Answer,
    /// What is next due.
    pub due: Option<Due>,
    /// A date of it passed.
    pub is_overdue: bool,
    /// Other open complaints about the same payment, the earliest first.
    pub also_open: Vec<u64>,
}

impl Looked {
    /// The shop that it is about.
    pub fn store(&self) -> Option<&StoreId> {
        let of_payment = self.payment.as_ref().map(|payment| &payment.id.agent.store);
        of_payment.or(self.complaint.said.store.as_ref())
    }
}
