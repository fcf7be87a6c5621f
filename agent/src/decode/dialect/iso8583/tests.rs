//! A line as it is heard, and what comes out of it.

use crate::decode::decoder::{Decoded, Decoder};
use crate::decode::dialect::{Dialect, Direction, shipped};
use proptest::prelude::*;
use slipwatch_shared::event::{Body, Evidence, ExchangePhase, Kind, ReversalPhase, TotalsBy};
use slipwatch_shared::times::Uptime;
use std::sync::Arc;

/// A published test number.
const NUMBER: &str = "6200000000000005";

fn packed(digits: &str) -> Vec<u8> {
    let digits =
        if digits.len().is_multiple_of(2) { digits.to_owned() } else { format!("{digits}0") };
    let pairs = digits.as_bytes().chunks_exact(2);
    pairs
        .map(|pair| {
            u8::from_str_radix(std::str::from_utf8(pair).expect("digits"), 16).expect("digits")
        })
        .collect()
}

/// A UnionPay message with its length, address and header. A value with `=` in front is characters, one with `#` bytes
/// in hexadecimal behind a length, all others digits.
fn cup(mti: &str, fields: &[(u8, &str)]) -> Vec<u8> {
    let mut bits = 0_u64;
    let mut body = Vec::new();
    for &(number, value) in fields {
        bits |= 1 << (64 - u32::from(number));
        let counted = |length: usize| match number {
            2 | 35 | 44 => Some(packed(&format!("{length:02}"))),
            36 | 48 | 54..=63 => Some(packed(&format!("{length:04}"))),
            _ => None,
        };
        if let Some(text) = value.strip_prefix('=') {
            body.extend(counted(text.len()).unwrap_or_default());
            body.extend_from_slice(text.as_bytes());
        } else if let Some(hex) = value.strip_prefix('#') {
            body.extend(counted(hex.len() / 2).unwrap_or_default());
            body.extend(packed(hex));
        } else {
            body.extend(counted(value.len()).unwrap_or_default());
            body.extend(packed(value));
        }
    }
    let mut message = packed("6000030000603100110001");
    message.extend(packed(mti));
    message.extend(bits.to_be_bytes());
    message.extend(body);
    let length = u16::try_from(message.len()).expect("short");
    [length.to_be_bytes().to_vec(), message].concat()
}

fn sale(stan: &str) -> Vec<u8> {
    cup(
        "0200",
        &[
            (2, NUMBER),
            (3, "000000"),
            (4, "000000001250"),
            (11, stan),
            (22, "0210"),
            (25, "00"),
            (41, "=00000026"),
            (42, "=852331059980072"),
            (49, "=156"),
            (60, "22000015000501"),
            (63, "=001"),
        ],
    )
}

fn answer(stan: &str, code: &str) -> Vec<u8> {
    cup(
        "0210",
        &[
            (3, "000000"),
            (4, "000000001250"),
            (11, stan),
            (12, "153438"),
            (13, "1201"),
            (37, "=290983153438"),
            (38, "=A1B2C3"),
            (39, &format!("={code}")),
            (41, "=00000026"),
            (49, "=156"),
            (60, "22000015000501"),
        ],
    )
}

fn reversal(stan: &str) -> Vec<u8> {
    cup(
        "0400",
        &[
            (3, "000000"),
            (4, "000000001250"),
            (11, stan),
            (39, "=98"),
            (41, "=00000026"),
            (49, "=156"),
            (60, "22000015000501"),
        ],
    )
}

fn decoder() -> Decoder {
    Decoder::new(shipped::dialect("iso8583-cup").expect("shipped"), None)
}

fn taken(decoder: &mut Decoder) -> Vec<Decoded> {
    std::iter::from_fn(|| decoder.next_decoded()).collect()
}

/// All of a stream, in chunks, with nothing behind it.
fn decoded_of<'a>(
    dialect: &Arc<dyn Dialect>,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<Decoded> {
    let mut decoder = Decoder::new(dialect.clone(), None);
    for chunk in chunks {
        decoder.push(Direction::Either, chunk, Uptime(5));
    }
    decoder.settle(Uptime(5));
    decoder.finish(Uptime(5));
    taken(&mut decoder)
}

fn cup_of(stream: &[u8]) -> Vec<Decoded> {
    let dialect = shipped::dialect("iso8583-cup").expect("shipped");
    let whole = decoded_of(&dialect, [stream]);
    for chunk_bytes in [1, 2, 7, 64] {
        assert_eq!(
            decoded_of(&dialect, stream.chunks(chunk_bytes)),
            whole,
            "in chunks of {chunk_bytes}"
        );
    }
    whole
}

fn short(decoded: &Decoded) -> String {
    match decoded {
        Decoded::Failed { reason, .. } => format!("{reason:?}"),
        Decoded::Said { body, .. } => {
            let stan = body
                .keys()
                .and_then(|keys| keys.stan)
                .map_or(String::new(), |stan| format!(" {stan}"));
            match body {
                Body::AuthorizationRequested(_) => format!("requested{stan}"),
                Body::AuthorizationAnswered { response_code, .. } => {
                    format!("answered {response_code}{stan}")
                }
                Body::OfflineUpload { phase, .. } => format!("upload {phase:?}{stan}"),
                Body::Reversal { phase, .. } => format!("reversal {phase:?}{stan}"),
                Body::Void { phase, .. } => format!("void {phase:?}{stan}"),
                Body::Refund { phase, .. } => format!("refund {phase:?}{stan}"),
                Body::Preauthorization { phase, .. } => format!("preauthorization {phase:?}{stan}"),
                Body::Completion { phase, .. } => format!("completion {phase:?}{stan}"),
                Body::SettlementStarted { .. } => "settlement".to_owned(),
                Body::SettlementTotals(totals) => {
                    format!("totals {:?} {}", totals.by, totals.debit_count)
                }
                Body::SettlementClosed { result, .. } => format!("closed {result:?}"),
                Body::SignedOn { batch_number } => {
                    format!("signed on {}", batch_number.map_or(0, |batch| batch.number()))
                }
                other => format!("{other:?}"),
            }
        }
    }
}

#[track_caller]
fn check(stream: &[Vec<u8>], expected: &[&str]) {
    let found: Vec<String> = cup_of(&stream.concat()).iter().map(short).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_sale_is_asked_and_answered_with_all_its_numbers() {
    let decoded = cup_of(&[sale("001082"), answer("001082", "00")].concat());
    let [
        Decoded::Said { terminal, body: Body::AuthorizationRequested(asked), evidence, .. },
        answered,
    ] = &decoded[..]
    else {
        panic!("{decoded:?}")
    };
    assert_eq!(*terminal, "00000026".parse().ok());
    assert_eq!(asked.kind, Some(Kind::Sale));
    assert_eq!(asked.amount.map(|amount| amount.to_string()).as_deref(), Some("CNY 12.50"));
    assert_eq!(asked.batch_number.map(|batch| batch.number()), Some(15));
    assert_eq!(asked.merchant, "852331059980072".parse().ok());
    assert_eq!(asked.operator, "001".parse().ok());
    let card = asked.card.expect("a card");
    assert_eq!(card.pan.map(|pan| pan.to_string()).as_deref(), Some("620000******0005"));
    assert_eq!(card.entry_mode, Some(slipwatch_shared::card::EntryMode::Swiped));
    let Evidence::Text(text) = evidence else { panic!("text") };
    assert_eq!(
        &**text,
        "0200; F2=620000******0005; F3=000000; F4=000000001250; F11=001082; F22=021; F25=00; F41=00000026; \
         F42=852331059980072; F49=156; F60=22000015000501; F63=001;"
    );
    let Decoded::Said { body: Body::AuthorizationAnswered { keys, response_code }, .. } = answered
    else {
        panic!("{answered:?}")
    };
    assert_eq!(response_code.as_str(), "00");
    assert_eq!(keys.rrn, "290983153438".parse().ok());
    assert_eq!(keys.authorization_code, "A1B2C3".parse().ok());
    assert_eq!(keys.host_time.map(|time| time.to_string()).as_deref(), Some("12-01 15:34:38"));
}

#[test]
fn an_answer_takes_its_kind_from_its_request() {
    let void = |mti, fields: &[(u8, &str)]| cup(mti, fields);
    let asked = void(
        "0200",
        &[
            (3, "200000"),
            (4, "000000001250"),
            (11, "000007"),
            (25, "00"),
            (37, "=290983153438"),
            (38, "=A1B2C3"),
            (41, "=00000026"),
            (60, "23000015000501"),
            (61, "0000150010821201"),
        ],
    );
    let answered =
        void("0210", &[(11, "000007"), (37, "=290983153500"), (39, "=00"), (41, "=00000026")]);
    let decoded = cup_of(&[asked, answered].concat());
    let bodies: Vec<&Body> = decoded
        .iter()
        .map(|decoded| match decoded {
            Decoded::Said { body, .. } => body,
            failed => panic!("{failed:?}"),
        })
        .collect();
    let [
        Body::Void { keys: asked, phase: ExchangePhase::Requested },
        Body::Void { keys: done, phase },
    ] = bodies[..]
    else {
        panic!("{bodies:?}")
    };
    assert_eq!(*phase, ExchangePhase::Approved);
    let original = asked.original.expect("the sale's numbers");
    assert_eq!(original.stan.map(|stan| stan.number()), Some(1082));
    assert_eq!(original.batch_number.map(|batch| batch.number()), Some(15));
    assert_eq!(original.rrn, "290983153438".parse().ok());
    assert_eq!(
        (asked.rrn, asked.authorization_code),
        (None, None),
        "field 37 of a request is the sale's"
    );
    assert_eq!(done.rrn, "290983153500".parse().ok());
    assert_eq!(done.batch_number.map(|batch| batch.number()), Some(15), "from the request");
}

#[test]
fn each_business_is_told_as_such() {
    let message = |mti, processing, condition, function: &str| {
        cup(
            mti,
            &[
                (3, processing),
                (4, "000000000100"),
                (11, "000009"),
                (25, condition),
                (60, &format!("{function}000015000501")),
            ],
        )
    };
    check(&[message("0100", "030000", "06", "10")], &["preauthorization Requested 000009"]);
    check(&[message("0100", "200000", "06", "11")], &["void Requested 000009"]);
    check(&[message("0200", "000000", "06", "20")], &["completion Requested 000009"]);
    check(&[message("0200", "200000", "06", "21")], &["void Requested 000009"]);
    check(&[message("0220", "000000", "06", "24")], &["completion Requested 000009"]);
    check(&[message("0220", "200000", "00", "25")], &["refund Requested 000009"]);
    check(&[message("0200", "310000", "00", "01")], &["requested 000009"]);
    check(&[message("0220", "000000", "00", "30")], &["upload Requested 000009"]);
    check(&[message("0220", "000000", "00", "34")], &[]);
}

#[test]
fn answers_are_approved_declined_or_leave_it_open() {
    check(&[answer("000001", "00")], &["answered 00 000001"]);
    check(&[answer("000001", "A4")], &["answered A4 000001"]);
    check(&[answer("000001", "98")], &["answered 98 000001"]);
    let void = |code: &str| {
        cup(
            "0210",
            &[(3, "200000"), (11, "000003"), (39, &format!("={code}")), (60, "23000015000501")],
        )
    };
    check(&[void("10")], &["void Approved 000003"]);
    check(&[void("51")], &["void Declined 000003"]);
    check(&[void("96")], &["void TimedOut 000003"]);
    check(&[cup("0210", &[(3, "000000"), (11, "000003"), (41, "=00000026")])], &["Field"]);
}

#[test]
fn a_message_that_is_sent_again_is_said_once() {
    check(
        &[sale("000001"), sale("000001"), sale("000002")],
        &["requested 000001", "requested 000002"],
    );
}

/// What the line said, each part at its time.
fn over_time(parts: &[(u64, Vec<u8>)]) -> (Decoder, Vec<String>) {
    let mut decoder = decoder();
    let mut said = Vec::new();
    for (at, bytes) in parts {
        decoder.settle(Uptime(*at));
        decoder.push(Direction::Either, bytes, Uptime(*at));
        said.extend(taken(&mut decoder).iter().map(short));
    }
    (decoder, said)
}

#[test]
fn a_reversal_is_sent_once_and_acknowledged() {
    let done = cup("0410", &[(3, "000000"), (11, "000005"), (39, "=00"), (41, "=00000026")]);
    let (decoder, said) = over_time(&[
        (0, sale("000005")),
        (60_000, reversal("000005")),
        (90_000, reversal("000005")),
        (90_500, done),
    ]);
    assert_eq!(said, ["requested 000005", "reversal Sent 000005", "reversal Acknowledged 000005"]);
    assert_eq!(decoder.wake_at(), None, "nothing is under way any more");
}

#[test]
fn an_original_that_is_not_found_leaves_nothing_to_undo() {
    let refused = |code: &str| {
        cup("0410", &[(3, "000000"), (11, "000005"), (39, &format!("={code}")), (41, "=00000026")])
    };
    let (_, said) =
        over_time(&[(0, reversal("000005")), (1_000, refused("96")), (9_000, refused("25"))]);
    assert_eq!(said, ["reversal Sent 000005", "reversal Acknowledged 000005"]);
}

#[test]
fn attempts_that_are_used_up_are_a_failed_reversal_when_time_has_passed() {
    let (mut decoder, said) = over_time(&[
        (0, reversal("000005")),
        (60_000, reversal("000005")),
        (120_000, reversal("000005")),
    ]);
    assert_eq!(said, ["reversal Sent 000005"]);
    assert_eq!(decoder.wake_at(), Some(Uptime(180_000)));
    assert_eq!(
        decoder.settled_until(Uptime(130_000)),
        Uptime(130_000),
        "waiting for an answer hides nothing"
    );
    decoder.settle(Uptime(179_999));
    assert!(decoder.next_decoded().is_none());
    decoder.settle(Uptime(180_000));
    let decoded = taken(&mut decoder);
    let [
        Decoded::Said {
            body: Body::Reversal { keys, phase: ReversalPhase::Failed }, terminal, ..
        },
    ] = &decoded[..]
    else {
        panic!("{decoded:?}")
    };
    assert_eq!(keys.stan.map(|stan| stan.number()), Some(5));
    assert_eq!(*terminal, "00000026".parse().ok());
}

#[test]
fn a_terminal_that_goes_on_to_the_next_sale_has_given_up() {
    let (_, said) = over_time(&[
        (0, reversal("000005")),
        (60_000, reversal("000005")),
        (120_000, reversal("000005")),
        (130_000, sale("000006")),
    ]);
    assert_eq!(said, ["reversal Sent 000005", "reversal Failed 000005", "requested 000006"]);
    let (_, said) = over_time(&[
        (0, reversal("000005")),
        (60_000, reversal("000005")),
        (70_000, sale("000006")),
    ]);
    assert_eq!(said, ["reversal Sent 000005", "requested 000006"], "it may still try");
}

#[test]
fn the_same_attempt_heard_twice_is_one() {
    let parts = [0, 10, 20, 30].map(|at| (at, reversal("000005")));
    let (decoder, said) = over_time(&parts);
    assert_eq!(said, ["reversal Sent 000005"]);
    assert_eq!(decoder.wake_at(), None);
}

fn totals(code: char) -> String {
    format!("0000000123450030000000001000{}{code}{}1", "01", "0".repeat(30))
}

#[test]
fn the_day_is_closed_with_its_sums() {
    let asked = cup(
        "0500",
        &[(11, "000020"), (41, "=00000026"), (48, &totals('0')), (49, "=156"), (60, "00000015201")],
    );
    let answered = |code| {
        cup(
            "0510",
            &[
                (11, "000020"),
                (39, "=00"),
                (41, "=00000026"),
                (48, &totals(code)),
                (49, "=156"),
                (60, "00000015201"),
            ],
        )
    };
    check(
        &[asked.clone(), answered('1')],
        &["settlement", "totals Terminal 3", "totals Host 3", "closed Balanced"],
    );
    let end = cup("0320", &[(11, "000021"), (60, "00000015202")]);
    let ended = cup("0330", &[(11, "000021"), (39, "=00"), (60, "00000015202")]);
    check(
        &[asked.clone(), answered('2'), end.clone(), ended.clone()],
        &["settlement", "totals Terminal 3", "closed Unbalanced"],
    );
    check(&[end, ended], &["closed Unbalanced"]);
    let refused = cup("0510", &[(11, "000020"), (39, "=95"), (60, "00000015201")]);
    check(&[asked, refused], &["settlement", "totals Terminal 3", "closed Unbalanced"]);
    let decoded = cup_of(&answered('1'));
    let Some(Decoded::Said { body: Body::SettlementTotals(totals), .. }) = decoded.first() else {
        panic!("{decoded:?}")
    };
    assert_eq!((totals.by, totals.credit_count), (TotalsBy::Host, 1));
    assert_eq!(totals.debit.map(|amount| amount.to_string()).as_deref(), Some("CNY 123.45"));
    assert_eq!(totals.batch_number.map(|batch| batch.number()), Some(15));
}

#[test]
fn a_sign_on_brings_the_batch() {
    let asked = cup("0800", &[(11, "000001"), (41, "=00000026"), (60, "00000015001")]);
    let answered = cup(
        "0810",
        &[
            (11, "000001"),
            (39, "=00"),
            (41, "=00000026"),
            (60, "00000016001"),
            (62, "#0011223344556677"),
        ],
    );
    check(&[asked, answered], &["signed on 16"]);
    let echo = cup("0830", &[(11, "000001"), (39, "=00"), (60, "00000016301")]);
    check(&[echo], &[]);
}

#[test]
fn a_wrong_length_is_told_and_costs_nothing() {
    let mut longer = answer("000001", "00");
    longer[1] += 28;
    check(std::slice::from_ref(&longer), &["answered 00 000001", "Checksum"]);
    check(
        &[longer.clone(), sale("000002")],
        &["answered 00 000001", "Checksum", "requested 000002"],
    );
    let mut shorter = sale("000001");
    shorter[1] -= 9;
    check(
        &[shorter.clone(), sale("000002")],
        &["requested 000001", "Checksum", "requested 000002"],
    );
    // And nobody waits for ever for the bytes that a length promises.
    let mut decoder = decoder();
    decoder.push(Direction::Either, &longer, Uptime(0));
    assert!(decoder.next_decoded().is_none());
    assert_eq!(decoder.settled_until(Uptime(9)), Uptime(0));
    let due = decoder.wake_at().expect("something waits");
    decoder.settle(due);
    assert_eq!(
        taken(&mut decoder).iter().map(short).collect::<Vec<_>>(),
        ["answered 00 000001", "Checksum"]
    );
}

#[test]
fn damage_costs_no_message_but_the_damaged_one() {
    let mut torn = sale("000001");
    torn.truncate(40);
    check(&[torn, answer("000009", "00")], &["Field", "answered 00 000009"]);
    check(&[b"noise and more noise".to_vec(), sale("000001")], &["Checksum", "requested 000001"]);
    let mut bad = sale("000001");
    // A letter in the amount.
    bad[22 + 9 + 3 + 1] = 0xab;
    check(&[bad, sale("000002")], &["Field", "requested 000002"]);
    check(&[vec![0x60; 300], sale("000001")], &["Checksum", "requested 000001"]);
}

#[test]
fn a_message_that_breaks_off_says_what_it_had() {
    let whole = sale("001082");
    let torn = whole[..60].to_vec();
    check(&[torn], &["requested 001082", "Torn"]);
}

#[test]
fn both_directions_are_read_by_themselves() {
    let (asked, answered) = (sale("000001"), answer("000001", "00"));
    let mut decoder = decoder();
    decoder.push(Direction::ToDevice, &answered[..30], Uptime(1));
    decoder.push(Direction::FromDevice, &asked[..30], Uptime(1));
    decoder.push(Direction::FromDevice, &asked[30..], Uptime(2));
    decoder.push(Direction::ToDevice, &answered[30..], Uptime(3));
    let said: Vec<String> = taken(&mut decoder).iter().map(short).collect();
    assert_eq!(said, ["requested 000001", "answered 00 000001"]);
}

#[test]
fn no_card_number_track_or_pin_block_leaves_a_message() {
    let track = format!("{NUMBER}D491222000123456789");
    let secrets = cup(
        "0200",
        &[
            (2, NUMBER),
            (3, "000000"),
            (4, "000000001250"),
            (11, "000001"),
            (35, &track),
            (36, &format!("99{NUMBER}D1561560500050000001015949")),
            (41, "=00000026"),
            (52, "A5A5A5A5A5A5A5A5"),
            (55, &format!("#5A08{NUMBER}57136200000000000005D4912220001234567899F36020102")),
            (61, &format!("00001500000112{NUMBER}")),
            (62, &format!("#{NUMBER}{NUMBER}")),
            (63, &format!("={NUMBER}")),
            (64, "8888888888888888"),
        ],
    );
    let mut stream = [secrets.clone(), sale("000002")].concat();
    stream.extend_from_slice(&secrets[..secrets.len() - 40]);
    let decoded = cup_of(&stream);
    assert!(decoded.len() > 2, "{decoded:?}");
    let text = format!("{decoded:?}");
    for secret in [NUMBER, &NUMBER[..7], "A5A5", "D4912", "156156"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let bytes: Vec<String> = packed(NUMBER).iter().map(u8::to_string).collect();
    assert!(!text.contains(&bytes[3..6].join(", ")));
}

fn dump_of(log: &str) -> Vec<String> {
    let dialect = shipped::dialect("iso8583-hexlog").expect("shipped");
    let whole = decoded_of(&dialect, [log.as_bytes()]);
    for chunk_bytes in [1, 3, 50] {
        assert_eq!(
            decoded_of(&dialect, log.as_bytes().chunks(chunk_bytes)),
            whole,
            "in chunks of {chunk_bytes}"
        );
    }
    let text = format!("{whole:?}");
    assert!(!text.contains(NUMBER) && !text.contains(&NUMBER[..7]), "{text}");
    whole.iter().map(short).collect()
}

fn hex(bytes: &[u8], between: &str) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(between)
}

#[test]
fn dumps_in_a_log_are_read_however_they_are_written() {
    let (asked, answered) = (sale("000001"), answer("000001", "00"));
    let expected = ["requested 000001", "answered 00 000001"];
    let both = |write: &dyn Fn(&[u8]) -> String| {
        format!(
            "start\n2026-11-24 09:30:01 SEND:\n{}\nRECV:\n{}\nend of it\n",
            write(&asked),
            write(&answered)
        )
    };
    assert_eq!(dump_of(&both(&|bytes| hex(bytes, " "))), expected);
    assert_eq!(dump_of(&both(&|bytes| hex(bytes, "").to_lowercase())), expected);
    assert_eq!(dump_of(&both(&|bytes| format!("[{}]", hex(bytes, "][")))), expected);
    assert_eq!(
        dump_of(&both(&|bytes| format!("2026-11-24 09:30:01.120 D/COMM: buf={}", hex(bytes, " ")))),
        expected
    );
    // Without length, without address, without header.
    for from in [2, 7, 13] {
        assert_eq!(dump_of(&both(&|bytes| hex(&bytes[from..], " "))), expected, "from {from}");
    }
    let rows = |lead: &'static str, offsets: bool, column: bool| {
        move |bytes: &[u8]| {
            let rows = bytes.chunks(16).enumerate().map(|(row, part)| {
                let offset = if offsets { format!("{:04X}: ", row * 16) } else { String::new() };
                let shown = part
                    .iter()
                    .map(|&byte| if byte.is_ascii_graphic() { char::from(byte) } else { '.' });
                let shown = if column {
                    format!("   {}", shown.collect::<String>())
                } else {
                    String::new()
                };
                format!("{lead}{offset}{}{shown}", hex(part, " "))
            });
            rows.collect::<Vec<_>>().join("\n")
        }
    };
    assert_eq!(dump_of(&both(&rows("", false, false))), expected);
    assert_eq!(dump_of(&both(&rows("", true, false))), expected);
    assert_eq!(dump_of(&both(&rows("  ", true, true))), expected);
    assert_eq!(dump_of(&both(&rows("09:30:01.120 [COMM] ", true, true))), expected);
    assert_eq!(dump_of(&both(&rows("09:30:01.120 [COMM] ", false, true))), expected);
}

#[test]
fn digits_that_were_masked_before_they_were_logged_cost_nothing() {
    let asked =
        hex(&sale("000001"), " ").replace("62 00 00 00 00 00 00 05", "62 00 00 ** ** ** 00 05");
    assert!(asked.contains("**"));
    assert_eq!(dump_of(&format!("{asked}\n")), ["requested 000001"]);
}

#[test]
fn a_dump_that_lost_its_end_or_means_something_else() {
    let asked = hex(&sale("000001"), " ");
    assert_eq!(dump_of(&format!("{}\nnext\n", &asked[..150])), ["requested 000001", "Torn"]);
    assert_eq!(
        dump_of("02 00 62 DF 01 01 00 DF 02 01 45 DF 03 06 00 00 00 00 00 20 03 11\nnext\n"),
        [] as [&str; 0]
    );
    assert_eq!(dump_of("nothing here 12 34\ndead beef cafe\n"), [] as [&str; 0]);
}

#[test]
fn characters_are_read_behind_either_length_and_without_one() {
    let dialect = shipped::dialect("iso8583-1987").expect("shipped");
    let body = "02003020000000C0000000000000000000125000108200000026852331059980072".to_owned();
    let framed: [Vec<u8>; 3] = [
        body.clone().into_bytes(),
        format!("{:04}{body}", body.len()).into_bytes(),
        [&(body.len() as u16).to_be_bytes()[..], body.as_bytes()].concat(),
    ];
    for stream in framed {
        for chunk_bytes in [1, 9, stream.len()] {
            let decoded = decoded_of(&dialect, stream.chunks(chunk_bytes));
            assert_eq!(
                decoded.iter().map(short).collect::<Vec<_>>(),
                ["requested 001082"],
                "{stream:?}"
            );
        }
    }
}

#[test]
fn a_mistake_in_a_profile_is_told_with_its_line() {
    let cup = shipped::text("iso8583-cup").expect("shipped");
    let wrong = |from: &str, to: &str| {
        let text = cup.replacen(from, to, 1);
        assert_ne!(text, cup);
        shipped::parse("a.toml", &text).expect_err("a mistake").to_string()
    };
    assert!(wrong("\"be2\"", "\"be3\"").contains("unknown length `be3`; did you mean `be2`?"));
    assert!(wrong("3 = \"n6\"", "3 = \"q6\"").contains("a field is written as"));
    assert!(
        wrong("is = \"void\"", "is = \"viod\"")
            .contains("unknown kind `viod`; did you mean `void`?")
    );
    assert!(wrong("function = [60", "functoin = [60").contains("did you mean `function`?"));
    assert!(wrong("sign_on", "signon").contains("did you mean `sign_on`?"));
    assert!(wrong("128 = \"b8\"", "129 = \"b8\"").contains("between 2 and 128"));
}

fn failures(decoded: &[Decoded]) -> usize {
    decoded.iter().filter(|decoded| matches!(decoded, Decoded::Failed { .. })).count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_are_read_alike_in_any_chunks(
        stream in prop::collection::vec(prop_oneof![
            4 => any::<u8>().prop_map(|byte| vec![byte]),
            2 => Just(vec![0x60]),
            1 => Just(sale("000001")),
            1 => Just(answer("000001", "00")),
            1 => Just(reversal("000004")),
            1 => (0_usize..90).prop_map(|bytes| sale("000002")[..bytes.min(80)].to_vec()),
        ], 0..30),
        sizes in prop::collection::vec(1_usize..60, 1..8),
    ) {
        let stream = stream.concat();
        for name in ["iso8583-cup", "iso8583-1987"] {
            let dialect = shipped::dialect(name).expect("shipped");
            let whole = decoded_of(&dialect, [stream.as_slice()]);
            let mut chunks = Vec::new();
            let mut rest = stream.as_slice();
            for size in sizes.iter().cycle() {
                if rest.is_empty() { break; }
                let (chunk, behind) = rest.split_at((*size).min(rest.len()));
                chunks.push(chunk);
                rest = behind;
            }
            prop_assert_eq!(decoded_of(&dialect, chunks), whole);
        }
    }

    #[test]
    fn a_flipped_bit_costs_at_most_its_own_message(bit in 0_usize..800) {
        let mut first = sale("000001");
        let at = bit % (first.len() * 8);
        first[at / 8] ^= 1 << (at % 8);
        let decoded = cup_of(&[first, answer("000777", "00")].concat());
        let last = decoded.iter().map(short).find(|said| said == "answered 00 000777");
        prop_assert!(last.is_some(), "bit {}: {:?}", at, decoded);
        prop_assert!(failures(&decoded) <= 2);
    }

    #[test]
    fn any_lines_are_read_alike_in_any_chunks(
        lines in prop::collection::vec(prop_oneof![
            "[ -~]{0,40}",
            "[0-9A-F \\[\\]:*]{0,60}",
            Just(hex(&sale("000001"), " ")),
            Just(hex(&sale("000001")[..48], " ")),
        ], 0..12),
    ) {
        dump_of(&lines.join("\n"));
    }
}
