//! The store in one SQLite file: a writing connection that one thread owns, and reading ones beside it. A commit is on
//! the disk when it returns (write-ahead log, `synchronous=FULL`).

mod access;
pub mod complaint;
mod exhibit;
pub mod journal;
mod learning;
mod read;
mod recall;
mod retention;
mod schema;
pub mod settlement;
mod write;

use super::{KeepSince, OutboxMark, Reader, Store, StoreError, owner};
use crate::commit::{Commit, Snapshot};
use crate::correlate::finding::FindingKind;
use crate::correlate::policy::AgentName;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a call waits for somebody who holds the file.
const BUSY_WAIT: Duration = Duration::from_secs(5);
/// Prepared statements that are kept; more than there are.
const STATEMENTS_MAX: usize = 64;
/// Things put aside that are kept; the oldest go.
pub const QUARANTINE_ROWS_MAX: i64 = 1_000;

/// The store in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    connection: Connection,
    /// Numbers of agents that are stored.
    numbers: BTreeMap<AgentName, i64>,
}

/// What an error of SQLite is to us.
fn failed(doing: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
    move |source| match source.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy,
        _ => StoreError::Failed { doing, source },
    }
}

fn damaged(table: &'static str, what: impl ToString) -> StoreError {
    StoreError::Damaged { table, what: what.to_string() }
}

impl SqliteStore {
    /// Opens the file, makes it where there is none, and brings it to this program's schema.
    pub fn open(path: &Path) -> Result<SqliteStore, StoreError> {
        SqliteStore::opened(path).map_err(|error| access::explained(path, error))
    }

    fn opened(path: &Path) -> Result<SqliteStore, StoreError> {
        let opening = failed("opening");
        // What SQLite puts beside it has the same owner by SQLite's own doing.
        owner::make_file(path);
        let mut connection = Connection::open(path).map_err(&opening)?;
        connection.busy_timeout(BUSY_WAIT).map_err(&opening)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        let mode: String = connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
            .map_err(&opening)?;
        if !mode.eq_ignore_ascii_case("wal") {
            return Err(damaged("journal_mode", format!("{mode} instead of WAL")));
        }
        connection.pragma_update(None, "synchronous", "FULL").map_err(&opening)?;
        connection.pragma_update(None, "foreign_keys", "ON").map_err(&opening)?;
        connection.pragma_update(None, "wal_autocheckpoint", 4_000).map_err(&opening)?;
        connection.pragma_update(None, "cache_size", -32_000).map_err(&opening)?;
        schema::migrate(&mut connection)?;
        let made = "INSERT OR IGNORE INTO kept (name, value) VALUES (?1, randomblob(32))";
        connection.execute(made, [exhibit::SECRET_NAME]).map_err(&opening)?;
        sync_directory(path)?;
        let numbers = read::agent_numbers(&connection)?;
        Ok(SqliteStore { path: path.to_owned(), connection, numbers })
    }

    /// A reading end of a store that another process or thread may write. Makes none where there is none.
    pub fn open_reader(path: &Path) -> Result<SqliteReader, StoreError> {
        access::look(path)?;
        SqliteStore::opened_reader(path).map_err(|error| access::explained(path, error))
    }

    fn opened_reader(path: &Path) -> Result<SqliteReader, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opening = failed("opening for reading");
        let connection = Connection::open_with_flags(path, flags).map_err(&opening)?;
        connection.busy_timeout(BUSY_WAIT).map_err(&opening)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        // The first look into the file is where a user without rights fails.
        connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
            .map_err(&opening)?;
        Ok(SqliteReader { connection })
    }
}

/// A new file outlives a power cut only when its directory was written too.
fn sync_directory(path: &Path) -> Result<(), StoreError> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(|source| StoreError::Path { path: directory.display().to_string(), source })
}

impl Store for SqliteStore {
    fn load(&mut self) -> Result<Snapshot, StoreError> {
        read::snapshot(&self.connection)
    }

    fn commit(&mut self, commit: &Commit) -> Result<(), StoreError> {
        let numbers = write::commit(&mut self.connection, &self.numbers, commit)?;
        self.numbers.extend(numbers);
        Ok(())
    }

    fn mark_outbox(&mut self, marks: &[OutboxMark]) -> Result<(), StoreError> {
        write::mark_outbox(&mut self.connection, marks)
    }

    fn forget(&mut self, since: &KeepSince) -> Result<usize, StoreError> {
        retention::forget(&mut self.connection, since)
    }

    fn news(&mut self, limit: usize) -> Result<Vec<super::settlement::News>, StoreError> {
        settlement::say::news(&self.connection, limit).map_err(failed("reading news"))
    }

    fn open_findings(&mut self) -> Result<BTreeMap<FindingKind, u64>, StoreError> {
        read::open_findings(&self.connection).map_err(failed("counting what is open"))
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        Ok(Box::new(SqliteStore::open_reader(&self.path)?))
    }
}

/// A reading end.
#[derive(Debug)]
pub struct SqliteReader {
    connection: Connection,
}

#[cfg(test)]
mod tests;
