//! One agent of a world: the real core and the real keeper of the spool, on a clock, a disk, lines and a connection
//! that the world moves. Carries out what the core wants done; decides nothing.

use crate::disk::ForgetfulDisk;
use crate::ledger::{Deaf, DeafLine};
use slipwatch_agent::agent::{Agent, Effect, Input, Settings};
use slipwatch_agent::edge::spool::keeper::Keeper;
use slipwatch_agent::spool::plan::new_epoch;
use slipwatch_agent::spool::sending::Batch;
use slipwatch_agent::spool::storage::{StorageAnswer, StorageOrder};
use slipwatch_collector::correlate::policy::AgentName;
use slipwatch_shared::event::{Epoch, Event, Seq, SourceId, SourceLoss};
use slipwatch_shared::times::{BootId, EventTime, Observed, Uptime};
use slipwatch_shared::wire::envelope::{AgentState, AgentStatus};
use std::collections::{BTreeMap, VecDeque};

/// The world's millisecond zero, as wall clocks show it: 2026-11-24 08:00 in China.
pub const WALL_MS_AT_START: i64 = 1_795_478_400_000;
/// What a machine's clock shows when its programs start.
const UPTIME_MS_AT_BOOT: i64 = 15_000;

/// One line from a terminal into an agent.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its source in the agent's settings.
    pub source: SourceId,
    /// Whose.
    pub terminal: String,
    /// What it carries.
    pub carries: DeafLine,
    /// Whether it is plugged in.
    pub plugged: bool,
}

/// What runs while the process lives.
struct Running {
    agent: Agent,
    keeper: Keeper<ForgetfulDisk>,
    orders: VecDeque<StorageOrder>,
}

/// One agent.
pub struct AgentNode {
    /// Its name.
    pub name: AgentName,
    /// Its lines.
    pub lines: Vec<Line>,
    /// Its disk.
    pub disk: ForgetfulDisk,
    /// How often it was started: whatever was meant for an earlier life is void.
    pub life: u64,
    /// The connection that stands.
    pub connection: Option<u64>,
    /// Whether the broker can be reached.
    pub reachable: bool,
    /// When it could not hear, so far.
    pub deaf: Vec<Deaf>,
    /// What the disk promised to keep and when, by epoch and number.
    pub promised: BTreeMap<(Epoch, Seq), (i64, Event)>,
    /// What it reported, for those who read a failure.
    pub log: Vec<String>,
    /// Since when its disk takes nothing.
    pub full_since: Option<i64>,
    /// When the world will wake it, as entered in the agenda.
    pub wake_entered: Option<i64>,
    /// Whether the storage's next piece of work is entered in the agenda.
    pub storage_busy: bool,
    settings: Settings,
    running: Option<Running>,
    boot: u8,
    booted_at: i64,
    wall_ahead_ms: i64,
    down_since: i64,
}

impl AgentNode {
    /// An agent that is not started yet.
    pub fn new(name: AgentName, settings: Settings, lines: Vec<Line>) -> AgentNode {
        AgentNode {
            name,
            lines,
            disk: ForgetfulDisk::default(),
            life: 0,
            connection: None,
            reachable: true,
            deaf: Vec::new(),
            promised: BTreeMap::new(),
            log: Vec::new(),
            full_since: None,
            wake_entered: None,
            storage_busy: false,
            settings,
            running: None,
            boot: 1,
            booted_at: 0,
            wall_ahead_ms: 0,
            down_since: 0,
        }
    }

    /// Whether its process lives.
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Both clocks, as it reads them.
    pub fn observed(&self, now: i64) -> Observed {
        let uptime = now - self.booted_at + UPTIME_MS_AT_BOOT;
        Observed {
            boot: BootId([self.boot; 16]),
            uptime: Uptime(uptime.unsigned_abs()),
            wall: EventTime(WALL_MS_AT_START + now + self.wall_ahead_ms),
            synchronised: true,
        }
    }

    /// Starts the process: opens the spool, and every line that is plugged in.
    pub fn start(&mut self, now: i64) {
        assert!(self.running.is_none(), "an agent is started once");
        self.life += 1;
        (self.wake_entered, self.storage_busy) = (None, false);
        let observed = self.observed(now);
        let epoch = new_epoch(observed, Epoch(0));
        let (keeper, opened) =
            Keeper::open(self.disk.clone(), epoch).expect("a disk of this world can be read");
        if let Some((from, through)) = opened.start.lost {
            self.note(now, format!("says that {}..={} may be gone", from.0, through.0));
        }
        let agent = Agent::start(self.settings.clone(), opened.start, opened.held, observed);
        self.running = Some(Running { agent, keeper, orders: VecDeque::new() });
        if now > 0 {
            self.was_deaf(DeafLine::Both, None, self.down_since, now);
        }
        for index in 0..self.lines.len() {
            if self.lines[index].plugged {
                let source = self.lines[index].source;
                self.handle(now, Input::SourceOpened { source, bookmark: None });
            }
        }
    }

    /// The process is gone. What the disk had not synced may be gone with it.
    pub fn kill(&mut self, now: i64, dice: &mut crate::dice::Dice) {
        let Some(running) = self.running.take() else { return };
        // What waited for a disk that took nothing is gone as well.
        let settled = running.agent.plan().is_settled();
        let since = if settled { now } else { self.full_since.unwrap_or(now) };
        self.down_since = since;
        self.connection = None;
        self.disk.crash(dice);
    }

    /// The machine lost its power: another boot begins at `at`.
    pub fn boots(&mut self, at: i64) {
        self.boot += 1;
        self.booted_at = at;
    }

    /// The agent ends in good order, with all it held.
    pub fn stop(&mut self, now: i64, dice: &mut crate::dice::Dice) {
        self.handle(now, Input::Stop);
        while self.storage_works(now) {}
        self.kill(now, dice);
    }

    /// The wall clock is set.
    pub fn set_clock(&mut self, by_ms: i64) {
        self.wall_ahead_ms += by_ms;
    }

    /// A line is pulled out, or put in again after it was out since `since`.
    pub fn plug(&mut self, now: i64, line: usize, plugged: bool, since: i64) {
        self.lines[line].plugged = plugged;
        let Line { source, carries, .. } = self.lines[line];
        if plugged {
            self.was_deaf(carries, Some(line), since, now);
            self.handle(now, Input::SourceOpened { source, bookmark: None });
        } else {
            self.handle(now, Input::SourceLost { source, reason: SourceLoss::Unplugged });
        }
    }

    fn was_deaf(&mut self, line: DeafLine, only: Option<usize>, from: i64, until: i64) {
        let chosen = |index: &usize| only.is_none_or(|only| only == *index);
        for index in (0..self.lines.len()).filter(chosen) {
            let terminal = self.lines[index].terminal.clone();
            let deaf = Deaf { terminal, line, from, until };
            if !self.deaf.contains(&deaf) {
                self.deaf.push(deaf);
            }
        }
    }

    /// Something happens to the core.
    pub fn handle(&mut self, now: i64, input: Input<'_>) {
        let observed = self.observed(now);
        if let Some(running) = &mut self.running {
            running.agent.handle(observed, input);
        }
    }

    /// Every open line was looked at and had nothing more to say.
    pub fn look_at_lines(&mut self, now: i64) {
        for index in 0..self.lines.len() {
            if self.lines[index].plugged {
                let source = self.lines[index].source;
                self.handle(now, Input::SourceIdle { source });
            }
        }
        self.handle(now, Input::Tick);
    }

    /// Takes what the core wants done: storage orders are queued here, batches are for the world to send. Says whether
    /// the storage has work.
    pub fn take_effects(&mut self, now: i64) -> (Vec<Batch>, bool) {
        let mut batches = Vec::new();
        let mut reports = Vec::new();
        let Some(running) = &mut self.running else { return (batches, false) };
        while let Some(effect) = running.agent.next_effect() {
            match effect {
                Effect::Storage(order) => running.orders.push_back(order),
                Effect::Publish(batch) => batches.push(batch),
                Effect::Report(report) => reports.push(format!("{report:?}")),
            }
        }
        let work = !running.orders.is_empty();
        reports.into_iter().for_each(|report| self.note(now, report));
        (batches, work)
    }

    /// The storage carries out one order, and answers.
    pub fn storage_works(&mut self, now: i64) -> bool {
        let Some(running) = &mut self.running else { return false };
        while let Some(effect) = running.agent.next_effect() {
            if let Effect::Storage(order) = effect {
                running.orders.push_back(order);
            }
        }
        let Some(order) = running.orders.pop_front() else { return false };
        let promised = match &order {
            StorageOrder::Append(appends) => {
                appends.iter().map(|append| append.group.clone()).collect()
            }
            _ => Vec::new(),
        };
        let (epoch, _, _) = running.agent.numbers();
        let answer = running.keeper.carry_out(order).expect("a disk of this world is sound");
        if matches!(answer, StorageAnswer::Stored { .. }) {
            for group in &promised {
                for (seq, event) in group.events() {
                    let event = event.expect("an event that was just written");
                    self.promised.insert((epoch, seq), (now, event));
                }
            }
        }
        self.handle(now, Input::Storage(answer));
        true
    }

    /// When the core wants to be called again, in the world's time.
    pub fn wake_at(&self) -> Option<i64> {
        let uptime = self.running.as_ref()?.agent.wake_at()?;
        Some(self.booted_at - UPTIME_MS_AT_BOOT + i64::try_from(uptime.0).ok()?)
    }

    /// What it says of itself on a connection.
    pub fn state(&self, session: u64, status: AgentStatus) -> Vec<u8> {
        let numbers = self.running.as_ref().map(|running| running.agent.numbers());
        let (epoch, first, next) = numbers.unwrap_or_default();
        AgentState {
            session,
            status,
            version: "0.1.0".to_owned(),
            epoch: epoch.0,
            first_seq: first.0,
            next_seq: next.0,
        }
        .to_frame()
    }

    /// Whether everything it heard is with the collector.
    pub fn is_drained(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.agent.plan().is_drained())
    }

    /// Its numbers: epoch, first held, next.
    pub fn numbers(&self) -> (Epoch, Seq, Seq) {
        self.running.as_ref().map(|running| running.agent.numbers()).unwrap_or_default()
    }

    /// Writes something down for those who read a failure.
    pub fn note(&mut self, now: i64, what: String) {
        self.log.push(format!("{:>9} {}: {what}", now, self.name.agent));
    }
}
