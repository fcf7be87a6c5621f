//! Sends one letter at a time: through a mail server, or as a file. Tells what became of it in four ways and keeps
//! nothing: what waits stands in the outbox.

use crate::alert::outbox::OutboxRow;
use crate::config::{Config, ConfigError, MailConfig, MailRoad, SmtpConfig, SmtpSecurity};
use crate::metrics::MailFailure;
use lettre::message::header::{ContentType, HeaderName, HeaderValue, MessageId};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

const ANSWER_WAIT: Duration = Duration::from_secs(30);
/// Codes by which a server says that it wants a login, or not this one (RFC 4954).
const LOGIN_CODES: [u16; 5] = [454, 530, 534, 535, 538];

/// Why letters cannot be sent as the settings say.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// The password or a certificate cannot be read.
    #[error(transparent)]
    Secret(#[from] ConfigError),
    /// A certificate is none, or TLS cannot be set up.
    #[error("TLS to the mail server cannot be set up")]
    Tls(#[source] lettre::transport::smtp::Error),
    /// The sender's address is none.
    #[error("the sender {address:?} is no mail address")]
    From {
        /// What the settings say.
        address: String,
    },
    /// The directory for letters cannot be made or written.
    #[error("letters cannot be written to {}", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl PostError {
    /// What the process ends with: wrong settings, but for a directory that cannot be made.
    pub fn exit_code(&self) -> u8 {
        match self {
            PostError::Directory { .. } => 73,
            PostError::Secret(_) | PostError::Tls(_) | PostError::From { .. } => 78,
        }
    }
}

/// What became of a letter.
#[derive(Debug)]
pub enum Outcome {
    /// It is the server's now.
    Sent,
    /// It did not go out, and may later.
    Failed {
        /// Why, for metrics.
        failure: MailFailure,
        /// Why, for people.
        error: String,
        /// No other letter can go out either, until something is mended.
        concerns_all: bool,
    },
    /// It never will.
    Refused {
        /// Why, for metrics.
        failure: MailFailure,
        /// Why, for people.
        error: String,
    },
}

/// The road that letters take.
pub struct Post {
    from: Mailbox,
    road: Road,
}

enum Road {
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>, String),
    Directory(PathBuf),
}

impl Post {
    /// Prepares the road; connects nowhere yet.
    pub fn new(config: &Config, mail: &MailConfig) -> Result<Post, PostError> {
        let from = mail.from.parse();
        let from = from.map_err(|_| PostError::From { address: mail.from.clone() })?;
        let road = match &mail.road {
            MailRoad::Smtp(smtp) => {
                let place = format!("{}:{}", smtp.host, smtp.port);
                Road::Smtp(Box::new(transport(config, smtp)?), place)
            }
            MailRoad::Directory(path) => Road::Directory(config.beside(path)),
        };
        Ok(Post { from, road })
    }

    /// Makes the directory of letters, where they go into one.
    pub fn prepare(&self) -> Result<(), PostError> {
        let Road::Directory(path) = &self.road else { return Ok(()) };
        std::fs::create_dir_all(path)
            .map_err(|source| PostError::Directory { path: path.clone(), source })
    }

    /// Sends one letter.
    pub async fn send(&self, row: &OutboxRow) -> Outcome {
        let message = match self.message(row) {
            Ok(message) => message,
            // A letter that cannot even be written will never go out: it is shown, not tried for ever.
            Err(error) => return Outcome::Refused { failure: MailFailure::Refused, error },
        };
        match &self.road {
            Road::Smtp(transport, place) => match transport.send(message).await {
                Ok(_) => Outcome::Sent,
                Err(error) => failed(place, &error),
            },
            Road::Directory(path) => match write_file(path, row, &message.formatted()) {
                Ok(()) => Outcome::Sent,
                Err(error) => Outcome::Failed {
                    failure: MailFailure::Connection,
                    error: format!("{}: {error}", path.display()),
                    concerns_all: true,
                },
            },
        }
    }

    /// Connects and logs in, as `check` does; sends nothing.
    pub async fn try_login(&self) -> Result<(), String> {
        match &self.road {
            Road::Directory(path) => crate::config::probe_directory(path),
            Road::Smtp(transport, place) => match transport.test_connection().await {
                Ok(true) => Ok(()),
                Ok(false) => Err(format!("{place} closed the connection")),
                Err(error) => match failed(place, &error) {
                    Outcome::Failed { error, .. } | Outcome::Refused { error, .. } => Err(error),
                    Outcome::Sent => Ok(()),
                },
            },
        }
    }

    fn message(&self, row: &OutboxRow) -> Result<Message, String> {
        let to: Mailbox =
            row.recipient.parse().map_err(|_| format!("{:?} is no mail address", row.recipient))?;
        let written = UNIX_EPOCH + Duration::from_millis(row.created.0.max(0).unsigned_abs());
        let mut builder = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(row.subject.clone())
            .date(written)
            .header(MessageId::from(format!("<{}>", row.message_id)));
        if let Some(thread) = &row.in_reply_to {
            builder = builder.in_reply_to(format!("<{thread}>")).references(format!("<{thread}>"));
        }
        // So that nobody's holiday notice answers a machine (RFC 3834).
        let name = HeaderName::new_from_ascii_str("Auto-Submitted");
        builder = builder.raw_header(HeaderValue::new(name, "auto-generated".to_owned()));
        let built = match &row.html {
            Some(html) => {
                builder.multipart(MultiPart::alternative_plain_html(row.text.clone(), html.clone()))
            }
            None => {
                let text = SinglePart::builder().header(ContentType::TEXT_PLAIN);
                builder.singlepart(text.body(row.text.clone()))
            }
        };
        built.map_err(|error| error.to_string())
    }
}

fn transport(
    config: &Config,
    smtp: &SmtpConfig,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, PostError> {
    let tls = || -> Result<TlsParameters, PostError> {
        let mut parameters = TlsParameters::builder(smtp.host.clone());
        if let Some(ca) = &smtp.ca {
            let path = config.beside(ca);
            let pem =
                std::fs::read(&path).map_err(|source| ConfigError::Unreadable { path, source })?;
            let certificate = Certificate::from_pem(&pem).map_err(PostError::Tls)?;
            parameters = parameters.add_root_certificate(certificate);
        }
        parameters.build_rustls().map_err(PostError::Tls)
    };
    let tls = match smtp.security {
        // Required: an attacker in between cannot talk us out of it.
        SmtpSecurity::StartTls => Tls::Required(tls()?),
        SmtpSecurity::Tls => Tls::Wrapper(tls()?),
        SmtpSecurity::None => Tls::None,
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)
        .port(smtp.port)
        .tls(tls)
        .hello_name(ClientId::default())
        .timeout(Some(ANSWER_WAIT));
    if let Some(login) = &smtp.login {
        let password = config.secret(&login.password_file)?;
        builder = builder.credentials(Credentials::new(login.user.clone(), password));
    }
    Ok(builder.build())
}

fn failed(place: &str, error: &lettre::transport::smtp::Error) -> Outcome {
    let code = error.status().map(u16::from);
    let mut text = format!("{place}: {error}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        // The outer words often hold those of their cause.
        let words = cause.to_string();
        if !text.contains(&words) {
            text.push_str(&format!(": {words}"));
        }
        source = cause.source();
    }
    match code {
        Some(code) if LOGIN_CODES.contains(&code) => Outcome::Failed {
            failure: MailFailure::Login,
            error: format!("the mail server does not accept user and password: {text}"),
            concerns_all: true,
        },
        Some(_) if error.is_permanent() => {
            Outcome::Refused { failure: MailFailure::Refused, error: text }
        }
        Some(421) | None => {
            Outcome::Failed { failure: MailFailure::Connection, error: text, concerns_all: true }
        }
        Some(_) => {
            Outcome::Failed { failure: MailFailure::Later, error: text, concerns_all: false }
        }
    }
}

/// Writes beside and renames, so that no reader sees half a letter.
fn write_file(directory: &Path, row: &OutboxRow, bytes: &[u8]) -> std::io::Result<()> {
    let plain = |sign: char| {
        if sign.is_ascii_alphanumeric() || matches!(sign, '-' | '.' | '@') { sign } else { '_' }
    };
    let id: String = row.message_id.chars().take(150).map(plain).collect();
    let name = format!("{}-{id}.eml", row.created.0);
    let beside = directory.join(format!(".{name}"));
    std::fs::write(&beside, bytes)?;
    std::fs::rename(&beside, directory.join(name))
}

#[cfg(test)]
mod tests;
