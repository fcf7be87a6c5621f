//! ZVT over a serial line: a till (`to`) and a payment terminal (`from`), VdTH PA00P015 and PA00P016.

use super::{Said, bcd, from, to};

const DLE: u8 = 0x10;
const ACK: u8 = 0x06;

/// A framed message of a class, an instruction and data.
pub fn frame(code: u16, data: &[u8]) -> Vec<u8> {
    framed(&message(code, data))
}

fn message(code: u16, data: &[u8]) -> Vec<u8> {
    let mut apdu = code.to_be_bytes().to_vec();
    match u8::try_from(data.len()) {
        Ok(length) if length != 0xff => apdu.push(length),
        _ => {
            apdu.push(0xff);
            apdu.extend((data.len() as u16).to_le_bytes());
        }
    }
    apdu.extend_from_slice(data);
    apdu
}

/// The frame of the serial line around a message.
pub fn framed(apdu: &[u8]) -> Vec<u8> {
    let mut bytes = vec![DLE, 0x02];
    for &byte in apdu {
        bytes.push(byte);
        if byte == DLE {
            bytes.push(DLE);
        }
    }
    bytes.extend([DLE, 0x03]);
    bytes.extend(kermit(&[apdu, &[0x03]].concat()).to_le_bytes());
    bytes
}

/// CRC-16/KERMIT, bit by bit.
fn kermit(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(
            crc ^ u16::from(byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0x8408 } else { crc >> 1 },
        )
    })
}

/// A message of the terminal that the till takes.
fn told(code: u16, data: &[u8]) -> Vec<Said> {
    vec![from(frame(code, data)), to([ACK]), to(frame(0x8000, &[])), from([ACK])]
}

/// The till registers, and says with a byte of bits who prints; the terminal takes it.
pub fn registered(config: u8) -> Vec<Said> {
    let data = [0x12, 0x34, 0x56, config, 0x09, 0x78];
    let mut said = vec![to(frame(0x0600, &data)), from([ACK]), from(frame(0x8000, &[])), to([ACK])];
    said.extend(told(0x060f, &[0x19, 0x00]));
    said
}

/// The till asks for this much (minor units of EUR); the terminal takes it.
pub fn asked(amount: i64) -> Vec<Said> {
    let data = [&[0x04][..], &bcd(&format!("{amount:012}")), &[0x49], &bcd("0978")].concat();
    let mut said = vec![to(frame(0x0601, &data)), from([ACK]), from(frame(0x8000, &[])), to([ACK])];
    said.extend(told(0x04ff, &[0x17]));
    said
}

/// The terminal's result: approved.
pub fn approved(amount: i64, stan: u32) -> Vec<Said> {
    let trace = bcd(&format!("{stan:06}"));
    let receipt = bcd(&format!("{:04}", stan % 10_000));
    let data = [
        &[0x27, 0x00, 0x04][..],
        &bcd(&format!("{amount:012}")),
        &[0x49, 0x09, 0x78, 0x0b],
        &trace,
        &[0x87],
        &receipt,
        &[0x29, 0x28, 0x00, 0x48, 0x69, 0x22, 0xf0, 0xf4, 0xee, 0xee, 0x47, 0x71],
    ];
    told(0x040f, &data.concat())
}

/// The slip line by line for the till's printer, each line taken by it; `copy` is its heading.
pub fn slip(copy: &str, amount: i64, stan: u32) -> Vec<Said> {
    lines(copy, amount, stan).into_iter().flat_map(|line| told(0x06d1, &line)).collect()
}

/// The same, and the till says with its first line that it cannot print (84 CC).
pub fn slip_refused(copy: &str, amount: i64, stan: u32) -> Vec<Said> {
    let first = lines(copy, amount, stan).remove(0);
    vec![from(frame(0x06d1, &first)), to([ACK]), to(frame(0x84cc, &[])), from([ACK])]
}

fn lines(copy: &str, amount: i64, stan: u32) -> Vec<Vec<u8>> {
    let money = format!("EUR {},{:02}", amount / 100, amount % 100);
    let text = [copy.to_owned(), format!("Trace-Nr. {stan:06}"), format!("BETRAG {money}")];
    let line = |text: &String| [&[0x00], text.as_bytes()].concat();
    text.iter().map(line).chain([vec![0x81]]).collect()
}

/// The terminal has done it all.
pub fn completed() -> Vec<Said> {
    told(0x060f, &[])
}

/// The terminal finds no answer of its host, undoes by itself and gives up: the auto-reversal.
pub fn auto_reversed() -> Vec<Said> {
    [told(0x04ff, &[0x05]), told(0x04ff, &[0x45]), told(0x061e, &[0x9a])].concat()
}
