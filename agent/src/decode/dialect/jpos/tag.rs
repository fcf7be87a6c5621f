//! The tags of a line, whatever stands around them: a log is several documents with text before, between and behind
//! them, stack traces and torn entries inside. Comments and CDATA may go over lines; a tag does not.

/// What the line before left open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Inside {
    #[default]
    Nothing,
    Comment,
    Data,
}

/// A tag, or the text between two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// `<name …>`: its name, its attributes, and whether it ends itself.
    Begin { name: &'a str, attributes: &'a str, is_empty: bool },
    /// `</name>`.
    End { name: &'a str },
    /// What is no tag.
    Text(&'a str),
}

/// Calls `take` with each piece of a line; returns what it leaves open.
pub(super) fn pieces<'a>(line: &'a str, inside: Inside, mut take: impl FnMut(Piece<'a>)) -> Inside {
    let mut rest = line;
    let mut inside = inside;
    loop {
        let end = match inside {
            Inside::Nothing => "",
            Inside::Comment => "-->",
            Inside::Data => "]]>",
        };
        if !end.is_empty() {
            let Some(at) = rest.find(end) else { return inside };
            rest = &rest[at + end.len()..];
            inside = Inside::Nothing;
        }
        let Some(at) = rest.find('<') else {
            if !rest.trim().is_empty() {
                take(Piece::Text(rest));
            }
            return Inside::Nothing;
        };
        if !rest[..at].trim().is_empty() {
            take(Piece::Text(&rest[..at]));
        }
        rest = &rest[at..];
        if let Some(behind) = rest.strip_prefix("<!--") {
            (inside, rest) = (Inside::Comment, behind);
            continue;
        }
        if let Some(behind) = rest.strip_prefix("<![CDATA[") {
            (inside, rest) = (Inside::Data, behind);
            continue;
        }
        rest = &rest[1..];
        let ends = rest.starts_with('/');
        let named = if ends { &rest[1..] } else { rest };
        let is_name =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'.');
        let length = named.bytes().take_while(is_name).count();
        if length == 0 {
            continue;
        }
        let (name, behind) = named.split_at(length);
        let close = closing(behind);
        let attributes = &behind[..close];
        rest = behind[close..].strip_prefix('>').unwrap_or(&behind[close..]);
        match ends {
            true => take(Piece::End { name }),
            false => {
                let is_empty = attributes.ends_with('/');
                take(Piece::Begin { name, attributes, is_empty });
            }
        }
    }
}

/// Where a tag ends: at the first `>` outside quotes, or at the first of all where its quotes do not close.
fn closing(attributes: &str) -> usize {
    let mut quote = None;
    for (at, byte) in attributes.bytes().enumerate() {
        match (byte, quote) {
            (b'"' | b'\'', None) => quote = Some(byte),
            (_, Some(open)) if byte == open => quote = None,
            (b'>', None) => return at,
            _ => {}
        }
    }
    attributes.find('>').unwrap_or(attributes.len())
}

/// The value of an attribute.
pub(super) fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = attributes;
    loop {
        let at = rest.find(name)?;
        let is_whole = rest[..at].ends_with([' ', '\t']);
        let behind = &rest[at + name.len()..];
        rest = behind;
        let Some(behind) = behind.strip_prefix('=').filter(|_| is_whole) else { continue };
        let quote = behind.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let value = &behind[1..];
        return Some(&value[..value.find(quote)?]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &[&str], expected: &[&str]) {
        let mut found = Vec::new();
        let mut inside = Inside::Nothing;
        for line in lines {
            inside = pieces(line, inside, |piece| {
                found.push(match piece {
                    Piece::Begin { name, attributes, is_empty } => {
                        format!(
                            "<{name}{}{}",
                            attributes.trim_end_matches('/'),
                            if is_empty { "/>" } else { ">" }
                        )
                    }
                    Piece::End { name } => format!("</{name}>"),
                    Piece::Text(text) => text.trim().to_owned(),
                });
            });
        }
        assert_eq!(found, expected);
    }

    #[test]
    fn tags_are_found_in_whatever_stands_around_them() {
        check(&["noise <log at=\"x\">"], &["noise", "<log at=\"x\">"]);
        check(
            &["<field id=\"0\" value=\"a>b\"/><log>"],
            &["<field id=\"0\" value=\"a>b\"/>", "<log>"],
        );
        check(&["a < b <= c </send> d"], &["a", "b", "= c", "</send>", "d"]);
        check(&["<l not quite", "</x"], &["<l not quite>", "</x>"]);
        check(&["<exception name=\"``A=1 > 2>"], &["<exception name=\"``A=1 >", "2>"]);
    }

    #[test]
    fn comments_and_data_are_read_over() {
        check(&["<a><!-- <field/> --><b/>"], &["<a>", "<b/>"]);
        check(&["<f><![CDATA[<isomsg>", "<f id=\"0\"/>", "]]></f>"], &["<f>", "</f>"]);
        check(&["<!-- never", "ends"], &[]);
    }

    #[test]
    fn an_attribute_is_a_word_of_its_own() {
        assert_eq!(attribute(" realm=\"a/b:1\" at=\"c\"", "at"), Some("c"));
        assert_eq!(attribute(" format=\"x\" at='y'", "at"), Some("y"));
        assert_eq!(attribute(" id=\"1\"", "value"), None);
        assert_eq!(attribute(" value=\"torn", "value"), None);
    }
}
