//! One file a subcommand, and the arguments of all.

pub mod cases;
pub mod check;
pub mod chinese;
pub mod complaint;
pub mod evidence;
pub mod import;
pub mod policy;
pub mod replay;
pub mod run;

use crate::edge::journal::Scrubbed;
use crate::run::error::EXIT_FAILURE;
use chinese::TONGUE;
use clap::{Parser, Subcommand};
use slipwatch_tongue::shell::LanguageArgument;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  slipwatch-collector check --config /etc/slipwatch/collector.toml
  slipwatch-collector run --config /etc/slipwatch/collector.toml
  slipwatch-agent decode pos.log | slipwatch-collector replay -
  slipwatch-collector import allinpay-20251124.csv
  slipwatch-collector cases --json
  slipwatch-collector complaint search --time 14:05 --amount 88 --last-four 6697

Exit status:
   0  all went well
   1  unexpected failure
   2  wrong arguments
  65  a file, or what was typed of a complaint, was refused
  69  a needed service does not answer (check only)
  73  the state directory cannot be written or is in use
  78  the settings are wrong

Environment:
  SLIPWATCH_LOG  what is logged, such as \"debug\" or \"warn,slipwatch_collector=debug\" [default: info]
  LANG           in which language help, errors and results are told: Chinese where it begins with zh; --lang overrides it";

/// Hears agents, judges each payment, and tells people of debits without slip.
#[derive(Debug, Parser)]
#[command(name = "slipwatch-collector", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    language: LanguageArgument,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run until SIGTERM; SIGHUP reads shops, agents, terminals and deadlines again
    Run(run::RunArguments),
    /// Tell what is wrong with the settings, the store, the pages' address, the broker and the mail server, and change
    /// nothing
    Check(check::CheckArguments),
    /// Import files of acquirers, wallets and banks: checked, matched with what the terminals saw, told what changed
    Import(import::ImportArguments),
    /// List what is open and why
    Cases(cases::CasesArguments),
    /// Find the payment that a shopper complains about, answer, and keep what was promised
    Complaint(complaint::ComplaintArguments),
    /// Tell what would have been said of recorded events: JSON lines in, verdicts out, no broker and no store
    Replay(replay::ReplayArguments),
    /// Write everything that is known of one payment into one signed archive, or check such an archive
    Evidence(evidence::EvidenceArguments),
    /// Show what is learned of a terminal's slips, try it on the stored journal, and confirm it
    Policy(policy::PolicyArguments),
}

/// Which settings file.
#[derive(Debug, clap::Args)]
pub struct ConfigArgument {
    /// The settings file
    #[arg(long, value_name = "FILE", default_value = "/etc/slipwatch/collector.toml")]
    pub config: PathBuf,
}

impl Arguments {
    /// What is logged where SLIPWATCH_LOG says nothing: `check` tells all that it has to tell itself.
    pub fn log_level(&self) -> &'static str {
        match self.command {
            Command::Check(_) => "error",
            _ => "info",
        }
    }
}

/// Runs what the arguments ask for.
pub fn run_command(arguments: Arguments) -> ExitCode {
    match arguments.command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Cases(arguments) => cases::run(&arguments),
        Command::Complaint(arguments) => complaint::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Evidence(arguments) => evidence::run(&arguments),
        Command::Policy(arguments) => policy::run(&arguments),
    }
}

/// A runtime for the subcommands that need one.
pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

/// Tells an error with all that is behind it, on standard error, in the language of the shell.
pub(crate) fn tell(error: &dyn std::error::Error) {
    let mut text = TONGUE.say(&error.to_string());
    let mut source = error.source();
    while let Some(cause) = source {
        let because = TONGUE.language().say("原因：", "because: ");
        text.push_str(&format!("\n  {because}{}", TONGUE.say(&cause.to_string())));
        source = cause.source();
    }
    let text = format!("slipwatch-collector: {text}\n");
    let _ = Scrubbed(std::io::stderr()).write_all(text.as_bytes());
}

/// Writes lines in the language of the shell.
pub(crate) fn put(out: &mut impl Write, english: &str) -> std::io::Result<()> {
    english.lines().try_for_each(|line| writeln!(out, "{}", TONGUE.say(line)))
}

pub(crate) fn failure() -> ExitCode {
    ExitCode::from(EXIT_FAILURE)
}
