//! A bank's statement in XML: camt.052, .053 and .054 in any of their versions. Bookings become rows, balances are
//! checked. No entity is expanded and no document type is read.

use super::bank::{Balance, Booking, Ended, Statement};
use super::error::{Bounded, Expected, Form, Found, ReadError, Trouble, shown};
use super::money::{self, NumberForm};
use super::profile::Profile;
use super::totals::Checked;
use super::{Passed, Step};
use jiff::civil::Date;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use slipwatch_shared::money::Currency;
use std::io::BufRead;

/// Deepest nesting of elements.
const DEPTH_MAX: usize = 64;
/// Longest text of one element that is kept, in bytes.
const TEXT_BYTES_MAX: usize = 4096;

/// Rows of a statement in XML.
pub(super) struct Camt<'a> {
    xml: Reader<Counted<'a>>,
    buffer: Vec<u8>,
    path: Vec<String>,
    text: String,
    currency: Option<Currency>,
    statement: Option<Statement>,
    entry: Option<Draft>,
    balance: (Option<String>, Option<Balance>, bool),
    ended: Ended,
    is_camt: bool,
    done: bool,
}

/// Counts lines as they are read.
struct Counted<'a> {
    input: Box<dyn BufRead + 'a>,
    line: u32,
}

impl std::io::Read for Counted<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = std::io::Read::read(&mut self.input, out)?;
        self.count(&out[..count]);
        Ok(count)
    }
}

impl BufRead for Counted<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        if let Ok(bytes) = self.input.fill_buf() {
            let ends = memchr_count(&bytes[..amount.min(bytes.len())]);
            self.line = self.line.saturating_add(ends);
        }
        self.input.consume(amount);
    }
}

impl Counted<'_> {
    fn count(&mut self, bytes: &[u8]) {
        self.line = self.line.saturating_add(memchr_count(bytes));
    }
}

fn memchr_count(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u32
}

/// An entry as far as it was read.
#[derive(Debug, Default)]
struct Draft {
    line: u32,
    amount: Option<(i64, Currency)>,
    negative: bool,
    pending: bool,
    booked: Option<Date>,
    valued: Option<Date>,
    own_reference: Option<String>,
    end_to_end: Option<String>,
    text: String,
    word: String,
}

pub(super) fn looks_like(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&head[..head.len().min(4096)]);
    text.contains("<Document")
        && ["camt.052", "camt.053", "camt.054"].iter().any(|name| text.contains(name))
}

impl<'a> Camt<'a> {
    pub(super) fn new(_profile: &'a Profile, input: Box<dyn BufRead + 'a>) -> Camt<'a> {
        let mut xml = Reader::from_reader(Counted { input, line: 1 });
        xml.config_mut().trim_text(true);
        Camt {
            xml,
            buffer: Vec::new(),
            path: Vec::new(),
            text: String::new(),
            currency: None,
            statement: None,
            entry: None,
            balance: (None, None, false),
            ended: Ended::default(),
            is_camt: false,
            done: false,
        }
    }

    fn line(&self) -> u32 {
        self.xml.get_ref().line
    }

    pub(super) fn finish(self) -> Result<Vec<Checked>, ReadError> {
        if !self.path.is_empty() || !self.done {
            return Err(ReadError::at(self.line(), Trouble::NoTotals));
        }
        if !self.is_camt || self.ended.statements == 0 {
            return Err(ReadError::at(0, Trouble::NotThat(Form::NoCamt)));
        }
        Ok(self.ended.checked)
    }

    pub(super) fn next_step(&mut self) -> Result<Option<Step>, ReadError> {
        loop {
            self.buffer.clear();
            let mut buffer = std::mem::take(&mut self.buffer);
            let event = self.xml.read_event_into(&mut buffer);
            let line = self.line();
            let event = event.map_err(|error| {
                ReadError::at(line, Trouble::NotThat(Form::Xml(error.to_string())))
            });
            let step = match event? {
                Event::Start(start) => self.start(&start).map(|()| None),
                Event::Empty(start) => {
                    self.start(&start)?;
                    self.end(line)
                }
                Event::Text(text) => {
                    let text = text.decode().map_err(|_| {
                        ReadError::at(line, Trouble::WrongEncoding(super::profile::Encoding::Utf8))
                    })?;
                    self.take_text(&text);
                    Ok(None)
                }
                Event::CData(text) => {
                    self.take_text(&String::from_utf8_lossy(&text));
                    Ok(None)
                }
                Event::GeneralRef(name) => {
                    let known = match &*name {
                        b"amp" => "&",
                        b"lt" => "<",
                        b"gt" => ">",
                        b"quot" => "\"",
                        b"apos" => "'",
                        _ => " ",
                    };
                    self.take_text(known);
                    Ok(None)
                }
                Event::End(_) => self.end(line),
                Event::DocType(_) => Err(ReadError::at(line, Trouble::NotThat(Form::DocumentType))),
                Event::Eof => {
                    self.done = true;
                    self.buffer = buffer;
                    return Ok(None);
                }
                _ => Ok(None),
            };
            self.buffer = buffer;
            if let Some(step) = step? {
                return Ok(Some(step));
            }
        }
    }

    fn take_text(&mut self, text: &str) {
        let room = TEXT_BYTES_MAX.saturating_sub(self.text.len());
        self.text.push_str(&text[..text.floor_char_boundary(room)]);
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), ReadError> {
        let name = String::from_utf8_lossy(start.local_name().as_ref()).into_owned();
        if self.path.len() >= DEPTH_MAX {
            let most = DEPTH_MAX as u64;
            return Err(ReadError::at(self.line(), Trouble::TooMuch { of: Bounded::Levels, most }));
        }
        self.text.clear();
        match name.as_str() {
            "Stmt" | "Rpt" | "Ntfctn" => {
                self.is_camt = true;
                self.statement = Some(Statement::default());
            }
            "Ntry" => self.entry = Some(Draft { line: self.line(), ..Draft::default() }),
            "Bal" => self.balance = (None, None, false),
            "Amt" => {
                let ccy = start.try_get_attribute("Ccy").ok().flatten();
                self.currency =
                    ccy.and_then(|ccy| String::from_utf8_lossy(&ccy.value).parse().ok());
            }
            _ => {}
        }
        self.path.push(name);
        Ok(())
    }

    /// Whether the element that ends stands so: the last steps of the path.
    fn ends_with(&self, steps: &[&str]) -> bool {
        self.path.len() >= steps.len()
            && self.path[self.path.len() - steps.len()..].iter().eq(steps)
    }

    fn end(&mut self, line: u32) -> Result<Option<Step>, ReadError> {
        let text = std::mem::take(&mut self.text);
        let step = self.closed(&text, line);
        self.path.pop();
        step
    }

    fn closed(&mut self, text: &str, line: u32) -> Result<Option<Step>, ReadError> {
        match self.path.last().map(String::as_str) {
            Some("Stmt" | "Rpt" | "Ntfctn") => {
                if let Some(statement) = self.statement.take() {
                    statement.end(line, &mut self.ended)?;
                }
                return Ok(Some(Step::Passed { line, why: Passed::Summary }));
            }
            Some("Ntry") => {
                let draft = self.entry.take().unwrap_or_default();
                return self.row(draft, line).map(Some);
            }
            Some("Bal") => self.take_balance(),
            _ => {}
        }
        if self.entry.is_some() {
            self.entry_part(text, line)?;
        } else if self.path.iter().any(|step| step == "Bal") {
            self.balance_part(text, line)?;
        } else {
            self.account_part(text);
        }
        Ok(None)
    }

    fn account_part(&mut self, text: &str) {
        let names_it = self.ends_with(&["Acct", "Id", "IBAN"])
            || self.ends_with(&["Acct", "Id", "Othr", "Id"]);
        if let (true, Some(statement)) = (names_it, &mut self.statement) {
            statement.account = text.trim().to_owned();
        }
    }

    fn number(&self, text: &str, line: u32) -> Result<(i64, Currency), ReadError> {
        let currency = self.currency.ok_or_else(|| {
            let what = Expected::AmountWithCurrency;
            ReadError::in_column(line, "Amt", Trouble::Cell { what, found: shown(text) })
        })?;
        let milli = money::read(text, NumberForm::PLAIN, currency.minor_digits());
        let milli = milli.map_err(|error| {
            let trouble = Trouble::Cell { what: error.into(), found: shown(text) };
            ReadError::in_column(line, "Amt", trouble)
        })?;
        Ok((milli, currency))
    }

    fn balance_part(&mut self, text: &str, line: u32) -> Result<(), ReadError> {
        if self.ends_with(&["CdOrPrtry", "Cd"]) {
            self.balance.0 = Some(text.trim().to_owned());
        } else if self.ends_with(&["Bal", "Amt"]) {
            let (milli, currency) = self.number(text, line)?;
            self.balance.1 = Some(Balance { milli, currency });
        } else if self.ends_with(&["Bal", "CdtDbtInd"]) {
            self.balance.2 = text.trim() == "DBIT";
        }
        Ok(())
    }

    fn take_balance(&mut self) {
        let (code, balance, negative) = std::mem::take(&mut self.balance);
        let (Some(statement), Some(mut balance)) = (&mut self.statement, balance) else { return };
        if negative {
            balance.milli = -balance.milli;
        }
        match code.as_deref() {
            Some("OPBD" | "PRCD") => statement.opening = Some(balance),
            Some("CLBD") => statement.closing = Some(balance),
            _ => {}
        }
    }

    fn entry_part(&mut self, text: &str, line: u32) -> Result<(), ReadError> {
        let date = |text: &str| text.get(..10).and_then(|text| text.parse::<Date>().ok());
        if self.ends_with(&["Ntry", "Amt"]) {
            let amount = self.number(text, line)?;
            if let Some(entry) = &mut self.entry {
                entry.amount = Some(amount);
            }
            return Ok(());
        }
        let is = |steps: &[&str]| self.ends_with(steps);
        // Of a reversal, too, the mark tells which way the money goes now.
        let credit = is(&["Ntry", "CdtDbtInd"]);
        let status = is(&["Ntry", "Sts"]) || is(&["Ntry", "Sts", "Cd"]);
        let booked = is(&["BookgDt", "Dt"]) || is(&["BookgDt", "DtTm"]);
        let valued = is(&["ValDt", "Dt"]) || is(&["ValDt", "DtTm"]);
        let own = is(&["Ntry", "AcctSvcrRef"]) || is(&["Ntry", "NtryRef"]);
        let end_to_end = is(&["Refs", "EndToEndId"]);
        let free = is(&["RmtInf", "Ustrd"])
            || is(&["Ntry", "AddtlNtryInf"])
            || is(&["Strd", "CdtrRefInf", "Ref"]);
        let code = is(&["BkTxCd", "Prtry", "Cd"]) || is(&["Fmly", "SubFmlyCd"]);
        let Some(entry) = &mut self.entry else { return Ok(()) };
        let text = text.trim();
        match () {
            () if credit => entry.negative = text == "DBIT",
            () if status => entry.pending = text == "PDNG",
            () if booked => entry.booked = date(text),
            () if valued => entry.valued = date(text),
            () if own => entry.own_reference = Some(text.to_owned()),
            () if end_to_end && text != "NOTPROVIDED" => {
                entry.end_to_end.get_or_insert_with(|| text.to_owned());
            }
            () if free && entry.text.len() < TEXT_BYTES_MAX => {
                if !entry.text.is_empty() {
                    entry.text.push(' ');
                }
                entry.text.push_str(text);
            }
            () if code => entry.word = text.to_owned(),
            () => {}
        }
        Ok(())
    }

    fn row(&mut self, draft: Draft, line: u32) -> Result<Step, ReadError> {
        let lacks = |column: &str| {
            let what = Expected::OneInEachEntry;
            ReadError::in_column(line, column, Trouble::Cell { what, found: Found::Nothing })
        };
        let (milli, currency) = draft.amount.ok_or_else(|| lacks("Amt"))?;
        let booked = draft.booked.or(draft.valued).ok_or_else(|| lacks("BookgDt"))?;
        let booking = Booking {
            line: draft.line,
            milli: if draft.negative { -milli } else { milli },
            currency,
            booked,
            valued: draft.valued,
            reference: draft.end_to_end.or(draft.own_reference),
            text: draft.text,
            word: draft.word,
            pending: draft.pending,
        };
        let statement = self.statement.as_mut().ok_or_else(|| lacks("Stmt"))?;
        Ok(Step::Row(Box::new(statement.row(booking)?)))
    }
}
