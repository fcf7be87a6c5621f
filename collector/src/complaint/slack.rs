//! How far what was typed may be from what is known: one digit wrong, two swapped, one missing or too many, a letter for a
//! digit, a decimal point at the wrong place, an hour or a day beside. One slip, never two; each has its name, so that a
//! match says what was forgiven.

use crate::settlement::row::worded;

worded! {
    /// What was forgiven.
    Slip {
        /// One digit is another.
        Digit = "digit",
        /// Two neighbours are swapped.
        Swapped = "swapped",
        /// One is missing.
        Missing = "missing",
        /// One is too many.
        Extra = "extra",
        /// The decimal point stands elsewhere.
        Point = "point",
        /// An hour beside: summer time, or a clock that is wrong.
        Hour = "hour",
        /// Twelve hours beside: morning for afternoon.
        HalfDay = "half_day",
        /// A day beside.
        Day = "day",
    }
}

/// Most texts that one search tries in place of a typed number.
pub const VARIANTS_MAX: usize = 1_400;
/// Most amounts that one search tries in place of the one that was said.
pub const AMOUNTS_MAX: usize = 320;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A text as numbers are compared: capitals, plain digits, letters that are taken for digits as those, no blanks or marks.
pub fn folded(text: &str) -> String {
    let fold = |sign: char| match sign {
        'Ａ'..='Ｚ' | 'ａ'..='ｚ' | '０'..='９' => {
            char::from_u32(sign as u32 - 0xfee0).unwrap_or(sign)
        }
        _ => sign,
    };
    text.chars()
        .map(fold)
        .filter(char::is_ascii_alphanumeric)
        .map(|sign| match sign.to_ascii_uppercase() {
            'O' => '0',
            'I' => '1',
            sign => sign,
        })
        .collect()
}

/// The one slip between two folded texts: `Some(None)` when they are equal, `None` when it is more than one.
pub fn between(said: &str, known: &str) -> Option<Option<Slip>> {
    let (said, known) = (said.as_bytes(), known.as_bytes());
    let head = said.iter().zip(known).take_while(|(left, right)| left == right).count();
    let (rest, other) = (&said[head..], &known[head..]);
    match (rest, other) {
        ([], []) => Some(None),
        ([left, first, rest @ ..], [right, second, other @ ..])
            if left == second && first == right && rest == other =>
        {
            Some(Some(Slip::Swapped))
        }
        ([_, rest @ ..], [_, other @ ..]) if rest == other => Some(Some(Slip::Digit)),
        (rest, [_, other @ ..]) if rest == other => Some(Some(Slip::Missing)),
        ([_, rest @ ..], other) if rest == other => Some(Some(Slip::Extra)),
        _ => None,
    }
}

/// The one slip between two amounts in hundredths.
pub fn between_amounts(said: i64, known: i64) -> Option<Option<Slip>> {
    let (said, known) = (said.unsigned_abs(), known.unsigned_abs());
    if said == known {
        return Some(None);
    }
    let moved =
        |by: u64| said.checked_mul(by) == Some(known) || known.checked_mul(by) == Some(said);
    if said > 0 && known > 0 && (moved(10) || moved(100)) {
        return Some(Some(Slip::Point));
    }
    between(&said.to_string(), &known.to_string())
}

/// Every text that is one slip away from a folded one, itself first.
pub fn variants(text: &str) -> Vec<String> {
    let signs: Vec<char> = text.chars().collect();
    let mut found = vec![text.to_owned()];
    let mut put = |signs: &[char]| {
        if found.len() < VARIANTS_MAX {
            found.push(signs.iter().collect());
        }
    };
    for at in 0..signs.len() {
        if let Some(next) = signs.get(at + 1)
            && *next != signs[at]
        {
            let mut swapped = signs.clone();
            swapped.swap(at, at + 1);
            put(&swapped);
        }
        for digit in '0'..='9' {
            if digit != signs[at] {
                let mut other = signs.clone();
                other[at] = digit;
                put(&other);
            }
        }
        let mut shorter = signs.clone();
        shorter.remove(at);
        put(&shorter);
    }
    for at in 0..=signs.len() {
        for digit in '0'..='9' {
            let mut longer = signs.clone();
            longer.insert(at, digit);
            put(&longer);
        }
    }
    found
}

/// Every amount that is one slip away, itself first.
pub fn amounts(hundredths: i64) -> Vec<i64> {
    let mut found = vec![hundredths];
    for by in [10, 100] {
        found.extend(hundredths.checked_mul(by));
        if hundredths % by == 0 {
            found.push(hundredths / by);
        }
    }
    let texts = variants(&hundredths.unsigned_abs().to_string());
    found.extend(texts.iter().skip(1).filter_map(|text| text.parse::<i64>().ok()));
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|&amount| amount > 0 && seen.insert(amount));
    found.truncate(AMOUNTS_MAX);
    found
}

/// Every last four that is one slip away, itself first.
pub fn last_fours(four: u16) -> Vec<u16> {
    let texts = variants(&format!("{four:04}"));
    let sound = texts.iter().filter(|text| text.len() == 4);
    let mut found: Vec<u16> = sound.filter_map(|text| text.parse().ok()).collect();
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|&four| seen.insert(four));
    found
}

/// Moments that may be meant by `from..=to`, with what is forgiven: in the order in which they are believed.
pub const SHIFTS: [(i64, Slip); 6] = [
    (HOUR_MS, Slip::Hour),
    (-HOUR_MS, Slip::Hour),
    (12 * HOUR_MS, Slip::HalfDay),
    (-12 * HOUR_MS, Slip::HalfDay),
    (DAY_MS, Slip::Day),
    (-DAY_MS, Slip::Day),
];

/// The one slip between the span that was said and the one in which it was.
pub fn between_times(said: (i64, i64), known: (i64, i64)) -> Option<Option<Slip>> {
    let inside = |shift: i64| said.0 + shift <= known.1 && known.0 <= said.1 + shift;
    if inside(0) {
        return Some(None);
    }
    SHIFTS.into_iter().find(|(shift, _)| inside(*shift)).map(|(_, slip)| Some(slip))
}

/// How far a search looks beside what was said.
pub const BESIDE_MS: i64 = DAY_MS;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(said: &str, known: &str, expected: Option<Option<Slip>>) {
        assert_eq!(between(&folded(said), &folded(known)), expected, "{said} / {known}");
    }

    #[test]
    fn one_slip_is_named_and_two_are_too_many() {
        check("4200001234", "4200001234", Some(None));
        check("42 0000-1234", "4200001234", Some(None));
        check("42OOOO1234", "4200001234", Some(None));
        check("4200001235", "4200001234", Some(Some(Slip::Digit)));
        check("4200001243", "4200001234", Some(Some(Slip::Swapped)));
        check("420000124", "4200001234", Some(Some(Slip::Missing)));
        check("42000012344", "4200001234", Some(Some(Slip::Extra)));
        check("4200001255", "4200001234", None);
        check("", "1", Some(Some(Slip::Missing)));
        check("12", "34", None);
    }

    #[test]
    fn an_amount_may_have_its_point_elsewhere() {
        assert_eq!(between_amounts(8_800, 8_800), Some(None));
        assert_eq!(between_amounts(88, 8_800), Some(Some(Slip::Point)));
        assert_eq!(between_amounts(88_000, 8_800), Some(Some(Slip::Point)));
        assert_eq!(between_amounts(8_900, 8_800), Some(Some(Slip::Digit)));
        assert_eq!(between_amounts(1_234, 5_678), None);
    }

    #[test]
    fn a_time_may_be_an_hour_half_a_day_or_a_day_beside() {
        let (from, to) = (100 * DAY_MS, 100 * DAY_MS + 30 * MINUTE_MS);
        let check =
            |at: i64, expected| assert_eq!(between_times((from, to), (at, at)), expected, "{at}");
        check(from + MINUTE_MS, Some(None));
        check(from + HOUR_MS, Some(Some(Slip::Hour)));
        check(from - DAY_MS + 5, Some(Some(Slip::Day)));
        check(from + 12 * HOUR_MS, Some(Some(Slip::HalfDay)));
        check(from + 5 * HOUR_MS, None);
        check(from + 2 * DAY_MS, None);
    }

    proptest! {
        #[test]
        fn whatever_is_one_slip_away_is_among_the_variants(
            known in "[0-9]{4,30}", at in 0_usize..30, how in 0_usize..4, digit in 0_u8..10,
        ) {
            let mut signs: Vec<char> = known.chars().collect();
            let at = at % signs.len();
            let digit = char::from(b'0' + digit);
            match how {
                0 => signs[at] = digit,
                1 => if at + 1 < signs.len() { signs.swap(at, at + 1) },
                2 => { signs.remove(at); },
                _ => signs.insert(at, digit),
            }
            let said: String = signs.into_iter().collect();
            prop_assert!(between(&said, &known).is_some(), "{said} {known}");
            prop_assert!(variants(&said).contains(&known), "{said} {known}");
            prop_assert!(variants(&said).len() <= VARIANTS_MAX);
        }

        #[test]
        fn an_amount_one_slip_away_is_among_the_amounts(known in 1_i64..10_000_000, at in 0_usize..8, digit in 0_u8..10) {
            let mut text: Vec<u8> = known.to_string().into_bytes();
            let at = at % text.len();
            text[at] = b'0' + digit;
            // Nobody says a leading zero.
            let is_said = text[0] != b'0';
            let said: i64 = String::from_utf8(text).unwrap().parse().unwrap();
            if is_said {
                prop_assert!(amounts(said).contains(&known), "{said} {known}");
            }
        }
    }
}
