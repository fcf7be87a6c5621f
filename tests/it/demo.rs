//! The demonstration as a person starts it: one round, a table of expected and found verdicts, all equal.

use slipwatch_tests::process::binary;
use std::process::Command;

#[track_caller]
fn check(language: &str, equal: &str, words: &[&str]) {
    let mut command = Command::new(binary("slipwatch-demo"));
    let output = command.args(["--once", "--lang", language]).output().expect("it starts");
    let screen = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{screen}\n{errors}", output.status);
    assert!(screen.contains(equal), "expected {equal:?} in\n{screen}\n{errors}");
    for word in words {
        assert!(screen.contains(word), "expected {word:?} in\n{screen}\n{errors}");
    }
}

#[test]
fn one_round_of_the_demonstration_finds_what_was_played() {
    check(
        "en",
        "9 / 9 equal",
        &["console", "/metrics", ".eml", "--state-dir", "unknown (agent offline) → printed"],
    );
}

#[test]
fn the_demonstration_speaks_chinese() {
    check("zh", "9 / 9 相符", &["控制台", "扣款未出单", "缺纸，过后补打"]);
}

#[test]
fn the_generator_names_the_file_that_it_cannot_write() {
    let missing = "/dev/null/truth.jsonl";
    let mut command = Command::new(binary("slipwatch-fleet"));
    let output = command.args(["--terminals", "1", "--truth", missing]).output();
    let output = output.expect("it starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains(missing), "{told}");
}
