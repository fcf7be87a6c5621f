//! The rules about a terminal, an acquirer and an order, by what is heard.

use super::check;
use crate::correlate::policy::Policies;
use crate::correlate::tests::{
    check_with, open_from_eight_to_ten, outcome, policies, policies_with,
};

#[test]
fn money_that_comes_after_the_close_of_its_order_is_told_at_once() {
    let closed = "10 ask order=A1 yuan=8 wechat; 40 abort order=A1";
    check(&format!("{closed}; 95 ok order=A1 wallet=W1; 96 pulse"), "- pending A05");
    // Nobody expects a slip of it: the debit itself is the matter.
    check(&format!("{closed}; 95 ok order=A1 wallet=W1; 500 pulse"), "- no_slip unknown A05");
    check(
        &format!("{closed}; 95 ok order=A1; 200 refund order=A1 yuan=8; 201 pulse"),
        "- not_expected refunded (A05); - not_expected not_a_debit",
    );
    check(
        &format!("{closed}; 95 ok order=A1; 99 reversal order=A1 is=acknowledged; 100 pulse"),
        "- not_expected reversed (A05)",
    );
}

#[test]
fn an_order_asked_anew_or_undone_before_is_no_late_success() {
    check(
        "5 abort n=1; 10 ask n=1 batch=1 yuan=8; 12 ok n=1; 13 slip n=1; 99 pulse",
        "1 not_expected aborted; 1 printed",
    );
    check(
        "10 ask order=A1 yuan=8; 20 abort order=A1; 21 reversal order=A1 is=acknowledged; 30 ok order=A1; 99 pulse",
        "- not_expected reversed",
    );
    check("10 ask n=1 yuan=8; 12 ok n=1; 13 abort n=1; 14 slip n=1; 99 pulse", "1 printed");
    check(
        "10 ask n=1 yuan=8; 12 ok n=1; 13 abort n=1; 14 done n=1; 15 slip n=1; 99 pulse",
        "1 printed",
    );
}

const OFFLINE: &str = "10 ask n=1 batch=3 yuan=8; 12 answer n=1 code=Y3; 14 slip n=1";

#[test]
fn an_offline_approval_waits_a_day_for_its_upload() {
    check(&format!("{OFFLINE}; 86000 pulse"), "1 printed");
    check(&format!("{OFFLINE}; 86500 pulse"), "1 printed A15");
    check(&format!("{OFFLINE}; 50000 ok n=1 batch=3; 90000 pulse"), "1 printed");
    check(&format!("{OFFLINE}; 86500 pulse; 86600 ok n=1 batch=3; 86700 pulse"), "1 printed (A15)");
    check(&format!("{OFFLINE}; 50000 closed; 90000 pulse"), "1 printed");
    check(&format!("{OFFLINE}; 50000 lost; 90000 pulse"), "1 printed");
}

#[test]
fn an_offline_approval_that_is_refused_later_is_told_at_once() {
    check(&format!("{OFFLINE}; 3600 answer n=1 batch=3 code=51; 3601 pulse"), "1 printed A15");
}

const UPLOAD: &str = "upload n=1 batch=3 yuan=8";
const ACCEPTED: &str = "upload n=1 batch=3 is=accepted";

#[test]
fn an_upload_begins_no_deadline_for_a_slip_that_came_when_the_sale_was_made() {
    // Heard live with its slip; without it the slip is missing since then, and by then.
    check(&format!("{OFFLINE}; 30000 {UPLOAD}; 30001 {ACCEPTED}; 90000 pulse"), "1 printed");
    let slipless = "10 ask n=1 batch=3 yuan=8; 12 answer n=1 code=Y3";
    check(&format!("{slipless}; 313 {UPLOAD}; 314 {ACCEPTED}; 315 pulse"), "1 no_slip unknown A01");
    // Not heard when it was made: its slip may have come, or not.
    let unheard = format!("30000 {UPLOAD}; 30001 {ACCEPTED}");
    check(&format!("{unheard}; 30400 pulse; 90000 pulse"), "1 unknown made_offline");
    check(&format!("30001 {ACCEPTED} yuan=8; 30400 pulse"), "1 unknown made_offline");
    check(&format!("10 slip n=1 batch=3 yuan=8; {unheard}; 30400 pulse"), "1 printed");
    check(
        &format!(
            "10 slip n=1 batch=3; 200 ask n=2 batch=3 yuan=5; 202 ok n=2; 203 slip n=2; {unheard}; 30400 pulse"
        ),
        "2 printed; 1 printed",
    );
    check(&format!("10 slip n=1 batch=2 yuan=8; {unheard}; 30400 pulse"), "1 unknown made_offline");
    // A slip of a day before yesterday is not this one's.
    check(
        &format!("10 slip n=1 batch=3; 90000 {UPLOAD}; 90001 {ACCEPTED}; 90400 pulse"),
        "1 unknown made_offline",
    );
}

#[test]
fn an_upload_takes_no_slip_and_no_trouble_of_the_sale_before_it() {
    let pictures = || policies_with(|policy| policy.slips_without_keys = true);
    let live = "10 ask n=9 batch=3 yuan=5; 12 ok n=9 batch=3";
    check_with(
        pictures(),
        &format!("{live}; 13 {UPLOAD}; 14 {ACCEPTED}; 16 slip; 400 pulse"),
        "9 printed; 1 unknown made_offline",
    );
    check(
        &format!("9 paper end; {live}; 13 {UPLOAD}; 14 {ACCEPTED}; 400 pulse"),
        "9 no_slip terminal_fault A01; 1 unknown made_offline",
    );
}

#[test]
fn uploads_in_a_row_are_no_habit_no_double_charge_and_no_trace_that_went_back() {
    let row: String = (1..=6)
        .map(|n| format!("2{n} upload n={n} batch=3 yuan=8 card=6691; 2{n} upload n={n} batch=3 is=accepted card=6691;"))
        .collect();
    let said = (1..=6).map(|n| format!("{n} unknown made_offline")).collect::<Vec<_>>().join("; ");
    let live = "10 ask n=9 batch=3 yuan=5; 12 ok n=9 batch=3; 13 slip n=9";
    check(&format!("{live}; {row} 400 pulse"), &format!("9 printed; {said}"));
}

#[test]
fn an_upload_that_is_refused_or_not_accepted_in_a_day_is_told() {
    let refused = "upload n=1 batch=3 is=refused";
    check(&format!("10 {UPLOAD}; 11 {refused}; 12 pulse"), "1 unknown made_offline A15");
    check(&format!("{OFFLINE}; 3600 {UPLOAD}; 3601 {refused}; 3602 pulse"), "1 printed A15");
    check(&format!("10 {UPLOAD}; 86000 pulse"), "1 unknown made_offline");
    check(&format!("10 {UPLOAD}; 86500 pulse"), "1 unknown made_offline A15");
    check(&format!("10 {UPLOAD}; 5000 closed; 86500 pulse"), "1 unknown made_offline");
}

#[test]
fn a_line_that_said_that_its_terminal_prints_proves_no_missing_slip() {
    let paid = "10 ask n=1 yuan=88; 12 ok n=1";
    check(&format!("5 assign to=terminal; {paid}; 400 pulse"), "1 unknown no_slip_source");
    check(&format!("5 assign to=own; {paid}; 400 pulse"), "1 unknown no_slip_source");
    check(&format!("5 assign to=till; {paid}; 400 pulse"), "1 no_slip unknown A01");
    check(
        &format!("5 assign to=terminal; 6 assign to=till; {paid}; 400 pulse"),
        "1 no_slip unknown A01",
    );
    // It is believed over a restart of the line, and until a slip passes over it.
    check(
        &format!("4 assign to=terminal; 5 unplug; 6 replug; {paid}; 400 pulse"),
        "1 unknown no_slip_source",
    );
    check(&format!("4 assign to=terminal; 5 slip n=7; {paid}; 400 pulse"), "1 no_slip unknown A01");
    check(&format!("5 assign to=terminal; {paid}; 14 slip n=1; 400 pulse"), "1 printed");
}

#[test]
fn a_slip_that_is_a_picture_is_the_last_debits_where_nothing_else_is_printed() {
    let pictures = || policies_with(|policy| policy.slips_without_keys = true);
    let paid = "10 ask n=1 yuan=88; 12 ok n=1";
    check(&format!("{paid}; 14 slip; 400 pulse"), "1 no_slip unknown A01");
    check_with(pictures(), &format!("{paid}; 14 slip; 400 pulse"), "1 printed");
    // Too late for it, before it, and amid the close of a day.
    check_with(pictures(), &format!("{paid}; 140 slip; 400 pulse"), "1 no_slip unknown A01");
    check_with(pictures(), &format!("2 slip; {paid}; 400 pulse"), "1 no_slip unknown A01");
    check_with(
        pictures(),
        &format!("{paid}; 13 close; 14 slip; 400 pulse"),
        "1 no_slip unknown A01",
    );
    // One picture is one slip.
    let second = "20 ask n=2 yuan=5; 22 ok n=2";
    check_with(
        pictures(),
        &format!("{paid}; 14 slip; {second}; 24 slip; 400 pulse"),
        "1 printed; 2 printed",
    );
    check_with(
        pictures(),
        &format!("{paid}; 14 slip; {second}; 400 pulse"),
        "1 printed; 2 no_slip unknown A01",
    );
}

#[test]
fn a_printer_in_trouble_for_ten_minutes_is_out_until_it_prints() {
    check("10 paper end; 600 pulse", "");
    check("10 paper end; 620 pulse", "terminal A17 paper_out");
    check("10 paper end; 300 paper ok; 620 pulse", "");
    check("10 paper end; 300 garbled; 620 pulse", "");
    // Another trouble is another one, and lasts from its own begin.
    check("10 paper end; 300 paper ok; 500 paper end; 620 pulse", "");
    check("10 paper end; 300 paper ok; 500 paper end; 1110 pulse", "terminal A17 paper_out");
    check("10 paper end; 620 pulse; 700 paper ok; 800 pulse", "terminal A17 paper_out");
    check("10 paper end; 620 pulse; 700 paper ok; 701 slip; 800 pulse", "terminal (A17)");
    // Said again and again, it is one trouble, and it began with the first word.
    check("10 paper end; 300 paper end; 500 paper end; 620 pulse", "terminal A17 paper_out");
}

const TWO_WITHOUT: &str =
    "10 ask n=1 yuan=8; 12 ok n=1; 14 fail n=1; 60 ask n=2 yuan=9; 62 ok n=2; 64 fail n=2";

#[test]
fn two_sales_in_a_row_without_slip_are_the_printers_and_its_children() {
    check(
        &format!("{TWO_WITHOUT}; 70 pulse"),
        "1 pending A02<A17; 2 pending A02<A17; terminal A17 sales_without_slip",
    );
    check(
        &format!("{TWO_WITHOUT}; 100 ask n=3 yuan=7; 102 ok n=3; 500 pulse"),
        "1 no_slip terminal_fault (A02<A17) A01<A17; 2 no_slip terminal_fault (A02<A17) A01<A17; \
         3 no_slip unknown A01<A17; terminal A17 sales_without_slip",
    );
    check(
        &format!("{TWO_WITHOUT}; 90 slip n=1; 95 slip n=2; 500 pulse"),
        "1 printed (A02<A17); 2 printed (A02<A17); terminal (A17)",
    );
}

#[test]
fn a_debit_before_or_after_the_outage_is_not_its_child() {
    check(
        "10 ask n=1 yuan=8; 12 ok n=1; 30 paper end; 640 pulse; 650 slip; 660 paper ok; \
         700 ask n=2 yuan=9; 702 ok n=2; 1100 pulse",
        "1 no_slip terminal_fault A01; 2 no_slip unknown A01; terminal (A17)",
    );
    check(
        "5 paper end; 10 ask n=1 yuan=8; 12 ok n=1; 400 pulse; 640 pulse",
        "1 no_slip terminal_fault A01<A17; terminal A17 paper_out",
    );
}

#[test]
fn a_good_sale_between_or_a_cancelled_print_is_no_row() {
    check(
        "10 ask n=1 yuan=8; 12 ok n=1; 14 fail n=1; 30 ask n=2 yuan=9; 32 ok n=2; 34 slip n=2; \
         40 ask n=3 yuan=7; 42 ok n=3; 44 fail n=3; 50 pulse",
        "1 pending A02; 2 printed; 3 pending A02",
    );
    check(
        "10 ask n=1 yuan=8; 12 ok n=1; 14 cancel n=1; 30 ask n=2 yuan=9; 32 ok n=2; 34 cancel n=2; 50 pulse",
        "1 pending A02; 2 pending A02",
    );
}

/// Once a silent terminal, at the hours of another year.
#[test]
fn nobody_is_silent_by_a_clock_that_is_not_set() {
    let hours = || policies_with(open_from_eight_to_ten);
    let said = "10 ask n=1 yuan=1; 11 answer n=1 code=51";
    check_with(hours(), &format!("{said}; 2400 unset; 2401 pulse"), "1 not_expected declined");
    check_with(hours(), &format!("{said}; 2400 pulse"), "1 not_expected declined; silent A18");
}

/// Once a row of two: that a slip is missing is told minutes later, when paper has long come out again.
#[test]
fn a_good_sale_between_is_no_row_however_late_the_slips_are_missed() {
    check(
        "10 ask n=1 yuan=8; 12 ok n=1; 30 ask n=2 yuan=9; 32 ok n=2; 34 slip n=2; \
         40 ask n=3 yuan=7; 42 ok n=3; 500 pulse",
        "1 no_slip unknown A01; 2 printed; 3 no_slip unknown A01",
    );
    check(
        "10 ask n=1 yuan=8; 12 ok n=1; 34 slip; 40 ask n=3 yuan=7; 42 ok n=3; 500 pulse",
        "1 no_slip unknown A01; 3 no_slip unknown A01",
    );
}

/// Three payments that time out, a minute apart.
const STORM: &str = "10 ask n=1 yuan=8; 40 timeout n=1; 70 ask n=2 yuan=9; 100 timeout n=2; \
     130 ask n=3 yuan=7; 160 timeout n=3";

#[test]
fn three_reversals_in_ten_minutes_are_a_storm_that_explains_them() {
    check(
        &format!("{STORM}; 165 reversal n=1 is=failed; 170 pulse"),
        "1 not_expected unanswered A03<A16; 2 not_expected unanswered; \
         3 not_expected unanswered; terminal A16 many_reversals",
    );
    check(
        &format!(
            "{STORM}; 162 reversal n=1 is=acknowledged; 163 reversal n=2 is=acknowledged; \
             164 reversal n=3 is=acknowledged; 1000 pulse; 1100 pulse"
        ),
        "1 not_expected reversed; 2 not_expected reversed; 3 not_expected reversed; terminal (A16)",
    );
    check(
        "10 ask n=1 yuan=8; 40 timeout n=1; 41 reversal n=1 is=acknowledged; \
         500 ask n=2 yuan=9; 530 timeout n=2; 531 reversal n=2 is=acknowledged; \
         900 ask n=3 yuan=7; 930 timeout n=3; 931 reversal n=3 is=acknowledged; 950 pulse",
        "1 not_expected reversed; 2 not_expected reversed; 3 not_expected reversed",
    );
}

fn sales(from: u32, count: u32, more: &str) -> String {
    let sale = |n: u32| {
        let at = n * 10;
        format!("{at} ask n={n} yuan={n} {more}; {at}.5 ok n={n}; {at}.7 slip n={n}")
    };
    (from..from + count).map(sale).collect::<Vec<_>>().join("; ")
}

/// A script of many good sales says a lot; what is said beside them is asked.
#[track_caller]
fn check_beside(policies: Policies, scripts: &[(&str, &str, &str)], expected: &str) {
    let said = outcome(policies, scripts);
    let beside = said.split("; ").filter(|said| !said.ends_with(" printed"));
    assert_eq!(beside.collect::<Vec<_>>().join("; "), expected);
}

#[test]
fn an_acquirer_that_answers_few_is_told_once_for_all_terminals() {
    let mid = "mid=898310154110123";
    let good = format!("0 open; {}; 110 pulse", sales(1, 10, mid));
    let lost = |n: u32| {
        let at = 120 + n;
        format!("{at} ask n={n} yuan={n} {mid}; {at}.5 timeout n={n} {mid}")
    };
    let bad = format!("0 open; {}; {}; {}", sales(1, 9, mid), lost(50), lost(51));
    // Two of twenty-one: beyond five of a hundred.
    check_beside(
        policies(),
        &[("till-1", "T1", &good), ("till-2", "T2", &bad)],
        "50 not_expected unanswered; 51 not_expected unanswered; route A16",
    );
    // One of twenty-one is what happens.
    let one = format!("0 open; {}; {}", sales(1, 10, mid), lost(50));
    check_beside(
        policies(),
        &[("till-1", "T1", &good), ("till-2", "T2", &one)],
        "50 not_expected unanswered",
    );
    let other = format!("0 open; {}; 110 pulse", sales(1, 10, "mid=777310154110123"));
    check_beside(
        policies(),
        &[("till-1", "T1", &other), ("till-2", "T2", &bad)],
        "50 not_expected unanswered; 51 not_expected unanswered",
    );
}

#[test]
fn an_acquirers_storm_is_over_when_enough_goes_through_again() {
    let mid = "mid=898310154110123";
    let bad = format!(
        "0 open; {}; 300 ask n=50 yuan=50 {mid}; 301 timeout n=50; 302 ask n=51 yuan=51 {mid}; \
         303 timeout n=51; 304 reversal n=50 is=failed; 305 pulse",
        sales(1, 20, mid)
    );
    let after = |from: u32| sales(from, 25, mid);
    check_beside(
        policies(),
        &[("till-1", "T1", &bad)],
        "50 not_expected unanswered A03<A16; 51 not_expected unanswered; route A16",
    );
    let calm = format!("{bad}; {}", after(200));
    check_beside(
        policies_with(|policy| policy.thresholds = Some(wide_jumps())),
        &[("till-1", "T1", &calm)],
        "50 not_expected unanswered A03<A16; 51 not_expected unanswered A04<A16",
    );
}

fn wide_jumps() -> Box<crate::correlate::policy::Thresholds> {
    Box::new(crate::correlate::policy::Thresholds { trace_jump: 999_999, ..Default::default() })
}

#[test]
fn a_clock_that_differs_from_the_hosts_is_told_until_it_is_right() {
    let answers = |from: u32, count: u32, device: &str| {
        let one = |n: u32| {
            let at = n * 10;
            format!(
                "{at} ask n={n} yuan={n}; {at}.5 ok n={n} host=09:30:00 device={device}; {at}.7 slip n={n}"
            )
        };
        (from..from + count).map(one).collect::<Vec<_>>().join("; ")
    };
    let check = |script: String, expected: &str| {
        check_beside(
            policies(),
            &[("till-1", "T1", &format!("0 open; {script}; 990 pulse"))],
            expected,
        );
    };
    check(answers(1, 4, "09:32:00"), "");
    check(answers(1, 5, "09:32:00"), "terminal A19 device_clock");
    check(answers(1, 5, "09:30:50"), "");
    check(
        format!("{}; {}", answers(1, 5, "09:32:00"), answers(6, 9, "09:30:01")),
        "terminal (A19)",
    );
}

#[test]
fn sums_that_differ_are_told_until_a_close_is_balanced() {
    let day = "5 closed; 10 ask n=1 yuan=8; 12 ok n=1; 14 slip n=1; 20 ask n=2 yuan=5; 22 ok n=2; 24 slip n=2";
    let both = "1 printed; 2 printed";
    check(&format!("{day}; 90 totals d=2/13 c=0/0; 91 closed; 99 pulse"), both);
    check(
        &format!("{day}; 90 totals d=1/8 c=0/0; 91 closed; 99 pulse"),
        &format!("{both}; terminal A11 rows_missing"),
    );
    check(
        &format!("{day}; 90 totals d=2/13; 91 totals by=host d=1/8; 92 pulse"),
        &format!("{both}; terminal A11 totals_differ"),
    );
    check(
        &format!("{day}; 90 closed is=unbalanced; 92 pulse"),
        &format!("{both}; terminal A11 totals_differ"),
    );
    check(
        &format!("{day}; 90 closed is=error; 92 pulse"),
        &format!("{both}; terminal A11 host_error"),
    );
    check(
        &format!("{day}; 90 closed is=unbalanced; 95 closed; 99 pulse"),
        &format!("{both}; terminal (A11)"),
    );
    // With a hole in the day nobody knows what the sums should be.
    check(&format!("{day}; 50 lost; 90 totals d=1/8; 91 closed; 99 pulse"), both);
    let unheard = day.replace("5 closed; ", "");
    check(&format!("{unheard}; 90 totals d=9/99; 91 closed; 99 pulse"), both);
}

#[test]
fn voids_stand_on_both_sides_or_on_none() {
    let day = "5 closed; 10 ask n=1 yuan=8; 12 ok n=1; 14 slip n=1; 20 ask n=2 yuan=5; 22 ok n=2; 24 slip n=2; \
               30 void n=3 of=2 yuan=5; 35 ask n=4 yuan=3; 36 timeout n=4; 37 ok n=4; 38 slip n=4; \
               39 reversal n=4 is=acknowledged";
    let said = "1 printed; 2 printed; 3 not_expected not_a_debit; 4 printed";
    for totals in ["d=2/13 c=1/5", "d=1/8 c=0/0"] {
        check(&format!("{day}; 90 totals {totals}; 91 closed; 99 pulse"), said);
    }
    check(
        &format!("{day}; 90 totals d=1/8 c=1/5; 91 closed; 99 pulse"),
        &format!("{said}; terminal A11 rows_missing"),
    );
}

#[test]
fn numbers_that_break_off_are_told_and_a_reset_explains_them() {
    let sale = |at: u32, n: u32, batch: u32| {
        format!(
            "{at} ask n={n} batch={batch} yuan={at}; {at}.5 ok n={n} batch={batch}; {at}.7 slip n={n}"
        )
    };
    let said = |script: &[String], expected: &str| {
        let script = format!("0 open; {}; 990 pulse", script.join("; "));
        check_beside(policies(), &[("till-1", "T1", &script)], expected);
    };
    said(&[sale(10, 500, 1), sale(20, 501, 1)], "");
    said(&[sale(10, 500, 1), sale(20, 3, 1)], "terminal A20 trace_back");
    said(&[sale(10, 500, 1), sale(20, 600, 1)], "terminal A20 trace_jumped");
    said(&[sale(10, 500, 1), "15 lost".to_owned(), sale(20, 600, 1)], "");
    said(&[sale(10, 999_999, 1), sale(20, 1, 1)], "");
    said(&[sale(10, 500, 1), "15 signon batch=2".to_owned(), sale(20, 1, 2)], "");
    said(&[sale(10, 500, 1), sale(20, 3, 1), "30 restart".to_owned()], "terminal (A20)");
    said(&[sale(10, 5, 1), sale(20, 6, 2), sale(30, 7, 1)], "terminal A20 batch_repeated");
}

#[test]
fn a_batch_number_that_is_handed_out_again_names_another_payment() {
    let first = "10 ok n=1 batch=1 yuan=8; 12 slip n=1";
    // Told by its success alone, long after: the same trace, batch and amount, and not the same payment.
    check(
        &format!("{first}; 4990 pulse; 5000 ok n=1 batch=1 yuan=8; 5500 pulse"),
        "1 printed; 1 no_slip unknown A01; terminal A20 trace_repeated",
    );
    check(
        &format!("{first}; 4990 pulse; 5000 ok n=1 batch=1 yuan=8; 5002 slip n=1; 5500 pulse"),
        "1 printed; 1 printed; terminal A20 trace_repeated",
    );
    // The host's own number is the same: said again, not made again.
    check(
        "10 ok n=1 batch=1 rrn=7 yuan=8; 12 slip n=1; 5000 ok n=1 batch=1 rrn=7 yuan=8; 5500 pulse",
        "1 printed",
    );
}

#[test]
fn habits_of_a_till_are_counted_by_the_week() {
    let cancelled = |n: u32| {
        let at = n * 10;
        format!(
            "{at} ask n={n} yuan={n} op=07; {at}.5 ok n={n}; {at}.7 cancel n={n}; {at}.9 slip n={n} reprint"
        )
    };
    let script = |count: u32| {
        let script: Vec<String> = (1..=count).map(cancelled).collect();
        format!("0 open; {}; 190 pulse", script.join("; "))
    };
    let beside = |script: &str| {
        let said = outcome(policies(), &[("till-1", "T1", script)]);
        said.split("; ").filter(|said| said.starts_with("terminal")).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(beside(&script(4)), "");
    assert_eq!(beside(&script(5)), "terminal A21 many_cancels");
    let next_week = format!("{}; 700000 typed op=09", script(5));
    assert_eq!(beside(&next_week), "terminal (A21)");
}

#[test]
fn a_payment_run_again_after_a_time_out_is_a_rerun() {
    let again = |n: u32| {
        let at = n * 100;
        let (second, later) = (n + 1, at + 50);
        format!(
            "{at} ask n={n} yuan=88 card=6691 op=07; {at}.5 timeout n={n}; {at}.7 reversal n={n} is=acknowledged; \
             {later} ask n={second} yuan={n} card=6691 op=07; {later}.5 ok n={second}; {later}.7 slip n={second}"
        )
    };
    // Undone before it was run again: no rerun, however often.
    let script: Vec<String> = (1..8).step_by(2).map(again).collect();
    let said = outcome(policies(), &[("till-1", "T1", &format!("0 open; {}", script.join("; ")))]);
    assert!(!said.contains("A21"), "{said}");
    let rerun = |n: u32| {
        let (at, second) = (n * 2000, n + 1);
        let later = at + 100;
        format!(
            "{at} ask n={n} yuan=88 card=6691 op=07; {at}.5 timeout n={n}; \
             {later} ask n={second} yuan=88 card=6691 op=07; {later}.5 answer n={second} code=51"
        )
    };
    let script: Vec<String> = (1..6).step_by(2).map(rerun).collect();
    let said = outcome(policies(), &[("till-1", "T1", &format!("0 open; {}", script.join("; ")))]);
    assert!(said.contains("A21 many_reruns"), "{said}");
}

#[test]
fn a_batch_that_stays_open_is_overdue_where_closes_are_heard() {
    let sold = "10 ask n=1 yuan=8; 12 ok n=1; 14 slip n=1";
    check(&format!("5 closed; {sold}; 172000 pulse"), "1 printed");
    check(&format!("5 closed; {sold}; 172900 pulse"), "1 printed; terminal A21 close_overdue");
    check(
        &format!("5 closed; {sold}; 172900 pulse; 172950 closed; 173000 pulse"),
        "1 printed; terminal (A21)",
    );
    check(&format!("{sold}; 172900 pulse"), "1 printed");
}

#[test]
fn one_card_that_pays_again_and_again_is_told_at_the_fifth() {
    let paid = |n: u32| {
        let at = n * 600;
        format!("{at} ask n={n} yuan={n} card=6691; {at}.5 ok n={n}; {at}.7 slip n={n}")
    };
    let script = |count: u32| {
        let paid: Vec<String> = (1..=count).map(paid).collect();
        format!("0 open; {}", paid.join("; "))
    };
    let told = |policies: Policies, count| {
        let said = outcome(policies, &[("till-1", "T1", &script(count))]);
        said.split("; ").filter(|said| said.contains("A22")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(told(policies(), 4).is_empty());
    assert_eq!(told(policies(), 7), ["5 printed A22"]);
    let fares = policies_with(|policy| {
        let thresholds =
            crate::correlate::policy::Thresholds { card_repeats: 0, ..Default::default() };
        policy.thresholds = Some(Box::new(thresholds));
    });
    assert!(told(fares, 7).is_empty());
}

#[test]
fn a_terminal_that_is_not_judged_is_told_nothing_of() {
    let mut nobody = policies();
    nobody.terminals.clear();
    check_with(nobody, "10 paper end; 700 pulse", "");
}

/// A machine without a clock of its own boots in 1970; its time comes with the network, after the first payment.
#[test]
fn payments_of_a_boot_without_a_clock_are_dated_when_it_is_set() {
    use crate::correlate::correlator::Correlator;
    use crate::correlate::recall::NoStore;
    use crate::correlate::tests::{Speaker, WALL_MS, agent_name};
    use slipwatch_shared::event::{Body, Epoch, Event, SourceId};
    use slipwatch_shared::times::{ArrivalTime, EventTime};
    let script = "0 open; 10 ask n=1 yuan=8; 12 ok n=1; 14 slip n=1; 60 pulse; 70 ask n=2 yuan=9";
    let events = Speaker::new("T1").speak(script);
    let set_at =
        events.iter().position(|event| event.observed.uptime.0 >= 60_000).expect("a pulse");
    let mut correlator = Correlator::new(policies());
    let place = correlator.agent(&agent_name("till-1"));
    for (number, event) in events.iter().enumerate() {
        let mut event = event.clone();
        let is_set = number > set_at;
        if !is_set {
            event.observed.wall = EventTime(event.observed.uptime.0 as i64);
        }
        event.observed.synchronised = is_set;
        correlator.event(place, Epoch(1), &event, ArrivalTime(0), &mut NoStore);
        if number == set_at {
            let (source, body) = (SourceId::AGENT, Body::ClockStepped { by_ms: WALL_MS });
            let mut stepped = Event { source, body, terminal: None, ..event };
            stepped.observed.wall = EventTime(WALL_MS + stepped.observed.uptime.0 as i64);
            stepped.observed.synchronised = true;
            correlator.event(place, Epoch(1), &stepped, ArrivalTime(0), &mut NoStore);
        }
    }
    let cases = &correlator.agents()[place].terminals[0].cases;
    let opened: Vec<i64> = cases.iter().map(|kept| kept.case.wall(kept.case.opened).0).collect();
    assert_eq!(opened, [WALL_MS + 10_000, WALL_MS + 70_000]);
    assert!(cases.iter().all(|kept| kept.case.synchronised));
}

/// What explains a payment's finding tells its cause, where the payment itself tells none.
#[test]
fn a_child_that_tells_nothing_has_its_parents_cause() {
    use crate::correlate::cause::CauseDetail;
    use crate::correlate::tests::causes;
    // The third says nothing at all: the two before it tell that it is the printer.
    let silent = format!("0 open; {TWO_WITHOUT}; 100 ask n=3 yuan=7; 102 ok n=3; 500 pulse");
    let told = causes(policies(), &silent);
    assert_eq!(told.last(), Some(&("A01", CauseDetail::SalesWithoutSlip)));
    // A cause of its own stays.
    assert!(told.contains(&("A01", CauseDetail::PaperOut)), "{told:?}");
}
