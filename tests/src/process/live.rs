//! A shop's day played in real time down a device's line: many terminals, one line, each word at its moment. What was
//! played, and when, is kept for the ledger. Judges nothing.

// Words are said at their moments of real time: that is what playing means.
#![allow(clippy::disallowed_methods)]

use super::port::Device;
use crate::dice::Dice;
use crate::terminal::{Pace, Payment, Story, Terminal};
use crate::voice::Voice;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The pace of a shop in a hurry; its deadlines are those of [`super::shop::DEADLINES`].
pub const PACE: Pace = Pace { step_ms: 12, alert_ms: 1_500, reversal_pending_ms: 2_000 };

/// Milliseconds since 1970, by the machine's clock.
///
/// # Panics
/// When the clock stands before 1970.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock of this age");
    i64::try_from(since.as_millis()).expect("a clock of this age")
}

/// What will be played: every payment with its words, in milliseconds from the start.
pub struct Play {
    payments: Vec<Payment>,
    /// When, which payment, which of its words.
    words: Vec<(i64, usize, usize)>,
}

impl Play {
    /// `each` payments at each terminal, one behind the other, of stories drawn from `stories`.
    pub fn new(terminals: &[String], each: usize, stories: &[Story], seed: u64) -> Play {
        let mut dice = Dice::new(seed);
        let mut payments = Vec::new();
        for (place, number) in terminals.iter().enumerate() {
            let stan = u32::try_from(place * 1_000).expect("few terminals");
            let mut terminal = Terminal::new(number, stan, PACE, dice.fork());
            let mut at = dice.between(0, 300);
            for _ in 0..each {
                for payment in terminal.play(*dice.pick(stories), at) {
                    at = at.max(payment.ended());
                    payments.push(payment);
                }
                at += dice.between(20, 200);
            }
        }
        let mut words = Vec::new();
        for (place, payment) in payments.iter().enumerate() {
            words.extend(
                payment.spoken.iter().enumerate().map(|(word, spoken)| (spoken.at, place, word)),
            );
        }
        words.sort_unstable();
        Play { payments, words }
    }

    /// How many words it has.
    pub fn words(&self) -> usize {
        self.words.len()
    }

    /// Begins to play; the device comes back with [`Playing::end`].
    pub fn begin(mut self, mut device: Device) -> Playing {
        let said = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&said);
        let player = std::thread::spawn(move || {
            let began = (Instant::now(), now_ms());
            for (at, place, word) in std::mem::take(&mut self.words) {
                let due = Duration::from_millis(
                    u64::try_from(at).expect("words are said after the start"),
                );
                std::thread::sleep(due.saturating_sub(began.0.elapsed()));
                let payment = &self.payments[place];
                device.write(&Voice::KeyValue.bytes(payment, payment.spoken[word], now_ms()));
                self.payments[place].spoken[word].at = now_ms();
                counter.fetch_add(1, Ordering::Relaxed);
            }
            (device, self.payments)
        });
        Playing { said, player }
    }
}

/// A day that is being played.
pub struct Playing {
    said: Arc<AtomicUsize>,
    player: JoinHandle<(Device, Vec<Payment>)>,
}

impl Playing {
    /// How many words were said so far.
    pub fn said(&self) -> usize {
        self.said.load(Ordering::Relaxed)
    }

    /// Whether all was said.
    pub fn is_over(&self) -> bool {
        self.player.is_finished()
    }

    /// Waits for the end; gives the device back, and the payments with each word at the moment it was really said.
    ///
    /// # Panics
    /// When the line broke while it played.
    pub fn end(self) -> (Device, Vec<Payment>) {
        self.player.join().expect("the line held")
    }
}
