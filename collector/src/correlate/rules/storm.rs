//! A16: many reversals at once, of one terminal or on the way to one acquirer. It explains the reversals that begin
//! while it lasts, so it is told once for all of them.

use super::{Stand, Standing};
use crate::correlate::case::{Case, EventRef, What};
use crate::correlate::cause::{Cause, CauseClass, CauseDetail};
use crate::correlate::coverage::{Heard, Needs};
use crate::correlate::finding::{Resolution, Severity};
use crate::correlate::policy::Thresholds;
use crate::correlate::shape::{Shape, ShapeError, shape_struct};
use crate::correlate::timeline::StreamTime;
use std::collections::VecDeque;

/// Most reversals of one terminal that are remembered.
pub const RECENT_MAX: usize = 16;

/// The begin of an undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undone {
    /// When.
    pub at: StreamTime,
    /// The event that says so.
    pub event: EventRef,
    /// The payment.
    pub first: EventRef,
}

/// The payments that a terminal last had to undo.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recent {
    undone: VecDeque<Undone>,
}

impl Recent {
    /// Takes in the begin of a reversal.
    pub fn note(&mut self, undone: Undone) {
        if self.undone.len() == RECENT_MAX {
            self.undone.pop_front();
        }
        self.undone.push_back(undone);
    }

    /// The payments, in the order in which their undos began.
    pub fn payments(&self) -> impl Iterator<Item = EventRef> + '_ {
        self.undone.iter().map(|undone| undone.first)
    }

    /// When the last one began.
    pub fn last(&self) -> Option<StreamTime> {
        self.undone.back().map(|undone| undone.at)
    }

    /// The reversals of a storm that lasts at the latest of them.
    fn storm(&self, thresholds: &Thresholds) -> Option<Vec<Undone>> {
        let count = (thresholds.storm_reversals as usize).clamp(1, RECENT_MAX);
        let from = self.last()?.plus_ms(-thresholds.storm_window_ms);
        let within: Vec<Undone> =
            self.undone.iter().filter(|undone| undone.at >= from).copied().collect();
        (within.len() >= count).then_some(within)
    }
}

/// When an undo of a payment began: it has no sound answer, or a reversal of it was written down.
pub fn undo_begun(case: &Case) -> Option<StreamTime> {
    let begun = |what: &What| matches!(what, What::Unsound(_) | What::TimedOut | What::Reversal(_));
    case.first_fact(begun).map(|fact| fact.at)
}

/// A16 of a terminal, asked when a reversal begins.
pub fn terminal_storm(recent: &Recent, thresholds: &Thresholds) -> Stand {
    let Some(storm) = recent.storm(thresholds) else { return Stand::AsItWas };
    let since = storm[0].at;
    let cited = storm.iter().map(|undone| undone.event);
    let cause = Cause::of(CauseClass::Network, CauseDetail::ManyReversals, 60, cited);
    let measure = storm.len() as i64;
    Stand::Holds(Standing { severity: Severity::P1, since, cause, measure })
}

/// When a terminal's storm is over if no further reversal begins.
pub fn calm_due(recent: &Recent, thresholds: &Thresholds) -> Option<StreamTime> {
    recent.last().map(|last| last.plus_ms(thresholds.storm_calm_ms))
}

/// The end of a terminal's storm, asked when the watermark has passed [`calm_due`].
pub fn calmed(recent: &Recent, heard: &Heard<'_>, thresholds: &Thresholds) -> Stand {
    let (Some(last), Some(due)) = (recent.last(), calm_due(recent, thresholds)) else {
        return Stand::AsItWas;
    };
    match heard.hole_in(Needs::Money, last, due) {
        None => Stand::Not(Resolution::Subsided),
        Some(_) => Stand::Not(Resolution::NotKnown),
    }
}

/// Requests and reversals are counted in steps of so long.
const STEP_MS: i64 = 300_000;
/// Most steps that are remembered.
const STEPS_MAX: usize = 24;

/// What was asked of one acquirer, and how much of it had to be undone, in steps of five minutes of UTC. One agent's
/// share, or the sum of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    steps: VecDeque<Step>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Step {
    number: u32,
    requests: u32,
    reversals: u32,
}

/// The step of a moment, UTC milliseconds: also the name of a storm that is told in it.
pub fn step_of(wall_ms: i64) -> u32 {
    u32::try_from(wall_ms.div_euclid(STEP_MS)).unwrap_or(0)
}

/// The moment a step begins, UTC milliseconds.
pub fn begin_of(step: u32) -> i64 {
    i64::from(step) * STEP_MS
}

impl Traffic {
    /// Counts into a step; what is older than all that is remembered counts for nothing.
    pub fn note(&mut self, number: u32, requests: u32, reversals: u32) {
        let at = self.steps.partition_point(|step| step.number < number);
        if self.steps.get(at).is_none_or(|step| step.number != number) {
            self.steps.insert(at, Step { number, ..Step::default() });
        }
        let step = &mut self.steps[at];
        step.requests = step.requests.saturating_add(requests);
        step.reversals = step.reversals.saturating_add(reversals);
        while self.steps.len() > STEPS_MAX {
            self.steps.pop_front();
        }
    }

    /// Lets go of what no window that ends at a step or later reaches back to; tells whether that was all.
    pub fn forget(&mut self, step: u32) -> bool {
        self.steps.retain(|known| known.number.saturating_add(STEPS_MAX as u32) > step);
        if self.steps.len() * 2 < self.steps.capacity() {
            self.steps.shrink_to_fit();
        }
        self.steps.is_empty()
    }

    /// All of another's counts on top of one's own.
    pub fn add(&mut self, other: &Traffic) {
        for step in &other.steps {
            self.note(step.number, step.requests, step.reversals);
        }
    }

    /// Requests and reversals of the window that ends with a step.
    pub fn window(&self, through: u32, thresholds: &Thresholds) -> (u64, u64) {
        let steps = thresholds.storm_calm_ms.div_euclid(STEP_MS).clamp(1, STEPS_MAX as i64) as u32;
        let from = through.saturating_sub(steps - 1);
        let within = self.steps.iter().filter(|step| (from..=through).contains(&step.number));
        within.fold((0, 0), |(requests, reversals), step| {
            (requests + u64::from(step.requests), reversals + u64::from(step.reversals))
        })
    }

    /// Whether the window that ends with a step is a storm.
    pub fn storms(&self, through: u32, thresholds: &Thresholds) -> bool {
        let (requests, reversals) = self.window(through, thresholds);
        let enough = requests >= u64::from(thresholds.route_requests);
        enough && reversals * 100 >= requests * u64::from(thresholds.route_percent)
    }

    /// Whether a storm is over: enough is asked again, and less than one of a hundred is undone.
    pub fn is_calm(&self, through: u32, thresholds: &Thresholds) -> bool {
        let (requests, reversals) = self.window(through, thresholds);
        requests >= u64::from(thresholds.route_requests) && reversals * 100 < requests
    }
}

/// Why many terminals of one acquirer must undo their payments.
pub fn route_cause(event: EventRef) -> Cause {
    Cause::of(CauseClass::Institution, CauseDetail::AcquirerOutage, 85, [event])
}

shape_struct!(Undone { at, event, first });
shape_struct!(Recent { undone });
shape_struct!(Step { number, requests, reversals });

impl Shape for Traffic {
    fn put(&self, out: &mut Vec<u8>) {
        self.steps.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Traffic, ShapeError> {
        Ok(Traffic { steps: Shape::take(bytes)? })
    }
}
