//! What is told to people: the catalogue of findings, and the life of one: raised, changed, resolved. A parent
//! (a printer without paper, a silent terminal) absorbs the findings it explains, so that it is told once.

use super::case::{Case, CaseId};
use super::cause::Cause;
use super::policy::{Acquirer, AgentName, TerminalName};
use super::shape::{Shape, ShapeError, shape_enum, shape_struct};
use super::timeline::StreamTime;
use slipwatch_shared::event::Keys;
use slipwatch_shared::money::Amount;
use slipwatch_shared::terminal::StoreId;
use slipwatch_shared::times::{ArrivalTime, EventTime};
use std::fmt;

macro_rules! catalogue {
    ($($(#[$doc:meta])* $name:ident $code:literal $label:literal),+ $(,)?) => {
        /// What kind of finding, by the catalogue's number.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FindingKind { $($(#[$doc])* $name),+ }

        impl FindingKind {
            /// The whole catalogue, in the order of its numbers.
            pub const ALL: [FindingKind; 27] = [$(FindingKind::$name),+];

            /// Its number in the catalogue (`A01`).
            pub fn code(self) -> &'static str {
                match self { $(FindingKind::$name => $code),+ }
            }

            /// A word for metrics, rows and JSON.
            pub fn label(self) -> &'static str {
                match self { $(FindingKind::$name => $label),+ }
            }

            /// A kind by its number in the catalogue.
            pub fn from_code(code: &str) -> Option<FindingKind> {
                FindingKind::ALL.into_iter().find(|kind| kind.code() == code)
            }
        }

        shape_enum!(FindingKind { $($name),+ });
    };
}

catalogue! {
    /// Approved, a slip is due, and none came.
    NoReceiptDebit "A01" "no_receipt_debit",
    /// The printer failed, or only the shop's copy came.
    PrintFailed "A02" "print_failed",
    /// No sound answer, and the reversal failed for good.
    TimeoutDebitLostReversal "A03" "timeout_debit_lost_reversal",
    /// A reversal is stored and not acknowledged.
    ReversalPending "A04" "reversal_pending",
    /// A success came after the shop had closed the order.
    LateSuccess "A05" "late_success",
    /// A settled row of a covered terminal that never made it.
    PhantomSettlement "A06" "phantom_settlement",
    /// Approved and in no settlement file.
    AuthorizationNeverSettled "A07" "authorization_never_settled",
    /// Voided and settled all the same.
    VoidedButSettled "A08" "voided_but_settled",
    /// Two debits for one purchase.
    DuplicateDebit "A09" "duplicate_debit",
    /// Settled with another amount.
    AmountMismatch "A10" "amount_mismatch",
    /// The sums of a batch differ.
    BatchTotalsMismatch "A11" "batch_totals_mismatch",
    /// A fee beyond the contract.
    FeeMismatch "A12" "fee_mismatch",
    /// The effective rate moved.
    RateChanged "A13" "rate_changed",
    /// A deduction with no transaction behind it.
    UnexplainedDeduction "A14" "unexplained_deduction",
    /// A forced or offline approval that was not uploaded, or declined later.
    OfflineForced "A15" "offline_forced",
    /// Many reversals at once.
    ReversalStorm "A16" "reversal_storm",
    /// The printer cannot be used.
    PrinterOut "A17" "printer_out",
    /// A terminal or an agent is not heard.
    Silent "A18" "silent",
    /// The device's clock is wrong.
    ClockSkew "A19" "clock_skew",
    /// The trace goes back, repeats or jumps.
    SequenceAnomaly "A20" "sequence_anomaly",
    /// A cashier's habit.
    OperatorPattern "A21" "operator_pattern",
    /// A card's habit.
    ConsumerPattern "A22" "consumer_pattern",
    /// The bank's credit is not the file's net.
    PayoutMismatch "A23" "payout_mismatch",
    /// An expected file is missing.
    StatementMissing "A24" "statement_missing",
    /// A shopper's complaint that no transaction fits.
    ComplaintUnmatched "A25" "complaint_unmatched",
    /// A card number in what an agent sent: its profile misses one. The bytes were dropped.
    CardNumberSeen "S01" "card_number_seen",
    /// A date that a shopper was promised comes near, or passed.
    PromiseDue "S02" "promise_due",
}

/// How soon a person must look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Ring now.
    P1,
    /// The same day.
    P2,
    /// In the day's digest.
    P3,
    /// A statistic.
    P4,
}

impl Severity {
    /// All of them.
    pub const ALL: [Severity; 4] = [Severity::P1, Severity::P2, Severity::P3, Severity::P4];

    /// A word for metrics, rows and JSON.
    pub fn label(self) -> &'static str {
        match self {
            Severity::P1 => "p1",
            Severity::P2 => "p2",
            Severity::P3 => "p3",
            Severity::P4 => "p4",
        }
    }
}

/// How far a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Likely, and not yet worth ringing: shown, not sent.
    Suspected,
    /// People are to be told.
    Alerting,
    /// The settlement file says the same.
    Confirmed,
}

impl Stage {
    /// All of them.
    pub const ALL: [Stage; 3] = [Stage::Suspected, Stage::Alerting, Stage::Confirmed];

    /// A word for rows and JSON.
    pub fn label(self) -> &'static str {
        match self {
            Stage::Suspected => "suspected",
            Stage::Alerting => "alerting",
            Stage::Confirmed => "confirmed",
        }
    }
}

/// How a finding ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resolution {
    /// A slip came.
    SlipPrinted,
    /// A slip without paper went out.
    SlipIssued,
    /// The shopper wanted none.
    SlipDeclined,
    /// The debit was undone by a reversal.
    Reversed,
    /// The debit was undone by the cashier.
    Voided,
    /// The money went back.
    Refunded,
    /// The host answered after all.
    Answered,
    /// One of the two debits was undone.
    OneUndone,
    /// It grew into another finding, which is told instead.
    GrewInto(FindingKind),
    /// What it rested on is not sure any more: the terminal was not heard without a gap.
    NotKnown,
    /// It was heard again.
    HeardAgain,
    /// What was heard since does not bear it out.
    NotBorneOut,
    /// A slip was printed well.
    PrintsAgain,
    /// It was uploaded and accepted.
    Uploaded,
    /// The sums are equal.
    Balanced,
    /// It has been quiet for long enough.
    Subsided,
    /// The clock is right.
    ClockRight,
    /// A record of the device explains it.
    Explained,
    /// The time over which it was counted is past.
    PeriodOver,
    /// A row of a later file settles it.
    Settled,
    /// The payment behind the row was found.
    PaymentFound,
    /// The file gave the money back.
    CreditBooked,
    /// A corrected file says otherwise.
    Corrected,
    /// The file came.
    FileLoaded,
    /// The money came in at the bank.
    PayoutBooked,
    /// The contract, or the list of agreed deductions, knows it now.
    Agreed,
    /// The payment behind a complaint was found.
    ComplaintMatched,
    /// What a shopper was promised was done.
    PromiseKept,
    /// The shopper was answered, or answered anew.
    ShopperAnswered,
    /// The complaint was closed.
    ComplaintClosed,
}

impl Resolution {
    /// A word for metrics, rows and JSON.
    pub fn label(self) -> &'static str {
        match self {
            Resolution::SlipPrinted => "slip_printed",
            Resolution::SlipIssued => "slip_issued",
            Resolution::SlipDeclined => "slip_declined",
            Resolution::Reversed => "reversed",
            Resolution::Voided => "voided",
            Resolution::Refunded => "refunded",
            Resolution::Answered => "answered",
            Resolution::OneUndone => "one_undone",
            Resolution::GrewInto(_) => "grew",
            Resolution::NotKnown => "not_known",
            Resolution::HeardAgain => "heard_again",
            Resolution::NotBorneOut => "not_borne_out",
            Resolution::PrintsAgain => "prints_again",
            Resolution::Uploaded => "uploaded",
            Resolution::Balanced => "balanced",
            Resolution::Subsided => "subsided",
            Resolution::ClockRight => "clock_right",
            Resolution::Explained => "explained",
            Resolution::PeriodOver => "period_over",
            Resolution::Settled => "settled",
            Resolution::PaymentFound => "payment_found",
            Resolution::CreditBooked => "credit_booked",
            Resolution::Corrected => "corrected",
            Resolution::FileLoaded => "file_loaded",
            Resolution::PayoutBooked => "payout_booked",
            Resolution::Agreed => "agreed",
            Resolution::ComplaintMatched => "complaint_matched",
            Resolution::PromiseKept => "promise_kept",
            Resolution::ShopperAnswered => "shopper_answered",
            Resolution::ComplaintClosed => "complaint_closed",
        }
    }
}

/// What a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A payment.
    Case(CaseId),
    /// A terminal.
    Terminal(TerminalName),
    /// An agent.
    Agent(AgentName),
    /// An acquirer, over all shops that call it.
    Route(Acquirer),
    /// A row of a settlement file.
    Row(RowName),
    /// A settlement file, or something that several of its rows show.
    Statement(StatementName),
    /// A shopper's complaint.
    Complaint(ComplaintName),
}

/// A shopper's complaint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ComplaintName {
    /// Its shop, where the shopper told it.
    pub store: Option<StoreId>,
    /// Its number.
    pub number: u64,
}

/// A row of a settlement file, by a name that stays when the file comes again corrected.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowName {
    /// Its shop.
    pub store: StoreId,
    /// Whose files.
    pub source: Box<str>,
    /// A hash over the numbers that it is known by.
    pub mark: u64,
    /// Which of several rows with the same numbers, from 1.
    pub nth: u32,
}

/// A settlement file, or what it is made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatementName {
    /// The shop that is told.
    pub store: StoreId,
    /// Whose files.
    pub source: Box<str>,
    /// Which day, payout or class of cards.
    pub part: Box<str>,
}

impl Subject {
    /// Whose shop; absent on what concerns more than one.
    pub fn store(&self) -> Option<&StoreId> {
        match self {
            Subject::Case(case) => Some(&case.agent.store),
            Subject::Terminal(terminal) => Some(&terminal.store),
            Subject::Agent(agent) => Some(&agent.store),
            Subject::Route(_) => None,
            Subject::Row(row) => Some(&row.store),
            Subject::Statement(statement) => Some(&statement.store),
            Subject::Complaint(complaint) => complaint.store.as_ref(),
        }
    }
}

/// A finding's name, the same for ever and wherever it is computed: kind, subject, and which time.
/// Written `A01:store.agent.epoch.seq`, `A18:terminal:store/12345678:1`, `A18:agent:store/agent:1`, `A16:route:898:1`;
/// the number at the end tells how often a terminal or an agent had it before, and the moment of an acquirer's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindingId {
    /// What kind.
    pub kind: FindingKind,
    /// About what.
    pub subject: Subject,
    /// Which time, from 1; always 1 for a payment, whose finding is opened again under the same name.
    pub time: u32,
}

impl fmt::Display for FindingId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.kind.code();
        match &self.subject {
            Subject::Case(case) => write!(out, "{code}:{case}"),
            Subject::Terminal(name) => {
                write!(out, "{code}:terminal:{}/{}:{}", name.store, name.terminal, self.time)
            }
            Subject::Agent(name) => {
                write!(out, "{code}:agent:{}/{}:{}", name.store, name.agent, self.time)
            }
            Subject::Route(acquirer) => write!(out, "{code}:route:{acquirer}:{}", self.time),
            Subject::Row(RowName { store, source, mark, nth }) => {
                write!(out, "{code}:row:{store}/{source}/{mark:016x}:{nth}")
            }
            Subject::Statement(StatementName { store, source, part }) => {
                write!(out, "{code}:statement:{store}/{source}/{part}:{}", self.time)
            }
            Subject::Complaint(complaint) => write!(out, "{code}:complaint:{}", complaint.number),
        }
    }
}

/// A finding as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its name.
    pub id: FindingId,
    /// How soon a person must look.
    pub severity: Severity,
    /// How far it is.
    pub stage: Stage,
    /// What most likely caused it.
    pub cause: Cause,
    /// Since when it holds, by the agent's wall clock, UTC.
    pub since: EventTime,
    /// How it ended; absent while it is open.
    pub resolved: Option<Resolution>,
    /// The finding that explains it and is told instead.
    pub parent: Option<FindingId>,
    /// The other payment, where there are two (A09).
    pub partner: Option<CaseId>,
    /// Points or milliseconds behind it, where it rests on a measure (A09 points, A18 silence).
    pub measure: i64,
    /// Its source plays a recording: stored and shown, nobody is rung.
    pub historical: bool,
}

impl Finding {
    /// Whether it still holds.
    pub fn is_open(&self) -> bool {
        self.resolved.is_none()
    }

    /// Whether a row of a settlement file is what it is about.
    pub fn is_of_row(&self) -> bool {
        matches!(self.id.subject, Subject::Row(_))
    }

    /// The payment that it is about, or that the row it is about books once more.
    pub fn payment(&self) -> Option<&CaseId> {
        match &self.id.subject {
            Subject::Case(case) => Some(case),
            _ => self.partner.as_ref(),
        }
    }
}

/// What changed about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// It was not there before, or had ended and holds again.
    Raised,
    /// Its stage, severity, cause or partner changed.
    Changed,
    /// It ended.
    Resolved,
}

impl Change {
    /// A word for metrics, rows and JSON.
    pub fn label(self) -> &'static str {
        match self {
            Change::Raised => "raised",
            Change::Changed => "changed",
            Change::Resolved => "resolved",
        }
    }
}

/// A change and all that a letter needs to tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingChange {
    /// What changed.
    pub change: Change,
    /// The finding as it stands now.
    pub finding: Finding,
    /// With this it becomes one that people are told of: before, it was not there or only suspected.
    pub alerts: bool,
    /// When the collector learned it.
    pub learned: ArrivalTime,
    /// The terminal, where it concerns one.
    pub terminal: Option<TerminalName>,
    /// The payment, where it is about one.
    pub case: Option<Box<Case>>,
    /// What a settlement file says of it, where it rests on one.
    pub ledger: Option<Box<Ledger>>,
}

/// What a settlement file says of a finding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The amount that it is about: settled, deducted, paid out.
    pub amount: Option<Amount>,
    /// What was expected instead.
    pub expected: Option<Amount>,
    /// How many rows show it; 0 where that is not the matter.
    pub rows: u32,
    /// The file's own word, or what a deduction is known as.
    pub word: Box<str>,
    /// File and line.
    pub document: Box<str>,
    /// The numbers that the row is known by.
    pub keys: Keys,
    /// The day, as `2025-11-24`, where the file tells no time of it: what holds since then has no time of day.
    pub day: Option<Box<str>>,
    /// When what a shopper was promised is due, UTC.
    pub due: Option<EventTime>,
}

/// What a case remembers of a finding about it, so that only changes are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What kind.
    pub kind: FindingKind,
    /// How far it was.
    pub stage: Stage,
    /// How it ended, if it did.
    pub resolved: Option<Resolution>,
    /// Since when it holds.
    pub since: StreamTime,
    /// The cause that was told.
    pub cause: Cause,
    /// The other payment (A09).
    pub partner: Option<CaseId>,
    /// Points (A09).
    pub measure: i64,
    /// The finding that explains it and is told instead. Stored behind the case's other parts.
    pub parent: Option<Box<FindingId>>,
}

shape_enum!(Stage { Suspected, Alerting, Confirmed });
shape_enum!(Severity { P1, P2, P3, P4 });

impl Shape for Told {
    fn put(&self, out: &mut Vec<u8>) {
        self.kind.put(out);
        self.stage.put(out);
        self.resolved.put(out);
        self.since.put(out);
        self.cause.put(out);
        self.partner.put(out);
        self.measure.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Told, ShapeError> {
        Ok(Told {
            kind: Shape::take(bytes)?,
            stage: Shape::take(bytes)?,
            resolved: Shape::take(bytes)?,
            since: Shape::take(bytes)?,
            cause: Shape::take(bytes)?,
            partner: Shape::take(bytes)?,
            measure: Shape::take(bytes)?,
            parent: None,
        })
    }
}

shape_struct!(TerminalName { store, terminal });
shape_struct!(RowName { store, source, mark, nth });
shape_struct!(StatementName { store, source, part });
shape_struct!(ComplaintName { store, number });
shape_struct!(FindingId { kind, subject, time });
shape_struct!(Finding {
    id,
    severity,
    stage,
    cause,
    since,
    resolved,
    parent,
    partner,
    measure,
    historical,
});

impl Shape for EventTime {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<EventTime, ShapeError> {
        Ok(EventTime(Shape::take(bytes)?))
    }
}

impl Shape for Subject {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Subject::Case(case) => {
                out.push(0);
                case.put(out);
            }
            Subject::Terminal(terminal) => {
                out.push(1);
                terminal.put(out);
            }
            Subject::Agent(agent) => {
                out.push(2);
                agent.put(out);
            }
            Subject::Route(acquirer) => {
                out.push(3);
                acquirer.put(out);
            }
            Subject::Row(row) => {
                out.push(4);
                row.put(out);
            }
            Subject::Statement(statement) => {
                out.push(5);
                statement.put(out);
            }
            Subject::Complaint(complaint) => {
                out.push(6);
                complaint.put(out);
            }
        }
    }

    fn take(bytes: &mut &[u8]) -> Result<Subject, ShapeError> {
        Ok(match u8::take(bytes)? {
            0 => Subject::Case(Shape::take(bytes)?),
            1 => Subject::Terminal(Shape::take(bytes)?),
            2 => Subject::Agent(Shape::take(bytes)?),
            3 => Subject::Route(Shape::take(bytes)?),
            4 => Subject::Row(Shape::take(bytes)?),
            5 => Subject::Statement(Shape::take(bytes)?),
            6 => Subject::Complaint(Shape::take(bytes)?),
            _ => return Err(ShapeError),
        })
    }
}

impl Resolution {
    /// All but [`Resolution::GrewInto`], in the order of their numbers in the store: new ones at the end.
    pub const PLAIN: [Resolution; 29] = [
        Resolution::SlipPrinted,
        Resolution::SlipIssued,
        Resolution::SlipDeclined,
        Resolution::Reversed,
        Resolution::Voided,
        Resolution::Refunded,
        Resolution::Answered,
        Resolution::OneUndone,
        Resolution::NotKnown,
        Resolution::HeardAgain,
        Resolution::NotBorneOut,
        Resolution::PrintsAgain,
        Resolution::Uploaded,
        Resolution::Balanced,
        Resolution::Subsided,
        Resolution::ClockRight,
        Resolution::Explained,
        Resolution::PeriodOver,
        Resolution::Settled,
        Resolution::PaymentFound,
        Resolution::CreditBooked,
        Resolution::Corrected,
        Resolution::FileLoaded,
        Resolution::PayoutBooked,
        Resolution::Agreed,
        Resolution::ComplaintMatched,
        Resolution::PromiseKept,
        Resolution::ShopperAnswered,
        Resolution::ComplaintClosed,
    ];
}

impl Shape for Resolution {
    fn put(&self, out: &mut Vec<u8>) {
        match Resolution::PLAIN.iter().position(|plain| plain == self) {
            Some(place) => out.push(place as u8),
            None => {
                out.push(u8::MAX);
                let Resolution::GrewInto(kind) = self else {
                    unreachable!("all others are listed")
                };
                kind.put(out);
            }
        }
    }

    fn take(bytes: &mut &[u8]) -> Result<Resolution, ShapeError> {
        match u8::take(bytes)? {
            u8::MAX => Ok(Resolution::GrewInto(Shape::take(bytes)?)),
            place => Resolution::PLAIN.get(usize::from(place)).copied().ok_or(ShapeError),
        }
    }
}
