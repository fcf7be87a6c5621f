//! The words both ends of slipwatch speak, and the wire between them. No IO, no clock, no async; import from
//! the module where a thing lives.
//!
//! In reading order: the fields ([`field`], [`money`], [`times`], [`terminal`], [`trace`], [`message`], [`card`]),
//! the vocabulary ([`event`]), the waits ([`backoff`]), the wire ([`wire`]), and the languages of people ([`language`]).

pub mod backoff;
pub mod card;
pub mod event;
pub mod field;
pub mod language;
pub mod message;
pub mod money;
pub mod terminal;
pub mod times;
pub mod trace;
pub mod wire;
