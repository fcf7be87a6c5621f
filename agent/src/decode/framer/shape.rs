//! What a frame looks like on the wire: start, length, end, check sum, escape. Data, told by a profile; knows nothing of
//! a stream.

use super::check::{Check, Covered};

/// The escape of ZVT and its kin: data link escape.
pub const DLE: u8 = 0x10;

/// Longest body that any shape may allow, in bytes. A settlement report or an EMV answer has 2 KiB.
pub const BODY_BYTES_MAX: usize = 16 * 1024;

/// Most shapes and most variants of a check sum that one link has.
pub const SHAPES_MAX: usize = 8;

/// How a frame tells where it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// By its end bytes, which cannot be in the body.
    None,
    /// It always has so many bytes.
    Fixed(usize),
    /// One byte.
    U8,
    /// Two bytes with four decimal digits (`02 62` is 262).
    Bcd2,
    /// Two bytes, the high one first.
    Be2,
    /// Two bytes, the low one first.
    Le2,
}

impl Length {
    /// How many bytes it takes in a frame.
    pub fn bytes(self) -> usize {
        match self {
            Length::None | Length::Fixed(_) => 0,
            Length::U8 => 1,
            Length::Bcd2 | Length::Be2 | Length::Le2 => 2,
        }
    }

    /// The number that the bytes hold; `None` when they are no decimal digits where they should be.
    pub(crate) fn read(self, bytes: &[u8]) -> Option<usize> {
        match (self, bytes) {
            (Length::Fixed(body), _) => Some(body),
            (Length::U8, &[length]) => Some(usize::from(length)),
            (Length::Be2, &[high, low]) => Some(usize::from(u16::from_be_bytes([high, low]))),
            (Length::Le2, &[low, high]) => Some(usize::from(u16::from_le_bytes([low, high]))),
            (Length::Bcd2, bytes) => bytes.iter().try_fold(0, |number, byte| {
                let (high, low) = (byte >> 4, byte & 0xf);
                let two = usize::from(high * 10 + low);
                (high <= 9 && low <= 9).then_some(number * 100 + two)
            }),
            _ => None,
        }
    }

    /// The bytes of a number, for frames that are made.
    fn write(self, number: usize) -> Vec<u8> {
        let two = |number: usize| (((number / 10 % 10) << 4) | (number % 10)) as u8;
        match self {
            Length::None | Length::Fixed(_) => Vec::new(),
            Length::U8 => vec![number as u8],
            Length::Bcd2 => vec![two(number / 100), two(number)],
            Length::Be2 => (number as u16).to_be_bytes().to_vec(),
            Length::Le2 => (number as u16).to_le_bytes().to_vec(),
        }
    }
}

/// Whether bytes of the body that look like start or end are marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// They are not.
    None,
    /// Start and end stand behind [`DLE`], and a `10` in the body is doubled. Only without a length.
    Dle,
}

/// One kind of frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The bytes that it begins with, at least one; without the escape.
    pub start: Box<[u8]>,
    /// How it tells where it ends.
    pub length: Length,
    /// What its length counts beside the body, in bytes.
    pub length_more: usize,
    /// The bytes behind the body; without the escape. At least one where there is no length.
    pub end: Box<[u8]>,
    /// The check sum behind the end, or the variants of it that terminals of the family use; all of the same size. Which
    /// one it is shows by itself.
    pub checks: Vec<Check>,
    /// Whether the body is escaped.
    pub escape: Escape,
    /// Longest body, in bytes; at most [`BODY_BYTES_MAX`].
    pub body_bytes_max: usize,
}

impl Shape {
    /// `02 body 03 LRC`, the most frequent one.
    pub fn stx_etx() -> Shape {
        Shape {
            start: [0x02].into(),
            length: Length::None,
            length_more: 0,
            end: [0x03].into(),
            checks: vec![Check::LRC],
            escape: Escape::None,
            body_bytes_max: 4096,
        }
    }

    /// How many bytes the check sum takes.
    pub fn check_bytes(&self) -> usize {
        self.checks.first().map_or(0, Check::bytes)
    }

    /// What stands before the start and the end on the wire.
    pub(crate) fn mark(&self) -> &'static [u8] {
        match self.escape {
            Escape::None => &[],
            Escape::Dle => &[DLE],
        }
    }

    /// Whether no two of its parts contradict each other; the sentence says what does.
    pub fn validated(self) -> Result<Shape, &'static str> {
        let has_length = self.length != Length::None;
        let sizes = self.checks.iter().map(Check::bytes);
        Err(match () {
            () if self.start.is_empty() => "a frame begins with at least one byte",
            () if self.end.is_empty() && !has_length => "a frame without a length needs an end",
            () if self.escape == Escape::Dle && has_length => "an escaped frame has no length",
            () if self.body_bytes_max > BODY_BYTES_MAX => "a body has at most 16384 bytes",
            () if matches!(self.length, Length::Fixed(body) if body > self.body_bytes_max) => {
                "the fixed length is beyond the longest body"
            }
            () if sizes.clone().any(|bytes| bytes != self.check_bytes()) => {
                "all variants of a check sum take the same number of bytes"
            }
            () if self.checks.len() > SHAPES_MAX => "a check sum has at most 8 variants",
            () => return Ok(self),
        })
    }

    /// The frame of a body, with the first variant of its check sum: what a terminal of this kind would send. For tests
    /// and simulators; slipwatch itself sends nothing.
    pub fn wrap(&self, body: &[u8]) -> Vec<u8> {
        let length = self.length.write(body.len() + self.length_more);
        let covered = Covered { start: &self.start, length: &length, body, end: &self.end };
        let mut frame = [self.mark(), &self.start, &length].concat();
        for &byte in body {
            frame.push(byte);
            if self.escape == Escape::Dle && byte == DLE {
                frame.push(DLE);
            }
        }
        frame.extend_from_slice(self.mark());
        frame.extend_from_slice(&self.end);
        if let Some(check) = self.checks.first() {
            frame.extend_from_slice(&check.over(covered)[..check.bytes()]);
        }
        frame
    }
}
