//! The heads of logcat's forms: `threadtime` (the usual one), `time`, `brief`, `tag` and `long`, with or without a year.

/// Where a buffer begins: after a restart of the device, or of the program that reads it.
const BEGINNING: &[u8] = b"--------- ";

/// Levels of a message.
const LEVELS: &[u8] = b"VDIWEFAS";

/// What stood at the head of the message whose lines follow: `long` prints it once.
#[derive(Debug, Default)]
pub(super) struct Head {
    long: Option<Vec<u8>>,
}

impl Head {
    /// Writes a line as `time TAG: message`; false when it says nothing by itself. A line without a head stays as it is.
    pub fn line(&mut self, line: &[u8], out: &mut Vec<u8>) -> bool {
        if line.starts_with(BEGINNING) {
            self.long = None;
            return false;
        }
        if let Some((time, tag)) = long(line) {
            let mut head = Vec::new();
            put(&mut head, time, tag);
            self.long = Some(head);
            return false;
        }
        let (time, rest) = time(line);
        let found = threaded(rest).filter(|_| !time.is_empty()).or_else(|| slashed(rest));
        if let Some((tag, message)) = found {
            self.long = None;
            put(out, time, tag);
            out.extend_from_slice(message);
            return true;
        }
        if let Some(head) = &self.long {
            if line.trim_ascii().is_empty() {
                return false;
            }
            out.extend_from_slice(head);
        }
        out.extend_from_slice(line);
        true
    }
}

fn put(out: &mut Vec<u8>, time: &[u8], tag: &[u8]) {
    if !time.is_empty() {
        out.extend_from_slice(time);
        out.push(b' ');
    }
    out.extend_from_slice(tag);
    out.extend_from_slice(b": ");
}

/// Date and time at the head, and what follows; an empty time where there is none.
fn time(line: &[u8]) -> (&[u8], &[u8]) {
    let none = (&line[..0], line);
    let word =
        |from: usize| line[from..].iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
    let date = word(0);
    if !matches!(date, 5 | 10) || line[date - 3] != b'-' || line.get(date) != Some(&b' ') {
        return none;
    }
    let clock = word(date + 1);
    let is_clock = clock >= 8 && line[date + 3] == b':' && line[date + 6] == b':';
    let end = date + 1 + clock;
    match is_clock && line[..date].iter().all(|byte| byte.is_ascii_digit() || *byte == b'-') {
        true => (&line[..end], line[end..].trim_ascii_start()),
        false => none,
    }
}

/// A number and the blanks behind it.
fn number(text: &[u8]) -> Option<&[u8]> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = &text[digits..];
    (digits > 0 && rest.first() == Some(&b' ')).then(|| rest.trim_ascii_start())
}

/// `1234  1250 I TAG: message`, perhaps with a user's number in front.
fn threaded(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = number(number(text)?)?;
    let rest = number(rest).unwrap_or(rest);
    match rest {
        [level, b' ', rest @ ..] if LEVELS.contains(level) => tagged(rest),
        _ => None,
    }
}

/// `I/TAG( 1234): message`, `I/TAG: message`.
fn slashed(text: &[u8]) -> Option<(&[u8], &[u8])> {
    match text {
        [level, b'/', rest @ ..] if LEVELS.contains(level) => tagged(rest),
        _ => None,
    }
}

/// The tag, without the process's number behind it, and the message.
fn tagged(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut colons = memchr::memchr_iter(b':', text);
    // A tag may hold a colon, but not one with a blank behind it.
    let end = colons.find(|&at| text.get(at + 1).is_none_or(|&byte| byte == b' '))?;
    let message = text[end + 1..].strip_prefix(b" ").unwrap_or(&text[end + 1..]);
    let tag = &text[..end];
    let process = memchr::memrchr(b'(', tag).filter(|_| tag.ends_with(b")"));
    Some((tag[..process.unwrap_or(tag.len())].trim_ascii_end(), message))
}

/// `[ 11-24 09:30:01.120  1234: 1250 I/TAG ]`.
fn long(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let inside = line.trim_ascii_end().strip_prefix(b"[ ")?.strip_suffix(b"]")?;
    let (time, rest) = time(inside);
    let slash = memchr::memchr(b'/', rest)?;
    let is_level = slash > 0 && LEVELS.contains(&rest[slash - 1]);
    (!time.is_empty() && is_level).then(|| (time, rest[slash + 1..].trim_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &[&str], expected: &[&str]) {
        let mut head = Head::default();
        let found: Vec<String> = lines
            .iter()
            .filter_map(|line| {
                let mut out = Vec::new();
                head.line(line.as_bytes(), &mut out).then(|| String::from_utf8(out).expect("text"))
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn every_form_becomes_time_tag_and_message() {
        let expected = ["11-24 09:30:01.120 PosTrade: 发起 a: b"];
        check(&["11-24 09:30:01.120  2231  2290 I PosTrade: 发起 a: b"], &expected);
        check(&["11-24 09:30:01.120 10086  2231  2290 I PosTrade: 发起 a: b"], &expected);
        check(&["11-24 09:30:01.120  2231  2290 I PosTrade  : 发起 a: b"], &expected);
        check(&["11-24 09:30:01.120 I/PosTrade( 2231): 发起 a: b"], &expected);
        check(&["[ 11-24 09:30:01.120  2231: 2290 I/PosTrade ]", "发起 a: b", ""], &expected);
        check(&["I/PosTrade( 2231): 发起 a: b"], &["PosTrade: 发起 a: b"]);
        check(&["I/PosTrade: 发起 a: b"], &["PosTrade: 发起 a: b"]);
        check(
            &["2026-11-24 09:30:01.120  2231  2290 E a:b: c"],
            &["2026-11-24 09:30:01.120 a:b: c"],
        );
    }

    #[test]
    fn a_message_of_several_lines_has_its_head_on_each() {
        check(
            &[
                "[ 11-24 09:30:01.120  1: 2 I/T ]",
                "one",
                "two",
                "",
                "[ 11-24 09:30:02.120  1: 2 I/U ]",
                "three",
            ],
            &[
                "11-24 09:30:01.120 T: one",
                "11-24 09:30:01.120 T: two",
                "11-24 09:30:02.120 U: three",
            ],
        );
        check(&["11-24 09:30:01.120  1  2 I T: "], &["11-24 09:30:01.120 T: "]);
    }

    #[test]
    fn the_beginning_of_a_buffer_says_nothing_and_other_lines_stay() {
        check(
            &["--------- beginning of main", "- waiting for device -"],
            &["- waiting for device -"],
        );
        check(
            &["", "x", "11-24", "11-24 09", "I/", "[ ]", "1 2 I T: m"],
            &["", "x", "11-24", "11-24 09", "I/", "[ ]", "1 2 I T: m"],
        );
    }
}
