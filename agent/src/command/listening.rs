//! What `tail` and `record` share: the arguments that name a line, and listening to it with the agent's own source until
//! told to stop.

use super::chinese::TONGUE;
use super::ports;
use crate::config::{Config, ConfigError, Parity, Serial};
use crate::decode::dialect::Direction;
use crate::edge::clock::Clock;
use crate::edge::source::serial::{self, PortError};
use crate::edge::source::{self, Outlet, Word, command, file};
use anyhow::Context;
use slipwatch_shared::event::SourceId;
use slipwatch_shared::times::{Observed, Uptime};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// How often the one who listens is called though nothing was said.
const TICK_MS: u64 = 100;
/// How often a source says that it had nothing to say.
const IDLE_MS: u64 = 500;

/// The arguments that name a line.
#[derive(Clone, Debug, clap::Args)]
pub struct LineArgs {
    /// The port, or a log file; `slipwatch-agent ports` lists the ports.
    #[arg(value_name = "PORT|FILE", required_unless_present = "source")]
    pub port: Option<PathBuf>,
    /// A second port that hears what the device answers.
    #[arg(long, value_name = "PORT")]
    pub answers: Option<PathBuf>,
    /// Bits a second; `slipwatch-agent probe` finds it out.
    #[arg(long, value_name = "N", default_value_t = 9_600, value_parser = clap::value_parser!(u32).range(1..))]
    pub baud: u32,
    /// 5 to 8.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u8).range(5..=8))]
    pub data_bits: u8,
    /// The check bit.
    #[arg(long, value_enum, default_value_t)]
    pub parity: Parity,
    /// 1 or 2.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    pub stop_bits: u8,
    /// Take all of it from this source of the settings instead. The agent must not run: a port has one reader.
    #[arg(long, value_name = "NAME", conflicts_with = "port")]
    pub source: Option<String>,
    /// The settings that `--source` is looked for in.
    #[arg(long, value_name = "FILE", default_value = super::CONFIG_PATH)]
    pub config: PathBuf,
    /// Of a log file, all of it; without this only what is added to it from now on. A whole log is read by `decode`.
    #[arg(long, conflicts_with = "source")]
    pub from_start: bool,
    /// End after so many seconds; without it, with Ctrl-C.
    #[arg(long, value_name = "N")]
    pub seconds: Option<u64>,
}

/// What is listened to.
#[derive(Clone, Debug)]
pub struct Line {
    /// The ports, each with its way.
    pub receivers: Vec<(Direction, Serial)>,
    /// A file in place of ports.
    pub file: Option<crate::config::File>,
    /// A program.
    pub command: Option<crate::config::Command>,
    /// What the settings say it speaks, and where their paths begin.
    pub dialect: Option<(String, PathBuf)>,
}

impl LineArgs {
    /// The line that is named.
    pub fn line(&self) -> anyhow::Result<Line> {
        if let Some(name) = &self.source {
            let config = Config::read(&self.config)?;
            let names = config.sources.iter().map(|source| source.name.clone()).collect();
            let source = config.sources.into_iter().find(|source| source.name == *name);
            let unknown = || ConfigError::UnknownSource { name: name.clone(), sources: names };
            let source = source.ok_or_else(unknown)?;
            let base = self.config.parent().map(PathBuf::from).unwrap_or_default();
            return Ok(Line {
                receivers: source.receivers(),
                file: source.file,
                command: source.command,
                dialect: Some((source.dialect, base)),
            });
        }
        let port = self.port.clone().context("a port, or --source")?;
        if port.metadata().is_ok_and(|metadata| metadata.is_file()) {
            let from_start = self.from_start;
            if !from_start {
                let told = format!(
                    "{}: only what is added to it from now on is read; --from-start reads all of it",
                    port.display()
                );
                let told = format!("{}\n", TONGUE.say(&told));
                // Nobody listens to standard error: nothing can be done about it.
                let _ = std::io::stderr().write_all(told.as_bytes());
            }
            let file = crate::config::File { path: port, follow: true, from_start };
            return Ok(Line {
                receivers: Vec::new(),
                file: Some(file),
                command: None,
                dialect: None,
            });
        }
        let of = |port: PathBuf| Serial {
            port,
            baud: self.baud,
            data_bits: self.data_bits,
            parity: self.parity,
            stop_bits: self.stop_bits,
        };
        let receivers = match &self.answers {
            None => vec![(Direction::Either, of(port))],
            Some(answers) => {
                vec![(Direction::ToDevice, of(port)), (Direction::FromDevice, of(answers.clone()))]
            }
        };
        Ok(Line { receivers, file: None, command: None, dialect: None })
    }
}

impl Line {
    /// Listens until told to stop, and calls `hear` with each word, and now and then without one. A line that cannot be
    /// opened at the start is an error; one that goes away later is waited for.
    pub fn listen(
        &self,
        seconds: Option<u64>,
        mut hear: impl FnMut(Observed, Option<Word>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.context("starting the runtime")?.block_on(async {
            for (_, settings) in &self.receivers {
                if let Err(error) = serial::open(settings) {
                    anyhow::bail!("{error}{}", in_the_way(&settings.port, &error));
                }
            }
            let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
            let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
            let clock = Clock::of_machine();
            let end = seconds.map(|seconds| clock.uptime().plus_ms(seconds.saturating_mul(1_000)));
            let (sender, mut words) = mpsc::channel(source::WORDS_MAX);
            let outlet = Outlet::new(SourceId(1), sender);
            let task = match (&self.file, &self.command) {
                (_, Some(settings)) => {
                    let settings = settings.clone();
                    tokio::spawn(command::run(settings, None, IDLE_MS, outlet, clock.clone()))
                }
                (Some(file), None) => tokio::spawn(file::run(file.clone(), None, IDLE_MS, outlet)),
                (None, None) => {
                    let receivers = self.receivers.clone();
                    tokio::spawn(serial::run(receivers, IDLE_MS, outlet, clock.clone()))
                }
            };
            let done = loop {
                let over = end.map_or(TICK_MS, |end| end.ms_since(clock.uptime()).min(TICK_MS));
                let word = tokio::select! {
                    word = words.recv() => match word {
                        Some((_, word)) => Some(word),
                        None => break Ok(()),
                    },
                    _ = terminate.recv() => break Ok(()),
                    _ = interrupt.recv() => break Ok(()),
                    () = tokio::time::sleep(Duration::from_millis(over)) => None,
                };
                let now = clock.read();
                if let Err(error) = hear(now, word) {
                    break Err(error);
                }
                if end.is_some_and(|end| end <= now.uptime) {
                    break Ok(());
                }
            };
            task.abort();
            // What was read already was said.
            while let Ok((_, word)) = words.try_recv() {
                hear(clock.read(), Some(word))?;
            }
            done
        })
    }

    /// How it is listened to, for a person.
    pub fn told(&self) -> Vec<(Direction, String)> {
        let ports = self.receivers.iter().map(|(direction, port)| {
            let Serial { baud, data_bits, stop_bits, .. } = port;
            let parity = match port.parity {
                Parity::None => 'N',
                Parity::Even => 'E',
                Parity::Odd => 'O',
            };
            let told = format!("{} {baud} {data_bits}{parity}{stop_bits}", port.port.display());
            (*direction, told)
        });
        let file =
            self.file.iter().map(|file| (Direction::Either, file.path.display().to_string()));
        ports.chain(file).collect()
    }
}

/// Whoever may not look into other users' processes does not see who holds a port that is locked: most likely the agent.
fn in_the_way(port: &Path, error: &PortError) -> String {
    match ports::in_the_way(port) {
        told if told.is_empty() && error.what.contains("lock") => {
            "; another program reads it, most likely the agent's service: `sudo slipwatch-agent ports` says which, \
             `systemctl stop slipwatch-agent` stops that one meanwhile"
                .to_owned()
        }
        told => told,
    }
}

/// Milliseconds since the first moment, as an uptime of its own.
pub fn since(first: Uptime, now: Uptime) -> Uptime {
    Uptime(now.ms_since(first))
}
