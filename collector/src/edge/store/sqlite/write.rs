//! One commit, one transaction.

use super::super::{OutboxMark, StoreError};
use super::{QUARANTINE_ROWS_MAX, failed};
use crate::admit::Admission;
use crate::alert::outbox::OutboxRow;
use crate::commit::{AgentRow, Commit, JournalBatch, QuarantineRow, TransactionRow};
use crate::correlate::finding::{Finding, FindingChange, Subject};
use crate::correlate::policy::AgentName;
use crate::correlate::shape;
use crate::settlement::standing::Standing;
use rusqlite::{Connection, OptionalExtension, Result, Transaction, TransactionBehavior, params};
use std::collections::BTreeMap;

/// Stores all of a commit, or nothing; gives the numbers of agents that are new.
pub fn commit(
    connection: &mut Connection,
    known: &BTreeMap<AgentName, i64>,
    commit: &Commit,
) -> Result<BTreeMap<AgentName, i64>, StoreError> {
    let writing = failed("committing");
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&writing)?;
    let mut writer = Writer { transaction, known, new: BTreeMap::new() };
    writer.all(commit).map_err(&writing)?;
    let Writer { transaction, new, .. } = writer;
    transaction.commit().map_err(&writing)?;
    Ok(new)
}

struct Writer<'a> {
    transaction: Transaction<'a>,
    known: &'a BTreeMap<AgentName, i64>,
    new: BTreeMap<AgentName, i64>,
}

impl Writer<'_> {
    fn all(&mut self, commit: &Commit) -> Result<()> {
        for row in &commit.agents {
            self.agent(row)?;
        }
        for batch in &commit.journal {
            self.journal(batch)?;
        }
        for row in &commit.transactions {
            self.transaction_row(row)?;
        }
        for change in &commit.findings {
            self.finding(change)?;
        }
        for row in &commit.outbox {
            self.outbox(row)?;
        }
        for row in &commit.quarantine {
            self.quarantine(row)?;
        }
        if let Some(through) = commit.news_through {
            self.transaction
                .execute("DELETE FROM settlement_news WHERE number <= ?1", [through])?;
        }
        if let Some(state) = &commit.alert_state {
            self.transaction.execute(
                "INSERT INTO kept (name, value) VALUES ('alert_state', ?1)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                [state],
            )?;
        }
        Ok(())
    }

    fn number(&mut self, name: &AgentName) -> Result<i64> {
        if let Some(&number) = self.known.get(name).or_else(|| self.new.get(name)) {
            return Ok(number);
        }
        let number = self.transaction.query_row(
            "INSERT INTO agents (store, agent, epoch, through, outlived, heard, session, presence,
                version, latest, state)
             VALUES (?1, ?2, 0, 0, x'', 0, 0, 0, '', 0, x'') RETURNING number",
            [name.store.as_str(), name.agent.as_str()],
            |row| row.get(0),
        )?;
        self.new.insert(name.clone(), number);
        Ok(number)
    }

    fn agent(&mut self, row: &AgentRow) -> Result<()> {
        let number = self.number(&row.name)?;
        let Admission { epoch, through } = row.admission;
        let outlived: Vec<u8> = row
            .outlived
            .iter()
            .flat_map(|life| [life.epoch.0.to_le_bytes(), life.through.0.to_le_bytes()])
            .flatten()
            .collect();
        let mut statement = self.transaction.prepare_cached(
            "UPDATE agents SET epoch = ?2, through = ?3, outlived = ?4, heard = ?5, session = ?6,
                presence = ?7, version = ?8, latest = ?9, state = ?10
             WHERE number = ?1",
        )?;
        statement.execute(params![
            number,
            epoch.0 as i64,
            through.0 as i64,
            outlived,
            row.heard.0,
            row.session as i64,
            row.presence as i64,
            row.version,
            row.latest.0,
            row.state,
        ])?;
        Ok(())
    }

    fn journal(&mut self, batch: &JournalBatch) -> Result<()> {
        let number = self.number(&batch.agent)?;
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO journal (agent, epoch, first_seq, last_seq, arrived, frame)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        statement.execute(params![
            number,
            batch.epoch.0 as i64,
            batch.first_seq.0 as i64,
            batch.last_seq.0 as i64,
            batch.arrived.0,
            batch.frame,
        ])?;
        Ok(())
    }

    fn find(&self, number: i64, row: &crate::correlate::case::EventRef) -> Result<Option<i64>> {
        let mut statement = self.transaction.prepare_cached(
            "SELECT id FROM transactions WHERE agent = ?1 AND epoch = ?2 AND seq = ?3",
        )?;
        let key = params![number, row.epoch.0 as i64, row.seq.0 as i64];
        statement.query_row(key, |row| row.get(0)).optional()
    }

    fn transaction_row(&mut self, row: &TransactionRow) -> Result<()> {
        let number = self.number(&row.id.agent)?;
        let known = if row.keys_changed { None } else { self.find(number, &row.id.first)? };
        let id = match known {
            Some(id) => id,
            None => self.keys(number, row)?,
        };
        let case = &row.case;
        let open_findings = case.told.iter().filter(|told| told.resolved.is_none()).count();
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO cases (id, verdict, open_findings, rest_at, state, money)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (id) DO UPDATE SET verdict = excluded.verdict,
                open_findings = excluded.open_findings, rest_at = excluded.rest_at,
                state = excluded.state, money = excluded.money",
        )?;
        statement.execute(params![
            id,
            case.verdict.label(),
            open_findings as i64,
            row.rest_at.map(|at| at.0),
            shape::to_bytes(case),
            Standing::of(case) as i64,
        ])?;
        Ok(())
    }

    fn keys(&self, number: i64, row: &TransactionRow) -> Result<i64> {
        let (case, keys) = (&row.case, &row.case.keys);
        let text = |field: Option<&str>| field.map(str::to_owned);
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO transactions (agent, epoch, seq, store, terminal, opened, wall, kind,
                minor, currency, stan, batch_number, rrn, authorization_code, order_number,
                channel_transaction_id, merchant, last_four)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
             ON CONFLICT (agent, epoch, seq) DO UPDATE SET terminal = excluded.terminal,
                kind = excluded.kind, minor = excluded.minor, currency = excluded.currency,
                stan = excluded.stan, batch_number = excluded.batch_number, rrn = excluded.rrn,
                authorization_code = excluded.authorization_code,
                order_number = excluded.order_number,
                channel_transaction_id = excluded.channel_transaction_id,
                merchant = excluded.merchant, last_four = excluded.last_four
             RETURNING id",
        )?;
        let channel = keys.channel_transaction_id.as_deref();
        statement.query_row(
            params![
                number,
                row.id.first.epoch.0 as i64,
                row.id.first.seq.0 as i64,
                row.id.agent.store.as_str(),
                text(row.terminal.as_ref().map(|terminal| terminal.as_str())),
                case.opened.0,
                case.wall(case.opened).0,
                case.kind as i64,
                keys.amount.map(|amount| amount.minor),
                text(keys.amount.as_ref().map(|amount| amount.currency.as_str())),
                keys.stan.map(|stan| stan.number()),
                keys.batch_number.map(|batch| batch.number()),
                text(keys.rrn.as_ref().map(|rrn| rrn.as_str())),
                text(keys.authorization_code.as_ref().map(|code| code.as_str())),
                text(keys.order_number.as_deref().map(|number| number.as_str())),
                text(channel.map(|id| id.as_str())),
                text(keys.merchant.as_ref().map(|merchant| merchant.as_str())),
                keys.card.and_then(|card| card.pan).map(|pan| pan.last_four()),
            ],
            |row| row.get(0),
        )
    }

    fn finding(&mut self, change: &FindingChange) -> Result<()> {
        let finding = &change.finding;
        let name = finding.id.to_string();
        let case_id = match &finding.id.subject {
            Subject::Case(id) => {
                let number = self.number(&id.agent)?;
                self.find(number, &id.first)?
            }
            _ => None,
        };
        let terminal = change.terminal.as_ref().map(|name| name.terminal.as_str());
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO findings (name, kind, case_id, store, terminal, is_open, raised, changed, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)
             ON CONFLICT (name) DO UPDATE SET is_open = excluded.is_open,
                changed = excluded.changed, body = excluded.body",
        )?;
        statement.execute(params![
            name,
            finding.id.kind.code(),
            case_id,
            finding.id.subject.store().map_or("", |store| store.as_str()),
            terminal,
            finding.is_open(),
            change.learned.0,
            shape::to_bytes(finding),
        ])?;
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO actions (at, finding, change, note) VALUES (?1, ?2, ?3, ?4)",
        )?;
        statement.execute(params![
            change.learned.0,
            name,
            change.change as i64,
            note_of(finding)
        ])?;
        Ok(())
    }

    fn outbox(&mut self, row: &OutboxRow) -> Result<()> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO outbox (message_id, in_reply_to, road, recipient, subject, text, html,
                created, not_before, findings)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (message_id) DO NOTHING",
        )?;
        statement.execute(params![
            row.message_id,
            row.in_reply_to,
            row.road as i64,
            row.recipient,
            row.subject,
            row.text,
            row.html,
            row.created.0,
            row.not_before.0,
            row.findings.join("\n"),
        ])?;
        Ok(())
    }

    fn quarantine(&mut self, row: &QuarantineRow) -> Result<()> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO quarantine (topic, reason, detail, arrived, bytes, payload)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING number",
        )?;
        let number: i64 = statement.query_row(
            params![
                row.topic.to_string(),
                row.reason,
                row.detail,
                row.arrived.0,
                row.bytes as i64,
                row.payload,
            ],
            |row| row.get(0),
        )?;
        self.transaction
            .execute("DELETE FROM quarantine WHERE number <= ?1", [number - QUARANTINE_ROWS_MAX])?;
        Ok(())
    }
}

/// How a finding stands, in words.
pub(super) fn note_of(finding: &Finding) -> String {
    let (stage, severity) = (finding.stage.label(), finding.severity.label());
    let cause = &finding.cause;
    let mut note = format!(
        "{stage} {severity}, cause {} ({}) {} %",
        cause.class.label(),
        cause.detail.label(),
        cause.confidence
    );
    if let Some(resolved) = finding.resolved {
        note.push_str(", ended: ");
        note.push_str(resolved.label());
    }
    note
}

/// Writes down what became of sending.
pub fn mark_outbox(connection: &mut Connection, marks: &[OutboxMark]) -> Result<(), StoreError> {
    let writing = failed("marking the outbox");
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&writing)?;
    for mark in marks {
        match mark {
            OutboxMark::Sent { id, at } => transaction.execute(
                "UPDATE outbox SET sent = ?2, attempts = attempts + 1, error = NULL WHERE id = ?1",
                params![id, at.0],
            ),
            OutboxMark::Retry { id, not_before, error } => transaction.execute(
                "UPDATE outbox SET not_before = ?2, attempts = attempts + 1, error = ?3
                 WHERE id = ?1",
                params![id, not_before.0, error],
            ),
            OutboxMark::GivenUp { id, at, error } => transaction.execute(
                "UPDATE outbox SET given_up = ?2, attempts = attempts + 1, error = ?3 WHERE id = ?1",
                params![id, at.0, error],
            ),
        }
        .map_err(&writing)?;
    }
    transaction.commit().map_err(&writing)
}
