//! What became of each slip: sent, hindered, lost, printed, and how surely. Joins the job that goes to the printer with
//! what the printer answers.

use super::answer::Answer;
use super::health::{Health, RealTimeKind};
use super::job::Job;
use super::profile::Settings;
use super::question::{Buffered, BufferedAnswer, Question, Questions, SKEW_MS_MAX};
use crate::decode::dialect::Sink;
use crate::decode::dialect::slip_text::{Hint, ReadSlip};
use crate::decode::record::{Decoded, evidence};
use slipwatch_shared::event::{
    Body, Evidence, PrinterStatus, Slip, SlipFailure, SlipGrade, SlipLoss,
};
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::Uptime;
use std::collections::VecDeque;
use std::sync::Arc;

/// How long a slip waits for the printer's word on it, where the printer is heard.
const WORD_MS_MAX: u64 = 5_000;

/// A job that gets no further for so long has stalled.
pub(super) const STALL_MS: u64 = 10_000;

/// A printer that answered before and leaves questions open for so long is off, or unplugged.
const SILENCE_MS: u64 = 3_000;

/// It must be so many questions.
const SILENT_QUESTIONS_MIN: u32 = 2;

/// Data refused for so long is as bad as being offline.
const REFUSED_MS_MAX: u64 = 10_000;

/// Most slips whose fate is open. Of more the oldest is told with what is known of it.
const PAPERS_MAX: usize = 32;

/// A slip that was sent whole, and whose fate is open.
#[derive(Debug)]
struct Paper {
    /// Papers are counted, so that a question is known to stand behind one.
    number: u64,
    slip: ReadSlip,
    sent_at: Uptime,
    /// How sure it is that it was printed.
    grade: SlipGrade,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It is told at this time with the grade that it has then.
    Waits { until: Uptime },
    /// It was told as failed; it may come once the printer can.
    Failed,
}

/// The slips of one printer.
#[derive(Debug)]
pub(super) struct Desk {
    settings: Arc<Settings>,
    /// The terminal of the source's settings.
    terminal: Option<TerminalId>,
    pub job: Job,
    hint: Hint,
    is_start_told: bool,
    /// The open job got no further for so long that it is not waited for.
    is_job_settled: bool,
    /// A slip of it was told as failed.
    is_failure_told: bool,
    /// When the last byte went to the printer, where that is heard.
    heard_at: Option<Uptime>,
    papers: VecDeque<Paper>,
    /// The number of the last paper.
    number: u64,
    questions: Questions,
    health: Health,
    told: PrinterStatus,
    /// Whether the printer was ever heard.
    is_two_way: bool,
    /// Whether the line is heard in each direction apart, so that it may be.
    may_hear: bool,
    /// Questions since the last answer, and when the first of them was put.
    unanswered: u32,
    unanswered_since: Option<Uptime>,
    refuses_since: Option<Uptime>,
    /// The last automatic status, whether it was just asked for, and when it came a second time without that.
    automatic: Option<[u8; 4]>,
    is_automatic_asked: bool,
    repeated_at: Option<Uptime>,
}

impl Desk {
    /// At the start of a source.
    pub fn new(settings: Arc<Settings>, terminal: Option<TerminalId>) -> Desk {
        Desk {
            settings,
            terminal,
            job: Job::default(),
            hint: Hint::default(),
            is_start_told: false,
            is_job_settled: false,
            is_failure_told: false,
            heard_at: None,
            papers: VecDeque::new(),
            number: 0,
            questions: Questions::default(),
            health: Health::default(),
            told: PrinterStatus::default(),
            is_two_way: false,
            may_hear: false,
            unanswered: 0,
            unanswered_since: None,
            refuses_since: None,
            automatic: None,
            is_automatic_asked: false,
            repeated_at: None,
        }
    }

    // --- what goes to the printer ---------------------------------------------------------------

    /// Whether the printer's answers would be heard as such.
    pub fn set_may_hear(&mut self, may_hear: bool) {
        self.may_hear = may_hear;
    }

    /// Bytes went to the printer.
    pub fn heard(&mut self, at: Uptime) {
        self.heard_at = Some(at);
    }

    /// Whether nothing went to the printer for as long as between two jobs.
    pub fn has_paused(&self, at: Uptime) -> bool {
        let is_over = |heard: Uptime| at.ms_since(heard) >= self.settings.idle_ms;
        self.job.begun_at().is_some() && self.heard_at.is_some_and(is_over)
    }

    /// A line was printed.
    pub fn line(&mut self, line: &str, at: Uptime, sink: &mut Sink<'_>) {
        self.job.line(line, at, &mut self.hint);
        self.tell_start(at, sink);
    }

    /// An image was printed.
    pub fn image(&mut self, rows: u64, bytes: u64, at: Uptime, sink: &mut Sink<'_>) {
        self.job.image(rows, bytes, at, self.settings.slip_rows_min);
        self.tell_start(at, sink);
    }

    fn tell_start(&mut self, at: Uptime, sink: &mut Sink<'_>) {
        if self.job.is_slip() && !self.is_start_told {
            self.is_start_told = true;
            sink.decoded.push_back(Decoded::Said {
                at,
                terminal: self.terminal,
                device_time: None,
                body: Body::SlipStarted(Slip::default()),
                evidence: Evidence::None,
            });
        }
    }

    /// The open job, and whether a slip of it was told as failed. The next one begins.
    fn take_job(&mut self) -> (Job, bool) {
        self.is_start_told = false;
        self.is_job_settled = false;
        (std::mem::take(&mut self.job), std::mem::take(&mut self.is_failure_told))
    }

    /// The paper was cut, or has come to its end otherwise: the job is whole.
    pub fn end_job(&mut self, at: Uptime, sink: &mut Sink<'_>) {
        let (job, was_told) = self.take_job();
        if job.begun_at().is_none() {
            return;
        }
        self.number += 1;
        for slip in self.slips(&job) {
            self.send(slip, was_told, at, sink);
        }
    }

    /// The job was given up without an end: whatever it was is not whole.
    pub fn drop_job(&mut self, at: Uptime, loss: Option<SlipLoss>, sink: &mut Sink<'_>) {
        let (job, was_told) = self.take_job();
        if !job.is_slip() {
            return;
        }
        for slip in self.slips(&job) {
            match loss {
                _ if !slip.document.is_slip() => self.say_words(slip, at, sink),
                Some(reason) => self.say_lost(slip, reason, at, sink),
                None if !was_told => {
                    let reason = self.health.failure().unwrap_or(SlipFailure::Unknown);
                    self.say_failed(&slip, reason, at, sink);
                }
                None => {}
            }
        }
    }

    fn slips(&self, job: &Job) -> Vec<ReadSlip> {
        let Settings { currency, slip_rows_min, needs_keys, .. } = *self.settings;
        job.slips(currency, slip_rows_min, needs_keys)
    }

    /// A slip was sent whole. `was_told` says that it was told as failed while it was still going out.
    fn send(&mut self, slip: ReadSlip, was_told: bool, at: Uptime, sink: &mut Sink<'_>) {
        if !slip.document.is_slip() {
            return self.say_words(slip, at, sink);
        }
        if let Some(reason) = self.health.failure() {
            if !was_told {
                self.say_failed(&slip, reason, at, sink);
            }
            return self.keep(slip, State::Failed, at, sink);
        }
        if self.is_two_way || self.may_hear && self.unanswered > 0 {
            let until = at.plus_ms(WORD_MS_MAX);
            return self.keep(slip, State::Waits { until }, at, sink);
        }
        self.say_printed(slip, SlipGrade::Sent, at, sink);
    }

    fn keep(&mut self, slip: ReadSlip, state: State, at: Uptime, sink: &mut Sink<'_>) {
        if self.papers.len() >= PAPERS_MAX
            && let Some(oldest) = self.papers.pop_front()
            && oldest.state != State::Failed
        {
            self.say_printed(oldest.slip, oldest.grade, at, sink);
        }
        let number = self.number;
        let grade = SlipGrade::Sent;
        self.papers.push_back(Paper { number, slip, sent_at: at, grade, state });
    }

    /// The printer's buffer was cleared: what had not been printed never will be.
    pub fn clear(&mut self, loss: SlipLoss, at: Uptime, sink: &mut Sink<'_>) {
        self.questions.clear();
        self.drop_job(at, Some(loss), sink);
        let papers = std::mem::take(&mut self.papers);
        for paper in papers {
            match paper.state {
                State::Failed => self.say_lost(paper.slip, loss, at, sink),
                // The printer was well when it got this one.
                State::Waits { .. } => self.say_printed(paper.slip, paper.grade, at, sink),
            }
        }
    }

    /// Whether slips wait that the printer could not print.
    pub fn has_backlog(&self) -> bool {
        self.papers.iter().any(|paper| paper.state == State::Failed)
    }

    /// `DLE EOT n` was sent.
    pub fn ask_real_time(&mut self, n: u8, at: Uptime, sink: &mut Sink<'_>) {
        self.count_question(at);
        let question = Question { asked: RealTimeKind::of(n), at, behind: self.number };
        if let Some(byte) = self.questions.ask_real_time(question) {
            self.answered_real_time(byte, Some(question), at, sink);
        }
    }

    /// A question was sent that is answered in its turn.
    pub fn ask_buffered(&mut self, asked: Buffered, at: Uptime, sink: &mut Sink<'_>) {
        let question = Question { asked, at, behind: self.number };
        if let Some(answer) = self.questions.ask_buffered(question) {
            self.answered_buffered(answer, question, at, sink);
        }
    }

    /// `GS a n` was sent: the printer tells its status at once, and at every change.
    pub fn ask_automatic(&mut self) {
        // The answer may have been read first.
        self.is_automatic_asked = self.repeated_at.take().is_none();
    }

    fn count_question(&mut self, at: Uptime) {
        self.unanswered = self.unanswered.saturating_add(1);
        self.unanswered_since.get_or_insert(at);
    }

    // --- what the printer says ------------------------------------------------------------------

    /// Whether a kiosk printer's whole status is expected next.
    pub fn expects_kiosk(&self) -> bool {
        self.questions.expects_kiosk()
    }

    /// The printer said something.
    pub fn answered(&mut self, answer: Answer, at: Uptime, sink: &mut Sink<'_>) {
        if answer == Answer::Unknown {
            sink.counts.unmatched += 1;
            return;
        }
        self.is_two_way = true;
        self.unanswered = 0;
        self.unanswered_since = None;
        if self.health.is_silent() {
            // What was sent meanwhile went nowhere, or into a printer that may have been off.
            self.papers.retain(|paper| paper.state != State::Failed);
            self.health.set_silent(false);
        }
        match answer {
            Answer::RealTime(byte) => {
                let question = self.questions.answer_real_time(byte, at);
                self.answered_real_time(byte, question, at, sink);
            }
            Answer::Automatic(bytes) => self.answered_automatic(bytes, at, sink),
            Answer::Single(byte) => self.pair_buffered(BufferedAnswer::Single(byte), at, sink),
            Answer::Block => self.pair_buffered(BufferedAnswer::Block, at, sink),
            Answer::ProcessId(id) => self.pair_buffered(BufferedAnswer::ProcessId(id), at, sink),
            Answer::Kiosk(bytes) => {
                let question = self.questions.answer_real_time(0, at);
                self.health.take_kiosk(bytes);
                let behind = question.map_or(self.number, |question| question.behind);
                self.review(Some((behind, SlipGrade::CleanStatus)), &bytes, at, sink);
            }
            Answer::Flow { goes } => {
                self.refuses_since = (!goes).then_some(at);
                self.health.set_stalled(false);
                self.review(None, &[], at, sink);
            }
            Answer::Unknown => {}
        }
    }

    fn answered_real_time(
        &mut self,
        byte: u8,
        question: Option<Question<RealTimeKind>>,
        at: Uptime,
        sink: &mut Sink<'_>,
    ) {
        self.unanswered = 0;
        self.unanswered_since = None;
        let asked = question.map(|question| question.asked);
        self.health.take_real_time(byte, asked);
        let is_status = asked.is_some_and(|asked| asked != RealTimeKind::Other);
        let word = question.filter(|_| is_status);
        let proof = word.map(|question| (question.behind, SlipGrade::CleanStatus));
        self.review(proof, &[byte], at, sink);
    }

    fn answered_automatic(&mut self, bytes: [u8; 4], at: Uptime, sink: &mut Sink<'_>) {
        let was_asked = std::mem::take(&mut self.is_automatic_asked);
        let is_repeated = self.automatic.replace(bytes) == Some(bytes);
        self.repeated_at = (is_repeated && !was_asked && self.heard_at.is_some()).then_some(at);
        self.health.take_automatic(bytes);
        // An answer to `GS a` comes at once; a change after the cut shows that the printer came so far.
        let grade = if was_asked { SlipGrade::CleanStatus } else { SlipGrade::BufferedReply };
        self.review(Some((self.number, grade)), &bytes, at, sink);
    }

    fn pair_buffered(&mut self, answer: BufferedAnswer, at: Uptime, sink: &mut Sink<'_>) {
        if let Some(question) = self.questions.answer_buffered(answer, at) {
            self.answered_buffered(answer, question, at, sink);
        }
    }

    fn answered_buffered(
        &mut self,
        answer: BufferedAnswer,
        question: Question<Buffered>,
        at: Uptime,
        sink: &mut Sink<'_>,
    ) {
        match answer {
            BufferedAnswer::ProcessId(id) => {
                let grade = SlipGrade::ProcessId;
                self.tell_proven(question.behind, grade, at, sink);
                self.review(None, &id, at, sink);
            }
            BufferedAnswer::Single(byte) => {
                if question.asked == Buffered::Paper {
                    self.health.take_paper(byte);
                }
                let proof = Some((question.behind, SlipGrade::BufferedReply));
                self.review(proof, &[byte], at, sink);
            }
            BufferedAnswer::Block => {
                self.review(Some((question.behind, SlipGrade::BufferedReply)), &[], at, sink);
            }
        }
    }

    // --- what follows ---------------------------------------------------------------------------

    /// Looks at all open papers after the printer said something. `proof` is the number of the last paper before what it
    /// answers, and the grade of one that is answered cleanly; `frame` is what it said.
    fn review(
        &mut self,
        proof: Option<(u64, SlipGrade)>,
        frame: &[u8],
        at: Uptime,
        sink: &mut Sink<'_>,
    ) {
        let told = self.health.told();
        if told != self.told {
            self.told = told;
            let frame = Evidence::Frame(frame.into());
            self.say(None, Body::PrinterStatus(told), frame, at, sink);
        }
        if let Some(reason) = self.health.failure() {
            return self.fail_all(reason, at, sink);
        }
        for paper in &mut self.papers {
            if paper.state == State::Failed {
                // The printer can again, and most print what is in their buffer then.
                paper.state = State::Waits { until: at.plus_ms(WORD_MS_MAX) };
                paper.grade = SlipGrade::CleanStatus;
            }
            if let Some((behind, grade)) = proof
                && behind >= paper.number
            {
                paper.grade = paper.grade.max(grade);
            }
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

    /// Tells the papers that a proof covers, whatever hinders the printer now.
    fn tell_proven(&mut self, behind: u64, grade: SlipGrade, at: Uptime, sink: &mut Sink<'_>) {
        self.tell(|paper| paper.number <= behind, Some(grade), at, sink);
    }

    /// Tells the papers of which nothing more is to be learnt.
    fn tell_done(&mut self, at: Uptime, sink: &mut Sink<'_>) {
        let Desk { questions, .. } = self;
        let done: Vec<u64> = self
            .papers
            .iter()
            .filter(|paper| paper.grade >= SlipGrade::CleanStatus)
            .map(|paper| paper.number)
            .filter(|number| !questions.may_prove(*number))
            .collect();
        self.tell(|paper| done.contains(&paper.number), None, at, sink);
    }

    fn tell(
        &mut self,
        is_due: impl Fn(&Paper) -> bool,
        grade: Option<SlipGrade>,
        at: Uptime,
        sink: &mut Sink<'_>,
    ) {
        for paper in std::mem::take(&mut self.papers) {
            match is_due(&paper) {
                true => self.say_printed(paper.slip, grade.unwrap_or(paper.grade), at, sink),
                false => self.papers.push_back(paper),
            }
        }
    }

    /// Time passed.
    pub fn settle(&mut self, now: Uptime, sink: &mut Sink<'_>) {
        let is_over =
            |since: Option<Uptime>, ms: u64| since.is_some_and(|since| since.plus_ms(ms) <= now);
        if is_over(self.silent_since(), SILENCE_MS) && !self.health.is_silent() {
            self.health.set_silent(true);
            self.review(None, &[], now, sink);
        }
        if is_over(self.refuses_since, REFUSED_MS_MAX) {
            self.refuses_since = None;
            self.health.set_stalled(true);
            self.review(None, &[], now, sink);
        }
        if is_over(self.repeated_at, SKEW_MS_MAX) {
            self.restart(now, sink);
        }
        let is_due = |paper: &Paper| matches!(paper.state, State::Waits { until } if until <= now);
        self.tell(is_due, None, now, sink);
        if is_over(self.job_waits_since(), self.job_wait_ms()) {
            self.settle_job(now, sink);
        }
    }

    /// Automatic status tells changes only: the same once more, unasked, is the first word of a printer that was switched
    /// on.
    fn restart(&mut self, now: Uptime, sink: &mut Sink<'_>) {
        self.repeated_at = None;
        let frame = self.automatic.map_or(Evidence::None, |bytes| Evidence::Frame(bytes.into()));
        self.say(None, Body::DeviceRestarted, frame, now, sink);
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
        self.tell(|paper| matches!(paper.state, State::Waits { .. }), None, at, sink);
        self.papers.clear();
        self.questions.clear();
        (self.unanswered, self.unanswered_since, self.refuses_since) = (0, None, None);
        (self.automatic, self.repeated_at) = (None, None);
    }

    /// Since when the oldest word that is not told yet waits.
    pub fn held_since(&self) -> Option<Uptime> {
        let waits = self.papers.iter().find_map(|paper| match paper.state {
            State::Waits { .. } => Some(paper.sent_at),
            State::Failed => None,
        });
        let job = self.job_waits_since().and_then(|_| self.job.begun_at());
        waits.into_iter().chain(job).min()
    }

    /// When [`Desk::settle`] would tell something.
    pub fn wake_at(&self) -> Option<Uptime> {
        let waits = self.papers.iter().filter_map(|paper| match paper.state {
            State::Waits { until } => Some(until),
            State::Failed => None,
        });
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

    // --- words ----------------------------------------------------------------------------------

    /// What a paper that is no slip says: that a reversal failed, or nothing. It is true, whether it is printed or not.
    fn say_words(&self, paper: ReadSlip, at: Uptime, sink: &mut Sink<'_>) {
        self.say_printed(paper, SlipGrade::Sent, at, sink);
    }

    fn say_printed(&self, slip: ReadSlip, grade: SlipGrade, at: Uptime, sink: &mut Sink<'_>) {
        let parts = Parts::of(&slip);
        if let Some(body) = slip.printed(grade) {
            self.say(Some(parts), body, Evidence::None, at, sink);
        }
    }

    fn say_failed(&self, slip: &ReadSlip, reason: SlipFailure, at: Uptime, sink: &mut Sink<'_>) {
        let body = Body::SlipFailed { slip: slip.slip.clone(), reason };
        self.say(Some(Parts::of(slip)), body, Evidence::None, at, sink);
    }

    fn say_lost(&self, slip: ReadSlip, reason: SlipLoss, at: Uptime, sink: &mut Sink<'_>) {
        let parts = Parts::of(&slip);
        let body = Body::SlipLost { slip: slip.slip, reason };
        self.say(Some(parts), body, Evidence::None, at, sink);
    }

    fn say(
        &self,
        parts: Option<Parts>,
        body: Body,
        frame: Evidence,
        at: Uptime,
        sink: &mut Sink<'_>,
    ) {
        let parts = parts.unwrap_or(Parts { terminal: None, device_time: None, evidence: frame });
        sink.decoded.push_back(Decoded::Said {
            at,
            terminal: parts.terminal.or(self.terminal),
            device_time: parts.device_time,
            body,
            evidence: parts.evidence,
        });
    }
}

/// What of a slip stands beside its body.
struct Parts {
    terminal: Option<TerminalId>,
    device_time: Option<slipwatch_shared::times::DeviceTime>,
    evidence: Evidence,
}

impl Parts {
    fn of(slip: &ReadSlip) -> Parts {
        Parts {
            terminal: slip.terminal,
            device_time: slip.device_time,
            evidence: evidence(&slip.text),
        }
    }
}
