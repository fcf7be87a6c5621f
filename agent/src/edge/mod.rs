//! The world of the agent.

pub mod clock;
pub mod seal_key;
pub mod service;
pub mod source;
pub mod spool;
pub mod uplink;
