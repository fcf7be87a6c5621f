//! Logs as jPOS writes them, and what comes out.

use crate::decode::decoder::{Decoded, Decoder};
use crate::decode::dialect::{Direction, shipped};
use proptest::prelude::*;
use slipwatch_shared::event::Body;
use slipwatch_shared::times::Uptime;

/// A published test number.
const NUMBER: &str = "6200000000000005";

fn decoded_of(log: &str) -> Vec<Decoded> {
    let dialect = shipped::dialect("jpos-log").expect("shipped");
    let read = |chunk_bytes: usize| {
        let mut decoder = Decoder::new(dialect.clone(), None);
        log.as_bytes()
            .chunks(chunk_bytes)
            .for_each(|chunk| decoder.push(Direction::Either, chunk, Uptime(5)));
        decoder.finish(Uptime(5));
        std::iter::from_fn(|| decoder.next_decoded()).collect::<Vec<_>>()
    };
    let whole = read(log.len().max(1));
    for chunk_bytes in [1, 13] {
        assert_eq!(read(chunk_bytes), whole, "in chunks of {chunk_bytes}");
    }
    whole
}

fn short(decoded: &Decoded) -> String {
    let Decoded::Said { body, device_time, .. } = decoded else { return format!("{decoded:?}") };
    let time = device_time.map_or(String::new(), |time| {
        format!("{:02}:{:02}.{:03} ", time.minute, time.second, time.millisecond)
    });
    let stan = body.keys().and_then(|keys| keys.stan).map_or(0, |stan| stan.number());
    match body {
        Body::AuthorizationRequested(_) => format!("{time}requested {stan}"),
        Body::AuthorizationAnswered { response_code, .. } => {
            format!("{time}answered {response_code} {stan}")
        }
        Body::Reversal { phase, .. } => format!("{time}reversal {phase:?} {stan}"),
        other => format!("{time}{other:?}"),
    }
}

#[track_caller]
fn check(log: &str, expected: &[&str]) {
    let found: Vec<String> = decoded_of(log).iter().map(short).collect();
    assert_eq!(found, expected);
}

fn entry(realm: &str, at: &str, section: &str, fields: &[(u8, &str)]) -> String {
    let fields: String = fields
        .iter()
        .map(|(id, value)| format!("      <field id=\"{id}\" value=\"{value}\"/>\n"))
        .collect();
    format!(
        "<log realm=\"{realm}\" at=\"Mon Nov 24 00:00:{at} EST 2014.14\" lifespan=\"2ms\">\n  <{section}>\n    \
         <isomsg>\n      <!-- org.jpos.iso.packager.XMLPackager -->\n{fields}    </isomsg>\n  </{section}>\n</log>\n"
    )
}

#[test]
fn requests_and_answers_are_told_with_the_logs_own_time() {
    let sale: &[(u8, &str)] =
        &[(0, "0200"), (3, "000000"), (4, "000000001250"), (11, "7"), (41, "T1"), (49, "978")];
    let approved: &[(u8, &str)] =
        &[(0, "0210"), (3, "000000"), (11, "000007"), (37, "R1"), (39, "00"), (41, "T1")];
    let log =
        [entry("c/h:1", "03", "send", sale), entry("c/h:1", "04", "receive", approved)].concat();
    check(&log, &["00:03.014 requested 7", "00:04.014 answered 00 7"]);
    let decoded = decoded_of(&log);
    let Decoded::Said { terminal, body, .. } = &decoded[0] else { panic!("{decoded:?}") };
    assert_eq!(*terminal, "T1".parse().ok());
    let amount = body.keys().and_then(|keys| keys.amount);
    assert_eq!(amount.map(|amount| amount.to_string()).as_deref(), Some("EUR 12.50"));
}

#[test]
fn a_message_that_both_ends_log_is_said_once() {
    let sale: &[(u8, &str)] =
        &[(0, "0200"), (3, "000000"), (4, "000000001250"), (11, "7"), (41, "T1")];
    let padded: &[(u8, &str)] =
        &[(0, "0200"), (3, "000000"), (4, "000000001250"), (11, "000007"), (41, "T1      ")];
    check(
        &[
            entry("channel/h:9001", "03", "send", sale),
            entry("channel/h:49700", "03", "receive", padded),
        ]
        .concat(),
        &["00:03.014 requested 7"],
    );
    // Without a terminal's number the same trace on another connection is another terminal's.
    let bare: &[(u8, &str)] = &[(0, "0200"), (3, "000000"), (4, "000000001250"), (11, "7")];
    check(
        &[entry("c/h:1", "03", "receive", bare), entry("c/h:2", "03", "receive", bare)].concat(),
        &["00:03.014 requested 7", "00:03.014 requested 7"],
    );
}

#[test]
fn connections_come_and_go() {
    let log = |inside: &str| {
        format!(
            "<log realm=\"bank/10.0.0.1:4321\" at=\"Mon Nov 24 00:00:05 EST 2014.1\">\n{inside}\n</log>\n"
        )
    };
    let lost = "<receive>\n<peer-disconnect/>\n</receive>";
    check(&log(lost), &["00:05.001 NetworkDown"]);
    check(&[log(lost), log(lost)].concat(), &["00:05.001 NetworkDown"]);
    check(&log("<receive>\n<io-timeout/>\n</receive>"), &["00:05.001 NetworkDown"]);
    check(&log("<connect>\n 10.0.0.1:4321\n</connect>"), &["00:05.001 NetworkUp"]);
    check(
        &log(
            "<connect>\n<exception name=\"Connection refused\">\njava.net.ConnectException\n</exception>\n</connect>",
        ),
        &["00:05.001 NetworkDown"],
    );
    check(
        &log(
            "<send>\n<exception name=\"x\">\n java.net.SocketException: Connection reset\n</exception></send>",
        ),
        &["00:05.001 NetworkDown"],
    );
    let echo = entry(
        "bank/10.0.0.1:4321",
        "06",
        "receive",
        &[(0, "0810"), (11, "1"), (39, "00"), (70, "301")],
    );
    check(&[log(lost), echo].concat(), &["00:05.001 NetworkDown", "00:06.014 NetworkUp"]);
}

#[test]
fn a_terminal_that_hangs_up_at_its_server_is_no_lost_network() {
    let log = "<log realm=\"server.session/10.0.0.9:5\" at=\"\">\n<session-start/>\n</log>\n\
               <log realm=\"channel/10.0.0.9:5\" at=\"\">\n<receive>\n<peer-disconnect/>\n</receive>\n</log>\n";
    check(log, &[]);
}

#[test]
fn a_torn_message_costs_itself_alone() {
    let sale = entry("c/h:1", "03", "send", &[(0, "0200"), (3, "000000"), (11, "8"), (41, "T1")]);
    let torn = &sale[..sale.find("    </isomsg>").expect("an end")];
    let decoded = decoded_of(&[torn, &sale].concat());
    assert!(matches!(decoded[..], [Decoded::Failed { .. }, Decoded::Said { .. }]), "{decoded:?}");
    let decoded = decoded_of(torn);
    assert!(matches!(decoded[..], [Decoded::Failed { .. }]), "{decoded:?}");
}

#[test]
fn a_reversal_names_what_it_undoes() {
    let old: &[(u8, &str)] = &[
        (0, "0420"),
        (3, "000000"),
        (4, "000000001250"),
        (11, "9"),
        (41, "T1"),
        (90, &format!("0200000007{}", "0".repeat(32))),
    ];
    check(&entry("c/h:1", "03", "send", old), &["00:03.014 reversal Sent 7"]);
    let new: &[(u8, &str)] = &[
        (0, "2420"),
        (3, "000000"),
        (11, "000000000009"),
        (41, "T1"),
        (56, "210000000000000720141218151240"),
    ];
    check(&entry("c/h:1", "03", "send", new), &["00:03.014 reversal Sent 7"]);
}

#[test]
fn no_card_number_track_or_pin_block_leaves_the_log() {
    let fields: &[(u8, &str)] = &[
        (0, "0200"),
        (2, NUMBER),
        (3, "000000"),
        (11, "7"),
        (35, &format!("{NUMBER}=4912")),
        (36, NUMBER),
        (45, NUMBER),
        (48, NUMBER),
        (52, "A5A5A5A5A5A5A5A5"),
        (55, &format!("5A08{NUMBER}")),
        (60, NUMBER),
        (61, &format!("x{NUMBER}")),
        (62, NUMBER),
        (63, NUMBER),
        (41, "T1"),
        (90, &format!("{NUMBER}{NUMBER}1234567890")),
    ];
    let nested = format!(
        "<field id=\"120\"><![CDATA[{NUMBER}]]></field><isomsg id=\"48\"><field id=\"1\" value=\"{NUMBER}\"/></isomsg>"
    );
    let log = entry("c/h:1", "03", "send", fields)
        .replace("    </isomsg>", &format!("{nested}</isomsg>"));
    let decoded = decoded_of(&[log.as_str(), &log[..log.len() - 60], NUMBER].concat());
    let text = format!("{decoded:?}");
    assert!(text.contains("620000******0005"), "{text}");
    for secret in [NUMBER, &NUMBER[..7], "A5A5"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

proptest! {
    #[test]
    fn any_log_is_read_alike_in_any_chunks(
        parts in prop::collection::vec(prop_oneof![
            "[ -~\n]{0,40}",
            "[<>/\"'=\\[\\]! a-c-]{0,30}",
            Just("<log realm=\"a/b\" at=\"Mon Nov 24 00:00:03 EST 2014.1\">".to_owned()),
            Just("<receive>\n<isomsg>\n".to_owned()),
            Just("<field id=\"0\" value=\"0210\"/>".to_owned()),
            Just("<field id=\"11\" value=\"7\"/><field id=\"39\" value=\"00\"/>".to_owned()),
            Just("</isomsg>\n</receive>\n</log>\n".to_owned()),
            Just("<![CDATA[".to_owned()),
        ], 0..20),
    ) {
        decoded_of(&parts.concat());
    }
}
