//! The shelf on sled 0.34. Its `flush` is no fsync on Linux, its open panics on damage, it cannot be used nor even
//! opened on a full disk, and its file never shrinks: all of that is dealt with here and seen nowhere else.

use super::disk::{self, DiskSettings};
use super::{Change, Durability, Shelf, ShelfError, Visit};
use crate::spool::numbering::{Kept, Numbering};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

/// A shelf on sled.
pub struct SledShelf {
    settings: DiskSettings,
    /// Absent after a failure: it is opened again with the next call.
    store: Option<Store>,
    /// Absent where it cannot be opened: the spool works without it.
    note: Option<File>,
}

struct Store {
    map: sled::Db,
    /// Our own handle of the file that sled writes: syncing it is what makes a flush durable.
    file: File,
}

impl SledShelf {
    /// Opens the store, or makes it. The caller holds the directory's lock.
    pub fn open(settings: DiskSettings) -> Result<SledShelf, ShelfError> {
        let note = disk::open_note(&settings).ok();
        let mut shelf = SledShelf { settings, store: None, note };
        match shelf.opened().map(|_| ()) {
            Err(ShelfError::Full) => {
                shelf.give_ballast_back();
                shelf.opened()?;
            }
            other => other?,
        }
        if let Err(error) = disk::take_ballast(&shelf.settings) {
            tracing::debug!(%error, "no ballast could be set aside yet");
        }
        Ok(shelf)
    }

    /// Opens a store that is there, to read it: no ballast is touched. The caller holds the directory's lock.
    pub fn open_as_it_is(settings: DiskSettings) -> Result<SledShelf, ShelfError> {
        let note = disk::open_note(&settings).ok();
        let mut shelf = SledShelf { settings, store: None, note };
        shelf.opened()?;
        Ok(shelf)
    }

    /// Bytes of the store's file.
    pub fn file_bytes(&self) -> u64 {
        let metadata = fs::metadata(self.settings.store().join("db"));
        metadata.map_or(0, |metadata| metadata.len())
    }

    /// The open store; opened again after a failure.
    fn opened(&mut self) -> Result<&mut Store, ShelfError> {
        if self.store.is_none() {
            self.store = Some(open_store(&self.settings.store(), self.settings.cache_bytes)?);
        }
        Ok(self.store.as_mut().expect("it was just opened"))
    }

    /// Does something with the store; after a failure it is dropped, since sled then fails for ever.
    fn with<T>(
        &mut self,
        act: impl FnOnce(&mut Store) -> Result<T, ShelfError>,
    ) -> Result<T, ShelfError> {
        let store = self.opened()?;
        let result = guarded(|| act(store));
        if result.is_err() {
            let store = self.store.take();
            let _ = catch_unwind(AssertUnwindSafe(|| drop(store)));
        }
        result
    }

    fn give_ballast_back(&mut self) -> bool {
        let given = disk::give_ballast_back(&self.settings).unwrap_or(false);
        if given {
            tracing::warn!(
                "the disk is full: the ballast was given back, the spool takes nothing new until there is room"
            );
        }
        given
    }

    /// Nothing is added while the disk is nearly full, so that what is held can still be read and removed.
    fn check_room(&mut self, bytes: u64) -> Result<(), ShelfError> {
        let room = disk::free_bytes(&self.settings.directory).map_err(ShelfError::Failed)?;
        let wanted = self.settings.reserve_bytes.saturating_add(bytes);
        if disk::has_ballast(&self.settings) {
            return if room >= wanted { Ok(()) } else { Err(ShelfError::Full) };
        }
        if room < wanted.saturating_add(self.settings.ballast_bytes) {
            return Err(ShelfError::Full);
        }
        match disk::take_ballast(&self.settings) {
            Ok(()) => Ok(()),
            Err(error) if disk::is_full(&error) => Err(ShelfError::Full),
            Err(error) => Err(ShelfError::Failed(error)),
        }
    }
}

impl Shelf for SledShelf {
    fn change(&mut self, changes: Vec<Change>, durability: Durability) -> Result<(), ShelfError> {
        let added = changes.iter().map(|change| match change {
            Change::Put { key, value } => key.len() + value.len(),
            Change::Remove { .. } => 0,
        });
        let removes = changes.iter().any(|change| matches!(change, Change::Remove { .. }));
        if !removes {
            self.check_room(added.sum::<usize>() as u64)?;
        }
        let result = self.with(|store| apply(store, &changes, durability));
        if !matches!(result, Err(ShelfError::Full)) || !self.give_ballast_back() {
            return result;
        }
        // With the ballast's room the store can be opened again. Only what frees room goes on at once.
        match removes {
            true => self.with(|store| apply(store, &changes, durability)),
            false => self.opened().and(Err(ShelfError::Full)),
        }
    }

    fn scan(&mut self, from: &[u8], visit: Visit<'_>) -> Result<(), ShelfError> {
        let result = self.with(|store| scan(store, from, visit));
        if matches!(result, Err(ShelfError::Full)) {
            self.give_ballast_back();
        }
        result
    }

    fn numbering(&mut self) -> Option<Numbering> {
        disk::read_numbering(&self.settings)
    }

    fn note_kept(&mut self, kept: Kept) {
        if let Some(note) = &self.note
            && let Err(error) = disk::write_note(note, kept)
        {
            tracing::debug!(%error, "what is kept could not be noted");
        }
    }

    fn noted(&mut self) -> Option<Kept> {
        self.note.as_ref().and_then(disk::read_note)
    }

    fn write_numbering(&mut self, numbering: Numbering) -> Result<(), ShelfError> {
        disk::write_numbering(&self.settings, numbering).map_err(io_error)
    }

    fn renew_when_large(&mut self, keep: Vec<Change>) -> Result<bool, ShelfError> {
        if self.file_bytes() <= self.settings.rebuild_bytes {
            return Ok(false);
        }
        let (old, new) = (self.settings.store(), self.settings.directory.join("store.new"));
        let _ = fs::remove_dir_all(&new);
        let mut store = open_store(&new, self.settings.cache_bytes)?;
        guarded(|| apply(&mut store, &keep, Durability::Now))?;
        drop(store);
        self.store = None;
        disk::exchange(&old, &new).map_err(io_error)?;
        disk::sync_directory(&self.settings.directory).map_err(io_error)?;
        fs::remove_dir_all(&new).map_err(io_error)?;
        self.opened()?;
        Ok(true)
    }
}

fn apply(store: &mut Store, changes: &[Change], durability: Durability) -> Result<(), ShelfError> {
    let mut batch = sled::Batch::default();
    for change in changes {
        match change {
            Change::Put { key, value } => batch.insert(key.as_slice(), value.as_slice()),
            Change::Remove { key } => batch.remove(key.as_slice()),
        }
    }
    store.map.apply_batch(batch).map_err(sled_error)?;
    if durability == Durability::Now {
        store.map.flush().map_err(sled_error)?;
        store.file.sync_data().map_err(io_error)?;
    }
    Ok(())
}

fn scan(store: &mut Store, from: &[u8], visit: Visit<'_>) -> Result<(), ShelfError> {
    let before = store.map.range(..=from).next_back().transpose().map_err(sled_error)?;
    let begin = before.map_or_else(|| from.to_vec(), |(key, _)| key.to_vec());
    for entry in store.map.range(begin..) {
        let (key, value) = entry.map_err(sled_error)?;
        if visit(&key, &value) == ControlFlow::Break(()) {
            break;
        }
    }
    Ok(())
}

/// How often the store's own lock is tried, [`LOCK_PAUSE`] apart.
const LOCK_TRIES_MAX: u32 = 500;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// sled lets go of its file some time after it is dropped, on threads of its own. The directory's lock is ours, so
/// whoever still holds the file is what we dropped ourselves a moment ago.
#[allow(clippy::disallowed_methods, reason = "sled tells nobody when its lock is free")]
fn open_map(config: &sled::Config) -> Result<sled::Db, ShelfError> {
    for _ in 1..LOCK_TRIES_MAX {
        match guarded(|| Ok(config.open()))? {
            Err(sled::Error::Io(error)) if is_locked(&error) => std::thread::sleep(LOCK_PAUSE),
            opened => return opened.map_err(sled_error),
        }
    }
    guarded(|| config.open().map_err(sled_error))
}

fn is_locked(error: &io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

/// Opens a store and makes its files and their names durable.
fn open_store(path: &Path, cache_bytes: u64) -> Result<Store, ShelfError> {
    let config = sled::Config::new().path(path).cache_capacity(cache_bytes).flush_every_ms(None);
    let map = open_map(&config)?;
    let sync = || -> io::Result<File> {
        for name in ["conf", "db"] {
            File::open(path.join(name))?.sync_all()?;
        }
        for directory in [Some(path.join("blobs")), Some(path.to_owned())].into_iter().flatten() {
            disk::sync_directory(&directory)?;
        }
        path.parent().map_or(Ok(()), disk::sync_directory)?;
        OpenOptions::new().write(true).open(path.join("db"))
    };
    let file = sync().map_err(io_error)?;
    Ok(Store { map, file })
}

/// A panic of sled is damage, not the end of the agent.
fn guarded<T>(act: impl FnOnce() -> Result<T, ShelfError>) -> Result<T, ShelfError> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(ShelfError::Damaged(words.unwrap_or("the store's reader gave up").to_owned()))
    })
}

fn io_error(error: io::Error) -> ShelfError {
    match error.kind() {
        _ if disk::is_full(&error) => ShelfError::Full,
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => {
            ShelfError::Damaged(error.to_string())
        }
        _ => ShelfError::Failed(error),
    }
}

fn sled_error(error: sled::Error) -> ShelfError {
    match error {
        sled::Error::Io(error) => io_error(error),
        other => ShelfError::Damaged(other.to_string()),
    }
}
