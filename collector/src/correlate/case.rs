//! All that is known of one payment at one terminal: its keys, and the facts that were heard of it, each with the
//! event it rests on. Judges nothing; the rules read it.

use super::facts::{Facts, Sorts};
use super::finding::{FindingKind, Told};
use super::policy::AgentName;
use super::shape::{self, Shape, ShapeError, shape_struct};
use super::timeline::{Due, StreamTime};
use super::verdict::{Unknown, Verdict};
use slipwatch_shared::event::{
    AbortedBy, Copy, ElectronicChannel, Epoch, ExchangePhase, Keys, Kind, ReversalPhase, Seq,
    SlipFailure, SlipGrade, SlipLoss, SourceId,
};
use slipwatch_shared::times::EventTime;
use slipwatch_shared::wire::v1;
use std::fmt;
use std::str::FromStr;
use thin_vec::ThinVec;

/// An event of one agent: what a fact rests on. The agent is the case's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventRef {
    /// Which life of the agent's numbering.
    pub epoch: Epoch,
    /// Its number.
    pub seq: Seq,
}

impl EventRef {
    /// Before all others.
    pub const LEAST: EventRef = EventRef { epoch: Epoch(0), seq: Seq(0) };
}

/// A case's name, the same whatever came when: the agent, and the first event of the payment.
/// Written `store.agent.epoch.seq`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseId {
    /// Whose stream.
    pub agent: AgentName,
    /// Its first event.
    pub first: EventRef,
}

impl fmt::Display for CaseId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AgentName { store, agent } = &self.agent;
        write!(out, "{store}.{agent}.{}.{}", self.first.epoch.0, self.first.seq.0)
    }
}

/// Why a text is no case's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected store.agent.epoch.number")]
pub struct CaseIdError;

impl FromStr for CaseId {
    type Err = CaseIdError;

    fn from_str(text: &str) -> Result<CaseId, CaseIdError> {
        let parts: Vec<&str> = text.split('.').collect();
        let [store, agent, epoch, seq] = parts.as_slice() else { return Err(CaseIdError) };
        Ok(CaseId {
            agent: AgentName {
                store: store.parse().map_err(|_| CaseIdError)?,
                agent: agent.parse().map_err(|_| CaseIdError)?,
            },
            first: EventRef {
                epoch: Epoch(epoch.parse().map_err(|_| CaseIdError)?),
                seq: Seq(seq.parse().map_err(|_| CaseIdError)?),
            },
        })
    }
}

/// Where a case lies in memory: by the places of its agent and terminal there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Its agent's place.
    pub agent: usize,
    /// Its terminal's place in that agent.
    pub terminal: usize,
    /// Its first event.
    pub first: EventRef,
}

/// Something that was heard of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact {
    /// When, in the agent's stream time.
    pub at: StreamTime,
    /// The event that said it.
    pub event: EventRef,
    /// The source that said it.
    pub source: SourceId,
    /// What.
    pub what: What,
}

/// What was heard of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The host was asked.
    Requested,
    /// The host approved.
    Approved,
    /// The host refused.
    Refused,
    /// The host's answer leaves the debit open: no answer behind it, malfunction, wrong MAC.
    Unsound(UnsoundAnswer),
    /// No answer in time.
    TimedOut,
    /// The terminal closed it as done.
    Completed,
    /// It ended without success.
    Aborted(AbortedBy),
    /// The technical undo.
    Reversal(ReversalPhase),
    /// The cashier's undo was approved.
    Voided,
    /// The money was sent back.
    Refunded,
    /// A slip was begun.
    SlipStarted(Option<Copy>),
    /// A slip was printed.
    SlipPrinted {
        /// Whose copy.
        copy: Option<Copy>,
        /// Printed again.
        reprint: bool,
        /// How surely.
        grade: SlipGrade,
    },
    /// A slip could not be printed.
    SlipFailed(SlipFailure),
    /// A slip's data is gone.
    SlipLost(SlipLoss),
    /// A slip without paper went out.
    SlipIssued(ElectronicChannel),
    /// No slip was wanted.
    SlipDeclined,
    /// The printer had this trouble while the slip was due.
    Trouble(Trouble),
    /// The device started anew while the slip was due.
    Restarted,
    /// The cashier cancelled at the print prompt.
    PrintCancelled,
    /// The device could not reach its host.
    NetworkDown,
    /// The terminal approved by itself, without its host (EMV Y1, Y3; forced): to be uploaded later.
    ApprovedOffline,
    /// The day was closed with equal sums: what was stored offline is with the host.
    Closed,
    /// A settlement file has it: the money moved.
    Settled,
    /// The terminal tells its host of a sale that it took by itself before; how far that is.
    Uploaded(ExchangePhase),
}

impl What {
    /// Its sort, whatever else it tells, from 0 on. Stores hold it: no number is ever given anew.
    pub const fn number(&self) -> u8 {
        match self {
            What::Requested => 0,
            What::Approved => 1,
            What::Refused => 2,
            What::Unsound(_) => 3,
            What::TimedOut => 4,
            What::Completed => 5,
            What::Aborted(_) => 6,
            What::Reversal(_) => 7,
            What::Voided => 8,
            What::Refunded => 9,
            What::SlipStarted(_) => 10,
            What::SlipPrinted { .. } => 11,
            What::SlipFailed(_) => 12,
            What::SlipLost(_) => 13,
            What::SlipIssued(_) => 14,
            What::SlipDeclined => 15,
            What::Trouble(_) => 16,
            What::Restarted => 17,
            What::PrintCancelled => 18,
            What::NetworkDown => 19,
            What::ApprovedOffline => 20,
            What::Closed => 21,
            What::Settled => 22,
            What::Uploaded(_) => 23,
        }
    }

    /// Whether it says that the money was taken.
    pub fn is_success(&self) -> bool {
        match self {
            What::Approved | What::ApprovedOffline | What::Completed => true,
            What::Uploaded(phase) => *phase != ExchangePhase::Declined,
            _ => false,
        }
    }

    /// A word for rows and JSON.
    pub fn label(&self) -> &'static str {
        match self {
            What::Requested => "requested",
            What::Approved => "approved",
            What::Refused => "refused",
            What::Unsound(_) => "unsound_answer",
            What::TimedOut => "timed_out",
            What::Completed => "completed",
            What::Aborted(_) => "aborted",
            What::Reversal(ReversalPhase::Pending) => "reversal_pending",
            What::Reversal(ReversalPhase::Sent) => "reversal_sent",
            What::Reversal(ReversalPhase::Acknowledged) => "reversal_acknowledged",
            What::Reversal(ReversalPhase::Failed) => "reversal_failed",
            What::Voided => "voided",
            What::Refunded => "refunded",
            What::SlipStarted(_) => "slip_started",
            What::SlipPrinted { reprint: true, .. } => "slip_reprinted",
            What::SlipPrinted { .. } => "slip_printed",
            What::SlipFailed(_) => "slip_failed",
            What::SlipLost(_) => "slip_lost",
            What::SlipIssued(_) => "slip_issued_electronically",
            What::SlipDeclined => "slip_declined",
            What::Trouble(_) => "printer_trouble",
            What::Restarted => "device_restarted",
            What::PrintCancelled => "print_cancelled",
            What::NetworkDown => "network_down",
            What::ApprovedOffline => "approved_offline",
            What::Closed => "batch_closed",
            What::Settled => "settled",
            What::Uploaded(ExchangePhase::Requested) => "upload_sent",
            What::Uploaded(ExchangePhase::Approved) => "uploaded",
            What::Uploaded(ExchangePhase::Declined) => "upload_refused",
            What::Uploaded(ExchangePhase::TimedOut) => "upload_unanswered",
        }
    }
}

/// Why an answer settles nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnsoundAnswer {
    /// A0: the answer's MAC is wrong.
    WrongMac,
    /// 96: the host's malfunction.
    Malfunction,
    /// 68, 98: no answer behind the host.
    NoAnswer,
}

/// A printer's trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// No paper.
    PaperOut,
    /// The lid is open.
    CoverOpen,
    /// The cutter is stuck.
    Cutter,
    /// Off, unplugged or not answering.
    Offline,
    /// Any other error.
    Error,
}

/// From so many facts on only words that were not heard of the payment yet are kept: there are fewer than a hundred.
pub const FACTS_MAX: usize = 64;

/// Whether a terminal was heard over the whole of a stretch of time. Once settled it stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// Without a gap.
    Whole,
    /// Not wholly, and why.
    Holed(Unknown),
}

/// All that is known of one payment at one terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its first event: with the agent, its name.
    pub first: EventRef,
    /// When that was.
    pub opened: StreamTime,
    /// What must be added to a stream time of this case for the agent's wall time, UTC.
    pub wall_ahead_ms: i64,
    /// Whether the agent's wall clock was synchronised then.
    pub synchronised: bool,
    /// Its source plays a recording: judged, and nobody is rung.
    pub historical: bool,
    /// What kind of business; a sale where nothing said otherwise.
    pub kind: Kind,
    /// The amount is one of those this terminal repeats most: two of them prove little (A09).
    pub common_amount: bool,
    /// The numbers by which it is known, joined from all that was heard.
    pub keys: Keys,
    /// What was heard, in the order of the stream.
    pub facts: Facts,
    /// Whether its terminal was heard from the debit to the slip's deadline; absent until that is settled.
    pub slip_window: Option<Window>,
    /// When an undo that is not acknowledged is told (A04).
    pub reversal_due: Due,
    /// Whether its terminal was heard until then; absent until that is settled.
    pub reversal_window: Option<Window>,
    /// What is said of its slip.
    pub verdict: Verdict,
    /// What was told of it, and what came of that.
    pub told: ThinVec<Told>,
    /// Which life of its terminal's numbers its own belong to: a trace alone names nothing over two of them.
    pub numbering: u16,
}

impl Case {
    /// Wall time, UTC, of a moment of this case, as the agent's clock stood when it began.
    pub fn wall(&self, at: StreamTime) -> EventTime {
        EventTime(at.0.saturating_add(self.wall_ahead_ms))
    }

    /// The first fact that `wanted` holds for.
    pub fn first_fact(&self, wanted: impl Fn(&What) -> bool) -> Option<&Fact> {
        self.facts.iter().find(|fact| wanted(&fact.what))
    }

    /// The last fact that `wanted` holds for.
    pub fn last_fact(&self, wanted: impl Fn(&What) -> bool) -> Option<&Fact> {
        self.facts.iter().rev().find(|fact| wanted(&fact.what))
    }

    /// Whether the first that was heard of its success is its upload: it was made offline, at a time that only the device
    /// tells, and whether a slip came then is not told by what was heard since.
    pub fn was_made_unheard(&self) -> bool {
        if !self.facts.have(Sorts::UPLOADED) {
            return false;
        }
        let first = self.first_fact(What::is_success);
        matches!(first, Some(Fact { what: What::Uploaded(_), .. }))
    }

    /// Whether a settlement file has it.
    pub fn is_settled(&self) -> bool {
        self.facts.have(Sorts::SETTLED)
    }

    /// What was told of it under `kind`.
    pub fn told(&self, kind: FindingKind) -> Option<&Told> {
        self.told.iter().find(|told| told.kind == kind)
    }

    /// When anything was last heard of it.
    pub fn last_heard(&self) -> StreamTime {
        self.facts.iter().map(|fact| fact.at).max().unwrap_or(self.opened)
    }
}

impl Shape for Keys {
    fn put(&self, out: &mut Vec<u8>) {
        let bytes = std::mem::take(out);
        *out = postcard::to_extend(&v1::Keys::from(self), bytes).expect("memory takes any keys");
    }

    fn take(bytes: &mut &[u8]) -> Result<Keys, ShapeError> {
        let (keys, rest) =
            postcard::take_from_bytes::<v1::Keys<'_>>(bytes).map_err(|_| ShapeError)?;
        *bytes = rest;
        Keys::try_from(&keys).map_err(|_| ShapeError)
    }
}

impl Shape for What {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(self.number());
        match self {
            What::Unsound(answer) => answer.put(out),
            What::Aborted(by) => by.put(out),
            What::Reversal(phase) => phase.put(out),
            What::SlipStarted(copy) => copy.put(out),
            What::SlipPrinted { copy, reprint, grade } => (*copy, (*reprint, *grade)).put(out),
            What::SlipFailed(reason) => reason.put(out),
            What::SlipLost(reason) => reason.put(out),
            What::SlipIssued(channel) => channel.put(out),
            What::Trouble(trouble) => trouble.put(out),
            What::Uploaded(phase) => phase.put(out),
            _ => {}
        }
    }

    fn take(bytes: &mut &[u8]) -> Result<What, ShapeError> {
        Ok(match u8::take(bytes)? {
            0 => What::Requested,
            1 => What::Approved,
            2 => What::Refused,
            3 => What::Unsound(Shape::take(bytes)?),
            4 => What::TimedOut,
            5 => What::Completed,
            6 => What::Aborted(Shape::take(bytes)?),
            7 => What::Reversal(Shape::take(bytes)?),
            8 => What::Voided,
            9 => What::Refunded,
            10 => What::SlipStarted(Shape::take(bytes)?),
            11 => {
                let (copy, (reprint, grade)) = Shape::take(bytes)?;
                What::SlipPrinted { copy, reprint, grade }
            }
            12 => What::SlipFailed(Shape::take(bytes)?),
            13 => What::SlipLost(Shape::take(bytes)?),
            14 => What::SlipIssued(Shape::take(bytes)?),
            15 => What::SlipDeclined,
            16 => What::Trouble(Shape::take(bytes)?),
            17 => What::Restarted,
            18 => What::PrintCancelled,
            19 => What::NetworkDown,
            20 => What::ApprovedOffline,
            21 => What::Closed,
            22 => What::Settled,
            23 => What::Uploaded(Shape::take(bytes)?),
            _ => return Err(ShapeError),
        })
    }
}

impl Shape for Window {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Window::Whole => None,
            Window::Holed(why) => Some(*why),
        }
        .put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Window, ShapeError> {
        let hole: Option<Unknown> = Shape::take(bytes)?;
        Ok(hole.map_or(Window::Whole, Window::Holed))
    }
}

shape_struct!(Fact { at, event, source, what });
shape_struct!(CaseId { agent, first });
shape_struct!(AgentName { store, agent });

impl Shape for Case {
    fn put(&self, out: &mut Vec<u8>) {
        self.first.put(out);
        self.opened.put(out);
        self.wall_ahead_ms.put(out);
        self.synchronised.put(out);
        self.historical.put(out);
        self.kind.put(out);
        self.common_amount.put(out);
        self.keys.put(out);
        self.facts.put(out);
        self.slip_window.put(out);
        self.reversal_due.put(out);
        self.reversal_window.put(out);
        self.verdict.put(out);
        self.told.put(out);
        self.numbering.put(out);
        self.told.iter().for_each(|told| told.parent.put(out));
    }

    fn take(bytes: &mut &[u8]) -> Result<Case, ShapeError> {
        let mut case = Case {
            first: Shape::take(bytes)?,
            opened: Shape::take(bytes)?,
            wall_ahead_ms: Shape::take(bytes)?,
            synchronised: Shape::take(bytes)?,
            historical: Shape::take(bytes)?,
            kind: Shape::take(bytes)?,
            common_amount: Shape::take(bytes)?,
            keys: Shape::take(bytes)?,
            facts: Shape::take(bytes)?,
            slip_window: Shape::take(bytes)?,
            reversal_due: Shape::take(bytes)?,
            reversal_window: Shape::take(bytes)?,
            verdict: Shape::take(bytes)?,
            told: Shape::take(bytes)?,
            numbering: shape::take_or_default(bytes)?,
        };
        for told in &mut case.told {
            told.parent = shape::take_or_default(bytes)?;
        }
        Ok(case)
    }
}
