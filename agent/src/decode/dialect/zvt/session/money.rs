//! The money of a transaction: results, undos, completions.

use super::{Message, Session};
use crate::decode::dialect::Sink;
use crate::decode::dialect::zvt::command::Answer;
use crate::decode::dialect::zvt::deal::{Approval, Task, Told, Undo};
use crate::decode::dialect::zvt::status::{Outcome, PRINTER_NOT_READY, Status, response_code};
use slipwatch_shared::event::{
    Body, Evidence, ExchangePhase, Keys, Kind, PrinterStatus, ReversalPhase, SettlementResult,
};
use slipwatch_shared::money::Amount;
use slipwatch_shared::times::Uptime;

/// What a kind of business calls this phase. `code` is the result code of an answer.
pub(super) fn body(kind: Kind, keys: Keys, phase: ExchangePhase, code: u8) -> Body {
    match kind {
        Kind::Void => Body::Void { keys, phase },
        Kind::Refund => Body::Refund { keys, phase },
        Kind::Preauthorization => Body::Preauthorization { keys, phase },
        Kind::Completion => Body::Completion { keys, phase },
        Kind::Sale | Kind::BalanceInquiry => match phase {
            ExchangePhase::Requested => Body::AuthorizationRequested(keys),
            ExchangePhase::TimedOut => Body::AuthorizationTimedOut(keys),
            ExchangePhase::Approved | ExchangePhase::Declined => {
                Body::AuthorizationAnswered { keys, response_code: response_code(code) }
            }
        },
    }
}

impl Session {
    /// `04 0F`: how it came out.
    pub(super) fn result(&mut self, message: Message<'_>, sink: &mut Sink<'_>) {
        let status = message.status();
        self.terminal = status.terminal.or(self.terminal);
        let deal = self.deal.as_mut().expect("a result belongs to one");
        if status.totals.is_some() {
            self.totals_reported(&status, message, sink);
            return;
        }
        match deal.task {
            Task::Money(_) => {}
            Task::Unheard if status.result.is_some() => {
                let names_payment = status.amount_minor.is_some() || status.stan.is_some();
                if !names_payment && status.result == Some(0) {
                    return;
                }
            }
            Task::Reprint => {
                deal.join(&status, self.currency);
                return;
            }
            _ => return,
        }
        let Some(code) = status.result else { return };
        if code != 0 {
            let requested = deal.keys.amount;
            deal.join(&status, self.currency);
            deal.keys.amount = deal.keys.amount.or(requested);
            self.fail(code, message.at, message.evidence(), sink);
            return;
        }
        if std::mem::take(&mut deal.settling) {
            // It went on to the payment, so that the close before it is over.
            self.settled(SettlementResult::Balanced, message, sink);
        }
        let deal = self.deal.as_mut().expect("it is the same");
        let is_again =
            deal.told == Told::Approved && (status.stan.is_none() || status.stan == deal.keys.stan);
        if is_again {
            return;
        }
        deal.join(&status, self.currency);
        let message = message.bytes.into();
        let at = deal.alive_at;
        deal.approval = Some(Approval { at, waits: false, message });
        if !deal.till_heard {
            self.approve(sink);
        }
    }

    /// A result that holds sums.
    fn totals_reported(&mut self, status: &Status, message: Message<'_>, sink: &mut Sink<'_>) {
        let deal = self.deal.as_mut().expect("a result belongs to one");
        let closes_by_itself = std::mem::take(&mut deal.settling);
        let is_settlement = deal.task == Task::Settlement;
        if status.result.unwrap_or(0) == 0 {
            self.totals(status, message, sink);
            if closes_by_itself {
                self.settled(SettlementResult::Balanced, message, sink);
            }
        } else if closes_by_itself || is_settlement {
            deal.told = if is_settlement { Told::Failed } else { deal.told };
            self.settled(SettlementResult::Error, message, sink);
        }
    }

    /// The till answered a result.
    pub(super) fn result_answered(
        &mut self,
        answer: Answer,
        amount_minor: Option<i64>,
        message: &[u8],
        at: Uptime,
        sink: &mut Sink<'_>,
    ) {
        let currency = self.currency;
        let Some(deal) = &mut self.deal else { return };
        match answer {
            Answer::Yes => self.approve(sink),
            Answer::Wait => {
                deal.approval.iter_mut().for_each(|approval| approval.waits = true);
                deal.alive_at = at;
            }
            Answer::Partly => {
                if let Some(minor) = amount_minor {
                    let currency = deal.keys.amount.map_or(currency, |amount| amount.currency);
                    deal.keys.amount = Some(Amount::new(minor, currency));
                }
                self.approve(sink);
            }
            Answer::No(_) => {
                self.approve(sink);
                self.owe_undo(at, super::answer_evidence(message), sink);
            }
        }
    }

    /// The result went through, and the till took it, or was not heard.
    pub(super) fn approve(&mut self, sink: &mut Sink<'_>) {
        let Some(deal) = &mut self.deal else { return };
        let Some(Approval { at, message, .. }) = deal.approval.take() else { return };
        // An undo that was under way before was of an earlier payment.
        (deal.told, deal.undo) = (Told::Approved, Undo::None);
        let kind = deal.kind();
        let (keys, time, is_debit) = (deal.keys.clone(), deal.device_time, deal.is_debit());
        let sends_old_undo = std::mem::take(&mut deal.sends_old_undo);
        if let Some(receipt) = deal.receipt {
            self.receipts.note(receipt, &keys);
        }
        if is_debit || kind == Some(Kind::Void) {
            self.last = Some(keys.clone());
        }
        if sends_old_undo {
            self.old_undo_sent(at, sink);
        }
        let body = body(kind.unwrap_or(Kind::Sale), keys, ExchangePhase::Approved, 0);
        self.say(at, time, body, super::evidence(&message), sink);
    }

    /// The till did not take a result that went through: the terminal must undo it, at the next message at the latest.
    pub(super) fn owe_undo(&mut self, at: Uptime, evidence: Evidence, sink: &mut Sink<'_>) {
        let Some(deal) = self.deal.as_mut().filter(|deal| deal.is_debit()) else { return };
        if deal.told != Told::Approved || deal.undo != Undo::None {
            return;
        }
        deal.undo = Undo::Due;
        let body = Body::Reversal { keys: deal.keys.clone(), phase: ReversalPhase::Pending };
        self.say(at, None, body, evidence, sink);
    }

    /// `04 FF 05`: the terminal sends an undo, of this payment or of one before.
    pub(super) fn undoing(&mut self, message: Message<'_>, sink: &mut Sink<'_>) {
        let at = message.at;
        let Some(deal) = self.deal.as_mut().filter(|deal| deal.is_money()) else { return };
        let is_fresh = deal.told == Told::Nothing;
        if let Some(old) = self.old_undo.as_ref().filter(|_| is_fresh) {
            if !std::mem::replace(&mut deal.sends_old_undo, true) {
                let body = Body::Reversal { keys: old.clone(), phase: ReversalPhase::Sent };
                self.say(at, None, body, message.evidence(), sink);
            }
            return;
        }
        if std::mem::replace(&mut deal.undo, Undo::Sent) == Undo::Sent {
            return;
        }
        let (keys, kind) = (deal.keys.clone(), deal.kind().unwrap_or(Kind::Sale));
        if is_fresh {
            // No answer that it could use: that is why it undoes.
            let body = body(kind, keys.clone(), ExchangePhase::TimedOut, 0);
            self.say(at, None, body, message.evidence(), sink);
        }
        if kind.is_debit() {
            let body = Body::Reversal { keys, phase: ReversalPhase::Sent };
            self.say(at, None, body, message.evidence(), sink);
        }
    }

    /// The undo of an earlier payment went to the host, which has answered since.
    fn old_undo_sent(&mut self, at: Uptime, sink: &mut Sink<'_>) {
        if let Some(keys) = self.old_undo.take() {
            let body = Body::Reversal { keys, phase: ReversalPhase::Acknowledged };
            self.say(at, None, body, Evidence::None, sink);
        }
    }

    /// The transaction fails with this code: by a result, an abort or a refused command. Said once.
    pub(super) fn fail(&mut self, code: u8, at: Uptime, evidence: Evidence, sink: &mut Sink<'_>) {
        let outcome = Outcome::of(code);
        if outcome == Outcome::Unreachable {
            self.network(false, at, evidence.clone(), sink);
        }
        if code == PRINTER_NOT_READY && std::mem::take(&mut self.printer_ready) {
            let status = PrinterStatus { error: Some(true), ..PrinterStatus::default() };
            self.say(at, None, Body::PrinterStatus(status), evidence.clone(), sink);
        }
        self.approve(sink);
        let by = self.aborted_by(outcome);
        let Some(deal) = &mut self.deal else { return };
        if deal.told == Told::Failed {
            return;
        }
        let closes_day = deal.task == Task::Settlement || std::mem::take(&mut deal.settling);
        if deal.task == Task::Settlement {
            deal.told = Told::Failed;
        }
        if closes_day {
            let result = SettlementResult::Error;
            let body = Body::SettlementClosed { batch_number: None, result };
            self.say(at, None, body, evidence.clone(), sink);
        }
        let Some(deal) = self.deal.as_mut().filter(|deal| deal.is_money()) else { return };
        let was = std::mem::replace(&mut deal.told, Told::Failed);
        let (keys, kind) = (deal.keys.clone(), deal.kind().unwrap_or(Kind::Sale));
        let (undo, time) = (deal.undo, deal.device_time);
        if outcome == Outcome::Refused && std::mem::take(&mut deal.sends_old_undo) {
            self.old_undo_sent(at, sink);
        }
        let said = match undo {
            Undo::Due | Undo::Sent if !kind.is_debit() => return,
            Undo::Due | Undo::Sent if outcome == Outcome::Unreachable => {
                self.old_undo = Some(keys);
                return;
            }
            Undo::Due | Undo::Sent => Body::Reversal { keys, phase: ReversalPhase::Acknowledged },
            Undo::None if was == Told::Approved => Body::TransactionAborted { keys, by },
            Undo::None if !kind.is_debit() || outcome == Outcome::Refused => {
                body(kind, keys, ExchangePhase::Declined, code)
            }
            Undo::None => Body::TransactionAborted { keys, by },
        };
        self.say(at, time, said, evidence, sink);
    }

    /// `06 0F` of a payment.
    pub(super) fn completed(&mut self, message: Message<'_>, sink: &mut Sink<'_>) {
        let Some(deal) = &mut self.deal else { return };
        let is_known = deal.task != Task::Unheard || deal.told == Told::Approved;
        if deal.told == Told::Failed || !is_known {
            return;
        }
        let kind = deal.kind().unwrap_or(Kind::Sale);
        let (keys, time) = (deal.keys.clone(), deal.device_time);
        if deal.undo == Undo::Sent && kind.is_debit() {
            // What it is done with is the undo.
            deal.told = Told::Failed;
            let body = Body::Reversal { keys, phase: ReversalPhase::Acknowledged };
            self.say(message.at, time, body, message.evidence(), sink);
            return;
        }
        let was = std::mem::replace(&mut deal.told, Told::Approved);
        let body = match kind.is_debit() {
            true => Body::TransactionCompleted(keys),
            // The result itself went by unheard.
            false if was == Told::Nothing => body(kind, keys, ExchangePhase::Approved, 0),
            false => return,
        };
        self.say(message.at, time, body, message.evidence(), sink);
    }
}
