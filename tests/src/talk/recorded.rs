//! What real devices said: the recordings under `tests/fixtures`, put onto a line as their family's devices would. Bytes are
//! as they were recorded; where a recording was taken without the frames of its line, the frames are put around it.

use super::{stx_etx, zvt};
use std::path::{Path, PathBuf};

/// A family that was recorded.
pub struct Recorded {
    /// The folder of its recordings, and what of it.
    pub name: &'static str,
    /// The dialect that reads them.
    pub dialect: &'static str,
    /// Each recording or message, by its name, in the order of the recording.
    pub bursts: Vec<(String, Vec<u8>)>,
}

/// All of them.
///
/// # Panics
/// When a recording is not there.
pub fn all() -> Vec<Recorded> {
    let recorded = |name, dialect, bursts| Recorded { name, dialect, bursts };
    let framed = |bursts: Vec<(String, Vec<u8>)>| -> Vec<(String, Vec<u8>)> {
        bursts.into_iter().map(|(name, message)| (name, zvt::framed(&message))).collect()
    };
    let printers = [files("escpos-php", "bin"), files("escpos-tools", "bin")].concat();
    vec![
        recorded("escpos", "escpos", printers),
        recorded("everest-zvt", "zvt", framed(files("devices/everest-zvt", "blob"))),
        recorded("everest-zvt over TCP", "zvt-tcp", files("devices/everest-zvt", "blob")),
        recorded("portalum-zvt", "zvt", framed(portalum())),
        recorded("portalum-zvt over TCP", "zvt-tcp", portalum()),
        recorded("j-iso8583", "iso8583-cup", unhexed(files("devices/j-iso8583", "hex"))),
        recorded("j-iso8583 as text", "iso8583-hexlog", files("devices/j-iso8583", "hex")),
        recorded(
            "moov-iso8583",
            "iso8583-1987",
            shortest_first(files("devices/moov-iso8583", "dat")),
        ),
        recorded("lagotto-jpos", "jpos-log", entries("devices/lagotto-jpos/q2.log")),
        recorded("transbank", "transbank", transbank(false)),
        recorded("transbank autoservicio", "transbank-autoservicio", transbank(true)),
    ]
}

/// The long ones of these are no messages that anybody sends.
fn shortest_first(mut bursts: Vec<(String, Vec<u8>)>) -> Vec<(String, Vec<u8>)> {
    bursts.sort_by_key(|burst| burst.1.len());
    bursts
}

fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder)
}

fn text(path: &str) -> String {
    std::fs::read_to_string(fixtures(path)).expect("a recording can be read")
}

/// The files of a folder that end so, by name.
fn files(folder: &str, end: &str) -> Vec<(String, Vec<u8>)> {
    let listed = std::fs::read_dir(fixtures(folder)).expect("the recordings");
    let mut paths: Vec<PathBuf> = listed.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|known| known == end));
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        (name, std::fs::read(&path).expect("a recording can be read"))
    };
    paths.into_iter().map(read).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pairs = digits.chunks_exact(2).map(|pair| std::str::from_utf8(pair).expect("ASCII"));
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal")).collect()
}

fn unhexed(bursts: Vec<(String, Vec<u8>)>) -> Vec<(String, Vec<u8>)> {
    let read = |(name, bytes): (String, Vec<u8>)| (name, unhex(&String::from_utf8_lossy(&bytes)));
    bursts.into_iter().map(read).collect()
}

/// The messages of others' tests, each case a burst.
fn portalum() -> Vec<(String, Vec<u8>)> {
    let table = text("devices/portalum-zvt/apdus.tsv");
    let rows = table.lines().skip(1).map(|line| {
        let columns: Vec<&str> = line.split('\t').collect();
        (format!("{} {}", columns[1], columns[2]), unhex(columns[3]))
    });
    rows.collect()
}

/// A log's entries.
fn entries(path: &str) -> Vec<(String, Vec<u8>)> {
    let log = text(path);
    let entries = log.split_inclusive("</log>\n").enumerate();
    entries.map(|(at, entry)| (format!("entry {at}"), entry.as_bytes().to_vec())).collect()
}

/// The payloads of one model, each in the frame that carried it.
fn transbank(autoservicio: bool) -> Vec<(String, Vec<u8>)> {
    let table = text("transbank-pos-sdk/payloads.tsv");
    let rows = table.lines().skip(1).map(|line| {
        let columns: Vec<&str> = line.splitn(3, '\t').collect();
        (columns[1].to_owned(), stx_etx(columns[2].as_bytes()))
    });
    rows.filter(|(what, _)| what.starts_with("autoservicio") == autoservicio).collect()
}
