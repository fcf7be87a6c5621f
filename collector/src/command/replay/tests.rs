//! Recorded events in, verdicts out.

use super::replayed;
use crate::correlate::tests::{Speaker, agent_name};
use slipwatch_shared::event::Epoch;
use slipwatch_shared::wire::json::Line;

fn lines(script: &str) -> Vec<String> {
    let name = agent_name("till-1");
    let line = |event| Line {
        store: name.store.clone(),
        agent: name.agent.clone(),
        epoch: Epoch(1),
        event,
    };
    Speaker::new("T1").speak(script).into_iter().map(|event| line(event).to_json()).collect()
}

#[track_caller]
fn check(lines: &[String], expected: &[(&str, &str)]) {
    let (out, wrong) = replayed(lines).expect("a recording that can be read");
    assert_eq!(wrong, 0, "{out}");
    let said: Vec<(String, String)> = out
        .lines()
        .map(|line| {
            let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
            (text("stan"), text("verdict"))
        })
        .collect();
    let expected: Vec<(String, String)> =
        expected.iter().map(|(stan, verdict)| (stan.to_string(), verdict.to_string())).collect();
    assert_eq!(said, expected, "{out}");
}

const DAY: &str = "0 open; 10 ask n=1 yuan=88; 12 ok n=1; 14 slip n=1 copy=c;
    20 ask n=2 yuan=9; 21 ok n=2; 400 pulse";

#[test]
fn each_payment_is_a_line() {
    check(&lines(DAY), &[("000001", "printed"), ("000002", "no_slip")]);
}

#[test]
fn a_line_that_comes_twice_counts_once() {
    let doubled: Vec<String> =
        lines(DAY).into_iter().flat_map(|line| [line.clone(), line]).collect();
    check(&doubled, &[("000001", "printed"), ("000002", "no_slip")]);
}

#[test]
fn a_line_that_is_missing_is_a_hole() {
    let mut lines = lines(DAY);
    lines.remove(4);
    check(&lines, &[("000001", "unknown"), ("000002", "unknown")]);
}

#[test]
fn a_line_that_is_no_event_is_refused_and_the_others_are_read() {
    let mut lines = lines(DAY);
    lines.extend(["{}", "not json", "", "  "].map(str::to_owned));
    let (out, wrong) = replayed(&lines).expect("a recording that can be read");
    assert_eq!((out.lines().count(), wrong), (2, 2), "{out}");
}

/// A line that fills more than a block is told once; what follows it is read.
#[test]
fn a_line_without_end_costs_itself_alone() {
    let mut lines = lines(DAY);
    lines.insert(0, "x".repeat(3_000_000));
    let (out, wrong) = replayed(&lines).expect("a recording that can be read");
    assert_eq!((out.lines().count(), wrong), (2, 1), "{out}");
}

/// Each line of the result is JSON, whatever a shop calls its orders.
#[test]
fn whatever_a_device_wrote_is_escaped() {
    let script = "0 open; 10 ask n=1 yuan=8 order=a\"b; 12 ok n=1 order=a\"b; 400 pulse";
    let (out, _) = replayed(&lines(script)).expect("a recording that can be read");
    let value: serde_json::Value = serde_json::from_str(out.trim()).expect("JSON");
    assert_eq!(value["order_number"], "a\"b");
    assert_eq!(value["findings"][0]["code"], "A01", "{out}");
    assert_eq!(value["facts"][0]["what"], "requested", "{out}");
}
