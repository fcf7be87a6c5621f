//! A file: replayed once as history, or followed as it grows, over rotation and truncation. It waits when the loop is
//! behind; nothing of it is ever dropped.

use super::tail::{Look, Tail};
use super::{Ended, Outlet, Word};
use crate::config::File;
use crate::decode::dialect::Direction;
use crate::spool::bookmark::Bookmark;
use slipwatch_shared::event::SourceLoss;
use std::time::Duration;

/// How often a file that did not grow is looked at.
const LOOK_MS: u64 = 250;
/// How often a file that is not there is looked for.
const SEEK_MS: u64 = 1_000;

/// Reads a file as the settings say, from where its bookmark says.
pub async fn run(
    settings: File,
    bookmark: Option<Bookmark>,
    idle_ms: u64,
    outlet: Outlet,
) -> Result<(), Ended> {
    if !settings.follow {
        return replay(&settings, bookmark, &outlet).await;
    }
    let mut bookmark = bookmark;
    loop {
        let first_ever = bookmark.is_none() && !settings.from_start;
        let (mut tail, kept) = find(&settings, bookmark, first_ever).await;
        let reason = follow(&mut tail, kept, &settings, idle_ms, &outlet).await?;
        tracing::warn!(file = %settings.path.display(), ?reason, "the file cannot be read any more; trying on");
        outlet.say(Word::Lost { reason }).await?;
        bookmark = Some(Bookmark { place: tail.place(), skip: 0 });
        tokio::time::sleep(Duration::from_millis(SEEK_MS)).await;
    }
}

/// The file of the bookmark, else the one under the name as soon as there is one.
async fn find(settings: &File, bookmark: Option<Bookmark>, at_end: bool) -> (Tail, Bookmark) {
    let mut told = false;
    loop {
        if let Some(bookmark) = bookmark
            && let Some(tail) = Tail::resume(&settings.path, bookmark.place)
        {
            return (tail, bookmark);
        }
        match Tail::open(&settings.path) {
            Ok(mut tail) => {
                // What was there before the very first start is not asked for; a file that came later is, whole.
                if !at_end || told || tail.skip_to_end().is_ok() {
                    let kept = Bookmark { place: tail.place(), skip: 0 };
                    return (tail, kept);
                }
            }
            Err(error) if !std::mem::replace(&mut told, true) => {
                tracing::warn!(file = %settings.path.display(), %error, "the file cannot be read; trying on");
            }
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(SEEK_MS)).await;
    }
}

/// Follows files under one name until one cannot be read.
async fn follow(
    tail: &mut Tail,
    bookmark: Bookmark,
    settings: &File,
    idle_ms: u64,
    outlet: &Outlet,
) -> Result<SourceLoss, Ended> {
    outlet.say(Word::Opened { bookmark: Some(bookmark) }).await?;
    let mut quiet_ms = 0;
    loop {
        // There must be room first: what was read and not handed over would have to be kept.
        let room = outlet.room().await?;
        match tail.look() {
            Ok(Look::Lines(bytes)) => {
                quiet_ms = 0;
                room.say(Word::Bytes {
                    direction: Direction::Either,
                    bytes,
                    place: Some(tail.place()),
                });
                continue;
            }
            Ok(Look::Nothing) => {}
            Ok(Look::Truncated) => {
                tracing::info!(file = %settings.path.display(), "the file was emptied; reading it from its start");
                match Tail::open(&settings.path) {
                    Ok(fresh) => *tail = fresh,
                    Err(_) => return Ok(SourceLoss::ReadError),
                }
                continue;
            }
            Err(_) => return Ok(SourceLoss::ReadError),
        }
        if tail.was_replaced(&settings.path) {
            drop(room);
            if go_on(tail, settings, outlet).await? {
                continue;
            }
            tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
            continue;
        }
        if quiet_ms == 0 || quiet_ms >= idle_ms {
            room.say(Word::Idle);
            quiet_ms = 0;
        } else {
            // Others may speak meanwhile.
            drop(room);
        }
        tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
        quiet_ms += LOOK_MS;
    }
}

/// The name leads to another file now: the old one is read to its end once more, then the new one from its start.
/// False when the new one is gone again.
async fn go_on(tail: &mut Tail, settings: &File, outlet: &Outlet) -> Result<bool, Ended> {
    let Ok(new) = tail.next_after(&settings.path) else { return Ok(false) };
    tracing::info!(file = %settings.path.display(), "the file was rotated");
    // Whoever writes may hold the old one for a moment longer.
    tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
    while let Ok(Look::Lines(bytes)) = tail.look() {
        outlet
            .say(Word::Bytes { direction: Direction::Either, bytes, place: Some(tail.place()) })
            .await?;
    }
    say_rest(tail, outlet).await?;
    *tail = new;
    Ok(true)
}

/// The last line of a file that will not grow any more may lack its end.
async fn say_rest(tail: &mut Tail, outlet: &Outlet) -> Result<(), Ended> {
    let mut bytes = tail.take_rest();
    if bytes.is_empty() {
        return Ok(());
    }
    bytes.push(b'\n');
    outlet.say(Word::Bytes { direction: Direction::Either, bytes, place: Some(tail.place()) }).await
}

/// Reads a file to its end, once.
async fn replay(settings: &File, bookmark: Option<Bookmark>, outlet: &Outlet) -> Result<(), Ended> {
    let (mut tail, kept) = find(settings, bookmark, false).await;
    outlet.say(Word::Opened { bookmark: Some(kept) }).await?;
    let mut reason = SourceLoss::EndOfFile;
    loop {
        let room = outlet.room().await?;
        match tail.look() {
            Ok(Look::Lines(bytes)) => room.say(Word::Bytes {
                direction: Direction::Either,
                bytes,
                place: Some(tail.place()),
            }),
            Ok(Look::Nothing | Look::Truncated) => break,
            Err(_) => {
                reason = SourceLoss::ReadError;
                break;
            }
        }
    }
    say_rest(&mut tail, outlet).await?;
    outlet.say(Word::Lost { reason }).await
}
