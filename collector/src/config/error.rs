//! What is wrong with a settings file: where, what was expected, and the nearest key that would be right.

use crate::admit::card::without_card_numbers;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Something in the settings is wrong.
    #[error("{}:{line}:{column}: {message}\n{line:>5} | {text}", path.display())]
    Wrong {
        /// In which file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What, and what was expected.
        message: String,
        /// The line itself.
        text: String,
    },
    /// A secret that the settings name is nowhere.
    #[error("no file for the secret {:?}, looked for {}", name, places(looked))]
    NoSecret {
        /// Its name in the settings.
        name: PathBuf,
        /// Where it was looked for.
        looked: Vec<PathBuf>,
    },
}

fn places(looked: &[PathBuf]) -> String {
    looked.iter().map(|place| place.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// Names closer than this many edits are offered.
const EDITS_MAX: usize = 3;

impl ConfigError {
    /// What is wrong at a place of the text; the first line where no place is known. The line is repeated, but no card
    /// number that somebody took for a name or a value.
    pub(super) fn at(
        path: &Path,
        text: &str,
        span: Option<Range<usize>>,
        message: String,
    ) -> ConfigError {
        let start = span.map_or(0, |span| span.start).min(text.len());
        let before = &text[..text.floor_char_boundary(start)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        ConfigError::Wrong {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: without_card_numbers(&message),
            text: without_card_numbers(text[line_start..].lines().next().unwrap_or_default()),
        }
    }

    /// The same of an error of the TOML reader, with the nearest key.
    pub(super) fn from_toml(path: &Path, text: &str, wrong: &toml::de::Error) -> ConfigError {
        let mut message = wrong.message().replace('\n', ", ");
        if let Some(nearest) = nearest(&message) {
            message.push_str(&format!("; did you mean `{nearest}`?"));
        }
        ConfigError::at(path, text, wrong.span(), message)
    }
}

/// The reader says "unknown field `a`, expected one of `b`, `c`": which of those is nearest to `a`?
fn nearest(message: &str) -> Option<String> {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let is_choice = message.starts_with("unknown field") || message.starts_with("unknown variant");
    let found = quoted.next().filter(|_| is_choice)?;
    let distance = |known: &str| strsim::damerau_levenshtein(found, known);
    let near = quoted.map(|known| (distance(known), known)).min()?;
    (near.0 <= EDITS_MAX).then(|| near.1.to_owned())
}
