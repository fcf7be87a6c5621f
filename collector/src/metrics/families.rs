//! Series of one matter each: agents, store, letters.

use super::{Registrar, seconds};
use crate::commit::Presence;
use crate::correlate::policy::AgentName;
use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge, IntGaugeVec};
use slipwatch_shared::event::LineCounts;
use slipwatch_shared::times::ArrivalTime;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// Series of the agents that the settings name.
#[derive(Clone, Debug)]
pub struct AgentMetrics {
    by_presence: IntGaugeVec,
    heard: IntGaugeVec,
    online: IntGaugeVec,
    bytes: IntCounterVec,
    lines: IntCounterVec,
    unmatched: IntCounterVec,
    rejected: IntCounterVec,
    known: Arc<Mutex<Known>>,
}

/// Whose line counts are one series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinesPer {
    /// One agent's.
    #[default]
    Agent,
    /// All of one shop, for a large fleet.
    Store,
}

#[derive(Debug, Default)]
struct Known {
    agents: BTreeSet<AgentName>,
    lines_per: LinesPer,
    /// Agents that spoke and are not in the settings: for the page of agents, no series.
    unknown: BTreeSet<AgentName>,
}

impl AgentMetrics {
    pub(super) fn register(add: &Registrar<'_>) -> AgentMetrics {
        let labels = ["store", "agent"];
        let metrics = AgentMetrics {
            by_presence: add.gauges(
                "slipwatch_agents",
                "Agents of the settings, by whether they are there.",
                &["presence"],
            ),
            heard: add.gauges(
                "slipwatch_agent_heard_timestamp_seconds",
                "When something of this agent last came; 0 before the first.",
                &labels,
            ),
            online: add.gauges("slipwatch_agent_online", "1 while this agent is there.", &labels),
            bytes: add.counters(
                "slipwatch_source_bytes_total",
                "Bytes that agents read from their devices.",
                &labels,
            ),
            lines: add.counters(
                "slipwatch_source_lines_total",
                "Lines that agents read from their devices.",
                &labels,
            ),
            unmatched: add.counters(
                "slipwatch_source_lines_unmatched_total",
                "Lines that no rule of their profile knows.",
                &labels,
            ),
            rejected: add.counters(
                "slipwatch_source_lines_rejected_total",
                "Lines that a rule knows and that could not be read.",
                &labels,
            ),
            known: Arc::default(),
        };
        for presence in Presence::ALL {
            metrics.by_presence.with_label_values(&[presence.label()]);
        }
        metrics
    }

    /// The agents of the settings in force: their series begin at zero, those of others end.
    pub fn settings(&self, agents: &BTreeSet<AgentName>, lines_per: LinesPer) {
        let mut known = self.known.lock().expect("no holder of this lock panics");
        for gone in known.agents.difference(agents) {
            let labels = [gone.store.as_str(), gone.agent.as_str()];
            for gauges in [&self.heard, &self.online] {
                let _ = gauges.remove_label_values(&labels);
            }
            for counters in self.line_series() {
                let _ = counters.remove_label_values(&labels);
            }
        }
        known.agents.clone_from(agents);
        known.lines_per = lines_per;
        for agent in agents {
            let labels = [agent.store.as_str(), agent.agent.as_str()];
            self.heard.with_label_values(&labels);
            self.online.with_label_values(&labels);
            let labels = line_labels(agent, known.lines_per);
            for counters in self.line_series() {
                counters.with_label_values(&labels);
            }
        }
    }

    /// The agents that spoke and are not in the settings, from now on.
    pub fn unknown(&self, agents: &BTreeSet<AgentName>) {
        self.known.lock().expect("no holder of this lock panics").unknown.clone_from(agents);
    }

    /// They, as they were told last.
    pub fn unknown_agents(&self) -> BTreeSet<AgentName> {
        self.known.lock().expect("no holder of this lock panics").unknown.clone()
    }

    fn line_series(&self) -> [&IntCounterVec; 4] {
        [&self.bytes, &self.lines, &self.unmatched, &self.rejected]
    }

    pub(super) fn present(&self, presence: Presence, agents: u64) {
        self.by_presence.with_label_values(&[presence.label()]).set(agents as i64);
    }

    /// Something of an agent came; one that the settings do not name has no series.
    pub fn heard(&self, agent: &AgentName, at: ArrivalTime, presence: Presence) {
        let known = self.known.lock().expect("no holder of this lock panics");
        if known.agents.contains(agent) {
            let labels = [agent.store.as_str(), agent.agent.as_str()];
            self.heard.with_label_values(&labels).set(seconds(at));
            self.online.with_label_values(&labels).set((presence == Presence::Online).into());
        }
    }

    pub(super) fn lines(&self, agent: &AgentName, counts: &LineCounts) {
        let known = self.known.lock().expect("no holder of this lock panics");
        if known.agents.contains(agent) {
            let labels = line_labels(agent, known.lines_per);
            let values = [counts.bytes, counts.lines, counts.unmatched, counts.rejected];
            for (counters, value) in self.line_series().into_iter().zip(values) {
                counters.with_label_values(&labels).inc_by(value);
            }
        }
    }
}

fn line_labels(agent: &AgentName, lines_per: LinesPer) -> [&str; 2] {
    match lines_per {
        LinesPer::Agent => [agent.store.as_str(), agent.agent.as_str()],
        LinesPer::Store => [agent.store.as_str(), ""],
    }
}

/// Series of the store.
#[derive(Clone, Debug)]
pub struct StoreMetrics {
    /// From the begin of a transaction until it was durable.
    pub commit_seconds: Histogram,
    last: IntGauge,
    blocked: IntGauge,
    errors: IntCounterVec,
}

/// Upper ends of the histogram's buckets: from a fast disk to one that hardly moves.
const COMMIT_SECONDS: [f64; 12] =
    [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

impl StoreMetrics {
    pub(super) fn register(add: &Registrar<'_>) -> StoreMetrics {
        StoreMetrics {
            commit_seconds: add.histogram(
                "slipwatch_commit_duration_seconds",
                "From the begin of a transaction until it was durable.",
                &COMMIT_SECONDS,
            ),
            last: add.gauge(
                "slipwatch_commit_last_timestamp_seconds",
                "When a transaction was last made durable; 0 before the first.",
            ),
            blocked: add.gauge(
                "slipwatch_store_blocked",
                "1 while a transaction is tried again: nothing is acknowledged meanwhile.",
            ),
            errors: add.counters(
                "slipwatch_store_errors_total",
                "Calls of the store that failed, by reason.",
                &["reason"],
            ),
        }
    }

    /// Every reason for which the store may fail: their series begin at zero.
    pub fn reasons(&self, labels: &[&'static str]) {
        for reason in labels {
            self.errors.with_label_values(&[reason]);
        }
    }

    /// A transaction was made durable.
    pub fn committed(&self, now: ArrivalTime, took_seconds: f64) {
        self.commit_seconds.observe(took_seconds);
        self.last.set(seconds(now));
        self.blocked.set(0);
    }

    /// A transaction failed and is tried again.
    pub fn commit_failed(&self, reason: &'static str) {
        self.blocked.set(1);
        self.failed(reason);
    }

    /// Any other call failed.
    pub fn failed(&self, reason: &'static str) {
        self.errors.with_label_values(&[reason]).inc();
    }

    /// Whether a transaction is being tried again.
    pub fn is_blocked(&self) -> bool {
        self.blocked.get() == 1
    }
}

/// Why a letter did not go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailFailure {
    /// The server cannot be reached, or is not the one it should be.
    Connection,
    /// The server does not accept user and password.
    Login,
    /// The server says: later.
    Later,
    /// The server says: never.
    Refused,
}

impl MailFailure {
    /// All of them.
    pub const ALL: [MailFailure; 4] =
        [MailFailure::Connection, MailFailure::Login, MailFailure::Later, MailFailure::Refused];

    /// A word for metrics.
    pub fn label(self) -> &'static str {
        match self {
            MailFailure::Connection => "connection",
            MailFailure::Login => "login",
            MailFailure::Later => "later",
            MailFailure::Refused => "refused",
        }
    }
}

/// Series of letters.
#[derive(Clone, Debug)]
pub struct MailMetrics {
    pending: IntGauge,
    held: IntGauge,
    oldest: IntGauge,
    given_up: IntGauge,
    sent: IntCounter,
    sent_last: IntGauge,
    failures: IntCounterVec,
}

impl MailMetrics {
    pub(super) fn register(add: &Registrar<'_>) -> MailMetrics {
        let metrics = MailMetrics {
            pending: add.gauge(
                "slipwatch_mail_pending_letters",
                "Letters that are written and wait to be sent.",
            ),
            held: add.gauge(
                "slipwatch_mail_held_letters",
                "Letters that are not written yet: they wait for the end of a cool-down, or for room among those of their shop's hour. The digest is not counted.",
            ),
            oldest: add.gauge(
                "slipwatch_mail_oldest_pending_timestamp_seconds",
                "When the oldest letter that waits was written; 0 when none waits.",
            ),
            given_up: add.gauge(
                "slipwatch_mail_given_up_letters",
                "Letters that the server refused for good.",
            ),
            sent: add.counter("slipwatch_mail_sent_total", "Letters sent."),
            sent_last: add.gauge(
                "slipwatch_mail_sent_last_timestamp_seconds",
                "When a letter was last sent; 0 before the first.",
            ),
            failures: add.counters(
                "slipwatch_mail_failures_total",
                "Tries of sending that failed, by reason.",
                &["reason"],
            ),
        };
        for failure in MailFailure::ALL {
            metrics.failures.with_label_values(&[failure.label()]);
        }
        metrics
    }

    /// How full the outbox is.
    pub fn outbox(&self, waiting: u64, oldest_waiting: Option<ArrivalTime>, given_up: u64) {
        self.pending.set(waiting as i64);
        self.oldest.set(oldest_waiting.map_or(0, seconds));
        self.given_up.set(given_up as i64);
    }

    /// How many are held back.
    pub fn held(&self, letters: u64) {
        self.held.set(letters as i64);
    }

    /// A letter went out.
    pub fn sent(&self, now: ArrivalTime) {
        self.sent.inc();
        self.sent_last.set(seconds(now));
    }

    /// One did not.
    pub fn failed(&self, failure: MailFailure) {
        self.failures.with_label_values(&[failure.label()]).inc();
    }
}
