//! What is named as a secret: PIN blocks, card codes, tracks, and the fields of ISO 8583 that hold them. Found by the
//! name in front, because the values themselves look like anything.

use super::edit::{Edit, Put};
use super::issuer::{CARD_DIGITS_MAX, CARD_DIGITS_MIN};
use memchr::{memchr_iter, memchr3_iter};
use regex::{Regex, RegexBuilder};
use std::sync::LazyLock;

/// Names, a sign between, and the value. Group `pan` stands where the value is a card number (field 2).
const NAMED: &str = r#"(?x-u)
    (?: \b (?: (?:enc|encrypted|online|offline|card|user)? [\ _-]?
               (?: pin (?: [\ _-]? (?:block|blk|data|code|value|number|no) )?
                 | cvv2? | cvc2? | cvn2? | csc | cav2? )
             | (?: security | verification | validation ) [\ _-]? (?: code | value )
             | (?: track | trk | tk ) [\ _-]? [123]? (?: [\ _-]? data )?
             | (?: f | de | fld | field | bit ) [\ _.\#-]{0,2} 0{0,2} (?: (?P<pan>2) | 35 | 36 | 45 | 52 | 55 )
             | tag [\ _-]? (?: 56 | 57 | 9f6b | 9f20 )
             | (?P<bare> 57 | 9f6b | 9f20 )
           )
      | (?: 一|二|三|[123] )? 磁道 [123]? (?: 数据 )?
      | 密码 (?: 块|密文|数据 )? | 安全码 | PIN块
      | (?: 域 | 字段 ) \ ? 0{0,2} (?: (?P<han>2) | 35 | 36 | 45 | 52 | 55 )
      | id="0{0,2} (?: (?P<xml>2) | 35 | 36 | 45 | 52 | 55 ) "\ value
    )
    ["'\])]{0,2} \ {0,3} (?: = | -> | > | : | ： ) \ {0,3} ["'\[(<]{0,2}
    (?P<value> (?: [0-9a-f]{2} [\ -] ){3,} [0-9a-f]{2}
             | (?: [0-9a-f]{4} [\ -] ){2,} [0-9a-fd=]+
             | (?u: [^\ \t\n,;"'|)\]}<&] )+ )
"#;

/// Shorter values than this are flags and counters, not secrets.
const VALUE_BYTES_MIN: usize = 3;

/// The names, made ready once: a slip has a scrubber of its own.
static READY: LazyLock<Regex> = LazyLock::new(|| {
    let named = RegexBuilder::new(NAMED).case_insensitive(true).build();
    named.expect("a constant regex that the tests build")
});

/// Finds named secrets.
#[derive(Debug)]
pub(super) struct Secrets {
    named: &'static Regex,
}

impl Secrets {
    pub fn new() -> Secrets {
        Secrets { named: &READY }
    }

    /// Adds an edit for each secret of the text.
    pub fn find(&self, text: &str, edits: &mut Vec<Edit>) {
        if !may_name(text.as_bytes()) {
            return;
        }
        for found in self.named.captures_iter(text) {
            let Some(value) = found.name("value") else { continue };
            let digits = value.as_str().bytes().filter(u8::is_ascii_digit).count();
            let (from, to) = (value.start(), value.end());
            if ["pan", "han", "xml"].iter().any(|name| found.name(name).is_some()) {
                if digits >= CARD_DIGITS_MIN {
                    edits.push(card(value.as_str(), from, to));
                }
            } else if found.name("bare").is_some_and(|tag| is_minute(text, tag.start()))
                && digits < CARD_DIGITS_MIN
            {
                // The 57th minute of an hour is no track 2.
            } else if digits > 0 && value.len() >= VALUE_BYTES_MIN {
                edits.push(Edit { from, to, put: Put::Words("[removed]") });
            }
        }
    }
}

/// Whether two bytes are the last ones of a name above. A name that ends in a lone 1, 2 or 3 is not among them.
fn ends_name(first: u8, second: u8) -> bool {
    matches!(
        &[first.to_ascii_lowercase(), second.to_ascii_lowercase()],
        b"in" | b"ck" | b"lk" | b"rk" | b"tk" | b"ta" | b"de" | b"ue" | b"no" | b"vv" | b"vc" | b"vn" | b"sc" | b"av"
            | b"02" | b"20" | b"35" | b"36" | b"45" | b"52" | b"55" | b"56" | b"57" | b"6b" | b"k1" | b"k3"
            // 道, 据, 码, 块, 文.
            | b"\x81\x93" | b"\x8d\xae" | b"\xa0\x81" | b"\x9d\x97" | b"\x96\x87"
    )
}

/// The last byte of `：`.
const WIDE_COLON_END: u8 = 0x9a;

/// Whether one of the names can stand in the text: a look at what stands in front of each sign between name and
/// value, which spares nearly all lines the search proper.
fn may_name(bytes: &[u8]) -> bool {
    let follows_name = |sign: usize| {
        let before = &bytes[..sign];
        let is_between =
            |byte: &&u8| matches!(byte, b' ' | b'"' | b'\'' | b']' | b')' | b'-' | 0xbc | 0xef);
        let between = before.iter().rev().take(6).take_while(is_between).count();
        match before[..sign - between] {
            [.., b'b' | b'B', b'e' | b'E', b'r' | b'R'] => true,
            [.., first, b'1'..=b'3'] if !first.is_ascii_alphanumeric() => true,
            [.., first, b'2'] if !first.is_ascii_digit() => true,
            [.., first, second] => ends_name(first, second),
            _ => false,
        }
    };
    memchr3_iter(b'=', b':', b'>', bytes).any(follows_name)
        || (!bytes.is_ascii() && memchr_iter(WIDE_COLON_END, bytes).any(follows_name))
}

/// Whether what stands at `at` is the second part of a time of day (`08:57:46.128`).
fn is_minute(text: &str, at: usize) -> bool {
    matches!(text.as_bytes()[..at], [.., b'0'..=b'9', b':'])
}

/// A value that is a card number by its name; anything about it that is not as expected removes it whole.
fn card(value: &str, from: usize, to: usize) -> Edit {
    let trimmed = value.trim_end_matches(['F', 'f']);
    let digits: Vec<(usize, u8)> = trimmed
        .bytes()
        .enumerate()
        .filter(|(_, byte)| byte.is_ascii_digit())
        .map(|(at, byte)| (from + at, byte - b'0'))
        .collect();
    let plain = trimmed.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b' ' | b'-'));
    let put = match (digits.first_chunk::<6>(), digits.last_chunk::<4>()) {
        (Some(six), Some(four)) if plain && (11..=CARD_DIGITS_MAX).contains(&digits.len()) => {
            let hidden = (digits[6].0, digits[digits.len() - 5].0 + 1);
            Put::Card { six: six.map(|digit| digit.1), four: four.map(|digit| digit.1), hidden }
        }
        _ => Put::Words("[removed]"),
    };
    Edit { from, to, put }
}

#[cfg(test)]
mod tests {
    use super::super::edit::apply;
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut edits = Vec::new();
        Secrets::new().find(text, &mut edits);
        assert_eq!(apply(text, &mut edits), expected);
    }

    #[test]
    fn codes_and_pin_blocks_are_removed_by_their_names() {
        check("pin block: 1A2B3C4D5E6F7788 ok", "pin block: [removed] ok");
        check("encPin=12345678 rrn=1", "encPin=[removed] rrn=1");
        check("PINBLOCK=[12 34 56 78 9A BC DE F0]", "PINBLOCK=[[removed]]");
        check("\"cvv2\": \"123\"", "\"cvv2\": \"[removed]\"");
        check("CVN：456", "CVN：[removed]");
        check("密码密文=ABCDEF0123456789", "密码密文=[removed]");
        check("磁道2: 12345678", "磁道2: [removed]");
    }

    #[test]
    fn iso_fields_are_removed_or_masked_by_their_numbers() {
        check("F35=1234567890123456=2512", "F35=[removed]");
        check("field 052: 0011223344556677", "field 052: [removed]");
        check("DE55=[9F2608]", "DE55=[[removed]]");
        check("F02=1234567890123456", "F02=123456******3456");
        check(
            "<field id=\"35\" value=\"1234567890123456D2512\"/>",
            "<field id=\"35\" value=\"[removed]\"/>",
        );
        check(
            "<field id=\"2\" value=\"1234567890123456\"/>",
            "<field id=\"2\" value=\"123456******3456\"/>",
        );
        check("域36: 99123456", "域36: [removed]");
        check("57: 6225760000006691D2512", "57: [removed]");
        check("08:57: 6225760000006691D2512", "08:57: [removed]");
    }

    #[test]
    fn words_that_only_look_like_names_keep_their_values() {
        for text in [
            "shipping=12345",
            "pin=ok rrn=123456",
            "pin ok rrn=632809000123",
            "pin tries=3",
            "F39=00 F37=632809000123",
            "F2=on",
            "tracking=123456",
            "cvv result=M",
            "F04=000000001250",
            "2026-11-24 08:57:46.128 evt=x",
            "08:57:46",
        ] {
            check(text, text);
        }
    }
}
