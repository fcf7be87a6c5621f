//! The search for a line's speed, check bit and dialect: which setting to listen with next, and when enough was heard.
//! Given what came in and when; reads no port and no clock.

use crate::config::Parity;
use crate::decode::dialect::{Dialect, Direction};
use crate::decode::guess::{Opinion, Trial, is_sure, seven_bits};
use crate::edge::source::ear::Heard;
use slipwatch_shared::times::Uptime;
use std::fmt;
use std::sync::Arc;

/// Speeds of payment terminals and printers, the usual ones first.
pub const SPEEDS: [u32; 8] = [9_600, 115_200, 19_200, 38_400, 57_600, 4_800, 2_400, 1_200];

/// What comes in this soon after a change of the setting began under the old one.
const STALE_MS: u64 = 20;
/// So many bytes show whether the setting is wrong: then many of them are bad.
const BYTES_TO_JUDGE: u64 = 16;
/// A setting with this share of bad bytes is wrong.
const BAD_MAX: f64 = 0.1;
/// A setting under which nobody understands anything in so many bytes is wrong, even where no byte is bad.
const BYTES_NOT_UNDERSTOOD: u64 = 3_000;
/// A score below this is nothing understood.
const NOTHING: f64 = 0.05;
/// A score from this on makes a setting worth coming back to.
const LIKELY: f64 = 0.15;
/// How long traffic may go on under one setting without certainty, in the first round; it doubles with each round.
const UNSURE_MS: u64 = 2_500;
/// So many times as long where what is understood makes it worth coming back, and where only more traffic is wanted.
const LIKELY_TIMES: u64 = 2;
const PROMISING: f64 = 0.5;
const PROMISING_TIMES: u64 = 6;
/// What is kept of a setting's bytes, to be read once more with seven bits.
const KEPT_BYTES_MAX: usize = 16 * 1024;

/// How a line is listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Bits a second.
    pub baud: u32,
    /// The check bit behind eight bits, or in place of the eighth.
    pub parity: Parity,
    /// Eight, or seven.
    pub data_bits: u8,
}

impl fmt::Display for Setting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parity = match self.parity {
            Parity::None => 'N',
            Parity::Even => 'E',
            Parity::Odd => 'O',
        };
        write!(out, "{} {}{parity}1", self.baud, self.data_bits)
    }
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Go on listening.
    Stay,
    /// Listen with another speed or check bit.
    Tune {
        /// Bits a second.
        baud: u32,
        /// The check bit.
        parity: Parity,
    },
    /// Enough was heard.
    Done,
}

/// What was found so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// How the line is to be listened to.
    pub setting: Setting,
    /// Bytes that were heard so, and how many of them were bad.
    pub bytes: u64,
    /// See `bytes`.
    pub bad: u64,
    /// What each dialect made of it, the strongest first.
    pub opinions: Vec<Opinion>,
    /// Whether the first of them is strong enough, and alone.
    pub sure: bool,
}

/// The search.
pub struct Search {
    dialects: Vec<Arc<dyn Dialect>>,
    tries: Vec<Try>,
    at: usize,
    /// Which of them was tried last for its turn alone.
    turn: usize,
    round: u32,
    tuned_at: Uptime,
    /// Of the bytes since the last change of the setting: the first, how many, how many bad.
    since: Option<Uptime>,
    bytes: u64,
    bad: u64,
}

/// All that was heard with one setting.
struct Try {
    setting: Setting,
    trial: Trial,
    bytes: u64,
    bad: u64,
    kept: Vec<(Uptime, Vec<u8>)>,
    kept_bytes: usize,
}

impl Search {
    /// A search over all usual settings, or those of one speed.
    pub fn new(dialects: Vec<Arc<dyn Dialect>>, baud: Option<u32>, now: Uptime) -> Search {
        let speeds: Vec<u32> = baud.map_or(SPEEDS.to_vec(), |baud| vec![baud]);
        let parities = [Parity::None, Parity::Even, Parity::Odd];
        let settings = parities.into_iter().flat_map(|parity| {
            speeds.iter().map(move |&baud| Setting { baud, parity, data_bits: 8 })
        });
        let tries = settings.map(|setting| Try {
            setting,
            trial: Trial::new(dialects.clone()),
            bytes: 0,
            bad: 0,
            kept: Vec::new(),
            kept_bytes: 0,
        });
        Search {
            tries: tries.collect(),
            dialects,
            at: 0,
            turn: 0,
            round: 0,
            tuned_at: now,
            since: None,
            bytes: 0,
            bad: 0,
        }
    }

    /// How the line is listened to now.
    pub fn setting(&self) -> Setting {
        self.tries[self.at].setting
    }

    /// How many bytes came in, with whatever setting.
    pub fn bytes(&self) -> u64 {
        self.tries.iter().map(|each| each.bytes).sum()
    }

    /// Takes what came in; call it also when nothing did, so that time passes.
    pub fn heard(&mut self, heard: &Heard, now: Uptime) -> Step {
        let current = &mut self.tries[self.at];
        if heard.bytes.is_empty() {
            current.trial.settle(now);
        } else if now.ms_since(self.tuned_at) >= STALE_MS {
            self.since.get_or_insert(now);
            self.bytes += heard.bytes.len() as u64;
            self.bad += heard.bad as u64;
            current.take(heard, now, &self.dialects);
        }
        if self.bytes == 0 {
            return Step::Stay;
        }
        let share = self.bad as f64 / self.bytes as f64;
        if self.bytes >= BYTES_TO_JUDGE && share > BAD_MAX {
            return self.next(now);
        }
        let opinions = current.trial.opinions();
        if is_sure(&opinions) {
            return Step::Done;
        }
        let best = opinions.first().map_or(0.0, |opinion| opinion.score);
        let patience = 1 << self.round.min(6);
        let is_foreign = best < NOTHING && self.bytes >= BYTES_NOT_UNDERSTOOD * patience;
        let since = self.since.unwrap_or(now);
        let times = match best {
            PROMISING.. => PROMISING_TIMES,
            LIKELY.. => LIKELY_TIMES,
            _ => 1,
        };
        let limit_ms = UNSURE_MS * patience * times;
        let elapsed_ms = now.ms_since(since);
        // Amid a burst it stays for its end: a long frame is understood at its last byte.
        let is_pause = heard.bytes.is_empty();
        let is_over = elapsed_ms >= limit_ms && (is_pause || elapsed_ms >= 2 * limit_ms);
        if is_foreign || is_over { self.next(now) } else { Step::Stay }
    }

    /// Between two settings whose turn it is, the one that promises most so far is listened to again.
    fn next(&mut self, now: Uptime) -> Step {
        match self.likely().filter(|_| self.at == self.turn) {
            Some(likely) if likely != self.at => self.at = likely,
            _ => {
                self.turn += 1;
                if self.turn == self.tries.len() {
                    self.turn = 0;
                    self.round += 1;
                }
                self.at = self.turn;
            }
        }
        self.tuned_at = now;
        (self.since, self.bytes, self.bad) = (None, 0, 0);
        let Setting { baud, parity, .. } = self.tries[self.at].setting;
        Step::Tune { baud, parity }
    }

    /// The setting under which most was understood, if that was anything and the bytes came in well.
    fn likely(&self) -> Option<usize> {
        let score = |each: &Try| {
            let is_clean = (each.bad as f64) <= BAD_MAX * each.bytes as f64;
            let best = each.trial.opinions().first().map_or(0.0, |best| best.score);
            if is_clean { best } else { 0.0 }
        };
        let scores = self.tries.iter().map(score).enumerate();
        let best = scores.max_by(|one, other| one.1.total_cmp(&other.1))?;
        (best.1 >= LIKELY).then_some(best.0)
    }

    /// The best of what was heard; nothing while nothing was.
    pub fn found(&self) -> Option<Found> {
        let founds = self.tries.iter().filter(|each| each.bytes > 0).map(Try::found);
        founds.max_by(|one, other| one.weight().total_cmp(&other.weight()))
    }
}

impl Try {
    fn take(&mut self, heard: &Heard, now: Uptime, dialects: &[Arc<dyn Dialect>]) {
        self.bytes += heard.bytes.len() as u64;
        self.bad += heard.bad as u64;
        if self.setting.data_bits == 7 {
            self.trial.push(Direction::Either, &seven(&heard.bytes), now);
            return;
        }
        self.trial.push(Direction::Either, &heard.bytes, now);
        if self.kept_bytes + heard.bytes.len() > KEPT_BYTES_MAX {
            return;
        }
        self.kept_bytes += heard.bytes.len();
        self.kept.push((now, heard.bytes.clone()));
        if self.setting.parity != Parity::None {
            return;
        }
        let kept: Vec<u8> = self.kept.iter().flat_map(|(_, bytes)| bytes).copied().collect();
        if let Some(is_even) = seven_bits(&kept) {
            self.setting.data_bits = 7;
            self.setting.parity = if is_even { Parity::Even } else { Parity::Odd };
            self.trial = Trial::new(dialects.iter().cloned());
            for (at, bytes) in std::mem::take(&mut self.kept) {
                self.trial.push(Direction::Either, &seven(&bytes), at);
            }
        }
    }

    fn found(&self) -> Found {
        let Try { setting, bytes, bad, .. } = *self;
        let opinions = self.trial.opinions();
        let sure = is_sure(&opinions);
        Found { setting, bytes, bad, opinions, sure }
    }
}

impl Found {
    /// The share of bytes that came in badly.
    pub fn bad_share(&self) -> f64 {
        self.bad as f64 / self.bytes.max(1) as f64
    }

    /// What is understood comes first, as far as the bytes it rests on came in well; then a clean line of some length.
    fn weight(&self) -> f64 {
        let best = self.opinions.first().map_or(0.0, |opinion| opinion.score);
        let volume = self.bytes as f64 / (self.bytes as f64 + BYTES_TO_JUDGE as f64);
        let clean = 1.0 - self.bad_share();
        best * 10.0 * clean.powi(8) + clean * volume
    }
}

fn seven(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte & 0x7f).collect()
}

#[cfg(test)]
mod tests;
