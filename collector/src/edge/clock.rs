//! The only reader of the collector's clock and of its random source.
#![allow(clippy::disallowed_methods)] // Here and nowhere else.

use slipwatch_shared::times::{ArrivalTime, Uptime};
use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Lets go of the processor, so that the collector's own writer gets the store in between.
#[allow(clippy::disallowed_methods)] // A pause between two transactions of an import; nothing is waited for.
pub fn yield_to_others() {
    std::thread::sleep(std::time::Duration::from_millis(1));
}

/// Now, UTC.
pub fn now() -> ArrivalTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    ArrivalTime(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Now, for time zones and calendars.
pub fn timestamp() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// Milliseconds since this process first asked, on a clock that never steps.
pub fn uptime() -> Uptime {
    static START: OnceLock<Instant> = OnceLock::new();
    let elapsed = START.get_or_init(Instant::now).elapsed();
    Uptime(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
}

/// A moment to measure a duration from.
pub fn instant() -> Instant {
    Instant::now()
}

/// Any number: for the jitter of waits, never for secrets.
pub fn jitter() -> u64 {
    RandomState::new().hash_one(uptime().0)
}
