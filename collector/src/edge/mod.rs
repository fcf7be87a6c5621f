//! The world of the collector.

pub mod broker;
pub mod clock;
pub mod console;
pub mod intake;
pub mod journal;
pub mod mail;
pub mod statement;
pub mod store;
