//! The values of a slip: each read strictly, so that a sentence is never taken for a number.

use super::vocabulary::CURRENCIES;
use slipwatch_shared::card::{EntryMode, MaskedPan};
use slipwatch_shared::money::{Amount, Currency};

/// A sum as it was printed: its digits may only be understood once the currency is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sum {
    negative: bool,
    /// Digits with their points and commas.
    digits: Box<str>,
    pub currency: Option<Currency>,
}

/// Longest sum that is looked at.
const SUM_BYTES_MAX: usize = 32;

impl Sum {
    /// Reads `0.20`, `RMB -0.20`, `-RMB0.20`, `EUR: 1,00`, `10,00- EUR`, `$ 10.000`, `0.20元`; nothing that holds more.
    pub fn read(text: &str) -> Option<Sum> {
        let is_digit = |sign: char| sign.is_ascii_digit();
        let from = text.find(is_digit)?;
        let to = text.rfind(is_digit)? + 1;
        let digits = &text[from..to];
        let sound = digits.len() <= SUM_BYTES_MAX
            && digits
                .bytes()
                .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b'\''));
        if !sound {
            return None;
        }
        let (before, minus_before) = name(&text[..from])?;
        let (behind, minus_behind) = name(&text[to..])?;
        let currency = match (before, behind) {
            (Some(_), Some(_)) => return None,
            (name, None) | (None, name) => name,
        };
        let currency = match currency {
            None | Some("$") => None,
            Some(name) => Some(currency_named(name)?),
        };
        Some(Sum { negative: minus_before || minus_behind, digits: digits.into(), currency })
    }

    /// The amount in the currency that it names, or in this one.
    pub fn amount(&self, otherwise: Option<Currency>) -> Option<Amount> {
        let currency = self.currency.or(otherwise)?;
        let amount = Amount::from_printed(&self.digits, currency).ok()?;
        Some(if self.negative { Amount::new(-amount.minor, currency) } else { amount })
    }
}

/// What stands before or behind the digits: a currency's name at most, and whether a minus is among it.
fn name(text: &str) -> Option<(Option<&str>, bool)> {
    let is_sign = |sign: char| {
        matches!(sign, ' ' | '\t' | ':' | '：' | '*' | '.' | '-' | '+' | '\u{3000}' | '=')
    };
    let is_minus = text.contains('-');
    let name = text.trim_matches(is_sign);
    match name {
        "" => Some((None, is_minus)),
        _ if name.contains(is_sign) => None,
        _ => Some((Some(name), is_minus)),
    }
}

/// A currency by the names that slips have for it.
pub(super) fn currency_named(name: &str) -> Option<Currency> {
    let known = CURRENCIES.iter().find(|known| known.0 == name);
    let letters = known.map_or(name, |known| known.1);
    let is_known = |currency: &Currency| {
        // Three letters are a currency only where one of that name exists.
        const LETTERS: [&str; 21] = [
            "CNY", "EUR", "USD", "GBP", "CHF", "HKD", "MOP", "TWD", "JPY", "KRW", "SGD", "MYR",
            "THB", "VND", "CLP", "BRL", "INR", "AUD", "KWD", "SEK", "CAD",
        ];
        LETTERS.contains(&currency.as_str())
    };
    letters.parse().ok().filter(is_known)
}

/// A card as slips print it: `622576******6691 /C`, `**** **** **** 4821`.
pub(super) fn card(text: &str) -> Option<(MaskedPan, Option<EntryMode>)> {
    let is_part = |sign: char| {
        sign.is_ascii_digit() || matches!(sign, '*' | 'x' | 'X' | '#' | '•' | '●' | ' ' | '-')
    };
    let end = text.find(|sign| !is_part(sign)).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let squeezed: String = number
        .chars()
        .filter(|sign| !matches!(sign, ' ' | '-'))
        .map(|sign| if sign.is_ascii_digit() { sign } else { '*' })
        .collect();
    let first = squeezed.find('*')?;
    let last = squeezed.rfind('*')? + 1;
    let is_masked =
        last - first >= MASK_SIGNS_MIN && !squeezed[first..last].contains(|sign| sign != '*');
    let is_phone = first == 3 && squeezed.len() == 11;
    let last_four = Some(&squeezed[last..]).filter(|_| is_masked && !is_phone)?;
    let first_six = Some(&squeezed[..first]).filter(|digits| digits.len() == 6);
    let pan = MaskedPan::from_parts(first_six, last_four).ok()?;
    let letter = suffix.trim_matches(['/', '(', ')', '[', ']', ' ', '\t', '（', '）']);
    Some((pan, entry_mode(letter)))
}

/// A mask hides at least so many digits; fewer are an ornament.
const MASK_SIGNS_MIN: usize = 3;

/// The letter behind a slip's card number.
fn entry_mode(letter: &str) -> Option<EntryMode> {
    Some(match letter {
        "S" => EntryMode::Swiped,
        "I" => EntryMode::Inserted,
        "C" | "T" => EntryMode::Contactless,
        "M" | "N" => EntryMode::Manual,
        _ => return None,
    })
}

/// The first masked card number of a line, wherever it stands.
pub(super) fn card_anywhere(line: &str) -> Option<(MaskedPan, Option<EntryMode>)> {
    let is_mask = |sign: char| matches!(sign, '*' | 'x' | 'X' | '#' | '•' | '●');
    let masks = line.char_indices().filter(|&(at, sign)| {
        is_mask(sign) && !line[..at].chars().next_back().is_some_and(is_mask)
    });
    masks.take(MASKS_MAX).find_map(|(mask, _)| {
        let is_part = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b' ' | b'-');
        let back = line[..mask].bytes().rev().take(HEAD_BYTES_MAX).take_while(is_part).count();
        card(line[mask - back..].trim_start_matches([' ', '-']))
    })
}

/// Six digits in two groups.
const HEAD_BYTES_MAX: usize = 8;

/// Rows of mask signs that are looked at in one line.
const MASKS_MAX: usize = 8;

/// A number of at most six digits, of which devices drop the leading zeros.
pub(super) fn six_digits(text: &str) -> Option<u32> {
    let sound = (1..=6).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if sound { text.parse().ok() } else { None }
}

/// The first word of a text, if it is an identifier: it holds a digit.
pub(super) fn identifier(text: &str) -> Option<&str> {
    let word = text.split_whitespace().next()?.trim_end_matches([',', ';', ':']);
    word.bytes().any(|byte| byte.is_ascii_digit()).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, otherwise: &str, expected: Option<&str>) {
        let otherwise = otherwise.parse().ok();
        let amount = Sum::read(text).and_then(|sum| sum.amount(otherwise));
        assert_eq!(amount.map(|amount| amount.to_string()).as_deref(), expected, "{text:?}");
    }

    #[test]
    fn sums_are_read_in_the_manner_of_their_country() {
        check("RMB 0.20", "", Some("CNY 0.20"));
        check("RMB -0.20", "", Some("CNY -0.20"));
        check("-RMB0.20", "", Some("CNY -0.20"));
        check("￥1,234.50", "EUR", Some("CNY 1234.50"));
        check("0.20元", "EUR", Some("CNY 0.20"));
        check("EUR        2,00", "", Some("EUR 2.00"));
        check("EUR: 1,00", "", Some("EUR 1.00"));
        check("1.234,50 EUR", "", Some("EUR 1234.50"));
        check("10,00- EUR", "", Some("EUR -10.00"));
        check("CHF 1'234.50", "", Some("CHF 1234.50"));
        check("$ 10.000", "CLP", Some("CLP 10000"));
        check("$39.000", "CLP", Some("CLP 39000"));
        check("$ 14.25", "USD", Some("USD 14.25"));
        check("*12.50", "EUR", Some("EUR 12.50"));
    }

    #[test]
    fn what_is_no_sum_is_none() {
        check("$ 14.25", "", None);
        check("0      0,00", "EUR", None);
        check("items: 3", "EUR", None);
        check("002 $20.000", "CLP", None);
        check("12.345.6", "EUR", None);
        check("1234.567", "EUR", None);
        check("AID 12.50", "EUR", None);
        check("12:30", "EUR", None);
        check("", "EUR", None);
    }

    #[track_caller]
    fn check_card(text: &str, expected: Option<(&str, Option<EntryMode>)>) {
        let card = card_anywhere(text).map(|(pan, entry)| (pan.to_string(), entry));
        let expected = expected.map(|(pan, entry)| (pan.to_owned(), entry));
        assert_eq!(card, expected, "{text:?}");
    }

    #[test]
    fn cards_are_read_as_slips_mask_them() {
        check_card("622576******6691 /C", Some(("622576******6691", Some(EntryMode::Contactless))));
        check_card("6225 76** **** 6691(I)", Some(("622576******6691", Some(EntryMode::Inserted))));
        check_card("Nr:  **** **** **** 4821", Some(("******4821", None)));
        check_card("L:************0000", Some(("******0000", None)));
        check_card("                           ****6590 B-VI", Some(("******6590", None)));
        check_card("5413 **** **** 0006", Some(("******0006", None)));
        check_card("********331", None);
        check_card("Tel 138****1234", None);
        check_card("** KUNDENBELEG **", None);
        check_card("Export ****1234", Some(("******1234", None)));
        check_card("TAX 1234", None);
        check_card("***123456***", None);
    }
}
