//! Starts the collector: arguments, logging, exit code.

use slipwatch_collector::command::{Arguments, chinese::TONGUE, complaint, run_command};
use slipwatch_collector::edge::journal::Scrubbed;
use std::io::IsTerminal;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    if let Some(refused) = complaint::refuse_card_numbers(std::env::args_os()) {
        return refused;
    }
    let arguments: Arguments = TONGUE.parse(Scrubbed(std::io::stderr()));
    // The broker's library tells each connection and each refused packet: what matters of it the intake tells, too.
    let filter = EnvFilter::try_from_env("SLIPWATCH_LOG").unwrap_or_else(|_| {
        EnvFilter::new(format!("{},rumqttd=error,rumqttc=error", arguments.log_level()))
    });
    let under_journal = std::env::var_os("JOURNAL_STREAM").is_some();
    let logging = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Scrubbed(std::io::stderr()))
        .with_ansi(std::io::stderr().is_terminal());
    // The journal stamps each line itself.
    if under_journal {
        logging.without_time().init()
    } else {
        logging.init()
    }
    // A panic may repeat the text that it came from.
    std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    run_command(arguments)
}
