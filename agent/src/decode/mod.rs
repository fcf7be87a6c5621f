//! Bytes to events. Touches no world.

pub mod decoder;
pub mod device_clock;
pub mod dialect;
pub mod encoding;
pub mod framer;
pub mod guess;
pub(crate) mod plain;
pub mod record;
pub mod recording;
pub mod scrub;

#[cfg(test)]
mod tests;
