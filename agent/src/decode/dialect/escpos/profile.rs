//! The settings of the family, as profiles write them.

use super::table::{self, Upper};
use super::text::Start;
use crate::decode::dialect::error::{ProfileError, Source, unknown};
use encoding_rs::Encoding;
use serde::Deserialize;
use slipwatch_shared::money::Currency;
use std::collections::BTreeMap;
use toml::Spanned;

/// A text and where it stands, for messages.
type Word = Spanned<String>;

/// Encodings of signs of two bytes, by name.
const WIDE: [(&str, Option<&Encoding>); 5] = [
    ("gb18030", Some(encoding_rs::GB18030)),
    ("big5", Some(encoding_rs::BIG5)),
    ("shift_jis", Some(encoding_rs::SHIFT_JIS)),
    ("euc-kr", Some(encoding_rs::EUC_KR)),
    ("none", None),
];

/// Rows of dots from which an image is a slip, where the profile does not say: five centimetres.
const SLIP_ROWS_MIN: u64 = 400;

/// How long a printer without a cutter is idle after a slip, where the profile does not say.
const IDLE_MS: u64 = 2_000;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileText {
    /// Read before, where the family is chosen.
    #[serde(default, rename = "family")]
    _family: Option<Word>,
    about: String,
    #[serde(default)]
    currency: Option<Word>,
    #[serde(default)]
    cjk: Option<Word>,
    #[serde(default)]
    cjk_on: bool,
    #[serde(default)]
    code_table: Option<Spanned<u8>>,
    #[serde(default)]
    code_tables: BTreeMap<Word, Word>,
    #[serde(default)]
    columns: Option<Spanned<u16>>,
    #[serde(default = "yes")]
    cutter: bool,
    #[serde(default)]
    idle_ms: Option<Spanned<u64>>,
    #[serde(default)]
    raster_slip_rows: Option<Spanned<u64>>,
    #[serde(default = "yes")]
    keys_required: bool,
    #[serde(default)]
    esc_at_clears: bool,
}

fn yes() -> bool {
    true
}

/// The settings, understood.
#[derive(Debug)]
pub(super) struct Settings {
    pub about: Box<str>,
    /// The currency of sums that name none.
    pub currency: Option<Currency>,
    /// How the printer is set when it is switched on.
    pub start: Start,
    /// Tables that the maker counts otherwise than Epson.
    tables: Vec<(u8, &'static Upper)>,
    /// Whether it cuts, or the paper is torn off.
    pub cuts: bool,
    /// A pause of so many milliseconds ends a slip that was fed and cannot be cut.
    pub idle_ms: u64,
    /// Rows of dots from which an image is a slip.
    pub slip_rows_min: u64,
    /// Whether text must show an amount or a number to be a slip.
    pub needs_keys: bool,
    /// Whether `ESC @` throws away what the printer could not print yet.
    pub esc_at_clears: bool,
}

impl Settings {
    /// Reads a profile. `name` is its file or shipped name, for messages.
    pub fn parse(name: &str, toml: &str) -> Result<Settings, ProfileError> {
        let source = Source { file: name, text: toml };
        let text: ProfileText = toml::from_str(toml).map_err(|error| source.toml_error(&error))?;
        let currency = text.currency.as_ref().map(|word| {
            let wrong = |_| source.error(word.span().start, "a currency has three letters".into());
            word.get_ref().parse().map_err(wrong)
        });
        let wide = match &text.cjk {
            None => None,
            Some(word) => *find(&source, "encoding", word, &WIDE)?,
        };
        let names = table::names();
        let mut tables = Vec::new();
        for (number, table) in &text.code_tables {
            let wrong = |_| {
                source.error(number.span().start, "the number of a code table is 0 to 255".into())
            };
            let number: u8 = number.get_ref().parse().map_err(wrong)?;
            let upper = table::named(table.get_ref()).ok_or_else(|| {
                source.error(table.span().start, unknown("code table", table.get_ref(), &names))
            })?;
            tables.push((number, upper));
        }
        let bounded = |value: &Option<Spanned<u64>>, name: &str, max: u64, otherwise: u64| {
            let Some(value) = value else { return Ok(otherwise) };
            match value.get_ref() {
                number if (1..=max).contains(number) => Ok(*number),
                _ => {
                    Err(source.error(value.span().start, format!("{name} is between 1 and {max}")))
                }
            }
        };
        let columns = match &text.columns {
            Some(columns) if !(16..=255).contains(columns.get_ref()) => {
                let problem = "columns is between 16 and 255".into();
                return Err(source.error(columns.span().start, problem));
            }
            columns => columns.as_ref().map(|columns| *columns.get_ref()),
        };
        let start = Start {
            wide,
            wide_is_on: text.cjk_on,
            table: text.code_table.map_or(0, Spanned::into_inner),
            columns,
        };
        Ok(Settings {
            about: text.about.into(),
            currency: currency.transpose()?,
            start,
            tables,
            cuts: text.cutter,
            idle_ms: bounded(&text.idle_ms, "idle_ms", 60_000, IDLE_MS)?,
            slip_rows_min: bounded(
                &text.raster_slip_rows,
                "raster_slip_rows",
                1_000_000,
                SLIP_ROWS_MIN,
            )?,
            needs_keys: text.keys_required,
            esc_at_clears: text.esc_at_clears,
        })
    }

    /// The code table of a number of `ESC t`.
    pub fn table(&self, number: u8) -> &'static Upper {
        let own = self.tables.iter().find(|own| own.0 == number);
        own.map_or_else(|| table::numbered(number), |own| own.1)
    }
}

/// What a word stands for.
fn find<'t, T>(
    source: &Source<'_>,
    what: &str,
    word: &Word,
    known: &'t [(&'static str, T)],
) -> Result<&'t T, ProfileError> {
    let name = word.get_ref();
    match known.iter().find(|known| known.0 == name) {
        Some((_, value)) => Ok(value),
        None => {
            let names: Vec<&str> = known.iter().map(|known| known.0).collect();
            Err(source.error(word.span().start, unknown(what, name, &names)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn wrong(toml: &str, expected: &str) {
        let error = Settings::parse("shop.toml", toml).expect_err("the profile is wrong");
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_mistake_is_told_with_its_line_and_the_nearest_valid_word() {
        wrong(
            "about = 'x'\ncjk = 'gbk18030'\n",
            "shop.toml:2: unknown encoding `gbk18030`; did you mean `gb18030`?",
        );
        wrong(
            "about = 'x'\n[code_tables]\n22 = 'windows-1521'\n",
            "shop.toml:3: unknown code table `windows-1521`; did you mean `windows-1251`?",
        );
        wrong(
            "about = 'x'\n[code_tables]\nx = 'cp437'\n",
            "shop.toml:3: the number of a code table is 0 to 255",
        );
        wrong("about = 'x'\ncolumns = 3\n", "shop.toml:2: columns is between 16 and 255");
        wrong("about = 'x'\nidle_ms = 0\n", "shop.toml:2: idle_ms is between 1 and 60000");
        wrong("about = 'x'\ncurrency = '€'\n", "shop.toml:2: a currency has three letters");
        wrong(
            "about = 'x'\ncuter = true\n",
            "shop.toml:2: unknown key `cuter`; did you mean `cutter`?",
        );
    }

    #[test]
    fn the_guide_shows_every_setting() {
        let guide = include_str!("../../../../profiles/README.md");
        let mut examples =
            guide.split("```toml\n").skip(1).filter_map(|text| text.split("```").next());
        let example = examples.find(|example| example.contains("family = \"escpos\""));
        let example = example.expect("the guide shows a printer");
        let settings = Settings::parse("guide", example).expect("it is sound");
        assert!(!settings.cuts && settings.table(22) != table::numbered(22));
        let keys = ["family", "about", "currency", "cjk", "cjk_on", "code_table", "columns"];
        let more = ["cutter", "idle_ms", "raster_slip_rows", "keys_required", "esc_at_clears"];
        for key in keys.iter().chain(&more) {
            assert!(example.lines().any(|line| line.starts_with(&format!("{key} = "))), "{key}");
        }
    }

    #[test]
    fn a_maker_may_count_tables_otherwise() {
        let settings = Settings::parse("x", "about = 'x'\n[code_tables]\n22 = 'windows-1256'\n");
        let settings = settings.expect("it is sound");
        assert_eq!(settings.table(22), table::named("windows-1256").expect("a table"));
        assert_eq!(settings.table(0), table::numbered(0));
        assert!(settings.cuts && settings.needs_keys && !settings.start.wide_is_on);
    }
}
