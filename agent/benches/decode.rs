//! How fast a core decodes and scrubs: lines of some 150 bytes of which nearly each becomes an event.
//!
//! ```text
//! cargo bench -p slipwatch-agent --bench decode
//! ```
//!
//! Items are lines; `alloc` tells allocations and bytes for one call, which is [`LINES`] lines.

use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher, black_box};
use slipwatch_agent::decode::decoder::Decoder;
use slipwatch_agent::decode::dialect::{Direction, shipped};
use slipwatch_shared::times::Uptime;
use std::fmt::Write;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// Lines of one call.
const LINES: usize = 10_000;

/// Bytes of one read.
const READ_BYTES: usize = 16 * 1024;

/// A day at a till: request, answer, printing and the slip of each sale, and one line in twenty that says nothing.
fn english_log() -> String {
    let mut log = String::new();
    for index in 0..LINES {
        let (sale, second) = (index / 4, index % 60);
        let head = format!("2026-11-24 09:30:{second:02}.{:03}", index % 1000);
        let keys = format!(
            "kind=SALE amt={} cur=CNY stan={:06} batch=000001 tid=T0000001",
            1250 + sale,
            sale % 1_000_000
        );
        let card = format!("card=622576******{:04}", sale % 10_000);
        let line = match index % 20 {
            19 => writeln!(
                log,
                "{head} evt=screen text=welcome to the shop, please insert, tap or swipe your card and follow the words on the screen of the terminal"
            ),
            _ => match index % 4 {
                0 => writeln!(
                    log,
                    "{head} evt=auth_request {keys} {card} entry=TAP op=01 order=SHOP20261124{sale:06}"
                ),
                1 => writeln!(
                    log,
                    "{head} evt=auth_response {keys} rc=00 rrn=632809{:06} auth=A1B2C3 {card}",
                    sale % 1_000_000
                ),
                2 => writeln!(
                    log,
                    "{head} evt=print_start {keys} copy=merchant reprint=no printer=usb0 job={sale} {card}"
                ),
                _ => writeln!(
                    log,
                    "{head} evt=print_done {keys} copy=customer reprint=no printer=usb0 ms=812 {card}"
                ),
            },
        };
        line.expect("a string takes any text");
    }
    log
}

/// The same day with each card number in clear, as a badly set up terminal logs it.
fn clear_log() -> String {
    english_log().replace("card=622576******", "card=622576000000")
}

/// Chinese log lines and slips, in GB18030.
fn chinese_log() -> Vec<u8> {
    let mut log = String::new();
    let mut lines = 0;
    for sale in 0.. {
        let slip = format!(
            "2026-11-24 09:30:01.120 [交易] 发起 交易类型:消费 金额:0.20 批次号:000001 凭证号:{sale:06} 终端号:00000001\n\
             2026-11-24 09:30:02.310 [交易] 应答 应答码:00 交易类型:消费 金额:0.20 凭证号:{sale:06} 参考号:632809{sale:06}\n\
             2026-11-24 09:30:02.400 [打印] 打印凭单中 凭证号:{sale:06}\n          银联POS签购单\n商户存根             MERCHANT COPY\n\
             终端编号(TERMINAL NO): 00000001\n卡号(CARD NO):\n  622576******6691 /C\n交易类型(TXN TYPE): 消费/SALE\n\
             批次号:000001      凭证号:{sale:06}\n参考号:632809{sale:06} 授权码:A1B2C3\n日期/时间(DATE/TIME): 2026/11/24 09:30:02\n\
             金额(AMOUNT):    RMB 0.20\n-----------X-----------X--------\n"
        );
        lines += slip.lines().count();
        if lines > LINES {
            break;
        }
        log.push_str(&slip);
    }
    encoding_rs::GB18030.encode(&log).0.into_owned()
}

fn decode(bencher: Bencher, name: &str, log: &[u8]) {
    let dialect = shipped::dialect(name).expect("a shipped profile");
    let mut decoder = Decoder::new(dialect, None);
    let lines = log.iter().filter(|&&byte| byte == b'\n').count();
    bencher.counter(ItemsCount::new(lines)).counter(BytesCount::new(log.len())).bench_local(|| {
        let mut said = 0;
        for (index, read) in log.chunks(READ_BYTES).enumerate() {
            decoder.push(Direction::Either, read, Uptime(index as u64));
            while let Some(decoded) = decoder.next_decoded() {
                black_box(&decoded);
                said += 1;
            }
        }
        black_box(said)
    });
}

#[divan::bench]
fn english_lines(bencher: Bencher) {
    decode(bencher, "kv-en", english_log().as_bytes());
}

#[divan::bench]
fn english_lines_with_card_numbers_in_clear(bencher: Bencher) {
    decode(bencher, "kv-en", clear_log().as_bytes());
}

#[divan::bench]
fn chinese_lines_and_slips(bencher: Bencher) {
    decode(bencher, "cn-terminal", &chinese_log());
}

#[divan::bench]
fn lines_that_no_rule_knows(bencher: Bencher) {
    decode(bencher, "kv-en", english_log().replace("evt=", "event ").as_bytes());
}
