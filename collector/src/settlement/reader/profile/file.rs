//! A profile as it is written: every key, once. What each means stands in the profiles' own README.

use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileFile {
    pub name: Spanned<String>,
    pub title: String,
    pub format: FormatFile,
    pub encoding: Option<EncodingFile>,
    pub delimiter: Option<Spanned<String>>,
    pub quoting: Option<QuotingFile>,
    pub header: Option<bool>,
    pub marker: Option<MarkerFile>,
    pub widths: Option<Spanned<Vec<usize>>>,
    pub gap: Option<usize>,
    pub zone: Option<Spanned<String>>,
    pub currency: Option<Spanned<String>>,
    pub instrument: Option<Spanned<String>>,
    pub decimal: Option<Spanned<String>>,
    pub thousands: Option<Spanned<String>>,
    pub unit: Option<UnitFile>,
    pub empty: Option<Vec<String>>,
    pub file_name: Option<Spanned<String>>,
    pub archive_entry: Option<Spanned<String>>,
    pub archive_ignore: Option<Spanned<String>>,
    pub period: Option<PeriodFile>,
    pub skip_lines_starting: Option<Vec<String>>,
    pub end: Option<String>,
    #[serde(default, rename = "column")]
    pub columns: Vec<Spanned<ColumnFile>>,
    #[serde(default)]
    pub words: BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Vec<String>>>,
    #[serde(default, rename = "row")]
    pub rules: Vec<Spanned<RuleFile>>,
    pub fee: Option<Spanned<String>>,
    pub net: Option<Spanned<String>>,
    pub summary: Option<SummaryFile>,
    #[serde(default, rename = "total")]
    pub totals: Vec<Spanned<TotalFile>>,
    pub balanced: Option<Spanned<BalancedFile>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FormatFile {
    Delimited,
    Fixed,
    Camt,
    Mt940,
}

#[derive(Clone, Copy, Deserialize)]
pub(super) enum EncodingFile {
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "gbk")]
    Gbk,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum QuotingFile {
    None,
    DoubleQuote,
    BackQuote,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum UnitFile {
    Decimal,
    Minor,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PeriodFile {
    Day,
    Payout,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MarkerFile {
    pub header: String,
    pub row: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnFile {
    pub name: Spanned<String>,
    pub header: Option<String>,
    #[serde(default, rename = "or")]
    pub alternates: Vec<String>,
    pub number: Option<Spanned<usize>>,
    #[serde(default)]
    pub optional: bool,
    pub format: Option<Spanned<String>>,
    pub unit: Option<UnitFile>,
    pub sign: Option<SignFile>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SignFile {
    Letter,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleFile {
    #[serde(default)]
    pub when: BTreeMap<Spanned<String>, Vec<String>>,
    pub kind: Spanned<String>,
    pub amount: Option<Spanned<String>>,
    pub sign: Option<AmountSignFile>,
    pub instrument: Option<Spanned<String>>,
    pub equation: Option<Spanned<String>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AmountSignFile {
    AsWritten,
    Plus,
    Minus,
    Reverse,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SummaryFile {
    pub header_starts: Option<String>,
    #[serde(default)]
    pub patterns: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TotalFile {
    pub name: Spanned<String>,
    #[serde(default, rename = "or")]
    pub alternates: Vec<String>,
    pub sum: Option<Spanned<String>>,
    #[serde(default)]
    pub count: bool,
    #[serde(default)]
    pub when: BTreeMap<Spanned<String>, Vec<String>>,
    #[serde(default)]
    pub optional: bool,
    #[serde(default)]
    pub absolute: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BalancedFile {
    pub sum: String,
    pub by: String,
}
