//! What is wrong with the settings: file, line, what was expected, and the key that was probably meant.

use crate::decode::dialect::ProfileError;
use crate::decode::scrub;

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file could not be read.
    #[error("{file}: cannot be read")]
    Unreadable {
        /// Which.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// A key or a value is wrong.
    #[error("{file}:{line}: {problem}")]
    Wrong {
        /// Which file.
        file: String,
        /// Which line, from 1.
        line: usize,
        /// What was expected, and what was probably meant.
        problem: String,
    },
    /// No such profile is part of the program.
    #[error("no shipped profile is named {name:?}; there are {}, or give the path of a file", shipped.join(", "))]
    UnknownDialect {
        /// As the settings say.
        name: String,
        /// Those there are.
        shipped: Vec<String>,
    },
    /// The settings have no such source.
    #[error("no source is named {name:?}; there are {}", sources.join(", "))]
    UnknownSource {
        /// What was asked for.
        name: String,
        /// Those there are.
        sources: Vec<String>,
    },
    /// A profile file is wrong.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// A secret is missing.
    #[error("{setting} = {name:?}: cannot be read, looked at {}", looked_at.join(", "))]
    Secret {
        /// Which key names it.
        setting: &'static str,
        /// What it names.
        name: String,
        /// Where it was looked for.
        looked_at: Vec<String>,
    },
    /// A certificate or key is none.
    #[error("{setting}: {file} holds no {expected}")]
    Pem {
        /// Which key names it.
        setting: &'static str,
        /// Which file.
        file: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// TLS cannot be set up from them.
    #[error("the certificates cannot be used for TLS")]
    Tls(#[from] rustls::Error),
}

/// What the parser of TOML found, with the nearest key that there is.
pub fn from_toml(file: &str, text: &str, error: &toml::de::Error) -> ConfigError {
    let line = error.span().map_or(1, |span| line_of(text, span.start));
    let mut problem = error.message().to_owned();
    if let Some(nearest) = nearest_key(&problem) {
        problem.push_str(&format!("; did you mean `{nearest}`?"));
    }
    wrong(file, line, &problem)
}

/// A value that is of the right type and still wrong; `key` as `spool.quota_mb` or `source[2].name`.
pub fn of_value(file: &str, text: &str, key: &str, problem: String) -> ConfigError {
    let problem = format!("{key}: expected {problem}");
    wrong(file, line_of_key(text, key), &problem)
}

/// What was found is told, but no card number that somebody took for a key or a value.
fn wrong(file: &str, line: usize, problem: &str) -> ConfigError {
    ConfigError::Wrong { file: file.to_owned(), line, problem: scrub::message(problem) }
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|&&byte| byte == b'\n').count() + 1
}

/// The line where a key stands, as far as it can be told from the text; else that of its table, else 1.
fn line_of_key(text: &str, key: &str) -> usize {
    let (path, leaf) = key.rsplit_once('.').unwrap_or(("", key));
    // `source[2].answers`: the table `answers` of the third `source`.
    let (table, number, within) = match path.split_once('[') {
        Some((table, rest)) => {
            let (digits, within) = rest.split_once(']').unwrap_or((rest, ""));
            (table, digits.parse().ok(), within.trim_start_matches('.'))
        }
        None => (path, None, ""),
    };
    let header = match number {
        Some(_) => format!("[[{table}]]"),
        None => format!("[{table}]"),
    };
    let header_within = format!("[{table}.{within}]");
    let mut found = 1;
    let wanted = number.map_or(1, |number: usize| number + 1);
    let mut headers = 0;
    // Below the right header, and below that of the table within.
    let (mut inside, mut inside_within) = (table.is_empty(), within.is_empty());
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with(&header) {
            headers += 1;
            inside = headers == wanted;
            inside_within = within.is_empty();
        } else if line.starts_with('[') {
            inside &= number.is_some() && line.starts_with(&format!("[{table}."));
            inside_within = line.starts_with(&header_within);
        } else {
            let name = line.split('=').next().unwrap_or_default().trim();
            let is_it = if inside_within { name == leaf } else { name == within };
            if inside && !name.is_empty() && is_it {
                return at + 1;
            }
            continue;
        }
        if inside && (inside_within || found == 1) {
            found = at + 1;
        }
    }
    found
}

/// From a message "unknown field `a`, expected one of `b`, `c`": the one that is spelt most like it.
fn nearest_key(message: &str) -> Option<String> {
    let rest = message.strip_prefix("unknown field `")?;
    let (unknown, rest) = rest.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2);
    let scored = known.map(|known| (strsim::damerau_levenshtein(unknown, known), known));
    let (distance, nearest) = scored.min()?;
    (distance <= unknown.len().div_ceil(2)).then(|| nearest.to_owned())
}
