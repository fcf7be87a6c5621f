//! The data-driven text dialect: a profile in TOML says which lines of a device's log say what. How to write one is
//! told in `agent/profiles/README.md`; the profiles beside it are part of the program.
//!
//! A line that no rule knows is counted and goes nowhere: what nobody described may hold what nobody may keep.

mod block;
mod compile;
mod draft;
mod error;
mod field;
mod label;
mod needle;
mod pairs;
pub(crate) mod reader;
mod rule;
mod say;
mod text;
mod word;

#[cfg(test)]
mod tests;

use crate::decode::encoding::Encoding;
use crate::decode::scrub;
use block::Block;
use draft::Vocabulary;
pub use error::ProfileError;
use error::Source;
use rule::Rules;
use say::Say;

/// How long an unfinished slip or number waits for its next line, where the profile does not say.
const GAP_MS: u64 = 1_500;

/// Longest such wait: a minute of silence ends anything.
const GAP_MS_MAX: u64 = 60_000;

/// Profiles that are part of the program, by name.
const SHIPPED: [(&str, &str); 2] = [
    ("kv-en", include_str!("../../../../profiles/kv-en.toml")),
    ("cn-terminal", include_str!("../../../../profiles/cn-terminal.toml")),
];

/// A text dialect, ready to run.
#[derive(Debug)]
pub struct Profile {
    name: Box<str>,
    about: Box<str>,
    pub(crate) encoding: Encoding,
    pub(crate) gap_ms: u64,
    rules: Rules,
    blocks: Vec<Block>,
    vocabulary: Vocabulary,
    sayings: Vec<Say>,
    labels: Vec<(Box<str>, scrub::Label)>,
}

impl Profile {
    /// Reads a profile. `name` is its file or shipped name, for messages.
    pub fn parse(name: &str, toml: &str) -> Result<Profile, ProfileError> {
        Source { file: name, text: toml }.profile()
    }

    /// The text of a profile that is part of the program.
    pub fn shipped(name: &str) -> Option<&'static str> {
        SHIPPED.iter().find(|shipped| shipped.0 == name).map(|shipped| shipped.1)
    }

    /// The names of the profiles that are part of the program.
    pub fn shipped_names() -> impl Iterator<Item = &'static str> {
        SHIPPED.iter().map(|shipped| shipped.0)
    }

    /// Its file or shipped name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What device it is for, in a sentence.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// Whether it can tell of debits, reversals and voids.
    pub fn hears_money(&self) -> bool {
        self.sayings.iter().any(|say| say.is_money())
    }

    /// Whether it can tell of slips.
    pub fn hears_slips(&self) -> bool {
        self.sayings.iter().any(|say| say.is_slip())
    }

    /// The profile's own words in front of numbers, and what kind of number they announce.
    pub(crate) fn labels(&self) -> impl Iterator<Item = (&str, scrub::Label)> {
        self.labels.iter().map(|(text, label)| (text.as_ref(), *label))
    }

    /// Where the text behind the time at a line's head begins; zero without one.
    pub(crate) fn head_end(&self, line: &str) -> usize {
        self.vocabulary.heads.read_head(line).map_or(0, |head| head.1)
    }
}
