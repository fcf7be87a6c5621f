//! Values of the settings file that are more than their text: read once, with the reader's own place in the file.

use jiff::civil::{Date, Weekday};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use slipwatch_shared::money::{Amount, Currency};
use std::fmt;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::str::FromStr;

/// A value that is read from its text.
#[derive(Clone, Debug)]
pub(super) struct Parsed<T>(pub(super) T);

impl<'de, T> Deserialize<'de> for Parsed<T>
where
    T: FromStr,
    T::Err: fmt::Display,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text<T>(PhantomData<T>);
        impl<T> Visitor<'_> for Text<T>
        where
            T: FromStr,
            T::Err: fmt::Display,
        {
            type Value = Parsed<T>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a text")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                text.parse().map(Parsed).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text(PhantomData))
    }
}

/// Where something listens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listen(pub(super) SocketAddr);

impl FromStr for Listen {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Listen, Expected> {
        text.parse()
            .map(Listen)
            .map_err(|_| Expected("an address and a port such as \"127.0.0.1:9480\""))
    }
}

/// A day of the calendar.
#[derive(Clone, Copy, Debug)]
pub(super) struct Day(pub(super) Date);

impl FromStr for Day {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Day, Expected> {
        text.parse().map(Day).map_err(|_| Expected("a day such as \"2026-01-31\""))
    }
}

/// A length of time in seconds, whole or with a fraction, above zero.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seconds {
    /// The same in milliseconds.
    pub(super) ms: i64,
}

/// Longest time a setting may say: a year.
const SECONDS_MAX: f64 = 366.0 * 86_400.0;

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Seconds;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("seconds, above 0 and at most a year")
            }

            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Seconds, E> {
                self.visit_f64(seconds as f64)
            }

            fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Seconds, E> {
                let ms = (seconds * 1000.0).round();
                if !(1.0..=SECONDS_MAX * 1000.0).contains(&ms) {
                    return Err(E::invalid_value(de::Unexpected::Float(seconds), &self));
                }
                Ok(Seconds { ms: ms as i64 })
            }
        }
        deserializer.deserialize_any(Number)
    }
}

/// Why a text is no value of a setting.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("expected {0}")]
pub(super) struct Expected(&'static str);

/// A time of day, `09:30`, as minutes since midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock(pub(super) u16);

impl FromStr for Clock {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Clock, Expected> {
        let read = || {
            let (hour, minute) = text.split_once(':')?;
            let number = |part: &str, below: u16| {
                let sound = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
                part.parse::<u16>().ok().filter(|&number| sound && number < below)
            };
            Some(Clock(number(hour, 24)? * 60 + number(minute, 60)?))
        };
        read().ok_or(Expected("a time of day such as \"09:30\""))
    }
}

/// Opening hours, `09:00-22:00`; the same or an earlier time at the end is on the next day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hours {
    /// Opens.
    pub(super) from: Clock,
    /// Closes.
    pub(super) to: Clock,
}

impl FromStr for Hours {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Hours, Expected> {
        let read = || {
            let (from, to) = text.split_once('-')?;
            Some(Hours { from: from.trim().parse().ok()?, to: to.trim().parse().ok()? })
        };
        read().ok_or(Expected("opening hours such as \"09:00-22:00\""))
    }
}

/// A day on which a shop is closed: of each week, or one of the calendar.
#[derive(Clone, Copy, Debug)]
pub(super) enum Closed {
    /// Each week.
    Weekly(Weekday),
    /// Once.
    Once(Date),
}

impl FromStr for Closed {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Closed, Expected> {
        let named = |day: &Weekday| format!("{day:?}").eq_ignore_ascii_case(text);
        let weekly = Weekday::Monday.cycle_forward().take(7).find(named).map(Closed::Weekly);
        let once = || text.parse().ok().map(Closed::Once);
        weekly
            .or_else(once)
            .ok_or(Expected("a weekday such as \"sunday\", or a day such as \"2026-01-31\""))
    }
}

/// Money, `10.00 CNY`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Money(pub(super) Amount);

impl FromStr for Money {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Money, Expected> {
        let read = || {
            let (number, currency) = text.split_once(' ')?;
            let currency: Currency = currency.trim().parse().ok()?;
            Amount::from_printed(number, currency).ok().map(Money)
        };
        read().ok_or(Expected("an amount such as \"10.00 CNY\""))
    }
}

/// A time zone: a name such as `Asia/Shanghai`, or a fixed offset such as `+08:00`.
#[derive(Clone, Debug)]
pub(super) struct Zone(pub(super) jiff::tz::TimeZone);

impl FromStr for Zone {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Zone, Expected> {
        let fixed = || {
            let (sign, clock) = text.split_at_checked(1)?;
            let minutes = i32::from(clock.parse::<Clock>().ok()?.0);
            let seconds = match sign {
                "+" => minutes * 60,
                "-" => -minutes * 60,
                _ => return None,
            };
            jiff::tz::Offset::from_seconds(seconds).ok().map(jiff::tz::TimeZone::fixed)
        };
        let named = || jiff::tz::TimeZone::get(text).ok();
        fixed().or_else(named).map(Zone).ok_or(Expected(
            "a time zone of this machine such as \"Asia/Shanghai\", or an offset such as \"+08:00\"",
        ))
    }
}

/// A mail address, `name@host` or `Name <name@host>`.
#[derive(Clone, Debug)]
pub(super) struct Address(pub(super) String);

impl FromStr for Address {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Address, Expected> {
        let sound = text.parse::<lettre::message::Mailbox>().is_ok();
        sound.then(|| Address(text.to_owned())).ok_or(Expected("a mail address"))
    }
}
