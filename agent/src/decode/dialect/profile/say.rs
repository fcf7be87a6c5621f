//! What a rule says: one name for each body that a text can tell, and how it is built of the fields.

use super::draft::{Draft, Vocabulary};
use super::word::{Phase, Reason};
use slipwatch_shared::event::{
    AbortedBy, Body, ElectronicChannel, ExchangePhase, Keys, Kind, ReversalPhase, SettlementTotals,
    Slip, SlipFailure, SlipGrade, SlipLoss, TotalsBy,
};

macro_rules! sayings {
    ($($variant:ident $name:literal),+ $(,)?) => {
        /// The bodies that a text can tell.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(in crate::decode::dialect) enum Say { $($variant),+ }

        impl Say {
            /// All names, as profiles spell them.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// The saying of a name.
            pub fn named(name: &str) -> Option<Say> {
                match name {
                    $($name => Some(Say::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

sayings! {
    AuthorizationRequested "authorization_requested",
    AuthorizationAnswered "authorization_answered",
    AuthorizationTimedOut "authorization_timed_out",
    TransactionCompleted "transaction_completed",
    TransactionAborted "transaction_aborted",
    Reversal "reversal",
    Void "void",
    Refund "refund",
    Preauthorization "preauthorization",
    Completion "completion",
    SlipStarted "slip_started",
    SlipPrinted "slip_printed",
    SlipFailed "slip_failed",
    SlipLost "slip_lost",
    SlipIssuedElectronically "slip_issued_electronically",
    SlipDeclined "slip_declined",
    PrinterStatus "printer_status",
    SettlementStarted "settlement_started",
    SettlementTotals "settlement_totals",
    SettlementClosed "settlement_closed",
    NetworkUp "network_up",
    NetworkDown "network_down",
    DeviceRestarted "device_restarted",
    SignedOn "signed_on",
    OperatorAction "operator_action",
}

impl Say {
    /// Whether it tells of money: debits, reversals, voids.
    pub fn is_money(self) -> bool {
        use Say::*;
        matches!(
            self,
            AuthorizationRequested
                | AuthorizationAnswered
                | AuthorizationTimedOut
                | TransactionCompleted
                | TransactionAborted
                | Reversal
                | Void
                | Refund
                | Preauthorization
                | Completion
        )
    }

    /// Whether it tells of slips.
    pub fn is_slip(self) -> bool {
        use Say::*;
        matches!(
            self,
            SlipStarted
                | SlipPrinted
                | SlipFailed
                | SlipLost
                | SlipIssuedElectronically
                | SlipDeclined
        )
    }

    /// The words that `phase` may hold here; `None` where a phase means nothing.
    pub fn phases(self) -> Option<&'static [&'static str]> {
        match self {
            Say::Reversal => Some(&["pending", "sent", "acknowledged", "failed"]),
            Say::Void | Say::Refund | Say::Preauthorization | Say::Completion => {
                Some(&["requested", "approved", "declined", "timed_out"])
            }
            _ => None,
        }
    }

    /// The body, or `None` when a field that it cannot do without is missing or malformed.
    pub fn body(self, draft: &mut Draft<'_>, vocabulary: &Vocabulary) -> Option<Body> {
        Some(match self {
            Say::AuthorizationRequested => {
                let keys = draft.take_keys(vocabulary);
                exchange(keys, ExchangePhase::Requested, Body::AuthorizationRequested)
            }
            Say::AuthorizationTimedOut => {
                let keys = draft.take_keys(vocabulary);
                exchange(keys, ExchangePhase::TimedOut, Body::AuthorizationTimedOut)
            }
            Say::AuthorizationAnswered => {
                let response_code = draft.response_code?;
                let phase = match response_code.is_approval() {
                    true => ExchangePhase::Approved,
                    false => ExchangePhase::Declined,
                };
                let answered = |keys| Body::AuthorizationAnswered { keys, response_code };
                exchange(draft.take_keys(vocabulary), phase, answered)
            }
            Say::TransactionCompleted => Body::TransactionCompleted(draft.take_keys(vocabulary)),
            Say::TransactionAborted => {
                let by = draft.by.unwrap_or(AbortedBy::Unknown);
                Body::TransactionAborted { keys: draft.take_keys(vocabulary), by }
            }
            Say::Reversal => {
                let phase = reversal_phase(draft)?;
                Body::Reversal { keys: draft.take_keys(vocabulary), phase }
            }
            Say::Void | Say::Refund | Say::Preauthorization | Say::Completion => {
                let phase = exchange_phase(draft)?;
                let mut keys = draft.take_keys(vocabulary);
                keys.kind = Some(match self {
                    Say::Void => Kind::Void,
                    Say::Refund => Kind::Refund,
                    Say::Preauthorization => Kind::Preauthorization,
                    _ => Kind::Completion,
                });
                exchange(keys, phase, Body::AuthorizationRequested)
            }
            _ => return self.body_without_money(draft, vocabulary),
        })
    }

    fn body_without_money(self, draft: &mut Draft<'_>, vocabulary: &Vocabulary) -> Option<Body> {
        Some(match self {
            Say::SlipStarted => Body::SlipStarted(slip(draft, vocabulary)),
            Say::SlipPrinted => Body::SlipPrinted {
                slip: slip(draft, vocabulary),
                grade: draft.grade.unwrap_or(SlipGrade::Claimed),
            },
            Say::SlipFailed => {
                let reason = match draft.reason {
                    Some(Reason::Failure(reason)) => reason,
                    _ => SlipFailure::Unknown,
                };
                Body::SlipFailed { slip: slip(draft, vocabulary), reason }
            }
            Say::SlipLost => {
                let reason = match draft.reason {
                    Some(Reason::Loss(reason)) => reason,
                    _ => SlipLoss::BufferCleared,
                };
                Body::SlipLost { slip: slip(draft, vocabulary), reason }
            }
            Say::SlipIssuedElectronically => {
                let channel = draft.channel.unwrap_or(ElectronicChannel::QrCode);
                Body::SlipIssuedElectronically { slip: slip(draft, vocabulary), channel }
            }
            Say::SlipDeclined => Body::SlipDeclined(slip(draft, vocabulary)),
            Say::PrinterStatus => Body::PrinterStatus(draft.printer),
            Say::SettlementStarted => {
                Body::SettlementStarted { batch_number: draft.keys.batch_number }
            }
            Say::SettlementTotals => Body::SettlementTotals(SettlementTotals {
                batch_number: draft.keys.batch_number,
                by: draft.totals_by.unwrap_or(TotalsBy::Terminal),
                debit_count: draft.debit_count?,
                debit: draft.debit.and_then(|debit| draft.money(debit, vocabulary)),
                credit_count: draft.credit_count.unwrap_or(0),
                credit: draft.credit.and_then(|credit| draft.money(credit, vocabulary)),
            }),
            Say::SettlementClosed => Body::SettlementClosed {
                batch_number: draft.keys.batch_number,
                result: draft.result?,
            },
            Say::NetworkUp => Body::NetworkUp,
            Say::NetworkDown => Body::NetworkDown,
            Say::DeviceRestarted => Body::DeviceRestarted,
            Say::SignedOn => Body::SignedOn { batch_number: draft.keys.batch_number },
            Say::OperatorAction => {
                Body::OperatorAction { action: draft.action?, keys: draft.take_keys(vocabulary) }
            }
            _ => return None,
        })
    }
}

fn slip(draft: &mut Draft<'_>, vocabulary: &Vocabulary) -> Slip {
    Slip { copy: draft.copy, reprint: draft.reprint, keys: draft.take_keys(vocabulary) }
}

fn reversal_phase(draft: &Draft<'_>) -> Option<ReversalPhase> {
    match draft.phase? {
        Phase::Reversal(phase) => Some(phase),
        Phase::Exchange(_) => None,
    }
}

/// The phase as told, or as the response code tells it.
fn exchange_phase(draft: &Draft<'_>) -> Option<ExchangePhase> {
    match (draft.phase, draft.response_code) {
        (Some(Phase::Exchange(phase)), _) => Some(phase),
        (Some(Phase::Reversal(_)), _) => None,
        (None, Some(code)) if code.is_approval() => Some(ExchangePhase::Approved),
        (None, Some(_)) => Some(ExchangePhase::Declined),
        (None, None) => None,
    }
}

/// Logs tell voids and refunds in the words of sales; their kind makes them what they are.
fn exchange(keys: Keys, phase: ExchangePhase, sale: impl FnOnce(Keys) -> Body) -> Body {
    match keys.kind {
        Some(Kind::Void) => Body::Void { keys, phase },
        Some(Kind::Refund) => Body::Refund { keys, phase },
        Some(Kind::Preauthorization) => Body::Preauthorization { keys, phase },
        Some(Kind::Completion) => Body::Completion { keys, phase },
        Some(Kind::Sale | Kind::BalanceInquiry) | None => sale(keys),
    }
}
