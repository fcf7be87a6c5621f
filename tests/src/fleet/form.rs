//! How a fleet is written down: events as JSON lines in the interchange form, device bytes as its terminals write them,
//! the truth and the acquirer's rows beside them. Writes what it is given, and holds nothing.

use super::WALL_MS_AT_MIDNIGHT;
use super::script::Numbers;
use super::shop::Shop;
use crate::terminal::{Payment, Spoken, Story, Word};
use slipwatch_agent::decode::decoder::{Decoded, Decoder};
use slipwatch_agent::decode::dialect::Direction;
use slipwatch_agent::decode::dialect::shipped;
use slipwatch_shared::event::{Epoch, Event, SourceId};
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::Uptime;
use slipwatch_shared::wire::json::Line;
use std::collections::BTreeMap;

/// An event of a shop's agent as a JSON line, with its end.
pub fn event_line(shop: &Shop, event: Event, out: &mut Vec<u8>) {
    let (store, agent) = (shop.name.store.clone(), shop.name.agent.clone());
    Line { store, agent, epoch: Epoch(1), event }.append_json(out);
    out.push(b'\n');
}

/// What the terminal's device writes for a word; absent where its make has no voice.
pub fn device_bytes(shop: &Shop, event: &Event, word: Word, numbers: &Numbers) -> Option<Vec<u8>> {
    let till = shop.tills.iter().find(|till| Some(till.terminal) == event.terminal)?;
    let payment = Payment {
        story: Story::Sale,
        terminal: till.terminal.to_string(),
        stan: numbers.stan,
        void_stan: numbers.void_stan,
        amount: numbers.amount_minor,
        first_six: 622_576,
        last_four: numbers.last_four,
        chip_counter: (numbers.stan % 60_000) as u16,
        spoken: Vec::new(),
    };
    let wall = event.observed.wall.0;
    let spoken = Spoken { at: wall - WALL_MS_AT_MIDNIGHT, word };
    Some(till.make.voice?.bytes(&payment, spoken, wall))
}

/// One decoder a line, as agents have them.
#[derive(Default)]
pub struct Ears {
    decoders: BTreeMap<(Option<TerminalId>, SourceId), Decoder>,
}

impl Ears {
    /// What an agent's decoder makes of the bytes that a device writes for an event; an event without a word (openings,
    /// pulses) is the agent's own and stays as it is.
    ///
    /// # Panics
    /// Never: the makes' dialects are shipped.
    pub fn hear(
        &mut self,
        shop: &Shop,
        event: Event,
        word: Option<(Word, Box<Numbers>)>,
    ) -> Vec<Event> {
        let Some((word, numbers)) = word else { return vec![event] };
        let Some(bytes) = device_bytes(shop, &event, word, &numbers) else { return vec![event] };
        let till = shop.tills.iter().find(|till| Some(till.terminal) == event.terminal);
        let voice = till.and_then(|till| till.make.voice).expect("it just wrote");
        let decoder = self.decoders.entry((event.terminal, event.source)).or_insert_with(|| {
            let dialect = shipped::dialect(voice.dialect()).expect("a shipped profile");
            Decoder::new(dialect, event.terminal)
        });
        decoder.push(Direction::Either, &bytes, event.observed.uptime);
        // Nothing follows for a while, so what lies undecided is decided.
        decoder.finish(Uptime(event.observed.uptime.0 + 500));
        let mut heard = Vec::new();
        while let Some(decoded) = decoder.next_decoded() {
            if let Decoded::Said { body, device_time, .. } = decoded {
                heard.push(Event { body, device_time, ..event.clone() });
            }
        }
        heard
    }
}
