//! A program whose output is the line, such as `adb logcat`: started, read, and started again when it ends. No shell is
//! asked; nothing is written to it. While nothing of it is heard it counts as not open: `adb` waits for a device in
//! silence, and silence of an unplugged terminal must not look like a terminal that says nothing.
//!
//! Such a program tells its buffer anew whenever it starts. What was heard before is known by the last line and the one
//! before it and is not said twice, also over a restart of the agent.

mod replay;

use super::{CHUNK_BYTES_MAX, Ended, Outlet, Word};
use crate::config::Command;
use crate::decode::dialect::Direction;
use crate::decode::scrub;
use crate::edge::clock::{Clock, jitter};
use crate::spool::bookmark::{Bookmark, Place};
use replay::{Lines, behind};
use slipwatch_shared::backoff::Backoff;
use slipwatch_shared::event::SourceLoss;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdout};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How the wait for the next start grows.
const RESTART_MS: (u64, u64) = (1_000, 60_000);
/// A program that ran for this long was a good one.
const STABLE_MS: u64 = 60_000;
/// A program that was silent for this long has told its buffer.
const TOLD_MS: u64 = 500;
/// A program that is never silent has told its buffer after this long, or after so many bytes.
const TOLD_MS_MAX: u64 = 5_000;
const TOLD_BYTES_MAX: usize = 4 << 20;
/// A read that gave less than this is followed by a pause, so that each line does not wake the machine by itself.
const PAUSE_BELOW_BYTES: usize = 2_048;
const PAUSE_MS: u64 = 50;
/// How long the rest of a program that ended is waited for.
const LAST_MS: u64 = 100;
/// Of its own complaints so many bytes a line go to the log, and one line in so long.
const COMPLAINT_BYTES_MAX: usize = 256;
const COMPLAINT_MS: u64 = 1_000;

/// Where a program is: as it is named, or in the search path.
pub fn find(program: &Path) -> Result<PathBuf, String> {
    let is_program = |path: &Path| {
        path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    };
    if program.components().count() > 1 {
        return match is_program(program) {
            true => Ok(program.to_owned()),
            false => Err(format!("{}: no such program", program.display())),
        };
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).map(|place| place.join(program)).find(|path| is_program(path));
    found.ok_or_else(|| {
        format!("{}: no such program in {}", program.display(), path.to_string_lossy())
    })
}

/// Reads a program for ever: starts it, and starts it again when it ended.
pub async fn run(
    settings: Command,
    bookmark: Option<Bookmark>,
    idle_ms: u64,
    outlet: Outlet,
    clock: Clock,
) -> Result<(), Ended> {
    let mut backoff = Backoff::new(RESTART_MS.0, RESTART_MS.1, STABLE_MS);
    let mut seen = bookmark;
    let mut told = false;
    loop {
        match Running::start(&settings) {
            Ok(running) => {
                told = false;
                backoff.succeeded(clock.uptime());
                let was_open = attend(running, &settings, &mut seen, idle_ms, &outlet).await?;
                if was_open {
                    outlet.say(Word::Lost { reason: SourceLoss::Unplugged }).await?;
                }
            }
            // Said once, not with every try.
            Err(error) if !std::mem::replace(&mut told, true) => {
                tracing::warn!(program = %settings.program.display(), %error, "the program cannot be started; trying on");
            }
            Err(_) => {}
        }
        let wait_ms = backoff.failed(clock.uptime(), jitter());
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
    }
}

/// A program that runs, with all that it started; all of it ends with this.
struct Running {
    child: Child,
    /// The group of its processes, which has its number.
    group: Option<libc::pid_t>,
    out: ChildStdout,
    /// What it ended with, and when.
    ended: Option<(String, Instant)>,
    complaints: JoinHandle<()>,
}

impl Running {
    fn start(settings: &Command) -> io::Result<Running> {
        let mut child = tokio::process::Command::new(&settings.program)
            .args(&settings.args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let missing = || io::Error::other("the program has no output");
        let out = child.stdout.take().ok_or_else(missing)?;
        let errors = child.stderr.take().ok_or_else(missing)?;
        let group = child.id().and_then(|id| libc::pid_t::try_from(id).ok());
        let program = settings.program.display().to_string();
        tracing::info!(program, "started");
        let complaints = tokio::spawn(tell_complaints(errors, program));
        Ok(Running { child, group, out, ended: None, complaints })
    }

    /// Its next bytes; none when it has ended.
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (_, ended) = match &self.ended {
            Some(ended) => ended,
            None => {
                let status = tokio::select! {
                    biased;
                    read = self.out.read(buffer) => return read,
                    status = self.child.wait() => status,
                };
                let status =
                    status.map_or_else(|error| error.to_string(), |status| status.to_string());
                self.ended.insert((status, Instant::now()))
            }
        };
        // Its last words may lie in the pipe. What it started beside itself may hold that open, and does not count.
        let over = *ended + Duration::from_millis(LAST_MS);
        tokio::time::timeout_at(over, self.out.read(buffer)).await.unwrap_or(Ok(0))
    }

    /// What it ended with.
    async fn status(&mut self) -> String {
        match self.ended.take() {
            Some((status, _)) => status,
            None => {
                self.kill();
                self.child
                    .wait()
                    .await
                    .map_or_else(|error| error.to_string(), |status| status.to_string())
            }
        }
    }

    fn kill(&self) {
        let Some(group) = self.group else { return };
        // SAFETY: a plain system call. The number is that of this child's own group for as long as one of it is left.
        unsafe { libc::kill(-group, libc::SIGKILL) };
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.complaints.abort();
        self.kill();
    }
}

/// Hands over what a program says until it ends; tells whether anything was heard. `seen` is the last line that was
/// handed over before, and since.
async fn attend(
    mut running: Running,
    settings: &Command,
    seen: &mut Option<Bookmark>,
    idle_ms: u64,
    outlet: &Outlet,
) -> Result<bool, Ended> {
    let mut lines = Lines::default();
    let Some(opened) = replayed(&mut running, settings, *seen, &mut lines).await else {
        let status = running.status().await;
        tracing::warn!(program = %settings.program.display(), status, "the program ended before it said anything");
        return Ok(false);
    };
    outlet.say(Word::Opened { bookmark: Some(opened) }).await?;
    *seen = Some(opened);
    let mut buffer = vec![0; CHUNK_BYTES_MAX];
    let idle = Duration::from_millis(idle_ms);
    loop {
        while let Some((bytes, place)) = lines.next_chunk() {
            if let Some(place) = place {
                *seen = Some(Bookmark { place, skip: 0 });
            }
            outlet.say(Word::Bytes { direction: Direction::Either, bytes, place }).await?;
        }
        match tokio::time::timeout(idle, running.read(&mut buffer)).await {
            Err(_) => outlet.say(Word::Idle).await?,
            Ok(Ok(0) | Err(_)) => break,
            Ok(Ok(count)) => {
                lines.push(&buffer[..count]);
                if count < PAUSE_BELOW_BYTES {
                    tokio::time::sleep(Duration::from_millis(PAUSE_MS)).await;
                }
            }
        }
    }
    let status = running.status().await;
    tracing::warn!(program = %settings.program.display(), status, "the program ended");
    Ok(true)
}

/// Reads what a program tells of its past, drops what was heard before, and leaves the rest in `lines`: where reading goes
/// on. Nothing when it ended without a word.
async fn replayed(
    running: &mut Running,
    settings: &Command,
    seen: Option<Bookmark>,
    lines: &mut Lines,
) -> Option<Bookmark> {
    let mut buffer = vec![0; CHUNK_BYTES_MAX];
    let mut held = Vec::new();
    let mut over: Option<Instant> = None;
    loop {
        if let Some(bookmark) = seen
            && let Some((from, before)) = behind(&held, bookmark.place)
        {
            lines.go_on(before);
            lines.push(&held[from..]);
            return Some(bookmark);
        }
        let quiet = Instant::now() + Duration::from_millis(TOLD_MS);
        let read = running.read(&mut buffer);
        let read = match over {
            // Until its first word it is waited for.
            None => read.await,
            Some(over) => match tokio::time::timeout_at(over.min(quiet), read).await {
                Ok(read) => read,
                Err(_) => break,
            },
        };
        match read {
            Ok(0) | Err(_) if held.is_empty() => return None,
            Ok(0) | Err(_) => break,
            Ok(count) => held.extend_from_slice(&buffer[..count]),
        }
        over.get_or_insert_with(|| Instant::now() + Duration::from_millis(TOLD_MS_MAX));
        if held.len() >= TOLD_BYTES_MAX {
            break;
        }
    }
    lines.push(&held);
    if seen.is_some() || settings.from_start {
        // The line is not there any more: all of it is new.
        return Some(Bookmark::default());
    }
    // What was there before the very first start is not asked for.
    let mut place = Place::default();
    while let Some((_, behind)) = lines.next_chunk() {
        place = behind.unwrap_or(place);
    }
    Some(Bookmark { place, skip: 0 })
}

/// Writes what a program complains of into the log: scrubbed, cut, and not more often than anybody reads.
async fn tell_complaints(errors: ChildStderr, program: String) {
    let mut lines = BufReader::new(errors);
    let mut line = Vec::new();
    let mut next = Instant::now();
    loop {
        line.clear();
        let most = u64::try_from(COMPLAINT_BYTES_MAX).unwrap_or(u64::MAX);
        match (&mut lines).take(most).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let said = scrub::complaint(&String::from_utf8_lossy(&line));
        if !said.is_empty() && Instant::now() >= next {
            next = Instant::now() + Duration::from_millis(COMPLAINT_MS);
            tracing::warn!(program, said, "the program complains");
        }
    }
}

#[cfg(test)]
mod tests;
