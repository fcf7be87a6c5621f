//! `record`: what a line says, byte by byte, with ways and times, for a support case. Card data is taken out before
//! anything is written; the form is told in `decode::recording`.

use super::chinese::TONGUE;
use super::listening::{LineArgs, since};
use crate::decode::dialect::Direction;
use crate::decode::recording::hide::{Hider, Piece};
use crate::decode::recording::{FIRST_LINE, sign_of, write_note, write_said};
use crate::edge::source::Word;
use anyhow::Context;
use indicatif::ProgressBar;
use slipwatch_shared::times::Uptime;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// Arguments of `record`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Card numbers lose all but their first six and last four digits, and tracks all behind the number, before anything is \
written. An encrypted PIN block cannot be told from other bytes where the dialect is not known: of a line to the acquirer, \
look before you send it on. The file is a text; `slipwatch-agent decode --dialect NAME FILE` plays it again.

Examples:
  slipwatch-agent record --baud 9600 --output case.rec /dev/ttyUSB0
  slipwatch-agent record --baud 19200 --answers /dev/ttyUSB1 --seconds 600 --output case.rec /dev/ttyUSB0
  slipwatch-agent record --from-start --output case.rec /var/log/pos.log
  slipwatch-agent record --source printer | gzip > case.rec.gz")]
pub struct RecordArgs {
    #[command(flatten)]
    line: LineArgs,
    /// Where to; without it, to standard output. A file that is there already is left alone.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Records until told to stop.
pub fn run(arguments: &RecordArgs) -> anyhow::Result<()> {
    let line = arguments.line.line()?;
    let mut out: Box<dyn Write> = match &arguments.output {
        None => Box::new(io::stdout().lock()),
        Some(path) => {
            let mut options = File::options();
            // What a line says is nobody else's matter.
            let file = options.write(true).create_new(true).mode(0o600).open(path);
            Box::new(file.with_context(|| format!("{} cannot be made", path.display()))?)
        }
    };
    let bar = match io::stderr().is_terminal() {
        true => ProgressBar::new_spinner(),
        false => ProgressBar::hidden(),
    };
    let mut recorder = Recorder::default();
    let listened = line.listen(arguments.line.seconds, |now, word| {
        let mut text = String::new();
        let first = *recorder.first.get_or_insert_with(|| {
            let at = jiff::Timestamp::from_millisecond(now.wall.0).unwrap_or_default();
            let _ = write!(text, "{FIRST_LINE}\nstarted {at:.3}\n");
            for (direction, told) in line.told() {
                let _ = writeln!(text, "port {} {told}", sign_of(direction));
            }
            now.uptime
        });
        recorder.take(since(first, now.uptime), word, &mut text);
        bar.set_message(TONGUE.say(&format!("{} bytes recorded; Ctrl-C ends it", recorder.bytes)));
        bar.tick();
        match out.write_all(text.as_bytes()) {
            Err(error) => Err(error).context("the recording cannot be written"),
            Ok(()) => Ok(()),
        }
    });
    let mut text = String::new();
    recorder.let_go(&mut text);
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    bar.finish_and_clear();
    let told = TONGUE.say(&format!("{} bytes recorded", recorder.bytes)) + "\n";
    // Nobody listens to standard error: nothing can be done about it.
    let _ = io::stderr().write_all(told.as_bytes());
    listened.and(written.context("the recording cannot be written"))
}

/// Both ways of a line, each with its own memory of what may be the middle of a card number.
struct Recorder {
    first: Option<Uptime>,
    hiders: [Hider; 3],
    /// Scrubbed, and later than what still waits on the other way: the file keeps the order of the line.
    pieces: Vec<Piece>,
    bytes: u64,
}

impl Default for Recorder {
    fn default() -> Recorder {
        let ways = [Direction::Either, Direction::ToDevice, Direction::FromDevice];
        Recorder { first: None, hiders: ways.map(Hider::new), pieces: Vec::new(), bytes: 0 }
    }
}

impl Recorder {
    fn take(&mut self, now: Uptime, word: Option<Word>, text: &mut String) {
        self.pieces.extend(self.hiders.iter_mut().flat_map(|hider| hider.settle(now)));
        let mut note = None;
        match word {
            Some(Word::Bytes { direction, bytes, .. }) => {
                self.bytes += bytes.len() as u64;
                let at = match direction {
                    Direction::Either => 0,
                    Direction::ToDevice => 1,
                    Direction::FromDevice => 2,
                };
                self.pieces.extend(self.hiders[at].push(&bytes, now));
            }
            Some(Word::Opened { .. }) => note = Some("opened".to_owned()),
            Some(Word::Overrun) => note = Some("overrun".to_owned()),
            Some(Word::Lost { reason }) => {
                note = Some(format!("lost {reason:?}").to_lowercase());
            }
            Some(Word::Idle) | None => {}
        }
        if let Some(note) = note {
            self.let_go(text);
            write_note(text, now, &note);
            return;
        }
        let waiting = self.hiders.iter().filter_map(Hider::held_since).min();
        let (ready, later) =
            self.pieces.drain(..).partition(|(at, ..)| waiting.is_none_or(|since| *at < since));
        self.pieces = later;
        write_pieces(ready, text);
    }

    fn let_go(&mut self, text: &mut String) {
        self.pieces.extend(self.hiders.iter_mut().flat_map(Hider::let_go));
        write_pieces(std::mem::take(&mut self.pieces), text);
    }
}

/// In the order of their moments; what was said to a device stands before its answer.
fn write_pieces(mut pieces: Vec<Piece>, text: &mut String) {
    pieces.sort_by_key(|(at, direction, _)| (*at, *direction));
    for (at, direction, bytes) in pieces {
        write_said(text, at, direction, &bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(direction: Direction, bytes: &[u8]) -> Option<Word> {
        Some(Word::Bytes { direction, bytes: bytes.to_vec(), place: None })
    }

    #[test]
    fn the_file_keeps_the_order_of_the_line_whichever_way_was_quiet_first() {
        let (mut recorder, mut text) = (Recorder::default(), String::new());
        for (at, direction, bytes) in [
            (0, Direction::ToDevice, &b"ask"[..]),
            (10, Direction::FromDevice, b"yes"),
            (200, Direction::ToDevice, b"go on"),
            (400, Direction::ToDevice, b"and on"),
        ] {
            recorder.take(Uptime(at), said(direction, bytes), &mut text);
        }
        recorder.take(Uptime(450), None, &mut text);
        assert_eq!(text, "", "what is before it still waits");
        recorder.take(Uptime(700), Some(Word::Overrun), &mut text);
        let told: Vec<&str> = text.lines().map(|line| &line[..9]).collect();
        assert_eq!(told, ["0.000 > 6", "0.010 < 7", "0.200 > 6", "0.400 > 6", "0.700 ! o"]);
    }
}
