//! The desk beside a running collector: looks at each open complaint every few seconds, whether something fits it now, and
//! whether a date comes near or passed. Works on a thread that may block; the thread that judges is never held up.

use super::ComplaintDesk;
use crate::complaint::answer::Outcome;
use crate::complaint::record::Step;
use crate::config::Config;
use crate::edge::clock;
use crate::edge::store::StoreError;
use crate::metrics::Metrics;
use slipwatch_shared::times::{ArrivalTime, EventTime};
use std::sync::{Arc, RwLock};
use std::time::Duration;
use tokio::sync::watch as flag;

const LOOK_EACH: Duration = Duration::from_secs(2);
/// Complaints that one round looks at; the next goes on behind them.
const ROUND_MAX: usize = 50;
/// Lines of history that one round counts.
const LINES_MAX: usize = 1_000;

/// Rounds over open complaints, until the flag is set.
pub(in crate::run) async fn run(
    config: Arc<RwLock<Arc<Config>>>,
    metrics: Metrics,
    mut stopping: flag::Receiver<bool>,
) {
    let mut wait = LOOK_EACH;
    let mut rounds = Rounds { config, metrics, desk: None, after: 0, overdue: 0, counted: None };
    loop {
        tokio::select! {
            _ = stopping.wait_for(|&stop| stop) => return,
            () = tokio::time::sleep(wait) => {}
        }
        let begun = clock::instant();
        let round = tokio::task::spawn_blocking(move || {
            rounds.round();
            rounds
        });
        match round.await {
            Ok(back) => {
                rounds = back;
                // Many that fit nothing are searched for again and again: at most a tenth of the time goes there.
                wait = LOOK_EACH.max(begun.elapsed() * 10);
            }
            Err(_) => {
                tracing::error!("the complaint desk ended by a panic");
                return;
            }
        }
    }
}

struct Rounds {
    config: Arc<RwLock<Arc<Config>>>,
    metrics: Metrics,
    desk: Option<ComplaintDesk>,
    /// Complaints through this number were looked at in this turn over all.
    after: u64,
    /// Overdue ones of this turn.
    overdue: u64,
    /// History through this line is in the series.
    counted: Option<i64>,
}

impl Rounds {
    fn round(&mut self) {
        let desk = match self.desk.take() {
            Some(desk) => Ok(desk),
            None => ComplaintDesk::beside(Arc::clone(&self.config), Some(self.metrics.clone())),
        };
        let looked = desk.and_then(|mut desk| {
            self.count(&mut desk)?;
            self.look(&mut desk, clock::now())?;
            self.count(&mut desk)?;
            Ok(desk)
        });
        match looked {
            Ok(desk) => self.desk = Some(desk),
            Err(error) => {
                self.metrics.store.failed(error.label());
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, cause, "complaints wait");
            }
        }
    }

    fn look(&mut self, desk: &mut ComplaintDesk, now: ArrivalTime) -> Result<(), StoreError> {
        let open = desk.store.open_after(self.after, ROUND_MAX)?;
        for mut complaint in open.iter().cloned() {
            self.after = complaint.number;
            // Where a person changes it at this moment, the next round sees it.
            match desk.follow(&mut complaint, now) {
                Ok(_) | Err(StoreError::Busy) => {}
                Err(error) => return Err(error),
            }
            let calendar = desk.calendar(complaint.said.store.as_ref());
            self.overdue += u64::from(complaint.is_overdue(&calendar, EventTime(now.0)));
        }
        if open.len() < ROUND_MAX {
            self.metrics.complaints.stand(desk.store.open_count()?, self.overdue);
            (self.after, self.overdue) = (0, 0);
        }
        Ok(())
    }

    /// What happened to complaints since, whoever did it: this process or the command line.
    fn count(&mut self, desk: &mut ComplaintDesk) -> Result<(), StoreError> {
        let Some(counted) = self.counted else {
            self.counted = Some(desk.store.history_after(0, 0)?.1);
            return Ok(());
        };
        let (lines, last) = desk.store.history_after(counted, LINES_MAX)?;
        for line in &lines {
            let complaints = &self.metrics.complaints;
            match line.step {
                Step::Opened => complaints.opened(),
                Step::Answered => {
                    let word = line.note.split(' ').next().unwrap_or_default();
                    if let Some(outcome) = Outcome::named(word) {
                        complaints.answered(outcome);
                    }
                }
                Step::Kept => complaints.promise(true),
                Step::Broken => complaints.promise(false),
                Step::Closed => complaints.closed(),
                _ => {}
            }
        }
        self.counted = Some(last);
        Ok(())
    }
}
