//! What somebody meets in the first hour who has the README and `--help` alone: a log in the wrong dialect, a store that is
//! not there yet, a port that is taken. Each refusal says what it is and what to do.

use serde_json::Value;
use slipwatch_collector::correlate::finding::FindingKind;
use slipwatch_collector::correlate::proposal;
use slipwatch_tests::process::shop::Shop;
use slipwatch_tests::process::{binary, wait_for};
use slipwatch_tests::voice::key_value::plain_line;
use std::io::BufRead;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

/// 2026-11-24 09:30:01.120 UTC; the log shows 17:30, as clocks in China do.
const SHOWN_MS: i64 = 1_795_512_601_120;

fn started(program: &str, arguments: &[&str], zone: &str) -> Output {
    let mut command = Command::new(binary(program));
    command.args(arguments).env("TZ", zone).stdin(Stdio::null());
    command.output().expect("the program starts")
}

fn agent(arguments: &[&str]) -> Output {
    started("slipwatch-agent", arguments, "UTC")
}

fn collector(arguments: &[&str]) -> Output {
    started("slipwatch-collector", arguments, "UTC")
}

fn path(file: &Path) -> &str {
    file.to_str().expect("an ASCII path")
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{:?}: {}", output.status, told(output));
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// What `decode` made of a log, told by `replay`: when its one payment was opened.
#[track_caller]
fn opened(place: &Path, log: &str, decoded: &Output) -> String {
    let events = place.join("events.jsonl");
    std::fs::write(&events, succeeded(decoded)).expect("room");
    let payment = succeeded(&collector(&["replay", path(&events)]));
    let payment: Value = serde_json::from_str(payment.trim()).expect("one payment");
    payment["opened"].as_str().unwrap_or_else(|| panic!("{log}: {payment}")).to_owned()
}

#[test]
fn a_log_is_told_in_the_moments_that_it_was_written_at() {
    let place = tempfile::tempdir().expect("a directory");
    let log = place.path().join("pos.log");
    let line = |said, after| plain_line(said, "10000001", SHOWN_MS + after);
    let text = line("auth_request amt=8800 cur=CNY stan=000042", 0)
        + &line("auth_response amt=8800 cur=CNY stan=000042 rc=00", 1_000);
    std::fs::write(&log, &text).expect("room");
    let file = path(&log);
    let zoned = agent(&["decode", "--time-zone", "Asia/Shanghai", file]);
    assert_eq!(opened(place.path(), file, &zoned), "2026-11-24T09:30:01.12Z");
    let of_machine = started("slipwatch-agent", &["decode", file], "America/Santiago");
    assert_eq!(opened(place.path(), file, &of_machine), "2026-11-24T20:30:01.12Z");
    let wrong = agent(&["decode", "--time-zone", "Shanghai", file]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(told(&wrong).contains("Asia/Shanghai"), "{}", told(&wrong));
}

#[test]
fn a_log_without_years_is_of_the_year_before_its_file_was_changed_last() {
    let place = tempfile::tempdir().expect("a directory");
    let log = place.path().join("pos.log");
    let text = "01-02 09:30:01.120 evt=auth_request amt=8800 cur=CNY stan=000042 tid=T1\n";
    std::fs::write(&log, text).expect("room");
    // 2025-03-01.
    let ended = SystemTime::UNIX_EPOCH + Duration::from_secs(1_740_787_200);
    let file = std::fs::File::options().append(true).open(&log).expect("the log");
    file.set_modified(ended).expect("its own file");
    let first = succeeded(&agent(&["decode", path(&log)]));
    let event: Value = serde_json::from_str(first.lines().next().expect("a line")).expect("JSON");
    assert_eq!(event["wall_ms"], 1_735_810_201_120_i64, "2025-01-02: {event}");
}

#[test]
fn a_log_in_another_dialect_is_not_taken_for_a_quiet_day() {
    let place = tempfile::tempdir().expect("a directory");
    let (log, empty) = (place.path().join("pos.log"), place.path().join("empty.log"));
    let line = plain_line("auth_request amt=8800 cur=CNY stan=000042", "10000001", SHOWN_MS);
    std::fs::write(&log, line.repeat(3)).expect("room");
    std::fs::write(&empty, "").expect("room");
    let wrong = agent(&["decode", "--dialect", "zvt", path(&log)]);
    assert_eq!(wrong.status.code(), Some(65), "{}", told(&wrong));
    let expected = ["nothing of it was understood as zvt", "it reads like `--dialect kv-en`"];
    for expected in expected {
        assert!(told(&wrong).contains(expected), "{expected}: {}", told(&wrong));
    }
    succeeded(&agent(&["decode", "--dialect", "zvt", path(&empty)]));
    // Nor does `replay` pass over it.
    let events = place.path().join("events.jsonl");
    std::fs::write(&events, &wrong.stdout).expect("room");
    for (events, said) in [(&events, "3 events judged"), (&empty, "0 events judged")] {
        let replayed = collector(&["replay", path(events)]);
        assert_eq!(succeeded(&replayed), "");
        let words = told(&replayed);
        assert!(words.contains(said) && words.contains("no payment"), "{words}");
    }
}

/// Settings of a collector with a store that nobody has made yet.
fn fresh_settings(place: &Path) -> String {
    let settings = place.join("collector.toml").display().to_string();
    let text = "store.path = \"store\"\n[[shop]]\nname = \"corner\"\nagents = [\"till-1\"]\n\
        [[shop.terminal]]\nnumber = \"10000001\"\n";
    std::fs::write(&settings, text).expect("room");
    settings
}

#[test]
fn a_store_that_is_not_there_yet_is_told_and_not_made_by_looking() {
    let place = tempfile::tempdir().expect("a directory");
    let settings = fresh_settings(place.path());
    let store = place.path().join("store/collector.sqlite");
    let looks: [&[&str]; 6] = [
        &["cases"],
        &["complaint", "list"],
        &["complaint", "search", "--amount", "88"],
        &["complaint", "close", "7"],
        &["policy", "show"],
        &["evidence", "corner.till-1.1.42"],
    ];
    for look in looks {
        let looked = collector(&[look, &["--config", &settings]].concat());
        let words = told(&looked);
        assert_eq!(looked.status.code(), Some(73), "{look:?}: {words}");
        let expected = format!("there is no store at {} yet", path(&store));
        assert!(words.contains(&expected) && words.contains("first runs"), "{look:?}: {words}");
        assert!(!place.path().join("store").exists(), "{look:?} made a store");
    }
}

#[test]
fn a_store_of_another_user_is_told_with_whose_it_is() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let place = tempfile::tempdir().expect("a directory");
    if place.path().metadata().expect("it is there").uid() != 0 {
        // Whoever may give nothing away may not set this up.
        return;
    }
    let open = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("its own");
    };
    open(place.path(), 0o755);
    let settings = fresh_settings(place.path());
    let note = ["complaint", "open", "--time", "14:05", "--amount", "88", "--config", &settings];
    succeeded(&collector(&note));
    let store = place.path().join("store");
    for entry in std::fs::read_dir(&store).expect("a store") {
        chown(entry.expect("an entry").path(), Some(1), Some(1)).expect("root may");
    }
    chown(&store, Some(1), Some(1)).expect("root may");
    // Where the tests are built, that user may not be let in.
    let program = place.path().join("slipwatch-collector");
    std::fs::copy(binary("slipwatch-collector"), &program).expect("room");
    // Shut, as the unit makes it; and open for reading, where SQLite would fail at its first word.
    for mode in [0o700, 0o755] {
        open(&store, mode);
        for look in ["cases", "complaint list", "policy show"] {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
            command.arg(&program).args(look.split(' '));
            let looked = command.args(["--config", &settings]).output().expect("setpriv is there");
            let words = told(&looked);
            assert_eq!(looked.status.code(), Some(73), "{mode:o} {look}: {words}");
            assert!(
                words.contains("sudo -u daemon slipwatch-collector"),
                "{mode:o} {look}: {words}"
            );
        }
    }
}

#[test]
fn a_store_that_root_makes_belongs_to_whom_its_directory_belongs_to() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let place = tempfile::tempdir().expect("a directory");
    if place.path().metadata().expect("it is there").uid() != 0 {
        // Whoever may give nothing away may not set this up.
        return;
    }
    // As after a first start of the service that its settings stopped: its directory is there, and no store in it.
    let home = place.path().join("home");
    std::fs::create_dir(&home).expect("room");
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(place.path(), open).expect("its own");
    chown(&home, Some(1), Some(1)).expect("root may");
    let settings = fresh_settings(place.path());
    let text = std::fs::read_to_string(&settings).expect("settings");
    let store = home.join("kept/store");
    let text = text.replacen("\"store\"", &format!("{store:?}"), 1);
    std::fs::write(&settings, text).expect("room");
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/settlement/profiles/allinpay.csv");
    succeeded(&collector(&["import", "--config", &settings, file]));
    let mut made = vec![home.join("kept"), store.clone()];
    made.extend(
        std::fs::read_dir(&store).expect("a store").map(|entry| entry.expect("one").path()),
    );
    assert!(made.contains(&store.join("collector.sqlite")), "{made:?}");
    for made in made {
        let found = made.metadata().expect("it is there");
        assert_eq!((found.uid(), found.gid()), (1, 1), "{}", made.display());
    }
    // The service's user goes on with it.
    let program = place.path().join("slipwatch-collector");
    std::fs::copy(binary("slipwatch-collector"), &program).expect("room");
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "1", "--regid", "1", "--clear-groups"]).arg(&program);
    command.args(["complaint", "open", "--time", "14:05", "--amount", "88", "--config", &settings]);
    succeeded(&command.output().expect("setpriv is there"));
}

#[test]
fn how_many_debits_a_policy_needs_is_one_number_everywhere() {
    let (least, most) = (proposal::DEBITS_MIN, proposal::DEBITS_MAX);
    let help = succeeded(&collector(&["policy", "--help"]));
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains(&format!("Once {least} of its debits")), "{help}");
    assert!(help.contains(&format!("its first {most} at most")), "{help}");
    let settings = include_str!("../../collector/config/collector.toml");
    assert!(settings.contains(&format!("first debits say, {least} at least and {most} at most")));
}

#[test]
fn the_demonstration_says_when_the_port_that_it_is_to_hear_is_not_there() {
    let mut command = Command::new(binary("slipwatch-demo"));
    command.args(["--lang", "en", "--source", "/dev/nosuch", "--dialect", "kv-en"]);
    let mut demo = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
    let errors = demo.stderr.take().expect("a pipe");
    let told = std::io::BufReader::new(errors).lines().next().expect("a line").expect("text");
    demo.kill().and_then(|()| demo.wait()).expect("it ends");
    assert!(told.contains("/dev/nosuch: there is no such port; it is waited for"), "{told}");
}

#[test]
fn check_finds_the_address_that_run_would_fail_on_and_says_each_thing_once() {
    let place = tempfile::tempdir().expect("a directory");
    let settings = fresh_settings(place.path());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let here = taken.local_addr().expect("an address").to_string();
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr();
    let shut = free.expect("an address").port();
    let shops = std::fs::read_to_string(&settings).expect("the settings");
    let text = format!(
        "http.listen = \"{here}\"\n[broker.external]\nhost = \"127.0.0.1\"\nport = {shut}\n"
    );
    std::fs::write(&settings, shops.replace("[[shop]]", &format!("{text}[[shop]]"))).expect("room");
    let checked = collector(&["check", "--config", &settings]);
    let report = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert_eq!(checked.status.code(), Some(69), "{report}{}", told(&checked));
    assert!(report.contains(&format!("wrong  pages     cannot listen on {here}")), "{report}");
    assert_eq!(report.matches("Connection refused").count(), 1, "{report}");
    assert_eq!(told(&checked), "", "what it has to say stands in the report");
    drop(taken);
    let checked = collector(&["check", "--config", &settings]);
    let report = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(report.contains(&format!("ok     pages     {here} is free")), "{report}");
}

#[test]
fn check_tells_a_certificate_of_another_name_than_the_agents() {
    let (mut shop, authority) = Shop::with_tls();
    shop.start_collector();
    let check = |shop: &Shop| -> (Option<i32>, String) {
        let settings = shop.path().join("agent.toml");
        let checked = agent(&["check", "--config", path(&settings)]);
        (checked.status.code(), String::from_utf8_lossy(&checked.stdout).into_owned())
    };
    shop.set_agent_certificate(authority.sign("till-2"));
    shop.open();
    let (_, told) = check(&shop);
    let expected =
        "WRONG certificate: its name (CN) is till-2, and the settings call this agent till-1";
    assert!(told.contains(expected), "{told}");
    shop.kill_agent();
    shop.set_agent_certificate(authority.sign("till-1"));
    shop.start_agent();
    wait_for("the port to be the agent's", || {
        let (code, told) = check(&shop);
        (code == Some(0) && told.contains("ok    certificate: its name (CN) is till-1"))
            .then_some(())
    });
}

#[test]
fn a_log_that_is_recorded_from_now_on_says_so_and_from_its_start_when_asked() {
    let place = tempfile::tempdir().expect("a directory");
    let log = place.path().join("monday.log");
    let line = plain_line("auth_request amt=8800 cur=CNY stan=000042", "10000001", SHOWN_MS);
    std::fs::write(&log, &line).expect("room");
    let growth = agent(&["record", "--seconds", "1", path(&log)]);
    succeeded(&growth);
    let words = told(&growth);
    assert!(words.contains("--from-start reads all of it") && words.contains("0 bytes"), "{words}");
    let whole = agent(&["record", "--from-start", "--seconds", "1", path(&log)]);
    succeeded(&whole);
    assert_eq!(told(&whole), format!("{} bytes recorded\n", line.len()));
}

#[test]
fn the_log_that_the_readme_shows_is_a_debit_without_slip() {
    let place = tempfile::tempdir().expect("a directory");
    let log = place.path().join("monday.log");
    let shown =
        include_str!("../../README.md").lines().filter(|line| line.starts_with("    2026-"));
    let text: String = shown.map(|line| format!("{}\n", line.trim_start())).collect();
    assert_eq!(text.lines().count(), 3, "{text}");
    std::fs::write(&log, text).expect("room");
    let zone = ["--dialect", "kv-en", "--time-zone", "Asia/Shanghai", path(&log)];
    let decoded = succeeded(&agent(&[&["decode"][..], &zone].concat()));
    let events = place.path().join("events.jsonl");
    std::fs::write(&events, decoded).expect("room");
    let payment = succeeded(&collector(&["replay", path(&events)]));
    let payment: Value = serde_json::from_str(payment.trim()).expect("one payment");
    assert_eq!(payment["verdict"], "no_slip", "{payment}");
    assert_eq!(payment["debited"], "2026-11-24T01:05:03.48Z", "{payment}");
    assert_eq!(payment["findings"][0]["code"], "A01", "{payment}");
}

#[test]
fn every_finding_that_is_told_stands_in_the_readme() {
    let readme = include_str!("../../README.md");
    let missing = FindingKind::ALL.map(FindingKind::code).into_iter();
    let missing: Vec<&str> =
        missing.filter(|code| !readme.contains(&format!("\n| {code} "))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_shells_language_is_that_of_the_desk_and_the_command_lines_overrides_it() {
    let place = tempfile::tempdir().expect("a directory");
    let settings = fresh_settings(place.path());
    let settings = ["--config", &settings];
    let opened = ["complaint", "open", "--time", "14:05", "--amount", "88"];
    succeeded(&collector(&[&opened[..], &settings].concat()));
    let said = |locale: &str, more: &[&str]| {
        let mut command = Command::new(binary("slipwatch-collector"));
        command.args(["complaint", "show", "99"]).args(settings).args(more);
        command.env_remove("LC_ALL").env_remove("LC_MESSAGES").env("LANG", locale);
        let output = command.stdin(Stdio::null()).output().expect("the program starts");
        assert_eq!(output.status.code(), Some(1), "{}", told(&output));
        told(&output)
    };
    let (chinese, english) = ("没有编号为 99 的投诉", "there is no complaint 99");
    assert!(said("zh_CN.UTF-8", &[]).contains(chinese));
    assert!(said("zh_CN.UTF-8", &["--lang", "en"]).contains(english));
    assert!(said("C.UTF-8", &[]).contains(english));
    assert!(said("C.UTF-8", &["--lang", "zh"]).contains(chinese));
    assert!(said("C.UTF-8", &["--chinese"]).contains(chinese));
}
