//! Reads the text of slips, as printers, ZVT print blocks and logs carry it: whose copy it is, what it documents, and all
//! the numbers by which its payment is known. Chinese, English, German, Italian and Spanish; what stands on slips is data, in
//! `vocabulary`. Knows no device and no time, and keeps nothing from one text to the next.
//!
//! The lines must have been scrubbed; [`scrub`] does that for a slip as a whole, [`read`] does both.

mod find;
mod fold;
mod hide;
mod moment;
mod section;
mod value;
mod vocabulary;

#[cfg(test)]
mod tests;

pub use hide::scrub;

use find::{Finder, Found};
use fold::Folded;
use moment::Forms;
use regex::Regex;
use section::Section;
use slipwatch_shared::event::{Body, Kind, ReversalPhase, Slip, SlipGrade};
use slipwatch_shared::money::Currency;
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::DeviceTime;
use std::sync::LazyLock;
use vocabulary::{Meaning, Value};

/// Most slips that one text is cut into.
const SLIPS_MAX: usize = 64;

/// Longest line that is looked at, in bytes; paper holds some 50 characters.
const LINE_BYTES_MAX: usize = 512;

/// What a slip documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Document {
    /// 消费
    Sale,
    /// 消费撤销
    Void,
    /// 退货
    Refund,
    /// 预授权
    Preauthorization,
    /// 预授权完成
    Completion,
    /// 余额查询
    BalanceInquiry,
    /// 结算: sums of the day, of no one payment.
    Settlement,
    /// 交易失败: the payment was refused, and the slip says so.
    Declined,
    /// 故障报告单, 冲正不成功: a reversal was given up, the debit likely stays.
    FaultReport,
    /// 测试: of no payment.
    Test,
    /// Not told.
    Other,
}

impl Document {
    /// The kind of payment that it documents.
    pub fn kind(self) -> Option<Kind> {
        match self {
            Document::Sale => Some(Kind::Sale),
            Document::Void => Some(Kind::Void),
            Document::Refund => Some(Kind::Refund),
            Document::Preauthorization => Some(Kind::Preauthorization),
            Document::Completion => Some(Kind::Completion),
            Document::BalanceInquiry => Some(Kind::BalanceInquiry),
            _ => None,
        }
    }

    /// Whether a paper of this kind is a slip of a payment that went through, as far as it says.
    pub fn is_slip(self) -> bool {
        !matches!(
            self,
            Document::Settlement | Document::Declined | Document::FaultReport | Document::Test
        )
    }
}

/// A slip as its text shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadSlip {
    /// Its copy, its reprint mark and its keys.
    pub slip: Slip,
    /// What it documents.
    pub document: Document,
    /// The terminal that it names.
    pub terminal: Option<TerminalId>,
    /// When it says it happened.
    pub device_time: Option<DeviceTime>,
    /// A sum stands on it. It is no amount as long as its currency is not known (`$`).
    pub shows_sum: bool,
    /// Its lines, at most as many as evidence keeps.
    pub text: String,
}

impl ReadSlip {
    /// A slip whose words say nothing, or that has none: an image. `text` is all that is known of it, scrubbed.
    pub fn unread(text: String) -> ReadSlip {
        ReadSlip {
            slip: Slip::default(),
            document: Document::Other,
            terminal: None,
            device_time: None,
            shows_sum: false,
            text,
        }
    }

    /// Whether it shows an amount or a number by which its payment may be known. Without any it is an advertisement, a
    /// logo, a greeting.
    pub fn shows_keys(&self) -> bool {
        let keys = &self.slip.keys;
        self.shows_sum
            || keys.stan.is_some()
            || keys.rrn.is_some()
            || keys.authorization_code.is_some()
            || keys.order_number.is_some()
            || keys.channel_transaction_id.is_some()
            || keys.card.is_some_and(|card| card.pan.is_some())
    }

    /// What is to be said of it once it is on paper as surely as the grade says; nothing of a test, a settlement or a
    /// refusal. A fault report says that a reversal failed, and is no slip of the payment.
    pub fn printed(self, grade: SlipGrade) -> Option<Body> {
        match self.document {
            Document::FaultReport => {
                Some(Body::Reversal { keys: self.slip.keys, phase: ReversalPhase::Failed })
            }
            document if document.is_slip() => Some(Body::SlipPrinted { slip: self.slip, grade }),
            _ => None,
        }
    }
}

/// Reads one text, line by line. It may hold several slips.
#[derive(Debug, Default)]
pub struct SlipText {
    /// The currency where the text names none.
    currency: Option<Currency>,
    section: Section,
    slips: Vec<ReadSlip>,
    folded: Folded,
    found: Vec<Found>,
}

/// The vocabulary, made ready once.
static WORDS: LazyLock<Words> = LazyLock::new(|| Words {
    finder: Finder::new(),
    forms: Forms::new(),
    lines: vocabulary::FORMS.map(|(form, values)| (regex(form), values)).into(),
    tear: regex(vocabulary::TEAR),
});

/// The vocabulary, ready to look for.
#[derive(Debug)]
struct Words {
    finder: Finder,
    forms: Forms,
    lines: Vec<(Regex, &'static [Value])>,
    tear: Regex,
}

impl Words {
    /// What the value of a label like `交易类型` says: its first word that says anything.
    fn business(&self, text: &str) -> Option<Document> {
        let (mut folded, mut found) = (Folded::default(), Vec::new());
        folded.fold(text);
        self.finder.find(text, &folded, &mut found);
        found.iter().find_map(|word| match word.meaning {
            Meaning::Business(document) => Some(document),
            _ => None,
        })
    }
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns of the vocabulary are sound: the tests use them all")
}

/// Tells, line by line, whether a text looks like a slip, before it has ended and been scrubbed. Keeps nothing.
#[derive(Debug, Default)]
pub struct Hint {
    folded: Folded,
    found: Vec<Found>,
}

impl Hint {
    /// Whether the line holds words that stand on slips: a title, a copy, the label of a sum or of a payment's number.
    pub fn is_of_slip(&mut self, line: &str) -> bool {
        let line = &line[..line.floor_char_boundary(LINE_BYTES_MAX)];
        self.folded.fold(line);
        WORDS.finder.find(line, &self.folded, &mut self.found);
        self.found.iter().any(|word| match word.meaning {
            Meaning::Title | Meaning::Copy(_) => true,
            Meaning::Document(document) => document == Document::FaultReport,
            Meaning::Label(value) => value.is_of_payment(),
            _ => false,
        })
    }
}

/// Reads the lines of a text as a printer or a terminal gave them: scrubs them, and cuts them into slips.
pub fn read<'t>(
    lines: impl IntoIterator<Item = &'t str>,
    currency: Option<Currency>,
) -> Vec<ReadSlip> {
    let mut text = SlipText::new(currency);
    scrub(lines).iter().for_each(|line| text.line(line));
    text.finish()
}

impl SlipText {
    /// A reader at the beginning of a text. `currency` is the one of sums that name none.
    pub fn new(currency: Option<Currency>) -> SlipText {
        SlipText { currency, ..SlipText::default() }
    }

    /// Takes the next line, scrubbed.
    pub fn line(&mut self, line: &str) {
        let line = &line[..line.floor_char_boundary(LINE_BYTES_MAX)];
        if WORDS.tear.is_match(line) {
            self.close();
            return;
        }
        self.folded.fold(line);
        WORDS.finder.find(line, &self.folded, &mut self.found);
        let has =
            |wanted: fn(&Meaning) -> bool| self.found.iter().any(|word| wanted(&word.meaning));
        let begins = has(|meaning| *meaning == Meaning::Title);
        let names_copy = has(|meaning| matches!(meaning, Meaning::Copy(_)));
        if self.section.is_past_head() && (begins || names_copy && self.section.names_copy()) {
            self.close();
        }
        self.section.take(line, &self.found, &WORDS);
    }

    /// The text has ended: all its slips, in order. What shows no key and documents nothing is left out.
    pub fn finish(&mut self) -> Vec<ReadSlip> {
        self.close();
        std::mem::take(&mut self.slips)
    }

    fn close(&mut self) {
        let slip = std::mem::take(&mut self.section).close(self.currency);
        if (slip.shows_keys() || !slip.document.is_slip()) && self.slips.len() < SLIPS_MAX {
            self.slips.push(slip);
        }
    }
}
