//! The loop: `collector.rs` joined with the edges. One thread judges and stores; around it stand the intake, the post,
//! the pages, and what systemd wants to know. Decides nothing about payments itself.

pub mod complaint;
pub mod error;
mod post;
pub mod settlement;
mod turn;
mod watch;

pub use error::StartError;

use crate::collector::{Collector, Settings};
use crate::config::{BrokerConfig, Config, MailRoad};
use crate::edge::broker;
use crate::edge::console::{self, Health, Pages};
use crate::edge::intake::{self, Arrival, Target};
use crate::edge::mail::Post;
use crate::edge::store::sqlite::SqliteStore;
use crate::edge::store::{Store, StoreError, owner};
use crate::metrics::Metrics;
use slipwatch_shared::times::Uptime;
use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, RwLock};
use std::thread;
use tokio::sync::{mpsc, watch as flag};
use tokio::task::JoinSet;
use turn::{Core, Order};
use watch::Beat;

/// Replies to agents that wait for the connection; what finds no room is told again on the agent's next batch.
const REPLIES_MAX: usize = 4096;
/// Orders that wait for the thread that judges.
const ORDERS_MAX: usize = 16;

/// A collector that runs. Dropping it leaves the process' end to stop it; [`Running::stop`] does it in good order.
pub struct Running {
    broker: Option<SocketAddr>,
    http: SocketAddr,
    config: Arc<RwLock<Arc<Config>>>,
    metrics: Metrics,
    orders: mpsc::Sender<Order>,
    stop: flag::Sender<bool>,
    stop_core: flag::Sender<bool>,
    core: Option<thread::JoinHandle<()>>,
    core_ended: flag::Receiver<bool>,
    tasks: JoinSet<()>,
    beat: Arc<Beat>,
    /// Let go last.
    _lock: Lock,
}

/// The file of the store, in its directory.
pub const STORE_FILE: &str = "collector.sqlite";

/// Whether there is a store already that this user may read: for commands that are to make none.
pub fn store_is_there(config: &Config) -> Result<(), StoreError> {
    SqliteStore::open_reader(&config.beside(&config.store).join(STORE_FILE)).map(drop)
}

/// Opens the store that the settings name; makes its directory where there is none.
pub fn open_store(config: &Config) -> Result<SqliteStore, StoreError> {
    let directory = config.beside(&config.store);
    let cannot = |source| StoreError::Path { path: directory.display().to_string(), source };
    // SQLite's own words for a directory that cannot be written tell less.
    owner::make_directory(&directory).map_err(cannot)?;
    let probe = directory.join(".slipwatch-check");
    let written = std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe));
    match written {
        // A full disk is waited for, not given up on.
        Err(source) if source.kind() != std::io::ErrorKind::StorageFull => Err(cannot(source)),
        _ => SqliteStore::open(&directory.join(STORE_FILE)),
    }
}

/// Held for as long as a collector runs on a store; the system lets it go with the process, however that ends.
#[derive(Debug)]
struct Lock {
    _directory: File,
}

/// Locks the directory of the store against a second collector. Commands that run beside one do not ask for it.
fn lock_store(config: &Config) -> Result<Lock, StartError> {
    let directory = config.beside(&config.store);
    let path = || directory.display().to_string();
    let cannot = |source| StoreError::Path { path: path(), source };
    owner::make_directory(&directory).map_err(cannot)?;
    // The directory itself: a full disk has no room for a file.
    let opened = File::open(&directory).map_err(cannot)?;
    match opened.try_lock() {
        Ok(()) => Ok(Lock { _directory: opened }),
        Err(TryLockError::WouldBlock) => Err(StartError::InUse { directory: path() }),
        Err(TryLockError::Error(source)) => Err(cannot(source).into()),
    }
}

/// Whether a collector runs on the store that the settings name.
pub fn is_running(config: &Config) -> bool {
    let directory = File::open(config.beside(&config.store));
    directory.is_ok_and(|directory| matches!(directory.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Starts a collector and returns once it listens: broker, pages and store stand. Any port may be 0; the ones that were
/// taken are told by [`Running::broker_address`] and [`Running::http_address`].
pub async fn start(config: Config) -> Result<Running, StartError> {
    // Twice is no matter: two collectors of one process share it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let lock = lock_store(&config)?;
    let metrics = Metrics::register();
    metrics.store.reasons(&StoreError::LABELS);
    let mut store = open_store(&config)?;
    let snapshot = store.load()?;
    let pages_reader = store.reader()?;
    let post_reader = store.reader()?;
    let (target, broker) = match &config.broker {
        BrokerConfig::Embedded { listen, agents_max } => {
            let (listen, agents_max) = (*listen, *agents_max);
            let started = tokio::task::spawn_blocking(move || broker::start(listen, agents_max));
            let address = started.await.expect("starting the broker does not panic")?;
            (Target::Embedded(address), Some(address))
        }
        BrokerConfig::External(external) => (Target::External(Box::new(external.clone())), None),
    };
    let listener = tokio::net::TcpListener::bind(config.http.listen)
        .await
        .map_err(|source| StartError::Http { address: config.http.listen, source })?;
    let http = listener
        .local_addr()
        .map_err(|source| StartError::Http { address: config.http.listen, source })?;

    let settings = settings(&config, http);
    metrics.agents.settings(&settings.policies.agents, config.http.lines_per);
    metrics.queue_holds(config.limits.queue_messages_max);
    for row in &snapshot.agents {
        metrics.agents.heard(&row.name, row.heard, row.presence);
    }
    let (queue, arrivals) = mpsc::channel::<Arrival>(config.limits.queue_messages_max);
    let (replies, outgoing) = mpsc::channel(REPLIES_MAX);
    let (orders, orders_taken) = mpsc::channel(ORDERS_MAX);
    let (stop, stopping) = flag::channel(false);
    let (stop_core, core_stopping) = flag::channel(false);
    let (core_ended_sender, core_ended) = flag::channel(false);
    let beat = Arc::new(Beat::default());
    let core = Core {
        retained: turn::retained(&snapshot.agents),
        collector: Collector::restore(settings, snapshot),
        store: Box::new(store),
        arrivals,
        orders: orders_taken,
        replies,
        stopping: core_stopping,
        turn_messages_max: config.limits.turn_messages_max,
        metrics: metrics.clone(),
        beat: Arc::clone(&beat),
        retention: config.retention,
        forget_at: Uptime::default(),
        marks: Vec::new(),
    };
    let core = thread::Builder::new()
        .name("core".to_owned())
        .spawn(move || core.run(core_ended_sender))
        .map_err(StartError::Thread)?;

    let mut tasks = JoinSet::new();
    tasks.spawn(intake::run(config.clone(), target, queue, outgoing, stopping.clone()));
    let config = Arc::new(RwLock::new(Arc::new(config)));
    let health = health(metrics.clone(), Arc::clone(&beat));
    let imports = Arc::new(settlement::uploads::IntoStore::new(Arc::clone(&config)));
    let desk =
        Box::new(complaint::ComplaintDesk::beside(Arc::clone(&config), Some(metrics.clone()))?);
    let (reload, counted) = (Arc::clone(&config), metrics.clone());
    let pages = Pages::new(pages_reader, desk, reload, counted, health, imports);
    tasks.spawn(console::serve(listener, pages, stopping.clone()));
    tasks.spawn(settlement::rounds::run(Arc::clone(&config), stopping.clone()));
    tasks.spawn(complaint::rounds::run(Arc::clone(&config), metrics.clone(), stopping.clone()));
    let mail = config.read().expect("no holder of this lock panics").mail.clone();
    match mail {
        Some(mail) => {
            let post = Post::new(&config.read().expect("no holder of this lock panics"), &mail)?;
            post.prepare()?;
            let rounds = post::Rounds {
                post,
                reader: post_reader,
                orders: orders.clone(),
                metrics: metrics.clone(),
                burst_per_minute_max: mail.burst_per_minute_max,
            };
            tasks.spawn(rounds.run(stopping));
        }
        None => tracing::warn!("no [mail] in the settings: nobody is written to"),
    }
    Ok(Running {
        broker,
        http,
        config,
        metrics,
        orders,
        stop,
        stop_core,
        core: Some(core),
        core_ended,
        tasks,
        beat,
        _lock: lock,
    })
}

fn settings(config: &Config, http: SocketAddr) -> Settings {
    let mut letters = config.letters();
    // Files in a directory are read on this machine: a link of this machine is better than none.
    let local =
        config.mail.as_ref().is_some_and(|mail| matches!(mail.road, MailRoad::Directory(_)));
    if letters.public_url.is_none() && local {
        letters.public_url = Some(format!("http://{}", crate::config::reachable(http)));
    }
    Settings { policies: config.policies(), letters }
}

fn health(metrics: Metrics, beat: Arc<Beat>) -> Arc<dyn Fn() -> Health + Send + Sync> {
    Arc::new(move || {
        let (moving, storing) = (beat.is_moving(), !metrics.store.is_blocked());
        Health { ok: moving && storing, moving, storing, broker: metrics.broker_is_connected() }
    })
}

impl Running {
    /// Where the embedded broker listens, if there is one.
    pub fn broker_address(&self) -> Option<SocketAddr> {
        self.broker
    }

    /// Where metrics, health and console are.
    pub fn http_address(&self) -> SocketAddr {
        self.http
    }

    /// Its series.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Takes other shops, agents, terminals, deadlines and letter settings; tells which keys need a restart.
    pub async fn reload(&self, new: Config) -> Vec<&'static str> {
        let old = Arc::clone(&self.config.read().expect("no holder of this lock panics"));
        let fixed = old.fixed_differences(&new);
        let settings = settings(&new, self.http);
        self.metrics.agents.settings(&settings.policies.agents, old.http.lines_per);
        let merged = Config {
            store: old.store.clone(),
            retention: old.retention,
            broker: old.broker.clone(),
            http: old.http.clone(),
            ..new
        };
        *self.config.write().expect("no holder of this lock panics") = Arc::new(merged);
        let _ = self.orders.send(Order::Reload(Box::new(settings))).await;
        self.metrics.reloaded(true);
        fixed
    }

    /// Reads the settings file again; a wrong one keeps the old one running.
    pub async fn reload_file(&self, path: &Path) {
        match Config::load(path) {
            Ok(new) => {
                let fixed = self.reload(new).await;
                tracing::info!(path = %path.display(), "settings taken");
                if !fixed.is_empty() {
                    tracing::warn!(
                        keys = fixed.join(", "),
                        "these settings changed and need a restart"
                    );
                }
            }
            Err(error) => {
                self.metrics.reloaded(false);
                tracing::error!(%error, "the new settings are wrong, the old ones stay in force");
            }
        }
    }

    /// Waits until the thread that judges has ended by itself, which it never should.
    pub async fn ended(&mut self) {
        let _ = self.core_ended.wait_for(|&ended| ended).await;
    }

    /// Whether the thread that judges moved on since the last call.
    pub fn has_moved(&self) -> bool {
        self.beat.has_moved()
    }

    /// Stops in good order: nothing new is taken in, the letter on its way is finished, what was taken in is stored.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        let end = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(watch::STOP_MAX, end).await.is_err() {
            tracing::warn!("some connections were cut off");
            self.tasks.shutdown().await;
        }
        let _ = self.stop_core.send(true);
        if let Some(core) = self.core.take() {
            let joined = tokio::task::spawn_blocking(move || core.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("the thread that judges ended by a panic");
            }
        }
    }
}

/// Runs until SIGTERM or SIGINT; SIGHUP reads the settings again.
pub async fn run_until_signal(config: Config) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let path = config.path.clone();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut running = start(config).await?;
    tracing::info!(
        broker = running.broker.map(|address| address.to_string()),
        http = %running.http,
        "the collector runs"
    );
    watch::notify(&[sd_notify::NotifyState::Ready]);
    let mut watchdog = watch::interval();
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => {
                watch::reloading();
                running.reload_file(&path).await;
                watch::notify(&[sd_notify::NotifyState::Ready]);
            }
            _ = watchdog.tick() => if running.has_moved() {
                watch::notify(&[sd_notify::NotifyState::Watchdog]);
            } else {
                tracing::error!("the thread that judges does not move");
            },
            () = running.ended() => anyhow::bail!("the thread that judges ended"),
        }
    }
    watch::notify(&[sd_notify::NotifyState::Stopping]);
    tracing::info!("stopping");
    running.stop().await;
    Ok(())
}

#[cfg(test)]
mod tests;
