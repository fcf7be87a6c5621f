//! Slips that pass through the till: whole in one part of a message, or line by line in messages of their own. What the
//! text says is read by the reader of slips; here it is cut into lines, and joined with what the message around it knows.

use crate::decode::dialect::slip_text::{self, ReadSlip};
use slipwatch_shared::event::{Keys, Slip};
use slipwatch_shared::money::Currency;
use slipwatch_shared::times::Uptime;

/// Most lines of slips that are collected.
const LINES_MAX: usize = 512;

/// Longest line that is kept, in bytes.
const LINE_BYTES_MAX: usize = 256;

/// How long before or behind a result its slip's lines come.
const RESULT_NEAR_MS: u64 = 60_000;

/// Lines of slips that came one by one.
#[derive(Debug, Default)]
pub(super) struct SlipLines {
    lines: Vec<Box<str>>,
    since: Option<Uptime>,
    last: Uptime,
    overflowed: bool,
}

/// Collected lines, and when the first and the last of them came.
#[derive(Debug)]
pub(super) struct Collected {
    lines: Vec<Box<str>>,
    since: Uptime,
    pub last: Uptime,
    /// There were more.
    pub overflowed: bool,
}

impl SlipLines {
    /// Takes a line.
    pub fn push(&mut self, line: &str, at: Uptime) {
        self.since.get_or_insert(at);
        self.last = at;
        if self.lines.len() >= LINES_MAX {
            self.overflowed = true;
            return;
        }
        self.lines.push(line[..line.floor_char_boundary(LINE_BYTES_MAX)].into());
    }

    /// Since when lines wait for more.
    pub fn since(&self) -> Option<Uptime> {
        self.since
    }

    /// When the last line came, while lines wait for more.
    pub fn last(&self) -> Option<Uptime> {
        self.since.map(|_| self.last)
    }

    /// All lines, when there are any.
    pub fn take(&mut self) -> Option<Collected> {
        let since = self.since.take()?;
        Some(Collected {
            lines: std::mem::take(&mut self.lines),
            since,
            last: self.last,
            overflowed: std::mem::take(&mut self.overflowed),
        })
    }
}

impl Collected {
    /// The slips that the lines are; `result` is the last result on the link, and when it came. Lines in which nothing is
    /// known are the result's slip all the same.
    pub fn slips(&self, currency: Currency, result: Option<(&Keys, Uptime)>) -> Vec<ReadSlip> {
        let lines = || self.lines.iter().map(|line| &**line);
        let mut slips = slip_text::read(lines(), Some(currency));
        let is_near = |at: Uptime| {
            self.last.ms_since(at) < RESULT_NEAR_MS && at.ms_since(self.since) < RESULT_NEAR_MS
        };
        let Some((keys, _)) = result.filter(|(_, at)| is_near(*at)) else { return slips };
        if slips.is_empty() {
            slips.push(ReadSlip::unread(slip_text::scrub(lines()).join("\n")));
        }
        for slip in &mut slips {
            if slip.document.is_slip() && fits(&slip.slip, keys) {
                complete(&mut slip.slip.keys, keys);
            }
        }
        slips
    }
}

/// The slips of a text that stands in one part of a message, whose lines have so many columns.
pub(super) fn slips(
    text: &str,
    columns: Option<usize>,
    currency: Currency,
    keys: &Keys,
) -> Vec<ReadSlip> {
    let lines = match columns {
        None => text.lines().collect(),
        Some(columns) => cut(text, columns),
    };
    let mut slips = slip_text::read(lines, Some(currency));
    for slip in slips.iter_mut().filter(|slip| slip.document.is_slip()) {
        complete(&mut slip.slip.keys, keys);
    }
    slips
}

/// A text without line ends, as lines of so many characters.
fn cut(text: &str, columns: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.char_indices().nth(columns).map_or(rest.len(), |(at, _)| at);
        let (line, behind) = rest.split_at(end);
        lines.push(line);
        rest = behind;
    }
    lines
}

/// Whether a slip can be the one of a result: no number that both show differs.
fn fits(slip: &Slip, keys: &Keys) -> bool {
    fn same<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
        one.is_none() || other.is_none() || one == other
    }
    let shown = &slip.keys;
    same(
        shown.amount.map(|amount| amount.minor.abs()),
        keys.amount.map(|amount| amount.minor.abs()),
    ) && same(shown.stan, keys.stan)
        && same(shown.authorization_code, keys.authorization_code)
        && same(
            shown.card.and_then(|card| card.pan).map(|pan| pan.last_four()),
            keys.card.and_then(|card| card.pan).map(|pan| pan.last_four()),
        )
}

/// Adds what the message around a slip knows and its text does not show.
fn complete(shown: &mut Keys, known: &Keys) {
    shown.kind = shown.kind.or(known.kind);
    shown.instrument = shown.instrument.or(known.instrument);
    shown.amount = shown.amount.or(known.amount);
    shown.stan = shown.stan.or(known.stan);
    shown.batch_number = shown.batch_number.or(known.batch_number);
    shown.rrn = shown.rrn.or(known.rrn);
    shown.authorization_code = shown.authorization_code.or(known.authorization_code);
    shown.merchant = shown.merchant.or(known.merchant);
    shown.card = shown.card.or(known.card);
    shown.host_time = shown.host_time.or(known.host_time);
    if shown.order_number.is_none() {
        shown.order_number.clone_from(&known.order_number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_into_lines_of_its_columns() {
        assert_eq!(cut("abcdefg", 3), ["abc", "def", "g"]);
        assert_eq!(cut("ñandúes", 4), ["ñand", "úes"]);
        assert!(cut("", 40).is_empty());
    }

    #[test]
    fn a_slip_of_another_payment_takes_nothing_from_a_result() {
        let keys = |auth: &str| Keys { authorization_code: auth.parse().ok(), ..Keys::default() };
        let slip = |auth: &str| Slip { keys: keys(auth), ..Slip::default() };
        assert!(fits(&slip("123456"), &keys("123456")));
        assert!(fits(&Slip::default(), &keys("123456")));
        assert!(!fits(&slip("654321"), &keys("123456")));
    }

    #[test]
    fn collected_lines_are_bounded() {
        let mut lines = SlipLines::default();
        for at in 0..2_000 {
            lines.push(&"x".repeat(400), Uptime(at));
        }
        let collected = lines.take().expect("lines");
        assert_eq!((collected.lines.len(), collected.overflowed), (LINES_MAX, true));
        assert!(collected.lines.iter().all(|line| line.len() <= LINE_BYTES_MAX));
        assert_eq!((lines.since(), lines.last()), (None, None));
    }
}
