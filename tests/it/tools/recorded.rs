//! `probe` and `decode` on what real devices said: every recorded family, at the speed of its line.

use super::{CHUNK_BYTES, SECONDS, Speaker, agent, path, succeeded};
use serde_json::Value;
use slipwatch_agent::command::probe::search::{Search, Step};
use slipwatch_agent::decode::dialect::{Direction, shipped};
use slipwatch_agent::decode::guess::{Trial, is_sure};
use slipwatch_agent::edge::source::ear::Heard;
use slipwatch_shared::times::Uptime;
use slipwatch_tests::process::port::Device;
use slipwatch_tests::talk::recorded::{self, Recorded};
use slipwatch_tests::talk::uart::received;
use std::fmt::Write as _;
use std::path::Path;

/// The speed at which the devices speak here: the usual one.
const BAUD: u32 = 9_600;

/// Families of which too little was recorded to be always sure within the time, and why.
const UNSURE: [&str; 4] = [
    // A request and its answer; the answer tells a wrong length.
    "j-iso8583",
    "j-iso8583 as text",
    // Half of what others made for their tests is wrong, or in codings of its own.
    "moov-iso8583",
    // A server's log: for many seconds of a line nothing is about a payment.
    "lagotto-jpos",
];

#[test]
fn probe_names_every_recorded_family_within_twenty_seconds_of_traffic() {
    let place = tempfile::tempdir().expect("a directory");
    let told: Vec<(String, String)> = std::thread::scope(|scope| {
        let probe = |(at, recorded): (usize, Recorded)| {
            let port = place.path().join(format!("tty{at}"));
            scope.spawn(move || {
                let Recorded { name, dialect, bursts } = recorded;
                let bursts = bursts.into_iter().map(|(_, bytes)| bytes).collect();
                let _speaker = Speaker::begin(Device::plug_in(&port), BAUD, bursts);
                let probed = agent(&["probe", "--seconds", SECONDS, "--json", path(&port)]);
                let found: Value = serde_json::from_slice(&probed.stdout).expect("JSON");
                assert_eq!(probed.status.code(), Some(i32::from(found["sure"] != true)));
                let is_sure = found["sure"] == true || UNSURE.contains(&name);
                (
                    format!(
                        "{name}: {} at {}, as sure as it can be: {is_sure}",
                        found["dialect"], found["baud"]
                    ),
                    format!("{name}: \"{dialect}\" at {BAUD}, as sure as it can be: true"),
                )
            })
        };
        let probes: Vec<_> = recorded::all().into_iter().enumerate().map(probe).collect();
        probes.into_iter().map(|probe| probe.join().expect("the device speaks")).collect()
    });
    let (found, expected): (Vec<String>, Vec<String>) = told.into_iter().unzip();
    assert_eq!(found, expected);
}

/// What a search finds that listens to a recorded family at this speed for twenty seconds, and whether it is sure.
fn searched(bursts: &[(String, Vec<u8>)], sent: u32) -> (String, bool) {
    let dialects = shipped::names().filter_map(shipped::dialect).collect();
    let mut search = Search::new(dialects, None, Uptime(0));
    let (mut setting, mut now_us) = (search.setting(), 0);
    'traffic: for (_, burst) in bursts.iter().cycle() {
        let chunks = burst
            .chunks(CHUNK_BYTES)
            .map(|chunk| (chunk, chunk.len() as u64 * 10_000_000 / u64::from(sent)));
        let pause = [(&[][..], 50_000); 5];
        for (chunk, us) in chunks.chain(pause) {
            now_us += us;
            let received = received(chunk, sent, setting.baud, setting.parity);
            let bad = received.iter().filter(|(_, is_sound)| !is_sound).count();
            let bytes = received.into_iter().map(|(byte, _)| byte).collect();
            let step = search.heard(&Heard { bytes, bad }, Uptime(now_us / 1_000));
            if step == Step::Done || now_us > 20_000_000 {
                break 'traffic;
            }
            setting = search.setting();
        }
    }
    let found = search.found().expect("something was said");
    (format!("{} at {}", found.opinions[0].dialect, found.setting), found.sure)
}

#[test]
fn a_search_finds_dialect_and_speed_of_every_recorded_family_within_twenty_seconds_of_traffic() {
    let mut text = String::new();
    for Recorded { name, dialect, bursts } in recorded::all() {
        let (mut sure, mut unsure) = (Vec::new(), Vec::new());
        for baud in [4_800, 9_600, 19_200, 38_400, 57_600, 115_200] {
            let (found, is_sure) = searched(&bursts, baud);
            assert_eq!(found, format!("{dialect} at {baud} 8N1"), "{name}");
            if is_sure { &mut sure } else { &mut unsure }.push(baud);
        }
        let _ = writeln!(
            text,
            "{name}: found at every speed; sure at {sure:?}, not sure at {unsure:?}"
        );
    }
    crate::devices::assert_snapshot("devices", "search", &text);
}

/// What the probe would say of each recording alone, heard once: many a one is too short to name its family.
#[test]
fn what_is_too_short_to_name_its_family_is_not_said_to_be_sure() {
    let mut text = String::new();
    for Recorded { name, dialect, bursts, .. } in recorded::all() {
        let all = bursts.len();
        let (mut sure, mut leaning, mut silent) = (0, 0, 0);
        let mut astray = String::new();
        for (recording, bytes) in &bursts {
            let mut trial = Trial::new(shipped::names().filter_map(shipped::dialect));
            trial.push(Direction::Either, bytes, Uptime(0));
            trial.settle(Uptime(60_000));
            let opinions = trial.opinions();
            let named = &opinions[0];
            let is_own = shipped::family(&named.dialect) == shipped::family(dialect);
            assert!(is_own || !is_sure(&opinions), "{name}, {recording}: {named}");
            match () {
                () if is_sure(&opinions) => sure += 1,
                () if named.understood == 0 => silent += 1,
                () if is_own => leaning += 1,
                () => {
                    let (bytes, percent, other) =
                        (bytes.len(), named.score * 100.0, &named.dialect);
                    let _ = writeln!(
                        astray,
                        "  {recording} ({bytes} bytes): {percent:.0} % {other}: {named}"
                    );
                }
            }
        }
        let _ = writeln!(
            text,
            "{name}: of {all} alone {sure} name it for sure, {leaning} name it and are not sure, {silent} name nothing{}\n{astray}",
            if astray.is_empty() { "" } else { "; these name another, and are not sure:" },
        );
    }
    crate::devices::assert_snapshot("devices", "probe", &text);
}

/// The number of events that `decode` tells of a file.
fn decoded(dialect: &str, file: &Path) -> Vec<String> {
    let text = succeeded(&agent(&["decode", "--dialect", dialect, path(file)]));
    let body = |line: &str| {
        let event: Value = serde_json::from_str(line).expect("JSON");
        event["body"].to_string()
    };
    text.lines().map(body).collect()
}

#[test]
fn decode_reads_every_recorded_family_raw_and_in_hexadecimal_with_the_dialect_that_probe_names() {
    let place = tempfile::tempdir().expect("a directory");
    for Recorded { name, dialect, bursts, .. } in recorded::all() {
        let bytes: Vec<u8> = bursts.into_iter().flat_map(|(_, bytes)| bytes).collect();
        let (raw, hex) = (place.path().join("raw"), place.path().join("hex"));
        let rows = bytes
            .chunks(16)
            .map(|row| row.iter().map(|byte| format!("{byte:02x} ")).collect::<String>() + "\n");
        std::fs::write(&raw, &bytes).expect("room");
        std::fs::write(&hex, rows.collect::<String>()).expect("room");
        let told = decoded(dialect, &raw);
        assert!(told.len() > 3, "{name}: {told:?}");
        // Text is taken for what it is; a dump of text would be, too.
        if !matches!(dialect, "iso8583-hexlog" | "jpos-log") {
            assert_eq!(decoded(dialect, &hex), told, "{name}, in hexadecimal");
        }
    }
}
