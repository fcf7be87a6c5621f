//! A proposed policy tried on the stored journal: all that a terminal's agents sent is judged again by the core that
//! runs live, as if the policy had been in force. Changes nothing in the store.

use crate::correlate::correlator::Correlator;
use crate::correlate::policy::{AgentName, Policies, TerminalName, TerminalPolicy};
use crate::correlate::recall::TransactionRow;
use crate::correlate::verdict::Verdict;
use crate::edge::store::memory::MemoryStore;
use crate::edge::store::sqlite::SqliteReader;
use crate::edge::store::{Reader, StoreError};
use serde_json::{Value, json};
use slipwatch_shared::event::Seq;
use slipwatch_shared::times::ArrivalTime;
use std::io::{self, Write};

/// So many numbers of the journal are read at once.
const STRETCH: u64 = 4_096;
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

/// Judges the journal again with a terminal's policy in force.
pub fn run(
    reader: &mut SqliteReader,
    mut policies: Policies,
    name: &TerminalName,
    policy: &TerminalPolicy,
) -> Result<Trial, StoreError> {
    let known = policies.terminals.entry(name.clone()).or_default();
    known.who_prints = policy.who_prints;
    known.copies = policy.copies;
    known.slip_due_from = policy.slip_due_from;
    known.contactless_due_from = policy.contactless_due_from;
    let agents: Vec<AgentName> =
        policies.agents.iter().filter(|agent| agent.store == name.store).cloned().collect();
    let mut correlator = Correlator::new(policies);
    let mut store = MemoryStore::default();
    for agent in agents {
        judge(reader, &agent, &mut correlator, &mut store)?;
    }
    let mut trial = Trial::default();
    let own =
        |row: &&TransactionRow| row.terminal == Some(name.terminal) && row.case.kind.is_debit();
    for row in store.transactions.values().filter(own) {
        let verdict = &row.case.verdict;
        trial.verdicts[verdict.index()] += 1;
        if matches!(verdict, Verdict::NoSlip { .. }) {
            let voucher = row.case.keys.stan.map(|stan| stan.to_string());
            let amount = row.case.keys.amount.map(|amount| amount.to_string());
            let parts = [Some(row.id.to_string()), voucher, amount];
            trial.without_slip.push(parts.into_iter().flatten().collect::<Vec<_>>().join("  "));
        }
    }
    Ok(trial)
}

fn judge(
    reader: &mut SqliteReader,
    agent: &AgentName,
    correlator: &mut Correlator,
    store: &mut MemoryStore,
) -> Result<(), StoreError> {
    let place = correlator.agent(agent);
    for (life, span) in reader.journal_spans(agent)?.into_iter().enumerate() {
        if life > 0 {
            correlator.numbers_lost(place);
        }
        let mut from = span.first;
        let mut expected = span.first;
        while from <= span.last {
            let through = Seq(from.0.saturating_add(STRETCH - 1).min(span.last.0));
            for event in reader.journal(agent, span.epoch, from, through)? {
                let told = matches!(event.body, slipwatch_shared::event::Body::Lost { .. });
                if event.seq > expected && !told {
                    correlator.numbers_lost(place);
                }
                expected = event.seq.next();
                let now = ArrivalTime(event.observed.wall.0);
                correlator.event(place, span.epoch, &event, now, store);
            }
            let mut commit = crate::commit::Commit::default();
            correlator.take_rows(place, &mut commit.transactions);
            correlator.take_findings();
            store.commit(&commit);
            from = through.next();
        }
    }
    Ok(())
}

impl Trial {
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
        writeln!(out, "  the journal judged by it: {debits} debits: {}", said.join(", "))?;
        for row in self.without_slip.iter().take(NAMED_MAX) {
            writeln!(out, "    no slip: {row}")?;
        }
        match self.without_slip.len().saturating_sub(NAMED_MAX) {
            0 => Ok(()),
            more => writeln!(out, "    and {more} more without slip"),
        }
    }
}
