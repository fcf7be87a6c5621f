//! Power cuts: the disk's image is copied right after a commit, while the writer stands still. Every image must open
//! with every committed group, in order. `kill -9` proves nothing here: it leaves the page cache alone.

use crate::spool_parts::{DISK_BYTES, EVENTS_A_GROUP, group, held, spool_settings, stored};
use crate::store_parts::{Sender, journal};
use anyhow::{Result, ensure};
use slipwatch_agent::edge::spool::open::open;
use slipwatch_collector::edge::store::Store;
use slipwatch_collector::edge::store::sqlite::SqliteStore;
use slipwatch_shared::event::{Epoch, Seq};
use slipwatch_shared::wire::envelope::Group;
use slipwatch_tests::disk_image::DiskImage;

/// How many times the plug is pulled.
const CUTS: u64 = 20;
#[test]
fn a_power_cut_takes_no_committed_group_from_the_spool() -> Result<()> {
    let work = tempfile::tempdir()?;
    let disk = DiskImage::make(work.path(), "disk", DISK_BYTES)?;
    let mut spool = open(&spool_settings(disk.path()), Epoch(1))?;
    let mut committed = Vec::new();
    let mut next = 1;
    for cut in 0..CUTS {
        // One group or several in a stroke; the first cut comes when the store is milliseconds old.
        let through = stored(&mut spool.keeper, next, 1 + cut % 4)?;
        disk.cut(work.path(), &format!("cut-{cut}"))?;
        committed.push(through);
        next = through + 1;
    }
    drop(spool);
    for (cut, &through) in committed.iter().enumerate() {
        let image = DiskImage::mount(work.path(), &format!("cut-{cut}"))?;
        let mut spool = open(&spool_settings(image.path()), Epoch(2))?;
        ensure!(spool.quarantined.is_none(), "cut {cut}: put aside for {:?}", spool.quarantined);
        let groups = held(&mut spool.keeper)?;
        let expected: Vec<Group> =
            (1..=through).step_by(EVENTS_A_GROUP as usize).map(group).collect();
        ensure!(groups == expected, "cut {cut}: {} of {} groups", groups.len(), expected.len());
        ensure!(spool.opened.start.next > Seq(through), "cut {cut}: numbers would be given twice");
        ensure!(spool.opened.start.epoch == Epoch(1), "cut {cut}: a new epoch was begun");
    }
    Ok(())
}

#[test]
fn a_power_cut_takes_no_committed_event_from_the_store() -> Result<()> {
    let work = tempfile::tempdir()?;
    let disk = DiskImage::make(work.path(), "disk", DISK_BYTES)?;
    let mut store = SqliteStore::open(&disk.path().join("store.sqlite"))?;
    let mut sender = Sender::new(store.load()?);
    let mut committed = Vec::new();
    for cut in 0..CUTS {
        let commit = sender.commit_of(1 + cut % 4, &mut store);
        store.commit(&commit)?;
        disk.cut(work.path(), &format!("cut-{cut}"))?;
        committed.push(sender.through());
    }
    drop(store);
    for (cut, &through) in committed.iter().enumerate() {
        let image = DiskImage::mount(work.path(), &format!("cut-{cut}"))?;
        let mut store = SqliteStore::open(&image.path().join("store.sqlite"))?;
        let read = journal(&mut store, through)?;
        ensure!(
            read == (1..=through).collect::<Vec<u64>>(),
            "cut {cut}: {} of {through}",
            read.len()
        );
        // What is stored is known: the same events, sent again, are repeats, and the next ones go on.
        let mut again = Sender::new(store.load()?);
        ensure!(again.repeats_through(through, &mut store), "cut {cut}: the position was lost");
    }
    Ok(())
}
