//! From the bytes of a device to the verdict, without a world: the agent's decoder, and the collector's core as its
//! `replay` runs it. Time is told; between two reads it passes as it would in the agent, pulses included.

use slipwatch_agent::decode::decoder::{Decoded, Decoder};
use slipwatch_agent::decode::dialect::{Dialect, Direction, shipped};
use slipwatch_collector::command::replay::Replay;
use slipwatch_collector::correlate::policy::{AgentName, Policies, TerminalName, TerminalPolicy};
use slipwatch_shared::event::{
    Body, DecodeFailure, Epoch, Event, Evidence, LineCounts, Seq, SourceDescription, SourceId,
    SourceLoss,
};
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::{BootId, DeviceTime, EventTime, Observed, Uptime};
use slipwatch_shared::wire::json::Line;
use std::sync::Arc;

/// How often an open source pulses.
const PULSE_MS: u64 = 10_000;

/// When the day begins, by the wall's clock.
const WALL_MS: i64 = 1_795_478_400_000;

/// A day at one terminal, heard over one line.
pub struct Day {
    terminal: TerminalId,
    decoder: Decoder,
    policies: Policies,
    /// The events so far, each as a line of JSON.
    lines: Vec<String>,
    now: Uptime,
    seq: Seq,
}

impl Day {
    /// The line is opened: it carries what its dialect says, or no slips.
    pub fn new(dialect: &str, terminal: &str, policy: TerminalPolicy, hears_slips: bool) -> Day {
        let terminal: TerminalId = terminal.parse().expect("a terminal");
        let dialect: Arc<dyn Dialect> = shipped::dialect(dialect).expect("a shipped dialect");
        let name = AgentName {
            store: "s".parse().expect("a store's name"),
            agent: "a".parse().expect("an agent's name"),
        };
        let of = TerminalName { store: name.store.clone(), terminal };
        let policies = Policies {
            agents: [name].into(),
            terminals: [(of, policy)].into(),
            agent_offline_ms: Policies::AGENT_OFFLINE_MS,
            ..Policies::default()
        };
        let opened = Body::SourceOpened(SourceDescription {
            name: "line".into(),
            dialect: dialect.name().into(),
            hears_money: dialect.hears_money(),
            hears_slips: hears_slips && dialect.hears_slips(),
            two_way: true,
            historical: false,
        });
        let mut day = Day {
            terminal,
            decoder: Decoder::new(dialect, Some(terminal)),
            policies,
            lines: Vec::new(),
            now: Uptime(0),
            seq: Seq(0),
        };
        day.say(Uptime(0), Some(terminal), None, opened);
        day
    }

    /// One side sends these bytes.
    pub fn push(&mut self, direction: Direction, bytes: &[u8]) {
        self.decoder.push(direction, bytes, self.now);
        self.take();
    }

    /// Nothing is sent for so long.
    pub fn pass(&mut self, ms: u64) {
        let until = self.now.plus_ms(ms);
        while self.now < until {
            let wake = self.decoder.wake_at().filter(|wake| *wake > self.now);
            let next = wake.unwrap_or(until).min(self.now.plus_ms(PULSE_MS)).min(until);
            self.now = next;
            self.decoder.settle(next);
            self.take();
            let settled = self.decoder.settled_until(next);
            self.say(settled, Some(self.terminal), None, Body::Pulse(LineCounts::default()));
        }
    }

    /// The link is lost, and opened again at once.
    pub fn lose_link(&mut self) {
        self.decoder.finish(self.now);
        self.take();
        let lost = Body::SourceLost { reason: SourceLoss::Unplugged };
        self.say(self.now, Some(self.terminal), None, lost);
    }

    fn take(&mut self) {
        while let Some(decoded) = self.decoder.next_decoded() {
            match decoded {
                Decoded::Said { at, terminal, device_time, body, .. } => {
                    self.say(at, terminal, device_time, body);
                }
                Decoded::Failed { at, reason } => self.failed(at, reason),
            }
        }
    }

    fn failed(&mut self, at: Uptime, reason: DecodeFailure) {
        self.say(at, Some(self.terminal), None, Body::DecodeFailed { reason });
    }

    fn say(
        &mut self,
        at: Uptime,
        terminal: Option<TerminalId>,
        device_time: Option<DeviceTime>,
        body: Body,
    ) {
        self.seq = self.seq.next();
        let observed = Observed {
            boot: BootId([1; 16]),
            uptime: at,
            wall: EventTime(WALL_MS + at.0 as i64),
            synchronised: true,
        };
        let (source, evidence) = (SourceId(1), Evidence::None);
        let event =
            Event { seq: self.seq, source, terminal, observed, device_time, body, evidence };
        let (store, agent) = ("s".parse().expect("a store"), "a".parse().expect("an agent"));
        let line = Line { store, agent, epoch: Epoch(1), event }.to_json();
        self.lines.push(line);
    }

    /// What is said of each payment by now: kind, verdict, and each finding with whether it still holds.
    pub fn verdicts(&self) -> Vec<String> {
        let replay = Replay::new(Some(self.policies.clone()));
        let mut replay = replay.expect("a place for what came to rest");
        self.lines.iter().for_each(|line| replay.line(line).expect("its own JSON"));
        let mut lines = Vec::new();
        replay.finish(&mut lines).expect("memory takes it");
        let text = String::from_utf8(lines).expect("JSON");
        let payments = text.lines().filter_map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let word = |name: &str| line[name].as_str().unwrap_or("").to_owned();
            line.get("verdict")?;
            let findings = line["findings"].as_array().expect("a list").iter().map(|finding| {
                let code = finding["code"].as_str().expect("a code");
                let holds = finding["open"].as_bool().expect("told");
                format!(", {code}{}", if holds { "" } else { " over" })
            });
            let findings: String = findings.collect();
            let said = format!("{} {} {}", word("kind"), word("verdict"), word("reason"));
            Some(format!("{}{findings}", said.trim_end()))
        });
        payments.collect()
    }
}
