//! Every shipped dialect against bytes that no device sends: cut anywhere, torn, flipped, glued together, or nobody's at
//! all. A dialect is covered by being listed. No panic, nothing held for ever, and the same is said however the bytes came.

use proptest::prelude::*;
use slipwatch_agent::decode::decoder::{Decoded, Decoder};
use slipwatch_agent::decode::dialect::{Direction, shipped};
use slipwatch_shared::event::Body;
use slipwatch_shared::times::Uptime;
use slipwatch_tests::talk::{families, recorded};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Longer than anything waits for its rest.
const LONG_MS: u64 = 3_600_000;

/// What a dialect makes of chunks that come at one moment, and of a long silence behind them.
fn said(dialect: &str, chunks: &[&[u8]]) -> Vec<Decoded> {
    let mut decoder = Decoder::new(shipped::dialect(dialect).expect("it is listed"), None);
    let mut all = Vec::new();
    let now = Uptime(1_000);
    for chunk in chunks {
        decoder.push(Direction::Either, chunk, now);
        all.extend(std::iter::from_fn(|| decoder.next_decoded()));
        assert!(decoder.settled_until(now) <= now);
    }
    let mut at = now;
    while let Some(due) = decoder.wake_at().filter(|due| due.0 < now.0 + LONG_MS) {
        assert!(due >= at, "{dialect} wakes in the past");
        // What is due and stays due would keep the agent awake for ever.
        at = due.max(at.plus_ms(1));
        decoder.settle(at);
        all.extend(std::iter::from_fn(|| decoder.next_decoded()));
    }
    decoder.finish(at);
    all.extend(std::iter::from_fn(|| decoder.next_decoded()));
    assert_eq!(decoder.settled_until(at.plus_ms(1)), at.plus_ms(1), "{dialect} holds something");
    all
}

fn bodies(decoded: &[Decoded]) -> Vec<&Body> {
    let body = |decoded: &'_ Decoded| matches!(decoded, Decoded::Said { .. });
    decoded
        .iter()
        .filter(|one| body(one))
        .map(|one| match one {
            Decoded::Said { body, .. } => body,
            Decoded::Failed { .. } => unreachable!("it was left out"),
        })
        .collect()
}

/// Of a recording so much is played, whole messages at least.
const RECORDED_BYTES: usize = 3_000;

/// Some traffic of each dialect: its own, else what was recorded of it, else a little of all of them.
static TRAFFIC: LazyLock<BTreeMap<&str, Vec<u8>>> = LazyLock::new(|| {
    let (families, recorded) = (families::all(), recorded::all());
    let of = |dialect: &str| {
        if let Some(own) = families.iter().find(|family| family.dialect == dialect) {
            return own.bursts.concat();
        }
        let mut bytes = Vec::new();
        let known = recorded.iter().filter(|family| family.dialect == dialect);
        for (_, burst) in known.flat_map(|family| &family.bursts) {
            if bytes.len() < RECORDED_BYTES {
                bytes.extend_from_slice(burst);
            }
        }
        if bytes.is_empty() {
            bytes = families.iter().flat_map(|family| family.bursts[0].clone()).collect();
        }
        bytes
    };
    shipped::names().map(|dialect| (dialect, of(dialect))).collect()
});

fn traffic(dialect: &str) -> Vec<u8> {
    TRAFFIC[dialect].clone()
}

/// Cuts at random places.
fn cut(bytes: &[u8], mut places: Vec<usize>) -> Vec<&[u8]> {
    places.iter_mut().for_each(|place| *place %= bytes.len() + 1);
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

#[test]
fn what_is_said_does_not_depend_on_the_chunks() {
    for dialect in shipped::names() {
        let bytes = traffic(dialect);
        let whole = said(dialect, &[&bytes]);
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(bodies(&said(dialect, &single)), bodies(&whole), "{dialect}, byte by byte");
        if families::all().iter().any(|family| family.dialect == dialect) {
            assert!(!bodies(&whole).is_empty(), "{dialect} says nothing of its own traffic");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn random_chunks_say_the_same(places in proptest::collection::vec(any::<usize>(), 0..40)) {
        for dialect in shipped::names() {
            let bytes = traffic(dialect);
            let chunks = said(dialect, &cut(&bytes, places.clone()));
            let whole = said(dialect, &[&bytes]);
            prop_assert_eq!(bodies(&chunks), bodies(&whole), "{}", dialect);
        }
    }

    #[test]
    fn damage_of_any_kind_stops_nothing(
        flips in proptest::collection::vec((any::<usize>(), 0_u8..8), 0..12),
        torn in any::<usize>(),
        glued in any::<usize>(),
        places in proptest::collection::vec(any::<usize>(), 0..10),
    ) {
        for dialect in shipped::names() {
            let mut bytes = traffic(dialect);
            for (place, bit) in &flips {
                let at = place % bytes.len();
                bytes[at] ^= 1 << bit;
            }
            let mut bytes = bytes[..torn % (bytes.len() + 1)].to_vec();
            // And something whole behind it, from anywhere.
            let again = traffic(dialect);
            bytes.extend_from_slice(&again[glued % again.len()..]);
            said(dialect, &cut(&bytes, places.clone()));
        }
    }

    #[test]
    fn nobodys_bytes_stop_nothing(
        bytes in proptest::collection::vec(prop_oneof![
            any::<u8>(),
            Just(0x02), Just(0x03), Just(0x10), Just(0x1b), Just(0x1d), Just(b'\n'), Just(0xff), Just(0x00),
        ], 0..3_000),
        size in 1_usize..200,
    ) {
        for dialect in shipped::names() {
            let chunks: Vec<&[u8]> = bytes.chunks(size).collect();
            let parts = said(dialect, &chunks);
            let whole = said(dialect, &[&bytes]);
            prop_assert_eq!(bodies(&parts), bodies(&whole), "{}", dialect);
        }
    }
}

#[test]
fn a_sound_payment_behind_any_damage_is_heard() {
    for family in families::all() {
        let own = |bytes: &[u8]| bodies(&said(family.dialect, &[bytes])).len();
        let sound = own(&family.bursts.concat());
        // The first burst loses its end; all others must come through.
        let first = &family.bursts[0];
        let torn = [&first[..first.len() / 2], &family.bursts[1..].concat()].concat();
        let left = own(&torn);
        let lost = sound.saturating_sub(left);
        let a_burst = own(first);
        assert!(
            lost <= 2 * a_burst,
            "{}: {lost} of {sound} lost, a burst has {a_burst}",
            family.dialect
        );
    }
}
