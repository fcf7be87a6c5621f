//! The fields of a message that are kept, as text; whatever else it holds is never copied. Of a card number there are
//! only the first six and last four digits, of the chip's data only its counter, of tracks and PIN blocks nothing.

use super::layout::{Coding, Content, FIELDS, Field, Layout, from_ebcdic};
use super::message::{MASKED_NIBBLE, Message, Slot, hex, packed};
use slipwatch_shared::card::MaskedPan;
use std::fmt::Write;

/// Fields whose text is kept.
const KEPT: [u8; 21] =
    [3, 4, 11, 12, 13, 15, 22, 24, 25, 37, 38, 39, 41, 42, 48, 49, 56, 60, 61, 70, 90];

/// Longest text that is kept of a field: the totals of a batch have 62 signs.
const TEXT_BYTES_MAX: usize = 128;

/// Of these fields only so much: of 56 and 90 message type and trace of the original, of 63 an operator's number or an
/// organisation's name.
const HEADS: [(u8, usize); 3] = [(56, 16), (63, 3), (90, 10)];

/// Fields of which numbers are read but that are not shown: a card number in one of them, cut in the middle, would
/// look like none.
const NOT_SHOWN: [u8; 2] = [56, 90];

/// Digits of a card number.
const PAN_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;

/// EMV tag 9F36, the chip's transaction counter.
const CHIP_COUNTER: [u8; 2] = [0x9f, 0x36];

/// What is kept of one message. Used again for the next one.
#[derive(Debug)]
pub(in crate::decode::dialect) struct Values {
    /// The four digits of the message type.
    pub mti: [u8; 4],
    text: String,
    spans: [(u16, u16); FIELDS],
    /// The card's number, cut.
    pub pan: Option<MaskedPan>,
    /// The chip's transaction counter.
    pub chip_counter: Option<u16>,
    /// The currency that stands beside the amount where field 49 is absent.
    pub currency: Option<slipwatch_shared::money::Currency>,
    /// The amount is written with a decimal point.
    pub is_decimal: bool,
}

impl Default for Values {
    fn default() -> Values {
        Values {
            mti: *b"0000",
            text: String::new(),
            spans: [(0, 0); FIELDS],
            pan: None,
            chip_counter: None,
            currency: None,
            is_decimal: false,
        }
    }
}

impl Values {
    /// Forgets the last message.
    pub fn clear(&mut self) {
        self.text.clear();
        self.spans = [(0, 0); FIELDS];
        (self.pan, self.chip_counter, self.currency) = (None, None, None);
        self.is_decimal = false;
    }

    /// A field's text without blanks around it; nothing when it is absent or empty.
    pub fn get(&self, field: u8) -> Option<&str> {
        let (from, to) = self.spans[usize::from(field)];
        let text = self.text[usize::from(from)..usize::from(to)].trim();
        (!text.is_empty()).then_some(text)
    }

    /// Whether a field's text is kept: 48 where it holds the sums of a settlement, 56 where it names an original, as in
    /// the standard of 2003; elsewhere both hold anything.
    pub fn keeps(field: u8, mti: [u8; 4]) -> bool {
        match field {
            48 => mti[1] == b'5',
            56 => mti[0] == b'2',
            63 => true,
            _ => KEPT.contains(&field),
        }
    }

    /// Keeps a field's text.
    pub fn put(&mut self, field: u8, text: impl Iterator<Item = char>) {
        let head = HEADS.iter().find(|(cut, _)| *cut == field);
        let limit = head.map_or(TEXT_BYTES_MAX, |(_, bytes)| *bytes);
        let from = self.text.len();
        // What is no sign of the standard's own alphabet names nothing and could break a line of evidence.
        let signs = text.take(limit).map(|sign| match sign {
            ' '..='~' if sign != ';' => sign,
            _ => '?',
        });
        self.text.extend(signs);
        let span = |at: usize| u16::try_from(at).ok();
        if let (Some(from), Some(to)) = (span(from), span(self.text.len())) {
            self.spans[usize::from(field)] = (from, to);
        }
    }

    /// Takes a card number's digits, in clear or masked; `*` stands for a masked one.
    pub fn put_pan(&mut self, digits: &str) {
        let digits = digits.trim();
        let is_clear = digits.bytes().all(|byte| byte.is_ascii_digit());
        self.pan = match is_clear {
            true if PAN_DIGITS.contains(&digits.len()) => {
                MaskedPan::from_parts(Some(&digits[..6]), &digits[digits.len() - 4..]).ok()
            }
            true => None,
            false => MaskedPan::from_masked(digits).ok(),
        };
    }

    /// Takes what may be known of a track: its card number, where that ends at its separator.
    pub fn put_track(&mut self, track: &str) {
        let number = track.find(['D', 'd', '=']).map_or("", |end| &track[..end]);
        if self.pan.is_none() {
            self.put_pan(number);
        }
    }

    /// Takes the chip's data for its counter.
    pub fn put_chip(&mut self, data: &[u8]) {
        self.chip_counter = chip_counter(data);
    }

    /// Reads a message's fields.
    pub(super) fn read(&mut self, layout: &Layout, message: &Message, bytes: &[u8]) {
        self.clear();
        self.mti = message.mti;
        let mut secret = [0_u8; 40];
        for (number, slot) in message.slots.iter().enumerate().skip(2) {
            let number = number as u8;
            let (Some(field), true) = (&layout.fields[usize::from(number)], message.has(number))
            else {
                continue;
            };
            let value = &bytes[usize::from(slot.from)..usize::from(slot.from + slot.bytes)];
            match number {
                2 | 35 => {
                    let digits = on_stack(&mut secret, signs(field, value, *slot));
                    match number {
                        2 => self.put_pan(digits.trim_end_matches(['F', 'f'])),
                        _ => self.put_track(digits),
                    }
                    secret.fill(0);
                }
                55 if field.coding == Coding::Plain => self.put_chip(value),
                _ if Values::keeps(number, message.mti) => {
                    self.put(number, signs(field, value, *slot).map(char::from));
                }
                _ => {}
            }
        }
    }

    /// The message as a line: its type and the fields that are kept, each with a sign behind it by which its digits
    /// end.
    pub fn write(&self, out: &mut String) {
        out.push_str(std::str::from_utf8(&self.mti).unwrap_or("????"));
        out.push(';');
        if let Some(pan) = self.pan {
            let _ = write!(out, " F2={pan};");
        }
        for field in KEPT.into_iter().chain([63]).filter(|field| !NOT_SHOWN.contains(field)) {
            if let Some(text) = self.get(field) {
                let _ = write!(out, " F{field}={text};");
            }
        }
        if let Some(counter) = self.chip_counter {
            let _ = write!(out, " ATC={counter:04X};");
        }
    }
}

/// The signs of a field.
fn signs<'a>(field: &'a Field, value: &'a [u8], slot: Slot) -> impl Iterator<Item = u8> + 'a {
    let is_packed = matches!(field.coding, Coding::Bcd | Coding::BcdRight);
    let packed = packed(field, value, usize::from(if is_packed { slot.signs } else { 0 }));
    let packed = packed.map(|nibble| match nibble {
        0..=9 => b'0' + nibble,
        MASKED_NIBBLE => b'*',
        _ => b'A' + (nibble - 10),
    });
    let plain = value.iter().take(if is_packed { 0 } else { value.len() });
    packed.chain(plain.map(move |&byte| match field.coding {
        Coding::Ebcdic => from_ebcdic(byte),
        _ if byte == 0xee && field.content != Content::Bytes => b'*',
        _ => byte,
    }))
}

fn on_stack(room: &mut [u8; 40], signs: impl Iterator<Item = u8>) -> &str {
    let mut length = 0;
    for (to, sign) in room.iter_mut().zip(signs) {
        *to = sign;
        length += 1;
    }
    std::str::from_utf8(&room[..length]).unwrap_or_default()
}

/// The counter among the chip's tags, on the uppermost level; other tags are read over.
fn chip_counter(data: &[u8]) -> Option<u16> {
    let mut rest = data;
    while let Some(&first) = rest.first() {
        let mut tag_bytes = 1;
        if first & 0x1f == 0x1f {
            while rest.get(tag_bytes)? & 0x80 != 0 {
                tag_bytes += 1;
            }
            tag_bytes += 1;
        }
        let (tag, behind) = rest.split_at_checked(tag_bytes)?;
        let (&length, behind) = behind.split_first()?;
        let (length, behind) = match length {
            0x81 => behind.split_first().map(|(length, rest)| (usize::from(*length), rest))?,
            0x82 => {
                let (length, rest) = behind.split_at_checked(2)?;
                (usize::from(u16::from_be_bytes([length[0], length[1]])), rest)
            }
            short => (usize::from(short), behind),
        };
        let (value, behind) = behind.split_at_checked(length)?;
        if tag == CHIP_COUNTER {
            return Some(u16::from_be_bytes(value.try_into().ok()?));
        }
        rest = behind;
    }
    None
}

/// Whether four digits are a message type: of version 0 to 2, and of a class and function that ISO 8583 knows.
pub(in crate::decode::dialect) fn is_mti(mti: [u8; 4]) -> bool {
    let [version, class, function, origin] = mti;
    matches!(version, b'0'..=b'2')
        && matches!(class, b'1'..=b'6' | b'8' | b'9')
        && matches!(function, b'0'..=b'4')
        && matches!(origin, b'0'..=b'5')
}

/// The chip's data where it is written in hexadecimal.
pub(in crate::decode::dialect) fn unhex<'a>(text: &str, room: &'a mut [u8; 512]) -> &'a [u8] {
    let nibbles = text.bytes().filter_map(hex);
    let mut length = 0;
    let mut high = None;
    for nibble in nibbles {
        match high.take() {
            None => high = Some(nibble),
            Some(high) if length < room.len() => {
                room[length] = high << 4 | nibble;
                length += 1;
            }
            Some(_) => break,
        }
    }
    &room[..length]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_counter(hex: &str, expected: Option<u16>) {
        assert_eq!(chip_counter(unhex(hex, &mut [0; 512])), expected, "{hex}");
    }

    #[test]
    fn the_chips_counter_is_found_among_its_tags() {
        check_counter("9F2608AABBCCDDEEFF00119F360201A29F0206000000000100", Some(0x01a2));
        check_counter("9F36020005", Some(5));
        check_counter("9F3601", None);
        check_counter("9F36", None);
        check_counter("8281FF", None);
        check_counter("", None);
    }

    #[test]
    fn of_a_card_number_six_and_four_digits_are_kept() {
        let mut values = Values::default();
        let shown = |values: &Values| values.pan.map(|pan| pan.to_string());
        values.put_pan("6226090000008388");
        assert_eq!(shown(&values).as_deref(), Some("622609******8388"));
        values.put_pan("519360______2645");
        assert_eq!(shown(&values).as_deref(), Some("519360******2645"));
        values.put_pan("[WIPED]");
        assert_eq!(shown(&values), None);
        values.put_pan("123456789");
        assert_eq!(shown(&values), None);
        values.put_track("6226090000008388D4912");
        assert_eq!(shown(&values).as_deref(), Some("622609******8388"));
        values.put_track("99");
        assert_eq!(shown(&values).as_deref(), Some("622609******8388"));
    }

    #[test]
    fn a_line_of_evidence_cannot_be_broken() {
        let mut values = Values { mti: *b"0200", ..Values::default() };
        values.put(42, "a\n;b".chars());
        let mut line = String::new();
        values.write(&mut line);
        assert_eq!(line, "0200; F42=a??b;");
    }
}
