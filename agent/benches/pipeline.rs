//! The whole agent: a file of 150-byte lines to an MQTT broker, every event durable in the spool before it is sent and
//! committed by a collector's stand-in. Needs `mosquitto`. Prints lines a second.
//!
//!     cargo bench -p slipwatch-agent --bench pipeline -- [LINES]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "it measures time and prints it"
)]

use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use slipwatch_agent::config::{Config, File, Source};
use slipwatch_shared::wire::envelope::{Commit, EventBatch};
use slipwatch_shared::wire::topic::{Channel, Topic};
use std::io::Write;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

struct Broker(Child);

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn broker(directory: &std::path::Path) -> (Broker, u16) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = directory.join("mosquitto.conf");
    let text = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmax_queued_messages 0\n"
    );
    std::fs::write(&settings, text).unwrap();
    let program = ["/usr/sbin/mosquitto", "mosquitto"];
    let program =
        program.iter().find(|path| std::path::Path::new(path).exists()).unwrap_or(&"mosquitto");
    let child = Command::new(program).arg("-c").arg(&settings).stderr(Stdio::null()).spawn();
    (Broker(child.expect("mosquitto is installed")), port)
}

fn recording(path: &std::path::Path, lines: usize) {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    for at in 0..lines {
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
        writeln!(file, "{line:<149}").unwrap();
    }
    file.flush().unwrap();
}

/// Commits every batch as it comes; gives the last number once it has seen `events` of them.
async fn collector(port: u16, config: Config, events: u64, done: oneshot::Sender<u64>) {
    let mut options = MqttOptions::new("collector", "127.0.0.1", port);
    options.set_max_packet_size(1 << 20, 1 << 20);
    let (client, mut event_loop) = AsyncClient::new(options, 1_000);
    let mut network = event_loop.network_options();
    network.set_tcp_nodelay(true);
    event_loop.set_network_options(network);
    let topic = |channel| Topic::new(&config.store, &config.agent, channel).to_string();
    let commit_topic = topic(Channel::Commit);
    let mut done = Some(done);
    let mut seen = 0;
    loop {
        match event_loop.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                client.try_subscribe(topic(Channel::Batch), QoS::AtLeastOnce).unwrap();
            }
            Ok(Event::Incoming(Packet::Publish(publish))) => {
                let batch = EventBatch::open(&publish.payload).unwrap();
                let through = batch.group.last_seq().0;
                seen = seen.max(through);
                let commit = Commit { epoch: batch.epoch.0, through };
                let frame = commit.to_frame();
                client.try_publish(commit_topic.as_str(), QoS::AtLeastOnce, true, frame).unwrap();
                if seen >= events
                    && let Some(done) = done.take()
                {
                    let _ = done.send(seen);
                }
            }
            Ok(_) => {}
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

fn main() {
    if std::env::var_os("SLIPWATCH_LOG").is_some() {
        tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    }
    // Run by `cargo test` it only has to work.
    let default =
        if std::env::args().any(|argument| argument == "--bench") { 1_000_000 } else { 2_000 };
    let lines =
        std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(default);
    let directory = tempfile::tempdir().unwrap();
    let (_broker, port) = broker(directory.path());
    let path = directory.path().join("recording.log");
    recording(&path, lines);
    let mut config = Config::new("shop-1".parse().unwrap(), "till-1".parse().unwrap());
    config.broker.port = port;
    config.broker.retry_ms_first = 100;
    config.spool.directory = directory.path().join("spool");
    config.spool.quota_mb = 4_096;
    config.sources.push(Source {
        name: "recording".to_owned(),
        profile: "kv-en".to_owned(),
        terminal: None,
        two_way: false,
        hears_money: None,
        hears_slips: None,
        serial: None,
        file: Some(File { path, follow: false, from_start: true }),
    });
    // Every line is an event; opened, pulse and lost come on top.
    let events = lines as u64 + 2;
    let (done_out, done) = oneshot::channel();
    let of_collector = config.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(collector(port, of_collector, events, done_out));
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (seconds, seen) = runtime.block_on(async {
        // A moment for the collector to subscribe: nothing is retained for it.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let begun = Instant::now();
        let mut taken = (0.0, 0);
        let base = directory.path();
        let finished = async {
            let seen = done.await.unwrap_or(0);
            taken = (begun.elapsed().as_secs_f64(), seen);
        };
        slipwatch_agent::run::run(config, base, finished).await.unwrap();
        taken
    });
    println!(
        "{lines} lines, {seen} events committed, {seconds:.2} s: {:.0} lines/s",
        lines as f64 / seconds
    );
}
