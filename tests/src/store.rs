//! The collector's store in memory, for worlds of which hundreds are run: what is committed outlives a crash, and a
//! commit may be refused. It looks at every commit as an auditor: each number is stored once and in order.

use slipwatch_collector::commit::{AgentRow, Commit, Recall, Snapshot, TransactionRow};
use slipwatch_collector::correlate::case::CaseId;
use slipwatch_collector::correlate::finding::{Finding, FindingChange, FindingId};
use slipwatch_collector::correlate::policy::AgentName;
use slipwatch_collector::correlate::timeline::StreamTime;
use slipwatch_shared::event::{Epoch, Event, Keys, Seq};
use slipwatch_shared::money::Amount;
use slipwatch_shared::terminal::{StoreId, TerminalId};
use slipwatch_shared::wire::envelope::EventBatch;
use std::collections::BTreeMap;

/// Where an event stands in the journal.
pub type JournalKey = (AgentName, Epoch, Seq);

/// What the collector has stored.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    /// Every event, by its number.
    pub journal: BTreeMap<JournalKey, Event>,
    /// The frames as they came, in the order of commits.
    pub frames: Vec<(AgentName, Vec<u8>)>,
    /// Every payment.
    pub transactions: BTreeMap<CaseId, TransactionRow>,
    /// What was said of each payment's slip, one after the other.
    pub said: BTreeMap<CaseId, Vec<String>>,
    /// Every finding as it stands.
    pub findings: BTreeMap<FindingId, Finding>,
    /// Every change of a finding that was told, in order.
    pub told: Vec<FindingChange>,
    /// How many letters were written.
    pub letters: usize,
    agents: BTreeMap<AgentName, AgentRow>,
    alert_state: Option<Vec<u8>>,
}

impl MemoryStore {
    /// Takes in a commit, all of it; says what is wrong with it as a journal.
    pub fn commit(&mut self, commit: &Commit) -> Result<(), String> {
        for batch in &commit.journal {
            let opened = EventBatch::open(&batch.frame).map_err(|error| error.to_string())?;
            for (seq, event) in opened.group.events() {
                if !(batch.first_seq..=batch.last_seq).contains(&seq) {
                    continue;
                }
                let event = event.map_err(|error| format!("{seq:?}: {error}"))?;
                let key = (batch.agent.clone(), batch.epoch, seq);
                if self.journal.insert(key, event).is_some() {
                    return Err(format!("number {} of {:?} is stored twice", seq.0, batch.agent));
                }
            }
            self.frames.push((batch.agent.clone(), batch.frame.clone()));
        }
        for row in &commit.transactions {
            let verdict = &row.case.verdict;
            let word = match verdict.reason() {
                Some(reason) => format!("{} {reason}", verdict.label()),
                None => verdict.label().to_owned(),
            };
            let said = self.said.entry(row.id.clone()).or_default();
            if said.last() != Some(&word) {
                said.push(word);
            }
            self.transactions.insert(row.id.clone(), row.clone());
        }
        for change in &commit.findings {
            self.findings.insert(change.finding.id.clone(), change.finding.clone());
            self.told.push(change.clone());
        }
        for row in &commit.agents {
            self.agents.insert(row.name.clone(), row.clone());
        }
        self.letters += commit.outbox.len();
        if commit.alert_state.is_some() {
            self.alert_state.clone_from(&commit.alert_state);
        }
        Ok(())
    }

    /// What a collector starts from.
    pub fn load(&self) -> Snapshot {
        Snapshot {
            agents: self.agents.values().cloned().collect(),
            open: self.transactions.values().cloned().collect(),
            alert_state: self.alert_state.clone(),
        }
    }
}

impl Recall for MemoryStore {
    fn by_keys(
        &mut self,
        store: &StoreId,
        terminal: Option<TerminalId>,
        keys: &Keys,
    ) -> Vec<TransactionRow> {
        let original = keys.original.unwrap_or_default();
        let shares = |row: &&TransactionRow| {
            let known = &row.case.keys;
            let same_stan =
                known.stan.is_some() && (known.stan == keys.stan || known.stan == original.stan);
            let same_rrn =
                known.rrn.is_some() && (known.rrn == keys.rrn || known.rrn == original.rrn);
            &row.id.agent.store == store && row.terminal == terminal && (same_stan || same_rrn)
        };
        self.transactions.values().filter(shares).cloned().collect()
    }

    fn by_card(
        &mut self,
        store: &StoreId,
        amount: Amount,
        last_four: u16,
        from: StreamTime,
        through: StreamTime,
    ) -> Vec<TransactionRow> {
        let fits = |row: &&TransactionRow| {
            let pan = row.case.keys.card.and_then(|card| card.pan);
            &row.id.agent.store == store
                && row.case.keys.amount == Some(amount)
                && pan.is_some_and(|pan| pan.last_four() == last_four)
                && (from..=through).contains(&row.case.opened)
        };
        self.transactions.values().filter(fits).cloned().collect()
    }

    fn by_id(&mut self, id: &CaseId) -> Option<TransactionRow> {
        self.transactions.get(id).cloned()
    }
}
