//! A real Mosquitto on a free port, with a directory of its own; and a client that listens to everything it carries.

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
    process: Option<Process>,
}

impl Mosquitto {
    /// Starts one that keeps its state in `directory`.
    pub fn start(directory: &Path) -> Mosquitto {
        let mut broker =
            Mosquitto { port: free_port(), directory: directory.to_owned(), process: None };
        broker.start_again();
        broker
    }

    /// One that is not there: nobody listens on its port until [`Mosquitto::start_again`].
    pub fn absent(directory: &Path) -> Mosquitto {
        Mosquitto { port: free_port(), directory: directory.to_owned(), process: None }
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
            "listener {port} 127.0.0.1\nallow_anonymous true\nuser root\npersistence true\n\
             persistence_location {directory}/\nautosave_interval 1\nset_tcp_nodelay true\n\
             max_inflight_messages 20\nmax_queued_messages 0\nlog_dest stderr\n"
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
