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

mod stand_in;

use slipwatch_agent::config::{Config, File, Source};
use std::io::Write;
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

fn main() {
    if std::env::var_os("SLIPWATCH_LOG").is_some() {
        tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    }
    // Run by `cargo test` it only has to work.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let default = if is_bench { 1_000_000 } else { 2_000 };
    let lines: usize =
        std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(default);
    let directory = tempfile::tempdir().unwrap();
    let (_broker, port) = stand_in::broker(directory.path());
    let path = directory.path().join("recording.log");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    (0..lines).for_each(|at| file.write_all(stand_in::line(at).as_bytes()).unwrap());
    file.flush().unwrap();
    let mut config = Config::new("shop-1".parse().unwrap(), "till-1".parse().unwrap());
    config.broker.port = port;
    config.spool.directory = directory.path().join("spool");
    config.spool.quota_mb = 4_096;
    config.sources.push(Source {
        name: "recording".to_owned(),
        dialect: "kv-en".to_owned(),
        terminal: None,
        two_way: false,
        hears_money: None,
        hears_slips: None,
        serial: None,
        answers: None,
        command: None,
        file: Some(File { path, follow: false, from_start: true }),
    });
    // Every line is an event; that the source opened, pulsed and ended comes on top.
    let (done_out, done) = oneshot::channel();
    stand_in::collector(port, &config, lines as u64 + 2, done_out);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut taken = (0.0, 0);
    runtime.block_on(async {
        let begun = Instant::now();
        let finished = async {
            let seen = done.await.unwrap_or(0);
            taken = (begun.elapsed().as_secs_f64(), seen);
        };
        slipwatch_agent::run::run(config, directory.path(), finished, mpsc::channel(1).1)
            .await
            .unwrap();
    });
    let (seconds, seen) = taken;
    let rate = lines as f64 / seconds;
    println!("{lines} lines, {seen} events committed, {seconds:.2} s: {rate:.0} lines/s");
}
