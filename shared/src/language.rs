//! The two languages that people are written to in. A text is always said in both at once, so that none can be
//! missing in one; which one is shown is decided for each letter, page and command, never globally.

use std::fmt;
use std::str::FromStr;

/// A language of letters, pages and screens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// Simplified Chinese.
    #[default]
    Chinese,
    /// English.
    English,
}

impl Language {
    /// Both.
    pub const ALL: [Language; 2] = [Language::Chinese, Language::English];

    /// Its tag (BCP 47).
    pub fn tag(self) -> &'static str {
        match self {
            Language::Chinese => "zh-CN",
            Language::English => "en",
        }
    }

    /// The one of two texts that is in this language.
    pub fn say<T>(self, chinese: T, english: T) -> T {
        match self {
            Language::Chinese => chinese,
            Language::English => english,
        }
    }

    /// The language of a locale's name, as `LANG` holds it: `zh_CN.UTF-8`.
    pub fn of_locale(locale: &str) -> Language {
        match locale.starts_with("zh") {
            true => Language::Chinese,
            false => Language::English,
        }
    }

    /// The language that a browser asks for first (`Accept-Language`), of the two; `None` when it asks for neither.
    pub fn wanted(accept_language: &str) -> Option<Language> {
        let weigh = |part: &str| {
            let (tag, weight) = part.split_once(";q=").unwrap_or((part, "1"));
            let tag = tag.trim().to_ascii_lowercase();
            let primary = tag.split('-').next().unwrap_or_default().to_owned();
            let language = match primary.as_str() {
                "zh" => Language::Chinese,
                "en" => Language::English,
                _ => return None,
            };
            let weight: f32 = weight.trim().parse().ok()?;
            (weight > 0.0).then_some((language, weight))
        };
        let mut best: Option<(Language, f32)> = None;
        for (language, weight) in accept_language.split(',').take(32).filter_map(weigh) {
            if best.is_none_or(|(_, best)| weight > best) {
                best = Some((language, weight));
            }
        }
        best.map(|(language, _)| language)
    }
}

/// A tag that is none of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected \"zh-CN\" or \"en\"")]
pub struct LanguageError;

impl FromStr for Language {
    type Err = LanguageError;

    fn from_str(tag: &str) -> Result<Language, LanguageError> {
        match tag.to_ascii_lowercase().as_str() {
            "zh-cn" | "zh" => Ok(Language::Chinese),
            "en" => Ok(Language::English),
            _ => Err(LanguageError),
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.tag())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &str, expected: Option<Language>) {
        assert_eq!(Language::wanted(header), expected, "{header}");
    }

    #[test]
    fn the_language_a_browser_likes_best_is_taken() {
        check("zh-CN,zh;q=0.9,en;q=0.8", Some(Language::Chinese));
        check("de, en;q=0.7, zh;q=0.9", Some(Language::Chinese));
        check("en-GB", Some(Language::English));
        check("fr", None);
        check("zh;q=0", None);
        check("zh;q=nonsense, en", Some(Language::English));
    }
}
