//! Recorded and made settlement files against their reviewed readings: each row as it was understood, the totals that
//! were checked, or why the file is refused.

mod alike;
mod due;
mod imported;
mod inbox;
mod month;
mod names;
mod refused;
mod repeated;
mod together;

use slipwatch_collector::settlement::reader::error::ReadError;
use slipwatch_collector::settlement::reader::profile::{Format, shipped};
use slipwatch_collector::settlement::reader::{self, Reader, Step, explain};
use std::fmt::Write;
use std::fs;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/settlement")
}

/// A made file, as it lies there.
fn made(name: &str) -> Vec<u8> {
    fs::read(fixtures().join("profiles").join(name)).expect("a fixture")
}

/// The same, where it is text.
fn made_text(name: &str) -> String {
    String::from_utf8(made(name)).expect("UTF-8")
}

/// Settings of one shop and its acquirer; `settlement` stands with the settlement's, `shop` behind the shop's.
fn settings(settlement: &str, shop: &str) -> String {
    format!(
        r#"
[store]
path = "store"
[settlement]
{settlement}
[[settlement.statement]]
name = "acquirer"
profile = "allinpay"
merchants = ["821330154110001"]
shops = ["shop-1"]
[[shop]]
name = "shop-1"
time_zone = "+08:00"
{shop}
"#
    )
}

/// What a person sees of a file, read as the profile says.
fn reading(profile_name: &str, path: &Path) -> String {
    let profile = shipped::named(profile_name).expect("a shipped profile").expect("it compiles");
    let name = path.file_name().expect("a file").to_string_lossy().into_owned();
    let file = fs::File::open(path).expect("a fixture can be read");
    // Small reads, so that every row is cut at every place once.
    let input = BufReader::with_capacity(61, file);
    let mut out = String::new();
    let mut read = Reader::new(&profile, Box::new(input), reader::day_of_name(&profile, &name));
    let mut all = || -> Result<(), ReadError> {
        while let Some(step) = read.next_step()? {
            match step {
                Step::Row(row) => writeln!(out, "{}", explain::row(&row)).expect("memory"),
                Step::Passed { line, why } => {
                    writeln!(out, "line {line:<5} ({})", why.label()).expect("memory")
                }
            }
        }
        Ok(())
    };
    let ended = all().and_then(|()| read.finish());
    match ended {
        Ok(read) => {
            writeln!(out, "{} rows", read.rows).expect("memory");
            for checked in read.checked {
                writeln!(out, "holds: {} {}", checked.name, checked.value).expect("memory");
            }
            for (column, count) in read.left_out {
                writeln!(out, "left out: {count} of {column}").expect("memory");
            }
        }
        Err(error) => writeln!(out, "REFUSED: {error}").expect("memory"),
    }
    out
}

fn assert_reading(profile: &str, path: &Path) {
    let name = path.file_name().expect("a file").to_string_lossy().replace(' ', "_");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(path.parent().expect("a directory"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, reading(profile, path)));
}

fn files_of(directory: &str, ends: &[&str]) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(fixtures().join(directory))
        .expect("a directory of fixtures")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| ends.iter().any(|known| *known == end)))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{directory} holds no fixture");
    files
}

#[test]
fn every_recorded_bank_statement_is_read_or_refused_as_reviewed() {
    for path in files_of("camt_genkgo", &["xml"]) {
        assert_reading("camt", &path);
    }
    for path in files_of("mt940_wolph", &["sta"]) {
        assert_reading("mt940", &path);
    }
}

const MADE: [(&str, &str); 8] = [
    ("wechat-trade", "wechat-trade.csv"),
    ("wechat-fund", "wechat-fund.csv"),
    ("alipay-trade", "alipay-trade.csv"),
    ("unionpay-zm", "IND25112488ZM_821330154110001"),
    ("allinpay", "allinpay.csv"),
    ("leshua", "leshua.txt"),
    ("adyen-settlement-detail", "adyen-settlement-detail.csv"),
    ("stripe-itemised", "stripe-itemised.csv"),
];

#[test]
fn every_shipped_profile_reads_a_realistic_file_as_reviewed() {
    for (profile, file) in MADE {
        assert_reading(profile, &fixtures().join("profiles").join(file));
    }
}

#[test]
fn a_file_is_told_by_its_own_looks() {
    for (profile, file) in MADE {
        let mut head = Vec::new();
        let path = fixtures().join("profiles").join(file);
        fs::File::open(path)
            .expect("a fixture")
            .take(64 * 1024)
            .read_to_end(&mut head)
            .expect("bytes");
        let fitting: Vec<String> = shipped::all()
            .iter()
            .filter(|known| reader::looks_like(known, &head))
            .map(|known| known.name.clone())
            .collect();
        assert_eq!(fitting, [profile], "{file}");
    }
    for path in files_of("camt_genkgo", &["xml"]) {
        let head = fs::read(&path).expect("a fixture");
        let fitting = shipped::all().into_iter().filter(|known| reader::looks_like(known, &head));
        let formats: Vec<Format> = fitting.map(|known| known.format).collect();
        assert_eq!(formats, [Format::Camt], "{}", path.display());
    }
}
