//! The languages of letters and pages. Both programs speak them: the words themselves stand in `shared`.

pub use slipwatch_shared::language::{Language, LanguageError};
