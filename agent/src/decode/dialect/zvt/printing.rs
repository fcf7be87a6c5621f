//! Lines of print (06 D1, 06 D3) to slips: which lines make one, and in which characters they are written. A slip ends
//! where its lines say so, not where the kind of receipt changes: terminals mix that up. Reads no text; holds a bounded
//! amount of it.

use super::bmp::Fields;
use super::tlv;
use crate::decode::encoding::Encoding;
use slipwatch_shared::event::Copy;
use slipwatch_shared::times::Uptime;
use std::collections::VecDeque;

/// Most bytes of one slip; a print of the whole configuration has 4 KiB.
pub const SLIP_BYTES_MAX: usize = 16 * 1024;

/// Most lines of one slip.
pub const SLIP_LINES_MAX: usize = 512;

/// Most slips that wait for the end of their transaction.
pub const SLIPS_MAX: usize = 8;

/// The attribute of a line that is reserved.
const RESERVED: u8 = 0x80;

/// The attribute of a line feed; the text is how many.
const FEED: u8 = 0xff;

/// Bit 7 of an attribute: the last line of a slip.
const LAST: u8 = 0x80;

/// The first and the last receipt type of 1F07; 2 is the customer's.
const MERCHANT: u8 = 1;
const ADMINISTRATION: u8 = 3;

/// Bit of 1F37: the transaction failed.
const NEGATIVE: u8 = 0x04;

/// Longest tail of fields behind the text of a line.
const TAIL_BYTES_MAX: usize = 32;

/// The lines of one slip.
#[derive(Debug, Default)]
pub(super) struct Lines {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// How many lines said which receipt type.
    types: [u16; 4],
    charset: Option<u8>,
    property: u8,
    /// When its first line was read.
    pub since: Uptime,
    /// When its last one was.
    pub at: Uptime,
}

impl Lines {
    fn push(&mut self, text: &[u8], at: Uptime) {
        self.at = at;
        if self.bytes.len() + text.len() <= SLIP_BYTES_MAX && self.ends.len() < SLIP_LINES_MAX {
            self.bytes.extend_from_slice(text);
            self.ends.push(self.bytes.len());
        }
    }

    fn note(&mut self, marks: Marks) {
        if let Some(kind) = marks.kind {
            let place = &mut self.types[usize::from(kind & 3)];
            *place = place.saturating_add(1);
        }
        self.charset = self.charset.or(marks.charset);
        self.property |= marks.property;
    }

    fn first(&self) -> &[u8] {
        &self.bytes[..self.ends.first().copied().unwrap_or(0)]
    }

    fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(from, &to)| &self.bytes[from..to])
    }

    /// Whose copy most of its lines say it is.
    pub fn copy(&self) -> Option<Copy> {
        let [_, merchant, customer, _] = self.types;
        match merchant.cmp(&customer) {
            _ if merchant + customer == 0 => None,
            std::cmp::Ordering::Less => Some(Copy::Customer),
            _ => Some(Copy::Merchant),
        }
    }

    /// Whether its lines say that it is no slip of a payment that went through.
    pub fn is_no_slip(&self) -> bool {
        let [_, merchant, customer, administration] = self.types;
        self.property & NEGATIVE != 0 || administration > merchant.max(customer)
    }

    /// Its text, in the characters that it is most likely written in.
    pub fn text(&self, usual: Encoding) -> Vec<String> {
        let charset = Charset::of(self, usual);
        self.lines().map(|line| charset.decode(line)).collect()
    }
}

/// What stands beside the text of a line or a block.
#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    kind: Option<u8>,
    charset: Option<u8>,
    property: u8,
}

impl Marks {
    fn take(&mut self, tag: u16, value: &[u8]) {
        match (tag, value) {
            (0x1f07, &[kind]) if (MERCHANT..=ADMINISTRATION).contains(&kind) => {
                self.kind = Some(kind);
            }
            (0x14, &[charset]) => self.charset = Some(charset),
            (0x1f37, &[property, ..]) => self.property |= property,
            _ => {}
        }
    }
}

/// A slip whose end was seen, or whose transaction ended.
#[derive(Debug)]
pub(super) struct Done {
    /// Its lines.
    pub lines: Lines,
    /// What became of it.
    pub fate: Fate,
    /// The till took its last line, or the terminal went on as if it had.
    pub taken: bool,
}

/// What became of a slip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// All its lines were handed over.
    Whole,
    /// Its end was not seen.
    Begun,
    /// The till refused to print it.
    Refused,
}

/// The slips of a transaction, as they pass.
#[derive(Debug, Default)]
pub(super) struct Slips {
    open: Option<Lines>,
    done: VecDeque<Done>,
    /// The first line of a slip that was refused before its end: what follows is the rest of it, unless it begins anew.
    rest_of: Option<Vec<u8>>,
}

impl Slips {
    /// Takes a message `06 D1`: an attribute, the text, and perhaps fields behind it. `from` is where its data begins.
    pub fn line(&mut self, message: &[u8], from: usize, at: Uptime) {
        let Some((&attribute, text)) = message.get(from..).and_then(<[u8]>::split_first) else {
            return;
        };
        let tail = tail(text);
        let mut marks = Marks::default();
        if tail < text.len() {
            let to = text.len();
            tlv::for_each(text, tail + 2, to, &mut |field| {
                marks.take(field.tag, &text[field.from..field.to]);
            });
        }
        let text = &text[..tail];
        match (attribute, text) {
            (FEED, &[feeds]) => {
                (0..feeds.min(8)).for_each(|_| self.take(&[], marks, at));
            }
            (FEED, []) => self.close(at),
            (attribute, text) => {
                self.take(text, marks, at);
                if is_last(attribute) {
                    self.close(at);
                }
            }
        }
    }

    /// Takes a message `06 D3`: a container with lines and their attributes.
    pub fn block(&mut self, message: &[u8], from: usize, at: Uptime) {
        let mut marks = Marks::default();
        for container in Fields::new(message, from).filter(|field| field.bmp.tag == 0x06) {
            tlv::for_each(message, container.from, container.to, &mut |field| {
                let value = &message[field.from..field.to];
                match (field.tag, value) {
                    (0x07, text) => self.take(text, std::mem::take(&mut marks), at),
                    (0x09, &[attribute]) if is_last(attribute) => self.close(at),
                    (0x09, _) => {}
                    _ => marks.take(field.tag, value),
                }
            });
        }
    }

    fn take(&mut self, text: &[u8], marks: Marks, at: Uptime) {
        if let Some(first) = &self.rest_of {
            if first != text || text.is_empty() {
                return;
            }
            self.rest_of = None;
        }
        let lines = self.open.get_or_insert_with(|| Lines { since: at, ..Lines::default() });
        lines.note(marks);
        lines.push(text, at);
    }

    fn close(&mut self, at: Uptime) {
        self.rest_of = None;
        if let Some(mut lines) = self.open.take() {
            lines.at = at;
            self.put(lines, Fate::Whole);
        }
    }

    fn put(&mut self, lines: Lines, fate: Fate) {
        if self.done.len() < SLIPS_MAX {
            self.done.push_back(Done { lines, fate, taken: fate != Fate::Whole });
        }
    }

    /// The till took the last message, or the terminal went on.
    pub fn taken(&mut self) {
        self.done.iter_mut().for_each(|done| done.taken = true);
    }

    /// The till refused the last message.
    pub fn refused(&mut self) {
        if let Some(lines) = self.open.take() {
            self.rest_of = Some(lines.first().to_vec());
            self.put(lines, Fate::Refused);
        } else if let Some(done) = self.done.back_mut().filter(|done| !done.taken) {
            done.fate = Fate::Refused;
            done.taken = true;
        }
    }

    /// The transaction ended: with its completion a slip without an end is whole, otherwise it was only begun.
    pub fn end(&mut self, fate: Fate) {
        self.rest_of = None;
        if let Some(lines) = self.open.take() {
            self.put(lines, fate);
        }
        self.taken();
    }

    /// The next slip of which nothing more will be heard.
    pub fn next_done(&mut self) -> Option<Done> {
        let is_ready = self.done.front().is_some_and(|done| done.taken);
        if is_ready { self.done.pop_front() } else { None }
    }

    /// Since when lines wait here.
    pub fn held_since(&self) -> Option<Uptime> {
        let done = self.done.iter().map(|done| done.lines.since);
        done.chain(self.open.as_ref().map(|lines| lines.since)).min()
    }
}

fn is_last(attribute: u8) -> bool {
    attribute & LAST != 0 && attribute != RESERVED
}

/// Where the text of a line ends: fields with the receipt type follow it without anything between.
fn tail(text: &[u8]) -> usize {
    let from = text.len().saturating_sub(TAIL_BYTES_MAX);
    let is_tail = |at: &usize| {
        let tail = &text[*at..];
        tail.len() >= 4
            && tail[0] == 0x06
            && usize::from(tail[1]) == tail.len() - 2
            && tail[2..4] == [0x1f, 0x07]
    };
    (from..text.len()).find(is_tail).unwrap_or(text.len())
}

/// In which characters a slip is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Charset {
    Named(&'static encoding_rs::Encoding),
    Usual(Encoding),
    /// The German seven-bit set: brackets and braces are letters.
    German,
}

impl Charset {
    /// By tag 14 where that names one; else UTF-8 if it is, or whichever table makes more umlauts of it.
    fn of(lines: &Lines, usual: Encoding) -> Charset {
        let bytes = &lines.bytes;
        match lines.charset {
            Some(0xfe) => return Charset::Usual(Encoding::Utf8),
            Some(part @ 1..=16) => {
                let label = format!("iso-8859-{part}");
                if let Some(named) = encoding_rs::Encoding::for_label(label.as_bytes()) {
                    return Charset::Named(named);
                }
            }
            _ => {}
        }
        if bytes.is_ascii() {
            let is_german = lines.lines().any(|line| {
                line.windows(3).any(|part| {
                    german(part[1]).is_some()
                        && part[0].is_ascii_alphabetic()
                        && part[2].is_ascii_alphabetic()
                })
            });
            return if is_german { Charset::German } else { Charset::Usual(Encoding::Utf8) };
        }
        if std::str::from_utf8(bytes).is_ok() {
            return Charset::Usual(Encoding::Utf8);
        }
        let count = |umlauts: &[u8]| bytes.iter().filter(|&byte| umlauts.contains(byte)).count();
        let cp437 = count(&[0x84, 0x94, 0x81, 0x8e, 0x99, 0x9a, 0xe1]);
        let latin = count(&[0xe4, 0xf6, 0xfc, 0xc4, 0xd6, 0xdc, 0xdf]);
        match cp437.cmp(&latin) {
            std::cmp::Ordering::Greater => Charset::Usual(Encoding::Cp437),
            std::cmp::Ordering::Less => Charset::Usual(Encoding::Latin1),
            std::cmp::Ordering::Equal => Charset::Usual(usual),
        }
    }

    fn decode(self, line: &[u8]) -> String {
        match self {
            Charset::Named(named) => named.decode_without_bom_handling(line).0.into_owned(),
            Charset::Usual(encoding) => encoding.decode(line).0.into_owned(),
            Charset::German => {
                line.iter().map(|&byte| german(byte).unwrap_or(char::from(byte))).collect()
            }
        }
    }
}

/// The letter that a sign is in the German seven-bit set.
fn german(byte: u8) -> Option<char> {
    Some(match byte {
        b'[' => 'Ä',
        b'\\' => 'Ö',
        b']' => 'Ü',
        b'{' => 'ä',
        b'|' => 'ö',
        b'}' => 'ü',
        b'~' => 'ß',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(attribute: u8, text: &[u8]) -> Vec<u8> {
        [&[0x06, 0xd1, text.len() as u8 + 1, attribute], text].concat()
    }

    fn texts(slips: &mut Slips) -> Vec<(Vec<String>, Fate)> {
        std::iter::from_fn(|| slips.next_done())
            .map(|done| (done.lines.text(Encoding::Cp437), done.fate))
            .collect()
    }

    #[track_caller]
    fn check_text(bytes: &[u8], charset: Option<u8>, expected: &str) {
        let mut slips = Slips::default();
        slips.take(bytes, Marks { charset, ..Marks::default() }, Uptime(0));
        slips.end(Fate::Whole);
        assert_eq!(texts(&mut slips), [(vec![expected.to_owned()], Fate::Whole)]);
    }

    #[test]
    fn each_slip_is_read_in_its_own_characters() {
        check_text(b"H\x8eNDLERBELEG", None, "HÄNDLERBELEG");
        check_text(b"H\xc4NDLERBELEG", None, "HÄNDLERBELEG");
        check_text("HÄNDLERBELEG".as_bytes(), None, "HÄNDLERBELEG");
        check_text(b"H[NDLERBELEG f}r", None, "HÄNDLERBELEG für");
        check_text(b"[1] a | b", None, "[1] a | b");
        check_text(b"H\xc4NDLERBELEG \x8e\x8e", Some(1), "HÄNDLERBELEG ŽŽ");
        check_text(b"H\xff", None, "H\u{a0}");
    }

    #[test]
    fn a_slip_ends_where_its_attribute_says_so() {
        let mut slips = Slips::default();
        for message in [
            line(0x40, b"A\x06\x04\x1f\x07\x01\x01"),
            line(0x80, b"B\x06\x04\x1f\x07\x01\x02"),
            line(0xff, &[2]),
            line(0x81, b"\x06\x04\x1f\x07\x01\x01"),
            line(0x00, b"C"),
        ] {
            slips.line(&message, 3, Uptime(7));
        }
        assert!(slips.next_done().is_none(), "its last line was not taken yet");
        slips.taken();
        let done = slips.next_done().expect("the first");
        assert_eq!(done.lines.copy(), Some(Copy::Merchant));
        assert_eq!(done.lines.text(Encoding::Cp437), ["A", "B", "", "", ""]);
        slips.end(Fate::Begun);
        assert_eq!(texts(&mut slips), [(vec!["C".to_owned()], Fate::Begun)]);
    }

    #[test]
    fn the_rest_of_a_refused_slip_is_no_slip_and_one_that_begins_anew_is() {
        let mut slips = Slips::default();
        slips.line(&line(0, b"A"), 3, Uptime(0));
        slips.refused();
        slips.line(&line(0, b"B"), 3, Uptime(1));
        slips.line(&line(0x81, b""), 3, Uptime(1));
        slips.taken();
        assert_eq!(texts(&mut slips), [(vec!["A".to_owned()], Fate::Refused)]);
        slips.line(&line(0, b"A"), 3, Uptime(2));
        slips.refused();
        slips.line(&line(0, b"A"), 3, Uptime(3));
        slips.line(&line(0x81, b"B"), 3, Uptime(3));
        slips.taken();
        let expected = [
            (vec!["A".to_owned()], Fate::Refused),
            (vec!["A".to_owned(), "B".to_owned()], Fate::Whole),
        ];
        assert_eq!(texts(&mut slips), expected);
    }

    #[test]
    fn more_than_paper_holds_is_not_held() {
        let mut slips = Slips::default();
        for at in 0..2_000 {
            slips.line(&line(0, &[b'x'; 40]), 3, Uptime(at));
        }
        slips.end(Fate::Whole);
        let done = slips.next_done().expect("one");
        assert!(done.lines.bytes.len() <= SLIP_BYTES_MAX);
        (0..20).for_each(|at| slips.line(&line(0x81, b"x"), 3, Uptime(at)));
        slips.taken();
        assert_eq!(std::iter::from_fn(|| slips.next_done()).count(), SLIPS_MAX);
    }
}
