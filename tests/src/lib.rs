//! Simulator, deterministic world and second opinion.
