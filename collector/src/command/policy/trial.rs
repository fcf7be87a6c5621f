//! A proposed policy tried on the stored journal: all that a terminal's agents sent is judged again by the core that
//! runs live, as if the policy had been in force. Changes nothing in the store.

use crate::command::put;
use crate::command::replay::judging::Judging;
use crate::command::replay::{bar_of, journal};
use crate::correlate::policy::{Policies, TerminalName, TerminalPolicy};
use crate::correlate::recall::TransactionRow;
use crate::correlate::verdict::Verdict;
use crate::edge::store::StoreError;
use crate::edge::store::sqlite::SqliteReader;
use serde_json::{Value, json};
use std::io::{self, Write};

/// So many payments without slip are named one by one; the rest is counted.
const NAMED_MAX: usize = 10;

/// What would have been said of a terminal's payments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trial {
    /// Debits by what is said of their slip, in the order of [`Verdict::LABELS`].
    pub verdicts: [u64; 6],
    /// Debits without slip, each by its case, voucher and amount.
    pub without_slip: Vec<String>,
}

/// Why a policy was not tried.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// The journal cannot be read.
    #[error("the journal cannot be read")]
    Store(#[from] StoreError),
    /// There is no room for what is judged.
    #[error("there is no room in $TMPDIR for what is judged")]
    Shelf(#[from] io::Error),
}

/// Judges the journal again with a terminal's policy in force.
pub fn run(
    reader: &mut SqliteReader,
    mut policies: Policies,
    name: &TerminalName,
    policy: &TerminalPolicy,
) -> Result<Trial, TrialError> {
    let known = policies.terminals.entry(name.clone()).or_default();
    known.who_prints = policy.who_prints;
    known.copies = policy.copies;
    known.slip_due_from = policy.slip_due_from;
    known.contactless_due_from = policy.contactless_due_from;
    let mut judging = Judging::new(Some(policies))?;
    let bar = bar_of(reader.journal_bytes()?);
    let judged = journal::judge(reader, &bar, &mut judging)?;
    bar.finish_and_clear();
    judging.finish();
    let mut trial = Trial::default();
    for (_, agent) in judged.agents.iter().filter(|(agent, _)| agent.store == name.store) {
        let rows = judging.payments(*agent)?;
        let debits = rows.iter().filter(|row| row.case.kind.is_debit());
        debits.filter(|row| row.terminal == Some(name.terminal)).for_each(|row| trial.count(row));
    }
    Ok(trial)
}

impl Trial {
    fn count(&mut self, row: &TransactionRow) {
        let verdict = &row.case.verdict;
        self.verdicts[verdict.index()] += 1;
        if matches!(verdict, Verdict::NoSlip { .. }) {
            let voucher = row.case.keys.stan.map(|stan| stan.to_string());
            let amount = row.case.keys.amount.map(|amount| amount.to_string());
            let parts = [Some(row.id.to_string()), voucher, amount];
            self.without_slip.push(parts.into_iter().flatten().collect::<Vec<_>>().join("  "));
        }
    }

    /// For scripts.
    pub fn json(&self) -> Value {
        let verdicts = Verdict::LABELS.iter().zip(self.verdicts);
        let verdicts: serde_json::Map<String, Value> =
            verdicts.map(|(label, count)| ((*label).to_owned(), count.into())).collect();
        json!({ "verdicts": verdicts, "without_slip": self.without_slip })
    }

    /// For people.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let debits: u64 = self.verdicts.iter().sum();
        let said = Verdict::LABELS.iter().zip(self.verdicts).filter(|(_, count)| *count > 0);
        let said: Vec<String> = said.map(|(label, count)| format!("{label} {count}")).collect();
        put(out, &format!("  the journal judged by it: {debits} debits: {}", said.join(", ")))?;
        for row in self.without_slip.iter().take(NAMED_MAX) {
            put(out, &format!("    no slip: {row}"))?;
        }
        match self.without_slip.len().saturating_sub(NAMED_MAX) {
            0 => Ok(()),
            more => put(out, &format!("    and {more} more without slip")),
        }
    }
}
