//! Power cuts: the disk's image is copied right after a commit, while the writer stands still. Every image must open
//! with every committed group, in order. `kill -9` proves nothing here: it leaves the page cache alone.

use anyhow::{Result, ensure};
use slipwatch_agent::edge::spool::disk::DiskSettings;
use slipwatch_agent::edge::spool::keeper::Keeper;
use slipwatch_agent::edge::spool::open::open;
use slipwatch_agent::edge::spool::sled_shelf::SledShelf;
use slipwatch_agent::spool::storage::{Append, StorageAnswer, StorageOrder};
use slipwatch_shared::event::{Body, Epoch, Event, Evidence, LineCounts, Seq, SourceId};
use slipwatch_shared::times::{BootId, EventTime, Observed, Uptime};
use slipwatch_shared::wire::envelope::{ClockState, Group};
use slipwatch_tests::disk_image::DiskImage;
use std::path::Path;

/// How many times the plug is pulled.
const CUTS: u64 = 20;
const DISK_BYTES: u64 = 48 * 1024 * 1024;
const EVENTS_A_GROUP: u64 = 20;

fn spool_settings(disk: &Path) -> DiskSettings {
    DiskSettings {
        directory: disk.join("spool"),
        cache_bytes: 4 * 1024 * 1024,
        ballast_bytes: 1024 * 1024,
        reserve_bytes: 1024 * 1024,
        rebuild_bytes: 64 * 1024 * 1024,
        quarantine_max: 2,
    }
}

/// A group as a busy shop's agent makes it: some kilobytes of evidence.
fn group(first: u64) -> Group {
    let boot = BootId([1; 16]);
    let mut group = Group::begin(boot, ClockState::default(), Seq(first));
    for seq in first..first + EVENTS_A_GROUP {
        let observed = Observed {
            boot,
            uptime: Uptime(seq),
            wall: EventTime(seq as i64),
            synchronised: false,
        };
        group.push(&Event {
            seq: Seq(seq),
            source: SourceId(1),
            terminal: None,
            observed,
            device_time: None,
            body: Body::Pulse(LineCounts { lines: seq, ..LineCounts::default() }),
            evidence: Evidence::Text(format!("{seq:0>200}").into()),
        });
    }
    group
}

fn stored(keeper: &mut Keeper<SledShelf>, first: u64, groups: u64) -> Result<u64> {
    let appends = (0..groups)
        .map(|at| Append { group: group(first + at * EVENTS_A_GROUP), bookmarks: Vec::new() });
    match keeper.carry_out(StorageOrder::Append(appends.collect()))? {
        StorageAnswer::Stored { through, .. } => Ok(through.0),
        other => anyhow::bail!("not stored: {other:?}"),
    }
}

fn held(keeper: &mut Keeper<SledShelf>) -> Result<Vec<Group>> {
    match keeper.carry_out(StorageOrder::Fetch { from: Seq(1), bytes_max: usize::MAX })? {
        StorageAnswer::Fetched { groups, .. } => Ok(groups),
        other => anyhow::bail!("not fetched: {other:?}"),
    }
}

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
