//! A terminal's log as `adb logcat` prints it, and what comes out.

use crate::decode::decoder::{Decoded, Decoder};
use crate::decode::dialect::{Direction, shipped};
use proptest::prelude::*;
use slipwatch_shared::event::{Body, Copy, Paper, ReversalPhase};
use slipwatch_shared::times::Uptime;

/// A published test number.
const NUMBER: &str = "6200000000000005";

fn decoded_of(log: &str) -> Vec<Decoded> {
    let dialect = shipped::dialect("logcat-pos").expect("shipped");
    let read = |chunk_bytes: usize| {
        let mut decoder = Decoder::new(dialect.clone(), None);
        log.as_bytes()
            .chunks(chunk_bytes)
            .for_each(|chunk| decoder.push(Direction::Either, chunk, Uptime(5)));
        decoder.finish(Uptime(5));
        std::iter::from_fn(|| decoder.next_decoded()).collect::<Vec<_>>()
    };
    let whole = read(log.len().max(1));
    for chunk_bytes in [1, 17] {
        assert_eq!(read(chunk_bytes), whole, "in chunks of {chunk_bytes}");
    }
    whole
}

fn bodies(log: &str) -> Vec<Body> {
    let said = decoded_of(log).into_iter().map(|decoded| match decoded {
        Decoded::Said { body, .. } => body,
        failed => panic!("{failed:?}"),
    });
    said.collect()
}

fn threadtime(lines: &[(&str, &str)]) -> String {
    let line = |(index, (tag, message)): (usize, &(&str, &str))| {
        format!("11-24 09:30:{index:02}.120  2231  2290 I {tag}: {message}\n")
    };
    format!(
        "--------- beginning of main\n{}",
        lines.iter().enumerate().map(line).collect::<String>()
    )
}

#[test]
fn a_sale_and_its_slip_are_told_in_every_form() {
    let sale = [
        (
            "PosTrade",
            "发起 交易类型:消费 金额:0.20 批次号:000001 凭证号:000123 终端号:00000001 输入方式:挥卡",
        ),
        ("ActivityManager", "Start proc 1234:com.example.pos/u0a1"),
        ("PosTrade", "应答 应答码:00 交易类型:消费 金额:0.20 凭证号:000123 参考号:632809000123"),
        ("PosPrint", "打印凭单中 凭证号:000123 联:商户存根"),
        ("PosPrint", "打印完成 凭证号:000123 联:商户存根"),
    ];
    let forms = [
        threadtime(&sale),
        sale.map(|(tag, message)| format!("I/{tag}( 2231): {message}\r\n")).concat(),
        sale.map(|(tag, message)| {
            format!("[ 11-24 09:30:01.120  2231: 2290 I/{tag} ]\n{message}\n\n")
        })
        .concat(),
    ];
    for log in forms {
        let bodies = bodies(&log);
        let [
            Body::AuthorizationRequested(keys),
            Body::AuthorizationAnswered { .. },
            Body::SlipStarted(_),
            printed,
        ] = &bodies[..]
        else {
            panic!("{bodies:?}")
        };
        assert_eq!(keys.stan.map(|stan| stan.number()), Some(123));
        let Body::SlipPrinted { slip, .. } = printed else { panic!("{printed:?}") };
        assert_eq!(slip.copy, Some(Copy::Merchant));
    }
    let decoded = decoded_of(&threadtime(&sale));
    let Decoded::Said { device_time: Some(time), .. } = &decoded[0] else { panic!("{decoded:?}") };
    assert_eq!((time.year, time.month_day, time.millisecond), (None, Some((11, 24)), 120));
}

#[test]
fn a_slip_that_is_logged_line_by_line_is_one_slip() {
    let bodies = bodies(&threadtime(&[
        ("PrintText", "       银联POS签购单"),
        ("PrintText", "持卡人存根 CARDHOLDER COPY"),
        ("GC", "freed 3 objects"),
        ("PrintText", "终端编号: 00000001"),
        ("PrintText", "凭证号: 000123"),
        ("PrintText", "金额: RMB 0.20"),
        ("PrintText", "本人确认以上交易"),
    ]));
    let [Body::SlipPrinted { slip, .. }] = &bodies[..] else { panic!("{bodies:?}") };
    assert_eq!(slip.copy, Some(Copy::Customer));
    assert_eq!(slip.keys.stan.map(|stan| stan.number()), Some(123));
    assert_eq!(slip.keys.amount.map(|amount| amount.minor), Some(20));
}

#[test]
fn the_numbers_of_each_makers_printer_are_understood() {
    let paper = |tag: &str, message: &str| match &bodies(&threadtime(&[(tag, message)]))[..] {
        [Body::PrinterStatus(status)] => Some(*status),
        [] => None,
        other => panic!("{other:?}"),
    };
    for (tag, message) in [
        ("PaxPrinter", "start ret=2"),
        ("SunmiPrinter", "updatePrinterState=4"),
        ("BroadcastQueue", "sending woyou.aidlservice.jiuv5.OUT_OF_PAPER_ACTION"),
        ("IminPrinter", "getPrinterStatus = 7"),
    ] {
        assert_eq!(
            paper(tag, message).and_then(|status| status.paper),
            Some(Paper::End),
            "{tag}: {message}"
        );
    }
    for (tag, message) in
        [("PaxPrinter", "getStatus=0"), ("SunmiPrinter", "state = 1"), ("IminPrinter", "status=0")]
    {
        assert_eq!(
            paper(tag, message).and_then(|status| status.online),
            Some(true),
            "{tag}: {message}"
        );
    }
    assert_eq!(paper("PaxPrinter", "ret=-5").and_then(|status| status.cover_open), Some(true));
    assert_eq!(paper("PaxPrinter", "ret=-6").and_then(|status| status.cutter_error), Some(true));
    assert_eq!(paper("PaxPrinter", "ret=1"), None, "busy is no trouble");
    assert_eq!(paper("PaxPrinter", "ret=16"), None);
    assert_eq!(paper("SunmiPrinter", "state=505").and_then(|status| status.online), Some(false));
}

#[test]
fn a_reversal_that_was_given_up_is_told() {
    let bodies = bodies(&threadtime(&[("PosReverse", "冲正不成功 凭证号:000124 金额:9.00")]));
    let [Body::Reversal { keys, phase: ReversalPhase::Failed }] = &bodies[..] else {
        panic!("{bodies:?}")
    };
    assert_eq!(keys.stan.map(|stan| stan.number()), Some(124));
}

#[test]
fn no_card_number_leaves_the_log() {
    let log = threadtime(&[
        ("PosTrade", &format!("发起 交易类型:消费 金额:0.20 凭证号:000123 卡号:{NUMBER}")),
        ("PrintText", "银联签购单"),
        ("PrintText", &format!("卡号: {NUMBER}")),
        ("PrintText", "金额: 0.20"),
        ("PosTrade", &format!("应答 应答码:00 凭证号:000123 track2={NUMBER}=4912")),
        ("Other", NUMBER),
    ]);
    let text = format!("{:?}", decoded_of(&log));
    assert!(text.contains("620000******0005") && !text.contains(&NUMBER[..7]), "{text}");
}

proptest! {
    #[test]
    fn any_log_is_read_alike_in_any_chunks(
        parts in prop::collection::vec(prop_oneof![
            "[ -~\r\n]{0,60}",
            "[0-9:. \\[\\]/()IVT-]{0,40}\n",
            Just("11-24 09:30:01.120  1  2 I PosTrade: 发起 金额:0.20 凭证号:000123\n".to_owned()),
            Just("[ 11-24 09:30:01.120  1: 2 I/PosPrint ]\n打印完成 凭证号:000123\n\n".to_owned()),
            Just("11-24 09:30:01.120  1  2 I PrintText: 签购单\n".to_owned()),
        ], 0..20),
    ) {
        decoded_of(&parts.concat());
    }
}
