//! One connection to the broker, from CONNECT to its end. It is not mended, it is replaced.

use super::{UplinkSettings, UplinkWord, tls};
use crate::config::Broker;
use crate::spool::sending::Batch;
use rumqttc::{
    AsyncClient, ConnectionError, Event, EventLoop, LastWill, MqttOptions, Packet, QoS, Transport,
};
use slipwatch_shared::wire::envelope::{AgentState, Commit, FRAME_BYTES_MAX, Request};
use slipwatch_shared::wire::topic::{Channel, Topic};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Largest MQTT packet either way: a frame and its topic, with room for a broker's own words.
const PACKET_BYTES_MAX: usize = 4 * FRAME_BYTES_MAX;
/// Requests that may wait inside the client.
const REQUESTS_MAX: usize = 256;
/// Unacknowledged publishes.
const IN_FLIGHT_MAX: u16 = 100;
/// How long connecting may take, up to the SUBACK.
const OPEN_S_MAX: u64 = 20;
/// How long the retained commit is waited for: it says where to go on.
const RETAINED_MS_MAX: u64 = 150;

/// One connection.
pub struct Connection {
    client: AsyncClient,
    events: mpsc::Receiver<Result<Event, ConnectionError>>,
    poller: JoinHandle<()>,
    session: u64,
    batch_topic: String,
    state_topic: String,
    heard: Vec<UplinkWord>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.poller.abort();
    }
}

/// The client's event loop is not to be cancelled between two packets, so it runs by itself and hands events over.
async fn poll(mut event_loop: EventLoop, events: mpsc::Sender<Result<Event, ConnectionError>>) {
    loop {
        let event = event_loop.poll().await;
        let ended = event.is_err();
        let of_use = match &event {
            Ok(Event::Incoming(packet)) => !matches!(packet, Packet::PingResp),
            Ok(Event::Outgoing(_)) => false,
            Err(_) => true,
        };
        if of_use && events.send(event).await.is_err() || ended {
            return;
        }
    }
}

impl Connection {
    /// Connects, subscribes to the agent's own commits and requests, and waits until both can be heard.
    pub async fn open(
        settings: &UplinkSettings,
        session: u64,
        will: &AgentState,
    ) -> Result<Connection, String> {
        let UplinkSettings { store, agent, broker, .. } = settings;
        let topic = |channel| Topic::new(store, agent, channel).to_string();
        let options = options(settings, &topic(Channel::State), will)?;
        let (client, mut event_loop) = AsyncClient::new(options, REQUESTS_MAX);
        let mut network = event_loop.network_options();
        // Without it every acknowledgement waits for a delayed one of TCP, 40 ms.
        network.set_tcp_nodelay(true);
        network.set_connection_timeout(OPEN_S_MAX / 2);
        event_loop.set_network_options(network);
        let (events_out, events) = mpsc::channel(64);
        let mut connection = Connection {
            client,
            events,
            poller: tokio::spawn(poll(event_loop, events_out)),
            session,
            batch_topic: topic(Channel::Batch),
            state_topic: topic(Channel::State),
            heard: Vec::new(),
        };
        let filters = [topic(Channel::Commit), topic(Channel::Request)];
        let opening =
            tokio::time::timeout(Duration::from_secs(OPEN_S_MAX), connection.subscribe(filters));
        let where_to = format!("{}:{}", broker.host, broker.port);
        match opening.await {
            Ok(opened) => opened.map_err(|why| format!("{where_to}: {why}"))?,
            Err(_) => return Err(format!("{where_to}: no answer within {OPEN_S_MAX} s")),
        }
        let retained = Duration::from_millis(RETAINED_MS_MAX);
        if let Ok(Ok(Some(word))) = tokio::time::timeout(retained, connection.hear()).await {
            connection.heard.push(word);
        }
        Ok(connection)
    }

    /// Connects and leaves again: whether the broker lets this agent in. It comes under another client id, since the
    /// same one would push a running agent off.
    pub async fn probe(settings: &UplinkSettings, will: &AgentState) -> Result<(), String> {
        let mut options = options(settings, "", will)?;
        options.set_client_id(format!("{}-check", settings.agent));
        let (client, mut event_loop) = AsyncClient::new(options, REQUESTS_MAX);
        loop {
            match event_loop.poll().await {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    client.try_disconnect().map_err(|error| error.to_string())?;
                    let _ = event_loop.poll().await;
                    return Ok(());
                }
                Ok(_) => {}
                Err(error) => {
                    let Broker { host, port, .. } = &settings.broker;
                    return Err(format!("{host}:{port}: {}", words_of(&error)));
                }
            }
        }
    }

    /// The client does not check the numbers of subscriptions against those in flight: they go alone, first.
    async fn subscribe(&mut self, filters: [String; 2]) -> Result<(), String> {
        let mut to_acknowledge = 0;
        loop {
            match self.next_packet().await? {
                Packet::ConnAck(_) => {
                    for filter in &filters {
                        let asked = self.client.try_subscribe(filter.as_str(), QoS::AtLeastOnce);
                        asked.map_err(|error| error.to_string())?;
                        to_acknowledge += 1;
                    }
                }
                Packet::SubAck(answer) => {
                    let refused = |code: &rumqttc::SubscribeReasonCode| {
                        matches!(code, rumqttc::SubscribeReasonCode::Failure)
                    };
                    if answer.return_codes.iter().any(refused) {
                        return Err("the broker refuses this agent its own topics".to_owned());
                    }
                    to_acknowledge -= 1;
                    if to_acknowledge == 0 {
                        return Ok(());
                    }
                }
                packet => self.heard.extend(word_of(&packet)),
            }
        }
    }

    async fn next_packet(&mut self) -> Result<Packet, String> {
        loop {
            match self.events.recv().await {
                Some(Ok(Event::Incoming(packet))) => return Ok(packet),
                Some(Ok(Event::Outgoing(_))) => {}
                Some(Err(error)) => return Err(words_of(&error)),
                None => return Err("the connection ended".to_owned()),
            }
        }
    }

    /// The number of this connection.
    pub fn session(&self) -> u64 {
        self.session
    }

    /// What was heard while it was opened.
    pub fn take_heard(&mut self) -> Vec<UplinkWord> {
        std::mem::take(&mut self.heard)
    }

    /// The next packet; what it says, where it is for us.
    pub async fn hear(&mut self) -> Result<Option<UplinkWord>, String> {
        Ok(word_of(&self.next_packet().await?))
    }

    /// Publishes a batch; its acknowledgement by the broker means nothing.
    pub fn publish(&self, batch: Batch) -> Result<(), String> {
        let topic = self.batch_topic.as_str();
        let sent = self.client.try_publish(topic, QoS::AtLeastOnce, false, batch.frame);
        sent.map_err(|error| error.to_string())
    }

    /// Publishes the agent's state, retained.
    pub fn say_state(&self, state: &AgentState) -> Result<(), String> {
        let topic = self.state_topic.as_str();
        let sent = self.client.try_publish(topic, QoS::AtLeastOnce, true, state.to_frame());
        sent.map_err(|error| error.to_string())
    }

    /// Says the planned death, waits until the broker has it, and leaves.
    pub async fn say_farewell(&mut self, state: &AgentState) -> Result<(), String> {
        self.say_state(state)?;
        // Every publish of before is acknowledged earlier; a quiet moment after the last one is the sign.
        let quiet = Duration::from_millis(200);
        let mut acknowledged = false;
        loop {
            match tokio::time::timeout(quiet, self.next_packet()).await {
                Ok(Ok(Packet::PubAck(_))) => acknowledged = true,
                Ok(Ok(_)) => {}
                Ok(Err(why)) => return Err(why),
                Err(_) if acknowledged => break,
                Err(_) => {}
            }
        }
        self.client.try_disconnect().map_err(|error| error.to_string())?;
        while self.next_packet().await.is_ok() {}
        Ok(())
    }
}

fn options(
    settings: &UplinkSettings,
    state_topic: &str,
    will: &AgentState,
) -> Result<MqttOptions, String> {
    let broker = &settings.broker;
    let name = settings.agent.as_str();
    let mut options = MqttOptions::new(name, broker.host.as_str(), broker.port);
    options.set_clean_session(true);
    options.set_keep_alive(Duration::from_secs(broker.keep_alive_s.max(1).into()));
    options.set_inflight(IN_FLIGHT_MAX);
    options.set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX);
    if !state_topic.is_empty() {
        let will = LastWill::new(state_topic, will.to_frame(), QoS::AtLeastOnce, true);
        options.set_last_will(will);
    }
    let login = settings.login().map_err(|error| error.to_string())?;
    if let Some((user, password)) = login {
        options.set_credentials(user, password);
    }
    // Read anew for each connection: a certificate that was renewed is used from the next one on.
    let config = tls::client_config(broker, &settings.places).map_err(|error| error.to_string())?;
    if let Some(config) = config {
        let config = rumqttc::TlsConfiguration::Rustls(config);
        options.set_transport(Transport::tls_with_config(config));
    }
    Ok(options)
}

/// What a packet says, where it is one of the agent's own two topics and can be read.
fn word_of(packet: &Packet) -> Option<UplinkWord> {
    let Packet::Publish(publish) = packet else { return None };
    let topic: Topic = publish.topic.parse().ok()?;
    let read = match topic.channel {
        Channel::Commit => Commit::from_frame(&publish.payload).map(UplinkWord::Committed),
        Channel::Request => Request::from_frame(&publish.payload).map(UplinkWord::Requested),
        Channel::Batch | Channel::State => return None,
    };
    if let Err(error) = &read {
        tracing::warn!(topic = %publish.topic, %error, "a message from the collector cannot be read");
    }
    read.ok()
}

/// An error with its causes: the outermost alone says little.
fn words_of(error: &ConnectionError) -> String {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_words = inner.to_string();
        if !words.contains(&inner_words) {
            words.push_str(": ");
            words.push_str(&inner_words);
        }
        cause = inner.source();
    }
    words
}
