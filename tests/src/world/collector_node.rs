//! The collector of a world: the real core over a store that outlives it. What arrives waits in a queue; one commit is
//! stored at a time, and only then are its replies published. Decides nothing.

use crate::ledger::House;
use crate::store::MemoryStore;
use crate::world::agent_node::WALL_MS_AT_START;
use slipwatch_collector::collector::{Collector, Input, Settings};
use slipwatch_collector::commit::{Commit, Reply};
use slipwatch_shared::times::ArrivalTime;
use slipwatch_shared::wire::topic::{Channel, Topic};
use std::collections::VecDeque;

/// Most messages that wait; what comes beyond is lost, and sent again by the agents.
const INBOX_MAX: usize = 256;

/// The collector.
pub struct CollectorNode {
    /// What it stored.
    pub store: MemoryStore,
    /// How often it was started.
    pub life: u64,
    /// Whether the store takes nothing.
    pub store_full: bool,
    /// What the auditor of the store found wrong.
    pub complaints: Vec<String>,
    settings: Settings,
    running: Option<Running>,
    /// Whether the store's next piece of work is entered in the agenda.
    pub store_busy: bool,
}

struct Running {
    collector: Collector,
    inbox: VecDeque<(Topic, Vec<u8>)>,
    /// Handed to the store, not yet durable.
    storing: Option<Commit>,
}

impl CollectorNode {
    /// A collector that is not started yet.
    pub fn new(settings: Settings) -> CollectorNode {
        CollectorNode {
            store: MemoryStore::default(),
            life: 0,
            store_full: false,
            complaints: Vec::new(),
            settings,
            running: None,
            store_busy: false,
        }
    }

    /// Starts the process over what is stored.
    pub fn start(&mut self) {
        self.life += 1;
        self.store_busy = false;
        let collector = Collector::restore(self.settings.clone(), self.store.load());
        self.running = Some(Running { collector, inbox: VecDeque::new(), storing: None });
    }

    /// The process is gone, with all that was not stored.
    pub fn kill(&mut self) {
        self.running = None;
    }

    /// Whether the process lives.
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// A message arrived.
    pub fn receive(&mut self, topic: Topic, payload: Vec<u8>) {
        if let Some(running) = &mut self.running
            && running.inbox.len() < INBOX_MAX
        {
            running.inbox.push_back((topic, payload));
        }
    }

    /// Takes in all that waits, and time. Says whether there is something to store.
    pub fn turn(&mut self, now: i64) -> bool {
        let Some(Running { collector, inbox, storing }) = &mut self.running else { return false };
        if storing.is_some() {
            return true;
        }
        let now = arrival(now);
        for (topic, payload) in inbox.drain(..) {
            let input = match topic.channel {
                Channel::Batch => Input::Batch { topic: &topic, payload: &payload },
                _ => Input::State { topic: &topic, payload: &payload },
            };
            collector.handle(now, input, &mut self.store);
        }
        collector.handle(now, Input::Tick, &mut self.store);
        *storing = collector.take_commit(now);
        storing.is_some()
    }

    /// The store takes the commit, or refuses; what may be published now comes back.
    pub fn store(
        &mut self,
        house: &House,
        watch: impl Fn(&Commit, &House) -> Vec<String>,
    ) -> Vec<Reply> {
        let Some(running) = &mut self.running else { return Vec::new() };
        if self.store_full {
            return Vec::new();
        }
        let Some(commit) = running.storing.take() else { return Vec::new() };
        if let Err(complaint) = self.store.commit(&commit) {
            self.complaints.push(complaint);
        }
        self.complaints.extend(watch(&commit, house));
        commit.replies
    }
}

/// The collector's clock.
pub fn arrival(now: i64) -> ArrivalTime {
    ArrivalTime(WALL_MS_AT_START + now)
}
