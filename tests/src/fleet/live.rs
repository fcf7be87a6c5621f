//! A fleet played to agents that run: what each device writes, at its moment, into a file that an agent follows or a
//! pseudo-terminal that it opens; settings for the agents and for the collector that judges them; and the truth of what
//! was played. All shops open at once, and time may go faster than a shop's: then the collector's deadlines are as much
//! shorter. Starts no agent and judges nothing.

// Words are said at their moments: that is what playing means.
#![allow(clippy::disallowed_methods)]

use super::WALL_MS_AT_MIDNIGHT;
use super::form;
use super::script::Numbers;
use super::shop::{Shop, Told};
use super::stream::Fleet;
use super::truth::{Incident, Truth};
use crate::process::live::now_ms;
use crate::process::port::Device;
use crate::terminal::Word;
use slipwatch_shared::event::Event;
use slipwatch_shared::times::EventTime;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How a fleet is played.
#[derive(Clone, Debug)]
pub struct LiveSettings {
    /// Where lines and settings are put.
    pub directory: PathBuf,
    /// So many times as fast as a shop.
    pub speed: u32,
    /// Lines are pseudo-terminals; else files.
    pub serial: bool,
    /// Where the broker is, as agents and collector find it.
    pub broker: (String, u16),
    /// Where the collector's pages are.
    pub http_port: u16,
}

/// What the shipped deadlines are, in seconds, by their names in the collector's settings.
const DEADLINES_S: [(&str, u32); 15] = [
    ("slip_suspect_s", 120),
    ("slip_alert_s", 300),
    ("answer_wait_s", 120),
    ("reversal_pending_s", 900),
    ("reversal_after_last_sale_s", 600),
    ("duplicate_window_s", 600),
    ("duplicate_window_qr_s", 1_800),
    ("silent_s", 1_800),
    ("upload_s", 86_400),
    ("storm_window_s", 600),
    ("storm_calm_s", 900),
    ("printer_out_s", 600),
    ("close_overdue_s", 172_800),
    ("card_window_s", 3_600),
    ("agent_offline_s", 300),
];
const MINUTE_MS: i64 = 60_000;
/// Lines stay so long behind the last word, at the pace of a shop: whatever it began is due by then.
const STAY_MS: u64 = 20 * 60_000;
const POLL: Duration = Duration::from_millis(50);

/// One word of one device.
struct Said {
    at: i64,
    shop: usize,
    event: Event,
    word: Word,
    numbers: Numbers,
}

/// What will be played, and what is true of it.
pub struct Live {
    settings: LiveSettings,
    shops: Vec<Shop>,
    shops_toml: String,
    words: Vec<Said>,
    /// What is true of the payments that are played to their end.
    pub truths: Vec<Truth>,
    /// What is true of their terminals.
    pub incidents: Vec<Incident>,
}

/// A line of a device.
enum Line {
    File(File),
    Port(Device),
}

/// Whether somebody has opened the line and set its speed.
fn is_open(line: &Line) -> bool {
    matches!(line, Line::Port(device) if device.speed() > 0)
}

impl Live {
    /// A fleet's day, from each shop's opening on. Only what devices have words for can be played: the fleet must be of
    /// that kind (`spoken_only`).
    pub fn new(mut fleet: Fleet, settings: LiveSettings) -> Live {
        let shops_toml = fleet.shops_toml();
        let mut live = Live {
            settings,
            shops: Vec::new(),
            shops_toml,
            words: Vec::new(),
            truths: Vec::new(),
            incidents: Vec::new(),
        };
        while let Some((place, told)) = fleet.next() {
            match told {
                Told::Event(event, word) => {
                    let opens = WALL_MS_AT_MIDNIGHT + fleet.shops[place].opens_at();
                    let at = event.observed.wall.0 - opens;
                    if let Some((word, numbers)) = word {
                        live.words.push(Said { at, shop: place, event, word, numbers: *numbers });
                    }
                }
                Told::Truth(truth) => live.truths.push(*truth),
                Told::Incident(incident) => live.incidents.push(*incident),
                Told::Row(_) => {}
            }
        }
        live.words.sort_by_key(|said| said.at);
        live.shops = fleet.shops;
        live
    }

    /// How many words it has.
    pub fn words(&self) -> usize {
        self.words.len()
    }

    fn line(&self, shop: &Shop, terminal: &str, printer: bool) -> PathBuf {
        let name = format!("{terminal}.{}", if printer { "printer" } else { "terminal" });
        self.settings.directory.join(shop.name.store.as_str()).join(name)
    }

    /// Lays out the directory: one below it a shop, with its agent's settings and its lines, and the collector's settings.
    /// Gives the paths of the settings, the collector's first.
    ///
    /// # Errors
    /// When something cannot be written.
    pub fn lay_out(&self) -> io::Result<Vec<PathBuf>> {
        let LiveSettings { directory, broker, http_port, speed, serial, .. } = &self.settings;
        fs::create_dir_all(directory)?;
        let (host, port) = broker;
        let mut toml = format!(
            "[store]\npath = {:?}\n\n[broker.external]\nhost = \"{host}\"\nport = {port}\n\n\
             [http]\nlisten = \"127.0.0.1:{http_port}\"\n\n[deadlines]\n",
            directory.join("store").display().to_string()
        );
        for (name, seconds) in DEADLINES_S {
            let seconds = f64::from(seconds) / f64::from((*speed).max(1));
            writeln!(toml, "{name} = {seconds:.3}").expect("memory takes it");
        }
        toml += &self.shops_toml;
        let collector = directory.join("collector.toml");
        fs::write(&collector, toml)?;
        let mut written = vec![collector];
        for shop in &self.shops {
            let own = directory.join(shop.name.store.as_str());
            fs::create_dir_all(&own)?;
            let mut toml = format!(
                "store = \"{}\"\nagent = \"{}\"\npulse_ms = {}\n\n[broker]\nhost = \"{host}\"\nport = {port}\n\n\
                 [spool]\ndirectory = {:?}\nballast_mb = 1\n",
                shop.name.store,
                shop.name.agent,
                (10_000 / speed.max(&1)).max(200),
                own.join("spool").display().to_string()
            );
            for till in &shop.tills {
                let dialect = till.make.voice.map_or("kv-en", |voice| voice.dialect());
                for printer in [false, true].into_iter().take(1 + usize::from(till.make.two_lines))
                {
                    let path = self.line(shop, till.terminal.as_str(), printer);
                    let name =
                        format!("{}{}", till.terminal, if printer { "-printer" } else { "" });
                    let name = name.to_lowercase();
                    let path = format!("{:?}", path.display().to_string());
                    let reads = match serial {
                        true => format!("serial = {{ port = {path} }}"),
                        false => {
                            format!("file = {{ path = {path}, follow = true, from_start = true }}")
                        }
                    };
                    let carries = match (till.make.two_lines, printer) {
                        (true, true) => "hears_money = false\n",
                        (true, false) => "hears_slips = false\n",
                        _ => "",
                    };
                    write!(
                        toml,
                        "\n[[source]]\nname = \"{name}\"\ndialect = \"{dialect}\"\nterminal = \"{}\"\n{carries}{reads}\n",
                        till.terminal
                    )
                    .expect("memory takes it");
                }
            }
            let settings = own.join("agent.toml");
            fs::write(&settings, toml)?;
            written.push(settings);
        }
        Ok(written)
    }

    /// Opens every line, waits until `go` says that somebody listens, and plays all words at their moments; `go` is asked
    /// how many lines are open. The lines stay until what was said last is due. `tell` hears how many words were said
    /// and which minute of the day it is.
    ///
    /// # Errors
    /// When a file cannot be written.
    ///
    /// # Panics
    /// When the system gives no pseudo-terminal.
    pub fn play(
        &self,
        mut go: impl FnMut(usize, usize) -> io::Result<bool>,
        mut tell: impl FnMut(usize, i64),
    ) -> io::Result<()> {
        let mut lines: BTreeMap<PathBuf, Line> = BTreeMap::new();
        for shop in &self.shops {
            for till in &shop.tills {
                for printer in [false, true].into_iter().take(1 + usize::from(till.make.two_lines))
                {
                    let path = self.line(shop, till.terminal.as_str(), printer);
                    lines.insert(path.clone(), self.open(&path)?);
                }
            }
        }
        let open = |line: &&Line| matches!(line, Line::File(_)) || is_open(line);
        while !go(lines.values().filter(open).count(), lines.len())? {
            std::thread::sleep(POLL);
        }
        let begun = Instant::now();
        for (count, said) in self.words.iter().enumerate() {
            let real_ms = said.at / i64::from(self.settings.speed.max(1));
            let due = Duration::from_millis(u64::try_from(real_ms).unwrap_or(0));
            std::thread::sleep(due.saturating_sub(begun.elapsed()));
            let shop = &self.shops[said.shop];
            let mut event = said.event.clone();
            // The device's clock is right.
            event.observed.wall = EventTime(now_ms());
            let Some(bytes) = form::device_bytes(shop, &event, said.word, &said.numbers) else {
                continue;
            };
            let of = |till: &&super::till::Till| Some(till.terminal) == event.terminal;
            let Some(till) = shop.tills.iter().find(of) else { continue };
            let printer = event.source.0 != till.first_source();
            let path = self.line(shop, till.terminal.as_str(), printer);
            match lines.get_mut(&path) {
                Some(Line::File(file)) => file.write_all(&bytes)?,
                Some(Line::Port(device)) => device.write(&bytes),
                None => {}
            }
            tell(count + 1, said.at / MINUTE_MS);
        }
        std::thread::sleep(Duration::from_millis(STAY_MS / u64::from(self.settings.speed.max(1))));
        Ok(())
    }

    fn open(&self, path: &Path) -> io::Result<Line> {
        if self.settings.serial {
            return Ok(Line::Port(Device::plug_in(path)));
        }
        Ok(Line::File(OpenOptions::new().append(true).create(true).open(path)?))
    }
}
