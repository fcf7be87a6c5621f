//! Sentences with holes, `expected {} to {}`, and their Chinese. What an error says is looked up here when it is shown, and
//! what stands in the holes once more: libraries and the system have their words only as text. What is not found stays
//! English; a test reads the sources and finds each sentence that is missing.

use crate::{Pairs, system};
use std::collections::HashMap;

/// Signs that join sentences.
const JOINTS: [(&str, &str); 3] = [("; ", "；"), (": ", "："), (", ", "，")];

/// Joints beyond which a text is not taken apart: it is no sentence of anybody's.
const JOINTS_MAX: usize = 40;

/// The Chinese of an English text: by the program's own sentences, those of the system, and as far as it is known.
pub fn chinese(sentences: Pairs, english: &str) -> String {
    Search { sentences, known: HashMap::new() }.chinese(english)
}

/// Whether a sentence is one that the system says, and both programs.
pub fn is_of_the_system(sentence: &str) -> bool {
    system::SENTENCES.iter().any(|(english, _)| *english == sentence)
}

/// A place in a file, or an address, that stands before a sentence: `agent.toml:3`.
fn place(english: &str) -> Option<(&str, &str)> {
    let (place, rest) = english.split_once(": ")?;
    let number = place.rsplit_once(':')?.1;
    number.bytes().all(|byte| byte.is_ascii_digit()).then_some((place, rest))
}

/// One text, and what of its parts was looked up: many ways of taking it apart come to the same parts.
struct Search<'a> {
    sentences: Pairs,
    known: HashMap<&'a str, Option<String>>,
}

impl<'a> Search<'a> {
    fn chinese(&mut self, english: &'a str) -> String {
        self.find(english).unwrap_or_else(|| english.to_owned())
    }

    fn find(&mut self, english: &'a str) -> Option<String> {
        if let Some(known) = self.known.get(english) {
            return known.clone();
        }
        let found = match english.contains('\n') {
            true => self.lines(english),
            false => self.line(english),
        };
        self.known.insert(english, found.clone());
        found
    }

    fn lines(&mut self, english: &'a str) -> Option<String> {
        let lines: Vec<_> = english.lines().map(|line| (self.find(line), line)).collect();
        let is_known = lines.iter().any(|(said, _)| said.is_some());
        let lines = lines.into_iter().map(|(said, line)| said.unwrap_or_else(|| line.to_owned()));
        is_known.then(|| lines.collect::<Vec<_>>().join("\n"))
    }

    fn line(&mut self, english: &'a str) -> Option<String> {
        let words = english.trim_start_matches(' ');
        let indent = &english[..english.len() - words.len()];
        let found = self.placed(words).or_else(|| self.numbered(words));
        let found = found.or_else(|| self.whole(words)).or_else(|| self.joined(words))?;
        Some(format!("{indent}{found}"))
    }

    fn placed(&mut self, words: &'a str) -> Option<String> {
        let (place, rest) = place(words)?;
        Some(format!("{place}: {}", self.find(rest)?))
    }

    fn numbered(&mut self, words: &'a str) -> Option<String> {
        let (said, number) = words.strip_suffix(')')?.rsplit_once(" (os error ")?;
        Some(format!("{}（os error {number}）", self.find(said)?))
    }

    fn whole(&mut self, english: &'a str) -> Option<String> {
        let all = self.sentences.iter().chain(system::SENTENCES);
        let fitting =
            all.filter_map(|(pattern, chinese)| Some((pattern, chinese, holes(pattern, english)?)));
        // The one that says most of it itself.
        let best = fitting.max_by_key(|(pattern, ..)| pattern.replace("{}", "").len());
        let (_, chinese, holes) = best?;
        let mut said = Vec::new();
        for hole in holes {
            // What is quoted is somebody else's word.
            let at = hole.as_ptr() as usize - english.as_ptr() as usize;
            said.push(match english[..at].ends_with(['`', '"', '\'']) {
                true => hole.to_owned(),
                false => self.chinese(hole),
            });
        }
        Some(fill(chinese, &said))
    }

    /// The Chinese of sentences that are joined: both known, where there is such a place, else one of them.
    fn joined(&mut self, english: &'a str) -> Option<String> {
        let places = JOINTS.iter().flat_map(|(joint, sign)| {
            english.rmatch_indices(joint).map(move |(at, _)| (at, joint, sign))
        });
        let places: Vec<_> = places.filter(|_| joints(english) <= JOINTS_MAX).collect();
        let mut half = None;
        for (at, joint, sign) in places {
            let parts = [&english[..at], &english[at + joint.len()..]];
            let parts = parts.map(|part| (self.find(part), part));
            let known = parts.iter().filter(|(said, _)| said.is_some()).count();
            let text = || {
                let [first, rest] =
                    parts.clone().map(|(said, part)| said.unwrap_or_else(|| part.to_owned()));
                format!("{first}{sign}{rest}")
            };
            match known {
                2 => return Some(text()),
                1 => half = half.or_else(|| Some(text())),
                _ => {}
            }
        }
        half
    }
}

/// At how many places a text may be two sentences.
fn joints(english: &str) -> usize {
    JOINTS.iter().map(|(joint, _)| english.matches(joint).count()).sum()
}

/// What stands in the holes of a pattern, where the text is of it; each hole as short as it can be.
fn holes<'a>(pattern: &str, text: &'a str) -> Option<Vec<&'a str>> {
    let (first, behind) = match pattern.split_once("{}") {
        None => return (pattern == text).then(Vec::new),
        Some(parts) => parts,
    };
    let mut rest = text.strip_prefix(first)?;
    let mut holes = Vec::new();
    let mut literals = behind.split("{}").peekable();
    while let Some(literal) = literals.next() {
        let at = match literals.peek() {
            Some(_) => rest.find(literal)?,
            None => rest.strip_suffix(literal)?.len(),
        };
        holes.push(&rest[..at]);
        rest = &rest[at + literal.len()..];
    }
    Some(holes)
}

/// Puts what stood in the holes into the Chinese: `{}` in their order, `{0}` by their number.
fn fill(chinese: &str, holes: &[String]) -> String {
    let mut text = String::new();
    let mut rest = chinese;
    let mut next = 0;
    while let Some((before, behind)) = rest.split_once('{') {
        let (number, behind) = behind.split_once('}').unwrap_or(("", behind));
        let at = number.parse().unwrap_or(next);
        next += 1;
        text.push_str(before);
        text.push_str(holes.get(at).map_or("", String::as_str));
        rest = behind;
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENTENCES: Pairs = &[
        ("{}: cannot be read", "{} 无法读取"),
        ("expected {}, found {}", "应为{}，实际是 {}"),
        ("a day", "日期"),
        ("{} of {}", "{1}的{0}"),
        ("did you mean `{}`?", "是不是想写 `{}`？"),
        ("no room on {}: {}", "{} 上没有空间：{}"),
    ];

    #[track_caller]
    fn check(english: &str, expected: &str) {
        assert_eq!(chinese(SENTENCES, english), expected, "{english}");
    }

    #[test]
    fn a_sentence_is_found_with_what_stands_in_its_holes() {
        check("expected a day, found \"x\"", "应为日期，实际是 \"x\"");
        check("a.toml:3: expected a day, found 7", "a.toml:3: 应为日期，实际是 7");
        check("did you mean `a day`?", "是不是想写 `a day`？");
        check("last of a day", "日期的last");
        check("127.0.0.1:1883: nobody knows this", "127.0.0.1:1883: nobody knows this");
        check("nobody knows this", "nobody knows this");
    }

    #[test]
    fn sentences_that_are_joined_are_found_one_by_one() {
        check("/dev/x: a day", "/dev/x：日期");
        check("no room on /a: a day; else", "/a 上没有空间：日期；else");
        check("/a: cannot be read: a day: x", "/a 无法读取：日期：x");
        check("  a day\n  x", "  日期\n  x");
        // Thirty joints: each way to take them apart would be tried for hours, were a part looked up more than once.
        let many = "a, b, c; d: e; ".repeat(6) + "x";
        check(&format!("{many}; a day"), &format!("{many}；日期"));
        check("/a/b: Permission denied (os error 13)", "/a/b：权限不够（os error 13）");
    }
}
