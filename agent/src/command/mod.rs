//! One file a subcommand; here the arguments, and what an exit status means.

pub mod check;
pub mod chinese;
pub mod decode;
pub mod listening;
pub mod ports;
pub mod probe;
pub mod record;
pub mod run;
pub mod show;
pub mod spool;
pub mod tail;

use crate::config::{Config, ConfigError};
use slipwatch_tongue::shell::LanguageArgument;
use std::io::Write;
use std::path::{Path, PathBuf};

/// It did what was asked.
pub const EXIT_OK: u8 = 0;
/// It failed in a way that nobody foresaw.
pub const EXIT_FAILURE: u8 = 1;
/// Nothing of what was to be decoded was understood (EX_DATAERR; `decode` only).
pub const EXIT_NOT_UNDERSTOOD: u8 = 65;
/// The broker cannot be reached (EX_UNAVAILABLE; `check` only).
pub const EXIT_UNAVAILABLE: u8 = 69;
/// The state directory cannot be written (EX_CANTCREAT).
pub const EXIT_STATE: u8 = 73;
/// The settings are wrong (EX_CONFIG).
pub const EXIT_CONFIG: u8 = 78;

/// Where the settings are when nothing else is said.
pub const CONFIG_PATH: &str = "/etc/slipwatch/agent.toml";

const EXIT_HELP: &str = "\
Exit status: 0 all went well; 1 unexpected failure; 2 wrong arguments; 65 nothing was understood (decode); \
69 the broker cannot be reached (check); 73 the state directory cannot be written or is in use; 78 the settings are wrong.";

const EXAMPLES: &str = "\
Examples:
  slipwatch-agent ports
  slipwatch-agent probe /dev/ttyUSB0
  slipwatch-agent check --config /etc/slipwatch/agent.toml
  slipwatch-agent run --config /etc/slipwatch/agent.toml
  slipwatch-agent decode --dialect cn-terminal terminal.log
  slipwatch-agent spool stat --json";

/// Reads what payment terminals and printers say, keeps it, and sends it to the collector.
#[derive(Debug, clap::Parser)]
#[command(name = "slipwatch-agent", version, max_term_width = 100, after_help = format!("{EXAMPLES}\n\n{EXIT_HELP}"))]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// In which language it is told.
    #[command(flatten)]
    pub language: LanguageArgument,
}

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Reads all sources and sends what they say until SIGTERM; SIGHUP reads the settings again.
    Run(run::RunArgs),
    /// Says whether the settings are sound and everything they name is there.
    Check(check::CheckArgs),
    /// Lists the serial ports of this machine, with stable names, drivers and who uses them.
    Ports(ports::PortsArgs),
    /// Finds out by listening what hangs on a port, and writes the block of settings for it.
    Probe(probe::ProbeArgs),
    /// Prints what a line or a log says, decoded, while it is said.
    Tail(tail::TailArgs),
    /// Records what a line says, byte by byte, without card data, for a support case.
    Record(record::RecordArgs),
    /// Prints what a recorded log or line says, one event a line, as JSON.
    Decode(decode::DecodeArgs),
    /// Looks into the spool.
    #[command(subcommand)]
    Spool(spool::SpoolCommand),
}

/// Where the settings are.
#[derive(Clone, Debug, clap::Args)]
pub struct ConfigArgs {
    /// The settings.
    #[arg(long, value_name = "FILE", default_value = CONFIG_PATH)]
    pub config: PathBuf,
}

impl ConfigArgs {
    /// Reads and checks them.
    pub fn read(&self) -> Result<Config, ConfigError> {
        Config::read(&self.config)
    }

    /// Where relative paths in them begin.
    pub fn base(&self) -> &Path {
        self.config.parent().unwrap_or(Path::new("."))
    }
}

/// Prints a text. A reader that went away (`| head`) is no failure.
pub fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
