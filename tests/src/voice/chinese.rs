//! The Chinese terminal's log, in GB18030.

use crate::terminal::{Payment, Word};

/// What is written for a word.
pub fn bytes(payment: &Payment, word: Word, wall_ms: i64) -> Vec<u8> {
    let _ = (payment, word, wall_ms);
    Vec::new()
}
