//! A whole fleet in one thread from one seed: scripted terminals, the agents' core, a broker that loses, the
//! collector's core, and a clock that only the world moves. The same seed gives the same world for ever. Reads no real
//! clock and touches no real disk, port or network.

pub mod agent_node;
pub mod collector_node;
pub mod proof;
pub mod recipe;
pub mod trouble;

use crate::dice::Dice;
use crate::ledger::House;
use crate::lossy_broker::LossyBroker;
use crate::terminal::Payment;
use agent_node::{AgentNode, WALL_MS_AT_START};
use collector_node::CollectorNode;
use recipe::Recipe;
use slipwatch_agent::agent::Input as AgentInput;
use slipwatch_agent::decode::dialect::Direction;
use slipwatch_shared::wire::envelope::{AgentStatus, Commit, Request};
use slipwatch_shared::wire::topic::{Channel, Topic};
use std::collections::BTreeMap;
use trouble::{Mishap, Trouble};

/// How often an agent looks at its lines, in milliseconds.
const LOOK_MS: i64 = 2_000;
/// How often the collector is told that time passed.
const TICK_MS: i64 = 1_000;
/// How long after a lost connection the agent tries again.
const RECONNECT_MS: i64 = 3_000;
/// How long a world may take after its last payment to come to rest.
const REST_MS_MAX: i64 = 3_600_000;

/// So many happenings in one world are no life but a loop.
const HAPPENINGS_MAX: u64 = 1_000_000;

/// Something that is on the world's agenda.
#[derive(Debug)]
enum Happening {
    /// A terminal writes on a line.
    Written {
        agent: usize,
        line: usize,
        bytes: Vec<u8>,
    },
    Look {
        agent: usize,
    },
    Wake {
        agent: usize,
        life: u64,
    },
    StorageWorks {
        agent: usize,
        life: u64,
    },
    Connect {
        agent: usize,
        life: u64,
    },
    ToAgent {
        agent: usize,
        connection: u64,
        topic: Topic,
        payload: Vec<u8>,
    },
    ToCollector {
        life: u64,
        topic: Topic,
        payload: Vec<u8>,
    },
    CollectorTicks,
    StoreWorks {
        life: u64,
    },
    Begin(Mishap),
    End(Mishap),
}

/// The world.
pub struct World {
    /// What time it is, in milliseconds since it began.
    pub now: i64,
    /// What is known of the house by everyone.
    pub house: House,
    /// What really happens.
    pub payments: Vec<Payment>,
    /// The agents.
    pub agents: Vec<AgentNode>,
    /// The collector.
    pub collector: CollectorNode,
    broker: LossyBroker,
    agenda: BTreeMap<(i64, u64), Happening>,
    entered: u64,
    dice: Dice,
    ends: i64,
}

impl World {
    /// The world of a recipe, before its first moment.
    pub fn new(recipe: Recipe) -> World {
        let mut world = World {
            now: 0,
            house: recipe.house,
            payments: recipe.payments,
            agents: recipe.agents,
            collector: CollectorNode::new(recipe.collector),
            broker: recipe.broker,
            agenda: BTreeMap::new(),
            entered: 0,
            dice: recipe.dice,
            ends: 0,
        };
        let written = recipe.writing.iter().map(|(at, ..)| *at).max();
        for (at, agent, line, bytes) in recipe.writing {
            world.enter(at, Happening::Written { agent, line, bytes });
        }
        let troubled = recipe.mishaps.iter().map(|mishap| mishap.at + mishap.lasts_ms).max();
        let paid = world.payments.iter().map(Payment::ended).max();
        world.ends = troubled.max(paid).max(written).unwrap_or(0);
        for mishap in recipe.mishaps {
            world.enter(mishap.at, Happening::Begin(mishap));
        }
        world.collector.start();
        world.enter(TICK_MS, Happening::CollectorTicks);
        for agent in 0..world.agents.len() {
            world.start_agent(agent);
            world.enter(LOOK_MS, Happening::Look { agent });
        }
        world
    }

    fn enter(&mut self, at: i64, happening: Happening) {
        self.entered += 1;
        self.agenda.insert((at.max(self.now), self.entered), happening);
    }

    /// Runs until everything that happened is with the collector and every deadline is passed. False when the world
    /// does not come to rest.
    pub fn run(&mut self) -> bool {
        let mut rest_from = None;
        while let Some(((at, _), happening)) = self.agenda.pop_first() {
            self.now = at;
            if self.entered > HAPPENINGS_MAX {
                let what = format!("{happening:?}").chars().take(80).collect::<String>();
                self.agents[0].note(at, format!("the world goes round in circles: {what}"));
                return false;
            }
            self.happen(happening);
            if self.now <= self.ends {
                continue;
            }
            if rest_from.is_none() {
                self.broker.mend();
            }
            let begun = *rest_from.get_or_insert(self.now);
            let told = self.house.alert_ms.max(self.house.reversal_pending_ms) + 120_000;
            if self.now > begun + told && self.agents.iter().all(AgentNode::is_drained) {
                return true;
            }
            if self.now > begun + REST_MS_MAX {
                return false;
            }
        }
        false
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Written { agent, line, bytes } => self.written(agent, line, &bytes),
            Happening::Look { agent } => {
                self.agents[agent].look_at_lines(self.now);
                self.follow(agent);
                self.enter(self.now + LOOK_MS, Happening::Look { agent });
            }
            Happening::Wake { agent, life } if life == self.agents[agent].life => {
                self.agents[agent].wake_entered.take_if(|entered| *entered <= self.now);
                self.agents[agent].handle(self.now, AgentInput::Tick);
                self.follow(agent);
            }
            Happening::StorageWorks { agent, life } if life == self.agents[agent].life => {
                self.agents[agent].storage_busy = false;
                self.agents[agent].storage_works(self.now);
                self.follow(agent);
            }
            Happening::Connect { agent, life } => self.connect(agent, life),
            Happening::ToAgent { agent, connection, topic, payload } => {
                if self.agents[agent].connection == Some(connection) {
                    self.deliver(agent, &topic, &payload);
                }
            }
            Happening::ToCollector { life, topic, payload } => {
                if life == self.collector.life {
                    self.collector.receive(topic, payload);
                    self.collector_turns();
                }
            }
            Happening::CollectorTicks => {
                self.collector_turns();
                self.enter(self.now + TICK_MS, Happening::CollectorTicks);
            }
            Happening::StoreWorks { life } if life == self.collector.life => self.store_works(),
            Happening::Begin(mishap) => self.begin(mishap),
            Happening::End(mishap) => self.end(mishap),
            Happening::Wake { .. }
            | Happening::StorageWorks { .. }
            | Happening::StoreWorks { .. } => {}
        }
    }

    fn written(&mut self, agent: usize, line: usize, bytes: &[u8]) {
        let node = &mut self.agents[agent];
        if node.is_running() && node.lines[line].plugged {
            let source = node.lines[line].source;
            node.handle(
                self.now,
                AgentInput::Bytes { source, direction: Direction::Either, bytes, place: None },
            );
            self.follow(agent);
        }
    }

    /// Carries out what an agent wants done.
    fn follow(&mut self, agent: usize) {
        let now = self.now;
        let node = &mut self.agents[agent];
        let life = node.life;
        let (batches, work) = node.take_effects(now);
        let wake_at = node.wake_at();
        let topic = Topic::new(&node.name.store, &node.name.agent, Channel::Batch);
        if work && !std::mem::replace(&mut self.agents[agent].storage_busy, true) {
            let latency = self.dice.between(1, 30);
            self.enter(now + latency, Happening::StorageWorks { agent, life });
        }
        let wake_at = wake_at.map(|at| at.max(now + 1)).filter(|&at| at < now + LOOK_MS);
        let entered = &mut self.agents[agent].wake_entered;
        if let Some(at) = wake_at
            && entered.is_none_or(|entered| at < entered)
        {
            *entered = Some(at);
            self.enter(at, Happening::Wake { agent, life });
        }
        for batch in batches {
            self.send_up(topic.clone(), batch.frame);
        }
    }

    fn send_up(&mut self, topic: Topic, payload: Vec<u8>) {
        let life = self.collector.life;
        for delay in self.broker.fate() {
            let (topic, payload) = (topic.clone(), payload.clone());
            self.enter(self.now + delay, Happening::ToCollector { life, topic, payload });
        }
    }

    fn start_agent(&mut self, agent: usize) {
        self.agents[agent].start(self.now);
        let life = self.agents[agent].life;
        self.enter(self.now + RECONNECT_MS, Happening::Connect { agent, life });
        self.follow(agent);
    }

    fn connect(&mut self, agent: usize, life: u64) {
        let node = &mut self.agents[agent];
        if life != node.life || node.connection.is_some() || !node.is_running() {
            return;
        }
        if !node.reachable {
            self.enter(self.now + RECONNECT_MS, Happening::Connect { agent, life });
            return;
        }
        self.entered += 1;
        let session = self.entered;
        node.connection = Some(session);
        let (store, name) = (node.name.store.clone(), node.name.agent.clone());
        let state = node.state(session, AgentStatus::Online);
        let topic = Topic::new(&store, &name, Channel::State);
        self.broker.retain(topic.clone(), state.clone());
        self.send_up(topic, state);
        let commits = Topic::new(&store, &name, Channel::Commit);
        if let Some(payload) = self.broker.retained(&commits) {
            let delay = self.dice.between(0, 100);
            let happening =
                Happening::ToAgent { agent, connection: session, topic: commits, payload };
            self.enter(self.now + delay, happening);
        }
        self.agents[agent].handle(self.now, AgentInput::Connected);
        self.follow(agent);
    }

    /// The connection breaks: what was on the way to the agent is gone, and the broker says the will.
    fn disconnect(&mut self, agent: usize) {
        let node = &mut self.agents[agent];
        let Some(session) = node.connection.take() else { return };
        let will = node.state(session, AgentStatus::Lost);
        let topic = Topic::new(&node.name.store, &node.name.agent, Channel::State);
        node.handle(self.now, AgentInput::Disconnected);
        let life = node.life;
        self.broker.retain(topic.clone(), will.clone());
        self.send_up(topic, will);
        self.enter(self.now + RECONNECT_MS, Happening::Connect { agent, life });
        self.follow(agent);
    }

    fn deliver(&mut self, agent: usize, topic: &Topic, payload: &[u8]) {
        let input = match topic.channel {
            Channel::Commit => Commit::from_frame(payload).map(AgentInput::Committed),
            _ => Request::from_frame(payload).map(AgentInput::Requested),
        };
        self.agents[agent].handle(self.now, input.expect("a reply that the collector sealed"));
        self.follow(agent);
    }

    fn collector_turns(&mut self) {
        if self.collector.turn(self.now) && !std::mem::replace(&mut self.collector.store_busy, true)
        {
            let life = self.collector.life;
            let latency = self.dice.between(1, 40);
            self.enter(self.now + latency, Happening::StoreWorks { life });
        }
    }

    fn store_works(&mut self) {
        self.collector.store_busy = false;
        let payments = &self.payments;
        let replies = self
            .collector
            .store(&self.house, |commit, house| proof::complaints(commit, payments, house));
        for reply in replies {
            if reply.retain {
                self.broker.retain(reply.topic.clone(), reply.payload.clone());
            }
            let named = |node: &AgentNode| {
                node.name.store == reply.topic.store && node.name.agent == reply.topic.agent
            };
            let Some(agent) = self.agents.iter().position(named) else { continue };
            let Some(connection) = self.agents[agent].connection else { continue };
            for delay in self.broker.fate() {
                let (topic, payload) = (reply.topic.clone(), reply.payload.clone());
                let happening = Happening::ToAgent { agent, connection, topic, payload };
                self.enter(self.now + delay, happening);
            }
        }
        if !self.collector.store_full {
            self.collector_turns();
        }
    }

    fn begin(&mut self, mishap: Mishap) {
        let (now, agent) = (self.now, mishap.agent);
        let node = &mut self.agents[agent];
        node.note(now, format!("{:?} for {} ms", mishap.trouble, mishap.lasts_ms));
        let running = node.is_running();
        match mishap.trouble {
            Trouble::AgentKilled | Trouble::SpoolDamaged | Trouble::PowerCut if running => {
                self.break_connection_of_dead(agent);
                self.agents[agent].kill(now, &mut self.dice);
            }
            Trouble::AgentStopped if running => {
                self.agents[agent].stop(now, &mut self.dice);
                self.break_connection_of_dead(agent);
            }
            Trouble::DiskFull => {
                node.disk.set_full(true);
                node.full_since.get_or_insert(now);
            }
            Trouble::ClockSet { by_ms } => node.set_clock(by_ms),
            Trouble::Unplugged { line } if node.lines[line].plugged => {
                node.plug(now, line, false, now);
                self.follow(agent);
            }
            Trouble::LinkDown => {
                node.reachable = false;
                self.disconnect(agent);
            }
            Trouble::BrokerRestarted => {
                self.broker.restart();
                (0..self.agents.len()).for_each(|agent| self.disconnect(agent));
            }
            Trouble::CollectorKilled => self.collector.kill(),
            Trouble::StoreFull => self.collector.store_full = true,
            // It is down, or pulled out, already.
            _ => return,
        }
        self.enter(now + mishap.lasts_ms, Happening::End(mishap));
    }

    /// A dead process says nothing more; the broker finds out and says its will.
    fn break_connection_of_dead(&mut self, agent: usize) {
        let node = &mut self.agents[agent];
        let Some(session) = node.connection.take() else { return };
        let will = node.state(session, AgentStatus::Lost);
        let topic = Topic::new(&node.name.store, &node.name.agent, Channel::State);
        self.broker.retain(topic.clone(), will.clone());
        self.send_up(topic, will);
    }

    fn end(&mut self, mishap: Mishap) {
        let (now, agent) = (self.now, mishap.agent);
        let node = &mut self.agents[agent];
        match mishap.trouble {
            Trouble::AgentKilled | Trouble::AgentStopped => self.start_agent(agent),
            Trouble::SpoolDamaged => {
                node.disk.wipe();
                self.start_agent(agent);
            }
            Trouble::PowerCut => {
                node.boots(now);
                self.start_agent(agent);
            }
            Trouble::DiskFull => {
                node.disk.set_full(false);
                node.full_since = None;
            }
            Trouble::Unplugged { line } => {
                node.plug(now, line, true, mishap.at);
                self.follow(agent);
            }
            Trouble::LinkDown => node.reachable = true,
            Trouble::CollectorKilled if !self.collector.is_running() => self.collector.start(),
            Trouble::StoreFull => {
                self.collector.store_full = false;
                self.collector_turns();
            }
            Trouble::ClockSet { .. } | Trouble::BrokerRestarted | Trouble::CollectorKilled => {}
        }
    }

    /// The wall clock of the world, UTC.
    pub fn wall_ms(&self) -> i64 {
        WALL_MS_AT_START + self.now
    }
}
