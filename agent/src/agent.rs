//! The whole agent without a world: Input in, Effects out.
