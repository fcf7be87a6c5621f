//! Debits of one shop by card and amount, so that two for one purchase are found across its terminals. Holds what is in
//! memory only; what came to rest is asked of the store by the correlator.

use super::case::Place;
use super::rules::duplicate::{self, Side};
use super::timeline::StreamTime;
use slipwatch_shared::money::Currency;
use std::collections::BTreeMap;

/// What two debits for one purchase share at least. Cards that show no digits share one purse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Purse {
    minor: i64,
    currency: Currency,
    last_four: Option<u16>,
}

impl Purse {
    fn of(side: &Side) -> Purse {
        Purse {
            minor: side.amount.minor,
            currency: side.amount.currency,
            last_four: side.card.and_then(|card| card.pan).map(|pan| pan.last_four()),
        }
    }
}

/// The debits in memory of one shop.
#[derive(Clone, Debug, Default)]
pub struct Pairs {
    purses: BTreeMap<Purse, Vec<Side>>,
    /// The latest debit that left memory: a debit near or before it may have its double in the store.
    pub forgotten_through: Option<StreamTime>,
}

impl Pairs {
    /// Writes down how one debit stands now; `was` is its purse so far. Gives its purse, and whether anything changed:
    /// then all of its purse must be judged again.
    pub fn put(
        &mut self,
        place: Place,
        was: Option<Purse>,
        side: Option<Side>,
    ) -> (Option<Purse>, bool) {
        let purse = side.as_ref().map(Purse::of);
        let moved = was.is_some() && was != purse;
        if moved {
            self.remove(place, was);
        }
        let (Some(purse), Some(side)) = (purse, side) else { return (None, moved) };
        // Most purses hold one debit and never another.
        let sides = self.purses.entry(purse).or_insert_with(|| Vec::with_capacity(1));
        match sides.iter_mut().find(|known| known.place == place) {
            Some(known) if *known == side => return (Some(purse), moved),
            Some(known) => *known = side,
            None => sides.push(side),
        }
        (Some(purse), true)
    }

    /// Takes a debit out.
    pub fn remove(&mut self, place: Place, purse: Option<Purse>) {
        let Some(purse) = purse else { return };
        let Some(sides) = self.purses.get_mut(&purse) else { return };
        sides.retain(|side| side.place != place);
        if sides.is_empty() {
            self.purses.remove(&purse);
        }
    }

    /// The debits that share a purse with one.
    pub fn sharing(&self, purse: Purse) -> &[Side] {
        self.purses.get(&purse).map_or(&[], Vec::as_slice)
    }

    /// The earlier debit that one most likely repeats, with the points: the most points, then the latest.
    pub fn best(
        &self,
        purse: Purse,
        place: Place,
        deadlines: &super::policy::Deadlines,
    ) -> Option<(&Side, &Side, i64)> {
        let sides = self.sharing(purse);
        let own = sides.iter().find(|side| side.place == place)?;
        let earlier = sides
            .iter()
            .filter(|side| side.place != place && duplicate::in_order(side, own).1 == own);
        let scored =
            earlier.filter_map(|side| Some((side, duplicate::points(side, own, deadlines)?)));
        let (first, points) = scored
            .max_by_key(|(side, points)| (*points, side.at, side.terminal, side.place.first))?;
        Some((first, own, points))
    }
}
