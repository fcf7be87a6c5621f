//! MQTT: what agents sent goes to the thread that judges, and its replies go out. Each connection is a new client with
//! a clean session, for the library loses and wedges across reconnects; nothing depends on one connection, since
//! agents send again what was not committed. Acknowledges nothing to an agent by itself.

use crate::commit::Reply;
use crate::config::{Config, ConfigError, ExternalBroker};
use rumqttc::{
    AsyncClient, ClientError, ConnectionError, Event, EventLoop, MqttOptions, NetworkOptions,
};
use rumqttc::{Packet, QoS, SubscribeFilter, SubscribeReasonCode, TlsConfiguration, Transport};
use slipwatch_shared::backoff::Backoff;
use slipwatch_shared::times::ArrivalTime;
use slipwatch_shared::wire::topic::{Channel, Topic};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Largest packet either way, in bytes; the library's own limit of 10 KiB would kill the connection.
const PACKET_BYTES_MAX: usize = 256 * 1024;
/// Publishes on their way that the broker has not acknowledged.
const INFLIGHT_MAX: u16 = 100;
/// Publishes that wait for the connection's task.
const REQUESTS_MAX: usize = 256;
const KEEP_ALIVE: Duration = Duration::from_secs(20);
const CONNECT_SECONDS_MAX: u64 = 10;
/// How long a full queue may hold a message up before the connection is given up: it is taken up again when there is
/// room, and then the broker tells the retained states and the agents their batches anew.
const QUEUE_WAIT_MAX: Duration = Duration::from_secs(10);
const WAIT_MS_FIRST: u64 = 250;
const WAIT_MS_MAX: u64 = 30_000;
const STABLE_MS: u64 = 60_000;

/// What the intake tells the thread that judges.
#[derive(Debug)]
pub enum Arrival {
    /// A connection stands and its subscriptions are acknowledged: commits are to be told again.
    Connected,
    /// There is none.
    Disconnected,
    /// A message of an agent.
    Message {
        /// On which topic: a batch or a state.
        topic: Topic,
        /// Its bytes.
        payload: Vec<u8>,
        /// When it came.
        arrived: ArrivalTime,
    },
    /// A message on a topic that is none of ours.
    Foreign,
}

/// Where and how to connect.
#[derive(Clone, Debug)]
pub enum Target {
    /// The broker of this process.
    Embedded(SocketAddr),
    /// One that runs elsewhere.
    External(Box<ExternalBroker>),
}

/// Why a connection ended, or did not begin.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// A certificate, key or password cannot be read.
    #[error("what the connection needs cannot be read")]
    Settings(#[from] ConfigError),
    /// A file cannot be read.
    #[error("cannot read {path}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The broker cannot be reached, refused, or went away.
    #[error("the broker cannot be reached, refused, or went away")]
    Connection(#[from] Box<ConnectionError>),
    /// The library refused a request.
    #[error("the MQTT client refused a request")]
    Client(#[from] Box<ClientError>),
    /// The broker does not let the collector hear its agents.
    #[error(
        "the broker refused the subscription to {filters}: check its access list for this user"
    )]
    Refused {
        /// To what.
        filters: String,
    },
    /// The thread that judges does not keep up, or the store is not to be written.
    #[error("the queue was full for {} s", QUEUE_WAIT_MAX.as_secs())]
    Full,
    /// The collector is stopping.
    #[error("the collector is stopping")]
    Stopping,
}

/// The connection's options; also what `check` connects with.
pub fn options(config: &Config, target: &Target) -> Result<MqttOptions, IntakeError> {
    let mut options = match target {
        Target::Embedded(address) => {
            let address = crate::config::reachable(*address);
            MqttOptions::new("slipwatch-collector", address.ip().to_string(), address.port())
        }
        Target::External(broker) => external_options(config, broker)?,
    };
    options.set_clean_session(true);
    options.set_keep_alive(KEEP_ALIVE);
    options.set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX);
    options.set_inflight(INFLIGHT_MAX);
    Ok(options)
}

fn external_options(config: &Config, broker: &ExternalBroker) -> Result<MqttOptions, IntakeError> {
    let mut options = MqttOptions::new(&broker.client_id, &broker.host, broker.port);
    if let Some(login) = &broker.login {
        options.set_credentials(&login.user, config.secret(&login.password_file)?);
    }
    if let Some(tls) = &broker.tls {
        let read = |path: &std::path::Path| {
            let path = config.beside(path);
            std::fs::read(&path)
                .map_err(|source| IntakeError::File { path: path.display().to_string(), source })
        };
        let ca = read(&tls.ca)?;
        let client_auth = match &tls.client {
            // A key may be a secret of the service; a certificate never is.
            Some((certificate, key)) => {
                Some((read(certificate)?, config.secret(key)?.into_bytes()))
            }
            None => None,
        };
        let simple = TlsConfiguration::Simple { ca, alpn: None, client_auth };
        options.set_transport(Transport::tls_with_config(simple));
    }
    Ok(options)
}

/// A client that sends at once; requests are taken up to `requests_max`.
pub fn client(options: MqttOptions) -> (AsyncClient, EventLoop) {
    let (client, mut events) = AsyncClient::new(options, REQUESTS_MAX);
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    network.set_connection_timeout(CONNECT_SECONDS_MAX);
    events.set_network_options(network);
    (client, events)
}

/// Connects, listens and replies until the collector stops; connects again after each failure.
pub async fn run(
    config: Config,
    target: Target,
    queue: mpsc::Sender<Arrival>,
    mut replies: mpsc::Receiver<Reply>,
    mut stopping: watch::Receiver<bool>,
) {
    let mut backoff = Backoff::new(WAIT_MS_FIRST, WAIT_MS_MAX, STABLE_MS);
    loop {
        let connected = connection(&config, &target, &queue, &mut replies, &mut backoff);
        let ended = tokio::select! {
            ended = connected => ended,
            _ = stopping.wait_for(|&stop| stop) => return,
        };
        let Err(error) = ended else { return };
        // Waits for room: a connection is of no use while the queue is full.
        let told = tokio::select! {
            told = queue.send(Arrival::Disconnected) => told,
            _ = stopping.wait_for(|&stop| stop) => return,
        };
        if matches!(error, IntakeError::Stopping) || told.is_err() {
            return;
        }
        let wait_ms = backoff.failed(super::clock::uptime(), super::clock::jitter());
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        tracing::warn!(%error, cause, wait_ms, "no connection to the broker");
        let wait = tokio::time::sleep(Duration::from_millis(wait_ms));
        tokio::pin!(wait);
        loop {
            tokio::select! {
                () = &mut wait => break,
                _ = stopping.wait_for(|&stop| stop) => return,
                // What is told meanwhile is told again by the next connection.
                reply = replies.recv() => if reply.is_none() { return },
            }
        }
    }
}

async fn connection(
    config: &Config,
    target: &Target,
    queue: &mpsc::Sender<Arrival>,
    replies: &mut mpsc::Receiver<Reply>,
    backoff: &mut Backoff,
) -> Result<(), IntakeError> {
    let filters = filters(target);
    let (client, events) = client(options(config, target)?);
    let (ready_sender, mut ready) = mpsc::channel(1);
    let listener =
        Listener { client: client.clone(), filters, queue: queue.clone(), ready: ready_sender };
    // A task of its own: the library's poll must not be cancelled halfway.
    let mut listening = AbortOnDrop(tokio::spawn(listener.run(events)));
    loop {
        tokio::select! {
            ended = &mut listening.0 => return ended.unwrap_or(Err(IntakeError::Stopping)),
            Some(()) = ready.recv() => backoff.succeeded(super::clock::uptime()),
            reply = replies.recv() => {
                let Some(reply) = reply else {
                    let _ = client.try_disconnect();
                    return Ok(());
                };
                let topic = reply.topic.to_string();
                let publish = client.publish(topic, QoS::AtLeastOnce, reply.retain, reply.payload);
                tokio::select! {
                    sent = publish => sent.map_err(Box::new)?,
                    ended = &mut listening.0 => return ended.unwrap_or(Err(IntakeError::Stopping)),
                }
            }
        }
    }
}

struct AbortOnDrop(tokio::task::JoinHandle<Result<(), IntakeError>>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn filters(target: &Target) -> Vec<String> {
    match target {
        Target::External(broker) if !broker.slots.is_empty() => {
            broker.slots.iter().flat_map(|&slot| Topic::filters_of_slot(slot)).collect()
        }
        _ => Topic::filters_of_fleet().to_vec(),
    }
}

struct Listener {
    client: AsyncClient,
    filters: Vec<String>,
    queue: mpsc::Sender<Arrival>,
    ready: mpsc::Sender<()>,
}

impl Listener {
    async fn run(self, mut events: EventLoop) -> Result<(), IntakeError> {
        loop {
            match events.poll().await.map_err(Box::new)? {
                Event::Incoming(Packet::ConnAck(_)) => {
                    let filters = self.filters.iter();
                    let filters =
                        filters.map(|path| SubscribeFilter::new(path.clone(), QoS::AtLeastOnce));
                    self.client.try_subscribe_many(filters).map_err(Box::new)?;
                }
                Event::Incoming(Packet::SubAck(answer)) => {
                    if answer.return_codes.contains(&SubscribeReasonCode::Failure) {
                        return Err(IntakeError::Refused { filters: self.filters.join(", ") });
                    }
                    tracing::info!("connected to the broker");
                    let _ = self.ready.try_send(());
                    self.tell(Arrival::Connected).await?;
                }
                Event::Incoming(Packet::Publish(publish)) => {
                    self.tell(arrival(&publish.topic, &publish.payload)).await?;
                }
                _ => {}
            }
        }
    }

    async fn tell(&self, arrival: Arrival) -> Result<(), IntakeError> {
        match self.queue.send_timeout(arrival, QUEUE_WAIT_MAX).await {
            Ok(()) => Ok(()),
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => Err(IntakeError::Full),
            Err(mpsc::error::SendTimeoutError::Closed(_)) => Err(IntakeError::Stopping),
        }
    }
}

fn arrival(topic: &str, payload: &[u8]) -> Arrival {
    match topic.parse::<Topic>() {
        Ok(topic) if matches!(topic.channel, Channel::Batch | Channel::State) => {
            Arrival::Message { topic, payload: payload.to_vec(), arrived: super::clock::now() }
        }
        _ => Arrival::Foreign,
    }
}

/// Connects once and subscribes, as `check` does; tells why that fails.
pub async fn try_once(config: &Config, target: &Target) -> Result<(), IntakeError> {
    // Another client id: the running collector must not be thrown out.
    let mut options = options(config, target)?;
    options.set_client_id(format!("{}-check", options.client_id()));
    let (client, events) = client(options);
    let (queue, mut arrivals) = mpsc::channel(1);
    let (ready, _) = mpsc::channel(1);
    let listener = Listener { client: client.clone(), filters: filters(target), queue, ready };
    let mut listening = AbortOnDrop(tokio::spawn(listener.run(events)));
    let answered = tokio::select! {
        ended = &mut listening.0 => ended.unwrap_or(Err(IntakeError::Stopping)),
        // Only what arrives is an answer: a queue that ended tells that the listener did.
        Some(_) = arrivals.recv() => Ok(()),
    };
    let _ = client.try_disconnect();
    answered
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[tokio::test]
    async fn a_broker_that_closes_the_door_is_no_broker_that_answers() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        // Takes each connection and ends it, as a broker does that refuses a password.
        tokio::spawn(async move { while listener.accept().await.is_ok() {} });
        let config = Config::parse(Path::new("collector.toml"), "store.path = \"/x\"").unwrap();
        for _ in 0..20 {
            let answer = try_once(&config, &Target::Embedded(address)).await;
            assert!(matches!(answer, Err(IntakeError::Connection(_))), "{answer:?}");
        }
    }
}
