//! The collector's store in memory, for worlds of which hundreds are run: what is committed outlives a crash, and a
//! commit may be refused. It looks at every commit as an auditor: each number is stored once and in order. What it
//! keeps of payments it keeps as the collector's own does.

use slipwatch_collector::commit::{Commit, Recall, Snapshot, TransactionRow};
use slipwatch_collector::correlate::case::CaseId;
use slipwatch_collector::correlate::finding::FindingChange;
use slipwatch_collector::correlate::policy::AgentName;
use slipwatch_collector::correlate::timeline::StreamTime;
use slipwatch_collector::edge::store::memory;
use slipwatch_shared::event::{Epoch, Event, Keys, Seq};
use slipwatch_shared::money::Amount;
use slipwatch_shared::terminal::{StoreId, TerminalId};
use slipwatch_shared::wire::envelope::EventBatch;
use std::collections::BTreeMap;
use std::ops::Deref;

/// Where an event stands in the journal.
pub type JournalKey = (AgentName, Epoch, Seq);

/// What the collector has stored.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    /// Every event, by its number.
    pub journal: BTreeMap<JournalKey, Event>,
    /// The frames as they came, in the order of commits.
    pub frames: Vec<(AgentName, Vec<u8>)>,
    /// Payments, findings and agents as they stand, as the collector's own store in memory keeps them.
    kept: memory::MemoryStore,
    /// What was said of each payment's slip, one after the other.
    pub said: BTreeMap<CaseId, Vec<String>>,
    /// Every change of a finding that was told, in order.
    pub told: Vec<FindingChange>,
    /// How many letters were written.
    pub letters: usize,
}

impl Deref for MemoryStore {
    type Target = memory::MemoryStore;

    fn deref(&self) -> &memory::MemoryStore {
        &self.kept
    }
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
        }
        self.told.extend(commit.findings.iter().cloned());
        self.letters += commit.outbox.len();
        self.kept.commit(commit);
        Ok(())
    }

    /// What a collector starts from.
    pub fn load(&self) -> Snapshot {
        self.kept.load()
    }
}

impl Recall for MemoryStore {
    fn by_keys(
        &mut self,
        store: &StoreId,
        terminal: Option<TerminalId>,
        keys: &Keys,
    ) -> Vec<TransactionRow> {
        self.kept.by_keys(store, terminal, keys)
    }

    fn by_card(
        &mut self,
        store: &StoreId,
        amount: Amount,
        last_four: u16,
        from: StreamTime,
        through: StreamTime,
    ) -> Vec<TransactionRow> {
        self.kept.by_card(store, amount, last_four, from, through)
    }

    fn by_id(&mut self, id: &CaseId) -> Option<TransactionRow> {
        self.kept.by_id(id)
    }
}
