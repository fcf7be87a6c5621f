//! Settlement files joined with the store: read, checked, matched, judged, and made to count in one transaction. Works
//! beside a running collector: it has a connection of its own, writes rows in short transactions that nobody sees, and
//! leaves the telling to the collector, which finds the news in the store.

mod agreed;
pub mod import;
pub mod inbox;
mod judge;
mod names;
mod phantom;
mod repeated;
pub mod review;
pub(super) mod rounds;
pub(super) mod uploads;

use crate::config::Config;
use crate::config::settlement::{SettlementConfig, Statement};
use crate::edge::store::settlement::FileId;
use crate::edge::store::sqlite::settlement::SqliteStatements;
use crate::edge::store::{StoreError, owner};
use crate::settlement::matching::Grouping;
use crate::settlement::reader::profile::{Profile, ProfileError, shipped};
use slipwatch_shared::times::ArrivalTime;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Locked by the one import or review that is at work, in whichever process; lies beside the store.
const GATE_FILE: &str = "settlement.lock";

/// Why nothing could be imported at all.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// A profile is wrong.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// A profile cannot be read.
    #[error("the profile {} cannot be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The inbox cannot be looked into.
    #[error("the inbox {} cannot be read", path.display())]
    Inbox {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// No profile is called so.
    #[error("no profile is called {name:?}; there are {known}")]
    NoProfile {
        /// As it was asked for.
        name: String,
        /// Those that there are.
        known: String,
    },
}

/// Held while a desk works; the system lets it go with the process, however that ends.
struct Alone {
    _gate: File,
}

/// What imports and reviews work with.
pub struct Desk {
    statements: SqliteStatements,
    settings: SettlementConfig,
    config: Config,
    profiles: Vec<Profile>,
    gate: PathBuf,
    /// When the import that runs began.
    now: ArrivalTime,
    /// What was loaded so far of the archive that it imports.
    parts: Vec<FileId>,
}

impl Desk {
    /// Opens the store that the settings name, beside a collector that may be using it.
    pub fn open(config: &Config) -> Result<Desk, DeskError> {
        let directory = config.beside(&config.store);
        let cannot = |source| StoreError::Path { path: directory.display().to_string(), source };
        owner::make_directory(&directory).map_err(cannot)?;
        let statements = SqliteStatements::open(&directory.join(super::STORE_FILE))?;
        let profiles = profiles(config)?;
        let settings = config.settlement.clone();
        let gate = directory.join(GATE_FILE);
        let config = config.clone();
        let now = ArrivalTime(0);
        Ok(Desk { statements, settings, config, profiles, gate, now, parts: Vec::new() })
    }

    /// Waits until no other desk imports or reviews; says so where it must. Two at once would give the same payment to two
    /// rows, and the later one would sweep what the earlier one has written so far.
    fn alone(&self, waits: impl FnOnce()) -> Result<Alone, StoreError> {
        let cannot = |source| StoreError::Path { path: self.gate.display().to_string(), source };
        let gate = self.opened_gate().map_err(cannot)?;
        match gate.try_lock() {
            Ok(()) => return Ok(Alone { _gate: gate }),
            Err(TryLockError::WouldBlock) => waits(),
            Err(TryLockError::Error(source)) => return Err(cannot(source)),
        }
        gate.lock().map_err(cannot)?;
        Ok(Alone { _gate: gate })
    }

    /// Reading is enough for a lock. One that an administrator made is given to whom the store belongs to.
    fn opened_gate(&self) -> io::Result<File> {
        if let Ok(gate) = File::open(&self.gate) {
            return Ok(gate);
        }
        match File::create_new(&self.gate) {
            Ok(gate) => {
                owner::give(&gate, &self.gate);
                Ok(gate)
            }
            // Somebody was quicker.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => File::open(&self.gate),
            Err(error) => Err(error),
        }
    }

    /// The store's end.
    pub fn statements(&mut self) -> &mut SqliteStatements {
        &mut self.statements
    }

    fn profile(&self, name: &str) -> Result<&Profile, DeskError> {
        let known = self.profiles.iter().find(|profile| profile.name == name);
        known.ok_or_else(|| DeskError::NoProfile {
            name: name.to_owned(),
            known: self
                .profiles
                .iter()
                .map(|profile| profile.name.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        })
    }

    /// Which shops the rows of a file may be of.
    fn grouping(&mut self, statement: Option<&Statement>) -> Grouping {
        let mut grouping = Grouping::default();
        for shop in &self.config.shops {
            let number = self.statements.shops().number(&shop.name);
            for terminal in &shop.terminals {
                grouping.terminals.entry(terminal.number).or_default().insert(number);
            }
        }
        for known in &self.settings.statements {
            for merchant in &known.merchants {
                let shops =
                    grouping.merchants.entry(merchant.clone().into_boxed_str()).or_default();
                shops.extend(known.shops.iter().map(|shop| self.statements.shops().number(shop)));
            }
        }
        // An account without shops narrows nothing.
        grouping.merchants.retain(|_, shops| !shops.is_empty());
        if let Some(statement) = statement {
            grouping.shops =
                statement.shops.iter().map(|shop| self.statements.shops().number(shop)).collect();
        } else if self.config.shops.len() == 1 {
            grouping.shops = self
                .config
                .shops
                .iter()
                .map(|shop| self.statements.shops().number(&shop.name))
                .collect();
        }
        grouping
    }
}

fn timestamp(now: ArrivalTime) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(now.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

/// The shipped profiles and those of the settings' own directory; one of the same name takes the shipped one's place.
pub fn profiles(config: &Config) -> Result<Vec<Profile>, DeskError> {
    let mut profiles = shipped::all();
    let Some(directory) = &config.settlement.profiles else { return Ok(profiles) };
    let directory = config.beside(directory);
    let unreadable = |path: &Path, source| DeskError::Unreadable { path: path.to_owned(), source };
    let entries = std::fs::read_dir(&directory).map_err(|source| unreadable(&directory, source))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .collect();
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(|source| unreadable(&file, source))?;
        let profile = Profile::parse(&file.display().to_string(), &text)?;
        profiles.retain(|known| known.name != profile.name);
        profiles.push(profile);
    }
    Ok(profiles)
}

/// A profile by its name, or by the file that holds it.
pub fn profile_named(profiles: Vec<Profile>, name: &str) -> Result<Vec<Profile>, DeskError> {
    let path = Path::new(name);
    if path.extension().is_some_and(|end| end == "toml") {
        let text = std::fs::read_to_string(path)
            .map_err(|source| DeskError::Unreadable { path: path.to_owned(), source })?;
        return Ok(vec![Profile::parse(name, &text)?]);
    }
    let known: Vec<&str> = profiles.iter().map(|profile| profile.name.as_str()).collect();
    let known = known.join(", ");
    let found: Vec<Profile> = profiles.into_iter().filter(|profile| profile.name == name).collect();
    match found.is_empty() {
        true => Err(DeskError::NoProfile { name: name.to_owned(), known }),
        false => Ok(found),
    }
}
