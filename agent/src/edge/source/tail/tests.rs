//! On real files.
