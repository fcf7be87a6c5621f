//! Card numbers in the bytes of a frame that is no text: runs of ASCII digits, and runs of BCD digits, two a byte. The
//! last net behind each binary dialect, which masks the fields that it knows by itself.

use super::issuer::{CARD_DIGITS_MAX, CARD_DIGITS_MIN, is_card_number};
use std::ops::Range;

/// Digits of a card number that may stay at its beginning and its end.
const CLEAR: (usize, usize) = (6, 4);

/// So many ASCII digits in a row are text. A card number in BCD with as many bytes `3x` in a row has not been issued.
const TEXT_DIGITS: usize = 6;

/// What stands for a digit that went, in BCD; ZVT terminals write it so, too.
const MASKED_NIBBLE: u8 = 0xe;

/// Masks every card number in a frame, in place, to its first six and last four digits; tells how many there were. A
/// number counts by issuer range, length and check digit together.
pub(crate) fn frame(bytes: &mut [u8]) -> usize {
    let ascii = mask(bytes.len(), bytes, ascii_digit, |_, _| false, |bytes, at| bytes[at] = b'*');
    ascii + mask(bytes.len() * 2, bytes, bcd_digit, is_of_text, hide_nibble)
}

/// The same for a field of a frame that is known to be text: runs of ASCII digits alone, parted by single blanks or
/// dashes as people write them.
pub(crate) fn text(bytes: &mut [u8]) -> usize {
    let (mut found, mut from) = (0, 0);
    let (mut digits, mut places) = (Vec::new(), Vec::new());
    while let Some(first) = bytes[from..].iter().position(u8::is_ascii_digit) {
        digits.clear();
        places.clear();
        let mut at = from + first;
        while let Some(&byte) = bytes.get(at) {
            let is_joint =
                matches!(byte, b' ' | b'-') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
            if byte.is_ascii_digit() {
                digits.push(byte - b'0');
                places.push(at);
            } else if !is_joint {
                break;
            }
            at += 1;
        }
        from = at;
        found += in_run(&digits, |middle| {
            middle.for_each(|digit| bytes[places[digit]] = b'*');
            true
        });
    }
    found
}

fn ascii_digit(bytes: &[u8], at: usize) -> Option<u8> {
    bytes[at].is_ascii_digit().then(|| bytes[at] - b'0')
}

fn bcd_digit(bytes: &[u8], at: usize) -> Option<u8> {
    let byte = bytes[at / 2];
    let digit = if at.is_multiple_of(2) { byte >> 4 } else { byte & 0xf };
    (digit <= 9).then_some(digit)
}

/// Whether the half-bytes of a number are those of a text: `3x3x3x`. A number may begin or end beside digits of a text
/// with a byte such as `37`, when not all of it could be text.
fn is_of_text(bytes: &[u8], number: Range<usize>) -> bool {
    let among_digits = |at: usize| {
        let ahead = bytes[at..].iter().take(TEXT_DIGITS).take_while(|byte| byte.is_ascii_digit());
        let back = bytes[..at].iter().rev().take(TEXT_DIGITS);
        let back = back.take_while(|byte| byte.is_ascii_digit());
        bytes[at].is_ascii_digit() && ahead.count() + back.count() >= TEXT_DIGITS
    };
    let inner = number.start / 2 + 1..(number.end - 1) / 2;
    let readable = |at: usize| matches!(bytes[at], b' '..=b'~');
    let beside = || among_digits(inner.start - 1) || among_digits(inner.end);
    inner.clone().any(among_digits) || inner.clone().all(readable) && beside()
}

fn hide_nibble(bytes: &mut [u8], at: usize) {
    let byte = &mut bytes[at / 2];
    *byte = match at.is_multiple_of(2) {
        true => (MASKED_NIBBLE << 4) | (*byte & 0xf),
        false => (*byte & 0xf0) | MASKED_NIBBLE,
    };
}

/// Looks through all runs of digits, `places` of them in all, and hides the middle of each card number, unless it is
/// something else.
fn mask(
    places: usize,
    bytes: &mut [u8],
    digit: fn(&[u8], usize) -> Option<u8>,
    is_other: fn(&[u8], Range<usize>) -> bool,
    hide: fn(&mut [u8], usize),
) -> usize {
    let mut found = 0;
    let mut run: Vec<u8> = Vec::new();
    let mut from = 0;
    while from < places {
        run.clear();
        run.extend((from..places).map_while(|at| digit(bytes, at)));
        found += in_run(&run, |middle| {
            let middle = from + middle.start..from + middle.end;
            let is_number = !is_other(bytes, middle.start - CLEAR.0..middle.end + CLEAR.1);
            if is_number {
                middle.for_each(|at| hide(bytes, at));
            }
            is_number
        });
        from += run.len() + 1;
    }
    found
}

/// Finds the card numbers in a run of digits and hands over where the middle of each lies; `hide` says whether it is one.
/// Of those that overlap any may be the true one: each is handed over, and all together count as one.
fn in_run(run: &[u8], mut hide: impl FnMut(Range<usize>) -> bool) -> usize {
    let (mut found, mut reach) = (0, 0);
    for from in 0..run.len().saturating_sub(CARD_DIGITS_MIN - 1) {
        let longest = CARD_DIGITS_MAX.min(run.len() - from);
        for to in from + CARD_DIGITS_MIN..=from + longest {
            if is_card_number(&run[from..to]) && hide(from + CLEAR.0..to - CLEAR.1) {
                found += usize::from(from >= reach);
                reach = reach.max(to);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::scrub::tests::card_number;

    fn packed(digits: &str) -> Vec<u8> {
        let nibble = |byte: u8| if byte == b'F' { 0xf } else { byte - b'0' };
        digits.as_bytes().chunks(2).map(|pair| (nibble(pair[0]) << 4) | nibble(pair[1])).collect()
    }

    #[test]
    fn ascii_and_bcd_numbers_lose_their_middle() {
        let number = card_number("622576", 16, 3);
        let mut ascii = format!("\x02A{number}|0100\x03").into_bytes();
        assert_eq!(frame(&mut ascii), 1);
        assert_eq!(&ascii[..18], format!("\x02A622576******{}", &number[12..]).as_bytes());
        let mut bcd = [vec![0x5a, 0x08], packed(&number), vec![0xff]].concat();
        assert_eq!(frame(&mut bcd), 1);
        let last = packed(&number[12..]);
        assert_eq!(
            bcd,
            [&[0x5a, 0x08, 0x62, 0x25, 0x76, 0xee, 0xee, 0xee][..], &last, &[0xff]].concat()
        );
    }

    #[test]
    fn a_number_across_half_bytes_is_found() {
        let number = card_number("37", 15, 5);
        let mut bcd = packed(&format!("F{number}"));
        assert_eq!(frame(&mut bcd), 1);
        assert_eq!(bcd[4..6], [0xee, 0xee]);
    }

    #[test]
    fn a_number_in_a_text_is_found_as_people_write_it() {
        let mut bytes = *b"A 4111 1111-1111 1111. 20261124 4111111111111112";
        assert_eq!(text(&mut bytes), 1);
        assert_eq!(&bytes, b"A 4111 11**-**** 1111. 20261124 4111111111111112");
        let mut bytes = *b"Debit Mastercard 00 076 06";
        assert_eq!(text(&mut bytes), 0);
        assert_eq!(text(&mut []), 0);
    }

    #[test]
    fn of_numbers_that_overlap_each_loses_its_middle() {
        // The digits in front of a number and its own first are, one time in ten, a number that begins before it.
        let true_one = |seed| card_number("4", 16, seed);
        let overlaps = |number: &String| {
            let digits: Vec<u8> = format!("412{number}").bytes().map(|byte| byte - b'0').collect();
            is_card_number(&digits[..16])
        };
        let number = (0..).map(true_one).find(overlaps).expect("one in ten");
        let mut ascii = format!("\x02412{number}\x03").into_bytes();
        assert_eq!(frame(&mut ascii), 1);
        assert_eq!(ascii[10..16], *b"******");
        let mut written = format!("412 {number}").into_bytes();
        assert_eq!(text(&mut written), 1);
        assert_eq!(written[10..16], *b"******");
        let mut bcd = packed(&format!("0412{number}"));
        assert_eq!(frame(&mut bcd), 1);
        assert_eq!(bcd[5..8], [0xee, 0xee, 0xee]);
    }

    #[test]
    fn a_number_in_half_bytes_beside_digits_of_text_is_found() {
        let number = card_number("37", 15, 5);
        let mut bcd = [b"00001250".to_vec(), packed(&format!("{number}F"))].concat();
        assert_eq!(frame(&mut bcd), 1);
        assert_eq!(bcd[..8], *b"00001250");
        assert_eq!(bcd[11..13], [0xee, 0xee]);
    }

    #[test]
    fn other_numbers_stay() {
        let mut bytes =
            [b"20261124093001120 ".to_vec(), vec![0x00, 0x00, 0x01, 0x23, 0x45]].concat();
        let before = bytes.clone();
        assert_eq!(frame(&mut bytes), 0);
        assert_eq!(bytes, before);
        assert_eq!(frame(&mut []), 0);
    }
}
