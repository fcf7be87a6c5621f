//! From the profile's text to a profile: names become places, words become values, and what cannot work is told.

use super::error::{ProfileError, Source, unknown};
use super::expression::{Equation, Expression};
use super::file::{
    AmountSignFile, BalancedFile, ColumnFile, EncodingFile, FormatFile, PeriodFile, ProfileFile,
    QuotingFile, RuleFile, SignFile, TotalFile, UnitFile,
};
use super::{
    AmountSign, Column, Encoding, Format, Making, Marker, Meaning, Period, Profile, Quoting, Rule,
    Total,
};
use crate::settlement::reader::money::NumberForm;
use crate::settlement::row::{CardClass, RowKind};
use jiff::tz::{Offset, TimeZone};
use regex::Regex;
use slipwatch_shared::event::Instrument;
use slipwatch_shared::money::Currency;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// Most columns of a profile.
const COLUMNS_MAX: usize = 256;
/// Largest compiled pattern, in bytes.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// What an instrument is called in profiles.
const INSTRUMENTS: [(&str, Instrument); 4] = [
    ("card", Instrument::Card),
    ("wechat_qr", Instrument::WechatQr),
    ("alipay_qr", Instrument::AlipayQr),
    ("unionpay_qr", Instrument::UnionpayQr),
];

pub(super) fn compile(source: &Source<'_>) -> Result<Profile, ProfileError> {
    let file: ProfileFile =
        toml::from_str(source.text).map_err(|error| source.toml_error(&error))?;
    Compiler { source: *source, used: RefCell::default(), names: Vec::new() }.profile(file)
}

struct Compiler<'a> {
    source: Source<'a>,
    /// Columns of their own name that something refers to.
    used: RefCell<BTreeSet<usize>>,
    names: Vec<String>,
}

type Compiled<T> = Result<T, ProfileError>;

impl Compiler<'_> {
    fn wrong<T, V>(&self, at: &Spanned<V>, problem: impl Into<String>) -> Compiled<T> {
        Err(self.source.error(at.span().start, problem))
    }

    fn profile(mut self, file: ProfileFile) -> Compiled<Profile> {
        let name = file.name.get_ref().clone();
        let plain = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-';
        if name.is_empty() || name.len() > 40 || !name.chars().all(plain) {
            return self
                .wrong(&file.name, "expected a name of lower-case letters, digits and dashes");
        }
        if file.columns.len() > COLUMNS_MAX {
            return self.wrong(&file.name, format!("more than {COLUMNS_MAX} columns"));
        }
        let format = match file.format {
            FormatFile::Delimited => Format::Delimited,
            FormatFile::Fixed => Format::Fixed,
            FormatFile::Camt => Format::Camt,
            FormatFile::Mt940 => Format::Mt940,
        };
        let mapped = matches!(format, Format::Delimited | Format::Fixed);
        let has_header = mapped && format == Format::Delimited && file.header.unwrap_or(true);
        self.names =
            file.columns.iter().map(|column| column.get_ref().name.get_ref().clone()).collect();
        let form = self.number_form(&file)?;
        let columns = self.columns(&file, form, has_header)?;
        let rules = file.rules.iter().map(|rule| self.rule(rule)).collect::<Compiled<Vec<_>>>()?;
        if mapped && rules.is_empty() {
            return self
                .wrong(&file.name, "expected at least one [[row]]: what is a sale, a refund?");
        }
        let (mut zones, mut classes, mut instruments) = (Vec::new(), Vec::new(), Vec::new());
        for (meaning, words) in &file.words {
            for (ours, theirs) in words {
                let all = |theirs: &Vec<String>| theirs.clone().into_iter();
                match meaning.get_ref().as_str() {
                    "zone" => {
                        let zone = self.zone(ours)?;
                        zones.extend(all(theirs).map(|word| (word, zone.clone())));
                    }
                    "class" => {
                        let class = CardClass::named(ours.get_ref());
                        let words: Vec<&str> =
                            CardClass::ALL.iter().map(|class| class.label()).collect();
                        let class = class.ok_or_else(|| {
                            self.source
                                .error(ours.span().start, unknown("class", ours.get_ref(), &words))
                        })?;
                        classes.extend(all(theirs).map(|word| (word, class)));
                    }
                    "instrument" => {
                        let instrument = self.instrument(ours)?;
                        instruments.extend(all(theirs).map(|word| (word, instrument)));
                    }
                    found => {
                        let problem = unknown("word list", found, &["class", "instrument", "zone"]);
                        return self.wrong(meaning, problem);
                    }
                }
            }
        }
        let summary = file.summary.as_ref();
        let summary_patterns = summary
            .map_or(&[][..], |summary| &summary.patterns)
            .iter()
            .map(|pattern| self.pattern(pattern))
            .collect::<Compiled<Vec<_>>>()?;
        let totals =
            file.totals.iter().map(|total| self.total(total)).collect::<Compiled<Vec<_>>>()?;
        for (total, written) in totals.iter().zip(&file.totals) {
            let in_pattern = |name: &String| {
                summary_patterns
                    .iter()
                    .any(|pattern| pattern.capture_names().flatten().any(|group| group == name))
            };
            let has_header = summary.is_some_and(|summary| summary.header_starts.is_some());
            if !has_header && !total.names.iter().any(in_pattern) {
                let name = written.get_ref().name.get_ref();
                let problem =
                    format!("no pattern of [summary] has a group `{name}`: where does it stand?");
                return self.wrong(&written.get_ref().name, problem);
            }
        }
        let fee = self.expression(file.fee.as_ref(), "fee")?;
        let net = self.expression(file.net.as_ref(), "net")?;
        let balanced =
            file.balanced.as_ref().map(|balanced| self.balanced(balanced)).transpose()?;
        let meanings = self.meanings();
        if mapped
            && meanings[Meaning::Time as usize].is_none()
            && meanings[Meaning::Day as usize].is_none()
        {
            return self
                .wrong(&file.name, "expected a column `time` or `day`: when was a payment?");
        }
        self.all_used(&file)?;
        let widths = file.widths.as_ref().map_or_else(Vec::new, |widths| widths.get_ref().clone());
        if format == Format::Fixed && widths.is_empty() {
            return self.wrong(&file.name, "a profile of fixed widths needs `widths`");
        }
        Ok(Profile {
            name,
            title: file.title.clone(),
            format,
            encoding: match file.encoding {
                None | Some(EncodingFile::Utf8) => Encoding::Utf8,
                Some(EncodingFile::Gbk) => Encoding::Gbk,
            },
            delimiter: self.sign(file.delimiter.as_ref(), ',')?,
            quoting: match file.quoting {
                None | Some(QuotingFile::DoubleQuote) => Quoting::DoubleQuote,
                Some(QuotingFile::None) => Quoting::None,
                Some(QuotingFile::BackQuote) => Quoting::BackQuote,
            },
            header: has_header,
            marker: file
                .marker
                .as_ref()
                .map(|marker| Marker { header: marker.header.clone(), row: marker.row.clone() }),
            widths,
            gap: file.gap.unwrap_or(0),
            zone: file.zone.as_ref().map_or(Ok(TimeZone::UTC), |zone| self.zone(zone))?,
            currency: self.currency(file.currency.as_ref())?,
            instrument: file.instrument.as_ref().map(|word| self.instrument(word)).transpose()?,
            empty: file.empty.clone().unwrap_or_default(),
            file_name: file.file_name.as_ref().map(|text| self.pattern(text)).transpose()?,
            archive_entry: file
                .archive_entry
                .as_ref()
                .map(|text| self.pattern(text))
                .transpose()?,
            archive_ignore: file
                .archive_ignore
                .as_ref()
                .map(|text| self.pattern(text))
                .transpose()?,
            period: match file.period {
                None | Some(PeriodFile::Day) => Period::Day,
                Some(PeriodFile::Payout) => Period::Payout,
            },
            skip_lines_starting: file.skip_lines_starting.clone().unwrap_or_default(),
            end: file.end.clone(),
            columns,
            meanings,
            zones,
            classes,
            instruments,
            rules,
            fee,
            net,
            summary_header: summary.and_then(|summary| summary.header_starts.clone()),
            summary_patterns,
            totals,
            balanced,
        })
    }

    fn number_form(&self, file: &ProfileFile) -> Compiled<NumberForm> {
        let thousands = file.thousands.as_ref();
        Ok(NumberForm {
            minor_units: matches!(file.unit, Some(UnitFile::Minor)),
            decimal: self.sign(file.decimal.as_ref(), '.')?,
            thousands: thousands.map(|sign| self.sign(Some(sign), ',')).transpose()?,
            letter_sign: false,
        })
    }

    fn sign(&self, text: Option<&Spanned<String>>, default: char) -> Compiled<char> {
        let Some(text) = text else { return Ok(default) };
        let mut chars = text.get_ref().chars();
        match (chars.next(), chars.next()) {
            (Some(char), None) => Ok(char),
            _ => self.wrong(text, "expected one sign such as \",\" or \"\\t\""),
        }
    }

    fn pattern(&self, text: &Spanned<String>) -> Compiled<Regex> {
        let built = regex::RegexBuilder::new(text.get_ref()).size_limit(PATTERN_BYTES_MAX).build();
        built.or_else(|error| {
            let message = error.to_string();
            let last =
                message.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            self.wrong(text, format!("no pattern: {last}"))
        })
    }

    fn zone(&self, text: &Spanned<String>) -> Compiled<TimeZone> {
        let word = text.get_ref().as_str();
        let fixed = || {
            let (sign, clock) = word.split_at_checked(1)?;
            let sign = match sign {
                "+" => 1,
                "-" => -1,
                _ => return None,
            };
            let (hour, minute) = clock.split_once(':')?;
            let seconds = hour.parse::<i32>().ok()? * 3600 + minute.parse::<i32>().ok()? * 60;
            Offset::from_seconds(sign * seconds).ok().map(TimeZone::fixed)
        };
        let zone = if word == "UTC" { Some(TimeZone::UTC) } else { fixed() };
        let zone = zone.or_else(|| TimeZone::get(word).ok());
        zone.map_or_else(
            || self.wrong(text, "expected an offset such as \"+08:00\", \"UTC\", or a zone such as \"Europe/Berlin\""),
            Ok,
        )
    }

    fn currency(&self, text: Option<&Spanned<String>>) -> Compiled<Currency> {
        let Some(text) = text else { return Ok(Currency::CNY) };
        text.get_ref().parse().or_else(|_| self.wrong(text, "expected a currency such as \"CNY\""))
    }

    fn instrument(&self, text: &Spanned<String>) -> Compiled<Instrument> {
        let known = INSTRUMENTS.iter().find(|known| known.0 == text.get_ref());
        let words: Vec<&str> = INSTRUMENTS.iter().map(|known| known.0).collect();
        known
            .map(|known| known.1)
            .map_or_else(|| self.wrong(text, unknown("instrument", text.get_ref(), &words)), Ok)
    }

    fn columns(&self, file: &ProfileFile, form: NumberForm, header: bool) -> Compiled<Vec<Column>> {
        let mut seen = BTreeSet::new();
        let count = file.widths.as_ref().map_or(usize::MAX, |widths| widths.get_ref().len());
        let mut columns = Vec::new();
        for column in &file.columns {
            let ColumnFile {
                name,
                header: title,
                alternates,
                number,
                optional,
                format,
                unit,
                sign,
            } = column.get_ref();
            if !seen.insert(name.get_ref().as_str()) {
                return self
                    .wrong(name, format!("column `{}` stands above already", name.get_ref()));
            }
            let named = title.is_some() || !alternates.is_empty();
            match (header, named, number) {
                (true, false, _) => {
                    return self.wrong(name, "expected `header`: the column's name in the file");
                }
                (false, _, None) => {
                    return self.wrong(name, "expected `number`: the column's place, from 1");
                }
                (true, _, Some(number)) => {
                    return self
                        .wrong(number, "columns are found by `header` here, wherever they stand");
                }
                _ => {}
            }
            let place = match number {
                Some(number) if (1..=count).contains(number.get_ref()) => {
                    Some(number.get_ref() - 1)
                }
                Some(number) => {
                    let problem =
                        format!("there is no column {}: expected 1 to {count}", number.get_ref());
                    return self.wrong(number, problem);
                }
                None => None,
            };
            if name.get_ref() == Meaning::Time.word() && format.is_none() {
                return self.wrong(name, "expected `format`, such as \"%Y-%m-%d %H:%M:%S\"");
            }
            columns.push(Column {
                name: name.get_ref().clone(),
                headers: title
                    .iter()
                    .chain(alternates)
                    .map(|title| super::super::cells::plain(title))
                    .collect(),
                place,
                optional: *optional,
                format: format.as_ref().map(|format| format.get_ref().clone()),
                form: NumberForm {
                    minor_units: match unit {
                        None => form.minor_units,
                        Some(unit) => matches!(unit, UnitFile::Minor),
                    },
                    letter_sign: matches!(sign, Some(SignFile::Letter)),
                    ..form
                },
            });
        }
        Ok(columns)
    }

    fn meanings(&self) -> [Option<usize>; Meaning::COUNT] {
        let mut places = [None; Meaning::COUNT];
        for meaning in Meaning::ALL {
            places[*meaning as usize] = self.names.iter().position(|name| name == meaning.word());
        }
        places
    }

    /// The place of a column by its name.
    fn place(&self, name: &str) -> Result<usize, String> {
        let place = self.names.iter().position(|known| known == name);
        let valid: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let place = place.ok_or_else(|| unknown("column", name, &valid))?;
        self.used.borrow_mut().insert(place);
        Ok(place)
    }

    fn sum(&self, text: &Spanned<String>) -> Compiled<Expression> {
        Expression::parse(text.get_ref(), |name| self.place(name))
            .or_else(|problem| self.wrong(text, problem))
    }

    /// A sum as written, or the column of the default name where there is one.
    fn expression(
        &self,
        text: Option<&Spanned<String>>,
        default: &str,
    ) -> Compiled<Option<Expression>> {
        match text {
            Some(text) => self.sum(text).map(Some),
            None => {
                Ok(self.place(default).ok().map(|place| Expression { terms: vec![(1, place)] }))
            }
        }
    }

    fn kind(&self, text: &Spanned<String>) -> Compiled<RowKind> {
        let words: Vec<&str> = RowKind::ALL.iter().map(|kind| kind.label()).collect();
        RowKind::named(text.get_ref())
            .map_or_else(|| self.wrong(text, unknown("kind", text.get_ref(), &words)), Ok)
    }

    fn conditions(
        &self,
        when: &BTreeMap<Spanned<String>, Vec<String>>,
    ) -> Compiled<Vec<(usize, Vec<String>)>> {
        let place = |name: &Spanned<String>| {
            self.place(name.get_ref()).or_else(|problem| self.wrong(name, problem))
        };
        when.iter().map(|(name, words)| Ok((place(name)?, words.clone()))).collect()
    }

    fn rule(&self, rule: &Spanned<RuleFile>) -> Compiled<Rule> {
        let RuleFile { when, kind, amount, sign, instrument, equation } = rule.get_ref();
        let conditions = self.conditions(when)?;
        let making = match kind.get_ref().as_str() {
            "by_sign" => Making::BySign,
            "skip" => Making::Skip,
            _ => Making::Kind(self.kind(kind)?),
        };
        let amount = match self.expression(amount.as_ref(), "amount")? {
            Some(amount) => amount,
            None if making == Making::Skip => Expression { terms: Vec::new() },
            None => {
                return self
                    .wrong(rule, "expected `amount`: a column by that name, or a sum of columns");
            }
        };
        let equation = equation.as_ref().map(|text| {
            Equation::parse(text.get_ref(), |name| self.place(name))
                .or_else(|problem| self.wrong(text, problem))
        });
        Ok(Rule {
            when: conditions,
            making,
            amount,
            sign: match sign {
                None | Some(AmountSignFile::AsWritten) => AmountSign::AsWritten,
                Some(AmountSignFile::Plus) => AmountSign::Plus,
                Some(AmountSignFile::Minus) => AmountSign::Minus,
                Some(AmountSignFile::Reverse) => AmountSign::Reverse,
            },
            instrument: instrument.as_ref().map(|word| self.instrument(word)).transpose()?,
            equation: equation.transpose()?,
        })
    }

    fn total(&self, total: &Spanned<TotalFile>) -> Compiled<Total> {
        let TotalFile { name, alternates, sum, count, when, optional, absolute } = total.get_ref();
        let sum = match (sum, count) {
            (Some(sum), false) => Some(self.sum(sum)?),
            (None, true) => None,
            _ => return self.wrong(name, "expected either `sum = \"…\"` or `count = true`"),
        };
        let names = [name.get_ref()].into_iter().chain(alternates);
        Ok(Total {
            names: names.map(|name| super::super::cells::plain(name)).collect(),
            sum,
            when: self.conditions(when)?,
            optional: *optional,
            absolute: *absolute,
        })
    }

    fn balanced(&self, balanced: &Spanned<BalancedFile>) -> Compiled<(Expression, usize)> {
        let BalancedFile { sum, by } = balanced.get_ref();
        let sum = Expression::parse(sum, |name| self.place(name));
        let by = self.place(by);
        match (sum, by) {
            (Ok(sum), Ok(by)) => Ok((sum, by)),
            (Err(problem), _) | (_, Err(problem)) => self.wrong(balanced, problem),
        }
    }

    /// A name that is no meaning and that nothing refers to is most likely misspelt.
    fn all_used(&self, file: &ProfileFile) -> Compiled<()> {
        let words: Vec<&str> = Meaning::ALL.iter().map(|meaning| meaning.word()).collect();
        for (place, column) in file.columns.iter().enumerate() {
            let name = &column.get_ref().name;
            let known = words.contains(&name.get_ref().as_str());
            if !known && !self.used.borrow().contains(&place) {
                let problem = unknown("meaning", name.get_ref(), &words);
                let own = "; a name of your own must be used by a row, a sum or a total";
                return self.wrong(name, format!("{problem}{own}"));
            }
        }
        Ok(())
    }
}
