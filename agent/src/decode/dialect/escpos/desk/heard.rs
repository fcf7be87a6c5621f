//! What the printer says, and which question it answers.

use super::{Desk, Proof, State};
use crate::decode::dialect::Sink;
use crate::decode::dialect::escpos::answer::Answer;
use crate::decode::dialect::escpos::health::RealTimeKind;
use crate::decode::dialect::escpos::question::{Buffered, BufferedAnswer, Question};
use slipwatch_shared::times::Uptime;

impl Desk {
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
                self.review(Proof::Well(behind), &bytes, at, sink);
            }
            Answer::Flow { goes } => {
                self.refuses_since = (!goes).then_some(at);
                self.health.set_stalled(false);
                self.review(Proof::None, &[], at, sink);
            }
            Answer::Unknown => {}
        }
    }

    pub(super) fn answered_real_time(
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
        let proof = question.filter(|_| is_status);
        let proof = proof.map_or(Proof::None, |question| Proof::Well(question.behind));
        self.review(proof, &[byte], at, sink);
    }

    fn answered_automatic(&mut self, bytes: [u8; 4], at: Uptime, sink: &mut Sink<'_>) {
        let was_asked = std::mem::take(&mut self.is_automatic_asked);
        let is_repeated = self.automatic.replace(bytes) == Some(bytes);
        self.repeated_at = (is_repeated && !was_asked && self.heard_at.is_some()).then_some(at);
        self.health.take_automatic(bytes);
        // An answer to `GS a` comes at once; a change after the cut shows that the printer came so far.
        let proof = if was_asked { Proof::Well } else { Proof::Changed };
        self.review(proof(self.number), &bytes, at, sink);
    }

    fn pair_buffered(&mut self, answer: BufferedAnswer, at: Uptime, sink: &mut Sink<'_>) {
        if let Some(question) = self.questions.answer_buffered(answer, at) {
            self.answered_buffered(answer, question, at, sink);
        }
    }

    pub(super) fn answered_buffered(
        &mut self,
        answer: BufferedAnswer,
        question: Question<Buffered>,
        at: Uptime,
        sink: &mut Sink<'_>,
    ) {
        self.answers_in_turn = true;
        match answer {
            BufferedAnswer::ProcessId(id) => {
                self.tell_confirmed(question.behind, at, sink);
                self.review(Proof::None, &id, at, sink);
            }
            BufferedAnswer::Single(byte) => {
                if question.asked == Buffered::Paper {
                    self.health.take_paper(byte);
                }
                self.review(Proof::Reached(question.behind), &[byte], at, sink);
            }
            BufferedAnswer::Block => {
                self.review(Proof::Reached(question.behind), &[], at, sink);
            }
        }
    }
}
