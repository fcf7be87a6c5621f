//! One row of a settlement file as it was understood: what kind of money it moved, when, and by which numbers it is
//! known. Holds no card number beyond the first six and last four digits, and nothing that names a shopper.

use jiff::civil::Date;
use slipwatch_shared::card::MaskedPan;
use slipwatch_shared::event::{Instrument, Kind};
use slipwatch_shared::money::{Amount, Currency};
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::EventTime;
use slipwatch_shared::trace::{
    AuthorizationCode, BatchNumber, ChannelTransactionId, OrderNumber, Rrn, Stan,
};

/// An enum with a word for each of its values: what rows of the store, profiles and JSON call them.
macro_rules! worded {
    ($(#[$doc:meta])* $name:ident { $($(#[$case_doc:meta])* $case:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$case_doc])* $case),+ }

        impl $name {
            /// All of them, in the order of their numbers in the store: new ones are appended.
            pub const ALL: &'static [$name] = &[$($name::$case),+];

            /// Its word in profiles, rows and JSON.
            pub fn label(self) -> &'static str {
                match self { $($name::$case => $word),+ }
            }

            /// By its word.
            pub fn named(word: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|value| value.label() == word)
            }

            /// By its number in the store.
            pub fn numbered(number: i64) -> Option<$name> {
                $name::ALL.get(usize::try_from(number).ok()?).copied()
            }
        }
    };
}

pub(crate) use worded;

worded! {
    /// What kind of money a row moved.
    RowKind {
        /// Taken from a shopper (消费, 预授权完成, SUCCESS).
        Sale = "sale",
        /// A debit of the same day taken back at the till (撤销, REVOKED).
        Void = "void",
        /// Money sent back to a shopper (退货, REFUND).
        Refund = "refund",
        /// Taken back by the shopper's bank (退单).
        Chargeback = "chargeback",
        /// Taken from the shop with no payment behind it: a service fee, a data fee, a deposit.
        Charge = "charge",
        /// Given to the shop with no payment behind it: a fee given back, a subsidy.
        Credit = "credit",
        /// Sent to the shop's bank account; in a bank's statement, what came in there.
        Payout = "payout",
        /// Moved inside the acquirer's books: it is no money of the shop's.
        Transfer = "transfer",
    }
}

impl RowKind {
    /// Whether a payment at a terminal must stand behind it.
    pub fn has_payment(self) -> bool {
        matches!(self, RowKind::Sale | RowKind::Void | RowKind::Refund)
    }

    /// Whether a payment of this kind can be the one behind it.
    pub fn fits(self, kind: Kind) -> bool {
        match self {
            RowKind::Sale => matches!(kind, Kind::Sale | Kind::Completion),
            // Acquirers book a void after their own cut-off as a refund, and the other way round.
            RowKind::Void | RowKind::Refund => matches!(kind, Kind::Void | Kind::Refund),
            _ => false,
        }
    }
}

worded! {
    /// Which contract a card is charged by.
    CardClass {
        /// 借记卡
        Debit = "debit",
        /// 贷记卡
        Credit = "credit",
        /// 预付卡
        Prepaid = "prepaid",
        /// A card of another country.
        Foreign = "foreign",
        /// A wallet's balance or another account behind it.
        Wallet = "wallet",
    }
}

worded! {
    /// How exactly a row tells its time.
    Precision {
        /// To the second.
        Second = "second",
        /// To the minute.
        Minute = "minute",
        /// The day alone.
        Day = "day",
    }
}

/// When a row's payment happened, as the file tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowTime {
    /// UTC; the first moment of what is told (midnight of the day).
    pub at: EventTime,
    /// How exactly.
    pub precision: Precision,
}

/// Numbers of the payment that a void, refund or chargeback gives back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OriginalNumbers {
    /// Its 凭证号.
    pub stan: Option<Stan>,
    /// Its 批次号.
    pub batch_number: Option<BatchNumber>,
    /// Its 参考号.
    pub rrn: Option<Rrn>,
    /// Its order number.
    pub order_number: Option<Box<OrderNumber>>,
    /// Its number at the wallet or processor.
    pub channel_transaction_id: Option<Box<ChannelTransactionId>>,
}

/// A merchant's number or account name: field 42, or what a processor calls it.
pub type MerchantName = Box<str>;

/// Longest merchant name, row word, payout reference and memo that is kept, in characters; more is cut.
pub const TEXT_CHARS_MAX: usize = 96;

/// One row of a settlement file as it was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettlementRow {
    /// The line it begins on, from 1.
    pub line: u32,
    /// What kind of money it moved.
    pub kind: RowKind,
    /// When, where the file tells.
    pub time: Option<RowTime>,
    /// The day it is booked on, by the file's own zone.
    pub day: Date,
    /// What the shopper paid or got back, as the terminal knows it (before the acquirer's coupons): positive when taken
    /// from the shopper or given to the shop, negative when given back or taken from the shop.
    pub amount: Amount,
    /// What the acquirer keeps of it, in thousandths of a minor unit; positive when it costs the shop.
    pub fee_milli: Option<i64>,
    /// What the shop gets, in minor units.
    pub net_minor: Option<i64>,
    /// Whose account.
    pub merchant: Option<MerchantName>,
    /// Field 41.
    pub terminal: Option<TerminalId>,
    /// 凭证号
    pub stan: Option<Stan>,
    /// 批次号
    pub batch_number: Option<BatchNumber>,
    /// 参考号
    pub rrn: Option<Rrn>,
    /// 授权码
    pub authorization_code: Option<AuthorizationCode>,
    /// The shop's order number.
    pub order_number: Option<Box<OrderNumber>>,
    /// The wallet's or processor's number.
    pub channel_transaction_id: Option<Box<ChannelTransactionId>>,
    /// The refund's own number.
    pub refund_number: Option<Box<OrderNumber>>,
    /// The payment it gives back.
    pub original: OriginalNumbers,
    /// First six and last four digits.
    pub pan: Option<MaskedPan>,
    /// Which contract the card is charged by.
    pub class: Option<CardClass>,
    /// Card or wallet.
    pub instrument: Option<Instrument>,
    /// The kind as the file words it (`消费`, `SUCCESS`, `技术服务费`).
    pub word: Box<str>,
    /// A free text of it, without anything that looks like a card number.
    pub memo: Option<Box<str>>,
    /// With which payment to the bank it goes: a batch or payout number.
    pub payout: Option<Box<str>>,
}

impl SettlementRow {
    /// A row of a kind and an amount, with nothing else known of it.
    pub fn plain(line: u32, kind: RowKind, day: Date, amount: Amount) -> SettlementRow {
        SettlementRow {
            line,
            kind,
            time: None,
            day,
            amount,
            fee_milli: None,
            net_minor: None,
            merchant: None,
            terminal: None,
            stan: None,
            batch_number: None,
            rrn: None,
            authorization_code: None,
            order_number: None,
            channel_transaction_id: None,
            refund_number: None,
            original: OriginalNumbers::default(),
            pan: None,
            class: None,
            instrument: None,
            word: "".into(),
            memo: None,
            payout: None,
        }
    }

    /// Its currency.
    pub fn currency(&self) -> Currency {
        self.amount.currency
    }

    /// When its payment happened, as far as the file tells: the first moment of what it says, or of the day it is booked on.
    pub fn moment(&self) -> EventTime {
        let booked = || {
            let midnight = self.day.at(0, 0, 0, 0).to_zoned_datetime(jiff::tz::TimeZone::UTC);
            EventTime(midnight.map_or(0, |midnight| midnight.timestamp().as_millisecond()))
        };
        self.time.map_or_else(booked, |time| time.at)
    }

    /// The day alone, where the file tells no time of day.
    pub fn day_alone(&self) -> Option<Date> {
        let tells_time = self.time.is_some_and(|time| time.precision != Precision::Day);
        (!tells_time).then_some(self.day)
    }

    /// A name that stays the same when the file comes again corrected: a hash over the numbers it is known by. Two rows
    /// of one file that share it are told apart by the caller.
    pub fn mark(&self) -> u64 {
        let mut hash = Fnv::default();
        hash.text(self.kind.label());
        let id = self.channel_transaction_id.as_deref().map(|id| id.as_str());
        hash.text(id.unwrap_or_default());
        hash.text(self.refund_number.as_deref().map(|number| number.as_str()).unwrap_or_default());
        hash.text(self.order_number.as_deref().map(|number| number.as_str()).unwrap_or_default());
        hash.text(self.merchant.as_deref().unwrap_or_default());
        hash.text(self.terminal.as_ref().map(|id| id.as_str()).unwrap_or_default());
        hash.number(self.batch_number.map_or(-1, |number| i64::from(number.number())));
        hash.number(self.stan.map_or(-1, |number| i64::from(number.number())));
        hash.text(self.rrn.as_ref().map(|rrn| rrn.as_str()).unwrap_or_default());
        if self.has_no_number() {
            hash.number(self.time.map_or(0, |time| time.at.0));
            hash.text(&self.word);
            hash.text(&self.day.to_string());
            hash.number(self.amount.minor);
        }
        hash.0
    }

    fn has_no_number(&self) -> bool {
        self.channel_transaction_id.is_none()
            && self.order_number.is_none()
            && self.stan.is_none()
            && self.rrn.is_none()
    }
}

/// FNV-1a, 64 bits: tells rows apart, secures nothing.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
        // No two texts run into each other.
        self.bytes(&[0xff]);
    }

    fn number(&mut self, number: i64) {
        self.bytes(&number.to_le_bytes());
    }
}
