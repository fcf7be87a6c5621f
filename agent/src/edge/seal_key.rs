//! The secret from which the agent's signing key is made: 32 random bytes in a file beside the spool, readable by the
//! agent alone. Made at the first start; a new one is a new key, which the collector notes.

use crate::spool::seal::SECRET_BYTES;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const FILE: &str = "seal.key";

/// Reads the secret of a spool's directory; makes one where there is none. One that is cut short is made anew.
pub fn read_or_make(directory: &Path) -> io::Result<[u8; SECRET_BYTES]> {
    let path = directory.join(FILE);
    match fs::read(&path) {
        Ok(bytes) => {
            if let Ok(secret) = bytes.try_into() {
                return Ok(secret);
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut secret = [0; SECRET_BYTES];
    File::open("/dev/urandom")?.read_exact(&mut secret)?;
    let beside = directory.join("seal.key.new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(&secret)?;
    file.sync_all()?;
    fs::rename(&beside, &path)?;
    File::open(directory)?.sync_all()?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_secret_is_made_once_and_is_nobody_elses() {
        let directory = tempfile::tempdir().expect("a directory");
        let made = read_or_make(directory.path()).expect("room");
        assert_eq!(read_or_make(directory.path()).expect("it is there"), made);
        let path = directory.path().join(FILE);
        let mode = fs::metadata(&path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(&path, b"short").expect("room");
        assert_ne!(read_or_make(directory.path()).expect("room"), made);
    }
}
