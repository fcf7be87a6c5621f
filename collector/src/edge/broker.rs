//! The embedded broker: plain TCP for one box or a trusted network. It keeps everything in memory and drops messages
//! of a subscriber that falls behind, without a word; so it is sized for every agent's window, and the agents send
//! again whatever was not committed. Never offered with TLS or user names: a broker of its own does that.

use rumqttd::{ConnectionSettings, RouterConfig, ServerSettings};
use std::collections::HashMap;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::BorrowedFd;
use std::time::Duration;

/// Largest message it takes, in bytes: a frame of 64 KiB and its topic, with room.
const PAYLOAD_BYTES_MAX: usize = 256 * 1024;
/// Batches of one agent that may be on their way at once: its window, doubled by a resend, doubled for safety.
const BATCHES_PER_AGENT_MAX: usize = 4;
/// Segments of a topic's log; a subscriber that is further behind loses messages.
const SEGMENTS_MAX: usize = 16;
/// Connections beside the agents': the collector, old ones that time out, a person who looks.
const CONNECTIONS_SPARE: usize = 64;
/// How often its port is tried after the start, and how long each try waits.
const PORT_TRIES_MAX: u32 = 200;
const PORT_TRY: Duration = Duration::from_millis(25);
/// How often another free port is picked, where none was asked for.
const FREE_PORT_TRIES_MAX: u32 = 5;

/// Why there is no broker.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// Somebody else listens there, or it may not be used.
    #[error("the embedded broker cannot listen on {address}: is another broker running there?")]
    Address {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// It was started and its port does not answer.
    #[error("the embedded broker was started on {address} and does not answer")]
    Silent {
        /// Where it should listen.
        address: SocketAddr,
    },
    /// Its thread could not be started.
    #[error("the embedded broker's thread cannot be started")]
    Thread(#[source] std::io::Error),
}

/// Starts the broker in threads of its own, which end with the process, and tells where it listens. Port 0 asks for
/// any free one.
///
/// The library says nothing when it cannot listen; so the port is tried before and after.
pub fn start(listen: SocketAddr, agents_max: u32) -> Result<SocketAddr, BrokerError> {
    let mut tries = 0;
    loop {
        let address = free_address(listen)?;
        tries += 1;
        match start_on(address, agents_max) {
            Err(BrokerError::Silent { .. })
                if listen.port() == 0 && tries < FREE_PORT_TRIES_MAX => {}
            Err(error) => return Err(error),
            Ok(()) => return Ok(address),
        }
    }
}

/// The address itself where it is free; with port 0 one that is free now.
pub fn free_address(listen: SocketAddr) -> Result<SocketAddr, BrokerError> {
    let bound = std::net::TcpListener::bind(listen).and_then(|listener| listener.local_addr());
    bound.map_err(|source| BrokerError::Address { address: listen, source })
}

fn start_on(address: SocketAddr, agents_max: u32) -> Result<(), BrokerError> {
    let mut broker = rumqttd::Broker::new(settings(address, agents_max));
    let thread = std::thread::Builder::new().name("broker".to_owned());
    let run = move || {
        if let Err(error) = broker.start() {
            tracing::error!(%error, "the embedded broker ended");
        }
    };
    thread.spawn(run).map_err(BrokerError::Thread)?;
    for _ in 0..PORT_TRIES_MAX {
        // The listening socket itself is the sign; to knock would be told as an error by the library.
        if send_at_once(address) {
            return Ok(());
        }
        wait(PORT_TRY);
    }
    // Without /proc there is no socket to be seen: knock once.
    match TcpStream::connect_timeout(&crate::config::reachable(address), PORT_TRY) {
        Ok(_) => {
            tracing::warn!(
                "the embedded broker answers slowly: its listening socket was not found"
            );
            Ok(())
        }
        Err(_) => Err(BrokerError::Silent { address }),
    }
}

#[allow(clippy::disallowed_methods)] // Nothing tells when a foreign thread listens; this is the start, once.
fn wait(time: Duration) {
    std::thread::sleep(time);
}

fn settings(address: SocketAddr, agents_max: u32) -> rumqttd::Config {
    let agents = agents_max as usize;
    let in_flight_bytes = agents * BATCHES_PER_AGENT_MAX * PAYLOAD_BYTES_MAX;
    let connections = ConnectionSettings {
        connection_timeout_ms: 10_000,
        max_payload_size: PAYLOAD_BYTES_MAX,
        // Also the most retained messages that a new subscription is given: one state an agent.
        max_inflight_count: (agents + CONNECTIONS_SPARE).clamp(100, 10_000),
        auth: None,
        external_auth: None,
        dynamic_filters: false,
    };
    let server = ServerSettings {
        name: "slipwatch".to_owned(),
        listen: address,
        tls: None,
        next_connection_delay_ms: 1,
        connections,
    };
    rumqttd::Config {
        id: 0,
        router: RouterConfig {
            max_connections: agents + CONNECTIONS_SPARE,
            max_outgoing_packet_count: 200,
            max_segment_size: (in_flight_bytes / SEGMENTS_MAX).max(PAYLOAD_BYTES_MAX),
            max_segment_count: SEGMENTS_MAX,
            ..RouterConfig::default()
        },
        v4: Some(HashMap::from([("slipwatch".to_owned(), server)])),
        ..rumqttd::Config::default()
    }
}

/// The library has no setting for TCP_NODELAY, and without it each acknowledgement stalls for 40 ms. Linux hands the
/// option of a listening socket to each connection it accepts, so it is set there: on the one socket of this process
/// that listens on `address`. Tells whether there is one.
fn send_at_once(address: SocketAddr) -> bool {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return false };
    for entry in entries.flatten() {
        let Some(number) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok())
        else {
            continue;
        };
        // SAFETY: the number was listed a moment ago. If another thread closed it since, the calls below answer
        // EBADF; if it was opened anew, it is left alone unless it listens on this very address.
        let socket = unsafe { BorrowedFd::borrow_raw(number) };
        let socket = socket2::SockRef::from(&socket);
        let listens = socket.is_listener().unwrap_or(false);
        let local = socket.local_addr().ok().and_then(|local| local.as_socket());
        if listens && local == Some(address) {
            if let Err(error) = socket.set_tcp_nodelay(true) {
                tracing::warn!(%error, "the embedded broker answers slowly: TCP_NODELAY was refused");
            }
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any_port() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 0))
    }

    #[test]
    fn a_port_that_is_taken_is_an_error_that_names_it() {
        let taken = std::net::TcpListener::bind(any_port()).unwrap();
        let address = taken.local_addr().unwrap();
        let error = start(address, 10).expect_err("the port is taken");
        assert!(error.to_string().contains(&address.to_string()), "{error}");
    }

    #[test]
    fn the_broker_answers_on_the_port_it_tells() {
        let address = start(any_port(), 10).unwrap();
        assert_ne!(address.port(), 0);
        TcpStream::connect(address).unwrap();
    }
}
