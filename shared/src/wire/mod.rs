//! The wire: frozen shapes, envelopes, topics. What is written here once is read for years.

pub mod envelope;
pub mod json;
pub mod seal;
pub mod topic;
pub mod v1;

#[cfg(test)]
mod tests;
