//! The one test binary: what each room of tests holds.
//!
//! - `house`: the floors, names and files of this repository.
//! - `wire`: the frozen bytes of each version, and what damage may cost.

mod house;
mod wire;
