//! The part of the settings file about complaints, as it is written, and its way to the settings.

use super::check::{Wrong, bounded, wrong};
use crate::complaint::deadline::Calendar;
use crate::config::complaints::ComplaintsConfig;
use crate::config::value::Seconds;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::collections::BTreeSet;
use toml::Spanned;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ComplaintsFile {
    first_answer_days: Option<Spanned<u32>>,
    inquiry_days: Option<Spanned<u32>>,
    close_days: Option<Spanned<u32>>,
    back_card_days: Option<Spanned<u32>>,
    back_wallet_days: Option<Spanned<u32>>,
    scheme_days: Option<Spanned<u32>>,
    #[serde(default)]
    weekends: bool,
    remind_before_s: Option<Seconds>,
    unmatched_s: Option<Seconds>,
    help_chinese: Option<Spanned<Vec<String>>>,
    help_english: Option<Spanned<Vec<String>>>,
}

/// Whom else a shopper in China may ask, where the settings do not say.
const HELP_CHINESE: [&str; 5] =
    ["银联 95516", "微信支付 95017", "支付宝 95188", "人民银行 12363", "消费者投诉 12315"];
const HELP_ENGLISH: [&str; 5] = [
    "UnionPay 95516",
    "WeChat Pay 95017",
    "Alipay 95188",
    "People's Bank of China 12363",
    "Consumer hotline 12315",
];
/// Most lines of whom else to ask, and most characters of one.
const HELP_LINES_MAX: usize = 10;
const HELP_CHARS_MAX: usize = 120;

fn help(found: Option<Spanned<Vec<String>>>, otherwise: &[&str]) -> Result<Vec<String>, Wrong> {
    let Some(found) = found else {
        return Ok(otherwise.iter().map(|line| (*line).to_owned()).collect());
    };
    let lines = found.get_ref();
    let is_long = |line: &String| line.chars().count() > HELP_CHARS_MAX;
    if lines.len() > HELP_LINES_MAX || lines.iter().any(is_long) {
        let most =
            format!("expected at most {HELP_LINES_MAX} lines of {HELP_CHARS_MAX} characters");
        return Err(wrong(&found, most));
    }
    Ok(found.into_inner())
}

impl ComplaintsFile {
    pub(super) fn check(self, holidays: BTreeSet<Date>) -> Result<ComplaintsConfig, Wrong> {
        let days = |found, default| bounded(found, default, 1, 60).map(|days| days as u8);
        let calendar = Calendar {
            first_answer_days: days(self.first_answer_days, 1)?,
            inquiry_days: days(self.inquiry_days, 2)?,
            close_days: days(self.close_days, 10)?,
            back_card_days: days(self.back_card_days, 7)?,
            back_wallet_days: days(self.back_wallet_days, 1)?,
            scheme_days: bounded(self.scheme_days, 90, 7, 540)? as u16,
            weekends: self.weekends,
            holidays,
            remind_ms: self.remind_before_s.map_or(4 * 3_600_000, |found| found.ms),
            unmatched_ms: self.unmatched_s.map_or(24 * 3_600_000, |found| found.ms),
            zone: TimeZone::UTC,
        };
        Ok(ComplaintsConfig {
            calendar,
            help_chinese: help(self.help_chinese, &HELP_CHINESE)?,
            help_english: help(self.help_english, &HELP_ENGLISH)?,
        })
    }
}
