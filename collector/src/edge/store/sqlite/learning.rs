//! What the learning of a slip policy reads: a terminal's first payments.

use super::SqliteReader;
use super::failed;
use super::read::{TRANSACTION_COLUMNS, transaction_row};
use crate::correlate::policy::TerminalName;
use crate::correlate::recall::TransactionRow;
use crate::edge::store::StoreError;
use rusqlite::{Result, params};

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
}
