//! The whole collector in one process: its broker, store, pages and post, and an agent of a few lines.

use super::*;
use crate::correlate::cause::{Cause, CauseClass, CauseDetail};
use crate::correlate::finding::{
    ComplaintName, Finding, FindingId, FindingKind, Resolution, RowName, Severity, Stage, Subject,
};
use crate::edge::clock;
use crate::edge::intake::client;
use crate::edge::store::settlement::{Detail, SaidFinding};
use crate::edge::store::sqlite::settlement::SqliteStatements;
use rumqttc::{AsyncClient, Event as Mqtt, MqttOptions, Packet, QoS};
use slipwatch_shared::event::{
    Body, Epoch, Event, Evidence, Keys, Kind, LineCounts, Seq, SourceDescription, SourceId,
};
use slipwatch_shared::money::{Amount, Currency};
use slipwatch_shared::terminal::StoreId;
use slipwatch_shared::times::{BootId, EventTime, Observed, Uptime};
use slipwatch_shared::wire::envelope::{self, ClockState, EventBatch, Group};
use slipwatch_shared::wire::topic::{Channel, Topic};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);
const BOOT: BootId = BootId([7; 16]);

fn config(directory: &Path, shops: &str) -> Config {
    let text = format!(
        "store.path = \"store\"\nbroker.embedded.listen = \"127.0.0.1:0\"\nhttp.listen = \"127.0.0.1:0\"\n\
        deadlines = {{ slip_suspect_s = 1, slip_alert_s = 2 }}\n\
        mail = {{ from = \"slipwatch <watch@shop.example>\", directory = \"mail\" }}\n{shops}"
    );
    Config::parse(&directory.join("collector.toml"), &text).unwrap()
}

const SHOP: &str = "[[shop]]\nname = \"shop-1\"\nmail = [\"owner@shop.example\"]\nagents = [\"till-1\"]\n\
    [[shop.terminal]]\nnumber = \"10000001\"\nwho_prints = \"terminal\"\n";

/// A debit at second 10 and no slip until second 20.
fn story() -> Vec<Event> {
    let keys = Keys {
        kind: Some(Kind::Sale),
        amount: Some(Amount::new(8800, Currency::CNY)),
        stan: Some("000042".parse().unwrap()),
        ..Keys::default()
    };
    let opened = SourceDescription {
        name: "port".into(),
        dialect: "test".into(),
        hears_money: true,
        hears_slips: true,
        two_way: false,
        historical: false,
    };
    let counts = LineCounts { bytes: 300, lines: 3, unmatched: 1, rejected: 0 };
    let bodies = [
        (1, Body::SourceOpened(opened)),
        (10, Body::AuthorizationRequested(keys.clone())),
        (11, Body::AuthorizationAnswered { keys, response_code: "00".parse().unwrap() }),
        (20, Body::Pulse(counts)),
    ];
    let wall = clock::now().0;
    let event = |(number, (second, body)): (usize, (u64, Body))| Event {
        seq: Seq(number as u64 + 1),
        source: SourceId(1),
        terminal: Some("10000001".parse().unwrap()),
        observed: Observed {
            boot: BOOT,
            uptime: Uptime(second * 1000),
            wall: EventTime(wall + second as i64 * 1000),
            synchronised: true,
        },
        device_time: None,
        body,
        evidence: Evidence::Text("a line".into()),
    };
    bodies.into_iter().enumerate().map(event).collect()
}

fn frame(events: &[Event]) -> Vec<u8> {
    let first = &events[0];
    let offset = first.observed.wall.0 - first.observed.uptime.0 as i64;
    let clock = ClockState { wall_offset_ms: offset, synchronised: true };
    let mut group = Group::begin(BOOT, clock, first.seq);
    events.iter().for_each(|event| group.push(event));
    let (store, agent) = ("shop-1".parse().unwrap(), "till-1".parse().unwrap());
    EventBatch::pack(&store, &agent, Epoch(1), false, &[group]).0
}

fn topic(channel: Channel) -> Topic {
    Topic::new(&"shop-1".parse().unwrap(), &"till-1".parse().unwrap(), channel)
}

/// An agent that is connected and hears its commits.
struct Agent {
    client: AsyncClient,
    commits: mpsc::Receiver<envelope::Commit>,
}

impl Agent {
    async fn connect(broker: SocketAddr) -> Agent {
        let mut options = MqttOptions::new("till-1", broker.ip().to_string(), broker.port());
        options.set_max_packet_size(256 * 1024, 256 * 1024);
        let (client, mut events) = client(options);
        client.subscribe(topic(Channel::Commit).to_string(), QoS::AtLeastOnce).await.unwrap();
        let (sender, commits) = mpsc::channel(16);
        let (ready, mut subscribed) = mpsc::channel(1);
        tokio::spawn(async move {
            while let Ok(event) = events.poll().await {
                match event {
                    Mqtt::Incoming(Packet::SubAck(_)) => ready.send(()).await.unwrap(),
                    Mqtt::Incoming(Packet::Publish(publish)) => {
                        let commit = envelope::Commit::from_frame(&publish.payload).unwrap();
                        let _ = sender.send(commit).await;
                    }
                    _ => {}
                }
            }
        });
        tokio::time::timeout(PATIENCE, subscribed.recv()).await.unwrap().unwrap();
        Agent { client, commits }
    }

    async fn send(&self, frame: &[u8]) {
        let topic = topic(Channel::Batch).to_string();
        self.client.publish(topic, QoS::AtLeastOnce, false, frame).await.unwrap();
    }

    async fn committed(&mut self, through: u64) {
        let wait = async {
            while let Some(commit) = self.commits.recv().await {
                if commit.through >= through {
                    return;
                }
            }
            panic!("the connection ended");
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("the batch is committed");
    }
}

/// Waits for a condition; there is no real time in what is waited for.
async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let wait = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("{what} in time"))
}

/// Status line, headers and body of one page.
async fn page(address: SocketAddr, path: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn letters(directory: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(directory.join("mail")) else { return Vec::new() };
    let is_letter = |path: &std::path::PathBuf| {
        path.extension().is_some_and(|end| end == "eml")
            && !path.file_name().unwrap().to_string_lossy().starts_with('.')
    };
    let paths = entries.flatten().map(|entry| entry.path()).filter(is_letter);
    paths.map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_debit_without_slip_becomes_a_letter_a_page_and_a_number() {
    let directory = tempfile::tempdir().unwrap();
    let running = start(config(directory.path(), SHOP)).await.unwrap();
    let (broker, http) = (running.broker_address().unwrap(), running.http_address());
    let mut agent = Agent::connect(broker).await;
    until("the subscription", async || running.metrics().broker_is_connected().then_some(())).await;
    agent.send(&frame(&story())).await;
    agent.committed(4).await;
    let letters = until("a letter", async || {
        let letters = letters(directory.path());
        (!letters.is_empty()).then_some(letters)
    })
    .await;
    assert_eq!(letters.len(), 1);
    assert!(letters[0].contains("To: owner@shop.example"), "{}", letters[0]);
    let metrics = page(http, "/metrics").await;
    for part in [
        "HTTP/1.1 200",
        "content-type: text/plain; version=0.0.4",
        "slipwatch_findings_total{kind=\"no_receipt_debit\",severity=\"p1\"} 1",
        "slipwatch_source_lines_total{agent=\"till-1\",store=\"shop-1\"} 3",
        "slipwatch_events_total 4",
    ] {
        assert!(metrics.contains(part), "{part} is missing in {metrics}");
    }
    let today = page(http, "/?lang=en").await;
    assert!(today.contains("Debited, no slip"), "{today}");
    assert!(today.contains("default-src 'none'"), "{today}");
    let case = page(http, "/case/shop-1.till-1.1.2?lang=en").await;
    assert!(case.contains("heard without a gap"), "{case}");
    assert!(page(http, "/agents?lang=en").await.contains("online"));
    assert!(page(http, "/case/nonsense").await.starts_with("HTTP/1.1 404"));
    assert!(page(http, "/healthz").await.contains("\"ok\":true"));
    running.stop().await;
}

/// A row of a file whose payment nobody made, and a complaint that fits nothing, as another program writes them.
fn said(stage: Stage, kind: FindingKind) -> SaidFinding {
    let store: StoreId = "shop-1".parse().unwrap();
    let subject = match kind {
        FindingKind::ComplaintUnmatched => {
            Subject::Complaint(ComplaintName { store: Some(store), number: 7 })
        }
        _ => Subject::Row(RowName { store, source: "allinpay".into(), mark: 1, nth: 1 }),
    };
    let (class, detail) = (CauseClass::Institution, CauseDetail::RowWithoutPayment);
    SaidFinding {
        finding: Finding {
            id: FindingId { kind, subject, time: 1 },
            severity: Severity::P1,
            stage,
            cause: Cause { class, detail, confidence: 70, cited: Vec::new() },
            since: EventTime(clock::now().0),
            resolved: None,
            parent: None,
            partner: None,
            measure: 0,
            historical: false,
        },
        terminal: None,
        transaction: None,
        detail: Detail::default(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_program_raises_and_ends_is_counted_and_what_is_only_suspected_stands_open() {
    let directory = tempfile::tempdir().unwrap();
    let running = start(config(directory.path(), SHOP)).await.unwrap();
    let http = running.http_address();
    let path = directory.path().join("store").join(STORE_FILE);
    let mut other = SqliteStatements::open(&path).expect("the store");
    let mut say = |findings: &[SaidFinding], ended: &[(String, Resolution)]| {
        other.say(findings, ended, clock::now()).expect("it is written");
    };
    let shown = async |parts: &[&str]| {
        until(&format!("{parts:?}"), async || {
            let metrics = page(http, "/metrics").await;
            parts.iter().all(|part| metrics.contains(&format!("{part}\n"))).then_some(())
        })
        .await;
    };
    let row = said(Stage::Confirmed, FindingKind::PhantomSettlement);
    let complaint = |stage| said(stage, FindingKind::ComplaintUnmatched);
    say(&[row.clone(), complaint(Stage::Suspected)], &[]);
    shown(&[
        "slipwatch_findings_total{kind=\"phantom_settlement\",severity=\"p1\"} 1",
        "slipwatch_findings_open{kind=\"phantom_settlement\"} 1",
        "slipwatch_findings_total{kind=\"complaint_unmatched\",severity=\"p1\"} 0",
        "slipwatch_findings_open{kind=\"complaint_unmatched\"} 1",
    ])
    .await;
    say(&[complaint(Stage::Alerting)], &[(row.finding.id.to_string(), Resolution::PaymentFound)]);
    shown(&[
        "slipwatch_findings_total{kind=\"phantom_settlement\",severity=\"p1\"} 1",
        "slipwatch_findings_resolved_total{kind=\"phantom_settlement\"} 1",
        "slipwatch_findings_open{kind=\"phantom_settlement\"} 0",
        "slipwatch_findings_total{kind=\"complaint_unmatched\",severity=\"p1\"} 1",
        "slipwatch_findings_open{kind=\"complaint_unmatched\"} 1",
    ])
    .await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_is_listed_later_is_heard_after_the_reload_and_a_restart_knows_it() {
    let directory = tempfile::tempdir().unwrap();
    let running = start(config(directory.path(), "")).await.unwrap();
    let mut agent = Agent::connect(running.broker_address().unwrap()).await;
    until("the subscription", async || running.metrics().broker_is_connected().then_some(())).await;
    agent.send(&frame(&story())).await;
    until("the quarantine", async || {
        running.metrics().quarantined().contains(&("unknown_agent", 1)).then_some(())
    })
    .await;
    assert!(agent.commits.try_recv().is_err(), "nothing of it is acknowledged");
    let fixed = running.reload(config(directory.path(), SHOP)).await;
    assert!(fixed.is_empty(), "{fixed:?}");
    agent.send(&frame(&story())).await;
    agent.committed(4).await;
    running.stop().await;

    // A new life of the same store tells the commit to whoever connects.
    let running = start(config(directory.path(), SHOP)).await.unwrap();
    let mut agent = Agent::connect(running.broker_address().unwrap()).await;
    agent.committed(4).await;
    running.stop().await;
}

#[tokio::test]
async fn wrong_settings_keep_the_old_ones_running() {
    let directory = tempfile::tempdir().unwrap();
    let running = start(config(directory.path(), SHOP)).await.unwrap();
    let path = directory.path().join("collector.toml");
    std::fs::write(&path, "store.path = 7").unwrap();
    running.reload_file(&path).await;
    let metrics = page(running.http_address(), "/metrics").await;
    assert!(
        metrics.contains("slipwatch_settings_reloads_total{result=\"refused\"} 1"),
        "{metrics}"
    );
    assert!(metrics.contains("slipwatch_agent_online{agent=\"till-1\",store=\"shop-1\"}"));
    running.stop().await;
}

#[tokio::test]
async fn a_state_directory_that_cannot_be_made_ends_with_its_own_exit_code() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("store"), "a file in its place").unwrap();
    let error = start(config(directory.path(), SHOP)).await.err().expect("it cannot start");
    assert_eq!(error.exit_code(), error::EXIT_STATE);
}
