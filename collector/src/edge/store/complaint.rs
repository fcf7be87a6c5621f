//! What the store keeps of complaints, and what it is asked by the desk. The desk has a connection of its own beside the
//! collector's: it writes complaints, findings about them and *news* of those, in one transaction; the collector writes the
//! letters. So there is one writer of letters, and each complaint has one of its own.

use super::StoreError;
use super::settlement::SaidFinding;
use crate::complaint::answer::Booked;
use crate::complaint::desk::{Line, Looked, Payment, Search};
use crate::complaint::matching::{Candidate, Source};
use crate::complaint::record::{Complaint, Step};
use crate::complaint::said::{Refusal, Said, Typed, When};
use crate::correlate::case::CaseId;
use crate::correlate::finding::Resolution;
use slipwatch_shared::terminal::{StoreId, TerminalId};
use slipwatch_shared::times::{ArrivalTime, EventTime};

/// Why the desk did not do it.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// What was typed is not taken. Says which field, and nothing of what stood there.
    #[error("{0}")]
    Refused(Refusal),
    /// There is no complaint of this number.
    #[error("there is no complaint {0}")]
    Unknown(u64),
    /// It is closed: open another one.
    #[error("complaint {0} is closed")]
    Closed(u64),
    /// There is no such payment or row.
    #[error("there is no such payment")]
    NoPayment,
    /// More are open than any desk can answer.
    #[error("too many complaints are open; close some first")]
    TooMany,
    /// The settings do not let pages write.
    #[error("nothing is written from pages here: http.forms is off")]
    ReadOnly,
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// Candidates of one search, and what they cost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sought {
    /// What may be meant.
    pub candidates: Vec<Candidate>,
    /// How often an index was asked.
    pub probes: u32,
}

/// A row of a settlement file that no terminal is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LooseRow {
    /// It gives money back.
    pub gives_back: bool,
    /// When it is booked.
    pub at: EventTime,
}

/// All that one change of a complaint writes, in one transaction.
#[derive(Clone, Debug, Default)]
pub struct Written<'a> {
    /// How it stood when this was decided, and how it stands now. Where somebody else changed it meanwhile, nothing is
    /// written.
    pub complaint: Option<(&'a Complaint, &'a Complaint)>,
    /// What happened.
    pub steps: Vec<(Step, String)>,
    /// Findings about it.
    pub findings: Vec<SaidFinding>,
    /// Findings that end.
    pub ended: Vec<(String, Resolution)>,
}

/// Which complaints a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those that are open.
    Open,
    /// All of them.
    All,
}

/// Complaints in a store. One thread owns it.
pub trait Complaints: Send {
    /// What may be meant by what a shopper says. Asks indexes alone, whatever slack was given.
    fn seek(&mut self, said: &Said) -> Result<Sought, StoreError>;

    /// Whether every one of these terminals of a shop was heard over a span of time without a gap.
    fn was_heard(
        &mut self,
        store: &StoreId,
        terminals: &[TerminalId],
        when: When,
    ) -> Result<bool, StoreError>;

    /// A payment, and what settlement files say of it.
    fn payment(&mut self, id: &CaseId) -> Result<Option<(Payment, Booked)>, StoreError>;

    /// A row that no terminal is behind; absent when a payment was found for it, or its file counts no more.
    fn loose_row(&mut self, row: i64) -> Result<Option<LooseRow>, StoreError>;

    /// Writes a new complaint down; gives its number.
    fn open(
        &mut self,
        said: &Said,
        received: EventTime,
        now: ArrivalTime,
    ) -> Result<u64, StoreError>;

    /// Writes down how a complaint stands now, with what is said of it. [`StoreError::Busy`] where somebody else changed it
    /// since it was read: nothing was written, read it again.
    fn write(&mut self, written: &Written<'_>, now: ArrivalTime) -> Result<(), StoreError>;

    /// One complaint.
    fn complaint(&mut self, number: u64) -> Result<Option<Complaint>, StoreError>;

    /// Complaints with a number above `after`, in their order.
    fn open_after(&mut self, after: u64, limit: usize) -> Result<Vec<Complaint>, StoreError>;

    /// Complaints, the latest first.
    fn list(&mut self, which: Which, limit: usize) -> Result<Vec<Complaint>, StoreError>;

    /// Of each payment or row the open complaints about it but one, the earliest first, at most [`ALSO_OPEN_MAX`].
    fn open_about(&mut self, sources: &[&Source], but: u64) -> Result<Vec<Vec<u64>>, StoreError>;

    /// How many are open.
    fn open_count(&mut self) -> Result<u64, StoreError>;

    /// What happened to a complaint, in order.
    fn history(&mut self, number: u64) -> Result<Vec<Line>, StoreError>;

    /// What happened to any, behind a line's number; with `limit` 0 nothing but the last number is wanted.
    fn history_after(&mut self, after: i64, limit: usize) -> Result<(Vec<Line>, i64), StoreError>;
}

/// The desk as pages see it: all that may be asked there.
pub trait Clerk: Send {
    /// Searches, and writes nothing down.
    fn search(&mut self, typed: &Typed) -> Result<Search, DeskError>;

    /// Writes a complaint down; `chosen` is what a person took for the payment.
    fn open(&mut self, typed: &Typed, chosen: Option<Source>) -> Result<Looked, DeskError>;

    /// One complaint as it stands now.
    fn look(&mut self, number: u64) -> Result<Looked, DeskError>;

    /// Complaints, the latest first.
    fn list(&mut self, which: Which) -> Result<Vec<Looked>, DeskError>;

    /// A person takes this for the payment, or none of those that fit.
    fn choose(&mut self, number: u64, source: Option<Source>) -> Result<Looked, DeskError>;

    /// The shopper is told what is true now.
    fn answer(&mut self, number: u64) -> Result<Looked, DeskError>;

    /// It is closed; `kept` says whether what was promised was done, where that is still open.
    fn close(&mut self, number: u64, kept: bool) -> Result<Looked, DeskError>;

    /// Counts a form that was not taken.
    fn refused(&mut self, refusal: &Refusal);
}

/// Most complaints about one payment that are named.
pub const ALSO_OPEN_MAX: usize = 20;

/// Most complaints that one list shows.
pub const LIST_MAX: usize = 200;
