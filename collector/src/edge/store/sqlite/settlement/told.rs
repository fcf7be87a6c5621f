//! Rows that something was told of: under which name each is known, and what stands in their place when their file comes
//! again corrected.

use super::super::failed;
use super::SqliteStatements;
use super::view::{ROW_COLUMNS, row_view};
use crate::correlate::finding::{Finding, FindingId, FindingKind, RowName, Subject};
use crate::correlate::shape;
use crate::edge::store::StoreError;
use crate::edge::store::settlement::{FileState, FileView, RowId, RowView, ToldRow};
use crate::settlement::row::RowKind;
use rusqlite::{Result, params};
use std::collections::BTreeSet;

impl SqliteStatements {
    /// Findings of rows alike, open and ended; `alike` names them but for their count.
    pub fn told_rows(
        &self,
        kind: FindingKind,
        alike: &RowName,
    ) -> std::result::Result<Vec<ToldRow>, StoreError> {
        let run = || -> Result<Vec<ToldRow>> {
            let id = FindingId { kind, subject: Subject::Row(alike.clone()), time: 1 }.to_string();
            // All names that differ in what stands behind the last colon, which is followed by the semicolon.
            let head = id.trim_end_matches(|sign: char| sign.is_ascii_digit());
            let end = format!("{};", head.trim_end_matches(':'));
            let mut statement = self.connection.prepare_cached(
                "SELECT body, json_extract(detail, '$.row'), coalesce(json_extract(detail, '$.period'), ''),
                    EXISTS (SELECT 1 FROM settlement_rows r JOIN settlement_files f ON f.id = r.file
                        WHERE r.id = json_extract(detail, '$.row') AND f.state = ?3)
                 FROM findings WHERE name >= ?1 AND name < ?2 AND detail IS NOT NULL",
            )?;
            let mut rows = statement.query(params![head, end, FileState::Loaded as i64])?;
            let mut told = Vec::new();
            while let Some(row) = rows.next()? {
                let finding = shape::from_bytes::<Finding>(row.get_ref(0)?.as_blob()?);
                let Ok(finding) = finding else { continue };
                let Subject::Row(name) = &finding.id.subject else { continue };
                told.push(ToldRow {
                    nth: name.nth,
                    is_open: finding.is_open(),
                    row: row.get::<_, Option<i64>>(1)?.map(RowId),
                    period: row.get(2)?,
                    counts: row.get(3)?,
                });
            }
            Ok(told)
        };
        run().map_err(failed("reading findings of rows alike"))
    }

    /// Rows of a kind and with one of these marks in the files of a source and period that count, in their order.
    pub fn rows_marked(
        &self,
        source: &str,
        period: &str,
        kind: RowKind,
        marks: &BTreeSet<u64>,
    ) -> std::result::Result<Vec<(RowView, FileView)>, StoreError> {
        let files = self.files_of(source, period)?;
        let run = || -> Result<Vec<(RowView, FileView)>> {
            let mut found = Vec::new();
            for file in files {
                let mut statement = self.connection.prepare_cached(&format!(
                    "SELECT {ROW_COLUMNS} FROM settlement_files f JOIN settlement_rows r
                        ON r.id BETWEEN f.first_row AND f.last_row
                     WHERE f.id = ?1 AND r.kind = ?2 ORDER BY r.id"
                ))?;
                let rows =
                    statement.query_map(params![file.id.0, kind as i64], |row| row_view(row, 0))?;
                for row in rows {
                    let row = row?;
                    if marks.contains(&row.row.mark()) {
                        found.push((row, file.clone()));
                    }
                }
            }
            Ok(found)
        };
        run().map_err(failed("reading what stands in the place of rows"))
    }
}
