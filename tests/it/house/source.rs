//! Rust text read as far as the floors need it: comments and literals blanked, tests cut off, and the paths that are
//! named, written out. Reads text only; never runs or compiles it.

/// A path that a file names, written out (`crate::edge::store`), and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub line: usize,
    pub path: Vec<String>,
}

/// The file's code without its tests, comments and literals; line ends stay where they are.
pub fn code_only(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let skipped = literal_bytes(rest, code.chars().next_back());
        if skipped > 0 {
            code.extend(rest[..skipped].chars().map(|char| if char == '\n' { '\n' } else { ' ' }));
            rest = &rest[skipped..];
        } else {
            code.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    without_tests(&code)
}

/// The texts that a file's code holds, outside its tests, each with its line and with the calls and attributes that it
/// stands in: `["map_err", "format!"]`.
pub fn texts(text: &str) -> Vec<(usize, Vec<String>, String)> {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let mut found = Vec::new();
    let mut within: Vec<String> = Vec::new();
    let mut code = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let skipped = literal_bytes(rest, code.chars().next_back());
        if skipped == 0 {
            match next {
                '(' | '[' | '{' => within.push(last_path(&code)),
                ')' | ']' | '}' => drop(within.pop()),
                _ => {}
            }
            code.push(next);
            rest = &rest[next.len_utf8()..];
            continue;
        }
        let literal = &rest[..skipped];
        if literal.starts_with(['"', 'r']) {
            let line = text[..text.len() - rest.len()].matches('\n').count() + 1;
            found.push((line, within.clone(), unescaped(literal)));
        }
        code.push(' ');
        rest = &rest[skipped..];
    }
    found
}

/// The path that some code ends with: `tracing::warn!`.
fn last_path(code: &str) -> String {
    let is_part = |sign: char| sign.is_alphanumeric() || "_:!.".contains(sign);
    let start = code.rfind(|sign| !is_part(sign)).map_or(0, |at| at + 1);
    code.get(start..).unwrap_or_default().to_owned()
}

/// What a literal says.
fn unescaped(literal: &str) -> String {
    let inner = literal.trim_start_matches(['r', '#']).trim_end_matches('#');
    let inner = inner.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(inner);
    if literal.starts_with('r') {
        return inner.to_owned();
    }
    let mut text = String::new();
    let mut signs = inner.chars().peekable();
    while let Some(sign) = signs.next() {
        match (sign, signs.peek()) {
            ('\\', Some('\n')) => while signs.next_if(|sign| sign.is_whitespace()).is_some() {},
            ('\\', Some('n')) => text.extend(signs.next().map(|_| '\n')),
            ('\\', Some(_)) => text.extend(signs.next()),
            (sign, _) => text.push(sign),
        }
    }
    text
}

/// Bytes of the comment, string or character that `text` begins with; 0 where it is code.
fn literal_bytes(text: &str, before: Option<char>) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return text.find("*/").map_or(text.len(), |end| end + 2);
    }
    let in_word = before.is_some_and(|char| char.is_alphanumeric() || char == '_');
    let prefix = text.len() - text.trim_start_matches(['b', 'c']).len();
    let raw = &text[prefix..];
    if !in_word && prefix <= 1 && raw.starts_with('r') {
        let hashes = raw[1..].bytes().take_while(|&byte| byte == b'#').count();
        if raw[1 + hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let from = prefix + 2 + hashes;
            return text[from..].find(&end).map_or(text.len(), |at| from + at + end.len());
        }
    }
    match text.as_bytes()[0] {
        b'"' => 1 + closing(&text[1..], '"'),
        b'\'' => character_bytes(text),
        _ => 0,
    }
}

/// Bytes up to and with the closing sign, escapes respected.
fn closing(text: &str, sign: char) -> usize {
    let mut escaped = false;
    for (at, char) in text.char_indices() {
        match (escaped, char) {
            (false, '\\') => escaped = true,
            (false, char) if char == sign => return at + 1,
            _ => escaped = false,
        }
    }
    text.len()
}

/// A character literal, not a lifetime.
fn character_bytes(text: &str) -> usize {
    let mut chars = text[1..].chars();
    match (chars.next(), chars.next()) {
        (Some('\\'), _) => 1 + closing(&text[1..], '\''),
        (Some(char), Some('\'')) => 2 + char.len_utf8(),
        _ => 0,
    }
}

/// Blanks each item behind `#[cfg(test)]`: tests may use what their room may not.
fn without_tests(code: &str) -> String {
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        kept.push_str(&rest[..at]);
        let item = &rest[at..];
        let bytes = item_bytes(item);
        kept.extend(item[..bytes].chars().filter(|&char| char == '\n'));
        rest = &item[bytes..];
    }
    kept.push_str(rest);
    kept
}

/// Bytes of one item: up to its `;`, or its closing brace.
fn item_bytes(item: &str) -> usize {
    let mut depth = 0usize;
    for (at, byte) in item.bytes().enumerate() {
        match byte {
            b';' if depth == 0 => return at + 1,
            b'{' => depth += 1,
            b'}' if depth <= 1 => return at + 1,
            b'}' => depth -= 1,
            _ => {}
        }
    }
    item.len()
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Colons,
    Sign(u8),
}

fn tokens(code: &str) -> Vec<(usize, Token<'_>)> {
    let (mut found, mut line, mut at) = (Vec::new(), 1, 0);
    let bytes = code.as_bytes();
    while at < bytes.len() {
        let word = code[at..].bytes().take_while(|&byte| is_word(byte)).count();
        if word > 0 {
            found.push((line, Token::Word(&code[at..at + word])));
            at += word;
            continue;
        }
        if code[at..].starts_with("::") {
            found.push((line, Token::Colons));
            at += 2;
            continue;
        }
        match bytes[at] {
            b'\n' => line += 1,
            byte if byte.is_ascii_whitespace() => {}
            byte => found.push((line, Token::Sign(byte))),
        }
        at += 1;
    }
    found
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Every path of two steps and more that the code names, groups in braces written out.
pub fn named_paths(code: &str) -> Vec<Named> {
    let tokens = tokens(code);
    let (mut found, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        let starts = matches!(tokens[at].1, Token::Word(_))
            && matches!(tokens.get(at + 1), Some((_, Token::Colons)))
            && (at == 0 || tokens[at - 1].1 != Token::Colons);
        at = if starts { read_tree(&tokens, at, &[], &mut found) } else { at + 1 };
    }
    found
}

/// Reads `a::b::{c, d::e}` from `at` on below `above`; gives the place behind it.
fn read_tree(
    tokens: &[(usize, Token<'_>)],
    mut at: usize,
    above: &[String],
    found: &mut Vec<Named>,
) -> usize {
    let mut path = above.to_vec();
    let line = tokens.get(at).map_or(0, |token| token.0);
    loop {
        match tokens.get(at).map(|token| &token.1) {
            Some(Token::Word(word)) => path.push((*word).to_owned()),
            Some(Token::Sign(b'{')) => return read_group(tokens, at + 1, &path, found),
            _ => break,
        }
        at += 1;
        if tokens.get(at).map(|token| &token.1) != Some(&Token::Colons) {
            break;
        }
        at += 1;
    }
    found.push(Named { line, path });
    at
}

fn read_group(
    tokens: &[(usize, Token<'_>)],
    mut at: usize,
    above: &[String],
    found: &mut Vec<Named>,
) -> usize {
    while let Some((_, token)) = tokens.get(at) {
        at = match token {
            Token::Sign(b'}') => return at + 1,
            Token::Word(_) => read_tree(tokens, at, above, found),
            _ => at + 1,
        };
    }
    at
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let found: Vec<String> =
        named_paths(&code_only(text)).iter().map(|named| named.path.join("::")).collect();
    assert_eq!(found, expected, "in {text}");
}

#[test]
fn paths_are_found_where_code_names_them() {
    check(
        "use crate::edge::{clock, store::sqlite};",
        &["crate::edge::clock", "crate::edge::store::sqlite"],
    );
    check("fn f() -> std::fs::File { tokio::spawn(g) }", &["std::fs::File", "tokio::spawn"]);
    check("use a::{\n    b::{c, d},\n    self,\n};", &["a::b::c", "a::b::d", "a::self"]);
}

#[test]
fn texts_are_found_with_what_they_stand_in() {
    let code = "#[error(\"a {b} \\\n   c\")]\n// \"no\"\nlet x = y(format!(\"d\\n\"));\n#[cfg(test)]\nmod tests { f(\"e\") }";
    let found: Vec<(usize, String, String)> = texts(code)
        .into_iter()
        .map(|(line, within, text)| (line, within.join(" ").trim().to_owned(), text))
        .collect();
    let expected = [(1, "error", "a {b} c"), (4, "y format!", "d\n")];
    let expected = expected.map(|(line, within, text)| (line, within.to_owned(), text.to_owned()));
    assert_eq!(found, expected);
}

#[test]
fn comments_literals_and_tests_name_nothing() {
    check(
        "// tokio::spawn\n/* sled::open */ let a = \"std::fs \\\" b::c\"; let b = 'x'; x::y",
        &["x::y"],
    );
    check("let a = r#\"tokio::\"spawn\"#; let b: &'a str = b\"a::b\"; c::d", &["c::d"]);
    check("#[cfg(test)]\nmod tests {\n use std::fs::File; fn f() {}\n}\nuse a::b;", &["a::b"]);
    check("#[cfg(test)]\nmod tests;\nuse a::b;", &["a::b"]);
}
