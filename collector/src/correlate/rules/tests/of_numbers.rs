//! Which payment a word is about, where its numbers leave a doubt.

use super::{PAID, TIMED_OUT, check};
use crate::correlate::case::CaseId;
use crate::correlate::cause::CauseDetail;
use crate::correlate::correlator::Correlator;
use crate::correlate::finding::{FindingKind, Stage};
use crate::correlate::policy::WhoPrints;
use crate::correlate::recall::{NoStore, Recall, TransactionRow};
use crate::correlate::tests::{
    Speaker, agent_name, causes, check_with, outcome, policies, policies_with, settled,
};
use crate::correlate::timeline::StreamTime;
use slipwatch_shared::event::{Epoch, Keys};
use slipwatch_shared::money::Amount;
use slipwatch_shared::terminal::{StoreId, TerminalId};
use slipwatch_shared::times::ArrivalTime;

/// The paper was out for three minutes; what comes then shows an amount and no number.
#[test]
fn a_slip_without_number_is_taken_until_it_is_missing() {
    check(&format!("{PAID}; 200 pulse; 250 slip yuan=88; 400 pulse"), "1 printed (A01)");
    check(&format!("{PAID}; 200 pulse; 320 slip yuan=88; 400 pulse"), "1 no_slip unknown A01");
}

/// A terminal that closes a payment behind its slip, and whose answer was not heard.
#[test]
fn a_slip_without_number_that_came_before_the_close_is_of_the_payment() {
    check("10 ask n=1 yuan=8; 15 slip yuan=8; 45 done n=1; 500 pulse", "1 printed");
    check("10 ask n=1 yuan=8; 15 slip yuan=9; 45 done n=1; 500 pulse", "1 no_slip unknown A01");
}

/// Two copies that tell neither their number nor whose they are: the second is none of an earlier sale.
#[test]
fn a_second_copy_is_no_slip_of_an_equal_debit_of_minutes_ago() {
    let second = "200 ask yuan=8; 202 ok yuan=8; 204 slip yuan=8; 206 slip yuan=8; 600 pulse";
    check(&format!("10 ask yuan=8; 12 ok yuan=8; {second}"), "- no_slip unknown A01; - printed");
}

/// A tip, another currency beside the shop's own, a card's number in a phone: the trace tells whose slip it is.
#[test]
fn a_slip_with_the_payments_trace_is_its_own_whatever_else_it_shows() {
    check(&format!("{PAID}; 14 slip n=1 yuan=96; 400 pulse"), "1 printed");
    check(&format!("{PAID}; 14 slip n=1 yuan=88 kind=completion; 400 pulse"), "1 printed");
    check(&format!("{PAID}; 14 slip n=1 kind=hold; 400 pulse"), "1 printed");
    check(
        "10 ask n=1 yuan=88 card=6691; 12 ok n=1; 14 slip n=1 yuan=88 card=1234; 400 pulse",
        "1 printed",
    );
    let missing = "1 no_slip unknown A01";
    check(&format!("{PAID}; 14 slip n=1 yuan=88 kind=void; 400 pulse"), missing);
    check(&format!("{PAID}; 14 slip n=2 yuan=96; 400 pulse"), missing);
    check(&format!("{PAID}; 14 slip n=1 yuan=96 rrn=7; 400 pulse"), missing);
    check(&format!("{PAID}; 350 slip n=1 yuan=96; 400 pulse"), missing);
    // That of an earlier life of the numbers is known, and its slip is none of this one.
    check(
        "10 ask n=1 yuan=9; 11 ok n=1; 12 slip n=1; 20 signon; 30 ask n=1 yuan=8; 31 ok n=1; 33 slip n=1 yuan=9 reprint; 400 pulse",
        "1 printed; 1 no_slip unknown A01",
    );
}

/// A request that was cancelled while it waited, and that the terminal then has to undo, may have taken the money.
#[test]
fn an_undo_of_what_was_cancelled_is_pending_or_lost_as_any_other() {
    let cancelled = "10 ask n=1 yuan=8; 40 abort n=1; 41 reversal n=1 is=pending";
    check(&format!("{cancelled}; 42 pulse"), "1 not_expected unanswered");
    check(&format!("{cancelled}; 1100 pulse"), "1 not_expected unanswered A04");
    check(
        &format!("{cancelled}; 100 reversal n=1 is=failed; 101 pulse"),
        "1 not_expected unanswered A03",
    );
    check(
        "10 ask n=1 yuan=8; 40 abort n=1; 100 reversal n=1 is=failed; 101 pulse",
        "1 not_expected unanswered A03",
    );
    check(
        &format!("{cancelled}; 100 reversal n=1 is=acknowledged; 101 pulse"),
        "1 not_expected reversed",
    );
    check("10 ask n=1 yuan=8; 40 abort n=1; 400 pulse", "1 not_expected aborted");
    // Nobody cancelled a print.
    let script = format!("0 open; {cancelled}; 1100 pulse");
    assert_eq!(causes(policies(), &script), [("A04", CauseDetail::NoAnswer)]);
}

/// The last sale of an evening is undone by the next morning's sign-on.
#[test]
fn an_undo_that_is_pending_is_known_by_its_trace_for_days() {
    let evening = format!("{TIMED_OUT}; 1100 pulse");
    check(
        &format!("{evening}; 50400 reversal n=1 yuan=8 is=acknowledged; 50401 pulse"),
        "1 not_expected reversed (A04)",
    );
    check(
        &format!(
            "{TIMED_OUT}; 90 reversal n=1 is=failed; 50400 reversal n=1 is=acknowledged; 50401 pulse"
        ),
        "1 not_expected reversed (A03)",
    );
}

/// The roll was changed and the shop's copy came: that the shopper's did not is no matter of paper.
#[test]
fn a_failure_behind_which_a_copy_was_printed_is_no_cause() {
    let again = "100 paper; 102 slip n=1 copy=m; 400 pulse";
    check(&format!("{PAID}; 14 fail n=1; {again}"), "1 no_slip operator (A02) A01");
    check(&format!("{PAID}; 14 paper end; {again}"), "1 no_slip operator A01");
    check(
        &format!("{PAID}; 14 slip n=1 copy=m; 16 fail n=1 copy=c; 400 pulse"),
        "1 no_slip terminal_fault (A02) A01",
    );
}

/// Some terminals give the trace of what was undone to the next payment.
#[test]
fn a_request_behind_an_undo_is_another_payment() {
    let undone = "10 ask n=1 batch=1 yuan=8; 70 timeout n=1 batch=1; 71 reversal n=1 batch=1 is=acknowledged";
    check(
        &format!("{undone}; 80 ask n=1 batch=1 yuan=8; 82 ok n=1 batch=1; 500 pulse"),
        "1 not_expected reversed; 1 no_slip unknown A01; terminal A20 trace_repeated",
    );
}

/// A bill that is paid in two parts, each by a wallet, under the till's one number.
#[test]
fn a_request_for_another_amount_is_another_payment_though_its_order_is_the_same() {
    check(
        "10 ask order=A1 yuan=50 wechat; 12 ok order=A1 yuan=50; 14 slip order=A1 yuan=50; 30 ask order=A1 yuan=38 alipay; 32 ok order=A1 yuan=38; 500 pulse",
        "- printed; - no_slip unknown A01",
    );
    // The same order asked for again is the same one.
    check(
        "10 ask order=A1 yuan=50 wechat; 20 ask order=A1 yuan=50 wechat; 32 ok order=A1; 34 slip order=A1; 500 pulse",
        "- printed",
    );
}

/// Two lines tell of one payment, the second behind its approval; or a terminal asks again though it was answered.
#[test]
fn a_request_of_a_moment_ago_is_the_same_though_no_batch_is_told() {
    let again =
        "10 ask n=1 yuan=8 card=6691; 12 ok n=1; 13 ask n=1 yuan=8 card=6691 on=2; 14 ok n=1 on=2";
    check(&format!("{again}; 16 slip n=1; 400 pulse"), "1 printed");
    check(&format!("{again}; 400 pulse"), "1 no_slip unknown A01");
    check(
        "10 ask n=1 yuan=8; 12 ok n=1; 14 slip n=1; 90 signon; 100 ask n=1 yuan=8; 102 ok n=1; 500 pulse",
        "1 printed; 1 no_slip unknown A01",
    );
}

/// The till tells of the refusal, too.
#[test]
fn a_refusal_that_two_lines_tell_is_one() {
    let asked = "10 ask n=1 yuan=8; 10.1 ask yuan=8 on=2";
    let refused = "12 answer n=1 code=51; 12.1 answer yuan=8 code=51 on=2";
    check(&format!("{asked}; {refused}; 400 pulse"), "1 not_expected declined");
    check(
        &format!(
            "{asked}; 70 timeout n=1; 70.1 timeout yuan=8 on=2; 71 reversal n=1 is=acknowledged; 400 pulse"
        ),
        "1 not_expected reversed",
    );
    // One after the other on one line are two.
    check(
        "10 ask yuan=8; 12 answer yuan=8 code=51; 13 answer yuan=8 code=51; 400 pulse",
        "- not_expected declined; - not_expected declined",
    );
}

/// The transaction list on the screen of a terminal names it once more: nothing was asked for since.
#[test]
fn a_success_told_again_is_the_same_where_requests_are_heard() {
    let sold = "10 ask n=1 batch=1 yuan=8; 12 ok n=1 batch=1; 14 slip n=1";
    check(&format!("{sold}; 1000 ok n=1 batch=1 yuan=8; 1500 pulse"), "1 printed");
    let unasked = "12 ok n=1 batch=1 yuan=8; 14 slip n=1";
    check(
        &format!("{unasked}; 1000 ok n=1 batch=1 yuan=8; 1500 pulse"),
        "1 printed; 1 no_slip unknown A01; terminal A20 trace_repeated",
    );
}

/// An approval in part, or of a tip as well, by a terminal that tells no batch.
#[test]
fn an_answer_for_another_amount_is_to_what_was_asked() {
    for amount in [60, 115] {
        check(
            &format!(
                "10 ask n=1 yuan=100; 12 ok n=1 yuan={amount}; 14 slip n=1 yuan={amount}; 400 pulse"
            ),
            "1 printed",
        );
    }
    check(
        "10 ask n=1 yuan=100; 12 ok n=1 batch=1 yuan=60 card=6691; 400 pulse",
        "1 no_slip unknown A01",
    );
}

/// Two applications on one device may come to the same trace and batch.
#[test]
fn what_two_merchants_sell_under_one_number_is_two_payments() {
    let (one, other) = ("mid=898310154110123", "mid=898310154110456");
    for batch in ["", "batch=1"] {
        let first = format!(
            "10 ask n=1 {batch} yuan=8 {one}; 12 ok n=1 {batch} yuan=8 {one}; 14 slip n=1 {batch}"
        );
        let second = format!(
            "30 ask n=1 {batch} yuan=8 {other}; 32 ok n=1 {batch} yuan=8 {other}; 500 pulse"
        );
        check(&format!("{first}; {second}"), "1 printed; 1 no_slip unknown A01");
    }
}

/// Some issuers give no code, and hosts fill the field.
#[test]
fn a_code_of_zeros_names_no_payment() {
    let sale = |at: u32| format!("{at} ask yuan=8; {} ok yuan=8 auth=000000", at + 2);
    check(
        &format!("{}; 14 slip yuan=8; {}; 500 pulse", sale(10), sale(30)),
        "- printed; - no_slip unknown A01",
    );
}

/// Two terminals of one agent count for themselves: a void's trace and batch are its own terminal's.
#[test]
fn a_void_gives_back_no_payment_of_the_next_terminal() {
    let wired = "0 line on=1 at=T1 money slips; 0 line on=2 at=T2 money slips";
    let sold = "10 ask n=1 batch=1 yuan=9 at=T2 on=2; 12 ok n=1 batch=1 at=T2 on=2";
    let heard = "400 pulse on=1; 400 pulse on=2 at=T2; 500 void n=2 of=1 yuan=5";
    assert_eq!(
        outcome(policies(), &[("till-1", "T1", &format!("{wired}; {sold}; {heard}"))]),
        "2 not_expected not_a_debit; 1 no_slip unknown A01",
    );
}

/// A printer that stutters says sixty different things of one payment; the slip that comes in the end is heard.
#[test]
fn a_word_that_is_news_is_kept_however_many_there_were() {
    let mut script = format!("0 open; {PAID}");
    for second in 0..4 {
        for copy in ["", "copy=m", "copy=c"] {
            script.push_str(&format!("; {0} begin n=1 {copy}", 20 + second));
        }
        for reason in 0..7 {
            script.push_str(&format!("; {0} fail n=1 why={reason}", 20 + second));
        }
        for trouble in ["end", "cover", "cutter", "offline", "error"] {
            script.push_str(&format!("; {0} paper {trouble}", 20 + second));
        }
        script.push_str(&format!("; {0} restart; {0} down", 20 + second));
    }
    script.push_str("; 60 slip n=1; 400 pulse");
    assert_eq!(outcome(policies(), &[("till-1", "T1", &script)]), "1 printed (A02)");
}

/// What printed since, and a host that answered since, is in no trouble.
#[test]
fn trouble_that_nobody_took_back_ends_with_the_next_slip_or_answer() {
    let first = "10 ask n=1 yuan=8; 12 ok n=1; 14 slip n=1";
    let second = "100 ask n=2 yuan=9; 101 ok n=2; 500 pulse";
    let missing = "1 printed; 2 no_slip unknown A01";
    check(&format!("5 paper end; {first}; {second}"), missing);
    check(&format!("5 down; {first}; {second}"), missing);
    check(&format!("5 paper end; {second}"), "2 no_slip terminal_fault A01");
    check("5 down; 10 ask n=2 yuan=9; 11 answer n=2 code=Y3; 500 pulse", "2 no_slip network A01");
}

/// A slip that went out to a phone comes out of no printer.
#[test]
fn no_printer_is_out_where_slips_are_electronic() {
    let electronic = policies_with(|policy| policy.who_prints = WhoPrints::Electronic);
    let missing = "10 ask n=1 yuan=8; 12 ok n=1; 20 ask n=2 yuan=9; 22 ok n=2; 400 pulse";
    check_with(electronic, missing, "1 no_slip unknown A01; 2 no_slip unknown A01");
}

/// A shopper who was charged twice has paid twice once the files say so.
#[test]
fn a_second_debit_is_sure_when_both_are_settled() {
    let card = "10 ask n=1 yuan=88 card=6691; 12 ok n=1; 14 fail n=1; 60 ask n=2 yuan=88 card=6691; 61 ok n=2; 62 slip n=2";
    let script = format!("0 open; {card}; 400 pulse");
    let confirmed = Some(Stage::Confirmed);
    assert_eq!(settled(&script, &[]), [None, Some(Stage::Alerting)]);
    assert_eq!(settled(&script, &[0]), [None, Some(Stage::Alerting)]);
    assert_eq!(settled(&script, &[0, 1]), [None, confirmed]);
    assert_eq!(settled(&script, &[1, 0]), [None, confirmed]);
}

/// A canteen with one price: all its debits share a purse, and each pair of them is judged though few are looked at.
#[test]
fn of_many_equal_debits_each_is_compared_with_all_that_may_be_its_double() {
    let mut state = 7_u64;
    let mut dice = move |sides: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % sides
    };
    for _ in 0..12 {
        let mut script = String::new();
        for n in 1..=24_u64 {
            let at = n * 20 + dice(30);
            let card = ["card=6691", "card=6691 atc=7", "card=1234", "wechat"][dice(4) as usize];
            script.push_str(&format!("; {at} ask n={n} yuan=8 {card}"));
            script.push_str(&match dice(6) {
                0 => format!("; {at} timeout n={n}; {at} reversal n={n} is=pending"),
                1 => format!("; {at} ok n={n}; {at} fail n={n}"),
                _ => format!("; {at} ok n={n}"),
            });
            let other = 1 + dice(n);
            match dice(5) {
                0 => script.push_str(&format!("; {at} reversal n={other} is=acknowledged")),
                1 => script.push_str(&format!("; {at} refund n={} of={other} yuan=8", 500 + n)),
                2 | 3 => script.push_str(&format!("; {at} slip n={other}")),
                _ => script.push_str(&format!("; {at} pulse")),
            }
        }
        // That nothing is left to be said is asked after each event.
        let said = outcome(policies(), &[("till-1", "T1", &format!("0 open{script}; 900 pulse"))]);
        assert!(said.contains(" A09"), "{said}");
    }
}

/// A box without a clock begins a life of its numbers that may sort before the one before: what lies behind in memory is
/// not what began later then.
#[test]
fn a_life_of_numbers_that_sorts_before_the_one_before_loses_no_payment_and_keeps_none_for_ever() {
    let mut correlator = Correlator::new(policies());
    let place = correlator.agent(&agent_name("till-1"));
    let mut speaker = Speaker::new("T1");
    let mut hear = |epoch: u64, script: &str| {
        for event in speaker.speak(script) {
            correlator.event(place, Epoch(epoch), &event, ArrivalTime(0), &mut NoStore);
        }
        let mut rested = Vec::new();
        correlator.take_rested(place, false, &mut |_, case| rested.push(case.first.epoch));
        let (in_memory, _) = correlator.cases_in_memory();
        (in_memory, rested)
    };
    assert_eq!(hear(9, "0 open; 10 ask n=1 yuan=8; 12 ok n=1; 14 slip n=1 copy=c"), (1, vec![]));
    // Asked again by the same trace: one payment.
    let again =
        "800 ask n=2 yuan=9; 803 ask n=2 yuan=9; 805 ok n=2; 807 slip n=2 copy=c; 900 pulse";
    assert_eq!(hear(1, again), (2, vec![]));
    let young = "2400 ask n=3 yuan=7; 2405 ok n=3; 2407 slip n=3 copy=c; 2500 pulse";
    assert_eq!(hear(1, young), (2, vec![Epoch(9)]));
}

/// A store that knows payments by their names alone.
struct ByName(Vec<TransactionRow>);

impl Recall for ByName {
    fn by_keys(&mut self, _: &StoreId, _: Option<TerminalId>, _: &Keys) -> Vec<TransactionRow> {
        Vec::new()
    }

    fn by_card(
        &mut self,
        _: &StoreId,
        _: Amount,
        _: u16,
        _: StreamTime,
        _: StreamTime,
    ) -> Vec<TransactionRow> {
        Vec::new()
    }

    fn by_id(&mut self, id: &CaseId) -> Option<TransactionRow> {
        self.0.iter().rev().find(|row| row.id == *id).cloned()
    }
}

/// Files come the next day, when both have left memory: a wallet's debit that is looked at then is alone but for the one
/// that it was told to repeat, which no card finds.
#[test]
fn a_wallets_second_debit_is_sure_when_both_are_settled_though_neither_is_in_memory() {
    let mut correlator = Correlator::new(policies());
    let agent = agent_name("till-1");
    let place = correlator.agent(&agent);
    let script = "0 open; 10 ask n=1 yuan=88 wechat; 12 ok n=1; 14 fail n=1;
        60 ask n=2 yuan=88 wechat; 61 ok n=2; 62 slip n=2; 400 pulse";
    for event in Speaker::new("T1").speak(script) {
        correlator.event(place, Epoch(1), &event, ArrivalTime(0), &mut NoStore);
    }
    let mut store = ByName(Vec::new());
    let put_away = |correlator: &mut Correlator, store: &mut ByName| {
        correlator.take_rested(place, true, &mut |terminal, case| {
            let id = CaseId { agent: agent.clone(), first: case.first };
            let (keys_changed, rest_at) = (false, None);
            store.0.push(TransactionRow { id, terminal, case, keys_changed, rest_at });
        });
    };
    put_away(&mut correlator, &mut store);
    for at in [0, 1] {
        let id = store.0[at].id.clone();
        correlator.settled(&id, ArrivalTime(0), &mut store);
        put_away(&mut correlator, &mut store);
    }
    let second = store.by_id(&store.0[1].id.clone()).expect("it was put away");
    let told = second.case.told(FindingKind::DuplicateDebit).map(|told| told.stage);
    assert_eq!(told, Some(Stage::Confirmed));
}
