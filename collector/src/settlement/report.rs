//! What an import did, as the store and `--json` carry it. How it is said to people is the console's.

use super::refusal::{self, Why};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A word of ours, or the same as it came back from the store.
pub type Word = Cow<'static, str>;

/// What became of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It counts.
    #[default]
    Loaded,
    /// It was loaded before; nothing changed.
    Known,
    /// It was not taken.
    Refused,
}

impl Outcome {
    /// Its word in logs and JSON.
    pub fn label(self) -> &'static str {
        match self {
            Outcome::Loaded => "loaded",
            Outcome::Known => "known",
            Outcome::Refused => "refused",
        }
    }
}

/// What became of one file, or of one part of an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Its name.
    pub file: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Its number in the store, once it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<i64>,
    /// The profile it was read with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Whose files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What it covers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
    /// Which version of that, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<u32>,
    /// How many rows the version before had, where this one has less than half of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_before: Option<u64>,
    /// SHA-256 of what was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Rows.
    pub rows: u64,
    /// Count and sum of rows by kind; sums in minor units by currency.
    pub kinds: BTreeMap<Word, KindSum>,
    /// Totals of the file's own that were checked.
    pub checked: Vec<(String, String)>,
    /// Rows linked with a payment, by tier.
    pub linked: BTreeMap<Word, u64>,
    /// Rows that await their payment.
    pub open: u64,
    /// Identifiers that could not be kept, by column.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub left_out: BTreeMap<String, u64>,
    /// Findings raised by this file, by code.
    pub raised: BTreeMap<Word, u64>,
    /// Findings that ended by it, by code.
    pub resolved: BTreeMap<Word, u64>,
    /// Payments whose debit without slip, or second debit, is settled now.
    pub confirmed: u64,
    /// Of a file that was loaded before: what came of it then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then: Option<Box<Report>>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
}

/// Count and sum of one kind of rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindSum {
    /// How many.
    pub rows: u64,
    /// Minor units by currency.
    pub minor: BTreeMap<String, i64>,
}

/// Why a file was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// A word for metrics.
    pub reason: Word,
    /// The line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// In words, for logs and programs.
    pub message: String,
    /// The same by its parts, for people in their own language; absent on what an earlier version refused.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "refusal::known", default)]
    pub why: Option<Why>,
}

impl Report {
    /// Whether it was loaded, and nothing of its days before it.
    pub fn is_first(&self) -> bool {
        self.outcome == Outcome::Loaded && self.revision.is_none_or(|revision| revision <= 1)
    }

    /// Whether it was refused.
    pub fn is_refused(&self) -> bool {
        self.refused.is_some()
    }
}
