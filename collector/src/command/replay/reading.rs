//! Recorded lines become events: blocks of a file, lines of a block, and one event a line. Names of agents are given
//! numbers here, so that whoever judges compares no texts. Judges nothing.

use super::ReplayError;
use crate::command::put;
use crate::correlate::policy::AgentName;
use indicatif::ProgressBar;
use slipwatch_shared::event::{Epoch, Event};
use slipwatch_shared::field::FieldError;
use slipwatch_shared::wire::json::{Line, LineError, quick};
use std::collections::HashMap;
use std::fs::File;
use std::hash::{BuildHasherDefault, Hasher};
use std::io::{self, Read};
use std::path::Path;

/// Longest line that is read, in bytes: an event and its evidence in hexadecimal digits.
pub const LINE_BYTES_MAX: usize = 64 * 1024;
/// What is read from a file at once.
const BLOCK_BYTES: usize = 1 << 18;
/// So many events are handed over together.
pub const EVENTS_A_PARCEL: usize = 8_192;
/// Wrong lines that are told one by one; the rest is counted.
const WRONG_TOLD_MAX: u64 = 10;

/// One event, and the number of its agent.
#[derive(Debug)]
pub struct Parsed {
    /// The agent's number: names are numbered in the order in which they come.
    pub agent: u32,
    /// Which life of its numbering.
    pub epoch: Epoch,
    /// What was said, without its evidence.
    pub event: Event,
}

/// Events that are handed over together.
#[derive(Debug, Default)]
pub struct Parcel {
    /// Agents that were not named before, in the order of their numbers.
    pub new_agents: Vec<AgentName>,
    /// The events.
    pub events: Vec<Parsed>,
}

/// Lines in, parcels out.
#[derive(Debug, Default)]
pub struct Reading {
    agents: HashMap<Box<[u8]>, u32, BuildHasherDefault<NameHasher>>,
    /// Shop and agent of the line at hand.
    name: Vec<u8>,
    /// The agent of the line before, which is mostly that of this one, too.
    parcel: Parcel,
    /// Lines that were not read.
    pub wrong: u64,
}

impl Reading {
    /// Reads a file to its end; `hand` takes each full parcel and gives an empty one back, or none to stop.
    pub fn file(
        &mut self,
        path: &Path,
        bar: &ProgressBar,
        hand: &mut dyn FnMut(Parcel) -> Option<Parcel>,
    ) -> Result<(), ReplayError> {
        let name = path.display().to_string();
        let failed = |source| ReplayError::Read { path: name.clone(), source };
        let mut input: Box<dyn Read> = match path.as_os_str() == "-" {
            true => Box::new(io::stdin().lock()),
            false => Box::new(File::open(path).map_err(failed)?),
        };
        let mut block = vec![0; BLOCK_BYTES];
        let (mut kept, mut number, mut skipping) = (0, 0_u64, false);
        loop {
            let read = input.read(&mut block[kept..]).map_err(failed)?;
            bar.inc(read as u64);
            let filled = kept + read;
            let whole = match memchr::memrchr(b'\n', &block[..filled]) {
                _ if read == 0 => filled,
                Some(end) => end + 1,
                // No line ends in here: it is longer than any that is read.
                None if filled > LINE_BYTES_MAX => {
                    if !std::mem::replace(&mut skipping, true) {
                        number += 1;
                        self.refuse(&name, number, &too_long());
                    }
                    kept = 0;
                    continue;
                }
                None => 0,
            };
            let mut rest = &block[..whole];
            if skipping && whole > 0 {
                let end = memchr::memchr(b'\n', rest).map_or(whole, |end| end + 1);
                rest = &rest[end..];
                skipping = false;
            }
            if !self.lines(rest, &name, &mut number, hand) {
                return Ok(());
            }
            block.copy_within(whole..filled, 0);
            kept = filled - whole;
            if read == 0 {
                return Ok(());
            }
        }
    }

    /// The lines of a block; false when nobody wants more.
    fn lines(
        &mut self,
        block: &[u8],
        name: &str,
        number: &mut u64,
        hand: &mut dyn FnMut(Parcel) -> Option<Parcel>,
    ) -> bool {
        // Looked at once for all its lines; one that is no text is looked at by itself.
        let text = std::str::from_utf8(block).ok();
        let mut at = 0;
        while at < block.len() {
            let end = memchr::memchr(b'\n', &block[at..]).map_or(block.len(), |end| at + end);
            *number += 1;
            let read = match text.and_then(|text| text.get(at..end)) {
                Some(line) => self.line(line),
                None => self.line(&String::from_utf8_lossy(&block[at..end])),
            };
            at = end + 1;
            if let Err(error) = read {
                self.refuse(name, *number, &error);
            }
            if self.parcel.events.len() >= EVENTS_A_PARCEL && !self.hand_over(hand) {
                return false;
            }
        }
        true
    }

    /// Hands over what is not yet; false when nobody wants more.
    pub fn hand_over(&mut self, hand: &mut dyn FnMut(Parcel) -> Option<Parcel>) -> bool {
        match hand(std::mem::take(&mut self.parcel)) {
            Some(empty) => {
                self.parcel = empty;
                true
            }
            None => false,
        }
    }

    /// Takes in one line.
    pub(super) fn line(&mut self, line: &str) -> Result<(), LineError> {
        if let Some(quick::LineView { store, agent, epoch, event }) = quick::read(line) {
            let agent = self.number(store, agent)?;
            self.parcel.events.push(Parsed { agent, epoch, event });
            return Ok(());
        }
        let line = line.trim();
        if line.is_empty() {
            return Ok(());
        }
        if line.len() > LINE_BYTES_MAX {
            return Err(too_long());
        }
        let Line { store, agent, epoch, event } = Line::from_json(line)?;
        let agent = self.number(store.as_str(), agent.as_str())?;
        self.parcel.events.push(Parsed { agent, epoch, event });
        Ok(())
    }

    fn number(&mut self, store: &str, agent: &str) -> Result<u32, LineError> {
        self.name.clear();
        self.name.extend_from_slice(store.as_bytes());
        self.name.push(b'/');
        self.name.extend_from_slice(agent.as_bytes());
        if let Some(&number) = self.agents.get(self.name.as_slice()) {
            return Ok(number);
        }
        let name = AgentName { store: store.parse()?, agent: agent.parse()? };
        let number = self.agents.len() as u32;
        self.agents.insert(self.name.as_slice().into(), number);
        self.parcel.new_agents.push(name);
        Ok(number)
    }

    fn refuse(&mut self, name: &str, number: u64, error: &LineError) {
        self.wrong += 1;
        if self.wrong <= WRONG_TOLD_MAX {
            let _ = put(&mut io::stderr(), &format!("{name}:{number}: {error}"));
        }
    }
}

fn too_long() -> LineError {
    LineError::Field(FieldError::new("a line of at most 65536 bytes", "a longer one"))
}

/// Hashes names of agents: eight bytes at a step. Whoever writes the recording could make it slow, and reads it alone.
#[derive(Debug, Default)]
pub struct NameHasher(u64);

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }
}
