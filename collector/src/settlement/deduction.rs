//! What is taken from a shop's account with no payment behind it, by the words that the acquirer uses. A deduction has a
//! name when a word of the dictionary is in it, and is explained when the operator accepted that name up to an amount.

use super::row::{RowKind, SettlementRow};
use slipwatch_shared::money::Amount;

/// A line of the dictionary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deduction {
    /// Its name: a word for JSON, such as `data_fee`.
    pub name: Box<str>,
    /// What the acquirer writes.
    pub words: Vec<Box<str>>,
    /// Up to this it is agreed and not told; absent: it is always told.
    pub accepted: Option<Amount>,
}

/// Names that every dictionary knows, and what acquirers write. What they are called for people is said where letters are.
pub const KNOWN: [(&str, &[&str]); 9] = [
    ("data_fee", &["流量费", "通讯费", "SIM"]),
    ("deposit", &["押金", "保证金", "Deposit"]),
    ("chargeback", &["退单", "拒付", "Chargeback", "dispute"]),
    ("instant_payout_fee", &["T+0", "D+0", "秒到", "InstantPayout"]),
    ("rental", &["租金", "rental", "Rental"]),
    ("membership", &["会员", "年费"]),
    ("reserve", &["冻结", "准备金", "Reserve", "reserve"]),
    ("adjustment", &["调账", "调整", "差错", "Adjustment", "Correction"]),
    ("service_fee", &["服务费", "手续费", "Fee", "fee", "Invoice"]),
];

/// What is known of a deduction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Agreed: nobody is told.
    Accepted,
    /// It has a name, and nobody agreed to it.
    Named(Box<str>),
    /// Nothing.
    Unknown,
}

/// Looks a row up: in the operator's lines first, then in what every dictionary knows.
pub fn look_up(own: &[Deduction], row: &SettlementRow) -> Known {
    let texts = [Some(&*row.word), row.memo.as_deref()];
    let holds = |word: &str| texts.iter().flatten().any(|text| text.contains(word));
    if let Some(line) = own.iter().find(|line| line.words.iter().any(|word| holds(word))) {
        let agreed = line.accepted.is_some_and(|most| {
            most.currency == row.amount.currency && row.amount.minor.abs() <= most.minor
        });
        return if agreed { Known::Accepted } else { Known::Named(line.name.clone()) };
    }
    if row.kind == RowKind::Chargeback {
        return Known::Named("chargeback".into());
    }
    let known = KNOWN.iter().find(|(_, words)| words.iter().any(|word| holds(word)));
    known.map_or(Known::Unknown, |(name, ..)| Known::Named((*name).into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipwatch_shared::money::Currency;

    #[track_caller]
    fn check(word: &str, fen: i64, expected: Known) {
        let day = jiff::civil::date(2025, 11, 24);
        let mut row =
            SettlementRow::plain(1, RowKind::Charge, day, Amount::new(-fen, Currency::CNY));
        row.word = word.into();
        let own = [Deduction {
            name: "terminal_rent".into(),
            words: vec!["机具使用".into()],
            accepted: Some(Amount::new(9_900, Currency::CNY)),
        }];
        assert_eq!(look_up(&own, &row), expected, "{word}");
    }

    #[test]
    fn a_deduction_is_named_by_its_words_and_explained_by_the_operator() {
        check("机具使用费", 9_900, Known::Accepted);
        check("机具使用费", 9_901, Known::Named("terminal_rent".into()));
        check("2025年度流量费", 9_900, Known::Named("data_fee".into()));
        check("特别款项", 9_900, Known::Unknown);
    }
}
