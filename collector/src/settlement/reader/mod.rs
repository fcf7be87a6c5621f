//! One mapped reader for the files of acquirers and wallets: profiles say how a file is laid out, and bytes become rows,
//! one at a time. A file that is not wholly understood, or whose own totals do not add up, is refused whole. Opens no
//! file itself, and keeps of a card no more than first six and last four digits.

mod bank;
mod camt;
mod cells;
pub mod error;
pub mod explain;
pub(crate) mod lines;
mod mapped;
pub mod money;
mod mt940;
pub mod profile;
#[cfg(test)]
mod tests;
mod totals;
mod value;

use super::row::{RowKind, SettlementRow};
use camt::Camt;
use error::{Bounded, ReadError, Trouble};
use jiff::civil::Date;
use mapped::Mapped;
use mt940::Mt940;
use profile::{Format, Profile};
use std::collections::BTreeMap;
use std::io::BufRead;

pub use totals::Checked;

/// Most rows of one file.
pub const ROWS_MAX: u64 = 50_000_000;

/// What came of one line, or of the lines of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A row.
    Row(Box<SettlementRow>),
    /// A line that is no row, and why not.
    Passed {
        /// The line, from 1.
        line: u32,
        /// Why.
        why: Passed,
    },
}

/// Why a line is no row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Passed {
    /// It stands before the header.
    BeforeHeader,
    /// It is the header.
    Header,
    /// It is empty.
    Empty,
    /// The profile passes such lines over.
    Remark,
    /// It states totals.
    Summary,
    /// A rule of the profile says that it moves no money.
    NoMoney,
}

impl Passed {
    /// In words.
    pub fn label(self) -> &'static str {
        match self {
            Passed::BeforeHeader => "before the header",
            Passed::Header => "header",
            Passed::Empty => "empty",
            Passed::Remark => "remark",
            Passed::Summary => "totals",
            Passed::NoMoney => "moves no money",
        }
    }
}

/// A file that was read to its end, and holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// How many rows.
    pub rows: u64,
    /// Totals of its own that were checked.
    pub checked: Vec<Checked>,
    /// Identifiers that could not be kept (too long, or no ASCII), by column: the row is kept without them.
    pub left_out: BTreeMap<String, u64>,
}

/// Rows of a file, as a profile says.
pub struct Reader<'a> {
    format: Inner<'a>,
    rows: u64,
}

enum Inner<'a> {
    Mapped(Box<Mapped<'a>>),
    Camt(Box<Camt<'a>>),
    Mt940(Box<Mt940<'a>>),
}

impl<'a> Reader<'a> {
    /// Over a file's bytes. `file_day` is the day that its name tells, where it does.
    pub fn new(
        profile: &'a Profile,
        input: Box<dyn BufRead + 'a>,
        file_day: Option<Date>,
    ) -> Reader<'a> {
        let format = match profile.format {
            Format::Delimited | Format::Fixed => {
                Inner::Mapped(Box::new(Mapped::new(profile, input, file_day)))
            }
            Format::Camt => Inner::Camt(Box::new(Camt::new(profile, input))),
            Format::Mt940 => Inner::Mt940(Box::new(Mt940::new(profile, input))),
        };
        Reader { format, rows: 0 }
    }

    /// The next row, or a line that is none; nothing at the end of the file.
    pub fn next_step(&mut self) -> Result<Option<Step>, ReadError> {
        let step = match &mut self.format {
            Inner::Mapped(reader) => reader.next_step(),
            Inner::Camt(reader) => reader.next_step(),
            Inner::Mt940(reader) => reader.next_step(),
        }?;
        if matches!(step, Some(Step::Row(_))) {
            self.rows += 1;
            if self.rows > ROWS_MAX {
                let trouble = Trouble::TooMuch { of: Bounded::Rows, most: ROWS_MAX };
                return Err(ReadError::at(0, trouble));
            }
        }
        Ok(step)
    }

    /// The next row; passes over what is none.
    pub fn next_row(&mut self) -> Result<Option<SettlementRow>, ReadError> {
        loop {
            match self.next_step()? {
                None => return Ok(None),
                Some(Step::Row(row)) => return Ok(Some(*row)),
                Some(Step::Passed { .. }) => {}
            }
        }
    }

    /// After the end: whether the file is whole and holds what it says of itself.
    pub fn finish(self) -> Result<Read, ReadError> {
        let rows = self.rows;
        let (checked, left_out) = match self.format {
            Inner::Mapped(reader) => reader.finish()?,
            Inner::Camt(reader) => (reader.finish()?, BTreeMap::new()),
            Inner::Mt940(reader) => (reader.finish()?, BTreeMap::new()),
        };
        Ok(Read { rows, checked, left_out })
    }
}

/// Whether the first bytes of a file look like what a profile reads: its header is among the first lines, its lines are
/// as long as they should be, or its first words are those of a bank's statement.
pub fn looks_like(profile: &Profile, head: &[u8]) -> bool {
    match profile.format {
        Format::Camt => camt::looks_like(head),
        Format::Mt940 => mt940::looks_like(head),
        Format::Delimited | Format::Fixed => mapped::looks_like(profile, head),
    }
}

/// The day that a file's name tells, by the profile's groups `y`, `m`, `d`.
pub fn day_of_name(profile: &Profile, name: &str) -> Option<Date> {
    let found = profile.file_name.as_ref()?.captures(name)?;
    let number = |group: &str| found.name(group)?.as_str().parse::<i16>().ok();
    let year = number("y")?;
    let year = if year < 100 { 2000 + year } else { year };
    Date::new(year, number("m")? as i8, number("d")? as i8).ok()
}

/// Whether money of a kind is given to the shop (1) or taken from it (-1) where a file writes it without a sign.
pub fn usual_sign(kind: RowKind) -> i64 {
    match kind {
        RowKind::Sale | RowKind::Credit => 1,
        _ => -1,
    }
}
