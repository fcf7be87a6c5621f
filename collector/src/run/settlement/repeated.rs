//! A09 of rows: of all rows that book one payment the earliest by its own time settles it, and each other one is told to book
//! it once more. It comes to the same whichever file was imported first: a row that turns out to be the earlier takes the
//! place of the one that settled the payment before, and one that is left over where a corrected file has the other no
//! more settles it from then on.

use super::judge::{Matter, finding};
use super::names::{Names, ToldRow};
use crate::correlate::case::CaseId;
use crate::correlate::cause::{CauseClass, CauseDetail};
use crate::correlate::finding::{FindingId, FindingKind, Resolution, RowName, Severity, Subject};
use crate::edge::store::StoreError;
use crate::edge::store::settlement::{
    Detail, FileHead, FileId, LinkView, RowId, Said, SaidFinding,
};
use crate::edge::store::sqlite::settlement::SqliteStatements;
use crate::settlement::matching::Role;
use std::collections::{BTreeMap, BTreeSet};

const KIND: FindingKind = FindingKind::DuplicateDebit;

/// Says of each payment that rows of this file book once more, or that rows of the version before it booked, which row
/// settles it and which ones repeat it. What else was gathered of them follows.
pub(super) fn judge(
    statements: &SqliteStatements,
    (file, head): (FileId, &FileHead),
    matters: &mut Vec<Matter>,
    names: &mut Names,
    said: &mut Said,
) -> Result<(), StoreError> {
    let repeats = matters.iter().filter(|matter| matter.kind == KIND);
    let mut payments: BTreeSet<i64> = repeats.filter_map(|matter| matter.transaction).collect();
    if !statements.files_of(&head.source, &head.period)?.is_empty() {
        for (_, _, _, detail) in statements.open_findings(KIND)? {
            let Some(row) = detail.row.map(RowId) else { continue };
            payments.extend(statements.repeated_by(row)?);
        }
    }
    let mut settling: BTreeMap<i64, RowId> = BTreeMap::new();
    for payment in payments {
        let first = settle(statements, Some((file, head)), payment, names, said)?;
        settling.extend(first.map(|first| (payment, first)));
    }
    settle_amounts(statements, &settling, matters, said)
}

/// Says of a payment which row settles it, gives that, and which ones repeat it; `loading` is the file that begins to count,
/// where one does.
pub(super) fn settle(
    statements: &SqliteStatements,
    loading: Option<(FileId, &FileHead)>,
    payment: i64,
    names: &mut Names,
    said: &mut Said,
) -> Result<Option<RowId>, StoreError> {
    let Some((case, _)) = statements.case_of(payment)? else { return Ok(None) };
    let file = loading.map(|(file, _)| file);
    let mut rows = statements.rows_booking(payment, file)?;
    rows.sort_by(|left, right| place(left).cmp(&place(right)));
    let mut rows = rows.into_iter();
    let Some(first) = rows.next() else { return Ok(None) };
    if first.role != Role::Settles {
        said.settles.push((payment, first.row.id));
    }
    let told = statements.told_rows(KIND, &alike(&case, &first))?;
    let own = told.into_iter().find(|told| told.is_open && told.row == Some(first.row.id));
    said.ended.extend(own.map(|own| {
        let subject = Subject::Row(RowName { nth: own.nth, ..alike(&case, &first) });
        (FindingId { kind: KIND, subject, time: 1 }.to_string(), Resolution::Corrected)
    }));
    for row in rows {
        // The version before gives its names to this one; so does what ended and counts no more.
        let gives_way = |told: &ToldRow| {
            let of_loading = loading.filter(|(file, _)| row.file.id == *file);
            of_loading.is_some_and(|(_, head)| told.period == head.period)
                || (!told.is_open && !told.counts)
        };
        let name = names.of(statements, KIND, alike(&case, &row), row.row.id, &gives_way)?;
        said.findings.push(told_of(&row, name, case.clone()));
    }
    Ok(Some(first.row.id))
}

/// The order in which rows settle a payment: by their own time, and where that is the same by what no import changes.
fn place(link: &LinkView) -> (i64, jiff::civil::Date, &str, &str, u32) {
    let (row, head) = (&link.row.row, &link.file.head);
    (row.moment().0, row.day, &head.source, &head.period, row.line)
}

fn alike(case: &CaseId, link: &LinkView) -> RowName {
    RowName {
        store: case.agent.store.clone(),
        source: link.file.head.source.as_str().into(),
        mark: link.row.row.mark(),
        nth: 0,
    }
}

fn told_of(link: &LinkView, name: RowName, case: CaseId) -> SaidFinding {
    let row = &link.row.row;
    let why = (CauseClass::Institution, CauseDetail::FileContradicts);
    let mut finding = finding(KIND, Subject::Row(name), Severity::P1, why, row.moment());
    // The payment that the row books once more.
    finding.partner = Some(case);
    SaidFinding {
        finding,
        terminal: row.terminal,
        transaction: None,
        detail: Detail::of_row(&link.file.head, row, Some(link.row.id)),
    }
}

/// The amount of a payment is compared with that of the row which settles it, and with no other.
fn settle_amounts(
    statements: &SqliteStatements,
    settling: &BTreeMap<i64, RowId>,
    matters: &mut Vec<Matter>,
    said: &mut Said,
) -> Result<(), StoreError> {
    let mut kept = Vec::with_capacity(matters.len());
    for mut matter in matters.drain(..) {
        let first = matter.transaction.and_then(|payment| settling.get(&payment));
        let settles = first.is_none_or(|&first| first == matter.row);
        match matter.kind {
            FindingKind::AmountMismatch if !settles => continue,
            FindingKind::DuplicateDebit if settles && matter.expected_minor.is_some() => {
                matter.kind = FindingKind::AmountMismatch;
            }
            FindingKind::DuplicateDebit => {
                let case = match matter.transaction.filter(|_| settles) {
                    Some(payment) => statements.case_of(payment)?,
                    None => None,
                };
                said.ended.extend(case.map(|(case, _)| {
                    let kind = FindingKind::AmountMismatch;
                    let id = FindingId { kind, subject: Subject::Case(case), time: 1 };
                    (id.to_string(), Resolution::Corrected)
                }));
                continue;
            }
            _ => {}
        }
        kept.push(matter);
    }
    *matters = kept;
    Ok(())
}
