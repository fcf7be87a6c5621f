//! Slip policies that were learned and confirmed by a person: a file of its own beside the settings, written by
//! `slipwatch-collector policy confirm` and read with them. What the settings say of a terminal goes before it.

use super::ConfigError;
use super::value::{Money, Parsed};
use crate::correlate::policy::{TerminalPolicy, WhoPrints};
use serde::Deserialize;
use slipwatch_shared::money::Amount;
use slipwatch_shared::terminal::{StoreId, TerminalId};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Its name, beside the settings.
pub const CONFIRMED_FILE: &str = "confirmed.toml";

/// A policy that a person confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmed {
    /// Who prints, copies and amounts; the rest is that of the settings.
    pub policy: TerminalPolicy,
    /// Debits that it was learned from.
    pub learned_from: u32,
    /// When, UTC, as text for people.
    pub confirmed: String,
}

/// All that were confirmed, by shop and terminal.
pub type AllConfirmed = BTreeMap<(StoreId, TerminalId), Confirmed>;

/// Where the file stands that belongs to these settings.
pub fn path_beside(settings: &Path) -> PathBuf {
    settings.parent().unwrap_or(Path::new("")).join(CONFIRMED_FILE)
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    #[serde(default, rename = "terminal")]
    terminals: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    shop: Parsed<StoreId>,
    number: Parsed<TerminalId>,
    who_prints: Parsed<WhoPrints>,
    copies: u8,
    slip_due_from: Option<Parsed<Money>>,
    contactless_due_from: Option<Parsed<Money>>,
    learned_from: u32,
    confirmed: String,
}

/// Reads the text of such a file, which stands at `path`.
///
/// # Errors
/// With file and line, when it is no such text.
pub fn parse(path: &Path, text: &str) -> Result<AllConfirmed, ConfigError> {
    let whole: Whole =
        toml::from_str(text).map_err(|wrong| ConfigError::from_toml(path, text, &wrong))?;
    let policy = |entry: Entry| {
        let policy = TerminalPolicy {
            who_prints: entry.who_prints.0,
            copies: entry.copies.clamp(1, 3),
            slip_due_from: entry.slip_due_from.map(|money| money.0.0),
            contactless_due_from: entry.contactless_due_from.map(|money| money.0.0),
            ..TerminalPolicy::default()
        };
        let Entry { learned_from, confirmed, .. } = entry;
        ((entry.shop.0, entry.number.0), Confirmed { policy, learned_from, confirmed })
    };
    Ok(whole.terminals.into_iter().map(policy).collect())
}

/// Reads the file that belongs to these settings; none is none confirmed.
///
/// # Errors
/// When it cannot be read, or is no such text.
pub fn load(settings: &Path) -> Result<AllConfirmed, ConfigError> {
    let path = path_beside(settings);
    match fs::read_to_string(&path) {
        Ok(text) => parse(&path, &text),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(AllConfirmed::new()),
        Err(source) => Err(ConfigError::Unreadable { path, source }),
    }
}

/// The text of the file.
pub fn text(all: &AllConfirmed) -> String {
    let mut out = String::from(
        "# Written by `slipwatch-collector policy confirm`. What the settings say of a terminal goes before it.\n",
    );
    for ((shop, number), Confirmed { policy, learned_from, confirmed }) in all {
        let mut line = |name: &str, value: String| {
            let _ = writeln!(out, "{name} = {value}");
        };
        line("\n[[terminal]]\nshop", format!("\"{shop}\""));
        line("number", format!("\"{number}\""));
        line("who_prints", format!("\"{}\"", policy.who_prints.label()));
        line("copies", policy.copies.to_string());
        let amount = |amount: Amount| {
            let text = amount.to_string();
            let number = text.split_once(' ').map_or(text.as_str(), |(_, number)| number);
            format!("\"{number} {}\"", amount.currency)
        };
        if let Some(due_from) = policy.slip_due_from {
            line("slip_due_from", amount(due_from));
        }
        if let Some(due_from) = policy.contactless_due_from {
            line("contactless_due_from", amount(due_from));
        }
        line("learned_from", learned_from.to_string());
        line("confirmed", format!("\"{confirmed}\""));
    }
    out
}

/// Writes the file that belongs to these settings: whole, or not at all.
///
/// # Errors
/// What the system says.
pub fn save(settings: &Path, all: &AllConfirmed) -> io::Result<PathBuf> {
    let path = path_beside(settings);
    let fresh = path.with_extension("toml.new");
    let mut file = File::create(&fresh)?;
    file.write_all(text(all).as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, &path)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipwatch_shared::money::Currency;

    #[test]
    fn what_is_written_is_read_again() {
        let directory = tempfile::tempdir().expect("a directory");
        let settings = directory.path().join("collector.toml");
        assert_eq!(load(&settings).expect("none is none"), AllConfirmed::new());
        let policy = TerminalPolicy {
            who_prints: WhoPrints::TillOwnLayout,
            copies: 1,
            slip_due_from: Some(Amount::new(1050, Currency::CNY)),
            ..TerminalPolicy::default()
        };
        let confirmed = "2026-11-28T12:00:00Z".to_owned();
        let one = Confirmed { policy, learned_from: 200, confirmed };
        let key = ("shop-1".parse().expect("a shop"), "T1".parse().expect("a terminal"));
        let all = AllConfirmed::from([(key, one)]);
        let path = save(&settings, &all).expect("it is written");
        assert_eq!(load(&settings).expect("it is read"), all);
        assert_eq!(fs::read_dir(directory.path()).expect("it is there").count(), 1);
        fs::write(&path, "[[terminal]]\nshop = \"S\"\n").expect("it is written");
        let error = load(&settings).expect_err("no shop's name").to_string();
        assert!(error.contains("confirmed.toml:2:8"), "{error}");
    }
}
