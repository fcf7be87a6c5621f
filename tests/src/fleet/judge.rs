//! A fleet judged, and held against its truth: what was said of each payment, what was told, and why. Decides nothing
//! that the collector decides; only compares.

use super::truth::Truth;
use crate::store::MemoryStore;
use slipwatch_collector::commit::TransactionRow;
use slipwatch_collector::correlate::finding::{Stage, Told};
use slipwatch_collector::correlate::verdict::Verdict;
use std::collections::{BTreeMap, BTreeSet};

/// A payment by its shop, terminal, batch and trace.
pub type PaymentName = (String, String, u32, u32);

/// What a comparison found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What is wrong, each in a line that says what was expected and what was found.
    pub wrong: Vec<String>,
    /// Payments compared, and those of them that nothing clouded.
    pub payments: usize,
    /// Those of them that nothing clouded.
    pub clear: usize,
    /// Debits without a slip that nothing clouded, and those of them that were found.
    pub missing: usize,
    /// Those of them that were found.
    pub found: usize,
    /// "No slip" where that is not the truth.
    pub false_alarms: usize,
    /// Findings whose cause left a trace.
    pub causes: usize,
    /// Those of them whose class was told rightly.
    pub causes_right: usize,
    /// The others: plot, expected and found, with how often.
    pub causes_wrong: BTreeMap<String, usize>,
    /// How often each plot was played.
    pub plots: BTreeMap<String, usize>,
}

/// The name of a payment by its truth.
pub fn name_of(truth: &Truth) -> PaymentName {
    (truth.store.clone(), truth.terminal.clone(), truth.batch, truth.stan)
}

/// The name of a payment by its row; absent while its numbers are not known.
pub fn name_of_row(row: &TransactionRow) -> Option<PaymentName> {
    let stan = row.case.keys.stan?.number();
    let batch = row.case.keys.batch_number?.number();
    Some((row.id.agent.store.to_string(), row.terminal?.to_string(), batch, stan))
}

/// Holds what is stored against the truth.
pub fn compare<'a>(
    truths: &[Truth],
    rows: impl Iterator<Item = &'a TransactionRow>,
    report: &mut Report,
) {
    let mut by_name: BTreeMap<PaymentName, Vec<&TransactionRow>> = BTreeMap::new();
    let mut nameless = Vec::new();
    for row in rows {
        match name_of_row(row) {
            Some(name) => by_name.entry(name).or_default().push(row),
            None => nameless.push(row),
        }
    }
    for truth in truths {
        let rows = by_name.remove(&name_of(truth)).unwrap_or_default();
        of_payment(truth, &rows, report);
    }
    // What fits no payment may exist; it may not say that a slip is missing.
    for row in by_name.values().flatten().chain(&nameless) {
        if matches!(row.case.verdict, Verdict::NoSlip { .. }) {
            report.false_alarms += 1;
            report
                .wrong
                .push(format!("{}: no slip was said of no payment: {:?}", row.id, row.case.keys));
        }
    }
}

fn of_payment(truth: &Truth, rows: &[&TransactionRow], report: &mut Report) {
    report.payments += 1;
    report.clear += usize::from(!truth.clouded);
    *report.plots.entry(truth.plot.to_string()).or_default() += 1;
    let says_missing = |row: &&&TransactionRow| matches!(row.case.verdict, Verdict::NoSlip { .. });
    let missing = truth.verdict == "no_slip";
    let alarmed = rows.iter().find(says_missing);
    if !missing && let Some(row) = alarmed {
        report.false_alarms += 1;
        report.wrong.push(line(truth, &format!("a false no_slip: {:?}", row.case.facts)));
    }
    if truth.clouded {
        return;
    }
    if missing {
        report.missing += 1;
        report.found += usize::from(alarmed.is_some());
    }
    let [row] = rows else {
        let said: Vec<&str> = rows.iter().map(|row| row.case.verdict.label()).collect();
        return report.wrong.push(line(truth, &format!("found {} payments: {said:?}", rows.len())));
    };
    let verdict = &row.case.verdict;
    if !truth.is(verdict.label(), verdict.reason()) {
        let facts: Vec<_> = row.case.facts.iter().map(|fact| fact.what).collect();
        let said = format!("found {} {:?} of {facts:?}", verdict.label(), verdict.reason());
        report.wrong.push(line(truth, &said));
    }
    of_findings(truth, row, report);
    of_cause(truth, row, report);
}

/// Findings about one payment that a fleet's truth knows of.
const KNOWN: [&str; 5] = ["A01", "A02", "A03", "A04", "A09"];

fn of_findings(truth: &Truth, row: &TransactionRow, report: &mut Report) {
    // A suspicion that nobody was told of is no word to anyone.
    let counts = |told: &&Told| {
        let suspected = told.kind.code() == "A01" && told.stage == Stage::Suspected;
        KNOWN.contains(&told.kind.code()) && (told.resolved.is_none() || !suspected)
    };
    let told = row.case.told.iter().filter(counts);
    let found: BTreeSet<(&str, bool)> =
        told.map(|told| (told.kind.code(), told.resolved.is_none())).collect();
    let due: BTreeSet<(&str, bool)> =
        truth.findings.iter().map(|due| (due.code.as_ref(), due.open)).collect();
    if found != due {
        report.wrong.push(line(truth, &format!("expected findings {due:?}, found {found:?}")));
    }
}

fn of_cause(truth: &Truth, row: &TransactionRow, report: &mut Report) {
    let Some(due) = &truth.cause else { return };
    // The cause of what rang: the first finding that is due and tells one.
    let codes: Vec<&str> = truth.findings.iter().map(|finding| finding.code.as_ref()).collect();
    let told = row.case.told.iter().find(|told| codes.first() == Some(&told.kind.code()));
    report.causes += 1;
    let said = told.map(|told| (told.cause.class.label(), told.cause.detail.label()));
    match said {
        Some((class, _)) if class == due.class => report.causes_right += 1,
        _ => {
            let Truth { plot, make, .. } = truth;
            let miss =
                format!("{plot} at {make}: expected {} {}, found {said:?}", due.class, due.detail);
            *report.causes_wrong.entry(miss).or_default() += 1;
        }
    }
}

fn line(truth: &Truth, what: &str) -> String {
    let Truth { store, terminal, batch, stan, plot, make, verdict, reason, .. } = truth;
    format!(
        "{store} {terminal} {batch:06}/{stan:06} {plot} at {make}, {verdict} {reason:?}: {what}"
    )
}

/// As [`compare`], of all that a store holds.
pub fn compare_store(truths: &[Truth], store: &MemoryStore) -> Report {
    let mut report = Report::default();
    compare(truths, store.transactions.values(), &mut report);
    report
}
