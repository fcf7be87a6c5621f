//! Which findings become letters, joined and spaced. Pure: findings in, rows of the outbox out.

use super::language::Language;
use super::outbox::OutboxRow;
use crate::correlate::finding::FindingChange;
use jiff::tz::TimeZone;
use slipwatch_shared::terminal::{StoreId, TerminalId};
use slipwatch_shared::times::ArrivalTime;
use std::collections::BTreeMap;

/// Who gets letters, and how. With no shops nobody is written to.
#[derive(Clone, Debug, PartialEq)]
pub struct LetterSettings {
    /// Where links begin, without a slash at the end; without it letters carry none.
    pub public_url: Option<String>,
    /// Behind the `@` of each `Message-ID`.
    pub domain: String,
    /// Most letters of one shop in an hour; the rest waits for the digest.
    pub letters_per_hour_max: u32,
    /// A shop is not told twice of the same cause within this time; what comes meanwhile is told at its end.
    pub cool_down_ms: i64,
    /// Minute of the shop's day at which the digest goes out.
    pub digest_minute: u16,
    /// The shops that are written to.
    pub shops: BTreeMap<StoreId, ShopLetters>,
}

impl Default for LetterSettings {
    fn default() -> LetterSettings {
        LetterSettings {
            public_url: None,
            domain: "slipwatch.invalid".to_owned(),
            letters_per_hour_max: 12,
            cool_down_ms: 600_000,
            digest_minute: 21 * 60,
            shops: BTreeMap::new(),
        }
    }
}

/// How one shop is written to.
#[derive(Clone, Debug, PartialEq)]
pub struct ShopLetters {
    /// Its name for people.
    pub title: String,
    /// In which language.
    pub language: Language,
    /// To whom; nobody where empty.
    pub recipients: Vec<String>,
    /// Its clock.
    pub time_zone: TimeZone,
    /// Names of its terminals for people, where they have one.
    pub terminals: BTreeMap<TerminalId, String>,
}

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
