//! The rules by what a terminal says. Each line is a trap that raised false alarms somewhere, or hid a true one.

use crate::correlate::cause::CauseDetail;
use crate::correlate::finding::{Change, Stage};
use crate::correlate::policy::Deadlines;
use crate::correlate::tests::{
    alerts, causes, check_with, nobody_prints, one_copy, open_from_eight_to_ten, outcome, policies,
    policies_with,
};
use slipwatch_shared::money::{Amount, Currency};

mod of_lines;
mod of_numbers;
mod of_terminals;

#[track_caller]
fn check(script: &str, expected: &str) {
    check_with(policies(), script, expected);
}

const PAID: &str = "10 ask n=1 yuan=88; 12 ok n=1 rrn=100000000001";

#[test]
fn a_slip_in_time_is_printed() {
    check(&format!("{PAID}; 14 slip n=1 copy=m; 17 slip n=1 copy=c; 400 pulse"), "1 printed");
    check(&format!("{PAID}; 14 slip n=1; 400 pulse"), "1 printed");
    check(&format!("{PAID}; 14 slip yuan=88; 400 pulse"), "1 printed");
    check(&format!("{PAID}; 200 pulse; 312 slip n=1 copy=c; 400 pulse"), "1 printed (A01)");
}

#[test]
fn nothing_is_said_before_the_deadline_has_passed() {
    check(&format!("{PAID}; 100 pulse"), "1 pending");
    check(&format!("{PAID}; 200 pulse"), "1 pending A01");
    check(&format!("{PAID}; 311 pulse"), "1 pending A01");
    // Heard up to the deadline itself is not heard past it.
    check(&format!("{PAID}; 312 pulse"), "1 pending A01");
    check(&format!("{PAID}; 313 pulse"), "1 no_slip unknown A01");
}

#[test]
fn a_finding_alerts_once_when_people_are_to_be_told_and_not_while_it_is_suspected() {
    let script =
        format!("0 open; {PAID}; 200 pulse; 250 pulse; 313 pulse; 400 pulse; 500 slip n=1 reprint");
    let (raised, changed) = (Change::Raised, Change::Changed);
    let expected = [
        (raised, Stage::Suspected, false),
        (changed, Stage::Alerting, true),
        (Change::Resolved, Stage::Alerting, false),
    ];
    assert_eq!(alerts(policies(), &script), expected);
}

#[test]
fn of_several_signs_the_strongest_tells_the_cause() {
    let begun = format!("0 open; {PAID}; 13 begin n=1 copy=m; 14 fail n=1; 400 pulse");
    let paper = CauseDetail::PaperOut;
    assert_eq!(causes(policies(), &begun), [("A02", paper), ("A01", paper)]);
    let down = "0 open; 10 ask n=1 yuan=8; 20 down; 70 timeout n=1; 80 reversal n=1 is=failed";
    assert_eq!(causes(policies(), down), [("A03", CauseDetail::NetworkDown)]);
}

#[test]
fn what_fails_after_the_deadline_is_not_why_no_slip_came() {
    check(&format!("{PAID}; 320 pulse; 350 fail n=1; 400 pulse"), "1 no_slip unknown A01");
}

#[test]
fn a_late_slip_takes_the_finding_back() {
    check(&format!("{PAID}; 400 pulse; 500 slip n=1 copy=c reprint"), "1 printed_late (A01)");
    check(&format!("{PAID}; 3000 pulse; 9000 slip n=1 reprint"), "1 printed_late (A01)");
}

#[test]
fn the_shops_copy_alone_is_no_slip_for_the_shopper() {
    check(&format!("{PAID}; 14 slip n=1 copy=m; 200 pulse"), "1 pending A02");
    check(
        &format!("{PAID}; 14 slip n=1 copy=m; 200 pulse; 400 pulse"),
        "1 no_slip operator (A02) A01",
    );
    let one = policies_with(one_copy);
    check_with(one, &format!("{PAID}; 14 slip n=1 copy=m; 400 pulse"), "1 printed");
}

#[test]
fn a_printer_without_paper_is_told_at_once_and_grows() {
    check(&format!("{PAID}; 14 fail n=1; 20 pulse"), "1 pending A02");
    check(&format!("{PAID}; 14 fail n=1; 400 pulse"), "1 no_slip terminal_fault (A02) A01");
    check(&format!("{PAID}; 14 fail n=1; 60 slip n=1 copy=c; 400 pulse"), "1 printed (A02)");
    check(&format!("9 paper end; {PAID}; 400 pulse"), "1 no_slip terminal_fault A01");
    check(&format!("8 paper end; 9 paper ok; {PAID}; 400 pulse"), "1 no_slip unknown A01");
    check(&format!("{PAID}; 14 cancel n=1; 400 pulse"), "1 no_slip operator (A02) A01");
    check(&format!("{PAID}; 30 restart; 400 pulse"), "1 no_slip terminal_fault A01");
    check(&format!("{PAID}; 80 restart; 400 pulse"), "1 no_slip unknown A01");
}

#[test]
fn silence_with_a_hole_in_it_proves_nothing() {
    check(&format!("{PAID}; 20 garbled; 400 pulse"), "1 unknown decode_failed");
    check(&format!("{PAID}; 20 unplug; 60 replug; 400 pulse"), "1 unknown source_lost");
    check(&format!("{PAID}; 20 stop; 60 open; 400 pulse"), "1 unknown agent_restarted");
    check(&format!("{PAID}; 20 lost; 400 pulse"), "1 unknown numbers_lost");
    check(&format!("{PAID}; 20 open; 400 pulse"), "1 unknown agent_restarted");
    check(&format!("{PAID}; 20 boot; 30 open; 400 pulse"), "1 unknown agent_restarted");
}

#[test]
fn a_hole_after_the_deadline_changes_nothing() {
    check(&format!("{PAID}; 320 pulse; 330 garbled; 400 pulse"), "1 no_slip unknown A01");
    check(&format!("5 garbled; {PAID}; 400 pulse"), "1 no_slip unknown A01");
    check(&format!("{PAID}; 14 slip n=1; 20 garbled; 400 pulse"), "1 printed");
    check(&format!("{PAID}; 20 garbled; 400 pulse; 500 slip n=1 reprint"), "1 printed_late");
}

#[test]
fn a_line_that_stands_still_holds_the_verdict_back() {
    // The money line goes on, the printer's line says nothing more, not even a pulse.
    check(&format!("{PAID}; 400 ask n=2 yuan=5"), "1 pending; 2 pending");
    // A lost line does not: it is known not to have been heard.
    let paid_and_unplugged = format!("{PAID}; 20 unplug; 400 ask n=2 yuan=5");
    check(&paid_and_unplugged, "1 unknown source_lost; 2 pending");
}

#[test]
fn no_slip_is_due_where_no_money_went() {
    check("10 ask n=1 yuan=8; 12 answer n=1 code=51; 400 pulse", "1 not_expected declined");
    check("10 ask n=1 yuan=8; 12 abort n=1; 400 pulse", "1 not_expected aborted");
    check("10 ask n=1 yuan=8; 400 pulse", "1 not_expected unanswered");
    check("10 hold n=1 yuan=8; 400 pulse", "1 not_expected not_a_debit");
    check(
        &format!("{PAID}; 60 void n=2 of=1 yuan=88; 400 pulse"),
        "1 not_expected voided; 2 not_expected not_a_debit",
    );
    check(&format!("{PAID}; 14 screen n=1; 400 pulse"), "1 not_expected issued_electronically");
    check(&format!("{PAID}; 14 unwanted n=1; 400 pulse"), "1 not_expected declined_by_shopper");
}

#[test]
fn the_policy_says_where_no_slip_is_due() {
    check_with(
        policies_with(nobody_prints),
        &format!("{PAID}; 400 pulse"),
        "1 not_expected nobody_prints",
    );
    let from_hundred = policies_with(|policy| {
        policy.slip_due_from = Some(Amount::new(10_000, Currency::CNY));
    });
    check_with(from_hundred, &format!("{PAID}; 400 pulse"), "1 not_expected below_amount");
    let from_its_amount =
        || policies_with(|policy| policy.slip_due_from = Some(Amount::new(8_800, Currency::CNY)));
    check_with(from_its_amount(), &format!("{PAID}; 400 pulse"), "1 no_slip unknown A01");
    // A card that is put in is no tap.
    let taps_from_hundred = policies_with(|policy| {
        policy.contactless_due_from = Some(Amount::new(10_000, Currency::CNY));
    });
    check_with(taps_from_hundred, &format!("{PAID}; 400 pulse"), "1 no_slip unknown A01");
    let slow = policies_with(|policy| {
        let slip_alert_ms = 3_600_000;
        policy.deadlines = Some(Box::new(Deadlines { slip_alert_ms, ..Deadlines::default() }));
    });
    check_with(slow, &format!("{PAID}; 400 pulse"), "1 pending A01");
    let mut nobody_told = policies();
    nobody_told.terminals.clear();
    check_with(nobody_told, &format!("{PAID}; 400 pulse"), "1 unknown not_judged");
}

#[test]
fn an_undo_takes_a_missing_slip_back() {
    check(
        &format!("{PAID}; 400 pulse; 500 void n=2 of=1 yuan=88; 501 pulse"),
        "1 not_expected voided (A01); 2 not_expected not_a_debit",
    );
    check(
        &format!("{PAID}; 400 pulse; 500 reversal n=1 is=acknowledged; 501 pulse"),
        "1 not_expected reversed (A01)",
    );
    check(
        &format!("{PAID}; 400 pulse; 500 refund n=2 of=1 yuan=40; 501 pulse"),
        "1 no_slip unknown A01; 2 not_expected not_a_debit",
    );
}

#[test]
fn a_slip_of_something_else_counts_for_nothing() {
    check(&format!("{PAID}; 14 slip; 400 pulse"), "1 no_slip unknown A01");
    check(&format!("{PAID}; 14 slip yuan=7; 400 pulse"), "1 no_slip unknown A01");
    check(&format!("{PAID}; 14 slip n=9; 400 pulse"), "1 no_slip unknown A01");
}

#[test]
fn one_print_job_serves_one_payment() {
    let two = "10 ask n=1 yuan=8; 11 ok n=1; 40 ask n=2 yuan=8; 41 ok n=2";
    check(&format!("{two}; 43 slip yuan=8 copy=c; 500 pulse"), "1 no_slip unknown A01; 2 printed");
}

#[test]
fn a_slip_heard_before_its_approval_waits_for_it() {
    check("10 ask n=1 yuan=8; 11 slip yuan=8; 12 ok n=1; 400 pulse", "1 printed");
    check("11 slip n=1 yuan=8; 12 ok n=1; 400 pulse", "1 printed");
}

#[test]
fn the_same_message_again_is_one_payment() {
    check(
        "10 ask n=1 batch=7 yuan=8; 20 ask n=1 batch=7 yuan=8; 22 ok n=1 batch=7; 23 slip n=1; 400 pulse",
        "1 printed",
    );
    check("10 ask yuan=8; 12 ok rrn=1; 13 done n=1 yuan=8; 14 slip n=1; 400 pulse", "1 printed");
}

#[test]
fn a_trace_that_came_round_is_another_payment() {
    check(
        "10 ask n=1 yuan=8; 11 ok n=1; 12 slip n=1; 600 ask n=1 yuan=9; 601 ok n=1; 1000 pulse",
        "1 printed; 1 no_slip unknown A01; terminal A20 trace_repeated",
    );
    check(
        "10 ask n=1 batch=1 yuan=8; 11 ok n=1 batch=1; 12 slip n=1; 99 ask n=1 batch=2 yuan=8; 100 ok n=1 batch=2; 500 pulse",
        "1 printed; 1 no_slip unknown A01",
    );
}

/// A trace alone names a payment for half a day; later it has come round.
#[test]
fn a_trace_alone_names_no_payment_of_days_ago() {
    let sold = format!("{PAID}; 400 pulse");
    check(&format!("{sold}; 9000 reversal n=1 is=acknowledged"), "1 not_expected reversed (A01)");
    check(
        &format!("{sold}; 180000 reversal n=1 is=acknowledged"),
        "1 no_slip unknown A01; 1 not_expected reversed",
    );
}

const TIMED_OUT: &str = "10 ask n=1 yuan=8; 70 timeout n=1; 70 reversal n=1 is=pending";

#[test]
fn a_lazy_reversal_is_pending_before_it_is_lost() {
    check(&format!("{TIMED_OUT}; 600 pulse"), "1 not_expected unanswered");
    check(&format!("{TIMED_OUT}; 700 pulse"), "1 not_expected unanswered A04");
    check(
        &format!("{TIMED_OUT}; 700 pulse; 800 reversal n=1 is=acknowledged"),
        "1 not_expected reversed (A04)",
    );
    check(
        &format!("{TIMED_OUT}; 90 reversal n=1 is=acknowledged; 2000 pulse"),
        "1 not_expected reversed",
    );
    check(
        &format!("{TIMED_OUT}; 700 pulse; 800 reversal n=1 is=failed; 801 pulse"),
        "1 not_expected unanswered (A04) A03",
    );
    check(
        &format!("{TIMED_OUT}; 90 reversal n=1 is=failed; 91 pulse"),
        "1 not_expected unanswered A03",
    );
}

#[test]
fn a_lost_reversal_is_over_when_the_money_came_back_another_way() {
    check(
        &format!(
            "{TIMED_OUT}; 90 reversal n=1 is=failed; 91 pulse; 200 void n=2 of=1 yuan=8; 201 pulse"
        ),
        "1 not_expected voided (A03); 2 not_expected not_a_debit",
    );
}

#[test]
fn a_sale_carries_a_pending_reversal_along() {
    let sold = "600 ask n=2 yuan=3; 601 ok n=2; 602 slip n=2";
    check(&format!("{TIMED_OUT}; {sold}; 700 pulse"), "1 not_expected unanswered; 2 printed");
    check(&format!("{TIMED_OUT}; {sold}; 980 pulse"), "1 not_expected unanswered A04; 2 printed");
}

#[test]
fn a_pending_reversal_with_a_hole_in_its_wait_is_not_told() {
    check(&format!("{TIMED_OUT}; 100 lost; 2000 pulse"), "1 not_expected unanswered");
}

#[test]
fn an_answer_that_settles_nothing_leaves_an_undo_due() {
    check("10 ask n=1 yuan=8; 12 answer n=1 code=A0; 700 pulse", "1 not_expected unanswered A04");
    check(
        "10 ask n=1 yuan=8; 12 answer n=1 code=96; 99 reversal n=1 is=failed; 100 pulse",
        "1 not_expected unanswered A03",
    );
}

const FIRST: &str = "10 ask n=1 yuan=88 card=6691; 12 ok n=1";

#[test]
fn a_second_debit_after_a_missing_slip_is_told() {
    let again = "100 ask n=2 yuan=88 card=6691; 101 ok n=2; 103 slip n=2";
    check(&format!("{FIRST}; 14 fail n=1; {again}; 110 pulse"), "1 pending A02; 2 printed A09");
    check(&format!("{FIRST}; {again}; 110 pulse"), "1 pending; 2 printed");
    check(&format!("{FIRST}; {again}; 500 pulse"), "1 no_slip unknown A01; 2 printed A09");
    check(
        &format!("{FIRST}; {again}; 500 pulse; 600 void n=3 of=2 yuan=88; 601 pulse"),
        "1 no_slip unknown A01; 2 printed (A09); 3 not_expected not_a_debit",
    );
}

/// Five minutes after a missing slip it may be the same purchase; with an order of its own it is likely another one.
#[test]
fn two_orders_speak_against_one_purchase() {
    let pair = |first: &str, second: &str| {
        format!(
            "10 ask n=1 yuan=88 card=6691 {first}; 12 ok n=1; 14 fail n=1; \
             314 ask n=2 yuan=88 card=6691 {second}; 315 ok n=2; 317 slip n=2; 330 pulse"
        )
    };
    let missing = "1 no_slip terminal_fault (A02) A01";
    check(&pair("", ""), &format!("{missing}; 2 printed A09"));
    check(&pair("order=A1", "order=A2"), &format!("{missing}; 2 printed"));
}

/// A fare or a coffee that is paid again and again is no sign of one purchase.
#[test]
fn a_usual_amount_speaks_against_one_purchase() {
    let usual = |yuan: u32| -> String {
        let sale = |n: u32| {
            format!("{n} ask n={n} yuan={yuan} card=100{n}; {n}.2 ok n={n}; {n}.4 slip n={n}; ")
        };
        (1..=5).map(sale).collect()
    };
    let pair = "10 ask n=6 yuan=88 card=6691; 12 ok n=6; 14 fail n=6; \
                314 ask n=7 yuan=88 card=6691; 315 ok n=7; 317 slip n=7; 330 pulse";
    let printed = "1 printed; 2 printed; 3 printed; 4 printed; 5 printed";
    let missing = "6 no_slip terminal_fault (A02) A01; 7 printed";
    check(&format!("{}{pair}", usual(9)), &format!("{printed}; {missing} A09"));
    check(&format!("{}{pair}", usual(88)), &format!("{printed}; {missing}"));
}

/// The slip came in the end, so nobody had a reason to pay twice.
#[test]
fn trouble_that_was_over_before_the_second_debit_is_none() {
    let second = "40 ask n=2 yuan=88 card=6691; 41 ok n=2; 43 slip n=2; 80 pulse";
    check(&format!("{FIRST}; 14 fail n=1; 20 slip n=1; {second}"), "1 printed (A02); 2 printed");
}

#[test]
fn two_equal_coffees_are_two_purchases() {
    let slips = "14 slip n=1; 72 ask n=2 yuan=88 card=6691; 73 ok n=2; 74 slip n=2; 500 pulse";
    check(&format!("{FIRST}; {slips}"), "1 printed; 2 printed");
    let other_card = "14 fail n=1; 72 ask n=2 yuan=88 card=1234; 73 ok n=2; 74 slip n=2; 80 pulse";
    check(&format!("{FIRST}; {other_card}"), "1 pending A02; 2 printed");
    let later = "14 fail n=1; 900 ask n=2 yuan=88 card=6691; 901 ok n=2; 902 slip n=2; 990 pulse";
    check(&format!("{FIRST}; {later}"), "1 no_slip terminal_fault (A02) A01; 2 printed");
}

#[test]
fn a_wallet_that_shows_no_payer_is_the_same_one_only_after_trouble() {
    let first = "10 ask order=A1 yuan=88 wechat; 40 timeout order=A1";
    let second = "60 ask order=A2 yuan=88 wechat; 61 ok order=A2; 62 slip order=A2; 70 pulse";
    // Two orders, so it is suspected and not rung about.
    check(&format!("{first}; {second}"), "- not_expected unanswered; - printed A09");
    let paid = "10 ask order=A1 yuan=88 wechat; 12 ok order=A1; 14 slip order=A1";
    check(&format!("{paid}; {second}"), "- printed; - printed");
    let others = "60 ask order=A2 yuan=88 alipay; 61 ok order=A2; 62 slip order=A2; 70 pulse";
    check(&format!("{first}; {others}"), "- not_expected unanswered; - printed");
    let alipay = "60 ask order=A2 yuan=88; 61 ok order=A2; 62 slip order=A2; 70 pulse";
    check(&format!("{first}; {alipay}"), "- not_expected unanswered; - printed");
}

#[test]
fn a_card_is_known_by_first_six_and_last_four_or_by_its_counter() {
    let first = "10 ask n=1 yuan=88 card=6691 atc=7; 12 ok n=1; 14 slip n=1";
    // The same counter: the same message went out twice, under two numbers.
    check(
        &format!("{first}; 90 ask n=2 yuan=88 card=6691 atc=7; 91 ok n=2; 92 slip n=2; 99 pulse"),
        "1 printed; 2 printed A09",
    );
    check(
        &format!("{first}; 90 ask n=2 yuan=88 card=6691 atc=8; 91 ok n=2; 92 slip n=2; 99 pulse"),
        "1 printed; 2 printed",
    );
}

#[test]
fn two_terminals_of_one_shop_are_compared_whichever_is_heard_first() {
    let first = format!("0 open; {FIRST}; 14 fail n=1; 500 pulse");
    let second = "0 open; 60 ask n=5 yuan=88 card=6691; 61 ok n=5; 63 slip n=5; 500 pulse";
    let expected = "1 no_slip terminal_fault (A02) A01; 5 printed A09";
    let (one, two) = (("till-1", "T1", first.as_str()), ("till-2", "T2", second));
    assert_eq!(outcome(policies(), &[one, two]), expected);
    let mut backwards: Vec<String> =
        outcome(policies(), &[two, one]).split("; ").map(str::to_owned).collect();
    backwards.sort();
    assert_eq!(backwards.join("; "), expected);
}

#[test]
fn a_terminal_is_silent_only_while_its_shop_is_open() {
    let hours = || policies_with(open_from_eight_to_ten);
    // 08:00 is second zero.
    check_with(
        hours(),
        "10 ask n=1 yuan=1; 11 answer n=1 code=51; 1700 pulse",
        "1 not_expected declined",
    );
    check_with(
        hours(),
        "10 ask n=1 yuan=1; 11 answer n=1 code=51; 1900 pulse",
        "1 not_expected declined; silent A18",
    );
    check_with(
        hours(),
        "6000 ask n=1 yuan=1; 6001 answer n=1 code=51; 9000 pulse",
        "1 not_expected declined",
    );
    check_with(
        policies(),
        "10 ask n=1 yuan=1; 11 answer n=1 code=51; 9000 pulse",
        "1 not_expected declined",
    );
    check_with(
        hours(),
        "10 ask n=1 yuan=1; 11 answer n=1 code=51; 1900 pulse; 1950 ask n=2 yuan=1; 1951 answer n=2 code=51",
        "1 not_expected declined; 2 not_expected declined",
    );
}

/// Once two payments, one of them without an answer.
#[test]
fn an_approval_of_a_part_is_the_same_payment() {
    check(
        "10 ask n=1 batch=1 yuan=100 card=1234; 12 answer code=10 n=1 batch=1 yuan=60 card=1234;
         14 slip n=1 yuan=60 copy=m; 16 slip n=1 yuan=60 copy=c; 400 pulse",
        "1 printed",
    );
}

/// Once a torn slip: the shop's copy was begun and ended.
#[test]
fn a_copy_that_ended_is_not_torn() {
    check(
        "10 ask n=1 yuan=9; 11 ok n=1; 12 begin n=1 copy=m; 13 slip n=1 copy=m; 400 pulse",
        "1 no_slip operator A01",
    );
    check(
        "10 ask n=1 yuan=9; 11 ok n=1; 12 begin n=1 copy=m; 400 pulse",
        "1 no_slip terminal_fault A01",
    );
}
