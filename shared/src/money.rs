//! Money as whole minor units of one currency. Never a float, never a sum over two currencies.

use crate::field::FieldError;
use std::fmt;
use std::str::FromStr;

/// A currency of ISO 4217, by its three letters (`CNY`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// Alphabetic code, numeric code (ISO 8583 field 49) and number of minor digits, for the
/// currencies that terminals name by number. ISO 4217, list one.
const KNOWN: [(&str, u16, u8); 38] = [
    ("CNY", 156, 2),
    ("EUR", 978, 2),
    ("USD", 840, 2),
    ("GBP", 826, 2),
    ("CHF", 756, 2),
    ("HKD", 344, 2),
    ("MOP", 446, 2),
    ("TWD", 901, 2),
    ("JPY", 392, 0),
    ("KRW", 410, 0),
    ("SGD", 702, 2),
    ("MYR", 458, 2),
    ("THB", 764, 2),
    ("VND", 704, 0),
    ("CLP", 152, 0),
    ("BRL", 986, 2),
    ("INR", 356, 2),
    ("AUD", 36, 2),
    ("KWD", 414, 3),
    ("SEK", 752, 2),
    ("UYU", 858, 2),
    ("IDR", 360, 2),
    ("CAD", 124, 2),
    ("MXN", 484, 2),
    ("COP", 170, 2),
    ("PEN", 604, 2),
    ("ARS", 32, 2),
    ("NZD", 554, 2),
    ("NOK", 578, 2),
    ("DKK", 208, 2),
    ("PLN", 985, 2),
    ("CZK", 203, 2),
    ("HUF", 348, 2),
    ("TRY", 949, 2),
    ("ZAR", 710, 2),
    ("AED", 784, 2),
    ("SAR", 682, 2),
    ("PHP", 608, 2),
];

impl Currency {
    /// The renminbi yuan, minor unit fen.
    pub const CNY: Currency = Currency(*b"CNY");
    /// The euro, minor unit cent.
    pub const EUR: Currency = Currency(*b"EUR");

    /// The currency of a numeric ISO 4217 code, as ISO 8583 field 49 carries it.
    pub fn from_numeric(code: u16) -> Option<Currency> {
        let (letters, ..) = KNOWN.iter().find(|known| known.1 == code)?;
        letters.parse().ok()
    }

    /// The three letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("only ASCII letters were let in")
    }

    /// Digits behind the decimal point; 2 for a currency this table does not hold.
    pub fn minor_digits(&self) -> u32 {
        let known = KNOWN.iter().find(|known| known.0 == self.as_str());
        known.map_or(2, |known| u32::from(known.2))
    }
}

impl FromStr for Currency {
    type Err = FieldError;

    /// Three ASCII letters in either case, `RMB` for the yuan as slips print it, or three digits of ISO 4217.
    fn from_str(text: &str) -> Result<Currency, FieldError> {
        let wrong = || FieldError::new("a currency of ISO 4217", text);
        if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().ok().and_then(Currency::from_numeric).ok_or_else(wrong);
        }
        let mut letters: [u8; 3] = text.as_bytes().try_into().map_err(|_| wrong())?;
        letters.make_ascii_uppercase();
        match &letters {
            b"RMB" => Ok(Currency::CNY),
            _ if letters.iter().all(u8::is_ascii_uppercase) => Ok(Currency(letters)),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// An amount in minor units (fen, cent). ISO 8583 field 4 is at most twelve digits; a void or
/// refund may be printed with a minus sign and keeps it here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount {
    /// Whole minor units, `±999_999_999_999` at most.
    pub minor: i64,
    /// What they are units of.
    pub currency: Currency,
}

/// Twelve digits: ISO 8583 field 4.
pub const AMOUNT_MINOR_MAX: i64 = 999_999_999_999;

impl Amount {
    /// An amount of whole minor units.
    pub fn new(minor: i64, currency: Currency) -> Amount {
        Amount { minor, currency }
    }

    /// Reads a decimal as programs write it: optional sign, thousands commas, at most as many decimals as the currency
    /// has (`-1,234.50`).
    pub fn from_decimal(text: &str, currency: Currency) -> Result<Amount, FieldError> {
        let (negative, unsigned) = signed(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let sound = !unsigned.ends_with('.') && in_thousands(whole, ",");
        let amount = sound.then(|| Amount::from_digits(negative, whole, fraction, currency));
        amount.flatten().ok_or_else(|| FieldError::new("an amount such as 12.50", text))
    }

    /// Reads a sum as people and slips of all countries write it: `1,234.50`, `1.234,50`, `1'234.50`, `12,50`, optional
    /// sign. The last point or comma parts the decimals where a currency with so many has them, else thousands.
    pub fn from_printed(text: &str, currency: Currency) -> Result<Amount, FieldError> {
        let (negative, unsigned) = signed(text);
        let decimals_max = currency.minor_digits() as usize;
        let parts_decimals = |at: &usize| {
            let (before, sign) = (&unsigned[..*at], unsigned.as_bytes()[*at]);
            let decimals = unsigned.len() - at - 1;
            let is_only_one = !before.as_bytes().contains(&sign);
            sign != b'\'' && is_only_one && (1..=decimals_max).contains(&decimals)
        };
        let mark = unsigned.rfind(['.', ',', '\'']).filter(parts_decimals);
        let (whole, fraction) =
            mark.map_or((unsigned, ""), |at| (&unsigned[..at], &unsigned[at + 1..]));
        let sound = in_thousands(whole, ".,'");
        let amount = sound.then(|| Amount::from_digits(negative, whole, fraction, currency));
        amount.flatten().ok_or_else(|| FieldError::new("an amount such as 12.50", text))
    }

    /// Of digits before and behind the point; what parts thousands is passed over.
    fn from_digits(
        negative: bool,
        whole: &str,
        fraction: &str,
        currency: Currency,
    ) -> Option<Amount> {
        let missing = (currency.minor_digits() as usize).checked_sub(fraction.len())?;
        let mut minor: i64 = 0;
        let whole = whole.bytes().filter(|byte| !matches!(byte, b',' | b'.' | b'\''));
        let padding = std::iter::repeat_n(b'0', missing);
        for byte in whole.chain(fraction.bytes()).chain(padding) {
            if !byte.is_ascii_digit() {
                return None;
            }
            minor = minor * 10 + i64::from(byte - b'0');
            if minor > AMOUNT_MINOR_MAX {
                return None;
            }
        }
        Some(Amount { minor: if negative { -minor } else { minor }, currency })
    }

    /// Reads whole minor units as terminals log them (`000000001250`).
    pub fn from_minor_digits(text: &str, currency: Currency) -> Result<Amount, FieldError> {
        let sound =
            (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        let minor = if sound { text.parse().ok() } else { None };
        let minor = minor.ok_or_else(|| FieldError::new("one to twelve digits", text))?;
        Ok(Amount { minor, currency })
    }
}

/// A number's sign, and the rest of it.
fn signed(text: &str) -> (bool, &str) {
    let text = text.trim();
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

/// Whether digits stand alone, or in threes that one of these signs parts.
fn in_thousands(whole: &str, signs: &str) -> bool {
    let mut groups = whole.split(|sign| signs.contains(sign));
    let first = groups.next().unwrap_or_default();
    let mut is_grouped = false;
    let sound = groups.all(|group| {
        is_grouped = true;
        group.len() == 3
    });
    sound && !first.is_empty() && (!is_grouped || first.len() <= 3)
}

impl fmt::Display for Amount {
    /// `CNY 12.50`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.currency.minor_digits();
        let unit = 10_u64.pow(digits);
        let minor = self.minor.unsigned_abs();
        let sign = if self.minor < 0 { "-" } else { "" };
        write!(out, "{} {sign}{}", self.currency, minor / unit)?;
        match digits {
            0 => Ok(()),
            _ => write!(out, ".{:0width$}", minor % unit, width = digits as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<i64>) {
        assert_eq!(
            Amount::from_decimal(text, Currency::CNY).ok().map(|amount| amount.minor),
            expected
        );
    }

    #[test]
    fn decimals_become_minor_units() {
        check("0.20", Some(20));
        check("-0.20", Some(-20));
        check("1,234.5", Some(123_450));
        check("12", Some(1_200));
        check("1.234", None);
        check("", None);
        check("1.", None);
        check("1e3", None);
        check("99999999999.99", None);
        // Not 1250.00: a comma parts thousands here, or nothing.
        check("12,50", None);
        check("1234,567", None);
        check(",123", None);
    }

    #[test]
    fn a_printed_sum_parts_its_decimals_by_its_last_sign_where_the_currency_has_so_many() {
        let check = |text: &str, currency: &str, expected: Option<i64>| {
            let currency = currency.parse().expect("a currency");
            let amount = Amount::from_printed(text, currency);
            assert_eq!(amount.ok().map(|amount| amount.minor), expected, "{text} {currency}");
        };
        check("12,50", "EUR", Some(1_250));
        check("12.50", "EUR", Some(1_250));
        check("12,5", "EUR", Some(1_250));
        check("-1.234,50", "EUR", Some(-123_450));
        check("1,234.50", "EUR", Some(123_450));
        check("1'234.50", "CHF", Some(123_450));
        check("1,234", "EUR", Some(123_400));
        check("1.234", "EUR", Some(123_400));
        check("1.234", "KWD", Some(1_234));
        check("10.000", "CLP", Some(10_000));
        check("1.234.567,89", "EUR", Some(123_456_789));
        check("12,3456", "EUR", None);
        check("12,50,00", "EUR", None);
        check("1.", "EUR", None);
        check(",50", "EUR", None);
        check("1234.567", "EUR", None);
    }

    #[test]
    fn an_amount_prints_with_the_digits_of_its_currency() {
        assert_eq!(Amount::new(-123_450, Currency::CNY).to_string(), "CNY -1234.50");
        assert_eq!(
            "392".parse().map(|yen| Amount::new(50, yen).to_string()),
            Ok("JPY 50".to_owned())
        );
        assert_eq!("rmb".parse(), Ok(Currency::CNY));
    }
}
