//! Card numbers in every form that devices log them in. The numbers are made here, none is anyone's.

use super::*;
use proptest::prelude::*;
use slipwatch_shared::card::has_check_digit;

mod alike;

/// A number with this beginning and length whose check digit is right; `seed` fills the middle.
pub(crate) fn card_number(prefix: &str, length: usize, seed: u64) -> String {
    let mut digits: Vec<u8> = prefix.bytes().map(|byte| byte - b'0').collect();
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    while digits.len() < length - 1 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        digits.push((state >> 33) as u8 % 10);
    }
    let ended = |last: u8| [&digits[..], &[last]].concat();
    digits = (0..10).map(ended).find(|digits| has_check_digit(digits)).expect("one of ten fits");
    digits.iter().map(|digit| char::from(b'0' + digit)).collect()
}

/// All lines through a scrubber, each followed by its end.
fn scrub(lines: &[&str]) -> Vec<String> {
    let mut scrubber = Scrubber::new([]);
    let mut out = Vec::new();
    for line in lines {
        if scrubber.line(line, 0, Uptime(0)) == Scrubbed::Clean {
            out.push((*line).to_owned());
        }
        out.extend(std::iter::from_fn(|| scrubber.next_line()).map(|line| line.0));
    }
    scrubber.let_go();
    out.extend(std::iter::from_fn(|| scrubber.next_line()).map(|line| line.0));
    out
}

#[track_caller]
fn check(line: &str, expected: &str) {
    assert_eq!(scrub(&[line]), [expected], "{} characters", line.len());
}

#[track_caller]
fn check_lines(lines: &[&str], expected: &[&str]) {
    assert_eq!(scrub(lines), expected);
}

#[test]
fn a_number_is_found_by_range_length_and_check_digit() {
    let number = card_number("622576", 16, 1);
    let last = &number[12..];
    check(&format!("pay {number} ok"), &format!("pay 622576******{last} ok"));
    check(&format!("x={number}."), &format!("x=622576******{last}."));
    let spaced = format!("{} {} {} {}", &number[..4], &number[4..8], &number[8..12], last);
    check(&format!("pay {spaced} ok"), &format!("pay 622576******{last} ok"));
    check(&format!("pay {} ok", spaced.replace(' ', "-")), &format!("pay 622576******{last} ok"));
    check(&format!("pay 16{number} ok"), &format!("pay 16622576******{last} ok"));
}

#[test]
fn a_label_makes_a_card_number_of_any_digits() {
    check("卡号：1234567890123456 ok", "卡号：123456******3456 ok");
    check("card no: 1234 5678 9012 3456 x", "card no: 123456******3456 x");
    check("pan=12345678x", "pan=123456**x");
    check("\"cardNo\":\"1234567890123\"", "\"cardNo\":\"123456******0123\"");
}

#[test]
fn other_numbers_stay() {
    let number = card_number("6228", 16, 9);
    for line in [
        "2026-11-24 09:30:05.120 stan=000123 rrn=632809000123 amount=12.50",
        "参考号:632809000123 授权码 123456 批次号:000001",
        "商户号 898310148160001 终端号 00000001",
        "card=622576******6691 entry=C",
        "****6691",
        "20261124093005",
    ] {
        check(line, line);
    }
    check(&format!("订单号：{number}"), &format!("订单号：{number}"));
    check(&format!("order_no={number} x"), &format!("order_no={number} x"));
    check(&format!("order=SHOP{number} x"), &format!("order=SHOP{number} x"));
}

#[test]
fn a_longer_number_than_its_label_allows_is_not_believed() {
    let number = card_number("4", 16, 5);
    let masked = format!("rrn={}******{} x", &number[..6], &number[12..]);
    check(&format!("rrn={number} x"), &masked);
    let spaced =
        format!("order {} {} {} {} x", &number[..4], &number[4..8], &number[8..12], &number[12..]);
    check(&spaced, &format!("order {}******{} x", &number[..6], &number[12..]));
}

#[test]
fn a_mask_that_shows_too_much_is_made_tighter() {
    check("62257600****6691 x", "622576******6691 x");
    check("6225 7600 **** 6691 x", "6225 76** **** 6691 x");
    check("622576****006691 x", "622576******6691 x");
    check("138****1234 x", "138****1234 x");
}

#[test]
fn tracks_are_removed_whole() {
    let number = card_number("622576", 16, 2);
    check(&format!(";{number}=25121010000012345? x"), ";[removed] x");
    check(&format!("t {number}D25121010000012345F x"), "t [removed] x");
    check(&format!("%B{number}^DOE/JOHN^2512101? x"), "%B[removed]? x");
}

#[test]
fn hexadecimal_is_read_through() {
    let number = card_number("622576", 16, 3);
    let last = &number[12..];
    let bytes = |text: &str| {
        let pairs = text.as_bytes().chunks(2);
        pairs.map(|pair| String::from_utf8_lossy(pair).into_owned()).collect::<Vec<_>>().join(" ")
    };
    check(
        &format!("tlv 9F2608AB5A08{number}5F24 x"),
        &format!("tlv 9F2608AB5A08622576******{last}5F24 x"),
    );
    check(&format!("57119F57 {number}D2512101FF x"), "57119F57 [removed] x");
    let dump = bytes(&format!("30200480{number}00A1"));
    let masked = digits_of(&scrub(&[&format!("send {dump} end")]).join(""));
    assert!(!masked.contains(&number[6..12]), "{masked}");
    let ascii: String = number.bytes().map(|byte| format!("{byte:02X}")).collect();
    let masked = scrub(&[&format!("send 02 {} 03 end", bytes(&ascii))]).join("");
    assert!(masked.contains(&format!("622576******{last}")), "{masked}");
    let nineteen = card_number("6222", 19, 4);
    let masked = scrub(&[&format!("5A0A{nineteen}F x")]).join("");
    assert_eq!(masked, format!("5A0A{}******{}F x", &nineteen[..6], &nineteen[15..]));
}

#[test]
fn a_number_in_codes_whose_codes_hold_another_number_shows_nothing_of_its_middle() {
    // As BCD the codes 34 35 33 39 33 35 35 35 are a number, too.
    check(
        "x 02 00 A0 33 34 35 33 39 33 35 35 30 33 34 39 39 35 38 F0 B1 C2 D3",
        "x 02 00 A0 33 34 35 33 39 33 ** ** ** ** ** 39 39 35 38 F0 B1 C2 D3",
    );
    check("x 333435333933353530333439393538 y", "x 333435333933**********39393538 y");
}

#[test]
fn codes_behind_half_a_byte_of_a_word_and_in_decimals_are_read() {
    let number = card_number("622576", 16, 3);
    let codes: String = number.bytes().map(|code| format!("{code:02x}")).collect();
    check(&format!("read{codes}0d"), &format!("read622576******{}0d", &number[12..]));
    let decimals: Vec<String> = number.bytes().map(|code| code.to_string()).collect();
    check(
        &format!("[2, 0, {}, 3]", decimals.join(", ")),
        &format!("[2, 0, 622576******{}, 3]", &number[12..]),
    );
}

#[test]
fn other_signs_than_blanks_part_a_number_in_the_groups_of_cards() {
    let number = card_number("622576", 16, 3);
    let written = |part: &str| {
        format!(
            "{}{part}{}{part}{}{part}{}",
            &number[..4],
            &number[4..8],
            &number[8..12],
            &number[12..]
        )
    };
    let masked = format!("x 622576******{} y", &number[12..]);
    for part in [".", "/", "_", "+", "%20", ",", "\u{2013}", "\u{2009}"] {
        check(&format!("x {} y", written(part)), &masked);
    }
    let address = format!("order_no={}", written("."));
    check(&address, &address);
    for line in ["192.168.1.100:8080", "2026/11/24 09:30", "1234.5678", "1,234,567.89"] {
        check(line, line);
    }
}

#[test]
fn behind_the_number_of_a_label_others_are_found() {
    let number = card_number("622576", 16, 7);
    let other = card_number("4", 16, 7);
    check(
        &format!("card 1234567890123456 {number} {other} x"),
        &format!(
            "card 123456******3456 622576******{} {}******{} x",
            &number[12..],
            &other[..6],
            &other[12..]
        ),
    );
}

#[test]
fn behind_more_signs_than_a_number_has_another_begins() {
    let number = card_number("622576", 16, 7);
    let signs = "*".repeat(32);
    check(&format!("1{signs}{number} x"), &format!("1{signs}622576******{} x", &number[12..]));
}

#[test]
fn behind_a_track_a_number_in_groups_is_found() {
    let number = card_number("4", 16, 7);
    let spaced = format!("{} {} {} {}", &number[..4], &number[4..8], &number[8..12], &number[12..]);
    let out = scrub(&["t=6225760000006691=25121010000012345", &spaced]).join("\n");
    assert_eq!(out, format!("t=[removed]\n {}** **** {}", &number[4..6], &number[12..]));
}

#[test]
fn a_number_in_front_of_a_dump_and_one_in_it_are_both_found() {
    let number = card_number("622576", 16, 7);
    let spaced = format!("{} {} {} {}", &number[..4], &number[4..8], &number[8..12], &number[12..]);
    let bytes = number.as_bytes().chunks(2).map(String::from_utf8_lossy).collect::<Vec<_>>();
    let out = scrub(&[&format!("{spaced}  00 {} A0 B0 C0", bytes.join(" "))]).join("");
    assert!(!digits_of(&out).contains(&number[6..12]), "{out}");
}

#[test]
fn of_more_lines_than_are_held_no_middle_is_let_go() {
    let number = card_number("622576", 16, 7);
    let lead = ["4"; HELD_LINES_MAX - 8];
    let digits: Vec<String> = number.chars().map(String::from).collect();
    let lines: Vec<&str> = lead.into_iter().chain(digits.iter().map(String::as_str)).collect();
    let out = scrub(&lines);
    let shown = out[lead.len()..].concat();
    assert!(shown.bytes().filter(u8::is_ascii_digit).count() <= 10, "{shown}");
    let long = format!("{} {}", "x".repeat(HELD_BYTES_MAX), &number[..10]);
    let out = scrub(&[&long, &number[10..]]).concat();
    assert!(out.ends_with(" 622576**********"), "{}", &out[HELD_BYTES_MAX..]);
}

#[test]
fn the_first_digits_of_a_longer_number_do_not_show_the_last_of_a_shorter() {
    // What stands behind a dump cannot be held: thirteen digits may be the first of sixteen.
    let dump = "06 42 72 08 46 63 92 11 18";
    let out = scrub(&[dump, "卡号: 3535941887521", "709"]);
    assert_eq!(out[1], "卡号: 353594*******");
}

#[test]
fn a_dump_is_known_behind_words_and_its_column_whatever_it_begins_and_ends_with() {
    let lines = |head: &str, column: [&str; 2]| {
        let first =
            format!("{head}0000  00 00 00 00 A0 B0 C0 D0 E0 F1 F2 51 00 03 14 20  {}", column[0]);
        let second =
            format!("{head}0010  36 41 80 F0 B1 C2 D3 00 00 00 00 AA BB CC DD EE  {}", column[1]);
        let out = scrub(&[&first, &second]).join("\n");
        assert!(!out.contains("14") && !out.contains("36 41") && !out.contains("6A"), "{out}");
    };
    lines("", ["...........Q... ", "6A.............."]);
    lines("tag: ", ["...........Q... ", "6A.............."]);
    lines("pid 1234 ", ["...........Q...", "6A.............."]);
    // What only is as long as a column is none: a number may begin in it.
    check("52 00 19 38 42 12 78 A4  pay 4305", "52 00 19 38 42 12 78 A4  pay 4305");
}

#[test]
fn a_dump_loses_its_column_of_characters_and_its_cut_numbers() {
    let number = card_number("4", 16, 6);
    let hex: Vec<String> = number.bytes().map(|byte| format!("{byte:02X}")).collect();
    let first =
        format!("0000  00 00 00 00 A0 B0 C0 D0 {}  ........{}", hex[..8].join(" "), &number[..8]);
    let second =
        format!("0010  {} A0 B0 C0 D0 00 00 00 00  {}........", hex[8..].join(" "), &number[8..]);
    let out = scrub(&[&first, &second]).join("\n");
    assert!(!out.contains(&number[..8]) && !out.contains(&number[8..]), "{out}");
    assert!(!out.contains(&hex[6..8].join(" ")) && !out.contains(&hex[8..10].join(" ")), "{out}");
}

#[test]
fn a_number_cut_by_a_line_end_is_masked_on_both_sides() {
    let number = card_number("622576", 16, 7);
    let masked = format!("pay 622576******{}", &number[12..]);
    for cut in 7..=15 {
        let (first, second) = number.split_at(cut);
        check_lines(
            &[&format!("pay {first}"), &format!("{second} ok"), "next"],
            &[&masked, " ok", "next"],
        );
    }
    for cut in 1..=6 {
        let (first, second) = number.split_at(cut);
        let out = scrub(&[&format!("pay {first}"), &format!("{second} ok")]);
        assert_eq!(out, [format!("pay {first}"), " ok".to_owned()]);
    }
}

#[test]
fn a_number_that_did_not_go_on_is_hidden_beyond_its_sixth_digit() {
    let mut scrubber = Scrubber::new([]);
    let number = card_number("622576", 16, 8);
    assert_eq!(scrubber.line(&format!("pay {}", &number[..12]), 0, Uptime(5)), Scrubbed::Ready);
    assert_eq!(scrubber.held_since(), Some(Uptime(5)));
    assert_eq!(scrubber.next_line(), None);
    scrubber.let_go();
    assert_eq!(scrubber.next_line(), Some(("pay 622576******".to_owned(), Uptime(5))));
    scrubber.line(&format!("{} late", &number[12..]), 0, Uptime(9));
    assert_eq!(scrubber.next_line(), Some((" late".to_owned(), Uptime(9))));
}

#[test]
fn the_time_at_the_head_of_a_line_does_not_part_a_number() {
    let number = card_number("4", 16, 11);
    let mut scrubber = Scrubber::new([]);
    scrubber.line(&format!("09:30:01 {}", &number[..9]), 9, Uptime(1));
    scrubber.line(&format!("09:30:02 {} ok", &number[9..]), 9, Uptime(2));
    let lines: Vec<String> =
        std::iter::from_fn(|| scrubber.next_line()).map(|line| line.0).collect();
    let masked = format!("09:30:01 {}******{}", &number[..6], &number[12..]);
    assert_eq!(lines, [masked, "09:30:02  ok".to_owned()]);
}

/// Any card number of a usual issuer.
pub(crate) fn any_card() -> impl Strategy<Value = String> {
    let issuers = prop_oneof![
        Just(("4", 16)),
        Just(("4", 13)),
        Just(("4", 19)),
        Just(("51", 16)),
        Just(("55", 16)),
        Just(("2221", 16)),
        Just(("34", 15)),
        Just(("37", 15)),
        Just(("36", 14)),
        Just(("3528", 16)),
        Just(("622576", 16)),
        Just(("6222", 19)),
        Just(("6217", 18)),
        Just(("6011", 16)),
        Just(("6759", 12)),
        Just(("6304", 17)),
        Just(("95588", 19)),
    ];
    (issuers, any::<u64>()).prop_map(|((prefix, length), seed)| card_number(prefix, length, seed))
}

/// How many ways [`written`] knows.
pub(crate) const FORMS: usize = 21;

/// The number as some device would write it.
pub(crate) fn written(number: &str, form: usize, cut: usize) -> String {
    let pairs = |text: &str, gap: &str| {
        let pairs = text.as_bytes().chunks(2);
        pairs.map(|pair| String::from_utf8_lossy(pair).into_owned()).collect::<Vec<_>>().join(gap)
    };
    let padded = if number.len() % 2 == 1 { format!("{number}F") } else { number.to_owned() };
    let fours = |gap: &str| {
        let groups = number.as_bytes().chunks(4);
        groups
            .map(|group| String::from_utf8_lossy(group).into_owned())
            .collect::<Vec<_>>()
            .join(gap)
    };
    let ascii: String = number.bytes().map(|byte| format!("{byte:02x}")).collect();
    let (left, right) = number.split_at(1 + cut % (number.len() - 1));
    match form {
        0 => number.to_owned(),
        1 => fours(" "),
        2 => fours("-"),
        3 => format!("{left}\n{right}"),
        4 => format!("{left} \r\n {right}"),
        5 => format!("{number}=25121010000012345"),
        6 => format!("{number}D25121010000012345F"),
        7 => format!("5A{:02X}{padded}9F3303E0F8C8", padded.len() / 2),
        8 => format!("02 00 A0 {} F0 B1 C2 D3", pairs(&padded, " ")),
        9 => format!("02 00 A0 {} F0 B1 C2 D3", pairs(&ascii, " ")),
        10 => format!("02-00-{}-A1-B2", pairs(&ascii, "-")),
        11 => format!("{ascii}0d0a"),
        12 => format!("F02={number}"),
        13 => format!("卡号：{left} {right}"),
        14 => format!("{{\"pan\":\"{number}\"}}"),
        15 => format!("{:02}{number}", number.len()),
        16 => format!("hex={ascii}"),
        17 => fours("."),
        18 => fours("%20"),
        19 => format!("read{ascii}0d"),
        _ => format!("{left}\n{right}\nF35={number}D2512"),
    }
}

/// What may stand before a card number: letters of which no label is made that calls it another one, such as `sn`.
pub(crate) const NO_LABEL: &str = "[a-cp-zA-CP-Z消费金额 :=,]{0,12}";

/// The digits and stars of a text, without what stands between them.
pub(crate) fn digits_of(text: &str) -> String {
    text.chars().filter(|sign| sign.is_ascii_digit() || *sign == '*').collect()
}

/// Whether more of a card number than may be stands in what [`digits_of`] left of a text: seven digits beside the first
/// six or the last four, or all between with two on either side. Fewer stand beside them by chance, once in some runs.
pub(crate) fn shows(digits: &str, number: &str) -> bool {
    let length = number.len();
    let head = &number[..13.min(length - 1)];
    let tail = &number[1.max(length.saturating_sub(11))..];
    let middle = &number[4..length - 2];
    digits.contains(head) || digits.contains(tail) || middle.len() > 9 && digits.contains(middle)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn no_middle_of_a_number_is_ever_let_out(
        number in any_card(), form in 0..FORMS, cut in any::<usize>(),
        before in NO_LABEL, after in "[g-zG-Z消费金额 :,]{0,12}",
        lines in prop::collection::vec("[ -@\\[-cp-~消费]{0,20}", 0..3),
    ) {
        let text = format!("{}\n{before} {} {after}\n{}", lines.join("\n"), written(&number, form, cut), lines.join("\n"));
        let cut: Vec<&str> = text.split(['\n', '\r']).filter(|line| !line.is_empty()).collect();
        let out = scrub(&cut);
        let clear = digits_of(&out.join("\n"));
        prop_assert!(!shows(&clear, &number), "a part of {number} stands in {out:?}");
        // Its middle in ASCII codes. Those of two digits, all that a short number hides, stand elsewhere by chance.
        let hidden = &number[6..number.len() - 4];
        let codes: String = hidden.bytes().map(|byte| format!("3{}", char::from(byte))).collect();
        prop_assert!(hidden.len() < 5 || !clear.contains(&codes), "codes of {number} stand in {out:?}");
    }

    #[test]
    fn known_numbers_survive(
        rrn in "[0-9]{12}", stan in "[0-9]{6}", order in "[0-9]{16,32}", number in any_card(),
    ) {
        let line = format!("stan={stan} rrn={rrn} 订单号:{order} 商户号:898310148160001 x={number} end");
        let out = scrub(&[&line]).join("");
        for id in [&stan, &rrn, &order] {
            prop_assert!(out.contains(id.as_str()), "{id} is gone from {out}");
        }
        prop_assert!(!out.contains(&number));
    }

    #[test]
    fn nothing_makes_it_panic(lines in prop::collection::vec("[0-9A-F =D*x:\u{3000}：卡号pin^?\t-]{0,60}", 0..8)) {
        let borrowed: Vec<&str> = lines.iter().map(String::as_str).collect();
        prop_assert_eq!(scrub(&borrowed).len(), lines.len());
    }

    #[test]
    fn any_text_keeps_its_lines(lines in prop::collection::vec("\\PC{0,80}", 0..8)) {
        let borrowed: Vec<&str> = lines.iter().map(String::as_str).collect();
        prop_assert_eq!(scrub(&borrowed).len(), lines.len());
    }
}
