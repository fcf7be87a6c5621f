//! Field 48 of a settlement: the sums of a batch, 62 digits. For cards of the country and for foreign ones each: debits
//! (amount 12, count 3), credits (amount 12, count 3), and how the host finds them (1 equal, 2 not, 3 error).

use slipwatch_shared::event::SettlementResult;
use slipwatch_shared::money::AMOUNT_MINOR_MAX;

/// Digits of one kind of cards.
const BLOCK: usize = 31;

/// The sums of a batch over both kinds of cards, which settle in one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub debit_minor: i64,
    pub debit_count: u32,
    pub credit_minor: i64,
    pub credit_count: u32,
    /// How the host finds them; absent where it says nothing.
    pub result: Option<SettlementResult>,
}

/// Reads the field; nothing when it is none.
pub(super) fn sums(text: &str) -> Option<Sums> {
    let is_whole =
        matches!(text.len(), BLOCK | 62) && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_whole {
        return None;
    }
    let mut sums = Sums::default();
    let mut worst = b'0';
    for block in text.as_bytes().chunks_exact(BLOCK) {
        let number = |from: usize, digits: usize| {
            block[from..from + digits]
                .iter()
                .fold(0, |number: i64, byte| number * 10 + i64::from(byte - b'0'))
        };
        sums.debit_minor += number(0, 12);
        sums.debit_count += number(12, 3) as u32;
        sums.credit_minor += number(15, 12);
        sums.credit_count += number(27, 3) as u32;
        worst = worst.max(block[30]);
    }
    if sums.debit_minor > AMOUNT_MINOR_MAX || sums.credit_minor > AMOUNT_MINOR_MAX {
        return None;
    }
    sums.result = match worst {
        b'0' => None,
        b'1' => Some(SettlementResult::Balanced),
        b'2' => Some(SettlementResult::Unbalanced),
        _ => Some(SettlementResult::Error),
    };
    Some(sums)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(i64, u32, i64, u32, Option<SettlementResult>)>) {
        let found = sums(text);
        let found = found.map(|sums| {
            (sums.debit_minor, sums.debit_count, sums.credit_minor, sums.credit_count, sums.result)
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn both_kinds_of_cards_are_summed_and_the_worst_word_counts() {
        let home = "000000012345003000000000100001";
        let none = "000000000000000000000000000000";
        check(&format!("{home}0{none}0"), Some((12345, 3, 100, 1, None)));
        check(
            &format!("{home}1{home}1"),
            Some((24690, 6, 200, 2, Some(SettlementResult::Balanced))),
        );
        check(
            &format!("{home}1{none}2"),
            Some((12345, 3, 100, 1, Some(SettlementResult::Unbalanced))),
        );
        check(&format!("{home}3{none}2"), Some((12345, 3, 100, 1, Some(SettlementResult::Error))));
        check(&format!("{home}1"), Some((12345, 3, 100, 1, Some(SettlementResult::Balanced))));
    }

    #[test]
    fn what_is_not_of_that_shape_is_none() {
        check("", None);
        check("123", None);
        check(&"9".repeat(62), None);
        check(&"a".repeat(62), None);
    }
}
