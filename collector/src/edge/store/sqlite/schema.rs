//! Tables of the SQLite store, as forward-only steps: a step that was released is never changed, only followed.

use super::super::StoreError;
use super::failed;
use rusqlite::{Connection, TransactionBehavior};

/// Each step brings the schema from its place in this list to the next.
const STEPS: [&str; 5] = [STEP_1, STEP_2, STEP_3, STEP_4, STEP_5];

const STEP_1: &str = "
CREATE TABLE agents (
    number INTEGER PRIMARY KEY,
    store TEXT NOT NULL,
    agent TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    through INTEGER NOT NULL,
    outlived BLOB NOT NULL,
    heard INTEGER NOT NULL,
    session INTEGER NOT NULL,
    presence INTEGER NOT NULL,
    version TEXT NOT NULL,
    latest INTEGER NOT NULL,
    state BLOB NOT NULL,
    UNIQUE (store, agent)
);
CREATE TABLE journal (
    agent INTEGER NOT NULL REFERENCES agents (number),
    epoch INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    arrived INTEGER NOT NULL,
    frame BLOB NOT NULL,
    PRIMARY KEY (agent, epoch, first_seq)
);
CREATE TABLE transactions (
    id INTEGER PRIMARY KEY,
    agent INTEGER NOT NULL REFERENCES agents (number),
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    store TEXT NOT NULL,
    terminal TEXT,
    opened INTEGER NOT NULL,
    wall INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    minor INTEGER,
    currency TEXT,
    stan INTEGER,
    batch_number INTEGER,
    rrn TEXT,
    authorization_code TEXT,
    order_number TEXT,
    channel_transaction_id TEXT,
    merchant TEXT,
    last_four INTEGER,
    UNIQUE (agent, epoch, seq)
);
CREATE INDEX transactions_by_wall ON transactions (wall);
CREATE INDEX transactions_by_amount ON transactions (minor, wall) WHERE minor IS NOT NULL;
CREATE INDEX transactions_by_stan ON transactions (stan, batch_number) WHERE stan IS NOT NULL;
CREATE INDEX transactions_by_rrn ON transactions (rrn) WHERE rrn IS NOT NULL;
CREATE INDEX transactions_by_code ON transactions (authorization_code) WHERE authorization_code IS NOT NULL;
CREATE INDEX transactions_by_order ON transactions (order_number) WHERE order_number IS NOT NULL;
CREATE INDEX transactions_by_channel ON transactions (channel_transaction_id)
    WHERE channel_transaction_id IS NOT NULL;
CREATE INDEX transactions_by_last_four ON transactions (last_four, minor) WHERE last_four IS NOT NULL;
CREATE TABLE cases (
    id INTEGER PRIMARY KEY REFERENCES transactions (id),
    verdict TEXT NOT NULL,
    open_findings INTEGER NOT NULL,
    rest_at INTEGER,
    state BLOB NOT NULL
);
CREATE INDEX cases_awake ON cases (id) WHERE rest_at IS NULL;
CREATE INDEX cases_with_findings ON cases (id) WHERE open_findings > 0;
CREATE TABLE findings (
    name TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    case_id INTEGER REFERENCES transactions (id),
    store TEXT NOT NULL,
    terminal TEXT,
    is_open INTEGER NOT NULL,
    raised INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX findings_by_change ON findings (changed);
CREATE INDEX findings_by_case ON findings (case_id) WHERE case_id IS NOT NULL;
CREATE TABLE actions (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    finding TEXT NOT NULL,
    change INTEGER NOT NULL,
    note TEXT NOT NULL
);
CREATE INDEX actions_by_finding ON actions (finding);
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL UNIQUE,
    in_reply_to TEXT,
    road INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    html TEXT,
    created INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    findings TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    sent INTEGER,
    given_up INTEGER
);
CREATE INDEX outbox_waiting ON outbox (not_before) WHERE sent IS NULL AND given_up IS NULL;
CREATE TABLE quarantine (
    number INTEGER PRIMARY KEY,
    topic TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    arrived INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    payload BLOB NOT NULL
);
CREATE TABLE kept (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
);
";

/// Settlement files, their rows, and which payment each row settles. Rows lie one file behind the other, so that a file
/// is a stretch of numbers; a file that is replaced keeps its rows and loses its links.
const STEP_2: &str = "
ALTER TABLE cases ADD COLUMN money INTEGER NOT NULL DEFAULT 0;
ALTER TABLE findings ADD COLUMN detail TEXT;
CREATE TABLE settlement_files (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    period TEXT NOT NULL,
    revision INTEGER NOT NULL,
    state INTEGER NOT NULL,
    profile TEXT NOT NULL,
    name TEXT NOT NULL,
    hash BLOB NOT NULL,
    bytes INTEGER NOT NULL,
    first_day TEXT NOT NULL,
    last_day TEXT NOT NULL,
    rows INTEGER NOT NULL,
    first_row INTEGER NOT NULL DEFAULT 0,
    last_row INTEGER NOT NULL DEFAULT 0,
    arrived INTEGER NOT NULL,
    settled INTEGER,
    summary TEXT NOT NULL
);
CREATE INDEX settlement_files_by_source ON settlement_files (source, period, revision);
CREATE INDEX settlement_files_by_hash ON settlement_files (hash);
CREATE INDEX settlement_files_by_day ON settlement_files (last_day);
CREATE TABLE settlement_rows (
    id INTEGER PRIMARY KEY,
    file INTEGER NOT NULL,
    line INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    state INTEGER NOT NULL,
    at INTEGER,
    precise INTEGER,
    day TEXT NOT NULL,
    minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    fee_milli INTEGER,
    net_minor INTEGER,
    store TEXT,
    merchant TEXT,
    terminal TEXT,
    stan INTEGER,
    batch_number INTEGER,
    rrn TEXT,
    authorization_code TEXT,
    order_number TEXT,
    channel_transaction_id TEXT,
    refund_number TEXT,
    original TEXT,
    first_six INTEGER,
    last_four INTEGER,
    class INTEGER,
    instrument INTEGER,
    word TEXT NOT NULL,
    memo TEXT,
    payout TEXT
);
CREATE INDEX settlement_rows_open ON settlement_rows (day, file) WHERE state <> 1;
CREATE INDEX settlement_rows_by_amount ON settlement_rows (minor, at);
CREATE INDEX settlement_rows_by_order ON settlement_rows (order_number) WHERE order_number IS NOT NULL;
CREATE INDEX settlement_rows_by_channel ON settlement_rows (channel_transaction_id)
    WHERE channel_transaction_id IS NOT NULL;
CREATE TABLE settlement_links (
    transaction_id INTEGER NOT NULL,
    row INTEGER NOT NULL,
    role INTEGER NOT NULL,
    tier INTEGER NOT NULL,
    score INTEGER NOT NULL,
    PRIMARY KEY (transaction_id, row, role)
) WITHOUT ROWID;
CREATE INDEX settlement_links_by_row ON settlement_links (row);
CREATE TABLE settlement_news (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    what INTEGER NOT NULL,
    name TEXT NOT NULL
);
CREATE TABLE settlement_watch (
    matter INTEGER NOT NULL,
    transaction_id INTEGER NOT NULL,
    row INTEGER NOT NULL,
    due INTEGER NOT NULL,
    PRIMARY KEY (matter, transaction_id)
) WITHOUT ROWID;
CREATE TABLE settlement_rates (
    source TEXT NOT NULL,
    series TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (source, series)
);
";

/// Complaints with their history, and the way to a shop's payments of a few days: all that slack compares lies in the
/// index, so that a search reads no payment that it does not show.
const STEP_3: &str = "
CREATE INDEX transactions_by_shop ON transactions (store, wall, minor, last_four, kind);
CREATE TABLE complaints (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    store TEXT,
    language INTEGER NOT NULL,
    received INTEGER NOT NULL,
    from_ms INTEGER,
    to_ms INTEGER,
    hundredths INTEGER,
    currency TEXT,
    last_four INTEGER,
    order_text TEXT,
    trouble INTEGER NOT NULL,
    note TEXT,
    contact TEXT,
    chosen TEXT,
    chosen_row INTEGER,
    unmatched INTEGER NOT NULL DEFAULT 0,
    outcome INTEGER,
    reason INTEGER,
    fact_at INTEGER,
    promise INTEGER,
    promise_until INTEGER,
    answered INTEGER,
    kept INTEGER,
    told_kind INTEGER,
    told_at INTEGER,
    told_passed INTEGER NOT NULL DEFAULT 0,
    closed INTEGER
);
CREATE INDEX complaints_open ON complaints (number) WHERE closed IS NULL;
CREATE INDEX complaints_closed ON complaints (closed) WHERE closed IS NOT NULL;
CREATE TABLE complaint_history (
    number INTEGER PRIMARY KEY,
    complaint INTEGER NOT NULL,
    at INTEGER NOT NULL,
    step INTEGER NOT NULL,
    note TEXT NOT NULL
);
CREATE INDEX complaint_history_by_complaint ON complaint_history (complaint);
";

/// Every terminal of a chain counts its traces from 1 and its batches by the day, so trace and batch alone name thousands of
/// payments: the terminal is looked up with them.
const STEP_4: &str = "
DROP INDEX transactions_by_stan;
CREATE INDEX transactions_by_trace ON transactions (stan, terminal, batch_number) WHERE stan IS NOT NULL;
CREATE INDEX cases_undone ON cases (id) WHERE money IN (5, 6);
";

/// What is open is counted every second, and is little beside what ended.
const STEP_5: &str = "
CREATE INDEX findings_open ON findings (kind) WHERE is_open = 1;
";

/// Brings a store to the schema of this program.
pub fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    migrate_to(connection, STEPS.len())
}

/// The same, and no further than the schema of the release with this number.
pub(super) fn migrate_to(connection: &mut Connection, release: usize) -> Result<(), StoreError> {
    let known = STEPS.len() as i64;
    let found: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(failed("reading the schema's version"))?;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    for (place, step) in
        STEPS.iter().enumerate().take(release).skip(usize::try_from(found).unwrap_or(0))
    {
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed("migrating"))?;
        transaction.execute_batch(step).map_err(failed("migrating"))?;
        transaction
            .pragma_update(None, "user_version", place as i64 + 1)
            .map_err(failed("migrating"))?;
        transaction.commit().map_err(failed("migrating"))?;
    }
    Ok(())
}
