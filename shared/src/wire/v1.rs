//! The frozen shape of version 1, to and from [`Event`](event::Event). The same types give the bytes (postcard) and the
//! JSON lines. Never changed once released: variants are appended, fields are not added; `golden` tests hold it.
//!
//! A record on the wire is `length (varint) | head | evidence`. The length is the record's own, so a record
//! whose head an older reader does not know costs that record alone.

use crate::card;
use crate::event::{self, Seq, SourceId};
use crate::field::FieldError;
use crate::money;
use crate::times::{self, Uptime};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Longest record that is written or read, in bytes.
pub const RECORD_BYTES_MAX: usize = 8 * 1024;

/// Why a record is no event. The batch around it goes on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The bytes are not of this shape, or of a body that this version does not know.
    #[error("record of {bytes} bytes is of no shape that this version knows")]
    Shape {
        /// How long the record was.
        bytes: usize,
    },
    /// The shape is right and a field in it is not.
    #[error("record holds a malformed field")]
    Field(#[from] FieldError),
    /// The record claims to be longer than what is left, or than [`RECORD_BYTES_MAX`].
    #[error("record is cut off")]
    Cut,
}

/// Declares the wire's copy of an enum without fields, and the ways between.
macro_rules! mirror {
    ($name:ident of $domain:path { $($variant:ident),+ $(,)? }) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs)]
        pub enum $name { $($variant),+ }

        impl From<$domain> for $name {
            fn from(value: $domain) -> $name {
                match value { $(<$domain>::$variant => $name::$variant),+ }
            }
        }

        impl From<$name> for $domain {
            fn from(value: $name) -> $domain {
                match value { $($name::$variant => <$domain>::$variant),+ }
            }
        }
    };
}

mirror!(Kind of event::Kind { Sale, Void, Refund, Preauthorization, Completion, BalanceInquiry });
mirror!(Instrument of event::Instrument { Card, WechatQr, AlipayQr, UnionpayQr });
mirror!(Copy of event::Copy { Merchant, Customer });
mirror!(SlipGrade of event::SlipGrade { Claimed, Sent, CleanStatus, BufferedReply, ProcessId });
mirror!(SlipFailure of event::SlipFailure { PaperOut, CoverOpen, Cutter, Overheated, Offline, Refused, Unknown });
mirror!(SlipLoss of event::SlipLoss { BufferCleared, PowerLost, Cancelled });
mirror!(ElectronicChannel of event::ElectronicChannel { QrCode, Sms, Email, Wallet });
mirror!(AbortedBy of event::AbortedBy { Operator, Customer, Terminal, Host, Unknown });
mirror!(ReversalPhase of event::ReversalPhase { Pending, Sent, Acknowledged, Failed });
mirror!(ExchangePhase of event::ExchangePhase { Requested, Approved, Declined, TimedOut });
mirror!(Paper of event::Paper { Present, NearEnd, End });
mirror!(TotalsBy of event::TotalsBy { Terminal, Host });
mirror!(PrintedBy of event::PrintedBy { Terminal, TillFromTerminalText, TillOwnLayout });
mirror!(SettlementResult of event::SettlementResult { Balanced, Unbalanced, Error });
mirror!(OperatorAction of event::OperatorAction {
    Reprint, Abort, CancelPrint, ManualEntry, Menu, Force,
});
mirror!(SourceLoss of event::SourceLoss { AgentStopped, Unplugged, ReadError, EndOfFile });
mirror!(DecodeFailure of event::DecodeFailure { TooLong, Torn, Checksum, Encoding, Field, Overrun });
mirror!(LossReason of event::LossReason { SpoolFull, DiskFull, SpoolDamaged, AlreadyDelivered });
mirror!(EntryMode of card::EntryMode { Swiped, Inserted, Contactless, Manual });

/// An amount: minor units and three letters of ISO 4217.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Amount<'a> {
    pub minor: i64,
    #[serde(borrow)]
    pub currency: Cow<'a, str>,
}

/// A device's date and time, each part as printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct DeviceTime {
    pub year: Option<u16>,
    pub month_day: Option<(u8, u8)>,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    pub millisecond: u16,
}

/// What is kept of a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Card<'a> {
    pub first_six: Option<u32>,
    pub last_four: Option<u16>,
    #[serde(borrow)]
    pub brand: Option<Cow<'a, str>>,
    pub entry_mode: Option<EntryMode>,
    pub chip_counter: Option<u16>,
    pub token: Option<[u8; 16]>,
}

/// The numbers of the payment referred to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct OriginalKeys<'a> {
    pub stan: Option<u32>,
    pub batch_number: Option<u32>,
    #[serde(borrow)]
    pub rrn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub authorization_code: Option<Cow<'a, str>>,
}

/// All the numbers by which a payment may be known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Keys<'a> {
    pub kind: Option<Kind>,
    pub instrument: Option<Instrument>,
    #[serde(borrow)]
    pub amount: Option<Amount<'a>>,
    pub stan: Option<u32>,
    pub batch_number: Option<u32>,
    #[serde(borrow)]
    pub rrn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub authorization_code: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub order_number: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub channel_transaction_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub merchant: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub card: Option<Card<'a>>,
    #[serde(borrow)]
    pub operator: Option<Cow<'a, str>>,
    pub host_time: Option<DeviceTime>,
    #[serde(borrow)]
    pub original: Option<OriginalKeys<'a>>,
}

/// A slip and what it shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Slip<'a> {
    pub copy: Option<Copy>,
    pub reprint: bool,
    #[serde(borrow)]
    pub keys: Keys<'a>,
}

/// What a source is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct SourceDescription<'a> {
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    #[serde(borrow)]
    pub dialect: Cow<'a, str>,
    pub hears_money: bool,
    pub hears_slips: bool,
    pub two_way: bool,
    pub historical: bool,
}

/// What was said. The order of the variants is the wire's: append, never move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[allow(missing_docs)]
pub enum Body<'a> {
    AuthorizationRequested {
        #[serde(borrow)]
        keys: Keys<'a>,
    },
    AuthorizationAnswered {
        #[serde(borrow)]
        keys: Keys<'a>,
        #[serde(borrow)]
        response_code: Cow<'a, str>,
    },
    AuthorizationTimedOut {
        #[serde(borrow)]
        keys: Keys<'a>,
    },
    TransactionCompleted {
        #[serde(borrow)]
        keys: Keys<'a>,
    },
    TransactionAborted {
        #[serde(borrow)]
        keys: Keys<'a>,
        by: AbortedBy,
    },
    Reversal {
        #[serde(borrow)]
        keys: Keys<'a>,
        phase: ReversalPhase,
    },
    Void {
        #[serde(borrow)]
        keys: Keys<'a>,
        phase: ExchangePhase,
    },
    Refund {
        #[serde(borrow)]
        keys: Keys<'a>,
        phase: ExchangePhase,
    },
    Preauthorization {
        #[serde(borrow)]
        keys: Keys<'a>,
        phase: ExchangePhase,
    },
    Completion {
        #[serde(borrow)]
        keys: Keys<'a>,
        phase: ExchangePhase,
    },
    SlipStarted {
        #[serde(borrow)]
        slip: Slip<'a>,
    },
    SlipPrinted {
        #[serde(borrow)]
        slip: Slip<'a>,
        grade: SlipGrade,
    },
    SlipFailed {
        #[serde(borrow)]
        slip: Slip<'a>,
        reason: SlipFailure,
    },
    SlipLost {
        #[serde(borrow)]
        slip: Slip<'a>,
        reason: SlipLoss,
    },
    SlipIssuedElectronically {
        #[serde(borrow)]
        slip: Slip<'a>,
        channel: ElectronicChannel,
    },
    SlipDeclined {
        #[serde(borrow)]
        slip: Slip<'a>,
    },
    PrinterStatus {
        online: Option<bool>,
        cover_open: Option<bool>,
        paper: Option<Paper>,
        cutter_error: Option<bool>,
        error: Option<bool>,
    },
    SettlementStarted {
        batch_number: Option<u32>,
    },
    SettlementTotals {
        batch_number: Option<u32>,
        by: TotalsBy,
        debit_count: u32,
        #[serde(borrow)]
        debit: Option<Amount<'a>>,
        credit_count: u32,
        #[serde(borrow)]
        credit: Option<Amount<'a>>,
    },
    SettlementClosed {
        batch_number: Option<u32>,
        result: SettlementResult,
    },
    NetworkUp {},
    NetworkDown {},
    DeviceRestarted {},
    SignedOn {
        batch_number: Option<u32>,
    },
    OperatorAction {
        action: OperatorAction,
        #[serde(borrow)]
        keys: Keys<'a>,
    },
    #[serde(borrow)]
    SourceOpened(SourceDescription<'a>),
    SourceLost {
        reason: SourceLoss,
    },
    DecodeFailed {
        reason: DecodeFailure,
    },
    ClockStepped {
        by_ms: i64,
    },
    Lost {
        from: u64,
        through: u64,
        reason: LossReason,
    },
    Pulse {
        bytes: u64,
        lines: u64,
        unmatched: u64,
        rejected: u64,
    },
    Sealed {
        from: u64,
        previous: [u8; 32],
        chain: [u8; 32],
        key: [u8; 32],
        signature: [[u8; 32]; 2],
    },
    OfflineUpload {
        #[serde(borrow)]
        keys: Keys<'a>,
        phase: ExchangePhase,
    },
    PrintingAssigned {
        to: PrintedBy,
    },
}

/// What an event came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Evidence<'a> {
    None,
    #[serde(borrow)]
    Text(Cow<'a, str>),
    #[serde(borrow)]
    Frame(Cow<'a, [u8]>),
}

/// All of an event but its number and evidence; the boot and the wall clock stand in the group around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Head<'a> {
    pub source: u16,
    pub uptime_ms: u64,
    #[serde(borrow)]
    pub terminal: Option<Cow<'a, str>>,
    pub device_time: Option<DeviceTime>,
    #[serde(borrow)]
    pub body: Body<'a>,
}

// ---- to the wire ----

fn text<'a>(field: Option<&'a str>) -> Option<Cow<'a, str>> {
    field.map(Cow::Borrowed)
}

impl<'a> From<&'a money::Amount> for Amount<'a> {
    fn from(amount: &'a money::Amount) -> Amount<'a> {
        Amount { minor: amount.minor, currency: Cow::Borrowed(amount.currency.as_str()) }
    }
}

impl From<times::DeviceTime> for DeviceTime {
    fn from(time: times::DeviceTime) -> DeviceTime {
        let times::DeviceTime { year, month_day, hour, minute, second, millisecond } = time;
        DeviceTime { year, month_day, hour, minute, second, millisecond }
    }
}

impl<'a> From<&'a card::Card> for Card<'a> {
    fn from(card: &'a card::Card) -> Card<'a> {
        Card {
            first_six: card.pan.and_then(|pan| pan.first_six()),
            last_four: card.pan.map(|pan| pan.last_four()),
            brand: text(card.brand.as_ref().map(|brand| brand.as_str())),
            entry_mode: card.entry_mode.map(EntryMode::from),
            chip_counter: card.chip_counter,
            token: card.token.map(|token| token.0),
        }
    }
}

impl<'a> From<&'a event::OriginalKeys> for OriginalKeys<'a> {
    fn from(keys: &'a event::OriginalKeys) -> OriginalKeys<'a> {
        OriginalKeys {
            stan: keys.stan.map(|stan| stan.number()),
            batch_number: keys.batch_number.map(|number| number.number()),
            rrn: text(keys.rrn.as_ref().map(|rrn| rrn.as_str())),
            authorization_code: text(keys.authorization_code.as_ref().map(|code| code.as_str())),
        }
    }
}

impl<'a> From<&'a event::Keys> for Keys<'a> {
    fn from(keys: &'a event::Keys) -> Keys<'a> {
        Keys {
            kind: keys.kind.map(Kind::from),
            instrument: keys.instrument.map(Instrument::from),
            amount: keys.amount.as_ref().map(Amount::from),
            stan: keys.stan.map(|stan| stan.number()),
            batch_number: keys.batch_number.map(|number| number.number()),
            rrn: text(keys.rrn.as_ref().map(|rrn| rrn.as_str())),
            authorization_code: text(keys.authorization_code.as_ref().map(|code| code.as_str())),
            order_number: text(keys.order_number.as_ref().map(|number| number.as_str())),
            channel_transaction_id: text(
                keys.channel_transaction_id.as_ref().map(|id| id.as_str()),
            ),
            merchant: text(keys.merchant.as_ref().map(|merchant| merchant.as_str())),
            card: keys.card.as_ref().map(Card::from),
            operator: text(keys.operator.as_ref().map(|operator| operator.as_str())),
            host_time: keys.host_time.map(DeviceTime::from),
            original: keys.original.as_ref().map(OriginalKeys::from),
        }
    }
}

impl<'a> From<&'a event::Slip> for Slip<'a> {
    fn from(slip: &'a event::Slip) -> Slip<'a> {
        Slip {
            copy: slip.copy.map(Copy::from),
            reprint: slip.reprint,
            keys: Keys::from(&slip.keys),
        }
    }
}

impl<'a> From<&'a event::Body> for Body<'a> {
    fn from(body: &'a event::Body) -> Body<'a> {
        use event::Body as Domain;
        let number =
            |number: &Option<crate::trace::BatchNumber>| number.map(|number| number.number());
        match body {
            Domain::AuthorizationRequested(keys) => {
                Body::AuthorizationRequested { keys: keys.into() }
            }
            Domain::AuthorizationAnswered { keys, response_code } => Body::AuthorizationAnswered {
                keys: keys.into(),
                response_code: Cow::Borrowed(response_code.as_str()),
            },
            Domain::AuthorizationTimedOut(keys) => {
                Body::AuthorizationTimedOut { keys: keys.into() }
            }
            Domain::TransactionCompleted(keys) => Body::TransactionCompleted { keys: keys.into() },
            Domain::TransactionAborted { keys, by } => {
                Body::TransactionAborted { keys: keys.into(), by: (*by).into() }
            }
            Domain::Reversal { keys, phase } => {
                Body::Reversal { keys: keys.into(), phase: (*phase).into() }
            }
            Domain::Void { keys, phase } => {
                Body::Void { keys: keys.into(), phase: (*phase).into() }
            }
            Domain::Refund { keys, phase } => {
                Body::Refund { keys: keys.into(), phase: (*phase).into() }
            }
            Domain::Preauthorization { keys, phase } => {
                Body::Preauthorization { keys: keys.into(), phase: (*phase).into() }
            }
            Domain::Completion { keys, phase } => {
                Body::Completion { keys: keys.into(), phase: (*phase).into() }
            }
            Domain::SlipStarted(slip) => Body::SlipStarted { slip: slip.into() },
            Domain::SlipPrinted { slip, grade } => {
                Body::SlipPrinted { slip: slip.into(), grade: (*grade).into() }
            }
            Domain::SlipFailed { slip, reason } => {
                Body::SlipFailed { slip: slip.into(), reason: (*reason).into() }
            }
            Domain::SlipLost { slip, reason } => {
                Body::SlipLost { slip: slip.into(), reason: (*reason).into() }
            }
            Domain::SlipIssuedElectronically { slip, channel } => {
                Body::SlipIssuedElectronically { slip: slip.into(), channel: (*channel).into() }
            }
            Domain::SlipDeclined(slip) => Body::SlipDeclined { slip: slip.into() },
            Domain::PrinterStatus(status) => Body::PrinterStatus {
                online: status.online,
                cover_open: status.cover_open,
                paper: status.paper.map(Paper::from),
                cutter_error: status.cutter_error,
                error: status.error,
            },
            Domain::SettlementStarted { batch_number } => {
                Body::SettlementStarted { batch_number: number(batch_number) }
            }
            Domain::SettlementTotals(totals) => Body::SettlementTotals {
                batch_number: number(&totals.batch_number),
                by: totals.by.into(),
                debit_count: totals.debit_count,
                debit: totals.debit.as_ref().map(Amount::from),
                credit_count: totals.credit_count,
                credit: totals.credit.as_ref().map(Amount::from),
            },
            Domain::SettlementClosed { batch_number, result } => Body::SettlementClosed {
                batch_number: number(batch_number),
                result: (*result).into(),
            },
            Domain::NetworkUp => Body::NetworkUp {},
            Domain::NetworkDown => Body::NetworkDown {},
            Domain::DeviceRestarted => Body::DeviceRestarted {},
            Domain::SignedOn { batch_number } => {
                Body::SignedOn { batch_number: number(batch_number) }
            }
            Domain::OperatorAction { action, keys } => {
                Body::OperatorAction { action: (*action).into(), keys: keys.into() }
            }
            Domain::SourceOpened(source) => Body::SourceOpened(SourceDescription {
                name: Cow::Borrowed(&source.name),
                dialect: Cow::Borrowed(&source.dialect),
                hears_money: source.hears_money,
                hears_slips: source.hears_slips,
                two_way: source.two_way,
                historical: source.historical,
            }),
            Domain::SourceLost { reason } => Body::SourceLost { reason: (*reason).into() },
            Domain::DecodeFailed { reason } => Body::DecodeFailed { reason: (*reason).into() },
            Domain::ClockStepped { by_ms } => Body::ClockStepped { by_ms: *by_ms },
            Domain::Lost { from, through, reason } => {
                Body::Lost { from: from.0, through: through.0, reason: (*reason).into() }
            }
            Domain::Pulse(counts) => Body::Pulse {
                bytes: counts.bytes,
                lines: counts.lines,
                unmatched: counts.unmatched,
                rejected: counts.rejected,
            },
            Domain::Sealed(seal) => Body::Sealed {
                from: seal.from.0,
                previous: seal.previous,
                chain: seal.chain,
                key: seal.key,
                signature: seal.signature,
            },
            Domain::OfflineUpload { keys, phase } => {
                Body::OfflineUpload { keys: keys.into(), phase: (*phase).into() }
            }
            Domain::PrintingAssigned { to } => Body::PrintingAssigned { to: (*to).into() },
        }
    }
}

impl<'a> From<&'a event::Event> for Head<'a> {
    fn from(event: &'a event::Event) -> Head<'a> {
        Head {
            source: event.source.0,
            uptime_ms: event.observed.uptime.0,
            terminal: text(event.terminal.as_ref().map(|terminal| terminal.as_str())),
            device_time: event.device_time.map(DeviceTime::from),
            body: Body::from(&event.body),
        }
    }
}

impl<'a> From<&'a event::Evidence> for Evidence<'a> {
    fn from(evidence: &'a event::Evidence) -> Evidence<'a> {
        match evidence {
            event::Evidence::None => Evidence::None,
            event::Evidence::Text(text) => Evidence::Text(Cow::Borrowed(text)),
            event::Evidence::Frame(bytes) => Evidence::Frame(Cow::Borrowed(bytes)),
        }
    }
}

// ---- from the wire ----

fn parsed<T: std::str::FromStr<Err = FieldError>>(
    field: &Option<Cow<'_, str>>,
) -> Result<Option<T>, FieldError> {
    field.as_deref().map(str::parse).transpose()
}

fn six_digits<T>(
    field: Option<u32>,
    from_number: fn(u32) -> Result<T, FieldError>,
) -> Result<Option<T>, FieldError> {
    field.map(from_number).transpose()
}

impl TryFrom<&Amount<'_>> for money::Amount {
    type Error = FieldError;

    fn try_from(amount: &Amount<'_>) -> Result<money::Amount, FieldError> {
        if amount.minor.unsigned_abs() > money::AMOUNT_MINOR_MAX.unsigned_abs() {
            return Err(FieldError::new(
                "an amount of at most twelve digits",
                &amount.minor.to_string(),
            ));
        }
        Ok(money::Amount { minor: amount.minor, currency: amount.currency.parse()? })
    }
}

impl TryFrom<DeviceTime> for times::DeviceTime {
    type Error = FieldError;

    fn try_from(time: DeviceTime) -> Result<times::DeviceTime, FieldError> {
        let DeviceTime { year, month_day, hour, minute, second, millisecond } = time;
        times::DeviceTime { year, month_day, hour, minute, second, millisecond }.validated()
    }
}

impl TryFrom<&Card<'_>> for card::Card {
    type Error = FieldError;

    fn try_from(card: &Card<'_>) -> Result<card::Card, FieldError> {
        let last_four = card.last_four;
        let pan = last_four.map(|last| card::MaskedPan::from_numbers(card.first_six, last));
        Ok(card::Card {
            pan: pan.transpose()?,
            brand: parsed(&card.brand)?,
            entry_mode: card.entry_mode.map(card::EntryMode::from),
            chip_counter: card.chip_counter,
            token: card.token.map(card::CardToken),
        })
    }
}

impl TryFrom<&OriginalKeys<'_>> for event::OriginalKeys {
    type Error = FieldError;

    fn try_from(keys: &OriginalKeys<'_>) -> Result<event::OriginalKeys, FieldError> {
        Ok(event::OriginalKeys {
            stan: six_digits(keys.stan, crate::trace::Stan::from_number)?,
            batch_number: six_digits(keys.batch_number, crate::trace::BatchNumber::from_number)?,
            rrn: parsed(&keys.rrn)?,
            authorization_code: parsed(&keys.authorization_code)?,
        })
    }
}

impl TryFrom<&Keys<'_>> for event::Keys {
    type Error = FieldError;

    fn try_from(keys: &Keys<'_>) -> Result<event::Keys, FieldError> {
        Ok(event::Keys {
            kind: keys.kind.map(event::Kind::from),
            instrument: keys.instrument.map(event::Instrument::from),
            amount: keys.amount.as_ref().map(money::Amount::try_from).transpose()?,
            stan: six_digits(keys.stan, crate::trace::Stan::from_number)?,
            batch_number: six_digits(keys.batch_number, crate::trace::BatchNumber::from_number)?,
            rrn: parsed(&keys.rrn)?,
            authorization_code: parsed(&keys.authorization_code)?,
            order_number: parsed(&keys.order_number)?.map(Box::new),
            channel_transaction_id: parsed(&keys.channel_transaction_id)?.map(Box::new),
            merchant: parsed(&keys.merchant)?,
            card: keys.card.as_ref().map(card::Card::try_from).transpose()?,
            operator: parsed(&keys.operator)?,
            host_time: keys.host_time.map(times::DeviceTime::try_from).transpose()?,
            original: keys.original.as_ref().map(event::OriginalKeys::try_from).transpose()?,
        })
    }
}

impl TryFrom<&Slip<'_>> for event::Slip {
    type Error = FieldError;

    fn try_from(slip: &Slip<'_>) -> Result<event::Slip, FieldError> {
        Ok(event::Slip {
            copy: slip.copy.map(event::Copy::from),
            reprint: slip.reprint,
            keys: event::Keys::try_from(&slip.keys)?,
        })
    }
}

impl TryFrom<&Body<'_>> for event::Body {
    type Error = FieldError;

    fn try_from(body: &Body<'_>) -> Result<event::Body, FieldError> {
        use event::Body as Domain;
        let number = |field: Option<u32>| six_digits(field, crate::trace::BatchNumber::from_number);
        Ok(match body {
            Body::AuthorizationRequested { keys } => {
                Domain::AuthorizationRequested(keys.try_into()?)
            }
            Body::AuthorizationAnswered { keys, response_code } => Domain::AuthorizationAnswered {
                keys: keys.try_into()?,
                response_code: response_code.parse()?,
            },
            Body::AuthorizationTimedOut { keys } => Domain::AuthorizationTimedOut(keys.try_into()?),
            Body::TransactionCompleted { keys } => Domain::TransactionCompleted(keys.try_into()?),
            Body::TransactionAborted { keys, by } => {
                Domain::TransactionAborted { keys: keys.try_into()?, by: (*by).into() }
            }
            Body::Reversal { keys, phase } => {
                Domain::Reversal { keys: keys.try_into()?, phase: (*phase).into() }
            }
            Body::Void { keys, phase } => {
                Domain::Void { keys: keys.try_into()?, phase: (*phase).into() }
            }
            Body::Refund { keys, phase } => {
                Domain::Refund { keys: keys.try_into()?, phase: (*phase).into() }
            }
            Body::Preauthorization { keys, phase } => {
                Domain::Preauthorization { keys: keys.try_into()?, phase: (*phase).into() }
            }
            Body::Completion { keys, phase } => {
                Domain::Completion { keys: keys.try_into()?, phase: (*phase).into() }
            }
            Body::SlipStarted { slip } => Domain::SlipStarted(slip.try_into()?),
            Body::SlipPrinted { slip, grade } => {
                Domain::SlipPrinted { slip: slip.try_into()?, grade: (*grade).into() }
            }
            Body::SlipFailed { slip, reason } => {
                Domain::SlipFailed { slip: slip.try_into()?, reason: (*reason).into() }
            }
            Body::SlipLost { slip, reason } => {
                Domain::SlipLost { slip: slip.try_into()?, reason: (*reason).into() }
            }
            Body::SlipIssuedElectronically { slip, channel } => Domain::SlipIssuedElectronically {
                slip: slip.try_into()?,
                channel: (*channel).into(),
            },
            Body::SlipDeclined { slip } => Domain::SlipDeclined(slip.try_into()?),
            Body::PrinterStatus { online, cover_open, paper, cutter_error, error } => {
                Domain::PrinterStatus(event::PrinterStatus {
                    online: *online,
                    cover_open: *cover_open,
                    paper: paper.map(event::Paper::from),
                    cutter_error: *cutter_error,
                    error: *error,
                })
            }
            Body::SettlementStarted { batch_number } => {
                Domain::SettlementStarted { batch_number: number(*batch_number)? }
            }
            Body::SettlementTotals {
                batch_number,
                by,
                debit_count,
                debit,
                credit_count,
                credit,
            } => Domain::SettlementTotals(event::SettlementTotals {
                batch_number: number(*batch_number)?,
                by: (*by).into(),
                debit_count: *debit_count,
                debit: debit.as_ref().map(money::Amount::try_from).transpose()?,
                credit_count: *credit_count,
                credit: credit.as_ref().map(money::Amount::try_from).transpose()?,
            }),
            Body::SettlementClosed { batch_number, result } => Domain::SettlementClosed {
                batch_number: number(*batch_number)?,
                result: (*result).into(),
            },
            Body::NetworkUp {} => Domain::NetworkUp,
            Body::NetworkDown {} => Domain::NetworkDown,
            Body::DeviceRestarted {} => Domain::DeviceRestarted,
            Body::SignedOn { batch_number } => {
                Domain::SignedOn { batch_number: number(*batch_number)? }
            }
            Body::OperatorAction { action, keys } => {
                Domain::OperatorAction { action: (*action).into(), keys: keys.try_into()? }
            }
            Body::SourceOpened(source) => Domain::SourceOpened(event::SourceDescription {
                name: source.name.as_ref().into(),
                dialect: source.dialect.as_ref().into(),
                hears_money: source.hears_money,
                hears_slips: source.hears_slips,
                two_way: source.two_way,
                historical: source.historical,
            }),
            Body::SourceLost { reason } => Domain::SourceLost { reason: (*reason).into() },
            Body::DecodeFailed { reason } => Domain::DecodeFailed { reason: (*reason).into() },
            Body::ClockStepped { by_ms } => Domain::ClockStepped { by_ms: *by_ms },
            Body::Lost { from, through, reason } => {
                Domain::Lost { from: Seq(*from), through: Seq(*through), reason: (*reason).into() }
            }
            Body::Pulse { bytes, lines, unmatched, rejected } => Domain::Pulse(event::LineCounts {
                bytes: *bytes,
                lines: *lines,
                unmatched: *unmatched,
                rejected: *rejected,
            }),
            Body::Sealed { from, previous, chain, key, signature } => Domain::Sealed(event::Seal {
                from: Seq(*from),
                previous: *previous,
                chain: *chain,
                key: *key,
                signature: *signature,
            }),
            Body::OfflineUpload { keys, phase } => {
                Domain::OfflineUpload { keys: keys.try_into()?, phase: (*phase).into() }
            }
            Body::PrintingAssigned { to } => Domain::PrintingAssigned { to: (*to).into() },
        })
    }
}

impl From<&Evidence<'_>> for event::Evidence {
    fn from(evidence: &Evidence<'_>) -> event::Evidence {
        match evidence {
            Evidence::None => event::Evidence::None,
            Evidence::Text(text) => event::Evidence::Text(text.as_ref().into()),
            Evidence::Frame(bytes) => event::Evidence::Frame(bytes.as_ref().into()),
        }
    }
}

impl Head<'_> {
    /// The event, with what the group around the record knows: its number and its clock.
    pub fn to_event(
        &self,
        seq: Seq,
        observed: impl FnOnce(Uptime) -> times::Observed,
        evidence: event::Evidence,
    ) -> Result<event::Event, FieldError> {
        Ok(event::Event {
            seq,
            source: SourceId(self.source),
            terminal: parsed(&self.terminal)?,
            observed: observed(Uptime(self.uptime_ms)),
            device_time: self.device_time.map(times::DeviceTime::try_from).transpose()?,
            body: event::Body::try_from(&self.body)?,
            evidence,
        })
    }
}

// ---- records ----

/// Appends an event's record: `length | head | evidence`.
///
/// # Panics
/// When the record is longer than [`RECORD_BYTES_MAX`]: evidence is cut to `EVIDENCE_BYTES_MAX` where events are
/// made and every other field is bounded, so only a fault of ours gets here.
pub fn append_record(out: &mut Vec<u8>, event: &event::Event) {
    // The length's place is kept free: two bytes of varint hold up to 16,383.
    let start = out.len();
    out.extend_from_slice(&[0, 0]);
    let mut bytes = postcard::to_extend(&Head::from(event), std::mem::take(out))
        .expect("memory takes any record");
    bytes = postcard::to_extend(&Evidence::from(&event.evidence), bytes)
        .expect("memory takes any record");
    let length = bytes.len() - start - 2;
    assert!(length <= RECORD_BYTES_MAX, "a record of {length} bytes");
    bytes[start] = 0x80 | (length & 0x7f) as u8;
    bytes[start + 1] = (length >> 7) as u8;
    *out = bytes;
}

/// Cuts the next record off `rest`, its length removed.
pub fn next_record<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], RecordError> {
    let (length, behind) = postcard::take_from_bytes::<u32>(rest).map_err(|_| RecordError::Cut)?;
    let length = length as usize;
    if length > RECORD_BYTES_MAX || length > behind.len() {
        return Err(RecordError::Cut);
    }
    let (record, behind) = behind.split_at(length);
    *rest = behind;
    Ok(record)
}

/// Reads a record's head; the evidence is what stands behind it.
pub fn read_head(record: &[u8]) -> Result<(Head<'_>, &[u8]), RecordError> {
    postcard::take_from_bytes(record).map_err(|_| RecordError::Shape { bytes: record.len() })
}

/// Reads the evidence that [`read_head`] left.
pub fn read_evidence(bytes: &[u8]) -> Result<Evidence<'_>, RecordError> {
    postcard::from_bytes(bytes).map_err(|_| RecordError::Shape { bytes: bytes.len() })
}
