//! Over a pseudo-terminal.
