//! What pages, letters and the start read.

use super::super::exhibit::Exhibit;
use super::super::{
    Action, AgentView, CaseFile, CaseQuery, CaseView, FindingView, OutboxCounts, OutboxDue,
    PAGE_ROWS_MAX, Reader, SourceView, StoreError,
};
use super::{SqliteReader, damaged, failed};
use crate::admit::Admission;
use crate::alert::outbox::{OutboxRow, Road};
use crate::commit::{AgentRow, Presence, Snapshot};
use crate::correlate::case::{Case, CaseId, EventRef};
use crate::correlate::correlator::Agent;
use crate::correlate::coverage::{Coverage, Source};
use crate::correlate::finding::{Change, Finding, FindingKind};
use crate::correlate::policy::{AgentName, TerminalName};
use crate::correlate::recall::{RECENT_MS, TransactionRow};
use crate::correlate::shape::{self, ShapeError};
use crate::correlate::timeline::StreamTime;
use rusqlite::{Connection, OptionalExtension, Result, Row, params, params_from_iter};
use slipwatch_shared::event::{Epoch, Event, Seq};
use slipwatch_shared::money::Amount;
use slipwatch_shared::times::{ArrivalTime, EventTime};
use slipwatch_shared::trace::Stan;
use slipwatch_shared::wire::envelope::EventBatch;
use std::collections::BTreeMap;

/// Selects payments for [`transaction_row`].
pub const TRANSACTION_COLUMNS: &str = "
    SELECT a.store, a.agent, t.epoch, t.seq, t.terminal, c.rest_at, c.state
    FROM transactions t JOIN cases c ON c.id = t.id JOIN agents a ON a.number = t.agent";

/// The payment of a case, by `case_key!`.
const OF_CASE: &str = "WHERE a.store = ?1 AND a.agent = ?2 AND t.epoch = ?3 AND t.seq = ?4";

/// What [`OF_CASE`] asks for.
macro_rules! case_key {
    ($id:expr) => {
        params![
            $id.agent.store.as_str(),
            $id.agent.agent.as_str(),
            $id.first.epoch.0 as i64,
            $id.first.seq.0 as i64
        ]
    };
}

/// A payment of a row of [`TRANSACTION_COLUMNS`].
pub fn transaction_row(row: &Row<'_>) -> Result<Result<TransactionRow, ShapeError>> {
    let id = CaseId {
        agent: agent_name(row, 0)?,
        first: EventRef { epoch: Epoch(number(row, 2)?), seq: Seq(number(row, 3)?) },
    };
    let terminal: Option<String> = row.get(4)?;
    let rest_at: Option<i64> = row.get(5)?;
    let case: Result<Case, ShapeError> = shape::from_bytes(row.get_ref(6)?.as_blob()?);
    Ok(case.map(|case| TransactionRow {
        id,
        terminal: terminal.and_then(|terminal| terminal.parse().ok()),
        case,
        keys_changed: false,
        rest_at: rest_at.map(StreamTime),
    }))
}

fn number(row: &Row<'_>, column: usize) -> Result<u64> {
    row.get::<_, i64>(column).map(|number| number as u64)
}

fn agent_name(row: &Row<'_>, column: usize) -> Result<AgentName> {
    let text = |column: usize| -> Result<String> { row.get(column) };
    let wrong = |column: usize| {
        let kind = rusqlite::types::Type::Text;
        rusqlite::Error::InvalidColumnType(column, "name".to_owned(), kind)
    };
    Ok(AgentName {
        store: text(column)?.parse().map_err(|_| wrong(column))?,
        agent: text(column + 1)?.parse().map_err(|_| wrong(column + 1))?,
    })
}

/// The numbers of all agents that are stored.
pub fn agent_numbers(connection: &Connection) -> Result<BTreeMap<AgentName, i64>, StoreError> {
    let reading = failed("reading the agents");
    let mut statement =
        connection.prepare("SELECT store, agent, number FROM agents").map_err(&reading)?;
    let rows = statement.query_map([], |row| Ok((agent_name(row, 0)?, row.get(2)?)));
    rows.and_then(|rows| rows.collect()).map_err(&reading)
}

/// What the correlator keeps of each agent, as bytes.
pub fn agent_states(connection: &Connection) -> Result<Vec<Vec<u8>>, StoreError> {
    let reading = failed("reading the agents");
    let mut statement = connection.prepare_cached("SELECT state FROM agents").map_err(&reading)?;
    let rows = statement.query_map([], |row| row.get(0));
    rows.and_then(|rows| rows.collect()).map_err(&reading)
}

fn agent_row(row: &Row<'_>) -> Result<AgentRow> {
    let outlived = row.get_ref(4)?.as_blob()?.chunks_exact(16).map(|life| {
        let (epoch, through) = life.split_at(8);
        let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
        Admission { epoch: Epoch(number(epoch)), through: Seq(number(through)) }
    });
    let presence: i64 = row.get(7)?;
    Ok(AgentRow {
        name: agent_name(row, 0)?,
        admission: Admission { epoch: Epoch(number(row, 2)?), through: Seq(number(row, 3)?) },
        outlived: outlived.collect(),
        heard: ArrivalTime(row.get(5)?),
        session: number(row, 6)?,
        presence: Presence::ALL.get(presence as usize).copied().unwrap_or_default(),
        version: row.get::<_, String>(8)?.into(),
        latest: StreamTime(row.get(9)?),
        state: row.get(10)?,
    })
}

const AGENT_COLUMNS: &str = "SELECT store, agent, epoch, through, outlived, heard, session,
    presence, version, latest, state FROM agents ORDER BY store, agent";

/// What the collector starts from.
pub fn snapshot(connection: &Connection) -> Result<Snapshot, StoreError> {
    let reading = failed("loading");
    let agents: Vec<AgentRow> = connection
        .prepare(AGENT_COLUMNS)
        .and_then(|mut statement| statement.query_map([], agent_row)?.collect())
        .map_err(&reading)?;
    let mut open = Vec::new();
    let awake = "WHERE c.rest_at IS NULL ORDER BY t.agent, t.epoch, t.seq";
    let recent = "WHERE c.rest_at IS NOT NULL AND t.wall >= ?1 AND t.opened >= a.latest - ?2
        ORDER BY t.agent, t.epoch, t.seq";
    let oldest = agents.iter().map(|agent| agent.latest.0).min().unwrap_or(0);
    // Wall time may run a day ahead of or behind stream time before a payment of the last hours is missed here.
    let oldest = oldest.saturating_sub(RECENT_MS + 24 * 3_600_000);
    for (condition, values) in [(awake, vec![]), (recent, vec![oldest, RECENT_MS])] {
        let mut statement =
            connection.prepare(&format!("{TRANSACTION_COLUMNS} {condition}")).map_err(&reading)?;
        let mut rows = statement.query(params_from_iter(values)).map_err(&reading)?;
        while let Some(row) = rows.next().map_err(&reading)? {
            let row = transaction_row(row).map_err(&reading)?;
            open.push(row.map_err(|error| damaged("cases", error))?);
        }
    }
    let alert_state = alert_state(connection).map_err(&reading)?;
    Ok(Snapshot { agents, open, alert_state })
}

fn alert_state(connection: &Connection) -> Result<Option<Vec<u8>>> {
    let sql = "SELECT value FROM kept WHERE name = 'alert_state'";
    connection.query_row(sql, [], |row| row.get(0)).optional()
}

/// Selects findings for [`finding_view`]. What a finding without a payment is about stands in what its file says of it.
pub const FINDING_COLUMNS: &str = "
    SELECT f.body, f.terminal, f.raised, f.changed,
        coalesce(t.minor, json_extract(f.detail, '$.amount_minor')),
        CASE WHEN t.minor IS NULL THEN json_extract(f.detail, '$.currency') ELSE t.currency END, t.stan, f.detail,
        t.wall, json_extract(f.detail, '$.day')
    FROM findings f LEFT JOIN transactions t ON t.id = f.case_id";

/// Where [`FINDING_COLUMNS`] has what a settlement file says.
pub const FINDING_DETAIL: usize = 7;

/// A finding of a row of [`FINDING_COLUMNS`]; `None` where another version wrote it.
pub fn finding_view(row: &Row<'_>) -> Result<Option<FindingView>> {
    let finding: Result<Finding, ShapeError> = shape::from_bytes(row.get_ref(0)?.as_blob()?);
    let Ok(finding) = finding else { return Ok(None) };
    let terminal: Option<String> = row.get(1)?;
    let terminal = terminal.and_then(|terminal| terminal.parse().ok());
    let store = finding.id.subject.store().cloned();
    let currency = row.get::<_, Option<String>>(5)?.and_then(|code| code.parse().ok());
    let minor: Option<i64> = row.get(4)?;
    let stan: Option<u32> = row.get(6)?;
    Ok(Some(FindingView {
        terminal: store.zip(terminal).map(|(store, terminal)| TerminalName { store, terminal }),
        finding,
        amount: minor.zip(currency).map(|(minor, currency)| Amount::new(minor, currency)),
        stan: stan.and_then(|number| Stan::from_number(number).ok()),
        paid: row.get::<_, Option<i64>>(8)?.map(EventTime),
        day: row.get::<_, Option<String>>(9)?.and_then(|day| day.parse().ok()),
        raised: ArrivalTime(row.get(2)?),
        changed: ArrivalTime(row.get(3)?),
    }))
}

/// How many findings of each kind are open. Reads an index that holds nothing else.
pub fn open_findings(connection: &Connection) -> Result<BTreeMap<FindingKind, u64>> {
    let mut statement = connection
        .prepare_cached("SELECT kind, count(*) FROM findings WHERE is_open = 1 GROUP BY kind")?;
    let rows = statement.query_map([], |row| {
        let kind: String = row.get(0)?;
        Ok((FindingKind::from_code(&kind), number(row, 1)?))
    })?;
    rows.filter_map(|row| row.map(|(kind, count)| Some((kind?, count))).transpose()).collect()
}

impl SqliteReader {
    fn findings_of(&self, id: i64) -> Result<Vec<FindingView>> {
        let sql = format!("{FINDING_COLUMNS} WHERE f.case_id = ?1 ORDER BY f.kind");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([id], finding_view)?;
        rows.filter_map(Result::transpose).collect()
    }

    fn actions_of(&self, id: i64) -> Result<Vec<Action>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT at, finding, change, note FROM actions
             WHERE finding IN (SELECT name FROM findings WHERE case_id = ?1) ORDER BY number",
        )?;
        let rows = statement.query_map([id], |row| {
            Ok(Action {
                at: ArrivalTime(row.get(0)?),
                finding: row.get(1)?,
                change: match row.get::<_, i64>(2)? {
                    0 => Change::Raised,
                    1 => Change::Changed,
                    _ => Change::Resolved,
                },
                note: row.get(3)?,
            })
        })?;
        rows.collect()
    }

    /// The events that a case rests on, each from the batch that holds it.
    fn events_of(&self, agent: &AgentName, case: &Case) -> Result<Vec<(EventRef, Event)>> {
        let mut wanted: Vec<EventRef> = case.facts.iter().map(|fact| fact.event).collect();
        wanted.push(case.first);
        wanted.sort_unstable();
        wanted.dedup();
        let mut found: Vec<(EventRef, Event)> = Vec::new();
        for reference in wanted {
            let EventRef { epoch, seq } = reference;
            let events = self.stretch(agent, epoch, seq, seq)?;
            found.extend(events.into_iter().map(|event| (reference, event)));
        }
        Ok(found)
    }

    fn stretch(
        &self,
        agent: &AgentName,
        epoch: Epoch,
        from: Seq,
        through: Seq,
    ) -> Result<Vec<Event>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT frame, first_seq FROM journal WHERE epoch = ?3 AND last_seq >= ?4 AND first_seq <= ?5
             AND agent = (SELECT number FROM agents WHERE store = ?1 AND agent = ?2)
             AND first_seq >= coalesce((SELECT max(first_seq) FROM journal WHERE first_seq <= ?4
                AND epoch = ?3
                AND agent = (SELECT number FROM agents WHERE store = ?1 AND agent = ?2)), 0)
             ORDER BY first_seq",
        )?;
        let mut rows = statement.query(params![
            agent.store.as_str(),
            agent.agent.as_str(),
            epoch.0 as i64,
            from.0 as i64,
            through.0 as i64
        ])?;
        let mut events = Vec::new();
        while let Some(row) = rows.next()? {
            let first = Seq(number(row, 1)?).max(from);
            let Ok(batch) = EventBatch::open(row.get_ref(0)?.as_blob()?) else { continue };
            let within = |seq: &Seq| (first..=through).contains(seq);
            let read = batch.group.events().filter(|(seq, _)| within(seq));
            events.extend(read.filter_map(|(_, event)| event.ok()));
        }
        Ok(events)
    }

    fn cases_where(&self, query: &CaseQuery) -> Result<Vec<CaseView>> {
        let mut condition = String::from(" WHERE t.wall >= ? AND t.wall < ?");
        let since = query.since.map_or(i64::MIN, |since| since.0);
        let before = query.before.map_or(i64::MAX, |before| before.0);
        let mut values: Vec<rusqlite::types::Value> = vec![since.into(), before.into()];
        if !query.stores.is_empty() {
            let marks = vec!["?"; query.stores.len()].join(", ");
            condition.push_str(&format!(" AND t.store IN ({marks})"));
            values.extend(query.stores.iter().map(|store| store.to_string().into()));
        }
        if query.only_with_findings {
            condition.push_str(" AND c.open_findings > 0");
        }
        let limit = if query.limit == 0 { PAGE_ROWS_MAX } else { query.limit.min(PAGE_ROWS_MAX) };
        condition.push_str(&format!(" ORDER BY t.wall DESC, t.id DESC LIMIT {limit}"));
        let mut statement =
            self.connection.prepare(&format!("{TRANSACTION_COLUMNS}{condition}"))?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut views = Vec::new();
        while let Some(row) = rows.next()? {
            if let Ok(TransactionRow { id, terminal, case, .. }) = transaction_row(row)? {
                views.push(CaseView { id, terminal, case });
            }
        }
        Ok(views)
    }

    fn transaction_of(&self, id: &CaseId) -> Result<Option<TransactionRow>> {
        let sql = format!("{TRANSACTION_COLUMNS} {OF_CASE}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let row = statement.query_row(case_key!(id), transaction_row).optional()?;
        Ok(row.and_then(std::result::Result::ok))
    }

    fn case_file(&self, id: &CaseId) -> Result<Option<CaseFile>> {
        let Some(TransactionRow { id, terminal, case, .. }) = self.transaction_of(id)? else {
            return Ok(None);
        };
        let number: i64 = self.connection.query_row(
            &format!(
                "SELECT t.id FROM transactions t JOIN agents a ON a.number = t.agent {OF_CASE}"
            ),
            case_key!(id),
            |row| row.get(0),
        )?;
        Ok(Some(CaseFile {
            findings: self.findings_of(number)?,
            actions: self.actions_of(number)?,
            events: self.events_of(&id.agent, &case)?,
            view: CaseView { id, terminal, case },
        }))
    }
}

fn source_view(coverage: &Coverage, source: &Source, wall_ahead_ms: i64) -> SourceView {
    let wall = |at: StreamTime| EventTime(at.0.saturating_add(wall_ahead_ms));
    let holes = source.holes.iter();
    SourceView {
        source: source.id,
        name: source.name.clone(),
        dialect: source.dialect.clone(),
        terminal: source.terminal,
        hears_money: source.hears_money,
        hears_slips: coverage.carries_slips(source),
        open: source.closed.is_none(),
        covered_until: wall(source.covered_until),
        holes: holes.map(|hole| (wall(hole.from), wall(hole.to), hole.why.label())).collect(),
    }
}

fn agent_view(row: AgentRow) -> AgentView {
    let state: Result<Agent, ShapeError> = shape::from_bytes(&row.state);
    let (sources, terminals) = state.map_or_else(
        |_| Default::default(),
        |agent| {
            let ahead = agent.timeline.wall_ahead_ms;
            let sources = agent.coverage.sources.iter();
            let sources = sources.map(|source| source_view(&agent.coverage, source, ahead));
            let terminals = agent.terminals.ids().flatten();
            (sources.collect(), terminals.collect())
        },
    );
    AgentView {
        name: row.name,
        presence: row.presence,
        version: row.version,
        heard: row.heard,
        through: row.admission.through,
        sources,
        terminals,
    }
}

impl Reader for SqliteReader {
    fn cases(&mut self, query: &CaseQuery) -> Result<Vec<CaseView>, StoreError> {
        self.cases_where(query).map_err(failed("reading payments"))
    }

    fn case(&mut self, id: &CaseId) -> Result<Option<CaseFile>, StoreError> {
        self.case_file(id).map_err(failed("reading a payment"))
    }

    fn exhibit(&mut self, id: &CaseId) -> Result<Option<Exhibit>, StoreError> {
        self.read_exhibit(id)
    }

    fn agents(&mut self) -> Result<Vec<AgentView>, StoreError> {
        let rows = || -> Result<Vec<AgentView>> {
            let mut statement = self.connection.prepare_cached(AGENT_COLUMNS)?;
            let rows = statement.query_map([], agent_row)?;
            rows.map(|row| row.map(agent_view)).collect()
        };
        rows().map_err(failed("reading agents"))
    }

    fn findings(
        &mut self,
        since: ArrivalTime,
        only_open: bool,
        limit: usize,
    ) -> Result<Vec<FindingView>, StoreError> {
        let rows = || -> Result<Vec<FindingView>> {
            let mut statement = self.connection.prepare_cached(&format!(
                "{FINDING_COLUMNS} WHERE f.changed >= ?1 AND f.is_open >= ?2
                 ORDER BY f.changed DESC, f.name LIMIT ?3"
            ))?;
            let values = params![since.0, i64::from(only_open), limit.min(PAGE_ROWS_MAX) as i64];
            let rows = statement.query_map(values, finding_view)?;
            rows.filter_map(Result::transpose).collect()
        };
        rows().map_err(failed("reading findings"))
    }

    fn statements(
        &mut self,
        limit: usize,
    ) -> Result<Vec<super::super::settlement::FileView>, StoreError> {
        self.settlement_files(limit)
    }

    fn statement(
        &mut self,
        file: super::super::settlement::FileId,
        limit: usize,
    ) -> Result<Option<super::super::settlement::StatementView>, StoreError> {
        self.settlement_file(file, limit)
    }

    fn outbox_due(&mut self, now: ArrivalTime, limit: usize) -> Result<Vec<OutboxDue>, StoreError> {
        let rows = || -> Result<Vec<OutboxDue>> {
            let mut statement = self.connection.prepare_cached(
                "SELECT id, attempts, message_id, in_reply_to, road, recipient, subject, text, html,
                    created, not_before, findings
                 FROM outbox WHERE sent IS NULL AND given_up IS NULL AND not_before <= ?1
                 ORDER BY not_before, id LIMIT ?2",
            )?;
            let rows = statement.query_map(params![now.0, limit as i64], |row| {
                let findings: String = row.get(11)?;
                Ok(OutboxDue {
                    id: row.get(0)?,
                    attempts: row.get(1)?,
                    row: OutboxRow {
                        message_id: row.get(2)?,
                        in_reply_to: row.get(3)?,
                        road: if row.get::<_, i64>(4)? == 0 { Road::Mail } else { Road::Webhook },
                        recipient: row.get(5)?,
                        subject: row.get(6)?,
                        text: row.get(7)?,
                        html: row.get(8)?,
                        created: ArrivalTime(row.get(9)?),
                        not_before: ArrivalTime(row.get(10)?),
                        findings: findings.lines().map(str::to_owned).collect(),
                    },
                })
            })?;
            rows.collect()
        };
        rows().map_err(failed("reading the outbox"))
    }

    fn alert_state(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        alert_state(&self.connection).map_err(failed("reading what letters told"))
    }

    fn outbox_counts(&mut self) -> Result<OutboxCounts, StoreError> {
        let row = || -> Result<OutboxCounts> {
            self.connection.query_row(
                "SELECT (SELECT count(*) FROM outbox WHERE sent IS NULL AND given_up IS NULL),
                    (SELECT count(*) FROM outbox WHERE given_up IS NOT NULL),
                    (SELECT min(created) FROM outbox WHERE sent IS NULL AND given_up IS NULL)",
                [],
                |row| {
                    Ok(OutboxCounts {
                        waiting: number(row, 0)?,
                        given_up: number(row, 1)?,
                        oldest_waiting: row.get::<_, Option<i64>>(2)?.map(ArrivalTime),
                    })
                },
            )
        };
        row().map_err(failed("counting the outbox"))
    }

    fn journal(
        &mut self,
        agent: &AgentName,
        epoch: Epoch,
        from: Seq,
        through: Seq,
    ) -> Result<Vec<Event>, StoreError> {
        self.stretch(agent, epoch, from, through).map_err(failed("reading the journal"))
    }
}
