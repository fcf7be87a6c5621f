//! Bytes to what stands by itself: lines of text, frames of a protocol.

pub mod check;
pub mod frame;
pub mod lines;
pub mod repeat;
pub mod shape;
