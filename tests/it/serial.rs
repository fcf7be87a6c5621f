//! A device on a pseudo-terminal, the agent's and the collector's programs with its own broker: what a shop sees.

use slipwatch_tests::dice::Dice;
use slipwatch_tests::process::live::PACE;
use slipwatch_tests::process::shop::{DEADLINES, Shop, TERMINAL};
use slipwatch_tests::process::wait_for;
use slipwatch_tests::terminal::{Payment, Story, Terminal, Word};

/// One payment with its own trace and card.
pub fn payment(stan: u32, story: Story) -> Payment {
    Terminal::new(TERMINAL, stan - 1, PACE, Dice::new(u64::from(stan))).play(story, 0).remove(0)
}

/// The amount as letters write it: `12.50`.
fn amount(payment: &Payment) -> String {
    format!("{}.{:02}", payment.amount / 100, payment.amount % 100)
}

#[test]
fn a_debit_without_slip_becomes_a_letter_and_a_sale_with_slips_does_not() {
    let mut shop = Shop::new();
    shop.open();
    shop.wait_until_heard();
    let (sale, missed) = (payment(1, Story::Sale), payment(2, Story::NoSlip));
    shop.tell(&sale);
    shop.tell(&missed);
    let letter = wait_for("a letter", || shop.letters().into_iter().next());
    let text = letter.text();
    assert!(text.contains(&amount(&missed)), "{text}");
    assert!(!text.contains(&amount(&sale)), "{text}");
    assert_eq!(letter.header("To").as_deref(), Some("owner@example.com"));
    shop.wait_for_verdict(&missed, "no_slip");
    shop.wait_for_verdict(&sale, "printed");
    assert_eq!(shop.letters().len(), 1);
}

#[test]
fn a_slip_that_comes_late_takes_the_letter_back_in_its_thread() {
    let mut shop = Shop::new();
    shop.open();
    shop.wait_until_heard();
    let late = payment(3, Story::LateReprint);
    let back =
        late.spoken.iter().position(|spoken| spoken.word == Word::PaperBack).expect("a new roll");
    let (before, after) = late.spoken.split_at(back);
    shop.tell_words(&late, before);
    shop.wait_for_verdict(&late, "no_slip");
    let first = wait_for("a letter", || shop.letters().into_iter().next());
    shop.tell_words(&late, after);
    shop.wait_for_verdict(&late, "printed_late");
    let thread = first.header("Message-ID").expect("a letter has a name");
    wait_for("a letter in the same thread", || {
        let of_thread =
            |header: Option<String>| header.is_some_and(|names| names.contains(&thread));
        shop.letters().into_iter().find(|letter| of_thread(letter.header("References")))
    });
}

#[test]
fn a_pulled_plug_makes_it_unknown_and_the_line_is_heard_again() {
    let mut shop = Shop::new();
    // On a busy machine the plug is out a good second after the debit: well before the deadline, all the same.
    shop.set_deadlines(&DEADLINES.replace("slip_alert_s = 1.5", "slip_alert_s = 8"));
    shop.open();
    shop.wait_until_heard();
    let (torn, missed) = (payment(4, Story::NoSlip), payment(5, Story::NoSlip));
    shop.tell(&torn);
    wait_for("the debit to be stored", || shop.stored()?.is_approved(&torn).then_some(()));
    shop.device().pull_out();
    wait_for("the line to be lost", || (!shop.stored()?.is_line_open()).then_some(()));
    shop.device().plug_in_again();
    shop.wait_until_heard();
    shop.tell(&missed);
    shop.wait_for_verdict(&missed, "no_slip");
    shop.wait_for_verdict(&torn, "unknown");
}

#[test]
fn noise_on_the_line_costs_nothing_else() {
    let mut shop = Shop::new();
    shop.open();
    shop.wait_until_heard();
    let (sale, missed) = (payment(6, Story::Sale), payment(7, Story::NoSlip));
    shop.device()
        .write(b"\xff\xfe\x00\x1b@ no line at all\n\n\r\n evt=\nevt=auth_response rc=\xff\n");
    shop.tell(&sale);
    let long = vec![b'x'; 3_000];
    shop.device().write(&long);
    shop.device().write(b"\n");
    shop.tell(&missed);
    shop.wait_for_verdict(&missed, "no_slip");
    shop.wait_for_verdict(&sale, "printed");
}

#[test]
fn both_programs_stop_when_asked_and_say_so() {
    let mut shop = Shop::new();
    shop.open();
    shop.wait_until_heard();
    let agent = shop.agent.as_mut().expect("it runs").stop();
    assert_eq!(agent.code(), Some(0));
    wait_for("the line to be closed in the store", || {
        (!shop.stored()?.is_line_open()).then_some(())
    });
    let collector = shop.collector.as_mut().expect("it runs").stop();
    assert_eq!(collector.code(), Some(0));
}
