//! `run`: the agent itself, until a signal ends it.

use super::ConfigArgs;
use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

/// Arguments of `run`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Example:\n  slipwatch-agent run --config /etc/slipwatch/agent.toml")]
pub struct RunArgs {
    /// The settings.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Runs until SIGTERM or SIGINT.
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
        crate::run::run(config, arguments.config.base(), shutdown).await
    })
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
