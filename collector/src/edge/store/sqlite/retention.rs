//! What has been kept long enough goes, a bounded number of rows a call, oldest first. Never touches a payment that new
//! events may still change, nor a letter that waits.

use super::super::{FORGET_ROWS_MAX, KeepSince, StoreError};
use super::failed;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

/// Deletes what is older than `since`; tells how many rows went.
pub fn forget(connection: &mut Connection, since: &KeepSince) -> Result<usize, StoreError> {
    let forgetting = failed("forgetting what is old");
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(&forgetting)?;
    let rows = delete_all(&transaction, since).map_err(&forgetting)?;
    transaction.commit().map_err(&forgetting)?;
    Ok(rows)
}

fn delete_all(transaction: &Transaction<'_>, since: &KeepSince) -> rusqlite::Result<usize> {
    let limit = FORGET_ROWS_MAX as i64;
    // Rows come in the order of time, so the oldest are the first by their number: no index over time is needed.
    let journal = transaction
        .prepare_cached(
            "DELETE FROM journal WHERE arrived < ?1
            AND rowid IN (SELECT rowid FROM journal ORDER BY rowid LIMIT ?2)",
        )?
        .execute(params![since.journal.0, limit])?;
    let quarantine = transaction
        .prepare_cached(
            "DELETE FROM quarantine WHERE arrived < ?1
            AND number IN (SELECT number FROM quarantine ORDER BY number LIMIT ?2)",
        )?
        .execute(params![since.quarantine.0, limit])?;
    let outbox = transaction
        .prepare_cached(
            "DELETE FROM outbox WHERE created < ?1 AND (sent IS NOT NULL OR given_up IS NOT NULL)
            AND id IN (SELECT id FROM outbox ORDER BY id LIMIT ?2)",
        )?
        .execute(params![since.cases.0, limit])?;
    let statements = statements(transaction, since)? + complaints(transaction, since)?;
    Ok(journal + quarantine + outbox + statements + cases(transaction, since)?)
}

/// Settlement files as long as payments: their rows first, a piece a call, then the file itself.
fn statements(transaction: &Transaction<'_>, since: &KeepSince) -> rusqlite::Result<usize> {
    let oldest: Option<(i64, i64, i64)> = transaction
        .prepare_cached(
            "SELECT id, first_row, last_row FROM settlement_files
             WHERE state > 0 AND coalesce(settled, arrived) < ?1 ORDER BY id LIMIT 1",
        )?
        .query_row([since.cases.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((file, first, last)) = oldest else { return Ok(0) };
    let until = last.min(first + FORGET_ROWS_MAX as i64 - 1);
    let mut gone = 0;
    if last > 0 && first <= last {
        transaction.execute(
            "DELETE FROM settlement_links WHERE (transaction_id, row, role) IN
                (SELECT transaction_id, row, role FROM settlement_links WHERE row BETWEEN ?1 AND ?2)",
            [first, until],
        )?;
        gone = transaction
            .execute("DELETE FROM settlement_rows WHERE id BETWEEN ?1 AND ?2", [first, until])?;
        transaction.execute(
            "UPDATE settlement_files SET first_row = ?2 WHERE id = ?1",
            [file, until + 1],
        )?;
    }
    if last == 0 || until >= last {
        gone += transaction.execute("DELETE FROM settlement_files WHERE id = ?1", [file])?;
    }
    Ok(gone)
}

/// Complaints as long as payments, from their end on: with what the shopper said, and how to reach the shopper.
fn complaints(transaction: &Transaction<'_>, since: &KeepSince) -> rusqlite::Result<usize> {
    let mut statement = transaction.prepare_cached(
        "SELECT number FROM complaints WHERE closed < ?1 ORDER BY closed LIMIT ?2",
    )?;
    let limit = FORGET_ROWS_MAX as i64;
    let numbers = statement.query_map(params![since.cases.0, limit], |row| row.get(0))?;
    let numbers: Vec<i64> = numbers.collect::<rusqlite::Result<_>>()?;
    for number in &numbers {
        for kind in ["A25", "S02"] {
            let name = format!("{kind}:complaint:{number}");
            transaction
                .prepare_cached("DELETE FROM actions WHERE finding = ?1")?
                .execute([&name])?;
            transaction.prepare_cached("DELETE FROM findings WHERE name = ?1")?.execute([&name])?;
        }
        for sql in [
            "DELETE FROM complaint_history WHERE complaint = ?1",
            "DELETE FROM complaints WHERE number = ?1",
        ] {
            transaction.prepare_cached(sql)?.execute([number])?;
        }
    }
    Ok(numbers.len())
}

fn cases(transaction: &Transaction<'_>, since: &KeepSince) -> rusqlite::Result<usize> {
    let mut statement = transaction.prepare_cached(
        "SELECT t.id FROM transactions t JOIN cases c ON c.id = t.id
         WHERE t.wall < ?1 AND c.rest_at IS NOT NULL ORDER BY t.wall LIMIT ?2",
    )?;
    let ids =
        statement.query_map(params![since.cases.0, FORGET_ROWS_MAX as i64], |row| row.get(0))?;
    let ids: Vec<i64> = ids.collect::<rusqlite::Result<_>>()?;
    for id in &ids {
        for sql in [
            "DELETE FROM actions WHERE finding IN (SELECT name FROM findings WHERE case_id = ?1)",
            "DELETE FROM findings WHERE case_id = ?1",
            "DELETE FROM cases WHERE id = ?1",
            "DELETE FROM settlement_links WHERE transaction_id = ?1",
            "DELETE FROM settlement_watch WHERE transaction_id = ?1",
            "DELETE FROM transactions WHERE id = ?1",
        ] {
            transaction.prepare_cached(sql)?.execute([id])?;
        }
    }
    Ok(ids.len())
}

#[cfg(test)]
mod tests {
    use super::super::SqliteStore;
    use super::*;
    use slipwatch_shared::times::ArrivalTime;

    /// One agent, and of each matter an old row (time 1) and a new one (time 10); payment 3 is old and not at rest,
    /// letter 3 is old and waits.
    const ROWS: &str = "
        INSERT INTO agents VALUES (1, 's', 'a', 1, 9, x'', 0, 0, 0, '', 0, x'');
        INSERT INTO journal VALUES (1, 1, 1, 1, 1, x''), (1, 1, 2, 2, 10, x'');
        INSERT INTO transactions (id, agent, epoch, seq, store, opened, wall, kind)
            VALUES (1, 1, 1, 1, 's', 1, 1, 0), (2, 1, 1, 2, 's', 10, 10, 0), (3, 1, 1, 3, 's', 1, 1, 0);
        INSERT INTO cases (id, verdict, open_findings, rest_at, state)
            VALUES (1, 'no_slip', 1, 5, x''), (2, 'printed', 0, 5, x''), (3, 'pending', 0, NULL, x'');
        INSERT INTO findings (name, kind, case_id, store, terminal, is_open, raised, changed, body)
            VALUES ('A01:1', 'A01', 1, 's', NULL, 1, 1, 1, x''), ('A01:2', 'A01', 2, 's', NULL, 1, 10, 10, x'');
        INSERT INTO actions (at, finding, change, note) VALUES (1, 'A01:1', 0, ''), (10, 'A01:2', 0, '');
        INSERT INTO outbox (id, message_id, road, recipient, subject, text, created, not_before, findings, sent)
            VALUES (1, 'm1', 0, '', '', '', 1, 1, '', 2), (2, 'm2', 0, '', '', '', 10, 10, '', 11), (3, 'm3', 0, '', '', '', 1, 1, '', NULL);
        INSERT INTO settlement_files (id, source, period, revision, state, profile, name, hash, bytes, first_day,
            last_day, rows, first_row, last_row, arrived, settled, summary)
            VALUES (1, 's', 'd', 1, 1, 'p', 'n', x'', 1, 'd', 'd', 1, 1, 1, 1, 1, ''), (2, 's', 'e', 1, 1, 'p', 'n', x'', 1, 'e', 'e', 1, 2, 2, 9, 9, '');
        INSERT INTO settlement_rows (id, file, line, kind, state, day, minor, currency, word)
            VALUES (1, 1, 1, 0, 1, 'd', 1, 'CNY', ''), (2, 2, 1, 0, 1, 'e', 1, 'CNY', '');
        INSERT INTO settlement_links VALUES (1, 1, 0, 0, 1000), (2, 2, 0, 0, 1000);
        INSERT INTO complaints (number, language, received, trouble, closed)
            VALUES (1, 0, 1, 0, 1), (2, 0, 1, 0, 10), (3, 0, 1, 0, NULL);
        INSERT INTO complaint_history (complaint, at, step, note) VALUES (1, 1, 0, ''), (2, 1, 0, '');
        INSERT INTO quarantine VALUES (1, '', '', '', 1, 0, x''), (2, '', '', '', 10, 0, x'');";

    #[track_caller]
    fn check(store: &SqliteStore, sql: &str, expected: &[i64]) {
        let mut statement = store.connection.prepare(sql).unwrap();
        let found = statement.query_map([], |row| row.get(0)).unwrap();
        let found: Vec<i64> = found.collect::<Result<_, _>>().unwrap();
        assert_eq!(found, expected, "{sql}");
    }

    #[test]
    fn what_is_old_goes_and_what_may_still_change_stays() {
        let directory = tempfile::tempdir().unwrap();
        let mut store = SqliteStore::open(&directory.path().join("store")).unwrap();
        store.connection.execute_batch(ROWS).unwrap();
        let at = ArrivalTime(5);
        let since = KeepSince { journal: at, cases: at, quarantine: at };
        assert_eq!(forget(&mut store.connection, &since).unwrap(), 7);
        check(&store, "SELECT first_seq FROM journal", &[2]);
        check(&store, "SELECT id FROM transactions ORDER BY id", &[2, 3]);
        check(&store, "SELECT id FROM cases ORDER BY id", &[2, 3]);
        check(&store, "SELECT case_id FROM findings", &[2]);
        check(&store, "SELECT at FROM actions", &[10]);
        check(&store, "SELECT id FROM outbox ORDER BY id", &[2, 3]);
        check(&store, "SELECT number FROM quarantine", &[2]);
        check(&store, "SELECT id FROM settlement_files", &[2]);
        check(&store, "SELECT id FROM settlement_rows", &[2]);
        check(&store, "SELECT row FROM settlement_links", &[2]);
        check(&store, "SELECT number FROM complaints ORDER BY number", &[2, 3]);
        check(&store, "SELECT complaint FROM complaint_history", &[2]);
        assert_eq!(forget(&mut store.connection, &since).unwrap(), 0);
    }
}
