//! A file on the disk, known by what it is and not by its name: opened, read by whole lines, found again after rotation.

use super::CHUNK_BYTES_MAX;
use crate::spool::bookmark::Place;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

/// How many of a file's first bytes tell it from another one on the same inode.
const HEAD_BYTES_MAX: usize = 256;
/// Files beside the followed one that are looked at when it was rotated while the agent was away.
const NEIGHBOURS_MAX: usize = 1_000;

/// An open file and how far it was read.
#[derive(Debug)]
pub struct Tail {
    file: File,
    place: Place,
    /// Read and not given yet: the beginning of a line.
    rest: Vec<u8>,
    buffer: Vec<u8>,
}

/// What a look at the file gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Look {
    /// Whole lines, or as much of one as fits.
    Lines(Vec<u8>),
    /// Nothing new.
    Nothing,
    /// It is shorter than what was read of it: somebody emptied it.
    Truncated,
}

impl Tail {
    /// Opens a file at its start.
    pub fn open(path: &Path) -> io::Result<Tail> {
        let file = File::open(path)?;
        let mut place = Place { offset: 0, ..identity(&file)? };
        place.offset = 0;
        Ok(Tail { file, place, rest: Vec::new(), buffer: vec![0; CHUNK_BYTES_MAX] })
    }

    /// Opens the file that a place is in: under its name, or beside it under another after a rotation. Nothing when it
    /// is gone, or is another one by now.
    pub fn resume(path: &Path, place: Place) -> Option<Tail> {
        let neighbours = path.parent().and_then(|parent| fs::read_dir(parent).ok());
        let neighbours = neighbours.into_iter().flatten().take(NEIGHBOURS_MAX);
        let others = neighbours.filter_map(|entry| Some(entry.ok()?.path()));
        let mut candidates = std::iter::once(path.to_owned()).chain(others);
        candidates.find_map(|candidate: PathBuf| Tail::open_same(&candidate, place))
    }

    fn open_same(path: &Path, place: Place) -> Option<Tail> {
        let metadata = fs::metadata(path).ok()?;
        let same = metadata.is_file()
            && (metadata.dev(), metadata.ino()) == (place.device, place.inode)
            && metadata.len() >= place.offset;
        let mut file = same.then(|| File::open(path)).and_then(Result::ok)?;
        if head_crc(&file, usize::from(place.head_bytes)).ok()? != place.head_crc {
            return None;
        }
        file.seek(SeekFrom::Start(place.offset)).ok()?;
        Some(Tail { file, place, rest: Vec::new(), buffer: vec![0; CHUNK_BYTES_MAX] })
    }

    /// Goes on at the end of what is there now.
    pub fn skip_to_end(&mut self) -> io::Result<()> {
        self.place.offset = self.file.seek(SeekFrom::End(0))?;
        Ok(())
    }

    /// Where what was given so far ends.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Reads on, up to the last end of a line.
    pub fn look(&mut self) -> io::Result<Look> {
        loop {
            if let Some(look) = self.read_on()? {
                return Ok(look);
            }
        }
    }

    /// Reads once; nothing when that was the middle of a line.
    fn read_on(&mut self) -> io::Result<Option<Look>> {
        let count = self.file.read(&mut self.buffer)?;
        if count == 0 {
            let length = self.file.metadata()?.len();
            let read = self.place.offset + self.rest.len() as u64;
            return Ok(Some(if length < read { Look::Truncated } else { Look::Nothing }));
        }
        self.know_head()?;
        let fresh = &self.buffer[..count];
        let whole = memchr::memrchr(b'\n', fresh).map(|at| at + 1);
        let lines = match whole {
            Some(whole) => {
                let mut lines = std::mem::take(&mut self.rest);
                lines.extend_from_slice(&fresh[..whole]);
                self.rest.extend_from_slice(&fresh[whole..]);
                lines
            }
            // A line without an end is given in parts; the decoder bounds it.
            None if self.rest.len() + count > CHUNK_BYTES_MAX => {
                let mut lines = std::mem::take(&mut self.rest);
                lines.extend_from_slice(fresh);
                lines
            }
            None => {
                self.rest.extend_from_slice(fresh);
                return Ok(None);
            }
        };
        self.place.offset += lines.len() as u64;
        Ok(Some(Look::Lines(lines)))
    }

    /// What is left behind the last end of a line, at the end of a file that will not grow.
    pub fn take_rest(&mut self) -> Vec<u8> {
        self.place.offset += self.rest.len() as u64;
        std::mem::take(&mut self.rest)
    }

    /// The file grew beyond its few first bytes: more of them tell it apart.
    fn know_head(&mut self) -> io::Result<()> {
        if usize::from(self.place.head_bytes) < HEAD_BYTES_MAX {
            let Place { head_crc, head_bytes, .. } = identity(&self.file)?;
            (self.place.head_crc, self.place.head_bytes) = (head_crc, head_bytes);
        }
        Ok(())
    }

    /// The file that was written after this one under the same name: the one there now, or, where the name was rotated
    /// more than once meanwhile, the oldest of those that were moved aside since.
    pub fn next_after(&self, path: &Path) -> io::Result<Tail> {
        let own = self.file.metadata()?.modified()?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let entries = path.parent().and_then(|parent| fs::read_dir(parent).ok());
        let moved = entries.into_iter().flatten().take(NEIGHBOURS_MAX).filter_map(|entry| {
            let entry = entry.ok()?;
            let other = entry.file_name().to_string_lossy().into_owned();
            let suffix = other.strip_prefix(name.as_deref()?)?;
            // `pos.log.1` and `pos.log-20261124` are parts of the same log; `pos.log-errors` and `pos.log.1.gz` are not.
            let is_part = !suffix.is_empty()
                && suffix.bytes().all(|byte| byte.is_ascii_digit() || b".-_".contains(&byte));
            let metadata =
                entry.metadata().ok().filter(|metadata| is_part && metadata.is_file())?;
            let is_other =
                (metadata.dev(), metadata.ino()) != (self.place.device, self.place.inode);
            let modified = metadata.modified().ok().filter(|at| is_other && *at > own)?;
            Some((modified, entry.path()))
        });
        match moved.min() {
            Some((_, moved)) => Tail::open(&moved),
            None => Tail::open(path),
        }
    }

    /// Whether a path leads to another file than this by now.
    pub fn was_replaced(&self, path: &Path) -> bool {
        match fs::metadata(path) {
            Ok(metadata) => {
                (metadata.dev(), metadata.ino()) != (self.place.device, self.place.inode)
            }
            // Moved away and nothing new yet: the old file may still grow.
            Err(_) => false,
        }
    }
}

fn identity(file: &File) -> io::Result<Place> {
    let metadata = file.metadata()?;
    let head_bytes = metadata.len().min(HEAD_BYTES_MAX as u64) as u16;
    Ok(Place {
        device: metadata.dev(),
        inode: metadata.ino(),
        head_crc: head_crc(file, head_bytes.into())?,
        head_bytes,
        offset: 0,
    })
}

fn head_crc(file: &File, bytes: usize) -> io::Result<u32> {
    let mut head = [0; HEAD_BYTES_MAX];
    let head = &mut head[..bytes.min(HEAD_BYTES_MAX)];
    file.read_exact_at(head, 0)?;
    Ok(crc32fast::hash(head))
}

#[cfg(test)]
mod tests;
