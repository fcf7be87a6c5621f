//! Why a collector does not start, and the exit code that says so.

use crate::config::ConfigError;
use crate::edge::broker::BrokerError;
use crate::edge::mail::PostError;
use crate::edge::store::StoreError;
use std::net::SocketAddr;

/// Why a collector does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store cannot be opened.
    #[error("the store cannot be opened")]
    Store(#[from] StoreError),
    /// Another collector runs on it.
    #[error(
        "the store in {directory} is in use by another collector: stop that one, or give this one another [store] path"
    )]
    InUse {
        /// The store's directory.
        directory: String,
    },
    /// The embedded broker does not start.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The pages' address cannot be used.
    #[error("cannot listen on {address} for pages and metrics: is another program there?")]
    Http {
        /// Which.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// Letters cannot be sent as the settings say.
    #[error(transparent)]
    Post(#[from] PostError),
    /// A thread cannot be started.
    #[error("a thread cannot be started")]
    Thread(#[source] std::io::Error),
}

/// Unexpected failure.
pub const EXIT_FAILURE: u8 = 1;
/// A file was refused; EX_DATAERR.
pub const EXIT_DATA: u8 = 65;
/// A needed service does not answer (`check`); EX_UNAVAILABLE.
pub const EXIT_UNAVAILABLE: u8 = 69;
/// The state directory cannot be written; EX_CANTCREAT.
pub const EXIT_STATE: u8 = 73;
/// The settings are wrong; EX_CONFIG.
pub const EXIT_CONFIG: u8 = 78;

impl StartError {
    /// What the process ends with.
    pub fn exit_code(&self) -> u8 {
        match self {
            StartError::Config(_) => EXIT_CONFIG,
            StartError::Post(error) => error.exit_code(),
            // A full disk, a foreign owner, a read-only file system: nothing that a restart mends.
            StartError::Store(error) if error.is_retryable() => EXIT_FAILURE,
            StartError::Store(_) | StartError::InUse { .. } => EXIT_STATE,
            StartError::Broker(_) | StartError::Http { .. } | StartError::Thread(_) => EXIT_FAILURE,
        }
    }
}
