//! The demonstration's words, in Chinese and English. Looks at nothing but what it is given.

use super::watch::Found;
use crate::ledger::Standing;
use crate::terminal::{Copy, Payment, Story, Word};

/// In which language people are told.
#[derive(Clone, std::marker::Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// 简体中文
    Chinese,
    /// English
    English,
}

impl Language {
    /// The language of a locale's name, as `LANG` holds it.
    pub fn of_locale(locale: &str) -> Language {
        if locale.starts_with("zh") { Language::Chinese } else { Language::English }
    }

    /// One of two.
    pub fn pick<'a>(self, chinese: &'a str, english: &'a str) -> &'a str {
        match self {
            Language::Chinese => chinese,
            Language::English => english,
        }
    }

    /// What is played, for the table.
    pub fn story(self, story: Story, cut_off: bool) -> &'static str {
        if cut_off {
            return self.pick("交易途中采集程序断线", "agent cut off in mid-sale");
        }
        match story {
            Story::Sale => self.pick("正常消费", "normal sale"),
            Story::LateReprint => self.pick("缺纸，过后补打", "paper out, late reprint"),
            Story::TimeoutReversed => self.pick("超时，冲正成功", "time-out, reversed"),
            Story::TimeoutReversalLost => self.pick("超时，冲正失败", "time-out, reversal lost"),
            Story::NoSlip => self.pick("扣款未出单", "debit, no slip at all"),
            Story::FirstOfTwo => self.pick("未出单", "missing slip ..."),
            Story::SecondOfTwo => self.pick("……又刷一次", "... and a second debit"),
            _ => self.pick("其他", "other"),
        }
    }

    /// What happens at a till, where it is worth a line.
    pub fn happening(self, payment: &Payment, word: Word) -> Option<String> {
        let amount = format!("{}.{:02}", payment.amount / 100, payment.amount % 100);
        let text = match word {
            Word::Approved => match self {
                Language::Chinese => format!("扣款 ¥{amount} 成功"),
                Language::English => format!("¥{amount} is debited"),
            },
            Word::TimedOut => match self {
                Language::Chinese => format!("¥{amount} 没有应答，通讯超时"),
                Language::English => format!("¥{amount}: no answer in time"),
            },
            Word::SlipPrinted { copy: Copy::Customer, .. } => {
                self.pick("持卡人存根已打印", "the shopper's slip is printed").to_owned()
            }
            Word::SlipFailed(_) => self.pick("打印机缺纸", "the printer has no paper").to_owned(),
            Word::ReversalAcknowledged => {
                self.pick("冲正成功", "the reversal is acknowledged").to_owned()
            }
            Word::ReversalFailed => {
                self.pick("冲正不成功", "the reversal failed for good").to_owned()
            }
            _ => return None,
        };
        Some(text)
    }

    /// Verdicts and findings, for the table: both columns are written by this, so equal words mean equal judgements.
    pub fn judgement(self, said: &[(&str, Option<&str>)], findings: &[(&str, Standing)]) -> String {
        let verdicts: Vec<String> =
            said.iter().map(|&(word, why)| self.verdict(word, why)).collect();
        let mut text = verdicts.join(" → ");
        for (code, standing) in findings {
            let over = match standing {
                Standing::Open => "",
                Standing::Over => self.pick("(已了结)", "(over)"),
            };
            text += &format!(" {code}{over}");
        }
        text
    }

    fn verdict(self, label: &str, reason: Option<&str>) -> String {
        let word = match label {
            "printed" => self.pick("已出单", "printed"),
            "printed_late" => self.pick("迟出单", "printed late"),
            "not_expected" => self.pick("无须出单", "no slip due"),
            "pending" => self.pick("待定", "pending"),
            "no_slip" => self.pick("未出单", "NO SLIP"),
            _ => self.pick("不明", "unknown"),
        };
        match (label, reason) {
            ("not_expected" | "unknown", Some(reason)) => {
                let why = match reason {
                    "agent_offline" => self.pick("采集程序离线", "agent offline"),
                    "reversed" => self.pick("已冲正", "reversed"),
                    "unanswered" => self.pick("无应答", "unanswered"),
                    other => other,
                };
                format!("{word} ({why})")
            }
            _ => word.to_owned(),
        }
    }

    /// What is newly said of a payment, where it is worth a line.
    pub fn news(self, terminal: &str, stan: u32, found: &Found) -> Option<String> {
        let last = found.said.last()?;
        if last.0 == "pending" && found.findings.is_empty() {
            return None;
        }
        let judgement = self.judgement(&[*last], &found.findings);
        Some(format!("{terminal} {stan:06}    ► {judgement}"))
    }
}
