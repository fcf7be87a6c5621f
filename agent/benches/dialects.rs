//! How fast a core decodes each binary dialect: a day of sales, each with request, answer, slips and end.
//!
//! ```text
//! cargo bench -p slipwatch-agent --bench dialects
//! ```
//!
//! Items are events; `alloc` tells allocations and bytes for one call.

use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher, black_box};
use slipwatch_agent::decode::decoder::Decoder;
use slipwatch_agent::decode::dialect::zvt::Zvt;
use slipwatch_agent::decode::dialect::{Direction, shipped};
use slipwatch_shared::times::Uptime;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// Bytes of one read.
const READ_BYTES: usize = 16 * 1024;

fn decode(bencher: Bencher, name: &str, bytes: &[u8]) {
    let dialect = shipped::dialect(name).expect("a shipped dialect");
    let mut decoder = Decoder::new(dialect, None);
    let mut now = 0;
    let mut pass = || {
        let mut said = 0_usize;
        for read in bytes.chunks(READ_BYTES) {
            now += 1;
            decoder.push(Direction::Either, read, Uptime(now));
            while let Some(decoded) = decoder.next_decoded() {
                black_box(&decoded);
                said += 1;
            }
        }
        said
    };
    let said = pass();
    assert!(said > 0, "{name} says nothing");
    bencher.counter(ItemsCount::new(said)).counter(BytesCount::new(bytes.len())).bench_local(pass);
}

/// A sale over ZVT, each message answered: request, progress, result, two slips of 24 lines, completion.
fn zvt_day(name: &str) -> Vec<u8> {
    let toml = shipped::text(name).expect("a shipped dialect");
    let zvt = Zvt::parse(name, toml).expect("it is sound");
    let bcd = |number: u32| (number / 10 % 10 * 16 + number % 10) as u8;
    let mut day = Vec::new();
    for sale in 1..=200_u32 {
        let trace = [0, bcd(sale / 100), bcd(sale)];
        let amount = [0x04, 0, 0, 0, 0, bcd(sale / 100), bcd(sale)];
        let mut say = |code: u16, fields: &[u8]| {
            let message = [&code.to_be_bytes(), &[fields.len() as u8][..], fields].concat();
            day.extend(zvt.wrap(&message));
            day.extend(zvt.wrap(&[0x80, 0, 0]));
        };
        say(0x0601, &[&amount[..], &[0x49, 0x09, 0x78]].concat());
        say(0x04ff, &[0x0a]);
        say(0x04ff, &[0x17]);
        let card = b"\x22\xf0\xf8\x67\x25\x90\xee\xee\xee\x47\x71\x8a\x05\x8b\xf0\xf9girocard\0";
        let numbers = b"\x49\x09\x78\x29\x28\x00\x48\x69\x2a100461763      ";
        let result = [&[0x27, 0, 0x0b][..], &trace, &amount, card, numbers].concat();
        say(0x040f, &result);
        for title in ["** H\u{c4}NDLERBELEG **", "** KUNDENBELEG **"] {
            let title = title.chars().map(|sign| sign as u8);
            say(0x06d1, &[0x40].into_iter().chain(title).collect::<Vec<u8>>());
            let trace = format!("Trace-Nr:         {sale:06}");
            let amount = format!("BETRAG:  EUR      {:3},{:02}", sale / 100, sale % 100);
            for line in ["Terminal-ID:    28004869", &trace, "Nr:  **** **** **** 4771", &amount] {
                say(0x06d1, format!("\0{line}").as_bytes());
            }
            (0..18).for_each(|_| say(0x06d1, b"\0------------------------"));
            say(0x06d1, &[0x81]);
        }
        say(0x060f, &[]);
    }
    day
}

#[divan::bench]
fn zvt_sales_over_a_serial_line(bencher: Bencher) {
    decode(bencher, "zvt", &zvt_day("zvt"));
}

#[divan::bench]
fn zvt_sales_over_tcp(bencher: Bencher) {
    decode(bencher, "zvt-tcp", &zvt_day("zvt-tcp"));
}
