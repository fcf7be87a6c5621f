//! `kill -9` of agent, broker and collector at random moments under load: the journal holds every number once, and the
//! verdicts equal the ledger's. A few kills in the suite; fifty by
//!
//! ```text
//! SLIPWATCH_KILLS=50 cargo test --package slipwatch-tests --test it -- kill:: --nocapture
//! ```
//!
//! and `SLIPWATCH_SEED=n` for the same day and the same victims again. Says nothing about power: see `power`.

use crate::mqtt::agent_name;
use slipwatch_tests::dice::Dice;
use slipwatch_tests::ledger::{Deaf, DeafLine, Opinion, opinion};
use slipwatch_tests::process::live::{Play, now_ms};
use slipwatch_tests::process::shop::Shop;
use slipwatch_tests::process::{PATIENCE, wait_for, wait_until_right};
use slipwatch_tests::terminal::{Payment, Story};

/// Kills in the suite, where nobody asks for more.
const KILLS: usize = 6;

/// Terminals on the one line: about three hundred words a second.
const TERMINALS: usize = 16;

/// What the agent says when a line is open.
const LISTENING: &str = "listening";

/// Words between two kills, at least and at most.
const WORDS: (i64, i64) = (20, 220);

const STORIES: [Story; 12] = [
    Story::Sale,
    Story::Sale,
    Story::Sale,
    Story::Decline,
    Story::PaperChanged,
    Story::LateReprint,
    Story::NoSlip,
    Story::NoSlip,
    Story::MerchantCopyOnly,
    Story::TimeoutReversed,
    Story::Voided,
    Story::ElectronicSlip,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Agent,
    Collector,
    Broker,
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn kill_and_start(shop: &mut Shop, victim: Victim, deaf: &mut Vec<(i64, i64)>) {
    match victim {
        Victim::Agent => {
            let from = now_ms();
            shop.kill_agent();
            let opened = shop.agent_log_count(LISTENING);
            shop.start_agent();
            wait_for("the agent to read again", || {
                (shop.agent_log_count(LISTENING) > opened).then_some(())
            });
            deaf.push((from, now_ms()));
        }
        Victim::Collector => {
            shop.kill_collector();
            shop.start_collector();
        }
        Victim::Broker => {
            let broker = shop.mosquitto.as_mut().expect("it is there");
            broker.kill();
            broker.start_again();
        }
    }
}

/// What the collector says otherwise than the ledger allows.
fn disagreements(shop: &Shop, payments: &[Payment], deaf: &[(i64, i64)]) -> Vec<String> {
    let Some(mut stored) = shop.stored() else { return vec!["no store".to_owned()] };
    let verdicts = stored.verdicts();
    let mut wrong = Vec::new();
    for payment in payments {
        let of_terminal = |&(from, until): &(i64, i64)| Deaf {
            terminal: payment.terminal.clone(),
            line: DeafLine::Both,
            from,
            until,
        };
        let deaf: Vec<Deaf> = deaf.iter().map(of_terminal).collect();
        let said = verdicts.get(&(payment.terminal.clone(), payment.stan)).copied();
        let is_allowed = match (opinion(payment, &crate::mqtt::HOUSE, &deaf), said) {
            (Opinion::OneOf(due), Some((label, why))) => due.iter().any(|due| due.is(label, why)),
            (Opinion::AnythingButNoSlip, Some((label, _))) => {
                label != "no_slip" && label != "pending"
            }
            (Opinion::Anything, Some((label, _))) => label != "pending",
            // All of its words may have been said while nobody listened.
            (Opinion::Anything | Opinion::AnythingButNoSlip, None) => true,
            (Opinion::OneOf(_), None) => false,
        };
        if !is_allowed {
            let due = opinion(payment, &crate::mqtt::HOUSE, &deaf);
            wrong.push(format!(
                "{:?} {} {:06}: said {said:?}, due {due:?}",
                payment.story, payment.terminal, payment.stan
            ));
        }
    }
    wrong
}

#[track_caller]
fn check(mut shop: Shop, victims: &[Victim], kills: usize) {
    let seed = setting("SLIPWATCH_SEED", now_ms().unsigned_abs());
    let told = format!("SLIPWATCH_SEED={seed} SLIPWATCH_KILLS={kills}");
    let mut dice = Dice::new(seed);
    let terminals = shop.set_terminals(TERMINALS);
    shop.open();
    shop.wait_until_heard();
    // About eight words a payment, WORDS between two kills, and as many again while a program starts.
    let each = (kills * 280 / 8 / TERMINALS + 3).max(6);
    let playing = Play::new(&terminals, each, &STORIES, seed).begin(shop.take_device());
    let mut deaf = Vec::new();
    let mut done = Vec::new();
    while done.len() < kills && !playing.is_over() {
        let until = playing.said() + dice.between(WORDS.0, WORDS.1) as usize;
        wait_for("more words", || (playing.said() >= until || playing.is_over()).then_some(()));
        let victim = *dice.pick(victims);
        kill_and_start(&mut shop, victim, &mut deaf);
        done.push(victim);
    }
    let (device, payments) = playing.end();
    shop.put_device(device);
    let what = format!(
        "verdicts that the ledger allows; {told}, {} payments, killed {done:?}",
        payments.len()
    );
    wait_until_right(PATIENCE, what, || disagreements(&shop, &payments, &deaf));
    shop.agent.as_mut().expect("it runs").stop();
    wait_for("the line to be closed in the store", || {
        (!shop.stored()?.is_line_open()).then_some(())
    });
    let events = shop.stored().expect("a store").assert_each_number_once(&agent_name());
    assert!(
        events as usize > payments.len() * 2,
        "{told}: only {events} events of {} payments",
        payments.len()
    );
    assert_eq!(done.len(), kills, "{told}: the day was over before the kills were done");
    let count = |victim| done.iter().filter(|done| **done == victim).count();
    eprintln_figures(&format!(
        "{told}: {} payments, {events} events, each once; killed: agent {}, collector {}, broker {}",
        payments.len(),
        count(Victim::Agent),
        count(Victim::Collector),
        count(Victim::Broker),
    ));
}

/// What a long run came to; shown with `--nocapture`.
fn eprintln_figures(text: &str) {
    use std::io::Write;
    drop(writeln!(std::io::stderr(), "{text}"));
}

fn kills() -> usize {
    setting("SLIPWATCH_KILLS", KILLS as u64) as usize
}

#[test]
fn nothing_is_lost_or_doubled_when_agent_and_collector_with_its_broker_are_killed() {
    check(Shop::new(), &[Victim::Agent, Victim::Collector], kills());
}

#[test]
fn nothing_is_lost_or_doubled_when_agent_mosquitto_and_collector_are_killed() {
    check(Shop::with_mosquitto(), &[Victim::Agent, Victim::Broker, Victim::Collector], kills());
}

#[test]
fn nothing_is_unknown_when_only_the_broker_and_the_collector_are_killed() {
    check(Shop::with_mosquitto(), &[Victim::Broker, Victim::Collector], kills());
}
