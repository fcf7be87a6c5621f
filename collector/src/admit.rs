//! Is this batch sound, new, and next in its agent's sequence? Exactly once, in order, or not at all.

use slipwatch_shared::event::{Epoch, Seq};

/// How far an agent's stream is admitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Admission {
    /// Which life of the numbering.
    pub epoch: Epoch,
    /// The last number admitted; 0 before the first.
    pub through: Seq,
}
