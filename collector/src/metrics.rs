//! Every series, typed; registered once and present from the start, for a series that is absent can raise no alert.
//! Label values come from enums or from the settings, never from input; payments and cards never are labels.

use crate::collector::{Counts, Gauges};
use crate::commit::{Commit, Presence};
use crate::correlate::finding::{Change, FindingKind, Severity};
use crate::correlate::policy::AgentName;
use crate::correlate::verdict::Verdict;
use prometheus::core::Collector as Series;
use prometheus::{
    Encoder, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};
use slipwatch_shared::event::LineCounts;
use slipwatch_shared::times::ArrivalTime;
use std::collections::BTreeMap;

mod complaints;
mod families;
pub use complaints::ComplaintMetrics;
pub use families::{AgentMetrics, LinesPer, MailFailure, MailMetrics, StoreMetrics};

/// What `/metrics` says it is.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4";

/// A reason beside those of [`Counts::QUARANTINE`]: the topic itself is none of ours.
const FOREIGN_TOPIC: &str = "foreign_topic";

/// Every series of the collector.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    /// Findings that are to be told, of what is happening now.
    findings: IntCounterVec,
    /// The same of recordings.
    findings_historical: IntCounterVec,
    findings_resolved: IntCounterVec,
    findings_open: IntGaugeVec,
    verdicts: IntCounterVec,
    cases_open: IntGauge,
    cases_pending: IntGauge,
    batches: IntCounter,
    events: IntCounter,
    repeats: IntCounter,
    gaps: IntCounter,
    numbers_lost: IntCounter,
    records_unread: IntCounter,
    card_numbers: IntCounter,
    unfiled: IntCounter,
    over_bound: IntCounter,
    quarantined: IntCounterVec,
    event_last: IntGauge,
    queue: IntGauge,
    queue_max: IntGauge,
    turns: IntCounter,
    turn_last: IntGauge,
    broker_connected: IntGauge,
    broker_connections: IntCounter,
    replies_dropped: IntCounter,
    reloads: IntCounterVec,
    /// One series an agent of the settings.
    pub agents: AgentMetrics,
    /// The store.
    pub store: StoreMetrics,
    /// Letters.
    pub mail: MailMetrics,
    /// The complaint desk.
    pub complaints: ComplaintMetrics,
}

/// Registers series one by one.
pub(crate) struct Registrar<'a> {
    registry: &'a Registry,
}

impl Registrar<'_> {
    fn add<S: Series + Clone + 'static>(&self, series: prometheus::Result<S>) -> S {
        let series = series.expect("a series' name and labels are sound");
        self.registry.register(Box::new(series.clone())).expect("each series is named once");
        series
    }

    pub(crate) fn counter(&self, name: &str, help: &str) -> IntCounter {
        self.add(IntCounter::new(name, help))
    }

    pub(crate) fn gauge(&self, name: &str, help: &str) -> IntGauge {
        self.add(IntGauge::new(name, help))
    }

    pub(crate) fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.add(IntCounterVec::new(Opts::new(name, help), labels))
    }

    pub(crate) fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        self.add(IntGaugeVec::new(Opts::new(name, help), labels))
    }

    pub(crate) fn histogram(&self, name: &str, help: &str, buckets: &[f64]) -> Histogram {
        self.add(Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec())))
    }
}

impl Metrics {
    /// Registers each series once, at zero.
    ///
    /// # Panics
    /// When a name is taken twice: our own bug, which any test shows.
    pub fn register() -> Metrics {
        let registry = Registry::new();
        let process = prometheus::process_collector::ProcessCollector::for_self();
        registry.register(Box::new(process)).expect("process series are registered once");
        let add = Registrar { registry: &registry };
        let build = add.gauges(
            "slipwatch_build_info",
            "Always 1; its label tells the version.",
            &["version"],
        );
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let metrics = Metrics {
            findings: add.counters("slipwatch_findings_total", "Findings that people are to be told of, of what happens now, by kind and by the severity with which they were first told; one that is only suspected is not counted yet.", &["kind", "severity"]),
            findings_historical: add.counters("slipwatch_findings_historical_total", "The same of recordings; nobody is rung about them.", &["kind"]),
            findings_resolved: add.counters("slipwatch_findings_resolved_total", "Findings that ended, told or only suspected, by kind.", &["kind"]),
            findings_open: add.gauges("slipwatch_findings_open", "Findings that are open in the store, told or only suspected, whoever raised them, by kind.", &["kind"]),
            verdicts: add.counters("slipwatch_verdicts_total", "Verdicts on slips that were reached or changed.", &["verdict"]),
            cases_open: add.gauge("slipwatch_cases_open", "Payments in memory: new events may still change them."),
            cases_pending: add.gauge("slipwatch_cases_pending", "Payments whose slip is neither here nor overdue."),
            batches: add.counter("slipwatch_batches_total", "Batches admitted."),
            events: add.counter("slipwatch_events_total", "Events admitted."),
            repeats: add.counter("slipwatch_events_repeated_total", "Events that came again and were dropped."),
            gaps: add.counter("slipwatch_gaps_total", "Batches that came too early; what was missing was asked for."),
            numbers_lost: add.counter("slipwatch_events_lost_total", "Events that agents gave up as lost, by their numbers."),
            records_unread: add.counter("slipwatch_records_unread_total", "Records of sound batches that could not be read."),
            card_numbers: add.counter("slipwatch_card_numbers_seen_total", "Card numbers that an agent let through; they were dropped here."),
            unfiled: add.counter("slipwatch_events_unfiled_total", "Events that fitted no payment."),
            over_bound: add.counter("slipwatch_cases_over_bound_total", "Payments let go because their terminal had too many open."),
            quarantined: add.counters("slipwatch_quarantined_messages_total", "Messages put aside, by reason.", &["reason"]),
            event_last: add.gauge("slipwatch_batch_last_timestamp_seconds", "When a batch was last admitted; 0 before the first."),
            queue: add.gauge("slipwatch_queue_messages", "Messages that wait for the thread that judges."),
            queue_max: add.gauge(
                "slipwatch_queue_messages_max",
                "How many messages may wait for the thread that judges.",
            ),
            turns: add.counter("slipwatch_turns_total", "Turns of the thread that judges."),
            turn_last: add.gauge("slipwatch_turn_last_timestamp_seconds", "When the thread that judges last ended a turn."),
            broker_connected: add.gauge("slipwatch_broker_connected", "1 while the broker is connected and subscribed to."),
            broker_connections: add.counter("slipwatch_broker_connections_total", "Connections to the broker that came to stand."),
            replies_dropped: add.counter("slipwatch_replies_dropped_total", "Replies to agents that found no room; they are told again on the agent's next batch."),
            reloads: add.counters("slipwatch_settings_reloads_total", "Reloads of the settings, by result.", &["result"]),
            agents: AgentMetrics::register(&add),
            store: StoreMetrics::register(&add),
            mail: MailMetrics::register(&add),
            complaints: ComplaintMetrics::register(&add),
            registry: registry.clone(),
        };
        metrics.zero();
        metrics
    }

    fn zero(&self) {
        for kind in FindingKind::ALL {
            for severity in Severity::ALL {
                self.findings.with_label_values(&[kind.label(), severity.label()]);
            }
            self.findings_historical.with_label_values(&[kind.label()]);
            self.findings_resolved.with_label_values(&[kind.label()]);
            self.findings_open.with_label_values(&[kind.label()]);
        }
        for verdict in Verdict::LABELS {
            self.verdicts.with_label_values(&[verdict]);
        }
        for reason in Counts::QUARANTINE.into_iter().chain([FOREIGN_TOPIC]) {
            self.quarantined.with_label_values(&[reason]);
        }
        for result in ["accepted", "refused"] {
            self.reloads.with_label_values(&[result]);
        }
    }

    /// All series as Prometheus reads them.
    pub fn encode(&self) -> Vec<u8> {
        let mut text = Vec::new();
        TextEncoder::new()
            .encode(&self.registry.gather(), &mut text)
            .expect("memory takes any number of series");
        text
    }

    /// Copies what the core counted and how it stands.
    pub fn observe_core(&self, counts: &Counts, gauges: &Gauges) {
        raise(&self.batches, counts.batches);
        raise(&self.events, counts.events);
        raise(&self.repeats, counts.repeats);
        raise(&self.gaps, counts.gaps);
        raise(&self.numbers_lost, counts.numbers_lost);
        raise(&self.records_unread, counts.records_unread);
        raise(&self.card_numbers, counts.card_numbers);
        raise(&self.unfiled, counts.unfiled);
        raise(&self.over_bound, counts.over_bound);
        for (reason, &count) in Counts::QUARANTINE.iter().zip(&counts.quarantined) {
            raise(&self.quarantined.with_label_values(&[reason]), count);
        }
        for (verdict, &count) in Verdict::LABELS.iter().zip(&counts.verdicts) {
            raise(&self.verdicts.with_label_values(&[verdict]), count);
        }
        self.cases_open.set(gauges.cases as i64);
        self.cases_pending.set(gauges.pending as i64);
        self.mail.held(gauges.held_letters);
        for (presence, &agents) in Presence::ALL.iter().zip(&gauges.agents) {
            self.agents.present(*presence, agents);
        }
    }

    /// How many findings of each kind are open.
    pub fn open_findings(&self, open: &BTreeMap<FindingKind, u64>) {
        for kind in FindingKind::ALL {
            let count = open.get(&kind).copied().unwrap_or_default();
            self.findings_open.with_label_values(&[kind.label()]).set(count as i64);
        }
    }

    /// Counts what one durable commit holds.
    pub fn observe_commit(&self, commit: &Commit) {
        if let Some(arrived) = commit.journal.iter().map(|batch| batch.arrived).max() {
            self.event_last.set(seconds(arrived));
        }
        for agent in &commit.agents {
            self.agents.heard(&agent.name, agent.heard, agent.presence);
        }
        for change in commit.told.iter().chain(&commit.findings) {
            let (kind, severity) =
                (change.finding.id.kind.label(), change.finding.severity.label());
            if change.change == Change::Resolved {
                self.findings_resolved.with_label_values(&[kind]).inc();
            }
            match change.finding.historical {
                _ if !change.alerts => {}
                true => self.findings_historical.with_label_values(&[kind]).inc(),
                false => self.findings.with_label_values(&[kind, severity]).inc(),
            }
        }
    }

    /// One turn of the thread that judges ended, with so many messages left in its queue.
    pub fn turned(&self, now: ArrivalTime, queued: usize) {
        self.turns.inc();
        self.turn_last.set(seconds(now));
        self.queue.set(queued as i64);
    }

    /// How many messages may wait for the thread that judges.
    pub fn queue_holds(&self, messages_max: usize) {
        self.queue_max.set(messages_max as i64);
    }

    /// A message came on a topic that is none of ours.
    pub fn foreign_topic(&self) {
        self.quarantined.with_label_values(&[FOREIGN_TOPIC]).inc();
    }

    /// How many messages were put aside since the start, by reason.
    pub fn quarantined(&self) -> Vec<(&'static str, u64)> {
        let reasons = Counts::QUARANTINE.into_iter().chain([FOREIGN_TOPIC]);
        reasons
            .map(|reason| (reason, self.quarantined.with_label_values(&[reason]).get()))
            .collect()
    }

    /// The broker was connected or lost.
    pub fn broker(&self, connected: bool) {
        self.broker_connected.set(connected.into());
        if connected {
            self.broker_connections.inc();
        }
    }

    /// Whether the broker is connected.
    pub fn broker_is_connected(&self) -> bool {
        self.broker_connected.get() == 1
    }

    /// A reply found no room.
    pub fn reply_dropped(&self) {
        self.replies_dropped.inc();
    }

    /// New settings were taken, or were wrong and the old ones kept.
    pub fn reloaded(&self, accepted: bool) {
        let result = if accepted { "accepted" } else { "refused" };
        self.reloads.with_label_values(&[result]).inc();
    }

    /// What an agent's lines came to since they were last told.
    pub fn lines(&self, agent: &AgentName, counts: &LineCounts) {
        self.agents.lines(agent, counts);
    }
}

/// A counter that follows one kept elsewhere.
fn raise(counter: &IntCounter, to: u64) {
    counter.inc_by(to.saturating_sub(counter.get()));
}

/// Whole seconds since 1970.
pub(crate) fn seconds(time: ArrivalTime) -> i64 {
    time.0.div_euclid(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_is_there_from_the_start() {
        let text = String::from_utf8(Metrics::register().encode()).unwrap();
        for series in [
            "slipwatch_findings_total{kind=\"no_receipt_debit\",severity=\"p1\"} 0",
            "slipwatch_quarantined_messages_total{reason=\"unknown_agent\"} 0",
            "slipwatch_quarantined_messages_total{reason=\"foreign_topic\"} 0",
            "slipwatch_verdicts_total{verdict=\"unknown\"} 0",
            "slipwatch_mail_failures_total{reason=\"login\"} 0",
            "slipwatch_agents{presence=\"online\"} 0",
            "slipwatch_complaints_answered_total{outcome=\"under_inquiry\"} 0",
            "slipwatch_complaints_overdue 0",
            "slipwatch_commit_duration_seconds_count 0",
            "process_resident_memory_bytes",
        ] {
            assert!(text.contains(series), "{series} is missing");
        }
    }

    #[test]
    fn counters_follow_what_the_core_counted() {
        let metrics = Metrics::register();
        let counts = Counts { events: 5, ..Counts::default() };
        metrics.observe_core(&counts, &Gauges::default());
        metrics.observe_core(&counts, &Gauges::default());
        let text = String::from_utf8(metrics.encode()).unwrap();
        assert!(text.contains("slipwatch_events_total 5"), "{text}");
    }
}
