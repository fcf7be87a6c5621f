//! What happens to a payment: plain ones, a fault of every class that can be heard, and every trap that rings false.
//! Each plot plays its words and says at once what is to be said of it in the end. Knows no rule of the collector.

use super::make::{Make, Shows};
use super::money::Taken;
use super::script::{Act, Script, Ticket};
use crate::dice::Dice;
use crate::terminal::Word;
use slipwatch_shared::event::{
    AbortedBy, Body, Copy, ExchangePhase, Keys, Kind, OperatorAction, Paper, PrinterStatus,
    ReversalPhase, SettlementResult, Slip, SlipFailure, SlipLoss,
};
use slipwatch_shared::money::Amount;

macro_rules! plots {
    ($($(#[$doc:meta])* $name:ident $label:literal),+ $(,)?) => {
        /// What happens to a payment.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Plot { $($(#[$doc])* $name),+ }

        impl Plot {
            /// All of them.
            pub const ALL: &[Plot] = &[$(Plot::$name),+];

            /// Its name in truth files.
            pub fn label(self) -> &'static str {
                match self { $(Plot::$name => $label),+ }
            }
        }
    };
}

plots! {
    /// Approved, and the slip that is due comes.
    Sale "sale",
    /// The host refuses.
    Declined "declined",
    /// The cashier ends it before the host is asked.
    Abandoned "abandoned",
    // Faults of the terminal.
    /// No paper, and nobody prints again.
    PaperOut "paper_out",
    /// The lid is open.
    CoverOpen "cover_open",
    /// The cutter is stuck.
    CutterStuck "cutter_stuck",
    /// The head is too hot.
    Overheated "overheated",
    /// The printer does not answer.
    PrinterOffline "printer_offline",
    /// The device starts anew right after the approval.
    Restarted "restarted",
    /// A slip is begun and never ends.
    Torn "torn",
    /// The printer is switched off with the slip in it.
    PowerLost "power_lost",
    /// The printer's buffer is cleared.
    BufferCleared "buffer_cleared",
    /// Nothing is sent to the printer, and nothing tells why.
    NoSlip "no_slip",
    /// The answer's MAC is wrong and the undo is lost.
    WrongMacLost "wrong_mac_lost",
    // The cashier's.
    /// Cancelled at the print prompt, as the printer tells it.
    PrintCancelled "print_cancelled",
    /// Cancelled at the print prompt, as the terminal tells it.
    PrintCancelledAtKey "print_cancelled_at_key",
    /// The shop's copy comes, the shopper's never.
    MerchantCopyOnly "merchant_copy_only",
    /// No slip, and the same card is charged again.
    Rerun "rerun",
    // The institution's.
    /// The host reports its own malfunction and the undo is lost.
    MalfunctionLost "malfunction_lost",
    /// Nobody answers behind the host; the undo is acknowledged.
    NoAnswerBehind "no_answer_behind",
    // The network's.
    /// The line is down, no answer comes, the undo waits until it is up again.
    NetworkDown "network_down",
    /// No answer, and the undo's attempts are used up.
    TimeoutLost "timeout_lost",
    /// No answer; the undo is acknowledged at once.
    TimeoutReversed "timeout_reversed",
    /// No answer; the undo waits too long, and is acknowledged.
    ReversedLate "reversed_late",
    // Traps.
    /// No answer; the undo goes along with the next message, soon enough.
    ReversedLazily "reversed_lazily",
    /// The answer comes after the time-out, and the slip with it.
    LateAnswer "late_answer",
    /// The paper is changed and the slip comes within the deadline.
    PaperChanged "paper_changed",
    /// The slip comes long after the deadline, as a reprint.
    LateReprint "late_reprint",
    /// Both slips, and a reprint half an hour later.
    ReprintedAgain "reprinted_again",
    /// The slip goes out as a code on the screen.
    ElectronicSlip "electronic_slip",
    /// The shopper wants none.
    SlipUnwanted "slip_unwanted",
    /// A test print while the slip is missing.
    TestSlip "test_slip",
    /// A settlement report while the slip is missing.
    ReportPrinted "report_printed",
    /// The host approves a part of what was asked for.
    PartialApproval "partial_approval",
    /// The same request goes out twice: one payment.
    Retransmitted "retransmitted",
    /// Two equal purchases with two cards.
    TwoCoffees "two_coffees",
    /// A time-out that is reversed, and the payment run again.
    ReversedAndRerun "reversed_and_rerun",
    /// Voided by the cashier, with slips.
    Voided "voided",
    /// Voided by the cashier instead of a slip.
    VoidedWithoutSlip "voided_without_slip",
    /// Money back in part: the rest is a debit.
    RefundedInPart "refunded_in_part",
    /// A hold, and its completion within the hour.
    HeldAndCompleted "held_and_completed",
    /// One shopper buys the same twice, with both slips.
    OneCardTwice "one_card_twice",
    /// The cashier ends it, and asks anew under the same number.
    AskedAnew "asked_anew",
    // Orders and approvals without the host.
    /// The money comes after the cashier closed the order.
    LateSuccess "late_success",
    /// The same, and it is given back.
    LateSuccessRefunded "late_success_refunded",
    /// Approved by the chip alone, and uploaded soon.
    OfflineUploaded "offline_uploaded",
    /// Approved by the chip alone, and refused when it is uploaded.
    OfflineRefused "offline_refused",
    /// Approved by the chip alone, and left to the close of the day.
    OfflineLeft "offline_left",
    // What happens to a terminal, told in `matter.rs`.
    /// No paper for twelve minutes.
    PrinterOut "printer_out",
    /// Three sales in a row without a slip.
    SalesWithoutSlip "sales_without_slip",
    /// Trap: no paper for five minutes, and nobody pays.
    PaperOutBriefly "paper_out_briefly",
    /// Three payments time out one after the other.
    ReversalStorm "reversal_storm",
    /// The device says nothing for an hour of the day.
    SilentTerminal "silent_terminal",
    /// The trace goes back and nothing tells why.
    TraceBack "trace_back",
    /// The trace jumps.
    TraceJumped "trace_jumped",
    /// A batch number comes again.
    BatchRepeated "batch_repeated",
    /// Trap: some traces are used up by what is no payment.
    TraceSkipped "trace_skipped",
    /// Trap: the device starts anew and counts from the begin.
    CounterReset "counter_reset",
    /// Trap: another device takes the place, signs on and goes on with numbers of its own.
    DeviceSwapped "device_swapped",
    /// Five prints cancelled by one cashier.
    HabitOfCancels "habit_of_cancels",
    /// Trap: four of them.
    FewCancels "few_cancels",
    /// Three payments run again after time-outs by one cashier.
    HabitOfReruns "habit_of_reruns",
    /// Ten cards typed by one cashier.
    HabitOfTyping "habit_of_typing",
    /// Four voids among thirty sales of one cashier.
    HabitOfVoids "habit_of_voids",
    /// One card pays five times within an hour.
    CardHabit "card_habit",
    /// Trap: one card pays again and again, and never five times within an hour.
    RegularCustomer "regular_customer",
    /// One card pays and is refunded in turns.
    SaleAndRefund "sale_and_refund",
    // While nobody's host answers.
    /// Undone at once.
    OutageReversed "outage_reversed",
    /// Never undone.
    OutageLost "outage_lost",
}

/// What is to be said of one payment of a plot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its numbers.
    pub ticket: Ticket,
    /// What kind of business.
    pub kind: &'static str,
    /// The verdict.
    pub verdict: &'static str,
    /// Its reason, where that is settled.
    pub reason: Option<&'static str>,
    /// Findings that are due, and whether they stand in the end.
    pub findings: Vec<(&'static str, bool)>,
    /// What explains them all, where something does.
    pub parent: Option<&'static str>,
    /// Class and detail, where that left a trace.
    pub cause: Option<(&'static str, &'static str)>,
    /// When the money went.
    pub debited: Option<i64>,
    /// Where it is in the end.
    pub taken: Taken,
}

impl Outcome {
    pub(super) fn new(ticket: &Ticket, debited: Option<i64>, verdict: &'static str) -> Outcome {
        let taken = if debited.is_some() { Taken::Debited } else { Taken::Undone };
        Outcome {
            ticket: ticket.clone(),
            kind: "sale",
            verdict,
            reason: None,
            findings: Vec::new(),
            parent: None,
            cause: None,
            debited,
            taken,
        }
    }

    pub(super) fn because(mut self, reason: &'static str) -> Outcome {
        self.reason = Some(reason);
        self
    }

    pub(super) fn found(mut self, findings: &[(&'static str, bool)]) -> Outcome {
        self.findings = findings.to_vec();
        self
    }

    pub(super) fn caused(mut self, class: &'static str, detail: &'static str) -> Outcome {
        self.cause = Some((class, detail));
        self
    }

    pub(super) fn under(mut self, parent: &'static str) -> Outcome {
        self.parent = Some(parent);
        self
    }

    pub(super) fn taken(mut self, taken: Taken) -> Outcome {
        self.taken = taken;
        self
    }
}

/// What is to be said of the terminal itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matter {
    /// Its number in the catalogue.
    pub code: &'static str,
    /// Class and detail.
    pub cause: (&'static str, &'static str),
    /// When it begins.
    pub from: i64,
    /// Whether it stands in the end.
    pub open: bool,
}

/// A plot that was played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// All words.
    pub acts: Vec<Act>,
    /// All payments, in the order in which they began.
    pub outcomes: Vec<Outcome>,
    /// What is to be said of the terminal.
    pub matters: Vec<Matter>,
    /// The terminal is free for the next payment then.
    pub until: i64,
    /// Whether the voices have a word for all of it.
    pub spoken: bool,
}

const MINUTE: i64 = 60_000;
/// A slip is told as missing so long after the debit, as the collector ships.
pub const ALERT_MS: i64 = 5 * MINUTE;

pub(super) const MISSING: &[(&str, bool)] = &[("A01", true)];
pub(super) const FAILED_AND_MISSING: &[(&str, bool)] = &[("A01", true), ("A02", false)];

impl Plot {
    /// Whether it can happen at such a terminal.
    pub fn fits(self, make: &Make) -> bool {
        match self {
            Plot::Sale | Plot::Declined | Plot::Abandoned => true,
            Plot::MerchantCopyOnly => make.prints() && make.copies > 1,
            // On one line for all, a print that names nothing is the terminal's word on its own payment.
            Plot::TestSlip | Plot::ReportPrinted => make.prints() && make.two_lines,
            // A till numbers its orders anew, so that nothing joins a hold with its completion.
            Plot::HeldAndCompleted
            | Plot::RefundedInPart
            | Plot::Voided
            | Plot::LateSuccessRefunded
            | Plot::HabitOfVoids
            | Plot::SaleAndRefund => make.prints() && make.shows == Shows::All && !make.wallets,
            // Two debits of a wallet show no card that could be the same.
            Plot::VoidedWithoutSlip
            | Plot::Rerun
            | Plot::OneCardTwice
            | Plot::HabitOfReruns
            | Plot::HabitOfTyping
            | Plot::CardHabit
            | Plot::RegularCustomer
            // Nor does a chip approve them.
            | Plot::OfflineUploaded
            | Plot::OfflineRefused
            | Plot::OfflineLeft => make.prints() && !make.wallets,
            // A reprint must name its payment.
            Plot::LateReprint | Plot::ReprintedAgain => make.prints(),
            Plot::Torn => make.prints() && make.begins_slips,
            _ => make.prints(),
        }
    }

    /// Plays it. `next` gives the numbers of each further payment that it needs.
    pub fn play(
        self,
        make: &Make,
        at: i64,
        dice: &mut Dice,
        next: &mut dyn FnMut(&mut Dice) -> Ticket,
    ) -> Played {
        let step = dice.between(700, 1_700);
        let mut script = Script::new(make, at, step);
        if self.is_of_terminal() {
            let mut next = || next(dice);
            let (outcomes, matters) = self.happen(&mut script, &mut next);
            let spoken = script.is_spoken();
            return Played { until: script.at, acts: script.acts, outcomes, matters, spoken };
        }
        let first = next(dice);
        let outcomes = match self {
            Plot::Sale | Plot::Declined | Plot::Abandoned => self.plain(&mut script, &first),
            Plot::TwoCoffees | Plot::Rerun | Plot::ReversedAndRerun | Plot::OneCardTwice => {
                let mut second = next(dice);
                again(&first, &mut second, self == Plot::TwoCoffees);
                self.twice(&mut script, &first, &second)
            }
            Plot::Voided
            | Plot::VoidedWithoutSlip
            | Plot::RefundedInPart
            | Plot::LateSuccessRefunded
            | Plot::HeldAndCompleted => {
                let second = next(dice);
                self.undone(&mut script, &first, &second)
            }
            _ if self.is_unanswered() => self.unanswered(&mut script, &first),
            _ if self.is_trap() => self.trap(&mut script, &first),
            _ => self.slipless(&mut script, &first),
        };
        let spoken = script.is_spoken();
        Played { until: script.at, acts: script.acts, outcomes, matters: Vec::new(), spoken }
    }

    fn is_unanswered(self) -> bool {
        matches!(
            self,
            Plot::WrongMacLost
                | Plot::MalfunctionLost
                | Plot::NoAnswerBehind
                | Plot::NetworkDown
                | Plot::TimeoutLost
                | Plot::TimeoutReversed
                | Plot::ReversedLate
                | Plot::ReversedLazily
        ) || self.is_of_outage()
    }

    /// It happens only while nobody's host answers.
    pub fn is_of_outage(self) -> bool {
        matches!(self, Plot::OutageReversed | Plot::OutageLost)
    }

    fn is_trap(self) -> bool {
        matches!(
            self,
            Plot::LateAnswer
                | Plot::PaperChanged
                | Plot::LateReprint
                | Plot::ReprintedAgain
                | Plot::ElectronicSlip
                | Plot::SlipUnwanted
                | Plot::PartialApproval
                | Plot::Retransmitted
                | Plot::AskedAnew
                | Plot::LateSuccess
                | Plot::OfflineUploaded
                | Plot::OfflineRefused
                | Plot::OfflineLeft
        )
    }

    fn plain(self, script: &mut Script<'_>, ticket: &Ticket) -> Vec<Outcome> {
        let outcome = match self {
            Plot::Declined => {
                script.asks(ticket).answers(ticket, "51");
                Outcome::new(ticket, None, "not_expected").because("declined")
            }
            Plot::Abandoned => {
                script.aborts(ticket, AbortedBy::Operator);
                Outcome::new(ticket, None, "not_expected").because("aborted")
            }
            _ => {
                script.approved(ticket).slipped(ticket);
                printed(script, ticket)
            }
        };
        vec![outcome]
    }

    /// A debit, and no slip.
    fn slipless(self, script: &mut Script<'_>, ticket: &Ticket) -> Vec<Outcome> {
        script.approved(ticket);
        let (findings, cause) = self.miss(script, ticket);
        let outcome = Outcome::new(ticket, script.debited, "no_slip").found(findings);
        vec![match cause {
            Some((class, detail)) => outcome.caused(class, detail),
            None => outcome,
        }]
    }

    /// What goes wrong with the slip, and what that comes to.
    #[allow(clippy::type_complexity)]
    fn miss(
        self,
        script: &mut Script<'_>,
        ticket: &Ticket,
    ) -> (&'static [(&'static str, bool)], Option<(&'static str, &'static str)>) {
        const FAULT: &str = "terminal_fault";
        let begins = script.make.begins_slips;
        let broken = PrinterStatus::default();
        let sound = PrinterStatus {
            online: Some(true),
            cover_open: Some(false),
            paper: None,
            cutter_error: Some(false),
            error: Some(false),
        };
        let mut fail = |status: PrinterStatus, reason: SlipFailure, detail: &'static str| {
            if begins {
                script.begins(ticket, Copy::Merchant);
            }
            if status != broken {
                script.printer(status);
            }
            script.fails(ticket, reason).wait(8_000).printer(sound);
            (FAILED_AND_MISSING, Some((FAULT, detail)))
        };
        match self {
            Plot::PaperOut => {
                if begins {
                    script.begins(ticket, Copy::Merchant);
                }
                script.paper(Paper::End).fails(ticket, SlipFailure::PaperOut);
                // The new roll comes for the next shopper; this slip is forgotten.
                script.wait(8_000).paper(Paper::Present);
                (FAILED_AND_MISSING, Some((FAULT, "paper_out")))
            }
            Plot::CoverOpen => {
                let status = PrinterStatus { cover_open: Some(true), ..broken };
                fail(status, SlipFailure::CoverOpen, "cover_open")
            }
            Plot::CutterStuck => {
                let status = PrinterStatus { cutter_error: Some(true), ..broken };
                fail(status, SlipFailure::Cutter, "cutter")
            }
            Plot::Overheated => fail(broken, SlipFailure::Overheated, "overheated"),
            Plot::PrinterOffline => {
                let status = PrinterStatus { online: Some(false), ..broken };
                fail(status, SlipFailure::Offline, "printer_offline")
            }
            Plot::Restarted => {
                script.wait(4_000).says(Body::DeviceRestarted);
                (MISSING, Some((FAULT, "restarted")))
            }
            Plot::Torn => {
                script.begins(ticket, Copy::Merchant);
                (FAILED_AND_MISSING, Some((FAULT, "slip_torn")))
            }
            Plot::PowerLost => {
                script.loses(ticket, SlipLoss::PowerLost);
                (FAILED_AND_MISSING, Some((FAULT, "power_lost")))
            }
            Plot::BufferCleared => {
                script.loses(ticket, SlipLoss::BufferCleared);
                (FAILED_AND_MISSING, Some((FAULT, "buffer_cleared")))
            }
            Plot::PrintCancelled => {
                script.loses(ticket, SlipLoss::Cancelled);
                (FAILED_AND_MISSING, Some(("operator", "print_cancelled")))
            }
            Plot::PrintCancelledAtKey => {
                script.cashier(OperatorAction::CancelPrint, ticket);
                (MISSING, Some(("operator", "print_cancelled")))
            }
            Plot::MerchantCopyOnly => {
                if begins {
                    script.begins(ticket, Copy::Merchant);
                }
                script.prints(ticket, Copy::Merchant, false);
                (FAILED_AND_MISSING, Some(("operator", "merchant_copy_only")))
            }
            Plot::TestSlip => {
                let slip = Slip::default();
                let grade = script.make.grade;
                script.wait(20_000).printer_says(Body::SlipPrinted { slip, grade });
                (MISSING, None)
            }
            Plot::ReportPrinted => {
                let batch_number = ticket.keys.batch_number;
                let (slip, grade) = (Slip::default(), script.make.grade);
                script.wait(20_000).says(Body::SettlementStarted { batch_number });
                script.printer_says(Body::SlipPrinted { slip, grade });
                let result = SettlementResult::Balanced;
                script.says(Body::SettlementClosed { batch_number, result });
                (MISSING, None)
            }
            _ => (MISSING, None),
        }
    }

    /// No sound answer: the undo decides.
    fn unanswered(self, script: &mut Script<'_>, ticket: &Ticket) -> Vec<Outcome> {
        use ReversalPhase::{Acknowledged, Failed, Pending, Sent};
        let reversed = |script: &Script<'_>| {
            let _ = script;
            Outcome::new(ticket, None, "not_expected").because("reversed")
        };
        let lost = Outcome::new(ticket, None, "not_expected")
            .because("unanswered")
            .found(&[("A03", true)])
            .taken(Taken::Open);
        let attempts = [Sent, Sent, Sent, Failed];
        let outcome = match self {
            Plot::WrongMacLost => {
                script.asks(ticket).answers(ticket, "A0").reverses(ticket, Pending);
                attempts.into_iter().for_each(|phase| _ = script.reverses(ticket, phase));
                lost.caused("terminal_fault", "wrong_mac")
            }
            Plot::MalfunctionLost => {
                script.asks(ticket).answers(ticket, "96").reverses(ticket, Pending);
                attempts.into_iter().for_each(|phase| _ = script.reverses(ticket, phase));
                lost.caused("institution", "host_malfunction")
            }
            Plot::NoAnswerBehind => {
                script.asks(ticket).answers(ticket, "68").reverses(ticket, Pending);
                script.reverses(ticket, Sent).reverses(ticket, Acknowledged);
                reversed(script)
            }
            Plot::TimeoutLost => {
                script.asks(ticket).wait(30_000).times_out(ticket).reverses(ticket, Pending);
                attempts.into_iter().for_each(|phase| _ = script.reverses(ticket, phase));
                lost.caused("network", "no_answer")
            }
            Plot::OutageLost => {
                script.asks(ticket).wait(30_000).times_out(ticket).reverses(ticket, Pending);
                attempts.into_iter().for_each(|phase| _ = script.reverses(ticket, phase));
                // Many terminals at once show more than one does.
                lost.caused("institution", "acquirer_outage").under("A16")
            }
            Plot::NetworkDown => {
                script.says(Body::NetworkDown).asks(ticket).wait(30_000).times_out(ticket);
                // The line comes back too late: the undo was told as pending meanwhile.
                script.reverses(ticket, Pending).wait(20 * MINUTE).says(Body::NetworkUp);
                script.reverses(ticket, Sent).reverses(ticket, Acknowledged);
                reversed(script).found(&[("A04", false)])
            }
            Plot::ReversedLate => {
                script.asks(ticket).wait(30_000).times_out(ticket).reverses(ticket, Pending);
                script.wait(20 * MINUTE).reverses(ticket, Sent).reverses(ticket, Acknowledged);
                reversed(script).found(&[("A04", false)])
            }
            Plot::ReversedLazily => {
                script.asks(ticket).wait(30_000).times_out(ticket).reverses(ticket, Pending);
                script.wait(6 * MINUTE).reverses(ticket, Sent).reverses(ticket, Acknowledged);
                reversed(script)
            }
            _ => {
                script.asks(ticket).wait(30_000).times_out(ticket).reverses(ticket, Pending);
                script.reverses(ticket, Sent).reverses(ticket, Acknowledged);
                reversed(script)
            }
        };
        vec![outcome]
    }

    /// It looks wrong and is not, or mends itself.
    fn trap(self, script: &mut Script<'_>, ticket: &Ticket) -> Vec<Outcome> {
        let outcome = match self {
            Plot::LateAnswer => {
                script.asks(ticket).wait(30_000).times_out(ticket).wait(2_000);
                script.answers(ticket, "00").completes(ticket).slips(ticket, false);
                printed(script, ticket)
            }
            Plot::PaperChanged => {
                script.approved(ticket).paper(Paper::End).fails(ticket, SlipFailure::PaperOut);
                script.wait(90_000).paper(Paper::Present).slips(ticket, false);
                printed(script, ticket).found(&[("A02", false)])
            }
            Plot::LateReprint => {
                script.approved(ticket).paper(Paper::End).fails(ticket, SlipFailure::PaperOut);
                script.wait(ALERT_MS + MINUTE).paper(Paper::Present).slips(ticket, true);
                Outcome::new(ticket, script.debited, "printed_late")
                    .found(&[("A01", false), ("A02", false)])
                    .caused("terminal_fault", "paper_out")
            }
            Plot::ReprintedAgain => {
                script.approved(ticket).slips(ticket, false);
                let free = script.at;
                script.wait(30 * MINUTE).slips(ticket, true);
                // The till goes on selling meanwhile.
                script.at = free;
                printed(script, ticket)
            }
            Plot::ElectronicSlip => {
                script.approved(ticket).issues(ticket);
                Outcome::new(ticket, script.debited, "not_expected")
                    .because("issued_electronically")
            }
            Plot::SlipUnwanted => {
                script.approved(ticket).declines_slip(ticket);
                Outcome::new(ticket, script.debited, "not_expected").because("declined_by_shopper")
            }
            Plot::PartialApproval => {
                let mut part = ticket.clone();
                part.keys.amount = ticket
                    .keys
                    .amount
                    .map(|amount| Amount::new(amount.minor * 6 / 10, amount.currency));
                script.asks(ticket).answers(&part, "10").completes(&part).slips(&part, false);
                printed(script, &part)
            }
            Plot::AskedAnew => {
                script.asks(ticket).wait(5_000).aborts(ticket, AbortedBy::Operator).wait(5_000);
                script.approved(ticket).slips(ticket, false);
                printed(script, ticket)
            }
            Plot::LateSuccess => late_success(script, ticket),
            Plot::OfflineUploaded | Plot::OfflineRefused | Plot::OfflineLeft => {
                script.asks(ticket).answers(ticket, "Y3").completes(ticket);
                script.slips(ticket, false);
                let outcome = printed(script, ticket);
                script.wait(4 * MINUTE);
                match self {
                    Plot::OfflineUploaded => script.answers(ticket, "00"),
                    Plot::OfflineRefused => script.answers(ticket, "51"),
                    _ => script,
                };
                match self {
                    Plot::OfflineRefused => {
                        let told = outcome.found(&[("A15", true)]);
                        told.caused("institution", "upload_refused")
                    }
                    _ => outcome,
                }
            }
            _ => {
                script.asks(ticket).wait(4_000).asks(ticket).answers(ticket, "00");
                script.answers(ticket, "00").completes(ticket).slips(ticket, false);
                printed(script, ticket)
            }
        };
        vec![outcome]
    }

    /// Two payments that belong together, or seem to.
    fn twice(self, script: &mut Script<'_>, first: &Ticket, second: &Ticket) -> Vec<Outcome> {
        let outcome = match self {
            Plot::TwoCoffees | Plot::OneCardTwice => {
                script.approved(first).slips(first, false);
                printed(script, first)
            }
            Plot::Rerun => {
                script.approved(first).paper(Paper::End).fails(first, SlipFailure::PaperOut);
                script.wait(20_000).paper(Paper::Present);
                Outcome::new(first, script.debited, "no_slip")
                    .found(FAILED_AND_MISSING)
                    .caused("terminal_fault", "paper_out")
            }
            _ => {
                script.asks(first).wait(30_000).times_out(first);
                script.reverses(first, ReversalPhase::Pending).reverses(first, ReversalPhase::Sent);
                script.reverses(first, ReversalPhase::Acknowledged);
                Outcome::new(first, None, "not_expected").because("reversed")
            }
        };
        script.begins_anew().wait(15_000).approved(second).slips(second, false);
        let again = printed(script, second);
        let again = match self {
            Plot::Rerun => again.found(&[("A09", true)]).caused("operator", "rerun"),
            _ => again,
        };
        vec![outcome, again]
    }

    /// A debit that is undone under a number of its own, or a hold that becomes one.
    fn undone(self, script: &mut Script<'_>, first: &Ticket, second: &Ticket) -> Vec<Outcome> {
        let own = |kind: Kind, amount: Option<Amount>| undoing(first, second, kind, amount);
        let undo = |kind: &'static str| {
            let mut ticket = second.clone();
            ticket.keys.amount = first.keys.amount;
            let outcome = Outcome::new(&ticket, None, "not_expected").because("not_a_debit");
            Outcome { kind, ..outcome }
        };
        fn hold(keys: Keys, phase: ExchangePhase) -> Body {
            Body::Preauthorization { keys, phase }
        }
        fn complete(keys: Keys, phase: ExchangePhase) -> Body {
            Body::Completion { keys, phase }
        }
        let amount = first.keys.amount;
        match self {
            Plot::Voided => {
                script.approved(first).slips(first, false).wait(40_000);
                let sale = printed(script, first).taken(Taken::Undone);
                let words = Some((Word::VoidRequested, Word::VoidApproved));
                script.exchanges(&own(Kind::Void, amount), void, words);
                vec![sale, undo("void")]
            }
            Plot::VoidedWithoutSlip => {
                script.approved(first).wait(30_000);
                let words = Some((Word::VoidRequested, Word::VoidApproved));
                script.exchanges(&own(Kind::Void, amount), void, words);
                let sale = Outcome::new(first, script.debited, "not_expected").because("voided");
                vec![sale.taken(Taken::Undone), undo("void")]
            }
            Plot::LateSuccessRefunded => {
                let sale = late_success(script, first);
                script.wait(40_000).exchanges(&own(Kind::Refund, amount), refund, None);
                let sale = Outcome { verdict: "not_expected", ..sale }.because("refunded");
                let sale = sale.found(&[("A05", false)]).taken(Taken::Undone);
                vec![sale, undo("refund")]
            }
            Plot::RefundedInPart => {
                script.approved(first).slips(first, false).wait(40_000);
                let sale = printed(script, first);
                let part = amount.map(|amount| Amount::new(amount.minor / 3, amount.currency));
                script.exchanges(&own(Kind::Refund, part), refund, None);
                let mut back = undo("refund");
                back.ticket.keys.amount = part;
                vec![sale, back]
            }
            _ => {
                let held = Keys { kind: Some(Kind::Preauthorization), ..first.keys.clone() };
                script.exchanges(&held, hold, None).wait(20 * MINUTE);
                script.debited = Some(script.at + script.step);
                script.exchanges(&own(Kind::Completion, amount), complete, None);
                let mut done = second.clone();
                (done.keys.amount, done.keys.card) = (amount, first.keys.card);
                done.keys.kind = Some(Kind::Completion);
                script.slips(&done, false);
                let hold = Outcome::new(first, None, "not_expected").because("not_a_debit");
                let hold = Outcome { kind: "preauthorization", ..hold };
                vec![hold, Outcome { kind: "completion", ..printed(script, &done) }]
            }
        }
    }
}

pub(super) fn void(keys: Keys, phase: ExchangePhase) -> Body {
    Body::Void { keys, phase }
}

pub(super) fn refund(keys: Keys, phase: ExchangePhase) -> Body {
    Body::Refund { keys, phase }
}

/// The keys of what undoes or completes a payment under a number of its own.
pub(super) fn undoing(first: &Ticket, second: &Ticket, kind: Kind, amount: Option<Amount>) -> Keys {
    Keys {
        kind: Some(kind),
        amount,
        card: first.keys.card,
        original: Some(first.original()),
        ..second.keys.clone()
    }
}

/// The cashier closes the order, and a minute later the money comes. No slip is printed of it.
fn late_success(script: &mut Script<'_>, ticket: &Ticket) -> Outcome {
    script.asks(ticket).wait(20_000).aborts(ticket, AbortedBy::Operator);
    script.wait(60_000).answers(ticket, "00");
    // A shopper confirms on the phone when it suits; at a card terminal the cashier did not wait.
    let class = if ticket.is_wallet() { "consumer" } else { "operator" };
    let outcome = Outcome::new(ticket, script.debited, "no_slip").found(&[("A05", true)]);
    outcome.caused(class, "late_confirmation")
}

/// The slip that is due came: on paper, or where nobody prints, on the screen.
pub(super) fn printed(script: &Script<'_>, ticket: &Ticket) -> Outcome {
    match script.make.prints() {
        true => Outcome::new(ticket, script.debited, "printed"),
        false => {
            let outcome = Outcome::new(ticket, script.debited, "not_expected");
            outcome.because("issued_electronically")
        }
    }
}

/// The second payment of a pair: the same amount; the same card as well, but for two shoppers who buy the same.
pub(super) fn again(first: &Ticket, second: &mut Ticket, other_card: bool) {
    second.keys.amount = first.keys.amount;
    second.keys.instrument = first.keys.instrument;
    if other_card {
        return;
    }
    second.keys.card = first.keys.card;
    if let Some(card) = &mut second.keys.card {
        card.chip_counter = card.chip_counter.map(|counter| counter.wrapping_add(1));
    }
}
