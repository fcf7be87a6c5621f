//! The words spoken with whatever keeps the groups: orders and answers. Knows nothing of sled or of threads.
//!
//! Orders are carried out one after the other and each is answered once, in order. [`StorageAnswer::Stored`] is said
//! only when a power cut can no longer take the groups away.

use super::bookmark::Bookmark;
use slipwatch_shared::event::{Epoch, Seq};
use slipwatch_shared::wire::envelope::Group;
use slipwatch_shared::wire::seal::Chain;

/// A group to keep, with how far the files that it was made from were read: kept together or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// What to keep, under the number of its first event.
    pub group: Group,
    /// Source names and places; a later one of the same name replaces an earlier one.
    pub bookmarks: Vec<(Box<str>, Bookmark)>,
    /// How the chain of hashes stands behind the group.
    pub chain: Chain,
}

/// What the storage is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageOrder {
    /// Keep these, durably. After a refusal every further append is refused too, until one comes that begins with the
    /// group refused first: otherwise a later group could be kept without an earlier one.
    Append(Vec<Append>),
    /// Give the groups that end at `from` or later, in order, up to `bytes_max` of frames and at least one.
    Fetch {
        /// First number wanted; the group around it comes whole.
        from: Seq,
        /// When to stop.
        bytes_max: usize,
    },
    /// Forget the groups that end at `through` or earlier: the collector has them.
    Remove {
        /// Last number that is committed.
        through: Seq,
    },
    /// Replace the oldest groups, at least `bytes` of them, by one tombstone.
    Evict {
        /// How much must go.
        bytes: u64,
    },
    /// Remember that a new epoch began; the groups stay under their numbers.
    BeginEpoch {
        /// The new one.
        epoch: Epoch,
    },
}

/// What the storage holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// First number held; the number after the last one when nothing is held.
    pub first: Seq,
    /// How many groups.
    pub groups: u64,
    /// Bytes of their frames.
    pub bytes: u64,
}

/// What the storage says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageAnswer {
    /// Everything through this number is durable.
    Stored {
        /// Last number that is safe.
        through: Seq,
        /// What is held now.
        held: Held,
    },
    /// An append was refused; what was held before is untouched.
    Refused {
        /// Why.
        reason: Refusal,
    },
    /// The groups asked for; none when nothing at `from` or later is held.
    Fetched {
        /// As asked.
        from: Seq,
        /// In order.
        groups: Vec<Group>,
    },
    /// Removed, evicted, or begun: this is held now.
    Holds(Held),
    /// An order other than an append could not be carried out; it may be given again later.
    Failed,
}

/// Why groups could not be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No room on the disk. Trying again helps once there is.
    DiskFull,
    /// The disk or the store failed. Trying again may help.
    Failed,
}
