//! What evidence is made from, read in one transaction.

use super::super::exhibit::{Exhibit, STRETCH_MAX, numbers_of};
use super::super::{AgentView, CaseFile, Reader, StoreError};
use super::read::{TRANSACTION_COLUMNS, transaction_row};
use super::{SqliteReader, damaged, failed};
use crate::correlate::case::CaseId;
use crate::correlate::policy::AgentName;
use crate::evidence::verify::RecordLine;
use rusqlite::{OptionalExtension, params};
use slipwatch_shared::event::{Body, Epoch, Event, Seq};
use slipwatch_shared::wire::envelope::{EventBatch, Group};
use slipwatch_shared::wire::seal::Digest;
use std::collections::BTreeSet;

/// Name of the collector's signing secret among the small things that the store keeps.
pub const SECRET_NAME: &str = "evidence_secret";

/// A payment at the same terminal before or after another, by the order of its agent's stream.
const BESIDE: &str = "WHERE a.store = ?1 AND a.agent = ?2 AND t.epoch = ?3 AND t.terminal IS ?5";

impl SqliteReader {
    /// Everything about one payment; absent when there is none of this name.
    pub(super) fn read_exhibit(&mut self, id: &CaseId) -> Result<Option<Exhibit>, StoreError> {
        let reading = failed("reading evidence");
        self.connection.execute_batch("BEGIN").map_err(&reading)?;
        let read = self.gather(id);
        self.connection.execute_batch("COMMIT").map_err(&reading)?;
        read
    }

    fn gather(&mut self, id: &CaseId) -> Result<Option<Exhibit>, StoreError> {
        let Some(file) = self.case(id)? else { return Ok(None) };
        let before = self.beside(&file, "t.seq < ?4 ORDER BY t.seq DESC")?;
        let after = self.beside(&file, "t.seq > ?4 ORDER BY t.seq")?;
        let agents: Vec<AgentView> = self.agents()?;
        let transaction = self.transaction_number(id)?;
        let epoch = id.first.epoch;
        let shown: BTreeSet<Seq> = [&before, &Some(file.clone()), &after]
            .into_iter()
            .flatten()
            .flat_map(numbers_of)
            .collect();
        let (records, events) = self.stretch_of(&id.agent, epoch, &shown)?;
        Ok(Some(Exhibit {
            settlement: self.settlement_of(transaction)?,
            agent: agents.into_iter().find(|agent| agent.name == id.agent),
            secret: self.secret()?,
            epoch,
            file,
            before,
            after,
            events,
            records,
        }))
    }

    fn transaction_number(&self, id: &CaseId) -> Result<i64, StoreError> {
        let sql = "SELECT t.id FROM transactions t JOIN agents a ON a.number = t.agent
             WHERE a.store = ?1 AND a.agent = ?2 AND t.epoch = ?3 AND t.seq = ?4";
        let AgentName { store, agent } = &id.agent;
        let (epoch, seq) = (id.first.epoch.0 as i64, id.first.seq.0 as i64);
        self.connection
            .query_row(sql, params![store.as_str(), agent.as_str(), epoch, seq], |row| row.get(0))
            .map_err(failed("reading a payment's number"))
    }

    fn beside(&mut self, file: &CaseFile, order: &str) -> Result<Option<CaseFile>, StoreError> {
        let id = &file.view.id;
        let sql = format!("{TRANSACTION_COLUMNS} {BESIDE} AND {order} LIMIT 1");
        let terminal = file.view.terminal.map(|terminal| terminal.to_string());
        let AgentName { store, agent } = &id.agent;
        let (epoch, seq) = (id.first.epoch.0 as i64, id.first.seq.0 as i64);
        let values = params![store.as_str(), agent.as_str(), epoch, seq, terminal];
        let found = self.connection.query_row(&sql, values, transaction_row).optional();
        let found = found.map_err(failed("reading the payment beside another"))?;
        match found {
            Some(Ok(row)) => self.case(&row.id),
            _ => Ok(None),
        }
    }

    fn secret(&self) -> Result<[u8; 32], StoreError> {
        let sql = "SELECT value FROM kept WHERE name = ?1";
        let secret: Option<Vec<u8>> = self
            .connection
            .query_row(sql, [SECRET_NAME], |row| row.get(0))
            .optional()
            .map_err(failed("reading the signing secret"))?;
        secret
            .and_then(|secret| secret.try_into().ok())
            .ok_or_else(|| damaged("kept", "no signing secret: start the collector once"))
    }

    /// The stretch around `shown`, from the end of the signature before to the signature behind, and the events shown.
    fn stretch_of(
        &self,
        agent: &AgentName,
        epoch: Epoch,
        shown: &BTreeSet<Seq>,
    ) -> Result<(Vec<RecordLine>, Vec<Event>), StoreError> {
        let (Some(&first), Some(&last)) = (shown.first(), shown.last()) else {
            return Ok(Default::default());
        };
        let sealed_through = self.sealed_through(agent, epoch, last)?;
        let from = self.sealed_from(agent, epoch, first)?;
        let from = if last.0.saturating_sub(from.0) > STRETCH_MAX { first } else { from };
        let (mut records, mut events) = (Vec::new(), Vec::new());
        self.groups(agent, epoch, from, sealed_through, |group| {
            let (boot, clock) = (group.boot, group.clock);
            for ((seq, record), (_, event)) in group.records().zip(group.events()) {
                if seq < from || seq > sealed_through {
                    continue;
                }
                let is_seal = matches!(&event, Ok(Event { body: Body::Sealed(_), .. }));
                let is_shown = shown.contains(&seq);
                records.push(match is_shown || is_seal {
                    true => RecordLine::shown(seq, boot, clock, record),
                    false => RecordLine::hidden(seq, Digest::of_record(boot, clock, record)),
                });
                events.extend(event.ok().filter(|_| is_shown));
            }
            true
        })?;
        Ok((records, events))
    }

    /// The number of the first seal behind `last`, or the last number that there is to look at.
    fn sealed_through(
        &self,
        agent: &AgentName,
        epoch: Epoch,
        last: Seq,
    ) -> Result<Seq, StoreError> {
        let mut through = last;
        let limit = Seq(last.0.saturating_add(STRETCH_MAX));
        self.groups(agent, epoch, last.next(), limit, |group| {
            for (seq, event) in group.events_without_evidence() {
                if seq > last && matches!(event, Ok(Event { body: Body::Sealed(_), .. })) {
                    through = seq;
                    return false;
                }
            }
            true
        })?;
        Ok(through)
    }

    /// The first number that the seal over `first` covers, or `first` where none does.
    fn sealed_from(&self, agent: &AgentName, epoch: Epoch, first: Seq) -> Result<Seq, StoreError> {
        let mut from = first;
        let limit = Seq(first.0.saturating_add(STRETCH_MAX));
        self.groups(agent, epoch, first, limit, |group| {
            for (seq, event) in group.events_without_evidence() {
                if let (true, Ok(Event { body: Body::Sealed(seal), .. })) = (seq > first, event) {
                    from = seal.from.min(first);
                    return false;
                }
            }
            true
        })?;
        Ok(from)
    }

    /// Shows the groups of a stretch of the journal in order, until told to stop.
    fn groups(
        &self,
        agent: &AgentName,
        epoch: Epoch,
        from: Seq,
        through: Seq,
        mut visit: impl FnMut(&Group) -> bool,
    ) -> Result<(), StoreError> {
        let reading = failed("reading the journal");
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT frame FROM journal WHERE epoch = ?3 AND last_seq >= ?4 AND first_seq <= ?5
                 AND agent = (SELECT number FROM agents WHERE store = ?1 AND agent = ?2)
                 ORDER BY first_seq",
            )
            .map_err(&reading)?;
        let number = |seq: Seq| i64::try_from(seq.0).unwrap_or(i64::MAX);
        let (store, name) = (agent.store.as_str(), agent.agent.as_str());
        let values = params![store, name, epoch.0 as i64, number(from), number(through)];
        let mut rows = statement.query(values).map_err(&reading)?;
        let mut done = Seq(0);
        while let Some(row) = rows.next().map_err(&reading)? {
            let frame = row.get_ref(0).and_then(|frame| Ok(frame.as_blob()?)).map_err(&reading)?;
            let Ok(mut batch) = EventBatch::open(frame) else { continue };
            // Where batches overlap, each number is shown once.
            skip(&mut batch.group, done);
            if batch.group.count > 0 {
                done = batch.group.last_seq();
                if !visit(&batch.group) {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// Takes the records through `done` out of a group.
fn skip(group: &mut Group, done: Seq) {
    let surplus = (done.next().0).saturating_sub(group.first_seq.0).min(u64::from(group.count));
    let kept: Vec<u8> = {
        let mut rest = group.records.as_slice();
        for _ in 0..surplus {
            let _ = slipwatch_shared::wire::v1::next_record(&mut rest);
        }
        rest.to_vec()
    };
    group.records = kept;
    group.first_seq = Seq(group.first_seq.0 + surplus);
    group.count -= surplus as u32;
}
