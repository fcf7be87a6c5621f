//! Files that people send through the console: into the same store, by the same way, as those of the inbox.

use super::import::Progress;
use super::{Desk, DeskError, profiles, rounds};
use crate::config::Config;
use crate::edge::clock;
use crate::edge::console::upload::Imports;
use crate::settlement::report::Report;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

/// Where uploaded files lie until they are imported, beside the store.
const DIRECTORY: &str = "uploads";

/// Imports into the store of the settings in force.
pub(in crate::run) struct IntoStore {
    config: Arc<RwLock<Arc<Config>>>,
}

impl IntoStore {
    /// Sweeps what an earlier run did not finish.
    pub(in crate::run) fn new(config: Arc<RwLock<Arc<Config>>>) -> IntoStore {
        let imports = IntoStore { config };
        let directory = imports.directory();
        if let Err(error) = std::fs::remove_dir_all(&directory)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, path = %directory.display(), "old uploads stay");
        }
        imports
    }

    fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.read().expect("no holder of this lock panics"))
    }

    fn directory(&self) -> PathBuf {
        let config = self.config();
        config.beside(&config.store).join(DIRECTORY)
    }
}

impl Imports for IntoStore {
    fn room(&self) -> io::Result<tempfile::TempDir> {
        let directory = self.directory();
        std::fs::create_dir_all(&directory)?;
        tempfile::tempdir_in(directory)
    }

    fn bytes_max(&self) -> u64 {
        self.config().settlement.file_bytes_max
    }

    fn profiles(&self) -> Vec<String> {
        // Wrong ones are told of when a file is imported.
        let known = profiles(&self.config()).unwrap_or_default();
        known.into_iter().map(|profile| profile.name).collect()
    }

    fn import(
        &self,
        path: &Path,
        profile: Option<&str>,
        progress: &dyn Fn(u8),
    ) -> Result<Vec<Report>, String> {
        let work = || -> Result<Vec<Report>, DeskError> {
            let mut desk = Desk::open(&self.config())?;
            let mut whole = 1;
            let reports = desk.import(path, profile, clock::now(), &mut |made| match made {
                Progress::Waits => {}
                Progress::Part { bytes, .. } => whole = bytes.max(1),
                Progress::Read(bytes) => progress((bytes.min(whole) * 100 / whole) as u8),
            })?;
            desk.review(clock::now())?;
            Ok(reports)
        };
        let reports = work().map_err(|error| {
            rounds::tell(&error);
            error.to_string()
        })?;
        reports.iter().for_each(rounds::log);
        Ok(reports)
    }
}
