//! Whether a text shows a card number, so that it is refused before anything keeps it. Stricter than the scan of what
//! devices send: people type numbers with blanks, dots, line breaks, wide digits, and an O for a zero. Never shows what it
//! found.

use slipwatch_shared::card::has_check_digit;

/// Shortest and longest card number.
const DIGITS: std::ops::RangeInclusive<usize> = 12..=19;
/// Longest text that is looked at; a longer one is refused before.
pub const TEXT_CHARS_MAX: usize = 4_096;
/// So many signs may stand between two groups of one number.
const PARTED_MAX: usize = 3;

/// A sign that stands for a digit: of any script that a phone types, and the letters that are taken for one.
fn digit_of(sign: char) -> Option<(u8, bool)> {
    if let Some(figure) = figure_of(sign) {
        return Some(figure);
    }
    match sign {
        '〇' | '零' => Some((0, true)),
        'O' | 'o' | 'Ｏ' | 'ｏ' => Some((0, false)),
        'I' | 'l' | '|' | 'Ｉ' => Some((1, false)),
        _ => {
            let place = "一二三四五六七八九".chars().position(|known| known == sign)?;
            Some((place as u8 + 1, true))
        }
    }
}

/// A sign that is a digit and nothing else, in any script that a phone types.
fn figure_of(sign: char) -> Option<(u8, bool)> {
    const BLOCKS: [u32; 7] = [0x30, 0x660, 0x6f0, 0x966, 0xff10, 0x1d7ce, 0x1d7f6];
    let code = sign as u32;
    let base = BLOCKS.iter().find(|&&base| (base..base + 10).contains(&code))?;
    Some(((code - base) as u8, true))
}

/// Runs of digits in the order of the text, each with whether it may go on with the next one.
fn runs(text: &str, digit_of: fn(char) -> Option<(u8, bool)>) -> Vec<(Vec<u8>, bool)> {
    let mut runs: Vec<(Vec<u8>, bool)> = Vec::new();
    let (mut run, mut sure, mut parted) = (Vec::new(), 0_usize, 0_usize);
    let mut letters_between = false;
    let end = |run: &mut Vec<u8>, sure: &mut usize, runs: &mut Vec<(Vec<u8>, bool)>, joins| {
        if *sure > 0 {
            runs.push((std::mem::take(run), joins));
        }
        run.clear();
        *sure = 0;
    };
    let mut joins = false;
    for sign in text.chars().take(TEXT_CHARS_MAX).chain(['\0']) {
        match digit_of(sign) {
            Some((digit, is_sure)) => {
                if run.is_empty() {
                    joins = !letters_between && parted <= PARTED_MAX;
                }
                run.push(digit);
                sure += usize::from(is_sure);
                (parted, letters_between) = (0, false);
            }
            None => {
                end(&mut run, &mut sure, &mut runs, joins);
                parted += 1;
                letters_between |= sign.is_alphanumeric();
            }
        }
    }
    runs
}

/// Whether a text shows a card number, however it is parted: with letters for digits, or with letters that are none beside
/// it (`No6225...`).
pub fn shows_card_number(text: &str) -> bool {
    shows(text, digit_of) || shows(text, figure_of)
}

fn shows(text: &str, digit_of: fn(char) -> Option<(u8, bool)>) -> bool {
    let runs = runs(text, digit_of);
    // One wallet's number and nothing else, typed in groups: what its groups come to is chance.
    let is_bare = !text.chars().any(|sign| sign.is_alphabetic() && digit_of(sign).is_none());
    let whole: Vec<u8> = runs.iter().flat_map(|(run, _)| run.iter().copied()).collect();
    if is_bare && is_wallets(&whole) {
        return false;
    }
    for (at, (first, _)) in runs.iter().enumerate() {
        if long_run_begins_with_card(first) {
            return true;
        }
        let mut joined = first.clone();
        if is_card_number(&joined) {
            return true;
        }
        for (next, joins) in &runs[at + 1..] {
            if !joins || joined.len() + next.len() > *DIGITS.end() {
                break;
            }
            joined.extend_from_slice(next);
            if is_card_number(&joined) {
                return true;
            }
        }
    }
    false
}

/// A wallet's number of 28 digits, as it was typed: one or two more or fewer.
fn is_wallets(run: &[u8]) -> bool {
    (26..=30).contains(&run.len()) && (run.starts_with(&[4, 2, 0, 0]) || run.starts_with(&[2, 0]))
}

/// A card number with its expiry or more typed behind it without a blank. Wallets' numbers are none.
fn long_run_begins_with_card(run: &[u8]) -> bool {
    let is_long = run.len() > *DIGITS.end() && !is_wallets(run);
    is_long && (13..=19).any(|length| is_card_number(&run[..length]))
}

fn is_card_number(run: &[u8]) -> bool {
    DIGITS.contains(&run.len()) && has_issuer_range(run) && has_check_digit(run)
}

/// Any range in which some scheme issues cards; wider than what devices are scanned by.
fn has_issuer_range(run: &[u8]) -> bool {
    let head = run[..4].iter().fold(0_u32, |head, &digit| head * 10 + u32::from(digit));
    matches!(head, 2221..=2720 | 3000..=6999 | 8100..=8171 | 9000..=9999)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: bool) {
        assert_eq!(shows_card_number(text), expected, "{} signs", text.chars().count());
    }

    #[test]
    fn a_card_number_is_known_however_it_is_typed() {
        for text in [
            "6225760000006697",
            "6225 7600 0000 6697",
            "6225-7600-0000-6697",
            "6225.7600.0000.6697",
            "6225\n7600\n0000\n6697",
            "６２２５７６００００００６６９７",
            "62257600OOOO6697",
            "my card is 4111111111111111!",
            "卡号六二二五七六零零零零零零六六九七",
            "378282246310005",
            "6212341111111111108",
            "62257600000066971228",
            "4111 1111 1111 1111 12/28 123",
            "1 6225 7600 0000 6697",
            "No6225760000006697",
            "total6225760000006697",
            "6225760000006697only",
            "|6225760000006697|",
            "卡一6225760000006697",
            ";6225760000006697=28121010000?",
        ] {
            check(text, true);
        }
    }

    #[test]
    fn other_numbers_are_left_alone() {
        for text in [
            "6697",
            "88.00",
            "2026-11-28 14:05:33",
            "13812345678",
            "4200001234202611281234567890",
            "2026112822001412345678901234",
            "632809000101",
            "6225760000006698",
            "622576******6697",
            "",
            "no digits at all",
        ] {
            check(text, false);
        }
    }

    proptest! {
        #[test]
        fn no_wallets_number_is_taken_for_a_card(tail in "[0-9]{24}", each in 2_usize..9, slip in 0_usize..3) {
            for head in ["4200", "2026"] {
                let number: String = format!("{head}{tail}")[..28 - slip.min(1)].to_owned();
                let number = if slip == 2 { format!("{number}7") } else { number };
                let groups: Vec<&str> =
                    number.as_bytes().chunks(each).map(|group| std::str::from_utf8(group).unwrap()).collect();
                prop_assert!(!shows_card_number(&number));
                prop_assert!(!shows_card_number(&groups.join(" ")));
            }
        }

        #[test]
        fn no_parting_hides_a_card_number(parting in prop::collection::vec(0_usize..5, 15)) {
            let mut text = String::new();
            for (at, digit) in "6225760000006697".chars().enumerate() {
                text.push(digit);
                if let Some(&which) = parting.get(at) {
                    text.push_str(["", " ", "-", " - ", "\n"][which]);
                }
            }
            prop_assert!(shows_card_number(&text));
        }

        #[test]
        fn any_text_is_looked_at_without_a_panic(text in ".{0,300}") {
            let _ = shows_card_number(&text);
        }
    }
}
