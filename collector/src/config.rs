//! Settings of the collector, each with unit, default and reason.
