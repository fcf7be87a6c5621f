//! Whose a store's files are. An administrator may run a command as root before the service ran for the first time: what
//! is made then belongs to whom its directory belongs to, or the service could not open its own store.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;

/// Gives a file or directory that was just made to whom the directory around its path belongs to. What is given is what
/// was made and is held open: whoever may write around it could put something else there meanwhile.
pub fn give(made: &File, path: &Path) {
    let around = path.parent().filter(|around| !around.as_os_str().is_empty());
    let around = around.unwrap_or(Path::new(".")).metadata();
    if let (Ok(around), Ok(own)) = (around, made.metadata())
        && around.uid() != own.uid()
    {
        // None but root may give files away, and none else need.
        let _ = fchown(made, Some(around.uid()), Some(around.gid()));
    }
}

/// Makes a file for whom the directory around it belongs to; nothing where something of its name is there, be it a link
/// that leads nowhere.
pub fn make_file(path: &Path) {
    if let Ok(made) = File::create_new(path) {
        give(&made, path);
    }
}

/// Makes a directory, and those around it that are not there, each for whom the one around it belongs to.
///
/// # Errors
/// What the system says.
pub fn make_directory(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|place| !place.exists()).collect();
    for place in missing.into_iter().rev().filter(|place| !place.as_os_str().is_empty()) {
        match std::fs::create_dir(place) {
            Ok(()) => {}
            // Somebody was quicker.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && place.is_dir() => {
                continue;
            }
            Err(error) => return Err(error),
        }
        let only_itself = libc::O_DIRECTORY | libc::O_NOFOLLOW;
        give(&OpenOptions::new().read(true).custom_flags(only_itself).open(place)?, place);
    }
    Ok(())
}
