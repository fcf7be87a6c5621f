//! The one test binary: what each room of tests holds.
//!
//! - `house`: the floors, names and files of this repository.
//! - `power`: pulled plugs: every committed group and every committed transaction is there.
//! - `wire`: the frozen bytes of each version, and what damage may cost.
//! - `parts`: the real parts by themselves; a failure there is the machine's.

mod house;
mod parts;
mod power;
mod wire;
