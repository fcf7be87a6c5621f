//! The data-driven text dialect: a profile in TOML says which lines of a device's log say what. How to write one is
//! told in `agent/profiles/README.md`; the profiles beside it are part of the program.
//!
//! A line that no rule knows is counted and goes nowhere: what nobody described may hold what nobody may keep.

mod block;
mod compile;
pub(in crate::decode::dialect) mod draft;
pub(in crate::decode::dialect) mod field;
mod label;
mod needle;
mod pairs;
pub(crate) mod reader;
mod rule;
pub(in crate::decode::dialect) mod say;
pub(crate) mod source;
pub(in crate::decode::dialect) mod text;
pub(in crate::decode::dialect) mod word;

#[cfg(test)]
mod tests;

use crate::decode::dialect::error::{ProfileError, Source};
use crate::decode::dialect::{Dialect, Reader};
use crate::decode::encoding::Encoding;
use crate::decode::scrub;
use block::Block;
use draft::Vocabulary;
use rule::Rules;
use say::Say;
use slipwatch_shared::terminal::TerminalId;
use source::TextReader;
use std::sync::Arc;

/// How long an unfinished slip or number waits for its next line, where the profile does not say.
const GAP_MS: u64 = 1_500;

/// Longest such wait: a minute of silence ends anything.
const GAP_MS_MAX: u64 = 60_000;

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

    /// The profile's own words in front of numbers, and what kind of number they announce.
    pub(crate) fn labels(&self) -> impl Iterator<Item = (&str, scrub::Label)> {
        self.labels.iter().map(|(text, label)| (text.as_ref(), *label))
    }

    /// Where the text behind the time at a line's head begins; zero without one.
    pub(crate) fn head_end(&self, line: &str) -> usize {
        self.vocabulary.heads.read_head(line).map_or(0, |head| head.1)
    }
}

impl Dialect for Profile {
    fn name(&self) -> &str {
        &self.name
    }

    fn about(&self) -> &str {
        &self.about
    }

    fn hears_money(&self) -> bool {
        self.sayings.iter().any(|say| say.is_money())
    }

    fn hears_slips(&self) -> bool {
        self.sayings.iter().any(|say| say.is_slip())
    }

    fn reader(self: Arc<Self>, terminal: Option<TerminalId>) -> Box<dyn Reader> {
        Box::new(TextReader::new(self, terminal))
    }
}
