//! A command line that is wrong, told in Chinese: what clap found, in sentences of our own. Prints it and ends the process,
//! as clap does itself in English.

use crate::{Tongue, help};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};
use std::io::{IsTerminal, Write};

/// As clap ends a process whose arguments are wrong.
const EXIT_USAGE: i32 = 2;

/// Reads the line once more with the Chinese tree, tells what comes of it, and ends.
pub(crate) fn end(tongue: &Tongue, command: Command, english: Error, mut errors: impl Write) -> ! {
    let error = help::chinese(command, tongue).try_get_matches().err().unwrap_or(english);
    let Some(text) = text(tongue, &error) else { error.exit() };
    let word = match std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        true => "\x1b[1m\x1b[31m错误：\x1b[0m",
        false => "错误：",
    };
    let _ = errors.write_all(format!("{word}{text}").as_bytes());
    std::process::exit(EXIT_USAGE)
}

/// As clap ends a process itself, but for where its words go.
pub(crate) fn end_in_english(error: Error, mut errors: impl Write) -> ! {
    if !error.use_stderr() {
        error.exit()
    }
    let text = error.render();
    let text = match std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        true => text.ansi().to_string(),
        false => text.to_string(),
    };
    let _ = errors.write_all(text.as_bytes());
    std::process::exit(error.exit_code())
}

/// What is wrong, and how it is right; nothing where the error is no error, but help that was asked for.
fn text(tongue: &Tongue, error: &Error) -> Option<String> {
    let mut text = sentence(tongue, error)?;
    text.push('\n');
    for (kind, what) in [
        (ContextKind::SuggestedSubcommand, "命令"),
        (ContextKind::SuggestedArg, "参数"),
        (ContextKind::SuggestedValue, "值"),
    ] {
        if let Some(near) = said(error, kind) {
            text.push_str(&format!("\n  提示：是不是想写{what} '{near}'？\n"));
        }
    }
    if let Some(usage) = said(error, ContextKind::Usage) {
        let usage = usage.trim_start_matches("Usage:").trim();
        text.push_str(&format!("\n用法：{}\n", help::value_names(usage)));
    }
    text.push_str("\n详见 '--help'。\n");
    Some(text)
}

fn sentence(tongue: &Tongue, error: &Error) -> Option<String> {
    let argument = said(error, ContextKind::InvalidArg).map(|said| help::value_names(&said));
    let argument = argument.unwrap_or_default();
    let value = said(error, ContextKind::InvalidValue).unwrap_or_default();
    let number = |kind| said(error, kind).unwrap_or_default();
    Some(match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::DisplayVersion => return None,
        ErrorKind::InvalidValue if value.is_empty() => {
            format!("'{argument}' 后面要写值{}", choice(error, ContextKind::ValidValue))
        }
        ErrorKind::InvalidValue => {
            format!("'{argument}' 的值不能是 '{value}'{}", choice(error, ContextKind::ValidValue))
        }
        ErrorKind::ValueValidation => {
            let why = std::error::Error::source(error).map(|why| tongue.say_error(why));
            let why = why.map(|why| format!("：{why}")).unwrap_or_default();
            format!("'{argument}' 的值不能是 '{value}'{why}")
        }
        ErrorKind::UnknownArgument => format!("没有 '{argument}' 这个参数"),
        ErrorKind::InvalidSubcommand => {
            let command = said(error, ContextKind::InvalidSubcommand).unwrap_or_default();
            format!("没有 '{command}' 这个命令")
        }
        ErrorKind::NoEquals => format!("'{argument}' 和它的值之间要写等号"),
        ErrorKind::TooManyValues => format!("'{argument}' 的值太多，'{value}' 是多余的"),
        ErrorKind::TooFewValues => format!(
            "'{argument}' 至少要写 {} 个值，只写了 {} 个",
            number(ContextKind::MinValues),
            number(ContextKind::ActualNumValues)
        ),
        ErrorKind::WrongNumberOfValues => format!(
            "'{argument}' 要写 {} 个值，写了 {} 个",
            number(ContextKind::ExpectedNumValues),
            number(ContextKind::ActualNumValues)
        ),
        ErrorKind::ArgumentConflict => {
            let other = said(error, ContextKind::PriorArg).map(|said| help::value_names(&said));
            match other {
                Some(other) if other == argument => format!("'{argument}' 只能写一次"),
                Some(other) => format!("'{argument}' 不能和 '{other}' 一起用"),
                None => format!("'{argument}' 不能和其他参数一起用"),
            }
        }
        ErrorKind::MissingRequiredArgument => format!("缺少必需的参数：{argument}"),
        ErrorKind::MissingSubcommand => {
            format!("缺少命令{}", choice(error, ContextKind::ValidSubcommand))
        }
        ErrorKind::InvalidUtf8 => "参数不是有效的 UTF-8".to_owned(),
        // What clap does not tell in parts.
        _ => error.to_string().trim_start_matches("error: ").trim_end().to_owned(),
    })
}

/// What may stand there, where it is known.
fn choice(error: &Error, kind: ContextKind) -> String {
    said(error, kind).map(|choice| format!("\n  [可选：{choice}]")).unwrap_or_default()
}

/// A part of what clap found, several joined.
fn said(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::None => None,
        ContextValue::Strings(words) => Some(words.join("、")).filter(|words| !words.is_empty()),
        value => Some(value.to_string()).filter(|said| !said.is_empty()),
    }
}
