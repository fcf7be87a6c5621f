//! Chinese text on a screen: a sign is two columns wide, and a line may end behind any of them. Latin words, names of
//! options and paths are never cut.

/// Columns of a text.
pub fn columns(text: &str) -> usize {
    text.chars().map(|sign| if is_wide(sign) { 2 } else { 1 }).sum()
}

/// Chinese signs and the punctuation between them.
fn is_wide(sign: char) -> bool {
    matches!(sign, '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '“' | '”' | '…' | '—')
}

/// The text in lines of at most so many columns. Of the space where a line ends nothing is left.
pub fn lines(text: &str, columns_max: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for piece in pieces(text) {
        if columns(&line) + columns(piece.trim_end()) > columns_max && !line.is_empty() {
            lines.push(line.trim_end().to_owned());
            line.clear();
        }
        line.push_str(match line.is_empty() {
            true => piece.trim_start(),
            false => piece,
        });
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// The text in parts between which a line may end: behind a blank, or between two signs of which one is Chinese, but not
/// before a sign that closes nor behind one that opens.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut before: Option<char> = None;
    let mut inside = false;
    for (at, sign) in text.char_indices() {
        // A default stays in one piece: `[默认：60]`.
        inside = if sign == '[' { true } else { inside && before != Some(']') };
        let may_end = (!inside || sign == '[')
            && before.is_some_and(|before| {
                let between = is_wide(before) || is_wide(sign);
                let opens = "（“《【「".contains(before);
                let closes = "，。；：、）”》】」？！…".contains(sign);
                (before == ' ' || between && sign != ' ') && !opens && !closes
            });
        if may_end {
            pieces.push(&text[start..at]);
            start = at;
        }
        before = Some(sign);
    }
    pieces.push(&text[start..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, columns_max: usize, expected: &[&str]) {
        assert_eq!(lines(text, columns_max), expected, "{text}");
    }

    #[test]
    fn a_line_ends_where_chinese_may_and_never_inside_a_word() {
        check("终端和打印机", 8, &["终端和打", "印机"]);
        check("运行 slipwatch-agent ports 查看", 16, &["运行", "slipwatch-agent", "ports 查看"]);
        check("一二三四，五六", 8, &["一二三", "四，五六"]);
        check("一二三（四五）", 8, &["一二三", "（四五）"]);
        check("/a/path/that/is/too/long 好", 8, &["/a/path/that/is/too/long", "好"]);
        check("最多多少秒 [默认：60]", 16, &["最多多少秒", "[默认：60]"]);
        check("", 8, &[""]);
    }
}
