//! What the log and the command line's errors are written through: whatever a message carries (a panic's own words, a line of
//! the settings, the name of a file or of a client), no card number leaves with it.

use crate::admit::card::without_card_numbers;
use std::io::{self, Write};

/// Writes each message without card numbers. A message comes in one piece.
#[derive(Debug)]
pub struct Scrubbed<W>(pub W);

impl<W: Write> Write for Scrubbed<W> {
    fn write(&mut self, message: &[u8]) -> io::Result<usize> {
        self.0.write_all(without_card_numbers(&String::from_utf8_lossy(message)).as_bytes())?;
        Ok(message.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_shows_of_a_card_number_its_last_four_digits() {
        let mut log = Scrubbed(Vec::new());
        let message =
            "card 4111 1111 1111 1111, ４１１１１１１１１１１１１１１１, rrn 632809000123\n";
        log.write_all(message.as_bytes()).expect("memory");
        let text = String::from_utf8(log.0).expect("text");
        assert_eq!(text, "card xxxx xxxx xxxx 1111, xxxxxxxxxxxx１１１１, rrn 632809000123\n");
    }
}
