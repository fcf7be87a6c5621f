//! The desk beside a running collector: looks into the inbox every few seconds, and at what time decides every half
//! hour. Works on a thread that may block, with a connection of its own; the thread that judges is never held up.

use super::inbox::Inbox;
use super::{Desk, DeskError};
use crate::config::Config;
use crate::edge::clock;
use crate::settlement::report::Report;
use slipwatch_shared::times::Uptime;
use std::path::PathBuf;
use std::sync::{Arc, RwLock};
use std::time::Duration;
use tokio::sync::watch as flag;

const LOOK_EACH: Duration = Duration::from_secs(5);
const REVIEW_EACH_MS: u64 = 30 * 60_000;

/// Rounds over inbox and calendar, until the flag is set.
pub(in crate::run) async fn run(
    config: Arc<RwLock<Arc<Config>>>,
    mut stopping: flag::Receiver<bool>,
) {
    let mut state = Rounds::default();
    loop {
        tokio::select! {
            _ = stopping.wait_for(|&stop| stop) => return,
            () = tokio::time::sleep(LOOK_EACH) => {}
        }
        let config = Arc::clone(&config.read().expect("no holder of this lock panics"));
        let round = tokio::task::spawn_blocking(move || {
            state.round(&config);
            state
        });
        state = round.await.unwrap_or_default();
    }
}

#[derive(Default)]
struct Rounds {
    inbox: Option<(PathBuf, Inbox)>,
    review_at: Uptime,
}

impl Rounds {
    fn round(&mut self, config: &Config) {
        if let Some(directory) = &config.settlement.inbox {
            let directory = config.beside(directory);
            if let Err(error) = self.look(config, directory) {
                tell(&error);
            }
        }
        let due = clock::uptime() >= self.review_at;
        if due && !config.settlement.statements.is_empty() {
            self.review_at = clock::uptime().plus_ms(REVIEW_EACH_MS);
            let reviewed = Desk::open(config).and_then(|mut desk| desk.review(clock::now()));
            match reviewed {
                Ok(changes) if !changes.0.is_empty() => {
                    tracing::info!(changes = changes.0.len(), "settlement was looked at");
                }
                Ok(_) => {}
                Err(error) => tell(&error),
            }
        }
    }

    fn look(&mut self, config: &Config, directory: PathBuf) -> Result<(), DeskError> {
        let unreadable = |source| DeskError::Inbox { path: directory.clone(), source };
        if self.inbox.as_ref().is_none_or(|(known, _)| *known != directory) {
            let inbox = Inbox::open(&directory).map_err(unreadable)?;
            self.inbox = Some((directory.clone(), inbox));
        }
        let Some((_, inbox)) = &mut self.inbox else { return Ok(()) };
        let files = inbox.settled().map_err(unreadable)?;
        if files.is_empty() {
            return Ok(());
        }
        let mut desk = Desk::open(config)?;
        for file in files {
            for report in inbox.take(&mut desk, &file, clock::now())? {
                log(&report);
            }
        }
        desk.review(clock::now())?;
        Ok(())
    }
}

pub(super) fn log(report: &Report) {
    let file = report.file.as_str();
    match &report.refused {
        Some(refused) => {
            let (reason, message) = (refused.reason.as_ref(), refused.message.as_str());
            tracing::error!(file, reason, message, "a settlement file was refused");
        }
        None => tracing::info!(
            file,
            outcome = report.outcome.label(),
            rows = report.rows,
            open = report.open,
            "a settlement file was imported"
        ),
    }
}

pub(super) fn tell(error: &DeskError) {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::error!(%error, cause, "settlement files wait");
}
