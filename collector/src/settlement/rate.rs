//! Whether the rate that is really taken has moved: the median of twenty rows, and again twenty rows that stay there. One
//! odd row moves no median; a new rate moves it for good.

use super::row::{CardClass, SettlementRow};
use jiff::civil::Date;
use slipwatch_shared::event::Instrument;
use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

/// Rows whose median is looked at.
const WINDOW: usize = 20;
/// Rows that a new median must hold for.
const STAYS: u32 = 20;
/// So far the median must move: two hundredths of a percent, in millionths.
pub const MOVED_PPM_MIN: i64 = 200;
/// Of smaller amounts the rounding to a minor unit hides the rate, in minor units.
pub const AMOUNT_MINOR_MIN: i64 = 5_000;

/// Of whose payments a rate is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    /// The account; `-` where the file names none.
    pub merchant: String,
    /// Card or wallet, where the file tells.
    pub instrument: Option<Instrument>,
    /// The card's class, where the file tells.
    pub class: Option<CardClass>,
}

impl Series {
    /// That of a row.
    pub fn of(row: &SettlementRow) -> Series {
        let merchant = row.merchant.as_deref().unwrap_or("-").to_owned();
        Series { merchant, instrument: row.instrument, class: row.class }
    }
}

const INSTRUMENTS: [(Instrument, &str); 4] = [
    (Instrument::Card, "card"),
    (Instrument::WechatQr, "wechat"),
    (Instrument::AlipayQr, "alipay"),
    (Instrument::UnionpayQr, "unionpay"),
];

impl fmt::Display for Series {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = INSTRUMENTS.iter().find(|(known, _)| Some(*known) == self.instrument);
        let by = known.map_or("any", |(_, word)| word);
        let class = self.class.map_or("any", CardClass::label);
        write!(out, "{} {by} {class}", self.merchant)
    }
}

impl FromStr for Series {
    type Err = SeriesError;

    fn from_str(text: &str) -> Result<Series, SeriesError> {
        // An account may hold blanks; the two words behind it do not.
        let mut parts = text.rsplitn(3, ' ');
        let class = parts.next().ok_or(SeriesError)?;
        let by = parts.next().ok_or(SeriesError)?;
        let merchant = parts.next().ok_or(SeriesError)?.to_owned();
        let instrument = INSTRUMENTS.iter().find(|(_, word)| *word == by).map(|(known, _)| *known);
        Ok(Series { merchant, instrument, class: CardClass::named(class) })
    }
}

/// A text that names no series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an account, an instrument and a card class")]
pub struct SeriesError;

/// The rates of one account and card class, in the order of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// The median that stands, in millionths.
    stands: Option<i64>,
    recent: VecDeque<i64>,
    moved_for: u32,
    /// The day of the first row that moved it.
    moved_since: Option<Date>,
}

/// A rate that moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// From, in millionths.
    pub from_ppm: i64,
    /// To, in millionths.
    pub to_ppm: i64,
    /// Since the row of this day.
    pub since: Date,
}

impl Rates {
    /// A row's rate. Tells when a move has stayed long enough.
    pub fn push(&mut self, ppm: i64, day: Date) -> Option<Moved> {
        if self.recent.len() == WINDOW {
            self.recent.pop_front();
        }
        self.recent.push_back(ppm);
        if self.recent.len() < WINDOW {
            return None;
        }
        let median = self.median();
        let stands = *self.stands.get_or_insert(median);
        if (median - stands).abs() < MOVED_PPM_MIN {
            (self.moved_for, self.moved_since) = (0, None);
            return None;
        }
        self.moved_for += 1;
        let since = *self.moved_since.get_or_insert(day);
        if self.moved_for < STAYS {
            return None;
        }
        self.stands = Some(median);
        (self.moved_for, self.moved_since) = (0, None);
        Some(Moved { from_ppm: stands, to_ppm: median, since })
    }

    fn median(&self) -> i64 {
        let mut sorted: Vec<i64> = self.recent.iter().copied().collect();
        sorted.sort_unstable();
        sorted[sorted.len() / 2]
    }

    /// As it is stored.
    pub fn text(&self) -> String {
        let recent: Vec<String> = self.recent.iter().map(i64::to_string).collect();
        let stands = self.stands.map_or_else(String::new, |stands| stands.to_string());
        let since = self.moved_since.map_or_else(String::new, |since| since.to_string());
        format!("{stands};{};{since};{}", self.moved_for, recent.join(","))
    }

    /// From what [`Rates::text`] wrote; anew from anything else.
    pub fn from_text(text: &str) -> Rates {
        let parts: Vec<&str> = text.split(';').collect();
        let [stands, moved_for, since, recent] = parts.as_slice() else { return Rates::default() };
        Rates {
            stands: stands.parse().ok(),
            moved_for: moved_for.parse().unwrap_or(0),
            moved_since: since.parse().ok(),
            recent: recent.split(',').filter_map(|part| part.parse().ok()).take(WINDOW).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Date = jiff::civil::date(2025, 11, 24);

    #[track_caller]
    fn check(rows: &[(usize, i64)], expected: &[(i64, i64)]) {
        let mut rates = Rates::default();
        let mut moved = Vec::new();
        for (count, ppm) in rows {
            for _ in 0..*count {
                // Stopped and started again at every row.
                rates = Rates::from_text(&rates.text());
                moved.extend(rates.push(*ppm, DAY).map(|moved| (moved.from_ppm, moved.to_ppm)));
            }
        }
        assert_eq!(moved, expected);
    }

    #[test]
    fn a_new_rate_is_told_once_when_it_stays() {
        check(&[(30, 3_800), (60, 4_200)], &[(3_800, 4_200)]);
        check(&[(30, 3_800), (30, 6_000), (60, 3_800)], &[(3_800, 6_000), (6_000, 3_800)]);
    }

    #[test]
    fn odd_rows_and_small_moves_are_no_new_rate() {
        check(&[(30, 3_800), (9, 9_000), (60, 3_800)], &[]);
        check(&[(30, 3_800), (60, 3_900)], &[]);
        check(&[(19, 3_800)], &[]);
        check(&[(30, 3_800), (15, 6_000), (60, 3_800)], &[]);
    }
}
