//! Simulator, deterministic world and second opinion. Reading order: what really happens ([`terminal`]), how devices
//! write it down ([`voice`]), what is to be said of it ([`ledger`]).

pub mod dice;
pub mod ledger;
pub mod lossy_broker;
pub mod process;
pub mod terminal;
pub mod voice;
