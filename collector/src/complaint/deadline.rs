//! What is due when: the first answer, what was promised, the end of the matter, the scheme's limit. Business days by the
//! shop's clock; time is always an argument.

use super::answer::Promise;
use crate::settlement::row::worded;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use slipwatch_shared::times::EventTime;
use std::collections::BTreeSet;

/// Days and what may be promised in them.
#[derive(Clone, Debug, PartialEq)]
pub struct Calendar {
    /// Business days until a first answer.
    pub first_answer_days: u8,
    /// Business days until the shopper hears of an inquiry.
    pub inquiry_days: u8,
    /// Business days until a complaint is closed.
    pub close_days: u8,
    /// Business days until money is back on a card.
    pub back_card_days: u8,
    /// The same of a wallet.
    pub back_wallet_days: u8,
    /// Days from the payment on in which schemes take a dispute.
    pub scheme_days: u16,
    /// Saturdays and Sundays are business days.
    pub weekends: bool,
    /// Days that are none.
    pub holidays: BTreeSet<Date>,
    /// So long before a date is reminded of.
    pub remind_ms: i64,
    /// A complaint that fits nothing is told after this.
    pub unmatched_ms: i64,
    /// The shop's clock.
    pub zone: TimeZone,
}

/// A scheme's limit is warned of when so many hundredths of it are over.
const SCHEME_WARN_PERCENT: i64 = 80;
const DAY_MS: i64 = 86_400_000;
/// No calendar is looked further into than this.
const DAYS_MAX: i32 = 400;

worded! {
    /// What is due.
    DueKind {
        /// The first answer.
        FirstAnswer = "first_answer",
        /// What the answer promised.
        Promised = "promised",
        /// The end of the matter.
        Close = "close",
        /// The last days in which the scheme takes a dispute.
        Scheme = "scheme",
    }
}

/// Something that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// What.
    pub kind: DueKind,
    /// When.
    pub at: EventTime,
    /// When it is reminded of.
    pub remind_at: EventTime,
}

impl Calendar {
    fn is_business(&self, day: Date) -> bool {
        let free = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        !self.holidays.contains(&day) && (self.weekends || !free)
    }

    /// The same time of day so many business days later. What comes on a free day counts from the end of it.
    pub fn business_days_after(&self, from: EventTime, days: u8) -> EventTime {
        let at = Timestamp::from_millisecond(from.0).unwrap_or(Timestamp::UNIX_EPOCH);
        let mut local = at.to_zoned_datetime(self.zone.clone()).datetime();
        let next = |local: jiff::civil::DateTime| local.checked_add(1.day()).unwrap_or(local);
        for _ in 0..DAYS_MAX {
            if self.is_business(local.date()) {
                break;
            }
            local = next(local).date().at(0, 0, 0, 0);
        }
        for _ in 0..days {
            local = next(local);
            for _ in 0..DAYS_MAX {
                if self.is_business(local.date()) {
                    break;
                }
                local = next(local);
            }
        }
        let due = local.to_zoned_datetime(self.zone.clone());
        due.map_or(from, |due| EventTime(due.timestamp().as_millisecond()))
    }

    /// Business days until money is back.
    pub fn money_back_days(&self, by_wallet: bool) -> u8 {
        if by_wallet { self.back_wallet_days } else { self.back_card_days }
    }

    fn due(&self, kind: DueKind, at: EventTime) -> Due {
        Due { kind, at, remind_at: EventTime(at.0.saturating_sub(self.remind_ms)) }
    }

    /// What is next due of a complaint that came in at `received`: whether it was answered, what was promised, and whether
    /// the scheme's limit was warned of.
    pub fn next_due(
        &self,
        received: EventTime,
        answered: bool,
        promised: Option<(Promise, EventTime)>,
        paid_at: Option<EventTime>,
        scheme_told: bool,
    ) -> Due {
        let closing = self.due(DueKind::Close, self.business_days_after(received, self.close_days));
        let own = match (answered, promised) {
            (false, _) => {
                let at = self.business_days_after(received, self.first_answer_days);
                self.due(DueKind::FirstAnswer, at)
            }
            (true, Some((_, at))) => self.due(DueKind::Promised, at),
            (true, None) => closing,
        };
        let scheme = paid_at.map(|paid| {
            let limit_ms = i64::from(self.scheme_days) * DAY_MS;
            let at = EventTime(paid.0.saturating_add(limit_ms));
            let warn = paid.0.saturating_add(limit_ms * SCHEME_WARN_PERCENT / 100);
            Due { kind: DueKind::Scheme, at, remind_at: EventTime(warn) }
        });
        match scheme {
            // Its warning comes days before its end, so the earlier word counts; it is given once.
            Some(scheme) if !scheme_told && scheme.remind_at < own.remind_at => scheme,
            _ => own,
        }
    }
}

#[cfg(test)]
pub(crate) use tests::calendar as test_calendar;

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn calendar() -> Calendar {
        Calendar {
            first_answer_days: 1,
            inquiry_days: 2,
            close_days: 10,
            back_card_days: 7,
            back_wallet_days: 1,
            scheme_days: 90,
            weekends: false,
            holidays: BTreeSet::from([jiff::civil::date(2026, 12, 1)]),
            remind_ms: 4 * 3_600_000,
            unmatched_ms: DAY_MS,
            zone: TimeZone::fixed(jiff::tz::offset(8)),
        }
    }

    fn time(text: &str) -> EventTime {
        EventTime(text.parse::<Timestamp>().expect("a time").as_millisecond())
    }

    #[track_caller]
    fn check(from: &str, days: u8, expected: &str) {
        let found = calendar().business_days_after(time(from), days);
        assert_eq!(found, time(expected), "{} days after {from}", days);
    }

    #[test]
    fn free_days_and_holidays_do_not_count() {
        check("2026-11-26T06:00:00Z", 1, "2026-11-27T06:00:00Z");
        // Friday afternoon to Monday afternoon.
        check("2026-11-27T06:00:00Z", 1, "2026-11-30T06:00:00Z");
        // What comes on a Saturday has until Monday's end, which is the holiday's beginning, and so Wednesday.
        check("2026-11-28T06:00:00Z", 0, "2026-11-29T16:00:00Z");
        check("2026-11-28T06:00:00Z", 1, "2026-12-01T16:00:00Z");
        let always = Calendar { weekends: true, ..calendar() };
        let from = time("2026-11-28T06:00:00Z");
        assert_eq!(always.business_days_after(from, 1), time("2026-11-29T06:00:00Z"));
    }

    #[test]
    fn the_first_answer_is_due_first_and_then_what_it_promised() {
        let (calendar, received) = (calendar(), time("2026-11-26T06:00:00Z"));
        let due = calendar.next_due(received, false, None, None, false);
        assert_eq!((due.kind, due.at), (DueKind::FirstAnswer, time("2026-11-27T06:00:00Z")));
        assert_eq!(due.remind_at, time("2026-11-27T02:00:00Z"));
        let until = time("2026-11-30T06:00:00Z");
        let due = calendar.next_due(received, true, Some((Promise::Word, until)), None, false);
        assert_eq!((due.kind, due.at), (DueKind::Promised, until));
        let due = calendar.next_due(received, true, None, None, false);
        assert_eq!((due.kind, due.at), (DueKind::Close, time("2026-12-11T06:00:00Z")));
    }

    #[test]
    fn the_schemes_limit_is_warned_of_when_four_fifths_are_over() {
        let (calendar, received) = (calendar(), time("2026-11-26T06:00:00Z"));
        let long_ago = Some(EventTime(received.0 - 75 * DAY_MS));
        let due = calendar.next_due(received, false, None, long_ago, false);
        assert_eq!((due.kind, due.at), (DueKind::Scheme, EventTime(received.0 + 15 * DAY_MS)));
        let yesterday = Some(EventTime(received.0 - DAY_MS));
        for (paid, told) in [(yesterday, false), (long_ago, true)] {
            let due = calendar.next_due(received, false, None, paid, told);
            assert_eq!(due.kind, DueKind::FirstAnswer);
        }
    }
}
