//! `cases`: what is open and why, from the store as it stands. Reads only; the collector may run.

use super::{ConfigArgument, failure, tell};
use crate::alert::language::Language;
use crate::alert::words;
use crate::config::Config;
use crate::edge::console::summary;
use crate::edge::store::sqlite::SqliteStore;
use crate::edge::store::{OpenFinding, StoreError};
use crate::run::STORE_FILE;
use crate::run::error::{EXIT_CONFIG, EXIT_STATE};
use serde_json::{Value, json};
use slipwatch_shared::times::EventTime;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

const HELP: &str = r#"With --json, one finding a line:
  {"finding":"A07:shop-1.till-1.1.42","code":"A07","label":"authorization_never_settled","store":"shop-1",
   "terminal":"10000001","case":"shop-1.till-1.1.42","severity":"p2","stage":"confirmed","since":"2025-11-24T04:30:05Z",
   "cause":"institution","why":"payment_without_row","detail":{"source":"allinpay","period":"2025-11-24",
   "amount_minor":8800,"currency":"CNY"}}

Exit status: 0 they were listed, be there any or none; 1 the store cannot be read; 78 the settings are wrong"#;

/// Arguments of `cases`.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct CasesArguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// Tell it as JSON, one finding a line
    #[arg(long)]
    json: bool,
    /// Only findings of this number in the catalogue, such as A06
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// In Chinese
    #[arg(long)]
    chinese: bool,
}

pub(super) fn run(arguments: &CasesArguments) -> ExitCode {
    let config = match Config::load(&arguments.config.config) {
        Ok(config) => config,
        Err(error) => {
            tell(&error);
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    let path = config.beside(&config.store).join(STORE_FILE);
    let found = SqliteStore::open_reader(&path).and_then(|reader| reader.open_findings());
    match found {
        Ok(found) => match list(arguments, &found) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Err(error) => {
                tell(&error);
                failure()
            }
        },
        Err(error) => {
            tell(&error);
            match error {
                StoreError::Path { .. } | StoreError::Newer { .. } => ExitCode::from(EXIT_STATE),
                _ => failure(),
            }
        }
    }
}

fn list(arguments: &CasesArguments, found: &[OpenFinding]) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let wanted = |open: &&OpenFinding| {
        let code = open.view.finding.id.kind.code();
        arguments.code.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(code))
    };
    for open in found.iter().filter(wanted) {
        match arguments.json {
            true => writeln!(out, "{}", line(open))?,
            false => writeln!(out, "{}", words_of(open, arguments.chinese))?,
        }
    }
    out.flush()
}

fn time(at: EventTime) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| at.0.to_string(), |at| at.to_string())
}

fn line(open: &OpenFinding) -> Value {
    let finding = &open.view.finding;
    let mut line = json!({
        "finding": finding.id.to_string(),
        "code": finding.id.kind.code(),
        "label": finding.id.kind.label(),
        "store": finding.id.subject.store().map(|store| store.as_str()),
        "severity": finding.severity.label(),
        "stage": finding.stage.label(),
        "since": time(finding.since),
        "cause": finding.cause.class.label(),
        "why": finding.cause.detail.label(),
    });
    if let Some(terminal) = &open.view.terminal {
        line["terminal"] = terminal.terminal.to_string().into();
    }
    if let crate::correlate::finding::Subject::Case(case) = &finding.id.subject {
        line["case"] = case.to_string().into();
    }
    if let Some(detail) = &open.detail {
        line["detail"] = serde_json::to_value(detail).expect("plain values can be written");
    }
    line
}

fn words_of(open: &OpenFinding, chinese: bool) -> String {
    let language = if chinese { Language::Chinese } else { Language::English };
    let finding = &open.view.finding;
    let kind = finding.id.kind;
    let terminal = open.view.terminal.as_ref().map(|name| format!(" {}", name.terminal));
    let mut text = format!(
        "{} {} {}{}  {}  {}",
        kind.code(),
        time(finding.since),
        finding.id.subject.store().map_or("-", |store| store.as_str()),
        terminal.unwrap_or_default(),
        words::kind_title(language, kind),
        words::cause_sentence(language, finding.cause.detail),
    );
    if let Some(detail) = &open.detail {
        text.push_str(&format!("\n    {}", summary::detail(language, detail)));
    }
    text.push_str(&format!("\n    {}", finding.id));
    text
}
