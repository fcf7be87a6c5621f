//! A directory that is watched: what is put there is imported, and then lies in `done` or in `refused`, there with the
//! reason beside it. A file is taken once it did not change between two looks, and put away unless it changed since.

use super::{Desk, DeskError};
use crate::alert::language::Language;
use crate::edge::console::summary;
use crate::edge::statement;
use crate::settlement::report::Report;
use slipwatch_shared::times::ArrivalTime;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Most files of one look, and most that wait to be put away; the rest waits for the next look.
const FILES_MAX: usize = 200;
/// Longest name under which a file is put away, so that a number before it and an end behind it have room.
const NAME_BYTES_MAX: usize = 200;
/// How programs call a file that they have not sent to its end.
const PARTIAL: [&str; 6] = ["part", "tmp", "filepart", "partial", "crdownload", "download"];

/// Size and time of a file.
type Looks = (u64, Option<SystemTime>);

/// The watched directory.
#[derive(Debug, Default)]
pub struct Inbox {
    directory: PathBuf,
    /// Each file as it was last seen.
    seen: BTreeMap<PathBuf, Looks>,
    /// Files that were imported and could not be put away.
    stuck: BTreeMap<PathBuf, Stuck>,
}

#[derive(Debug)]
struct Stuck {
    looks: Looks,
    /// Why it was refused, where it was.
    reason: Option<String>,
}

impl Inbox {
    /// Makes the directory where there is none.
    pub fn open(directory: &Path) -> io::Result<Inbox> {
        for name in ["", "done", "refused"] {
            std::fs::create_dir_all(directory.join(name))?;
        }
        Ok(Inbox { directory: directory.to_owned(), ..Inbox::default() })
    }

    /// Files that lie there and did not change since the last look.
    pub fn settled(&mut self) -> io::Result<Vec<PathBuf>> {
        self.put_stuck_away();
        let mut now = BTreeMap::new();
        for entry in std::fs::read_dir(&self.directory)? {
            let entry = entry?;
            let path = entry.path();
            // One that is gone again was renamed: it is seen under its new name.
            let Some(looks) = looks(&path).filter(|_| is_for_us(&path)) else { continue };
            let is_stuck = self.stuck.get(&path).is_some_and(|stuck| stuck.looks == looks);
            if !is_stuck && now.len() < FILES_MAX {
                now.insert(path, looks);
            }
        }
        let settled = now.iter().filter(|(path, looks)| self.seen.get(*path) == Some(looks));
        let settled = settled.map(|(path, _)| path.clone()).collect();
        self.seen = now;
        Ok(settled)
    }

    /// Imports a file and puts it away.
    pub fn take(
        &mut self,
        desk: &mut Desk,
        path: &Path,
        now: ArrivalTime,
    ) -> Result<Vec<Report>, DeskError> {
        let reports = desk.import(path, None, now, &mut |_| {})?;
        let Some(looks) = looks(path).filter(|looks| self.seen.get(path) == Some(looks)) else {
            // Somebody still writes it: were it put away, its end would be, too, and nobody would read that.
            tracing::info!(file = statement::name_of(path), "a file changed while it was imported");
            return Ok(reports);
        };
        self.seen.remove(path);
        let reason = reports.iter().any(Report::is_refused).then(|| reason(&reports));
        if let Err(error) = self.put_away(path, reason.as_deref()) {
            let file = statement::name_of(path);
            tracing::warn!(%error, file, "an imported file stays in the inbox");
            if self.stuck.len() < FILES_MAX {
                self.stuck.insert(path.to_owned(), Stuck { looks, reason });
            }
        }
        Ok(reports)
    }

    /// Moves a file to where it belongs, under a name that nothing there has yet.
    fn put_away(&self, path: &Path, reason: Option<&str>) -> io::Result<()> {
        let place = self.directory.join(if reason.is_some() { "refused" } else { "done" });
        // As it is told of: what lies there later bears no card number that whoever sent it wrote in its name.
        let mut name = statement::name_of(path);
        while name.len() > NAME_BYTES_MAX {
            name.pop();
        }
        let beside = |to: &Path| PathBuf::from(format!("{}.reason.txt", to.display()));
        let is_free = |to: &Path| !to.exists() && !beside(to).exists();
        let mut to = place.join(&name);
        let mut count = 0_u32;
        while !is_free(&to) {
            count += 1;
            to = place.join(format!("{count}-{name}"));
        }
        std::fs::rename(path, &to)?;
        if let Some(reason) = reason
            && let Err(error) = std::fs::write(beside(&to), reason)
        {
            tracing::warn!(%error, file = name, "the reason cannot be written");
        }
        Ok(())
    }

    /// Tries again to put away what could not be; forgets what changed or is gone.
    fn put_stuck_away(&mut self) {
        for (path, stuck) in std::mem::take(&mut self.stuck) {
            let is_there = looks(&path) == Some(stuck.looks);
            if is_there && self.put_away(&path, stuck.reason.as_deref()).is_err() {
                self.stuck.insert(path, stuck);
            }
        }
    }
}

/// Nothing where there is no such file.
fn looks(path: &Path) -> Option<Looks> {
    let metadata = std::fs::symlink_metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    Some((metadata.len(), metadata.modified().ok()))
}

/// Whether it is neither hidden nor called as one that is still on its way.
fn is_for_us(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let end = path.extension().unwrap_or_default();
    !hidden && !PARTIAL.iter().any(|partial| end.eq_ignore_ascii_case(partial))
}

/// Why a file was refused, in both languages.
fn reason(reports: &[Report]) -> String {
    let in_both = Language::ALL
        .iter()
        .flat_map(|language| reports.iter().flat_map(|report| summary::lines(*language, report)));
    in_both.map(|line| line + "\n").collect()
}
