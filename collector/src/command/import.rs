//! `import`: files of acquirers, wallets and banks into the store. `--explain` reads a file as a profile says, shows row
//! by row what was understood, and touches no store.

use super::{ConfigArgument, failure, tell};
use crate::config::Config;
use crate::edge::clock;
use crate::edge::statement;
use crate::run::error::{EXIT_CONFIG, EXIT_DATA, EXIT_STATE};
use crate::run::settlement::import::Progress;
use crate::run::settlement::report::Report;
use crate::run::settlement::{self, Desk, DeskError};
use crate::settlement::reader::profile::{Profile, shipped};
use crate::settlement::reader::{self, Reader, Step, explain};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

const HELP: &str = "\
A file must pass its own totals; one that does not is refused whole, with line, column and reason. A file that was
loaded before changes nothing. A corrected file of the same source and days takes the place of the one before. It is
safe while the collector runs: rows become visible in one transaction, and letters go out through the collector.

Examples:
  slipwatch-collector import 20881234_20251124.csv.zip
  slipwatch-collector import --profile allinpay detail.csv --json
  slipwatch-collector import --explain --profile mybank.toml detail.csv

Exit status: 0 all files were loaded, or were loaded before; 1 the store failed; 65 a file was refused; 78 the settings
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
    let mut desk = Desk::open(&config)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut refused = false;
    for file in &arguments.files {
        let bar = Bar::default();
        let reports =
            desk.import(file, arguments.profile.as_deref(), clock::now(), &mut |progress| {
                bar.show(progress)
            })?;
        bar.bar.finish_and_clear();
        for report in &reports {
            refused |= report.is_refused();
            show(&mut out, report, arguments.json)?;
        }
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
        writeln!(out, "now open in all files: raised {raised:?}, resolved {resolved:?}")?;
    }
    out.flush()?;
    Ok(if refused { ExitCode::from(EXIT_DATA) } else { ExitCode::SUCCESS })
}

fn show(out: &mut impl Write, report: &Report, json: bool) -> io::Result<()> {
    if json {
        serde_json::to_writer(&mut *out, report)?;
        return writeln!(out);
    }
    for line in report.lines() {
        writeln!(out, "{line}")?;
    }
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
                match names.is_empty() {
                    true => writeln!(out, "  no profile knows it; name one with --profile")?,
                    false => writeln!(out, "  several profiles know it: {}", names.join(", "))?,
                }
                sound = false;
                continue;
            };
            writeln!(out, "  read as {}: {}", profile.name, profile.title)?;
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
            writeln!(out, "  {} rows", read.rows)?;
            for checked in read.checked {
                writeln!(out, "  holds: {} = {}", checked.name, checked.value)?;
            }
            for (column, count) in read.left_out {
                writeln!(out, "  left out: {count} values of {column} that are no such number")?;
            }
            Ok(true)
        }
        Err(error) => {
            writeln!(out, "  WOULD BE REFUSED: {error}")?;
            Ok(false)
        }
    }
}
