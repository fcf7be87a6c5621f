//! Card data out of a message, in place, before any of it is read: what its fields are is known here, so that a card
//! number goes whatever its check digit says, and a track goes whole. What is not understood goes, too.

use super::bmp::{self, Holds};
use super::tlv;
use crate::decode::scrub::frame::{frame, text};

/// Digits of a card number that may stay at its beginning and its end.
const CLEAR: (usize, usize) = (6, 4);

/// Shortest number that keeps its beginning, too; of a shorter one only the end stays.
const NUMBER_DIGITS_MIN: usize = 12;

/// Longest number that keeps its beginning.
const NUMBER_DIGITS_MAX: usize = 19;

/// What stands for a digit that went; terminals write it so themselves.
const MASKED: u8 = 0xe;

/// What stands for a byte that went.
pub(super) const GONE: u8 = 0xee;

/// Masks what `message` holds from the byte `from` on: fields, and whatever stands behind the last of them.
pub(super) fn mask(message: &mut [u8], from: usize) {
    let mut at = from.min(message.len());
    while let Some(field) = bmp::Fields::new(message, at).next() {
        at = field.to;
        value(message, field.from, field.to, field.bmp.holds, tlv::DEPTH_MAX);
    }
    message[at..].fill(GONE);
}

/// Masks the fields of a container.
fn container(message: &mut [u8], from: usize, to: usize, depth: u8) {
    let mut at = from;
    while let Some(field) = tlv::Fields::new(message, at, to).next() {
        at = field.to;
        value(message, field.from, field.to, tlv::holds(field.tag), depth);
    }
    message[at..to].fill(GONE);
}

fn value(message: &mut [u8], from: usize, to: usize, holds: Holds, depth: u8) {
    match holds {
        Holds::Plain => {}
        Holds::Text => {
            text(&mut message[from..to]);
        }
        Holds::Open => {
            frame(&mut message[from..to]);
        }
        Holds::Pan => number(&mut message[from..to]),
        Holds::Container if depth > 0 => container(message, from, to, depth - 1),
        Holds::Secret | Holds::Container => message[from..to].fill(GONE),
    }
}

/// Masks a card number in BCD: all but its first six and last four digits.
fn number(value: &mut [u8]) {
    let nibble = |value: &[u8], at: usize| match at.is_multiple_of(2) {
        true => value[at / 2] >> 4,
        false => value[at / 2] & 0xf,
    };
    // Padding may be `F` or nothing; a track's `D` and what follows it are not for us.
    let is_digit = |nibble: u8| nibble <= 9 || nibble == MASKED;
    let places = value.len() * 2;
    let first = (0..places).find(|&at| is_digit(nibble(value, at))).unwrap_or(places);
    let digits = (first..places).take_while(|&at| is_digit(nibble(value, at))).count();
    let is_number = (NUMBER_DIGITS_MIN..=NUMBER_DIGITS_MAX).contains(&digits);
    let head = if is_number { CLEAR.0 } else { 0 };
    let tail = if digits > CLEAR.1 { CLEAR.1 } else { 0 };
    for at in 0..places {
        let stays = at < first
            || (first..first + head).contains(&at)
            || (first + digits - tail..first + digits).contains(&at)
            || nibble(value, at) == 0xf;
        if !stays {
            let byte = &mut value[at / 2];
            *byte = match at.is_multiple_of(2) {
                true => (MASKED << 4) | (*byte & 0xf),
                false => (*byte & 0xf0) | MASKED,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unhex(text: &str) -> Vec<u8> {
        let text: String = text.split_whitespace().collect();
        (0..text.len() / 2)
            .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("hex"))
            .collect()
    }

    #[track_caller]
    fn check(message: &str, expected: &str) {
        let mut message = unhex(message);
        mask(&mut message, 0);
        assert_eq!(message, unhex(expected));
    }

    #[test]
    fn a_card_number_keeps_six_and_four_digits_whatever_its_check_digit_says() {
        check("22 F0F8 6225760000006691", "22 F0F8 622576 EEEEEE 6691");
        check("22 F0F8 6225760000006692", "22 F0F8 622576 EEEEEE 6692");
        check("22 F0F8 378282246310005F", "22 F0F8 378282 EEEEE 0005F");
        check("22 F1F0 6759000000000000018F", "22 F1F0 675900 EEEEEEEEE 0018F");
        check("22 F1F0 F6759000000000000018", "22 F1F0 F 675900 EEEEEEEEE 0018");
        check("22 F0F8 EEEEEEEEEEEE4771", "22 F0F8 EEEEEEEEEEEE4771");
        check("22 F0F8 559883EEEEEE8074", "22 F0F8 559883EEEEEE8074");
        check("22 F0F4 12345678", "22 F0F4 EEEE5678");
        check("22 F0F2 1234", "22 F0F2 EEEE");
        check("22 F1F1 4111111111111111111111", "22 F1F1 EEEEEEEEEEEEEEEEEE1111");
        check("22 F0F0", "22 F0F0");
    }

    #[test]
    fn tracks_codes_pins_and_passwords_go_whole() {
        check("27 00 23 F0F4 6225D241 19 60", "27 00 23 F0F4 EEEEEEEE 19 60");
        check("24 F0F0F2 6225 2D F0F2 6225 0E 2412", "24 F0F0F2 EEEE 2D F0F2 EEEE 0E EEEE");
        check("2E F0F0F1 62 3A 0123 3D 123456", "2E F0F0F1 EE 3A EEEE 3D EEEEEE");
        check("D1 F0F2 1234 A7 F0F2 6725", "D1 F0F2 EEEE A7 F0F2 EEEE");
    }

    #[test]
    fn containers_are_masked_at_every_depth() {
        check(
            "06 10 62 0E 60 0C 5A 08 6225760000006691 57 00",
            "06 10 62 0E 60 0C 5A 08 622576EEEEEE6691 57 00",
        );
        check("06 06 57 04 6225D241", "06 06 57 04 EEEEEEEE");
        check("06 0B 1F14 08 6725900000000000", "06 0B 1F14 08 672590EEEEEE0000");
    }

    #[test]
    fn what_is_not_understood_goes() {
        check("27 00 80 6225 7600", "27 00 EEEEEEEEEE");
        check("06 05 60 03 5A 08 62", "06 05 60 03 EEEEEE");
    }

    #[test]
    fn card_numbers_in_other_fields_are_found_by_themselves() {
        let mut message = b"\x3c\xf0\xf1\xf8A 4111111111111111".to_vec();
        mask(&mut message, 0);
        assert_eq!(&message[4..], b"A 411111******1111");
        check("06 0B 1F62 08 4111111111111111", "06 0B 1F62 08 411111EEEEEE1111");
        check("06 0B 1F0E 08 4111111111111111", "06 0B 1F0E 08 4111111111111111");
    }
}
