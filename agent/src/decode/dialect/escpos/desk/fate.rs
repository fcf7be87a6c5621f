//! What follows for the slips whose fate is open, of a word of the printer or of time.

use super::{
    ANSWER_MS_MAX, Desk, PRINT_MS_MAX, Paper, Proof, REFUSED_MS_MAX, SILENCE_MS,
    SILENT_QUESTIONS_MIN, STALL_MS, State, WORD_MS_MAX,
};
use crate::decode::dialect::Sink;
use crate::decode::dialect::escpos::question::{Questions, SKEW_MS_MAX};
use slipwatch_shared::event::{Body, Evidence, SlipFailure, SlipGrade, SlipLoss};
use slipwatch_shared::times::Uptime;

impl Desk {
    /// Looks at all open papers after the printer said something: `frame`, which shows `proof`.
    pub(super) fn review(&mut self, proof: Proof, frame: &[u8], at: Uptime, sink: &mut Sink<'_>) {
        let told = self.health.told();
        if told != self.told {
            self.told = told;
            let frame = Evidence::Frame(frame.into());
            self.say(Body::PrinterStatus(told), frame, at, sink);
        }
        if let Some(reason) = self.health.failure() {
            return self.fail_all(reason, at, sink);
        }
        for paper in &mut self.papers {
            let could_not = paper.state == State::Failed;
            if could_not {
                // The printer can again, and most print what is in their buffer then.
                paper.state = State::Waits { since: at };
                paper.grade = SlipGrade::CleanStatus;
            }
            let grade = match proof {
                Proof::Well(behind) if behind >= paper.number => SlipGrade::CleanStatus,
                Proof::Reached(behind) if behind >= paper.number => SlipGrade::BufferedReply,
                Proof::Changed(behind) if behind >= paper.number && !could_not => {
                    SlipGrade::BufferedReply
                }
                _ => continue,
            };
            paper.grade = paper.grade.max(grade);
        }
        self.tell_done(at, sink);
    }

    fn fail_all(&mut self, reason: SlipFailure, at: Uptime, sink: &mut Sink<'_>) {
        for mut paper in std::mem::take(&mut self.papers) {
            if paper.state != State::Failed {
                self.say_failed(&paper.slip, reason, at, sink);
                paper.state = State::Failed;
            }
            self.papers.push_back(paper);
        }
    }

    /// Tells the papers that the printer says it printed, whatever hinders it now.
    pub(super) fn tell_confirmed(&mut self, behind: u64, at: Uptime, sink: &mut Sink<'_>) {
        for paper in &mut self.papers {
            if paper.number <= behind {
                paper.grade = SlipGrade::ProcessId;
            }
        }
        self.tell_all(|_, paper| paper.grade == SlipGrade::ProcessId, at, sink);
    }

    /// Tells the papers of which nothing more is to be learnt.
    fn tell_done(&mut self, at: Uptime, sink: &mut Sink<'_>) {
        self.tell_all(
            |questions, paper| {
                let is_printed = match paper.state {
                    State::Waits { since } => at.ms_since(since) >= PRINT_MS_MAX,
                    State::Failed => false,
                };
                let is_sure = paper.grade >= SlipGrade::BufferedReply
                    || paper.grade == SlipGrade::CleanStatus && is_printed;
                is_sure && !questions.may_prove(paper.number)
            },
            at,
            sink,
        );
    }

    fn tell_all(
        &mut self,
        is_due: impl Fn(&Questions, &Paper) -> bool,
        at: Uptime,
        sink: &mut Sink<'_>,
    ) {
        for paper in std::mem::take(&mut self.papers) {
            match is_due(&self.questions, &paper) {
                true => self.say_printed(paper.slip, paper.grade, at, sink),
                false => self.papers.push_back(paper),
            }
        }
    }

    /// When a paper is told with the grade that it has then.
    fn due_at(&self, paper: &Paper) -> Option<Uptime> {
        let State::Waits { since } = paper.state else { return None };
        let may_learn = self.answers_in_turn && self.questions.may_prove(paper.number);
        Some(since.plus_ms(if may_learn { ANSWER_MS_MAX } else { WORD_MS_MAX }))
    }

    /// Time passed.
    pub fn settle(&mut self, now: Uptime, sink: &mut Sink<'_>) {
        let is_over =
            |since: Option<Uptime>, ms: u64| since.is_some_and(|since| since.plus_ms(ms) <= now);
        if is_over(self.silent_since(), SILENCE_MS) && !self.health.is_silent() {
            self.health.set_silent(true);
            self.review(Proof::None, &[], now, sink);
        }
        if is_over(self.refuses_since, REFUSED_MS_MAX) {
            self.refuses_since = None;
            self.health.set_stalled(true);
            self.review(Proof::None, &[], now, sink);
        }
        if is_over(self.repeated_at, SKEW_MS_MAX) {
            self.restart(now, sink);
        }
        for paper in std::mem::take(&mut self.papers) {
            match self.due_at(&paper).is_some_and(|due| due <= now) {
                true => self.say_printed(paper.slip, paper.grade, now, sink),
                false => self.papers.push_back(paper),
            }
        }
        if is_over(self.job_waits_since(), self.job_wait_ms()) {
            self.settle_job(now, sink);
        }
    }

    /// Automatic status tells changes only: the same once more, unasked, is the first word of a printer that was switched
    /// on.
    fn restart(&mut self, now: Uptime, sink: &mut Sink<'_>) {
        self.repeated_at = None;
        let frame = self.automatic.map_or(Evidence::None, |bytes| Evidence::Frame(bytes.into()));
        self.say(Body::DeviceRestarted, frame, now, sink);
        self.clear(SlipLoss::PowerLost, now, sink);
    }

    /// The job got no further for long.
    fn settle_job(&mut self, now: Uptime, sink: &mut Sink<'_>) {
        if !self.settings.cuts {
            return self.end_job(now, sink);
        }
        self.is_job_settled = true;
        if self.job.is_slip() {
            let reason = self.health.failure().unwrap_or(SlipFailure::Unknown);
            for slip in self.slips(&self.job).iter().filter(|slip| slip.document.is_slip()) {
                self.is_failure_told = true;
                self.say_failed(slip, reason, now, sink);
            }
        }
    }

    /// The link was lost: the printer's word on what was sent will not be heard.
    pub fn finish(&mut self, at: Uptime, sink: &mut Sink<'_>) {
        self.tell_all(|_, paper| paper.state != State::Failed, at, sink);
        self.papers.clear();
        self.questions.clear();
        (self.unanswered, self.unanswered_since, self.refuses_since) = (0, None, None);
        (self.automatic, self.repeated_at) = (None, None);
    }

    /// Since when the oldest word that is not told yet waits.
    pub fn held_since(&self) -> Option<Uptime> {
        let waits = self.papers.iter().filter_map(|paper| match paper.state {
            State::Waits { since } => Some(since),
            State::Failed => None,
        });
        let job = self.job_waits_since().and_then(|_| self.job.begun_at());
        waits.chain(job).min()
    }

    /// When [`Desk::settle`] would tell something.
    pub fn wake_at(&self) -> Option<Uptime> {
        let waits = self.papers.iter().filter_map(|paper| self.due_at(paper));
        let silence = self.silent_since().filter(|_| !self.health.is_silent());
        let refusal = self.refuses_since.map(|since| since.plus_ms(REFUSED_MS_MAX));
        let job = self.job_waits_since().map(|since| since.plus_ms(self.job_wait_ms()));
        waits.chain(silence.map(|since| since.plus_ms(SILENCE_MS))).chain(refusal).chain(job).min()
    }

    fn silent_since(&self) -> Option<Uptime> {
        let is_silence = self.is_two_way && self.unanswered >= SILENT_QUESTIONS_MIN;
        self.unanswered_since.filter(|_| is_silence)
    }

    /// Since when the open job gets no further, as long as that changes anything.
    fn job_waits_since(&self) -> Option<Uptime> {
        let begun_at = self.job.begun_at().filter(|_| !self.is_job_settled)?;
        Some(self.heard_at.map_or(begun_at, |heard| heard.max(begun_at)))
    }

    /// How long it may get no further: without a cutter a feed and a pause are its end.
    fn job_wait_ms(&self) -> u64 {
        match !self.settings.cuts && self.job.is_fed() {
            true => self.settings.idle_ms,
            false => STALL_MS,
        }
    }
}
