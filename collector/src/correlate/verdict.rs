//! What is said of a payment's slip. "No slip" and "not known" are kept apart, and each can be taken back when a
//! fact changes. Says nothing of findings: those are raised from verdicts, in `rules`.

use super::cause::CauseClass;
use super::shape::{Shape, ShapeError, shape_enum};
use super::timeline::StreamTime;
use slipwatch_shared::event::SlipGrade;

/// What is said of a payment's slip, as far as its terminal was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A slip came in time.
    Printed {
        /// How surely it is on paper.
        grade: SlipGrade,
    },
    /// A slip came, and later than the alert deadline.
    PrintedLate {
        /// How surely it is on paper.
        grade: SlipGrade,
    },
    /// No slip is due.
    NotExpected {
        /// Why.
        why: NotExpected,
    },
    /// The terminal was not heard past the deadline yet.
    Pending {
        /// The deadline, in the agent's stream time.
        due: StreamTime,
    },
    /// The terminal was heard without a gap from the debit past the deadline, and no slip came.
    NoSlip {
        /// What most likely caused it.
        cause: CauseClass,
        /// How sure that is, 0 to 100.
        confidence: u8,
    },
    /// Nobody can tell: silence is not absence.
    Unknown {
        /// Why.
        why: Unknown,
    },
}

/// Why no slip is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotExpected {
    /// A void, refund, hold or inquiry: no debit.
    NotADebit,
    /// The host refused.
    Declined,
    /// Ended before the host was asked, or without its approval.
    Aborted,
    /// No sound answer: whether money went is for the reversal to tell.
    Unanswered,
    /// The debit was undone by a reversal.
    Reversed,
    /// The debit was undone by the cashier.
    Voided,
    /// The money went back.
    Refunded,
    /// The amount is below the one from which a slip is due.
    BelowAmount,
    /// This terminal prints none.
    NobodyPrints,
    /// A slip without paper went out.
    IssuedElectronically,
    /// The shopper wanted none.
    DeclinedByShopper,
}

/// Why nobody can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unknown {
    /// The settings do not say who prints at this terminal: it is not judged.
    NotJudged,
    /// No source of this terminal carries slips.
    NoSlipSource,
    /// The agent is not heard; its spool may hold the slip.
    AgentOffline,
    /// A line was not open, or went away, between debit and deadline.
    SourceLost,
    /// The agent was down between debit and deadline.
    AgentRestarted,
    /// Numbers of the stream were lost between debit and deadline.
    NumbersLost,
    /// Something was said between debit and deadline and could not be read.
    DecodeFailed,
    /// More payments of one terminal were open than are kept: this one was let go.
    OverBound,
    /// The terminal took it by itself before, and nothing was heard of it but its upload.
    MadeOffline,
}

impl Verdict {
    /// Every label, for series that must exist at zero.
    pub const LABELS: [&'static str; 6] =
        ["printed", "printed_late", "not_expected", "pending", "no_slip", "unknown"];

    /// Place of its label in [`Verdict::LABELS`].
    pub fn index(&self) -> usize {
        match self {
            Verdict::Printed { .. } => 0,
            Verdict::PrintedLate { .. } => 1,
            Verdict::NotExpected { .. } => 2,
            Verdict::Pending { .. } => 3,
            Verdict::NoSlip { .. } => 4,
            Verdict::Unknown { .. } => 5,
        }
    }

    /// A word for metrics, rows and JSON.
    pub fn label(&self) -> &'static str {
        Verdict::LABELS[self.index()]
    }

    /// The word behind the word: why, where the verdict has a reason.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Verdict::NotExpected { why } => Some(why.label()),
            Verdict::Unknown { why } => Some(why.label()),
            Verdict::NoSlip { cause, .. } => Some(cause.label()),
            _ => None,
        }
    }
}

impl NotExpected {
    /// All of them, in the order of their numbers in the store.
    pub const ALL: [NotExpected; 11] = [
        NotExpected::NotADebit,
        NotExpected::Declined,
        NotExpected::Aborted,
        NotExpected::Unanswered,
        NotExpected::Reversed,
        NotExpected::Voided,
        NotExpected::Refunded,
        NotExpected::BelowAmount,
        NotExpected::NobodyPrints,
        NotExpected::IssuedElectronically,
        NotExpected::DeclinedByShopper,
    ];

    /// A word for metrics, rows and JSON.
    pub fn label(self) -> &'static str {
        match self {
            NotExpected::NotADebit => "not_a_debit",
            NotExpected::Declined => "declined",
            NotExpected::Aborted => "aborted",
            NotExpected::Unanswered => "unanswered",
            NotExpected::Reversed => "reversed",
            NotExpected::Voided => "voided",
            NotExpected::Refunded => "refunded",
            NotExpected::BelowAmount => "below_amount",
            NotExpected::NobodyPrints => "nobody_prints",
            NotExpected::IssuedElectronically => "issued_electronically",
            NotExpected::DeclinedByShopper => "declined_by_shopper",
        }
    }
}

impl Unknown {
    /// All of them, in the order of their numbers in the store.
    pub const ALL: [Unknown; 9] = [
        Unknown::NotJudged,
        Unknown::NoSlipSource,
        Unknown::AgentOffline,
        Unknown::SourceLost,
        Unknown::AgentRestarted,
        Unknown::NumbersLost,
        Unknown::DecodeFailed,
        Unknown::OverBound,
        Unknown::MadeOffline,
    ];

    /// A word for metrics, rows and JSON.
    pub fn label(self) -> &'static str {
        match self {
            Unknown::NotJudged => "not_judged",
            Unknown::NoSlipSource => "no_slip_source",
            Unknown::AgentOffline => "agent_offline",
            Unknown::SourceLost => "source_lost",
            Unknown::AgentRestarted => "agent_restarted",
            Unknown::NumbersLost => "numbers_lost",
            Unknown::DecodeFailed => "decode_failed",
            Unknown::OverBound => "over_bound",
            Unknown::MadeOffline => "made_offline",
        }
    }
}

shape_enum!(NotExpected {
    NotADebit,
    Declined,
    Aborted,
    Unanswered,
    Reversed,
    Voided,
    Refunded,
    BelowAmount,
    NobodyPrints,
    IssuedElectronically,
    DeclinedByShopper,
});

shape_enum!(Unknown {
    NotJudged,
    NoSlipSource,
    AgentOffline,
    SourceLost,
    AgentRestarted,
    NumbersLost,
    DecodeFailed,
    OverBound,
    MadeOffline,
});

impl Shape for Verdict {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(self.index() as u8);
        match self {
            Verdict::Printed { grade } | Verdict::PrintedLate { grade } => grade.put(out),
            Verdict::NotExpected { why } => why.put(out),
            Verdict::Pending { due } => due.put(out),
            Verdict::NoSlip { cause, confidence } => {
                cause.put(out);
                confidence.put(out);
            }
            Verdict::Unknown { why } => why.put(out),
        }
    }

    fn take(bytes: &mut &[u8]) -> Result<Verdict, ShapeError> {
        Ok(match u8::take(bytes)? {
            0 => Verdict::Printed { grade: Shape::take(bytes)? },
            1 => Verdict::PrintedLate { grade: Shape::take(bytes)? },
            2 => Verdict::NotExpected { why: Shape::take(bytes)? },
            3 => Verdict::Pending { due: Shape::take(bytes)? },
            4 => {
                let cause = Shape::take(bytes)?;
                Verdict::NoSlip { cause, confidence: Shape::take(bytes)? }
            }
            5 => Verdict::Unknown { why: Shape::take(bytes)? },
            _ => return Err(ShapeError),
        })
    }
}
