//! The cause finder: which of six classes a finding most likely falls in, how sure that is, and on which events it
//! rests. "Unknown" is a valid answer. Never names a person.

use super::case::EventRef;

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
    pub const ALL: [CauseDetail; 25] = [
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
        }
    }
}
