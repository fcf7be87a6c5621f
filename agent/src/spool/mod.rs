//! What to keep, send and drop. Touches no disk.

pub mod plan;
pub mod pulse;
