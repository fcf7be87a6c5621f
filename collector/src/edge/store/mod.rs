//! The store's trait.

pub mod sqlite;
