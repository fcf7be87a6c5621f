//! Two card numbers of one length with the same first six and last four digits must come out the same: whatever differs tells
//! of their middles. A number beside others may, by its own digits, be masked more than the next; so what is compared are
//! those of which the same signs are hidden. All is reckoned, nothing drawn: what holds once holds always.

use super::*;
use std::collections::HashMap;

/// So many numbers are compared in each form and surroundings.
const NUMBERS: u64 = 24;

/// The numbers that show these digits.
fn alike(six: &str, four: &str, length: usize) -> Vec<String> {
    let middle = length - 10;
    let number = |seed: u64| {
        let digits = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
        let digits = format!("{:020}", digits % 10_u64.pow(middle as u32 - 1));
        let rest = &digits[21 - middle..];
        let fits = |first: &u8| {
            let number = format!("{six}{first}{rest}{four}");
            has_check_digit(&number.bytes().map(|byte| byte - b'0').collect::<Vec<u8>>())
        };
        let first = (0..=9_u8).find(fits).expect("one digit of ten makes the sum");
        format!("{six}{first}{rest}{four}")
    };
    (1..=NUMBERS).map(number).collect()
}

fn in_groups(text: &str, length: usize, part: &str) -> String {
    let groups = text.as_bytes().chunks(length).map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(part)
}

/// How many ways [`form`] knows beside those of [`written`].
const OWN_FORMS: usize = 15;

/// The number in a form that is none of paper.
fn form(number: &str, kind: usize, cut: usize) -> String {
    let codes: String = number.bytes().map(|code| format!("{code:02X}")).collect();
    let packed = if number.len() % 2 == 1 { format!("{number}F") } else { number.to_owned() };
    let filled = ["", "00", "0000", "000000"][cut % 4];
    let digits = |zero: u32| -> String {
        let digit = |code: u8| char::from_u32(zero + u32::from(code - b'0')).expect("a digit");
        number.bytes().map(digit).collect()
    };
    match kind {
        0 => in_groups(number, 4, "_"),
        1 => in_groups(number, 4, "+"),
        2 => in_groups(number, 4, "/"),
        3 => in_groups(number, 4, "\u{2013}"),
        4 => in_groups(number, 4, "\u{2009}"),
        5 => digits(0xff10),
        6 => digits(0x660),
        7 => digits(0x6f0),
        8 => format!("0010: {}", in_groups(&format!("0200{filled}{packed}F0B1C2D3E4F5"), 4, " ")),
        9 => format!("0010: {}", in_groups(&format!("0200{filled}0{packed}F0B1C2D3E4F"), 4, " ")),
        10 => {
            let codes: Vec<String> = number.bytes().map(|code| code.to_string()).collect();
            format!("[2, 0, 96, {}, 3, -17]", codes.join(", "))
        }
        11 => dumped(&packed, cut, "", |signs| format!("  {signs}")),
        12 => dumped(&codes, cut, "", |signs| format!("  |{signs}|")),
        13 => dumped(&codes, cut, "D/Hex: ", |signs| format!("  {signs}")),
        _ => dumped(&packed, cut, "", |_| String::new()),
    }
}

/// The bytes in a dump of sixteen a line, somewhere across a line's end.
fn dumped(bytes: &str, cut: usize, head: &str, column: fn(&str) -> String) -> String {
    let lead = "00000000A0B0C0D0E0F1F2F300000020";
    let all = format!("{}{bytes}F0B1C2D300000000AABBCCDDEEFF0102", &lead[..2 * (1 + cut % 15)]);
    let line = |(at, row): (usize, &[u8])| {
        let pairs: Vec<_> = row.chunks(2).map(String::from_utf8_lossy).collect();
        let sign = |pair: &std::borrow::Cow<'_, str>| match u8::from_str_radix(pair, 16) {
            Ok(code @ b' '..=b'~') => char::from(code),
            _ => '.',
        };
        let signs: String = pairs.iter().map(sign).collect();
        format!("{head}{:04X}  {}{}", 16 * at, pairs.join(" "), column(signs.trim_end()))
    };
    all.as_bytes().chunks(32).enumerate().map(line).collect::<Vec<_>>().join("\n")
}

/// What stands around: other numbers, labels, lines, dumps.
const AROUND: [(&str, &str); 11] = [
    ("x ", " y"),
    ("", ""),
    ("rrn=632809000123 ", "\n2026-11-24 09:30:05 next"),
    ("卡号: 4111111111111111 ", " end"),
    ("card 40358  ", "|13"),
    ("12 **************************** ", " end"),
    ("00 37 98 37 57 37 94 65 6F F0 B1 C2 D3\n", "\n00 00 00"),
    ("t=6304996909837040=25121010000012345\n", " x"),
    ("709077:", "\n\n1234 y"),
    ("4545142085374237 ", " 6011547207914106"),
    ("52 00 19 38 42 12 78 14 pay ", " 9651"),
];

/// Which signs of a text are hidden.
fn shape(text: &str) -> String {
    text.chars().map(|sign| if sign == '*' || sign.is_whitespace() { sign } else { '#' }).collect()
}

#[track_caller]
fn check(written: impl Fn(&str) -> String, numbers: &[String]) {
    let mut seen: HashMap<String, String> = HashMap::new();
    for number in numbers {
        let text = written(number);
        let lines: Vec<_> = text.split(['\n', '\r']).filter(|line| !line.is_empty()).collect();
        let lines: Vec<_> =
            lines.iter().map(|line| crate::decode::plain::plain((*line).into())).collect();
        let out = scrub(&lines.iter().map(|line| &**line).collect::<Vec<_>>()).join("\n");
        let first = seen.entry(shape(&out)).or_insert_with(|| out.clone());
        assert_eq!(*first, out, "of {text:?}");
    }
    assert!(seen.len() < numbers.len(), "no two are hidden alike, so nothing was compared");
}

#[test]
fn numbers_that_may_show_the_same_come_out_the_same_in_every_form() {
    let classes = [
        ("622576", "6691", 16),
        ("378282", "0005", 15),
        ("621706", "6518", 19),
        ("675999", "0012", 12),
        ("353534", "1588", 16),
    ];
    for (six, four, length) in classes {
        let numbers = alike(six, four, length);
        for (at, (before, behind)) in AROUND.iter().enumerate() {
            for kind in 0..FORMS + OWN_FORMS {
                let cut = 5 * at + 3 * kind;
                let put = |number: &str| match kind.checked_sub(FORMS) {
                    None => written(number, kind, cut),
                    Some(kind) => form(number, kind, cut),
                };
                check(|number| format!("{before}{}{behind}", put(number)), &numbers);
            }
        }
    }
}
