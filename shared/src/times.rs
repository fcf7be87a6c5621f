//! Four times, four types, so that none is taken for another: what the device printed, when the
//! agent saw it, when the collector got it, and how long the agent's machine has been up.

use crate::field::FieldError;
use std::fmt;

/// When the agent saw it: UTC, milliseconds since 1970. As good as the agent's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventTime(pub i64);

/// When the collector got it: UTC, milliseconds since 1970, by the collector's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArrivalTime(pub i64);

/// Milliseconds since the agent's machine booted (`CLOCK_BOOTTIME`). Never steps, so durations are
/// measured on it; says nothing across two boots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uptime(pub u64);

impl Uptime {
    /// This uptime, `ms` milliseconds later.
    pub fn plus_ms(self, ms: u64) -> Uptime {
        Uptime(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this; zero when `earlier` is later.
    pub fn ms_since(self, earlier: Uptime) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Which boot of the agent's machine an [`Uptime`] belongs to (`/proc/sys/kernel/random/boot_id`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BootId(pub [u8; 16]);

/// One reading of the agent's clocks. `synchronised` is the kernel's own opinion (`adjtimex`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The boot that `uptime` counts from.
    pub boot: BootId,
    /// When, on the clock that never steps.
    pub uptime: Uptime,
    /// When, for people and files.
    pub wall: EventTime,
    /// Whether the wall clock was synchronised.
    pub synchronised: bool,
}

/// Date and time as a device printed them: local time of an unknown zone, often without a year,
/// sometimes without a date. Measured against, never trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceTime {
    /// Four digits, when the device prints a year.
    pub year: Option<u16>,
    /// Month 1-12 and day 1-31, when the device prints a date.
    pub month_day: Option<(u8, u8)>,
    /// 0-23.
    pub hour: u8,
    /// 0-59.
    pub minute: u8,
    /// 0-60.
    pub second: u8,
    /// 0-999; zero when not printed.
    pub millisecond: u16,
}

impl DeviceTime {
    /// The same time with every part inside its range, or what is wrong.
    pub fn validated(self) -> Result<DeviceTime, FieldError> {
        let date_sound = self
            .month_day
            .is_none_or(|(month, day)| (1..=12).contains(&month) && (1..=31).contains(&day));
        let year_sound = self.year.is_none_or(|year| (1970..=2999).contains(&year));
        let time_sound =
            self.hour < 24 && self.minute < 60 && self.second <= 60 && self.millisecond < 1000;
        if date_sound && year_sound && time_sound {
            return Ok(self);
        }
        Err(FieldError::new("a date and time", &self.to_string()))
    }
}

impl fmt::Display for DeviceTime {
    /// `2026-11-24 09:30:05`, without the parts that were not printed.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(year) = self.year {
            write!(out, "{year:04}-")?;
        }
        if let Some((month, day)) = self.month_day {
            write!(out, "{month:02}-{day:02} ")?;
        }
        write!(out, "{:02}:{:02}:{:02}", self.hour, self.minute, self.second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_time_prints_what_it_has() {
        let time = DeviceTime {
            month_day: Some((11, 24)),
            hour: 9,
            minute: 30,
            second: 5,
            ..DeviceTime::default()
        };
        assert_eq!(time.to_string(), "11-24 09:30:05");
        assert!(time.validated().is_ok());
        assert!(DeviceTime { hour: 24, ..time }.validated().is_err());
    }
}
