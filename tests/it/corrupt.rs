//! Damaged spools: whatever the disk did to its files, the agent starts, accounts for every number it ever gave, and
//! goes on. sled panics in open on many of these; that is caught.

use crate::spool_parts::{EVENTS_A_GROUP, group, held, spool_settings, stored};
use anyhow::{Context, Result, ensure};
use slipwatch_agent::edge::spool::disk::DiskSettings;
use slipwatch_agent::edge::spool::open::open;
use slipwatch_shared::event::{Body, Epoch, Seq};
use slipwatch_tests::dice::Dice;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// How many spools are damaged.
const SPOOLS: u64 = 100;
const GROUPS: u64 = 40;

#[test]
fn an_agent_starts_from_any_damaged_spool_accounts_for_every_number_and_goes_on() -> Result<()> {
    let work = tempfile::tempdir()?;
    let sound = spool_settings(&work.path().join("sound"));
    let through = {
        let mut spool = open(&sound, Epoch(1))?;
        (0..GROUPS).try_fold(0, |last, _| stored(&mut spool.keeper, last + 1, 1))?
    };
    let mut put_aside = 0;
    for seed in 0..SPOOLS {
        let settings = spool_settings(&work.path().join(format!("spool-{seed}")));
        copy(&sound.directory, &settings.directory)?;
        let damage = damage(&mut Dice::new(seed), &settings)?;
        let told = check(&settings, through).with_context(|| format!("seed {seed}: {damage}"))?;
        put_aside += u64::from(told);
        fs::remove_dir_all(&settings.directory)?;
    }
    ensure!(put_aside > 0, "no damage was ever seen: the damage done here damages nothing");
    Ok(())
}

/// Opens the damaged spool, settles the account of its numbers, and keeps a new group in it. Whether anything was lost.
fn check(settings: &DiskSettings, through: u64) -> Result<bool> {
    let mut spool = open(settings, Epoch(2))?;
    let start = spool.opened.start;
    let groups = held(&mut spool.keeper)?;
    let mut account: BTreeMap<u64, &str> = BTreeMap::new();
    for read in &groups {
        let original = group(read.first_seq.0);
        let mut events = read.events().map(|(_, event)| event);
        match events.next().context("an empty group")?? {
            event if matches!(event.body, Body::Lost { .. }) => {
                let Body::Lost { from, through, .. } = event.body else {
                    unreachable!("just seen")
                };
                account.extend((from.0..=through.0).map(|seq| (seq, "lost")));
            }
            _ => {
                ensure!(*read == original, "the group of {} came back changed", read.first_seq.0);
                account.extend((read.first_seq.0..read.end_seq().0).map(|seq| (seq, "kept")));
            }
        }
    }
    if let Some((from, last)) = start.lost {
        for seq in from.0..=last.0.min(through) {
            account.entry(seq).or_insert("lost");
        }
    }
    ensure!(
        start.epoch == Epoch(1),
        "the numbers could have been continued, and a new epoch was begun"
    );
    ensure!(start.next > Seq(through), "number {} would be given twice", start.next.0);
    let missing: Vec<u64> = (1..=through).filter(|seq| !account.contains_key(seq)).collect();
    ensure!(missing.is_empty(), "nobody says what became of {missing:?}");
    ensure!(
        stored(&mut spool.keeper, start.next.0, 1)? == start.next.0 + EVENTS_A_GROUP - 1,
        "it does not go on"
    );
    Ok(account.values().any(|what| *what == "lost"))
}

/// Does to a spool what bad flash, a bad sector or a bad day does; says what.
fn damage(dice: &mut Dice, settings: &DiskSettings) -> Result<String> {
    let db = settings.store().join("db");
    let mut bytes = fs::read(&db)?;
    let length = bytes.len() as u64;
    let what = match dice.below(6) {
        0 => {
            let at = dice.below(length) as usize;
            bytes[at] ^= 1 << dice.below(8);
            format!("one bit of byte {at}")
        }
        1 => {
            let count = 1 + dice.below(64);
            for _ in 0..count {
                bytes[dice.below(length) as usize] = dice.below(256) as u8;
            }
            format!("{count} bytes anywhere")
        }
        2 => {
            let at = dice.below(length) as usize;
            bytes.truncate(at);
            format!("cut off at {at}")
        }
        3 => {
            let at = dice.below(length) as usize & !511;
            let end = (at + 512 * (1 + dice.below(16) as usize)).min(bytes.len());
            bytes[at..end].fill(0);
            format!("zeros from {at} to {end}")
        }
        4 => {
            fs::write(settings.store().join("conf"), b"")?;
            "an empty conf".to_owned()
        }
        _ => {
            fs::remove_dir_all(settings.store())?;
            return Ok("no store at all".to_owned());
        }
    };
    fs::write(&db, bytes)?;
    Ok(what)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &place)?,
            false => fs::copy(entry.path(), place).map(drop)?,
        }
    }
    Ok(())
}
