//! The family of framed links between a till and a terminal: frames cut by the one framer, bodies taken apart into tags,
//! parts, columns or positions, and messages that say what was asked and answered. All of it is told by a profile; how
//! to write one is in `agent/profiles/README.md`.
//!
//! A frame that no message knows is counted and goes nowhere, and of those that are known only the parts that the
//! profile hides are ever seen whole, here in memory.

mod body;
mod compile;
mod frame;
mod hide;
mod message;
mod reader;
mod slip;
mod text;
mod value;

#[cfg(test)]
mod tests;

use crate::decode::dialect::error::{ProfileError, Source};
use crate::decode::dialect::profile::draft::Vocabulary;
use crate::decode::dialect::{Dialect, Reader};
use crate::decode::encoding::Encoding;
use crate::decode::framer::frame::Framing;
use body::{Address, Form};
use message::Message;
use reader::FramedReader;
use slipwatch_shared::terminal::TerminalId;
use std::sync::Arc;
use value::Substitutes;

/// A framed dialect, ready to run.
#[derive(Debug)]
pub struct Framed {
    name: Box<str>,
    about: Box<str>,
    encoding: Encoding,
    framing: Arc<Framing>,
    /// Bytes that acknowledge a frame.
    ack: Vec<u8>,
    /// What a frame beside the first shape means.
    beside: Vec<Beside>,
    repeat_ms: u64,
    answer_ms: u64,
    slip_gap_ms: u64,
    form: Form,
    /// What is hidden in every message.
    cards: Vec<Address>,
    secrets: Vec<Address>,
    vocabulary: Vocabulary,
    substitutes: Substitutes,
    /// Tags whose values are digits in half-bytes.
    packed: Vec<u32>,
    messages: Vec<Message>,
}

/// What a frame of another shape than the first means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beside {
    /// The last frame was received.
    Ack,
    /// The last frame was not received, the terminal is at work: nothing that is said.
    Nothing,
}

impl Framed {
    /// Reads a profile. `name` is its file or shipped name, for messages.
    pub fn parse(name: &str, toml: &str) -> Result<Framed, ProfileError> {
        Source { file: name, text: toml }.framed()
    }

    /// How its frames look.
    pub fn framing(&self) -> &Framing {
        &self.framing
    }
}

impl Dialect for Framed {
    fn name(&self) -> &str {
        &self.name
    }

    fn about(&self) -> &str {
        &self.about
    }

    fn hears_money(&self) -> bool {
        self.messages.iter().any(Message::is_money)
    }

    fn hears_slips(&self) -> bool {
        self.messages.iter().any(Message::is_slip)
    }

    fn reader(self: Arc<Self>, terminal: Option<TerminalId>) -> Box<dyn Reader> {
        Box::new(FramedReader::new(self, terminal))
    }
}
