//! Which findings become letters, and what a letter says.

pub mod language;
pub mod letter;
pub mod outbox;
pub mod policy;
