//! Payments brought back by a number, by card and amount, or by name.

use super::SqliteStore;
use super::read::{TRANSACTION_COLUMNS, transaction_row};
use crate::correlate::case::CaseId;
use crate::correlate::recall::{Recall, TransactionRow};
use crate::correlate::timeline::StreamTime;
use rusqlite::{Result, ToSql, params};
use slipwatch_shared::event::Keys;
use slipwatch_shared::money::Amount;
use slipwatch_shared::terminal::{StoreId, TerminalId};

/// Most payments that one number brings back, the latest first: numbers come round.
const ROWS_MAX: usize = 16;

impl SqliteStore {
    fn recall(&self, condition: &str, values: &[&dyn ToSql]) -> Vec<TransactionRow> {
        let rows = || -> Result<Vec<TransactionRow>> {
            let mut statement = self.connection.prepare_cached(&format!(
                "{TRANSACTION_COLUMNS} WHERE {condition} ORDER BY t.opened DESC LIMIT {ROWS_MAX}"
            ))?;
            let mut rows = statement.query(values)?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                // A damaged row brings nothing back; the rest does.
                found.extend(transaction_row(row)?.ok());
            }
            Ok(found)
        };
        rows().unwrap_or_default()
    }
}

impl Recall for SqliteStore {
    fn by_keys(
        &mut self,
        store: &StoreId,
        terminal: Option<TerminalId>,
        keys: &Keys,
    ) -> Vec<TransactionRow> {
        let store = store.as_str();
        let terminal = terminal.map(|terminal| terminal.to_string());
        let mut found: Vec<TransactionRow> = Vec::new();
        let mut add = |column: &str, value: &dyn ToSql| {
            let condition = format!("t.{column} = ?1 AND t.store = ?2");
            let rows = match &terminal {
                Some(terminal) => {
                    let condition = format!("{condition} AND t.terminal = ?3");
                    self.recall(&condition, &[value, &store, terminal])
                }
                None => self.recall(&condition, &[value, &store]),
            };
            for row in rows {
                if found.iter().all(|known| known.id != row.id) {
                    found.push(row);
                }
            }
        };
        if let Some(stan) = keys.stan {
            add("stan", &stan.number());
        }
        if let Some(rrn) = &keys.rrn {
            add("rrn", &rrn.as_str());
        }
        if let Some(number) = keys.order_number.as_deref() {
            add("order_number", &number.as_str());
        }
        if let Some(id) = keys.channel_transaction_id.as_deref() {
            add("channel_transaction_id", &id.as_str());
        }
        found.sort_by(|left, right| left.id.cmp(&right.id));
        found
    }

    fn by_card(
        &mut self,
        store: &StoreId,
        amount: Amount,
        last_four: u16,
        from: StreamTime,
        through: StreamTime,
    ) -> Vec<TransactionRow> {
        let mut found = self.recall(
            "t.last_four = ?1 AND t.minor = ?2 AND t.currency = ?3 AND t.store = ?4
             AND t.opened BETWEEN ?5 AND ?6",
            params![
                last_four,
                amount.minor,
                amount.currency.as_str(),
                store.as_str(),
                from.0,
                through.0
            ],
        );
        found.sort_by(|left, right| left.id.cmp(&right.id));
        found
    }

    fn by_id(&mut self, id: &CaseId) -> Option<TransactionRow> {
        let number = self.numbers.get(&id.agent)?;
        let (epoch, seq) = (id.first.epoch.0 as i64, id.first.seq.0 as i64);
        let condition = "t.agent = ?1 AND t.epoch = ?2 AND t.seq = ?3";
        self.recall(condition, params![number, epoch, seq]).pop()
    }
}
