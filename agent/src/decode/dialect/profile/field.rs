//! The fields that a profile can name: in a regex's groups, as keys of pairs, as labels of a slip, in `set`.

use super::word::{Phase, Reason, Word};
use crate::decode::scrub::Label;
use slipwatch_shared::card::EntryMode;
use slipwatch_shared::event::{
    AbortedBy, Copy, ElectronicChannel, Instrument, Kind, OperatorAction, Paper, SettlementResult,
    SlipGrade, TotalsBy,
};

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident $name:literal),+ $(,)?) => {
        /// One thing that a text can say of a payment, a slip or a printer.
        #[derive(Clone, std::marker::Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(in crate::decode::dialect) enum Field { $($(#[$doc])* $variant),+ }

        impl Field {
            /// All names, as profiles spell them.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// The field of a name.
            pub fn named(name: &str) -> Option<Field> {
                match name {
                    $($name => Some(Field::$variant),)+
                    _ => None,
                }
            }

            /// Its name.
            pub fn name(self) -> &'static str {
                Field::NAMES[self as usize]
            }
        }
    };
}

fields! {
    /// When the device says it happened.
    Time "time",
    Terminal "terminal",
    Kind "kind",
    Instrument "instrument",
    /// As a decimal (`RMB 12.50`).
    Amount "amount",
    /// In minor units (`000000001250`).
    AmountMinor "amount_minor",
    Currency "currency",
    Stan "stan",
    BatchNumber "batch_number",
    Rrn "rrn",
    AuthorizationCode "authorization_code",
    OrderNumber "order_number",
    ChannelTransactionId "channel_transaction_id",
    Merchant "merchant",
    /// Masked, perhaps with the letter of the entry mode behind it.
    Card "card",
    CardBrand "card_brand",
    EntryMode "entry_mode",
    ChipCounter "chip_counter",
    Operator "operator",
    HostTime "host_time",
    OriginalStan "original_stan",
    OriginalBatchNumber "original_batch_number",
    OriginalRrn "original_rrn",
    OriginalAuthorizationCode "original_authorization_code",
    ResponseCode "response_code",
    Phase "phase",
    By "by",
    Copy "copy",
    Reprint "reprint",
    Grade "grade",
    Reason "reason",
    Channel "channel",
    Action "action",
    Result "result",
    Online "online",
    CoverOpen "cover_open",
    Paper "paper",
    CutterError "cutter_error",
    Error "error",
    TotalsBy "totals_by",
    DebitCount "debit_count",
    Debit "debit",
    DebitMinor "debit_minor",
    CreditCount "credit_count",
    Credit "credit",
    CreditMinor "credit_minor",
}

impl Field {
    /// What the field's number is to the scrubber, for fields that hold one long enough to be taken for a card number.
    pub fn label(self) -> Option<Label> {
        Some(match self {
            Field::Card => Label::Card,
            Field::Rrn | Field::OriginalRrn | Field::AmountMinor => Label::Other(12),
            Field::Terminal | Field::Merchant => Label::Other(15),
            Field::OrderNumber | Field::ChannelTransactionId => Label::Other(64),
            _ => return None,
        })
    }

    /// The words that the field may hold, for fields that hold one of a closed set.
    pub fn words(self) -> Option<&'static [&'static str]> {
        Some(match self {
            Field::Kind => Kind::NAMES,
            Field::Instrument => Instrument::NAMES,
            Field::EntryMode => EntryMode::NAMES,
            Field::Phase => Phase::NAMES,
            Field::By => AbortedBy::NAMES,
            Field::Copy => Copy::NAMES,
            Field::Grade => SlipGrade::NAMES,
            Field::Reason => Reason::NAMES,
            Field::Channel => ElectronicChannel::NAMES,
            Field::Action => OperatorAction::NAMES,
            Field::Result => SettlementResult::NAMES,
            Field::Paper => Paper::NAMES,
            Field::TotalsBy => TotalsBy::NAMES,
            Field::Reprint
            | Field::Online
            | Field::CoverOpen
            | Field::CutterError
            | Field::Error => bool::NAMES,
            _ => return None,
        })
    }
}
