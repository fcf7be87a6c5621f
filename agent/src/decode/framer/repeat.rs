//! Frames that are sent again because no acknowledgement came: the same bytes within a time are said once.

use slipwatch_shared::times::Uptime;
use std::fmt;

/// Drops the exact repeats of a frame. One for a line: a frame that goes the other way, and an acknowledgement, end
/// the wait for repeats, so that an equal frame behind them is a new one.
pub struct Repeats {
    within_ms: u64,
    last: Vec<u8>,
    heard_at: Option<Uptime>,
}

impl fmt::Debug for Repeats {
    /// The last frame is not shown: it may hold a card number.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Repeats").field("heard_at", &self.heard_at).finish_non_exhaustive()
    }
}

impl Repeats {
    /// Repeats are dropped for so long; with 0 none is.
    pub fn new(within_ms: u64) -> Repeats {
        Repeats { within_ms, last: Vec::new(), heard_at: None }
    }

    /// Whether these bytes are the last frame's once more. Remembers them if not.
    pub fn is_repeat(&mut self, frame: &[u8], at: Uptime) -> bool {
        let is_fresh = self.heard_at.is_some_and(|last| at.ms_since(last) < self.within_ms);
        if is_fresh && self.last == frame {
            return true;
        }
        self.heard_at = Some(at);
        self.last.clear();
        self.last.extend_from_slice(frame);
        false
    }

    /// The last frame was acknowledged: what follows is new.
    pub fn acknowledged(&mut self) {
        self.heard_at = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_in_time_are_said_once() {
        let mut repeats = Repeats::new(5_000);
        assert!(!repeats.is_repeat(b"A", Uptime(0)));
        assert!(repeats.is_repeat(b"A", Uptime(4_999)));
        assert!(!repeats.is_repeat(b"A", Uptime(5_000)));
        assert!(!repeats.is_repeat(b"B", Uptime(5_001)));
        assert!(!repeats.is_repeat(b"A", Uptime(5_002)));
        repeats.acknowledged();
        assert!(!repeats.is_repeat(b"A", Uptime(5_003)));
        assert!(!Repeats::new(0).is_repeat(b"", Uptime(0)));
    }
}
