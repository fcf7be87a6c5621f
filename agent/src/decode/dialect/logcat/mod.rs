//! The log of an Android terminal (`adb logcat`), in whatever form it is printed: each line becomes `time TAG: message`,
//! and the rest is a text profile's matter. Android prints no year, and the time of the device's own zone.

mod head;

use super::profile::Profile;
use crate::decode::dialect::error::ProfileError;
use crate::decode::dialect::{Dialect, Direction, Reader, Sink};
use crate::decode::framer::lines::{Cut, LINE_BYTES_MAX, LineFramer};
use head::Head;
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::Uptime;
use std::sync::Arc;

/// The log of one kind of terminal, ready to run.
#[derive(Debug)]
pub struct Logcat {
    profile: Arc<Profile>,
}

impl Logcat {
    /// Reads a profile, which is a text profile whose rules see `TAG: message`. `name` is its file or shipped name.
    pub fn parse(name: &str, toml: &str) -> Result<Logcat, ProfileError> {
        Ok(Logcat { profile: Arc::new(Profile::parse(name, toml)?) })
    }
}

impl Dialect for Logcat {
    fn name(&self) -> &str {
        self.profile.name()
    }

    fn about(&self) -> &str {
        self.profile.about()
    }

    fn hears_money(&self) -> bool {
        self.profile.hears_money()
    }

    fn hears_slips(&self) -> bool {
        self.profile.hears_slips()
    }

    fn reader(self: Arc<Self>, terminal: Option<TerminalId>) -> Box<dyn Reader> {
        Box::new(LogcatReader {
            framer: LineFramer::default(),
            head: Head::default(),
            line: Vec::new(),
            text: self.profile.clone().reader(terminal),
        })
    }
}

/// Reads one log.
#[derive(Debug)]
struct LogcatReader {
    framer: LineFramer,
    /// Of the message whose lines follow, in the form that prints it once.
    head: Head,
    line: Vec<u8>,
    text: Box<dyn Reader>,
}

impl Reader for LogcatReader {
    fn push(&mut self, direction: Direction, bytes: &[u8], at: Uptime, sink: &mut Sink<'_>) {
        let LogcatReader { framer, head, line, text } = self;
        framer.push(bytes);
        while let Some(cut) = framer.next_cut() {
            line.clear();
            match cut {
                Cut::Line(found) if head.line(found, line) => {
                    line.push(b'\n');
                    text.push(direction, line, at, sink);
                }
                Cut::Line(_) => {}
                // What was not seen may have held the beginning of a number: the text's reader is to know that.
                Cut::Overlong(_) => {
                    line.resize(LINE_BYTES_MAX + 1, b' ');
                    line.push(b'\n');
                    text.push(direction, line, at, sink);
                }
            }
        }
    }

    fn settle(&mut self, now: Uptime, sink: &mut Sink<'_>) {
        self.text.settle(now, sink);
    }

    fn finish(&mut self, at: Uptime, sink: &mut Sink<'_>) {
        let LogcatReader { framer, head, line, text } = self;
        line.clear();
        if let Some(Cut::Line(torn)) = framer.finish()
            && head.line(torn, line)
        {
            text.push(Direction::Either, line, at, sink);
        }
        text.finish(at, sink);
    }

    fn held_since(&self) -> Option<Uptime> {
        self.text.held_since()
    }

    fn wake_at(&self) -> Option<Uptime> {
        self.text.wake_at()
    }
}

#[cfg(test)]
mod tests;
