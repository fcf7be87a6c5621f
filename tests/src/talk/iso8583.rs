//! A UnionPay terminal (`from`) and its host (`to`): ISO 8583 in BCD behind a length, an address and a header.

use super::{Said, bcd, from, to};

/// A message of the fields in order. A value with `=` in front is characters; all others are digits.
pub fn message(mti: &str, fields: &[(u8, String)]) -> Vec<u8> {
    let mut bits = 0_u64;
    let mut body = Vec::new();
    for (number, value) in fields {
        bits |= 1 << (64 - u32::from(*number));
        let text = value.strip_prefix('=');
        let length = text.map_or(value.len(), str::len);
        match number {
            2 | 35 => body.extend(bcd(&format!("{length:02}"))),
            60..=63 => body.extend(bcd(&format!("{length:04}"))),
            _ => {}
        }
        match text {
            Some(text) => body.extend_from_slice(text.as_bytes()),
            // Digits stand to the left; a filler of zero follows an odd one.
            None if length % 2 == 1 => body.extend(bcd(&format!("{value}0"))),
            None => body.extend(bcd(value)),
        }
    }
    let mut message = bcd("6000030000603100110001");
    message.extend(bcd(mti));
    message.extend(bits.to_be_bytes());
    message.extend(body);
    let length = u16::try_from(message.len()).expect("short");
    [&length.to_be_bytes(), &message[..]].concat()
}

fn common(terminal: &str, amount: i64, stan: u32) -> Vec<(u8, String)> {
    vec![
        (3, "000000".to_owned()),
        (4, format!("{amount:012}")),
        (11, format!("{stan:06}")),
        (41, format!("={terminal}")),
        (49, "=156".to_owned()),
        (60, "22000015000501".to_owned()),
    ]
}

fn with(mut fields: Vec<(u8, String)>, more: &[(u8, &str)]) -> Vec<(u8, String)> {
    fields.extend(more.iter().map(|(number, value)| (*number, (*value).to_owned())));
    fields.sort_by_key(|field| field.0);
    fields
}

/// The terminal asks its host for a purchase (minor units of CNY).
pub fn asked(terminal: &str, amount: i64, stan: u32) -> Said {
    let more = [(22, "0210"), (25, "00"), (42, "=852331059980072")];
    from(message("0200", &with(common(terminal, amount, stan), &more)))
}

/// The host approves.
pub fn approved(terminal: &str, amount: i64, stan: u32) -> Said {
    let more = [(12, "153438"), (13, "1124"), (37, "=290983153438"), (38, "=A1B2C3"), (39, "=00")];
    to(message("0210", &with(common(terminal, amount, stan), &more)))
}

/// The terminal tells of a sale that it took by itself, hours before (离线结算, 60.1 = 30).
pub fn uploaded(terminal: &str, amount: i64, stan: u32) -> Said {
    from(message(
        "0220",
        &offline(terminal, amount, stan, &[(12, "091500"), (13, "1124"), (25, "00")]),
    ))
}

/// The host has taken it in.
pub fn upload_accepted(terminal: &str, amount: i64, stan: u32) -> Said {
    let rrn = format!("=3000{stan:08}");
    to(message("0230", &offline(terminal, amount, stan, &[(37, &rrn), (39, "=00")])))
}

fn offline(terminal: &str, amount: i64, stan: u32, more: &[(u8, &str)]) -> Vec<(u8, String)> {
    let mut fields = with(common(terminal, amount, stan), more);
    fields.retain(|(number, _)| *number != 60);
    with(fields, &[(60, "30000015000501")])
}

/// The terminal undoes what was not answered in time.
pub fn undone(terminal: &str, amount: i64, stan: u32) -> Said {
    from(message("0400", &with(common(terminal, amount, stan), &[(39, "=98")])))
}

/// The host undid it.
pub fn undo_acknowledged(terminal: &str, amount: i64, stan: u32) -> Said {
    to(message("0410", &with(common(terminal, amount, stan), &[(39, "=00")])))
}
