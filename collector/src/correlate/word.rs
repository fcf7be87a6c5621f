//! What an event says about payments, in the words of a case. Finds no case and judges nothing.

use super::case::{Trouble, UnsoundAnswer, What};
use slipwatch_shared::event::{
    Body, ExchangePhase, Keys, Kind, OperatorAction, Paper, PrinterStatus, SettlementResult,
    SettlementTotals, Slip,
};
use slipwatch_shared::message::ResponseCode;
use slipwatch_shared::trace::BatchNumber;

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word<'a> {
    /// Something of a payment's money.
    Money {
        /// What.
        what: What,
        /// Of which payment.
        keys: &'a Keys,
        /// What kind of business, where the event itself tells.
        kind: Option<Kind>,
    },
    /// Something of a slip.
    Slip {
        /// What.
        what: What,
        /// Which slip.
        slip: &'a Slip,
    },
    /// The printer's state.
    Printer(PrinterStatus),
    /// The cashier cancelled at the print prompt.
    PrintCancelled(&'a Keys),
    /// The device started anew.
    Restarted,
    /// The device can or cannot reach its host.
    Network {
        /// It can.
        up: bool,
    },
    /// The close of the day began: what is printed until it ends is no slip.
    CloseBegins,
    /// Sums of the batch that closes.
    Totals(&'a SettlementTotals),
    /// The close of the day ended.
    Closed {
        /// The batch that closed.
        batch_number: Option<BatchNumber>,
        /// How.
        result: SettlementResult,
    },
    /// The device signed on.
    SignedOn(Option<BatchNumber>),
    /// The cashier did something by hand that is not about a slip.
    Operator {
        /// What.
        action: OperatorAction,
        /// On which payment, where told.
        keys: &'a Keys,
    },
    /// Nothing that a case is made of.
    Other,
}

/// Reads a body.
pub fn word(body: &Body) -> Word<'_> {
    match body {
        Body::AuthorizationRequested(keys) => money(What::Requested, keys, None),
        Body::AuthorizationAnswered { keys, response_code } => {
            money(answer(response_code), keys, None)
        }
        Body::AuthorizationTimedOut(keys) => money(What::TimedOut, keys, None),
        Body::TransactionCompleted(keys) => money(What::Completed, keys, None),
        Body::TransactionAborted { keys, by } => money(What::Aborted(*by), keys, None),
        Body::Reversal { keys, phase } => money(What::Reversal(*phase), keys, None),
        Body::Void { keys, phase } => money(exchange(*phase), keys, Some(Kind::Void)),
        Body::Refund { keys, phase } => money(exchange(*phase), keys, Some(Kind::Refund)),
        Body::Preauthorization { keys, phase } => {
            money(exchange(*phase), keys, Some(Kind::Preauthorization))
        }
        Body::Completion { keys, phase } => money(exchange(*phase), keys, Some(Kind::Completion)),
        Body::OfflineUpload { keys, phase } => {
            money(What::Uploaded(*phase), keys, Some(Kind::Sale))
        }
        Body::SlipStarted(slip) => Word::Slip { what: What::SlipStarted(slip.copy), slip },
        Body::SlipPrinted { slip, grade } => Word::Slip {
            what: What::SlipPrinted { copy: slip.copy, reprint: slip.reprint, grade: *grade },
            slip,
        },
        Body::SlipFailed { slip, reason } => Word::Slip { what: What::SlipFailed(*reason), slip },
        Body::SlipLost { slip, reason } => Word::Slip { what: What::SlipLost(*reason), slip },
        Body::SlipIssuedElectronically { slip, channel } => {
            Word::Slip { what: What::SlipIssued(*channel), slip }
        }
        Body::SlipDeclined(slip) => Word::Slip { what: What::SlipDeclined, slip },
        Body::PrinterStatus(status) => Word::Printer(*status),
        Body::OperatorAction { action: OperatorAction::CancelPrint, keys } => {
            Word::PrintCancelled(keys)
        }
        Body::DeviceRestarted => Word::Restarted,
        Body::NetworkUp => Word::Network { up: true },
        Body::NetworkDown => Word::Network { up: false },
        Body::OperatorAction { action: OperatorAction::Force, keys } => {
            money(What::ApprovedOffline, keys, None)
        }
        Body::OperatorAction { action, keys } => Word::Operator { action: *action, keys },
        Body::SettlementStarted { .. } => Word::CloseBegins,
        Body::SettlementTotals(totals) => Word::Totals(totals),
        Body::SettlementClosed { batch_number, result } => {
            Word::Closed { batch_number: *batch_number, result: *result }
        }
        Body::SignedOn { batch_number } => Word::SignedOn(*batch_number),
        _ => Word::Other,
    }
}

/// Whether a body says something of a slip.
pub fn is_of_slip(body: &Body) -> bool {
    matches!(
        body,
        Body::SlipStarted(_)
            | Body::SlipPrinted { .. }
            | Body::SlipFailed { .. }
            | Body::SlipLost { .. }
            | Body::SlipIssuedElectronically { .. }
            | Body::SlipDeclined(_)
    )
}

fn money(what: What, keys: &Keys, kind: Option<Kind>) -> Word<'_> {
    Word::Money { what, keys, kind: kind.or(keys.kind) }
}

fn exchange(phase: ExchangePhase) -> What {
    match phase {
        ExchangePhase::Requested => What::Requested,
        ExchangePhase::Approved => What::Approved,
        ExchangePhase::Declined => What::Refused,
        ExchangePhase::TimedOut => What::TimedOut,
    }
}

fn answer(code: &ResponseCode) -> What {
    match code.as_str() {
        _ if code.is_approval() => What::Approved,
        // EMV tag 8A: approved offline; the same because the host could not be reached.
        "Y1" | "Y3" => What::ApprovedOffline,
        "A0" => What::Unsound(UnsoundAnswer::WrongMac),
        "96" => What::Unsound(UnsoundAnswer::Malfunction),
        _ if code.demands_reversal() => What::Unsound(UnsoundAnswer::NoAnswer),
        _ => What::Refused,
    }
}

/// The worst that a printer's state tells; absent when all that it tells is well.
pub fn trouble(status: &PrinterStatus) -> Option<Trouble> {
    match status {
        PrinterStatus { paper: Some(Paper::End), .. } => Some(Trouble::PaperOut),
        PrinterStatus { cover_open: Some(true), .. } => Some(Trouble::CoverOpen),
        PrinterStatus { cutter_error: Some(true), .. } => Some(Trouble::Cutter),
        PrinterStatus { online: Some(false), .. } => Some(Trouble::Offline),
        PrinterStatus { error: Some(true), .. } => Some(Trouble::Error),
        _ => None,
    }
}
