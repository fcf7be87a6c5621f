//! What time decides: payments that no file has, undone debits that were settled all the same, files that did not come,
//! payouts that the bank does not know; rows that no terminal made have a room of their own. Looked at after each import
//! and now and then between; a late spool or a later file takes it back.

use super::judge::finding;
use super::{Desk, DeskError, timestamp};
use crate::config::settlement::Statement;
use crate::correlate::cause::{CauseClass, CauseDetail};
use crate::correlate::finding::{FindingKind, Resolution, Severity, StatementName, Subject};
use crate::edge::store::StoreError;
use crate::edge::store::settlement::{Changes, Detail, PlacedLink, SaidFinding, Watch, Watched};
use crate::settlement::calendar::Expected;
use crate::settlement::matching::{Role, Tier};
use crate::settlement::row::{RowKind, SettlementRow};
use jiff::ToSpan;
use jiff::civil::Date;
use slipwatch_shared::event::{Instrument, Kind};
use slipwatch_shared::times::{ArrivalTime, EventTime};

pub(super) const HOUR_MS: i64 = 3_600_000;
/// Rows older than this are not looked at again.
pub(super) const ROWS_BACK_DAYS: i32 = 14;
pub(super) const CHUNK_ROWS: usize = 2_048;
/// Most watched payments of one review.
const WATCHED_MAX: usize = 10_000;
/// Most payouts that are compared at once.
const PAYOUTS_MAX: usize = 5_000;
/// A payout is at the bank this many days behind its file.
const PAYOUT_DAYS: i32 = 2;

impl Desk {
    /// Looks at all that waits. Gives what changed.
    pub fn review(&mut self, now: ArrivalTime) -> Result<Changes, DeskError> {
        let _alone = self.alone(|| ())?;
        let mut changes = Changes::default();
        self.watch_undone_late(now)?;
        for changed in [
            self.review_files(now)?,
            self.review_rows(now)?,
            self.review_watched(now)?,
            self.review_payments(now)?,
            self.review_payouts(now)?,
            self.review_agreed(now)?,
        ] {
            changes.0.extend(changed.0);
        }
        Ok(changes)
    }

    fn loaded(&self, source: &str, day: Date) -> Result<bool, StoreError> {
        Ok(!self.statements.files_covering(source, day, day)?.is_empty())
    }

    /// A24: files that are due and not there.
    fn review_files(&mut self, now: ArrivalTime) -> Result<Changes, StoreError> {
        let at = timestamp(now);
        let mut said = Vec::new();
        for statement in &self.settings.statements {
            let Some(expected) = &statement.expected else { continue };
            let Some(store) = self.told_shop(statement) else { continue };
            for day in expected.missing(at, |_| false) {
                if self.loaded(&statement.name, day)? {
                    continue;
                }
                let part = day.to_string();
                let subject = Subject::Statement(StatementName {
                    store: store.clone(),
                    source: statement.name.as_str().into(),
                    part: part.as_str().into(),
                });
                let due = expected.due(day).map_or(now.0, |due| due.as_millisecond());
                let why = (CauseClass::Institution, CauseDetail::FileMissing);
                said.push(SaidFinding {
                    finding: finding(
                        FindingKind::StatementMissing,
                        subject,
                        Severity::P2,
                        why,
                        EventTime(due),
                    ),
                    terminal: None,
                    transaction: None,
                    detail: Detail::of_file(&statement.name, &part, ""),
                });
            }
        }
        let mut ended = Vec::new();
        for (name, _, _, detail) in self.statements.open_findings(FindingKind::StatementMissing)? {
            let day: Option<Date> = detail.period.parse().ok();
            let known =
                self.settings.statements.iter().any(|statement| statement.name == detail.source);
            match day {
                Some(day) if self.loaded(&detail.source, day)? => {
                    ended.push((name, Resolution::FileLoaded))
                }
                _ if !known => ended.push((name, Resolution::Agreed)),
                _ => {}
            }
        }
        self.statements.say(&said, &ended, now)
    }

    /// The shop that is told of a statement as a whole.
    fn told_shop(&self, statement: &Statement) -> Option<slipwatch_shared::terminal::StoreId> {
        statement
            .shops
            .first()
            .cloned()
            .or_else(|| self.config.shops.first().map(|shop| shop.name.clone()))
    }

    /// A05 and A08: what the shop's screen said against what was settled.
    fn review_watched(&mut self, now: ArrivalTime) -> Result<Changes, StoreError> {
        let (mut said, mut ended, mut done) = (Vec::new(), Vec::new(), Vec::new());
        for watch in self.statements.watched(now, WATCHED_MAX)? {
            let Some((case, terminal)) = self.statements.case_of(watch.transaction)? else {
                done.push(watch);
                continue;
            };
            let kind = match watch.matter {
                Watched::Late => FindingKind::LateSuccess,
                Watched::Undone => FindingKind::VoidedButSettled,
            };
            let id = crate::correlate::finding::FindingId {
                kind,
                subject: Subject::Case(case.clone()),
                time: 1,
            };
            let row = self.statements.row(watch.row)?;
            let counts = row.as_ref().is_some_and(|(_, file)| {
                file.state == crate::edge::store::settlement::FileState::Loaded
            });
            let Some((view, file)) = row.filter(|_| counts) else {
                ended.push((id.to_string(), Resolution::Corrected));
                done.push(watch);
                continue;
            };
            let mut offset = self.statements.is_linked(watch.transaction, Role::Offsets)?;
            if !offset && let Some(credit) = self.statements.credit_for(&view.row)? {
                let link = PlacedLink {
                    row: 0,
                    transaction: watch.transaction,
                    role: Role::Offsets,
                    tier: Tier::P1,
                    score: 950,
                };
                self.statements.link(&[(credit, link)])?;
                offset = true;
            }
            if offset {
                ended.push((id.to_string(), Resolution::CreditBooked));
                done.push(watch);
                continue;
            }
            let why = (CauseClass::Institution, CauseDetail::FileContradicts);
            said.push(SaidFinding {
                finding: finding(kind, id.subject, Severity::P1, why, view.row.moment()),
                terminal,
                transaction: Some(watch.transaction),
                detail: Detail::of_row(&file.head, &view.row, Some(view.id)),
            });
        }
        let changes = self.statements.say(&said, &ended, now)?;
        self.statements.unwatch(&done)?;
        Ok(changes)
    }

    /// A void or reversal that was heard behind its payment's row, out of a late spool or on the next day, is watched like
    /// one that was heard before.
    fn watch_undone_late(&mut self, now: ArrivalTime) -> Result<(), StoreError> {
        let from = EventTime(now.0 - i64::from(ROWS_BACK_DAYS) * 24 * HOUR_MS);
        let found = self.statements.undone_late(from, WATCHED_MAX)?;
        // Its credit may stand in a file of the next two days.
        let due = now.0 + 48 * HOUR_MS;
        let watch = |(transaction, row)| Watch { matter: Watched::Undone, transaction, row, due };
        self.statements.watch(&found.into_iter().map(watch).collect::<Vec<_>>())
    }

    /// A07: payments of a day whose files are all there, and that none of them has.
    fn review_payments(&mut self, now: ArrivalTime) -> Result<Changes, StoreError> {
        let at = timestamp(now);
        let mut ended = Vec::new();
        for (name, transaction, _, _) in
            self.statements.open_findings(FindingKind::AuthorizationNeverSettled)?
        {
            if let Some(transaction) = transaction
                && self.statements.is_linked(transaction, Role::Settles)?
            {
                ended.push((name, Resolution::Settled));
            }
        }
        let mut changes = self.statements.say(&[], &ended, now)?;
        for statement in self.settings.statements.clone() {
            let Some(expected) = statement.expected.clone().filter(|_| !statement.bank) else {
                continue;
            };
            let today = expected.day_of(at);
            for back in (0..=ROWS_BACK_DAYS).rev() {
                let Ok(day) = today.checked_sub(back.days()) else { continue };
                let is_due = expected.settled_by(day).is_some_and(|by| by <= at);
                let is_known = expected.since.is_none_or(|since| day >= since);
                let judged = format!("{JUDGED} {day}");
                if !is_due || !is_known || self.statements.kept(&statement.name, &judged)?.is_some()
                {
                    continue;
                }
                // The files of the day and of the next one must be there: silence is not absence.
                let next = day.checked_add(1.day()).unwrap_or(day);
                let whole = self.has_day(&statement.name, &expected, day)?
                    && (expected.settles_days == 0
                        || self.has_day(&statement.name, &expected, next)?);
                if whole {
                    changes.0.extend(self.unsettled_of(&statement, &expected, day, now)?.0);
                    self.statements.keep(&statement.name, &judged, "yes")?;
                }
            }
        }
        Ok(changes)
    }

    fn has_day(&self, source: &str, expected: &Expected, day: Date) -> Result<bool, StoreError> {
        Ok(!expected.has_file(day) || self.loaded(source, day)?)
    }

    fn unsettled_of(
        &mut self,
        statement: &Statement,
        expected: &Expected,
        day: Date,
        now: ArrivalTime,
    ) -> Result<Changes, StoreError> {
        let midnight = |day: Date| {
            let local = day.at(0, 0, 0, 0).to_zoned_datetime(expected.zone.clone());
            EventTime(local.map_or(0, |local| local.timestamp().as_millisecond()))
        };
        let (from, until) = (midnight(day), midnight(day.checked_add(1.day()).unwrap_or(day)));
        let mut changes = Changes::default();
        let mut after = 0;
        loop {
            let found = self.statements.unsettled(from, until, after, CHUNK_ROWS)?;
            let Some(last) = found.last() else { return Ok(changes) };
            after = last.candidate.id;
            let mut said = Vec::new();
            for unsettled in &found {
                let candidate = &unsettled.candidate;
                let instrument = unsettled.instrument.unwrap_or(Instrument::Card);
                let concerns = (statement.shops.is_empty()
                    || statement.shops.contains(&unsettled.store))
                    && (statement.instruments.is_empty()
                        || statement.instruments.contains(&instrument));
                let debit = matches!(candidate.kind, Kind::Sale | Kind::Completion | Kind::Refund);
                if !concerns
                    || !debit
                    || candidate.standing == crate::settlement::standing::Standing::Untold
                {
                    continue;
                }
                let Some((case, terminal)) = self.statements.case_of(candidate.id)? else {
                    continue;
                };
                let why = (CauseClass::Institution, CauseDetail::PaymentWithoutRow);
                let mut detail = Detail::of_file(&statement.name, &day.to_string(), "");
                detail.amount_minor = candidate.amount.map(|amount| amount.minor);
                detail.currency = candidate.amount.map(|amount| amount.currency.to_string());
                said.push(SaidFinding {
                    finding: finding(
                        FindingKind::AuthorizationNeverSettled,
                        Subject::Case(case),
                        Severity::P2,
                        why,
                        candidate.at,
                    ),
                    terminal,
                    transaction: Some(candidate.id),
                    detail,
                });
            }
            changes.0.extend(self.statements.say(&said, &[], now)?.0);
        }
    }

    /// A23: what files say was paid out against what came in at the bank.
    fn review_payouts(&mut self, now: ArrivalTime) -> Result<Changes, StoreError> {
        let Some(bank) = self.settings.statements.iter().find(|statement| statement.bank).cloned()
        else {
            return Ok(Changes::default());
        };
        let today = timestamp(now).to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
        let from = today.checked_sub(ROWS_BACK_DAYS.days()).unwrap_or(today);
        let rows = self.statements.rows_of_kind(RowKind::Payout, from, today, PAYOUTS_MAX)?;
        let (booked, promised): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|(_, file)| file.head.source == bank.name);
        let mut used = vec![false; booked.len()];
        let (mut said, mut ended) = (Vec::new(), Vec::new());
        for (view, file) in &promised {
            let until = view.row.day.checked_add(PAYOUT_DAYS.days()).unwrap_or(view.row.day);
            let reference = view.row.payout.as_deref().unwrap_or_default();
            let near = |other: &SettlementRow| {
                other.day >= view.row.day
                    && other.day <= until.checked_add(3.days()).unwrap_or(until)
            };
            let names = |other: &SettlementRow| {
                let texts = [other.memo.as_deref(), other.payout.as_deref()];
                texts.iter().flatten().any(|text| names_whole(text, reference))
            };
            let equal = |other: &SettlementRow| other.amount == view.row.amount;
            let pick = |wanted: &dyn Fn(&SettlementRow) -> bool| {
                (0..booked.len())
                    .find(|&at| !used[at] && near(&booked[at].0.row) && wanted(&booked[at].0.row))
            };
            let exact =
                pick(&|other| equal(other) && names(other)).or_else(|| pick(&|other| equal(other)));
            let other = pick(&|other| names(other));
            let store = view
                .store
                .clone()
                .or_else(|| self.config.shops.first().map(|shop| shop.name.clone()));
            let Some(store) = store else { continue };
            let part = format!("{} {reference}", view.row.day);
            let source = file.head.source.as_str().into();
            let subject =
                Subject::Statement(StatementName { store, source, part: part.trim().into() });
            let id = crate::correlate::finding::FindingId {
                kind: FindingKind::PayoutMismatch,
                subject: subject.clone(),
                time: 1,
            };
            if let Some(at) = exact {
                used[at] = true;
                ended.push((id.to_string(), Resolution::PayoutBooked));
                continue;
            }
            // The bank's own file must reach beyond the day on which it was due.
            let heard = until < today && self.loaded(&bank.name, until)?;
            if !heard && other.is_none() {
                continue;
            }
            let mut detail = Detail::of_row(&file.head, &view.row, Some(view.id));
            detail.expected_minor = Some(view.row.amount.minor);
            detail.amount_minor = Some(other.map_or(0, |at| booked[at].0.row.amount.minor));
            if let Some(at) = other {
                used[at] = true;
            }
            let why = (CauseClass::Institution, CauseDetail::PayoutDiffers);
            said.push(SaidFinding {
                finding: finding(
                    FindingKind::PayoutMismatch,
                    subject,
                    Severity::P2,
                    why,
                    view.row.moment(),
                ),
                terminal: None,
                transaction: None,
                detail,
            });
        }
        self.statements.say(&said, &ended, now)
    }
}

/// Whether a text names a number, and not another one that it is a part of.
fn names_whole(text: &str, number: &str) -> bool {
    let is_end = |sign: Option<char>| sign.is_none_or(|sign| !sign.is_alphanumeric());
    number.len() >= 2
        && text.match_indices(number).any(|(at, _)| {
            is_end(text[..at].chars().next_back())
                && is_end(text[at + number.len()..].chars().next())
        })
}

/// Of which days payments without a row were sought.
const JUDGED: &str = "(judged)";
