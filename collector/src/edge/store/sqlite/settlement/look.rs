//! What reviews ask: rows that still await a payment, payments that still await a row, credits that undo a debit, and how
//! far each terminal was heard.

use super::super::{failed, read};
use super::SqliteStatements;
use super::candidates::{CANDIDATE_COLUMNS, candidate};
use super::view::{FILE_COLUMNS, ROW_COLUMNS, file_view, row_view};
use crate::correlate::correlator::Agent;
use crate::correlate::shape;
use crate::edge::store::StoreError;
use crate::edge::store::settlement::{FileState, FileView, RowId, RowView, Watched};
use crate::settlement::matching::{Candidate, Role};
use crate::settlement::row::{RowKind, SettlementRow};
use crate::settlement::standing::Standing;
use jiff::civil::Date;
use rusqlite::{OptionalExtension, Result, params};
use slipwatch_shared::event::{Instrument, Kind};
use slipwatch_shared::terminal::StoreId;
use slipwatch_shared::times::EventTime;

/// A payment without a row, and what it was made with.
#[derive(Clone, Debug)]
pub struct Unsettled {
    /// The payment.
    pub candidate: Candidate,
    /// Its shop.
    pub store: StoreId,
    /// Card or wallet, where the terminal told.
    pub instrument: Option<Instrument>,
}

impl SqliteStatements {
    /// Rows of files that count which await a payment, or whose missing payment was told, from a day on.
    pub fn rows_awaiting(
        &self,
        from: Date,
        after: RowId,
        limit: usize,
    ) -> std::result::Result<Vec<(RowView, FileView)>, StoreError> {
        let run = || -> Result<Vec<(RowView, FileView)>> {
            let mut statement = self.connection.prepare_cached(&format!(
                "SELECT {ROW_COLUMNS} FROM settlement_rows r
                 WHERE r.state <> 1 AND r.day >= ?1 AND r.id > ?2
                 AND r.file IN (SELECT id FROM settlement_files WHERE state = {}) ORDER BY r.id LIMIT ?3",
                FileState::Loaded as i64
            ))?;
            let rows = statement
                .query_map(params![from.to_string(), after.0, limit as i64], |row| {
                    row_view(row, 0)
                })?;
            let rows: Vec<RowView> = rows.collect::<Result<_>>()?;
            rows.into_iter().map(|row| Ok((row.clone(), self.file_of(&row)?))).collect()
        };
        run().map_err(failed("reading rows that await a payment"))
    }

    fn file_of(&self, row: &RowView) -> Result<FileView> {
        self.connection
            .prepare_cached(&format!("{FILE_COLUMNS} WHERE id = ?1"))?
            .query_row([row.file.0], file_view)
    }

    /// A row with its file, by its number.
    pub fn row(&self, id: RowId) -> std::result::Result<Option<(RowView, FileView)>, StoreError> {
        let run = || -> Result<Option<(RowView, FileView)>> {
            let row = self
                .connection
                .prepare_cached(&format!(
                    "SELECT {ROW_COLUMNS} FROM settlement_rows r WHERE r.id = ?1"
                ))?
                .query_row([id.0], |row| row_view(row, 0))
                .optional()?;
            row.map(|row| Ok((row.clone(), self.file_of(&row)?))).transpose()
        };
        run().map_err(failed("reading a row"))
    }

    /// Whether a payment is linked in a role with a row of a file that counts.
    pub fn is_linked(&self, transaction: i64, role: Role) -> std::result::Result<bool, StoreError> {
        let run = || -> Result<bool> {
            self.connection
                .prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM settlement_links l
                        JOIN settlement_rows r ON r.id = l.row
                        JOIN settlement_files f ON f.id = r.file
                        WHERE l.transaction_id = ?1 AND l.role = ?2 AND f.state = ?3)",
                )?
                .query_row(params![transaction, role as i64, FileState::Loaded as i64], |row| {
                    row.get(0)
                })
        };
        run().map_err(failed("looking for a link"))
    }

    /// A row that gives the money of another one back and is no other payment's: same terminal or account, same amount.
    pub fn credit_for(
        &self,
        row: &SettlementRow,
    ) -> std::result::Result<Option<RowId>, StoreError> {
        let run = || -> Result<Option<RowId>> {
            let until = row.day.checked_add(jiff::Span::new().days(5)).unwrap_or(row.day);
            let mut statement = self.connection.prepare_cached(&format!(
                "SELECT {ROW_COLUMNS} FROM settlement_rows r JOIN settlement_files f ON f.id = r.file
                 WHERE r.minor = ?1 AND r.kind IN (?2, ?3) AND r.day BETWEEN ?4 AND ?5 AND f.state = ?6
                 AND NOT EXISTS (SELECT 1 FROM settlement_links l WHERE l.row = r.id AND l.role = ?7)
                 ORDER BY r.id LIMIT 64"
            ))?;
            let rows = statement.query_map(
                params![
                    -row.amount.minor,
                    RowKind::Void as i64,
                    RowKind::Refund as i64,
                    row.day.to_string(),
                    until.to_string(),
                    FileState::Loaded as i64,
                    Role::Offsets as i64,
                ],
                |row| row_view(row, 0),
            )?;
            let four = |row: &SettlementRow| row.pan.map(|pan| pan.last_four());
            for found in rows {
                let RowView { id, row: credit, .. } = found?;
                let same_place = match (row.terminal, credit.terminal) {
                    (Some(left), Some(right)) => left == right,
                    _ => row.merchant.is_some() && row.merchant == credit.merchant,
                };
                let other_card =
                    four(row).is_some() && four(&credit).is_some() && four(row) != four(&credit);
                if same_place && !other_card {
                    return Ok(Some(id));
                }
            }
            Ok(None)
        };
        run().map_err(failed("looking for a credit"))
    }

    /// Debited payments and refunds of a span of time that no row of a file that counts settles.
    pub fn unsettled(
        &mut self,
        from: EventTime,
        until: EventTime,
        after: i64,
        limit: usize,
    ) -> std::result::Result<Vec<Unsettled>, StoreError> {
        let Self { connection, shops, .. } = self;
        let mut run = || -> Result<Vec<Unsettled>> {
            let mut statement = connection.prepare_cached(&format!(
                "{CANDIDATE_COLUMNS} WHERE t.wall >= ?1 AND t.wall < ?2 AND t.id > ?3
                 AND t.kind IN (?5, ?6, ?7) AND c.money IN (?8, ?9)
                 AND NOT EXISTS (SELECT 1 FROM settlement_links l
                    JOIN settlement_rows r ON r.id = l.row JOIN settlement_files f ON f.id = r.file
                    WHERE l.transaction_id = t.id AND l.role = 0 AND f.state = 1)
                 ORDER BY t.id LIMIT ?4"
            ))?;
            let mut rows = statement.query(params![
                from.0,
                until.0,
                after,
                limit as i64,
                Kind::Sale as i64,
                Kind::Completion as i64,
                Kind::Refund as i64,
                Standing::Untold as i64,
                Standing::Debited as i64,
            ])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let store: String = row.get(1)?;
                let Some(candidate) = candidate(row, |name| shops.number(name))? else { continue };
                let Ok(store) = store.parse() else { continue };
                found.push(Unsettled { candidate, store, instrument: None });
            }
            for unsettled in &mut found {
                let state: Vec<u8> = connection
                    .prepare_cached("SELECT state FROM cases WHERE id = ?1")?
                    .query_row([unsettled.candidate.id], |row| row.get(0))?;
                let case = shape::from_bytes::<crate::correlate::case::Case>(&state);
                unsettled.instrument = case.ok().and_then(|case| case.keys.instrument);
            }
            Ok(found)
        };
        run().map_err(failed("looking for payments without a row"))
    }

    /// Payments since `from` that are undone now and were not when a row was linked with them, and the row. Watched ones and those with their credit are left out.
    pub fn undone_late(
        &self,
        from: EventTime,
        limit: usize,
    ) -> std::result::Result<Vec<(i64, RowId)>, StoreError> {
        let run = || -> Result<Vec<(i64, RowId)>> {
            // The numbers stand in the text, as they do in the index that holds just these payments.
            let (reversed, voided) = (Standing::Reversed as i64, Standing::Voided as i64);
            let mut statement = self.connection.prepare_cached(&format!(
                "SELECT c.id, r.id FROM cases c JOIN transactions t ON t.id = c.id
                 JOIN settlement_links l ON l.transaction_id = c.id AND l.role = ?3
                 JOIN settlement_rows r ON r.id = l.row
                 JOIN settlement_files f ON f.id = r.file AND f.state = ?4
                 WHERE c.money IN ({reversed}, {voided}) AND t.wall >= ?1 AND r.kind = ?5
                 AND NOT EXISTS (SELECT 1 FROM settlement_watch w
                    WHERE w.matter = ?6 AND w.transaction_id = c.id)
                 AND NOT EXISTS (SELECT 1 FROM settlement_links o
                    WHERE o.transaction_id = c.id AND o.role = ?7)
                 ORDER BY c.id LIMIT ?2",
            ))?;
            let found = statement.query_map(
                params![
                    from.0,
                    limit as i64,
                    Role::Settles as i64,
                    FileState::Loaded as i64,
                    RowKind::Sale as i64,
                    Watched::Undone as i64,
                    Role::Offsets as i64,
                ],
                |row| Ok((row.get(0)?, RowId(row.get(1)?))),
            )?;
            found.collect()
        };
        run().map_err(failed("looking for payments that were undone late"))
    }

    /// Rows of a kind that are booked between two days, with their files.
    pub fn rows_of_kind(
        &self,
        kind: RowKind,
        from: Date,
        until: Date,
        limit: usize,
    ) -> std::result::Result<Vec<(RowView, FileView)>, StoreError> {
        let run = || -> Result<Vec<(RowView, FileView)>> {
            let mut statement = self.connection.prepare_cached(&format!(
                "SELECT {ROW_COLUMNS} FROM settlement_files f JOIN settlement_rows r
                    ON r.id BETWEEN f.first_row AND f.last_row
                 WHERE f.state = {} AND f.last_day >= ?1 AND f.first_day <= ?2 AND r.kind = ?3
                 AND r.day BETWEEN ?1 AND ?2 ORDER BY r.id LIMIT ?4",
                FileState::Loaded as i64
            ))?;
            let values = params![from.to_string(), until.to_string(), kind as i64, limit as i64];
            let rows = statement.query_map(values, |row| row_view(row, 0))?;
            let rows: Vec<RowView> = rows.collect::<Result<_>>()?;
            rows.into_iter().map(|row| Ok((row.clone(), self.file_of(&row)?))).collect()
        };
        run().map_err(failed("reading rows of a kind"))
    }

    /// Every agent with how far its lines were heard.
    pub fn heard(&self) -> std::result::Result<Vec<Agent>, StoreError> {
        let snapshot = read::agent_states(&self.connection)?;
        Ok(snapshot.iter().filter_map(|state| shape::from_bytes(state).ok()).collect())
    }

    /// A word that is kept over restarts, of a statement.
    pub fn kept(
        &self,
        source: &str,
        series: &str,
    ) -> std::result::Result<Option<String>, StoreError> {
        self.connection
            .query_row(
                "SELECT state FROM settlement_rates WHERE source = ?1 AND series = ?2",
                [source, series],
                |row| row.get(0),
            )
            .optional()
            .map_err(failed("reading what is kept"))
    }

    /// Keeps it.
    pub fn keep(
        &self,
        source: &str,
        series: &str,
        state: &str,
    ) -> std::result::Result<(), StoreError> {
        self.connection
            .execute(
                "INSERT INTO settlement_rates (source, series, state) VALUES (?1, ?2, ?3)
                 ON CONFLICT (source, series) DO UPDATE SET state = excluded.state",
                [source, series, state],
            )
            .map(|_| ())
            .map_err(failed("keeping what is kept"))
    }
}
