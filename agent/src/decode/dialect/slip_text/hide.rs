//! A slip's lines without card data: scrubbed as one text, so that a number that paper cuts into two lines is found.

use super::find::Found;
use super::fold::Folded;
use super::vocabulary::{Meaning, Value, WORDS};
use crate::decode::plain::plain;
use crate::decode::scrub::{Known, Label, Scrubbed, Scrubber};
use slipwatch_shared::times::Uptime;
use std::borrow::Cow;
use std::sync::LazyLock;

/// The blanks with which paper is centred.
const BLANKS: [char; 3] = [' ', '\t', '\u{3000}'];

/// What joins a label and its value of the next line while they are looked at; text has none, a printer's tabs are
/// blanks.
const JOINT: char = '\t';

/// The labels of the vocabulary, made ready once.
static KNOWN: LazyLock<Known> = LazyLock::new(|| Known::new(labels()));

/// The lines of a slip as a printer or a terminal gave them, without what must not leave memory and without the blanks
/// at their ends.
pub fn scrub<'t>(lines: impl IntoIterator<Item = &'t str>) -> Vec<String> {
    let mut scrubber = Scrubber::with(&KNOWN);
    let mut out = Vec::new();
    let mut label: Option<String> = None;
    let (mut folded, mut found) = (Folded::default(), Vec::new());
    for line in lines {
        let line = plain(line.trim_end().into());
        let line = if line.contains(JOINT) { line.replace(JOINT, " ").into() } else { line };
        // What the number of a line is, its label may have told in the line before.
        let whole = match label.take() {
            Some(label) => Cow::Owned(format!("{label}{JOINT}{line}")),
            None => line,
        };
        folded.fold(&whole);
        super::WORDS.finder.find(&whole, &folded, &mut found);
        if !whole.contains(JOINT) && ends_with_label(&whole, &found) {
            label = Some(whole.into_owned());
            continue;
        }
        take(&mut scrubber, &whole, &mut out);
    }
    if let Some(label) = label {
        take(&mut scrubber, &label, &mut out);
    }
    scrubber.let_go();
    take_ready(&mut scrubber, &mut out);
    out
}

fn take(scrubber: &mut Scrubber, line: &str, out: &mut Vec<String>) {
    // Blanks must not part a number that goes on in the next line.
    let indent = line.len() - line.trim_start_matches(BLANKS).len();
    match scrubber.line(line, indent, Uptime::default()) {
        Scrubbed::Clean => out.extend(line.split(JOINT).map(str::to_owned)),
        Scrubbed::Ready => take_ready(scrubber, out),
    }
}

fn take_ready(scrubber: &mut Scrubber, out: &mut Vec<String>) {
    while let Some((line, _)) = scrubber.next_line() {
        out.extend(line.split(JOINT).map(str::to_owned));
    }
}

/// Whether the line ends with the label of a number, whose value can only stand in the next.
fn ends_with_label(line: &str, found: &[Found]) -> bool {
    let Some(last) = found.last() else { return false };
    let is_last = !line[last.to..].contains(char::is_alphanumeric);
    is_last && last.label().is_some_and(|value| label(value).is_some())
}

/// The words of the vocabulary that announce a number, and which kind.
fn labels() -> impl Iterator<Item = (&'static str, Label)> {
    WORDS.iter().flat_map(|(_, words)| words.iter()).filter_map(|(word, meaning)| match meaning {
        Meaning::Label(value) => Some((*word, label(*value)?)),
        _ => None,
    })
}

/// What a value is to the scrubber, where it is long enough to be taken for a card number.
fn label(value: Value) -> Option<Label> {
    Some(match value {
        Value::Card => Label::Card,
        Value::Rrn | Value::OriginalRrn => Label::Other(12),
        Value::Terminal | Value::Merchant => Label::Other(15),
        Value::OrderNumber | Value::ChannelTransactionId => Label::Other(64),
        _ => return None,
    })
}
