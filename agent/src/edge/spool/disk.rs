//! The spool's directory: lock, numbering file, ballast, free room, and what was put aside. Every file here is either
//! wholly old or wholly new after a power cut.

use crate::spool::numbering::{Kept, Numbering};
use slipwatch_shared::event::{Epoch, Seq};
use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const NUMBERING_MAGIC: &[u8; 4] = b"SWN1";
const NUMBERING_BYTES: usize = 32;

/// Where the spool is and how much of the disk is its own.
#[derive(Clone, Debug)]
pub struct DiskSettings {
    /// Its directory.
    pub directory: PathBuf,
    /// Memory that the store may use as a cache.
    pub cache_bytes: u64,
    /// Set aside as a file, given back when the disk is full.
    pub ballast_bytes: u64,
    /// Left free for others: below it nothing is added.
    pub reserve_bytes: u64,
    /// A store whose file is larger is made anew when it is empty.
    pub rebuild_bytes: u64,
    /// Damaged stores that are kept.
    pub quarantine_max: usize,
}

impl DiskSettings {
    /// The store itself.
    pub fn store(&self) -> PathBuf {
        self.directory.join("store")
    }

    /// The ballast.
    pub fn ballast(&self) -> PathBuf {
        self.directory.join("ballast")
    }

    fn numbering(&self) -> PathBuf {
        self.directory.join("numbering")
    }
}

/// One agent at a time: held while the spool is open.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why the lock could not be had.
#[derive(Debug)]
pub enum LockError {
    /// Somebody has it; its process number where it can be read.
    Held {
        /// As the holder wrote it.
        pid: String,
    },
    /// The file cannot be made or locked.
    Io(io::Error),
}

/// Takes the lock of a spool's directory, which is made when it is not there.
pub fn lock(directory: &Path) -> Result<Lock, LockError> {
    fs::create_dir_all(directory).map_err(LockError::Io)?;
    lock_existing(directory)
}

/// Takes the lock of a directory that is there.
pub fn lock_existing(directory: &Path) -> Result<Lock, LockError> {
    let path = directory.join("lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(LockError::Io)?;
    // SAFETY: the descriptor is open for as long as `file` lives.
    if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } != 0 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::WouldBlock {
            return Err(LockError::Io(error));
        }
        let mut pid = String::new();
        let _ = file.take(32).read_to_string(&mut pid);
        return Err(LockError::Held { pid: pid.trim().to_owned() });
    }
    // Who holds it is told for people alone: a full disk must not keep the agent from starting.
    let _ =
        file.set_len(0).and_then(|()| file.write_all(std::process::id().to_string().as_bytes()));
    Ok(Lock { _file: file })
}

/// Makes a directory's entries outlive a power cut.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Whether an error says that there is no room.
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOSPC | libc::EDQUOT))
        || matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Bytes that this process may still write on the disk of a directory.
pub fn free_bytes(directory: &Path) -> io::Result<u64> {
    let path = CString::new(directory.as_os_str().as_bytes())?;
    // SAFETY: all zeros is a valid value of this plain structure.
    let mut stat: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: the path ends in a zero and the structure is ours.
    if unsafe { libc::statvfs(path.as_ptr(), &raw mut stat) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // The fields are 32 bits wide on some machines.
    #[allow(clippy::unnecessary_cast)]
    Ok((stat.f_bavail as u64).saturating_mul(stat.f_frsize as u64))
}

/// Reads the numbering file; nothing when it is absent or damaged.
pub fn read_numbering(settings: &DiskSettings) -> Option<Numbering> {
    let bytes = fs::read(settings.numbering()).ok()?;
    let bytes: &[u8; NUMBERING_BYTES] = bytes.as_slice().try_into().ok()?;
    let (body, crc) = bytes.split_at(NUMBERING_BYTES - 4);
    if &body[..4] != NUMBERING_MAGIC || crc32fast::hash(body).to_le_bytes() != crc {
        return None;
    }
    let number = |at: usize| body[at..at + 8].try_into().map(u64::from_le_bytes).ok();
    Some(Numbering {
        epoch: Epoch(number(4)?),
        ceiling: Seq(number(12)?),
        committed_through: Seq(number(20)?),
    })
}

/// Replaces the numbering file: written beside it, synced, put in its place, and the place synced.
pub fn write_numbering(settings: &DiskSettings, numbering: Numbering) -> io::Result<()> {
    let mut bytes = NUMBERING_MAGIC.to_vec();
    let numbers = [numbering.epoch.0, numbering.ceiling.0, numbering.committed_through.0];
    numbers.iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    let beside = settings.directory.join("numbering.new");
    let mut file = File::create(&beside)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&beside, settings.numbering())?;
    sync_directory(&settings.directory)
}

/// Opens the note of what was kept, or makes it.
pub fn open_note(settings: &DiskSettings) -> io::Result<File> {
    let path = settings.directory.join("kept");
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

/// Reads the note; nothing when it was never written or is damaged.
pub fn read_note(note: &File) -> Option<Kept> {
    let mut bytes = [0; 20];
    note.read_exact_at(&mut bytes, 0).ok()?;
    let (body, crc) = bytes.split_at(16);
    let number = |at: usize| body[at..at + 8].try_into().map(u64::from_le_bytes).ok();
    let sound = crc32fast::hash(body).to_le_bytes() == crc;
    sound.then_some(Kept { epoch: Epoch(number(0)?), through: Seq(number(8)?) })
}

/// Writes the note in its place: twenty bytes, so that not even a full disk hinders it.
pub fn write_note(note: &File, kept: Kept) -> io::Result<()> {
    let mut bytes = [kept.epoch.0.to_le_bytes(), kept.through.0.to_le_bytes()].concat();
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    note.write_all_at(&bytes, 0)
}

/// Whether the ballast is there in full.
pub fn has_ballast(settings: &DiskSettings) -> bool {
    let bytes = fs::metadata(settings.ballast()).map_or(0, |metadata| metadata.len());
    bytes >= settings.ballast_bytes
}

/// Sets the ballast aside when there is room for it and the reserve.
pub fn take_ballast(settings: &DiskSettings) -> io::Result<()> {
    if has_ballast(settings) {
        return Ok(());
    }
    let room = free_bytes(&settings.directory)?;
    if room < settings.ballast_bytes.saturating_add(settings.reserve_bytes) {
        return Ok(());
    }
    let file = File::create(settings.ballast())?;
    let bytes = libc::off_t::try_from(settings.ballast_bytes).unwrap_or(libc::off_t::MAX);
    // SAFETY: the descriptor is open for as long as `file` lives.
    let error = unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, bytes) };
    if error != 0 {
        drop(file);
        give_ballast_back(settings)?;
        return Err(io::Error::from_raw_os_error(error));
    }
    file.sync_all()
}

/// Gives the ballast's room back. True when there was any.
pub fn give_ballast_back(settings: &DiskSettings) -> io::Result<bool> {
    match fs::remove_file(settings.ballast()) {
        Ok(()) => sync_directory(&settings.directory).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Puts a damaged store aside, keeping the newest `quarantine_max`. Where it went.
pub fn quarantine(settings: &DiskSettings) -> io::Result<PathBuf> {
    let number_of = |name: &std::ffi::OsStr| -> Option<u64> {
        name.to_str()?.strip_prefix("quarantine-")?.parse().ok()
    };
    let entries = fs::read_dir(&settings.directory)?.filter_map(Result::ok);
    let mut numbers: Vec<u64> = entries.filter_map(|entry| number_of(&entry.file_name())).collect();
    numbers.sort_unstable();
    let number = numbers.last().map_or(1, |last| last.saturating_add(1));
    let place = settings.directory.join(format!("quarantine-{number}"));
    match fs::rename(settings.store(), &place) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => numbers.push(number),
    }
    let surplus = numbers.len().saturating_sub(settings.quarantine_max);
    for number in &numbers[..surplus] {
        let _ = fs::remove_dir_all(settings.directory.join(format!("quarantine-{number}")));
    }
    sync_directory(&settings.directory)?;
    Ok(place)
}

/// Lets two directories change places in one step.
pub fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    let one = CString::new(one.as_os_str().as_bytes())?;
    let other = CString::new(other.as_os_str().as_bytes())?;
    // SAFETY: both paths end in a zero and outlive the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_renameat2,
            libc::AT_FDCWD,
            one.as_ptr(),
            libc::AT_FDCWD,
            other.as_ptr(),
            libc::RENAME_EXCHANGE,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
