//! The journal from its beginning, and what was said of each agent's payments: for judging it again.

use super::super::StoreError;
use super::read::{TRANSACTION_COLUMNS, transaction_row};
use super::{SqliteReader, damaged, failed};
use crate::commit::JournalBatch;
use crate::correlate::case::EventRef;
use crate::correlate::policy::AgentName;
use crate::correlate::recall::TransactionRow;
use rusqlite::params;
use slipwatch_shared::event::{Epoch, Seq};
use slipwatch_shared::times::ArrivalTime;
use std::collections::BTreeMap;

impl SqliteReader {
    /// How many bytes of batches the journal holds.
    pub fn journal_bytes(&mut self) -> Result<u64, StoreError> {
        let sum = "SELECT coalesce(sum(length(frame)), 0) FROM journal";
        let bytes: Result<i64, _> = self.connection.query_row(sum, [], |row| row.get(0));
        bytes.map(|bytes| bytes as u64).map_err(failed("reading the journal"))
    }

    /// Every batch of the journal, in the order of arrival, each agent's in the order of its numbers.
    pub fn for_each_batch(&mut self, each: &mut dyn FnMut(JournalBatch)) -> Result<(), StoreError> {
        let reading = failed("reading the journal");
        let names: BTreeMap<i64, AgentName> = super::read::agent_numbers(&self.connection)?
            .into_iter()
            .map(|(name, number)| (number, name))
            .collect();
        // The order is sorted without the frames, which are fetched one by one.
        let order = "SELECT agent, epoch, first_seq, last_seq, arrived FROM journal
            ORDER BY arrived, agent, epoch, first_seq";
        let mut order = self.connection.prepare(order).map_err(&reading)?;
        let mut fetch = self
            .connection
            .prepare("SELECT frame FROM journal WHERE agent = ?1 AND epoch = ?2 AND first_seq = ?3")
            .map_err(&reading)?;
        let mut rows = order.query([]).map_err(&reading)?;
        while let Some(row) = rows.next().map_err(&reading)? {
            let number = |column: usize| row.get::<_, i64>(column).map_err(&reading);
            let (agent, epoch, first) = (number(0)?, number(1)?, number(2)?);
            let frame = fetch
                .query_row(params![agent, epoch, first], |row| row.get(0))
                .map_err(&reading)?;
            let name = names.get(&agent).ok_or_else(|| damaged("journal", "an unknown agent"))?;
            each(JournalBatch {
                agent: name.clone(),
                epoch: Epoch(epoch as u64),
                first_seq: Seq(first as u64),
                last_seq: Seq(number(3)? as u64),
                arrived: ArrivalTime(number(4)?),
                frame,
            });
        }
        Ok(())
    }

    /// The first event of each life of an agent's numbering that the journal still holds.
    pub fn journal_begins(&mut self, name: &AgentName) -> Result<Vec<EventRef>, StoreError> {
        let reading = failed("reading the journal");
        let first = "SELECT epoch, min(first_seq) FROM journal WHERE agent =
            (SELECT number FROM agents WHERE store = ?1 AND agent = ?2) GROUP BY epoch";
        let mut statement = self.connection.prepare_cached(first).map_err(&reading)?;
        let begins = statement
            .query_map([name.store.as_str(), name.agent.as_str()], |row| {
                let (epoch, seq): (i64, i64) = (row.get(0)?, row.get(1)?);
                Ok(EventRef { epoch: Epoch(epoch as u64), seq: Seq(seq as u64) })
            })
            .map_err(&reading)?;
        begins.collect::<Result<_, _>>().map_err(&reading)
    }

    /// What is stored of an agent's payments, in the order of its numbers.
    pub fn payments_of(&mut self, name: &AgentName) -> Result<Vec<TransactionRow>, StoreError> {
        let reading = failed("reading payments");
        let of_agent = format!(
            "{TRANSACTION_COLUMNS} WHERE a.store = ?1 AND a.agent = ?2 ORDER BY t.epoch, t.seq"
        );
        let mut statement = self.connection.prepare_cached(&of_agent).map_err(&reading)?;
        let mut rows =
            statement.query([name.store.as_str(), name.agent.as_str()]).map_err(&reading)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(&reading)? {
            let row = transaction_row(row).map_err(&reading)?;
            found.push(row.map_err(|error| damaged("cases", error))?);
        }
        Ok(found)
    }
}
