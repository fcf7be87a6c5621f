//! The shops' local time, as devices and hosts print it. Reads no clock.

use super::UTC_OFFSET_MINUTES;
use slipwatch_shared::times::DeviceTime;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A moment of UTC as a clock of the shops' zone prints it.
pub fn device_time(wall_ms: i64) -> DeviceTime {
    let local = wall_ms + i64::from(UTC_OFFSET_MINUTES) * MINUTE;
    let of_day = local.rem_euclid(DAY);
    let (year, month, day) = civil(local.div_euclid(DAY));
    DeviceTime {
        year: Some(year),
        month_day: Some((month, day)),
        hour: (of_day / HOUR) as u8,
        minute: (of_day / MINUTE % 60) as u8,
        second: (of_day / 1000 % 60) as u8,
        millisecond: (of_day % 1000) as u16,
    }
}

/// A day since 1970 as year, month and day of the Gregorian calendar, reckoned in years that begin in March.
fn civil(days: i64) -> (u16, u8, u8) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    (year as u16, month as u8, day as u8)
}
