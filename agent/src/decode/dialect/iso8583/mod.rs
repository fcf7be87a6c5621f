//! ISO 8583, the messages between a terminal and its host: heard on their line, or read out of hex dumps in a log.
//! Layout and meaning are rows of a profile; `agent/profiles/README.md` tells how to write one.
//!
//! Tells what the money does; of slips no message says anything. Of a message only the fields are kept that name a
//! payment: a card number cut to six and four digits, of tracks, PIN blocks and keys nothing.

mod dump;
pub(in crate::decode::dialect) mod grammar;
mod layout;
mod message;
pub(in crate::decode::dialect) mod profile;
mod reader;
mod reading;
mod stream;
pub(in crate::decode::dialect) mod teller;
mod totals;
mod undo;
pub(in crate::decode::dialect) mod values;

#[cfg(test)]
mod tests;

use crate::decode::device_clock::DeviceClock;
use crate::decode::dialect::{Dialect, Reader};
use grammar::Grammar;
use layout::Layout;
use reader::{DumpReader, StreamReader};
use slipwatch_shared::terminal::TerminalId;
use std::sync::Arc;

/// How long an unfinished message waits for its rest, where the profile does not say.
const GAP_MS: u64 = 1_500;

/// Longest such wait.
const GAP_MS_MAX: u64 = 60_000;

/// What the bytes of a source are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    /// The messages themselves.
    Stream,
    /// Lines of a log with the messages in hexadecimal.
    Dump,
}

/// A flavour of ISO 8583, ready to run.
#[derive(Debug)]
pub struct Iso8583 {
    name: Box<str>,
    about: Box<str>,
    input: Input,
    gap_ms: u64,
    /// How times are printed at the head of a log's line.
    clock: DeviceClock,
    layout: Layout,
    grammar: Grammar,
}

impl Dialect for Iso8583 {
    fn name(&self) -> &str {
        &self.name
    }

    fn about(&self) -> &str {
        &self.about
    }

    fn hears_money(&self) -> bool {
        true
    }

    fn hears_slips(&self) -> bool {
        false
    }

    fn reader(self: Arc<Self>, terminal: Option<TerminalId>) -> Box<dyn Reader> {
        match self.input {
            Input::Stream => Box::new(StreamReader::new(self, terminal)),
            Input::Dump => Box::new(DumpReader::new(self, terminal)),
        }
    }
}
