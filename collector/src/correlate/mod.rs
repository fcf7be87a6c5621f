//! Events to cases to verdicts to findings. Touches no world.

pub mod case;
pub mod cause;
pub mod correlator;
pub mod coverage;
pub mod finding;
pub mod key;
pub mod policy;
pub mod rules;
pub mod timeline;
pub mod verdict;
