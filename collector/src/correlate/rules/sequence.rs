//! A20, and the lives of a terminal's numbers. A trace wraps, is set back by a reset, or comes from another application
//! on the same device; a batch number is handed out twice. Each such break begins a new life of the numbers, so that a
//! trace of one never names a payment of another. Gaps are normal: sign-on, query and close take numbers, too.

use super::{Stand, Standing};
use crate::correlate::case::EventRef;
use crate::correlate::cause::{Cause, CauseClass, CauseDetail};
use crate::correlate::finding::Severity;
use crate::correlate::lean::Lean;
use crate::correlate::policy::Thresholds;
use crate::correlate::shape::{Shape, ShapeError, shape_struct};
use crate::correlate::timeline::StreamTime;
use slipwatch_shared::terminal::MerchantId;
use slipwatch_shared::trace::{BatchNumber, Stan};

/// Most applications of one terminal whose numbers are told apart.
pub const APPLICATIONS_MAX: usize = 4;
/// Batch numbers of an application that are remembered.
const BATCHES_MAX: usize = 4;
/// Two lines of one agent may tell two requests this much out of order.
const SKEW_MS: i64 = 5_000;
/// A trace falls by more than this only when it wraps.
const WRAP_FALL: u32 = 900_000;

/// The numbers of one application (one merchant) of a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Counter {
    merchant: Option<MerchantId>,
    stan: Stan,
    at: StreamTime,
    /// The last batches, the latest last.
    batches: Vec<BatchNumber>,
    life: u16,
    /// The payment of this trace never reached the host: its number is used again.
    unused: bool,
}

/// The numbers of a terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    counters: Vec<Counter>,
    lives: u16,
    /// A restart or sign-on since the last payment: it explains a reset.
    reset: bool,
}

/// How numbers broke off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// The trace went back.
    Back,
    /// The trace came again for another payment.
    Again,
    /// The trace jumped by so many.
    Jump(u32),
    /// The batch number was used before.
    BatchAgain,
}

/// A new payment's numbers.
#[derive(Clone, Copy, Debug)]
pub struct Said {
    /// Field 42.
    pub merchant: Option<MerchantId>,
    /// Field 11.
    pub stan: Stan,
    /// Field 60.2.
    pub batch: Option<BatchNumber>,
    /// When.
    pub at: StreamTime,
}

impl Numbers {
    /// The life of the numbers that an application is in.
    pub fn life(&self, merchant: Option<MerchantId>) -> u16 {
        let of = |counter: &&Counter| counter.merchant == merchant || merchant.is_none();
        self.counters.iter().rev().find(of).map_or(0, |counter| counter.life)
    }

    /// The device started anew or signed on: numbers may begin again without a word.
    pub fn may_begin_anew(&mut self) {
        self.reset = true;
    }

    /// The payment of a trace ended before the host took part.
    pub fn ended_unused(&mut self, stan: Stan) {
        let of = |counter: &&mut Counter| counter.stan == stan;
        if let Some(counter) = self.counters.iter_mut().find(of) {
            counter.unused = true;
        }
    }

    /// Whether a trace is one that may have been heard before: none that is ahead of all.
    pub fn may_be_known(&self, merchant: Option<MerchantId>, stan: Stan) -> bool {
        let of = |counter: &&Counter| counter.merchant == merchant || merchant.is_none();
        self.counters.iter().rev().find(of).is_none_or(|counter| stan <= counter.stan)
    }

    /// Takes in a new payment's numbers. `heard` tells whether the line was heard without a gap since a moment.
    /// Gives the life they belong to, and what is odd about them.
    pub fn note(
        &mut self,
        said: Said,
        heard: impl Fn(StreamTime) -> bool,
        thresholds: &Thresholds,
    ) -> (u16, Option<Break>) {
        let reset = std::mem::take(&mut self.reset);
        // A word that does not tell its merchant is of the application that spoke last.
        let of = |counter: &Counter| said.merchant.is_none() || counter.merchant == said.merchant;
        let nameless = |counter: &Counter| counter.merchant.is_none();
        let known = self.counters.iter().rposition(of);
        let known = known.or_else(|| self.counters.iter().position(nameless));
        let Some(at) = known else {
            if self.counters.len() == APPLICATIONS_MAX {
                self.counters.remove(0);
            }
            if !self.counters.is_empty() {
                self.lives = self.lives.wrapping_add(1);
            }
            let Said { merchant, stan, at, batch, .. } = said;
            let (batches, life) = (batch.into_iter().collect(), self.lives);
            // Mostly one.
            self.counters.reserve_exact(1);
            self.counters.push(Counter { merchant, stan, at, batches, life, unused: false });
            return (life, None);
        };
        let counter = &mut self.counters[at];
        counter.merchant = counter.merchant.or(said.merchant);
        let (was, is) = (counter.stan.number(), said.stan.number());
        let late = is < was && was - is <= 3 && said.at.ms_since(counter.at) <= SKEW_MS;
        if late {
            return (counter.life, None);
        }
        let batch_before = counter.batches.last().copied();
        let new_batch = said.batch.is_some() && said.batch != batch_before;
        let batch_again = new_batch && said.batch.is_some_and(|new| counter.batches.contains(&new));
        let wrapped = is < was && was - is > WRAP_FALL;
        let explained = reset || wrapped || (new_batch && batch_before.is_some());
        let (breaks, odd) = if batch_again {
            (true, Some(Break::BatchAgain))
        } else if is < was {
            (true, (!explained).then_some(Break::Back))
        } else if is == was && !counter.unused {
            (true, (!explained).then_some(Break::Again))
        } else {
            let jump = is - was;
            let odd = jump > thresholds.trace_jump && !explained && heard(counter.at);
            (false, odd.then_some(Break::Jump(jump)))
        };
        if breaks {
            self.lives = self.lives.wrapping_add(1);
            counter.life = self.lives;
        }
        (counter.stan, counter.at, counter.unused) = (said.stan, said.at, false);
        if let Some(batch) = said.batch.filter(|_| new_batch) {
            counter.batches.retain(|known| *known != batch);
            if counter.batches.len() == BATCHES_MAX {
                counter.batches.remove(0);
            }
            counter.batches.push(batch);
        }
        (counter.life, odd)
    }
}

/// A20, asked when a payment's numbers broke off.
pub fn sequence_anomaly(odd: Break, at: StreamTime, event: EventRef) -> Stand {
    let (detail, confidence, measure) = match odd {
        Break::Back => (CauseDetail::TraceBack, 70, 0),
        Break::Again => (CauseDetail::TraceRepeated, 60, 0),
        Break::Jump(by) => (CauseDetail::TraceJumped, 50, i64::from(by)),
        Break::BatchAgain => (CauseDetail::BatchRepeated, 70, 0),
    };
    let cause = Cause::of(CauseClass::TerminalFault, detail, confidence, [event]);
    Stand::Holds(Standing { severity: Severity::P3, since: at, cause, measure })
}

/// A merchant number is mostly fifteen digits: one number then, and a text behind a zero otherwise.
impl Lean for Counter {
    fn put_lean(&self, from: StreamTime, out: &mut Vec<u8>) {
        let digits = self.merchant.as_ref().and_then(|merchant| {
            let number = merchant.as_str().parse::<u64>().ok()?;
            (number.to_string() == merchant.as_str()).then_some(number)
        });
        digits.map_or(0, |number| number.saturating_add(1)).put(out);
        if digits.is_none() {
            self.merchant.put(out);
        }
        self.at.put_lean(from, out);
        (u64::from(self.stan.number()) << 1 | u64::from(self.unused)).put(out);
        self.batches.put(out);
        self.life.put(out);
    }

    fn take_lean(from: StreamTime, bytes: &mut &[u8]) -> Result<Counter, ShapeError> {
        let merchant = match u64::take(bytes)? {
            0 => Shape::take(bytes)?,
            number => Some((number - 1).to_string().parse().map_err(|_| ShapeError)?),
        };
        let at = Lean::take_lean(from, bytes)?;
        let both = u64::take(bytes)?;
        let stan = u32::try_from(both >> 1).ok().and_then(|stan| Stan::from_number(stan).ok());
        let (stan, unused) = (stan.ok_or(ShapeError)?, both & 1 == 1);
        let (batches, life) = (Shape::take(bytes)?, Shape::take(bytes)?);
        Ok(Counter { merchant, stan, at, batches, life, unused })
    }
}

impl Lean for Numbers {
    fn put_lean(&self, from: StreamTime, out: &mut Vec<u8>) {
        (u64::from(self.lives) << 1 | u64::from(self.reset)).put(out);
        self.counters.len().put(out);
        self.counters.iter().for_each(|counter| counter.put_lean(from, out));
    }

    fn take_lean(from: StreamTime, bytes: &mut &[u8]) -> Result<Numbers, ShapeError> {
        let both = u64::take(bytes)?;
        let (lives, reset) = (u16::try_from(both >> 1).map_err(|_| ShapeError)?, both & 1 == 1);
        let length = usize::take(bytes)?.min(APPLICATIONS_MAX);
        let mut counters = Vec::with_capacity(length);
        for _ in 0..length {
            counters.push(Lean::take_lean(from, bytes)?);
        }
        Ok(Numbers { counters, lives, reset })
    }
}

shape_struct!(Counter { merchant, stan, at, batches, life, unused });
shape_struct!(Numbers { counters, lives, reset });

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers as `batch/trace`, ten seconds apart; `!` before one: the device was reset before it.
    #[track_caller]
    fn check(script: &str, expected: &[(u16, Option<Break>)]) {
        let mut numbers = Numbers::default();
        let mut said = Vec::new();
        for (second, word) in script.split_whitespace().enumerate() {
            let plain = word.trim_start_matches('!');
            if plain != word {
                numbers.may_begin_anew();
            }
            let (batch, stan) = plain.split_once('/').expect("batch/trace");
            let number = |text: &str| text.parse::<u32>().ok();
            let next = Said {
                merchant: None,
                stan: Stan::from_number(number(stan).expect("a trace")).expect("six digits"),
                batch: number(batch).and_then(|batch| BatchNumber::from_number(batch).ok()),
                at: StreamTime(second as i64 * 10_000),
            };
            said.push(numbers.note(next, |_| true, &Thresholds::default()));
        }
        assert_eq!(said, expected, "{script}");
    }

    #[test]
    fn gaps_are_normal_and_jumps_are_odd() {
        check("1/1 1/2 1/40", &[(0, None), (0, None), (0, None)]);
        check("1/1 1/52", &[(0, None), (0, Some(Break::Jump(51)))]);
    }

    #[test]
    fn two_lines_that_tell_two_requests_out_of_order_are_no_break() {
        let mut numbers = Numbers::default();
        let mut note = |stan: u32, at_ms: i64| {
            let stan = Stan::from_number(stan).expect("six digits");
            let said = Said { merchant: None, stan, batch: None, at: StreamTime(at_ms) };
            numbers.note(said, |_| true, &Thresholds::default())
        };
        assert_eq!([note(10, 0), note(12, 100), note(11, 200), note(13, 300)], [(0, None); 4]);
        assert_eq!(note(12, SKEW_MS + 301), (1, Some(Break::Back)), "long after it is one");
    }

    #[test]
    fn a_wrap_begins_a_life_and_is_not_odd() {
        check("1/999998 1/999999 1/1 1/2", &[(0, None), (0, None), (1, None), (1, None)]);
    }

    #[test]
    fn a_reset_is_odd_unless_a_record_explains_it() {
        check("1/500 1/1 1/2", &[(0, None), (1, Some(Break::Back)), (1, None)]);
        check("1/500 !1/1 1/2", &[(0, None), (1, None), (1, None)]);
        check("1/500 2/1 2/2", &[(0, None), (1, None), (1, None)]);
    }

    #[test]
    fn a_number_used_again_is_odd() {
        check("1/5 1/5", &[(0, None), (1, Some(Break::Again))]);
        check("1/5 2/6 1/7", &[(0, None), (0, None), (1, Some(Break::BatchAgain))]);
    }

    #[test]
    fn two_applications_count_for_themselves() {
        let mut numbers = Numbers::default();
        let merchant = |text: &str| text.parse().ok();
        let mut note = |who: &str, stan: u32| {
            let stan = Stan::from_number(stan).expect("six digits");
            let merchant = merchant(who);
            let said = Said { merchant, stan, batch: None, at: StreamTime(0) };
            numbers.note(said, |_| true, &Thresholds::default())
        };
        assert_eq!(note("898310154110123", 500), (0, None));
        assert_eq!(note("898310154110456", 7), (1, None));
        assert_eq!(note("898310154110123", 501), (0, None));
        assert_eq!(note("898310154110456", 8), (1, None));
    }
}
