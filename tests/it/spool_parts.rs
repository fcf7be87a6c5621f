//! What the tests of the spool on a disk share: its settings, groups as a busy shop's agent makes them, and orders.

use anyhow::Result;
use slipwatch_agent::edge::spool::disk::DiskSettings;
use slipwatch_agent::edge::spool::keeper::Keeper;
use slipwatch_agent::edge::spool::sled_shelf::SledShelf;
use slipwatch_agent::spool::storage::{Append, StorageAnswer, StorageOrder};
use slipwatch_shared::event::{Body, Event, Evidence, LineCounts, Seq, SourceId};
use slipwatch_shared::times::{BootId, EventTime, Observed, Uptime};
use slipwatch_shared::wire::envelope::{ClockState, Group};
use slipwatch_shared::wire::seal::Chain;
use std::path::Path;

/// A disk that is quickly copied and quickly filled.
pub const DISK_BYTES: u64 = 48 * 1024 * 1024;
pub const EVENTS_A_GROUP: u64 = 20;

pub fn spool_settings(disk: &Path) -> DiskSettings {
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
pub fn group(first: u64) -> Group {
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

pub fn stored(keeper: &mut Keeper<SledShelf>, first: u64, groups: u64) -> Result<u64> {
    let appends = (0..groups).map(|at| Append {
        group: group(first + at * EVENTS_A_GROUP),
        bookmarks: Vec::new(),
        chain: Chain::default(),
    });
    match keeper.carry_out(StorageOrder::Append(appends.collect()))? {
        StorageAnswer::Stored { through, .. } => Ok(through.0),
        other => anyhow::bail!("not stored: {other:?}"),
    }
}

pub fn held(keeper: &mut Keeper<SledShelf>) -> Result<Vec<Group>> {
    match keeper.carry_out(StorageOrder::Fetch { from: Seq(1), bytes_max: usize::MAX })? {
        StorageAnswer::Fetched { groups, .. } => Ok(groups),
        other => anyhow::bail!("not fetched: {other:?}"),
    }
}
