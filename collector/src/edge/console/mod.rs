//! The pages a person reads: today's cases, one case with its timeline, agents and their coverage; and beside them
//! `/metrics` and `/healthz`. Read only, without a login: the address is the loopback unless the settings say otherwise.

pub mod complaints;
mod guard;
pub mod pages;
pub mod papers;
pub mod refusals;
pub mod routes;
pub mod summary;
pub mod upload;
mod words;

pub use routes::{Health, Pages, serve};
