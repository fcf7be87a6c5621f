//! Every series, typed.
