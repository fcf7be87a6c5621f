//! What devices say to each other over a line, as bytes with their way and their pauses: one payment at a time, in the
//! dialects that are shipped. Written from the specifications that the profiles name, not from slipwatch's decoders.

pub mod families;
pub mod iso8583;
pub mod mis;
pub mod printer;
pub mod recorded;
pub mod uart;
pub mod zvt;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the till or host to the printer or terminal.
    ToDevice,
    /// What the printer or terminal answers.
    FromDevice,
}

/// Bytes that are said at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Which way.
    pub way: Way,
    /// What.
    pub bytes: Vec<u8>,
}

/// To the device.
pub fn to(bytes: impl Into<Vec<u8>>) -> Said {
    Said { way: Way::ToDevice, bytes: bytes.into() }
}

/// From the device.
pub fn from(bytes: impl Into<Vec<u8>>) -> Said {
    Said { way: Way::FromDevice, bytes: bytes.into() }
}

/// Both ways in one stream, as one receiver on both wires hears them.
pub fn joined(said: &[Said]) -> Vec<u8> {
    said.iter().flat_map(|said| said.bytes.clone()).collect()
}

/// Two decimal digits a byte; an odd last one gets a filler.
pub fn bcd(digits: &str) -> Vec<u8> {
    let digit = |byte: u8| byte - b'0';
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| digit(pair[0]) << 4 | pair.get(1).map_or(0xf, |&byte| digit(byte)))
        .collect()
}

/// `02 body 03 LRC`: the sum is over body and end.
pub fn stx_etx(body: &[u8]) -> Vec<u8> {
    let sum = body.iter().fold(0x03, |sum, byte| sum ^ byte);
    [&[0x02], body, &[0x03, sum]].concat()
}
