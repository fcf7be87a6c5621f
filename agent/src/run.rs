//! The loop: what happens goes into the core, what the core wants is done. Decides nothing itself.

use crate::agent::{Agent, Effect, Input, Report};
use crate::config::{Config, secret::Places};
use crate::edge::clock::{Clock, wall};
use crate::edge::seal_key;
use crate::edge::service::Service;
use crate::edge::source::{self, Ended, Outlet, Word, command, file, serial};
use crate::edge::spool::disk::DiskSettings;
use crate::edge::spool::open::{self, OpenError, Spool};
use crate::edge::spool::status::{self, STATUS_MS, Status};
use crate::edge::spool::thread::{SpoolThread, SpoolWord};
use crate::edge::uplink::{Uplink, UplinkOrder, UplinkSettings, UplinkWord};
use crate::spool::bookmark::Bookmark;
use crate::spool::seal::Sealer;
use anyhow::Context;
use slipwatch_shared::event::{Epoch, SourceId};
use slipwatch_shared::times::Uptime;
use std::future::Future;
use std::path::Path;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// How long the end waits for the disk.
const SETTLE_MS_MAX: u64 = 10_000;
/// How long the end waits for the uplink's farewell.
const FAREWELL_MS_MAX: u64 = 3_000;
/// How often a full disk is asked again at the start.
const FULL_RETRY_MS: u64 = 2_000;
/// The loop comes round at least this often.
const WAKE_MS_MAX: u64 = 60_000;

/// Runs an agent until `shutdown` is ready; relative paths of the settings begin at `base`. Sources are closed, all that
/// was read is on disk, and the planned death was said when it returns. Settings that come meanwhile through `reloads`,
/// sound ones, take the place of the old ones: all sources are closed and opened anew, which the stream shows as a hole.
pub async fn run(
    mut config: Config,
    base: &Path,
    shutdown: impl Future<Output = ()>,
    mut reloads: mpsc::Receiver<Config>,
) -> anyhow::Result<()> {
    let mut service = Service::of_process();
    tokio::pin!(shutdown);
    loop {
        let spool = tokio::select! {
            spool = open_spool(&config, &mut service) => spool?,
            () = &mut shutdown => return Ok(()),
        };
        let mut life = Life::begin(&config, base, spool)?;
        service.ready("reading");
        match life.live(&mut service, shutdown.as_mut(), &mut reloads).await {
            LifeEnd::Stopped => {
                service.stopping();
                life.close().await;
                life.drain().await;
                life.farewell().await;
                return Ok(());
            }
            LifeEnd::Reloaded(new) => {
                // What is kept need not be sent before the sources are heard again.
                life.close().await;
                life.farewell().await;
                config = *new;
                tracing::info!(sources = config.sources.len(), "the new settings are in force");
            }
            LifeEnd::Broken(what) => {
                tracing::error!(what, "the spool cannot be read any more; it is opened anew");
            }
        }
    }
}

/// Where the spool of these settings is.
pub fn disk_settings(config: &Config) -> DiskSettings {
    let spool = &config.spool;
    DiskSettings {
        directory: spool.directory.clone(),
        cache_bytes: spool.cache_mb << 20,
        ballast_bytes: spool.ballast_mb << 20,
        reserve_bytes: spool.reserve_mb << 20,
        rebuild_bytes: spool.rebuild_mb << 20,
        quarantine_max: spool.quarantine_max,
    }
}

/// Opens the spool; waits while its disk is full.
async fn open_spool(config: &Config, service: &mut Service) -> Result<Spool, OpenError> {
    let clock = Clock::of_machine();
    let mut told = false;
    loop {
        let settings = disk_settings(config);
        let epoch = first_epoch();
        let opened = tokio::task::spawn_blocking(move || open::open(&settings, epoch)).await;
        match opened.expect("opening does not panic: the store's panics are caught inside") {
            Err(OpenError::Full { directory }) => {
                if !std::mem::replace(&mut told, true) {
                    tracing::error!(
                        directory,
                        "the disk is full: waiting for room before anything is read"
                    );
                    service.status("waiting for room on the disk");
                }
            }
            opened => return opened.inspect(tell_opened),
        }
        service.ping(clock.uptime(), None);
        tokio::time::sleep(Duration::from_millis(FULL_RETRY_MS)).await;
    }
}

/// Names a new life of the numbering, where one must begin: by the wall clock, or, on a machine that does not know the
/// time, by chance.
pub fn first_epoch() -> Epoch {
    const YEAR_2024_MS: u64 = 1_704_067_200_000;
    let by_clock = u64::try_from(wall().0).unwrap_or(0);
    match by_clock >= YEAR_2024_MS {
        true => Epoch(by_clock),
        false => Epoch(crate::edge::clock::jitter() >> 24),
    }
}

/// What signs the stream. An agent without its key goes on: an unsigned stream is worth more than none.
fn sealer(config: &Config) -> Option<Sealer> {
    match seal_key::read_or_make(&config.spool.directory) {
        Ok(secret) => Some(Sealer::new(&secret, config.store.clone(), config.agent.clone())),
        Err(error) => {
            tracing::error!(%error, "the signing key cannot be read or made; the stream is not signed");
            None
        }
    }
}

fn tell_opened(spool: &Spool) {
    if let Some((place, what)) = &spool.quarantined {
        tracing::error!(place = %place.display(), what, "the spool was damaged; it was put aside and a fresh one begun");
    }
    let opened = &spool.opened;
    if opened.unreadable > 0 || opened.holes > 0 {
        let (unreadable, holes) = (opened.unreadable, opened.holes);
        tracing::error!(
            unreadable,
            holes,
            "records of the spool could not be read; the stream says which are lost"
        );
    }
    if let Some((from, through)) = opened.start.lost {
        tracing::error!(
            from = from.0,
            through = through.0,
            "events may be lost; the stream says so"
        );
    }
    let (records, bytes, next) = (opened.held.groups, opened.held.bytes, opened.start.next.0);
    tracing::info!(records, bytes, next, epoch = opened.start.epoch.0, "the spool is open");
}

enum LifeEnd {
    Stopped,
    Reloaded(Box<Config>),
    Broken(String),
}

/// The agent with its edges, from one opening of the spool to its end.
struct Life {
    config: Config,
    agent: Agent,
    clock: Clock,
    spool: SpoolThread,
    spool_words: mpsc::UnboundedReceiver<SpoolWord>,
    uplink: Uplink,
    source_words: mpsc::Receiver<(SourceId, Word)>,
    sources: Vec<JoinHandle<Result<(), Ended>>>,
    /// Since when the storage owes an answer.
    waiting_since: Option<Uptime>,
    status_due: Uptime,
    connected: bool,
}

impl Drop for Life {
    fn drop(&mut self) {
        self.sources.iter().for_each(JoinHandle::abort);
    }
}

impl Life {
    fn begin(config: &Config, base: &Path, spool: Spool) -> anyhow::Result<Life> {
        let clock = Clock::of_machine();
        let mut settings = config.settings(base)?;
        settings.spool.sealer = sealer(config);
        let opened = spool.opened.clone();
        let agent = Agent::start(settings, opened.start, opened.held, clock.read());
        let (words_out, spool_words) = mpsc::unbounded_channel();
        let spool = SpoolThread::start(spool, words_out).context("starting the spool's thread")?;
        let uplink = UplinkSettings {
            broker: config.broker.clone(),
            store: config.store.clone(),
            agent: config.agent.clone(),
            places: Places::of_process(base),
            session_file: config.spool.directory.join("session"),
        };
        let uplink = Uplink::start(uplink, clock.clone());
        uplink.numbers().set(agent.numbers());
        let (words_out, source_words) = mpsc::channel(source::WORDS_MAX);
        let sources = config.sources.iter().enumerate().map(|(at, source)| {
            let id = SourceId(u16::try_from(at + 1).expect("the number of sources is bounded"));
            let known = opened.bookmarks.iter().find(|(name, _)| name.as_ref() == source.name);
            let bookmark = known.map(|(_, bookmark)| *bookmark);
            let outlet = Outlet::new(id, words_out.clone());
            start_source(source, config.pulse_ms, bookmark, outlet, clock.clone())
        });
        Ok(Life {
            config: config.clone(),
            sources: sources.collect(),
            agent,
            clock,
            spool,
            spool_words,
            uplink,
            source_words,
            waiting_since: None,
            status_due: Uptime(0),
            connected: false,
        })
    }

    /// Until told to stop, or until the spool cannot be read any more.
    async fn live(
        &mut self,
        service: &mut Service,
        mut shutdown: impl Future<Output = ()> + Unpin,
        reloads: &mut mpsc::Receiver<Config>,
    ) -> LifeEnd {
        let timer = tokio::time::sleep(Duration::ZERO);
        tokio::pin!(timer);
        self.handle(Input::Tick);
        loop {
            let now = self.clock.uptime();
            service.ping(now, self.waiting_since);
            self.write_status_when_due(now);
            let wakes = [self.agent.wake_at(), service.wake_at()];
            let wake_ms =
                wakes.into_iter().flatten().min().map_or(WAKE_MS_MAX, |at| at.ms_since(now));
            let deadline =
                tokio::time::Instant::now() + Duration::from_millis(wake_ms.min(WAKE_MS_MAX));
            timer.as_mut().reset(deadline);
            tokio::select! {
                biased;
                () = &mut shutdown => return LifeEnd::Stopped,
                Some(new) = reloads.recv() => return LifeEnd::Reloaded(Box::new(new)),
                word = self.uplink.next_word() => self.hear_uplink(word),
                word = self.spool_words.recv() => match self.hear_spool(word) {
                    Ok(()) => {}
                    Err(what) => return LifeEnd::Broken(what),
                },
                word = self.source_words.recv(), if self.agent.has_room() => {
                    if let Some((source, word)) = word {
                        self.hear_source(source, word);
                    }
                }
                () = &mut timer => self.handle(Input::Tick),
            }
        }
    }

    /// Ends listening in good order: what was read is kept.
    async fn close(&mut self) {
        self.sources.iter().for_each(JoinHandle::abort);
        self.source_words.close();
        // What sources had handed over was read, so it counts.
        while let Ok((source, word)) = self.source_words.try_recv() {
            self.hear_source(source, word);
        }
        self.handle(Input::Stop);
        let settle = Duration::from_millis(SETTLE_MS_MAX);
        let settled = |life: &Life| life.agent.plan().is_settled();
        if tokio::time::timeout(settle, self.until(settled)).await.is_err() {
            tracing::error!("the disk did not take the last events in time");
        }
    }

    /// Sends what is kept, as far as it goes.
    async fn drain(&mut self) {
        let drain = Duration::from_millis(self.config.send.drain_ms);
        let drained = |life: &Life| !life.connected || life.agent.plan().is_drained();
        let _ = tokio::time::timeout(drain, self.until(drained)).await;
    }

    /// Says the planned death.
    async fn farewell(&mut self) {
        self.uplink.order(UplinkOrder::Stop);
        let farewell = Duration::from_millis(FAREWELL_MS_MAX);
        let _ = tokio::time::timeout(farewell, async {
            while !matches!(self.uplink.next_word().await, Some(UplinkWord::Ended) | None) {}
        })
        .await;
        self.write_status();
    }

    /// Goes on without sources until something holds.
    async fn until(&mut self, holds: impl Fn(&Life) -> bool) {
        while !holds(self) {
            let now = self.clock.uptime();
            let wake_ms = self.agent.wake_at().map_or(WAKE_MS_MAX, |at| at.ms_since(now));
            tokio::select! {
                word = self.uplink.next_word() => self.hear_uplink(word),
                word = self.spool_words.recv() => if self.hear_spool(word).is_err() { return },
                () = tokio::time::sleep(Duration::from_millis(wake_ms)) => self.handle(Input::Tick),
            }
        }
    }

    fn hear_source(&mut self, source: SourceId, word: Word) {
        match &word {
            Word::Opened { bookmark } => {
                self.handle(Input::SourceOpened { source, bookmark: *bookmark });
            }
            Word::Bytes { direction, bytes, place } => {
                let (direction, place) = (*direction, *place);
                self.handle(Input::Bytes { source, direction, bytes, place });
            }
            Word::Idle => self.handle(Input::SourceIdle { source }),
            Word::Overrun => {
                tracing::warn!(
                    source = source.0,
                    "bytes came faster than they could be kept; some are gone"
                );
                self.handle(Input::SourceOverrun { source });
            }
            Word::Lost { reason } => self.handle(Input::SourceLost { source, reason: *reason }),
        }
    }

    fn hear_spool(&mut self, word: Option<SpoolWord>) -> Result<(), String> {
        match word {
            Some(SpoolWord::Answer(answer)) => {
                self.waiting_since = None;
                self.handle(Input::Storage(answer));
                Ok(())
            }
            Some(SpoolWord::Broken(what)) => Err(what),
            None => Err("the spool's thread ended".to_owned()),
        }
    }

    fn hear_uplink(&mut self, word: Option<UplinkWord>) {
        match word {
            Some(UplinkWord::Connected) => {
                let broker = &self.config.broker;
                tracing::info!(broker = format!("{}:{}", broker.host, broker.port), "connected");
                self.connected = true;
                self.handle(Input::Connected);
            }
            Some(UplinkWord::Disconnected { why }) => {
                tracing::warn!(why, "not connected; events are kept");
                self.connected = false;
                self.handle(Input::Disconnected);
            }
            Some(UplinkWord::Committed(commit)) => self.handle(Input::Committed(commit)),
            Some(UplinkWord::Requested(request)) => self.handle(Input::Requested(request)),
            Some(UplinkWord::Ended) | None => self.connected = false,
        }
    }

    /// One thing happened: the core takes it, and what it wants is done.
    fn handle(&mut self, input: Input<'_>) {
        let now = self.clock.read();
        self.agent.handle(now, input);
        while let Some(effect) = self.agent.next_effect() {
            match effect {
                Effect::Storage(order) => {
                    self.waiting_since.get_or_insert(now.uptime);
                    self.spool.order(order);
                }
                Effect::Publish(batch) => {
                    // One that is not taken is sent again: nothing was forgotten.
                    let _ = self.uplink.order(UplinkOrder::Publish(batch));
                }
                Effect::Report(report) => tell(report),
            }
        }
        self.uplink.numbers().set(self.agent.numbers());
    }

    fn write_status_when_due(&mut self, now: Uptime) {
        if now >= self.status_due {
            self.status_due = now.plus_ms(STATUS_MS);
            self.write_status();
        }
    }

    fn write_status(&self) {
        let plan = self.agent.plan();
        let (epoch, first, next) = plan.numbers();
        let held = plan.held();
        let status = Status {
            wall_ms: wall().0,
            pid: Some(std::process::id()),
            epoch: epoch.0,
            records: held.groups,
            events: next.0.saturating_sub(first.0),
            bytes: held.bytes,
            first_seq: first.0,
            next_seq: next.0,
            committed_through: plan.committed().0,
            oldest_wall_ms: None,
        };
        status::write(&self.config.spool.directory, &status);
    }
}

fn start_source(
    source: &crate::config::Source,
    pulse_ms: u64,
    bookmark: Option<Bookmark>,
    outlet: Outlet,
    clock: Clock,
) -> JoinHandle<Result<(), Ended>> {
    // Twice a pulse, so that each pulse has something new to say.
    let idle_ms = (pulse_ms / 2).max(1);
    if let Some(settings) = &source.command {
        return tokio::spawn(command::run(settings.clone(), bookmark, idle_ms, outlet, clock));
    }
    match (&source.serial, &source.file) {
        (Some(_), _) => tokio::spawn(serial::run(source.receivers(), idle_ms, outlet, clock)),
        (None, Some(settings)) => {
            tokio::spawn(file::run(settings.clone(), bookmark, idle_ms, outlet))
        }
        (None, None) => {
            unreachable!("the settings were checked: a source is a port, a file or a program")
        }
    }
}

fn tell(report: Report) {
    match report {
        Report::ClockStepped { by_ms } => tracing::warn!(by_ms, "the wall clock was stepped"),
        Report::StorageRefused { reason } => {
            tracing::error!(?reason, "the spool takes nothing; sources wait once memory is full");
        }
        Report::StorageRecovered => tracing::info!("the spool takes events again"),
        Report::Evicting { bytes } => {
            tracing::error!(
                bytes,
                "the spool is at its quota; the oldest events go, the stream says which"
            );
        }
        Report::ForeignEpoch { epoch } => {
            tracing::debug!(
                epoch,
                "a word for another life of the numbering, or for none, is ignored"
            );
        }
        Report::EpochBegun { epoch } => {
            tracing::error!(
                epoch = epoch.0,
                "the collector knows numbers that this spool never gave: a new epoch begins"
            );
        }
        Report::Resending { from } => {
            tracing::warn!(
                from = from.0,
                "no commit came in time; sent again. Likely the collector is down, its settings do not list this shop and agent, or \
                 the broker drops what comes under another name than the certificate's (`slipwatch-agent check`)"
            )
        }
        Report::Requested { from } => {
            tracing::info!(from = from.0, "the collector asked for events again")
        }
    }
}
