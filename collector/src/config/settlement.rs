//! Settings of settlement: which files are expected of whom, contracts, deductions that were agreed to.

use crate::settlement::calendar::Expected;
use crate::settlement::contract::Contract;
use crate::settlement::deduction::Deduction;
use slipwatch_shared::event::Instrument;
use slipwatch_shared::terminal::StoreId;
use std::path::PathBuf;

/// Settings of settlement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SettlementConfig {
    /// Files that are put into this directory are imported; absent: none is watched.
    pub inbox: Option<PathBuf>,
    /// Profiles beside the shipped ones.
    pub profiles: Option<PathBuf>,
    /// Largest file, and largest part of an archive, in bytes.
    pub file_bytes_max: u64,
    /// A tip of at most so many hundredths may be added behind the approval.
    pub tip_percent_max: u8,
    /// The files that are expected.
    pub statements: Vec<Statement>,
    /// What acquirers may keep.
    pub contracts: Vec<Contract>,
    /// What was agreed to, and the words that name it.
    pub deductions: Vec<Deduction>,
}

/// Files of one source.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// Its name.
    pub name: String,
    /// How its files are read.
    pub profile: String,
    /// Accounts that its rows may be of; any where empty.
    pub merchants: Vec<String>,
    /// Shops that its payments are of.
    pub shops: Vec<StoreId>,
    /// What its payments are made with; anything where empty.
    pub instruments: Vec<Instrument>,
    /// When its files are expected; absent: none is missed.
    pub expected: Option<Expected>,
    /// A bank's statement: the other side of payouts.
    pub bank: bool,
}

impl Statement {
    /// Whether a row of this account may be in it.
    pub fn takes(&self, merchant: &str) -> bool {
        self.merchants.is_empty() || self.merchants.iter().any(|known| known == merchant)
    }
}
