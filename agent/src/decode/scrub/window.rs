//! Card numbers inside a row of digits: where they begin and end, and which digits that hides.

use super::edit::{Edit, Put};
use super::issuer::{CARD_DIGITS_MAX, CARD_DIGITS_MIN, is_card_number};

/// Digits at a card number's start that may be shown.
pub(super) const CLEAR_FIRST: usize = 6;

/// Digits at its end that may be shown.
pub(super) const CLEAR_LAST: usize = 4;

/// The card numbers of one row of digits, as ranges of its digits.
#[derive(Debug, Default)]
pub(super) struct Windows {
    found: Vec<(usize, usize)>,
}

impl Windows {
    /// Takes the range as a card number.
    pub fn take(&mut self, from: usize, to: usize) {
        self.found.push((from, to));
    }

    /// Takes the range if it is a card number.
    pub fn test(&mut self, digits: &[u8], from: usize, to: usize) {
        if is_card_number(&digits[from..to]) {
            self.found.push((from, to));
        }
    }

    /// Takes each range that is a card number, wherever it begins: for rows where fields touch.
    pub fn anywhere(&mut self, digits: &[u8]) {
        for from in 0..digits.len().saturating_sub(CARD_DIGITS_MIN - 1) {
            let longest = CARD_DIGITS_MAX.min(digits.len() - from);
            for length in CARD_DIGITS_MIN..=longest {
                self.test(digits, from, from + length);
            }
        }
    }

    /// Forgets what lies whole inside one of the rows; `begin` is where the digits begin, as the rows are counted.
    pub fn leave_out(&mut self, begin: usize, rows: &[(usize, usize)]) {
        self.found.retain(|&(from, to)| {
            rows.iter().all(|row| begin + from < row.0 || begin + to > row.1)
        });
    }

    /// Adds the edits that hide what was found, and forgets it. `places` tells where each digit stands in the text.
    pub fn mask(&mut self, digits: &[u8], places: &[(usize, usize)], edits: &mut Vec<Edit>) {
        self.found.sort_unstable();
        self.found.dedup();
        let mut rest = self.found.as_slice();
        while let Some(&(from, mut to)) = rest.first() {
            let mut together = 1;
            while let Some(next) = rest.get(together).filter(|next| next.0 < to) {
                to = to.max(next.1);
                together += 1;
            }
            if together == 1 {
                edits.push(whole(&digits[from..to], &places[from..to]));
            } else {
                // Any of them may be the true one: what one of them hides is hidden.
                for &(from, to) in &rest[..together] {
                    edits.extend(places[from + CLEAR_FIRST..to - CLEAR_LAST].iter().map(star));
                }
            }
            rest = &rest[together..];
        }
        self.found.clear();
    }
}

/// The edit that masks one number.
fn whole(digits: &[u8], places: &[(usize, usize)]) -> Edit {
    let mut six = [0; CLEAR_FIRST];
    let mut four = [0; CLEAR_LAST];
    six.copy_from_slice(&digits[..CLEAR_FIRST]);
    four.copy_from_slice(&digits[digits.len() - CLEAR_LAST..]);
    let hidden = (places[CLEAR_FIRST].0, places[places.len() - CLEAR_LAST - 1].1);
    let put = Put::Card { six, four, hidden };
    Edit { from: places[0].0, to: places[places.len() - 1].1, put }
}

/// The edit that hides one digit.
pub(super) fn star(place: &(usize, usize)) -> Edit {
    Edit { from: place.0, to: place.1, put: Put::Stars }
}
