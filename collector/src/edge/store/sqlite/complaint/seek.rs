//! What may be meant by what a shopper says. Slack never becomes a scan: a shop's few days are one stretch of an index that
//! holds all that slack compares; without a shop each amount, last four and number within one slip is asked for by itself.

use super::super::read::{TRANSACTION_COLUMNS, transaction_row};
use crate::complaint::answer::Booked;
use crate::complaint::desk::Payment;
use crate::complaint::matching::{CANDIDATES_MAX, Candidate, Source, promise};
use crate::complaint::said::{Said, SaidAmount, When};
use crate::complaint::slack::{BESIDE_MS, amounts, folded, last_fours, variants};
use crate::correlate::case::{Case, CaseId};
use crate::correlate::correlator::Agent;
use crate::correlate::recall::TransactionRow;
use crate::correlate::shape;
use crate::correlate::timeline::StreamTime;
use crate::correlate::verdict::Verdict;
use crate::edge::store::complaint::{LooseRow, Sought};
use crate::settlement::matching::{Role, Tier};
use crate::settlement::row::{Precision, RowKind};
use crate::settlement::standing::Standing;
use rusqlite::{Connection, OptionalExtension, Result, Row, ToSql, params};
use slipwatch_shared::event::Kind;
use slipwatch_shared::money::Amount;
use slipwatch_shared::terminal::{StoreId, TerminalId};
use slipwatch_shared::times::EventTime;
use std::collections::{BTreeMap, BTreeSet};

/// Most payments that are read whole for one search: the best of those that the index shows.
const READ_MAX: usize = 200;
/// Most payments that one amount, last four or number brings where no shop is known.
const PROBE_ROWS_MAX: usize = 256;
/// The same of the amount or last four as they were said, which are likelier.
const EXACT_ROWS_MAX: usize = 2_048;
/// Most refunds of one amount that are looked at for one debit, and how long after it.
const UNDOS_MAX: usize = 64;
const REFUNDED_MS_MAX: i64 = 180 * DAY_MS;
const DAY_MS: i64 = 86_400_000;

struct Seeker<'a> {
    connection: &'a Connection,
    said: &'a Said,
    /// Shown each statement before it is asked.
    watch: &'a mut dyn FnMut(&str),
    probes: u32,
    /// Payments by their numbers in the store, with what they promise.
    payments: BTreeMap<i64, i32>,
    rows: BTreeSet<i64>,
}

/// Finds what may be meant.
pub(super) fn seek(connection: &Connection, said: &Said) -> Result<Sought> {
    seek_watched(connection, said, &mut |_| {})
}

/// The same; `watch` sees every statement.
pub(super) fn seek_watched(
    connection: &Connection,
    said: &Said,
    watch: &mut dyn FnMut(&str),
) -> Result<Sought> {
    let (payments, rows) = (BTreeMap::new(), BTreeSet::new());
    let mut seeker = Seeker { connection, said, watch, probes: 0, payments, rows };
    seeker.by_number()?;
    match (&said.store, said.when) {
        (Some(store), Some(when)) => seeker.by_shop(store, when)?,
        (None, Some(when)) => seeker.by_amount_and_card(when)?,
        (_, None) => {}
    }
    if let Some(when) = said.when {
        seeker.rows_by_amount(when)?;
    }
    seeker.finish()
}

/// The span of time that slack may reach.
fn around(when: When) -> (i64, i64) {
    (when.from_ms.saturating_sub(BESIDE_MS), when.to_ms.saturating_add(BESIDE_MS))
}

impl Seeker<'_> {
    fn probe(
        &mut self,
        sql: &str,
        values: &[&dyn ToSql],
        mut each: impl FnMut(&Row<'_>) -> Result<(i64, i32)>,
    ) -> Result<()> {
        self.probes += 1;
        (self.watch)(sql);
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(values)?;
        while let Some(row) = rows.next()? {
            let (id, points) = each(row)?;
            self.payments.insert(id, points);
            if self.payments.len() > CANDIDATES_MAX {
                break;
            }
        }
        Ok(())
    }

    /// Numbers off the phone, each that is one slip away.
    fn by_number(&mut self) -> Result<()> {
        let Some(order) = self.said.order.as_deref() else { return Ok(()) };
        let folded = folded(order);
        let mut texts = vec![order.to_owned(), folded.to_ascii_lowercase()];
        texts.extend(variants(&folded));
        for text in &texts {
            for column in ["order_number", "channel_transaction_id"] {
                let sql = format!("SELECT id FROM transactions WHERE {column} = ?1 LIMIT 8");
                self.probe(&sql, &[text], |row| Ok((row.get(0)?, 1_000)))?;
                let sql = format!("SELECT id FROM settlement_rows WHERE {column} = ?1 LIMIT 8");
                self.row_probe(&sql, &[text])?;
            }
        }
        Ok(())
    }

    fn row_probe(&mut self, sql: &str, values: &[&dyn ToSql]) -> Result<()> {
        self.probes += 1;
        (self.watch)(sql);
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(values)?;
        while let Some(row) = rows.next()? {
            if self.rows.len() < READ_MAX {
                self.rows.insert(row.get(0)?);
            }
        }
        Ok(())
    }

    /// A shop's payments of these days: one stretch of one index, which holds all that is compared here.
    fn by_shop(&mut self, store: &StoreId, when: When) -> Result<()> {
        let (from, to) = around(when);
        let said = self.said;
        let sql = format!(
            "SELECT id, wall, minor, last_four FROM transactions INDEXED BY transactions_by_shop
             WHERE store = ?1 AND wall BETWEEN ?2 AND ?3 LIMIT {CANDIDATES_MAX}"
        );
        self.probe(&sql, &[&store.as_str(), &from, &to], |row| {
            let (wall, minor): (i64, Option<i64>) = (row.get(1)?, row.get(2)?);
            // The currency is not in the index: nearly all count in hundredths, and others come out as a slip of the point.
            let points = promise(said, wall, minor.map(i64::abs), row.get(3)?);
            Ok((row.get(0)?, points))
        })
    }

    /// No shop: every amount within one slip, and the last four with it.
    fn by_amount_and_card(&mut self, when: When) -> Result<()> {
        let (from, to) = around(when);
        let said = self.said;
        let points_of = |row: &Row<'_>| -> Result<(i64, i32)> {
            let minor: Option<i64> = row.get(2)?;
            Ok((row.get(0)?, promise(said, row.get(1)?, minor.map(i64::abs), row.get(3)?)))
        };
        let columns = "SELECT id, wall, minor, last_four FROM transactions";
        if let Some(amount) = said.amount {
            for (at, minor) in minors(amount).into_iter().enumerate() {
                let limit = if at == 0 { EXACT_ROWS_MAX } else { PROBE_ROWS_MAX };
                let sql = format!(
                    "{columns} INDEXED BY transactions_by_amount WHERE minor = ?1 AND wall BETWEEN ?2 AND ?3 LIMIT {limit}"
                );
                self.probe(&sql, &[&minor, &from, &to], points_of)?;
            }
            if let Some(four) = said.last_four {
                // The amount as it was said, and any card within one slip, whatever the hour.
                let minor = minors(amount)[0];
                for four in last_fours(four) {
                    let sql = format!(
                        "{columns} INDEXED BY transactions_by_last_four WHERE last_four = ?1 AND minor = ?2
                         AND wall BETWEEN ?3 AND ?4 LIMIT {PROBE_ROWS_MAX}"
                    );
                    self.probe(&sql, &[&four, &minor, &from, &to], points_of)?;
                }
            }
        } else if let Some(four) = said.last_four {
            let sql = format!(
                "{columns} INDEXED BY transactions_by_last_four WHERE last_four = ?1
                 AND wall BETWEEN ?2 AND ?3 LIMIT {EXACT_ROWS_MAX}"
            );
            self.probe(&sql, &[&four, &from, &to], points_of)?;
        }
        Ok(())
    }

    /// Rows of settlement files that no payment was found for.
    fn rows_by_amount(&mut self, when: When) -> Result<()> {
        let Some(amount) = self.said.amount else { return Ok(()) };
        let (from, to) = around(when);
        let day = |at_ms: i64| day_text(at_ms);
        // A row may be booked the day after, and is told by the day of another clock.
        let (first, last) = (day(from - DAY_MS), day(to + DAY_MS));
        for minor in minors(amount) {
            let sql = "SELECT id FROM settlement_rows INDEXED BY settlement_rows_by_amount
                 WHERE minor = ?1 AND at BETWEEN ?2 AND ?3 AND state <> 1 LIMIT 64";
            self.row_probe(sql, &[&minor, &from, &to])?;
            let sql = "SELECT id FROM settlement_rows INDEXED BY settlement_rows_by_amount
                 WHERE minor = ?1 AND at IS NULL AND day BETWEEN ?2 AND ?3 AND state <> 1 LIMIT 64";
            self.row_probe(sql, &[&minor, &first, &last])?;
        }
        Ok(())
    }

    fn finish(self) -> Result<Sought> {
        let mut best: Vec<(i64, i32)> = self.payments.into_iter().collect();
        best.sort_by_key(|&(id, points)| (-points, -id));
        let mut probes = self.probes;
        let mut candidates = Vec::new();
        let sql = format!("{TRANSACTION_COLUMNS} WHERE t.id = ?1");
        for (id, _) in best.into_iter().take(READ_MAX) {
            probes += 1;
            (self.watch)(&sql);
            let row = self.connection.prepare_cached(&sql)?.query_row([id], transaction_row);
            if let Some(Ok(row)) = row.optional()? {
                candidates.push(candidate(row));
            }
        }
        for row in self.rows {
            probes += 1;
            candidates.extend(loose_candidate(self.connection, row)?);
        }
        Ok(Sought { candidates, probes })
    }
}

/// An amount and those within one slip of it, in minor units.
fn minors(amount: SaidAmount) -> Vec<i64> {
    let digits = amount.currency.map_or(2, |currency| currency.minor_digits());
    let minor = |hundredths: i64| match digits {
        0 => hundredths / 100,
        3 => hundredths.saturating_mul(10),
        _ => hundredths,
    };
    amounts(amount.hundredths).into_iter().map(minor).filter(|&minor| minor > 0).collect()
}

fn day_text(at_ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default();
    at.to_zoned_datetime(jiff::tz::TimeZone::UTC).date().to_string()
}

fn slip_missing(case: &Case) -> bool {
    matches!(
        case.verdict,
        Verdict::NoSlip { .. } | Verdict::Pending { .. } | Verdict::Unknown { .. }
    )
}

fn candidate(row: TransactionRow) -> Candidate {
    let case = &row.case;
    let at = case.wall(case.opened).0;
    let keys = &case.keys;
    let texts = [
        keys.order_number.as_ref().map(ToString::to_string),
        keys.channel_transaction_id.as_ref().map(ToString::to_string),
    ];
    Candidate {
        store: Some(row.id.agent.store.clone()),
        terminal: row.terminal,
        at: When { from_ms: at, to_ms: at },
        day: None,
        amount: keys.amount.map(|amount| Amount::new(amount.minor.abs(), amount.currency)),
        last_four: keys.card.and_then(|card| card.pan).map(|pan| pan.last_four()),
        numbers: texts.into_iter().flatten().map(String::into_boxed_str).collect(),
        kind: case.kind,
        standing: Standing::of(case),
        slip_missing: slip_missing(case),
        source: Source::Payment(row.id),
    }
}

/// A row that awaits its payment, of a file that counts.
fn loose_candidate(connection: &Connection, id: i64) -> Result<Option<Candidate>> {
    let sql = "SELECT r.kind, r.at, r.day, r.minor, r.currency, r.store, r.terminal, r.last_four, r.order_number,
            r.channel_transaction_id, r.precise
        FROM settlement_rows r JOIN settlement_files f ON f.id = r.file
        WHERE r.id = ?1 AND r.state <> 1 AND f.state = 1";
    let read = |row: &Row<'_>| -> Result<Option<Candidate>> {
        let text = |column: usize| row.get::<_, Option<String>>(column);
        let kind = RowKind::numbered(row.get(0)?);
        let kind = match kind {
            Some(RowKind::Sale) => Kind::Sale,
            Some(RowKind::Refund) => Kind::Refund,
            Some(RowKind::Void) => Kind::Void,
            _ => return Ok(None),
        };
        let Some(currency) = text(4)?.and_then(|code| code.parse().ok()) else { return Ok(None) };
        let minor: i64 = row.get(3)?;
        let day: String = row.get(2)?;
        let precision = row.get::<_, Option<i64>>(10)?.and_then(Precision::numbered);
        let is_day_alone = precision.is_none_or(|precision| precision == Precision::Day);
        let at = match row.get::<_, Option<i64>>(1)? {
            Some(at) if is_day_alone => When { from_ms: at, to_ms: at + DAY_MS },
            Some(at) => When { from_ms: at, to_ms: at },
            // A day by a clock that the row does not tell: wide enough for any.
            None => {
                let start = day_ms(&day);
                When { from_ms: start - DAY_MS / 2, to_ms: start + DAY_MS + DAY_MS / 2 }
            }
        };
        Ok(Some(Candidate {
            source: Source::Row(id),
            store: text(5)?.and_then(|store| store.parse().ok()),
            terminal: text(6)?.and_then(|terminal| terminal.parse().ok()),
            at,
            day: day.parse().ok().filter(|_| is_day_alone),
            amount: Some(Amount::new(minor.abs(), currency)),
            last_four: row.get(7)?,
            numbers: [text(8)?, text(9)?]
                .into_iter()
                .flatten()
                .map(String::into_boxed_str)
                .collect(),
            kind,
            standing: Standing::Untold,
            slip_missing: false,
        }))
    };
    connection.prepare_cached(sql)?.query_row([id], read).optional().map(Option::flatten)
}

fn day_ms(day: &str) -> i64 {
    let day: Option<jiff::civil::Date> = day.parse().ok();
    let midnight =
        day.and_then(|day| day.at(0, 0, 0, 0).to_zoned_datetime(jiff::tz::TimeZone::UTC).ok());
    midnight.map_or(0, |midnight| midnight.timestamp().as_millisecond())
}

pub(super) fn loose_row(connection: &Connection, id: i64) -> Result<Option<LooseRow>> {
    let found = loose_candidate(connection, id)?;
    Ok(found.map(|found| LooseRow {
        gives_back: matches!(found.kind, Kind::Refund | Kind::Void),
        at: EventTime(found.at.from_ms + (found.at.to_ms - found.at.from_ms) / 2),
    }))
}

/// A payment, and what files that count say of it.
pub(super) fn payment(connection: &Connection, id: &CaseId) -> Result<Option<(Payment, Booked)>> {
    let sql = format!(
        "{TRANSACTION_COLUMNS} WHERE a.store = ?1 AND a.agent = ?2 AND t.epoch = ?3 AND t.seq = ?4"
    );
    let (store, agent) = (id.agent.store.as_str(), id.agent.agent.as_str());
    let (epoch, seq) = (id.first.epoch.0 as i64, id.first.seq.0 as i64);
    let found = connection
        .prepare_cached(&sql)?
        .query_row(params![store, agent, epoch, seq], transaction_row)
        .optional()?;
    let Some(Ok(row)) = found else { return Ok(None) };
    let mut booked = booked(connection, &row.case, params![store, agent, epoch, seq])?;
    if booked.credited.is_none() && Standing::of(&row.case).is_undone() {
        booked.credited = credited_by_refund(connection, &row)?;
    }
    Ok(Some((Payment { id: row.id, terminal: row.terminal, case: row.case }, booked)))
}

/// When a file gave a debit back by the row of its refund or void, which is a payment of its own at the terminal.
fn credited_by_refund(
    connection: &Connection,
    debit: &TransactionRow,
) -> Result<Option<EventTime>> {
    let case = &debit.case;
    let (Some(amount), Some(stan)) = (case.keys.amount, case.keys.stan) else { return Ok(None) };
    let from = case.wall(case.opened).0;
    let sql = format!(
        "{TRANSACTION_COLUMNS} WHERE t.minor = ?1 AND t.wall BETWEEN ?2 AND ?3 AND t.kind IN (?4, ?5)
         AND t.store = ?6 LIMIT {UNDOS_MAX}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let store = debit.id.agent.store.as_str();
    let until = from.saturating_add(REFUNDED_MS_MAX);
    let kinds = (Kind::Void as i64, Kind::Refund as i64);
    for minor in [amount.minor, -amount.minor] {
        let values = params![minor, from, until, kinds.0, kinds.1, store];
        let undos = statement.query_map(values, transaction_row)?;
        let undos: Vec<TransactionRow> = undos.filter_map(|row| row.ok()?.ok()).collect();
        for undo in undos {
            let original = undo.case.keys.original.and_then(|original| original.stan);
            if undo.terminal != debit.terminal || original != Some(stan) {
                continue;
            }
            let (store, agent) = (undo.id.agent.store.as_str(), undo.id.agent.agent.as_str());
            let (epoch, seq) = (undo.id.first.epoch.0 as i64, undo.id.first.seq.0 as i64);
            let found = self::booked(connection, &undo.case, params![store, agent, epoch, seq])?;
            if found.credited.is_some() {
                return Ok(found.credited);
            }
        }
    }
    Ok(None)
}

fn booked(connection: &Connection, case: &Case, key: &[&dyn ToSql]) -> Result<Booked> {
    let mut statement = connection.prepare_cached(
        "SELECT l.role, l.tier, r.at, r.day FROM transactions t JOIN agents a ON a.number = t.agent
         JOIN settlement_links l ON l.transaction_id = t.id
         JOIN settlement_rows r ON r.id = l.row JOIN settlement_files f ON f.id = r.file
         WHERE a.store = ?1 AND a.agent = ?2 AND t.epoch = ?3 AND t.seq = ?4 AND f.state = 1",
    )?;
    let mut rows = statement.query(key)?;
    let mut booked = Booked::default();
    let is_credit_itself = matches!(case.kind, Kind::Refund | Kind::Void);
    while let Some(row) = rows.next()? {
        let (role, tier) = (Role::numbered(row.get(0)?), Tier::numbered(row.get(1)?));
        // What is only probable closes nothing.
        if tier.is_none_or(|tier| tier.is_probable()) {
            continue;
        }
        let day: String = row.get(3)?;
        let at = EventTime(row.get::<_, Option<i64>>(2)?.unwrap_or_else(|| day_ms(&day)));
        match role {
            Some(Role::Settles) if is_credit_itself => booked.credited = Some(at),
            Some(Role::Settles) => booked.settled = true,
            Some(Role::Offsets) => booked.credited = Some(at),
            _ => {}
        }
    }
    Ok(booked)
}

/// Whether all of these terminals were heard over a span; of a shop that lists none, all of its lines.
pub(super) fn was_heard(
    connection: &Connection,
    store: &StoreId,
    terminals: &[TerminalId],
    when: When,
) -> Result<bool> {
    let mut statement = connection.prepare_cached("SELECT state FROM agents WHERE store = ?1")?;
    let mut rows = statement.query([store.as_str()])?;
    let mut agents: Vec<Agent> = Vec::new();
    while let Some(row) = rows.next()? {
        // One that cannot be read was not heard.
        let Ok(agent) = shape::from_bytes::<Agent>(row.get_ref(0)?.as_blob()?) else {
            return Ok(false);
        };
        agents.push(agent);
    }
    let mut wanted: Vec<Option<TerminalId>> = terminals.iter().copied().map(Some).collect();
    if wanted.is_empty() {
        wanted.push(None);
    }
    Ok(wanted.into_iter().all(|terminal| is_covered(&agents, terminal, when)))
}

fn is_covered(agents: &[Agent], terminal: Option<TerminalId>, when: When) -> bool {
    let mut any = false;
    for agent in agents {
        let at = |wall: i64| StreamTime(wall.saturating_sub(agent.timeline.wall_ahead_ms));
        let (from, to) = (at(when.from_ms), at(when.to_ms));
        let serves = |source: &&crate::correlate::coverage::Source| {
            source.hears_money && (terminal.is_none() || source.serves(terminal))
        };
        for source in agent.coverage.sources.iter().filter(serves) {
            any = true;
            if source.hole_in(from, to).is_some() {
                return false;
            }
        }
    }
    any
}
