//! Messages out of a stream that carries nothing else, as over TCP: no frame, no check sum, cut anywhere. Trusts a
//! length as far as the fields behind it bear it out: where they end early and whole messages follow, the length was
//! wrong. Cuts the same however the bytes were chunked; a length that waits for bytes that never come is given up.

use super::bmp::Fields;
use super::command::{self, Answer, Layout};
use slipwatch_shared::times::Uptime;

/// The length byte that announces two more.
const LONG: u8 = 0xff;

/// Class, instruction, and what a length says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub code: u16,
    /// Where the data begins.
    pub head: usize,
    /// How many bytes of data there are.
    pub length: usize,
}

impl Header {
    /// Reads the head of a message; absent while it is not all there.
    pub fn read(bytes: &[u8]) -> Option<Header> {
        let (&[class, instruction, short], rest) = bytes.split_first_chunk()?;
        let code = u16::from_be_bytes([class, instruction]);
        match short {
            LONG => {
                let long: [u8; 2] = *rest.first_chunk()?;
                Some(Header { code, head: 5, length: usize::from(u16::from_le_bytes(long)) })
            }
            _ => Some(Header { code, head: 3, length: usize::from(short) }),
        }
    }

    /// The whole message.
    fn end(&self) -> usize {
        self.head + self.length
    }
}

/// What was cut off the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut<'a> {
    /// A message, and where its data begins.
    Message(&'a [u8], usize),
    /// A message was here, and its rest did not come.
    Torn,
    /// Bytes that are no message; the first of them are new, the rest belongs to what was told before.
    Noise { bytes: usize, is_new: bool },
}

/// Cuts messages out of a stream of bytes, of one direction or of both.
#[derive(Debug)]
pub(super) struct Stream {
    pending: Vec<u8>,
    /// Where in `pending` the next cut begins.
    start: usize,
    /// The last bytes were no message: only what is surely one is taken for one.
    hunts: bool,
    /// No more bytes come for what is pending.
    stale: bool,
    gap_ms: u64,
    last: Uptime,
}

impl Stream {
    /// At the start of a stream, in which a message may wait so long for its next byte.
    pub fn new(gap_ms: u64) -> Stream {
        Stream {
            pending: Vec::new(),
            start: 0,
            hunts: false,
            stale: false,
            gap_ms,
            last: Uptime::default(),
        }
    }

    /// Takes the next bytes, read at `at`. Call [`Stream::next_cut`] until `None` before the next push.
    pub fn push(&mut self, bytes: &[u8], at: Uptime) {
        self.pending.drain(..self.start);
        self.start = 0;
        self.last = at;
        self.pending.extend_from_slice(bytes);
    }

    /// Time passed: what is unfinished for longer than the gap is given up. Call [`Stream::next_cut`] until `None`.
    pub fn settle(&mut self, now: Uptime) {
        if now.ms_since(self.last) >= self.gap_ms {
            self.finish();
        }
    }

    /// The stream ended.
    pub fn finish(&mut self) {
        self.stale = self.start < self.pending.len();
    }

    /// When [`Stream::settle`] would give something up.
    pub fn wake_at(&self) -> Option<Uptime> {
        (self.start < self.pending.len()).then(|| self.last.plus_ms(self.gap_ms))
    }

    /// The next cut, or `None` until more bytes arrive.
    pub fn next_cut(&mut self) -> Option<Cut<'_>> {
        let from = self.start;
        let rest = &self.pending[from..];
        match look(rest, self.hunts) {
            Look::Message { head, end } => {
                self.hunts = false;
                self.start += end;
                Some(Cut::Message(&self.pending[from..from + end], head))
            }
            Look::Noise(bytes) => {
                self.start += bytes;
                let is_new = !std::mem::replace(&mut self.hunts, true);
                Some(Cut::Noise { bytes, is_new })
            }
            Look::More if self.stale && !rest.is_empty() => {
                let was_hunting = std::mem::replace(&mut self.hunts, true);
                self.start += 1;
                Some(match was_hunting {
                    true => Cut::Noise { bytes: 1, is_new: false },
                    false => Cut::Torn,
                })
            }
            Look::More => {
                self.stale = false;
                None
            }
        }
    }
}

/// What the bytes at the start of `rest` are.
enum Look {
    More,
    Message { head: usize, end: usize },
    Noise(usize),
}

fn look(rest: &[u8], hunts: bool) -> Look {
    let Some(&class) = rest.first() else { return Look::More };
    if !command::is_class(class) {
        let next = rest.iter().position(|&byte| command::is_class(byte));
        return Look::Noise(next.unwrap_or(rest.len()));
    }
    let Some(code) = rest.first_chunk().map(|code| u16::from_be_bytes(*code)) else {
        return Look::More;
    };
    if hunts && !command::is_known(code) {
        return Look::Noise(1);
    }
    let Some(header) = Header::read(rest) else { return Look::More };
    let Header { head, .. } = header;
    let end = header.end();
    let Some(message) = rest.get(..end) else { return Look::More };
    let sound = sound_end(header, message);
    if sound == end {
        return Look::Message { head, end };
    }
    if hunts {
        return Look::Noise(1);
    }
    let end = if are_messages(&message[sound..]) { sound } else { end };
    Look::Message { head, end }
}

/// How far a message is borne out by its fields.
fn sound_end(header: Header, message: &[u8]) -> usize {
    let layout = command::find(header.code).map(|command| command.layout);
    let own = match layout {
        // A completion may hold a version, an abort a currency, without a tag.
        _ if matches!(header.code, 0x060f | 0x061e | 0x0600) => return message.len(),
        Some(Layout::Fields(own) | Layout::Password(own)) => usize::from(own),
        Some(Layout::Block) => 0,
        _ => return message.len(),
    };
    Fields::new(message, header.head + own).last_end()
}

/// Whether these bytes are whole messages, the last of them perhaps cut off.
fn are_messages(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(code) = rest.first_chunk().map(|code| u16::from_be_bytes(*code)) {
        let is_message = command::find(code).is_some() || Answer::find(code).is_some();
        if !is_message {
            return false;
        }
        let Some(header) = Header::read(rest) else { return true };
        let Some(message) = rest.get(..header.end()) else { return true };
        if sound_end(header, message) != message.len() {
            return false;
        }
        rest = &rest[message.len()..];
    }
    rest.len() < bytes.len() && rest.first().is_none_or(|&class| command::is_class(class))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq)]
    enum Owned {
        Message(Vec<u8>),
        Torn,
        Noise(usize),
    }

    fn cuts<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> Vec<Owned> {
        let mut stream = Stream::new(1_000);
        let mut cuts: Vec<Owned> = Vec::new();
        let mut take = |stream: &mut Stream| {
            while let Some(cut) = stream.next_cut() {
                match (cut, cuts.last_mut()) {
                    (Cut::Message(bytes, _), _) => cuts.push(Owned::Message(bytes.to_vec())),
                    (Cut::Torn, _) => cuts.push(Owned::Torn),
                    (Cut::Noise { bytes: more, .. }, Some(Owned::Noise(bytes))) => *bytes += more,
                    (Cut::Noise { bytes, .. }, _) => cuts.push(Owned::Noise(bytes)),
                }
            }
        };
        for chunk in chunks {
            stream.push(chunk, Uptime(0));
            take(&mut stream);
        }
        stream.settle(Uptime(999));
        take(&mut stream);
        stream.settle(Uptime(1_000));
        take(&mut stream);
        assert_eq!(stream.wake_at(), None, "nothing waits for ever");
        cuts
    }

    fn message(hex: &str) -> Owned {
        Owned::Message(unhex(hex))
    }

    fn unhex(text: &str) -> Vec<u8> {
        let text: String = text.split_whitespace().collect();
        (0..text.len() / 2)
            .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("hex"))
            .collect()
    }

    #[track_caller]
    fn check(stream: &str, expected: &[Owned]) {
        let stream = unhex(stream);
        for chunk_bytes in 1..=stream.len() {
            assert_eq!(cuts(stream.chunks(chunk_bytes)), expected, "in chunks of {chunk_bytes}");
        }
    }

    #[test]
    fn messages_are_cut_by_short_and_long_lengths() {
        check("800000 040F022700", &[message("800000"), message("040F022700")]);
        check("040FFF02002700 060F00", &[message("040FFF02002700"), message("060F00")]);
        check("0FA1020001 800000", &[message("0FA1020001"), message("800000")]);
        check("04770155 800000", &[message("04770155"), message("800000")]);
    }

    #[test]
    fn a_length_that_is_too_long_costs_nothing_where_the_fields_tell_their_end() {
        check(
            "040F082700 800000 060F00",
            &[message("040F082700"), message("800000"), message("060F00")],
        );
        check("040F052700 800000", &[message("040F052700"), message("800000")]);
    }

    #[test]
    fn a_field_that_nobody_knows_is_no_wrong_length() {
        check("040F0527009F0000 800000", &[message("040F0527009F0000"), message("800000")]);
    }

    #[test]
    fn what_is_no_message_is_passed_over() {
        check("20 2A2A 060F00", &[Owned::Noise(3), message("060F00")]);
        check("060F00 55 0405 800000", &[message("060F00"), Owned::Noise(3), message("800000")]);
        check("3A 040FFFFF", &[Owned::Noise(5)]);
    }

    #[test]
    fn a_length_that_promises_too_much_is_given_up_and_what_lies_behind_it_is_read() {
        check("040F44 276C", &[Owned::Torn, Owned::Noise(4)]);
        check("06D140 4142 800000", &[Owned::Torn, Owned::Noise(4), message("800000")]);
    }
}
