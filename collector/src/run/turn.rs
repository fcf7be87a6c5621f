//! The thread that judges and stores. A turn: take what arrived, up to a bound; push all of it through the core; store
//! what came of it in one transaction; only then publish the replies. A store that fails keeps the turn where it is:
//! the same commit is tried again, and meanwhile nothing is acknowledged.

use super::watch::Beat;
use crate::collector::{Collector, Input, Settings};
use crate::commit::{AgentRow, Commit, Reply};
use crate::config::Retention;
use crate::edge::clock;
use crate::edge::intake::Arrival;
use crate::edge::store::settlement::{News, NewsOf};
use crate::edge::store::{KeepSince, OutboxMark, Store};
use crate::metrics::Metrics;
use slipwatch_shared::backoff::Backoff;
use slipwatch_shared::times::{ArrivalTime, Uptime};
use slipwatch_shared::wire::envelope;
use slipwatch_shared::wire::topic::{Channel, Topic};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch as flag};

const TICK: Duration = Duration::from_secs(1);
const STORE_WAIT_MS_FIRST: u64 = 100;
const STORE_WAIT_MS_MAX: u64 = 5_000;
const STORE_STABLE_MS: u64 = 60_000;
/// How often the store is asked to forget, once it has nothing left to forget.
const FORGET_EACH_MS: u64 = 600_000;
/// News of settlement files that one tick tells.
const NEWS_MAX: usize = 256;
const DAY_MS: i64 = 86_400_000;

/// What the rest of the process asks of the thread that judges.
pub(super) enum Order {
    /// Other settings.
    Reload(Box<Settings>),
    /// What became of letters; answered once it is stored.
    Marks(Vec<OutboxMark>, oneshot::Sender<()>),
}

pub(super) struct Core {
    pub(super) collector: Collector,
    pub(super) store: Box<dyn Store>,
    pub(super) arrivals: mpsc::Receiver<Arrival>,
    pub(super) orders: mpsc::Receiver<Order>,
    pub(super) replies: mpsc::Sender<Reply>,
    pub(super) stopping: flag::Receiver<bool>,
    pub(super) turn_messages_max: usize,
    pub(super) metrics: Metrics,
    pub(super) beat: Arc<Beat>,
    /// The last commit of each agent, told again to each new connection. One entry an agent of the settings.
    pub(super) retained: HashMap<Topic, Reply>,
    pub(super) retention: Retention,
    /// Before this there is nothing to forget.
    pub(super) forget_at: Uptime,
    /// Marks that a failing store did not take yet.
    pub(super) marks: Vec<(Vec<OutboxMark>, oneshot::Sender<()>)>,
}

/// The commit that each stored agent was last told.
pub(super) fn retained(agents: &[AgentRow]) -> HashMap<Topic, Reply> {
    let told = agents.iter().filter(|row| row.admission.through.0 > 0).map(|row| {
        let topic = Topic::new(&row.name.store, &row.name.agent, Channel::Commit);
        let commit =
            envelope::Commit { epoch: row.admission.epoch.0, through: row.admission.through.0 };
        (topic.clone(), Reply { topic, payload: commit.to_frame(), retain: true })
    });
    told.collect()
}

enum Woken {
    Arrived,
    Ordered(Order),
    Tick,
    Stop,
}

impl Core {
    /// Runs until the stop flag is set; what was taken in before is stored first.
    pub(super) fn run(mut self, ended: flag::Sender<bool>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.expect("a timer for one thread can always be made");
        runtime.block_on(self.turns());
        let _ = ended.send(true);
    }

    async fn turns(&mut self) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut arrived = Vec::with_capacity(self.turn_messages_max);
        loop {
            match self.wait(&mut tick, &mut arrived).await {
                Woken::Stop => return self.finish(),
                Woken::Arrived => arrived.drain(..).for_each(|arrival| self.take_in(arrival)),
                Woken::Ordered(Order::Reload(settings)) => {
                    self.collector.reload(*settings);
                    self.metrics.agents.unknown(self.collector.unknown_agents());
                }
                Woken::Ordered(Order::Marks(marks, done)) => self.marks.push((marks, done)),
                Woken::Tick => {
                    self.forget();
                    self.take_news();
                    self.count_open();
                    self.collector.handle(clock::now(), Input::Tick, &mut *self.store);
                }
            }
            if let Some(commit) = self.collector.take_commit(clock::now()) {
                if !self.keep(&commit).await {
                    return;
                }
                self.tell(commit);
            }
            self.mark();
            self.metrics.observe_core(&self.collector.counts(), &self.collector.gauges());
            for (agent, counts) in self.collector.take_lines() {
                self.metrics.lines(&agent, &counts);
            }
            self.tell_unknown();
            self.metrics.turned(clock::now(), self.arrivals.len());
            self.beat.beat();
        }
    }

    /// An agent that nobody listed waits for ever: somebody must hear of it, once.
    fn tell_unknown(&mut self) {
        let unknown = self.collector.take_unknown_agents();
        for name in &unknown {
            tracing::warn!(
                "agent {}/{} is not in the settings: its events wait; add it to [[shop]] agents",
                name.store,
                name.agent,
            );
        }
        if !unknown.is_empty() {
            self.metrics.agents.unknown(self.collector.unknown_agents());
        }
    }

    /// What letters came to is written down before the end; messages that wait are sent again by their agents.
    fn finish(&mut self) {
        while let Ok(order) = self.orders.try_recv() {
            if let Order::Marks(marks, done) = order {
                self.marks.push((marks, done));
            }
        }
        self.mark();
    }

    async fn wait(
        &mut self,
        tick: &mut tokio::time::Interval,
        arrived: &mut Vec<Arrival>,
    ) -> Woken {
        tokio::select! {
            biased;
            _ = self.stopping.wait_for(|&stop| stop) => Woken::Stop,
            Some(order) = self.orders.recv() => Woken::Ordered(order),
            _ = tick.tick() => Woken::Tick,
            count = self.arrivals.recv_many(arrived, self.turn_messages_max), if !self.arrivals.is_closed() => {
                if count == 0 { Woken::Tick } else { Woken::Arrived }
            }
        }
    }

    fn take_in(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Message { topic, payload, arrived } => {
                let (topic, payload) = (&topic, payload.as_slice());
                let input = match topic.channel {
                    Channel::State => Input::State { topic, payload },
                    _ => Input::Batch { topic, payload },
                };
                self.collector.handle(arrived, input, &mut *self.store);
            }
            Arrival::Connected => {
                self.metrics.broker(true);
                let replies: Vec<Reply> = self.retained.values().cloned().collect();
                replies.into_iter().for_each(|reply| self.reply(reply));
            }
            Arrival::Disconnected => self.metrics.broker(false),
            Arrival::Foreign => self.metrics.foreign_topic(),
        }
    }

    /// Stores until it is stored; tells false when the collector was stopped before it was.
    async fn keep(&mut self, commit: &Commit) -> bool {
        let mut backoff = Backoff::new(STORE_WAIT_MS_FIRST, STORE_WAIT_MS_MAX, STORE_STABLE_MS);
        loop {
            let begun = clock::instant();
            let Err(error) = self.store.commit(commit) else {
                self.metrics.store.committed(clock::now(), begun.elapsed().as_secs_f64());
                self.metrics.observe_commit(commit);
                return true;
            };
            self.metrics.store.commit_failed(error.label());
            let wait_ms = backoff.failed(clock::uptime(), clock::jitter());
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::error!(%error, cause, wait_ms, "nothing is acknowledged until the store takes it");
            self.beat.beat();
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(wait_ms)) => {}
                _ = self.stopping.wait_for(|&stop| stop) => return false,
            }
        }
    }

    fn tell(&mut self, commit: Commit) {
        for reply in commit.replies {
            if reply.retain {
                self.retained.insert(reply.topic.clone(), reply.clone());
            }
            self.reply(reply);
        }
    }

    fn reply(&mut self, reply: Reply) {
        if self.replies.try_send(reply).is_err() {
            self.metrics.reply_dropped();
        }
    }

    /// Takes in what settlement files said since: it is told, and taken off with the commit that tells it.
    fn take_news(&mut self) {
        let news = match self.store.news(NEWS_MAX) {
            Ok(news) => news,
            Err(error) => {
                self.metrics.store.failed(error.label());
                tracing::warn!(%error, "news of settlement files wait");
                return;
            }
        };
        for News { number, what } in &news {
            let input = match what {
                NewsOf::Finding(change) => Input::FoundInStatement { number: *number, change },
                NewsOf::Settled(case) => Input::Settled { number: *number, case: Some(case) },
                NewsOf::Gone => Input::Settled { number: *number, case: None },
            };
            self.collector.handle(clock::now(), input, &mut *self.store);
        }
    }

    /// What is open, by the store: settlement files and complaints raise there, from whichever process.
    fn count_open(&mut self) {
        match self.store.open_findings() {
            Ok(open) => self.metrics.open_findings(&open),
            Err(error) => {
                self.metrics.store.failed(error.label());
                tracing::warn!(%error, "what is open could not be counted");
            }
        }
    }

    /// Lets go of what has been kept long enough: a bounded piece a second, until nothing is left.
    fn forget(&mut self) {
        if clock::uptime() < self.forget_at {
            return;
        }
        let now = clock::now();
        let since = |days: u32| ArrivalTime(now.0.saturating_sub(i64::from(days) * DAY_MS));
        let since = KeepSince {
            journal: since(self.retention.journal_days),
            cases: since(self.retention.cases_days),
            quarantine: since(self.retention.quarantine_days),
        };
        let done = match self.store.forget(&since) {
            Ok(rows) => rows == 0,
            Err(error) => {
                self.metrics.store.failed(error.label());
                tracing::warn!(%error, "what is old stays a while longer");
                true
            }
        };
        if done {
            self.forget_at = clock::uptime().plus_ms(FORGET_EACH_MS);
        }
    }

    fn mark(&mut self) {
        while let Some((marks, done)) = self.marks.pop() {
            match self.store.mark_outbox(&marks) {
                Ok(()) => {
                    let _ = done.send(());
                }
                Err(error) => {
                    self.metrics.store.failed(error.label());
                    self.marks.push((marks, done));
                    return;
                }
            }
        }
    }
}
