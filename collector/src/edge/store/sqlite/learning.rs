//! What the learning of a slip policy reads: a terminal's first payments, and how far its agents' journals reach.

use super::SqliteReader;
use super::failed;
use super::read::{TRANSACTION_COLUMNS, transaction_row};
use crate::correlate::policy::{AgentName, TerminalName};
use crate::correlate::recall::TransactionRow;
use crate::edge::store::StoreError;
use rusqlite::{Result, params};
use slipwatch_shared::event::{Epoch, Seq};

/// A stretch of an agent's journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalSpan {
    /// Which life of its numbering.
    pub epoch: Epoch,
    /// The first number that is kept.
    pub first: Seq,
    /// The last.
    pub last: Seq,
}

impl SqliteReader {
    /// The first payments of a terminal, in the order in which they were opened.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn first_payments(
        &mut self,
        terminal: &TerminalName,
        limit: usize,
    ) -> Result<Vec<TransactionRow>, StoreError> {
        let rows = || -> Result<Vec<TransactionRow>> {
            let condition = "WHERE t.store = ?1 AND t.terminal = ?2
                ORDER BY t.opened, t.agent, t.epoch, t.seq LIMIT ?3";
            let mut statement =
                self.connection.prepare(&format!("{TRANSACTION_COLUMNS} {condition}"))?;
            let number = terminal.terminal.to_string();
            let mut rows = statement.query(params![
                terminal.store.as_str(),
                number,
                i64::try_from(limit).unwrap_or(i64::MAX)
            ])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                // A damaged row teaches nothing; the rest does.
                found.extend(transaction_row(row)?.ok());
            }
            Ok(found)
        };
        rows().map_err(failed("reading a terminal's payments"))
    }

    /// How far the journal of an agent reaches, in the order in which it was written.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn journal_spans(&mut self, agent: &AgentName) -> Result<Vec<JournalSpan>, StoreError> {
        let spans = || -> Result<Vec<JournalSpan>> {
            let mut statement = self.connection.prepare(
                "SELECT j.epoch, MIN(j.first_seq), MAX(j.last_seq) FROM journal j
                 JOIN agents a ON a.number = j.agent WHERE a.store = ?1 AND a.agent = ?2
                 GROUP BY j.epoch ORDER BY MIN(j.arrived), j.epoch",
            )?;
            let number = |row: &rusqlite::Row<'_>, column| row.get::<_, i64>(column);
            let rows = statement.query_map(
                params![agent.store.as_str(), agent.agent.as_str()],
                |row| {
                    Ok(JournalSpan {
                        epoch: Epoch(number(row, 0)? as u64),
                        first: Seq(number(row, 1)? as u64),
                        last: Seq(number(row, 2)? as u64),
                    })
                },
            )?;
            rows.collect()
        };
        spans().map_err(failed("reading how far the journal reaches"))
    }
}
