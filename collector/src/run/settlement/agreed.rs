//! What was told and is agreed now: a deduction that the operator took into the dictionary, a rate that the contract has with
//! its date. Looked at with everything else that waits, so that new settings end what they explain.

use super::Desk;
use crate::correlate::finding::{FindingKind, Resolution};
use crate::edge::store::StoreError;
use crate::edge::store::settlement::{Changes, RowId};
use crate::settlement::contract::Contract;
use crate::settlement::deduction::{self, Known};
use crate::settlement::rate::{MOVED_PPM_MIN, Series};
use slipwatch_shared::times::ArrivalTime;

impl Desk {
    /// Ends A13 and A14 where the settings explain them.
    pub(super) fn review_agreed(&mut self, now: ArrivalTime) -> Result<Changes, StoreError> {
        let mut ended = Vec::new();
        for (name, _, _, detail) in self.statements.open_findings(FindingKind::RateChanged)? {
            let Some(moved) = &detail.rate else { continue };
            if is_agreed(&self.settings.contracts, &moved.series, moved.to_ppm, moved.since) {
                ended.push((name, Resolution::Agreed));
            }
        }
        for (name, _, _, detail) in
            self.statements.open_findings(FindingKind::UnexplainedDeduction)?
        {
            let Some(row) = detail.row else { continue };
            let Some((view, _)) = self.statements.row(RowId(row))? else { continue };
            if deduction::look_up(&self.settings.deductions, &view.row) == Known::Accepted {
                ended.push((name, Resolution::Agreed));
            }
        }
        self.statements.say(&[], &ended, now)
    }
}

/// Whether the contract line that counts on the day has this rate.
fn is_agreed(
    contracts: &[Contract],
    series: &Series,
    to_ppm: i64,
    since: jiff::civil::Date,
) -> bool {
    let merchant = Some(series.merchant.as_str());
    let of_series = |line: &&Contract| line.is_of(merchant, series.class, series.instrument, since);
    contracts
        .iter()
        .find(of_series)
        .is_some_and(|line| (line.rate_ppm - to_ppm).abs() < MOVED_PPM_MIN)
}
