//! Date and time as devices print them: local time of an unknown zone, often without a year, sometimes without a
//! date. Reads what is there and guesses nothing.

use slipwatch_shared::times::DeviceTime;

/// Months as logs abbreviate them.
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Longest format, in parts. A date and time has some fifteen.
const PARTS_MAX: usize = 32;

/// Why a format cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// A `%` with a letter that means nothing here.
    #[error("{0:?} is no part of a time; the parts are %Y %y %m %d %e %b %j %H %M %S %f %z %%")]
    UnknownPart(String),
    /// A time without an hour orders nothing.
    #[error("a time format needs at least %H and %M")]
    NoTime,
    /// Longer than any device prints.
    #[error("a time format has at most {PARTS_MAX} parts")]
    TooLong,
}

/// One piece of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Year,
    ShortYear,
    Month,
    Day,
    /// One or two digits, with a blank before a single one.
    LooseDay,
    MonthName,
    /// Three digits, read over: without a year they name no date.
    DayOfYear,
    Hour,
    Minute,
    Second,
    /// One to nine digits; what is finer than a millisecond is dropped.
    Fraction,
    /// `Z`, `+08:00`, `+0800`: read over, because a device's zone is whatever its installer left.
    Zone,
    Blanks,
    Literal(u8),
}

/// How a device prints date and time, such as `%Y-%m-%d %H:%M:%S.%f`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeFormat {
    parts: Box<[Part]>,
}

impl TimeFormat {
    /// Reads a format: `%Y` `%y` `%m` `%d` `%e` `%b` `%j` `%H` `%M` `%S` `%f` `%z` `%%`, a blank for one or more blanks,
    /// and any other ASCII character for itself.
    pub fn parse(format: &str) -> Result<TimeFormat, FormatError> {
        let mut parts = Vec::new();
        let mut rest = format.bytes();
        while let Some(byte) = rest.next() {
            parts.push(match byte {
                b'%' => Self::part(rest.next())?,
                b' ' => Part::Blanks,
                literal => Part::Literal(literal),
            });
        }
        if parts.len() > PARTS_MAX {
            return Err(FormatError::TooLong);
        }
        if !parts.contains(&Part::Hour) || !parts.contains(&Part::Minute) {
            return Err(FormatError::NoTime);
        }
        Ok(TimeFormat { parts: parts.into() })
    }

    fn part(letter: Option<u8>) -> Result<Part, FormatError> {
        Ok(match letter {
            Some(b'Y') => Part::Year,
            Some(b'y') => Part::ShortYear,
            Some(b'm') => Part::Month,
            Some(b'd') => Part::Day,
            Some(b'e') => Part::LooseDay,
            Some(b'b') => Part::MonthName,
            Some(b'j') => Part::DayOfYear,
            Some(b'H') => Part::Hour,
            Some(b'M') => Part::Minute,
            Some(b'S') => Part::Second,
            Some(b'f') => Part::Fraction,
            Some(b'z') => Part::Zone,
            Some(b'%') => Part::Literal(b'%'),
            other => {
                let letter = other.map_or(String::new(), |byte| char::from(byte).to_string());
                return Err(FormatError::UnknownPart(format!("%{letter}")));
            }
        })
    }

    /// Reads a time at the start of `text`: the time, and how many bytes it took.
    pub fn read(&self, text: &str) -> Option<(DeviceTime, usize)> {
        let mut time = DeviceTime::default();
        let (mut month, mut day) = (None, None);
        let mut input = Input { bytes: text.as_bytes(), at: 0 };
        for part in &self.parts {
            match part {
                Part::Year => time.year = Some(input.number(4, 4)? as u16),
                Part::ShortYear => time.year = Some(2000 + input.number(2, 2)? as u16),
                Part::Month => month = Some(input.number(2, 2)? as u8),
                Part::Day => day = Some(input.number(2, 2)? as u8),
                Part::LooseDay => day = Some(input.number(1, 2)? as u8),
                Part::MonthName => month = Some(input.month()?),
                Part::DayOfYear => drop(input.number(3, 3).filter(|day| (1..=366).contains(day))?),
                Part::Hour => time.hour = input.number(2, 2)? as u8,
                Part::Minute => time.minute = input.number(2, 2)? as u8,
                Part::Second => time.second = input.number(2, 2)? as u8,
                Part::Fraction => time.millisecond = input.fraction()?,
                Part::Zone => input.zone()?,
                Part::Blanks => input.blanks()?,
                Part::Literal(byte) => input.literal(*byte)?,
            }
        }
        if input.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return None;
        }
        time.month_day = month.zip(day);
        Some((time.validated().ok()?, input.at))
    }
}

/// What is left to read of a text.
struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Input<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn number(&mut self, digits_min: usize, digits_max: usize) -> Option<u32> {
        let mut number = 0;
        let mut digits = 0;
        while digits < digits_max {
            let Some(byte) = self.peek().filter(u8::is_ascii_digit) else { break };
            number = number * 10 + u32::from(byte - b'0');
            digits += 1;
            self.at += 1;
        }
        (digits >= digits_min).then_some(number)
    }

    fn fraction(&mut self) -> Option<u16> {
        let from = self.at;
        let digits = self.number(1, 9)?;
        let scale = 10_u32.pow((self.at - from) as u32);
        Some((u64::from(digits) * 1000 / u64::from(scale)) as u16)
    }

    fn month(&mut self) -> Option<u8> {
        let name = self.bytes.get(self.at..self.at + 3)?;
        let index = MONTHS.iter().position(|month| name.eq_ignore_ascii_case(month.as_bytes()))?;
        self.at += 3;
        Some(index as u8 + 1)
    }

    fn zone(&mut self) -> Option<()> {
        match self.peek()? {
            b'Z' => self.at += 1,
            b'+' | b'-' => {
                self.at += 1;
                self.number(2, 2)?;
                self.at += usize::from(self.peek() == Some(b':'));
                self.number(2, 2)?;
            }
            _ => return None,
        }
        Some(())
    }

    fn blanks(&mut self) -> Option<()> {
        let from = self.at;
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
        (self.at > from).then_some(())
    }

    fn literal(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }
}

/// The formats of one device, tried in order.
#[derive(Clone, Debug, Default)]
pub struct DeviceClock {
    formats: Vec<TimeFormat>,
}

impl DeviceClock {
    /// A clock that reads these formats.
    pub fn new(formats: Vec<TimeFormat>) -> DeviceClock {
        DeviceClock { formats }
    }

    /// Reads a time that stands alone in `text`.
    pub fn read(&self, text: &str) -> Option<DeviceTime> {
        let text = text.trim();
        let whole = |format: &TimeFormat| format.read(text).filter(|read| read.1 == text.len());
        self.formats.iter().find_map(whole).map(|read| read.0)
    }

    /// Reads the time at the head of a line, an opening bracket before it allowed: the time, and where the text
    /// behind it and its closing bracket begins.
    #[inline]
    pub fn read_head(&self, line: &str) -> Option<(DeviceTime, usize)> {
        let opening =
            line.bytes().take_while(|byte| matches!(byte, b' ' | b'[' | b'(' | b'<')).count();
        let read = self.formats.iter().find_map(|format| format.read(&line[opening..]));
        let (time, bytes) = read?;
        let behind = &line.as_bytes()[opening + bytes..];
        let closing =
            behind.iter().take_while(|byte| matches!(byte, b' ' | b']' | b')' | b'>')).count();
        Some((time, opening + bytes + closing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: &str, text: &str, expected: Option<&str>) {
        let clock = DeviceClock::new(vec![TimeFormat::parse(format).expect("a format")]);
        assert_eq!(clock.read(text).map(|time| time.to_string()).as_deref(), expected);
    }

    #[test]
    fn times_are_read_with_the_parts_they_have() {
        check("%Y-%m-%d %H:%M:%S.%f", "2026-11-24 09:30:05.120", Some("2026-11-24 09:30:05"));
        check("%m-%d %H:%M:%S", "11-24 09:30:05", Some("11-24 09:30:05"));
        check("%H:%M", "09:30", Some("09:30:00"));
        check("%j%H%M", "3280930", Some("09:30:00"));
        check("%y%m%d%H%M%S", "261124093005", Some("2026-11-24 09:30:05"));
        check("%b %e %H:%M:%S", "Nov  4 09:30:05", Some("11-04 09:30:05"));
        check("%Y-%m-%dT%H:%M:%S%z", "2026-11-24T09:30:05+08:00", Some("2026-11-24 09:30:05"));
    }

    #[test]
    fn what_is_no_time_is_none() {
        check("%j%H%M", "3670930", None);
        check("%H:%M:%S", "24:00:00", None);
        check("%H:%M:%S", "09:30:0", None);
        check("%H:%M:%S", "09:30:051", None);
        check("%m-%d %H:%M", "13-01 09:30", None);
        check("%H:%M", "", None);
        check("%b %e %H:%M", "é 1 10:00", None);
    }

    #[test]
    fn fractions_become_milliseconds() {
        let format = TimeFormat::parse("%H:%M:%S.%f").expect("a format");
        let millisecond = |text| format.read(text).map(|read| read.0.millisecond);
        assert_eq!(millisecond("09:30:05.5"), Some(500));
        assert_eq!(millisecond("09:30:05.123456789"), Some(123));
    }

    #[test]
    fn a_line_begins_behind_its_bracketed_time() {
        let clock = DeviceClock::new(vec![TimeFormat::parse("%H:%M:%S").expect("a format")]);
        let rest = |line: &'static str| clock.read_head(line).map(|read| &line[read.1..]);
        assert_eq!(rest("[09:30:05] paper out"), Some("paper out"));
        assert_eq!(rest("09:30:05"), Some(""));
        assert_eq!(rest("paper out"), None);
    }

    #[test]
    fn a_wrong_format_says_what_is_right() {
        let unknown = FormatError::UnknownPart("%Q".to_owned());
        assert_eq!(TimeFormat::parse("%H:%M %Q"), Err(unknown));
        assert_eq!(TimeFormat::parse("%Y"), Err(FormatError::NoTime));
        assert!(TimeFormat::parse("%H%").is_err());
        assert_eq!(TimeFormat::parse(&"%H%M".repeat(20)), Err(FormatError::TooLong));
    }
}
