//! What devices speak. A [`Dialect`] is a profile, read and ready: a TOML file whose `family` names the code that
//! understands it, and whose other keys are that family's settings. A [`Reader`] is one source's state in it. One
//! folder a family; none of them reads a clock or a port.

pub mod error;
pub mod escpos;
pub mod framed;
pub mod iso8583;
pub mod jpos;
pub mod logcat;
pub mod profile;
pub mod shipped;
pub(crate) mod sink;
pub mod slip_text;
pub mod zvt;

pub use error::ProfileError;
pub use sink::Sink;

use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::Uptime;
use std::fmt;
use std::sync::Arc;

/// Which way bytes went on the line that they were heard on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Not known, or both on one wire: a log, a file, a single receiver.
    #[default]
    Either,
    /// From the till or host to the printer or terminal.
    ToDevice,
    /// What the printer or terminal answered.
    FromDevice,
}

/// What hardly stands in bytes by chance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hallmarks {
    /// How many.
    pub count: u64,
    /// Of which kinds, a bit each: noise that repeats itself has many of one.
    pub kinds: u32,
}

/// What one kind of device speaks; the same for all sources that speak it.
pub trait Dialect: fmt::Debug + Send + Sync {
    /// Its file or shipped name.
    fn name(&self) -> &str;

    /// What device it is for, in a sentence.
    fn about(&self) -> &str;

    /// Whether it can tell of debits, reversals and voids.
    fn hears_money(&self) -> bool;

    /// Whether it can tell of slips.
    fn hears_slips(&self) -> bool;

    /// Of a dialect that takes any bytes for text, so that what it understands is no proof: what `bytes` hold that hardly
    /// stands there by chance. For whoever has to tell dialects apart.
    fn hallmarks(&self, _bytes: &[u8]) -> Option<Hallmarks> {
        None
    }

    /// Reads a source from its start. `terminal` is the one of the source's settings, used where nothing that is said
    /// names one.
    fn reader(self: Arc<Self>, terminal: Option<TerminalId>) -> Box<dyn Reader>;
}

/// Turns the bytes of one source into what was said. Never panics on any input; holds a bounded amount of it; cuts the
/// same things however the bytes were chunked. No card number leaves it: what goes to the [`Sink`] is scrubbed.
pub trait Reader: fmt::Debug + Send {
    /// Takes the next bytes of the source, read at `at`.
    fn push(&mut self, direction: Direction, bytes: &[u8], at: Uptime, sink: &mut Sink<'_>);

    /// Time passed: what has waited long enough for its rest is let go.
    fn settle(&mut self, now: Uptime, sink: &mut Sink<'_>);

    /// The link was lost or the file ended: everything is let go, what is unfinished is torn.
    fn finish(&mut self, at: Uptime, sink: &mut Sink<'_>);

    /// Since when something that was read waits inside for what comes after it; until then only is the source covered.
    fn held_since(&self) -> Option<Uptime>;

    /// When [`Reader::settle`] would let something go.
    fn wake_at(&self) -> Option<Uptime>;
}
