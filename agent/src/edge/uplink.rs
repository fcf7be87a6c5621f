//! MQTT: publish, hear commits, reconnect. A connection is used once: a new client for each, a clean session, nothing
//! of it trusted afterwards. Never decides what is sent, and never waits while it holds something.

pub mod connection;
pub mod tls;

use crate::config::{Broker, ConfigError, secret::Places};
use crate::edge::clock::{Clock, jitter, wall};
use crate::spool::sending::{Batch, WINDOW_MAX};
use connection::Connection;
use slipwatch_shared::backoff::Backoff;
use slipwatch_shared::event::{Epoch, Seq};
use slipwatch_shared::terminal::{AgentId, StoreId};
use slipwatch_shared::wire::envelope::{AgentState, AgentStatus, Commit, Request};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;

/// A connection that held this long was a good one: the next wait is short again.
const STABLE_MS: u64 = 60_000;
/// How long a planned death may take.
const FAREWELL_MS_MAX: u64 = 2_000;

/// What the loop tells the uplink.
#[derive(Debug)]
pub enum UplinkOrder {
    /// Publish a batch; dropped when there is no connection.
    Publish(Batch),
    /// Say the planned death and end.
    Stop,
}

/// What the uplink tells the loop.
#[derive(Debug)]
pub enum UplinkWord {
    /// A connection stands, commits can be heard, the birth was said.
    Connected,
    /// The connection is gone, or could not be made.
    Disconnected {
        /// Why.
        why: String,
    },
    /// The collector has stored numbers.
    Committed(Commit),
    /// The collector asks for numbers again.
    Requested(Request),
    /// The planned death was said, or could not be; the uplink has ended.
    Ended,
}

/// What birth, will and death say, kept up to date by the loop.
#[derive(Debug, Default)]
pub struct Numbers {
    epoch: AtomicU64,
    first: AtomicU64,
    next: AtomicU64,
}

impl Numbers {
    /// The numbers of now.
    pub fn set(&self, (epoch, first, next): (Epoch, Seq, Seq)) {
        self.epoch.store(epoch.0, Ordering::Relaxed);
        self.first.store(first.0, Ordering::Relaxed);
        self.next.store(next.0, Ordering::Relaxed);
    }

    /// What the agent says of itself.
    pub fn state(&self, session: u64, status: AgentStatus) -> AgentState {
        AgentState {
            session,
            status,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            epoch: self.epoch.load(Ordering::Relaxed),
            first_seq: self.first.load(Ordering::Relaxed),
            next_seq: self.next.load(Ordering::Relaxed),
        }
    }
}

/// What a connection needs to know.
#[derive(Clone, Debug)]
pub struct UplinkSettings {
    /// The broker.
    pub broker: Broker,
    /// Whose shop.
    pub store: StoreId,
    /// Which agent.
    pub agent: AgentId,
    /// Where secrets are.
    pub places: Places,
    /// Where the number of the last connection is kept.
    pub session_file: PathBuf,
}

impl UplinkSettings {
    /// The name and password for the broker, where it wants them.
    pub fn login(&self) -> Result<Option<(String, String)>, ConfigError> {
        let Broker { user, password_file, .. } = &self.broker;
        let password = password_file.as_deref();
        let password =
            password.map(|file| self.places.read_line("broker.password_file", file)).transpose()?;
        if user.is_none() && password.is_none() {
            return Ok(None);
        }
        let user = user.clone().unwrap_or_else(|| self.agent.to_string());
        Ok(Some((user, password.unwrap_or_default())))
    }

    /// The next connection's number: above every earlier one, also when the wall clock went back.
    fn next_session(&self) -> u64 {
        let last = std::fs::read_to_string(&self.session_file).unwrap_or_default();
        let last: u64 = last.trim().parse().unwrap_or(0);
        let session = u64::try_from(wall().0).unwrap_or(0).max(last.saturating_add(1));
        // Losing it costs no more than the wall clock's word for it.
        let beside = self.session_file.with_extension("new");
        let kept = std::fs::write(&beside, session.to_string());
        if let Err(error) = kept.and_then(|()| std::fs::rename(&beside, &self.session_file)) {
            tracing::debug!(%error, "the connection's number could not be kept");
        }
        session
    }
}

/// The loop's end of the uplink.
#[derive(Debug)]
pub struct Uplink {
    orders: mpsc::Sender<UplinkOrder>,
    words: mpsc::Receiver<UplinkWord>,
    numbers: Arc<Numbers>,
}

impl Uplink {
    /// Starts to connect, and goes on until told to stop.
    pub fn start(settings: UplinkSettings, clock: Clock) -> Uplink {
        // Publishing is never waited for: the window bounds what can be under way.
        let (orders, orders_in) = mpsc::channel(WINDOW_MAX * 2);
        let (words_out, words) = mpsc::channel(64);
        let numbers = Arc::new(Numbers::default());
        let line =
            Line { settings, clock, numbers: numbers.clone(), orders: orders_in, words: words_out };
        tokio::spawn(line.run());
        Uplink { orders, words, numbers }
    }

    /// What birth, will and death say.
    pub fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// Gives an order; false when the uplink cannot take one, which the resend makes good.
    pub fn order(&self, order: UplinkOrder) -> bool {
        self.orders.try_send(order).is_ok()
    }

    /// The next thing that the uplink says; nothing once it ended.
    pub async fn next_word(&mut self) -> Option<UplinkWord> {
        self.words.recv().await
    }
}

struct Line {
    settings: UplinkSettings,
    clock: Clock,
    numbers: Arc<Numbers>,
    orders: mpsc::Receiver<UplinkOrder>,
    words: mpsc::Sender<UplinkWord>,
}

/// How a connection ended.
enum End {
    Stopped,
    Broken(String),
}

impl Line {
    async fn run(mut self) {
        let Broker { retry_ms_first, retry_ms_last, .. } = self.settings.broker;
        let mut backoff = Backoff::new(retry_ms_first, retry_ms_last, STABLE_MS);
        loop {
            let end = match self.connect().await {
                Ok(connection) => {
                    backoff.succeeded(self.clock.uptime());
                    self.talk(connection).await
                }
                Err(end) => end,
            };
            let End::Broken(why) = end else { break };
            if self.words.send(UplinkWord::Disconnected { why }).await.is_err() {
                return;
            }
            let wait_ms = backoff.failed(self.clock.uptime(), jitter());
            if self.wait(Duration::from_millis(wait_ms)).await {
                break;
            }
        }
        let _ = self.words.send(UplinkWord::Ended).await;
    }

    /// Waits before the next try; true when told to stop meanwhile.
    async fn wait(&mut self, duration: Duration) -> bool {
        let over = tokio::time::sleep(duration);
        tokio::pin!(over);
        loop {
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(UplinkOrder::Publish(_)) => {}
                    Some(UplinkOrder::Stop) | None => return true,
                },
                () = &mut over => return false,
            }
        }
    }

    /// Connects, hears what is retained, says the birth.
    async fn connect(&mut self) -> Result<Connection, End> {
        let session = self.settings.next_session();
        let will = self.numbers.state(session, AgentStatus::Lost);
        let opening = Connection::open(&self.settings, session, &will);
        tokio::pin!(opening);
        let connection = loop {
            tokio::select! {
                opened = &mut opening => break opened.map_err(End::Broken)?,
                order = self.orders.recv() => match order {
                    Some(UplinkOrder::Publish(_)) => {}
                    Some(UplinkOrder::Stop) | None => return Err(End::Stopped),
                },
            }
        };
        let birth = self.numbers.state(session, AgentStatus::Online);
        connection.say_state(&birth).map_err(End::Broken)?;
        Ok(connection)
    }

    /// Publishes and hears until the connection ends.
    async fn talk(&mut self, mut connection: Connection) -> End {
        for word in connection.take_heard() {
            let _ = self.words.send(word).await;
        }
        if self.words.send(UplinkWord::Connected).await.is_err() {
            return End::Stopped;
        }
        loop {
            tokio::select! {
                heard = connection.hear() => match heard {
                    Ok(Some(word)) => { let _ = self.words.send(word).await; }
                    Ok(None) => {}
                    Err(why) => return End::Broken(why),
                },
                order = self.orders.recv() => match order {
                    Some(UplinkOrder::Publish(batch)) => {
                        if let Err(why) = connection.publish(batch) {
                            return End::Broken(why);
                        }
                    }
                    Some(UplinkOrder::Stop) | None => {
                        let state = self.numbers.state(connection.session(), AgentStatus::Stopped);
                        let farewell = connection.say_farewell(&state);
                        let _ = tokio::time::timeout(Duration::from_millis(FAREWELL_MS_MAX), farewell).await;
                        return End::Stopped;
                    }
                },
            }
        }
    }
}
