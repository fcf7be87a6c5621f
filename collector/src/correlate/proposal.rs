//! What a terminal's first payments say of its slips: who prints, how many copies, from which amount. A proposal, never
//! a judgement: it is in force only when a person has confirmed it. Reads payments as they are stored; keeps nothing.

use super::case::{Case, What};
use super::money;
use super::policy::{TerminalPolicy, WhoPrints};
use slipwatch_shared::card::EntryMode;
use slipwatch_shared::event::Copy;
use slipwatch_shared::money::Amount;

/// So many debits are learned from.
pub const DEBITS_MAX: usize = 200;
/// Fewer say nothing yet.
pub const DEBITS_MIN: usize = 20;
/// A threshold has at least so many debits on either side.
const SIDE_MIN: usize = 8;

/// What came of one debit's slip, as far as it was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    amount: Amount,
    contactless: bool,
    merchant: bool,
    customer: bool,
    unnamed: bool,
    electronic: bool,
    declined: bool,
    /// The slip came by another line than the money.
    other_line: bool,
}

impl Seen {
    fn paper(&self) -> bool {
        self.merchant || self.customer || self.unnamed
    }
}

/// How often each kind of slip was heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Debits that were learned from.
    pub debits: usize,
    /// With paper of any kind.
    pub paper: usize,
    /// With the shop's copy.
    pub merchant: usize,
    /// With the shopper's copy.
    pub customer: usize,
    /// With a slip that went out without paper.
    pub electronic: usize,
    /// Of which the shopper wanted none.
    pub declined: usize,
    /// With nothing at all.
    pub nothing: usize,
}

/// A policy that the first payments of a terminal suggest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// What was heard.
    pub evidence: Evidence,
    /// What it suggests; deadlines, hours and acquirer stay as they are set.
    pub policy: TerminalPolicy,
    /// Of a hundred debits, so many are as the proposal says.
    pub fits_percent: u8,
}

/// Why nothing is proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoProposal {
    /// Not enough was heard.
    #[error("only {found} debits were heard, and {DEBITS_MIN} are needed")]
    TooFew {
        /// Debits that were heard.
        found: usize,
    },
}

/// What a terminal's payments suggest, the first of them first.
///
/// # Errors
/// When there are too few of them.
pub fn propose<'a>(cases: impl Iterator<Item = &'a Case>) -> Result<Proposal, NoProposal> {
    let seen: Vec<Seen> = cases.filter_map(seen).take(DEBITS_MAX).collect();
    if seen.len() < DEBITS_MIN {
        return Err(NoProposal::TooFew { found: seen.len() });
    }
    let count = |wanted: fn(&Seen) -> bool| seen.iter().filter(|seen| wanted(seen)).count();
    let evidence = Evidence {
        debits: seen.len(),
        paper: count(Seen::paper),
        merchant: count(|seen| seen.merchant),
        customer: count(|seen| seen.customer),
        electronic: count(|seen| seen.electronic),
        declined: count(|seen| seen.declined),
        nothing: count(|seen| !seen.paper() && !seen.electronic && !seen.declined),
    };
    let mut policy = TerminalPolicy { who_prints: who(&seen, &evidence), ..Default::default() };
    // A shopper's copy on request is one copy: the shop's own is what must come.
    let both = count(|seen| seen.customer && (seen.merchant || seen.unnamed));
    policy.copies = if both * 5 >= evidence.paper * 4 && both > 0 { 2 } else { 1 };
    if !matches!(policy.who_prints, WhoPrints::None | WhoPrints::Unsaid) {
        let came = |seen: &Seen| seen.paper() || seen.electronic || seen.declined;
        policy.slip_due_from = threshold(&seen, came);
        if policy.slip_due_from.is_none() {
            let tapped: Vec<Seen> = seen.iter().copied().filter(|seen| seen.contactless).collect();
            policy.contactless_due_from = threshold(&tapped, came);
        }
    }
    let fitting = seen.iter().filter(|seen| fits(seen, &policy)).count();
    let fits_percent = (fitting * 100 / seen.len()) as u8;
    Ok(Proposal { evidence, policy, fits_percent })
}

/// What is heard of a debit's slip; absent where it is no debit, or went back.
fn seen(case: &Case) -> Option<Seen> {
    let money::Money::Debited { .. } = money::trace(case).0 else { return None };
    if case.was_made_unheard() {
        return None;
    }
    let amount = case.keys.amount.filter(|_| case.kind.is_debit())?;
    let money_line = case.first_fact(What::is_success)?.source;
    let entry_mode = case.keys.card.and_then(|card| card.entry_mode);
    let mut seen = Seen {
        amount,
        contactless: entry_mode == Some(EntryMode::Contactless),
        merchant: false,
        customer: false,
        unnamed: false,
        electronic: false,
        declined: false,
        other_line: false,
    };
    for fact in case.facts.iter() {
        match fact.what {
            What::SlipPrinted { copy, .. } => {
                seen.merchant |= copy == Some(Copy::Merchant);
                seen.customer |= copy == Some(Copy::Customer);
                seen.unnamed |= copy.is_none();
                seen.other_line |= fact.source != money_line;
            }
            What::SlipIssued(_) => seen.electronic = true,
            What::SlipDeclined => seen.declined = true,
            _ => {}
        }
    }
    Some(seen)
}

/// Who prints: nobody where hardly any slip was heard, the till where its line carries them.
fn who(seen: &[Seen], evidence: &Evidence) -> WhoPrints {
    let most = |part: usize| part * 2 > evidence.debits;
    if most(evidence.electronic) && evidence.electronic > evidence.paper {
        return WhoPrints::Electronic;
    }
    if evidence.paper * 20 < evidence.debits && evidence.electronic == 0 {
        return WhoPrints::None;
    }
    let elsewhere = seen.iter().filter(|seen| seen.paper() && seen.other_line).count();
    let named = seen.iter().filter(|seen| seen.merchant || seen.customer).count();
    match elsewhere * 2 > evidence.paper {
        false => WhoPrints::Terminal,
        // A till that prints the terminal's text prints whose copy it is.
        true if named * 2 > evidence.paper => WhoPrints::TillFromTerminalText,
        true => WhoPrints::TillOwnLayout,
    }
}

/// The amount from which slips come and below which they do not; absent where there is none such.
fn threshold(seen: &[Seen], came: impl Fn(&Seen) -> bool) -> Option<Amount> {
    let currency = seen.first()?.amount.currency;
    let mut sorted: Vec<(i64, bool)> =
        seen.iter().map(|seen| (seen.amount.minor, came(seen))).collect();
    if seen.iter().any(|seen| seen.amount.currency != currency) {
        return None;
    }
    sorted.sort_unstable();
    let all = sorted.iter().filter(|(_, came)| *came).count();
    let (mut below, mut best): (usize, Option<(usize, i64)>) = (0, None);
    for (place, &(minor, slip)) in sorted.iter().enumerate() {
        let above = all - below;
        let (least, rest) = (place, sorted.len() - place);
        let parts = least >= SIDE_MIN && rest >= SIDE_MIN && sorted[place - 1].0 < minor;
        // Hardly any below, nearly all above.
        if parts && below * 10 <= least && above * 10 >= rest * 9 {
            let wrong = below + (rest - above);
            if best.is_none_or(|(least_wrong, _)| wrong < least_wrong) {
                best = Some((wrong, minor));
            }
        }
        below += usize::from(slip);
    }
    best.map(|(_, minor)| Amount::new(minor, currency))
}

/// Whether a debit is as a policy says.
fn fits(seen: &Seen, policy: &TerminalPolicy) -> bool {
    let below = |due_from: Option<Amount>| {
        due_from.is_some_and(|due_from| {
            due_from.currency == seen.amount.currency && seen.amount.minor < due_from.minor
        })
    };
    let excused = below(policy.slip_due_from)
        || seen.contactless && below(policy.contactless_due_from)
        || seen.electronic
        || seen.declined;
    match policy.who_prints {
        WhoPrints::None | WhoPrints::Unsaid => !seen.paper(),
        WhoPrints::Electronic => excused || seen.paper(),
        _ if excused => true,
        _ if policy.copies > 1 => seen.customer || seen.unnamed,
        _ => seen.paper(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlate::correlator::Correlator;
    use crate::correlate::recall::NoStore;
    use crate::correlate::tests::{Speaker, agent_name, policies};
    use slipwatch_shared::event::Epoch;
    use slipwatch_shared::times::ArrivalTime;

    /// What is proposed after payments that each say these words behind their approval.
    fn proposed(count: u32, after: impl Fn(u32) -> String) -> Result<Proposal, NoProposal> {
        let payment = |n: u32| {
            let at = n * 20;
            let (yuan, more) = (n % 40 + 1, after(n));
            format!("{at} ask n={n} yuan={yuan}; {at}.5 ok n={n}; {more}")
        };
        let script: Vec<String> = (1..=count).map(payment).collect();
        let mut correlator = Correlator::new(policies());
        let place = correlator.agent(&agent_name("till-1"));
        for event in Speaker::new("T1").speak(&format!("0 open; {}", script.join("; "))) {
            correlator.event(place, Epoch(1), &event, ArrivalTime(0), &mut NoStore);
        }
        propose(correlator.agents()[place].terminals[0].cases.iter().map(|kept| &kept.case))
    }

    #[track_caller]
    fn check(after: impl Fn(u32) -> String, who: WhoPrints, copies: u8, fits: u8) -> Proposal {
        let proposal = proposed(200, after).expect("enough was heard");
        let policy = &proposal.policy;
        assert_eq!((policy.who_prints, policy.copies, proposal.fits_percent), (who, copies, fits));
        proposal
    }

    fn both(n: u32) -> String {
        let at = n * 20;
        format!("{at}.7 slip n={n} copy=m; {at}.9 slip n={n} copy=c")
    }

    #[test]
    fn copies_are_counted_and_a_few_missing_ones_change_nothing() {
        check(both, WhoPrints::TillFromTerminalText, 2, 100);
        let some = |n: u32| if n.is_multiple_of(50) { String::new() } else { both(n) };
        check(some, WhoPrints::TillFromTerminalText, 2, 98);
        let one = |n: u32| format!("{}.7 slip n={n} copy=m", n * 20);
        check(one, WhoPrints::TillFromTerminalText, 1, 100);
        // Asked for by one shopper in four: on request.
        let asked = |n: u32| if n.is_multiple_of(4) { both(n) } else { one(n) };
        check(asked, WhoPrints::TillFromTerminalText, 1, 100);
        let plain = |n: u32| format!("{}.7 slip yuan={}", n * 20, n % 40 + 1);
        check(plain, WhoPrints::TillOwnLayout, 1, 100);
    }

    #[test]
    fn nobody_prints_where_nothing_or_only_a_code_is_heard() {
        check(|_| String::new(), WhoPrints::None, 1, 100);
        let code = |n: u32| format!("{}.7 screen n={n}", n * 20);
        check(code, WhoPrints::Electronic, 1, 100);
        let unwanted = |n: u32| match n % 3 {
            0 => format!("{}.7 unwanted n={n}", n * 20),
            _ => both(n),
        };
        check(unwanted, WhoPrints::TillFromTerminalText, 2, 100);
    }

    #[test]
    fn an_amount_that_parts_slips_from_none_is_found() {
        let from_ten = |n: u32| if n % 40 + 1 >= 10 { both(n) } else { String::new() };
        let proposal = check(from_ten, WhoPrints::TillFromTerminalText, 2, 100);
        assert_eq!(proposal.policy.slip_due_from.map(|amount| amount.minor), Some(1000));
        let by_chance = |n: u32| if !n.is_multiple_of(3) { both(n) } else { String::new() };
        assert_eq!(proposed(200, by_chance).expect("enough").policy.slip_due_from, None);
    }

    #[test]
    fn little_says_nothing_and_only_the_first_are_learned_from() {
        assert_eq!(proposed(19, both), Err(NoProposal::TooFew { found: 19 }));
        let first = |n| if n <= 200 { both(n) } else { String::new() };
        let proposal = proposed(300, first).expect("enough");
        assert_eq!((proposal.evidence.debits, proposal.fits_percent), (200, 100));
    }
}
