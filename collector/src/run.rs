//! The loop: collector.rs joined with the edges.
