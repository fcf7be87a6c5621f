//! What waits to be sent: written in the same transaction as the finding that causes it. Sends nothing.

use slipwatch_shared::times::ArrivalTime;

/// By which road it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Road {
    /// E-mail.
    Mail,
    /// HTTP, signed.
    Webhook,
}

impl Road {
    /// A word for metrics and rows.
    pub fn label(self) -> &'static str {
        match self {
            Road::Mail => "mail",
            Road::Webhook => "webhook",
        }
    }
}

/// A letter or call that is due, complete as it will go out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// Unique for ever (a mail's `Message-ID` without brackets): a row of the same name is stored once.
    pub message_id: String,
    /// The thread's first `Message-ID`, where this one answers it.
    pub in_reply_to: Option<String>,
    /// By which road.
    pub road: Road,
    /// To whom: a mail address or a URL.
    pub recipient: String,
    /// A letter's subject.
    pub subject: String,
    /// A letter's text, or a call's body.
    pub text: String,
    /// A letter's HTML, where it has one.
    pub html: Option<String>,
    /// When it was caused.
    pub created: ArrivalTime,
    /// Not to be sent before.
    pub not_before: ArrivalTime,
    /// Names of the findings it tells of.
    pub findings: Vec<String>,
}
