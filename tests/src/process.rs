//! Real parts under test: programs started, watched and ended; free ports; waiting for a condition. A program never
//! outlives its test: it is killed when its [`Process`] is dropped, and by the kernel when the test's thread ends.
//! Never waits for time to pass.

// Tests with real parts live in real time; each wait here is for a condition, with a limit.
#![allow(clippy::disallowed_methods)]

pub mod live;
pub mod mail;
pub mod mosquitto;
pub mod port;
pub mod prometheus;
pub mod shop;
pub mod stored;
pub mod tls;

use std::fmt::Display;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant, SystemTime};

/// Longest that a program may take to do what a test waits for. Far more than it needs: two cores are often shared.
pub const PATIENCE: Duration = Duration::from_secs(60);

const POLL: Duration = Duration::from_millis(20);

/// Asks again and again until `probe` has an answer.
///
/// # Panics
/// When there is none within `limit`; says what was waited for.
#[track_caller]
pub fn wait_within<T>(
    limit: Duration,
    what: impl Display,
    mut probe: impl FnMut() -> Option<T>,
) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = probe() {
            return answer;
        }
        assert!(began.elapsed() < limit, "waited {} s in vain for {what}", limit.as_secs());
        std::thread::sleep(POLL);
    }
}

/// [`wait_within`] the usual patience.
#[track_caller]
pub fn wait_for<T>(what: impl Display, probe: impl FnMut() -> Option<T>) -> T {
    wait_within(PATIENCE, what, probe)
}

/// Asks again and again until nothing is wrong any more.
///
/// # Panics
/// When something still is after `limit`; says what.
#[track_caller]
pub fn wait_until_right(
    limit: Duration,
    what: impl Display,
    mut wrong: impl FnMut() -> Vec<String>,
) {
    let began = Instant::now();
    loop {
        let list = wrong();
        if list.is_empty() {
            return;
        }
        assert!(
            began.elapsed() < limit,
            "waited {} s in vain for {what}:\n{}",
            limit.as_secs(),
            list.join("\n")
        );
        std::thread::sleep(POLL);
    }
}

/// The shortest rest between two tries of something that is not there yet.
pub(crate) fn pause() {
    std::thread::sleep(POLL);
}

/// A port that nobody listens on now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("the loopback has a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}

/// A program of this workspace, beside the test's own.
///
/// # Panics
/// When it is not built.
pub fn binary(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a running program has a path");
    let beside = own
        .ancestors()
        .skip(1)
        .take(2)
        .map(|directory| directory.join(name))
        .find(|path| path.is_file());
    beside.unwrap_or_else(|| {
        panic!("{name} is not built: run `cargo build --workspace --bins` first (./check does)")
    })
}

/// The agent as shops have it: optimised, linked as one, without symbols. Built apart from the tests.
///
/// # Panics
/// When it is not built, or older than what it is built from.
pub fn release_agent() -> PathBuf {
    const HOW: &str = "run `cargo build --release -p slipwatch-agent` first (./check does)";
    let debug = binary("slipwatch-agent");
    let target = debug.ancestors().nth(2).expect("it lies in a target directory");
    let release = target.join("release/slipwatch-agent");
    let built = std::fs::metadata(&release).and_then(|found| found.modified());
    let built = built.unwrap_or_else(|_| panic!("the release agent is not built: {HOW}"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it lies in the repository");
    let sources = [
        "Cargo.toml",
        "Cargo.lock",
        "agent/Cargo.toml",
        "agent/src",
        "agent/profiles",
        "shared/src",
    ];
    let newest = sources.iter().filter_map(|source| newest(&root.join(source))).max();
    assert!(
        newest.is_none_or(|newest| newest <= built),
        "the release agent is older than its sources: {HOW}"
    );
    release
}

/// When a file, or any below a folder, was changed last. Unit tests are no part of a program.
fn newest(place: &Path) -> Option<SystemTime> {
    if place.file_stem().is_some_and(|name| name == "tests") {
        return None;
    }
    match std::fs::read_dir(place) {
        Ok(entries) => entries.filter_map(|entry| newest(&entry.ok()?.path())).max(),
        Err(_) => place.metadata().ok()?.modified().ok(),
    }
}

/// A program of the system, wherever Debian puts it.
///
/// # Panics
/// When it is not installed; names the package.
pub fn installed(name: &str, package: &str) -> PathBuf {
    let path = std::env::var("PATH").unwrap_or_default();
    let places = path.split(':').chain(["/usr/sbin", "/sbin", "/usr/bin"]).map(Path::new);
    let found = places.map(|place| place.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| {
        panic!("{name} is missing: apt-get install {package} (./check installs all that is needed)")
    })
}

/// A program that runs beside the test.
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it; what it says goes to `<name>.log` in `directory`, behind what an earlier run said.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn spawn(name: &str, command: &mut Command, directory: &Path) -> Process {
        let log = directory.join(format!("{name}.log"));
        let file =
            File::options().create(true).append(true).open(&log).expect("the log can be written");
        let other = file.try_clone().expect("a handle can be copied");
        command.stdin(Stdio::null()).stdout(file).stderr(other);
        // SAFETY: prctl is async-signal-safe and touches the child alone.
        unsafe {
            command.pre_exec(|| match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            });
        }
        let child =
            command.spawn().unwrap_or_else(|error| panic!("{name} cannot be started: {error}"));
        Process { name: name.to_owned(), child, log }
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it said so far, on both outputs.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Its status, once it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be waited for")
    }

    /// Sends a signal; one that has ended is left alone.
    pub fn signal(&mut self, signal: i32) {
        if self.ended().is_none() {
            // SAFETY: the child is ours and not reaped, so its number cannot be another's.
            unsafe { libc::kill(self.child.id() as i32, signal) };
        }
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(&mut self) {
        self.child.kill().expect("our child can be killed");
        self.child.wait().expect("our child can be waited for");
    }

    /// Asks it to stop and waits for its status.
    ///
    /// # Panics
    /// When it does not stop.
    pub fn stop(&mut self) -> ExitStatus {
        self.signal(libc::SIGTERM);
        self.wait()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not come.
    pub fn wait(&mut self) -> ExitStatus {
        let name = self.name.clone();
        wait_for(format_args!("the end of {name}"), || self.ended())
    }

    /// Waits until it has said `text`, or the probe has an answer; tells its log when it ends instead.
    ///
    /// # Panics
    /// When it ends or takes too long.
    pub fn until<T>(&mut self, what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
        wait_for(format_args!("{what} of {}", self.name.clone()), || {
            if let Some(status) = self.ended() {
                panic!("{} ended with {status} before {what}:\n{}", self.name, tail(&self.log()));
            }
            probe()
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut err = std::io::stderr().lock();
            drop(writeln!(err, "---- {} said ----\n{}", self.name, tail(&self.log())));
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The last lines of a log.
fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}

/// Whether somebody listens there.
pub fn answers(port: u16) -> bool {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    TcpStream::connect_timeout(&address, Duration::from_millis(300)).is_ok()
}

/// The body of a page on the loopback, when it is there and well (status 200).
pub fn page(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let is_well = head.lines().next()?.contains(" 200");
    let is_chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    is_well.then(|| if is_chunked { unchunked(body) } else { body.to_owned() })
}

fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        let Some(chunk) = rest.get(..size).filter(|_| size > 0) else { break };
        whole.push_str(chunk);
        body = rest[size..].trim_start_matches("\r\n");
    }
    whole
}

/// The value of a series, given as it is written on the page (`name{label="x"}`).
pub fn sample(metrics: &str, series: &str) -> Option<f64> {
    let line = metrics
        .lines()
        .find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')))?;
    line.rsplit(' ').next()?.parse().ok()
}
