//! Card data out, before anything else sees a line. What leaves here shows of a card number at most the first six and
//! last four digits, always as `622576******6691`, and of tracks, PIN blocks and card codes nothing.
//!
//! A number may be cut by a line end. A line whose end could be the beginning of a number, and shows more than six
//! digits of it, is held until the next line shows how it goes on, or until the profile's gap has passed; then
//! whatever stands beyond the sixth digit goes. Never tells what it found, in no error and no panic.

mod dump;
mod edit;
pub(crate) mod frame;
mod hex;
mod issuer;
mod label;
mod scan;
mod secret;
mod span;
mod window;

#[cfg(test)]
pub(crate) mod tests;

use edit::{Edit, Put, apply};
pub(crate) use label::Label;
use label::Labels;
use scan::{Before, Scanner};
use slipwatch_shared::times::Uptime;
use std::collections::VecDeque;
use std::sync::{Arc, LazyLock};
use window::CLEAR_FIRST;

/// Most lines that one number can be cut into before it is let go as it is.
const HELD_LINES_MAX: usize = 32;

/// Most bytes that are held.
const HELD_BYTES_MAX: usize = 16 * 1024;

/// Scrubs the lines of one source.
#[derive(Debug)]
pub(crate) struct Scrubber {
    scanner: Scanner,
    /// Lines that wait for what follows, one after the other. Those that were let go already are here from their last
    /// digits on, so that the next line can be judged.
    held: String,
    lines: VecDeque<HeldLine>,
    before: Before,
    /// Lines that are ready.
    ready: VecDeque<(String, Uptime)>,
}

/// A line in `held`.
#[derive(Debug)]
struct HeldLine {
    at: Uptime,
    /// The time at its head, which stands between the parts of a cut number.
    head: String,
    /// Whether it went out already.
    gone: bool,
}

/// A single line of a program that is not a device's, as it may be logged: scrubbed as if it had been cut.
pub(crate) fn complaint(line: &str) -> String {
    let mut scrubber = Scrubber::new([]);
    let text = crate::decode::plain::plain(line.trim().into());
    match scrubber.line(&text, 0, Uptime::default()) {
        Scrubbed::Clean => text.into_owned(),
        Scrubbed::Ready => {
            scrubber.let_go();
            std::iter::from_fn(|| scrubber.next_line()).map(|line| line.0).collect()
        }
    }
}

/// A message for the log, which may repeat what it came from. What has no card data stays as it is, colours and all.
pub(crate) fn message(text: &str) -> String {
    static USUAL: LazyLock<Known> = LazyLock::new(|| Known::new([]));
    let mut scrubber = Scrubber::with(&USUAL);
    let mut lines = Vec::new();
    for line in text.split('\n') {
        match scrubber.line(&crate::decode::plain::plain(line.into()), 0, Uptime::default()) {
            Scrubbed::Clean => lines.push(line.to_owned()),
            Scrubbed::Ready => {
                lines.extend(std::iter::from_fn(|| scrubber.next_line()).map(|line| line.0));
            }
        }
    }
    scrubber.let_go();
    lines.extend(std::iter::from_fn(|| scrubber.next_line()).map(|line| line.0));
    lines.join("\n")
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scrubbed {
    /// It holds nothing that must go and waits for nothing: use it as it is.
    Clean,
    /// Take what is ready from [`Scrubber::next_line`]; the line is among it or is held.
    Ready,
}

/// Labels beside the usual ones, made ready once for many scrubbers.
#[derive(Debug)]
pub(crate) struct Known(Arc<Labels>);

impl Known {
    /// These labels, and the usual ones.
    pub fn new<'a>(labels: impl IntoIterator<Item = (&'a str, Label)>) -> Known {
        Known(Arc::new(Labels::new(labels)))
    }
}

impl Scrubber {
    /// A scrubber that knows these labels beside the usual ones.
    pub fn new<'a>(labels: impl IntoIterator<Item = (&'a str, Label)>) -> Scrubber {
        Scrubber::with(&Known::new(labels))
    }

    /// The same with labels that were made ready before.
    pub fn with(known: &Known) -> Scrubber {
        Scrubber {
            scanner: Scanner::new(Arc::clone(&known.0)),
            held: String::new(),
            lines: VecDeque::new(),
            before: Before::Plain,
            ready: VecDeque::new(),
        }
    }

    /// Takes a line without its end, read at `at`. `rest` is where the text behind the time at its head begins.
    #[inline]
    pub fn line(&mut self, line: &str, rest: usize, at: Uptime) -> Scrubbed {
        if !self.lines.is_empty() {
            if !goes_on(&line[rest..]) {
                self.release();
            } else if self.lines.len() >= HELD_LINES_MAX || self.held.len() >= HELD_BYTES_MAX {
                // Too much to judge it as one: what could be the middle of a number goes.
                self.unseen();
            } else {
                self.held.push('\n');
                self.held.push_str(&line[rest..]);
                self.lines.push_back(HeldLine { at, head: line[..rest].to_owned(), gone: false });
                self.judge();
                return Scrubbed::Ready;
            }
        }
        let before = std::mem::take(&mut self.before);
        self.scanner.scan(line, rest, before);
        self.before = self.scanner.after;
        let is_open = self.scanner.tail.is_some();
        if !is_open && self.scanner.edits.is_empty() && self.ready.is_empty() {
            return Scrubbed::Clean;
        }
        if !is_open {
            self.ready.push_back((apply(line, &mut self.scanner.edits), at));
            return Scrubbed::Ready;
        }
        self.held.push_str(line);
        self.lines.push_back(HeldLine { at, head: String::new(), gone: false });
        if before == Before::Plain {
            self.settle_scanned();
        } else {
            // What leads this line was judged by a line that is gone: it cannot be judged again.
            self.release_hidden(|_| false);
        }
        Scrubbed::Ready
    }

    /// A text that stands alone, such as the one in a frame: nothing of it is held, and nothing is remembered of it.
    pub fn alone(&mut self, text: &str) -> String {
        self.scanner.scan(text, 0, Before::Plain);
        apply(text, &mut self.scanner.edits)
    }

    /// The next line that is ready.
    pub fn next_line(&mut self) -> Option<(String, Uptime)> {
        self.ready.pop_front()
    }

    /// Nothing follows within the gap: what is held is let go, without what could be the middle of a number.
    pub fn let_go(&mut self) {
        if self.held_since().is_some() {
            self.scanner.scan(&self.held, 0, Before::Plain);
            // A whole number, as far as can be seen, shows its last four.
            self.release_hidden(scan::is_number);
        }
    }

    /// The stream broke off; `torn` is the unfinished line, which goes nowhere. What it ends with is remembered.
    pub fn torn(&mut self, torn: &str) {
        self.let_go();
        let ready = self.ready.len();
        self.line(torn, 0, Uptime::default());
        self.ready.truncate(ready);
        self.lines.iter_mut().for_each(|line| line.gone = true);
    }

    /// A part of the stream was not seen: the next line may begin amid a number.
    pub fn unseen(&mut self) {
        self.let_go();
        self.forget(self.held.len());
        self.before = Before::Digits;
    }

    /// When the first of the lines that are held was read.
    pub fn held_since(&self) -> Option<Uptime> {
        self.lines.iter().find(|line| !line.gone).map(|line| line.at)
    }

    /// Looks at what is held, now that a line has joined it.
    fn judge(&mut self) {
        self.scanner.scan(&self.held, 0, Before::Plain);
        self.before = self.scanner.after;
        self.settle_scanned();
    }

    /// Lets go what need not be held, with what was just scanned.
    fn settle_scanned(&mut self) {
        let Some(tail) = self.scanner.tail else {
            self.emit();
            self.forget(self.held.len());
            return;
        };
        if tail.digits <= CLEAR_FIRST {
            self.emit();
            self.forget(tail.from);
        }
    }

    /// Lets everything go: the number, if it was one, has ended.
    fn release(&mut self) {
        if self.held_since().is_some() {
            self.scanner.scan(&self.held, 0, Before::Plain);
            self.emit();
        }
        self.forget(self.held.len());
    }

    /// Lets everything go, but for the digits of the tail beyond the sixth; what of them stands in a card number that
    /// `is_whole` is left as that has it.
    fn release_hidden(&mut self, is_whole: fn(&str) -> bool) {
        let from = self.scanner.tail.map_or(self.held.len(), |tail| tail.from);
        let edits = &mut self.scanner.edits;
        let digits = self.held[from..].char_indices().filter(|(_, sign)| sign.is_ascii_digit());
        let hidden = digits.skip(CLEAR_FIRST).map(|(at, _)| from + at);
        let number = |edit: &Edit| edit.is_card() && is_whole(&self.held[edit.from..edit.to]);
        let in_whole = |at: usize| edits.iter().any(|edit| edit.holds(at) && number(edit));
        let hidden: Vec<usize> = hidden.filter(|at| !in_whole(*at)).collect();
        edits.extend(hidden.into_iter().map(|at| Edit { from: at, to: at + 1, put: Put::Stars }));
        self.emit();
        self.forget(from);
    }

    /// Makes the scanned edits and readies each held line that has not gone yet.
    fn emit(&mut self) {
        let scrubbed = apply(&self.held, &mut self.scanner.edits);
        for (line, text) in self.lines.iter_mut().zip(scrubbed.split('\n')) {
            if !line.gone {
                line.gone = true;
                self.ready.push_back((format!("{}{text}", line.head), line.at));
            }
        }
    }

    /// Forgets what stands before `from` and the lines that end there.
    fn forget(&mut self, from: usize) {
        let ended = self.held[..from].matches('\n').count();
        let is_over = from == self.held.len();
        self.lines.drain(..if is_over { self.lines.len() } else { ended });
        self.held.drain(..from);
    }
}

/// Whether a line can go on with a number that the line before it began.
fn goes_on(rest: &str) -> bool {
    let rest = rest.trim_start_matches(span::is_gap);
    let first = rest.bytes().next();
    first.is_some_and(|byte| byte.is_ascii_digit() || matches!(byte, b'=' | b'D' | b'd' | b'^'))
}
