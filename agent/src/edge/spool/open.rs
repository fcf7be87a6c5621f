//! Opens the spool whatever state it is in: a damaged store is put aside and a fresh one goes on in its place.

use super::ShelfError;
use super::disk::{self, DiskSettings, Lock, LockError};
use super::keeper::{Keeper, Opened};
use super::sled_shelf::SledShelf;
use slipwatch_shared::event::Epoch;
use std::io;
use std::path::PathBuf;

/// Why the spool cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another agent has it open.
    #[error(
        "{directory} is in use by another agent (process {pid}): stop that one, or give this one another spool.directory"
    )]
    InUse {
        /// Which directory.
        directory: String,
        /// The other's process number.
        pid: String,
    },
    /// It cannot be written.
    #[error("{directory} cannot be written")]
    Unwritable {
        /// Which directory.
        directory: String,
        /// Why.
        source: io::Error,
    },
    /// No room, not even with the ballast given back.
    #[error("the disk of {directory} is full")]
    Full {
        /// Which directory.
        directory: String,
    },
    /// A store made a moment ago cannot be read.
    #[error("a fresh store in {directory} cannot be read: {what}")]
    Broken {
        /// Which directory.
        directory: String,
        /// What its reader said.
        what: String,
    },
}

/// The open spool.
pub struct Spool {
    /// Carries out orders.
    pub keeper: Keeper<SledShelf>,
    /// What was found.
    pub opened: Opened,
    /// Where a damaged store was put, and what was wrong with it.
    pub quarantined: Option<(PathBuf, String)>,
    /// Held as long as the spool is open.
    pub lock: Lock,
}

/// Opens the spool. `new_epoch` is taken when the old numbering cannot be continued.
pub fn open(settings: &DiskSettings, new_epoch: Epoch) -> Result<Spool, OpenError> {
    let directory = settings.directory.display().to_string();
    let lock = disk::lock(&settings.directory).map_err(|error| match error {
        LockError::Held { pid } => OpenError::InUse { directory: directory.clone(), pid },
        LockError::Io(error) if disk::is_full(&error) => {
            OpenError::Full { directory: directory.clone() }
        }
        LockError::Io(source) => OpenError::Unwritable { directory: directory.clone(), source },
    })?;
    let mut quarantined = None;
    for last_try in [false, true] {
        let shelf = SledShelf::open(settings.clone());
        let what = match shelf.and_then(|shelf| Keeper::open(shelf, new_epoch)) {
            Ok((keeper, opened)) => return Ok(Spool { keeper, opened, quarantined, lock }),
            Err(ShelfError::Full) => return Err(OpenError::Full { directory }),
            Err(ShelfError::Failed(source)) => {
                return Err(OpenError::Unwritable { directory, source });
            }
            Err(ShelfError::Damaged(what)) => what,
        };
        if last_try {
            return Err(OpenError::Broken { directory, what });
        }
        let unwritable = |source| OpenError::Unwritable { directory: directory.clone(), source };
        quarantined = Some((disk::quarantine(settings).map_err(unwritable)?, what));
    }
    unreachable!("the last try returns")
}
