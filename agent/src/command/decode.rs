//! `decode`: what a recorded log says, one event a line as JSON, as `slipwatch-collector replay` reads it. Keeps and
//! sends nothing. Time is the log's own, so that the same log always gives the same lines.

use crate::config::{ConfigError, read_dialect};
use crate::decode::decoder::{Decoded, Decoder};
use crate::decode::dialect::{Dialect, Direction, shipped};
use indicatif::{ProgressBar, ProgressStyle};
use slipwatch_shared::event::{
    Body, Epoch, Event, Evidence, LineCounts, Seq, SourceDescription, SourceId, SourceLoss,
};
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::{BootId, DeviceTime, EventTime, Observed, Uptime};
use slipwatch_shared::wire::json::Line;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

/// Bytes of one read.
const READ_BYTES: usize = 64 * 1024;

/// Prints what a recorded log says, one event a line, as JSON. What was not understood is counted on standard error.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  slipwatch-agent decode --list
  slipwatch-agent decode --dialect cn-terminal --terminal 00000001 pos.log
  slipwatch-agent decode --dialect ./shop.toml - < till.log
  slipwatch-agent decode till.log | slipwatch-collector replay -")]
pub struct DecodeArgs {
    /// What the device speaks: a profile that is part of the program (--list names them), or the path of one of your
    /// own.
    #[arg(long, value_name = "NAME", default_value = "kv-en")]
    pub dialect: String,
    /// The terminal that the log belongs to, where its lines name none.
    #[arg(long, value_name = "NUMBER")]
    pub terminal: Option<TerminalId>,
    /// List the profiles and what they are for.
    #[arg(long)]
    pub list: bool,
    /// The recorded log; `-` for standard input.
    #[arg(value_name = "FILE", required_unless_present = "list")]
    pub file: Option<PathBuf>,
}

/// Why nothing was decoded.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// There is no such profile, or it has a mistake.
    #[error("the dialect cannot be used")]
    Dialect(#[from] ConfigError),
    /// A file cannot be opened or read.
    #[error("{path} cannot be read")]
    Read {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Standard output or standard error is closed.
    #[error("the result cannot be written")]
    Write(#[source] io::Error),
}

impl DecodeError {
    /// Whether the profile is what must be mended.
    pub fn is_dialect(&self) -> bool {
        matches!(self, DecodeError::Dialect(_))
    }
}

/// Runs the subcommand on standard output and standard error.
pub fn run(args: &DecodeArgs) -> Result<(), DecodeError> {
    let mut out = BufWriter::new(io::stdout().lock());
    let done = match (&args.file, args.list) {
        (Some(file), false) => decode(args, file, &mut out),
        _ => list(&mut out),
    };
    match done.and_then(|()| out.flush().map_err(DecodeError::Write)) {
        // Who reads the lines has seen enough.
        Err(DecodeError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

fn list(out: &mut impl Write) -> Result<(), DecodeError> {
    for dialect in shipped::names().filter_map(shipped::dialect) {
        writeln!(out, "{:<14} {}", dialect.name(), dialect.about()).map_err(DecodeError::Write)?;
    }
    Ok(())
}

fn decode(args: &DecodeArgs, file: &Path, out: &mut impl Write) -> Result<(), DecodeError> {
    let unreadable = |path: &Path| {
        let path = path.display().to_string();
        move |source| DecodeError::Read { path, source }
    };
    let dialect = read_dialect(&args.dialect, Path::new(""))?;
    let (mut input, bytes): (Box<dyn Read>, _) = match file.as_os_str() == "-" {
        true => (Box::new(io::stdin().lock()), None),
        false => {
            let opened = File::open(file).map_err(unreadable(file))?;
            let bytes = opened.metadata().map_err(unreadable(file))?.len();
            (Box::new(opened), Some(bytes))
        }
    };
    let bar = bar(bytes);
    let mut writer = Writer::new(dialect.as_ref(), args.terminal, out);
    let mut decoder = Decoder::new(dialect, args.terminal);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let read = match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(unreadable(file)(error)),
        };
        decoder.push(Direction::Either, &buffer[..read], Uptime::default());
        writer.write_all(&mut decoder)?;
        bar.inc(read as u64);
    }
    decoder.finish(Uptime::default());
    writer.write_all(&mut decoder)?;
    bar.finish_and_clear();
    writer.close(decoder.take_counts())
}

/// Drawn on standard error, and only where a person sees it.
fn bar(bytes: Option<u64>) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let Some(bytes) = bytes else { return ProgressBar::new_spinner() };
    let style =
        ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    ProgressBar::new(bytes).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Writes what was decoded, numbered and timed by the log's own clock.
struct Writer<'a, W> {
    out: &'a mut W,
    description: SourceDescription,
    /// Of the source; the first that the log names where none was given.
    terminal: Option<TerminalId>,
    next: Seq,
    /// The first and the latest device time, in milliseconds.
    times: Option<(i64, i64)>,
    failed: BTreeMap<String, u64>,
}

impl<'a, W: Write> Writer<'a, W> {
    fn new(dialect: &dyn Dialect, terminal: Option<TerminalId>, out: &'a mut W) -> Writer<'a, W> {
        let description = SourceDescription {
            name: "decode".into(),
            dialect: dialect.name().into(),
            hears_money: dialect.hears_money(),
            hears_slips: dialect.hears_slips(),
            two_way: false,
            historical: true,
        };
        Writer { out, description, terminal, next: Seq(1), times: None, failed: BTreeMap::new() }
    }

    fn write_all(&mut self, decoder: &mut Decoder) -> Result<(), DecodeError> {
        while let Some(decoded) = decoder.next_decoded() {
            match decoded {
                Decoded::Said { terminal, device_time, body, evidence, .. } => {
                    self.tick(device_time);
                    self.open(terminal)?;
                    self.write(terminal, device_time, body, evidence)?;
                }
                Decoded::Failed { reason, .. } => {
                    *self.failed.entry(format!("{reason:?}").to_lowercase()).or_default() += 1;
                    self.open(None)?;
                    self.write(self.terminal, None, Body::DecodeFailed { reason }, Evidence::None)?;
                }
            }
        }
        Ok(())
    }

    /// Opens the source before its first event.
    fn open(&mut self, terminal: Option<TerminalId>) -> Result<(), DecodeError> {
        if self.next != Seq(1) {
            return Ok(());
        }
        self.terminal = self.terminal.or(terminal);
        let opened = Body::SourceOpened(self.description.clone());
        self.write(self.terminal, None, opened, Evidence::None)
    }

    /// Ends the stream, and tells on standard error what it came to.
    fn close(mut self, counts: LineCounts) -> Result<(), DecodeError> {
        self.open(None)?;
        self.write(self.terminal, None, Body::Pulse(counts), Evidence::None)?;
        let ended = Body::SourceLost { reason: SourceLoss::EndOfFile };
        self.write(self.terminal, None, ended, Evidence::None)?;
        self.out.flush().map_err(DecodeError::Write)?;
        let reasons: Vec<String> =
            self.failed.iter().map(|(reason, times)| format!("{reason} {times}")).collect();
        let LineCounts { bytes, lines, unmatched, rejected } = counts;
        let reasons =
            if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
        let events = self.next.0 - 1;
        let told = format!(
            "{bytes} bytes, {lines} lines: {events} events, {unmatched} lines that no rule knows, {rejected} rejected{reasons}\n"
        );
        io::stderr().write_all(told.as_bytes()).map_err(DecodeError::Write)
    }

    /// Moves the clock to what the device shows; never back.
    fn tick(&mut self, device_time: Option<DeviceTime>) {
        let Some(shown) = device_time.and_then(milliseconds) else { return };
        let (first, latest) = self.times.unwrap_or((shown, shown));
        self.times = Some((first, latest.max(shown)));
    }

    fn write(
        &mut self,
        terminal: Option<TerminalId>,
        device_time: Option<DeviceTime>,
        body: Body,
        evidence: Evidence,
    ) -> Result<(), DecodeError> {
        let (first, latest) = self.times.unwrap_or_default();
        let observed = Observed {
            boot: BootId::default(),
            uptime: Uptime((latest - first) as u64),
            wall: EventTime(latest),
            synchronised: false,
        };
        let seq = self.next;
        self.next = seq.next();
        let event =
            Event { seq, source: SourceId(1), terminal, observed, device_time, body, evidence };
        let line = Line {
            store: "decode".parse().expect("a store's name"),
            agent: "decode".parse().expect("an agent's name"),
            epoch: Epoch(1),
            event,
        };
        writeln!(self.out, "{}", line.to_json()).map_err(DecodeError::Write)
    }
}

/// The device's time as if its zone were UTC; a year that is not printed is 2000, a date the first of January.
fn milliseconds(time: DeviceTime) -> Option<i64> {
    let (month, day) = time.month_day.unwrap_or((1, 1));
    let date =
        jiff::civil::Date::new(time.year.unwrap_or(2000) as i16, month as i8, day as i8).ok()?;
    // A leap second is read as the second before it.
    let second = time.second.min(59) as i8;
    let at = date.at(
        time.hour as i8,
        time.minute as i8,
        second,
        i32::from(time.millisecond) * 1_000_000,
    );
    Some(jiff::tz::Offset::UTC.to_timestamp(at).ok()?.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(log: &str) -> Vec<Line> {
        let dialect = shipped::dialect("kv-en").expect("a shipped profile");
        let mut out = Vec::new();
        let mut writer = Writer::new(dialect.as_ref(), None, &mut out);
        let mut decoder = Decoder::new(dialect, None);
        decoder.push(Direction::Either, log.as_bytes(), Uptime(0));
        decoder.finish(Uptime(0));
        writer.write_all(&mut decoder).expect("room");
        writer.close(decoder.take_counts()).expect("room");
        let text = String::from_utf8(out).expect("text");
        text.lines().map(|line| Line::from_json(line).expect("an event")).collect()
    }

    #[test]
    fn a_log_becomes_a_stream_that_can_be_replayed() {
        let lines = lines(
            "2026-11-24 09:30:01.120 evt=net_up tid=T1\nnothing\n\
             2026-11-24 09:30:03.120 evt=net_down tid=T1\n2026-11-24 09:30:02 evt=boot\n",
        );
        let uptimes: Vec<u64> = lines.iter().map(|line| line.event.observed.uptime.0).collect();
        assert_eq!(uptimes, [0, 0, 2000, 2000, 2000, 2000]);
        assert!(matches!(lines[0].event.body, Body::SourceOpened(_)));
        assert_eq!(lines[0].event.terminal, "T1".parse().ok());
        assert_eq!(lines[1].event.observed.wall, EventTime(1_795_512_601_120));
        let Body::Pulse(counts) = lines[4].event.body else { panic!("the counts") };
        assert_eq!((counts.lines, counts.unmatched), (4, 1));
        assert!(matches!(lines[5].event.body, Body::SourceLost { .. }));
        let seqs: Vec<u64> = lines.iter().map(|line| line.event.seq.0).collect();
        assert_eq!(seqs, [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn an_unknown_profile_is_told_with_those_that_there_are() {
        let error = read_dialect("kv", Path::new("")).expect_err("no such profile").to_string();
        assert!(error.contains("\"kv\"; there are kv-en, cn-terminal"), "{error}");
    }
}
