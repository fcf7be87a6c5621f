//! `evidence`: everything that is known of one payment, in one signed archive; and whether such an archive is sound.

use super::{ConfigArgument, chinese::TONGUE, failure, tell};
use crate::alert::language::Language;
use crate::config::Config;
use crate::correlate::case::{CaseId, CaseIdError};
use crate::correlate::finding::FindingKind;
use crate::edge::clock;
use crate::edge::console::pages::Frame;
use crate::edge::console::papers::evidence::bundle;
use crate::edge::store::sqlite::SqliteStore;
use crate::edge::store::{Reader, StoreError};
use crate::evidence::archive::{ARCHIVE_BYTES_MAX, ArchiveError};
use crate::evidence::verify::{Report, verify};
use crate::run::STORE_FILE;
use crate::run::error::{EXIT_CONFIG, EXIT_STATE};
use clap::{Args, Subcommand};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

const HELP: &str = "\
The archive holds the evidence as a document (Chinese and English), as data, and the agent's records with their chain of \
hashes and signatures. It shows the payment before and after, and says openly what was not heard.

Examples:
  slipwatch-collector evidence shop-1.till-1.1795478400000.42
  slipwatch-collector evidence --out /tmp shop-1.till-1.1795478400000.42
  slipwatch-collector evidence verify evidence-shop-1.till-1.1795478400000.42.zip

The number of a case stands in its letter and on its page.

Exit status: 0 it was written, or it holds; 1 it was not, or does not hold; 78 the settings are wrong";

/// Arguments of `evidence`.
#[derive(Debug, Args)]
#[command(after_help = HELP, subcommand_negates_reqs = true)]
pub struct EvidenceArguments {
    #[command(subcommand)]
    verify: Option<EvidenceCommand>,
    #[command(flatten)]
    config: ConfigArgument,
    /// Where the archive is written
    #[arg(long, value_name = "DIRECTORY", default_value = ".")]
    out: PathBuf,
    /// The case, or a finding about it as `cases` prints it
    #[arg(value_name = "CASE", required = true, value_parser = case_named)]
    case: Option<CaseId>,
}

/// A case by its number, or by the name of a finding about it, such as `A01:shop-1.till-1.1795478400000.42`.
fn case_named(text: &str) -> Result<CaseId, CaseIdError> {
    let case = match text.split_once(':') {
        Some((code, case)) if FindingKind::from_code(code).is_some() => case,
        _ => text,
    };
    case.parse()
}

#[derive(Debug, Subcommand)]
enum EvidenceCommand {
    /// Check an archive: fails when one byte of it was changed; needs no settings and no network
    Verify(VerifyArguments),
}

#[derive(Debug, Args)]
struct VerifyArguments {
    /// The archive
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The collector's public key that is expected, 64 hexadecimal digits
    #[arg(long, value_name = "KEY")]
    collector_key: Option<String>,
    /// The agent's public key that is expected, 64 hexadecimal digits
    #[arg(long, value_name = "KEY")]
    agent_key: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Why there is no evidence.
#[derive(Debug, thiserror::Error)]
enum EvidenceError {
    #[error("there is no case {case} in the store; it may be older than is kept")]
    NoCase { case: CaseId },
    #[error("the store cannot be read")]
    Store(#[from] StoreError),
    #[error("the document cannot be written: {what}")]
    Document { what: String },
    #[error("{path} cannot be read or written")]
    File { path: String, source: io::Error },
    #[error("{path} does not hold")]
    Archive { path: String, source: ArchiveError },
}

pub(super) fn run(arguments: &EvidenceArguments) -> ExitCode {
    if let Some(EvidenceCommand::Verify(arguments)) = &arguments.verify {
        return match check(arguments) {
            Ok(code) => code,
            Err(error) => {
                tell(&error);
                failure()
            }
        };
    }
    let config = match Config::load(&arguments.config.config) {
        Ok(config) => config,
        Err(error) => {
            tell(&error);
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    let case = arguments.case.as_ref().expect("it is required where nothing is verified");
    match make(config, case, &arguments.out) {
        Ok(path) => {
            let _ = writeln!(io::stdout(), "{}", path.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            tell(&error);
            match error {
                EvidenceError::Store(error) if !error.is_retryable() => ExitCode::from(EXIT_STATE),
                _ => failure(),
            }
        }
    }
}

fn make(config: Config, case: &CaseId, out: &Path) -> Result<PathBuf, EvidenceError> {
    let mut reader = SqliteStore::open_reader(&config.beside(&config.store).join(STORE_FILE))?;
    let exhibit =
        reader.exhibit(case)?.ok_or_else(|| EvidenceError::NoCase { case: case.clone() })?;
    let config = Arc::new(config);
    let frame = |language| Frame {
        language,
        config: Arc::clone(&config),
        now_ms: clock::now().0,
        here: String::new(),
    };
    let frames = Language::ALL.map(frame);
    let bundled = bundle(&exhibit, &frames);
    let bytes = bundled.map_err(|error| EvidenceError::Document { what: format!("{error:?}") })?;
    let path = out.join(format!("evidence-{case}.zip"));
    let written = std::fs::write(&path, bytes);
    written.map_err(|source| EvidenceError::File { path: path.display().to_string(), source })?;
    Ok(path)
}

fn check(arguments: &VerifyArguments) -> Result<ExitCode, EvidenceError> {
    let path = arguments.file.display().to_string();
    let unreadable = |source| EvidenceError::File { path: path.clone(), source };
    let mut bytes = Vec::new();
    let file = File::open(&arguments.file).map_err(unreadable)?;
    file.take(ARCHIVE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    let report = verify(&bytes);
    let mut report =
        report.map_err(|source| EvidenceError::Archive { path: path.clone(), source })?;
    expect_keys(&mut report, arguments);
    let text = match arguments.json {
        true => serde_json::to_string_pretty(&report).expect("a report is plain") + "\n",
        false => {
            let said: Vec<String> =
                words_of(&path, &report).lines().map(|line| TONGUE.say(line)).collect();
            said.join("\n") + "\n"
        }
    };
    let _ = io::stdout().write_all(text.as_bytes());
    Ok(if report.wrong.is_empty() { ExitCode::SUCCESS } else { failure() })
}

fn expect_keys(report: &mut Report, arguments: &VerifyArguments) {
    let same = |wanted: &str, found: &str| wanted.eq_ignore_ascii_case(found);
    if let Some(wanted) = &arguments.collector_key
        && !same(wanted, &report.collector_key)
    {
        report.wrong.push("it is signed with another key of the collector".to_owned());
    }
    if let Some(wanted) = &arguments.agent_key
        && !report.agent_keys.keys().any(|found| same(wanted, found))
    {
        report.wrong.push("it is signed with another key of the agent, or with none".to_owned());
    }
}

fn words_of(path: &str, report: &Report) -> String {
    let mut text = format!("{path}: case {}\n", report.case);
    text += &format!("  collector's key  {}\n", report.collector_key);
    for (key, stretches) in &report.agent_keys {
        let stretches: Vec<String> =
            stretches.iter().map(|(from, through)| format!("{from}-{through}")).collect();
        text += &format!("  agent's key      {key}, numbers {}\n", stretches.join(", "));
    }
    text += &format!("  events shown     {}\n", report.events);
    if !report.unsigned.is_empty() {
        let count = report.unsigned.len();
        text += &format!("  not signed by the agent (yet): {count} of them\n");
    }
    match report.wrong.is_empty() {
        true => text += "it holds: nothing was changed since it was signed\n",
        false => {
            text += "IT DOES NOT HOLD:\n";
            report.wrong.iter().for_each(|wrong| text += &format!("  {wrong}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_named_by_its_number_or_by_a_finding_about_it() {
        let case = case_named("shop-1.till-1.1795478400000.42").expect("a case");
        let name = format!("A01:{case}");
        assert_eq!(case_named(&name), Ok(case.clone()), "as cases prints it");
        assert_eq!(case_named(&format!("A99:{case}")), Err(CaseIdError));
        assert_eq!(case_named("A18:agent:shop-1/till-1:5"), Err(CaseIdError));
    }
}
