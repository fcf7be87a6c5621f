//! Debits of one shop by card and amount, so that two for one purchase are found across its terminals. Holds the places
//! of those in memory only; what came to rest is asked of the store by the correlator.

use super::case::{EventRef, Place};
use super::rules::duplicate::Paid;
use super::terminal::Kept;
use super::timeline::StreamTime;
use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;

/// A mark of what two debits for one purchase share at least: the amount, and the last four digits of the card, where it
/// shows them. Two purses that share a mark by chance are compared for nothing, and that is all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Purse(NonZeroU32);

impl Purse {
    const LEAST: Purse = Purse(NonZeroU32::MIN);

    fn of(kept: &Kept, paid: &Paid) -> Purse {
        let pan = kept.case.keys.card.as_ref().and_then(|card| card.pan);
        let mut mark = Mark(0);
        (paid.amount, pan.map(|pan| pan.last_four())).hash(&mut mark);
        NonZeroU32::new((mark.finish() >> 32) as u32).map_or(Purse::LEAST, Purse)
    }
}

/// How a debit stood when it was last compared with others: where it lies, and a mark of all that pairs rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its purse.
    pub purse: Purse,
    mark: u64,
}

impl Standing {
    /// That of a payment that may be one side of a pair.
    pub fn of(kept: &Kept, paid: &Paid) -> Standing {
        let mut mark = Mark(0);
        (paid, kept.joined).hash(&mut mark);
        Standing { purse: Purse::of(kept, paid), mark: mark.finish() }
    }
}

/// A mark of sixty-four bits: that two states of one debit share it by chance is not to be expected in any fleet's life.
struct Mark(u64);

impl Hasher for Mark {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    // Numbers are a word each; the standard would take their bytes apart.
    fn write_u8(&mut self, byte: u8) {
        self.write_u64(byte.into());
    }

    fn write_u16(&mut self, number: u16) {
        self.write_u64(number.into());
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 >> 29;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Room is made for so many debits at least.
const DEBITS_STEP: usize = 2;

/// A place in few bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Spot {
    agent: u32,
    terminal: u32,
    first: EventRef,
}

impl Spot {
    const LEAST: Spot = Spot { agent: 0, terminal: 0, first: EventRef::LEAST };

    fn of(place: Place) -> Spot {
        let agent = u32::try_from(place.agent).expect("no memory holds so many agents");
        let terminal = u32::try_from(place.terminal).expect("an agent has few terminals");
        Spot { agent, terminal, first: place.first }
    }

    fn place(self) -> Place {
        Place { agent: self.agent as usize, terminal: self.terminal as usize, first: self.first }
    }
}

/// The debits in memory of one shop.
#[derive(Clone, Debug, Default)]
pub struct Pairs {
    /// In their order: a shop has few at a time.
    debits: Vec<(Purse, Spot)>,
    /// The latest debit that left memory: a debit near or before it may have its double in the store.
    pub forgotten_through: Option<StreamTime>,
}

impl Pairs {
    /// Writes down how one debit stands now; `was` is how it stood so far. Tells whether anything changed: then it is
    /// compared with its purse again.
    pub fn put(&mut self, place: Place, was: Option<Standing>, is: Option<Standing>) -> bool {
        if was == is {
            return false;
        }
        let (was, is) = (was.map(|was| was.purse), is.map(|is| is.purse));
        if was != is {
            self.remove(place, was);
            if let Some(purse) = is {
                let debit = (purse, Spot::of(place));
                let at = self.debits.partition_point(|known| *known < debit);
                if self.debits.len() == self.debits.capacity() {
                    self.debits.reserve_exact(DEBITS_STEP + self.debits.len() / 4);
                }
                self.debits.insert(at, debit);
            }
        }
        true
    }

    /// Takes a debit out.
    pub fn remove(&mut self, place: Place, purse: Option<Purse>) {
        let Some(purse) = purse else { return };
        if let Ok(at) = self.debits.binary_search(&(purse, Spot::of(place))) {
            self.debits.remove(at);
            // A shop at rest holds no room for them.
            if self.debits.len() * 2 < self.debits.capacity() {
                self.debits.shrink_to(self.debits.len() * 3 / 2);
            }
        }
    }

    /// The debits that share a purse with one.
    pub fn sharing(&self, purse: Purse) -> impl Iterator<Item = Place> + Clone + '_ {
        let from = self.debits.partition_point(|known| *known < (purse, Spot::LEAST));
        let own = self.debits[from..].iter().take_while(move |(known, _)| *known == purse);
        own.map(|(_, spot)| spot.place())
    }
}
