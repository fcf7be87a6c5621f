//! What systemd wants to know: ready, reloading, stopping, and alive only while the thread that judges moves on.

use crate::edge::clock;
use sd_notify::NotifyState;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long connections may take to end when the collector stops.
pub(super) const STOP_MAX: Duration = Duration::from_secs(5);
/// How often progress is looked at where no watchdog asks for it.
const LOOK_EACH: Duration = Duration::from_secs(20);

/// Beats of the thread that judges: one a turn, and one a try of a store that fails.
#[derive(Debug, Default)]
pub struct Beat {
    beats: AtomicU64,
    seen: AtomicU64,
    /// When it last beat, in milliseconds of the process' own clock.
    last_ms: AtomicU64,
}

/// A thread that did not end a turn for this long does not move.
const STILL_MS_MAX: u64 = 30_000;

impl Beat {
    pub(super) fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
        self.last_ms.store(clock::uptime().0, Ordering::Relaxed);
    }

    /// Whether it beat of late.
    pub(super) fn is_moving(&self) -> bool {
        clock::uptime().0.saturating_sub(self.last_ms.load(Ordering::Relaxed)) < STILL_MS_MAX
    }

    /// How often it beat.
    pub fn count(&self) -> u64 {
        self.beats.load(Ordering::Relaxed)
    }

    pub(super) fn has_moved(&self) -> bool {
        let beats = self.count();
        self.seen.swap(beats, Ordering::Relaxed) != beats
    }
}

/// Tells systemd; nothing where there is none.
pub(super) fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "systemd was not told");
    }
}

/// A reload begins: the time it begins at must be told with it.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(time) => notify(&[NotifyState::Reloading, time]),
        Err(error) => tracing::warn!(%error, "systemd was not told of the reload"),
    }
}

/// Ticks three times within the watchdog's time.
pub(super) fn interval() -> tokio::time::Interval {
    let each = sd_notify::watchdog_enabled().map_or(LOOK_EACH, |limit| limit / 3);
    let each = each.max(Duration::from_millis(100));
    let mut interval = tokio::time::interval_at(tokio::time::Instant::now() + each, each);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    interval
}
