//! Settings of the complaint desk: what is promised in how many days, when dates are reminded of, and whom else a shopper
//! may ask.

use crate::alert::language::Language;
use crate::complaint::deadline::Calendar;
use jiff::tz::TimeZone;

/// Settings of the complaint desk.
#[derive(Clone, Debug, PartialEq)]
pub struct ComplaintsConfig {
    /// What is due in how many days; by no shop's clock yet.
    pub calendar: Calendar,
    /// Whom else a shopper may ask, a line each.
    pub help_chinese: Vec<String>,
    /// The same in English.
    pub help_english: Vec<String>,
}

impl ComplaintsConfig {
    /// Days and promises by a shop's clock.
    pub fn calendar(&self, zone: TimeZone) -> Calendar {
        Calendar { zone, ..self.calendar.clone() }
    }

    /// Whom else a shopper may ask.
    pub fn help(&self, language: Language) -> &[String] {
        language.say(&self.help_chinese, &self.help_english)
    }
}
