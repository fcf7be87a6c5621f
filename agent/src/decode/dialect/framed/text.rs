//! A framed profile as it is written: the shape of the TOML, before any of it is understood.

use crate::decode::dialect::profile::text::{Constants, Names, Word};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FramedText {
    /// Read before, where the family is chosen.
    #[serde(default, rename = "family")]
    pub _family: Option<Word>,
    pub about: String,
    #[serde(default)]
    pub encoding: Option<Word>,
    #[serde(default)]
    pub currency: Option<Word>,
    #[serde(default)]
    pub times: Vec<Word>,
    pub frame: Spanned<FrameText>,
    pub body: Spanned<BodyText>,
    #[serde(default)]
    pub words: BTreeMap<Word, BTreeMap<String, Word>>,
    /// What several messages read alike, by name.
    #[serde(default)]
    pub reading: BTreeMap<Word, BTreeMap<Word, Spanned<Names>>>,
    #[serde(default)]
    pub message: Vec<Spanned<MessageText>>,
}

/// `[frame]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FrameText {
    pub start: Word,
    #[serde(default)]
    pub length: Option<Word>,
    #[serde(default)]
    pub length_more: Option<Spanned<u64>>,
    #[serde(default)]
    pub end: Option<Word>,
    #[serde(default)]
    pub check: Vec<CheckText>,
    #[serde(default)]
    pub escape: Option<Word>,
    #[serde(default)]
    pub body_bytes_max: Option<Spanned<u64>>,
    #[serde(default)]
    pub ack: Vec<Word>,
    #[serde(default)]
    pub signals: Vec<Word>,
    #[serde(default)]
    pub gap_ms: Option<Spanned<u64>>,
    #[serde(default)]
    pub repeat_ms: Option<Spanned<u64>>,
    #[serde(default)]
    pub answer_ms: Option<Spanned<u64>>,
    #[serde(default)]
    pub slip_gap_ms: Option<Spanned<u64>>,
    #[serde(default)]
    pub checksum: Option<Word>,
    #[serde(default)]
    pub beside: Vec<BesideText>,
}

/// `[[frame.beside]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BesideText {
    pub means: Word,
    pub start: Word,
    #[serde(default)]
    pub length: Option<Word>,
    #[serde(default)]
    pub end: Option<Word>,
    #[serde(default)]
    pub check: Vec<CheckText>,
    #[serde(default)]
    pub body_bytes_max: Option<Spanned<u64>>,
}

/// A check sum.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckText {
    pub sum: Word,
    #[serde(default)]
    pub seed: Option<Word>,
    #[serde(default)]
    pub over: Vec<Word>,
    #[serde(default)]
    pub low_first: bool,
}

/// `[body]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BodyText {
    pub form: Word,
    #[serde(default)]
    pub separator: Option<Word>,
    #[serde(default)]
    pub nested: Vec<Word>,
    #[serde(default)]
    pub layout: BTreeMap<Word, Vec<Word>>,
    #[serde(default)]
    pub cards: Vec<Word>,
    #[serde(default)]
    pub secrets: Vec<Word>,
}

/// `[[message]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MessageText {
    #[serde(default)]
    pub name: Option<Word>,
    #[serde(default)]
    pub layout: Option<Word>,
    #[serde(default)]
    pub from: Option<Word>,
    /// What its parts must be.
    #[serde(default)]
    pub when: BTreeMap<Word, Word>,
    /// Requests that it may answer.
    #[serde(default)]
    pub after: Vec<Word>,
    /// What the parts of the request must have been.
    #[serde(default)]
    pub asked: BTreeMap<Word, Word>,
    #[serde(default)]
    pub equal: Vec<Word>,
    #[serde(default)]
    pub unequal: Vec<Word>,
    #[serde(default)]
    pub say: Option<Word>,
    #[serde(default)]
    pub set: Constants,
    #[serde(default)]
    pub read: BTreeMap<Word, Spanned<Names>>,
    /// One of `[reading]`.
    #[serde(default)]
    pub reading: Option<Word>,
    #[serde(default)]
    pub take: Vec<Word>,
    #[serde(default)]
    pub cards: Vec<Word>,
    #[serde(default)]
    pub secrets: Vec<Word>,
    #[serde(default)]
    pub slip: Option<Word>,
    #[serde(default)]
    pub columns: Option<Spanned<u64>>,
    #[serde(default)]
    pub slip_line: Option<Word>,
    #[serde(default)]
    pub rows: Option<Word>,
    #[serde(default)]
    pub goes_on: bool,
    #[serde(default)]
    pub ignore: bool,
}
