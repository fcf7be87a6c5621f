//! The words that are told of slips and of their printer.

use super::Desk;
use crate::decode::dialect::Sink;
use crate::decode::dialect::slip_text::ReadSlip;
use crate::decode::record::{Decoded, evidence};
use slipwatch_shared::event::{Body, Evidence, Slip, SlipFailure, SlipGrade, SlipLoss};
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::{DeviceTime, Uptime};

/// What of a slip stands beside its body.
struct Beside {
    terminal: Option<TerminalId>,
    device_time: Option<DeviceTime>,
    evidence: Evidence,
}

impl Beside {
    fn of(slip: &ReadSlip) -> Beside {
        let ReadSlip { terminal, device_time, .. } = *slip;
        Beside { terminal, device_time, evidence: evidence(&slip.text) }
    }
}

impl Desk {
    /// A slip began to go out; whose it is, its text will tell.
    pub(super) fn say_started(&self, at: Uptime, sink: &mut Sink<'_>) {
        self.say(Body::SlipStarted(Slip::default()), Evidence::None, at, sink);
    }

    /// What a paper that is no slip says: that a reversal failed, or nothing. It is true, whether it is printed or not.
    pub(super) fn say_words(&self, paper: ReadSlip, at: Uptime, sink: &mut Sink<'_>) {
        self.say_printed(paper, SlipGrade::Sent, at, sink);
    }

    /// It is on paper, as surely as the grade says.
    pub(super) fn say_printed(
        &self,
        slip: ReadSlip,
        grade: SlipGrade,
        at: Uptime,
        sink: &mut Sink<'_>,
    ) {
        let beside = Beside::of(&slip);
        if let Some(body) = slip.printed(grade) {
            self.say_of(beside, body, at, sink);
        }
    }

    /// It could not be printed; it may still come.
    pub(super) fn say_failed(
        &self,
        slip: &ReadSlip,
        reason: SlipFailure,
        at: Uptime,
        sink: &mut Sink<'_>,
    ) {
        let body = Body::SlipFailed { slip: slip.slip.clone(), reason };
        self.say_of(Beside::of(slip), body, at, sink);
    }

    /// It will not come any more.
    pub(super) fn say_lost(
        &self,
        slip: ReadSlip,
        reason: SlipLoss,
        at: Uptime,
        sink: &mut Sink<'_>,
    ) {
        let beside = Beside::of(&slip);
        self.say_of(beside, Body::SlipLost { slip: slip.slip, reason }, at, sink);
    }

    /// A word that is of no one slip.
    pub(super) fn say(&self, body: Body, evidence: Evidence, at: Uptime, sink: &mut Sink<'_>) {
        let beside = Beside { terminal: None, device_time: None, evidence };
        self.say_of(beside, body, at, sink);
    }

    fn say_of(&self, beside: Beside, body: Body, at: Uptime, sink: &mut Sink<'_>) {
        sink.decoded.push_back(Decoded::Said {
            at,
            terminal: beside.terminal.or(self.terminal),
            device_time: beside.device_time,
            body,
            evidence: beside.evidence,
        });
    }
}
