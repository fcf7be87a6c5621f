//! A directory that is watched: what is put there is imported, and then lies in `done` or in `refused`, there with the
//! reason beside it. A file is taken once it did not change between two looks.

use super::{Desk, DeskError};
use crate::alert::language::Language;
use crate::edge::console::summary;
use crate::edge::statement;
use crate::settlement::report::Report;
use slipwatch_shared::times::ArrivalTime;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Most files of one look; the rest waits for the next.
const FILES_MAX: usize = 200;

/// The watched directory.
#[derive(Debug, Default)]
pub struct Inbox {
    directory: PathBuf,
    /// Size and time of each file as it was last seen.
    seen: BTreeMap<PathBuf, (u64, Option<SystemTime>)>,
}

impl Inbox {
    /// Makes the directory where there is none.
    pub fn open(directory: &Path) -> std::io::Result<Inbox> {
        for name in ["", "done", "refused"] {
            std::fs::create_dir_all(directory.join(name))?;
        }
        Ok(Inbox { directory: directory.to_owned(), seen: BTreeMap::new() })
    }

    /// Files that lie there and did not change since the last look.
    pub fn settled(&mut self) -> std::io::Result<Vec<PathBuf>> {
        let mut now = BTreeMap::new();
        for entry in std::fs::read_dir(&self.directory)?.take(FILES_MAX) {
            let entry = entry?;
            let path = entry.path();
            let metadata = entry.metadata()?;
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            let partial = path.extension().is_some_and(|end| end == "part" || end == "tmp");
            if metadata.is_file() && !hidden && !partial {
                now.insert(path, (metadata.len(), metadata.modified().ok()));
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
        let refused = reports.iter().any(Report::is_refused);
        let place = self.directory.join(if refused { "refused" } else { "done" });
        // As it is told of: what lies there later bears no card number that whoever sent it wrote in its name.
        let name = statement::name_of(path);
        let free = (0..1_000).map(|count| match count {
            0 => place.join(&name),
            _ => place.join(format!("{count}-{name}")),
        });
        let to = free.into_iter().find(|to| !to.exists()).unwrap_or_else(|| place.join(&name));
        self.seen.remove(path);
        // A file that cannot be moved is known by its hash: it is imported again and changes nothing.
        if let Err(error) = std::fs::rename(path, &to) {
            tracing::warn!(%error, file = name, "an imported file stays in the inbox");
        }
        if refused {
            let in_both = Language::ALL.iter().flat_map(|language| {
                reports.iter().flat_map(|report| summary::lines(*language, report))
            });
            let reasons: Vec<String> = in_both.collect();
            let beside = PathBuf::from(format!("{}.reason.txt", to.display()));
            if let Err(error) = std::fs::write(&beside, reasons.join("\n") + "\n") {
                tracing::warn!(%error, path = %beside.display(), "the reason cannot be written");
            }
        }
        Ok(reports)
    }
}
