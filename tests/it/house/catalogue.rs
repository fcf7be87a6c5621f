//! The catalogue table of ARCHITECTURE.md and the tests it names: every finding has its row with its rule's file, its
//! label and a test, and every test that is named there exists where it is said to be.

use super::{assert_none, files, read, root};
use slipwatch_collector::correlate::finding::FindingKind;
use std::path::PathBuf;

const WHERE: &str = "collector/src";

/// Texts between back-quotes.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// Every function of every source file, with the file's path.
fn functions() -> Vec<(String, PathBuf)> {
    let sources =
        files().into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs"));
    let mut found = Vec::new();
    for path in sources {
        let text = read(&path);
        let heads = text.lines().filter_map(|line| line.trim_start().strip_prefix("fn "));
        let names = heads.filter_map(|head| head.split_once('(')).map(|(name, _)| name.to_owned());
        found.extend(names.map(|name| (name, path.clone())));
    }
    found
}

/// A test as the text names it: `days::one_card_…`. A long name may be cut by `...` at either end.
fn is_there(named: &str, functions: &[(String, PathBuf)]) -> bool {
    let (module, name) = named.rsplit_once("::").unwrap_or(("", named));
    let module = module.split("::").filter(|part| *part != "tests").last().unwrap_or("");
    let same = |function: &str| match (name.strip_prefix("..."), name.strip_suffix("...")) {
        (Some(end), _) => function.ends_with(end),
        (None, Some(begin)) => function.starts_with(begin),
        (None, None) => function == name,
    };
    functions
        .iter()
        .any(|(function, path)| same(function) && path.display().to_string().contains(module))
}

/// Whether a text between back-quotes is the name of a test: a sentence, with or without its module.
fn names_test(text: &str) -> bool {
    let name = text.rsplit("::").next().unwrap_or(text);
    let plain =
        |sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit() || "_:.".contains(sign);
    text.chars().all(plain) && name.trim_matches('.').matches('_').count() >= 3
}

#[test]
fn the_tests_that_architecture_names_exist() {
    let functions = functions();
    let text = read(&root().join("ARCHITECTURE.md"));
    let mut missing = Vec::new();
    for line in text.lines() {
        let named = quoted(line).filter(|text| names_test(text));
        let labels: Vec<&str> = FindingKind::ALL.iter().map(|kind| kind.label()).collect();
        let gone = named.filter(|name| !labels.contains(name) && !is_there(name, &functions));
        missing.extend(gone.map(str::to_owned));
    }
    assert_none(
        missing,
        "ARCHITECTURE.md names these tests: write them, or name those that hold it",
    );
}

#[test]
fn every_finding_has_its_row_in_the_catalogue() {
    let text = read(&root().join("ARCHITECTURE.md"));
    let mut wrong = Vec::new();
    for kind in FindingKind::ALL.iter().filter(|kind| kind.code().starts_with('A')) {
        let code = kind.code();
        let Some(row) = text.lines().find(|line| line.starts_with(&format!("| {code} |"))) else {
            wrong.push(format!("{code} has no row"));
            continue;
        };
        let words: Vec<&str> = quoted(row).collect();
        if !words.contains(&kind.label()) {
            wrong.push(format!("the row of {code} does not name its label, {}", kind.label()));
        }
        let rules: Vec<&&str> = words.iter().filter(|word| word.ends_with(".rs")).collect();
        let places = ["correlate", "run", ""];
        let is_file = |rule: &&str| {
            places.iter().any(|place| root().join(WHERE).join(place).join(rule).is_file())
        };
        if rules.is_empty() || !rules.iter().all(|rule| is_file(rule)) {
            wrong.push(format!("the row of {code} does not name its rule's file: {rules:?}"));
        }
        if !words.iter().any(|word| names_test(word) && *word != kind.label()) {
            wrong.push(format!("the row of {code} names no test"));
        }
    }
    assert_none(
        wrong,
        "the table in section 8 of ARCHITECTURE.md lists every finding with rule, test and label",
    );
}

/// A mutant whose place is gone would be told as stale only to who runs them all, which takes an hour.
#[test]
fn every_mutant_finds_its_place() {
    let script = read(&root().join("tests/mutate"));
    let mutants = script.lines().filter_map(|line| line.trim().strip_prefix('\''));
    let parts = mutants.map(|line| line.trim_end_matches('\'').split(" @@ ").collect::<Vec<_>>());
    let mutants: Vec<_> = parts.filter(|parts| parts.len() == 4).collect();
    assert!(mutants.len() > 50, "only {} mutants were read", mutants.len());
    let stale = mutants.iter().filter(|parts| {
        let source = read(&root().join(WHERE).join(parts[1]));
        !source.contains(&parts[2].replace("\\n", "\n"))
    });
    assert_none(
        stale.map(|parts| parts[0].to_owned()).collect(),
        "tests/mutate breaks these where their file does not say that any more: name the new place",
    );
}
