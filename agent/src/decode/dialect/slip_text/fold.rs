//! A line as words are looked for in it: in capitals, without accents, blanks and dots. Slips justify their labels
//! (`金    额`), abbreviate them (`BATCH NO.`) and print them in letters of double width.

use std::fmt;

/// A folded line, and where each byte of it stood.
#[derive(Default)]
pub(super) struct Folded {
    text: String,
    /// For each byte of `text` the sign of the line that it came from: where that begins and ends.
    places: Vec<(u32, u32)>,
}

/// A line may be folded before it is scrubbed.
impl fmt::Debug for Folded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Folded").field("bytes", &self.text.len()).finish_non_exhaustive()
    }
}

impl Folded {
    /// Folds another line, in the same room.
    pub fn fold(&mut self, line: &str) {
        self.text.clear();
        self.places.clear();
        for (at, sign) in line.char_indices() {
            let Some(sign_folded) = folded(sign) else { continue };
            let length = self.text.len();
            for part in sign_folded {
                self.text.push(part);
            }
            let place = (at as u32, (at + sign.len_utf8()) as u32);
            self.places.resize(self.places.len() + self.text.len() - length, place);
        }
    }

    /// The folded text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the folded bytes `from..to`, at least one, stood in the line.
    pub fn place(&self, from: usize, to: usize) -> (usize, usize) {
        (self.places[from].0 as usize, self.places[to - 1].1 as usize)
    }
}

/// What a sign becomes; nothing where it only parts or joins.
fn folded(sign: char) -> Option<impl Iterator<Item = char>> {
    let is_joint = matches!(sign, ' ' | '\t' | '.' | '-' | '_' | '/' | '\u{a0}' | '\u{3000}');
    let (first, second) = match sign {
        _ if is_joint => return None,
        'ß' => ('S', Some('S')),
        _ => (single(sign), None),
    };
    Some(std::iter::once(first).chain(second))
}

fn single(sign: char) -> char {
    match sign {
        '\u{21}'..='\u{7e}' => sign.to_ascii_uppercase(),
        // The forms of double width.
        '\u{ff01}'..='\u{ff5e}' => {
            char::from((u32::from(sign) - 0xff01 + 0x21) as u8).to_ascii_uppercase()
        }
        'À'..='Å' | 'à'..='å' => 'A',
        'È'..='Ë' | 'è'..='ë' => 'E',
        'Ì'..='Ï' | 'ì'..='ï' => 'I',
        'Ò'..='Ö' | 'ò'..='ö' => 'O',
        'Ù'..='Ü' | 'ù'..='ü' => 'U',
        'Ñ' | 'ñ' => 'N',
        'Ç' | 'ç' => 'C',
        '\u{2e80}'..='\u{9fff}' => sign,
        // Signs of a code table that was not the printer's.
        _ => '\u{fffd}',
    }
}

/// Whether letters of a word go on here: Chinese is written without gaps, so there it cannot be told.
pub(super) fn is_letter(sign: char) -> bool {
    sign.is_alphabetic() && !('\u{2e80}'..='\u{9fff}').contains(&sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut folded = Folded::default();
        folded.fold(text);
        assert_eq!(folded.text(), expected);
    }

    #[test]
    fn spelling_does_not_matter() {
        check("金    额", "金额");
        check("Batch No.", "BATCHNO");
        check("日期/时间：", "日期时间:");
        check("Händlerbeleg", "HANDLERBELEG");
        check("H─NDLERBELEG", "H\u{fffd}NDLERBELEG");
        check("ＡＭＯＵＮＴ", "AMOUNT");
        check("AUTORIZACIÓN", "AUTORIZACION");
        check("Straße", "STRASSE");
    }

    #[test]
    fn each_folded_byte_knows_its_place() {
        let mut folded = Folded::default();
        folded.fold("金  额: 1");
        assert_eq!(folded.text(), "金额:1");
        assert_eq!(folded.place(0, 6), (0, 8));
        assert_eq!(folded.place(7, 8), (10, 11));
    }
}
