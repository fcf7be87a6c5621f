//! What the store keeps of settlement files: the files with their history, their rows, and which payment each row
//! settles. A file becomes visible in one transaction, when all of it is there; what an import that was cut off left
//! behind is swept by the next.

use crate::correlate::case::CaseId;
use crate::correlate::finding::{Change, Finding, FindingChange, FindingKind, Ledger, Resolution};
use crate::settlement::matching::{Role, Tier};
use crate::settlement::rate::Series;
use crate::settlement::report::Word;
use crate::settlement::row::{SettlementRow, worded};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use slipwatch_shared::card::{Card, MaskedPan};
use slipwatch_shared::event::Keys;
use slipwatch_shared::money::Amount;
use slipwatch_shared::terminal::{StoreId, TerminalId};
use slipwatch_shared::times::{ArrivalTime, EventTime};
use std::collections::BTreeMap;

/// A file's number in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub i64);

/// A row's number in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId(pub i64);

worded! {
    /// How far a file is.
    FileState {
        /// Its rows are being written; nobody sees them.
        Loading = "loading",
        /// It counts.
        Loaded = "loaded",
        /// A corrected one took its place.
        Replaced = "replaced",
        /// It was not taken, and why stands in its summary.
        Refused = "refused",
    }
}

worded! {
    /// What is awaited of a row.
    RowState {
        /// A payment.
        Open = "open",
        /// Nothing: it is linked, or needs no payment.
        Done = "done",
        /// A payment that was told as missing.
        Told = "told",
    }
}

/// What is known of a file before its rows are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileHead {
    /// Whose files: the statement's name in the settings, or `profile/merchant`.
    pub source: String,
    /// What it covers: a day (`2025-11-24`), days (`2025-11-01..2025-11-30`), or a batch by its number.
    pub period: String,
    /// How it was read.
    pub profile: String,
    /// The file's own name, and that of its part where it is an archive.
    pub name: String,
    /// SHA-256 of what was read.
    pub hash: [u8; 32],
    /// How many bytes that is.
    pub bytes: u64,
    /// The first day that a row is booked on.
    pub first_day: Date,
    /// The last one.
    pub last_day: Date,
    /// How many rows.
    pub rows: u64,
}

/// A file as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileView {
    /// Its number.
    pub id: FileId,
    /// What was known of it at the start.
    pub head: FileHead,
    /// Which version of its source and period, from 1.
    pub revision: u32,
    /// How far it is.
    pub state: FileState,
    /// When the import began.
    pub arrived: ArrivalTime,
    /// When it was loaded, replaced or refused.
    pub settled: Option<ArrivalTime>,
    /// What came of it, as JSON.
    pub summary: String,
}

/// A file with what is open because of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementView {
    /// The file.
    pub file: FileView,
    /// Findings of its source and period that are open, the most urgent first.
    pub findings: Vec<super::OpenFinding>,
}

/// A row on its way into the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedRow {
    /// The row.
    pub row: SettlementRow,
    /// Its shop, where that is clear.
    pub store: Option<StoreId>,
    /// What is awaited of it.
    pub state: RowState,
}

/// A link on its way into the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlacedLink {
    /// The row's place among the rows that are put with it.
    pub row: usize,
    /// The payment's number in the store.
    pub transaction: i64,
    /// What the row is to it.
    pub role: Role,
    /// By which rule.
    pub tier: Tier,
    /// How surely, in thousandths.
    pub score: u16,
}

/// A row of the store with the file that it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowView {
    /// Its number.
    pub id: RowId,
    /// Its file.
    pub file: FileId,
    /// The row.
    pub row: SettlementRow,
    /// Its shop, where that is clear.
    pub store: Option<StoreId>,
    /// What is awaited of it.
    pub state: RowState,
}

/// A finding of a row, as far as its name is of matter to rows alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldRow {
    /// Its count among those of rows alike.
    pub nth: u32,
    /// It did not end yet.
    pub is_open: bool,
    /// The row.
    pub row: Option<RowId>,
    /// Of which days, or which payout, that row's file is.
    pub period: String,
    /// That file counts.
    pub counts: bool,
}

/// A row that settles, offsets or may settle a payment, with the file that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkView {
    /// The row.
    pub row: RowView,
    /// Its file.
    pub file: FileView,
    /// What the row is to the payment.
    pub role: Role,
    /// By which rule.
    pub tier: Tier,
    /// How surely, in thousandths.
    pub score: u16,
}

/// A rate that moved: of which payments, to how much, since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedRate {
    /// Whose payments: account, instrument, card class.
    #[serde(with = "as_text")]
    pub series: Series,
    /// From, in millionths.
    pub from_ppm: i64,
    /// To, in millionths.
    pub to_ppm: i64,
    /// The first day.
    #[serde(with = "as_text")]
    pub since: Date,
}

/// A value that is written as its text.
mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de};
    use std::fmt::Display;
    use std::str::FromStr;

    pub(super) fn serialize<T, S>(value: &T, out: S) -> Result<S::Ok, S::Error>
    where
        T: Display,
        S: Serializer,
    {
        out.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

/// What a finding that rests on a settlement file says, as the store and `--json` carry it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Detail {
    /// Whose files.
    pub source: String,
    /// Which day, days or payout.
    pub period: String,
    /// The file's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub file: String,
    /// The row's line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The row's number in the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<i64>,
    /// The amount that it is about, in minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount_minor: Option<i64>,
    /// What was expected instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_minor: Option<i64>,
    /// Of both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// How many rows show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u32>,
    /// The file's own word, or what a deduction is known as.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub word: String,
    /// The rate that moved, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<MovedRate>,
    /// Whose account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant: Option<String>,
    /// Field 41.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminal: Option<String>,
    /// 凭证号
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stan: Option<String>,
    /// 批次号
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_number: Option<String>,
    /// 参考号
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rrn: Option<String>,
    /// The shop's order number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_number: Option<String>,
    /// The wallet's or processor's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_transaction_id: Option<String>,
    /// The card's last four digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_four: Option<String>,
    /// The day, where the file tells no time of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// When what a shopper was promised is due, UTC milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_ms: Option<i64>,
}

impl Detail {
    /// Of a row of a file.
    pub fn of_row(head: &FileHead, row: &SettlementRow, id: Option<RowId>) -> Detail {
        let text = |value: Option<String>| value;
        Detail {
            source: head.source.clone(),
            period: head.period.clone(),
            file: head.name.clone(),
            line: Some(row.line),
            row: id.map(|id| id.0),
            amount_minor: Some(row.amount.minor),
            currency: Some(row.amount.currency.to_string()),
            word: row.word.to_string(),
            merchant: row.merchant.as_deref().map(str::to_owned),
            terminal: text(row.terminal.map(|terminal| terminal.to_string())),
            stan: text(row.stan.map(|stan| stan.to_string())),
            batch_number: text(row.batch_number.map(|number| number.to_string())),
            rrn: text(row.rrn.map(|rrn| rrn.to_string())),
            order_number: text(row.order_number.as_ref().map(ToString::to_string)),
            channel_transaction_id: text(
                row.channel_transaction_id.as_ref().map(ToString::to_string),
            ),
            day: text(row.day_alone().map(|day| day.to_string())),
            last_four: text(row.pan.map(|pan| format!("{:04}", pan.last_four()))),
            ..Detail::default()
        }
    }

    /// Of a file or of several of its rows.
    pub fn of_file(source: &str, period: &str, file: &str) -> Detail {
        Detail {
            source: source.to_owned(),
            period: period.to_owned(),
            file: file.to_owned(),
            ..Detail::default()
        }
    }

    /// For letters.
    pub fn ledger(&self) -> Ledger {
        let currency = self.currency.as_deref().and_then(|code| code.parse().ok());
        let amount = |minor: Option<i64>| Some(Amount::new(minor?, currency?));
        let keys = Keys {
            stan: self.stan.as_deref().and_then(|text| text.parse().ok()),
            batch_number: self.batch_number.as_deref().and_then(|text| text.parse().ok()),
            rrn: self.rrn.as_deref().and_then(|text| text.parse().ok()),
            order_number: self
                .order_number
                .as_deref()
                .and_then(|text| text.parse().ok())
                .map(Box::new),
            channel_transaction_id: self
                .channel_transaction_id
                .as_deref()
                .and_then(|text| text.parse().ok())
                .map(Box::new),
            card: self.last_four.as_deref().map(|four| Card {
                pan: MaskedPan::from_parts(None, four).ok(),
                ..Card::default()
            }),
            ..Keys::default()
        };
        let place = match self.line {
            Some(line) if !self.file.is_empty() => format!("{}:{line}", self.file),
            // A complaint rests on no file.
            _ if self.source.is_empty() => String::new(),
            _ if self.file.is_empty() => format!("{} {}", self.source, self.period),
            _ => self.file.clone(),
        };
        Ledger {
            amount: amount(self.amount_minor),
            expected: amount(self.expected_minor),
            rows: self.rows.unwrap_or(0),
            word: self.word.as_str().into(),
            document: place.into(),
            keys,
            day: self.day.as_deref().map(Box::from),
            due: self.due_ms.map(EventTime),
        }
    }
}

/// A finding on its way into the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaidFinding {
    /// As it stands.
    pub finding: Finding,
    /// The terminal, where it concerns one.
    pub terminal: Option<TerminalId>,
    /// The payment's number in the store, where it is about one.
    pub transaction: Option<i64>,
    /// What the file says of it.
    pub detail: Detail,
}

worded! {
    /// What a payment or row is looked at again for.
    Watched {
        /// The shop closed it unpaid, and it is settled (A05).
        Late = "late",
        /// It was undone, and it is settled (A08).
        Undone = "undone",
    }
}

/// Something that is looked at again once it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    /// For what.
    pub matter: Watched,
    /// The payment's number in the store.
    pub transaction: i64,
    /// The row that settles it.
    pub row: RowId,
    /// When, UTC milliseconds.
    pub due: i64,
}

/// All that a file says when it begins to count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Findings.
    pub findings: Vec<SaidFinding>,
    /// Findings that end.
    pub ended: Vec<(String, Resolution)>,
    /// Payments, by their numbers in the store, that another row settles from now on; the rest of their rows repeat them.
    pub settles: Vec<(i64, RowId)>,
    /// Payments with something open that the file confirms.
    pub confirmed: Vec<CaseId>,
    /// What is looked at again.
    pub watch: Vec<Watch>,
    /// Series of rates as they stand now.
    pub rates: Vec<(String, String)>,
}

/// What changed in the store by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes(pub Vec<(FindingKind, Change)>);

impl Changes {
    /// Adds them up by code.
    pub fn count(&self, raised: &mut BTreeMap<Word, u64>, resolved: &mut BTreeMap<Word, u64>) {
        for (kind, change) in &self.0 {
            match change {
                Change::Raised => *raised.entry(kind.code().into()).or_default() += 1,
                Change::Resolved => *resolved.entry(kind.code().into()).or_default() += 1,
                Change::Changed => {}
            }
        }
    }
}

/// Something that the collector tells on, in the order in which it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// Its number; all through it are taken off with the commit that tells them.
    pub number: i64,
    /// What it is.
    pub what: NewsOf,
}

/// What is news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewsOf {
    /// A finding that rests on a settlement file.
    Finding(Box<FindingChange>),
    /// A payment with something open is in a settlement file.
    Settled(CaseId),
    /// Something that is not there any more.
    Gone,
}
