//! One terminal: its payments in memory, and which of them a word is about. Judges nothing.

use super::case::{Case, EventRef, FACTS_MAX, Fact, Trouble, What};
use super::facts::Sorts;
use super::finding::Finding;
use super::key::{self, Fit};
use super::lean::Lean;
use super::money::{self, Money, Undo};
use super::pairs::{Purse, Standing};
use super::policy::{Deadlines, TerminalPolicy};
use super::rules::silent::Rhythm;
use super::rules::slip;
use super::shape::{Shape, ShapeError, shape_struct};
use super::timeline::{Due, StreamTime};
use super::watch::Watch;
use slipwatch_shared::event::{Keys, Kind, ReversalPhase, SourceId};
use slipwatch_shared::money::{AMOUNT_MINOR_MAX, Amount};
use slipwatch_shared::terminal::TerminalId;
use std::collections::VecDeque;
use std::sync::Arc;

/// Most payments of one terminal in memory; the oldest is let go beyond that.
pub const CASES_MAX: usize = 1024;
/// Most slips that wait for their payment.
pub const LOOSE_MAX: usize = 16;
/// A slip that shows nothing belongs to a debit this long before it; one that waits for its debit, and the next copy of one
/// of two debits alike, too.
const SLIP_AFTER_DEBIT_MS: i64 = 120_000;
/// A slip with a number waits this long for the upload of a sale that was made offline.
const SLIP_BEFORE_UPLOAD_MS: i64 = 24 * 3_600_000;
/// Two lines of one agent may tell things this much out of order.
const SKEW_MS: i64 = 5_000;
/// An answer may come this much later than the wait that is set.
const ANSWER_GRACE_MS: i64 = 30_000;
/// A trace without its batch names a payment this long.
const TRACE_MS: i64 = 12 * 3_600_000;
/// A number that names a payment does so this long; reprints any time.
const NAMED_MS: i64 = 7 * 24 * 3_600_000;
/// The same request again within this is a retransmission.
const RETRANSMITTED_MS: i64 = 600_000;
/// The same within this though no batch is told and it was approved: no trace comes round so soon.
const ASKED_AGAIN_MS: i64 = 60_000;

/// A payment in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// All that is known of it.
    pub case: Case,
    /// Changed since it was last stored.
    pub dirty: bool,
    /// Its keys are new or changed since it was last stored.
    pub keys_changed: bool,
    /// When it must be looked at though nothing is said.
    pub look_at: Due,
    /// How often numbers of it came or changed since it is in memory.
    pub joined: u32,
    /// How it stands among the debits of its shop.
    pub standing: Option<Standing>,
}

impl Kept {
    /// As it came from the store.
    pub fn stored(case: Case) -> Kept {
        let look_at = Due::from(Some(case.opened));
        Kept { case, dirty: false, keys_changed: false, look_at, joined: 0, standing: None }
    }

    /// One that is new.
    pub fn new(case: Case) -> Kept {
        Kept { dirty: true, keys_changed: true, look_at: Due::NEVER, ..Kept::stored(case) }
    }

    /// Joins numbers that were said of it into those that are known; `answer`: the host said them.
    pub fn join(&mut self, said: &Keys, answer: bool) {
        if key::join(&mut self.case.keys, said, answer) {
            self.joined = self.joined.wrapping_add(1);
            (self.dirty, self.keys_changed) = (true, true);
        }
    }

    /// Where it lies among the debits of its shop.
    pub fn purse(&self) -> Option<Purse> {
        self.standing.map(|standing| standing.purse)
    }

    /// Writes down a fact; tells whether it is news.
    pub fn add(&mut self, fact: Fact) -> bool {
        let facts = &mut self.case.facts;
        // What is said again and again changes nothing.
        let again = match facts.have(Sorts::of(&fact.what)) {
            true => facts.iter().filter(|known| known.what == fact.what).count(),
            false => 0,
        };
        if facts.len() >= FACTS_MAX && again > 0 || again >= 4 {
            return false;
        }
        facts.push(fact);
        self.dirty = true;
        true
    }
}

/// A slip that was heard before its payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loose {
    /// What was heard.
    pub fact: Fact,
    /// What it shows.
    pub keys: Keys,
}

/// The amounts a terminal takes most, counted by a bounded list in their order: fares and coffees repeat.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    counts: Vec<(i64, u32)>,
}

const AMOUNTS_MAX: usize = 32;
/// Room is made for so many more at once.
const AMOUNTS_STEP: usize = 4;
const COMMON_AMOUNTS: usize = 5;
const COMMON_COUNT_MIN: u32 = 5;
/// From so many on a count stands behind its amount, not in it.
const COUNT_APART: u32 = 3;

impl Amounts {
    /// Counts an amount; tells whether it is one of the most repeated, itself included.
    pub fn note(&mut self, amount: Amount) -> bool {
        if amount.minor.unsigned_abs() > AMOUNT_MINOR_MAX as u64 {
            return false;
        }
        let known = self.counts.binary_search_by_key(&amount.minor, |(minor, _)| *minor);
        match known {
            Ok(at) => self.counts[at].1 += 1,
            Err(at) if self.counts.len() < AMOUNTS_MAX => {
                if self.counts.len() == self.counts.capacity() {
                    self.counts.reserve_exact(AMOUNTS_STEP);
                }
                self.counts.insert(at, (amount.minor, 1));
            }
            Err(_) => {
                // All fade by one, so that a new habit can take the place of an old one.
                self.counts.iter_mut().for_each(|count| count.1 -= 1);
                self.counts.retain(|count| count.1 > 0);
                return false;
            }
        }
        let own = known.map_or(1, |at| self.counts[at].1);
        let above = self.counts.iter().filter(|count| count.1 > own).count();
        own >= COMMON_COUNT_MIN && above < COMMON_AMOUNTS
    }
}

/// One terminal of one agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Its number; absent: all that was said without one.
    pub id: Option<TerminalId>,
    /// Slips that were heard before their payment.
    pub loose: VecDeque<Loose>,
    /// The printer's trouble now.
    pub trouble: Option<Fact>,
    /// The host is out of reach now.
    pub network_down: Option<Fact>,
    /// The day is being closed.
    pub settling: bool,
    /// When it last asked for money.
    pub last_sale: StreamTime,
    /// When paper last came out of its printer. Stored behind the agent's other parts.
    pub last_print: StreamTime,
    /// When it last said anything.
    pub last_word: Option<StreamTime>,
    /// How long it usually says nothing.
    pub rhythm: Rhythm,
    /// The amounts it takes most.
    pub amounts: Amounts,
    /// The latest payment that left memory.
    pub forgotten_through: Option<StreamTime>,
    /// How often its silence was told.
    pub silences: u32,
    /// Its silence as it was told, while it lasts.
    pub silence: Option<Box<Finding>>,
    /// What the rules about terminals keep of it. Stored behind the agent's other parts.
    pub watch: Option<Box<Watch>>,
    /// Its payments in memory, in the order of their first events. Not part of the state's bytes.
    /// Each in a place of its own, so that a terminal at rest holds no room for them.
    pub cases: VecDeque<Box<Kept>>,
    /// No payment of it must be looked at before. Not part of the state's bytes.
    pub look_at: StreamTime,
    /// An undo of one of its payments may be due. Not part of the state's bytes.
    pub undo_due: bool,
    /// What it is judged by. Not part of the state's bytes.
    pub policy: Option<Arc<TerminalPolicy>>,
}

impl Terminal {
    /// One that nothing was heard of.
    pub fn new(id: Option<TerminalId>, policy: Option<Arc<TerminalPolicy>>) -> Terminal {
        Terminal {
            id,
            loose: VecDeque::new(),
            trouble: None,
            network_down: None,
            settling: false,
            last_sale: StreamTime(i64::MIN),
            last_print: StreamTime(0),
            last_word: None,
            rhythm: Rhythm::default(),
            amounts: Amounts::default(),
            forgotten_through: None,
            silences: 0,
            silence: None,
            watch: None,
            cases: VecDeque::new(),
            look_at: StreamTime(i64::MIN),
            undo_due: true,
            policy,
        }
    }

    /// Its deadlines: its own, or those of all.
    pub fn deadlines<'a>(&'a self, all: &'a Deadlines) -> &'a Deadlines {
        self.policy.as_ref().and_then(|policy| policy.deadlines.as_deref()).unwrap_or(all)
    }

    /// The place of a payment among [`Terminal::cases`].
    pub fn position(&self, first: EventRef) -> Option<usize> {
        // Mostly it is the latest.
        if self.cases.back()?.case.first == first {
            return Some(self.cases.len() - 1);
        }
        let at = self.cases.partition_point(|kept| kept.case.first < first);
        self.cases.get(at).filter(|kept| kept.case.first == first).map(|_| at)
    }

    /// Whether those behind another began later: in one life of their agent's numbers. A new life may have a lower number,
    /// and batches of an old one may come after it.
    pub fn in_order_of_time(&self) -> bool {
        let ends = self.cases.front().zip(self.cases.back());
        ends.is_none_or(|(front, back)| front.case.first.epoch == back.case.first.epoch)
    }

    /// Puts a payment in its place; keeps the one that is there.
    pub fn insert(&mut self, kept: Kept) -> usize {
        let first = kept.case.first;
        self.undo_due |= kept.case.reversal_due != Due::NEVER;
        let at = self.cases.partition_point(|known| known.case.first < first);
        if self.cases.get(at).is_none_or(|known| known.case.first != first) {
            self.cases.insert(at, Box::new(kept));
        }
        at
    }

    /// The payment that a word about money is about: the best fit, the latest of equals.
    pub fn find_money(
        &self,
        what: What,
        keys: &Keys,
        kind: Option<Kind>,
        at: StreamTime,
        source: SourceId,
        deadlines: &Deadlines,
    ) -> Option<usize> {
        let in_order = self.in_order_of_time();
        let mut best: Option<(Fit, usize)> = None;
        for (place, kept) in self.cases.iter().enumerate().rev() {
            let case = &kept.case;
            // What was asked for long ago is not asked for again, nor is what began before it.
            if what == What::Requested && at.ms_since(case.opened) > RETRANSMITTED_MS {
                if in_order {
                    break;
                }
                continue;
            }
            if kind.is_some_and(|kind| kind != case.kind) {
                continue;
            }
            let mut fitted = key::fit(&case.keys, keys);
            // A bill that is paid in two parts: an order's number is on both.
            if what == What::Requested && key::other_amount(&case.keys, keys) {
                continue;
            }
            if fitted == Fit::Other && in_part(case, what, keys, at, deadlines) {
                fitted = Fit::Named;
            }
            if best.is_some_and(|(fit, _)| fit >= fitted) || fitted == Fit::Other {
                continue;
            }
            if key::other_merchant(&case.keys, keys) {
                continue;
            }
            let age = at.ms_since(case.opened);
            let accepted = match fitted {
                Fit::Other => false,
                Fit::Named | Fit::Trace => {
                    named(case, what, fitted, key::given_once(&case.keys, keys), age)
                }
                Fit::Amount | Fit::Open => awaited(case, what, fitted, at, source, deadlines),
            };
            if accepted {
                best = Some((fitted, place));
                if fitted == Fit::Named {
                    break;
                }
            }
        }
        best.map(|(_, place)| place)
    }

    /// The payment that a slip is of.
    pub fn find_slip(
        &self,
        what: What,
        keys: &Keys,
        at: StreamTime,
        own_words: bool,
        deadlines: &Deadlines,
    ) -> Option<usize> {
        let names = key::names_something(keys);
        let printed = matches!(what, What::SlipPrinted { .. });
        // A test slip or an advertisement names nothing; only the terminal's own word on its own payment counts then, and
        // what a printer prints of which the settings say that nothing else comes out of it.
        let pictures = self.policy.as_ref().is_some_and(|policy| policy.slips_without_keys);
        if printed && !names && (!(own_words || pictures) || self.settling) {
            return None;
        }
        let mut best: Option<(Fit, usize)> = None;
        // A later debit of the same amount: what comes now is its next copy sooner than a slip of one long before.
        let mut alike = false;
        for (place, kept) in self.cases.iter().enumerate().rev() {
            let case = &kept.case;
            if keys.kind.is_some_and(|kind| kind != case.kind) {
                continue;
            }
            let fitted = key::fit(&case.keys, keys);
            if best.is_some_and(|(fit, _)| fit >= fitted) {
                continue;
            }
            let accepted = match fitted {
                Fit::Other => false,
                Fit::Named => at.ms_since(case.opened) <= NAMED_MS || reprinted(what),
                Fit::Trace => at.ms_since(case.opened) <= TRACE_MS || reprinted(what),
                Fit::Amount => {
                    let within_ms =
                        if alike { SLIP_AFTER_DEBIT_MS } else { until_missing(deadlines) };
                    alike |= money::trace(case).0.debited().is_some();
                    takes_slip(case, what, at, within_ms)
                }
                Fit::Open => !names && takes_slip(case, what, at, SLIP_AFTER_DEBIT_MS),
            };
            if accepted {
                best = Some((fitted, place));
                if fitted == Fit::Named {
                    break;
                }
            }
        }
        best.map(|(_, place)| place)
    }

    /// The payment that waits for a slip with its trace, though the slip shows another amount, card or kind of business: a
    /// tip, another currency, a phone. To be asked when no payment fits it better.
    pub fn find_traced(
        &self,
        what: What,
        keys: &Keys,
        at: StreamTime,
        deadlines: &Deadlines,
    ) -> Option<usize> {
        if matches!(keys.kind, Some(Kind::Void | Kind::Refund | Kind::BalanceInquiry)) {
            return None;
        }
        let fits = |case: &Case| {
            key::traced(&case.keys, keys) && takes_slip(case, what, at, until_missing(deadlines))
        };
        self.cases.iter().rposition(|kept| fits(&kept.case))
    }
}

/// A slip of `slips` that was heard before a payment became a debit, taken out. One with a number waits a day, since a sale
/// that was made offline may be heard of only when it is uploaded.
pub fn take_loose(slips: &mut VecDeque<Loose>, case: &Case, at: StreamTime) -> Option<Loose> {
    let is_fresh = |loose: &Loose| at.ms_since(loose.fact.at) <= SLIP_AFTER_DEBIT_MS;
    slips.retain(|loose| {
        let numbered = loose.keys.stan.is_some();
        is_fresh(loose) || numbered && at.ms_since(loose.fact.at) <= SLIP_BEFORE_UPLOAD_MS
    });
    let uploaded = case.was_made_unheard();
    let fits = |loose: &Loose| match key::fit(&case.keys, &loose.keys) {
        Fit::Named | Fit::Trace => uploaded || is_fresh(loose),
        Fit::Amount => takes_slip(case, loose.fact.what, loose.fact.at, SLIP_AFTER_DEBIT_MS),
        Fit::Open | Fit::Other => false,
    };
    let found = slips.iter().position(fits)?;
    slips.remove(found)
}

/// How long behind its debit a slip is taken for that of its amount, or of its trace whatever else it shows: until it is
/// missing.
fn until_missing(deadlines: &Deadlines) -> i64 {
    deadlines.slip_alert_ms.max(SLIP_AFTER_DEBIT_MS)
}

fn reprinted(what: What) -> bool {
    matches!(what, What::SlipPrinted { reprint: true, .. })
}

/// Whether a word with a payment's own number is about this one: numbers come round, and a request begins anew.
fn named(case: &Case, what: What, fitted: Fit, known_once: bool, age_ms: i64) -> bool {
    // The last undo of an evening is acknowledged the next morning, or after a holiday.
    let undo = matches!(what, What::Reversal(_))
        && matches!(money::trace(case).1, Undo::Pending { .. } | Undo::Failed { .. });
    if age_ms > if fitted == Fit::Named || undo { NAMED_MS } else { TRACE_MS } {
        return false;
    }
    if what != What::Requested {
        return !comes_again(case, what, known_once, age_ms);
    }
    match money::trace(case).0 {
        Money::Untouched | Money::Asked { .. } | Money::Open { .. } => age_ms <= RETRANSMITTED_MS,
        // Its undo was acknowledged: nobody asks for it again.
        Money::Undone { .. } => false,
        // Told by a second line, or asked again at once.
        Money::Debited { .. } if fitted == Fit::Trace => age_ms <= ASKED_AGAIN_MS,
        _ => fitted == Fit::Named && age_ms <= RETRANSMITTED_MS,
    }
}

/// Whether an approval is that of another amount than this payment asked for and still waits for: a part, or a tip with it.
fn in_part(case: &Case, what: What, keys: &Keys, at: StreamTime, deadlines: &Deadlines) -> bool {
    what == What::Approved
        && key::traced(&case.keys, keys)
        && key::cards(&case.keys, keys) != Some(false)
        && matches!(money::trace(case).0, Money::Asked { at: asked }
            if at.ms_since(asked) <= deadlines.answer_wait_ms.saturating_add(ANSWER_GRACE_MS))
}

/// Whether a success is that of another payment: this one had it long ago, and only its trace and batch are the same,
/// which come round or are handed out twice. An upload of an offline approval is the same payment, and so is a success that
/// nobody asked for, where the first was heard to be asked for: it is shown on a screen, or sent again.
fn comes_again(case: &Case, what: What, known_once: bool, age_ms: i64) -> bool {
    let success = matches!(what, What::Approved | What::ApprovedOffline | What::Completed);
    let asked = case.facts.have(Sorts::REQUESTED);
    let again = success && !known_once && age_ms > RETRANSMITTED_MS && !asked;
    again && case.facts.have(Sorts::of(&what))
}

/// Whether a payment waits for this word, though no number says that it is about it.
fn awaited(
    case: &Case,
    what: What,
    fitted: Fit,
    at: StreamTime,
    source: SourceId,
    deadlines: &Deadlines,
) -> bool {
    if case.was_made_unheard() {
        return false;
    }
    let (money, _) = money::trace(case);
    let waiting = |since: StreamTime| {
        at.ms_since(since) <= deadlines.answer_wait_ms.saturating_add(ANSWER_GRACE_MS)
    };
    let asked = matches!(money, Money::Asked { at } if waiting(at));
    let not_said_here = |wanted: fn(&What) -> bool| {
        !case.facts.iter().any(|fact| wanted(&fact.what) && fact.source == source)
    };
    let another_line =
        case.facts.first().is_some_and(|fact| fact.source != source) && fitted == Fit::Amount;
    match what {
        What::Requested => {
            another_line
                && at.ms_since(case.opened) <= 2 * SKEW_MS
                && not_said_here(|what| *what == What::Requested)
        }
        What::Approved | What::ApprovedOffline => {
            asked
                || another_line
                    && at.ms_since(case.last_heard()) <= SLIP_AFTER_DEBIT_MS
                    && not_said_here(|what| *what == What::Approved)
        }
        What::Completed => {
            let debited = matches!(money, Money::Debited { at: debited } if waiting(debited));
            asked || debited && not_said_here(|what| *what == What::Completed)
        }
        // A second line tells the same a moment later.
        What::Refused | What::TimedOut => {
            let said = another_line && at.ms_since(case.last_heard()) <= 2 * SKEW_MS;
            asked
                || said && case.facts.iter().any(|fact| fact.what == what && fact.source != source)
        }
        What::Unsound(_) => asked,
        What::Aborted(_) => {
            let completed = case.first_fact(|what| *what == What::Completed).is_some();
            asked || !completed && money.debited().is_some_and(waiting)
        }
        What::Reversal(phase) => {
            let open = matches!(money, Money::Open { .. });
            open || asked && phase != ReversalPhase::Acknowledged
        }
        _ => false,
    }
}

/// Whether a debit waits for this slip: no longer after it than this, and of a copy that it has not.
pub fn takes_slip(case: &Case, what: What, at: StreamTime, within_ms: i64) -> bool {
    let Some(debited) = money::trace(case).0.debited() else { return false };
    // The slip of a sale that was made offline came when it was made: what comes now is another's.
    if case.was_made_unheard() {
        return false;
    }
    let since_begun = at.ms_since(slip::may_come_from(case, debited));
    if since_begun < -SKEW_MS || at.ms_since(debited) > within_ms {
        return false;
    }
    match what {
        What::SlipPrinted { copy, .. } => {
            let same = |fact: &Fact| matches!(fact.what, What::SlipPrinted { copy: known, .. } if known == copy);
            !case.facts.iter().any(same)
        }
        _ => slip::satisfied(case, 2).is_none(),
    }
}

/// Whether a printer's trouble at `at` concerns a payment: its slip is due and has not come.
pub fn troubles(case: &Case, at: StreamTime, deadlines: &Deadlines) -> bool {
    let due = |debited: StreamTime| at <= debited.plus_ms(deadlines.slip_alert_ms);
    let (money, _) = money::trace(case);
    match money {
        _ if case.was_made_unheard() => false,
        Money::Debited { at } => due(at) && slip::satisfied(case, 2).is_none(),
        Money::Asked { at } => due(at),
        _ => false,
    }
}

/// A trouble as a fact.
pub fn trouble_fact(at: StreamTime, event: EventRef, source: SourceId, trouble: Trouble) -> Fact {
    Fact { at, event, source, what: What::Trouble(trouble) }
}

shape_struct!(Loose { fact, keys });

impl Shape for Amounts {
    fn put(&self, out: &mut Vec<u8>) {
        self.counts.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Amounts, ShapeError> {
        let mut counts: Vec<(i64, u32)> = Shape::take(bytes)?;
        counts.sort_unstable();
        Ok(Amounts { counts })
    }
}

/// Each amount as its distance from the one before, in one number with its count, where that is small.
impl Lean for Amounts {
    fn put_lean(&self, _: StreamTime, out: &mut Vec<u8>) {
        let mut before = self.counts.first().map_or(0, |(minor, _)| *minor);
        self.counts.len().put(out);
        before.put(out);
        for &(minor, count) in &self.counts {
            let apart = minor.abs_diff(before);
            (apart << 2 | u64::from(count.min(COUNT_APART))).put(out);
            if count >= COUNT_APART {
                count.put(out);
            }
            before = minor;
        }
    }

    fn take_lean(_: StreamTime, bytes: &mut &[u8]) -> Result<Amounts, ShapeError> {
        let length = usize::take(bytes)?.min(AMOUNTS_MAX);
        let mut counts = Vec::with_capacity(length);
        let mut before = i64::take(bytes)?;
        for _ in 0..length {
            let both = u64::take(bytes)?;
            before = before.saturating_add_unsigned(both >> 2);
            let count = (both & 3) as u32;
            counts.push((before, if count == COUNT_APART { u32::take(bytes)? } else { count }));
        }
        Ok(Amounts { counts })
    }
}

impl Shape for Terminal {
    fn put(&self, out: &mut Vec<u8>) {
        self.id.put(out);
        self.loose.len().put(out);
        self.loose.iter().for_each(|loose| loose.put(out));
        self.trouble.put(out);
        self.network_down.put(out);
        self.settling.put(out);
        self.last_sale.put(out);
        self.last_word.put(out);
        self.rhythm.put(out);
        self.amounts.put(out);
        self.forgotten_through.put(out);
        self.silences.put(out);
        self.silence.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Terminal, ShapeError> {
        let mut terminal = Terminal::new(Shape::take(bytes)?, None);
        terminal.loose = Vec::take(bytes)?.into();
        terminal.trouble = Shape::take(bytes)?;
        terminal.network_down = Shape::take(bytes)?;
        terminal.settling = Shape::take(bytes)?;
        terminal.last_sale = Shape::take(bytes)?;
        terminal.last_word = Shape::take(bytes)?;
        terminal.rhythm = Shape::take(bytes)?;
        terminal.amounts = Shape::take(bytes)?;
        terminal.forgotten_through = Shape::take(bytes)?;
        terminal.silences = Shape::take(bytes)?;
        terminal.silence = Shape::take(bytes)?;
        Ok(terminal)
    }
}
