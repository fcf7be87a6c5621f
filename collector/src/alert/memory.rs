//! What the letter policy remembers, also over a restart: what was told in which thread, what waits to be told, and
//! how many letters each shop got of late. Everything in it is bounded.

use super::item::Item;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most findings and threads that are remembered as told; the oldest goes first. One that was forgotten and ends is
/// not told as resolved.
pub const TOLD_MAX: usize = 8192;
/// Most matters that wait or cool down at once, all shops together.
pub const FOLDS_MAX: usize = 4096;
/// Most findings that one matter or one digest holds; more are counted.
pub const WAITING_MAX: usize = 200;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Memory {
    /// By the finding's name.
    pub(super) told: BTreeMap<String, Told>,
    /// By what is folded together.
    pub(super) folds: BTreeMap<String, Fold>,
    /// By the thread's root.
    pub(super) ended: BTreeMap<String, Ended>,
    /// By shop.
    pub(super) shops: BTreeMap<String, ShopMemory>,
}

/// A finding that a letter told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Told {
    /// The case, or the finding itself where it is about none: what a thread is kept for.
    pub(super) subject: String,
    /// The thread's first letter, without recipient and domain.
    pub(super) root: String,
    /// When.
    pub(super) at_ms: i64,
    /// It has not ended.
    pub(super) open: bool,
    /// It was told in a digest only: its end is not worth a letter.
    pub(super) quiet: bool,
    /// It was told that a settlement file confirms it.
    #[serde(default)]
    pub(super) confirmed: bool,
}

/// What is folded into one letter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Fold {
    pub(super) store: String,
    /// When a letter last told of it.
    pub(super) told_ms: Option<i64>,
    /// The thread, once there is one.
    pub(super) root: Option<String>,
    pub(super) waiting: Vec<Item>,
    /// Beyond [`WAITING_MAX`].
    pub(super) left_out: usize,
}

/// Findings of one thread that ended and are to be told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Ended {
    pub(super) store: String,
    pub(super) told_ms: Option<i64>,
    pub(super) waiting: Vec<Item>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ShopMemory {
    /// When its letters of the last hour were written.
    pub(super) letters_ms: Vec<i64>,
    /// What waits for the digest.
    pub(super) digest: Vec<Item>,
    pub(super) left_out: usize,
    /// When the digest goes out.
    pub(super) digest_due_ms: Option<i64>,
    /// It holds what would have been a letter, had there been room.
    pub(super) urgent: bool,
}

const HOUR_MS: i64 = 3_600_000;
/// A matter of which nothing was told for so long begins anew.
const FOLD_MS_MAX: i64 = 24 * HOUR_MS;

impl Memory {
    pub(super) fn read(bytes: &[u8]) -> Memory {
        // Of a shape that this version does not know: what was told is forgotten, nothing is lost but threads.
        serde_json::from_slice(bytes).unwrap_or_default()
    }

    pub(super) fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("memory of strings and numbers can be written")
    }

    /// Whether a shop may get another letter in this hour.
    pub(super) fn has_room(&mut self, store: &str, now_ms: i64, most: u32) -> bool {
        let shop = self.shops.entry(store.to_owned()).or_default();
        shop.letters_ms.retain(|&at| at > now_ms - HOUR_MS);
        shop.letters_ms.len() < most as usize
    }

    pub(super) fn count_letter(&mut self, store: &str, now_ms: i64) {
        self.shops.entry(store.to_owned()).or_default().letters_ms.push(now_ms);
    }

    /// Takes a finding out of all that waits; tells whether it was there.
    pub(super) fn withdraw(&mut self, finding: &str) -> bool {
        let mut found = false;
        let mut take = |items: &mut Vec<Item>| {
            let before = items.len();
            items.retain(|item| item.finding != finding);
            found |= items.len() < before;
        };
        self.folds.values_mut().for_each(|fold| take(&mut fold.waiting));
        self.shops.values_mut().for_each(|shop| take(&mut shop.digest));
        found
    }

    /// Whether a subject was told in a thread.
    pub(super) fn is_told_in(&self, subject: &str, root: &str) -> bool {
        self.told.values().any(|told| told.subject == subject && told.root == root)
    }

    /// The thread of a subject that was told before.
    pub(super) fn root_of(&self, subject: &str) -> Option<String> {
        let told = self.told.values().filter(|told| told.subject == subject);
        told.max_by_key(|told| told.at_ms).map(|told| told.root.clone())
    }

    /// Lets go of what is old or beyond the bounds.
    pub(super) fn forget(&mut self, now_ms: i64) {
        self.folds.retain(|_, fold| {
            let cold = fold.told_ms.is_some_and(|told| now_ms - told > FOLD_MS_MAX);
            !(cold && fold.waiting.is_empty())
        });
        while self.folds.len() > FOLDS_MAX {
            let empty = self.folds.iter().filter(|(_, fold)| fold.waiting.is_empty());
            let oldest = empty.min_by_key(|(_, fold)| fold.told_ms).map(|(key, _)| key.clone());
            match oldest.or_else(|| self.folds.keys().next().cloned()) {
                Some(key) => self.folds.remove(&key),
                None => break,
            };
        }
        self.ended.retain(|_, ended| {
            let cold = ended.told_ms.is_some_and(|told| now_ms - told > FOLD_MS_MAX);
            !(cold && ended.waiting.is_empty())
        });
        while self.told.len() > TOLD_MAX {
            let oldest = self.told.iter().min_by_key(|(_, told)| (told.open, told.at_ms));
            match oldest.map(|(finding, _)| finding.clone()) {
                Some(finding) => self.told.remove(&finding),
                None => break,
            };
        }
    }
}

/// Adds to a bounded list, once a finding; what is beyond the bound is counted.
pub(super) fn add(items: &mut Vec<Item>, left_out: &mut usize, item: Item) {
    if let Some(known) = items.iter_mut().find(|known| known.finding == item.finding) {
        *known = item;
    } else if items.len() < WAITING_MAX {
        items.push(item);
    } else {
        *left_out += 1;
    }
}
