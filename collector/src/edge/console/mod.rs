//! The pages a person reads.

pub mod pages;
pub mod routes;
