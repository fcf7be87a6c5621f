//! The spool's two halves joined: what is written, what is sent, and the one place where they decide for each other.

use super::seal::Sealer;
use super::sending::{Batch, CommitMeaning, SendSettings, Sending};
use super::storage::{Held, StorageAnswer, StorageOrder};
use super::tombstone::Moment;
use super::writing::{RETRY_MS, Utterance, Writing};
use crate::spool::bookmark::Bookmark;
use crate::spool::numbering::Start;
use slipwatch_shared::event::{Epoch, LossReason, Seq};
use slipwatch_shared::times::{Observed, Uptime};
use slipwatch_shared::wire::envelope::{Commit, Covered, Request};
use std::collections::VecDeque;

/// How the spool behaves.
#[derive(Clone, Debug)]
pub struct SpoolSettings {
    /// How batches are sent.
    pub send: SendSettings,
    /// An event is durable this long after it was said, at the latest, plus the disk's own time.
    pub commit_ms: u64,
    /// Most bytes of groups that are kept; beyond it the oldest go.
    pub quota_bytes: u64,
    /// Signs the stream; absent: it is not signed.
    pub sealer: Option<Sealer>,
}

/// What the spool did that somebody may want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// The wall clock jumped.
    ClockStepped {
        /// Milliseconds forward or back.
        by_ms: i64,
    },
    /// The storage refuses to keep; sources wait once memory is full.
    StorageRefused {
        /// Why.
        reason: super::storage::Refusal,
    },
    /// The storage keeps again.
    StorageRecovered,
    /// The quota is reached: the oldest groups go.
    Evicting {
        /// At least so many bytes.
        bytes: u64,
    },
    /// A commit or a request of another life of the numbering came in.
    ForeignEpoch {
        /// The one it names.
        epoch: u64,
    },
    /// The collector has numbers that were never sent: a new epoch begins.
    EpochBegun {
        /// The new one.
        epoch: Epoch,
    },
    /// No commit came in time: sent again from there.
    Resending {
        /// First number sent again.
        from: Seq,
    },
    /// The collector asked for numbers again.
    Requested {
        /// First number it misses.
        from: Seq,
    },
}

/// What the spool wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// By the storage.
    Storage(StorageOrder),
    /// By the uplink, on the agent's batch topic.
    Publish(Batch),
    /// By the log.
    Report(Report),
}

/// What is kept, sent and dropped.
#[derive(Debug)]
pub struct Plan {
    settings: SpoolSettings,
    writing: Writing,
    sending: Sending,
    effects: VecDeque<Effect>,
    evicting: bool,
    /// Not before: the last eviction could not be carried out, or freed nothing.
    evict_again_at: Uptime,
    refused: bool,
}

impl Plan {
    /// Goes on where the last life ended.
    pub fn new(settings: SpoolSettings, start: Start, held: Held, now: Observed) -> Plan {
        let Start { epoch, next, committed_through, lost, chain } = start;
        let send = settings.send.clone();
        let mut plan = Plan {
            writing: Writing::new(settings.commit_ms, settings.sealer.clone(), next, chain, now),
            sending: Sending::new(send, epoch, committed_through, next, held),
            settings,
            effects: VecDeque::new(),
            evicting: false,
            evict_again_at: Uptime(0),
            refused: false,
        };
        if let Some((from, through)) = lost {
            plan.writing.say_lost(from, through, LossReason::SpoolDamaged, &[]);
        }
        plan
    }

    /// Which life of the numbering, the first number that can still be sent, and the next one given.
    pub fn numbers(&self) -> (Epoch, Seq, Seq) {
        (self.sending.epoch(), self.sending.first(), self.writing.next())
    }

    /// The collector has everything through this number.
    pub fn committed(&self) -> Seq {
        self.sending.committed()
    }

    /// Boot, clock and time of the last reading.
    pub fn moment(&self) -> Moment {
        self.writing.moment()
    }

    /// What the storage holds.
    pub fn held(&self) -> Held {
        self.sending.held()
    }

    /// Whether more may be said; when not, sources have to wait.
    pub fn has_room(&self) -> bool {
        self.writing.has_room()
    }

    /// Whether all that was said is durable.
    pub fn is_settled(&self) -> bool {
        self.writing.is_settled()
    }

    /// Whether all that was said is durable and committed.
    pub fn is_drained(&self) -> bool {
        self.writing.is_settled() && self.sending.is_drained()
    }

    /// A reading of the clocks.
    pub fn clock_read(&mut self, now: Observed, covered: &[Covered]) {
        if let Some(by_ms) = self.writing.clock_read(now, covered) {
            self.report(Report::ClockStepped { by_ms });
        }
    }

    /// Something was said.
    pub fn say(&mut self, utterance: Utterance, covered: &[Covered]) {
        self.writing.say(utterance, covered);
    }

    /// A file was read so far.
    pub fn bookmark(&mut self, name: &str, bookmark: Bookmark) {
        self.writing.bookmark(name, bookmark);
    }

    /// What was said is signed and goes to the storage at once.
    pub fn close(&mut self, covered: &[Covered]) {
        self.writing.seal(covered);
        self.writing.close(covered);
    }

    /// The storage answered.
    pub fn answered(&mut self, answer: StorageAnswer) {
        match answer {
            StorageAnswer::Stored { through, held } => {
                self.sending.holds(held);
                let sending = &mut self.sending;
                self.writing.stored(through).for_each(|group| sending.stored(group));
                if std::mem::take(&mut self.refused) {
                    self.report(Report::StorageRecovered);
                }
            }
            StorageAnswer::Refused { reason } => {
                self.writing.refused(reason);
                if !std::mem::replace(&mut self.refused, true) {
                    self.report(Report::StorageRefused { reason });
                }
            }
            StorageAnswer::Fetched { from, groups } => self.sending.fetched(from, groups),
            StorageAnswer::Holds(held) => {
                let freed = held.bytes < self.sending.held().bytes;
                self.eviction_ended(freed);
                self.sending.holds(held);
            }
            StorageAnswer::Failed => {
                self.eviction_ended(false);
                self.sending.fetch_failed(self.writing.moment().uptime);
            }
        }
    }

    fn eviction_ended(&mut self, freed: bool) {
        if std::mem::take(&mut self.evicting) && !freed {
            self.evict_again_at = self.writing.moment().uptime.plus_ms(RETRY_MS);
        }
    }

    /// A connection stands and its answers can be heard.
    pub fn connected(&mut self) {
        self.sending.connected();
    }

    /// The connection is gone.
    pub fn disconnected(&mut self) {
        self.sending.disconnected();
    }

    /// The collector has stored numbers.
    pub fn committed_by_collector(&mut self, commit: Commit, now: Observed) {
        match self.sending.commit(commit) {
            CommitMeaning::Progress => {
                self.order(StorageOrder::Remove { through: Seq(commit.through) })
            }
            CommitMeaning::Behind => {}
            CommitMeaning::Foreign => self.report(Report::ForeignEpoch { epoch: commit.epoch }),
            CommitMeaning::Ahead => self.begin_epoch(Seq(commit.through), now),
        }
    }

    /// The store came back from an older state than the collector saw (a disk that lied about syncing, a restored
    /// image), so numbers would be given twice and the collector would take new events for repeats. What was kept
    /// before this life began is what the collector has; all else goes out under a new epoch.
    fn begin_epoch(&mut self, through: Seq, now: Observed) {
        let old = Seq(through.0.min(self.sending.life_first().0.saturating_sub(1)));
        self.order(StorageOrder::Remove { through: old });
        let epoch = new_epoch(now, self.sending.epoch());
        self.order(StorageOrder::BeginEpoch { epoch });
        self.sending.begin_epoch(epoch);
        self.report(Report::EpochBegun { epoch });
    }

    /// The collector asks for numbers again.
    pub fn requested(&mut self, request: Request) {
        let now = self.writing.moment().uptime;
        match self.sending.requested(request, now) {
            true => self.report(Report::Requested { from: Seq(request.from) }),
            false => self.report(Report::ForeignEpoch { epoch: request.epoch }),
        }
    }

    /// Does what is due, and collects what is to be done.
    pub fn pump(&mut self, now: Observed, covered: &[Covered]) {
        self.writing.close_when_due(covered);
        if let Some(order) = self.writing.next_order() {
            self.order(order);
        }
        let Held { bytes, groups, .. } = self.sending.held();
        let may_evict = !self.evicting && self.evict_again_at <= now.uptime;
        if bytes > self.settings.quota_bytes && groups > 1 && may_evict {
            self.evicting = true;
            // A tenth more, so that not every append evicts.
            let bytes = bytes - self.settings.quota_bytes + self.settings.quota_bytes / 10;
            self.order(StorageOrder::Evict { bytes });
            self.report(Report::Evicting { bytes });
        }
        if self.sending.resend_when_due(now.uptime) {
            self.report(Report::Resending { from: self.sending.committed().next() });
        }
        while let Some(batch) = self.sending.next_batch(now) {
            self.effects.push_back(Effect::Publish(batch));
        }
        if let Some(order) = self.sending.next_order(now.uptime) {
            self.order(order);
        }
    }

    fn order(&mut self, order: StorageOrder) {
        self.effects.push_back(Effect::Storage(order));
    }

    fn report(&mut self, report: Report) {
        self.effects.push_back(Effect::Report(report));
    }

    /// What is to be done next.
    pub fn next_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When something is to be done.
    pub fn wake_at(&self) -> Option<Uptime> {
        self.writing.wake_at().into_iter().chain(self.sending.wake_at()).min()
    }
}

/// Names a life of the numbering by the wall clock; never the `old` one, nor one before it.
pub fn new_epoch(now: Observed, old: Epoch) -> Epoch {
    let by_clock = u64::try_from(now.wall.0).unwrap_or(0);
    Epoch(by_clock.max(old.0.saturating_add(1)))
}

#[cfg(test)]
mod tests;
