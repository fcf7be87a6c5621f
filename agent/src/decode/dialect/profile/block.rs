//! Blocks: several lines that together say one thing, such as a slip.

use super::draft::{Draft, Vocabulary};
use super::field::Field;
use super::label::Labels;
use super::say::Say;
use regex::Regex;
use slipwatch_shared::event::{Body, EVIDENCE_BYTES_MAX};
use slipwatch_shared::times::Uptime;

/// Most lines of one block. A slip with advertisements has some sixty.
pub(super) const BLOCK_LINES_MAX: u64 = 128;

/// Most fields that are kept of one block.
const BLOCK_FIELDS_MAX: usize = 64;

/// Most marks of one kind of block.
pub(super) const MARKS_MAX: usize = 64;

/// One kind of block.
#[derive(Debug)]
pub(super) struct Block {
    pub start: Regex,
    /// The last line.
    pub end: Option<Regex>,
    /// A line between two blocks that belongs to neither.
    pub tear: Option<Regex>,
    /// What each line must look like, and which group of it is the block's own text.
    pub line: Option<(Regex, usize)>,
    pub say: Say,
    pub template: Draft<'static>,
    /// Fields without which it is no such block.
    pub need: Vec<Field>,
    pub labels: Labels,
    pub marks: Vec<Mark>,
}

/// A text that changes what a block says.
#[derive(Debug)]
pub(super) struct Mark {
    pub regex: Regex,
    pub set: Vec<(Field, &'static str)>,
    pub say: Option<Say>,
    pub ignore: bool,
}

/// A block whose end was not seen yet.
#[derive(Debug)]
pub(super) struct OpenBlock {
    /// Which kind it is.
    pub index: usize,
    /// When its last line was read.
    pub at: Uptime,
    pub lines: u64,
    pub evidence: String,
    fields: Vec<(Field, Box<str>)>,
    pending: Option<Field>,
    marks: u64,
}

/// A line, and what stands behind the time at its head.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    pub whole: &'a str,
    /// The whole line where no time stands at its head.
    pub rest: &'a str,
    /// Whether a time stands at its head.
    pub timed: bool,
}

/// What a line is to an open block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Part of it.
    Inside,
    /// Its last line.
    Last,
    /// Not of it: the block has ended, the line means nothing else.
    Tear,
    /// Not of it: the block has ended, the line begins something else.
    Behind,
    /// Not of it: the block goes on behind it.
    Beside,
}

/// What a block came to.
#[derive(Debug)]
pub(super) enum Closed<'t> {
    /// It is to be ignored.
    Ignored,
    /// It lacks what makes it such a block, and has no label of one either.
    Foreign,
    /// It lacks what it needs.
    Torn,
    /// What it says, and what is left of the draft.
    Says(Body, Draft<'t>),
}

impl OpenBlock {
    /// An empty block of a kind.
    pub fn new(index: usize, at: Uptime) -> OpenBlock {
        OpenBlock {
            index,
            at,
            lines: 0,
            evidence: String::new(),
            fields: Vec::new(),
            pending: None,
            marks: 0,
        }
    }
}

impl Block {
    /// What a line is to the open block.
    pub fn step(&self, open: &OpenBlock, line: Line<'_>) -> Step {
        let Some(text) = self.text(line) else { return Step::Beside };
        let is_log_line = line.timed && !line.rest.is_empty() && open.pending.is_none();
        if is_log_line && self.line.is_none() {
            return Step::Behind;
        }
        let matches =
            |regex: &Option<Regex>| regex.as_ref().is_some_and(|regex| regex.is_match(text));
        if matches(&self.tear) {
            return Step::Tear;
        }
        let begins_anew = !open.fields.is_empty() && self.start.is_match(line.rest);
        if begins_anew || open.lines >= BLOCK_LINES_MAX {
            return Step::Behind;
        }
        if matches(&self.end) { Step::Last } else { Step::Inside }
    }

    /// Takes a line into the block.
    pub fn take(&self, open: &mut OpenBlock, line: Line<'_>, at: Uptime) {
        open.at = at;
        open.lines += 1;
        let text = self.text(line).unwrap_or(line.whole);
        if open.evidence.len() <= EVIDENCE_BYTES_MAX {
            if !open.evidence.is_empty() {
                open.evidence.push('\n');
            }
            open.evidence.push_str(line.whole);
        }
        for (index, mark) in self.marks.iter().enumerate() {
            if open.marks & (1 << index) == 0 && mark.regex.is_match(text) {
                open.marks |= 1 << index;
            }
        }
        let OpenBlock { fields, pending, .. } = open;
        *pending = self.labels.read(text, *pending, |field, value| {
            let known = fields.iter().any(|(known, _)| *known == field);
            if !known && fields.len() < BLOCK_FIELDS_MAX {
                fields.push((field, value.into()));
            }
        });
    }

    /// The block's own text in a line, or `None` when the line is not of it.
    fn text<'l>(&self, line: Line<'l>) -> Option<&'l str> {
        let Some((regex, group)) = &self.line else { return Some(line.whole) };
        let found = regex.captures(line.rest)?;
        Some(found.get(*group).map_or("", |text| text.as_str()))
    }

    /// What the block says, now that it has ended.
    pub fn close<'t>(&'t self, open: &'t OpenBlock, vocabulary: &Vocabulary) -> Closed<'t> {
        let seen =
            || self.marks.iter().enumerate().filter(|(index, _)| open.marks & (1 << index) != 0);
        let mut draft: Draft<'t> = Draft::clone(&self.template);
        let mut understood = Vec::with_capacity(open.fields.len());
        for (field, text) in &open.fields {
            if draft.set(*field, text, vocabulary) {
                understood.push(*field);
            }
        }
        let mut say = self.say;
        for (_, mark) in seen() {
            if mark.ignore {
                return Closed::Ignored;
            }
            say = mark.say.unwrap_or(say);
            for (field, text) in &mark.set {
                draft.set(*field, text, vocabulary);
            }
        }
        if !self.need.iter().all(|field| understood.contains(field)) {
            return if open.fields.is_empty() { Closed::Foreign } else { Closed::Torn };
        }
        match say.body(&mut draft, vocabulary) {
            Some(body) => Closed::Says(body, draft),
            None => Closed::Torn,
        }
    }
}
