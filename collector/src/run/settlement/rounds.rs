//! The desk beside a running collector: looks into the inbox every few seconds, and at what time decides every half
//! hour; sooner where that failed, and behind each import. Works on a thread that may block, with a connection of its own; the thread that judges is never held up.

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
/// Behind a review that failed the next one waits so long, and twice as long each time that it fails again.
const AGAIN_MS_MIN: u64 = 10_000;

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
            state.round(&config, clock::uptime());
            state
        });
        state = round.await.unwrap_or_default();
    }
}

#[derive(Default)]
struct Rounds {
    inbox: Option<(PathBuf, Inbox)>,
    review_at: Uptime,
    /// Files were imported since the last review that was done.
    imported: bool,
    /// How long the next review waits, where the last one failed.
    again_ms: Option<u64>,
}

impl Rounds {
    fn round(&mut self, config: &Config, now: Uptime) {
        if let Some(directory) = &config.settlement.inbox {
            let directory = config.beside(directory);
            if let Err(error) = self.look(config, directory) {
                tell(&error);
            }
        }
        if now >= self.review_at && (self.imported || !config.settlement.statements.is_empty()) {
            self.review(config, now);
        }
    }

    fn review(&mut self, config: &Config, now: Uptime) {
        let reviewed = Desk::open(config).and_then(|mut desk| desk.review(clock::now()));
        let failed = self.again_ms;
        self.again_ms = None;
        match reviewed {
            Ok(changes) => {
                if failed.is_some() {
                    tracing::info!("settlement is looked at again");
                }
                if !changes.0.is_empty() {
                    tracing::info!(changes = changes.0.len(), "settlement was looked at");
                }
                self.imported = false;
                self.review_at = now.plus_ms(REVIEW_EACH_MS);
            }
            Err(error) => {
                let wait_ms = failed.unwrap_or(AGAIN_MS_MIN);
                if failed.is_none() {
                    let again_s = wait_ms / 1_000;
                    let cause = cause(&error);
                    tracing::error!(%error, cause, again_s, "settlement cannot be looked at; it is tried again with growing waits");
                }
                self.review_at = now.plus_ms(wait_ms);
                self.again_ms = Some((wait_ms * 2).min(REVIEW_EACH_MS));
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
            self.imported = true;
            for report in inbox.take(&mut desk, &file, clock::now())? {
                log(&report);
            }
            // At once, unless the last review failed: its wait holds for this one, too.
            if self.again_ms.is_none() {
                self.review_at = Uptime(0);
            }
        }
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
    tracing::error!(%error, cause = cause(error), "settlement files wait");
}

fn cause(error: &DeskError) -> Option<String> {
    std::error::Error::source(error).map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::Mutex;

    /// What was logged.
    #[derive(Clone, Default)]
    struct Logged(Arc<Mutex<Vec<u8>>>);

    impl Write for Logged {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_review_that_failed_is_tried_again_soon_then_less_often_and_is_logged_once() {
        let directory = tempfile::tempdir().unwrap();
        let text = "store.path = \"store\"\n[[shop]]\nname = \"shop-1\"\n\
             [[settlement.statement]]\nname = \"acquirer\"\nprofile = \"allinpay\"\n";
        let config = Config::parse(&directory.path().join("collector.toml"), text).unwrap();
        // A file is where the store's directory would be made.
        let store = directory.path().join("store");
        std::fs::write(&store, "").unwrap();
        let logged = Logged::default();
        let writer = logged.clone();
        let log =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(log, || {
            let mut rounds = Rounds::default();
            let mut now = Uptime(1_000);
            for wait_s in [10, 20, 40, 80, 160, 320, 640, 1_280, 1_800, 1_800] {
                rounds.round(&config, now);
                assert_eq!(rounds.review_at, now.plus_ms(wait_s * 1_000));
                let before = rounds.review_at;
                rounds.round(&config, Uptime(before.0 - 1));
                assert_eq!(rounds.review_at, before, "not before its time");
                now = before;
            }
            std::fs::remove_file(&store).unwrap();
            rounds.round(&config, now);
            assert_eq!(rounds.review_at, now.plus_ms(REVIEW_EACH_MS), "it works");
            // The next time it fails it is tried soon again.
            std::fs::remove_dir_all(&store).unwrap();
            std::fs::write(&store, "").unwrap();
            rounds.round(&config, rounds.review_at);
            assert_eq!(rounds.review_at, now.plus_ms(REVIEW_EACH_MS + AGAIN_MS_MIN));
        });
        let logged = String::from_utf8(logged.0.lock().unwrap().clone()).unwrap();
        let times = |words: &str| logged.matches(words).count();
        assert_eq!(times("settlement cannot be looked at"), 2, "{logged}");
        assert_eq!(times("again_s=10"), 2, "{logged}");
        assert_eq!(times("settlement is looked at again"), 1, "{logged}");
    }
}
