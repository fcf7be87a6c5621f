//! One named scene for each verdict and finding, and one for each random world that once failed. A scene is a small
//! world: a till or two, what happens there, what goes wrong, and what must be said of it in the end.

mod days;
mod line;

use slipwatch_tests::terminal::Story;
use slipwatch_tests::voice::Voice;
use slipwatch_tests::world::World;
use slipwatch_tests::world::proof::{findings, prove, said};
use slipwatch_tests::world::recipe::{Recipe, Till};
use slipwatch_tests::world::trouble::{Mishap, Trouble};

/// A payment of a scene begins two minutes after the world, and is approved a few seconds later.
const APPROVED_MS: i64 = 125_000;

fn play(recipe: Recipe) -> World {
    let settings = recipe.collector.clone();
    let mut world = World::new(recipe);
    assert!(world.run(), "the world came to rest");
    let proof = prove(&world, &settings);
    assert!(proof.wrong.is_empty(), "{}", proof.wrong.join("\n"));
    world
}

/// What was said of each payment last, with its findings.
fn endings(world: &World) -> Vec<String> {
    let ending = |payment| {
        let store = &world.collector.store;
        let last = said(store, payment).pop().unwrap_or_default();
        let findings = findings(store, payment);
        [vec![last], findings].concat().join(", ")
    };
    world.payments.iter().map(ending).collect()
}

#[track_caller]
fn check_in(voice: Voice, two_lines: bool, story: Story, mishaps: &[Mishap], expected: &[&str]) {
    let till = Till { voice, two_lines, ..Till::with(&[story]) };
    let world = play(Recipe::scene(&[till], mishaps));
    assert_eq!(endings(&world), expected, "{voice:?}, two lines: {two_lines}");
}

/// The same in both voices, over one line and over two.
#[track_caller]
fn check(story: Story, expected: &[&str]) {
    for voice in [Voice::KeyValue, Voice::Chinese] {
        for two_lines in [false, true] {
            check_in(voice, two_lines, story, &[], expected);
        }
    }
}

#[track_caller]
fn check_mishap(
    story: Story,
    trouble: Trouble,
    at: i64,
    lasts_ms: i64,
    expected: &[&str],
) -> World {
    let mishap = Mishap { trouble, agent: 0, at, lasts_ms };
    let world = play(Recipe::scene(&[Till::with(&[story])], &[mishap]));
    assert_eq!(endings(&world), expected);
    world
}

fn ever_said(world: &World) -> Vec<String> {
    said(&world.collector.store, &world.payments[0])
}

#[test]
fn a_sale_with_its_slips_is_printed() {
    check(Story::Sale, &["printed"]);
    check(Story::PaperChanged, &["printed, A02 slip_printed"]);
    check(Story::Voided, &["printed"]);
}

#[test]
fn a_debit_without_slip_is_rung_about() {
    check(Story::NoSlip, &["no_slip unknown, A01 alerting"]);
}

#[test]
fn a_missing_slip_is_told_with_the_paper_that_was_out() {
    check(Story::PaperOut, &["no_slip terminal_fault, A01 alerting, A02 grew"]);
}

#[test]
fn a_cancelled_print_is_the_cashiers() {
    check(Story::PrintCancelled, &["no_slip operator, A01 alerting, A02 grew"]);
}

#[test]
fn the_shops_copy_alone_is_no_slip() {
    check(Story::MerchantCopyOnly, &["no_slip operator, A01 alerting, A02 grew"]);
}

#[test]
fn a_late_reprint_takes_the_alarm_back() {
    check(Story::LateReprint, &["printed_late, A01 slip_printed, A02 grew"]);
}

#[test]
fn a_time_out_with_its_reversal_needs_no_slip_and_no_alarm() {
    check(Story::TimeoutReversed, &["not_expected reversed"]);
}

#[test]
fn a_reversal_that_waits_is_told_until_it_is_acknowledged() {
    check(Story::TimeoutReversedLate, &["not_expected reversed, A04 reversed"]);
}

#[test]
fn a_lost_reversal_is_rung_about() {
    check(Story::TimeoutReversalLost, &["not_expected unanswered, A03 alerting"]);
}

#[test]
fn no_slip_is_due_where_none_is_wanted_or_nothing_was_debited() {
    check(Story::Decline, &["not_expected declined"]);
    check(Story::Abandoned, &["not_expected aborted"]);
    check(Story::ElectronicSlip, &["not_expected issued_electronically"]);
    check(Story::SlipUnwanted, &["not_expected declined_by_shopper"]);
    check(Story::VoidedWithoutSlip, &["not_expected voided"]);
}

#[test]
fn a_second_debit_after_a_missing_slip_is_a_duplicate() {
    let first = "no_slip terminal_fault, A01 alerting, A02 grew";
    check(Story::FirstOfTwo, &[first, "printed, A09 alerting"]);
}

#[test]
fn an_agent_that_is_killed_in_mid_sale_leaves_the_slip_unknown() {
    for trouble in [Trouble::AgentKilled, Trouble::AgentStopped, Trouble::PowerCut] {
        let unknown = &["unknown agent_restarted"];
        check_mishap(Story::NoSlip, trouble, APPROVED_MS + 60_000, 30_000, unknown);
    }
}

#[test]
fn a_line_that_was_pulled_out_leaves_the_slip_unknown() {
    let trouble = Trouble::Unplugged { line: 0 };
    check_mishap(Story::NoSlip, trouble, APPROVED_MS + 60_000, 5_000, &["unknown source_lost"]);
}

#[test]
fn a_lost_reprint_of_a_deaf_agent_is_no_missing_slip() {
    let trouble = Trouble::AgentKilled;
    let world = check_mishap(
        Story::PaperChanged,
        trouble,
        APPROVED_MS + 60_000,
        60_000,
        &["unknown agent_restarted, A02 not_known"],
    );
    assert!(!ever_said(&world).iter().any(|said| said.starts_with("no_slip")));
}

#[test]
fn an_agent_cut_off_in_mid_sale_is_unknown_until_its_spool_drains() {
    let world = check_mishap(
        Story::PaperChanged,
        Trouble::LinkDown,
        APPROVED_MS + 4_000,
        900_000,
        &["printed, A02 slip_printed"],
    );
    assert_eq!(ever_said(&world), ["pending", "unknown agent_offline", "pending", "printed"]);
    let told = world.collector.store.told.iter();
    let silent: Vec<_> =
        told.filter(|told| told.finding.id.kind.code() == "A18").map(|told| told.change).collect();
    use slipwatch_collector::correlate::finding::Change::{Raised, Resolved};
    assert_eq!(silent, [Raised, Resolved]);
}

#[test]
fn a_missing_slip_is_found_after_an_outage_that_hid_it() {
    check_mishap(
        Story::NoSlip,
        Trouble::LinkDown,
        APPROVED_MS,
        900_000,
        &["no_slip unknown, A01 alerting"],
    );
}

#[test]
fn a_stepped_clock_fires_nothing_and_hides_nothing() {
    for by_ms in [-7_200_000, 7_200_000] {
        let trouble = Trouble::ClockSet { by_ms };
        check_mishap(
            Story::PaperChanged,
            trouble,
            APPROVED_MS + 20_000,
            0,
            &["printed, A02 slip_printed"],
        );
        check_mishap(
            Story::NoSlip,
            trouble,
            APPROVED_MS + 20_000,
            0,
            &["no_slip unknown, A01 alerting"],
        );
    }
}

#[test]
fn a_killed_collector_or_a_full_disk_changes_no_verdict() {
    for trouble in [Trouble::CollectorKilled, Trouble::StoreFull, Trouble::DiskFull] {
        check_mishap(
            Story::LateReprint,
            trouble,
            APPROVED_MS + 60_000,
            400_000,
            &["printed_late, A01 slip_printed, A02 grew"],
        );
    }
}

/// Once told as torn: the log's word for an electronic slip began a slip's text that never ended.
#[test]
fn an_electronic_slip_of_the_chinese_log_is_issued() {
    let expected = &["not_expected issued_electronically"];
    check_in(Voice::Chinese, false, Story::ElectronicSlip, &[], expected);
}

/// Once lost (seeds 111, 294, 295): a time of day in the 57th minute was taken for a track 2 and scrubbed.
#[test]
fn a_sale_in_any_minute_of_the_hour_is_heard() {
    for voice in [Voice::KeyValue, Voice::Chinese] {
        let stories = [45, 57].map(|minute| (minute * 60_000 - 55_000, Story::Sale));
        for story in stories {
            let till = Till { voice, two_lines: false, stories: vec![story] };
            let world = play(Recipe::scene(&[till], &[]));
            assert_eq!(endings(&world), ["printed"], "{voice:?}, {story:?}");
        }
    }
}
