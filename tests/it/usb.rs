//! USB and serial hardware for real, as far as an emulator has it: the release agent inside a machine with Debian's kernel, drivers
//! and udev; adapters are plugged in and pulled out in mid-sale, and what the collector outside makes of it.

use crate::mqtt::agent_name;
use crate::serial::payment;
use serde_json::json;
use slipwatch_shared::event::{Body, SourceLoss};
use slipwatch_tests::dice::Dice;
use slipwatch_tests::machine::{HOST_FROM_INSIDE, Machine};
use slipwatch_tests::process::live::{PACE, now_ms};
use slipwatch_tests::process::shop::Shop;
use slipwatch_tests::process::{release_agent, wait_for};
use slipwatch_tests::terminal::{Payment, Spoken, Story, Terminal};
use slipwatch_tests::voice::Voice;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::Path;

const AGENT: &str = "/bin/slipwatch-agent";
const SETTINGS: &str = "/etc/slipwatch/agent.toml";
/// How udev calls QEMU's FTDI adapter with the serial number `TILL`.
const TILL: &str = "/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_TILL-if00-port0";

/// Long enough that a plug is out before the deadline, also where the machine takes seconds for it.
const DEADLINES: &str = "slip_suspect_s = 4\nslip_alert_s = 8\nagent_offline_s = 5\n";

/// A collector outside, and a machine inside which an agent reads a port for each of the shop's terminals.
fn boot(shop: &mut Shop, ports: &[&str], lines: &[&str]) -> Machine {
    let terminals = shop.set_terminals(ports.len());
    shop.set_deadlines(DEADLINES);
    let source = |(port, terminal): (&&str, String)| {
        format!(
            "[[source]]\nname = \"{terminal}\"\ndialect = \"kv-en\"\nterminal = \"{terminal}\"\n\
             serial = {{ port = \"{port}\" }}\n\n"
        )
    };
    let sources: String = ports.iter().zip(terminals).map(source).collect();
    let settings = shop.agent_settings_at(HOST_FROM_INSIDE, Path::new("/var/lib/spool"), &sources);
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("systemd");
    let rules = std::fs::read_to_string(rules.join("70-slipwatch.rules")).expect("udev's rules");
    let files =
        [(SETTINGS, settings.as_str()), ("/etc/udev/rules.d/70-slipwatch.rules", rules.as_str())];
    let agent = release_agent();
    let mut machine = Machine::boot(shop.path(), &files, &[(&agent, AGENT)], lines);
    shop.start_collector();
    // On the console, so that its words are in the machine's log.
    machine.run(&format!(
        "{AGENT} run --config {SETTINGS} >/dev/ttyS0 2>&1 & echo $! >/run/agent.pid"
    ));
    machine
}

fn tell(line: &mut UnixStream, payment: &Payment, words: &[Spoken]) {
    for &spoken in words {
        let bytes = Voice::KeyValue.bytes(payment, spoken, now_ms());
        line.write_all(&bytes).expect("the line takes bytes");
    }
}

/// Where a name leads, inside.
fn led_to(machine: &mut Machine, name: &str) -> String {
    let command = format!("test -c {name} && readlink -f {name}");
    machine.wait_for("the adapter to have its name", &command).trim().to_owned()
}

fn ftdi(machine: &mut Machine, serial: &str, line: &str) {
    let properties = [
        ("chardev", json!(line)),
        ("serial", json!(serial)),
        ("always-plugged", json!(true)),
        ("bus", json!("usb.0")),
    ];
    machine.plug_in("usb-serial", serial, &properties);
}

/// How the lines were opened and lost, as the journal has it.
fn life_of_lines(shop: &Shop) -> Vec<&'static str> {
    let mut stored = shop.stored().expect("a store");
    stored.assert_each_number_once(&agent_name());
    let events = stored.journal(&agent_name()).into_iter();
    let life = events.filter_map(|(_, event)| match event.body {
        Body::SourceOpened(_) => Some("opened"),
        Body::SourceLost { reason: SourceLoss::Unplugged } => Some("unplugged"),
        Body::SourceLost { reason: SourceLoss::AgentStopped } => Some("agent stopped"),
        Body::SourceLost { .. } => Some("lost otherwise"),
        _ => None,
    });
    life.collect()
}

fn stop_agent(machine: &mut Machine) {
    machine.run("kill -TERM $(cat /run/agent.pid)");
    machine.wait_for("the agent's end", "! kill -0 $(cat /run/agent.pid) 2>/dev/null");
}

#[test]
fn an_ftdi_adapter_pulled_in_mid_sale_comes_back_under_another_name_and_nothing_is_said_of_the_hole()
 {
    let mut shop = Shop::new();
    let mut machine = boot(&mut shop, &[TILL], &["till", "stranger"]);
    let (mut till, mut stranger) = (machine.line("till"), machine.line("stranger"));
    ftdi(&mut machine, "TILL", "till");
    assert_eq!(led_to(&mut machine, TILL), "/dev/ttyUSB0");
    let latency = machine.run("cat /sys/bus/usb-serial/devices/ttyUSB0/latency_timer");
    assert_eq!(latency.trim(), "1", "the shipped rules set the adapter's latency");
    shop.wait_until_heard();
    let [sale, torn, foreign, missed, after] = [
        payment(1, Story::Sale),
        payment(2, Story::NoSlip),
        payment(3, Story::NoSlip),
        payment(4, Story::NoSlip),
        payment(5, Story::Sale),
    ];
    tell(&mut till, &sale, &sale.spoken);
    shop.wait_for_verdict(&sale, "printed");

    // In mid-sale: the debit was said, the slip would come.
    tell(&mut till, &torn, &torn.spoken);
    wait_for("the debit to be stored", || shop.stored()?.verdict(&torn));
    machine.pull_out("TILL");
    shop.wait_until_open(0);

    // Another adapter takes the old number. What hangs on it is not the till.
    ftdi(&mut machine, "STRANGER", "stranger");
    let other = TILL.replace("TILL", "STRANGER");
    assert_eq!(led_to(&mut machine, &other), "/dev/ttyUSB0");
    tell(&mut stranger, &foreign, &foreign.spoken);
    ftdi(&mut machine, "TILL", "till");
    assert_eq!(led_to(&mut machine, TILL), "/dev/ttyUSB1");
    shop.wait_until_heard();

    tell(&mut till, &missed, &missed.spoken);
    tell(&mut till, &after, &after.spoken);
    shop.wait_for_verdict(&missed, "no_slip");
    shop.wait_for_verdict(&after, "printed");
    // By now the deadline of the torn one is long past.
    let mut stored = shop.stored().expect("a store");
    assert_eq!(stored.verdict(&torn), Some(("unknown", Some("source_lost"))));
    assert_eq!(stored.verdict(&foreign), None, "a stranger's line was read");
    wait_for("the letter about the missed slip", || shop.letters().into_iter().next());

    // A plug that is loose.
    for _ in 0..3 {
        machine.pull_out("TILL");
        shop.wait_until_open(0);
        ftdi(&mut machine, "TILL", "till");
        shop.wait_until_heard();
    }
    let last = payment(6, Story::Sale);
    tell(&mut till, &last, &last.spoken);
    shop.wait_for_verdict(&last, "printed");
    stop_agent(&mut machine);
    shop.wait_until_open(0);
    assert_eq!(shop.letters().len(), 1, "nothing is said of the hole");
    let expected = ["opened", "unplugged"].repeat(4).into_iter().chain(["opened", "agent stopped"]);
    assert_eq!(life_of_lines(&shop), expected.collect::<Vec<_>>());
}

/// Plugs in a CDC-ACM device that is made of software, on a USB host that is; what comes out of a card's port goes into
/// it. Driver, port and names are the real ones.
fn plug_in_acm(machine: &mut Machine) {
    machine.run("modprobe dummy_hcd && modprobe g_serial");
    machine.wait_for("the device's own end", "test -c /dev/ttyGS0");
    machine
        .run("stty -F /dev/ttyGS0 raw -echo; cat /dev/ttyS2 >/dev/ttyGS0 & echo $! >/run/feed.pid");
}

fn pull_out_acm(machine: &mut Machine) {
    // A device that holds its own end open cannot go.
    machine.run("kill $(cat /run/feed.pid)");
    machine.wait_for("the device to go", "rmmod g_serial");
}

#[test]
fn a_cdc_acm_device_and_a_16550_on_a_card_are_lost_and_found_each_by_itself() {
    let mut shop = Shop::new();
    let acm = "/dev/serial/by-path/platform-dummy_hcd.0-usb-0:1:2.0";
    let mut machine = boot(&mut shop, &[acm, "/dev/ttyS3"], &["feed", "card"]);
    machine.plug_in("pci-serial", "feed", &[("chardev", json!("feed"))]);
    machine.wait_for("the feed", "grep '^2: uart:16550A' /proc/tty/driver/serial");
    machine.run("stty -F /dev/ttyS2 raw -echo");
    let plug_in_card = |machine: &mut Machine| {
        machine.plug_in("pci-serial", "card", &[("chardev", json!("card"))]);
        machine.wait_for("the card", "grep '^3: uart:16550A' /proc/tty/driver/serial");
    };
    plug_in_acm(&mut machine);
    plug_in_card(&mut machine);
    assert_eq!(led_to(&mut machine, acm), "/dev/ttyACM0");
    shop.wait_until_open(2);
    let (mut usb, mut card) = (machine.line("feed"), machine.line("card"));
    let on_card = |stan: u32, story| {
        let mut terminal = Terminal::new("10000002", stan - 1, PACE, Dice::new(stan.into()));
        terminal.play(story, 0).remove(0)
    };

    // The device goes in mid-sale: its payment is unknown, the card's is judged.
    let (torn, judged) = (payment(1, Story::NoSlip), on_card(2, Story::NoSlip));
    tell(&mut usb, &torn, &torn.spoken);
    wait_for("the debit to be stored", || shop.stored()?.verdict(&torn));
    pull_out_acm(&mut machine);
    shop.wait_until_open(1);
    tell(&mut card, &judged, &judged.spoken);
    shop.wait_for_verdict(&judged, "no_slip");
    plug_in_acm(&mut machine);
    shop.wait_until_open(2);
    let sale = payment(3, Story::Sale);
    tell(&mut usb, &sale, &sale.spoken);
    shop.wait_for_verdict(&sale, "printed");
    shop.wait_for_verdict(&torn, "unknown");

    // And the other way round.
    let (torn, judged) = (on_card(4, Story::NoSlip), payment(5, Story::NoSlip));
    tell(&mut card, &torn, &torn.spoken);
    wait_for("the debit to be stored", || shop.stored()?.verdict(&torn));
    machine.pull_out("card");
    shop.wait_until_open(1);
    tell(&mut usb, &judged, &judged.spoken);
    shop.wait_for_verdict(&judged, "no_slip");
    plug_in_card(&mut machine);
    shop.wait_until_open(2);
    let sale = on_card(6, Story::Sale);
    tell(&mut card, &sale, &sale.spoken);
    shop.wait_for_verdict(&sale, "printed");
    shop.wait_for_verdict(&torn, "unknown");
    wait_for("a letter for each that was judged", || shop.letters().get(1).map(drop));
    stop_agent(&mut machine);
    shop.wait_until_open(0);
    assert_eq!(shop.letters().len(), 2, "nothing is said of the holes");
    let unplugged = life_of_lines(&shop).iter().filter(|word| **word == "unplugged").count();
    assert_eq!(unplugged, 2);
}
