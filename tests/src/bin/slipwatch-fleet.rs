//! The fleet generator: events, device bytes and truth of whole fleets, from a seed; or a fleet played to agents that run.

// Its product is its output.
#![allow(clippy::print_stderr)]

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use slipwatch_tests::fleet::FleetSettings;
use slipwatch_tests::fleet::form;
use slipwatch_tests::fleet::live::{Live, LiveSettings};
use slipwatch_tests::fleet::shop::Told;
use slipwatch_tests::fleet::stream::Fleet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Writes a day of a fleet from a seed: what its agents hear, what is true of it, and what its acquirer's files hold.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Examples:\n  slipwatch-fleet --terminals 1000 --events fleet.jsonl --truth truth.jsonl --settings fleet.toml\n  \
                  slipwatch-collector replay --settings fleet.toml fleet.jsonl\n  \
                  slipwatch-fleet --terminals 100000 --count 10000000 --events - | slipwatch-collector replay -\n  \
                  slipwatch-fleet --terminals 50 --device-bytes lines/ --truth truth.jsonl\n  \
                  slipwatch-fleet --terminals 6 --trouble 300 --live fleet/ --speed 30 --minutes 60 --truth truth.jsonl"
)]
struct Arguments {
    /// The same seed gives the same fleet for ever
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many terminals
    #[arg(long, default_value_t = 1_000)]
    terminals: usize,
    /// How many days
    #[arg(long, default_value_t = 1)]
    days: u32,
    /// Sales of a terminal in a day, about
    #[arg(long, default_value_t = 14)]
    sales: u32,
    /// Nobody comes any more so many minutes behind each opening; what has begun goes on to its end
    #[arg(long)]
    minutes: Option<u32>,
    /// Seconds between two pulses of an open line
    #[arg(long, default_value_t = 1_800)]
    pulse_s: u32,
    /// Payments of a thousand that are no plain sale: a fault, or a trap that looks like one
    #[arg(long, default_value_t = 40)]
    trouble: u64,
    /// Lines are pulled out, agents die, numbers are lost: some payments cannot be judged
    #[arg(long)]
    mishaps: bool,
    /// For a quarter of an hour of the first day nobody's host answers
    #[arg(long)]
    outage: bool,
    /// At most so many events
    #[arg(long)]
    count: Option<u64>,
    /// Events as JSON lines, all agents by time, as `slipwatch-collector replay` reads them; `-` for standard output
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// What each payment is and what is to be said of it, and of terminals beside their payments, one a line
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// Rows of the acquirer's files that no payment stands behind, one a line; the others are in the truth
    #[arg(long, value_name = "FILE")]
    rows: Option<PathBuf>,
    /// Settings of a collector that judges the fleet
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// What the devices write, one file a terminal's line, in their own encodings; only payments that they have words for
    #[arg(long, value_name = "DIRECTORY")]
    device_bytes: Option<PathBuf>,
    /// Play it to agents that run: each terminal's line is a pseudo-terminal in this directory, beside the settings of
    /// the agents that read it and of the collector that judges them; starts when all lines are open
    #[arg(long, value_name = "DIRECTORY", conflicts_with_all = ["events", "settings", "device_bytes", "rows", "mishaps", "outage"])]
    live: Option<PathBuf>,
    /// So many times as fast as a shop; the collector's deadlines are as much shorter
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=60), requires = "live")]
    speed: u32,
    /// Lines are files that agents follow; starts when Enter is pressed
    #[arg(long, requires = "live")]
    files: bool,
    /// The broker between agents and collector, as both find it
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:1883", requires = "live")]
    broker: String,
    /// Where the collector's pages are, on the loopback
    #[arg(long, value_name = "PORT", default_value_t = 8080, requires = "live")]
    http: u16,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.live {
        Some(directory) => play(&arguments, directory),
        None => write(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("slipwatch-fleet: {error}");
            ExitCode::FAILURE
        }
    }
}

type Out = Option<BufWriter<Box<dyn Write>>>;

/// An error that says which file it is about.
fn named(path: &Path) -> impl Fn(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn open(path: Option<&Path>) -> io::Result<Out> {
    let Some(path) = path else { return Ok(None) };
    let out: Box<dyn Write> = match path.as_os_str() == "-" {
        true => Box::new(io::stdout().lock()),
        false => Box::new(File::create(path).map_err(named(path))?),
    };
    Ok(Some(BufWriter::with_capacity(1 << 20, out)))
}

fn settings(arguments: &Arguments) -> FleetSettings {
    FleetSettings {
        seed: arguments.seed,
        terminals: arguments.terminals,
        sales_a_day: arguments.sales,
        days: arguments.days,
        comes_for_minutes: arguments.minutes,
        pulse_ms: i64::from(arguments.pulse_s.max(1)) * 1000,
        trouble_per_mille: arguments.trouble,
        mishaps: arguments.mishaps,
        hours: arguments.pulse_s <= 300,
        nights: arguments.days > 1 || arguments.outage,
        outage: arguments.outage,
        spoken_only: arguments.device_bytes.is_some() || arguments.live.is_some(),
    }
}

/// Plays to agents that run, and writes down what is true of what was played.
fn play(arguments: &Arguments, directory: &Path) -> io::Result<()> {
    let unsound = || io::Error::other("--broker: expected HOST:PORT");
    let (host, port) = arguments.broker.rsplit_once(':').ok_or_else(unsound)?;
    let broker = (host.to_owned(), port.parse().map_err(|_| unsound())?);
    let live = LiveSettings {
        directory: std::path::absolute(directory)?,
        speed: arguments.speed,
        serial: !arguments.files,
        broker,
        http_port: arguments.http,
    };
    // A silent terminal is told by the hours of the real day, which is not the fleet's.
    let fleet = FleetSettings { hours: false, pulse_ms: 60_000, ..settings(arguments) };
    let live = Live::new(Fleet::new(fleet), live);
    let laid = live.lay_out()?;
    if let Some(mut truth) = open(arguments.truth.as_deref())? {
        for told in &live.truths {
            writeln!(truth, "{}", told.to_json())?;
        }
        for told in &live.incidents {
            writeln!(truth, "{}", told.to_json())?;
        }
        truth.into_inner().map_err(|error| error.into_error())?.flush()?;
    }
    eprintln!(
        "{} words of {} payments; start these, and it begins:",
        live.words(),
        live.truths.len()
    );
    for (at, path) in laid.iter().enumerate() {
        let program = if at == 0 { "collector" } else { "agent" };
        eprintln!("  slipwatch-{program} run --config {}", path.display());
    }
    if arguments.files {
        eprintln!("and press Enter when all of them run");
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} words, {msg}");
    let bar = ProgressBar::new(live.words() as u64).with_style(style.map_err(io::Error::other)?);
    let go = |open: usize, lines: usize| {
        bar.set_message(format!("{open} of {lines} lines are open"));
        match arguments.files {
            true => io::stdin().read_line(&mut String::new()).map(|_| true),
            false => Ok(open == lines),
        }
    };
    let tell = |said: usize, minute: i64| {
        bar.set_position(said as u64);
        bar.set_message(format!("{:02}:{:02} since the opening", minute / 60, minute % 60));
    };
    live.play(go, tell)?;
    bar.finish();
    Ok(())
}

fn write(arguments: &Arguments) -> io::Result<()> {
    let mut fleet = Fleet::new(settings(arguments));
    if let Some(path) = &arguments.settings {
        std::fs::write(path, fleet.settings_toml()).map_err(named(path))?;
    }
    if let Some(directory) = &arguments.device_bytes {
        std::fs::create_dir_all(directory).map_err(named(directory))?;
    }
    let mut events = open(arguments.events.as_deref())?;
    let mut truth = open(arguments.truth.as_deref())?;
    let mut rows = open(arguments.rows.as_deref())?;
    let limit = arguments.count.unwrap_or(u64::MAX);
    let (mut written, mut payments) = (0_u64, 0_u64);
    let mut line = Vec::new();
    while let Some((shop, told)) = fleet.next() {
        match told {
            Told::Event(event, word) => {
                if written == limit {
                    break;
                }
                written += 1;
                if let (Some(directory), Some((word, numbers))) = (&arguments.device_bytes, &word) {
                    let shop = &fleet.shops[shop];
                    if let Some(bytes) = form::device_bytes(shop, &event, *word, numbers) {
                        let terminal = event.terminal.map(|terminal| terminal.to_string());
                        let name =
                            format!("{}.{}.log", terminal.unwrap_or_default(), event.source.0);
                        let path = directory.join(name);
                        OpenOptions::new()
                            .append(true)
                            .create(true)
                            .open(path)?
                            .write_all(&bytes)?;
                    }
                }
                if let Some(events) = &mut events {
                    line.clear();
                    form::event_line(&fleet.shops[shop], event, &mut line);
                    events.write_all(&line)?;
                }
            }
            Told::Truth(told) => {
                payments += 1;
                if let Some(truth) = &mut truth {
                    writeln!(truth, "{}", told.to_json())?;
                }
            }
            Told::Incident(told) => {
                if let Some(truth) = &mut truth {
                    writeln!(truth, "{}", told.to_json())?;
                }
            }
            Told::Row(row) => {
                if let Some(rows) = &mut rows {
                    writeln!(rows, "{}", serde_json::to_string(&row)?)?;
                }
            }
        }
    }
    for out in [events, truth, rows].into_iter().flatten() {
        out.into_inner().map_err(|error| error.into_error())?.flush()?;
    }
    eprintln!("{written} events, {payments} payments");
    Ok(())
}
