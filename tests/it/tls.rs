//! The road over a Mosquitto with TLS, one certificate an agent and the access list, as `systemd/README.md` sets it up.

use crate::mqtt::agent_name;
use crate::serial::payment;
use slipwatch_tests::process::shop::Shop;
use slipwatch_tests::process::tls::Authority;
use slipwatch_tests::process::wait_for;
use slipwatch_tests::terminal::Story;

#[test]
fn a_debit_without_slip_becomes_a_letter_over_tls_with_certificates() {
    let (mut shop, _) = Shop::with_tls();
    shop.open();
    shop.wait_until_heard();
    let missed = payment(1, Story::NoSlip);
    shop.tell(&missed);
    wait_for("a letter", || shop.letters().into_iter().next());
    shop.wait_for_verdict(&missed, "no_slip");
}

#[test]
fn an_agent_that_the_broker_does_not_know_is_told_so_keeps_all_and_sends_it_with_the_right_certificate()
 {
    let (mut shop, authority) = Shop::with_tls();
    let stranger = Authority::new(&shop.subdirectory("stranger"));
    shop.set_agent_certificate(stranger.sign("till-1"));
    shop.open();
    let sale = payment(2, Story::Sale);
    shop.tell(&sale);
    shop.wait_until_read();
    wait_for("a word about the certificate", || {
        (shop.agent_log_count("not connected; events are kept") > 0).then_some(())
    });
    assert!(shop.stored().is_none_or(|stored| stored.batches().is_empty()), "nothing came through");
    // It keeps all that it read before it ends.
    shop.agent.take().expect("it runs").stop();
    shop.set_agent_certificate(authority.sign("till-1"));
    shop.start_agent();
    shop.wait_for_verdict(&sale, "printed");
    shop.stored().expect("a store").assert_each_number_once(&agent_name());
}

#[test]
fn an_agent_cannot_speak_for_another() {
    let (mut shop, authority) = Shop::with_tls();
    shop.set_agent_certificate(authority.sign("till-2"));
    shop.open();
    let sale = payment(3, Story::Sale);
    shop.tell(&sale);
    wait_for("batches that nobody commits", || {
        (shop.agent_log_count("no commit came in time; sent again") > 1).then_some(())
    });
    assert!(
        shop.stored().is_none_or(|stored| stored.batches().is_empty()),
        "another's word came through"
    );
    shop.kill_agent();
    shop.set_agent_certificate(authority.sign("till-1"));
    shop.start_agent();
    shop.wait_for_verdict(&sale, "printed");
    shop.stored().expect("a store").assert_each_number_once(&agent_name());
}
