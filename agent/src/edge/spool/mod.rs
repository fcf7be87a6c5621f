//! The spool on a disk: what was committed outlives a power cut.
//!
//! [`Shelf`] is the little that is asked of a store; the rest stands on it ([`keeper`]) and so is the same on a real
//! disk and on one that a test makes forget.

pub mod disk;
pub mod keeper;
pub mod open;
pub mod sled_shelf;
pub mod status;
pub mod thread;

use crate::spool::numbering::{Kept, Numbering};
use std::ops::ControlFlow;

/// One change of what a shelf holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Keep a value under a key, in place of what was there.
    Put {
        /// Where.
        key: Vec<u8>,
        /// What: at most 8 KiB.
        value: Vec<u8>,
    },
    /// Forget a key.
    Remove {
        /// Which.
        key: Vec<u8>,
    },
}

/// Why a shelf did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// No room on the disk. What was held is untouched, and trying again helps once there is room.
    #[error("the disk is full")]
    Full,
    /// The disk failed; trying again may help.
    #[error("the disk failed")]
    Failed(#[source] std::io::Error),
    /// What is held cannot be read; the shelf is to be opened anew, which puts it aside.
    #[error("the store is damaged: {0}")]
    Damaged(String),
}

/// Whether a change must outlive a power cut before the call returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It must, and everything before it.
    Now,
    /// It may wait for the next change that must.
    Later,
}

/// Sees a key and its value, and says whether to go on.
pub type Visit<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>;

/// An ordered map of small values, and beside it, apart from it, the small file of the numbering.
pub trait Shelf {
    /// Changes all of it or nothing.
    fn change(&mut self, changes: Vec<Change>, durability: Durability) -> Result<(), ShelfError>;

    /// Shows keys and values in order until told to stop: from the last key that is not greater than `from` on, or from
    /// the first one when there is none.
    fn scan(&mut self, from: &[u8], visit: Visit<'_>) -> Result<(), ShelfError>;

    /// What the numbering file says; nothing when there is none or it cannot be read.
    fn numbering(&mut self) -> Option<Numbering>;

    /// Notes that everything through this number is kept. Costs no sync, so a power cut may take the note back; nothing
    /// less does, and then a store that opens as if its end had never been is found out. A failure costs the note alone.
    fn note_kept(&mut self, kept: Kept);

    /// The last note; nothing when there is none or it cannot be read.
    fn noted(&mut self) -> Option<Kept>;

    /// Replaces the numbering file, durably.
    fn write_numbering(&mut self, numbering: Numbering) -> Result<(), ShelfError>;

    /// Makes the map anew, holding `keep` alone, where its file grew too large; asked only while nothing else is held.
    /// True when it did. Either the old map or the new one is there after a power cut.
    fn renew_when_large(&mut self, keep: Vec<Change>) -> Result<bool, ShelfError>;
}

#[cfg(test)]
mod tests;
