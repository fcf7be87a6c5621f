//! Files and rows as the store has them.

use super::super::read::{FINDING_COLUMNS, FINDING_DETAIL, finding_view};
use super::super::{SqliteReader, failed};
use super::SqliteStatements;
use crate::edge::store::settlement::{
    FileHead, FileId, FileState, FileView, LinkView, RowId, RowState, RowView, StatementView,
};
use crate::edge::store::{OpenFinding, StoreError};
use crate::settlement::matching::{Role, Tier};
use crate::settlement::row::{
    CardClass, OriginalNumbers, Precision, RowKind, RowTime, SettlementRow,
};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use slipwatch_shared::card::MaskedPan;
use slipwatch_shared::event::Instrument;
use slipwatch_shared::money::Amount;
use slipwatch_shared::times::{ArrivalTime, EventTime};
use slipwatch_shared::trace::{BatchNumber, Stan};
use std::str::FromStr;

pub(super) const FILE_COLUMNS: &str =
    "SELECT id, source, period, revision, state, profile, name, hash,
    bytes, first_day, last_day, rows, arrived, settled, summary FROM settlement_files";

pub(super) const ROW_COLUMNS: &str =
    "r.id, r.file, r.line, r.kind, r.state, r.at, r.precise, r.day,
    r.minor, r.currency, r.fee_milli, r.net_minor, r.store, r.merchant, r.terminal, r.stan,
    r.batch_number, r.rrn, r.authorization_code, r.order_number, r.channel_transaction_id,
    r.refund_number, r.original, r.first_six, r.last_four, r.class, r.instrument, r.word, r.memo,
    r.payout";

/// How many columns [`ROW_COLUMNS`] are.
pub(super) const ROW_COLUMNS_COUNT: usize = 30;

fn wrong(column: usize) -> rusqlite::Error {
    let kind = rusqlite::types::Type::Text;
    rusqlite::Error::InvalidColumnType(column, "a value that this program wrote".to_owned(), kind)
}

fn parsed<T: FromStr>(row: &Row<'_>, column: usize) -> Result<Option<T>> {
    let text = row.get_ref(column)?.as_str_or_null().map_err(|_| wrong(column))?;
    text.map(|text| text.parse().map_err(|_| wrong(column))).transpose()
}

fn day(row: &Row<'_>, column: usize) -> Result<jiff::civil::Date> {
    parsed(row, column)?.ok_or_else(|| wrong(column))
}

pub(super) fn file_view(row: &Row<'_>) -> Result<FileView> {
    let state = FileState::numbered(row.get(4)?).ok_or_else(|| wrong(4))?;
    Ok(FileView {
        id: FileId(row.get(0)?),
        head: FileHead {
            source: row.get(1)?,
            period: row.get(2)?,
            profile: row.get(5)?,
            name: row.get(6)?,
            hash: row.get(7)?,
            bytes: row.get::<_, i64>(8)? as u64,
            first_day: day(row, 9)?,
            last_day: day(row, 10)?,
            rows: row.get::<_, i64>(11)? as u64,
        },
        revision: row.get(3)?,
        state,
        arrived: ArrivalTime(row.get(12)?),
        settled: row.get::<_, Option<i64>>(13)?.map(ArrivalTime),
        summary: row.get(14)?,
    })
}

const INSTRUMENTS: [Instrument; 4] =
    [Instrument::Card, Instrument::WechatQr, Instrument::AlipayQr, Instrument::UnionpayQr];

/// A row of [`ROW_COLUMNS`], which begin at column `from`.
pub(super) fn row_view(row: &Row<'_>, from: usize) -> Result<RowView> {
    let at = |column: usize| from + column;
    let currency = parsed(row, at(9))?.ok_or_else(|| wrong(9))?;
    let kind = RowKind::numbered(row.get(at(3))?).ok_or_else(|| wrong(3))?;
    let amount = Amount::new(row.get(at(8))?, currency);
    let mut found = SettlementRow::plain(row.get(at(2))?, kind, day(row, at(7))?, amount);
    let time: Option<i64> = row.get(at(5))?;
    let precision: Option<i64> = row.get(at(6))?;
    found.time = time
        .zip(precision.and_then(Precision::numbered))
        .map(|(time, precision)| RowTime { at: EventTime(time), precision });
    found.fee_milli = row.get(at(10))?;
    found.net_minor = row.get(at(11))?;
    found.merchant = row.get(at(13))?;
    found.terminal = parsed(row, at(14))?;
    let number = |column: usize| row.get::<_, Option<u32>>(at(column));
    found.stan = number(15)?.and_then(|number| Stan::from_number(number).ok());
    found.batch_number = number(16)?.and_then(|number| BatchNumber::from_number(number).ok());
    found.rrn = parsed(row, at(17))?;
    found.authorization_code = parsed(row, at(18))?;
    found.order_number = parsed(row, at(19))?.map(Box::new);
    found.channel_transaction_id = parsed(row, at(20))?.map(Box::new);
    found.refund_number = parsed(row, at(21))?.map(Box::new);
    let original: Option<String> = row.get(at(22))?;
    found.original = original.as_deref().map(original_numbers).unwrap_or_default();
    let first_six = number(23)?.map(|six| format!("{six:06}"));
    found.pan = number(24)?
        .and_then(|four| MaskedPan::from_parts(first_six.as_deref(), &format!("{four:04}")).ok());
    let class: Option<i64> = row.get(at(25))?;
    found.class = class.and_then(CardClass::numbered);
    let instrument: Option<u8> = row.get(at(26))?;
    found.instrument = instrument.and_then(|place| INSTRUMENTS.get(usize::from(place)).copied());
    found.word = row.get(at(27))?;
    found.memo = row.get(at(28))?;
    found.payout = row.get(at(29))?;
    Ok(RowView {
        id: RowId(row.get(at(0))?),
        file: FileId(row.get(at(1))?),
        row: found,
        store: parsed(row, at(12))?,
        state: RowState::numbered(row.get(at(4))?).unwrap_or(RowState::Done),
    })
}

fn original_numbers(text: &str) -> OriginalNumbers {
    let mut parts = text.split('\t');
    let mut next = || parts.next().unwrap_or_default();
    OriginalNumbers {
        stan: next().parse().ok(),
        batch_number: next().parse().ok(),
        rrn: next().parse().ok(),
        order_number: next().parse().ok().map(Box::new),
        channel_transaction_id: next().parse().ok().map(Box::new),
    }
}

fn files_where(
    connection: &Connection,
    condition: &str,
    values: &[&dyn rusqlite::ToSql],
) -> Result<Vec<FileView>> {
    let mut statement = connection.prepare_cached(&format!("{FILE_COLUMNS} {condition}"))?;
    let rows = statement.query_map(values, file_view)?;
    rows.collect()
}

/// Links that meet a condition, with their rows and files.
fn links_of(
    connection: &Connection,
    condition: &str,
    values: &[&dyn rusqlite::ToSql],
) -> Result<Vec<LinkView>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {ROW_COLUMNS}, l.role, l.tier, l.score FROM settlement_links l
         JOIN settlement_rows r ON r.id = l.row JOIN settlement_files f ON f.id = r.file
         WHERE {condition} ORDER BY l.role, r.id"
    ))?;
    let mut rows = statement.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let view = row_view(row, 0)?;
        let column = ROW_COLUMNS_COUNT;
        let file = connection
            .prepare_cached(&format!("{FILE_COLUMNS} WHERE id = ?1"))?
            .query_row([view.file.0], file_view)?;
        found.push(LinkView {
            row: view,
            file,
            role: Role::numbered(row.get(column)?).ok_or_else(|| wrong(column))?,
            tier: Tier::numbered(row.get(column + 1)?).ok_or_else(|| wrong(column + 1))?,
            score: row.get(column + 2)?,
        });
    }
    Ok(found)
}

impl SqliteReader {
    /// Settlement files, the latest first.
    pub fn settlement_files(&self, limit: usize) -> Result<Vec<FileView>, StoreError> {
        files_where(
            &self.connection,
            "WHERE state > 0 ORDER BY id DESC LIMIT ?1",
            &[&(limit as i64)],
        )
        .map_err(failed("reading settlement files"))
    }

    /// All that is open, the latest first.
    pub fn open_findings(&self) -> Result<Vec<OpenFinding>, StoreError> {
        self.open_where("ORDER BY f.changed DESC, f.name", &[])
            .map_err(failed("reading what is open"))
    }

    /// What is open because of the files of a source and period, by their numbers in the catalogue.
    pub fn open_findings_of(
        &self,
        source: &str,
        period: &str,
        limit: usize,
    ) -> Result<Vec<OpenFinding>, StoreError> {
        let condition = "AND f.detail IS NOT NULL AND json_extract(f.detail, '$.source') = ?1
             AND json_extract(f.detail, '$.period') = ?2 ORDER BY f.kind, f.name LIMIT ?3";
        self.open_where(condition, &[&source, &period, &(limit as i64)])
            .map_err(failed("reading what is open of a file"))
    }

    fn open_where(
        &self,
        condition: &str,
        values: &[&dyn rusqlite::ToSql],
    ) -> Result<Vec<OpenFinding>> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("{FINDING_COLUMNS} WHERE f.is_open = 1 {condition}"))?;
        let mut rows = statement.query(values)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let Some(view) = finding_view(row)? else { continue };
            let detail: Option<String> = row.get(FINDING_DETAIL)?;
            let detail = detail.and_then(|text| serde_json::from_str(&text).ok());
            found.push(OpenFinding { view, detail });
        }
        Ok(found)
    }

    /// One file with what is open because of it.
    pub fn settlement_file(
        &self,
        file: FileId,
        limit: usize,
    ) -> Result<Option<StatementView>, StoreError> {
        let found = files_where(&self.connection, "WHERE id = ?1 AND state > 0", &[&file.0]);
        let Some(file) = found.map_err(failed("reading a settlement file"))?.pop() else {
            return Ok(None);
        };
        let findings = match file.state {
            FileState::Loaded => {
                self.open_findings_of(&file.head.source, &file.head.period, limit)?
            }
            _ => Vec::new(),
        };
        Ok(Some(StatementView { file, findings }))
    }

    /// The rows that settle, offset or may settle a payment, with their files; `transaction` is its number in the store.
    pub fn settlement_of(&self, transaction: i64) -> Result<Vec<LinkView>, StoreError> {
        let loaded = FileState::Loaded as i64;
        let condition = "l.transaction_id = ?1 AND f.state = ?2";
        links_of(&self.connection, condition, &[&transaction, &loaded])
            .map_err(failed("reading what settles a payment"))
    }
}

impl SqliteStatements {
    /// The file with this content that counts or counted, where there is one.
    pub fn file_by_hash(&self, hash: &[u8; 32]) -> Result<Option<FileView>, StoreError> {
        let condition = "WHERE hash = ?1 AND state = ?2 ORDER BY id DESC LIMIT 1";
        let found = files_where(
            &self.connection,
            condition,
            &[&hash.as_slice(), &(FileState::Loaded as i64)],
        );
        Ok(found.map_err(failed("looking for a file"))?.pop())
    }

    /// Rows that settle or repeat a payment; once a file counts that is still loading, where one is given: then its own, too,
    /// and none of the files that it replaces.
    pub fn rows_booking(
        &self,
        transaction: i64,
        loading: Option<FileId>,
    ) -> Result<Vec<LinkView>, StoreError> {
        let condition = "l.transaction_id = ?1 AND l.role IN (?3, ?4) AND (f.id = ?2 OR (f.state = ?5 AND NOT EXISTS
            (SELECT 1 FROM settlement_files n WHERE n.id = ?2 AND n.source = f.source AND n.period = f.period)))";
        let (settles, repeats) = (Role::Settles as i64, Role::Repeats as i64);
        let (loaded, loading) = (FileState::Loaded as i64, loading.map(|file| file.0));
        let values: [&dyn rusqlite::ToSql; 5] =
            [&transaction, &loading, &settles, &repeats, &loaded];
        links_of(&self.connection, condition, &values)
            .map_err(failed("reading rows that book a payment"))
    }

    /// The payment that a row books once more.
    pub fn repeated_by(&self, row: RowId) -> Result<Option<i64>, StoreError> {
        self.connection
            .query_row(
                "SELECT transaction_id FROM settlement_links WHERE row = ?1 AND role = ?2 LIMIT 1",
                params![row.0, Role::Repeats as i64],
                |row| row.get(0),
            )
            .optional()
            .map_err(failed("looking for a payment that is booked twice"))
    }

    /// Files of a source and period that count.
    pub fn files_of(&self, source: &str, period: &str) -> Result<Vec<FileView>, StoreError> {
        let condition = "WHERE source = ?1 AND period = ?2 AND state = ?3 ORDER BY id";
        files_where(&self.connection, condition, &[&source, &period, &(FileState::Loaded as i64)])
            .map_err(failed("looking for files of a period"))
    }

    /// Files of a source that count and cover some of the days.
    pub fn files_covering(
        &self,
        source: &str,
        first_day: jiff::civil::Date,
        last_day: jiff::civil::Date,
    ) -> Result<Vec<FileView>, StoreError> {
        let condition =
            "WHERE source = ?1 AND state = ?2 AND first_day <= ?4 AND last_day >= ?3 ORDER BY id";
        files_where(
            &self.connection,
            condition,
            &[&source, &(FileState::Loaded as i64), &first_day.to_string(), &last_day.to_string()],
        )
        .map_err(failed("looking for files of the same days"))
    }

    /// Rows of a file that await a payment, in their order, from behind `after` on.
    pub fn open_rows(
        &self,
        file: FileId,
        after: RowId,
        limit: usize,
    ) -> Result<Vec<RowView>, StoreError> {
        let reading = failed("reading rows that await a payment");
        let range: Option<(i64, i64)> = self
            .connection
            .query_row(
                "SELECT first_row, last_row FROM settlement_files WHERE id = ?1",
                [file.0],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()
            .map_err(&reading)?;
        let Some((first, last)) = range else { return Ok(Vec::new()) };
        let read = || -> Result<Vec<RowView>> {
            let mut statement = self.connection.prepare_cached(&format!(
                "SELECT {ROW_COLUMNS} FROM settlement_rows r
                 WHERE r.id BETWEEN ?1 AND ?2 AND r.state = 0 ORDER BY r.id LIMIT ?3"
            ))?;
            let from = first.max(after.0 + 1);
            let rows =
                statement.query_map(params![from, last, limit as i64], |row| row_view(row, 0))?;
            rows.collect()
        };
        read().map_err(&reading)
    }
}
