//! A payment is judged, and what changed since it was last told is told. Files nothing.

use super::case::{CaseId, EventRef, Place, Window};
use super::cause::{CauseClass, CauseDetail};
use super::correlator::{Agent, Correlator};
use super::coverage::Heard;
use super::finding::{
    Change, Finding, FindingChange, FindingId, FindingKind, Resolution, Stage, Subject, Told,
};
use super::money::{self, Money, Undo};
use super::pairs::{Purse, Standing};
use super::policy::TerminalName;
use super::recall::Recall;
use super::rules::duplicate::{self, Paid, Side};
use super::rules::{self, Held, Say, late, offline, print, printer, reversal, slip, storm};
use super::terminal::{Kept, Terminal};
use super::timeline::{Due, StreamTime};
use super::watch::Spot;
use slipwatch_shared::times::ArrivalTime;

/// The same of one that was dated by a clock nobody had set: it is dated anew when somebody does.
const CLOCK_AWAITED_MS: i64 = 24 * 3_600_000;

/// The same of one that was told as not uploaded: a close of these days uploads it.
const UPLOAD_AWAITED_MS: i64 = 7 * 24 * 3_600_000;

/// A payment that nothing is awaited of stays this long in memory for a second debit, beyond the widest window.
const REST_GRACE_MS: i64 = 300_000;

impl Correlator {
    /// Judges one payment, and those that may be its double.
    pub(super) fn review(&mut self, place: Place, now: ArrivalTime, recall: &mut dyn Recall) {
        let agent = &mut self.agents[place.agent];
        agent.touched = true;
        let Some(at) = agent.terminals[place.terminal].position(place.first) else { return };
        let was = agent.terminals[place.terminal].cases[at].purse();
        let money = self.judge(place, at, now);
        if !self.pair_at(place, at, money) {
            return;
        }
        // Before it is asked whether it is alone: its partner may be all that it has.
        self.recall_partner(place, recall);
        self.recall_doubles(place, recall);
        let is = self.kept(place).and_then(Kept::purse);
        let purses = [was.filter(|_| was != is), is];
        let shop = &self.shops[self.agents[place.agent].shop];
        let mut sharing = purses.into_iter().flatten().flat_map(|purse| shop.sharing(purse));
        // Most debits are alone in their purse.
        let alone = is.is_some() && sharing.nth(1).is_none();
        drop(sharing);
        if alone {
            return;
        }
        let again = self.paired_anew(place, purses);
        for place in again {
            self.recall_partner(place, recall);
            self.judge_pair(place, now);
        }
    }

    /// A debit that changed, and those of its purses that may now be a double of another one than before: all of a day that
    /// has one price share a purse, and most have nothing to do with it.
    fn paired_anew(&self, place: Place, purses: [Option<Purse>; 2]) -> Vec<Place> {
        let shop = self.agents[place.agent].shop;
        let mut again = vec![place];
        for purse in purses.into_iter().flatten() {
            let sides = self.sides(shop, purse);
            let changed = sides.iter().find(|side| side.place == place);
            let concerned = |side: &&Side<'_>| {
                let Some(kept) = self.kept(side.place).filter(|_| side.place != place) else {
                    return false;
                };
                let told = kept.case.told(FindingKind::DuplicateDebit);
                let told = told.filter(|told| told.resolved.is_none());
                let named = told.and_then(|told| told.partner.as_ref());
                let names = |place: Place| {
                    let agent = &self.agents[place.agent].name;
                    named.is_some_and(|id| id.first == place.first && id.agent == *agent)
                };
                if names(place) {
                    return true;
                }
                let terminal = &self.agents[side.place.agent].terminals[side.place.terminal];
                let deadlines = terminal.deadlines(&self.policies.deadlines);
                let before =
                    changed.filter(|changed| duplicate::in_order(changed, side).1 == *side);
                let points = before
                    .and_then(|before| Some((before, duplicate::points(before, side, deadlines)?)));
                let (Some((before, points)), Some(told)) = (points, told) else {
                    return points.is_some_and(|(_, points)| duplicate::stage(points).is_some());
                };
                let partner = || sides.iter().find(|side| names(side.place));
                let later = |partner| duplicate::in_order(before, partner).1 == before;
                points > told.measure || points == told.measure && partner().is_none_or(later)
            };
            again.extend(sides.iter().filter(concerned).map(|side| side.place));
        }
        again.sort_unstable();
        again
    }

    /// Brings the debit back that one repeats, as was told: a wallet's is not found by its card.
    fn recall_partner(&mut self, place: Place, recall: &mut dyn Recall) {
        let told = self.kept(place).and_then(|kept| kept.case.told(FindingKind::DuplicateDebit));
        let open = told.filter(|told| told.resolved.is_none());
        let Some(partner) = open.and_then(|told| told.partner.as_ref()) else { return };
        let agent = self.place_of(&partner.agent).map(|agent| &self.agents[agent]);
        if agent.is_none_or(|agent| agent.terminals.place_of(partner.first).is_some()) {
            return;
        }
        if let Some(back) = recall.by_id(partner).and_then(|row| self.bring_back(row)) {
            self.pair(back);
        }
    }

    /// Brings debits of the same card and amount back that left memory.
    fn recall_doubles(&mut self, place: Place, recall: &mut dyn Recall) {
        let agent = &self.agents[place.agent];
        let terminal = &agent.terminals[place.terminal];
        let deadlines = terminal.deadlines(&self.policies.deadlines);
        let window_ms = deadlines.duplicate_window_ms.max(deadlines.duplicate_window_qr_ms);
        let Some(kept) = self.kept(place) else { return };
        let Some(pan) = kept.case.keys.card.and_then(|card| card.pan) else { return };
        let Some(amount) = kept.case.keys.amount else { return };
        let from = kept.case.opened.plus_ms(-window_ms);
        let forgotten = self.shops[agent.shop].forgotten_through;
        if forgotten.is_none_or(|forgotten| forgotten < from) {
            return;
        }
        let through = kept.case.last_heard().plus_ms(window_ms);
        let rows = recall.by_card(&agent.name.store, amount, pan.last_four(), from, through);
        for row in rows {
            if let Some(back) = self.bring_back(row) {
                self.pair(back);
            }
        }
    }

    /// The slip, the print and the undo of one payment.
    fn judge(&mut self, place: Place, at: usize, now: ArrivalTime) -> Money {
        let Correlator { agents, policies, out, .. } = self;
        let agent = &mut agents[place.agent];
        let Agent { timeline, coverage, terminals, offline, .. } = agent;
        let terminal = &mut terminals[place.terminal];
        let deadlines = *terminal.deadlines(&policies.deadlines);
        let Terminal { cases, policy, id, .. } = terminal;
        let kept = &mut cases[at];
        let heard = Heard::of(coverage, *id, timeline.latest, *offline);
        let (money, undo) = money::trace(&kept.case);
        let (verdict, window) =
            slip::verdict(&kept.case, money, &heard, policy.as_deref(), &deadlines);
        if verdict != kept.case.verdict || window != kept.case.slip_window {
            if verdict.index() != kept.case.verdict.index() {
                out.counts.verdicts[verdict.index()] += 1;
            }
            kept.case.verdict = verdict;
            kept.case.slip_window = window;
            kept.dirty = true;
        }
        let undo_window = undo_window(kept, undo, terminal.last_sale, &heard, &deadlines);
        terminal.undo_due |= kept.case.reversal_due != Due::NEVER;
        let watermark = heard.watermark;
        let slip_look = slip::next_look(&kept.case, money, &verdict, watermark, &deadlines);
        let undo_look = kept.case.reversal_due.get().filter(|_| undo_window.is_none());
        let thresholds = policy
            .as_ref()
            .map(|policy| policy.thresholds.as_deref().unwrap_or(&policies.thresholds));
        let upload = thresholds.and_then(|thresholds| offline::upload_due(&kept.case, thresholds));
        let upload_look = upload.filter(|due| *due >= watermark);
        let look_at = [slip_look, undo_look, upload_look].into_iter().flatten().min();
        kept.look_at = look_at.into();
        if let Some(look_at) = look_at {
            terminal.look_at = terminal.look_at.min(look_at);
            agent.look_at = agent.look_at.min(look_at);
        }
        let (Some(policy), Some(thresholds)) = (policy.as_deref(), thresholds) else {
            return money;
        };
        let case = &kept.case;
        let a02 = print::print_failed(case, money, &verdict, &heard, policy, &deadlines);
        let holds = matches!(a02, Say::Holds(_));
        let a01 = slip::no_receipt_debit(case, money, &verdict, &heard, &deadlines, holds);
        let a03 = reversal::lost_reversal(case, money, undo);
        let a04 = reversal::reversal_pending(case, money, undo, undo_window);
        let a05 = late::late_success(case, money);
        let a15 = offline::offline_forced(case, &heard, thresholds);
        // Of an order that was closed the shop expects no slip: the debit itself is the matter.
        let is_late = matches!(a05, Say::Holds(_));
        let grew = || Say::Not(Resolution::GrewInto(FindingKind::LateSuccess));
        let said = [
            (FindingKind::PrintFailed, if is_late { grew() } else { a02 }),
            (FindingKind::NoReceiptDebit, if is_late { grew() } else { a01 }),
            (FindingKind::TimeoutDebitLostReversal, a03),
            (FindingKind::ReversalPending, a04),
            (FindingKind::LateSuccess, a05),
            (FindingKind::OfflineForced, a15),
        ];
        // Of most payments nothing was ever told, nor is anything to be.
        if case.told.is_empty() && said.iter().all(|(_, say)| matches!(say, Say::Not(_))) {
            return money;
        }
        let settled = kept.case.is_settled();
        for (kind, say) in said {
            let say = if settled { confirmed(say) } else { say };
            self.tell_of(place, at, kind, say, now);
        }
        money
    }

    /// Tells what a rule says of a payment, where it is news.
    fn tell_of(&mut self, place: Place, at: usize, kind: FindingKind, say: Say, now: ArrivalTime) {
        if matches!(say, Say::Not(_)) && self.told_at(place, at, kind).is_none() {
            return;
        }
        // What explains it is settled when it is raised, or when what explains it is (`adopt`): never by a mere second look.
        let parent = match self.told_at(place, at, kind) {
            Some(told) if told.resolved.is_none() || told.parent.is_some() => told.parent.clone(),
            _ if matches!(say, Say::Not(_)) => None,
            _ => self.parent_of(place, at, kind).map(Box::new),
        };
        let say = self.explained(place, at, kind, say, parent.as_deref());
        let Correlator { agents, out, .. } = self;
        let Agent { name, terminals, .. } = &mut agents[place.agent];
        let terminal = &mut terminals[place.terminal];
        let kept = &mut terminal.cases[at];
        let Some(change) = tell(kept, kind, say, parent) else { return };
        let case_id = CaseId { agent: name.clone(), first: place.first };
        out.tell_case(change, kind, kept, case_id, terminal.id, now);
        if matches!(kind, FindingKind::NoReceiptDebit | FindingKind::PrintFailed) {
            self.watch_row(place, at, kind, now);
        }
    }

    /// A finding that tells nothing of its cause itself has that of what explains it, for good; one of an acquirer's outage
    /// has it whatever it tells, since many together show more than one.
    fn explained(
        &self,
        place: Place,
        at: usize,
        kind: FindingKind,
        say: Say,
        parent: Option<&FindingId>,
    ) -> Say {
        let (Say::Holds(mut held), Some(parent)) = (say.clone(), parent) else { return say };
        let of_route = matches!(parent.subject, Subject::Route(_));
        if held.cause.class != CauseClass::Unknown && !of_route {
            return say;
        }
        let told = self.told_at(place, at, kind).filter(|told| told.parent.is_some());
        let inherited = match told {
            Some(told) => Some((told.cause.class, told.cause.detail, told.cause.confidence)),
            None => self.cause_of(place, parent),
        };
        if let Some((class, detail, confidence)) = inherited {
            (held.cause.class, held.cause.detail) = (class, detail);
            held.cause.confidence = confidence;
        }
        Say::Holds(held)
    }

    /// What an open finding about a terminal or an acquirer was put down to; a child is a little less sure of it.
    fn cause_of(&self, place: Place, parent: &FindingId) -> Option<(CauseClass, CauseDetail, u8)> {
        let terminal = &self.agents[place.agent].terminals[place.terminal];
        let watched = terminal.watch.as_deref().and_then(|watch| watch.open(parent.kind));
        let watched = watched.and_then(|matter| matter.finding.as_deref());
        let of_terminal = watched.filter(|finding| finding.id == *parent);
        let cause = match &parent.subject {
            Subject::Route(acquirer) => &self.storm_of(acquirer.as_str())?.cause,
            _ => &of_terminal?.cause,
        };
        Some((cause.class, cause.detail, cause.confidence.saturating_sub(10)))
    }

    /// What was told of a payment becomes the child of what explains it.
    pub(super) fn adopt(&mut self, place: Place, now: ArrivalTime) {
        let terminal = &self.agents[place.agent].terminals[place.terminal];
        let Some(at) = terminal.position(place.first) else { return };
        let count = terminal.cases[at].case.told.len();
        for told in 0..count {
            let case = &self.agents[place.agent].terminals[place.terminal].cases[at].case;
            let (kind, open) = (case.told[told].kind, case.told[told].resolved.is_none());
            if !open || case.told[told].parent.is_some() {
                continue;
            }
            let Some(parent) = self.parent_of(place, at, kind) else { continue };
            let own = case.told[told].cause.class;
            let inherits =
                own == CauseClass::Unknown || matches!(parent.subject, Subject::Route(_));
            let inherited = self.cause_of(place, &parent).filter(|_| inherits);
            let Correlator { agents, out, .. } = self;
            let Agent { name, terminals, touched, .. } = &mut agents[place.agent];
            let terminal = &mut terminals[place.terminal];
            let kept = &mut terminal.cases[at];
            kept.case.told[told].parent = Some(Box::new(parent));
            if let Some((class, detail, confidence)) = inherited {
                let cause = &mut kept.case.told[told].cause;
                (cause.class, cause.detail, cause.confidence) = (class, detail, confidence);
            }
            (kept.dirty, *touched) = (true, true);
            let case_id = CaseId { agent: name.clone(), first: place.first };
            out.tell_case((Change::Changed, false), kind, kept, case_id, terminal.id, now);
        }
    }

    fn told_at(&self, place: Place, at: usize, kind: FindingKind) -> Option<&Told> {
        self.agents[place.agent].terminals[place.terminal].cases[at].case.told(kind)
    }

    /// The finding that explains one about a payment: it began before the payment did, and lasts.
    fn parent_of(&self, place: Place, at: usize, kind: FindingKind) -> Option<FindingId> {
        let terminal = &self.agents[place.agent].terminals[place.terminal];
        let case = &terminal.cases[at].case;
        let (parent, began) = match kind {
            FindingKind::NoReceiptDebit | FindingKind::PrintFailed => {
                (FindingKind::PrinterOut, printer::blames(case)?.0)
            }
            FindingKind::TimeoutDebitLostReversal | FindingKind::ReversalPending => {
                (FindingKind::ReversalStorm, storm::undo_begun(case)?)
            }
            _ => return None,
        };
        let began_at = case.wall(began);
        if parent == FindingKind::ReversalStorm {
            let route = self.storm_over(terminal.policy.as_deref(), case, began_at);
            if route.is_some() {
                return route;
            }
        }
        let matter = terminal.watch.as_deref().and_then(|watch| watch.open(parent));
        let of_terminal = matter
            .filter(|matter| matter.since <= began)
            .and_then(|matter| matter.finding.as_deref());
        let silence = terminal.silence.as_deref().filter(|silence| silence.since <= began_at);
        of_terminal.or(silence).map(|finding| finding.id.clone())
    }

    /// A22: tells the payment that makes a card's habit. It is told once, whatever is heard of the payment later.
    pub(super) fn tell_habit(&mut self, spot: &Spot<'_>, first: EventRef, held: Held) {
        let place = Place { agent: spot.agent, terminal: spot.terminal, first };
        let Some(at) = self.agents[spot.agent].terminals[spot.terminal].position(first) else {
            return;
        };
        self.tell_of(place, at, held.kind, Say::Holds(held), spot.now);
    }

    /// Writes down how a payment that came back stands among the debits of its shop.
    pub(super) fn pair(&mut self, place: Place) {
        let terminal = &self.agents[place.agent].terminals[place.terminal];
        let Some(at) = terminal.position(place.first) else { return };
        let money = money::trace(&terminal.cases[at].case).0;
        self.pair_at(place, at, money);
    }

    /// Writes down how a debit stands among those of its shop; tells whether that changed.
    fn pair_at(&mut self, place: Place, at: usize, money: Money) -> bool {
        let Correlator { agents, shops, .. } = self;
        let agent = &mut agents[place.agent];
        let terminal = &mut agent.terminals[place.terminal];
        let judged = terminal.policy.is_some();
        let kept = &mut terminal.cases[at];
        let paid = judged.then(|| Paid::of(&kept.case, money)).flatten();
        let is = paid.map(|paid| Standing::of(kept, &paid));
        let changed = shops[agent.shop].put(place, kept.standing, is);
        kept.standing = is;
        changed
    }

    /// The debits that share a purse, as sides of pairs.
    fn sides(&self, shop: usize, purse: Purse) -> Vec<Side<'_>> {
        let side = |place: Place| {
            let terminal = self.agents[place.agent].terminals[place.terminal].id;
            let case = &self.kept(place)?.case;
            Side::of(place, terminal, case, money::trace(case).0)
        };
        self.shops[shop].sharing(purse).filter_map(side).collect()
    }

    /// A09 of one payment: whether it repeats an earlier one.
    pub(super) fn judge_pair(&mut self, place: Place, now: ArrivalTime) {
        let Some(kept) = self.kept(place) else { return };
        let shop = self.agents[place.agent].shop;
        let sides = kept.purse().map_or_else(Vec::new, |purse| self.sides(shop, purse));
        let Correlator { agents, policies, .. } = &*self;
        let terminal = &agents[place.agent].terminals[place.terminal];
        let Some(at) = terminal.position(place.first) else { return };
        let kept = &terminal.cases[at];
        let best = duplicate::best(&sides, place, terminal.deadlines(&policies.deadlines));
        let partner_stands = || {
            let partner = kept.case.told(FindingKind::DuplicateDebit)?.partner.as_ref()?;
            let is_partner = |side: &&Side<'_>| {
                side.place.first == partner.first && agents[side.place.agent].name == partner.agent
            };
            sides.iter().find(is_partner)
        };
        let say = match best.and_then(|best| Some((best, duplicate::stage(best.2)?))) {
            None => Say::Not(match partner_stands() {
                Some(_) => Resolution::NotBorneOut,
                None => Resolution::OneUndone,
            }),
            Some(((first, second, points), stage)) => Say::Holds(Held {
                kind: FindingKind::DuplicateDebit,
                stage,
                since: second.paid.at,
                cause: duplicate::cause(first, second),
                partner: Some(CaseId {
                    agent: agents[first.place.agent].name.clone(),
                    first: first.place.first,
                }),
                measure: points,
            }),
        };
        // Both are in a settlement file: the shopper paid twice.
        let both = best.is_some_and(|(first, second, _)| first.paid.settled && second.paid.settled);
        let say = if both { confirmed(say) } else { say };
        let Correlator { agents, out, .. } = self;
        let agent = &mut agents[place.agent];
        let terminal = &mut agent.terminals[place.terminal];
        let kept = &mut terminal.cases[at];
        if let Some(change) = tell(kept, FindingKind::DuplicateDebit, say, None) {
            let case_id = CaseId { agent: agent.name.clone(), first: place.first };
            out.tell_case(change, FindingKind::DuplicateDebit, kept, case_id, terminal.id, now);
        }
        agent.touched = true;
    }
}

/// Keeps when a pending undo is told, and whether the time until then was heard.
fn undo_window(
    kept: &mut Kept,
    undo: Undo,
    last_sale: StreamTime,
    heard: &Heard<'_>,
    deadlines: &super::policy::Deadlines,
) -> Option<Window> {
    let case = &mut kept.case;
    let before = (case.reversal_due, case.reversal_window);
    match undo {
        Undo::Pending { since } => {
            if case.reversal_due == Due::NEVER {
                case.reversal_due = Some(reversal::due(since, last_sale, deadlines)).into();
            }
            case.reversal_window = reversal::window(case, undo, heard);
        }
        Undo::None | Undo::Acknowledged | Undo::Failed { .. } => {
            (case.reversal_due, case.reversal_window) = (Due::NEVER, None);
        }
    }
    kept.dirty |= before != (case.reversal_due, case.reversal_window);
    case.reversal_window
}

/// What is told already, and is in a settlement file now, is sure.
fn confirmed(say: Say) -> Say {
    match say {
        Say::Holds(held) if held.stage == Stage::Alerting => {
            Say::Holds(Held { stage: Stage::Confirmed, ..held })
        }
        other => other,
    }
}

/// Compares what a rule says with what was told, and writes it down; tells what is news, and whether people are to be told
/// of it who were not before.
fn tell(
    kept: &mut Kept,
    kind: FindingKind,
    say: Say,
    parent: Option<Box<FindingId>>,
) -> Option<(Change, bool)> {
    let told = &mut kept.case.told;
    let known = told.iter().position(|told| told.kind == kind);
    let was = known.map(|at| &told[at]).filter(|was| was.resolved.is_none()).map(|was| was.stage);
    let rings = |stage: Option<Stage>| stage.is_some_and(|stage| stage != Stage::Suspected);
    let alerts = matches!(&say, Say::Holds(held) if rings(Some(held.stage)) && !rings(was));
    let change = match (say, known) {
        (Say::Not(_), None) => return None,
        (Say::Not(how), Some(at)) => {
            if told[at].resolved.is_some() {
                return None;
            }
            told[at].resolved = Some(how);
            Change::Resolved
        }
        (Say::Holds(held), known) => {
            let now = Told {
                kind,
                stage: held.stage,
                resolved: None,
                since: held.since,
                cause: held.cause,
                partner: held.partner,
                measure: held.measure,
                parent,
            };
            match known {
                None => {
                    told.push(now);
                    Change::Raised
                }
                Some(at) if told[at].resolved.is_some() => {
                    told[at] = now;
                    Change::Raised
                }
                Some(at) if told[at] == now => return None,
                Some(at) => {
                    let news = differs(&told[at], &now);
                    told[at] = now;
                    kept.dirty = true;
                    if !news {
                        return None;
                    }
                    Change::Changed
                }
            }
        }
    };
    kept.dirty = true;
    Some((change, alerts))
}

/// Whether people must hear of the difference: one more event that says the same is none.
fn differs(was: &Told, is: &Told) -> bool {
    was.stage != is.stage
        || was.partner != is.partner
        || was.parent != is.parent
        || (was.cause.class, was.cause.detail) != (is.cause.class, is.cause.detail)
}

/// When nothing but a late event or a settlement row can change a payment; absent while something is awaited.
pub(super) fn rest_at(kept: &Kept, deadlines: &super::policy::Deadlines) -> Option<StreamTime> {
    if kept.look_at != Due::NEVER || slip::waits(&kept.case.verdict) {
        return None;
    }
    let case = &kept.case;
    let mut stays_ms = rest_ms(deadlines);
    if !case.synchronised {
        stays_ms = stays_ms.max(CLOCK_AWAITED_MS);
    }
    if offline::waits(case).is_some() {
        stays_ms = stays_ms.max(UPLOAD_AWAITED_MS);
    }
    Some(case.last_heard().plus_ms(stays_ms))
}

/// Whether something that names no payment may still change this one: a clock that is set, a close that uploads. Then it
/// is loaded at the start as long as it would be in memory.
pub(super) fn is_awaited(case: &super::case::Case) -> bool {
    !case.synchronised || offline::waits(case).is_some()
}

/// A finding of a case, as it was told.
pub fn finding_of(case_id: CaseId, case: &super::case::Case, told: &Told) -> Finding {
    Finding {
        id: FindingId { kind: told.kind, subject: Subject::Case(case_id), time: 1 },
        severity: rules::severity(told.kind, told.stage),
        stage: told.stage,
        cause: told.cause.clone(),
        since: case.wall(told.since),
        resolved: told.resolved,
        parent: told.parent.as_deref().cloned(),
        partner: told.partner.clone(),
        measure: told.measure,
        historical: case.historical,
    }
}

/// Whether a payment surely does not rest yet, as its first word alone tells.
pub(super) fn is_young(
    kept: &Kept,
    watermark: StreamTime,
    deadlines: &super::policy::Deadlines,
) -> bool {
    kept.case.opened.plus_ms(rest_ms(deadlines)) > watermark
}

/// How long any payment stays behind its last word.
fn rest_ms(deadlines: &super::policy::Deadlines) -> i64 {
    let window_ms = deadlines.duplicate_window_ms.max(deadlines.duplicate_window_qr_ms);
    window_ms.saturating_add(REST_GRACE_MS)
}

/// What the correlator has to say since it was last asked.
#[derive(Clone, Debug, Default)]
pub struct Out {
    /// Findings that were raised, changed or resolved, in order.
    pub findings: Vec<FindingChange>,
    /// What was counted.
    pub counts: super::correlator::Counts,
}

impl Out {
    fn tell_case(
        &mut self,
        (change, alerts): (Change, bool),
        kind: FindingKind,
        kept: &Kept,
        id: CaseId,
        terminal: Option<slipwatch_shared::terminal::TerminalId>,
        learned: ArrivalTime,
    ) {
        let told = kept.case.told(kind).expect("it was just told");
        let terminal =
            terminal.map(|terminal| TerminalName { store: id.agent.store.clone(), terminal });
        let finding = finding_of(id, &kept.case, told);
        let case = Some(Box::new(kept.case.clone()));
        self.tell(FindingChange { change, finding, alerts, learned, terminal, case, ledger: None });
    }

    /// Passes a change on, and counts it.
    pub(super) fn tell(&mut self, change: FindingChange) {
        let kind = FindingKind::ALL.iter().position(|kind| *kind == change.finding.id.kind);
        let kind = kind.expect("the catalogue is whole");
        match change.change {
            Change::Raised => self.counts.raised[kind] += 1,
            Change::Resolved => self.counts.resolved[kind] += 1,
            Change::Changed => {}
        }
        self.findings.push(change);
    }
}
