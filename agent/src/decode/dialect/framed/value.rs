//! The bytes of a part as the text that a field is read from.

use crate::decode::dialect::profile::field::Field;
use crate::decode::encoding::Encoding;

/// How the bytes of a part are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Text in the profile's encoding, without the blanks around it.
    Text,
    /// Two digits a byte; a pad `F` is left out, what is masked becomes `*`.
    Bcd,
    /// Digits in ASCII, masked or not; two a byte where they are none.
    Digits,
    /// A number in ASCII, without leading zeros.
    Number,
    /// Two hexadecimal digits a byte.
    Hex,
}

impl Reading {
    /// All names, as profiles spell them.
    pub const NAMES: [&'static str; 5] = ["text", "bcd", "digits", "number", "hex"];

    /// The reading of a name.
    pub fn named(name: &str) -> Option<Reading> {
        let readings =
            [Reading::Text, Reading::Bcd, Reading::Digits, Reading::Number, Reading::Hex];
        Reading::NAMES.iter().position(|known| *known == name).map(|index| readings[index])
    }

    /// Adds the text of the bytes.
    pub fn read(self, bytes: &[u8], encoding: Encoding, out: &mut String) {
        match self {
            Reading::Text => {
                let (text, _) = encoding.decode(bytes);
                out.push_str(text.trim_matches([' ', '\0', '\t', '\r', '\n', '\u{3000}']));
            }
            Reading::Number => {
                let from = out.len();
                Reading::Text.read(bytes, encoding, out);
                let zeros = out[from..].bytes().take_while(|&byte| byte == b'0').count();
                let all = out.len() - from;
                out.replace_range(from..from + zeros.min(all.saturating_sub(1)), "");
            }
            Reading::Digits if is_masked_text(bytes) => Reading::Text.read(bytes, encoding, out),
            Reading::Digits | Reading::Bcd => {
                for nibble in bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]) {
                    match nibble {
                        0..=9 => out.push(char::from(b'0' + nibble)),
                        0xf => {}
                        _ => out.push('*'),
                    }
                }
            }
            Reading::Hex => {
                let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
                out.extend(digits.map(|digit| char::from(b"0123456789ABCDEF"[usize::from(digit)])));
            }
        }
    }
}

/// Whether bytes are a number in ASCII, perhaps masked, perhaps filled with blanks.
pub(super) fn is_masked_text(bytes: &[u8]) -> bool {
    let is_sign =
        |byte: &u8| matches!(byte, 0 | b' ' | b'*' | b'x' | b'X' | b'#' | b'.' | b'_' | b'-');
    bytes.iter().all(|byte| byte.is_ascii_digit() || is_sign(byte))
}

/// What the texts of fields stand for that hold no words of a closed set: the device's, and ours.
#[derive(Debug, Default)]
pub(super) struct Substitutes(pub Vec<(Field, Table)>);

/// Texts of the device, and ours for them.
type Table = Vec<(Box<str>, Box<str>)>;

impl Substitutes {
    /// Ours, for a text of the device.
    pub fn find(&self, field: Field, text: &str) -> Option<&str> {
        let table = &self.0.iter().find(|table| table.0 == field)?.1;
        table.iter().find(|entry| &*entry.0 == text).map(|entry| &*entry.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, bytes: &[u8], expected: &str) {
        let mut out = String::from("x");
        let reading = Reading::named(name).expect("a name");
        reading.read(bytes, Encoding::Gb18030, &mut out);
        assert_eq!(out, format!("x{expected}"), "{name} {bytes:x?}");
    }

    #[test]
    fn each_reading_reads_its_own_bytes() {
        check("text", b" RMB  0.20\0", "RMB  0.20");
        check("text", b"\xd2\xf8\xc1\xaa", "银联");
        check("bcd", b"\x00\x00\x05", "000005");
        check("bcd", b"\x62\x25\x76\xee\x91\xff", "622576**91");
        check("digits", b"261124", "261124");
        check("digits", b"\x26\x11\x24", "261124");
        check("digits", b"622576******6691  ", "622576******6691");
        check("number", b"0000000000012345", "12345");
        check("number", b"0000", "0");
        check("number", b"", "");
        check("hex", b"\x45\xaf", "45AF");
    }
}
