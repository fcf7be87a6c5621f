//! Lines of a file, one at a time in one buffer: bytes cut at line ends, decoded strictly. A byte that is no character
//! of the encoding refuses the file, with its line.

use super::error::{ReadError, Trouble};
use super::profile::Encoding;
use std::io::BufRead;

/// Longest line, in bytes, and longest row with line ends inside.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// Reads lines.
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    encoding: Encoding,
    bytes: Vec<u8>,
    /// The last line that was read, from 1.
    number: u32,
    /// Whether that line had its end.
    ended: bool,
}

impl<R: BufRead> Lines<R> {
    /// Over a file's bytes.
    pub fn new(input: R, encoding: Encoding) -> Lines<R> {
        Lines { input, encoding, bytes: Vec::new(), number: 0, ended: true }
    }

    /// The last line that was read, from 1.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Whether the last line that was read had its line end.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// The next line's bytes without its end, or nothing at the end of the file.
    pub fn next_bytes(&mut self) -> Result<Option<&[u8]>, ReadError> {
        self.bytes.clear();
        let line = self.number.saturating_add(1);
        let limit = LINE_BYTES_MAX as u64 + 2;
        let read = std::io::Read::take(&mut self.input, limit).read_until(b'\n', &mut self.bytes);
        let read = read.map_err(|error| ReadError::at(line, Trouble::Unreadable(error.kind())))?;
        if read == 0 {
            return Ok(None);
        }
        self.number = line;
        self.ended = self.bytes.last() == Some(&b'\n');
        if self.ended {
            self.bytes.pop();
        }
        if self.bytes.last() == Some(&b'\r') {
            self.bytes.pop();
        }
        if self.bytes.len() > LINE_BYTES_MAX {
            return Err(ReadError::at(line, Trouble::LineTooLong));
        }
        if line == 1 && self.bytes.starts_with(b"\xef\xbb\xbf") {
            self.bytes.drain(..3);
        }
        Ok(Some(&self.bytes))
    }

    /// Appends the next line to `text`; tells false at the end of the file.
    pub fn next_into(&mut self, text: &mut String) -> Result<bool, ReadError> {
        if self.next_bytes()?.is_none() {
            return Ok(false);
        }
        decode(self.encoding, &self.bytes, text)
            .map_err(|()| ReadError::at(self.number, Trouble::WrongEncoding(self.encoding)))?;
        Ok(true)
    }
}

/// Appends bytes of an encoding to a text; fails at the first byte that is none of it.
pub fn decode(encoding: Encoding, bytes: &[u8], text: &mut String) -> Result<(), ()> {
    match encoding {
        Encoding::Utf8 => text.push_str(std::str::from_utf8(bytes).map_err(|_| ())?),
        Encoding::Gbk if bytes.is_ascii() => {
            text.push_str(std::str::from_utf8(bytes).expect("ASCII is UTF-8"));
        }
        Encoding::Gbk => {
            let decoded =
                encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(bytes);
            text.push_str(&decoded.ok_or(())?);
        }
    }
    // A byte of nothing stands in no file of text: what is cut by a broken download does.
    if bytes.contains(&0) { Err(()) } else { Ok(()) }
}
