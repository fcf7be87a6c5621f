//! Payments that may stand behind rows: looked up by the surest number of each row, and for what is left by amount and
//! time. A number that many payments carry brings the latest few.

use super::super::failed;
use super::SqliteStatements;
use crate::correlate::case::Case;
use crate::correlate::shape;
use crate::edge::store::StoreError;
use crate::settlement::matching::Candidate;
use crate::settlement::row::SettlementRow;
use crate::settlement::standing::Standing;
use rusqlite::types::ValueRef;
use rusqlite::{Result, Row, ToSql, params};
use slipwatch_shared::event::Kind;
use slipwatch_shared::money::Amount;
use slipwatch_shared::terminal::StoreId;
use slipwatch_shared::times::EventTime;
use slipwatch_shared::trace::{BatchNumber, Stan};
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

/// Most payments that one number brings.
const ROWS_MAX: i64 = 32;
/// Most payments that one amount and span of time bring.
const NEAR_MAX: i64 = 256;
const DAY_MS: i64 = 86_400_000;

pub(super) const CANDIDATE_COLUMNS: &str = "SELECT t.id, t.store, t.terminal, t.wall, t.kind, t.minor, t.currency, t.stan,
    t.batch_number, t.rrn, t.authorization_code, t.order_number, t.channel_transaction_id, t.merchant,
    t.last_four, c.money, c.open_findings, CASE c.money WHEN 0 THEN c.state END
    FROM transactions t JOIN cases c ON c.id = t.id";

/// Kinds by their numbers in the store.
const KINDS: [Kind; 6] = [
    Kind::Sale,
    Kind::Void,
    Kind::Refund,
    Kind::Preauthorization,
    Kind::Completion,
    Kind::BalanceInquiry,
];

/// Candidates of a chunk of rows, each once.
#[derive(Debug, Default)]
pub struct Found {
    /// The candidates.
    pub candidates: Vec<Candidate>,
    known: BTreeSet<i64>,
}

impl SqliteStatements {
    /// Payments that share a number with one of the rows: of each row by the first of its numbers that finds any.
    pub fn candidates(&mut self, rows: &[SettlementRow]) -> Result<Found, StoreError> {
        let looking = failed("looking for payments behind rows");
        let mut found = Found::default();
        for row in rows.iter().filter(|row| row.kind.has_payment() || names_original(row)) {
            self.by_numbers(row, &mut found).map_err(&looking)?;
        }
        Ok(found)
    }

    fn by_numbers(&mut self, row: &SettlementRow, found: &mut Found) -> Result<()> {
        let at = row.moment().0;
        let window = |days: i64| (at - days * DAY_MS, at + (days + 1) * DAY_MS);
        let mut hits = 0;
        if let Some(id) = row.channel_transaction_id.as_deref() {
            hits += self.look(found, "t.channel_transaction_id = ?1", &[&id.as_str()])?;
        }
        if let Some(id) = row.original.channel_transaction_id.as_deref() {
            self.look(found, "t.channel_transaction_id = ?1", &[&id.as_str()])?;
        }
        let terminal = row.terminal.as_ref().map(|terminal| terminal.as_str());
        let (from, to) = window(3);
        if let (0, Some(terminal), Some(stan), Some(batch)) =
            (hits, terminal, row.stan, row.batch_number)
        {
            let values: [&dyn ToSql; 5] = [&stan.number(), &batch.number(), &terminal, &from, &to];
            let condition = "t.stan = ?1 AND t.batch_number = ?2 AND t.terminal = ?3 AND t.wall BETWEEN ?4 AND ?5";
            hits += self.look(found, condition, &values)?;
        }
        if let (0, Some(rrn)) = (hits, &row.rrn) {
            let condition = "t.rrn = ?1 AND t.wall BETWEEN ?2 AND ?3";
            hits += self.look(found, condition, &[&rrn.as_str(), &from, &to])?;
        }
        if let (0, Some(number)) = (hits, row.order_number.as_deref()) {
            self.look(found, "t.order_number = ?1", &[&number.as_str()])?;
        }
        self.originals(row, found)
    }

    fn originals(&mut self, row: &SettlementRow, found: &mut Found) -> Result<()> {
        let original = &row.original;
        if let Some(number) = original.order_number.as_deref() {
            self.look(found, "t.order_number = ?1", &[&number.as_str()])?;
        }
        let terminal = row.terminal.as_ref().map(|terminal| terminal.as_str());
        if let (Some(stan), Some(terminal)) = (original.stan, terminal) {
            let batch = original.batch_number.or(row.batch_number).map(|number| number.number());
            let condition =
                "t.stan = ?1 AND t.terminal = ?2 AND (?3 IS NULL OR t.batch_number = ?3)";
            self.look(found, condition, &[&stan.number(), &terminal, &batch])?;
        }
        if let Some(rrn) = &original.rrn {
            self.look(found, "t.rrn = ?1", &[&rrn.as_str()])?;
        }
        Ok(())
    }

    fn look(&mut self, found: &mut Found, condition: &str, values: &[&dyn ToSql]) -> Result<usize> {
        let sql =
            format!("{CANDIDATE_COLUMNS} WHERE {condition} ORDER BY t.wall DESC LIMIT {ROWS_MAX}");
        self.gather(found, &sql, values)
    }

    /// Payments of the same amount around rows that no number linked.
    pub fn candidates_near(
        &mut self,
        rows: &[SettlementRow],
        tip_percent_max: u8,
    ) -> Result<Found, StoreError> {
        let looking = failed("looking for payments near rows");
        let sql = format!(
            "{CANDIDATE_COLUMNS} WHERE t.minor BETWEEN ?1 AND ?2 AND t.wall BETWEEN ?3 AND ?4
             ORDER BY t.minor DESC, t.wall LIMIT {NEAR_MAX}"
        );
        let same = format!(
            "{CANDIDATE_COLUMNS} WHERE t.minor = ?1 AND t.wall BETWEEN ?2 AND ?3 ORDER BY t.wall LIMIT {NEAR_MAX}"
        );
        let mut found = Found::default();
        for row in rows.iter().filter(|row| row.kind.has_payment()) {
            let minor = row.amount.minor.abs();
            let at = row.moment().0;
            let (from, to) = (at - DAY_MS, at + 2 * DAY_MS);
            for minor in [minor, -minor] {
                self.gather(&mut found, &same, params![minor, from, to]).map_err(&looking)?;
            }
            if tip_percent_max > 0 {
                let least = minor * 100 / (100 + i64::from(tip_percent_max));
                let values = params![least, minor - 1, at - 900_000, at + 900_000];
                self.gather(&mut found, &sql, values).map_err(&looking)?;
            }
        }
        Ok(found)
    }

    fn gather(&mut self, found: &mut Found, sql: &str, values: &[&dyn ToSql]) -> Result<usize> {
        let Self { connection, shops, .. } = self;
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(values)?;
        let mut hits = 0;
        while let Some(row) = rows.next()? {
            hits += 1;
            if found.known.insert(row.get(0)?)
                && let Some(candidate) = candidate(row, |name| shops.number(name))?
            {
                found.candidates.push(candidate);
            }
        }
        Ok(hits)
    }

    /// Which of the payments are settled by a row of a file that counts, or by one of `file`, which is loading.
    pub fn settled_among(
        &self,
        candidates: &[Candidate],
        file: crate::edge::store::settlement::FileId,
        replaced: &[crate::edge::store::settlement::FileId],
    ) -> Result<BTreeSet<i64>, StoreError> {
        let looking = failed("looking for links");
        let mut taken = BTreeSet::new();
        let mut states: BTreeMap<i64, bool> = BTreeMap::new();
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT r.file FROM settlement_links l JOIN settlement_rows r ON r.id = l.row
                 WHERE l.transaction_id = ?1 AND l.role = 0",
            )
            .map_err(&looking)?;
        let mut state = self
            .connection
            .prepare_cached("SELECT state FROM settlement_files WHERE id = ?1")
            .map_err(&looking)?;
        for candidate in candidates {
            let mut rows = statement.query([candidate.id]).map_err(&looking)?;
            while let Some(row) = rows.next().map_err(&looking)? {
                let of: i64 = row.get(0).map_err(&looking)?;
                let counts = match states.get(&of) {
                    Some(&counts) => counts,
                    None => {
                        let number: i64 =
                            state.query_row([of], |row| row.get(0)).map_err(&looking)?;
                        let is_replaced = replaced.iter().any(|id| id.0 == of);
                        let counts = (number == 1 || of == file.0) && !is_replaced;
                        states.insert(of, counts);
                        counts
                    }
                };
                if counts {
                    taken.insert(candidate.id);
                }
            }
        }
        Ok(taken)
    }
}

fn names_original(row: &SettlementRow) -> bool {
    row.original != crate::settlement::row::OriginalNumbers::default()
        || row.kind == crate::settlement::row::RowKind::Chargeback
}

fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<Option<&'a str>> {
    Ok(match row.get_ref(column)? {
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    })
}

fn parsed<T: FromStr>(row: &Row<'_>, column: usize) -> Result<Option<T>> {
    Ok(text(row, column)?.and_then(|text| text.parse().ok()))
}

/// A payment of [`CANDIDATE_COLUMNS`]; none where the row is damaged.
pub(super) fn candidate(
    row: &Row<'_>,
    mut shop: impl FnMut(&StoreId) -> u32,
) -> Result<Option<Candidate>> {
    let Some(store) = parsed::<StoreId>(row, 1)? else { return Ok(None) };
    let minor: Option<i64> = row.get(5)?;
    let amount = minor.zip(parsed(row, 6)?).map(|(minor, currency)| Amount::new(minor, currency));
    let mut standing = Standing::numbered(row.get(15)?).unwrap_or(Standing::Untold);
    let mut first_six = None;
    if standing == Standing::Untold
        && let ValueRef::Blob(bytes) = row.get_ref(17)?
        && let Ok(case) = shape::from_bytes::<Case>(bytes)
    {
        standing = Standing::of(&case);
        first_six = case.keys.card.and_then(|card| card.pan).and_then(|pan| pan.first_six());
    }
    let number = |column: usize| row.get::<_, Option<u32>>(column);
    Ok(Some(Candidate {
        id: row.get(0)?,
        shop: shop(&store),
        kind: KINDS.get(row.get::<_, u8>(4)? as usize).copied().unwrap_or(Kind::Sale),
        at: EventTime(row.get(3)?),
        amount,
        terminal: parsed(row, 2)?,
        merchant: parsed(row, 13)?,
        stan: number(7)?.and_then(|number| Stan::from_number(number).ok()),
        batch_number: number(8)?.and_then(|number| BatchNumber::from_number(number).ok()),
        rrn: parsed(row, 9)?,
        authorization_code: parsed(row, 10)?,
        order_number: parsed(row, 11)?.map(Box::new),
        channel_transaction_id: parsed(row, 12)?.map(Box::new),
        first_six,
        last_four: row.get(14)?,
        standing,
        has_open_findings: row.get::<_, i64>(16)? > 0,
    }))
}
