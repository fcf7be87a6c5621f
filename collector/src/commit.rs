//! What the collector takes from its store and what one turn of it leaves behind: all of that is stored in one
//! transaction, and only then are the replies published. Stores nothing itself.

use crate::admit::Admission;
use crate::alert::outbox::OutboxRow;
use crate::correlate::finding::FindingChange;
use crate::correlate::policy::AgentName;
use crate::correlate::timeline::StreamTime;
use slipwatch_shared::event::{Epoch, Seq};
use slipwatch_shared::times::ArrivalTime;
use slipwatch_shared::wire::topic::Topic;

pub use crate::correlate::recall::{RECENT_MS, Recall, TransactionRow};

/// All that is to be stored since the last one, in one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// Admitted batches, as they came.
    pub journal: Vec<JournalBatch>,
    /// Payments that are new or changed.
    pub transactions: Vec<TransactionRow>,
    /// Findings that were raised, changed or resolved, in order.
    pub findings: Vec<FindingChange>,
    /// Findings that were raised, changed or resolved elsewhere, and are told by this. Not stored: they are.
    pub told: Vec<FindingChange>,
    /// Letters and calls that are due.
    pub outbox: Vec<OutboxRow>,
    /// Agents whose position or state changed.
    pub agents: Vec<AgentRow>,
    /// What was put aside.
    pub quarantine: Vec<QuarantineRow>,
    /// What the letter policy must remember over a restart, when it changed.
    pub alert_state: Option<Vec<u8>>,
    /// News of settlement that are told by this, through this number; they are taken off.
    pub news_through: Option<i64>,
    /// To be published once all the above is durable. Not stored.
    pub replies: Vec<Reply>,
}

impl Commit {
    /// Whether there is nothing to store.
    pub fn is_empty(&self) -> bool {
        self.journal.is_empty()
            && self.transactions.is_empty()
            && self.findings.is_empty()
            && self.outbox.is_empty()
            && self.agents.is_empty()
            && self.quarantine.is_empty()
            && self.alert_state.is_none()
            && self.news_through.is_none()
            && self.replies.is_empty()
    }
}

/// A batch as it was admitted: the sealed frame, whose own head names the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalBatch {
    /// Whose.
    pub agent: AgentName,
    /// Which life of the numbering.
    pub epoch: Epoch,
    /// The first number that is new with it (its frame may begin earlier, where batches overlap).
    pub first_seq: Seq,
    /// Its last number.
    pub last_seq: Seq,
    /// When it came.
    pub arrived: ArrivalTime,
    /// The sealed frame.
    pub frame: Vec<u8>,
}

/// An agent: how far its stream is stored, and what the collector must remember of it over a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentRow {
    /// Whose.
    pub name: AgentName,
    /// How far its stream is admitted.
    pub admission: Admission,
    /// Earlier lives of its numbering, the latest last, so that a late copy is known for one.
    pub outlived: Vec<Admission>,
    /// When something of it last came.
    pub heard: ArrivalTime,
    /// Its last connection, as it told.
    pub session: u64,
    /// Whether it is there.
    pub presence: Presence,
    /// Its version, as it told.
    pub version: Box<str>,
    /// The latest time of its stream.
    pub latest: StreamTime,
    /// Its stream time, sources, coverage and terminals, encoded.
    pub state: Vec<u8>,
}

/// Whether an agent is there, on the collector's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Presence {
    /// Nothing of it came yet.
    #[default]
    Unseen,
    /// It was heard of late.
    Online,
    /// It stopped in good order.
    Stopped,
    /// Its connection broke, or it was not heard for too long.
    Offline,
}

impl Presence {
    /// All of them.
    pub const ALL: [Presence; 4] =
        [Presence::Unseen, Presence::Online, Presence::Stopped, Presence::Offline];

    /// A word for metrics, rows and JSON.
    pub fn label(self) -> &'static str {
        match self {
            Presence::Unseen => "unseen",
            Presence::Online => "online",
            Presence::Stopped => "stopped",
            Presence::Offline => "offline",
        }
    }
}

/// What was put aside and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineRow {
    /// On which topic it came.
    pub topic: Topic,
    /// Why, in one word.
    pub reason: &'static str,
    /// The same in a sentence.
    pub detail: String,
    /// When.
    pub arrived: ArrivalTime,
    /// How many bytes came.
    pub bytes: usize,
    /// The first [`QUARANTINE_BYTES_MAX`] of them.
    pub payload: Vec<u8>,
}

/// Most bytes that are kept of one thing put aside.
pub const QUARANTINE_BYTES_MAX: usize = 64 * 1024;

/// What an agent is told, after the transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// On which topic: the agent's commit or request topic.
    pub topic: Topic,
    /// The sealed frame.
    pub payload: Vec<u8>,
    /// To be kept by the broker for the agent's next connection.
    pub retain: bool,
}

/// What the collector starts from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Every agent that was ever heard.
    pub agents: Vec<AgentRow>,
    /// Every payment that something is awaited of, and those of the last [`RECENT_MS`] of each agent's stream.
    pub open: Vec<TransactionRow>,
    /// What the letter policy remembers.
    pub alert_state: Option<Vec<u8>>,
}
