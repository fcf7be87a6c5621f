//! Numbers of files as whole thousandths of a minor unit: five decimals of a yuan, no float anywhere. A sign that is not
//! understood or a separator that was not announced refuses the number.

use serde::{Deserialize, Serialize};

/// Thousandths of a minor unit.
pub type Milli = i64;

/// Largest number that is read, as ISO 8583 bounds an amount: twelve digits of minor units.
pub const MILLI_MAX: Milli = 999_999_999_999_000;

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberForm {
    /// Whole minor units (fen) rather than decimals of the major one (yuan).
    pub minor_units: bool,
    /// What stands before the decimals.
    pub decimal: char,
    /// What stands between thousands, where that is announced.
    pub thousands: Option<char>,
    /// A letter in front tells the sign: `C` given to the shop, `D` taken from it.
    pub letter_sign: bool,
}

impl NumberForm {
    /// Decimals behind a point.
    pub const PLAIN: NumberForm =
        NumberForm { minor_units: false, decimal: '.', thousands: None, letter_sign: false };
}

/// Why a text is no number of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberError {
    /// It has signs that no number has.
    #[error("expected a number")]
    NotANumber,
    /// It has a separator that the profile does not announce.
    #[error("a thousands separator that the profile does not announce")]
    Thousands,
    /// It has more decimals than are kept.
    #[error("more decimals than thousandths of the smallest unit")]
    Decimals,
    /// It is beyond all bounds.
    #[error("more than twelve digits")]
    TooLarge,
    /// It has no sign letter where one is due.
    #[error("expected C or D before the digits")]
    NoSignLetter,
}

/// Reads a number. `digits` is how many decimals the currency has.
pub fn read(text: &str, form: NumberForm, digits: u32) -> Result<Milli, NumberError> {
    let text = text.trim();
    let (mut negative, mut rest) = match (form.letter_sign, text.chars().next()) {
        (true, Some('C' | 'c')) => (false, text[1..].trim_start()),
        (true, Some('D' | 'd')) => (true, text[1..].trim_start()),
        (true, _) => return Err(NumberError::NoSignLetter),
        (false, _) => (false, text),
    };
    if let Some(unsigned) = rest.strip_prefix(['-', '+']) {
        negative ^= rest.starts_with('-');
        rest = unsigned;
    }
    // Whole units have no decimals; the rest of the thousandths is theirs.
    let places = if form.minor_units { 0 } else { digits as usize } + 3;
    let (mut value, mut decimals, mut any) = (0_i64, None::<usize>, false);
    let mut group = 0;
    let mut grouped = false;
    for char in rest.chars() {
        match char {
            '0'..='9' => {
                any = true;
                group += 1;
                let digit = i64::from(char as u8 - b'0');
                match &mut decimals {
                    Some(count) if *count >= places => {
                        if digit != 0 {
                            return Err(NumberError::Decimals);
                        }
                        continue;
                    }
                    Some(count) => *count += 1,
                    None => {}
                }
                value = value.checked_mul(10).ok_or(NumberError::TooLarge)? + digit;
                if value > MILLI_MAX {
                    return Err(NumberError::TooLarge);
                }
            }
            _ if char == form.decimal && decimals.is_none() && !form.minor_units => {
                if grouped && group != 3 {
                    return Err(NumberError::NotANumber);
                }
                decimals = Some(0);
            }
            _ if Some(char) == form.thousands && decimals.is_none() && any => {
                if grouped && group != 3 || group > 3 {
                    return Err(NumberError::NotANumber);
                }
                (group, grouped) = (0, true);
            }
            ',' | '.' | '\'' | ' ' | '\u{a0}' if any => return Err(NumberError::Thousands),
            _ => return Err(NumberError::NotANumber),
        }
    }
    if !any || (grouped && decimals.is_none() && group != 3) {
        return Err(NumberError::NotANumber);
    }
    for _ in decimals.unwrap_or(0)..places {
        value = value.checked_mul(10).ok_or(NumberError::TooLarge)?;
    }
    if value > MILLI_MAX {
        return Err(NumberError::TooLarge);
    }
    Ok(if negative { -value } else { value })
}

/// Whole minor units of thousandths, where nothing is left over.
pub fn whole(milli: Milli) -> Option<i64> {
    (milli % 1000 == 0).then_some(milli / 1000)
}

/// Thousandths as decimals of a currency with so many digits (`88.00`, `0.528`).
pub fn text(milli: Milli, digits: u32) -> String {
    let unit = 10_i64.pow(digits) * 1000;
    let sign = if milli < 0 { "-" } else { "" };
    let (whole, mut rest) = (milli.abs() / unit, milli.abs() % unit);
    let mut places = digits as usize + 3;
    while places > digits as usize && rest % 10 == 0 {
        rest /= 10;
        places -= 1;
    }
    if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest:0places$}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, form: NumberForm, expected: Result<Milli, NumberError>) {
        assert_eq!(read(text, form, 2), expected, "{text}");
    }

    #[test]
    fn numbers_are_read_to_the_thousandth_of_a_fen_and_no_further() {
        let plain = NumberForm::PLAIN;
        check("88.00", plain, Ok(8_800_000));
        check("0.52800", plain, Ok(52_800));
        check("-0.2", plain, Ok(-20_000));
        check("+7", plain, Ok(700_000));
        check("123.45000000", plain, Ok(12_345_000));
        check("0.000001", plain, Err(NumberError::Decimals));
        check("99999999999.99", plain, Err(NumberError::TooLarge));
        check("", plain, Err(NumberError::NotANumber));
        check("1e3", plain, Err(NumberError::NotANumber));
        check("--1", plain, Err(NumberError::NotANumber));
        check("１２", plain, Err(NumberError::NotANumber));
    }

    #[test]
    fn a_thousands_separator_is_read_only_where_it_is_announced() {
        check("1,234.50", NumberForm::PLAIN, Err(NumberError::Thousands));
        let announced = NumberForm { thousands: Some(','), ..NumberForm::PLAIN };
        check("1,234.50", announced, Ok(123_450_000));
        check("1,234,567", announced, Ok(123_456_700_000));
        check("1,23", announced, Err(NumberError::NotANumber));
        check("12,34.5", announced, Err(NumberError::NotANumber));
        let german = NumberForm { decimal: ',', thousands: Some('.'), ..NumberForm::PLAIN };
        check("1.234,50", german, Ok(123_450_000));
        check("88,00", german, Ok(8_800_000));
    }

    #[test]
    fn minor_units_and_sign_letters() {
        let fen = NumberForm { minor_units: true, ..NumberForm::PLAIN };
        check("000000008800", fen, Ok(8_800_000));
        check("88.00", fen, Err(NumberError::Thousands));
        let letter = NumberForm { letter_sign: true, ..fen };
        check("C000000008747", letter, Ok(8_747_000));
        check("D000000000053", letter, Ok(-53_000));
        check("000000000053", letter, Err(NumberError::NoSignLetter));
    }

    #[test]
    fn thousandths_are_shown_without_empty_places() {
        assert_eq!(text(8_800_000, 2), "88.00");
        assert_eq!(text(-52_800, 2), "-0.528");
        assert_eq!(text(50_000, 0), "50");
    }
}
