//! The evidence of a payment: made by the program from a real shop's day, read as a person reads it, and checked as
//! somebody who doubts it would.

use crate::serial::payment;
use slipwatch_tests::papers;
use slipwatch_tests::process::shop::Shop;
use slipwatch_tests::process::{binary, installed, page, wait_for};
use slipwatch_tests::terminal::Story;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn collector(arguments: &[&str]) -> Output {
    let output = Command::new(binary("slipwatch-collector")).args(arguments).output();
    output.expect("the collector's program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A shop that sold, missed a slip, sold again and closed; the case of the missed slip, and its archive.
fn bundled() -> (Shop, String, PathBuf) {
    let mut shop = Shop::new();
    shop.open();
    shop.wait_until_heard();
    let payments = [payment(1, Story::Sale), payment(2, Story::NoSlip), payment(3, Story::Sale)];
    for played in &payments {
        shop.tell(played);
    }
    shop.wait_for_verdict(&payments[1], "no_slip");
    shop.wait_for_verdict(&payments[2], "printed");
    // An agent that stops in good order signs all that it said.
    shop.agent.as_mut().expect("it runs").stop();
    let case = wait_for("the case", || shop.stored()?.case_of(&payments[1]));
    let settings = shop.path().join("collector.toml");
    let out = shop.subdirectory("evidence");
    let (settings, out) = (settings.display().to_string(), out.display().to_string());
    let made = collector(&["evidence", "--config", &settings, "--out", &out, &case]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let path = PathBuf::from(text(&made.stdout).trim());
    (shop, case, path)
}

fn words_of(archive: &Path, document: &str) -> String {
    let unzip = Command::new(installed("python3", "python3"))
        .args(["-c", "import sys,zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))"])
        .arg(archive)
        .arg(document)
        .output()
        .expect("python3 runs");
    assert!(unzip.status.success(), "{}", text(&unzip.stderr));
    let pdf = archive.with_extension(document);
    std::fs::write(&pdf, unzip.stdout).expect("room for a file");
    papers::words_of(&pdf)
}

#[test]
fn what_cases_prints_names_the_payment_and_is_taken_for_its_case() {
    let (shop, case, path) = bundled();
    let settings = shop.path().join("collector.toml").display().to_string();
    let listed = collector(&["cases", "--config", &settings, "--code", "a01"]);
    let listed = text(&listed.stdout);
    let lines: Vec<&str> = listed.lines().map(str::trim).collect();
    let [first, payment, name] = lines.as_slice() else { panic!("{listed}") };
    let words: Vec<&str> = first.split(' ').collect();
    assert_eq!((words[0], words[1].len(), words[2].len()), ("A01", 10, 8), "{listed}");
    assert!(payment.starts_with("CNY ") && payment.contains(", voucher number "), "{listed}");
    assert_eq!(*name, format!("A01:{case}"));
    let (_, told) = payment.split_once("CNY ").expect("an amount");
    let (money, voucher) = told.split_once(", voucher number ").expect("a voucher");
    let json = collector(&["cases", "--json", "--config", &settings, "--code", "a01"]);
    let line: serde_json::Value = serde_json::from_slice(&json.stdout).expect("one finding");
    let minor = line["amount_minor"].as_i64().expect("an amount");
    assert_eq!(format!("{}.{:02}", minor / 100, minor % 100), money, "{line:#}");
    assert_eq!((&line["currency"], &line["stan"]), (&"CNY".into(), &voucher.into()), "{line:#}");
    // The time is the payment's, as in everybody's records, and not when its slip was given up.
    let (paid, since) = (line["paid"].as_str().expect("a time"), line["since"].as_str());
    assert!(since.expect("a time") > paid, "{line:#}");
    let stored = shop.stored().expect("a store").cases();
    let view = stored.into_iter().find(|view| view.id.to_string() == case).expect("it is there");
    let opened = view.case.wall(view.case.opened).0;
    let as_millis = |at: &str| at.parse::<jiff::Timestamp>().expect("a time").as_millisecond();
    assert_eq!(as_millis(paid), opened, "{line:#}");
    // The day's page shows them where somebody is needed, before any payment is listed.
    for (tag, amount, below) in
        [("en", format!("CNY {money}"), "Payments"), ("zh-CN", format!("{money} 元"), "交易")]
    {
        let shown = page(shop.http_port(), &format!("/?lang={tag}")).expect("the day's page");
        let needs = shown.split(&format!("<h2>{below}</h2>")).next().expect("it has a beginning");
        assert!(
            needs.contains(&amount) && needs.contains(voucher),
            "{amount} is missing in {needs}"
        );
    }
    let out = shop.subdirectory("by-finding").display().to_string();
    let made = collector(&["evidence", "--config", &settings, "--out", &out, name]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    assert_eq!(Path::new(text(&made.stdout).trim()).file_name(), path.file_name());
    let wrong = collector(&["cases", "--config", &settings, "--code", "A99"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", text(&wrong.stderr));
    assert!(text(&wrong.stderr).contains("no finding is called A99; there are A01"));
}

#[test]
fn the_evidence_of_a_missing_slip_is_read_in_both_languages_and_holds() {
    let (shop, case, path) = bundled();
    let archive = path.display().to_string();
    let checked = collector(&["evidence", "verify", &archive]);
    let report = text(&checked.stdout);
    assert!(checked.status.success(), "{report}{}", text(&checked.stderr));
    assert!(report.contains("it holds") && !report.contains("not signed by the agent"), "{report}");
    assert!(report.contains("agent's key"), "{report}");
    let chinese = words_of(&path, "evidence.zh-CN.pdf");
    for wanted in ["交易证据", "未出凭条", "没有缺口", "前一笔交易", "后一笔交易", "完整性", &case]
    {
        assert!(chinese.contains(wanted), "{wanted} is missing in:\n{chinese}");
    }
    let english = words_of(&path, "evidence.en.pdf");
    for wanted in ["Evidence of a payment", "No slip", "No gap", "The payment before", "public key"]
    {
        assert!(english.contains(wanted), "{wanted} is missing in:\n{english}");
    }
    // The page offers the same.
    let shown = page(shop.http_port(), &format!("/case/{case}?lang=en")).expect("the case's page");
    assert!(shown.contains(&format!("/case/{case}/evidence.zip")), "{shown}");
}

#[test]
fn the_evidence_of_a_payment_behind_the_agents_first_signature_holds() {
    let (mut shop, ..) = bundled();
    let later = payment(4, Story::NoSlip);
    shop.wait_until_open(0);
    shop.start_agent();
    shop.wait_until_heard();
    shop.tell(&later);
    shop.wait_for_verdict(&later, "no_slip");
    shop.agent.as_mut().expect("it runs").stop();
    let case = wait_for("the case", || shop.stored()?.case_of(&later));
    let settings = shop.path().join("collector.toml").display().to_string();
    let out = shop.subdirectory("later").display().to_string();
    let made = collector(&["evidence", "--config", &settings, "--out", &out, &case]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let archive = text(&made.stdout).trim().to_owned();
    let checked = collector(&["evidence", "verify", &archive]);
    let report = text(&checked.stdout);
    assert!(checked.status.success(), "{report}{}", text(&checked.stderr));
    assert!(report.contains("it holds") && !report.contains("not signed by the agent"), "{report}");
}

#[test]
fn evidence_that_was_touched_does_not_hold() {
    let (shop, _, path) = bundled();
    let sound = std::fs::read(&path).expect("the archive");
    // Every place is tried in the unit tests; here the program says so, with its exit status.
    for at in (0..sound.len()).step_by(sound.len() / 12) {
        let mut touched = sound.clone();
        touched[at] ^= 0x20;
        let other = shop.path().join("touched.zip");
        std::fs::write(&other, touched).expect("room for a file");
        let checked = collector(&["evidence", "verify", &other.display().to_string()]);
        assert_eq!(checked.status.code(), Some(1), "byte {at}: {}", text(&checked.stdout));
    }
    let archive = path.display().to_string();
    let wrong_key = "0".repeat(64);
    let checked = collector(&["evidence", "verify", "--agent-key", &wrong_key, "--json", &archive]);
    assert_eq!(checked.status.code(), Some(1));
    assert!(text(&checked.stdout).contains("another key of the agent"));
}
