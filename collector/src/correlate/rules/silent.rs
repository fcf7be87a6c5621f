//! A18: a terminal that says nothing while its line is open and its shop too. An agent that is not heard at all is a
//! matter of the collector's clock, not of this rule.

use crate::correlate::lean::Lean;
use crate::correlate::policy::OpeningHours;
use crate::correlate::shape::{Shape, ShapeError};
use crate::correlate::timeline::StreamTime;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// A shop that is closed for longer is not looked at before its terminal says something.
const CLOSED_DAYS_MAX: i64 = 62;
/// So many gaps must have been seen before the usual rhythm counts.
const GAPS_MIN: u32 = 20;
const BUCKETS: usize = 20;

/// How long a terminal usually says nothing: gaps counted by powers of two of a second.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rhythm {
    gaps: [u16; BUCKETS],
}

impl Rhythm {
    /// Counts a gap between two words.
    pub fn note(&mut self, gap_ms: i64) {
        let seconds = (gap_ms / 1000).max(0) as u64;
        let bucket = (u64::BITS - seconds.leading_zeros()) as usize;
        let count = &mut self.gaps[bucket.min(BUCKETS - 1)];
        *count += 1;
        if *count == u16::MAX {
            // Old habits fade.
            self.gaps.iter_mut().for_each(|count| *count /= 2);
        }
    }

    /// The gap that 95 of 100 do not exceed, rounded up to a power of two of a second; absent before enough were seen.
    pub fn usual_gap_ms(&self) -> Option<i64> {
        let total: u32 = self.gaps.iter().map(|&count| u32::from(count)).sum();
        if total < GAPS_MIN {
            return None;
        }
        let mut seen = 0;
        let within = |count: &u16| {
            seen += u32::from(*count);
            seen * 100 >= total * 95
        };
        let bucket = self.gaps.iter().position(within)?;
        Some(1000 << bucket)
    }

    /// How long a silence must last to be told.
    pub fn silence_ms(&self, least_ms: i64) -> i64 {
        self.usual_gap_ms().map_or(least_ms, |usual_ms| least_ms.max(4 * usual_ms))
    }
}

impl Shape for Rhythm {
    fn put(&self, out: &mut Vec<u8>) {
        self.gaps.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Rhythm, ShapeError> {
        Ok(Rhythm { gaps: Shape::take(bytes)? })
    }
}

/// The powers that were seen, as bits, and their counts.
impl Lean for Rhythm {
    fn put_lean(&self, _: StreamTime, out: &mut Vec<u8>) {
        let seen = self.gaps.iter().enumerate().filter(|(_, count)| **count > 0);
        seen.clone().fold(0_u32, |bits, (at, _)| bits | 1 << at).put(out);
        seen.for_each(|(_, count)| count.put(out));
    }

    fn take_lean(_: StreamTime, bytes: &mut &[u8]) -> Result<Rhythm, ShapeError> {
        let bits = u32::take(bytes)?;
        let mut rhythm = Rhythm::default();
        for (at, count) in rhythm.gaps.iter_mut().enumerate() {
            *count = if bits >> at & 1 == 1 { u16::take(bytes)? } else { 0 };
        }
        Ok(rhythm)
    }
}

/// When a silence that began at `since` is told: `silence_ms` later, counted while the shop is open, and never over its
/// closed hours. `wall_ahead_ms` leads from stream time to UTC.
pub fn due(
    since: StreamTime,
    silence_ms: i64,
    hours: &OpeningHours,
    wall_ahead_ms: i64,
) -> Option<StreamTime> {
    let local_ahead = wall_ahead_ms.checked_add(i64::from(hours.utc_offset_minutes) * MINUTE_MS)?;
    let open_ms = match i64::from(hours.to_minute) - i64::from(hours.from_minute) {
        minutes @ 1.. => minutes * MINUTE_MS,
        minutes => minutes * MINUTE_MS + DAY_MS,
    };
    let local = since.0.checked_add(local_ahead)?;
    let opened_on = |day: i64| day * DAY_MS + i64::from(hours.from_minute) * MINUTE_MS;
    let today = local.div_euclid(DAY_MS);
    // Yesterday's opening may reach over midnight; a shop open for less than the silence is never told of.
    (today - 1..=today + CLOSED_DAYS_MAX).filter(|day| !hours.is_closed_on(*day)).find_map(|day| {
        let begin = opened_on(day).max(local);
        let fits = begin.checked_add(silence_ms)? <= opened_on(day) + open_ms;
        fits.then(|| StreamTime(begin + silence_ms - local_ahead))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Open from eight to ten, UTC; when a silence of half an hour that began at a minute of 1970 is told, as a minute.
    #[track_caller]
    fn check_due(since: i64, weekdays: &[u8], days: &[i64], expected: Option<i64>) {
        let mut hours = OpeningHours {
            from_minute: 480,
            to_minute: 600,
            closed_days: days.to_vec(),
            ..OpeningHours::default()
        };
        weekdays.iter().for_each(|weekday| hours.closes_on(*weekday));
        let due = due(StreamTime(since * MINUTE_MS), 30 * MINUTE_MS, &hours, 0);
        assert_eq!(due.map(|due| due.0 / MINUTE_MS), expected);
    }

    #[test]
    fn a_shop_that_is_closed_for_days_is_silent_when_it_opens_again() {
        const DAY: i64 = 24 * 60;
        // 1 January 1970 was a Thursday.
        check_due(500, &[], &[], Some(530));
        check_due(580, &[], &[], Some(DAY + 510));
        check_due(580, &[4], &[], Some(2 * DAY + 510));
        check_due(580, &[4, 6], &[2], Some(4 * DAY + 510));
        check_due(500, &[3], &[], Some(DAY + 510));
        check_due(500, &[0, 1, 2, 3, 4, 5, 6], &[], None);
    }

    #[test]
    fn a_terminal_that_is_seldom_used_may_say_nothing_for_longer() {
        let mut rhythm = Rhythm::default();
        let least_ms = 30 * MINUTE_MS;
        (1..GAPS_MIN).for_each(|_| rhythm.note(15 * MINUTE_MS));
        assert_eq!(rhythm.silence_ms(least_ms), least_ms, "too few gaps tell nothing");
        rhythm.note(4 * 60 * MINUTE_MS);
        // A quarter of an hour is less than 1,024 seconds, and one gap of twenty may be longer.
        assert_eq!(rhythm.silence_ms(least_ms), 4 * 1_024_000);
        let mut busy = Rhythm::default();
        (0..GAPS_MIN).for_each(|_| busy.note(MINUTE_MS));
        assert_eq!(busy.silence_ms(least_ms), least_ms);
    }
}
