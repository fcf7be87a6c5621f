//! One agent's stream time: milliseconds that never run backwards over its boots and clock steps, so that durations
//! and deadlines can be measured on them. Wall time is for people; this is for rules.

use super::shape::{Shape, ShapeError};
use slipwatch_shared::times::{BootId, EventTime, Observed, Uptime};

/// Milliseconds on an agent's stream clock. Near to UTC since 1970, as its first boot's wall clock was; exact only
/// as a difference within one agent's stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamTime(pub i64);

impl StreamTime {
    /// This time, `ms` milliseconds later.
    pub fn plus_ms(self, ms: i64) -> StreamTime {
        StreamTime(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this; negative when `earlier` is later.
    pub fn ms_since(self, earlier: StreamTime) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A time that is absent most of the time, in no more room than one that is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due(StreamTime);

impl Due {
    /// None.
    pub const NEVER: Due = Due(StreamTime(i64::MAX));

    /// The time, where there is one.
    pub fn get(self) -> Option<StreamTime> {
        (self != Due::NEVER).then_some(self.0)
    }
}

impl Shape for Due {
    fn put(&self, out: &mut Vec<u8>) {
        self.get().put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Due, ShapeError> {
        let at: Option<StreamTime> = Shape::take(bytes)?;
        Ok(at.into())
    }
}

impl From<Option<StreamTime>> for Due {
    fn from(at: Option<StreamTime>) -> Due {
        at.map_or(Due::NEVER, Due)
    }
}

/// Where an agent's stream time stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    /// The boot that `base` belongs to; absent before the first event.
    pub boot: Option<BootId>,
    /// Stream time of uptime zero of that boot.
    pub base: i64,
    /// The latest stream time that was seen.
    pub latest: StreamTime,
    /// What must be added to stream time for the agent's wall time.
    pub wall_ahead_ms: i64,
}

impl Timeline {
    /// The stream time of an event; tells whether it is the first of a new boot.
    pub fn observe(&mut self, observed: &Observed) -> (StreamTime, bool) {
        let uptime = ms(observed.uptime);
        let new_boot = self.boot != Some(observed.boot);
        if new_boot {
            let wanted = observed.wall.0.saturating_sub(uptime);
            let least = self.latest.0.saturating_sub(uptime);
            self.base = if self.boot.is_none() { wanted } else { wanted.max(least) };
            self.boot = Some(observed.boot);
        }
        let at = StreamTime(self.base.saturating_add(uptime));
        self.latest = self.latest.max(at);
        self.wall_ahead_ms = observed.wall.0.saturating_sub(at.0);
        (at, new_boot)
    }

    /// The agent's wall time at `at`, as its clock stood at the last event.
    pub fn wall(&self, at: StreamTime) -> EventTime {
        EventTime(at.0.saturating_add(self.wall_ahead_ms))
    }
}

fn ms(uptime: Uptime) -> i64 {
    i64::try_from(uptime.0).unwrap_or(i64::MAX)
}

impl Shape for Timeline {
    fn put(&self, out: &mut Vec<u8>) {
        self.boot.is_some().put(out);
        out.extend_from_slice(&self.boot.unwrap_or_default().0);
        self.base.put(out);
        self.latest.put(out);
        self.wall_ahead_ms.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Timeline, ShapeError> {
        let known = bool::take(bytes)?;
        let (boot, rest) = bytes.split_first_chunk::<16>().ok_or(ShapeError)?;
        *bytes = rest;
        Ok(Timeline {
            boot: known.then_some(BootId(*boot)),
            base: Shape::take(bytes)?,
            latest: Shape::take(bytes)?,
            wall_ahead_ms: Shape::take(bytes)?,
        })
    }
}
