//! The road over a real Mosquitto: what arrives, in what order, and what does not belong there.

use crate::serial::payment;
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use slipwatch_shared::event::Epoch;
use slipwatch_shared::terminal::{AgentId, StoreId};
use slipwatch_shared::wire::topic::{Channel, Topic};
use slipwatch_tests::ledger::{House, truth};
use slipwatch_tests::process::live::{PACE, Play};
use slipwatch_tests::process::mosquitto::{Mosquitto, Spy};
use slipwatch_tests::process::shop::{AGENT, STORE, Shop};
use slipwatch_tests::process::{PATIENCE, page, sample, wait_for, wait_until_right};
use slipwatch_tests::terminal::{Payment, Story};
use std::time::Duration;

/// What the ledger has to know of such a shop.
pub const HOUSE: House = House {
    alert_ms: PACE.alert_ms,
    due_from: 0,
    reversal_pending_ms: PACE.reversal_pending_ms,
    slack_ms: 700,
};

/// The shop's agent, as the store names it.
pub fn agent_name() -> slipwatch_collector::correlate::policy::AgentName {
    slipwatch_collector::correlate::policy::AgentName {
        store: STORE.parse().expect("a name"),
        agent: AGENT.parse().expect("a name"),
    }
}

/// Waits until nothing is said otherwise than the ledger says it.
#[track_caller]
pub fn wait_for_truth(shop: &Shop, payments: &[Payment]) {
    wait_until_right(PATIENCE, "verdicts that equal the ledger's", || {
        let Some(mut stored) = shop.stored() else { return vec!["no store".to_owned()] };
        let verdicts = stored.verdicts();
        let wrong = payments.iter().filter_map(|payment| {
            let said = verdicts.get(&(payment.terminal.clone(), payment.stan)).copied();
            let due = truth(payment, &HOUSE);
            let is_right = said.is_some_and(|(label, reason)| due.is(label, reason));
            let name = format!("{:?} {} {:06}", payment.story, payment.terminal, payment.stan);
            (!is_right).then(|| format!("{name}: said {said:?}, due {due:?}"))
        });
        wrong.collect()
    });
}

#[test]
fn a_debit_without_slip_becomes_a_letter_over_mosquitto() {
    let mut shop = Shop::with_mosquitto();
    shop.open();
    shop.wait_until_heard();
    let missed = payment(1, Story::NoSlip);
    shop.tell(&missed);
    wait_for("a letter", || shop.letters().into_iter().next());
    shop.wait_for_verdict(&missed, "no_slip");
}

#[test]
fn what_was_said_without_a_broker_arrives_afterwards_in_order_and_rings_nobody_falsely() {
    let mut shop = Shop::with_mosquitto();
    let terminals = shop.set_terminals(4);
    let mosquitto = shop.mosquitto.as_mut().expect("it is there");
    mosquitto.kill();
    shop.start_agent();
    let stories = [
        Story::Sale,
        Story::PaperChanged,
        Story::TimeoutReversed,
        Story::Voided,
        Story::NoSlip,
        Story::Decline,
    ];
    let playing = Play::new(&terminals, 6, &stories, 11).begin(shop.take_device());
    let (device, payments) = playing.end();
    shop.put_device(device);
    let log = shop.agent.as_mut().expect("it runs").log();
    assert!(!log.is_empty(), "an agent without a broker says so");
    shop.mosquitto.as_mut().expect("it is there").start_again();
    shop.start_collector();
    wait_for_truth(&shop, &payments);
    let mut stored = shop.stored().expect("a store");
    stored.assert_each_number_once(&agent_name());
    let due = payments.iter().filter(|payment| payment.story == Story::NoSlip).count();
    let codes: Vec<&str> =
        stored.findings().iter().map(|view| view.finding.id.kind.code()).collect();
    assert_eq!(codes.iter().filter(|code| **code == "A01").count(), due, "{codes:?}");
    assert!(codes.iter().all(|code| ["A01", "A02", "A09", "A17"].contains(code)), "{codes:?}");
}

#[test]
fn an_agent_that_is_not_listed_loses_nothing() {
    let mut shop = Shop::with_mosquitto();
    shop.set_agent_listed("somebody-else");
    shop.open();
    let missed = payment(2, Story::NoSlip);
    shop.tell(&missed);
    let port = shop.http_port();
    wait_for("quarantine with a reason", || {
        let metrics = page(port, "/metrics")?;
        let line = metrics.lines().find(|line| {
            line.starts_with("slipwatch_quarantined_messages_total")
                && line.contains("unknown_agent")
                && !line.ends_with(" 0")
        });
        line.map(str::to_owned)
    });
    assert_eq!(shop.stored().map_or(0, |stored| stored.batches().len()), 0);
    shop.set_agent_listed(AGENT);
    shop.reload_collector();
    shop.wait_for_verdict(&missed, "no_slip");
    shop.stored().expect("a store").assert_each_number_once(&agent_name());
}

/// Publishes to a broker and waits until it has it all.
fn publish(port: u16, messages: &[(String, Vec<u8>)]) {
    let mut options = MqttOptions::new("stranger", "127.0.0.1", port);
    options.set_keep_alive(Duration::from_secs(5)).set_max_packet_size(1 << 20, 1 << 20);
    let (client, mut connection) = Client::new(options, messages.len() + 1);
    for (topic, payload) in messages {
        client
            .publish(topic, QoS::AtLeastOnce, false, payload.clone())
            .expect("the queue has room");
    }
    let taken =
        connection.iter().filter(|notice| matches!(notice, Ok(Event::Incoming(Packet::PubAck(_)))));
    assert_eq!(taken.take(messages.len()).count(), messages.len());
}

#[test]
fn what_does_not_belong_on_the_road_is_put_aside_and_stops_nothing() {
    let mut shop = Shop::with_mosquitto();
    shop.open();
    shop.wait_until_heard();
    let (store, agent): (StoreId, AgentId) =
        (STORE.parse().expect("a name"), AGENT.parse().expect("a name"));
    let batch = Topic::new(&store, &agent, Channel::Batch).to_string();
    let state = Topic::new(&store, &agent, Channel::State).to_string();
    let sound = Spy::on(shop.mqtt_port());
    let seen = wait_for("a batch to copy", || {
        sound.heard().into_iter().find(|(topic, _)| *topic == batch)
    })
    .1;
    let mut flipped = seen.clone();
    *flipped.last_mut().expect("a batch has bytes") ^= 1;
    let mut later = seen.clone();
    later[0] = 2;
    let noise = [
        Vec::new(),
        vec![0xff; 70_000],
        b"GET / HTTP/1.1".to_vec(),
        flipped,
        later,
        seen[..seen.len() / 2].to_vec(),
    ];
    let messages: Vec<(String, Vec<u8>)> = noise
        .iter()
        .flat_map(|payload| [(batch.clone(), payload.clone()), (state.clone(), payload.clone())])
        .chain([("slipwatch/v1/up/63/nobody/here/batch".to_owned(), seen.clone())])
        .collect();
    publish(shop.mqtt_port(), &messages);
    let missed = payment(3, Story::NoSlip);
    shop.tell(&missed);
    shop.wait_for_verdict(&missed, "no_slip");
    let metrics = shop.metrics().expect("a page");
    for reason in ["checksum", "foreign_version", "cut"] {
        let series = metrics.lines().find(|line| {
            line.starts_with("slipwatch_quarantined_messages_total") && line.contains(reason)
        });
        assert!(series.is_some_and(|line| !line.ends_with(" 0")), "{reason}: {series:?}");
    }
    shop.stored().expect("a store").assert_each_number_once(&agent_name());
}

#[test]
fn a_broker_that_comes_late_finds_both_waiting() {
    let mut shop = Shop::with_mosquitto();
    shop.mosquitto.as_mut().map(Mosquitto::kill);
    shop.open();
    shop.mosquitto.as_mut().expect("it is there").start_again();
    shop.wait_until_heard();
    let metrics = shop.metrics().expect("a page");
    assert!(sample(&metrics, "slipwatch_events_total").is_some_and(|count| count > 0.0));
    assert!(
        shop.stored()
            .expect("a store")
            .journal(&agent_name())
            .iter()
            .all(|(epoch, _)| *epoch != Epoch(0))
    );
}
