//! MQTT topics, built and read in one place. Certificates and ACLs name them, so they are fixed:
//!
//! ```text
//! slipwatch/v1/up/<slot>/<store>/<agent>/batch     QoS 1
//! slipwatch/v1/up/<slot>/<store>/<agent>/state     QoS 1, retained
//! slipwatch/v1/down/<store>/<agent>/commit         QoS 1, retained
//! slipwatch/v1/down/<store>/<agent>/request        QoS 1
//! ```

use crate::terminal::{AgentId, StoreId};
use std::fmt;

/// Into how many shares a fleet is divided among collectors.
pub const SLOTS: u8 = 64;

/// A stable share of the fleet, 0 to 63: all that concerns one store meets in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u8);

impl Slot {
    /// CRC-32 of the store's name, modulo [`SLOTS`].
    pub fn of(store: &StoreId) -> Slot {
        Slot((crc32fast::hash(store.as_str().as_bytes()) % u32::from(SLOTS)) as u8)
    }

    /// A slot by its number, where it is one.
    pub fn from_number(number: u8) -> Option<Slot> {
        (number < SLOTS).then_some(Slot(number))
    }

    /// 0 to 63.
    pub fn number(self) -> u8 {
        self.0
    }
}

/// Which of an agent's four topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Events, upwards.
    Batch,
    /// Birth, will, planned death, upwards.
    State,
    /// "Stored through", downwards.
    Commit,
    /// "Send again from", downwards.
    Request,
}

impl Channel {
    fn word(self) -> &'static str {
        match self {
            Channel::Batch => "batch",
            Channel::State => "state",
            Channel::Commit => "commit",
            Channel::Request => "request",
        }
    }
}

/// One topic of one agent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Topic {
    /// Whose shop.
    pub store: StoreId,
    /// Which agent.
    pub agent: AgentId,
    /// Which of its topics.
    pub channel: Channel,
}

/// Why a text is no topic of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a topic of slipwatch/v1")]
pub struct TopicError;

impl Topic {
    /// A topic of one agent.
    pub fn new(store: &StoreId, agent: &AgentId, channel: Channel) -> Topic {
        Topic { store: store.clone(), agent: agent.clone(), channel }
    }

    /// What a collector subscribes to for the whole fleet: batches and states.
    pub fn filters_of_fleet() -> [String; 2] {
        ["batch", "state"].map(|word| format!("slipwatch/v1/up/+/+/+/{word}"))
    }

    /// What a collector subscribes to for one slot.
    pub fn filters_of_slot(slot: Slot) -> [String; 2] {
        ["batch", "state"].map(|word| format!("slipwatch/v1/up/{}/+/+/{word}", slot.0))
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Topic { store, agent, channel } = self;
        match channel {
            Channel::Batch | Channel::State => {
                write!(
                    out,
                    "slipwatch/v1/up/{}/{store}/{agent}/{}",
                    Slot::of(store).0,
                    channel.word()
                )
            }
            Channel::Commit | Channel::Request => {
                write!(out, "slipwatch/v1/down/{store}/{agent}/{}", channel.word())
            }
        }
    }
}

impl std::str::FromStr for Topic {
    type Err = TopicError;

    /// Refuses a topic whose slot is not the store's own.
    fn from_str(text: &str) -> Result<Topic, TopicError> {
        let levels: Vec<&str> = text.split('/').collect();
        let (slot, store, agent, word) = match levels.as_slice() {
            ["slipwatch", "v1", "up", slot, store, agent, word] => {
                (Some(*slot), store, agent, word)
            }
            ["slipwatch", "v1", "down", store, agent, word] => (None, store, agent, word),
            _ => return Err(TopicError),
        };
        let channel = match (slot.is_some(), *word) {
            (true, "batch") => Channel::Batch,
            (true, "state") => Channel::State,
            (false, "commit") => Channel::Commit,
            (false, "request") => Channel::Request,
            _ => return Err(TopicError),
        };
        let store: StoreId = store.parse().map_err(|_| TopicError)?;
        let agent: AgentId = agent.parse().map_err(|_| TopicError)?;
        if slot.is_some_and(|slot| slot != Slot::of(&store).0.to_string()) {
            return Err(TopicError);
        }
        Ok(Topic { store, agent, channel })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_read_back_as_it_was_built() {
        let store: StoreId = "shop-1".parse().expect("a store");
        let agent: AgentId = "till-2".parse().expect("an agent");
        for channel in [Channel::Batch, Channel::State, Channel::Commit, Channel::Request] {
            let topic = Topic::new(&store, &agent, channel);
            assert_eq!(topic.to_string().parse(), Ok(topic));
        }
    }

    #[test]
    fn topics_and_slots_never_move() {
        let topic =
            Topic::new(&"shop-1".parse().unwrap(), &"till-2".parse().unwrap(), Channel::Batch);
        assert_eq!(topic.to_string(), "slipwatch/v1/up/16/shop-1/till-2/batch");
    }

    #[test]
    fn a_foreign_topic_or_slot_is_refused() {
        for text in
            ["", "slipwatch/v2/up/16/shop-1/till-2/batch", "slipwatch/v1/up/17/shop-1/till-2/batch"]
        {
            assert_eq!(text.parse::<Topic>(), Err(TopicError), "{text}");
        }
    }
}
