//! What a shopper says: read once from what was typed, bounded, and without a card number. An error tells which field and
//! what was expected, never what stood there.

use super::card::{TEXT_CHARS_MAX, shows_card_number};
use super::slack::folded;
use crate::alert::language::Language;
use crate::settlement::row::worded;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use slipwatch_shared::money::{AMOUNT_MINOR_MAX, Amount, Currency};
use slipwatch_shared::terminal::StoreId;
use slipwatch_shared::times::EventTime;
use std::fmt;

worded! {
    /// What the shopper complains about.
    Trouble {
        /// Money was taken and no slip came.
        NoSlip = "no_slip",
        /// Money was taken twice.
        ChargedTwice = "charged_twice",
        /// Another amount was taken.
        WrongAmount = "wrong_amount",
        /// It was cancelled, and money was taken all the same.
        CancelledButCharged = "cancelled_but_charged",
        /// A refund did not arrive.
        RefundMissing = "refund_missing",
        /// Something else.
        Other = "other",
    }
}

worded! {
    /// A field of the form.
    Field {
        /// The shop.
        Shop = "shop",
        /// When it was.
        Time = "time",
        /// How many minutes it may be off.
        Slack = "slack",
        /// How much.
        Amount = "amount",
        /// The card's last four.
        LastFour = "last_four",
        /// The number on the phone.
        Order = "order",
        /// What happened.
        Trouble = "trouble",
        /// In the shopper's words.
        Note = "note",
        /// How to reach the shopper.
        Contact = "contact",
        /// The shopper's language.
        Language = "language",
        /// When the complaint came in.
        Received = "received",
    }
}

/// Why a form is not taken. Holds nothing of what was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A card number, or more of one than its last four digits.
    CardNumber(Field),
    /// It is longer than the field takes.
    TooLong(Field, usize),
    /// It is no such thing; the second part says what was expected.
    Malformed(Field, Expected),
    /// Nothing by which a payment could be found.
    TooLittle,
}

worded! {
    /// What a field expects.
    Expected {
        /// `2026-11-28 14:05`, `11-28 14:05`, `14:05` or a day alone.
        Moment = "a time such as 2026-11-28 14:05, 14:05, or a day alone",
        /// Up to a day.
        Minutes = "minutes, 1 to 1440",
        /// `88.00`.
        Money = "an amount such as 88.00",
        /// Four digits.
        FourDigits = "the last four digits, and no more",
        /// A wallet's or shop's order number.
        OrderNumber = "an order number of 6 to 64 letters and digits",
        /// A shop of the settings.
        KnownShop = "a shop of the settings",
        /// One of the words.
        KnownTrouble = "no_slip, charged_twice, wrong_amount, cancelled_but_charged, refund_missing or other",
        /// `zh-CN` or `en`.
        KnownLanguage = "zh-CN or en",
        /// Not in the future.
        Past = "a time that is not in the future",
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::CardNumber(field) => write!(
                out,
                "{}: this looks like a card number; it was not kept, give the last four digits alone",
                field.label()
            ),
            Refusal::TooLong(field, most) => {
                write!(out, "{}: at most {most} characters", field.label())
            }
            Refusal::Malformed(field, expected) => {
                write!(out, "{}: expected {}", field.label(), expected.label())
            }
            Refusal::TooLittle => out.write_str(
                "too little to search by: give an order number, or a day with an amount or the last four digits",
            ),
        }
    }
}

impl std::error::Error for Refusal {}

/// Most characters of what happened, in the shopper's words.
pub const NOTE_CHARS_MAX: usize = 500;
/// Most characters of how to reach the shopper.
pub const CONTACT_CHARS_MAX: usize = 80;
/// Most characters of an order number.
pub const ORDER_CHARS_MAX: usize = 64;
const ORDER_CHARS_MIN: usize = 6;
/// Most characters of any other field.
pub const FIELD_CHARS_MAX: usize = 64;
/// How much a moment may be off where the shopper does not say.
pub const SLACK_MINUTES: u32 = 30;
const SLACK_MINUTES_MAX: u32 = 1_440;
/// Spans up to this are a time of day and prove something; longer ones are a day.
pub const PRECISE_MS_MAX: i64 = 4 * 3_600_000;
const MINUTE_MS: i64 = 60_000;
/// A clock may be so far ahead of ours.
const AHEAD_MS_MAX: i64 = 10 * MINUTE_MS;

/// A span of time in which it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    /// From then on, UTC milliseconds.
    pub from_ms: i64,
    /// Until then.
    pub to_ms: i64,
}

impl When {
    /// Whether it is a time of day rather than a day.
    pub fn is_precise(&self) -> bool {
        self.to_ms - self.from_ms <= PRECISE_MS_MAX
    }
}

/// An amount as it was said: in hundredths, whatever the currency's own minor unit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SaidAmount {
    /// Hundredths of the unit that people count in.
    pub hundredths: i64,
    /// Of what, where it was said.
    pub currency: Option<Currency>,
}

impl SaidAmount {
    /// An amount in the same measure.
    pub fn hundredths_of(amount: Amount) -> i64 {
        match amount.currency.minor_digits() {
            0 => amount.minor.saturating_mul(100),
            3 => amount.minor / 10,
            _ => amount.minor,
        }
    }

    /// For people, in a currency where none was said.
    pub fn amount(&self, otherwise: Currency) -> Amount {
        let currency = self.currency.unwrap_or(otherwise);
        let minor = match currency.minor_digits() {
            0 => self.hundredths / 100,
            3 => self.hundredths.saturating_mul(10),
            _ => self.hundredths,
        };
        Amount::new(minor, currency)
    }
}

/// What a shopper says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// In which shop, where it is known.
    pub store: Option<StoreId>,
    /// When.
    pub when: Option<When>,
    /// How much.
    pub amount: Option<SaidAmount>,
    /// The card's last four digits.
    pub last_four: Option<u16>,
    /// The number on the phone, without blanks.
    pub order: Option<Box<str>>,
    /// What is wrong.
    pub trouble: Trouble,
    /// The same in the shopper's words.
    pub note: Option<Box<str>>,
    /// How to reach the shopper.
    pub contact: Option<Box<str>>,
    /// In which language the answer is written.
    pub language: Language,
}

/// What was typed, field by field; empty stands for nothing. `Debug` shows no field's text.
#[derive(Clone, Default)]
pub struct Typed {
    /// The shop's name in the settings.
    pub shop: String,
    /// When.
    pub time: String,
    /// Minutes that it may be off.
    pub slack: String,
    /// How much.
    pub amount: String,
    /// Last four digits.
    pub last_four: String,
    /// The number on the phone.
    pub order: String,
    /// What is wrong.
    pub trouble: String,
    /// In the shopper's words.
    pub note: String,
    /// How to reach the shopper.
    pub contact: String,
    /// The answer's language.
    pub language: String,
    /// When the complaint came in, where it was not just now.
    pub received: String,
}

impl fmt::Debug for Typed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Typed { .. }")
    }
}

impl Typed {
    fn fields(&self) -> [(Field, &str, usize); 11] {
        [
            (Field::Shop, self.shop.as_str(), FIELD_CHARS_MAX),
            (Field::Time, &self.time, FIELD_CHARS_MAX),
            (Field::Slack, &self.slack, FIELD_CHARS_MAX),
            (Field::Amount, &self.amount, FIELD_CHARS_MAX),
            (Field::LastFour, &self.last_four, FIELD_CHARS_MAX),
            (Field::Order, &self.order, ORDER_CHARS_MAX),
            (Field::Trouble, &self.trouble, FIELD_CHARS_MAX),
            (Field::Note, &self.note, NOTE_CHARS_MAX),
            (Field::Contact, &self.contact, CONTACT_CHARS_MAX),
            (Field::Language, &self.language, FIELD_CHARS_MAX),
            (Field::Received, &self.received, FIELD_CHARS_MAX),
        ]
    }

    /// Whether any field shows a card number; the first that does.
    pub fn refuse_card_numbers(&self) -> Result<(), Refusal> {
        for (field, text, most) in self.fields() {
            // What is longer than any text that is looked at is not looked at, and not taken.
            if text.len() > TEXT_CHARS_MAX * 4 {
                return Err(Refusal::TooLong(field, most));
            }
            if shows_card_number(text) {
                return Err(Refusal::CardNumber(field));
            }
        }
        for (field, text, most) in self.fields() {
            if text.chars().count() > most {
                return Err(Refusal::TooLong(field, most));
            }
        }
        Ok(())
    }

    /// Reads the form. `zones` gives a shop's clock, and none where there is no such shop; `otherwise` is the clock where
    /// no shop is named.
    ///
    /// # Errors
    /// Which field is wrong, and what was expected; never what stood there.
    pub fn read(
        &self,
        zone_of: impl Fn(&StoreId) -> Option<TimeZone>,
        otherwise: &TimeZone,
        now_ms: i64,
    ) -> Result<(Said, EventTime), Refusal> {
        self.refuse_card_numbers()?;
        let wrong = Refusal::Malformed;
        let (mut store, mut zone) = (None, otherwise.clone());
        if let Some(name) = given(&self.shop) {
            let unknown = wrong(Field::Shop, Expected::KnownShop);
            let name: StoreId = name.parse().map_err(|_| unknown)?;
            zone = zone_of(&name).ok_or(unknown)?;
            store = Some(name);
        }
        let slack = match given(&self.slack) {
            None => SLACK_MINUTES,
            Some(text) => plain(text)
                .parse()
                .ok()
                .filter(|minutes| (1..=SLACK_MINUTES_MAX).contains(minutes))
                .ok_or(wrong(Field::Slack, Expected::Minutes))?,
        };
        let today = moment(now_ms, &zone);
        let when = given(&self.time)
            .map(|text| when(text, today, &zone, slack).ok_or(wrong(Field::Time, Expected::Moment)))
            .transpose()?;
        if when.is_some_and(|when| when.from_ms > now_ms + AHEAD_MS_MAX) {
            return Err(wrong(Field::Time, Expected::Past));
        }
        let received = match given(&self.received) {
            None => now_ms,
            Some(text) => {
                let exactly = exactly(text, today, &zone);
                exactly.ok_or(wrong(Field::Received, Expected::Moment))?
            }
        };
        if received > now_ms + AHEAD_MS_MAX {
            return Err(wrong(Field::Received, Expected::Past));
        }
        let said = Said {
            store,
            when,
            amount: given(&self.amount)
                .map(|text| amount(text).ok_or(wrong(Field::Amount, Expected::Money)))
                .transpose()?,
            last_four: given(&self.last_four).map(last_four).transpose()?,
            order: given(&self.order).map(order).transpose()?,
            trouble: match given(&self.trouble) {
                None => Trouble::NoSlip,
                Some(word) => {
                    Trouble::named(word).ok_or(wrong(Field::Trouble, Expected::KnownTrouble))?
                }
            },
            note: given(&self.note).map(one_line),
            contact: given(&self.contact).map(one_line),
            language: match given(&self.language) {
                None => Language::default(),
                Some(tag) => {
                    tag.parse().map_err(|_| wrong(Field::Language, Expected::KnownLanguage))?
                }
            },
        };
        Ok((said, EventTime(received)))
    }
}

impl Said {
    /// Whether a payment can be searched by it: not needed where the payment is known.
    ///
    /// # Errors
    /// It names neither an order nor a day with an amount or a card.
    pub fn tells_enough(&self) -> Result<(), Refusal> {
        let more = self.amount.is_some() || self.last_four.is_some();
        let enough = self.order.is_some() || self.when.is_some() && more;
        enough.then_some(()).ok_or(Refusal::TooLittle)
    }
}

fn given(text: &str) -> Option<&str> {
    let text = text.trim();
    (!text.is_empty()).then_some(text)
}

/// Control signs out: a note is one line, wherever it is shown.
fn one_line(text: &str) -> Box<str> {
    let calm = |sign: char| if sign.is_control() || is_hidden(sign) { ' ' } else { sign };
    text.chars()
        .map(calm)
        .collect::<String>()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .into()
}

/// Signs that turn the direction of a text or are not seen.
fn is_hidden(sign: char) -> bool {
    matches!(sign, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Wide signs made plain.
fn plain(text: &str) -> String {
    let fold = |sign: char| match sign {
        '！'..='～' => char::from_u32(sign as u32 - 0xfee0).unwrap_or(sign),
        '\u{3000}' | '\u{a0}' => ' ',
        _ => sign,
    };
    text.chars().map(fold).collect::<String>().trim().to_owned()
}

fn last_four(text: &str) -> Result<u16, Refusal> {
    let digits = folded(text);
    let refused = match digits.len() {
        4 => Refusal::Malformed(Field::LastFour, Expected::FourDigits),
        // More than the last four is more than may be known here.
        5.. => Refusal::CardNumber(Field::LastFour),
        _ => Refusal::Malformed(Field::LastFour, Expected::FourDigits),
    };
    if digits.len() != 4 {
        return Err(refused);
    }
    digits.parse().map_err(|_| refused)
}

/// As it was typed, without blanks: the store is asked for it as it stands and folded.
fn order(text: &str) -> Result<Box<str>, Refusal> {
    let typed: String = plain(text).chars().filter(|sign| !sign.is_whitespace()).collect();
    let is_sound = typed.chars().all(|sign| sign.is_ascii_alphanumeric() || "-_./".contains(sign));
    match is_sound && folded(&typed).len() >= ORDER_CHARS_MIN && typed.len() <= ORDER_CHARS_MAX {
        true => Ok(typed.into()),
        false => Err(Refusal::Malformed(Field::Order, Expected::OrderNumber)),
    }
}

/// Signs and words of money, with the currency they stand for.
const MARKS: [(&str, &str); 14] = [
    ("人民币", "CNY"),
    ("CNY", "CNY"),
    ("RMB", "CNY"),
    ("￥", "CNY"),
    ("¥", "CNY"),
    ("元", "CNY"),
    ("块", "CNY"),
    ("EUR", "EUR"),
    ("€", "EUR"),
    ("USD", "USD"),
    ("$", "USD"),
    ("GBP", "GBP"),
    ("£", "GBP"),
    ("HKD", "HKD"),
];

fn amount(text: &str) -> Option<SaidAmount> {
    let mut text = plain(text).to_uppercase();
    let mut currency = None;
    for (mark, code) in MARKS {
        if text.contains(mark) {
            currency = currency.or(code.parse().ok());
            text = text.replace(mark, "");
        }
    }
    let text: String = text.chars().filter(|sign| !sign.is_whitespace() && *sign != '\'').collect();
    // Three letters of any other currency, before or behind.
    let letters: String = text.chars().filter(char::is_ascii_alphabetic).collect();
    let is_code = letters.len() == 3
        && !letters.contains('O')
        && (text.starts_with(&letters) || text.ends_with(&letters));
    let text = match is_code {
        true => {
            currency = currency.or(letters.parse().ok());
            text.replace(&letters, "")
        }
        false => text.replace('O', "0"),
    };
    let text = point_alone(&text)?;
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 10 || part.len() > 2 || !digits(whole) || !digits(part) {
        return None;
    }
    let hundredths: i64 = format!("{whole}{part:0<2}").parse().ok()?;
    (1..=AMOUNT_MINOR_MAX).contains(&hundredths).then_some(SaidAmount { hundredths, currency })
}

/// Commas and points as one decimal point: the last mark is it, unless three digits follow and it is a comma.
fn point_alone(text: &str) -> Option<String> {
    let Some(last) = text.rfind(['.', ',']) else { return Some(text.to_owned()) };
    let behind = text.len() - last - 1;
    let sign = text.as_bytes()[last];
    let marks = text.matches(['.', ',']).count();
    let is_thousands = behind == 3 && (sign == b',' || marks > 1);
    let without = |text: &str| text.replace(['.', ','], "");
    match is_thousands {
        true => Some(without(text)),
        false => Some(format!("{}.{}", without(&text[..last]), &text[last + 1..])),
    }
}

fn moment(at_ms: i64, zone: &TimeZone) -> DateTime {
    let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned_datetime(zone.clone()).datetime()
}

fn utc_ms(at: DateTime, zone: &TimeZone) -> Option<i64> {
    Some(at.to_zoned_datetime(zone.clone()).ok()?.timestamp().as_millisecond())
}

/// Day and time of day out of what was typed; the day is `today`'s where none is given, and the year the latest that is
/// not in the future.
fn day_and_time(text: &str, today: DateTime) -> Option<(Date, Option<Time>)> {
    let text = plain(text);
    let spaced: String = text
        .chars()
        .map(|sign| match sign {
            '年' | '月' | '/' | '.' => '-',
            '日' | '号' | 'T' | 't' | ',' => ' ',
            '点' | '时' => ':',
            '分' => ' ',
            sign => sign,
        })
        .collect();
    let (mut day, mut time) = (None, None);
    for part in spaced.split_whitespace() {
        if part.contains(':') && time.is_none() {
            time = Some(time_of(part)?);
        } else if part.contains('-') && day.is_none() {
            day = Some(date_of(part, today.date())?);
        } else {
            return None;
        }
    }
    match (day, time) {
        (None, None) => None,
        // A time of day alone that is still to come was yesterday's; a shopper's clock may be a little ahead.
        (None, Some(time)) if is_to_come(time, today) => {
            Some((today.date().yesterday().ok()?, Some(time)))
        }
        (day, time) => Some((day.unwrap_or(today.date()), time)),
    }
}

fn is_to_come(time: Time, now: DateTime) -> bool {
    let soon = now.checked_add(AHEAD_MS_MAX.milliseconds()).unwrap_or(now);
    soon.date() == now.date() && time > soon.time()
}

fn time_of(text: &str) -> Option<Time> {
    let mut parts = text.split(':').map(|part| part.replace(['O', 'o'], "0"));
    let mut next = |most: i8, otherwise: Option<i8>| match parts.next() {
        Some(part) if !part.is_empty() => {
            part.parse().ok().filter(|value| (0..=most).contains(value))
        }
        _ => otherwise,
    };
    let (hour, minute, second) = (next(23, None)?, next(59, Some(0))?, next(59, Some(0))?);
    Time::new(hour, minute, second, 0).ok()
}

fn date_of(text: &str, today: Date) -> Option<Date> {
    let parts: Vec<i16> =
        text.trim_matches('-').split('-').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let small = |value: i16| i8::try_from(value).ok();
    match *parts.as_slice() {
        [year, month, day] if year >= 100 => Date::new(year, small(month)?, small(day)?).ok(),
        // Day first, as Europeans write it.
        [day, month, year] if year >= 100 => Date::new(year, small(month)?, small(day)?).ok(),
        [month, day] => {
            let this = Date::new(today.year(), small(month)?, small(day)?).ok()?;
            let is_ahead = this > today.checked_add(1.day()).unwrap_or(today);
            if is_ahead {
                Date::new(today.year() - 1, small(month)?, small(day)?).ok()
            } else {
                Some(this)
            }
        }
        _ => None,
    }
}

fn when(text: &str, today: DateTime, zone: &TimeZone, slack_minutes: u32) -> Option<When> {
    let (day, time) = day_and_time(text, today)?;
    let slack_ms = i64::from(slack_minutes) * MINUTE_MS;
    match time {
        Some(time) => {
            let at = utc_ms(day.to_datetime(time), zone)?;
            // A minute that was read off a clock is as long as it lasts.
            Some(When { from_ms: at - slack_ms, to_ms: at + slack_ms + MINUTE_MS - 1 })
        }
        None => {
            let next = day.checked_add(1.day()).ok()?;
            let (from_ms, to_ms) =
                (utc_ms(day.at(0, 0, 0, 0), zone)?, utc_ms(next.at(0, 0, 0, 0), zone)? - 1);
            Some(When { from_ms, to_ms })
        }
    }
}

fn exactly(text: &str, today: DateTime, zone: &TimeZone) -> Option<i64> {
    let (day, time) = day_and_time(text, today)?;
    utc_ms(day.to_datetime(time.unwrap_or(Time::midnight())), zone)
}

#[cfg(test)]
mod tests;
