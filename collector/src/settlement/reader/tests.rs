//! The reader, profile by profile and fault by fault.
