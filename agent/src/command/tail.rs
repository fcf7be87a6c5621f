//! `tail`: what a line or a log says, decoded, while it is said. Keeps and sends nothing.

use super::listening::LineArgs;
use super::print;
use super::show::{Screen, counted};
use crate::config::read_dialect;
use crate::decode::decoder::{Decoded, Decoder};
use crate::edge::source::Word;
use indicatif::ProgressBar;
use slipwatch_shared::event::LineCounts;
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::EventTime;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

/// Arguments of `tail`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Ends with Ctrl-C, and says then how much was not understood. NO_COLOR=1 leaves the colours out.

Examples:
  slipwatch-agent tail --dialect zvt --baud 9600 /dev/ttyUSB0
  slipwatch-agent tail --dialect escpos --baud 19200 --answers /dev/ttyUSB1 /dev/ttyUSB0
  slipwatch-agent tail --dialect cn-terminal /var/log/pos.log
  slipwatch-agent tail --source terminal-1")]
pub struct TailArgs {
    #[command(flatten)]
    line: LineArgs,
    /// What the device speaks: a shipped profile (`decode --list` names them), or the path of one of your own.
    #[arg(long, value_name = "NAME", required_unless_present = "source")]
    dialect: Option<String>,
    /// The terminal behind the line, where nothing that is said names one.
    #[arg(long, value_name = "NUMBER")]
    terminal: Option<TerminalId>,
}

/// Prints until told to stop.
pub fn run(arguments: &TailArgs) -> anyhow::Result<()> {
    let line = arguments.line.line()?;
    let of_settings = line.dialect.clone().unwrap_or_default();
    let (name, base) = match &arguments.dialect {
        Some(name) => (name.clone(), PathBuf::new()),
        None => of_settings,
    };
    let dialect = read_dialect(&name, &base)?;
    let mut decoder = Some(Decoder::new(dialect.clone(), arguments.terminal));
    let screen = Screen::new(std::io::stdout().is_terminal());
    let bar = match std::io::stderr().is_terminal() {
        true => ProgressBar::new_spinner(),
        false => ProgressBar::hidden(),
    };
    let mut totals = LineCounts::default();
    let mut events = 0;
    let say = |text: &str| bar.suspend(|| print(text));
    let listened = line.listen(arguments.line.seconds, |now, word| {
        let mut text = String::new();
        match word {
            None => {
                if let Some(decoder) = &mut decoder {
                    decoder.settle(now.uptime);
                }
            }
            Some(Word::Opened { .. }) => {
                decoder = Some(Decoder::new(dialect.clone(), arguments.terminal));
                text.push_str(&screen.note(now.wall, "listening"));
            }
            Some(Word::Bytes { direction, bytes, .. }) => {
                if let Some(decoder) = &mut decoder {
                    decoder.push(direction, &bytes, now.uptime);
                }
            }
            Some(Word::Overrun) => text.push_str(&screen.note(now.wall, "some bytes are lost")),
            Some(Word::Idle) => {}
            Some(Word::Lost { reason }) => {
                if let Some(decoder) = &mut decoder {
                    decoder.finish(now.uptime);
                }
                let reason = format!("{reason:?}").to_lowercase();
                text.push_str(&screen.note(now.wall, &format!("the line is lost: {reason}")));
            }
        }
        if let Some(decoder) = &mut decoder {
            take(decoder, &screen, now.wall, &mut text, &mut totals, &mut events);
        }
        bar.set_message(counted(totals, events));
        bar.tick();
        if text.is_empty() { Ok(()) } else { Ok(say(&text)?) }
    });
    bar.finish_and_clear();
    // Nobody listens to standard error: nothing can be done about it.
    let _ = writeln!(std::io::stderr(), "{}", counted(totals, events));
    listened
}

fn take(
    decoder: &mut Decoder,
    screen: &Screen,
    wall: EventTime,
    text: &mut String,
    totals: &mut LineCounts,
    events: &mut u64,
) {
    while let Some(decoded) = decoder.next_decoded() {
        *events += u64::from(matches!(decoded, Decoded::Said { .. }));
        text.push_str(&screen.line(wall, &decoded));
    }
    let LineCounts { bytes, lines, unmatched, rejected } = decoder.take_counts();
    totals.bytes += bytes;
    totals.lines += lines;
    totals.unmatched += unmatched;
    totals.rejected += rejected;
}
