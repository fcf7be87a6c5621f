//! What the log is written through: whatever a message carries (a panic's own words, an error's, what a library tells), no
//! card number leaves with it.

use crate::decode::scrub;
use std::io::{self, Write};

/// Writes each message without card data. A message comes in one piece.
#[derive(Debug)]
pub struct Scrubbed<W>(pub W);

impl<W: Write> Write for Scrubbed<W> {
    fn write(&mut self, message: &[u8]) -> io::Result<usize> {
        self.0.write_all(scrub::message(&String::from_utf8_lossy(message)).as_bytes())?;
        Ok(message.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// Where a test's log goes.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no holder panics").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_message_shows_a_card_number_whatever_carries_it() {
        let kept = Kept::default();
        let log = kept.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || Scrubbed(log.clone()))
            .with_ansi(false)
            .without_time()
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let line = "消费 4111 1111 1111 1111 ok";
            let sliced = std::panic::catch_unwind(|| line[..1].len());
            let words = sliced.expect_err("it is no boundary");
            let words = words.downcast_ref::<String>().expect("words");
            tracing::error!("panicked at reader.rs:1:1:\n{words}");
            tracing::warn!(?line, bytes = ?b"4111111111111111", "a line");
            tracing::info!(stan = "000123", rrn = "632809000123", "a sale\nwith a slip");
        });
        let bytes = kept.0.lock().expect("no holder panics").clone();
        let text = String::from_utf8(bytes).expect("text");
        assert!(!text.contains("1111 1111") && !text.contains("49, 49, 49, 49, 49"), "{text}");
        assert_eq!(text.matches("411111******1111").count(), 3, "{text}");
        assert!(
            text.contains("a sale\nwith a slip stan=\"000123\" rrn=\"632809000123\""),
            "{text}"
        );
    }
}
