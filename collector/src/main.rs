//! Starts the collector: arguments, logging, exit code.

fn main() {}
