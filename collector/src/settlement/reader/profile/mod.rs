//! A settlement profile: how the files of one acquirer or wallet are laid out, as data. Written as TOML, checked whole
//! when it is read, and told with file, line and the nearest word when it is wrong. Reads no file itself.

mod compile;
pub mod error;
mod expression;
mod file;
pub mod shipped;

use super::money::NumberForm;
use crate::settlement::row::{CardClass, RowKind};
use jiff::tz::TimeZone;
use regex::Regex;
use serde::{Deserialize, Serialize};
use slipwatch_shared::event::Instrument;
use slipwatch_shared::money::Currency;

pub use error::ProfileError;
pub use expression::{Equation, Expression};

/// How the bytes of a file are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Cells between delimiters.
    Delimited,
    /// Cells of fixed widths.
    Fixed,
    /// A bank's statement in XML (camt.052, .053, .054).
    Camt,
    /// A bank's statement in tagged text.
    Mt940,
}

/// How characters are encoded. Bytes that are none of it refuse the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    Utf8,
    /// GBK, read as GB18030, which holds it.
    Gbk,
}

/// How cells are quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quoting {
    /// Not at all.
    None,
    /// As spreadsheets do: `"a, ""b"""`, line ends inside.
    DoubleQuote,
    /// Each value begins with a back-quote, and only the two signs together split: `` `a,`b ``.
    BackQuote,
}

/// What a file covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// A day, or days.
    Day,
    /// A payment to the bank, by its number.
    Payout,
}

macro_rules! meanings {
    ($($(#[$doc:meta])* $name:ident = $word:literal),+ $(,)?) => {
        /// What a column may mean. A column by another name serves rules, sums and totals alone.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Meaning { $($(#[$doc])* $name),+ }

        impl Meaning {
            /// All of them.
            pub const ALL: &'static [Meaning] = &[$(Meaning::$name),+];

            /// Its word in profiles.
            pub fn word(self) -> &'static str {
                match self { $(Meaning::$name => $word),+ }
            }

            /// How many there are.
            pub const COUNT: usize = Meaning::ALL.len();
        }
    };
}

meanings! {
    /// Date and time of the payment.
    Time = "time",
    /// Its date, where that stands apart.
    Date = "date",
    /// The zone its time is in.
    Zone = "zone",
    /// The day it is booked on.
    Day = "day",
    /// Whose account.
    Merchant = "merchant",
    /// Field 41.
    Terminal = "terminal",
    /// 凭证号
    Stan = "stan",
    /// 批次号
    Batch = "batch_number",
    /// 参考号
    Rrn = "rrn",
    /// 授权码
    Code = "authorization_code",
    /// The shop's order number.
    Order = "order_number",
    /// The wallet's or processor's number.
    Channel = "channel_transaction_id",
    /// The refund's own number.
    Refund = "refund_number",
    /// The original's 凭证号.
    OriginalStan = "original_stan",
    /// The original's 参考号.
    OriginalRrn = "original_rrn",
    /// The original's order number.
    OriginalOrder = "original_order_number",
    /// The original's number at the wallet or processor.
    OriginalChannel = "original_channel_transaction_id",
    /// The card's number; all but the first six and last four digits is dropped.
    Card = "card",
    /// Which contract the card is charged by.
    Class = "class",
    /// Card or wallet.
    Instrument = "instrument",
    /// The currency.
    Currency = "currency",
    /// A free text.
    Memo = "memo",
    /// With which payment to the bank it goes.
    Payout = "payout",
    /// The kind as the file words it.
    Word = "word",
}

/// A column: where it stands and how its numbers are written.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name in the profile.
    pub name: String,
    /// Its headers, the first of them that is there.
    pub headers: Vec<String>,
    /// Its place from 0, where there is no header.
    pub place: Option<usize>,
    /// The file may do without it.
    pub optional: bool,
    /// How its times are written.
    pub format: Option<String>,
    /// How its numbers are written.
    pub form: NumberForm,
}

/// What a rule makes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Making {
    /// A row of this kind.
    Kind(RowKind),
    /// A charge where the amount is taken from the shop, a credit where it is given.
    BySign,
    /// Nothing: it moves no money.
    Skip,
}

/// How the sign of a rule's amount is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountSign {
    /// As it is written.
    AsWritten,
    /// Always positive.
    Plus,
    /// Always negative.
    Minus,
    /// The other way round.
    Reverse,
}

/// What rows are, by the words in some of their columns.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Columns and the words that each may hold; all must hold.
    pub when: Vec<(usize, Vec<String>)>,
    /// What becomes of the row.
    pub making: Making,
    /// What the shopper paid or got back.
    pub amount: Expression,
    /// Its sign.
    pub sign: AmountSign,
    /// Card or wallet, where the rule tells.
    pub instrument: Option<Instrument>,
    /// What must hold of the row's numbers.
    pub equation: Option<Equation>,
}

/// A sum or count that the file states about itself.
#[derive(Clone, Debug)]
pub struct Total {
    /// Its names: headers of the summary, or groups of its patterns.
    pub names: Vec<String>,
    /// What is summed; rows are counted where absent.
    pub sum: Option<Expression>,
    /// Over rows whose columns hold such words; over all where empty.
    pub when: Vec<(usize, Vec<String>)>,
    /// The file may do without it.
    pub optional: bool,
    /// The sign of what is stated and summed does not count.
    pub absolute: bool,
}

/// Columns of a file whose header row repeats, and rows, told by their first cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// Begins the header.
    pub header: String,
    /// Begins a row.
    pub row: String,
}

/// How the files of one acquirer or wallet are laid out.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its name in settings and on the command line.
    pub name: String,
    /// For people.
    pub title: String,
    /// How bytes are cut.
    pub format: Format,
    /// How characters are encoded.
    pub encoding: Encoding,
    /// What stands between cells.
    pub delimiter: char,
    /// How cells are quoted.
    pub quoting: Quoting,
    /// There is a header line.
    pub header: bool,
    /// Header and rows begin with a word of their own.
    pub marker: Option<Marker>,
    /// Widths of fixed cells, in bytes.
    pub widths: Vec<usize>,
    /// Blanks between fixed cells.
    pub gap: usize,
    /// The zone of its times.
    pub zone: TimeZone,
    /// The currency where no column tells.
    pub currency: Currency,
    /// Card or wallet, where neither rule nor column tells.
    pub instrument: Option<Instrument>,
    /// Words that stand for an empty cell.
    pub empty: Vec<String>,
    /// What its file names look like; may hold the day as groups `y`, `m`, `d`.
    pub file_name: Option<Regex>,
    /// The part of an archive that is read, and those that are passed over.
    pub archive_entry: Option<Regex>,
    /// Parts of an archive that are passed over.
    pub archive_ignore: Option<Regex>,
    /// What a file covers.
    pub period: Period,
    /// Lines that begin so are no rows; the summary's patterns are sought in them.
    pub skip_lines_starting: Vec<String>,
    /// The line that ends the file.
    pub end: Option<String>,
    /// The columns.
    pub columns: Vec<Column>,
    /// Places of columns by what they mean.
    pub meanings: [Option<usize>; Meaning::COUNT],
    /// Zones by the file's words.
    pub zones: Vec<(String, TimeZone)>,
    /// Card classes by the file's words.
    pub classes: Vec<(String, CardClass)>,
    /// Instruments by the file's words.
    pub instruments: Vec<(String, Instrument)>,
    /// What rows are; the first that holds.
    pub rules: Vec<Rule>,
    /// What the acquirer keeps.
    pub fee: Option<Expression>,
    /// What the shop gets.
    pub net: Option<Expression>,
    /// The summary's header begins with this cell.
    pub summary_header: Option<String>,
    /// Patterns of lines that state totals, in groups by name.
    pub summary_patterns: Vec<Regex>,
    /// What the file states about itself.
    pub totals: Vec<Total>,
    /// A sum that must be nothing over all rows of the same cell.
    pub balanced: Option<(Expression, usize)>,
}

impl Profile {
    /// Reads and checks a profile; `file` is what messages call it.
    pub fn parse(file: &str, text: &str) -> Result<Profile, ProfileError> {
        compile::compile(&error::Source { file, text })
    }

    /// The column of a meaning.
    pub fn column_of(&self, meaning: Meaning) -> Option<usize> {
        self.meanings[meaning as usize]
    }
}
