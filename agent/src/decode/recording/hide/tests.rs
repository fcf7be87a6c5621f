//! A card number in every form that a line carries it in, whole and cut, and what stays as it is.

use super::*;
use crate::decode::scrub::tests::card_number;
use proptest::prelude::*;

fn number() -> String {
    card_number("622576", 16, 3)
}

fn packed(digits: &str) -> Vec<u8> {
    let nibble = |byte: u8| if byte.is_ascii_digit() { byte - b'0' } else { byte - b'A' + 10 };
    digits.as_bytes().chunks(2).map(|pair| (nibble(pair[0]) << 4) | nibble(pair[1])).collect()
}

/// Everything that comes out of a line, read in chunks of `size`.
fn recorded(bytes: &[u8], size: usize) -> Vec<u8> {
    let mut hider = Hider::new(Direction::Either);
    let mut pieces = Vec::new();
    for (at, chunk) in bytes.chunks(size).enumerate() {
        pieces.extend(hider.push(chunk, Uptime(at as u64)));
    }
    pieces.extend(hider.let_go());
    pieces.into_iter().flat_map(|(_, _, bytes)| bytes).collect()
}

/// Neither the digits nor their halves may be anywhere.
#[track_caller]
fn check_hidden(bytes: &[u8]) {
    let number = number();
    let middle = &number[6..12];
    for size in [1, 7, bytes.len()] {
        let out = recorded(bytes, size);
        let text: String = out.iter().map(|&byte| char::from(byte)).collect();
        let hex: String = out.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(!text.contains(middle), "{text}");
        assert!(!hex.contains(middle), "{hex}");
    }
}

#[test]
fn a_card_number_is_hidden_in_every_form() {
    let number = number();
    check_hidden(format!("2026-11-24 pan={number} rc=00\r\n").as_bytes());
    check_hidden(
        format!("card {} {} {} {}\n", &number[..4], &number[4..8], &number[8..12], &number[12..])
            .as_bytes(),
    );
    check_hidden(&Shape::stx_etx().wrap(format!("0210|00|{number}|1250").as_bytes()));
    check_hidden(&[vec![0x5a, 0x08], packed(&number), vec![0x9f, 0x20]].concat());
    check_hidden(
        &usual_frames().shapes[0]
            .wrap(&[vec![0x04, 0x0f, 0x22, 0xf0, 0xf8], packed(&number)].concat()),
    );
    check_hidden(format!("\x1b@SALE\n{number}\n\x1dV\x00").as_bytes());
}

#[test]
fn what_stands_behind_the_number_on_a_track_is_hidden_too() {
    let number = number();
    let second = format!("{number}D30122010000012345F");
    let track = [vec![0x00, 0x35, 0x37], packed(&second[..34]), vec![0x01]].concat();
    check_hidden(&track);
    let hex: String = recorded(&track, 7).iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(!hex.contains("30122"), "{hex}");
    let text = format!("\x02T2{number}=30122010000012345\x03\x00");
    let out = recorded(text.as_bytes(), text.len());
    assert!(!String::from_utf8_lossy(&out).contains("3012201"), "{out:?}");
}

#[test]
fn a_frame_gets_the_sum_of_what_is_left_so_that_it_can_be_read_and_tells_nothing() {
    let shapes = usual_frames().shapes;
    let number = number();
    for shape in &shapes[..3] {
        let secret = shape.wrap(format!("PAN{number}|").as_bytes());
        let hidden = format!("PAN{}******{}|", &number[..6], &number[12..]);
        assert_eq!(recorded(&secret, 5), shape.wrap(hidden.as_bytes()), "{shape:?}");
    }
    // A doubled 10 within the digits hides nothing.
    let number = card_number("621010", 16, 3);
    let zvt = shapes[0].wrap(&packed(&number));
    let out = recorded(&zvt, zvt.len());
    assert!(out.windows(2).any(|pair| pair == [0xee, 0xee]), "{out:x?}");
}

#[test]
fn a_number_cut_by_a_pause_shows_its_first_six_and_last_four_digits_at_most() {
    let number = number();
    let mut hider = Hider::new(Direction::ToDevice);
    let mut out = Vec::new();
    for (at, part) in [(0, &number[..9]), (1_000, &number[9..]), (2_000, "\n")] {
        out.extend(hider.push(part.as_bytes(), Uptime(at)));
    }
    out.extend(hider.let_go());
    let text: Vec<u8> = out.into_iter().flat_map(|(_, _, bytes)| bytes).collect();
    assert_eq!(
        String::from_utf8(text).unwrap(),
        format!("{}******{}\n", &number[..6], &number[12..])
    );
}

#[test]
fn what_holds_no_card_is_recorded_as_it_is_with_the_moment_of_each_read() {
    let mut hider = Hider::new(Direction::FromDevice);
    // In a row, some of these would be card numbers in BCD.
    let bytes: Vec<u8> = (0..=255).filter(|byte| byte >> 4 > 9 || byte & 0xf > 9).collect();
    assert!(hider.push(&bytes[..100], Uptime(10)).is_empty(), "it waits for the end of the burst");
    hider.push(&bytes[100..], Uptime(20));
    assert_eq!(hider.wake_at(), Some(Uptime(20 + GAP_MS)));
    let pieces = hider.settle(Uptime(20 + GAP_MS));
    let expected = [
        (Uptime(10), Direction::FromDevice, bytes[..100].to_vec()),
        (Uptime(20), Direction::FromDevice, bytes[100..].to_vec()),
    ];
    assert_eq!(pieces, expected);
}

/// Text as a till logs it: words, amounts and short numbers, none long enough for a card.
fn plain_lines() -> impl Strategy<Value = Vec<String>> {
    // Labels of secrets hide what stands behind them, card or not.
    let word = "(amt|stan|qty|rc|total|op|till)=[0-9]{1,6}|(sale|Approved|EUR|paper: ok|end;|[(]x[)]|a/b)|[消费元店铺]{1,4}|[0-9]{1,3}[.][0-9]{2}";
    let line = proptest::collection::vec(word, 0..12).prop_map(|words| words.join(" x "));
    proptest::collection::vec(line, 0..40)
}

#[test]
fn no_half_bytes_are_looked_for_in_text() {
    let log = "2026-11-24 09:30:01.120 evt=auth_response rc=00 amt=75831 cur=CNY stan=000417\r\n";
    assert_eq!(recorded(log.as_bytes(), 7), log.as_bytes());
    // As bytes it holds a number of a card in BCD.
    let number = "4yVW7xYa".as_bytes();
    let found = (0..u32::MAX).find_map(|seed| {
        let mut bytes = number.to_vec();
        bytes.iter_mut().zip(seed.to_le_bytes()).for_each(|(byte, more)| *byte ^= more & 7);
        let whole = [&b"amt "[..], &bytes, b" cur\n"].concat();
        (frame::frame(&mut whole.clone()) > 0).then_some(whole)
    });
    let text = found.expect("letters that are a number in BCD");
    assert_eq!(recorded(&text, 64), text);
}

#[test]
fn lines_that_do_not_fit_together_are_cut_between_lines() {
    let line =
        "2026-11-24 09:30:01.120 evt=auth_request amt=75831 rrn=412345678901 stan=000417 op=01\n";
    let log = line.repeat(3 * HELD_BYTES_MAX / line.len());
    for size in [7, 4_096, log.len()] {
        assert!(recorded(log.as_bytes(), size) == log.as_bytes(), "in chunks of {size}");
    }
}

#[test]
fn chinese_is_text_in_both_of_its_encodings() {
    let log = format!("消费 卡号:{} 金额 75.83元\n存根 请妥善保管\n", number());
    let hidden = log.replace(&number()[6..12], "******");
    assert_eq!(recorded(log.as_bytes(), 5), hidden.as_bytes());
    let encoded = |text: &str| encoding_rs::GB18030.encode(text).0.into_owned();
    assert_eq!(recorded(&encoded(&log), 5), encoded(&hidden));
}

proptest! {
    #[test]
    fn any_bytes_come_out_in_the_same_number_unless_a_card_was_among_them(
        bytes in proptest::collection::vec(any::<u8>(), 0..2_000),
        size in 1_usize..300,
    ) {
        let out = recorded(&bytes, size);
        // A number of thirteen digits is written with sixteen signs.
        prop_assert!(out.len() <= bytes.len() * 2);
        let mut copy = bytes.clone();
        if frame::frame(&mut copy) == 0 && !bytes.iter().any(u8::is_ascii_digit) {
            prop_assert_eq!(out, bytes);
        }
    }

    #[test]
    fn text_without_a_card_number_is_recorded_as_it_is(
        lines in plain_lines(),
        size in 1_usize..300,
    ) {
        let text = lines.join("\n") + "\n";
        prop_assert_eq!(String::from_utf8(recorded(text.as_bytes(), size)).unwrap(), text);
    }

    #[test]
    fn text_with_a_card_number_loses_it_and_nothing_else(
        lines in plain_lines(),
        before in "(pan=|card: |卡号:|sale )",
        behind in "(,| rc=00|; end|)",
        seed in 0_u64..100_000,
        size in 1_usize..300,
    ) {
        let number = card_number("622576", 16, seed);
        let mut lines = lines;
        lines.push(format!("{before}{number}{behind}"));
        let text = lines.join("\n") + "\n";
        let hidden = text.replace(&number, &format!("622576******{}", &number[12..]));
        prop_assert_eq!(String::from_utf8(recorded(text.as_bytes(), size)).unwrap(), hidden);
    }
}
