//! A real Prometheus that scrapes one collector every second, under the shipped rules; asked through its own API.

use super::{Process, free_port, installed, page};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository's `collector/monitoring`.
pub fn monitoring() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../collector/monitoring")
}

/// The job's name that rules and dashboard know.
pub const JOB: &str = "slipwatch-collector";

/// A Prometheus that runs.
pub struct Prometheus {
    port: u16,
    /// The program.
    pub process: Process,
}

impl Prometheus {
    /// Starts one that scrapes the collector's page on `target_port`.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start(directory: &Path, target_port: u16) -> Prometheus {
        let settings = directory.join("prometheus.yml");
        let rules = monitoring().join("rules");
        let text = format!(
            "global:\n  scrape_interval: 1s\n  evaluation_interval: 1s\nrule_files:\n  - {}/*.yml\n\
             scrape_configs:\n  - job_name: {JOB}\n    static_configs:\n      - targets: [\"127.0.0.1:{target_port}\"]\n",
            rules.display(),
        );
        std::fs::write(&settings, text).expect("settings can be written");
        let port = free_port();
        let mut command = Command::new(installed("prometheus", "prometheus"));
        command.arg(format!("--config.file={}", settings.display()));
        command.arg(format!("--storage.tsdb.path={}", directory.join("tsdb").display()));
        command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
        let mut process = Process::spawn("prometheus", &mut command, directory);
        process.until("readiness", || page(port, "/-/ready"));
        Prometheus { port, process }
    }

    /// What its API answers under `data`; an error of a query is an error here.
    pub fn api(&self, path: &str) -> Result<Value, String> {
        let body = page(self.port, path).ok_or_else(|| format!("{path}: not status 200"))?;
        let answer: Value = serde_json::from_str(&body).map_err(|error| error.to_string())?;
        match answer["status"].as_str() {
            Some("success") => Ok(answer["data"].clone()),
            _ => Err(answer["error"].to_string()),
        }
    }

    /// The rows that a query gives now.
    pub fn query(&self, expression: &str) -> Result<Vec<Value>, String> {
        let data = self.api(&format!("/api/v1/query?query={}", encoded(expression)))?;
        Ok(data["result"].as_array().cloned().unwrap_or_default())
    }
}

/// Percent-encoded for a query string.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
