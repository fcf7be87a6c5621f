//! The command line is as good in Chinese as in English: each sentence by which a command ends has its Chinese, the help of
//! both programs, and what is said of a wrong line. Reads sources, and runs the programs.

use crate::chinese::strangers;
use crate::house::source::texts;
use slipwatch_agent::decode::dialect::shipped;
use slipwatch_collector::run::STORE_FILE;
use slipwatch_tests::process::binary;
use slipwatch_tongue::{Pairs, Tongue};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Calls and attributes whose texts nobody reads on the command line: logs, help (which has a table of its own), names.
const PASSED_OVER: [&str; 18] = [
    "tracing::",
    "serde",
    "arg",
    "command",
    "value",
    "expect",
    "unreachable!",
    "assert!",
    "debug_assert!",
    "doc",
    "env!",
    "concat!",
    "include_str!",
    "ProgressStyle::with_template",
    "strip_prefix",
    "starts_with",
    "contains",
    "language.say",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests lies in the repository").to_owned()
}

/// A text with its holes as a catalogue writes them, without what joins it to others.
fn pattern(text: &str) -> String {
    let mut pattern = String::new();
    let mut rest = text.trim_start_matches([';', ',']).trim();
    while let Some((before, behind)) = rest.split_once('{') {
        pattern.push_str(before);
        pattern.push_str("{}");
        rest = behind.split_once('}').map_or("", |(_, behind)| behind);
    }
    (pattern + rest).replace("{}{}", "{}")
}

/// The sentences in a file's code, with their places.
fn sentences(file: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(root().join(file)).expect("a file of the repository");
    let is_read = |within: &[String]| {
        let is_passed_over =
            |of: &String| PASSED_OVER.iter().any(|name| of.starts_with(name) || of.ends_with(name));
        !within.iter().any(is_passed_over)
    };
    let texts = texts(&text).into_iter().filter(|(_, within, _)| is_read(within));
    // What has paragraphs is help.
    let texts = texts.filter(|(.., text)| !text.contains("\n\n"));
    let lines = texts.flat_map(|(line, _, text)| {
        let lines: Vec<String> = text.lines().map(pattern).collect();
        lines.into_iter().map(move |text| (line, text))
    });
    lines.map(|(line, text)| (format!("{file}:{line}"), text)).collect()
}

/// Whom a shopper may ask: names, which stand in the settings in both languages.
const NAMES: [&str; 3] =
    ["WeChat Pay 95017", "People's Bank of China 12363", "Consumer hotline 12315"];

/// Two words beside each other, in English alone; no comment of a file that is written.
fn is_sentence(text: &str) -> bool {
    if NAMES.contains(&text) || !text.is_ascii() || text.starts_with('#') {
        return false;
    }
    let words: Vec<&str> = text.split(' ').collect();
    let is_word = |word: &str| {
        let word = word.trim_end_matches([',', '.', ':', ';', '?']);
        word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'\'')
    };
    words.windows(2).any(|pair| is_word(pair[0]) && is_word(pair[1]))
}

/// A sentence of the program or the system; what is expected may have an entry of its own.
fn has_chinese(pairs: Pairs, sentence: &str) -> bool {
    let expected = sentence.strip_prefix("expected ");
    expected.is_some_and(|expected| has_chinese(pairs, expected))
        || pairs.iter().any(|(english, _)| *english == sentence)
        || slipwatch_tongue::catalogue::is_of_the_system(sentence)
}

/// Each sentence of these files has its Chinese.
#[track_caller]
fn check(tongue: &Tongue, files: &[&str]) {
    let sentences = files.iter().flat_map(|file| sentences(file));
    let missing = sentences
        .filter(|(_, text)| is_sentence(text) && !has_chinese(tongue.sentences, text))
        .map(|(place, text)| format!("{place}: {text}"));
    let missing: Vec<String> = missing.collect();
    assert!(missing.is_empty(), "without Chinese:\n{}", missing.join("\n"));
}

/// The sources of a program but its catalogue.
fn sources(program: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut places = vec![PathBuf::from(program).join("src")];
    while let Some(place) = places.pop() {
        for entry in std::fs::read_dir(root().join(&place)).expect("it can be read") {
            let path = place.join(entry.expect("it can be read").file_name());
            match root().join(&path).is_dir() {
                true => places.push(path),
                false if path.ends_with("chinese.rs") => {}
                false => found.push(path.to_str().expect("UTF-8").to_owned()),
            }
        }
    }
    found
}

/// Each entry of a catalogue is said somewhere in its program; beside its sources in these words.
#[track_caller]
fn check_all_said(tongue: &Tongue, program: &str, beside: &[String]) {
    let texts = sources(program).into_iter().flat_map(|file| sentences(&file));
    let texts = texts.chain(beside.iter().map(|text| (String::new(), text.clone())));
    let said: BTreeSet<String> = texts
        .flat_map(|(_, text)| {
            let expected = text.strip_prefix("expected ").map(str::to_owned);
            [expected, Some(text.trim_start_matches("{}").to_owned()), Some(text)]
        })
        .flatten()
        .collect();
    let left: Vec<&str> =
        tongue.sentences.iter().map(|pair| pair.0).filter(|text| !said.contains(*text)).collect();
    assert!(left.is_empty(), "said nowhere in {program}:\n{}", left.join("\n"));
}

#[test]
fn each_sentence_by_which_the_agent_ends_has_its_chinese_and_none_is_left_over() {
    let tongue = slipwatch_agent::command::chinese::TONGUE;
    check(
        &tongue,
        &[
            "agent/src/command/check.rs",
            "agent/src/command/decode.rs",
            "agent/src/command/listening.rs",
            "agent/src/command/ports.rs",
            "agent/src/command/probe.rs",
            "agent/src/command/record.rs",
            "agent/src/command/run.rs",
            "agent/src/command/show.rs",
            "agent/src/command/spool.rs",
            "agent/src/command/tail.rs",
            "agent/src/config.rs",
            "agent/src/config/error.rs",
            "agent/src/config/secret.rs",
            "agent/src/edge/source/serial.rs",
            "agent/src/edge/spool/mod.rs",
            "agent/src/edge/spool/open.rs",
            "agent/src/edge/uplink/tls.rs",
        ],
    );
    let dialects = shipped::names().filter_map(shipped::dialect);
    let abouts: Vec<String> = dialects.map(|dialect| dialect.about().to_owned()).collect();
    let missing: Vec<&String> =
        abouts.iter().filter(|about| !has_chinese(tongue.sentences, about)).collect();
    assert!(missing.is_empty(), "dialects without Chinese: {missing:?}");
    check_all_said(&tongue, "agent", &abouts);
}

#[test]
fn each_sentence_by_which_the_collector_ends_has_its_chinese_and_none_is_left_over() {
    let tongue = slipwatch_collector::command::chinese::TONGUE;
    check(
        &tongue,
        &[
            "collector/src/command/cases.rs",
            "collector/src/command/check.rs",
            "collector/src/command/complaint.rs",
            "collector/src/command/evidence.rs",
            "collector/src/command/import.rs",
            "collector/src/command/policy.rs",
            "collector/src/command/policy/trial.rs",
            "collector/src/command/replay.rs",
            "collector/src/command/replay/difference.rs",
            "collector/src/command/run.rs",
            "collector/src/config.rs",
            "collector/src/config/confirmed.rs",
            "collector/src/config/error.rs",
            "collector/src/config/file/check.rs",
            "collector/src/config/file/complaints.rs",
            "collector/src/config/file/settlement.rs",
            "collector/src/config/value.rs",
            "collector/src/correlate/case.rs",
            "collector/src/correlate/policy.rs",
            "collector/src/correlate/proposal.rs",
            "collector/src/edge/broker.rs",
            "collector/src/edge/intake.rs",
            "collector/src/edge/mail.rs",
            "collector/src/edge/store/complaint.rs",
            "collector/src/edge/store/mod.rs",
            "collector/src/evidence/archive.rs",
            "collector/src/evidence/seal.rs",
            "collector/src/evidence/verify.rs",
            "collector/src/run.rs",
            "collector/src/run/error.rs",
            "collector/src/run/settlement/mod.rs",
            "collector/src/settlement/reader/profile/error.rs",
        ],
    );
    check_all_said(&tongue, "collector", &[]);
    // What the store was doing when it failed.
    let mut doings = BTreeSet::new();
    for file in sources("collector") {
        let text = std::fs::read_to_string(root().join(file)).expect("a file of the repository");
        let texts = texts(&text).into_iter();
        let told =
            texts.filter(|(_, within, _)| within.last().is_some_and(|call| call == "failed"));
        doings.extend(told.map(|(.., text)| text));
    }
    doings.retain(|doing| is_sentence(doing) && !has_chinese(tongue.sentences, doing));
    assert!(doings.is_empty(), "without Chinese: {doings:?}");
}

/// What a program prints in a shell of this language, on both of its ends.
fn told(program: &str, locale: &str, line: &str) -> String {
    let mut command = Command::new(binary(program));
    command.args(line.split_whitespace()).stdin(Stdio::null());
    command.env_remove("LC_ALL").env_remove("LC_MESSAGES").env("LANG", locale);
    command.env("SLIPWATCH_LOG", "error");
    let output = command.output().expect("the program starts");
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    format!("{out}{err}")
}

/// English words that stand in what is told, but in what is quoted, in names, and in the program's own word for a log line.
fn english(text: &str) -> Vec<String> {
    let mut bare = String::new();
    // Neither a line of the settings nor that of the usage is told in any language, nor are the names that there are.
    for line in text.lines().filter(|line| !line.contains(" | ") && !line.starts_with("用法："))
    {
        let line = line.split("可用的").next().unwrap_or_default();
        for (at, part) in line.split(['`', '"', '\'']).enumerate() {
            bare.push_str(if at % 2 == 0 { part } else { " " });
        }
        bare.push('\n');
    }
    let known = ["MQTT", "TLS", "TOML", "os", "error", "ERROR", "SIGTERM", "SIGHUP", "JSON", "CN"];
    let strangers = bare.lines().flat_map(strangers);
    strangers.filter(|word| !known.contains(&word.as_str())).collect()
}

/// The line is answered in Chinese in a Chinese shell, and in English in another.
#[track_caller]
fn check_line(program: &str, line: &str, chinese: &str, expected: &str) {
    let said = told(program, "zh_CN.UTF-8", line);
    assert!(said.contains(chinese), "{line}: {said}");
    // Of help, whose examples are commands, the table's own test has each text.
    let strangers = if line.contains("--help") { Vec::new() } else { english(&said) };
    assert!(strangers.is_empty(), "{strangers:?} in {line}: {said}");
    let said = told(program, "C", line);
    assert!(said.contains(expected) && said.is_ascii(), "{line}: {said}");
}

#[test]
fn the_shell_says_which_language_and_the_command_line_overrules_it() {
    for program in ["slipwatch-agent", "slipwatch-collector"] {
        for (locale, line, is_chinese) in [
            ("zh_CN.UTF-8", "check --nonsense", true),
            ("zh_CN.UTF-8", "check --lang en --nonsense", false),
            ("zh_CN.UTF-8", "--lang=en check --nonsense", false),
            ("en_US.UTF-8", "check --nonsense", false),
            ("en_US.UTF-8", "--lang zh check --nonsense", true),
            ("C", "check --nonsense --lang=zh", true),
            ("C", "check --chinese --nonsense", true),
        ] {
            let said = told(program, locale, line);
            assert_eq!(
                said.contains("没有 '--nonsense' 这个参数"),
                is_chinese,
                "{locale} {line}: {said}"
            );
            assert_eq!(said.is_ascii(), !is_chinese, "{locale} {line}: {said}");
        }
    }
}

#[test]
fn a_wrong_line_and_settings_that_stop_a_start_are_told_in_the_shells_language() {
    let place = tempfile::tempdir().expect("a directory");
    let settings = |name: &str, text: &str| {
        let path = place.path().join(name);
        std::fs::write(&path, text).expect("room");
        path.display().to_string()
    };
    let agent = |line: &str, chinese: &str, expected: &str| {
        check_line("slipwatch-agent", line, chinese, expected);
    };
    agent("decode --help", "用法：slipwatch-agent decode", "Usage: slipwatch-agent decode");
    agent("decode", "缺少必需的参数：<文件>", "required arguments were not provided");
    agent("decode --frm x", "是不是想写参数 '--form'", "a similar argument exists");
    agent("tail --baud 0 x", "0 不在 1 至 4294967295 之间", "0 is not in 1..=4294967295");
    agent("decode --store A x", "1 至 64 个小写字母", "1 to 64 lower-case letters");
    agent(
        "run --config /nowhere",
        "/nowhere 无法读取：没有那个文件或目录",
        "cannot be read: No such file",
    );
    agent("decode --dialect nope x", "没有名为 \"nope\" 的自带方言", "no shipped profile is named");
    let head = "store = \"s\"\nagent = \"a\"\n";
    let unknown = settings("key.toml", &format!("{head}[spool]\nqouta_mb = 5\n"));
    agent(
        &format!("run --config {unknown}"),
        "没有 `qouta_mb` 这个设置项",
        "did you mean `quota_mb`?",
    );
    let bound = settings("bound.toml", &format!("{head}[spool]\nquota_mb = 0\n"));
    let line = format!("check --offline --config {bound}");
    agent(&line, "应为 1 至 1048576 之间的数，实际是 0", "WRONG settings: ");
    let directory = place.path().join("bound.toml/spool").display().to_string();
    let unwritable = format!("{head}[spool]\ndirectory = \"{directory}\"\n");
    let unwritable = settings("unwritable.toml", &unwritable);
    agent(
        &format!("run --config {unwritable}"),
        "无法写入：不是目录",
        "cannot be written: Not a directory",
    );
    agent(&format!("check --offline --config {unwritable}"), "正常 方言：", "ok    profiles: ");

    let collector = |line: &str, chinese: &str, expected: &str| {
        check_line("slipwatch-collector", line, chinese, expected);
    };
    collector("policy --help", "听到 20 笔扣款之后", "Once 20 of its debits");
    collector("impor", "没有 'impor' 这个命令", "unrecognized subcommand");
    collector("replay --threads 5 x", "5 不在 1 至 2 之间", "5 is not in 1..=2");
    collector("cases --code A99", "没有编号为 A99 的问题", "no finding is called A99");
    collector(
        "run --config /nowhere",
        "无法读取 /nowhere\n  原因：没有那个文件或目录",
        "because: No such file",
    );
    let unknown = settings("unknown.toml", "store.path = \"x\"\nstroe = 1\n");
    collector(&format!("run --config {unknown}"), "是不是想写 `store`？", "did you mean `store`?");
    let bound = settings("limits.toml", "store.path = \"x\"\nlimits.turn_messages_max = 0\n");
    collector(
        &format!("cases --config {bound}"),
        "应为 1 至 10000 之间的数，实际是 0",
        "from 1 to 10000, found 0",
    );
    let fresh = settings("fresh.toml", "store.path = \"store\"\n");
    collector(
        &format!("cases --config {fresh}"),
        "还不存在：收集程序第一次运行时才会建立",
        "there is no store at",
    );
    collector(
        &format!("check --offline --config {fresh}"),
        "正常  数据库    ",
        "ok     store     ",
    );
    // A later program's store, and none at all.
    let store = place.path().join("store");
    std::fs::create_dir(&store).expect("room");
    let base = rusqlite::Connection::open(store.join(STORE_FILE)).expect("room");
    base.execute_batch("PRAGMA journal_mode = WAL; PRAGMA user_version = 99; CREATE TABLE t (c)")
        .expect("room");
    drop(base);
    collector(
        &format!("run --config {fresh}"),
        "数据库的版本是 99，本程序最多认识到",
        "store is of schema 99",
    );
    std::fs::write(store.join(STORE_FILE), "no database at all, and long enough to be none")
        .expect("room");
    collector(&format!("run --config {fresh}"), "该文件不是数据库", "file is not a database");
    let shut = settings("shut.toml", &format!("store.path = \"{fresh}/store\"\n"));
    collector(&format!("run --config {shut}"), "不能使用\n  原因：不是目录", "cannot be used");
}

/// What is wrong on a command line is quoted, and may be a card number that was pasted into the wrong place.
#[test]
fn a_wrong_line_shows_no_card_number_in_any_language() {
    for locale in ["zh_CN.UTF-8", "en_US.UTF-8"] {
        for (program, line) in [
            ("slipwatch-collector", "cases 6225760000006697"),
            ("slipwatch-collector", "policy show --terminal 6225760000006697"),
            ("slipwatch-collector", "complaint show 6225760000006697=2812"),
            ("slipwatch-collector", "complaint answer ;6225760000006697=28121010000?"),
            ("slipwatch-collector", "complaint search --6225760000006697=x"),
            ("slipwatch-agent", "decode --terminal 6225760000006697 x.log"),
            ("slipwatch-agent", "tail 6225760000006697 --nonsense"),
        ] {
            let said = told(program, locale, line);
            assert!(said.len() > 20, "{locale} {line}: {said}");
            assert!(!said.contains("576000000"), "{locale} {line} shows the number");
        }
    }
}
