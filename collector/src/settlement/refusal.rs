//! Why a file was refused, as the store keeps it: which fault, with its values, and no sentence. Both languages of it are the
//! console's; variants are only ever appended, and one that this version does not know is passed over.

use super::reader::error::Trouble;
use serde::{Deserialize, Deserializer, Serialize};

/// Why a file was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// What stands in it.
    Read(Trouble),
    /// It is not there.
    NoFile,
    /// The user of the program may not read it.
    MayNotRead,
    /// The disk did not give it.
    Unreadable,
    /// More bytes than the settings allow.
    TooLarge {
        /// How many.
        found: u64,
        /// How many may be.
        most: u64,
    },
    /// The archive around it.
    Archive(ArchiveTrouble),
    /// No profile knows it.
    NoProfile,
    /// Several do; their names.
    SeveralProfiles(String),
    /// A row of an account that no statement of the settings takes.
    OtherMerchant(String),
    /// A row of an account of another statement than the rows before.
    MixedStatements(String),
    /// Days that another file of the source covers.
    Overlap {
        /// Its own.
        period: String,
        /// The other file, and what that covers.
        other: String,
    },
    /// Days that another part of the same archive covers.
    Parts {
        /// Its own.
        period: String,
        /// The other part.
        other: String,
    },
    /// It holds no rows and does not say of which day.
    Dayless,
    /// It changed while it was read.
    Changed,
    /// It spans more than so many days.
    TooManyDays(usize),
}

/// What is wrong with an archive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArchiveTrouble {
    /// A name that is no text.
    #[error("a part's name cannot be read")]
    Name,
    /// A name that leads out of it.
    #[error("the part {0:?} names a place outside of it")]
    Outside(String),
    /// More parts than are read.
    #[error("it has more than {0} parts")]
    Parts(usize),
    /// A part that is suspiciously well packed.
    #[error("{part} would grow from {packed} to {bytes} bytes")]
    Grows {
        /// Its name.
        part: String,
        /// Bytes in the archive.
        packed: u64,
        /// Bytes outside of it.
        bytes: u64,
    },
    /// A part that needs a password.
    #[error("{0} is encrypted")]
    Encrypted(String),
    /// A part that is packed in a way that is not read.
    #[error("{part} is packed as {method}")]
    Method {
        /// Its name.
        part: String,
        /// The way.
        method: String,
    },
    /// A part that has no place in it.
    #[error("{0} has no place in it")]
    NoPlace(String),
    /// It is damaged; the unpacker's own words.
    #[error("{0}")]
    Damaged(String),
}

/// What a report holds, where this version knows it.
pub(super) fn known<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Why>, D::Error> {
    let value = serde_json::Value::deserialize(from)?;
    Ok(serde_json::from_value(value).ok())
}
