//! What is said of stored payments when their history is judged again, under other settings or by another version, beside
//! what was said then. Compares and prints; judges nothing itself.

use super::judging::Judging;
use super::{ReplayError, bar_of, journal, store_file};
use crate::command::put;
use crate::correlate::case::Case;
use crate::correlate::finding::{FindingKind, Told};
use crate::correlate::policy::Policies;
use crate::correlate::recall::TransactionRow;
use crate::edge::store::sqlite::SqliteStore;
use serde_json::{Value, json};
use std::cmp::Ordering;
use std::io::{self, Write};
use std::path::Path;

/// Findings that settlement files raise: a journal does not hold them.
const OF_SETTLEMENT: [FindingKind; 10] = [
    FindingKind::PhantomSettlement,
    FindingKind::AuthorizationNeverSettled,
    FindingKind::VoidedButSettled,
    FindingKind::AmountMismatch,
    FindingKind::FeeMismatch,
    FindingKind::RateChanged,
    FindingKind::UnexplainedDeduction,
    FindingKind::PayoutMismatch,
    FindingKind::StatementMissing,
    FindingKind::ComplaintUnmatched,
];

/// How the two histories compare.
#[derive(Debug, Default)]
struct Counts {
    same: u64,
    differ: u64,
    /// Payments whose first event is not in the journal any more.
    too_old: u64,
}

/// Judges the journal of a store again and writes what differs; gives how many batches could not be opened.
///
/// # Errors
/// When the store cannot be read, or the result not written.
pub fn tell(
    store: &Path,
    policies: Option<Policies>,
    as_json: bool,
    out: &mut impl Write,
) -> Result<u64, ReplayError> {
    let path = store_file(store);
    let failed = |source| ReplayError::Store { path: path.display().to_string(), source };
    let mut reader = SqliteStore::open_reader(&path).map_err(failed)?;
    let mut judging = Judging::new(policies).map_err(ReplayError::Shelf)?;
    let bar = bar_of(reader.journal_bytes().map_err(failed)?);
    let judged = journal::judge(&mut reader, &bar, &mut judging).map_err(failed)?;
    bar.finish_and_clear();
    judging.finish();
    let mut counts = Counts::default();
    for (name, agent) in &judged.agents {
        let is = judging.payments(*agent).map_err(ReplayError::Shelf)?;
        let was = reader.payments_of(name).map_err(failed)?;
        let begins = reader.journal_begins(name).map_err(failed)?;
        let kept = |row: &TransactionRow| {
            begins
                .iter()
                .any(|first| first.epoch == row.case.first.epoch && first.seq <= row.case.first.seq)
        };
        for (was, is) in side_by_side(was, is) {
            if was.as_ref().is_some_and(|was| !kept(was)) {
                counts.too_old += 1;
                continue;
            }
            let words = (was.as_ref().map(words_of), is.as_ref().map(words_of));
            if words.0 == words.1 {
                counts.same += 1;
                continue;
            }
            counts.differ += 1;
            write(was.as_ref(), is.as_ref(), as_json, out).map_err(ReplayError::Write)?;
        }
    }
    let Counts { same, differ, too_old } = counts;
    if as_json {
        let sum = json!({ "same": same, "differ": differ, "too_old": too_old,
            "events": judging.events, "batches_unread": judged.unread });
        writeln!(out, "{sum}").map_err(ReplayError::Write)?;
    } else {
        let events = judging.events;
        let sum = format!("{events} events judged again: {same} payments the same, {differ} not");
        let old = match too_old {
            0 => String::new(),
            _ => format!("; {too_old} older than the journal and left as they are"),
        };
        put(out, &format!("{sum}{old}")).map_err(ReplayError::Write)?;
    }
    out.flush().map_err(ReplayError::Write)?;
    Ok(judged.unread)
}

type Pair = (Option<TransactionRow>, Option<TransactionRow>);

/// Two histories of one agent, each in the order of its numbers, joined.
fn side_by_side(was: Vec<TransactionRow>, is: Vec<TransactionRow>) -> Vec<Pair> {
    let mut pairs = Vec::with_capacity(was.len());
    let (mut was, mut is) = (was.into_iter().peekable(), is.into_iter().peekable());
    loop {
        let order = match (was.peek(), is.peek()) {
            (None, None) => return pairs,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(was), Some(is)) => was.case.first.cmp(&is.case.first),
        };
        pairs.push(match order {
            Ordering::Less => (was.next(), None),
            Ordering::Greater => (None, is.next()),
            Ordering::Equal => (was.next(), is.next()),
        });
    }
}

fn findings(case: &Case) -> impl Iterator<Item = &Told> {
    case.told.iter().filter(|told| !OF_SETTLEMENT.contains(&told.kind))
}

/// What is said of a payment: the verdict with its reason, and each finding with how it stands.
fn words_of(row: &TransactionRow) -> (Vec<&'static str>, Vec<(&'static str, &'static str)>) {
    let verdict = &row.case.verdict;
    let said = [Some(verdict.label()), verdict.reason()].into_iter().flatten().collect();
    let standing = |told: &Told| match told.resolved {
        Some(how) => how.label(),
        // A settlement file confirms; a journal alone cannot.
        None if told.stage == crate::correlate::finding::Stage::Confirmed => "alerting",
        None => told.stage.label(),
    };
    let mut told: Vec<_> =
        findings(&row.case).map(|told| (told.kind.code(), standing(told))).collect();
    told.sort_unstable();
    (said, told)
}

fn write(
    was: Option<&TransactionRow>,
    is: Option<&TransactionRow>,
    as_json: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    let Some(row) = is.or(was) else { return Ok(()) };
    let terminal = row.terminal.map(|terminal| terminal.to_string());
    let stan = row.case.keys.stan.map(|stan| stan.to_string());
    if as_json {
        let words = |row: Option<&TransactionRow>| -> Value {
            let Some(row) = row else { return Value::Null };
            let (said, told) = words_of(row);
            let told: Vec<Value> =
                told.iter().map(|(code, how)| json!({ "code": code, "standing": how })).collect();
            json!({ "verdict": said.first(), "reason": said.get(1), "findings": told })
        };
        let line = json!({ "case": row.id.to_string(), "terminal": terminal, "stan": stan,
            "was": words(was), "is": words(is) });
        return writeln!(out, "{line}");
    }
    let words = |row: Option<&TransactionRow>| -> String {
        let Some(row) = row else { return "no payment".to_owned() };
        let (said, told) = words_of(row);
        let told = told.iter().map(|(code, how)| format!("{code} {how}"));
        [vec![said.join(" ")], told.collect()].concat().join(", ")
    };
    let amount = row.case.keys.amount.map(|amount| amount.to_string());
    let about = [Some(row.id.to_string()), terminal, stan, amount];
    let about: Vec<String> = about.into_iter().flatten().collect();
    put(out, &format!("{}\n  was: {}\n  is:  {}", about.join("  "), words(was), words(is)))
}
