//! The head of a log entry: when it was written, and on which channel.

use crate::decode::device_clock::TimeFormat;
use slipwatch_shared::times::DeviceTime;

/// Months as Java abbreviates them.
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `Thu Dec 18 15:12:37 UYST 2014.644`, the milliseconds behind the year and not filled up with zeros; or ISO 8601 in newer
/// versions. Zone names are read over: some name two zones.
pub(super) fn time(text: &str) -> Option<DeviceTime> {
    let mut words = text.split_ascii_whitespace();
    let (first, month) = (words.next()?, words.next());
    let Some(month) = month else { return iso_time(first) };
    let month = MONTHS.iter().position(|name| *name == month)? as u8 + 1;
    let day = words.next()?.parse().ok()?;
    let clock = words.next()?;
    let year = words.nth(1)?;
    let (year, millisecond) = year.split_once('.').unwrap_or((year, "0"));
    let clock = TimeFormat::parse("%H:%M:%S").ok()?.read(clock)?.0;
    let millisecond = millisecond.parse().ok().filter(|&millisecond: &u16| millisecond < 1_000)?;
    let time = DeviceTime {
        year: Some(year.parse().ok()?),
        month_day: Some((month, day)),
        millisecond,
        ..clock
    };
    time.validated().ok()
}

fn iso_time(text: &str) -> Option<DeviceTime> {
    let formats = ["%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S"];
    formats.iter().find_map(|format| Some(TimeFormat::parse(format).ok()?.read(text)?.0))
}

/// The channel's own name, without the address of its other end.
pub(super) fn channel(realm: &str) -> &str {
    realm.rsplit_once('/').map_or(realm, |(channel, _)| channel)
}

/// The address of the other end.
pub(super) fn peer(realm: &str) -> Option<&str> {
    realm.rsplit_once('/').map(|(_, peer)| peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, u16)>) {
        let found = time(text).map(|time| (time.to_string(), time.millisecond));
        assert_eq!(
            found,
            expected.map(|(text, millisecond)| (text.to_owned(), millisecond)),
            "{text}"
        );
    }

    #[test]
    fn milliseconds_stand_behind_the_year_and_are_a_number() {
        check("Thu Dec 18 15:12:37 UYST 2014.644", Some(("2014-12-18 15:12:37", 644)));
        check("Thu Dec 18 15:12:40 UYST 2014.14", Some(("2014-12-18 15:12:40", 14)));
        check("Mon Nov 24 13:10:55 EST 2014", Some(("2014-11-24 13:10:55", 0)));
        check("2019-03-01T12:34:56.789Z", Some(("2019-03-01 12:34:56", 789)));
        check("2019-03-01T12:34:56", Some(("2019-03-01 12:34:56", 0)));
    }

    #[test]
    fn what_is_no_time_is_none() {
        check("", None);
        check("now", None);
        check("Thu Dec 18 25:12:40 UYST 2014.14", None);
        check("Thu Dez 18 15:12:40 UYST 2014.14", None);
        check("Thu Dec 18 15:12:40 UYST 2014.1400", None);
        check("Thu Dec 18", None);
    }

    #[test]
    fn a_realm_names_channel_and_peer() {
        assert_eq!(channel("some.channel/10.0.0.1:4321"), "some.channel");
        assert_eq!(peer("some.channel/10.0.0.1:4321"), Some("10.0.0.1:4321"));
        assert_eq!((channel("debug"), peer("debug")), ("debug", None));
    }
}
