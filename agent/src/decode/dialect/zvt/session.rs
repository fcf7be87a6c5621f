//! What till and terminal say to each other, in words of the vocabulary. Knows one transaction at a time; reads no
//! clock, and says what was seen: what must follow of it is judged elsewhere.
//!
//! Three things are waited for. A result that went through waits for the till to take it, since without that the
//! terminal undoes it. A slip waits for the result that it belongs to, since some terminals print first. And a slip's
//! last line waits for the till's word that it could print.

use super::Zvt;
use super::command::{self, Answer, Layout, Sender};
use super::deal::{Deal, Receipts, Task, Told, Undo, printed_by};
use super::printing::Fate;
use super::secret;
use super::status::{Outcome, PRINTER_NOT_READY, Status, currency};
use crate::decode::dialect::{Direction, Sink};
use crate::decode::record::Decoded;
use crate::decode::scrub::frame::text;
use slipwatch_shared::event::{
    AbortedBy, Body, EVIDENCE_BYTES_MAX, Evidence, ExchangePhase, Keys, OperatorAction,
    OriginalKeys, PrintedBy, PrinterStatus, SettlementResult, SettlementTotals, TotalsBy,
};
use slipwatch_shared::money::{Amount, Currency};
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::{DeviceTime, Uptime};
use std::sync::Arc;

mod money;
mod slips;

/// Two receivers of one line may tell an answer this much before what it answers.
const SKEW_MS: u64 = 100;

/// A message that waits for its answer.
#[derive(Clone, Copy, Debug)]
struct Asked {
    sender: Sender,
    code: u16,
}

/// An answer that came before what it answers.
#[derive(Debug)]
struct Early {
    sender: Sender,
    /// Its way was heard: on one wire nothing comes before what it answers.
    is_sure: bool,
    answer: Answer,
    amount_minor: Option<i64>,
    at: Uptime,
}

/// How a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// By the terminal's completion.
    Completed,
    /// By its abort, a refusal, silence, the till's next command or a lost link.
    Broken,
}

/// What till and terminal have said so far.
#[derive(Debug)]
pub(super) struct Session {
    zvt: Arc<Zvt>,
    /// The number that the terminal has, as it says itself or as the settings say.
    terminal: Option<TerminalId>,
    currency: Currency,
    deal: Option<Box<Deal>>,
    asked: Option<Asked>,
    early: Option<Early>,
    receipts: Receipts,
    /// The last payment that went through: what a repeated receipt shows.
    last: Option<Keys>,
    /// A payment that the terminal still has to undo.
    old_undo: Option<Keys>,
    network_up: Option<bool>,
    printer_ready: bool,
    /// Room for one message while it is read.
    masked: Vec<u8>,
}

/// A message in hand: masked, and when it was read.
#[derive(Clone, Copy, Debug)]
struct Message<'a> {
    bytes: &'a [u8],
    /// Where its data begins.
    head: usize,
    /// Where its fields begin.
    fields: usize,
    /// How much of it was masked, and may be kept.
    masked: usize,
    at: Uptime,
}

impl Message<'_> {
    fn status(&self) -> Status {
        Status::read(self.bytes, self.fields)
    }

    /// A byte of its data.
    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(self.head + at).copied()
    }

    fn evidence(&self) -> Evidence {
        evidence(&self.bytes[..self.masked])
    }
}

fn evidence(message: &[u8]) -> Evidence {
    Evidence::Frame(message[..message.len().min(EVIDENCE_BYTES_MAX)].into())
}

/// What is kept of an answer: which one it was.
fn answer_evidence(message: &[u8]) -> Evidence {
    evidence(&message[..message.len().min(2)])
}

/// Masks a message, and tells where its fields begin; nothing of one whose fields are not known, and of which no more
/// than the first byte may be kept.
fn mask(message: &mut [u8], code: u16, layout: Layout, head: usize) -> Option<usize> {
    let own = match layout {
        Layout::Fields(_) if code == 0x060f => version_bytes(&message[head..]).unwrap_or(0),
        // Two bytes of currency stand in a registration without a tag.
        Layout::Password(own) if code == 0x0600 => usize::from(own) + 2,
        Layout::Fields(own) | Layout::Password(own) => usize::from(own),
        Layout::Line | Layout::Block | Layout::Opaque => return None,
    };
    let fields = (head + own).min(message.len());
    let password = if matches!(layout, Layout::Password(_)) { head + 3 } else { head };
    message[head..password.min(fields)].fill(secret::GONE);
    text(&mut message[head..fields]);
    secret::mask(message, fields);
    Some(fields)
}

/// How many bytes the version of the terminal's software takes, and its state behind it, which the answer to an enquiry
/// holds in front of its fields.
fn version_bytes(message: &[u8]) -> Option<usize> {
    let digits = message.get(..3)?.iter().try_fold(0, |number, byte| {
        let digit = byte.checked_sub(0xf0).filter(|digit| *digit <= 9)?;
        Some(number * 10 + usize::from(digit))
    })?;
    Some(3 + digits + 1)
}

impl Session {
    /// At the start of a source.
    pub fn new(zvt: Arc<Zvt>, terminal: Option<TerminalId>) -> Session {
        let currency = zvt.currency;
        Session {
            zvt,
            terminal,
            currency,
            deal: None,
            asked: None,
            early: None,
            receipts: Receipts::default(),
            last: None,
            old_undo: None,
            network_up: None,
            printer_ready: true,
            masked: Vec::new(),
        }
    }

    /// Takes a whole message, read at `at`; its data begins at `head`.
    pub fn take(
        &mut self,
        direction: Direction,
        message: &[u8],
        head: usize,
        at: Uptime,
        sink: &mut Sink<'_>,
    ) {
        self.settle(at, sink);
        let code = u16::from_be_bytes([message[0], message[1]]);
        let heard = match direction {
            Direction::Either => None,
            Direction::ToDevice => Some(Sender::Till),
            Direction::FromDevice => Some(Sender::Terminal),
        };
        if let Some(answer) = Answer::find(code) {
            let amount_minor = Status::read(message, head).amount_minor;
            let asked = self.asked.map(|asked| asked.sender);
            // On one wire the answer comes from whoever was asked.
            let sender = heard.or(asked.map(Sender::other)).unwrap_or(Sender::Till);
            let is_sure = heard.is_some();
            self.answered(Early { sender, is_sure, answer, amount_minor, at }, message, sink);
            return;
        }
        let Some(command) = command::find(code) else {
            sink.counts.unmatched += u64::from(!command::is_known(code));
            self.asked = None;
            return;
        };
        // The till may print on the terminal, too; what it prints there is its own.
        let is_tills_print =
            heard == Some(Sender::Till) && matches!(command.layout, Layout::Line | Layout::Block);
        let sender = if is_tills_print { Sender::Till } else { command.sender };
        let mut masked = std::mem::take(&mut self.masked);
        masked.clear();
        masked.extend_from_slice(message);
        let fields = mask(&mut masked, code, command.layout, head);
        let length = masked.len();
        let kept = if fields.is_some() { length } else { (head + 1).min(length) };
        let fields = fields.unwrap_or(length);
        let message = Message { bytes: &masked, head, fields, masked: kept, at };
        match sender {
            Sender::Till if is_tills_print => {}
            Sender::Till => self.commanded(code, message, sink),
            Sender::Terminal => self.reported(code, message, sink),
        }
        self.masked = masked;
        self.asked = Some(Asked { sender, code });
        let early = self.early.take();
        if let Some(early) = early.filter(|early| at.ms_since(early.at) <= SKEW_MS) {
            self.answered(early, &[], sink);
        }
    }

    /// Time passed: a result that the till did not take is said so, and a transaction that went silent is over.
    pub fn settle(&mut self, now: Uptime, sink: &mut Sink<'_>) {
        let timers = self.zvt.timers;
        let Some(deal) = &mut self.deal else { return };
        let is_untaken = deal.approval.as_ref().is_some_and(|approval| {
            !approval.waits && approval.at.plus_ms(timers.answer_ms) <= now
        });
        if is_untaken {
            let heard = deal.till_heard;
            self.approve(sink);
            if heard {
                self.owe_undo(now, Evidence::None, sink);
            }
            self.print(sink);
        }
        let is_silent = |deal: &Deal| deal.alive_at.plus_ms(timers.completion_ms) <= now;
        if self.deal.as_deref().is_some_and(is_silent) {
            self.end(Ending::Broken, sink);
        }
    }

    /// The link was lost.
    pub fn finish(&mut self, sink: &mut Sink<'_>) {
        self.end(Ending::Broken, sink);
        self.asked = None;
        self.early = None;
    }

    /// Since when something waits here for what comes after it.
    pub fn held_since(&self) -> Option<Uptime> {
        let deal = self.deal.as_ref()?;
        let approval = deal.approval.as_ref().map(|approval| approval.at);
        [approval, deal.slips.held_since()].into_iter().flatten().min()
    }

    /// When [`Session::settle`] would let something go.
    pub fn wake_at(&self) -> Option<Uptime> {
        self.held_since()?;
        let deal = self.deal.as_ref()?;
        let timers = self.zvt.timers;
        let approval = deal.approval.as_ref().filter(|approval| !approval.waits);
        let untaken = approval.map(|approval| approval.at.plus_ms(timers.answer_ms));
        [untaken, Some(deal.alive_at.plus_ms(timers.completion_ms))].into_iter().flatten().min()
    }

    fn say(
        &self,
        at: Uptime,
        device_time: Option<DeviceTime>,
        body: Body,
        evidence: Evidence,
        sink: &mut Sink<'_>,
    ) {
        let terminal = self.terminal;
        sink.decoded.push_back(Decoded::Said { at, terminal, device_time, body, evidence });
    }

    /// A command of the till.
    fn commanded(&mut self, code: u16, message: Message<'_>, sink: &mut Sink<'_>) {
        let at = message.at;
        if code == 0x06b0 {
            let keys = self.deal.as_ref().map_or_else(Keys::default, |deal| deal.keys.clone());
            if let Some(deal) = &mut self.deal {
                deal.aborted_by_till = true;
            }
            let body = Body::OperatorAction { action: OperatorAction::Abort, keys };
            self.say(at, None, body, message.evidence(), sink);
            return;
        }
        self.end(Ending::Broken, sink);
        let status = message.status();
        let task = match (code, message.byte(3)) {
            (0x0600, Some(config)) => Task::Registration(printed_by(config)),
            _ => Task::of(code),
        };
        let mut deal = Box::new(Deal::new(task, at));
        match task {
            Task::Money(kind) => {
                deal.join(&status, self.currency);
                deal.keys.kind = Some(kind);
                // A receipt that the till names is the one that it wants to change.
                deal.keys.original = deal
                    .receipt
                    .take()
                    .and_then(|receipt| self.receipts.find(receipt))
                    .filter(|original| *original != OriginalKeys::default());
                deal.device_time = None;
                let body = money::body(kind, deal.keys.clone(), ExchangePhase::Requested, 0);
                self.say(at, None, body, message.evidence(), sink);
            }
            Task::Reprint => {
                let (action, keys) = (OperatorAction::Reprint, Keys::default());
                let body = Body::OperatorAction { action, keys };
                self.say(at, None, body, message.evidence(), sink);
            }
            Task::Settlement => {
                let body = Body::SettlementStarted { batch_number: None };
                self.say(at, None, body, message.evidence(), sink);
            }
            _ => {}
        }
        match code {
            0x0600 => {
                let told = message.bytes.get(message.head + 4..message.head + 6);
                self.currency = told.and_then(currency).unwrap_or(self.currency);
            }
            0x0618 => self.say(at, None, Body::DeviceRestarted, message.evidence(), sink),
            _ => {}
        }
        self.deal = Some(deal);
    }

    /// A word of the terminal.
    fn reported(&mut self, code: u16, message: Message<'_>, sink: &mut Sink<'_>) {
        let at = message.at;
        if let Some(deal) = &mut self.deal {
            deal.alive_at = at;
            // It only goes on when it was answered; the answer itself may have gone by unheard.
            deal.slips.taken();
            if code != 0x040f {
                self.approve(sink);
            }
        } else if matches!(code, 0x040f | 0x04ff | 0x06d1 | 0x06d3) {
            self.deal = Some(Box::new(Deal::new(Task::Unheard, at)));
        }
        match code {
            0x040f => self.result(message, sink),
            0x04ff => self.progress(message, sink),
            0x06d1 | 0x06d3 => {
                let slips = &mut self.deal.as_mut().expect("it was just made").slips;
                match code {
                    0x06d1 => slips.line(message.bytes, message.head, at),
                    _ => slips.block(message.bytes, message.head, at),
                }
            }
            0x060f => self.completion(message, sink),
            0x061e => self.abort(message, sink),
            _ => {}
        }
        self.print(sink);
    }

    /// An answer, to whatever was said last.
    fn answered(&mut self, early: Early, message: &[u8], sink: &mut Sink<'_>) {
        let Early { sender, answer, amount_minor, at, .. } = early;
        let Some(asked) = self.asked.filter(|asked| asked.sender != sender) else {
            self.early = Some(early).filter(|early| early.is_sure);
            return;
        };
        // The till that asks to wait answers once more.
        self.asked = Some(asked).filter(|_| answer == Answer::Wait);
        if let (Sender::Till, Some(deal)) = (sender, &mut self.deal) {
            deal.till_heard = true;
        }
        match (asked.code, answer) {
            (0x040f, answer) => self.result_answered(answer, amount_minor, message, at, sink),
            (0x06d1 | 0x06d3, Answer::Yes) => {
                self.deal.iter_mut().for_each(|deal| deal.slips.taken());
            }
            (0x06d1 | 0x06d3, Answer::No(_)) => {
                self.deal.iter_mut().for_each(|deal| deal.slips.refused());
            }
            (0x06d8, Answer::Yes) => self.network(true, at, Evidence::None, sink),
            (0x06d8, Answer::No(_)) => self.network(false, at, answer_evidence(message), sink),
            (0x06b0, _) => {}
            // Logged off: the terminal goes back to a till that prints what it is handed.
            (0x0602, Answer::Yes) => {
                let body = Body::PrintingAssigned { to: PrintedBy::TillFromTerminalText };
                self.say(at, None, body, answer_evidence(message), sink);
            }
            (_, Answer::No(code)) if asked.sender == Sender::Till => {
                self.fail(code, at, answer_evidence(message), sink);
                self.end(Ending::Broken, sink);
            }
            _ => {}
        }
        self.print(sink);
    }

    /// `04 FF`: what the terminal is at.
    fn progress(&mut self, message: Message<'_>, sink: &mut Sink<'_>) {
        let at = message.at;
        match message.byte(0) {
            Some(0x05 | 0x45) => self.undoing(message, sink),
            Some(0xd3 | 0xf2) => self.network(true, at, message.evidence(), sink),
            Some(0xf1) => self.network(false, at, message.evidence(), sink),
            Some(0x0f) => {
                let Some(deal) = self.deal.as_mut().filter(|deal| deal.is_money()) else { return };
                if !std::mem::replace(&mut deal.settling, true) {
                    let body = Body::SettlementStarted { batch_number: None };
                    self.say(at, None, body, message.evidence(), sink);
                }
            }
            _ => {}
        }
    }

    /// `06 0F`: the terminal is done.
    fn completion(&mut self, message: Message<'_>, sink: &mut Sink<'_>) {
        let at = message.at;
        let status = message.status();
        self.terminal = status.terminal.or(self.terminal);
        self.currency = status.currency.unwrap_or(self.currency);
        let Some(deal) = &self.deal else { return };
        match deal.task {
            Task::Money(_) | Task::Unheard => self.completed(message, sink),
            Task::Settlement if deal.told != Told::Failed => {
                self.settled(SettlementResult::Balanced, message, sink);
            }
            Task::SignOn => {
                let body = Body::SignedOn { batch_number: None };
                self.say(at, None, body, message.evidence(), sink);
            }
            Task::Registration(to) => {
                let body = Body::PrintingAssigned { to };
                self.say(at, None, body, message.evidence(), sink);
            }
            Task::Enquiry => {
                let version = version_bytes(&message.bytes[message.head..]);
                let state = version.and_then(|bytes| message.byte(bytes - 1));
                if let Some(state) = state {
                    self.printer(state != PRINTER_NOT_READY, message, sink);
                }
            }
            _ => {}
        }
        self.end(Ending::Completed, sink);
    }

    /// `06 1E`: the terminal ends it without success.
    fn abort(&mut self, message: Message<'_>, sink: &mut Sink<'_>) {
        let code = message.byte(0).unwrap_or(0xff);
        if self.deal.is_some() {
            self.fail(code, message.at, message.evidence(), sink);
        }
        self.end(Ending::Broken, sink);
    }

    /// The terminal reaches its host, or does not; told on change.
    fn network(&mut self, up: bool, at: Uptime, evidence: Evidence, sink: &mut Sink<'_>) {
        if self.network_up.replace(up) != Some(up) {
            let body = if up { Body::NetworkUp } else { Body::NetworkDown };
            self.say(at, None, body, evidence, sink);
        }
    }

    /// Whoever prints is ready, or is not; told on change.
    fn printer(&mut self, ready: bool, message: Message<'_>, sink: &mut Sink<'_>) {
        if std::mem::replace(&mut self.printer_ready, ready) != ready {
            let status = PrinterStatus { error: Some(!ready), ..PrinterStatus::default() };
            self.say(message.at, None, Body::PrinterStatus(status), message.evidence(), sink);
        }
    }

    /// Sums of a day.
    fn totals(&mut self, status: &Status, message: Message<'_>, sink: &mut Sink<'_>) {
        let Some(totals) = status.totals else { return };
        let minor = status.amount_minor.unwrap_or(totals.minor);
        let body = Body::SettlementTotals(SettlementTotals {
            batch_number: None,
            by: TotalsBy::Terminal,
            debit_count: totals.count,
            debit: Some(Amount::new(minor, status.currency.unwrap_or(self.currency))),
            credit_count: 0,
            credit: None,
        });
        self.say(message.at, status.device_time, body, message.evidence(), sink);
    }

    fn settled(&mut self, result: SettlementResult, message: Message<'_>, sink: &mut Sink<'_>) {
        let body = Body::SettlementClosed { batch_number: None, result };
        self.say(message.at, None, body, message.evidence(), sink);
    }

    /// Who ended a payment, by the code that says why.
    fn aborted_by(&self, outcome: Outcome) -> AbortedBy {
        let by_till = self.deal.as_ref().is_some_and(|deal| deal.aborted_by_till);
        match outcome {
            _ if by_till => AbortedBy::Operator,
            Outcome::Refused => AbortedBy::Host,
            Outcome::Aborted | Outcome::Approved => AbortedBy::Unknown,
            Outcome::Unreachable | Outcome::Failed => AbortedBy::Terminal,
        }
    }

    /// The transaction is over.
    fn end(&mut self, ending: Ending, sink: &mut Sink<'_>) {
        self.approve(sink);
        let Some(deal) = &mut self.deal else { return };
        deal.slips.end(match ending {
            Ending::Completed => Fate::Whole,
            Ending::Broken => Fate::Begun,
        });
        let owes = deal.undo != Undo::None && ending != Ending::Completed;
        if owes && deal.told != Told::Failed {
            self.old_undo = Some(deal.keys.clone());
        }
        self.print_all(sink);
        self.deal = None;
    }
}
