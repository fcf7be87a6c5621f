//! What the agent costs the machine beside a till: resident memory and CPU of the real program, first with a silent
//! line, then at a full 115,200-baud stream (75 lines of 150 bytes a second), connected and committed by a collector's
//! stand-in. Needs `mosquitto`.
//!
//!     cargo bench -p slipwatch-agent --bench at_rest -- [SECONDS]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "it measures time and prints it"
)]

mod stand_in;

use slipwatch_agent::config::Config;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Lines a second that fill a line of 115,200 baud.
const LINES_A_SECOND: u64 = 75;

fn pseudo_terminal() -> (File, PathBuf) {
    // SAFETY: plain system calls on a descriptor that is checked and owned from then on.
    unsafe {
        let end = libc::posix_openpt(libc::O_RDWR | libc::O_NOCTTY);
        assert!(end >= 0, "a pseudo-terminal");
        let end = File::from(OwnedFd::from_raw_fd(end));
        let mut name = [0_u8; 64];
        assert_eq!(libc::grantpt(end.as_raw_fd()), 0);
        assert_eq!(libc::unlockpt(end.as_raw_fd()), 0);
        let named = libc::ptsname_r(end.as_raw_fd(), name.as_mut_ptr().cast(), name.len());
        assert_eq!(named, 0);
        let length = name.iter().position(|&byte| byte == 0).unwrap();
        (end, PathBuf::from(std::str::from_utf8(&name[..length]).unwrap()))
    }
}

/// Resident KiB, and CPU seconds since the start.
fn cost(pid: u32) -> (u64, f64) {
    let proc = Path::new("/proc").join(pid.to_string());
    let status = std::fs::read_to_string(proc.join("status")).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let resident = resident.trim().trim_end_matches(" kB").parse().unwrap();
    let mut cpu_ns = 0;
    for task in std::fs::read_dir(proc.join("task")).unwrap() {
        let schedule = std::fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap();
        cpu_ns += schedule.split(' ').next().unwrap().parse::<u64>().unwrap();
    }
    (resident, cpu_ns as f64 / 1e9)
}

fn measure(pid: u32, what: &str, seconds: u64, mut each_line: impl FnMut()) {
    let (_, before) = cost(pid);
    let begun = Instant::now();
    for at in 1..=seconds * LINES_A_SECOND {
        each_line();
        let due = begun + Duration::from_micros(at * 1_000_000 / LINES_A_SECOND);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    let (resident, after) = cost(pid);
    let share = (after - before) / begun.elapsed().as_secs_f64() * 100.0;
    println!("{what}: {:.1} MiB resident, {share:.2} % of a core", resident as f64 / 1024.0);
}

fn main() {
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let default = if is_bench { 60 } else { 1 };
    let seconds =
        std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(default);
    let directory = tempfile::tempdir().unwrap();
    let (_broker, port) = stand_in::broker(directory.path());
    let (mut device, port_name) = pseudo_terminal();
    let settings = directory.path().join("agent.toml");
    let text = format!(
        "store = \"shop-1\"\nagent = \"till-1\"\n[broker]\nport = {port}\n[spool]\ndirectory = {:?}\n\
         [[source]]\nname = \"line\"\ndialect = \"kv-en\"\nserial = {{ port = {port_name:?}, baud = 115200 }}\n",
        directory.path().join("spool")
    );
    std::fs::write(&settings, &text).unwrap();
    let config = Config::parse("agent.toml", &text).unwrap();
    let (done_out, done) = oneshot::channel();
    stand_in::collector(port, &config, 1, done_out);
    let agent = Command::new(env!("CARGO_BIN_EXE_slipwatch-agent"))
        .args(["run", "--config"])
        .arg(&settings)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let agent = stand_in::Process(agent);
    done.blocking_recv().unwrap();
    let pid = agent.0.id();
    measure(pid, "silent line", seconds, || {});
    let mut at = 0;
    measure(pid, "75 lines/s", seconds, || {
        device.write_all(stand_in::line(at).as_bytes()).unwrap();
        at += 1;
    });
}
