//! The exact tiers: a row and a payment that share a number which names one payment. Another amount under the same
//! number is a difference to be told, never another payment.

use super::{Candidate, DAY_MS, Grouping, Link, Role, Tier, apart_ms};
use crate::settlement::row::{RowKind, SettlementRow};
use slipwatch_shared::money::Amount;
use std::collections::BTreeSet;

/// Payments by one of their numbers: sorted hashes, so that a chunk of rows costs a sort and no allocation a row.
struct Index(Vec<(u64, u32)>);

impl Index {
    fn of(candidates: &[Candidate], key: impl Fn(&Candidate) -> Option<u64>) -> Index {
        let keyed = candidates.iter().enumerate();
        let mut places: Vec<(u64, u32)> =
            keyed.filter_map(|(at, candidate)| Some((key(candidate)?, at as u32))).collect();
        places.sort_unstable();
        Index(places)
    }

    fn places(&self, key: u64) -> impl Iterator<Item = usize> {
        let from = self.0.partition_point(|(known, _)| *known < key);
        self.0[from..]
            .iter()
            .take_while(move |(known, _)| *known == key)
            .map(|(_, at)| *at as usize)
    }
}

fn hash(parts: &[&[u8]]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for part in parts {
        for chunk in part.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            hash = (hash ^ u64::from_le_bytes(word))
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .rotate_left(29);
        }
        hash = (hash ^ part.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    hash ^ (hash >> 32)
}

fn numbers(terminal: &str, batch: u32, stan: u32) -> u64 {
    hash(&[terminal.as_bytes(), &batch.to_le_bytes(), &stan.to_le_bytes()])
}

fn row_key(tier: Tier, row: &SettlementRow) -> Option<u64> {
    match tier {
        Tier::E1 => Some(hash(&[row.channel_transaction_id.as_ref()?.as_str().as_bytes()])),
        Tier::E2 => {
            let terminal = row.terminal.as_ref()?;
            Some(numbers(terminal.as_str(), row.batch_number?.number(), row.stan?.number()))
        }
        Tier::E3 => {
            let terminal = row.terminal.as_ref()?.as_str().as_bytes();
            Some(hash(&[terminal, row.rrn.as_ref()?.as_str().as_bytes()]))
        }
        Tier::E4 => Some(hash(&[row.order_number.as_ref()?.as_str().as_bytes()])),
        _ => None,
    }
}

fn candidate_key(tier: Tier, candidate: &Candidate) -> Option<u64> {
    match tier {
        Tier::E1 => Some(hash(&[candidate.channel_transaction_id.as_ref()?.as_str().as_bytes()])),
        Tier::E2 => {
            let terminal = candidate.terminal.as_ref()?;
            let batch = candidate.batch_number?.number();
            Some(numbers(terminal.as_str(), batch, candidate.stan?.number()))
        }
        Tier::E3 => {
            let terminal = candidate.terminal.as_ref()?.as_str().as_bytes();
            Some(hash(&[terminal, candidate.rrn.as_ref()?.as_str().as_bytes()]))
        }
        Tier::E4 => Some(hash(&[candidate.order_number.as_ref()?.as_str().as_bytes()])),
        _ => None,
    }
}

/// Whether the numbers of a tier are really the same: hashes may meet.
fn shares(tier: Tier, row: &SettlementRow, candidate: &Candidate) -> bool {
    match tier {
        Tier::E1 => row.channel_transaction_id == candidate.channel_transaction_id,
        Tier::E2 => {
            row.terminal == candidate.terminal
                && row.batch_number == candidate.batch_number
                && row.stan == candidate.stan
        }
        Tier::E3 => row.terminal == candidate.terminal && row.rrn == candidate.rrn,
        Tier::E4 => row.order_number == candidate.order_number,
        _ => false,
    }
}

fn window_ms(tier: Tier) -> i64 {
    match tier {
        Tier::E1 => i64::MAX,
        Tier::E2 | Tier::E3 => 3 * DAY_MS,
        _ => 7 * DAY_MS,
    }
}

const TIERS: [Tier; 4] = [Tier::E1, Tier::E2, Tier::E3, Tier::E4];

/// Links rows with payments by the numbers that name one. `taken` holds payments, by their number in the store, that
/// other rows settle already: a further row under the same number repeats them.
pub fn match_exactly(
    rows: &[SettlementRow],
    candidates: &[Candidate],
    taken: &BTreeSet<i64>,
    grouping: &Grouping,
) -> Vec<Link> {
    let mut links = Vec::with_capacity(rows.len());
    let mut linked = vec![false; rows.len()];
    let mut settled: Vec<bool> =
        candidates.iter().map(|candidate| taken.contains(&candidate.id)).collect();
    let mut repeated: Vec<Link> = Vec::new();
    // Of two rows under one number the earlier settles and the later repeats, wherever they stand.
    let mut in_time: Vec<usize> =
        (0..rows.len()).filter(|&at| rows[at].kind.has_payment()).collect();
    in_time.sort_by_key(|&at| (rows[at].moment(), at));
    for tier in TIERS {
        let index = Index::of(candidates, |candidate| candidate_key(tier, candidate));
        if index.0.is_empty() {
            continue;
        }
        for &at in &in_time {
            let row = &rows[at];
            if linked[at] {
                continue;
            }
            let Some(key) = row_key(tier, row) else { continue };
            let mut best: Option<(Rank, usize)> = None;
            let mut repeats = None;
            for place in index.places(key) {
                let candidate = &candidates[place];
                let fits = row.kind.fits(candidate.kind)
                    && shares(tier, row, candidate)
                    && apart_ms(row, candidate) <= window_ms(tier)
                    && grouping.holds(row, candidate);
                if !fits {
                    continue;
                }
                if settled[place] {
                    repeats = repeats.or(Some(place));
                    continue;
                }
                let rank = rank(row, candidate);
                if best.is_none_or(|(known, _)| rank < known) {
                    best = Some((rank, place));
                }
            }
            let link = |candidate, role| Link { row: at, candidate, role, tier, score: 1000 };
            if let Some((_, place)) = best {
                settled[place] = true;
                linked[at] = true;
                links.push(link(place, Role::Settles));
            } else if let Some(place) = repeats {
                repeated.push(link(place, Role::Repeats));
            }
        }
    }
    // A later tier may still have found a payment of its own for what seemed to repeat another.
    repeated.retain(|link| !std::mem::replace(&mut linked[link.row], true));
    links.extend(repeated);
    offsets(rows, candidates, grouping, &mut links);
    links
}

/// What makes one of several payments under the same number the likelier: the amount, then the time.
type Rank = (bool, i64, i64);

fn rank(row: &SettlementRow, candidate: &Candidate) -> Rank {
    let same = |amount: Amount| {
        amount.currency == row.amount.currency && amount.minor.abs() == row.amount.minor.abs()
    };
    (!candidate.amount.is_some_and(same), apart_ms(row, candidate), candidate.id)
}

/// Rows that give money back are linked with the debit they give back, too, where they name it.
fn offsets(
    rows: &[SettlementRow],
    candidates: &[Candidate],
    grouping: &Grouping,
    links: &mut Vec<Link>,
) {
    let gives_back = |row: &SettlementRow| {
        matches!(row.kind, RowKind::Void | RowKind::Refund | RowKind::Chargeback)
    };
    if !rows.iter().any(gives_back) {
        return;
    }
    let by_tier = TIERS.map(|tier| Index::of(candidates, |found| candidate_key(tier, found)));
    for (at, row) in rows.iter().enumerate().filter(|(_, row)| gives_back(row)) {
        let wanted = original_of(row);
        let found = TIERS.iter().zip(&by_tier).find_map(|(&tier, index)| {
            let places = index.places(row_key(tier, &wanted)?);
            let fits = |&place: &usize| {
                let candidate = &candidates[place];
                RowKind::Sale.fits(candidate.kind)
                    && shares(tier, &wanted, candidate)
                    && grouping.holds(row, candidate)
                    && row.time.is_none_or(|time| {
                        // A refund may come a year after the sale, and never before it.
                        candidate.at.0 <= time.at.0.saturating_add(DAY_MS)
                    })
            };
            Some((tier, places.filter(fits).max_by_key(|&place| candidates[place].at)?))
        });
        if let Some((tier, candidate)) = found {
            links.push(Link { row: at, candidate, role: Role::Offsets, tier, score: 1000 });
        }
    }
}

/// The numbers of the debit that a row gives back, as a row of their own.
fn original_of(row: &SettlementRow) -> SettlementRow {
    let original = &row.original;
    let mut wanted = SettlementRow::plain(row.line, RowKind::Sale, row.day, row.amount);
    let channel = original.channel_transaction_id.clone();
    wanted.channel_transaction_id = channel.or_else(|| row.channel_transaction_id.clone());
    let order = original.order_number.clone();
    wanted.order_number = order.or_else(|| row.order_number.clone());
    wanted.terminal = row.terminal;
    wanted.stan = original.stan;
    wanted.batch_number = original.batch_number.or(row.batch_number);
    wanted.rrn = original.rrn;
    wanted
}
