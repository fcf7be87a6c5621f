//! What an acquirer may keep of a payment, as the shop's contract says: a rate a card class, with cap, minimum and dates.
//! Compares; never guesses a contract that is not there.

use super::reader::money::Milli;
use super::row::{CardClass, MerchantName, RowKind, SettlementRow};
use jiff::civil::Date;
use slipwatch_shared::event::Instrument;

/// What becomes of the fee when a payment is given back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RefundFee {
    /// Either is right.
    #[default]
    Any,
    /// It comes back with it.
    Returned,
    /// The acquirer keeps it.
    Kept,
}

/// A line of a contract.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contract {
    /// Of which account; of any where absent.
    pub merchant: Option<MerchantName>,
    /// Of which cards.
    pub class: Option<CardClass>,
    /// Card or wallet.
    pub instrument: Option<Instrument>,
    /// Millionths of the amount.
    pub rate_ppm: i64,
    /// No more than this, in minor units.
    pub cap_minor: Option<i64>,
    /// No less than this, in minor units.
    pub least_minor: Option<i64>,
    /// From this day on.
    pub from: Option<Date>,
    /// Through this day.
    pub until: Option<Date>,
    /// When a payment is given back.
    pub refund: RefundFee,
}

/// How a row's fee stands to the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fee {
    /// No line of a contract is about such a row, or the file tells no fee.
    NotJudged,
    /// As agreed, up to rounding.
    Holds {
        /// The cap or the minimum decided: the rate cannot be seen in it.
        bounded: bool,
    },
    /// Another one.
    Differs {
        /// As agreed, in minor units.
        expected_minor: i64,
        /// As taken, in thousandths of a minor unit.
        found_milli: Milli,
    },
}

/// A fee may differ by rounding: one minor unit.
const ROUNDING_MILLI: Milli = 1_000;

impl Contract {
    /// Whether it is about such a row.
    pub fn concerns(&self, row: &SettlementRow) -> bool {
        self.is_of(row.merchant.as_deref(), row.class, row.instrument, row.day)
    }

    /// Whether it is about payments of this account, card class and instrument on this day.
    pub fn is_of(
        &self,
        merchant: Option<&str>,
        class: Option<CardClass>,
        instrument: Option<Instrument>,
        day: Date,
    ) -> bool {
        self.merchant.as_deref().is_none_or(|name| merchant == Some(name))
            && self.class.is_none_or(|wanted| class == Some(wanted))
            && self.instrument.is_none_or(|wanted| instrument == Some(wanted))
            && self.from.is_none_or(|from| day >= from)
            && self.until.is_none_or(|until| day <= until)
    }

    /// The fee of an amount, half up to the minor unit, and whether cap or minimum decided.
    pub fn fee_minor(&self, amount_minor: i64) -> (i64, bool) {
        let exact = i128::from(amount_minor.abs()) * i128::from(self.rate_ppm);
        let rounded = ((exact + 500_000) / 1_000_000) as i64;
        let least = self.least_minor.unwrap_or(0);
        let most = self.cap_minor.unwrap_or(i64::MAX);
        let fee = rounded.max(least).min(most);
        (fee, fee != rounded || fee == most)
    }
}

/// Compares a row's fee with the first line of the contracts that is about it.
pub fn judge(contracts: &[Contract], row: &SettlementRow) -> Fee {
    let Some(found_milli) = row.fee_milli.filter(|_| row.kind.has_payment()) else {
        return Fee::NotJudged;
    };
    let Some(contract) = contracts.iter().find(|contract| contract.concerns(row)) else {
        return Fee::NotJudged;
    };
    let (fee, bounded) = contract.fee_minor(row.amount.minor);
    let near = |expected: i64| (found_milli - expected * 1_000).abs() <= ROUNDING_MILLI;
    let expected = match (row.kind, contract.refund) {
        (RowKind::Sale, _) => fee,
        // A void undoes the fee with the payment.
        (RowKind::Void, _) | (_, RefundFee::Returned) => -fee,
        (_, RefundFee::Kept) => 0,
        (_, RefundFee::Any) if near(0) => 0,
        (_, RefundFee::Any) => -fee,
    };
    match near(expected) {
        true => Fee::Holds { bounded },
        false => Fee::Differs { expected_minor: expected, found_milli },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipwatch_shared::money::{Amount, Currency};

    fn row(kind: RowKind, fen: i64, fee_milli: i64) -> SettlementRow {
        let day = jiff::civil::date(2025, 11, 24);
        let mut row = SettlementRow::plain(1, kind, day, Amount::new(fen, Currency::CNY));
        row.fee_milli = Some(fee_milli);
        row.class = Some(CardClass::Debit);
        row
    }

    #[track_caller]
    fn check(kind: RowKind, fen: i64, fee_milli: i64, expected: Fee) {
        let contract = Contract {
            class: Some(CardClass::Debit),
            rate_ppm: 5_000,
            cap_minor: Some(2_000),
            least_minor: Some(10),
            from: Some(jiff::civil::date(2025, 11, 1)),
            ..Contract::default()
        };
        assert_eq!(judge(&[contract], &row(kind, fen, fee_milli)), expected);
    }

    #[test]
    fn a_fee_is_compared_up_to_rounding_cap_and_minimum() {
        check(RowKind::Sale, 8_800, 44_000, Fee::Holds { bounded: false });
        check(RowKind::Sale, 8_810, 44_050, Fee::Holds { bounded: false });
        check(RowKind::Sale, 8_800, 45_000, Fee::Holds { bounded: false });
        let differs = Fee::Differs { expected_minor: 44, found_milli: 53_000 };
        check(RowKind::Sale, 8_800, 53_000, differs);
        check(RowKind::Sale, 1_000_000, 2_000_000, Fee::Holds { bounded: true });
        check(RowKind::Sale, 100, 10_000, Fee::Holds { bounded: true });
    }

    #[test]
    fn money_given_back_takes_its_fee_along_or_leaves_it() {
        check(RowKind::Refund, -8_800, -44_000, Fee::Holds { bounded: false });
        check(RowKind::Refund, -8_800, 0, Fee::Holds { bounded: false });
        let differs = Fee::Differs { expected_minor: -44, found_milli: 44_000 };
        check(RowKind::Refund, -8_800, 44_000, differs);
        check(RowKind::Charge, -8_800, 44_000, Fee::NotJudged);
    }

    #[test]
    fn another_class_or_day_is_not_judged() {
        let contract =
            Contract { class: Some(CardClass::Credit), rate_ppm: 1, ..Contract::default() };
        assert_eq!(judge(&[contract], &row(RowKind::Sale, 8_800, 44_000)), Fee::NotJudged);
        let until = Some(jiff::civil::date(2025, 11, 23));
        let contract = Contract { rate_ppm: 1, until, ..Contract::default() };
        assert_eq!(judge(&[contract], &row(RowKind::Sale, 8_800, 44_000)), Fee::NotJudged);
    }
}
