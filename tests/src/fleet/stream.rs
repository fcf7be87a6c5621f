//! All shops of a fleet by time: one stream, as a collector would hear it from agents that are never late. Holds a few
//! words a shop and nothing else.

use super::FleetSettings;
use super::shop::{Shop, Told};
use crate::dice::Dice;
use slipwatch_collector::correlate::policy::{Policies, TerminalName};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// A fleet on its way through its days.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// How it was thrown.
    pub settings: FleetSettings,
    /// Its shops.
    pub shops: Vec<Shop>,
    by_time: BinaryHeap<Reverse<(i64, usize)>>,
    /// What was told and not taken yet, all by one shop.
    told: VecDeque<Told>,
    speaker: usize,
}

/// Something that was told, and by which shop.
pub type Heard = (usize, Told);

impl Fleet {
    /// A fleet before its first morning.
    pub fn new(settings: FleetSettings) -> Fleet {
        let mut dice = Dice::new(settings.seed);
        let mut shops = Vec::new();
        let mut first = 0;
        while first < settings.terminals {
            // Most shops have one or two terminals, some a row of tills.
            let size = *dice.pick(&[1, 1, 1, 2, 2, 3, 4, 6]);
            let tills = size.min(settings.terminals - first);
            shops.push(Shop::new(shops.len(), first, tills, &settings));
            first += tills;
        }
        let next = |(place, shop): (usize, &Shop)| Some(Reverse((shop.next_at()?, place)));
        let by_time = shops.iter().enumerate().filter_map(next).collect();
        Fleet { settings, shops, by_time, told: VecDeque::new(), speaker: 0 }
    }

    /// What the collector must be set to for it.
    pub fn policies(&self) -> Policies {
        let mut policies =
            Policies { agent_offline_ms: Policies::AGENT_OFFLINE_MS, ..Policies::default() };
        for shop in &self.shops {
            policies.agents.insert(shop.name.clone());
            for till in &shop.tills {
                let store = shop.name.store.clone();
                let name = TerminalName { store, terminal: till.terminal };
                policies.terminals.insert(name, till.make.policy(None));
            }
        }
        policies
    }

    /// The settings of a collector that judges it, as its file.
    pub fn settings_toml(&self) -> String {
        let mut toml = String::from(
            "[store]\npath = \"fleet-store\"\n\n[broker.embedded]\n\n[http]\nlisten = \"127.0.0.1:0\"\n",
        );
        for shop in &self.shops {
            let store = &shop.name.store;
            toml +=
                &format!("\n[[shop]]\nname = \"{store}\"\nagents = [\"{}\"]\n", shop.name.agent);
            for till in &shop.tills {
                let who = till.make.who_prints.label();
                toml += &format!(
                    "[[shop.terminal]]\nnumber = \"{}\"\nwho_prints = \"{who}\"\ncopies = {}\n",
                    till.terminal, till.make.copies
                );
            }
        }
        toml
    }
}

impl Iterator for Fleet {
    type Item = Heard;

    fn next(&mut self) -> Option<Heard> {
        loop {
            if let Some(told) = self.told.pop_front() {
                return Some((self.speaker, told));
            }
            let Reverse((_, place)) = self.by_time.pop()?;
            self.speaker = place;
            let shop = &mut self.shops[place];
            shop.step(&self.settings, &mut self.told);
            if let Some(at) = shop.next_at() {
                self.by_time.push(Reverse((at, place)));
            }
        }
    }
}
