//! Rules and dashboard against a real Prometheus that scrapes a real collector: every query of every panel is asked, every
//! rule is evaluated, every series that they name exists before anything has happened.

use crate::serial::payment;
use serde_json::Value;
use slipwatch_tests::process::prometheus::{JOB, Prometheus, monitoring};
use slipwatch_tests::process::shop::Shop;
use slipwatch_tests::process::{PATIENCE, installed, wait_for, wait_until_right};
use slipwatch_tests::terminal::Story;
use std::collections::BTreeSet;
use std::process::Command;

/// Every value under `key`, wherever it stands.
fn values_of<'a>(json: &'a Value, key: &str, found: &mut Vec<&'a Value>) {
    match json {
        Value::Object(fields) => {
            found.extend(fields.get(key));
            fields.values().for_each(|field| values_of(field, key, found));
        }
        Value::Array(items) => items.iter().for_each(|item| values_of(item, key, found)),
        _ => {}
    }
}

fn dashboards() -> Vec<Value> {
    let directory = monitoring().join("grafana/dashboards");
    let entries = std::fs::read_dir(&directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let jsons = paths.filter(|path| path.extension().is_some_and(|end| end == "json"));
    let read = |path| std::fs::read_to_string(path).expect("a dashboard can be read");
    jsons.map(|path| serde_json::from_str(&read(path)).expect("a dashboard is JSON")).collect()
}

/// The dashboard's queries as Grafana would send them with everything chosen.
fn queries() -> Vec<String> {
    let dashboards = dashboards();
    let mut found = Vec::new();
    dashboards.iter().for_each(|dashboard| values_of(dashboard, "expr", &mut found));
    let texts = found.iter().filter_map(|value| value.as_str());
    let filled = texts.map(|text| {
        text.replace("$__rate_interval", "10s")
            .replace("$__range", "1m")
            .replace("$__interval", "5s")
            .replace("$job", ".+")
            .replace("$instance", ".+")
    });
    let queries: Vec<String> = filled.collect();
    assert!(queries.len() > 10, "only {} queries found", queries.len());
    for query in &queries {
        assert!(!query.contains('$'), "a variable that this test does not know: {query}");
    }
    queries
}

/// Names of series in an expression: those of ours, recorded ones, and the process's.
fn series_of(expression: &str) -> BTreeSet<String> {
    let words =
        expression.split(|char: char| !(char.is_ascii_alphanumeric() || "_:".contains(char)));
    let is_series = |word: &&str| {
        ["slipwatch_", "process_", "job_instance"].iter().any(|start| word.starts_with(start))
    };
    words.filter(is_series).map(str::to_owned).collect()
}

fn promtool(arguments: &[&str]) -> String {
    let output = Command::new(installed("promtool", "prometheus"))
        .args(arguments)
        .current_dir(monitoring())
        .output()
        .expect("promtool runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "promtool {arguments:?}:\n{said}");
    said
}

fn files(below: &str) -> Vec<String> {
    let entries = std::fs::read_dir(monitoring().join(below)).expect("the folder can be read");
    let names = entries.map(|entry| {
        entry.expect("the folder can be read").file_name().to_string_lossy().into_owned()
    });
    let rules = names.filter(|name| name.ends_with(".yml")).map(|name| format!("{below}/{name}"));
    rules.collect()
}

#[test]
fn the_rules_hold_under_promtool() {
    for file in files("rules") {
        promtool(&["check", "rules", &file]);
    }
    for file in files("rules/tests") {
        promtool(&["test", "rules", &file]);
    }
    promtool(&["check", "config", "prometheus.yml"]);
}

#[test]
fn each_alert_has_a_runbook_and_a_test() {
    let read =
        |file: &str| std::fs::read_to_string(monitoring().join(file)).expect("a shipped file");
    let runbooks = read("runbooks.md");
    let tests: String = files("rules/tests").iter().map(|file| read(file)).collect();
    let alerts = read("rules/alerts.yml");
    let names = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    let names: Vec<&str> = names.collect();
    assert!(!names.is_empty());
    for name in names {
        assert!(
            runbooks.contains(&format!("## {name}\n")),
            "{name} has no paragraph in runbooks.md"
        );
        assert!(
            tests.contains(&format!("alertname: {name}")),
            "{name} has no test below rules/tests"
        );
        let anchor = format!("runbooks.md#{}", name.to_lowercase());
        assert!(alerts.contains(&anchor), "{name} does not lead to its runbook");
    }
}

#[test]
fn every_query_of_the_dashboard_and_every_rule_is_answered_by_a_real_prometheus() {
    let mut shop = Shop::new();
    shop.open();
    let prometheus = Prometheus::start(&shop.subdirectory("prometheus"), shop.http_port());
    shop.wait_until_heard();
    wait_for("a first scrape", || {
        let rows = prometheus.query(&format!("up{{job=\"{JOB}\"}} == 1")).ok()?;
        (!rows.is_empty()).then_some(())
    });
    // Each series is there before anything has happened: one that is absent can raise no alert.
    let metrics = shop.metrics().expect("a page");
    let mut rules = String::new();
    for file in files("rules") {
        rules += &std::fs::read_to_string(monitoring().join(file)).expect("a rule file");
    }
    let expressions: Vec<&str> =
        rules.lines().filter(|line| !line.trim_start().starts_with(['#', '-'])).collect();
    let named: BTreeSet<String> =
        queries().iter().map(String::as_str).chain(expressions).flat_map(series_of).collect();
    for series in named.iter().filter(|series| !series.contains(':')) {
        let is_there = metrics.lines().any(|line| {
            line.strip_prefix(series.as_str()).is_some_and(|rest| rest.starts_with(['{', ' ']))
        });
        assert!(is_there, "{series} is named by a rule or a panel and not on the page");
    }
    shop.tell(&payment(1, Story::NoSlip));
    shop.tell(&payment(2, Story::Sale));
    wait_until_right(PATIENCE, "an answer to every query of the dashboard", || {
        let asked = queries().into_iter().map(|query| (prometheus.query(&query), query));
        let wrong = asked.filter_map(|(answer, query)| match answer {
            Err(error) => Some(format!("{query}: {error}")),
            // A panel of what is wrong is empty while nothing is.
            Ok(rows) if rows.is_empty() && !query.trim_end().ends_with("> 0") => {
                Some(format!("{query}: nothing"))
            }
            Ok(_) => None,
        });
        wrong.collect()
    });
    wait_until_right(PATIENCE, "every rule to be evaluated well", || {
        let data = prometheus.api("/api/v1/rules").unwrap_or_default();
        let mut rules = Vec::new();
        values_of(&data, "rules", &mut rules);
        let rules: Vec<&Value> =
            rules.iter().filter_map(|rules| rules.as_array()).flatten().collect();
        let sick = rules.iter().filter(|rule| rule["health"] != "ok");
        let mut wrong: Vec<String> =
            sick.map(|rule| format!("{}: {}", rule["name"], rule["lastError"])).collect();
        if rules.is_empty() {
            wrong.push("no rules were loaded".to_owned());
        }
        wrong
    });
    // A rule that rings about a collector in good order is a false alarm; the one debit without slip is none.
    let pending = prometheus
        .query("ALERTS{severity=\"critical\",alertname!~\"SlipwatchDebits.*\"}")
        .expect("a query");
    assert!(pending.is_empty(), "{pending:?}");
    shop.kill_collector();
    wait_for("an alarm about a collector that is gone", || {
        let rows = prometheus.query("ALERTS{alertname=\"SlipwatchCollectorDown\"}").ok()?;
        (!rows.is_empty()).then_some(())
    });
}
