//! The settings: what a key means, its unit, its default and why. Unknown keys stop the start. `agent/config/agent.toml`
//! shows them all; a test holds the two together.

pub mod error;
pub mod secret;

use crate::agent;
use crate::decode::dialect::{Dialect, Direction, shipped};
use crate::spool::plan::SpoolSettings;
use crate::spool::sending::SendSettings;
pub use error::ConfigError;
use serde::{Deserialize, Deserializer};
use slipwatch_shared::event::{SourceDescription, SourceId};
use slipwatch_shared::field::FieldError;
use slipwatch_shared::terminal::{AgentId, StoreId, TerminalId};
use slipwatch_shared::wire::envelope::SOURCES_MAX;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

/// Longest name of a source, in bytes.
pub const SOURCE_NAME_BYTES_MAX: usize = 64;

/// All settings of an agent.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Whose shop. Lower-case letters, digits and dashes; topics and certificates name it.
    #[serde(deserialize_with = "parsed")]
    pub store: StoreId,
    /// Which agent; unique in the fleet. It is the MQTT client id, the user name and the certificate's CN.
    #[serde(deserialize_with = "parsed")]
    pub agent: AgentId,
    /// Each open source says this often, in ms, that it was listened to: a verdict "no slip" waits for it.
    #[serde(default = "defaults::pulse_ms")]
    pub pulse_ms: u64,
    /// Where events go.
    #[serde(default)]
    pub broker: Broker,
    /// Where events are kept until the collector has stored them.
    #[serde(default)]
    pub spool: Spool,
    /// How they are sent.
    #[serde(default)]
    pub send: Delivery,
    /// What is listened to.
    #[serde(default, rename = "source")]
    pub sources: Vec<Source>,
}

/// The MQTT broker.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Broker {
    /// Name or address.
    pub host: String,
    /// 1883 plain, 8883 with TLS by custom.
    pub port: u16,
    /// Seconds without traffic after which the broker is asked whether it is there; a dead link is noticed after one to
    /// two of them.
    pub keep_alive_s: u16,
    /// First wait after a lost connection, in ms; doubled with each failure.
    pub retry_ms_first: u64,
    /// Longest wait between two tries, in ms.
    pub retry_ms_last: u64,
    /// User name; the agent's name when there is a password and no user.
    pub user: Option<String>,
    /// File that holds the password: a name in `$CREDENTIALS_DIRECTORY`, or a path.
    pub password_file: Option<PathBuf>,
    /// Talk TLS, trusting only the authorities in `ca_file`.
    pub ca_file: Option<PathBuf>,
    /// Own certificate (PEM), where the broker asks for one.
    pub certificate_file: Option<PathBuf>,
    /// Its key (PEM).
    pub key_file: Option<PathBuf>,
}

impl Default for Broker {
    fn default() -> Broker {
        Broker {
            host: "127.0.0.1".to_owned(),
            port: 1883,
            keep_alive_s: 30,
            retry_ms_first: 1_000,
            retry_ms_last: 60_000,
            user: None,
            password_file: None,
            ca_file: None,
            certificate_file: None,
            key_file: None,
        }
    }
}

/// The spool.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Spool {
    /// Its directory; one agent at a time.
    pub directory: PathBuf,
    /// An event is on disk this many ms after it was said; while lines come without a pause, five times as many.
    pub commit_ms: u64,
    /// Most MB of events kept; beyond it the oldest go and the stream says so. The disk needs up to 2.6 times as much.
    pub quota_mb: u64,
    /// MB set aside as a file, given back when the disk is full so that what is kept can still be read and sent.
    pub ballast_mb: u64,
    /// MB of the disk that are left alone: below it nothing is added to the spool until there is room again.
    pub reserve_mb: u64,
    /// MB of memory that the store may use as a cache.
    pub cache_mb: u64,
    /// MB beyond which the store's file is made anew once everything in it is delivered: it never shrinks by itself.
    pub rebuild_mb: u64,
    /// How many damaged stores are put aside before the oldest is removed.
    pub quarantine_max: usize,
}

impl Default for Spool {
    fn default() -> Spool {
        Spool {
            directory: PathBuf::from("/var/lib/slipwatch-agent/spool"),
            commit_ms: 100,
            quota_mb: 256,
            ballast_mb: 8,
            reserve_mb: 4,
            cache_mb: 2,
            rebuild_mb: 64,
            quarantine_max: 3,
        }
    }
}

/// How events are sent.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Delivery {
    /// Batches that may wait for the collector's commit at a time.
    pub window: usize,
    /// A batch that is not committed after this many ms is sent again.
    pub resend_ms: u64,
    /// A batch that is sent this many ms after its events were seen says that it is historical: nobody is to be rung
    /// about it as if it were now.
    pub historical_after_ms: u64,
    /// How long the end waits for the collector's commit, in ms; what is not sent by then is sent after the next start.
    pub drain_ms: u64,
}

impl Default for Delivery {
    fn default() -> Delivery {
        Delivery { window: 1, resend_ms: 15_000, historical_after_ms: 600_000, drain_ms: 3_000 }
    }
}

/// One source.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its name, unique in these settings; a file's place is remembered under it.
    pub name: String,
    /// What its device speaks: a shipped profile's name, or the path of a profile file.
    pub dialect: String,
    /// Terminal number (field 41) behind it, where its text shows none.
    #[serde(default, deserialize_with = "parsed_option")]
    pub terminal: Option<TerminalId>,
    /// Whether the printer's answers are heard too, not only what is sent to it; with `answers` they are.
    #[serde(default)]
    pub two_way: bool,
    /// Whether debits are heard; by default as the dialect can.
    pub hears_money: Option<bool>,
    /// Whether slips are heard; by default as the dialect can.
    pub hears_slips: Option<bool>,
    /// A serial port; or `file`. With `answers` it hears what is sent to the device, and nothing else.
    pub serial: Option<Serial>,
    /// A second port that hears what the device answers: a line that is tapped with a receiver for each way.
    pub answers: Option<Serial>,
    /// A file; or `serial`.
    pub file: Option<File>,
    /// A program whose output is read; or `serial`, or `file`.
    pub command: Option<Command>,
}

/// A serial port.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serial {
    /// Its path; `/dev/serial/by-id/…` or `by-path/…` stay the same when cables move.
    pub port: PathBuf,
    /// Bits a second.
    #[serde(default = "defaults::baud")]
    pub baud: u32,
    /// 5 to 8.
    #[serde(default = "defaults::data_bits")]
    pub data_bits: u8,
    /// none, even or odd.
    #[serde(default)]
    pub parity: Parity,
    /// 1 or 2.
    #[serde(default = "defaults::stop_bits")]
    pub stop_bits: u8,
}

impl Serial {
    fn check(&self) -> Result<(), (String, String)> {
        let wrong = |key: &str, problem: &str| Err((key.to_owned(), problem.to_owned()));
        if !(5..=8).contains(&self.data_bits) {
            return wrong("data_bits", "5, 6, 7 or 8");
        }
        if !(1..=2).contains(&self.stop_bits) {
            return wrong("stop_bits", "1 or 2");
        }
        if self.baud == 0 {
            return wrong("baud", "more than 0");
        }
        Ok(())
    }
}

/// The check bit of a serial line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Parity {
    #[default]
    None,
    Even,
    Odd,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its path.
    pub path: PathBuf,
    /// Go on reading as it grows, also over rotation; otherwise it is read once, as history.
    #[serde(default)]
    pub follow: bool,
    /// What a followed file already holds at the very first start: read it, or begin at its end.
    #[serde(default)]
    pub from_start: bool,
}

/// A program whose output is read.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// Its path, or its name in the search path. No shell is asked.
    pub program: PathBuf,
    /// Its arguments, each as it is.
    #[serde(default)]
    pub args: Vec<String>,
    /// What it tells of its past at the very first start: say it, or begin with what comes then.
    #[serde(default)]
    pub from_start: bool,
}

/// Most arguments of a program.
pub const ARGUMENTS_MAX: usize = 64;

mod defaults {
    pub fn pulse_ms() -> u64 {
        10_000
    }

    pub fn baud() -> u32 {
        9_600
    }

    pub fn data_bits() -> u8 {
        8
    }

    pub fn stop_bits() -> u8 {
        1
    }
}

fn parsed<'de, T, D>(from: D) -> Result<T, D::Error>
where
    T: FromStr<Err = FieldError>,
    D: Deserializer<'de>,
{
    String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
}

fn parsed_option<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
where
    T: FromStr<Err = FieldError>,
    D: Deserializer<'de>,
{
    let text = Option::<String>::deserialize(from)?;
    text.map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
}

impl Config {
    /// Settings with every default, for a shop and an agent; no source yet.
    pub fn new(store: StoreId, agent: AgentId) -> Config {
        Config {
            store,
            agent,
            pulse_ms: defaults::pulse_ms(),
            broker: Broker::default(),
            spool: Spool::default(),
            send: Delivery::default(),
            sources: Vec::new(),
        }
    }

    /// Reads and checks the settings of a file.
    pub fn read(path: &Path) -> Result<Config, ConfigError> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { file: file.clone(), source })?;
        Config::parse(&file, &text)
    }

    /// Reads and checks settings; `file` is named in errors.
    pub fn parse(file: &str, text: &str) -> Result<Config, ConfigError> {
        let config: Config =
            toml::from_str(text).map_err(|error| error::from_toml(file, text, &error))?;
        config.check().map_err(|(key, problem)| error::of_value(file, text, &key, problem))?;
        Ok(config)
    }

    /// What no single key can say; the key at fault and what is wrong.
    fn check(&self) -> Result<(), (String, String)> {
        let wrong = |key: &str, problem: &str| Err((key.to_owned(), problem.to_owned()));
        if self.sources.len() > SOURCES_MAX - 1 {
            return wrong("source", &format!("at most {} sources", SOURCES_MAX - 1));
        }
        for (at, source) in self.sources.iter().enumerate() {
            source.check().map_err(|(key, problem)| (format!("source[{at}].{key}"), problem))?;
            if self.sources[..at].iter().any(|other| other.name == source.name) {
                return wrong(&format!("source[{at}].name"), "a name that no other source has");
            }
        }
        let bounds = [
            ("pulse_ms", self.pulse_ms, 100, 600_000),
            ("spool.commit_ms", self.spool.commit_ms, 1, 60_000),
            ("spool.quota_mb", self.spool.quota_mb, 1, 1 << 20),
            ("spool.ballast_mb", self.spool.ballast_mb, 0, 1 << 10),
            ("spool.reserve_mb", self.spool.reserve_mb, 1, 1 << 20),
            ("spool.cache_mb", self.spool.cache_mb, 1, 1 << 10),
            ("spool.rebuild_mb", self.spool.rebuild_mb, 1, 1 << 20),
            ("send.window", self.send.window as u64, 1, 64),
            ("send.resend_ms", self.send.resend_ms, 100, 3_600_000),
            ("send.drain_ms", self.send.drain_ms, 0, 600_000),
            ("broker.keep_alive_s", self.broker.keep_alive_s.into(), 1, 3_600),
            ("broker.retry_ms_first", self.broker.retry_ms_first, 10, 3_600_000),
            ("broker.retry_ms_last", self.broker.retry_ms_last, 10, 3_600_000),
        ];
        for (key, value, least, most) in bounds {
            if !(least..=most).contains(&value) {
                return wrong(key, &format!("a number from {least} to {most}, found {value}"));
            }
        }
        if self.broker.retry_ms_last < self.broker.retry_ms_first {
            return wrong("broker.retry_ms_last", "no less than retry_ms_first");
        }
        if self.broker.certificate_file.is_some() != self.broker.key_file.is_some() {
            return wrong("broker.certificate_file", "certificate_file and key_file together");
        }
        if self.broker.certificate_file.is_some() && self.broker.ca_file.is_none() {
            return wrong("broker.certificate_file", "a ca_file beside it");
        }
        Ok(())
    }

    /// What the core needs: every profile is read here. `base` is where relative paths begin.
    pub fn settings(&self, base: &Path) -> Result<agent::Settings, ConfigError> {
        let sources = self.sources.iter().enumerate();
        let sources = sources.map(|(at, source)| source.settings(at, base));
        Ok(agent::Settings {
            spool: SpoolSettings {
                send: SendSettings {
                    store: self.store.clone(),
                    agent: self.agent.clone(),
                    window: self.send.window,
                    resend_ms: self.send.resend_ms,
                    historical_after_ms: self.send.historical_after_ms,
                },
                commit_ms: self.spool.commit_ms,
                quota_bytes: self.spool.quota_mb << 20,
                sealer: None,
            },
            pulse_ms: self.pulse_ms,
            sources: sources.collect::<Result<Vec<_>, ConfigError>>()?,
        })
    }
}

impl Source {
    fn check(&self) -> Result<(), (String, String)> {
        let wrong = |key: &str, problem: &str| Err((key.to_owned(), problem.to_owned()));
        if self.name.is_empty() || self.name.len() > SOURCE_NAME_BYTES_MAX {
            return wrong("name", "1 to 64 bytes");
        }
        let ways = [self.serial.is_some(), self.file.is_some(), self.command.is_some()].into_iter();
        if ways.filter(|is_there| *is_there).count() != 1 {
            return wrong("name", "either serial or file or command");
        }
        if let Some(command) = &self.command {
            if command.program.as_os_str().is_empty() {
                return wrong("command.program", "a program");
            }
            if command.args.len() > ARGUMENTS_MAX {
                return wrong("command.args", &format!("at most {ARGUMENTS_MAX} arguments"));
            }
        }
        for (key, serial) in [("serial", &self.serial), ("answers", &self.answers)] {
            let Some(serial) = serial else { continue };
            serial.check().map_err(|(of, problem)| (format!("{key}.{of}"), problem))?;
        }
        if let Some(answers) = &self.answers {
            let Some(serial) = &self.serial else {
                return wrong("answers", "a serial beside it, for what is sent to the device");
            };
            if serial.port == answers.port {
                return wrong(
                    "answers.port",
                    "another port than serial: one receiver for each way",
                );
            }
        }
        Ok(())
    }

    /// The ports that it is heard on, each with the way it hears; none where it is no line.
    pub fn receivers(&self) -> Vec<(Direction, Serial)> {
        let first = match self.answers {
            Some(_) => Direction::ToDevice,
            None => Direction::Either,
        };
        let serial = self.serial.iter().map(|serial| (first, serial.clone()));
        let answers = self.answers.iter().map(|serial| (Direction::FromDevice, serial.clone()));
        serial.chain(answers).collect()
    }

    /// Whether it is read once, as history.
    pub fn is_historical(&self) -> bool {
        self.file.as_ref().is_some_and(|file| !file.follow)
    }

    fn settings(&self, at: usize, base: &Path) -> Result<agent::SourceSettings, ConfigError> {
        let dialect = read_dialect(&self.dialect, base)?;
        let name: String = self.dialect.chars().take(SOURCE_NAME_BYTES_MAX).collect();
        Ok(agent::SourceSettings {
            id: SourceId(u16::try_from(at + 1).expect("the number of sources is bounded")),
            description: SourceDescription {
                name: self.name.as_str().into(),
                dialect: name.into(),
                hears_money: self.hears_money.unwrap_or(dialect.hears_money()),
                hears_slips: self.hears_slips.unwrap_or(dialect.hears_slips()),
                two_way: self.two_way || self.answers.is_some(),
                historical: self.is_historical(),
            },
            terminal: self.terminal,
            dialect,
        })
    }
}

/// A shipped profile by its name, or one from a file.
pub fn read_dialect(name: &str, base: &Path) -> Result<Arc<dyn Dialect>, ConfigError> {
    if let Some(dialect) = shipped::dialect(name) {
        return Ok(dialect);
    }
    if !name.contains(['/', '.']) {
        let shipped = shipped::names().map(str::to_owned).collect();
        return Err(ConfigError::UnknownDialect { name: name.to_owned(), shipped });
    }
    let path = base.join(name);
    let file = path.display().to_string();
    let text = std::fs::read_to_string(&path)
        .map_err(|source| ConfigError::Unreadable { file: file.clone(), source })?;
    Ok(shipped::parse(&file, &text)?)
}

#[cfg(test)]
mod tests;
