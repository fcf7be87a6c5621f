//! When a log's lines were written: a device prints local time, often without a year, sometimes without a date. The zone is
//! told by whoever reads the log; what is not printed is the latest that the end of the log leaves room for. Reads no clock.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use slipwatch_shared::times::{DeviceTime, EventTime};

/// A device's clock may be so far ahead of the machine that wrote the file: a zone that was not told is within it.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);
/// The same of a time without a date: more, and yesterday evening would be this evening.
const AHEAD_WITHOUT_DATE: SignedDuration = SignedDuration::from_hours(1);
/// A date that there is in some years only comes at least so often.
const YEARS_MAX: i16 = 8;

/// The zone of a log's times, and when the log ended.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    /// The latest local time of a line with a date, and of one without.
    latest: DateTime,
    latest_without_date: DateTime,
}

impl Calendar {
    /// Of a log that was written to last at `ended`.
    pub fn new(zone: TimeZone, ended: EventTime) -> Calendar {
        let ended = Timestamp::from_millisecond(ended.0).unwrap_or_default();
        let local = |ahead| zone.to_datetime(ended.saturating_add(ahead).unwrap_or(ended));
        let (latest, latest_without_date) = (local(AHEAD), local(AHEAD_WITHOUT_DATE));
        Calendar { zone, latest, latest_without_date }
    }

    /// UTC, in milliseconds since 1970; nothing of a date that there is not, such as the 30th of February.
    pub fn instant(&self, shown: DeviceTime) -> Option<EventTime> {
        // A leap second is read as the second before it.
        let second = shown.second.min(59) as i8;
        let nanosecond = i32::from(shown.millisecond) * 1_000_000;
        let time = Time::new(shown.hour as i8, shown.minute as i8, second, nanosecond).ok()?;
        let local = match (shown.year, shown.month_day) {
            (Some(year), month_day) => {
                let (month, day) = month_day.unwrap_or((1, 1));
                Date::new(year as i16, month as i8, day as i8).ok()?.to_datetime(time)
            }
            (None, Some((month, day))) => {
                let last = self.latest.year();
                let years = (last - YEARS_MAX..=last).rev();
                years
                    .filter_map(|year| Date::new(year, month as i8, day as i8).ok())
                    .map(|date| date.to_datetime(time))
                    .find(|&local| local <= self.latest)?
            }
            (None, None) => {
                let today = self.latest_without_date.date();
                let local = today.to_datetime(time);
                match local <= self.latest_without_date {
                    true => local,
                    false => today.yesterday().ok()?.to_datetime(time),
                }
            }
        };
        // An hour that comes twice is its first, one that is left out is the one behind it.
        let at = self.zone.to_ambiguous_timestamp(local).compatible().ok()?;
        Some(EventTime(at.as_millisecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::device_clock::TimeFormat;

    /// What a line shows, read where the log ended at `ended`.
    #[track_caller]
    fn check(zone: &str, ended: &str, (format, shown): (&str, &str), expected: &str) {
        let zone = TimeZone::get(zone).expect("a zone");
        let ended: Timestamp = ended.parse().expect("a time");
        let calendar = Calendar::new(zone, EventTime(ended.as_millisecond()));
        let (time, _) =
            TimeFormat::parse(format).expect("a format").read(shown).expect("such a time");
        let at = calendar.instant(time).map(|at| at.0);
        let at = at.map(|at| Timestamp::from_millisecond(at).expect("in range").to_string());
        assert_eq!(at.as_deref().unwrap_or("none"), expected, "{shown}");
    }

    const FULL: &str = "%Y-%m-%d %H:%M:%S";
    const SHORT: &str = "%m-%d %H:%M:%S";

    #[test]
    fn local_time_becomes_the_moment_that_it_was() {
        let ended = "2026-11-29T00:00:00Z";
        let shown = (FULL, "2026-11-24 09:05:00");
        check("Asia/Shanghai", ended, shown, "2026-11-24T01:05:00Z");
        check("UTC", ended, shown, "2026-11-24T09:05:00Z");
        check("America/Santiago", ended, shown, "2026-11-24T12:05:00Z");
        // Summer time: the hour that is left out, and the one that comes twice.
        check("Europe/Berlin", ended, (FULL, "2026-03-29 02:30:00"), "2026-03-29T01:30:00Z");
        check("Europe/Berlin", ended, (FULL, "2026-10-25 02:30:00"), "2026-10-25T00:30:00Z");
    }

    #[test]
    fn a_year_that_is_not_printed_is_the_latest_that_is_not_in_the_future() {
        let check = |ended, shown, expected| {
            check("Asia/Shanghai", ended, (SHORT, shown), expected);
        };
        check("2026-11-29T00:00:00Z", "11-24 09:05:00", "2026-11-24T01:05:00Z");
        check("2026-01-02T00:00:00Z", "12-31 23:59:00", "2025-12-31T15:59:00Z");
        check("2026-01-02T00:00:00Z", "01-01 00:01:00", "2025-12-31T16:01:00Z");
        // A clock that is ahead does not throw a log back by a year; a date that comes later does.
        check("2026-11-24T00:00:00Z", "11-24 09:05:00", "2026-11-24T01:05:00Z");
        check("2026-11-24T00:00:00Z", "11-26 09:05:00", "2025-11-26T01:05:00Z");
        check("2026-11-24T00:00:00Z", "02-29 12:00:00", "2024-02-29T04:00:00Z");
        check("2026-11-24T00:00:00Z", "02-30 12:00:00", "none");
    }

    #[test]
    fn a_date_that_is_not_printed_is_that_of_the_logs_end_or_the_day_before() {
        let ended = "2026-11-24T10:00:00Z";
        check("Asia/Shanghai", ended, ("%H:%M", "18:00"), "2026-11-24T10:00:00Z");
        check("Asia/Shanghai", ended, ("%H:%M", "18:30"), "2026-11-24T10:30:00Z");
        check("Asia/Shanghai", ended, ("%H:%M", "23:10"), "2026-11-23T15:10:00Z");
    }
}
