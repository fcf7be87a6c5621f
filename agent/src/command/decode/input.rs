//! What `decode` may be given: bytes as they were on the line, the same in hexadecimal, or a recording with ways and
//! times.

use crate::decode::dialect::{Dialect, Direction};
use crate::decode::guess::Trial;
use crate::decode::recording::{self, Row};
use slipwatch_shared::times::{EventTime, Uptime};
use std::io::{self, BufRead};
use std::sync::Arc;

/// How the file is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// As its beginning shows.
    #[default]
    Auto,
    /// Bytes as they were on the line, or the lines of a log.
    Raw,
    /// Bytes in hexadecimal: `02 00`, `0200`, `[02][00]`, `xxd` and `hexdump -C`.
    Hex,
    /// What `slipwatch-agent record` wrote.
    Recording,
}

/// One thing that the file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// Bytes of the line.
    Bytes {
        /// When, in a recording.
        at: Uptime,
        /// Which way, in a recording.
        direction: Direction,
        /// What.
        bytes: &'a [u8],
    },
    /// The line was lost here.
    Lost {
        /// When.
        at: Uptime,
    },
}

/// What a file is, and what its head tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Never `Auto`.
    pub form: Form,
    /// Whether both ways were recorded.
    pub two_way: bool,
    /// When the recording began.
    pub started: Option<EventTime>,
}

/// Looks at what is there of a file without taking it.
pub fn look(input: &mut impl BufRead, form: Form, dialect: &Arc<dyn Dialect>) -> io::Result<Head> {
    let head = input.fill_buf()?;
    let text = String::from_utf8_lossy(head);
    let form = match form {
        Form::Auto if recording::is_recording(head) => Form::Recording,
        Form::Auto if is_hex(&text, head, dialect) => Form::Hex,
        Form::Auto => Form::Raw,
        given => given,
    };
    let lines = || text.lines().take_while(|_| form == Form::Recording);
    let started = lines().find_map(|line| line.strip_prefix("started "));
    let started = started.and_then(|time| time.parse::<jiff::Timestamp>().ok());
    Ok(Head {
        form,
        two_way: lines().any(|line| line.starts_with("port <")),
        started: started.map(|time| EventTime(time.as_millisecond())),
    })
}

/// Reads all of a file; `each` is called with what it says, and with how many bytes of the file were read for it.
pub fn read<E: From<io::Error>>(
    input: &mut impl BufRead,
    form: Form,
    mut each: impl FnMut(Item<'_>, u64) -> Result<(), E>,
) -> Result<(), E> {
    if form == Form::Raw {
        loop {
            let bytes = match input.fill_buf() {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            let count = bytes.len();
            if count == 0 {
                return Ok(());
            }
            let item = Item::Bytes { at: Uptime(0), direction: Direction::Either, bytes };
            each(item, count as u64)?;
            input.consume(count);
        }
    }
    let mut line = Vec::new();
    let mut number = 0_u64;
    loop {
        line.clear();
        // A file without line ends is no text: it must not fill the memory.
        let count = io::Read::take(&mut *input, recording::LINE_BYTES_MAX as u64)
            .read_until(b'\n', &mut line)?;
        if count == 0 {
            return Ok(());
        }
        number += 1;
        let text = String::from_utf8_lossy(&line);
        let wrong = |what: String| {
            io::Error::new(io::ErrorKind::InvalidData, format!("line {number}: {what}"))
        };
        if form == Form::Hex {
            let bytes =
                hex_row(&text).ok_or_else(|| wrong("expected bytes in hexadecimal".to_owned()))?;
            let item = Item::Bytes { at: Uptime(0), direction: Direction::Either, bytes: &bytes };
            each(item, count as u64)?;
            continue;
        }
        match recording::read_row(&text).map_err(|error| wrong(error.to_string()))? {
            Row::Said { at, direction, bytes } => {
                each(Item::Bytes { at, direction, bytes: &bytes }, count as u64)?;
            }
            Row::Noted { at, what } if what.starts_with("lost") => {
                each(Item::Lost { at }, count as u64)?;
            }
            Row::Noted { .. } | Row::Nothing => {}
        }
    }
}

/// Whether the head is bytes in hexadecimal, and the dialect understands more of them so: a dialect may read such text
/// itself.
fn is_hex(text: &str, head: &[u8], dialect: &Arc<dyn Dialect>) -> bool {
    // The last line may be cut.
    let whole = text.rsplit_once('\n').map_or(text, |(whole, _)| whole);
    let mut rows = whole.lines().map(hex_row);
    let Some(bytes) = rows.by_ref().collect::<Option<Vec<Vec<u8>>>>() else { return false };
    if bytes.iter().all(Vec::is_empty) {
        return false;
    }
    let score = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let mut trial = Trial::new([dialect.clone()]);
        pieces.for_each(|bytes| trial.push(Direction::Either, bytes, Uptime(0)));
        trial.settle(Uptime(u64::from(u32::MAX)));
        let understood = |opinion: &crate::decode::guess::Opinion| opinion.score;
        trial.opinions().first().map_or(0.0, understood)
    };
    let as_hex = score(&mut bytes.iter().map(Vec::as_slice));
    as_hex >= score(&mut std::iter::once(head))
}

/// The bytes of a line of a dump, without its offset and its column of characters; nothing where it is none.
pub fn hex_row(line: &str) -> Option<Vec<u8>> {
    let line = line.trim();
    let mut row = line.split('|').next().unwrap_or_default();
    if let Some((offset, rest)) = row.split_once(": ").filter(|(offset, _)| is_offset(offset)) {
        let _ = offset;
        // Behind `xxd`'s bytes two blanks stand, then the characters.
        row = rest.trim_start();
        row = row.find("  ").map_or(row, |end| &row[..end]);
    } else if line.contains('|') {
        let (offset, rest) = row.split_once(' ').unwrap_or((row, ""));
        if offset.len() == 8 && is_offset(offset) {
            row = rest;
        }
    } else if row.len() == 8 && is_offset(row) && row.starts_with("0000") {
        // The last line of `hexdump -C` is the length alone.
        return Some(Vec::new());
    }
    let mut bytes = Vec::new();
    let words = row.split(|sign: char| sign.is_whitespace() || "[],".contains(sign));
    for word in words.filter(|word| !word.is_empty()) {
        let word = word.strip_prefix("0x").unwrap_or(word);
        if !word.is_ascii() || !word.len().is_multiple_of(2) {
            return None;
        }
        for at in (0..word.len()).step_by(2) {
            let digits = &word[at..at + 2];
            let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            bytes.push(is_hex.then(|| u8::from_str_radix(digits, 16).ok()).flatten()?);
        }
    }
    Some(bytes)
}

fn is_offset(word: &str) -> bool {
    (4..=16).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<&[u8]>) {
        assert_eq!(hex_row(line).as_deref(), expected, "{line}");
    }

    #[test]
    fn a_dump_is_read_in_every_usual_form() {
        check("02 00 31 03", Some(b"\x02\x001\x03"));
        check("02003103", Some(b"\x02\x001\x03"));
        check("[02][00][31][03]", Some(b"\x02\x001\x03"));
        check("0x02, 0x00, 0x31", Some(b"\x02\x001"));
        check("00000010: 0200 3103                                ..1.", Some(b"\x02\x001\x03"));
        check("00000010  02 00 31 03  41 42                  |..1.AB|", Some(b"\x02\x001\x03AB"));
        check("0010: 02 00", Some(b"\x02\x00"));
        check("00000016", Some(b""));
        check("", Some(b""));
        check("02 0", None);
        check("2026-11-24 09:30:01 evt=x", None);
    }
}
