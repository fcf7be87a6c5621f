//! Complaints in SQLite, over a connection of their own beside the collector's. Each change is one short transaction, so
//! that the collector's commits get in between.

mod keep;
mod seek;

use super::settlement::say::{put_all, resolve};
use super::{BUSY_WAIT, STATEMENTS_MAX, SqliteStore, failed};
use crate::complaint::answer::Booked;
use crate::complaint::desk::{Line, Payment};
use crate::complaint::matching::Source;
use crate::complaint::record::{Complaint, HISTORY_CHARS_MAX, HISTORY_MAX, Step};
use crate::complaint::said::{Said, When};
use crate::correlate::case::CaseId;
use crate::edge::store::StoreError;
use crate::edge::store::complaint::{ALSO_OPEN_MAX, Complaints, LooseRow, Sought, Which, Written};
use crate::edge::store::settlement::Changes;
use rusqlite::{Connection, OptionalExtension, Result, Transaction, TransactionBehavior, params};
use slipwatch_shared::terminal::{StoreId, TerminalId};
use slipwatch_shared::times::{ArrivalTime, EventTime};
use std::path::Path;

/// Complaints in one SQLite file that a collector may be using.
#[derive(Debug)]
pub struct SqliteComplaints {
    connection: Connection,
}

impl SqliteComplaints {
    /// Opens the store beside whoever else has it open; brings it to this program's schema first.
    pub fn open(path: &Path) -> std::result::Result<SqliteComplaints, StoreError> {
        drop(SqliteStore::open(path)?);
        let opening = failed("opening");
        let connection = Connection::open(path).map_err(&opening)?;
        connection.busy_timeout(BUSY_WAIT).map_err(&opening)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        // What a shopper was told is on the disk when it is told.
        connection.pragma_update(None, "synchronous", "FULL").map_err(&opening)?;
        connection.pragma_update(None, "cache_size", -8_000).map_err(&opening)?;
        Ok(SqliteComplaints { connection })
    }

    fn begin(&mut self) -> Result<Transaction<'_>> {
        self.connection.transaction_with_behavior(TransactionBehavior::Immediate)
    }
}

fn put_steps(
    transaction: &Transaction<'_>,
    complaint: u64,
    steps: &[(Step, String)],
    now: ArrivalTime,
) -> Result<()> {
    let sql = "SELECT count(*) FROM complaint_history WHERE complaint = ?1";
    let known: i64 =
        transaction.prepare_cached(sql)?.query_row([complaint as i64], |row| row.get(0))?;
    let room = HISTORY_MAX.saturating_sub(known as usize);
    for (step, note) in steps.iter().take(room) {
        let note: String = note.chars().take(HISTORY_CHARS_MAX).collect();
        transaction
            .prepare_cached(
                "INSERT INTO complaint_history (complaint, at, step, note) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![complaint as i64, now.0, *step as i64, note])?;
    }
    Ok(())
}

impl Complaints for SqliteComplaints {
    fn seek(&mut self, said: &Said) -> std::result::Result<Sought, StoreError> {
        seek::seek(&self.connection, said).map_err(failed("searching for a complaint"))
    }

    fn was_heard(
        &mut self,
        store: &StoreId,
        terminals: &[TerminalId],
        when: When,
    ) -> std::result::Result<bool, StoreError> {
        seek::was_heard(&self.connection, store, terminals, when)
            .map_err(failed("reading how far a shop was heard"))
    }

    fn payment(
        &mut self,
        id: &CaseId,
    ) -> std::result::Result<Option<(Payment, Booked)>, StoreError> {
        seek::payment(&self.connection, id).map_err(failed("reading a payment"))
    }

    fn loose_row(&mut self, row: i64) -> std::result::Result<Option<LooseRow>, StoreError> {
        seek::loose_row(&self.connection, row).map_err(failed("reading a row"))
    }

    fn open(
        &mut self,
        said: &Said,
        received: EventTime,
        now: ArrivalTime,
    ) -> std::result::Result<u64, StoreError> {
        let mut run = || -> Result<u64> {
            let transaction = self.begin()?;
            let number = keep::insert(&transaction, said, received)?;
            put_steps(&transaction, number, &[(Step::Opened, String::new())], now)?;
            transaction.commit()?;
            Ok(number)
        };
        run().map_err(failed("writing a complaint down"))
    }

    fn write(
        &mut self,
        written: &Written<'_>,
        now: ArrivalTime,
    ) -> std::result::Result<(), StoreError> {
        let mut run = || -> Result<bool> {
            let transaction = self.begin()?;
            if let Some((before, complaint)) = written.complaint {
                let sql = format!("{} WHERE number = ?1", keep::COLUMNS);
                let found = transaction
                    .prepare_cached(&sql)?
                    .query_row([complaint.number as i64], keep::complaint)
                    .optional()?;
                if found.as_ref() != Some(before) {
                    return Ok(false);
                }
                keep::update(&transaction, complaint)?;
                put_steps(&transaction, complaint.number, &written.steps, now)?;
            }
            let mut changes = Changes::default();
            for (name, how) in &written.ended {
                resolve(&transaction, name, *how, now, &mut changes)?;
            }
            put_all(&transaction, &written.findings, now, &mut changes)?;
            transaction.commit()?;
            Ok(true)
        };
        match run() {
            Ok(true) => Ok(()),
            Ok(false) => Err(StoreError::Busy),
            Err(error) => Err(failed("writing a complaint down")(error)),
        }
    }

    fn complaint(&mut self, number: u64) -> std::result::Result<Option<Complaint>, StoreError> {
        let run = || {
            self.connection
                .prepare_cached(&format!("{} WHERE number = ?1", keep::COLUMNS))?
                .query_row([number as i64], keep::complaint)
                .optional()
        };
        run().map_err(failed("reading a complaint"))
    }

    fn open_after(
        &mut self,
        after: u64,
        limit: usize,
    ) -> std::result::Result<Vec<Complaint>, StoreError> {
        let condition = "WHERE closed IS NULL AND number > ?1 ORDER BY number LIMIT ?2";
        self.complaints(condition, params![after as i64, limit as i64])
    }

    fn list(
        &mut self,
        which: Which,
        limit: usize,
    ) -> std::result::Result<Vec<Complaint>, StoreError> {
        let condition = match which {
            Which::Open => "WHERE closed IS NULL ORDER BY number DESC LIMIT ?1",
            Which::All => "ORDER BY number DESC LIMIT ?1",
        };
        self.complaints(condition, params![limit as i64])
    }

    fn open_about(
        &mut self,
        sources: &[&Source],
        but: u64,
    ) -> std::result::Result<Vec<Vec<u64>>, StoreError> {
        let mut found = vec![Vec::new(); sources.len()];
        if sources.is_empty() {
            return Ok(found);
        }
        let (mut cases, mut rows) = (Vec::new(), Vec::new());
        for source in sources {
            match source {
                Source::Payment(id) => cases.push(id.to_string()),
                Source::Row(row) => rows.push(*row),
            }
        }
        let as_json = |names: serde_json::Value| names.to_string();
        let mut run = || -> Result<()> {
            // All of them in one walk over what is open.
            let sql = "SELECT number, chosen, chosen_row FROM complaints
                 WHERE closed IS NULL AND number <> ?1
                    AND (chosen IN (SELECT value FROM json_each(?2)) OR chosen_row IN (SELECT value FROM json_each(?3)))
                 ORDER BY number LIMIT ?4";
            let mut statement = self.connection.prepare_cached(sql)?;
            let most = (ALSO_OPEN_MAX * sources.len()) as i64;
            let (cases, rows) = (as_json(cases.clone().into()), as_json(rows.clone().into()));
            let mut lines = statement.query(params![but as i64, cases, rows, most])?;
            while let Some(line) = lines.next()? {
                let number = line.get::<_, i64>(0)? as u64;
                let (case, row) =
                    (line.get::<_, Option<String>>(1)?, line.get::<_, Option<i64>>(2)?);
                let is_it = |source: &&Source| match source {
                    Source::Payment(id) => case.as_deref() == Some(id.to_string().as_str()),
                    Source::Row(known) => row == Some(*known),
                };
                for (_, open) in sources.iter().zip(&mut found).filter(|(source, _)| is_it(source))
                {
                    if open.len() < ALSO_OPEN_MAX {
                        open.push(number);
                    }
                }
            }
            Ok(())
        };
        run().map_err(failed("reading complaints"))?;
        Ok(found)
    }

    fn open_count(&mut self) -> std::result::Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM complaints WHERE closed IS NULL";
        let count = self.connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        count.map(|count| count as u64).map_err(failed("counting complaints"))
    }

    fn history(&mut self, number: u64) -> std::result::Result<Vec<Line>, StoreError> {
        let condition = "WHERE complaint = ?1 ORDER BY number LIMIT ?2";
        self.lines(condition, params![number as i64, HISTORY_MAX as i64])
    }

    fn history_after(
        &mut self,
        after: i64,
        limit: usize,
    ) -> std::result::Result<(Vec<Line>, i64), StoreError> {
        let lines =
            self.lines("WHERE number > ?1 ORDER BY number LIMIT ?2", params![after, limit as i64])?;
        let last = match (limit, lines.last()) {
            (0, _) => {
                let sql = "SELECT coalesce(max(number), 0) FROM complaint_history";
                let last = self.connection.query_row(sql, [], |row| row.get(0));
                last.map_err(failed("reading what happened to complaints"))?
            }
            (_, last) => last.map_or(after, |line| line.number),
        };
        Ok((lines, last))
    }
}

impl SqliteComplaints {
    fn complaints(
        &self,
        condition: &str,
        values: &[&dyn rusqlite::ToSql],
    ) -> std::result::Result<Vec<Complaint>, StoreError> {
        let run = || -> Result<Vec<Complaint>> {
            let sql = format!("{} {condition}", keep::COLUMNS);
            let mut statement = self.connection.prepare_cached(&sql)?;
            statement.query_map(values, keep::complaint)?.collect()
        };
        run().map_err(failed("reading complaints"))
    }

    fn lines(
        &self,
        condition: &str,
        values: &[&dyn rusqlite::ToSql],
    ) -> std::result::Result<Vec<Line>, StoreError> {
        let run = || -> Result<Vec<Line>> {
            let sql = format!(
                "SELECT number, complaint, at, step, note FROM complaint_history {condition}"
            );
            let mut statement = self.connection.prepare_cached(&sql)?;
            statement.query_map(values, keep::line)?.collect()
        };
        run().map_err(failed("reading what happened to complaints"))
    }
}

#[cfg(test)]
mod tests;
