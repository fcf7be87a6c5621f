//! The real parts by themselves: a test that fails here says that the machine lacks something, not that slipwatch is wrong.

use slipwatch_tests::process::mail::{Letter, MailServer};
use slipwatch_tests::process::mosquitto::{Mosquitto, Spy};
use slipwatch_tests::process::port::Device;
use slipwatch_tests::process::wait_for;
use std::fs::File;
use std::io::Read;

#[test]
fn a_mosquitto_comes_back_on_its_port() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut broker = Mosquitto::start(directory.path());
    let spy = Spy::on(broker.port);
    assert!(spy.heard().is_empty());
    broker.kill();
    broker.start_again();
    drop(Spy::on(broker.port));
}

#[test]
fn a_device_is_heard_and_its_plug_can_be_pulled() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut device = Device::plug_in(&directory.path().join("ttyTill"));
    device.write(b"\x00\x11\xff\r\n");
    let mut line = File::open(device.path()).expect("the line can be opened");
    let mut bytes = [0; 5];
    line.read_exact(&mut bytes).expect("what was said before is on the line");
    assert_eq!(&bytes, b"\x00\x11\xff\r\n");
    device.pull_out();
    assert_eq!(line.read(&mut bytes).unwrap_or(0), 0, "a reader is hung up");
    assert!(!device.path().exists());
    device.plug_in_again();
    assert!(device.path().exists());
}

#[test]
fn a_mail_server_takes_letters_only_after_tls_and_login() {
    use std::io::Write;
    let directory = tempfile::tempdir().expect("a directory");
    let server = MailServer::strict(directory.path());
    let mut line = std::net::TcpStream::connect(("127.0.0.1", server.port)).expect("it listens");
    line.write_all(b"EHLO test\r\nMAIL FROM:<a@example.com>\r\nQUIT\r\n").expect("it reads");
    let mut answer = String::new();
    line.read_to_string(&mut answer).expect("it answers");
    assert!(answer.contains("STARTTLS") && answer.contains("530"), "{answer}");
    assert!(server.letters().is_empty());
    wait_for("the server's files", || directory.path().join("ca.pem").is_file().then_some(()));
}

#[test]
fn a_letter_is_read_in_clear() {
    let raw = "Subject: =?utf-8?b?5byC5bi4?=\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: quoted-printable\r\nX-Long: a\r\n b\r\n\r\n=E6=9C=AA=E5=87=BA=E5=8D=95\r\n";
    let letter = Letter { raw: raw.to_owned() };
    assert_eq!(letter.header("x-long").as_deref(), Some("a b"));
    assert!(letter.text().starts_with("异常\n未出单"), "{}", letter.text());
}
