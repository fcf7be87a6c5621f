//! Which of several rows alike a finding is about. Rows with the same numbers share a mark, within one file or over many;
//! their findings are told apart by a count, in the order in which they were told, and each keeps its own: in the next
//! review, after a restart, and when the file comes again corrected.

use crate::correlate::finding::{FindingKind, RowName};
use crate::edge::store::StoreError;
use crate::edge::store::settlement::RowId;
pub(super) use crate::edge::store::settlement::ToldRow;
use crate::edge::store::sqlite::settlement::SqliteStatements;
use std::collections::BTreeMap;

/// Counts that are given out during one import or review. A place without its [`ToldRow`] was given out just now.
#[derive(Default)]
pub(super) struct Names(BTreeMap<(FindingKind, RowName), BTreeMap<u32, Option<ToldRow>>>);

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
            self.0.insert(key.clone(), told.map(|told| (told.nth, Some(told))).collect());
        }
        let told = self.0.entry(key.clone()).or_default();
        let is_own =
            |told: &Option<ToldRow>| told.as_ref().is_some_and(|told| told.row == Some(row));
        let own = told.iter().find(|(_, told)| is_own(told)).map(|(&nth, _)| nth);
        let is_free = |nth: &u32| match told.get(nth) {
            None => true,
            Some(holder) => holder.as_ref().is_some_and(gives_way),
        };
        let nth = own.or_else(|| (1..=u32::MAX).find(is_free)).unwrap_or(u32::MAX);
        told.insert(nth, None);
        Ok(RowName { nth, ..key.1 })
    }
}
