//! A message's fields to the keys of a payment.

use super::grammar::{Grammar, Part};
use super::values::{Values, is_mti};
use slipwatch_shared::card::{Card, EntryMode};
use slipwatch_shared::event::{Instrument, Keys, Kind, OriginalKeys};
use slipwatch_shared::money::{Amount, Currency};
use slipwatch_shared::times::DeviceTime;
use slipwatch_shared::trace::{BatchNumber, Stan};

/// Fields that name an original by message type, trace and more.
const ORIGINALS: [u8; 2] = [56, 90];

/// What a message says of a payment. `is_answer`: the host says it, so its time is the host's and its numbers are
/// the payment's own; in a request that refers to another payment the numbers of field 37 and 38 are that one's.
pub(super) fn keys(
    grammar: &Grammar,
    values: &Values,
    kind: Option<Kind>,
    is_answer: bool,
) -> Keys {
    let refers = !is_answer && matches!(kind, Some(Kind::Void | Kind::Refund | Kind::Completion));
    let rrn = values.get(37).and_then(|text| text.parse().ok());
    let authorization_code = values.get(38).and_then(|text| text.parse().ok());
    let original = OriginalKeys {
        stan: original_stan(grammar.parts.original_stan, values),
        batch_number: Part::of(grammar.parts.original_batch_number, values).and_then(batch_of),
        rrn: rrn.filter(|_| refers),
        authorization_code: authorization_code.filter(|_| refers),
    };
    let (instrument, card) = payer(values);
    Keys {
        kind,
        instrument,
        amount: amount(grammar, values),
        stan: stan(values),
        batch_number: batch_number(grammar, values),
        rrn: rrn.filter(|_| !refers),
        authorization_code: authorization_code.filter(|_| !refers),
        merchant: values.get(42).and_then(|text| text.parse().ok()),
        card,
        operator: operator(grammar, values).filter(|_| !is_answer),
        host_time: time(values).filter(|_| is_answer && grammar.host_time),
        original: (original != OriginalKeys::default()).then_some(original),
        ..Keys::default()
    }
}

/// Field 11. Later versions of the standard write twelve digits.
pub(super) fn stan(values: &Values) -> Option<Stan> {
    stan_of(values.get(11)?)
}

/// The payment that a reversal is a word about: its trace stands in the reversal beside the reversal's own, or is the same.
/// Other numbers of a reversal may be its own.
pub(super) fn undone(
    grammar: &Grammar,
    values: &Values,
    kind: Option<Kind>,
    is_answer: bool,
) -> Keys {
    let keys = keys(grammar, values, kind, is_answer);
    let part = match values.mti[0] {
        b'2' => grammar.parts.reversed_stan_2003,
        _ => grammar.parts.reversed_stan,
    };
    match original_stan(part, values) {
        Some(stan) => {
            Keys { stan: Some(stan), rrn: None, authorization_code: None, original: None, ..keys }
        }
        None if keys.stan.is_some() => Keys { rrn: None, authorization_code: None, ..keys },
        None => keys,
    }
}

/// The trace of an original. Where its message type stands in front of it, that must be one.
fn original_stan(part: Option<Part>, values: &Values) -> Option<Stan> {
    let part = part?;
    if ORIGINALS.contains(&part.field) {
        let head = values.get(part.field)?.get(..part.from)?;
        <[u8; 4]>::try_from(head.as_bytes()).ok().filter(|mti| is_mti(*mti))?;
    }
    Part::of(Some(part), values).and_then(stan_of)
}

fn stan_of(text: &str) -> Option<Stan> {
    // A trace of zeros is the filling of a field that names no payment.
    Stan::from_number(number(text)?).ok().filter(|stan| stan.number() > 0)
}

/// The batch, where field 60 tells it.
pub(super) fn batch_number(grammar: &Grammar, values: &Values) -> Option<BatchNumber> {
    Part::of(grammar.parts.batch_number, values).and_then(batch_of)
}

fn batch_of(text: &str) -> Option<BatchNumber> {
    BatchNumber::from_number(number(text)?).ok()
}

fn number(text: &str) -> Option<u32> {
    let sound = (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if sound { text.parse().ok() } else { None }
}

fn operator(
    grammar: &Grammar,
    values: &Values,
) -> Option<slipwatch_shared::terminal::OperatorNumber> {
    let text = Part::of(grammar.parts.operator, values)?.trim();
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// Field 49, or what stands beside the amount.
pub(super) fn currency(grammar: &Grammar, values: &Values) -> Currency {
    let named = values.get(49).and_then(|text| text.parse().ok());
    named.or(values.currency).unwrap_or(grammar.currency)
}

/// Field 4: twelve digits of minor units; in later versions the currency and the number of decimals before them.
pub(super) fn amount(grammar: &Grammar, values: &Values) -> Option<Amount> {
    let text = values.get(4)?;
    let own = currency(grammar, values);
    if values.is_decimal {
        return Amount::from_decimal(text, own).ok();
    }
    if text.len() == 16 && values.mti[0] == b'2' {
        return Amount::from_minor_digits(text.get(4..)?, text.get(..3)?.parse().ok()?).ok();
    }
    Amount::from_minor_digits(text, own).ok()
}

/// What was paid with, by field 22 and the fields of the card.
fn payer(values: &Values) -> (Option<Instrument>, Option<Card>) {
    let entry_mode = values.get(22).filter(|text| text.len() == 3);
    let (by_code, entry_mode) = match entry_mode.and_then(|text| text.get(..2)) {
        Some("01" | "79") => (false, Some(EntryMode::Manual)),
        Some("02" | "80" | "90") => (false, Some(EntryMode::Swiped)),
        Some("05" | "95") => (false, Some(EntryMode::Inserted)),
        Some("07" | "91" | "98") => (false, Some(EntryMode::Contactless)),
        Some("03") => (true, None),
        _ => (false, None),
    };
    let card =
        Card { pan: values.pan, entry_mode, chip_counter: values.chip_counter, ..Card::default() };
    let card = (card != Card::default()).then_some(card);
    match (by_code, &card) {
        (true, _) => (Some(Instrument::UnionpayQr), card),
        (false, Some(_)) => (Some(Instrument::Card), card),
        (false, None) => (None, None),
    }
}

/// Fields 12 and 13: time and date without a year; in later versions field 12 has both.
pub(super) fn time(values: &Values) -> Option<DeviceTime> {
    let text = values.get(12)?;
    let two = |text: &str, at: usize| text.get(at..at + 2)?.parse::<u8>().ok();
    let (year, date, clock) = match (text.len(), values.get(13)) {
        (14, _) => (text.get(..4)?.parse().ok(), text.get(4..8), text.get(8..)?),
        (12, _) => (
            text.get(..2)?.parse().ok().map(|year: u16| 2000 + year),
            text.get(2..6),
            text.get(6..)?,
        ),
        (6, date) => (None, date.filter(|date| date.len() == 4), text),
        _ => return None,
    };
    let month_day = match date {
        Some(date) => Some((two(date, 0)?, two(date, 2)?)),
        None => None,
    };
    let (hour, minute, second) = (two(clock, 0)?, two(clock, 2)?, two(clock, 4)?);
    DeviceTime { year, month_day, hour, minute, second, millisecond: 0 }.validated().ok()
}
