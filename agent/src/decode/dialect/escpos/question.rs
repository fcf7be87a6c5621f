//! What was asked of a printer and not answered yet. Answers do not say to what, so they are paired in order; the two
//! directions of a line are read apart, so an answer may be read just before its question.

use super::health::RealTimeKind;
use slipwatch_shared::times::Uptime;
use std::collections::VecDeque;

/// Most questions that wait. One that finds no room is not kept: its answer is then taken for nobody's, which proves
/// less, never more.
const QUESTIONS_MAX: usize = 32;

/// How long an answer in real time takes at most. After that it does not come.
const REAL_TIME_MS_MAX: u64 = 1_000;

/// How much later than its answer a question may be read.
pub(super) const SKEW_MS_MAX: u64 = 60;

/// Most answers that wait for their questions.
const EARLY_MAX: usize = 8;

/// A question that is answered once all before it has been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Buffered {
    /// `GS r 1`, `ESC v`, `FS v`: is there paper?
    Paper,
    /// Another that is answered with one byte.
    Single,
    /// One that is answered with a block: the printer's name.
    Block,
    /// `GS ( H`: send this back when all before it has been printed.
    ProcessId([u8; 4]),
}

impl Buffered {
    fn is_answered_by(self, answer: BufferedAnswer) -> bool {
        match answer {
            BufferedAnswer::Single(_) => matches!(self, Buffered::Paper | Buffered::Single),
            BufferedAnswer::Block => self == Buffered::Block,
            BufferedAnswer::ProcessId(id) => self == Buffered::ProcessId(id),
        }
    }
}

/// An answer to a buffered question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BufferedAnswer {
    Single(u8),
    Block,
    ProcessId([u8; 4]),
}

/// A question, and which papers had been sent whole when it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Question<Q> {
    pub asked: Q,
    pub at: Uptime,
    /// The number of the last paper before it.
    pub behind: u64,
}

/// All that waits.
#[derive(Debug, Default)]
pub(super) struct Questions {
    real_time: VecDeque<Question<RealTimeKind>>,
    buffered: VecDeque<Question<Buffered>>,
    early_real_time: VecDeque<(u8, Uptime)>,
    early_buffered: VecDeque<(BufferedAnswer, Uptime)>,
}

impl Questions {
    /// Asks in real time. Hands back the answer if it was read before.
    pub fn ask_real_time(&mut self, question: Question<RealTimeKind>) -> Option<u8> {
        self.forget_late(question.at);
        let is_fresh = |early: &(u8, Uptime)| question.at.ms_since(early.1) <= SKEW_MS_MAX;
        while let Some(early) = self.early_real_time.pop_front() {
            if is_fresh(&early) && self.real_time.is_empty() {
                return Some(early.0);
            }
        }
        if self.real_time.len() < QUESTIONS_MAX {
            self.real_time.push_back(question);
        }
        None
    }

    /// Asks in the order of the data. Hands back the answer if it was read before.
    pub fn ask_buffered(&mut self, question: Question<Buffered>) -> Option<BufferedAnswer> {
        let early = self.early_buffered.iter().position(|(answer, at)| {
            question.at.ms_since(*at) <= SKEW_MS_MAX && question.asked.is_answered_by(*answer)
        });
        if let Some(early) = early {
            return self.early_buffered.remove(early).map(|early| early.0);
        }
        if self.buffered.len() < QUESTIONS_MAX {
            self.buffered.push_back(question);
        }
        None
    }

    /// The question that a real-time answer is to; it waits for one that was not read yet otherwise.
    pub fn answer_real_time(&mut self, byte: u8, at: Uptime) -> Option<Question<RealTimeKind>> {
        self.forget_late(at);
        let question = self.real_time.pop_front();
        if question.is_none() {
            keep_early(&mut self.early_real_time, (byte, at));
        }
        question
    }

    /// The question that an answer to a buffered one is to. Those before it were not answered and will not be.
    pub fn answer_buffered(
        &mut self,
        answer: BufferedAnswer,
        at: Uptime,
    ) -> Option<Question<Buffered>> {
        let place = self.buffered.iter().position(|question| question.asked.is_answered_by(answer));
        let Some(place) = place else {
            keep_early(&mut self.early_buffered, (answer, at));
            return None;
        };
        self.buffered.drain(..=place).next_back()
    }

    /// Whether a kiosk printer's whole status is asked for next.
    pub fn expects_kiosk(&self) -> bool {
        self.real_time.front().is_some_and(|question| question.asked == RealTimeKind::Other)
    }

    /// Whether a proof is still to come that the paper of this number was printed.
    pub fn may_prove(&self, paper: u64) -> bool {
        self.buffered.iter().any(|question| {
            question.behind >= paper
                && matches!(question.asked, Buffered::Paper | Buffered::ProcessId(_))
        })
    }

    /// The printer's buffer was cleared: what waited in it is answered by nobody.
    pub fn clear(&mut self) {
        *self = Questions::default();
    }

    fn forget_late(&mut self, now: Uptime) {
        self.real_time.retain(|question| now.ms_since(question.at) <= REAL_TIME_MS_MAX);
    }
}

fn keep_early<T>(early: &mut VecDeque<T>, answer: T) {
    if early.len() >= EARLY_MAX {
        early.pop_front();
    }
    early.push_back(answer);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question<Q>(asked: Q, at: u64) -> Question<Q> {
        Question { asked, at: Uptime(at), behind: 0 }
    }

    #[test]
    fn answers_are_paired_in_order() {
        let mut questions = Questions::default();
        for n in 1..=4 {
            assert_eq!(questions.ask_real_time(question(RealTimeKind::of(n), 0)), None);
        }
        for n in 1..=4 {
            let paired = questions.answer_real_time(0x12, Uptime(10)).map(|paired| paired.asked);
            assert_eq!(paired, Some(RealTimeKind::of(n)));
        }
        assert_eq!(questions.answer_real_time(0x12, Uptime(10)), None);
    }

    #[test]
    fn an_answer_that_never_came_spoils_no_other() {
        let mut questions = Questions::default();
        questions.ask_real_time(question(RealTimeKind::Printer, 0));
        questions.ask_real_time(question(RealTimeKind::Paper, 5_000));
        let paired = questions.answer_real_time(0x12, Uptime(5_010)).map(|paired| paired.asked);
        assert_eq!(paired, Some(RealTimeKind::Paper));
    }

    #[test]
    fn an_answer_may_be_read_before_its_question() {
        let mut questions = Questions::default();
        assert_eq!(questions.answer_real_time(0x72, Uptime(100)), None);
        assert_eq!(questions.ask_real_time(question(RealTimeKind::Paper, 110)), Some(0x72));
        assert_eq!(questions.answer_real_time(0x12, Uptime(200)), None);
        assert_eq!(questions.ask_real_time(question(RealTimeKind::Paper, 900)), None);
        let answer = BufferedAnswer::Single(0);
        assert_eq!(questions.answer_buffered(answer, Uptime(300)), None);
        assert_eq!(questions.ask_buffered(question(Buffered::Paper, 316)), Some(answer));
    }

    #[test]
    fn a_process_id_is_answered_by_itself_alone() {
        let mut questions = Questions::default();
        let id = Buffered::ProcessId;
        questions.ask_buffered(question(id(*b"0001"), 0));
        questions.ask_buffered(question(id(*b"0002"), 0));
        let answer = BufferedAnswer::ProcessId(*b"0002");
        let paired = questions.answer_buffered(answer, Uptime(9)).map(|paired| paired.asked);
        assert_eq!(paired, Some(id(*b"0002")));
        assert!(!questions.may_prove(0), "the first one was passed over");
        questions.ask_buffered(question(id(*b"0003"), 10));
        assert!(questions.may_prove(0) && !questions.may_prove(1));
    }

    #[test]
    fn questions_are_bounded() {
        let mut questions = Questions::default();
        (0..1000).for_each(|at| {
            questions.ask_buffered(question(Buffered::Paper, at));
            questions.answer_buffered(BufferedAnswer::Block, Uptime(at));
        });
        assert_eq!((questions.buffered.len(), questions.early_buffered.len()), (32, 8));
    }
}
