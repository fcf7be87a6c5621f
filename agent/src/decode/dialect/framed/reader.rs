//! One source that speaks a framed dialect: bytes to frames, to messages, to what was said. Keeps one open request, so
//! that an answer which does not repeat what was asked can be told, and the lines of one slip.

use super::body::{Address, Form, Parts};
use super::message::{Heard, Message, Rows, Texts};
use super::slip::{self, SlipLines};
use super::{Beside, Framed, hide};
use crate::decode::dialect::profile::field::Field;
use crate::decode::dialect::slip_text::ReadSlip;
use crate::decode::dialect::{Direction, Reader, Sink};
use crate::decode::framer::frame::{Cut, Framer};
use crate::decode::framer::repeat::Repeats;
use crate::decode::plain::plain;
use crate::decode::record::{Decoded, evidence};
use crate::decode::scrub::Scrubber;
use slipwatch_shared::event::{Body, DecodeFailure, Evidence, Keys, Slip, SlipGrade};
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::{DeviceTime, Uptime};
use std::fmt::{self, Write};
use std::sync::Arc;

/// So many bytes in a row outside of any frame are no stray ones: the speed or the dialect is wrong.
const NOISE_BYTES_MIN: usize = 8;

/// Longest part that evidence shows whole; a slip's text is evidence of its own.
const PART_CHARS_MAX: usize = 128;

/// Reads one source. The two directions have a framer each and one conversation.
pub(super) struct FramedReader {
    dialect: Arc<Framed>,
    lines: [Option<Line>; 3],
    talk: Talk,
}

impl fmt::Debug for FramedReader {
    /// What waits inside is not shown: it may hold a card number.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("FramedReader")
            .field("dialect", &self.dialect.name)
            .finish_non_exhaustive()
    }
}

/// One direction of a link.
#[derive(Debug)]
struct Line {
    framer: Framer,
    /// Bytes outside of any frame since the last cut.
    noise: usize,
    /// The last cut was a damaged frame: what follows is left of it.
    damaged: bool,
}

/// What is said on both directions.
#[derive(Debug)]
struct Talk {
    terminal: Option<TerminalId>,
    repeats: Repeats,
    open: Option<Open>,
    /// When the last row came of several that have not ended.
    rows: Option<Uptime>,
    slip: SlipLines,
    /// The last result of a payment.
    result: Option<(Keys, Uptime)>,
    scrubber: Scrubber,
    room: Room,
}

/// A request whose answer has not come.
#[derive(Debug)]
struct Open {
    message: usize,
    at: Uptime,
    /// Its body, card numbers hidden.
    body: Vec<u8>,
    parts: Parts,
    fields: Vec<(Field, Box<str>)>,
}

/// Room that is used for every frame.
#[derive(Debug, Default)]
struct Room {
    parts: Parts,
    /// The body, card numbers hidden.
    hidden: Vec<u8>,
    texts: Texts,
    text: String,
}

impl FramedReader {
    /// At the start of a source.
    pub fn new(dialect: Arc<Framed>, terminal: Option<TerminalId>) -> FramedReader {
        let talk = Talk {
            terminal,
            repeats: Repeats::new(dialect.repeat_ms),
            open: None,
            rows: None,
            slip: SlipLines::default(),
            result: None,
            scrubber: Scrubber::new([]),
            room: Room::default(),
        };
        FramedReader { dialect, lines: [None, None, None], talk }
    }

    fn drain(&mut self, direction: Direction, at: Uptime, sink: &mut Sink<'_>) {
        let FramedReader { dialect, lines, talk } = self;
        let Some(line) = &mut lines[direction as usize] else { return };
        while let Some(cut) = line.framer.next_cut() {
            if let Cut::Noise(bytes) = cut {
                if !line.damaged {
                    let before = line.noise;
                    line.noise += bytes;
                    if before < NOISE_BYTES_MIN && line.noise >= NOISE_BYTES_MIN {
                        sink.counts.lines += 1;
                        sink.fail_again(at, DecodeFailure::Torn);
                    }
                }
                continue;
            }
            line.noise = 0;
            line.damaged = matches!(cut, Cut::Damaged { .. });
            match cut {
                Cut::Frame { shape: 0, body, whole, sound } => {
                    sink.counts.lines += 1;
                    if !talk.repeats.is_repeat(whole, at) {
                        talk.take(dialect, Frame { direction, body, sound, at }, sink);
                    }
                }
                Cut::Frame { shape, .. } => {
                    if dialect.beside.get(shape - 1) == Some(&Beside::Ack) {
                        talk.repeats.acknowledged();
                    }
                }
                Cut::Signal(byte) => {
                    if dialect.ack.contains(&byte) {
                        talk.repeats.acknowledged();
                    }
                }
                Cut::Damaged { reason, .. } => {
                    sink.counts.lines += 1;
                    sink.fail_again(at, reason);
                }
                Cut::Noise(_) => {}
            }
        }
    }

    fn each(&mut self, at: Uptime, sink: &mut Sink<'_>, what: impl Fn(&mut Framer)) {
        for direction in [Direction::Either, Direction::ToDevice, Direction::FromDevice] {
            if let Some(line) = &mut self.lines[direction as usize] {
                what(&mut line.framer);
                self.drain(direction, at, sink);
            }
        }
    }

    fn framers(&self) -> impl Iterator<Item = &Framer> {
        self.lines.iter().flatten().map(|line| &line.framer)
    }
}

impl Reader for FramedReader {
    fn push(&mut self, direction: Direction, bytes: &[u8], at: Uptime, sink: &mut Sink<'_>) {
        self.settle(at, sink);
        let dialect = &self.dialect;
        let line = self.lines[direction as usize].get_or_insert_with(|| Line {
            framer: Framer::new(Arc::clone(&dialect.framing)),
            noise: 0,
            damaged: false,
        });
        line.framer.push(bytes, at);
        self.drain(direction, at, sink);
    }

    fn settle(&mut self, now: Uptime, sink: &mut Sink<'_>) {
        self.each(now, sink, |framer| framer.settle(now));
        let gap_ms = self.dialect.slip_gap_ms;
        let is_over = |last: Option<Uptime>| last.is_some_and(|last| last.plus_ms(gap_ms) <= now);
        if is_over(self.talk.slip.last()) {
            self.talk.close_slip(&self.dialect, sink);
        }
        if is_over(self.talk.rows) {
            self.talk.close_rows(sink);
        }
    }

    fn finish(&mut self, at: Uptime, sink: &mut Sink<'_>) {
        self.each(at, sink, Framer::finish);
        self.talk.close_slip(&self.dialect, sink);
        self.talk.close_rows(sink);
        self.talk.open = None;
        self.talk.repeats.acknowledged();
    }

    fn held_since(&self) -> Option<Uptime> {
        let frames = self.framers().filter_map(Framer::held_since);
        frames.chain(self.talk.slip.since()).chain(self.talk.rows).min()
    }

    fn wake_at(&self) -> Option<Uptime> {
        let frames = self.framers().filter_map(Framer::wake_at);
        let lasts = self.talk.slip.last().into_iter().chain(self.talk.rows);
        frames.chain(lasts.map(|last| last.plus_ms(self.dialect.slip_gap_ms))).min()
    }
}

/// A frame that was cut.
#[derive(Clone, Copy, Debug)]
struct Frame<'a> {
    direction: Direction,
    body: &'a [u8],
    sound: bool,
    at: Uptime,
}

impl Talk {
    fn take(&mut self, dialect: &Framed, frame: Frame<'_>, sink: &mut Sink<'_>) {
        self.open = self.open.take().filter(|open| frame.at.ms_since(open.at) < dialect.answer_ms);
        let mut room = std::mem::take(&mut self.room);
        dialect.form.cut(frame.body, &mut room.parts);
        room.hidden.clear();
        room.hidden.extend_from_slice(frame.body);
        room.hide(&dialect.form, &dialect.cards, &dialect.secrets);
        let (mut is_known, mut is_told) = (false, false);
        let (mut is_answer, mut is_request) = (false, false);
        for (index, message) in dialect.messages.iter().enumerate() {
            let Room { parts, text, .. } = &mut room;
            let heard = Heard { body: frame.body, parts, encoding: dialect.encoding };
            let request = self.open.as_ref().map(|open| {
                let Open { body, parts, message, .. } = open;
                (*message, Heard { body, parts, encoding: dialect.encoding })
            });
            if !message.is(heard, frame.direction, request, text) {
                continue;
            }
            is_known = true;
            is_told |= message.tells();
            is_request |= message.name.is_some();
            is_answer |= message.is_answer();
            room.hide(&dialect.form, &message.cards, &message.secrets);
            self.speak(dialect, message, index, frame, &mut room, sink);
            if !message.goes_on {
                break;
            }
        }
        if is_answer && !is_request {
            self.open = None;
        }
        // What is to be ignored need not be of the profile's form.
        if room.parts.broken && (is_told || !is_known) {
            sink.fail_again(frame.at, DecodeFailure::Field);
        } else if !is_known {
            sink.counts.unmatched += 1;
        }
        self.room = room;
    }

    /// Says what a message says.
    fn speak(
        &mut self,
        dialect: &Framed,
        message: &Message,
        index: usize,
        frame: Frame<'_>,
        room: &mut Room,
        sink: &mut Sink<'_>,
    ) {
        let Room { parts, hidden, texts, .. } = room;
        let heard = Heard { body: hidden, parts, encoding: dialect.encoding };
        texts.read(message, heard, &dialect.substitutes);
        if let Some(open) = &self.open {
            let set = &dialect.messages[open.message].set;
            for field in &message.take {
                let told =
                    open.fields.iter().find(|(known, text)| known == field && !text.is_empty());
                let told = told.map(|(_, text)| &**text);
                let told = told.or_else(|| Some(set.iter().find(|fixed| fixed.0 == *field)?.1));
                told.into_iter().for_each(|text| texts.take(*field, text));
            }
        }
        if message.name.is_some() {
            self.close_slip(dialect, sink);
            self.close_rows(sink);
            self.open = Some(Open {
                message: index,
                at: frame.at,
                body: hidden.clone(),
                parts: parts.clone(),
                fields: texts.iter().map(|(field, text)| (field, text.into())).collect(),
            });
        }
        self.say(dialect, message, frame, room, sink);
        self.hear_slips(dialect, message, frame, room, sink);
        match message.rows {
            None => {}
            Some(Rows::More) => self.rows = Some(frame.at),
            Some(Rows::Last) => self.rows = None,
        }
    }

    fn say(
        &mut self,
        dialect: &Framed,
        message: &Message,
        frame: Frame<'_>,
        room: &mut Room,
        sink: &mut Sink<'_>,
    ) {
        let Some((say, _)) = &message.say else { return };
        let mut draft = message.draft(&room.texts, &dialect.vocabulary);
        let Some(body) = say.body(&mut draft, &dialect.vocabulary) else {
            sink.fail_again(frame.at, DecodeFailure::Field);
            return;
        };
        let (terminal, device_time) = (draft.terminal.or(self.terminal), draft.time);
        if message.is_money() && message.name.is_none() {
            self.result = body.keys().map(|keys| (keys.clone(), frame.at));
        }
        let evidence = self.evidence(dialect, message, frame.sound, room);
        sink.decoded.push_back(Decoded::Said {
            at: frame.at,
            terminal,
            device_time,
            body,
            evidence,
        });
    }

    /// Reads the slip or the slip's line that a message carries.
    fn hear_slips(
        &mut self,
        dialect: &Framed,
        message: &Message,
        frame: Frame<'_>,
        room: &Room,
        sink: &mut Sink<'_>,
    ) {
        let heard = Heard { body: &room.hidden, parts: &room.parts, encoding: dialect.encoding };
        let decoded =
            |address: &Address| heard.bytes(address).map(|bytes| dialect.encoding.decode(bytes).0);
        if let Some(line) = message.slip_line.as_ref().and_then(|part| decoded(&part.address)) {
            self.slip.push(&line, frame.at);
        }
        let Some((part, columns)) = &message.slip else { return };
        let text = decoded(&part.address).unwrap_or_default();
        if text.trim().is_empty() {
            return;
        }
        let mut draft = message.draft(&room.texts, &dialect.vocabulary);
        let (terminal, device_time) = (draft.terminal.or(self.terminal), draft.time);
        let keys = draft.take_keys(&dialect.vocabulary);
        let slips = slip::slips(&text, *columns, dialect.vocabulary.currency, &keys);
        if slips.is_empty() {
            // A text was handed over, and nothing in it is known: it is the slip of its message all the same.
            let slip = Slip { keys, ..Slip::default() };
            let body = Body::SlipPrinted { slip, grade: SlipGrade::Claimed };
            let evidence = evidence(&self.scrubber.alone(&plain(text)));
            sink.decoded.push_back(Decoded::Said {
                at: frame.at,
                terminal,
                device_time,
                body,
                evidence,
            });
            return;
        }
        slips.into_iter().for_each(|slip| tell_slip(slip, frame.at, terminal, device_time, sink));
    }

    /// No more lines belong to the slip that was collected.
    fn close_slip(&mut self, dialect: &Framed, sink: &mut Sink<'_>) {
        let Some(collected) = self.slip.take() else { return };
        let result = self.result.as_ref().map(|(keys, at)| (keys, *at));
        for slip in collected.slips(dialect.vocabulary.currency, result) {
            tell_slip(slip, collected.last, self.terminal, None, sink);
        }
        if collected.overflowed {
            sink.fail_again(collected.last, DecodeFailure::TooLong);
        }
    }

    /// Rows whose last one did not come were torn.
    fn close_rows(&mut self, sink: &mut Sink<'_>) {
        if let Some(last) = self.rows.take() {
            sink.fail_again(last, DecodeFailure::Torn);
        }
    }

    /// The frame as scrubbed text.
    fn evidence(
        &mut self,
        dialect: &Framed,
        message: &Message,
        sound: bool,
        room: &mut Room,
    ) -> Evidence {
        let Room { parts, hidden, text, .. } = room;
        text.clear();
        if !sound {
            text.push_str("(check sum wrong) ");
        }
        match &dialect.form {
            Form::Tlv(nested) => {
                for (index, (tag, range)) in parts.iter().enumerate() {
                    let gap = if index == 0 { "" } else { " " };
                    write!(text, "{gap}{tag:04X}").expect("a text has room");
                    if !nested.contains(tag) {
                        text.push('=');
                        shown(&hidden[range.clone()], *tag, dialect, &mut self.scrubber, text);
                    }
                }
            }
            Form::Separated(separator) => {
                for (index, (_, range)) in parts.iter().enumerate() {
                    if index > 0 {
                        text.push(char::from(*separator));
                    }
                    let (mut part, _) = dialect.encoding.decode(&hidden[range.clone()]);
                    if part.len() > PART_CHARS_MAX {
                        // Scrubbed before it is cut: half a number is not known for one.
                        part = self.scrubber.alone(&plain(part)).into();
                    }
                    let end = part.char_indices().nth(PART_CHARS_MAX).map(|(at, _)| at);
                    text.push_str(&part[..end.unwrap_or(part.len())]);
                    text.push_str(end.map_or("", |_| "…"));
                }
            }
            Form::Positions | Form::Fixed(_) => {
                let (mut rest, mut done) = (hidden.as_slice(), 0);
                let inside =
                    message.cuts.iter().copied().filter(|&cut| 0 < cut && cut < hidden.len());
                for cut in inside {
                    let (piece, behind) = rest.split_at(cut - done);
                    (rest, done) = (behind, cut);
                    text.push_str(dialect.encoding.decode(piece).0.trim_end());
                    text.push('|');
                }
                text.push_str(dialect.encoding.decode(rest).0.trim_end());
            }
        }
        evidence(&self.scrubber.alone(&plain(text.as_str().into())))
    }
}

impl Room {
    fn hide(&mut self, form: &Form, cards: &[Address], secrets: &[Address]) {
        let card = match form {
            Form::Tlv(_) => hide::card,
            _ => hide::card_text as fn(&mut [u8]),
        };
        let Room { parts, hidden, .. } = self;
        let bytes = hidden.len();
        for (addresses, hide) in [(cards, card), (secrets, hide::secret)] {
            for range in addresses.iter().filter_map(|address| parts.find(address, bytes)) {
                hide(&mut hidden[range]);
            }
        }
    }
}

/// A value as text where it is text, in hexadecimal where it is not.
fn shown(bytes: &[u8], tag: u32, dialect: &Framed, scrubber: &mut Scrubber, out: &mut String) {
    let (text, is_sound) = dialect.encoding.decode(bytes);
    let is_plain = bytes.iter().all(|byte| matches!(byte, b' '..=b'~'));
    let is_text = is_sound && !dialect.packed.contains(&tag) && !text.contains(char::is_control);
    if !bytes.is_empty() && (is_plain || is_text) {
        // Scrubbed as it stands: between quotes a wide blank is written as letters.
        write!(out, "{:?}", scrubber.alone(&plain(text))).expect("a text has room");
        return;
    }
    for byte in bytes {
        write!(out, "{byte:02X}").expect("a text has room");
    }
}

fn tell_slip(
    slip: ReadSlip,
    at: Uptime,
    terminal: Option<TerminalId>,
    device_time: Option<DeviceTime>,
    sink: &mut Sink<'_>,
) {
    let evidence = evidence(&slip.text);
    let (terminal, device_time) = (slip.terminal.or(terminal), slip.device_time.or(device_time));
    if let Some(body) = slip.printed(SlipGrade::Claimed) {
        sink.decoded.push_back(Decoded::Said { at, terminal, device_time, body, evidence });
    }
}
