//! `replay`: what the collector would have said of recorded events. Reads lines as `slipwatch-agent decode` and
//! `export` write them, or the journal of a store, judges them with the core that runs live, and prints one line a
//! payment, or what differs from what was said then. Touches no broker and changes no store.

pub mod difference;
pub mod journal;
pub mod judging;
pub mod reading;
pub mod shelf;
mod verdict_line;

use super::{failure, put, tell};
use crate::config::Config;
use crate::correlate::policy::Policies;
use crate::correlate::recall::TransactionRow;
use crate::correlate::verdict::{Unknown, Verdict};
use crate::run::error::EXIT_CONFIG;
use indicatif::{ProgressBar, ProgressStyle};
use judging::Judging;
use reading::{Parcel, Reading};
use slipwatch_shared::terminal::{StoreId, TerminalId};
use slipwatch_shared::wire::json::LineError;
use std::collections::BTreeSet;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;

/// Parcels that may wait between the thread that reads and the one that judges.
const PARCELS_MAX: usize = 2;
/// Places without judgement, and shops of the settings, that are named one by one.
const PLACES_MAX: usize = 8;

const HELP: &str = r#"In: one event a line, as `slipwatch-agent decode` writes it, in the order of its agent's numbers:
  {"store":"shop-1","agent":"till-1","seq":4,"uptime_ms":12000,"wall_ms":1763971212000,"source":1,
   "terminal":"00000001","body":{"authorization_answered":{"keys":{"stan":1,"amount":
   {"minor":8800,"currency":"CNY"}},"response_code":"00"}}}
Optional: epoch, boot, synchronised, terminal, device_time, text, frame. A source says `source_opened` before anything else and `pulse` while it is idle; without them silence proves nothing.

Out: one payment a line, in the order of agents and numbers; what is not known is left out:
  {"case":"shop-1.till-1.1.3","store":"shop-1","agent":"till-1","terminal":"00000001","kind":"sale",
   "amount_minor":8800,"currency":"CNY","stan":"000001","opened":"2025-11-24T08:00:10Z",
   "debited":"2025-11-24T08:00:12Z","verdict":"no_slip","reason":"terminal_fault","confidence":95,
   "findings":[{"code":"A01","label":"no_receipt_debit","stage":"alerting","severity":"p1","open":true,
   "since":"2025-11-24T08:05:12Z","cause":"terminal_fault","detail":"paper_out","confidence":95,"cited":[4,5]}],
   "facts":[{"seq":3,"at":"2025-11-24T08:00:10Z","what":"requested"}, ...]}

With --settings, a payment is judged where they name its shop and terminal. A log does not say whose it is: `slipwatch-agent decode --store SHOP --terminal NUMBER` does. Times are UTC; `decode --time-zone` says where the log's clock stood.

Examples:
  slipwatch-agent decode --dialect cn-terminal pos.log | slipwatch-collector replay -
  slipwatch-agent decode --store shop-1 --agent till-1 --terminal 10000001 pos.log |
    slipwatch-collector replay --settings collector.toml -
  slipwatch-collector replay --settings collector.toml monday.jsonl tuesday.jsonl
  slipwatch-collector replay --settings stricter.toml --from-journal /var/lib/slipwatch-collector

With --from-journal: one payment that differs in three lines, what was said and what would be; then the sum. With --json:
  {"case":"shop-1.till-1.1.3","terminal":"00000001","stan":"000001","was":{"verdict":"no_slip","reason":"unknown",
   "findings":[{"code":"A01","standing":"alerting"}]},"is":{"verdict":"printed","reason":null,"findings":[]}}

Payments that came to rest wait in a file without a name in $TMPDIR, so that a recording of any length needs little memory. Exit status: 0 all lines were read; 1 some were not, or nothing could be read; 78 the settings are wrong"#;

/// Arguments of `replay`.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct ReplayArguments {
    /// Judge by the terminals and deadlines of this settings file; without it each terminal prints one slip a debit
    #[arg(long, alias = "config", value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Judge the journal of this store again, by the settings given, and tell what differs from what was said then; a
    /// directory or its file. The collector may run meanwhile
    #[arg(long, value_name = "STORE", conflicts_with = "files", requires = "settings")]
    from_journal: Option<PathBuf>,
    /// Which payments are printed
    #[arg(long, value_enum, default_value_t = Show::All)]
    show: Show,
    /// With `--from-journal`: the differences as JSON, one a line
    #[arg(long, requires = "from_journal")]
    json: bool,
    /// Threads: with 1 the lines are read and judged in turn
    #[arg(long, value_name = "COUNT", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=2))]
    threads: u8,
    /// Recorded events, one a line as JSON; `-` for standard input
    #[arg(required_unless_present = "from_journal", value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Which payments are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Show {
    /// Each
    All,
    /// Those about which something was told
    Findings,
}

/// Why a recording was not replayed.
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
    /// Payments that came to rest are put into a file without a name in the directory for temporary files.
    #[error("the directory for temporary files ($TMPDIR) cannot be used")]
    Shelf(#[source] io::Error),
    /// Standard output is closed.
    #[error("the result cannot be written")]
    Write(#[source] io::Error),
    /// The store cannot be read.
    #[error("the store {path} cannot be read")]
    Store {
        /// Which.
        path: String,
        /// What it said.
        source: crate::edge::store::StoreError,
    },
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
    let mut out = BufWriter::with_capacity(1 << 18, io::stdout().lock());
    let done = match &arguments.from_journal {
        Some(store) => difference::tell(store, policies, arguments.json, &mut out),
        None => replay(arguments, policies, &mut out),
    };
    match done {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => failure(),
        Err(ReplayError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            tell(&error);
            failure()
        }
    }
}

/// Judges files and prints what is said; gives how many lines were not read.
fn replay(
    arguments: &ReplayArguments,
    policies: Option<Policies>,
    out: &mut impl Write,
) -> Result<u64, ReplayError> {
    let shops = policies.as_ref().map(shops_of).unwrap_or_default();
    let mut judging = Judging::new(policies).map_err(ReplayError::Shelf)?;
    let bar = progress(&arguments.files);
    let wrong = match arguments.threads {
        1 => judge_in_turn(&arguments.files, &bar, &mut judging)?,
        _ => judge_beside(&arguments.files, &bar, &mut judging)?,
    };
    bar.finish_and_clear();
    let Printed { payments, findings, unjudged } = print(&mut judging, arguments.show, out)?;
    if payments + findings == 0 {
        let events = judging.events;
        let told = format!(
            "{events} events judged: they tell of no payment. Was the log decoded with its dialect? `slipwatch-agent decode --list`"
        );
        let _ = put(&mut io::stderr(), &told);
    }
    if unjudged.payments > 0 {
        let _ = put(&mut io::stderr(), &unjudged.told(&shops));
    }
    if wrong > 0 {
        let events = judging.events;
        let told = format!("{events} events judged, {wrong} lines not read");
        let _ = put(&mut io::stderr(), &told);
    }
    Ok(wrong)
}

/// The shops that the settings know.
fn shops_of(policies: &Policies) -> BTreeSet<StoreId> {
    let of_agents = policies.agents.iter().map(|agent| &agent.store);
    of_agents.chain(policies.terminals.keys().map(|terminal| &terminal.store)).cloned().collect()
}

/// How much there was to say, and of which payments it could not be said.
#[derive(Debug, Default)]
struct Printed {
    /// All of them, whether they were to be shown or not.
    payments: u64,
    findings: u64,
    unjudged: Unjudged,
}

/// Payments that could not be judged, and where they were made.
#[derive(Debug, Default)]
struct Unjudged {
    payments: u64,
    /// Shops and terminals, at most [`PLACES_MAX`].
    places: BTreeSet<(StoreId, Option<TerminalId>)>,
    /// There are more.
    more: bool,
}

impl Unjudged {
    fn add(&mut self, row: &TransactionRow) {
        self.payments += 1;
        let place = (row.id.agent.store.clone(), row.terminal);
        if self.places.len() < PLACES_MAX || self.places.contains(&place) {
            self.places.insert(place);
        } else {
            self.more = true;
        }
    }

    /// Why, and what to do about it; `known` are the shops of the settings.
    fn told(&self, known: &BTreeSet<StoreId>) -> String {
        let payments = match self.payments {
            1 => "1 payment was not judged".to_owned(),
            several => format!("{several} payments were not judged"),
        };
        let more = if self.more { ", and others" } else { "" };
        if self.places.iter().any(|(store, _)| known.contains(store)) {
            let places: Vec<String> = self.places.iter().map(place).collect();
            let places = places.join(", ");
            return format!(
                "{payments}: the settings do not name the terminal, or do not say who prints there: {places}{more}"
            );
        }
        let stores: BTreeSet<&str> = self.places.iter().map(|(store, _)| store.as_str()).collect();
        let stores = stores.into_iter().collect::<Vec<_>>().join(", ");
        let shown = known.iter().take(PLACES_MAX).map(StoreId::as_str);
        let shops = match known.len() {
            0 => "none at all".to_owned(),
            _ => shown.collect::<Vec<_>>().join(", "),
        };
        let others = if known.len() > PLACES_MAX { ", and others" } else { "" };
        let example = known.first().map_or("SHOP", StoreId::as_str);
        format!(
            "{payments}: the settings know none of the recording's shops ({stores}{more}); they name {shops}{others}. \
             Say whose log it is when it is decoded: \
             slipwatch-agent decode --store {example} --agent AGENT --terminal NUMBER ..."
        )
    }
}

fn place((store, terminal): &(StoreId, Option<TerminalId>)) -> String {
    match terminal {
        Some(terminal) => format!("{store} {terminal}"),
        None => format!("{store} (terminal not said)"),
    }
}

fn progress(files: &[PathBuf]) -> ProgressBar {
    let bytes = |path: &PathBuf| path.metadata().map(|metadata| metadata.len()).unwrap_or(0);
    bar_of(files.iter().map(bytes).sum())
}

/// A bar of so many bytes, where somebody looks.
pub(super) fn bar_of(bytes: u64) -> ProgressBar {
    if bytes == 0 || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta}");
    ProgressBar::new(bytes).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Reads and judges in one thread.
fn judge_in_turn(
    files: &[PathBuf],
    bar: &ProgressBar,
    judging: &mut Judging,
) -> Result<u64, ReplayError> {
    let mut reading = Reading::default();
    let mut hand = |mut parcel: Parcel| {
        judging.parcel(&mut parcel);
        Some(parcel)
    };
    for path in files {
        reading.file(path, bar, &mut hand)?;
    }
    reading.hand_over(&mut hand);
    Ok(reading.wrong)
}

/// Reads in a thread beside the one that judges; parcels go to and fro and are used again.
fn judge_beside(
    files: &[PathBuf],
    bar: &ProgressBar,
    judging: &mut Judging,
) -> Result<u64, ReplayError> {
    let (full, to_judge) = mpsc::sync_channel::<Parcel>(PARCELS_MAX);
    let (empty, to_fill) = mpsc::channel::<Parcel>();
    thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let mut reading = Reading::default();
            let mut hand = |parcel: Parcel| {
                full.send(parcel).ok()?;
                Some(to_fill.try_recv().unwrap_or_default())
            };
            for path in files {
                reading.file(path, bar, &mut hand)?;
            }
            reading.hand_over(&mut hand);
            Ok(reading.wrong)
        });
        for mut parcel in to_judge {
            judging.parcel(&mut parcel);
            // The reader may have come to its end.
            let _ = empty.send(parcel);
        }
        reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Writes what is said of each payment, in the order of agents and numbers; which of them could not be judged.
fn print(judging: &mut Judging, show: Show, out: &mut impl Write) -> Result<Printed, ReplayError> {
    let mut printed = Printed::default();
    for agent in judging.finish() {
        let rows = match show {
            Show::All => judging.payments(agent).map(|rows| (rows.len() as u64, rows)),
            Show::Findings => judging.notable(agent),
        };
        let (payments, rows) = rows.map_err(ReplayError::Shelf)?;
        printed.payments += payments;
        for row in rows {
            if row.case.verdict == (Verdict::Unknown { why: Unknown::NotJudged }) {
                printed.unjudged.add(&row);
            }
            if show == Show::All || !row.case.told.is_empty() {
                verdict_line::write_case(&row, out).map_err(ReplayError::Write)?;
            }
        }
    }
    for finding in judging.findings() {
        printed.findings += 1;
        writeln!(out, "{}", verdict_line::of_finding(finding)).map_err(ReplayError::Write)?;
    }
    out.flush().map_err(ReplayError::Write)?;
    Ok(printed)
}

/// The same, fed with lines one by one.
#[derive(Debug)]
pub struct Replay {
    reading: Reading,
    judging: Judging,
}

impl Replay {
    /// With the policies of a settings file, or with a plain one for every terminal that is heard.
    ///
    /// # Errors
    /// When the directory for temporary files cannot be used.
    pub fn new(policies: Option<Policies>) -> Result<Replay, ReplayError> {
        let judging = Judging::new(policies).map_err(ReplayError::Shelf)?;
        Ok(Replay { reading: Reading::default(), judging })
    }

    /// Takes in one line. What came before is dropped; what is missing is a hole, as it is live.
    ///
    /// # Errors
    /// When it is no event; the others are judged on.
    pub fn line(&mut self, line: &str) -> Result<(), LineError> {
        let Replay { reading, judging } = self;
        reading.line(line)?;
        reading.hand_over(&mut |mut parcel| {
            judging.parcel(&mut parcel);
            Some(parcel)
        });
        Ok(())
    }

    /// Writes what is said of each payment.
    ///
    /// # Errors
    /// When it cannot be written, or what was put by cannot be read.
    pub fn finish(&mut self, out: &mut impl Write) -> Result<(), ReplayError> {
        print(&mut self.judging, Show::All, out).map(|_| ())
    }
}

/// What a recording in memory comes to, as lines: for tests.
#[cfg(test)]
fn replayed(lines: &[String]) -> Result<(String, u64), ReplayError> {
    let mut judging = Judging::new(None).map_err(ReplayError::Shelf)?;
    let mut file = tempfile::NamedTempFile::new().map_err(ReplayError::Shelf)?;
    lines.iter().try_for_each(|line| writeln!(file, "{line}")).map_err(ReplayError::Shelf)?;
    let files = [file.path().to_owned()];
    let wrong = judge_beside(&files, &ProgressBar::hidden(), &mut judging)?;
    let mut out = Vec::new();
    print(&mut judging, Show::All, &mut out)?;
    Ok((String::from_utf8(out).expect("text"), wrong))
}

fn store_file(store: &Path) -> PathBuf {
    if store.is_dir() { store.join(crate::run::STORE_FILE) } else { store.to_owned() }
}

#[cfg(test)]
mod tests;
