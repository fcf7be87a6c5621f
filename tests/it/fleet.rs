//! Generated fleets: what the collector says of them is what is true of them, whatever the road did to their events,
//! wherever the collector was cut down, and whatever was lost on the way.
//!
//! `SLIPWATCH_FLEETS=1000` plays so many, `SLIPWATCH_FLEET=17` that one alone.

use slipwatch_tests::fleet::FleetSettings;
use slipwatch_tests::fleet::judge::{self, Report};
use slipwatch_tests::fleet::plot::Plot;
use slipwatch_tests::fleet::road::{self, Said};
use slipwatch_tests::fleet::stream::Fleet;

/// After so many failed fleets the rest tells nothing new.
const FAILED_MAX: usize = 3;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn seeds(by_default: u64) -> impl Iterator<Item = u64> {
    match number("SLIPWATCH_FLEET") {
        Some(seed) => seed..=seed,
        None => 1..=number("SLIPWATCH_FLEETS").unwrap_or(by_default),
    }
}

/// Runs `play` for each seed; what it finds wrong is told with the seed.
fn each(test: &str, by_default: u64, mut play: impl FnMut(u64) -> Vec<String>) {
    let mut failed = Vec::new();
    for seed in seeds(by_default) {
        let wrong = play(seed);
        if !wrong.is_empty() {
            let lines: Vec<&str> = wrong.iter().take(12).map(String::as_str).collect();
            let count = wrong.len();
            failed.push(format!(
                "seed {seed}: {count} wrong; alone: SLIPWATCH_FLEET={seed} cargo test -p slipwatch-tests --test it \
                 fleet::{test}\n  {}",
                lines.join("\n  ")
            ));
        }
        if failed.len() >= FAILED_MAX {
            break;
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[allow(clippy::print_stdout, reason = "the figures of a long run, with --nocapture")]
fn tell(text: &str) {
    println!("{text}");
}

fn small(seed: u64) -> FleetSettings {
    FleetSettings { sales_a_day: 12, ..FleetSettings::troubled(5, seed) }
}

fn with_mishaps(seed: u64) -> FleetSettings {
    FleetSettings { mishaps: true, ..small(seed) }
}

/// All findings that events alone decide.
const DECIDED: [&str; 15] = [
    "A01", "A02", "A03", "A04", "A05", "A09", "A11", "A15", "A16", "A17", "A18", "A19", "A20",
    "A21", "A22",
];

/// Every debit without slip is found, no other is, each finding that is due is told and no other, and its cause is
/// named where it left a trace.
#[test]
fn a_fleet_comes_out_as_its_truth_says() {
    let (mut all, mut fleets) = (Report::default(), 0);
    each("a_fleet_comes_out_as_its_truth_says", 6, |seed| {
        let said = Said::of(Fleet::new(FleetSettings::troubled(40, seed)));
        let arrived = road::straight(&said, 500, |_| false);
        let report = judge::compare_store(&said, &arrived.store, false);
        fleets += 1;
        all.add(&report);
        let mut wrong = arrived.complaints;
        wrong.extend(report.wrong);
        wrong
    });
    let Report { payments, missing, found, causes, causes_right, .. } = all;
    tell(&format!(
        "{fleets} fleets, {payments} payments; {found} of {missing} missing slips found; {causes_right} of {causes} \
         causes right"
    ));
    tell(&format!("due: {:?}", all.due));
    all.causes_wrong.iter().for_each(|(miss, count)| tell(&format!("  {count} x {miss}")));
    assert_eq!(found, missing, "missing slips that were found");
    assert!(causes_right * 100 >= causes * 95, "{:?}", all.causes_wrong);
    let played = |plot: &&Plot| !all.plots.contains_key(plot.label());
    let unplayed: Vec<_> =
        Plot::ALL.iter().filter(|plot| !plot.is_of_outage()).filter(played).collect();
    assert!(unplayed.is_empty() || fleets < 6, "a proof of what was not played: {unplayed:?}");
    let undue: Vec<_> = DECIDED.iter().filter(|code| !all.due.contains_key(**code)).collect();
    assert!(undue.is_empty() || fleets < 6, "a proof of what was not due: {undue:?}");
}

/// What is not uploaded for a day and what is not closed for two: four days, in which some tills are never closed.
#[test]
fn days_come_out_as_their_truth_says() {
    let mut due = Report::default();
    each("days_come_out_as_their_truth_says", 2, |seed| {
        let days = FleetSettings { days: 4, nights: true, ..FleetSettings::troubled(12, seed) };
        let said = Said::of(Fleet::new(FleetSettings { sales_a_day: 16, ..days }));
        let arrived = road::straight(&said, 500, |_| false);
        let report = judge::compare_store(&said, &arrived.store, false);
        due.add(&report);
        let mut wrong = arrived.complaints;
        wrong.extend(report.wrong);
        wrong
    });
    assert!(due.plots.contains_key("never_closed"), "{:?}", due.plots);
}

/// What is a matter of now: an acquirer's outage over all shops, and agents that are not heard for a while. Both depend on
/// what has arrived when, which is documented of them, so they are held against their truth here alone, where all
/// agents are heard side by side.
#[test]
fn what_is_a_matter_of_now_comes_out_as_its_truth_says() {
    let mut due = Report::default();
    each("what_is_a_matter_of_now_comes_out_as_its_truth_says", 2, |seed| {
        // Enough is asked in any quarter of an hour.
        let now =
            FleetSettings { outage: true, sales_a_day: 90, ..FleetSettings::troubled(40, seed) };
        let fleet = FleetSettings { nights: true, ..now };
        let mut said = Said::of(Fleet::new(fleet));
        let away = said.sends_away(3, 17 * 60_000);
        let arrived = road::side_by_side(&said, &away);
        let report = judge::compare_store(&said, &arrived.store, true);
        due.add(&report);
        let mut wrong = arrived.complaints;
        wrong.extend(report.wrong);
        wrong
    });
    // A child has the outage for its cause, whatever it tells itself.
    let own = due.causes_wrong.keys().find(|miss| miss.starts_with("outage_lost"));
    assert!(own.is_none(), "{own:?}");
    for plot in ["outage", "agent_away", "outage_lost", "outage_reversed"] {
        assert!(due.plots.contains_key(plot), "{plot} in {:?}", due.plots);
    }
}

/// Delay, repetition, disorder over agents, batches split anew, a collector killed at any moment.
#[test]
fn the_road_changes_no_verdict_and_no_finding() {
    each("the_road_changes_no_verdict_and_no_finding", 12, |seed| {
        let said =
            Said::of(Fleet::new(if seed % 3 == 0 { with_mishaps(seed) } else { small(seed) }));
        let calm = road::straight(&said, 200, |_| false);
        let rough = road::rough(&said, seed);
        let mut wrong = road::differences(&calm.store, &rough.store);
        wrong.extend(judge::compare_store(&said, &rough.store, false).wrong);
        wrong.extend(calm.complaints);
        wrong.extend(rough.complaints);
        wrong
    });
}

/// After each of its commits the collector is started anew from its store, and goes on as if nothing had been.
#[test]
fn a_restart_at_any_commit_changes_nothing() {
    each("a_restart_at_any_commit_changes_nothing", 6, |seed| {
        let said = Said::of(Fleet::new(with_mishaps(seed)));
        let whole = road::straight(&said, 7, |_| false);
        let cut = road::straight(&said, 7, |_| true);
        assert_eq!(cut.restarts, whole.commits, "the collector was started anew after each commit");
        let mut wrong = road::differences(&whole.store, &cut.store);
        // Not only the end: everything that was said and told on the way, in the same order, each once.
        if whole.store.said != cut.store.said {
            wrong.push("what was said of slips on the way differs".to_owned());
        }
        let told = whole.store.told.iter().zip(&cut.store.told).find(|(whole, cut)| whole != cut);
        if let Some((whole, cut)) = told {
            wrong.push(format!("told first\n  {whole:?}\n  {cut:?}"));
        }
        if whole.store.told.len() != cut.store.told.len() {
            wrong.push(format!("{} told, {}", whole.store.told.len(), cut.store.told.len()));
        }
        wrong
    });
}

/// Lines pulled out, agents and machines restarted, numbers lost, words garbled, over the worst road: a slip that came
/// in time is never said to be missing, not for a moment.
#[test]
fn nothing_that_is_lost_makes_a_printed_slip_missing() {
    let mut clouded = 0;
    each("nothing_that_is_lost_makes_a_printed_slip_missing", 12, |seed| {
        let said = Said::of(Fleet::new(with_mishaps(seed)));
        clouded += said.truths.iter().filter(|truth| truth.clouded).count();
        let rough = road::rough(&said, seed ^ 0xffff);
        let mut wrong = rough.complaints;
        let report = judge::compare_store(&said, &rough.store, false);
        wrong.extend(
            report.wrong.into_iter().filter(|line| {
                line.contains("no_slip was said") || line.contains("a false no_slip")
            }),
        );
        wrong
    });
    assert!(clouded > 0, "something was lost");
}

/// The same truth, heard by real decoders from the bytes that the devices write, in both dialects.
#[test]
fn what_the_devices_write_comes_to_the_same_truth() {
    each("what_the_devices_write_comes_to_the_same_truth", 3, |seed| {
        let fleet = FleetSettings { spoken_only: true, ..FleetSettings::troubled(8, seed) };
        let said = Said::from_device_bytes(Fleet::new(fleet));
        let arrived = road::straight(&said, 500, |_| false);
        let mut wrong = judge::compare_store(&said, &arrived.store, false).wrong;
        wrong.extend(arrived.complaints);
        wrong
    });
}

/// Neither the truth nor an event depends on anything but the seed.
#[test]
fn the_same_seed_gives_the_same_fleet() {
    let words = |seed| -> Vec<_> { Fleet::new(with_mishaps(seed)).collect() };
    assert_eq!(words(7), words(7));
    assert_ne!(words(7), words(8));
}
