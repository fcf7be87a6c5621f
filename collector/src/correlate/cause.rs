//! The cause finder: which of six classes a finding most likely falls in, how sure that is, and on which events it
//! rests. "Unknown" is a valid answer. Never names a person.

use super::case::{Case, EventRef, Fact, Trouble, UnsoundAnswer, What};
use super::shape::{shape_enum, shape_struct};
use super::timeline::StreamTime;
use slipwatch_shared::event::{AbortedBy, Copy, SlipFailure, SlipLoss};

/// Who or what most likely caused it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CauseClass {
    /// The terminal or its printer: paper, lid, heat, restart.
    TerminalFault,
    /// The cashier: a cancel at the print prompt, a rerun after a time-out.
    Operator,
    /// Host, acquirer or payment institution.
    Institution,
    /// The shopper: a second tap, a late confirmation.
    Consumer,
    /// A rule or a fee.
    Policy,
    /// The line between terminal and host.
    Network,
    /// Not told by anything that was heard.
    Unknown,
}

/// What the class rests on, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CauseDetail {
    /// No paper.
    PaperOut,
    /// The lid is open.
    CoverOpen,
    /// The cutter is stuck.
    Cutter,
    /// The head is too hot.
    Overheated,
    /// The printer does not answer.
    PrinterOffline,
    /// The printer reports another error.
    PrinterError,
    /// The till refused to print.
    TillRefused,
    /// The printer's buffer was cleared.
    BufferCleared,
    /// Power was lost.
    PowerLost,
    /// The device started anew.
    Restarted,
    /// A slip was begun and not ended.
    SlipTorn,
    /// The cashier cancelled at the print prompt.
    PrintCancelled,
    /// Only the shop's copy was printed.
    MerchantCopyOnly,
    /// Nothing was sent to the printer.
    NothingSent,
    /// The network was down.
    NetworkDown,
    /// The host did not answer in time.
    NoAnswer,
    /// The answer's MAC was wrong.
    WrongMac,
    /// The host reported its own malfunction.
    HostMalfunction,
    /// The payment was run again after a missing slip or answer.
    Rerun,
    /// The same message went out twice.
    Retransmitted,
    /// The card was presented twice.
    SecondTap,
    /// The agent is not heard.
    AgentSilent,
    /// The device says nothing while its line is open.
    DeviceSilent,
    /// A profile let a card number through.
    ScrubMissed,
    /// Nothing.
    Nothing,
    /// The success came after the order was closed.
    LateConfirmation,
    /// Host and terminal name different sums.
    TotalsDiffer,
    /// The terminal's own sums lack payments that were heard.
    RowsMissing,
    /// The host ended the close with an error.
    HostError,
    /// An offline approval was not uploaded.
    NotUploaded,
    /// The host refused an offline approval when it was uploaded.
    UploadRefused,
    /// Many reversals of one terminal, and not of others.
    ManyReversals,
    /// Many terminals of one acquirer at once.
    AcquirerOutage,
    /// One sale after the other had no slip.
    SalesWithoutSlip,
    /// The device's clock differs from the host's.
    DeviceClock,
    /// The agent's clock differs from the host's.
    AgentClock,
    /// The trace went back.
    TraceBack,
    /// The trace came again.
    TraceRepeated,
    /// The trace jumped.
    TraceJumped,
    /// A batch number came again.
    BatchRepeated,
    /// Prints were cancelled again and again by one operator.
    ManyCancels,
    /// Payments were run again after time-outs by one operator.
    ManyReruns,
    /// Card numbers were typed again and again by one operator.
    ManyTyped,
    /// One operator voids more than is usual.
    ManyVoids,
    /// The batch is long open.
    CloseOverdue,
    /// One card paid again and again.
    CardRepeated,
    /// One card paid and was refunded in turns.
    SaleAndRefund,
    /// The settlement file has a row that no terminal made.
    RowWithoutPayment,
    /// No settlement file has the payment.
    PaymentWithoutRow,
    /// The settlement file contradicts the terminal.
    FileContradicts,
    /// The fee is not that of the contract.
    FeeNotAgreed,
    /// The rate that is taken moved.
    RateMoved,
    /// Something was deducted that nobody agreed to.
    DeductionNotAgreed,
    /// What came in at the bank is not what was settled.
    PayoutDiffers,
    /// The settlement file did not come, or does not hold.
    FileMissing,
    /// A shopper says that money was taken, and nothing fits.
    ComplaintFitsNothing,
    /// A shopper waits for an answer, or for what was promised.
    PromiseWaits,
}

/// A finding's main cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Which class.
    pub class: CauseClass,
    /// What it rests on.
    pub detail: CauseDetail,
    /// How sure, 0 to 100.
    pub confidence: u8,
    /// The events it rests on.
    pub cited: Vec<EventRef>,
}

impl Cause {
    /// One that rests on these events.
    pub fn of(
        class: CauseClass,
        detail: CauseDetail,
        confidence: u8,
        cited: impl IntoIterator<Item = EventRef>,
    ) -> Cause {
        let cited = cited.into_iter().take(CITED_MAX).collect();
        Cause { class, detail, confidence, cited }
    }

    /// Nothing that was heard tells.
    pub fn unknown() -> Cause {
        Cause {
            class: CauseClass::Unknown,
            detail: CauseDetail::Nothing,
            confidence: 0,
            cited: Vec::new(),
        }
    }
}

/// A restart this soon after the debit is taken for the reason that no slip came.
pub const RESTART_MS_MAX: i64 = 60_000;

/// Why a debit has no slip: the strongest of what was heard between debit and deadline.
pub fn of_missing_slip(case: &Case, debited: StreamTime, due: StreamTime) -> Cause {
    let mut best: Option<Cause> = None;
    for fact in case.facts.iter().filter(|fact| fact.at <= due) {
        let Some((class, detail, confidence)) = of_slip_fact(fact, debited) else { continue };
        if is_ended(case, fact) {
            continue;
        }
        match &mut best {
            Some(best) if best.detail == detail => best.cited.push(fact.event),
            Some(best) if best.confidence >= confidence => {}
            _ => best = Some(Cause { class, detail, confidence, cited: vec![fact.event] }),
        }
    }
    let mut cause = best.unwrap_or_else(Cause::unknown);
    // The debit itself belongs to what it rests on.
    if let Some(debit) = case.first_fact(What::is_success)
        && !cause.cited.contains(&debit.event)
    {
        cause.cited.insert(0, debit.event);
    }
    cause.cited.truncate(CITED_MAX);
    cause
}

/// Whether a fact is the beginning of a slip that was printed, since nothing was torn there, or a printer's trouble behind
/// which it printed.
fn is_ended(case: &Case, begun: &Fact) -> bool {
    let ends = |copy: Option<Copy>| match begun.what {
        What::SlipStarted(begun_copy) => copy == begun_copy,
        What::SlipFailed(_) | What::Trouble(_) => true,
        _ => false,
    };
    let mut later = case.facts.iter().filter(|fact| fact.event > begun.event);
    later.any(|fact| matches!(fact.what, What::SlipPrinted { copy, .. } if ends(copy)))
}

/// Most events that one cause cites.
pub const CITED_MAX: usize = 8;

fn of_slip_fact(fact: &Fact, debited: StreamTime) -> Option<(CauseClass, CauseDetail, u8)> {
    use CauseClass::{Network, Operator, TerminalFault};
    Some(match fact.what {
        What::SlipFailed(reason) => match reason {
            SlipFailure::PaperOut => (TerminalFault, CauseDetail::PaperOut, 95),
            SlipFailure::CoverOpen => (TerminalFault, CauseDetail::CoverOpen, 95),
            SlipFailure::Cutter => (TerminalFault, CauseDetail::Cutter, 95),
            SlipFailure::Overheated => (TerminalFault, CauseDetail::Overheated, 95),
            SlipFailure::Offline => (TerminalFault, CauseDetail::PrinterOffline, 90),
            SlipFailure::Refused => (TerminalFault, CauseDetail::TillRefused, 75),
            SlipFailure::Unknown => (TerminalFault, CauseDetail::PrinterError, 65),
        },
        What::SlipLost(SlipLoss::Cancelled) | What::PrintCancelled => {
            (Operator, CauseDetail::PrintCancelled, 90)
        }
        What::SlipLost(SlipLoss::PowerLost) => (TerminalFault, CauseDetail::PowerLost, 90),
        What::SlipLost(SlipLoss::BufferCleared) => (TerminalFault, CauseDetail::BufferCleared, 80),
        What::Trouble(trouble) => match trouble {
            Trouble::PaperOut => (TerminalFault, CauseDetail::PaperOut, 90),
            Trouble::CoverOpen => (TerminalFault, CauseDetail::CoverOpen, 90),
            Trouble::Cutter => (TerminalFault, CauseDetail::Cutter, 90),
            Trouble::Offline => (TerminalFault, CauseDetail::PrinterOffline, 85),
            Trouble::Error => (TerminalFault, CauseDetail::PrinterError, 80),
        },
        What::Restarted if fact.at.ms_since(debited) <= RESTART_MS_MAX => {
            (TerminalFault, CauseDetail::Restarted, 80)
        }
        What::SlipPrinted { .. } => (Operator, CauseDetail::MerchantCopyOnly, 50),
        What::SlipStarted(_) => (TerminalFault, CauseDetail::SlipTorn, 60),
        What::NetworkDown => (Network, CauseDetail::NetworkDown, 30),
        _ => return None,
    })
}

/// Why a payment has no sound answer, or its undo none.
pub fn of_lost_answer(case: &Case) -> Cause {
    use CauseClass::{Institution, Network, Operator, TerminalFault};
    let of = |what: &What| {
        Some(match what {
            What::NetworkDown => (Network, CauseDetail::NetworkDown, 85),
            What::Unsound(UnsoundAnswer::WrongMac) => (TerminalFault, CauseDetail::WrongMac, 80),
            What::Unsound(UnsoundAnswer::Malfunction) => {
                (Institution, CauseDetail::HostMalfunction, 75)
            }
            What::Unsound(UnsoundAnswer::NoAnswer) => (Institution, CauseDetail::NoAnswer, 60),
            What::Restarted => (TerminalFault, CauseDetail::Restarted, 55),
            What::TimedOut => (Network, CauseDetail::NoAnswer, 50),
            What::Aborted(AbortedBy::Operator) => (Operator, CauseDetail::NoAnswer, 30),
            _ => return None,
        })
    };
    let found = case.facts.iter().filter_map(|fact| Some((fact, of(&fact.what)?)));
    let Some((_, (class, detail, confidence))) = found.clone().max_by_key(|(_, of)| of.2) else {
        return Cause::unknown();
    };
    let undo = |what: &What| matches!(what, What::Reversal(_) | What::TimedOut | What::Unsound(_));
    let cited = case.facts.iter().filter(|fact| undo(&fact.what) || of(&fact.what).is_some());
    let cited = cited.map(|fact| fact.event).take(CITED_MAX).collect();
    Cause { class, detail, confidence, cited }
}

impl CauseClass {
    /// All of them, in the order of their numbers in the store.
    pub const ALL: [CauseClass; 7] = [
        CauseClass::TerminalFault,
        CauseClass::Operator,
        CauseClass::Institution,
        CauseClass::Consumer,
        CauseClass::Policy,
        CauseClass::Network,
        CauseClass::Unknown,
    ];

    /// A word for metrics, rows and JSON.
    pub fn label(self) -> &'static str {
        match self {
            CauseClass::TerminalFault => "terminal_fault",
            CauseClass::Operator => "operator",
            CauseClass::Institution => "institution",
            CauseClass::Consumer => "consumer",
            CauseClass::Policy => "policy",
            CauseClass::Network => "network",
            CauseClass::Unknown => "unknown",
        }
    }
}

impl CauseDetail {
    /// All of them, in the order of their numbers in the store.
    pub const ALL: [CauseDetail; 57] = [
        CauseDetail::PaperOut,
        CauseDetail::CoverOpen,
        CauseDetail::Cutter,
        CauseDetail::Overheated,
        CauseDetail::PrinterOffline,
        CauseDetail::PrinterError,
        CauseDetail::TillRefused,
        CauseDetail::BufferCleared,
        CauseDetail::PowerLost,
        CauseDetail::Restarted,
        CauseDetail::SlipTorn,
        CauseDetail::PrintCancelled,
        CauseDetail::MerchantCopyOnly,
        CauseDetail::NothingSent,
        CauseDetail::NetworkDown,
        CauseDetail::NoAnswer,
        CauseDetail::WrongMac,
        CauseDetail::HostMalfunction,
        CauseDetail::Rerun,
        CauseDetail::Retransmitted,
        CauseDetail::SecondTap,
        CauseDetail::AgentSilent,
        CauseDetail::DeviceSilent,
        CauseDetail::ScrubMissed,
        CauseDetail::Nothing,
        CauseDetail::LateConfirmation,
        CauseDetail::TotalsDiffer,
        CauseDetail::RowsMissing,
        CauseDetail::HostError,
        CauseDetail::NotUploaded,
        CauseDetail::UploadRefused,
        CauseDetail::ManyReversals,
        CauseDetail::AcquirerOutage,
        CauseDetail::SalesWithoutSlip,
        CauseDetail::DeviceClock,
        CauseDetail::AgentClock,
        CauseDetail::TraceBack,
        CauseDetail::TraceRepeated,
        CauseDetail::TraceJumped,
        CauseDetail::BatchRepeated,
        CauseDetail::ManyCancels,
        CauseDetail::ManyReruns,
        CauseDetail::ManyTyped,
        CauseDetail::ManyVoids,
        CauseDetail::CloseOverdue,
        CauseDetail::CardRepeated,
        CauseDetail::SaleAndRefund,
        CauseDetail::RowWithoutPayment,
        CauseDetail::PaymentWithoutRow,
        CauseDetail::FileContradicts,
        CauseDetail::FeeNotAgreed,
        CauseDetail::RateMoved,
        CauseDetail::DeductionNotAgreed,
        CauseDetail::PayoutDiffers,
        CauseDetail::FileMissing,
        CauseDetail::ComplaintFitsNothing,
        CauseDetail::PromiseWaits,
    ];

    /// A word for rows and JSON.
    pub fn label(self) -> &'static str {
        match self {
            CauseDetail::PaperOut => "paper_out",
            CauseDetail::CoverOpen => "cover_open",
            CauseDetail::Cutter => "cutter",
            CauseDetail::Overheated => "overheated",
            CauseDetail::PrinterOffline => "printer_offline",
            CauseDetail::PrinterError => "printer_error",
            CauseDetail::TillRefused => "till_refused",
            CauseDetail::BufferCleared => "buffer_cleared",
            CauseDetail::PowerLost => "power_lost",
            CauseDetail::Restarted => "restarted",
            CauseDetail::SlipTorn => "slip_torn",
            CauseDetail::PrintCancelled => "print_cancelled",
            CauseDetail::MerchantCopyOnly => "merchant_copy_only",
            CauseDetail::NothingSent => "nothing_sent",
            CauseDetail::NetworkDown => "network_down",
            CauseDetail::NoAnswer => "no_answer",
            CauseDetail::WrongMac => "wrong_mac",
            CauseDetail::HostMalfunction => "host_malfunction",
            CauseDetail::Rerun => "rerun",
            CauseDetail::Retransmitted => "retransmitted",
            CauseDetail::SecondTap => "second_tap",
            CauseDetail::AgentSilent => "agent_silent",
            CauseDetail::DeviceSilent => "device_silent",
            CauseDetail::ScrubMissed => "scrub_missed",
            CauseDetail::Nothing => "nothing",
            CauseDetail::LateConfirmation => "late_confirmation",
            CauseDetail::TotalsDiffer => "totals_differ",
            CauseDetail::RowsMissing => "rows_missing",
            CauseDetail::HostError => "host_error",
            CauseDetail::NotUploaded => "not_uploaded",
            CauseDetail::UploadRefused => "upload_refused",
            CauseDetail::ManyReversals => "many_reversals",
            CauseDetail::AcquirerOutage => "acquirer_outage",
            CauseDetail::SalesWithoutSlip => "sales_without_slip",
            CauseDetail::DeviceClock => "device_clock",
            CauseDetail::AgentClock => "agent_clock",
            CauseDetail::TraceBack => "trace_back",
            CauseDetail::TraceRepeated => "trace_repeated",
            CauseDetail::TraceJumped => "trace_jumped",
            CauseDetail::BatchRepeated => "batch_repeated",
            CauseDetail::ManyCancels => "many_cancels",
            CauseDetail::ManyReruns => "many_reruns",
            CauseDetail::ManyTyped => "many_typed",
            CauseDetail::ManyVoids => "many_voids",
            CauseDetail::CloseOverdue => "close_overdue",
            CauseDetail::CardRepeated => "card_repeated",
            CauseDetail::SaleAndRefund => "sale_and_refund",
            CauseDetail::RowWithoutPayment => "row_without_payment",
            CauseDetail::PaymentWithoutRow => "payment_without_row",
            CauseDetail::FileContradicts => "file_contradicts",
            CauseDetail::FeeNotAgreed => "fee_not_agreed",
            CauseDetail::RateMoved => "rate_moved",
            CauseDetail::DeductionNotAgreed => "deduction_not_agreed",
            CauseDetail::PayoutDiffers => "payout_differs",
            CauseDetail::FileMissing => "file_missing",
            CauseDetail::ComplaintFitsNothing => "complaint_fits_nothing",
            CauseDetail::PromiseWaits => "promise_waits",
        }
    }
}

shape_struct!(Cause { class, detail, confidence, cited });
shape_enum!(CauseClass {
    TerminalFault,
    Operator,
    Institution,
    Consumer,
    Policy,
    Network,
    Unknown,
});
shape_enum!(CauseDetail {
    PaperOut,
    CoverOpen,
    Cutter,
    Overheated,
    PrinterOffline,
    PrinterError,
    TillRefused,
    BufferCleared,
    PowerLost,
    Restarted,
    SlipTorn,
    PrintCancelled,
    MerchantCopyOnly,
    NothingSent,
    NetworkDown,
    NoAnswer,
    WrongMac,
    HostMalfunction,
    Rerun,
    Retransmitted,
    SecondTap,
    AgentSilent,
    DeviceSilent,
    ScrubMissed,
    Nothing,
    LateConfirmation,
    TotalsDiffer,
    RowsMissing,
    HostError,
    NotUploaded,
    UploadRefused,
    ManyReversals,
    AcquirerOutage,
    SalesWithoutSlip,
    DeviceClock,
    AgentClock,
    TraceBack,
    TraceRepeated,
    TraceJumped,
    BatchRepeated,
    ManyCancels,
    ManyReruns,
    ManyTyped,
    ManyVoids,
    CloseOverdue,
    CardRepeated,
    SaleAndRefund,
    RowWithoutPayment,
    PaymentWithoutRow,
    FileContradicts,
    FeeNotAgreed,
    RateMoved,
    DeductionNotAgreed,
    PayoutDiffers,
    FileMissing,
    ComplaintFitsNothing,
    PromiseWaits,
});
