//! Payments on their way to the store and back: the row of one, and who brings it back. Stores nothing itself.

use super::case::{Case, CaseId};
use super::timeline::StreamTime;
use slipwatch_shared::event::Keys;
use slipwatch_shared::money::Amount;
use slipwatch_shared::terminal::{StoreId, TerminalId};

/// A payment: one row, found by every key that a person or a settlement file may bring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionRow {
    /// Its name.
    pub id: CaseId,
    /// At which terminal, where that was told.
    pub terminal: Option<TerminalId>,
    /// All that is known of it.
    pub case: Case,
    /// Its keys are new or changed since it was last stored.
    pub keys_changed: bool,
    /// From this stream time of its agent on nothing but a settlement row or a late event can change it, and it leaves
    /// memory; absent while something is awaited.
    pub rest_at: Option<StreamTime>,
}

/// How far back from its agent's latest a payment is loaded at the start though nothing is awaited of it.
pub const RECENT_MS: i64 = 2 * 3_600_000;

/// Brings back payments that left memory. A failing store answers with nothing and is told by its next commit.
pub trait Recall {
    /// Payments of one terminal that share a number with `keys`, or with what they say of the original.
    fn by_keys(
        &mut self,
        store: &StoreId,
        terminal: Option<TerminalId>,
        keys: &Keys,
    ) -> Vec<TransactionRow>;

    /// Debits of one shop with this amount and these last four digits, opened in `from..=through`.
    fn by_card(
        &mut self,
        store: &StoreId,
        amount: Amount,
        last_four: u16,
        from: StreamTime,
        through: StreamTime,
    ) -> Vec<TransactionRow>;

    /// One payment by its name.
    fn by_id(&mut self, id: &CaseId) -> Option<TransactionRow>;
}

/// No store behind the memory: what left it is gone. For tests and benchmarks.
#[derive(Clone, Copy, Debug)]
pub struct NoStore;

impl Recall for NoStore {
    fn by_keys(&mut self, _: &StoreId, _: Option<TerminalId>, _: &Keys) -> Vec<TransactionRow> {
        Vec::new()
    }

    fn by_card(
        &mut self,
        _: &StoreId,
        _: Amount,
        _: u16,
        _: StreamTime,
        _: StreamTime,
    ) -> Vec<TransactionRow> {
        Vec::new()
    }

    fn by_id(&mut self, _: &CaseId) -> Option<TransactionRow> {
        None
    }
}
