//! Whether a store is there, and whether whoever runs this program may use it. Says so in words that help: SQLite's own are
//! two numbers. Makes nothing.

use crate::edge::store::StoreError;
use rusqlite::ErrorCode;
use std::fs::{File, Metadata, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Whose the store is when nothing of it can be seen: the user of the shipped unit.
const SERVICE_USER: &str = "slipwatch-collector";

/// Refuses a store that is not there, or that this user may not even read.
pub(super) fn look(path: &Path) -> Result<(), StoreError> {
    match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(StoreError::Absent { path: path.display().to_string() })
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(denied(path)),
        // What else is wrong SQLite tells.
        _ => Ok(()),
    }
}

/// What an error of SQLite is to us where it may come from rights: a reader writes, too, beside the file.
pub(super) fn explained(path: &Path, error: StoreError) -> StoreError {
    let StoreError::Failed { source, .. } = &error else { return error };
    let of_rights = matches!(
        source.sqlite_error_code(),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied)
    );
    // The file, and its directory, where the write-ahead log lies.
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).open(path).map(drop);
    let beside = || tempfile::tempfile_in(path.parent().unwrap_or(Path::new("."))).map(drop);
    match file.and_then(|()| beside()) {
        Err(tried) if of_rights && tried.kind() == ErrorKind::PermissionDenied => denied(path),
        _ => error,
    }
}

fn denied(path: &Path) -> StoreError {
    let owner = path.ancestors().find_map(|place| place.metadata().ok());
    let owner = owner.as_ref().map(Metadata::uid).filter(|&uid| uid != 0).and_then(name_of);
    let owner = owner.unwrap_or_else(|| SERVICE_USER.to_owned());
    StoreError::Denied { path: path.display().to_string(), owner }
}

/// The name of a user of this machine.
fn name_of(uid: u32) -> Option<String> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|user| {
        let mut fields = user.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}
