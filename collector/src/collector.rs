//! The whole collector without a world: Input in, Effects out.
