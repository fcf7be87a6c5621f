//! How long to wait before the next try: doubled each time, jittered, reset only after a stable while.

use crate::times::Uptime;

/// Exponential back-off with full jitter. It reads no clock and no random source: both are given.
#[derive(Clone, Debug)]
pub struct Backoff {
    first_ms: u64,
    last_ms: u64,
    stable_ms: u64,
    next_ms: u64,
    up_since: Option<Uptime>,
}

impl Backoff {
    /// Waits grow from `first_ms` to `last_ms`, and start again at `first_ms` once a connection has held for `stable_ms`.
    pub fn new(first_ms: u64, last_ms: u64, stable_ms: u64) -> Backoff {
        assert!(0 < first_ms && first_ms <= last_ms, "a wait must grow from something");
        Backoff { first_ms, last_ms, stable_ms, next_ms: first_ms, up_since: None }
    }

    /// It works, from now.
    pub fn succeeded(&mut self, now: Uptime) {
        self.up_since = Some(now);
    }

    /// It failed: milliseconds to wait, half to all of the step. `jitter` is any random number.
    pub fn failed(&mut self, now: Uptime, jitter: u64) -> u64 {
        let stable =
            self.up_since.take().is_some_and(|since| now.ms_since(since) >= self.stable_ms);
        if stable {
            self.next_ms = self.first_ms;
        }
        let step = self.next_ms;
        self.next_ms = (step * 2).min(self.last_ms);
        step / 2 + jitter % (step - step / 2 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_last_and_start_again_after_a_stable_minute() {
        let mut backoff = Backoff::new(1_000, 60_000, 60_000);
        let largest = |backoff: &mut Backoff, now: u64| backoff.failed(Uptime(now), 500);
        assert_eq!(largest(&mut backoff, 0), 1_000);
        for _ in 0..10 {
            assert!(backoff.failed(Uptime(0), u64::MAX) <= 60_000);
        }
        backoff.succeeded(Uptime(0));
        assert!(backoff.failed(Uptime(59_999), 0) >= 30_000, "a short success changes nothing");
        backoff.succeeded(Uptime(100_000));
        assert_eq!(backoff.failed(Uptime(160_000), 0), 500);
    }
}
