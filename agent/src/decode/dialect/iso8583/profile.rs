//! A profile's text to a layout and a grammar: every row read, every mistake told with its line.

use super::grammar::{Business, Grammar, KindRow, Part, Parts};
use super::layout::{Coding, Content, FIELDS, Field, Head, Layout, Length, LengthCoding, Prefix};
use super::{GAP_MS, GAP_MS_MAX, Input, Iso8583};
use crate::decode::device_clock::{DeviceClock, TimeFormat};
use crate::decode::dialect::error::{ProfileError, Source, unknown};
use serde::Deserialize;
use slipwatch_shared::event::Kind;
use slipwatch_shared::money::Currency;
use std::collections::BTreeMap;
use toml::Spanned;

/// Most signs of a field.
const SIGNS_MAX: usize = 999;

/// Most rows of the table of businesses.
const KINDS_MAX: usize = 128;

type Word = Spanned<String>;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileText {
    /// Read before, where the family is chosen.
    #[serde(default, rename = "family")]
    _family: Option<Word>,
    about: String,
    input: Word,
    #[serde(default)]
    currency: Option<Word>,
    #[serde(default)]
    gap_ms: Option<Spanned<u64>>,
    #[serde(default)]
    times: Vec<Word>,
    frame: FrameText,
    message: MessageText,
    fields: BTreeMap<Word, Word>,
    #[serde(default)]
    parts: PartsText,
    #[serde(default)]
    network: NetworkText,
    #[serde(default)]
    upload: Option<UploadText>,
    #[serde(default)]
    reversal: ReversalText,
    #[serde(default)]
    kind: Vec<KindText>,
}

/// `[parts]`.
pub(in crate::decode::dialect) type PartsText = BTreeMap<Word, Spanned<(u8, usize, usize)>>;

/// `[frame]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FrameText {
    length: Vec<Word>,
    #[serde(default)]
    tpdu: bool,
    #[serde(default)]
    header_bytes: usize,
}

/// `[message]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageText {
    mti: Word,
    bitmap: Word,
    numbers: Word,
    lengths: Word,
    #[serde(default)]
    texts: Option<Word>,
}

/// What a message's fields mean, as any profile of ISO 8583 writes it.
pub(in crate::decode::dialect) struct GrammarText<'a> {
    pub currency: Option<&'a Spanned<String>>,
    pub parts: &'a PartsText,
    pub network: &'a NetworkText,
    pub upload: Option<&'a UploadText>,
    pub reversal: &'a ReversalText,
    pub kind: &'a [KindText],
}

/// `[network]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::decode::dialect) struct NetworkText {
    #[serde(default)]
    pub sign_on: Vec<Box<str>>,
    #[serde(default)]
    pub host_time: bool,
}

/// `[upload]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::decode::dialect) struct UploadText {
    pub unbalanced: Box<str>,
    pub balanced: Box<str>,
}

/// `[reversal]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::decode::dialect) struct ReversalText {
    pub attempts: u32,
    pub answer_ms: u64,
    pub done: Vec<Box<str>>,
}

impl Default for ReversalText {
    fn default() -> ReversalText {
        ReversalText { attempts: 3, answer_ms: 60_000, done: Vec::new() }
    }
}

/// `[[kind]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::decode::dialect) struct KindText {
    #[serde(default)]
    pub mti: Option<Word>,
    #[serde(default)]
    pub processing: Option<Box<str>>,
    #[serde(default)]
    pub condition: Option<Box<str>>,
    #[serde(default)]
    pub function: Option<Box<str>>,
    pub is: Word,
}

impl Iso8583 {
    /// Reads a profile. `name` is its file or shipped name, for messages.
    pub fn parse(name: &str, toml: &str) -> Result<Iso8583, ProfileError> {
        let source = Source { file: name, text: toml };
        let text: ProfileText = toml::from_str(toml).map_err(|error| source.toml_error(&error))?;
        let rows = Rows(source);
        let input = match text.input.as_ref().as_str() {
            "stream" => Input::Stream,
            "dump" => Input::Dump,
            other => return Err(rows.at(&text.input, unknown("input", other, &["stream", "dump"]))),
        };
        let gap_ms = match &text.gap_ms {
            None => GAP_MS,
            Some(gap) if (1..=GAP_MS_MAX).contains(gap.as_ref()) => *gap.as_ref(),
            Some(gap) => {
                let problem = format!("gap_ms is between 1 and {GAP_MS_MAX}");
                return Err(source.error(gap.span().start, problem));
            }
        };
        Ok(Iso8583 {
            name: name.into(),
            about: text.about.as_str().into(),
            input,
            gap_ms,
            clock: rows.clock(&text.times)?,
            layout: rows.layout(&text)?,
            grammar: rows.grammar(&GrammarText {
                currency: text.currency.as_ref(),
                parts: &text.parts,
                network: &text.network,
                upload: text.upload.as_ref(),
                reversal: &text.reversal,
                kind: &text.kind,
            })?,
        })
    }
}

/// A profile's text, whose rows are read.
#[derive(Clone, Copy)]
pub(in crate::decode::dialect) struct Rows<'a>(pub Source<'a>);

impl Rows<'_> {
    fn at(&self, word: &Word, problem: String) -> ProfileError {
        self.0.error(word.span().start, problem)
    }

    /// The formats of the times at the head of a line.
    pub(in crate::decode::dialect) fn clock(
        &self,
        times: &[Word],
    ) -> Result<DeviceClock, ProfileError> {
        let format = |word: &Word| {
            TimeFormat::parse(word.as_ref()).map_err(|error| self.at(word, error.to_string()))
        };
        Ok(DeviceClock::new(times.iter().map(format).collect::<Result<_, _>>()?))
    }

    fn layout(&self, text: &ProfileText) -> Result<Layout, ProfileError> {
        let prefix = |word: &Word| match word.as_ref().as_str() {
            "be2" => Ok(Prefix::Be2),
            "bcd2" => Ok(Prefix::Bcd2),
            "ascii4" => Ok(Prefix::Ascii4),
            "none" => Ok(Prefix::None),
            other => {
                Err(self.at(word, unknown("length", other, &["be2", "bcd2", "ascii4", "none"])))
            }
        };
        let prefixes = text.frame.length.iter().map(prefix).collect::<Result<Vec<_>, _>>()?;
        if prefixes.is_empty() {
            return Err(self.0.error(0, "frame.length names at least one".to_owned()));
        }
        if text.frame.header_bytes > 64 {
            return Err(self.0.error(0, "frame.header_bytes is at most 64".to_owned()));
        }
        let mti = self.coding(&text.message.mti, &["ascii", "ebcdic", "bcd"])?;
        let bitmap = self.coding(&text.message.bitmap, &["plain", "hex"])?;
        let numbers =
            self.coding(&text.message.numbers, &["ascii", "ebcdic", "bcd", "bcd-right"])?;
        let texts = match &text.message.texts {
            None => Coding::Ascii,
            Some(word) => self.coding(word, &["ascii", "ebcdic"])?,
        };
        let lengths = self.length_coding(&text.message.lengths, text.message.lengths.as_ref())?;
        let mut fields = [None; FIELDS];
        for (number, shape) in &text.fields {
            let at = number.as_ref().parse::<usize>().ok().filter(|at| (2..=128).contains(at));
            let Some(at) = at else {
                return Err(self.at(number, "a field's number is between 2 and 128".to_owned()));
            };
            fields[at] = Some(self.field(shape, numbers, texts, lengths)?);
        }
        Ok(Layout {
            prefixes,
            tpdu_bytes: if text.frame.tpdu { 5 } else { 0 },
            header_bytes: text.frame.header_bytes,
            head: Head { mti, bitmap },
            fields,
        })
    }

    fn coding(&self, word: &Word, valid: &[&str]) -> Result<Coding, ProfileError> {
        let name = word.as_ref().as_str();
        let coding = coding(name).filter(|_| valid.contains(&name));
        coding.ok_or_else(|| self.at(word, unknown("coding", name, valid)))
    }

    fn length_coding(&self, word: &Word, name: &str) -> Result<LengthCoding, ProfileError> {
        length_coding(name)
            .ok_or_else(|| self.at(word, unknown("coding of lengths", name, &LENGTH_CODINGS)))
    }

    /// `n..19`, `an12`, `b8 hex`, `ans...999 ebcdic length-bcd`.
    fn field(
        &self,
        word: &Word,
        numbers: Coding,
        texts: Coding,
        lengths: LengthCoding,
    ) -> Result<Field, ProfileError> {
        let wrong = || {
            let problem = "a field is written as `n6`, `n..19`, `an12`, `ans...999`, `z..37`, `b8` or `x+n8`, \
                           perhaps with a coding behind it";
            self.at(word, problem.to_owned())
        };
        let mut parts = word.as_ref().split_ascii_whitespace();
        let shape = parts.next().ok_or_else(wrong)?;
        let letters =
            shape.find(|sign: char| sign.is_ascii_digit() || sign == '.').ok_or_else(wrong)?;
        let (content, mut coding) = match &shape[..letters] {
            "n" => (Content::Digits, numbers),
            "x+n" => (Content::Signed, Coding::Ascii),
            "z" => (Content::Track, numbers),
            "b" => (Content::Bytes, Coding::Plain),
            "a" | "an" | "as" | "ns" | "ans" => (Content::Text, texts),
            _ => return Err(wrong()),
        };
        let rest = &shape[letters..];
        let dots = rest.bytes().take_while(|&byte| byte == b'.').count();
        let signs =
            rest[dots..].parse::<usize>().ok().filter(|signs| (1..=SIGNS_MAX).contains(signs));
        let signs = signs.ok_or_else(wrong)?;
        let mut lengths = lengths;
        for part in parts {
            match part.strip_prefix("length-") {
                Some(name) => lengths = self.length_coding(word, name)?,
                None => {
                    let found = self::coding(part);
                    coding =
                        found.ok_or_else(|| self.at(word, unknown("coding", part, &CODINGS)))?;
                }
            }
        }
        let length = match (dots, content) {
            (0, Content::Signed) => Length::Fixed(signs + 1),
            (0, _) => Length::Fixed(signs),
            (2 | 3, _) => Length::Counted { digits: dots, max: signs, coding: lengths },
            _ => return Err(wrong()),
        };
        Ok(Field { content, coding, length })
    }

    /// What the fields mean.
    pub(in crate::decode::dialect) fn grammar(
        &self,
        text: &GrammarText<'_>,
    ) -> Result<Grammar, ProfileError> {
        let currency = match text.currency {
            None => Currency::CNY,
            Some(word) => word
                .as_ref()
                .parse()
                .map_err(|_| self.at(word, "a currency is three letters of ISO 4217".to_owned()))?,
        };
        let mut parts = Parts::default();
        for (name, value) in text.parts {
            let &(field, from, signs) = value.as_ref();
            if !(2..=128).contains(&field) || from > SIGNS_MAX || !(1..=12).contains(&signs) {
                let problem =
                    "a part is [field, signs before it, signs of it]: 2 to 128, 0 to 999, 1 to 12";
                return Err(self.0.error(value.span().start, problem.to_owned()));
            }
            let part = Some(Part { field, from, signs });
            match name.as_ref().as_str() {
                "function" => parts.function = part,
                "batch_number" => parts.batch_number = part,
                "network_code" => parts.network_code = part,
                "original_batch_number" => parts.original_batch_number = part,
                "original_stan" => parts.original_stan = part,
                "reversed_stan" => parts.reversed_stan = part,
                "reversed_stan_2003" => parts.reversed_stan_2003 = part,
                "operator" => parts.operator = part,
                other => return Err(self.at(name, unknown("part", other, &PARTS))),
            }
        }
        if text.kind.len() > KINDS_MAX {
            return Err(self.0.error(0, format!("a profile has at most {KINDS_MAX} kinds")));
        }
        Ok(Grammar {
            currency,
            parts,
            kinds: text.kind.iter().map(|row| self.kind(row)).collect::<Result<_, _>>()?,
            sign_on: text.network.sign_on.clone(),
            host_time: text.network.host_time,
            upload_ends: text.upload.map(|ends| (ends.unbalanced.clone(), ends.balanced.clone())),
            reversal_attempts: text.reversal.attempts.max(1),
            reversal_answer_ms: text.reversal.answer_ms,
            reversal_done: text.reversal.done.clone(),
        })
    }

    fn kind(&self, text: &KindText) -> Result<KindRow, ProfileError> {
        let mti = match &text.mti {
            None => None,
            Some(word) => match word.as_ref().as_bytes() {
                &[b'0'..=b'9', class @ b'0'..=b'9', function @ b'0'..=b'9', b'0'..=b'9'] => {
                    Some([class, b'0' + ((function - b'0') & !1)])
                }
                _ => return Err(self.at(word, "a message type is four digits".to_owned())),
            },
        };
        let is = match text.is.as_ref().as_str() {
            "sale" => Business::Of(Kind::Sale),
            "void" => Business::Of(Kind::Void),
            "refund" => Business::Of(Kind::Refund),
            "preauthorization" => Business::Of(Kind::Preauthorization),
            "completion" => Business::Of(Kind::Completion),
            "balance_inquiry" => Business::Of(Kind::BalanceInquiry),
            "stored_sale" => Business::StoredSale,
            "none" => Business::None,
            other => return Err(self.at(&text.is, unknown("kind", other, &KINDS))),
        };
        let KindText { processing, condition, function, .. } = text;
        let (processing, condition, function) =
            (processing.clone(), condition.clone(), function.clone());
        Ok(KindRow { mti, processing, condition, function, is })
    }
}

const CODINGS: [&str; 6] = ["ascii", "ebcdic", "bcd", "bcd-right", "hex", "plain"];
const LENGTH_CODINGS: [&str; 5] = ["ascii", "ebcdic", "bcd", "bcd-left", "hex"];
const PARTS: [&str; 8] = [
    "function",
    "batch_number",
    "network_code",
    "original_batch_number",
    "original_stan",
    "reversed_stan",
    "reversed_stan_2003",
    "operator",
];
const KINDS: [&str; 8] = [
    "sale",
    "void",
    "refund",
    "preauthorization",
    "completion",
    "balance_inquiry",
    "stored_sale",
    "none",
];

fn coding(name: &str) -> Option<Coding> {
    Some(match name {
        "ascii" => Coding::Ascii,
        "ebcdic" => Coding::Ebcdic,
        "bcd" => Coding::Bcd,
        "bcd-right" => Coding::BcdRight,
        "hex" => Coding::Hex,
        "plain" => Coding::Plain,
        _ => return None,
    })
}

fn length_coding(name: &str) -> Option<LengthCoding> {
    Some(match name {
        "ascii" => LengthCoding::Ascii,
        "ebcdic" => LengthCoding::Ebcdic,
        "bcd" => LengthCoding::Bcd,
        "bcd-left" => LengthCoding::BcdLeft,
        "hex" => LengthCoding::Hex,
        _ => return None,
    })
}
