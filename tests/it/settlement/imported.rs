//! `import` as a person uses it: what it tells on the screen, as JSON, and as a document to hold in hand.

use serde_json::Value;
use slipwatch_tests::papers;
use slipwatch_tests::process::binary;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A shop whose acquirer's file breaks its contract and keeps what was not agreed.
const SETTINGS: &str = r#"
[store]
path = "store"
[settlement]
[[settlement.statement]]
name = "acquirer"
profile = "allinpay"
merchants = ["821330154110001"]
shops = ["shop-1"]
[[settlement.contract]]
merchant = "821330154110001"
class = "debit"
rate_percent = "0.10"
from = "2025-01-01"
[[shop]]
name = "shop-1"
title = "明记面馆"
time_zone = "+08:00"
"#;

struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("collector.toml"), SETTINGS).expect("room");
        Place { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn file(&self, fixture: &str, edit: impl Fn(String) -> String) -> PathBuf {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/settlement/profiles");
        let text = std::fs::read_to_string(from.join(fixture)).expect("a fixture");
        let path = self.path(fixture);
        std::fs::write(&path, edit(text)).expect("room on the disk");
        path
    }

    /// `import` with these arguments; its exit status and standard output.
    fn import(&self, arguments: &[&str], file: &Path) -> (Option<i32>, String) {
        let mut program = Command::new(binary("slipwatch-collector"));
        program.arg("import").arg("--config").arg(self.path("collector.toml"));
        let output: Output = program.args(arguments).arg(file).output().expect("it starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.is_empty(), "{errors}");
        (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
    }
}

#[track_caller]
fn holds(text: &str, wanted: &[&str]) {
    for part in wanted {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
}

#[test]
fn what_an_import_did_is_read_in_both_languages_on_screen_and_on_paper() {
    let place = Place::new();
    let file = place.file("allinpay.csv", |text| text);
    let paper = place.path("import.zh-CN.pdf");
    let document = ["--chinese", "--document", paper.to_str().expect("UTF-8")];
    let (status, screen) = place.import(&document, &file);
    assert_eq!(status, Some(0), "{screen}");
    let chinese =
        ["已导入", "acquirer", "2025-11-24", "消费", "流量费", "手续费与合同不符", "尚待匹配"];
    holds(&screen, &chinese[..4]);
    let words = papers::words_of(&paper);
    holds(&words, &chinese);
    holds(&words, &["对账文件导入摘要", "需要处理", "明记面馆", "不明扣款", "SHA-256"]);

    let other = Place::new();
    let file = other.file("allinpay.csv", |text| text);
    let paper = other.path("import.en.pdf");
    let (status, screen) = other.import(&["--document", paper.to_str().expect("UTF-8")], &file);
    assert_eq!(status, Some(0), "{screen}");
    let english = ["Loaded as acquirer, 2025-11-24", "Sales", "Await their payment", "Raised A14"];
    holds(&screen, &english);
    let words = papers::words_of(&paper);
    holds(&words, &["Summary of an import", "Fee differs from the contract", "What needs a look"]);
    holds(&words, &english[1..]);
}

#[test]
fn a_refused_file_says_where_why_and_what_to_do() {
    let place = Place::new();
    let file = place.file("allinpay.csv", |text| text.replace("1200.00,4.56", "1200.00,四元"));
    let paper = place.path("refused.zh-CN.pdf");
    let document = ["--chinese", "--document", paper.to_str().expect("UTF-8")];
    let (status, screen) = place.import(&document, &file);
    assert_eq!(status, Some(65), "{screen}");
    let chinese = ["整份拒收", "第 3 行", "手续费", "有一行无法理解", "怎么办"];
    holds(&screen, &chinese);
    holds(&papers::words_of(&paper), &chinese);
    let (_, screen) = place.import(&[], &file);
    holds(&screen, &["Refused whole", "line 3", "A row is not understood", "What to do"]);
    let (status, json) = place.import(&["--json"], &file);
    assert_eq!(status, Some(65), "{json}");
    let report: Value = serde_json::from_str(json.lines().next().expect("a line")).expect("JSON");
    assert_eq!(report["outcome"], "refused");
    assert_eq!(report["refused"]["line"], 3);
    assert_eq!(report["refused"]["column"], "手续费");
}

#[test]
fn a_formula_or_a_terminal_code_in_a_cell_is_text_wherever_it_is_shown() {
    let place = Place::new();
    let evil = |text: String| {
        text.replace("2025年度流量费", "=HYPERLINK(\"\"x\"\")")
            .replace("流量费", "\u{1b}[31m流量费")
    };
    let file = place.file("allinpay.csv", evil);
    let profile = ["--explain", "--profile", "allinpay"];
    for arguments in [&profile[..], &[][..], &["--json"][..]] {
        let (_, screen) = place.import(arguments, &file);
        assert!(!screen.contains('\u{1b}'), "{arguments:?}:\n{screen}");
    }
    let cases = Command::new(binary("slipwatch-collector"))
        .args(["cases", "--config"])
        .arg(place.path("collector.toml"))
        .output()
        .expect("it starts");
    let shown = String::from_utf8(cases.stdout).expect("UTF-8");
    assert!(!shown.contains('\u{1b}'), "{shown}");
}
