//! A fleet judged, and held against its truth: what was said of each payment, what was told of payments and terminals,
//! and why. Decides nothing that the collector decides; only compares.

use super::road::Said;
use super::truth::{Incident, Truth};
use crate::store::MemoryStore;
use slipwatch_collector::commit::TransactionRow;
use slipwatch_collector::correlate::finding::{Finding, Stage, Subject, Told};
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
    /// Findings that were due, of payments and of terminals, by their numbers in the catalogue.
    pub due: BTreeMap<String, usize>,
}

impl Report {
    /// Takes in another one's figures; what is wrong in it is not.
    pub fn add(&mut self, other: &Report) {
        self.payments += other.payments;
        self.clear += other.clear;
        self.missing += other.missing;
        self.found += other.found;
        self.false_alarms += other.false_alarms;
        self.causes += other.causes;
        self.causes_right += other.causes_right;
        let counts = [
            (&mut self.causes_wrong, &other.causes_wrong),
            (&mut self.plots, &other.plots),
            (&mut self.due, &other.due),
        ];
        for (own, other) in counts {
            for (name, count) in other {
                *own.entry(name.clone()).or_default() += count;
            }
        }
    }
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
    unsure: &BTreeSet<String>,
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
        of_payment(truth, &rows, unsure.contains(&truth.store), report);
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

fn of_payment(truth: &Truth, rows: &[&TransactionRow], unsure: bool, report: &mut Report) {
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
    of_findings(truth, row, unsure, report);
    of_cause(truth, row, report);
}

/// Each finding that is due and no other; `unsure`: what explains it may have been lost.
fn of_findings(truth: &Truth, row: &TransactionRow, unsure: bool, report: &mut Report) {
    // A suspicion that nobody was told of is no word to anyone.
    let counts = |told: &&Told| {
        let suspected = told.kind.code() == "A01" && told.stage == Stage::Suspected;
        told.resolved.is_none() || !suspected
    };
    fn parent(unsure: bool, code: Option<&str>) -> Option<&str> {
        code.filter(|_| !unsure)
    }
    let told = row.case.told.iter().filter(counts);
    let found: BTreeSet<(&str, bool, Option<&str>)> = told
        .map(|told| {
            let by = told.parent.as_ref().map(|parent| parent.kind.code());
            (told.kind.code(), told.resolved.is_none(), parent(unsure, by))
        })
        .collect();
    let due: BTreeSet<(&str, bool, Option<&str>)> = truth
        .findings
        .iter()
        .map(|due| (due.code.as_ref(), due.open, parent(unsure, due.parent.as_deref())))
        .collect();
    for (code, ..) in &due {
        *report.due.entry((*code).to_owned()).or_default() += 1;
    }
    if found != due {
        report.wrong.push(line(truth, &format!("expected findings {due:?}, found {found:?}")));
    }
}

/// A finding about a terminal, an agent or an acquirer: whose, its number, why, and whether it stands.
type Matter = (String, String, String, bool);

/// Holds what was told of terminals and acquirers against what is true: each that is due and no other. An agent that
/// was not heard is a matter of the road: `agents` says whether it is looked at.
pub fn compare_incidents<'a>(
    said: &Said,
    findings: impl Iterator<Item = &'a Finding>,
    agents: bool,
    report: &mut Report,
) {
    let mut due: BTreeMap<Matter, i64> = BTreeMap::new();
    for incident in said.incidents.iter().filter(|incident| !said.unsure.contains(&incident.store))
    {
        let Incident { store, agent, terminal, acquirer, finding, cause, open, .. } = incident;
        let whom = match (terminal, acquirer) {
            (Some(terminal), _) => format!("{store} {terminal}"),
            (None, Some(acquirer)) => acquirer.clone(),
            (None, None) if agents => format!("{store} {agent}"),
            _ => continue,
        };
        *report.due.entry(finding.to_string()).or_default() += 1;
        *report.plots.entry(incident.plot.to_string()).or_default() += 1;
        let why = format!("{} {}", cause.class, cause.detail);
        *due.entry((whom, finding.to_string(), why, *open)).or_default() += 1;
    }
    for finding in findings {
        let (whom, store) = match &finding.id.subject {
            Subject::Case(_) => continue,
            Subject::Agent(_) if !agents => continue,
            Subject::Agent(name) => (format!("{} {}", name.store, name.agent), Some(&name.store)),
            Subject::Terminal(name) => {
                (format!("{} {}", name.store, name.terminal), Some(&name.store))
            }
            Subject::Route(acquirer) => (acquirer.to_string(), None),
            other => (format!("{other:?}"), None),
        };
        if store.is_some_and(|store| said.unsure.contains(store.as_str())) {
            continue;
        }
        let why = format!("{} {}", finding.cause.class.label(), finding.cause.detail.label());
        let matter = (whom, finding.id.kind.code().to_owned(), why, finding.resolved.is_none());
        *due.entry(matter).or_default() -= 1;
    }
    for ((whom, code, why, open), count) in due.into_iter().filter(|(_, count)| *count != 0) {
        let stands = if open { "stands" } else { "is over" };
        let how = if count > 0 { "is due and was not told" } else { "was told and is not due" };
        report.wrong.push(format!("{whom}: {code} {why}, which {stands}, {how}: {}", count.abs()));
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

/// A payment is dated within so many milliseconds of its first word.
const DATED_MS_MAX: i64 = 1_000;

/// All that a store holds against all that is true; `agents` as in [`compare_incidents`].
pub fn compare_store(said: &Said, store: &MemoryStore, agents: bool) -> Report {
    let mut report = Report::default();
    compare(&said.truths, store.transactions.values(), &said.unsure, &mut report);
    compare_incidents(said, store.findings.values(), agents, &mut report);
    let begun: BTreeMap<PaymentName, &Truth> =
        said.truths.iter().map(|truth| (name_of(truth), truth)).collect();
    for row in store.transactions.values() {
        let truth = name_of_row(row).and_then(|name| begun.get(&name));
        let Some(truth) = truth.filter(|truth| !truth.clouded) else { continue };
        let dated = row.case.wall(row.case.opened).0;
        if (dated - truth.begun_ms).abs() > DATED_MS_MAX {
            report.wrong.push(line(truth, &format!("{} and dated {dated}", truth.begun_ms)));
        }
    }
    report
}
