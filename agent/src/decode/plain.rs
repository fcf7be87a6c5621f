//! Text without what is not text: control signs, colours of a terminal window, signs without width. What stands between
//! two digits must not hide that they belong together.

use std::borrow::Cow;

/// The text as it is read on; copied only where something goes.
#[inline]
pub(crate) fn plain(text: Cow<'_, str>) -> Cow<'_, str> {
    // Without an early out, so that the compiler looks at many bytes at once.
    let is_control = |byte: u8| (byte < b' ') & (byte != b'\t') | (byte == 0x7f);
    let has_control = text.bytes().fold(false, |found, byte| found | is_control(byte));
    if !has_control && (text.is_ascii() || !text.chars().any(is_odd)) {
        return text;
    }
    Cow::Owned(without_odd(&text))
}

/// Signs without width, and digits that are not ASCII's.
#[inline]
fn is_odd(sign: char) -> bool {
    // Nearly all signs of a text are among these.
    let is_usual = matches!(sign, ' '..='~' | '\u{3000}'..='\u{fefe}');
    !is_usual
        && (matches!(sign, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{80}'..='\u{9f}')
            || digit(sign).is_some())
}

/// The digit that a sign of double width, or an Arabic or Persian one, is.
fn digit(sign: char) -> Option<char> {
    let zero = match sign {
        '０'..='９' => '０',
        '\u{660}'..='\u{669}' => '\u{660}',
        '\u{6f0}'..='\u{6f9}' => '\u{6f0}',
        _ => return None,
    };
    char::from_digit(u32::from(sign) - u32::from(zero), 10)
}

#[cold]
fn without_odd(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut signs = text.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '\u{1b}' => skip_escape(&mut signs),
            '\t' => out.push('\t'),
            sign => match digit(sign) {
                Some(digit) => out.push(digit),
                None if sign.is_control() || is_odd(sign) => {}
                None => out.push(sign),
            },
        }
    }
    out
}

/// Reads over the rest of `ESC [ … letter`, or of nothing where it is another sequence.
fn skip_escape(signs: &mut std::str::Chars<'_>) {
    let mut ahead = signs.clone();
    if ahead.next() != Some('[') {
        return;
    }
    while ahead.clone().next().is_some_and(|sign| matches!(sign, '0'..='9' | ';' | '?')) {
        ahead.next();
    }
    ahead.next();
    *signs = ahead;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(plain(Cow::Borrowed(text)), expected);
    }

    #[test]
    fn only_text_is_left() {
        check("消费\tpaid", "消费\tpaid");
        check("62\u{0}25\u{7f}76\u{200b}0", "6225760");
        check("\u{1b}[1;31mERROR\u{1b}[0m paper", "ERROR paper");
        check("６２２5", "6225");
        check("\u{666}\u{662}\u{6f2}5", "6225");
        check("\u{1b}", "");
        check("\u{1b}[12", "");
    }
}
