//! The part of a framed profile that tells what its frames look like.

use super::Beside;
use super::text::{CheckText, FrameText};
use crate::decode::dialect::error::{ProfileError, Source, unknown};
use crate::decode::dialect::profile::text::Word;
use crate::decode::framer::check::{Check, Crc16, Sum};
use crate::decode::framer::frame::Framing;
use crate::decode::framer::shape::{BODY_BYTES_MAX, Escape, Length, SHAPES_MAX, Shape};
use toml::Spanned;

/// How long a frame waits for its next byte, where the profile does not say.
const GAP_MS: u64 = 1_000;

/// Longest body, where the profile does not say, in bytes.
const BODY_BYTES: u64 = 4_096;

pub(super) const LENGTHS: [&str; 6] = ["none", "u8", "bcd2", "be2", "le2", "fixed 20"];

pub(super) const SUMS: [(&str, Sum); 7] = [
    ("xor", Sum::Xor(0)),
    ("crc16-kermit", Sum::Crc16(Crc16::Kermit)),
    ("crc16-xmodem", Sum::Crc16(Crc16::Xmodem)),
    ("crc16-ccitt-false", Sum::Crc16(Crc16::CcittFalse)),
    ("crc16-x25", Sum::Crc16(Crc16::X25)),
    ("crc16-modbus", Sum::Crc16(Crc16::Modbus)),
    ("crc16-arc", Sum::Crc16(Crc16::Arc)),
];

/// The bytes of a text in hexadecimal.
fn hex(source: &Source<'_>, word: &Word) -> Result<Box<[u8]>, ProfileError> {
    let digits: String = word.as_ref().chars().filter(|sign| *sign != ' ').collect();
    let byte = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).ok().filter(|text| text.len() == 2)?;
        u8::from_str_radix(text, 16).ok()
    };
    let bytes = digits.as_bytes().chunks(2).map(byte).collect::<Option<Vec<u8>>>();
    match bytes.filter(|bytes| bytes.len() <= 4) {
        Some(bytes) => Ok(bytes.into()),
        None => {
            Err(source.at(word, "expected up to four bytes in hexadecimal, as in `02`".to_owned()))
        }
    }
}

/// Single bytes in hexadecimal.
pub(super) fn bytes_of(source: &Source<'_>, words: &[Word]) -> Result<Vec<u8>, ProfileError> {
    let bytes = words.iter().map(|word| match *hex(source, word)? {
        [byte] => Ok(byte),
        _ => Err(source.at(word, "expected one byte in hexadecimal, as in `06`".to_owned())),
    });
    bytes.collect()
}

impl Source<'_> {
    /// How the link's frames look; `from` is where the profile begins to tell it.
    pub(super) fn framing(&self, text: &FrameText, from: usize) -> Result<Framing, ProfileError> {
        let gap_ms = self.within(&text.gap_ms, GAP_MS, 60_000)?;
        if gap_ms == 0 {
            return Err(self.error(from, "gap_ms is between 1 and 60000".to_owned()));
        }
        let mut signals = bytes_of(self, &text.signals)?;
        signals.extend(bytes_of(self, &text.ack)?);
        let mut shapes = vec![self.shape(
            &text.start,
            &text.length,
            &text.end,
            &text.check,
            &text.body_bytes_max,
            &text.escape,
        )?];
        let first = &mut shapes[0];
        first.length_more = self.within(&text.length_more, 0, 16)? as usize;
        for beside in &text.beside {
            shapes.push(self.shape(
                &beside.start,
                &beside.length,
                &beside.end,
                &beside.check,
                &beside.body_bytes_max,
                &None,
            )?);
        }
        if shapes.len() > SHAPES_MAX {
            return Err(
                self.error(from, format!("a link has at most {SHAPES_MAX} kinds of frames"))
            );
        }
        const CHECKSUMS: [&str; 2] = ["required", "masked_ok"];
        let masked_ok = match &text.checksum {
            None => false,
            Some(word) => match CHECKSUMS.iter().position(|known| known == word.as_ref()) {
                Some(index) => index == 1,
                None => return Err(self.at(word, unknown("checksum", word.as_ref(), &CHECKSUMS))),
            },
        };
        Ok(Framing { shapes, signals, gap_ms, masked_ok })
    }

    fn shape(
        &self,
        start: &Word,
        length: &Option<Word>,
        end: &Option<Word>,
        checks: &[CheckText],
        body_bytes_max: &Option<Spanned<u64>>,
        escape: &Option<Word>,
    ) -> Result<Shape, ProfileError> {
        let body_bytes_max = self.within(body_bytes_max, BODY_BYTES, BODY_BYTES_MAX as u64)?;
        let shape = Shape {
            start: hex(self, start)?,
            length: length.as_ref().map_or(Ok(Length::None), |word| self.length(word))?,
            length_more: 0,
            end: end.as_ref().map_or(Ok(Box::default()), |word| hex(self, word))?,
            checks: checks.iter().map(|check| self.check(check)).collect::<Result<_, _>>()?,
            escape: match escape {
                None => Escape::None,
                Some(word) if word.as_ref() == "dle" => Escape::Dle,
                Some(word) => return Err(self.at(word, unknown("escape", word.as_ref(), &["dle"]))),
            },
            body_bytes_max: body_bytes_max as usize,
        };
        shape.validated().map_err(|problem| self.at(start, problem.to_owned()))
    }

    fn length(&self, word: &Word) -> Result<Length, ProfileError> {
        Ok(match word.as_ref().as_str() {
            "none" => Length::None,
            "u8" => Length::U8,
            "bcd2" => Length::Bcd2,
            "be2" => Length::Be2,
            "le2" => Length::Le2,
            other => match other.strip_prefix("fixed ").and_then(|bytes| bytes.trim().parse().ok())
            {
                Some(bytes) => Length::Fixed(bytes),
                None => return Err(self.at(word, unknown("length", other, &LENGTHS))),
            },
        })
    }

    fn check(&self, text: &CheckText) -> Result<Check, ProfileError> {
        let known = SUMS.iter().find(|known| known.0 == text.sum.as_ref());
        let names = SUMS.map(|known| known.0);
        let Some((_, sum)) = known else {
            return Err(self.at(&text.sum, unknown("sum", text.sum.as_ref(), &names)));
        };
        let sum = match (sum, &text.seed) {
            (Sum::Xor(_), Some(seed)) => match *hex(self, seed)? {
                [seed] => Sum::Xor(seed),
                _ => {
                    return Err(
                        self.at(seed, "expected one byte in hexadecimal, as in `7F`".to_owned())
                    );
                }
            },
            (Sum::Crc16(_), Some(seed)) => {
                return Err(self.at(seed, "only `xor` has a seed".to_owned()));
            }
            (sum, None) => *sum,
        };
        const PARTS: [&str; 3] = ["start", "length", "end"];
        let mut over = [false; 3];
        for word in &text.over {
            match PARTS.iter().position(|known| known == word.as_ref()) {
                Some(index) => over[index] = true,
                None => return Err(self.at(word, unknown("part", word.as_ref(), &PARTS))),
            }
        }
        let [start, length, end] = over;
        Ok(Check { sum, start, length, end, low_first: text.low_first })
    }

    /// What the frames beside the first kind mean.
    pub(super) fn beside(&self, text: &FrameText) -> Result<Vec<Beside>, ProfileError> {
        const MEANINGS: [&str; 3] = ["ack", "nak", "progress"];
        let means = text.beside.iter().map(|beside| match beside.means.as_ref().as_str() {
            "ack" => Ok(Beside::Ack),
            "nak" | "progress" => Ok(Beside::Nothing),
            other => Err(self.at(&beside.means, unknown("meaning", other, &MEANINGS))),
        });
        means.collect()
    }
}
