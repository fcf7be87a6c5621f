//! The pack as one file: a ZIP archive without compression, with a manifest of hashes that the collector signs. Its bytes
//! follow from its contents, so that one changed byte anywhere is found.

use super::pack::FORMAT;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use slipwatch_shared::wire::seal::Digest;
use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// What the manifest is called.
pub const MANIFEST: &str = "manifest.json";
/// Largest archive that is read, in bytes.
pub const ARCHIVE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Most files in one.
const FILES_MAX: usize = 16;

/// Files by name.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What is signed of an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// BLAKE3 of each file, 64 hexadecimal digits.
    pub files: BTreeMap<String, String>,
    /// The collector's public key (Ed25519), 64 hexadecimal digits.
    pub key: String,
    /// Its signature, 128 hexadecimal digits.
    pub signature: String,
}

/// Why an archive cannot be read or is not what was signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// It is no such archive.
    #[error("not an evidence archive: {0}")]
    Form(String),
    /// A file in it is not the one that was signed, is missing, or was added.
    #[error("{file} is not what was signed")]
    File {
        /// Which.
        file: String,
    },
    /// The manifest's signature is not of its key.
    #[error("the signature does not belong to the collector's key")]
    Signature,
    /// The files are sound and the archive around them was changed.
    #[error("the archive was changed outside of its files")]
    Container,
}

/// Writes files and a manifest signed with `secret` into an archive.
pub fn write(files: &Files, secret: &[u8; 32]) -> Vec<u8> {
    let key = Ed25519KeyPair::from_seed_unchecked(secret).expect("any 32 bytes are a secret");
    let hashes = files.iter().map(|(name, bytes)| (name.clone(), Digest::of(bytes).to_string()));
    let mut manifest = Manifest {
        format: FORMAT.to_owned(),
        files: hashes.collect(),
        key: hex(key.public_key().as_ref()),
        signature: String::new(),
    };
    manifest.signature = hex(key.sign(&message(&manifest)).as_ref());
    let text = serde_json::to_string_pretty(&manifest).expect("memory takes it");
    pack(files, text.as_bytes())
}

/// Reads an archive and checks everything about it but what its files say: gives the files, and who signed them.
pub fn read(bytes: &[u8]) -> Result<(Files, Manifest), ArchiveError> {
    let (files, text) = unpack(bytes)?;
    let form = |error: serde_json::Error| ArchiveError::Form(format!("{MANIFEST}: {error}"));
    let manifest: Manifest = serde_json::from_slice(&text).map_err(form)?;
    if manifest.format != FORMAT {
        return Err(ArchiveError::Form(format!("it is of format {:?}", manifest.format)));
    }
    for name in files.keys().chain(manifest.files.keys()) {
        let found = files.get(name).map(|bytes| Digest::of(bytes).to_string());
        if found.as_ref() != manifest.files.get(name) || found.is_none() {
            return Err(ArchiveError::File { file: name.clone() });
        }
    }
    let signature = unhex(&manifest.signature).ok_or(ArchiveError::Signature)?;
    let key = unhex(&manifest.key).ok_or(ArchiveError::Signature)?;
    let key = UnparsedPublicKey::new(&ED25519, key);
    key.verify(&message(&manifest), &signature).map_err(|_| ArchiveError::Signature)?;
    if pack(&files, &text) != bytes {
        return Err(ArchiveError::Container);
    }
    Ok((files, manifest))
}

/// What the collector signs.
fn message(manifest: &Manifest) -> Vec<u8> {
    let mut bytes = format!("{FORMAT}\0").into_bytes();
    for (name, hash) in &manifest.files {
        bytes.extend_from_slice(format!("{hash} {name}\n").as_bytes());
    }
    bytes
}

fn pack(files: &Files, manifest: &[u8]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let named = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    for (name, bytes) in named.chain([(MANIFEST, manifest)]) {
        let written = zip.start_file(name, options).and_then(|()| Ok(zip.write_all(bytes)?));
        written.expect("memory takes any file");
    }
    zip.finish().expect("memory takes the end").into_inner()
}

fn unpack(bytes: &[u8]) -> Result<(Files, Vec<u8>), ArchiveError> {
    let form = |what: String| ArchiveError::Form(what);
    if bytes.len() > ARCHIVE_BYTES_MAX {
        return Err(form(format!("it has more than {ARCHIVE_BYTES_MAX} bytes")));
    }
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| form(error.to_string()))?;
    if zip.len() > FILES_MAX {
        return Err(form(format!("it holds more than {FILES_MAX} files")));
    }
    let mut files = Files::new();
    for at in 0..zip.len() {
        let file = zip.by_index(at).map_err(|error| form(error.to_string()))?;
        let name = file.name().map_err(|error| form(error.to_string()))?.into_owned();
        // Nothing was compressed, so nothing is larger than the whole.
        let mut content = Vec::new();
        let read = file.take(bytes.len() as u64 + 1).read_to_end(&mut content);
        read.map_err(|error| form(format!("{name}: {error}")))?;
        files.insert(name, content);
    }
    let manifest = files.remove(MANIFEST).ok_or_else(|| form(format!("it has no {MANIFEST}")))?;
    Ok((files, manifest))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let sound = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let pairs = sound.then(|| text.as_bytes().chunks_exact(2))?;
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
