//! A file on its way in: begun, filled in short transactions, and made to count in one.

use super::super::failed;
use super::SqliteStatements;
use crate::edge::store::StoreError;
use crate::edge::store::settlement::{
    FileHead, FileId, FileState, PlacedLink, PlacedRow, RowId, RowState,
};
use crate::settlement::row::SettlementRow;
use rusqlite::{OptionalExtension, Result, Transaction, TransactionBehavior, params};
use slipwatch_shared::times::ArrivalTime;

/// Rows of an abandoned import that go in one transaction.
const SWEPT_ROWS_MAX: i64 = 50_000;

impl SqliteStatements {
    /// Takes away what imports left behind that were cut off: files that never counted, with all their rows.
    pub fn sweep(&mut self) -> Result<(), StoreError> {
        let sweeping = failed("sweeping an import that was cut off");
        let loading: Vec<i64> = {
            let mut statement = self
                .connection
                .prepare_cached("SELECT id FROM settlement_files WHERE state = ?1")
                .map_err(&sweeping)?;
            let rows = statement
                .query_map([FileState::Loading as i64], |row| row.get(0))
                .map_err(&sweeping)?;
            rows.collect::<Result<_>>().map_err(&sweeping)?
        };
        for file in loading {
            self.drop_file(FileId(file))?;
        }
        Ok(())
    }

    /// Takes a file that does not count away, with its rows and links.
    pub fn drop_file(&mut self, file: FileId) -> Result<(), StoreError> {
        let dropping = failed("taking an import back");
        loop {
            let transaction = self.begin_writing()?;
            let gone = drop_rows(&transaction, file).map_err(&dropping)?;
            if gone == 0 {
                transaction
                    .execute(
                        "DELETE FROM settlement_files WHERE id = ?1 AND state = ?2",
                        params![file.0, FileState::Loading as i64],
                    )
                    .map_err(&dropping)?;
                return transaction.commit().map_err(&dropping);
            }
            transaction.commit().map_err(&dropping)?;
        }
    }

    pub(super) fn begin_writing(&mut self) -> Result<Transaction<'_>, StoreError> {
        self.connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed("beginning to write"))
    }

    /// Begins a file: its rows may follow, and nobody sees any of it.
    pub fn begin(&mut self, head: &FileHead, now: ArrivalTime) -> Result<FileId, StoreError> {
        let beginning = failed("beginning an import");
        let transaction = self.begin_writing()?;
        let id =
            insert_file(&transaction, head, FileState::Loading, now, "{}").map_err(&beginning)?;
        transaction.commit().map_err(&beginning)?;
        Ok(FileId(id))
    }

    /// Writes rows of a file that is loading, with their links; gives the number of the first, the others follow it.
    pub fn put(
        &mut self,
        file: FileId,
        rows: &[PlacedRow],
        links: &[PlacedLink],
    ) -> Result<RowId, StoreError> {
        let writing = failed("writing rows of a file");
        let transaction = self.begin_writing()?;
        let first = put_rows(&transaction, file, rows).map_err(&writing)?;
        for link in links {
            put_link(&transaction, RowId(first.0 + link.row as i64), link).map_err(&writing)?;
        }
        transaction.commit().map_err(&writing)?;
        Ok(first)
    }

    /// Writes links of rows that stand already, and what is awaited of those rows now.
    pub fn link(&mut self, links: &[(RowId, PlacedLink)]) -> Result<(), StoreError> {
        let writing = failed("linking rows");
        let transaction = self.begin_writing()?;
        for (row, link) in links {
            put_link(&transaction, *row, link).map_err(&writing)?;
            if link.role == crate::settlement::matching::Role::Settles {
                transaction
                    .prepare_cached("UPDATE settlement_rows SET state = ?2 WHERE id = ?1")
                    .and_then(|mut statement| {
                        statement.execute(params![row.0, RowState::Done as i64])
                    })
                    .map_err(&writing)?;
            }
        }
        transaction.commit().map_err(&writing)
    }

    /// Makes a file count, in one transaction: the version before it is replaced and loses its links.
    pub fn finish(
        &mut self,
        file: FileId,
        summary: &str,
        now: ArrivalTime,
    ) -> Result<(), StoreError> {
        let finishing = failed("making a file count");
        let transaction = self.begin_writing()?;
        count_file(&transaction, file, summary, now).map_err(&finishing)?;
        transaction.commit().map_err(&finishing)
    }

    /// Writes down that a file was not taken, and why.
    pub fn refuse(
        &mut self,
        head: &FileHead,
        summary: &str,
        now: ArrivalTime,
    ) -> Result<FileId, StoreError> {
        let refusing = failed("writing down a file that was refused");
        let transaction = self.begin_writing()?;
        let id =
            insert_file(&transaction, head, FileState::Refused, now, summary).map_err(&refusing)?;
        transaction.commit().map_err(&refusing)?;
        Ok(FileId(id))
    }
}

fn drop_rows(transaction: &Transaction<'_>, file: FileId) -> Result<usize> {
    let range: Option<(i64, i64)> = transaction
        .query_row(
            "SELECT first_row, last_row FROM settlement_files WHERE id = ?1",
            [file.0],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((first, last)) = range.filter(|(_, last)| *last > 0) else { return Ok(0) };
    let from = first.max(last - SWEPT_ROWS_MAX + 1);
    transaction.execute(
        "DELETE FROM settlement_links WHERE (transaction_id, row, role) IN
            (SELECT transaction_id, row, role FROM settlement_links WHERE row BETWEEN ?1 AND ?2)",
        [from, last],
    )?;
    let gone = transaction
        .execute("DELETE FROM settlement_rows WHERE id BETWEEN ?1 AND ?2", [from, last])?;
    let left = if from > first { from - 1 } else { 0 };
    transaction
        .execute("UPDATE settlement_files SET last_row = ?2 WHERE id = ?1", [file.0, left])?;
    Ok(gone)
}

fn insert_file(
    transaction: &Transaction<'_>,
    head: &FileHead,
    state: FileState,
    now: ArrivalTime,
    summary: &str,
) -> Result<i64> {
    let revision: i64 = transaction.query_row(
        "SELECT coalesce(max(revision), 0) + 1 FROM settlement_files
         WHERE source = ?1 AND period = ?2 AND state IN (?3, ?4)",
        params![head.source, head.period, FileState::Loaded as i64, FileState::Replaced as i64],
        |row| row.get(0),
    )?;
    transaction.query_row(
        "INSERT INTO settlement_files (source, period, revision, state, profile, name, hash, bytes,
            first_day, last_day, rows, arrived, settled, summary)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) RETURNING id",
        params![
            head.source,
            head.period,
            revision,
            state as i64,
            head.profile,
            head.name,
            head.hash.as_slice(),
            head.bytes as i64,
            head.first_day.to_string(),
            head.last_day.to_string(),
            head.rows as i64,
            now.0,
            (state == FileState::Refused).then_some(now.0),
            summary,
        ],
        |row| row.get(0),
    )
}

fn put_rows(transaction: &Transaction<'_>, file: FileId, rows: &[PlacedRow]) -> Result<RowId> {
    let mut first = None;
    let mut last = 0;
    let mut statement = transaction.prepare_cached(
        "INSERT INTO settlement_rows (file, line, kind, state, at, precise, day, minor, currency,
            fee_milli, net_minor, store, merchant, terminal, stan, batch_number, rrn,
            authorization_code, order_number, channel_transaction_id, refund_number, original,
            first_six, last_four, class, instrument, word, memo, payout)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
            ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29)",
    )?;
    let mut day = jiff::civil::Date::default();
    let mut day_text = day.to_string();
    for PlacedRow { row, store, state } in rows {
        if row.day != day {
            (day, day_text) = (row.day, row.day.to_string());
        }
        statement.execute(params![
            file.0,
            row.line,
            row.kind as i64,
            *state as i64,
            row.time.map(|time| time.at.0),
            row.time.map(|time| time.precision as i64),
            day_text,
            row.amount.minor,
            row.amount.currency.as_str(),
            row.fee_milli,
            row.net_minor,
            store.as_ref().map(|store| store.as_str()),
            row.merchant,
            row.terminal.as_ref().map(|terminal| terminal.as_str()),
            row.stan.map(|stan| stan.number()),
            row.batch_number.map(|number| number.number()),
            row.rrn.as_ref().map(|rrn| rrn.as_str()),
            row.authorization_code.as_ref().map(|code| code.as_str()),
            row.order_number.as_ref().map(|number| number.as_str()),
            row.channel_transaction_id.as_ref().map(|id| id.as_str()),
            row.refund_number.as_ref().map(|number| number.as_str()),
            original_text(row),
            row.pan.and_then(|pan| pan.first_six()),
            row.pan.map(|pan| pan.last_four()),
            row.class.map(|class| class as i64),
            row.instrument.map(|instrument| instrument as i64),
            row.word,
            row.memo,
            row.payout,
        ])?;
        last = transaction.last_insert_rowid();
        first.get_or_insert(last);
    }
    if let Some(first) = first {
        transaction.execute(
            "UPDATE settlement_files SET last_row = ?3,
                first_row = CASE first_row WHEN 0 THEN ?2 ELSE first_row END WHERE id = ?1",
            [file.0, first, last],
        )?;
    }
    Ok(RowId(first.unwrap_or(0)))
}

/// The numbers of the payment that is given back, in one column: `stan batch rrn order channel`, split by tabs.
fn original_text(row: &SettlementRow) -> Option<String> {
    let original = &row.original;
    if *original == crate::settlement::row::OriginalNumbers::default() {
        return None;
    }
    let part = |text: Option<&str>| text.unwrap_or_default().to_owned();
    Some(
        [
            original.stan.map(|stan| stan.to_string()).unwrap_or_default(),
            original.batch_number.map(|number| number.to_string()).unwrap_or_default(),
            part(original.rrn.as_ref().map(|rrn| rrn.as_str())),
            part(original.order_number.as_ref().map(|number| number.as_str())),
            part(original.channel_transaction_id.as_ref().map(|id| id.as_str())),
        ]
        .join("\t"),
    )
}

pub(super) fn put_link(transaction: &Transaction<'_>, row: RowId, link: &PlacedLink) -> Result<()> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO settlement_links (transaction_id, row, role, tier, score)
         VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
    )?;
    statement.execute(params![
        link.transaction,
        row.0,
        link.role as i64,
        link.tier as i64,
        link.score
    ])?;
    Ok(())
}

pub(super) fn count_file(
    transaction: &Transaction<'_>,
    file: FileId,
    summary: &str,
    now: ArrivalTime,
) -> Result<()> {
    let before: Vec<(i64, i64, i64)> = transaction
        .prepare_cached(
            "SELECT old.id, old.first_row, old.last_row FROM settlement_files old, settlement_files new
             WHERE new.id = ?1 AND old.source = new.source AND old.period = new.period
             AND old.state = ?2",
        )?
        .query_map([file.0, FileState::Loaded as i64], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<Result<_>>()?;
    for (old, first, last) in before {
        transaction.execute(
            "DELETE FROM settlement_links WHERE (transaction_id, row, role) IN
                (SELECT transaction_id, row, role FROM settlement_links WHERE row BETWEEN ?1 AND ?2)",
            [first, last],
        )?;
        transaction.execute(
            "UPDATE settlement_rows SET state = ?3 WHERE id BETWEEN ?1 AND ?2 AND state = 0",
            [first, last, RowState::Done as i64],
        )?;
        transaction.execute(
            "UPDATE settlement_files SET state = ?2, settled = ?3 WHERE id = ?1",
            params![old, FileState::Replaced as i64, now.0],
        )?;
    }
    // What the days of this file lack is looked for again.
    transaction.execute(
        "DELETE FROM settlement_rates WHERE source = (SELECT source FROM settlement_files WHERE id = ?1)
         AND series IN (SELECT '(judged) ' || last_day FROM settlement_files WHERE id = ?1)",
        [file.0],
    )?;
    transaction.execute(
        "UPDATE settlement_files SET state = ?2, settled = ?3, summary = ?4 WHERE id = ?1",
        params![file.0, FileState::Loaded as i64, now.0, summary],
    )?;
    Ok(())
}
