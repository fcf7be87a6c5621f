//! Card data in hexadecimal: BCD, digits as ASCII codes, EMV tags. Works on nibbles, so that blanks and dashes between
//! bytes do not matter.

use super::edit::{Edit, Put};
use super::issuer::{CARD_DIGITS_MAX, CARD_DIGITS_MIN, can_begin_card};
use super::window::Windows;

/// A hexadecimal digit and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nibble {
    pub value: u8,
    pub at: usize,
}

impl Nibble {
    /// The edit that hides it.
    pub fn star(&self) -> Edit {
        Edit { from: self.at, to: self.at + 1, put: Put::Stars }
    }
}

/// The value of a hexadecimal digit.
pub(super) fn nibble(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|value| value as u8)
}

/// Adds the edits that a run of nibbles needs.
pub(super) fn find(nibbles: &[Nibble], windows: &mut Windows, edits: &mut Vec<Edit>) {
    tags(nibbles, edits);
    // A word may begin with half a byte that is a letter of what stands before: `read3431…`.
    let codes: Vec<(usize, usize)> = (0..2)
        .flat_map(|odd| {
            let rows = code_rows(&nibbles[odd.min(nibbles.len())..], ascii);
            rows.into_iter().map(move |row| (row.0 + odd, row.1 + odd))
        })
        .collect();
    let decimals = code_rows(nibbles, decimal);
    let mut end = 0;
    for run in nibbles.chunk_by(|left, right| left.value <= 9 && right.value <= 9) {
        let begin = end;
        end += run.len();
        if run.len() >= CARD_DIGITS_MIN && run[0].value <= 9 {
            let digits: Vec<u8> = run.iter().map(|nibble| nibble.value).collect();
            let places: Vec<(usize, usize)> =
                run.iter().map(|nibble| (nibble.at, nibble.at + 1)).collect();
            windows.anywhere(&digits);
            windows.leave_out(begin, &codes);
            windows.leave_out(begin, &decimals);
            windows.mask(&digits, &places, edits);
        }
    }
    tracks(nibbles, edits);
    let bytes: Vec<[Nibble; 2]> = nibbles.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect();
    in_codes(nibbles, &codes, ascii, windows, edits);
    in_codes(nibbles, &decimals, decimal, windows, edits);
    ascii_tracks(&bytes, edits);
}

/// How a byte's two nibbles stand for a digit; absent where they do not.
type Code = fn(&[Nibble]) -> Option<u8>;

/// The digit whose ASCII code a byte is: `34`.
pub(super) fn ascii(byte: &[Nibble]) -> Option<u8> {
    (byte[0].value == 3 && byte[1].value <= 9).then(|| byte[1].value)
}

/// The digit whose ASCII code a byte's two digits are as a decimal: `52`, as Java writes a row of bytes.
fn decimal(byte: &[Nibble]) -> Option<u8> {
    let code = 10 * byte[0].value + byte[1].value;
    (byte[1].value <= 9 && code.is_ascii_digit()).then(|| code - b'0')
}

/// Where digits as codes (`34 31 31 …`) stand side by side, enough of them for a card number, as ranges of the nibbles.
/// Inside them no number is looked for as BCD: every other digit of it would be the same.
pub(super) fn code_rows(nibbles: &[Nibble], code: Code) -> Vec<(usize, usize)> {
    let (mut rows, mut at) = (Vec::new(), 0);
    while at + 2 <= nibbles.len() {
        let codes = nibbles[at..].chunks_exact(2).map_while(code).count();
        if codes >= CARD_DIGITS_MIN {
            rows.push((at, at + 2 * codes));
        }
        at += 2 * codes.max(1);
    }
    rows
}

/// Adds the edits that digits as codes need; `rows` is what [`code_rows`] gave.
pub(super) fn in_codes(
    nibbles: &[Nibble],
    rows: &[(usize, usize)],
    code: Code,
    windows: &mut Windows,
    edits: &mut Vec<Edit>,
) {
    for &(from, to) in rows {
        let codes = nibbles[from..to].chunks_exact(2);
        let digits: Vec<u8> = codes.clone().filter_map(code).collect();
        let places: Vec<(usize, usize)> = codes.map(|code| (code[0].at, code[1].at + 1)).collect();
        windows.anywhere(&digits);
        windows.mask(&digits, &places, edits);
    }
}

/// How many digits stand at the end of the nibbles, as BCD or as ASCII codes, and how many nibbles they take.
pub(super) fn digits_at_end(nibbles: &[Nibble]) -> usize {
    nibbles.iter().rev().take_while(|nibble| nibble.value <= 9).count()
}

/// How many digits stand at the start of the nibbles.
pub(super) fn digits_at_start(nibbles: &[Nibble]) -> usize {
    nibbles.iter().take_while(|nibble| nibble.value <= 9).count()
}

fn removed(from: Nibble, to: Nibble) -> Edit {
    Edit { from: from.at, to: to.at + 1, put: Put::Words("[removed]") }
}

/// EMV tags that hold card data: 5A, 56, 57, 9F20, 9F6B; 99 holds a PIN block.
fn tags(nibbles: &[Nibble], edits: &mut Vec<Edit>) {
    let byte = |at: usize| Some(nibbles.get(at)?.value << 4 | nibbles.get(at + 1)?.value);
    let mut at = 0;
    while let Some(tag) = byte(at) {
        let head = if tag == 0x9f { 4 } else { 2 };
        let second = byte(at + 2).unwrap_or(0);
        let Some(length) = byte(at + head).map(usize::from) else { return };
        let from = at + head + 2;
        let value = &nibbles[from.min(nibbles.len())..(from + 2 * length).min(nibbles.len())];
        let digits = digits_at_start(value);
        let is_secret = match tag {
            0x9f => matches!(second, 0x6b | 0x20) && (1..=0x4c).contains(&length),
            0x57 => {
                (8..=19).contains(&length) && digits >= CARD_DIGITS_MIN && ends_track(value, digits)
            }
            0x56 => {
                length <= 0x4c && value.len() >= 8 && value[0].value == 4 && value[1].value == 2
            }
            0x99 => length == 8 && value.len() == 16,
            _ => false,
        };
        let is_card = tag == 0x5a
            && (6..=10).contains(&length)
            && (CARD_DIGITS_MIN..=CARD_DIGITS_MAX).contains(&digits)
            && value[digits..].iter().all(|nibble| nibble.value == 0xf)
            && can_begin_card(&[value[0].value, value[1].value]);
        match (value.first(), value.last()) {
            (Some(first), Some(last)) if is_secret => edits.push(removed(*first, *last)),
            (Some(first), Some(_)) if is_card => {
                let digit = |index: usize| value[index].value;
                let six = std::array::from_fn(digit);
                let four = std::array::from_fn(|index| digit(digits - 4 + index));
                let to = value[digits - 1].at + 1;
                let hidden = (value[6].at, value[digits - 5].at + 1);
                edits.push(Edit { from: first.at, to, put: Put::Card { six, four, hidden } });
            }
            _ => {}
        }
        at += 2;
    }
}

fn ends_track(value: &[Nibble], digits: usize) -> bool {
    value.get(digits).is_none_or(|nibble| matches!(nibble.value, 0xd | 0xf))
}

/// Track 2 in BCD: the number, `D`, expiry and the rest.
fn tracks(nibbles: &[Nibble], edits: &mut Vec<Edit>) {
    for (at, _) in nibbles.iter().enumerate().filter(|(_, nibble)| nibble.value == 0xd) {
        let before = digits_at_end(&nibbles[..at]);
        let after = digits_at_start(&nibbles[at + 1..]);
        if before >= CARD_DIGITS_MIN && after >= 4 {
            let from = nibbles[at - before.min(CARD_DIGITS_MAX)];
            let padding = nibbles[at + after + 1..].iter().take_while(|nibble| nibble.value == 0xf);
            edits.push(removed(from, nibbles[at + after + padding.count()]));
        }
    }
}

/// Track 2 as ASCII codes: `36 32 … 3D 32 35 31 32 …`.
fn ascii_tracks(bytes: &[[Nibble; 2]], edits: &mut Vec<Edit>) {
    let code = |byte: &[Nibble; 2]| byte[0].value << 4 | byte[1].value;
    let is_digit = |byte: &&[Nibble; 2]| code(byte).is_ascii_digit();
    for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| matches!(code(byte), b'=' | b'D')) {
        let before = bytes[..at].iter().rev().take_while(is_digit).count();
        let after = bytes[at + 1..].iter().take_while(is_digit).count();
        if before >= CARD_DIGITS_MIN && after >= 4 {
            let from = bytes[at - before.min(CARD_DIGITS_MAX)][0];
            edits.push(removed(from, bytes[at + after][1]));
        }
    }
}
