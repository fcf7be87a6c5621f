//! Reversals under way: how often each was tried, and when a terminal has given it up.

use super::grammar::Grammar;
use super::teller::Moment;
use slipwatch_shared::event::Keys;
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::Uptime;
use slipwatch_shared::trace::Stan;
use std::collections::VecDeque;

/// Reversals that are remembered; the oldest is forgotten beyond that and stays told as sent.
const UNDOINGS_MAX: usize = 64;

/// The same reversal again within this is no attempt of its own: the same bytes heard at two places.
const ATTEMPT_MS_MIN: u64 = 2_000;

/// One attempt to undo.
#[derive(Debug)]
pub(super) struct Attempt {
    pub terminal: Option<TerminalId>,
    /// Its own field 11, by which its answer is known.
    pub own_stan: Option<Stan>,
    /// Of the payment that it undoes.
    pub keys: Box<Keys>,
    pub moment: Moment,
}

#[derive(Debug)]
struct Undoing {
    last: Attempt,
    attempts: u32,
}

/// All that are under way.
#[derive(Debug, Default)]
pub(super) struct Undoings {
    list: VecDeque<Undoing>,
}

impl Undoings {
    /// One was sent: its keys when that is news.
    pub fn sent(&mut self, attempt: Attempt) -> Option<Keys> {
        let same = |undoing: &Undoing| {
            let Attempt { terminal, own_stan, keys, .. } = &undoing.last;
            *terminal == attempt.terminal
                && (*own_stan == attempt.own_stan && keys.amount == attempt.keys.amount
                    || keys.stan.is_some() && keys.stan == attempt.keys.stan)
        };
        if let Some(known) = self.list.iter_mut().find(|undoing| same(undoing)) {
            if attempt.moment.ms_since(&known.last.moment) >= ATTEMPT_MS_MIN {
                known.attempts += 1;
                known.last.moment = attempt.moment;
                known.last.own_stan = attempt.own_stan;
            }
            return None;
        }
        if self.list.len() >= UNDOINGS_MAX {
            self.list.pop_front();
        }
        let keys = (*attempt.keys).clone();
        self.list.push_back(Undoing { last: attempt, attempts: 1 });
        Some(keys)
    }

    /// The host undid one: the keys of its payment, where its attempt was heard.
    pub fn acknowledged(
        &mut self,
        terminal: Option<TerminalId>,
        own_stan: Option<Stan>,
    ) -> Option<Box<Keys>> {
        let fits = |undoing: &Undoing| {
            let last = &undoing.last;
            last.own_stan == own_stan
                && (last.terminal == terminal || terminal.is_none() || last.terminal.is_none())
        };
        let at = self.list.iter().position(fits)?;
        self.list.remove(at).map(|undoing| undoing.last.keys)
    }

    /// One that is given up, seen by what its terminal says now: its attempts are used up, and the last one was not
    /// answered in time or the terminal goes on with another request.
    pub fn take_given_up(
        &mut self,
        grammar: &Grammar,
        terminal: Option<TerminalId>,
        own_stan: Option<Stan>,
        is_request: bool,
        moment: &Moment,
    ) -> Option<Attempt> {
        let is_over = |undoing: &Undoing| {
            let Undoing { last, attempts } = undoing;
            let goes_on = is_request && last.terminal == terminal && last.own_stan != own_stan;
            // A clock of a log without a date comes round: only what is newer than half a day is late.
            let waited = moment.ms_since(&last.moment);
            let is_late = waited > grammar.reversal_answer_ms && waited < 43_200_000;
            *attempts >= grammar.reversal_attempts && (goes_on || is_late)
        };
        let at = self.list.iter().position(is_over)?;
        self.list.remove(at).map(|undoing| undoing.last)
    }

    /// One whose last attempt has waited for its answer for too long, by the agent's own clock.
    pub fn take_due(&mut self, grammar: &Grammar, now: Uptime) -> Option<Attempt> {
        let at = self
            .list
            .iter()
            .position(|undoing| due(undoing, grammar).is_some_and(|due| due <= now))?;
        self.list.remove(at).map(|undoing| undoing.last)
    }

    /// When the first of them has.
    pub fn due(&self, grammar: &Grammar) -> Option<Uptime> {
        self.list.iter().filter_map(|undoing| due(undoing, grammar)).min()
    }
}

fn due(undoing: &Undoing, grammar: &Grammar) -> Option<Uptime> {
    let is_last = undoing.attempts >= grammar.reversal_attempts;
    is_last.then(|| undoing.last.moment.at.plus_ms(grammar.reversal_answer_ms))
}
