//! Letters against a mail server of a few lines, and as files.

use super::*;
use crate::alert::outbox::Road as Way;
use slipwatch_shared::times::ArrivalTime;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

fn row(recipient: &str) -> OutboxRow {
    OutboxRow {
        message_id: "a01.1@shop.example".to_owned(),
        in_reply_to: Some("a01.0@shop.example".to_owned()),
        road: Way::Mail,
        recipient: recipient.to_owned(),
        subject: "未出凭条 88.00 元".to_owned(),
        text: "正文\n.\nlast".to_owned(),
        html: Some("<p>正文</p>".to_owned()),
        created: ArrivalTime(1_790_000_000_000),
        not_before: ArrivalTime(0),
        findings: Vec::new(),
    }
}

fn config(text: &str) -> Config {
    Config::parse(Path::new("/nowhere/collector.toml"), &format!("store.path = \"/x\"\n{text}"))
        .unwrap()
}

fn post(config: &Config) -> Post {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let post = Post::new(config, config.mail.as_ref().unwrap()).unwrap();
    post.prepare().unwrap();
    post
}

/// A server that answers `answer` to the command that begins with `command`, and "fine" to every other.
async fn server(command: &'static str, answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            if stream.get_mut().write_all(b"220 test\r\n").await.is_err() {
                continue;
            }
            let (mut line, mut in_data) = (String::new(), false);
            while matches!(stream.read_line(&mut line).await, Ok(1..)) {
                let said = std::mem::take(&mut line);
                let reply = match said.trim_end() {
                    "." if in_data => {
                        in_data = false;
                        "250 kept"
                    }
                    _ if in_data => continue,
                    said if said.starts_with(command) => answer,
                    "DATA" => {
                        in_data = true;
                        "354 go on"
                    }
                    said if said.starts_with("EHLO") => "250-test\r\n250 AUTH PLAIN",
                    "QUIT" => "221 bye",
                    _ => "250 fine",
                };
                if stream.get_mut().write_all(format!("{reply}\r\n").as_bytes()).await.is_err() {
                    break;
                }
            }
        }
    });
    port
}

async fn outcome(command: &'static str, answer: &'static str, login: bool) -> Outcome {
    let port = server(command, answer).await;
    let directory = tempfile::tempdir().unwrap();
    let secret = directory.path().join("password");
    std::fs::write(&secret, "wrong").unwrap();
    let login = match login {
        true => format!("user = \"u\"\npassword_file = {:?}", secret.display().to_string()),
        false => String::new(),
    };
    let config = config(&format!(
        "[mail]\nfrom = \"a@b.example\"\n[mail.smtp]\nhost = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\n{login}"
    ));
    post(&config).send(&row("owner@example.com")).await
}

#[tokio::test]
async fn a_letter_that_the_server_takes_is_sent() {
    assert!(matches!(outcome("-", "", false).await, Outcome::Sent));
}

#[tokio::test]
async fn a_wrong_password_holds_all_letters_and_says_so() {
    let outcome = outcome("AUTH", "535 5.7.8 bad credentials", true).await;
    let Outcome::Failed { failure, error, concerns_all } = outcome else { panic!("{outcome:?}") };
    assert_eq!((failure, concerns_all), (MailFailure::Login, true));
    assert!(error.contains("user and password"), "{error}");
    assert!(!error.contains("wrong"), "the password is told nowhere: {error}");
}

#[tokio::test]
async fn later_is_later_and_never_is_never() {
    let later = outcome("RCPT", "451 greylisted", false).await;
    assert!(
        matches!(later, Outcome::Failed { failure: MailFailure::Later, concerns_all: false, .. }),
        "{later:?}"
    );
    let never = outcome("RCPT", "550 no such person", false).await;
    assert!(matches!(never, Outcome::Refused { failure: MailFailure::Refused, .. }), "{never:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_holds_all_letters() {
    let config = config(
        "[mail]\nfrom = \"a@b.example\"\n[mail.smtp]\nhost = \"127.0.0.1\"\nport = 1\nsecurity = \"none\"",
    );
    let outcome = post(&config).send(&row("owner@example.com")).await;
    assert!(
        matches!(
            outcome,
            Outcome::Failed { failure: MailFailure::Connection, concerns_all: true, .. }
        ),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn starttls_is_never_given_up_for_plain() {
    let port = server("-", "").await;
    let config = config(&format!(
        "[mail]\nfrom = \"a@b.example\"\n[mail.smtp]\nhost = \"127.0.0.1\"\nport = {port}"
    ));
    let outcome = post(&config).send(&row("owner@example.com")).await;
    assert!(matches!(outcome, Outcome::Failed { concerns_all: true, .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_letter_as_a_file_is_whole_and_names_its_thread() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(&format!(
        "[mail]\nfrom = \"slipwatch <a@b.example>\"\ndirectory = {:?}",
        directory.path().display().to_string()
    ));
    assert!(matches!(post(&config).send(&row("Owner <owner@example.com>")).await, Outcome::Sent));
    let names: Vec<_> = std::fs::read_dir(directory.path()).unwrap().flatten().collect();
    assert_eq!(names.len(), 1);
    let text = std::fs::read_to_string(names[0].path()).unwrap();
    for part in [
        "Message-ID: <a01.1@shop.example>",
        "In-Reply-To: <a01.0@shop.example>",
        "References: <a01.0@shop.example>",
        "Auto-Submitted: auto-generated",
        "To: Owner <owner@example.com>",
        "multipart/alternative",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
}
