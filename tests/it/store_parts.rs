//! What the tests of the collector's store on a disk share: an agent that sends group after group to a collector's core, and
//! a look into the journal.

use crate::spool_parts::{EVENTS_A_GROUP, group};
use anyhow::Result;
use slipwatch_collector::collector::{Collector, Input, Settings};
use slipwatch_collector::commit::{Commit, Snapshot};
use slipwatch_collector::correlate::policy::{AgentName, Policies};
use slipwatch_collector::edge::store::Store;
use slipwatch_collector::edge::store::sqlite::SqliteStore;
use slipwatch_shared::event::{Epoch, Seq};
use slipwatch_shared::times::ArrivalTime;
use slipwatch_shared::wire::envelope::EventBatch;
use slipwatch_shared::wire::topic::{Channel, Topic};

const NOW: ArrivalTime = ArrivalTime(1_763_971_200_000);

fn agent() -> AgentName {
    AgentName {
        store: "shop-1".parse().expect("a store"),
        agent: "till-1".parse().expect("an agent"),
    }
}

/// An agent and the collector's core that it sends to.
pub struct Sender {
    collector: Collector,
    next: u64,
}

impl Sender {
    /// A core that goes on where the store stands.
    pub fn new(snapshot: Snapshot) -> Sender {
        let policies =
            Policies { agents: [agent()].into(), agent_offline_ms: 300_000, ..Policies::default() };
        let settings = Settings { policies, ..Settings::default() };
        Sender { collector: Collector::restore(settings, snapshot), next: 1 }
    }

    fn send(&mut self, first: u64, store: &mut SqliteStore) {
        let AgentName { store: shop, agent } = agent();
        let (frame, _) = EventBatch::pack(&shop, &agent, Epoch(1), false, &[group(first)]);
        let topic = Topic::new(&shop, &agent, Channel::Batch);
        self.collector.handle(NOW, Input::Batch { topic: &topic, payload: &frame }, store);
    }

    /// Sends so many groups more, and takes what is to be stored of them.
    pub fn commit_of(&mut self, groups: u64, store: &mut SqliteStore) -> Commit {
        for _ in 0..groups {
            self.send(self.next, store);
            self.next += EVENTS_A_GROUP;
        }
        self.collector.take_commit(NOW).expect("events were admitted")
    }

    /// The last number sent.
    pub fn through(&self) -> u64 {
        self.next - 1
    }

    /// Whether all through this number is taken for a repeat, and the number after it for new.
    pub fn repeats_through(&mut self, through: u64, store: &mut SqliteStore) -> bool {
        (1..through).step_by(EVENTS_A_GROUP as usize).for_each(|first| self.send(first, store));
        let counts = self.collector.counts();
        let all_known = counts.events == 0 && counts.repeats == through;
        self.send(through + 1, store);
        all_known && self.collector.counts().events == EVENTS_A_GROUP
    }
}

/// The numbers in the journal, as they stand there.
pub fn journal(store: &mut SqliteStore, through: u64) -> Result<Vec<u64>> {
    let events = store.reader()?.journal(&agent(), Epoch(1), Seq(1), Seq(through + 1_000))?;
    Ok(events.iter().map(|event| event.seq.0).collect())
}
