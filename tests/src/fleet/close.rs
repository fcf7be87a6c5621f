//! The close of a shop's day: the sums of its batches, equal or not, and the rows that nobody made; and, when all days are
//! over, what can be told of a terminal only then.

use super::money::{MoneyFault, SettledRow};
use super::plot::Matter;
use super::shop::{Item, Shop, Told};
use super::till::Till;
use super::truth::Incident;
use super::{FleetSettings, WALL_MS_AT_MIDNIGHT};
use slipwatch_shared::event::{Body, SettlementResult, SettlementTotals, SourceId, TotalsBy};
use slipwatch_shared::money::Amount;
use std::collections::VecDeque;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

impl Shop {
    /// Yesterday's close, made up for before the shop opens.
    pub(super) fn morning(&mut self, at: i64, out: &mut VecDeque<Told>) {
        for till in 0..self.tills.len() {
            self.end_close(at, till, SettlementResult::Balanced, out);
        }
    }

    pub(super) fn end_close(
        &mut self,
        at: i64,
        till: usize,
        result: SettlementResult,
        out: &mut VecDeque<Told>,
    ) {
        let Till { source, terminal, .. } = self.tills[till];
        let batch_number = format!("{:06}", self.tills[till].application().batch).parse().ok();
        let body = Body::SettlementClosed { batch_number, result };
        self.say(at, SourceId(source), Some(terminal), body, None, out);
    }

    /// What is told of a close: sums that differ stand until one is balanced.
    fn tell_sums(
        &mut self,
        at: i64,
        till: usize,
        differ: Option<(&'static str, &'static str)>,
        out: &mut VecDeque<Told>,
    ) {
        let Some(cause) = differ else {
            let over = self.tills[till].odd_sums.take();
            out.extend(over.map(|odd| Told::Incident(Box::new(odd))));
            return;
        };
        // It stands in the end where no balanced close follows.
        let matter = Matter { code: "A11", cause, from: at, open: false };
        let Incident { cause, .. } = self.incident(Some(till), "batch_totals", &matter);
        match &mut self.tills[till].odd_sums {
            Some(known) => known.cause = cause,
            None => {
                let odd = self.incident(Some(till), "batch_totals", &matter);
                self.tills[till].odd_sums = Some(odd);
            }
        }
    }

    fn name_sums(
        &mut self,
        at: i64,
        till: usize,
        sums: SettlementTotals,
        out: &mut VecDeque<Told>,
    ) {
        let Till { source, terminal, .. } = self.tills[till];
        let body = Body::SettlementTotals(sums);
        self.say(at, SourceId(source), Some(terminal), body, None, out);
    }

    /// The close of the day: totals, and the rows that nobody made.
    pub(super) fn close(
        &mut self,
        at: i64,
        last: bool,
        settings: &FleetSettings,
        out: &mut VecDeque<Told>,
    ) {
        for till in 0..self.tills.len() {
            let Till { source, terminal, deaf, closes, closes_at_last, .. } = self.tills[till];
            if deaf.iter().any(|deaf| *deaf >= at) || !(closes || last && closes_at_last) {
                continue;
            }
            let number = format!("{:06}", self.tills[till].application().batch).parse().ok();
            let source = SourceId(source);
            let terminal_id = Some(terminal);
            let begins = Body::SettlementStarted { batch_number: number };
            self.say(at, source, terminal_id, begins, None, out);
            self.settle_batch(at, till, settings, out);
            let opened = Body::SignedOn { batch_number: number };
            self.say(at, source, terminal_id, opened, None, out);
            let batch = self.tills[till].application().batch;
            let found = &mut self.tills[till];
            if let Some(odd) = found.odd_numbers.take() {
                out.push_back(Told::Incident(Box::new(odd)));
            }
            found.closed(at, settings);
            if self.dice.below(1000) < settings.trouble_per_mille / 20 {
                self.unmade_row(at, till, batch, out);
            }
        }
    }

    /// How the sums come out: mostly equal.
    fn settle_batch(
        &mut self,
        at: i64,
        till: usize,
        settings: &FleetSettings,
        out: &mut VecDeque<Told>,
    ) {
        let sums = self.tills[till].sums;
        let trouble = self.dice.below(1000) < settings.trouble_per_mille && !settings.spoken_only;
        let what = if trouble { self.dice.below(6) } else { 9 };
        let less = |by: TotalsBy| {
            let mut short = sums.named(by, false);
            short.debit_count -= 1;
            let minor = sums.debit.minor - sums.debit.minor / i64::from(sums.debit.count);
            short.debit = short.debit.map(|amount| Amount::new(minor, amount.currency));
            short
        };
        let sold = sums.debit.count > 0;
        let (result, told) = match what {
            // Trap: one acquirer counts a void on both sides, another on none.
            0 | 1 => {
                self.name_sums(at, till, sums.named(TotalsBy::Terminal, what == 1), out);
                self.name_sums(at, till, sums.named(TotalsBy::Host, what == 1), out);
                (SettlementResult::Balanced, None)
            }
            2 | 3 if sold => {
                self.name_sums(at, till, sums.named(TotalsBy::Terminal, false), out);
                self.name_sums(at, till, less(TotalsBy::Host), out);
                (SettlementResult::Unbalanced, Some(("institution", "totals_differ")))
            }
            4 if sold => {
                self.name_sums(at, till, less(TotalsBy::Terminal), out);
                (SettlementResult::Balanced, Some(("terminal_fault", "rows_missing")))
            }
            5 => (SettlementResult::Error, Some(("institution", "host_error"))),
            _ => (SettlementResult::Balanced, None),
        };
        self.end_close(at, till, result, out);
        // The upload that follows, or the second try, makes it good; now and then it does not come, but where
        // days follow: what it uploads is told there.
        let whole_days = settings.days > 1 && result != SettlementResult::Balanced;
        let mended = what == 2 || whole_days || result == SettlementResult::Error;
        if mended {
            self.enter(at + 2 * MINUTE, Item::Upload { till });
        }
        self.tell_sums(at, till, told, out);
    }

    /// What follows a close that was not balanced.
    pub(super) fn upload(&mut self, at: i64, till: usize, out: &mut VecDeque<Told>) {
        self.end_close(at, till, SettlementResult::Balanced, out);
        self.tell_sums(at, till, None, out);
    }

    /// A row of the acquirer's file that no payment stands behind.
    fn unmade_row(&mut self, at: i64, till: usize, batch: u32, out: &mut VecDeque<Told>) {
        let terminal = self.tills[till].terminal;
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

    /// What can be told only when all is over.
    pub(super) fn end(&mut self, at: i64) {
        for till in 0..self.tills.len() {
            let found = &self.tills[till];
            let mut matters: Vec<(&'static str, Matter)> = Vec::new();
            if let Some(over) = found.skew() {
                let cause = ("terminal_fault", "device_clock");
                let matter = Matter { code: "A19", cause, from: 0, open: !over };
                matters.push(("slow_clock", matter));
            }
            let stands = found.overdue_since(at);
            if let Some(since) = stands.or(found.overdue) {
                let cause = ("operator", "close_overdue");
                let open = stands.is_some();
                matters.push(("never_closed", Matter { code: "A21", cause, from: since, open }));
            }
            let found = &mut self.tills[till];
            for odd in [found.odd_numbers.take(), found.odd_sums.take()].into_iter().flatten() {
                let open = Incident { open: true, ..odd };
                self.enter(at, Item::Incident { incident: Box::new(open) });
            }
            for (plot, matter) in matters {
                let incident = self.incident(Some(till), plot, &matter);
                self.enter(at, Item::Incident { incident: Box::new(incident) });
            }
        }
    }
}
