//! One named scene for each finding about an order, a terminal or an acquirer, and for each trap that raises false ones.

use super::line::{Day, debit, said, sale, unanswered};

#[test]
fn money_that_comes_after_its_order_was_closed_is_rung_about_until_it_is_refunded() {
    let closed = "100 auth_request kind=SALE pay=WECHAT amt=800 cur=CNY order=A1\n\
                  130 txn_aborted by=operator order=A1\n\
                  170 auth_response kind=SALE pay=WECHAT amt=800 cur=CNY order=A1 wallet_id=W1 rc=00\n";
    Day::of(closed).check(&["A1 no_slip unknown, A05 alerting"]);
    let refunded = "400 refund phase=approved amt=800 cur=CNY order=A1\n";
    Day::of(&format!("{closed}{refunded}"))
        .check(&["A1 not_expected refunded, A05 refunded", "A1 not_expected not_a_debit"]);
}

#[test]
fn an_offline_approval_that_is_not_uploaded_or_refused_later_is_told() {
    let soon = |day: Day| day.with(|thresholds| thresholds.upload_ms = 300_000);
    let offline = "100 auth_request kind=SALE amt=800 cur=CNY stan=000001 batch=000001\n\
                   101 auth_response kind=SALE amt=800 cur=CNY stan=000001 batch=000001 rc=Y3\n\
                   102 print_done stan=000001 amt=800\n";
    soon(Day::of(offline)).check(&["000001 printed, A15 alerting"]);
    let answer = |code: &str| {
        format!(
            "{offline}200 auth_response kind=SALE amt=800 cur=CNY stan=000001 batch=000001 rc={code}\n"
        )
    };
    soon(Day::of(&answer("00"))).check(&["000001 printed"]);
    soon(Day::of(&answer("51"))).check(&["000001 printed, A15 alerting"]);
    let forced = "100 operator action=force kind=SALE amt=800 cur=CNY stan=000001 batch=000001\n\
                  102 print_done stan=000001 amt=800\n";
    soon(Day::of(forced)).check(&["000001 printed, A15 alerting"]);
}

#[test]
fn a_printer_that_is_out_is_told_once_with_the_debits_it_explains() {
    let failed = |second, stan| {
        format!(
            "{}{second}.8 print_failed copy=merchant stan={stan:06} reason=paper_out\n",
            debit(second, stan, 20 + i64::from(stan), "")
        )
    };
    let nine: String = (1..=9).map(|n| failed(100 + 20 * i64::from(n), n)).collect();
    let world = Day::of(&nine).with_letters().play();
    let said = said(&world);
    assert_eq!(said.last().map(String::as_str), Some("T0010001 A17 alerting sales_without_slip"));
    let children = said.iter().filter(|said| said.ends_with("A01<A17 alerting, A02<A17 grew"));
    assert_eq!(children.count(), 9, "{said:#?}");
    // One letter at once, one more with what came meanwhile: never one a debit.
    assert_eq!(world.collector.store.letters, 2, "{said:#?}");
}

#[test]
fn a_printer_that_prints_again_is_told_so() {
    let out = "100 printer_status online=no paper=out\n";
    Day::of(out).check(&["T0010001 A17 alerting paper_out"]);
    let mended = "750 printer_status online=yes paper=ok\n760 print_done\n";
    Day::of(&format!("{out}{mended}")).check(&["T0010001 A17 prints_again paper_out"]);
    let soon = "300 printer_status online=yes paper=ok\n";
    Day::of(&format!("{out}{soon}")).check(&[]);
}

#[test]
fn reversals_one_after_the_other_are_one_storm() {
    let lost: String =
        (1..=3).map(|n| unanswered(60 + 60 * i64::from(n), n, 20 + i64::from(n), "")).collect();
    let failed = "300 reversal_failed stan=000001 batch=000001\n";
    Day::of(&format!("{lost}{failed}")).check(&[
        "000001 not_expected unanswered, A03<A16 alerting",
        "000002 not_expected unanswered, A04<A16 alerting",
        "000003 not_expected unanswered, A04<A16 alerting",
        "T0010001 A16 alerting many_reversals",
    ]);
    // A quarter of an hour without another one.
    let said = said(&Day::of(&format!("{lost}{failed}1200 heartbeat\n")).play());
    assert_eq!(said.last().map(String::as_str), Some("T0010001 A16 subsided many_reversals"));
}

#[test]
fn an_acquirer_that_does_not_answer_is_told_once_over_all_shops() {
    let sales: String = (1..=10).map(|n| sale(60 + n, n as u32, 20 + n, "")).collect();
    let lost = |n: u32| unanswered(120 + i64::from(n), n, 20 + i64::from(n), "");
    let day = Day::of_shops(2)
        .says(0, &format!("{sales}{}", lost(40)))
        .says(1, &format!("{sales}{}", lost(41)));
    let said = said(&day.play());
    let told: Vec<&String> = said.iter().filter(|said| !said.ends_with("printed")).collect();
    assert_eq!(
        told,
        [
            "000040 not_expected unanswered, A04<A16 alerting",
            "000041 not_expected unanswered, A04<A16 alerting",
            "acquirer 898 A16 alerting acquirer_outage",
        ]
    );
}

#[test]
fn a_clock_that_is_two_minutes_slow_is_told_and_a_sign_on_mends_it() {
    let answers = |from: u32, count: u32, clock: i64| -> String {
        let one = |n: u32| {
            let second = i64::from(n) * 20 + 60;
            let at = 16 * 3600 + second;
            let host = format!("{:02}:{:02}:{:02}", at / 3600 % 24, at / 60 % 60, at % 60);
            sale(second, n, i64::from(n) + 20, &format!("clock={clock} host_time={host}"))
        };
        (from..from + count).map(one).collect()
    };
    let odd = |day: Day| {
        let said = said(&day.play());
        said.into_iter().filter(|said| said.starts_with('T')).collect::<Vec<_>>()
    };
    assert_eq!(odd(Day::of(&answers(1, 6, -120))), ["T0010001 A19 alerting device_clock"]);
    let mended = format!("{}{}", answers(1, 6, -120), answers(7, 8, 0));
    assert_eq!(odd(Day::of(&mended)), ["T0010001 A19 clock_right device_clock"]);
    // On UTC, or without the summer's hour, a clock is no wrong one.
    for hours in [-8, -1, 1] {
        assert_eq!(odd(Day::of(&answers(1, 6, hours * 3600))), [""; 0], "{hours} hours");
    }
}

#[test]
fn sums_that_differ_are_told_until_a_close_is_balanced() {
    let day =
        format!("60 settle_done result=balanced\n{}{}", sale(100, 1, 8, ""), sale(120, 2, 5, ""));
    let totals = |by: &str, count: u32, minor: u32| {
        format!(
            "200 settle_totals totals_by={by} debit_count={count} debit_amt={minor} credit_count=0 credit_amt=0 cur=CNY\n"
        )
    };
    let (ours, theirs) = (totals("terminal", 2, 1300), totals("host", 1, 800));
    let printed = ["000001 printed", "000002 printed"];
    Day::of(&format!("{day}{ours}210 settle_done result=balanced\n")).check(&printed);
    Day::of(&format!("{day}{ours}{theirs}210 settle_done result=unbalanced\n")).check(&[
        printed[0],
        printed[1],
        "T0010001 A11 alerting totals_differ",
    ]);
    let uploaded = "260 settle_done result=balanced\n";
    Day::of(&format!("{day}{ours}{theirs}210 settle_done result=unbalanced\n{uploaded}")).check(&[
        printed[0],
        printed[1],
        "T0010001 A11 balanced totals_differ",
    ]);
    let short = totals("terminal", 1, 800);
    Day::of(&format!("{day}{short}210 settle_done result=balanced\n")).check(&[
        printed[0],
        printed[1],
        "T0010001 A11 alerting rows_missing",
    ]);
}

/// Trap: a void counts on both sides with one acquirer, on none with another.
#[test]
fn a_void_in_the_totals_is_no_difference() {
    let void = "150 void phase=approved amt=500 cur=CNY stan=000003 batch=000001 orig_stan=000002 orig_batch=000001\n";
    let day = format!(
        "60 settle_done result=balanced\n{}{}{void}",
        sale(100, 1, 8, ""),
        sale(120, 2, 5, "")
    );
    for sums in [
        "debit_count=2 debit_amt=1300 credit_count=1 credit_amt=500",
        "debit_count=1 debit_amt=800 credit_count=0 credit_amt=0",
    ] {
        let close = format!(
            "200 settle_totals totals_by=terminal {sums} cur=CNY\n210 settle_done result=balanced\n"
        );
        Day::of(&format!("{day}{close}")).check(&[
            "000001 printed",
            "000002 printed",
            "000003 not_expected not_a_debit",
        ]);
    }
}

#[test]
fn numbers_that_go_back_are_told_and_a_restart_explains_them() {
    let back = format!("{}{}", sale(100, 500, 8, ""), sale(120, 3, 5, ""));
    let printed = ["000500 printed", "000003 printed"];
    Day::of(&back).check(&[printed[0], printed[1], "T0010001 A20 alerting trace_back"]);
    Day::of(&format!("{back}140 boot\n")).check(&[
        printed[0],
        printed[1],
        "T0010001 A20 explained trace_back",
    ]);
    let reset = format!("{}110 boot\n{}", sale(100, 500, 8, ""), sale(120, 3, 5, ""));
    Day::of(&reset).check(&printed);
}

/// Trap: the trace wraps, and gaps are normal.
#[test]
fn a_trace_that_wraps_or_skips_is_not_odd() {
    let wrapped = format!("{}{}", sale(100, 999_999, 8, ""), sale(120, 1, 5, ""));
    Day::of(&wrapped).check(&["999999 printed", "000001 printed"]);
    let skipped = format!("{}{}", sale(100, 10, 8, ""), sale(120, 50, 5, ""));
    Day::of(&skipped).check(&["000010 printed", "000050 printed"]);
}

/// Trap: a trace that begins again must not be taken for the old payment, nor its slip for the old slip.
#[test]
fn a_trace_that_begins_again_is_another_payment_with_a_slip_of_its_own() {
    let again = format!("{}{}", sale(100, 1, 8, ""), debit(1200, 1, 8, ""));
    Day::of(&again).check(&[
        "000001 printed",
        "000001 no_slip unknown, A01 alerting",
        "T0010001 A20 alerting trace_repeated",
    ]);
}

/// Trap: one device with two merchants has two counters.
#[test]
fn two_merchants_on_one_terminal_count_for_themselves() {
    let other = "mid=898310154110456";
    let mixed = format!(
        "{}{}{}{}",
        sale(100, 500, 8, ""),
        sale(120, 7, 5, other),
        sale(140, 501, 9, ""),
        sale(160, 8, 6, other)
    );
    Day::of(&mixed).check(&[
        "000500 printed",
        "000007 printed",
        "000501 printed",
        "000008 printed",
    ]);
}

#[test]
fn prints_that_are_cancelled_again_and_again_are_a_habit_of_the_till() {
    let cancelled = |n: u32| {
        let second = 80 + 20 * i64::from(n);
        format!(
            "{}{second}.6 print_lost reason=cancelled stan={n:06}\n{second}.8 print_done copy=customer reprint=yes stan={n:06}\n",
            debit(second, n, 20 + i64::from(n), "")
        )
    };
    let script: String = (1..=5).map(cancelled).collect();
    let said = said(&Day::of(&script).play());
    assert_eq!(said.last().map(String::as_str), Some("T0010001 A21 alerting many_cancels"));
}

#[test]
fn one_card_that_pays_five_times_in_an_hour_is_told_unless_that_is_usual() {
    let card = "card=622576******6691";
    let script: String = (1..=5).map(|n| sale(60 + 120 * n, n as u32, 20 + n, card)).collect();
    let printed = |last: &'static str| {
        ["000001 printed", "000002 printed", "000003 printed", "000004 printed", last]
    };
    Day::of(&script).check(&printed("000005 printed, A22 alerting"));
    Day::of(&script)
        .with(|thresholds| thresholds.card_repeats = 0)
        .check(&printed("000005 printed"));
}

/// Trap: two equal coffees, and a bill that two share.
#[test]
fn two_equal_coffees_are_two_purchases() {
    let card = "card=622576******6691 atc=";
    let two =
        format!("{}{}", sale(100, 1, 8, &format!("{card}7")), sale(150, 2, 8, &format!("{card}8")));
    Day::of(&two).check(&["000001 printed", "000002 printed"]);
    let orders = format!(
        "{}{}",
        sale(100, 1, 8, &format!("{card}7 order=A1")),
        sale(150, 2, 8, &format!("{card}8 order=A2"))
    );
    Day::of(&orders).check(&["000001 printed", "000002 printed"]);
}

/// Trap: the completion of a hold has its card and amount.
#[test]
fn a_hold_and_its_completion_are_one_debit() {
    let hold = "100 auth_request kind=PREAUTH amt=5000 cur=CNY stan=000001 batch=000001 card=622576******6691\n\
                101 auth_response kind=PREAUTH amt=5000 cur=CNY stan=000001 batch=000001 auth=ABC123 rc=00 card=622576******6691\n\
                200 auth_request kind=COMPLETION amt=5000 cur=CNY stan=000002 batch=000001 orig_auth=ABC123 card=622576******6691\n\
                201 auth_response kind=COMPLETION amt=5000 cur=CNY stan=000002 batch=000001 rc=00 card=622576******6691\n\
                202 print_done stan=000002 amt=5000\n";
    Day::of(hold).check(&["000001 not_expected not_a_debit", "000002 printed"]);
}

/// Trap: a reprint is the same slip again, and no second payment.
#[test]
fn a_reprint_is_no_second_payment() {
    let again = "400 print_done copy=customer reprint=yes stan=000001 amt=800\n";
    Day::of(&format!("{}{again}", sale(100, 1, 8, ""))).check(&["000001 printed"]);
}

/// Trap: test slips, sums and advertisements are paper, and no slip of a payment.
#[test]
fn paper_that_names_no_payment_proves_no_slip() {
    let test = "110 print_done\n";
    // The log's own word on its own payment counts while no close is printed.
    let closing = "101 settle_start\n102 print_done\n103 settle_done result=balanced\n";
    Day::of(&format!("{}{closing}", debit(100, 1, 8, "")))
        .check(&["000001 no_slip unknown, A01 alerting"]);
    Day::of(&format!("{}{test}", debit(100, 1, 8, ""))).check(&["000001 printed"]);
    let other = "110 print_done stan=000009 amt=900\n";
    Day::of(&format!("{}{other}", debit(100, 1, 8, "")))
        .check(&["000001 no_slip unknown, A01 alerting"]);
}

/// Trap: a lazy terminal sends the reversal with its next sale; it is late, and not lost.
#[test]
fn a_lazy_reversal_is_pending_and_not_lost() {
    let lazy = format!(
        "{}200 reversal_pending stan=000001 batch=000001\n{}",
        unanswered(100, 1, 20, ""),
        "560 reversal_ack stan=000001 batch=000001\n"
    );
    Day::of(&lazy).check(&["000001 not_expected reversed"]);
}

/// Trap: an answer that comes after the time-out is an answer.
#[test]
fn a_late_answer_is_an_answer() {
    let late = format!(
        "{}140 auth_response kind=SALE amt=2000 cur=CNY stan=000001 batch=000001 rc=00\n\
         142 print_done stan=000001 amt=2000\n",
        unanswered(100, 1, 20, "")
    );
    Day::of(&late).check(&["000001 printed"]);
}

/// Trap: the shop prints one copy, or nothing below an amount, or no paper at all.
#[test]
fn the_policy_of_a_terminal_says_what_is_due() {
    let merchant = format!("{}101 print_done copy=merchant stan=000001\n", debit(100, 1, 8, ""));
    Day::of(&merchant).judged_by(|policy| policy.copies = 1).check(&["000001 printed"]);
    let nothing = || Day::of(&debit(100, 1, 8, ""));
    let due_from = |yuan: &'static str| {
        move |policy: &mut slipwatch_collector::correlate::policy::TerminalPolicy| {
            use slipwatch_shared::money::{Amount, Currency};
            policy.slip_due_from = Amount::from_decimal(yuan, Currency::CNY).ok();
        }
    };
    nothing().judged_by(due_from("10")).check(&["000001 not_expected below_amount"]);
    nothing().judged_by(due_from("8")).check(&["000001 no_slip unknown, A01 alerting"]);
    use slipwatch_collector::correlate::policy::WhoPrints;
    nothing()
        .judged_by(|policy| policy.who_prints = WhoPrints::None)
        .check(&["000001 not_expected nobody_prints"]);
}

#[test]
fn a_batch_that_is_long_open_is_told_until_it_is_closed() {
    let overdue = |script: &str| {
        Day::of(&format!("60 settle_done result=balanced\n{}{script}", sale(100, 1, 8, "")))
            .with(|thresholds| thresholds.close_overdue_ms = 300_000)
    };
    overdue("").check(&["000001 printed", "T0010001 A21 alerting close_overdue"]);
    overdue("500 settle_done result=balanced\n")
        .check(&["000001 printed", "T0010001 A21 period_over close_overdue"]);
    overdue("300 settle_done result=balanced\n").check(&["000001 printed"]);
}
