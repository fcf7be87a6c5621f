//! Which of several rows alike a finding is about. Rows with the same numbers share a mark, within one file or over many;
//! their findings are told apart by a count, in the order in which they were told, and each keeps its own: in the next
//! review, after a restart, and when the file comes again corrected.

use crate::correlate::finding::{FindingKind, RowName};
use crate::edge::store::StoreError;
use crate::edge::store::settlement::RowId;
pub(super) use crate::edge::store::settlement::ToldRow;
use crate::edge::store::sqlite::settlement::SqliteStatements;
use std::collections::BTreeMap;

/// Whose a count is.
enum Holder {
    /// It was told before.
    Told(ToldRow),
    /// It was given out to this row just now.
    Given(RowId),
}

/// Counts that are given out during one import or review.
#[derive(Default)]
pub(super) struct Names(BTreeMap<(FindingKind, RowName), BTreeMap<u32, Holder>>);

impl Names {
    /// The name of a finding of this row. `alike` names it but for the count. It keeps the one that it has, or else has
    /// the first that nobody has, or whose holder gives way to it.
    pub(super) fn of(
        &mut self,
        statements: &SqliteStatements,
        kind: FindingKind,
        alike: RowName,
        row: RowId,
        gives_way: &dyn Fn(&ToldRow) -> bool,
    ) -> Result<RowName, StoreError> {
        let key = (kind, alike);
        if !self.0.contains_key(&key) {
            let told = statements.told_rows(kind, &key.1)?.into_iter();
            self.0.insert(key.clone(), told.map(|told| (told.nth, Holder::Told(told))).collect());
        }
        let told = self.0.entry(key.clone()).or_default();
        let is_own = |holder: &Holder| match holder {
            Holder::Told(told) => told.row == Some(row),
            Holder::Given(of) => *of == row,
        };
        let own = told.iter().find(|(_, holder)| is_own(holder)).map(|(&nth, _)| nth);
        let is_free = |nth: &u32| match told.get(nth) {
            None => true,
            Some(Holder::Told(told)) => gives_way(told),
            Some(Holder::Given(_)) => false,
        };
        let nth = own.or_else(|| (1..=u32::MAX).find(is_free)).unwrap_or(u32::MAX);
        told.insert(nth, Holder::Given(row));
        Ok(RowName { nth, ..key.1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_is_asked_for_again_keeps_its_name_and_one_alike_has_the_next() {
        let place = tempfile::tempdir().expect("a directory");
        let store = SqliteStatements::open(&place.path().join("store")).expect("a store");
        let mut names = Names::default();
        let mut nth = |row: i64| {
            let (store_id, source) = ("shop-1".parse().expect("a name"), "acquirer".into());
            let alike = RowName { store: store_id, source, mark: 7, nth: 0 };
            let kind = FindingKind::DuplicateDebit;
            names.of(&store, kind, alike, RowId(row), &|_| true).expect("it is read").nth
        };
        assert_eq!([nth(5), nth(6), nth(5), nth(6), nth(7)], [1, 2, 1, 2, 3]);
    }
}
