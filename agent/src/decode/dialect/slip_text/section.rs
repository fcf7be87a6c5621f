//! The lines of one slip, and what was read of them so far.

use super::find::Found;
use super::moment::Moment;
use super::value::{self, Sum};
use super::vocabulary::{self, Language, Meaning, Value};
use super::{Document, ReadSlip, Words};
use slipwatch_shared::card::Card;
use slipwatch_shared::event::{Copy, EVIDENCE_BYTES_MAX, Instrument, Keys, OriginalKeys, Slip};
use slipwatch_shared::money::{Amount, Currency};
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::trace::{BatchNumber, Stan};

/// Most labels of one line whose values may stand in the next.
const OPEN_MAX: usize = 6;

/// Signs between a label and its value, and around a label's translation.
const SIGNS: [char; 14] =
    [' ', '\t', ':', '：', '.', '#', '/', '(', ')', '（', '）', '\u{3000}', '|', '='];

/// One slip whose end was not seen yet.
#[derive(Debug, Default)]
pub(super) struct Section {
    text: String,
    copy: Option<Copy>,
    reprint: bool,
    /// What the value of a label says it is.
    labelled: Option<Document>,
    /// What a line of its own says it is.
    titled: Option<Document>,
    /// What a mark says it is; the strongest.
    marked: Option<Document>,
    keys: Keys,
    card: Card,
    original: OriginalKeys,
    amount: Option<Sum>,
    total: Option<Sum>,
    currency: Option<Currency>,
    terminal: Option<TerminalId>,
    moment: Moment,
    languages: Vec<Language>,
    /// Labels whose values stand in the next line.
    open: Vec<Value>,
}

impl Section {
    /// Whether a sum or a number was read: the slip is past its head.
    pub fn is_past_head(&self) -> bool {
        self.amount.is_some()
            || self.total.is_some()
            || self.keys.stan.is_some()
            || self.keys.rrn.is_some()
            || self.keys.authorization_code.is_some()
    }

    /// Whether it was said whose copy it is.
    pub fn names_copy(&self) -> bool {
        self.copy.is_some()
    }

    /// Takes the next line. `found` are the words in it.
    pub fn take(&mut self, line: &str, found: &[Found], words: &Words) {
        if self.text.len() <= EVIDENCE_BYTES_MAX {
            if !self.text.is_empty() {
                self.text.push('\n');
            }
            self.text.push_str(line.trim_end());
        }
        if line.trim().is_empty() {
            return;
        }
        for word in found {
            if !self.languages.contains(&word.language) {
                self.languages.push(word.language);
            }
            self.take_mark(word.meaning);
        }
        self.take_labels(line, found, words);
        if found.iter().all(|word| word.label().is_none()) {
            self.take_alone(line, found);
        }
        for (form, values) in &words.lines {
            let Some(groups) = form.captures(line) else { continue };
            for (value, group) in values.iter().zip(groups.iter().skip(1).flatten()) {
                self.take_value(*value, group.as_str(), words);
            }
        }
        if self.card.pan.is_none()
            && let Some((pan, entry_mode)) = value::card_anywhere(line)
        {
            self.card.pan = Some(pan);
            self.card.entry_mode = entry_mode.or(self.card.entry_mode);
        }
        self.moment.take_unlabelled(line, &words.forms);
    }

    fn take_mark(&mut self, meaning: Meaning) {
        match meaning {
            Meaning::Copy(copy) => self.copy = self.copy.or(Some(copy)),
            Meaning::Reprint => self.reprint = true,
            Meaning::EntryMode(mode) => self.card.entry_mode = self.card.entry_mode.or(Some(mode)),
            Meaning::Document(document) => self.marked = self.marked.max(Some(document)),
            _ => {}
        }
    }

    /// A line without labels: when nothing else stands in it, its words say what the slip is.
    fn take_alone(&mut self, line: &str, found: &[Found]) {
        let mut rest = 0;
        let mut is_alone = !found.is_empty();
        for word in found {
            is_alone &= word.from < rest || !line[rest..word.from].contains(char::is_alphanumeric);
            rest = rest.max(word.to);
        }
        if !is_alone || line[rest..].contains(char::is_alphanumeric) {
            return;
        }
        for word in found {
            match word.meaning {
                Meaning::Business(document) => self.titled = self.titled.or(Some(document)),
                Meaning::AloneDocument(document) => self.marked = self.marked.max(Some(document)),
                Meaning::Instrument(instrument) => self.take_instrument(instrument),
                _ => {}
            }
        }
    }

    fn take_instrument(&mut self, instrument: Instrument) {
        self.keys.instrument = self.keys.instrument.or(Some(instrument));
    }

    fn take_labels(&mut self, line: &str, found: &[Found], words: &Words) {
        let mut labels = found.iter().filter_map(|word| Some((word, word.label()?))).peekable();
        let first = labels.peek().map_or(line.len(), |(word, _)| word.from);
        let ahead = line[..first].trim_matches(SIGNS);
        let open = std::mem::take(&mut self.open);
        if !ahead.is_empty() {
            self.take_open(&open, line, ahead, words);
        }
        while let Some((word, value)) = labels.next() {
            let next = labels.peek();
            let end = next.map_or(line.len(), |(next, _)| next.from.max(word.to));
            let text = line[word.to..end].trim_matches(SIGNS);
            let is_translated = text.is_empty()
                && next.is_some_and(|next| next.1 == value && next.0.language != word.language);
            if is_translated {
                continue;
            }
            let is_taken = !text.is_empty() && self.take_value(value, text, words);
            // The form of a card number is unmistakable: it may stand in the next line behind anything.
            let waits = text.is_empty() || value == Value::Card && self.card.pan.is_none();
            if !is_taken && waits && ahead.is_empty() && self.open.len() < OPEN_MAX {
                self.open.push(value);
            }
        }
    }

    /// The values of labels that stood alone in the line before: one, or one in each column.
    fn take_open(&mut self, open: &[Value], line: &str, ahead: &str, words: &Words) {
        match open {
            [] => {}
            [value] => {
                self.take_value(*value, ahead, words);
            }
            _ => {
                let cells: Vec<&str> = line
                    .trim()
                    .split("  ")
                    .map(str::trim)
                    .filter(|cell| !cell.is_empty())
                    .collect();
                if cells.len() == open.len() {
                    for (value, cell) in open.iter().zip(cells) {
                        self.take_value(*value, cell, words);
                    }
                }
            }
        }
    }

    /// Takes the text of a value. Says whether it is one.
    fn take_value(&mut self, value: Value, text: &str, words: &Words) -> bool {
        self.read_value(value, text, words).is_some()
    }

    fn read_value(&mut self, value: Value, text: &str, words: &Words) -> Option<()> {
        let Section { keys, card, original, .. } = self;
        match value {
            Value::Amount => keep(&mut self.amount, Sum::read(text)?),
            Value::Total => keep(&mut self.total, Sum::read(text)?),
            Value::Currency => keep(&mut self.currency, value::currency_named(text)?),
            Value::Stan => keep(&mut keys.stan, stan(text)?),
            Value::BatchNumber => keep(&mut keys.batch_number, batch_number(text)?),
            Value::Rrn => keep(&mut keys.rrn, value::identifier(text)?.parse().ok()?),
            Value::AuthorizationCode => {
                keep(&mut keys.authorization_code, value::identifier(text)?.parse().ok()?);
            }
            Value::Terminal => keep(&mut self.terminal, value::identifier(text)?.parse().ok()?),
            Value::Merchant => keep(&mut keys.merchant, value::identifier(text)?.parse().ok()?),
            Value::Card => {
                let (pan, entry_mode) = value::card(text)?;
                keep(&mut card.pan, pan);
                card.entry_mode = card.entry_mode.or(entry_mode);
            }
            Value::CardBrand => keep(&mut card.brand, text.parse().ok()?),
            Value::Operator => keep(&mut keys.operator, value::identifier(text)?.parse().ok()?),
            Value::Time => self.moment.take(text, &words.forms).then_some(())?,
            Value::OrderNumber => {
                let number = value::identifier(text)?.parse().ok()?;
                keep(&mut keys.order_number, Box::new(number));
            }
            Value::ChannelTransactionId => {
                let number = value::identifier(text)?.parse().ok()?;
                keep(&mut keys.channel_transaction_id, Box::new(number));
            }
            Value::ChipCounter => {
                let word = Some(value::identifier(text)?).filter(|word| word.len() == 4)?;
                keep(&mut card.chip_counter, u16::from_str_radix(word, 16).ok()?);
            }
            Value::Document => {
                if let Some(instrument) = vocabulary::instrument(text) {
                    keep(&mut keys.instrument, instrument);
                }
                keep(&mut self.labelled, words.business(text)?);
            }
            Value::Instrument => keep(&mut keys.instrument, vocabulary::instrument(text)?),
            Value::Foreign => {}
            Value::OriginalStan => keep(&mut original.stan, stan(text)?),
            Value::OriginalBatchNumber => keep(&mut original.batch_number, batch_number(text)?),
            Value::OriginalRrn => {
                keep(&mut original.rrn, value::identifier(text)?.parse().ok()?);
            }
            Value::OriginalAuthorizationCode => {
                keep(&mut original.authorization_code, value::identifier(text)?.parse().ok()?);
            }
        }
        Some(())
    }

    /// The slip, now that it has ended. `currency` is the one of sums that name none.
    pub fn close(mut self, currency: Option<Currency>) -> ReadSlip {
        let document = self.document();
        let amount = self.told_amount(currency);
        self.text.truncate(self.text.trim_end().len());
        let languages = std::mem::take(&mut self.languages);
        let Section { copy, reprint, mut keys, card, original, .. } = self;
        keys.kind = document.kind();
        if document == Document::FaultReport {
            keys.kind = self.labelled.and_then(Document::kind);
        }
        keys.amount = amount;
        keys.card = (card != Card::default()).then_some(card);
        keys.original = (original != OriginalKeys::default()).then_some(original);
        ReadSlip {
            slip: Slip { copy, reprint, keys },
            document,
            terminal: self.terminal,
            device_time: self.moment.told(|language| languages.contains(&language)),
            shows_sum: self.amount.is_some() || self.total.is_some(),
            text: self.text,
        }
    }

    /// The total is what was debited; an amount beside it is a part.
    fn told_amount(&self, currency: Option<Currency>) -> Option<Amount> {
        let is_chinese = self.languages.contains(&Language::Chinese);
        let usual = currency.or(is_chinese.then_some(Currency::CNY));
        let sum = self.total.as_ref().or(self.amount.as_ref())?;
        sum.amount(self.currency.or(usual))
    }

    fn document(&self) -> Document {
        let told = self.labelled.or(self.titled);
        let names_payment = self.labelled.is_some() && self.card.pan.is_some();
        match self.marked {
            // `结算单位` on the slip of a payment makes it no settlement.
            Some(Document::Settlement) if names_payment => told.unwrap_or(Document::Other),
            Some(marked) => marked,
            None => told.unwrap_or(Document::Other),
        }
    }
}

/// The first value of a kind counts.
fn keep<T>(place: &mut Option<T>, value: T) {
    place.get_or_insert(value);
}

fn stan(text: &str) -> Option<Stan> {
    Stan::from_number(value::six_digits(value::identifier(text)?)?).ok()
}

fn batch_number(text: &str) -> Option<BatchNumber> {
    BatchNumber::from_number(value::six_digits(value::identifier(text)?)?).ok()
}
