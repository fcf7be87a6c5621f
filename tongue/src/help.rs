//! Help in Chinese: the page of each command is made from clap's own tree, so that names, defaults and what is allowed stand
//! in one place; only what is said of them comes from the program's table. Its keys are paths:
//!
//! - `probe` says what the command does, the empty path what the program does;
//! - `probe:` stands below its page; a line `{1}` there is the first indented block of the English text (examples);
//! - `probe.port` is an argument, `decode.form=hex` one of its values; `*.json` holds for every command that has no own.

use crate::{Tongue, wrap};
use clap::builder::PossibleValue;
use clap::{Arg, ArgAction, Command};
use std::io::IsTerminal;

/// Widest page, in columns, as of the English one.
const COLUMNS_MAX: usize = 100;
/// What an argument looks like is put beside its words up to this width, else above them.
const SPEC_COLUMNS_MAX: usize = 30;

/// What stands for a value, and its Chinese.
const VALUE_NAMES: [(&str, &str); 28] = [
    ("OPTIONS", "选项"),
    ("COMMAND", "命令"),
    ("FILE", "文件"),
    ("PORT", "串口"),
    ("PORT|FILE", "串口|文件"),
    ("PATH", "路径"),
    ("DIRECTORY", "目录"),
    ("STORE", "数据目录"),
    ("NAME", "名称"),
    ("NUMBER", "编号"),
    ("CODE", "编号"),
    ("N", "数"),
    ("COUNT", "数"),
    ("MINUTES", "分钟"),
    ("DIGITS", "数字"),
    ("AMOUNT", "金额"),
    ("TIME", "时间"),
    ("ZONE", "时区"),
    ("PARITY", "校验"),
    ("FORM", "形式"),
    ("SHOW", "范围"),
    ("PROFILE", "格式"),
    ("LANGUAGE", "语言"),
    ("TAG", "语言"),
    ("WORD", "代码"),
    ("TEXT", "文字"),
    ("CASE", "交易"),
    ("KEY", "公钥"),
];

/// What is said of the arguments and the command that clap adds itself.
const CLAPS_OWN: [(&str, &str); 3] =
    [("*.help", "显示帮助"), ("*.version", "显示版本"), ("help", "显示帮助，或所给命令的帮助")];

/// The command with pages of help in Chinese, in all of its tree.
pub fn chinese(mut command: Command, tongue: &Tongue) -> Command {
    command.build();
    let columns = terminal_size::terminal_size().map_or(COLUMNS_MAX, |(width, _)| width.0.into());
    let page = Page {
        tongue,
        columns: columns.clamp(40, COLUMNS_MAX),
        colours: std::io::stdout().is_terminal(),
    };
    page.translate(command, "")
}

/// Placeholders of a usage line in Chinese: `[OPTIONS] <FILE>`.
pub(crate) fn value_names(text: &str) -> String {
    VALUE_NAMES.iter().fold(text.to_owned(), |text, (english, chinese)| {
        let text = text.replace(&format!("<{english}>"), &format!("<{chinese}>"));
        text.replace(&format!("[{english}]"), &format!("[{chinese}]"))
    })
}

/// How pages are made.
struct Page<'a> {
    tongue: &'a Tongue,
    columns: usize,
    colours: bool,
}

impl Page<'_> {
    fn translate(&self, command: Command, path: &str) -> Command {
        let text = self.text(&command, path);
        let mut command = command.override_help(text);
        for below in command.get_subcommands_mut() {
            let path = joined(path, below.get_name());
            *below = self.translate(std::mem::take(below), &path);
        }
        command
    }

    fn text(&self, command: &Command, path: &str) -> String {
        let mut page = String::new();
        self.paragraph(&mut page, &said(self.tongue, path));
        let usage = command.clone().render_usage().to_string();
        let usage = usage.trim_start_matches("Usage:").trim().replace("\n       ", "\n      ");
        page.push_str(&format!("\n{}{}\n", self.heading("用法："), value_names(&usage)));
        let commands = command.get_subcommands().filter(|below| !below.is_hide_set());
        let commands = commands.map(|below| {
            let path = joined(path, below.get_name());
            (below.get_name().to_owned(), said(self.tongue, &path))
        });
        self.section(&mut page, "命令：", commands.collect());
        let arguments: Vec<&Arg> = command.get_arguments().filter(|it| !it.is_hide_set()).collect();
        let (places, options): (Vec<&Arg>, Vec<&Arg>) =
            arguments.into_iter().partition(|argument| argument.is_positional());
        let row = |argument: &&Arg| (spec(argument), self.words(path, argument));
        self.section(&mut page, "参数：", places.iter().map(row).collect());
        self.section(&mut page, "选项：", options.iter().map(row).collect());
        self.below(&mut page, command, path);
        page
    }

    fn heading(&self, text: &str) -> String {
        match self.colours {
            true => format!("\x1b[1m\x1b[4m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }

    fn paragraph(&self, page: &mut String, text: &str) {
        for line in wrap::lines(text, self.columns) {
            page.push_str(&line);
            page.push('\n');
        }
    }

    /// A heading, and below it what things are called and what they are.
    fn section(&self, page: &mut String, heading: &str, rows: Vec<(String, String)>) {
        let Some(widest) = rows.iter().map(|(spec, _)| wrap::columns(spec)).max() else { return };
        let indent = widest.min(SPEC_COLUMNS_MAX) + 4;
        page.push_str(&format!("\n{}\n", self.heading(heading)));
        for (spec, words) in rows {
            let used = wrap::columns(&spec) + 2;
            page.push_str(&format!("  {spec}"));
            let lines = words.lines().flat_map(|part| wrap::lines(part, self.columns - indent));
            for (at, line) in lines.enumerate() {
                if at > 0 || used + 2 > indent {
                    page.push('\n');
                    page.push_str(&" ".repeat(indent));
                } else {
                    page.push_str(&" ".repeat(indent - used));
                }
                page.push_str(&line);
            }
            page.push('\n');
        }
    }

    /// What is said of an argument: in one paragraph, and a line for each of its values that has words of its own.
    fn words(&self, path: &str, argument: &Arg) -> String {
        let key = format!("{path}.{}", argument.get_id());
        let mut words = said(self.tongue, &key);
        let defaults = argument.get_default_values();
        if argument.get_action().takes_values()
            && !argument.is_hide_default_value_set()
            && !defaults.is_empty()
        {
            let defaults: Vec<_> = defaults.iter().map(|value| value.to_string_lossy()).collect();
            words.push_str(&format!(" [默认：{}]", defaults.join("、")));
        }
        let values = values(argument);
        let (told, plain): (Vec<_>, Vec<_>) = values
            .iter()
            .partition(|value| find(self.tongue, &format!("{key}={}", value.get_name())).is_some());
        if !plain.is_empty() {
            let names: Vec<_> = plain.iter().map(|value| value.get_name()).collect();
            words.push_str(&format!(" [可选：{}]", names.join("、")));
        }
        for value in told {
            let of_value = said(self.tongue, &format!("{key}={}", value.get_name()));
            words.push_str(&format!("\n- {}：{of_value}", value.get_name()));
        }
        words
    }

    /// What stands below the page: prose in Chinese, and what is indented as in the English one.
    fn below(&self, page: &mut String, command: &Command, path: &str) {
        let Some(english) = command.get_after_help() else { return };
        let english = english.to_string();
        let blocks = blocks(&english);
        page.push('\n');
        for line in said(self.tongue, &format!("{path}:")).lines() {
            let number = line.strip_prefix('{').and_then(|line| line.strip_suffix('}'));
            match number.and_then(|number| number.parse::<usize>().ok()) {
                Some(number) => page.push_str(blocks.get(number - 1).map_or("", String::as_str)),
                None if line.starts_with("  ") => page.push_str(&format!("{line}\n")),
                None => self.paragraph(page, line),
            }
        }
    }
}

/// The indented blocks of a text.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let is_indented = line.starts_with("  ");
        if is_indented && !inside {
            blocks.push(String::new());
        }
        if let Some(block) = blocks.last_mut().filter(|_| is_indented) {
            block.push_str(line);
            block.push('\n');
        }
        inside = is_indented;
    }
    blocks
}

fn joined(path: &str, name: &str) -> String {
    match path.is_empty() {
        true => name.to_owned(),
        false => format!("{path} {name}"),
    }
}

/// How an argument is written: `-h, --help`, `    --port <PORT>`, `[FILE]...`.
fn spec(argument: &Arg) -> String {
    let long = value_names(&argument.to_string());
    match (argument.is_positional(), argument.get_short()) {
        (true, _) => long,
        (false, Some(short)) => format!("-{short}, {long}"),
        (false, None) => format!("    {long}"),
    }
}

/// The values that an argument may have, where they are few.
fn values(argument: &Arg) -> Vec<PossibleValue> {
    match argument.get_action() {
        ArgAction::Set | ArgAction::Append => {
            let values = argument.get_possible_values();
            values.into_iter().filter(|value| !value.is_hide_set()).collect()
        }
        _ => Vec::new(),
    }
}

fn said(tongue: &Tongue, key: &str) -> String {
    find(tongue, key).unwrap_or_default().to_owned()
}

/// What is said of a path: by its own entry, by that of all commands, or by ours of what clap adds.
fn find(tongue: &Tongue, key: &str) -> Option<&'static str> {
    entry(tongue, key).map(|(_, chinese)| *chinese)
}

fn entry(tongue: &Tongue, key: &str) -> Option<&'static (&'static str, &'static str)> {
    let (path, of) = key.split_once('.').map_or((key, None), |(path, of)| (path, Some(of)));
    // `help` has a place in every command.
    let last = path.rsplit(' ').next().unwrap_or_default();
    let wider = match of {
        Some(of) => format!("*.{of}"),
        None => last.to_owned(),
    };
    let own = |key: &str| tongue.help.iter().find(|(path, _)| *path == key);
    let claps = || CLAPS_OWN.iter().find(|(path, _)| *path == wider);
    own(key).or_else(|| of.and_then(|_| own(&wider))).or_else(claps)
}

/// What is wrong with a program's table: commands, arguments, values and texts of its tree that have no Chinese, and entries
/// that name nothing. Nothing, where the two fit.
pub fn faults(mut command: Command, tongue: &Tongue) -> Vec<String> {
    command.build();
    let mut keys = Vec::new();
    collect(&command, "", &mut keys);
    let missing = keys.iter().filter(|key| find(tongue, key).is_none());
    let mut faults: Vec<String> = missing.map(|key| format!("no Chinese for {key:?}")).collect();
    let used: Vec<&str> =
        keys.iter().filter_map(|key| entry(tongue, key)).map(|entry| entry.0).collect();
    let stray = tongue.help.iter().filter(|(path, _)| !used.contains(path));
    faults.extend(stray.map(|(path, _)| format!("{path:?} names nothing")));
    faults.extend(unnamed(&command));
    faults
}

/// The keys of a command's tree.
fn collect(command: &Command, path: &str, keys: &mut Vec<String>) {
    keys.push(path.to_owned());
    if command.get_after_help().is_some() {
        keys.push(format!("{path}:"));
    }
    for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
        let key = format!("{path}.{}", argument.get_id());
        let told = values(argument).into_iter().filter(|value| value.get_help().is_some());
        keys.extend(told.map(|value| format!("{key}={}", value.get_name())));
        keys.push(key);
    }
    // Below `help` all commands stand once more.
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        collect(below, &joined(path, below.get_name()), keys);
    }
    if command.has_subcommands() {
        keys.push(joined(path, "help"));
    }
}

/// Placeholders of values that have no Chinese.
fn unnamed(command: &Command) -> Vec<String> {
    let arguments = command.get_arguments().filter(|argument| !argument.is_hide_set());
    let names = arguments.filter(|argument| argument.get_action().takes_values());
    let names = names.flat_map(|argument| match argument.get_value_names() {
        Some(names) => names.iter().map(ToString::to_string).collect(),
        None => vec![argument.get_id().as_str().to_uppercase()],
    });
    let is_known = |name: &String| VALUE_NAMES.iter().any(|(english, _)| english == name);
    let mut faults: Vec<String> = names
        .filter(|name| !is_known(name))
        .map(|name| format!("no Chinese for the value name {name}"))
        .collect();
    faults.extend(command.get_subcommands().flat_map(unnamed));
    faults
}
