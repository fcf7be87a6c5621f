//! What the correlator keeps over time: rows for the store, payments that leave memory and come back, and its own
//! state as bytes. Judges nothing.

use super::case::{Case, CaseId, Fact, Place, What};
use super::correlator::{Agent, Correlator};
use super::coverage::Heard;
use super::policy::AgentName;
use super::recall::{RECENT_MS, Recall, TransactionRow};
use super::review::{is_awaited, is_young, rest_at};
use super::shape::{self, Shape, ShapeError};
use super::terminal::{CASES_MAX, Kept};
use super::timeline::{Due, StreamTime};
use super::verdict::{Unknown, Verdict};
use slipwatch_shared::event::SourceId;
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::ArrivalTime;

impl Correlator {
    /// Puts a payment from the store back into memory; nothing when it is there, or its agent is not known.
    pub(super) fn bring_back(&mut self, row: TransactionRow) -> Option<Place> {
        let agent = self.place_of(&row.id.agent)?;
        let terminal = self.terminal(agent, row.terminal);
        let place = Place { agent, terminal, first: row.case.first };
        if self.kept(place).is_some() {
            return None;
        }
        self.out.counts.recalled += 1;
        let found = &mut self.agents[agent];
        let mut kept = Kept::stored(row.case);
        // Nothing is due of it; it is here because something concerns it.
        kept.look_at = Due::NEVER;
        found.terminals[terminal].insert(kept);
        found.touched = true;
        Some(place)
    }

    /// A settlement file has this payment: what was told of it is sure now. One that is not stored any more is no matter.
    pub fn settled(&mut self, id: &CaseId, now: ArrivalTime, recall: &mut dyn Recall) {
        let Some(agent) = self.place_of(&id.agent) else { return };
        let terminals = &self.agents[agent].terminals;
        let known = terminals.place_of(id.first);
        let place = match known {
            Some(terminal) => Some(Place { agent, terminal, first: id.first }),
            None => recall.by_id(id).and_then(|row| self.bring_back(row)),
        };
        let Some(place) = place else { return };
        let terminal = &mut self.agents[place.agent].terminals[place.terminal];
        let at = terminal.position(place.first).expect("it was just found");
        let kept = &mut terminal.cases[at];
        if kept.case.is_settled() {
            return;
        }
        // No event said it: it stands behind the last one, and cites the payment itself.
        let at = kept.case.last_heard();
        let event = kept.case.first;
        kept.add(Fact { at, event, source: SourceId::AGENT, what: What::Settled });
        kept.dirty = true;
        self.review(place, now, recall);
    }

    /// Rows of what changed since this was last called, and forgets what came to rest.
    pub fn take_rows(&mut self, agent: usize, rows: &mut Vec<TransactionRow>) {
        let Correlator { agents, shops, policies, .. } = self;
        let found = &mut agents[agent];
        found.touched = false;
        let Agent { name, terminals, coverage, timeline, offline, shop, .. } = found;
        for (at, terminal) in terminals.awake_mut() {
            let deadlines = *terminal.deadlines(&policies.deadlines);
            let latest = timeline.latest;
            let heard = Heard::of(coverage, terminal.id, latest, *offline);
            let watermark = heard.watermark;
            let id = terminal.id;
            let mut forgotten = terminal.forgotten_through;
            let over = terminal.cases.len().saturating_sub(CASES_MAX);
            let mut seen = 0;
            terminal.cases.retain_mut(|kept| {
                seen += 1;
                let rest_at = rest_at(kept, &deadlines);
                let keep = seen > over && rest_at.is_none_or(|rest_at| rest_at > watermark);
                let awaited = is_awaited(&kept.case);
                if std::mem::take(&mut kept.dirty) || awaited && !keep {
                    rows.push(TransactionRow {
                        id: CaseId { agent: name.clone(), first: kept.case.first },
                        terminal: id,
                        case: kept.case.clone(),
                        keys_changed: std::mem::take(&mut kept.keys_changed),
                        rest_at: rest_at.filter(|_| !(awaited && keep)),
                    });
                }
                if !keep {
                    forgotten = forgotten.max(Some(kept.case.last_heard()));
                    let place = Place { agent, terminal: at, first: kept.case.first };
                    shops[*shop].remove(place, kept.purse());
                }
                keep
            });
            if forgotten != terminal.forgotten_through {
                terminal.forgotten_through = forgotten;
                let shop = &mut shops[*shop].forgotten_through;
                *shop = (*shop).max(forgotten);
            }
        }
        self.rest(agent);
    }

    /// Forgets what came to rest, or everything, and hands it over as it goes: for whoever keeps payments only then. The
    /// first of each pair is the terminal.
    pub fn take_rested(
        &mut self,
        agent: usize,
        everything: bool,
        out: &mut dyn FnMut(Option<TerminalId>, Case),
    ) {
        let Correlator { agents, shops, policies, .. } = self;
        let Agent { terminals, coverage, timeline, offline, shop, .. } = &mut agents[agent];
        for (at, terminal) in terminals.awake_mut() {
            let deadlines = *terminal.deadlines(&policies.deadlines);
            let (id, latest) = (terminal.id, timeline.latest);
            let heard = Heard::of(coverage, id, latest, *offline);
            let watermark = heard.watermark;
            let rests =
                |kept: &Kept| rest_at(kept, &deadlines).is_some_and(|rest_at| rest_at <= watermark);
            let over = terminal.cases.len().saturating_sub(CASES_MAX);
            let in_order = terminal.in_order_of_time();
            let mut place = 0;
            let mut forgotten = terminal.forgotten_through;
            while let Some(kept) = terminal.cases.get(place) {
                let stays = !everything && place >= over;
                let young = is_young(kept, watermark, &deadlines);
                if stays && young && in_order {
                    break;
                }
                if stays && (young || !rests(kept)) {
                    place += 1;
                    continue;
                }
                let kept = terminal.cases.remove(place).expect("it was just looked at");
                let name = Place { agent, terminal: at, first: kept.case.first };
                shops[*shop].remove(name, kept.purse());
                forgotten = forgotten.max(Some(kept.case.last_heard()));
                out(id, kept.case);
            }
            if forgotten != terminal.forgotten_through {
                terminal.forgotten_through = forgotten;
                let shop = &mut shops[*shop].forgotten_through;
                *shop = (*shop).max(forgotten);
            }
        }
    }

    /// Keeps what has nothing to do in few bytes until its next word: terminals without payments in memory; and lets go of
    /// what their agent counted of acquirers long ago. To be called when payments were taken out.
    pub fn rest(&mut self, agent: usize) {
        let Correlator { agents, policies, room, .. } = self;
        let Agent { terminals, timeline, share, .. } = &mut agents[agent];
        let latest = timeline.latest;
        for at in 0..terminals.len() {
            if terminals.get(at).is_none_or(|terminal| !terminal.cases.is_empty()) {
                continue;
            }
            let terminal = &mut terminals[at];
            if let Some(watch) = &mut terminal.watch {
                let own = terminal.policy.as_ref().and_then(|policy| policy.thresholds.as_deref());
                watch.rest(latest, own.unwrap_or(&policies.thresholds));
            }
            terminals.rest(at, room);
        }
        share.take_if(|share| share.forget(timeline.wall(latest)));
    }

    /// Lets the oldest payment of a terminal go when it has too many: nobody can tell then.
    pub(super) fn bound(&mut self, agent: usize, terminal: usize) {
        let cases = &mut self.agents[agent].terminals[terminal].cases;
        let over = cases.len().saturating_sub(CASES_MAX);
        for kept in cases.iter_mut().take(over) {
            if matches!(kept.case.verdict, Verdict::Pending { .. }) {
                kept.case.verdict = Verdict::Unknown { why: Unknown::OverBound };
                kept.dirty = true;
                self.out.counts.over_bound += 1;
            }
            kept.look_at = Due::NEVER;
        }
    }

    /// An agent's state as bytes.
    pub fn state_of(&self, agent: usize) -> Vec<u8> {
        shape::to_bytes(&self.agents[agent])
    }

    /// Puts an agent back as [`Correlator::state_of`] wrote it.
    pub fn restore_agent(&mut self, name: &AgentName, state: &[u8]) -> Result<usize, ShapeError> {
        let at = self.agent(name);
        let stored: Agent = shape::from_bytes(state)?;
        let (clock_unset, share) = (stored.clock_unset, stored.share);
        let Agent { timeline, mut coverage, terminals, silences, silence, card_numbers, .. } =
            stored;
        if let Some(share) = &share {
            self.routes.restore(at, share);
        }
        let shop = self.agents[at].shop;
        let latest = timeline.latest;
        let (policies, shared) = (&self.policies, &mut self.shared);
        let found = &mut self.agents[at];
        coverage.sources.iter_mut().for_each(|source| self.lines.share(source));
        (found.timeline, found.coverage, found.terminals) = (timeline, coverage, terminals);
        (found.silences, found.silence, found.clock_unset) = (silences, silence, clock_unset);
        (found.card_numbers, found.share, found.touched) = (card_numbers, share, false);
        for (_, terminal) in found.terminals.awake_mut() {
            terminal.policy = shared.policy_of(policies, &name.store, terminal.id);
            let recent = Some(latest.plus_ms(-RECENT_MS));
            terminal.forgotten_through = terminal.forgotten_through.max(recent);
            let shop = &mut self.shops[shop].forgotten_through;
            *shop = (*shop).max(terminal.forgotten_through);
        }
        Ok(at)
    }

    /// Puts a payment back that was in memory when its agent was stored.
    pub fn restore_case(&mut self, row: TransactionRow) {
        let look_at = Some(row.case.opened);
        if let Some(place) = self.bring_back(row) {
            self.out.counts.recalled -= 1;
            let terminal = &mut self.agents[place.agent].terminals[place.terminal];
            let at = terminal.position(place.first).expect("it was just put there");
            terminal.cases[at].look_at = look_at.into();
            self.pair(place);
        }
    }
}

impl Shape for Agent {
    fn put(&self, out: &mut Vec<u8>) {
        self.name.put(out);
        self.timeline.put(out);
        self.coverage.put(out);
        self.terminals.put(out);
        self.silences.put(out);
        self.silence.put(out);
        self.card_numbers.put(out);
        self.terminals.all().for_each(|terminal| terminal.watch.put(out));
        self.share.put(out);
        self.clock_unset.put(out);
        self.terminals.all().for_each(|terminal| terminal.last_print.put(out));
        self.coverage.slipless.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Agent, ShapeError> {
        let mut agent = Agent {
            name: Shape::take(bytes)?,
            timeline: Shape::take(bytes)?,
            coverage: Shape::take(bytes)?,
            terminals: Shape::take(bytes)?,
            silences: Shape::take(bytes)?,
            silence: Shape::take(bytes)?,
            card_numbers: Shape::take(bytes)?,
            offline: false,
            clock_unset: false,
            touched: false,
            look_at: StreamTime(i64::MIN),
            share: None,
            shop: 0,
            sole: None,
        };
        for (_, terminal) in agent.terminals.awake_mut() {
            terminal.watch = shape::take_or_default(bytes)?;
        }
        agent.share = shape::take_or_default(bytes)?;
        agent.clock_unset = shape::take_or_default(bytes)?;
        for (_, terminal) in agent.terminals.awake_mut() {
            terminal.last_print = shape::take_or_default(bytes)?;
        }
        agent.coverage.slipless = shape::take_or_default(bytes)?;
        Ok(agent)
    }
}
