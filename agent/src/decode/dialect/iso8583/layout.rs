//! How the bytes of a message are laid out: which fields there are, how long each is and how its signs are written.
//! All of it comes from a profile; nothing here knows a country.

use std::fmt;

/// Fields of a message with a second bitmap; field 0 is none.
pub(super) const FIELDS: usize = 129;

/// What a field holds, as ISO 8583 names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// `n`: digits.
    Digits,
    /// `x+n`: `C` or `D`, and digits.
    Signed,
    /// `z`: a track.
    Track,
    /// `a`, `an`, `ans`: characters.
    Text,
    /// `b`: bytes.
    Bytes,
}

/// How the signs of a field are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Ascii,
    /// Code page 037.
    Ebcdic,
    /// Two digits a byte; an odd count is padded behind.
    Bcd,
    /// Two digits a byte; an odd count is padded in front.
    BcdRight,
    /// Two hexadecimal signs a byte.
    Hex,
    /// As they are.
    Plain,
}

/// How the length in front of a field is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LengthCoding {
    Ascii,
    Ebcdic,
    /// Two digits a byte; an odd count is padded in front.
    Bcd,
    /// Two digits a byte; an odd count is padded behind.
    BcdLeft,
    /// One hexadecimal sign for two digits, two for three.
    Hex,
}

/// How long a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// So many signs.
    Fixed(usize),
    /// As the length in front of it says, `max` signs at most.
    Counted { digits: usize, max: usize, coding: LengthCoding },
}

/// One field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub content: Content,
    pub coding: Coding,
    pub length: Length,
}

impl Field {
    /// How many bytes so many signs take.
    pub fn bytes(&self, signs: usize) -> usize {
        match self.coding {
            Coding::Bcd | Coding::BcdRight => signs.div_ceil(2),
            Coding::Hex => 2 * signs,
            Coding::Ascii | Coding::Ebcdic | Coding::Plain => signs,
        }
    }
}

impl Length {
    /// How many bytes the length in front of the field takes.
    pub fn head_bytes(&self) -> usize {
        match *self {
            Length::Fixed(_) => 0,
            Length::Counted { digits, coding, .. } => match coding {
                LengthCoding::Ascii | LengthCoding::Ebcdic => digits,
                LengthCoding::Bcd | LengthCoding::BcdLeft => digits.div_ceil(2),
                LengthCoding::Hex => digits - 1,
            },
        }
    }
}

/// How the length in front of a message is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    /// Two bytes, the high one first.
    Be2,
    /// Four decimal digits in two bytes.
    Bcd2,
    /// Four decimal digits.
    Ascii4,
    /// None.
    None,
}

impl Prefix {
    /// How many bytes it takes.
    pub fn bytes(self) -> usize {
        match self {
            Prefix::Be2 | Prefix::Bcd2 => 2,
            Prefix::Ascii4 => 4,
            Prefix::None => 0,
        }
    }
}

/// How the message type is written, and the bitmap behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Of the message type: ASCII, EBCDIC or BCD.
    pub mti: Coding,
    /// Of the bitmap: plain or hexadecimal.
    pub bitmap: Coding,
}

impl Head {
    /// Bytes of the message type.
    pub fn mti_bytes(self) -> usize {
        if self.mti == Coding::Bcd { 2 } else { 4 }
    }

    /// Bytes of one bitmap.
    pub fn bitmap_bytes(self) -> usize {
        if self.bitmap == Coding::Hex { 16 } else { 8 }
    }
}

/// A whole layout.
pub(super) struct Layout {
    /// Lengths that a message may have in front, tried in order.
    pub prefixes: Vec<Prefix>,
    /// Bytes of the transport's address field (TPDU): 5 or none. Its first is 60 or 68.
    pub tpdu_bytes: usize,
    /// Bytes of the header behind it.
    pub header_bytes: usize,
    pub head: Head,
    pub fields: [Option<Field>; FIELDS],
}

impl fmt::Debug for Layout {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.fields.iter().flatten().count();
        write!(out, "Layout({:?}, {:?}, {known} fields)", self.prefixes, self.head)
    }
}

/// A sign of code page 037 as ASCII; what has none is `?`.
pub(super) fn from_ebcdic(byte: u8) -> u8 {
    match byte {
        0x40 => b' ',
        0x4b => b'.',
        0x4d => b'(',
        0x4e => b'+',
        0x50 => b'&',
        0x5b => b'$',
        0x5c => b'*',
        0x5d => b')',
        0x60 => b'-',
        0x61 => b'/',
        0x6b => b',',
        0x6c => b'%',
        0x6d => b'_',
        0x7a => b':',
        0x7b => b'#',
        0x7c => b'@',
        0x7e => b'=',
        0x81..=0x89 => byte - 0x81 + b'a',
        0x91..=0x99 => byte - 0x91 + b'j',
        0xa2..=0xa9 => byte - 0xa2 + b's',
        0xc1..=0xc9 => byte - 0xc1 + b'A',
        0xd1..=0xd9 => byte - 0xd1 + b'J',
        0xe2..=0xe9 => byte - 0xe2 + b'S',
        0xf0..=0xf9 => byte - 0xf0 + b'0',
        _ => b'?',
    }
}
