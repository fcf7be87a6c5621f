//! ZVT on a pseudo-terminal, both sides on one wire, with the agent's and the collector's programs behind it.

use super::scenes::{TERMINAL, approved, slip};
use super::{unhex, wrap};
use slipwatch_tests::process::shop::{self, Shop};
use slipwatch_tests::process::wait_for;

/// A shop whose till prints what its terminal hands it.
fn open_shop() -> Shop {
    assert_eq!(TERMINAL, shop::TERMINAL);
    let mut shop = Shop::new();
    shop.set_dialect("zvt", "till_from_terminal_text");
    shop.open();
    shop.wait_until_heard();
    shop
}

/// Messages and their answers, one after the other, each frame acknowledged.
fn say(shop: &mut Shop, messages: &[Vec<u8>]) {
    for message in messages {
        shop.device().write(&wrap(message));
        shop.device().write(&[0x06]);
    }
}

fn yes() -> Vec<u8> {
    unhex("800000")
}

/// A sale of 12.00 EUR with this trace, of which the till answers each line of the slip so.
fn sale(trace: u8, answer: &str) -> Vec<Vec<u8>> {
    let mut talk = vec![unhex("06010A04000000001200490978"), yes(), approved(trace), yes()];
    for line in slip("** KUNDENBELEG **", trace) {
        talk.extend([line, unhex(answer)]);
    }
    talk.extend([unhex("060F00"), yes()]);
    talk
}

#[test]
fn a_sale_that_the_till_cannot_print_becomes_a_letter_and_one_that_it_prints_does_not() {
    let mut shop = open_shop();
    say(&mut shop, &sale(4, "800000"));
    say(&mut shop, &sale(5, "84CC00"));
    let letter = wait_for("a letter", || shop.letters().into_iter().next());
    assert!(letter.text().contains("12.00"), "{}", letter.text());
    let verdict = |trace: u32| {
        let name = (TERMINAL.to_owned(), 700 + trace);
        shop.stored()?.verdicts().remove(&name)
    };
    wait_for("a missing slip", || verdict(5).filter(|said| said.0 == "no_slip"));
    assert_eq!(verdict(4), Some(("printed", None)));
}

#[test]
fn an_auto_reversal_is_heard_and_rings_nobody() {
    let mut shop = open_shop();
    let reversal = [
        unhex("06010A04000000001200490978"),
        yes(),
        unhex("04FF0117"),
        yes(),
        unhex("04FF0105"),
        yes(),
        unhex("061E019A"),
        yes(),
    ];
    say(&mut shop, &reversal);
    say(&mut shop, &sale(6, "84CC00"));
    // The letter about the second payment shows that the deadlines of the first one have passed, too.
    let letter = wait_for("a letter", || shop.letters().into_iter().next());
    assert!(letter.text().contains("000706"), "{}", letter.text());
    let cases = shop.stored().expect("it is open").cases();
    let said: Vec<_> =
        cases.iter().map(|case| (case.case.verdict.label(), case.case.verdict.reason())).collect();
    assert!(said.contains(&("not_expected", Some("reversed"))), "{said:?}");
    assert_eq!(shop.letters().len(), 1);
}
