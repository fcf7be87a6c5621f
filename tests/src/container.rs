//! A real systemd in a container: a minimal Debian, made once under `target/`, booted over an overlay that is
//! forgotten. Needs root. Leaves nothing running: dropping it kills the container.

use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the container needs beyond the smallest Debian: init and its bus.
const PACKAGES: &str = "systemd,systemd-sysv,dbus";

/// A booted container.
pub struct Container {
    nspawn: Child,
    leader: u32,
    /// Containers that keep their unit share its control group, so there is one at a time.
    _turn: MutexGuard<'static, ()>,
}

static TURN: Mutex<()> = Mutex::new(());

impl Container {
    /// Boots one; `binds` are shown inside, read-only: (path here, path there).
    pub fn boot(target: &Path, name: &str, binds: &[(PathBuf, &str)]) -> Result<Container> {
        // SAFETY: geteuid has no preconditions.
        ensure!(
            unsafe { libc::geteuid() } == 0,
            "booting a container needs root; run the tests as root"
        );
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let root = base(target)?;
        let mut command = Command::new("systemd-nspawn");
        command.args([
            "--quiet",
            "--keep-unit",
            "--register=no",
            "--volatile=overlay",
            "--boot",
            "--console=pipe",
        ]);
        command.arg("--directory").arg(&root).arg(format!("--machine={name}"));
        for (here, there) in binds {
            command.arg(format!("--bind-ro={}:{there}", here.display()));
        }
        let log = std::fs::File::create(target.join(format!("{name}.log")))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let nspawn = command
            .spawn()
            .context("systemd-nspawn (Debian package systemd-container) does not start")?;
        let mut container = Container { nspawn, leader: 0, _turn: turn };
        container.leader =
            crate::process::wait_for("the container's init", || container.find_leader());
        crate::process::wait_for("the container's boot", || container.is_booted().then_some(()));
        Ok(container)
    }

    fn find_leader(&self) -> Option<u32> {
        let parent = self.nspawn.id();
        let children =
            std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
        // Until its comm is init's own, the child is nspawn's helper, which soon is no more.
        let is_init = |pid: &u32| {
            let comm = std::fs::read_to_string(format!("/proc/{pid}/comm"));
            comm.is_ok_and(|comm| comm.trim() == "systemd")
        };
        children.split_whitespace().filter_map(|pid| pid.parse().ok()).find(is_init)
    }

    fn is_booted(&self) -> bool {
        let state = self.output(&["systemctl", "is-system-running"]);
        // A unit of Debian's own that fails in a container is no matter of ours.
        state.is_ok_and(|state| {
            state.stdout.starts_with(b"running") || state.stdout.starts_with(b"degraded")
        })
    }

    fn enter(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.arg("--target").arg(self.leader.to_string()).arg("--all").args(arguments);
        command
    }

    /// Runs a command inside, whatever comes of it.
    pub fn output(&self, arguments: &[&str]) -> Result<Output> {
        self.enter(arguments).stdin(Stdio::null()).output().context("nsenter")
    }

    /// Runs a command inside that must succeed, and gives what it printed.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        let output = self.output(arguments)?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            bail!("{arguments:?} failed: {text}{}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(text)
    }

    /// Starts a command inside that reads what the test writes.
    pub fn spawn_writer(&self, arguments: &[&str]) -> Result<Child> {
        self.enter(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().context("nsenter")
    }

    /// Writes a file inside.
    pub fn write(&self, path: &str, text: &str) -> Result<()> {
        use std::io::Write as _;
        let mut tee = self.spawn_writer(&["tee", path])?;
        tee.stdin.take().context("a pipe was asked for")?.write_all(text.as_bytes())?;
        ensure!(tee.wait()?.success(), "{path} cannot be written in the container");
        Ok(())
    }

    /// The value of a property of a unit.
    pub fn property(&self, unit: &str, property: &str) -> Result<String> {
        Ok(self
            .run(&["systemctl", "show", "--value", "--property", property, unit])?
            .trim()
            .to_owned())
    }

    /// What a unit wrote to the journal, for the message of a test that fails.
    pub fn journal(&self, unit: &str) -> String {
        self.run(&["journalctl", "--no-pager", "--unit", unit])
            .unwrap_or_else(|error| format!("{error:#}"))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if self.leader != 0 {
            // SAFETY: kill has no preconditions; the number is our own child's child.
            unsafe { libc::kill(self.leader as i32, libc::SIGKILL) };
        }
        let _ = self.nspawn.kill();
        let _ = self.nspawn.wait();
    }
}

/// The minimal Debian under the containers, of this machine's own release, so that its libc fits the binaries.
fn base(target: &Path) -> Result<PathBuf> {
    let release = std::fs::read_to_string("/etc/os-release").context("/etc/os-release")?;
    let codename = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let codename = codename.context("/etc/os-release names no Debian release")?;
    let root = target.join(format!("container-{codename}"));
    if root.exists() {
        return Ok(root);
    }
    let unfinished = target.join(format!("container-{codename}.unfinished"));
    if unfinished.exists() {
        std::fs::remove_dir_all(&unfinished)?;
    }
    let made = Command::new("debootstrap")
        .args(["--variant=minbase", &format!("--include={PACKAGES}"), codename])
        .arg(&unfinished)
        .stdin(Stdio::null())
        .output()
        .context("debootstrap (Debian package debootstrap) does not start")?;
    ensure!(made.status.success(), "debootstrap failed: {}", String::from_utf8_lossy(&made.stdout));
    std::fs::rename(&unfinished, &root)?;
    Ok(root)
}
