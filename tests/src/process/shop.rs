//! A whole shop out of real parts: a device on a pseudo-terminal, the agent's and the collector's programs, and a broker
//! between them; each part can be taken away and put back. Settings are short-timed; meanings are the shipped ones.

use super::mail::{Letter, letters};
use super::mosquitto::Mosquitto;
use super::port::Device;
use super::{Process, binary, free_port, page, sample};
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

/// What a shop is made of.
pub struct Shop {
    directory: TempDir,
    /// The device beside the till.
    pub device: Device,
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
        let deadlines = "slip_suspect_s = 0.8\nslip_alert_s = 1.5\nreversal_pending_s = 2\n\
             reversal_after_last_sale_s = 2\nanswer_wait_s = 3\nduplicate_window_s = 60\nagent_offline_s = 2\n";
        Shop {
            directory,
            device,
            mosquitto: None,
            agent: None,
            collector: None,
            http_port: free_port(),
            mqtt_port: free_port(),
            mail,
            deadlines: deadlines.to_owned(),
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

    /// Puts other lines into the collector's `[mail]`, in place of the directory of letters.
    pub fn set_mail(&mut self, lines: &str) {
        self.mail = lines.to_owned();
    }

    /// Puts other lines into the collector's `[deadlines]`.
    pub fn set_deadlines(&mut self, lines: &str) {
        self.deadlines = lines.to_owned();
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
        let settings = self.path().join("collector.toml");
        std::fs::write(&settings, self.collector_settings()).expect("settings can be written");
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
        let (spool, port) = (self.path().join("spool"), self.mqtt_port);
        format!(
            "store = \"{STORE}\"\nagent = \"{AGENT}\"\npulse_ms = 200\n\n\
             [broker]\nhost = \"127.0.0.1\"\nport = {port}\nkeep_alive_s = 5\nretry_ms_first = 50\nretry_ms_last = 500\n\n\
             [spool]\ndirectory = \"{}\"\ncommit_ms = 20\nballast_mb = 1\n\n\
             [send]\nresend_ms = 1000\ndrain_ms = 1000\n\n\
             [[source]]\nname = \"till\"\nprofile = \"kv-en\"\nterminal = \"{TERMINAL}\"\nserial = {{ port = \"{}\" }}\n",
            spool.display(),
            self.device.path().display(),
        )
    }

    fn collector_settings(&self) -> String {
        let mut text = format!("[store]\npath = \"{}\"\n\n", self.path().join("store").display());
        let port = self.mqtt_port;
        let written = match self.mosquitto {
            None => write!(text, "[broker.embedded]\nlisten = \"127.0.0.1:{port}\"\n\n"),
            Some(_) => write!(text, "[broker.external]\nhost = \"127.0.0.1\"\nport = {port}\n\n"),
        };
        written.expect("memory takes it");
        let written = write!(
            text,
            "[http]\nlisten = \"127.0.0.1:{}\"\npublic_url = \"http://127.0.0.1:{}\"\n\n\
             [mail]\nfrom = \"slipwatch <slipwatch@example.com>\"\noperations = []\nletters_per_hour_max = 10000\n\
             cool_down_s = 0.5\nburst_per_minute_max = 10000\n{}\n\
             [deadlines]\n{}\n\
             [[shop]]\nname = \"{STORE}\"\ntitle = \"Corner shop\"\nlanguage = \"en\"\nmail = [\"owner@example.com\"]\n\
             time_zone = \"+08:00\"\nagents = [\"{AGENT}\"]\n\n\
             [[shop.terminal]]\nnumber = \"{TERMINAL}\"\ntitle = \"Till 1\"\nwho_prints = \"terminal\"\ncopies = 1\n",
            self.http_port, self.http_port, self.mail, self.deadlines,
        );
        written.expect("memory takes it");
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
