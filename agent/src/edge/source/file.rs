//! A file: replayed, followed.
