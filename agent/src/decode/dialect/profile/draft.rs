//! What a rule has read so far, and how each text becomes a field. A malformed field is left out: an answer without
//! its batch number is still an answer.

use super::field::Field;
use super::word::{Phase, Reason, Word};
use crate::decode::device_clock::DeviceClock;
use slipwatch_shared::card::{Card, EntryMode, MaskedPan};
use slipwatch_shared::event::{
    AbortedBy, Copy, ElectronicChannel, Keys, OperatorAction, OriginalKeys, PrinterStatus,
    SettlementResult, SlipGrade, TotalsBy,
};
use slipwatch_shared::message::ResponseCode;
use slipwatch_shared::money::{Amount, Currency};
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::DeviceTime;
use slipwatch_shared::trace::{BatchNumber, Stan};

/// How a profile's texts are to be understood.
#[derive(Debug)]
pub(in crate::decode::dialect) struct Vocabulary {
    /// The currency where the text names none.
    pub currency: Currency,
    /// How times are printed at the head of a line.
    pub heads: DeviceClock,
    /// How times are printed elsewhere.
    pub clock: DeviceClock,
    /// The device's words of each field and ours for them, the longest first.
    pub words: Vec<(Field, Glossary)>,
}

/// A device's words of one field, and ours for them.
pub(in crate::decode::dialect) type Glossary = Vec<(Box<str>, &'static str)>;

impl Vocabulary {
    fn word<T: Word>(&self, field: Field, text: &str) -> Option<T> {
        let ours = self.words.iter().find(|table| table.0 == field).and_then(|(_, table)| {
            let fits = |theirs: &str| begins_with_word(text, theirs);
            table.iter().find(|(theirs, _)| fits(theirs)).map(|entry| entry.1)
        });
        T::named(ours.unwrap_or(text)).or_else(|| T::named(&text.to_ascii_lowercase()))
    }
}

/// Whether `word` stands at the head of `text` as a word of its own: `消费 SALE` begins with `消费`, `消费撤销` does not.
fn begins_with_word(text: &str, word: &str) -> bool {
    let behind = text.strip_prefix(word).map(|rest| rest.chars().next());
    behind.is_some_and(|next| next.is_none_or(|next| !next.is_alphanumeric() && next != '_'))
}

/// An amount as it was written; its currency may be named later in the line.
#[derive(Clone, Copy, Debug)]
pub(in crate::decode::dialect) enum Money<'t> {
    Decimal(&'t str),
    Minor(&'t str),
}

/// The fields that were read so far.
#[derive(Clone, Debug, Default)]
pub(in crate::decode::dialect) struct Draft<'t> {
    pub keys: Keys,
    pub card: Card,
    pub original: OriginalKeys,
    pub terminal: Option<TerminalId>,
    pub time: Option<DeviceTime>,
    pub amount: Option<Money<'t>>,
    pub currency: Option<Currency>,
    pub response_code: Option<ResponseCode>,
    pub phase: Option<Phase>,
    pub by: Option<AbortedBy>,
    pub copy: Option<Copy>,
    pub reprint: bool,
    pub grade: Option<SlipGrade>,
    pub reason: Option<Reason>,
    pub channel: Option<ElectronicChannel>,
    pub action: Option<OperatorAction>,
    pub result: Option<SettlementResult>,
    pub printer: PrinterStatus,
    pub totals_by: Option<TotalsBy>,
    pub debit_count: Option<u32>,
    pub debit: Option<Money<'t>>,
    pub credit_count: Option<u32>,
    pub credit: Option<Money<'t>>,
}

impl<'t> Draft<'t> {
    /// Takes a field's text. Says whether it was understood; an empty text says nothing and is understood.
    pub fn set(&mut self, field: Field, text: &'t str, vocabulary: &Vocabulary) -> bool {
        let text = text.trim();
        if matches!(text, "" | "-" | "null" | "NULL" | "N/A" | "none") {
            return true;
        }
        self.take(field, text, vocabulary).is_some()
    }

    fn take(&mut self, field: Field, text: &'t str, vocabulary: &Vocabulary) -> Option<()> {
        match field {
            Field::Time => self.time = Some(vocabulary.clock.read(text)?),
            Field::Terminal => self.terminal = Some(text.parse().ok()?),
            Field::Amount => self.amount = Some(Money::Decimal(text)),
            Field::AmountMinor => self.amount = Some(Money::Minor(text)),
            Field::Currency => self.currency = Some(text.parse().ok()?),
            Field::ResponseCode => self.response_code = Some(text.parse().ok()?),
            Field::Phase => self.phase = Some(vocabulary.word(field, text)?),
            Field::By => self.by = Some(vocabulary.word(field, text)?),
            Field::Copy => self.copy = Some(vocabulary.word(field, text)?),
            Field::Reprint => self.reprint = vocabulary.word(field, text)?,
            Field::Grade => self.grade = Some(vocabulary.word(field, text)?),
            Field::Reason => self.reason = Some(vocabulary.word(field, text)?),
            Field::Channel => self.channel = Some(vocabulary.word(field, text)?),
            Field::Action => self.action = Some(vocabulary.word(field, text)?),
            Field::Result => self.result = Some(vocabulary.word(field, text)?),
            Field::Online => self.printer.online = Some(vocabulary.word(field, text)?),
            Field::CoverOpen => self.printer.cover_open = Some(vocabulary.word(field, text)?),
            Field::Paper => self.printer.paper = Some(vocabulary.word(field, text)?),
            Field::CutterError => self.printer.cutter_error = Some(vocabulary.word(field, text)?),
            Field::Error => self.printer.error = Some(vocabulary.word(field, text)?),
            Field::TotalsBy => self.totals_by = Some(vocabulary.word(field, text)?),
            Field::DebitCount => self.debit_count = Some(text.parse().ok()?),
            Field::Debit => self.debit = Some(Money::Decimal(text)),
            Field::DebitMinor => self.debit = Some(Money::Minor(text)),
            Field::CreditCount => self.credit_count = Some(text.parse().ok()?),
            Field::Credit => self.credit = Some(Money::Decimal(text)),
            Field::CreditMinor => self.credit = Some(Money::Minor(text)),
            _ => self.take_key(field, text, vocabulary)?,
        }
        Some(())
    }

    fn take_key(&mut self, field: Field, text: &str, vocabulary: &Vocabulary) -> Option<()> {
        let Draft { keys, card, original, .. } = self;
        match field {
            Field::Kind => keys.kind = Some(vocabulary.word(field, text)?),
            Field::Instrument => keys.instrument = Some(vocabulary.word(field, text)?),
            Field::Stan => keys.stan = Some(Stan::from_number(six_digits(text)?).ok()?),
            Field::BatchNumber => keys.batch_number = Some(batch_number(text)?),
            Field::Rrn => keys.rrn = Some(text.parse().ok()?),
            Field::AuthorizationCode => keys.authorization_code = Some(text.parse().ok()?),
            Field::OrderNumber => keys.order_number = Some(Box::new(text.parse().ok()?)),
            Field::ChannelTransactionId => {
                keys.channel_transaction_id = Some(Box::new(text.parse().ok()?));
            }
            Field::Merchant => keys.merchant = Some(text.parse().ok()?),
            Field::Operator => keys.operator = Some(text.parse().ok()?),
            Field::HostTime => keys.host_time = Some(vocabulary.clock.read(text)?),
            Field::Card => take_card(card, text)?,
            Field::CardBrand => card.brand = Some(text.parse().ok()?),
            Field::EntryMode => {
                card.entry_mode = Some(vocabulary.word(field, text).or_else(|| entry_mode(text))?);
            }
            Field::ChipCounter => card.chip_counter = Some(u16::from_str_radix(text, 16).ok()?),
            Field::OriginalStan => {
                original.stan = Some(Stan::from_number(six_digits(text)?).ok()?);
            }
            Field::OriginalBatchNumber => original.batch_number = Some(batch_number(text)?),
            Field::OriginalRrn => original.rrn = Some(text.parse().ok()?),
            Field::OriginalAuthorizationCode => {
                original.authorization_code = Some(text.parse().ok()?);
            }
            _ => return None,
        }
        Some(())
    }

    /// The payment's keys, complete with card, amount and original.
    pub fn take_keys(&mut self, vocabulary: &Vocabulary) -> Keys {
        let mut keys = std::mem::take(&mut self.keys);
        keys.amount = self.amount.and_then(|amount| self.money(amount, vocabulary));
        keys.card = (self.card != Card::default()).then_some(self.card);
        keys.original = (self.original != OriginalKeys::default()).then_some(self.original);
        keys
    }

    /// An amount in the currency that it names, that the line names, or that the profile names.
    pub fn money(&self, money: Money<'_>, vocabulary: &Vocabulary) -> Option<Amount> {
        let currency = self.currency.unwrap_or(vocabulary.currency);
        match money {
            Money::Minor(text) => Amount::from_minor_digits(text, currency).ok(),
            Money::Decimal(text) => decimal(text, currency),
        }
    }
}

/// `0.20`, `RMB -0.20`, `¥0.20`, `0.20元`, `12.50 EUR`, `1.234,50`.
fn decimal(text: &str, currency: Currency) -> Option<Amount> {
    let is_number = |sign: char| sign.is_ascii_digit() || matches!(sign, '-' | '+' | '.' | ',');
    let from = text.find(is_number)?;
    let number = &text[from..];
    let number = &number[..number.find(|sign| !is_number(sign)).unwrap_or(number.len())];
    let behind = &text[from + number.len()..];
    let named = [&text[..from], behind].into_iter().find_map(|name| match name.trim() {
        "" => None,
        "¥" | "￥" | "元" => Some(Currency::CNY),
        name => name.trim_end_matches(':').parse().ok(),
    });
    Amount::from_printed(number, named.unwrap_or(currency)).ok()
}

/// A field of type n 6, of which devices drop the leading zeros.
fn six_digits(text: &str) -> Option<u32> {
    let sound = (1..=6).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if sound { text.parse().ok() } else { None }
}

fn batch_number(text: &str) -> Option<BatchNumber> {
    BatchNumber::from_number(six_digits(text)?).ok()
}

/// `622576******6691 /C`: the masked number, and the letter of the entry mode.
fn take_card(card: &mut Card, text: &str) -> Option<()> {
    let end = text.find(['/', '(', '[', '\t']).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let number = number.trim();
    let last_four = number.len() == 4;
    card.pan = Some(match last_four {
        true => MaskedPan::from_parts(None, number).ok()?,
        false => MaskedPan::from_masked(number).ok()?,
    });
    card.entry_mode =
        entry_mode(suffix.trim_matches(['/', '(', ')', '[', ']', ' ', '\t'])).or(card.entry_mode);
    Some(())
}

/// The letter behind a slip's card number: S stripe, I chip, C contactless, M or N by hand.
fn entry_mode(letter: &str) -> Option<EntryMode> {
    Some(match letter {
        "S" => EntryMode::Swiped,
        "I" => EntryMode::Inserted,
        "C" => EntryMode::Contactless,
        "M" | "N" => EntryMode::Manual,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let amount = decimal(text, Currency::EUR).map(|amount| amount.to_string());
        assert_eq!(amount.as_deref(), expected, "{text:?}");
    }

    #[test]
    fn amounts_are_read_as_slips_print_them() {
        check("0.20", Some("EUR 0.20"));
        check("RMB 0.20", Some("CNY 0.20"));
        check("RMB -0.20", Some("CNY -0.20"));
        check("￥1,234.50", Some("CNY 1234.50"));
        check("0.20元", Some("CNY 0.20"));
        check("12.50 USD", Some("USD 12.50"));
        check("nothing", None);
        check("1.2.3", None);
    }

    #[test]
    fn a_card_shows_its_entry_mode() {
        let mut card = Card::default();
        assert!(take_card(&mut card, "622576******6691 /C").is_some());
        assert_eq!(card.entry_mode, Some(EntryMode::Contactless));
        assert_eq!(card.pan.map(|pan| pan.to_string()).as_deref(), Some("622576******6691"));
        assert!(take_card(&mut Card::default(), "no card").is_none());
    }

    #[test]
    fn a_word_is_not_taken_for_the_head_of_a_longer_one() {
        assert!(begins_with_word("消费 SALE", "消费"));
        assert!(begins_with_word("消费(SALE)", "消费"));
        assert!(!begins_with_word("消费撤销", "消费"));
        assert!(!begins_with_word("SALES", "SALE"));
    }
}
