//! Dumps: rows of bytes in hexadecimal, with or without a column of offsets before and of characters behind them.

use super::edit::{Edit, Put};
use super::hex::{self, Nibble, digits_at_end, digits_at_start, nibble};
use super::scan::{Before, Scanner};
use super::window::CLEAR_FIRST;

/// Fewest bytes in a row that are a dump.
const DUMP_BYTES_MIN: usize = 8;

impl Scanner {
    /// A row of two-digit bytes, if it is long enough to be a dump; returns where it ends.
    pub(super) fn dump(&mut self, bytes: &[u8], from: usize, before: Before) -> Option<usize> {
        self.nibbles.clear();
        let mut at = from;
        let mut end = from;
        while let [Some(high), Some(low)] =
            [at, at + 1].map(|at| bytes.get(at).copied().and_then(nibble))
        {
            if bytes.get(at + 2).is_some_and(u8::is_ascii_alphanumeric) {
                break;
            }
            self.nibbles.push(Nibble { value: high, at });
            self.nibbles.push(Nibble { value: low, at: at + 1 });
            end = at + 2;
            let is_gap =
                |byte: &&u8| matches!(byte, b' ' | b'-' | b':' | b',' | b'[' | b']' | b'\t');
            at = end + bytes[end..].iter().take(4).take_while(is_gap).count();
            // `0x62, 0x22` and `\x62\x22`.
            at += match bytes.get(at..at + 2) {
                Some(b"0x" | b"\\x") => 2,
                _ => 0,
            };
            if at == end {
                break;
            }
        }
        let goes_on = before == Before::Digits;
        if self.nibbles.len() < 2 * DUMP_BYTES_MIN && !goes_on {
            return None;
        }
        if goes_on {
            let cut = &self.nibbles[..digits_at_start(&self.nibbles)];
            self.edits.extend(cut.iter().map(Nibble::star));
        }
        hex::find(&self.nibbles, &mut self.windows, &mut self.edits);
        let line_end =
            bytes[end..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |at| end + at);
        let shown = bytes[end..line_end].trim_ascii();
        if shown.len() >= self.nibbles.len() / 2 && shown.len() <= self.nibbles.len() / 2 + 4 {
            // The column of characters repeats the bytes.
            self.edits.push(Edit { from: end, to: line_end, put: Put::Words("") });
            end = line_end;
        }
        if end >= bytes.trim_ascii_end().len() {
            self.edges();
        }
        Some(end)
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

/// Where the bytes of a line of a dump begin: behind the column of offsets, if there is one.
pub(super) fn dump_start(bytes: &[u8], rest: usize) -> Option<usize> {
    let word = |from: usize| {
        let from =
            from + bytes[from..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let length = bytes[from..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        (from, length)
    };
    let (from, length) = word(rest);
    match length {
        2 => Some(from),
        4..=8 => {
            let sign = usize::from(matches!(bytes.get(from + length), Some(b':' | b'h' | b'-')));
            let (from, length) = word(from + length + sign);
            (length == 2).then_some(from)
        }
        _ => None,
    }
}
