//! ISO 8583: UnionPay messages in BCD, the standard of 1987 in many codings, and logs of jPOS.

use super::{assert_snapshot, drain, fixtures};
use slipwatch_agent::decode::decoder::{Decoded, Decoder};
use slipwatch_agent::decode::dialect::{Dialect, Direction, shipped};
use slipwatch_shared::event::Evidence;
use slipwatch_shared::times::Uptime;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

/// Fields of which nothing is kept: expiry and tracks, PIN blocks and what seals them, and what names no payment.
const NOT_KEPT: [u8; 14] = [1, 7, 14, 18, 26, 32, 35, 36, 44, 48, 52, 53, 55, 64];

fn bytes_of(hex: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = hex.iter().copied().filter(u8::is_ascii_hexdigit).collect();
    let pairs = digits.chunks_exact(2).map(|pair| std::str::from_utf8(pair).expect("ASCII"));
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal")).collect()
}

fn folder(name: &str) -> PathBuf {
    fixtures("devices").join(name)
}

fn recorded(path: &str) -> Vec<u8> {
    std::fs::read(folder(path)).expect("a recording can be read")
}

fn profile(name: &str) -> Arc<dyn Dialect> {
    shipped::dialect(name).expect("a shipped profile")
}

/// What was heard in reads of so many bytes, with nothing behind them.
fn heard(dialect: &Arc<dyn Dialect>, bytes: &[u8], read_bytes: usize) -> Vec<Decoded> {
    let mut decoder = Decoder::new(dialect.clone(), None);
    for read in bytes.chunks(read_bytes.max(1)) {
        decoder.push(Direction::Either, read, Uptime(0));
    }
    decoder.finish(Uptime(0));
    drain(&mut decoder)
}

fn told(decoded: &[Decoded]) -> String {
    decoded.iter().map(super::told).collect()
}

/// What was heard, the same in reads of any size.
fn heard_alike(dialect: &Arc<dyn Dialect>, bytes: &[u8]) -> Vec<Decoded> {
    let whole = heard(dialect, bytes, bytes.len());
    for read_bytes in [1, 3, 17, 1000] {
        assert_eq!(heard(dialect, bytes, read_bytes), whole, "in reads of {read_bytes}");
    }
    whole
}

fn evidence(decoded: &[Decoded]) -> String {
    let texts = decoded.iter().filter_map(|decoded| match decoded {
        Decoded::Said { evidence: Evidence::Text(text), .. } => Some(text.as_ref()),
        _ => None,
    });
    texts.collect::<Vec<_>>().concat()
}

/// Each expected value is in the evidence, cut where it is a card number; what is not kept is nowhere.
#[track_caller]
fn check_values(decoded: &[Decoded], expected: &[(String, String)]) {
    let evidence = evidence(decoded);
    let shown = format!("{decoded:?}");
    for (field, value) in expected {
        if field == "MTI" {
            assert!(evidence.starts_with(&format!("{value};")), "{evidence}");
            continue;
        }
        let number: u8 = field.parse().expect("a field's number");
        if NOT_KEPT.contains(&number) {
            assert!(!evidence.contains(&format!(" F{number}=")), "{number} in {evidence}");
            assert!(
                value.len() < 8 || !shown.contains(value.trim()),
                "the value of {number} in {shown}"
            );
            continue;
        }
        let value = value.trim();
        if number == 90 {
            // Of the original the trace is told, as the one that is undone.
            let stan: u32 = value[4..10].parse().expect("a trace");
            assert!(shown.contains(&format!("Stan({stan})")), "{stan} is not in {shown}");
            continue;
        }
        let kept = match number {
            2 => format!("{}******{}", &value[..6], &value[value.len() - 4..]),
            63 => value.chars().take(3).collect(),
            _ => value.to_owned(),
        };
        assert!(
            evidence.contains(&format!(" F{number}={kept};")),
            "{number}={kept} is not in {evidence}"
        );
    }
}

fn table(text: &[u8]) -> Vec<(String, String)> {
    let text = std::str::from_utf8(text).expect("text");
    let rows = text.lines().skip(1).filter_map(|line| line.split_once('\t'));
    rows.map(|(field, value)| (field.to_owned(), value.to_owned())).collect()
}

#[test]
fn unionpay_messages_hold_the_values_that_are_expected() {
    let dialect = profile("iso8583-cup");
    let mut text = String::new();
    for name in ["0200-request", "0210-response"] {
        let bytes = bytes_of(&recorded(&format!("j-iso8583/{name}.hex")));
        let decoded = heard_alike(&dialect, &bytes);
        check_values(&decoded, &table(&recorded(&format!("j-iso8583/{name}.expected.tsv"))));
        let _ = write!(text, "== {name}.hex\n{}", told(&decoded));
    }
    assert_snapshot("devices/j-iso8583", "messages", &text);
}

#[test]
fn unionpay_messages_in_a_log_hold_the_same_values() {
    let dialect = profile("iso8583-hexlog");
    for name in ["0200-request", "0210-response"] {
        let hex = recorded(&format!("j-iso8583/{name}.hex"));
        let decoded = heard_alike(&dialect, &hex);
        check_values(&decoded, &table(&recorded(&format!("j-iso8583/{name}.expected.tsv"))));
    }
}

#[test]
fn the_table_of_fields_is_that_of_the_profile() {
    let rows: serde_json::Value =
        serde_json::from_slice(&recorded("j-iso8583/fields.json")).expect("JSON");
    let own: toml::Value =
        toml::from_str(shipped::text("iso8583-cup").expect("shipped")).expect("TOML");
    for row in rows.as_array().expect("a list") {
        let number = row["bitNo"].as_u64().expect("a number");
        let max = row["maxLength"].as_u64().expect("a number");
        let ours = own["fields"].get(number.to_string()).and_then(toml::Value::as_str);
        let ours = ours.unwrap_or_else(|| panic!("field {number} is not in the profile"));
        let dots = match row["lengthType"].as_str() {
            Some("FIX") => 0,
            Some("LLVAR") => 2,
            _ => 3,
        };
        assert_eq!(ours.matches('.').count(), dots, "field {number}: {ours}");
        let letters: String =
            ours.chars().take_while(|sign| !sign.is_ascii_digit() && *sign != '.').collect();
        let signs: u64 = ours[letters.len() + dots..].parse().expect("a length");
        let is_kin = match row["dataType"].as_str() {
            Some("N") => letters == "n",
            Some("Z") => letters == "z",
            Some("B") => letters == "b",
            _ => letters.contains('a'),
        };
        // The table of the recording has field 23 with four digits, of which two bytes are made like ours of three.
        assert!(is_kin || number == 45, "field {number}: {ours}");
        assert!(signs >= max || number == 23, "field {number}: {ours}, {max} in the recording");
    }
}

/// What a vector of the standard of 1987 changes in the shipped profile.
fn changed(name: &str) -> Vec<(&'static str, &'static str)> {
    match name {
        "message_with_character_ebcdic_encoding.dat" => {
            vec![("46 = \"an...999\"", "46 = \"an15 ebcdic\"")]
        }
        "message_with_number_bcd_encoding.dat" => {
            vec![("numbers = \"ascii\"", "numbers = \"bcd\"")]
        }
        "message_with_hex_bcd.dat" => {
            vec![("48 = \"an...999\"", "48 = \"an...999 length-bcd-left\"")]
        }
        "message_with_hex_rbcd.dat" => {
            vec![("48 = \"an...999\"", "48 = \"an...999 length-bcd\"")]
        }
        "message_with_hex_length.dat" => vec![("32 = \"n..11\"", "32 = \"n..11 length-hex\"")],
        "message_with_indicate_numeric.dat" | "message_with_error_indicate_numeric.dat" => {
            vec![("28 = \"x+n8\"", "28 = \"x+n7\"")]
        }
        name if name.ends_with("track.dat") => vec![("35 = \"z..37\"", "35 = \"z..37 ebcdic\"")],
        _ => vec![],
    }
}

fn dialect_for(name: &str) -> Arc<dyn Dialect> {
    let mut text = shipped::text("iso8583-1987").expect("shipped").to_owned();
    for (from, to) in changed(name) {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    shipped::parse("iso8583-1987", &text).expect("a sound profile")
}

#[test]
fn messages_of_1987_are_read_in_every_coding_the_wrong_ones_as_far_as_they_go() {
    let mut names: Vec<String> = std::fs::read_dir(folder("moov-iso8583"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".dat"))
        .collect();
    names.sort();
    assert_eq!(names.len(), 23);
    let mut text = String::new();
    for name in names {
        let bytes = recorded(&format!("moov-iso8583/{name}"));
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let changes: Vec<&str> = changed(&name).iter().map(|change| change.1).collect();
        let with = if changes.is_empty() {
            String::new()
        } else {
            format!(" with {}", changes.join(", "))
        };
        let decoded = heard_alike(&dialect_for(&name), bytes);
        let told = match told(&decoded) {
            told if !told.is_empty() => told,
            _ => "nothing of a payment\n".to_owned(),
        };
        let _ = write!(text, "== {name}{with}\n{told}");
    }
    assert_snapshot("devices/moov-iso8583", "messages", &text);
}

#[test]
fn a_reversal_of_1987_holds_the_values_that_are_expected() {
    let expected: serde_json::Value =
        serde_json::from_slice(&recorded("moov-iso8583/iso_reversal_message.json")).expect("JSON");
    let mut values = vec![("MTI".to_owned(), expected["mti"].as_str().expect("text").to_owned())];
    for (field, value) in expected["elements"].as_object().expect("a table") {
        values.push((field.clone(), value.as_str().expect("text").to_owned()));
    }
    let xml = recorded("moov-iso8583/iso_reversal_message.xml");
    let xml = String::from_utf8_lossy(&xml);
    for (field, value) in &values[1..] {
        assert!(xml.contains(&format!("<Element Number=\"{field}\">{value}</Element>")), "{field}");
    }
    let name = "iso_reversal_message.dat";
    let decoded = heard_alike(&dialect_for(name), &recorded(&format!("moov-iso8583/{name}")));
    check_values(&decoded, &values);
}

#[test]
fn logs_of_jpos_are_read_whatever_stands_in_them() {
    let dialect = profile("jpos-log");
    let mut names: Vec<String> = std::fs::read_dir(folder("lagotto-jpos/small"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| !name.ends_with(".snap"))
        .collect();
    names.sort();
    assert_eq!(names.len(), 22);
    let mut text = String::new();
    for name in names {
        let decoded = heard_alike(&dialect, &recorded(&format!("lagotto-jpos/small/{name}")));
        let told = match told(&decoded) {
            told if !told.is_empty() => told,
            _ => "nothing of a payment or a connection\n".to_owned(),
        };
        let _ = write!(text, "== {name}\n{told}");
    }
    assert_snapshot("devices/lagotto-jpos", "small", &text);
}

#[test]
fn a_real_run_of_jpos_is_told_once_though_both_ends_log_it() {
    let log = recorded("lagotto-jpos/q2.log");
    let decoded = heard_alike(&profile("jpos-log"), &log);
    let text = told(&decoded);
    let count = |words: &str| text.matches(words).count();
    // 44 requests and answers stand in it: each is logged at both ends, and again in traces of what went wrong.
    assert_eq!(count("\"authorization_requested\""), count("\"authorization_answered\""));
    assert!(!text.contains("FAILED"));
    let shown = String::from_utf8_lossy(&log);
    for line in shown.lines().filter(|line| line.contains("id=\"2\" value=\"6009")) {
        let number = line.split('"').nth(3).expect("a card number");
        assert!(!text.contains(number), "{number}");
    }
    assert_snapshot("devices/lagotto-jpos", "q2", &text);
}
