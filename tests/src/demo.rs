//! The demonstration: real parts in one process, simulated terminals on real pseudo-terminals. What is played
//! ([`scenario`]), on what ([`stage`]), how an agent is cut off ([`gate`]), what is found ([`watch`]), and how it is told
//! ([`words`]).

pub mod gate;
pub mod play;
pub mod scenario;
pub mod stage;
pub mod watch;
pub mod words;
