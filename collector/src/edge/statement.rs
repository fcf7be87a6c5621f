//! Settlement files from the disk: plain, or parts of a ZIP archive. Parts are read where they lie and never unpacked, so
//! that no name in an archive becomes a path; sizes are bounded before and while they are read.

use crate::admit::card::without_card_numbers;
use crate::settlement::reader::profile::Profile;
use crate::settlement::refusal::ArchiveTrouble;
use ring::digest::{Context, SHA256};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use zip::CompressionMethod;

/// Most parts of an archive.
const PARTS_MAX: usize = 100;
/// An archive that grows by more than this, and is not small, is none of a settlement.
const RATIO_MAX: u64 = 200;
/// What may grow by any factor.
const SMALL_BYTES: u64 = 16 * 1024 * 1024;
/// Longest name that is kept, in characters.
const NAME_CHARS_MAX: usize = 160;
/// So much of a file shows what it is.
pub const HEAD_BYTES: usize = 64 * 1024;

/// Why a file cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The disk did not give it.
    #[error("it cannot be read")]
    Io(#[from] io::Error),
    /// It is larger than the settings allow.
    #[error("it holds {found} bytes, more than the {most} that the settings allow")]
    TooLarge {
        /// How many.
        found: u64,
        /// How many may be.
        most: u64,
    },
    /// An archive that is damaged, or not to be trusted.
    #[error("the archive is refused: {0}")]
    Archive(ArchiveTrouble),
}

/// A file, or a part of an archive.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its name for people.
    pub name: String,
    /// How many bytes it is said to hold.
    pub bytes: u64,
    path: PathBuf,
    packed: Option<Packed>,
}

#[derive(Clone, Copy, Debug)]
struct Packed {
    offset: u64,
    bytes: u64,
    deflated: bool,
    crc32: u32,
}

/// The file itself, or the parts of an archive.
pub fn open(path: &Path, bytes_max: u64) -> Result<Vec<Part>, OpenError> {
    let mut file = File::open(path)?;
    let bytes = file.metadata()?.len();
    if bytes > bytes_max {
        return Err(OpenError::TooLarge { found: bytes, most: bytes_max });
    }
    let name = name_of(path);
    let mut head = [0; 4];
    let read = file.read(&mut head)?;
    if read == 4 && (head == *b"PK\x03\x04" || head == *b"PK\x05\x06") {
        return parts(path, &name, file, bytes_max);
    }
    Ok(vec![Part { name, bytes, path: path.to_owned(), packed: None }])
}

/// What a file is called wherever it is told of, and as it is put away.
pub fn name_of(path: &Path) -> String {
    let raw = path.file_name().unwrap_or_default().as_bytes();
    match std::str::from_utf8(raw) {
        Ok(name) => plain_name(name),
        Err(_) => plain_name(&encoding_rs::GB18030.decode_without_bom_handling(raw).0),
    }
}

/// A name for people: on one line, short, and without a card number, which whoever named the file may have put there.
fn plain_name(name: &str) -> String {
    let plain = name.chars().map(|char| if char.is_control() { ' ' } else { char });
    // Masked before it is cut: half a number is not known for one.
    without_card_numbers(&plain.collect::<String>()).chars().take(NAME_CHARS_MAX).collect()
}

/// Entry names are often GBK and do not say so.
fn entry_name(raw: &[u8]) -> Result<String, OpenError> {
    let name = match std::str::from_utf8(raw) {
        Ok(name) => name.to_owned(),
        Err(_) => encoding_rs::GB18030
            .decode_without_bom_handling_and_without_replacement(raw)
            .ok_or(OpenError::Archive(ArchiveTrouble::Name))?
            .into_owned(),
    };
    let slashes = name.replace('\\', "/");
    let climbs = slashes.split('/').any(|step| step == "..");
    let absolute = slashes.starts_with('/') || slashes.get(1..2) == Some(":");
    if climbs || absolute || name.contains('\0') {
        return Err(OpenError::Archive(ArchiveTrouble::Outside(plain_name(&name))));
    }
    Ok(plain_name(&name))
}

fn parts(path: &Path, name: &str, file: File, bytes_max: u64) -> Result<Vec<Part>, OpenError> {
    let wrong = |error: zip::result::ZipError| {
        OpenError::Archive(ArchiveTrouble::Damaged(error.to_string()))
    };
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(wrong)?;
    if archive.len() > PARTS_MAX {
        return Err(OpenError::Archive(ArchiveTrouble::Parts(PARTS_MAX)));
    }
    let mut found = Vec::new();
    let mut sum = 0_u64;
    for place in 0..archive.len() {
        let entry = archive.by_index_raw(place).map_err(wrong)?;
        let part = entry_name(entry.name_raw())?;
        if entry.is_dir() {
            continue;
        }
        let (bytes, packed) = (entry.size(), entry.compressed_size());
        sum = sum.saturating_add(bytes);
        if sum > bytes_max {
            return Err(OpenError::TooLarge { found: sum, most: bytes_max });
        }
        if bytes > SMALL_BYTES && bytes / packed.max(1) > RATIO_MAX {
            return Err(OpenError::Archive(ArchiveTrouble::Grows { part, packed, bytes }));
        }
        if entry.encrypted() {
            return Err(OpenError::Archive(ArchiveTrouble::Encrypted(part)));
        }
        let deflated = match entry.compression() {
            CompressionMethod::Stored => false,
            CompressionMethod::Deflated => true,
            other => {
                let method = other.to_string();
                return Err(OpenError::Archive(ArchiveTrouble::Method { part, method }));
            }
        };
        let offset = entry
            .data_start()
            .ok_or_else(|| OpenError::Archive(ArchiveTrouble::NoPlace(part.clone())))?;
        found.push(Part {
            name: format!("{name}/{part}"),
            bytes,
            path: path.to_owned(),
            packed: Some(Packed { offset, bytes: packed, deflated, crc32: entry.crc32() }),
        });
    }
    Ok(found)
}

impl Part {
    /// Reads it from its beginning.
    pub fn open(&self) -> io::Result<Box<dyn BufRead>> {
        let mut file = File::open(&self.path)?;
        let Some(packed) = self.packed else {
            return Ok(Box::new(BufReader::with_capacity(1 << 16, file)));
        };
        file.seek(SeekFrom::Start(packed.offset))?;
        let packed_bytes = BufReader::with_capacity(1 << 16, file).take(packed.bytes);
        let inside: Box<dyn Read> = match packed.deflated {
            true => Box::new(flate2::bufread::DeflateDecoder::new(packed_bytes)),
            false => Box::new(packed_bytes),
        };
        let whole =
            Whole { inside, left: self.bytes, sum: crc32fast::Hasher::new(), crc32: packed.crc32 };
        Ok(Box::new(BufReader::with_capacity(1 << 16, whole)))
    }

    /// Its first bytes.
    pub fn head(&self) -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        self.open()?.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
        Ok(head)
    }

    /// Whether a profile passes over such a part of an archive.
    pub fn is_passed_over(&self, profile: &Profile) -> bool {
        let Some((_, name)) = self.name.split_once('/').filter(|_| self.packed.is_some()) else {
            return false;
        };
        profile.archive_ignore.as_ref().is_some_and(|pattern| pattern.is_match(name))
    }
}

/// Holds a packed part to what the archive says of it: its size, and its sum at the end.
struct Whole {
    inside: Box<dyn Read>,
    left: u64,
    sum: crc32fast::Hasher,
    crc32: u32,
}

impl Read for Whole {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inside.read(out)?;
        let damaged = || io::Error::from(io::ErrorKind::InvalidData);
        if read == 0 && !out.is_empty() {
            let whole = self.left == 0 && self.sum.clone().finalize() == self.crc32;
            return if whole { Ok(0) } else { Err(damaged()) };
        }
        self.left = self.left.checked_sub(read as u64).ok_or_else(damaged)?;
        self.sum.update(&out[..read]);
        Ok(read)
    }
}

/// Hashes what passes, and counts it.
pub struct Hashing<'a> {
    inside: Box<dyn BufRead>,
    state: &'a mut HashState,
}

/// What passed so far.
pub struct HashState {
    context: Context,
    /// How many bytes.
    pub bytes: u64,
}

impl Default for HashState {
    fn default() -> HashState {
        HashState { context: Context::new(&SHA256), bytes: 0 }
    }
}

impl HashState {
    /// SHA-256 of all that passed.
    pub fn finish(self) -> [u8; 32] {
        let mut out = [0; 32];
        out.copy_from_slice(self.context.finish().as_ref());
        out
    }
}

impl<'a> Hashing<'a> {
    /// Over a part.
    pub fn new(inside: Box<dyn BufRead>, state: &'a mut HashState) -> Hashing<'a> {
        Hashing { inside, state }
    }
}

impl Read for Hashing<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inside.read(out)?;
        self.state.context.update(&out[..read]);
        self.state.bytes += read as u64;
        Ok(read)
    }
}

impl BufRead for Hashing<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inside.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        // What was not given cannot be consumed: the buffer is there still.
        if let Ok(bytes) = self.inside.fill_buf() {
            self.state.context.update(&bytes[..amount.min(bytes.len())]);
            self.state.bytes += amount as u64;
        }
        self.inside.consume(amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use zip::write::SimpleFileOptions;

    const LIMIT: u64 = 64 * 1024 * 1024;

    fn archive(entries: &[(&str, &[u8])]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            let options =
                SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
            writer.start_file(*name, options).expect("an entry");
            writer.write_all(bytes).expect("its bytes");
        }
        let bytes = writer.finish().expect("an archive").into_inner();
        file.write_all(&bytes).expect("its bytes");
        file
    }

    #[track_caller]
    fn refused(file: &tempfile::NamedTempFile, limit: u64, word: &str) {
        let error = open(file.path(), limit).expect_err("it is refused").to_string();
        assert!(error.contains(word), "{error}");
    }

    #[test]
    fn a_card_number_in_a_name_is_not_kept() {
        let file = archive(&[("4111 1111 1111 1111/6225\n7600 0000 6697.csv", b"x")]);
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("card 4111-1111-1111-1111.zip");
        std::fs::copy(file.path(), &path).expect("room on the disk");
        let parts = open(&path, LIMIT).expect("parts");
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(
            names,
            ["card xxxx-xxxx-xxxx-1111.zip/xxxx xxxx xxxx 1111/xxxx xxxx xxxx 6697.csv"]
        );
        let cut = format!("{}4111111111111111.csv", "a".repeat(NAME_CHARS_MAX - 12));
        assert!(!name_of(Path::new(&cut)).contains('4'), "a number that is cut off");
        refused(&archive(&[("../4111111111111111", b"x")]), LIMIT, "\"../xxxxxxxxxxxx1111\"");
    }

    #[test]
    fn parts_are_read_where_they_lie() {
        let file = archive(&[("a.csv", b"one\ntwo\n"), ("dir/b.csv", b"three")]);
        let parts = open(file.path(), LIMIT).expect("parts");
        let names: Vec<&str> =
            parts.iter().filter_map(|part| part.name.split_once('/')).map(|name| name.1).collect();
        assert_eq!(names, ["a.csv", "dir/b.csv"]);
        let mut text = String::new();
        parts[0].open().expect("a part").read_to_string(&mut text).expect("its text");
        assert_eq!(text, "one\ntwo\n");
    }

    #[test]
    fn a_name_that_leaves_the_archive_refuses_it() {
        refused(&archive(&[("../../etc/passwd", b"x")]), LIMIT, "outside");
        refused(&archive(&[("/etc/passwd", b"x")]), LIMIT, "outside");
        refused(&archive(&[("..\\x", b"x")]), LIMIT, "outside");
        refused(&archive(&[("C:/x", b"x")]), LIMIT, "outside");
    }

    #[test]
    fn an_archive_that_grows_beyond_all_bounds_is_refused_before_it_is_read() {
        let zeros = vec![0; 32 * 1024 * 1024];
        refused(&archive(&[("a.csv", &zeros)]), LIMIT, "would grow");
        refused(&archive(&[("a.csv", &zeros[..2 << 20])]), 1 << 20, "more than");
        let many: Vec<(String, Vec<u8>)> =
            (0..101).map(|at| (format!("{at}"), Vec::new())).collect();
        let many: Vec<(&str, &[u8])> =
            many.iter().map(|(name, bytes)| (&**name, &**bytes)).collect();
        refused(&archive(&many), LIMIT, "100 parts");
    }

    #[test]
    fn a_damaged_part_is_no_shorter_part() {
        let text: Vec<u8> = (0..40_000_u32).flat_map(|at| at.to_string().into_bytes()).collect();
        let file = archive(&[("a.csv", &text)]);
        let mut bytes = std::fs::read(file.path()).expect("its bytes");
        let middle = bytes.len() / 3;
        bytes[middle] ^= 0x55;
        let damaged = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(damaged.path(), &bytes).expect("its bytes");
        let part = open(damaged.path(), LIMIT).expect("its list is whole").remove(0);
        let read = part.open().and_then(|mut input| io::copy(&mut input, &mut io::sink()));
        assert!(read.is_err(), "{read:?}");
    }
}
