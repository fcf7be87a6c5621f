//! The one test binary: what each room of tests holds.
//!
//! - `corrupt`: damaged spools: the agent starts, accounts for every number, and goes on.
//! - `house`: the floors, names and files of this repository.
//! - `power`: pulled plugs: every committed group and every committed transaction is there.
//! - `seeds`: random worlds of both cores in one thread, compared with the naive ledger.
//! - `wire`: the frozen bytes of each version, and what damage may cost.
//! - `parts`: the real parts by themselves; a failure there is the machine's.

mod corrupt;
mod house;
mod parts;
mod power;
mod seeds;
mod spool_parts;
mod wire;
