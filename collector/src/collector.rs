//! The whole collector without a world: what arrived goes in, what is to be stored and published comes out. Touches no
//! clock, no store and no network itself.

use crate::alert::policy::LetterPolicy;
use crate::commit::{Commit, Recall, Snapshot};
use crate::correlate::policy::Policies;
use slipwatch_shared::times::ArrivalTime;
use slipwatch_shared::wire::topic::Topic;

/// All that the collector is set to.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Who is known and what each terminal is judged by.
    pub policies: Policies,
    /// Who gets letters, and how.
    pub letters: crate::alert::policy::LetterSettings,
}

/// All that can happen to the collector.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// Something came on an agent's batch topic.
    Batch {
        /// The topic it came on.
        topic: &'a Topic,
        /// Its bytes.
        payload: &'a [u8],
    },
    /// Something came on an agent's state topic.
    State {
        /// The topic it came on.
        topic: &'a Topic,
        /// Its bytes.
        payload: &'a [u8],
    },
    /// Time passed on the collector's clock; sent about once a second.
    Tick,
}

/// What was counted since the start; the loop copies it into the metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Batches admitted.
    pub batches: u64,
    /// Events admitted.
    pub events: u64,
    /// Events that came again and were dropped.
    pub repeats: u64,
    /// Batches that came too early; what is missing was asked for.
    pub gaps: u64,
    /// Numbers that agents gave up as lost.
    pub numbers_lost: u64,
    /// Records inside sound batches that could not be read.
    pub records_unread: u64,
    /// Card numbers seen in what agents sent, and dropped.
    pub card_numbers: u64,
    /// Things put aside, by reason, in the order of [`Counts::QUARANTINE`].
    pub quarantined: [u64; Counts::QUARANTINE.len()],
    /// Verdicts that were reached or changed, in the order of [`crate::correlate::verdict::Verdict::LABELS`].
    pub verdicts: [u64; 6],
    /// Findings raised, in the order of [`crate::correlate::finding::FindingKind::ALL`].
    pub raised: [u64; 26],
    /// Findings resolved, in the same order.
    pub resolved: [u64; 26],
    /// Events that fitted no payment.
    pub unfiled: u64,
    /// Payments that were let go because a terminal had too many.
    pub over_bound: u64,
}

impl Counts {
    /// Every reason for putting aside, for series that must exist at zero.
    pub const QUARANTINE: [&'static str; 9] = [
        "unknown_agent",
        "cut",
        "foreign_version",
        "wrong_kind",
        "checksum",
        "too_large",
        "header",
        "identity",
        "epoch",
    ];
}

/// What stands now; the loop copies it into the metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Payments in memory.
    pub cases: u64,
    /// Payments whose verdict is pending.
    pub pending: u64,
    /// Agents by presence, in the order of [`crate::commit::Presence::ALL`].
    pub agents: [u64; 4],
    /// Findings that are open and in memory, in the order of [`crate::correlate::finding::FindingKind::ALL`].
    pub open_findings: [u64; 26],
}

/// The whole collector without a world.
#[derive(Debug)]
pub struct Collector {
    settings: Settings,
    letters: LetterPolicy,
    commit: Commit,
    counts: Counts,
}

impl Collector {
    /// A collector that goes on where the store stands.
    pub fn restore(settings: Settings, snapshot: Snapshot) -> Collector {
        let letters =
            LetterPolicy::restore(settings.letters.clone(), snapshot.alert_state.as_deref());
        Collector { settings, letters, commit: Commit::default(), counts: Counts::default() }
    }

    /// Other settings from now on; what was judged is judged again where the change concerns it.
    pub fn reload(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// Takes in one thing that happened. `recall` reads payments that left memory; it must see every commit taken
    /// before.
    pub fn handle(&mut self, _now: ArrivalTime, _input: Input<'_>, _recall: &mut dyn Recall) {}

    /// All that is to be stored since the last one; nothing when there is nothing. The caller keeps it until the store
    /// took it, then publishes its replies, and only then takes the next.
    pub fn take_commit(&mut self, now: ArrivalTime) -> Option<Commit> {
        let findings = &self.commit.findings;
        self.commit.outbox.extend(self.letters.letters(now, findings));
        self.commit.alert_state = self.letters.state();
        let commit = std::mem::take(&mut self.commit);
        (!commit.is_empty()).then_some(commit)
    }

    /// What was counted since the start.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// What stands now.
    pub fn gauges(&self) -> Gauges {
        Gauges::default()
    }
}
