//! A damaged spool: the agent starts all the same, and every number is accounted for.

use super::*;
use std::fs;
use std::path::PathBuf;

const DAMAGES: u64 = 100;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// A small generator: the same damage each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound.max(1)
    }
}

/// Overwrites, zeroes or cuts a part of one of the store's files.
fn damage(dice: &mut Dice, store: &Path) -> String {
    let files: Vec<PathBuf> =
        ["db", "db", "db", "db", "conf"].iter().map(|name| store.join(name)).collect();
    let path = &files[dice.below(files.len() as u64) as usize];
    let mut bytes = fs::read(path).unwrap();
    let at = dice.below(bytes.len() as u64) as usize;
    let what = match dice.below(3) {
        0 => {
            let end = (at + 1 + dice.below(4_096) as usize).min(bytes.len());
            bytes[at..end].iter_mut().for_each(|byte| *byte = dice.below(256) as u8);
            "noise"
        }
        1 => {
            let end = (at + 1 + dice.below(65_536) as usize).min(bytes.len());
            bytes[at..end].fill(0);
            "zeros"
        }
        _ => {
            bytes.truncate(at);
            "cut"
        }
    };
    fs::write(path, bytes).unwrap();
    format!("{what} at {at} of {}", path.display())
}

#[test]
fn a_hundred_damaged_spools_all_start_and_account_for_every_number() {
    let original = tempfile::tempdir().unwrap();
    let mut spool = open(original.path());
    fill(&mut spool, 1, 60);
    spool.keeper.carry_out(StorageOrder::Remove { through: Seq(100) }).unwrap();
    fill(&mut spool, 601, 20);
    drop(spool);
    let hook = std::panic::take_hook();
    // The store's reader panics on damage; a hundred back traces help nobody.
    std::panic::set_hook(Box::new(|_| {}));
    let outcome = std::panic::catch_unwind(|| {
        let mut put_aside = 0;
        for seed in 0..DAMAGES {
            let place = tempfile::tempdir().unwrap();
            copy(original.path(), place.path());
            let what = damage(&mut Dice(seed), &place.path().join("store"));
            put_aside += start_and_account(place.path(), &format!("seed {seed}, {what}"));
        }
        assert!(put_aside > 0, "none was so damaged that it had to be put aside");
    });
    std::panic::set_hook(hook);
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// The spool opens, goes on in the same epoch above every number given, and what is held is in order. 1 when the damaged
/// store had to be put aside.
#[track_caller]
fn start_and_account(directory: &Path, what: &str) -> u32 {
    let mut spool = open::open(&settings(directory), Epoch(99)).expect(what);
    let start = spool.opened.start;
    assert_eq!(start.epoch, NEW_EPOCH, "{what}");
    let groups = everything(&mut spool);
    let first = groups.first().map(crate::spool::tombstone::accounts_from);
    if let Some(first) = first {
        assert!(first <= Seq(101), "{what}: nothing is said of what is before {first:?}");
        check_accounts(&groups, first.0);
    }
    match start.lost {
        Some((from, through)) => {
            assert!(through > Seq(800), "{what}: {through:?} was given before");
            let next = groups.last().map_or(from, Group::end_seq);
            assert!(from <= next, "{what}: nothing is said of what is before {from:?}");
        }
        // A tail may be missing without a sign; the collector's commit tells then.
        None => assert!(start.next > Seq(1), "{what}"),
    }
    let next = start.lost.map_or(start.next, |(_, through)| through);
    let answer = spool.keeper.carry_out(append(group(next.0, 10))).expect(what);
    assert!(matches!(answer, StorageAnswer::Stored { .. }), "{what}: {answer:?}");
    spool.quarantined.is_some().into()
}

#[test]
fn damaged_stores_are_put_aside_and_only_a_few_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let mut place = PathBuf::new();
    for _ in 0..4 {
        fs::create_dir_all(settings.store()).unwrap();
        place = disk::quarantine(&settings).unwrap();
    }
    assert!(place.ends_with("quarantine-4"), "{}", place.display());
    let names = fs::read_dir(directory.path()).unwrap();
    let kept = names.filter(|entry| {
        entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("quarantine-")
    });
    assert_eq!(kept.count(), 2);
}

#[test]
fn a_missing_record_in_the_middle_becomes_a_loss() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    fill(&mut spool, 1, 5);
    let keys = [11_u64, 21].map(|first| Change::Remove { key: first.to_be_bytes().to_vec() });
    spool.keeper.shelf().change(keys.to_vec(), Durability::Now).unwrap();
    let noise = Change::Put { key: 41_u64.to_be_bytes().to_vec(), value: vec![1, 2, 3] };
    spool.keeper.shelf().change(vec![noise], Durability::Now).unwrap();
    drop(spool);
    let mut spool = open(directory.path());
    assert_eq!((spool.opened.holes, spool.opened.unreadable), (1, 1));
    let groups = everything(&mut spool);
    assert_eq!(check_accounts(&groups, 1), [(11, 30)]);
    assert_eq!(spool.keeper.held().groups, groups.len() as u64);
}

#[test]
fn with_store_and_numbering_gone_a_new_epoch_begins_at_one() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    fill(&mut spool, 1, 2);
    drop(spool);
    fs::remove_dir_all(directory.path().join("store")).unwrap();
    fs::remove_file(directory.path().join("numbering")).unwrap();
    let spool = open::open(&settings(directory.path()), Epoch(99)).unwrap();
    assert_eq!((spool.opened.start.epoch, spool.opened.start.next), (Epoch(99), Seq(1)));
}
