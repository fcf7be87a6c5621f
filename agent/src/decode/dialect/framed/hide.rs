//! Card numbers and secrets in a body, hidden in place where the profile says that they stand: whatever their digits
//! are, in ASCII or two digits a byte. The nets that search for card numbers come behind it.

use super::value::is_masked_text;
use std::ops::Range;

/// Digits of a card number that may stay at its beginning and its end.
const CLEAR: (usize, usize) = (6, 4);

/// Fewer digits than this are no whole number; of such only the last ones stay.
const WHOLE_MIN: usize = 12;

/// What stands for a half-byte that went.
const MASKED_NIBBLE: u8 = 0xe;

/// Hides every number in a text that is long enough to be a card's: of fields that hold one, or words instead.
pub(super) fn card_text(bytes: &mut [u8]) {
    if is_masked_text(bytes) {
        return card(bytes);
    }
    for run in bytes.chunk_by_mut(|one, other| one.is_ascii_digit() && other.is_ascii_digit()) {
        if run.len() >= WHOLE_MIN {
            card(run);
        }
    }
}

/// Hides all of a card number but its first six and last four digits, whether it is in ASCII or in half-bytes.
pub(super) fn card(bytes: &mut [u8]) {
    if is_masked_text(bytes) {
        // Zeros and blanks fill the field; no card number begins with a zero.
        let is_fill = |byte: &&u8| matches!(**byte, 0 | b' ' | b'0');
        let head = bytes.iter().take_while(is_fill).count();
        let tail = bytes[head..].iter().rev().take_while(|byte| matches!(byte, 0 | b' ')).count();
        let number = head..bytes.len() - tail;
        // So few digits, all in clear, could also be twice as many in half-bytes.
        let clear = number.len() > CLEAR.1
            && number.len() < WHOLE_MIN
            && bytes[number.clone()].iter().all(u8::is_ascii_digit);
        let last = if clear { CLEAR.1 / 2 } else { CLEAR.1 };
        hidden(number, last).for_each(|at| bytes[at] = b'*');
        return;
    }
    let half = |bytes: &[u8], at: usize| match at % 2 {
        0 => bytes[at / 2] >> 4,
        _ => bytes[at / 2] & 0xf,
    };
    let halves = 2 * bytes.len();
    let head = (0..halves).take_while(|&at| half(bytes, at) == 0).count();
    let tail = (head..halves).rev().take_while(|&at| half(bytes, at) == 0xf).count();
    for at in hidden(head..halves - tail, CLEAR.1) {
        let byte = &mut bytes[at / 2];
        *byte = match at % 2 {
            0 => (MASKED_NIBBLE << 4) | (*byte & 0xf),
            _ => (*byte & 0xf0) | MASKED_NIBBLE,
        };
    }
}

/// What is to be hidden of a number, whose last digits may stay.
fn hidden(number: Range<usize>, last: usize) -> Range<usize> {
    let first = if number.len() >= WHOLE_MIN { CLEAR.0 } else { 0 };
    let from = number.start + first;
    from..number.end.saturating_sub(last).max(from)
}

/// Hides a secret: nothing of it stays but how long it is.
pub(super) fn secret(bytes: &mut [u8]) {
    let is_text = bytes.iter().all(|byte| matches!(byte, b' '..=b'~'));
    bytes.fill(if is_text { b'*' } else { (MASKED_NIBBLE << 4) | MASKED_NIBBLE });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: &[u8]) {
        let mut hidden = bytes.to_vec();
        card(&mut hidden);
        assert_eq!(hidden, expected, "{bytes:x?}");
    }

    #[test]
    fn six_and_four_digits_stay() {
        check(b"4111111111111111", b"411111******1111");
        check(b"0004111111111111111", b"000411111******1111");
        check(b"4111111111111111   ", b"411111******1111   ");
        check(b"622576******6691", b"622576******6691");
        check(b"62257600******6691", b"622576********6691");
        check(b"4111111111", b"********11");
        check(b"******1111", b"******1111");
        check(b"6590", b"6590");
        check(b"", b"");
        check(
            &[0x41, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11],
            &[0x41, 0x11, 0x11, 0xee, 0xee, 0xee, 0x11, 0x11],
        );
        check(
            &[0x03, 0x74, 0x24, 0x51, 0x00, 0x00, 0x00, 0x0f],
            &[0x03, 0x74, 0x24, 0x5e, 0xee, 0xe0, 0x00, 0x0f],
        );
    }

    #[test]
    fn words_in_the_place_of_a_number_stay() {
        let mut words = *b"CARTA RIFIUTATA 0004111111111111111A";
        card_text(&mut words);
        assert_eq!(&words, b"CARTA RIFIUTATA 000411111******1111A");
    }

    #[test]
    fn nothing_of_a_secret_stays() {
        let mut text = *b"2812";
        secret(&mut text);
        assert_eq!(&text, b"****");
        let mut packed = [0x28, 0x12, 0xff];
        secret(&mut packed);
        assert_eq!(packed, [0xee; 3]);
    }
}
