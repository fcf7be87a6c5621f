//! `probe`: what hangs on a port? Listens with one speed after another until a dialect is understood, says how sure that
//! is and why, and writes the `[[source]]` block. Writes nothing to the port.

pub mod search;

use super::chinese::TONGUE;
use super::{EXIT_FAILURE, EXIT_OK, EXIT_UNAVAILABLE, ports, print};
use crate::config::{ConfigError, Parity, read_dialect};
use crate::decode::dialect::{Dialect, shipped};
use crate::decode::guess::{Opinion, kin};
use crate::edge::clock::Clock;
use crate::edge::source::ear::Ear;
use indicatif::{ProgressBar, ProgressStyle};
use search::{Found, Search, Setting, Step};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An opinion that is weaker is nobody's.
const NAMED_MIN: f64 = 0.05;

/// Arguments of `probe`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
The [[source]] block goes to standard output, all else to standard error. Make a sale or print a slip meanwhile: a line on \
which nothing is said tells nothing. Exit status: 0 it is sure; 1 it is not, or nothing was said; 69 the port cannot be \
opened.

Examples:
  slipwatch-agent probe /dev/ttyUSB0
  slipwatch-agent probe --seconds 300 /dev/serial/by-id/usb-FTDI_... >> /etc/slipwatch/agent.toml
  slipwatch-agent probe --baud 19200 --dialect ./shop.toml /dev/ttyUSB0
  slipwatch-agent probe --json /dev/ttyACM0")]
pub struct ProbeArgs {
    /// The port; `slipwatch-agent ports` lists them.
    pub port: PathBuf,
    /// How long to listen at most.
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: u64,
    /// Try this speed alone.
    #[arg(long, value_name = "N")]
    pub baud: Option<u32>,
    /// Try a profile of your own as well; may be given more than once.
    #[arg(long, value_name = "PATH")]
    pub dialect: Vec<String>,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// Listens, and tells.
pub fn run(arguments: &ProbeArgs) -> anyhow::Result<u8> {
    let dialects = dialects(&arguments.dialect)?;
    let mut ear = match Ear::open(&arguments.port) {
        Ok(ear) => ear,
        Err(error) => {
            let told = format!("{error}{}", ports::in_the_way(&arguments.port));
            tracing::error!("{}", TONGUE.say(&told));
            return Ok(EXIT_UNAVAILABLE);
        }
    };
    let search = listen(arguments, dialects, &mut ear)?;
    drop(ear);
    let port = stable_name(&arguments.port);
    let found = search.found();
    if arguments.json {
        let text = serde_json::to_string_pretty(&as_json(&port, found.as_ref()))?;
        print(&format!("{text}\n"))?;
    } else {
        let told = explain(found.as_ref(), arguments.seconds);
        let told: Vec<String> = told.lines().map(|line| TONGUE.say(line)).collect();
        eprint_lines(&told.join("\n"));
        if let Some(block) = found.as_ref().and_then(|found| block(&port, found)) {
            print(&block)?;
        }
    }
    Ok(if found.is_some_and(|found| found.sure) { EXIT_OK } else { EXIT_FAILURE })
}

fn dialects(own: &[String]) -> Result<Vec<Arc<dyn Dialect>>, ConfigError> {
    let own = own.iter().map(|path| read_dialect(path, Path::new("")));
    shipped::names().filter_map(shipped::dialect).map(Ok).chain(own).collect()
}

fn listen(
    arguments: &ProbeArgs,
    dialects: Vec<Arc<dyn Dialect>>,
    ear: &mut Ear,
) -> anyhow::Result<Search> {
    let clock = Clock::of_machine();
    let began = clock.uptime();
    let mut search = Search::new(dialects, arguments.baud, began);
    let Setting { baud, parity, .. } = search.setting();
    ear.tune(baud, parity)?;
    let bar = bar(arguments.seconds);
    loop {
        let heard = ear.listen()?;
        let now = clock.uptime();
        match search.heard(&heard, now) {
            Step::Stay => {}
            Step::Tune { baud, parity } => ear.tune(baud, parity)?,
            Step::Done => break,
        }
        let elapsed = now.ms_since(began) / 1_000;
        bar.set_position(elapsed);
        bar.set_message(TONGUE.say(&progress(&search)));
        if elapsed >= arguments.seconds {
            break;
        }
    }
    bar.finish_and_clear();
    Ok(search)
}

fn bar(seconds: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:20} {pos}/{len} s  {msg}");
    ProgressBar::new(seconds).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn progress(search: &Search) -> String {
    let setting = search.setting();
    match search.found() {
        None => format!("{setting}: nothing said yet"),
        Some(found) => {
            let best = found.opinions.first().filter(|best| best.score > 0.0);
            let best = best.map_or("nothing understood yet".to_owned(), |best| {
                let Opinion { dialect, understood, .. } = best;
                format!("{dialect} at {}: {understood} lines or frames understood", found.setting)
            });
            format!("listening at {setting}, {} bytes; {best}", search.bytes())
        }
    }
}

/// One that understood something, and not by chance alone.
fn is_worth_naming(opinion: &&Opinion) -> bool {
    opinion.understood > 0 && opinion.score >= NAMED_MIN
}

/// What was found and why, for a person.
fn explain(found: Option<&Found>, seconds: u64) -> String {
    let Some(found) = found else {
        return format!(
            "Nothing was said within {seconds} s. Make a sale or print a slip meanwhile. A receiver hears only the wire that \
             it is soldered to: try the other one."
        );
    };
    let Found { setting, bytes, bad, opinions, sure } = found;
    let mut text = format!("{setting}: {bytes} bytes, {bad} of them came in badly");
    if found.bad_share() > 0.02 {
        text.push_str("; speed or check bit is wrong, or the line is noisy");
    }
    for (at, opinion) in opinions.iter().filter(is_worth_naming).take(3).enumerate() {
        let dialect = &opinion.dialect;
        let _ = match at {
            0 => write!(text, "\n  it reads like {dialect}: {opinion}"),
            _ => write!(text, "\n  less likely   {dialect}: {opinion}"),
        };
    }
    text.push('\n');
    let kin = kin(opinions);
    if let (true, Some(best), false) = (*sure, opinions.first(), kin.is_empty()) {
        let family = best.family.as_deref().unwrap_or_default();
        let _ = write!(
            text,
            "It is sure that this is {family}, and not which kind of it: {} and {} understand it as well. What decides is who \
             prints, and in which code page: `slipwatch-agent decode --list` says what each is for.",
            best.dialect,
            kin.join(", "),
        );
        return text;
    }
    text.push_str(match (sure, opinions.first().is_some_and(|best| best.understood > 0)) {
        (true, _) => "It is sure: no other dialect comes near.",
        (false, true) => "It is not sure: listen longer, with more sales and slips.",
        (false, false) => {
            "No dialect understands it. `slipwatch-agent record` keeps it for a support case; a text needs a profile of its own \
             (agent/profiles/README.md)."
        }
    });
    text
}

/// The `[[source]]` block; absent where no dialect understood anything.
fn block(port: &Path, found: &Found) -> Option<String> {
    let best = found.opinions.first().filter(|best| best.understood > 0)?;
    let Setting { baud, parity, data_bits } = found.setting;
    let parity = parity_name(parity);
    let name = port.file_name().map_or("line".to_owned(), |name| {
        let name = name.to_string_lossy();
        name.chars().filter(|sign| sign.is_ascii_graphic()).take(40).collect()
    });
    let kin = kin(&found.opinions);
    let sure = match (found.sure, kin.is_empty()) {
        (false, _) => TONGUE.say("# NOT SURE: see what probe said") + "\n",
        (true, true) => String::new(),
        (true, false) => {
            TONGUE.say(&format!("# or {}: see what probe said", kin.join(", "))) + "\n"
        }
    };
    Some(format!(
        "\n[[source]]\n{sure}name = {name:?}\ndialect = {:?}\n# terminal = \"10000001\"\n\
         [source.serial]\nport = {:?}\nbaud = {baud}\ndata_bits = {data_bits}\nparity = \"{parity}\"\nstop_bits = 1\n",
        best.dialect,
        port.display().to_string(),
    ))
}

fn parity_name(parity: Parity) -> &'static str {
    match parity {
        Parity::None => "none",
        Parity::Even => "even",
        Parity::Odd => "odd",
    }
}

fn as_json(port: &Path, found: Option<&Found>) -> Value {
    let Some(found) = found else {
        return json!({ "port": port, "sure": false, "bytes": 0, "opinions": [] });
    };
    let Setting { baud, parity, data_bits } = found.setting;
    let opinions: Vec<Value> = found.opinions.iter().map(|opinion| {
        json!({
            "dialect": opinion.dialect, "score": (opinion.score * 1_000.0).round() / 1_000.0, "understood": opinion.understood,
            "unknown": opinion.foreign, "damaged": opinion.damaged, "said": opinion.said,
        })
    }).collect();
    let best = found.opinions.first().filter(|best| best.understood > 0);
    json!({
        "port": port, "sure": found.sure, "dialect": best.map(|best| &best.dialect),
        "baud": baud, "data_bits": data_bits, "parity": parity_name(parity), "stop_bits": 1,
        "as_well": kin(&found.opinions), "bytes": found.bytes, "bad_bytes": found.bad, "opinions": opinions, "source": block(port, found),
    })
}

/// The name of a port that stays: by its adapter where that has a number of its own, else by its socket.
fn stable_name(port: &Path) -> PathBuf {
    let Ok(device) = std::fs::canonicalize(port) else { return port.to_owned() };
    // A name that is a link was chosen by somebody.
    if device != port {
        return port.to_owned();
    }
    let listed = ports::list(Path::new("/")).into_iter().find(|listed| listed.device == device);
    listed.and_then(|listed| listed.by_id.or(listed.by_path)).unwrap_or(device)
}

fn eprint_lines(text: &str) {
    use std::io::Write as _;
    // Nobody listens to standard error: nothing can be done about it.
    let _ = writeln!(std::io::stderr(), "{text}");
}
