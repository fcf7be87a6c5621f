//! A day of one shop: its agent, its terminals, when people come, what goes wrong, in the order in which its agent
//! numbers it. Holds what is to come of a few minutes and nothing else.

use super::make::Make;
use super::money::{self, MoneyFault, SettledRow};
use super::plot::{ALERT_MS, Outcome, Plot};
use super::script::{Act, Line, Numbers, Ticket};
use super::truth::{CauseTruth, FindingTruth, Truth};
use super::{FleetSettings, UTC_OFFSET_MINUTES, WALL_MS_AT_MIDNIGHT};
use crate::dice::Dice;
use crate::terminal::Word;
use slipwatch_collector::correlate::policy::{AgentName, OpeningHours};
use slipwatch_shared::event::{
    Body, DecodeFailure, Event, Evidence, LineCounts, LossReason, Seq, SettlementResult,
    SourceDescription, SourceId, SourceLoss,
};
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::{BootId, DeviceTime, EventTime, Observed, Uptime};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// What a shop has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The agent's next event; with the word that the voices have for it, where they have one, and its payment.
    Event(Event, Option<(Word, Box<Numbers>)>),
    /// What a payment is; told when nothing can cloud it any more.
    Truth(Box<Truth>),
    /// A row of the acquirer's file that no payment stands behind.
    Row(Box<SettledRow>),
}

/// When a kind of shop is open and when it is full.
struct Rhythm {
    from_minute: u16,
    to_minute: u16,
    /// Hours of the day in which three times as many come.
    peaks: &'static [i64],
    /// Amounts that are taken again and again, in minor units.
    usual: &'static [i64],
}

const RHYTHMS: [Rhythm; 4] = [
    Rhythm { from_minute: 420, to_minute: 1200, peaks: &[8, 9], usual: &[1_500, 1_800, 2_200] },
    Rhythm { from_minute: 660, to_minute: 1320, peaks: &[12, 18, 19], usual: &[] },
    Rhythm { from_minute: 480, to_minute: 1320, peaks: &[10, 17, 18], usual: &[] },
    Rhythm { from_minute: 1080, to_minute: 120, peaks: &[22, 23], usual: &[5_000] },
];

/// One terminal of a shop.
#[derive(Clone, Debug)]
pub struct Till {
    /// Its number.
    pub terminal: TerminalId,
    /// Its make.
    pub make: &'static Make,
    /// The source of its own line; the printer's is the next one, where there is one.
    source: u16,
    stan: u32,
    batch: u32,
    sold: u32,
    /// Its lines are not heard until then.
    deaf: [i64; 2],
    /// The next thing it says comes out garbled.
    garbled: bool,
}

/// What is to come.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Open { till: usize, line: usize },
    Pulse,
    Sell { till: usize },
    Act { till: usize, act: Box<Act>, numbers: Option<Box<Numbers>> },
    Truth { truth: Box<Truth> },
    Close,
    Mishap,
    Mended { from: Seq },
}

/// Something at a time; what was entered first comes first.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    at: i64,
    order: u32,
    item: Item,
}

impl Ord for Entry {
    fn cmp(&self, other: &Entry) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Entry) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// One shop.
#[derive(Clone, Debug)]
pub struct Shop {
    /// Its agent.
    pub name: AgentName,
    /// Its terminals.
    pub tills: Vec<Till>,
    merchant: String,
    rhythm: usize,
    dice: Dice,
    agenda: BinaryHeap<Reverse<Entry>>,
    entered: u32,
    seq: u64,
    boot: u8,
    booted: i64,
    orders: u32,
    card: u16,
    /// Numbers are being lost.
    losing: bool,
    ends: i64,
}

impl Shop {
    /// The shop of this place in a fleet, with so many terminals, the first of which is the fleet's `first`.
    ///
    /// # Panics
    /// Never: names of this shape are sound.
    pub fn new(place: usize, first: usize, tills: usize, settings: &FleetSettings) -> Shop {
        let mut dice =
            Dice::new(settings.seed ^ (place as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut source = 1;
        let mut till = |number: usize, dice: &mut Dice| {
            let make = loop {
                let make = dice.pick(&Make::ALL);
                if !settings.spoken_only || make.voice.is_some() {
                    break make;
                }
            };
            let till = Till {
                terminal: format!("F{:07}", first + number).parse().expect("eight characters"),
                make,
                source,
                stan: dice.below(999_999) as u32,
                // The voices write this batch and no other.
                batch: if settings.spoken_only { 1 } else { 1 + dice.below(900_000) as u32 },
                sold: 0,
                deaf: [i64::MIN; 2],
                garbled: false,
            };
            source += 1 + u16::from(make.two_lines);
            till
        };
        let tills: Vec<Till> = (0..tills).map(|number| till(number, &mut dice)).collect();
        let mut shop = Shop {
            name: AgentName {
                store: format!("shop-{place}").parse().expect("a store"),
                agent: format!("agent-{place}").parse().expect("an agent"),
            },
            tills,
            merchant: format!("898310{:09}", place / 8),
            rhythm: dice.below(RHYTHMS.len() as u64) as usize,
            agenda: BinaryHeap::new(),
            entered: 0,
            seq: 0,
            boot: 1,
            booted: -60_000 - dice.between(0, DAY),
            orders: 0,
            card: dice.below(10_000) as u16,
            losing: false,
            ends: i64::from(settings.days) * DAY,
            dice,
        };
        shop.plan(settings);
        shop
    }

    fn plan(&mut self, settings: &FleetSettings) {
        let start = self.dice.between(0, 50_000);
        for till in 0..self.tills.len() {
            for line in 0..1 + usize::from(self.tills[till].make.two_lines) {
                self.enter(start, Item::Open { till, line });
            }
        }
        let Rhythm { from_minute, to_minute, .. } = RHYTHMS[self.rhythm];
        for day in 0..i64::from(settings.days) {
            let opens = day * DAY + i64::from(from_minute) * MINUTE;
            let mut closes = day * DAY + i64::from(to_minute) * MINUTE;
            if closes <= opens {
                closes += DAY;
            }
            self.ends = self.ends.max(closes + 2 * HOUR);
            for till in 0..self.tills.len() {
                let first = opens + self.gap(opens, settings);
                self.enter(first, Item::Sell { till });
            }
            self.enter(opens - 5 * MINUTE, Item::Pulse);
            // Whatever a late reprint or reversal does is over by then.
            self.enter(closes + 45 * MINUTE, Item::Close);
            if settings.mishaps {
                for _ in 0..2 {
                    let at = self.dice.between(opens, closes);
                    self.enter(at, Item::Mishap);
                }
            }
        }
    }

    /// The shop's opening hours.
    pub fn opening(&self) -> OpeningHours {
        let Rhythm { from_minute, to_minute, .. } = RHYTHMS[self.rhythm];
        OpeningHours { from_minute, to_minute, utc_offset_minutes: UTC_OFFSET_MINUTES }
    }

    fn enter(&mut self, at: i64, item: Item) {
        self.entered += 1;
        self.agenda.push(Reverse(Entry { at, order: self.entered, item }));
    }

    /// When it next has something to say; absent when its days are over.
    pub fn next_at(&self) -> Option<i64> {
        self.agenda.peek().map(|entry| entry.0.at)
    }

    /// Says what is next.
    pub fn step(&mut self, settings: &FleetSettings, out: &mut VecDeque<Told>) {
        let Some(Reverse(Entry { at, item, .. })) = self.agenda.pop() else { return };
        match item {
            Item::Open { till, line } => self.open(at, till, line, out),
            Item::Pulse => self.pulse(at, settings, out),
            Item::Sell { till } => self.sell(at, till, settings),
            Item::Act { till, act, numbers } => self.act(at, till, *act, numbers, out),
            Item::Truth { truth } => out.push_back(Told::Truth(truth)),
            Item::Close => self.close(at, settings, out),
            Item::Mishap => self.mishap(at, out),
            Item::Mended { from } => {
                self.losing = false;
                let through = Seq(self.seq + 1);
                let body = Body::Lost { from, through, reason: LossReason::SpoolFull };
                self.say(at, SourceId::AGENT, None, body, None, out);
            }
        }
    }

    // ---- what is said ----

    fn say(
        &mut self,
        at: i64,
        source: SourceId,
        terminal: Option<TerminalId>,
        body: Body,
        word: Option<(Word, Box<Numbers>)>,
        out: &mut VecDeque<Told>,
    ) {
        self.seq += 1;
        if self.losing {
            return;
        }
        let wall = WALL_MS_AT_MIDNIGHT + at;
        let device_time = (source.0 != 0 && body.keys().is_some()).then(|| device_time(wall));
        out.push_back(Told::Event(
            Event {
                seq: Seq(self.seq),
                source,
                terminal,
                observed: Observed {
                    boot: BootId([self.boot; 16]),
                    uptime: Uptime((at - self.booted).max(0).unsigned_abs()),
                    wall: EventTime(wall),
                    synchronised: true,
                },
                device_time,
                body,
                evidence: Evidence::None,
            },
            word,
        ));
    }

    fn open(&mut self, at: i64, till: usize, line: usize, out: &mut VecDeque<Told>) {
        let Till { make, source, terminal, .. } = self.tills[till];
        let description = SourceDescription {
            name: if line == 0 { "terminal" } else { "printer" }.into(),
            dialect: make.voice.map_or("fleet", |voice| voice.dialect()).into(),
            hears_money: line == 0,
            hears_slips: line == 1 || !make.two_lines,
            two_way: true,
            historical: false,
        };
        let source = SourceId(source + line as u16);
        self.say(at, source, Some(terminal), Body::SourceOpened(description), None, out);
    }

    fn pulse(&mut self, at: i64, settings: &FleetSettings, out: &mut VecDeque<Told>) {
        for till in 0..self.tills.len() {
            let Till { make, source, terminal, deaf, .. } = self.tills[till];
            let lines = 1 + usize::from(make.two_lines);
            for (line, deaf_until) in deaf.iter().enumerate().take(lines) {
                if *deaf_until < at {
                    let source = SourceId(source + line as u16);
                    let body = Body::Pulse(LineCounts::default());
                    self.say(at, source, Some(terminal), body, None, out);
                }
            }
        }
        let Rhythm { from_minute, to_minute, .. } = RHYTHMS[self.rhythm];
        let minute = (at.rem_euclid(DAY) / MINUTE) as u16;
        // An hour of pulses after the close settles what was said last.
        let late = (to_minute + 90) % 1440;
        let open = match from_minute < late {
            true => (from_minute.saturating_sub(5)..late).contains(&minute),
            false => minute >= from_minute - 5 || minute < late,
        };
        if open && at + settings.pulse_ms <= self.ends {
            self.enter(at + settings.pulse_ms, Item::Pulse);
        }
    }

    fn act(
        &mut self,
        at: i64,
        till: usize,
        act: Act,
        numbers: Option<Box<Numbers>>,
        out: &mut VecDeque<Told>,
    ) {
        let found = &mut self.tills[till];
        let line = usize::from(act.line == Line::Slips && found.make.two_lines);
        let source = SourceId(found.source + line as u16);
        let terminal = Some(found.terminal);
        if found.deaf[line] >= at {
            return;
        }
        if std::mem::take(&mut found.garbled) {
            let reason = DecodeFailure::Torn;
            return self.say(at, source, terminal, Body::DecodeFailed { reason }, None, out);
        }
        let word = act.word.zip(numbers);
        self.say(at, source, terminal, act.body, word, out);
    }

    // ---- what happens ----

    fn gap(&mut self, now: i64, settings: &FleetSettings) -> i64 {
        let rhythm = &RHYTHMS[self.rhythm];
        let mut open = i64::from(rhythm.to_minute) - i64::from(rhythm.from_minute);
        if open <= 0 {
            open += 1440;
        }
        let hour = now.rem_euclid(DAY) / HOUR;
        let weight = if rhythm.peaks.contains(&hour) { 3 } else { 1 };
        // Peaks take a third of the day's sales or so.
        let mean = open * MINUTE * 5 / 4 / i64::from(settings.sales_a_day.max(1)) / weight;
        self.dice.between(mean / 4 + 5_000, mean * 7 / 4 + 6_000)
    }

    fn is_open(&self, at: i64) -> bool {
        let Rhythm { from_minute, to_minute, .. } = RHYTHMS[self.rhythm];
        let minute = (at.rem_euclid(DAY) / MINUTE) as u16;
        match from_minute < to_minute {
            true => (from_minute..to_minute).contains(&minute),
            false => minute >= from_minute || minute < to_minute,
        }
    }

    fn sell(&mut self, at: i64, till: usize, settings: &FleetSettings) {
        if !self.is_open(at) {
            return;
        }
        let make = self.tills[till].make;
        let plot = self.pick(make, settings);
        let mut dice = self.dice.fork();
        let mut given: Vec<Numbers> = Vec::new();
        let mut next = |dice: &mut Dice| {
            let numbers = self.numbers(till, dice);
            given.push(numbers.clone());
            Ticket::new(make, numbers, dice)
        };
        let played = plot.play(make, at, &mut dice, &mut next);
        assert!(!settings.spoken_only || played.spoken, "{} has words", plot.label());
        // The second of two is for the same goods, and mostly with the same card.
        if let [first, second, ..] = given.as_mut_slice() {
            second.amount_minor = first.amount_minor;
            if plot != Plot::TwoCoffees {
                second.last_four = first.last_four;
            }
        }
        let void = given.get(1).map(|numbers| numbers.stan);
        let first = given
            .first()
            .cloned()
            .map(|first| Box::new(Numbers { void_stan: void.unwrap_or_default(), ..first }));
        for act in played.acts {
            let numbers = settings.spoken_only.then(|| {
                // A word of the second payment is told with its own numbers, one of its void with the first's.
                let own = act.body.keys().and_then(|keys| keys.stan).map(|stan| stan.number());
                let is_second = own.is_some() && own == void && !is_undo(&act.body);
                if is_second {
                    Box::new(given[1].clone())
                } else {
                    first.clone().expect("a payment")
                }
            });
            self.enter(act.at, Item::Act { till, act: Box::new(act), numbers });
        }
        for outcome in played.outcomes {
            let (truth, until) = self.truth(till, plot, at, outcome, settings);
            self.enter(until + settings.pulse_ms + MINUTE, Item::Truth { truth });
        }
        let gap = self.gap(at, settings);
        self.enter((at + gap).max(played.until + 5_000), Item::Sell { till });
    }

    fn pick(&mut self, make: &Make, settings: &FleetSettings) -> Plot {
        if self.dice.below(1000) >= settings.trouble_per_mille {
            return Plot::Sale;
        }
        loop {
            let plot = *self.dice.pick(Plot::ALL);
            if plot.fits(make) && (!settings.spoken_only || is_spoken(plot)) {
                return plot;
            }
        }
    }

    fn numbers(&mut self, till: usize, dice: &mut Dice) -> Numbers {
        let usual = RHYTHMS[self.rhythm].usual;
        let amount_minor = match !usual.is_empty() && dice.percent(40) {
            true => *dice.pick(usual),
            false => dice.between(300, 90_000),
        };
        // No card comes twice into one shop within ten thousand payments, but where a plot wants it so.
        self.card = (self.card + 7_919) % 10_000;
        self.orders += 1;
        let found = &mut self.tills[till];
        // A trace is used up by sign-ons, queries and closes as well.
        found.stan = (found.stan + dice.below(2) as u32) % 999_999 + 1;
        let batch = found.batch;
        Numbers {
            stan: found.stan,
            void_stan: 0,
            batch,
            amount_minor,
            last_four: self.card,
            order: format!("{}-{:08}", self.name.store, self.orders),
        }
    }

    fn truth(
        &mut self,
        till: usize,
        plot: Plot,
        at: i64,
        outcome: Outcome,
        settings: &FleetSettings,
    ) -> (Box<Truth>, i64) {
        let found = &mut self.tills[till];
        found.sold += 1;
        let Outcome { ticket, kind, verdict, reason, findings, cause, debited, taken } = outcome;
        let amount_minor = ticket.keys.amount.map_or(0, |amount| amount.minor);
        let wall = |at: i64| WALL_MS_AT_MIDNIGHT + at;
        let order = ticket.keys.order_number.as_ref().map(|order| order.to_string());
        let row = SettledRow {
            file_day: 1,
            merchant: self.merchant.clone(),
            terminal: found.terminal.to_string(),
            batch: ticket.keys.batch_number.map_or(0, |batch| batch.number()),
            stan: ticket.stan(),
            rrn: Some(ticket.rrn.clone()),
            order: order.clone(),
            last_four: ticket.keys.card.and_then(|card| card.pan).map(|pan| pan.last_four()),
            kind: kind.into(),
            at_ms: wall(debited.unwrap_or(at)),
            amount_minor,
            fee_minor: money::fee(amount_minor),
            fault: None,
        };
        let trouble = settings.trouble_per_mille / 4;
        let (settled, _) = money::settle(row, taken, trouble, &mut self.dice);
        let settled = if kind == "sale" || kind == "completion" { settled } else { Vec::new() };
        let truth = Truth {
            plot: plot.label().into(),
            store: self.name.store.to_string(),
            agent: self.name.agent.to_string(),
            terminal: found.terminal.to_string(),
            make: found.make.name.into(),
            kind: kind.into(),
            amount_minor,
            stan: ticket.stan(),
            batch: ticket.keys.batch_number.map_or(0, |batch| batch.number()),
            order,
            begun_ms: wall(at),
            debited_ms: debited.map(wall),
            verdict: verdict.into(),
            reason: reason.map(Into::into),
            findings: findings
                .into_iter()
                .map(|(code, open)| FindingTruth { code: code.into(), open })
                .collect(),
            cause: cause
                .map(|(class, detail)| CauseTruth { class: class.into(), detail: detail.into() }),
            clouded: self.is_clouded(till, at),
            settled,
        };
        // An undo that is told late is told within the hour.
        (Box::new(truth), debited.unwrap_or(at + 30 * MINUTE).max(at) + ALERT_MS)
    }

    /// The close of the day: totals, and the rows that nobody made.
    fn close(&mut self, at: i64, settings: &FleetSettings, out: &mut VecDeque<Told>) {
        for till in 0..self.tills.len() {
            let Till { source, terminal, batch, deaf, .. } = self.tills[till];
            if deaf.iter().any(|deaf| *deaf >= at) {
                continue;
            }
            let number = format!("{batch:06}").parse().ok();
            let source = SourceId(source);
            let terminal_id = Some(terminal);
            let begins = Body::SettlementStarted { batch_number: number };
            self.say(at, source, terminal_id, begins, None, out);
            let result = SettlementResult::Balanced;
            let ends = Body::SettlementClosed { batch_number: number, result };
            self.say(at, source, terminal_id, ends, None, out);
            let opened = Body::SignedOn { batch_number: number };
            self.say(at, source, terminal_id, opened, None, out);
            let found = &mut self.tills[till];
            if !settings.spoken_only {
                found.batch = batch % 999_998 + 1;
            }
            if self.dice.below(1000) < settings.trouble_per_mille / 20 {
                let fault = *self.dice.pick(&[MoneyFault::Phantom, MoneyFault::Deduction]);
                let phantom = fault == MoneyFault::Phantom;
                let amount_minor = self.dice.between(500, 50_000);
                out.push_back(Told::Row(Box::new(SettledRow {
                    file_day: 1,
                    merchant: self.merchant.clone(),
                    terminal: if phantom { terminal.to_string() } else { String::new() },
                    batch: if phantom { batch } else { 0 },
                    stan: if phantom { 999_998 } else { 0 },
                    rrn: phantom.then(|| format!("9{:011}", self.dice.below(99_999_999_999))),
                    order: None,
                    last_four: None,
                    kind: if phantom { "sale" } else { "deduction" }.into(),
                    at_ms: WALL_MS_AT_MIDNIGHT + at - HOUR,
                    amount_minor: if phantom { amount_minor } else { -amount_minor },
                    fee_minor: 0,
                    fault: Some(fault),
                })));
            }
        }
    }

    /// A line is pulled out, an agent dies, numbers are lost, something comes out garbled. All that was open then, or
    /// begins before it is over, is clouded.
    fn mishap(&mut self, at: i64, out: &mut VecDeque<Told>) {
        let till = self.dice.below(self.tills.len() as u64) as usize;
        let lasts = self.dice.between(1_000, 3 * MINUTE);
        match self.dice.below(5) {
            0 => {
                let line = usize::from(self.tills[till].make.two_lines && self.dice.percent(50));
                let Till { source, terminal, .. } = self.tills[till];
                let source = SourceId(source + line as u16);
                let body = Body::SourceLost { reason: SourceLoss::Unplugged };
                self.say(at, source, Some(terminal), body, None, out);
                self.tills[till].deaf[line] = at + lasts;
                self.enter(at + lasts + 1, Item::Open { till, line });
            }
            1 => self.tills[till].garbled = true,
            2 if !self.losing => {
                self.losing = true;
                let from = Seq(self.seq + 1);
                self.enter(at + lasts, Item::Mended { from });
            }
            other => {
                // The agent, or its whole machine, starts anew.
                for till in 0..self.tills.len() {
                    for line in 0..1 + usize::from(self.tills[till].make.two_lines) {
                        self.tills[till].deaf[line] = at + lasts;
                        self.enter(at + lasts + 1, Item::Open { till, line });
                    }
                }
                if other == 4 {
                    (self.boot, self.booted) = (self.boot.wrapping_add(1), at + lasts - 20_000);
                }
            }
        }
        self.cloud();
    }

    fn is_clouded(&self, till: usize, at: i64) -> bool {
        let Till { deaf, garbled, .. } = &self.tills[till];
        self.losing || *garbled || deaf.iter().any(|deaf| *deaf >= at)
    }

    /// Whatever is open cannot be known any more.
    fn cloud(&mut self) {
        let mut entries = std::mem::take(&mut self.agenda).into_vec();
        for Reverse(entry) in &mut entries {
            if let Item::Truth { truth } = &mut entry.item {
                truth.clouded = true;
            }
        }
        self.agenda = entries.into();
    }
}

fn is_undo(body: &Body) -> bool {
    matches!(body, Body::Void { .. } | Body::Refund { .. } | Body::Completion { .. })
}

fn is_spoken(plot: Plot) -> bool {
    matches!(
        plot,
        Plot::Sale
            | Plot::Declined
            | Plot::Abandoned
            | Plot::PaperOut
            | Plot::NoSlip
            | Plot::PrintCancelled
            | Plot::MerchantCopyOnly
            | Plot::Rerun
            | Plot::TimeoutLost
            | Plot::TimeoutReversed
            | Plot::ReversedLate
            | Plot::ReversedLazily
            | Plot::LateAnswer
            | Plot::PaperChanged
            | Plot::LateReprint
            | Plot::ReprintedAgain
            | Plot::ElectronicSlip
            | Plot::SlipUnwanted
            | Plot::Voided
            | Plot::VoidedWithoutSlip
    )
}

/// The shop's local time, as a device prints it.
fn device_time(wall_ms: i64) -> DeviceTime {
    let local = wall_ms + i64::from(UTC_OFFSET_MINUTES) * MINUTE;
    let of_day = local.rem_euclid(DAY);
    let (year, month, day) = civil(local.div_euclid(DAY));
    DeviceTime {
        year: Some(year),
        month_day: Some((month, day)),
        hour: (of_day / HOUR) as u8,
        minute: (of_day / MINUTE % 60) as u8,
        second: (of_day / 1000 % 60) as u8,
        millisecond: (of_day % 1000) as u16,
    }
}

/// A day since 1970 as year, month and day of the Gregorian calendar, reckoned in years that begin in March.
fn civil(days: i64) -> (u16, u8, u8) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    (year as u16, month as u8, day as u8)
}
