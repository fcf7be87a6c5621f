//! What the fields of a message say: result, amount, numbers, card. Reads masked messages only, and judges nothing;
//! which payment it is about is known to the session.

use super::bmp::Fields;
use super::tlv;
use slipwatch_shared::card::{Card, CardBrand, EntryMode, MaskedPan};
use slipwatch_shared::message::ResponseCode;
use slipwatch_shared::money::Currency;
use slipwatch_shared::terminal::{MerchantId, TerminalId};
use slipwatch_shared::times::DeviceTime;
use slipwatch_shared::trace::{AuthorizationCode, Stan};

/// Longest card brand that is kept, in characters.
const BRAND_CHARS_MAX: usize = 16;

/// Card types of field 8A, as the manual names them, for cards that carry no name.
const CARD_TYPES: [(u8, &str); 8] = [
    (0x05, "girocard"),
    (0x06, "Mastercard"),
    (0x08, "American Express"),
    (0x0a, "Visa"),
    (0x0c, "Diners"),
    (0x0d, "V PAY"),
    (0x0e, "JCB"),
    (0x2e, "Maestro"),
];

/// The scheme that a card type of field 8A names.
pub fn scheme(card_type: u8) -> Option<&'static str> {
    CARD_TYPES.iter().find(|known| known.0 == card_type).map(|known| known.1)
}

/// What a message says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Field 27.
    pub result: Option<u8>,
    /// Field 04, in minor units.
    pub amount_minor: Option<i64>,
    /// Field 49.
    pub currency: Option<Currency>,
    /// Field 0B; where that is zero, the last six digits of the long number in 1F2B.
    pub stan: Option<Stan>,
    /// Field 37: of the payment that is undone.
    pub original_stan: Option<Stan>,
    /// Field 87.
    pub receipt: Option<u16>,
    /// Field 88.
    pub turnover: Option<u32>,
    /// Field 29, or 1F44.
    pub terminal: Option<TerminalId>,
    /// Field 2A.
    pub merchant: Option<MerchantId>,
    /// Field 3B.
    pub authorization_code: Option<AuthorizationCode>,
    /// Fields 0C and 0D: the terminal's clock, without a year.
    pub device_time: Option<DeviceTime>,
    /// Field 22, its first six and last four digits.
    pub pan: Option<MaskedPan>,
    /// Field 8B, or what 8A says.
    pub brand: Option<CardBrand>,
    /// 1F12: by stripe, chip or without contact.
    pub entry_mode: Option<EntryMode>,
    /// Field 9F36 inside a container.
    pub chip_counter: Option<u16>,
    /// Field 60.
    pub totals: Option<Totals>,
}

/// The sums of a day, over all schemes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many payments.
    pub count: u32,
    /// Their sum, in minor units.
    pub minor: i64,
}

impl Status {
    /// Reads the fields of a masked message from the byte `from` on; what follows the first strange byte is not read.
    pub fn read(message: &[u8], from: usize) -> Status {
        let mut status = Status::default();
        let (mut clock, mut month_day, mut card_type) = (None, None, None);
        for field in Fields::new(message, from) {
            let value = &message[field.from..field.to];
            match field.bmp.tag {
                0x04 => status.amount_minor = bcd(value),
                0x06 => status.read_container(message, field.from, field.to),
                0x0b => status.stan = stan(value).or(status.stan),
                0x0c => clock = Some(value),
                0x0d => month_day = Some(value),
                0x22 => status.pan = pan(value),
                0x27 => status.result = Some(value[0]),
                0x29 => status.terminal = terminal(value),
                0x2a => status.merchant = text(value).and_then(|text| text.parse().ok()),
                0x37 => status.original_stan = stan(value),
                0x3b => status.authorization_code = text(value).and_then(|text| text.parse().ok()),
                0x49 => status.currency = currency(value),
                0x60 => status.totals = Totals::read(value),
                0x87 => status.receipt = bcd(value).and_then(|number| u16::try_from(number).ok()),
                0x88 => status.turnover = bcd(value).and_then(|number| u32::try_from(number).ok()),
                0x8a => card_type = Some(value[0]),
                0x8b => status.brand = brand(value),
                _ => {}
            }
        }
        let named = |card_type| scheme(card_type)?.parse().ok();
        status.brand = status.brand.or_else(|| card_type.and_then(named));
        status.device_time = clock.and_then(|clock| device_time(clock, month_day));
        status
    }

    fn read_container(&mut self, message: &[u8], from: usize, to: usize) {
        tlv::for_each(message, from, to, &mut |field| {
            let value = &message[field.from..field.to];
            match field.tag {
                0x1f12 => self.entry_mode = entry_mode(value),
                0x1f2b if self.stan.is_none() => self.stan = long_trace(value),
                0x1f44 if self.terminal.is_none() => self.terminal = terminal(value),
                0x5a if self.pan.is_none() => self.pan = pan(value),
                0x9f36 => {
                    self.chip_counter = value.try_into().ok().map(u16::from_be_bytes);
                }
                _ => {}
            }
        });
    }

    /// The card, as far as it is told.
    pub fn card(&self) -> Option<Card> {
        let card = Card {
            pan: self.pan,
            brand: self.brand,
            entry_mode: self.entry_mode,
            chip_counter: self.chip_counter,
            token: None,
        };
        (card != Card::default()).then_some(card)
    }
}

impl Totals {
    /// First and last receipt number, and a count of one byte with a sum of six for each scheme.
    fn read(value: &[u8]) -> Option<Totals> {
        let mut totals = Totals::default();
        for scheme in value.get(4..)?.chunks_exact(7) {
            totals.count += u32::from(scheme[0]);
            totals.minor += bcd(&scheme[1..])?;
        }
        Some(totals)
    }
}

/// The number of digits in BCD; absent where one of them is none.
pub(super) fn bcd(value: &[u8]) -> Option<i64> {
    value.iter().try_fold(0_i64, |number, byte| {
        let (high, low) = (i64::from(byte >> 4), i64::from(byte & 0xf));
        let number = number.checked_mul(100)?;
        (high <= 9 && low <= 9).then_some(number + high * 10 + low)
    })
}

/// The text of a field, without what fills it up.
pub(super) fn text(value: &[u8]) -> Option<&str> {
    let end = value.iter().position(|&byte| byte == 0).unwrap_or(value.len());
    std::str::from_utf8(&value[..end]).ok().map(str::trim).filter(|text| !text.is_empty())
}

/// Zero is what terminals write where there is none.
fn stan(value: &[u8]) -> Option<Stan> {
    let number = bcd(value).filter(|number| *number > 0)?;
    Stan::from_number(u32::try_from(number).ok()?).ok()
}

/// Terminals that count beyond six digits write them here and zero in field 0B; slips and hosts know the last six.
fn long_trace(value: &[u8]) -> Option<Stan> {
    let number = bcd(value).filter(|number| *number > 0)?;
    Stan::from_number((number % 1_000_000) as u32).ok()
}

pub(super) fn currency(value: &[u8]) -> Option<Currency> {
    Currency::from_numeric(u16::try_from(bcd(value)?).ok()?)
}

fn terminal(value: &[u8]) -> Option<TerminalId> {
    let value: &[u8; 4] = value.try_into().ok()?;
    bcd(value)?;
    let mut digits = [0; 8];
    for (at, byte) in value.iter().enumerate() {
        digits[2 * at] = b'0' + (byte >> 4);
        digits[2 * at + 1] = b'0' + (byte & 0xf);
    }
    std::str::from_utf8(&digits).ok()?.parse().ok()
}

/// What is left of a card number: `E` for each digit that went, `F` where it is filled up.
fn pan(value: &[u8]) -> Option<MaskedPan> {
    let mut digits = [0_u8; 2 * 20];
    let nibbles = value.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    let mut length = 0;
    for nibble in nibbles.filter(|nibble| *nibble != 0xf) {
        *digits.get_mut(length)? = if nibble <= 9 { b'0' + nibble } else { b'*' };
        length += 1;
    }
    MaskedPan::from_masked(std::str::from_utf8(&digits[..length]).ok()?).ok()
}

fn brand(value: &[u8]) -> Option<CardBrand> {
    let text = text(value)?;
    text.get(..text.len().min(BRAND_CHARS_MAX))?.parse().ok()
}

fn entry_mode(value: &[u8]) -> Option<EntryMode> {
    match value {
        [0] => Some(EntryMode::Swiped),
        [1] => Some(EntryMode::Inserted),
        [2] => Some(EntryMode::Contactless),
        _ => None,
    }
}

fn device_time(clock: &[u8], month_day: Option<&[u8]>) -> Option<DeviceTime> {
    let two = |bytes: &[u8], at: usize| bcd(bytes.get(at..=at)?).map(|number| number as u8);
    let month_day = month_day.and_then(|date| two(date, 0).zip(two(date, 1)));
    let time = DeviceTime {
        month_day,
        hour: two(clock, 0)?,
        minute: two(clock, 1)?,
        second: two(clock, 2)?,
        ..DeviceTime::default()
    };
    time.validated().ok()
}

/// How a result code of field 27 or of an abort is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It went through.
    Approved,
    /// The host refused.
    Refused,
    /// A key was pressed, or nobody did anything in time.
    Aborted,
    /// The host cannot be reached, or broke off.
    Unreachable,
    /// The terminal would or could not.
    Failed,
}

impl Outcome {
    /// What a result code means.
    pub fn of(code: u8) -> Outcome {
        match code {
            0x00 => Outcome::Approved,
            0x01..=0x63 => Outcome::Refused,
            0x6c => Outcome::Aborted,
            0x7d | 0x9b | 0xa0 | 0xa1 | 0xa3 => Outcome::Unreachable,
            _ => Outcome::Failed,
        }
    }
}

/// The result code of a printer, the till's or the terminal's, that is not ready.
pub const PRINTER_NOT_READY: u8 = 0xcc;

/// A result code as a response code: `00`, or `0x6C`. Those of ZVT are not those of ISO 8583, of which some are approvals.
pub(super) fn response_code(code: u8) -> ResponseCode {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digits = [b'0', b'x', DIGITS[usize::from(code >> 4)], DIGITS[usize::from(code & 0xf)]];
    let text = if code == 0 { "00" } else { std::str::from_utf8(&digits).expect("ASCII") };
    text.parse().expect("two or four characters")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_result_code_but_zero_is_an_approval_or_demands_a_reversal() {
        assert!(response_code(0).is_approval());
        for code in 1..=0xff {
            let spelt = response_code(code);
            assert!(!spelt.is_approval() && !spelt.demands_reversal(), "{spelt}");
        }
        assert_eq!(response_code(0x6c).as_str(), "0x6C");
    }

    #[test]
    fn numbers_that_are_none_are_not_read() {
        let message = [0x0b, 0, 0, 0, 0x87, 0xff, 0xff, 0x29, 0xaa, 0, 0, 0, 0x49, 0x99, 0x99];
        assert_eq!(Status::read(&message, 0), Status::default());
        let long = [0x06, 7, 0x1f, 0x2b, 4, 0x10, 0x01, 0x50, 0x08];
        assert_eq!(Status::read(&long, 0).stan, Stan::from_number(15_008).ok());
    }
}
