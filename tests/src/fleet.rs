//! Whole fleets from one seed: shops with their daily rhythm, terminals of several makes, a fault of every class and
//! every trap that rings false, and the truth of each payment beside it. Reading order: what a device is ([`make`]),
//! what happens to a payment ([`plot`], told by [`script`]) and to a terminal ([`matter`], [`till`]), a day of one shop
//! ([`shop`], `close`), all shops by time ([`stream`]); then what it should come to ([`truth`], [`money`]), how it is
//! written down ([`form`]), how it is sent along a bad road ([`road`]) or played to agents that run ([`live`]), and how
//! it is judged in this process ([`judge`]). But for what is played live it reads no clock.

pub mod clock;
mod close;
pub mod form;
pub mod judge;
pub mod live;
pub mod make;
pub mod matter;
pub mod money;
pub mod plot;
pub mod road;
pub mod script;
pub mod shop;
pub mod stream;
pub mod till;
pub mod truth;

use crate::world::agent_node::WALL_MS_AT_START;

/// Midnight in China before the first day of a fleet, as UTC.
pub const WALL_MS_AT_MIDNIGHT: i64 = WALL_MS_AT_START - 8 * 3_600_000;
/// Minutes that the shops' clocks are ahead of UTC.
pub const UTC_OFFSET_MINUTES: i16 = 480;

/// How a fleet is thrown.
#[derive(Clone, Debug)]
pub struct FleetSettings {
    /// The same seed gives the same fleet for ever.
    pub seed: u64,
    /// How many terminals.
    pub terminals: usize,
    /// Sales of a terminal in a day, about.
    pub sales_a_day: u32,
    /// Days.
    pub days: u32,
    /// Nobody comes any more so many minutes behind the opening, while what has begun goes on to its end.
    pub comes_for_minutes: Option<u32>,
    /// How often an open line pulses while its shop is open, in milliseconds.
    pub pulse_ms: i64,
    /// Payments of a thousand that are no plain sale.
    pub trouble_per_mille: u64,
    /// Whether lines are pulled out and agents die, so that some payments cannot be judged.
    pub mishaps: bool,
    /// Shops are known to be open at their hours, so that a silent terminal is told.
    pub hours: bool,
    /// Lines pulse all night as well, and to the end of the last: what waits for days, or for the collector's clock, is due.
    pub nights: bool,
    /// For a quarter of an hour of the first day nobody's host answers.
    pub outage: bool,
    /// Only what the voices can write down, so that the fleet can be had as device bytes.
    pub spoken_only: bool,
}

impl FleetSettings {
    /// A day of so many terminals, one payment in twenty-five with a fault or a trap.
    pub fn day(terminals: usize, seed: u64) -> FleetSettings {
        FleetSettings {
            seed,
            terminals,
            sales_a_day: 14,
            days: 1,
            comes_for_minutes: None,
            pulse_ms: 1_800_000,
            trouble_per_mille: 40,
            mishaps: false,
            hours: false,
            nights: false,
            outage: false,
            spoken_only: false,
        }
    }

    /// When the last line pulses last.
    pub fn ends(&self) -> i64 {
        (i64::from(self.days) * 24 + 4) * 3_600_000
    }

    /// A small fleet in which most payments are faults or traps: for proofs.
    pub fn troubled(terminals: usize, seed: u64) -> FleetSettings {
        FleetSettings {
            sales_a_day: 40,
            pulse_ms: 60_000,
            trouble_per_mille: 700,
            hours: true,
            ..FleetSettings::day(terminals, seed)
        }
    }
}
