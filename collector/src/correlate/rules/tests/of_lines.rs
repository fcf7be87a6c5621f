//! What was heard on which line, and through which holes: no slip is missing that may have come unheard, and a slip finds
//! its payment whatever line it comes out of.

use super::check;
use crate::correlate::policy::Policies;
use crate::correlate::tests::{outcome, policies, policies_with};

/// What is to be said of a script that opens its lines itself.
#[track_caller]
fn check_lines(policies: Policies, script: &str, expected: &str) {
    assert_eq!(outcome(policies, &[("till-1", "T1", script)]), expected, "{script}");
}

/// A box without a clock boots to a time before its last word: nothing lies between the two, and the slip is there.
#[test]
fn a_hole_without_length_right_behind_the_debit_is_one() {
    check("10 ask n=1 yuan=8; 12 ok n=1; 12 boot; 12 open; 400 pulse", "1 unknown agent_restarted");
    check("10 ask n=1 yuan=8; 12 ok n=1; 12 stop; 12 open; 400 pulse", "1 unknown agent_restarted");
}

/// A terminal closes a payment behind its slip: where that is the first word of its success, the slip came before it.
#[test]
fn a_slip_may_have_come_before_the_first_that_was_heard_of_its_success() {
    check(
        "10 ask n=1 yuan=8; 11 stop; 20 open; 21 done n=1; 400 pulse",
        "1 unknown agent_restarted",
    );
    check("10 ask n=1 yuan=8; 12 garbled; 21 done n=1; 400 pulse", "1 unknown decode_failed");
    check("200 stop; 220 open; 221 done n=1 yuan=8; 600 pulse", "1 unknown agent_restarted");
    check("200 stop; 220 open; 341 done n=1 yuan=8; 700 pulse", "1 no_slip unknown A01");
    check("10 ask n=1 yuan=8; 21 done n=1; 400 pulse", "1 no_slip unknown A01");
    // Nor is it suspected, or taken for torn, meanwhile.
    check("10 ask n=1 yuan=8; 11 stop; 20 open; 21 done n=1; 200 pulse", "1 pending");
    check("10 ask n=1 yuan=8; 11 stop; 20 open; 21 done n=1; 22 begin n=1; 200 pulse", "1 pending");
}

/// Settings that name one terminal, and a device on that line that names another: what the line does not tell is then
/// missing of either.
#[test]
fn a_line_that_names_another_terminal_than_its_settings_is_listened_to_for_both() {
    let wired = "0 line on=1 at=T1 money slips; 0 line on=2 at=- slips";
    let sold = "10 ask n=1 yuan=8 at=T2 on=1; 12 ok n=1 at=T2 on=1";
    let pulses = "400 pulse on=1; 400 pulse on=2 at=-";
    check_lines(policies(), &format!("{wired}; {sold}; {pulses}"), "1 no_slip unknown A01");
    check_lines(
        policies(),
        &format!("{wired}; {sold}; 20 garbled on=1; {pulses}"),
        "1 unknown decode_failed",
    );
}

/// A close that nobody heard the end of: an abort, a hole.
#[test]
fn a_sale_ends_a_close_whose_end_was_not_heard() {
    let wired = "0 line on=1 money slips; 5 close on=1";
    let sold = "10 ask n=1 yuan=8 on=1; 12 ok n=1 on=1";
    check_lines(policies(), &format!("{wired}; {sold}; 14 slip on=1; 400 pulse on=1"), "1 printed");
    // What is printed while it lasts is a report.
    let sold = "1 ask n=1 yuan=8 on=1; 2 ok n=1 on=1";
    check_lines(
        policies(),
        &format!("0 line on=1 money slips; {sold}; 5 close on=1; 6 slip on=1; 400 pulse on=1"),
        "1 no_slip unknown A01",
    );
}

const SHARED: &str = "0 line on=1 at=T1 money; 0 line on=2 at=T2 money; 0 line on=3 at=- slips";
const HEARD: &str = "400 pulse on=1 at=T1; 400 pulse on=2 at=T2; 400 pulse on=3 at=-";

#[track_caller]
fn check_shared(script: &str, expected: &str) {
    check_lines(policies(), &format!("{SHARED}; {script}; {HEARD}"), expected);
}

/// One printer of two terminals, whose slips do not tell which.
#[test]
fn a_slip_of_a_shared_printer_finds_its_payment() {
    let first = "10 ask n=1 yuan=8 on=1 at=T1; 12 ok n=1 on=1 at=T1";
    let second = "20 ask n=1 yuan=9 on=2 at=T2; 22 ok n=1 on=2 at=T2";
    let both = format!("{first}; {second}");
    let (one, other) = ("1 printed; 1 no_slip unknown A01", "1 no_slip unknown A01; 1 printed");
    check_shared(&format!("{both}; 24 slip yuan=8 on=3 at=-"), one);
    check_shared(&format!("{both}; 24 slip yuan=9 on=3 at=-"), other);
    check_shared(
        &format!("{both}; 14 slip n=1 on=3 at=-; 24 slip n=1 on=3 at=-"),
        "1 printed; 1 printed",
    );
    // It is heard a moment before the approval.
    check_shared(&format!("11 slip n=1 yuan=8 on=3 at=-; {both}"), one);
    check_shared(&format!("11 slip yuan=8 on=3 at=-; {both}"), one);
    check_shared(&format!("21 slip yuan=9 on=3 at=-; {both}"), other);
}

/// Pictures say nothing, nor does a failed slip: each is of the payment that waits.
#[test]
fn what_a_shared_printer_says_without_any_number_is_of_the_payment_that_waits() {
    let second = "20 ask n=1 yuan=9 on=2 at=T2; 22 ok n=1 on=2 at=T2";
    let pictures = policies_with(|policy| policy.slips_without_keys = true);
    check_lines(pictures, &format!("{SHARED}; {second}; 24 slip on=3 at=-; {HEARD}"), "1 printed");
    check_shared(&format!("{second}; 24 slip on=3 at=-"), "1 no_slip unknown A01");
    check_shared(&format!("{second}; 24 fail on=3 at=-"), "1 no_slip terminal_fault (A02) A01");
}

/// Whatever comes out of it: a slip of one of its terminals, or a report.
#[test]
fn a_shared_printer_that_prints_again_is_out_for_none_of_its_terminals() {
    let missing = "10 ask n=1 yuan=8 on=1 at=T1; 12 ok n=1 on=1 at=T1; \
                   20 ask n=2 yuan=9 on=1 at=T1; 22 ok n=2 on=1 at=T1";
    let out = "1 no_slip unknown A01<A17; 2 no_slip unknown A01<A17";
    let again = |slip: &str, terminal: &str, expected: &str| {
        let sold = format!("500 ask n=3 yuan=7 {terminal}; 502 ok n=3 {terminal}; 504 {slip}");
        let script = format!("{SHARED}; {missing}; {HEARD}; {sold}; 505 pulse on=3 at=-");
        check_lines(policies(), &script, expected);
    };
    let (here, there) = ("on=1 at=T1", "on=2 at=T2");
    again("slip n=3 on=3 at=-", here, &format!("{out}; 3 printed; terminal (A17)"));
    again("slip n=3 on=3 at=-", there, &format!("{out}; terminal (A17); 3 printed"));
    again("slip on=3 at=-", here, &format!("{out}; 3 pending; terminal (A17)"));
    // A report between the two: the printer works.
    check_shared(
        "10 ask n=1 yuan=8 on=1 at=T1; 12 ok n=1 on=1 at=T1; 15 slip on=3 at=-; \
         20 ask n=2 yuan=9 on=1 at=T1; 22 ok n=2 on=1 at=T1",
        "1 no_slip unknown A01; 2 no_slip unknown A01",
    );
}

#[test]
fn a_print_that_is_cancelled_at_a_shared_printer_is_counted_where_it_was_sold() {
    let sale = |n: u32| {
        let at = n * 15;
        format!(
            "{at} ask n={n} yuan={n} op=01 on=1 at=T1; {at} ok n={n} on=1 at=T1; {at} cancel n={n} on=3 at=-; "
        )
    };
    let sales: String = (1..=5).map(sale).collect();
    let missing = (1..=5).map(|n| format!("{n} no_slip operator (A02) A01; ")).collect::<String>();
    check_shared(&sales, &format!("{missing}terminal A21 many_cancels"));
}
