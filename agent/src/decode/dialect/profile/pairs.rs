//! `key=value` text: finds the pairs whose keys are fields. The order of the pairs does not matter.

use super::field::Field;
use memchr::memchr2_iter;

/// `：`, in UTF-8.
const WIDE_COLON: [u8; 3] = [0xef, 0xbc, 0x9a];

/// Longest key that is looked up.
const KEY_BYTES_MAX: usize = 32;

/// Which keys are which fields, and the sign between key and value.
#[derive(Debug)]
pub(super) struct Pairs {
    assign: u8,
    /// Keys by their length.
    by_length: Vec<Vec<(Box<str>, Field)>>,
}

impl Pairs {
    /// `assign` is the ASCII sign between key and value.
    pub fn new(assign: u8, keys: impl IntoIterator<Item = (Box<str>, Field)>) -> Pairs {
        let mut by_length = vec![Vec::new(); KEY_BYTES_MAX + 1];
        for (key, field) in keys {
            if let Some(bucket) = by_length.get_mut(key.len()) {
                bucket.push((key, field));
            }
        }
        Pairs { assign, by_length }
    }

    /// Whether a key can be looked up.
    pub fn is_key(key: &str) -> bool {
        (1..=KEY_BYTES_MAX).contains(&key.len()) && key.chars().all(is_key_sign)
    }

    /// Calls `found` with each pair of `text` whose key is a field.
    pub fn each<'t>(&self, text: &'t str, mut found: impl FnMut(Field, &'t str)) {
        let bytes = text.as_bytes();
        let mut behind = 0;
        // A colon may be of double width.
        let wide_end = if self.assign == b':' { WIDE_COLON[2] } else { self.assign };
        for sign in memchr2_iter(self.assign, wide_end, bytes) {
            if sign < behind {
                continue;
            }
            let before = match bytes[sign] == self.assign {
                true => &text[..sign],
                false if bytes[..=sign].ends_with(&WIDE_COLON) => &text[..sign - 2],
                false => continue,
            };
            let length = key_bytes(before);
            let Some(bucket) = self.by_length.get(length) else { continue };
            let key = &before[before.len() - length..];
            let Some((_, field)) = bucket.iter().find(|known| known.0.as_ref() == key) else {
                continue;
            };
            let (from, to) = value(bytes, sign + 1);
            behind = to;
            found(*field, &text[from..to]);
        }
    }
}

/// How many bytes at the end of a text are a key.
fn key_bytes(before: &str) -> usize {
    let bytes = before.as_bytes();
    let ascii =
        bytes.iter().rev().take(KEY_BYTES_MAX + 1).take_while(|&&byte| is_key_byte(byte)).count();
    if bytes[..bytes.len() - ascii].last().is_none_or(u8::is_ascii) {
        return ascii;
    }
    let signs = before.chars().rev().take(KEY_BYTES_MAX).take_while(|&sign| is_key_sign(sign));
    signs.map(char::len_utf8).sum()
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

fn is_key_sign(sign: char) -> bool {
    sign.is_alphanumeric() || matches!(sign, '_' | '.' | '-')
}

/// Where a value stands: in quotes, or up to a blank or a sign that ends a pair. All of these are ASCII, so the
/// ends are ends of characters.
fn value(bytes: &[u8], from: usize) -> (usize, usize) {
    if let Some(quote @ (b'"' | b'\'')) = bytes.get(from).copied() {
        let length = bytes[from + 1..].iter().take_while(|&&byte| byte != quote).count();
        return (from + 1, from + 1 + length);
    }
    let ends = |byte: &u8| matches!(byte, b' ' | b'\t' | b',' | b';' | b'|' | b'}' | b']' | b')');
    let length = bytes[from..].iter().take_while(|&byte| !ends(byte)).count();
    (from, from + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(Field, &str)]) {
        let keys = [("stan", Field::Stan), ("amt", Field::Amount), ("rc", Field::ResponseCode)];
        let pairs = Pairs::new(b'=', keys.map(|(key, field)| (key.into(), field)));
        let mut found = Vec::new();
        pairs.each(text, |field, value| found.push((field, value)));
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn pairs_are_found_in_any_order_and_amid_any_text() {
        check("pay stan=000123 amt=12.50", &[(Field::Stan, "000123"), (Field::Amount, "12.50")]);
        check("{amt=\"1 234.50\",stan=1}", &[(Field::Amount, "1 234.50"), (Field::Stan, "1")]);
        check("xstan=1 rc=", &[(Field::ResponseCode, "")]);
        check("消费 stan=1元 =", &[(Field::Stan, "1元")]);
        check("amt=\"open", &[(Field::Amount, "open")]);
        check("msg=amt=1 ===", &[(Field::Amount, "1")]);
    }

    #[test]
    fn keys_and_colons_may_be_chinese() {
        let pairs = Pairs::new(b':', [("金额".into(), Field::Amount)]);
        for text in ["应答 金额:0.20 x", "应答 金额：0.20 x", "，金额:0.20"] {
            let mut found = Vec::new();
            pairs.each(text, |field, value| found.push((field, value)));
            assert_eq!(found, [(Field::Amount, "0.20")], "{text}");
        }
    }
}
