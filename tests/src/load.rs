//! Load: realistic lines without end, from a seed. Lines of one terminal for an agent, or events of a whole fleet for
//! `slipwatch-collector replay`. Measures nothing itself.

use crate::dice::Dice;
use crate::terminal::{Pace, Payment, Story, Terminal, Word};
use crate::voice::key_value;
use crate::world::agent_node::WALL_MS_AT_START;
use slipwatch_agent::decode::decoder::{Decoded, Decoder};
use slipwatch_agent::decode::dialect::{Direction, shipped};
use slipwatch_shared::event::{Body, LineCounts};
use slipwatch_shared::event::{Epoch, Event, Evidence, Seq, SourceDescription, SourceId};
use slipwatch_shared::terminal::{AgentId, StoreId, TerminalId};
use slipwatch_shared::times::{BootId, EventTime, Observed, Uptime};
use slipwatch_shared::wire::json::Line;
use std::collections::BTreeMap;

/// A terminal that sells and sells: every line it writes, in the shape of `kv-en`.
#[derive(Debug)]
pub struct BusyTerminal {
    terminal: Terminal,
    dice: Dice,
    at: i64,
    waiting: std::vec::IntoIter<String>,
}

impl BusyTerminal {
    /// A terminal of this number.
    pub fn new(number: &str, seed: u64) -> BusyTerminal {
        let mut dice = Dice::new(seed);
        let stan = dice.below(900_000) as u32;
        let terminal = Terminal::new(number, stan, Pace::SHOP, dice.fork());
        BusyTerminal { terminal, dice, at: 0, waiting: Vec::new().into_iter() }
    }

    /// The next payments, mostly plain sales.
    pub fn next_payments(&mut self) -> Vec<Payment> {
        let story = match self.dice.percent(95) {
            true => Story::Sale,
            false => *self.dice.pick(&Story::ALL),
        };
        let payments = self.terminal.play(story, self.at);
        let ended = payments.iter().map(Payment::ended).max().unwrap_or(self.at);
        self.at = ended + self.dice.between(5_000, 60_000);
        payments
    }
}

impl Iterator for BusyTerminal {
    type Item = String;

    /// The next line, with its end; there always is one.
    fn next(&mut self) -> Option<String> {
        loop {
            if let Some(line) = self.waiting.next() {
                return Some(line);
            }
            let mut lines = Vec::new();
            for payment in self.next_payments() {
                for spoken in &payment.spoken {
                    let wall_ms = WALL_MS_AT_START + spoken.at;
                    lines.push(key_value::line(&payment, spoken.word, wall_ms));
                }
            }
            self.waiting = lines.into_iter();
        }
    }
}

/// A fleet: one agent a shop, one terminal each, its events in the order in which they happen over all shops.
pub struct Fleet {
    /// What each shop says next, by time and shop.
    next: BTreeMap<(i64, usize), Body>,
    shops: Vec<Shop>,
    decoder: Decoder,
}

struct Shop {
    store: StoreId,
    agent: AgentId,
    terminal: TerminalId,
    busy: BusyTerminal,
    said: u64,
}

/// How often an idle source of a fleet pulses, in milliseconds.
const PULSE_MS: i64 = 10_000;

impl Fleet {
    /// So many shops.
    ///
    /// # Panics
    /// Never: names of this shape are sound.
    pub fn new(shops: usize, seed: u64) -> Fleet {
        let mut dice = Dice::new(seed);
        let shop = |number: usize| {
            let terminal = format!("F{number:07}");
            Shop {
                store: format!("shop-{number}").parse().expect("a store"),
                agent: format!("agent-{number}").parse().expect("an agent"),
                terminal: terminal.parse().expect("a terminal number"),
                busy: BusyTerminal::new(&terminal, dice.number()),
                said: 0,
            }
        };
        let shops: Vec<Shop> = (0..shops).map(shop).collect();
        let dialect = shipped::dialect("kv-en").expect("a shipped profile");
        let decoder = Decoder::new(dialect, None);
        let mut fleet = Fleet { next: BTreeMap::new(), shops, decoder };
        for index in 0..fleet.shops.len() {
            let description = SourceDescription {
                name: "till".into(),
                dialect: "kv-en".into(),
                hears_money: true,
                hears_slips: true,
                two_way: true,
                historical: false,
            };
            // Shops open one after the other within the first pulse.
            let at = index as i64 % PULSE_MS;
            fleet.next.insert((at, index), Body::SourceOpened(description));
        }
        fleet
    }

    fn sell(&mut self, after: i64, index: usize) {
        let mut last = after;
        for payment in self.shops[index].busy.next_payments() {
            for spoken in &payment.spoken {
                if let Some(body) = body_of(&mut self.decoder, &payment, spoken.word) {
                    let at = (after + spoken.at - payment.began()).max(last + 1);
                    self.next.insert((at, index), body);
                    last = at;
                }
            }
        }
        self.next.insert((last + PULSE_MS, index), Body::Pulse(LineCounts::default()));
    }
}

impl Iterator for Fleet {
    type Item = String;

    /// The next event as a JSON line, without its end; there always is one.
    fn next(&mut self) -> Option<String> {
        let ((at, index), body) = self.next.pop_first()?;
        if matches!(body, Body::Pulse(_) | Body::SourceOpened(_)) {
            self.sell(at + 1, index);
        }
        let shop = &mut self.shops[index];
        shop.said += 1;
        let observed = Observed {
            boot: BootId([1; 16]),
            uptime: Uptime(at.unsigned_abs() + 1_000),
            wall: EventTime(WALL_MS_AT_START + at),
            synchronised: true,
        };
        let event = Event {
            seq: Seq(shop.said),
            source: SourceId(1),
            terminal: Some(shop.terminal),
            observed,
            device_time: None,
            body,
            evidence: Evidence::None,
        };
        let (store, agent) = (shop.store.clone(), shop.agent.clone());
        Some(Line { store, agent, epoch: Epoch(1), event }.to_json())
    }
}

/// What an agent would have made of a word; nothing of what concerns nobody.
fn body_of(decoder: &mut Decoder, payment: &Payment, word: Word) -> Option<Body> {
    let line = key_value::line(payment, word, WALL_MS_AT_START);
    decoder.push(Direction::Either, line.as_bytes(), Uptime(0));
    decoder.finish(Uptime(0));
    match decoder.next_decoded() {
        Some(Decoded::Said { body, .. }) => Some(body),
        _ => None,
    }
}
