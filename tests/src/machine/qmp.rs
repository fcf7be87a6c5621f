//! QEMU's monitor: one command at a time, and the events between.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Error, ErrorKind, Result, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// Longest wait for an answer or an event.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to the monitor.
pub struct Qmp {
    stream: BufReader<UnixStream>,
    /// Events that came while something else was waited for.
    events: Vec<Value>,
}

impl Qmp {
    /// Connects, hears the greeting, and asks for commands.
    pub fn connect(socket: &Path) -> Result<Qmp> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut qmp = Qmp { stream: BufReader::new(stream), events: Vec::new() };
        qmp.read()?;
        qmp.ask("qmp_capabilities", json!({}))?;
        Ok(qmp)
    }

    fn read(&mut self) -> Result<Value> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(Error::new(ErrorKind::UnexpectedEof, "the monitor is gone"));
        }
        serde_json::from_str(&line).map_err(Error::other)
    }

    fn ask(&mut self, command: &str, arguments: Value) -> Result<Value> {
        let words = json!({ "execute": command, "arguments": arguments });
        writeln!(self.stream.get_mut(), "{words}")?;
        loop {
            let said = self.read()?;
            if said.get("event").is_some() {
                self.events.push(said);
            } else if let Some(error) = said.get("error") {
                return Err(Error::other(error.to_string()));
            } else {
                return Ok(said["return"].clone());
            }
        }
    }

    /// Runs a command that must succeed.
    #[track_caller]
    pub fn execute(&mut self, command: &str, arguments: Value) -> Value {
        let done = self.ask(command, arguments.clone());
        done.unwrap_or_else(|error| panic!("QEMU refuses {command} {arguments}: {error}"))
    }

    /// Waits for an event; each is given once.
    #[track_caller]
    pub fn wait_for_event(&mut self, name: &str, is_it: impl Fn(&Value) -> bool) {
        loop {
            let known = self
                .events
                .iter()
                .position(|event| event["event"] == name && is_it(&event["data"]));
            if let Some(at) = known {
                self.events.remove(at);
                return;
            }
            let said = self.read();
            let said = said.unwrap_or_else(|error| panic!("waited in vain for {name}: {error}"));
            self.events.push(said);
        }
    }
}
