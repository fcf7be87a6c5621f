//! Each word of an event goes to the payment that it is about; where none is in memory, the store is asked; where none
//! is known, one is opened, or a slip waits for it. Judges nothing.

use super::case::{Case, EventRef, Fact, Place, What};
use super::correlator::{Correlator, is_sale};
use super::key::{self, Fit};
use super::money::{self, Money};
use super::recall::{Recall, TransactionRow};
use super::rules::habit::Deed;
use super::rules::{offline, reversal};
use super::terminal::{LOOSE_MAX, Loose, take_loose, takes_slip, troubles};
use super::timeline::{Due, StreamTime};
use super::watch::{Moved, Spot};
use super::word::{Word, trouble, word};
use slipwatch_shared::event::{
    Event, ExchangePhase, Keys, Kind, OperatorAction, PrinterStatus, SettlementResult, SlipLoss,
    SourceId,
};
use slipwatch_shared::times::ArrivalTime;

/// What the filing of one event needs at hand.
pub(super) struct Desk<'a> {
    agent: usize,
    terminal: usize,
    event: &'a Event,
    at: StreamTime,
    reference: EventRef,
    now: ArrivalTime,
}

impl Desk<'_> {
    fn fact(&self, what: What) -> Fact {
        Fact { at: self.at, event: self.reference, source: self.event.source, what }
    }

    fn spot(&self) -> Spot<'_> {
        let Desk { agent, terminal, event, at, reference, now } = *self;
        Spot { agent, terminal, event, at, reference, now }
    }

    fn place(&self, first: EventRef) -> Place {
        Place { agent: self.agent, terminal: self.terminal, first }
    }
}

impl Correlator {
    /// Files one event.
    pub(super) fn file(
        &mut self,
        agent: usize,
        reference: EventRef,
        event: &Event,
        at: StreamTime,
        now: ArrivalTime,
        recall: &mut dyn Recall,
    ) {
        let word = word(&event.body);
        let found = &self.agents[agent];
        let source = found.coverage.source(event.source);
        let named = event.terminal.or(source.and_then(|source| source.terminal));
        if event.source != SourceId::AGENT {
            self.hear_words(agent, named, &event.body, at, now);
        }
        let id = match word {
            Word::Other => return,
            Word::Printer(_) | Word::Restarted | Word::Network { .. } if named.is_none() => {
                // A line that serves all terminals: it concerns each of them.
                for terminal in 0..self.agents[agent].terminals.len() {
                    self.agents[agent].terminals.wake(terminal);
                    let desk = Desk { agent, terminal, event, at, reference, now };
                    self.file_state(&desk, &word, recall);
                }
                return;
            }
            _ => named,
        };
        let terminal = self.terminal(agent, id);
        let desk = Desk { agent, terminal, event, at, reference, now };
        match word {
            Word::Money { what, keys, kind } => self.file_money(&desk, what, keys, kind, recall),
            Word::Slip { what, slip } => self.file_slip(&desk, what, &slip.keys, recall),
            Word::PrintCancelled(keys) => {
                self.file_slip(&desk, What::PrintCancelled, keys, recall);
            }
            _ => self.file_state(&desk, &word, recall),
        }
    }

    fn file_money(
        &mut self,
        desk: &Desk<'_>,
        what: What,
        keys: &Keys,
        kind: Option<Kind>,
        recall: &mut dyn Recall,
    ) {
        let terminal = &self.agents[desk.agent].terminals[desk.terminal];
        let deadlines = *terminal.deadlines(&self.policies.deadlines);
        let source = desk.event.source;
        let mut found = terminal.find_money(what, keys, kind, desk.at, source, &deadlines);
        if found.is_none() && self.may_have_left(desk, what, keys) {
            self.recall_fitting(desk, keys, recall);
            let terminal = &self.agents[desk.agent].terminals[desk.terminal];
            found = terminal.find_money(what, keys, kind, desk.at, source, &deadlines);
        }
        let opens = is_sale(what) && what != What::Completed || key::names_something(keys);
        let at = match found {
            Some(at) => at,
            None if opens => {
                let kind = kind.unwrap_or(Kind::Sale);
                let life = match what {
                    // Of a number that was given before: it may be behind those of now.
                    What::Uploaded(_) => self.life(&desk.spot(), keys),
                    _ if is_sale(what) => self.number(&desk.spot(), keys),
                    _ => 0,
                };
                self.open(desk.agent, desk.terminal, desk.fact(what), kind, life, desk.event)
            }
            None => {
                self.out.counts.unfiled += 1;
                return;
            }
        };
        let terminal = &mut self.agents[desk.agent].terminals[desk.terminal];
        let kept = &mut terminal.cases[at];
        let before = money::trace(&kept.case);
        let debited_before = before.0.debited();
        let by_host = matches!(what, What::Approved | What::Uploaded(ExchangePhase::Approved));
        kept.join(keys, by_host);
        kept.add(desk.fact(what));
        if what == What::Approved {
            // The host was reached, whatever was said before.
            terminal.network_down = None;
        }
        // Nobody sells while the day is being closed: its end was not heard.
        terminal.settling &= found.is_some() || !is_sale(what);
        let kept = &mut terminal.cases[at];
        let (first, kind, amount) = (kept.case.first, kept.case.kind, kept.case.keys.amount);
        let after = money::trace(&kept.case);
        let moved = Moved { first, opened: found.is_none(), before, after };
        let debited = after.0.debited();
        if debited.is_some() && debited_before.is_none() {
            // What troubles the printer now was no trouble when an uploaded sale was made.
            let now = !kept.case.was_made_unheard();
            let standing =
                [terminal.trouble, terminal.network_down].map(|fact| fact.filter(|_| now));
            if let Some(amount) = amount.filter(|_| kind.is_debit()) {
                kept.case.common_amount = terminal.amounts.note(amount);
            }
            for fact in standing.into_iter().flatten() {
                kept.add(fact);
            }
            self.join_loose(desk, at);
        }
        if kind.is_debit() && is_sale(what) {
            self.carry_reversals(desk, &deadlines);
        }
        if what == What::Approved && matches!(kind, Kind::Void | Kind::Refund) {
            self.mark_original(desk, kind, keys, recall);
        }
        self.watch_money(&desk.spot(), what, keys, &moved);
        self.review(desk.place(first), desk.now, recall);
        self.bound(desk.agent, desk.terminal);
    }

    /// Slips that were heard before a payment became a debit, be it on a line that serves all terminals.
    fn join_loose(&mut self, desk: &Desk<'_>, at: usize) {
        let terminals = &mut self.agents[desk.agent].terminals;
        let all = terminals.ids().position(|id| id.is_none());
        for from in [Some(desk.terminal), all.filter(|all| *all != desk.terminal)] {
            let Some(from) = from else { continue };
            terminals.wake(from);
            let mut slips = std::mem::take(&mut terminals[from].loose);
            let kept = &mut terminals[desk.terminal].cases[at];
            while let Some(loose) = take_loose(&mut slips, &kept.case, desk.at) {
                kept.join(&loose.keys, false);
                kept.add(loose.fact);
            }
            terminals[from].loose = slips;
        }
    }

    /// Whether a word about money may be about a payment that left memory. A request begins one; a trace that is ahead of
    /// all that were heard is new.
    fn may_have_left(&self, desk: &Desk<'_>, what: What, keys: &Keys) -> bool {
        let terminal = &self.agents[desk.agent].terminals[desk.terminal];
        if what == What::Requested || terminal.forgotten_through.is_none() {
            return false;
        }
        if matches!(what, What::Reversal(_)) {
            return key::can_be_recalled(keys);
        }
        let numbers = terminal.watch.as_deref().map(|watch| &watch.numbers);
        let old = |stan| numbers.is_none_or(|known| known.may_be_known(keys.merchant, stan));
        keys.stan.map_or_else(|| key::can_be_recalled(keys), old)
    }

    /// A sale carries pending undos along: they are due later, but for those that are overdue already.
    fn carry_reversals(&mut self, desk: &Desk<'_>, deadlines: &super::policy::Deadlines) {
        let found = &mut self.agents[desk.agent];
        let terminal = &mut found.terminals[desk.terminal];
        terminal.last_sale = terminal.last_sale.max(desk.at);
        if !terminal.undo_due {
            return;
        }
        terminal.undo_due = terminal.cases.iter().any(|kept| kept.case.reversal_due != Due::NEVER);
        for kept in &mut terminal.cases {
            let Some(due) = kept.case.reversal_due.get().filter(|due| *due >= desk.at) else {
                continue;
            };
            let money::Undo::Pending { since } = money::trace(&kept.case).1 else { continue };
            let later = reversal::due(since, terminal.last_sale, deadlines);
            if later != due && kept.case.reversal_window.is_none() {
                kept.case.reversal_due = Some(later).into();
                let look_at = kept.look_at.get().map_or(later, |look_at| look_at.min(later));
                kept.look_at = Some(look_at).into();
                kept.dirty = true;
                terminal.look_at = terminal.look_at.min(later);
                found.look_at = found.look_at.min(later);
            }
        }
    }

    /// The payment that a void or refund gives back.
    fn mark_original(&mut self, desk: &Desk<'_>, kind: Kind, keys: &Keys, recall: &mut dyn Recall) {
        let mut found = self.find_original(desk, keys);
        if found.is_none() {
            let mut wanted = Keys {
                order_number: keys.order_number.clone(),
                channel_transaction_id: keys.channel_transaction_id.clone(),
                ..Keys::default()
            };
            if let Some(original) = keys.original {
                (wanted.stan, wanted.batch_number) = (original.stan, original.batch_number);
                wanted.rrn = original.rrn;
            }
            if key::can_be_recalled(&wanted) {
                self.recall_fitting(desk, &wanted, recall);
                found = self.find_original(desk, keys);
            }
        }
        let Some(place) = found else { return };
        let terminal = &mut self.agents[place.agent].terminals[place.terminal];
        let at = terminal.position(place.first).expect("it was just found");
        let kept = &mut terminal.cases[at];
        let given = keys.amount.map(|amount| amount.minor.abs());
        let taken = kept.case.keys.amount.map(|amount| amount.minor.abs());
        // A part of the money back leaves the rest a debit.
        if kind == Kind::Refund && given < taken && given.is_some() {
            return;
        }
        kept.add(desk.fact(if kind == Kind::Void { What::Voided } else { What::Refunded }));
        self.review(place, desk.now, recall);
    }

    fn find_original(&self, desk: &Desk<'_>, keys: &Keys) -> Option<Place> {
        let original = Keys {
            rrn: keys.original.and_then(|original| original.rrn),
            order_number: keys.order_number.clone(),
            channel_transaction_id: keys.channel_transaction_id.clone(),
            ..Keys::default()
        };
        let mut best: Option<(Fit, bool, StreamTime, Place)> = None;
        for (at, terminal) in self.agents[desk.agent].terminals.awake() {
            for kept in &terminal.cases {
                let case = &kept.case;
                if !case.kind.is_debit() && case.kind != Kind::Preauthorization {
                    continue;
                }
                let fitted = original_fit(case, keys);
                if fitted < Fit::Amount {
                    continue;
                }
                let here = at == desk.terminal;
                // A trace is its terminal's own.
                if !here && !key::given_once(&case.keys, &original) && keys.original.is_some() {
                    continue;
                }
                let place = Place { agent: desk.agent, terminal: at, first: case.first };
                let candidate = (fitted, here, case.opened, place);
                best = best.max(Some(candidate));
            }
        }
        best.map(|(.., place)| place)
    }

    fn file_slip(&mut self, desk: &Desk<'_>, what: What, keys: &Keys, recall: &mut dyn Recall) {
        let source = self.agents[desk.agent].coverage.source(desk.event.source);
        let own_words = source.is_some_and(|source| source.hears_money);
        let wired = source.is_some_and(|source| source.terminal.is_some());
        let nameless = self.agents[desk.agent].terminals[desk.terminal].id.is_none()
            && !wired
            && desk.event.terminal.is_none();
        let find = |correlator: &Correlator| {
            let terminals = &correlator.agents[desk.agent].terminals;
            let here = &terminals[desk.terminal];
            let deadlines = here.deadlines(&correlator.policies.deadlines);
            let here = here.find_slip(what, keys, desk.at, own_words, deadlines);
            here.map(|at| (desk.terminal, at)).or_else(|| {
                // A slip without a terminal's number may be of any of them: of the one it fits best, and that waits.
                let others = terminals.awake().filter(|_| nameless);
                let fitting = others.filter_map(|(at, terminal)| {
                    let deadlines = terminal.deadlines(&correlator.policies.deadlines);
                    let place = terminal.find_slip(what, keys, desk.at, own_words, deadlines)?;
                    let case = &terminal.cases[place].case;
                    let waits = takes_slip(case, what, desk.at, deadlines.slip_alert_ms);
                    Some(((key::fit(&case.keys, keys), waits, case.opened), (at, place)))
                });
                fitting.max_by_key(|(rank, _)| *rank).map(|(_, place)| place)
            })
        };
        let mut found = find(self);
        if found.is_none() && key::can_be_recalled(keys) {
            self.recall_fitting(desk, keys, recall);
            found = find(self);
        }
        if found.is_none() && keys.stan.is_some() {
            let terminal = &self.agents[desk.agent].terminals[desk.terminal];
            let deadlines = terminal.deadlines(&self.policies.deadlines);
            let traced = terminal.find_traced(what, keys, desk.at, deadlines);
            found = traced.map(|case| (desk.terminal, case));
        }
        let of = found.map_or(desk.terminal, |(at, _)| at);
        if matches!(what, What::SlipPrinted { .. }) {
            // A printer that serves all terminals prints for each of them.
            let all = 0..self.agents[desk.agent].terminals.len();
            for terminal in if nameless && !own_words { all } else { of..of + 1 } {
                self.agents[desk.agent].terminals.wake(terminal);
                self.watch_print(&Spot { terminal, ..desk.spot() });
            }
        }
        if matches!(what, What::PrintCancelled | What::SlipLost(SlipLoss::Cancelled)) {
            let of_case = found.and_then(|(at, case)| {
                self.agents[desk.agent].terminals[at].cases[case].case.keys.operator
            });
            let spot = Spot { terminal: of, ..desk.spot() };
            self.watch_operator(&spot, keys.operator.or(of_case), Deed::Cancel);
        }
        let Some((at, case)) = found else {
            self.keep_loose(desk, what, keys);
            return;
        };
        let kept = &mut self.agents[desk.agent].terminals[at].cases[case];
        kept.join(keys, false);
        kept.add(desk.fact(what));
        let first = kept.case.first;
        let place = Place { agent: desk.agent, terminal: at, first };
        self.review(place, desk.now, recall);
    }

    fn keep_loose(&mut self, desk: &Desk<'_>, what: What, keys: &Keys) {
        self.out.counts.unfiled += 1;
        if !key::names_something(keys) {
            return;
        }
        let loose = &mut self.agents[desk.agent].terminals[desk.terminal].loose;
        if loose.len() >= LOOSE_MAX {
            loose.pop_front();
        }
        loose.push_back(Loose { fact: desk.fact(what), keys: keys.clone() });
    }

    /// What is said of a terminal rather than of a payment: it concerns the payments whose slip is due now.
    fn file_state(&mut self, desk: &Desk<'_>, word: &Word<'_>, recall: &mut dyn Recall) {
        let terminal = &mut self.agents[desk.agent].terminals[desk.terminal];
        let fact = match word {
            Word::Printer(status) => match trouble(status) {
                Some(trouble) => {
                    let fact = desk.fact(What::Trouble(trouble));
                    terminal.trouble = Some(fact);
                    self.watch_printer(desk.agent, desk.terminal, true, desk.at);
                    fact
                }
                None => {
                    if *status != PrinterStatus::default() {
                        terminal.trouble = None;
                        self.watch_printer(desk.agent, desk.terminal, false, desk.at);
                    }
                    return;
                }
            },
            Word::Network { up: true } => {
                terminal.network_down = None;
                return;
            }
            Word::Network { up: false } => {
                let fact = desk.fact(What::NetworkDown);
                terminal.network_down = Some(fact);
                fact
            }
            Word::CloseBegins => {
                terminal.settling = true;
                return;
            }
            Word::Totals(totals) => return self.watch_totals(&desk.spot(), totals),
            Word::Closed { result, .. } => {
                terminal.settling = false;
                self.watch_close(&desk.spot(), *result);
                if *result == SettlementResult::Balanced {
                    self.close_offline(desk, recall);
                }
                return;
            }
            Word::SignedOn(_) => return self.watch_reset(&desk.spot()),
            Word::Operator { action: OperatorAction::ManualEntry, keys } => {
                return self.watch_operator(&desk.spot(), keys.operator, Deed::Typed);
            }
            Word::Restarted => {
                self.watch_reset(&desk.spot());
                desk.fact(What::Restarted)
            }
            _ => return,
        };
        let terminal = &self.agents[desk.agent].terminals[desk.terminal];
        let deadlines = *terminal.deadlines(&self.policies.deadlines);
        let concerned =
            terminal.cases.iter().filter(|kept| troubles(&kept.case, desk.at, &deadlines));
        let concerned: Vec<EventRef> = concerned.map(|kept| kept.case.first).collect();
        for first in concerned {
            let terminal = &mut self.agents[desk.agent].terminals[desk.terminal];
            let at = terminal.position(first).expect("it was just found");
            terminal.cases[at].add(fact);
            self.review(desk.place(first), desk.now, recall);
        }
    }

    /// The day was closed with equal sums: what was approved offline is with the host.
    fn close_offline(&mut self, desk: &Desk<'_>, recall: &mut dyn Recall) {
        let cases = self.agents[desk.agent].terminals[desk.terminal].cases.iter();
        let waiting = cases.filter(|kept| offline::waits(&kept.case).is_some());
        let waiting = waiting.map(|kept| kept.case.first);
        let waiting: Vec<EventRef> = waiting.collect();
        for first in waiting {
            let terminal = &mut self.agents[desk.agent].terminals[desk.terminal];
            let at = terminal.position(first).expect("it was just found");
            terminal.cases[at].add(desk.fact(What::Closed));
            self.review(desk.place(first), desk.now, recall);
        }
    }

    /// Brings payments back from the store that share a number with `keys`.
    fn recall_fitting(&mut self, desk: &Desk<'_>, keys: &Keys, recall: &mut dyn Recall) {
        let agent = &self.agents[desk.agent];
        let id = agent.terminals[desk.terminal].id;
        let rows = recall.by_keys(&agent.name.store, id, keys);
        let name = agent.name.clone();
        // A terminal's events come from one agent; what another one told of it is not ours to change.
        let own = |row: &TransactionRow| row.id.agent == name;
        for row in rows.into_iter().filter(own) {
            if key::fit(&row.case.keys, keys) < Fit::Trace {
                continue;
            }
            if let Some(place) = self.bring_back(row) {
                self.pair(place);
            }
        }
    }
}

/// How a debit and what a void or refund says of its original stand to each other.
fn original_fit(case: &Case, keys: &Keys) -> Fit {
    let money = money::trace(case).0;
    let both = |left: Option<&str>, right: Option<&str>| Some(left? == right?);
    let order = both(
        case.keys.order_number.as_deref().map(|number| number.as_str()),
        keys.order_number.as_deref().map(|number| number.as_str()),
    );
    let channel = both(
        case.keys.channel_transaction_id.as_deref().map(|number| number.as_str()),
        keys.channel_transaction_id.as_deref().map(|number| number.as_str()),
    );
    if order == Some(true) || channel == Some(true) {
        return Fit::Named;
    }
    if let Some(original) = &keys.original {
        let fitted = key::fit_original(&case.keys, original);
        // An original that is named and is not this one; what names nothing falls through.
        if fitted != Fit::Open {
            return fitted;
        }
        if original.stan.is_some() || original.rrn.is_some() {
            return Fit::Other;
        }
    }
    let taken = case.keys.amount.map(|amount| amount.minor.abs());
    let given = keys.amount.map(|amount| amount.minor.abs());
    let same_card = key::cards(&case.keys, keys) == Some(true);
    let likely = matches!(money, Money::Debited { .. }) && taken.is_some() && taken == given;
    if likely && same_card { Fit::Amount } else { Fit::Other }
}
