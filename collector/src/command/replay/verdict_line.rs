//! One line of JSON a payment: what is said of it and why. The shape is documented in `replay --help`.

use crate::correlate::case::Case;
use crate::correlate::finding::{Finding, Subject, Told};
use crate::correlate::money;
use crate::correlate::recall::TransactionRow;
use crate::correlate::rules::severity;
use crate::correlate::verdict::Verdict;
use serde_json::{Value, json};
use slipwatch_shared::event::Kind;
use slipwatch_shared::times::EventTime;
use std::fmt::Display;
use std::io::{self, Write};

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

/// An object in the making: written field by field, since there may be millions.
struct Fields<'a, W: Write> {
    out: &'a mut W,
    begun: bool,
}

impl<W: Write> Fields<'_, W> {
    fn name(&mut self, name: &str) -> io::Result<()> {
        let before = if std::mem::replace(&mut self.begun, true) { ',' } else { '{' };
        write!(self.out, "{before}\"{name}\":")
    }

    /// A text that holds nothing to be escaped: words of ours, numbers, names of shops.
    fn plain(&mut self, name: &str, value: impl Display) -> io::Result<()> {
        self.name(name)?;
        write!(self.out, "\"{value}\"")
    }

    fn plain_if(&mut self, name: &str, value: Option<impl Display>) -> io::Result<()> {
        value.map_or(Ok(()), |value| self.plain(name, value))
    }

    /// A text that a device or a shop chose.
    fn text_if(&mut self, name: &str, value: Option<&str>) -> io::Result<()> {
        let Some(value) = value else { return Ok(()) };
        self.name(name)?;
        serde_json::to_writer(&mut *self.out, value).map_err(io::Error::from)
    }

    fn number(&mut self, name: &str, value: impl Display) -> io::Result<()> {
        self.name(name)?;
        write!(self.out, "{value}")
    }

    fn time(&mut self, name: &str, at: EventTime) -> io::Result<()> {
        match jiff::Timestamp::from_millisecond(at.0) {
            Ok(time) => self.plain(name, time),
            Err(_) => self.number(name, "null"),
        }
    }

    fn end(self) -> io::Result<()> {
        self.out.write_all(if self.begun { b"}" } else { b"{}" })
    }
}

fn begin<W: Write>(out: &mut W) -> Fields<'_, W> {
    Fields { out, begun: false }
}

/// Writes the line of a payment, with its end.
pub fn write_case(row: &TransactionRow, out: &mut impl Write) -> io::Result<()> {
    let (case, keys) = (&row.case, &row.case.keys);
    let mut line = begin(out);
    line.plain("case", &row.id)?;
    line.plain("store", &row.id.agent.store)?;
    line.plain("agent", &row.id.agent.agent)?;
    line.text_if("terminal", row.terminal.as_ref().map(|terminal| terminal.as_str()))?;
    line.plain("kind", kind(case.kind))?;
    if let Some(amount) = keys.amount {
        line.number("amount_minor", amount.minor)?;
        line.plain("currency", amount.currency)?;
    }
    line.plain_if("stan", keys.stan)?;
    line.plain_if("batch_number", keys.batch_number)?;
    line.text_if("rrn", keys.rrn.as_ref().map(|rrn| rrn.as_str()))?;
    let code = keys.authorization_code.as_ref();
    line.text_if("authorization_code", code.map(|code| code.as_str()))?;
    line.text_if("order_number", keys.order_number.as_deref().map(|number| number.as_str()))?;
    let id = keys.channel_transaction_id.as_deref();
    line.text_if("channel_transaction_id", id.map(|id| id.as_str()))?;
    if let Some(pan) = keys.card.and_then(|card| card.pan) {
        line.plain("last_four", format_args!("{:04}", pan.last_four()))?;
    }
    line.time("opened", case.wall(case.opened))?;
    if let Some(debited) = money::trace(case).0.debited() {
        line.time("debited", case.wall(debited))?;
    }
    line.plain("verdict", case.verdict.label())?;
    line.plain_if("reason", case.verdict.reason())?;
    match case.verdict {
        Verdict::Printed { grade } | Verdict::PrintedLate { grade } => {
            line.number("grade", grade.number())?;
        }
        Verdict::NoSlip { confidence, .. } => line.number("confidence", confidence)?,
        Verdict::Pending { due } => line.time("due", case.wall(due))?,
        _ => {}
    }
    line.name("findings")?;
    list(line.out, &case.told, |told, out| write_told(case, told, out))?;
    line.name("facts")?;
    list(line.out, &case.facts, |fact, out| {
        let mut fields = begin(out);
        fields.number("seq", fact.event.seq.0)?;
        fields.time("at", case.wall(fact.at))?;
        fields.plain("what", fact.what.label())?;
        fields.end()
    })?;
    line.end()?;
    out.write_all(b"\n")
}

fn list<T, W: Write>(
    out: &mut W,
    items: &[T],
    mut each: impl FnMut(&T, &mut W) -> io::Result<()>,
) -> io::Result<()> {
    out.write_all(b"[")?;
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.write_all(b",")?;
        }
        each(item, out)?;
    }
    out.write_all(b"]")
}

fn write_told(case: &Case, told: &Told, out: &mut impl Write) -> io::Result<()> {
    let mut fields = begin(out);
    fields.plain("code", told.kind.code())?;
    fields.plain("label", told.kind.label())?;
    fields.plain("stage", told.stage.label())?;
    fields.plain("severity", severity(told.kind, told.stage).label())?;
    fields.number("open", told.resolved.is_none())?;
    fields.time("since", case.wall(told.since))?;
    fields.plain("cause", told.cause.class.label())?;
    fields.plain("detail", told.cause.detail.label())?;
    fields.number("confidence", told.cause.confidence)?;
    fields.name("cited")?;
    list(fields.out, &told.cause.cited, |event, out| write!(out, "{}", event.seq.0))?;
    fields.plain_if("resolution", told.resolved.map(|resolved| resolved.label()))?;
    fields.plain_if("partner", told.partner.as_ref())?;
    fields.plain_if("parent", told.parent.as_ref())?;
    fields.end()
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
        Subject::Row(_) | Subject::Statement(_) | Subject::Complaint(_) | Subject::Case(_) => {}
    }
    line
}
