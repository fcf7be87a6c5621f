//! What files say: findings, and the news of them that the collector tells on. Written in the transaction that makes the
//! file count.

use super::super::{failed, write};
use super::SqliteStatements;
use super::load::count_file;
use crate::correlate::case::{CaseId, EventRef};
use crate::correlate::finding::{
    Change, Finding, FindingChange, FindingKind, Resolution, Stage, Subject,
};
use crate::correlate::policy::{AgentName, TerminalName};
use crate::correlate::shape;
use crate::edge::store::StoreError;
use crate::edge::store::settlement::{
    Changes, Detail, FileId, News, NewsOf, RowId, RowState, Said, SaidFinding, Watch, Watched,
};
use crate::settlement::matching::Role;
use crate::settlement::rate::Rates;
use rusqlite::{Connection, OptionalExtension, Result, Transaction, params};
use slipwatch_shared::event::{Epoch, Seq};
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::ArrivalTime;
use std::collections::BTreeMap;

/// A payment's name and terminal by its number in the store.
type Named = Option<(CaseId, Option<TerminalId>)>;

/// An open finding: its name, its payment's number in the store, how it stands, what its file says.
type OpenOfKind = (String, Option<i64>, Finding, Detail);

/// What is news, beside a finding's raise, change and end, which are numbered as such: a payment is in a file.
const NEWS_SETTLED: i64 = 3;
/// A finding that was only suspected is to be told.
const NEWS_ALERTS: i64 = 4;
/// A finding was raised, and is only suspected.
const NEWS_SUSPECTED: i64 = 5;

/// Kinds that one file says alone: a corrected file that does not say them takes them back.
const OF_ONE_FILE: [FindingKind; 4] = [
    FindingKind::AmountMismatch,
    FindingKind::FeeMismatch,
    FindingKind::UnexplainedDeduction,
    FindingKind::DuplicateDebit,
];

impl SqliteStatements {
    /// A payment's name and terminal.
    pub fn case_of(&self, transaction: i64) -> std::result::Result<Named, StoreError> {
        let read = || -> Result<Named> {
            self.connection
                .prepare_cached(
                    "SELECT a.store, a.agent, t.epoch, t.seq, t.terminal FROM transactions t
                     JOIN agents a ON a.number = t.agent WHERE t.id = ?1",
                )?
                .query_row([transaction], |row| {
                    let (store, agent): (String, String) = (row.get(0)?, row.get(1)?);
                    let terminal: Option<String> = row.get(4)?;
                    let name = store.parse().ok().zip(agent.parse().ok());
                    let first = EventRef {
                        epoch: Epoch(row.get::<_, i64>(2)? as u64),
                        seq: Seq(row.get::<_, i64>(3)? as u64),
                    };
                    Ok(name.map(|(store, agent)| {
                        let id = CaseId { agent: AgentName { store, agent }, first };
                        (id, terminal.and_then(|terminal| terminal.parse().ok()))
                    }))
                })
                .optional()
                .map(Option::flatten)
        };
        read().map_err(failed("reading a payment's name"))
    }

    /// The rates of a source's series as they stand.
    pub fn rates(&self, source: &str) -> std::result::Result<BTreeMap<String, Rates>, StoreError> {
        let read = || -> Result<BTreeMap<String, Rates>> {
            let mut statement = self
                .connection
                .prepare_cached("SELECT series, state FROM settlement_rates WHERE source = ?1")?;
            let rows = statement.query_map([source], |row| {
                Ok((row.get::<_, String>(0)?, Rates::from_text(&row.get::<_, String>(1)?)))
            })?;
            rows.collect()
        };
        read().map_err(failed("reading rates"))
    }

    /// Makes a file count with all that it says, in one transaction; `summary` writes what came of it. Gives what
    /// changed, and the file's version.
    pub fn conclude(
        &mut self,
        file: FileId,
        said: &Said,
        now: ArrivalTime,
        summary: impl Fn(&Changes, u32) -> String,
    ) -> std::result::Result<(Changes, u32), StoreError> {
        let concluding = failed("making a file count");
        // This one is on the disk when it returns, and all that was written for it before.
        self.connection.pragma_update(None, "synchronous", "FULL").map_err(&concluding)?;
        let transaction = self.begin_writing()?;
        let run = || -> Result<(Changes, u32)> {
            let (source, period, revision): (String, String, u32) = transaction.query_row(
                "SELECT source, period, revision FROM settlement_files WHERE id = ?1",
                [file.0],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )?;
            let mut changes = Changes::default();
            put_said(&transaction, said, now, &mut changes)?;
            take_back(&transaction, &source, &period, said, now, &mut changes)?;
            for case in &said.confirmed {
                put_news(&transaction, now, NEWS_SETTLED, &case.to_string())?;
            }
            for watch in &said.watch {
                put_watch(&transaction, watch)?;
            }
            for (series, state) in &said.rates {
                transaction.execute(
                    "INSERT INTO settlement_rates (source, series, state) VALUES (?1, ?2, ?3)
                     ON CONFLICT (source, series) DO UPDATE SET state = excluded.state",
                    [&source, series, state],
                )?;
            }
            count_file(&transaction, file, &summary(&changes, revision), now)?;
            Ok((changes, revision))
        };
        let done = run().map_err(&concluding)?;
        transaction.commit().map_err(&concluding)?;
        Ok(done)
    }

    /// Writes down what rows that book a payment more than once say of it, in one transaction.
    pub fn say_booked(
        &mut self,
        said: &Said,
        now: ArrivalTime,
    ) -> std::result::Result<Changes, StoreError> {
        let saying = failed("writing findings of rows that repeat");
        let transaction = self.begin_writing()?;
        let mut changes = Changes::default();
        put_said(&transaction, said, now, &mut changes).map_err(&saying)?;
        transaction.commit().map_err(&saying)?;
        Ok(changes)
    }

    /// Writes findings down, and ends others, in one transaction.
    pub fn say(
        &mut self,
        findings: &[SaidFinding],
        ended: &[(String, Resolution)],
        now: ArrivalTime,
    ) -> std::result::Result<Changes, StoreError> {
        let saying = failed("writing findings");
        let transaction = self.begin_writing()?;
        let run = || -> Result<Changes> {
            let mut changes = Changes::default();
            put_all(&transaction, findings, now, &mut changes)?;
            for (name, how) in ended {
                resolve(&transaction, name, *how, now, &mut changes)?;
            }
            Ok(changes)
        };
        let changes = run().map_err(&saying)?;
        transaction.commit().map_err(&saying)?;
        Ok(changes)
    }

    /// Open findings of a kind, with what their files say.
    pub fn open_findings(
        &self,
        kind: FindingKind,
    ) -> std::result::Result<Vec<OpenOfKind>, StoreError> {
        let read = || -> Result<Vec<OpenOfKind>> {
            let mut statement = self.connection.prepare_cached(
                "SELECT name, case_id, body, detail FROM findings
                 WHERE is_open = 1 AND kind = ?1 AND detail IS NOT NULL ORDER BY name",
            )?;
            let mut rows = statement.query([kind.code()])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let Ok(finding) = shape::from_bytes(row.get_ref(2)?.as_blob()?) else { continue };
                let detail: String = row.get(3)?;
                let detail = serde_json::from_str(&detail).unwrap_or_default();
                found.push((row.get(0)?, row.get(1)?, finding, detail));
            }
            Ok(found)
        };
        read().map_err(failed("reading findings"))
    }

    /// What is due to be looked at again.
    pub fn watched(
        &self,
        now: ArrivalTime,
        limit: usize,
    ) -> std::result::Result<Vec<Watch>, StoreError> {
        let read = || -> Result<Vec<Watch>> {
            let mut statement = self.connection.prepare_cached(
                "SELECT matter, transaction_id, row, due FROM settlement_watch WHERE due <= ?1
                 ORDER BY matter, transaction_id LIMIT ?2",
            )?;
            let rows = statement.query_map(params![now.0, limit as i64], |row| {
                Ok(Watch {
                    matter: Watched::numbered(row.get(0)?).unwrap_or(Watched::Late),
                    transaction: row.get(1)?,
                    row: RowId(row.get(2)?),
                    due: row.get(3)?,
                })
            })?;
            rows.collect()
        };
        read().map_err(failed("reading what is watched"))
    }

    /// Looks at something again once it is due.
    pub fn watch(&mut self, watches: &[Watch]) -> std::result::Result<(), StoreError> {
        if watches.is_empty() {
            return Ok(());
        }
        let watching = failed("watching what was settled");
        let transaction = self.begin_writing()?;
        watches.iter().try_for_each(|watch| put_watch(&transaction, watch)).map_err(&watching)?;
        transaction.commit().map_err(&watching)
    }

    /// Lets go of something that was watched.
    pub fn unwatch(&mut self, watches: &[Watch]) -> std::result::Result<(), StoreError> {
        let letting = failed("letting go of what was watched");
        let transaction = self.begin_writing()?;
        for watch in watches {
            transaction
                .execute(
                    "DELETE FROM settlement_watch WHERE matter = ?1 AND transaction_id = ?2",
                    params![watch.matter as i64, watch.transaction],
                )
                .map_err(&letting)?;
        }
        transaction.commit().map_err(&letting)
    }

    /// Writes down what is awaited of a row.
    pub fn set_row_state(
        &mut self,
        row: RowId,
        state: RowState,
    ) -> std::result::Result<(), StoreError> {
        self.connection
            .execute(
                "UPDATE settlement_rows SET state = ?2 WHERE id = ?1",
                params![row.0, state as i64],
            )
            .map(|_| ())
            .map_err(failed("writing a row's state"))
    }
}

/// Findings that rows say and end, and which rows settle their payments.
fn put_said(
    transaction: &Transaction<'_>,
    said: &Said,
    now: ArrivalTime,
    changes: &mut Changes,
) -> Result<()> {
    put_all(transaction, &said.findings, now, changes)?;
    for (name, how) in &said.ended {
        resolve(transaction, name, *how, now, changes)?;
    }
    said.settles.iter().try_for_each(|&(payment, row)| settle_by(transaction, payment, row))
}

/// Makes one of the rows that book a payment the one that settles it.
fn settle_by(transaction: &Transaction<'_>, payment: i64, row: RowId) -> Result<()> {
    transaction
        .prepare_cached(
            "UPDATE OR REPLACE settlement_links SET role = CASE row WHEN ?2 THEN ?3 ELSE ?4 END
             WHERE transaction_id = ?1 AND role IN (?3, ?4)",
        )?
        .execute(params![payment, row.0, Role::Settles as i64, Role::Repeats as i64])?;
    Ok(())
}

fn put_watch(transaction: &Transaction<'_>, watch: &Watch) -> Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO settlement_watch (matter, transaction_id, row, due) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (matter, transaction_id) DO UPDATE SET row = excluded.row, due = excluded.due",
        )?
        .execute(params![watch.matter as i64, watch.transaction, watch.row.0, watch.due])?;
    Ok(())
}

fn put_news(transaction: &Transaction<'_>, now: ArrivalTime, what: i64, name: &str) -> Result<()> {
    transaction
        .prepare_cached("INSERT INTO settlement_news (at, what, name) VALUES (?1, ?2, ?3)")?
        .execute(params![now.0, what, name])?;
    Ok(())
}

pub(in crate::edge::store::sqlite) fn put_all(
    transaction: &Transaction<'_>,
    findings: &[SaidFinding],
    now: ArrivalTime,
    changes: &mut Changes,
) -> Result<()> {
    for said in findings {
        let name = said.finding.id.to_string();
        let known: Option<Vec<u8>> = transaction
            .prepare_cached("SELECT body FROM findings WHERE name = ?1")?
            .query_row([&name], |row| row.get(0))
            .optional()?;
        let known: Option<Finding> = known.and_then(|body| shape::from_bytes(&body).ok());
        let detail = serde_json::to_string(&said.detail).expect("plain values can be written");
        let is_suspected = |finding: &Finding| finding.stage == Stage::Suspected;
        let (change, news) = match known {
            Some(known) if known == said.finding => {
                // No news; but a corrected file may say it in another row.
                transaction
                    .prepare_cached(
                        "UPDATE findings SET detail = ?2 WHERE name = ?1 AND detail IS NOT ?2",
                    )?
                    .execute([&name, &detail])?;
                continue;
            }
            Some(known) if known.is_open() => {
                let alerts = is_suspected(&known) && !is_suspected(&said.finding);
                (Change::Changed, if alerts { NEWS_ALERTS } else { Change::Changed as i64 })
            }
            _ if is_suspected(&said.finding) => (Change::Raised, NEWS_SUSPECTED),
            _ => (Change::Raised, Change::Raised as i64),
        };
        let terminal = said.terminal.as_ref().map(|terminal| terminal.as_str());
        put_finding(
            transaction,
            &name,
            &said.finding,
            said.transaction,
            terminal,
            Some(&detail),
            now,
        )?;
        tell(transaction, &name, &said.finding, (change, news), now, changes)?;
    }
    Ok(())
}

fn put_finding(
    transaction: &Transaction<'_>,
    name: &str,
    finding: &Finding,
    case_id: Option<i64>,
    terminal: Option<&str>,
    detail: Option<&str>,
    now: ArrivalTime,
) -> Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO findings (name, kind, case_id, store, terminal, is_open, raised, changed, body,
                detail)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9)
             ON CONFLICT (name) DO UPDATE SET is_open = excluded.is_open,
                changed = excluded.changed, body = excluded.body,
                detail = coalesce(excluded.detail, findings.detail)",
        )?
        .execute(params![
            name,
            finding.id.kind.code(),
            case_id,
            finding.id.subject.store().map_or("", |store| store.as_str()),
            terminal,
            finding.is_open(),
            now.0,
            shape::to_bytes(finding),
            detail,
        ])?;
    Ok(())
}

fn tell(
    transaction: &Transaction<'_>,
    name: &str,
    finding: &Finding,
    (change, news): (Change, i64),
    now: ArrivalTime,
    changes: &mut Changes,
) -> Result<()> {
    transaction
        .prepare_cached("INSERT INTO actions (at, finding, change, note) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![now.0, name, change as i64, write::note_of(finding)])?;
    put_news(transaction, now, news, name)?;
    changes.0.push((finding.id.kind, change));
    Ok(())
}

pub(in crate::edge::store::sqlite) fn resolve(
    transaction: &Transaction<'_>,
    name: &str,
    how: Resolution,
    now: ArrivalTime,
    changes: &mut Changes,
) -> Result<()> {
    let known: Option<Vec<u8>> = transaction
        .prepare_cached("SELECT body FROM findings WHERE name = ?1 AND is_open = 1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    let Some(Ok(mut finding)) = known.map(|body| shape::from_bytes::<Finding>(&body)) else {
        return Ok(());
    };
    finding.resolved = Some(how);
    put_finding(transaction, name, &finding, None, None, None, now)?;
    tell(transaction, name, &finding, (Change::Resolved, Change::Resolved as i64), now, changes)
}

/// What the version before said of the same days and this one does not.
fn take_back(
    transaction: &Transaction<'_>,
    source: &str,
    period: &str,
    said: &Said,
    now: ArrivalTime,
    changes: &mut Changes,
) -> Result<()> {
    let kept: Vec<String> = said.findings.iter().map(|said| said.finding.id.to_string()).collect();
    let mut stale: Vec<String> = Vec::new();
    for kind in OF_ONE_FILE {
        let mut statement = transaction.prepare_cached(
            "SELECT name FROM findings WHERE is_open = 1 AND kind = ?1 AND detail IS NOT NULL
             AND json_extract(detail, '$.source') = ?2 AND json_extract(detail, '$.period') = ?3",
        )?;
        let names = statement.query_map([kind.code(), source, period], |row| row.get(0))?;
        stale.extend(names.collect::<Result<Vec<String>>>()?);
    }
    for name in stale.iter().filter(|name| !kept.contains(name)) {
        resolve(transaction, name, Resolution::Corrected, now, changes)?;
    }
    Ok(())
}

/// News that the collector did not tell yet, the oldest first.
pub(in crate::edge::store::sqlite) fn news(
    connection: &Connection,
    limit: usize,
) -> Result<Vec<News>> {
    let mut statement = connection.prepare_cached(
        "SELECT n.number, n.at, n.what, n.name, f.body, f.terminal, f.detail, f.case_id
         FROM settlement_news n LEFT JOIN findings f ON f.name = n.name ORDER BY n.number LIMIT ?1",
    )?;
    let mut rows = statement.query([limit as i64])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let number = row.get(0)?;
        let learned = ArrivalTime(row.get(1)?);
        let (change, alerts) = match row.get::<_, i64>(2)? {
            0 => (Change::Raised, true),
            NEWS_SUSPECTED => (Change::Raised, false),
            1 => (Change::Changed, false),
            NEWS_ALERTS => (Change::Changed, true),
            2 => (Change::Resolved, false),
            _ => {
                let name: String = row.get(3)?;
                let what = name.parse().map_or(NewsOf::Gone, NewsOf::Settled);
                found.push(News { number, what });
                continue;
            }
        };
        let body: Option<Vec<u8>> = row.get(4)?;
        let Some(Ok(finding)) = body.map(|body| shape::from_bytes::<Finding>(&body)) else {
            found.push(News { number, what: NewsOf::Gone });
            continue;
        };
        let terminal: Option<String> = row.get(5)?;
        let store = finding.id.subject.store().cloned();
        let terminal = terminal
            .and_then(|terminal| terminal.parse().ok())
            .zip(store)
            .map(|(terminal, store)| TerminalName { store, terminal });
        let detail: Option<String> = row.get(6)?;
        let detail: Option<Detail> = detail.and_then(|text| serde_json::from_str(&text).ok());
        let case: Option<Vec<u8>> = match (&finding.id.subject, row.get::<_, Option<i64>>(7)?) {
            (Subject::Case(_), Some(case)) => connection
                .prepare_cached("SELECT state FROM cases WHERE id = ?1")?
                .query_row([case], |row| row.get(0))
                .optional()?,
            _ => None,
        };
        let case = case.and_then(|state| shape::from_bytes(&state).ok()).map(Box::new);
        let ledger = detail.map(|detail| Box::new(detail.ledger()));
        let change = FindingChange { change, finding, alerts, learned, terminal, case, ledger };
        found.push(News { number, what: NewsOf::Finding(Box::new(change)) });
    }
    Ok(found)
}
