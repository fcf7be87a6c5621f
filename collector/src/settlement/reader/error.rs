//! Why a file is refused: the line, the column, and what was found there. A cell's own text is shown only where it can
//! hold no card number.

use super::profile::Encoding;
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

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The disk, or the archive, did not give it.
    #[error("it cannot be read ({0})")]
    Unreadable(std::io::ErrorKind),
    /// A byte that is no character.
    #[error("it is not written in {}", encoding(.0))]
    WrongEncoding(Encoding),
    /// A line without an end.
    #[error("a line of more than {} bytes", super::lines::LINE_BYTES_MAX)]
    LineTooLong,
    /// No line names the columns of the profile.
    #[error(
        "no header: none of the first {looked} lines names the columns of profile {profile}{nearest}"
    )]
    NoHeader {
        /// Which profile.
        profile: String,
        /// How many lines were looked at.
        looked: u32,
        /// What the nearest line lacks.
        nearest: String,
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
        what: String,
        /// What stood there, shortened; of a card its length alone.
        found: String,
    },
    /// A row that no rule of the profile knows.
    #[error("no [[row]] of the profile knows such a row ({0})")]
    UnknownRow(String),
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
    #[error("more than {0}")]
    TooMuch(&'static str),
    /// Not the format it is taken for.
    #[error("{0}")]
    NotThat(String),
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
const SHOWN_CHARS_MAX: usize = 40;

/// A cell's text as a message may show it: short, without control characters, and nothing that may be a card number.
pub fn shown(text: &str) -> String {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    if digits >= 12 {
        return format!("a text of {} characters", text.chars().count());
    }
    let plain = text.chars().map(|char| if char.is_control() { ' ' } else { char });
    let short: String = plain.take(SHOWN_CHARS_MAX).collect();
    format!("{short:?}")
}
