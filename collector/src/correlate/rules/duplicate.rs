//! A09: two debits for one purchase, by points. The order in which the two became known does not matter: only the
//! times at which they happened do.

use crate::correlate::case::{Case, EventRef, Place, What};
use crate::correlate::cause::{Cause, CauseClass, CauseDetail};
use crate::correlate::facts::Sorts;
use crate::correlate::finding::Stage;
use crate::correlate::key;
use crate::correlate::money::Money;
use crate::correlate::policy::Deadlines;
use crate::correlate::rules::slip;
use crate::correlate::timeline::StreamTime;
use crate::correlate::verdict::Verdict;
use slipwatch_shared::card::Card;
use slipwatch_shared::event::Instrument;
use slipwatch_shared::money::Amount;
use slipwatch_shared::terminal::{MerchantId, TerminalId};
use slipwatch_shared::trace::OrderNumber;

/// From so many points on two debits are suspected to be one purchase.
pub const SUSPECT_POINTS: i64 = 4;
/// From so many points on people are told.
pub const ALERT_POINTS: i64 = 6;

/// The money and the slip of a debit that may be one side of a pair: what changes of it while it is in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Paid {
    /// When the money went, or may have gone.
    pub at: StreamTime,
    /// How much.
    pub amount: Amount,
    /// The amount is one of those the terminal repeats most.
    pub common_amount: bool,
    /// When a slip came, if one did.
    pub slip_at: Option<StreamTime>,
    /// It is said that none came in time.
    pub no_slip: bool,
    /// Since when something went wrong that makes a cashier run it again: a failed print, no answer.
    pub trouble_at: Option<StreamTime>,
    /// A settlement file has it.
    pub settled: bool,
}

impl Paid {
    /// Absent when a case took no money, or gave it back, or neither card nor wallet is known.
    pub fn of(case: &Case, money: Money) -> Option<Paid> {
        let (at, open) = match money {
            Money::Debited { at } => (at, false),
            Money::Open { since } => (since, true),
            _ => return None,
        };
        let amount = case.keys.amount?;
        let payer_known = card(case).is_some() || is_wallet(case.keys.instrument);
        // When the shopper paid is not known of one that was made offline: only when the terminal told its host.
        if !case.kind.is_debit() || !payer_known || case.was_made_unheard() {
            return None;
        }
        let spoilt = || {
            let spoilt = |what: &What| matches!(what, What::SlipFailed(_) | What::SlipLost(_));
            case.facts.have(Sorts::SPOILT).then(|| case.first_fact(spoilt)).flatten()
        };
        Some(Paid {
            at,
            amount,
            common_amount: case.common_amount,
            slip_at: slip::satisfied(case, 1).map(|slip| slip.at),
            no_slip: matches!(case.verdict, Verdict::NoSlip { .. } | Verdict::PrintedLate { .. }),
            trouble_at: if open { Some(at) } else { spoilt().map(|fact| fact.at) },
            settled: case.is_settled(),
        })
    }
}

/// The card of a case, where it tells which.
fn card(case: &Case) -> Option<Card> {
    case.keys.card.filter(|card| card.pan.is_some() || card.token.is_some())
}

/// What of a debit its pairing with others rests on. Enough to judge a pair without either case at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side<'a> {
    /// Which.
    pub place: Place,
    /// At which terminal.
    pub terminal: Option<TerminalId>,
    /// The money and the slip.
    pub paid: Paid,
    /// The event that says that the money went.
    pub event: EventRef,
    /// With which card; absent where a wallet shows none.
    pub card: Option<Card>,
    /// Card or wallet.
    pub instrument: Option<Instrument>,
    /// The shop's order number.
    pub order_number: Option<&'a OrderNumber>,
    /// Field 42.
    pub merchant: Option<MerchantId>,
}

impl<'a> Side<'a> {
    /// A case as one side of a pair, where it can be one.
    pub fn of(
        place: Place,
        terminal: Option<TerminalId>,
        case: &'a Case,
        money: Money,
    ) -> Option<Side<'a>> {
        let paid = Paid::of(case, money)?;
        let said = case.facts.iter().find(|fact| fact.at == paid.at);
        Some(Side {
            place,
            terminal,
            paid,
            event: said.map_or(case.first, |fact| fact.event),
            card: card(case),
            instrument: case.keys.instrument,
            order_number: case.keys.order_number.as_deref(),
            merchant: case.keys.merchant,
        })
    }
}

/// The earlier of two first: by time, then by terminal and number, so that it does not matter who asks.
pub fn in_order<'a, 'b>(left: &'a Side<'b>, right: &'a Side<'b>) -> (&'a Side<'b>, &'a Side<'b>) {
    let order = |side: &Side<'_>| (side.paid.at, side.terminal, side.place.first);
    if order(left) <= order(right) { (left, right) } else { (right, left) }
}

/// Points for one purchase debited twice; absent when the two cannot be one purchase.
pub fn points(left: &Side<'_>, right: &Side<'_>, deadlines: &Deadlines) -> Option<i64> {
    let (first, second) = in_order(left, right);
    let apart_ms = second.paid.at.ms_since(first.paid.at);
    let window_ms = match is_wallet(first.instrument) && is_wallet(second.instrument) {
        true => deadlines.duplicate_window_qr_ms,
        false => deadlines.duplicate_window_ms,
    };
    let merchants = (first.merchant, second.merchant);
    let other_merchant = matches!(merchants, (Some(left), Some(right)) if left != right);
    let candidates = apart_ms <= window_ms
        && !other_merchant
        && first.paid.amount == second.paid.amount
        && same_payer(first, second);
    if !candidates {
        return None;
    }
    let mut points = 0;
    let counter = |side: &Side<'_>| side.card.and_then(|card| card.chip_counter);
    if counter(first).is_some() && counter(first) == counter(second) {
        points += 4;
    }
    if follows_trouble(first, second) {
        points += 3;
    }
    if first.terminal.is_some() && first.terminal == second.terminal {
        points += 1;
    }
    points += match apart_ms {
        ..=60_000 => 2,
        60_001..=180_000 => 1,
        _ => 0,
    };
    if slipless(first) || slipless(second) {
        points += 1;
    }
    let orders = (&first.order_number, &second.order_number);
    if matches!(orders, (Some(left), Some(right)) if left != right) {
        points -= 2;
    }
    if first.paid.slip_at.is_some()
        && second.paid.slip_at.is_some()
        && !first.paid.no_slip
        && !second.paid.no_slip
    {
        points -= 2;
    }
    if first.paid.common_amount || second.paid.common_amount {
        points -= 2;
    }
    Some(points)
}

fn is_wallet(instrument: Option<Instrument>) -> bool {
    matches!(instrument, Some(Instrument::WechatQr | Instrument::AlipayQr | Instrument::UnionpayQr))
}

/// Whether one person may have paid both: the same card, as far as both show it. A wallet that shows no payer may be
/// anybody's; the same wallet at the same till is the same person only right after trouble with the first.
fn same_payer(first: &Side<'_>, second: &Side<'_>) -> bool {
    match (&first.card, &second.card) {
        (Some(first), Some(second)) => key::same_card(first, second) == Some(true),
        (None, None) => {
            let one_till = first.terminal.is_some() && first.terminal == second.terminal;
            one_till && first.instrument == second.instrument && follows_trouble(first, second)
        }
        _ => false,
    }
}

/// The first one had no slip, or no answer, when the second was made: the reason why people pay twice.
fn follows_trouble(first: &Side<'_>, second: &Side<'_>) -> bool {
    let without_slip = first.paid.slip_at.is_none_or(|slip| slip > second.paid.at);
    let trouble = first.paid.no_slip
        || first.paid.trouble_at.is_some_and(|trouble| trouble <= second.paid.at);
    without_slip && trouble
}

fn slipless(side: &Side<'_>) -> bool {
    side.paid.no_slip || (side.paid.slip_at.is_none() && side.paid.trouble_at.is_some())
}

/// How far a pair with so many points is.
pub fn stage(points: i64) -> Option<Stage> {
    match points {
        ALERT_POINTS.. => Some(Stage::Alerting),
        SUSPECT_POINTS.. => Some(Stage::Suspected),
        _ => None,
    }
}

/// The earlier debit that one most likely repeats, itself, and the points: the most points, then the latest.
pub fn best<'a, 'b>(
    sides: &'a [Side<'b>],
    place: Place,
    deadlines: &Deadlines,
) -> Option<(&'a Side<'b>, &'a Side<'b>, i64)> {
    let own = sides.iter().find(|side| side.place == place)?;
    let earlier = sides.iter().filter(|side| side.place != place && in_order(side, own).1 == own);
    let scored = earlier.filter_map(|side| Some((side, points(side, own, deadlines)?)));
    let (first, points) = scored
        .max_by_key(|(side, points)| (*points, side.paid.at, side.terminal, side.place.first))?;
    Some((first, own, points))
}

/// Why one purchase was debited twice.
pub fn cause(first: &Side<'_>, second: &Side<'_>) -> Cause {
    let counter = |side: &Side<'_>| side.card.and_then(|card| card.chip_counter);
    let same_counter = counter(first).is_some() && counter(first) == counter(second);
    let (class, detail, confidence) = match (same_counter, follows_trouble(first, second)) {
        (true, _) => (CauseClass::TerminalFault, CauseDetail::Retransmitted, 60),
        (false, true) => (CauseClass::Operator, CauseDetail::Rerun, 75),
        (false, false) => (CauseClass::Consumer, CauseDetail::SecondTap, 40),
    };
    // Events of one agent only: the first payment is named as the partner.
    Cause { class, detail, confidence, cited: vec![second.event] }
}
