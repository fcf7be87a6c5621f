//! The store: one trait to write, one to read, and the implementations behind them. What is committed is durable when
//! [`Store::commit`] returns; what failed was not stored at all and may be tried again as it is.

pub mod complaint;
pub mod exhibit;
pub mod memory;
pub mod owner;
pub mod settlement;
pub mod sqlite;
#[cfg(test)]
pub(crate) mod suite;

use crate::alert::outbox::OutboxRow;
use crate::commit::{Commit, Presence, Recall, Snapshot};
use crate::correlate::case::{Case, CaseId, EventRef};
use crate::correlate::finding::{Change, Finding, FindingKind};
use crate::correlate::policy::{AgentName, TerminalName};
use jiff::civil::Date;
use slipwatch_shared::event::{Epoch, Event, Seq, SourceId};
use slipwatch_shared::money::Amount;
use slipwatch_shared::terminal::{StoreId, TerminalId};
use slipwatch_shared::times::{ArrivalTime, EventTime};
use slipwatch_shared::trace::Stan;
use std::collections::BTreeMap;

/// Why the store did not do it. Nothing of it was done.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No room on the disk: try again when there is.
    #[error("no room left on the disk of the store")]
    Full,
    /// Somebody else holds it: try again soon.
    #[error("the store is held by somebody else")]
    Busy,
    /// The disk or the connection failed: try again, and tell.
    #[error("the store failed while {doing}")]
    Failed {
        /// What was being done.
        doing: &'static str,
        /// What it said.
        #[source]
        source: rusqlite::Error,
    },
    /// A directory or file could not be made or read.
    #[error("{path} cannot be used")]
    Path {
        /// Which.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Nothing was stored yet.
    #[error(
        "there is no store at {path} yet: the collector makes it when it first runs (`systemctl start slipwatch-collector`)"
    )]
    Absent {
        /// Where it would be.
        path: String,
    },
    /// It is somebody else's.
    #[error(
        "this user may not use {path}; run the command as the one whose it is: `sudo -u {owner} slipwatch-collector ...`"
    )]
    Denied {
        /// Which.
        path: String,
        /// Whose it is.
        owner: String,
    },
    /// It was written by a later version of this program.
    #[error("store is of schema {found}, this program knows {known} at most")]
    Newer {
        /// What it is of.
        found: i64,
        /// What is known here.
        known: i64,
    },
    /// A row of it is of no shape that this program wrote.
    #[error("a row of {table} is damaged: {what}")]
    Damaged {
        /// Where.
        table: &'static str,
        /// What is wrong with it.
        what: String,
    },
}

impl StoreError {
    /// Whether the same call may succeed later without anybody mending anything here.
    pub fn is_retryable(&self) -> bool {
        matches!(self, StoreError::Full | StoreError::Busy | StoreError::Failed { .. })
    }

    /// A word for metrics.
    pub fn label(&self) -> &'static str {
        match self {
            StoreError::Full => "full",
            StoreError::Busy => "busy",
            StoreError::Failed { .. } => "failed",
            StoreError::Path { .. } => "path",
            StoreError::Absent { .. } => "absent",
            StoreError::Denied { .. } => "denied",
            StoreError::Newer { .. } => "newer",
            StoreError::Damaged { .. } => "damaged",
        }
    }

    /// Every label, for series that must exist at zero.
    pub const LABELS: [&'static str; 6] = ["full", "busy", "failed", "path", "newer", "damaged"];
}

/// The writing end. One thread owns it.
pub trait Store: Recall + Send {
    /// What the collector starts from.
    fn load(&mut self) -> Result<Snapshot, StoreError>;

    /// Stores all of `commit` in one transaction, durable on return, or nothing of it.
    fn commit(&mut self, commit: &Commit) -> Result<(), StoreError>;

    /// Writes down what became of sending.
    fn mark_outbox(&mut self, marks: &[OutboxMark]) -> Result<(), StoreError>;

    /// Deletes what is older than `since`, at most [`FORGET_ROWS_MAX`] rows of a matter; tells how many went.
    fn forget(&mut self, since: &KeepSince) -> Result<usize, StoreError>;

    /// News of settlement files that nobody was told of yet, the oldest first. A store without settlement has none.
    fn news(&mut self, limit: usize) -> Result<Vec<settlement::News>, StoreError> {
        let _ = limit;
        Ok(Vec::new())
    }

    /// How many findings of each kind are open, whichever process raised them.
    fn open_findings(&mut self) -> Result<BTreeMap<FindingKind, u64>, StoreError>;

    /// Another reader, for another thread.
    fn reader(&self) -> Result<Box<dyn Reader>, StoreError>;
}

/// From when on each matter is kept; what is older goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepSince {
    /// Batches as they came, by their arrival.
    pub journal: ArrivalTime,
    /// Payments at rest with their findings, by the agent's clock; letters that went out or were given up.
    pub cases: ArrivalTime,
    /// What was put aside.
    pub quarantine: ArrivalTime,
}

/// Most rows of one matter that go in one call, so that no turn takes long.
pub const FORGET_ROWS_MAX: usize = 500;

/// What became of sending a row of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboxMark {
    /// It went out.
    Sent {
        /// Which row.
        id: i64,
        /// When.
        at: ArrivalTime,
    },
    /// It did not, and is tried again.
    Retry {
        /// Which row.
        id: i64,
        /// Not before then.
        not_before: ArrivalTime,
        /// What the other side said.
        error: String,
    },
    /// It never will: a person must look.
    GivenUp {
        /// Which row.
        id: i64,
        /// When.
        at: ArrivalTime,
        /// What the other side said.
        error: String,
    },
}

/// A row of the outbox that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxDue {
    /// Its number in the store.
    pub id: i64,
    /// How often sending was tried.
    pub attempts: u32,
    /// What goes out.
    pub row: OutboxRow,
}

/// How full the outbox is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxCounts {
    /// Rows that wait.
    pub waiting: u64,
    /// Rows given up.
    pub given_up: u64,
    /// When the oldest waiting row was caused.
    pub oldest_waiting: Option<ArrivalTime>,
}

/// Which payments a page shows. Newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseQuery {
    /// Of these shops only; empty: of all.
    pub stores: Vec<StoreId>,
    /// Opened at or after this wall time; absent: from the beginning.
    pub since: Option<EventTime>,
    /// Opened before this wall time; absent: to the end.
    pub before: Option<EventTime>,
    /// Only payments with a finding that is open.
    pub only_with_findings: bool,
    /// At most so many; 0 stands for [`PAGE_ROWS_MAX`].
    pub limit: usize,
}

/// Most rows that any page asks for at once.
pub const PAGE_ROWS_MAX: usize = 500;

/// A payment as a page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseView {
    /// Its name.
    pub id: CaseId,
    /// At which terminal.
    pub terminal: Option<TerminalId>,
    /// All that is known of it, its verdict and what was told of it.
    pub case: Case,
}

/// A payment with everything behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseFile {
    /// The payment.
    pub view: CaseView,
    /// Its findings, in the order of the catalogue.
    pub findings: Vec<FindingView>,
    /// The events it rests on, from the journal, in order.
    pub events: Vec<(EventRef, Event)>,
    /// What was raised, changed and taken back, in order.
    pub actions: Vec<Action>,
}

/// A finding with its dates on the collector's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingView {
    /// The finding as it stands.
    pub finding: Finding,
    /// The terminal, where it concerns one.
    pub terminal: Option<TerminalName>,
    /// The payment's amount; of a finding without a payment, the amount that it is about.
    pub amount: Option<Amount>,
    /// The payment's number on the slip.
    pub stan: Option<Stan>,
    /// When the payment was, where it is about one.
    pub paid: Option<EventTime>,
    /// The day since which it holds, where a settlement file tells no time of it.
    pub day: Option<Date>,
    /// When the collector first raised it.
    pub raised: ArrivalTime,
    /// When it last changed.
    pub changed: ArrivalTime,
}

impl FindingView {
    /// When that was what people look for in their records: the payment, or else what the finding tells of itself. A finding
    /// about a slip holds only from the slip's deadline on.
    pub fn happened(&self) -> EventTime {
        self.paid.unwrap_or(self.finding.since)
    }

    /// The day of it, where no more than that is known.
    pub fn day_alone(&self) -> Option<Date> {
        self.day.filter(|_| self.paid.is_none())
    }
}

/// A finding that is open, with what a settlement file says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenFinding {
    /// The finding.
    pub view: FindingView,
    /// What a settlement file says, where it rests on one.
    pub detail: Option<settlement::Detail>,
}

/// One line of the append-only record of what was said and done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// When.
    pub at: ArrivalTime,
    /// About which finding.
    pub finding: String,
    /// What.
    pub change: Change,
    /// How the finding stood then, in words: stage, severity, cause, resolution.
    pub note: String,
}

/// An agent as a page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentView {
    /// Its name.
    pub name: AgentName,
    /// Whether it is there.
    pub presence: Presence,
    /// Its version, as it told.
    pub version: Box<str>,
    /// When something of it last came.
    pub heard: ArrivalTime,
    /// The last number that is stored.
    pub through: Seq,
    /// Its lines.
    pub sources: Vec<SourceView>,
    /// The terminals that were heard on them.
    pub terminals: Vec<TerminalId>,
}

/// A line of an agent as a page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceView {
    /// Its place in the agent's settings.
    pub source: SourceId,
    /// Its name there.
    pub name: Box<str>,
    /// Its dialect or profile.
    pub dialect: Box<str>,
    /// The terminal of the settings, where it serves one.
    pub terminal: Option<TerminalId>,
    /// It carries debits.
    pub hears_money: bool,
    /// It carries slips.
    pub hears_slips: bool,
    /// It is open.
    pub open: bool,
    /// Whatever it said up to here is in the stream; wall time of the agent.
    pub covered_until: EventTime,
    /// The last holes in that, oldest first: from, to, and why.
    pub holes: Vec<(EventTime, EventTime, &'static str)>,
}

impl SourceView {
    /// Whether it carries anything of a payment at this terminal. Lines of other terminals say nothing about it.
    pub fn tells_of(&self, terminal: Option<TerminalId>) -> bool {
        let is_its = terminal.is_none() || self.terminal.is_none() || self.terminal == terminal;
        is_its && (self.hears_money || self.hears_slips)
    }
}

/// The reading end: for pages, search and mail. Sees what is committed, never blocks the writer.
pub trait Reader: Send {
    /// Payments, newest first.
    fn cases(&mut self, query: &CaseQuery) -> Result<Vec<CaseView>, StoreError>;

    /// One payment with its events from the journal.
    fn case(&mut self, id: &CaseId) -> Result<Option<CaseFile>, StoreError>;

    /// One payment with everything that its evidence is made from.
    fn exhibit(&mut self, id: &CaseId) -> Result<Option<exhibit::Exhibit>, StoreError>;

    /// Every agent with its lines and their coverage, by name.
    fn agents(&mut self) -> Result<Vec<AgentView>, StoreError>;

    /// Findings changed at or after `since`, newest first; `only_open` leaves ended ones out.
    fn findings(
        &mut self,
        since: ArrivalTime,
        only_open: bool,
        limit: usize,
    ) -> Result<Vec<FindingView>, StoreError>;

    /// Rows of the outbox that are due at `now`, oldest first.
    fn outbox_due(&mut self, now: ArrivalTime, limit: usize) -> Result<Vec<OutboxDue>, StoreError>;

    /// What the letter policy remembers; absent before the first letter.
    fn alert_state(&mut self) -> Result<Option<Vec<u8>>, StoreError>;

    /// How full the outbox is.
    fn outbox_counts(&mut self) -> Result<OutboxCounts, StoreError>;

    /// Settlement files, the latest first. A store without settlement has none.
    fn statements(&mut self, limit: usize) -> Result<Vec<settlement::FileView>, StoreError> {
        let _ = limit;
        Ok(Vec::new())
    }

    /// One settlement file with what is open because of it, at most `limit` findings.
    fn statement(
        &mut self,
        file: settlement::FileId,
        limit: usize,
    ) -> Result<Option<settlement::StatementView>, StoreError> {
        let _ = (file, limit);
        Ok(None)
    }

    /// Events of one agent's journal, `from..=through`, in order.
    fn journal(
        &mut self,
        agent: &AgentName,
        epoch: Epoch,
        from: Seq,
        through: Seq,
    ) -> Result<Vec<Event>, StoreError>;
}
