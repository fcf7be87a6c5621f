//! The text of slips: the vouchers of Transbank's certification host, line by line.

use super::{assert_snapshot, fixtures};
use slipwatch_agent::decode::dialect::slip_text;
use std::fmt::Write;
use std::path::PathBuf;

#[test]
fn every_recorded_voucher_is_read() {
    let listed = std::fs::read_dir(fixtures("transbank-pos-sdk").join("vouchers"));
    let listed = listed.expect("the recorded vouchers");
    let mut paths: Vec<PathBuf> = listed.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    assert_eq!(paths.len(), 11);
    let mut text = String::new();
    for path in paths {
        let voucher = std::fs::read_to_string(&path).expect("a voucher");
        let lines: Vec<String> = voucher
            .lines()
            .flat_map(|line| {
                let signs: Vec<char> = line.chars().collect();
                signs.chunks(40).map(|line| line.iter().collect()).collect::<Vec<String>>()
            })
            .collect();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        writeln!(text, "# {name}").expect("room");
        for slip in slip_text::read(lines.iter().map(String::as_str), "CLP".parse().ok()) {
            writeln!(
                text,
                "{:?} {:?} {:?}\n    {:?}",
                slip.document,
                slip.terminal,
                slip.device_time.map(|time| time.to_string()),
                slip.slip
            )
            .expect("room");
        }
    }
    assert_snapshot("transbank-pos-sdk", "vouchers", &text);
}
