//! Which language whoever started the program reads: `--lang` says so, else `LC_ALL`, `LC_MESSAGES` or `LANG`.

use slipwatch_shared::language::Language;
use std::ffi::OsString;

/// The argument of both programs and of each of their commands. It is read by [`language`], so that it also holds where
/// the rest of the line cannot be read.
#[derive(Clone, Debug, clap::Args)]
pub struct LanguageArgument {
    /// The language of what is told; without it, that of LC_ALL, LC_MESSAGES or LANG
    #[arg(long, global = true, value_enum, value_name = "LANGUAGE")]
    lang: Option<Lang>,
    /// As `--lang zh`
    #[arg(long, global = true, hide = true, conflicts_with = "lang")]
    chinese: bool,
}

/// A language as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Lang {
    Zh,
    En,
}

/// The language of this process.
pub fn language() -> Language {
    asked(std::env::args_os()).unwrap_or_else(|| {
        let said = ["LC_ALL", "LC_MESSAGES", "LANG"].map(std::env::var);
        let locale = said.into_iter().flatten().find(|locale| !locale.is_empty());
        Language::of_locale(&locale.unwrap_or_default())
    })
}

/// What the command line asks for, be the rest of it right or wrong.
fn asked(arguments: impl Iterator<Item = OsString>) -> Option<Language> {
    let words = arguments.skip(1).map(|word| word.to_string_lossy().into_owned());
    let mut words = words.take_while(|word| word != "--");
    while let Some(word) = words.next() {
        let value = match word.as_str() {
            "--chinese" => "zh".to_owned(),
            "--lang" => words.next()?,
            word => word.strip_prefix("--lang=").unwrap_or_default().to_owned(),
        };
        match value.as_str() {
            "zh" => return Some(Language::Chinese),
            "en" => return Some(Language::English),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<Language>) {
        let words = format!("program {line}");
        assert_eq!(asked(words.split_whitespace().map(OsString::from)), expected, "{line}");
    }

    #[test]
    fn the_command_line_says_which_language_also_where_it_is_wrong() {
        check("cases", None);
        check("cases --lang zh", Some(Language::Chinese));
        check("--lang=en cases --nonsense", Some(Language::English));
        check("import --chinese", Some(Language::Chinese));
        check("--lang fr", None);
        check("--lang", None);
        check("decode -- --lang=zh", None);
    }
}
