//! Delimited and fixed files: the header is found, its columns are mapped by name, and each row goes to the first rule
//! that knows it. Holds one line at a time.

use super::cells::{Cells, plain};
use super::error::{Expected, Found, ReadError, Trouble, shown};
use super::lines::{LINE_BYTES_MAX, Lines};
use super::money::{self, Milli};
use super::profile::{AmountSign, Expression, Format, Making, Meaning, Profile, Quoting, Rule};
use super::totals::{Checked, Totals};
use super::{Passed, Step, value};
use crate::settlement::row::{RowKind, SettlementRow};
use jiff::civil::Date;
use slipwatch_shared::money::{Amount, Currency};
use std::collections::BTreeMap;
use std::io::BufRead;
use std::str::FromStr;

/// The header stands among the first lines.
const HEADER_LINES_MAX: u32 = 64;

/// Identifiers that were left out, by column.
pub type LeftOut = BTreeMap<String, u64>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Header,
    Rows,
    SummaryValues,
    End,
}

/// Rows of a delimited or fixed file.
pub struct Mapped<'a> {
    profile: &'a Profile,
    lines: Lines<Box<dyn BufRead + 'a>>,
    file_day: Option<Date>,
    stage: Stage,
    text: String,
    /// A line that was read too far.
    ahead: Option<String>,
    cells: Cells,
    /// Where each column of the profile stands in this file.
    places: Vec<Option<usize>>,
    width: usize,
    summary_names: Vec<String>,
    totals: Totals,
    left_out: LeftOut,
    nearest: Option<(u32, String)>,
    /// The last line that was read holds nothing.
    blank: bool,
}

impl<'a> Mapped<'a> {
    pub(super) fn new(
        profile: &'a Profile,
        input: Box<dyn BufRead + 'a>,
        file_day: Option<Date>,
    ) -> Mapped<'a> {
        let places = profile.columns.iter().map(|column| column.place).collect();
        let seeks = profile.format == Format::Delimited && profile.header;
        Mapped {
            profile,
            lines: Lines::new(input, profile.encoding),
            file_day,
            stage: if seeks { Stage::Header } else { Stage::Rows },
            text: String::new(),
            ahead: None,
            cells: Cells::default(),
            places,
            width: profile.widths.len(),
            summary_names: Vec::new(),
            totals: Totals::new(profile),
            left_out: LeftOut::new(),
            nearest: None,
            blank: false,
        }
    }

    pub(super) fn next_step(&mut self) -> Result<Option<Step>, ReadError> {
        match self.profile.format {
            Format::Fixed => self.next_fixed(),
            _ => self.next_delimited(),
        }
    }

    pub(super) fn finish(self) -> Result<(Vec<Checked>, LeftOut), ReadError> {
        if self.stage == Stage::Header {
            return Err(self.no_header());
        }
        let ends = self.profile.end.is_some() || self.stage == Stage::SummaryValues;
        if ends && self.stage != Stage::End {
            return Err(ReadError::at(self.lines.number(), Trouble::NoTotals));
        }
        let checked = self.totals.check(self.profile)?;
        if !self.blank && self.is_broken_off() {
            return Err(ReadError::at(self.lines.number(), Trouble::NoLineEnd));
        }
        Ok((checked, self.left_out))
    }

    /// Whether the line that was read last may have been cut within a value: it has no line end, and neither closing
    /// lines nor totals nor the length of a line would tell.
    fn is_broken_off(&self) -> bool {
        let Profile { format, end, totals, balanced, .. } = self.profile;
        let tells = *format == Format::Fixed
            || end.is_some()
            || balanced.is_some()
            || totals.iter().any(|total| !total.optional);
        !tells && !self.lines.ended()
    }

    fn no_header(&self) -> ReadError {
        let nearest = self.nearest.clone();
        let looked = self.lines.number().min(HEADER_LINES_MAX);
        let profile = self.profile.name.clone();
        ReadError::at(0, Trouble::NoHeader { profile, looked, nearest })
    }

    fn next_fixed(&mut self) -> Result<Option<Step>, ReadError> {
        let Some(bytes) = self.lines.next_bytes()? else { return Ok(None) };
        if bytes.iter().all(|byte| matches!(byte, b' ' | 0x1a)) {
            return Ok(Some(self.passed(Passed::Empty)));
        }
        let bytes = bytes.to_vec();
        let line = self.lines.number();
        let Profile { widths, gap, encoding, .. } = self.profile;
        self.cells.cut_fixed(&bytes, widths, *gap, *encoding, line)?;
        self.row(line).map(Some)
    }

    fn passed(&self, why: Passed) -> Step {
        Step::Passed { line: self.lines.number(), why }
    }

    fn next_line(&mut self) -> Result<bool, ReadError> {
        self.text.clear();
        if let Some(ahead) = self.ahead.take() {
            self.text.push_str(&ahead);
            return Ok(true);
        }
        self.lines.next_into(&mut self.text)
    }

    fn next_delimited(&mut self) -> Result<Option<Step>, ReadError> {
        if !self.next_line()? {
            return Ok(None);
        }
        let line = self.lines.number();
        self.blank = self.text.trim_matches(['\u{1a}', ' ', '\t']).is_empty();
        if self.blank {
            return Ok(Some(self.passed(Passed::Empty)));
        }
        let profile = self.profile;
        if profile.skip_lines_starting.iter().any(|start| self.text.starts_with(start)) {
            self.patterns(line)?;
            return Ok(Some(self.passed(Passed::Remark)));
        }
        if profile.end.as_deref() == Some(self.text.trim()) {
            self.stage = Stage::End;
            return Ok(Some(self.passed(Passed::Remark)));
        }
        match self.stage {
            Stage::Header => self.seek_header(line).map(Some),
            Stage::End => Err(ReadError::at(line, Trouble::BehindTheEnd)),
            Stage::SummaryValues => {
                self.cut(line)?;
                for (name, cell) in self.summary_names.iter().zip(self.cells.all()) {
                    self.totals.state(profile, line, name, cell)?;
                }
                self.stage = Stage::End;
                Ok(Some(self.passed(Passed::Summary)))
            }
            Stage::Rows => self.rows(line).map(Some),
        }
    }

    fn patterns(&mut self, line: u32) -> Result<(), ReadError> {
        for pattern in &self.profile.summary_patterns {
            let Some(found) = pattern.captures(&self.text) else { continue };
            for name in pattern.capture_names().flatten() {
                if let Some(text) = found.name(name) {
                    self.totals.state(self.profile, line, name, text.as_str())?;
                }
            }
        }
        Ok(())
    }

    /// Cuts the line; a row that goes on in the next lines takes them in.
    fn cut(&mut self, line: u32) -> Result<(), ReadError> {
        let Profile { delimiter, quoting, .. } = *self.profile;
        loop {
            let whole = self.cells.cut(&self.text, delimiter, quoting);
            let whole = whole.map_err(|trouble| ReadError::at(line, trouble))?;
            let is_row = self.text.starts_with('`') && self.stage == Stage::Rows;
            let short = quoting == Quoting::BackQuote && is_row && self.cells.count() < self.width;
            if whole && !short {
                return Ok(());
            }
            let cells = Trouble::Cells { expected: self.width, found: self.cells.count() };
            let mut next = String::new();
            if !self.lines.next_into(&mut next)? {
                let trouble = if short { cells } else { Trouble::NoTotals };
                return Err(ReadError::at(line, trouble));
            }
            if short && (next.starts_with('`') || self.is_summary_header(&next)) {
                return Err(ReadError::at(line, cells));
            }
            if self.text.len() + next.len() > LINE_BYTES_MAX {
                return Err(ReadError::at(line, Trouble::LineTooLong));
            }
            self.text.push('\n');
            self.text.push_str(&next);
        }
    }

    fn is_summary_header(&self, line: &str) -> bool {
        let Some(start) = &self.profile.summary_header else { return false };
        line.split(self.profile.delimiter).next().is_some_and(|first| plain(first) == plain(start))
    }

    fn seek_header(&mut self, line: u32) -> Result<Step, ReadError> {
        if line > HEADER_LINES_MAX {
            return Err(self.no_header());
        }
        if self.take_header(line)? {
            self.stage = Stage::Rows;
            return Ok(self.passed(Passed::Header));
        }
        Ok(self.passed(Passed::BeforeHeader))
    }

    /// Takes the line for the header where it names all columns that must be there.
    fn take_header(&mut self, line: u32) -> Result<bool, ReadError> {
        let Profile { delimiter, quoting, columns, marker, .. } = self.profile;
        let cut = self.cells.cut(&self.text, *delimiter, *quoting);
        if cut != Ok(true) {
            return Ok(false);
        }
        if marker.as_ref().is_some_and(|marker| self.cells.get(0) != Some(marker.header.as_str())) {
            return Ok(false);
        }
        let titles: Vec<String> = self.cells.all().iter().map(|cell| plain(cell)).collect();
        let place = |title: &String| titles.iter().position(|known| known == title);
        let places: Vec<Option<usize>> =
            columns.iter().map(|column| column.headers.iter().find_map(place)).collect();
        let missing: Vec<&str> = columns
            .iter()
            .zip(&places)
            .filter(|(column, place)| place.is_none() && !column.optional)
            .map(|(column, _)| column.headers.first().map_or("", String::as_str))
            .collect();
        let required = columns.iter().filter(|column| !column.optional).count();
        if missing.is_empty() && places.iter().any(Option::is_some) {
            self.places = places;
            self.width = titles.len();
            return Ok(true);
        }
        if missing.len() < required {
            let shown: Vec<&str> = missing.iter().copied().take(6).collect();
            self.nearest = Some((line, shown.join(", ")));
        }
        Ok(false)
    }

    fn rows(&mut self, line: u32) -> Result<Step, ReadError> {
        if self.is_summary_header(&self.text) {
            self.cut(line)?;
            self.summary_names = self.cells.all().iter().map(|cell| plain(cell)).collect();
            self.stage = Stage::SummaryValues;
            return Ok(self.passed(Passed::Summary));
        }
        self.cut(line)?;
        if let Some(marker) = &self.profile.marker {
            match self.cells.get(0) {
                Some(first) if first == marker.row => {}
                Some(first) if first == marker.header => {
                    return match self.take_header(line)? {
                        true => Ok(self.passed(Passed::Header)),
                        false => Err(self.no_header()),
                    };
                }
                _ => return Ok(self.passed(Passed::Remark)),
            }
        }
        if self.profile.header {
            let found = self.cells.count();
            let surplus =
                self.cells.all().iter().skip(self.width).any(|cell| !cell.trim().is_empty());
            let short = found < self.width && !self.may_be_short(found);
            if short && self.is_broken_off() {
                return Err(ReadError::at(line, Trouble::NoLineEnd));
            }
            if surplus || short {
                let trouble = Trouble::Cells { expected: self.width, found };
                return Err(ReadError::at(line, trouble));
            }
        }
        self.row(line)
    }

    /// Older lines of some files lack their last fields: nothing is lost where no column of the profile stands there.
    fn may_be_short(&self, found: usize) -> bool {
        let all_there = self.places.iter().flatten().all(|&place| place < found);
        self.profile.quoting == Quoting::DoubleQuote && all_there && !self.is_broken_off()
    }

    fn cell(&self, column: usize) -> Option<&str> {
        let cell = self.cells.get(self.places[column]?)?;
        let is_empty = cell.is_empty() || self.profile.empty.iter().any(|word| word == cell);
        (!is_empty).then_some(cell)
    }

    fn meaning(&self, meaning: Meaning) -> Option<&str> {
        self.cell(self.profile.column_of(meaning)?)
    }

    fn holds(&self, (column, words): &(usize, Vec<String>)) -> bool {
        let cell = self.cell(*column).unwrap_or_default();
        words.iter().any(|word| word == cell)
    }

    fn title(&self, column: usize) -> &str {
        let column = &self.profile.columns[column];
        column.headers.first().unwrap_or(&column.name)
    }

    fn wrong(&self, line: u32, column: usize, what: impl Into<Expected>, text: &str) -> ReadError {
        let trouble = Trouble::Cell { what: what.into(), found: shown(text) };
        ReadError::in_column(line, self.title(column), trouble)
    }

    fn number(&self, line: u32, column: usize, digits: u32) -> Result<Milli, ReadError> {
        let Some(text) = self.cell(column) else { return Ok(0) };
        let form = self.profile.columns[column].form;
        money::read(text, form, digits).map_err(|error| self.wrong(line, column, error, text))
    }

    fn row(&mut self, line: u32) -> Result<Step, ReadError> {
        let mut totals = std::mem::take(&mut self.totals);
        let mut left_out = std::mem::take(&mut self.left_out);
        let step = self.read_row(line, &mut totals, &mut left_out);
        (self.totals, self.left_out) = (totals, left_out);
        step
    }

    fn read_row(
        &self,
        line: u32,
        totals: &mut Totals,
        left_out: &mut LeftOut,
    ) -> Result<Step, ReadError> {
        let profile = self.profile;
        let holds = |rule: &&Rule| rule.when.iter().all(|when| self.holds(when));
        let Some(rule) = profile.rules.iter().find(holds) else {
            let mut named: Vec<usize> =
                profile.rules.iter().flat_map(|rule| &rule.when).map(|when| when.0).collect();
            named.sort_unstable();
            named.dedup();
            let cells = named.iter().map(|&column| {
                (self.title(column).to_owned(), shown(self.cell(column).unwrap_or_default()))
            });
            return Err(ReadError::at(line, Trouble::UnknownRow(cells.collect())));
        };
        let currency = self.currency(line)?;
        let digits = currency.minor_digits();
        let number = |column: usize| self.number(line, column, digits);
        if let Some(equation) = &rule.equation {
            let (left, right) = (equation.left.sum(number)?, equation.right.sum(number)?);
            if left != right {
                return Err(ReadError::at(
                    line,
                    Trouble::Equation {
                        equation: equation.text.clone(),
                        left: money::text(left, digits),
                        right: money::text(right, digits),
                    },
                ));
            }
        }
        let amount = self.amount(line, rule, digits)?;
        let kind = match rule.making {
            Making::Kind(kind) => Some(kind),
            Making::BySign => Some(if amount < 0 { RowKind::Charge } else { RowKind::Credit }),
            Making::Skip => None,
        };
        let group =
            profile.balanced.as_ref().map(|(_, by)| self.cell(*by).unwrap_or_default().to_owned());
        totals.add(profile, group.as_deref(), |when| self.holds(when), number)?;
        let Some(kind) = kind else { return Ok(Step::Passed { line, why: Passed::NoMoney }) };
        let fee = profile.fee.as_ref().map(|fee| fee.sum(number)).transpose()?;
        let net = profile.net.as_ref().map(|net| {
            let milli = net.sum(number)?;
            self.whole(line, net, milli, digits)
        });
        let net = net.transpose()?;
        let mut row = self.dated(line, kind, Amount::new(amount, currency))?;
        (row.fee_milli, row.net_minor) = (fee, net);
        row.instrument = rule.instrument.or(self.instrument()).or(profile.instrument);
        row.word = self.word(rule);
        self.numbers(&mut row, left_out);
        Ok(Step::Row(Box::new(row)))
    }

    fn currency(&self, line: u32) -> Result<Currency, ReadError> {
        let Some(column) = self.profile.column_of(Meaning::Currency) else {
            return Ok(self.profile.currency);
        };
        let Some(text) = self.cell(column) else { return Ok(self.profile.currency) };
        text.parse().map_err(|_| self.wrong(line, column, Expected::Currency, text))
    }

    /// Thousandths as whole minor units; a part of one refuses the row.
    fn whole(
        &self,
        line: u32,
        sum: &Expression,
        milli: Milli,
        digits: u32,
    ) -> Result<i64, ReadError> {
        money::whole(milli).ok_or_else(|| {
            let column = sum.terms.first().map(|(_, column)| self.title(*column).to_owned());
            let found = Found::Number(money::text(milli, digits));
            let trouble = Trouble::Cell { what: Expected::WholeUnits, found };
            ReadError { line, column, trouble }
        })
    }

    fn amount(&self, line: u32, rule: &Rule, digits: u32) -> Result<i64, ReadError> {
        let milli = rule.amount.sum(|column| self.number(line, column, digits))?;
        let minor = self.whole(line, &rule.amount, milli, digits)?;
        Ok(match rule.sign {
            AmountSign::AsWritten => minor,
            AmountSign::Plus => minor.abs(),
            AmountSign::Minus => -minor.abs(),
            AmountSign::Reverse => -minor,
        })
    }

    /// The row with its time and day.
    fn dated(&self, line: u32, kind: RowKind, amount: Amount) -> Result<SettlementRow, ReadError> {
        let profile = self.profile;
        let mut local = None;
        if let Some(column) = profile.column_of(Meaning::Time)
            && let Some(text) = self.cell(column)
        {
            let format = profile.columns[column].format.as_deref().expect("a time has a format");
            let joined = self.meaning(Meaning::Date).map(|date| format!("{date} {text}"));
            let text = joined.as_deref().unwrap_or(text);
            let found = value::time(text, format, self.file_day);
            let what = || Expected::Time(format.to_owned());
            local = Some(found.ok_or_else(|| self.wrong(line, column, what(), text))?);
        }
        let mut day = None;
        if let Some(column) = profile.column_of(Meaning::Day)
            && let Some(text) = self.cell(column)
        {
            let format = profile.columns[column].format.as_deref().unwrap_or("%Y-%m-%d");
            let what = || Expected::Day(format.to_owned());
            let found = value::time(text, format, self.file_day).map(|(time, _)| time.date());
            day = Some(found.ok_or_else(|| self.wrong(line, column, what(), text))?);
        }
        let day =
            day.or(local.map(|(time, _)| time.date())).or(self.file_day).ok_or_else(|| {
                let column = profile.column_of(Meaning::Time).or(profile.column_of(Meaning::Day));
                self.wrong(line, column.unwrap_or(0), Expected::TimeOrDay, "")
            })?;
        let mut row = SettlementRow::plain(line, kind, day, amount);
        if let Some((time, precision)) = local {
            let zone = match (self.meaning(Meaning::Zone), profile.column_of(Meaning::Zone)) {
                (Some(word), Some(column)) => {
                    let known = profile.zones.iter().find(|(known, _)| known == word);
                    let problem = || self.wrong(line, column, Expected::Zone, word);
                    &known.ok_or_else(problem)?.1
                }
                _ => &profile.zone,
            };
            row.time = value::row_time(time, precision, zone);
        }
        Ok(row)
    }

    fn instrument(&self) -> Option<slipwatch_shared::event::Instrument> {
        let word = self.meaning(Meaning::Instrument)?;
        let known = self.profile.instruments.iter().find(|(known, _)| known == word);
        known.map(|(_, instrument)| *instrument)
    }

    fn word(&self, rule: &Rule) -> Box<str> {
        if let Some(word) = self.meaning(Meaning::Word) {
            return value::free_text(word).unwrap_or_default();
        }
        let words: Vec<&str> =
            rule.when.iter().filter_map(|(column, _)| self.cell(*column)).collect();
        value::free_text(&words.join("/")).unwrap_or_default()
    }

    /// Identifiers and words; what cannot be kept is left out and counted.
    fn numbers(&self, row: &mut SettlementRow, left_out: &mut LeftOut) {
        let mut lost = |meaning, text: Option<&str>, kept: bool| {
            if text.is_some() && !kept {
                let column = self.profile.column_of(meaning).expect("it was just read");
                *left_out.entry(self.title(column).to_owned()).or_default() += 1;
            }
        };
        macro_rules! keep {
            ($field:expr, $meaning:expr, $read:expr) => {{
                let text = self.meaning($meaning);
                $field = text.and_then($read);
                lost($meaning, text, $field.is_some());
            }};
        }
        fn boxed<T: FromStr>(text: &str) -> Option<Box<T>> {
            text.parse().ok().map(Box::new)
        }
        keep!(row.merchant, Meaning::Merchant, value::name);
        keep!(row.terminal, Meaning::Terminal, |text: &str| text.to_ascii_uppercase().parse().ok());
        keep!(row.stan, Meaning::Stan, value::stan);
        keep!(row.batch_number, Meaning::Batch, value::batch_number);
        keep!(row.rrn, Meaning::Rrn, value::rrn);
        keep!(row.authorization_code, Meaning::Code, |text: &str| text.parse().ok());
        keep!(row.order_number, Meaning::Order, boxed);
        keep!(row.channel_transaction_id, Meaning::Channel, boxed);
        // Files fill the refund's cells of a sale with zeros, or with the sale's own number.
        if !matches!(row.kind, RowKind::Sale) {
            keep!(row.refund_number, Meaning::Refund, boxed);
        }
        keep!(row.original.stan, Meaning::OriginalStan, value::stan);
        keep!(row.original.rrn, Meaning::OriginalRrn, value::rrn);
        keep!(row.original.order_number, Meaning::OriginalOrder, boxed);
        keep!(row.original.channel_transaction_id, Meaning::OriginalChannel, boxed);
        keep!(row.pan, Meaning::Card, value::card);
        row.memo = self.meaning(Meaning::Memo).and_then(value::free_text);
        row.payout = self.meaning(Meaning::Payout).and_then(value::name);
        let class = self.meaning(Meaning::Class);
        row.class = class.and_then(|word| {
            self.profile.classes.iter().find(|(known, _)| known == word).map(|(_, class)| *class)
        });
        // Zeros stand for no number in files that fill their cells.
        row.original.stan = row.original.stan.filter(|stan| stan.number() > 0);
    }
}

/// Whether the first bytes of a file look like what the profile reads.
pub fn looks_like(profile: &Profile, head: &[u8]) -> bool {
    // The last line of the first bytes may be cut.
    let whole = match head.iter().rposition(|&byte| byte == b'\n') {
        Some(end) => &head[..=end],
        None => head,
    };
    let mut reader = Mapped::new(profile, Box::new(whole), "2025-01-01".parse().ok());
    for _ in 0..HEADER_LINES_MAX {
        match reader.next_step() {
            Ok(Some(Step::Passed { why: Passed::Header, .. } | Step::Row(_))) => return true,
            Ok(Some(Step::Passed { .. })) => {}
            Ok(None) | Err(_) => return false,
        }
    }
    false
}
