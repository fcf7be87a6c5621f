//! `run`: the collector itself, until it is told to stop.

use super::{ConfigArgument, failure, runtime, tell};
use crate::config::Config;
use crate::run::error::EXIT_CONFIG;
use crate::run::{StartError, run_until_signal};
use std::process::ExitCode;

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
pub struct RunArguments {
    #[command(flatten)]
    config: ConfigArgument,
}

pub(super) fn run(arguments: &RunArguments) -> ExitCode {
    let config = match Config::load(&arguments.config.config) {
        Ok(config) => config,
        Err(error) => {
            tell(&error);
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            tell(&error);
            return failure();
        }
    };
    match runtime.block_on(run_until_signal(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(error.as_ref());
            let code = error.downcast_ref::<StartError>().map(StartError::exit_code);
            code.map_or_else(failure, ExitCode::from)
        }
    }
}
