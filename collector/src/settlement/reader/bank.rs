//! What both kinds of bank statement share: an account's opening and closing balance, its bookings as rows, and whether
//! the bookings lead from the one to the other.

use super::error::{Bounded, Expected, Found, ReadError, Trouble};
use super::money::{self, Milli};
use super::totals::Checked;
use super::value;
use crate::settlement::row::{Precision, RowKind, RowTime, SettlementRow};
use jiff::civil::Date;
use slipwatch_shared::money::{Amount, Currency};
use slipwatch_shared::times::EventTime;

/// Most statements of one file.
const STATEMENTS_MAX: usize = 10_000;

/// A balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Balance {
    pub milli: Milli,
    pub currency: Currency,
}

/// A booking.
#[derive(Clone, Debug)]
pub(super) struct Booking {
    pub line: u32,
    pub milli: Milli,
    pub currency: Currency,
    pub booked: Date,
    pub valued: Option<Date>,
    /// References by which the payer names it, the surest first.
    pub reference: Option<String>,
    pub text: String,
    /// The bank's own word for it.
    pub word: String,
    /// It is announced and not booked yet.
    pub pending: bool,
}

/// One account's statement as it is read.
#[derive(Clone, Debug, Default)]
pub(super) struct Statement {
    pub account: String,
    pub opening: Option<Balance>,
    pub closing: Option<Balance>,
    sum: Milli,
    currency: Option<Currency>,
}

/// The statements that ended, each with its balances where they were checked.
#[derive(Clone, Debug, Default)]
pub(super) struct Ended {
    pub statements: usize,
    pub checked: Vec<Checked>,
}

impl Statement {
    /// A booking becomes a row: what comes in may be a payout, what goes out is no matter of settlement.
    pub fn row(&mut self, booking: Booking) -> Result<SettlementRow, ReadError> {
        let Booking { line, milli, currency, booked, valued, reference, text, word, pending } =
            booking;
        if !pending {
            self.sum = self.sum.saturating_add(milli);
        }
        self.currency.get_or_insert(currency);
        let minor = money::whole(milli).ok_or_else(|| {
            let found = Found::Number(money::text(milli, currency.minor_digits()));
            ReadError::at(line, Trouble::Cell { what: Expected::WholeUnits, found })
        })?;
        let kind = if minor >= 0 && !pending { RowKind::Payout } else { RowKind::Transfer };
        let day = valued.unwrap_or(booked);
        let mut row = SettlementRow::plain(line, kind, day, Amount::new(minor, currency));
        let midnight = booked.at(0, 0, 0, 0).to_zoned_datetime(jiff::tz::TimeZone::UTC);
        row.time = midnight.ok().map(|midnight| RowTime {
            at: EventTime(midnight.timestamp().as_millisecond()),
            precision: Precision::Day,
        });
        row.merchant = value::name(&self.account);
        row.payout = reference.as_deref().and_then(value::name);
        // What the account pays to others is no matter of ours, and names people.
        row.memo = value::free_text(&text).filter(|_| kind == RowKind::Payout);
        row.word = value::free_text(&word).unwrap_or_default();
        Ok(row)
    }

    /// At its end: opening and bookings must come to the closing balance, where both are in the account's currency.
    pub fn end(self, line: u32, ended: &mut Ended) -> Result<(), ReadError> {
        ended.statements += 1;
        if ended.statements > STATEMENTS_MAX {
            let most = STATEMENTS_MAX as u64;
            return Err(ReadError::at(line, Trouble::TooMuch { of: Bounded::Statements, most }));
        }
        let (Some(opening), Some(closing)) = (self.opening, self.closing) else { return Ok(()) };
        let of_account = |currency| currency == opening.currency;
        if !of_account(closing.currency) || !self.currency.is_none_or(of_account) {
            return Ok(());
        }
        let digits = opening.currency.minor_digits();
        let counted = opening.milli.saturating_add(self.sum);
        if counted != closing.milli {
            let (stated, counted) =
                (money::text(closing.milli, digits), money::text(counted, digits));
            let column = Some(format!("closing balance of {}", last_four(&self.account)));
            return Err(ReadError { line, column, trouble: Trouble::Total { stated, counted } });
        }
        ended.checked.push(Checked {
            name: format!("closing balance of {}", last_four(&self.account)),
            value: money::text(closing.milli, digits),
        });
        Ok(())
    }
}

/// An account as messages name it.
fn last_four(account: &str) -> String {
    let kept = account.chars().count().saturating_sub(4);
    format!("…{}", account.chars().skip(kept).collect::<String>())
}
