//! Settings of the complaint desk: what is promised in how many days, when dates are reminded of, and whom else a shopper
//! may ask.

use crate::alert::language::Language;
use crate::complaint::deadline::Calendar;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

/// Settings of the complaint desk.
#[derive(Clone, Debug, PartialEq)]
pub struct ComplaintsConfig {
    /// Business days until a first answer.
    pub first_answer_days: u8,
    /// Business days until the shopper hears of an inquiry.
    pub inquiry_days: u8,
    /// Business days until a complaint is closed.
    pub close_days: u8,
    /// Business days until money is back on a card, and in a wallet.
    pub back_card_days: u8,
    /// The same of a wallet.
    pub back_wallet_days: u8,
    /// Days from the payment on in which schemes take a dispute.
    pub scheme_days: u16,
    /// Saturdays and Sundays are business days.
    pub weekends: bool,
    /// Days that are none.
    pub holidays: BTreeSet<Date>,
    /// So long before a date it is reminded of.
    pub remind_ms: i64,
    /// A complaint that fits nothing is told after this (A25).
    pub unmatched_ms: i64,
    /// Whom else a shopper may ask, a line each.
    pub help_chinese: Vec<String>,
    /// The same in English.
    pub help_english: Vec<String>,
}

impl ComplaintsConfig {
    /// Days and promises by a shop's clock.
    pub fn calendar(&self, zone: TimeZone) -> Calendar {
        Calendar {
            first_answer_days: self.first_answer_days,
            inquiry_days: self.inquiry_days,
            close_days: self.close_days,
            back_card_days: self.back_card_days,
            back_wallet_days: self.back_wallet_days,
            scheme_days: self.scheme_days,
            weekends: self.weekends,
            holidays: self.holidays.clone(),
            remind_ms: self.remind_ms,
            unmatched_ms: self.unmatched_ms,
            zone,
        }
    }

    /// Whom else a shopper may ask.
    pub fn help(&self, language: Language) -> &[String] {
        language.say(&self.help_chinese, &self.help_english)
    }
}
