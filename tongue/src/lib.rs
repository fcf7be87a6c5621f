//! The language in which both programs answer their command line: help, wrong arguments, and the errors that end a
//! command. English stands where it belongs, in the code; its Chinese stands beside the commands in one file a program, and
//! tests hold the two together. Decides nothing, logs nothing.

pub mod catalogue;
pub mod help;
pub mod shell;
mod system;
pub mod usage;
mod wrap;

use slipwatch_shared::language::Language;
use std::error::Error;
use std::io::Write;
pub use wrap::columns;

/// English and its Chinese, in pairs.
pub type Pairs = &'static [(&'static str, &'static str)];

/// All that a program says in Chinese on the command line.
#[derive(Clone, Copy, Debug)]
pub struct Tongue {
    /// What helps with each command and argument, by its path: see [`help`].
    pub help: Pairs,
    /// Sentences of errors and of `check`: see [`catalogue`].
    pub sentences: Pairs,
}

impl Tongue {
    /// The language of the shell.
    pub fn language(&self) -> Language {
        shell::language()
    }

    /// A sentence in the language of the shell.
    pub fn say(&self, english: &str) -> String {
        shell::language().say(catalogue::chinese(self.sentences, english), english.to_owned())
    }

    /// An error with all that is behind it, in the language of the shell, one cause behind the other.
    pub fn say_error(&self, error: &(dyn Error + 'static)) -> String {
        let mut said = self.say(&error.to_string());
        let mut next = error.source();
        while let Some(cause) = next {
            said.push_str(shell::language().say("：", ": "));
            said.push_str(&self.say(&cause.to_string()));
            next = cause.source();
        }
        said
    }

    /// Reads the command line; ends the process, in the language of the shell, where it asks for help or is wrong. Costs
    /// nothing where it is right. What is wrong is quoted, and may be anything: it goes through `errors`.
    pub fn parse<P: clap::Parser>(&self, errors: impl Write) -> P {
        P::try_parse().unwrap_or_else(|error| match shell::language() {
            Language::English => usage::end_in_english(error, errors),
            Language::Chinese => usage::end(self, P::command(), error, errors),
        })
    }
}
