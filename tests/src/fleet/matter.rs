//! What happens to a terminal rather than to one payment: its printer is out, one payment after the other times out, it
//! says nothing, its numbers break off, a cashier or a card has a habit; and what only looks like it. Each plays all its
//! payments and says at once what is to be said of them and of the terminal. Knows no rule of the collector.

use super::money::Taken;
use super::plot::{
    self, ALERT_MS, FAILED_AND_MISSING, MISSING, Matter, Outcome, Plot, again, printed, refund,
    undoing, void,
};
use super::script::{Script, Ticket};
use slipwatch_shared::card::EntryMode;
use slipwatch_shared::event::{Body, Kind, Paper, ReversalPhase, SlipFailure, SlipLoss};
use slipwatch_shared::money::Amount;

const MINUTE: i64 = 60_000;
/// A printer in trouble this long is out, as the collector ships.
const PRINTER_OUT_MS: i64 = 10 * MINUTE;
/// A storm is over after so long without a reversal, as the collector ships.
pub const CALM_MS: i64 = 15 * MINUTE;
/// A terminal that says nothing this long while its shop is open is silent, as the collector ships.
pub const SILENT_MS: i64 = 30 * MINUTE;
/// The cashier whose habits are told.
const CASHIER: &str = "07";

/// What came of it: of the payments, and of the terminal.
type Come = (Vec<Outcome>, Vec<Matter>);

impl Plot {
    /// Whether it is told here.
    pub(super) fn is_of_terminal(self) -> bool {
        self.is_of_printer() || self.is_of_numbers() || self.is_habit() || self.is_of_card() || {
            matches!(self, Plot::ReversalStorm | Plot::SilentTerminal)
        }
    }

    fn is_of_printer(self) -> bool {
        matches!(self, Plot::PrinterOut | Plot::SalesWithoutSlip | Plot::PaperOutBriefly)
    }

    /// The terminal's numbers break off, or seem to.
    pub fn is_of_numbers(self) -> bool {
        matches!(
            self,
            Plot::TraceBack
                | Plot::TraceJumped
                | Plot::BatchRepeated
                | Plot::TraceSkipped
                | Plot::CounterReset
                | Plot::DeviceSwapped
        )
    }

    /// A cashier does something again and again: nobody has two habits within a week.
    pub fn is_habit(self) -> bool {
        matches!(
            self,
            Plot::HabitOfCancels
                | Plot::FewCancels
                | Plot::HabitOfReruns
                | Plot::HabitOfTyping
                | Plot::HabitOfVoids
        )
    }

    fn is_of_card(self) -> bool {
        matches!(self, Plot::CardHabit | Plot::RegularCustomer | Plot::SaleAndRefund)
    }

    /// Nothing else may be said by the terminal while it lasts: that is what it is about.
    pub fn wants_quiet(self) -> bool {
        self.is_of_printer() || self == Plot::SilentTerminal
    }

    /// How long it takes at most, of those that are told here.
    pub(super) fn lasts_ms(self) -> i64 {
        MINUTE
            * match self {
                // All of it inside the shop's hours.
                Plot::SilentTerminal => 120,
                Plot::RegularCustomer => 110,
                Plot::HabitOfReruns | Plot::HabitOfVoids | Plot::CardHabit => 30,
                Plot::HabitOfTyping | Plot::PrinterOut | Plot::SalesWithoutSlip => 20,
                _ => 12,
            }
    }

    /// Payments of it that must be undone within ten minutes: three are a storm.
    pub fn undos(self) -> usize {
        match self {
            Plot::ReversalStorm => 3,
            Plot::HabitOfReruns => 2,
            Plot::WrongMacLost
            | Plot::MalfunctionLost
            | Plot::NoAnswerBehind
            | Plot::NetworkDown
            | Plot::TimeoutLost
            | Plot::TimeoutReversed
            | Plot::ReversedLate
            | Plot::ReversedLazily
            | Plot::LateAnswer
            | Plot::OutageReversed
            | Plot::OutageLost
            | Plot::ReversedAndRerun => 1,
            _ => 0,
        }
    }

    pub(super) fn happen(self, script: &mut Script<'_>, next: &mut dyn FnMut() -> Ticket) -> Come {
        match self {
            _ if self.is_of_printer() => self.printer(script, next),
            _ if self.is_of_numbers() => self.numbers(script, next),
            _ if self.is_habit() => self.habit(script, next),
            _ if self.is_of_card() => self.card(script, next),
            Plot::ReversalStorm => storm(script, next),
            _ => {
                // An hour, begun at the last word before it.
                let from = script.at;
                script.wait(SILENT_MS + 30 * MINUTE);
                let silent = matter("A18", ("unknown", "device_silent"), from);
                (vec![sale(script, &next())], vec![silent])
            }
        }
    }

    fn printer(self, script: &mut Script<'_>, next: &mut dyn FnMut() -> Ticket) -> Come {
        let from = script.at;
        match self {
            Plot::PrinterOut => {
                let first = next();
                script.paper(Paper::End).wait(MINUTE).approved(&first);
                let missing = Outcome::new(&first, script.debited, "no_slip").found(MISSING);
                let missing = missing.caused("terminal_fault", "paper_out").under("A17");
                script.wait(from + PRINTER_OUT_MS + 2 * MINUTE - script.at).paper(Paper::Present);
                let out = matter("A17", ("terminal_fault", "paper_out"), from);
                (vec![missing, sale(script, &next())], vec![out])
            }
            Plot::PaperOutBriefly => {
                script.paper(Paper::End).wait(PRINTER_OUT_MS / 2).paper(Paper::Present);
                (vec![sale(script, &next())], Vec::new())
            }
            _ => {
                let mut outcomes = Vec::new();
                for _ in 0..3 {
                    let ticket = next();
                    script.begins_anew().approved(&ticket).fails(&ticket, SlipFailure::PaperOut);
                    let missing = Outcome::new(&ticket, script.debited, "no_slip");
                    let missing = missing.found(FAILED_AND_MISSING).under("A17");
                    outcomes.push(missing.caused("terminal_fault", "paper_out"));
                    script.wait(20_000);
                }
                // Until the last of them is told.
                script.wait(ALERT_MS + MINUTE);
                outcomes.push(sale(script, &next()));
                (outcomes, vec![matter("A17", ("terminal_fault", "sales_without_slip"), from)])
            }
        }
    }

    /// The shop turned the numbers before it gave them out.
    fn numbers(self, script: &mut Script<'_>, next: &mut dyn FnMut() -> Ticket) -> Come {
        let (first, from) = (next(), script.at);
        let batch_number = first.keys.batch_number;
        match self {
            Plot::CounterReset => _ = script.says(Body::DeviceRestarted).wait(30_000),
            Plot::DeviceSwapped => {
                script.says(Body::DeviceRestarted).says(Body::SignedOn { batch_number });
            }
            _ => {}
        }
        let mut outcomes = vec![sale(script, &first)];
        let detail = match self {
            Plot::TraceBack => "trace_back",
            Plot::TraceJumped => "trace_jumped",
            Plot::BatchRepeated => {
                // The batch after this one, and this one again.
                outcomes.push(sale(script, &next()));
                outcomes.push(sale(script, &next()));
                "batch_repeated"
            }
            _ => return (outcomes, Vec::new()),
        };
        // A balanced close shows that it did no harm.
        (outcomes, vec![matter("A20", ("terminal_fault", detail), from)])
    }

    fn habit(self, script: &mut Script<'_>, next: &mut dyn FnMut() -> Ticket) -> Come {
        let from = script.at;
        let mut next = || {
            let mut ticket = next();
            ticket.keys.operator = CASHIER.parse().ok();
            ticket
        };
        let mut outcomes = Vec::new();
        let detail = match self {
            Plot::HabitOfCancels | Plot::FewCancels => {
                for _ in 0..if self == Plot::FewCancels { 4 } else { 5 } {
                    let ticket = next();
                    script.begins_anew().approved(&ticket).loses(&ticket, SlipLoss::Cancelled);
                    // The shopper asks for it.
                    script.wait(10_000).slips(&ticket, true).wait(MINUTE);
                    outcomes.push(printed(script, &ticket).found(&[("A02", false)]));
                }
                "many_cancels"
            }
            Plot::HabitOfReruns => {
                for _ in 0..3 {
                    let (first, mut second) = (next(), next());
                    again(&first, &mut second, false);
                    script.begins_anew().asks(&first).wait(30_000).times_out(&first);
                    script.reverses(&first, ReversalPhase::Pending).wait(20_000);
                    // Run again before it is known whether the first was undone: for a moment it is paid twice.
                    let twice = sale(script, &second).found(&[("A09", false)]);
                    script.reverses(&first, ReversalPhase::Acknowledged).wait(6 * MINUTE);
                    outcomes.push(Outcome::new(&first, None, "not_expected").because("reversed"));
                    outcomes.push(twice.caused("operator", "rerun"));
                }
                "many_reruns"
            }
            Plot::HabitOfTyping => {
                for _ in 0..10 {
                    let mut ticket = next();
                    if let Some(card) = &mut ticket.keys.card {
                        (card.entry_mode, card.chip_counter) = (Some(EntryMode::Manual), None);
                    }
                    outcomes.push(sale(script, &ticket));
                    script.wait(20_000);
                }
                "many_typed"
            }
            _ => {
                for count in 0..30 {
                    let ticket = next();
                    outcomes.push(sale(script, &ticket));
                    // One of ten is usual.
                    if count >= 26 {
                        let second = next();
                        let amount = ticket.keys.amount;
                        let keys = undoing(&ticket, &second, Kind::Void, amount);
                        script.wait(20_000).exchanges(&keys, void, None);
                        let voided = outcomes.pop().expect("it was just put there");
                        outcomes.push(voided.taken(Taken::Undone));
                        outcomes.push(undo(&second, amount, "void"));
                    }
                    script.wait(5_000);
                }
                "many_voids"
            }
        };
        let told = self != Plot::FewCancels;
        let mut habit = matter("A21", ("operator", detail), from);
        // Of a week: it stands until another one begins.
        habit.open = true;
        (outcomes, told.then_some(habit).into_iter().collect())
    }

    fn card(self, script: &mut Script<'_>, next: &mut dyn FnMut() -> Ticket) -> Come {
        let first = next();
        let mut paid = 0;
        let mut next = || {
            let mut ticket = if paid == 0 { first.clone() } else { next() };
            ticket.keys.card = first.keys.card;
            if let Some(card) = &mut ticket.keys.card {
                card.chip_counter = card.chip_counter.map(|counter| counter.wrapping_add(paid));
            }
            paid += 1;
            ticket
        };
        let mut outcomes = Vec::new();
        match self {
            Plot::CardHabit => {
                for count in 1..=6 {
                    let outcome = sale(script, &next());
                    // Told once, at the one that makes it a habit.
                    let told = outcome.clone().found(&[("A22", true)]);
                    let told = told.caused("consumer", "card_repeated");
                    outcomes.push(if count == 5 { told } else { outcome });
                    script.wait(3 * MINUTE);
                }
            }
            Plot::RegularCustomer => {
                for _ in 0..6 {
                    outcomes.push(sale(script, &next()));
                    script.wait(16 * MINUTE);
                }
            }
            _ => {
                for count in 1..=2 {
                    let (ticket, second) = (next(), next());
                    outcomes.push(sale(script, &ticket));
                    let part = ticket.keys.amount;
                    let part = part.map(|amount| Amount::new(amount.minor / 2, amount.currency));
                    let keys = undoing(&ticket, &second, Kind::Refund, part);
                    script.wait(30_000).exchanges(&keys, refund, None).wait(30_000);
                    let back = undo(&second, part, "refund");
                    let told = back.clone().found(&[("A22", true)]);
                    let told = told.caused("consumer", "sale_and_refund");
                    outcomes.push(if count == 2 { told } else { back });
                }
            }
        }
        (outcomes, Vec::new())
    }
}

/// One that is over in the end.
fn matter(code: &'static str, cause: (&'static str, &'static str), from: i64) -> Matter {
    Matter { code, cause, from, open: false }
}

/// A plain sale that begins now, with all its slips.
fn sale(script: &mut Script<'_>, ticket: &Ticket) -> Outcome {
    script.begins_anew().approved(ticket).slipped(ticket);
    printed(script, ticket)
}

/// What gives back under a number of its own.
fn undo(own: &Ticket, amount: Option<Amount>, kind: &'static str) -> Outcome {
    let mut ticket = own.clone();
    ticket.keys.amount = amount;
    let outcome = Outcome::new(&ticket, None, "not_expected").because("not_a_debit");
    Outcome { kind, ..outcome }
}

/// Three payments without an answer, a minute apart: the first is never undone, the others are.
fn storm(script: &mut Script<'_>, next: &mut dyn FnMut() -> Ticket) -> Come {
    use ReversalPhase::{Acknowledged, Failed, Pending, Sent};
    let mut outcomes = Vec::new();
    let mut from = None;
    for count in 0..3 {
        let ticket = next();
        script.asks(&ticket).wait(30_000);
        from.get_or_insert(script.at);
        script.times_out(&ticket).reverses(&ticket, Pending).reverses(&ticket, Sent);
        let outcome = Outcome::new(&ticket, None, "not_expected");
        outcomes.push(if count == 0 {
            script.reverses(&ticket, Failed);
            let lost = outcome.because("unanswered").found(&[("A03", true)]).under("A16");
            lost.caused("network", "no_answer").taken(Taken::Open)
        } else {
            script.reverses(&ticket, Acknowledged);
            outcome.because("reversed")
        });
        script.wait(MINUTE);
    }
    let from = from.unwrap_or(script.at);
    (outcomes, vec![matter("A16", ("network", "many_reversals"), from)])
}

/// What a plot's payments tell of its printer: whether it ends with a debit that nothing was printed after.
pub fn leaves_a_debit_bare(played: &plot::Played) -> bool {
    let print = |body: &Body| matches!(body, Body::SlipPrinted { .. });
    let printed = played.acts.iter().filter(|act| print(&act.body)).map(|act| act.at).max();
    let bare = played.outcomes.iter().filter(|outcome| outcome.verdict == "no_slip");
    bare.filter_map(|outcome| outcome.debited).max() > printed
}
