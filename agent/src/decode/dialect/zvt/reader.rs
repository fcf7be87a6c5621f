//! One source that speaks ZVT: its bytes to messages, by the transport of the line, and the messages to what was said.

use super::session::Session;
use super::stream::{self, Header, Stream};
use super::{Transport, Zvt};
use crate::decode::dialect::{Direction, Reader, Sink};
use crate::decode::framer::frame::{Cut, Framer};
use crate::decode::framer::repeat::Repeats;
use slipwatch_shared::event::DecodeFailure;
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::Uptime;
use std::sync::Arc;

/// The frame has arrived.
const ACK: u8 = 0x06;

/// The frame has arrived damaged: it is sent again at once.
const NAK: u8 = 0x15;

/// The directions of a line, each with a stream of its own.
const LANES: [Direction; 3] = [Direction::Either, Direction::ToDevice, Direction::FromDevice];

/// Reads one source.
#[derive(Debug)]
pub(super) struct ZvtReader {
    lanes: [Lane; 3],
    resent: Resent,
    session: Session,
}

/// Frames that are sent again. A print may hold the same line twice, so that a frame counts as sent again only where it
/// could have been: after a NAK, or once its acknowledgement was overdue.
#[derive(Debug)]
struct Resent {
    repeats: Repeats,
    overdue_ms: u64,
    /// When the last frame was read.
    last_at: Uptime,
    refused: bool,
}

impl Resent {
    fn new(acknowledge_ms: u64) -> Resent {
        Resent {
            // It is sent twice more at most.
            repeats: Repeats::new(acknowledge_ms * 5 / 2),
            overdue_ms: acknowledge_ms / 2,
            last_at: Uptime::default(),
            refused: false,
        }
    }

    fn is_repeat(&mut self, frame: &[u8], at: Uptime) -> bool {
        let was_refused = std::mem::take(&mut self.refused);
        if !was_refused && at.ms_since(self.last_at) < self.overdue_ms {
            self.repeats.acknowledged();
        }
        self.last_at = at;
        self.repeats.is_repeat(frame, at)
    }
}

/// One direction.
#[derive(Debug)]
enum Lane {
    Serial(Framer),
    Tcp(Stream),
}

impl ZvtReader {
    /// At the start of a source.
    pub fn new(zvt: Arc<Zvt>, terminal: Option<TerminalId>) -> ZvtReader {
        let lane = |_| match zvt.transport {
            Transport::Serial => Lane::Serial(Framer::new(Arc::clone(&zvt.framing))),
            Transport::Tcp => Lane::Tcp(Stream::new(zvt.timers.between_bytes_ms)),
        };
        ZvtReader {
            lanes: [(); 3].map(lane),
            resent: Resent::new(zvt.timers.acknowledge_ms),
            session: Session::new(zvt, terminal),
        }
    }

    /// Takes what a lane has cut off.
    fn take(&mut self, at_lane: usize, at: Uptime, sink: &mut Sink<'_>) {
        let ZvtReader { lanes, resent, session } = self;
        let direction = LANES[at_lane];
        match &mut lanes[at_lane] {
            Lane::Serial(framer) => {
                while let Some(cut) = framer.next_cut() {
                    match cut {
                        Cut::Frame { body, .. } => {
                            sink.counts.lines += 1;
                            if resent.is_repeat(body, at) {
                                continue;
                            }
                            match Header::read(body) {
                                Some(header) => {
                                    session.take(direction, body, header.head, at, sink)
                                }
                                None => sink.fail_again(at, DecodeFailure::Field),
                            }
                        }
                        Cut::Signal(ACK) => resent.repeats.acknowledged(),
                        Cut::Signal(NAK) => resent.refused = true,
                        Cut::Signal(_) | Cut::Noise(_) => {}
                        Cut::Damaged { reason, .. } => {
                            sink.counts.lines += 1;
                            sink.fail_again(at, reason);
                        }
                    }
                }
            }
            Lane::Tcp(stream) => {
                while let Some(cut) = stream.next_cut() {
                    match cut {
                        stream::Cut::Message(message, head) => {
                            sink.counts.lines += 1;
                            session.take(direction, message, head, at, sink);
                        }
                        stream::Cut::Torn | stream::Cut::Noise { is_new: true, .. } => {
                            sink.counts.lines += 1;
                            sink.fail_again(at, DecodeFailure::Torn);
                        }
                        stream::Cut::Noise { .. } => {}
                    }
                }
            }
        }
    }
}

impl Reader for ZvtReader {
    fn push(&mut self, direction: Direction, bytes: &[u8], at: Uptime, sink: &mut Sink<'_>) {
        let at_lane = LANES.iter().position(|lane| *lane == direction).expect("all are listed");
        match &mut self.lanes[at_lane] {
            Lane::Serial(framer) => framer.push(bytes, at),
            Lane::Tcp(stream) => stream.push(bytes, at),
        }
        self.take(at_lane, at, sink);
    }

    fn settle(&mut self, now: Uptime, sink: &mut Sink<'_>) {
        for at_lane in 0..LANES.len() {
            match &mut self.lanes[at_lane] {
                Lane::Serial(framer) => framer.settle(now),
                Lane::Tcp(stream) => stream.settle(now),
            }
            self.take(at_lane, now, sink);
        }
        self.session.settle(now, sink);
    }

    fn finish(&mut self, at: Uptime, sink: &mut Sink<'_>) {
        for at_lane in 0..LANES.len() {
            match &mut self.lanes[at_lane] {
                Lane::Serial(framer) => framer.finish(),
                Lane::Tcp(stream) => stream.finish(),
            }
            self.take(at_lane, at, sink);
        }
        self.session.finish(sink);
    }

    fn held_since(&self) -> Option<Uptime> {
        self.session.held_since()
    }

    fn wake_at(&self) -> Option<Uptime> {
        let lanes = self.lanes.iter().map(|lane| match lane {
            Lane::Serial(framer) => framer.wake_at(),
            Lane::Tcp(stream) => stream.wake_at(),
        });
        lanes.chain([self.session.wake_at()]).flatten().min()
    }
}
