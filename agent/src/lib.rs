//! The agent: reads what terminals and printers say, keeps it, sends it. Knows nothing about verdicts.

pub mod agent;
pub mod command;
pub mod config;
pub mod decode;
pub mod edge;
pub mod run;
pub mod spool;
