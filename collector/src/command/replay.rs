//! `replay`: what the collector would have said of recorded events. Reads lines as `slipwatch-agent decode` and
//! `export` write them, judges them with the core that runs live, and prints one line a payment. Touches no broker and
//! no store.

mod verdict_line;

use super::{failure, tell};
use crate::config::Config;
use crate::correlate::correlator::Correlator;
use crate::correlate::policy::{AgentName, Policies, TerminalName, TerminalPolicy};
use crate::edge::store::memory::MemoryStore;
use crate::run::error::EXIT_CONFIG;
use indicatif::{ProgressBar, ProgressStyle};
use slipwatch_shared::event::{Body, Epoch, Event, Seq};
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::ArrivalTime;
use slipwatch_shared::wire::json::{Line, LineError};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Longest line that is read, in bytes: an event and its evidence in hexadecimal digits.
const LINE_BYTES_MAX: usize = 64 * 1024;
/// So many events are judged before what changed is put by.
const EVENTS_A_TURN: u64 = 8_192;
/// Wrong lines that are told one by one; the rest is counted.
const WRONG_TOLD_MAX: u64 = 10;

const HELP: &str = r#"In: one event a line, as `slipwatch-agent decode` writes it, in the order of its agent's numbers:
  {"store":"shop-1","agent":"till-1","seq":4,"uptime_ms":12000,"wall_ms":1763971212000,"source":1,
   "terminal":"00000001","body":{"authorization_answered":{"keys":{"stan":1,"amount":
   {"minor":8800,"currency":"CNY"}},"response_code":"00"}}}
  Optional: epoch, boot, synchronised, terminal, device_time, text, frame. A source says `source_opened` before
  anything else and `pulse` while it is idle; without them silence proves nothing.

Out: one payment a line, in the order of agents and numbers; what is not known is left out:
  {"case":"shop-1.till-1.1.3","store":"shop-1","agent":"till-1","terminal":"00000001","kind":"sale",
   "amount_minor":8800,"currency":"CNY","stan":"000001","opened":"2025-11-24T08:00:10Z",
   "debited":"2025-11-24T08:00:12Z","verdict":"no_slip","reason":"terminal_fault","confidence":95,
   "findings":[{"code":"A01","label":"no_receipt_debit","stage":"alerting","severity":"p1","open":true,
   "since":"2025-11-24T08:05:12Z","cause":"terminal_fault","detail":"paper_out","confidence":95,"cited":[4,5]}],
   "facts":[{"seq":3,"at":"2025-11-24T08:00:10Z","what":"requested"}, ...]}

Examples:
  slipwatch-agent decode --dialect cn-terminal pos.log | slipwatch-collector replay -
  slipwatch-collector replay --settings collector.toml monday.jsonl tuesday.jsonl

Exit status: 0 all lines were read; 1 some were not, or nothing could be read; 78 the settings are wrong"#;

/// Arguments of `replay`.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct ReplayArguments {
    /// Judge by the terminals and deadlines of this settings file; without it each terminal prints one slip a debit
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Recorded events, one a line as JSON; `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Why a file was not replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It cannot be opened or read.
    #[error("{path} cannot be read")]
    Read {
        /// Which.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// Standard output is closed.
    #[error("the result cannot be written")]
    Write(#[source] io::Error),
}

pub(super) fn run(arguments: &ReplayArguments) -> ExitCode {
    let policies = match arguments.settings.as_deref().map(Config::load) {
        None => None,
        Some(Ok(config)) => Some(config.policies()),
        Some(Err(error)) => {
            tell(&error);
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    let mut replay = Replay::new(policies);
    for file in &arguments.files {
        if let Err(error) = read(&mut replay, file) {
            tell(&error);
            return failure();
        }
    }
    match replay.finish(&mut BufWriter::new(io::stdout().lock())) {
        Ok(()) if replay.wrong == 0 => ExitCode::SUCCESS,
        Ok(()) => failure(),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            tell(&ReplayError::Write(error));
            failure()
        }
    }
}

fn progress(path: &Path) -> ProgressBar {
    let bytes = path.metadata().map(|metadata| metadata.len()).unwrap_or(0);
    if bytes == 0 || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta} {msg}");
    let bar = ProgressBar::new(bytes).with_message(path.display().to_string());
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn read(replay: &mut Replay, path: &Path) -> Result<(), ReplayError> {
    let name = path.display().to_string();
    let failed = |source| ReplayError::Read { path: name.clone(), source };
    let bar = progress(path);
    let input: Box<dyn Read> = match path.as_os_str() == "-" {
        true => Box::new(io::stdin().lock()),
        false => Box::new(bar.wrap_read(File::open(path).map_err(failed)?)),
    };
    let mut input = BufReader::with_capacity(1 << 16, input);
    let mut bytes = Vec::new();
    for number in 1_u64.. {
        bytes.clear();
        let limit = LINE_BYTES_MAX as u64;
        let read = input.by_ref().take(limit).read_until(b'\n', &mut bytes).map_err(failed)?;
        if read == 0 {
            break;
        }
        let text = String::from_utf8_lossy(&bytes);
        if text.trim().is_empty() {
            continue;
        }
        if let Err(error) = replay.line(&text) {
            replay.wrong(&name, number, &error);
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// The core, fed with lines.
#[derive(Debug)]
pub struct Replay {
    correlator: Correlator,
    /// Policies that grow with the terminals that are seen, where no settings were given.
    grown: Option<Policies>,
    store: MemoryStore,
    through: BTreeMap<(AgentName, Epoch), Seq>,
    events: u64,
    /// Lines that were not read.
    pub wrong: u64,
}

impl Replay {
    /// With the policies of a settings file, or with a plain one for every terminal that is seen.
    pub fn new(policies: Option<Policies>) -> Replay {
        Replay {
            grown: policies.is_none().then(Policies::default),
            correlator: Correlator::new(policies.unwrap_or_default()),
            store: MemoryStore::default(),
            through: BTreeMap::new(),
            events: 0,
            wrong: 0,
        }
    }

    /// Takes in one line. What came before is dropped; what is missing is a hole, as it is live.
    pub fn line(&mut self, text: &str) -> Result<(), LineError> {
        let Line { store, agent, epoch, event } = Line::from_json(text.trim())?;
        let name = AgentName { store, agent };
        if let Some(terminal) = event.terminal {
            self.know(&name, terminal);
        }
        let place = self.correlator.agent(&name);
        let through = self.through.entry((name, epoch)).or_default();
        if event.seq <= *through {
            return Ok(());
        }
        let told = matches!(event.body, Body::Lost { from, .. } if from <= through.next());
        // A recording may begin anywhere: what went before is no hole in it.
        if event.seq > through.next() && through.0 != 0 && !told {
            self.correlator.numbers_lost(place);
        }
        *through = event.seq;
        self.judge(place, epoch, &event);
        Ok(())
    }

    fn judge(&mut self, place: usize, epoch: Epoch, event: &Event) {
        let now = ArrivalTime(event.observed.wall.0);
        self.correlator.event(place, epoch, event, now, &mut self.store);
        self.events += 1;
        if self.events.is_multiple_of(EVENTS_A_TURN) {
            self.put_by();
        }
    }

    fn know(&mut self, agent: &AgentName, terminal: TerminalId) {
        let Some(policies) = &mut self.grown else { return };
        let name = TerminalName { store: agent.store.clone(), terminal };
        if let Entry::Vacant(entry) = policies.terminals.entry(name) {
            entry.insert(TerminalPolicy { copies: 1, ..Default::default() });
            self.correlator.reload(policies.clone());
        }
    }

    fn put_by(&mut self) {
        let mut commit = crate::commit::Commit::default();
        for agent in 0..self.correlator.agents().len() {
            self.correlator.take_rows(agent, &mut commit.transactions);
        }
        commit.findings = self.correlator.take_findings();
        self.store.commit(&commit);
    }

    fn wrong(&mut self, name: &str, number: u64, error: &LineError) {
        self.wrong += 1;
        if self.wrong <= WRONG_TOLD_MAX {
            let _ = writeln!(io::stderr(), "{name}:{number}: {error}");
        }
    }

    /// Writes what is said of each payment, and how many lines were not read.
    pub fn finish(&mut self, out: &mut impl Write) -> io::Result<()> {
        self.put_by();
        for row in self.store.transactions.values() {
            writeln!(out, "{}", verdict_line::of_case(row))?;
        }
        let about_case = |finding: &&crate::correlate::finding::Finding| {
            matches!(finding.id.subject, crate::correlate::finding::Subject::Case(_))
        };
        for finding in self.store.findings.values().filter(|finding| !about_case(finding)) {
            writeln!(out, "{}", verdict_line::of_finding(finding))?;
        }
        out.flush()?;
        if self.wrong > 0 {
            let (wrong, events) = (self.wrong, self.events);
            let _ = writeln!(io::stderr(), "{events} events judged, {wrong} lines not read");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
