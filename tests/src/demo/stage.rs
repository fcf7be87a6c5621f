//! The stage: a collector with its broker, its store and its pages, two agents, and a pseudo-terminal for each till, all
//! in this process and in one directory. Plays nothing itself.

use super::gate::Gate;
use super::scenario::{ALERT_MS, REVERSAL_PENDING_MS, SCENARIOS, SUSPECT_MS};
use super::words::Language;
use crate::process::port::Device;
use anyhow::Context;
use slipwatch_collector::config::Config as CollectorConfig;
use slipwatch_collector::run::Running;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// The demonstration's shop.
pub const STORE: &str = "demo-shop";

/// A line that is listened to in place of the simulated tills.
#[derive(Clone, Debug)]
pub struct RealLine {
    /// A serial port.
    pub port: PathBuf,
    /// How its text is read.
    pub dialect: String,
    /// Its speed.
    pub baud: u32,
    /// The terminal behind it, where its text shows none.
    pub terminal: String,
}

/// Everything that runs.
pub struct Stage {
    directory: PathBuf,
    /// A directory of our own goes with us.
    _temporary: Option<tempfile::TempDir>,
    /// The collector.
    pub collector: Running,
    /// Its settings, to find its store by.
    pub config: CollectorConfig,
    /// Each till's end of its line, in the order of the scenarios.
    pub devices: Vec<Device>,
    /// The line of the agent that is cut off.
    pub gate: Gate,
    agents: Vec<JoinHandle<anyhow::Result<()>>>,
    stop: watch::Sender<bool>,
}

impl Stage {
    /// Sets everything up and starts it; with a real line in place of the simulated tills where one is given.
    pub async fn set(
        state: Option<&Path>,
        language: Language,
        real: Option<&RealLine>,
    ) -> anyhow::Result<Stage> {
        let temporary = match state {
            Some(_) => None,
            None => Some(tempfile::Builder::new().prefix("slipwatch-demo-").tempdir()?),
        };
        let directory = match (&temporary, state) {
            (Some(temporary), _) => temporary.path().to_owned(),
            (None, state) => state.context("a state directory")?.to_owned(),
        };
        let mail = directory.join("mail");
        std::fs::create_dir_all(&mail)
            .with_context(|| format!("the directory {} cannot be made", directory.display()))?;
        let settings = collector_settings(&directory, language, real);
        let path = directory.join("collector.toml");
        std::fs::write(&path, &settings)?;
        let config = CollectorConfig::parse(&path, &settings)?;
        let collector = slipwatch_collector::run::start(config.clone()).await?;
        let broker = collector.broker_address().context("the embedded broker listens")?;
        let gate = Gate::to(broker).await?;
        let mut stage = Stage {
            directory,
            _temporary: temporary,
            collector,
            config,
            devices: Vec::new(),
            gate,
            agents: Vec::new(),
            stop: watch::Sender::new(false),
        };
        match real {
            Some(line) => stage.start_agent("demo-till", broker, &source_of_line(line))?,
            None => stage.open_tills(broker)?,
        }
        Ok(stage)
    }

    fn open_tills(&mut self, broker: SocketAddr) -> anyhow::Result<()> {
        let mut sources = [String::new(), String::new()];
        for scenario in &SCENARIOS {
            let link = self.directory.join(format!("tty-{}", scenario.terminal));
            self.devices.push(Device::plug_in(&link));
            let source = RealLine {
                port: link,
                dialect: scenario.voice.dialect().to_owned(),
                baud: 115_200,
                terminal: scenario.terminal.to_owned(),
            };
            sources[usize::from(scenario.cut_off)] += &source_of_line(&source);
        }
        let [steady, cut_off] = sources;
        self.start_agent("demo-till", broker, &steady)?;
        self.start_agent("demo-far-till", self.gate.address(), &cut_off)
    }

    fn start_agent(&mut self, name: &str, broker: SocketAddr, sources: &str) -> anyhow::Result<()> {
        let spool = self.directory.join(name);
        let settings = format!(
            "store = \"{STORE}\"\nagent = \"{name}\"\npulse_ms = 500\n\n\
             [broker]\nhost = \"{}\"\nport = {}\nretry_ms_first = 200\nretry_ms_last = 1000\n\n\
             [spool]\ndirectory = \"{}\"\ncommit_ms = 50\nballast_mb = 1\n\n\
             [send]\nresend_ms = 2000\n\n{sources}",
            broker.ip(),
            broker.port(),
            spool.display(),
        );
        let path = self.directory.join(format!("{name}.toml"));
        std::fs::write(&path, &settings)?;
        let config =
            slipwatch_agent::config::Config::parse(&path.display().to_string(), &settings)?;
        let base = self.directory.clone();
        let mut stop = self.stop.subscribe();
        self.agents.push(tokio::spawn(async move {
            let told = async move {
                let _ = stop.wait_for(|stop| *stop).await;
            };
            slipwatch_agent::run::run(config, &base, told, mpsc::channel(1).1).await
        }));
        Ok(())
    }

    /// Where the letters are.
    pub fn mail_directory(&self) -> PathBuf {
        self.directory.join("mail")
    }

    /// Where everything is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Ends all of it in good order: agents first, so that what they hold is taken in.
    pub async fn strike(self) -> anyhow::Result<()> {
        self.stop.send_replace(true);
        for agent in self.agents {
            agent.await.context("an agent's task")??;
        }
        self.collector.stop().await;
        Ok(())
    }
}

fn source_of_line(line: &RealLine) -> String {
    let RealLine { port, dialect, baud, terminal } = line;
    format!(
        "[[source]]\nname = \"{terminal}\"\ndialect = \"{dialect}\"\nterminal = \"{terminal}\"\n\
         serial = {{ port = \"{}\", baud = {baud} }}\n\n",
        port.display()
    )
}

fn collector_settings(directory: &Path, language: Language, real: Option<&RealLine>) -> String {
    let seconds = |ms: i64| ms as f64 / 1_000.0;
    let deadlines = match real {
        Some(_) => String::new(),
        None => format!(
            "[deadlines]\nslip_suspect_s = {:?}\nslip_alert_s = {:?}\nreversal_pending_s = {:?}\n\
             reversal_after_last_sale_s = {:?}\nanswer_wait_s = 30\nagent_offline_s = 5\n\n",
            seconds(SUSPECT_MS),
            seconds(ALERT_MS),
            seconds(REVERSAL_PENDING_MS),
            seconds(REVERSAL_PENDING_MS),
        ),
    };
    let mut text = format!(
        "[store]\npath = \"{store}\"\n\n[broker.embedded]\nlisten = \"127.0.0.1:0\"\n\n\
         [http]\nlisten = \"127.0.0.1:0\"\n\n\
         [mail]\nfrom = \"slipwatch <slipwatch@example.com>\"\noperations = []\ncool_down_s = 5\n\
         letters_per_hour_max = 1000\ndirectory = \"{mail}\"\n\n{deadlines}\
         [[shop]]\nname = \"{STORE}\"\ntitle = \"{title}\"\nlanguage = \"{language}\"\n\
         mail = [\"owner@example.com\"]\ntime_zone = \"+08:00\"\n\
         agents = [\"demo-till\", \"demo-far-till\"]\n\n",
        store = directory.join("store").display(),
        mail = directory.join("mail").display(),
        title = language.pick("演示门店", "Demo shop"),
        language = language.pick("zh-CN", "en"),
    );
    let terminals = match real {
        Some(line) => vec![line.terminal.as_str()],
        None => SCENARIOS.iter().map(|scenario| scenario.terminal).collect(),
    };
    for (index, terminal) in terminals.into_iter().enumerate() {
        let title = language.pick("收银台", "Till");
        let written = write!(
            text,
            "[[shop.terminal]]\nnumber = \"{terminal}\"\ntitle = \"{title} {}\"\n\
             who_prints = \"terminal\"\ncopies = 2\n\n",
            index + 1
        );
        written.expect("memory takes it");
    }
    text
}
