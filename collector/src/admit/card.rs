//! Card numbers in what comes in: whether bytes hold one, and a text without them. Never says which number it was.

use slipwatch_shared::card::has_check_digit;
use std::ops::Range;

/// Shortest and longest card number.
const PAN_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;
/// What a hidden digit of a name becomes: a sign that means nothing to a disk or a shell.
const MASK: char = 'x';
/// The last digits of a number, which a name shows.
const SHOWN_DIGITS: usize = 4;
/// So many signs may stand between two groups of one number in a name.
const PARTED_MAX: usize = 3;

/// Whether bytes hold a run of digits, also parted by single blanks or dashes, that is a card number by issuer range,
/// length and check digit together.
pub fn has_card_number(bytes: &[u8]) -> bool {
    let mut digits = [0_u8; 64];
    let mut count = 0;
    let mut parted = false;
    for &byte in bytes.iter().chain(b"\0") {
        match byte {
            b'0'..=b'9' => {
                if count == digits.len() {
                    // A longer run is no card number; its end may begin one.
                    digits.copy_within(1.., 0);
                    count -= 1;
                }
                digits[count] = byte - b'0';
                count += 1;
                parted = false;
            }
            b' ' | b'-' if count > 0 && !parted => parted = true,
            _ => {
                if run_is_card_number(&digits[..count]) {
                    return true;
                }
                (count, parted) = (0, false);
            }
        }
    }
    false
}

/// A text in which each card number shows its last four digits alone. For the name of a file, which a person or an
/// acquirer gave it: a number stands there in one piece, or in the groups in which cards bear it. Dates, merchants' numbers
/// and orders stay.
pub fn without_card_numbers(text: &str) -> String {
    let signs: Vec<char> = text.chars().collect();
    let mut masked = signs.clone();
    let groups = groups_of(&signs);
    for first in 0..groups.len() {
        let mut places: Vec<usize> = Vec::new();
        for last in first..groups.len() {
            let group = &groups[last];
            let joins = last == first || is_parting(&signs[groups[last - 1].end..group.start]);
            if !joins || places.len() + group.len() > *PAN_DIGITS.end() {
                break;
            }
            places.extend(group.clone());
            let run: Vec<u8> = places.iter().filter_map(|&place| digit_of(signs[place])).collect();
            if is_borne_so(&groups[first..=last]) && run_in_name_is_card_number(&run) {
                let hidden = places.len() - SHOWN_DIGITS;
                places[..hidden].iter().for_each(|&place| masked[place] = MASK);
            }
        }
    }
    masked.into_iter().collect()
}

/// Where digits stand side by side.
fn groups_of(signs: &[char]) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    for place in (0..signs.len()).filter(|&place| digit_of(signs[place]).is_some()) {
        match groups.last_mut() {
            Some(group) if group.end == place => group.end += 1,
            _ => groups.push(place..place + 1),
        }
    }
    groups
}

/// A digit, also a wide one, as Chinese keyboards write it.
fn digit_of(sign: char) -> Option<u8> {
    match sign {
        '0'..='9' => Some(sign as u8 - b'0'),
        '０'..='９' => Some((sign as u32 - '０' as u32) as u8),
        _ => None,
    }
}

/// Blanks, dashes, dots and their like between two groups of one number.
fn is_parting(between: &[char]) -> bool {
    between.len() <= PARTED_MAX && between.iter().all(|sign| !sign.is_alphanumeric())
}

/// In one piece; by fours; or as American Express (4, 6, 5) and Diners Club (4, 6, 4) do.
fn is_borne_so(groups: &[Range<usize>]) -> bool {
    let counts: Vec<usize> = groups.iter().map(Range::len).collect();
    match counts.as_slice() {
        [_] | [4, 6, 4 | 5] => true,
        [fours @ .., end] => *end <= 4 && fours.iter().all(|&count| count == 4),
        [] => false,
    }
}

/// Fifteen digits are a merchant's number (ISO 8583 field 42), of which every tenth passes Luhn, unless they begin as a card of
/// American Express does, which are the only cards of that length.
fn run_in_name_is_card_number(run: &[u8]) -> bool {
    let is_merchants = run.len() == 15 && !matches!(run, [3, 4 | 7, ..]);
    !is_merchants && run_is_card_number(run)
}

/// A whole run only: the inside of a longer number (an order number, a reference) is chance.
fn run_is_card_number(run: &[u8]) -> bool {
    PAN_DIGITS.contains(&run.len()) && has_issuer_range(run) && has_check_digit(run)
}

fn has_issuer_range(run: &[u8]) -> bool {
    let head = run[..4].iter().fold(0_u32, |head, &digit| head * 10 + u32::from(digit));
    matches!(
        (head, run.len()),
        (6200..=6299 | 8100..=8171, 14..=19)
            | (4000..=4999, 13 | 16 | 19)
            | (5100..=5599 | 2221..=2720, 16)
            | (3400..=3499 | 3700..=3799, 15)
            | (3528..=3589, 16..=19)
            | (6011 | 6440..=6599, 16..=19)
            | (3000..=3059 | 3600..=3699 | 3800..=3999, 14..=19)
            | (5000..=5099 | 5600..=5899 | 6300..=6399 | 6700..=6799, 13..=19)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: bool) {
        assert_eq!(has_card_number(text.as_bytes()), expected, "{text}");
    }

    #[test]
    fn card_numbers_are_known_by_range_length_and_check_digit_together() {
        check("6225760000000005", true);
        check("pan=4111111111111111;", true);
        check("4111 1111 1111 1111", true);
        check("4111-1111-1111-1111", true);
        check("3782 822463 10005", true);
    }

    #[test]
    fn masked_numbers_references_and_orders_are_none() {
        check("622576******0005", false);
        check("4111111111111112", false);
        check("100000000001", false);
        check("order 20251124090000411111111111111100", false);
        check("2025-11-24 09:30:05 trace 000123 batch 000007", false);
    }

    #[track_caller]
    fn named(name: &str, expected: &str) {
        assert_eq!(without_card_numbers(name), expected);
        assert_eq!(without_card_numbers(expected), expected, "masked twice");
    }

    #[test]
    fn a_name_shows_of_a_card_number_its_last_four() {
        named("4111111111111111.csv", "xxxxxxxxxxxx1111.csv");
        named("card6225760000006697_20251124.csv", "cardxxxxxxxxxxxx6697_20251124.csv");
        named("4111 1111 1111 1111", "xxxx xxxx xxxx 1111");
        named("4111-1111-1111-1111", "xxxx-xxxx-xxxx-1111");
        named("4111_1111_1111_1111_2025", "xxxx_xxxx_xxxx_1111_2025");
        named("2025.4111.1111.1111.1111.csv", "2025.xxxx.xxxx.xxxx.1111.csv");
        named("账单 4111 - 1111 - 1111 - 1111", "账单 xxxx - xxxx - xxxx - 1111");
        named("6212 3411 1111 1111 108", "xxxx xxxx xxxx xxx1 108");
        named("378282246310005", "xxxxxxxxxxx0005");
        named("3782 822463 10005", "xxxx xxxxxx x0005");
        named("卡４１１１１１１１１１１１１１１１", "卡xxxxxxxxxxxx１１１１");
        named("4111111111111111 5555555555554444", "xxxxxxxxxxxx1111 xxxxxxxxxxxx4444");
    }

    #[test]
    fn the_names_that_acquirers_give_their_files_stay_as_they_are() {
        for name in [
            "IND25112488ZM_821330154110001",
            "20881234567890100156_20251124_业务明细.csv",
            "settlement_detail_report_batch_73.csv",
            "1230000109All2025-11-24_2025-11-30.csv",
            "detail-20251124-20251130.csv",
            "2025-11-24 09.30.05 821330154110001.csv",
            "20251124093005000123",
            "camt053.v8.xml",
            "4111111111111112",
            "622576******6697",
            "821330154110001_20251124_001.zip/2025_1124.csv",
        ] {
            named(name, name);
        }
        // 交通银行: its merchants' numbers begin as a card of Diners Club does; this one passes Luhn.
        assert!(has_card_number(b"301310054110001"));
        named("IND25112488ZM_301310054110001", "IND25112488ZM_301310054110001");
    }

    proptest! {
        #[test]
        fn no_parting_by_fours_hides_a_card_number(
            parting in "[ ._-]{0,3}",
            before in "[^0-9０-９]{0,4}",
            after in "[^0-9０-９]{0,4}",
        ) {
            let groups = ["6225", "7600", "0000", "6697"].join(&parting);
            let masked = without_card_numbers(&format!("{before}{groups}{after}"));
            let left: String = masked.chars().filter(char::is_ascii_digit).collect();
            prop_assert_eq!(left, "6697");
        }

        #[test]
        fn any_name_is_looked_at_without_a_panic(name in ".{0,300}") {
            let masked = without_card_numbers(&name);
            prop_assert_eq!(masked.chars().count(), name.chars().count());
        }
    }
}
