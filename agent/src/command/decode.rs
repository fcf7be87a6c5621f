//! `decode`: what a recorded log says, one event a line as JSON, as `slipwatch-collector replay` reads it. Keeps and
//! sends nothing. Time is the log's own, so that the same log always gives the same lines.

pub mod calendar;
pub mod input;

use super::chinese::TONGUE;
use super::{EXIT_NOT_UNDERSTOOD, EXIT_OK};
use crate::config::{ConfigError, read_dialect};
use crate::decode::decoder::{Decoded, Decoder};
use crate::decode::dialect::{Dialect, Direction, shipped};
use crate::decode::guess::Trial;
use crate::edge::clock;
use calendar::Calendar;
use indicatif::{ProgressBar, ProgressStyle};
use input::{Form, Head, Item};
use jiff::tz::TimeZone;
use slipwatch_shared::event::{
    Body, Epoch, Event, Evidence, LineCounts, Seq, SourceDescription, SourceId, SourceLoss,
};
use slipwatch_shared::terminal::{AgentId, StoreId, TerminalId};
use slipwatch_shared::times::{BootId, DeviceTime, EventTime, Observed, Uptime};
use slipwatch_shared::wire::json::Line;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Shop and agent of a log that nobody named.
const UNNAMED: &str = "decode";
/// Bytes of one read.
const READ_BYTES: usize = 64 * 1024;
/// Bytes of the beginning that are kept, to say which dialect they are when they are none of the one that was named.
const SAMPLE_BYTES_MAX: usize = 64 * 1024;

/// Prints what a recorded log or line says, one event a line, as JSON. What was not understood is counted on standard
/// error.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  slipwatch-agent decode --list
  slipwatch-agent decode --dialect zvt support-case.rec
  slipwatch-agent decode --dialect escpos --form hex dump.txt
  slipwatch-agent decode --dialect cn-terminal --terminal 00000001 pos.log
  slipwatch-agent decode --dialect ./shop.toml - < till.log
  slipwatch-agent decode till.log | slipwatch-collector replay -
  slipwatch-agent decode --dialect cn-terminal --time-zone Asia/Shanghai pos.log

A device writes local time. --time-zone says where it stands; without it, it stands where this machine does. A year that \
the log does not print is the latest that is not behind the file's last change.

A log does not say whose it is. To judge it under a shop's settings, name the shop as they do, and the terminal where \
the log's lines name none:
  slipwatch-agent decode --store shop-1 --agent till-1 --terminal 10000001 pos.log |
    slipwatch-collector replay --settings collector.toml -

Exit status: 0 something was understood, or the file is empty; 1 it cannot be read; 65 nothing of it was understood; \
78 the dialect cannot be used")]
pub struct DecodeArgs {
    /// What the device speaks: a profile that is part of the program (--list names them), or the path of one of your
    /// own.
    #[arg(long, value_name = "NAME", default_value = "kv-en")]
    pub dialect: String,
    /// The terminal that the log belongs to, where its lines name none.
    #[arg(long, value_name = "NUMBER")]
    pub terminal: Option<TerminalId>,
    /// The shop that the log belongs to, as the collector's settings name it.
    #[arg(long, value_name = "NAME", default_value = UNNAMED)]
    pub store: StoreId,
    /// The agent that would have heard it; logs that are replayed together need one each.
    #[arg(long, value_name = "NAME", default_value = UNNAMED)]
    pub agent: AgentId,
    /// The zone of the log's times, by its IANA name such as Asia/Shanghai; without it, this machine's. A recording has
    /// times of its own.
    #[arg(long, value_name = "ZONE", value_parser = zone_named)]
    pub time_zone: Option<TimeZone>,
    /// How the file is written; a recording tells ways and times.
    #[arg(long, value_enum, default_value_t)]
    pub form: Form,
    /// List the profiles and what they are for.
    #[arg(long)]
    pub list: bool,
    /// With --list: as JSON.
    #[arg(long, requires = "list")]
    pub json: bool,
    /// The recorded log, bytes or recording; `-` for standard input.
    #[arg(value_name = "FILE", required_unless_present = "list")]
    pub file: Option<PathBuf>,
}

fn zone_named(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| "expected an IANA name such as Asia/Shanghai".to_owned())
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

impl From<io::Error> for DecodeError {
    /// Of the file that is read; which one, the caller says.
    fn from(source: io::Error) -> DecodeError {
        DecodeError::Read { path: String::new(), source }
    }
}

impl DecodeError {
    /// Whether the profile is what must be mended.
    pub fn is_dialect(&self) -> bool {
        matches!(self, DecodeError::Dialect(_))
    }
}

/// Runs the subcommand on standard output and standard error; gives the exit status.
pub fn run(args: &DecodeArgs) -> Result<u8, DecodeError> {
    let mut out = BufWriter::new(io::stdout().lock());
    let done = match (&args.file, args.list) {
        (Some(file), false) => decode(args, file, &mut out),
        _ => list(args.json, &mut out).map(|()| EXIT_OK),
    };
    match done.and_then(|exit| out.flush().map(|()| exit).map_err(DecodeError::Write)) {
        // Who reads the lines has seen enough.
        Err(DecodeError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(EXIT_OK),
        done => done,
    }
}

fn list(json: bool, out: &mut impl Write) -> Result<(), DecodeError> {
    let dialects = || shipped::names().filter_map(shipped::dialect);
    if json {
        let list: Vec<_> = dialects()
            .map(|dialect| {
                serde_json::json!({
                    "name": dialect.name(), "about": dialect.about(),
                    "hears_money": dialect.hears_money(), "hears_slips": dialect.hears_slips(),
                })
            })
            .collect();
        return writeln!(out, "{:#}", serde_json::Value::from(list)).map_err(DecodeError::Write);
    }
    let width = shipped::names().map(str::len).max().unwrap_or_default();
    for dialect in dialects() {
        writeln!(out, "{:<width$}  {}", dialect.name(), TONGUE.say(dialect.about()))
            .map_err(DecodeError::Write)?;
    }
    Ok(())
}

fn decode(args: &DecodeArgs, file: &Path, out: &mut impl Write) -> Result<u8, DecodeError> {
    let path = file.display().to_string();
    let unreadable = |source| DecodeError::Read { path: path.clone(), source };
    let dialect = read_dialect(&args.dialect, Path::new(""))?;
    let (mut input, bytes, ended): (Box<dyn BufRead>, _, _) = match file.as_os_str() == "-" {
        true => (
            Box::new(BufReader::with_capacity(READ_BYTES, io::stdin().lock())),
            None,
            clock::wall(),
        ),
        false => {
            let opened = File::open(file).map_err(unreadable)?;
            let metadata = opened.metadata().map_err(unreadable)?;
            let ended = metadata.modified().map_or_else(|_| clock::wall(), clock::since_1970);
            let input = Box::new(BufReader::with_capacity(READ_BYTES, opened));
            (input, Some(metadata.len()), ended)
        }
    };
    let calendar = Calendar::new(args.time_zone.clone().unwrap_or_else(TimeZone::system), ended);
    let bar = bar(bytes);
    let head = input::look(&mut input, args.form, &dialect).map_err(unreadable)?;
    let names = (args.store.clone(), args.agent.clone());
    let mut writer = Writer::new(dialect.as_ref(), names, args.terminal, head, calendar, out);
    let mut decoder = Decoder::new(dialect, args.terminal);
    let mut sample = Sample::default();
    let mut now = Uptime(0);
    input::read(&mut input, head.form, |item, read| {
        let (Item::Bytes { at, .. } | Item::Lost { at }) = item;
        // What a pause would have let go is let go.
        while let Some(due) = decoder.wake_at().filter(|&due| now < due && due <= at) {
            decoder.settle(due);
            now = due;
        }
        now = now.max(at);
        match item {
            Item::Bytes { direction, bytes, .. } => {
                sample.keep(direction, bytes, now);
                decoder.push(direction, bytes, now);
            }
            Item::Lost { .. } => decoder.finish(now),
        }
        bar.inc(read);
        writer.write_all(&mut decoder)
    })
    .map_err(|error| match error {
        DecodeError::Read { source, .. } => unreadable(source),
        other => other,
    })?;
    if head.form == Form::Recording {
        while let Some(due) = decoder.wake_at().filter(|&due| now < due) {
            decoder.settle(due);
            now = due;
        }
    }
    decoder.finish(now);
    writer.write_all(&mut decoder)?;
    bar.finish_and_clear();
    let counts = decoder.take_counts();
    let understood = writer.said > 0 || counts.lines > counts.unmatched + counts.rejected;
    writer.close(counts)?;
    if understood || counts.bytes == 0 {
        return Ok(EXIT_OK);
    }
    let told =
        format!("{path}: nothing of it was understood as {}; {}", args.dialect, sample.told());
    io::stderr()
        .write_all(format!("{}\n", TONGUE.say(&told)).as_bytes())
        .map_err(DecodeError::Write)?;
    Ok(EXIT_NOT_UNDERSTOOD)
}

/// The beginning of what was read.
#[derive(Default)]
struct Sample {
    pieces: Vec<(Direction, Vec<u8>, Uptime)>,
    bytes: usize,
}

impl Sample {
    fn keep(&mut self, direction: Direction, bytes: &[u8], at: Uptime) {
        let room = SAMPLE_BYTES_MAX - self.bytes;
        let kept = &bytes[..bytes.len().min(room)];
        if !kept.is_empty() {
            self.bytes += kept.len();
            self.pieces.push((direction, kept.to_vec(), at));
        }
    }

    /// Which dialect it looks like.
    fn told(&self) -> String {
        let mut trial = Trial::new(shipped::names().filter_map(shipped::dialect));
        for (direction, bytes, at) in &self.pieces {
            trial.push(*direction, bytes, *at);
        }
        trial.settle(Uptime(u64::from(u32::MAX)));
        let opinions = trial.opinions();
        match opinions.first().filter(|best| best.understood > 0) {
            Some(best) => format!("it reads like `--dialect {}`: {best}", best.dialect),
            None => "`--list` names the dialects, and no shipped one understands it".to_owned(),
        }
    }
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
    /// Whose log it is.
    names: (StoreId, AgentId),
    /// Of the source; the first that the log names where none was given.
    terminal: Option<TerminalId>,
    next: Seq,
    /// Events that the log itself said.
    said: u64,
    calendar: Calendar,
    /// The first and the latest device time, in milliseconds.
    times: Option<(i64, i64)>,
    /// When a recording began, and how far it was played: its times are those of the line.
    played: Option<(EventTime, Uptime)>,
    failed: BTreeMap<String, u64>,
}

impl<'a, W: Write> Writer<'a, W> {
    fn new(
        dialect: &dyn Dialect,
        names: (StoreId, AgentId),
        terminal: Option<TerminalId>,
        head: Head,
        calendar: Calendar,
        out: &'a mut W,
    ) -> Writer<'a, W> {
        let description = SourceDescription {
            name: "decode".into(),
            dialect: dialect.name().into(),
            hears_money: dialect.hears_money(),
            hears_slips: dialect.hears_slips(),
            two_way: head.two_way,
            historical: true,
        };
        let started = head.started.unwrap_or(EventTime(0));
        let played = (head.form == Form::Recording).then_some((started, Uptime(0)));
        let (next, failed) = (Seq(1), BTreeMap::new());
        let (said, times) = (0, None);
        Writer { out, description, names, terminal, next, said, calendar, times, played, failed }
    }

    fn write_all(&mut self, decoder: &mut Decoder) -> Result<(), DecodeError> {
        while let Some(decoded) = decoder.next_decoded() {
            let (Decoded::Said { at, .. } | Decoded::Failed { at, .. }) = decoded;
            if let Some((_, played)) = &mut self.played {
                *played = at.max(*played);
            }
            match decoded {
                Decoded::Said { terminal, device_time, body, evidence, .. } => {
                    self.said += 1;
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
            "{bytes} bytes, {lines} lines or frames: {events} events, {unmatched} not understood, {rejected} damaged"
        );
        let told = format!("{}{reasons}\n", TONGUE.say(&told));
        io::stderr().write_all(told.as_bytes()).map_err(DecodeError::Write)
    }

    /// Moves the clock to what the device shows; never back.
    fn tick(&mut self, device_time: Option<DeviceTime>) {
        let Some(shown) = device_time.and_then(|time| self.calendar.instant(time)) else {
            return;
        };
        let EventTime(shown) = shown;
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
        let (uptime, wall) = match self.played {
            Some((started, played)) => (played, EventTime(started.0 + played.0 as i64)),
            None => (Uptime((latest - first) as u64), EventTime(latest)),
        };
        let observed = Observed { boot: BootId::default(), uptime, wall, synchronised: false };
        let seq = self.next;
        self.next = seq.next();
        let event =
            Event { seq, source: SourceId(1), terminal, observed, device_time, body, evidence };
        let (store, agent) = self.names.clone();
        let line = Line { store, agent, epoch: Epoch(1), event };
        writeln!(self.out, "{}", line.to_json()).map_err(DecodeError::Write)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(log: &str) -> Vec<Line> {
        let dialect = shipped::dialect("kv-en").expect("a shipped profile");
        let mut out = Vec::new();
        let head = Head { form: Form::Raw, two_way: false, started: None };
        let names =
            (UNNAMED.parse().expect("a store's name"), UNNAMED.parse().expect("an agent's name"));
        let calendar = Calendar::new(TimeZone::UTC, EventTime(1_795_600_000_000));
        let mut writer = Writer::new(dialect.as_ref(), names, None, head, calendar, &mut out);
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
