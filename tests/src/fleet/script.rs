//! The words of one payment, one after the other, each with its time, the line it comes over and, where the voices
//! know it, the word they write down. Builds; decides nothing.

use super::WALL_MS_AT_MIDNIGHT;
use super::clock::device_time;
use super::make::{Make, Shows};
use crate::dice::Dice;
use crate::terminal::{Copy as SpokenCopy, Word};
use slipwatch_shared::card::{Card, EntryMode, MaskedPan};
use slipwatch_shared::event::{
    AbortedBy, Body, Copy, ElectronicChannel, ExchangePhase, Instrument, Keys, Kind,
    OperatorAction, OriginalKeys, Paper, PrinterStatus, ReversalPhase, Slip, SlipFailure, SlipLoss,
};
use slipwatch_shared::money::{Amount, Currency};

/// Over which of a terminal's lines something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// The terminal's own.
    Money,
    /// The printer's, where it has one of its own.
    Slips,
}

/// One word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// When, in milliseconds of the fleet's clock.
    pub at: i64,
    /// Over which line.
    pub line: Line,
    /// What an agent makes of it.
    pub body: Body,
    /// The same for the voices; absent where they have no word for it.
    pub word: Option<Word>,
}

/// The numbers of one payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// As asked for.
    pub keys: Keys,
    /// Field 37 of the answer.
    pub rrn: String,
    /// The answer shows the host's clock.
    pub tells_time: bool,
}

impl Ticket {
    /// A card payment or, at a make that takes wallets, now and then a wallet's.
    ///
    /// # Panics
    /// When a number is out of its field's bounds.
    pub fn new(make: &Make, number: Numbers, dice: &mut Dice) -> Ticket {
        let Numbers { stan, batch, amount_minor, last_four, order, .. } = number;
        let wallet = make.wallets && dice.percent(60);
        let digits = |number: u32| format!("{number:06}").parse();
        let head = *dice.pick(&["622576", "621700", "456351", "524090"]);
        let pan = MaskedPan::from_parts(Some(head), &format!("{last_four:04}")).expect("digits");
        let card = Card {
            pan: Some(pan),
            entry_mode: Some(*dice.pick(&[EntryMode::Inserted, EntryMode::Contactless])),
            chip_counter: Some(dice.below(60_000) as u16),
            ..Card::default()
        };
        let instrument = match wallet {
            true => *dice.pick(&[Instrument::WechatQr, Instrument::AlipayQr]),
            false => Instrument::Card,
        };
        let order = make.wallets.then(|| Box::new(order.parse().expect("an order number")));
        let keys = Keys {
            kind: Some(Kind::Sale),
            instrument: Some(instrument),
            amount: Some(Amount::new(amount_minor, Currency::CNY)),
            stan: Some(format!("{stan:06}").parse().expect("six digits")),
            batch_number: digits(batch).ok(),
            order_number: order,
            card: (!wallet).then_some(card),
            ..Keys::default()
        };
        // Day, hour and trace, as hosts often build it; the terminal's batch keeps two traces of an hour apart.
        let rrn = format!("{:06}{stan:06}", batch % 1_000_000);
        Ticket { keys, rrn, tells_time: false }
    }

    /// As the answer tells it.
    pub fn answered(&self) -> Keys {
        let code = format!("{:06X}", self.stan().wrapping_mul(7_919) % 0xff_ffff);
        let transaction = self.is_wallet().then(|| format!("42000{}", self.rrn));
        Keys {
            rrn: self.rrn.parse().ok(),
            authorization_code: if self.is_wallet() { None } else { code.parse().ok() },
            channel_transaction_id: transaction.and_then(|id| id.parse().ok()).map(Box::new),
            ..self.keys.clone()
        }
    }

    /// As a slip shows it.
    pub fn printed(&self, make: &Make) -> Keys {
        let Keys { amount, stan, .. } = self.keys;
        match make.shows {
            Shows::All => self.answered(),
            Shows::Trace => Keys { amount, stan, ..Keys::default() },
            Shows::Order => {
                Keys { amount, order_number: self.keys.order_number.clone(), ..Keys::default() }
            }
        }
    }

    /// Its trace as a number.
    pub fn stan(&self) -> u32 {
        self.keys.stan.map_or(0, |stan| stan.number())
    }

    /// Paid with a wallet's code.
    pub fn is_wallet(&self) -> bool {
        self.keys.instrument != Some(Instrument::Card)
    }

    /// As a void, refund or completion names it.
    pub fn original(&self) -> OriginalKeys {
        OriginalKeys {
            stan: self.keys.stan,
            batch_number: self.keys.batch_number,
            ..OriginalKeys::default()
        }
    }
}

/// The numbers that a terminal and its shop give a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// Field 11.
    pub stan: u32,
    /// Field 11 of its void, where it has one.
    pub void_stan: u32,
    /// Field 60.2.
    pub batch: u32,
    /// Minor units.
    pub amount_minor: i64,
    /// Last four digits of the card.
    pub last_four: u16,
    /// The shop's order number.
    pub order: String,
}

/// A script in the making.
#[derive(Debug)]
pub struct Script<'a> {
    /// Where.
    pub make: &'a Make,
    /// What comes next is said then.
    pub at: i64,
    /// One step of the people at the till.
    pub step: i64,
    /// What was said so far.
    pub acts: Vec<Act>,
    /// When the money went.
    pub debited: Option<i64>,
}

impl<'a> Script<'a> {
    /// One that begins at `at`.
    pub fn new(make: &'a Make, at: i64, step: i64) -> Script<'a> {
        Script { make, at, step, acts: Vec::with_capacity(8), debited: None }
    }

    fn say(&mut self, line: Line, body: Body, word: Option<Word>) -> &mut Self {
        let line = if self.make.two_lines { line } else { Line::Money };
        self.acts.push(Act { at: self.at, line, body, word });
        self.at += self.step;
        self
    }

    /// Nothing happens for so long.
    pub fn wait(&mut self, ms: i64) -> &mut Self {
        self.at += ms;
        self
    }

    /// The host is asked.
    pub fn asks(&mut self, ticket: &Ticket) -> &mut Self {
        let body = Body::AuthorizationRequested(ticket.keys.clone());
        self.say(Line::Money, body, Some(Word::Requested))
    }

    /// The host answers.
    pub fn answers(&mut self, ticket: &Ticket, code: &'static str) -> &mut Self {
        let approved = matches!(code, "00" | "10");
        let mut keys = if approved { ticket.answered() } else { ticket.keys.clone() };
        if approved && ticket.tells_time {
            keys.host_time = Some(device_time(WALL_MS_AT_MIDNIGHT + self.at));
        }
        let body = Body::AuthorizationAnswered {
            keys,
            response_code: code.parse().expect("two characters"),
        };
        // Y1 and Y3: the chip approves without its host.
        if approved || matches!(code, "Y1" | "Y3") {
            self.debited.get_or_insert(self.at);
        }
        let word = if code == "00" { Word::Approved } else { Word::Refused(code) };
        self.say(Line::Money, body, Some(word))
    }

    /// Closed as done.
    pub fn completes(&mut self, ticket: &Ticket) -> &mut Self {
        let body = Body::TransactionCompleted(ticket.keys.clone());
        self.say(Line::Money, body, Some(Word::Completed))
    }

    /// Asked, approved, done.
    pub fn approved(&mut self, ticket: &Ticket) -> &mut Self {
        self.asks(ticket).answers(ticket, "00").completes(ticket)
    }

    /// No answer came.
    pub fn times_out(&mut self, ticket: &Ticket) -> &mut Self {
        let body = Body::AuthorizationTimedOut(ticket.keys.clone());
        self.say(Line::Money, body, Some(Word::TimedOut))
    }

    /// It ended before an answer.
    pub fn aborts(&mut self, ticket: &Ticket, by: AbortedBy) -> &mut Self {
        let body = Body::TransactionAborted { keys: ticket.keys.clone(), by };
        let word = (by == AbortedBy::Operator).then_some(Word::Abandoned);
        self.say(Line::Money, body, word)
    }

    /// A phase of the technical undo.
    pub fn reverses(&mut self, ticket: &Ticket, phase: ReversalPhase) -> &mut Self {
        let word = match phase {
            ReversalPhase::Pending => Word::ReversalPending,
            ReversalPhase::Sent => Word::ReversalSent,
            ReversalPhase::Acknowledged => Word::ReversalAcknowledged,
            ReversalPhase::Failed => Word::ReversalFailed,
        };
        let body = Body::Reversal { keys: ticket.keys.clone(), phase };
        self.say(Line::Money, body, Some(word))
    }

    /// A whole exchange of a void, refund, hold or completion: asked and approved.
    pub fn exchanges(
        &mut self,
        keys: &Keys,
        body: fn(Keys, ExchangePhase) -> Body,
        words: Option<(Word, Word)>,
    ) -> &mut Self {
        let asked = body(keys.clone(), ExchangePhase::Requested);
        let done = body(keys.clone(), ExchangePhase::Approved);
        self.say(Line::Money, asked, words.map(|words| words.0));
        self.say(Line::Money, done, words.map(|words| words.1))
    }

    fn slip_of(&self, ticket: &Ticket, copy: Copy, reprint: bool) -> Slip {
        // A till's own layout does not say whose copy it is.
        let copy = (self.make.shows != Shows::Order).then_some(copy);
        Slip { copy, reprint, keys: ticket.printed(self.make) }
    }

    /// A copy begins, where the make says so.
    pub fn begins(&mut self, ticket: &Ticket, copy: Copy) -> &mut Self {
        let body = Body::SlipStarted(self.slip_of(ticket, copy, false));
        self.say(Line::Slips, body, Some(Word::SlipStarted(spoken(copy))))
    }

    /// A copy is on paper.
    pub fn prints(&mut self, ticket: &Ticket, copy: Copy, reprint: bool) -> &mut Self {
        let slip = self.slip_of(ticket, copy, reprint);
        let body = Body::SlipPrinted { slip, grade: self.make.grade };
        let word = Word::SlipPrinted { copy: spoken(copy), reprint };
        self.say(Line::Slips, body, Some(word))
    }

    /// All copies that the make prints.
    pub fn slips(&mut self, ticket: &Ticket, reprint: bool) -> &mut Self {
        let copies = [Copy::Merchant, Copy::Customer];
        for copy in copies.into_iter().take(usize::from(self.make.copies)) {
            if self.make.begins_slips {
                self.begins(ticket, copy);
            }
            self.prints(ticket, copy, reprint);
        }
        self
    }

    /// The shopper's slip: all copies, or without a printer the code on the screen.
    pub fn slipped(&mut self, ticket: &Ticket) -> &mut Self {
        if self.make.prints() { self.slips(ticket, false) } else { self.issues(ticket) }
    }

    /// A copy cannot be printed.
    pub fn fails(&mut self, ticket: &Ticket, reason: SlipFailure) -> &mut Self {
        let slip = self.slip_of(ticket, Copy::Merchant, false);
        let body = Body::SlipFailed { slip, reason };
        let word =
            (reason == SlipFailure::PaperOut).then_some(Word::SlipFailed(SpokenCopy::Merchant));
        self.say(Line::Slips, body, word)
    }

    /// A copy's data is gone.
    pub fn loses(&mut self, ticket: &Ticket, reason: SlipLoss) -> &mut Self {
        let body = Body::SlipLost { slip: self.slip_of(ticket, Copy::Merchant, false), reason };
        let word = (reason == SlipLoss::Cancelled).then_some(Word::PrintCancelled);
        self.say(Line::Slips, body, word)
    }

    /// The slip goes out as a code on the screen.
    pub fn issues(&mut self, ticket: &Ticket) -> &mut Self {
        let slip = Slip { copy: None, reprint: false, keys: ticket.printed(self.make) };
        let channel = ElectronicChannel::QrCode;
        let body = Body::SlipIssuedElectronically { slip, channel };
        self.say(Line::Slips, body, Some(Word::SlipOnScreen))
    }

    /// The shopper wants none.
    pub fn declines_slip(&mut self, ticket: &Ticket) -> &mut Self {
        let slip = Slip { copy: None, reprint: false, keys: ticket.printed(self.make) };
        self.say(Line::Slips, Body::SlipDeclined(slip), Some(Word::SlipUnwanted))
    }

    /// The printer says how it is.
    pub fn printer(&mut self, status: PrinterStatus) -> &mut Self {
        let word = match status.paper {
            Some(Paper::End) => Some(Word::PaperEnds),
            Some(Paper::Present) => Some(Word::PaperBack),
            _ => None,
        };
        self.say(Line::Slips, Body::PrinterStatus(status), word)
    }

    /// The paper is out, or in again.
    pub fn paper(&mut self, paper: Paper) -> &mut Self {
        let online = Some(paper != Paper::End);
        self.printer(PrinterStatus { paper: Some(paper), online, ..PrinterStatus::default() })
    }

    /// Another payment begins, with a debit of its own.
    pub fn begins_anew(&mut self) -> &mut Self {
        self.debited = None;
        self
    }

    /// The cashier does something by hand.
    pub fn cashier(&mut self, action: OperatorAction, ticket: &Ticket) -> &mut Self {
        let body = Body::OperatorAction { action, keys: ticket.keys.clone() };
        self.say(Line::Money, body, None)
    }

    /// Anything else that the terminal says.
    pub fn says(&mut self, body: Body) -> &mut Self {
        self.say(Line::Money, body, None)
    }

    /// Anything else that the printer's line says.
    pub fn printer_says(&mut self, body: Body) -> &mut Self {
        self.say(Line::Slips, body, None)
    }

    /// Whether the voices have a word for all of it.
    pub fn is_spoken(&self) -> bool {
        self.acts.iter().all(|act| act.word.is_some())
    }
}

fn spoken(copy: Copy) -> SpokenCopy {
    match copy {
        Copy::Merchant => SpokenCopy::Merchant,
        Copy::Customer => SpokenCopy::Customer,
    }
}
