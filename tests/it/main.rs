//! The one test binary: what each room of tests holds.
