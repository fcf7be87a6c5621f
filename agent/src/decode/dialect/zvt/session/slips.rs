//! The slips of a transaction, joined with its result.

use super::Session;
use crate::decode::dialect::Sink;
use crate::decode::dialect::slip_text::{self, Document, ReadSlip};
use crate::decode::dialect::zvt::deal::{Deal, Task, Told, fill};
use crate::decode::dialect::zvt::printing::{Done, Fate};
use crate::decode::record::evidence;
use slipwatch_shared::event::{Body, Keys, SlipFailure, SlipGrade};

impl Session {
    /// Says the slips that wait for nothing any more.
    pub(super) fn print(&mut self, sink: &mut Sink<'_>) {
        let Some(deal) = &self.deal else { return };
        let waits = deal.is_money() && deal.told == Told::Nothing;
        if !waits && deal.approval.is_none() {
            self.print_all(sink);
        }
    }

    /// Says all slips of which nothing more will be heard.
    pub(super) fn print_all(&mut self, sink: &mut Sink<'_>) {
        while let Some(done) = self.deal.as_mut().and_then(|deal| deal.slips.next_done()) {
            let deal = self.deal.take().expect("it has slips");
            self.say_slip(&deal, done, sink);
            self.deal = Some(deal);
        }
    }

    fn say_slip(&mut self, deal: &Deal, done: Done, sink: &mut Sink<'_>) {
        let concerns_payment = deal.is_money() || deal.task == Task::Reprint;
        // The slip of a payment that failed is no receipt of one.
        if !concerns_payment || deal.told == Told::Failed || done.lines.is_no_slip() {
            return;
        }
        let text = done.lines.text(self.zvt.charset);
        let lines = text.iter().map(String::as_str);
        let mut read = whole(slip_text::read(lines.clone(), Some(self.currency)))
            .unwrap_or_else(|| nameless(lines));
        let is_named = match deal.task {
            Task::Money(_) => true,
            Task::Unheard => deal.told == Told::Approved,
            _ => false,
        };
        if is_named && !contradicts(&deal.keys, &read.slip.keys) {
            let mut keys = deal.keys.clone();
            fill(&mut keys, &read.slip.keys);
            read.slip.keys = keys;
        } else if deal.task == Task::Reprint {
            read.slip.reprint = true;
            if !read.shows_keys() {
                let shown = Some(&deal.keys).filter(|keys| keys.stan.is_some());
                read.slip.keys = shown.or(self.last.as_ref()).cloned().unwrap_or_default();
            }
        } else if !read.shows_keys() {
            return;
        }
        read.slip.copy = read.slip.copy.or(done.lines.copy());
        let at = done.lines.at;
        // Its own words do not undo what the terminal says of the payment.
        let is_slip = read.document.is_slip() || is_named && read.document == Document::Declined;
        let (device_time, text) = (read.device_time, std::mem::take(&mut read.text));
        let body = match done.fate {
            _ if !is_slip => read.printed(SlipGrade::Claimed),
            Fate::Whole => Some(Body::SlipPrinted { slip: read.slip, grade: SlipGrade::Claimed }),
            Fate::Begun => Some(Body::SlipStarted(read.slip)),
            Fate::Refused => {
                Some(Body::SlipFailed { slip: read.slip, reason: SlipFailure::Refused })
            }
        };
        if let Some(body) = body {
            self.say(at, device_time, body, evidence(&text), sink);
        }
    }
}

/// A slip that shows nothing by which a payment is known: its transaction names it.
fn nameless<'t>(lines: impl Iterator<Item = &'t str>) -> ReadSlip {
    ReadSlip::unread(slip_text::scrub(lines).join("\n"))
}

/// A slip's end is known from its lines: what its text was cut into is one again.
fn whole(sections: Vec<ReadSlip>) -> Option<ReadSlip> {
    let mut sections = sections.into_iter();
    let mut whole = sections.next()?;
    for section in sections {
        fill(&mut whole.slip.keys, &section.slip.keys);
        whole.slip.copy = whole.slip.copy.or(section.slip.copy);
        whole.slip.reprint |= section.slip.reprint;
        if whole.document == Document::Other || !section.document.is_slip() {
            whole.document = section.document;
        }
        whole.device_time = whole.device_time.or(section.device_time);
        whole.text.push('\n');
        whole.text.push_str(&section.text);
    }
    Some(whole)
}

/// Whether a slip's text shows another payment than the one that it was printed in.
fn contradicts(known: &Keys, shown: &Keys) -> bool {
    let differs = |known: Option<i64>, shown: Option<i64>| {
        known.is_some() && shown.is_some() && known != shown
    };
    let minor = |keys: &Keys| keys.amount.map(|amount| amount.minor.abs());
    let stan = |keys: &Keys| keys.stan.map(|stan| i64::from(stan.number()));
    differs(minor(known), minor(shown)) && differs(stan(known), stan(shown))
}
