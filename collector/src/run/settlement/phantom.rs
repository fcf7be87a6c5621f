//! A06: rows that no payment is behind, and that their terminal never made. A finding goes by the row that it was told of:
//! it ends when that row's payment is found, and where a corrected file takes the place of the row's, it goes over to the
//! row that stands there now, or ends with it. Of several rows whose one payment comes late the earliest settles it, and
//! the others are told to repeat it (A09).

use super::judge::finding;
use super::names::Names;
use super::repeated;
use super::review::{CHUNK_ROWS, HOUR_MS, ROWS_BACK_DAYS};
use super::{Desk, timestamp};
use crate::correlate::cause::{CauseClass, CauseDetail};
use crate::correlate::correlator::Agent;
use crate::correlate::finding::{Finding, FindingKind, Resolution, RowName, Severity, Subject};
use crate::correlate::timeline::StreamTime;
use crate::edge::store::StoreError;
use crate::edge::store::settlement::{
    Changes, Detail, FileId, FileState, FileView, PlacedLink, RowId, RowState, RowView, Said,
    SaidFinding,
};
use crate::settlement::matching::{self, Grouping, Link, Role, Tolerance};
use crate::settlement::row::{RowKind, SettlementRow};
use jiff::ToSpan;
use slipwatch_shared::times::ArrivalTime;
use std::collections::{BTreeMap, BTreeSet};

const KIND: FindingKind = FindingKind::PhantomSettlement;
/// A terminal must have been heard so long before and behind a row that it never made.
const HEARD_AROUND_MS: i64 = 26 * HOUR_MS;
/// A row waits so long behind its import for a spool that is late.
const ROW_WAITS_MS: i64 = 24 * HOUR_MS;

/// Open findings whose row a corrected file took the place of.
type Bereft = Vec<(String, Finding)>;

impl Desk {
    /// Looks at rows that await a payment, and at those of which it was told that none has it. Late payments are sought
    /// first.
    pub(super) fn review_rows(&mut self, now: ArrivalTime) -> Result<Changes, StoreError> {
        let mut changes = self.review_told(now)?;
        let open = self.statements.open_findings(KIND)?.into_iter();
        let open: BTreeMap<RowId, String> =
            open.filter_map(|(name, _, _, detail)| Some((RowId(detail.row?), name))).collect();
        let heard = self.statements.heard()?;
        let today = timestamp(now).to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
        let from = today.checked_sub(ROWS_BACK_DAYS.days()).unwrap_or(today);
        let tolerance = Tolerance { tip_percent_max: self.settings.tip_percent_max };
        let mut names = Names::default();
        let mut after = RowId(0);
        loop {
            let waiting = self.statements.rows_awaiting(from, after, CHUNK_ROWS)?;
            let Some((last, _)) = waiting.last() else { return Ok(changes) };
            after = last.id;
            let mut linked: Vec<Option<Link>> = vec![None; waiting.len()];
            let found = self.match_again(&waiting, tolerance, &mut linked)?;
            let (mut said, mut ended, mut told) = (Vec::new(), Vec::new(), Vec::new());
            let (mut booked, mut repeating) = (Said::default(), Vec::new());
            for ((view, file), link) in waiting.iter().zip(&linked) {
                let has_role = |role| link.as_ref().is_some_and(|link| link.role == role);
                let own = || Some((open.get(&view.id)?.clone(), Resolution::PaymentFound));
                if has_role(Role::Repeats) {
                    booked.ended.extend(own());
                    repeating.push(view.id);
                    continue;
                }
                let settled = has_role(Role::Settles);
                ended.extend(settled.then(own).flatten());
                if settled || view.state == RowState::Told || view.row.kind != RowKind::Sale {
                    continue;
                }
                let suggested = link.is_some();
                let waited =
                    now.0.saturating_sub(file.settled.unwrap_or(file.arrived).0) >= ROW_WAITS_MS;
                if waited
                    && was_heard(&heard, &view.row)
                    && let Some(phantom) = self.phantom(view, file, suggested, &mut names)?
                {
                    said.push(phantom);
                    told.push(view.id);
                }
            }
            changes.0.extend(self.statements.say(&said, &ended, now)?.0);
            // Only then: what is told or linked is not looked at again, and saying twice changes nothing.
            for row in told {
                self.statements.set_row_state(row, RowState::Told)?;
            }
            self.statements.link(&found)?;
            if !repeating.is_empty() {
                let repeats = found.iter().filter(|(_, link)| link.role == Role::Repeats);
                let payments: BTreeSet<i64> = repeats.map(|(_, link)| link.transaction).collect();
                for payment in payments {
                    repeated::settle(&self.statements, None, payment, &mut names, &mut booked)?;
                }
                changes.0.extend(self.statements.say_booked(&booked, now)?.0);
            }
            for row in repeating {
                self.statements.set_row_state(row, RowState::Done)?;
            }
        }
    }

    /// What is open of rows that do not stand as they stood when it was told.
    fn review_told(&mut self, now: ArrivalTime) -> Result<Changes, StoreError> {
        let mut ended = Vec::new();
        let mut standing: BTreeSet<RowId> = BTreeSet::new();
        let mut bereft: BTreeMap<(String, String), Bereft> = BTreeMap::new();
        for (name, _, finding, detail) in self.statements.open_findings(KIND)? {
            let Some(row) = detail.row.map(RowId) else { continue };
            match self.statements.row(row)? {
                Some((view, file)) if file.state == FileState::Loaded => match view.state {
                    RowState::Done => ended.push((name, Resolution::PaymentFound)),
                    RowState::Open | RowState::Told => drop(standing.insert(row)),
                },
                Some((_, file)) => {
                    let of = (file.head.source, file.head.period);
                    bereft.entry(of).or_default().push((name, finding));
                }
                // So old that the store forgot it.
                None => {}
            }
        }
        let (mut said, mut handed) = (Vec::new(), Vec::new());
        for ((source, period), findings) in bereft {
            let marks = findings.iter().filter_map(|(_, finding)| mark_of(finding)).collect();
            let mut rows = self.statements.rows_marked(&source, &period, RowKind::Sale, &marks)?;
            rows.retain(|(view, _)| !standing.contains(&view.id));
            for (name, finding) in findings {
                let place = heir(&rows, mark_of(&finding));
                match place.map(|place| rows.remove(place)) {
                    Some((view, _)) if view.state == RowState::Done => {
                        ended.push((name, Resolution::PaymentFound));
                    }
                    Some((view, file)) => {
                        said.push(SaidFinding {
                            finding,
                            terminal: view.row.terminal,
                            transaction: None,
                            detail: Detail::of_row(&file.head, &view.row, Some(view.id)),
                        });
                        handed.push(view.id);
                    }
                    None => ended.push((name, Resolution::Corrected)),
                }
            }
        }
        let changes = self.statements.say(&said, &ended, now)?;
        for row in handed {
            self.statements.set_row_state(row, RowState::Told)?;
        }
        Ok(changes)
    }

    /// Late payments of rows that wait; what is found is still to be written.
    fn match_again(
        &mut self,
        waiting: &[(RowView, FileView)],
        tolerance: Tolerance,
        linked: &mut [Option<Link>],
    ) -> Result<Vec<(RowId, PlacedLink)>, StoreError> {
        let rows: Vec<SettlementRow> = waiting.iter().map(|(view, _)| view.row.clone()).collect();
        // Rows of several statements: none of them narrows the shops of all.
        let grouping = self.grouping(None);
        let grouping = Grouping { shops: Default::default(), ..grouping };
        let file = FileId(0);
        let found = self.statements.candidates(&rows)?;
        let taken = self.statements.settled_among(&found.candidates, file, &[])?;
        let exact = matching::match_exactly(&rows, &found.candidates, &taken, &grouping);
        let mut put: Vec<(RowId, PlacedLink)> = Vec::new();
        let books = |link: &&Link| matches!(link.role, Role::Settles | Role::Repeats);
        for link in exact.iter().filter(books) {
            linked[link.row] = Some(*link);
            put.push((waiting[link.row].0.id, placed(link, found.candidates[link.candidate].id)));
        }
        let open: Vec<usize> = (0..rows.len()).filter(|&at| linked[at].is_none()).collect();
        let left: Vec<SettlementRow> = open.iter().map(|&at| rows[at].clone()).collect();
        let near = self.statements.candidates_near(&left, tolerance.tip_percent_max)?;
        let mut taken = self.statements.settled_among(&near.candidates, file, &[])?;
        taken.extend(put.iter().map(|(_, link)| link.transaction));
        let places: Vec<usize> = (0..left.len()).collect();
        for link in
            matching::match_the_rest(&left, &places, &near.candidates, &taken, &grouping, tolerance)
        {
            let at = open[link.row];
            linked[at] = Some(Link { row: at, ..link });
            put.push((waiting[at].0.id, placed(&link, near.candidates[link.candidate].id)));
        }
        Ok(put)
    }

    fn phantom(
        &self,
        view: &RowView,
        file: &FileView,
        suggested: bool,
        names: &mut Names,
    ) -> Result<Option<SaidFinding>, StoreError> {
        let first = || self.config.shops.first().map(|shop| shop.name.clone());
        let Some(store) = view.store.clone().or_else(first) else { return Ok(None) };
        let alike = RowName {
            store,
            source: file.head.source.as_str().into(),
            mark: view.row.mark(),
            nth: 0,
        };
        // What ended, and whose row no file that counts has, is told again under its name.
        let gives_way = |told: &super::names::ToldRow| !told.is_open && !told.counts;
        let name = names.of(&self.statements, KIND, alike, view.id, &gives_way)?;
        // A payment that may be the one behind it: look, do not ring.
        let severity = if suggested { Severity::P2 } else { Severity::P1 };
        let why = (CauseClass::Institution, CauseDetail::RowWithoutPayment);
        Ok(Some(SaidFinding {
            finding: finding(KIND, Subject::Row(name), severity, why, view.row.moment()),
            terminal: view.row.terminal,
            transaction: None,
            detail: Detail::of_row(&file.head, &view.row, Some(view.id)),
        }))
    }
}

fn mark_of(finding: &Finding) -> Option<u64> {
    match &finding.id.subject {
        Subject::Row(name) => Some(name.mark),
        _ => None,
    }
}

/// The row that a corrected file has in the place of one with this mark: one without a payment rather than one with.
fn heir(rows: &[(RowView, FileView)], mark: Option<u64>) -> Option<usize> {
    let has_mark = |place: &usize| Some(rows[*place].0.row.mark()) == mark;
    let has_payment = |place: &usize| rows[*place].0.state == RowState::Done;
    (0..rows.len()).filter(has_mark).min_by_key(has_payment)
}

fn placed(link: &Link, transaction: i64) -> PlacedLink {
    PlacedLink { row: 0, transaction, role: link.role, tier: link.tier, score: link.score }
}

/// Whether the terminal of a row was heard without a gap around its time: only then did it not make it.
fn was_heard(agents: &[Agent], row: &SettlementRow) -> bool {
    let (Some(terminal), Some(time)) = (row.terminal, row.time) else { return false };
    let serving =
        agents.iter().filter(|agent| agent.terminals.ids().any(|known| known == Some(terminal)));
    let mut any = false;
    for agent in serving {
        let at = |wall: i64| StreamTime(wall.saturating_sub(agent.timeline.wall_ahead_ms));
        let (from, to) = (at(time.at.0 - HEARD_AROUND_MS), at(time.at.0 + HEARD_AROUND_MS));
        let mut money =
            agent.coverage.of(Some(terminal)).filter(|source| source.hears_money).peekable();
        if money.peek().is_none() || money.any(|source| source.hole_in(from, to).is_some()) {
            return false;
        }
        any = true;
    }
    any
}
