//! Who says nothing: a terminal while its shop is open, by its stream; an agent, by the collector's clock.

use super::cause::{Cause, CauseClass, CauseDetail};
use super::correlator::{Agent, Correlator};
use super::coverage::{Heard, Needs};
use super::finding::{
    Change, Finding, FindingChange, FindingId, FindingKind, Resolution, Severity, Stage, Subject,
};
use super::policy::TerminalName;
use super::rules::silent;
use super::timeline::StreamTime;
use slipwatch_shared::event::Body;
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::{ArrivalTime, EventTime};

fn cause(detail: CauseDetail) -> Cause {
    Cause { class: CauseClass::Unknown, detail, confidence: 0, cited: Vec::new() }
}

/// A change of what rests on no payment and no file.
fn change(
    change: Change,
    finding: Finding,
    terminal: Option<TerminalName>,
    learned: ArrivalTime,
) -> FindingChange {
    let alerts = change == Change::Raised;
    FindingChange { change, finding, alerts, learned, terminal, case: None, ledger: None }
}

impl Correlator {
    /// A device said something: its terminal, or each of the agent's, is not silent.
    pub(super) fn hear_words(
        &mut self,
        agent: usize,
        id: Option<TerminalId>,
        body: &Body,
        at: StreamTime,
        now: ArrivalTime,
    ) {
        let said = match body {
            Body::Pulse(counts) => counts.lines > 0,
            Body::SourceOpened(_) | Body::SourceLost { .. } => false,
            _ => true,
        };
        if !said {
            return;
        }
        let Correlator { agents, out, policies, .. } = self;
        let Agent { terminals, name, timeline, look_at, .. } = &mut agents[agent];
        for place in 0..terminals.len() {
            if id.is_some() && terminals.id(place) != id {
                continue;
            }
            let terminal = terminals.wake(place);
            if let Some(before) = terminal.last_word {
                terminal.rhythm.note(at.ms_since(before));
            }
            terminal.last_word = terminal.last_word.max(Some(at));
            let Some(hours) = terminal.policy.as_ref().and_then(|policy| policy.opening.as_ref())
            else {
                continue;
            };
            let silence_ms =
                terminal.rhythm.silence_ms(terminal.deadlines(&policies.deadlines).silent_ms);
            if let Some(due) = silent::due(at, silence_ms, hours, timeline.wall_ahead_ms) {
                terminal.look_at = terminal.look_at.min(due);
                *look_at = (*look_at).min(due);
            }
            if let Some(mut finding) = terminal.silence.take() {
                finding.resolved = Some(Resolution::HeardAgain);
                let terminal = terminal
                    .id
                    .map(|terminal| TerminalName { store: name.store.clone(), terminal });
                out.tell(change(Change::Resolved, *finding, terminal, now));
            }
        }
    }

    /// Tells a terminal's silence when it lasted; gives when to look again.
    pub(super) fn judge_silence(
        &mut self,
        agent: usize,
        at: usize,
        watermark: StreamTime,
        now: ArrivalTime,
    ) -> Option<StreamTime> {
        let Correlator { agents, out, policies, .. } = self;
        let Agent { terminals, name, timeline, coverage, offline, clock_unset, .. } =
            &mut agents[agent];
        // Whether the shop is open is not known; the next word looks again.
        if *clock_unset {
            return None;
        }
        let terminal = &mut terminals[at];
        let hours = terminal.policy.as_ref()?.opening.as_ref()?;
        let id = terminal.id?;
        let since = terminal.last_word?;
        if terminal.silence.is_some() {
            return None;
        }
        let least_ms = terminal.deadlines(&policies.deadlines).silent_ms;
        let silence_ms = terminal.rhythm.silence_ms(least_ms);
        let due = silent::due(since, silence_ms, hours, timeline.wall_ahead_ms)?;
        if watermark <= due {
            return Some(due);
        }
        let latest = timeline.latest;
        let heard = Heard::of(coverage, Some(id), latest, *offline);
        let historical = coverage.of(Some(id)).any(|source| source.historical);
        if historical || heard.hole_in(Needs::All, since, due).is_some() {
            return None;
        }
        terminal.silences += 1;
        let name = TerminalName { store: name.store.clone(), terminal: id };
        let subject = Subject::Terminal(name.clone());
        let finding = Finding {
            id: FindingId { kind: FindingKind::Silent, subject, time: terminal.silences },
            severity: Severity::P2,
            stage: Stage::Alerting,
            cause: cause(CauseDetail::DeviceSilent),
            since: timeline.wall(since),
            resolved: None,
            parent: None,
            partner: None,
            measure: silence_ms,
            historical: false,
        };
        terminal.silence = Some(Box::new(finding.clone()));
        out.tell(change(Change::Raised, finding, Some(name), now));
        None
    }

    /// Tells that an agent is not heard, on the collector's clock; `last` is when it last was.
    pub fn tell_agent_silent(&mut self, agent: usize, last: ArrivalTime, now: ArrivalTime) {
        let Correlator { agents, out, .. } = self;
        let found = &mut agents[agent];
        if found.silence.is_some() {
            return;
        }
        found.silences += 1;
        found.touched = true;
        let subject = Subject::Agent(found.name.clone());
        let finding = Finding {
            id: FindingId { kind: FindingKind::Silent, subject, time: found.silences },
            severity: Severity::P3,
            stage: Stage::Alerting,
            cause: cause(CauseDetail::AgentSilent),
            since: EventTime(last.0),
            resolved: None,
            parent: None,
            partner: None,
            measure: now.0.saturating_sub(last.0),
            historical: false,
        };
        found.silence = Some(Box::new(finding.clone()));
        out.tell(change(Change::Raised, finding, None, now));
    }

    /// Tells that an agent is heard again.
    pub fn tell_agent_heard(&mut self, agent: usize, now: ArrivalTime) {
        let Correlator { agents, out, .. } = self;
        let Some(mut finding) = agents[agent].silence.take() else { return };
        finding.resolved = Some(Resolution::HeardAgain);
        agents[agent].touched = true;
        out.tell(change(Change::Resolved, *finding, None, now));
    }

    /// Tells that a card number was seen in what an agent sent; the bytes are gone.
    pub fn tell_card_number(
        &mut self,
        agent: usize,
        event: super::case::EventRef,
        now: ArrivalTime,
    ) {
        let Correlator { agents, out, .. } = self;
        let found = &mut agents[agent];
        found.card_numbers += 1;
        found.touched = true;
        // One is told; each further one is counted in its measure.
        let how = if found.card_numbers == 1 { Change::Raised } else { Change::Changed };
        let subject = Subject::Agent(found.name.clone());
        let mut cause = cause(CauseDetail::ScrubMissed);
        (cause.class, cause.confidence, cause.cited) = (CauseClass::Policy, 100, vec![event]);
        let finding = Finding {
            id: FindingId { kind: FindingKind::CardNumberSeen, subject, time: 1 },
            severity: Severity::P1,
            stage: Stage::Alerting,
            cause,
            since: found.timeline.wall(found.timeline.latest),
            resolved: None,
            parent: None,
            partner: None,
            measure: i64::from(found.card_numbers),
            historical: false,
        };
        out.tell(change(how, finding, None, now));
    }
}
