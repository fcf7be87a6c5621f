//! Settings of the agent, each with unit, default and reason.
