//! Messages: by what a frame is known, and what it says. Data that a profile has told.

use super::body::{Address, Parts};
use super::value::{Reading, Substitutes};
use crate::decode::dialect::Direction;
use crate::decode::dialect::profile::draft::{Draft, Vocabulary};
use crate::decode::dialect::profile::field::Field;
use crate::decode::dialect::profile::say::Say;
use crate::decode::encoding::Encoding;
use regex::Regex;
use std::ops::Range;

/// Most messages of one profile.
pub(super) const MESSAGES_MAX: usize = 256;

/// One kind of message.
#[derive(Debug)]
pub(super) struct Message {
    /// What its answers call it; a message with a name is a request.
    pub name: Option<Box<str>>,
    /// Which layout its body has, where bodies have columns.
    pub layout: Option<usize>,
    /// Which way it goes.
    pub direction: Direction,
    pub when: Vec<Condition>,
    /// The requests that it answers; none for a message that needs no request.
    pub after: Vec<usize>,
    /// What the request must have been.
    pub asked: Vec<Condition>,
    /// Parts that must be equal, or must not.
    pub pairs: Vec<(Part, Part, bool)>,
    pub say: Option<(Say, Box<Draft<'static>>)>,
    /// What `set` fixes.
    pub set: Vec<(Field, &'static str)>,
    /// What each field is read from; several parts are read as one text.
    pub read: Vec<(Field, Vec<Part>)>,
    /// What its request told and it does not repeat.
    pub take: Vec<Field>,
    pub cards: Vec<Address>,
    pub secrets: Vec<Address>,
    /// A whole slip, and how many columns its lines have.
    pub slip: Option<(Part, Option<usize>)>,
    /// One line of a slip.
    pub slip_line: Option<Part>,
    /// A row of several that end with a last one.
    pub rows: Option<Rows>,
    /// Whether the messages behind it may know the same frame.
    pub goes_on: bool,
    /// Where evidence of bodies without separators parts them, so that no two numbers are read as one.
    pub cuts: Vec<usize>,
}

/// Which row of several a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    More,
    Last,
}

/// A part of a body, and how it is read.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub address: Address,
    pub reading: Reading,
}

/// What a part must be.
#[derive(Debug)]
pub(super) struct Condition {
    pub part: Part,
    pub test: Test,
}

/// What a text must be; a part that is not there is an empty text.
#[derive(Debug)]
pub(super) enum Test {
    Is(Box<str>),
    Like(Regex),
}

/// A body that was heard, and its parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard<'a> {
    pub body: &'a [u8],
    pub parts: &'a Parts,
    pub encoding: Encoding,
}

impl<'a> Heard<'a> {
    /// The bytes of an address.
    pub fn bytes(&self, address: &Address) -> Option<&'a [u8]> {
        Some(&self.body[self.parts.find(address, self.body.len())?])
    }

    fn text(&self, part: &Part, out: &mut String) {
        if let Some(bytes) = self.bytes(&part.address) {
            part.reading.read(bytes, self.encoding, out);
        }
    }

    /// Whether a condition holds. `room` is for the text.
    pub fn meets(&self, condition: &Condition, room: &mut String) -> bool {
        if let (Test::Is(text), Reading::Text) = (&condition.test, condition.part.reading)
            && text.is_ascii()
        {
            let bytes = self.bytes(&condition.part.address).unwrap_or_default();
            return bytes.trim_ascii() == text.as_bytes();
        }
        room.clear();
        self.text(&condition.part, room);
        match &condition.test {
            Test::Is(text) => **text == **room,
            Test::Like(regex) => regex.is_match(room),
        }
    }

    fn are_equal(&self, one: &Part, other: &Part, room: &mut String) -> bool {
        room.clear();
        self.text(one, room);
        let behind = room.len();
        self.text(other, room);
        room[..behind] == room[behind..]
    }
}

/// The fields of a message as texts, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Texts {
    room: String,
    fields: Vec<(Field, Range<usize>)>,
}

impl Texts {
    /// Reads the fields of a message.
    pub fn read(&mut self, message: &Message, heard: Heard<'_>, substitutes: &Substitutes) {
        self.room.clear();
        self.fields.clear();
        for (field, parts) in &message.read {
            let from = self.room.len();
            parts.iter().for_each(|part| heard.text(part, &mut self.room));
            if let Some(ours) = substitutes.find(*field, &self.room[from..]) {
                self.room.replace_range(from.., ours);
            }
            self.fields.push((*field, from..self.room.len()));
        }
    }

    /// Adds a field that the request told.
    pub fn take(&mut self, field: Field, text: &str) {
        let is_known = self.iter().any(|(known, text)| known == field && !text.is_empty());
        if !is_known {
            let from = self.room.len();
            self.room.push_str(text);
            self.fields.push((field, from..self.room.len()));
        }
    }

    /// All fields and their texts.
    pub fn iter(&self) -> impl Iterator<Item = (Field, &str)> {
        self.fields.iter().map(|(field, range)| (*field, &self.room[range.clone()]))
    }
}

impl Message {
    /// Whether it tells of money.
    pub fn is_money(&self) -> bool {
        self.say.as_ref().is_some_and(|say| say.0.is_money())
    }

    /// Whether it tells of slips.
    pub fn is_slip(&self) -> bool {
        self.slip.is_some()
            || self.slip_line.is_some()
            || self.say.as_ref().is_some_and(|say| say.0.is_slip())
    }

    /// Whether it says anything at all.
    pub fn tells(&self) -> bool {
        self.say.is_some() || self.is_slip() || self.rows.is_some()
    }

    /// Whether no other answer to the open request is to come: this is one, or a result of a payment.
    pub fn is_answer(&self) -> bool {
        let is_result = self.name.is_none() && self.is_money();
        is_result || !self.after.is_empty() || !self.take.is_empty()
    }

    /// Whether a frame is this message. `request` is the open request and which message it was.
    pub fn is(
        &self,
        heard: Heard<'_>,
        direction: Direction,
        request: Option<(usize, Heard<'_>)>,
        room: &mut String,
    ) -> bool {
        let goes_so = self.direction == Direction::Either
            || direction == Direction::Either
            || self.direction == direction;
        if !goes_so || self.layout != heard.parts.layout {
            return false;
        }
        if !self.when.iter().all(|condition| heard.meets(condition, room)) {
            return false;
        }
        let is_answer = self.after.is_empty()
            || request.is_some_and(|(index, asked)| {
                self.after.contains(&index)
                    && self.asked.iter().all(|condition| asked.meets(condition, room))
            });
        is_answer
            && self
                .pairs
                .iter()
                .all(|(one, other, equal)| heard.are_equal(one, other, room) == *equal)
    }

    /// What its fields say.
    pub fn draft<'t>(&self, texts: &'t Texts, vocabulary: &Vocabulary) -> Draft<'t> {
        let mut draft: Draft<'t> =
            self.say.as_ref().map_or_else(Draft::default, |(_, template)| Draft::clone(template));
        for (field, text) in texts.iter() {
            draft.set(field, text, vocabulary);
        }
        draft
    }
}
