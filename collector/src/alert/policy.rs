//! Which findings become letters, joined and spaced.
