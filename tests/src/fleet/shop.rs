//! A day of one shop: its agent, its terminals, when people come, what goes wrong, in the order in which its agent
//! numbers it. Holds what is to come of a few minutes and nothing else.

use super::clock::device_time;
use super::make::Make;
use super::matter::CALM_MS;
use super::money::{self, SettledRow};
use super::plot::{ALERT_MS, Matter, Outcome, Plot};
use super::script::{Act, Line, Numbers, Ticket};
use super::till::{Clock, Till};
use super::truth::{CauseTruth, FindingTruth, Incident, Truth};
use super::{FleetSettings, UTC_OFFSET_MINUTES, WALL_MS_AT_MIDNIGHT};
use crate::dice::Dice;
use crate::terminal::Word;
use slipwatch_collector::correlate::policy::{AgentName, OpeningHours};
use slipwatch_shared::event::{
    Body, DecodeFailure, Event, Evidence, LineCounts, LossReason, Seq, SourceDescription, SourceId,
    SourceLoss,
};
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::{BootId, EventTime, Observed, Uptime};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// A storm is over by then, and whatever else lasts behind its plot.
const CALM_AFTER_MS: i64 = CALM_MS + 2 * MINUTE;
/// So many answers show that a clock is slow before somebody signs on.
const MENDED_AFTER: u32 = 13;
/// When nobody's host answers, in a fleet that has an outage: a quarter of an hour of the first day, when all are open.
pub const OUTAGE: (i64, i64) = (12 * HOUR + 5 * MINUTE, 12 * HOUR + 17 * MINUTE);

/// What a shop has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The agent's next event; with the word that the voices have for it, where they have one, and its payment.
    Event(Event, Option<(Word, Box<Numbers>)>),
    /// What a payment is; told when nothing can cloud it any more.
    Truth(Box<Truth>),
    /// What is to be said of a terminal or an agent; told like a truth.
    Incident(Box<Incident>),
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

/// What is to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Open { till: usize, line: usize },
    Pulse,
    Sell { till: usize },
    Act { till: usize, act: Box<Act>, numbers: Option<Box<Numbers>> },
    Truth { truth: Box<Truth> },
    Incident { incident: Box<Incident> },
    Morning,
    Close { last: bool },
    Upload { till: usize },
    ClockSet,
    End,
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
    pub(super) merchant: String,
    rhythm: usize,
    pub(super) dice: Dice,
    agenda: BinaryHeap<Reverse<Entry>>,
    entered: u32,
    seq: u64,
    boot: u8,
    booted: i64,
    orders: u32,
    card: u16,
    /// Numbers are being lost.
    losing: bool,
    /// The agent's clock is not set until then, and shows so much less.
    unset_until: i64,
    unset_ms: i64,
    /// How often something was lost.
    pub mishaps: usize,
    /// No host answers from when until when.
    outage: Option<(i64, i64)>,
    /// When the batches of the last day are closed.
    last_close: i64,
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
            let number = format!("F{:07}", first + number).parse().expect("eight characters");
            let till = Till::new(number, make, source, settings, dice);
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
            // At noon all that have to do with an outage are open.
            rhythm: dice.below(RHYTHMS.len() as u64 - u64::from(settings.outage)) as usize,
            agenda: BinaryHeap::new(),
            entered: 0,
            seq: 0,
            boot: 1,
            booted: -60_000 - dice.between(0, DAY),
            orders: 0,
            card: dice.below(10_000) as u16,
            losing: false,
            unset_until: i64::MIN,
            unset_ms: 0,
            mishaps: 0,
            outage: settings.outage.then_some(OUTAGE),
            last_close: 0,
            ends: i64::from(settings.days) * DAY,
            dice,
        };
        if !settings.spoken_only && !settings.outage && shop.dice.percent(15) {
            // A small box without a battery: it comes up in another year.
            shop.unset_ms = shop.dice.between(300 * DAY, 9_000 * DAY);
        }
        shop.plan(settings);
        shop
    }

    fn plan(&mut self, settings: &FleetSettings) {
        let mut start = self.dice.between(0, 50_000);
        let Rhythm { from_minute, to_minute, .. } = RHYTHMS[self.rhythm];
        if to_minute <= from_minute {
            // Last night's hours are over before anybody listens.
            start += i64::from(to_minute) * MINUTE + HOUR;
        }
        for till in 0..self.tills.len() {
            for line in 0..1 + usize::from(self.tills[till].make.two_lines) {
                self.enter(start, Item::Open { till, line });
            }
        }
        for day in 0..i64::from(settings.days) {
            let opens = day * DAY + i64::from(from_minute) * MINUTE;
            let closes = opens + self.open_ms();
            let last = day + 1 == i64::from(settings.days);
            self.ends = self.ends.max(closes + 2 * HOUR);
            if day == 0 {
                // Yesterday is closed first, so that it is known what today's sums begin with.
                self.enter(opens - 4 * MINUTE, Item::Morning);
                if self.unset_ms > 0 {
                    let set = opens + self.dice.between(HOUR, 2 * HOUR);
                    self.unset_until = set;
                    self.enter(set, Item::ClockSet);
                }
            }
            for till in 0..self.tills.len() {
                let first = opens + self.gap(opens, settings);
                self.enter(first, Item::Sell { till });
            }
            if !settings.nights {
                self.enter(opens - 5 * MINUTE, Item::Pulse);
            } else if day == 0 {
                self.enter(start, Item::Pulse);
            }
            // Whatever a late reprint or reversal does is over by then.
            self.enter(closes + 45 * MINUTE, Item::Close { last });
            if last {
                self.last_close = closes + 45 * MINUTE;
                self.enter(closes + 85 * MINUTE, Item::End);
            }
            if settings.mishaps {
                for _ in 0..2 {
                    let at = self.dice.between(opens, closes);
                    self.enter(at, Item::Mishap);
                }
            }
        }
    }

    fn open_ms(&self) -> i64 {
        let Rhythm { from_minute, to_minute, .. } = RHYTHMS[self.rhythm];
        match i64::from(to_minute) - i64::from(from_minute) {
            minutes @ 1.. => minutes * MINUTE,
            minutes => minutes * MINUTE + DAY,
        }
    }

    /// When it opens on its first day, in milliseconds of the fleet's clock.
    pub fn opens_at(&self) -> i64 {
        i64::from(RHYTHMS[self.rhythm].from_minute) * MINUTE
    }

    /// The shop's opening hours.
    pub fn opening(&self) -> OpeningHours {
        let Rhythm { from_minute, to_minute, .. } = RHYTHMS[self.rhythm];
        let utc_offset_minutes = UTC_OFFSET_MINUTES;
        OpeningHours { from_minute, to_minute, utc_offset_minutes, ..OpeningHours::default() }
    }

    pub(super) fn enter(&mut self, at: i64, item: Item) {
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
            Item::Incident { incident } => out.push_back(Told::Incident(incident)),
            Item::Morning => self.morning(at, out),
            Item::Close { last } => self.close(at, last, settings, out),
            Item::Upload { till } => self.upload(at, till, out),
            Item::ClockSet => {
                let by_ms = self.unset_ms;
                self.say(at, SourceId::AGENT, None, Body::ClockStepped { by_ms }, None, out);
            }
            Item::End => self.end(at),
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

    pub(super) fn say(
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
        let till = self.tills.iter().find(|till| Some(till.terminal) == terminal);
        let ahead_ms = till.map_or(0, |till| till.clock.ahead_ms());
        let device_time =
            (source.0 != 0 && body.keys().is_some()).then(|| device_time(wall + ahead_ms));
        let unset = at < self.unset_until;
        out.push_back(Told::Event(
            Event {
                seq: Seq(self.seq),
                source,
                terminal,
                observed: Observed {
                    boot: BootId([self.boot; 16]),
                    uptime: Uptime((at - self.booted).max(0).unsigned_abs()),
                    wall: EventTime(if unset { wall - self.unset_ms } else { wall }),
                    synchronised: !unset,
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
            let Till { make, source, terminal, deaf, mute, .. } = self.tills[till];
            let lines = 1 + usize::from(make.two_lines);
            for (line, deaf_until) in deaf.iter().enumerate().take(lines) {
                if *deaf_until < at {
                    let source = SourceId(source + line as u16);
                    // A device that is on says something now and then that is no payment's.
                    let said = u64::from(self.is_open(at) && !(mute.0..mute.1).contains(&at));
                    let lines = if settings.hours { said } else { 0 };
                    let counts = LineCounts { lines, unmatched: lines, ..LineCounts::default() };
                    self.say(at, source, Some(terminal), Body::Pulse(counts), None, out);
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
        let pulse_ms = settings.pulse_ms;
        let ends = if settings.nights { settings.ends() } else { self.ends };
        if (open || settings.nights) && at + pulse_ms <= ends {
            self.enter(at + pulse_ms, Item::Pulse);
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
        self.say(at, source, terminal, act.body.clone(), word, out);
        self.note(at, till, &act.body, out);
    }

    /// What a word of a device means to what is told of it.
    fn note(&mut self, at: i64, till: usize, body: &Body, out: &mut VecDeque<Told>) {
        let found = &mut self.tills[till];
        match body {
            Body::DeviceRestarted | Body::SignedOn { .. } | Body::SettlementClosed { .. } => {
                found.reset |= !matches!(body, Body::SettlementClosed { .. });
                if let Some(odd) = found.odd_numbers.take() {
                    out.push_back(Told::Incident(Box::new(odd)));
                }
            }
            Body::AuthorizationAnswered { keys, .. } if keys.host_time.is_some() => {
                let slow = matches!(found.clock, Clock::Slow(_));
                let (wrong, right) = &mut found.answers;
                (*wrong, *right) = (*wrong + u32::from(slow), *right + u32::from(!slow));
                if *wrong == MENDED_AFTER && slow {
                    // Somebody signs on, and the clock is set by the host's.
                    found.clock = Clock::Right;
                    let body = Body::SignedOn { batch_number: None };
                    let act = Act { at: at + 2_000, line: Line::Money, body, word: None };
                    self.enter(at + 2_000, Item::Act { till, act: Box::new(act), numbers: None });
                }
            }
            _ => {}
        }
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
        if !self.is_open(at) || self.comes_left(at, settings) <= 0 {
            return;
        }
        let make = self.tills[till].make;
        let plot = self.pick(till, at, settings);
        let mut dice = self.dice.fork();
        self.tills[till].turn_numbers(plot, &mut dice);
        let mut given: Vec<Numbers> = Vec::new();
        let mut next = |dice: &mut Dice| {
            let numbers = self.numbers(till, plot, given.len(), dice);
            given.push(numbers.clone());
            let found = &self.tills[till];
            let mut ticket = Ticket::new(make, numbers, dice);
            ticket.keys.merchant = found.application().merchant;
            ticket.tells_time = found.clock != Clock::Untold;
            ticket
        };
        let played = plot.play(make, at, &mut dice, &mut next);
        assert!(!settings.spoken_only || played.spoken, "{} has words", plot.label());
        self.tills[till].played(plot, at, &played);
        self.write_down(plot, &played.outcomes, &mut given);
        for outcome in &played.outcomes {
            self.tills[till].count(at, outcome);
        }
        if plot == Plot::ReportPrinted {
            // Its report is that of a close.
            self.tills[till].begin_batch(played.until);
        }
        for matter in &played.matters {
            let over = played.until + CALM_AFTER_MS + settings.pulse_ms;
            self.tell_matter(till, plot, matter, over);
        }
        let begun = |outcome: &Outcome| {
            let own = Some(outcome.ticket.stan());
            let of = |act: &&Act| {
                act.body.keys().and_then(|keys| keys.stan).map(|stan| stan.number()) == own
            };
            played.acts.iter().find(of).map_or(at, |act| act.at)
        };
        let begun: Vec<i64> = played.outcomes.iter().map(begun).collect();
        for (outcome, begun) in played.outcomes.into_iter().zip(begun) {
            let (truth, until) = self.truth(till, plot, begun, outcome, settings);
            self.enter(until + settings.pulse_ms + MINUTE, Item::Truth { truth });
        }
        for act in played.acts {
            let numbers = settings.spoken_only.then(|| {
                // A word of a void is told with its sale's numbers.
                let own = act.body.keys().and_then(|keys| match is_undo(&act.body) {
                    true => keys.original.and_then(|original| original.stan),
                    false => keys.stan,
                });
                let own = own.map(|stan| stan.number());
                let of = |numbers: &&Numbers| Some(numbers.stan) == own;
                let found = given.iter().find(of).or(given.first());
                Box::new(found.expect("a plot has payments").clone())
            });
            self.enter(act.at, Item::Act { till, act: Box::new(act), numbers });
        }
        let gap = self.gap(at, settings);
        self.enter((at + gap).max(played.until + 5_000), Item::Sell { till });
    }

    /// The voices write numbers, not keys: those that a plot changed are written down as it has them.
    fn write_down(&mut self, plot: Plot, outcomes: &[Outcome], given: &mut [Numbers]) {
        let void = given.get(1).map_or(0, |numbers| numbers.stan);
        for numbers in given.iter_mut() {
            let of = |outcome: &&Outcome| outcome.ticket.stan() == numbers.stan;
            let Some(Outcome { ticket, .. }) = outcomes.iter().find(of) else { continue };
            // A part is asked for as a whole.
            if plot != Plot::PartialApproval {
                numbers.amount_minor =
                    ticket.keys.amount.map_or(numbers.amount_minor, |amount| amount.minor);
            }
            let pan = ticket.keys.card.and_then(|card| card.pan);
            numbers.last_four = pan.map_or(numbers.last_four, |pan| pan.last_four());
        }
        if let Some(first) = given.first_mut() {
            first.void_stan = void;
        }
    }

    fn tell_matter(&mut self, till: usize, plot: Plot, matter: &Matter, over: i64) {
        let incident = self.incident(Some(till), plot.label(), matter);
        if matter.code == "A20" {
            // It ends with a restart, a sign-on or a close, whichever is first.
            self.tills[till].odd_numbers = Some(incident);
            return;
        }
        self.enter(over, Item::Incident { incident: Box::new(incident) });
    }

    pub(super) fn incident(
        &self,
        till: Option<usize>,
        plot: &'static str,
        matter: &Matter,
    ) -> Incident {
        let (class, detail) = matter.cause;
        Incident {
            finding: matter.code.into(),
            plot: plot.into(),
            store: self.name.store.to_string(),
            agent: self.name.agent.to_string(),
            terminal: till.map(|till| self.tills[till].terminal.to_string()),
            acquirer: None,
            from_ms: WALL_MS_AT_MIDNIGHT + matter.from,
            open: matter.open,
            cause: CauseTruth { class: class.into(), detail: detail.into() },
            clouded: till.is_some_and(|till| self.is_clouded(till, matter.from)),
        }
    }

    fn pick(&mut self, till: usize, at: i64, settings: &FleetSettings) -> Plot {
        if self.dice.below(1000) >= settings.trouble_per_mille {
            return Plot::Sale;
        }
        let closes = at + self.comes_left(at, settings);
        let make = self.tills[till].make;
        if let Some((from, to)) = self.outage
            && (from..to).contains(&at)
        {
            // Nobody's host answers; two a terminal are no storm of its own.
            let plot = *self.dice.pick(&[Plot::OutageReversed, Plot::OutageLost]);
            let found = &self.tills[till];
            let may = plot.fits(make) && found.allows(plot, at, closes - at, settings);
            return if may { plot } else { Plot::Abandoned };
        }
        loop {
            let plot = *self.dice.pick(Plot::ALL);
            let found = &self.tills[till];
            let elsewhere = self.outage.is_some() && plot.undos() > 0 || plot.is_of_outage();
            // Without a clock nobody knows that the shop is open.
            let hourless = plot == Plot::SilentTerminal && at < self.unset_until;
            if plot.fits(make)
                && !hourless
                && (!settings.spoken_only || is_spoken(plot))
                && !elsewhere
                && found.allows(plot, at, closes - at, settings)
            {
                return plot;
            }
            if found.is_bare() {
                return Plot::Sale;
            }
        }
    }

    /// How long people will come yet.
    fn comes_left(&self, at: i64, settings: &FleetSettings) -> i64 {
        let left = self.open_left(at);
        match settings.comes_for_minutes {
            Some(minutes) => left.min(self.opens_at() + i64::from(minutes) * MINUTE - at),
            None => left,
        }
    }

    /// How long the shop will be open yet.
    fn open_left(&self, at: i64) -> i64 {
        let opened = i64::from(RHYTHMS[self.rhythm].from_minute) * MINUTE;
        (opened + self.open_ms() - at.rem_euclid(DAY)).rem_euclid(DAY)
    }

    fn numbers(&mut self, till: usize, plot: Plot, given: usize, dice: &mut Dice) -> Numbers {
        let usual = RHYTHMS[self.rhythm].usual;
        let amount_minor = match !usual.is_empty() && dice.percent(40) {
            true => *dice.pick(usual),
            false => dice.between(300, 90_000),
        };
        // No card comes twice into one shop within ten thousand payments, but where a plot wants it so.
        self.card = (self.card + 7_919) % 10_000;
        self.orders += 1;
        let order = format!("{}-{:08}", self.name.store, self.orders);
        self.tills[till].numbers(plot, given, amount_minor, self.card, order, dice)
    }

    fn truth(
        &mut self,
        till: usize,
        plot: Plot,
        at: i64,
        mut outcome: Outcome,
        settings: &FleetSettings,
    ) -> (Box<Truth>, i64) {
        if let (Plot::OfflineLeft, Some(approved)) = (plot, outcome.debited) {
            let missing = self.tills[till].upload_missing(approved, self.last_close);
            outcome.findings.extend(missing.map(|open| ("A15", open)));
        }
        let found = &self.tills[till];
        let Outcome { ticket, kind, verdict, reason, findings, parent, cause, debited, taken } =
            outcome;
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
                .map(|(code, open)| FindingTruth {
                    code: code.into(),
                    open,
                    parent: parent.map(Into::into),
                })
                .collect(),
            cause: cause
                .map(|(class, detail)| CauseTruth { class: class.into(), detail: detail.into() }),
            clouded: self.is_clouded(till, at),
            settled,
        };
        // An undo that is told late is told within the hour.
        (Box::new(truth), debited.unwrap_or(at + 30 * MINUTE).max(at) + ALERT_MS)
    }

    /// A line is pulled out, an agent dies, numbers are lost, something comes out garbled. All that was open then, or
    /// begins before it is over, is clouded.
    fn mishap(&mut self, at: i64, out: &mut VecDeque<Told>) {
        self.mishaps += 1;
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
            match &mut entry.item {
                Item::Truth { truth } => truth.clouded = true,
                Item::Incident { incident } => incident.clouded = true,
                _ => {}
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
            | Plot::OneCardTwice
            | Plot::AskedAnew
            | Plot::LateSuccess
            | Plot::OfflineUploaded
            | Plot::OfflineRefused
            | Plot::OfflineLeft
            | Plot::PrinterOut
            | Plot::SalesWithoutSlip
            | Plot::PaperOutBriefly
            | Plot::ReversalStorm
            | Plot::SilentTerminal
            | Plot::CardHabit
            | Plot::RegularCustomer
    )
}
