//! China: a till and its terminal, MIS (收银一体化) in its TLV form.

use super::{Said, bcd, from, to};

const SALE: u8 = 0x45;
const VOID: u8 = 0x46;

/// `02`, four decimal digits of length, tags, `03`, XOR of length, tags and end.
pub fn frame(tags: &[(u16, &[u8])]) -> Vec<u8> {
    let body: Vec<u8> = tags
        .iter()
        .flat_map(|(tag, value)| {
            [&tag.to_be_bytes()[..], &[u8::try_from(value.len()).expect("short")], value].concat()
        })
        .collect();
    let mut counted = bcd(&format!("{:04}", body.len()));
    counted.extend(&body);
    counted.push(0x03);
    let sum = counted.iter().fold(0, |sum, byte| sum ^ byte);
    [&[0x02], &counted[..], &[sum]].concat()
}

fn asked(kind: u8, terminal: &str, more: &[(u16, &[u8])]) -> Vec<Said> {
    let head: [(u16, &[u8]); 3] =
        [(0xdf01, &[0]), (0xdf02, &[kind]), (0xdf12, terminal.as_bytes())];
    vec![to(frame(&[&head, more].concat())), from([0x06])]
}

fn answered(kind: u8, terminal: &str, amount: i64, stan: u32, more: &[(u16, &[u8])]) -> Vec<Said> {
    let sign = if kind == VOID { "-" } else { " " };
    let money = format!("RMB {sign}{}.{:02}", amount / 100, amount % 100);
    let voucher = bcd(&format!("{stan:06}"));
    let result: [(u16, &[u8]); 10] = [
        (0xdf01, &[2]),
        (0xdf02, &[kind]),
        (0xdf07, b"00"),
        (0xdf03, money.as_bytes()),
        (0xdf10, &voucher),
        (0xdf11, b"241124"),
        (0xdf12, terminal.as_bytes()),
        (0xdf13, b"898330100000001"),
        (0xdf1a, b"290983153438"),
        (0xdf1e, b"622576******6691"),
    ];
    vec![from(frame(&[&result, more].concat())), to([0x06])]
}

/// A purchase that is approved (minor units of CNY).
pub fn sale(terminal: &str, amount: i64, stan: u32) -> Vec<Said> {
    let money = bcd(&format!("{amount:012}"));
    let mut said = asked(SALE, terminal, &[(0xdf03, &money)]);
    said.extend(answered(SALE, terminal, amount, stan, &[]));
    said
}

/// The same payment voided by the cashier, under its own voucher number.
pub fn void(terminal: &str, amount: i64, stan: u32, of: u32) -> Vec<Said> {
    let money = bcd(&format!("{amount:012}"));
    let original = bcd(&format!("{of:06}"));
    let mut said = asked(VOID, terminal, &[(0xdf03, &money), (0xdf18, &original)]);
    said.extend(answered(VOID, terminal, amount, stan, &[(0xdf18, &original)]));
    said
}
