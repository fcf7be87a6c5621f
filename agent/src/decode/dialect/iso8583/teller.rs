//! Messages to what was said: requests, answers, undoings, the close of the day. Remembers the requests that wait for
//! their answers and the undoings under way; judges no payment.

use super::grammar::{Business, Grammar, Part};
use super::reading::{self, keys};
use super::totals::sums;
use super::undo::{Attempt, Undoings};
use super::values::Values;
use crate::decode::dialect::Sink;
use crate::decode::record::{Decoded, evidence};
use crate::decode::scrub::{Label, Scrubbed, Scrubber};
use slipwatch_shared::event::{
    Body, DecodeFailure, ExchangePhase, Keys, Kind, ReversalPhase, SettlementResult,
    SettlementTotals, TotalsBy,
};
use slipwatch_shared::message::ResponseCode;
use slipwatch_shared::money::Amount;
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::{DeviceTime, Uptime};
use slipwatch_shared::trace::{BatchNumber, Stan};
use std::collections::VecDeque;

/// Requests that are remembered for their answers.
const OPEN_MAX: usize = 64;

/// Messages that are remembered to know one that is said again.
const RECENT_MAX: usize = 64;

/// The same message again within this is a retransmission, or the same line heard at its other end.
const AGAIN_MS: u64 = 120_000;

/// Longest time of a day, for clocks that tell no date.
const DAY_MS: u64 = 86_400_000;

/// Fields of evidence that hold no card number, though their digits could be taken for one.
const LABELS: [(&str, Label); 2] = [("f37", Label::Other(12)), ("f42", Label::Other(15))];

/// When something was heard, by the agent and by the clock of the log that it stands in.
#[derive(Clone, Copy, Debug)]
pub(in crate::decode::dialect) struct Moment {
    pub at: Uptime,
    pub shown: Option<DeviceTime>,
}

impl Moment {
    /// Milliseconds since `earlier`; by the log's own clock where both show one, since a log may be read all at once.
    pub fn ms_since(&self, earlier: &Moment) -> u64 {
        match (self.shown, earlier.shown) {
            (Some(now), Some(then)) => {
                let (now, then) = (of_day(now), of_day(then));
                (now + DAY_MS - then) % DAY_MS
            }
            _ => self.at.ms_since(earlier.at),
        }
    }
}

fn of_day(time: DeviceTime) -> u64 {
    let seconds =
        (u64::from(time.hour) * 60 + u64::from(time.minute)) * 60 + u64::from(time.second);
    (seconds * 1_000 + u64::from(time.millisecond)).min(DAY_MS - 1)
}

/// A request that waits for its answer.
#[derive(Debug)]
struct Open {
    terminal: Option<TerminalId>,
    channel: u32,
    stan: Stan,
    business: Option<Business>,
    batch_number: Option<BatchNumber>,
}

/// Turns the messages of one source into what was said.
#[derive(Debug)]
pub(in crate::decode::dialect) struct Teller {
    /// The terminal of the source's settings.
    terminal: Option<TerminalId>,
    open: VecDeque<Open>,
    recent: VecDeque<(u32, Moment)>,
    undoings: Undoings,
    /// The batch whose close was told, so that the end of its upload does not tell it again.
    closed: Option<Option<BatchNumber>>,
    scrubber: Scrubber,
    line: String,
}

/// One message and all that is known beside its fields.
struct Heard<'a> {
    grammar: &'a Grammar,
    values: &'a Values,
    moment: Moment,
    terminal: Option<TerminalId>,
    /// A check sum of all its bytes, where it was bytes.
    bytes: u32,
    /// Which connection it went over, where a log tells of several.
    channel: u32,
}

impl Teller {
    /// At the start of a source.
    pub fn new(terminal: Option<TerminalId>) -> Teller {
        Teller {
            terminal,
            open: VecDeque::new(),
            recent: VecDeque::new(),
            undoings: Undoings::default(),
            closed: None,
            scrubber: Scrubber::new(LABELS),
            line: String::new(),
        }
    }

    /// Takes a message. `bytes` is a check sum of all of it.
    pub fn take(
        &mut self,
        grammar: &Grammar,
        values: &Values,
        bytes: u32,
        moment: Moment,
        sink: &mut Sink<'_>,
    ) {
        self.hear(grammar, values, (bytes, 0), moment, sink);
    }

    /// Takes a message that a log tells field by field. `channel` is a check sum of the name of its connection.
    pub fn take_of(
        &mut self,
        grammar: &Grammar,
        values: &Values,
        channel: u32,
        moment: Moment,
        sink: &mut Sink<'_>,
    ) {
        self.hear(grammar, values, (0, channel), moment, sink);
    }

    fn hear(
        &mut self,
        grammar: &Grammar,
        values: &Values,
        (bytes, channel): (u32, u32),
        moment: Moment,
        sink: &mut Sink<'_>,
    ) {
        self.line.clear();
        values.write(&mut self.line);
        let named = values.get(41).and_then(|text| text.parse().ok());
        let terminal = named.or(self.terminal);
        let heard = Heard { grammar, values, moment, terminal, bytes, channel };
        let [_, class, function, _] = values.mti;
        self.give_up(&heard, sink);
        let is_attempt = matches!((class, function), (b'4', b'0' | b'2'));
        if !is_attempt && self.is_again(&heard) {
            return;
        }
        match (class, function) {
            (b'1' | b'2', b'0' | b'2' | b'4') => self.asked(&heard, sink),
            (b'1' | b'2', b'1' | b'3') => self.answered(&heard, sink),
            (b'4', b'0' | b'2') => self.undone(&heard, sink),
            (b'4', b'1' | b'3') => self.undo_answered(&heard, sink),
            (b'5', b'0' | b'2') => self.settling(&heard, sink),
            (b'5', b'1' | b'3') => self.settled(&heard, sink),
            (b'3', b'3') => self.uploaded(&heard, sink),
            (b'8', b'1' | b'3') => self.network(&heard, sink),
            (b'3' | b'8', _) => {}
            _ => sink.counts.unmatched += 1,
        }
    }

    /// When an undoing is given up, if nothing is heard of it.
    pub fn wake_at(&self, grammar: &Grammar) -> Option<Uptime> {
        self.undoings.due(grammar)
    }

    /// Time passed: undoings whose last attempt was not answered are told as failed.
    pub fn settle(&mut self, grammar: &Grammar, now: Uptime, sink: &mut Sink<'_>) {
        while let Some(failed) = self.undoings.take_due(grammar, now) {
            let at = now;
            let keys = *failed.keys;
            let body = Body::Reversal { keys, phase: ReversalPhase::Failed };
            sink.decoded.push_back(Decoded::Said {
                at,
                terminal: failed.terminal,
                device_time: None,
                body,
                evidence: slipwatch_shared::event::Evidence::None,
            });
        }
    }

    /// A terminal that goes on without an answer to its last attempt has given up.
    fn give_up(&mut self, heard: &Heard<'_>, sink: &mut Sink<'_>) {
        let Heard { grammar, values, moment, terminal, .. } = heard;
        let is_request = matches!(values.mti[2], b'0' | b'2');
        let own_stan = reading::stan(values);
        while let Some(failed) =
            self.undoings.take_given_up(grammar, *terminal, own_stan, is_request, moment)
        {
            let body = Body::Reversal { keys: *failed.keys, phase: ReversalPhase::Failed };
            self.say(heard, None, body, sink);
        }
    }

    /// Whether the same was said just before.
    fn is_again(&mut self, heard: &Heard<'_>) -> bool {
        let mut sum = crc32fast::Hasher::new();
        let values = heard.values;
        sum.update(&values.mti);
        sum.update(&heard.bytes.to_le_bytes());
        if values.get(41).is_none() && values.get(37).is_none() {
            // Only its connection tells whose trace it is.
            sum.update(&heard.channel.to_le_bytes());
        }
        let stan = reading::stan(values).map(Stan::number).unwrap_or(0);
        let amount = reading::amount(heard.grammar, values).map_or(0, |amount| amount.minor);
        sum.update(&stan.to_le_bytes());
        sum.update(&amount.to_le_bytes());
        for field in [3, 37, 38, 39, 41, 70] {
            sum.update(values.get(field).unwrap_or("").as_bytes());
            sum.update(b";");
        }
        if let Some(pan) = values.pan {
            sum.update(&pan.last_four().to_le_bytes());
        }
        let sum = sum.finalize();
        let moment = heard.moment;
        self.recent.retain(|(_, then)| moment.ms_since(then) <= AGAIN_MS);
        // A message without a trace may be said twice and be two.
        if stan == 0 {
            return false;
        }
        if self.recent.iter().any(|(known, _)| *known == sum) {
            return true;
        }
        if self.recent.len() >= RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back((sum, moment));
        false
    }

    fn asked(&mut self, heard: &Heard<'_>, sink: &mut Sink<'_>) {
        let Heard { grammar, values, terminal, .. } = heard;
        let business = grammar.business(values);
        let stan = reading::stan(values);
        if stan.is_none() && values.get(4).is_none() {
            // It names no payment.
            sink.counts.unmatched += 1;
            return;
        }
        if let Some(stan) = stan {
            if self.open.len() >= OPEN_MAX {
                self.open.pop_front();
            }
            let batch_number = reading::batch_number(grammar, values);
            let channel = heard.channel;
            self.open.push_back(Open {
                terminal: *terminal,
                channel,
                stan,
                business,
                batch_number,
            });
        }
        let body = match business {
            None => {
                sink.counts.unmatched += 1;
                return;
            }
            Some(Business::None) => return,
            Some(Business::StoredSale) => {
                let keys = keys(grammar, values, Some(Kind::Sale), false);
                Body::OfflineUpload { keys, phase: ExchangePhase::Requested }
            }
            Some(Business::Of(kind)) => {
                let keys = keys(grammar, values, Some(kind), false);
                exchange(keys, kind, ExchangePhase::Requested, Body::AuthorizationRequested)
            }
        };
        self.say(heard, reading::time(values), body, sink);
    }

    fn answered(&mut self, heard: &Heard<'_>, sink: &mut Sink<'_>) {
        let Heard { grammar, values, .. } = heard;
        let request = self.take_open(heard);
        let own = grammar.business(values);
        let business = request.as_ref().and_then(|request| request.business).or(own);
        let kind = match business {
            None => {
                sink.counts.unmatched += 1;
                return;
            }
            Some(Business::None) => return,
            Some(Business::StoredSale) => Kind::Sale,
            Some(Business::Of(kind)) => kind,
        };
        let Some(response_code) = response_code(heard, sink) else { return };
        let mut keys = keys(grammar, values, Some(kind), true);
        keys.batch_number = keys.batch_number.or(request.and_then(|request| request.batch_number));
        let phase = match () {
            () if response_code.is_approval() => ExchangePhase::Approved,
            // The host's own answer leaves it open.
            () if response_code.demands_reversal() => ExchangePhase::TimedOut,
            () => ExchangePhase::Declined,
        };
        let answered = |keys| Body::AuthorizationAnswered { keys, response_code };
        let body = match business {
            Some(Business::StoredSale) => Body::OfflineUpload { keys, phase },
            _ => exchange(keys, kind, phase, answered),
        };
        self.say(heard, None, body, sink);
    }

    fn take_open(&mut self, heard: &Heard<'_>) -> Option<Open> {
        let stan = reading::stan(heard.values)?;
        let fits = |open: &Open| {
            let same_terminal = open.terminal.is_some() && open.terminal == heard.terminal;
            open.stan == stan && (open.channel == heard.channel || same_terminal)
        };
        let at = self.open.iter().rposition(fits)?;
        self.open.remove(at)
    }

    fn undone(&mut self, heard: &Heard<'_>, sink: &mut Sink<'_>) {
        let Heard { grammar, values, moment, terminal, .. } = heard;
        let keys = reading::undone(grammar, values, undone_kind(heard), false);
        let own_stan = reading::stan(values);
        let attempt =
            Attempt { terminal: *terminal, own_stan, keys: Box::new(keys), moment: *moment };
        if let Some(keys) = self.undoings.sent(attempt) {
            let body = Body::Reversal { keys, phase: ReversalPhase::Sent };
            self.say(heard, reading::time(values), body, sink);
        }
    }

    fn undo_answered(&mut self, heard: &Heard<'_>, sink: &mut Sink<'_>) {
        let Heard { grammar, values, terminal, .. } = heard;
        let Some(code) = response_code(heard, sink) else { return };
        let is_done =
            code.is_approval() || grammar.reversal_done.iter().any(|done| code.as_str() == &**done);
        if !is_done {
            // It is tried again, or given up: either is told then.
            return;
        }
        let known = self.undoings.acknowledged(*terminal, reading::stan(values));
        let keys = match known {
            Some(known) => *known,
            None => reading::undone(grammar, values, undone_kind(heard), true),
        };
        let body = Body::Reversal { keys, phase: ReversalPhase::Acknowledged };
        self.say(heard, None, body, sink);
    }

    fn settling(&mut self, heard: &Heard<'_>, sink: &mut Sink<'_>) {
        let batch_number = reading::batch_number(heard.grammar, heard.values);
        self.closed = None;
        self.say(
            heard,
            reading::time(heard.values),
            Body::SettlementStarted { batch_number },
            sink,
        );
        self.say_totals(heard, batch_number, TotalsBy::Terminal, sink);
    }

    fn settled(&mut self, heard: &Heard<'_>, sink: &mut Sink<'_>) {
        let Heard { grammar, values, .. } = heard;
        let Some(code) = response_code(heard, sink) else { return };
        let batch_number = reading::batch_number(grammar, values);
        let told = values.get(48).and_then(sums).and_then(|sums| sums.result);
        let result = match (code.as_str(), told) {
            ("95", _) => SettlementResult::Unbalanced,
            (_, Some(told)) if code.is_approval() => told,
            (_, None) if code.is_approval() => SettlementResult::Balanced,
            _ => SettlementResult::Error,
        };
        if result == SettlementResult::Balanced && told.is_some() {
            self.say_totals(heard, batch_number, TotalsBy::Host, sink);
        }
        self.closed = Some(batch_number);
        self.say(heard, None, Body::SettlementClosed { batch_number, result }, sink);
    }

    fn say_totals(
        &mut self,
        heard: &Heard<'_>,
        batch_number: Option<BatchNumber>,
        by: TotalsBy,
        sink: &mut Sink<'_>,
    ) {
        let Some(text) = heard.values.get(48) else { return };
        let Some(sums) = sums(text) else {
            return sink.fail(heard.moment.at, DecodeFailure::Field);
        };
        let currency = reading::currency(heard.grammar, heard.values);
        let totals = SettlementTotals {
            batch_number,
            by,
            debit_count: sums.debit_count,
            debit: Some(Amount::new(sums.debit_minor, currency)),
            credit_count: sums.credit_count,
            credit: Some(Amount::new(sums.credit_minor, currency)),
        };
        self.say(heard, None, Body::SettlementTotals(totals), sink);
    }

    /// The end of a batch's upload closes it where its settlement was not heard.
    fn uploaded(&mut self, heard: &Heard<'_>, sink: &mut Sink<'_>) {
        let Heard { grammar, values, .. } = heard;
        let code = Part::of(grammar.parts.network_code, values);
        let result = match (&grammar.upload_ends, code) {
            (Some((unbalanced, _)), Some(code)) if **unbalanced == *code => {
                SettlementResult::Unbalanced
            }
            (Some((_, balanced)), Some(code)) if **balanced == *code => SettlementResult::Balanced,
            _ => return,
        };
        let batch_number = reading::batch_number(grammar, values);
        if self.closed.replace(batch_number) != Some(batch_number) {
            self.say(heard, None, Body::SettlementClosed { batch_number, result }, sink);
        }
    }

    fn network(&mut self, heard: &Heard<'_>, sink: &mut Sink<'_>) {
        let Heard { grammar, values, .. } = heard;
        let code = Part::of(grammar.parts.network_code, values);
        let is_sign_on =
            code.is_some_and(|code| grammar.sign_on.iter().any(|known| **known == *code));
        // An answer without a code is that of a line that asks whether the other end is there.
        let is_done = values
            .get(39)
            .and_then(|text| text.parse().ok())
            .is_some_and(|code: ResponseCode| code.is_approval());
        if is_sign_on && values.mti[2] == b'1' && is_done {
            let batch_number = reading::batch_number(grammar, values);
            self.say(heard, None, Body::SignedOn { batch_number }, sink);
        }
    }

    fn say(
        &mut self,
        heard: &Heard<'_>,
        own_time: Option<DeviceTime>,
        body: Body,
        sink: &mut Sink<'_>,
    ) {
        let at = heard.moment.at;
        // The last net: each field was cut by what it is, whatever else stands in one is cut by what it looks like.
        let evidence = match self.scrubber.line(&self.line, 0, at) {
            Scrubbed::Clean => evidence(&self.line),
            Scrubbed::Ready => {
                self.scrubber.let_go();
                let mut kept = String::new();
                while let Some((line, _)) = self.scrubber.next_line() {
                    kept.push_str(&line);
                }
                evidence(&kept)
            }
        };
        sink.decoded.push_back(Decoded::Said {
            at,
            terminal: heard.terminal,
            device_time: heard.moment.shown.or(own_time),
            body,
            evidence,
        });
    }
}

/// What kind of payment a reversal undoes, where it tells.
fn undone_kind(heard: &Heard<'_>) -> Option<Kind> {
    match heard.grammar.business(heard.values)? {
        Business::Of(kind) => Some(kind),
        Business::StoredSale => Some(Kind::Sale),
        Business::None => None,
    }
}

/// Field 39, which an answer cannot do without.
fn response_code(heard: &Heard<'_>, sink: &mut Sink<'_>) -> Option<ResponseCode> {
    let code = heard.values.get(39).and_then(|text| text.parse().ok());
    if code.is_none() {
        sink.fail(heard.moment.at, DecodeFailure::Field);
    }
    code
}

/// A sale's words are its own; other kinds have one body each.
fn exchange(keys: Keys, kind: Kind, phase: ExchangePhase, sale: impl FnOnce(Keys) -> Body) -> Body {
    match kind {
        Kind::Void => Body::Void { keys, phase },
        Kind::Refund => Body::Refund { keys, phase },
        Kind::Preauthorization => Body::Preauthorization { keys, phase },
        Kind::Completion => Body::Completion { keys, phase },
        Kind::Sale | Kind::BalanceInquiry => sale(keys),
    }
}
