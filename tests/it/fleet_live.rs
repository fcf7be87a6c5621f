//! A generated fleet played live: `slipwatch-fleet` writes down pseudo-terminals at thirty times a shop's pace, three real
//! agents read them, Mosquitto carries what they say, a real collector judges it, and it comes out as the truth file says.

use slipwatch_collector::correlate::finding::Subject;
use slipwatch_collector::edge::store::FindingView;
use slipwatch_tests::fleet::truth::{Incident, Truth};
use slipwatch_tests::process::mosquitto::Mosquitto;
use slipwatch_tests::process::stored::Stored;
use slipwatch_tests::process::{Process, binary, free_port, page, wait_until_right};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Longer than it plays, and than what was said last is due.
const LASTS: Duration = Duration::from_secs(240);

fn run(name: &str, program: &str, arguments: &[&str], directory: &Path) -> Process {
    let mut command = Command::new(binary(program));
    command.args(arguments).env("RUST_LOG", "info");
    Process::spawn(name, &mut command, directory)
}

/// What is true and what is said, where they differ: each payment's verdict, what stands of it in the end, and what is told
/// of terminals.
fn wrong(truths: &[Truth], incidents: &[Incident], stored: &mut Stored) -> Vec<String> {
    let verdicts = stored.verdicts();
    let findings = stored.findings();
    let mut wrong = Vec::new();
    for truth in truths.iter().filter(|truth| !truth.clouded) {
        let name = (truth.terminal.clone(), truth.stan);
        let said = verdicts.get(&name).copied();
        if !said.is_some_and(|(verdict, reason)| truth.is(verdict, reason)) {
            wrong.push(format!("{name:?} {} {:?}: {said:?}", truth.plot, truth.verdict));
        }
    }
    let mut due: BTreeSet<&str> = incidents.iter().map(|due| due.finding.as_ref()).collect();
    due.extend(truths.iter().flat_map(|truth| &truth.findings).map(|due| due.code.as_ref()));
    // Whether an agent was heard is a matter of the road.
    let of_agent = |view: &&FindingView| matches!(view.finding.id.subject, Subject::Agent(_));
    for view in findings.iter().filter(|view| !of_agent(view)) {
        let code = view.finding.id.kind.code();
        if !due.contains(code) {
            wrong.push(format!("{code} {:?} is told and not due", view.finding.id.subject));
        }
    }
    wrong
}

#[test]
fn a_fleet_that_is_played_to_real_agents_comes_out_as_its_truth_says() {
    let directory = tempfile::tempdir().expect("a directory");
    let broker = directory.path().join("mosquitto");
    std::fs::create_dir(&broker).expect("a directory");
    let mosquitto = Mosquitto::start(&broker);
    let (live, truth) = (directory.path().join("fleet"), directory.path().join("truth.jsonl"));
    let http = free_port();
    let arguments = format!(
        "--terminals 6 --seed 8 --sales 500 --trouble 700 --minutes 15 --speed 30 --broker 127.0.0.1:{} --http {http}",
        mosquitto.port
    );
    let (live, truth) = (live.display().to_string(), truth.display().to_string());
    let mut words: Vec<&str> = arguments.split(' ').collect();
    words.extend(["--live", &live, "--truth", &truth]);
    let mut fleet = run("fleet", "slipwatch-fleet", &words, directory.path());
    fleet.until("its settings", || fleet_is_laid_out(&live).then_some(()));
    let config = format!("{live}/collector.toml");
    let mut collector =
        run("collector", "slipwatch-collector", &["run", "--config", &config], directory.path());
    collector.until("a page with metrics", || page(http, "/metrics"));
    let shops = std::fs::read_dir(&live).expect("it is laid out");
    let settings: Vec<String> = shops
        .map(|shop| shop.expect("it can be read").path().join("agent.toml"))
        .filter(|settings| settings.is_file())
        .map(|settings| settings.display().to_string())
        .collect();
    assert!(settings.len() == 3, "three agents: {settings:?}");
    let _agents: Vec<Process> = settings
        .iter()
        .enumerate()
        .map(|(at, settings)| {
            let name = format!("agent-{at}");
            run(&name, "slipwatch-agent", &["run", "--config", settings], directory.path())
        })
        .collect();
    let text = std::fs::read_to_string(&truth).expect("the truth is written first");
    let (mut truths, mut incidents) = (Vec::new(), Vec::new());
    for line in text.lines() {
        match serde_json::from_str::<Truth>(line) {
            Ok(truth) => truths.push(truth),
            Err(_) => {
                incidents.push(serde_json::from_str::<Incident>(line).expect("a line of truth"))
            }
        }
    }
    assert!(truths.len() > 30, "{} payments", truths.len());
    let store = Path::new(&live).join("store");
    wait_until_right(LASTS, "the fleet to come out as its truth says", || {
        match Stored::open(&store) {
            Some(mut stored) => wrong(&truths, &incidents, &mut stored),
            None => vec!["nothing is stored".to_owned()],
        }
    });
}

/// The collector's settings are written first, the last shop's agent's last.
fn fleet_is_laid_out(live: &str) -> bool {
    let log = std::fs::read_to_string(Path::new(live).with_file_name("fleet.log"));
    log.is_ok_and(|log| log.contains("and it begins"))
}
