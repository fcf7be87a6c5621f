//! Recorded events are judged with the core that runs live, each agent's in the order of its numbers. Payments that came
//! to rest go to the shelf. Reads no file and prints nothing.

use super::reading::{Parcel, Parsed};
use super::shelf::Shelf;
use crate::correlate::correlator::Correlator;
use crate::correlate::finding::{Finding, FindingId, Subject};
use crate::correlate::policy::{AgentName, Policies, TerminalPolicy};
use crate::correlate::recall::TransactionRow;
use crate::correlate::timeline::StreamTime;
use slipwatch_shared::event::{Body, Epoch, Event, Seq};
use slipwatch_shared::times::ArrivalTime;
use std::collections::BTreeMap;
use std::io;

/// What came to rest is put away when so much time of its agent passed.
const PUT_BY_MS: i64 = 5 * 60_000;

/// How far an agent's recording was judged.
#[derive(Debug)]
struct Progress {
    /// Its place in the correlator.
    place: usize,
    epoch: Epoch,
    through: Seq,
    /// Other lives of its numbering.
    others: Vec<(Epoch, Seq)>,
    put_by: StreamTime,
}

/// The core over a shelf.
#[derive(Debug)]
pub struct Judging {
    correlator: Correlator,
    shelf: Shelf,
    agents: Vec<Progress>,
    /// Findings that are about no payment, as they stand.
    findings: BTreeMap<FindingId, Finding>,
    /// Room for the order in which a parcel is judged.
    order: Vec<u64>,
    /// Events that were judged.
    pub events: u64,
}

impl Judging {
    /// With the policies of a settings file, or with a plain one for every terminal that is heard.
    pub fn new(policies: Option<Policies>) -> io::Result<Judging> {
        let plain = || {
            let one_copy = TerminalPolicy { copies: 1, ..TerminalPolicy::default() };
            Policies { otherwise: Some(one_copy), ..Policies::default() }
        };
        Ok(Judging {
            correlator: Correlator::new(policies.unwrap_or_else(plain)),
            shelf: Shelf::new()?,
            agents: Vec::new(),
            findings: BTreeMap::new(),
            order: Vec::new(),
            events: 0,
        })
    }

    /// An agent that was not named before; agents are numbered in the order in which they are named.
    pub fn name(&mut self, name: AgentName) {
        let place = self.correlator.agent(&name);
        self.shelf.name(&name);
        self.agents.push(Progress {
            place,
            epoch: Epoch::default(),
            through: Seq(0),
            others: Vec::new(),
            put_by: StreamTime(i64::MAX),
        });
    }

    /// Judges a parcel and empties it: one agent's events after the other's, as they come live, so that what is known of
    /// an agent is at hand for all of them. Each agent's stay in their order.
    pub fn parcel(&mut self, parcel: &mut Parcel) {
        parcel.new_agents.drain(..).for_each(|name| self.name(name));
        let mut order = std::mem::take(&mut self.order);
        let agents = parcel.events.iter().map(|parsed| u64::from(parsed.agent));
        order.extend(agents.zip(0_u64..).map(|(agent, place)| agent << 32 | place));
        order.sort_unstable();
        for place in order.drain(..) {
            let Parsed { agent, epoch, event } = &parcel.events[place as u32 as usize];
            self.event(*agent as usize, *epoch, event);
        }
        parcel.events.clear();
        self.order = order;
        self.take_findings();
    }

    /// Takes in one event. What came before is dropped; what is missing is a hole, as it is live.
    pub fn event(&mut self, agent: usize, epoch: Epoch, event: &Event) {
        self.live(agent, epoch);
        let progress = &mut self.agents[agent];
        let through = progress.through;
        if event.seq <= through {
            return;
        }
        let told = matches!(event.body, Body::Lost { from, .. } if from <= through.next());
        // A recording may begin anywhere: what went before is no hole in it.
        let lost = event.seq > through.next() && through.0 != 0 && !told;
        progress.through = event.seq;
        let place = progress.place;
        if lost {
            self.correlator.numbers_lost(place);
        }
        let now = ArrivalTime(event.observed.wall.0);
        self.correlator.event(place, epoch, event, now, &mut self.shelf);
        self.events += 1;
        let latest = self.correlator.agents()[place].timeline.latest;
        let progress = &mut self.agents[agent];
        if latest.ms_since(progress.put_by) > PUT_BY_MS {
            progress.put_by = latest;
            self.put_by(agent, false);
        } else if progress.put_by.0 == i64::MAX {
            progress.put_by = latest;
        }
    }

    /// Numbers are gone without a word.
    pub fn lost(&mut self, agent: usize) {
        self.correlator.numbers_lost(self.agents[agent].place);
    }

    /// Something was said under this number that this program cannot read.
    pub fn unreadable(&mut self, agent: usize, epoch: Epoch, seq: Seq) {
        self.live(agent, epoch);
        let progress = &mut self.agents[agent];
        progress.through = progress.through.max(seq);
        self.lost(agent);
    }

    /// The agent was not heard any more when the recording ended.
    pub fn goes_offline(&mut self, agent: usize, now: ArrivalTime) {
        self.correlator.set_offline(self.agents[agent].place, true, now, &mut self.shelf);
    }

    /// Turns to a life of an agent's numbering; whatever was heard and not delivered before is gone.
    fn live(&mut self, agent: usize, epoch: Epoch) {
        if self.agents[agent].live(epoch) {
            self.lost(agent);
        }
    }

    fn put_by(&mut self, agent: usize, everything: bool) {
        let Judging { correlator, shelf, agents, .. } = self;
        let place = agents[agent].place;
        correlator.take_rested(place, everything, &mut |terminal, case| {
            shelf.put(agent, terminal, &case);
        });
        correlator.rest(place);
    }

    fn take_findings(&mut self) {
        for change in self.correlator.take_findings() {
            // What is about a payment stands with the payment.
            if !matches!(change.finding.id.subject, Subject::Case(_)) {
                self.findings.insert(change.finding.id.clone(), change.finding);
            }
        }
    }

    /// Puts everything away, and gives the numbers of all agents in the order of their names.
    pub fn finish(&mut self) -> Vec<usize> {
        self.take_findings();
        for agent in 0..self.agents.len() {
            self.put_by(agent, true);
        }
        // The core holds nothing more.
        self.correlator = Correlator::new(Policies::default());
        let names = self.shelf.names();
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_by(|left, right| names[*left].cmp(&names[*right]));
        order
    }

    /// The payments of an agent, in the order of its numbers. After [`Judging::finish`].
    pub fn payments(&mut self, agent: usize) -> io::Result<Vec<TransactionRow>> {
        let rows = self.shelf.of_agent(agent);
        match self.shelf.take_failure() {
            None => Ok(rows),
            Some(error) => Err(error),
        }
    }

    /// Those of an agent's payments of which something was told, or that could not be judged, and how many it has in all.
    pub fn notable(&mut self, agent: usize) -> io::Result<(u64, Vec<TransactionRow>)> {
        let found = self.shelf.notable(agent);
        match self.shelf.take_failure() {
            None => Ok(found),
            Some(error) => Err(error),
        }
    }

    /// Findings about terminals and agents, as they stand.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.values()
    }
}

impl Progress {
    /// Turns to a life of the numbering; tells whether another one went before.
    fn live(&mut self, epoch: Epoch) -> bool {
        if self.epoch == epoch {
            return false;
        }
        let first = self.through.0 == 0 && self.others.is_empty();
        if self.through.0 != 0 {
            self.others.push((self.epoch, self.through));
        }
        let known = self.others.iter().position(|(other, _)| *other == epoch);
        let through = known.map_or(Seq(0), |at| self.others.swap_remove(at).1);
        (self.epoch, self.through) = (epoch, through);
        !first
    }
}
