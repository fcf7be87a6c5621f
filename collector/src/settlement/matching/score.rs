//! What no exact number links: numbers that leave a single candidate, then a score. A link by score is probable and says
//! so; what is not clearly ahead of every other candidate is a suggestion.

use super::assign::{self, Pair};
use super::{Candidate, Compared, DAY_MS, Grouping, HOUR_MS, Link, Role, Tier, Tolerance};
use super::{apart_ms, compare};
use crate::settlement::row::{Precision, SettlementRow};
use slipwatch_shared::trace::Rrn;
use std::collections::{BTreeMap, BTreeSet};

/// Linked as probable from this score on, in thousandths.
pub const PROBABLE_MIN: u16 = 800;
/// So far a probable link must be ahead of the row's next candidate.
pub const AHEAD_MIN: u16 = 150;
/// Suggested from this score on.
pub const SUGGESTED_MIN: u16 = 600;
/// A scored row and its payment are no further apart.
const SCORED_MS_MAX: i64 = 15 * 60_000;
/// Most candidates of one row that are scored; with more of one amount nothing is clear anyway.
const CANDIDATES_MAX: usize = 64;

/// Links what the exact tiers left: `open` are the places of rows without a link. `taken` holds payments that other rows
/// settle, by their number in the store.
pub fn match_the_rest(
    rows: &[SettlementRow],
    open: &[usize],
    candidates: &[Candidate],
    taken: &BTreeSet<i64>,
    grouping: &Grouping,
    tolerance: Tolerance,
) -> Vec<Link> {
    let rest = Rest {
        by_amount: by_amount(candidates),
        settled: candidates.iter().map(|candidate| taken.contains(&candidate.id)).collect(),
        rows,
        candidates,
        grouping,
        tolerance,
    };
    rest.link(open)
}

fn by_amount(candidates: &[Candidate]) -> Vec<(i64, i64, u32)> {
    let known = candidates.iter().enumerate().filter_map(|(at, candidate)| {
        Some((candidate.amount?.minor.abs(), candidate.at.0, at as u32))
    });
    let mut known: Vec<(i64, i64, u32)> = known.collect();
    known.sort_unstable();
    known
}

struct Rest<'a> {
    /// Amount, time, place.
    by_amount: Vec<(i64, i64, u32)>,
    settled: Vec<bool>,
    rows: &'a [SettlementRow],
    candidates: &'a [Candidate],
    grouping: &'a Grouping,
    tolerance: Tolerance,
}

impl Rest<'_> {
    fn link(mut self, open: &[usize]) -> Vec<Link> {
        let mut links = Vec::new();
        let mut left: Vec<usize> =
            open.iter().copied().filter(|&at| self.rows[at].kind.has_payment()).collect();
        for tier in [Tier::P1, Tier::P2, Tier::P3, Tier::P4] {
            let claims: Vec<(usize, usize)> = left
                .iter()
                .filter_map(|&row| Some((row, self.only_candidate(tier, &self.rows[row])?)))
                .collect();
            let mut claimed: BTreeMap<usize, u32> = BTreeMap::new();
            for (_, candidate) in &claims {
                *claimed.entry(*candidate).or_default() += 1;
            }
            let mut linked = BTreeSet::new();
            for (row, candidate) in claims {
                // Two rows with the same only candidate: it is nobody's only candidate.
                if claimed[&candidate] > 1 {
                    continue;
                }
                links.push(Link { row, candidate, role: Role::Settles, tier, score: 950 });
                self.settled[candidate] = true;
                linked.insert(row);
            }
            left.retain(|row| !linked.contains(row));
        }
        links.extend(self.scored(&left));
        links
    }

    /// Places of payments whose amount may be the row's, within `within_ms` of it.
    fn near(&self, row: &SettlementRow, within_ms: i64) -> impl Iterator<Item = usize> {
        let settled = row.amount.minor.abs();
        let percent = 100 + i64::from(self.tolerance.tip_percent_max);
        let least = settled.saturating_mul(100).div_euclid(percent);
        let from = self.by_amount.partition_point(|(minor, ..)| *minor < least);
        let places = self.by_amount[from..].iter().take_while(move |(minor, ..)| *minor <= settled);
        places.map(|(.., at)| *at as usize).filter(move |&at| {
            let candidate = &self.candidates[at];
            let amount = compare(row, candidate, self.tolerance);
            !self.settled[at]
                && row.kind.fits(candidate.kind)
                && matches!(amount, Compared::Equal | Compared::Tip)
                && apart_ms(row, candidate) <= within_ms
                && self.grouping.holds(row, candidate)
        })
    }

    fn only_candidate(&self, tier: Tier, row: &SettlementRow) -> Option<usize> {
        let within_ms = if tier == Tier::P1 { 12 * HOUR_MS } else { DAY_MS };
        let mut found = self.near(row, within_ms).filter(|&at| {
            let candidate = &self.candidates[at];
            compare(row, candidate, Tolerance::default()) == Compared::Equal
                && shares_part(tier, row, candidate)
        });
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    fn scored(&self, left: &[usize]) -> Vec<Link> {
        let mut pairs: Vec<Pair> = Vec::new();
        for &row in left {
            let wanted = &self.rows[row];
            // A row that tells its day alone may be of any hour of it.
            let day_alone = wanted.time.is_none_or(|time| time.precision == Precision::Day);
            let within_ms = if day_alone { 0 } else { SCORED_MS_MAX };
            for candidate in self.near(wanted, within_ms).take(CANDIDATES_MAX) {
                let score = score(wanted, &self.candidates[candidate], day_alone, self.tolerance);
                if score >= SUGGESTED_MIN {
                    pairs.push(Pair { row, candidate, score });
                }
            }
        }
        // Pairs stand row by row: a row's two best tell how far the best is ahead.
        let mut by_row: BTreeMap<usize, Vec<(u16, usize)>> = BTreeMap::new();
        for pair in &pairs {
            by_row.entry(pair.row).or_default().push((pair.score, pair.candidate));
        }
        let linked = assign::best(&pairs).into_iter().map(|pair| {
            let others = by_row[&pair.row].iter().filter(|(_, place)| *place != pair.candidate);
            let second = others.map(|(score, _)| *score).max().unwrap_or(0);
            let sure = pair.score >= PROBABLE_MIN && pair.score >= second + AHEAD_MIN;
            let (role, tier) = match sure {
                true => (Role::Settles, Tier::Scored),
                false => (Role::Suggested, Tier::Suggested),
            };
            Link { row: pair.row, candidate: pair.candidate, role, tier, score: pair.score }
        });
        linked.collect()
    }
}

fn shares_part(tier: Tier, row: &SettlementRow, candidate: &Candidate) -> bool {
    let same_terminal = row.terminal.is_some() && row.terminal == candidate.terminal;
    let same_trace = row.stan.is_some() && row.stan == candidate.stan;
    let row_four = row.pan.map(|pan| pan.last_four());
    let same_four = row_four.is_some() && row_four == candidate.last_four;
    match tier {
        Tier::P1 => {
            let batch_missing = row.batch_number.is_none() || candidate.batch_number.is_none();
            same_terminal && same_trace && batch_missing
        }
        Tier::P2 => {
            candidate.rrn.is_none() && row.rrn.as_ref().is_some_and(|rrn| tail_is(rrn, candidate))
        }
        Tier::P3 => {
            let code = row.authorization_code.is_some();
            code && row.authorization_code == candidate.authorization_code && same_four
        }
        Tier::P4 => {
            let row_six = row.pan.and_then(|pan| pan.first_six());
            let six_differ = matches!((row_six, candidate.first_six), (Some(a), Some(b)) if a != b);
            same_trace && same_four && row_six.is_some() && !six_differ
        }
        _ => false,
    }
}

/// The last six digits of a reference number are often the trace.
fn tail_is(rrn: &Rrn, candidate: &Candidate) -> bool {
    let text = rrn.as_str();
    let tail = text.len().checked_sub(6).and_then(|from| text.get(from..));
    tail.and_then(|tail| tail.parse().ok()) == candidate.stan.filter(|_| tail.is_some())
}

/// How likely a row settles a payment, in thousandths; account, currency, sign and amount hold already.
fn score(row: &SettlementRow, candidate: &Candidate, day_alone: bool, tolerance: Tolerance) -> u16 {
    let mut score = match compare(row, candidate, tolerance) {
        Compared::Equal => 300,
        _ => 200,
    };
    // A day alone fits every hour of it: half of what a time would give.
    score += if day_alone { 125 } else { nearness(apart_ms(row, candidate)) };
    let mut agree = |left: Option<bool>, points: u16| match left {
        Some(true) => score += points,
        // Numbers that both sides tell and that differ speak against it.
        Some(false) => score = score.saturating_sub(points),
        None => {}
    };
    let both = |left: bool, right: bool, same: bool| (left && right).then_some(same);
    let terminal = row.terminal == candidate.terminal;
    agree(both(row.terminal.is_some(), candidate.terminal.is_some(), terminal), 150);
    let four = row.pan.map(|pan| pan.last_four());
    agree(both(four.is_some(), candidate.last_four.is_some(), four == candidate.last_four), 150);
    let trace = row.stan == candidate.stan;
    let by_trace = both(row.stan.is_some(), candidate.stan.is_some(), trace);
    let by_tail = row.rrn.as_ref().map(|rrn| tail_is(rrn, candidate)).filter(|same| *same);
    agree(by_trace.or(by_tail), 100);
    agree(Some(row.kind.fits(candidate.kind)), 50);
    score
}

/// 250 thousandths at the same moment, falling by a factor e each two minutes. In whole numbers, so that every machine
/// comes to the same verdict.
fn nearness(apart_ms: i64) -> u16 {
    const STEP_MS: i64 = 10_000;
    let mut millionths: i64 = 250_000_000;
    for _ in 0..(apart_ms / STEP_MS).min(200) {
        // e to the power of -10/120.
        millionths = millionths * 920_044 / 1_000_000;
    }
    // Between two steps on a straight line.
    let next = millionths * 920_044 / 1_000_000;
    let rest = (apart_ms % STEP_MS) * (millionths - next) / STEP_MS;
    ((millionths - rest) / 1_000_000) as u16
}
