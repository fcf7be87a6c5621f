//! Where bytes come from. Each source is one task that reads, reopens, and hands over; none of them decodes.

pub mod command;
pub mod ear;
pub mod file;
pub mod serial;
pub mod tail;

use crate::decode::dialect::Direction;
use crate::spool::bookmark::{Bookmark, Place};
use slipwatch_shared::event::{SourceId, SourceLoss};
use tokio::sync::mpsc;

/// Words of sources that wait for the loop: what is beyond them waits in the source.
pub const WORDS_MAX: usize = 16;
/// Bytes that one word carries at most.
pub const CHUNK_BYTES_MAX: usize = 32 * 1024;

/// What a source says to the loop.
#[derive(Debug)]
pub enum Word {
    /// It is read from now on.
    Opened {
        /// Where in a file; nothing for a port.
        bookmark: Option<Bookmark>,
    },
    /// It said something.
    Bytes {
        /// Which way it went.
        direction: Direction,
        /// What.
        bytes: Vec<u8>,
        /// Where in a file the bytes end.
        place: Option<Place>,
    },
    /// It was looked at and had nothing to say.
    Idle,
    /// Some of what it said is gone.
    Overrun,
    /// It is not read from now on.
    Lost {
        /// Why.
        reason: SourceLoss,
    },
}

/// Where a source's words go.
#[derive(Clone, Debug)]
pub struct Outlet {
    source: SourceId,
    words: mpsc::Sender<(SourceId, Word)>,
}

/// The loop ended; so does the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended;

impl Outlet {
    /// The outlet of one source.
    pub fn new(source: SourceId, words: mpsc::Sender<(SourceId, Word)>) -> Outlet {
        Outlet { source, words }
    }

    /// Which source.
    pub fn source(&self) -> SourceId {
        self.source
    }

    /// Waits until the loop can take a word.
    pub async fn say(&self, word: Word) -> Result<(), Ended> {
        self.words.send((self.source, word)).await.map_err(|_| Ended)
    }

    /// Waits until there is room for a word, so that nothing is held meanwhile that would have to be kept.
    pub async fn room(&self) -> Result<Room<'_>, Ended> {
        let permit = self.words.reserve().await.map_err(|_| Ended)?;
        Ok(Room { source: self.source, permit })
    }
}

/// Room for one word.
pub struct Room<'a> {
    source: SourceId,
    permit: mpsc::Permit<'a, (SourceId, Word)>,
}

impl Room<'_> {
    /// Fills it.
    pub fn say(self, word: Word) {
        self.permit.send((self.source, word));
    }
}
