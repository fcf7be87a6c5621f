//! All shops of a fleet by time: one stream, as a collector would hear it from agents that are never late. Holds a few
//! words a shop and nothing else.

use super::FleetSettings;
use super::shop::{OUTAGE, Shop, Told};
use super::till::Till;
use super::truth::{CauseTruth, Incident};
use crate::dice::Dice;
use slipwatch_collector::correlate::policy::{OpeningHours, Policies, TerminalName};
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

/// The acquirer of all, in a fleet that has an outage.
pub const ACQUIRER: &str = "bank";

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
        let mut fleet = Fleet { settings, shops, by_time, told: VecDeque::new(), speaker: 0 };
        let told = fleet.of_acquirers().map(|incident| Told::Incident(Box::new(incident)));
        fleet.told.extend(told);
        fleet
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
                let opening = self.settings.hours.then(|| shop.opening());
                let mut policy = till.make.policy(opening);
                policy.acquirer = self.acquirer_of(till).and_then(|name| name.parse().ok());
                policies.terminals.insert(name, policy);
            }
        }
        policies
    }

    /// Whose host a terminal calls. In an outage all call one. Else each that tells a merchant has one of its own: what
    /// is a storm over many shops is the outage's to show, and is no chance's.
    fn acquirer_of(&self, till: &Till) -> Option<String> {
        let tells = self.settings.spoken_only || till.application().merchant.is_some();
        match self.settings.outage {
            true => Some(ACQUIRER.to_owned()),
            false => tells.then(|| format!("of-{}", till.terminal)),
        }
    }

    /// What is to be said of acquirers.
    fn of_acquirers(&self) -> Option<Incident> {
        self.settings.outage.then(|| Incident {
            finding: "A16".into(),
            plot: "outage".into(),
            store: String::new(),
            agent: String::new(),
            terminal: None,
            acquirer: Some(ACQUIRER.to_owned()),
            from_ms: super::WALL_MS_AT_MIDNIGHT + OUTAGE.0,
            open: false,
            cause: CauseTruth { class: "institution".into(), detail: "acquirer_outage".into() },
            clouded: false,
        })
    }

    /// The settings of a collector that judges it, as its file.
    pub fn settings_toml(&self) -> String {
        let head = "[store]\npath = \"fleet-store\"\n\n[broker.embedded]\n\n[http]\nlisten = \"127.0.0.1:0\"\n";
        head.to_owned() + &self.shops_toml()
    }

    /// Of such a file, the shops with their terminals.
    pub fn shops_toml(&self) -> String {
        let mut toml = String::new();
        for shop in &self.shops {
            let store = &shop.name.store;
            toml +=
                &format!("\n[[shop]]\nname = \"{store}\"\nagents = [\"{}\"]\n", shop.name.agent);
            if self.settings.hours {
                let OpeningHours { from_minute, to_minute, .. } = shop.opening();
                let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
                let (opens, closes) = (clock(from_minute), clock(to_minute));
                toml += &format!("time_zone = \"+08:00\"\nopening = \"{opens}-{closes}\"\n");
            }
            for till in &shop.tills {
                let who = till.make.who_prints.label();
                toml += &format!(
                    "[[shop.terminal]]\nnumber = \"{}\"\nwho_prints = \"{who}\"\ncopies = {}\n",
                    till.terminal, till.make.copies
                );
                if let Some(acquirer) = self.acquirer_of(till) {
                    toml += &format!("acquirer = \"{acquirer}\"\n");
                }
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
