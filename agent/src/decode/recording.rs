//! A recording of a line: what was said, in both ways and when, as a text that a person can read and `decode` can play
//! again. Says how such a file looks; what must not be in it is [`hide`]'s matter.
//!
//! ```text
//! slipwatch recording 1
//! started 2026-11-24T09:30:01.120Z
//! port > /dev/ttyUSB0 9600 8N1
//! port < /dev/ttyUSB1 9600 8N1
//! 0.000 > 1b 40 53 41 4c 45 0a                            |.@SALE.|
//! 0.120 < 12                                              |.|
//! 7.431 ! lost unplugged
//! ```
//!
//! The first line names the format. `started` is when second 0.000 was, `port` what was listened to. Then one line a
//! piece: seconds since the start, the way (`>` to the device, `<` from it, `-` not known), at most sixteen bytes in
//! hexadecimal, and the same as ASCII for the eye alone. `!` says what became of the line. Lines that begin with `#`
//! say nothing.

pub mod hide;

use crate::decode::dialect::Direction;
use slipwatch_shared::times::Uptime;
use std::fmt::Write as _;

/// The first line of a recording.
pub const FIRST_LINE: &str = "slipwatch recording 1";
/// Bytes on one line.
const ROW_BYTES: usize = 16;
/// Longest line that is read.
pub const LINE_BYTES_MAX: usize = 4096;

/// What stands on a line of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// Something was said.
    Said {
        /// When, since the start.
        at: Uptime,
        /// Which way.
        direction: Direction,
        /// What.
        bytes: Vec<u8>,
    },
    /// The line was lost, found again, or faster than it could be kept.
    Noted {
        /// When, since the start.
        at: Uptime,
        /// What.
        what: String,
    },
    /// Of the head, or nothing.
    Nothing,
}

/// Why a line is none of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected seconds, `>`, `<`, `-` or `!`, and bytes in hexadecimal")]
pub struct RowError;

/// Whether a file that begins so is a recording.
pub fn is_recording(head: &[u8]) -> bool {
    head.starts_with(FIRST_LINE.as_bytes())
}

/// Writes what was said, sixteen bytes a line.
pub fn write_said(out: &mut String, at: Uptime, direction: Direction, bytes: &[u8]) {
    let way = sign_of(direction);
    for row in bytes.chunks(ROW_BYTES) {
        write_time(out, at);
        let _ = write!(out, " {way} ");
        for byte in row {
            let _ = write!(out, "{byte:02x} ");
        }
        let _ = write!(out, "{:width$}|", "", width = (ROW_BYTES - row.len()) * 3);
        out.extend(
            row.iter().map(|&byte| if (0x20..0x7f).contains(&byte) { byte.into() } else { '.' }),
        );
        out.push_str("|\n");
    }
}

/// Writes what became of the line.
pub fn write_note(out: &mut String, at: Uptime, what: &str) {
    write_time(out, at);
    let _ = writeln!(out, " ! {what}");
}

fn write_time(out: &mut String, at: Uptime) {
    let _ = write!(out, "{}.{:03}", at.0 / 1_000, at.0 % 1_000);
}

/// How a way is written.
pub fn sign_of(direction: Direction) -> char {
    match direction {
        Direction::Either => '-',
        Direction::ToDevice => '>',
        Direction::FromDevice => '<',
    }
}

/// Reads one line, without its end.
pub fn read_row(line: &str) -> Result<Row, RowError> {
    let line = line.trim();
    let is_head = ["slipwatch recording", "started ", "port ", "#"];
    if line.is_empty() || is_head.iter().any(|head| line.starts_with(head)) {
        return Ok(Row::Nothing);
    }
    let (time, rest) = line.split_once(' ').ok_or(RowError)?;
    let at = read_time(time).ok_or(RowError)?;
    let (way, rest) = rest.trim_start().split_at_checked(1).ok_or(RowError)?;
    let direction = match way {
        "-" => Direction::Either,
        ">" => Direction::ToDevice,
        "<" => Direction::FromDevice,
        "!" => return Ok(Row::Noted { at, what: rest.trim().to_owned() }),
        _ => return Err(RowError),
    };
    let words = rest.split('|').next().unwrap_or_default().split_whitespace();
    let bytes = words.map(|word| match word.len() {
        2 => u8::from_str_radix(word, 16).map_err(|_| RowError),
        _ => Err(RowError),
    });
    Ok(Row::Said { at, direction, bytes: bytes.collect::<Result<_, _>>()? })
}

fn read_time(text: &str) -> Option<Uptime> {
    let (seconds, rest) = text.split_once('.')?;
    let ms = (rest.len() == 3).then(|| rest.parse::<u64>().ok()).flatten()?;
    Some(Uptime(seconds.parse::<u64>().ok()?.checked_mul(1_000)?.checked_add(ms)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut text = format!("{FIRST_LINE}\nstarted now\nport - /dev/ttyUSB0\n");
        write_said(&mut text, Uptime(61_007), Direction::FromDevice, &bytes);
        write_note(&mut text, Uptime(61_008), "lost unplugged");
        assert!(is_recording(text.as_bytes()));
        let (mut read, mut notes) = (Vec::new(), Vec::new());
        for line in text.lines() {
            match read_row(line).expect("our own line") {
                Row::Said { at, direction, bytes } => {
                    assert_eq!((at, direction), (Uptime(61_007), Direction::FromDevice));
                    assert!(bytes.len() <= ROW_BYTES);
                    read.extend(bytes);
                }
                Row::Noted { at, what } => notes.push((at, what)),
                Row::Nothing => {}
            }
        }
        assert_eq!(read, bytes);
        assert_eq!(notes, [(Uptime(61_008), "lost unplugged".to_owned())]);
    }

    #[test]
    fn the_example_of_the_documentation_holds() {
        let mut text = String::new();
        write_said(&mut text, Uptime(0), Direction::ToDevice, b"\x1b@SALE\n");
        write_said(&mut text, Uptime(120), Direction::FromDevice, b"\x12");
        let example = include_str!("recording.rs");
        for line in text.lines() {
            assert!(example.contains(&format!("//! {line}\n")), "{line}");
        }
    }

    #[test]
    fn what_is_no_line_of_a_recording_is_refused() {
        for wrong in [
            "x",
            "1.000",
            "1.0 > 41",
            "1.000 > 4",
            "1.000 > 4g",
            "1.000 ? 41",
            "-1.000 > 41",
            "1.000 >41",
        ] {
            let read = read_row(wrong);
            assert!(read.is_err() || wrong == "1.000 >41", "{wrong}: {read:?}");
        }
        assert_eq!(read_row("99999999999999999999.000 > 41"), Err(RowError));
    }
}
