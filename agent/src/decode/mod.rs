//! Bytes to events. Touches no world.

pub mod decoder;
pub mod device_clock;
pub mod dialect;
pub mod framer;
pub mod scrub;
