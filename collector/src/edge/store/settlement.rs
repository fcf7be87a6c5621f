//! What the store keeps of settlement files: the files with their history, their rows, and which payment each row
//! settles. A file becomes visible in one transaction, when all of it is there; what an import that was cut off left
//! behind is swept by the next.

use crate::settlement::matching::{Role, Tier};
use crate::settlement::row::{SettlementRow, worded};
use jiff::civil::Date;
use slipwatch_shared::terminal::StoreId;
use slipwatch_shared::times::ArrivalTime;

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
