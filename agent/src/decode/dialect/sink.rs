//! Where a reader puts what it heard.

use crate::decode::record::Decoded;
use slipwatch_shared::event::{DecodeFailure, LineCounts};
use slipwatch_shared::times::Uptime;
use std::collections::VecDeque;

/// How long after a failure the next one is only counted: a line at the wrong speed fails a hundred times a second and
/// says the same thing each time.
const FAILURE_AGAIN_MS: u64 = 1_000;

/// Where what was heard goes.
#[derive(Debug)]
pub struct Sink<'a> {
    /// What was said, in order.
    pub decoded: &'a mut VecDeque<Decoded>,
    /// Lines or frames, those of them that mean nothing to the dialect, and those that are damaged. Bytes are counted
    /// by the caller.
    pub counts: &'a mut LineCounts,
    pub(crate) failed_at: &'a mut Option<Uptime>,
}

impl Sink<'_> {
    /// Counts something damaged and says why.
    pub fn fail(&mut self, at: Uptime, reason: DecodeFailure) {
        self.counts.rejected += 1;
        self.decoded.push_back(Decoded::Failed { at, reason });
    }

    /// Counts something damaged, and says why unless that was done just before.
    pub fn fail_again(&mut self, at: Uptime, reason: DecodeFailure) {
        if self.failed_at.is_some_and(|last| at.ms_since(last) < FAILURE_AGAIN_MS) {
            self.counts.rejected += 1;
            return;
        }
        *self.failed_at = Some(at);
        self.fail(at, reason);
    }
}
