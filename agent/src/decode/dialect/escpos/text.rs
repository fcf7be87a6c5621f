//! Bytes to the lines that stand on paper: code tables, Chinese and other signs of two bytes, signs of double width.

use super::table::{self, Upper};
use encoding_rs::{Decoder, Encoding};
use std::fmt;

/// Longest line that is kept, in bytes of UTF-8; what is printed beyond it is dropped.
const LINE_BYTES_MAX: usize = 1024;

/// Most bytes that are decoded at once, so that a long run needs no more memory than a short one.
const RUN_BYTES_MAX: usize = 512;

/// How a printer is set when it is switched on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    /// The encoding of signs of two bytes, on models that have one.
    pub wide: Option<&'static Encoding>,
    /// Whether it is in force from the start.
    pub wide_is_on: bool,
    /// The number of the code table.
    pub table: u8,
    /// Signs in a line, where lines that are longer are to be broken as the printer breaks them.
    pub columns: Option<u16>,
}

/// The state of a printer that decides what a byte prints.
pub(super) struct Text {
    start: Start,
    wide_is_on: bool,
    upper: &'static Upper,
    national: u8,
    /// Decodes signs of more than one byte; holds the first half of one across reads.
    decoder: Option<Decoder>,
    line: String,
    /// Columns that the line takes, and how many columns a sign takes.
    width: u16,
    sign_width: u16,
    /// In narrow letters more stand in a line than can be told.
    is_narrow: bool,
    /// What was printed since the last line end.
    is_begun: bool,
}

/// A card number may stand in the line.
impl fmt::Debug for Text {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line_bytes = &self.line.len();
        out.debug_struct("Text").field("line_bytes", line_bytes).finish_non_exhaustive()
    }
}

impl Text {
    /// A printer that was just switched on. `numbered` tells the table of a number.
    pub fn new(start: Start, upper: &'static Upper) -> Text {
        Text {
            start,
            wide_is_on: start.wide_is_on,
            upper,
            national: 0,
            decoder: None,
            line: String::new(),
            width: 0,
            sign_width: 1,
            is_narrow: false,
            is_begun: false,
        }
    }

    /// `ESC @`: as if just switched on. The unfinished line is not printed.
    pub fn reset(&mut self, upper: &'static Upper) {
        let line = std::mem::take(&mut self.line);
        *self = Text { line, ..Text::new(self.start, upper) };
        self.line.clear();
    }

    /// `ESC t`.
    pub fn set_table(&mut self, upper: &'static Upper) {
        self.upper = upper;
    }

    /// `ESC R`.
    pub fn set_national(&mut self, set: u8) {
        self.national = set;
    }

    /// `FS &` and `FS .`.
    pub fn set_wide(&mut self, is_on: bool) {
        self.wide_is_on = is_on;
    }

    /// How many times wider than usual signs are.
    pub fn set_sign_width(&mut self, times: u16) {
        self.sign_width = times;
    }

    /// Letters of the narrow font.
    pub fn set_narrow(&mut self, is_narrow: bool) {
        self.is_narrow = is_narrow;
    }

    /// A command stands between this byte and the next: half a sign before it is none.
    pub fn part(&mut self) {
        if let Some(mut decoder) = self.decoder.take() {
            self.line.reserve(8);
            let _ = decoder.decode_to_string(b"", &mut self.line, true);
        }
    }

    /// Prints signs. Calls `full` with each line that they fill.
    pub fn push(&mut self, bytes: &[u8], mut full: impl FnMut(&str)) {
        self.is_begun = true;
        for run in bytes.chunks(RUN_BYTES_MAX) {
            let from = self.line.len();
            self.append(run);
            match self.start.columns {
                Some(columns) if !self.is_narrow => self.wrap(from, columns, &mut full),
                _ => {}
            }
            if self.line.len() > LINE_BYTES_MAX {
                self.line.truncate(self.line.floor_char_boundary(LINE_BYTES_MAX));
            }
        }
    }

    fn append(&mut self, run: &[u8]) {
        match self.start.wide.filter(|_| self.wide_is_on) {
            Some(encoding) if self.decoder.is_some() || !run.is_ascii() => {
                let decoder =
                    self.decoder.get_or_insert_with(|| encoding.new_decoder_without_bom_handling());
                let room = decoder.max_utf8_buffer_length(run.len()).unwrap_or(run.len() * 3 + 16);
                self.line.reserve(room);
                let _ = decoder.decode_to_string(run, &mut self.line, false);
            }
            _ if self.national == 0 && run.is_ascii() => {
                self.line.push_str(std::str::from_utf8(run).expect("ASCII is UTF-8"));
            }
            _ => self.line.extend(run.iter().map(|&byte| match byte.checked_sub(128) {
                Some(upper) => self.upper[usize::from(upper)],
                None if self.national == 0 => char::from(byte),
                None => table::international(self.national, byte),
            })),
        }
    }

    /// Breaks what was appended at `from` where the paper ends.
    fn wrap(&mut self, from: usize, columns: u16, full: &mut impl FnMut(&str)) {
        let mut begin = 0;
        for (at, sign) in self.line[from..].char_indices() {
            let width = sign_columns(sign) * self.sign_width;
            if self.width + width > columns && self.width > 0 {
                full(&self.line[begin..from + at]);
                begin = from + at;
                self.width = 0;
            }
            self.width += width;
        }
        self.line.drain(..begin);
    }

    /// A tab, or a position on the line: what follows stands apart.
    pub fn gap(&mut self) {
        self.part();
        if !self.line.is_empty() && self.line.len() < LINE_BYTES_MAX {
            self.line.push_str("  ");
            self.width = self.width.saturating_add(2);
        }
    }

    /// The line ends: it is handed to `full`, perhaps empty. Says whether anything was printed in it.
    pub fn end_line(&mut self, mut full: impl FnMut(&str)) -> bool {
        self.part();
        full(&self.line);
        self.drop_line()
    }

    /// What stands in the line that has not ended goes. Says whether there was anything.
    pub fn drop_line(&mut self) -> bool {
        self.line.clear();
        self.width = 0;
        std::mem::take(&mut self.is_begun)
    }

    /// Whether something was printed since the last line end.
    pub fn is_begun(&self) -> bool {
        self.is_begun
    }
}

/// Columns that a sign takes: Chinese, Japanese and Korean ones take two.
fn sign_columns(sign: char) -> u16 {
    match sign {
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' => 2,
        '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ff60}' => 2,
        '\u{ffe0}'..='\u{ffe6}' | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHINESE: Start =
        Start { wide: Some(encoding_rs::GB18030), wide_is_on: true, table: 0, columns: Some(8) };

    fn text(start: Start) -> Text {
        Text::new(start, table::numbered(start.table))
    }

    #[test]
    fn a_sign_goes_on_across_reads_but_not_across_a_command() {
        let mut text = text(Start { columns: None, ..CHINESE });
        let mut lines = Vec::new();
        text.push(b"\xbd", |_| {});
        text.push(b"\xf0\xb6\xee", |_| {});
        text.end_line(|line| lines.push(line.to_owned()));
        text.push(b"\xbd", |_| {});
        text.part();
        text.push(b"\xf0\xb6\xee", |_| {});
        text.end_line(|line| lines.push(line.to_owned()));
        assert_eq!(lines, ["金额", "\u{fffd}鸲\u{fffd}"]);
    }

    #[test]
    fn second_bytes_that_look_like_ascii_stay_with_their_sign() {
        let mut text = text(Start { columns: None, ..CHINESE });
        let mut lines = Vec::new();
        // 0x81 0x5c, 0x8a 0x7c, and a sign of four bytes.
        text.push(b"\x81\x5c\x8a\x7c\x81\x30\x81\x30a", |_| {});
        text.end_line(|line| lines.push(line.to_owned()));
        assert_eq!(lines, ["乗妡\u{80}a"]);
    }

    #[test]
    fn lines_break_where_the_paper_ends() {
        let mut text = text(CHINESE);
        let mut lines = Vec::new();
        text.push(b"12345678abc\xbd\xf0\xb6\xeeXY", |line| lines.push(line.to_owned()));
        text.end_line(|line| lines.push(line.to_owned()));
        text.set_sign_width(2);
        text.push(b"12345", |line| lines.push(line.to_owned()));
        text.end_line(|line| lines.push(line.to_owned()));
        assert_eq!(lines, ["12345678", "abc金额X", "Y", "1234", "5"]);
    }

    #[test]
    fn a_line_is_bounded() {
        let mut text = text(Start { columns: None, ..CHINESE });
        (0..100).for_each(|_| text.push(&[b'a'; 1000], |_| {}));
        text.end_line(|line| assert_eq!(line.len(), LINE_BYTES_MAX));
        assert!(!text.is_begun());
    }
}
