//! One file on its way in. It is read twice: once to its end, to know that it is whole, that its totals hold and whose it
//! is; and once more to be written and matched, chunk by chunk. A file that was touched in between is refused.

use super::judge::{Judge, Matters};
use super::{Desk, DeskError};
use crate::config::settlement::Statement;
use crate::edge::clock;
use crate::edge::statement::{self, HashState, Hashing, OpenError, Part};
use crate::edge::store::StoreError;
use crate::edge::store::settlement::{
    FileHead, FileId, FileView, PlacedLink, PlacedRow, RowId, RowState,
};
use crate::settlement::matching::{self, Candidate, Grouping, Link, Role, Tolerance};
use crate::settlement::reader::error::{ReadError, Trouble};
use crate::settlement::reader::profile::{Period, Profile};
use crate::settlement::reader::{self, Reader};
use crate::settlement::refusal::Why;
use crate::settlement::report::{KindSum, Outcome, Refused, Report, Word};
use crate::settlement::row::{MerchantName, SettlementRow};
use jiff::civil::Date;
use slipwatch_shared::times::ArrivalTime;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Rows that are read, looked up, matched and written together.
pub const CHUNK_ROWS: usize = 4_096;
/// Accounts and payments to the bank that are told apart in one file.
const DISTINCT_MAX: usize = 1_000;
/// Days of one file.
const DAYS_MAX: usize = 3_660;

/// How far an import is, for a progress bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<'a> {
    /// Another import or review is at work; this one begins behind it.
    Waits,
    /// A part begins; its bytes are read twice.
    Part {
        /// Its name.
        name: &'a str,
        /// Its bytes.
        bytes: u64,
    },
    /// So many of those bytes were read.
    Read(u64),
}

/// What the first reading of a file found.
struct Surveyed {
    hash: [u8; 32],
    bytes: u64,
    rows: u64,
    days: BTreeMap<Date, u64>,
    payouts: BTreeSet<Box<str>>,
    kinds: BTreeMap<Word, KindSum>,
    merchants: BTreeSet<MerchantName>,
    checked: Vec<(String, String)>,
    left_out: BTreeMap<String, u64>,
}

/// Why a file is refused.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("there is no such file")]
    NoFile,
    #[error("this user may not read it")]
    MayNotRead,
    #[error("{0}")]
    Unreadable(String),
    #[error("{0}")]
    Open(OpenError),
    #[error("no profile knows such a file; name one with --profile, or write one")]
    NoProfile,
    #[error("several profiles know such a file: {0}; name one with --profile")]
    SeveralProfiles(String),
    #[error("line {line}: a row of account {merchant}, which no statement of the settings takes")]
    OtherMerchant { line: u32, merchant: String },
    #[error("line {line}: a row of account {merchant} of another statement than the rows before")]
    MixedStatements { line: u32, merchant: String },
    #[error(
        "it covers {period}, of which {other} of the same source is loaded already; take that one back or import the same days"
    )]
    Overlap { period: String, other: String },
    #[error(
        "it covers {period} of the same source as {other}, a part of the same archive: neither of them takes the other's place"
    )]
    Parts { period: String, other: String },
    #[error("it holds no rows and does not say of which day")]
    Dayless,
    #[error("it changed while it was read")]
    Changed,
    #[error("it spans more than {DAYS_MAX} days")]
    TooManyDays,
}

impl Refusal {
    fn refused(&self) -> Refused {
        let (reason, line, column) = match self {
            Refusal::Read(error) => (error.label(), Some(error.line), error.column.clone()),
            Refusal::NoFile => ("no_file", None, None),
            Refusal::MayNotRead => ("no_access", None, None),
            Refusal::Unreadable(_) => ("unreadable", None, None),
            Refusal::Open(_) => ("archive", None, None),
            Refusal::NoProfile | Refusal::SeveralProfiles(_) => ("profile", None, None),
            Refusal::OtherMerchant { line, .. } | Refusal::MixedStatements { line, .. } => {
                ("merchant", Some(*line), None)
            }
            Refusal::Overlap { .. } => ("overlap", None, None),
            Refusal::Parts { .. } => ("parts", None, None),
            Refusal::Dayless | Refusal::TooManyDays => ("format", None, None),
            Refusal::Changed => ("changed", None, None),
        };
        Refused {
            reason: reason.into(),
            line: line.filter(|line| *line > 0),
            column,
            message: self.to_string(),
            why: Some(self.why()),
        }
    }

    fn why(&self) -> Why {
        match self {
            Refusal::Read(error) => Why::Read(error.trouble.clone()),
            Refusal::NoFile => Why::NoFile,
            Refusal::MayNotRead => Why::MayNotRead,
            Refusal::Unreadable(_) | Refusal::Open(OpenError::Io(_)) => Why::Unreadable,
            Refusal::Open(OpenError::TooLarge { found, most }) => {
                Why::TooLarge { found: *found, most: *most }
            }
            Refusal::Open(OpenError::Archive(trouble)) => Why::Archive(trouble.clone()),
            Refusal::NoProfile => Why::NoProfile,
            Refusal::SeveralProfiles(names) => Why::SeveralProfiles(names.clone()),
            Refusal::OtherMerchant { merchant, .. } => Why::OtherMerchant(merchant.clone()),
            Refusal::MixedStatements { merchant, .. } => Why::MixedStatements(merchant.clone()),
            Refusal::Overlap { period, other } => {
                Why::Overlap { period: period.clone(), other: other.clone() }
            }
            Refusal::Parts { period, other } => {
                Why::Parts { period: period.clone(), other: other.clone() }
            }
            Refusal::Dayless => Why::Dayless,
            Refusal::Changed => Why::Changed,
            Refusal::TooManyDays => Why::TooManyDays(DAYS_MAX),
        }
    }
}

/// Either the file's own fault, or the store's.
enum Stop {
    Refused(Refusal),
    Store(StoreError),
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Stop {
        Stop::Refused(Refusal::Read(error))
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Stop {
        Stop::Refused(refusal)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Stop {
        Stop::Store(error)
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Stop {
        Stop::Refused(Refusal::Read(ReadError::at(0, Trouble::Unreadable(error.kind()))))
    }
}

impl Desk {
    /// Imports a file, or each part of an archive. What is wrong with a file stands in its report; only the store or the
    /// profiles fail.
    pub fn import(
        &mut self,
        path: &Path,
        profile: Option<&str>,
        now: ArrivalTime,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Vec<Report>, DeskError> {
        self.now = now;
        let _alone = self.alone(|| progress(Progress::Waits))?;
        self.statements.sweep()?;
        let name = statement::name_of(path);
        let parts = match statement::open(path, self.settings.file_bytes_max.max(1)) {
            Ok(parts) => parts,
            Err(OpenError::Io(source)) => {
                let refusal = match source.kind() {
                    std::io::ErrorKind::NotFound => Refusal::NoFile,
                    std::io::ErrorKind::PermissionDenied => Refusal::MayNotRead,
                    _ => Refusal::Unreadable(format!("it cannot be read: {source}")),
                };
                return Ok(vec![refused(&name, None, &refusal)]);
            }
            Err(error) => return Ok(vec![refused(&name, None, &Refusal::Open(error))]),
        };
        if let Some(name) = profile {
            self.profile(name)?;
        }
        let mut reports = Vec::new();
        self.parts.clear();
        for part in &parts {
            let of_archive = parts.len() > 1;
            match self.import_part(part, profile, of_archive, progress)? {
                Some(report) => {
                    self.parts.extend(report.number.map(FileId));
                    reports.push(report);
                }
                None => continue,
            }
        }
        if reports.is_empty() {
            reports.push(refused(&name, None, &Refusal::NoProfile));
        }
        Ok(reports)
    }

    /// Nothing where a part of an archive is none of ours.
    fn import_part(
        &mut self,
        part: &Part,
        asked: Option<&str>,
        of_archive: bool,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Option<Report>, DeskError> {
        let profile = match self.find_profile(part, asked) {
            Ok(Some(profile)) => profile,
            Ok(None) => return Ok(None),
            Err(Refusal::NoProfile) if of_archive => return Ok(None),
            Err(refusal) => return Ok(Some(refused(&part.name, None, &refusal))),
        };
        progress(Progress::Part { name: &part.name, bytes: part.bytes });
        match self.load(part, &profile, progress) {
            Ok(report) => Ok(Some(report)),
            Err(Stop::Store(error)) => Err(error.into()),
            Err(Stop::Refused(refusal)) => {
                let report = refused(&part.name, Some(&profile), &refusal);
                self.write_down(part, &profile, &report)?;
                Ok(Some(report))
            }
        }
    }

    fn find_profile(&self, part: &Part, asked: Option<&str>) -> Result<Option<Profile>, Refusal> {
        let unreadable = |error: std::io::Error| {
            Refusal::Read(ReadError::at(0, Trouble::Unreadable(error.kind())))
        };
        if let Some(name) = asked {
            let profile = self.profiles.iter().find(|profile| profile.name == name);
            return Ok(profile.filter(|profile| !part.is_passed_over(profile)).cloned());
        }
        let head = part.head().map_err(unreadable)?;
        if self.profiles.iter().any(|profile| part.is_passed_over(profile)) {
            return Ok(None);
        }
        let mut fitting: Vec<&Profile> =
            self.profiles.iter().filter(|profile| reader::looks_like(profile, &head)).collect();
        if fitting.len() > 1 {
            // The settings say which of two like ones is used here.
            let used = |profile: &&Profile| {
                self.settings.statements.iter().any(|statement| statement.profile == profile.name)
            };
            if fitting.iter().filter(|profile| used(profile)).count() == 1 {
                fitting.retain(used);
            }
        }
        match fitting.as_slice() {
            [] => Err(Refusal::NoProfile),
            [one] => Ok(Some((*one).clone())),
            several => {
                let names: Vec<&str> =
                    several.iter().map(|profile| profile.name.as_str()).collect();
                Err(Refusal::SeveralProfiles(names.join(", ")))
            }
        }
    }

    /// A refused file is remembered, too: the console shows it, and an expected day is told as missing.
    fn write_down(
        &mut self,
        part: &Part,
        profile: &Profile,
        report: &Report,
    ) -> Result<(), StoreError> {
        let day = reader::day_of_name(profile, &part.name);
        let today = super::timestamp(self.now).to_zoned_datetime(profile.zone.clone()).date();
        let head = FileHead {
            source: profile.name.clone(),
            period: day.map_or_else(|| "unknown".to_owned(), |day| day.to_string()),
            profile: profile.name.clone(),
            name: part.name.clone(),
            hash: [0; 32],
            bytes: part.bytes,
            first_day: day.unwrap_or(today),
            last_day: day.unwrap_or(today),
            rows: 0,
        };
        let summary = serde_json::to_string(report).expect("a report is plain values");
        self.statements.refuse(&head, &summary, self.now).map(|_| ())
    }

    /// The statement of the settings that takes an account, where the settings know the profile.
    fn statement_of(&self, profile: &Profile, merchant: Option<&str>) -> Result<Option<usize>, ()> {
        let of_profile: Vec<usize> = (0..self.settings.statements.len())
            .filter(|&at| self.settings.statements[at].profile == profile.name)
            .collect();
        let taking = of_profile.iter().copied().find(|&at| {
            merchant.is_none_or(|merchant| self.settings.statements[at].takes(merchant))
        });
        match (taking, of_profile.is_empty()) {
            (Some(at), _) => Ok(Some(at)),
            (None, true) => Ok(None),
            (None, false) => Err(()),
        }
    }

    fn load(
        &mut self,
        part: &Part,
        profile: &Profile,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Report, Stop> {
        let file_day = reader::day_of_name(profile, &part.name);
        let mut statement_at: Option<Option<usize>> = None;
        let surveyed = self.survey(part, profile, file_day, &mut statement_at, progress)?;
        if let Some(known) = self.statements.file_by_hash(&surveyed.hash)? {
            return Ok(Report {
                file: part.name.clone(),
                outcome: Outcome::Known,
                number: Some(known.id.0),
                profile: Some(profile.name.clone()),
                source: Some(known.head.source),
                period: Some(known.head.period),
                revision: Some(known.revision),
                sha256: Some(hex(&surveyed.hash)),
                rows: known.head.rows,
                // One that another version of this program wrote may not be told.
                then: serde_json::from_str(&known.summary).ok(),
                ..Report::default()
            });
        }
        let statement = statement_at.flatten().map(|at| self.settings.statements[at].clone());
        let head = self.head(part, profile, file_day, &surveyed, statement.as_ref())?;
        let same = self.same_days(profile, &head)?;
        let replaced: Vec<FileId> = same.iter().map(|file| file.id).collect();
        let before = same.last().map(|file| file.head.rows);
        let mut report = Report {
            file: part.name.clone(),
            outcome: Outcome::Loaded,
            profile: Some(profile.name.clone()),
            source: Some(head.source.clone()),
            period: Some(head.period.clone()),
            sha256: Some(hex(&head.hash)),
            rows: surveyed.rows,
            rows_before: before.filter(|before| surveyed.rows < before.div_ceil(2)),
            kinds: surveyed.kinds,
            checked: surveyed.checked,
            left_out: surveyed.left_out,
            ..Report::default()
        };
        let file = self.statements.begin(&head, self.now)?;
        report.number = Some(file.0);
        let filled = self.fill(
            file,
            part,
            profile,
            &head,
            statement.as_ref(),
            &replaced,
            &mut report,
            progress,
        );
        match filled {
            Ok(()) => Ok(report),
            Err(stop) => {
                // Nothing of it stays; where the store cannot even do that, the next import sweeps.
                let _ = self.statements.drop_file(file);
                Err(stop)
            }
        }
    }

    fn survey(
        &self,
        part: &Part,
        profile: &Profile,
        file_day: Option<Date>,
        statement_at: &mut Option<Option<usize>>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Surveyed, Stop> {
        let mut state = HashState::default();
        let mut found = Surveyed {
            hash: [0; 32],
            bytes: 0,
            rows: 0,
            days: BTreeMap::new(),
            payouts: BTreeSet::new(),
            kinds: BTreeMap::new(),
            merchants: BTreeSet::new(),
            checked: Vec::new(),
            left_out: BTreeMap::new(),
        };
        let mut reader =
            Reader::new(profile, Box::new(Hashing::new(part.open()?, &mut state)), file_day);
        let mut last_merchant: Option<MerchantName> = None;
        while let Some(row) = reader.next_row()? {
            if row.merchant.is_some() && row.merchant != last_merchant {
                self.check_merchant(profile, &row, statement_at)?;
                last_merchant.clone_from(&row.merchant);
                if found.merchants.len() < DISTINCT_MAX {
                    found.merchants.extend(row.merchant.clone());
                }
            }
            *found.days.entry(row.day).or_default() += 1;
            if found.days.len() > DAYS_MAX {
                return Err(Refusal::TooManyDays.into());
            }
            if let Some(payout) = &row.payout
                && profile.period == Period::Payout
                && found.payouts.len() < DISTINCT_MAX
                && !found.payouts.contains(payout)
            {
                found.payouts.insert(payout.clone());
            }
            let sum = found.kinds.entry(row.kind.label().into()).or_default();
            sum.rows += 1;
            let currency = row.amount.currency;
            match sum.minor.get_mut(currency.as_str()) {
                Some(minor) => *minor = minor.saturating_add(row.amount.minor),
                None => drop(sum.minor.insert(currency.to_string(), row.amount.minor)),
            }
            found.rows += 1;
            if found.rows.is_multiple_of(CHUNK_ROWS as u64) {
                // Half of the work is reading it this first time.
                progress(Progress::Read(estimate(found.rows, part.bytes)));
            }
        }
        let read = reader.finish()?;
        found.checked =
            read.checked.into_iter().map(|checked| (checked.name, checked.value)).collect();
        found.left_out = read.left_out;
        found.bytes = state.bytes;
        found.hash = state.finish();
        if statement_at.is_none() {
            *statement_at = Some(self.statement_of(profile, None).unwrap_or(None));
        }
        Ok(found)
    }

    fn check_merchant(
        &self,
        profile: &Profile,
        row: &SettlementRow,
        statement_at: &mut Option<Option<usize>>,
    ) -> Result<(), Refusal> {
        let (line, merchant) = (row.line, row.merchant.as_deref().unwrap_or_default().to_owned());
        let found = self
            .statement_of(profile, Some(&merchant))
            .map_err(|()| Refusal::OtherMerchant { line, merchant: merchant.clone() })?;
        match statement_at {
            None => *statement_at = Some(found),
            Some(known) if *known == found => {}
            Some(_) => return Err(Refusal::MixedStatements { line, merchant }),
        }
        Ok(())
    }

    fn head(
        &self,
        part: &Part,
        profile: &Profile,
        file_day: Option<Date>,
        surveyed: &Surveyed,
        statement: Option<&Statement>,
    ) -> Result<FileHead, Refusal> {
        let of_rows = surveyed.days.first_key_value().zip(surveyed.days.last_key_value());
        let (first, last) = match (file_day, of_rows) {
            (Some(day), _) if profile.period == Period::Day => (day, day),
            (_, Some((first, last))) => main_days(*first.0, *last.0, &surveyed.days),
            (Some(day), None) => (day, day),
            (None, None) => return Err(Refusal::Dayless),
        };
        let days = if first == last { first.to_string() } else { format!("{first}..{last}") };
        let period = match (profile.period, surveyed.payouts.len()) {
            (Period::Payout, 1) => {
                format!("payout {}", surveyed.payouts.first().map_or("", |payout| payout))
            }
            _ => days,
        };
        let source = statement.map_or_else(
            || match surveyed.merchants.len() {
                0 => profile.name.clone(),
                1 => format!(
                    "{}/{}",
                    profile.name,
                    surveyed.merchants.first().map_or("", |name| name)
                ),
                _ => format!("{}/several", profile.name),
            },
            |statement| statement.name.clone(),
        );
        Ok(FileHead {
            source,
            period,
            profile: profile.name.clone(),
            name: part.name.clone(),
            hash: surveyed.hash,
            bytes: surveyed.bytes,
            first_day: first,
            last_day: last,
            rows: surveyed.rows,
        })
    }

    /// Files that this one replaces; files of other days must not cover the same.
    fn same_days(&self, profile: &Profile, head: &FileHead) -> Result<Vec<FileView>, Stop> {
        let covering =
            self.statements.files_covering(&head.source, head.first_day, head.last_day)?;
        let other = covering.iter().find(|file| file.head.period != head.period);
        if let (Period::Day, Some(other)) = (profile.period, other) {
            let other = format!("{} ({})", other.head.name, other.head.period);
            return Err(Refusal::Overlap { period: head.period.clone(), other }.into());
        }
        let same = |file: &FileView| file.head.period == head.period;
        let covering: Vec<FileView> = covering.into_iter().filter(same).collect();
        // A corrected file comes later: what comes with it is another part of the same days.
        if let Some(part) = covering.iter().find(|file| self.parts.contains(&file.id)) {
            let (period, other) = (head.period.clone(), part.head.name.clone());
            return Err(Refusal::Parts { period, other }.into());
        }
        Ok(covering)
    }

    #[allow(clippy::too_many_arguments)] // All that one file is; a struct would be filled at this one place.
    fn fill(
        &mut self,
        file: FileId,
        part: &Part,
        profile: &Profile,
        head: &FileHead,
        statement: Option<&Statement>,
        replaced: &[FileId],
        report: &mut Report,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), Stop> {
        let grouping = self.grouping(statement);
        let tolerance = Tolerance { tip_percent_max: self.settings.tip_percent_max };
        let settings = self.settings.clone();
        let mut judge = Judge::new(&settings, head, tolerance);
        judge.rates = self.statements.rates(&head.source)?;
        let mut state = HashState::default();
        let mut reader = Reader::new(
            profile,
            Box::new(Hashing::new(part.open()?, &mut state)),
            reader::day_of_name(profile, &part.name),
        );
        let mut rows: Vec<SettlementRow> = Vec::with_capacity(CHUNK_ROWS);
        let mut done = 0;
        loop {
            rows.clear();
            while rows.len() < CHUNK_ROWS {
                match reader.next_row()? {
                    Some(row) => rows.push(row),
                    None => break,
                }
            }
            if rows.is_empty() {
                break;
            }
            done += rows.len() as u64;
            self.chunk(file, &rows, &grouping, replaced, &mut judge, report)?;
            let share = part.bytes / 2 + estimate_of(done, head.rows, part.bytes / 2);
            progress(Progress::Read(share));
            clock::yield_to_others();
        }
        reader.finish()?;
        if state.finish() != head.hash {
            return Err(Refusal::Changed.into());
        }
        self.match_rest(file, &grouping, replaced, tolerance, &mut judge, report)?;
        progress(Progress::Read(part.bytes));
        let matters = judge.finish();
        self.conclude(file, head, matters, report)?;
        Ok(())
    }

    fn chunk(
        &mut self,
        file: FileId,
        rows: &[SettlementRow],
        grouping: &Grouping,
        replaced: &[FileId],
        judge: &mut Judge<'_>,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let found = self.statements.candidates(rows)?;
        let taken = self.statements.settled_among(&found.candidates, file, replaced)?;
        let links = matching::match_exactly(rows, &found.candidates, &taken, grouping);
        let mut settled: Vec<Option<&Link>> = vec![None; rows.len()];
        for link in &links {
            if matches!(link.role, Role::Settles | Role::Repeats) {
                settled[link.row] = Some(link);
            }
        }
        let placed: Vec<PlacedRow> = rows
            .iter()
            .zip(&settled)
            .map(|(row, link)| {
                let of_payment = link.and_then(|link| {
                    self.statements.shops().name(found.candidates[link.candidate].shop).cloned()
                });
                let open = row.kind.has_payment() && link.is_none();
                PlacedRow {
                    store: of_payment.or_else(|| self.statements.store_of(grouping, row)),
                    row: row.clone(),
                    state: if open { RowState::Open } else { RowState::Done },
                }
            })
            .collect();
        let put: Vec<PlacedLink> =
            links.iter().map(|link| placed_link(link, &found.candidates)).collect();
        let first = self.statements.put(file, &placed, &put)?;
        for link in &links {
            count(report, link);
            let row = RowId(first.0 + link.row as i64);
            judge.linked(row, &rows[link.row], &found.candidates[link.candidate], link);
        }
        for (at, placed) in placed.iter().enumerate() {
            judge.row(RowId(first.0 + at as i64), &placed.row, placed.store.as_ref());
        }
        report.open += placed.iter().filter(|placed| placed.state == RowState::Open).count() as u64;
        Ok(())
    }

    /// What the exact numbers left: single candidates, then the score, chunk by chunk in the order of the file.
    fn match_rest(
        &mut self,
        file: FileId,
        grouping: &Grouping,
        replaced: &[FileId],
        tolerance: Tolerance,
        judge: &mut Judge<'_>,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let mut after = RowId(0);
        loop {
            let views = self.statements.open_rows(file, after, CHUNK_ROWS)?;
            let Some(last) = views.last() else { return Ok(()) };
            after = last.id;
            let rows: Vec<SettlementRow> = views.iter().map(|view| view.row.clone()).collect();
            let found = self.statements.candidates_near(&rows, tolerance.tip_percent_max)?;
            let taken = self.statements.settled_among(&found.candidates, file, replaced)?;
            let open: Vec<usize> = (0..rows.len()).collect();
            let links = matching::match_the_rest(
                &rows,
                &open,
                &found.candidates,
                &taken,
                grouping,
                tolerance,
            );
            let put: Vec<(RowId, PlacedLink)> = links
                .iter()
                .map(|link| (views[link.row].id, placed_link(link, &found.candidates)))
                .collect();
            self.statements.link(&put)?;
            for link in &links {
                count(report, link);
                if link.role == Role::Settles {
                    report.open = report.open.saturating_sub(1);
                }
                let row = &rows[link.row];
                judge.linked(views[link.row].id, row, &found.candidates[link.candidate], link);
            }
        }
    }

    /// One transaction: the file counts, what it replaces does not, and all that it says stands.
    fn conclude(
        &mut self,
        file: FileId,
        head: &FileHead,
        matters: Matters,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let fallback = self.config.shops.first().map(|shop| shop.name.clone());
        let said = super::judge::said(&self.statements, (file, head), matters, fallback)?;
        report.confirmed = said.confirmed.len() as u64;
        let summary = report.clone();
        let concluded = self.statements.conclude(file, &said, self.now, |changes, revision| {
            let mut summary = summary.clone();
            summary.revision = Some(revision);
            changes.count(&mut summary.raised, &mut summary.resolved);
            serde_json::to_string(&summary).expect("a report is plain values")
        })?;
        report.revision = Some(concluded.1);
        concluded.0.count(&mut report.raised, &mut report.resolved);
        Ok(())
    }
}

/// A day that nearly all rows are of stands for a file whose last rows fell behind a cut-off; else the days from first to
/// last.
fn main_days(first: Date, last: Date, days: &BTreeMap<Date, u64>) -> (Date, Date) {
    let all: u64 = days.values().sum();
    let most = days.iter().max_by_key(|(_, count)| **count);
    match most {
        Some((day, count)) if days.len() <= 2 && *count * 5 >= all * 4 => (*day, *day),
        _ => (first, last),
    }
}

fn estimate(rows: u64, bytes: u64) -> u64 {
    // Rows of some 150 bytes: the bar moves, and never beyond its half.
    (rows * 75).min(bytes / 2)
}

fn estimate_of(done: u64, rows: u64, bytes: u64) -> u64 {
    (u128::from(bytes) * u128::from(done) / u128::from(rows.max(1))) as u64
}

fn placed_link(link: &Link, candidates: &[Candidate]) -> PlacedLink {
    PlacedLink {
        row: link.row,
        transaction: candidates[link.candidate].id,
        role: link.role,
        tier: link.tier,
        score: link.score,
    }
}

fn count(report: &mut Report, link: &Link) {
    let word = match link.role {
        Role::Settles => link.tier.label(),
        role => role.label(),
    };
    *report.linked.entry(word.into()).or_default() += 1;
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn refused(file: &str, profile: Option<&Profile>, refusal: &Refusal) -> Report {
    Report {
        file: file.to_owned(),
        outcome: Outcome::Refused,
        profile: profile.map(|profile| profile.name.clone()),
        refused: Some(refusal.refused()),
        ..Report::default()
    }
}
