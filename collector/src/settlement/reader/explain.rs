//! A row in one line, as a person checks it against the file: what was understood, and nothing that was not kept.

use super::money;
use crate::settlement::row::{OriginalNumbers, Precision, SettlementRow};
use jiff::Timestamp;
use std::fmt::{Display, Write};

/// `line 7  sale  2025-11-24 04:30:05Z  CNY 88.00  fee 0.528  net 87.47  terminal=10000001 …`
pub fn row(row: &SettlementRow) -> String {
    let mut out = format!("line {:<5} {:<10} {}", row.line, row.kind.label(), when(row));
    let digits = row.currency().minor_digits();
    let _ = write!(out, "  {}", row.amount);
    if let Some(fee) = row.fee_milli {
        let _ = write!(out, "  fee {}", money::text(fee, digits));
    }
    if let Some(net) = row.net_minor {
        let _ = write!(out, "  net {}", money::text(net.saturating_mul(1000), digits));
    }
    let mut say = |name: &str, value: Option<&dyn Display>| {
        if let Some(value) = value {
            let _ = write!(out, "  {name}={value}");
        }
    };
    say("merchant", row.merchant.as_ref().map(|value| value as &dyn Display));
    say("terminal", row.terminal.as_ref().map(|value| value as &dyn Display));
    say("batch", row.batch_number.as_ref().map(|value| value as &dyn Display));
    say("stan", row.stan.as_ref().map(|value| value as &dyn Display));
    say("rrn", row.rrn.as_ref().map(|value| value as &dyn Display));
    say("code", row.authorization_code.as_ref().map(|value| value as &dyn Display));
    say("order", row.order_number.as_ref().map(|value| value as &dyn Display));
    say("channel", row.channel_transaction_id.as_ref().map(|value| value as &dyn Display));
    say("refund", row.refund_number.as_ref().map(|value| value as &dyn Display));
    let OriginalNumbers { stan, batch_number, rrn, order_number, channel_transaction_id } =
        &row.original;
    say("original_stan", stan.as_ref().map(|value| value as &dyn Display));
    say("original_batch", batch_number.as_ref().map(|value| value as &dyn Display));
    say("original_rrn", rrn.as_ref().map(|value| value as &dyn Display));
    say("original_order", order_number.as_ref().map(|value| value as &dyn Display));
    say("original_channel", channel_transaction_id.as_ref().map(|value| value as &dyn Display));
    say("card", row.pan.as_ref().map(|value| value as &dyn Display));
    say("class", row.class.map(|class| class.label()).as_ref().map(|value| value as &dyn Display));
    let instrument = row.instrument.map(|instrument| format!("{instrument:?}"));
    say("by", instrument.as_ref().map(|value| value as &dyn Display));
    say("payout", row.payout.as_ref().map(|value| value as &dyn Display));
    if !row.word.is_empty() {
        let _ = write!(out, "  {:?}", row.word);
    }
    if let Some(memo) = &row.memo {
        let _ = write!(out, "  {memo:?}");
    }
    out
}

fn when(row: &SettlementRow) -> String {
    let Some(time) = row.time else { return format!("{} (day)", row.day) };
    let at = Timestamp::from_millisecond(time.at.0).unwrap_or_default();
    match time.precision {
        Precision::Second => at.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
        Precision::Minute => at.strftime("%Y-%m-%d %H:%MZ").to_string(),
        Precision::Day => format!("{} (day)", row.day),
    }
}
