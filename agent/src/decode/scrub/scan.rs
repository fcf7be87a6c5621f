//! One pass over a text: finds rows of digits and hexadecimal, and says what of them must go.

use super::dump::{OFFSET_DIGITS_MAX, begins_dump, dump_start};
use super::edit::{Edit, Put};
use super::hex::{self, Nibble, digits_at_end, nibble};
use super::issuer::{CARD_DIGITS_MAX, CARD_DIGITS_MIN, can_begin_card, is_card_number};
use super::label::{Label, Labels};
use super::secret::Secrets;
use super::span::{gap, hex_word, parted_number, parts, short_number};
use super::window::{CLEAR_FIRST, CLEAR_LAST, Windows, star};
use std::sync::{Arc, LazyLock};

/// What stands in the place of a secret.
const REMOVED: Put = Put::Words("[removed]");

/// Shortest word of letters and digits that is read as hexadecimal.
const HEX_WORD_MIN: usize = 14;

/// A text that ends amid what could be the first digits of a card number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tail {
    /// Where the first of them stands.
    pub from: usize,
    /// How many there are.
    pub digits: usize,
}

/// What the text before this one was like, where that changes how this one is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Before {
    #[default]
    Plain,
    /// It ended inside a track: what goes on is removed.
    Track,
    /// It was a dump that ended with digits, or it was not seen: leading digits may be the middle of a number.
    Digits,
}

/// Finds card data. Keeps its buffers from text to text.
#[derive(Debug)]
pub(super) struct Scanner {
    labels: Arc<Labels>,
    pub(super) windows: Windows,
    /// The edits of the last text.
    pub edits: Vec<Edit>,
    /// How the last text ended.
    pub tail: Option<Tail>,
    /// What the last text is to the next one.
    pub after: Before,
    digits: Vec<u8>,
    places: Vec<(usize, usize)>,
    /// Where in `digits` each group without a gap begins, and where the last one ends.
    groups: Vec<usize>,
    /// Before which digits a number may begin, and behind how many it may end.
    begins: Vec<bool>,
    ends: Vec<bool>,
    pub(super) nibbles: Vec<Nibble>,
}

/// Made ready once, for all scanners.
static SECRETS: LazyLock<Secrets> = LazyLock::new(Secrets::new);

impl Scanner {
    /// A scanner that knows these labels beside the usual ones.
    pub fn new(labels: impl Into<Arc<Labels>>) -> Scanner {
        Scanner {
            labels: labels.into(),
            windows: Windows::default(),
            edits: Vec::new(),
            tail: None,
            after: Before::Plain,
            digits: Vec::new(),
            places: Vec::new(),
            groups: Vec::new(),
            begins: Vec::new(),
            ends: Vec::new(),
            nibbles: Vec::new(),
        }
    }

    /// Finds what must go from `text` and leaves it in `edits`, `tail` and `after`. `rest` is where the text behind the
    /// time at its head begins.
    pub fn scan(&mut self, text: &str, rest: usize, before: Before) {
        self.edits.clear();
        self.tail = None;
        self.after = Before::Plain;
        SECRETS.find(text, &mut self.edits);
        let bytes = text.as_bytes();
        if before != Before::Plain {
            self.leading(bytes, rest, before);
        }
        // The time at the head is no number of a card.
        let mut at = rest;
        if let Some(end) = dump_start(bytes, rest).and_then(|from| self.dump(bytes, from, before)) {
            at = end;
        }
        // A dump may stand behind words, and go on in the next line behind the same.
        let mut before_dump = before;
        while let Some(found) = bytes[at..].iter().position(u8::is_ascii_digit) {
            let digit = at + found;
            if let Some(end) = short_number(bytes, digit) {
                at = match end - digit >= 4 && parts(bytes[end]) {
                    true => self.short(text, digit, end, &mut before_dump),
                    false => end,
                };
                continue;
            }
            let (from, to) = hex_word(bytes, digit, at);
            let dump = match to - from {
                2 => Some(from),
                4..=OFFSET_DIGITS_MAX => dump_start(bytes, from),
                _ => None,
            };
            if let Some(end) = dump.and_then(|start| self.dump(bytes, start, before_dump)) {
                before_dump = Before::Plain;
                at = end;
                continue;
            }
            let has_letter = bytes[from..to].iter().any(|byte| !byte.is_ascii_digit());
            at = if has_letter && to - from >= HEX_WORD_MIN {
                self.hex_word(text, from, to)
            } else {
                let end = self.row(text, digit);
                // A number in front of a dump may look like its first bytes: it is read as both.
                let start = self.dump_in_row(bytes);
                match start.and_then(|start| self.dump(bytes, start, before_dump)) {
                    Some(dump_end) => {
                        before_dump = Before::Plain;
                        self.tail = self.tail.filter(|tail| tail.from >= dump_end);
                        end.max(dump_end)
                    }
                    None => end,
                }
            };
        }
        let is_cut_track = |edit: &Edit| {
            edit.to == bytes.len() && edit.to - edit.from > CARD_DIGITS_MIN && edit.put == REMOVED
        };
        if self.edits.iter().any(is_cut_track) {
            self.after = Before::Track;
        }
    }

    /// A number of few digits, from four on, that a sign follows: it may be the offset of a dump, or the first group of a
    /// card number. Returns where to go on.
    #[cold]
    fn short(&mut self, text: &str, from: usize, to: usize, before_dump: &mut Before) -> usize {
        let bytes = text.as_bytes();
        let start = (bytes[to] == b':').then(|| dump_start(bytes, from)).flatten();
        if let Some(end) = start.and_then(|start| self.dump(bytes, start, *before_dump)) {
            *before_dump = Before::Plain;
            return end;
        }
        self.parted(text, from);
        to
    }

    /// What leads the text and belongs to the one before it.
    fn leading(&mut self, bytes: &[u8], rest: usize, before: Before) {
        let blanks = bytes[rest..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let from = rest + blanks;
        let is_part = |byte: &&u8| match before {
            Before::Track => byte.is_ascii_hexdigit() || matches!(byte, b'=' | b'?' | b'^'),
            _ => byte.is_ascii_digit() || matches!(byte, b' ' | b'-'),
        };
        let to = from + bytes[from..].iter().take_while(is_part).count();
        let digits = bytes[from..to].iter().filter(|byte| byte.is_ascii_digit()).count();
        if digits > 0 && to == bytes.len() {
            // Nothing else: what goes on may go on once more.
            self.after = before;
        }
        if digits <= CLEAR_LAST && before == Before::Digits || digits == 0 {
            return;
        }
        let put = if before == Before::Track { REMOVED } else { Put::Stars };
        self.edits.push(Edit { from, to, put });
    }

    /// A card number whose groups are parted by other signs than blanks and dashes: `4111.1111.1111.1111`. Few other
    /// numbers have just these groups, so it must be one by its digits, too.
    #[cold]
    fn parted(&mut self, text: &str, from: usize) {
        let bytes = text.as_bytes();
        let Some(groups) = parted_number(bytes, from) else { return };
        let places: Vec<(usize, usize)> =
            groups.iter().flat_map(|&(from, to)| (from..to).map(|at| (at, at + 1))).collect();
        let digits: Vec<u8> = places.iter().map(|place| bytes[place.0] - b'0').collect();
        let label = self.label(text, from);
        let is_other =
            matches!(label, Some(Label::Other(digits_max)) if digits.len() <= digits_max);
        if !is_other && is_card_number(&digits) {
            self.windows.take(0, digits.len());
            self.windows.mask(&digits, &places, &mut self.edits);
        }
    }

    /// A row of digits that begins at `from`; returns where it ends.
    fn row(&mut self, text: &str, from: usize) -> usize {
        let bytes = text.as_bytes();
        let end = self.collect(bytes, from);
        // Within the row blanks part its groups: only its last may be the first of such a number.
        let last = self.places[self.groups[self.groups.len() - 2]];
        if end - last.0 == 4 && bytes.get(end).is_some_and(|&sign| parts(sign)) {
            self.parted(text, last.0);
        }
        let masked_end = self.masked(bytes, end);
        let is_last = masked_end == end
            && bytes[end..].iter().all(|byte| matches!(byte, b' ' | b'-' | b'\t'));
        let long = self.digits.len() > CLEAR_FIRST;
        if !long && !is_last {
            return masked_end;
        }
        let label = self.label(text, from);
        self.mark_bounds(bytes, end, label);
        if long {
            if label == Some(Label::Card) {
                self.labelled();
            }
            // Behind the one of the label others may stand.
            let is_alone = self.groups.len() == 2 && self.digits.len() <= CARD_DIGITS_MAX;
            if label != Some(Label::Card) || !is_alone {
                self.numbers();
            }
            self.track(bytes, end);
            self.mask(label);
        }
        if is_last {
            self.tail = self.open_tail(bytes, label);
        }
        masked_end
    }

    /// Masks what was found in the row. Digits alone may be digits as ASCII codes, too: `34313131…`. Where they begin to
    /// be is not told.
    fn mask(&mut self, label: Option<Label>) {
        let Scanner { windows, digits, places, edits, .. } = self;
        if digits.len() < 2 * CARD_DIGITS_MIN {
            return windows.mask(digits, places, edits);
        }
        let pairs = digits.iter().zip(places.iter());
        let nibbles: Vec<Nibble> = pairs.map(|(&value, &(at, _))| Nibble { value, at }).collect();
        let rows = [0, 1].map(|from| hex::code_rows(&nibbles[from..], hex::ascii));
        if label != Some(Label::Card) {
            windows.leave_out(0, &rows[0]);
            // These are counted from the second digit on.
            let shifted: Vec<_> = rows[1].iter().map(|row| (row.0 + 1, row.1 + 1)).collect();
            windows.leave_out(0, &shifted);
        }
        windows.mask(digits, places, edits);
        for (from, rows) in rows.iter().enumerate() {
            hex::in_codes(&nibbles[from..], rows, hex::ascii, windows, edits);
        }
    }

    /// Where in the row just read a dump begins.
    fn dump_in_row(&self, bytes: &[u8]) -> Option<usize> {
        let groups = self.groups.windows(2).skip(1);
        let mut starts = groups.map(|group| self.places[group[0]].0);
        starts.find_map(|at| begins_dump(bytes, at))
    }

    /// Collects the row's digits and groups; returns where the last digit's place ends.
    fn collect(&mut self, bytes: &[u8], from: usize) -> usize {
        self.digits.clear();
        self.places.clear();
        self.groups.clear();
        let mut at = from;
        loop {
            self.groups.push(self.digits.len());
            while let Some(digit) = bytes.get(at).filter(|byte| byte.is_ascii_digit()) {
                self.digits.push(digit - b'0');
                self.places.push((at, at + 1));
                at += 1;
            }
            match gap(&bytes[at..]) {
                Some(length) => at += length,
                None => break,
            }
        }
        self.groups.push(self.digits.len());
        at
    }

    /// The label in front of the row, or in front of the word that it ends.
    fn label(&self, text: &str, at: usize) -> Option<Label> {
        self.labels.before(text, at).or_else(|| {
            let head = &text.as_bytes()[..at];
            let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
            let word = head.iter().rev().take_while(is_word).count();
            (word > 0).then(|| self.labels.before(text, at - word)).flatten()
        })
    }

    /// Marks between which digits a number may begin and end: where a group does; behind a number's own length (`16`
    /// and sixteen digits); and anywhere in a group that touches letters of hexadecimal or is longer than any number.
    fn mark_bounds(&mut self, bytes: &[u8], end: usize, label: Option<Label>) {
        let total = self.digits.len();
        let is_letter =
            |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_hexdigit);
        let touches_before = is_letter(self.places[0].0.checked_sub(1));
        let touches_behind = is_letter(Some(end));
        self.begins.clear();
        self.begins.resize(total + 1, false);
        self.ends.clear();
        self.ends.resize(total + 1, false);
        for (index, bounds) in self.groups.windows(2).enumerate() {
            let &[from, to] = bounds else { continue };
            let (is_first, is_last) = (index == 0, to == total);
            let length = to - from;
            if is_first
                && matches!(label, Some(Label::Other(max)) if length > CLEAR_FIRST && length <= max)
            {
                continue;
            }
            let is_long = length > CARD_DIGITS_MAX;
            self.begins[from..to].fill(is_long || (is_first && touches_before));
            self.ends[from + 1..=to].fill(is_long || (is_last && touches_behind));
            self.begins[from] = true;
            self.ends[to] = true;
            if length > 2
                && usize::from(self.digits[from] * 10 + self.digits[from + 1]) == length - 2
            {
                self.begins[from + 2] = true;
            }
        }
    }

    /// Finds the card numbers of the row.
    fn numbers(&mut self) {
        let total = self.digits.len();
        for from in (0..total.saturating_sub(CARD_DIGITS_MIN - 1)).filter(|&from| self.begins[from])
        {
            for to in from + CARD_DIGITS_MIN..=(from + CARD_DIGITS_MAX).min(total) {
                if self.ends[to] {
                    self.windows.test(&self.digits, from, to);
                }
            }
        }
    }

    /// The row begins with a card number because its label says so.
    fn labelled(&mut self) {
        let (total, first) = (self.digits.len(), self.groups[1]);
        let ends = &self.groups[1..];
        let fits = |end: &&usize| (CARD_DIGITS_MIN..=CARD_DIGITS_MAX).contains(*end);
        let sound = |end: &&usize| fits(end) && is_card_number(&self.digits[..**end]);
        let end = match ends.iter().rev().find(sound) {
            Some(end) => Some(*end),
            None if first >= CARD_DIGITS_MIN => Some(first.min(CARD_DIGITS_MAX)),
            None => ends.iter().rev().find(fits).copied(),
        };
        // A group that is longer than any number, or a row too short for one: nothing beyond six digits stays.
        let hidden = match end {
            Some(end) => end..first.max(end),
            None => CLEAR_FIRST..total,
        };
        self.edits.extend(self.places[hidden].iter().map(star));
        if let Some(end) = end {
            self.windows.take(0, end);
        }
    }

    /// A number that is masked already, but not enough of it: `62257600****6691`. Returns where it ends.
    fn masked(&mut self, bytes: &[u8], end: usize) -> usize {
        let in_fours = self.groups.windows(2).all(|group| group[1] - group[0] == 4);
        let is_gap = |at: usize| in_fours && matches!(bytes.get(at), Some(b' ' | b'-'));
        let from = end + usize::from(is_gap(end));
        let Some(&sign) = bytes.get(from) else { return end };
        let signs_min = match sign {
            b'*' => 2,
            b'x' | b'X' | b'#' | b'_' => 4,
            _ => return end,
        };
        let signs = bytes[from..].iter().take_while(|&&byte| byte == sign).count();
        let behind = from + signs;
        let behind = behind + usize::from(is_gap(behind));
        let last = bytes[behind..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if signs < signs_min || (from > end && last == 0) {
            return end;
        }
        let from = if in_fours { 0 } else { self.groups[self.groups.len() - 2] };
        let first = self.digits.len() - from;
        if (CARD_DIGITS_MIN..=2 * CARD_DIGITS_MAX).contains(&(first + signs + last)) {
            self.edits.extend(self.places[from..].iter().skip(CLEAR_FIRST).map(star));
            if last > CLEAR_LAST {
                self.edits.push(Edit {
                    from: behind,
                    to: behind + last - CLEAR_LAST,
                    put: Put::Stars,
                });
            }
        }
        // More than last digits may be a number that only stands behind the signs.
        if last > CLEAR_LAST { behind } else { behind + last }
    }

    /// Track 1 or 2: the number, `=`, `D` or `^`, and what follows.
    fn track(&mut self, bytes: &[u8], end: usize) {
        let rest = &bytes[end..];
        let gap = rest.iter().take_while(|&&byte| byte == b'\n').count();
        let sign = rest.get(gap).copied();
        let is_rest: fn(&&u8) -> bool = match sign {
            Some(b'=' | b'D' | b'd') => {
                |byte| byte.is_ascii_hexdigit() || matches!(byte, b'=' | b'?' | b'\n')
            }
            Some(b'^') => |byte| !matches!(byte, b'?' | b'"' | b'\n'),
            _ => return,
        };
        let behind = &rest[gap + 1..];
        let length = behind.iter().take_while(is_rest).count();
        let digits = behind[..length].iter().filter(|byte| byte.is_ascii_digit()).count();
        let (total, last) = (self.digits.len(), self.groups[self.groups.len() - 2]);
        let from = match total - last >= CARD_DIGITS_MIN {
            true => last,
            false => total.saturating_sub(CARD_DIGITS_MAX),
        };
        if total - from >= CARD_DIGITS_MIN && digits >= 4 {
            let put = REMOVED;
            self.edits.push(Edit { from: self.places[from].0, to: end + gap + 1 + length, put });
        }
    }

    /// The digits at the text's end that could be a card number's first.
    fn open_tail(&self, bytes: &[u8], label: Option<Label>) -> Option<Tail> {
        let total = self.digits.len();
        let begins = |from: &usize| {
            let digits = &self.digits[*from..];
            self.begins[*from] && digits.len() < CARD_DIGITS_MAX && can_begin_card(digits)
        };
        let from = match label {
            Some(Label::Card) if total < CARD_DIGITS_MAX => Some(0),
            _ => (0..total).find(begins),
        }?;
        let at = self.places[from].0;
        let is_masked = total - from <= CLEAR_LAST
            && at.checked_sub(1).is_some_and(|before| bytes[before] == b'*');
        (!is_masked).then_some(Tail { from: at, digits: total - from })
    }

    /// A word of hexadecimal; returns where it ends.
    fn hex_word(&mut self, text: &str, from: usize, to: usize) -> usize {
        let bytes = text.as_bytes();
        let is_other = self.word_is_other(text, from, to);
        self.nibbles.clear();
        for (index, byte) in bytes[from..to].iter().enumerate() {
            self.nibbles.extend(nibble(*byte).map(|value| Nibble { value, at: from + index }));
        }
        let at_end = digits_at_end(&self.nibbles);
        if !is_other {
            hex::find(&self.nibbles, &mut self.windows, &mut self.edits);
            let is_last = to == bytes.trim_ascii_end().len();
            let is_track = matches!(bytes.get(to), Some(b'=' | b'^' | b'\n'));
            if at_end > 0 && (is_last || is_track) {
                self.row(text, to - at_end);
            }
        }
        to
    }

    fn word_is_other(&self, text: &str, from: usize, to: usize) -> bool {
        let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let head = text.as_bytes()[..from].iter().rev().take_while(is_word).count();
        let label = self.labels.before(text, from - head);
        matches!(label, Some(Label::Other(digits_max)) if to - from <= digits_max)
    }
}

/// Whether the digits of a text are a card number.
pub(super) fn is_number(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit);
    is_card_number(&digits.map(|digit| digit - b'0').collect::<Vec<u8>>())
}
