//! Frames to what was said; one folder a family.

pub mod profile;
