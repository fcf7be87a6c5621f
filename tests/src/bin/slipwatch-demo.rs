//! The one-command start.

fn main() {}
