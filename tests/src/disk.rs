//! A disk that forgets at a crash whatever was not synced, becomes full, and fails: the agent's spool stands on it.
//! Keeps what is durable apart from what is only written.

use crate::dice::Dice;
use slipwatch_agent::edge::spool::{Change, Durability, Shelf, ShelfError, Visit};
use slipwatch_agent::spool::numbering::{Kept, Numbering};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

type Image = BTreeMap<Vec<u8>, Vec<u8>>;

#[derive(Debug, Default)]
struct Platter {
    durable: Image,
    /// Written and not synced, in order.
    pending: Vec<Vec<Change>>,
    numbering: Option<Numbering>,
    noted: Option<Kept>,
    full: bool,
    failing: bool,
}

/// A handle on the disk: the platter outlives whoever writes on it.
#[derive(Clone, Debug, Default)]
pub struct ForgetfulDisk(Rc<RefCell<Platter>>);

impl ForgetfulDisk {
    /// The power goes, or the process is killed: of what was not synced only a beginning may be there afterwards.
    pub fn crash(&self, dice: &mut Dice) {
        let mut platter = self.0.borrow_mut();
        let kept = dice.below(platter.pending.len() as u64 + 1) as usize;
        let pending: Vec<Vec<Change>> = platter.pending.drain(..).take(kept).collect();
        pending.into_iter().for_each(|changes| apply(&mut platter.durable, changes));
    }

    /// From now on there is no room, or there is again.
    pub fn set_full(&self, full: bool) {
        self.0.borrow_mut().full = full;
    }

    /// From now on each write fails, or none does.
    pub fn set_failing(&self, failing: bool) {
        self.0.borrow_mut().failing = failing;
    }

    /// Everything is gone but the small file of the numbering.
    pub fn wipe(&self) {
        let mut platter = self.0.borrow_mut();
        platter.durable.clear();
        platter.noted = None;
        platter.pending.clear();
    }

    /// The small file of the numbering is gone too.
    pub fn wipe_numbering(&self) {
        self.0.borrow_mut().numbering = None;
    }
}

fn apply(image: &mut Image, changes: Vec<Change>) {
    for change in changes {
        match change {
            Change::Put { key, value } => image.insert(key, value),
            Change::Remove { key } => image.remove(&key),
        };
    }
}

impl Platter {
    fn seen(&self) -> Image {
        let mut image = self.durable.clone();
        self.pending.iter().for_each(|changes| apply(&mut image, changes.clone()));
        image
    }

    fn sync(&mut self) {
        for changes in std::mem::take(&mut self.pending) {
            apply(&mut self.durable, changes);
        }
    }
}

impl Shelf for ForgetfulDisk {
    fn change(&mut self, changes: Vec<Change>, durability: Durability) -> Result<(), ShelfError> {
        let mut platter = self.0.borrow_mut();
        let grows = changes.iter().any(|change| matches!(change, Change::Put { .. }));
        if platter.failing {
            return Err(ShelfError::Failed(std::io::Error::other("the disk fails in this world")));
        }
        if platter.full && grows {
            return Err(ShelfError::Full);
        }
        platter.pending.push(changes);
        if durability == Durability::Now {
            platter.sync();
        }
        Ok(())
    }

    fn scan(&mut self, from: &[u8], visit: Visit<'_>) -> Result<(), ShelfError> {
        let image = {
            let platter = self.0.borrow();
            if platter.pending.is_empty() { platter.durable.clone() } else { platter.seen() }
        };
        let first = image.range(..=from.to_vec()).next_back().map(|(key, _)| key.clone());
        for (key, value) in image.range(first.unwrap_or_default()..) {
            if visit(key, value).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn numbering(&mut self) -> Option<Numbering> {
        self.0.borrow().numbering
    }

    fn note_kept(&mut self, kept: Kept) {
        self.0.borrow_mut().noted = Some(kept);
    }

    fn noted(&mut self) -> Option<Kept> {
        self.0.borrow().noted
    }

    fn write_numbering(&mut self, numbering: Numbering) -> Result<(), ShelfError> {
        let mut platter = self.0.borrow_mut();
        if platter.failing {
            return Err(ShelfError::Failed(std::io::Error::other("the disk fails in this world")));
        }
        platter.numbering = Some(numbering);
        Ok(())
    }

    fn renew_when_large(&mut self, _keep: Vec<Change>) -> Result<bool, ShelfError> {
        Ok(false)
    }
}
