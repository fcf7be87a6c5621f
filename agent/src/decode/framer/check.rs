//! Check sums at the end of a frame: XOR over some parts of it, and the CRC-16s that terminals use. Says whether one
//! is right; never mends anything.

use crc::{CRC_16_ARC, CRC_16_IBM_3740, CRC_16_IBM_SDLC, CRC_16_KERMIT, CRC_16_MODBUS};
use crc::{CRC_16_XMODEM, Crc};

static ARC: Crc<u16> = Crc::<u16>::new(&CRC_16_ARC);
static CCITT_FALSE: Crc<u16> = Crc::<u16>::new(&CRC_16_IBM_3740);
static KERMIT: Crc<u16> = Crc::<u16>::new(&CRC_16_KERMIT);
static MODBUS: Crc<u16> = Crc::<u16>::new(&CRC_16_MODBUS);
static X25: Crc<u16> = Crc::<u16>::new(&CRC_16_IBM_SDLC);
static XMODEM: Crc<u16> = Crc::<u16>::new(&CRC_16_XMODEM);

/// How a check sum is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sum {
    /// One byte: all bytes and this one, XORed.
    Xor(u8),
    /// Two bytes.
    Crc16(Crc16),
}

/// The CRC-16s that terminals use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crc16 {
    /// Reflected 8408, from 0 (ZVT).
    Kermit,
    /// 1021, from 0.
    Xmodem,
    /// 1021, from FFFF.
    CcittFalse,
    /// Reflected 8408, from FFFF, inverted.
    X25,
    /// Reflected A001, from FFFF.
    Modbus,
    /// Reflected A001, from 0.
    Arc,
}

impl Crc16 {
    fn algorithm(self) -> &'static Crc<u16> {
        match self {
            Crc16::Kermit => &KERMIT,
            Crc16::Xmodem => &XMODEM,
            Crc16::CcittFalse => &CCITT_FALSE,
            Crc16::X25 => &X25,
            Crc16::Modbus => &MODBUS,
            Crc16::Arc => &ARC,
        }
    }
}

/// A check sum: how it is computed, and which parts of the frame beside the body it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// How.
    pub sum: Sum,
    /// Whether the start bytes count.
    pub start: bool,
    /// Whether the length bytes count.
    pub length: bool,
    /// Whether the end bytes count. Of an end that is escaped (`10 03`) only what stands behind the escape.
    pub end: bool,
    /// Of two bytes, whether the low one comes first.
    pub low_first: bool,
}

/// The parts of a frame that a check sum may cover.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Covered<'a> {
    pub start: &'a [u8],
    pub length: &'a [u8],
    pub body: &'a [u8],
    pub end: &'a [u8],
}

impl Check {
    /// XOR over the body and the end bytes from zero: the LRC of most links.
    pub const LRC: Check =
        Check { sum: Sum::Xor(0), start: false, length: true, end: true, low_first: false };

    /// How many bytes it takes in a frame.
    pub fn bytes(&self) -> usize {
        match self.sum {
            Sum::Xor(_) => 1,
            Sum::Crc16(_) => 2,
        }
    }

    /// The sum over a frame's parts, in the order it is sent; of one byte, the first counts.
    pub(crate) fn over(&self, covered: Covered<'_>) -> [u8; 2] {
        let part = |counts: bool, bytes| if counts { bytes } else { &[][..] };
        let parts = [
            part(self.start, covered.start),
            part(self.length, covered.length),
            covered.body,
            part(self.end, covered.end),
        ];
        match self.sum {
            Sum::Xor(seed) => {
                let sum = parts.into_iter().flatten().fold(seed, |sum, byte| sum ^ byte);
                [sum, 0]
            }
            Sum::Crc16(crc) => {
                let mut digest = crc.algorithm().digest();
                parts.into_iter().for_each(|bytes| digest.update(bytes));
                let sum = digest.finalize();
                if self.low_first { sum.to_le_bytes() } else { sum.to_be_bytes() }
            }
        }
    }

    /// Whether the bytes that were sent are the sum.
    pub(crate) fn fits(&self, covered: Covered<'_>, sent: &[u8]) -> bool {
        self.over(covered)[..self.bytes()] == *sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(crc: Crc16, expected: u16) {
        let check = Check {
            sum: Sum::Crc16(crc),
            start: false,
            length: false,
            end: false,
            low_first: false,
        };
        let covered = Covered { start: b"x", length: b"x", body: b"123456789", end: b"x" };
        assert_eq!(check.over(covered), expected.to_be_bytes(), "{crc:?}");
        let low_first = Check { low_first: true, ..check };
        assert_eq!(low_first.over(covered), expected.to_le_bytes(), "{crc:?}");
    }

    #[test]
    fn each_crc_has_the_value_that_its_catalogue_gives() {
        check(Crc16::Kermit, 0x2189);
        check(Crc16::Xmodem, 0x31c3);
        check(Crc16::CcittFalse, 0x29b1);
        check(Crc16::X25, 0x906e);
        check(Crc16::Modbus, 0x4b37);
        check(Crc16::Arc, 0xbb3d);
    }

    #[test]
    fn an_lrc_covers_what_its_protocol_says() {
        let covered = Covered { start: b"\x02", length: b"", body: b"0200|123|", end: b"\x03" };
        assert!(Check::LRC.fits(covered, &[0x31]));
        let ecr17 = |start, end| Check { sum: Sum::Xor(0x7f), start, end, ..Check::LRC };
        let covered = Covered { start: b"\x02", length: b"", body: b"A", end: b"\x03" };
        for (start, end, sum) in
            [(false, false, 0x3e), (true, true, 0x3f), (false, true, 0x3d), (true, false, 0x3c)]
        {
            assert!(ecr17(start, end).fits(covered, &[sum]), "{sum:x}");
        }
    }
}
