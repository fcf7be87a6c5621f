//! What a file states about itself against what its rows come to.

use super::error::{Bounded, Expected, ReadError, Trouble};
use super::money::{self, Milli};
use super::profile::{Profile, Total};
use std::collections::BTreeMap;

/// Most groups of rows whose sum must be nothing.
const GROUPS_MAX: usize = 10_000;

/// Sums as they grow with the rows, and what the file stated.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    counted: Vec<Milli>,
    stated: Vec<Option<(u32, Milli)>>,
    groups: BTreeMap<String, Milli>,
}

/// A total that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Its name in the file.
    pub name: String,
    /// As stated and as summed: a number, or a count.
    pub value: String,
}

impl Totals {
    /// Nothing yet.
    pub fn new(profile: &Profile) -> Totals {
        Totals {
            counted: vec![0; profile.totals.len()],
            stated: vec![None; profile.totals.len()],
            groups: BTreeMap::new(),
        }
    }

    /// A row: `read` gives a column's number, `holds` tells whether a column holds one of some words.
    pub fn add(
        &mut self,
        profile: &Profile,
        group: Option<&str>,
        holds: impl Fn(&(usize, Vec<String>)) -> bool,
        mut read: impl FnMut(usize) -> Result<Milli, ReadError>,
    ) -> Result<(), ReadError> {
        for (total, counted) in profile.totals.iter().zip(&mut self.counted) {
            if total.when.iter().all(&holds) {
                let more = match &total.sum {
                    Some(sum) => sum.sum(&mut read)?,
                    None => 1,
                };
                *counted = counted.saturating_add(more);
            }
        }
        if let (Some((sum, _)), Some(group)) = (&profile.balanced, group) {
            let more = sum.sum(&mut read)?;
            let known = self.groups.len();
            match self.groups.get_mut(group) {
                Some(sum) => *sum = sum.saturating_add(more),
                None if known < GROUPS_MAX => {
                    self.groups.insert(group.to_owned(), more);
                }
                None => {
                    let most = GROUPS_MAX as u64;
                    return Err(ReadError::at(0, Trouble::TooMuch { of: Bounded::Batches, most }));
                }
            }
        }
        Ok(())
    }

    /// The file states the total of this name.
    pub fn state(
        &mut self,
        profile: &Profile,
        line: u32,
        name: &str,
        text: &str,
    ) -> Result<(), ReadError> {
        let place =
            profile.totals.iter().position(|total| total.names.iter().any(|known| known == name));
        let Some(place) = place else { return Ok(()) };
        let total = &profile.totals[place];
        let form = money::NumberForm { letter_sign: false, ..form_of(profile, total) };
        let value = match total.sum {
            Some(_) => money::read(text, form, profile.currency.minor_digits()).ok(),
            None => text.trim().parse().ok(),
        };
        let value = value.ok_or_else(|| {
            let (what, found) = (Expected::Total, super::error::shown(text));
            ReadError::in_column(line, name, Trouble::Cell { what, found })
        })?;
        self.stated[place] = Some((line, value));
        Ok(())
    }

    /// At the end of the file: every total that must be there is, and each is what the rows come to.
    pub fn check(&self, profile: &Profile) -> Result<Vec<Checked>, ReadError> {
        let digits = profile.currency.minor_digits();
        let mut checked = Vec::new();
        for ((total, counted), stated) in profile.totals.iter().zip(&self.counted).zip(&self.stated)
        {
            let name = total.names.first().cloned().unwrap_or_default();
            let Some((line, stated)) = *stated else {
                if total.optional {
                    continue;
                }
                return Err(ReadError { line: 0, column: Some(name), trouble: Trouble::NoTotals });
            };
            let show = |value: Milli| match total.sum {
                Some(_) => money::text(value, digits),
                None => value.to_string(),
            };
            let same = match total.absolute {
                true => stated.abs() == counted.abs(),
                false => stated == *counted,
            };
            if !same {
                let trouble = Trouble::Total { stated: show(stated), counted: show(*counted) };
                return Err(ReadError { line, column: Some(name), trouble });
            }
            checked.push(Checked { name, value: show(stated) });
        }
        if let Some((_, by)) = &profile.balanced {
            for (group, left) in &self.groups {
                if *left != 0 {
                    let column = format!("{} {group}", profile.columns[*by].name);
                    let counted = money::text(*left, digits);
                    let trouble = Trouble::Total { stated: "0".to_owned(), counted };
                    return Err(ReadError { line: 0, column: Some(column), trouble });
                }
                let name = format!("{} {group}", profile.columns[*by].name);
                checked.push(Checked { name, value: "0".to_owned() });
            }
        }
        Ok(checked)
    }
}

/// Totals are written as the columns that they sum.
fn form_of(profile: &Profile, total: &Total) -> money::NumberForm {
    let first = total.sum.as_ref().and_then(|sum| sum.terms.first());
    first.map_or(money::NumberForm::PLAIN, |(_, place)| profile.columns[*place].form)
}
