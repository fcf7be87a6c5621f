//! What an acquirer's files will hold of a fleet's payments, as plain data, and what is wrong with it on purpose. Knows
//! no file format; makes no file.

use crate::dice::Dice;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What is wrong with a row, or with its absence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoneyFault {
    /// One payment, two rows (A09).
    SettledTwice,
    /// Voided or reversed at the terminal, settled all the same (A08).
    VoidSettled,
    /// Reversal given up or never acknowledged, and settled (A03).
    TimeoutSettled,
    /// Approved, and in no file (A07).
    NeverSettled,
    /// Settled with another amount (A10).
    AmountWrong,
    /// A fee beyond the contract (A12).
    FeeWrong,
    /// A row of a terminal that never made it (A06).
    Phantom,
    /// A deduction with no transaction behind it (A14).
    Deduction,
    /// In the file of the day after: no fault, and looks like one.
    Moved,
}

impl MoneyFault {
    /// The finding that is due; absent for what only looks like a fault.
    pub fn code(self) -> Option<&'static str> {
        Some(match self {
            MoneyFault::SettledTwice => "A09",
            MoneyFault::VoidSettled => "A08",
            MoneyFault::TimeoutSettled => "A03",
            MoneyFault::NeverSettled => "A07",
            MoneyFault::AmountWrong => "A10",
            MoneyFault::FeeWrong => "A12",
            MoneyFault::Phantom => "A06",
            MoneyFault::Deduction => "A14",
            MoneyFault::Moved => return None,
        })
    }
}

/// A row of an acquirer's file, in plain data: minor units, debits of the shopper positive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettledRow {
    /// Days after the payment's own in whose file it stands.
    pub file_day: u32,
    /// Field 42.
    pub merchant: String,
    /// Field 41; empty on a deduction.
    pub terminal: String,
    /// Field 60.2.
    pub batch: u32,
    /// Field 11.
    pub stan: u32,
    /// Field 37, where the payment has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rrn: Option<String>,
    /// The shop's order number, where the payment has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// Last four digits of the card, where it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_four: Option<u16>,
    /// `sale`, `void`, `refund`, `completion`, `deduction`.
    pub kind: Cow<'static, str>,
    /// When, wall time, UTC.
    pub at_ms: i64,
    /// How much, in minor units: what the shopper paid; negative when it went back.
    pub amount_minor: i64,
    /// What the acquirer keeps of it.
    pub fee_minor: i64,
    /// What is wrong; absent on a sound row and for `never_settled`, which has no row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<MoneyFault>,
}

/// The contract's rate in hundredths of a percent, by which sound fees are reckoned, half up.
pub const RATE_BASIS_POINTS: i64 = 60;

/// The fee of an amount by the contract.
pub fn fee(amount_minor: i64) -> i64 {
    let exact = amount_minor * RATE_BASIS_POINTS;
    (exact.abs() + 5_000) / 10_000 * exact.signum()
}

/// How a sound row comes out: mostly as it is. `undone`: the payment went back by a void or reversal; `open`: nobody
/// knows whether the host took it.
pub fn settle(
    row: SettledRow,
    taken: Taken,
    trouble_per_mille: u64,
    dice: &mut Dice,
) -> (Vec<SettledRow>, Option<MoneyFault>) {
    let faulty = dice.below(1000) < trouble_per_mille;
    let with =
        |fault: MoneyFault, row: &SettledRow| SettledRow { fault: Some(fault), ..row.clone() };
    match taken {
        Taken::Undone | Taken::Open if !faulty => (Vec::new(), None),
        Taken::Undone => (vec![with(MoneyFault::VoidSettled, &row)], Some(MoneyFault::VoidSettled)),
        Taken::Open => {
            (vec![with(MoneyFault::TimeoutSettled, &row)], Some(MoneyFault::TimeoutSettled))
        }
        Taken::Debited if !faulty => (vec![row], None),
        Taken::Debited => {
            let fault = *dice.pick(&[
                MoneyFault::SettledTwice,
                MoneyFault::NeverSettled,
                MoneyFault::AmountWrong,
                MoneyFault::FeeWrong,
                MoneyFault::Moved,
            ]);
            let rows = match fault {
                MoneyFault::NeverSettled => Vec::new(),
                MoneyFault::SettledTwice => vec![row.clone(), with(fault, &row)],
                MoneyFault::AmountWrong => {
                    let amount_minor = row.amount_minor + dice.between(1, 5) * 100;
                    let fee_minor = fee(amount_minor);
                    vec![SettledRow { amount_minor, fee_minor, ..with(fault, &row) }]
                }
                MoneyFault::FeeWrong => {
                    vec![SettledRow { fee_minor: row.fee_minor * 2 + 5, ..with(fault, &row) }]
                }
                _ => vec![SettledRow { file_day: row.file_day + 1, ..with(fault, &row) }],
            };
            (rows, Some(fault))
        }
    }
}

/// Where a payment's money is in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The host took it.
    Debited,
    /// It took it and gave it back, or the undo was acknowledged.
    Undone,
    /// Nobody at the terminal can know.
    Open,
}
