//! Events to cases to verdicts to findings. Touches no world.

pub mod case;
pub mod cause;
pub mod correlator;
pub mod coverage;
pub mod facts;
pub mod filing;
pub mod finding;
pub mod keeping;
pub mod key;
pub mod lean;
pub mod money;
pub mod pairs;
pub mod policy;
pub mod proposal;
pub mod recall;
pub mod review;
pub mod route;
pub mod rules;
pub mod shape;
pub mod silence;
pub mod terminal;
pub mod timeline;
pub mod verdict;
pub mod watch;
pub mod word;

#[cfg(test)]
pub(crate) mod tests;
