//! One jPOS log: lines to entries, entries to messages and to what became of a connection.

use super::Jpos;
use super::entry::{channel, peer, time};
use super::tag::{Inside, Piece, attribute, pieces};
use crate::decode::dialect::iso8583::teller::{Moment, Teller};
use crate::decode::dialect::iso8583::values::{Values, is_mti, unhex};
use crate::decode::dialect::{Direction, Reader, Sink};
use crate::decode::framer::lines::{Cut, LineFramer};
use crate::decode::record::Decoded;
use slipwatch_shared::event::{Body, DecodeFailure, Evidence};
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::{DeviceTime, Uptime};
use std::collections::VecDeque;
use std::sync::Arc;

/// How long an entry waits for its next line: jPOS writes each in one piece.
const GAP_MS: u64 = 1_500;

/// Channels and sessions that are remembered.
const CHANNELS_MAX: usize = 64;

/// Longest name of a channel that is remembered.
const CHANNEL_CHARS_MAX: usize = 128;

/// Words of an exception that tell of a lost connection.
const LOST: [&str; 6] = [
    "onnection reset",
    "onnection refused",
    "onnection timed out",
    "onnect timed out",
    "closed connection",
    "o route to host",
];

/// Where in an entry the reader is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Section {
    /// In none that says anything.
    #[default]
    Other,
    /// A message went out or came in.
    Message,
    /// A connection was tried.
    Connect,
}

/// Reads one log.
#[derive(Debug)]
pub(super) struct JposReader {
    framer: LineFramer,
    lines: Lines,
}

/// All behind the framer.
#[derive(Debug)]
struct Lines {
    jpos: Arc<Jpos>,
    terminal: Option<TerminalId>,
    teller: Teller,
    values: Values,
    inside: Inside,
    /// The entry's channel, its other end, and its time.
    realm: String,
    shown: Option<DeviceTime>,
    is_entry: bool,
    /// Whether the entry meant anything.
    is_known: bool,
    section: Section,
    /// Messages that are open: one, and those nested in its fields.
    depth: usize,
    /// The connection that is tried has failed.
    has_failed: bool,
    /// When the open message's first and last line were read.
    open: Option<(Uptime, Uptime)>,
    /// Channels that are down.
    down: VecDeque<Box<str>>,
    /// Ends of a server's sessions: terminals come and go there.
    sessions: VecDeque<Box<str>>,
    /// Which terminal was heard last on a channel.
    heard: VecDeque<(Box<str>, TerminalId)>,
}

impl JposReader {
    /// At the start of a source.
    pub fn new(jpos: Arc<Jpos>, terminal: Option<TerminalId>) -> JposReader {
        let lines = Lines {
            jpos,
            terminal,
            teller: Teller::new(terminal),
            values: Values::default(),
            inside: Inside::Nothing,
            realm: String::new(),
            shown: None,
            is_entry: false,
            is_known: false,
            section: Section::Other,
            depth: 0,
            has_failed: false,
            open: None,
            down: VecDeque::new(),
            sessions: VecDeque::new(),
            heard: VecDeque::new(),
        };
        JposReader { framer: LineFramer::default(), lines }
    }
}

impl Reader for JposReader {
    fn push(&mut self, _: Direction, bytes: &[u8], at: Uptime, sink: &mut Sink<'_>) {
        let JposReader { framer, lines } = self;
        framer.push(bytes);
        while let Some(cut) = framer.next_cut() {
            match cut {
                Cut::Line(line) => lines.take(line, at, sink),
                // A long line is a dump or a trace; a message that it stands in is torn.
                Cut::Overlong(_) => {
                    lines.tear(at, sink);
                    sink.fail_again(at, DecodeFailure::TooLong);
                }
            }
        }
    }

    fn settle(&mut self, now: Uptime, sink: &mut Sink<'_>) {
        if let Some((_, last)) = self.lines.open.filter(|(_, last)| last.plus_ms(GAP_MS) <= now) {
            self.lines.tear(last, sink);
        }
        let Lines { jpos, teller, .. } = &mut self.lines;
        teller.settle(&jpos.grammar, now, sink);
    }

    fn finish(&mut self, at: Uptime, sink: &mut Sink<'_>) {
        let JposReader { framer, lines } = self;
        if let Some(Cut::Line(line)) = framer.finish() {
            lines.take(line, at, sink);
        }
        lines.tear(at, sink);
        lines.end_entry(at, sink);
    }

    fn held_since(&self) -> Option<Uptime> {
        self.lines.open.map(|(since, _)| since)
    }

    fn wake_at(&self) -> Option<Uptime> {
        let Lines { jpos, teller, open, .. } = &self.lines;
        let gap = open.map(|(_, last)| last.plus_ms(GAP_MS));
        gap.into_iter().chain(teller.wake_at(&jpos.grammar)).min()
    }
}

impl Lines {
    fn take(&mut self, line: &[u8], at: Uptime, sink: &mut Sink<'_>) {
        let text = String::from_utf8_lossy(line);
        let inside = self.inside;
        if let Some((_, last)) = &mut self.open {
            *last = at;
        }
        self.inside = pieces(&text, inside, |piece| match piece {
            Piece::Begin { name, attributes, is_empty } => {
                self.begin(name, attributes, is_empty, at, sink);
            }
            Piece::End { name } => self.end(name, at, sink),
            Piece::Text(text) => self.text(text),
        });
    }

    fn begin(
        &mut self,
        name: &str,
        attributes: &str,
        is_empty: bool,
        at: Uptime,
        sink: &mut Sink<'_>,
    ) {
        match name {
            "log" => {
                // What another thread writes in the middle of a message tears it.
                self.tear(at, sink);
                self.end_entry(at, sink);
                self.realm.clear();
                let realm = attribute(attributes, "realm").unwrap_or("");
                self.realm.extend(realm.chars().take(CHANNEL_CHARS_MAX));
                self.shown = attribute(attributes, "at").and_then(time);
                self.is_entry = true;
                // Who speaks and when, as jPOS tells it: whatever it is about, it is nothing that cannot be read.
                self.is_known = self.shown.is_some() && !self.realm.is_empty();
                sink.counts.lines += 1;
            }
            _ if !self.is_entry => {}
            "send" | "receive" if self.section == Section::Other => self.section = Section::Message,
            "connect" if self.section == Section::Other => self.section = Section::Connect,
            "session-start" => {
                let peer = peer(&self.realm).unwrap_or("").into();
                remember(&mut self.sessions, peer);
                self.is_known = true;
            }
            "session-end" => {
                let own = peer(&self.realm).unwrap_or("");
                self.sessions.retain(|known| known.as_ref() != own);
                self.is_known = true;
            }
            "peer-disconnect" | "io-timeout" | "stale-connection"
                if self.section != Section::Other =>
            {
                self.lost(at, sink);
            }
            "exception" | "iso-exception" if self.section != Section::Other => {
                self.text(attributes)
            }
            "isomsg" if self.section == Section::Message && !is_empty => {
                if self.depth == 0 {
                    self.values.clear();
                    self.values.mti = *b"0000";
                    self.open = Some((at, at));
                }
                self.depth += 1;
            }
            "field" if self.depth == 1 => self.field(attributes),
            _ => {}
        }
    }

    fn end(&mut self, name: &str, at: Uptime, sink: &mut Sink<'_>) {
        match name {
            "isomsg" if self.depth > 0 => {
                self.depth -= 1;
                if self.depth == 0 {
                    self.open = None;
                    self.message(at, sink);
                }
            }
            "send" | "receive" if self.section == Section::Message => {
                self.tear(at, sink);
                if std::mem::take(&mut self.has_failed) {
                    self.lost(at, sink);
                }
                self.section = Section::Other;
            }
            "connect" if self.section == Section::Connect => {
                match std::mem::take(&mut self.has_failed) {
                    true => self.lost(at, sink),
                    false => self.up(true, at, sink),
                }
                self.section = Section::Other;
            }
            "log" => {
                self.tear(at, sink);
                self.end_entry(at, sink);
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.section != Section::Other && LOST.iter().any(|words| text.contains(words)) {
            self.has_failed = true;
        }
    }

    fn field(&mut self, attributes: &str) {
        let number = attribute(attributes, "id").and_then(|text| text.parse::<u8>().ok());
        let (Some(number), Some(value)) = (number, attribute(attributes, "value")) else { return };
        match number {
            0 => {
                if let Ok(mti) = <[u8; 4]>::try_from(value.as_bytes()) {
                    self.values.mti = mti;
                }
            }
            2 => self.values.put_pan(value),
            35 => self.values.put_track(value),
            55 => self.values.put_chip(unhex(value, &mut [0; 512])),
            4 if attribute(attributes, "type") == Some("amount") => {
                let currency = attribute(attributes, "currency").and_then(|code| code.parse().ok());
                (self.values.currency, self.values.is_decimal) = (currency, true);
                self.values.put(4, value.chars());
            }
            // A binary field is no text.
            _ if attribute(attributes, "type") == Some("binary") => {}
            // What a host writes into field 63 is a text for people.
            63 => {}
            _ if Values::keeps(number, self.values.mti) => self.values.put(number, value.chars()),
            _ => {}
        }
    }

    fn message(&mut self, at: Uptime, sink: &mut Sink<'_>) {
        if !is_mti(self.values.mti) {
            return;
        }
        self.is_known = true;
        self.up(false, at, sink);
        if let Some(terminal) = self.values.get(41).and_then(|text| text.parse().ok()) {
            let own = channel(&self.realm);
            self.heard.retain(|(known, _)| known.as_ref() != own);
            if self.heard.len() >= CHANNELS_MAX {
                self.heard.pop_front();
            }
            self.heard.push_back((own.into(), terminal));
        }
        let moment = Moment { at, shown: self.shown };
        let channel = crc32fast::hash(self.realm.as_bytes());
        let Lines { jpos, teller, values, .. } = self;
        teller.take_of(&jpos.grammar, values, channel, moment, sink);
    }

    /// The connection of this entry is gone.
    fn lost(&mut self, at: Uptime, sink: &mut Sink<'_>) {
        self.is_known = true;
        let is_session = peer(&self.realm)
            .is_some_and(|peer| self.sessions.iter().any(|known| known.as_ref() == peer));
        let own = channel(&self.realm);
        if is_session || self.down.iter().any(|known| known.as_ref() == own) {
            return;
        }
        let own = own.into();
        remember(&mut self.down, own);
        self.say(Body::NetworkDown, at, sink);
    }

    /// The connection of this entry stands; said when it is news.
    fn up(&mut self, was_tried: bool, at: Uptime, sink: &mut Sink<'_>) {
        self.is_known = true;
        let own = channel(&self.realm);
        let was_down = self.down.iter().any(|known| known.as_ref() == own);
        self.down.retain(|known| known.as_ref() != own);
        if was_down || was_tried {
            self.say(Body::NetworkUp, at, sink);
        }
    }

    fn say(&self, body: Body, at: Uptime, sink: &mut Sink<'_>) {
        let own = channel(&self.realm);
        let heard = self.heard.iter().find(|(known, _)| known.as_ref() == own);
        sink.decoded.push_back(Decoded::Said {
            at,
            terminal: heard.map(|(_, terminal)| *terminal).or(self.terminal),
            device_time: self.shown,
            body,
            evidence: Evidence::None,
        });
    }

    /// A message that is open does not end any more.
    fn tear(&mut self, at: Uptime, sink: &mut Sink<'_>) {
        self.depth = 0;
        if self.open.take().is_some() {
            self.is_known = true;
            sink.fail_again(at, DecodeFailure::Torn);
        }
    }

    fn end_entry(&mut self, at: Uptime, sink: &mut Sink<'_>) {
        if self.is_entry && self.has_failed && self.section != Section::Other {
            self.lost(at, sink);
        }
        if self.is_entry && !self.is_known {
            sink.counts.unmatched += 1;
        }
        (self.is_entry, self.is_known, self.has_failed) = (false, false, false);
        self.section = Section::Other;
        self.inside = Inside::Nothing;
    }
}

fn remember(list: &mut VecDeque<Box<str>>, name: Box<str>) {
    if list.contains(&name) {
        return;
    }
    if list.len() >= CHANNELS_MAX {
        list.pop_front();
    }
    list.push_back(name);
}
