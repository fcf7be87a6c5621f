//! Receipt printers: streams that real drivers send (escpos-php, escpos-tools; host to printer, proven on paper), and
//! slips of our own in the layout of Chinese terminals, since nobody has published a recording of one.

use super::{assert_snapshot, decoder, drain, fixtures, told};
use proptest::prelude::RngExt;
use proptest::test_runner::TestRunner;
use slipwatch_agent::decode::decoder::Decoded;
use slipwatch_agent::decode::dialect::escpos::{Escpos, transcript};
use slipwatch_agent::decode::dialect::{Direction, shipped};
use slipwatch_shared::event::LineCounts;
use slipwatch_shared::times::Uptime;
use std::fmt::Write;
use std::path::PathBuf;

fn printed(dialect: &str, bytes: &[u8]) -> String {
    let toml = shipped::text(dialect).expect("a shipped dialect");
    transcript(&Escpos::parse(dialect, toml).expect("it is sound"), bytes)
}

/// All recorded streams of a family, by name.
fn recordings(family: &str) -> Vec<(String, Vec<u8>)> {
    let listed = std::fs::read_dir(fixtures(family)).expect("the fixtures");
    let mut paths: Vec<PathBuf> = listed.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "bin"));
    paths.sort();
    let name = |path: &PathBuf| path.file_stem().expect("a name").to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), std::fs::read(path).expect("a recording"))).collect()
}

/// The stream in these chunks, then its end.
fn decode_chunks<'b>(chunks: impl Iterator<Item = &'b [u8]>) -> (Vec<Decoded>, LineCounts) {
    let mut decoder = decoder("escpos");
    chunks.for_each(|chunk| decoder.push(Direction::Either, chunk, Uptime(1_000)));
    decoder.finish(Uptime(2_000));
    let counts = decoder.take_counts();
    (drain(&mut decoder), counts)
}

fn is_command(line: &str) -> bool {
    line.starts_with('[')
}

#[test]
fn every_recorded_stream_is_read_whole() {
    let mut files = 0;
    for family in ["escpos-php", "escpos-tools"] {
        for (name, bytes) in recordings(family) {
            let (decoded, counts) = decode_chunks(std::iter::once(bytes.as_slice()));
            let mut text = String::new();
            let tally = format!("{} commands and lines", counts.lines);
            assert_eq!((counts.unmatched, counts.rejected), (0, 0), "{name}");
            writeln!(text, "# {} bytes, {tally}, all known", bytes.len()).expect("room");
            writeln!(text, "{}", printed("escpos", &bytes)).expect("room");
            writeln!(text, "# told").expect("room");
            decoded.iter().for_each(|decoded| text.push_str(&told(decoded)));
            assert_snapshot(family, &name, &text);
            files += 1;
        }
    }
    assert_eq!(files, 14);
}

#[test]
fn chunks_change_nothing() {
    for family in ["escpos-php", "escpos-tools"] {
        for (name, bytes) in recordings(family) {
            let whole = decode_chunks(std::iter::once(bytes.as_slice()));
            assert_eq!(decode_chunks(bytes.chunks(1)), whole, "{name}, byte by byte");
            let mut runner = TestRunner::deterministic();
            for _ in 0..20 {
                let mut rest = bytes.as_slice();
                let chunks = std::iter::from_fn(|| {
                    let length = 1 + runner.rng().random_range(0..rest.len().clamp(1, 700));
                    let (chunk, behind) = rest.split_at_checked(length.min(rest.len()))?;
                    rest = behind;
                    (!chunk.is_empty()).then_some(chunk)
                });
                assert_eq!(decode_chunks(chunks), whole, "{name}");
            }
        }
    }
}

#[test]
fn every_code_table_prints_the_text_that_the_driver_meant() {
    let stream = std::fs::read(fixtures("escpos-php").join("character-encodings.bin"));
    let printed = printed("escpos", &stream.expect("the recording"));
    let table = fixtures("escpos-php").join("character-encodings.expected.tsv");
    let table = std::fs::read_to_string(table).expect("the expected values");
    let mut lines = printed.lines();
    let mut languages = 0;
    for row in table.lines().skip(1) {
        let (language, expected) = row.split_once('\t').expect("two columns");
        assert!(lines.any(|line| line == format!("{language}:")), "{language} is missing");
        assert_eq!(lines.next(), Some(expected), "{language}");
        languages += 1;
    }
    assert_eq!(languages, 14);
}

#[test]
fn the_receipt_with_a_logo_says_what_its_authors_say() {
    let stream = std::fs::read(fixtures("escpos-tools").join("receipt-with-logo.bin"));
    let printed = printed("escpos", &stream.expect("the recording"));
    let expected = fixtures("escpos-tools").join("receipt-with-logo.expected.txt");
    let expected = std::fs::read_to_string(expected).expect("the expected text");
    let lines = |text: &str| -> Vec<String> {
        let lines = text.lines().map(|line| line.trim().to_owned());
        lines.filter(|line| !line.is_empty() && !is_command(line)).collect()
    };
    assert_eq!(lines(&printed), lines(&expected));
}

#[test]
fn cuts_are_counted_and_what_looks_like_a_command_in_a_glyph_is_none() {
    let (_, demo) = recordings("escpos-php").into_iter().find(|file| file.0 == "demo").expect("it");
    let cuts = |text: &str| text.lines().filter(|line| *line == "[cut]").count();
    assert_eq!(cuts(&printed("escpos", &demo)), 14);
    let glyphs = recordings("escpos-php");
    let (_, glyphs) = glyphs.iter().find(|file| file.0 == "unifont-print-buffer").expect("it");
    assert!(glyphs.windows(2).any(|pair| pair == b"\x10\x04"));
    assert!(!printed("escpos", glyphs).contains("status"));
}

/// A slip of a Chinese terminal as a Gprinter or Xprinter gets it: our own, in the layout that four code bases share.
fn chinese_slip(stan: u32, copy: &str) -> Vec<u8> {
    let text = format!(
        "          银联POS签购单\n--------------------------------\n{copy}\n商户编号(MERCHANT NO):\n  898310148160001\n\
         终端编号(TERMINAL NO): 00000001\n操作员号(OPERATOR NO)：01\n卡号(CARD NO):\n  622576******6691 /C\n\
         交易类型(TXN TYPE):\n  消费/SALE\n批次号:000001     凭证号:{stan:06}\n授权码:A1B2C3\n参考号:632809{stan:06}\n\
         日期/时间(DATE/TIME):\n  2026/11/24 09:30:02\n金  额(AMOUNT):    RMB 0.20\n\n"
    );
    let text = encoding_rs::GB18030.encode(&text).0.into_owned();
    [&b"\x1b@\x1c&"[..], &text, b"\x1bd\x0a\x1dV0"].concat()
}

#[test]
fn a_chinese_slip_fails_without_paper_and_is_printed_late() {
    let mut decoder = decoder("escpos-cn");
    let slip = chinese_slip(123, "持卡人存根       CARDHOLDER COPY");
    let steps: [(Direction, &[u8], u64); 11] = [
        (Direction::ToDevice, b"\x10\x04\x01\x10\x04\x02\x10\x04\x04", 0),
        (Direction::FromDevice, b"\x12\x12\x12", 20),
        (Direction::ToDevice, &slip, 1_000),
        (Direction::ToDevice, b"\x10\x04\x02\x10\x04\x04", 1_500),
        (Direction::FromDevice, b"\x32\x72", 1_520),
        (Direction::ToDevice, b"\x10\x04\x02\x10\x04\x04", 60_000),
        (Direction::FromDevice, b"\x16\x12", 60_020),
        (Direction::ToDevice, b"\x10\x04\x02\x10\x04\x04", 63_000),
        (Direction::FromDevice, b"\x12\x12", 63_020),
        (Direction::ToDevice, b"\x10\x04\x02\x10\x04\x04", 66_500),
        (Direction::FromDevice, b"\x12\x12", 66_520),
    ];
    let mut text = String::new();
    for (direction, bytes, at) in steps {
        decoder.settle(Uptime(at));
        decoder.push(direction, bytes, Uptime(at));
        for decoded in drain(&mut decoder) {
            write!(text, "{} ms {}", super::at(&decoded), told(&decoded)).expect("room");
        }
    }
    assert_snapshot("escpos-cn", "paper-out-and-late-print", &text);
}

#[test]
fn two_copies_on_a_small_printer_without_a_cutter() {
    let mut decoder = decoder("escpos-cn-58");
    for copy in ["商户存根           MERCHANT COPY", "持卡人存根       CARDHOLDER COPY"] {
        let slip = chinese_slip(124, copy);
        let uncut = &slip[..slip.len() - 3];
        // In reads that cut signs in two.
        uncut.chunks(7).for_each(|read| decoder.push(Direction::Either, read, Uptime(1_000)));
    }
    decoder.settle(Uptime(3_000));
    let text: String = drain(&mut decoder).iter().map(told).collect();
    assert_snapshot("escpos-cn", "two-copies-without-a-cutter", &text);
}
