//! What a world is made of: how many shops, which terminals on which lines, which payments, which troubles. Either
//! thrown from a seed or named by a scene.

use crate::dice::Dice;
use crate::ledger::{DeafLine, House};
use crate::lossy_broker::{LossyBroker, Roughness};
use crate::terminal::{Pace, Payment, Spoken, Story, Terminal};
use crate::voice::Voice;
use crate::world::agent_node::{AgentNode, Line, WALL_MS_AT_START};
use crate::world::trouble::{self, Mishap};
use slipwatch_agent::agent::{Settings, SourceSettings};
use slipwatch_agent::decode::dialect::shipped;
use slipwatch_agent::spool::plan::SpoolSettings;
use slipwatch_agent::spool::seal::Sealer;
use slipwatch_agent::spool::sending::SendSettings;
use slipwatch_collector::correlate::policy::{
    AgentName, Deadlines, Policies, TerminalName, TerminalPolicy, Thresholds,
};
use slipwatch_shared::event::{SourceDescription, SourceId};
use slipwatch_shared::terminal::TerminalId;
use std::collections::{BTreeMap, BTreeSet};

/// How often agents of worlds pulse.
const PULSE_MS: u64 = 10_000;
/// How long events of worlds wait for company before they are stored.
const COMMIT_MS: u64 = 100;
/// A payment must be seen this much later at the latest to be safe from a crash: a pulse, a group, the disk.
const SLACK_MS: i64 = 15_000;

/// What a world is made of.
pub struct Recipe {
    /// What everyone knows.
    pub house: House,
    /// What happens.
    pub payments: Vec<Payment>,
    /// Who listens.
    pub agents: Vec<AgentNode>,
    /// What the collector is set to.
    pub collector: slipwatch_collector::collector::Settings,
    /// The road between them.
    pub broker: LossyBroker,
    /// When which agent has which bytes on which line.
    pub writing: Vec<(i64, usize, usize, Vec<u8>)>,
    /// What goes wrong.
    pub mishaps: Vec<Mishap>,
    /// What is left of chance.
    pub dice: Dice,
}

/// One terminal of a recipe: how it speaks, over one line or two, and what happens at it.
#[derive(Clone, Debug)]
pub struct Till {
    /// How it writes.
    pub voice: Voice,
    /// The printer has a line of its own.
    pub two_lines: bool,
    /// What happens, in order; the next begins this long after the last one ended.
    pub stories: Vec<(i64, Story)>,
}

impl Till {
    /// A till with one line, on which these happen a minute apart.
    pub fn with(stories: &[Story]) -> Till {
        let stories = stories.iter().map(|&story| (60_000, story)).collect();
        Till { voice: Voice::KeyValue, two_lines: false, stories }
    }

    fn random(dice: &mut Dice) -> Till {
        let count = 2 + dice.below(9);
        let story = |dice: &mut Dice| match dice.percent(45) {
            true => Story::Sale,
            false => *dice.pick(&Story::ALL),
        };
        Till {
            voice: *dice.pick(&[Voice::KeyValue, Voice::Chinese]),
            two_lines: dice.percent(40),
            stories: (0..count).map(|_| (dice.between(2_000, 200_000), story(dice))).collect(),
        }
    }
}

impl Recipe {
    /// A world thrown from a seed.
    pub fn random(seed: u64) -> Recipe {
        let mut dice = Dice::new(seed);
        let shops = 1 + dice.below(2) as usize;
        let shops: Vec<Vec<Till>> = (0..shops)
            .map(|_| (0..1 + dice.below(2)).map(|_| Till::random(&mut dice)).collect())
            .collect();
        let roughness = *dice.pick(&[Roughness::SMOOTH, Roughness::ROUGH]);
        let mut recipe = Recipe::new(&shops, roughness, &mut dice);
        let end = recipe.payments.iter().map(Payment::ended).max().unwrap_or(0);
        let lines = recipe.agents.iter().map(|agent| agent.lines.len()).min().unwrap_or(1);
        recipe.mishaps = trouble::random(&mut dice, recipe.agents.len(), lines, end);
        recipe
    }

    /// A world with one shop, named by a scene.
    pub fn scene(tills: &[Till], mishaps: &[Mishap]) -> Recipe {
        let mut recipe = Recipe::new(&[tills.to_vec()], Roughness::SMOOTH, &mut Dice::new(1));
        recipe.mishaps = mishaps.to_vec();
        recipe
    }

    /// A world of these shops, in which nothing goes wrong.
    pub fn of_shops(shops: &[Vec<Till>]) -> Recipe {
        Recipe::new(shops, Roughness::SMOOTH, &mut Dice::new(1))
    }

    /// A world of these shops, each with one agent.
    pub fn new(shops: &[Vec<Till>], roughness: Roughness, dice: &mut Dice) -> Recipe {
        let deadlines = Deadlines::default();
        let mut recipe = Recipe {
            house: House {
                alert_ms: deadlines.slip_alert_ms,
                due_from: 0,
                reversal_pending_ms: deadlines.reversal_after_last_sale_ms,
                slack_ms: SLACK_MS,
            },
            payments: Vec::new(),
            agents: Vec::new(),
            collector: slipwatch_collector::collector::Settings::default(),
            broker: LossyBroker::new(roughness, dice.fork()),
            writing: Vec::new(),
            mishaps: Vec::new(),
            dice: dice.fork(),
        };
        let mut policies = Policies {
            agents: BTreeSet::new(),
            terminals: BTreeMap::new(),
            deadlines,
            thresholds: Thresholds::default(),
            agent_offline_ms: Policies::AGENT_OFFLINE_MS,
            ..Policies::default()
        };
        for (shop, tills) in shops.iter().enumerate() {
            let name = AgentName {
                store: format!("shop-{}", shop + 1).parse().expect("a store"),
                agent: format!("agent-{}", shop + 1).parse().expect("an agent"),
            };
            policies.agents.insert(name.clone());
            for index in 0..tills.len() {
                let terminal = terminal_id(shop, index);
                let store = name.store.clone();
                policies
                    .terminals
                    .insert(TerminalName { store, terminal }, TerminalPolicy::default());
            }
            recipe.add_shop(shop, &name, tills, dice);
        }
        recipe.collector.policies = policies;
        recipe
    }

    fn add_shop(&mut self, shop: usize, name: &AgentName, tills: &[Till], dice: &mut Dice) {
        let mut sources = Vec::new();
        let mut lines = Vec::new();
        for (index, till) in tills.iter().enumerate() {
            let terminal = terminal_id(shop, index);
            let carried: &[DeafLine] = match till.two_lines {
                true => &[DeafLine::Terminal, DeafLine::Printer],
                false => &[DeafLine::Both],
            };
            let first_line = lines.len();
            for &carries in carried {
                let id = SourceId(sources.len() as u16 + 1);
                sources.push(source(id, carries, till.voice, terminal));
                let terminal = terminal.as_str().to_owned();
                lines.push(Line { source: id, terminal, carries, plugged: true });
            }
            let stan = dice.below(999_999) as u32;
            let device = Terminal::new(terminal.as_str(), stan, Pace::SHOP, dice.fork());
            let payments = play(device, &till.stories);
            for payment in &payments {
                self.write(shop, first_line, till, payment, dice);
            }
            self.payments.extend(payments);
        }
        let settings = agent_settings(name, sources);
        self.agents.push(AgentNode::new(name.clone(), settings, lines));
    }

    /// What a payment's words look like on the lines; long ones come in pieces.
    fn write(
        &mut self,
        shop: usize,
        first_line: usize,
        till: &Till,
        payment: &Payment,
        dice: &mut Dice,
    ) {
        for &spoken in &payment.spoken {
            let Spoken { at, word } = spoken;
            let line = first_line + usize::from(till.two_lines && word.is_printers());
            let bytes = till.voice.bytes(payment, spoken, WALL_MS_AT_START + at);
            if bytes.is_empty() {
                continue;
            }
            let cut = dice.below(bytes.len() as u64) as usize;
            let (head, tail) = bytes.split_at(cut);
            self.writing.push((at, shop, line, head.to_vec()));
            self.writing.push((at + dice.between(0, 30), shop, line, tail.to_vec()));
        }
    }
}

fn play(mut device: Terminal, stories: &[(i64, Story)]) -> Vec<Payment> {
    // The first minute belongs to the agent's start.
    let mut at = 60_000;
    let mut payments: Vec<Payment> = Vec::new();
    for &(pause_ms, story) in stories {
        at += pause_ms;
        let played = device.play(story, at);
        at = played.iter().map(Payment::ended).max().unwrap_or(at);
        payments.extend(played);
    }
    payments
}

fn terminal_id(shop: usize, till: usize) -> TerminalId {
    format!("T{:03}{:04}", shop + 1, till + 1).parse().expect("a terminal number")
}

fn source(id: SourceId, carries: DeafLine, voice: Voice, terminal: TerminalId) -> SourceSettings {
    let name = voice.dialect();
    let dialect = shipped::dialect(name).expect("a shipped profile");
    SourceSettings {
        id,
        description: SourceDescription {
            name: format!("line-{}", id.0).into(),
            dialect: name.into(),
            hears_money: carries != DeafLine::Printer,
            hears_slips: carries != DeafLine::Terminal,
            two_way: true,
            historical: false,
        },
        terminal: Some(terminal),
        dialect,
    }
}

fn agent_settings(name: &AgentName, sources: Vec<SourceSettings>) -> Settings {
    Settings {
        spool: SpoolSettings {
            send: SendSettings {
                store: name.store.clone(),
                agent: name.agent.clone(),
                window: 2,
                resend_ms: 5_000,
                historical_after_ms: u64::MAX,
            },
            commit_ms: COMMIT_MS,
            quota_bytes: 64 * 1024 * 1024,
            sealer: Some(Sealer::new(&[7; 32], name.store.clone(), name.agent.clone())),
        },
        pulse_ms: PULSE_MS,
        sources,
    }
}
