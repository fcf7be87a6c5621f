//! The loop: agent.rs joined with the edges.
