//! How far the telling of each finding is, out of what the letter policy remembers: for pages, so that none says that
//! somebody was told while the letter waits. Decides nothing.

use super::memory::Memory;
use crate::correlate::finding::FindingId;
use std::collections::BTreeMap;

/// How far the telling of one finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// A letter tells of it.
    Already,
    /// It waits for this moment, UTC milliseconds: the end of a cool-down, or the digest.
    At(i64),
    /// It waits for room among the letters of its shop's hour.
    Soon,
}

/// How far the telling of findings is, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Telling(BTreeMap<String, Told>);

impl Telling {
    /// Out of what the policy remembers, as the store has it.
    pub fn read(state: &[u8], cool_down_ms: i64) -> Telling {
        let memory = Memory::read(state);
        let told = memory.told.into_iter().filter(|(_, told)| told.open);
        let mut telling: BTreeMap<String, Told> =
            told.map(|(finding, _)| (finding, Told::Already)).collect();
        for shop in memory.shops.into_values() {
            let due = match shop.digest_due_ms {
                Some(at) if !shop.urgent => Told::At(at),
                _ => Told::Soon,
            };
            telling.extend(shop.digest.into_iter().map(|item| (item.finding, due)));
        }
        for fold in memory.folds.into_values() {
            let due = fold.told_ms.map_or(Told::Soon, |told| Told::At(told + cool_down_ms));
            telling.extend(fold.waiting.into_iter().map(|item| (item.finding, due)));
        }
        Telling(telling)
    }

    /// How far the telling of one is; nothing where nobody is written to of it.
    pub fn of(&self, finding: &FindingId) -> Option<Told> {
        self.0.get(&finding.to_string()).copied()
    }
}
