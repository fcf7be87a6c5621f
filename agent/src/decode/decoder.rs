//! The parts joined: bytes to what was said.
