//! What an agent needs around it to be measured: a broker, a collector's stand-in, a recording.

use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use slipwatch_agent::config::Config;
use slipwatch_shared::wire::envelope::{Commit, EventBatch};
use slipwatch_shared::wire::topic::{Channel, Topic};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::sync::oneshot;

/// A process that ends with its value.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Mosquitto on a free port.
pub fn broker(directory: &Path) -> (Process, u16) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = directory.join("mosquitto.conf");
    let text = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmax_queued_messages 0\n"
    );
    std::fs::write(&settings, text).unwrap();
    let system = Path::new("/usr/sbin/mosquitto");
    let program = if system.exists() { system } else { Path::new("mosquitto") };
    let child = Command::new(program).arg("-c").arg(&settings).stderr(Stdio::null()).spawn();
    (Process(child.expect("mosquitto is installed")), port)
}

/// A line of 149 bytes and its end, as a terminal's log has it.
pub fn line(at: usize) -> String {
    let line = format!(
        "2026-11-24 09:{:02}:{:02}.{:03} evt=auth_response kind=SALE tid=10000001 stan={:06} rrn={:012} amount={}.{:02} cur=CNY rc=00 auth=A1B2C3",
        at / 60_000 % 60,
        at / 1_000 % 60,
        at % 1_000,
        at % 1_000_000,
        at,
        1 + at % 900,
        at % 100
    );
    format!("{line:<149}\n")
}

/// Commits every batch as it comes, in a thread of its own; tells the last number once it has seen `events` of them.
pub fn collector(port: u16, config: &Config, events: u64, done: oneshot::Sender<u64>) {
    let topic = |channel| Topic::new(&config.store, &config.agent, channel).to_string();
    let (batch_topic, commit_topic) = (topic(Channel::Batch), topic(Channel::Commit));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(commit(port, batch_topic, commit_topic, events, done));
    });
    // A moment to subscribe: nothing is retained for it.
    std::thread::sleep(Duration::from_millis(500));
}

async fn commit(
    port: u16,
    batch_topic: String,
    commit_topic: String,
    events: u64,
    done: oneshot::Sender<u64>,
) {
    let mut options = MqttOptions::new("collector", "127.0.0.1", port);
    options.set_max_packet_size(1 << 20, 1 << 20);
    let (client, mut event_loop) = AsyncClient::new(options, 1_000);
    let mut network = event_loop.network_options();
    network.set_tcp_nodelay(true);
    event_loop.set_network_options(network);
    let mut done = Some(done);
    loop {
        match event_loop.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                client.try_subscribe(batch_topic.as_str(), QoS::AtLeastOnce).unwrap();
            }
            Ok(Event::Incoming(Packet::Publish(publish))) => {
                let batch = EventBatch::open(&publish.payload).unwrap();
                let commit = Commit { epoch: batch.epoch.0, through: batch.group.last_seq().0 };
                let frame = commit.to_frame();
                client.try_publish(commit_topic.as_str(), QoS::AtLeastOnce, true, frame).unwrap();
                if commit.through >= events
                    && let Some(done) = done.take()
                {
                    let _ = done.send(commit.through);
                }
            }
            Ok(_) => {}
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}
