//! One printer's line: bytes of both directions to what was said.

use super::answer::Answers;
use super::desk::{Desk, STALL_MS};
use super::printer::{Effect, Printer};
use super::profile::Settings;
use super::token::Tokens;
use crate::decode::dialect::{Direction, Reader, Sink};
use slipwatch_shared::event::{DecodeFailure, SlipLoss};
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::Uptime;
use std::sync::Arc;

/// So many commands in a row that are none: the line is read at the wrong speed, or speaks another language.
const UNKNOWN_RUN_MAX: u32 = 16;

/// Reads one printer's line.
#[derive(Debug)]
pub(super) struct EscposReader {
    settings: Arc<Settings>,
    tokens: Tokens,
    printer: Printer,
    answers: Answers,
    /// When the last byte of each direction came.
    sent_at: Uptime,
    answered_at: Uptime,
    /// Commands in a row that are none.
    unknown: u32,
    desk: Desk,
}

impl EscposReader {
    /// At the start of a source.
    pub fn new(settings: Arc<Settings>, terminal: Option<TerminalId>) -> EscposReader {
        EscposReader {
            tokens: Tokens::default(),
            printer: Printer::new(&settings),
            answers: Answers::default(),
            sent_at: Uptime::default(),
            answered_at: Uptime::default(),
            unknown: 0,
            desk: Desk::new(Arc::clone(&settings), terminal),
            settings,
        }
    }

    fn push_sent(&mut self, bytes: &[u8], at: Uptime, sink: &mut Sink<'_>) {
        let EscposReader { settings, tokens, printer, unknown, desk, .. } = self;
        let mut rest = bytes;
        while let Some(token) = tokens.next(&mut rest) {
            printer.take(token, settings, &mut |effect| {
                sink.counts.lines += 1;
                match effect {
                    Effect::Unknown => take_unknown(unknown, at, sink),
                    effect => {
                        *unknown = 0;
                        apply(effect, settings, desk, at, sink);
                    }
                }
            });
        }
    }

    fn push_answered(&mut self, bytes: &[u8], at: Uptime, sink: &mut Sink<'_>) {
        let EscposReader { answers, desk, .. } = self;
        for &byte in bytes {
            let expects_kiosk = desk.expects_kiosk();
            answers.push(byte, expects_kiosk, |answer| {
                sink.counts.lines += 1;
                desk.answered(answer, at, sink);
            });
        }
    }

    /// Since when a command or an answer waits for its rest.
    fn amid_since(&self) -> Option<Uptime> {
        let sent = self.tokens.is_amid().then_some(self.sent_at);
        let answered = self.answers.is_amid().then_some(self.answered_at);
        sent.into_iter().chain(answered).min()
    }

    /// What waits too long for its rest is given up: its length was wrong.
    fn give_up(&mut self, now: Uptime, sink: &mut Sink<'_>) {
        if self.tokens.is_amid() && self.sent_at.plus_ms(STALL_MS) <= now {
            self.tokens.give_up();
            sink.counts.lines += 1;
            sink.fail(now, DecodeFailure::Torn);
        }
        if self.answers.is_amid() && self.answered_at.plus_ms(STALL_MS) <= now {
            self.answers.give_up();
            sink.counts.lines += 1;
            sink.counts.unmatched += 1;
        }
    }
}

impl Reader for EscposReader {
    fn push(&mut self, direction: Direction, bytes: &[u8], at: Uptime, sink: &mut Sink<'_>) {
        self.settle(at, sink);
        match direction {
            Direction::FromDevice => {
                self.push_answered(bytes, at, sink);
                self.answered_at = at;
            }
            Direction::ToDevice | Direction::Either => {
                self.desk.set_may_hear(direction == Direction::ToDevice);
                self.push_sent(bytes, at, sink);
                self.sent_at = at;
                self.desk.heard(at);
            }
        }
    }

    fn settle(&mut self, now: Uptime, sink: &mut Sink<'_>) {
        self.give_up(now, sink);
        self.desk.settle(now, sink);
    }

    /// The end of a recording ends the job of a printer that cannot cut; on one that can, a slip without its cut is torn.
    fn finish(&mut self, at: Uptime, sink: &mut Sink<'_>) {
        let mut is_torn = self.tokens.is_amid();
        self.tokens.give_up();
        self.answers.give_up();
        let EscposReader { settings, printer, desk, .. } = self;
        printer.finish(&mut |effect| {
            sink.counts.lines += 1;
            apply(effect, settings, desk, at, sink);
        });
        if settings.cuts {
            is_torn |= desk.job.is_slip();
            desk.drop_job(at, None, sink);
        } else {
            desk.end_job(at, sink);
        }
        desk.finish(at, sink);
        if is_torn {
            sink.counts.lines += 1;
            sink.fail(at, DecodeFailure::Torn);
        }
        self.printer = Printer::new(&self.settings);
    }

    fn held_since(&self) -> Option<Uptime> {
        self.desk.held_since()
    }

    fn wake_at(&self) -> Option<Uptime> {
        let amid = self.amid_since().map(|since| since.plus_ms(STALL_MS));
        amid.into_iter().chain(self.desk.wake_at()).min()
    }
}

fn take_unknown(run: &mut u32, at: Uptime, sink: &mut Sink<'_>) {
    *run = run.saturating_add(1);
    if *run < UNKNOWN_RUN_MAX {
        sink.counts.unmatched += 1;
    } else {
        sink.fail_again(at, DecodeFailure::Encoding);
    }
}

fn apply(
    effect: Effect<'_>,
    settings: &Settings,
    desk: &mut Desk,
    at: Uptime,
    sink: &mut Sink<'_>,
) {
    match effect {
        Effect::Line(line) => desk.line(line, at, sink),
        Effect::Image { rows, bytes } => desk.image(rows, bytes, at, sink),
        Effect::Ornament => desk.job.ornament(at),
        Effect::Feed(lines) => desk.job.feed(lines),
        Effect::FeedDots(dots) => desk.job.feed_dots(dots),
        Effect::Cut => desk.end_job(at, sink),
        Effect::Reset => reset(settings, desk, at, sink),
        Effect::Clear => desk.clear(SlipLoss::BufferCleared, at, sink),
        Effect::PageBegun => desk.job.begin_page(),
        Effect::PagePrinted => desk.job.end_page(),
        Effect::PageDropped => {
            if desk.job.has_unprinted_page() {
                desk.drop_job(at, Some(SlipLoss::BufferCleared), sink);
            }
            desk.job.end_page();
        }
        Effect::AskRealTime(n) => desk.ask_real_time(n, at, sink),
        Effect::AskBuffered(asked) => desk.ask_buffered(asked, at, sink),
        Effect::AskAutomatic => desk.ask_automatic(),
        Effect::Drawer | Effect::Unknown | Effect::Nothing => {}
    }
}

/// `ESC @`: an unfinished page goes. On a printer that cannot cut it begins the next job; on one that can it does so after
/// a pause, and may stand anywhere else.
fn reset(settings: &Settings, desk: &mut Desk, at: Uptime, sink: &mut Sink<'_>) {
    if desk.job.has_unprinted_page() {
        desk.drop_job(at, Some(SlipLoss::BufferCleared), sink);
    } else if !settings.cuts {
        desk.end_job(at, sink);
    } else if desk.has_paused(at) {
        desk.drop_job(at, None, sink);
    }
    desk.job.reset();
    if settings.esc_at_clears && desk.has_backlog() {
        desk.clear(SlipLoss::BufferCleared, at, sink);
    }
}
