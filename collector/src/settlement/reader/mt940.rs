//! A bank's statement in tagged text (MT940, and MT942 without closing balances). Banks bend it in many ways; what it
//! is read for is the bookings that come in, and that they lead from the opening to the closing balance.

use super::bank::{Balance, Booking, Ended, Statement};
use super::error::{Expected, Form, ReadError, Trouble, shown};
use super::lines::Lines;
use super::money::{self, NumberForm};
use super::profile::{Encoding, Profile};
use super::totals::Checked;
use super::{Passed, Step};
use jiff::civil::Date;
use slipwatch_shared::money::Currency;
use std::collections::VecDeque;
use std::io::BufRead;

/// Longest text of one field that is kept, in bytes.
const TEXT_BYTES_MAX: usize = 8 * 1024;

/// Rows of a statement in tagged text.
pub(super) struct Mt940<'a> {
    lines: Lines<Box<dyn BufRead + 'a>>,
    /// The field that goes on: its tag, its line, its text.
    field: Option<(String, u32, String)>,
    statement: Option<Statement>,
    /// The account's currency, by its opening balance.
    currency: Option<Currency>,
    booking: Option<Booking>,
    out: VecDeque<Step>,
    ended: Ended,
    /// A closing balance, or the sums of an interim report, were seen.
    closed: bool,
    at_end: bool,
}

pub(super) fn looks_like(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&head[..head.len().min(4096)]);
    let has = |tag: &str| text.lines().any(|line| line.starts_with(tag));
    has(":20:") && has(":25:") && (has(":60F:") || has(":60M:") || has(":34F:"))
}

fn tag(line: &str) -> Option<(&str, &str)> {
    let (tag, text) = line.strip_prefix(':')?.split_once(':')?;
    let sound = (2..=3).contains(&tag.len()) && tag.as_bytes()[..2].iter().all(u8::is_ascii_digit);
    sound.then_some((tag, text))
}

impl<'a> Mt940<'a> {
    pub(super) fn new(_profile: &'a Profile, input: Box<dyn BufRead + 'a>) -> Mt940<'a> {
        Mt940 {
            lines: Lines::new(input, Encoding::Utf8),
            field: None,
            statement: None,
            currency: None,
            booking: None,
            out: VecDeque::new(),
            ended: Ended::default(),
            closed: false,
            at_end: false,
        }
    }

    pub(super) fn finish(self) -> Result<Vec<Checked>, ReadError> {
        if self.ended.statements == 0 {
            return Err(ReadError::at(0, Trouble::NotThat(Form::NoMt940)));
        }
        if !self.closed {
            return Err(ReadError::at(self.lines.number(), Trouble::NoTotals));
        }
        Ok(self.ended.checked)
    }

    pub(super) fn next_step(&mut self) -> Result<Option<Step>, ReadError> {
        loop {
            if let Some(step) = self.out.pop_front() {
                return Ok(Some(step));
            }
            if self.at_end {
                return Ok(None);
            }
            let Some(bytes) = self.lines.next_bytes()? else {
                self.at_end = true;
                self.end_field()?;
                self.end_statement()?;
                continue;
            };
            // Each bank has an encoding of its own for names; nothing that is matched on is beyond ASCII.
            let text = match std::str::from_utf8(bytes) {
                Ok(text) => text.to_owned(),
                Err(_) => {
                    encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned()
                }
            };
            let line = self.lines.number();
            // Envelopes: {1:...}{4: before, -} behind.
            let text = match text.rfind("{4:") {
                Some(at) if text.starts_with('{') => text[at + 3..].to_owned(),
                _ => text,
            };
            match tag(&text) {
                Some((tag, rest)) => {
                    let next = (tag.to_owned(), line, rest.to_owned());
                    self.end_field()?;
                    self.field = Some(next);
                }
                None if text.starts_with("-}") || text.trim() == "-" || text.trim().is_empty() => {
                    self.end_field()?;
                }
                None => match &mut self.field {
                    Some((_, _, known)) if known.len() < TEXT_BYTES_MAX => {
                        known.push('\n');
                        known.push_str(&text);
                    }
                    _ => {}
                },
            }
        }
    }

    fn end_field(&mut self) -> Result<(), ReadError> {
        let Some((tag, line, text)) = self.field.take() else { return Ok(()) };
        match tag.as_str() {
            "20" => {
                self.end_statement()?;
                self.statement = Some(Statement::default());
                self.closed = false;
            }
            "25" => {
                self.statement(line)?.account =
                    text.lines().next().unwrap_or_default().trim().to_owned()
            }
            "60F" | "60M" => {
                let balance = self.balance(line, &text)?;
                self.currency = Some(balance.currency);
                self.statement(line)?.opening = Some(balance);
            }
            "34F" => {
                let currency = text.get(..3).and_then(|text| text.parse().ok());
                self.currency = currency.or(self.currency);
                self.closed = true;
            }
            "61" => {
                self.flush()?;
                self.booking = Some(self.booking_of(line, &text)?);
            }
            "86" => {
                if let Some(booking) = &mut self.booking {
                    booking.text = details(&text);
                    self.flush()?;
                }
            }
            "62F" | "62M" => {
                self.flush()?;
                let balance = self.balance(line, &text)?;
                self.statement(line)?.closing = Some(balance);
                self.closed = true;
            }
            "90C" | "90D" => self.closed = true,
            _ => {}
        }
        Ok(())
    }

    fn statement(&mut self, line: u32) -> Result<&mut Statement, ReadError> {
        let nothing = || ReadError::at(line, Trouble::NotThat(Form::NoReference));
        self.statement.as_mut().ok_or_else(nothing)
    }

    fn end_statement(&mut self) -> Result<(), ReadError> {
        self.flush()?;
        if let Some(statement) = self.statement.take() {
            let line = self.lines.number();
            statement.end(line, &mut self.ended)?;
            self.out.push_back(Step::Passed { line, why: Passed::Summary });
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ReadError> {
        if let Some(booking) = self.booking.take() {
            let line = booking.line;
            let row = self.statement(line)?.row(booking)?;
            self.out.push_back(Step::Row(Box::new(row)));
        }
        Ok(())
    }

    fn wrong(line: u32, tag: &str, what: Expected, text: &str) -> ReadError {
        let trouble = Trouble::Cell { what, found: shown(text) };
        ReadError::in_column(line, tag, trouble)
    }

    /// `C100318EUR380115,12`; some banks leave the currency out of what follows the first.
    fn balance(&self, line: u32, text: &str) -> Result<Balance, ReadError> {
        let text = text.trim();
        let read = || {
            let negative = match text.as_bytes().first()? {
                b'C' => false,
                b'D' => true,
                _ => return None,
            };
            let rest = text.get(7..)?;
            let letters =
                rest.get(..3).filter(|code| code.bytes().all(|byte| byte.is_ascii_uppercase()));
            let currency: Currency = match letters {
                Some(code) => code.parse().ok()?,
                None => self.currency?,
            };
            let number = if letters.is_some() { &rest[3..] } else { rest };
            let milli = amount(number, currency)?;
            Some(Balance { milli: if negative { -milli } else { milli }, currency })
        };
        read().ok_or_else(|| Mt940::wrong(line, "balance", Expected::Balance, text))
    }

    /// `1709140914DR233,15NMSCNONREF//BANKREF`, and further words on the lines below.
    fn booking_of(&self, line: u32, text: &str) -> Result<Booking, ReadError> {
        let wrong = || Mt940::wrong(line, ":61:", Expected::Booking, text);
        let currency = self
            .currency
            .ok_or_else(|| Mt940::wrong(line, ":61:", Expected::OpeningBalance, ""))?;
        let (first, below) = text.split_once('\n').unwrap_or((text, ""));
        let valued = day(first.get(..6).ok_or_else(wrong)?).ok_or_else(wrong)?;
        let mut rest = &first[6..];
        let mut booked = valued;
        let four = rest.get(..4).filter(|four| four.bytes().all(|byte| byte.is_ascii_digit()));
        if let Some(four) = four {
            let near = value_year(valued, four);
            booked = near.unwrap_or(valued);
            rest = &rest[4..];
        }
        // RC takes a credit back, RD a debit; a letter behind the mark is part of the currency.
        let (reversed, marked) = match rest.strip_prefix('R') {
            Some(behind) => (true, behind),
            None => (false, rest),
        };
        let credit = match marked.as_bytes().first() {
            Some(b'C') => true,
            Some(b'D') => false,
            _ => return Err(wrong()),
        };
        let behind = marked[1..].trim_start_matches(|char: char| char.is_ascii_uppercase());
        let end =
            behind.find(|char: char| !char.is_ascii_digit() && char != ',').unwrap_or(behind.len());
        let milli = amount(&behind[..end], currency).ok_or_else(wrong)?;
        let kind = &behind[end..];
        let word: String = kind.chars().take(4).collect();
        let references: String = kind.chars().skip(4).collect();
        let (payer, bank) = references.split_once("//").unwrap_or((&references, ""));
        let named = [payer.trim(), bank.trim()];
        let named =
            named.into_iter().find(|name| name.len() >= 4 && *name != "NONREF" && *name != "EREF");
        Ok(Booking {
            line,
            milli: if credit != reversed { milli } else { -milli },
            currency,
            booked,
            valued: Some(valued),
            reference: named.map(str::to_owned),
            text: below.replace('\n', " "),
            word,
            pending: false,
        })
    }
}

fn amount(text: &str, currency: Currency) -> Option<i64> {
    let form = NumberForm { decimal: ',', ..NumberForm::PLAIN };
    money::read(text.trim(), form, currency.minor_digits()).ok()
}

/// `YYMMDD`. Some banks count each month as thirty days: a day that the month lacks is its last one.
fn day(text: &str) -> Option<Date> {
    let number = |from: usize| text.get(from..from + 2)?.parse::<i16>().ok();
    let (year, month, day) = (number(0)?, number(2)?, number(4)?);
    let year = if year < 80 { 2000 + year } else { 1900 + year };
    let first = Date::new(year, month as i8, 1).ok()?;
    if !(1..=31).contains(&day) {
        return None;
    }
    Date::new(year, month as i8, (day as i8).min(first.days_in_month())).ok()
}

/// `MMDD` of the booking, in the year that is nearest to the value date.
fn value_year(valued: Date, text: &str) -> Option<Date> {
    let of = |year: i16| day(&format!("{:02}{text}", year.rem_euclid(100)));
    let same = of(valued.year())?;
    let apart = (same - valued).get_days();
    match apart {
        ..=-183 => of(valued.year() + 1),
        183.. => of(valued.year() - 1),
        _ => Some(same),
    }
}

/// The texts of `:86:` without their own marks (`?20`, `?32`).
fn details(text: &str) -> String {
    let joined = text.replace('\n', "");
    let mut out = String::new();
    for (place, part) in joined.split('?').enumerate() {
        let kept = match place {
            0 if joined.contains('?') => "",
            0 => part,
            _ => part.get(2..).unwrap_or(part),
        };
        if !out.is_empty() && !kept.is_empty() {
            out.push(' ');
        }
        out.push_str(kept);
    }
    out
}
