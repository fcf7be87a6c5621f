//! A whole computer under QEMU: Debian's kernel, udev and this repository's udev rules, with adapters that are plugged in and
//! pulled out over QMP. Emulated (TCG), so that it runs wherever the tests run. Leaves nothing running: the machine dies
//! with its [`Machine`].

pub mod image;
mod qmp;

use crate::process::{Process, installed, wait_for, wait_within};
use image::Parts;
use qmp::Qmp;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Longest that the machine may take to boot: it is emulated, and the cores are shared.
const BOOT_PATIENCE: Duration = Duration::from_secs(240);
/// Longest that a command in it may take.
const COMMAND_PATIENCE: Duration = Duration::from_secs(60);
/// How the host's loopback is called inside.
pub const HOST_FROM_INSIDE: &str = "10.0.2.2";
/// What init says on the control line once it takes commands.
const READY: &str = "::ready";
/// What stands before a command's exit status.
const DONE: &str = "::done ";

/// A running machine.
pub struct Machine {
    directory: PathBuf,
    process: Process,
    qmp: Qmp,
    control: BufReader<UnixStream>,
}

impl Machine {
    /// Boots one: `files` are put inside (path there, bytes), `programs` with all their libraries (path here, path
    /// there), and each of `lines` is an end that [`Machine::line`] connects to and devices are plugged in upon.
    ///
    /// # Panics
    /// When it cannot be built or does not come up.
    pub fn boot(
        directory: &Path,
        files: &[(&str, &str)],
        programs: &[(&Path, &str)],
        lines: &[&str],
    ) -> Machine {
        let parts = Parts::made().unwrap_or_else(|error| panic!("no machine to boot: {error:#}"));
        let initramfs = directory.join("initramfs");
        parts
            .build(&initramfs, files, programs)
            .unwrap_or_else(|error| panic!("no initramfs to boot: {error:#}"));
        let socket = |name: &str| directory.join(format!("{name}.socket"));
        let mut command = Command::new(installed("qemu-system-x86_64", "qemu-system-x86"));
        command
            .args(["-accel", "tcg", "-cpu", "max", "-m", "512", "-no-reboot", "-nodefaults"])
            .args(["-display", "none", "-rtc", "base=utc"])
            .arg("-kernel")
            .arg(&parts.kernel)
            .arg("-initrd")
            .arg(&initramfs)
            .args(["-append", "console=ttyS0 quiet panic=-1 rdinit=/init"])
            .args(["-serial", "stdio", "-serial", "chardev:control"])
            .args(["-netdev", "user,id=net,restrict=off", "-device", "e1000,netdev=net"])
            .args(["-device", "qemu-xhci,id=usb"]);
        command.arg("-qmp").arg(format!("unix:{},server=on,wait=off", socket("qmp").display()));
        for name in lines.iter().chain(&["control"]) {
            let end = socket(name);
            command
                .arg("-chardev")
                .arg(format!("socket,id={name},path={},server=on,wait=off", end.display()));
        }
        let mut process = Process::spawn("machine", &mut command, directory);
        let control =
            process.until("a control line", || UnixStream::connect(socket("control")).ok());
        let qmp = process.until("a monitor", || Qmp::connect(&socket("qmp")).ok());
        control.set_read_timeout(Some(BOOT_PATIENCE)).expect("a socket takes a time");
        let mut machine = Machine {
            directory: directory.to_owned(),
            process,
            qmp,
            control: BufReader::new(control),
        };
        let greeting = machine.read_until(READY);
        assert!(greeting.is_some(), "init is not heard:\n{}", machine.process.log());
        let control = machine.control.get_ref();
        control.set_read_timeout(Some(COMMAND_PATIENCE)).expect("a socket takes a time");
        machine
    }

    /// Reads the control line up to one that begins with `mark`: what stood before it, and what follows the mark.
    fn read_until(&mut self, mark: &str) -> Option<(String, String)> {
        let mut before = String::new();
        loop {
            let mut line = String::new();
            match self.control.read_line(&mut line) {
                Ok(1..) => match line.trim_end().strip_prefix(mark) {
                    Some(rest) => return Some((before, rest.to_owned())),
                    None => before.push_str(&line),
                },
                _ => return None,
            }
        }
    }

    /// Runs a line of shell inside; what it printed, where it succeeded.
    ///
    /// # Panics
    /// When the machine does not answer.
    pub fn try_run(&mut self, command: &str) -> Result<String, String> {
        let asked = writeln!(self.control.get_mut(), "{command}");
        asked.expect("the control line takes a command");
        let Some((printed, status)) = self.read_until(DONE) else {
            panic!("`{command}` does not end inside the machine:\n{}", self.process.log());
        };
        if status == "0" { Ok(printed) } else { Err(printed) }
    }

    /// Runs a line of shell inside that must succeed.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn run(&mut self, command: &str) -> String {
        let ran = self.try_run(command);
        ran.unwrap_or_else(|printed| panic!("`{command}` fails inside the machine: {printed}"))
    }

    /// Waits until a line of shell succeeds inside; what it printed.
    ///
    /// # Panics
    /// When it does not come to that.
    #[track_caller]
    pub fn wait_for(&mut self, what: &str, command: &str) -> String {
        wait_within(COMMAND_PATIENCE, what, || self.try_run(command).ok())
    }

    /// The test's end of a line.
    ///
    /// # Panics
    /// When the machine was not booted with it.
    pub fn line(&self, name: &str) -> UnixStream {
        let socket = self.directory.join(format!("{name}.socket"));
        wait_for(format_args!("the line {name}"), || UnixStream::connect(&socket).ok())
    }

    /// Plugs a device in: QEMU's name of it, the name it is pulled out by, and its other properties.
    ///
    /// # Panics
    /// When QEMU has no such device.
    #[track_caller]
    pub fn plug_in(&mut self, driver: &str, id: &str, properties: &[(&str, serde_json::Value)]) {
        let mut arguments = serde_json::Map::new();
        arguments.insert("driver".to_owned(), driver.into());
        arguments.insert("id".to_owned(), id.into());
        arguments
            .extend(properties.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        self.qmp.execute("device_add", arguments.into());
    }

    /// Pulls a device out, and waits until it is gone.
    ///
    /// # Panics
    /// When it does not go.
    #[track_caller]
    pub fn pull_out(&mut self, id: &str) {
        self.qmp.execute("device_del", serde_json::json!({ "id": id }));
        self.qmp.wait_for_event("DEVICE_DELETED", |data| data["device"] == id);
    }

    /// What the machine said on its console.
    pub fn console(&self) -> String {
        self.process.log()
    }
}
