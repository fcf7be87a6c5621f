//! Which digits can be a card number: issuer range, length and check digit together.

use slipwatch_shared::card::has_check_digit;

/// Longest card number (ISO/IEC 7812).
pub(super) const CARD_DIGITS_MAX: usize = 19;

/// Shortest card number in use (Maestro).
pub(super) const CARD_DIGITS_MIN: usize = 12;

/// Whether these digits (0-9 each) are a card number.
pub(super) fn is_card_number(digits: &[u8]) -> bool {
    (CARD_DIGITS_MIN..=CARD_DIGITS_MAX).contains(&digits.len())
        && is_issuers(digits)
        && has_check_digit(digits)
}

/// Whether a number with this beginning can be this long, by the issuers' ranges.
fn is_issuers(digits: &[u8]) -> bool {
    let four = digits[..4].iter().fold(0, |number, &digit| number * 10 + u32::from(digit));
    let length = digits.len();
    match four {
        // Visa.
        4000..=4999 => matches!(length, 13 | 16 | 19),
        // Mastercard.
        5100..=5599 | 2221..=2720 => length == 16,
        // American Express.
        3400..=3499 | 3700..=3799 => length == 15,
        // Diners Club.
        3000..=3059 | 3090..=3099 | 3600..=3699 | 3800..=3999 => (14..=19).contains(&length),
        // Maestro of the short kind.
        5018 | 5020 | 5038 | 5893 | 6304 | 6390 | 6759 | 6761..=6763 => true,
        // JCB; Mir.
        3528..=3589 | 2200..=2204 => (16..=19).contains(&length),
        // Maestro, RuPay, Verve; UnionPay, Discover and the rest of 6; RuPay; older Chinese bank cards and Troy.
        5000..=5099 | 5600..=5899 | 6000..=6999 | 8100..=8299 | 9000..=9099 | 9400..=9999 => {
            (16..=19).contains(&length)
        }
        _ => false,
    }
}

/// Whether a card number can begin with these digits.
pub(super) fn can_begin_card(digits: &[u8]) -> bool {
    let fits = |second: fn(u8) -> bool| digits.get(1).is_none_or(|&digit| second(digit));
    match digits.first() {
        Some(2) => fits(|second| (2..=7).contains(&second)),
        Some(3) => fits(|second| second != 1 && second != 2 && second != 3),
        Some(4 | 6) => true,
        Some(5) => fits(|second| second != 9),
        Some(8) => fits(|second| second == 1 || second == 2),
        Some(9) => fits(|second| second == 0 || second >= 4),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::scrub::tests::card_number;

    #[track_caller]
    fn check(prefix: &str, length: usize, expected: bool) {
        let number = card_number(prefix, length, 7);
        let digits: Vec<u8> = number.bytes().map(|byte| byte - b'0').collect();
        assert_eq!(is_card_number(&digits), expected, "{prefix} of {length}");
    }

    #[test]
    fn issuers_have_their_lengths() {
        check("4", 16, true);
        check("4", 15, false);
        check("51", 16, true);
        check("2221", 16, true);
        check("37", 15, true);
        check("622576", 16, true);
        check("6222", 19, true);
        check("6759", 12, true);
        check("3528", 16, true);
        check("2026", 16, false);
        check("6328", 12, false);
    }

    #[test]
    fn a_wrong_check_digit_is_no_card() {
        let mut digits: Vec<u8> =
            card_number("622576", 16, 3).bytes().map(|byte| byte - b'0').collect();
        digits[15] = (digits[15] + 1) % 10;
        assert!(!is_card_number(&digits));
    }

    #[test]
    fn every_card_begins_like_one() {
        for prefix in
            ["4", "51", "2221", "2720", "34", "37", "36", "3528", "62", "81", "95", "2204", "5018"]
        {
            let digits: Vec<u8> = prefix.bytes().map(|byte| byte - b'0').collect();
            assert!((1..=digits.len()).all(|length| can_begin_card(&digits[..length])), "{prefix}");
        }
        assert!(!can_begin_card(&[2, 0, 2, 6]));
    }
}
