//! A19: a clock that differs from the host's. The device's own time stands beside the host's in one answer; where an
//! answer carries the host's time alone, the agent's clock is measured. Whole quarters of an hour within a day's zones are
//! a zone or a summer's hour, and no error of a clock. Nothing is ever dated by it.

use super::{Stand, Standing};
use crate::correlate::case::EventRef;
use crate::correlate::cause::{Cause, CauseClass, CauseDetail};
use crate::correlate::finding::{Resolution, Severity};
use crate::correlate::policy::Thresholds;
use crate::correlate::shape::shape_struct;
use crate::correlate::timeline::StreamTime;
use slipwatch_shared::times::{DeviceTime, EventTime};
use std::collections::VecDeque;

/// So many answers are kept; their median counts.
pub const ANSWERS_MAX: usize = 20;
/// Fewer answers than this tell nothing.
const ANSWERS_MIN: usize = 5;
const DAY_S: i64 = 86_400;
const QUARTER_S: i64 = 900;
/// No two zones are further apart.
const ZONES_S_MAX: i64 = 14 * 3600;

/// How far a clock was off at the last answers, in seconds; positive: behind the host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skews {
    seconds: VecDeque<i32>,
    /// Measured on the device's clock; else on the agent's.
    of_device: bool,
}

impl Skews {
    /// Takes in one answer of the host.
    pub fn note(&mut self, host: DeviceTime, device: Option<DeviceTime>, agent: EventTime) {
        let of_device = device.is_some();
        if of_device != self.of_device {
            (self.seconds, self.of_device) = (VecDeque::new(), of_device);
        }
        let behind = match device {
            Some(device) => match between(device, host) {
                apart if apart.abs() <= ZONES_S_MAX => fold(apart, QUARTER_S),
                apart => apart,
            },
            None => {
                let utc = agent.0.div_euclid(1000).rem_euclid(DAY_S);
                fold(second_of_day(host) - utc, QUARTER_S)
            }
        };
        if self.seconds.len() == ANSWERS_MAX {
            self.seconds.pop_front();
        }
        self.seconds.push_back(behind as i32);
    }

    /// The median in seconds, where enough answers were heard.
    pub fn median(&self) -> Option<i64> {
        if self.seconds.len() < ANSWERS_MIN {
            return None;
        }
        let mut sorted: Vec<i32> = self.seconds.iter().copied().collect();
        sorted.sort_unstable();
        Some(i64::from(sorted[sorted.len() / 2]))
    }
}

fn second_of_day(time: DeviceTime) -> i64 {
    i64::from(time.hour) * 3600 + i64::from(time.minute) * 60 + i64::from(time.second)
}

/// Seconds from one printed time to another. Both are of one zone; a year is seldom printed, so the way round the
/// year's end is as good as the other.
fn between(from: DeviceTime, to: DeviceTime) -> i64 {
    let seconds = second_of_day(to) - second_of_day(from);
    let day = |time: DeviceTime| time.month_day.map(|(month, day)| day_of_year(month, day));
    match (day(from), day(to)) {
        (Some(from), Some(to)) => fold(to - from, 365) * DAY_S + seconds,
        _ => fold(seconds, DAY_S),
    }
}

/// Days before a month, of a year of 365 days: a leap day makes no difference that matters here.
fn day_of_year(month: u8, day: u8) -> i64 {
    const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    BEFORE[usize::from(month.clamp(1, 12)) - 1] + i64::from(day)
}

/// The nearest of all numbers that differ from this one by whole rounds.
fn fold(number: i64, round: i64) -> i64 {
    (number + round / 2).rem_euclid(round) - round / 2
}

/// A19, asked after each answer.
pub fn clock_skew(
    skews: &Skews,
    at: StreamTime,
    event: EventRef,
    thresholds: &Thresholds,
) -> Stand {
    let Some(median) = skews.median() else { return Stand::AsItWas };
    let off_ms = median.abs() * 1000;
    let severity = match off_ms {
        off if off > thresholds.skew_grave_ms => Severity::P2,
        off if off > thresholds.skew_ms => Severity::P3,
        off if off < thresholds.skew_clear_ms => return Stand::Not(Resolution::ClockRight),
        _ => return Stand::AsItWas,
    };
    let (detail, confidence) = match skews.of_device {
        true => (CauseDetail::DeviceClock, 90),
        false => (CauseDetail::AgentClock, 60),
    };
    let cause = Cause::of(CauseClass::TerminalFault, detail, confidence, [event]);
    Stand::Holds(Standing { severity, since: at, cause, measure: median * 1000 })
}

shape_struct!(Skews { seconds, of_device });

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DeviceTime {
        let (date, clock) = text.split_once(' ').unwrap_or(("", text));
        let number = |text: &str| text.parse::<u8>().expect("a number");
        let parts: Vec<u8> = clock.split(':').map(number).collect();
        DeviceTime {
            month_day: date.split_once('-').map(|(month, day)| (number(month), number(day))),
            hour: parts[0],
            minute: parts[1],
            second: parts[2],
            ..DeviceTime::default()
        }
    }

    #[track_caller]
    fn check(device: Option<&str>, host: &str, agent_s: i64, expected: i64) {
        let mut skews = Skews::default();
        for _ in 0..ANSWERS_MIN {
            skews.note(time(host), device.map(time), EventTime(agent_s * 1000));
        }
        assert_eq!(skews.median(), Some(expected));
    }

    #[test]
    fn the_devices_clock_is_measured_against_the_hosts() {
        check(Some("11-24 09:30:00"), "11-24 09:31:05", 0, 65);
        check(Some("11-24 09:31:05"), "11-24 09:30:00", 0, -65);
        check(Some("23:59:50"), "00:00:20", 0, 30);
        check(Some("12-31 23:59:50"), "01-01 00:00:20", 0, 30);
        check(Some("01-01 00:10:00"), "01-03 00:10:00", 0, 2 * DAY_S);
    }

    #[test]
    fn a_device_on_utc_or_without_the_summers_hour_has_no_wrong_clock() {
        check(Some("11-24 01:30:02"), "11-24 09:30:00", 0, -2);
        check(Some("11-23 23:30:00"), "11-24 07:31:40", 0, 100);
        check(Some("11-24 08:30:00"), "11-24 09:30:00", 0, 0);
    }

    #[test]
    fn a_zone_is_no_error_of_the_agents_clock() {
        // 08:00:00 UTC, and a host in China, in Nepal, and one that is two minutes on.
        check(None, "16:00:00", 28_800, 0);
        check(None, "13:45:00", 28_800, 0);
        check(None, "16:02:00", 28_800, 120);
        check(None, "15:58:00", 28_800, -120);
    }

    #[test]
    fn a_clock_is_told_beyond_a_minute_and_right_again_below_half_of_one() {
        let stand = |behind_s: u8| {
            let mut skews = Skews::default();
            let host = format!("09:{:02}:{:02}", behind_s / 60, behind_s % 60);
            for _ in 0..ANSWERS_MIN {
                skews.note(time(&host), Some(time("09:00:00")), EventTime(0));
            }
            clock_skew(&skews, StreamTime(0), EventRef::default(), &Thresholds::default())
        };
        assert!(matches!(stand(61), Stand::Holds(Standing { severity: Severity::P3, .. })));
        assert_eq!((stand(60), stand(30)), (Stand::AsItWas, Stand::AsItWas));
        assert_eq!(stand(29), Stand::Not(Resolution::ClockRight));
    }

    #[test]
    fn one_answer_that_came_late_moves_no_median() {
        let mut skews = Skews::default();
        for host in ["09:00:00", "09:00:00", "09:04:00", "09:00:01", "09:00:00"] {
            skews.note(time(host), Some(time("09:00:00")), EventTime(0));
        }
        assert_eq!(skews.median(), Some(0));
        skews.note(time("09:00:00"), None, EventTime(9 * 3_600_000));
        assert_eq!(skews.median(), None, "another clock is measured anew");
    }
}
