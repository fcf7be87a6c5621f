//! `check`: what would hinder a start, told before it. Changes nothing but a probe file that it takes away again.

use super::{ConfigArgument, chinese::TONGUE, failure, runtime, tell};
use crate::config::{BrokerConfig, Config, probe_directory};
use crate::edge::broker;
use crate::edge::intake::{self, Target};
use crate::edge::mail::Post;
use crate::run::error::{EXIT_CONFIG, EXIT_STATE, EXIT_UNAVAILABLE};
use serde::Serialize;
use slipwatch_tongue::columns;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

/// How long a service may take to answer.
const ANSWER_WAIT: Duration = Duration::from_secs(15);

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub struct CheckArguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// Leave out what needs the network: pages, broker and mail server
    #[arg(long)]
    offline: bool,
    /// Tell it as JSON: {"ok": bool, "checks": [{"name", "ok", "detail"}]}
    #[arg(long)]
    json: bool,
}

/// What was looked at is named in so many columns.
const NAME_COLUMNS: usize = 9;

#[derive(Serialize)]
struct Report {
    ok: bool,
    checks: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    name: &'static str,
    ok: bool,
    detail: String,
    #[serde(skip)]
    exit: u8,
}

impl Line {
    fn of(name: &'static str, exit: u8, result: Result<String, String>) -> Line {
        match result {
            Ok(detail) => Line { name, ok: true, detail, exit: 0 },
            Err(detail) => Line { name, ok: false, detail, exit },
        }
    }
}

pub(super) fn run(arguments: &CheckArguments) -> ExitCode {
    let mut checks = Vec::new();
    match Config::load(&arguments.config.config) {
        Err(error) => checks.push(Line::of("settings", EXIT_CONFIG, Err(chain(&error)))),
        Ok(config) => {
            checks.push(Line::of("settings", EXIT_CONFIG, settings(&config)));
            checks.push(Line::of("store", EXIT_STATE, store(&config)));
            if !arguments.offline {
                let runtime = match runtime() {
                    Ok(runtime) => runtime,
                    Err(error) => {
                        tell(&error);
                        return failure();
                    }
                };
                let _ = rustls::crypto::ring::default_provider().install_default();
                runtime.block_on(services(&config, &mut checks));
            }
        }
    }
    let report = Report { ok: checks.iter().all(|line| line.ok), checks };
    if show(&report, arguments.json).is_err() {
        return failure();
    }
    // The settings first: whatever follows from them is mended with them.
    let exit = report.checks.iter().map(|line| line.exit).find(|&exit| exit != 0);
    ExitCode::from(exit.unwrap_or(0))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // A library's own words often hold those of their cause.
        let words = cause.to_string();
        if !text.contains(&words) {
            text.push_str(&format!(": {words}"));
        }
        source = cause.source();
    }
    text
}

fn settings(config: &Config) -> Result<String, String> {
    let agents: usize = config.shops.iter().map(|shop| shop.agents.len()).sum();
    let terminals: usize = config.shops.iter().map(|shop| shop.terminals.len()).sum();
    if let Some(mail) = &config.mail {
        Post::new(config, mail).map_err(|error| chain(&error))?;
    }
    if let BrokerConfig::External(external) = &config.broker {
        let target = Target::External(Box::new(external.clone()));
        intake::options(config, &target).map_err(|error| chain(&error))?;
    }
    let mut text = format!("{} shops, {agents} agents, {terminals} terminals", config.shops.len());
    if agents == 0 {
        text.push_str("; no agent is listed, so all that arrives will be put aside");
    }
    Ok(text)
}

fn store(config: &Config) -> Result<String, String> {
    let path = config.beside(&config.store);
    probe_directory(&path).map(|()| format!("{} can be written", path.display()))
}

async fn services(config: &Config, checks: &mut Vec<Line>) {
    checks.push(Line::of("pages", EXIT_UNAVAILABLE, pages(config)));
    let broker = tokio::time::timeout(ANSWER_WAIT, broker_answers(config)).await;
    let broker = broker.unwrap_or_else(|_| Err("no answer in time".to_owned()));
    checks.push(Line::of("broker", EXIT_UNAVAILABLE, broker));
    let Some(mail) = &config.mail else { return };
    let answers = async {
        let post = Post::new(config, mail).map_err(|error| chain(&error))?;
        post.try_login().await.map(|()| "letters can be sent".to_owned())
    };
    let mail = tokio::time::timeout(ANSWER_WAIT, answers).await;
    let mail = mail.unwrap_or_else(|_| Err("no answer in time".to_owned()));
    checks.push(Line::of("mail", EXIT_UNAVAILABLE, mail));
}

/// Whether pages and metrics can be served where the settings say.
fn pages(config: &Config) -> Result<String, String> {
    let listen = config.http.listen;
    match std::net::TcpListener::bind(listen) {
        Ok(_) => Ok(format!("{listen} is free")),
        Err(_) if crate::run::is_running(config) => {
            Ok(format!("{listen} is in use, and a collector runs on this store"))
        }
        Err(error) => Err(format!(
            "cannot listen on {listen}: {error}; end the other program, or set another `listen` under [http]"
        )),
    }
}

async fn broker_answers(config: &Config) -> Result<String, String> {
    let target = match &config.broker {
        BrokerConfig::Embedded { listen, .. } if broker::free_address(*listen).is_ok() => {
            return Ok(format!("embedded, {listen} is free"));
        }
        BrokerConfig::Embedded { listen, .. } => Target::Embedded(*listen),
        BrokerConfig::External(external) => Target::External(Box::new(external.clone())),
    };
    let answered = intake::try_once(config, &target).await.map_err(|error| chain(&error));
    let words = match &target {
        Target::Embedded(listen) => format!("embedded, a broker already answers on {listen}"),
        Target::External(external) => format!("{}:{} answers", external.host, external.port),
    };
    answered.map(|()| words)
}

fn show(report: &Report, json: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, report)?;
        return writeln!(out);
    }
    let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let width = TONGUE.language().say(0, "wrong".len());
    for line in &report.checks {
        let (word, colour) = if line.ok { ("ok", "32") } else { ("wrong", "31") };
        let word = format!("{:<width$}", TONGUE.say(word));
        match colours {
            true => write!(out, "\x1b[{colour}m{word}\x1b[0m")?,
            false => write!(out, "{word}")?,
        }
        let name = TONGUE.say(line.name);
        let room = " ".repeat(NAME_COLUMNS.saturating_sub(columns(&name)));
        writeln!(out, "  {name}{room} {}", TONGUE.say(&line.detail))?;
    }
    Ok(())
}
