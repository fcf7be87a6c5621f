//! What to keep, send and drop. Touches no disk.
//!
//! In reading order: the words spoken with the storage ([`storage`]), where a file was read to ([`bookmark`]), where
//! numbering goes on after a start ([`numbering`]), what stands for groups that are gone ([`tombstone`]), how far each
//! source was heard ([`pulse`]), events into groups ([`writing`]), groups into batches ([`sending`]), both joined
//! ([`plan`]).

pub mod bookmark;
pub mod numbering;
pub mod plan;
pub mod pulse;
pub mod seal;
pub mod sending;
pub mod storage;
pub mod tombstone;
pub mod writing;
