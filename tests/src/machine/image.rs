//! What a machine boots: Debian's kernel with the few modules that a serial line needs, Debian's udev, busybox, and an init
//! that takes commands. The packages are fetched once, unpacked under `target/`, and never installed on this machine.

use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};

/// Beside the kernel. `kmod` brings depmod, without which udev finds no driver for what is plugged in.
const PACKAGES: [&str; 5] = ["udev", "busybox-static", "kmod", "libkmod2", "libsystemd-shared"];

/// The kernel's modules that go inside, with all that they need: a USB host, the adapters of a shop, a network card, and a
/// CDC-ACM device that is made of software on a host of its own.
const MODULES: [&str; 8] =
    ["xhci-pci", "xhci-hcd", "ftdi_sio", "cdc-acm", "dummy_hcd", "g_serial", "usb_f_acm", "e1000"];

/// What runs first. Its control line is a serial port of the board; a command's end is said with its status.
const INIT: &str = r#"#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /run /tmp /var/lib /bin /sbin
/bin/busybox --install -s /bin
export PATH=/sbin:/bin HOME=/tmp
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts
mount -t devpts pts /dev/pts
mount -t tmpfs run /run
mount -t tmpfs tmp /tmp
mount -t tmpfs state /var/lib
stty -F /dev/ttyS1 raw -echo
/lib/systemd/systemd-udevd --daemon
udevadm trigger --action=add
udevadm settle
ifconfig lo 127.0.0.1 up
ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up
exec </dev/ttyS1 >/dev/ttyS1 2>&1
echo '::ready'
while read -r line; do
    sh -c "$line" </dev/null
    echo "
::done $?"
done
"#;

/// What every image is made of.
pub struct Parts {
    /// The kernel.
    pub kernel: PathBuf,
    /// All packages, unpacked over each other.
    root: PathBuf,
    release: String,
}

static TURN: Mutex<()> = Mutex::new(());

impl Parts {
    /// The parts, fetched where they are not there yet.
    pub fn made() -> Result<Parts> {
        ensure!(cfg!(target_arch = "x86_64"), "the emulated machine is an x86_64, this is not");
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let target = crate::process::binary("slipwatch-agent");
        let target = target.ancestors().nth(2).context("a target directory")?;
        let root = target.join("machine");
        if !root.exists() {
            let unfinished = target.join("machine.unfinished");
            if unfinished.exists() {
                std::fs::remove_dir_all(&unfinished)?;
            }
            fetch(&unfinished)?;
            Parts::at(&unfinished)?.depmod(&unfinished)?;
            std::fs::rename(&unfinished, &root)?;
        }
        Parts::at(&root)
    }

    fn at(root: &Path) -> Result<Parts> {
        let release =
            std::fs::read_dir(root.join("lib/modules"))?.next().context("no modules")??;
        let release = release.file_name().to_string_lossy().into_owned();
        let kernel = root.join(format!("boot/vmlinuz-{release}"));
        Ok(Parts { kernel, root: root.to_owned(), release })
    }

    /// Writes an image with files (path there, text) and programs (path here, path there).
    pub fn build(
        &self,
        image: &Path,
        files: &[(&str, &str)],
        programs: &[(&Path, &str)],
    ) -> Result<()> {
        let tree = image.with_extension("tree");
        let tree = Tree { root: tree };
        tree.write("init", INIT.as_bytes(), 0o755)?;
        for place in ["bin", "sbin", "etc", "lib/systemd", "lib64"] {
            std::fs::create_dir_all(tree.root.join(place))?;
        }
        tree.copy(&self.root.join("bin/busybox"), "bin/busybox")?;
        self.put_program(&tree, &self.root.join("bin/kmod"), "bin/kmod")?;
        symlink("/bin/kmod", tree.root.join("sbin/modprobe"))?;
        self.put_modules(&tree)?;
        let udevadm = self.root.join("bin/udevadm");
        self.put_program(&tree, &udevadm, "bin/udevadm")?;
        symlink("/bin/udevadm", tree.root.join("lib/systemd/systemd-udevd"))?;
        copy_all(&self.root.join("lib/udev"), &tree.root.join("lib/udev"))?;
        for (program, there) in programs {
            self.put_program(&tree, program, there.trim_start_matches('/'))?;
        }
        // udev's rules name these.
        let accounts = "root:x:0:\ntty:x:5:\ndialout:x:20:\nkmem:x:15:\ninput:x:99:\nsgx:x:98:\nkvm:x:97:\n\
             render:x:96:\nvideo:x:44:\naudio:x:29:\ndisk:x:6:\nlp:x:7:\ncdrom:x:24:\ntape:x:26:\n";
        tree.write("etc/group", accounts.as_bytes(), 0o644)?;
        tree.write("etc/passwd", b"root:x:0:0:root:/tmp:/bin/sh\n", 0o644)?;
        for (there, text) in files {
            tree.write(there.trim_start_matches('/'), text.as_bytes(), 0o644)?;
        }
        tree.pack(image)
    }

    fn put_modules(&self, tree: &Tree) -> Result<()> {
        let modules = format!("lib/modules/{}", self.release);
        let from = self.root.join(&modules);
        let needs = std::fs::read_to_string(from.join("modules.dep"))?;
        for wanted in MODULES {
            let of_module = |line: &&str| {
                let file = line.split(':').next().and_then(|path| path.rsplit('/').next());
                file.and_then(|file| file.split('.').next()) == Some(wanted)
            };
            let line = needs.lines().find(of_module);
            let line = line.with_context(|| format!("the kernel has no module {wanted}"))?;
            for path in line.split([':', ' ']).filter(|path| !path.is_empty()) {
                tree.copy(&from.join(path), &format!("{modules}/{path}"))?;
            }
        }
        for list in ["modules.builtin", "modules.builtin.modinfo", "modules.order"] {
            tree.copy(&from.join(list), &format!("{modules}/{list}"))?;
        }
        self.depmod(&tree.root)
    }

    /// Lists the modules below a root, so that udev finds them.
    fn depmod(&self, root: &Path) -> Result<()> {
        let mut depmod = Command::new(self.root.join("bin/kmod"));
        depmod.arg0("depmod").arg("-b").arg(root).arg(&self.release);
        run(self.with_libraries(&mut depmod)).map(drop)
    }

    /// A program of the unpacked packages finds their libraries first.
    fn with_libraries<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let places = ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"];
        let places = places.map(|place| self.root.join(place).display().to_string());
        command.env("LD_LIBRARY_PATH", places.join(":"))
    }

    /// A program, and every library that the loader names for it.
    fn put_program(&self, tree: &Tree, program: &Path, there: &str) -> Result<()> {
        tree.copy(program, there)?;
        let listed = run(self.with_libraries(Command::new("ldd").arg(program)))?;
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        ensure!(!listed.contains("not found"), "{} lacks a library: {listed}", program.display());
        for path in listed.split_whitespace().filter(|word| word.starts_with('/')) {
            let path = Path::new(path);
            let name = path.file_name().context("a library has a name")?.to_string_lossy();
            // The loader is named by its own path in every program.
            let place = match name.starts_with("ld-linux") {
                true => format!("lib64/{name}"),
                false => format!("lib/x86_64-linux-gnu/{name}"),
            };
            if !tree.root.join(&place).exists() {
                tree.copy(path, &place)?;
            }
        }
        Ok(())
    }
}

/// Fetches and unpacks the packages.
fn fetch(into: &Path) -> Result<()> {
    std::fs::create_dir_all(into)?;
    // An old list of packages names files that are no more.
    if let Err(first) = try_fetch(into) {
        run(Command::new("apt-get").args(["-q", "update"])).context("while the list was old")?;
        try_fetch(into).context(first)?;
    }
    for entry in std::fs::read_dir(into)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            run(Command::new("dpkg-deb").arg("--extract").arg(&path).arg(into))?;
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}

fn try_fetch(into: &Path) -> Result<()> {
    let depends = run(Command::new("apt-cache").args([
        "depends",
        "--no-recommends",
        "--no-suggests",
        "linux-image-amd64",
    ]))?;
    let depends = String::from_utf8_lossy(&depends.stdout).into_owned();
    let kernels: BTreeSet<&str> =
        depends.lines().filter_map(|line| line.trim().strip_prefix("Depends: ")).collect();
    let kernel = kernels.iter().find(|name| name.starts_with("linux-image-"));
    let Some(kernel) = kernel else { bail!("linux-image-amd64 names no kernel: {depends}") };
    let mut download = Command::new("apt-get");
    download.args(["-q", "download", kernel]).args(PACKAGES).current_dir(into);
    run(&mut download)?;
    Ok(())
}

/// The files of an image, before they are packed.
struct Tree {
    root: PathBuf,
}

impl Tree {
    fn place(&self, there: &str) -> Result<PathBuf> {
        let place = self.root.join(there);
        std::fs::create_dir_all(place.parent().context("a file lies somewhere")?)?;
        Ok(place)
    }

    fn write(&self, there: &str, bytes: &[u8], mode: u32) -> Result<()> {
        let place = self.place(there)?;
        std::fs::write(&place, bytes)?;
        Ok(std::fs::set_permissions(place, std::fs::Permissions::from_mode(mode))?)
    }

    fn copy(&self, from: &Path, there: &str) -> Result<()> {
        let copied = std::fs::copy(from, self.place(there)?);
        copied.map(|_| ()).with_context(|| format!("{} cannot be copied", from.display()))
    }

    /// Packs the files, and removes them.
    fn pack(self, image: &Path) -> Result<()> {
        let mut names = Vec::new();
        list(&self.root, Path::new("."), &mut names)?;
        let archive = std::fs::File::create(image)?;
        let mut cpio = Command::new("cpio")
            .args(["--create", "--format=newc", "--null", "--quiet", "--owner=0:0"])
            .current_dir(&self.root)
            .stdin(Stdio::piped())
            .stdout(archive)
            .spawn()
            .context("cpio (Debian package cpio) does not start")?;
        cpio.stdin.take().context("a pipe was asked for")?.write_all(&names)?;
        ensure!(cpio.wait()?.success(), "cpio failed");
        Ok(std::fs::remove_dir_all(&self.root)?)
    }
}

fn list(root: &Path, below: &Path, names: &mut Vec<u8>) -> Result<()> {
    names.extend_from_slice(below.to_string_lossy().as_bytes());
    names.push(0);
    let place = root.join(below);
    if place.symlink_metadata()?.is_dir() {
        for entry in std::fs::read_dir(place)? {
            list(root, &below.join(entry?.file_name()), names)?;
        }
    }
    Ok(())
}

fn copy_all(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy_all(&entry.path(), &place)?,
            false => drop(std::fs::copy(entry.path(), place)?),
        }
    }
    Ok(())
}

fn run(command: &mut Command) -> Result<Output> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("{command:?} does not start"))?;
    ensure!(
        output.status.success(),
        "{command:?} failed: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output)
}
