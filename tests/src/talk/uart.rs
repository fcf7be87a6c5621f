//! A serial line in bits: what a receiver hears that listens at the wrong speed. Eight bits, no check bit, one stop bit.

use slipwatch_agent::config::Parity;

/// What a receiver at `heard` bits a second makes of bytes sent back to back at `sent`.
pub fn garbled(bytes: &[u8], sent: u32, heard: u32) -> Vec<u8> {
    received(bytes, sent, heard, Parity::None).into_iter().map(|(byte, _)| byte).collect()
}

/// The same of a receiver that looks for a check bit or for none, and of each byte whether check and stop bit were as they
/// must be: a receiver tells its driver where they were not.
pub fn received(bytes: &[u8], sent: u32, heard: u32, check: Parity) -> Vec<(u8, bool)> {
    if sent == heard && check == Parity::None {
        return bytes.iter().map(|&byte| (byte, true)).collect();
    }
    let mut bits = vec![true; 20];
    for byte in bytes {
        bits.push(false);
        bits.extend((0..8).map(|bit| byte >> bit & 1 == 1));
        bits.push(true);
    }
    bits.extend([true; 20]);
    let level = |at_ns: u64| {
        let bit = at_ns * u64::from(sent) / 1_000_000_000;
        usize::try_from(bit).ok().and_then(|bit| bits.get(bit).copied())
    };
    let bit_ns = 1_000_000_000 / u64::from(heard);
    let mut received = Vec::new();
    let mut at = 0;
    while let Some(is_high) = level(at) {
        if is_high {
            at += bit_ns / 16;
            continue;
        }
        // Each bit is looked at in its middle.
        let sample = |bit: u64| level(at + bit_ns * bit + bit_ns / 2).unwrap_or(true);
        let byte = (0..8).fold(0_u8, |byte, bit| byte | u8::from(sample(bit + 1)) << bit);
        let ones = byte.count_ones() % 2 == 1;
        let (is_right, stop) = match check {
            Parity::None => (true, 9),
            Parity::Even => (sample(9) == ones, 10),
            Parity::Odd => (sample(9) != ones, 10),
        };
        received.push((byte, is_right && sample(stop)));
        at += bit_ns * stop + bit_ns / 2;
    }
    received
}
