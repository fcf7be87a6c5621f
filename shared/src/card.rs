//! What may be known of a card. No type here can hold more than the first six and last four digits.

use crate::field::{FieldError, ascii_field};
use std::fmt;

/// A card number cut to its first six and last four digits (PCI DSS truncation). Nothing else of it exists
/// outside the agent's read buffer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MaskedPan {
    /// Issuer identification, 0-999,999; absent when the device shows only the last four.
    first_six: Option<u32>,
    /// 0-9,999.
    last_four: u16,
}

impl MaskedPan {
    /// From the parts that are left of a card number; each given as its digits.
    pub fn from_parts(first_six: Option<&str>, last_four: &str) -> Result<MaskedPan, FieldError> {
        let number = |text: &str, count: usize| {
            let sound = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
            sound.then(|| text.parse::<u32>().expect("at most six digits fit"))
        };
        let wrong = |text: &str| FieldError::secret("first six and last four digits", text);
        let first_six = match first_six {
            None => None,
            Some(text) => Some(number(text, 6).ok_or_else(|| wrong(text))?),
        };
        let last_four = number(last_four, 4).ok_or_else(|| wrong(last_four))? as u16;
        Ok(MaskedPan { first_six, last_four })
    }

    /// From the parts as numbers; refuses what has more than six or four digits.
    pub fn from_numbers(first_six: Option<u32>, last_four: u16) -> Result<MaskedPan, FieldError> {
        let sound = first_six.is_none_or(|first_six| first_six <= 999_999) && last_four <= 9_999;
        match sound {
            true => Ok(MaskedPan { first_six, last_four }),
            false => Err(FieldError::secret("first six and last four digits", "")),
        }
    }

    /// Reads a number that is already masked: six digits, mask signs, four digits (`622576******6691`);
    /// or mask signs and four digits. Refuses a text with a seventh digit in clear.
    pub fn from_masked(text: &str) -> Result<MaskedPan, FieldError> {
        let wrong = || FieldError::secret("a masked card number", text);
        let head = text.bytes().take_while(u8::is_ascii_digit).count();
        let tail = text.bytes().rev().take_while(u8::is_ascii_digit).count();
        let masked =
            text.len().checked_sub(head + tail).filter(|&masked| masked > 0).ok_or_else(wrong)?;
        let signs = &text[head..head + masked];
        let is_mask = signs
            .bytes()
            .all(|byte| matches!(byte, b'*' | b'x' | b'X' | b'.' | b'_' | b'#' | b' ' | b'-'));
        match (head, tail) {
            (6, 4) if is_mask => MaskedPan::from_parts(Some(&text[..6]), &text[text.len() - 4..]),
            (0, 4) if is_mask => MaskedPan::from_parts(None, &text[text.len() - 4..]),
            _ => Err(wrong()),
        }
    }

    /// The issuer identification number, six digits, where known.
    pub fn first_six(&self) -> Option<u32> {
        self.first_six
    }

    /// The last four digits.
    pub fn last_four(&self) -> u16 {
        self.last_four
    }
}

impl fmt::Display for MaskedPan {
    /// `622576******6691`, or `******6691`. For people, show [`MaskedPan::last_four`] alone.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(first_six) = self.first_six {
            write!(out, "{first_six:06}")?;
        }
        write!(out, "******{:04}", self.last_four)
    }
}

impl fmt::Debug for MaskedPan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// How the card was read (ISO 8583 field 22; the letter behind a Chinese slip's card number).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryMode {
    /// Magnetic stripe (`S`).
    Swiped,
    /// Chip, contact (`I`).
    Inserted,
    /// Chip or stripe data, contactless (`C`).
    Contactless,
    /// Typed by the cashier (`M`, `N`).
    Manual,
}

ascii_field! {
    /// The scheme as the device names it (`VISA`, `CUP`).
    CardBrand, 16, "a card brand of 1 to 16 characters"
}

/// Optional keyed token of a card number: the first 16 bytes of HMAC-SHA-256 under a site's key. Off by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CardToken(pub [u8; 16]);

/// All that is kept of the card a payment was made with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Card {
    /// First six and last four digits.
    pub pan: Option<MaskedPan>,
    /// Scheme.
    pub brand: Option<CardBrand>,
    /// How it was read.
    pub entry_mode: Option<EntryMode>,
    /// Application transaction counter, EMV tag 9F36. The same counter twice is a retransmission, another
    /// one a second dip or tap.
    pub chip_counter: Option<u16>,
    /// Keyed token, when the site has turned it on.
    pub token: Option<CardToken>,
}

/// Whether the last of these digits (0-9 each) is the check digit of those before it, as every card number's is
/// (ISO/IEC 7812-1, annex B, by H. P. Luhn). One run of digits in ten has it by chance: what else makes a card number is
/// for whoever asks to judge.
pub fn has_check_digit(digits: &[u8]) -> bool {
    let doubled = |digit: u8| u32::from(if digit > 4 { 2 * digit - 9 } else { 2 * digit });
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, &digit)| if place % 2 == 1 { doubled(digit) } else { u32::from(digit) })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_ten_last_digits_one_is_the_check_digit_and_no_wrong_digit_passes() {
        // The standard's own example, and an even and an odd length.
        for text in ["79927398713", "4111111111111111", "378282246310005"] {
            let digits: Vec<u8> = text.bytes().map(|byte| byte - b'0').collect();
            assert!(has_check_digit(&digits), "{text}");
            for place in 0..digits.len() {
                for other in (0..10).filter(|&other| other != digits[place]) {
                    let mut wrong = digits.clone();
                    wrong[place] = other;
                    assert!(!has_check_digit(&wrong), "{text} with {other} at {place}");
                }
            }
        }
    }

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(
            MaskedPan::from_masked(text).ok().map(|pan| pan.to_string()),
            expected.map(str::to_owned)
        );
    }

    #[test]
    fn only_six_and_four_are_ever_read() {
        check("622576******6691", Some("622576******6691"));
        check("519360______2645", Some("519360******2645"));
        check("****6691", Some("******6691"));
        check("62257600000006691", None);
        check("6225760*****6691", None);
        check("622576***6", None);
    }

    #[test]
    fn an_error_shows_no_digit() {
        let error = MaskedPan::from_masked("6225760000006691").expect_err("not masked");
        assert!(!error.to_string().contains("6225"), "{error}");
    }
}
