//! A complaint as a row of its table, there and back.

use crate::alert::language::Language;
use crate::complaint::answer::{Answer, Promise, Reason};
use crate::complaint::deadline::DueKind;
use crate::complaint::desk::Line;
use crate::complaint::matching::Source;
use crate::complaint::record::{Complaint, Given, Step, ToldDue, Unmatched};
use crate::complaint::said::{Said, SaidAmount, Trouble, When};
use rusqlite::{Result, Row, Transaction, params};
use slipwatch_shared::times::{ArrivalTime, EventTime};

pub(super) const COLUMNS: &str = "SELECT number, store, language, received, from_ms, to_ms, hundredths, currency,
    last_four, order_text, trouble, note, contact, chosen, chosen_row, unmatched, reason, fact_at, promise,
    promise_until, answered, kept, told_kind, told_at, told_passed, closed FROM complaints";

/// Flags, in `told_passed`: what is told of dates beside the last one.
const PASSED: i64 = 1;
const SCHEME_TOLD: i64 = 2;
/// A person chose.
const BY_HAND: i64 = 4;

/// Writes a new one; gives its number.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    said: &Said,
    received: EventTime,
) -> Result<u64> {
    let Said { store, when, amount, last_four, order, trouble, note, contact, language } = said;
    let number: i64 = transaction
        .prepare_cached(
            "INSERT INTO complaints (store, language, received, from_ms, to_ms, hundredths, currency, last_four,
                order_text, trouble, note, contact)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) RETURNING number",
        )?
        .query_row(
            params![
                store.as_ref().map(|store| store.as_str()),
                *language as i64,
                received.0,
                when.map(|when| when.from_ms),
                when.map(|when| when.to_ms),
                amount.map(|amount| amount.hundredths),
                amount.and_then(|amount| amount.currency).map(|currency| currency.to_string()),
                last_four,
                order.as_deref(),
                *trouble as i64,
                note.as_deref(),
                contact.as_deref(),
            ],
            |row| row.get(0),
        )?;
    Ok(number as u64)
}

/// Writes down how it stands; what was said stays as it is.
pub(super) fn update(transaction: &Transaction<'_>, complaint: &Complaint) -> Result<()> {
    let (chosen, row) = match &complaint.chosen {
        Some(Source::Payment(id)) => (Some(id.to_string()), None),
        Some(Source::Row(row)) => (None, Some(*row)),
        None => (None, None),
    };
    let given = complaint.given;
    let answer = given.map(|given| given.answer);
    let promise = answer.and_then(|answer| answer.promise);
    let told = complaint.told;
    let passed = if told.is_some_and(|told| told.passed) { PASSED } else { 0 };
    let scheme = if complaint.scheme_told { SCHEME_TOLD } else { 0 };
    transaction
        .prepare_cached(
            "UPDATE complaints SET chosen = ?2, chosen_row = ?3, unmatched = ?4, outcome = ?5, reason = ?6,
                fact_at = ?7, promise = ?8, promise_until = ?9, answered = ?10, kept = ?11, told_kind = ?12,
                told_at = ?13, told_passed = ?14, closed = ?15 WHERE number = ?1",
        )?
        .execute(params![
            complaint.number as i64,
            chosen,
            row,
            complaint.unmatched as i64,
            answer.map(|answer| answer.outcome() as i64),
            answer.map(|answer| answer.reason as i64),
            answer.and_then(|answer| answer.fact_at).map(|at| at.0),
            promise.map(|promise| promise.0 as i64),
            promise.map(|promise| promise.1.0),
            given.map(|given| given.at.0),
            given.and_then(|given| given.kept),
            told.map(|told| told.kind as i64),
            told.map(|told| told.at.0),
            passed | scheme | if complaint.by_hand { BY_HAND } else { 0 },
            complaint.closed.map(|at| at.0),
        ])?;
    Ok(())
}

fn numbered<T>(row: &Row<'_>, column: usize, of: impl Fn(i64) -> Option<T>) -> Result<Option<T>> {
    let number: Option<i64> = row.get(column)?;
    let wrong = || {
        let kind = rusqlite::types::Type::Integer;
        rusqlite::Error::InvalidColumnType(column, "a word of this program".to_owned(), kind)
    };
    number.map(|number| of(number).ok_or_else(wrong)).transpose()
}

/// A row of [`COLUMNS`].
pub(super) fn complaint(row: &Row<'_>) -> Result<Complaint> {
    let text = |column: usize| row.get::<_, Option<String>>(column);
    let number = |column: usize| row.get::<_, Option<i64>>(column);
    let time = |column: usize| number(column).map(|at| at.map(EventTime));
    let currency = text(7)?.and_then(|code| code.parse().ok());
    let said = Said {
        store: text(1)?.and_then(|store| store.parse().ok()),
        language: match row.get::<_, i64>(2)? {
            0 => Language::Chinese,
            _ => Language::English,
        },
        when: number(4)?.zip(number(5)?).map(|(from_ms, to_ms)| When { from_ms, to_ms }),
        amount: number(6)?.map(|hundredths| SaidAmount { hundredths, currency }),
        last_four: row.get(8)?,
        order: text(9)?.map(String::into_boxed_str),
        trouble: numbered(row, 10, Trouble::numbered)?.unwrap_or(Trouble::Other),
        note: text(11)?.map(String::into_boxed_str),
        contact: text(12)?.map(String::into_boxed_str),
    };
    let payment = text(13)?.and_then(|id| id.parse().ok()).map(Source::Payment);
    let promise = numbered(row, 18, Promise::numbered)?.zip(time(19)?);
    let answer = numbered(row, 16, Reason::numbered)?
        .map(|reason| -> Result<Answer> { Ok(Answer { reason, fact_at: time(17)?, promise }) })
        .transpose()?;
    let told_bits: i64 = row.get(24)?;
    let told = numbered(row, 22, DueKind::numbered)?.zip(time(23)?).map(|(kind, at)| ToldDue {
        kind,
        at,
        passed: told_bits & PASSED != 0,
    });
    let kept: Option<bool> = row.get(21)?;
    Ok(Complaint {
        number: row.get::<_, i64>(0)? as u64,
        said,
        received: EventTime(row.get(3)?),
        chosen: payment.or(number(14)?.map(Source::Row)),
        by_hand: told_bits & BY_HAND != 0,
        unmatched: numbered(row, 15, Unmatched::numbered)?.unwrap_or(Unmatched::No),
        given: answer.zip(time(20)?).map(|(answer, at)| Given { answer, at, kept }),
        told,
        scheme_told: told_bits & SCHEME_TOLD != 0,
        closed: time(25)?,
    })
}

/// A line of the history.
pub(super) fn line(row: &Row<'_>) -> Result<Line> {
    Ok(Line {
        number: row.get(0)?,
        complaint: row.get::<_, i64>(1)? as u64,
        at: ArrivalTime(row.get(2)?),
        step: numbered(row, 3, Step::numbered)?.unwrap_or(Step::Opened),
        note: row.get(4)?,
    })
}
