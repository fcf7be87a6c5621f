//! Whole logs through the decoder, in every chunk size, with the shipped profiles.

use super::decoder::{Decoded, Decoder};
use super::dialect::{Dialect, Direction, shipped};
use super::scrub::tests::{FORMS, NO_LABEL, any_card, digits_of, shows, written};
use proptest::prelude::*;
use slipwatch_shared::event::{Body, Epoch, Event, Evidence, LineCounts, Seq, SourceId};
use slipwatch_shared::times::{BootId, EventTime, Observed, Uptime};
use slipwatch_shared::wire::json::Line;
use std::sync::Arc;

fn shipped(name: &str) -> Arc<dyn Dialect> {
    shipped::dialect(name).expect("a shipped profile")
}

/// What came out, in words: the body as JSON, or why not.
fn words(decoded: &Decoded) -> String {
    match decoded {
        Decoded::Failed { reason, .. } => format!("failed {reason:?}"),
        Decoded::Said { terminal, device_time, body, .. } => {
            let time = device_time.map_or(String::new(), |time| format!("{time} "));
            let terminal = terminal.map_or(String::new(), |terminal| format!("{terminal} "));
            format!("{time}{terminal}{}", json(body))
        }
    }
}

/// The body as an event's JSON spells it.
fn json(body: &Body) -> String {
    let observed = Observed {
        boot: BootId([0; 16]),
        uptime: Uptime(0),
        wall: EventTime(0),
        synchronised: false,
    };
    let event = Event {
        seq: Seq(1),
        source: SourceId(1),
        terminal: None,
        observed,
        device_time: None,
        body: body.clone(),
        evidence: Evidence::None,
    };
    let (store, agent) = ("s".parse().expect("a store"), "a".parse().expect("an agent"));
    let line = Line { store, agent, epoch: Epoch(1), event }.to_json();
    let value: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    value["body"].to_string()
}

fn decode(dialect: &Arc<dyn Dialect>, log: &[u8], chunk_bytes: usize) -> (Vec<String>, LineCounts) {
    let mut decoder = Decoder::new(Arc::clone(dialect), None);
    let mut said = Vec::new();
    for (index, chunk) in log.chunks(chunk_bytes).enumerate() {
        decoder.push(Direction::Either, chunk, Uptime(index as u64));
        said.extend(std::iter::from_fn(|| decoder.next_decoded()).map(|decoded| words(&decoded)));
    }
    decoder.finish(Uptime(1_000_000));
    said.extend(std::iter::from_fn(|| decoder.next_decoded()).map(|decoded| words(&decoded)));
    (said, decoder.take_counts())
}

#[track_caller]
fn check(dialect: &str, log: &str, expected: &[&str]) {
    let is_chinese = dialect == "cn-terminal";
    let dialect = shipped(dialect);
    let sizes = [1, 2, 3, 7, 16, 61, log.len()];
    for chunk_bytes in sizes {
        let bytes = match is_chinese {
            true => encoding_rs::GB18030.encode(log).0,
            false => log.as_bytes().into(),
        };
        let (said, _) = decode(&dialect, &bytes, chunk_bytes);
        assert_eq!(said, expected, "in chunks of {chunk_bytes}");
    }
}

#[test]
fn a_sale_and_its_slip_are_told_by_the_english_log() {
    check(
        "kv-en",
        "2026-11-24 09:30:01.120 evt=auth_request tid=T0000001 kind=SALE amt=1250 stan=123\n\
         2026-11-24 09:30:02.120 evt=auth_response tid=T0000001 kind=SALE rc=00 stan=000123 rrn=632809000123 auth=A1B2C3 card=622576******6691 entry=TAP\r\n\
         2026-11-24 09:30:03.120 evt=print_done tid=T0000001 copy=customer reprint=no stan=000123\n",
        &[
            r#"2026-11-24 09:30:01 T0000001 {"authorization_requested":{"keys":{"amount":{"currency":"CNY","minor":1250},"kind":"sale","stan":123}}}"#,
            r#"2026-11-24 09:30:02 T0000001 {"authorization_answered":{"keys":{"authorization_code":"A1B2C3","card":{"entry_mode":"contactless","first_six":622576,"last_four":6691},"kind":"sale","rrn":"632809000123","stan":123},"response_code":"00"}}"#,
            r#"2026-11-24 09:30:03 T0000001 {"slip_printed":{"grade":"claimed","slip":{"copy":"customer","keys":{"stan":123},"reprint":false}}}"#,
        ],
    );
}

#[test]
fn a_void_is_told_as_a_void_and_a_field_that_is_needed_is_missed() {
    check(
        "kv-en",
        "evt=auth_request kind=VOID stan=000124 orig_stan=000123\n\
         evt=auth_response stan=000124\n\
         evt=reversal_failed stan=000124\n\
         evt=print_failed reason=paper_out\n\
         evt=auth_req",
        &[
            r#"{"void":{"keys":{"kind":"void","original":{"stan":123},"stan":124},"phase":"requested"}}"#,
            "failed Field",
            r#"{"reversal":{"keys":{"stan":124},"phase":"failed"}}"#,
            r#"{"slip_failed":{"reason":"paper_out","slip":{"keys":{},"reprint":false}}}"#,
            "failed Torn",
        ],
    );
}

#[test]
fn lines_are_counted_by_what_became_of_them() {
    let log = b"evt=net_up\nevt=heartbeat\nsomething else\n\nevt=auth_response\ntorn";
    let (_, counts) = decode(&shipped("kv-en"), log, 5);
    let expected = LineCounts { bytes: log.len() as u64, lines: 5, unmatched: 1, rejected: 2 };
    assert_eq!(counts, expected);
}

/// A sale at a Chinese terminal: request, answer, two copies of its slip.
const CHINESE_SALE: &str = "\
2026-11-24 09:30:01.120 [交易] 发起 交易类型:消费 金额:0.20 批次号:000001 凭证号:000123 终端号:00000001
2026-11-24 09:30:02.310 [交易] 应答 应答码:00 金额:0.20 凭证号：000123 参考号:632809000123
2026-11-24 09:30:02.400 [打印] 打印凭单中 凭证号:000123
          银联POS签购单
--------------------------------
商户存根             MERCHANT COPY
商户名称(MERCHANT NAME): 小店
终端编号(TERMINAL NO): 00000001
卡号(CARD NO):
  622576******6691 /C
交易类型(TXN TYPE): 消费/SALE
批次号:000001      凭证号:000123
参考号:632809000123 授权码:A1B2C3
日期/时间(DATE/TIME):
2026/11/24 09:30:02
金  额(AMOUNT):    RMB 0.20
持卡人签名
-----------X-----------X--------
          银联POS签购单
持卡人存根       CARDHOLDER COPY
***重打印***
凭证号:000123
金额：RMB 0.20
2026-11-24 09:30:06.050 [打印] 打印机缺纸 凭证号:000123
";

#[test]
fn a_chinese_log_tells_the_sale_and_each_copy_of_its_slip_once() {
    check(
        "cn-terminal",
        CHINESE_SALE,
        &[
            r#"2026-11-24 09:30:01 00000001 {"authorization_requested":{"keys":{"amount":{"currency":"CNY","minor":20},"batch_number":1,"kind":"sale","stan":123}}}"#,
            r#"2026-11-24 09:30:02 {"authorization_answered":{"keys":{"amount":{"currency":"CNY","minor":20},"rrn":"632809000123","stan":123},"response_code":"00"}}"#,
            r#"2026-11-24 09:30:02 {"slip_started":{"slip":{"keys":{"stan":123},"reprint":false}}}"#,
            r#"2026-11-24 09:30:02 00000001 {"slip_printed":{"grade":"claimed","slip":{"copy":"merchant","keys":{"amount":{"currency":"CNY","minor":20},"authorization_code":"A1B2C3","batch_number":1,"card":{"entry_mode":"contactless","first_six":622576,"last_four":6691},"kind":"sale","rrn":"632809000123","stan":123},"reprint":false}}}"#,
            r#"{"slip_printed":{"grade":"claimed","slip":{"copy":"customer","keys":{"amount":{"currency":"CNY","minor":20},"stan":123},"reprint":true}}}"#,
            r#"2026-11-24 09:30:06 {"slip_failed":{"reason":"paper_out","slip":{"keys":{"stan":123},"reprint":false}}}"#,
        ],
    );
}

#[test]
fn a_fault_report_is_a_reversal_that_failed_and_a_test_slip_is_nothing() {
    check(
        "cn-terminal",
        "***故障报告单,非凭证联***\n凭证号:000123\n金额:RMB 0.20\n冲正不成功,请人工处理\n\
         POS签购单\n测试凭证\n金额:0.01\n------X------\n\
         POS签购单\n凭证号:000124\n",
        &[
            r#"{"reversal":{"keys":{"amount":{"currency":"CNY","minor":20},"stan":123},"phase":"failed"}}"#,
            "failed Torn",
        ],
    );
}

#[test]
fn a_slip_without_an_end_is_let_go_after_the_gap() {
    let mut decoder = Decoder::new(shipped("cn-terminal"), "T0000001".parse().ok());
    let slip = encoding_rs::GB18030.encode("签购单\n金额:RMB 0.20\n").0;
    decoder.push(Direction::Either, &slip, Uptime(1_000));
    assert_eq!(decoder.next_decoded(), None);
    assert_eq!(decoder.settled_until(Uptime(2_000)), Uptime(1_000));
    assert_eq!(decoder.wake_at(), Some(Uptime(3_000)));
    decoder.settle(Uptime(2_999));
    assert_eq!(decoder.next_decoded(), None);
    decoder.settle(Uptime(3_000));
    let Some(Decoded::Said { at, terminal, evidence, .. }) = decoder.next_decoded() else {
        panic!("the slip")
    };
    assert_eq!((at, terminal), (Uptime(1_000), "T0000001".parse().ok()));
    assert_eq!(evidence, Evidence::Text("签购单\n金额:RMB 0.20".into()));
    assert_eq!((decoder.wake_at(), decoder.settled_until(Uptime(4_000))), (None, Uptime(4_000)));
}

#[test]
fn the_worked_example_of_the_profiles_readme_reads_as_it_says() {
    let readme = include_str!("../../profiles/README.md");
    let (_, example) = readme.split_once("writes this:\n").expect("its log");
    let (log, rest) = example.split_once("The profile:").expect("its profile");
    let log: String = log
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .fold(String::new(), |log, line| log + line + "\n");
    let (_, rest) = rest.split_once("```toml\n").expect("its beginning");
    let (toml, _) = rest.split_once("```").expect("its end");
    let (said, counts) =
        decode(&shipped::parse("shop", toml).expect("it is sound"), log.as_bytes(), 64);
    assert_eq!((counts.lines, counts.unmatched), (6, 0));
    assert_eq!(
        said,
        [
            r#"11-24 09:30:01 55500001 {"authorization_requested":{"keys":{"amount":{"currency":"EUR","minor":1250},"kind":"sale","order_number":"4711"}}}"#,
            r#"11-24 09:30:04 {"transaction_completed":{"keys":{"authorization_code":"123456","card":{"first_six":541333,"last_four":4444},"order_number":"4711"}}}"#,
            r#"11-24 09:30:05 {"slip_printed":{"grade":"claimed","slip":{"copy":"customer","keys":{"order_number":"4711"},"reprint":false}}}"#,
            r#"11-24 09:30:06 {"slip_failed":{"reason":"paper_out","slip":{"keys":{},"reprint":false}}}"#,
            r#"11-24 09:30:40 {"reversal":{"keys":{"order_number":"4711"},"phase":"failed"}}"#,
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Every line becomes an event here and is forwarded whole, and its first word is read as a field.
    #[test]
    fn no_card_number_comes_out_of_any_reads(
        number in any_card(), form in 0..FORMS, cut in any::<usize>(),
        before in NO_LABEL, after in "[g-zG-Z消费金额 :,]{0,12}",
        reads in prop::collection::vec((1_usize..12, any::<bool>()), 1..12),
    ) {
        let toml = "about = 'all'\n[[rule]]\nmatch = '^(?<order_number>\\S*)'\nsay = 'transaction_completed'";
        let profile = shipped::parse("all", toml).expect("it is sound");
        let log = format!("first\n{before} {} {after}\nlast\ntorn {number}", written(&number, form, cut));
        let mut decoder = Decoder::new(profile, None);
        let (mut rest, mut now) = (log.as_bytes(), 0);
        for &(length, pauses) in reads.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (read, behind) = rest.split_at(length.min(rest.len()));
            rest = behind;
            now += if pauses { 5_000 } else { 1 };
            decoder.settle(Uptime(now));
            decoder.push(Direction::Either, read, Uptime(now));
        }
        decoder.finish(Uptime(now));
        let out: Vec<Decoded> = std::iter::from_fn(|| decoder.next_decoded()).collect();
        let texts: Vec<&str> = out.iter().filter_map(|decoded| match decoded {
            Decoded::Said { evidence: Evidence::Text(text), .. } => Some(text.as_ref()),
            _ => None,
        }).collect();
        for clear in [digits_of(&texts.join("\n")), digits_of(&format!("{out:?}"))] {
            prop_assert!(!shows(&clear, &number), "{number} in {texts:?}");
        }
    }

    #[test]
    fn any_bytes_are_survived(
        bytes in prop::collection::vec(any::<u8>(), 0..400), size in 1_usize..50, chinese in any::<bool>(),
    ) {
        let (_, counts) = decode(&shipped(if chinese { "cn-terminal" } else { "kv-en" }), &bytes, size);
        prop_assert_eq!(counts.bytes, bytes.len() as u64);
        prop_assert!(counts.unmatched + counts.rejected <= counts.lines);
    }
}
