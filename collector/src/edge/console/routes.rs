//! Which page where.
