//! Cells as values: times, numbers by which a payment is known, words. What cannot be kept of an identifier is left out
//! and counted; what cannot be read of a time or an amount refuses the file elsewhere.

use crate::settlement::row::{Precision, RowTime, TEXT_CHARS_MAX};
use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;
use slipwatch_shared::card::MaskedPan;
use slipwatch_shared::times::EventTime;
use slipwatch_shared::trace::{BatchNumber, Rrn, Stan};

/// Reads a time by its format. A year that the format lacks is that of `near`, or its neighbour.
pub fn time(text: &str, format: &str, near: Option<Date>) -> Option<(DateTime, Precision)> {
    if format == COMMON
        && let Some(found) = common(text)
    {
        return Some((found, Precision::Second));
    }
    let mut parts = BrokenDownTime::parse(format, text).ok()?;
    if parts.year().is_none() {
        let near = near?;
        let month = parts.month()?;
        // A file of New Year's Day holds the last evening of the year before, and the other way round.
        let year = match (near.month(), month) {
            (1, 12) => near.year() - 1,
            (12, 1) => near.year() + 1,
            _ => near.year(),
        };
        parts.set_year(Some(year)).ok()?;
    }
    let date = parts.to_date().ok()?;
    if parts.hour().is_none() {
        return Some((date.at(0, 0, 0, 0), Precision::Day));
    }
    let precision = if parts.second().is_none() { Precision::Minute } else { Precision::Second };
    let (hour, minute) = (parts.hour()?, parts.minute().unwrap_or(0));
    let second = parts.second().unwrap_or(0).min(59);
    Some((date.at(hour, minute, second, 0), precision))
}

const COMMON: &str = "%Y-%m-%d %H:%M:%S";

/// The commonest form, without the general reader.
fn common(text: &str) -> Option<DateTime> {
    let bytes: &[u8; 19] = text.as_bytes().try_into().ok()?;
    let number = |from: usize, to: usize| {
        bytes[from..to].iter().try_fold(0_i16, |sum, byte| {
            byte.is_ascii_digit().then(|| sum * 10 + i16::from(byte - b'0'))
        })
    };
    let split = [(4, b'-'), (7, b'-'), (10, b' '), (13, b':'), (16, b':')];
    if split.iter().any(|&(at, sign)| bytes[at] != sign) {
        return None;
    }
    let small = |from: usize, to: usize| number(from, to).map(|number| number as i8);
    let date = Date::new(number(0, 4)?, small(5, 7)?, small(8, 10)?).ok()?;
    let time = jiff::civil::Time::new(small(11, 13)?, small(14, 16)?, small(17, 19)?, 0).ok()?;
    Some(DateTime::from_parts(date, time))
}

/// A local time in UTC. A time that a clock showed twice is its first one.
pub fn row_time(local: DateTime, precision: Precision, zone: &TimeZone) -> Option<RowTime> {
    let at = match zone.to_fixed_offset() {
        Ok(offset) => offset.to_timestamp(local).ok()?,
        Err(_) => local.to_zoned_datetime(zone.clone()).ok()?.timestamp(),
    };
    Some(RowTime { at: EventTime(at.as_millisecond()), precision })
}

fn digits(text: &str, count_max: usize) -> Option<u32> {
    let sound =
        (1..=count_max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if sound { text.parse().ok() } else { None }
}

/// 凭证号, with the zeros that some files leave out.
pub fn stan(text: &str) -> Option<Stan> {
    Stan::from_number(digits(text, 6)?).ok()
}

/// 批次号, likewise.
pub fn batch_number(text: &str) -> Option<BatchNumber> {
    BatchNumber::from_number(digits(text, 6)?).ok()
}

/// 参考号, likewise.
pub fn rrn(text: &str) -> Option<Rrn> {
    let short =
        text.len() < 12 && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if short { format!("{text:0>12}").parse().ok() } else { text.parse().ok() }
}

/// What may be kept of a card's number: first six and last four digits, whatever was written.
pub fn card(text: &str) -> Option<MaskedPan> {
    if let Ok(masked) = MaskedPan::from_masked(text) {
        return Some(masked);
    }
    let head: String = text.chars().take_while(char::is_ascii_digit).take(6).collect();
    let tail: String = text.chars().rev().take_while(char::is_ascii_digit).take(4).collect();
    let tail: String = tail.chars().rev().collect();
    let signs = text.chars().count();
    let first_six = (head.len() == 6 && signs >= 10).then_some(head.as_str());
    MaskedPan::from_parts(first_six, &tail).ok()
}

/// Digits in a row that may be a card number; in free texts they are taken out.
const SECRET_DIGITS_MIN: usize = 12;

/// So many, where other signs than blanks and dashes part them: twelve digits by fours may be three codes.
const SECRET_PARTED_MIN: usize = 13;

/// A row of digits in a free text, as it was written.
#[derive(Default)]
struct Run {
    text: String,
    digits: usize,
    /// Digits since the last sign between.
    group: usize,
    is_parted: bool,
}

impl Run {
    /// Takes the sign if the row goes on with it; `next` is the one behind it.
    fn goes_on(&mut self, sign: char, next: Option<char>) -> bool {
        if sign.is_numeric() {
            (self.digits, self.group) = (self.digits + 1, self.group + 1);
            self.text.push(sign);
            return true;
        }
        // Card numbers are written with blanks and dashes between, and by fours or sixes with anything.
        let is_gap = matches!(sign, ' ' | '-');
        let is_part = matches!(self.group, 4 | 6)
            && !sign.is_alphanumeric()
            && next.is_some_and(char::is_numeric);
        if self.digits == 0 || !is_gap && !is_part {
            return false;
        }
        self.is_parted |= !is_gap;
        self.group = 0;
        self.text.push(sign);
        true
    }

    /// Ends the row: what of it is kept.
    fn end(&mut self, kept: &mut String) {
        let run = std::mem::take(self);
        let least = if run.is_parted { SECRET_PARTED_MIN } else { SECRET_DIGITS_MIN };
        if run.digits < least {
            return kept.push_str(&run.text);
        }
        kept.push('…');
        if run.text.ends_with(' ') {
            kept.push(' ');
        }
    }
}

/// A free text as it is kept: short, on one line, without anything that may be a card number, and without a first sign
/// that a spreadsheet would take for a formula.
pub fn free_text(text: &str) -> Option<Box<str>> {
    let (mut kept, mut run) = (String::new(), Run::default());
    let plain = |char: char| if char.is_control() { ' ' } else { char };
    let mut signs = text.trim().chars().map(plain).peekable();
    while let Some(sign) = signs.next() {
        if !run.goes_on(sign, signs.peek().copied()) {
            run.end(&mut kept);
            kept.push(sign);
        }
    }
    run.end(&mut kept);
    let kept: String = kept.trim().chars().take(TEXT_CHARS_MAX).collect();
    (!kept.is_empty()).then(|| kept.into_boxed_str())
}

/// A name or reference as it is kept: short, on one line.
pub fn name(text: &str) -> Option<Box<str>> {
    let plain = text.trim().chars().map(|char| if char.is_control() { ' ' } else { char });
    let kept: String = plain.take(TEXT_CHARS_MAX).collect();
    (!kept.is_empty()).then(|| kept.into_boxed_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, format: &str, expected: Option<&str>) {
        let near = "2025-01-01".parse().ok();
        let found = time(text, format, near)
            .map(|(time, precision)| format!("{time} {}", precision.label()));
        assert_eq!(found.as_deref(), expected, "{text}");
    }

    #[test]
    fn times_are_read_as_exactly_as_they_are_told() {
        check("2025-11-24 12:30:05", COMMON, Some("2025-11-24T12:30:05 second"));
        check("2025-02-30 12:30:05", COMMON, None);
        check("2025/11/24 9:30", "%Y/%m/%d %H:%M", Some("2025-11-24T09:30:00 minute"));
        check("20251124", "%Y%m%d", Some("2025-11-24T00:00:00 day"));
        check("1231235959", "%m%d%H%M%S", Some("2024-12-31T23:59:59 second"));
        check("0101000001", "%m%d%H%M%S", Some("2025-01-01T00:00:01 second"));
        check("2025-11-24 12:30:05 ", COMMON, None);
    }

    #[test]
    fn of_a_card_first_six_and_last_four_are_kept_whatever_is_written() {
        let kept = |text: &str| card(text).map(|pan| pan.to_string());
        assert_eq!(kept("4111111111111111").as_deref(), Some("411111******1111"));
        assert_eq!(kept("622576******6691").as_deref(), Some("622576******6691"));
        assert_eq!(kept("6225 **** **** 6691").as_deref(), Some("******6691"));
        assert_eq!(kept("6691").as_deref(), Some("******6691"));
        assert_eq!(kept("62257*6691").as_deref(), Some("******6691"));
        assert_eq!(kept("unknown"), None);
    }

    #[test]
    fn a_free_text_keeps_no_card_number_and_no_line_end() {
        let kept = |text: &str| free_text(text).map(String::from);
        assert_eq!(kept(" tea,\nlarge ").as_deref(), Some("tea, large"));
        assert_eq!(kept("card 4111 1111 1111 1111 ok").as_deref(), Some("card … ok"));
        assert_eq!(kept("4111-1111-1111-1111").as_deref(), Some("…"));
        assert_eq!(kept("tea 4111.1111.1111.1111").as_deref(), Some("tea …"));
        assert_eq!(kept("4111\u{a0}1111_1111/1111 ok").as_deref(), Some("… ok"));
        assert_eq!(kept("卡４１１１１１１１１１１１１１１１号").as_deref(), Some("卡…号"));
        assert_eq!(kept("3782.822463.10005").as_deref(), Some("…"));
        assert_eq!(kept("2025/11/24 12:30:05 T1").as_deref(), Some("2025/11/24 12:30:05 T1"));
        assert_eq!(kept("1010/2020/3030").as_deref(), Some("1010/2020/3030"));
        assert_eq!(kept("order 20251124").as_deref(), Some("order 20251124"));
        assert_eq!(kept("  "), None);
    }
}
