//! Which findings become letters, joined and spaced. Pure: findings in, rows of the outbox out.

use super::outbox::OutboxRow;
use crate::correlate::finding::FindingChange;
use slipwatch_shared::times::ArrivalTime;

/// Who gets letters, and how.
#[derive(Clone, Debug, Default)]
pub struct LetterSettings {}

/// What the policy remembers of what was sent.
#[derive(Debug, Default)]
pub struct LetterPolicy {}

impl LetterPolicy {
    /// Goes on where [`LetterPolicy::state`] stood.
    pub fn restore(_settings: LetterSettings, _state: Option<&[u8]>) -> LetterPolicy {
        LetterPolicy {}
    }

    /// Other settings from now on.
    pub fn reload(&mut self, _settings: LetterSettings) {}

    /// Called once a turn, also when nothing changed, so that digests and cool-downs can fall due.
    pub fn letters(&mut self, _now: ArrivalTime, _changes: &[FindingChange]) -> Vec<OutboxRow> {
        Vec::new()
    }

    /// What must be remembered over a restart, when it changed since the last call.
    pub fn state(&mut self) -> Option<Vec<u8>> {
        None
    }
}
