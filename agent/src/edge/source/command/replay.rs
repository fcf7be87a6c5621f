//! Lines of a program that tells its buffer anew: which of them were heard before. A line is known by itself and the one
//! before it, so that one that a program says over and over is still told apart.

use crate::spool::bookmark::Place;
use memchr::{memchr_iter, memrchr};

/// Bytes that one chunk carries at most.
const CHUNK_BYTES: usize = super::CHUNK_BYTES_MAX;

/// Longest line that is waited for; what is longer goes on in pieces.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// Where Android begins to tell a buffer; it stands where the program was started, not where it was said.
const BEGINNING: &[u8] = b"--------- ";

/// Lines that are handed over, and the place behind each.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pending: Vec<u8>,
    start: usize,
    before: u32,
}

impl Lines {
    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.pending.drain(..self.start);
        self.start = 0;
        self.pending.extend_from_slice(bytes);
    }

    /// The line before the next one is that of this check sum.
    pub fn go_on(&mut self, before: u32) {
        self.before = before;
    }

    /// Whole lines, and the place behind them; nothing until one more ends. A line that is too long to be waited for goes
    /// without a place.
    pub fn next_chunk(&mut self) -> Option<(Vec<u8>, Option<Place>)> {
        let rest = &self.pending[self.start..];
        let within = &rest[..rest.len().min(CHUNK_BYTES)];
        let end = match memrchr(b'\n', within) {
            Some(end) => end + 1,
            None => match memchr::memchr(b'\n', rest) {
                Some(end) => end + 1,
                None if rest.len() >= LINE_BYTES_MAX => {
                    let bytes = rest.to_vec();
                    self.start = self.pending.len();
                    return Some((bytes, None));
                }
                None => return None,
            },
        };
        let bytes = rest[..end].to_vec();
        self.start += end;
        let mut place = None;
        each_line(&bytes, self.before, |line| {
            self.before = line.sum;
            place = Some(line.place);
            false
        });
        Some((bytes, place))
    }
}

struct Line {
    end: usize,
    sum: u32,
    place: Place,
}

/// Calls `take` with each whole line until it says that it has enough. `before` is the check sum of the line in front.
fn each_line(bytes: &[u8], before: u32, mut take: impl FnMut(Line) -> bool) {
    let mut from = 0;
    let mut before = before;
    for end in memchr_iter(b'\n', bytes) {
        let line = bytes[from..end].trim_ascii_end();
        from = end + 1;
        if line.starts_with(BEGINNING) || line.is_empty() {
            continue;
        }
        let sum = crc32fast::hash(line);
        let place = Place { inode: u64::from(before) << 32 | u64::from(sum), ..Place::default() };
        before = sum;
        if take(Line { end: end + 1, sum, place }) {
            return;
        }
    }
}

/// Where the bytes behind a line that was heard begin, and that line's check sum.
pub(super) fn behind(bytes: &[u8], place: Place) -> Option<(usize, u32)> {
    let mut found = None;
    each_line(bytes, 0, |line| {
        if line.place == place {
            found = Some((line.end, line.sum));
        }
        found.is_some()
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place_behind(text: &str) -> Place {
        let mut lines = Lines::default();
        lines.push(text.as_bytes());
        std::iter::from_fn(|| lines.next_chunk())
            .filter_map(|chunk| chunk.1)
            .last()
            .expect("a line")
    }

    #[track_caller]
    fn check(heard: &str, told_anew: &str, expected: Option<&str>) {
        let found = behind(told_anew.as_bytes(), place_behind(heard));
        assert_eq!(found.map(|(from, _)| &told_anew[from..]), expected);
    }

    #[test]
    fn what_was_heard_is_found_in_what_is_told_anew() {
        check("a\nb\nc\n", "a\nb\nc\nd\n", Some("d\n"));
        check("a\nb\nc\n", "a\nb\nc\n", Some(""));
        check("a\nb\nc\nd", "b\r\nc\r\nd\r\n", Some("d\r\n"));
        check("a\nb\n", "c\nd\n", None);
        check(
            "a\nb\n",
            "--------- beginning of main\na\n--------- beginning of system\nb\nc\n",
            Some("c\n"),
        );
    }

    #[test]
    fn a_line_that_is_said_again_and_again_is_told_apart_by_the_one_before() {
        check("x\ntick\ny\ntick\n", "x\ntick\ny\ntick\nz\n", Some("z\n"));
    }

    #[test]
    fn lines_are_handed_over_whole() {
        let mut lines = Lines::default();
        lines.push(b"one\ntw");
        assert_eq!(lines.next_chunk().map(|chunk| chunk.0), Some(b"one\n".to_vec()));
        assert_eq!(lines.next_chunk(), None);
        lines.push(b"o\n");
        assert_eq!(lines.next_chunk().map(|chunk| chunk.0), Some(b"two\n".to_vec()));
        lines.push(&vec![b'x'; LINE_BYTES_MAX]);
        assert_eq!(
            lines.next_chunk().map(|(bytes, place)| (bytes.len(), place)),
            Some((LINE_BYTES_MAX, None))
        );
        assert_eq!(lines.next_chunk(), None);
    }
}
