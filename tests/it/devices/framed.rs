//! Framed links: Transbank as it was recorded, MIS rebuilt from the facts of two captures, ECR17 and Concert from their
//! specifications.

use super::{assert_snapshot, at, decode, decoder, drain, fixtures, told};
use proptest::prelude::*;
use slipwatch_agent::decode::decoder::Decoded;
use slipwatch_agent::decode::dialect::framed::Framed;
use slipwatch_agent::decode::dialect::{Direction, shipped};
use slipwatch_agent::decode::framer::check::{Check, Sum};
use slipwatch_agent::decode::framer::shape::Shape;
use slipwatch_shared::event::{Body, ExchangePhase, SettlementResult};
use slipwatch_shared::times::Uptime;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Mutex;

use Direction::{FromDevice, ToDevice};

/// The frame that a shipped dialect puts a body into.
fn wrap(dialect: &str, body: &[u8]) -> Vec<u8> {
    shape(dialect).wrap(body)
}

/// How a shipped dialect's frames look; read once.
fn shape(dialect: &str) -> Shape {
    static READ: Mutex<BTreeMap<String, Shape>> = Mutex::new(BTreeMap::new());
    let mut read = READ.lock().expect("no test panics while it reads a profile");
    let sound = || {
        let toml = shipped::text(dialect).expect("a shipped dialect");
        let framed = Framed::parse(dialect, toml).expect("it is sound");
        framed.framing().shapes[0].clone()
    };
    read.entry(dialect.to_owned()).or_insert_with(sound).clone()
}

/// A recorded payload: who sent it, what it is, and its bytes.
struct Payload {
    direction: Direction,
    what: String,
    body: String,
}

fn payloads() -> Vec<Payload> {
    let table = std::fs::read_to_string(fixtures("transbank-pos-sdk").join("payloads.tsv"));
    let table = table.expect("the recorded payloads");
    let payload = |line: &str| {
        let mut parts = line.splitn(3, '\t').map(str::to_owned);
        let mut next = || parts.next().expect("three columns");
        let direction = match next().as_str() {
            "host>pos" => ToDevice,
            "pos>host" => FromDevice,
            other => panic!("{other} is no direction"),
        };
        Payload { direction, what: next(), body: next() }
    };
    table.lines().skip(1).map(payload).collect()
}

/// Those of one model, as the frames that carried them.
fn frames(dialect: &str) -> Vec<(Payload, Vec<u8>)> {
    let is_own = |payload: &Payload| {
        payload.what.starts_with("autoservicio") == (dialect == "transbank-autoservicio")
    };
    let own = payloads().into_iter().filter(is_own);
    own.map(|payload| {
        let frame = wrap(dialect, payload.body.as_bytes());
        (payload, frame)
    })
    .collect()
}

/// What a conversation says: each frame's name, and below it what was told at its time.
fn conversation(dialect: &str, frames: &[(Direction, &str, Vec<u8>)]) -> String {
    let said: Vec<(Direction, &[u8])> =
        frames.iter().map(|(direction, _, frame)| (*direction, frame.as_slice())).collect();
    let (decoded, counts) = decode(dialect, &said);
    let mut text = String::new();
    for (index, (_, what, _)) in frames.iter().enumerate() {
        writeln!(text, "# {what}").expect("room");
        let here = index as u64 * 1_000;
        decoded.iter().filter(|one| at(one) == here).for_each(|one| text.push_str(&told(one)));
    }
    writeln!(text, "\n{counts:?}").expect("room");
    text
}

fn bodies(decoded: &[Decoded]) -> Vec<&Body> {
    let said = decoded.iter().filter_map(|one| match one {
        Decoded::Said { body, .. } => Some(body),
        Decoded::Failed { .. } => None,
    });
    said.collect()
}

#[test]
fn every_recorded_payload_of_transbank_is_read() {
    assert_eq!(payloads().len(), 29);
    for dialect in ["transbank", "transbank-autoservicio"] {
        let frames = frames(dialect);
        let frames: Vec<(Direction, &str, Vec<u8>)> = frames
            .iter()
            .map(|(payload, frame)| (payload.direction, payload.what.as_str(), frame.clone()))
            .collect();
        assert_snapshot("transbank-pos-sdk", dialect, &conversation(dialect, &frames));
    }
}

/// The slip of each file of `vouchers`, in the answer in which its model sends it; all other parts are empty.
#[test]
fn every_recorded_voucher_of_transbank_is_read() {
    let directory = fixtures("transbank-pos-sdk").join("vouchers");
    let mut files: Vec<_> = std::fs::read_dir(directory)
        .expect("the vouchers")
        .map(|entry| entry.expect("a file").path())
        .collect();
    files.sort();
    assert_eq!(files.len(), 11);
    let mut text = String::new();
    for file in files {
        let name = file.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
        let (dialect, body) = carried(&name, &voucher(&file));
        let frame = [(FromDevice, name.as_str(), wrap(dialect, body.as_bytes()))];
        text.push_str(&conversation(dialect, &frame));
        text.push('\n');
    }
    assert_snapshot("transbank-pos-sdk", "answers", &text);
}

/// A voucher's lines as they are sent: forty columns each, without ends.
fn voucher(file: &Path) -> String {
    let text = std::fs::read_to_string(file).expect("a voucher");
    text.lines().map(|line| format!("{line:40}")).collect()
}

/// The dialect of a voucher's model, and the answer that carries it.
fn carried(name: &str, voucher: &str) -> (&'static str, String) {
    let (dialect, before) = match name {
        name if name.starts_with("integrado") => {
            ("transbank", format!("0210|00||||||||||||||01012026|000000|{}", "||"))
        }
        name if name.contains("close") => ("transbank-autoservicio", "0510|00|||".to_owned()),
        name if name.contains("multicode") => (
            "transbank-autoservicio",
            format!("0271|00|{}01012026|000000|597029414303|", "|".repeat(11)),
        ),
        name if name.contains("last-sale") => {
            ("transbank-autoservicio", format!("0260|00|{}01012026|000000|", "|".repeat(11)))
        }
        _ => ("transbank-autoservicio", format!("0210|00|{}01012026|000000|", "|".repeat(11))),
    };
    (dialect, format!("{before}{voucher}"))
}

/// A tag of the MIS link: two bytes, a length of one byte or behind `81` or `82`, the value.
fn tag(tag: u16, value: &[u8]) -> Vec<u8> {
    let length = match value.len() {
        length @ ..=0x7f => vec![length as u8],
        length @ ..=0xff => vec![0x81, length as u8],
        length => vec![0x82, (length >> 8) as u8, length as u8],
    };
    [&tag.to_be_bytes()[..], &length, value].concat()
}

fn gbk(text: &str) -> Vec<u8> {
    encoding_rs::GB18030.encode(text).0.into_owned()
}

/// An answer as the two captures of one integration show it, rebuilt from what is known of them: which tags stand in it
/// and in the container, how each is coded, that sale and void share the reference number, that the void's number is
/// one higher than the sale's and names it, that the card is masked. All values are made up.
fn mis_answer(kind: u8, amount: &str, voucher: u8, original: Option<u8>) -> Vec<u8> {
    let result = [
        tag(0xdf07, b"00"),
        tag(0xdf03, amount.as_bytes()),
        tag(0xdf0a, &[0x00, 0x00, 0x60 + voucher]),
        tag(0xdf10, &[0x00, 0x00, voucher]),
        tag(0xdf11, b"261124"),
        tag(0xdf12, b"00000001"),
        tag(0xdf13, b"898330100000001"),
        original.map(|voucher| tag(0xdf18, &[0x00, 0x00, voucher])).unwrap_or_default(),
        tag(0xdf1a, b"632809000123"),
        tag(0xdf1b, b"123456"),
        tag(0xdf1c, b"1124"),
        tag(0xdf1d, if original.is_some() { b"093140" } else { b"093005" }),
        tag(0xdf1e, b"622576******6691"),
        tag(0xdf1f, b"****"),
        tag(0xdf2c, &gbk("银联")),
        tag(0xdf44, &gbk("某某便利店")),
        tag(0xdf45, format!("{:40}", "CORNER SHOP").as_bytes()),
        tag(0xdf46, b"00000002"),
        tag(0xdf47, b"01"),
    ]
    .concat();
    [tag(0xdf01, b"\x02"), tag(0xdf02, &[kind]), tag(0xdf06, &result)].concat()
}

fn mis_request(kind: u8, fen: [u8; 6], original: Option<u8>) -> Vec<u8> {
    [
        tag(0xdf01, b"\x00"),
        tag(0xdf02, &[kind]),
        tag(0xdf03, &fen),
        tag(0xdf04, b"4711"),
        original.map(|voucher| tag(0xdf18, &[0x00, 0x00, voucher])).unwrap_or_default(),
        tag(0xdf47, b"01"),
    ]
    .concat()
}

/// A sale of 0.20 and its void, with the traps of the captures: the answer glued to the acknowledgement, stray zeros,
/// the short notices.
fn mis_conversation() -> Vec<(Direction, &'static str, Vec<u8>)> {
    let frame = |body: Vec<u8>| wrap("cn-mis-tlv", &body);
    let fen = [0x00, 0x00, 0x00, 0x00, 0x00, 0x20];
    let glued = |body| [b"\x06\0".to_vec(), frame(body)].concat();
    vec![
        (ToDevice, "till asks for a sale", frame(mis_request(0x45, fen, None))),
        (FromDevice, "sale went through", glued(mis_answer(0x45, "RMB  0.20", 5, None))),
        (ToDevice, "acknowledged", b"\x06".to_vec()),
        (FromDevice, "notice", frame(b"ACKACK000005".to_vec())),
        (ToDevice, "till asks for its void", frame(mis_request(0x46, fen, Some(5)))),
        (FromDevice, "void went through", glued(mis_answer(0x46, "RMB -0.20", 6, Some(5)))),
        (FromDevice, "notice", frame(b"LOGLOG01".to_vec())),
    ]
}

#[test]
fn a_sale_and_its_void_over_mis_are_read() {
    let frames = mis_conversation();
    // As captured: glued to the acknowledgement, a stray zero, more than two hundred bytes in four decimal digits.
    assert_eq!(frames[1].2[..4], [0x06, 0x00, 0x02, 0x02]);
    assert_snapshot("framed", "cn-mis-tlv", &conversation("cn-mis-tlv", &frames));
}

#[test]
fn a_masked_log_of_mis_is_read_and_marked_where_its_profile_says_so() {
    let body = mis_answer(0x45, "RMB  0.20", 5, None);
    let mut frame = wrap("cn-mis-tlv", &body);
    // The integrator put stars where digits were, and left the check sum of the digits.
    *frame.last_mut().expect("a check sum") ^= 0x5a;
    let (live, counts) = decode("cn-mis-tlv", &[(FromDevice, &frame)]);
    assert_eq!((bodies(&live), counts.rejected), (vec![], 1));
    let toml = shipped::text("cn-mis-tlv")
        .expect("shipped")
        .replace("[frame]", "[frame]\nchecksum = 'masked_ok'");
    let log = shipped::parse("log", &toml).expect("sound");
    let mut decoder = slipwatch_agent::decode::decoder::Decoder::new(log, None);
    decoder.push(Direction::Either, &frame, Uptime(0));
    let said = drain(&mut decoder);
    let text = said.iter().map(told).collect::<String>();
    assert!(
        text.contains("\"response_code\":\"00\"") && text.contains("text: (check sum wrong) DF01"),
        "{text}"
    );
}

#[test]
fn a_day_over_fixed_columns_is_read() {
    let request = |kind: &str, fen: u32, reference: &str, voucher: &str| {
        format!("00000002{:8}{kind}{fen:012}{:8}{reference:12}{voucher:6}123", "01", "")
    };
    let answer = |code: &str, fen: u32, voucher: &str, text: &str| {
        let text = gbk(text);
        let pad = " ".repeat(40 - text.len());
        let head = format!("{code}0102622576******6691    {voucher:6}{fen:012}");
        let tail =
            format!("898330100000001000000010000011124093005632809000123123456{}123", "1124");
        [head.into_bytes(), text, pad.into_bytes(), tail.into_bytes()].concat()
    };
    let ask =
        |what: &'static str, body: String| (ToDevice, what, wrap("cn-mis-fixed", body.as_bytes()));
    let tell = |what: &'static str, body: Vec<u8>| (FromDevice, what, wrap("cn-mis-fixed", &body));
    let frames = [
        ask("签到", request("05", 0, "", "")),
        tell("signed on", answer("00", 0, "", "签到成功")),
        ask("消费", request("00", 1_250, "", "")),
        tell("sale approved", answer("00", 1_250, "000005", "交易成功")),
        ask("消费", request("00", 990, "", "")),
        tell("sale refused", answer("51", 990, "000006", "余额不足")),
        ask("撤销", request("01", 1_250, "632809000123", "000005")),
        tell("void approved", answer("00", 1_250, "000007", "交易成功")),
        ask("退货", request("02", 500, "632809000123", "")),
        tell("refund approved", answer("00", 500, "000008", "交易成功")),
        ask("预授权", request("21", 9_900, "", "")),
        tell("hold approved", answer("00", 9_900, "000009", "交易成功")),
        ask("预授权完成", request("23", 9_900, "632809000123", "000009")),
        tell("completion approved", answer("00", 9_900, "000010", "交易成功")),
        ask("余额", request("03", 0, "", "")),
        tell("balance", answer("00", 0, "", "")),
        ask("重打印", request("04", 0, "", "000010")),
        tell("printed again", answer("00", 9_900, "000010", "")),
        ask("结算", request("06", 0, "", "")),
        tell("settled", answer("00", 0, "", "结算成功")),
        tell("an answer whose request was not heard", answer("00", 100, "000011", "")),
    ];
    assert_snapshot("framed", "cn-mis-fixed", &conversation("cn-mis-fixed", &frames));
}

/// The published test number of a scheme, in clear as the specification allows it to be sent.
const TEST_PAN: &str = "4111111111111111";

fn ecr17_payment(cents: u32) -> String {
    format!("123456780P876543210{}{cents:08}{}00000000", "0000", " ".repeat(128))
}

fn ecr17_result(stan: u32, authorization: &str) -> String {
    format!("123456780E00{TEST_PAN:0>19}CLI{authorization}32815202{:11}{stan:06}000099", "ACQ")
}

fn ecr17_slip(lines: &[&str]) -> Vec<(Direction, &'static str, Vec<u8>)> {
    let frame = |line: &&str| wrap("ecr17", format!("123456780S{line:<24}").as_bytes());
    lines.iter().map(|line| (FromDevice, "slip line", frame(line))).collect()
}

#[test]
fn a_day_over_ecr17_is_read() {
    let ask = |what: &'static str, body: String| (ToDevice, what, wrap("ecr17", body.as_bytes()));
    let tell =
        |what: &'static str, body: String| (FromDevice, what, wrap("ecr17", body.as_bytes()));
    let slip = ecr17_slip(&[
        "      COPIA CLIENTE     ",
        "PAGAMENTO",
        &format!("PAN {TEST_PAN}"),
        "AUT. 123456",
        "IMPORTO EUR 6,50",
    ]);
    let frames = [
        vec![
            ask("till prints from now on", "123456780E1".to_owned()),
            (FromDevice, "acknowledged", b"\x06\x03\x7a".to_vec()),
            ask("payment", ecr17_payment(650)),
            (FromDevice, "progress", b"\x01ELABORAZIONE        \x04".to_vec()),
            tell("result", ecr17_result(42, "123456")),
        ],
        slip,
        vec![
            ask("payment", ecr17_payment(990)),
            tell("refused", format!("123456780E01{:24}{}3{:11}{:06}000003", "CARTA RIFIUTATA", "0".repeat(11), "ACQ", 43)),
            ask("reversal of number 42", "123456780S8765432100004200".to_owned()),
            tell("reversed", ecr17_result(44, "123457")),
            ask("pre-authorization", ecr17_payment(5_000).replacen('P', "p", 1)),
            tell("held", format!("123456780e00{TEST_PAN:0>19}ICCAUTH0100005000000000123{}3281520{}{:11}000045000100", "000", "0000", "ACQ")),
            ask("close", "123456780C8765432100000000".to_owned()),
            tell("sums differ", format!("123456780C00{:016}{:016}", 1_640, 650)),
            ask("close", "123456780C8765432100000000".to_owned()),
            tell("sums equal", format!("123456780C00{:016}{:016}", 650, 650)),
            ask("close", "123456780C8765432100000000".to_owned()),
            tell("not closed", format!("123456780C01{:19}100", "SBILANCIO")),
            ask("totals", "123456780T8765432100000000".to_owned()),
            tell("totals", format!("123456780T00{:016}000000", 650)),
            ask("status", "123456780s".to_owned()),
        ],
    ]
    .concat();
    let text = conversation("ecr17", &frames);
    assert!(!text.contains("111111111"), "a card number is in {text}");
    assert_snapshot("framed", "ecr17", &text);
}

/// The order of lines and result does not matter, and the four check sums do not.
#[test]
fn slip_lines_before_the_result_are_its_slip_too() {
    for (start, end) in [(false, false), (false, true), (true, true), (true, false)] {
        let check = Check { sum: Sum::Xor(0x7f), start, end, ..Check::LRC };
        let link = Shape { checks: vec![check], ..shape("ecr17") };
        let result = ecr17_result(42, "123456");
        let frames: Vec<(Direction, Vec<u8>)> = [
            (ToDevice, ecr17_payment(650)),
            (FromDevice, "123456780SPAGAMENTO               ".to_owned()),
            (FromDevice, "123456780SIMPORTO EUR 6,50        ".to_owned()),
            (FromDevice, "123456780SDUPLICATE                ".to_owned()),
            (FromDevice, result),
        ]
        .map(|(direction, body)| (direction, link.wrap(body.as_bytes())))
        .into();
        let mut decoder = decoder("ecr17");
        for (index, (direction, frame)) in frames.iter().enumerate() {
            decoder.push(*direction, frame, Uptime(100 * index as u64));
        }
        assert_eq!(decoder.settled_until(Uptime(500)), Uptime(100), "the slip may go on");
        assert_eq!(decoder.wake_at(), Some(Uptime(300 + 3_000)));
        decoder.settle(Uptime(3_300));
        assert_eq!(decoder.settled_until(Uptime(3_300)), Uptime(3_300));
        let said = drain(&mut decoder);
        let Some(Body::SlipPrinted { slip, .. }) = bodies(&said).pop() else { panic!("{said:?}") };
        assert_eq!(slip.keys.stan.map(|stan| stan.number()), Some(42));
        assert_eq!((slip.keys.amount.map(|amount| amount.minor), slip.reprint), (Some(650), true));
    }
}

#[test]
fn a_day_over_concert_is_read_and_no_slip_is_ever_proved() {
    let frame = |body: String| wrap("concert", body.as_bytes());
    let session = |body: String| [b"\x05".to_vec(), frame(body), b"\x04".to_vec()].concat();
    let ask = |what, kind: &str, delay: &str| {
        (ToDevice, what, session(format!("0100001250{}{kind}9780123456789{delay}B010", "01")))
    };
    let tell = |what, status: &str| {
        (FromDevice, what, session(format!("01{status}0000125019780123456789")))
    };
    let card = format!("{TEST_PAN}281200  {:31}", "");
    let frames = [
        ask("debit", "0", "A010"),
        (FromDevice, "acknowledged", b"\x06\x06".to_vec()),
        tell("accepted", "0"),
        ask("debit", "0", "A010"),
        tell("not accepted", "7"),
        ask("debit, answered at once", "0", "A011"),
        tell("taken", "9"),
        (ToDevice, "debit, protocol E", frame("01000012501109780123456789".to_owned())),
        (
            FromDevice,
            "accepted, with the card's data",
            frame(format!("010000012501{card}9780123456789")),
        ),
        ask("credit", "1", "A010"),
        tell("accepted", "0"),
        ask("cancellation", "2", "A010"),
        tell("accepted", "0"),
        ask("pre-authorization", "4", "A010"),
        tell("accepted", "0"),
        (ToDevice, "cheque", session("01000012500C09780123456789A010B010".to_owned())),
        tell("accepted", "0"),
    ];
    let text = conversation("concert", &frames);
    assert!(!text.contains("111111111") && !text.contains("slip"), "{text}");
    assert!(!shipped::dialect("concert").expect("shipped").hears_slips());
    assert_snapshot("framed", "concert", &text);
}

#[test]
fn the_settlement_of_ecr17_says_whether_the_sums_are_equal() {
    let close = |terminal: u32, host: u32| {
        let frame = wrap("ecr17", format!("123456780C00{terminal:016}{host:016}").as_bytes());
        decode("ecr17", &[(FromDevice, &frame)]).0
    };
    let result = |said: &[Decoded]| match bodies(said).pop() {
        Some(Body::SettlementClosed { result, .. }) => *result,
        other => panic!("{other:?}"),
    };
    assert_eq!(result(&close(650, 650)), SettlementResult::Balanced);
    assert_eq!(result(&close(650, 651)), SettlementResult::Unbalanced);
}

/// Streams of every link of the family, as frames.
fn streams() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let transbank = |dialect| frames(dialect).into_iter().map(|(_, frame)| frame).collect();
    let mis = mis_conversation().into_iter().map(|(_, _, frame)| frame).collect();
    let ecr17 = [
        ecr17_payment(650),
        ecr17_result(42, "123456"),
        ecr17_payment(990),
        ecr17_result(43, "123457"),
    ];
    let concert =
        ["0100001250010978012345678901A010B010".to_owned(), "0100000125019780123456789".to_owned()];
    let wrapped = |dialect, bodies: &[String]| {
        bodies.iter().map(|body| wrap(dialect, body.as_bytes())).collect()
    };
    vec![
        ("transbank", transbank("transbank")),
        ("transbank-autoservicio", transbank("transbank-autoservicio")),
        ("cn-mis-tlv", mis),
        ("ecr17", wrapped("ecr17", &ecr17)),
        ("concert", wrapped("concert", &concert)),
    ]
}

fn told_of(dialect: &str, stream: &[u8], chunk_bytes: usize) -> Vec<String> {
    let mut decoder = decoder(dialect);
    stream.chunks(chunk_bytes).for_each(|chunk| decoder.push(Direction::Either, chunk, Uptime(0)));
    decoder.finish(Uptime(0));
    drain(&mut decoder).iter().map(told).collect()
}

#[test]
fn recorded_streams_say_the_same_in_any_chunks() {
    for (dialect, frames) in streams() {
        let stream = frames.concat();
        let whole = told_of(dialect, &stream, stream.len());
        assert!(!whole.is_empty());
        for chunk_bytes in [1, 2, 3, 7, 40, 257] {
            assert_eq!(told_of(dialect, &stream, chunk_bytes), whole, "{dialect} by {chunk_bytes}");
        }
    }
}

#[test]
fn recorded_streams_end_anywhere_without_a_panic_and_without_a_word_too_many() {
    for (dialect, frames) in streams() {
        let stream = frames.concat();
        let whole = told_of(dialect, &stream, stream.len());
        for end in (0..stream.len()).step_by(if stream.len() > 2_000 { 61 } else { 3 }) {
            let mut cut = told_of(dialect, &stream[..end], 64);
            cut.retain(|told| !told.contains("decode_failed"));
            assert!(whole.starts_with(&cut), "{dialect} cut at {end}: {cut:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// One byte of one frame is changed: of the others everything is told. A changed byte breaks an LRC; so the changed
    /// frame says nothing.
    #[test]
    fn a_flipped_bit_costs_one_frame(
        which in 0..3_usize, frame in any::<prop::sample::Index>(), place in any::<prop::sample::Index>(), flip in 1..=255_u8,
    ) {
        let (dialect, frames) = streams().swap_remove(which);
        let damaged = frame.index(frames.len());
        let mut stream = frames.clone();
        // Behind start and length, before the end: there a byte means nothing to the framer.
        let body = 3 + place.index(stream[damaged].len().saturating_sub(8).max(1));
        prop_assume!(stream[damaged].len() > 12 && body + 3 < stream[damaged].len());
        let byte = stream[damaged][body] ^ flip;
        prop_assume!(!matches!(byte, 2 | 3));
        stream[damaged][body] = byte;
        let rest: Vec<Vec<u8>> =
            frames.iter().enumerate().filter(|(index, _)| *index != damaged).map(|(_, frame)| frame.clone()).collect();
        let said = |stream: &[Vec<u8>]| {
            let mut told = told_of(dialect, &stream.concat(), 50);
            told.retain(|told| !told.contains("decode_failed"));
            told
        };
        // What an answer says may lean on its request, so only what is said without one is compared.
        let is_plain = |told: &String| !told.contains("slip_failed") && !told.contains("\"phase\"");
        let (mut heard, mut expected) = (said(&stream), said(&rest));
        heard.retain(is_plain);
        expected.retain(is_plain);
        prop_assert_eq!(heard, expected, "{} frame {} byte {}", dialect, damaged, body);
    }
}

#[test]
fn the_void_of_a_mis_sale_names_the_sale() {
    let (_, _, frame) = &mis_conversation()[5];
    let (said, _) = decode("cn-mis-tlv", &[(FromDevice, frame)]);
    let [Body::Void { keys, phase: ExchangePhase::Approved }] = bodies(&said)[..] else {
        panic!("{said:?}")
    };
    let original = keys.original.and_then(|original| original.stan).map(|stan| stan.number());
    assert_eq!((keys.stan.map(|stan| stan.number()), original), (Some(6), Some(5)));
    assert_eq!(keys.amount.map(|amount| amount.minor), Some(-20));
}
