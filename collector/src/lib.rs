//! The collector: admits, correlates, stores, judges, tells.

pub mod admit;
pub mod alert;
pub mod collector;
pub mod command;
pub mod commit;
pub mod complaint;
pub mod config;
pub mod correlate;
pub mod edge;
pub mod evidence;
pub mod metrics;
pub mod run;
pub mod settlement;
