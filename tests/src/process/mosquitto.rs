//! A real Mosquitto on a free port, with a directory of its own; and a client that listens to everything it carries.

use super::tls::Authority;
use super::{Process, answers, free_port, installed};
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A broker that can be killed and started again on the same port.
pub struct Mosquitto {
    /// Where it listens, on the loopback.
    pub port: u16,
    directory: PathBuf,
    /// Its settings, but for where it keeps what it knows.
    settings: String,
    process: Option<Process>,
}

/// The guide whose broker and access list the tests run with.
const GUIDE: &str = include_str!("../../../systemd/README.md");

/// A block of settings in the guide, by its first words.
fn block_of_guide(first: &str) -> String {
    let lines = GUIDE.lines().skip_while(|line| line.trim_start() != first);
    let lines = lines.map_while(|line| line.strip_prefix("    "));
    lines.map(|line| format!("{line}\n")).collect()
}

impl Mosquitto {
    /// Starts one that keeps its state in `directory` and lets everybody in.
    pub fn start(directory: &Path) -> Mosquitto {
        let mut broker = Mosquitto::absent(directory);
        broker.start_again();
        broker
    }

    /// One that is not there: nobody listens on its port until [`Mosquitto::start_again`].
    pub fn absent(directory: &Path) -> Mosquitto {
        let port = free_port();
        let settings = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\nset_tcp_nodelay true\n\
             max_inflight_messages 20\nmax_queued_messages 0\n"
        );
        Mosquitto { port, directory: directory.to_owned(), settings, process: None }
    }

    /// Starts one with TLS, certificates and the access list, as `systemd/README.md` shows it.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn with_tls(directory: &Path, authority: &Authority) -> Mosquitto {
        let port = free_port();
        let own = authority.sign("broker");
        let access = directory.join("slipwatch.acl");
        let rules = block_of_guide("pattern write slipwatch/v1/up/+/+/%u/#");
        std::fs::write(&access, rules).expect("the access list can be written");
        let mut settings = block_of_guide("listener 8883");
        for (shown, here) in [
            ("listener 8883", format!("listener {port} 127.0.0.1")),
            ("/etc/mosquitto/certs/ca.pem", authority.certificate().display().to_string()),
            ("/etc/mosquitto/certs/broker.pem", own.certificate.display().to_string()),
            ("/etc/mosquitto/certs/broker.key", own.key.display().to_string()),
            ("/etc/mosquitto/slipwatch.acl", access.display().to_string()),
        ] {
            assert!(settings.contains(shown), "the guide no longer says {shown}");
            settings = settings.replace(shown, &here);
        }
        let mut broker =
            Mosquitto { port, directory: directory.to_owned(), settings, process: None };
        broker.start_again();
        broker
    }

    /// Starts it on the same port with the same state.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start_again(&mut self) {
        let settings = self.directory.join("mosquitto.conf");
        let (port, directory) = (self.port, self.directory.display());
        // Without `user` it would drop to an account that may not exist or not write here.
        let text = format!(
            "{}user root\npersistence_location {directory}/\nautosave_interval 1\nlog_dest stderr\n",
            self.settings
        );
        std::fs::write(&settings, text).expect("the settings can be written");
        let mut command = Command::new(installed("mosquitto", "mosquitto"));
        command.arg("-c").arg(&settings);
        let mut process = Process::spawn("mosquitto", &mut command, &self.directory);
        process.until("an open port", || answers(port).then_some(()));
        self.process = Some(process);
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }
}

/// Messages in the order they came: topic and payload.
pub type Heard = Vec<(String, Vec<u8>)>;

/// Everything that a broker carries, byte for byte, from the moment it was asked.
pub struct Spy {
    heard: Arc<Mutex<Heard>>,
    client: Client,
}

impl Spy {
    /// Subscribes to every topic; connects again for as long as it lives.
    pub fn on(port: u16) -> Spy {
        let mut options = MqttOptions::new(format!("spy-{port}"), "127.0.0.1", port);
        options.set_keep_alive(Duration::from_secs(5)).set_max_packet_size(1 << 20, 1 << 20);
        let (client, mut connection) = Client::new(options, 16);
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (ear, mouth) = (Arc::clone(&heard), client.clone());
        let (ready, is_ready) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for notice in connection.iter() {
                match notice {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => {
                        drop(mouth.try_subscribe("#", QoS::AtLeastOnce))
                    }
                    Ok(Event::Incoming(Packet::SubAck(_))) => drop(ready.send(())),
                    Ok(Event::Incoming(Packet::Publish(message))) => {
                        let mut heard = ear.lock().expect("no listener panics");
                        heard.push((message.topic, message.payload.to_vec()));
                    }
                    Ok(Event::Outgoing(rumqttc::Outgoing::Disconnect)) => return,
                    Ok(_) => {}
                    Err(_) => super::pause(),
                }
            }
        });
        is_ready.recv_timeout(super::PATIENCE).expect("the broker takes a listener");
        Spy { heard, client }
    }

    /// What was heard so far: topic and payload.
    pub fn heard(&self) -> Heard {
        self.heard.lock().expect("no listener panics").clone()
    }
}

impl Drop for Spy {
    fn drop(&mut self) {
        drop(self.client.try_disconnect());
    }
}
