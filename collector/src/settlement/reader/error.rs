//! Why a file is refused: the line, the column, and what was found there. A cell's own text is shown only where it can
//! hold no card number.

use super::money::NumberError;
use super::profile::Encoding;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a file is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// The line, from 1; 0 where it is the whole file.
    pub line: u32,
    /// The column's header, or what the profile calls it.
    pub column: Option<String>,
    /// What is wrong.
    pub trouble: Trouble,
}

/// What is wrong with a file. Kept with the file, so that it is told in either language later: variants are appended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// The disk, or the archive, did not give it.
    #[error("it cannot be read ({0})")]
    Unreadable(#[serde(with = "fault")] std::io::ErrorKind),
    /// A byte that is no character.
    #[error("it is not written in {}", encoding(.0))]
    WrongEncoding(Encoding),
    /// A line without an end.
    #[error("a line of more than {} bytes", super::lines::LINE_BYTES_MAX)]
    LineTooLong,
    /// No line names the columns of the profile.
    #[error(
        "no header: none of the first {looked} lines names the columns of profile {profile}{}",
        lacks(.nearest)
    )]
    NoHeader {
        /// Which profile.
        profile: String,
        /// How many lines were looked at.
        looked: u32,
        /// The nearest line, and the columns that it lacks.
        nearest: Option<(u32, String)>,
    },
    /// A line of another length than the profile's.
    #[error("expected {expected} bytes, found {found}: another format, or a file that was cut off")]
    LineBytes {
        /// As the profile says.
        expected: usize,
        /// As it is.
        found: usize,
    },
    /// A row with fewer cells than columns.
    #[error("expected {expected} cells, found {found}")]
    Cells {
        /// As the header says.
        expected: usize,
        /// As it is.
        found: usize,
    },
    /// A cell that cannot be read.
    #[error("{what}, found {found}")]
    Cell {
        /// What was expected.
        what: Expected,
        /// What stood there.
        found: Found,
    },
    /// A row that no rule of the profile knows.
    #[error("no [[row]] of the profile knows such a row ({})", joined(.0))]
    UnknownRow(Vec<(String, Found)>),
    /// A row whose numbers contradict each other.
    #[error("{equation} does not hold: {left} is not {right}")]
    Equation {
        /// As the profile says.
        equation: String,
        /// The one side.
        left: String,
        /// The other.
        right: String,
    },
    /// The file's own total is not what its rows come to.
    #[error("the file says {stated}, its rows come to {counted}")]
    Total {
        /// As the file states.
        stated: String,
        /// As its rows come to.
        counted: String,
    },
    /// The file ends before what closes it.
    #[error("the closing lines are missing: was the file cut off?")]
    NoTotals,
    /// The last line has no end, and nothing else in the file would show that values are missing.
    #[error("the last line has no line end: was the file cut off?")]
    NoLineEnd,
    /// Something behind the end.
    #[error("something stands behind the end of the file")]
    BehindTheEnd,
    /// More than is read of one file.
    #[error("more than {most} {}", of.english())]
    TooMuch {
        /// Of what.
        of: Bounded,
        /// How much is read.
        most: u64,
    },
    /// Not the format it is taken for.
    #[error("{0}")]
    NotThat(Form),
}

/// What was expected of a cell.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// A number of the profile's form.
    #[error("{0}")]
    Number(#[from] NumberError),
    /// A currency.
    #[error("expected a currency")]
    Currency,
    /// Fen, not parts of one.
    #[error("expected whole smallest units")]
    WholeUnits,
    /// A time of this form.
    #[error("expected a time as {0}")]
    Time(String),
    /// A day of this form.
    #[error("expected a day as {0}")]
    Day(String),
    /// Either.
    #[error("expected a time or a day")]
    TimeOrDay,
    /// A zone that the profile translates.
    #[error("expected a zone that [words.zone] knows")]
    Zone,
    /// A total of the file's own.
    #[error("expected a total")]
    Total,
    /// A blank behind the column of this number, from 1.
    #[error("expected a blank behind column {0}")]
    Blank(usize),
    /// A balance of MT940.
    #[error("expected C or D, date, currency and amount")]
    Balance,
    /// A booking of MT940.
    #[error("expected date, C or D, amount and kind")]
    Booking,
    /// A balance before the first booking.
    #[error("expected an opening balance with a currency before it")]
    OpeningBalance,
    /// An amount of camt.
    #[error("expected an amount with a currency")]
    AmountWithCurrency,
    /// A part that each entry of camt has.
    #[error("expected one in each entry")]
    OneInEachEntry,
}

/// What stood in a cell, as it may be shown and kept: short, and of a card its length alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// A text, at most [`SHOWN_CHARS_MAX`] characters of it.
    Text(String),
    /// A number.
    Number(String),
    /// A text of so many characters that may hold a card number.
    Long(usize),
    /// A sign where none may stand.
    AnotherSign,
    /// Nothing.
    Nothing,
}

impl fmt::Display for Found {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Found::Text(text) => write!(out, "{text:?}"),
            Found::Number(number) => out.write_str(number),
            Found::Long(chars) => write!(out, "a text of {chars} characters"),
            Found::AnotherSign => out.write_str("another sign"),
            Found::Nothing => out.write_str("none"),
        }
    }
}

/// Of what only so much is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bounded {
    /// Cells of a line.
    Cells,
    /// Rows of a file.
    Rows,
    /// Groups of rows whose sum must be nothing.
    Batches,
    /// Statements of a bank's file.
    Statements,
    /// Elements within elements.
    Levels,
}

impl Bounded {
    fn english(self) -> &'static str {
        match self {
            Bounded::Cells => "cells in a line",
            Bounded::Rows => "rows",
            Bounded::Batches => "batches in a file",
            Bounded::Statements => "statements",
            Bounded::Levels => "levels of elements",
        }
    }
}

/// Why a file is not of the format that it is taken for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// No statement of MT940.
    #[error("no statement of MT940 is in it")]
    NoMt940,
    /// No statement of camt.
    #[error("no statement of camt.052, .053 or .054 is in it")]
    NoCamt,
    /// MT940 begins otherwise.
    #[error("expected :20: before anything else")]
    NoReference,
    /// Not well-formed; the reader's own words.
    #[error("no sound XML: {0}")]
    Xml(String),
    /// It declares a document type.
    #[error("a document type is not read")]
    DocumentType,
}

fn lacks(nearest: &Option<(u32, String)>) -> String {
    let told = nearest.as_ref().map(|(line, lacks)| format!("; line {line} lacks {lacks}"));
    told.unwrap_or_default()
}

fn joined(cells: &[(String, Found)]) -> String {
    cells.iter().map(|(title, found)| format!("{title} {found}")).collect::<Vec<_>>().join(", ")
}

/// What the system said, as a word.
mod fault {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::io::ErrorKind;

    const KNOWN: [(ErrorKind, &str); 4] = [
        (ErrorKind::NotFound, "not_found"),
        (ErrorKind::PermissionDenied, "permission_denied"),
        (ErrorKind::UnexpectedEof, "unexpected_end"),
        (ErrorKind::InvalidData, "invalid_data"),
    ];

    pub(super) fn serialize<S: Serializer>(kind: &ErrorKind, out: S) -> Result<S::Ok, S::Error> {
        let known = KNOWN.iter().find(|(known, _)| known == kind);
        out.serialize_str(known.map_or("other", |(_, word)| word))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<ErrorKind, D::Error> {
        let word = String::deserialize(from)?;
        let known = KNOWN.iter().find(|(_, known)| *known == word);
        Ok(known.map_or(ErrorKind::Other, |(kind, _)| *kind))
    }
}

fn encoding(encoding: &Encoding) -> &'static str {
    match encoding {
        Encoding::Utf8 => "UTF-8",
        Encoding::Gbk => "GBK",
    }
}

impl ReadError {
    /// At a line.
    pub fn at(line: u32, trouble: Trouble) -> ReadError {
        ReadError { line, column: None, trouble }
    }

    /// At a line and a column.
    pub fn in_column(line: u32, column: &str, trouble: Trouble) -> ReadError {
        ReadError { line, column: Some(column.to_owned()), trouble }
    }

    /// A word for metrics.
    pub fn label(&self) -> &'static str {
        match self.trouble {
            Trouble::Unreadable(_) => "unreadable",
            Trouble::WrongEncoding(_) => "encoding",
            Trouble::NoHeader { .. } | Trouble::LineBytes { .. } | Trouble::NotThat(_) => "format",
            Trouble::Total { .. } | Trouble::NoTotals => "totals",
            Trouble::Equation { .. } => "equation",
            Trouble::NoLineEnd => "cut",
            _ => "row",
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, &self.column) {
            (0, None) => {}
            (0, Some(column)) => write!(out, "{column}: ")?,
            (line, None) => write!(out, "line {line}: ")?,
            (line, Some(column)) => write!(out, "line {line}, column {column}: ")?,
        }
        fmt::Display::fmt(&self.trouble, out)
    }
}

impl std::error::Error for ReadError {}

/// Most characters of a cell that a message shows.
pub const SHOWN_CHARS_MAX: usize = 40;

/// A cell's text as a message may show it: short, without control characters, and nothing that may be a card number.
pub fn shown(text: &str) -> Found {
    // Wide digits and Chinese ones, too.
    let digits = text.chars().filter(|char| char.is_numeric()).count();
    if digits >= 12 {
        return Found::Long(text.chars().count());
    }
    let plain = text.chars().map(|char| if char.is_control() { ' ' } else { char });
    Found::Text(plain.take(SHOWN_CHARS_MAX).collect())
}
