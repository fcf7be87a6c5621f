//! Whose a store's files are. An administrator may run a command as root before the service ran for the first time: what
//! is made then belongs to whom its directory belongs to, or the service could not open its own store.

use std::io;
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::Path;

/// Gives a file or directory that was just made to whom the directory around it belongs to. Never follows a link, so
/// that nobody who may write there is given what lies elsewhere.
pub fn give(path: &Path) {
    let around = path.parent().filter(|around| !around.as_os_str().is_empty());
    let around = around.unwrap_or(Path::new(".")).metadata();
    if let (Ok(around), Ok(own)) = (around, path.symlink_metadata())
        && around.uid() != own.uid()
    {
        // None but root may give files away, and none else need.
        let _ = lchown(path, Some(around.uid()), Some(around.gid()));
    }
}

/// Makes a directory, and those around it that are not there, each for whom the one around it belongs to.
///
/// # Errors
/// What the system says.
pub fn make_directory(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|place| !place.exists()).collect();
    std::fs::create_dir_all(path)?;
    missing.into_iter().rev().filter(|place| !place.as_os_str().is_empty()).for_each(give);
    Ok(())
}
