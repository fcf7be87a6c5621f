//! Card numbers in the bytes of a frame that is no text: runs of ASCII digits, and runs of BCD digits, two a byte. The
//! last net behind each binary dialect, which masks the fields that it knows by itself.

use super::issuer::{CARD_DIGITS_MAX, CARD_DIGITS_MIN, is_card_number};

/// Digits of a card number that may stay at its beginning and its end.
const CLEAR: (usize, usize) = (6, 4);

/// So many ASCII digits in a row are text. A card number in BCD with as many bytes `3x` in a row has not been issued.
const TEXT_DIGITS: usize = 6;

/// What stands for a digit that went, in BCD; ZVT terminals write it so, too.
const MASKED_NIBBLE: u8 = 0xe;

/// Masks every card number in a frame, in place, to its first six and last four digits; tells how many there were. A
/// number counts by issuer range, length and check digit together.
pub(crate) fn frame(bytes: &mut [u8]) -> usize {
    let ascii = mask(bytes.len(), bytes, ascii_digit, |bytes, at| bytes[at] = b'*');
    ascii + mask(bytes.len() * 2, bytes, bcd_digit, hide_nibble)
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
        found += in_run(&digits, |middle| middle.for_each(|digit| bytes[places[digit]] = b'*'));
    }
    found
}

fn ascii_digit(bytes: &[u8], at: usize) -> Option<u8> {
    bytes[at].is_ascii_digit().then(|| bytes[at] - b'0')
}

fn bcd_digit(bytes: &[u8], at: usize) -> Option<u8> {
    let byte = bytes[at / 2];
    if byte.is_ascii_digit() && is_text(bytes, at / 2) {
        return None;
    }
    let digit = if at.is_multiple_of(2) { byte >> 4 } else { byte & 0xf };
    (digit <= 9).then_some(digit)
}

/// Whether the byte stands among ASCII digits: their half-bytes `3x3x3x` are no BCD number.
fn is_text(bytes: &[u8], at: usize) -> bool {
    let ahead = bytes[at..].iter().take(TEXT_DIGITS).take_while(|byte| byte.is_ascii_digit());
    let back = bytes[..at].iter().rev().take(TEXT_DIGITS).take_while(|byte| byte.is_ascii_digit());
    ahead.count() + back.count() >= TEXT_DIGITS
}

fn hide_nibble(bytes: &mut [u8], at: usize) {
    let byte = &mut bytes[at / 2];
    *byte = match at.is_multiple_of(2) {
        true => (MASKED_NIBBLE << 4) | (*byte & 0xf),
        false => (*byte & 0xf0) | MASKED_NIBBLE,
    };
}

/// Looks through all runs of digits, `places` of them in all, and hides the middle of each card number.
fn mask(
    places: usize,
    bytes: &mut [u8],
    digit: fn(&[u8], usize) -> Option<u8>,
    hide: fn(&mut [u8], usize),
) -> usize {
    let mut found = 0;
    let mut run: Vec<u8> = Vec::new();
    let mut from = 0;
    while from < places {
        run.clear();
        run.extend((from..places).map_while(|at| digit(bytes, at)));
        found += in_run(&run, |middle| middle.for_each(|at| hide(bytes, from + at)));
        from += run.len() + 1;
    }
    found
}

/// Finds the card numbers in a run of digits, the longest at each place, and hands over where the middle of each lies.
fn in_run(run: &[u8], mut hide: impl FnMut(std::ops::Range<usize>)) -> usize {
    let (mut found, mut at) = (0, 0);
    while run.len() - at >= CARD_DIGITS_MIN {
        let longest = CARD_DIGITS_MAX.min(run.len() - at);
        let number =
            (CARD_DIGITS_MIN..=longest).rev().find(|&length| is_card_number(&run[at..at + length]));
        match number {
            Some(length) => {
                hide(at + CLEAR.0..at + length - CLEAR.1);
                found += 1;
                at += length;
            }
            None => at += 1,
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
    fn other_numbers_stay() {
        let mut bytes =
            [b"20261124093001120 ".to_vec(), vec![0x00, 0x00, 0x01, 0x23, 0x45]].concat();
        let before = bytes.clone();
        assert_eq!(frame(&mut bytes), 0);
        assert_eq!(bytes, before);
        assert_eq!(frame(&mut []), 0);
    }
}
