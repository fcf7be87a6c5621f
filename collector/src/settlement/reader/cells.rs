//! Cells of a line, in buffers that are used again for each line: by delimiter and quotes, or by widths.

use super::error::{Bounded, Expected, Found, ReadError, Trouble};
use super::lines;
use super::profile::{Encoding, Quoting};

/// Most cells of a line.
pub const CELLS_MAX: usize = 512;

/// Cells of the line that was cut last.
#[derive(Clone, Debug, Default)]
pub struct Cells {
    cells: Vec<String>,
    count: usize,
}

/// A header or total's name without what editors and banks add: blanks, quotes, brackets of another width.
pub fn plain(text: &str) -> String {
    let kept = text.trim().trim_matches(['"', '`', '\u{feff}']).trim();
    let narrow = kept.chars().filter(|char| !char.is_whitespace()).map(|char| match char {
        '（' => '(',
        '）' => ')',
        '：' => ':',
        '，' => ',',
        other => other,
    });
    narrow.collect()
}

impl Cells {
    /// The cells.
    pub fn all(&self) -> &[String] {
        &self.cells[..self.count]
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// A cell without blanks and tabs around it; nothing where the line is shorter.
    pub fn get(&self, place: usize) -> Option<&str> {
        self.all().get(place).map(|cell| cell.trim())
    }

    fn clear(&mut self) {
        self.count = 0;
    }

    fn begin(&mut self) -> &mut String {
        if self.count == self.cells.len() {
            self.cells.push(String::new());
        }
        let cell = &mut self.cells[self.count];
        cell.clear();
        self.count += 1;
        cell
    }

    /// Cuts a line at delimiters; tells false when a quote is still open at its end: the row goes on in the next line.
    pub fn cut(&mut self, line: &str, delimiter: char, quoting: Quoting) -> Result<bool, Trouble> {
        self.clear();
        match quoting {
            Quoting::None => self.cut_plain(line, delimiter)?,
            Quoting::DoubleQuote => return self.cut_quoted(line, delimiter),
            Quoting::BackQuote => match line.strip_prefix('`') {
                Some(values) => {
                    let split = [delimiter, '`'];
                    let split: String = split.iter().collect();
                    for part in values.split(split.as_str()) {
                        self.room()?;
                        self.begin().push_str(part);
                    }
                }
                // The header line has no quotes.
                None => self.cut_plain(line, delimiter)?,
            },
        }
        Ok(true)
    }

    fn room(&self) -> Result<(), Trouble> {
        if self.count < CELLS_MAX {
            return Ok(());
        }
        Err(Trouble::TooMuch { of: Bounded::Cells, most: CELLS_MAX as u64 })
    }

    fn cut_plain(&mut self, line: &str, delimiter: char) -> Result<(), Trouble> {
        for part in line.split(delimiter) {
            self.room()?;
            self.begin().push_str(part);
        }
        Ok(())
    }

    fn cut_quoted(&mut self, line: &str, delimiter: char) -> Result<bool, Trouble> {
        let mut rest = line;
        loop {
            self.room()?;
            let cell = self.begin();
            let Some(mut inside) = rest.trim_start_matches([' ', '\t']).strip_prefix('"') else {
                match rest.split_once(delimiter) {
                    Some((part, behind)) => {
                        cell.push_str(part);
                        rest = behind;
                        continue;
                    }
                    None => {
                        cell.push_str(rest);
                        return Ok(true);
                    }
                }
            };
            loop {
                let Some(end) = inside.find('"') else { return Ok(false) };
                cell.push_str(&inside[..end]);
                inside = &inside[end + 1..];
                match inside.strip_prefix('"') {
                    Some(behind) => {
                        cell.push('"');
                        inside = behind;
                    }
                    None => break,
                }
            }
            // What stands between the closing quote and the delimiter belongs to nobody: blanks and tabs.
            match inside.split_once(delimiter) {
                Some((_, behind)) => rest = behind,
                None => return Ok(true),
            }
        }
    }

    /// Cuts a line of bytes by widths with blanks between.
    pub fn cut_fixed(
        &mut self,
        bytes: &[u8],
        widths: &[usize],
        gap: usize,
        encoding: Encoding,
        line: u32,
    ) -> Result<(), ReadError> {
        self.clear();
        let expected = widths.iter().sum::<usize>() + gap * widths.len().saturating_sub(1);
        if bytes.len() != expected {
            return Err(ReadError::at(line, Trouble::LineBytes { expected, found: bytes.len() }));
        }
        let mut at = 0;
        for (place, &width) in widths.iter().enumerate() {
            let cell = self.begin();
            lines::decode(encoding, &bytes[at..at + width], cell)
                .map_err(|()| ReadError::at(line, Trouble::WrongEncoding(encoding)))?;
            at += width;
            let between = bytes.get(at..at + gap).unwrap_or_default();
            if place + 1 < widths.len() && between.iter().any(|byte| *byte != b' ') {
                let (what, found) = (Expected::Blank(place + 1), Found::AnotherSign);
                return Err(ReadError::at(line, Trouble::Cell { what, found }));
            }
            at += gap;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, quoting: Quoting, expected: &[&str]) {
        let mut cells = Cells::default();
        assert_eq!(cells.cut(line, ',', quoting), Ok(true));
        assert_eq!(cells.all(), expected, "{line}");
    }

    #[test]
    fn a_product_name_may_hold_what_splits_the_others() {
        check("`1,`tea, large,`8.00", Quoting::BackQuote, &["1", "tea, large", "8.00"]);
        check("时间,商户号", Quoting::BackQuote, &["时间", "商户号"]);
        check(
            "1,\"tea, \"\"large\"\"\"\t,8.00",
            Quoting::DoubleQuote,
            &["1", "tea, \"large\"", "8.00"],
        );
        check("1,,", Quoting::DoubleQuote, &["1", "", ""]);
        check("a\"b,c", Quoting::DoubleQuote, &["a\"b", "c"]);
        check("1,tea", Quoting::None, &["1", "tea"]);
    }

    #[test]
    fn an_open_quote_asks_for_the_next_line() {
        let mut cells = Cells::default();
        assert_eq!(cells.cut("1,\"tea", ',', Quoting::DoubleQuote), Ok(false));
        assert_eq!(cells.cut("1,\"tea\nlarge\",2", ',', Quoting::DoubleQuote), Ok(true));
        assert_eq!(cells.all(), ["1", "tea\nlarge", "2"]);
    }

    #[test]
    fn names_are_compared_without_what_banks_add() {
        assert_eq!(plain(" \u{feff}订单金额（元）\t"), "订单金额(元)");
        assert_eq!(plain("`Gross Debit (GC)"), "GrossDebit(GC)");
    }
}
