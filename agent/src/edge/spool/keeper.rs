//! Carries out the orders of the plan on a shelf: groups under their first number, and beside them, changed in the same
//! stroke, how far the files were read and what the collector has. Never gives a group that it did not check.

use super::{Change, Durability, Shelf, ShelfError};
use crate::spool::bookmark::Bookmark;
use crate::spool::numbering::{Kept, Numbering, RESERVED_BLOCK, Remembered, Start, start};
use crate::spool::storage::{Append, Held, Refusal, StorageAnswer, StorageOrder};
use crate::spool::tombstone::{Moment, accounts_from, bury, lost_group};
use slipwatch_shared::event::{Epoch, LossReason, Seq};
use slipwatch_shared::wire::envelope::Group;
use slipwatch_shared::wire::seal::Chain;
use std::ops::ControlFlow;

/// Keys of groups are numbers, eight bytes, most significant first; no number begins with this byte.
const NOT_A_GROUP: u8 = 0xff;
const META_KEY: &[u8] = b"\xffmeta";
const CHAIN_KEY: &[u8] = b"\xffchain";
const BOOKMARK_PREFIX: &[u8] = b"\xffplace/";
/// Changes given to the shelf at a time: what it has not yet written pins memory.
const CHANGES_MAX: usize = 512;

/// What was found when the spool was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Where numbering goes on.
    pub start: Start,
    /// What is held.
    pub held: Held,
    /// How far each file was read, by source name.
    pub bookmarks: Vec<(Box<str>, Bookmark)>,
    /// Records that could not be read and were removed.
    pub unreadable: u64,
    /// Holes in the numbers that were filled by tombstones.
    pub holes: u64,
}

/// The orders' executor.
pub struct Keeper<S> {
    shelf: S,
    held: Held,
    end: Seq,
    committed: Seq,
    epoch: Epoch,
    ceiling: Seq,
    /// How the chain of hashes stands behind the last group.
    chain: Chain,
    /// The store does not say yet which life it is of; it does with the first append.
    meta_due: bool,
    /// The append that was refused first; nothing else is kept before it.
    awaited: Option<Seq>,
    /// The shelf failed in between: what is held is counted again before the next order.
    recount: bool,
    removed_unwritten: usize,
}

impl<S: Shelf> Keeper<S> {
    /// Reads everything once: what cannot be read is removed, what is missing becomes a tombstone. `new_epoch` is taken
    /// when the old numbering cannot be continued.
    pub fn open(mut shelf: S, new_epoch: Epoch) -> Result<(Keeper<S>, Opened), ShelfError> {
        let meta = read_meta(&mut shelf)?;
        let survey = survey(&mut shelf, meta)?;
        let remembered = Remembered {
            epoch: meta.map(|(epoch, _)| epoch),
            committed_through: meta.map_or(Seq(0), |(_, committed)| committed),
            end: (survey.held.groups > 0).then_some(survey.end),
            chain: read_chain(&mut shelf)?,
        };
        let file = shelf.numbering();
        let start = start(file, Some(remembered), shelf.noted(), new_epoch);
        let bookmarks = read_bookmarks(&mut shelf)?;
        let mut keeper = Keeper {
            shelf,
            held: survey.held,
            end: if survey.held.groups > 0 { survey.end } else { start.next },
            committed: start.committed_through,
            epoch: start.epoch,
            ceiling: file.map_or(Seq(0), |file| file.ceiling),
            chain: start.chain,
            meta_due: meta.is_none_or(|(epoch, _)| epoch != start.epoch),
            awaited: None,
            recount: false,
            removed_unwritten: 0,
        };
        if file.is_none_or(|file| file.epoch != start.epoch) || keeper.ceiling <= start.next {
            keeper.reserve(start.next)?;
        }
        let Survey { unreadable, holes, .. } = survey;
        let opened = Opened { start, held: keeper.held(), bookmarks, unreadable, holes };
        Ok((keeper, opened))
    }

    /// What is held.
    pub fn held(&self) -> Held {
        let first = if self.held.groups == 0 { self.end } else { self.held.first };
        Held { first, ..self.held }
    }

    /// The shelf below, for its own upkeep.
    pub fn shelf(&mut self) -> &mut S {
        &mut self.shelf
    }

    /// Carries out one order. An error means that the store is damaged and must be opened anew.
    pub fn carry_out(&mut self, order: StorageOrder) -> Result<StorageAnswer, ShelfError> {
        let is_append = matches!(order, StorageOrder::Append(_));
        let answer = self.recount_when_due().and_then(|()| self.obey(order));
        match answer {
            Err(ShelfError::Full) if is_append => {
                Ok(StorageAnswer::Refused { reason: Refusal::DiskFull })
            }
            Err(ShelfError::Failed(_)) if is_append => {
                self.recount = true;
                Ok(StorageAnswer::Refused { reason: Refusal::Failed })
            }
            Err(ShelfError::Full | ShelfError::Failed(_)) => {
                self.recount = true;
                Ok(StorageAnswer::Failed)
            }
            answer => answer,
        }
    }

    fn obey(&mut self, order: StorageOrder) -> Result<StorageAnswer, ShelfError> {
        match order {
            StorageOrder::Append(appends) => self.append(&appends),
            StorageOrder::Fetch { from, bytes_max } => self.fetch(from, bytes_max),
            StorageOrder::Remove { through } => self.remove(through),
            StorageOrder::Evict { bytes } => self.evict(bytes),
            StorageOrder::BeginEpoch { epoch } => self.begin_epoch(epoch),
        }
    }

    fn append(&mut self, appends: &[Append]) -> Result<StorageAnswer, ShelfError> {
        let (Some(first), Some(last)) = (appends.first(), appends.last()) else {
            return Ok(StorageAnswer::Holds(self.held()));
        };
        if self.awaited.is_some_and(|awaited| awaited != first.group.first_seq) {
            return Ok(StorageAnswer::Refused { reason: Refusal::Failed });
        }
        self.awaited = Some(first.group.first_seq);
        if last.group.last_seq() > self.ceiling {
            self.reserve(last.group.last_seq())?;
        }
        let mut changes = Vec::with_capacity(appends.len() + 3);
        let mut bytes = 0;
        for Append { group, bookmarks, .. } in appends {
            let value = group.to_frame();
            bytes += value.len() as u64;
            changes.push(Change::Put { key: key_of(group.first_seq), value });
            let places = bookmarks.iter().map(|(name, bookmark)| put_bookmark(name, bookmark));
            changes.extend(places);
        }
        changes.push(put_chain(&last.chain));
        if self.meta_due {
            changes.push(self.meta());
        }
        self.shelf.change(changes, Durability::Now)?;
        self.chain = last.chain;
        self.awaited = None;
        self.meta_due = false;
        self.removed_unwritten = 0;
        if self.held.groups == 0 {
            self.held.first = first.group.first_seq;
        }
        self.held.groups += appends.len() as u64;
        self.held.bytes += bytes;
        self.end = last.group.end_seq();
        let through = last.group.last_seq();
        self.shelf.note_kept(Kept { epoch: self.epoch, through });
        Ok(StorageAnswer::Stored { through, held: self.held() })
    }

    fn fetch(&mut self, from: Seq, bytes_max: usize) -> Result<StorageAnswer, ShelfError> {
        let mut groups = Vec::new();
        let mut bytes = 0;
        let mut wrong = None;
        self.shelf.scan(&key_of(from), &mut |key, value| {
            let Some(first) = seq_of(key) else { return ControlFlow::Break(()) };
            match Group::from_frame(value) {
                Ok(group) if group.count == 0 || group.end_seq() <= from => {}
                Ok(group) => {
                    bytes += value.len();
                    groups.push(group);
                }
                Err(error) => wrong = Some(format!("group {}: {error}", first.0)),
            }
            if wrong.is_some() || bytes >= bytes_max {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        match wrong {
            Some(what) => Err(ShelfError::Damaged(what)),
            None => Ok(StorageAnswer::Fetched { from, groups }),
        }
    }

    fn remove(&mut self, through: Seq) -> Result<StorageAnswer, ShelfError> {
        self.committed = self.committed.max(through);
        loop {
            let mut keys = Vec::new();
            let mut bytes = 0;
            let mut next_first = None;
            self.shelf.scan(&[], &mut |key, value| {
                let Some(first) = seq_of(key) else { return ControlFlow::Break(()) };
                // What cannot be read ends where the next begins, which is not before its own number.
                let last = Group::from_frame(value).map_or(first, |group| group.last_seq());
                if last > through || keys.len() == CHANGES_MAX {
                    next_first = Some(first);
                    return ControlFlow::Break(());
                }
                bytes += value.len() as u64;
                keys.push(key.to_vec());
                ControlFlow::Continue(())
            })?;
            let count = keys.len();
            if count == 0 {
                break;
            }
            let removed = keys.into_iter().map(|key| Change::Remove { key });
            let changes = removed.chain([self.meta()]).collect();
            self.removed_unwritten += count;
            let durability = match self.removed_unwritten >= CHANGES_MAX {
                true => Durability::Now,
                false => Durability::Later,
            };
            self.shelf.change(changes, durability)?;
            if durability == Durability::Now {
                self.removed_unwritten = 0;
            }
            self.held.groups = self.held.groups.saturating_sub(count as u64);
            self.held.bytes = self.held.bytes.saturating_sub(bytes);
            self.held.first = next_first.unwrap_or(self.end);
            if count < CHANGES_MAX {
                break;
            }
        }
        self.renew_when_empty()?;
        Ok(StorageAnswer::Holds(self.held()))
    }

    fn renew_when_empty(&mut self) -> Result<(), ShelfError> {
        if self.held.groups > 0 || self.meta_due {
            return Ok(());
        }
        let bookmarks = read_bookmarks(&mut self.shelf)?;
        let places = bookmarks.iter().map(|(name, bookmark)| put_bookmark(name, bookmark));
        let keep = places.chain([self.meta(), put_chain(&self.chain)]).collect();
        self.shelf.renew_when_large(keep)?;
        Ok(())
    }

    fn evict(&mut self, bytes: u64) -> Result<StorageAnswer, ShelfError> {
        let mut gone: Option<(Group, Group)> = None;
        let mut changes = Vec::new();
        let (mut freed, mut left) = (0, self.held.groups);
        self.shelf.scan(&[], &mut |key, value| {
            // The newest group stays: there is always something to go on from.
            let done = freed >= bytes || left <= 1;
            let Some(_) = seq_of(key).filter(|_| !done) else { return ControlFlow::Break(()) };
            freed += value.len() as u64;
            left -= 1;
            changes.push(Change::Remove { key: key.to_vec() });
            if let Ok(group) = Group::from_frame(value) {
                let first = gone.take().map_or_else(|| group.clone(), |(first, _)| first);
                gone = Some((first, group));
            }
            ControlFlow::Continue(())
        })?;
        let Some((first, last)) = gone else { return Ok(StorageAnswer::Holds(self.held())) };
        let tombstone = bury(&[first, last], LossReason::SpoolFull);
        let key = key_of(tombstone.first_seq);
        changes.retain(|change| *change != Change::Remove { key: key.clone() });
        let value = tombstone.to_frame();
        self.held = Held {
            first: tombstone.first_seq,
            groups: left + 1,
            bytes: self.held.bytes.saturating_sub(freed) + value.len() as u64,
        };
        changes.push(Change::Put { key, value });
        self.shelf.change(changes, Durability::Now)?;
        Ok(StorageAnswer::Holds(self.held()))
    }

    fn begin_epoch(&mut self, epoch: Epoch) -> Result<StorageAnswer, ShelfError> {
        (self.epoch, self.committed) = (epoch, Seq(0));
        self.reserve(self.end)?;
        self.shelf.change(vec![self.meta()], Durability::Now)?;
        Ok(StorageAnswer::Holds(self.held()))
    }

    /// Reserves a block of numbers behind `seq`, before any of them is given out.
    fn reserve(&mut self, seq: Seq) -> Result<(), ShelfError> {
        let ceiling = Seq(seq.0.saturating_add(RESERVED_BLOCK));
        let (epoch, committed_through) = (self.epoch, self.committed);
        self.shelf.write_numbering(Numbering { epoch, ceiling, committed_through })?;
        self.ceiling = ceiling;
        Ok(())
    }

    fn recount_when_due(&mut self) -> Result<(), ShelfError> {
        if self.recount {
            let mut held = Held::default();
            self.shelf.scan(&[], &mut |key, value| {
                let Some(first) = seq_of(key) else { return ControlFlow::Break(()) };
                if held.groups == 0 {
                    held.first = first;
                }
                held.groups += 1;
                held.bytes += value.len() as u64;
                ControlFlow::Continue(())
            })?;
            self.held = held;
            self.recount = false;
        }
        Ok(())
    }

    fn meta(&self) -> Change {
        let mut value = self.epoch.0.to_le_bytes().to_vec();
        value.extend_from_slice(&self.committed.0.to_le_bytes());
        Change::Put { key: META_KEY.to_vec(), value }
    }
}

fn key_of(seq: Seq) -> Vec<u8> {
    seq.0.to_be_bytes().to_vec()
}

fn seq_of(key: &[u8]) -> Option<Seq> {
    let key: [u8; 8] = key.try_into().ok()?;
    (key[0] != NOT_A_GROUP).then(|| Seq(u64::from_be_bytes(key)))
}

fn put_chain(chain: &Chain) -> Change {
    Change::Put { key: CHAIN_KEY.to_vec(), value: chain.to_bytes().to_vec() }
}

/// How the chain stood with the last group; one that cannot be read begins anew, and its first seal shows that.
fn read_chain(shelf: &mut impl Shelf) -> Result<Chain, ShelfError> {
    let mut chain = None;
    shelf.scan(CHAIN_KEY, &mut |key, value| {
        if key == CHAIN_KEY {
            chain = Chain::from_bytes(value);
        }
        ControlFlow::Break(())
    })?;
    Ok(chain.unwrap_or_default())
}

fn put_bookmark(name: &str, bookmark: &Bookmark) -> Change {
    let key = [BOOKMARK_PREFIX, name.as_bytes()].concat();
    Change::Put { key, value: bookmark.to_bytes().to_vec() }
}

/// Which life the store is of, and what the collector has.
pub fn read_meta(shelf: &mut impl Shelf) -> Result<Option<(Epoch, Seq)>, ShelfError> {
    let mut meta = None;
    shelf.scan(META_KEY, &mut |key, value| {
        if key == META_KEY
            && let Some((epoch, committed)) = value.split_at_checked(8)
            && let (Ok(epoch), Ok(committed)) = (epoch.try_into(), committed.try_into())
        {
            meta = Some((Epoch(u64::from_le_bytes(epoch)), Seq(u64::from_le_bytes(committed))));
        }
        if key < META_KEY { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(meta)
}

fn read_bookmarks(shelf: &mut impl Shelf) -> Result<Vec<(Box<str>, Bookmark)>, ShelfError> {
    let mut bookmarks = Vec::new();
    shelf.scan(BOOKMARK_PREFIX, &mut |key, value| {
        if let Some(name) = key.strip_prefix(BOOKMARK_PREFIX)
            && let (Ok(name), Some(bookmark)) =
                (std::str::from_utf8(name), Bookmark::from_bytes(value))
        {
            bookmarks.push((name.into(), bookmark));
        }
        ControlFlow::Continue(())
    })?;
    Ok(bookmarks)
}

struct Survey {
    held: Held,
    end: Seq,
    unreadable: u64,
    holes: u64,
}

/// Checks every group and mends what is wrong.
fn survey(shelf: &mut impl Shelf, meta: Option<(Epoch, Seq)>) -> Result<Survey, ShelfError> {
    let mut found = Survey { held: Held::default(), end: Seq(0), unreadable: 0, holes: 0 };
    let mut expected = meta.map(|(_, committed)| committed.next());
    let mut mends = Vec::new();
    shelf.scan(&[], &mut |key, value| {
        if key.first() == Some(&NOT_A_GROUP) {
            return ControlFlow::Break(());
        }
        let group = Group::from_frame(value).ok();
        let sound = |group: &Group| {
            seq_of(key) == Some(group.first_seq)
                && group.count > 0
                && (found.held.groups == 0 || expected.is_none_or(|next| group.first_seq >= next))
        };
        let Some(group) = group.filter(sound) else {
            found.unreadable += 1;
            mends.push(Change::Remove { key: key.to_vec() });
            return ControlFlow::Continue(());
        };
        let mut first = group.first_seq;
        if let Some(from) = expected.filter(|from| *from < accounts_from(&group)) {
            let through = Seq(first.0 - 1);
            let moment = Moment::of_first_event(&group);
            let lost = lost_group(from, through, LossReason::SpoolDamaged, moment).to_frame();
            (first, found.holes) = (through, found.holes + 1);
            found.held.groups += 1;
            found.held.bytes += lost.len() as u64;
            mends.push(Change::Put { key: key_of(through), value: lost });
        }
        if found.held.first == Seq(0) {
            found.held.first = first;
        }
        found.held.groups += 1;
        found.held.bytes += value.len() as u64;
        found.end = group.end_seq();
        expected = Some(found.end);
        ControlFlow::Continue(())
    })?;
    for mends in mends.chunks(CHANGES_MAX) {
        shelf.change(mends.to_vec(), Durability::Now)?;
    }
    Ok(found)
}
