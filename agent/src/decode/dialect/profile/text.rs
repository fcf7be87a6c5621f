//! A profile as it is written: the shape of the TOML, before any of it is understood.

use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// A text and where it stands, for messages.
pub(in crate::decode::dialect) type Word = Spanned<String>;

/// `set = { kind = "sale", reprint = true }`.
pub(in crate::decode::dialect) type Constants = BTreeMap<Word, Spanned<Constant>>;

/// A value of `set`: a word, or a plain truth.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(untagged, expecting = "expected a word in quotes, true or false")]
pub(in crate::decode::dialect) enum Constant {
    Truth(bool),
    Word(String),
}

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileText {
    /// Read before, where the family is chosen.
    #[serde(default, rename = "family")]
    pub _family: Option<Word>,
    pub about: String,
    #[serde(default)]
    pub encoding: Option<Word>,
    #[serde(default)]
    pub currency: Option<Word>,
    #[serde(default)]
    pub gap_ms: Option<Spanned<u64>>,
    #[serde(default)]
    pub times: Vec<Word>,
    #[serde(default)]
    pub pairs: Option<PairsText>,
    #[serde(default)]
    pub words: BTreeMap<Word, BTreeMap<String, Word>>,
    #[serde(default)]
    pub block: Vec<BlockText>,
    #[serde(default)]
    pub rule: Vec<RuleText>,
}

/// `[pairs]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PairsText {
    #[serde(default)]
    pub assign: Option<Word>,
    /// Field to the key or keys that carry it.
    pub keys: BTreeMap<Word, Spanned<Names>>,
}

/// One name or several.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a name in quotes, or a list of names")]
pub(in crate::decode::dialect) enum Names {
    One(String),
    Several(Vec<String>),
}

impl Names {
    /// All of them.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Names::One(name) => std::slice::from_ref(name),
            Names::Several(names) => names,
        }
    }
}

/// `[[rule]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleText {
    #[serde(rename = "match")]
    pub pattern: Word,
    #[serde(default)]
    pub say: Option<Word>,
    #[serde(default)]
    pub set: Constants,
    #[serde(default)]
    pub ignore: bool,
}

/// `[[block]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BlockText {
    pub start: Word,
    #[serde(default)]
    pub end: Option<Word>,
    #[serde(default)]
    pub tear: Option<Word>,
    #[serde(default)]
    pub line: Option<Word>,
    pub say: Word,
    #[serde(default)]
    pub set: Constants,
    #[serde(default)]
    pub need: Vec<Word>,
    #[serde(default)]
    pub labels: BTreeMap<Word, Spanned<Names>>,
    #[serde(default)]
    pub mark: Vec<MarkText>,
}

/// `[[block.mark]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MarkText {
    #[serde(rename = "match")]
    pub pattern: Word,
    #[serde(default)]
    pub say: Option<Word>,
    #[serde(default)]
    pub set: Constants,
    #[serde(default)]
    pub ignore: bool,
}
