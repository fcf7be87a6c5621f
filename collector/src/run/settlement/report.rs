//! What an import did: for people on a screen, and as JSON for programs.

use serde::Serialize;
use std::collections::BTreeMap;

/// What became of one file, or of one part of an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Its name.
    pub file: String,
    /// `loaded`, `known` or `refused`.
    pub outcome: &'static str,
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
    /// SHA-256 of what was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Rows.
    pub rows: u64,
    /// Count and sum of rows by kind; sums in minor units by currency.
    pub kinds: BTreeMap<&'static str, KindSum>,
    /// Totals of the file's own that were checked.
    pub checked: Vec<(String, String)>,
    /// Rows linked with a payment, by tier.
    pub linked: BTreeMap<&'static str, u64>,
    /// Rows that await their payment.
    pub open: u64,
    /// Identifiers that could not be kept, by column.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub left_out: BTreeMap<String, u64>,
    /// Findings raised by this file, by code.
    pub raised: BTreeMap<&'static str, u64>,
    /// Findings that ended by it, by code.
    pub resolved: BTreeMap<&'static str, u64>,
    /// Payments whose debit without slip, or second debit, is settled now.
    pub confirmed: u64,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
}

/// Count and sum of one kind of rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct KindSum {
    /// How many.
    pub rows: u64,
    /// Minor units by currency.
    pub minor: BTreeMap<String, i64>,
}

/// Why a file was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// A word for metrics.
    pub reason: &'static str,
    /// The line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// In words.
    pub message: String,
}

impl Report {
    /// Whether it was refused.
    pub fn is_refused(&self) -> bool {
        self.refused.is_some()
    }

    /// As lines for a screen.
    pub fn lines(&self) -> Vec<String> {
        let mut out = vec![match (&self.refused, self.outcome) {
            (Some(refused), _) => {
                format!("{}: REFUSED, nothing was loaded: {}", self.file, refused.message)
            }
            (None, "known") => format!("{}: loaded before, nothing changed", self.file),
            (None, _) => {
                let source = self.source.as_deref().unwrap_or_default();
                let period = self.period.as_deref().unwrap_or_default();
                let revision = self.revision.unwrap_or(1);
                let again = if revision > 1 {
                    format!(" (version {revision} replaces the one before)")
                } else {
                    String::new()
                };
                format!("{}: loaded as {source} {period}{again}", self.file)
            }
        }];
        if self.outcome != "loaded" {
            return out;
        }
        for (kind, sum) in &self.kinds {
            let sums: Vec<String> = sum
                .minor
                .iter()
                .filter_map(|(currency, minor)| {
                    Some(
                        slipwatch_shared::money::Amount::new(*minor, currency.parse().ok()?)
                            .to_string(),
                    )
                })
                .collect();
            out.push(format!("  {:<10} {:>8} rows  {}", kind, sum.rows, sums.join(" + ")));
        }
        for (name, value) in self.checked.iter().take(12) {
            out.push(format!("  holds      {name} = {value}"));
        }
        let tiers: Vec<String> =
            self.linked.iter().map(|(tier, count)| format!("{tier} {count}")).collect();
        let tiers = if tiers.is_empty() { "none".to_owned() } else { tiers.join(", ") };
        out.push(format!("  linked     {tiers}; {} rows await their payment", self.open));
        for (column, count) in &self.left_out {
            out.push(format!("  left out   {count} values of {column} that are no such number"));
        }
        if self.confirmed > 0 {
            out.push(format!("  confirmed  {} open cases: debited and settled", self.confirmed));
        }
        let list = |counts: &BTreeMap<&'static str, u64>| {
            counts
                .iter()
                .map(|(code, count)| format!("{code} {count}"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        if !self.raised.is_empty() {
            out.push(format!("  raised     {}", list(&self.raised)));
        }
        if !self.resolved.is_empty() {
            out.push(format!("  resolved   {}", list(&self.resolved)));
        }
        out
    }
}
