//! Both units under a real systemd, in a container: installed as `systemd/README.md` says, ready, alive after a watchdog's
//! kill, and a letter at the end of it.

use anyhow::{Context, Result, ensure};
use slipwatch_tests::container::Container;
use slipwatch_tests::dice::Dice;
use slipwatch_tests::process::live::{PACE, now_ms};
use slipwatch_tests::process::shop::{AGENT, DEADLINES, STORE, TERMINAL};
use slipwatch_tests::process::{binary, release_agent, wait_for};
use slipwatch_tests::terminal::{Payment, Story, Terminal};
use slipwatch_tests::voice::Voice;
use std::io::Write as _;
use std::path::Path;
use std::process::Child;

const UNITS: [&str; 2] = ["slipwatch-collector.service", "slipwatch-agent.service"];
const MAIL: &str = "/var/lib/slipwatch-collector/mail";
const LINE: &str = "/run/till";
const AGENT_SETTINGS: &str = "/etc/slipwatch/agent.toml";

/// The programs and the files of `systemd/`, each where the README puts it.
fn boot(name: &str) -> Result<Container> {
    let target = binary("slipwatch-agent");
    let target = target.ancestors().nth(2).context("a target directory")?.to_owned();
    let systemd = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("systemd");
    let binds = [
        (release_agent(), "/usr/bin/slipwatch-agent"),
        (binary("slipwatch-collector"), "/usr/bin/slipwatch-collector"),
        (systemd.join("slipwatch-agent.service"), "/etc/systemd/system/slipwatch-agent.service"),
        (
            systemd.join("slipwatch-collector.service"),
            "/etc/systemd/system/slipwatch-collector.service",
        ),
        (systemd.join("slipwatch.sysusers"), "/usr/lib/sysusers.d/slipwatch.conf"),
        (systemd.join("slipwatch.tmpfiles"), "/usr/lib/tmpfiles.d/slipwatch.conf"),
    ];
    let container = Container::boot(&target, name, &binds)?;
    container.run(&["systemd-sysusers"])?;
    container.run(&["systemd-tmpfiles", "--create", "slipwatch.conf"])?;
    container.write(AGENT_SETTINGS, &agent_settings())?;
    container.write("/etc/slipwatch/collector.toml", &collector_settings())?;
    // As installed, but for a watchdog that a test can wait for.
    for unit in UNITS {
        let place = format!("/etc/systemd/system/{unit}.d");
        container.run(&["mkdir", "-p", &place])?;
        container.write(
            &format!("{place}/test.conf"),
            "[Service]\nWatchdogSec=3s\nTimeoutAbortSec=1s\n",
        )?;
    }
    container.run(&["systemctl", "daemon-reload"])?;
    Ok(container)
}

fn agent_settings() -> String {
    format!(
        "store = \"{STORE}\"\nagent = \"{AGENT}\"\npulse_ms = 200\n\n[broker]\nhost = \"127.0.0.1\"\nport = 1883\n\n\
         [[source]]\nname = \"till\"\ndialect = \"kv-en\"\nterminal = \"{TERMINAL}\"\nserial = {{ port = \"{LINE}\" }}\n"
    )
}

fn collector_settings() -> String {
    format!(
        "[store]\npath = \"/var/lib/slipwatch-collector/store\"\n\n[broker.embedded]\nlisten = \"127.0.0.1:1883\"\n\n\
         [http]\nlisten = \"127.0.0.1:9480\"\n\n\
         [mail]\nfrom = \"slipwatch <slipwatch@example.com>\"\ndirectory = \"{MAIL}\"\n\n[deadlines]\n{DEADLINES}\n\
         [[shop]]\nname = \"{STORE}\"\ntitle = \"Corner shop\"\nlanguage = \"en\"\nmail = [\"owner@example.com\"]\n\
         time_zone = \"+08:00\"\nagents = [\"{AGENT}\"]\n\n\
         [[shop.terminal]]\nnumber = \"{TERMINAL}\"\nwho_prints = \"terminal\"\ncopies = 2\n"
    )
}

/// A pseudo-terminal with a name.
const DEVICE: &str = r#"
    open(my $line, "+<", "/dev/ptmx") or die;
    my ($lock, $number) = (pack("i", 0)) x 2;
    ioctl($line, 0x40045431, $lock) or die;   # TIOCSPTLCK: unlock it
    ioctl($line, 0x80045430, $number) or die; # TIOCGPTN: which one it is
    my $other = "/dev/pts/" . unpack("i", $number);
    chown(0, (getgrnam("dialout"))[2], $other) and chmod(0660, $other) or die;
    symlink($other, $ARGV[0]) or die;
    while (sysread(STDIN, my $bytes, 4096)) { syswrite($line, $bytes) }
"#;

/// A device inside the container; what is written to the child's input comes out of its line.
fn plug_in(container: &Container) -> Result<Child> {
    let device = container.spawn_writer(&["perl", "-e", DEVICE, LINE])?;
    wait_for("the device", || {
        container.output(&["test", "-e", LINE]).ok()?.status.success().then_some(())
    });
    Ok(device)
}

fn tell(device: &mut Child, payment: &Payment) -> Result<()> {
    let line = device.stdin.as_mut().context("the device's line")?;
    for &spoken in &payment.spoken {
        line.write_all(&Voice::KeyValue.bytes(payment, spoken, now_ms()))?;
    }
    Ok(line.flush()?)
}

/// Starts a unit and waits until it told systemd that it is ready.
fn start(container: &Container, unit: &str) -> Result<()> {
    let started = container.run(&["systemctl", "start", unit]);
    started.with_context(|| container.journal(unit))?;
    ensure!(container.property(unit, "ActiveState")? == "active", "{}", container.journal(unit));
    Ok(())
}

/// Stops the process dead, as a hang would, and waits until systemd has put another in its place.
fn hang(container: &Container, unit: &str) -> Result<()> {
    let hung = container.property(unit, "MainPID")?;
    container.run(&["sh", "-c", &format!("kill -STOP {hung}")])?;
    wait_for(format_args!("{unit} to be started anew"), || {
        let now = container.property(unit, "MainPID").ok()?;
        let active = container.property(unit, "ActiveState").ok()? == "active";
        (active && now != hung && now != "0").then_some(())
    });
    let restarts = container.property(unit, "NRestarts")?;
    ensure!(
        restarts == "1",
        "{unit} was started {restarts} times more: {}",
        container.journal(unit)
    );
    ensure!(container.journal(unit).contains("Watchdog timeout"), "it was not the watchdog");
    Ok(())
}

fn letters(container: &Container, holding: &str) -> bool {
    let found = container.output(&["grep", "-rlF", holding, MAIL]);
    found.is_ok_and(|found| found.status.success())
}

#[test]
fn both_units_start_survive_a_watchdog_and_turn_a_debit_without_slip_into_a_letter() -> Result<()> {
    let container = boot("slipwatch-units")?;
    let mut device = plug_in(&container)?;
    UNITS.iter().try_for_each(|unit| start(&container, unit))?;
    UNITS.iter().try_for_each(|unit| hang(&container, unit))?;
    let missed = Terminal::new(TERMINAL, 6, PACE, Dice::new(7)).play(Story::NoSlip, 0).remove(0);
    // A pseudo-terminal stays closed to others when its reader was killed, for as long as the device is there; a real line
    // does not. This opens it again (TIOCNXCL).
    container.run(&[
        "perl",
        "-e",
        r#"open(my $line, "+<", $ARGV[0]); ioctl($line, 0x540D, 0) or die"#,
        LINE,
    ])?;
    // Both lives of the agent opened the line.
    let lives = || container.journal(UNITS[1]).matches("listening").count();
    wait_for("the line to be open again", || (lives() >= 2).then_some(()));
    tell(&mut device, &missed)?;
    let amount = format!("{}.{:02}", missed.amount / 100, missed.amount % 100);
    wait_for("the letter", || letters(&container, &amount).then_some(()));
    for unit in UNITS {
        container.run(&["systemctl", "stop", unit])?;
        let result = container.property(unit, "Result")?;
        ensure!(result == "success", "{unit} ended with {result}: {}", container.journal(unit));
    }
    device.kill()?;
    device.wait()?;
    Ok(())
}

#[test]
fn a_reload_takes_sound_settings_and_leaves_the_old_ones_in_force_where_they_are_wrong()
-> Result<()> {
    let container = boot("slipwatch-reload")?;
    let unit = UNITS[1];
    start(&container, unit)?;
    let process = container.property(unit, "MainPID")?;
    let settings = agent_settings();
    container.write(AGENT_SETTINGS, &settings.replace("kv-en", "kv-eng"))?;
    let reloaded = container.output(&["systemctl", "reload", unit])?;
    ensure!(!reloaded.status.success(), "wrong settings were taken: {}", container.journal(unit));
    container.write(AGENT_SETTINGS, &settings.replace("name = \"till\"", "name = \"counter\""))?;
    let reloaded = container.run(&["systemctl", "reload", unit]);
    reloaded.with_context(|| container.journal(unit))?;
    let in_force = || container.journal(unit).contains("the new settings are in force");
    wait_for("the new settings", || in_force().then_some(()));
    ensure!(container.property(unit, "MainPID")? == process, "it was started anew");
    let collector = UNITS[0];
    start(&container, collector)?;
    let reloaded = container.run(&["systemctl", "reload", collector]);
    reloaded.with_context(|| container.journal(collector))?;
    wait_for("the collector's settings", || {
        container.journal(collector).contains("settings taken").then_some(())
    });
    container.run(&["systemctl", "stop", unit])?;
    ensure!(container.property(unit, "Result")? == "success", "{}", container.journal(unit));
    Ok(())
}

#[test]
fn wrong_settings_stop_the_start_with_file_and_line_and_are_not_tried_again() -> Result<()> {
    let container = boot("slipwatch-wrong")?;
    container.write(AGENT_SETTINGS, "store = \"shop-1\"\nagnet = \"till-1\"\n")?;
    let unit = UNITS[1];
    ensure!(
        !container.output(&["systemctl", "start", unit])?.status.success(),
        "it started all the same"
    );
    let journal = container.journal(unit);
    ensure!(journal.contains("agent.toml:2") && journal.contains("agent"), "{journal}");
    ensure!(container.property(unit, "ActiveState")? == "failed", "it is tried again: {journal}");
    Ok(())
}
