//! `spool stat`: what the spool holds. While an agent runs its own last word is told, since only one process can open
//! the store; otherwise the store is read, and nothing in it is changed.

use super::chinese::TONGUE;
use super::{ConfigArgs, print};
use crate::edge::clock::wall;
use crate::edge::spool::disk::{LockError, lock_existing};
use crate::edge::spool::keeper::read_meta;
use crate::edge::spool::open::OpenError;
use crate::edge::spool::sled_shelf::SledShelf;
use crate::edge::spool::status::{self, Status};
use crate::edge::spool::{Shelf, ShelfError};
use crate::run::disk_settings;
use crate::spool::tombstone::Moment;
use slipwatch_shared::wire::envelope::Group;
use std::ops::ControlFlow;

/// What to look at.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum SpoolCommand {
    /// Says how much is kept, since when, and how far the collector is.
    Stat(StatArgs),
}

/// Arguments of `spool stat`.
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_help = "Example:\n  slipwatch-agent spool stat --config /etc/slipwatch/agent.toml --json"
)]
pub struct StatArgs {
    /// The settings.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// Prints it.
pub fn run(command: &SpoolCommand) -> anyhow::Result<()> {
    let SpoolCommand::Stat(arguments) = command;
    let config = arguments.config.read()?;
    let settings = disk_settings(&config);
    let directory = settings.directory.display().to_string();
    if !settings.store().is_dir() {
        anyhow::bail!("{directory} holds no spool yet");
    }
    let status = match lock_existing(&settings.directory) {
        Err(LockError::Held { pid }) => {
            let status = status::read(&settings.directory);
            status.ok_or(OpenError::InUse { directory, pid })?
        }
        Err(LockError::Io(source)) => {
            return Err(OpenError::Unwritable { directory, source }.into());
        }
        Ok(_lock) => {
            let shelf = SledShelf::open_as_it_is(settings);
            shelf.and_then(|mut shelf| read(&mut shelf)).map_err(|error| {
                anyhow::Error::new(error).context(format!("{directory} cannot be read"))
            })?
        }
    };
    match arguments.json {
        true => print(&format!("{}\n", serde_json::to_string(&status)?))?,
        false => {
            let said: Vec<String> = words(&status).lines().map(|line| TONGUE.say(line)).collect();
            print(&format!("{}\n", said.join("\n")))?;
        }
    }
    Ok(())
}

fn read(shelf: &mut SledShelf) -> Result<Status, ShelfError> {
    let meta = read_meta(shelf)?;
    let mut status = Status {
        wall_ms: wall().0,
        epoch: meta.map_or(0, |(epoch, _)| epoch.0),
        committed_through: meta.map_or(0, |(_, committed)| committed.0),
        ..Status::default()
    };
    status.next_seq = status.committed_through + 1;
    status.first_seq = status.next_seq;
    shelf.scan(&[], &mut |key, value| {
        if key.len() != 8 {
            return ControlFlow::Break(());
        }
        if let Ok(group) = Group::from_frame(value) {
            if status.records == 0 {
                status.first_seq = group.first_seq.0;
                status.oldest_wall_ms = Some(Moment::of_first_event(&group).observed().wall.0);
            }
            status.records += 1;
            status.events += u64::from(group.count);
            status.bytes += value.len() as u64;
            status.next_seq = group.end_seq().0;
        }
        ControlFlow::Continue(())
    })?;
    Ok(status)
}

fn words(status: &Status) -> String {
    let Status { records, events, bytes, first_seq, next_seq, .. } = status;
    let source = match status.pid {
        Some(pid) => {
            let age_s = wall().0.saturating_sub(status.wall_ms).max(0) / 1_000;
            format!("told by the running agent (process {pid}) {age_s} s ago")
        }
        None => "read from the store".to_owned(),
    };
    let held = match events {
        0 => "nothing waits".to_owned(),
        _ => format!("{events} events wait, numbers {first_seq} to {}", next_seq - 1),
    };
    let age = status.oldest_wall_ms.map_or(String::new(), |oldest| {
        format!("oldest    {} s\n", wall().0.saturating_sub(oldest).max(0) / 1_000)
    });
    format!(
        "{held}\nrecords   {records}, {bytes} bytes\n{age}committed through {}\nepoch     {}\n{source}\n",
        status.committed_through, status.epoch
    )
}
