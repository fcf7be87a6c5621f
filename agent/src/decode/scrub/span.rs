//! Where numbers and words of hexadecimal begin and end in a text.

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

/// How many bytes of blanks, dashes and line ends stand between a digit and the next one of the same number.
pub(super) fn gap(bytes: &[u8]) -> Option<usize> {
    let mut length = 0;
    while length <= GAP_BYTES_MAX {
        length += match &bytes[length..] {
            [b'0'..=b'9', ..] if length > 0 => return Some(length),
            [b' ' | b'-' | b'\t' | b'\n', ..] => 1,
            [0xc2, 0xa0, ..] => 2,
            [0xe3, 0x80, 0x80, ..] => 3,
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
