//! The parts joined: bytes to what was said. Reads no clock and no port; the caller tells both.

use crate::decode::dialect::profile::Profile;
use crate::decode::framer::lines::{Cut, LineFramer};
use slipwatch_shared::event::{Body, DecodeFailure, Evidence, LineCounts};
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::{DeviceTime, Uptime};
use std::collections::VecDeque;
use std::sync::Arc;

/// What came out of a source's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// Something was said.
    Said {
        /// When its last byte was read.
        at: Uptime,
        /// The terminal that the text names, or the one of the source's settings.
        terminal: Option<TerminalId>,
        /// When the device says it happened.
        device_time: Option<DeviceTime>,
        /// What was said.
        body: Body,
        /// The scrubbed lines it came from.
        evidence: Evidence,
    },
    /// Something was said and could not be understood: becomes a `DecodeFailed` event.
    Failed {
        /// When its last byte was read.
        at: Uptime,
        /// What was wrong.
        reason: DecodeFailure,
    },
}

/// Turns the bytes of one source into what was said. Never panics on any input; holds a bounded amount of it.
#[derive(Debug)]
pub struct Decoder {
    profile: Arc<Profile>,
    terminal: Option<TerminalId>,
    framer: LineFramer,
    decoded: VecDeque<Decoded>,
    counts: LineCounts,
}

impl Decoder {
    /// A decoder at the start of a stream. `terminal` is the one of the source's settings, used where the text
    /// names none.
    pub fn new(profile: Arc<Profile>, terminal: Option<TerminalId>) -> Decoder {
        Decoder {
            profile,
            terminal,
            framer: LineFramer::default(),
            decoded: VecDeque::new(),
            counts: LineCounts::default(),
        }
    }

    /// Takes the next bytes of the source, read at `at`.
    pub fn push(&mut self, bytes: &[u8], at: Uptime) {
        let Decoder { framer, decoded, counts, profile, terminal } = self;
        counts.bytes += bytes.len() as u64;
        framer.push(bytes);
        while let Some(cut) = framer.next_cut() {
            match cut {
                Cut::Line(line) if line.is_empty() => {}
                Cut::Line(line) => {
                    counts.lines += 1;
                    match profile.say(&String::from_utf8_lossy(line)) {
                        Some(body) => decoded.push_back(Decoded::Said {
                            at,
                            terminal: *terminal,
                            device_time: None,
                            body,
                            evidence: Evidence::None,
                        }),
                        None => counts.unmatched += 1,
                    }
                }
                Cut::Overlong(_) => {
                    counts.rejected += 1;
                    decoded.push_back(Decoded::Failed { at, reason: DecodeFailure::TooLong });
                }
            }
        }
    }

    /// Time passed: a held line or slip that waited longer than the profile's gap is let go.
    pub fn settle(&mut self, _now: Uptime) {}

    /// The link was lost or the file ended: everything is let go, an unfinished line is torn.
    pub fn finish(&mut self, at: Uptime) {
        if self.framer.finish().is_some() {
            self.counts.lines += 1;
            self.counts.rejected += 1;
            self.decoded.push_back(Decoded::Failed { at, reason: DecodeFailure::Torn });
        }
    }

    /// The next thing that came out.
    pub fn next_decoded(&mut self) -> Option<Decoded> {
        self.decoded.pop_front()
    }

    /// Nothing that was said before this is still inside.
    pub fn settled_until(&self, now: Uptime) -> Uptime {
        now
    }

    /// When [`Decoder::settle`] would let something go.
    pub fn wake_at(&self) -> Option<Uptime> {
        None
    }

    /// What the lines came to since this was last called.
    pub fn take_counts(&mut self) -> LineCounts {
        std::mem::take(&mut self.counts)
    }
}
