//! Full disks, on either side: what was kept stays readable, nothing is lost, and it works again by itself once there is
//! room.

use crate::spool_parts::{DISK_BYTES, EVENTS_A_GROUP, group, held, spool_settings, stored};
use crate::store_parts::{Sender, journal};
use anyhow::{Result, ensure};
use slipwatch_agent::edge::spool::open::open;
use slipwatch_agent::spool::storage::{Append, Refusal, StorageAnswer, StorageOrder};
use slipwatch_collector::edge::store::sqlite::SqliteStore;
use slipwatch_collector::edge::store::{Store, StoreError};
use slipwatch_shared::event::{Epoch, Seq};
use slipwatch_shared::wire::envelope::Group;
use slipwatch_shared::wire::seal::Chain;
use slipwatch_tests::disk_image::DiskImage;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Somebody else's file takes all the room there is.
fn fill(disk: &Path) -> Result<PathBuf> {
    let path = disk.join("somebody-elses");
    let mut file = File::create(&path)?;
    let mut bytes = vec![0; 64 * 1024];
    while !bytes.is_empty() {
        if file.write_all(&bytes).and_then(|()| file.sync_data()).is_err() {
            bytes.truncate(bytes.len() / 2);
        }
    }
    Ok(path)
}

#[test]
fn a_full_disk_takes_nothing_from_the_spool_and_it_goes_on_when_there_is_room() -> Result<()> {
    let work = tempfile::tempdir()?;
    let disk = DiskImage::make(work.path(), "disk", DISK_BYTES)?;
    let mut spool = open(&spool_settings(disk.path()), Epoch(1))?;
    let through = stored(&mut spool.keeper, 1, 20)?;
    let elses = fill(disk.path())?;

    let refused =
        Append { group: group(through + 1), bookmarks: Vec::new(), chain: Chain::default() };
    for _ in 0..3 {
        let answer = spool.keeper.carry_out(StorageOrder::Append(vec![refused.clone()]))?;
        ensure!(answer == StorageAnswer::Refused { reason: Refusal::DiskFull }, "{answer:?}");
    }
    let kept: Vec<Group> = (1..=through).step_by(EVENTS_A_GROUP as usize).map(group).collect();
    ensure!(held(&mut spool.keeper)? == kept, "a full disk took what was kept");
    // What the collector has may go, full disk or not; and an agent that is started now finds the rest.
    spool.keeper.carry_out(StorageOrder::Remove { through: Seq(2 * EVENTS_A_GROUP) })?;
    drop(spool);
    let mut spool = open(&spool_settings(disk.path()), Epoch(2))?;
    ensure!(held(&mut spool.keeper)? == kept[2..], "a start on a full disk lost something");

    fs::remove_file(elses)?;
    ensure!(
        stored(&mut spool.keeper, through + 1, 1)? == through + EVENTS_A_GROUP,
        "it does not go on"
    );
    ensure!(held(&mut spool.keeper)?.len() == kept.len() - 2 + 1, "not all of it is there");
    Ok(())
}

#[test]
fn a_full_disk_takes_nothing_from_the_store_and_the_same_commit_is_taken_when_there_is_room()
-> Result<()> {
    let work = tempfile::tempdir()?;
    let disk = DiskImage::make(work.path(), "disk", DISK_BYTES)?;
    let mut store = SqliteStore::open(&disk.path().join("store.sqlite"))?;
    let mut sender = Sender::new(store.load()?);
    let first = sender.commit_of(4, &mut store);
    store.commit(&first)?;
    let kept = sender.through();
    let elses = fill(disk.path())?;

    // SQLite writes into room that it has until there is none: commits go on, then one is refused.
    let refused = (0..10_000).find_map(|_| {
        let commit = sender.commit_of(8, &mut store);
        store.commit(&commit).err().map(|error| (commit, error))
    });
    let (commit, error) = refused.expect("a full disk refuses sometime");
    ensure!(matches!(error, StoreError::Full) && error.is_retryable(), "{error}");
    let before = sender.through() - 8 * EVENTS_A_GROUP;
    ensure!(
        before >= kept && journal(&mut store, sender.through())?.len() as u64 == before,
        "half a commit is stored"
    );

    fs::remove_file(elses)?;
    store.commit(&commit)?;
    let all: Vec<u64> = (1..=sender.through()).collect();
    ensure!(journal(&mut store, sender.through())? == all, "not all of it is there");
    Ok(())
}
