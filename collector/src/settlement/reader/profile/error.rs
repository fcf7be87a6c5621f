//! What is wrong with a settlement profile, said so that its author can mend it.

/// Why a profile cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {problem}")]
pub struct ProfileError {
    /// The profile's file or shipped name.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What was found, what was expected there, and the nearest valid word.
    pub problem: String,
}

/// A profile's text and the name to call it by, for messages.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub file: &'a str,
    pub text: &'a str,
}

impl Source<'_> {
    /// An error at the byte `offset` of the text.
    pub fn error(&self, offset: usize, problem: impl Into<String>) -> ProfileError {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        ProfileError { file: self.file.to_owned(), line, problem: problem.into() }
    }

    /// The TOML reader's own error, with the nearest valid key where a key or word is unknown.
    pub fn toml_error(&self, error: &toml::de::Error) -> ProfileError {
        let offset = error.span().map_or(0, |span| span.start);
        let message = error.message().trim();
        let mut quoted = message.split('`').skip(1).step_by(2);
        let problem = match quoted.next() {
            Some(found) if message.starts_with("unknown ") => {
                unknown("key", found, &quoted.collect::<Vec<_>>())
            }
            _ => message.replace('\n', " "),
        };
        self.error(offset, problem)
    }
}

/// "unknown key `tiem`; did you mean `time`?", with all valid words when none is near.
pub(super) fn unknown(what: &str, found: &str, valid: &[&str]) -> String {
    let distance = |word: &str| strsim::damerau_levenshtein(found, word);
    let nearest = valid.iter().copied().min_by_key(|word| distance(word));
    match nearest.filter(|word| distance(word) <= word.chars().count().div_ceil(2)) {
        Some(nearest) => format!("unknown {what} `{found}`; did you mean `{nearest}`?"),
        None => format!("unknown {what} `{found}`; expected one of {}", valid.join(", ")),
    }
}
