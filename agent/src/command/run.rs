//! `run`: the agent itself, until a signal ends it.

use super::ConfigArgs;
use crate::config::Config;
use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// Arguments of `run`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Example:\n  slipwatch-agent run --config /etc/slipwatch/agent.toml")]
pub struct RunArgs {
    /// The settings.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Settings that wait to be taken: a signal that comes again meanwhile finds them read anew.
const RELOADS_MAX: usize = 1;

/// Runs until SIGTERM or SIGINT; SIGHUP reads the settings again.
pub fn run(arguments: &RunArgs) -> anyhow::Result<()> {
    let config = arguments.config.read()?;
    keep_memory_small();
    // One thread for all but the spool: a till's machine has better things to do.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(2)
        .thread_keep_alive(std::time::Duration::from_secs(1))
        .build()
        .context("starting the runtime")?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
        let shutdown = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("stopping");
        };
        let mut hangup = signal(SignalKind::hangup()).context("listening for SIGHUP")?;
        let (reloads_out, reloads) = mpsc::channel(RELOADS_MAX);
        let reloading = async {
            while hangup.recv().await.is_some() {
                if let Some(new) = reread(&arguments.config) {
                    let _ = reloads_out.send(new).await;
                }
            }
        };
        tokio::select! {
            ended = crate::run::run(config, arguments.config.base(), shutdown, reloads) => ended,
            () = reloading => unreachable!("the listener for SIGHUP does not end"),
        }
    })
}

/// The settings as they are now; wrong ones leave the old ones in force.
fn reread(arguments: &ConfigArgs) -> Option<Config> {
    let read = arguments.read();
    match read.and_then(|config| config.settings(arguments.base()).map(|_| config)) {
        Ok(config) => Some(config),
        Err(error) => {
            let error = format!("{:#}", anyhow::Error::new(error));
            tracing::error!(error, "the new settings are wrong; the old ones stay in force");
            None
        }
    }
}

/// glibc keeps an arena a thread and gives little back; two arenas and an early trim are enough for two threads.
fn keep_memory_small() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: plain settings of the allocator, made before any other thread runs.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 256 * 1024);
        libc::mallopt(libc::M_MMAP_THRESHOLD, 256 * 1024);
    }
}
