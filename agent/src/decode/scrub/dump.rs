//! Dumps: rows of bytes in hexadecimal, with or without a column of offsets before and of characters behind them.

use super::edit::{Edit, Put};
use super::hex::{self, Nibble, digits_at_end, digits_at_start, nibble};
use super::scan::{Before, Scanner};
use super::window::CLEAR_FIRST;

/// Longest offset in front of a line of a dump.
pub(super) const OFFSET_DIGITS_MAX: usize = 8;

/// Fewest bytes in a row that are a dump.
const DUMP_BYTES_MIN: usize = 8;

impl Scanner {
    /// A row of two-digit bytes, if it is long enough to be a dump; returns where it ends, if what it holds can be read
    /// in no other way.
    pub(super) fn dump(&mut self, bytes: &[u8], from: usize, before: Before) -> Option<usize> {
        self.nibbles.clear();
        let mut pairs = Pairs::new(bytes, from);
        for at in &mut pairs {
            let value = |at: usize| nibble(bytes[at]).unwrap_or(0);
            self.nibbles.push(Nibble { value: value(at), at });
            self.nibbles.push(Nibble { value: value(at + 1), at: at + 1 });
        }
        let is_long = self.nibbles.len() >= 2 * DUMP_BYTES_MIN;
        let goes_on = before != Before::Plain;
        if !is_long && !goes_on {
            return None;
        }
        let column = self.column(bytes);
        let mut end = self.nibbles.last()?.at + 1;
        if goes_on {
            let cut = &self.nibbles[..digits_at_start(&self.nibbles)];
            self.edits.extend(cut.iter().map(Nibble::star));
        }
        hex::find(&self.nibbles, &mut self.windows, &mut self.edits);
        if let Some(line_end) = column {
            // The column of characters repeats the bytes.
            self.edits.push(Edit { from: end, to: line_end, put: Put::Words("") });
            end = line_end;
        }
        if end >= bytes.trim_ascii_end().len() {
            self.edges();
        }
        (is_long && !pairs.in_fours).then_some(end)
    }

    /// The column of characters behind the bytes: where it ends. It may begin with what looks like more bytes; those are
    /// taken off.
    fn column(&mut self, bytes: &[u8]) -> Option<usize> {
        let last = self.nibbles.last()?.at;
        let line_end = memchr::memchr(b'\n', &bytes[last..]).map_or(bytes.len(), |at| last + at);
        let pairs = self.nibbles.len() / 2;
        let count = (DUMP_BYTES_MIN.min(pairs)..=pairs)
            .find(|&count| self.is_column(count, &bytes[..line_end]))?;
        self.nibbles.truncate(2 * count);
        Some(line_end)
    }

    /// Whether behind so many bytes of the line there are so many signs, and hardly more, and no digit that is not among
    /// the bytes. Blanks at either end may be bytes or not; a shorter column must be what the bytes are.
    fn is_column(&self, count: usize, line: &[u8]) -> bool {
        let Some(last) = (2 * count).checked_sub(1).and_then(|last| self.nibbles.get(last)) else {
            return false;
        };
        let behind = &line[last.at + 1..];
        let begins_behind_blanks = behind.starts_with(b"  ") || behind.starts_with(b" |");
        if 2 * count < self.nibbles.len() && !begins_behind_blanks {
            return false;
        }
        let shown = behind.trim_ascii();
        let byte = |at: usize| self.nibbles[2 * at].value << 4 | self.nibbles[2 * at + 1].value;
        let is_among = |digit: u8| {
            let there = (0..count).filter(|&at| byte(at) == digit).count();
            shown.iter().filter(|&&sign| sign == digit).count() <= there
        };
        if (count..=count + 4).contains(&shown.len()) && (b'0'..=b'9').all(is_among) {
            return true;
        }
        let is_shown = |signs: &[u8]| {
            signs.len() <= count
                && signs.iter().enumerate().all(|(at, &sign)| sign == b'.' || sign == byte(at))
        };
        !shown.is_empty()
            && (2..=4).any(|blanks| {
                let signs = behind.get(blanks..).unwrap_or(&[]).trim_ascii_end();
                behind[..blanks.min(behind.len())].iter().all(u8::is_ascii_whitespace)
                    && is_shown(signs)
            })
    }

    /// A dump that goes on in the next line may have cut a number: its outer digits cannot be judged and are hidden.
    fn edges(&mut self) {
        let is_code = |byte: &&[Nibble]| byte[0].value == 3 && byte[1].value <= 9;
        let codes = self.nibbles.rchunks_exact(2).take_while(is_code).count();
        let at_end = digits_at_end(&self.nibbles);
        let hidden = match codes > CLEAR_FIRST {
            true => 2 * (codes - CLEAR_FIRST),
            false => at_end.saturating_sub(CLEAR_FIRST),
        };
        let cut = &self.nibbles[self.nibbles.len() - hidden..];
        self.edits.extend(cut.iter().map(Nibble::star));
        if at_end > 0 {
            self.after = Before::Digits;
        }
    }
}

/// The bytes of a dump, each in two digits: where each stands. `62 22`, `62-22`, `[62][22]`, `0x62, 0x22`, `\x62\x22`; or
/// two side by side and a blank, when the first are.
struct Pairs<'a> {
    bytes: &'a [u8],
    at: Option<usize>,
    in_fours: bool,
    /// The second of two that stand side by side is next.
    is_second: bool,
}

impl<'a> Pairs<'a> {
    fn new(bytes: &'a [u8], from: usize) -> Pairs<'a> {
        let in_fours = bytes.get(from + 2).is_some_and(u8::is_ascii_hexdigit);
        Pairs { bytes, at: Some(from), in_fours, is_second: false }
    }

    /// Where the next one begins behind the one that ends at `end`; in fours behind one blank alone.
    fn behind(&self, end: usize) -> Option<usize> {
        if self.in_fours {
            return (self.bytes.get(end) == Some(&b' ')).then_some(end + 1);
        }
        let is_gap = |byte: &&u8| matches!(byte, b' ' | b'-' | b':' | b',' | b'[' | b']' | b'\t');
        let next = end + self.bytes[end..].iter().take(4).take_while(is_gap).count();
        let sign = match self.bytes.get(next..next + 2) {
            Some(b"0x" | b"\\x") => 2,
            _ => 0,
        };
        (next + sign > end).then_some(next + sign)
    }
}

impl Iterator for Pairs<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        let at = self.at.take()?;
        let is_digit = |at: usize| self.bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
        if !is_digit(at) || !is_digit(at + 1) {
            return None;
        }
        if self.in_fours {
            return self.next_in_fours(at);
        }
        if self.bytes.get(at + 2).is_some_and(u8::is_ascii_alphanumeric) {
            return None;
        }
        self.at = self.behind(at + 2);
        Some(at)
    }
}

impl Pairs<'_> {
    #[cold]
    fn next_in_fours(&mut self, at: usize) -> Option<usize> {
        let is_second = std::mem::take(&mut self.is_second);
        if is_second {
            self.at = self.behind(at + 2);
            return Some(at);
        }
        let rest = &self.bytes[at + 2..];
        let ends_row = rest.starts_with(b"  ") || rest.trim_ascii().is_empty();
        if ends_row {
            // A pair alone.
            return Some(at);
        }
        let is_four = rest.iter().take(2).filter(|byte| byte.is_ascii_hexdigit()).count() == 2
            && self.bytes.get(at + 4).is_none_or(u8::is_ascii_whitespace);
        if !is_four {
            return None;
        }
        (self.at, self.is_second) = (Some(at + 2), true);
        Some(at)
    }
}

/// Where the next word begins, and how many hexadecimal digits it begins with.
fn word(bytes: &[u8], from: usize) -> (usize, usize) {
    let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t');
    let from = from + bytes[from..].iter().take_while(is_blank).count();
    let length = bytes[from..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    (from, length)
}

/// Where the bytes of a line of a dump begin: behind the column of offsets, if there is one.
pub(super) fn dump_start(bytes: &[u8], rest: usize) -> Option<usize> {
    let (from, length) = word(bytes, rest);
    match length {
        2 => Some(from),
        4..=OFFSET_DIGITS_MAX => {
            let sign = bytes.get(from + length).filter(|byte| matches!(byte, b':' | b'h' | b'-'));
            let (from, length) = word(bytes, from + length + usize::from(sign.is_some()));
            (length == 2 || length == 4 && sign == Some(&b':')).then_some(from)
        }
        _ => None,
    }
}

/// Where the bytes of a dump stand that begins here with them, or with the offset in front of them.
pub(super) fn begins_dump(bytes: &[u8], from: usize) -> Option<usize> {
    let start = dump_start(bytes, from)?;
    Pairs::new(bytes, start).nth(DUMP_BYTES_MIN - 1).map(|_| start)
}
