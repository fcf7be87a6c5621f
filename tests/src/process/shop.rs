//! A whole shop out of real parts: a device on a pseudo-terminal, the agent's and the collector's programs, and a broker
//! between them; each part can be taken away and put back. Settings are short-timed; meanings are the shipped ones.

use super::live::now_ms;
use super::mail::{Letter, letters};
use super::mosquitto::Mosquitto;
use super::port::Device;
use super::stored::Stored;
use super::tls::{Authority, Identity};
use super::{Process, binary, free_port, page, sample, wait_for};
use crate::terminal::{Payment, Spoken};
use crate::voice::Voice;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The shop's name.
pub const STORE: &str = "shop-1";
/// Its agent's.
pub const AGENT: &str = "till-1";
/// Its terminal's (field 41).
pub const TERMINAL: &str = "10000001";

/// Deadlines short enough to wait for.
pub const DEADLINES: &str = "slip_suspect_s = 0.8\nslip_alert_s = 1.5\nreversal_pending_s = 2\n\
     reversal_after_last_sale_s = 2\nanswer_wait_s = 3\nduplicate_window_s = 60\nagent_offline_s = 2\n";

/// What a shop is made of.
pub struct Shop {
    directory: TempDir,
    device: Option<Device>,
    port: PathBuf,
    terminals: Vec<String>,
    /// How each of them is judged, where it is not two copies by whom `who_prints` says: the lines below its number.
    judged: Option<String>,
    /// The agent's sources, where they are not the one line of key=value.
    sources: Option<String>,
    /// The broker between the two, where it is not the collector's own.
    pub mosquitto: Option<Mosquitto>,
    /// The agent, while it runs.
    pub agent: Option<Process>,
    /// The collector, while it runs.
    pub collector: Option<Process>,
    http_port: u16,
    mqtt_port: u16,
    mail: String,
    deadlines: String,
    /// What the device speaks, and who prints its slips.
    dialect: String,
    who_prints: String,
    agent_listed: String,
    /// What the shop is called, and the language of its letters.
    title: String,
    language: String,
    /// Certificates of a shop whose broker asks for them.
    tls: Option<Tls>,
}

/// Who is who on a broker that asks for certificates.
struct Tls {
    authority: PathBuf,
    agent: Identity,
    collector: Identity,
}

impl Shop {
    /// A shop with the collector's own broker; nothing is started yet.
    ///
    /// # Panics
    /// When the system gives no directory or pseudo-terminal.
    pub fn new() -> Shop {
        let directory =
            tempfile::Builder::new().prefix("slipwatch-").tempdir().expect("a directory");
        let device = Device::plug_in(&directory.path().join("ttyTill"));
        let mail = format!("directory = \"{}\"\n", directory.path().join("mail").display());
        let port = device.path().to_owned();
        Shop {
            directory,
            device: Some(device),
            port,
            terminals: vec![TERMINAL.to_owned()],
            judged: None,
            sources: None,
            mosquitto: None,
            agent: None,
            collector: None,
            http_port: free_port(),
            mqtt_port: free_port(),
            mail,
            deadlines: DEADLINES.to_owned(),
            dialect: "kv-en".to_owned(),
            who_prints: "terminal".to_owned(),
            agent_listed: AGENT.to_owned(),
            title: "Corner shop".to_owned(),
            language: "en".to_owned(),
            tls: None,
        }
    }

    /// The same with a Mosquitto between the two; it is started at once.
    pub fn with_mosquitto() -> Shop {
        let mut shop = Shop::new();
        let directory = shop.subdirectory("mosquitto");
        let mosquitto = Mosquitto::start(&directory);
        shop.mqtt_port = mosquitto.port;
        shop.mosquitto = Some(mosquitto);
        shop
    }

    /// The same with a Mosquitto that talks TLS and asks for certificates; all are signed by the authority that comes
    /// with it.
    pub fn with_tls() -> (Shop, Authority) {
        let mut shop = Shop::new();
        let authority = Authority::new(&shop.subdirectory("certificates"));
        let mosquitto = Mosquitto::with_tls(&shop.subdirectory("mosquitto"), &authority);
        shop.mqtt_port = mosquitto.port;
        shop.mosquitto = Some(mosquitto);
        shop.tls = Some(Tls {
            authority: authority.certificate(),
            agent: authority.sign(AGENT),
            collector: authority.sign("collector"),
        });
        (shop, authority)
    }

    /// Gives the agent another certificate; it is used from its next start on.
    ///
    /// # Panics
    /// When the broker asks for none.
    pub fn set_agent_certificate(&mut self, identity: Identity) {
        self.tls.as_mut().expect("a broker that asks for certificates").agent = identity;
    }

    /// Puts other lines into the collector's `[mail]`, in place of the directory of letters.
    pub fn set_mail(&mut self, lines: &str) {
        self.mail = lines.to_owned();
    }

    /// Puts other lines into the collector's `[deadlines]`.
    pub fn set_deadlines(&mut self, lines: &str) {
        self.deadlines = lines.to_owned();
    }

    /// Puts a device of another dialect on the line, whose slips are printed by whom the collector's settings call so.
    pub fn set_dialect(&mut self, dialect: &str, who_prints: &str) {
        (self.dialect, self.who_prints) = (dialect.to_owned(), who_prints.to_owned());
    }

    /// Calls the shop otherwise, and has its letters written in another language.
    pub fn set_language(&mut self, language: &str, title: &str) {
        (self.language, self.title) = (language.to_owned(), title.to_owned());
    }

    /// Names another agent in the collector's settings.
    pub fn set_agent_listed(&mut self, agent: &str) {
        self.agent_listed = agent.to_owned();
    }

    /// Writes the collector's settings anew and asks it to read them.
    ///
    /// # Panics
    /// When it does not run.
    pub fn reload_collector(&mut self) {
        self.write_collector_settings();
        self.collector.as_mut().expect("it runs").signal(libc::SIGHUP);
    }

    fn write_collector_settings(&self) -> PathBuf {
        let settings = self.path().join("collector.toml");
        std::fs::write(&settings, self.collector_settings()).expect("settings can be written");
        settings
    }

    /// Gives it `count` terminals, all on the one line; their numbers.
    pub fn set_terminals(&mut self, count: usize) -> Vec<String> {
        self.terminals = (1..=count).map(|number| format!("{:08}", 10_000_000 + number)).collect();
        self.terminals.clone()
    }

    /// Gives it one terminal of this number, judged by these lines of the collector's settings, and an agent with these
    /// sources.
    pub fn set_lines(&mut self, terminal: &str, judged: &str, sources: &str) {
        self.terminals = vec![terminal.to_owned()];
        self.judged = Some(judged.to_owned());
        self.sources = Some(sources.to_owned());
    }

    /// The device beside the till.
    ///
    /// # Panics
    /// While it is away, being played on.
    pub fn device(&mut self) -> &mut Device {
        self.device.as_mut().expect("the device is here")
    }

    /// Takes the device away to play on it; [`Shop::put_device`] brings it back.
    ///
    /// # Panics
    /// When it is away already.
    pub fn take_device(&mut self) -> Device {
        self.device.take().expect("the device is here")
    }

    /// Brings the device back.
    pub fn put_device(&mut self, device: Device) {
        self.device = Some(device);
    }

    /// Says all words of a payment at once, down the line.
    pub fn tell(&mut self, payment: &Payment) {
        self.tell_words(payment, &payment.spoken);
    }

    /// Says some of a payment's words at once.
    pub fn tell_words(&mut self, payment: &Payment, words: &[Spoken]) {
        for &spoken in words {
            let bytes = Voice::KeyValue.bytes(payment, spoken, now_ms());
            self.device().write(&bytes);
        }
    }

    /// Where all of it lies.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A directory of its own below [`Shop::path`].
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn subdirectory(&self, name: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(&path).expect("a directory can be made");
        path
    }

    /// Where the broker listens.
    pub fn mqtt_port(&self) -> u16 {
        self.mqtt_port
    }

    /// Where the status page and the metrics are.
    pub fn http_port(&self) -> u16 {
        self.http_port
    }

    /// Starts the agent and waits until it says that it reads.
    pub fn start_agent(&mut self) {
        let settings = self.path().join("agent.toml");
        std::fs::write(&settings, self.agent_settings()).expect("settings can be written");
        let mut command = Command::new(binary("slipwatch-agent"));
        command.args(["run", "--config"]).arg(&settings).env("RUST_LOG", "debug");
        let process = Process::spawn("agent", &mut command, self.path());
        self.agent = Some(process);
    }

    /// Starts the collector and waits until its page answers.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start_collector(&mut self) {
        let settings = self.write_collector_settings();
        let mut command = Command::new(binary("slipwatch-collector"));
        command.args(["run", "--config"]).arg(&settings).env("RUST_LOG", "debug");
        let mut process = Process::spawn("collector", &mut command, self.path());
        let port = self.http_port;
        process.until("a page with metrics", || page(port, "/metrics"));
        self.collector = Some(process);
    }

    /// Starts both.
    pub fn open(&mut self) {
        self.start_collector();
        self.start_agent();
    }

    /// How often the agent's log has said `text`, over all its lives.
    pub fn agent_log_count(&self, text: &str) -> usize {
        let log = std::fs::read(self.path().join("agent.log")).unwrap_or_default();
        String::from_utf8_lossy(&log).matches(text).count()
    }

    /// Waits until the agent has read everything that was written to the device.
    ///
    /// # Panics
    /// When it does not.
    pub fn wait_until_read(&mut self) {
        wait_for("the agent to read the line", || self.device().is_read().then_some(()));
    }

    /// `kill -9` of the agent.
    pub fn kill_agent(&mut self) {
        if let Some(mut process) = self.agent.take() {
            process.kill();
        }
    }

    /// `kill -9` of the collector.
    pub fn kill_collector(&mut self) {
        if let Some(mut process) = self.collector.take() {
            process.kill();
        }
    }

    fn agent_settings(&self) -> String {
        if let Some(sources) = &self.sources {
            return self.agent_settings_at("127.0.0.1", &self.path().join("spool"), sources);
        }
        // Where a line carries many terminals, its text says which.
        let terminal = match self.terminals.as_slice() {
            [one] => format!("terminal = \"{one}\"\n"),
            _ => String::new(),
        };
        let (port, dialect) = (self.port.display(), &self.dialect);
        let till = format!(
            "[[source]]\nname = \"till\"\ndialect = \"{dialect}\"\n{terminal}serial = {{ port = \"{port}\" }}\n"
        );
        self.agent_settings_at("127.0.0.1", &self.path().join("spool"), &till)
    }

    /// The settings of an agent that finds the broker at `host`, keeps its spool at `spool` and reads these sources.
    pub fn agent_settings_at(&self, host: &str, spool: &Path, sources: &str) -> String {
        let tls = self.tls.as_ref().map_or(String::new(), |tls| {
            format!(
                "ca_file = {:?}\ncertificate_file = {:?}\nkey_file = {:?}\n",
                tls.authority, tls.agent.certificate, tls.agent.key
            )
        });
        let (spool, port) = (spool.display(), self.mqtt_port);
        format!(
            "store = \"{STORE}\"\nagent = \"{AGENT}\"\npulse_ms = 200\n\n\
             [broker]\nhost = \"{host}\"\nport = {port}\nkeep_alive_s = 5\nretry_ms_first = 50\nretry_ms_last = 500\n{tls}\n\
             [spool]\ndirectory = \"{spool}\"\ncommit_ms = 20\nballast_mb = 1\n\n\
             [send]\nresend_ms = 1000\ndrain_ms = 1000\n\n{sources}"
        )
    }

    fn collector_settings(&self) -> String {
        let mut text = format!("[store]\npath = \"{}\"\n\n", self.path().join("store").display());
        let port = self.mqtt_port;
        let written = match self.mosquitto {
            None => write!(text, "[broker.embedded]\nlisten = \"127.0.0.1:{port}\"\n\n"),
            Some(_) => write!(text, "[broker.external]\nhost = \"127.0.0.1\"\nport = {port}\n\n"),
        };
        if let Some(Tls { authority, collector, .. }) = &self.tls {
            let Identity { certificate, key } = collector;
            let table = "[broker.external.tls]";
            let files = format!("ca = {authority:?}\ncertificate = {certificate:?}\nkey = {key:?}");
            text.push_str(&format!("{table}\n{files}\n\n"));
        }
        written.expect("memory takes it");
        let written = write!(
            text,
            "[http]\nlisten = \"127.0.0.1:{}\"\npublic_url = \"http://127.0.0.1:{}\"\n\n\
             [mail]\nfrom = \"slipwatch <slipwatch@example.com>\"\noperations = []\nletters_per_hour_max = 1000\n\
             cool_down_s = 0.5\nburst_per_minute_max = 1000\n{}\n\
             [deadlines]\n{}\n\
             [[shop]]\nname = \"{STORE}\"\ntitle = \"{}\"\nlanguage = \"{}\"\nmail = [\"owner@example.com\"]\n\
             time_zone = \"+08:00\"\nagents = [\"{}\"]\n",
            self.http_port,
            self.http_port,
            self.mail,
            self.deadlines,
            self.title,
            self.language,
            self.agent_listed,
        );
        written.expect("memory takes it");
        let who_prints = &self.who_prints;
        for number in &self.terminals {
            let judged = match &self.judged {
                Some(judged) => judged.clone(),
                None => format!("who_prints = \"{who_prints}\"\ncopies = 2\n"),
            };
            let written = write!(text, "\n[[shop.terminal]]\nnumber = \"{number}\"\n{judged}");
            written.expect("memory takes it");
        }
        text
    }

    /// The collector's metrics, when they can be had.
    pub fn metrics(&self) -> Option<String> {
        page(self.http_port, "/metrics")
    }

    /// One of the collector's series.
    pub fn sample(&self, series: &str) -> Option<f64> {
        sample(&self.metrics()?, series)
    }

    /// What the collector has stored; absent before its first start.
    pub fn stored(&self) -> Option<Stored> {
        Stored::open(&self.path().join("store"))
    }

    /// Waits until the collector has stored that the agent's line is open.
    ///
    /// # Panics
    /// When it does not come to that.
    #[track_caller]
    pub fn wait_until_heard(&self) {
        self.wait_until_open(1);
    }

    /// Waits until the collector has stored that this many of the agent's lines are open, and no more.
    ///
    /// # Panics
    /// When it does not come to that.
    #[track_caller]
    pub fn wait_until_open(&self, lines: usize) {
        wait_for(format_args!("{lines} lines to be open for the collector"), || {
            (self.stored()?.lines_open() == lines).then_some(())
        });
    }

    /// Waits until this is said of the payment; panics with what was said instead.
    ///
    /// # Panics
    /// When it is not said in time.
    #[track_caller]
    pub fn wait_for_verdict(&self, payment: &Payment, verdict: &str) {
        wait_for(format_args!("{verdict} of {} {:06}", payment.terminal, payment.stan), || {
            let said = self.stored()?.verdict(payment)?;
            (said.0 == verdict).then_some(())
        });
    }

    /// The letters that lie in the directory of letters.
    pub fn letters(&self) -> Vec<Letter> {
        letters(&self.path().join("mail"))
    }
}

impl Default for Shop {
    fn default() -> Shop {
        Shop::new()
    }
}
