//! A small file beside the store that says what the running agent holds: only one process can open the store, and an
//! operator wants to know. Nothing depends on it, so it is not synced.

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// How often it is written at most, in ms.
pub const STATUS_MS: u64 = 10_000;

/// What the spool holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// When this was true: UTC, ms since 1970.
    pub wall_ms: i64,
    /// The agent that runs; absent when it was read from the store itself.
    pub pid: Option<u32>,
    /// Which life of the numbering.
    pub epoch: u64,
    /// Records (groups of events).
    pub records: u64,
    /// Events.
    pub events: u64,
    /// Bytes of the records.
    pub bytes: u64,
    /// First number held; the next one to be given when nothing is.
    pub first_seq: u64,
    /// The number the next event will get.
    pub next_seq: u64,
    /// The collector has everything through this number.
    pub committed_through: u64,
    /// When the oldest event that is held was seen: UTC, ms since 1970. Told only from the store itself.
    pub oldest_wall_ms: Option<i64>,
}

fn path(directory: &Path) -> PathBuf {
    directory.join("status.json")
}

/// Writes it; a failure costs nothing but the word.
pub fn write(directory: &Path, status: &Status) {
    let beside = directory.join("status.json.new");
    let text = serde_json::to_string(status).expect("every key is a string");
    let kept =
        std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, path(directory)));
    if let Err(error) = kept {
        tracing::debug!(%error, "the status file cannot be written");
    }
}

/// Reads it, where there is one.
pub fn read(directory: &Path) -> Option<Status> {
    serde_json::from_str(&std::fs::read_to_string(path(directory)).ok()?).ok()
}
