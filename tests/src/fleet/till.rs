//! One terminal of a shop: its numbers, its clock, the sums of its batch, and what may not happen to it just now, so
//! that no two troubles make a third one that nobody planned. Says nothing itself.

use super::FleetSettings;
use super::make::Make;
use super::matter::{CALM_MS, leaves_a_debit_bare};
use super::plot::{Outcome, Played, Plot};
use super::script::Numbers;
use super::truth::Incident;
use crate::dice::Dice;
use slipwatch_shared::event::{Body, SettlementTotals, TotalsBy};
use slipwatch_shared::money::{Amount, Currency};
use slipwatch_shared::terminal::{MerchantId, TerminalId};

const MINUTE: i64 = 60_000;
/// Three reversals within this are a storm, as the collector ships; a little more, for what is said meanwhile.
const STORM_MS: i64 = 11 * MINUTE;
/// A batch that is open this long is overdue, as the collector ships.
const OVERDUE_MS: i64 = 48 * 60 * MINUTE;
/// An approval without the host must be uploaded within this, as the collector ships.
const UPLOAD_MS: i64 = 24 * 60 * MINUTE;
const TRACE_END: u32 = 999_999;

/// An application on a terminal: it counts for itself.
#[derive(Clone, Debug)]
pub struct Application {
    /// Field 42; absent where the device does not tell it.
    pub merchant: Option<MerchantId>,
    stan: u32,
    /// Field 60.2.
    pub batch: u32,
    /// A payment was made with it.
    used: bool,
    /// The next batch was used already.
    ahead: bool,
}

impl Application {
    /// Whether its numbers can break off: the first of all follow none, and near either end there is no room.
    fn can_break(&self) -> bool {
        self.used && (30_000..990_000).contains(&self.stan)
    }
}

/// How a terminal's clock stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Nobody can tell: answers do not show the host's.
    Untold,
    /// Right.
    Right,
    /// Behind by so many milliseconds until a sign-on.
    Slow(i64),
    /// Trap: by whole hours, of a device on UTC or without the summer's hour.
    OtherZone(i64),
}

impl Clock {
    /// Milliseconds that it is ahead.
    pub fn ahead_ms(self) -> i64 {
        match self {
            Clock::Untold | Clock::Right => 0,
            Clock::Slow(by) => -by,
            Clock::OtherZone(by) => by,
        }
    }
}

/// A count and a sum in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many.
    pub count: u32,
    /// How much.
    pub minor: i64,
}

impl Sum {
    fn add(&mut self, minor: i64) {
        (self.count, self.minor) = (self.count + 1, self.minor + minor);
    }
}

/// What a batch came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Sales and completions.
    pub debit: Sum,
    /// Voids and refunds.
    pub credit: Sum,
    /// Of them, voids.
    pub voided: Sum,
}

impl Sums {
    /// As one side names them; `net`: voids on neither side.
    pub fn named(&self, by: TotalsBy, net: bool) -> SettlementTotals {
        let less = |sum: Sum| match net {
            true => {
                Sum { count: sum.count - self.voided.count, minor: sum.minor - self.voided.minor }
            }
            false => sum,
        };
        let (debit, credit) = (less(self.debit), less(self.credit));
        let amount = |sum: Sum| Some(Amount::new(sum.minor, Currency::CNY));
        SettlementTotals {
            batch_number: None,
            by,
            debit_count: debit.count,
            debit: amount(debit),
            credit_count: credit.count,
            credit: amount(credit),
        }
    }
}

/// One terminal of a shop.
#[derive(Clone, Debug)]
pub struct Till {
    /// Its number.
    pub terminal: TerminalId,
    /// Its make.
    pub make: &'static Make,
    /// The source of its own line; the printer's is the next one, where there is one.
    pub(super) source: u16,
    /// Its applications, mostly one, and which of them the till uses now.
    pub(super) applications: Vec<Application>,
    pub(super) application: usize,
    /// Its lines are not heard until then.
    pub(super) deaf: [i64; 2],
    /// The next thing it says comes out garbled.
    pub(super) garbled: bool,
    /// How its clock stands.
    pub(super) clock: Clock,
    /// Answers by a slow clock, and by one that was set right.
    pub(super) answers: (u32, u32),
    /// Its batch is closed every night.
    pub(super) closes: bool,
    /// What the batch came to since it was last closed.
    pub(super) sums: Sums,
    /// The first debit since then.
    pub(super) batch_begun: Option<i64>,
    /// It says nothing from when until when.
    pub(super) mute: (i64, i64),
    /// A told break of its numbers, until something explains it.
    pub(super) odd_numbers: Option<Incident>,
    /// Told sums that differ, until a close is balanced.
    pub(super) odd_sums: Option<Incident>,
    /// Its batch is closed at least on the last night.
    pub(super) closes_at_last: bool,
    /// Since when it was overdue that it be closed, if it was.
    pub(super) overdue: Option<i64>,
    had_habit: bool,
    /// Cancelled prints and voids by a cashier whom a voice names.
    counted: (u32, u32),
    /// When its last payments had to be undone.
    undone: Vec<i64>,
    no_undo_until: i64,
    /// The last debit has no slip, and nothing was printed since.
    bare: bool,
    busy_until: i64,
    /// It signed on or started anew since its last payment, which explains whatever its numbers do.
    pub(super) reset: bool,
    /// Its trace went back or jumped today.
    turned: bool,
    /// The last amounts.
    amounts: [i64; 24],
}

impl Till {
    /// A terminal of this number and make.
    pub fn new(
        terminal: TerminalId,
        make: &'static Make,
        source: u16,
        settings: &FleetSettings,
        dice: &mut Dice,
    ) -> Till {
        let clock = match dice.below(8) {
            _ if settings.spoken_only => Clock::Untold,
            0 => Clock::Right,
            1 => Clock::Slow(dice.between(95, 240) * 1000),
            // Whole quarters of an hour are a zone to whoever measures it.
            2 => Clock::Slow(dice.between(310, 430) * 1000),
            3 => Clock::OtherZone(*dice.pick(&[-8, -1, 1]) * 3_600_000),
            _ => Clock::Untold,
        };
        // Some begin so near the end of all traces that they come round today.
        let wraps = !settings.spoken_only && dice.percent(15);
        let stan = if wraps { TRACE_END - 12 } else { dice.below(u64::from(TRACE_END)) as u32 };
        // The voices write this batch and no other.
        let batch = if settings.spoken_only { 1 } else { 1 + dice.below(900_000) as u32 };
        let mut applications =
            vec![Application { merchant: None, stan, batch, used: false, ahead: false }];
        if !settings.spoken_only && dice.percent(10) {
            // Two merchants on one device.
            let merchant = |number: u32| format!("8983101{number:08}").parse().ok();
            applications[0].merchant = merchant(1);
            let stan = (stan + TRACE_END / 2) % TRACE_END;
            let (merchant, batch) = (merchant(2), batch + 7);
            applications.push(Application { merchant, stan, batch, used: false, ahead: false });
        }
        Till {
            terminal,
            make,
            source,
            applications,
            application: 0,
            deaf: [i64::MIN; 2],
            garbled: false,
            clock,
            answers: (0, 0),
            closes: settings.days < 3 || dice.percent(60),
            sums: Sums::default(),
            batch_begun: None,
            mute: (i64::MAX, i64::MAX),
            odd_numbers: None,
            odd_sums: None,
            closes_at_last: dice.percent(50),
            overdue: None,
            had_habit: false,
            counted: (0, 0),
            undone: Vec::new(),
            no_undo_until: i64::MIN,
            bare: false,
            busy_until: i64::MIN,
            reset: false,
            turned: false,
            amounts: [0; 24],
        }
    }

    /// The source of its own line.
    pub fn first_source(&self) -> u16 {
        self.source
    }

    /// The application in use.
    pub fn application(&self) -> &Application {
        &self.applications[self.application]
    }

    /// The next trace of the application in use. Sign-ons, queries and closes use traces up as well.
    pub(super) fn next_stan(&mut self, dice: &mut Dice) -> u32 {
        let own = &mut self.applications[self.application];
        own.used = true;
        own.stan = (own.stan + dice.below(2) as u32) % TRACE_END + 1;
        own.stan
    }

    /// Whether a plot may begin now. `opened_ms` more the shop is open.
    pub(super) fn allows(
        &self,
        plot: Plot,
        at: i64,
        opened_ms: i64,
        settings: &FleetSettings,
    ) -> bool {
        let recent = self.undone.iter().filter(|undone| **undone > at - STORM_MS).count();
        let undoes = plot.undos();
        let stormy = undoes > 0
            && (at < self.no_undo_until || if undoes == 1 { recent > 1 } else { recent > 0 });
        let whole = self.applications.iter().all(Application::can_break);
        // Half an hour behind the close there is nobody who waits for it.
        let slow = plot.is_of_terminal() && opened_ms + 30 * MINUTE < plot.lasts_ms();
        let disturbed = plot.wants_quiet() && at <= self.busy_until;
        // A week turns within days, and one habit at a time is told of a terminal.
        let again = plot.is_habit() && (self.had_habit || settings.days > 1)
            || plot.is_of_numbers() && (self.turned || self.reset || !whole);
        // A line that names its cashier makes a habit of what happens often.
        let counted = settings.spoken_only
            && match plot {
                Plot::PrintCancelled | Plot::PrintCancelledAtKey => self.counted.0 >= 4,
                Plot::Voided | Plot::VoidedWithoutSlip => self.counted.1 >= 3,
                _ => false,
            };
        let unheard = plot == Plot::SilentTerminal && !settings.hours;
        // Its report is that of a close.
        let unclosed = plot == Plot::ReportPrinted && !self.closes;
        !(self.bare && plot != Plot::Sale || stormy || slow || disturbed || again)
            && !(counted || unheard || unclosed)
    }

    /// Turns the numbers that a plot is about, before it takes them.
    pub(super) fn turn_numbers(&mut self, plot: Plot, dice: &mut Dice) {
        self.application = dice.below(self.applications.len() as u64) as usize;
        let own = &mut self.applications[self.application];
        match plot {
            Plot::TraceBack => own.stan -= dice.between(5_000, 20_000) as u32,
            Plot::CounterReset => own.stan = dice.below(200) as u32,
            Plot::DeviceSwapped => own.stan = dice.between(500_000, 900_000) as u32,
            Plot::TraceJumped => own.stan = (own.stan + 500).min(TRACE_END - 5),
            Plot::BatchRepeated => own.ahead = true,
            Plot::TraceSkipped => own.stan = (own.stan + 40).min(TRACE_END - 2),
            _ => {}
        }
        self.turned |= plot.is_of_numbers();
        self.had_habit |= plot.is_habit();
        match plot {
            Plot::PrintCancelled | Plot::PrintCancelledAtKey => self.counted.0 += 1,
            Plot::Voided | Plot::VoidedWithoutSlip => self.counted.1 += 1,
            _ => {}
        }
    }

    /// The batch of a plot's next payment; `given` were before it.
    pub(super) fn batch_of(&self, plot: Plot, given: usize) -> u32 {
        let batch = self.application().batch;
        // The next one, and back again.
        if plot == Plot::BatchRepeated && given == 1 { batch + 1 } else { batch }
    }

    /// What is told of an approval without the host that is left to the close of the day: `last_close` is the last
    /// night's. Absent where a close is in time; else whether it stands in the end.
    pub(super) fn upload_missing(&self, approved: i64, last_close: i64) -> Option<bool> {
        let heard_long_enough = approved + UPLOAD_MS + 2 * MINUTE < last_close;
        (!self.closes && heard_long_enough).then_some(!self.closes_at_last)
    }

    /// Takes in what was played.
    pub(super) fn played(&mut self, plot: Plot, at: i64, played: &Played) {
        let printed = played.acts.iter().any(|act| matches!(act.body, Body::SlipPrinted { .. }));
        self.bare = leaves_a_debit_bare(played) || self.bare && !printed;
        self.reset = false;
        let last = played.acts.iter().map(|act| act.at).max().unwrap_or(at);
        self.busy_until = self.busy_until.max(last);
        let unanswered = |body: &Body| match body {
            Body::AuthorizationTimedOut(_) => true,
            Body::AuthorizationAnswered { response_code, .. } => response_code.demands_reversal(),
            _ => false,
        };
        let undone = played.acts.iter().filter(|act| unanswered(&act.body)).map(|act| act.at);
        self.undone.extend(undone);
        self.undone.retain(|undone| *undone > at - STORM_MS);
        if plot == Plot::ReversalStorm {
            self.no_undo_until = last + CALM_MS + 5 * MINUTE;
        }
        if plot == Plot::SilentTerminal {
            let first = played.acts.first().map_or(at, |act| act.at);
            self.mute = (at, first);
        }
    }

    /// Counts a payment into its batch.
    pub(super) fn count(&mut self, at: i64, outcome: &Outcome) {
        let minor = outcome.ticket.keys.amount.map_or(0, |amount| amount.minor.abs());
        match (outcome.kind, outcome.debited) {
            ("sale" | "completion", Some(debited)) => {
                self.sums.debit.add(minor);
                self.batch_begun.get_or_insert(debited);
            }
            ("void", _) => {
                self.sums.credit.add(minor);
                self.sums.voided.add(minor);
                self.batch_begun.get_or_insert(at);
            }
            ("refund", _) => {
                self.sums.credit.add(minor);
                self.batch_begun.get_or_insert(at);
            }
            _ => {}
        }
    }

    /// Its batch was closed.
    pub(super) fn closed(&mut self, at: i64, settings: &FleetSettings) {
        self.begin_batch(at);
        if !settings.spoken_only {
            for own in &mut self.applications {
                // One that was used before its time is not handed out again.
                own.batch = (own.batch + u32::from(own.ahead)) % (TRACE_END - 1) + 1;
                own.ahead = false;
            }
        }
        self.turned = false;
        // A close ends with a sign-on.
        self.reset = true;
    }

    /// The sums begin anew.
    pub(super) fn begin_batch(&mut self, at: i64) {
        self.overdue = self.overdue.or(self.overdue_since(at));
        (self.sums, self.batch_begun) = (Sums::default(), None);
    }

    /// Since when it is overdue that its batch be closed.
    pub(super) fn overdue_since(&self, at: i64) -> Option<i64> {
        self.batch_begun.map(|begun| begun + OVERDUE_MS).filter(|due| *due < at)
    }

    /// Its last debit has no slip, and nothing was printed since.
    pub(super) fn is_bare(&self) -> bool {
        self.bare
    }

    /// Whether its clock's error must be told, and whether it is over: by the median of the last twenty answers, of
    /// which the first five tell nothing.
    pub(super) fn skew(&self) -> Option<bool> {
        let (slow, right) = self.answers;
        let told = matches!(self.clock, Clock::Slow(_)) || slow > 0;
        let last = (slow + right).min(20);
        (told && slow >= 5).then_some(right * 2 > last)
    }

    /// The numbers of its next payment.
    pub(super) fn numbers(
        &mut self,
        plot: Plot,
        given: usize,
        amount_minor: i64,
        last_four: u16,
        order: String,
        dice: &mut Dice,
    ) -> Numbers {
        let stan = self.next_stan(dice);
        let batch = self.batch_of(plot, given);
        // Two wallets that show no payer are one after trouble, when they pay the same: that is no chance's to play.
        let mut amount_minor = amount_minor;
        while self.make.wallets && self.amounts.contains(&amount_minor) {
            amount_minor = dice.between(300, 90_000);
        }
        self.amounts.rotate_right(1);
        self.amounts[0] = amount_minor;
        Numbers { stan, void_stan: 0, batch, amount_minor, last_four, order }
    }
}
