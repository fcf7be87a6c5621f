//! Card numbers in every form in which ZVT may carry them come out nowhere.

use super::*;

/// Digits two a byte, filled up with `F`.
fn packed(number: &str) -> Vec<u8> {
    let digits: Vec<u8> = number.bytes().map(|byte| byte - b'0').chain([0xf]).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn llvar(tag: u8, value: &[u8]) -> Vec<u8> {
    let (tens, ones) = (value.len() as u8 / 10, value.len() as u8 % 10);
    [&[tag, 0xf0 | tens, 0xf0 | ones], value].concat()
}

fn lllvar(tag: u8, value: &[u8]) -> Vec<u8> {
    let mut field = llvar(tag, value);
    field.insert(1, 0xf0);
    field
}

fn ber(tag: &[u8], value: &[u8]) -> Vec<u8> {
    [tag, &[value.len() as u8], value].concat()
}

fn message(code: u16, fields: &[u8]) -> Vec<u8> {
    let length = (fields.len() as u16).to_le_bytes();
    [&code.to_be_bytes(), &[0xff][..], &length, fields].concat()
}

/// A track 2 as ZVT carries it: number, `D`, expiry, service code and discretionary digits.
fn track2(number: &str) -> Vec<u8> {
    let digits = number.bytes().map(|byte| byte - b'0');
    let digits: Vec<u8> = digits.chain([0xd, 2, 7, 1, 2, 2, 0, 1, 1, 2, 3, 4, 5, 0xf]).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// How many forms there are.
const FORMS: usize = 16;

/// The card number in one of the forms, inside a sound message that says something.
fn form(number: &str, form: usize) -> Vec<u8> {
    let ascii = number.as_bytes();
    let result = [&[0x27, 0][..], &[0x04, 0, 0, 0, 0, 0x12, 0], &[0x0b, 0, 0x07, 0x04]].concat();
    let status = |field: Vec<u8>| message(0x040f, &[result.clone(), field].concat());
    let container = |field: Vec<u8>| status(ber(&[0x06], &field));
    let line = |text: &[u8]| message(0x06d1, &[&[0x81], text].concat());
    match form {
        0 => status(llvar(0x22, &packed(number))),
        1 => message(0x0601, &llvar(0x22, &packed(number))),
        2 => status(llvar(0x23, &track2(number))),
        3 => status(lllvar(0x24, &track2(number))),
        4 => status(llvar(0x2d, &[b"B", ascii, b"^TEST/CARD^2712201"].concat())),
        5 => status(lllvar(0x3c, &[b"KARTE ", ascii].concat())),
        6 => container(ber(&[0x5a], &packed(number))),
        7 => container(ber(&[0x57], &track2(number))),
        8 => container(ber(&[0x60], &ber(&[0x62], &ber(&[0x1f, 0x14], &packed(number))))),
        9 => container(ber(&[0x9f, 0x6b], &track2(number))),
        10 => container(ber(&[0x2f], &ber(&[0x07], &[b"NR. ", ascii].concat()))),
        11 => line(&[b"Karte: ", ascii].concat()),
        12 => {
            let (head, tail) = ascii.split_at(8);
            // Two lines of one slip: behind a last line another slip begins.
            let first = message(0x06d1, &[&[0][..], b"Karten-Nr. ", head].concat());
            [first, line(tail)].concat()
        }
        13 => message(0x06d3, &ber(&[0x06], &ber(&[0x25], &ber(&[0x07], ascii)))),
        // Behind a field that nobody knows.
        14 => status([&[0x9f][..], &packed(number)].concat()),
        _ => message(
            0x04ff,
            &[&[0x05, 0x10][..], &ber(&[0x06], &ber(&[0x24], &ber(&[0x07], ascii)))].concat(),
        ),
    }
}

/// Everything that was let out, as digits: of frames their half-bytes, and their text.
fn digits_out(said: &[Decoded]) -> Vec<String> {
    let mut out = Vec::new();
    for decoded in said {
        // A frame's bytes are looked at below: as decimal numbers, side by side, they are digits by chance.
        out.push(match decoded {
            Decoded::Said { body, .. } => digits_of(&format!("{body:?}")),
            failed => digits_of(&format!("{failed:?}")),
        });
        match decoded {
            Decoded::Said { evidence: Evidence::Frame(bytes), .. } => {
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                out.push(hex);
                out.push(digits_of(&String::from_utf8_lossy(bytes)));
            }
            Decoded::Said { evidence: Evidence::Text(text), .. } => out.push(digits_of(text)),
            _ => {}
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_card_number_comes_out_of_any_form(
        number in any_card(), kind in 0..FORMS, tcp in any::<bool>(), in_deal in any::<bool>(),
    ) {
        let mut messages = Vec::new();
        if in_deal {
            messages.push(unhex("06010704000000001200"));
        }
        let form = form(&number, kind);
        let mut rest = form.as_slice();
        while let Some(header) = super::super::stream::Header::read(rest) {
            let (one, behind) = rest.split_at(header.head + header.length);
            messages.push(one.to_vec());
            rest = behind;
        }
        messages.push(unhex("060F00"));
        let dialect = zvt(if tcp { "zvt-tcp" } else { "zvt" });
        let chunks = messages.iter().map(|message| {
            let bytes = if tcp { message.clone() } else { shape().wrap(message) };
            (Direction::Either, bytes, 1)
        });
        let (said, counts) = run(&dialect, chunks);
        prop_assert_eq!(counts.rejected, 0);
        for digits in digits_out(&said) {
            prop_assert!(!shows(&digits, &number), "form {}: {} in {}", kind, number, digits);
        }
    }
}

#[test]
fn a_masked_number_is_kept_as_it_is_and_a_clear_one_loses_its_middle() {
    let card = |pan: &str| {
        let number = unhex(pan);
        let said = run(
            &zvt("zvt-tcp"),
            [(
                Direction::Either,
                {
                    message(
                        0x040f,
                        &[&[0x27, 0, 0x0b, 0, 7, 4][..], &llvar(0x22, &number)].concat(),
                    )
                },
                0,
            )],
        );
        let Some(Decoded::Said { body: Body::AuthorizationAnswered { keys, .. }, .. }) =
            said.0.first()
        else {
            panic!("a result")
        };
        keys.card.and_then(|card| card.pan).map(|pan| pan.to_string())
    };
    assert_eq!(card("559883EEEEEE8074").as_deref(), Some("559883******8074"));
    assert_eq!(card("4111111111111111").as_deref(), Some("411111******1111"));
    assert_eq!(card("378282246310005F").as_deref(), Some("378282******0005"));
    assert_eq!(card("EEEEEEEEEEEE4771").as_deref(), Some("******4771"));
    assert_eq!(card(""), None);
}

#[test]
fn a_password_of_the_till_is_not_kept() {
    let (said, _) = run(&zvt("zvt-tcp"), [(Direction::Either, unhex("065003 918273"), 0)]);
    let Some(Decoded::Said { evidence: Evidence::Frame(bytes), .. }) = said.first() else {
        panic!("a close of the day")
    };
    assert_eq!(bytes.as_ref(), unhex("065003 EEEEEE"));
}
