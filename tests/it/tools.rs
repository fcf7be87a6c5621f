//! The installer's tools as programs, over pseudo-terminals: from an unknown cable to a running source. A pseudo-terminal
//! keeps no speed; the device on it looks which one its reader has set, and garbles what it says as a real line would.

// Devices speak in bursts: they pause between two of them.
#![allow(clippy::disallowed_methods)]

mod recorded;

use serde_json::Value;
use slipwatch_agent::decode::dialect::{Direction, shipped};
use slipwatch_agent::decode::guess::{Trial, is_sure};
use slipwatch_agent::decode::recording::hide::Hider;
use slipwatch_agent::decode::recording::{FIRST_LINE, write_said};
use slipwatch_shared::times::Uptime;
use slipwatch_tests::load::BusyTerminal;
use slipwatch_tests::process::port::Device;
use slipwatch_tests::process::shop::Shop;
use slipwatch_tests::process::{binary, page, wait_for};
use slipwatch_tests::talk::families::{self, Family};
use slipwatch_tests::talk::uart::garbled;
use slipwatch_tests::talk::{self, Said, Way, joined, printer, zvt};
use slipwatch_tests::voice::Voice;
use slipwatch_tests::voice::key_value::plain_line;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// The pause between two bursts of traffic: a shop that is busy all the time.
const PAUSE: Duration = Duration::from_millis(250);
/// The longest that a probe may listen to traffic.
const SECONDS: &str = "20";

#[test]
fn each_family_is_told_from_all_others() {
    for Family { dialect, bursts } in families::all() {
        let mut trial = Trial::new(shipped::names().filter_map(shipped::dialect));
        for (burst, at) in bursts.iter().zip((0_u64..).step_by(2_000)) {
            trial.push(Direction::Either, burst, Uptime(at));
            trial.settle(Uptime(at + 1_900));
        }
        let opinions = trial.opinions();
        assert_eq!(opinions[0].dialect, dialect, "{opinions:#?}");
        assert!(is_sure(&opinions), "{dialect}: {opinions:#?}");
    }
}

/// What a line is given at once; a real one hands over as little.
const CHUNK_BYTES: usize = 64;

/// A device that says the same again and again, at its own speed and no faster than that.
struct Speaker {
    stop: Arc<AtomicBool>,
    player: Option<JoinHandle<()>>,
}

impl Speaker {
    fn begin(mut device: Device, baud: u32, bursts: Vec<Vec<u8>>) -> Speaker {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let player = std::thread::spawn(move || {
            for burst in bursts.iter().cycle() {
                std::thread::sleep(PAUSE);
                for chunk in burst.chunks(CHUNK_BYTES) {
                    // What nobody reads would fill the line and block it.
                    while !device.is_read() {
                        if told.load(Ordering::Relaxed) {
                            return;
                        }
                        std::thread::sleep(Duration::from_millis(2));
                    }
                    let heard = device.speed();
                    device.write(&garbled(chunk, baud, if heard == 0 { baud } else { heard }));
                    // Ten bits a byte.
                    let bits = chunk.len() as u64 * 10;
                    std::thread::sleep(Duration::from_micros(bits * 1_000_000 / u64::from(baud)));
                }
                if told.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        Speaker { stop, player: Some(player) }
    }
}

impl Drop for Speaker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.player.take().map(JoinHandle::join);
        assert!(matches!(ended, Some(Ok(()))) || std::thread::panicking(), "the device failed");
    }
}

fn agent(arguments: &[&str]) -> Output {
    let mut command = Command::new(binary("slipwatch-agent"));
    command.args(arguments).stdin(Stdio::null()).output().expect("the agent starts")
}

#[track_caller]
fn succeeded(output: &Output) -> String {
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}: {told}", output.status);
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn path(device: &Path) -> &str {
    device.to_str().expect("an ASCII path")
}

#[test]
fn probe_names_every_family_within_twenty_seconds_of_traffic() {
    let place = tempfile::tempdir().expect("a directory");
    std::thread::scope(|scope| {
        for (at, Family { dialect, bursts }) in families::all().into_iter().enumerate() {
            let place = &place;
            scope.spawn(move || {
                let port = place.path().join(format!("tty{at}"));
                let device = Device::plug_in(&port);
                let _speaker = Speaker::begin(device, 9_600, bursts);
                let probed = agent(&["probe", "--seconds", SECONDS, "--json", path(&port)]);
                let found: Value = serde_json::from_str(&succeeded(&probed)).expect("JSON");
                assert_eq!(found["dialect"], dialect, "{found:#}");
                assert_eq!((&found["baud"], &found["sure"]), (&9_600.into(), &true.into()));
            });
        }
    });
}

#[test]
fn probe_finds_the_speed_of_a_line_and_writes_a_block_that_the_agent_takes() {
    let place = tempfile::tempdir().expect("a directory");
    let port = place.path().join("ttyTill");
    let zvt = families::all().into_iter().find(|family| family.dialect == "zvt").expect("ZVT");
    let speaker = Speaker::begin(Device::plug_in(&port), 19_200, zvt.bursts);
    let probed = agent(&["probe", "--seconds", SECONDS, path(&port)]);
    drop(speaker);
    let told = String::from_utf8_lossy(&probed.stderr).into_owned();
    let block = succeeded(&probed);
    assert!(told.contains("19200 8N1") && told.contains("It is sure: "), "{told}");
    assert!(!told.contains('%'), "what is sure has no share of doubt: {told}");
    let settings = place.path().join("agent.toml");
    let head = format!(
        "store = \"shop-1\"\nagent = \"till-1\"\n[spool]\ndirectory = {:?}\n",
        place.path().join("spool")
    );
    std::fs::write(&settings, head + &block).expect("settings can be written");
    let checked = succeeded(&agent(&["check", "--offline", "--config", path(&settings)]));
    assert!(checked.contains("1 sources"), "{checked}");
    for expected in ["dialect = \"zvt\"", "baud = 19200", path(&port)] {
        assert!(block.contains(expected), "{block}");
    }
    // With its port; there is no broker.
    let _device = Device::plug_in(&port);
    let checked = agent(&["check", "--config", path(&settings)]);
    assert_eq!(checked.status.code(), Some(69));
    let told = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(told.contains("ttyTill can be opened") && told.contains("WRONG broker"), "{told}");
}

#[test]
fn probe_names_the_dialects_of_a_family_that_understand_a_line_as_well() {
    let place = tempfile::tempdir().expect("a directory");
    let port = place.path().join("ttyPrinter");
    let printer = families::all().into_iter().find(|family| family.dialect == "escpos");
    let bursts = printer.expect("ESC/POS").bursts;
    let _speaker = Speaker::begin(Device::plug_in(&port), 9_600, bursts);
    let probed = agent(&["probe", "--seconds", SECONDS, path(&port)]);
    let told = String::from_utf8_lossy(&probed.stderr).into_owned();
    let block = succeeded(&probed);
    assert!(told.contains("sure that this is escpos, and not which kind of it"), "{told}");
    assert!(told.contains("escpos-cn-58") && !told.contains("It is sure: "), "{told}");
    assert!(block.contains("# or escpos-cn"), "{block}");
}

#[test]
fn probe_says_so_when_nothing_is_said_and_when_somebody_else_listens() {
    let place = tempfile::tempdir().expect("a directory");
    let port = place.path().join("ttyTill");
    let device = Device::plug_in(&port);
    let silent = agent(&["probe", "--seconds", "1", path(&port)]);
    assert_eq!(silent.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&silent.stderr).contains("Nothing was said within 1 s"));
    assert!(silent.stdout.is_empty());
    // Another agent has it.
    let mut other = Command::new(binary("slipwatch-agent"))
        .args(["tail", "--dialect", "zvt", "--seconds", "20", path(&port)])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the agent starts");
    let mut first = [0; 1];
    std::io::Read::read_exact(other.stdout.as_mut().expect("a pipe"), &mut first).expect("a note");
    let busy = agent(&["probe", "--seconds", "1", path(&port)]);
    assert_eq!(busy.status.code(), Some(69));
    let told = String::from_utf8_lossy(&busy.stderr).into_owned();
    assert!(told.contains("in use by") && told.contains("slipwatch-agent ("), "{told}");
    let beside = agent(&["tail", "--dialect", "zvt", "--seconds", "1", path(&port)]);
    let told = String::from_utf8_lossy(&beside.stderr).into_owned();
    assert!(!beside.status.success() && told.contains("slipwatch-agent ("), "{told}");
    assert!(told.contains("`systemctl stop slipwatch-agent`"), "{told}");
    other.kill().and_then(|()| other.wait()).expect("it ends");
    drop(device);
}

/// Two ends of a line: what goes to the device, and what it answers.
fn say(to_device: &mut Device, answers: &mut Device, said: &[Said]) {
    for Said { way, bytes } in said {
        match way {
            Way::ToDevice => to_device.write(bytes),
            Way::FromDevice => answers.write(bytes),
        }
    }
}

#[test]
fn tail_shows_what_is_said_and_counts_what_is_not_understood() {
    let place = tempfile::tempdir().expect("a directory");
    let port = place.path().join("ttyTill");
    let mut device = Device::plug_in(&port);
    let payment = [zvt::asked(1_234), zvt::approved(1_234, 77), zvt::completed()].concat();
    device.write(&joined(&payment));
    let shown = agent(&["tail", "--dialect", "zvt", "--seconds", "3", path(&port)]);
    let told = String::from_utf8_lossy(&shown.stderr).into_owned();
    let shown = succeeded(&shown);
    assert!(!shown.contains('\x1b'), "no colours where nobody looks: {shown}");
    for expected in
        ["listening", "authorization answered", "EUR 12.34", "stan=77", "terminal=28004869"]
    {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    assert!(told.contains("0 not understood, 0 damaged"), "{told}");
}

#[test]
fn a_line_that_was_recorded_in_both_ways_is_decoded_as_it_was_heard_and_shows_no_card() {
    let place = tempfile::tempdir().expect("a directory");
    let (port, other) = (place.path().join("ttyOut"), place.path().join("ttyBack"));
    let (mut to_device, mut answers) = (Device::plug_in(&port), Device::plug_in(&other));
    let slip = printer::slip("10000001", 990, 5);
    let card = b"\x1b@CARD 4111111111111111\n\x1dVA\x03";
    say(
        &mut to_device,
        &mut answers,
        &[printer::watched(), printer::ready(), slip, talk::to(*card)],
    );
    let case = place.path().join("case.rec");
    let recorded = agent(&[
        "record",
        "--seconds",
        "2",
        "--answers",
        path(&other),
        "--output",
        path(&case),
        path(&port),
    ]);
    succeeded(&recorded);
    let text = std::fs::read_to_string(&case).expect("the recording");
    assert!(text.starts_with("slipwatch recording 1\nstarted "), "{text}");
    for way in [" > 1d 61 ff", " < 14 00 00 0f"] {
        assert!(text.contains(way), "{way}: {text}");
    }
    // Neither as text nor in the column of hexadecimal, where a row may end amid it.
    let bytes: String =
        text.lines().filter_map(|line| line.split_once(" > ")?.1.split('|').next()).collect();
    let bytes: Vec<u8> =
        bytes.split_whitespace().filter_map(|word| u8::from_str_radix(word, 16).ok()).collect();
    let said = String::from_utf8_lossy(&bytes).into_owned();
    assert!(said.contains("CARD 411111******1111"), "{said}");
    let decoded = succeeded(&agent(&["decode", "--dialect", "escpos", path(&case)]));
    let events: Vec<Value> =
        decoded.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(events[0]["body"]["source_opened"]["two_way"], true);
    let printed = events.iter().find(|event| event["body"].get("slip_printed").is_some());
    let printed = &printed.expect("a slip")["body"]["slip_printed"];
    assert_eq!(printed["slip"]["keys"]["stan"], 5, "{printed}");
    let again = agent(&["record", "--seconds", "1", "--output", path(&case), path(&port)]);
    assert!(!again.status.success(), "what was recorded is not overwritten");
}

#[test]
fn a_log_that_was_recorded_tells_the_same_as_the_log() {
    let place = tempfile::tempdir().expect("a directory");
    let (raw, case) = (place.path().join("pos.log"), place.path().join("case.rec"));
    let mut log = Vec::new();
    for seed in 1..=4 {
        let mut terminal = BusyTerminal::new("10000001", seed);
        for payment in (0..100).flat_map(|_| terminal.next_payments()) {
            for &spoken in &payment.spoken {
                log.extend(Voice::KeyValue.bytes(&payment, spoken, 1_795_512_601_120));
            }
        }
    }
    let mut hider = Hider::new(Direction::Either);
    let mut pieces = Vec::new();
    for (chunk, at) in log.chunks(1_000).zip(0_u64..) {
        pieces.extend(hider.push(chunk, Uptime(at)));
    }
    pieces.extend(hider.let_go());
    let mut recorded = format!("{FIRST_LINE}\n");
    for (at, way, bytes) in pieces {
        write_said(&mut recorded, at, way, &bytes);
    }
    std::fs::write(&raw, &log).expect("room");
    std::fs::write(&case, recorded).expect("room");
    let bodies = |file: &Path| -> Vec<String> {
        let told = succeeded(&agent(&["decode", "--dialect", "kv-en", path(file)]));
        let events = told.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        // When the line was opened and how much was read is of the file, not of what it says.
        let said = events.filter(|event| event["body"].get("source_opened").is_none());
        said.map(|event| event["body"].to_string()).collect()
    };
    let (said, direct) = (bodies(&case), bodies(&raw));
    assert!(direct.len() > 1_000, "{}", direct.len());
    let differs = said.iter().zip(&direct).find(|(recorded, direct)| recorded != direct);
    assert_eq!(differs, None);
    assert_eq!(said.len(), direct.len());
}

#[test]
fn check_says_that_a_port_is_the_running_agents_own() {
    let mut shop = Shop::new();
    shop.open();
    shop.wait_until_open(1);
    let checked = agent(&["check", "--config", path(&shop.path().join("agent.toml"))]);
    let told = succeeded(&checked);
    assert!(told.contains("ttyTill is in use by the running agent"), "{told}");
}

#[test]
fn a_second_collector_on_one_store_is_refused_at_once_and_what_runs_beside_one_is_not() {
    let mut shop = Shop::new();
    shop.start_collector();
    let settings = shop.path().join("collector.toml");
    let collector = |arguments: &[&str]| -> Output {
        let mut command = Command::new(binary("slipwatch-collector"));
        command.args(arguments).args(["--config", path(&settings)]).stdin(Stdio::null());
        command.output().expect("the collector starts")
    };
    let second = collector(&["run"]);
    let told = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(73), "{told}");
    assert!(told.contains("is in use by another collector"), "{told}");
    for beside in [&["cases", "--json"][..], &["policy", "show"]] {
        let code = collector(beside).status.code();
        assert!(matches!(code, Some(0 | 1)), "{beside:?}: {code:?}");
    }
    // The lock goes with the process, however it ends.
    shop.kill_collector();
    shop.start_collector();
}

#[test]
fn an_agent_that_the_collector_does_not_know_is_named() {
    let mut shop = Shop::new();
    shop.set_agent_listed("somebody-else");
    shop.open();
    let port = shop.http_port();
    wait_for("the page of agents to name it", || {
        page(port, "/agents?lang=en").filter(|page| page.contains("shop-1 · till-1"))
    });
    let log = std::fs::read_to_string(shop.path().join("collector.log")).expect("a log");
    let told = "agent shop-1/till-1 is not in the settings: its events wait";
    assert_eq!(log.matches(told).count(), 1, "{log}");
}

#[test]
fn decode_lists_the_dialects_and_reads_bytes_and_hexadecimal_alike() {
    let listed = succeeded(&agent(&["decode", "--list"]));
    let first: Vec<&str> =
        listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(first, shipped::names().collect::<Vec<_>>());
    let json: Value =
        serde_json::from_str(&succeeded(&agent(&["decode", "--list", "--json"]))).expect("JSON");
    assert_eq!(json.as_array().map(Vec::len), Some(first.len()));
    let place = tempfile::tempdir().expect("a directory");
    let payment = joined(&[zvt::asked(1_234), zvt::approved(1_234, 77), zvt::completed()].concat());
    let (raw, hex) = (place.path().join("raw.bin"), place.path().join("dump.txt"));
    std::fs::write(&raw, &payment).expect("room");
    let rows = payment
        .chunks(16)
        .map(|row| row.iter().map(|byte| format!("{byte:02x} ")).collect::<String>() + "\n");
    std::fs::write(&hex, rows.collect::<String>()).expect("room");
    let decoded = |file: &Path| succeeded(&agent(&["decode", "--dialect", "zvt", path(file)]));
    assert!(decoded(&raw).contains("authorization_answered"), "{}", decoded(&raw));
    assert_eq!(decoded(&raw), decoded(&hex));
}

/// A log of one payment without slip, and settings of two shops with its terminal in the first.
fn log_and_settings(place: &Path) -> (PathBuf, String) {
    let said = [
        "auth_request amt=8800 cur=CNY stan=000042",
        "auth_response amt=8800 cur=CNY stan=000042 rc=00",
    ];
    let at = 1_795_512_601_120;
    let mut log: String = said
        .iter()
        .zip(0..)
        .map(|(said, nth)| plain_line(said, "10000001", at + nth * 1_000))
        .collect();
    log.push_str(&plain_line("net_up", "10000001", at + 3_600_000));
    let settings = place.join("collector.toml").display().to_string();
    let shops = "store.path = \"store\"\n[[shop]]\nname = \"corner\"\nagents = [\"till-1\"]\n\
        [[shop.terminal]]\nnumber = \"10000001\"\nwho_prints = \"terminal\"\n\
        [[shop]]\nname = \"market\"\nagents = [\"till-9\"]\n";
    std::fs::write(&settings, shops).expect("room");
    std::fs::write(place.join("pos.log"), log).expect("room");
    (place.join("pos.log"), settings)
}

#[test]
fn a_log_is_judged_under_the_settings_of_the_shop_that_decode_is_told() {
    let place = tempfile::tempdir().expect("a directory");
    let (log, settings) = log_and_settings(place.path());
    let replayed = |names: &[&str]| {
        let decoded = succeeded(&agent(&[&["decode"], names, &[path(&log)]].concat()));
        let events = place.path().join("events.jsonl");
        std::fs::write(&events, decoded).expect("room");
        let mut command = Command::new(binary("slipwatch-collector"));
        let output = command.args(["replay", "--settings", &settings, path(&events)]).output();
        let output = output.expect("the collector's program starts");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let payment: Value = serde_json::from_str(succeeded(&output).trim()).expect("one payment");
        (payment, told)
    };
    let (payment, told) = replayed(&["--store", "corner", "--agent", "till-1"]);
    assert_eq!((&payment["store"], &payment["agent"]), (&"corner".into(), &"till-1".into()));
    assert_ne!(payment["reason"], "not_judged", "{payment}");
    assert_eq!(told, "");

    // Whoever does not say whose it is learns how, and which shops there are.
    let (payment, told) = replayed(&[]);
    assert_eq!(payment["reason"], "not_judged", "{payment}");
    let parts = [
        "1 payment was not judged: the settings know none of the recording's shops (decode); they name corner, market.",
        "slipwatch-agent decode --store corner ",
    ];
    for part in parts {
        assert!(told.contains(part), "{part:?} is missing in {told}");
    }
    // A shop that they know and a terminal that they do not: which one it is.
    let (_, told) = replayed(&["--store", "market"]);
    assert!(told.contains("say who prints there: market 10000001\n"), "{told}");
}

#[test]
fn the_shipped_settings_of_agent_and_collector_fit_each_other() {
    let agent: toml::Table = include_str!("../../agent/config/agent.toml").parse().expect("TOML");
    let collector = include_str!("../../collector/config/collector.toml");
    let collector: toml::Table = collector.parse().expect("TOML");
    let shop = &collector["shop"][0];
    assert_eq!(shop["name"], agent["store"]);
    assert!(shop["agents"].as_array().expect("a list").contains(&agent["agent"]), "{shop}");
}
