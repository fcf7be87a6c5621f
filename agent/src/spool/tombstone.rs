//! What stands for groups that are gone: one event that says which numbers went and why.

use slipwatch_shared::event::{Body, Event, Evidence, LossReason, Seq, SourceId};
use slipwatch_shared::times::{BootId, EventTime, Observed, Uptime};
use slipwatch_shared::wire::envelope::{ClockState, Group};

/// When and under which clock a loss is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Boot of the machine.
    pub boot: BootId,
    /// Its wall clock.
    pub clock: ClockState,
    /// When.
    pub uptime: Uptime,
}

impl Moment {
    /// The moment of a group's first event that can be read.
    pub fn of_first_event(group: &Group) -> Moment {
        Moment::of(group, |group| {
            group.events_without_evidence().find_map(|(_, event)| Some(event.ok()?.observed.uptime))
        })
    }

    /// The moment of a group's last event that can be read.
    pub fn of_last_event(group: &Group) -> Moment {
        Moment::of(group, |group| {
            let read = group.events_without_evidence().filter_map(|(_, event)| event.ok());
            read.last().map(|event| event.observed.uptime)
        })
    }

    fn of(group: &Group, uptime: impl FnOnce(&Group) -> Option<Uptime>) -> Moment {
        let uptime = uptime(group).unwrap_or_default();
        Moment { boot: group.boot, clock: group.clock, uptime }
    }

    /// The wall clock at an uptime.
    pub fn observed(&self) -> Observed {
        let offset = self.clock.wall_offset_ms;
        Observed {
            boot: self.boot,
            uptime: self.uptime,
            wall: EventTime(offset.saturating_add_unsigned(self.uptime.0)),
            synchronised: self.clock.synchronised,
        }
    }
}

/// The event that says: the numbers `from..=through` will never come.
pub fn lost_event(from: Seq, through: Seq, reason: LossReason, at: Moment) -> Event {
    Event {
        seq: through,
        source: SourceId::AGENT,
        terminal: None,
        observed: at.observed(),
        device_time: None,
        body: Body::Lost { from, through, reason },
        evidence: Evidence::None,
    }
}

/// The group of that one event.
pub fn lost_group(from: Seq, through: Seq, reason: LossReason, at: Moment) -> Group {
    let mut group = Group::begin(at.boot, at.clock, through);
    group.push(&lost_event(from, through, reason, at));
    group
}

/// First number that a group accounts for: its first event's, or, where that is a tombstone, the first lost one.
pub fn accounts_from(group: &Group) -> Seq {
    match group.events_without_evidence().next() {
        Some((_, Ok(Event { body: Body::Lost { from, .. }, .. }))) => from,
        _ => group.first_seq,
    }
}

/// The tombstone of groups that are taken out of the spool, oldest first; one among them is merged. The reason is the
/// last one's: it is the one that still can be acted upon.
///
/// # Panics
/// When there are no groups.
pub fn bury(gone: &[Group], reason: LossReason) -> Group {
    let (first, last) = (&gone[0], &gone[gone.len() - 1]);
    lost_group(accounts_from(first), last.last_seq(), reason, Moment::of_last_event(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pulses(first: u64, count: u64) -> Group {
        let boot = BootId([1; 16]);
        let clock = ClockState { wall_offset_ms: 1_000_000, synchronised: true };
        let mut group = Group::begin(boot, clock, Seq(first));
        for seq in first..first + count {
            let at = Moment { boot, clock, uptime: Uptime(seq * 10) };
            group.push(&Event {
                body: Body::NetworkUp,
                ..lost_event(Seq(seq), Seq(seq), LossReason::SpoolFull, at)
            });
        }
        group
    }

    #[track_caller]
    fn check(group: &Group, from: u64, through: u64, uptime: u64) {
        let (_, event) = group.events().next().expect("one event");
        let event = event.expect("a readable event");
        let (from, through) = (Seq(from), Seq(through));
        assert_eq!(event.body, Body::Lost { from, through, reason: LossReason::SpoolFull });
        assert_eq!((event.seq, event.observed.uptime), (through, Uptime(uptime)));
        assert_eq!((group.first_seq, group.count), (through, 1));
    }

    #[test]
    fn a_tombstone_says_all_numbers_that_went_and_takes_in_the_one_before_it() {
        let first = bury(&[pulses(1, 3), pulses(4, 2)], LossReason::SpoolFull);
        check(&first, 1, 5, 50);
        let second = bury(&[first, pulses(6, 4)], LossReason::SpoolFull);
        check(&second, 1, 9, 90);
        assert_eq!(accounts_from(&second), Seq(1));
    }
}
