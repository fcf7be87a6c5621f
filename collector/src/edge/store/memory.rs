//! Payments and agents in memory, for `replay` and for tests: what a store keeps, without a disk. Keeps no journal, no
//! letters, and nothing over an end of the process.

use crate::commit::{AgentRow, Commit, Snapshot};
use crate::correlate::case::CaseId;
use crate::correlate::finding::{Finding, FindingId};
use crate::correlate::policy::AgentName;
use crate::correlate::recall::{RECENT_MS, Recall, TransactionRow};
use crate::correlate::timeline::StreamTime;
use slipwatch_shared::event::Keys;
use slipwatch_shared::money::Amount;
use slipwatch_shared::terminal::{StoreId, TerminalId};
use std::collections::BTreeMap;

/// What was committed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryStore {
    /// Every payment, as it stands.
    pub transactions: BTreeMap<CaseId, TransactionRow>,
    /// Every finding, as it stands.
    pub findings: BTreeMap<FindingId, Finding>,
    /// Every agent.
    pub agents: BTreeMap<AgentName, AgentRow>,
    alert_state: Option<Vec<u8>>,
}

impl MemoryStore {
    /// Takes in a commit.
    pub fn commit(&mut self, commit: &Commit) {
        for row in &commit.transactions {
            self.transactions.insert(row.id.clone(), row.clone());
        }
        for change in &commit.findings {
            self.findings.insert(change.finding.id.clone(), change.finding.clone());
        }
        for row in &commit.agents {
            self.agents.insert(row.name.clone(), row.clone());
        }
        if commit.alert_state.is_some() {
            self.alert_state.clone_from(&commit.alert_state);
        }
    }

    /// What a collector starts from.
    pub fn load(&self) -> Snapshot {
        let awake = |row: &&TransactionRow| {
            let latest = self.agents.get(&row.id.agent).map(|agent| agent.latest);
            let recent = latest.is_some_and(|latest| row.case.opened >= latest.plus_ms(-RECENT_MS));
            row.rest_at.is_none() || recent
        };
        Snapshot {
            agents: self.agents.values().cloned().collect(),
            open: self.transactions.values().filter(awake).cloned().collect(),
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
        fn shared<T: PartialEq>(left: Option<T>, right: Option<T>) -> bool {
            left.is_some() && left == right
        }
        let wanted = |row: &&TransactionRow| {
            let known = &row.case.keys;
            let ids = known.channel_transaction_id.as_deref();
            row.id.agent.store == *store
                && (terminal.is_none() || row.terminal == terminal)
                && (shared(known.stan, keys.stan)
                    || shared(known.rrn, keys.rrn)
                    || shared(known.order_number.as_deref(), keys.order_number.as_deref())
                    || shared(ids, keys.channel_transaction_id.as_deref()))
        };
        self.transactions.values().filter(wanted).cloned().collect()
    }

    fn by_card(
        &mut self,
        store: &StoreId,
        amount: Amount,
        last_four: u16,
        from: StreamTime,
        through: StreamTime,
    ) -> Vec<TransactionRow> {
        let wanted = |row: &&TransactionRow| {
            let pan = row.case.keys.card.and_then(|card| card.pan);
            row.id.agent.store == *store
                && row.case.keys.amount == Some(amount)
                && pan.is_some_and(|pan| pan.last_four() == last_four)
                && (from..=through).contains(&row.case.opened)
        };
        self.transactions.values().filter(wanted).cloned().collect()
    }

    fn by_id(&mut self, id: &CaseId) -> Option<TransactionRow> {
        self.transactions.get(id).cloned()
    }
}
