//! Frames: cut out of a stream of bytes by the shapes of a link. Trusts a length where there is one, takes the check
//! sum's bytes as part of the frame whatever they look like, and cuts the same however the bytes were chunked.
//!
//! Damage costs the damaged frame alone: behind its first byte every place where a frame could begin is tried again. A
//! frame whose rest does not come within the gap is torn, so that a wrong length never waits for ever. Never holds more
//! than one frame beside what was just pushed.

use super::check::{Check, Covered};
use super::shape::{DLE, Escape, Length, SHAPES_MAX, Shape};
use memchr::{memchr, memchr2};
use slipwatch_shared::event::DecodeFailure;
use slipwatch_shared::times::Uptime;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// So many frames in a row must speak for another variant of the check sum before it is believed.
const VOTES: u8 = 3;

/// How the frames of a link look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framing {
    /// The kinds of frames, tried in order; at most [`SHAPES_MAX`].
    pub shapes: Vec<Shape>,
    /// Bytes that mean something alone, outside of any frame: ACK, NAK, ENQ, EOT.
    pub signals: Vec<u8>,
    /// How long a frame may wait for its next byte.
    pub gap_ms: u64,
    /// Whether a frame with a wrong check sum is cut all the same, and marked: logs in which somebody masked numbers.
    pub masked_ok: bool,
}

/// What was cut off the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut<'a> {
    /// A frame.
    Frame {
        /// Which of the link's shapes it has.
        shape: usize,
        /// What it carries, without escapes.
        body: &'a [u8],
        /// All its bytes as they were sent.
        whole: &'a [u8],
        /// Whether its check sum is right; always, unless wrong ones are let through.
        sound: bool,
    },
    /// A byte that means something alone.
    Signal(u8),
    /// A frame was here, and these bytes of it are gone.
    Damaged {
        /// How many.
        bytes: usize,
        /// What was wrong.
        reason: DecodeFailure,
    },
    /// Bytes outside of any frame, or left of a damaged one.
    Noise(usize),
}

/// Cuts frames out of a stream of bytes, of one direction of a link.
pub struct Framer {
    framing: Arc<Framing>,
    ready: Vec<Ready>,
    /// Which bytes a frame can begin with, and which mean something alone.
    leads: [bool; 256],
    signals: [bool; 256],
    pending: Vec<u8>,
    /// Where in `pending` the next cut begins.
    start: usize,
    /// For the shape with this index, how far behind `start` no end was found.
    searched: (usize, usize),
    /// How many bytes from `start` on are left of a damaged frame.
    amid: usize,
    /// How many bytes from `start` on are older than the gap: no frame among them gets its rest.
    stale: usize,
    /// The body of the last frame, where it was escaped.
    body: Vec<u8>,
    read: Read,
}

impl fmt::Debug for Framer {
    /// What waits inside is not shown: it may hold a card number.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.pending.len() - self.start;
        out.debug_struct("Framer").field("waiting", &waiting).finish_non_exhaustive()
    }
}

/// When what is pending was read.
#[derive(Debug, Default)]
struct Read {
    since: Uptime,
    last: Uptime,
    last_bytes: usize,
}

/// A shape, ready to look for.
#[derive(Debug)]
struct Ready {
    lead: Box<[u8]>,
    tail: Box<[u8]>,
    check_bytes: usize,
    /// The variant of the check sum that this link uses, once a frame has shown it.
    variant: Option<usize>,
    /// Frames in a row that spoke for another one.
    votes: (usize, u8),
}

/// What a shape makes of the bytes at `start`.
enum Seen {
    /// It does not begin so.
    Other,
    /// Its rest is not here yet.
    More,
    /// It is all here: the body, and where the check sum begins.
    Whole(Range<usize>, usize),
    /// It began so, and cannot go on so: these many bytes of it.
    Damaged(usize, DecodeFailure),
}

/// What the bytes at `start` are.
enum Look {
    More,
    Frame { shape: usize, body: Range<usize>, total: usize, sound: bool },
    Signal(u8),
    Damaged(usize, DecodeFailure),
    Noise(usize),
}

impl Framer {
    /// At the start of a stream. The shapes were validated by whoever made them.
    pub fn new(framing: Arc<Framing>) -> Framer {
        assert!(framing.shapes.len() <= SHAPES_MAX, "the reader of profiles has counted them");
        let ready: Vec<Ready> = framing.shapes.iter().map(Ready::new).collect();
        let (mut leads, mut signals) = ([false; 256], [false; 256]);
        ready.iter().for_each(|ready| leads[usize::from(ready.lead[0])] = true);
        framing.signals.iter().for_each(|&byte| signals[usize::from(byte)] = true);
        Framer {
            framing,
            ready,
            leads,
            signals,
            pending: Vec::new(),
            start: 0,
            searched: (0, 0),
            amid: 0,
            stale: 0,
            body: Vec::new(),
            read: Read::default(),
        }
    }

    /// Takes the next bytes of the stream, read at `at`. Call [`Framer::next_cut`] until `None` before the next push.
    pub fn push(&mut self, bytes: &[u8], at: Uptime) {
        if bytes.is_empty() {
            return;
        }
        self.settle(at);
        self.pending.drain(..self.start);
        self.start = 0;
        if self.pending.is_empty() {
            self.read.since = at;
        }
        self.read.last = at;
        self.read.last_bytes = bytes.len();
        self.pending.extend_from_slice(bytes);
    }

    /// Time passed: a frame whose rest did not come within the gap is torn. Call [`Framer::next_cut`] until `None`.
    pub fn settle(&mut self, now: Uptime) {
        if now.ms_since(self.read.last) >= self.framing.gap_ms {
            self.finish();
        }
    }

    /// The stream ended: what is unfinished is torn. Call [`Framer::next_cut`] until `None`.
    pub fn finish(&mut self) {
        self.stale = self.pending.len() - self.start;
    }

    /// Since when bytes wait for the rest of their frame.
    pub fn held_since(&self) -> Option<Uptime> {
        (self.start < self.pending.len()).then_some(self.read.since)
    }

    /// When [`Framer::settle`] would let something go.
    pub fn wake_at(&self) -> Option<Uptime> {
        self.held_since().map(|_| self.read.last.plus_ms(self.framing.gap_ms))
    }

    /// The next cut, or `None` until more bytes arrive.
    pub fn next_cut(&mut self) -> Option<Cut<'_>> {
        if self.start == self.pending.len() {
            return None;
        }
        match self.look() {
            Look::More => None,
            Look::Signal(byte) => {
                self.advance(1);
                Some(Cut::Signal(byte))
            }
            Look::Noise(bytes) => {
                self.advance(bytes);
                Some(Cut::Noise(bytes))
            }
            Look::Damaged(extent, reason) => Some(self.drop_damaged(extent, reason)),
            Look::Frame { shape, body, total, sound } => {
                let from = self.start;
                self.advance(total);
                self.amid = 0;
                let whole = &self.pending[from..from + total];
                let body = match self.framing.shapes[shape].escape {
                    Escape::None => &whole[body],
                    Escape::Dle => &self.body,
                };
                Some(Cut::Frame { shape, body, whole, sound })
            }
        }
    }

    /// Drops a damaged frame up to where the next one could begin.
    fn drop_damaged(&mut self, extent: usize, reason: DecodeFailure) -> Cut<'static> {
        let inside = &self.pending[self.start + 1..self.start + extent];
        let lead = inside.iter().position(|&byte| self.leads[usize::from(byte)]);
        let bytes = lead.map_or(extent, |lead| lead + 1);
        let was_amid = self.amid > 0;
        self.amid = self.amid.max(extent);
        self.advance(bytes);
        if was_amid { Cut::Noise(bytes) } else { Cut::Damaged { bytes, reason } }
    }

    fn advance(&mut self, bytes: usize) {
        self.start += bytes;
        self.searched = (0, 0);
        self.amid = self.amid.saturating_sub(bytes);
        self.stale = self.stale.saturating_sub(bytes);
        if self.pending.len() - self.start <= self.read.last_bytes {
            self.read.since = self.read.last;
        }
    }

    /// What the bytes at `start` are; there is at least one.
    fn look(&mut self) -> Look {
        let waiting = self.pending.len() - self.start;
        let bytes = if self.stale > 0 { self.stale } else { waiting };
        let seen = self.start..self.start + bytes;
        let first = self.pending[self.start];
        let is_signal = self.signals[usize::from(first)] && self.amid == 0;
        let mut damage = None;
        if self.leads[usize::from(first)] {
            for shape in 0..self.ready.len() {
                match self.seen(shape, seen.clone()) {
                    Seen::Other => {}
                    Seen::Whole(body, sum) => match self.judge(shape, body, sum) {
                        Look::Damaged(extent, reason) => damage = damage.or(Some((extent, reason))),
                        frame => return frame,
                    },
                    Seen::More if self.stale == 0 => return Look::More,
                    Seen::More => damage = damage.or(Some((bytes, DecodeFailure::Torn))),
                    Seen::Damaged(extent, reason) => damage = damage.or(Some((extent, reason))),
                }
            }
        }
        match damage {
            _ if is_signal => Look::Signal(first),
            Some((extent, reason)) => Look::Damaged(extent, reason),
            None => Look::Noise(self.noise(seen)),
        }
    }

    /// How many bytes mean nothing; the first one does.
    fn noise(&self, seen: Range<usize>) -> usize {
        let means = |(index, &byte): (usize, &u8)| {
            self.leads[usize::from(byte)] || (self.signals[usize::from(byte)] && index >= self.amid)
        };
        let bytes = &self.pending[seen];
        let behind = bytes.iter().enumerate().skip(1).position(means);
        behind.map_or(bytes.len(), |behind| behind + 1)
    }

    /// Whether the check sum of a frame that is all here is right.
    fn judge(&mut self, shape: usize, body: Range<usize>, sum: usize) -> Look {
        let Framer { framing, ready, pending, start, body: unescaped, .. } = self;
        let (form, ready) = (&framing.shapes[shape], &mut ready[shape]);
        let seen = &pending[*start..];
        let total = sum + ready.check_bytes;
        let lead = ready.lead.len();
        if form.escape == Escape::Dle {
            unescape(&seen[body.clone()], unescaped);
        }
        let covered = Covered {
            start: &form.start,
            length: &seen[lead..lead + form.length.bytes()],
            body: if form.escape == Escape::Dle { unescaped } else { &seen[body.clone()] },
            end: &form.end,
        };
        let sound = ready.agrees(&form.checks, covered, &seen[sum..total]);
        if sound || framing.masked_ok {
            return Look::Frame { shape, body, total, sound };
        }
        Look::Damaged(total, DecodeFailure::Checksum)
    }

    /// What a shape makes of the bytes that are seen.
    fn seen(&mut self, shape: usize, seen: Range<usize>) -> Seen {
        let (form, ready) = (&self.framing.shapes[shape], &self.ready[shape]);
        let seen = &self.pending[seen];
        let known = ready.lead.len().min(seen.len());
        if seen[..known] != ready.lead[..known] {
            return Seen::Other;
        }
        if seen.len() < ready.lead.len() {
            return Seen::More;
        }
        if form.length != Length::None {
            return ready.counted(form, seen);
        }
        let from = if self.searched.0 == shape { self.searched.1 } else { 0 };
        let (found, searched) = ready.ended(form, seen, from.max(ready.lead.len()));
        self.searched = (shape, searched);
        found
    }
}

impl Ready {
    fn new(shape: &Shape) -> Ready {
        Ready {
            lead: [shape.mark(), &shape.start].concat().into(),
            tail: match shape.end.is_empty() {
                true => Box::default(),
                false => [shape.mark(), &shape.end].concat().into(),
            },
            check_bytes: shape.check_bytes(),
            variant: None,
            votes: (0, 0),
        }
    }

    /// A frame that tells its length.
    fn counted(&self, form: &Shape, seen: &[u8]) -> Seen {
        let head = self.lead.len() + form.length.bytes();
        let Some(length) = seen.get(self.lead.len()..head) else { return Seen::More };
        let body = form.length.read(length).and_then(|body| body.checked_sub(form.length_more));
        let Some(body) = body else { return Seen::Damaged(head, DecodeFailure::Checksum) };
        if body > form.body_bytes_max {
            return Seen::Damaged(head, DecodeFailure::TooLong);
        }
        let end = head + body;
        let tail = seen.get(end..).unwrap_or_default();
        let wrong = tail.iter().zip(&self.tail).position(|(seen, due)| seen != due);
        if let Some(wrong) = wrong {
            return Seen::Damaged(end + wrong + 1, DecodeFailure::Checksum);
        }
        self.whole(head..end, seen)
    }

    /// A frame that ends with its end bytes; and how far it was searched for them.
    fn ended(&self, form: &Shape, seen: &[u8], from: usize) -> (Seen, usize) {
        let is_escaped = form.escape == Escape::Dle;
        let body_bytes_max = form.body_bytes_max * if is_escaped { 2 } else { 1 };
        let limit = self.lead.len() + body_bytes_max + self.tail.len();
        let window = &seen[..seen.len().min(limit)];
        let mut at = from;
        while let Some(found) = match is_escaped {
            true => memchr(DLE, &window[at..]),
            false => memchr2(self.lead[0], self.tail[0], &window[at..]),
        } {
            let here = at + found;
            let rest = &window[here..];
            if rest.starts_with(&self.tail) {
                return (self.whole(self.lead.len()..here, seen), here);
            }
            if rest.starts_with(&self.lead) {
                // Neither start nor end can be in such a body: the end of this frame is lost, the next one begins.
                return (Seen::Damaged(here, DecodeFailure::Torn), here);
            }
            if is_escaped && rest.starts_with(&[DLE, DLE]) {
                at = here + 2;
                continue;
            }
            let may_grow = self.tail.starts_with(rest) || self.lead.starts_with(rest);
            if may_grow && window.len() < limit {
                return (Seen::More, here);
            }
            if is_escaped && !may_grow {
                return (Seen::Damaged(here, DecodeFailure::Torn), here);
            }
            at = here + 1;
        }
        match window.len() == limit {
            true => (Seen::Damaged(limit, DecodeFailure::TooLong), limit),
            false => (Seen::More, window.len()),
        }
    }

    /// A frame with this body, if all behind it is here.
    fn whole(&self, body: Range<usize>, seen: &[u8]) -> Seen {
        let sum = body.end + self.tail.len();
        match seen.len() >= sum + self.check_bytes {
            true => Seen::Whole(body, sum),
            false => Seen::More,
        }
    }

    /// Whether the check sum is right. Where a family has variants of it, the first frame shows which one the link
    /// uses; it takes several frames in a row to change that.
    fn agrees(&mut self, checks: &[Check], covered: Covered<'_>, sent: &[u8]) -> bool {
        if checks.is_empty() {
            return true;
        }
        let fits = |check: &Check| check.fits(covered, sent);
        if self.variant.is_some_and(|variant| fits(&checks[variant])) {
            self.votes = (0, 0);
            return true;
        }
        let Some(other) = checks.iter().position(fits) else { return false };
        let votes = if self.votes.0 == other { self.votes.1 + 1 } else { 1 };
        self.votes = (other, votes);
        if self.variant.is_some() && votes < VOTES {
            return false;
        }
        self.variant = Some(other);
        self.votes = (0, 0);
        true
    }
}

/// The body without the doubled escapes.
fn unescape(escaped: &[u8], body: &mut Vec<u8>) {
    body.clear();
    let mut rest = escaped;
    while let Some(at) = memchr(DLE, rest) {
        body.extend_from_slice(&rest[..=at]);
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    body.extend_from_slice(rest);
}

#[cfg(test)]
mod tests;
