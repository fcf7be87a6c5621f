//! What the rows of one file say beside being linked: other amounts, fees that nobody agreed to, rates that moved,
//! deductions, rows that repeat. Gathers while the file is written, and says it all when the file begins to count.

use super::names::{Names, ToldRow};
use super::repeated;
use crate::config::settlement::SettlementConfig;
use crate::correlate::case::CaseId;
use crate::correlate::cause::{Cause, CauseClass, CauseDetail};
use crate::correlate::finding::{
    Finding, FindingId, FindingKind, RowName, Severity, Stage, StatementName, Subject,
};
use crate::edge::store::StoreError;
use crate::edge::store::settlement::{
    Detail, FileHead, FileId, MovedRate, RowId, Said, SaidFinding, Watch, Watched,
};
use crate::edge::store::sqlite::settlement::SqliteStatements;
use crate::settlement::contract::{self, Fee};
use crate::settlement::deduction::{self, Known};
use crate::settlement::matching::{Candidate, Compared, Link, Role, Tolerance, compare};
use crate::settlement::rate::{self, Moved, Rates, Series};
use crate::settlement::row::{RowKind, SettlementRow};
use crate::settlement::standing::Standing;
use slipwatch_shared::event::Instrument;
use slipwatch_shared::terminal::StoreId;
use slipwatch_shared::times::EventTime;
use std::collections::BTreeMap;

/// Most findings of one kind that one file raises; a file that says more is wrong as a whole.
const MATTERS_MAX: usize = 10_000;
/// Rows whose fee differs, from which on it is told, and the sum of differences in minor units.
const FEE_ROWS_MIN: u32 = 3;
const FEE_MINOR_MIN: i64 = 100;
/// A deduction from which on somebody is rung, in minor units of any currency.
const DEDUCTION_RINGS_MINOR: i64 = 5_000;
const DAY_MS: i64 = 86_400_000;

/// A row that something is said of.
pub(super) struct Matter {
    pub(super) kind: FindingKind,
    pub(super) row: RowId,
    of: Box<SettlementRow>,
    shop: Option<StoreId>,
    pub(super) transaction: Option<i64>,
    /// What the terminal knows where the row has another amount.
    pub(super) expected_minor: Option<i64>,
    word: Option<Box<str>>,
}

#[derive(Default)]
struct FeeSum {
    rows: u32,
    differs_milli: i64,
    taken_milli: i64,
    first: Option<(RowId, Box<SettlementRow>)>,
}

/// All that was gathered.
pub(super) struct Matters {
    matters: Vec<Matter>,
    fees: BTreeMap<Option<StoreId>, FeeSum>,
    moved: Vec<(Series, Moved, Option<StoreId>)>,
    confirmed: Vec<i64>,
    watch: Vec<Watch>,
    rates: BTreeMap<String, Rates>,
}

/// Gathers what the rows of one file say.
pub(super) struct Judge<'a> {
    settings: &'a SettlementConfig,
    tolerance: Tolerance,
    day_ms: i64,
    pub(super) rates: BTreeMap<String, Rates>,
    matters: Matters,
}

impl<'a> Judge<'a> {
    pub(super) fn new(
        settings: &'a SettlementConfig,
        head: &FileHead,
        tolerance: Tolerance,
    ) -> Judge<'a> {
        let midnight = head.last_day.at(0, 0, 0, 0).to_zoned_datetime(jiff::tz::TimeZone::UTC);
        Judge {
            settings,
            tolerance,
            day_ms: midnight.map_or(0, |midnight| midnight.timestamp().as_millisecond()),
            rates: BTreeMap::new(),
            matters: Matters {
                matters: Vec::new(),
                fees: BTreeMap::new(),
                moved: Vec::new(),
                confirmed: Vec::new(),
                watch: Vec::new(),
                rates: BTreeMap::new(),
            },
        }
    }

    pub(super) fn finish(mut self) -> Matters {
        self.matters.rates = self.rates;
        self.matters
    }

    fn matter(&mut self, matter: Matter) {
        if self.matters.matters.len() < MATTERS_MAX {
            self.matters.matters.push(matter);
        }
    }

    /// A row that was linked with a payment.
    pub(super) fn linked(
        &mut self,
        id: RowId,
        row: &SettlementRow,
        candidate: &Candidate,
        link: &Link,
    ) {
        // What is only probable closes nothing and says nothing.
        if link.tier.is_probable() {
            return;
        }
        let matter = |kind, expected_minor| Matter {
            kind,
            row: id,
            of: Box::new(row.clone()),
            shop: None,
            transaction: Some(candidate.id),
            expected_minor,
            word: None,
        };
        let other_minor = match compare(row, candidate, self.tolerance) {
            Compared::Differs { terminal_minor, .. } => Some(terminal_minor),
            _ => None,
        };
        match link.role {
            Role::Repeats => self.matter(matter(FindingKind::DuplicateDebit, other_minor)),
            Role::Settles => {
                if other_minor.is_some() {
                    self.matter(matter(FindingKind::AmountMismatch, other_minor));
                }
                if candidate.has_open_findings && self.matters.confirmed.len() < MATTERS_MAX {
                    self.matters.confirmed.push(candidate.id);
                }
                if row.kind == RowKind::Sale {
                    self.watch(id, row, candidate);
                }
            }
            Role::Offsets | Role::Suggested => {}
        }
    }

    fn watch(&mut self, id: RowId, row: &SettlementRow, candidate: &Candidate) {
        let wallet = row.instrument.is_some_and(|instrument| instrument != Instrument::Card);
        let (matter, due) = match candidate.standing {
            // The credit may stand in a file of the next two days.
            Standing::Reversed | Standing::Voided => (Watched::Undone, self.day_ms + 2 * DAY_MS),
            standing if standing.is_closed_unpaid() => (Watched::Late, i64::MIN),
            Standing::Open if wallet => (Watched::Late, i64::MIN),
            _ => return,
        };
        if self.matters.watch.len() < MATTERS_MAX {
            self.matters.watch.push(Watch { matter, transaction: candidate.id, row: id, due });
        }
    }

    /// Any row: its fee, its rate, and whether something was taken for nothing.
    pub(super) fn row(&mut self, id: RowId, row: &SettlementRow, shop: Option<&StoreId>) {
        match contract::judge(&self.settings.contracts, row) {
            Fee::Differs { expected_minor, found_milli } => {
                let sum = self.matters.fees.entry(shop.cloned()).or_default();
                sum.rows += 1;
                sum.differs_milli =
                    sum.differs_milli.saturating_add(found_milli - expected_minor * 1_000);
                sum.taken_milli = sum.taken_milli.saturating_add(found_milli);
                sum.first.get_or_insert_with(|| (id, Box::new(row.clone())));
            }
            Fee::Holds { .. } | Fee::NotJudged => {}
        }
        self.rate(row, shop);
        let taken =
            matches!(row.kind, RowKind::Charge | RowKind::Chargeback) && row.amount.minor < 0;
        if taken {
            let word = match deduction::look_up(&self.settings.deductions, row) {
                Known::Accepted => return,
                Known::Named(name) => Some(name),
                Known::Unknown => None,
            };
            self.matter(Matter {
                kind: FindingKind::UnexplainedDeduction,
                row: id,
                of: Box::new(row.clone()),
                shop: shop.cloned(),
                transaction: None,
                expected_minor: None,
                word,
            });
        }
    }

    fn rate(&mut self, row: &SettlementRow, shop: Option<&StoreId>) {
        let (Some(fee), RowKind::Sale) = (row.fee_milli, row.kind) else { return };
        if row.amount.minor < rate::AMOUNT_MINOR_MIN {
            return;
        }
        let agreed = contract::judge(&self.settings.contracts, row);
        // A cap or a minimum hides the rate.
        if agreed == (Fee::Holds { bounded: true }) {
            return;
        }
        let series = Series::of(row).to_string();
        let ppm = (i128::from(fee) * 1_000 / i128::from(row.amount.minor)) as i64;
        if self.rates.len() >= MATTERS_MAX && !self.rates.contains_key(&series) {
            return;
        }
        let moved = self.rates.entry(series).or_default().push(ppm, row.day);
        // A rate that the contract has with its date is a new rate, and no news.
        if let Some(moved) = moved.filter(|_| agreed != (Fee::Holds { bounded: false })) {
            self.matters.moved.push((Series::of(row), moved, shop.cloned()));
        }
    }
}

fn cause(class: CauseClass, detail: CauseDetail) -> Cause {
    Cause { class, detail, confidence: 70, cited: Vec::new() }
}

/// A finding that rests on a settlement file.
pub(super) fn finding(
    kind: FindingKind,
    subject: Subject,
    severity: Severity,
    (class, detail): (CauseClass, CauseDetail),
    since: EventTime,
) -> Finding {
    Finding {
        id: FindingId { kind, subject, time: 1 },
        severity,
        stage: Stage::Confirmed,
        cause: cause(class, detail),
        since,
        resolved: None,
        parent: None,
        partner: None,
        measure: 0,
        historical: false,
    }
}

/// Findings out of what was gathered. A row that is of no shop is told to `fallback`.
pub(super) fn said(
    statements: &SqliteStatements,
    (file, head): (FileId, &FileHead),
    mut matters: Matters,
    fallback: Option<StoreId>,
) -> Result<Said, StoreError> {
    let mut said = Said::default();
    let mut names = Names::default();
    repeated::judge(statements, (file, head), &mut matters.matters, &mut names, &mut said)?;
    for matter in &matters.matters {
        let case = match matter.transaction {
            Some(transaction) => statements.case_of(transaction)?,
            None => None,
        };
        let mut named = |alike: RowName| {
            // The version before gives its names to this one; so does what ended and counts no more.
            let gives_way =
                |told: &ToldRow| told.period == head.period || (!told.is_open && !told.counts);
            names.of(statements, matter.kind, alike, matter.row, &gives_way)
        };
        let case = case.map(|case| case.0);
        said.findings.extend(of_row(head, matter, case, fallback.as_ref(), &mut named)?);
    }
    for (shop, sum) in matters.fees {
        let Some(store) = shop.or_else(|| fallback.clone()) else { continue };
        said.findings.extend(of_fees(head, store, sum));
    }
    for (series, moved, shop) in matters.moved {
        let Some(store) = shop.or_else(|| fallback.clone()) else { continue };
        said.findings.push(of_rate(head, store, series, moved));
    }
    for transaction in matters.confirmed {
        said.confirmed.extend(statements.case_of(transaction)?.map(|case| case.0));
    }
    said.watch = matters.watch;
    said.rates =
        matters.rates.iter().map(|(series, rates)| (series.clone(), rates.text())).collect();
    Ok(said)
}

fn of_row(
    head: &FileHead,
    matter: &Matter,
    case: Option<CaseId>,
    fallback: Option<&StoreId>,
    named: &mut dyn FnMut(RowName) -> Result<RowName, StoreError>,
) -> Result<Option<SaidFinding>, StoreError> {
    let row = &*matter.of;
    let mut detail = Detail::of_row(head, row, Some(matter.row));
    detail.expected_minor = matter.expected_minor;
    if let Some(word) = &matter.word {
        detail.word = format!("{} ({word})", row.word);
    }
    let store = case.as_ref().map(|case| case.agent.store.clone());
    let store = store.or_else(|| matter.shop.clone()).or_else(|| fallback.cloned());
    let Some(store) = store else { return Ok(None) };
    let source = head.source.as_str().into();
    let alike = RowName { store, source, mark: row.mark(), nth: 0 };
    let mut row_subject = || named(alike.clone()).map(Subject::Row);
    let institution = CauseClass::Institution;
    let (subject, severity, why) = match (matter.kind, case) {
        (FindingKind::AmountMismatch, Some(case)) => {
            (Subject::Case(case), Severity::P2, (institution, CauseDetail::FileContradicts))
        }
        (FindingKind::UnexplainedDeduction, _) => {
            let rings = row.amount.minor.abs() >= DEDUCTION_RINGS_MINOR;
            let severity = if rings { Severity::P1 } else { Severity::P3 };
            (row_subject()?, severity, (CauseClass::Policy, CauseDetail::DeductionNotAgreed))
        }
        _ => return Ok(None),
    };
    let transaction = matter.transaction.filter(|_| matches!(subject, Subject::Case(_)));
    let finding = finding(matter.kind, subject, severity, why, row.moment());
    Ok(Some(SaidFinding { finding, terminal: row.terminal, transaction, detail }))
}

fn of_fees(head: &FileHead, store: StoreId, sum: FeeSum) -> Option<SaidFinding> {
    let differs_minor = sum.differs_milli / 1_000;
    if sum.rows < FEE_ROWS_MIN && differs_minor.abs() < FEE_MINOR_MIN {
        return None;
    }
    let (id, row) = sum.first?;
    let mut detail = Detail::of_row(head, &row, Some(id));
    detail.rows = Some(sum.rows);
    detail.amount_minor = Some(sum.taken_milli / 1_000);
    detail.expected_minor = Some((sum.taken_milli - sum.differs_milli) / 1_000);
    let part = head.period.as_str().into();
    let subject =
        Subject::Statement(StatementName { store, source: head.source.as_str().into(), part });
    let why = (CauseClass::Policy, CauseDetail::FeeNotAgreed);
    let mut finding = finding(FindingKind::FeeMismatch, subject, Severity::P3, why, row.moment());
    finding.measure = differs_minor;
    Some(SaidFinding { finding, terminal: None, transaction: None, detail })
}

fn of_rate(head: &FileHead, store: StoreId, series: Series, moved: Moved) -> SaidFinding {
    let mut detail = Detail::of_file(&head.source, &head.period, &head.name);
    let percent = |ppm: i64| format!("{}.{:03} %", ppm / 10_000, ppm % 10_000 / 10);
    detail.word = format!("{series}: {} -> {}", percent(moved.from_ppm), percent(moved.to_ppm));
    let part = format!("{series} {}", moved.since).into();
    detail.day = Some(moved.since.to_string());
    detail.rate = Some(MovedRate {
        series,
        from_ppm: moved.from_ppm,
        to_ppm: moved.to_ppm,
        since: moved.since,
    });
    let subject =
        Subject::Statement(StatementName { store, source: head.source.as_str().into(), part });
    let midnight = moved.since.at(0, 0, 0, 0).to_zoned_datetime(jiff::tz::TimeZone::UTC);
    let at = EventTime(midnight.map_or(0, |midnight| midnight.timestamp().as_millisecond()));
    let why = (CauseClass::Policy, CauseDetail::RateMoved);
    let mut finding = finding(FindingKind::RateChanged, subject, Severity::P2, why, at);
    finding.measure = moved.to_ppm - moved.from_ppm;
    SaidFinding { finding, terminal: None, transaction: None, detail }
}
