//! Simulator, deterministic world and second opinion. Reading order: what really happens ([`terminal`]), how devices
//! write it down ([`voice`]), what is to be said of it ([`ledger`]); then the world that plays it to both cores
//! ([`world`]) over a bad road ([`lossy_broker`]) and a bad disk ([`disk`]), and what must hold of it
//! ([`world::proof`]).

pub mod container;
pub mod demo;
pub mod dice;
pub mod disk;
pub mod disk_image;
pub mod fleet;
pub mod ledger;
pub mod load;
pub mod lossy_broker;
pub mod machine;
pub mod month;
pub mod papers;
pub mod process;
pub mod store;
pub mod talk;
pub mod terminal;
pub mod voice;
pub mod world;
