//! Which files are expected and when: a day's file is missing once it is due and not loaded. Days on which nothing comes
//! are told by the settings.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use std::collections::BTreeSet;

/// Days back that are still looked at: what is older is no news.
pub const DAYS_BACK_MAX: i32 = 31;

/// When files of one source are expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    /// Minute of the next day at which a day's file is there.
    pub due_minute: u16,
    /// Saturdays and Sundays have no file.
    pub weekdays_only: bool,
    /// Neither have these days.
    pub holidays: BTreeSet<Date>,
    /// The first day that has one.
    pub since: Option<Date>,
    /// The clock of all that.
    pub zone: TimeZone,
    /// Business days after which a payment of a day must be settled.
    pub settles_days: u8,
}

impl Expected {
    /// Whether a day has a file.
    pub fn has_file(&self, day: Date) -> bool {
        let free = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        let closed = self.holidays.contains(&day) || (self.weekdays_only && free);
        !closed && self.since.is_none_or(|since| day >= since)
    }

    fn moment(&self, day: Date, minute: u16) -> Option<Timestamp> {
        let local = day.at((minute / 60) as i8, (minute % 60) as i8, 0, 0);
        Some(local.to_zoned_datetime(self.zone.clone()).ok()?.timestamp())
    }

    /// The day by its own clock.
    pub fn day_of(&self, now: Timestamp) -> Date {
        now.to_zoned_datetime(self.zone.clone()).date()
    }

    /// When the file of a day is due.
    pub fn due(&self, day: Date) -> Option<Timestamp> {
        self.moment(day.checked_add(1.day()).ok()?, self.due_minute)
    }

    /// Days whose file is due by now and not among those loaded, the oldest first.
    pub fn missing(&self, now: Timestamp, loaded: impl Fn(Date) -> bool) -> Vec<Date> {
        let today = self.day_of(now);
        let days = (1..=DAYS_BACK_MAX).rev().filter_map(|back| today.checked_sub(back.days()).ok());
        days.filter(|&day| {
            let is_due = self.due(day).is_some_and(|due| due <= now);
            self.has_file(day) && is_due && !loaded(day)
        })
        .collect()
    }

    /// When a payment of a day must have been settled: the evening of the last of its business days.
    pub fn settled_by(&self, day: Date) -> Option<Timestamp> {
        const EVENING: u16 = 18 * 60;
        let mut at = day;
        let mut left = self.settles_days;
        while left > 0 {
            at = at.checked_add(1.day()).ok()?;
            let free = matches!(at.weekday(), Weekday::Saturday | Weekday::Sunday);
            if !free && !self.holidays.contains(&at) {
                left -= 1;
            }
        }
        match self.settles_days {
            // Wallets bill by the calendar day: the file of the day says all.
            0 => self.due(day),
            _ => self.moment(at, EVENING),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn expected() -> Expected {
        Expected {
            due_minute: 12 * 60,
            weekdays_only: true,
            holidays: BTreeSet::from([date(2025, 11, 26)]),
            since: Some(date(2025, 11, 20)),
            zone: TimeZone::fixed(jiff::tz::offset(8)),
            settles_days: 2,
        }
    }

    #[track_caller]
    fn check(now: &str, loaded: &[Date], missing: &[Date]) {
        let now: Timestamp = now.parse().expect("a time");
        assert_eq!(expected().missing(now, |day| loaded.contains(&day)), missing, "{now}");
    }

    #[test]
    fn a_file_is_missing_when_it_is_due_and_not_there() {
        let (thursday, friday, monday) =
            (date(2025, 11, 20), date(2025, 11, 21), date(2025, 11, 24));
        check("2025-11-25T03:59:59Z", &[thursday], &[friday]);
        check("2025-11-25T04:00:00Z", &[thursday], &[friday, monday]);
        check("2025-11-25T04:00:00Z", &[thursday, friday, monday], &[]);
        check("2025-11-27T12:00:00Z", &[thursday, friday, monday, date(2025, 11, 25)], &[]);
    }

    #[test]
    fn a_payment_is_due_after_business_days() {
        let by = |day| expected().settled_by(day).map(|by| by.to_string());
        assert_eq!(by(date(2025, 11, 21)).as_deref(), Some("2025-11-25T10:00:00Z"));
        assert_eq!(by(date(2025, 11, 25)).as_deref(), Some("2025-11-28T10:00:00Z"));
        let wallet = Expected { settles_days: 0, ..expected() };
        assert_eq!(
            wallet.settled_by(date(2025, 11, 21)).map(|by| by.to_string()).as_deref(),
            Some("2025-11-22T04:00:00Z")
        );
    }
}
