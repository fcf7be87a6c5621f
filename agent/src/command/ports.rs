//! `ports`: which serial ports there are, by which name to configure them, and who uses them.

use super::chinese::TONGUE;
use super::print;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// Arguments of `ports`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Example:\n  slipwatch-agent ports --json")]
pub struct PortsArgs {
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// One serial port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Port {
    /// Its device file.
    pub device: PathBuf,
    /// `/dev/serial/by-id/…`: follows the adapter, where its serial number is its own.
    pub by_id: Option<PathBuf>,
    /// `/dev/serial/by-path/…`: follows the socket.
    pub by_path: Option<PathBuf>,
    /// The kernel's driver.
    pub driver: Option<String>,
    /// What the adapter calls itself.
    pub product: Option<String>,
    /// Processes that have it open, as far as this user may see.
    pub in_use_by: Vec<String>,
}

/// Prints them.
pub fn run(arguments: &PortsArgs) -> anyhow::Result<()> {
    let ports = list(Path::new("/"));
    if arguments.json {
        return Ok(print(&format!("{}\n", serde_json::to_string_pretty(&ports)?))?);
    }
    Ok(print(&table(&ports))?)
}

fn table(ports: &[Port]) -> String {
    if ports.is_empty() {
        return TONGUE.say("no serial port found") + "\n";
    }
    let mut text = String::new();
    for port in ports {
        let driver = port.driver.clone().unwrap_or_else(|| TONGUE.say("unknown driver"));
        let product = port.product.as_deref().unwrap_or_default();
        let _ = writeln!(text, "{}  {driver}  {product}", port.device.display());
        let names = [("by-id", &port.by_id), ("by-path", &port.by_path)];
        for (word, name) in
            names.into_iter().filter_map(|(word, name)| Some((word, name.as_ref()?)))
        {
            let _ = writeln!(text, "    {word:<8} {}", name.display());
        }
        if !port.in_use_by.is_empty() {
            let in_use = TONGUE.say("in use");
            let _ = writeln!(text, "    {in_use}   {}", port.in_use_by.join(", "));
        }
    }
    text
}

/// The ports of the machine whose root is `root`.
pub fn list(root: &Path) -> Vec<Port> {
    let by_id = links(&root.join("dev/serial/by-id"));
    let by_path = links(&root.join("dev/serial/by-path"));
    let mut ports: Vec<Port> = entries(&root.join("sys/class/tty"))
        .into_iter()
        .filter_map(|class| {
            let name = class.file_name()?.to_str()?.to_owned();
            let driver = fs::canonicalize(class.join("device/driver")).ok()?;
            let driver = driver.file_name()?.to_str()?.to_owned();
            let device = root.join("dev").join(&name);
            // The kernel keeps a row of 8250 ports that are not there: those have no type.
            if driver.starts_with("serial8250") || driver == "port" {
                let kind = fs::read_to_string(class.join("type")).unwrap_or_default();
                if kind.trim() == "0" {
                    return None;
                }
            }
            let at = |links: &BTreeMap<PathBuf, PathBuf>| links.get(&device).cloned();
            Some(Port {
                by_id: at(&by_id),
                by_path: at(&by_path),
                driver: Some(driver),
                product: product(&class),
                in_use_by: Vec::new(),
                device,
            })
        })
        .collect();
    ports.sort_by(|one, other| one.device.cmp(&other.device));
    note_users(root, &mut ports);
    ports
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

/// Device to the link that leads to it.
fn links(directory: &Path) -> BTreeMap<PathBuf, PathBuf> {
    let resolved = |link: PathBuf| Some((fs::canonicalize(&link).ok()?, link));
    entries(directory).into_iter().filter_map(resolved).collect()
}

/// The USB device stands a few directories above the port.
fn product(class: &Path) -> Option<String> {
    let device = fs::canonicalize(class.join("device")).ok()?;
    let above = device.ancestors().take(5);
    let text = |place: &Path, name: &str| fs::read_to_string(place.join(name)).ok();
    above.into_iter().find_map(|place| {
        let product = text(place, "product")?;
        let vendor = text(place, "manufacturer").unwrap_or_default();
        Some(format!("{} {}", vendor.trim(), product.trim()).trim().to_owned())
    })
}

fn note_users(root: &Path, ports: &mut [Port]) {
    for (process, open) in processes(root) {
        for port in ports.iter_mut().filter(|port| open.contains(&port.device)) {
            port.in_use_by.push(process.clone());
        }
    }
}

/// Who is in the way of a port that cannot be opened, and what to do about it; nothing where nobody is seen.
pub fn in_the_way(port: &Path) -> String {
    let Ok(device) = std::fs::canonicalize(port) else { return String::new() };
    let users = users(Path::new("/"), &device);
    if users.is_empty() {
        return String::new();
    }
    let users = users.join(", ");
    let stop = match users.contains("slipwatch-agent") {
        true => "`systemctl stop slipwatch-agent` stops the agent's service meanwhile",
        false => "end that program first",
    };
    format!("; it is in use by {users}, and a port has one reader: {stop}")
}

/// Who has a device open, as far as this user may see: `name (number)`.
pub fn users(root: &Path, device: &Path) -> Vec<String> {
    let users = processes(root).filter(|(_, open)| open.iter().any(|path| path == device));
    users.map(|(process, _)| process).collect()
}

/// Every process but this one, and the files that it has open.
fn processes(root: &Path) -> impl Iterator<Item = (String, Vec<PathBuf>)> {
    entries(&root.join("proc")).into_iter().filter_map(|process| {
        let pid: u32 = process.file_name()?.to_str()?.parse().ok()?;
        if pid == std::process::id() {
            return None;
        }
        let links = entries(&process.join("fd")).into_iter();
        let open = links.filter_map(|link| fs::read_link(link).ok()).collect();
        let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
        Some((format!("{} ({pid})", name.trim()), open))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_port_is_listed_with_its_stable_names_its_driver_and_its_user() {
        let directory = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(directory.path()).unwrap();
        let make = |path: &str| fs::create_dir_all(root.join(path)).unwrap();
        for path in
            ["dev/serial/by-id", "sys/class/tty/ttyUSB0", "sys/drivers/ftdi_sio", "proc/42/fd"]
        {
            make(path);
        }
        make("sys/usb/1-1/1-1:1.0/ttyUSB0");
        fs::write(root.join("sys/usb/1-1/product"), "USB-RS232\n").unwrap();
        fs::write(root.join("dev/ttyUSB0"), "").unwrap();
        fs::write(root.join("proc/42/comm"), "till\n").unwrap();
        symlink(root.join("sys/drivers/ftdi_sio"), root.join("sys/usb/1-1/1-1:1.0/ttyUSB0/driver"))
            .unwrap();
        symlink(
            root.join("sys/usb/1-1/1-1:1.0/ttyUSB0"),
            root.join("sys/class/tty/ttyUSB0/device"),
        )
        .unwrap();
        symlink(root.join("dev/ttyUSB0"), root.join("dev/serial/by-id/usb-FTDI")).unwrap();
        symlink(root.join("dev/ttyUSB0"), root.join("proc/42/fd/7")).unwrap();
        let expected = Port {
            device: root.join("dev/ttyUSB0"),
            by_id: Some(root.join("dev/serial/by-id/usb-FTDI")),
            by_path: None,
            driver: Some("ftdi_sio".to_owned()),
            product: Some("USB-RS232".to_owned()),
            in_use_by: vec!["till (42)".to_owned()],
        };
        assert_eq!(list(&root), [expected]);
    }
}
