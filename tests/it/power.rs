//! Power cuts: the disk's image is copied right after a commit, while the writer stands still. Every image must open
//! with every committed group, in order. `kill -9` proves nothing here: it leaves the page cache alone.

use crate::spool_parts::{EVENTS_A_GROUP, group, held, spool_settings, stored};
use anyhow::{Result, ensure};
use slipwatch_agent::edge::spool::open::open;
use slipwatch_shared::event::{Epoch, Seq};
use slipwatch_shared::wire::envelope::Group;
use slipwatch_tests::disk_image::DiskImage;

/// How many times the plug is pulled.
const CUTS: u64 = 20;
const DISK_BYTES: u64 = 48 * 1024 * 1024;
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
