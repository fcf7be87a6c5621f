//! Messages out of a stream of bytes: a line's, a TCP connection's. The length in front of a message is what it says,
//! not what there is: a message ends where its fields end, and a wrong length is told and costs nothing. Behind damage
//! only what is whole is taken, so that the rest of a broken message is not read as another one.

use super::layout::{Layout, Prefix};
use super::message::{Message, Outcome, bitmap, mti, read};
use slipwatch_shared::event::DecodeFailure;

/// Longest message, with all that stands in front of it. A signature's picture makes one of 1.1 KiB.
pub(super) const MESSAGE_BYTES_MAX: usize = 4 * 1024;

/// What was cut off the stream.
#[derive(Debug)]
pub(super) struct Cut {
    /// The message, as far as it could be read; absent where nothing looks like one.
    pub message: Option<Message>,
    /// Where its type begins, from the start of [`Stream::bytes`].
    pub from: usize,
    /// What is wrong with it.
    pub damage: Option<DecodeFailure>,
}

/// One direction of a line.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pending: Vec<u8>,
    /// Where in `pending` what is not read begins.
    start: usize,
    /// Something broken was told; until the next whole message nothing more is.
    resync: bool,
}

/// The start of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Start {
    /// Where its type begins.
    body: usize,
    /// Where it ends, by its length.
    end: Option<usize>,
}

/// Whether a message begins somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begins {
    Yes(Start),
    No,
    /// More bytes are wanted to tell.
    Perhaps,
}

impl Stream {
    /// Takes the next bytes. Call [`Stream::next_cut`] until `None` before the next push.
    pub fn push(&mut self, bytes: &[u8]) {
        self.pending.drain(..self.start);
        self.start = 0;
        self.pending.extend_from_slice(bytes);
    }

    /// Whether something waits for what comes after it.
    pub fn is_waiting(&self) -> bool {
        self.start < self.pending.len()
    }

    /// The bytes that the last cut's places are in.
    pub fn bytes(&self) -> &[u8] {
        &self.pending
    }

    /// The next cut. `is_over` says that nothing follows what is there.
    pub fn next_cut(&mut self, layout: &Layout, is_over: bool) -> Option<Cut> {
        loop {
            if self.start == self.pending.len() {
                return None;
            }
            match begins(layout, &self.pending[self.start..], is_over) {
                Begins::Perhaps => return None,
                Begins::No => {
                    self.skip(layout);
                    if !std::mem::replace(&mut self.resync, true) {
                        return Some(Cut {
                            message: None,
                            from: 0,
                            damage: Some(DecodeFailure::Checksum),
                        });
                    }
                }
                Begins::Yes(start) => match self.message(layout, start, is_over) {
                    Some(Some(cut)) => return Some(cut),
                    Some(None) => {}
                    None => return None,
                },
            }
        }
    }

    /// Moves on to where the next message could begin.
    fn skip(&mut self, layout: &Layout) {
        self.start += 1;
        // Only a byte that leads the transport's address can be in the middle of a message's start.
        if layout.tpdu_bytes > 0 && layout.prefixes.len() == 1 {
            let ahead = layout.prefixes[0].bytes();
            let from = (self.start + ahead).min(self.pending.len());
            let found = memchr::memchr2(0x60, 0x68, &self.pending[from..]);
            // So many bytes at the end may still be the length in front of an address.
            self.start = found
                .map_or(self.start.max(self.pending.len().saturating_sub(ahead)), |found| {
                    from + found - ahead
                });
        }
    }

    /// A broken message ends at the latest where the next one begins: `None` while that cannot be told.
    fn broken(
        &self,
        layout: &Layout,
        from: usize,
        message: Message,
        is_over: bool,
    ) -> Option<Message> {
        let head = layout.head.mti_bytes() + layout.head.bitmap_bytes();
        let read_to = (from + message.end).min(self.pending.len());
        for at in (from + head).min(read_to)..read_to {
            match begins(layout, &self.pending[at..], is_over) {
                Begins::No => {}
                Begins::Perhaps => return None,
                Begins::Yes(_) => return Some(read(layout, &self.pending[from..at])),
            }
        }
        Some(message)
    }

    /// The message that begins here: `None` while it waits, `Some(None)` when it is not worth telling.
    fn message(&mut self, layout: &Layout, start: Start, is_over: bool) -> Option<Option<Cut>> {
        let (from, message, damage) = self.judge(layout, start, is_over)?;
        // Behind damage only what is whole counts, and it need not be looked into.
        if damage.is_none() || self.resync {
            return Some(self.take(from, message, damage));
        }
        let message = self.broken(layout, from, message, is_over)?;
        let is_cut =
            damage == Some(DecodeFailure::Checksum) && message.outcome != Outcome::Complete;
        let damage = if is_cut { Some(DecodeFailure::Field) } else { damage };
        Some(self.take(from, message, damage))
    }

    /// The message, where its type begins, and what is wrong with it: `None` while it waits.
    fn judge(
        &self,
        layout: &Layout,
        start: Start,
        is_over: bool,
    ) -> Option<(usize, Message, Option<DecodeFailure>)> {
        let from = self.start + start.body;
        let all = &self.pending[from..];
        let Some(end) = start.end.map(|end| self.start + end) else {
            let message = read(layout, all);
            let wants_more = matches!(message.outcome, Outcome::Short(_));
            if wants_more && !is_over && all.len() < MESSAGE_BYTES_MAX {
                return None;
            }
            let damage = match message.outcome {
                Outcome::Complete => None,
                Outcome::Short(_) => Some(DecodeFailure::Torn),
                Outcome::Bad(_) => Some(DecodeFailure::Field),
            };
            return Some((from, message, damage));
        };
        if end > self.pending.len() && !is_over {
            return None;
        }
        let message = read(layout, &self.pending[from..end.min(self.pending.len())]);
        match message.outcome {
            Outcome::Complete => {
                let damage = (from + message.end != end).then_some(DecodeFailure::Checksum);
                Some((from, message, damage))
            }
            Outcome::Bad(_) => Some((from, message, Some(DecodeFailure::Field))),
            Outcome::Short(_) if end > self.pending.len() => {
                Some((from, message, Some(DecodeFailure::Torn)))
            }
            // It is longer than its length says: either cut, or the length is wrong.
            Outcome::Short(_) => match begins(layout, &self.pending[end..], is_over) {
                Begins::Perhaps if !is_over => None,
                Begins::Yes(_) => Some((from, message, Some(DecodeFailure::Field))),
                _ => {
                    let longer = read(layout, all);
                    let wants_more = matches!(longer.outcome, Outcome::Short(_));
                    if wants_more && !is_over && all.len() < MESSAGE_BYTES_MAX {
                        return None;
                    }
                    let damage = match longer.outcome {
                        Outcome::Complete => DecodeFailure::Checksum,
                        _ => DecodeFailure::Field,
                    };
                    Some((from, longer, Some(damage)))
                }
            },
        }
    }

    /// Goes on behind a message. Behind damage only what is whole counts.
    fn take(
        &mut self,
        from: usize,
        message: Message,
        damage: Option<DecodeFailure>,
    ) -> Option<Cut> {
        let is_whole = message.outcome == Outcome::Complete;
        let was_resync = self.resync;
        if was_resync && damage.is_some() {
            self.start += 1;
            return None;
        }
        self.start = if is_whole { from + message.end } else { from + 1 };
        self.resync = !is_whole;
        Some(Cut { message: Some(message), from, damage })
    }
}

/// Whether a message begins at the start of `bytes`.
fn begins(layout: &Layout, bytes: &[u8], is_over: bool) -> Begins {
    for &prefix in &layout.prefixes {
        match begins_with(layout, prefix, bytes) {
            Begins::No => {}
            // Of a message that ended so early nothing can be told.
            Begins::Perhaps if is_over => {}
            // What could stand first must be known before what stands behind it counts.
            told => return told,
        }
    }
    Begins::No
}

fn begins_with(layout: &Layout, prefix: Prefix, bytes: &[u8]) -> Begins {
    let tpdu = prefix.bytes();
    let body = tpdu + layout.tpdu_bytes + layout.header_bytes;
    let least = layout.head.mti_bytes() + layout.head.bitmap_bytes();
    let declared = match declared(prefix, bytes) {
        Some(declared) => declared,
        None if bytes.len() < tpdu => return Begins::Perhaps,
        None => return Begins::No,
    };
    let rest = layout.tpdu_bytes + layout.header_bytes + least;
    if declared.is_some_and(|length| !(rest..=MESSAGE_BYTES_MAX).contains(&length)) {
        return Begins::No;
    }
    if layout.tpdu_bytes > 0 && bytes.get(tpdu).is_some_and(|&first| !matches!(first, 0x60 | 0x68))
    {
        return Begins::No;
    }
    let Some(head) = bytes.get(body..body + layout.head.mti_bytes()) else {
        return Begins::Perhaps;
    };
    if mti(layout, head).is_none() {
        return Begins::No;
    }
    let behind = &bytes[body + layout.head.mti_bytes()..];
    if behind.len() < layout.head.bitmap_bytes() {
        return Begins::Perhaps;
    }
    // Each message has a trace, and one without the fields that the layout knows is none.
    let Some(bits) = bitmap(layout, behind) else { return Begins::No };
    match bits & TRACE != 0 {
        true => Begins::Yes(Start { body, end: declared.map(|length| tpdu + length) }),
        false => Begins::No,
    }
}

/// Field 11 in a bitmap.
const TRACE: u64 = 1 << (64 - 11);

/// What the length in front says: nothing where it is cut or no number, nothing inside where there is none.
fn declared(prefix: Prefix, bytes: &[u8]) -> Option<Option<usize>> {
    let head = bytes.get(..prefix.bytes())?;
    Some(match prefix {
        Prefix::None => None,
        Prefix::Be2 => Some(usize::from(head[0]) << 8 | usize::from(head[1])),
        Prefix::Bcd2 => Some(decimal(super::message::nibbles(head))?),
        Prefix::Ascii4 => Some(decimal(head.iter().map(|byte| byte.wrapping_sub(b'0')))?),
    })
}

fn decimal(mut digits: impl Iterator<Item = u8>) -> Option<usize> {
    digits.try_fold(0, |number, digit| (digit <= 9).then(|| number * 10 + usize::from(digit)))
}
