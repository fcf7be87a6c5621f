//! Bytes to frames and noise.

pub mod lines;
