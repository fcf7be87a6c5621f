//! The spool on real directories: closed, damaged, full.

mod damage;
mod full;

use super::disk::{self, DiskSettings};
use super::open::{self, OpenError, Spool};
use super::*;
use crate::spool::bookmark::{Bookmark, Place};
use crate::spool::storage::{Append, Held, StorageAnswer, StorageOrder};
use crate::spool::tombstone::{Moment, lost_event};
use slipwatch_shared::event::{Body, Epoch, Event, LossReason, Seq};
use slipwatch_shared::times::{BootId, Uptime};
use slipwatch_shared::wire::envelope::{ClockState, Group};
use slipwatch_shared::wire::seal::Chain;
use std::path::Path;

const NEW_EPOCH: Epoch = Epoch(77);

fn settings(directory: &Path) -> DiskSettings {
    DiskSettings {
        directory: directory.to_owned(),
        cache_bytes: 4 << 20,
        ballast_bytes: 1 << 20,
        reserve_bytes: 1 << 20,
        rebuild_bytes: 1 << 20,
        quarantine_max: 2,
    }
}

#[track_caller]
fn open(directory: &Path) -> Spool {
    open::open(&settings(directory), NEW_EPOCH).expect("the spool opens")
}

/// A group of `count` events with some weight.
fn group(first: u64, count: u64) -> Group {
    let boot = BootId([1; 16]);
    let clock = ClockState { wall_offset_ms: 1_000_000, synchronised: true };
    let mut group = Group::begin(boot, clock, Seq(first));
    for seq in first..first + count {
        let at = Moment { boot, clock, uptime: Uptime(seq) };
        group.push(&Event {
            body: Body::NetworkUp,
            evidence: slipwatch_shared::event::Evidence::Text("line ".repeat(20).into()),
            ..lost_event(Seq(seq), Seq(seq), LossReason::SpoolFull, at)
        });
    }
    group
}

fn append(group: Group) -> StorageOrder {
    StorageOrder::Append(vec![Append { group, bookmarks: Vec::new(), chain: Chain::default() }])
}

/// Appends groups of ten events from number `first` on.
#[track_caller]
fn fill(spool: &mut Spool, first: u64, groups: u64) {
    for at in 0..groups {
        let answer = spool.keeper.carry_out(append(group(first + at * 10, 10))).expect("sound");
        assert!(matches!(answer, StorageAnswer::Stored { .. }), "{answer:?}");
    }
}

fn everything(spool: &mut Spool) -> Vec<Group> {
    let order = StorageOrder::Fetch { from: Seq(0), bytes_max: usize::MAX };
    match spool.keeper.carry_out(order).expect("sound") {
        StorageAnswer::Fetched { groups, .. } => groups,
        other => panic!("{other:?}"),
    }
}

/// The numbers that groups account for, lost ones included: each once, in order. Returns those lost.
#[track_caller]
fn check_accounts(groups: &[Group], mut next: u64) -> Vec<(u64, u64)> {
    let mut lost = Vec::new();
    for group in groups {
        for (seq, event) in group.events() {
            match event.expect("a readable event").body {
                Body::Lost { from, through, .. } => {
                    assert_eq!((from.0, through), (next, seq));
                    lost.push((from.0, through.0));
                }
                _ => assert_eq!(seq.0, next),
            }
            next = seq.0 + 1;
        }
    }
    lost
}

#[test]
fn what_was_stored_is_there_after_a_restart_and_numbering_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    assert_eq!((spool.opened.start.epoch, spool.opened.start.next), (NEW_EPOCH, Seq(1)));
    fill(&mut spool, 1, 5);
    let held = spool.keeper.held();
    let groups = everything(&mut spool);
    drop(spool);
    let mut spool = open(directory.path());
    assert_eq!(spool.opened.held, held);
    assert_eq!((spool.opened.start.epoch, spool.opened.start.next), (NEW_EPOCH, Seq(51)));
    assert_eq!(everything(&mut spool), groups);
}

#[test]
fn a_drained_spool_goes_on_behind_the_last_number() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    fill(&mut spool, 1, 5);
    let answer = spool.keeper.carry_out(StorageOrder::Remove { through: Seq(50) }).unwrap();
    assert_eq!(answer, StorageAnswer::Holds(Held { first: Seq(51), groups: 0, bytes: 0 }));
    fill(&mut spool, 51, 1);
    spool.keeper.carry_out(StorageOrder::Remove { through: Seq(60) }).unwrap();
    drop(spool);
    let spool = open(directory.path());
    assert_eq!(spool.opened.start.next, Seq(61));
    assert_eq!(spool.opened.start.lost, None);
}

#[test]
fn a_fetch_gives_the_group_around_a_number_and_a_removal_keeps_it() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    fill(&mut spool, 1, 4);
    spool.keeper.carry_out(StorageOrder::Remove { through: Seq(15) }).unwrap();
    let order = StorageOrder::Fetch { from: Seq(16), bytes_max: 1 };
    let answer = spool.keeper.carry_out(order).unwrap();
    let StorageAnswer::Fetched { groups, .. } = answer else { panic!("{answer:?}") };
    assert_eq!(groups.iter().map(|group| group.first_seq).collect::<Vec<_>>(), [Seq(11)]);
}

#[test]
fn the_oldest_groups_become_one_tombstone() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    fill(&mut spool, 1, 10);
    let bytes = spool.keeper.held().bytes;
    spool.keeper.carry_out(StorageOrder::Evict { bytes: bytes / 4 }).unwrap();
    spool.keeper.carry_out(StorageOrder::Evict { bytes: bytes / 4 }).unwrap();
    let groups = everything(&mut spool);
    let lost = check_accounts(&groups, 1);
    assert_eq!(lost.len(), 1, "{lost:?}");
    let counted: u64 = groups.iter().map(|group| group.to_frame().len() as u64).sum();
    let expected = Held { first: groups[0].first_seq, groups: groups.len() as u64, bytes: counted };
    assert_eq!(spool.keeper.held(), expected);
    drop(spool);
    assert_eq!(open(directory.path()).opened.held, expected);
}

#[test]
fn bookmarks_are_kept_with_their_groups_also_when_the_store_is_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    let place = Place { device: 1, inode: 2, head_crc: 3, head_bytes: 4, offset: 5 };
    let bookmark = Bookmark { place, skip: 6 };
    let bookmarks = vec![("till".into(), bookmark)];
    let group_with = Append { group: group(1, 10), bookmarks, chain: Chain::default() };
    spool.keeper.carry_out(StorageOrder::Append(vec![group_with])).unwrap();
    fill(&mut spool, 11, 1_500);
    let large = spool.keeper.shelf().file_bytes();
    assert!(large > 1 << 20, "{large} bytes");
    spool.keeper.carry_out(StorageOrder::Remove { through: Seq(15_010) }).unwrap();
    let small = spool.keeper.shelf().file_bytes();
    assert!(small < large, "{small} bytes");
    fill(&mut spool, 15_011, 1);
    drop(spool);
    let spool = open(directory.path());
    assert_eq!(spool.opened.bookmarks, [("till".into(), bookmark)]);
    assert_eq!(spool.opened.start.next, Seq(15_021));
    assert!(!directory.path().join("store.new").exists());
}

#[test]
fn a_second_agent_is_told_who_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let _spool = open(directory.path());
    let Err(error) = open::open(&settings(directory.path()), NEW_EPOCH) else {
        panic!("two agents on one spool")
    };
    assert!(
        matches!(&error, OpenError::InUse { pid, .. } if *pid == std::process::id().to_string())
    );
}

#[test]
fn after_a_refusal_nothing_is_kept_before_what_was_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mut full = settings(directory.path());
    full.reserve_bytes = u64::MAX / 4;
    let mut spool = open(directory.path());
    fill(&mut spool, 1, 1);
    drop(spool);
    let mut spool = open::open(&full, NEW_EPOCH).unwrap();
    for first in [11, 21] {
        let answer = spool.keeper.carry_out(append(group(first, 10))).unwrap();
        assert!(matches!(answer, StorageAnswer::Refused { .. }), "{answer:?}");
    }
    assert_eq!(everything(&mut spool).len(), 1, "reading goes on");
    drop(spool);
    assert_eq!(open(directory.path()).opened.start.next, Seq(11));
}

#[test]
fn a_new_epoch_is_remembered_and_the_groups_stay() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    fill(&mut spool, 1, 2);
    spool.keeper.carry_out(StorageOrder::BeginEpoch { epoch: Epoch(78) }).unwrap();
    drop(spool);
    let spool = open(directory.path());
    assert_eq!((spool.opened.start.epoch, spool.opened.start.next), (Epoch(78), Seq(21)));
    assert_eq!(spool.opened.held.groups, 2);
}

#[test]
fn an_unwritable_directory_is_said_to_be_one() {
    let error = open::open(&settings(Path::new("/proc/no-such-place")), NEW_EPOCH).err();
    assert!(matches!(error, Some(OpenError::Unwritable { .. })), "{error:?}");
}

#[test]
fn the_numbering_file_is_wholly_there_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let numbering = Numbering { epoch: Epoch(1), ceiling: Seq(2), committed_through: Seq(3) };
    disk::write_numbering(&settings, numbering).unwrap();
    assert_eq!(disk::read_numbering(&settings), Some(numbering));
    let path = directory.path().join("numbering");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[9] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(disk::read_numbering(&settings), None);
}
