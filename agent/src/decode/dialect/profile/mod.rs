//! The data-driven text dialect: rules in a TOML file.
