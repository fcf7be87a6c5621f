//! What is kept of a terminal beside its payments: counters, sums and states that the rules about a terminal read, and
//! the findings about it while they hold. Allocated when something of the kind is heard first. Judges nothing itself:
//! each word is handed to the rule it concerns, and what the rule says is compared with what was told.

use super::case::{CaseId, EventRef, Place, What};
use super::correlator::{Agent, Correlator};
use super::coverage::{Heard, Needs};
use super::facts::Sorts;
use super::finding::{
    Change, Finding, FindingChange, FindingId, FindingKind, Resolution, Stage, Subject,
};
use super::key;
use super::lean::{Lean, Marks, put_seldom, take_seldom};
use super::money::{self, Money, Undo};
use super::policy::{Policies, TerminalName, TerminalPolicy, Thresholds, WhoPrints};
use super::recall::Recall;
use super::rules::habit::{self, Cards, Deed, Operators};
use super::rules::printer::{self, ROW_MAX, Slipless};
use super::rules::sequence::{self, Numbers, Said};
use super::rules::storm::{self, Recent, Undone};
use super::rules::totals::Day;
use super::rules::{Stand, clock};
use super::shape::{ShapeError, shape_struct};
use super::terminal::Terminal;
use super::timeline::StreamTime;
use super::verdict::NotExpected;
use slipwatch_shared::event::{Event, Keys, Kind, SettlementResult, SettlementTotals};
use slipwatch_shared::terminal::OperatorNumber;
use slipwatch_shared::times::ArrivalTime;
use std::sync::Arc;

/// One kind of finding about a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matter {
    /// Which kind.
    pub kind: FindingKind,
    /// How often it was raised.
    pub times: u32,
    /// Since when it holds, or held last.
    pub since: StreamTime,
    /// As it was told, while it holds.
    pub finding: Option<Box<Finding>>,
}

/// What is kept of a terminal beside its payments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// Findings about the terminal, one entry a kind that was ever raised.
    pub matters: Vec<Matter>,
    recent: Option<Box<Recent>>,
    skews: Option<Box<clock::Skews>>,
    pub(super) numbers: Numbers,
    day: Option<Box<Day>>,
    operators: Option<Box<Operators>>,
    cards: Option<Box<Cards>>,
    /// Since when the printer is in trouble, whatever its kinds.
    out_since: Option<StreamTime>,
    /// Debits whose missing slip is told, in their order, since paper last came out.
    row: Vec<Slipless>,
}

impl Watch {
    /// The finding of a kind, while it holds.
    pub fn open(&self, kind: FindingKind) -> Option<&Matter> {
        self.matters.iter().find(|matter| matter.kind == kind && matter.finding.is_some())
    }

    /// Lets go of what time has made worthless, once a terminal has nothing in memory.
    pub(super) fn rest(&mut self, latest: StreamTime, thresholds: &Thresholds) {
        self.cards.take_if(|cards| cards.are_old(latest, thresholds));
    }
}

/// Where a word about a terminal was heard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot<'a> {
    pub(super) agent: usize,
    pub(super) terminal: usize,
    pub(super) event: &'a Event,
    pub(super) at: StreamTime,
    pub(super) reference: EventRef,
    pub(super) now: ArrivalTime,
}

/// A payment's money before and after a word about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moved {
    pub(super) first: EventRef,
    pub(super) opened: bool,
    pub(super) before: (Money, Undo),
    pub(super) after: (Money, Undo),
}

/// The thresholds of a terminal: its own, or those of all; absent where it is not judged.
pub(super) fn thresholds_of<'a>(
    terminal: &'a Terminal,
    policies: &'a Policies,
) -> Option<&'a Thresholds> {
    let policy = terminal.policy.as_ref()?;
    Some(policy.thresholds.as_deref().unwrap_or(&policies.thresholds))
}

impl Correlator {
    /// The life that numbers of now belong to.
    pub(super) fn life(&self, spot: &Spot<'_>, keys: &Keys) -> u16 {
        let terminal = &self.agents[spot.agent].terminals[spot.terminal];
        terminal.watch.as_ref().map_or(0, |watch| watch.numbers.life(keys.merchant))
    }

    /// The life that a new payment's numbers belong to. A20 where they are odd.
    pub(super) fn number(&mut self, spot: &Spot<'_>, keys: &Keys) -> u16 {
        let Some(stan) = keys.stan else { return self.life(spot, keys) };
        let Agent { coverage, terminals, timeline, offline, .. } = &mut self.agents[spot.agent];
        let terminal = &mut terminals[spot.terminal];
        let standard = self.policies.thresholds;
        let thresholds = *thresholds_of(terminal, &self.policies).unwrap_or(&standard);
        let said = Said { merchant: keys.merchant, stan, batch: keys.batch_number, at: spot.at };
        let id = terminal.id;
        let whole = |since| {
            let heard = Heard::of(coverage, id, timeline.latest, *offline);
            heard.hole_in(Needs::Money, since, spot.at).is_none()
        };
        let numbers = &mut terminal.watch.get_or_insert_default().numbers;
        let (life, odd) = numbers.note(said, whole, &thresholds);
        if let Some(odd) = odd {
            let stand = sequence::sequence_anomaly(odd, spot.at, spot.reference);
            self.settle(spot.agent, spot.terminal, FindingKind::SequenceAnomaly, stand, spot.now);
        }
        life
    }

    /// A word about a payment's money, as far as it concerns the terminal: A11, A16, A19, A21, A22.
    pub(super) fn watch_money(&mut self, spot: &Spot<'_>, what: What, keys: &Keys, moved: &Moved) {
        let Agent { terminals, .. } = &mut self.agents[spot.agent];
        let terminal = &mut terminals[spot.terminal];
        let Some(thresholds) = thresholds_of(terminal, &self.policies).copied() else { return };
        let Some(place) = terminal.position(moved.first) else { return };
        let case = &terminal.cases[place].case;
        let (kind, amount, card) = (case.kind, case.keys.amount, case.keys.card);
        let stan = case.keys.stan;
        let (operator, merchant) = (keys.operator.or(case.keys.operator), case.keys.merchant);
        let typed = card.and_then(|card| card.entry_mode)
            == Some(slipwatch_shared::card::EntryMode::Manual);
        let rerun = moved.opened && what == What::Requested && reruns(terminal, place, spot.at);
        let watch = terminal.watch.get_or_insert_default();
        let begun = moved.before.1 == Undo::None && moved.after.1 != Undo::None;
        let undone = begun && moved.after.1 != Undo::Acknowledged;
        if undone {
            let (at, event) = (spot.at, spot.reference);
            let recent = watch.recent.get_or_insert_default();
            recent.note(Undone { at, event, first: moved.first });
        }
        if let (Money::Aborted, Some(stan)) = (moved.after.0, stan) {
            watch.numbers.ended_unused(stan);
        }
        let took = moved.after.0.debited().filter(|_| moved.before.0.debited().is_none());
        if let (Some(debited), Some(day)) = (took, &mut watch.day) {
            day.take(kind, amount, debited);
        }
        let reversed = matches!(
            (moved.before.0, moved.after.0),
            (Money::Debited { .. }, Money::Undone { how: NotExpected::Reversed, .. })
        );
        if let (true, Some(debited), Some(day)) =
            (reversed, moved.before.0.debited(), &mut watch.day)
        {
            day.give_back(kind, amount, debited);
        }
        let refunded = kind == Kind::Refund;
        // Uploads tell of many sales in a row that were made over a day.
        let now = took.is_some() && !matches!(what, What::Uploaded(_));
        let habit = (now && (kind.is_debit() || refunded)).then_some(card).flatten();
        let habit = habit.and_then(|card| {
            let cards = watch.cards.get_or_insert_default();
            cards.note(&card, refunded, spot.at, spot.reference, &thresholds)
        });
        if undone {
            let recent = watch.recent.get_or_insert_default();
            let stand = storm::terminal_storm(recent, &thresholds);
            self.settle(spot.agent, spot.terminal, FindingKind::ReversalStorm, stand, spot.now);
            self.wake_storm(spot.agent, spot.terminal, &thresholds);
        }
        if moved.opened && what == What::Requested || undone {
            self.watch_route(spot, merchant, moved.opened, undone, &thresholds);
        }
        let deeds = [
            (took.is_some() && kind.is_debit(), Deed::Sale),
            (took.is_some() && kind == Kind::Void, Deed::Void),
            (took.is_some() && kind.is_debit() && typed, Deed::Typed),
            (rerun, Deed::Rerun),
        ];
        for (_, deed) in deeds.into_iter().filter(|(done, _)| *done) {
            self.watch_operator(spot, operator, deed);
        }
        if let Some(held) = habit {
            self.tell_habit(spot, moved.first, held);
        }
        if let (What::Approved, Some(host)) = (what, keys.host_time) {
            self.watch_clock(spot, host, &thresholds);
        }
    }

    /// A19.
    fn watch_clock(
        &mut self,
        spot: &Spot<'_>,
        host: slipwatch_shared::times::DeviceTime,
        thresholds: &Thresholds,
    ) {
        let terminal = &mut self.agents[spot.agent].terminals[spot.terminal];
        let skews = terminal.watch.get_or_insert_default().skews.get_or_insert_default();
        skews.note(host, spot.event.device_time, spot.event.observed.wall);
        let stand = clock::clock_skew(skews, spot.at, spot.reference, thresholds);
        self.settle(spot.agent, spot.terminal, FindingKind::ClockSkew, stand, spot.now);
    }

    /// A21: an operator did something that is counted.
    pub(super) fn watch_operator(
        &mut self,
        spot: &Spot<'_>,
        operator: Option<OperatorNumber>,
        deed: Deed,
    ) {
        let Some(operator) = operator else { return };
        let terminal = &mut self.agents[spot.agent].terminals[spot.terminal];
        let Some(thresholds) = thresholds_of(terminal, &self.policies).copied() else { return };
        let watch = terminal.watch.get_or_insert_default();
        let operators = watch.operators.get_or_insert_default();
        let turns = operators.turns(spot.at);
        let stand = operators.note(operator, deed, spot.at, spot.reference, &thresholds);
        let kind = FindingKind::OperatorPattern;
        if turns {
            let over = Stand::Not(Resolution::PeriodOver);
            self.settle(spot.agent, spot.terminal, kind, over, spot.now);
        }
        self.settle(spot.agent, spot.terminal, kind, stand, spot.now);
    }

    /// The printer's trouble began, changed or ended.
    pub(super) fn watch_printer(
        &mut self,
        agent: usize,
        at: usize,
        trouble: bool,
        now: StreamTime,
    ) {
        let terminal = &mut self.agents[agent].terminals[at];
        let Some(thresholds) = thresholds_of(terminal, &self.policies).copied() else { return };
        if !trouble {
            if let Some(watch) = &mut terminal.watch {
                watch.out_since = None;
            }
            return;
        }
        let watch = terminal.watch.get_or_insert_default();
        if watch.out_since.is_none() {
            watch.out_since = Some(now);
            self.look_by(agent, at, now.plus_ms(thresholds.printer_out_ms));
        }
    }

    /// Paper came out: the printer works. One that says so of itself is believed only then.
    pub(super) fn watch_print(&mut self, spot: &Spot<'_>) {
        let terminal = &mut self.agents[spot.agent].terminals[spot.terminal];
        let watch = terminal.watch.get_or_insert_default();
        watch.row.clear();
        watch.out_since = None;
        terminal.trouble = None;
        terminal.last_print = terminal.last_print.max(spot.at);
        let good = Stand::Not(Resolution::PrintsAgain);
        self.settle(spot.agent, spot.terminal, FindingKind::PrinterOut, good, spot.now);
    }

    /// A17 by sales in a row: a missing slip is told of one of the terminal's payments, or is not any more.
    pub(super) fn watch_row(
        &mut self,
        place: Place,
        at: usize,
        kind: FindingKind,
        now: ArrivalTime,
    ) {
        let terminal = &mut self.agents[place.agent].terminals[place.terminal];
        let Some(thresholds) = thresholds_of(terminal, &self.policies).copied() else { return };
        let electronic = |policy: &Arc<TerminalPolicy>| policy.who_prints == WhoPrints::Electronic;
        if terminal.policy.as_ref().is_some_and(electronic) {
            return;
        }
        let case = &terminal.cases[at].case;
        let told = case.told(kind);
        let open = told.filter(|told| told.resolved.is_none());
        // What was debited before paper last came out is no part of a row, however late it is told.
        let since_print = |(debited, _): &(StreamTime, EventRef)| *debited > terminal.last_print;
        let blamed = open.and_then(|_| printer::blames(case)).filter(since_print);
        let slipless = blamed.map(|(debited, event)| {
            let first = place.first;
            Slipless { debited, first, event }
        });
        let grew = matches!(
            told.and_then(|told| told.resolved),
            Some(Resolution::GrewInto(FindingKind::NoReceiptDebit))
        );
        let watch = terminal.watch.get_or_insert_default();
        let known = watch.row.iter().position(|known| known.first == place.first);
        let Some(slipless) = slipless else {
            if let (Some(known), false) = (known, grew) {
                watch.row.remove(known);
            }
            return;
        };
        if known.is_some() {
            return;
        }
        let behind = watch.row.partition_point(|known| known.debited <= slipless.debited);
        watch.row.insert(behind, slipless);
        if watch.row.len() > ROW_MAX {
            watch.row.remove(0);
        }
        if watch.open(FindingKind::PrinterOut).is_none() {
            let stand = printer::sales_out(&watch.row, &thresholds);
            self.settle(place.agent, place.terminal, FindingKind::PrinterOut, stand, now);
        }
    }

    /// The device started anew, or signed on: what is odd about its numbers is explained.
    pub(super) fn watch_reset(&mut self, spot: &Spot<'_>) {
        let terminal = &mut self.agents[spot.agent].terminals[spot.terminal];
        let Some(watch) = &mut terminal.watch else { return };
        watch.numbers.may_begin_anew();
        let explained = Stand::Not(Resolution::Explained);
        self.settle(spot.agent, spot.terminal, FindingKind::SequenceAnomaly, explained, spot.now);
    }

    /// Sums of the batch that closes (A11).
    pub(super) fn watch_totals(&mut self, spot: &Spot<'_>, totals: &SettlementTotals) {
        let terminal = &mut self.agents[spot.agent].terminals[spot.terminal];
        let watch = terminal.watch.get_or_insert_default();
        let day = watch.day.get_or_insert_default();
        let stand = day.named(totals, spot.at, spot.reference);
        self.settle(spot.agent, spot.terminal, FindingKind::BatchTotalsMismatch, stand, spot.now);
    }

    /// The close of the day ended (A11); what was odd about the numbers of a balanced batch did no harm.
    pub(super) fn watch_close(&mut self, spot: &Spot<'_>, result: SettlementResult) {
        let Agent { coverage, terminals, timeline, offline, .. } = &mut self.agents[spot.agent];
        let terminal = &mut terminals[spot.terminal];
        let heard = Heard::of(coverage, terminal.id, timeline.latest, *offline);
        let watch = terminal.watch.get_or_insert_default();
        let day = watch.day.get_or_insert_default();
        let stand = day.close(result, spot.at, spot.reference, &heard);
        let overdue = watch.open(FindingKind::OperatorPattern).is_some_and(is_overdue);
        let (agent, at, now) = (spot.agent, spot.terminal, spot.now);
        let balanced = stand == Stand::Not(Resolution::Balanced);
        self.settle(agent, at, FindingKind::BatchTotalsMismatch, stand, now);
        if balanced {
            let harmless = Stand::Not(Resolution::Balanced);
            self.settle(agent, at, FindingKind::SequenceAnomaly, harmless, now);
        }
        if overdue && result != SettlementResult::Error {
            let closed = Stand::Not(Resolution::PeriodOver);
            self.settle(agent, at, FindingKind::OperatorPattern, closed, now);
        }
        self.wake_overdue(agent, at);
    }

    /// What became due of a terminal by its watermark; gives when to look again.
    pub(super) fn judge_watch(
        &mut self,
        agent: usize,
        at: usize,
        watermark: StreamTime,
        now: ArrivalTime,
    ) -> Option<StreamTime> {
        let Agent { coverage, terminals, timeline, offline, .. } = &self.agents[agent];
        let terminal = &terminals[at];
        let watch = terminal.watch.as_deref()?;
        let thresholds = *thresholds_of(terminal, &self.policies)?;
        let latest = timeline.latest;
        let heard = Heard::of(coverage, terminal.id, latest, *offline);
        let mut next: Option<StreamTime> = None;
        let mut stands: Vec<(FindingKind, Stand)> = Vec::new();
        let mut at_due = |due: StreamTime, kind, stand: &dyn Fn() -> Stand| {
            if watermark > due {
                stands.push((kind, stand()));
            } else {
                next = Some(next.map_or(due, |next| next.min(due)));
            }
        };
        if let (Some(since), Some(trouble), None) =
            (watch.out_since, terminal.trouble, watch.open(FindingKind::PrinterOut))
        {
            let lasts = super::case::Fact { at: since, ..trouble };
            let due = printer::state_due(&lasts, &thresholds);
            at_due(due, FindingKind::PrinterOut, &|| {
                printer::state_out(&lasts, &heard, &thresholds)
            });
        }
        let storm =
            watch.recent.as_deref().filter(|_| watch.open(FindingKind::ReversalStorm).is_some());
        if let Some((recent, due)) =
            storm.and_then(|recent| Some((recent, storm::calm_due(recent, &thresholds)?)))
        {
            at_due(due, FindingKind::ReversalStorm, &|| storm::calmed(recent, &heard, &thresholds));
        }
        let overdue = watch.day.as_ref().and_then(|day| day.overdue(&thresholds));
        if let (Some((first, due)), None) = (overdue, watch.open(FindingKind::OperatorPattern)) {
            at_due(due, FindingKind::OperatorPattern, &|| match heard.hole_in(
                Needs::Money,
                first,
                due,
            ) {
                None => habit::close_overdue(due),
                Some(_) => Stand::AsItWas,
            });
        }
        for (kind, stand) in stands {
            self.settle(agent, at, kind, stand, now);
        }
        next
    }

    fn look_by(&mut self, agent: usize, at: usize, due: StreamTime) {
        let agent = &mut self.agents[agent];
        agent.look_at = agent.look_at.min(due);
        let terminal = &mut agent.terminals[at];
        terminal.look_at = terminal.look_at.min(due);
    }

    fn wake_storm(&mut self, agent: usize, at: usize, thresholds: &Thresholds) {
        let watch = self.agents[agent].terminals[at].watch.as_deref();
        let due = watch
            .filter(|watch| watch.open(FindingKind::ReversalStorm).is_some())
            .and_then(|watch| storm::calm_due(watch.recent.as_deref()?, thresholds));
        if let Some(due) = due {
            self.look_by(agent, at, due);
        }
    }

    /// A payment may be the first of its batch: it is looked at again when that is overdue.
    pub(super) fn wake_overdue(&mut self, agent: usize, at: usize) {
        let terminal = &self.agents[agent].terminals[at];
        let Some(thresholds) = thresholds_of(terminal, &self.policies) else { return };
        let day = terminal.watch.as_deref().and_then(|watch| watch.day.as_deref());
        if let Some((_, due)) = day.and_then(|day| day.overdue(thresholds)) {
            self.look_by(agent, at, due);
        }
    }

    /// Compares what a rule says of a terminal with what was told, and tells what is news.
    pub(super) fn settle(
        &mut self,
        agent: usize,
        at: usize,
        kind: FindingKind,
        stand: Stand,
        now: ArrivalTime,
    ) {
        if stand == Stand::AsItWas {
            return;
        }
        let Correlator { agents, out, .. } = self;
        let Agent { terminals, name, timeline, coverage, .. } = &mut agents[agent];
        let terminal = &mut terminals[at];
        let (Some(id), Some(_)) = (terminal.id, &terminal.policy) else { return };
        let watch = terminal.watch.get_or_insert_default();
        let known = watch.matters.iter().position(|matter| matter.kind == kind);
        let name = || TerminalName { store: name.store.clone(), terminal: id };
        let (change, finding) = match stand {
            Stand::AsItWas => return,
            Stand::Not(how) => {
                let open = known.and_then(|place| watch.matters[place].finding.take());
                let Some(mut finding) = open else { return };
                finding.resolved = Some(how);
                (Change::Resolved, *finding)
            }
            Stand::Holds(standing) => {
                let place = known.unwrap_or_else(|| {
                    let since = standing.since;
                    watch.matters.push(Matter { kind, times: 0, since, finding: None });
                    watch.matters.len() - 1
                });
                let matter = &mut watch.matters[place];
                let change = match &matter.finding {
                    None => Change::Raised,
                    Some(known) => {
                        let same = known.severity == standing.severity
                            && known.cause.detail == standing.cause.detail;
                        if same {
                            return;
                        }
                        Change::Changed
                    }
                };
                if change == Change::Raised {
                    matter.times += 1;
                    matter.since = standing.since;
                }
                let finding = Finding {
                    id: FindingId { kind, subject: Subject::Terminal(name()), time: matter.times },
                    severity: standing.severity,
                    stage: Stage::Alerting,
                    cause: standing.cause,
                    since: timeline.wall(matter.since),
                    resolved: None,
                    parent: None,
                    partner: None,
                    measure: standing.measure,
                    historical: coverage.of(Some(id)).any(|source| source.historical),
                };
                matter.finding = Some(Box::new(finding.clone()));
                (change, finding)
            }
        };
        let terminal = Some(name());
        out.tell(FindingChange {
            change,
            finding,
            alerts: change == Change::Raised,
            learned: now,
            terminal,
            case: None,
            ledger: None,
        });
        self.agents[agent].touched = true;
        let absorbs = matches!(kind, FindingKind::PrinterOut | FindingKind::ReversalStorm);
        if change == Change::Raised && absorbs {
            self.absorbing.push((agent, at, kind));
        }
    }

    /// What was told of payments before the finding that explains it was: they are its children, wherever they are kept.
    pub(super) fn absorb(&mut self, now: ArrivalTime, recall: &mut dyn Recall) {
        for (agent, at, kind) in std::mem::take(&mut self.absorbing) {
            let found = &self.agents[agent];
            let Some(watch) = found.terminals[at].watch.as_deref() else { continue };
            let children: Vec<EventRef> = match kind {
                FindingKind::PrinterOut => watch.row.iter().map(|known| known.first).collect(),
                _ => watch.recent.iter().flat_map(|recent| recent.payments()).collect(),
            };
            let name = found.name.clone();
            for first in children {
                let place = Place { agent, terminal: at, first };
                if self.kept(place).is_none() {
                    let id = CaseId { agent: name.clone(), first };
                    let row = recall.by_id(&id);
                    if let Some(place) = row.and_then(|row| self.bring_back(row)) {
                        self.pair(place);
                    }
                }
                self.adopt(place, now);
            }
        }
    }
}

fn is_overdue(matter: &Matter) -> bool {
    let finding = matter.finding.as_deref();
    finding.is_some_and(|finding| finding.cause.detail == super::cause::CauseDetail::CloseOverdue)
}

/// Whether a payment that was just opened runs one again that had no answer: the same card and amount, soon after.
fn reruns(terminal: &Terminal, place: usize, at: StreamTime) -> bool {
    const LOOKED_BACK: usize = 4;
    let own = &terminal.cases[place].case;
    let before = terminal.cases.range(..place).rev().take(LOOKED_BACK);
    let mut open = before.map(|kept| &kept.case).filter(|case| case.facts.have(Sorts::UNANSWERED));
    open.any(|case| {
        let Money::Open { since } = money::trace(case).0 else { return false };
        at.ms_since(since) <= habit::RERUN_MS
            && case.keys.amount.is_some()
            && case.keys.amount == own.keys.amount
            && key::cards(&case.keys, &own.keys) == Some(true)
    })
}

shape_struct!(Matter { kind, times, since, finding });
/// Each part that is there, behind the marks of all of them.
impl Lean for Watch {
    fn put_lean(&self, from: StreamTime, out: &mut Vec<u8>) {
        let mut marks = Marks::default();
        marks.note(!self.matters.is_empty());
        marks.note(self.recent.is_some());
        marks.note(self.skews.is_some());
        marks.note(self.day.is_some());
        marks.note(self.operators.is_some());
        marks.note(self.cards.is_some());
        marks.note(self.out_since.is_some());
        marks.note(!self.row.is_empty());
        marks.put(out);
        put_seldom(Some(&self.matters).filter(|matters| !matters.is_empty()), out);
        put_seldom(self.recent.as_ref(), out);
        put_seldom(self.skews.as_ref(), out);
        put_seldom(self.day.as_ref(), out);
        put_seldom(self.operators.as_ref(), out);
        put_seldom(self.cards.as_ref(), out);
        put_seldom(self.out_since.as_ref(), out);
        put_seldom(Some(&self.row).filter(|row| !row.is_empty()), out);
        self.numbers.put_lean(from, out);
    }

    fn take_lean(from: StreamTime, bytes: &mut &[u8]) -> Result<Watch, ShapeError> {
        let mut marks = Marks::take(bytes)?;
        Ok(Watch {
            matters: take_seldom(&mut marks, bytes)?.unwrap_or_default(),
            recent: take_seldom(&mut marks, bytes)?,
            skews: take_seldom(&mut marks, bytes)?,
            day: take_seldom(&mut marks, bytes)?,
            operators: take_seldom(&mut marks, bytes)?,
            cards: take_seldom(&mut marks, bytes)?,
            out_since: take_seldom(&mut marks, bytes)?,
            row: take_seldom(&mut marks, bytes)?.unwrap_or_default(),
            numbers: Lean::take_lean(from, bytes)?,
        })
    }
}

shape_struct!(Watch { matters, recent, skews, numbers, day, operators, cards, out_since, row });
