//! A21 and A22: habits. Of an operator, by number and week, never by name and never in a letter; of a card, within an
//! hour. They are for the day's digest: a habit is worth a look, and proves nothing.

use super::{Held, Stand, Standing};
use crate::correlate::case::EventRef;
use crate::correlate::cause::{Cause, CauseClass, CauseDetail};
use crate::correlate::finding::{FindingKind, Severity, Stage};
use crate::correlate::policy::Thresholds;
use crate::correlate::shape::shape_struct;
use crate::correlate::timeline::StreamTime;
use slipwatch_shared::card::Card;
use slipwatch_shared::terminal::OperatorNumber;
use std::collections::VecDeque;

/// Most operators of one terminal that are counted in a week.
pub const OPERATORS_MAX: usize = 16;
/// Most payments by card that are remembered of a terminal.
pub const CARDS_MAX: usize = 16;
const WEEK_MS: i64 = 7 * 86_400_000;

/// What an operator did that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A sale went through.
    Sale,
    /// A void went through.
    Void,
    /// A print was cancelled at its prompt.
    Cancel,
    /// A payment was run again within [`RERUN_MS`] of a time-out.
    Rerun,
    /// A card number was typed.
    Typed,
}

/// A payment of the same card and amount this soon after a time-out is the same one run again.
pub const RERUN_MS: i64 = 180_000;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Operator {
    number: OperatorNumber,
    counts: [u16; 5],
}

/// A terminal's operators of one week.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operators {
    week: u32,
    operators: Vec<Operator>,
}

impl Operators {
    /// Whether a moment is of another week than what is counted: a habit of the last one is over.
    pub fn turns(&mut self, at: StreamTime) -> bool {
        let week = u32::try_from(at.0.div_euclid(WEEK_MS)).unwrap_or(0);
        let turns = week > self.week;
        if turns {
            *self = Operators { week, operators: Vec::new() };
        }
        turns
    }

    /// Counts a deed. A21 when it makes a habit.
    pub fn note(
        &mut self,
        number: OperatorNumber,
        deed: Deed,
        at: StreamTime,
        event: EventRef,
        thresholds: &Thresholds,
    ) -> Stand {
        let known = self.operators.iter().position(|operator| operator.number == number);
        let place = match known {
            Some(place) => place,
            None if self.operators.len() == OPERATORS_MAX => return Stand::AsItWas,
            None => {
                self.operators.push(Operator { number, counts: [0; 5] });
                self.operators.len() - 1
            }
        };
        let counts = &mut self.operators[place].counts;
        counts[deed as usize] = counts[deed as usize].saturating_add(1);
        let count = |deed: Deed| u32::from(counts[deed as usize]);
        let (detail, most) = match deed {
            Deed::Sale => return Stand::AsItWas,
            Deed::Cancel => (CauseDetail::ManyCancels, thresholds.operator_cancels),
            Deed::Rerun => (CauseDetail::ManyReruns, thresholds.operator_reruns),
            Deed::Typed => (CauseDetail::ManyTyped, thresholds.operator_manual),
            Deed::Void => {
                let sales = count(Deed::Sale);
                let many = sales * thresholds.operator_void_percent / 100 + 1;
                (
                    CauseDetail::ManyVoids,
                    if sales < thresholds.operator_sales { u32::MAX } else { many },
                )
            }
        };
        if count(deed) < most.max(1) {
            return Stand::AsItWas;
        }
        let cause = Cause::of(CauseClass::Operator, detail, 50, [event]);
        let measure = i64::from(count(deed));
        Stand::Holds(Standing { severity: Severity::P3, since: at, cause, measure })
    }
}

/// A21 of a batch that was not closed in time.
pub fn close_overdue(due: StreamTime) -> Stand {
    let cause = Cause::of(CauseClass::Operator, CauseDetail::CloseOverdue, 50, []);
    Stand::Holds(Standing { severity: Severity::P3, since: due, cause, measure: 0 })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    /// A mark of the card: two of one terminal's hour are seldom equal by chance, and no number can be read off it.
    card: u32,
    second: u32,
    refunded: bool,
}

/// The cards a terminal saw of late.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cards {
    seen: VecDeque<Seen>,
}

/// A mark of a card that shows enough of itself.
fn mark(card: &Card) -> Option<u32> {
    let fold = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    if let Some(token) = card.token {
        return Some(token.0.iter().copied().fold(0x811c_9dc5, fold));
    }
    let pan = card.pan?;
    let digits = u64::from(pan.first_six()?) * 10_000 + u64::from(pan.last_four());
    Some(digits.to_le_bytes().into_iter().fold(0x811c_9dc5, fold))
}

impl Cards {
    /// Whether none of them counts any more.
    pub fn are_old(&self, latest: StreamTime, thresholds: &Thresholds) -> bool {
        let Some(last) = self.seen.back() else { return true };
        let last = StreamTime(i64::from(last.second) * 1000);
        latest.ms_since(last) > thresholds.card_window_ms.saturating_add(1000)
    }

    /// Takes in an approval, or a refund, of a card. A22 of the payment that makes it a habit.
    pub fn note(
        &mut self,
        card: &Card,
        refunded: bool,
        at: StreamTime,
        event: EventRef,
        thresholds: &Thresholds,
    ) -> Option<Held> {
        let card = mark(card).filter(|_| thresholds.card_repeats > 0)?;
        let second = u32::try_from(at.0.div_euclid(1000)).ok()?;
        let window_s =
            u32::try_from(thresholds.card_window_ms.div_euclid(1000)).unwrap_or(u32::MAX);
        self.seen.retain(|seen| seen.second.saturating_add(window_s) >= second);
        if self.seen.len() == CARDS_MAX {
            self.seen.pop_front();
        }
        self.seen.push_back(Seen { card, second, refunded });
        let own = || self.seen.iter().filter(|seen| seen.card == card);
        let refunds = own().filter(|seen| seen.refunded).count() as u32;
        let sales = own().count() as u32 - refunds;
        let repeats = thresholds.card_repeats;
        let (detail, measure) = match refunded {
            // Told once, at the payment that reaches the bound.
            false if sales == repeats => (CauseDetail::CardRepeated, sales),
            true if refunds == 2 && sales >= 2 => (CauseDetail::SaleAndRefund, refunds),
            _ => return None,
        };
        let cause = Cause::of(CauseClass::Consumer, detail, 40, [event]);
        let plain = Held::plain(FindingKind::ConsumerPattern, Stage::Alerting, at, cause);
        Some(Held { measure: i64::from(measure), ..plain })
    }
}

shape_struct!(Operator { number, counts });
shape_struct!(Operators { week, operators });
shape_struct!(Seen { card, second, refunded });
shape_struct!(Cards { seen });

#[cfg(test)]
mod tests {
    use super::*;
    use slipwatch_shared::card::MaskedPan;

    fn card(last_four: &str) -> Card {
        let pan = MaskedPan::from_parts(Some("622576"), last_four).ok();
        Card { pan, ..Card::default() }
    }

    #[test]
    fn the_fifth_payment_of_a_card_in_an_hour_is_told_once() {
        let (mut cards, thresholds) = (Cards::default(), Thresholds::default());
        let mut told = Vec::new();
        for minute in 0..8 {
            let at = StreamTime(minute * 60_000);
            if cards.note(&card("6691"), false, at, EventRef::default(), &thresholds).is_some() {
                told.push(minute);
            }
            assert!(
                cards.note(&card("1234"), false, at, EventRef::default(), &thresholds).is_none()
                    || minute == 4
            );
        }
        assert_eq!(told, [4]);
    }

    #[test]
    fn payments_an_hour_apart_are_no_habit() {
        let (mut cards, thresholds) = (Cards::default(), Thresholds::default());
        for quarter in 0..20 {
            let at = StreamTime(quarter * 20 * 60_000);
            let told = cards.note(&card("6691"), false, at, EventRef::default(), &thresholds);
            assert!(told.is_none(), "at the {quarter}th");
        }
    }

    #[test]
    fn voids_are_many_only_beside_enough_sales() {
        let (mut operators, thresholds) = (Operators::default(), Thresholds::default());
        let number: OperatorNumber = "01".parse().expect("a number");
        let mut note =
            |deed| operators.note(number, deed, StreamTime(0), EventRef::default(), &thresholds);
        assert_eq!(note(Deed::Void), Stand::AsItWas);
        (0..29).for_each(|_| assert_eq!(note(Deed::Sale), Stand::AsItWas));
        assert_eq!(note(Deed::Void), Stand::AsItWas);
        note(Deed::Sale);
        assert_eq!(note(Deed::Void), Stand::AsItWas, "three of thirty are usual");
        assert!(matches!(note(Deed::Void), Stand::Holds(_)));
        assert!(operators.turns(StreamTime(WEEK_MS)) && !operators.turns(StreamTime(WEEK_MS)));
    }
}
