//! Starts the agent: arguments, logging, exit code.

fn main() {}
