//! Whether a store is there, and whether whoever runs this program may use it. Says so in words that help: SQLite's own are
//! two numbers. Never opens the store's file itself: to close it again would take the locks of every connection that this
//! process has (POSIX), and another process could then take the write-ahead log away.

use crate::edge::store::StoreError;
use rusqlite::ErrorCode;
use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Whose the store is when nothing of it can be seen: the user of the shipped unit.
const SERVICE_USER: &str = "slipwatch-collector";

/// Refuses a store that is not there, or that this user may not even see.
pub(super) fn look(path: &Path) -> Result<(), StoreError> {
    match path.metadata() {
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
    let code = source.sqlite_error_code();
    if !matches!(code, Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen)) {
        return error;
    }
    // In its directory the write-ahead log lies. A file without a name, gone when it is let go.
    match tempfile::tempfile_in(path.parent().unwrap_or(Path::new("."))) {
        Err(tried) if tried.kind() == ErrorKind::PermissionDenied => denied(path),
        Ok(_) if code == Some(ErrorCode::ReadOnly) => denied(path),
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
