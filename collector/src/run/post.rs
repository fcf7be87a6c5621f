//! Empties the outbox: takes the rows that are due, sends them at a bounded pace, and has written down what became of
//! each before it looks again. A server that does not answer holds all letters, none is dropped.

use super::turn::Order;
use crate::edge::clock;
use crate::edge::mail::{Outcome, Post};
use crate::edge::store::{OutboxDue, OutboxMark, Reader, StoreError};
use crate::metrics::Metrics;
use slipwatch_shared::backoff::Backoff;
use slipwatch_shared::times::ArrivalTime;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch as flag};

/// How often the outbox is looked at.
const LOOK_EACH: Duration = Duration::from_secs(1);
/// Most rows that are read at once.
const ROWS_MAX: usize = 50;
const HELD_MS_FIRST: u64 = 5_000;
const HELD_MS_MAX: u64 = 300_000;
const HELD_STABLE_MS: u64 = 60_000;
/// The wait after a letter's first refusal "for now", and the longest.
const RETRY_MS_FIRST: i64 = 10_000;
const RETRY_MS_MAX: i64 = 3_600_000;

pub(super) struct Rounds {
    pub(super) post: Post,
    pub(super) reader: Box<dyn Reader>,
    pub(super) orders: mpsc::Sender<Order>,
    pub(super) metrics: Metrics,
    pub(super) burst_per_minute_max: u32,
}

impl Rounds {
    pub(super) async fn run(mut self, mut stopping: flag::Receiver<bool>) {
        let mut backoff = Backoff::new(HELD_MS_FIRST, HELD_MS_MAX, HELD_STABLE_MS);
        let mut pace = Pace::new(self.burst_per_minute_max);
        let mut wait = LOOK_EACH;
        loop {
            tokio::select! {
                _ = stopping.wait_for(|&stop| stop) => return,
                () = tokio::time::sleep(wait) => {}
            }
            wait = LOOK_EACH;
            let limit = pace.allowance(clock::uptime().0).min(ROWS_MAX);
            let now = clock::now();
            let due = match self.look(now, limit).await {
                Ok(due) => due,
                Err(error) => {
                    self.metrics.store.failed(error.label());
                    tracing::warn!(%error, "the outbox cannot be read");
                    continue;
                }
            };
            let round = self.send_all(due, &mut pace, &stopping).await;
            if !round.marks.is_empty() && !self.written(round.marks).await {
                return;
            }
            match round.held {
                true => {
                    let held_ms = backoff.failed(clock::uptime(), clock::jitter());
                    wait = Duration::from_millis(held_ms);
                }
                false if round.sent => backoff.succeeded(clock::uptime()),
                false => {}
            }
        }
    }

    async fn look(&mut self, now: ArrivalTime, limit: usize) -> Result<Vec<OutboxDue>, StoreError> {
        // Reads of a few indexed rows: short enough for this task.
        let counts = self.reader.outbox_counts()?;
        self.metrics.mail.outbox(counts.waiting, counts.oldest_waiting, counts.given_up);
        if limit == 0 || counts.waiting == 0 {
            return Ok(Vec::new());
        }
        self.reader.outbox_due(now, limit)
    }

    async fn send_all(
        &mut self,
        due: Vec<OutboxDue>,
        pace: &mut Pace,
        stopping: &flag::Receiver<bool>,
    ) -> Round {
        let mut round = Round::default();
        for OutboxDue { id, attempts, row } in due {
            if *stopping.borrow() {
                return round;
            }
            let outcome = self.post.send(&row).await;
            let at = clock::now();
            match outcome {
                Outcome::Sent => {
                    pace.spend();
                    round.sent = true;
                    self.metrics.mail.sent(at);
                    round.marks.push(OutboxMark::Sent { id, at });
                }
                Outcome::Failed { failure, error, concerns_all: true } => {
                    self.metrics.mail.failed(failure);
                    tracing::error!(error, reason = failure.label(), "letters wait");
                    round.held = true;
                    return round;
                }
                Outcome::Failed { failure, error, concerns_all: false } => {
                    self.metrics.mail.failed(failure);
                    tracing::warn!(error, reason = failure.label(), "a letter waits");
                    let not_before = ArrivalTime(at.0 + retry_ms(attempts));
                    round.marks.push(OutboxMark::Retry { id, not_before, error });
                }
                Outcome::Refused { failure, error } => {
                    self.metrics.mail.failed(failure);
                    tracing::error!(
                        error,
                        message_id = row.message_id,
                        "a letter was refused for good"
                    );
                    round.marks.push(OutboxMark::GivenUp { id, at, error });
                }
            }
        }
        round
    }

    /// Has the marks stored; tells false when the collector ended.
    async fn written(&mut self, marks: Vec<OutboxMark>) -> bool {
        let (done, stored) = oneshot::channel();
        let ordered = self.orders.send(Order::Marks(marks, done)).await;
        ordered.is_ok() && stored.await.is_ok()
    }
}

#[derive(Default)]
struct Round {
    marks: Vec<OutboxMark>,
    /// Something went out.
    sent: bool,
    /// Nothing can go out now.
    held: bool,
}

fn retry_ms(attempts: u32) -> i64 {
    (RETRY_MS_FIRST << attempts.min(10)).min(RETRY_MS_MAX)
}

/// A bucket of letters that fills evenly: after an outage nobody is flooded.
struct Pace {
    per_minute: u64,
    /// Letters in the bucket, in sixty-thousandths.
    level: u64,
    looked_ms: u64,
}

const LETTER: u64 = 60_000;

impl Pace {
    fn new(per_minute: u32) -> Pace {
        let per_minute = u64::from(per_minute);
        Pace { per_minute, level: per_minute * LETTER, looked_ms: 0 }
    }

    fn allowance(&mut self, now_ms: u64) -> usize {
        let since_ms = now_ms.saturating_sub(self.looked_ms);
        self.looked_ms = now_ms;
        self.level = (self.level + since_ms * self.per_minute).min(self.per_minute * LETTER);
        (self.level / LETTER) as usize
    }

    fn spend(&mut self) {
        self.level = self.level.saturating_sub(LETTER);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_of_letters_goes_out_at_the_pace_of_the_settings() {
        let mut pace = Pace::new(30);
        let mut sent = 0;
        for second in 0..600 {
            for _ in 0..pace.allowance(second * 1000) {
                pace.spend();
                sent += 1;
            }
        }
        assert_eq!(sent, 30 + 30 * 10 - 1, "a full bucket, then thirty a minute");
    }

    #[test]
    fn a_letter_is_tried_again_ever_more_seldom_and_for_ever() {
        assert_eq!(retry_ms(0), 10_000);
        assert_eq!(retry_ms(1), 20_000);
        assert_eq!(retry_ms(1000), RETRY_MS_MAX);
    }
}
