//! A serial line in bits: what a receiver hears that listens at the wrong speed. Eight bits, no check bit, one stop bit.

/// What a receiver at `heard` bits a second makes of bytes sent back to back at `sent`.
pub fn garbled(bytes: &[u8], sent: u32, heard: u32) -> Vec<u8> {
    if sent == heard {
        return bytes.to_vec();
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
        received.push((0..8).fold(0_u8, |byte, bit| byte | u8::from(sample(bit + 1)) << bit));
        at += bit_ns * 9 + bit_ns / 2;
    }
    received
}
