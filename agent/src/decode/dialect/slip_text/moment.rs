//! Date and time as slips print them: in the order of their country, in one field or in two, without a label.

use super::vocabulary::Language;
use regex::{Captures, Regex};
use slipwatch_shared::times::DeviceTime;

/// How dates and times look; the groups are named for their parts.
#[derive(Debug)]
pub(super) struct Forms {
    dates: Vec<Regex>,
    clock: Regex,
}

/// Dates, the surest first. `a`, `b` and `c` are parts whose order only the slip's language tells.
const DATES: [&str; 5] = [
    r"(?<year>(?:19|20)\d\d)\s?[-/.年]\s?(?<month>\d{1,2})\s?[-/.月]\s?(?<day>\d{1,2})(?:\D|$)",
    r"(?:^|\D)(?<day>\d{1,2})\.(?<month>\d{1,2})\.(?<year>\d{4}|\d{2})(?:\D|$)",
    r"(?:^|[^\d/-])(?<a>\d{1,2})[-/](?<b>\d{1,2})[-/](?<c>\d{4}|\d{2})(?:[^\d/-]|$)",
    r"(?i)(?:^|\D)(?<day>\d{1,2})(?:st|nd|rd|th)?[- ]?(?:of )?(?<name>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[- ,.]{0,2}(?<year>\d{4}|\d{2})(?:[^\d:]|$)",
    r"(?i)\b(?<name>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? (?<day>\d{1,2})(?:st|nd|rd|th)?,? (?<year>\d{4})(?:\D|$)",
];

const CLOCK: &str = r"(?i)(?:^|[^\d:])(?<hour>\d{1,2}):(?<minute>\d\d)(?::(?<second>\d\d))?(?:[^\d:]?\s?(?<half>[ap])\.?m\b|[^\d:]|$)";

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// A date whose order may still be open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Date {
    Sure { year: u16, month: u8, day: u8 },
    Open { a: u16, b: u8, c: u16 },
}

/// What was read of a slip's date and time so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moment {
    date: Option<Date>,
    clock: Option<(u8, u8, u8)>,
}

impl Forms {
    /// All forms, ready to look for.
    pub fn new() -> Forms {
        let regex =
            |pattern: &str| Regex::new(pattern).expect("the patterns of this room are sound");
        Forms { dates: DATES.iter().copied().map(regex).collect(), clock: regex(CLOCK) }
    }

    fn date(&self, text: &str) -> Option<Date> {
        self.dates.iter().find_map(|form| date(&form.captures(text)?))
    }

    fn clock(&self, text: &str) -> Option<(u8, u8, u8)> {
        let found = self.clock.captures(text)?;
        let part = |name: &str| found.name(name).and_then(|part| part.as_str().parse::<u8>().ok());
        let (hour, minute) = (part("hour")?, part("minute")?);
        let half = found.name("half").map(|half| half.as_str().to_ascii_lowercase());
        let hour = match half.as_deref() {
            None => hour,
            Some("p") => hour % 12 + 12,
            Some(_) => hour % 12,
        };
        let second = part("second").unwrap_or(0);
        (hour < 24 && minute < 60 && second <= 60).then_some((hour, minute, second))
    }
}

impl Moment {
    /// Takes the value of a label: a date, a time, or both. Says whether it was either.
    pub fn take(&mut self, text: &str, forms: &Forms) -> bool {
        if let Some(compact) = compact(text) {
            *self = compact;
            return true;
        }
        let (date, clock) = (forms.date(text), forms.clock(text));
        self.date = self.date.or(date);
        self.clock = self.clock.or(clock);
        date.is_some() || clock.is_some()
    }

    /// Takes a line that holds both, when nothing is known yet.
    pub fn take_unlabelled(&mut self, line: &str, forms: &Forms) {
        if self.date.is_some() || self.clock.is_some() || !line.contains(':') {
            return;
        }
        let Some(clock) = forms.clock(line) else { return };
        let Some(date) = forms.date(line) else { return };
        *self = Moment { date: Some(date), clock: Some(clock) };
    }

    /// The time, now that the slip's languages are known; nothing without a clock.
    pub fn told(&self, languages: impl Fn(Language) -> bool) -> Option<DeviceTime> {
        let (hour, minute, second) = self.clock?;
        let date = self.date.and_then(|date| sure(date, languages));
        let time = DeviceTime {
            year: date.map(|(year, ..)| year),
            month_day: date.map(|(_, month, day)| (month, day)),
            hour,
            minute,
            second,
            millisecond: 0,
        };
        time.validated().ok()
    }
}

fn date(found: &Captures<'_>) -> Option<Date> {
    let part = |name: &str| found.name(name).and_then(|part| part.as_str().parse::<u16>().ok());
    if let (Some(a), Some(b), Some(c)) = (part("a"), part("b"), part("c")) {
        return Some(Date::Open { a, b: b as u8, c });
    }
    let month = match found.name("name") {
        Some(name) => {
            let name = name.as_str().to_ascii_lowercase();
            MONTHS.iter().position(|month| *month == name)? as u8 + 1
        }
        None => part("month")? as u8,
    };
    let day = part("day")? as u8;
    let sound = (1..=12).contains(&month) && (1..=31).contains(&day);
    sound.then_some(Date::Sure { year: whole_year(part("year")?), month, day })
}

fn whole_year(year: u16) -> u16 {
    if year < 100 { 2000 + year } else { year }
}

/// Year, month and day of a date, as the slip's languages order them; nothing where that is open.
fn sure(date: Date, languages: impl Fn(Language) -> bool) -> Option<(u16, u8, u8)> {
    let (a, b, c) = match date {
        Date::Sure { year, month, day } => return Some((year, month, day)),
        Date::Open { a, b, c } => (a, b, c),
    };
    if c < 100 && languages(Language::Chinese) {
        return Some((whole_year(a), b, c as u8));
    }
    let (a, year) = (a as u8, whole_year(c));
    let day_first =
        [Language::Spanish, Language::German, Language::Italian].into_iter().any(languages);
    match (a, b) {
        (_, 13..) => Some((year, a, b)),
        (13.., _) => Some((year, b, a)),
        _ if day_first => Some((year, b, a)),
        _ => None,
    }
}

fn compact(text: &str) -> Option<Moment> {
    if text.bytes().filter(u8::is_ascii_digit).count() != 14 {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let part = |from: usize, to: usize| digits[from..to].parse::<u16>().ok();
    let date = Date::Sure { year: part(0, 4)?, month: part(4, 6)? as u8, day: part(6, 8)? as u8 };
    let clock = (part(8, 10)? as u8, part(10, 12)? as u8, part(12, 14)? as u8);
    let moment = Moment { date: Some(date), clock: Some(clock) };
    let plain = text.trim().bytes().all(|byte| byte.is_ascii_digit() || byte == b' ');
    (plain && moment.told(|_| false).is_some()).then_some(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(texts: &[&str], language: Language, expected: Option<&str>) {
        let mut moment = Moment::default();
        let forms = Forms::new();
        texts.iter().for_each(|text| {
            moment.take(text, &forms);
        });
        let told = moment.told(|known| known == language).map(|time| time.to_string());
        assert_eq!(told.as_deref(), expected, "{texts:?}");
    }

    #[test]
    fn dates_and_times_are_read_in_the_order_of_their_country() {
        use Language::{Chinese, English, German, Spanish};
        check(&["2026/11/24 09:30:02"], Chinese, Some("2026-11-24 09:30:02"));
        check(&["2026年11月24日 09:30"], Chinese, Some("2026-11-24 09:30:00"));
        check(&["26/11/24 09:30:02"], Chinese, Some("2026-11-24 09:30:02"));
        check(&["20261124093005"], Chinese, Some("2026-11-24 09:30:05"));
        check(&["20261124 093005"], Chinese, Some("2026-11-24 09:30:05"));
        check(&["02.11.2021      08:35:32"], German, Some("2021-11-02 08:35:32"));
        check(&["042      28.02.2022 12:24:59      0219"], German, Some("2022-02-28 12:24:59"));
        check(&["06/04/2026      23:41:09"], Spanish, Some("2026-04-06 23:41:09"));
        check(&["17/03/26", "12:08:10"], Spanish, Some("2026-03-17 12:08:10"));
        check(&["24 Nov 2026", "2:30 PM"], English, Some("2026-11-24 14:30:00"));
        check(&["NOV 24, 2026 09:30:05"], English, Some("2026-11-24 09:30:05"));
        check(&["Monday 6th of April 2015 02:56:25 PM"], English, Some("2015-04-06 14:56:25"));
        check(&["24-NOV-26 09:30"], English, Some("2026-11-24 09:30:00"));
        check(&["24 Nov 09:30"], English, Some("09:30:00"));
        check(&["Nov 24 09:30"], English, Some("09:30:00"));
        check(&["11/24/2026 09:30:05"], English, Some("2026-11-24 09:30:05"));
    }

    #[test]
    fn nothing_is_guessed() {
        check(&["11/12/2026 09:30:05"], Language::English, Some("09:30:05"));
        check(&["12/25"], Language::German, None);
        check(&["99:99:99"], Language::German, None);
        check(&["2026-13-01 09:30:05"], Language::English, Some("09:30:05"));
        check(&["20269924093005"], Language::Chinese, None);
    }
}
