//! Where numbering goes on after a start, from what the storage and a small file beside it still know.
//!
//! The file holds a ceiling that is reserved in blocks: no number above it was ever given out. So even when the store
//! is damaged, no number is given twice within an epoch, and what may be gone is told.

use slipwatch_shared::event::{Epoch, Seq};
use slipwatch_shared::wire::seal::Chain;

/// How many numbers are reserved at a time: one small write per million events.
pub const RESERVED_BLOCK: u64 = 1 << 20;

/// What the small file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbering {
    /// Which life of the numbering.
    pub epoch: Epoch,
    /// No number above this was given out.
    pub ceiling: Seq,
    /// The collector has everything through this number, and maybe more.
    pub committed_through: Seq,
}

/// What the store itself says, when it could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// Which life of the numbering; absent in a store that was just made.
    pub epoch: Option<Epoch>,
    /// The collector has everything through this number.
    pub committed_through: Seq,
    /// The number after the last one held, when any is.
    pub end: Option<Seq>,
    /// How the chain of hashes stands.
    pub chain: Chain,
}

/// What was last noted as kept, beside the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Which life of the numbering.
    pub epoch: Epoch,
    /// Everything through this number was kept.
    pub through: Seq,
}

/// Where to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Which life of the numbering.
    pub epoch: Epoch,
    /// Number of the next event.
    pub next: Seq,
    /// The collector has everything through this number.
    pub committed_through: Seq,
    /// These numbers may have been given out and are gone: the next event says so and carries the second one.
    pub lost: Option<(Seq, Seq)>,
    /// How the chain of hashes stands behind the last number that was kept; begins anew where that is not known.
    pub chain: Chain,
}

/// Decides where to go on. `new_epoch` is taken when the old numbers cannot be continued.
pub fn start(
    file: Option<Numbering>,
    store: Option<Remembered>,
    noted: Option<Kept>,
    new_epoch: Epoch,
) -> Start {
    let store = store.filter(|store| store.epoch.is_some() || store.end.is_some());
    let chain = store.map(|store| store.chain).unwrap_or_default();
    match (file, store) {
        (_, Some(Remembered { epoch: Some(epoch), committed_through, end, .. }))
            if file.is_none_or(|file| file.epoch == epoch) =>
        {
            let next = end.unwrap_or(Seq(0)).max(committed_through.next());
            // A damaged store may open and silently miss its end: the note beside it remembers.
            let missed = noted.filter(|kept| kept.epoch == epoch && kept.through >= next);
            match missed.map(|kept| kept.through.next()) {
                None => Start { epoch, next, committed_through, lost: None, chain },
                Some(through) => Start {
                    epoch,
                    next: through,
                    committed_through,
                    lost: Some((next, through)),
                    chain,
                },
            }
        }
        (Some(file), store) => {
            // The store is new, damaged, or of another life: what it may have held is told as lost.
            let end = store.and_then(|store| store.end).unwrap_or_default();
            let known = Seq(end.0.saturating_sub(1)).max(file.committed_through);
            let Numbering { epoch, ceiling, committed_through } = file;
            if ceiling <= known {
                return Start { epoch, next: known.next(), committed_through, lost: None, chain };
            }
            let next = ceiling.next();
            Start { epoch, next, committed_through, lost: Some((known.next(), next)), chain }
        }
        (None, _) => {
            Start { epoch: new_epoch, next: Seq(1), committed_through: Seq(0), lost: None, chain }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(ceiling: u64, committed: u64) -> Option<Numbering> {
        let (ceiling, committed_through) = (Seq(ceiling), Seq(committed));
        Some(Numbering { epoch: Epoch(7), ceiling, committed_through })
    }

    fn store(epoch: Option<u64>, committed: u64, end: Option<u64>) -> Option<Remembered> {
        Some(Remembered {
            epoch: epoch.map(Epoch),
            committed_through: Seq(committed),
            end: end.map(Seq),
            chain: Chain::default(),
        })
    }

    #[track_caller]
    fn check(
        file: Option<Numbering>,
        store: Option<Remembered>,
        epoch: u64,
        next: u64,
        lost: Option<(u64, u64)>,
    ) {
        check_noted(file, store, None, epoch, next, lost);
    }

    #[track_caller]
    fn check_noted(
        file: Option<Numbering>,
        store: Option<Remembered>,
        noted: Option<u64>,
        epoch: u64,
        next: u64,
        lost: Option<(u64, u64)>,
    ) {
        let noted = noted.map(|through| Kept { epoch: Epoch(7), through: Seq(through) });
        let start = start(file, store, noted, Epoch(99));
        let found = (start.epoch, start.next, start.lost);
        let lost = lost.map(|(from, through)| (Seq(from), Seq(through)));
        assert_eq!(found, (Epoch(epoch), Seq(next), lost));
    }

    #[test]
    fn a_sound_store_is_continued_behind_its_last_number() {
        check(file(1000, 10), store(Some(7), 20, Some(31)), 7, 31, None);
        check(file(1000, 10), store(Some(7), 20, None), 7, 21, None);
        check(None, store(Some(7), 20, Some(31)), 7, 31, None);
    }

    #[test]
    fn a_store_that_misses_its_end_is_found_out_by_the_note_beside_it() {
        check_noted(file(1000, 10), store(Some(7), 20, Some(31)), Some(30), 7, 31, None);
        check_noted(file(1000, 10), store(Some(7), 20, Some(31)), Some(40), 7, 41, Some((31, 41)));
        check_noted(file(1000, 10), store(Some(7), 20, None), Some(40), 7, 41, Some((21, 41)));
        check_noted(None, store(Some(6), 20, Some(31)), Some(40), 6, 31, None);
    }

    #[test]
    fn a_lost_store_goes_on_above_the_ceiling_and_says_what_may_be_gone() {
        check(file(1000, 10), None, 7, 1001, Some((11, 1001)));
        check(file(1000, 10), store(None, 0, None), 7, 1001, Some((11, 1001)));
        check(file(1000, 10), store(None, 0, Some(31)), 7, 1001, Some((31, 1001)));
        check(file(10, 10), None, 7, 11, None);
    }

    #[test]
    fn with_nothing_left_a_new_life_begins() {
        check(None, None, 99, 1, None);
        check(None, store(None, 0, None), 99, 1, None);
    }
}
