//! Series of the complaint desk. Labels come from enums; what a shopper says never is one.

use super::Registrar;
use crate::complaint::answer::Outcome;
use crate::complaint::said::Refusal;
use prometheus::{IntCounter, IntCounterVec, IntGauge};

/// Series of the complaint desk.
#[derive(Clone, Debug)]
pub struct ComplaintMetrics {
    open: IntGauge,
    overdue: IntGauge,
    opened: IntCounter,
    answered: IntCounterVec,
    promises: IntCounterVec,
    closed: IntCounter,
    refused: IntCounterVec,
}

const REFUSALS: [&str; 4] = ["card_number", "too_long", "malformed", "too_little"];

impl ComplaintMetrics {
    pub(super) fn register(add: &Registrar<'_>) -> ComplaintMetrics {
        let metrics = ComplaintMetrics {
            open: add.gauge("slipwatch_complaints_open", "Shoppers' complaints that are open."),
            overdue: add.gauge(
                "slipwatch_complaints_overdue",
                "Open complaints of which a promised date passed.",
            ),
            opened: add
                .counter("slipwatch_complaints_opened_total", "Complaints that were written down."),
            answered: add.counters(
                "slipwatch_complaints_answered_total",
                "Answers that were given, by outcome.",
                &["outcome"],
            ),
            promises: add.counters(
                "slipwatch_complaint_promises_total",
                "Promises to shoppers that came to an end, by whether they were kept.",
                &["result"],
            ),
            closed: add
                .counter("slipwatch_complaints_closed_total", "Complaints that were closed."),
            refused: add.counters(
                "slipwatch_complaint_forms_refused_total",
                "Forms on the pages that were not taken, by reason.",
                &["reason"],
            ),
        };
        for outcome in Outcome::ALL {
            metrics.answered.with_label_values(&[outcome.label()]);
        }
        for result in ["kept", "broken"] {
            metrics.promises.with_label_values(&[result]);
        }
        for reason in REFUSALS {
            metrics.refused.with_label_values(&[reason]);
        }
        metrics
    }

    /// How many are open, and of how many a date passed.
    pub fn stand(&self, open: u64, overdue: u64) {
        self.open.set(open as i64);
        self.overdue.set(overdue as i64);
    }

    /// One was written down.
    pub fn opened(&self) {
        self.opened.inc();
    }

    /// A shopper was answered.
    pub fn answered(&self, outcome: Outcome) {
        self.answered.with_label_values(&[outcome.label()]).inc();
    }

    /// A promise came to its end.
    pub fn promise(&self, kept: bool) {
        self.promises.with_label_values(&[if kept { "kept" } else { "broken" }]).inc();
    }

    /// One was closed.
    pub fn closed(&self) {
        self.closed.inc();
    }

    /// A form was not taken.
    pub fn refused(&self, refusal: &Refusal) {
        let reason = match refusal {
            Refusal::CardNumber(_) => REFUSALS[0],
            Refusal::TooLong(..) => REFUSALS[1],
            Refusal::Malformed(..) => REFUSALS[2],
            Refusal::TooLittle => REFUSALS[3],
        };
        self.refused.with_label_values(&[reason]).inc();
    }
}
