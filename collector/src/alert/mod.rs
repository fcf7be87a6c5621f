//! Which findings become letters, and what a letter says.

mod html;
mod item;
pub mod language;
pub mod letter;
mod memory;
pub mod outbox;
pub mod policy;
pub mod telling;
pub mod words;
