//! `check`: whether the settings are sound and everything they name is there. Changes nothing.

use super::chinese::TONGUE;
use super::{ConfigArgs, EXIT_CONFIG, EXIT_OK, EXIT_STATE, EXIT_UNAVAILABLE, ports, print};
use crate::config::{Config, secret::Places};
use crate::edge::source::{command, serial};
use crate::edge::spool::disk::{LockError, lock};
use crate::edge::uplink::connection::Connection;
use crate::edge::uplink::{Numbers, UplinkSettings, tls};
use anyhow::Context;
use serde::Serialize;
use slipwatch_shared::wire::envelope::AgentStatus;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

/// How long the broker may take.
const BROKER_S_MAX: u64 = 10;

/// Arguments of `check`.
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_help = "Example:\n  slipwatch-agent check --config /etc/slipwatch/agent.toml --json"
)]
pub struct CheckArgs {
    /// The settings.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Leaves the broker and the ports alone: only the settings, the profiles, the secrets and the state directory.
    #[arg(long)]
    pub offline: bool,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub subject: String,
    /// Whether it is as it should be.
    pub sound: bool,
    /// What was seen.
    pub detail: String,
    #[serde(skip)]
    exit: u8,
}

/// Looks at everything; the exit status is that of the first thing that is wrong.
pub fn run(arguments: &CheckArgs) -> anyhow::Result<u8> {
    let mut findings = Findings::default();
    look(arguments, &mut findings)?;
    let Findings(findings) = findings;
    let text = match arguments.json {
        true => format!("{}\n", serde_json::to_string_pretty(&findings)?),
        false => table(&findings),
    };
    print(&text)?;
    Ok(findings.iter().find(|finding| !finding.sound).map_or(EXIT_OK, |finding| finding.exit))
}

fn table(findings: &[Finding]) -> String {
    let mut text = String::new();
    for Finding { subject, sound, detail, .. } in findings {
        let mark = TONGUE.say(if *sound { "ok" } else { "WRONG" });
        let (subject, detail) = (TONGUE.say(subject), TONGUE.say(detail));
        let width = TONGUE.language().say(0, "WRONG".len());
        let colon = TONGUE.language().say("：", ": ");
        let _ = writeln!(text, "{mark:<width$} {subject}{colon}{detail}");
    }
    text
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn note(&mut self, subject: &str, exit: u8, seen: Result<String, String>) {
        let sound = seen.is_ok();
        let (Ok(detail) | Err(detail)) = seen;
        self.0.push(Finding { subject: subject.to_owned(), sound, detail, exit });
    }
}

fn look(arguments: &CheckArgs, findings: &mut Findings) -> anyhow::Result<()> {
    let file = arguments.config.config.display().to_string();
    let config = match arguments.config.read() {
        Ok(config) => config,
        Err(error) => {
            let words = format!("{:#}", anyhow::Error::new(error));
            findings.note("settings", EXIT_CONFIG, Err(words));
            return Ok(());
        }
    };
    let sources = config.sources.len();
    findings.note("settings", EXIT_CONFIG, Ok(format!("{file}, {sources} sources")));
    let base = arguments.config.base();
    let profiles = config.settings(base).map(|_| "all profiles can be read".to_owned());
    findings.note("profiles", EXIT_CONFIG, profiles.map_err(|error| words_of(&error)));
    let settings = UplinkSettings {
        broker: config.broker.clone(),
        store: config.store.clone(),
        agent: config.agent.clone(),
        places: Places::of_process(base),
        session_file: config.spool.directory.join("session"),
    };
    let secrets =
        settings.login().and_then(|_| tls::client_config(&config.broker, &settings.places));
    let secrets_sound = secrets.is_ok();
    let secrets = secrets.map(|_| "all can be read".to_owned());
    findings.note("secrets", EXIT_CONFIG, secrets.map_err(|error| words_of(&error)));
    let (state, running) = state_directory(&config);
    findings.note("state directory", EXIT_STATE, state);
    if arguments.offline {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("starting the runtime")?;
    // A port is registered with the runtime when it is opened.
    runtime.block_on(async { open_sources(&config, running.as_deref(), findings) });
    if secrets_sound {
        findings.note("broker", EXIT_UNAVAILABLE, runtime.block_on(broker(&settings)));
        if let Some(name) = tls::certificate_name(&config.broker, &settings.places) {
            findings.note("certificate", EXIT_CONFIG, certificate(&name, &config));
        }
    }
    Ok(())
}

fn words_of(error: &dyn std::error::Error) -> String {
    let cause = error.source().map_or(String::new(), |cause| format!(": {cause}"));
    format!("{error}{cause}")
}

/// Whether it can be used, and the process of the agent that runs on it.
fn state_directory(config: &Config) -> (Result<String, String>, Option<String>) {
    let directory = &config.spool.directory;
    match lock(directory) {
        Ok(_) => (Ok(format!("{} can be written", directory.display())), None),
        Err(LockError::Held { pid }) => {
            let told =
                format!("{} is in use by a running agent (process {pid})", directory.display());
            (Ok(told), Some(pid))
        }
        Err(LockError::Io(error)) => {
            (Err(format!("{} cannot be written: {error}", directory.display())), None)
        }
    }
}

/// Whether the agent of this process has the port open; whoever else has it is in its way.
fn is_held_by(port: &Path, pid: &str) -> bool {
    let Ok(device) = std::fs::canonicalize(port) else { return false };
    ports::users(Path::new("/"), &device).iter().any(|user| user.ends_with(&format!("({pid})")))
}

/// A port that is missing or busy stops no start: the agent waits for it. It is told all the same.
fn open_sources(config: &Config, running: Option<&str>, findings: &mut Findings) {
    for source in &config.sources {
        let subject = format!("source {}", source.name);
        // Kept open until both are: one port under two names is not two receivers.
        let mut held = Vec::new();
        for (_, settings) in source.receivers() {
            let seen = match serial::open(&settings) {
                Ok(port) => {
                    held.push(port);
                    Ok(format!("{} can be opened", settings.port.display()))
                }
                Err(_) if running.is_some_and(|pid| is_held_by(&settings.port, pid)) => {
                    Ok(format!("{} is in use by the running agent", settings.port.display()))
                }
                Err(error) => Err(error.to_string()),
            };
            findings.note(&subject, EXIT_UNAVAILABLE, seen);
        }
        if let Some(command) = &source.command {
            let seen = command::find(&command.program);
            let seen = seen.map(|program| format!("{} can be started", program.display()));
            findings.note(&subject, EXIT_UNAVAILABLE, seen);
        }
        if let Some(file) = &source.file {
            let seen = match std::fs::File::open(&file.path) {
                Ok(_) => Ok(format!("{} can be read", file.path.display())),
                Err(error) => Err(format!("{}: {error}", file.path.display())),
            };
            findings.note(&subject, EXIT_UNAVAILABLE, seen);
        }
    }
}

/// A broker lets an agent in by its certificate and drops what it says under another name than the certificate's, without
/// a word: the access list of `systemd/README.md` does.
fn certificate(name: &str, config: &Config) -> Result<String, String> {
    let agent = config.agent.as_str();
    match name == agent {
        true => Ok(format!("its name (CN) is {name}, as the agent's")),
        false => Err(format!(
            "its name (CN) is {name}, and the settings call this agent {agent}: a broker whose access list goes by the certificate \
             drops all that it sends; make the two equal"
        )),
    }
}

/// Connects under the agent's own name with a word added, so that a running agent is not pushed off the broker.
async fn broker(settings: &UplinkSettings) -> Result<String, String> {
    let where_to = format!("{}:{}", settings.broker.host, settings.broker.port);
    let will = Numbers::default().state(0, AgentStatus::Lost);
    let opening = Connection::probe(settings, &will);
    match tokio::time::timeout(Duration::from_secs(BROKER_S_MAX), opening).await {
        Ok(opened) => opened.map(|()| format!("{where_to} lets this agent in")),
        Err(_) => Err(format!("{where_to}: no answer within {BROKER_S_MAX} s")),
    }
}
