//! The way to an acquirer, over all shops that call it: what was asked, what had to be undone, and the storm that is
//! told of it (A16). Each agent keeps its own share with its state; the sums here are made of them, so that they are
//! the same after a restart. A storm is a matter of now: it is told when what has arrived shows it.

use super::case::{Case, Place};
use super::correlator::Correlator;
use super::finding::{Change, Finding, FindingChange, FindingId, FindingKind, Severity, Stage};
use super::finding::{Resolution, Subject};
use super::policy::{Acquirer, TerminalPolicy, Thresholds};
use super::rules::storm::{self, Traffic};
use super::shape::shape_struct;
use super::watch::Spot;
use slipwatch_shared::terminal::MerchantId;
use slipwatch_shared::times::{ArrivalTime, EventTime};
use std::collections::BTreeMap;

/// Most acquirers that one agent's terminals call; what more there are is not counted.
pub const ACQUIRERS_MAX: usize = 8;

/// What one agent keeps of the acquirers its terminals call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Share {
    traffic: Vec<(Acquirer, Traffic)>,
    /// Storms that were told when a word of this agent showed them, while they last.
    storms: Vec<Finding>,
}

impl Share {
    /// Lets go of what counts no more at a time of its agent's clock; tells whether that was all.
    pub(super) fn forget(&mut self, now: EventTime) -> bool {
        let step = storm::step_of(now.0);
        self.traffic.retain_mut(|(_, traffic)| !traffic.forget(step));
        self.traffic.is_empty() && self.storms.is_empty()
    }

    /// Storms that last and are kept here.
    pub fn storms(&self) -> usize {
        self.storms.len()
    }
}

/// All acquirers.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    routes: BTreeMap<Acquirer, Route>,
}

#[derive(Clone, Debug, Default)]
struct Route {
    traffic: Traffic,
    /// The agent that keeps the storm, while it lasts.
    keeper: Option<usize>,
}

impl Routes {
    /// Takes an agent's share in, as it came from the store.
    pub(super) fn restore(&mut self, agent: usize, share: &Share) {
        for (acquirer, traffic) in &share.traffic {
            self.routes.entry(acquirer.clone()).or_default().traffic.add(traffic);
        }
        for storm in &share.storms {
            if let Subject::Route(acquirer) = &storm.id.subject {
                self.routes.entry(acquirer.clone()).or_default().keeper = Some(agent);
            }
        }
    }
}

/// The acquirer that a payment went to: the terminal's own, or that of the merchant number, whose fifteen digits begin
/// with it (field 42).
pub fn acquirer_of<'a>(
    policy: Option<&'a TerminalPolicy>,
    merchant: Option<&'a MerchantId>,
) -> Option<&'a str> {
    let set = policy.and_then(|policy| policy.acquirer.as_ref()).map(Acquirer::as_str);
    set.or_else(|| {
        let number = merchant?.as_str();
        let plain = number.len() == 15 && number.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| &number[..3])
    })
}

impl Correlator {
    /// A request to an acquirer, or the begin of an undo.
    pub(super) fn watch_route(
        &mut self,
        spot: &Spot<'_>,
        merchant: Option<MerchantId>,
        request: bool,
        undone: bool,
        thresholds: &Thresholds,
    ) {
        let Correlator { agents, routes, .. } = self;
        let agent = &mut agents[spot.agent];
        let terminal = &agent.terminals[spot.terminal];
        // A clock that is not set would count into another year.
        if !spot.event.observed.synchronised {
            return;
        }
        let name = acquirer_of(terminal.policy.as_deref(), merchant.as_ref());
        let Some(name) = name else { return };
        let step = storm::step_of(spot.event.observed.wall.0);
        let (requests, reversals) = (u32::from(request), u32::from(undone));
        let share = agent.share.get_or_insert_default();
        match share.traffic.iter().position(|(acquirer, _)| acquirer.as_str() == name) {
            Some(at) => share.traffic[at].1.note(step, requests, reversals),
            None if share.traffic.len() == ACQUIRERS_MAX => return,
            None => {
                let Ok(acquirer) = name.parse() else { return };
                let mut traffic = Traffic::default();
                traffic.note(step, requests, reversals);
                // Mostly one.
                share.traffic.reserve_exact(1);
                share.traffic.push((acquirer, traffic));
            }
        }
        if !routes.routes.contains_key(name) {
            let Ok(acquirer) = name.parse() else { return };
            routes.routes.insert(acquirer, Route::default());
        }
        let route = routes.routes.get_mut(name).expect("it was just put there");
        route.traffic.note(step, requests, reversals);
        match route.keeper {
            None if undone && route.traffic.storms(step, thresholds) => {
                let Ok(acquirer) = name.parse() else { return };
                self.raise_storm(spot, acquirer, step, thresholds);
            }
            Some(keeper) if request && route.traffic.is_calm(step, thresholds) => {
                let Ok(acquirer) = name.parse() else { return };
                self.end_storm(keeper, acquirer, spot.now);
            }
            _ => {}
        }
    }

    fn raise_storm(
        &mut self,
        spot: &Spot<'_>,
        acquirer: Acquirer,
        step: u32,
        thresholds: &Thresholds,
    ) {
        let Some(route) = self.routes.routes.get_mut(acquirer.as_str()) else { return };
        route.keeper = Some(spot.agent);
        let (requests, reversals) = route.traffic.window(step, thresholds);
        // The window that shows it began so much earlier: what was undone in it belongs to it.
        let begin = storm::begin_of(step) - thresholds.storm_calm_ms;
        let historical = self.is_historical(spot);
        let finding = Finding {
            id: FindingId {
                kind: FindingKind::ReversalStorm,
                subject: Subject::Route(acquirer),
                time: step,
            },
            severity: Severity::P1,
            stage: Stage::Alerting,
            cause: storm::route_cause(spot.reference),
            since: EventTime(begin),
            resolved: None,
            parent: None,
            partner: None,
            measure: (reversals * 100 / requests.max(1)) as i64,
            historical,
        };
        let agent = &mut self.agents[spot.agent];
        agent.touched = true;
        agent.share.get_or_insert_default().storms.push(finding.clone());
        let (change, learned) = (Change::Raised, spot.now);
        self.out.tell(FindingChange {
            change,
            finding,
            alerts: true,
            learned,
            terminal: None,
            case: None,
            ledger: None,
        });
        self.absorb_route(spot.now);
    }

    fn end_storm(&mut self, keeper: usize, acquirer: Acquirer, learned: ArrivalTime) {
        let Some(route) = self.routes.routes.get_mut(acquirer.as_str()) else { return };
        route.keeper = None;
        let agent = &mut self.agents[keeper];
        agent.touched = true;
        let Some(share) = agent.share.as_deref_mut() else { return };
        let of = |storm: &Finding| storm.id.subject == Subject::Route(acquirer.clone());
        let Some(place) = share.storms.iter().position(of) else { return };
        let mut finding = share.storms.remove(place);
        finding.resolved = Some(Resolution::Subsided);
        let change = Change::Resolved;
        self.out.tell(FindingChange {
            change,
            finding,
            alerts: false,
            learned,
            terminal: None,
            case: None,
            ledger: None,
        });
    }

    fn is_historical(&self, spot: &Spot<'_>) -> bool {
        let source = self.agents[spot.agent].coverage.source(spot.event.source);
        source.is_some_and(|source| source.historical)
    }

    /// The storm that explains an undo that began at this time.
    pub(super) fn storm_over(
        &self,
        policy: Option<&TerminalPolicy>,
        case: &Case,
        begun: EventTime,
    ) -> Option<FindingId> {
        let name = acquirer_of(policy, case.keys.merchant.as_ref())?;
        let route = self.routes.routes.get(name)?;
        let share = self.agents[route.keeper?].share.as_deref()?;
        let of = |storm: &&Finding| matches!(&storm.id.subject, Subject::Route(acquirer) if acquirer.as_str() == name);
        let storm = share.storms.iter().find(of)?;
        (storm.since <= begun).then(|| storm.id.clone())
    }

    /// The storm on the way to an acquirer, while it lasts.
    pub(super) fn storm_of(&self, acquirer: &str) -> Option<&Finding> {
        let route = self.routes.routes.get(acquirer)?;
        let share = self.agents[route.keeper?].share.as_deref()?;
        let of = |storm: &&Finding| matches!(&storm.id.subject, Subject::Route(known) if known.as_str() == acquirer);
        share.storms.iter().find(of)
    }

    /// A storm that was just told explains undos that were told before: they are its children.
    fn absorb_route(&mut self, now: ArrivalTime) {
        let undo = [FindingKind::TimeoutDebitLostReversal, FindingKind::ReversalPending];
        let mut children: Vec<Place> = Vec::new();
        for (agent, found) in self.agents.iter().enumerate() {
            for (terminal, found) in found.terminals.awake() {
                let open = found.cases.iter().filter(|kept| {
                    kept.case.told.iter().any(|told| {
                        told.resolved.is_none()
                            && told.parent.is_none()
                            && undo.contains(&told.kind)
                    })
                });
                let place = |first| Place { agent, terminal, first };
                children.extend(open.map(|kept| place(kept.case.first)));
            }
        }
        children.into_iter().for_each(|place| self.adopt(place, now));
    }
}

shape_struct!(Share { traffic, storms });
