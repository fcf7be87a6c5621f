//! The words of the vocabulary as profiles spell them: the same as in an event's JSON.

use slipwatch_shared::card::EntryMode;
use slipwatch_shared::event::{
    AbortedBy, Copy, ElectronicChannel, ExchangePhase, Instrument, Kind, OperatorAction, Paper,
    ReversalPhase, SettlementResult, SlipFailure, SlipGrade, SlipLoss, TotalsBy,
};

/// A closed set of values with a word each.
pub(in crate::decode::dialect) trait Word: Sized {
    /// All the words.
    const NAMES: &'static [&'static str];

    /// The value of a word.
    fn named(name: &str) -> Option<Self>;
}

macro_rules! words {
    ($type:ty { $($name:literal => $value:expr),+ $(,)? }) => {
        impl Word for $type {
            const NAMES: &'static [&'static str] = &[$($name),+];

            fn named(name: &str) -> Option<$type> {
                match name {
                    $($name => Some($value),)+
                    _ => None,
                }
            }
        }
    };
}

words!(Kind {
    "sale" => Kind::Sale,
    "void" => Kind::Void,
    "refund" => Kind::Refund,
    "preauthorization" => Kind::Preauthorization,
    "completion" => Kind::Completion,
    "balance_inquiry" => Kind::BalanceInquiry,
});

words!(Instrument {
    "card" => Instrument::Card,
    "wechat_qr" => Instrument::WechatQr,
    "alipay_qr" => Instrument::AlipayQr,
    "unionpay_qr" => Instrument::UnionpayQr,
});

words!(EntryMode {
    "swiped" => EntryMode::Swiped,
    "inserted" => EntryMode::Inserted,
    "contactless" => EntryMode::Contactless,
    "manual" => EntryMode::Manual,
});

words!(Copy { "merchant" => Copy::Merchant, "customer" => Copy::Customer });

words!(SlipGrade {
    "claimed" => SlipGrade::Claimed,
    "sent" => SlipGrade::Sent,
    "clean_status" => SlipGrade::CleanStatus,
    "buffered_reply" => SlipGrade::BufferedReply,
    "process_id" => SlipGrade::ProcessId,
});

words!(ElectronicChannel {
    "qr_code" => ElectronicChannel::QrCode,
    "sms" => ElectronicChannel::Sms,
    "email" => ElectronicChannel::Email,
    "wallet" => ElectronicChannel::Wallet,
});

words!(AbortedBy {
    "operator" => AbortedBy::Operator,
    "customer" => AbortedBy::Customer,
    "terminal" => AbortedBy::Terminal,
    "host" => AbortedBy::Host,
    "unknown" => AbortedBy::Unknown,
});

words!(Paper {
    "present" => Paper::Present,
    "near_end" => Paper::NearEnd,
    "end" => Paper::End,
});

words!(TotalsBy { "terminal" => TotalsBy::Terminal, "host" => TotalsBy::Host });

words!(SettlementResult {
    "balanced" => SettlementResult::Balanced,
    "unbalanced" => SettlementResult::Unbalanced,
    "error" => SettlementResult::Error,
});

words!(OperatorAction {
    "reprint" => OperatorAction::Reprint,
    "abort" => OperatorAction::Abort,
    "cancel_print" => OperatorAction::CancelPrint,
    "manual_entry" => OperatorAction::ManualEntry,
    "menu" => OperatorAction::Menu,
    "force" => OperatorAction::Force,
});

words!(bool {
    "true" => true,
    "false" => false,
    "yes" => true,
    "no" => false,
    "1" => true,
    "0" => false,
});

/// `phase`: of a reversal, or of an exchange with the host.
#[derive(Clone, std::marker::Copy, Debug, PartialEq, Eq)]
pub(in crate::decode::dialect) enum Phase {
    Reversal(ReversalPhase),
    Exchange(ExchangePhase),
}

words!(Phase {
    "pending" => Phase::Reversal(ReversalPhase::Pending),
    "sent" => Phase::Reversal(ReversalPhase::Sent),
    "acknowledged" => Phase::Reversal(ReversalPhase::Acknowledged),
    "failed" => Phase::Reversal(ReversalPhase::Failed),
    "requested" => Phase::Exchange(ExchangePhase::Requested),
    "approved" => Phase::Exchange(ExchangePhase::Approved),
    "declined" => Phase::Exchange(ExchangePhase::Declined),
    "timed_out" => Phase::Exchange(ExchangePhase::TimedOut),
});

/// `reason`: why a slip failed, or how it was lost.
#[derive(Clone, std::marker::Copy, Debug, PartialEq, Eq)]
pub(in crate::decode::dialect) enum Reason {
    Failure(SlipFailure),
    Loss(SlipLoss),
}

words!(Reason {
    "paper_out" => Reason::Failure(SlipFailure::PaperOut),
    "cover_open" => Reason::Failure(SlipFailure::CoverOpen),
    "cutter" => Reason::Failure(SlipFailure::Cutter),
    "overheated" => Reason::Failure(SlipFailure::Overheated),
    "offline" => Reason::Failure(SlipFailure::Offline),
    "refused" => Reason::Failure(SlipFailure::Refused),
    "unknown" => Reason::Failure(SlipFailure::Unknown),
    "buffer_cleared" => Reason::Loss(SlipLoss::BufferCleared),
    "power_lost" => Reason::Loss(SlipLoss::PowerLost),
    "cancelled" => Reason::Loss(SlipLoss::Cancelled),
});
