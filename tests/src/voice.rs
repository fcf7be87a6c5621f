//! How a device writes its words down: the shapes of the two shipped profiles, byte for byte as such devices do,
//! with card numbers masked as they print them. Decides nothing about what happens.

pub mod chinese;
pub mod key_value;

use crate::terminal::{Payment, Spoken};
use jiff::Timestamp;
use jiff::tz::Offset;

/// Which shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Voice {
    /// One `key=value` line a word, in English (`kv-en`).
    KeyValue,
    /// A Chinese terminal's log with the slips' text in it, in GB18030 (`cn-terminal`).
    Chinese,
}

impl Voice {
    /// The shipped profile that reads it.
    pub fn dialect(self) -> &'static str {
        match self {
            Voice::KeyValue => "kv-en",
            Voice::Chinese => "cn-terminal",
        }
    }

    /// What the device writes when this word is said; `wall_ms` is what its own clock shows, UTC.
    pub fn bytes(self, payment: &Payment, spoken: Spoken, wall_ms: i64) -> Vec<u8> {
        match self {
            Voice::KeyValue => key_value::line(payment, spoken.word, wall_ms).into_bytes(),
            Voice::Chinese => chinese::bytes(payment, spoken.word, wall_ms),
        }
    }
}

/// `622576******6691`, as a device masks it.
fn masked(payment: &Payment) -> String {
    format!("{:06}******{:04}", payment.first_six, payment.last_four)
}

/// The device's clock as it prints it: local time in China.
fn device_time(wall_ms: i64, format: &str) -> String {
    let time = Timestamp::from_millisecond(wall_ms).expect("a time of this age");
    Offset::constant(8).to_datetime(time).strftime(format).to_string()
}

/// The host's reference number: day, hour and trace, as hosts often build it.
fn rrn(payment: &Payment) -> String {
    format!("632809{:06}", payment.stan)
}

/// The issuer's approval code.
fn authorization_code(payment: &Payment) -> String {
    format!("{:06X}", payment.stan.wrapping_mul(7_919) % 0xff_ffff)
}
