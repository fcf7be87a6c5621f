//! The data-driven text dialect: rules in a TOML file.

use slipwatch_shared::event::Body;

/// Profiles that are part of the program, by name.
const SHIPPED: [(&str, &str); 2] = [
    ("kv-en", include_str!("../../../../profiles/kv-en.toml")),
    ("cn-terminal", include_str!("../../../../profiles/cn-terminal.toml")),
];

/// A text dialect, ready to run.
#[derive(Debug)]
pub struct Profile {
    name: Box<str>,
}

/// Why a profile cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {problem}")]
pub struct ProfileError {
    /// The profile's name or path.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What was expected there.
    pub problem: String,
}

impl Profile {
    /// Reads a profile; `name` is its file or shipped name, for messages.
    pub fn parse(name: &str, _toml: &str) -> Result<Profile, ProfileError> {
        Ok(Profile { name: name.into() })
    }

    /// The text of a profile that is part of the program.
    pub fn shipped(name: &str) -> Option<&'static str> {
        SHIPPED.iter().find(|shipped| shipped.0 == name).map(|shipped| shipped.1)
    }

    /// The names of the profiles that are part of the program.
    pub fn shipped_names() -> impl Iterator<Item = &'static str> {
        SHIPPED.iter().map(|shipped| shipped.0)
    }

    /// Its file or shipped name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it can tell of debits, reversals and voids.
    pub fn hears_money(&self) -> bool {
        true
    }

    /// Whether it can tell of slips.
    pub fn hears_slips(&self) -> bool {
        true
    }

    /// What a line says.
    pub(crate) fn say(&self, line: &str) -> Option<Body> {
        line.contains("network up").then_some(Body::NetworkUp)
    }
}
