//! How far each open source was heard, and when to say so: "nothing this source said before T is still unread".

use slipwatch_shared::event::SourceId;
use slipwatch_shared::times::Uptime;
use slipwatch_shared::wire::envelope::Covered;

/// The coverage of all open sources.
#[derive(Clone, Debug)]
pub struct Coverage {
    pulse_ms: u64,
    due: Option<Uptime>,
    open: Vec<Covered>,
}

impl Coverage {
    /// One pulse of every open source each `pulse_ms`.
    pub fn new(pulse_ms: u64) -> Coverage {
        Coverage { pulse_ms: pulse_ms.max(1), due: None, open: Vec::new() }
    }

    /// A source is heard from now on.
    pub fn opened(&mut self, source: SourceId, now: Uptime) {
        self.closed(source);
        self.open.push(Covered { source, until: now });
        // All sources pulse together: one write to the disk for all of them.
        self.due.get_or_insert(now.plus_ms(self.pulse_ms));
    }

    /// A source is not heard from now on.
    pub fn closed(&mut self, source: SourceId) {
        self.open.retain(|covered| covered.source != source);
        if self.open.is_empty() {
            self.due = None;
        }
    }

    /// All that a source said before `until` is in the stream. Never goes back.
    pub fn heard(&mut self, source: SourceId, until: Uptime) {
        if let Some(covered) = self.open.iter_mut().find(|covered| covered.source == source) {
            covered.until = covered.until.max(until);
        }
    }

    /// When the next pulses are due.
    pub fn due(&self) -> Option<Uptime> {
        self.due
    }

    /// Whether pulses are due now; the next ones are then a whole period later.
    pub fn take_due(&mut self, now: Uptime) -> bool {
        let due = self.due.is_some_and(|due| due <= now);
        if due {
            self.due = Some(now.plus_ms(self.pulse_ms));
        }
        due
    }

    /// Until when a source is covered.
    pub fn until(&self, source: SourceId) -> Option<Uptime> {
        self.open.iter().find(|covered| covered.source == source).map(|covered| covered.until)
    }

    /// Every open source, as a group tells it.
    pub fn summary(&self) -> &[Covered] {
        &self.open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_never_goes_back_and_ends_with_the_source() {
        let mut coverage = Coverage::new(10_000);
        coverage.opened(SourceId(1), Uptime(100));
        coverage.heard(SourceId(1), Uptime(50));
        assert_eq!(coverage.until(SourceId(1)), Some(Uptime(100)));
        coverage.heard(SourceId(1), Uptime(150));
        assert_eq!(coverage.until(SourceId(1)), Some(Uptime(150)));
        coverage.closed(SourceId(1));
        coverage.heard(SourceId(1), Uptime(900));
        assert_eq!((coverage.until(SourceId(1)), coverage.due()), (None, None));
    }

    #[test]
    fn sources_pulse_together() {
        let mut coverage = Coverage::new(10_000);
        coverage.opened(SourceId(1), Uptime(0));
        coverage.opened(SourceId(2), Uptime(4_000));
        assert_eq!(coverage.due(), Some(Uptime(10_000)));
        assert!(!coverage.take_due(Uptime(9_999)) && coverage.take_due(Uptime(10_003)));
        assert_eq!(coverage.due(), Some(Uptime(20_003)));
    }
}
