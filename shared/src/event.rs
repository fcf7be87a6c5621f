//! The vocabulary: what one source said once. Says what was seen, never what it means for a case.

use crate::card::Card;
use crate::message::ResponseCode;
use crate::money::Amount;
use crate::terminal::{MerchantId, OperatorNumber, TerminalId};
use crate::times::{DeviceTime, Observed};
use crate::trace::{AuthorizationCode, BatchNumber, ChannelTransactionId, OrderNumber, Rrn, Stan};

/// Number of an event in its agent's stream: contiguous from 1 within an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

impl Seq {
    /// The number after this one.
    pub fn next(self) -> Seq {
        Seq(self.0 + 1)
    }
}

/// A life of an agent's numbering. A new one begins only when the old numbers cannot be continued.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

/// One source (a port, a file) of one agent, by its place in the agent's settings; 0 is the agent itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u16);

impl SourceId {
    /// The agent itself: clock steps and lost numbers concern all its sources.
    pub const AGENT: SourceId = SourceId(0);
}

/// What one source said once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number in the agent's stream.
    pub seq: Seq,
    /// Who said it.
    pub source: SourceId,
    /// The terminal it concerns; absent on words of the agent itself.
    pub terminal: Option<TerminalId>,
    /// When the agent saw its last byte.
    pub observed: Observed,
    /// When the device says it happened.
    pub device_time: Option<DeviceTime>,
    /// What was said.
    pub body: Body,
    /// The scrubbed line or frame that it came from.
    pub evidence: Evidence,
}

/// The scrubbed line or frame that an event came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Evidence {
    /// The event speaks for itself, or the reader left the evidence in the journal.
    #[default]
    None,
    /// Lines, in UTF-8.
    Text(Box<str>),
    /// A frame's bytes.
    Frame(Box<[u8]>),
}

/// Longest evidence an event keeps, in bytes; more is cut, and a cut text ends in `…`.
pub const EVIDENCE_BYTES_MAX: usize = 4096;

/// What was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// The terminal asked the host for money.
    AuthorizationRequested(Keys),
    /// The host answered.
    AuthorizationAnswered {
        /// Which payment.
        keys: Keys,
        /// Field 39.
        response_code: ResponseCode,
    },
    /// The terminal gave up waiting for the answer.
    AuthorizationTimedOut(Keys),
    /// The terminal closed the payment as done.
    TransactionCompleted(Keys),
    /// The payment ended without success.
    TransactionAborted {
        /// Which payment.
        keys: Keys,
        /// Who ended it.
        by: AbortedBy,
    },
    /// The technical undo of a payment without a sound answer (冲正).
    Reversal {
        /// Which payment.
        keys: Keys,
        /// How far the undo is.
        phase: ReversalPhase,
    },
    /// The cashier's undo on the same day (撤销).
    Void {
        /// The void's own numbers; the sale's under `original`.
        keys: Keys,
        /// How far it is.
        phase: ExchangePhase,
    },
    /// Money back after the close, or in part (退货).
    Refund {
        /// The refund's own numbers.
        keys: Keys,
        /// How far it is.
        phase: ExchangePhase,
    },
    /// A hold on the card (预授权): no debit.
    Preauthorization {
        /// Which hold.
        keys: Keys,
        /// How far it is.
        phase: ExchangePhase,
    },
    /// The debit of a held amount (预授权完成).
    Completion {
        /// The completion's own numbers.
        keys: Keys,
        /// How far it is.
        phase: ExchangePhase,
    },
    /// The first bytes of a slip went to the printer.
    SlipStarted(Slip),
    /// A whole slip was printed, as surely as the grade says.
    SlipPrinted {
        /// Which slip.
        slip: Slip,
        /// How sure.
        grade: SlipGrade,
    },
    /// The printer could not print it; it may still come.
    SlipFailed {
        /// Which slip.
        slip: Slip,
        /// What hindered.
        reason: SlipFailure,
    },
    /// The slip's data is gone and will not come.
    SlipLost {
        /// Which slip.
        slip: Slip,
        /// How it went.
        reason: SlipLoss,
    },
    /// The slip went to the shopper without paper.
    SlipIssuedElectronically {
        /// Which slip.
        slip: Slip,
        /// By which way.
        channel: ElectronicChannel,
    },
    /// The shopper or the cashier chose to have none.
    SlipDeclined(Slip),
    /// The printer's state, told on change.
    PrinterStatus(PrinterStatus),
    /// The close of the day began (批结算).
    SettlementStarted {
        /// The batch that closes.
        batch_number: Option<BatchNumber>,
    },
    /// Sums of the terminal or of the host.
    SettlementTotals(SettlementTotals),
    /// The close ended.
    SettlementClosed {
        /// The batch that closed.
        batch_number: Option<BatchNumber>,
        /// How.
        result: SettlementResult,
    },
    /// The device reached its host again.
    NetworkUp,
    /// The device cannot reach its host.
    NetworkDown,
    /// The device started anew.
    DeviceRestarted,
    /// The device signed on (签到).
    SignedOn {
        /// The batch number the host gave.
        batch_number: Option<BatchNumber>,
    },
    /// The cashier did something by hand.
    OperatorAction {
        /// What.
        action: OperatorAction,
        /// On which payment, where told.
        keys: Keys,
    },
    /// The agent listens to this source from now on.
    SourceOpened(SourceDescription),
    /// The agent does not hear this source from now on.
    SourceLost {
        /// Why.
        reason: SourceLoss,
    },
    /// Something was said and could not be understood: a hole, not a silence.
    DecodeFailed {
        /// What was wrong.
        reason: DecodeFailure,
    },
    /// The wall clock jumped; uptimes did not.
    ClockStepped {
        /// Milliseconds forward (positive) or back.
        by_ms: i64,
    },
    /// The numbers `from..=through` will never be sent. The event itself carries the number `through`.
    Lost {
        /// First number gone.
        from: Seq,
        /// Last number gone, this event's own.
        through: Seq,
        /// Why.
        reason: LossReason,
    },
    /// Nothing this source said before now is still unread.
    Pulse(LineCounts),
    /// The agent signed its stream up to the number before this one.
    Sealed(Seal),
    /// The terminal tells its host of a sale that it took by itself before (离线交易上送). When that was, the device alone
    /// knows: it is the event's `device_time`.
    OfflineUpload {
        /// Which sale.
        keys: Keys,
        /// How far its upload is.
        phase: ExchangePhase,
    },
    /// The till told its terminal who prints the slips from now on (ZVT registration).
    PrintingAssigned {
        /// Who.
        to: PrintedBy,
    },
}

/// What kind of business a payment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// 消费
    Sale,
    /// 消费撤销
    Void,
    /// 退货
    Refund,
    /// 预授权
    Preauthorization,
    /// 预授权完成
    Completion,
    /// 余额查询
    BalanceInquiry,
}

impl Kind {
    /// Whether a success of this kind takes money from the shopper.
    pub fn is_debit(self) -> bool {
        matches!(self, Kind::Sale | Kind::Completion)
    }
}

/// What the shopper paid with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Instrument {
    /// A card.
    Card,
    /// A wallet's code.
    WechatQr,
    /// A wallet's code.
    AlipayQr,
    /// A wallet's code.
    UnionpayQr,
}

/// All the numbers by which a payment may be known. Each source shows some of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// What kind of business.
    pub kind: Option<Kind>,
    /// Card or wallet.
    pub instrument: Option<Instrument>,
    /// How much.
    pub amount: Option<Amount>,
    /// Field 11.
    pub stan: Option<Stan>,
    /// Field 60.2.
    pub batch_number: Option<BatchNumber>,
    /// Field 37.
    pub rrn: Option<Rrn>,
    /// Field 38.
    pub authorization_code: Option<AuthorizationCode>,
    /// The shop's order number.
    pub order_number: Option<Box<OrderNumber>>,
    /// The wallet's or processor's number.
    pub channel_transaction_id: Option<Box<ChannelTransactionId>>,
    /// Field 42.
    pub merchant: Option<MerchantId>,
    /// Which card.
    pub card: Option<Card>,
    /// Who stood at the till.
    pub operator: Option<OperatorNumber>,
    /// Fields 12 and 13 of the answer: the host's clock.
    pub host_time: Option<DeviceTime>,
    /// The payment that this one undoes or completes.
    pub original: Option<OriginalKeys>,
}

/// Numbers of the payment that a void, refund or completion refers to (field 61, 原凭证号).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct OriginalKeys {
    /// Its field 11.
    pub stan: Option<Stan>,
    /// Its batch.
    pub batch_number: Option<BatchNumber>,
    /// Its field 37.
    pub rrn: Option<Rrn>,
    /// Its field 38.
    pub authorization_code: Option<AuthorizationCode>,
}

/// A slip and whatever keys its text shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slip {
    /// Whose copy; absent when the slip does not say.
    pub copy: Option<Copy>,
    /// Marked as printed again (重打印, DUPLICATE).
    pub reprint: bool,
    /// What it shows.
    pub keys: Keys,
}

/// Whose copy a slip is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Copy {
    /// 商户存根
    Merchant,
    /// 持卡人存根
    Customer,
}

/// How surely a slip is on paper; later is surer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SlipGrade {
    /// 0: the host claims it.
    Claimed,
    /// 1: data and cut were sent.
    Sent,
    /// 2: clean status before and after.
    CleanStatus,
    /// 3: a buffered reply after the cut.
    BufferedReply,
    /// 4: the printer's own process-ID answer.
    ProcessId,
}

impl SlipGrade {
    /// 0 to 4.
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// What hindered a slip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SlipFailure {
    /// No paper.
    PaperOut,
    /// The lid is open.
    CoverOpen,
    /// The cutter is stuck.
    Cutter,
    /// The head is too hot.
    Overheated,
    /// Off, unplugged or not answering.
    Offline,
    /// The till refused to print (ZVT `84 CC`).
    Refused,
    /// Not told.
    Unknown,
}

/// How a slip's data went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SlipLoss {
    /// The printer's buffer was cleared.
    BufferCleared,
    /// The printer was switched off.
    PowerLost,
    /// The cashier cancelled at the print prompt.
    Cancelled,
}

/// How a slip without paper went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ElectronicChannel {
    /// A code on the screen.
    QrCode,
    /// A text message.
    Sms,
    /// E-mail.
    Email,
    /// The wallet's own message.
    Wallet,
}

/// Who ended a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AbortedBy {
    /// The cashier.
    Operator,
    /// The shopper.
    Customer,
    /// The terminal.
    Terminal,
    /// The host.
    Host,
    /// Not told.
    Unknown,
}

/// How far a reversal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReversalPhase {
    /// Written down, to be sent before the next message.
    Pending,
    /// Sent, not answered.
    Sent,
    /// The host undid the debit.
    Acknowledged,
    /// Attempts used up: the debit likely stays.
    Failed,
}

/// How far a request to the host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExchangePhase {
    /// Asked.
    Requested,
    /// Done.
    Approved,
    /// Refused.
    Declined,
    /// No answer in time.
    TimedOut,
}

/// A printer's state; each part absent where the printer does not tell it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PrinterStatus {
    /// Ready to take data.
    pub online: Option<bool>,
    /// Lid open.
    pub cover_open: Option<bool>,
    /// How much paper.
    pub paper: Option<Paper>,
    /// The cutter is stuck.
    pub cutter_error: Option<bool>,
    /// Any other error.
    pub error: Option<bool>,
}

/// How much paper a printer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Paper {
    /// Enough.
    Present,
    /// Soon none.
    NearEnd,
    /// None.
    End,
}

/// Who prints the slips of a terminal's payments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrintedBy {
    /// The terminal itself: no slip passes over its line to the till.
    Terminal,
    /// The till, from text that the terminal hands it over their line.
    TillFromTerminalText,
    /// The till, in a layout of its own: no slip passes over the line either.
    TillOwnLayout,
}

/// Sums of a batch (field 48 of 0500).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SettlementTotals {
    /// Which batch.
    pub batch_number: Option<BatchNumber>,
    /// Whose sums.
    pub by: TotalsBy,
    /// Sales and completions.
    pub debit_count: u32,
    /// Their sum.
    pub debit: Option<Amount>,
    /// Voids and refunds.
    pub credit_count: u32,
    /// Their sum.
    pub credit: Option<Amount>,
}

/// Whose sums they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TotalsBy {
    /// The terminal's own.
    Terminal,
    /// The acquirer's.
    Host,
}

/// How a close of the day ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SettlementResult {
    /// Sums equal.
    Balanced,
    /// Sums not equal; an upload follows.
    Unbalanced,
    /// The host reported an error.
    Error,
}

/// What a cashier did by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperatorAction {
    /// Asked for the last slip again.
    Reprint,
    /// Cancelled a payment.
    Abort,
    /// Cancelled at the print prompt.
    CancelPrint,
    /// Typed the card number.
    ManualEntry,
    /// Opened a menu.
    Menu,
    /// Forced a payment through without the host's answer.
    Force,
}

/// What a source is, told when it opens, so that the stream explains itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceDescription {
    /// Its name in the agent's settings.
    pub name: Box<str>,
    /// Its dialect or profile.
    pub dialect: Box<str>,
    /// It carries debits, reversals and voids.
    pub hears_money: bool,
    /// It carries slips.
    pub hears_slips: bool,
    /// The printer's answers are heard, not only what is sent to it.
    pub two_way: bool,
    /// Recorded long ago and played now: nothing is to be rung about.
    pub historical: bool,
}

/// Why a source is not heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceLoss {
    /// The agent stopped in good order.
    AgentStopped,
    /// The port went away.
    Unplugged,
    /// The port gave an error.
    ReadError,
    /// The file was read to its end and is not followed.
    EndOfFile,
}

/// An agent's signature under a stretch of its stream; how it is made is told in `wire::seal`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seal {
    /// First number of the stretch; its last is the one before the seal's own.
    pub from: Seq,
    /// The chain's link before the stretch; zeros where a chain begins.
    pub previous: [u8; 32],
    /// The chain's link behind the stretch.
    pub chain: [u8; 32],
    /// The agent's public key (Ed25519, RFC 8032).
    pub key: [u8; 32],
    /// The signature's two halves.
    pub signature: [[u8; 32]; 2],
}

/// What was wrong with something that was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DecodeFailure {
    /// A line or frame without an end.
    TooLong,
    /// Cut off by a lost link.
    Torn,
    /// Its check sum is wrong.
    Checksum,
    /// Not text in the source's encoding.
    Encoding,
    /// Its kind is known and one of its fields is malformed.
    Field,
    /// Bytes came faster than they could be read.
    Overrun,
}

/// Why numbers were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LossReason {
    /// The spool was at its quota, the oldest went.
    SpoolFull,
    /// The disk was full.
    DiskFull,
    /// The spool was damaged.
    SpoolDamaged,
    /// They were stored by a collector once and are gone from the agent.
    AlreadyDelivered,
}

/// What a source's lines came to since its last pulse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LineCounts {
    /// Bytes read.
    pub bytes: u64,
    /// Lines or frames found.
    pub lines: u64,
    /// Of them, those that no rule knows.
    pub unmatched: u64,
    /// Of them, those that were rejected.
    pub rejected: u64,
}

impl Body {
    /// The payment's keys, where the body speaks of one.
    pub fn keys(&self) -> Option<&Keys> {
        match self {
            Body::AuthorizationRequested(keys)
            | Body::AuthorizationTimedOut(keys)
            | Body::TransactionCompleted(keys) => Some(keys),
            Body::AuthorizationAnswered { keys, .. }
            | Body::TransactionAborted { keys, .. }
            | Body::Reversal { keys, .. }
            | Body::Void { keys, .. }
            | Body::Refund { keys, .. }
            | Body::Preauthorization { keys, .. }
            | Body::Completion { keys, .. }
            | Body::OfflineUpload { keys, .. }
            | Body::OperatorAction { keys, .. } => Some(keys),
            Body::SlipStarted(slip) | Body::SlipDeclined(slip) => Some(&slip.keys),
            Body::SlipPrinted { slip, .. }
            | Body::SlipFailed { slip, .. }
            | Body::SlipLost { slip, .. }
            | Body::SlipIssuedElectronically { slip, .. } => Some(&slip.keys),
            _ => None,
        }
    }
}
