//! The world of the agent.

pub mod clock;
pub mod journal;
pub mod seal_key;
pub mod service;
pub mod source;
pub mod spool;
pub mod uplink;
