//! `import`: files of acquirers, wallets and banks into the store. `--explain` reads a file as a profile says, shows row
//! by row what was understood, and touches no store.

use super::{ConfigArgument, chinese::TONGUE, failure, put, tell};
use crate::alert::language::Language;
use crate::config::Config;
use crate::edge::clock;
use crate::edge::console::pages::Frame;
use crate::edge::console::papers::imported::{self, FINDINGS_MAX, Imported};
use crate::edge::console::{refusals, summary};
use crate::edge::statement;
use crate::edge::store::sqlite::SqliteStore;
use crate::run::STORE_FILE;
use crate::run::error::{EXIT_CONFIG, EXIT_DATA, EXIT_STATE};
use crate::run::settlement::import::Progress;
use crate::run::settlement::{self, Desk, DeskError};
use crate::settlement::reader::profile::{Profile, shipped};
use crate::settlement::reader::{self, Reader, Step, explain};
use crate::settlement::refusal::Why;
use crate::settlement::report::{Refused, Report};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

const HELP: &str = "\
A file must pass its own totals; one that does not is refused whole, with line, column and reason. A file that was \
loaded before changes nothing. A corrected file of the same source and days takes the place of the one before. It is \
safe while the collector runs: rows become visible in one transaction, and letters go out through the collector. Of two \
imports one waits for the other.

Examples:
  slipwatch-collector import 20881234_20251124.csv.zip
  slipwatch-collector import --profile allinpay detail.csv --json
  slipwatch-collector import --lang zh --document summary.pdf detail.csv
  slipwatch-collector import --explain --profile mybank.toml detail.csv

Exit status: 0 all files were loaded, or were loaded before; 1 the store failed; 65 a file was refused; 78 the settings \
or a profile are wrong";

/// Arguments of `import`.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct ImportArguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// How the files are laid out: a profile's name, or with --explain also its file; found by itself where it can be told
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    /// Show row by row what was understood, and store nothing
    #[arg(long)]
    explain: bool,
    /// Tell what changed as JSON, one file a line
    #[arg(long)]
    json: bool,
    /// Write the summary as a document (PDF), too
    #[arg(long, value_name = "FILE", conflicts_with = "explain")]
    document: Option<PathBuf>,
    /// The files; ZIP archives are read where they lie
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(super) fn run(arguments: &ImportArguments) -> ExitCode {
    let done = match arguments.explain {
        true => explain_all(arguments),
        false => import_all(arguments),
    };
    done.unwrap_or_else(|error| {
        tell(&*error);
        match error.downcast_ref::<DeskError>() {
            Some(DeskError::Store(error)) if !error.is_retryable() => ExitCode::from(EXIT_STATE),
            Some(DeskError::Store(_)) | None => failure(),
            Some(_) => ExitCode::from(EXIT_CONFIG),
        }
    })
}

type Done = Result<ExitCode, Box<dyn std::error::Error>>;

fn import_all(arguments: &ImportArguments) -> Done {
    let config = match Config::load(&arguments.config.config) {
        Ok(config) => config,
        Err(error) => {
            tell(&error);
            return Ok(ExitCode::from(EXIT_CONFIG));
        }
    };
    if let Some(path) = &arguments.document {
        check_place(path)?;
    }
    let mut desk = Desk::open(&config)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let language = TONGUE.language();
    let mut all = Vec::new();
    for file in &arguments.files {
        let bar = Bar::default();
        let reports =
            desk.import(file, arguments.profile.as_deref(), clock::now(), &mut |progress| {
                bar.show(progress)
            })?;
        bar.bar.finish_and_clear();
        for report in &reports {
            match arguments.json {
                true => writeln!(out, "{}", serde_json::to_string(report)?)?,
                false => {
                    for line in summary::lines(language, report) {
                        writeln!(out, "{line}")?;
                    }
                }
            }
        }
        all.extend(reports);
    }
    let changes = desk.review(clock::now())?;
    let (mut raised, mut resolved) = Default::default();
    changes.count(&mut raised, &mut resolved);
    if arguments.json {
        writeln!(
            out,
            "{}",
            json!({ "outcome": "reviewed", "raised": raised, "resolved": resolved })
        )?;
    } else if !raised.is_empty() || !resolved.is_empty() {
        let told = summary::changes(language, &raised, &resolved);
        let told: Vec<String> =
            told.iter().map(|(name, title)| format!("{name} {title}")).collect();
        writeln!(out, "{}: {}", language.say("全部文件合看", "Over all files"), told.join(", "))?;
    }
    out.flush()?;
    let refused = all.iter().any(Report::is_refused);
    if let Some(path) = &arguments.document {
        write_document(config, language, all, path)?;
    }
    Ok(if refused { ExitCode::from(EXIT_DATA) } else { ExitCode::SUCCESS })
}

/// Whether the document can be written where it is wanted, before anything is loaded. What lies there stays as it is.
fn check_place(path: &Path) -> Result<(), String> {
    let was_there = path.exists();
    std::fs::OpenOptions::new().append(true).create(true).open(path).map_err(|error| {
        format!("{} cannot be written: {error}; nothing was imported", path.display())
    })?;
    if !was_there {
        // Should the import fail, no empty document is left behind.
        let _ = std::fs::remove_file(path);
    }
    Ok(())
}

/// The document, with what is open now because of each file.
fn write_document(
    config: Config,
    language: Language,
    reports: Vec<Report>,
    path: &Path,
) -> Result<(), Box<dyn std::error::Error>> {
    let reader = SqliteStore::open_reader(&config.beside(&config.store).join(STORE_FILE))?;
    let mut files = Vec::new();
    for report in reports {
        let findings = match (&report.source, &report.period) {
            (Some(source), Some(period)) => {
                reader.open_findings_of(source, period, FINDINGS_MAX)?
            }
            _ => Vec::new(),
        };
        files.push(Imported { report, findings });
    }
    let config = Arc::new(config);
    let frame = Frame { language, config, now_ms: clock::now().0, here: String::new() };
    let document = imported::document(&frame, &files)
        .map_err(|error| format!("the document cannot be written: {error:?}"))?;
    std::fs::write(path, document)
        .map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
    Ok(())
}

/// A bar over the bytes of a file, where somebody looks.
struct Bar {
    bar: ProgressBar,
}

impl Default for Bar {
    fn default() -> Bar {
        if !io::stderr().is_terminal() {
            return Bar { bar: ProgressBar::hidden() };
        }
        let style = ProgressStyle::with_template("{bar:40} {percent:>3} % {eta} {msg}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        Bar { bar: ProgressBar::new(0).with_style(style) }
    }
}

impl Bar {
    fn show(&self, progress: Progress<'_>) {
        match progress {
            Progress::Waits => self.bar.set_message(TONGUE.say("waits for another import")),
            Progress::Part { name, bytes } => {
                self.bar.set_length(bytes);
                self.bar.set_message(name.to_owned());
            }
            Progress::Read(bytes) => self.bar.set_position(bytes),
        }
    }
}

fn explain_all(arguments: &ImportArguments) -> Done {
    // Without settings the shipped profiles do.
    let config = Config::load(&arguments.config.config).ok();
    let known = config.as_ref().map_or_else(|| Ok(shipped::all()), settlement::profiles)?;
    let profiles = match &arguments.profile {
        Some(name) => settlement::profile_named(known, name)?,
        None => known,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let mut sound = true;
    for file in &arguments.files {
        for part in statement::open(file, u64::MAX)? {
            let head = part.head()?;
            let fits = |profile: &&Profile| {
                arguments.profile.is_some() || reader::looks_like(profile, &head)
            };
            let fitting: Vec<&Profile> = profiles
                .iter()
                .filter(fits)
                .filter(|profile| !part.is_passed_over(profile))
                .collect();
            writeln!(out, "{}", part.name)?;
            let [profile] = fitting.as_slice() else {
                let names: Vec<&str> =
                    fitting.iter().map(|profile| profile.name.as_str()).collect();
                let told = match names.is_empty() {
                    true => "no profile knows it; name one with --profile".to_owned(),
                    false => format!("several profiles know it: {}", names.join(", ")),
                };
                put(&mut out, &format!("  {told}"))?;
                sound = false;
                continue;
            };
            let told = format!("read as {}: {}", profile.name, profile.title);
            put(&mut out, &format!("  {told}"))?;
            sound &= explain_part(&mut out, profile, &part)?;
        }
    }
    out.flush()?;
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(EXIT_DATA) })
}

fn explain_part(
    out: &mut impl Write,
    profile: &Profile,
    part: &statement::Part,
) -> io::Result<bool> {
    let day = reader::day_of_name(profile, &part.name);
    let mut read = Reader::new(profile, part.open()?, day);
    let ended = loop {
        match read.next_step() {
            Ok(Some(Step::Row(row))) => writeln!(out, "  {}", explain::row(&row))?,
            Ok(Some(Step::Passed { line, why })) => {
                writeln!(out, "  line {line:<5} ({})", why.label())?
            }
            Ok(None) => break read.finish(),
            Err(error) => break Err(error),
        }
    };
    match ended {
        Ok(read) => {
            put(out, &format!("  {} rows", read.rows))?;
            for checked in read.checked {
                let told = format!("holds: {} = {}", checked.name, checked.value);
                put(out, &format!("  {told}"))?;
            }
            for (column, count) in read.left_out {
                let told = format!("left out: {count} values of {column} that are no such number");
                put(out, &format!("  {told}"))?;
            }
            Ok(true)
        }
        Err(error) => {
            let refused = Refused {
                line: Some(error.line).filter(|line| *line > 0),
                column: error.column.clone(),
                message: error.to_string(),
                why: Some(Why::Read(error.trouble)),
                ..Refused::default()
            };
            let language = TONGUE.language();
            let told = refusals::line(language, &refused).unwrap_or_default();
            writeln!(out, "  {}{told}", language.say("将被拒收：", "WOULD BE REFUSED: "))?;
            Ok(false)
        }
    }
}
