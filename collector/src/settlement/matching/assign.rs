//! Which of several payments goes to which of several rows, so that the sum of the scores is best: two equal coffees
//! must not be swapped because one was looked at first.

use std::collections::{BTreeMap, BTreeSet};

/// A row and a payment that may be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// The row's place.
    pub row: usize,
    /// The payment's place.
    pub candidate: usize,
    /// How likely, in thousandths.
    pub score: u16,
}

/// Rows of one knot that are weighed against each other; a larger knot is taken pair by pair, the likeliest first.
const KNOT_ROWS_MAX: usize = 64;

/// The pairs of the best assignment: each row and each payment once, in the order of rows.
pub fn best(pairs: &[Pair]) -> Vec<Pair> {
    let mut chosen = Vec::new();
    for knot in knots(pairs) {
        let rows: BTreeSet<usize> = knot.iter().map(|pair| pair.row).collect();
        match rows.len() <= KNOT_ROWS_MAX {
            true => chosen.extend(weighed(&knot)),
            false => chosen.extend(greedy(knot)),
        }
    }
    chosen.sort_unstable();
    chosen
}

/// Pairs that share rows or payments, directly or over others.
fn knots(pairs: &[Pair]) -> Vec<Vec<Pair>> {
    let mut roots: Vec<usize> = (0..pairs.len()).collect();
    fn root(roots: &mut [usize], mut at: usize) -> usize {
        while roots[at] != at {
            roots[at] = roots[roots[at]];
            at = roots[at];
        }
        at
    }
    let (mut of_row, mut of_candidate) = (BTreeMap::new(), BTreeMap::new());
    for (at, pair) in pairs.iter().enumerate() {
        let known = [of_row.insert(pair.row, at), of_candidate.insert(pair.candidate, at)];
        for other in known.into_iter().flatten() {
            let (left, right) = (root(&mut roots, at), root(&mut roots, other));
            roots[left.max(right)] = left.min(right);
        }
    }
    let mut knots: BTreeMap<usize, Vec<Pair>> = BTreeMap::new();
    for (at, pair) in pairs.iter().enumerate() {
        knots.entry(root(&mut roots, at)).or_default().push(*pair);
    }
    knots.into_values().collect()
}

fn greedy(mut knot: Vec<Pair>) -> Vec<Pair> {
    knot.sort_unstable_by_key(|pair| (std::cmp::Reverse(pair.score), pair.row, pair.candidate));
    let (mut rows, mut candidates) = (BTreeSet::new(), BTreeSet::new());
    knot.retain(|pair| {
        !rows.contains(&pair.row)
            && !candidates.contains(&pair.candidate)
            && rows.insert(pair.row)
            && candidates.insert(pair.candidate)
    });
    knot
}

/// The Hungarian method with potentials. Each row has an own empty place besides the payments, at no gain.
fn weighed(knot: &[Pair]) -> Vec<Pair> {
    let rows: Vec<usize> =
        knot.iter().map(|pair| pair.row).collect::<BTreeSet<_>>().into_iter().collect();
    let places: BTreeSet<usize> = knot.iter().map(|pair| pair.candidate).collect();
    let places: Vec<usize> = places.into_iter().collect();
    let width = places.len() + rows.len();
    let mut cost = vec![vec![0_i64; width]; rows.len()];
    for pair in knot {
        let row = rows.binary_search(&pair.row).expect("each row of the knot is listed");
        let place = places.binary_search(&pair.candidate).expect("each payment is listed");
        cost[row][place] = -i64::from(pair.score);
    }
    let holder = assigned(&cost, width);
    let mut chosen = Vec::new();
    for (place, row) in holder.iter().enumerate().take(places.len()) {
        let Some(row) = *row else { continue };
        let found =
            knot.iter().find(|pair| pair.row == rows[row] && pair.candidate == places[place]);
        chosen.extend(found);
    }
    chosen
}

/// Which row holds each place, at the least cost; there are at least as many places as rows.
fn assigned(cost: &[Vec<i64>], width: usize) -> Vec<Option<usize>> {
    let mut row_price = vec![0_i64; cost.len()];
    let mut place_price = vec![0_i64; width];
    let mut holder: Vec<Option<usize>> = vec![None; width];
    for start in 0..cost.len() {
        let mut least = vec![i64::MAX; width];
        let mut came_from: Vec<Option<usize>> = vec![None; width];
        let mut seen = vec![false; width];
        let (mut row, mut at) = (start, None);
        loop {
            let (mut step, mut next) = (i64::MAX, 0);
            for place in (0..width).filter(|&place| !seen[place]) {
                let reduced = cost[row][place] - row_price[row] - place_price[place];
                if reduced < least[place] {
                    least[place] = reduced;
                    came_from[place] = at;
                }
                if least[place] < step {
                    (step, next) = (least[place], place);
                }
            }
            row_price[start] += step;
            for place in 0..width {
                if seen[place] {
                    let held = holder[place].expect("only held places are seen");
                    row_price[held] += step;
                    place_price[place] -= step;
                } else if least[place] != i64::MAX {
                    least[place] -= step;
                }
            }
            seen[next] = true;
            at = Some(next);
            match holder[next] {
                Some(held) => row = held,
                None => break,
            }
        }
        // Back along the path, each place takes the row before it.
        let mut place = at.expect("the path ends at a free place");
        while let Some(before) = came_from[place] {
            holder[place] = holder[before];
            place = before;
        }
        holder[place] = Some(start);
    }
    holder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pairs: &[(usize, usize, u16)], expected: &[(usize, usize)]) {
        let pairs: Vec<Pair> =
            pairs.iter().map(|&(row, candidate, score)| Pair { row, candidate, score }).collect();
        let found: Vec<(usize, usize)> =
            best(&pairs).iter().map(|pair| (pair.row, pair.candidate)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_sum_counts_and_not_who_was_looked_at_first() {
        check(&[(0, 0, 900), (0, 1, 890), (1, 0, 880)], &[(0, 1), (1, 0)]);
        check(&[(0, 0, 900), (1, 0, 950)], &[(1, 0)]);
        check(&[(3, 7, 700), (5, 9, 800)], &[(3, 7), (5, 9)]);
        check(
            &[(0, 0, 900), (0, 1, 800), (1, 0, 900), (1, 1, 900), (2, 1, 700)],
            &[(0, 0), (1, 1)],
        );
        check(&[], &[]);
    }

    #[test]
    fn no_assignment_of_a_small_knot_is_better() {
        // Every knot of three rows and three payments over a few scores, against trying all.
        let scores = [0_u16, 600, 700, 910];
        for number in 0..4_usize.pow(9) {
            if number % 7 != 0 {
                continue;
            }
            let score = |row: usize, place: usize| {
                scores[number / 4_usize.pow((row * 3 + place) as u32) % 4]
            };
            let mut pairs = Vec::new();
            for row in 0..3 {
                for candidate in 0..3 {
                    if score(row, candidate) > 0 {
                        pairs.push(Pair { row, candidate, score: score(row, candidate) });
                    }
                }
            }
            let found: u32 = best(&pairs).iter().map(|pair| u32::from(pair.score)).sum();
            let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
            let all = orders
                .iter()
                .map(|order| (0..3).map(|row| u32::from(score(row, order[row]))).sum());
            assert_eq!(Some(found), all.max(), "{pairs:?}");
        }
    }
}
