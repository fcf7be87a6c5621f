//! Where numbers and words of hexadecimal begin and end in a text.

use super::issuer::{CARD_DIGITS_MAX, CARD_DIGITS_MIN};
use super::window::CLEAR_FIRST;

/// Most blanks and dashes between two digits of one number.
const GAP_BYTES_MAX: usize = 6;

/// Where a number ends that is too short to matter and plainly stands alone; nearly all numbers of a log do.
#[inline]
pub(super) fn short_number(bytes: &[u8], from: usize) -> Option<usize> {
    let length =
        bytes[from..].iter().take(CLEAR_FIRST + 1).take_while(|byte| byte.is_ascii_digit()).count();
    let touches_letter =
        from.checked_sub(1).is_some_and(|before| bytes[before].is_ascii_hexdigit());
    if length > CLEAR_FIRST || touches_letter {
        return None;
    }
    let end = from + length;
    let stands_alone = match bytes.get(end)? {
        b':' | b'.' | b',' | b'=' | b'/' | b'"' | b'\'' | b';' | b')' | b']' | b'|' => length != 2,
        b' ' => length != 2 && bytes.get(end + 1)?.is_ascii_alphabetic(),
        _ => false,
    };
    stands_alone.then_some(end)
}

/// The word of hexadecimal digits around the digit at `at`, not further back than `floor`.
pub(super) fn hex_word(bytes: &[u8], at: usize, floor: usize) -> (usize, usize) {
    let back = bytes[floor..at].iter().rev().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let ahead = bytes[at..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    (at - back, at + ahead)
}

/// The groups in which card numbers of fourteen and fifteen digits are written; all others are in fours.
const GROUPS: [[usize; 3]; 2] = [[4, 6, 5], [4, 6, 4]];

/// Digits in the first group of all of them.
const FIRST_GROUP: usize = 4;

/// What may part them beside blanks and dashes, in addresses among it.
const PARTS: [&[u8]; 8] = [b".", b"/", b"_", b"+", b",", b":", b"|", b"%20"];

/// Whether a sign may begin what parts such groups.
#[inline]
pub(super) fn parts(sign: u8) -> bool {
    matches!(sign, b'.' | b'/' | b'_' | b'+' | b',' | b':' | b'|' | b'%')
}

/// Where each group of a number stands that is written in such groups.
pub(super) fn parted_number(bytes: &[u8], from: usize) -> Option<Vec<(usize, usize)>> {
    let part = *PARTS.iter().find(|part| bytes[from + FIRST_GROUP..].starts_with(part))?;
    // No second group is shorter.
    let second = bytes.get(from + FIRST_GROUP + part.len()..)?.first_chunk::<FIRST_GROUP>()?;
    if !second.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut groups = Vec::new();
    let mut at = from;
    loop {
        let digits =
            bytes[at..].iter().take(CARD_DIGITS_MAX).take_while(|byte| byte.is_ascii_digit());
        let end = at + digits.count();
        groups.push((at, end));
        let goes_on = bytes[end..].starts_with(part)
            && bytes.get(end + part.len()).is_some_and(u8::is_ascii_digit);
        if !goes_on {
            break;
        }
        at = end + part.len();
    }
    let lengths = || groups.iter().map(|(from, to)| to - from);
    let in_fours = lengths().rev().skip(1).all(|length| length == FIRST_GROUP)
        && lengths().all(|length| length <= FIRST_GROUP);
    let is_known = GROUPS.iter().any(|known| lengths().eq(known.iter().copied()));
    let is_long = (CARD_DIGITS_MIN..=CARD_DIGITS_MAX).contains(&lengths().sum());
    ((in_fours || is_known) && is_long).then_some(groups)
}

/// Whether a sign may stand between two digits of a number: a blank or a dash of any width.
pub(super) fn is_gap(sign: char) -> bool {
    matches!(
        sign,
        ' ' | '-' | '\t' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{2010}'..='\u{2015}' | '\u{202f}' | '\u{205f}'
            | '\u{2212}' | '\u{3000}' | '\u{ff0d}'
    )
}

/// How many bytes of blanks, dashes and line ends stand between a digit and the next one of the same number.
pub(super) fn gap(bytes: &[u8]) -> Option<usize> {
    let mut length = 0;
    while length <= GAP_BYTES_MAX {
        length += match &bytes[length..] {
            [b'0'..=b'9', ..] if length > 0 => return Some(length),
            [b' ' | b'-' | b'\t' | b'\n', ..] => 1,
            [0xc2, 0xa0, ..] => 2,
            // Blanks of other widths, `‐` to `―`, the minus sign, and the wide blank and dash.
            [0xe2, 0x80, 0x80..=0x8a | 0x90..=0x95 | 0xaf, ..]
            | [0xe2, 0x81, 0x9f, ..]
            | [0xe2, 0x88, 0x92, ..]
            | [0xe3, 0x80, 0x80, ..]
            | [0xef, 0xbc, 0x8d, ..] => 3,
            _ => return None,
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_gap(text: &str, expected: Option<usize>) {
        assert_eq!(gap(text.as_bytes()), expected, "{text:?}");
    }

    #[test]
    fn blanks_dashes_and_line_ends_part_the_digits_of_one_number() {
        check_gap(" 1", Some(1));
        check_gap(" - 1", Some(3));
        check_gap("\n\u{3000}1", Some(4));
        check_gap("\u{a0}1", Some(2));
        check_gap("1", None);
        check_gap("", None);
        check_gap(":1", None);
        check_gap("         1", None);
    }

    #[test]
    fn a_short_number_that_stands_alone_is_passed_over() {
        let end = |text: &str| short_number(text.as_bytes(), 0);
        assert_eq!(end("123456:"), Some(6));
        assert_eq!(end("123 abc"), Some(3));
        assert_eq!(end("1234 5678"), None);
        assert_eq!(end("1234567:"), None);
        assert_eq!(end("62 A5"), None);
        assert_eq!(end("1234 ****"), None);
        assert_eq!(end("123456"), None);
        assert_eq!(short_number(b"A123456:", 1), None);
    }

    #[test]
    fn a_word_of_hexadecimal_reaches_both_ways() {
        assert_eq!(hex_word(b"xAB12CDx", 3, 0), (1, 7));
        assert_eq!(hex_word(b"xAB12CDx", 3, 2), (2, 7));
    }
}
