//! What must not come in: each file is refused whole, says why with line and column, and leaves nothing behind.

use super::{made, made_text, settings};
use slipwatch_collector::alert::language::Language;
use slipwatch_collector::config::Config;
use slipwatch_collector::edge::console::summary;
use slipwatch_collector::edge::store::sqlite::SqliteStore;
use slipwatch_collector::run::settlement::Desk;
use slipwatch_collector::settlement::reader::profile::shipped;
use slipwatch_collector::settlement::reader::{self, Reader};
use slipwatch_collector::settlement::report::{Outcome, Report};
use slipwatch_shared::times::ArrivalTime;
use std::io::Write;
use std::path::Path;

const NOW: ArrivalTime = ArrivalTime(1_764_050_400_000);

struct Place {
    directory: tempfile::TempDir,
    desk: Desk,
}

impl Place {
    fn new() -> Place {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("collector.toml");
        let config = Config::parse(&path, &settings("", "")).expect("sound settings");
        let desk = Desk::open(&config).expect("a store");
        Place { directory, desk }
    }

    fn import(&mut self, name: &str, bytes: &[u8], profile: Option<&str>) -> Report {
        let path = self.directory.path().join(name);
        std::fs::write(&path, bytes).expect("room on the disk");
        let mut reports =
            self.desk.import(&path, profile, NOW, &mut |_| {}).expect("the store works");
        assert_eq!(reports.len(), 1, "{reports:?}");
        reports.remove(0)
    }

    fn rows_and_links(&self) -> (i64, i64) {
        let path = self.directory.path().join("store").join("collector.sqlite");
        drop(SqliteStore::open_reader(&path).expect("a store"));
        let connection = rusqlite::Connection::open(path).expect("a store");
        let count = |table: &str| {
            let sql = format!("SELECT count(*) FROM {table}");
            connection.query_row(&sql, [], |row| row.get(0)).expect("a count")
        };
        (count("settlement_rows"), count("settlement_links"))
    }
}

/// The file is refused with this reason, line and column, its message holds `word`, and nothing of it is loaded.
#[track_caller]
fn check(
    name: &str,
    bytes: &[u8],
    profile: Option<&str>,
    expected: (&str, Option<u32>, Option<&str>, &str),
) {
    let mut place = Place::new();
    let report = place.import(name, bytes, profile);
    let refused =
        report.refused.as_ref().unwrap_or_else(|| panic!("{name} was loaded: {report:?}"));
    let (reason, line, column, word) = expected;
    assert_eq!(
        (refused.reason.as_ref(), refused.line, refused.column.as_deref()),
        (reason, line, column),
        "{refused:?}"
    );
    assert!(refused.message.contains(word), "{}", refused.message);
    assert_eq!(place.rows_and_links(), (0, 0));
}

fn edited(name: &str, from: &str, to: &str) -> Vec<u8> {
    let text = made_text(name);
    assert!(text.contains(from), "{from} stands in {name}");
    text.replacen(from, to, 1).into_bytes()
}

#[test]
fn a_wrong_profile_or_encoding_is_refused() {
    check(
        "a.csv",
        &made("wechat-trade.csv"),
        Some("allinpay"),
        ("format", None, None, "names the columns"),
    );
    check(
        "b.txt",
        b"nothing that anybody knows\n",
        None,
        ("profile", None, None, "no profile knows"),
    );
    let mut bytes = made("alipay-trade.csv");
    let middle = bytes.len() / 2;
    bytes[middle] = 0xff;
    bytes[middle + 1] = 0xff;
    let mut place = Place::new();
    let report = place.import("c.csv", &bytes, Some("alipay-trade"));
    assert_eq!(
        report.refused.as_ref().map(|refused| refused.reason.as_ref()),
        Some("encoding"),
        "{report:?}"
    );
    assert_eq!(place.rows_and_links(), (0, 0));
}

#[test]
fn a_file_that_was_cut_off_is_refused() {
    let whole = made("wechat-trade.csv");
    let cut = whole.windows(3).position(|bytes| bytes == "总".as_bytes()).expect("closing lines");
    check("a.csv", &whole[..cut], None, ("totals", None, Some("总交易单数"), "cut off"));
    let zm = made("IND25112488ZM_821330154110001");
    check(
        "IND25112488ZM_x",
        &zm[..zm.len() - 200],
        None,
        ("format", Some(6), None, "expected 608 bytes"),
    );
}

#[test]
fn a_row_that_lost_its_end_is_never_loaded() {
    let whole = made("allinpay.csv");
    check("a.csv", &whole[..700], None, ("cut", Some(3), None, "no line end"));
    let text = String::from_utf8(whole).expect("UTF-8");
    let row = text.lines().nth(1).expect("a row");
    let short = row.rsplit_once(",收单").expect("a product").0;
    let bytes = text.replacen(row, short, 1).into_bytes();
    check("b.csv", &bytes, None, ("row", Some(2), None, "expected 24 cells, found 21"));
    let bytes = text.trim_end().as_bytes();
    check("c.csv", bytes, None, ("cut", Some(9), None, "no line end"));
}

/// Each file is cut off behind each of its bytes and read as it would be for an import. It is refused, or every row that
/// is left is as it is in the whole file.
#[track_caller]
fn check_cuts(directory: &str, name: &str, profile: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/settlement").join(directory);
    let bytes = std::fs::read(path.join(name)).expect("a fixture");
    let profiles = shipped::all();
    let profile = profiles.iter().find(|known| known.name == profile).expect("a shipped profile");
    let rows_of = |bytes: &[u8]| {
        let mut reader = Reader::new(profile, Box::new(bytes), reader::day_of_name(profile, name));
        let mut rows = Vec::new();
        while let Some(row) = reader.next_row()? {
            rows.push(row);
        }
        reader.finish().map(|_| rows)
    };
    let whole = rows_of(&bytes).expect("the whole file holds");
    for end in 0..bytes.len() {
        if let Ok(rows) = rows_of(&bytes[..end]) {
            assert!(whole.starts_with(&rows), "{name} cut at {end}: {:?}", rows.last());
        }
    }
}

#[test]
fn a_file_cut_off_anywhere_never_gives_half_a_value() {
    for (name, profile) in [
        ("adyen-settlement-detail.csv", "adyen-settlement-detail"),
        ("alipay-trade.csv", "alipay-trade"),
        ("allinpay.csv", "allinpay"),
        ("IND25112488ZM_821330154110001", "unionpay-zm"),
        ("leshua.txt", "leshua"),
        ("stripe-itemised.csv", "stripe-itemised"),
        ("wechat-fund.csv", "wechat-fund"),
        ("wechat-trade.csv", "wechat-trade"),
    ] {
        check_cuts("profiles", name, profile);
    }
    check_cuts("camt_genkgo", "camt053.v8.xml", "camt");
    check_cuts("mt940_wolph", "mBank_mt940.sta", "mt940");
}

#[test]
fn totals_that_do_not_add_up_refuse_the_file() {
    let bytes = edited("wechat-trade.csv", "`130.80", "`130.81");
    check("a.csv", &bytes, None, ("totals", Some(10), Some("订单总金额"), "130.81"));
    let bytes = edited("adyen-settlement-detail.csv", ",88.85,", ",88.84,");
    check("b.csv", &bytes, None, ("totals", None, Some("payout 73"), "its rows come to"));
    let bytes = edited("leshua.txt", ",8800,44,8756,", ",8800,44,8757,");
    check("c.txt", &bytes, None, ("equation", Some(2), None, "does not hold"));
}

#[test]
fn a_row_of_another_merchant_refuses_the_file() {
    let bytes = edited(
        "allinpay.csv",
        "821330154110001,示例门店,10000002",
        "821330154110009,示例门店,10000002",
    );
    check("a.csv", &bytes, None, ("merchant", Some(4), None, "821330154110009"));
}

#[test]
fn a_number_or_time_that_is_not_understood_refuses_the_file() {
    let bytes = edited("allinpay.csv", ",1200.00,", ",\"1,200.00\",");
    check("a.csv", &bytes, None, ("row", Some(3), Some("交易金额"), "thousands separator"));
    let bytes = edited("allinpay.csv", ",10:15:01,", ",25:15:01,");
    check("b.csv", &bytes, None, ("row", Some(3), Some("交易时间"), "expected a time"));
    let bytes = edited("wechat-trade.csv", "`SUCCESS", "`SOMETHING");
    check("c.csv", &bytes, None, ("row", Some(2), None, "no [[row]] of the profile knows"));
}

#[test]
fn an_archive_that_cannot_be_trusted_is_refused() {
    // A list of parts whose one name leaves the archive: the shipped sample with its name bytes changed.
    let mut bytes = made("alipay-trade.zip");
    let name = b"20881234567890100156";
    let places: Vec<usize> =
        (0..bytes.len() - name.len()).filter(|&at| &bytes[at..at + name.len()] == name).collect();
    for at in places {
        bytes[at..at + 6].copy_from_slice(b"../../");
    }
    check("a.zip", &bytes, None, ("archive", None, None, "outside"));
}

/// An archive of these parts.
fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in parts {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).expect("an entry");
        writer.write_all(text.as_bytes()).expect("memory");
    }
    writer.finish().expect("an archive").into_inner()
}

#[test]
fn a_part_of_an_archive_takes_the_place_of_no_other_part() {
    let text = made_text("allinpay.csv");
    let header = text.lines().next().expect("a header");
    let half = |rows: std::ops::Range<usize>| {
        let rows: Vec<&str> = text.lines().skip(1).collect::<Vec<_>>()[rows].to_vec();
        format!("{header}\n{}\n", rows.join("\n"))
    };
    let (one, two) = (half(0..3), half(3..7));
    let mut place = Place::new();
    let path = place.directory.path().join("a.zip");
    std::fs::write(&path, archive(&[("1.csv", &one), ("2.csv", &two), ("3.csv", &one)]))
        .expect("room on the disk");
    let reports = place.desk.import(&path, None, NOW, &mut |_| {}).expect("the store works");
    let outcomes: Vec<Outcome> = reports.iter().map(|report| report.outcome).collect();
    assert_eq!(outcomes, [Outcome::Loaded, Outcome::Refused, Outcome::Known], "{reports:?}");
    let refused = reports[1].refused.as_ref().expect("why");
    assert_eq!(refused.reason, "parts");
    assert!(refused.message.contains("a.zip/1.csv"), "{}", refused.message);
    assert_eq!(place.rows_and_links().0, 3, "the rows of the first part");
    // A corrected archive takes the place of the one before.
    std::fs::write(&path, archive(&[("all.csv", &text)])).expect("room on the disk");
    let reports = place.desk.import(&path, None, NOW, &mut |_| {}).expect("the store works");
    assert_eq!((reports[0].outcome, reports[0].revision), (Outcome::Loaded, Some(2)));
}

#[test]
fn commas_line_ends_and_formulas_are_names_like_others() {
    let mut place = Place::new();
    let report = place.import("a.csv", &made("wechat-trade.csv"), None);
    assert_eq!((report.outcome, report.rows), (Outcome::Loaded, 6), "{report:?}");
    let again = place.import("b.csv", &made("wechat-trade.csv"), None);
    assert_eq!(again.outcome, Outcome::Known, "by its content, whatever its name");
    let zip = place.import("c.zip", &made("alipay-trade.zip"), None);
    assert_eq!(
        (zip.outcome, zip.rows, zip.period.as_deref()),
        (Outcome::Loaded, 4, Some("2025-11-24")),
        "{zip:?}"
    );
}

#[test]
fn a_version_with_far_fewer_rows_is_loaded_and_told() {
    let mut place = Place::new();
    let text = made_text("allinpay.csv");
    let all = place.import("a.csv", text.as_bytes(), None);
    assert_eq!((all.outcome, all.rows_before), (Outcome::Loaded, None), "{all:?}");
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    let half = lines[..=all.rows.div_ceil(2) as usize].join("\n") + "\n";
    let half = place.import("b.csv", half.as_bytes(), None);
    assert_eq!((half.revision, half.rows_before), (Some(2), None), "{half:?}");
    let all = place.import("c.csv", format!("{text}\n").as_bytes(), None);
    let few = place.import("d.csv", (lines[..3].join("\n") + "\n").as_bytes(), None);
    assert_eq!((few.revision, few.rows), (Some(4), 2), "{few:?}");
    assert_eq!(few.rows_before, Some(all.rows), "{few:?}");
    let told = summary::lines(Language::English, &few).join("\n");
    let expected = format!("only 2 rows, and the version it replaces had {}.", all.rows);
    assert!(told.contains(&expected), "{told}");
    let told = summary::lines(Language::Chinese, &few).join("\n");
    assert!(told.contains(&format!("只有 2 笔，而被取代的版本有 {} 笔", all.rows)), "{told}");
}

#[test]
fn a_file_that_is_not_there_is_told_as_that() {
    let mut place = Place::new();
    let path = place.directory.path().join("nofile.csv");
    let reports = place.desk.import(&path, None, NOW, &mut |_| {}).expect("the store works");
    let [report] = reports.as_slice() else { panic!("{reports:?}") };
    let told = summary::lines(Language::English, report).join("\n");
    assert!(told.contains("There is no such file") && !told.contains("archive"), "{told}");
    let reports = place.desk.import(place.directory.path(), None, NOW, &mut |_| {});
    let reports = reports.expect("the store works");
    let reason = reports[0].refused.as_ref().map(|refused| refused.reason.as_ref());
    assert_eq!(reason, Some("unreadable"), "a directory: {reports:?}");
}

#[test]
fn other_days_of_the_same_source_are_not_loaded_over_each_other() {
    let mut place = Place::new();
    assert_eq!(place.import("a.csv", &made("allinpay.csv"), None).outcome, Outcome::Loaded);
    let text = made_text("allinpay.csv");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (at, line) in lines.iter_mut().enumerate().skip(1) {
        *line = line.replace(",2025-11-24,", &format!(",2025-11-{:02},", 21 + at % 7));
    }
    let report = place.import("week.csv", (lines.join("\n") + "\n").as_bytes(), None);
    assert_eq!(
        report.refused.as_ref().map(|refused| refused.reason.as_ref()),
        Some("overlap"),
        "{report:?}"
    );
}
