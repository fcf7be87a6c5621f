//! Letters through a real mail server: STARTTLS under an authority of the shop's own, a login, threads, and a server that is
//! away, in trouble, or not to be persuaded.

use crate::serial::payment;
use slipwatch_tests::process::mail::{MailServer, PASSWORD, USER};
use slipwatch_tests::process::shop::Shop;
use slipwatch_tests::process::{sample, wait_for, wait_within};
use slipwatch_tests::terminal::{Story, Word};
use std::path::Path;
use std::time::Duration;

fn strict_settings(server: &MailServer, directory: &Path, password: &str) -> String {
    let secret = directory.join("password");
    std::fs::write(&secret, format!("{password}\n")).expect("a secret can be written");
    format!(
        "[mail.smtp]\nhost = \"localhost\"\nport = {}\nsecurity = \"starttls\"\nuser = \"{USER}\"\n\
         password_file = \"{}\"\nca = \"{}\"\n",
        server.port,
        secret.display(),
        directory.join("ca.pem").display(),
    )
}

fn open_settings(server: &MailServer) -> String {
    format!("[mail.smtp]\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\n", server.port)
}

#[test]
fn a_letter_goes_out_under_tls_and_login_and_its_thread_goes_on() {
    let mut shop = Shop::new();
    let directory = shop.subdirectory("smtp");
    let server = MailServer::strict(&directory);
    shop.set_mail(&strict_settings(&server, &directory, PASSWORD));
    shop.open();
    shop.wait_until_heard();
    let late = payment(1, Story::LateReprint);
    let back =
        late.spoken.iter().position(|spoken| spoken.word == Word::PaperBack).expect("a new roll");
    shop.tell_words(&late, &late.spoken[..back]);
    let first = wait_for("a letter", || server.letters().into_iter().next());
    assert_eq!(first.header("X-Tls").as_deref(), Some("yes"));
    assert_eq!(first.header("X-Login").as_deref(), Some("yes"));
    assert_eq!(first.header("X-Envelope-To").as_deref(), Some("owner@example.com"));
    assert!(first.raw.contains("text/plain") && first.raw.contains("text/html"), "{}", first.raw);
    shop.tell_words(&late, &late.spoken[back..]);
    let thread = first.header("Message-ID").expect("a letter has a name");
    let second = wait_for("the letter that takes it back", || server.letters().into_iter().nth(1));
    assert!(
        second.header("References").is_some_and(|names| names.contains(&thread)),
        "{}",
        second.raw
    );
    assert_ne!(second.header("Message-ID"), Some(thread));
}

#[track_caller]
fn check_each_once(server: &MailServer) {
    let mut names: Vec<_> =
        server.letters().iter().map(|letter| letter.header("Message-ID")).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), server.letters().len(), "a letter came twice");
}

#[test]
fn a_letter_outlives_a_mail_server_and_a_collector_that_are_away() {
    let mut shop = Shop::new();
    let directory = shop.subdirectory("smtp");
    let mut server = MailServer::open(&directory);
    shop.set_mail(&open_settings(&server));
    server.stop();
    shop.open();
    shop.wait_until_heard();
    let missed = payment(2, Story::NoSlip);
    shop.tell(&missed);
    shop.wait_for_verdict(&missed, "no_slip");
    wait_for("a letter that waits", || {
        (shop.sample("slipwatch_mail_pending_letters")? > 0.0).then_some(())
    });
    shop.kill_collector();
    server.start_again();
    shop.start_collector();
    wait_for("the letter", || server.letters().into_iter().next());
    let other = payment(3, Story::NoSlip);
    shop.tell(&other);
    wait_for("another letter", || server.letters().into_iter().nth(1));
    check_each_once(&server);
}

#[test]
fn a_letter_that_is_refused_for_now_is_sent_again() {
    let mut shop = Shop::new();
    let directory = shop.subdirectory("smtp");
    let server = MailServer::open(&directory);
    shop.set_mail(&open_settings(&server));
    server.refuse(true);
    shop.open();
    shop.wait_until_heard();
    shop.tell(&payment(5, Story::NoSlip));
    wait_for("a letter that was refused", || {
        let metrics = shop.metrics()?;
        let mut failures =
            metrics.lines().filter(|line| line.starts_with("slipwatch_mail_failures_total"));
        let waits = sample(&metrics, "slipwatch_mail_pending_letters")? > 0.0;
        (waits && failures.any(|line| !line.ends_with(" 0"))).then_some(())
    });
    assert!(server.letters().is_empty());
    server.refuse(false);
    // A letter that a server refused waits for a minute or two before it is tried again.
    wait_within(Duration::from_secs(240), "the letter", || server.letters().into_iter().next());
    check_each_once(&server);
}

#[test]
fn a_wrong_password_is_said_clearly_and_mended_by_a_restart() {
    let mut shop = Shop::new();
    let directory = shop.subdirectory("smtp");
    let server = MailServer::strict(&directory);
    shop.set_mail(&strict_settings(&server, &directory, "wrong"));
    shop.open();
    shop.wait_until_heard();
    let missed = payment(4, Story::NoSlip);
    shop.tell(&missed);
    let log = wait_for("a word about the login", || {
        let log = shop.collector.as_ref()?.log();
        log.contains("535").then_some(log)
    });
    assert!(!log.contains("wrong\n") && !log.contains(PASSWORD), "a log shows no password");
    shop.kill_collector();
    shop.set_mail(&strict_settings(&server, &directory, PASSWORD));
    shop.start_collector();
    wait_for("the letter", || server.letters().into_iter().next());
}
