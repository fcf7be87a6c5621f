//! Starts the agent: arguments, logging, exit code.

use slipwatch_agent::command::decode::DecodeError;
use slipwatch_agent::command::{self, Arguments, Command, chinese::TONGUE};
use slipwatch_agent::config::ConfigError;
use slipwatch_agent::edge::journal::Scrubbed;
use slipwatch_agent::edge::spool::open::OpenError;
use std::io::IsTerminal;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let arguments: Arguments = TONGUE.parse(Scrubbed(std::io::stderr()));
    log();
    // Also the panics of a damaged store's reader, which are caught: they belong into the log like all else.
    std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    // One provider for all of TLS: with two in the tree rustls would not choose.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match obey(&arguments.command) {
        Ok(exit) => ExitCode::from(exit),
        Err(error) => {
            tracing::error!("{}", TONGUE.say_error(error.as_ref()));
            ExitCode::from(exit_of(&error))
        }
    }
}

fn obey(command: &Command) -> anyhow::Result<u8> {
    match command {
        Command::Run(arguments) => command::run::run(arguments)?,
        Command::Check(arguments) => return command::check::run(arguments),
        Command::Ports(arguments) => command::ports::run(arguments)?,
        Command::Probe(arguments) => return command::probe::run(arguments),
        Command::Tail(arguments) => command::tail::run(arguments)?,
        Command::Record(arguments) => command::record::run(arguments)?,
        Command::Decode(arguments) => return Ok(command::decode::run(arguments)?),
        Command::Spool(arguments) => command::spool::run(arguments)?,
    }
    Ok(command::EXIT_OK)
}

/// To stderr, where journald reads it; no colours and no times where nobody looks at a screen.
fn log() {
    let filter = EnvFilter::try_from_env("SLIPWATCH_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info,rumqttc=error,sled=error"));
    let screen = std::io::stderr().is_terminal();
    let layer = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Scrubbed(std::io::stderr()))
        .with_ansi(screen)
        .with_target(false);
    match screen {
        true => layer.init(),
        false => layer.without_time().init(),
    }
}

fn exit_of(error: &anyhow::Error) -> u8 {
    let dialect = error.downcast_ref::<DecodeError>().is_some_and(DecodeError::is_dialect);
    if error.is::<ConfigError>() || dialect {
        return command::EXIT_CONFIG;
    }
    match error.is::<OpenError>() {
        true => command::EXIT_STATE,
        false => command::EXIT_FAILURE,
    }
}
