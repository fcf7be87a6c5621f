//! What to keep, send and drop.
