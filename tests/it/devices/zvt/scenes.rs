//! Scenes at a till that speaks ZVT, from the bytes on the line to the verdict: over a serial line, each side heard by
//! its own receiver, each frame acknowledged.

use super::{unhex, wrap};
use crate::devices::judged::Day;
use slipwatch_agent::decode::dialect::Direction;
use slipwatch_collector::correlate::policy::{TerminalPolicy, WhoPrints};

/// Its number, in which a byte `10` has to be doubled on the line.
pub const TERMINAL: &str = "10000001";

/// A till and its terminal.
struct Till {
    day: Day,
}

/// One line of a slip.
pub fn line(attribute: u8, text: &str) -> Vec<u8> {
    message("06D1", &[&[attribute], text.as_bytes()].concat())
}

fn message(code: &str, fields: &[u8]) -> Vec<u8> {
    [&unhex(code), &[fields.len() as u8][..], fields].concat()
}

/// A result: approved, 12.00 EUR, with this trace number.
pub fn approved(trace: u8) -> Vec<u8> {
    let fields = format!(
        "2700 04000000001200 490978 0B0007{trace:02} 8707{trace:02} 2910000001 \
                          22F0F8672590EEEEEE4771 8B F0F9 6769726F6361726400"
    );
    message("040F", &unhex(&fields.replace(' ', "")))
}

/// A slip, as its lines.
pub fn slip(title: &str, trace: u8) -> Vec<Vec<u8>> {
    vec![
        line(0x40, title),
        line(0, "Terminal-ID:    10000001"),
        line(0, &format!("Trace-Nr:         0007{trace:02}")),
        line(0, "BETRAG:  EUR       12,00"),
        line(0x81, ""),
    ]
}

impl Till {
    /// The till prints both copies of what the terminal hands it, and has said so.
    fn new() -> Till {
        let policy = TerminalPolicy {
            who_prints: WhoPrints::TillFromTerminalText,
            copies: 2,
            two_way: true,
            ..TerminalPolicy::default()
        };
        let mut till = Till { day: Day::new("zvt", TERMINAL, policy, true) };
        till.day.pass(60_000);
        till.command("0600 06 123456 DE 0978");
        till.report(&unhex("060F051910490978"));
        till.day.pass(30_000);
        till
    }

    fn send(&mut self, direction: Direction, message: &[u8]) {
        self.day.push(direction, &wrap(message));
        let other = match direction {
            Direction::ToDevice => Direction::FromDevice,
            _ => Direction::ToDevice,
        };
        self.day.push(other, &[0x06]);
        self.day.pass(40);
    }

    /// A command of the till, and the terminal's yes.
    fn command(&mut self, hex: &str) {
        self.send(Direction::ToDevice, &unhex(&hex.replace(' ', "")));
        self.send(Direction::FromDevice, &unhex("800000"));
    }

    /// A word of the terminal, and the till's answer.
    fn report_answered(&mut self, message: &[u8], answer: &str) {
        self.send(Direction::FromDevice, message);
        self.send(Direction::ToDevice, &unhex(answer));
    }

    /// A word of the terminal, and the till's yes.
    fn report(&mut self, message: &[u8]) {
        self.report_answered(message, "800000");
    }

    fn report_all(&mut self, messages: &[Vec<u8>]) {
        messages.iter().for_each(|message| self.report(message));
    }

    /// 12.00 EUR are asked for, and the shopper taps.
    fn ask(&mut self) {
        self.command("0601 0A 04000000001200 490978");
        self.report(&unhex("04FF010A"));
        self.day.pass(4_000);
        self.report(&unhex("04FF0117"));
        self.day.pass(2_000);
    }

    fn sale(&mut self, trace: u8) {
        self.ask();
        self.report(&approved(trace));
        self.report_all(&slip("** HAENDLERBELEG **", trace));
        self.report_all(&slip("** KUNDENBELEG **", trace));
        self.report(&unhex("060F00"));
    }

    /// A sale of which the till refuses to print a line.
    fn sale_refused_at_print(&mut self, trace: u8) {
        self.ask();
        self.report(&approved(trace));
        self.report_answered(&slip("** KUNDENBELEG **", trace)[0], "84CC00");
        self.report(&unhex("060F00"));
    }

    #[track_caller]
    fn check(&mut self, expected: &[&str]) {
        assert_eq!(self.day.verdicts(), expected);
    }
}

#[test]
fn a_sale_that_the_till_prints_is_printed() {
    let mut till = Till::new();
    till.sale(4);
    till.day.pass(10_000);
    till.check(&["sale printed"]);
    till.day.pass(600_000);
    till.check(&["sale printed"]);
}

#[test]
fn a_till_that_cannot_print_is_told_at_once_and_becomes_a_debit_without_slip() {
    let mut till = Till::new();
    till.sale_refused_at_print(4);
    till.day.pass(1_000);
    till.check(&["sale pending, A02"]);
    till.day.pass(300_000);
    till.check(&["sale no_slip terminal_fault, A02 over, A01"]);
    // The cashier puts a roll in and repeats the receipt.
    till.command("0620 03 123456");
    till.report_all(&slip("** KUNDENBELEG **", 4));
    till.report(&unhex("060F00"));
    till.day.pass(1_000);
    till.check(&["sale printed_late, A02 over, A01 over"]);
}

#[test]
fn an_auto_reversal_leaves_nothing_to_print_and_nothing_to_ring_about() {
    let mut till = Till::new();
    till.ask();
    till.report(&unhex("04FF0105"));
    till.day.pass(3_000);
    till.report(&unhex("061E019A"));
    till.day.pass(3_600_000);
    till.check(&["sale not_expected reversed"]);
}

#[test]
fn an_auto_reversal_after_a_print_that_failed_takes_the_alarm_back() {
    let mut till = Till::new();
    till.ask();
    till.report(&approved(4));
    till.report_answered(&slip("** KUNDENBELEG **", 4)[0], "84CC00");
    till.day.pass(1_000);
    till.check(&["sale pending, A02"]);
    till.report(&unhex("04FF0145"));
    till.report(&unhex("061E01CC"));
    till.day.pass(600_000);
    till.check(&["sale not_expected reversed, A02 over"]);
}

#[test]
fn a_reversal_that_finds_no_host_is_pending_until_the_next_sale_carries_it() {
    let mut till = Till::new();
    till.ask();
    till.report(&unhex("04FF0105"));
    till.report(&unhex("061E019B"));
    till.day.pass(1_000_000);
    till.check(&["sale not_expected unanswered, A04"]);
    till.ask();
    till.report(&unhex("04FF0105"));
    till.report(&approved(5));
    till.report_all(&slip("** KUNDENBELEG **", 5));
    till.report(&unhex("060F00"));
    till.day.pass(600_000);
    till.check(&["sale not_expected reversed, A04 over", "sale printed"]);
}

#[test]
fn a_void_by_receipt_number_takes_back_the_sale_and_its_alarm() {
    let mut till = Till::new();
    till.sale_refused_at_print(4);
    till.day.pass(400_000);
    till.check(&["sale no_slip terminal_fault, A02 over, A01"]);
    till.command("0630 06 123456 870704");
    till.report(&approved(5));
    till.report_all(&slip("** STORNO **", 5));
    till.report(&unhex("060F00"));
    till.day.pass(600_000);
    till.check(&["sale not_expected voided, A02 over, A01 over", "void not_expected not_a_debit"]);
}

#[test]
fn a_result_that_no_till_takes_is_a_debit_without_slip_whose_undo_waits() {
    let mut till = Till::new();
    till.ask();
    // The till has died: the terminal sends its result three times and gives up.
    for _ in 0..3 {
        till.day.push(Direction::FromDevice, &wrap(&approved(4)));
        till.day.pass(5_010);
    }
    till.day.pass(1_200_000);
    till.check(&["sale no_slip unknown, A01, A04"]);
}

#[test]
fn a_link_that_is_lost_in_mid_print_is_unknown() {
    let mut till = Till::new();
    till.ask();
    till.report(&approved(4));
    till.report(&slip("** KUNDENBELEG **", 4)[0]);
    till.day.lose_link();
    till.day.pass(600_000);
    till.check(&["sale unknown source_lost"]);
}

#[test]
fn a_terminal_that_prints_by_itself_proves_nothing_on_this_line() {
    let policy = TerminalPolicy::default();
    let mut till = Till { day: Day::new("zvt", TERMINAL, policy, false) };
    till.ask();
    till.report(&approved(4));
    till.report(&unhex("060F00"));
    till.day.pass(600_000);
    till.check(&["sale unknown no_slip_source"]);
}

#[test]
fn a_till_that_registers_says_who_prints_whatever_the_settings_say() {
    let mut till = Till::new();
    let sale = |till: &mut Till, trace| {
        till.ask();
        till.report(&approved(trace));
        till.report(&unhex("060F00"));
        till.day.pass(600_000);
    };
    let register = |till: &mut Till, config: &str| {
        till.command(&format!("0600 06 123456 {config} 0978"));
        till.report(&unhex("060F051910490978"));
    };
    // The terminal prints: nothing on this line tells of paper.
    register(&mut till, "38");
    sale(&mut till, 4);
    till.check(&["sale unknown no_slip_source"]);
    // The till prints in a layout of its own: the same.
    register(&mut till, "3A");
    sale(&mut till, 5);
    // A registration that the terminal refuses changes nothing.
    till.send(Direction::ToDevice, &unhex("060006123456BA0978"));
    till.send(Direction::FromDevice, &unhex("846F00"));
    sale(&mut till, 6);
    // Logged off, the till prints again what it is handed; and it was not handed this one's slip.
    till.command("060200");
    sale(&mut till, 7);
    till.check(&[
        "sale unknown no_slip_source",
        "sale unknown no_slip_source",
        "sale unknown no_slip_source",
        "sale no_slip unknown, A01",
    ]);
}

#[test]
fn a_day_ends_without_a_payment_more() {
    let mut till = Till::new();
    till.sale(4);
    till.command("0650 03 123456");
    till.report_all(&slip("** KASSENSCHNITT **", 0)[..2]);
    till.report(&line(0x81, ""));
    let totals = "2700 04000000001200 60 F0F5F3 07040704 01000000001200".to_owned()
        + &"00000000000000".repeat(6);
    till.report(&message("040F", &unhex(&totals.replace(' ', ""))));
    till.report(&unhex("060F00"));
    till.day.pass(600_000);
    till.check(&["sale printed"]);
}
