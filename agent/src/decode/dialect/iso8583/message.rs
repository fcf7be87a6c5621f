//! One message's bytes to where its fields lie. Never fails as a whole: what was read before a bad field stays.

use super::layout::{Coding, Content, FIELDS, Field, Layout, Length, LengthCoding, from_ebcdic};
use super::values::is_mti;

/// Half-byte that stands for a digit somebody masked before it was logged.
pub(super) const MASKED_NIBBLE: u8 = 0xe;

/// Where a field lies in the message's bytes, and how many signs it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Slot {
    pub from: u16,
    pub bytes: u16,
    pub signs: u16,
}

/// How a message's bytes ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// With its last field.
    Complete,
    /// Before the end of this field: more bytes are wanted.
    Short(u8),
    /// This field is not as the layout says.
    Bad(u8),
}

/// A message, read as far as it goes.
#[derive(Debug)]
pub(super) struct Message {
    /// The four digits of the message type.
    pub mti: [u8; 4],
    pub slots: [Slot; FIELDS],
    /// Bytes that were read.
    pub end: usize,
    pub outcome: Outcome,
}

impl Message {
    /// Whether a field is there.
    pub fn has(&self, field: u8) -> bool {
        self.slots[usize::from(field)] != Slot::default()
    }
}

/// The message type at the start of `bytes`.
pub(super) fn mti(layout: &Layout, bytes: &[u8]) -> Option<[u8; 4]> {
    let raw = bytes.get(..layout.head.mti_bytes())?;
    let mut mti = [0; 4];
    match layout.head.mti {
        Coding::Bcd => {
            mti = [raw[0] >> 4, raw[0] & 0xf, raw[1] >> 4, raw[1] & 0xf].map(|digit| digit + b'0');
        }
        Coding::Ebcdic => mti.iter_mut().zip(raw).for_each(|(to, byte)| *to = from_ebcdic(*byte)),
        _ => mti.copy_from_slice(raw),
    }
    is_mti(mti).then_some(mti)
}

/// One bitmap at the start of `bytes`; nothing when it is cut or no hexadecimal.
pub(super) fn bitmap(layout: &Layout, bytes: &[u8]) -> Option<u64> {
    let raw = bytes.get(..layout.head.bitmap_bytes())?;
    if layout.head.bitmap == Coding::Plain {
        return Some(u64::from_be_bytes(raw.try_into().ok()?));
    }
    raw.iter().try_fold(0, |bits, &byte| Some(bits << 4 | u64::from(hex(byte)?)))
}

/// The value of a hexadecimal sign.
pub(super) fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|value| value as u8)
}

/// Reads a message from its type on.
pub(super) fn read(layout: &Layout, bytes: &[u8]) -> Message {
    let mut message = Message {
        mti: *b"0000",
        slots: [Slot::default(); FIELDS],
        end: 0,
        outcome: Outcome::Bad(0),
    };
    let Some(mti) = mti(layout, bytes) else { return message };
    message.mti = mti;
    let mut at = layout.head.mti_bytes();
    let Some(first) = bitmap(layout, &bytes[at..]) else {
        message.outcome = short_or_bad(layout, bytes.len() - at, 1);
        return message;
    };
    at += layout.head.bitmap_bytes();
    let mut bits = u128::from(first) << 64;
    if first >> 63 == 1 {
        let Some(second) = bitmap(layout, &bytes[at..]) else {
            message.outcome = short_or_bad(layout, bytes.len() - at, 1);
            return message;
        };
        at += layout.head.bitmap_bytes();
        bits |= u128::from(second);
    }
    message.end = at;
    // Field 1 is the second bitmap itself.
    bits &= !(1 << 127);
    message.outcome = Outcome::Complete;
    while bits != 0 {
        let number = bits.leading_zeros() as u8 + 1;
        bits &= !(1 << (128 - number));
        match field(layout.fields[usize::from(number)].as_ref(), bytes, message.end) {
            Ok((slot, end)) => {
                message.slots[usize::from(number)] = slot;
                message.end = end;
            }
            Err(Refused::Short) => {
                message.outcome = Outcome::Short(number);
                break;
            }
            Err(Refused::Bad) => {
                message.outcome = Outcome::Bad(number);
                break;
            }
        }
    }
    message
}

fn short_or_bad(layout: &Layout, left: usize, field: u8) -> Outcome {
    match left < layout.head.bitmap_bytes() {
        true => Outcome::Short(field),
        false => Outcome::Bad(field),
    }
}

/// Why a field cannot be read.
enum Refused {
    Short,
    Bad,
}

fn field(field: Option<&Field>, bytes: &[u8], at: usize) -> Result<(Slot, usize), Refused> {
    // A field that the layout does not know has an unknown length: what follows it cannot be found.
    let field = field.ok_or(Refused::Bad)?;
    let from = at + field.length.head_bytes();
    let signs = match field.length {
        Length::Fixed(signs) => signs,
        Length::Counted { digits, max, coding } => {
            let head = bytes.get(at..from).ok_or(Refused::Short)?;
            let signs = count(head, digits, coding).ok_or(Refused::Bad)?;
            if signs > max {
                return Err(Refused::Bad);
            }
            signs
        }
    };
    let end = from + field.bytes(signs);
    let value = bytes.get(from..end).ok_or(Refused::Short)?;
    if !is_sound(field, value, signs) {
        return Err(Refused::Bad);
    }
    let narrow = |number: usize| u16::try_from(number).map_err(|_| Refused::Bad);
    Ok((Slot { from: narrow(from)?, bytes: narrow(end - from)?, signs: narrow(signs)? }, end))
}

/// The number that the length in front of a field tells.
fn count(head: &[u8], digits: usize, coding: LengthCoding) -> Option<usize> {
    let decimal = |number: usize, digit: u8| (digit <= 9).then(|| number * 10 + usize::from(digit));
    match coding {
        LengthCoding::Ascii => {
            head.iter().try_fold(0, |number, byte| decimal(number, byte.wrapping_sub(b'0')))
        }
        LengthCoding::Ebcdic => {
            head.iter().try_fold(0, |number, byte| decimal(number, byte.wrapping_sub(0xf0)))
        }
        LengthCoding::Hex => {
            head.iter().try_fold(0, |number, &byte| Some(number * 16 + usize::from(hex(byte)?)))
        }
        LengthCoding::Bcd => nibbles(head).try_fold(0, decimal),
        LengthCoding::BcdLeft => nibbles(head).take(digits).try_fold(0, decimal),
    }
}

/// The half-bytes of bytes.
pub(super) fn nibbles(bytes: &[u8]) -> impl Iterator<Item = u8> {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf])
}

/// The digits of a field in half-bytes, without its padding.
pub(super) fn packed<'a>(
    field: &Field,
    value: &'a [u8],
    signs: usize,
) -> impl Iterator<Item = u8> + use<'a> {
    let padding = if field.coding == Coding::BcdRight { signs % 2 } else { 0 };
    nibbles(value).skip(padding).take(signs)
}

/// Whether a field holds signs of its kind. What somebody masked is sound.
fn is_sound(field: &Field, value: &[u8], signs: usize) -> bool {
    match (field.content, field.coding) {
        (Content::Digits, Coding::Bcd | Coding::BcdRight) => {
            packed(field, value, signs).all(|digit| matches!(digit, 0..=9 | MASKED_NIBBLE | 0xf))
        }
        (Content::Digits, Coding::Ebcdic) => {
            value.iter().all(|byte| matches!(byte, 0xf0..=0xf9 | 0x5c))
        }
        (Content::Digits, Coding::Ascii) => value.iter().all(|&byte| is_digit_or_mask(byte)),
        (Content::Track, Coding::Ascii) => value.iter().all(|&byte| {
            byte.is_ascii_hexdigit()
                || matches!(byte, b'=' | b'?' | b';' | b'^' | b' ')
                || is_digit_or_mask(byte)
        }),
        (Content::Track, Coding::Ebcdic) => value.iter().all(|&byte| {
            let sign = from_ebcdic(byte);
            sign.is_ascii_hexdigit() || matches!(sign, b'=' | b'?')
        }),
        (Content::Signed, Coding::Ascii) => {
            matches!(value.first(), Some(b'C' | b'D')) && value[1..].iter().all(u8::is_ascii_digit)
        }
        (Content::Bytes, Coding::Hex) => value.iter().all(|&byte| hex(byte).is_some()),
        _ => true,
    }
}

fn is_digit_or_mask(byte: u8) -> bool {
    // A masked sign is `*` where it was text, and the same half-byte twice where it came out of a dump.
    byte.is_ascii_digit() || matches!(byte, b'*' | b'x' | b'X' | b'_' | b'#' | 0xee)
}
