//! Card data out of raw bytes whose dialect nobody knows, before they are written to a recording. Frames with the usual
//! check sums are cut, scrubbed and given the sum of what is left: with the old one the hidden digits could be computed.
//! Text is scrubbed as the decoder does it, so that a recording tells what the line told: no half-bytes are looked for
//! among its letters. Whatever else holds a card number loses its last bytes with it.
//!
//! Never passes on what it has not seen the end of: bytes wait until the line is quiet.

use crate::decode::dialect::Direction;
use crate::decode::encoding::Encoding;
use crate::decode::framer::check::{Check, Covered, Crc16, Sum};
use crate::decode::framer::frame::{Cut, Framer, Framing};
use crate::decode::framer::shape::{DLE, Escape, Length, Shape};
use crate::decode::plain::plain;
use crate::decode::scrub::{Scrubbed, Scrubber, frame};
use slipwatch_shared::times::Uptime;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

/// A pause this long ends a burst: the longest that a sender leaves within a frame is 200 ms.
pub const GAP_MS: u64 = 250;
/// A burst that grows beyond this is passed on in parts.
pub const HELD_BYTES_MAX: usize = 16 * 1024;
/// So many digits of an unfinished number may be seen.
const CLEAR_FIRST: usize = 6;
/// And so many at the end of one whose beginning went before.
const CLEAR_LAST: usize = 4;
/// Longest card number.
const DIGITS_MAX: usize = 19;
/// Check sums have at most so many bytes.
const SUM_BYTES_MAX: usize = 2;

/// Hides card data in the bytes of one way of a line.
#[derive(Debug)]
pub struct Hider {
    direction: Direction,
    framing: Arc<Framing>,
    scrubber: Scrubber,
    /// What waits, and where in it each read began.
    held: Vec<u8>,
    reads: Vec<(usize, Uptime)>,
    last: Uptime,
    /// The last burst ended amid a number.
    amid: bool,
}

/// Scrubbed bytes, and when the first of them was read.
pub type Piece = (Uptime, Direction, Vec<u8>);

impl Hider {
    /// For one way of a line.
    pub fn new(direction: Direction) -> Hider {
        Hider {
            direction,
            framing: Arc::new(usual_frames()),
            scrubber: Scrubber::new([]),
            held: Vec::new(),
            reads: Vec::new(),
            last: Uptime(0),
            amid: false,
        }
    }

    /// Takes what was read; gives what can be written.
    pub fn push(&mut self, bytes: &[u8], at: Uptime) -> Vec<Piece> {
        let mut ready = self.settle(at);
        for part in bytes.chunks(HELD_BYTES_MAX / 2) {
            if self.held.len() + part.len() > HELD_BYTES_MAX {
                ready.extend(self.make_room());
            }
            self.reads.push((self.held.len(), at));
            self.held.extend_from_slice(part);
        }
        self.last = at;
        ready
    }

    /// Time passed: a burst that ended is given.
    pub fn settle(&mut self, now: Uptime) -> Vec<Piece> {
        if self.held.is_empty() || now.ms_since(self.last) < GAP_MS {
            return Vec::new();
        }
        self.let_go()
    }

    /// Since when something waits.
    pub fn held_since(&self) -> Option<Uptime> {
        self.reads.first().map(|&(_, at)| at)
    }

    /// When [`Hider::settle`] would give something.
    pub fn wake_at(&self) -> Option<Uptime> {
        (!self.held.is_empty()).then(|| self.last.plus_ms(GAP_MS))
    }

    /// Gives what is held up to the last line end that no number can go on behind; everything where there is none.
    fn make_room(&mut self) -> Vec<Piece> {
        let is_calm = |end: &usize| {
            let last = self.held[..*end].iter().rev().find(|&&byte| byte != b'\r');
            last.is_some_and(|byte| !byte.is_ascii_digit())
        };
        let Some(end) = memchr::memrchr_iter(b'\n', &self.held).find(is_calm) else {
            return self.let_go();
        };
        let rest = self.held.split_off(end + 1);
        let mut later = Vec::new();
        if !rest.is_empty() {
            // The read that the cut falls into goes on behind it.
            let first = self.reads.partition_point(|&(start, _)| start <= end + 1) - 1;
            let moved = |&(start, at): &(usize, Uptime)| (start.saturating_sub(end + 1), at);
            later.extend(self.reads[first..].iter().map(moved));
            self.reads.truncate(first + 1);
        }
        let ready = self.let_go();
        (self.held, self.reads) = (rest, later);
        ready
    }

    /// Gives everything, also what is unfinished.
    pub fn let_go(&mut self) -> Vec<Piece> {
        let burst = std::mem::take(&mut self.held);
        let reads = std::mem::take(&mut self.reads);
        let mut pieces: Vec<Piece> = Vec::new();
        for (from, bytes) in self.hidden(&burst) {
            // What is as it was keeps the moments of its reads; what was changed is told as one.
            let to = from + bytes.len();
            let is_same = burst.get(from..to) == Some(&bytes);
            let mut at = from;
            while at < to {
                let read = reads.partition_point(|&(start, _)| start <= at);
                let end = reads.get(read).map_or(to, |next| next.0.min(to));
                let end = if is_same { end } else { to };
                let moment = reads[read - 1].1;
                let part = &bytes[at - from..end - from];
                match pieces.last_mut() {
                    Some((last, _, held)) if *last == moment => held.extend_from_slice(part),
                    _ => pieces.push((moment, self.direction, part.to_vec())),
                }
                at = end;
            }
        }
        pieces
    }

    /// The burst in parts, each with its place in the original.
    fn hidden(&mut self, burst: &[u8]) -> Vec<(usize, Vec<u8>)> {
        let mut open = burst.to_vec();
        self.hide_ends(&mut open);
        let mut parts: Vec<(usize, Vec<u8>)> = Vec::new();
        let mut framer = Framer::new(self.framing.clone());
        let mut at = 0;
        let mut loose = 0..0;
        let mut is_finished = false;
        framer.push(&open, Uptime(0));
        loop {
            let cut = framer.next_cut();
            let Some(cut) = cut else {
                if std::mem::replace(&mut is_finished, true) {
                    break;
                }
                framer.finish();
                continue;
            };
            let frame = match cut {
                Cut::Frame { shape, body, whole, .. } => {
                    let framing = self.framing.clone();
                    Some((whole.len(), rewritten(&framing.shapes[shape], body, whole)))
                }
                Cut::Signal(_) => {
                    loose.end += 1;
                    at += 1;
                    None
                }
                Cut::Damaged { bytes, .. } | Cut::Noise(bytes) => {
                    loose.end += bytes;
                    at += bytes;
                    None
                }
            };
            if let Some((length, frame)) = frame {
                self.hide_loose(&open, loose, &mut parts);
                parts.push((at, frame));
                at += length;
                loose = at..at;
            }
        }
        assert_eq!(at, burst.len(), "the framer accounts for every byte");
        self.hide_loose(&open, loose, &mut parts);
        parts
    }

    /// A number may have begun in the last burst, or go on in the next.
    fn hide_ends(&mut self, burst: &mut [u8]) {
        if std::mem::take(&mut self.amid) {
            let digits = burst.iter().take_while(|byte| byte.is_ascii_digit()).count();
            burst[..digits.saturating_sub(CLEAR_LAST).min(DIGITS_MAX)].fill(b'*');
        }
        let digits = burst.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        if (CLEAR_FIRST + 1..=DIGITS_MAX).contains(&digits) {
            let from = burst.len() - digits;
            burst[from + CLEAR_FIRST..].fill(b'*');
            self.amid = true;
        }
    }

    /// Bytes outside of frames: lines of text, or whatever it is.
    fn hide_loose(
        &mut self,
        burst: &[u8],
        loose: std::ops::Range<usize>,
        parts: &mut Vec<(usize, Vec<u8>)>,
    ) {
        let mut at = loose.start;
        // A piece of a binary message between two bytes that end a line may be printable by chance, digits in BCD among it:
        // text is a burst that is nothing else.
        let loose = &burst[loose];
        let mut lines = loose.split_inclusive(|&byte| byte == b'\n');
        let is_text_alone = lines.all(|bytes| Line::read(0, bytes).is_some());
        // Lines whose end may be a number's beginning wait for the next one in the scrubber.
        let mut waiting: VecDeque<Line<'_>> = VecDeque::new();
        for bytes in loose.split_inclusive(|&byte| byte == b'\n') {
            match is_text_alone.then(|| Line::read(at, bytes)).flatten() {
                Some(line) => {
                    let scrubbed = self.scrubber.line(&line.text, 0, Uptime(0));
                    waiting.push_back(line);
                    match scrubbed {
                        Scrubbed::Clean => {
                            parts.extend(
                                waiting.drain(..).map(|line| (line.at, line.bytes.to_vec())),
                            );
                        }
                        Scrubbed::Ready => self.take_scrubbed(&mut waiting, parts),
                    }
                }
                None => {
                    self.scrubber.let_go();
                    self.take_scrubbed(&mut waiting, parts);
                    let hidden =
                        if is_text(bytes) { self.hide_text(bytes) } else { hide_binary(bytes) };
                    parts.push((at, hidden));
                }
            }
            at += bytes.len();
        }
        self.scrubber.let_go();
        self.take_scrubbed(&mut waiting, parts);
    }

    /// Takes from the scrubber what is ready; it gives each line that it was given, in their order.
    fn take_scrubbed(
        &mut self,
        waiting: &mut VecDeque<Line<'_>>,
        parts: &mut Vec<(usize, Vec<u8>)>,
    ) {
        while let Some((scrubbed, _)) = self.scrubber.next_line() {
            let Some(line) = waiting.pop_front() else { return };
            parts.push((line.at, line.with(&scrubbed)));
        }
    }

    /// A line of text with a printer's commands in it.
    fn hide_text(&mut self, line: &[u8]) -> Vec<u8> {
        let (text, rest) = line.split_at(line.len() - line_end(line));
        let text: String = text.iter().map(|&byte| char::from(byte)).collect();
        let mut scrubbed = match self.scrubber.line(&text, 0, Uptime(0)) {
            Scrubbed::Clean => text,
            Scrubbed::Ready => String::new(),
        };
        self.scrubber.let_go();
        while let Some((line, _)) = self.scrubber.next_line() {
            scrubbed.push_str(&line);
        }
        // Every sign of it was a byte; the scrubber puts in stars alone.
        let mut bytes: Vec<u8> =
            scrubbed.chars().map(|sign| u8::try_from(u32::from(sign)).unwrap_or(b'*')).collect();
        frame::frame(&mut bytes);
        bytes.extend_from_slice(rest);
        bytes
    }
}

/// A line that is text and nothing else, in an encoding that tells text from other bytes.
struct Line<'a> {
    /// Its place in the burst.
    at: usize,
    bytes: &'a [u8],
    encoding: Encoding,
    /// As the decoder reads it, without its end.
    text: Cow<'a, str>,
}

impl<'a> Line<'a> {
    fn read(at: usize, bytes: &'a [u8]) -> Option<Line<'a>> {
        let body = &bytes[..bytes.len() - line_end(bytes)];
        if body.iter().any(|&byte| byte < b' ' && byte != b'\t' || byte == 0x7f) {
            return None;
        }
        let encoding = match std::str::from_utf8(body) {
            Ok(_) => Encoding::Utf8,
            Err(_) => Encoding::Gb18030,
        };
        let (text, is_sound) = encoding.decode(body);
        // Many bytes that are no text are signs of GB18030: what is mostly ASCII is text.
        let is_text = is_sound && (encoding == Encoding::Utf8 || is_text(bytes));
        let is_control = |sign: char| sign.is_control() && sign != '\t';
        (is_text && !text.contains(is_control)).then(|| Line {
            at,
            bytes,
            encoding,
            text: plain(text),
        })
    }

    /// Its bytes when its text became this: as they were unless something was hidden.
    fn with(&self, scrubbed: &str) -> Vec<u8> {
        if scrubbed == self.text {
            return self.bytes.to_vec();
        }
        let mut bytes = match self.encoding {
            Encoding::Gb18030 => encoding_rs::GB18030.encode(scrubbed).0.into_owned(),
            _ => scrubbed.as_bytes().to_vec(),
        };
        bytes.extend_from_slice(&self.bytes[self.bytes.len() - line_end(self.bytes)..]);
        bytes
    }
}

/// How many bytes end a line.
fn line_end(line: &[u8]) -> usize {
    line.iter().rev().take_while(|&&byte| byte == b'\n' || byte == b'\r').count()
}

/// Whether most of a line can be read; a printer's commands stand among its text.
fn is_text(line: &[u8]) -> bool {
    let readable =
        |&&byte: &&u8| byte >= 0x20 && byte != 0x7f || matches!(byte, b'\n' | b'\r' | b'\t');
    line.iter().filter(readable).count() * 4 >= line.len() * 3
        && line.iter().filter(|byte| byte.is_ascii()).count() * 2 >= line.len()
}

/// Hides numbers and tracks. A sum behind them, of whatever kind, would betray what was hidden.
fn hide_binary(bytes: &[u8]) -> Vec<u8> {
    let mut hidden = bytes.to_vec();
    if hide_numbers(&mut hidden) {
        let from = hidden.len().saturating_sub(SUM_BYTES_MAX);
        hidden[from..].fill(0);
    }
    hidden
}

/// Card numbers, and what follows one on a track.
fn hide_numbers(bytes: &mut [u8]) -> bool {
    let found = frame::frame(bytes) > 0;
    found && {
        hide_tracks(bytes);
        true
    }
}

/// Behind the separator of a track whose number was hidden nothing may be read.
fn hide_tracks(bytes: &mut [u8]) {
    let nibbles = bytes.len() * 2;
    let nibble = |bytes: &[u8], at: usize| {
        if at.is_multiple_of(2) { bytes[at / 2] >> 4 } else { bytes[at / 2] & 0xf }
    };
    let mut at = 0;
    while at < nibbles {
        let run = (at..nibbles)
            .take_while(|&at| nibble(bytes, at) <= 9 || nibble(bytes, at) == 0xe)
            .count();
        let hidden = (at..at + run).filter(|&at| nibble(bytes, at) == 0xe).count();
        at += run;
        if hidden >= 3 && at < nibbles && nibble(bytes, at) == 0xd {
            at += 1;
            while at < nibbles && nibble(bytes, at) <= 9 {
                let byte = &mut bytes[at / 2];
                *byte =
                    if at.is_multiple_of(2) { 0xe0 | (*byte & 0xf) } else { (*byte & 0xf0) | 0xe };
                at += 1;
            }
        }
        at += 1;
    }
    // In ASCII the number shows six digits, stars, four digits; a track goes on behind `=` or `D`.
    let mut from = 0;
    while let Some(star) = memchr::memchr(b'*', &bytes[from..]).map(|at| from + at) {
        let stars = bytes[star..].iter().take_while(|&&byte| byte == b'*').count();
        let last = bytes[star + stars..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let at = star + stars + last;
        from = at.max(star + 1);
        if matches!(bytes.get(at), Some(b'=' | b'D' | b'^')) {
            let end = bytes[at + 1..]
                .iter()
                .take_while(|&&byte| (0x20..0x7f).contains(&byte) && byte != b'?');
            let end = at + 1 + end.count();
            bytes[at + 1..end].fill(b'*');
            from = end;
        }
    }
}

/// A frame as it is, or without its card data and with the sum of what is left.
fn rewritten(shape: &Shape, body: &[u8], whole: &[u8]) -> Vec<u8> {
    let mut hidden = body.to_vec();
    if !hide_numbers(&mut hidden) {
        return whole.to_vec();
    }
    let header = shape.mark().len() + shape.start.len();
    let length = &whole[header..header + shape.length.bytes()];
    let sent = &whole[whole.len() - shape.check_bytes()..];
    let covered = |body| Covered { start: &shape.start, length, body, end: &shape.end };
    let check = shape.checks.iter().find(|check| check.fits(covered(body), sent));
    let one = Shape { checks: check.into_iter().copied().collect(), ..shape.clone() };
    one.wrap(&hidden)
}

/// Frames that are on many lines: ZVT's, those with a length in BCD, and `02 .. 03` with the sums of DEVICES.
fn usual_frames() -> Framing {
    let crc = |kind, low_first| Check {
        sum: Sum::Crc16(kind),
        start: false,
        length: false,
        end: true,
        low_first,
    };
    let xor = |seed, start| Check { sum: Sum::Xor(seed), start, ..Check::LRC };
    let stx = Shape::stx_etx();
    Framing {
        shapes: vec![
            Shape {
                start: [0x02].into(),
                escape: Escape::Dle,
                checks: vec![crc(Crc16::Kermit, true), crc(Crc16::Xmodem, false)],
                ..stx.clone()
            },
            Shape { length: Length::Bcd2, checks: vec![Check::LRC], ..stx.clone() },
            Shape {
                checks: vec![
                    xor(0, false),
                    xor(0, true),
                    xor(0x7f, false),
                    xor(0x7f, true),
                    Check { end: false, ..xor(0, false) },
                    Check { end: false, ..xor(0x7f, false) },
                    Check { end: false, ..xor(0x7f, true) },
                ],
                ..stx.clone()
            },
            Shape {
                checks: vec![
                    crc(Crc16::Kermit, true),
                    crc(Crc16::Kermit, false),
                    crc(Crc16::Xmodem, false),
                    crc(Crc16::CcittFalse, false),
                    crc(Crc16::X25, true),
                    crc(Crc16::Modbus, true),
                    crc(Crc16::Arc, true),
                ],
                ..stx
            },
        ],
        signals: vec![0x04, 0x05, 0x06, 0x15, DLE],
        gap_ms: GAP_MS,
        masked_ok: false,
    }
}

#[cfg(test)]
mod tests;
