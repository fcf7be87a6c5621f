//! Where bytes come from.

pub mod file;
pub mod serial;
