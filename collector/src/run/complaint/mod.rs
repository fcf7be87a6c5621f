//! The complaint desk joined with the store and the clock: searches, writes complaints down, answers with what is true at
//! that moment, and follows each until it is closed. Has a connection of its own beside the collector's, as the import has,
//! and leaves the telling to the collector, which finds the news in the store.

pub(super) mod rounds;

use crate::complaint::answer::{self, Answer, Found, Heard};
use crate::complaint::deadline::{Calendar, Due, DueKind};
use crate::complaint::desk::{Looked, Payment, Search};
use crate::complaint::matching::{Match, Source, chosen, rank};
use crate::complaint::record::{
    Change, Complaint, Given, OPEN_MAX, Standing, Step, ToldDue, Unmatched,
};
use crate::complaint::said::{Refusal, Said, Typed};
use crate::config::Config;
use crate::correlate::case::Case;
use crate::correlate::cause::{Cause, CauseClass, CauseDetail};
use crate::correlate::finding::{
    ComplaintName, Finding, FindingId, FindingKind, Resolution, Severity, Stage, Subject,
};
use crate::edge::clock;
use crate::edge::store::complaint::{Clerk, Complaints, DeskError, LIST_MAX, Which, Written};
use crate::edge::store::settlement::{Detail, SaidFinding};
use crate::edge::store::sqlite::complaint::SqliteComplaints;
use crate::edge::store::{StoreError, owner};
use crate::metrics::Metrics;
use jiff::tz::TimeZone;
use slipwatch_shared::money::Currency;
use slipwatch_shared::terminal::StoreId;
use slipwatch_shared::times::{ArrivalTime, EventTime};
use std::sync::{Arc, RwLock};

const DAY_MS: i64 = 86_400_000;
/// How often a change is tried that another hand got before.
const TRIES_MAX: usize = 5;
/// No complaint has it.
const NO_NUMBER: u64 = 0;

/// The desk.
pub struct ComplaintDesk {
    store: Box<dyn Complaints>,
    config: Arc<RwLock<Arc<Config>>>,
    metrics: Option<Metrics>,
}

/// What is known of a complaint, or of what is searched for.
struct Known {
    matches: Vec<Match>,
    payment: Option<Payment>,
    heard: Heard,
    answer: Answer,
    fits: bool,
    probes: u32,
}

impl ComplaintDesk {
    /// Opens the store that the settings name, beside a collector that may be using it.
    ///
    /// # Errors
    /// The store cannot be opened.
    pub fn open(config: Config) -> Result<ComplaintDesk, StoreError> {
        ComplaintDesk::beside(Arc::new(RwLock::new(Arc::new(config))), None)
    }

    /// The same with settings that may change, and series to count in.
    pub(super) fn beside(
        config: Arc<RwLock<Arc<Config>>>,
        metrics: Option<Metrics>,
    ) -> Result<ComplaintDesk, StoreError> {
        let path = {
            let config = config.read().expect("no holder of this lock panics");
            let directory = config.beside(&config.store);
            let cannot =
                |source| StoreError::Path { path: directory.display().to_string(), source };
            owner::make_directory(&directory).map_err(cannot)?;
            directory.join(super::STORE_FILE)
        };
        let store = Box::new(SqliteComplaints::open(&path)?);
        Ok(ComplaintDesk { store, config, metrics })
    }

    fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.read().expect("no holder of this lock panics"))
    }

    fn zone(&self, store: Option<&StoreId>) -> TimeZone {
        let config = self.config();
        let named = store.and_then(|store| config.shops.iter().find(|shop| shop.name == *store));
        named.or(config.shops.first()).map_or(TimeZone::UTC, |shop| shop.time_zone.clone())
    }

    fn calendar(&self, store: Option<&StoreId>) -> Calendar {
        self.config().complaints.calendar(self.zone(store))
    }

    fn read(&self, typed: &Typed, now: ArrivalTime) -> Result<(Said, EventTime), Refusal> {
        let config = self.config();
        let zone_of = |name: &StoreId| {
            let shop = config.shops.iter().find(|shop| shop.name == *name);
            shop.map(|shop| shop.time_zone.clone())
        };
        let (mut said, received) = typed.read(zone_of, &self.zone(None), now.0)?;
        // Where there is one shop, it was that one.
        if let (None, [only]) = (&said.store, config.shops.as_slice()) {
            said.store = Some(only.name.clone());
        }
        Ok((said, received))
    }

    fn heard(&mut self, said: &Said, now: EventTime) -> Result<Heard, StoreError> {
        let Some(when) = said.when else { return Ok(Heard::WhichDay) };
        let Some(store) = &said.store else { return Ok(Heard::WhichShop) };
        let config = self.config();
        // What is not kept any more was heard, and proves nothing.
        let kept_ms = i64::from(config.retention.cases_days) * DAY_MS;
        if when.from_ms < now.0.saturating_sub(kept_ms) {
            return Ok(Heard::Not);
        }
        let shop = config.shops.iter().find(|shop| shop.name == *store);
        let terminals: Vec<_> = shop
            .map(|shop| shop.terminals.iter().map(|terminal| terminal.number).collect())
            .unwrap_or_default();
        let whole = self.store.was_heard(store, &terminals, when)?;
        Ok(if whole { Heard::Whole } else { Heard::Not })
    }

    /// What is known now of what a shopper says; `source` is what was chosen, where something was, and `by_hand` that a
    /// person does the choosing.
    fn known(
        &mut self,
        said: &Said,
        source: Option<&Source>,
        by_hand: bool,
        now: ArrivalTime,
    ) -> Result<Known, StoreError> {
        let calendar = self.calendar(said.store.as_ref());
        let now = EventTime(now.0);
        let (mut matches, mut probes) = (Vec::new(), 0);
        let source = match source {
            Some(source) => Some(source.clone()),
            None => {
                let sought = self.store.seek(said)?;
                probes = sought.probes;
                matches = rank(said, sought.candidates);
                let found = chosen(&matches).filter(|_| !by_hand);
                found.map(|found| found.candidate.source.clone())
            }
        };
        // A person who looked at those that fit and took none of them says that none does.
        let fits = source.is_some() || !by_hand && matches.iter().any(Match::fits);
        let mut heard = Heard::Whole;
        let (payment, answer) = match source {
            Some(Source::Payment(id)) => match self.store.payment(&id)? {
                Some((payment, booked)) => {
                    let partner = match partner_of(&payment.case) {
                        Some(partner) => self.store.payment(&partner)?,
                        None => None,
                    };
                    let found = Found::Payment {
                        case: &payment.case,
                        booked,
                        partner: partner.as_ref().map(|(other, booked)| (&other.case, *booked)),
                    };
                    let answer = answer::answer(found, said.trouble, now, &calendar);
                    (Some(payment), answer)
                }
                // It was kept long enough, and is not there any more.
                None => {
                    (None, answer::answer(Found::Nothing(Heard::Not), said.trouble, now, &calendar))
                }
            },
            Some(Source::Row(row)) => {
                let found = match self.store.loose_row(row)? {
                    Some(row) => Found::Row { gives_back: row.gives_back, at: row.at },
                    None => Found::Nothing(Heard::Not),
                };
                (None, answer::answer(found, said.trouble, now, &calendar))
            }
            None => {
                let found = match matches.iter().filter(|found| found.fits()).count() {
                    _ if !fits => {
                        heard = self.heard(said, now)?;
                        Found::Nothing(heard)
                    }
                    1 => Found::OneNear,
                    _ => Found::Several,
                };
                (None, answer::answer(found, said.trouble, now, &calendar))
            }
        };
        Ok(Known { matches, payment, heard, answer, fits, probes })
    }

    fn complaint(&mut self, number: u64) -> Result<Complaint, DeskError> {
        self.store.complaint(number)?.ok_or(DeskError::Unknown(number))
    }

    fn still_open(&mut self, number: u64) -> Result<Complaint, DeskError> {
        let complaint = self.complaint(number)?;
        if complaint.closed.is_some() { Err(DeskError::Closed(number)) } else { Ok(complaint) }
    }

    fn looked(&mut self, complaint: Complaint, now: ArrivalTime) -> Result<Looked, DeskError> {
        let known =
            self.known(&complaint.said, complaint.chosen.as_ref(), complaint.by_hand, now)?;
        let calendar = self.calendar(complaint.said.store.as_ref());
        let paid_at = known.payment.as_ref().map(paid_at);
        let also_open = match &complaint.chosen {
            Some(source) if complaint.closed.is_none() => {
                self.store.open_about(&[source], complaint.number)?.pop().unwrap_or_default()
            }
            _ => Vec::new(),
        };
        let matches = self.with_open(known.matches, complaint.number)?;
        Ok(Looked {
            also_open,
            history: self.store.history(complaint.number)?,
            due: complaint.due(&calendar, paid_at),
            is_overdue: complaint.is_overdue(&calendar, EventTime(now.0)),
            matches,
            payment: known.payment,
            answer: known.answer,
            complaint,
        })
    }

    /// The same matches, each with the complaints about it that are open, but for one.
    fn with_open(&mut self, mut matches: Vec<Match>, but: u64) -> Result<Vec<Match>, StoreError> {
        let sources: Vec<&Source> =
            matches.iter().map(|matched| &matched.candidate.source).collect();
        let open = self.store.open_about(&sources, but)?;
        for (matched, open) in matches.iter_mut().zip(open) {
            matched.also_open = open;
        }
        Ok(matches)
    }

    /// Searches, and writes nothing down.
    ///
    /// # Errors
    /// What was typed is not taken, or the store failed.
    pub fn search_at(&mut self, typed: &Typed, now: ArrivalTime) -> Result<Search, DeskError> {
        let (said, received) = self.read(typed, now).map_err(DeskError::Refused)?;
        said.tells_enough().map_err(DeskError::Refused)?;
        let known = self.known(&said, None, false, now)?;
        let is_chosen = chosen(&known.matches).is_some();
        let Known { matches, heard, answer, probes, .. } = known;
        let matches = self.with_open(matches, NO_NUMBER)?;
        Ok(Search { said, received, matches, is_chosen, heard, answer, probes })
    }

    /// Writes a complaint down. Where the payment is known, no more need be said of it.
    ///
    /// # Errors
    /// What was typed is not taken, the payment is none, or the store failed.
    pub fn open_at(
        &mut self,
        typed: &Typed,
        source: Option<Source>,
        now: ArrivalTime,
    ) -> Result<Looked, DeskError> {
        let (mut said, received) = self.read(typed, now).map_err(DeskError::Refused)?;
        match &source {
            None => said.tells_enough().map_err(DeskError::Refused)?,
            Some(Source::Payment(id)) => _ = said.store.get_or_insert(id.agent.store.clone()),
            Some(Source::Row(_)) => {}
        }
        if self.store.open_count()? >= OPEN_MAX as u64 {
            return Err(DeskError::TooMany);
        }
        if let Some(source) = &source {
            self.exists(source)?;
        }
        let number = self.store.open(&said, received, now)?;
        if source.is_some() {
            return self.choose_at(number, source, now);
        }
        // What is due of it at once, such as the payment that is surely meant, or A25, is said at once.
        let complaint = self.complaint(number)?;
        self.followed(complaint, now)
    }

    /// Follows a complaint that was just changed, and shows it. What another hand did meanwhile is followed next time.
    fn followed(
        &mut self,
        mut complaint: Complaint,
        now: ArrivalTime,
    ) -> Result<Looked, DeskError> {
        match self.follow(&mut complaint, now) {
            Ok(_) | Err(StoreError::Busy) => {}
            Err(error) => return Err(error.into()),
        }
        let complaint = self.complaint(complaint.number)?;
        self.looked(complaint, now)
    }

    /// Does it again where somebody else changed the complaint meanwhile.
    fn again<T>(
        &mut self,
        mut change: impl FnMut(&mut ComplaintDesk) -> Result<T, DeskError>,
    ) -> Result<T, DeskError> {
        for _ in 1..TRIES_MAX {
            match change(self) {
                Err(DeskError::Store(StoreError::Busy)) => {}
                done => return done,
            }
        }
        change(self)
    }

    fn exists(&mut self, source: &Source) -> Result<(), DeskError> {
        let found = match source {
            Source::Payment(id) => self.store.payment(id)?.is_some(),
            Source::Row(row) => self.store.loose_row(*row)?.is_some(),
        };
        if found { Ok(()) } else { Err(DeskError::NoPayment) }
    }

    /// One complaint as it stands.
    ///
    /// # Errors
    /// There is none of this number, or the store failed.
    pub fn look_at(&mut self, number: u64, now: ArrivalTime) -> Result<Looked, DeskError> {
        let complaint = self.complaint(number)?;
        self.looked(complaint, now)
    }

    /// Complaints, the latest first.
    ///
    /// # Errors
    /// The store failed.
    pub fn list_at(&mut self, which: Which, now: ArrivalTime) -> Result<Vec<Looked>, DeskError> {
        let complaints = self.store.list(which, LIST_MAX)?;
        complaints
            .into_iter()
            .map(|complaint| {
                // A list shows what was said and answered; what is true now is looked at one by one.
                let calendar = self.calendar(complaint.said.store.as_ref());
                let payment = match &complaint.chosen {
                    Some(Source::Payment(id)) => self.store.payment(id)?.map(|found| found.0),
                    _ => None,
                };
                let unknown = Found::Nothing(Heard::Not);
                let given = complaint.given.map(|given| given.answer);
                let now = EventTime(now.0);
                let answer = given.unwrap_or_else(|| {
                    answer::answer(unknown, complaint.said.trouble, now, &calendar)
                });
                Ok(Looked {
                    history: Vec::new(),
                    also_open: Vec::new(),
                    matches: Vec::new(),
                    due: complaint.due(&calendar, payment.as_ref().map(paid_at)),
                    is_overdue: complaint.is_overdue(&calendar, now),
                    payment,
                    answer,
                    complaint,
                })
            })
            .collect()
    }

    /// A person takes this for the payment, or none.
    ///
    /// # Errors
    /// There is no such complaint or payment, it is closed, or the store failed.
    pub fn choose_at(
        &mut self,
        number: u64,
        source: Option<Source>,
        now: ArrivalTime,
    ) -> Result<Looked, DeskError> {
        if let Some(source) = &source {
            self.exists(source)?;
        }
        let complaint = self.again(|desk| {
            let before = desk.still_open(number)?;
            let step = match &source {
                Some(source) => (Step::Chosen, name_of(source)),
                None => (Step::Unchosen, String::new()),
            };
            let complaint = Complaint { chosen: source.clone(), by_hand: true, ..before.clone() };
            if complaint != before {
                let written = Written {
                    complaint: Some((&before, &complaint)),
                    steps: vec![step],
                    ..Written::default()
                };
                desk.store.write(&written, now)?;
            }
            Ok(complaint)
        })?;
        self.followed(complaint, now)
    }

    /// The shopper is told what is true now. Gives the complaint with the answer as it was given.
    ///
    /// # Errors
    /// There is no such complaint, it is closed, or the store failed.
    pub fn answer_at(&mut self, number: u64, now: ArrivalTime) -> Result<Looked, DeskError> {
        let complaint = self.again(|desk| desk.give(number, now))?;
        self.followed(complaint, now)
    }

    fn give(&mut self, number: u64, now: ArrivalTime) -> Result<Complaint, DeskError> {
        let before = self.still_open(number)?;
        let mut complaint = before.clone();
        let known =
            self.known(&complaint.said, complaint.chosen.as_ref(), complaint.by_hand, now)?;
        if complaint.chosen.is_none()
            && !complaint.by_hand
            && let Some(found) = chosen(&known.matches)
        {
            complaint.chosen = Some(found.candidate.source.clone());
        }
        let answer = known.answer;
        complaint.given = Some(Given { answer, at: EventTime(now.0), kept: None });
        complaint.told = None;
        let mut note = format!("{} {}", answer.outcome().label(), answer.reason.label());
        if let Some((promise, until)) = answer.promise {
            note.push_str(&format!(" {} {}", promise.label(), until.0));
        }
        let steps = vec![(Step::Answered, note)];
        let ended =
            vec![(finding_id(&complaint, FindingKind::PromiseDue), Resolution::ShopperAnswered)];
        let written =
            Written { complaint: Some((&before, &complaint)), steps, ended, ..Written::default() };
        self.store.write(&written, now)?;
        Ok(complaint)
    }

    /// It is closed; `kept` says whether what was promised was done.
    ///
    /// # Errors
    /// There is no such complaint, it is closed, or the store failed.
    pub fn close_at(
        &mut self,
        number: u64,
        kept: bool,
        now: ArrivalTime,
    ) -> Result<Looked, DeskError> {
        let complaint = self.again(|desk| desk.end(number, kept, now))?;
        self.looked(complaint, now)
    }

    fn end(&mut self, number: u64, kept: bool, now: ArrivalTime) -> Result<Complaint, DeskError> {
        let before = self.still_open(number)?;
        let mut complaint = before.clone();
        let mut steps = Vec::new();
        if complaint.promised().is_some()
            && let Some(given) = &mut complaint.given
        {
            given.kept = Some(kept);
            steps.push((if kept { Step::Kept } else { Step::Broken }, "by hand".to_owned()));
        }
        complaint.closed = Some(EventTime(now.0));
        steps.push((Step::Closed, String::new()));
        let ended = [FindingKind::ComplaintUnmatched, FindingKind::PromiseDue]
            .map(|kind| (finding_id(&complaint, kind), Resolution::ComplaintClosed));
        let written = Written {
            complaint: Some((&before, &complaint)),
            steps,
            ended: ended.to_vec(),
            ..Written::default()
        };
        self.store.write(&written, now)?;
        Ok(complaint)
    }

    /// What time and news make of one complaint; tells whether anything.
    fn follow(&mut self, complaint: &mut Complaint, now: ArrivalTime) -> Result<bool, StoreError> {
        let before = complaint.clone();
        let known =
            self.known(&complaint.said, complaint.chosen.as_ref(), complaint.by_hand, now)?;
        let calendar = self.calendar(complaint.said.store.as_ref());
        let mut steps = Vec::new();
        if complaint.chosen.is_none()
            && !complaint.by_hand
            && let Some(found) = chosen(&known.matches)
        {
            let source = found.candidate.source.clone();
            steps.push((Step::Matched, name_of(&source)));
            complaint.chosen = Some(source);
        }
        let standing = Standing {
            fits: known.fits,
            answer: known.answer,
            paid_at: known.payment.as_ref().map(paid_at),
        };
        let changes = complaint.changes(&calendar, &standing, EventTime(now.0));
        let mut written = Written { steps, ..Written::default() };
        for change in &changes {
            self.apply(complaint, *change, &mut written, now);
        }
        if written.steps.is_empty() && changes.is_empty() {
            return Ok(false);
        }
        written.complaint = Some((&before, complaint));
        self.store.write(&written, now)?;
        Ok(true)
    }

    fn apply(
        &self,
        complaint: &mut Complaint,
        change: Change,
        written: &mut Written<'_>,
        now: ArrivalTime,
    ) {
        match change {
            Change::Suspect => {
                complaint.unmatched = Unmatched::Suspected;
                written.steps.push((Step::Unmatched, String::new()));
                written.findings.push(self.unmatched(complaint, Stage::Suspected, now));
            }
            Change::TellUnmatched => {
                complaint.unmatched = Unmatched::Told;
                written.findings.push(self.unmatched(complaint, Stage::Alerting, now));
            }
            Change::Fits => {
                complaint.unmatched = Unmatched::No;
                let name = finding_id(complaint, FindingKind::ComplaintUnmatched);
                written.ended.push((name, Resolution::ComplaintMatched));
            }
            Change::Kept | Change::Broken => {
                let kept = change == Change::Kept;
                if let Some(given) = &mut complaint.given {
                    given.kept = Some(kept);
                }
                written.steps.push((if kept { Step::Kept } else { Step::Broken }, String::new()));
                if kept {
                    let name = finding_id(complaint, FindingKind::PromiseDue);
                    written.ended.push((name, Resolution::PromiseKept));
                }
            }
            Change::Remind(due) | Change::Passed(due) => {
                let passed = matches!(change, Change::Passed(_));
                match due.kind {
                    DueKind::Scheme => complaint.scheme_told = true,
                    kind => complaint.told = Some(ToldDue { kind, at: due.at, passed }),
                }
                let step = if passed { Step::Passed } else { Step::Reminded };
                written.steps.push((step, format!("{} {}", due.kind.label(), due.at.0)));
                written.findings.push(self.due(complaint, due, passed, now));
            }
        }
    }

    fn unmatched(&self, complaint: &Complaint, stage: Stage, now: ArrivalTime) -> SaidFinding {
        let detail = CauseDetail::ComplaintFitsNothing;
        let mut said = self.said(
            complaint,
            FindingKind::ComplaintUnmatched,
            (Severity::P2, stage),
            detail,
            now,
        );
        said.detail.due_ms =
            complaint.due(&self.calendar(complaint.said.store.as_ref()), None).map(|due| due.at.0);
        said
    }

    fn due(&self, complaint: &Complaint, due: Due, passed: bool, now: ArrivalTime) -> SaidFinding {
        let how = match passed {
            true => (Severity::P1, Stage::Confirmed),
            false => (Severity::P2, Stage::Alerting),
        };
        let detail = CauseDetail::PromiseWaits;
        let mut said = self.said(complaint, FindingKind::PromiseDue, how, detail, now);
        said.detail.due_ms = Some(due.at.0);
        said
    }

    fn said(
        &self,
        complaint: &Complaint,
        kind: FindingKind,
        (severity, stage): (Severity, Stage),
        detail: CauseDetail,
        now: ArrivalTime,
    ) -> SaidFinding {
        let said = &complaint.said;
        let amount = said.amount.map(|amount| amount.amount(Currency::CNY));
        SaidFinding {
            finding: Finding {
                id: FindingId { kind, subject: subject(complaint), time: 1 },
                severity,
                stage,
                cause: Cause {
                    class: CauseClass::Unknown,
                    detail,
                    confidence: 0,
                    cited: Vec::new(),
                },
                since: EventTime(now.0),
                resolved: None,
                parent: None,
                partner: None,
                measure: 0,
                historical: false,
            },
            terminal: None,
            transaction: None,
            detail: Detail {
                amount_minor: amount.map(|amount| amount.minor),
                currency: amount.map(|amount| amount.currency.to_string()),
                last_four: said.last_four.map(|four| format!("{four:04}")),
                ..Detail::default()
            },
        }
    }
}

fn subject(complaint: &Complaint) -> Subject {
    let store = complaint.said.store.clone();
    Subject::Complaint(ComplaintName { store, number: complaint.number })
}

fn finding_id(complaint: &Complaint, kind: FindingKind) -> String {
    FindingId { kind, subject: subject(complaint), time: 1 }.to_string()
}

fn name_of(source: &Source) -> String {
    match source {
        Source::Payment(id) => id.to_string(),
        Source::Row(row) => format!("row {row}"),
    }
}

fn paid_at(payment: &Payment) -> EventTime {
    payment.case.wall(payment.case.opened)
}

fn partner_of(case: &Case) -> Option<crate::correlate::case::CaseId> {
    case.told(FindingKind::DuplicateDebit)?.partner.clone()
}

impl Clerk for ComplaintDesk {
    fn search(&mut self, typed: &Typed) -> Result<Search, DeskError> {
        self.search_at(typed, clock::now())
    }

    fn open(&mut self, typed: &Typed, chosen: Option<Source>) -> Result<Looked, DeskError> {
        self.open_at(typed, chosen, clock::now())
    }

    fn look(&mut self, number: u64) -> Result<Looked, DeskError> {
        self.look_at(number, clock::now())
    }

    fn list(&mut self, which: Which) -> Result<Vec<Looked>, DeskError> {
        self.list_at(which, clock::now())
    }

    fn choose(&mut self, number: u64, source: Option<Source>) -> Result<Looked, DeskError> {
        self.choose_at(number, source, clock::now())
    }

    fn answer(&mut self, number: u64) -> Result<Looked, DeskError> {
        self.answer_at(number, clock::now())
    }

    fn close(&mut self, number: u64, kept: bool) -> Result<Looked, DeskError> {
        self.close_at(number, kept, clock::now())
    }

    fn refused(&mut self, refusal: &Refusal) {
        if let Some(metrics) = &self.metrics {
            metrics.complaints.refused(refusal);
        }
    }
}

#[cfg(test)]
mod tests;
