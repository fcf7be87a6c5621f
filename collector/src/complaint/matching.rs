//! Which payments may be the one a shopper means: each with its points, how sure it is, and what agrees, differs, or was
//! forgiven. One slip is forgiven, two are not; what contradicts is said. Chooses nothing where two are as good.

use super::said::{Said, SaidAmount, Trouble, When};
use super::slack::{Slip, between, between_amounts, between_times, folded};
use crate::correlate::case::CaseId;
use crate::settlement::row::worded;
use crate::settlement::standing::Standing;
use jiff::civil::Date;
use slipwatch_shared::event::Kind;
use slipwatch_shared::money::Amount;
use slipwatch_shared::terminal::{StoreId, TerminalId};

/// What a candidate is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A payment that a terminal made.
    Payment(CaseId),
    /// A row of a settlement file that no terminal is behind, by its number in the store.
    Row(i64),
}

/// Something that may be what the shopper means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What it is.
    pub source: Source,
    /// In which shop.
    pub store: Option<StoreId>,
    /// At which terminal.
    pub terminal: Option<TerminalId>,
    /// When: a moment, or all of a day.
    pub at: When,
    /// The day of a row that tells no time.
    pub day: Option<Date>,
    /// How much.
    pub amount: Option<Amount>,
    /// The card's last four digits.
    pub last_four: Option<u16>,
    /// The numbers that stand on a phone: the wallet's, the shop's.
    pub numbers: Vec<Box<str>>,
    /// What kind of business.
    pub kind: Kind,
    /// Where its money stands.
    pub standing: Standing,
    /// Its slip is missing, or not known of.
    pub slip_missing: bool,
}

worded! {
    /// What was compared.
    Aspect {
        /// The number on the phone.
        Order = "order",
        /// The amount.
        Amount = "amount",
        /// The card's last four.
        LastFour = "last_four",
        /// The time.
        Time = "time",
        /// The shop.
        Shop = "shop",
    }
}

/// What came of comparing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// It is the same.
    Same,
    /// It is the same but for one slip.
    But(Slip),
    /// It is another.
    Differs,
}

/// One reason behind a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Why {
    /// What was compared.
    pub aspect: Aspect,
    /// What came of it.
    pub agreement: Agreement,
}

worded! {
    /// How sure a match is, the surest first.
    Level {
        /// All that was said agrees, and it is enough.
        Sure = "sure",
        /// It agrees but for one slip, or little was said.
        Likely = "likely",
        /// It is worth a look.
        Possible = "possible",
    }
}

/// A candidate that may be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// Which.
    pub candidate: Candidate,
    /// How sure.
    pub level: Level,
    /// How well it fits, against others of the same level.
    pub points: i32,
    /// Why.
    pub whys: Vec<Why>,
    /// Complaints about it that are open already, the earliest first: the desk knows them, no comparison does.
    pub also_open: Vec<u64>,
}

impl Match {
    /// Whether it fits what was said.
    pub fn fits(&self) -> bool {
        self.level <= Level::Likely
    }
}

/// Most matches that are shown.
pub const MATCHES_MAX: usize = 12;
/// Most candidates that are compared in one search.
pub const CANDIDATES_MAX: usize = 50_000;
/// Fewer points are not worth a look.
const POINTS_MIN: i32 = 20;
/// A number on the phone this long is hardly met by chance.
const LONG_NUMBER: usize = 12;

/// The candidates that may be meant, the best first.
pub fn rank(said: &Said, candidates: Vec<Candidate>) -> Vec<Match> {
    let mut matches: Vec<Match> =
        candidates.into_iter().filter_map(|candidate| compare(said, candidate)).collect();
    matches.sort_by(|left, right| {
        let order = (left.level, -left.points).cmp(&(right.level, -right.points));
        // The latest first, and then by name: the same whatever the store's order was.
        let newest = right.candidate.at.from_ms.cmp(&left.candidate.at.from_ms);
        order.then(newest).then_with(|| left.candidate.source.cmp(&right.candidate.source))
    });
    matches.truncate(MATCHES_MAX);
    matches
}

/// The one match that needs nobody to choose: sure, and no other is. The refund or void of a debit is no rival of it: the
/// debit tells of both.
pub fn chosen(matches: &[Match]) -> Option<&Match> {
    let mut sure = matches.iter().filter(|found| found.level == Level::Sure);
    let first = sure.next()?;
    let is_undo = |found: &Match| matches!(found.candidate.kind, Kind::Refund | Kind::Void);
    let is_rivalled = sure.any(|other| is_undo(first) || !is_undo(other));
    (!is_rivalled).then_some(first)
}

/// How well a payment's amount, card and time alone agree, before its other numbers are read: the best are read.
pub fn promise(said: &Said, at_ms: i64, hundredths: Option<i64>, last_four: Option<u16>) -> i32 {
    let mut points = 0;
    if let (Some(amount), Some(known)) = (said.amount, hundredths) {
        points += match between_amounts(amount.hundredths, known) {
            Some(None) => 30,
            Some(Some(_)) => 14,
            None => -40,
        };
    }
    if let (Some(four), Some(known)) = (said.last_four, last_four) {
        points += match between(&format!("{four:04}"), &format!("{known:04}")) {
            Some(None) => 25,
            Some(Some(_)) => 11,
            None => -30,
        };
    }
    if let Some(when) = said.when {
        points += match between_times((when.from_ms, when.to_ms), (at_ms, at_ms)) {
            Some(None) => 22,
            Some(Some(_)) => 11,
            None => -25,
        };
    }
    points
}

fn compare(said: &Said, candidate: Candidate) -> Option<Match> {
    let mut whys: Vec<Why> = Vec::new();
    let mut put = |aspect, found: Option<Agreement>| {
        whys.extend(found.map(|agreement| Why { aspect, agreement }));
        found
    };
    let order = put(Aspect::Order, order(said, &candidate));
    let is_numbered = matches!(order, Some(Agreement::Same | Agreement::But(_)));
    let amount = put(Aspect::Amount, amount(said, &candidate));
    let four = put(Aspect::LastFour, last_four(said, &candidate));
    let time = put(Aspect::Time, time(said, &candidate));
    let shop = match (&said.store, &candidate.store) {
        (Some(said), Some(known)) if said != known => put(Aspect::Shop, Some(Agreement::Differs)),
        (Some(_), Some(_)) => put(Aspect::Shop, Some(Agreement::Same)),
        _ => None,
    };
    // Another shop's payment is meant only where its number was read off the phone.
    if shop == Some(Agreement::Differs) && !is_numbered {
        return None;
    }
    let points = points(said, &candidate, [order, amount, four, time], is_numbered);
    let named = [order, amount, four];
    let is_named =
        named.iter().any(|found| matches!(found, Some(Agreement::Same | Agreement::But(_))));
    if points < POINTS_MIN || !is_named {
        return None;
    }
    let level = level(said, &candidate, &whys);
    Some(Match { candidate, level, points, whys, also_open: Vec::new() })
}

fn weigh(found: Option<Agreement>, same: i32, but: i32, differs: i32) -> i32 {
    match found {
        None => 0,
        Some(Agreement::Same) => same,
        Some(Agreement::But(_)) => but,
        Some(Agreement::Differs) => differs,
    }
}

fn points(
    said: &Said,
    candidate: &Candidate,
    [order, amount, four, time]: [Option<Agreement>; 4],
    is_numbered: bool,
) -> i32 {
    // What was read off the phone outweighs what was remembered.
    let against = |points: i32| if is_numbered { points / 3 } else { points };
    let mut points = weigh(order, 60, 48, -15)
        + weigh(amount, 30, 14, against(-40))
        + weigh(four, 25, 11, against(-30))
        + weigh(time, 22, 11, against(-25));
    points += match (candidate.kind, said.trouble) {
        (Kind::Refund | Kind::Void, Trouble::RefundMissing) => 2,
        (Kind::Sale | Kind::Completion, _) => 4,
        (Kind::Refund | Kind::Void, _) => -12,
        _ => -6,
    };
    if candidate.standing.is_closed_unpaid() {
        points -= 3;
    }
    if said.trouble == Trouble::NoSlip && candidate.slip_missing {
        points += 3;
    }
    points
}

fn level(said: &Said, candidate: &Candidate, whys: &[Why]) -> Level {
    let found = |aspect| whys.iter().find(|why| why.aspect == aspect).map(|why| why.agreement);
    let is_same = |aspect| found(aspect) == Some(Agreement::Same);
    let differs = whys.iter().any(|why| why.agreement == Agreement::Differs);
    let slips = whys.iter().filter(|why| matches!(why.agreement, Agreement::But(_))).count();
    let is_precise = said.when.is_some_and(|when| when.is_precise());
    let (order, amount) = (is_same(Aspect::Order), is_same(Aspect::Amount));
    let (four, time) = (is_same(Aspect::LastFour), is_same(Aspect::Time));
    let place = is_same(Aspect::Shop);
    let is_enough = order || amount && time && (four || is_precise && place);
    let is_undo = matches!(candidate.kind, Kind::Void | Kind::Refund);
    let counts_as_paid = !is_undo || said.trouble == Trouble::RefundMissing;
    if !differs && slips == 0 && is_enough && counts_as_paid {
        return Level::Sure;
    }
    let same = [amount, four, time].into_iter().filter(|same| *same).count();
    let is_long = said.order.as_deref().is_some_and(|order| order.len() >= LONG_NUMBER);
    let is_numbered = order || matches!(found(Aspect::Order), Some(Agreement::But(_))) && is_long;
    let is_likely = slips <= 1 && (same >= 2 || is_numbered);
    let is_told = !differs || order;
    if is_likely && is_told && counts_as_paid { Level::Likely } else { Level::Possible }
}

fn order(said: &Said, candidate: &Candidate) -> Option<Agreement> {
    let wanted = folded(said.order.as_deref()?);
    let found = candidate.numbers.iter().map(|number| between(&wanted, &folded(number)));
    let mut best: Option<Agreement> = None;
    for found in found {
        let agreement = match found {
            Some(None) => return Some(Agreement::Same),
            Some(Some(slip)) => Agreement::But(slip),
            None => Agreement::Differs,
        };
        if !matches!(best, Some(Agreement::But(_))) {
            best = Some(agreement);
        }
    }
    best
}

fn amount(said: &Said, candidate: &Candidate) -> Option<Agreement> {
    let (said, known) = (said.amount?, candidate.amount?);
    if said.currency.is_some_and(|currency| currency != known.currency) {
        return Some(Agreement::Differs);
    }
    agreement(between_amounts(said.hundredths, SaidAmount::hundredths_of(known)))
}

fn last_four(said: &Said, candidate: &Candidate) -> Option<Agreement> {
    let (said, known) = (said.last_four?, candidate.last_four?);
    agreement(between(&format!("{said:04}"), &format!("{known:04}")))
}

fn time(said: &Said, candidate: &Candidate) -> Option<Agreement> {
    let (said, at) = (said.when?, candidate.at);
    agreement(between_times((said.from_ms, said.to_ms), (at.from_ms, at.to_ms)))
}

fn agreement(found: Option<Option<Slip>>) -> Option<Agreement> {
    Some(match found {
        Some(None) => Agreement::Same,
        Some(Some(slip)) => Agreement::But(slip),
        None => Agreement::Differs,
    })
}

#[cfg(test)]
mod tests;
