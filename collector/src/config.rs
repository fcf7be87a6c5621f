//! Settings of the collector, each with unit, default and reason; read once, checked whole, told with file and line
//! when wrong. Holds no secret: the settings name files, and [`Config::secret`] reads them when they are needed.

pub mod complaints;
pub mod confirmed;
pub mod error;
mod file;
pub mod settlement;
mod value;

use confirmed::AllConfirmed;
pub use error::ConfigError;

use crate::alert::language::Language;
use crate::alert::policy::{LetterSettings, ShopLetters};
use crate::correlate::policy::{
    AgentName, Deadlines, Policies, TerminalName, TerminalPolicy, Thresholds,
};
use crate::metrics::LinesPer;
use jiff::tz::TimeZone;
use slipwatch_shared::terminal::{AgentId, StoreId, TerminalId};
use slipwatch_shared::wire::topic::Slot;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// All settings, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where they were read; names of other files are relative to it.
    pub path: PathBuf,
    /// The directory of the store.
    pub store: PathBuf,
    /// How long what is stored is kept.
    pub retention: Retention,
    /// The broker that agents reach it by.
    pub broker: BrokerConfig,
    /// Metrics, health and console.
    pub http: HttpConfig,
    /// Letters; absent: none are written.
    pub mail: Option<MailConfig>,
    /// Bounds of queues and turns.
    pub limits: Limits,
    /// After how long something is said.
    pub deadlines: Deadlines,
    /// From when on a terminal's own state is told.
    pub thresholds: Thresholds,
    /// An agent that was not heard this long, on the collector's clock, is offline.
    pub agent_offline_ms: i64,
    /// Settlement files, contracts and agreed deductions.
    pub settlement: settlement::SettlementConfig,
    /// The complaint desk.
    pub complaints: complaints::ComplaintsConfig,
    /// The shops with their agents and terminals.
    pub shops: Vec<Shop>,
}

/// The broker that agents reach the collector by.
#[derive(Clone, Debug, PartialEq)]
pub enum BrokerConfig {
    /// One inside this process: plain TCP, no user names; for one box or a network that is trusted.
    Embedded {
        /// Where it listens.
        listen: SocketAddr,
        /// How many agents it makes room for.
        agents_max: u32,
    },
    /// One that runs elsewhere.
    External(ExternalBroker),
}

/// A broker that runs elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct ExternalBroker {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The collector's client id: two of the same keep throwing each other out.
    pub client_id: String,
    /// TLS; absent: plain.
    pub tls: Option<TlsFiles>,
    /// User name and the name of its password's file.
    pub login: Option<LoginFile>,
    /// Which shares of the fleet; empty: all.
    pub slots: Vec<Slot>,
}

/// Files of a TLS connection, PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The authority that signed the broker's certificate.
    pub ca: PathBuf,
    /// The collector's certificate and key, where the broker asks for one.
    pub client: Option<(PathBuf, PathBuf)>,
}

/// A user name, and the file that holds its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginFile {
    /// The user name.
    pub user: String,
    /// The password's file; see [`Config::secret`].
    pub password_file: PathBuf,
}

/// Metrics, health and console.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// How people reach the console, without a slash at the end: links in letters begin with it.
    pub public_url: Option<String>,
    /// Complaints and settlement files may be sent from the pages.
    pub forms: bool,
    /// Whether line counts are shown an agent or a shop.
    pub lines_per: LinesPer,
}

/// How letters go out.
#[derive(Clone, Debug, PartialEq)]
pub struct MailConfig {
    /// The sender.
    pub from: String,
    /// By which road.
    pub road: MailRoad,
    /// Copies of each letter, beside the shop's own addresses.
    pub operations: Vec<String>,
    /// The language of letters that concern more than one shop.
    pub language: Language,
    /// Most letters of one shop in an hour; the rest waits for the digest.
    pub letters_per_hour_max: u32,
    /// A shop is not told twice of the same cause within this time; what comes meanwhile is told at its end.
    pub cool_down_ms: i64,
    /// Minute of the shop's day at which the digest goes out.
    pub digest_minute: u16,
    /// Most letters that are sent in one minute, all shops together.
    pub burst_per_minute_max: u32,
}

/// By which road letters go.
#[derive(Clone, Debug, PartialEq)]
pub enum MailRoad {
    /// A mail server.
    Smtp(SmtpConfig),
    /// Files `*.eml` in a directory: for a demonstration or a dry run.
    Directory(PathBuf),
}

/// A mail server.
#[derive(Clone, Debug, PartialEq)]
pub struct SmtpConfig {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept secret.
    pub security: SmtpSecurity,
    /// User and password file; absent: no login.
    pub login: Option<LoginFile>,
    /// PEM of an authority of one's own; absent: those of the web.
    pub ca: Option<PathBuf>,
}

/// How a connection to a mail server is kept secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// Plain first, then TLS, or nothing is sent.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// Plain: on the loopback or a network that is trusted.
    None,
}

/// How long what is stored is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Batches as they came, with the lines behind the events.
    pub journal_days: u32,
    /// Payments, findings, letters.
    pub cases_days: u32,
    /// What was put aside.
    pub quarantine_days: u32,
}

/// Bounds of queues and turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most messages that wait for the thread that judges; more make the broker wait.
    pub queue_messages_max: usize,
    /// Most messages that go into one transaction.
    pub turn_messages_max: usize,
}

/// A shop.
#[derive(Clone, Debug, PartialEq)]
pub struct Shop {
    /// Its name in topics.
    pub name: StoreId,
    /// Its name for people.
    pub title: String,
    /// The language of its letters.
    pub language: Language,
    /// Who gets its letters.
    pub mail: Vec<String>,
    /// Its clock.
    pub time_zone: TimeZone,
    /// Its agents.
    pub agents: Vec<AgentId>,
    /// Its terminals, with a name for people where they have one.
    pub terminals: Vec<Terminal>,
}

/// A terminal and what it is judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct Terminal {
    /// Its number (field 41).
    pub number: TerminalId,
    /// Its name for people.
    pub title: Option<String>,
    /// What it is judged by.
    pub policy: TerminalPolicy,
}

impl Config {
    /// Reads and checks a settings file.
    pub fn load(path: &Path) -> Result<Config, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        Config::parse_with(path, &text, &confirmed::load(path)?)
    }

    /// Checks the text of a settings file that stands, or would stand, at `path`; nothing learned is confirmed.
    pub fn parse(path: &Path, text: &str) -> Result<Config, ConfigError> {
        Config::parse_with(path, text, &AllConfirmed::new())
    }

    /// As [`Config::parse`], with what was learned of slips and confirmed.
    pub fn parse_with(
        path: &Path,
        text: &str,
        confirmed: &AllConfirmed,
    ) -> Result<Config, ConfigError> {
        let file: file::File =
            toml::from_str(text).map_err(|wrong| ConfigError::from_toml(path, text, &wrong))?;
        file.check(path, confirmed)
            .map_err(|wrong| ConfigError::at(path, text, Some(wrong.span), wrong.message))
    }

    /// What the core is set to.
    pub fn policies(&self) -> Policies {
        let agents = self.shops.iter().flat_map(|shop| {
            let store = &shop.name;
            shop.agents.iter().map(|agent| AgentName { store: store.clone(), agent: agent.clone() })
        });
        let terminals = self.shops.iter().flat_map(|shop| {
            shop.terminals.iter().map(|terminal| {
                let name = TerminalName { store: shop.name.clone(), terminal: terminal.number };
                (name, terminal.policy.clone())
            })
        });
        Policies {
            agents: agents.collect(),
            terminals: terminals.collect(),
            deadlines: self.deadlines,
            thresholds: self.thresholds,
            agent_offline_ms: self.agent_offline_ms,
            otherwise: None,
        }
    }

    /// What letters are written by; nobody is written to where no mail is set.
    pub fn letters(&self) -> LetterSettings {
        let mut settings = LetterSettings::default();
        let Some(mail) = &self.mail else { return settings };
        settings.public_url = self.http.public_url.clone();
        settings.letters_per_hour_max = mail.letters_per_hour_max;
        settings.cool_down_ms = mail.cool_down_ms;
        settings.digest_minute = mail.digest_minute;
        settings.domain = mail.from.rsplit_once('@').map_or_else(
            || "slipwatch.invalid".to_owned(),
            |(_, domain)| domain.trim_end_matches('>').to_owned(),
        );
        settings.shops =
            self.shops.iter().map(|shop| (shop.name.clone(), shop.letters(mail))).collect();
        settings.fleet = Some(ShopLetters {
            title: mail.language.say("全部门店", "all shops").to_owned(),
            language: mail.language,
            recipients: mail.operations.clone(),
            time_zone: self.shops.first().map_or(TimeZone::UTC, |shop| shop.time_zone.clone()),
            terminals: BTreeMap::new(),
        });
        settings
    }

    /// The text of a secret's file: under `$CREDENTIALS_DIRECTORY` where systemd gave one, else beside the settings.
    pub fn secret(&self, name: &Path) -> Result<String, ConfigError> {
        let looked = self.secret_places(name);
        for place in &looked {
            match std::fs::read_to_string(place) {
                Ok(text) => return Ok(text.trim_end_matches(['\r', '\n']).to_owned()),
                Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => {
                    return Err(ConfigError::Unreadable { path: place.clone(), source });
                }
            }
        }
        Err(ConfigError::NoSecret { name: name.to_owned(), looked })
    }

    /// A file that the settings name, relative to the settings' own directory.
    pub fn beside(&self, name: &Path) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(name)
    }

    fn secret_places(&self, name: &Path) -> Vec<PathBuf> {
        if name.is_absolute() {
            return vec![name.to_owned()];
        }
        let mut places = Vec::new();
        if let Some(directory) = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from) {
            // `LoadCredential=secrets:<directory>` makes one credential a file, `secrets_<file>`.
            places.push(directory.join(format!("secrets_{}", name.display())));
            places.push(directory.join(name));
        }
        places.push(self.beside(name));
        places
    }

    /// What cannot change while the collector runs: differences from `new`, by their keys.
    pub fn fixed_differences(&self, new: &Config) -> Vec<&'static str> {
        let mut keys = Vec::new();
        let mut differs = |key, equal: bool| {
            if !equal {
                keys.push(key)
            }
        };
        differs("store", self.store == new.store);
        differs("retention", self.retention == new.retention);
        differs("broker", self.broker == new.broker);
        differs("http", self.http == new.http);
        differs("limits", self.limits == new.limits);
        differs("mail", self.mail.is_some() == new.mail.is_some());
        if let (Some(old), Some(new)) = (&self.mail, &new.mail) {
            differs("mail.from", old.from == new.from);
            differs("mail.smtp or mail.directory", old.road == new.road);
        }
        keys
    }
}

impl Shop {
    fn letters(&self, mail: &MailConfig) -> ShopLetters {
        let mut recipients = self.mail.clone();
        recipients
            .extend(mail.operations.iter().filter(|address| !self.mail.contains(address)).cloned());
        ShopLetters {
            title: self.title.clone(),
            language: self.language,
            recipients,
            time_zone: self.time_zone.clone(),
            terminals: self.terminal_titles(),
        }
    }

    /// Names of its terminals for people, where they have one.
    pub fn terminal_titles(&self) -> BTreeMap<TerminalId, String> {
        let titled = |terminal: &Terminal| Some((terminal.number, terminal.title.clone()?));
        self.terminals.iter().filter_map(titled).collect()
    }
}

/// Where a client of this machine finds a listener of this address.
pub fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

/// Whether a directory can be written, or made; leaves nothing behind.
pub fn probe_directory(path: &Path) -> Result<(), String> {
    let probe = path.join(".slipwatch-check");
    let existed = path.exists();
    let written = std::fs::create_dir_all(path)
        .and_then(|()| std::fs::write(&probe, b""))
        .and_then(|()| std::fs::remove_file(&probe));
    if !existed {
        // Only an empty directory goes.
        let _ = std::fs::remove_dir(path);
    }
    written.map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
