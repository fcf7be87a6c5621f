//! The load generator: realistic lines at a rate or as fast as they can be written, from a seed.

// Its product is its output; it runs in real time.
#![allow(clippy::print_stderr, clippy::disallowed_methods)]

use clap::{Parser, Subcommand};
use slipwatch_tests::load::{BusyTerminal, Fleet};
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Writes realistic terminal logs, or the events of a fleet, from a seed.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Examples:\n  slipwatch-load lines --count 5000000 --out /tmp/till.log\n  \
                  slipwatch-load lines --rate 75 --count 4500 --out /dev/pts/7\n  \
                  slipwatch-load fleet --shops 10000 --count 1000000 --out fleet.jsonl"
)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Lines of one terminal's log, about 150 bytes each, as profile kv-en reads them.
    Lines(Output),
    /// Events of many shops as JSON lines, as `slipwatch-collector replay` reads them.
    Fleet {
        /// How many shops, with one terminal each.
        #[arg(long, default_value_t = 1_000)]
        shops: usize,
        #[command(flatten)]
        output: Output,
    },
}

#[derive(Debug, clap::Args)]
struct Output {
    /// How many lines.
    #[arg(long, default_value_t = 1_000_000)]
    count: u64,
    /// Lines a second; as fast as they can be written when left out.
    #[arg(long)]
    rate: Option<u32>,
    /// The same seed gives the same lines.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A file or a terminal's device; standard output when left out.
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
}

fn main() -> ExitCode {
    let written = match Arguments::parse().what {
        What::Lines(output) => write(&output, BusyTerminal::new("10000001", output.seed)),
        What::Fleet { shops, output } => {
            let lines = Fleet::new(shops, output.seed).map(|line| line + "\n");
            write(&output, lines)
        }
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("slipwatch-load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(output: &Output, lines: impl Iterator<Item = String>) -> io::Result<()> {
    let target: Box<dyn Write> = match &output.out {
        Some(path) => Box::new(OpenOptions::new().append(true).create(true).open(path)?),
        None => Box::new(io::stdout().lock()),
    };
    let mut target = BufWriter::with_capacity(1 << 16, target);
    let begun = Instant::now();
    let (mut count, mut bytes) = (0u64, 0u64);
    for line in lines.take(usize::try_from(output.count).unwrap_or(usize::MAX)) {
        if let Some(rate) = output.rate {
            let due = begun + Duration::from_secs_f64(count as f64 / f64::from(rate.max(1)));
            if due > Instant::now() {
                target.flush()?;
                std::thread::sleep(due - Instant::now());
            }
        }
        target.write_all(line.as_bytes())?;
        count += 1;
        bytes += line.len() as u64;
    }
    target.flush()?;
    let seconds = begun.elapsed().as_secs_f64();
    let rate = count as f64 / seconds.max(1e-9);
    eprintln!("{count} lines, {} bytes a line, {rate:.0} lines/s", bytes / count.max(1));
    Ok(())
}
