//! What became of each slip: sent, hindered, lost, printed, and how surely. Joins the job that goes to the printer with
//! what the printer answers.

mod fate;
mod heard;
mod say;

use super::health::{Health, RealTimeKind};
use super::job::Job;
use super::profile::Settings;
use super::question::{Buffered, Question, Questions};
use crate::decode::dialect::Sink;
use crate::decode::dialect::slip_text::{Hint, ReadSlip};
use slipwatch_shared::event::{PrinterStatus, SlipFailure, SlipGrade, SlipLoss};
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::Uptime;
use std::collections::VecDeque;
use std::sync::Arc;

/// How long a slip waits for the printer's word on it, where the printer is heard.
const WORD_MS_MAX: u64 = 5_000;

/// Printing takes so long at most. A clean status that comes sooner may come before the paper ran out: it is told when
/// nothing else comes.
const PRINT_MS_MAX: u64 = 3_000;

/// How long a slip waits for an answer in its turn, from a printer that gives such answers.
const ANSWER_MS_MAX: u64 = 30_000;

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
    /// How sure it is that it was printed.
    grade: SlipGrade,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The printer can print it since then, and is believed to.
    Waits { since: Uptime },
    /// It was told as failed; it may come once the printer can.
    Failed,
}

/// What an answer shows of the papers before its question.
#[derive(Clone, Copy, Debug)]
enum Proof {
    /// Nothing.
    None,
    /// The printer was well when it had them, as far as this number.
    Well(u64),
    /// It got as far as this number, and said so in its turn or at a change.
    Reached(u64),
    /// The same, said of itself: it says nothing of papers that it could not print before.
    Changed(u64),
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
    /// Whether it ever answered a question in its turn.
    answers_in_turn: bool,
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
            answers_in_turn: false,
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
            self.say_started(at, sink);
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
            return self.keep(slip, State::Waits { since: at }, at, sink);
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
        self.papers.push_back(Paper { number, slip, grade, state });
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
}
