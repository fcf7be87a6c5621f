//! Cuts the bytes that go to a printer into text, control signs and commands. Bounded, never stuck: an unknown command
//! costs its lead byte, a command that never ends is given up by [`Tokens::give_up`].

use super::form::{DLE, ESC, FS, GS, Step, image_bytes, step};
use std::fmt;

/// Bytes of a command that are kept: its head, and the beginning of its data. `GS ( L` names its size in the first
/// fifteen.
const KEPT_BYTES: usize = 24;

/// One piece of the stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// Signs that are printed: all bytes from a blank on.
    Text(&'t [u8]),
    /// A byte below a blank that leads no command.
    Control(u8),
    /// A command: lead byte, letter, parameters and the beginning of its data; and how long it was in all.
    Command(&'t [u8], u64),
    /// A command that is obeyed when it arrives, perhaps amid others.
    RealTime(&'t [u8]),
    /// A byte that leads no command there is.
    Unknown,
}

/// What the bytes that come next belong to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Inside {
    /// Nothing: text or a new command.
    #[default]
    Nothing,
    /// The head of a command.
    Head,
    /// So many bytes of data.
    Data(u64),
    /// A list that ends with a zero.
    List(u16),
    /// Glyphs; the next byte is a width.
    Width { left: u16, column_bytes: u8 },
    /// A glyph.
    Glyph { bytes: u64, left: u16, column_bytes: u8 },
    /// Images; the next bytes are a size.
    Size { left: u8, size: [u8; 4], known: u8 },
    /// An image.
    Image { bytes: u64, left: u8 },
}

/// The state of one stream.
#[derive(Default)]
pub(super) struct Tokens {
    inside: Inside,
    kept: Kept,
    /// How long the command is so far.
    length: u64,
    /// Bytes of a head that was none, to be read again before the next.
    again: Kept,
    /// The lead byte of a command amid whose first two bytes a real-time command stands.
    outer: Option<u8>,
    /// The command in `kept` was handed out.
    is_out: bool,
    /// A byte that was read again, as text.
    single: [u8; 1],
}

/// The number of a card may stand in a barcode.
impl fmt::Debug for Tokens {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Tokens").field("inside", &self.inside).finish_non_exhaustive()
    }
}

/// A few bytes in place.
#[derive(Clone, Copy, Default)]
struct Kept {
    bytes: [u8; KEPT_BYTES],
    length: u8,
}

impl Kept {
    fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// Keeps the byte if there is room.
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(usize::from(self.length)) {
            *place = byte;
            self.length += 1;
        }
    }

    fn push_all(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.push(byte));
    }

    fn pop_front(&mut self) -> Option<u8> {
        let first = *self.as_slice().first()?;
        self.bytes.copy_within(1.., 0);
        self.length -= 1;
        Some(first)
    }
}

impl Tokens {
    /// The next piece of `input`, whose bytes it takes; `None` when more are needed.
    pub fn next<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Option<Token<'s>> {
        if std::mem::take(&mut self.is_out) {
            self.begin_anew();
        }
        loop {
            match self.inside {
                Inside::Nothing => {
                    if self.again.length == 0 {
                        let run = input.iter().take_while(|&&byte| byte >= b' ').count();
                        if run > 0 {
                            let (text, rest) = input.split_at(run);
                            *input = rest;
                            return Some(Token::Text(text));
                        }
                    }
                    let byte = self.take(input)?;
                    if !matches!(byte, ESC | GS | FS | DLE) {
                        return Some(self.single(byte));
                    }
                    self.kept.push(byte);
                    self.length = 1;
                    self.inside = Inside::Head;
                }
                Inside::Head => {
                    let byte = self.take(input)?;
                    if let Some(token) = self.head(byte) {
                        return Some(match token {
                            Out::Whole => self.out(),
                            Out::Unknown => Token::Unknown,
                        });
                    }
                }
                _ => {
                    self.data(input)?;
                    if self.inside == Inside::Nothing {
                        return Some(self.out());
                    }
                }
            }
        }
    }

    /// Whether the stream stands amid a command.
    pub fn is_amid(&self) -> bool {
        self.inside != Inside::Nothing && !self.is_out
    }

    /// Gives up the command that the stream stands amid: its length was wrong, or the rest never comes.
    pub fn give_up(&mut self) {
        *self = Tokens::default();
    }

    fn take(&mut self, input: &mut &[u8]) -> Option<u8> {
        self.again.pop_front().or_else(|| {
            let (&first, rest) = input.split_first()?;
            *input = rest;
            Some(first)
        })
    }

    fn single(&mut self, byte: u8) -> Token<'_> {
        if byte < b' ' {
            return Token::Control(byte);
        }
        self.single = [byte];
        Token::Text(&self.single)
    }

    /// Takes a byte of a head.
    fn head(&mut self, byte: u8) -> Option<Out> {
        if byte == DLE && self.kept.length == 1 && self.kept.bytes[0] != DLE {
            // No command has this letter: a real-time command was put in.
            self.outer = Some(self.kept.bytes[0]);
            self.kept.length = 0;
        }
        self.kept.push(byte);
        self.length += 1;
        match step(self.kept.as_slice()) {
            Step::More => {}
            Step::Whole => return Some(Out::Whole),
            Step::Data(bytes) => self.inside = Inside::Data(bytes),
            Step::List(bytes) => self.inside = Inside::List(bytes),
            Step::Glyphs { left, column_bytes } => {
                self.inside = Inside::Width { left, column_bytes };
            }
            Step::Images { left } => {
                self.inside = Inside::Size { left, size: [0; 4], known: 0 };
            }
            Step::Unknown => {
                let mut again = Kept::default();
                again.push_all(&self.kept.as_slice()[1..]);
                again.push_all(self.again.as_slice());
                self.again = again;
                self.begin_anew();
                return Some(Out::Unknown);
            }
        }
        None
    }

    /// Takes bytes of data; `None` when more are needed. Nothing is inside any more once it is whole.
    fn data(&mut self, input: &mut &[u8]) -> Option<()> {
        self.inside = match self.inside {
            Inside::Data(bytes) => match self.skip(bytes, input) {
                0 => Inside::Nothing,
                left => Inside::Data(left),
            },
            Inside::Glyph { bytes, left, column_bytes } => match self.skip(bytes, input) {
                0 if left == 0 => Inside::Nothing,
                0 => Inside::Width { left, column_bytes },
                bytes => Inside::Glyph { bytes, left, column_bytes },
            },
            Inside::Image { bytes, left } => match self.skip(bytes, input) {
                0 if left == 0 => Inside::Nothing,
                0 => Inside::Size { left, size: [0; 4], known: 0 },
                bytes => Inside::Image { bytes, left },
            },
            Inside::List(left) => match self.datum(input)? {
                0 => Inside::Nothing,
                _ if left <= 1 => Inside::Nothing,
                _ => Inside::List(left - 1),
            },
            Inside::Width { left, column_bytes } => {
                let bytes = u64::from(self.datum(input)?) * u64::from(column_bytes);
                match (bytes, left - 1) {
                    (0, 0) => Inside::Nothing,
                    (0, left) => Inside::Width { left, column_bytes },
                    (bytes, left) => Inside::Glyph { bytes, left, column_bytes },
                }
            }
            Inside::Size { left, mut size, known } => {
                size[usize::from(known)] = self.datum(input)?;
                match known {
                    3 => match image_bytes(size) {
                        Some(bytes) => Inside::Image { bytes, left: left - 1 },
                        None => Inside::Nothing,
                    },
                    _ => Inside::Size { left, size, known: known + 1 },
                }
            }
            inside => inside,
        };
        let is_short = self.inside != Inside::Nothing && input.is_empty() && self.again.length == 0;
        if is_short { None } else { Some(()) }
    }

    /// One byte of data.
    fn datum(&mut self, input: &mut &[u8]) -> Option<u8> {
        let byte = self.take(input)?;
        self.kept.push(byte);
        self.length += 1;
        Some(byte)
    }

    /// Goes over so many bytes of data, as far as they are there; tells how many are still to come.
    fn skip(&mut self, bytes: u64, input: &mut &[u8]) -> u64 {
        let mut left = bytes;
        while left > 0 && self.again.length > 0 {
            self.datum(input);
            left -= 1;
        }
        let there = left.min(input.len() as u64) as usize;
        let (data, rest) = input.split_at(there);
        let room = KEPT_BYTES - usize::from(self.kept.length);
        self.kept.push_all(&data[..there.min(room)]);
        self.length += there as u64;
        *input = rest;
        left - there as u64
    }

    fn out(&mut self) -> Token<'_> {
        self.is_out = true;
        match self.kept.bytes[0] {
            DLE => Token::RealTime(self.kept.as_slice()),
            _ => Token::Command(self.kept.as_slice(), self.length),
        }
    }

    /// The next byte begins something new, or goes on with the command that a real-time command stood amid.
    fn begin_anew(&mut self) {
        self.inside = Inside::Nothing;
        self.kept.length = 0;
        self.length = 0;
        if let Some(lead) = self.outer.take() {
            self.kept.push(lead);
            self.length = 1;
            self.inside = Inside::Head;
        }
    }
}

/// What a byte of a head made of it.
enum Out {
    Whole,
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tokens of a stream in chunks of this size, in words; text that follows text is one.
    fn tokens(stream: &[u8], chunk_bytes: usize) -> Vec<String> {
        let mut tokens = Tokens::default();
        let mut out: Vec<String> = Vec::new();
        let mut text = String::new();
        for chunk in stream.chunks(chunk_bytes) {
            let mut rest = chunk;
            while let Some(token) = tokens.next(&mut rest) {
                let word = match token {
                    Token::Text(bytes) => {
                        text.push_str(&String::from_utf8_lossy(bytes));
                        continue;
                    }
                    Token::Control(byte) => format!("control {byte:02x}"),
                    Token::Command(bytes, length) => {
                        format!("{} of {length}", char::from(bytes[1]).escape_default())
                    }
                    Token::RealTime(bytes) => format!("at once {bytes:02x?}"),
                    Token::Unknown => "unknown".to_owned(),
                };
                if !text.is_empty() {
                    out.push(std::mem::take(&mut text));
                }
                out.push(word);
            }
        }
        if !text.is_empty() {
            out.push(text);
        }
        if tokens.is_amid() {
            out.push("amid".to_owned());
        }
        out
    }

    #[track_caller]
    fn check(stream: &[u8], expected: &[&str]) {
        for chunk_bytes in 1..=stream.len() {
            assert_eq!(tokens(stream, chunk_bytes), expected, "in chunks of {chunk_bytes}");
        }
    }

    /// A command of which every byte is taken, and none of what follows it.
    #[track_caller]
    fn whole(command: &[u8]) {
        let stream = [command, b"A"].concat();
        let letter = char::from(command[1]).escape_default();
        check(&stream, &[&format!("{letter} of {}", command.len()), "A"]);
    }

    #[test]
    fn every_command_has_its_length() {
        b"@2imLS<\x0cv".iter().for_each(|&letter| whole(&[ESC, letter]));
        b"!-EGMRtadJeK{V rU3=%?Tu".iter().for_each(|&letter| whole(&[ESC, letter, 0x1b]));
        b"$\\B".iter().for_each(|&letter| whole(&[ESC, letter, 0x1d, 0x56]));
        b":c".iter().for_each(|&letter| whole(&[GS, letter]));
        b"!BHhwfarIb/T".iter().for_each(|&letter| whole(&[GS, letter, 0x1b]));
        b"LWP$\\".iter().for_each(|&letter| whole(&[GS, letter, 0x1b, 0x40]));
        b"&.v".iter().for_each(|&letter| whole(&[FS, letter]));
        b"!-WC".iter().for_each(|&letter| whole(&[FS, letter, 0x1b]));
        b"Sp".iter().for_each(|&letter| whole(&[FS, letter, 0x1b, 0x40]));
        let others: [&[u8]; 36] = [
            b"\x1bp\x00\x19\xfa",
            b"\x1bc3\x0c",
            b"\x1bc4\x0c",
            b"\x1bc5\x00",
            b"\x1bD\x08\x10\x18\x00",
            b"\x1b*\x00\x02\x00\x1b@",
            b"\x1b*\x21\x02\x00\x1b@\x1b@\x1b@",
            b"\x1b&\x02\x41\x42\x01\x10\x04\x02\x1b\x40\x1d\x56",
            b"\x1bW\x00\x00\x00\x00\x1b\x40\x1b\x40",
            b"\x1b(A\x02\x00\x1b@",
            b"\x1dV\x00",
            b"\x1dV1",
            b"\x1dVA\x1b",
            b"\x1dVB\x00",
            b"\x1dVa\x00",
            b"\x1dVh\x00",
            b"\x1dk\x04ABC\x00",
            b"\x1dk\x49\x04\x1b@\x1b@",
            b"\x1dka\x00\x00\x02\x00\x1b@",
            b"\x1dv0\x00\x02\x00\x02\x00\x1b@\x1b@",
            b"\x1dv0\x03\x00\x00\x02\x00",
            b"\x1d*\x01\x01\x1b@\x1b@\x1b@\x1b@",
            b"\x1d(L\x02\x00\x30\x32",
            b"\x1d(k\x03\x001Q0",
            b"\x1d(H\x06\x00000001",
            b"\x1d8L\x02\x00\x00\x00\x30\x32",
            b"\x1d^\x01\x01\x01",
            b"\x1dC0\x00\x00",
            b"\x1dC1\x00\x00\x00\x00\x00\x00",
            b"\x1dC2\x00\x00",
            b"\x1dg0\x00\x14\x00",
            b"\x1dg2\x00\x14\x00",
            b"\x1dz0\x05\x05",
            &[&b"\x1c2\xaa\xa1"[..], &[0x1b; 72]].concat(),
            b"\x1cq\x02\x01\x00\x01\x00\x1b@\x1b@\x1b@\x1b@\x01\x00\x01\x00\x1b@\x1b@\x1b@\x1b@",
            b"\x1c(A\x02\x00\x30\x00",
        ];
        others.iter().for_each(|command| whole(command));
    }

    #[test]
    fn commands_that_are_obeyed_at_once_have_theirs() {
        for command in [
            &b"\x10\x04\x01"[..],
            b"\x10\x04\x07\x01",
            b"\x10\x04\x14",
            b"\x10\x05\x02",
            b"\x10\x14\x01\x00\x01",
            b"\x10\x14\x02\x01\x08",
            b"\x10\x14\x03\x00\x00\x00\x00\x00",
            b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08",
        ] {
            let word = format!("at once {command:02x?}");
            check(&[command, b"A"].concat(), &[&word, "A"]);
            check(&[b"A", command, b"B"].concat(), &["A", &word, "B"]);
            // Between the lead byte and the letter of another.
            check(&[b"\x1b", command, b"@A"].concat(), &[&word, "@ of 2", "A"]);
        }
    }

    #[test]
    fn what_is_no_command_costs_one_byte() {
        check(b"\x1b\x01A", &["unknown", "control 01", "A"]);
        check(b"\x1dV9A", &["unknown", "V9A"]);
        check(b"\x1dk\x07A", &["unknown", "k", "control 07", "A"]);
        check(b"\x10\x04\x00A", &["unknown", "control 04", "control 00", "A"]);
        check(
            b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x09\x1b@",
            &[
                "unknown",
                "control 14",
                "control 08",
                "control 01",
                "control 03",
                "control 14",
                "control 01",
                "control 06",
                "control 02",
                "control 09",
                "@ of 2",
            ],
        );
        check(b"\x1b\x1b@", &["unknown", "@ of 2"]);
        check(b"\x1d8L\xff\xff\xff\x7fA", &["unknown", "8L\u{fffd}\u{fffd}\u{fffd}\u{7f}A"]);
    }

    #[test]
    fn what_has_not_ended_waits_and_can_be_given_up() {
        check(b"\x1b", &["amid"]);
        check(b"A\x1dv0\x00\x02\x00\x02\x00\x1b@\x1b", &["A", "amid"]);
        let mut tokens = Tokens::default();
        let mut rest = &b"\x1d(L\xff\xff"[..];
        assert_eq!(tokens.next(&mut rest), None);
        tokens.give_up();
        let mut rest = &b"A"[..];
        assert_eq!(tokens.next(&mut rest), Some(Token::Text(b"A")));
    }
}
