//! A broker that delays, doubles, drops and reorders, and forgets everything when it starts anew. It decides the fate
//! of each message; the world carries it out. Knows no content but what it has to retain.

use crate::dice::Dice;
use slipwatch_shared::wire::topic::Topic;
use std::collections::HashMap;

/// How bad the road is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roughness {
    /// Longest time on the road.
    pub delay_ms_max: i64,
    /// Of a hundred messages, so many never arrive.
    pub drop_percent: u64,
    /// Of a hundred, so many arrive twice.
    pub double_percent: u64,
    /// Of a hundred, so many take ten times as long and are overtaken.
    pub stray_percent: u64,
}

impl Roughness {
    /// Nothing is lost, and all within a moment.
    pub const SMOOTH: Roughness =
        Roughness { delay_ms_max: 20, drop_percent: 0, double_percent: 0, stray_percent: 0 };
    /// As bad as a road may be that is used at all.
    pub const ROUGH: Roughness =
        Roughness { delay_ms_max: 400, drop_percent: 10, double_percent: 10, stray_percent: 10 };
}

/// The broker.
#[derive(Debug)]
pub struct LossyBroker {
    roughness: Roughness,
    dice: Dice,
    retained: HashMap<Topic, Vec<u8>>,
}

impl LossyBroker {
    /// A broker at the end of such a road.
    pub fn new(roughness: Roughness, dice: Dice) -> LossyBroker {
        LossyBroker { roughness, dice, retained: HashMap::new() }
    }

    /// After how many milliseconds each copy of a message arrives: none, one, or two.
    pub fn fate(&mut self) -> Vec<i64> {
        let Roughness { delay_ms_max, drop_percent, double_percent, stray_percent } =
            self.roughness;
        let copies = match self.dice.below(100) {
            roll if roll < drop_percent => 0,
            roll if roll < drop_percent + double_percent => 2,
            _ => 1,
        };
        let mut delay = || {
            let slowly = if self.dice.percent(stray_percent) { 10 } else { 1 };
            self.dice.between(1, delay_ms_max) * slowly
        };
        (0..copies).map(|_| delay()).collect()
    }

    /// Keeps a message for those who subscribe later.
    pub fn retain(&mut self, topic: Topic, payload: Vec<u8>) {
        self.retained.insert(topic, payload);
    }

    /// What is kept on a topic.
    pub fn retained(&self, topic: &Topic) -> Option<Vec<u8>> {
        self.retained.get(topic).cloned()
    }

    /// Starts anew: nothing that was kept is there any more.
    pub fn restart(&mut self) {
        self.retained.clear();
    }

    /// The road becomes good.
    pub fn mend(&mut self) {
        self.roughness = Roughness::SMOOTH;
    }
}
