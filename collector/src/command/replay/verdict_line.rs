//! One line of JSON a payment: what is said of it and why. The shape is documented in `replay --help`.

use crate::correlate::case::Case;
use crate::correlate::finding::{Finding, Subject, Told};
use crate::correlate::money;
use crate::correlate::recall::TransactionRow;
use crate::correlate::rules::severity;
use crate::correlate::timeline::StreamTime;
use crate::correlate::verdict::Verdict;
use serde_json::{Map, Value, json};
use slipwatch_shared::event::Kind;
use slipwatch_shared::times::EventTime;

fn time(at: EventTime) -> Value {
    match jiff::Timestamp::from_millisecond(at.0) {
        Ok(time) => Value::String(time.to_string()),
        Err(_) => Value::Null,
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Sale => "sale",
        Kind::Void => "void",
        Kind::Refund => "refund",
        Kind::Preauthorization => "preauthorization",
        Kind::Completion => "completion",
        Kind::BalanceInquiry => "balance_inquiry",
    }
}

fn put(line: &mut Map<String, Value>, name: &str, value: Option<impl ToString>) {
    if let Some(value) = value {
        line.insert(name.to_owned(), Value::String(value.to_string()));
    }
}

/// The line of a payment.
pub fn of_case(row: &TransactionRow) -> Value {
    let (case, keys) = (&row.case, &row.case.keys);
    let mut line = Map::new();
    put(&mut line, "case", Some(&row.id));
    put(&mut line, "store", Some(&row.id.agent.store));
    put(&mut line, "agent", Some(&row.id.agent.agent));
    put(&mut line, "terminal", row.terminal);
    put(&mut line, "kind", Some(kind(case.kind)));
    if let Some(amount) = keys.amount {
        line.insert("amount_minor".to_owned(), amount.minor.into());
        put(&mut line, "currency", Some(amount.currency));
    }
    put(&mut line, "stan", keys.stan);
    put(&mut line, "batch_number", keys.batch_number);
    put(&mut line, "rrn", keys.rrn);
    put(&mut line, "authorization_code", keys.authorization_code);
    put(&mut line, "order_number", keys.order_number.as_deref());
    put(&mut line, "channel_transaction_id", keys.channel_transaction_id.as_deref());
    let pan = keys.card.and_then(|card| card.pan);
    put(&mut line, "last_four", pan.map(|pan| format!("{:04}", pan.last_four())));
    line.insert("opened".to_owned(), time(case.wall(case.opened)));
    if let Some(debited) = money::trace(case).0.debited() {
        line.insert("debited".to_owned(), time(case.wall(debited)));
    }
    put(&mut line, "verdict", Some(case.verdict.label()));
    put(&mut line, "reason", case.verdict.reason());
    match case.verdict {
        Verdict::Printed { grade } | Verdict::PrintedLate { grade } => {
            line.insert("grade".to_owned(), grade.number().into());
        }
        Verdict::NoSlip { confidence, .. } => {
            line.insert("confidence".to_owned(), confidence.into());
        }
        Verdict::Pending { due } => {
            line.insert("due".to_owned(), time(case.wall(due)));
        }
        _ => {}
    }
    let findings: Vec<Value> = case.told.iter().map(|told| of_told(case, told)).collect();
    line.insert("findings".to_owned(), findings.into());
    let facts: Vec<Value> = case
        .facts
        .iter()
        .map(|fact| {
            let what = fact.what.label();
            json!({ "seq": fact.event.seq.0, "at": time(case.wall(fact.at)), "what": what })
        })
        .collect();
    line.insert("facts".to_owned(), facts.into());
    Value::Object(line)
}

fn of_told(case: &Case, told: &Told) -> Value {
    let wall = |at: StreamTime| time(case.wall(at));
    let cited: Vec<u64> = told.cause.cited.iter().map(|event| event.seq.0).collect();
    let mut finding = json!({
        "code": told.kind.code(),
        "label": told.kind.label(),
        "stage": told.stage.label(),
        "severity": severity(told.kind, told.stage).label(),
        "open": told.resolved.is_none(),
        "since": wall(told.since),
        "cause": told.cause.class.label(),
        "detail": told.cause.detail.label(),
        "confidence": told.cause.confidence,
        "cited": cited,
    });
    if let Some(resolved) = told.resolved {
        finding["resolution"] = resolved.label().into();
    }
    if let Some(partner) = &told.partner {
        finding["partner"] = partner.to_string().into();
    }
    if let Some(parent) = &told.parent {
        finding["parent"] = parent.to_string().into();
    }
    finding
}

/// The line of a finding about a terminal, an agent or an acquirer.
pub fn of_finding(finding: &Finding) -> Value {
    let mut line = json!({
        "code": finding.id.kind.code(),
        "label": finding.id.kind.label(),
        "severity": finding.severity.label(),
        "open": finding.is_open(),
        "since": time(finding.since),
        "detail": finding.cause.detail.label(),
    });
    if let Some(store) = finding.id.subject.store() {
        line["store"] = store.as_str().into();
    }
    match &finding.id.subject {
        Subject::Terminal(name) => line["terminal"] = name.terminal.to_string().into(),
        Subject::Agent(name) => line["agent"] = name.agent.to_string().into(),
        Subject::Route(acquirer) => line["acquirer"] = acquirer.as_str().into(),
        Subject::Case(_) => {}
    }
    line
}
