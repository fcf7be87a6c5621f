//! A coverage-guided fuzzer over every shipped dialect and the wire, on the stable compiler: `./check` builds it with the
//! compiler's own coverage counters and runs it for a moment from the kept corpus. By hand, for longer:
//!
//! ```text
//! tests/fuzz/run 600
//! ```
//!
//! Inputs of the corpus that are called `recorded` are from `tests/fixtures`, where their licences lie.
//!
//! An input's first byte names what reads the rest, the second how it is cut into chunks. What holds is what `any_bytes`
//! holds: no panic, nothing kept for ever, the same said however it was cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use slipwatch_agent::decode::decoder::{Decoded, Decoder};
use slipwatch_agent::decode::dialect::{Dialect, Direction, shipped};
use slipwatch_agent::decode::recording;
use slipwatch_agent::decode::recording::hide::Hider;
use slipwatch_shared::event::Body;
use slipwatch_shared::times::Uptime;
use slipwatch_shared::wire::envelope::{EventBatch, Group};
use slipwatch_shared::wire::json::Line;
use std::sync::{Arc, LazyLock};

/// What reads the wire rather than a line.
const WIRE: u8 = 255;
/// What writes a recording.
const HIDER: u8 = 254;
/// Longer than anything waits for its rest.
const LONG_MS: u64 = 3_600_000;

static DIALECTS: LazyLock<Vec<Arc<dyn Dialect>>> =
    LazyLock::new(|| shipped::names().filter_map(shipped::dialect).collect());

fuzz_target!(|input: &[u8]| {
    let [reader, size, rest @ ..] = input else { return };
    match *reader {
        WIRE => wire(rest),
        HIDER => hide(usize::from(*size) + 1, rest),
        number => {
            let dialect = &DIALECTS[usize::from(number) % DIALECTS.len()];
            let parts = said(dialect, rest.chunks(usize::from(*size) + 1));
            let whole = said(dialect, std::iter::once(rest));
            assert_eq!(parts, whole, "{} depends on the chunks", dialect.name());
        }
    }
});

fn said<'a>(dialect: &Arc<dyn Dialect>, chunks: impl Iterator<Item = &'a [u8]>) -> Vec<Body> {
    let mut decoder = Decoder::new(dialect.clone(), None);
    let mut bodies = Vec::new();
    let mut at = Uptime(1_000);
    let end = at.plus_ms(LONG_MS);
    let mut take = |decoder: &mut Decoder| {
        while let Some(decoded) = decoder.next_decoded() {
            if let Decoded::Said { body, .. } = decoded {
                bodies.push(body);
            }
        }
    };
    for chunk in chunks {
        decoder.push(Direction::Either, chunk, at);
        take(&mut decoder);
    }
    while let Some(due) = decoder.wake_at().filter(|due| *due < end) {
        at = due.max(at.plus_ms(1));
        decoder.settle(at);
        take(&mut decoder);
    }
    decoder.finish(at);
    take(&mut decoder);
    let later = at.plus_ms(1);
    assert_eq!(decoder.settled_until(later), later, "{} holds something", dialect.name());
    bodies
}

fn wire(bytes: &[u8]) {
    if let Ok(batch) = EventBatch::open(bytes) {
        drop(format!("{batch:?}"));
    }
    if let Ok(group) = Group::from_frame(bytes) {
        group.events().for_each(drop);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        text.lines().for_each(|line| drop((Line::from_json(line), recording::read_row(line))));
    }
}

fn hide(size: usize, bytes: &[u8]) {
    let mut hider = Hider::new(Direction::Either);
    let mut written = 0;
    for (chunk, at) in bytes.chunks(size).zip((0_u64..).step_by(100)) {
        written +=
            hider.push(chunk, Uptime(at)).iter().map(|(.., bytes)| bytes.len()).sum::<usize>();
    }
    written += hider.let_go().iter().map(|(.., bytes)| bytes.len()).sum::<usize>();
    // A number of thirteen digits is written with sixteen signs.
    assert!(written <= bytes.len() * 2, "what is hidden does not grow without bound");
}
